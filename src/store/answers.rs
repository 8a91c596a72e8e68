//! Orders that were given of late, and what controllers answered.

use crate::id::ControllerId;
use crate::receipt::Receipt;
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
}
