//! Orders that were given of late, what controllers answered, and by which manifest they went.

use std::collections::BTreeMap;

use crate::calendar::AiringKey;
use crate::id::ControllerId;
use crate::receipt::{Event, Receipt};
use crate::store::{OrderRow, Store, StoreError, document, number, parsed, places, text, unsigned};
use crate::time::Timestamp;

impl Store {
    /// Orders to some controllers that expired after `since` or hold still, in order.
    pub async fn orders_to(
        &self,
        controllers: &[ControllerId],
        since: Timestamp,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let sql = format!(
            "select controller, number, expires, note from device_order
             where expires > $1 and controller in ({}) order by controller, number",
            places(2, controllers.len())
        );
        // Nothing but places is put into it.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(since.micros());
        for controller in controllers {
            query = query.bind(controller.as_str());
        }
        let rows = query.fetch_all(&self.pool).await;
        let order = |row: &sqlx::any::AnyRow| {
            Ok(OrderRow {
                controller: parsed("device_order", &text(row, 0)?)?,
                number: unsigned("device_order", number(row, 1)?)?,
                expires: Timestamp::from_micros(number(row, 2)?),
                note: text(row, 3)?,
            })
        };
        rows.map_err(StoreError::query("read the orders to some"))?.iter().map(order).collect()
    }

    /// What a controller wrote since then of orders and of what it refused, in order.
    pub async fn answers_of(
        &self,
        controller: &ControllerId,
        since: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let rows = sqlx::query(
            "select line from receipt
             where kind in ('order', 'refusal') and controller = $1 and at >= $2 order by at, n",
        )
        .bind(controller.as_str())
        .bind(since.micros())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read what a controller answered"))?;
        rows.iter().map(|row| document("receipt", &text(row, 0)?)).collect()
    }

    /// The manifest by which a controller went in each airing of a local date, as its first receipt
    /// of it says.
    pub async fn manifests_gone_by(
        &self,
        controller: &ControllerId,
        date: &str,
    ) -> Result<BTreeMap<AiringKey, u64>, StoreError> {
        let rows = sqlx::query(
            "select distinct r.chain, r.n, r.line from receipt r join outcome o on o.fact = r.fact
             where o.controller = $1 and o.date = $2 and r.controller = $1 and r.kind = 'airing'
             order by r.chain, r.n",
        )
        .bind(controller.as_str())
        .bind(date)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read by which manifest a controller went"))?;
        let mut gone_by = BTreeMap::new();
        for row in &rows {
            let receipt: Receipt = document("receipt", &text(row, 2)?)?;
            if let Event::Airing { airing, manifest, .. } = receipt.event {
                gone_by.entry(airing).or_insert(manifest);
            }
        }
        Ok(gone_by)
    }
}
