//! Planned airings with what became of them, in order of time: what reports are made of.
//!
//! They are read in pages, so that the figures of a year need no more memory than those of a day.

use std::collections::HashMap;
use std::sync::Arc;

use crate::calendar::AiringKey;
use crate::id::BulletinId;
use crate::manifest::Item;
use crate::receipt::ItemReceipt;
use crate::store::{
    Around, Store, StoreError, document, number, optional_number, optional_text, text, unsigned,
};
use crate::time::Timestamp;

/// Airings that are read at once.
const PAGE: u32 = 4_096;

/// Running orders that are remembered, so that one that a thousand villages share is read once.
const ORDERS_MAX: usize = 4_096;

/// A planned airing with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRow {
    /// Which.
    pub key: AiringKey,
    /// When it was to begin.
    pub at: Timestamp,
    /// Whether a newer manifest left it out before it began.
    pub dropped: bool,
    /// Its running order.
    pub items: Arc<Vec<Item>>,
    /// What sounds around its items; `None` where an earlier release named it.
    pub around: Option<Around>,
    /// What became of it; `None` while no receipt tells.
    pub outcome: Option<BroadcastOutcome>,
}

/// What the receipt of an airing says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastOutcome {
    /// In the word of the wire.
    pub outcome: String,
    /// In the word of the wire; empty where it ran to its end.
    pub cause: String,
    /// In the word of the wire.
    pub evidence: String,
    /// When the first sample sounded.
    pub begun: Option<Timestamp>,
    /// When the last sample sounded.
    pub ended: Option<Timestamp>,
    /// Its items, where they did not all run to their end.
    pub items: Vec<ItemReceipt>,
    /// Where in the log its receipt is; `None` while it waits.
    pub position: Option<u64>,
}

/// Where a page begins.
struct Mark {
    at: i64,
    controller: String,
    programme: String,
    date: String,
    occurrence: i64,
}

impl Store {
    /// Hands every airing that was to begin from `from` until before `until` to `each`, in order of
    /// time; of one bulletin alone where one is named.
    pub async fn each_broadcast(
        &self,
        (from, until): (Timestamp, Timestamp),
        about: Option<&BulletinId>,
        mut each: impl FnMut(BroadcastRow) + Send,
    ) -> Result<(), StoreError> {
        let named = about.map_or_else(|| "%".to_owned(), |id| format!("%\"bulletin\":\"{id}\"%"));
        let mut mark = Mark {
            at: from.micros(),
            controller: String::new(),
            programme: String::new(),
            date: String::new(),
            occurrence: -1,
        };
        let mut orders = Orders::default();
        loop {
            let rows = self.page(&mark, until, &named).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            mark = Mark {
                at: number(last, 4)?,
                controller: text(last, 1)?,
                programme: text(last, 0)?,
                date: text(last, 2)?,
                occurrence: number(last, 3)?,
            };
            for row in &rows {
                each(broadcast(row, &mut orders)?);
            }
            if rows.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    async fn page(
        &self,
        mark: &Mark,
        until: Timestamp,
        named: &str,
    ) -> Result<Vec<sqlx::any::AnyRow>, StoreError> {
        let query = sqlx::query(
            "select a.programme, a.controller, a.date, a.occurrence, a.at, a.dropped, a.doc,
                 o.outcome, o.cause, o.evidence, o.begun, o.ended,
                 case when o.outcome = 'completed' then null else o.doc end, f.position,
                 a.lead_ms, a.gap_ms
             from airing a
             left join outcome o on o.programme = a.programme and o.controller = a.controller
                 and o.date = a.date and o.occurrence = a.occurrence
             left join fact f on f.id = o.fact
             where (a.at, a.controller, a.programme, a.date, a.occurrence) > ($1, $2, $3, $4, $5)
                 and a.at < $6 and a.doc like $7
             order by a.at, a.controller, a.programme, a.date, a.occurrence limit $8",
        );
        query
            .bind(mark.at)
            .bind(&mark.controller)
            .bind(&mark.programme)
            .bind(&mark.date)
            .bind(mark.occurrence)
            .bind(until.micros())
            .bind(named)
            .bind(i64::from(PAGE))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read what was broadcast"))
    }
}

/// Running orders that were read, by their text.
#[derive(Default)]
struct Orders(HashMap<String, Arc<Vec<Item>>>);

impl Orders {
    fn read(&mut self, doc: String) -> Result<Arc<Vec<Item>>, StoreError> {
        if let Some(items) = self.0.get(&doc) {
            return Ok(Arc::clone(items));
        }
        if self.0.len() >= ORDERS_MAX {
            self.0.clear();
        }
        let items = Arc::new(document("airing", &doc)?);
        self.0.insert(doc, Arc::clone(&items));
        Ok(items)
    }
}

fn broadcast(row: &sqlx::any::AnyRow, orders: &mut Orders) -> Result<BroadcastRow, StoreError> {
    let outcome = match optional_text(row, 7)? {
        Some(outcome) => Some(told(row, outcome)?),
        None => None,
    };
    Ok(BroadcastRow {
        key: super::schedule::key("airing", row)?,
        at: Timestamp::from_micros(number(row, 4)?),
        dropped: optional_number(row, 5)?.is_some(),
        items: orders.read(text(row, 6)?)?,
        around: super::schedule::around(row, 14)?,
        outcome,
    })
}

fn told(row: &sqlx::any::AnyRow, outcome: String) -> Result<BroadcastOutcome, StoreError> {
    let items = optional_text(row, 12)?;
    let position = optional_number(row, 13)?;
    Ok(BroadcastOutcome {
        outcome,
        cause: text(row, 8)?,
        evidence: text(row, 9)?,
        begun: optional_number(row, 10)?.map(Timestamp::from_micros),
        ended: optional_number(row, 11)?.map(Timestamp::from_micros),
        items: items.map(|doc| document("outcome", &doc)).transpose()?.unwrap_or_default(),
        position: position.map(|n| unsigned("outcome", n)).transpose()?,
    })
}
