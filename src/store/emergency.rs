//! Emergencies with the signatures they have so far, and orders.

use sqlx::any::AnyRow;

use crate::id::{ControllerId, EmergencyId};
use crate::receipt::{EmergencyStep, Event, Evidence, Receipt};
use crate::store::{
    Store, StoreError, Tx, document, number, optional_number, optional_text, parsed, signed, text,
    unsigned,
};
use crate::time::Timestamp;

/// Whether it is played or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// Play it.
    Play,
    /// Take it back.
    Cancel,
}

impl Doing {
    /// The word of the wire and of the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Cancel => "cancel",
        }
    }
}

/// An emergency, or its cancel, as far as it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyRow {
    /// Which.
    pub id: EmergencyId,
    /// Played or taken back.
    pub doing: Doing,
    /// Counts up over the network.
    pub sequence: u64,
    /// When the first officer signed.
    pub begun: Timestamp,
    /// After this nobody plays it.
    pub expires: Timestamp,
    /// The document with the signatures so far.
    pub note: String,
    /// When the last officer needed signed; `None` while one is missing.
    pub raised: Option<Timestamp>,
    /// Whether the log has it, so that it may leave.
    pub logged: bool,
}

/// An order that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// For whom.
    pub controller: ControllerId,
    /// Counts up for each controller.
    pub number: u64,
    /// After this it is not carried out.
    pub expires: Timestamp,
    /// Its note.
    pub note: String,
}

/// What one controller told of an emergency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyTold {
    /// Who.
    pub controller: ControllerId,
    /// How far it came.
    pub step: EmergencyStep,
    /// Which attempt, from 1; 0 where none was begun.
    pub attempt: u8,
    /// When, by its own clock.
    pub at: Timestamp,
    /// How it is known to have sounded.
    pub evidence: Option<Evidence>,
}

impl EmergencyRow {
    /// What it is in, in words.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match (self.raised, self.logged) {
            (None, _) => "waits for another officer",
            (Some(_), false) => "signed, waits for the server",
            (Some(_), true) if self.expires <= now => "expired",
            (Some(_), true) => "in force",
        }
    }
}

impl Tx {
    /// Adds an emergency, or replaces it with one that has more signatures.
    pub async fn put_emergency(
        &mut self,
        row: &EmergencyRow,
        fact: Option<&str>,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into emergency (id, action, sequence, begun, expires, note, raised, fact)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (id, action) do update set sequence = excluded.sequence,
                 begun = excluded.begun, expires = excluded.expires, note = excluded.note,
                 raised = excluded.raised, fact = excluded.fact",
        );
        query
            .bind(row.id.as_str())
            .bind(row.doing.as_str())
            .bind(signed(row.sequence))
            .bind(row.begun.micros())
            .bind(row.expires.micros())
            .bind(&row.note)
            .bind(row.raised.map(Timestamp::micros))
            .bind(fact)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an emergency"))?;
        Ok(())
    }

    /// Adds an order.
    pub async fn put_order(&mut self, order: &OrderRow, fact: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into device_order (controller, number, expires, note, fact)
             values ($1, $2, $3, $4, $5)",
        );
        query
            .bind(order.controller.as_str())
            .bind(signed(order.number))
            .bind(order.expires.micros())
            .bind(&order.note)
            .bind(fact)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an order"))?;
        Ok(())
    }
}

impl Store {
    /// Every emergency and every cancel, newest first.
    pub async fn emergencies(&self) -> Result<Vec<EmergencyRow>, StoreError> {
        let rows = sqlx::query(
            "select e.id, e.action, e.sequence, e.begun, e.expires, e.note, e.raised, f.id
             from emergency e left join fact f on f.id = e.fact and f.position is not null
             order by e.sequence desc",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the emergencies"))?;
        rows.iter().map(emergency).collect()
    }

    /// How many signed emergencies and orders there are: a number that tells cheaply that one more
    /// waits to leave.
    pub async fn urgent_count(&self) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "select (select count(*) from emergency where raised is not null)
                  + (select count(*) from device_order)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::query("count the emergencies"))?;
        number(&row, 0)
    }

    /// Orders that are in the log and expire after `now`.
    pub async fn orders(&self, now: Timestamp) -> Result<Vec<OrderRow>, StoreError> {
        let rows = sqlx::query(
            "select o.controller, o.number, o.expires, o.note
             from device_order o join fact f on f.id = o.fact
             where o.expires > $1 and f.position is not null order by o.controller, o.number",
        )
        .bind(now.micros())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the orders"))?;
        let order = |row: &AnyRow| {
            Ok(OrderRow {
                controller: parsed("device_order", &text(row, 0)?)?,
                number: unsigned("device_order", number(row, 1)?)?,
                expires: Timestamp::from_micros(number(row, 2)?),
                note: text(row, 3)?,
            })
        };
        rows.iter().map(order).collect()
    }

    /// The greatest number of an order to `controller`; 0 where there is none.
    pub async fn order_number(&self, controller: &ControllerId) -> Result<u64, StoreError> {
        let row = sqlx::query("select max(number) from device_order where controller = $1")
            .bind(controller.as_str())
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::query("read the orders"))?;
        unsigned("device_order", optional_number(&row, 0)?.unwrap_or(0))
    }

    /// What controllers told of one emergency, in the order in which they wrote it.
    pub async fn emergency_told(&self, id: &EmergencyId) -> Result<Vec<EmergencyTold>, StoreError> {
        let rows = sqlx::query(
            "select controller, line from receipt
             where kind = 'emergency' and line like $1 order by controller, chain, n",
        )
        .bind(format!("%\"emergency\":\"{id}\"%"))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the receipts of an emergency"))?;
        let mut told = Vec::new();
        for row in &rows {
            let receipt: Receipt = document("receipt", &text(row, 1)?)?;
            let Event::Emergency { emergency, step, attempt, evidence, .. } = receipt.event else {
                continue;
            };
            if emergency == *id {
                let controller = parsed("receipt", &text(row, 0)?)?;
                told.push(EmergencyTold { controller, step, attempt, at: receipt.at, evidence });
            }
        }
        Ok(told)
    }
}

fn emergency(row: &AnyRow) -> Result<EmergencyRow, StoreError> {
    let doing = match text(row, 1)?.as_str() {
        "play" => Doing::Play,
        "cancel" => Doing::Cancel,
        other => return Err(StoreError::corrupt("emergency", format!("the action `{other}`"))),
    };
    Ok(EmergencyRow {
        id: parsed("emergency", &text(row, 0)?)?,
        doing,
        sequence: unsigned("emergency", number(row, 2)?)?,
        begun: Timestamp::from_micros(number(row, 3)?),
        expires: Timestamp::from_micros(number(row, 4)?),
        note: text(row, 5)?,
        raised: optional_number(row, 6)?.map(Timestamp::from_micros),
        logged: optional_text(row, 7)?.is_some(),
    })
}
