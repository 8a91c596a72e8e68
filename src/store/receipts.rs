//! Receipts that came, what they say of airings, and how controllers are.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::id::ControllerId;
use crate::protocol::{Status, StatusState};
use crate::receipt::{Event, ItemReceipt, Receipt};
use crate::store::{
    Store, StoreError, Tx, document, json, number, optional_number, parsed, places, signed, text,
    unsigned,
};
use crate::time::Timestamp;

/// What became of an airing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Which.
    pub key: AiringKey,
    /// In the word of the wire.
    pub outcome: String,
    /// In the word of the wire; empty where it ran to its end.
    pub cause: String,
    /// How we know, in the word of the wire.
    pub evidence: String,
    /// When the first sample sounded.
    pub begun: Option<Timestamp>,
    /// When the last sample sounded.
    pub ended: Option<Timestamp>,
    /// Its items.
    pub items: Vec<ItemReceipt>,
    /// Where in the log its receipt is; `None` while it waits.
    pub position: Option<u64>,
}

/// How a controller said it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRow {
    /// When it was received.
    pub seen: Timestamp,
    /// What it said.
    pub status: Status,
}

/// A controller that was not heard for this long counts as lost: its status comes at least every
/// 15 minutes.
const LOST_AFTER: Duration = Duration::from_mins(20);

impl StatusRow {
    /// Whether the link is lost: by its own or the broker's word, or because it is silent. A speaker
    /// is never shown as reachable on the strength of an old word.
    pub fn is_lost(&self, now: Timestamp) -> bool {
        self.status.state == StatusState::Lost || now.since(self.seen) > LOST_AFTER
    }
}

/// When a controller last sounded, by how it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sounded {
    /// Its samples were handed on, or more is known.
    pub rendered: Option<Timestamp>,
    /// The amplifier drew current.
    pub measured: Option<Timestamp>,
    /// A microphone heard it.
    pub heard: Option<Timestamp>,
}

impl Tx {
    /// Keeps one receipt and, of an airing, its outcome; one that is there already is left as it is.
    pub async fn put_receipt(
        &mut self,
        controller: &ControllerId,
        chain: &str,
        receipt: &Receipt,
        fact: &str,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into receipt (controller, chain, n, at, kind, line, fact)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (controller, chain, n) do nothing",
        );
        query
            .bind(controller.as_str())
            .bind(chain)
            .bind(signed(receipt.n))
            .bind(receipt.at.micros())
            .bind(kind(&receipt.event))
            .bind(receipt.line())
            .bind(fact)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a receipt"))?;
        self.put_outcome(controller, &receipt.event, fact).await
    }

    async fn put_outcome(
        &mut self,
        controller: &ControllerId,
        event: &Event,
        fact: &str,
    ) -> Result<(), StoreError> {
        let Event::Airing { airing, outcome, cause, evidence, begun, ended, items, .. } = event
        else {
            return Ok(());
        };
        // A controller speaks for itself alone.
        if airing.controller != *controller {
            return Ok(());
        }
        let query = sqlx::query(
            "insert into outcome (programme, controller, date, occurrence, outcome, cause, evidence,
                 begun, ended, doc, fact)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (programme, controller, date, occurrence) do nothing",
        );
        query
            .bind(airing.programme.as_str())
            .bind(airing.controller.as_str())
            .bind(airing.date.to_string())
            .bind(i64::from(airing.occurrence))
            .bind(outcome.as_str())
            .bind(cause.map_or("", |cause| cause.as_str()))
            .bind(json(evidence).trim_matches('"').to_owned())
            .bind(begun.map(Timestamp::micros))
            .bind(ended.map(Timestamp::micros))
            .bind(json(items))
            .bind(fact)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an outcome"))?;
        Ok(())
    }

    /// Notes how far a chain is here.
    pub async fn put_progress(
        &mut self,
        controller: &ControllerId,
        progress: (&str, u64, Digest),
        fact: &str,
    ) -> Result<(), StoreError> {
        let (chain, upto, link) = progress;
        let query = sqlx::query(
            "insert into progress (controller, chain, upto, link, fact) values ($1, $2, $3, $4, $5)
             on conflict (controller, chain)
             do update set upto = excluded.upto, link = excluded.link, fact = excluded.fact",
        );
        query
            .bind(controller.as_str())
            .bind(chain)
            .bind(signed(upto))
            .bind(link.to_string())
            .bind(fact)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep the progress of receipts"))?;
        Ok(())
    }

    /// Notes how a controller says it is.
    pub async fn put_status(&mut self, status: &Status, seen: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into status (controller, seen, doc) values ($1, $2, $3)
             on conflict (controller) do update set seen = excluded.seen, doc = excluded.doc",
        );
        query
            .bind(status.controller.as_str())
            .bind(seen.micros())
            .bind(json(status))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a status"))?;
        Ok(())
    }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Airing { .. } => "airing",
        Event::Emergency { .. } => "emergency",
        Event::Refusal { .. } => "refusal",
        Event::Boot { .. } => "boot",
        Event::Order { .. } => "order",
    }
}

impl Store {
    /// When each controller last sounded, by how it is known.
    pub async fn sounded(&self) -> Result<BTreeMap<ControllerId, Sounded>, StoreError> {
        let rows = sqlx::query(
            "select controller, evidence, max(begun) from outcome
             where begun is not null group by controller, evidence",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read what sounded"))?;
        let mut all: BTreeMap<ControllerId, Sounded> = BTreeMap::new();
        for row in &rows {
            let at = optional_number(row, 2)?.map(Timestamp::from_micros);
            let one = all.entry(parsed("outcome", &text(row, 0)?)?).or_default();
            match text(row, 1)?.as_str() {
                "rendered" => one.rendered = one.rendered.max(at),
                "measured" => one.measured = at,
                "heard" => one.heard = at,
                // Nothing of it sounded whole.
                _ => {}
            }
            if one.measured.max(one.heard) > one.rendered {
                one.rendered = one.measured.max(one.heard);
            }
        }
        Ok(all)
    }

    /// How far every chain is: controller, chain, number and link of the last receipt.
    pub async fn progress(&self) -> Result<Vec<(ControllerId, String, u64, Digest)>, StoreError> {
        let rows =
            sqlx::query("select controller, chain, upto, link from progress order by controller")
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::query("read the progress of receipts"))?;
        let progress = |row: &sqlx::any::AnyRow| {
            Ok((
                parsed("progress", &text(row, 0)?)?,
                text(row, 1)?,
                unsigned("progress", number(row, 2)?)?,
                parsed("progress", &text(row, 3)?)?,
            ))
        };
        rows.iter().map(progress).collect()
    }

    /// Every outcome of airings of these local dates.
    pub async fn outcomes(&self, from: &str, until: &str) -> Result<Vec<OutcomeRow>, StoreError> {
        let query = format!(
            "select {OUTCOME_COLUMNS} from outcome o join fact f on f.id = o.fact
             where o.date >= $1 and o.date <= $2
             order by o.date, o.controller, o.programme, o.occurrence"
        );
        // Nothing but constants is put into it.
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(from)
            .bind(until)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the outcomes"))?;
        rows.iter().map(outcome).collect()
    }

    /// The outcomes of several controllers from one local date to another.
    pub async fn outcomes_of(
        &self,
        controllers: &[ControllerId],
        from: &str,
        until: &str,
    ) -> Result<Vec<OutcomeRow>, StoreError> {
        let sql = format!(
            "select o.programme, o.controller, o.date, o.occurrence, o.outcome, o.cause, o.begun,
                 o.ended, o.doc, f.position, o.evidence
             from outcome o join fact f on f.id = o.fact
             where o.date >= $1 and o.date <= $2 and o.controller in ({})
             order by o.date, o.programme, o.occurrence",
            places(3, controllers.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(from).bind(until);
        for controller in controllers {
            query = query.bind(controller.as_str());
        }
        let rows = query.fetch_all(&self.pool).await;
        rows.map_err(StoreError::query("read the outcomes"))?.iter().map(outcome).collect()
    }

    /// The outcomes of one controller's airings of these local dates.
    pub async fn outcomes_at(
        &self,
        controller: &ControllerId,
        from: &str,
        until: &str,
    ) -> Result<Vec<OutcomeRow>, StoreError> {
        let rows = sqlx::query(
            "select o.programme, o.controller, o.date, o.occurrence, o.outcome, o.cause, o.begun,
                 o.ended, o.doc, f.position, o.evidence
             from outcome o join fact f on f.id = o.fact
             where o.controller = $1 and o.date >= $2 and o.date <= $3
             order by o.date, o.programme, o.occurrence",
        )
        .bind(controller.as_str())
        .bind(from)
        .bind(until)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the outcomes"))?;
        rows.iter().map(outcome).collect()
    }

    /// Receipts of one kind, as they were written, newest first.
    pub async fn receipts(
        &self,
        kind: &str,
        limit: u32,
    ) -> Result<Vec<(ControllerId, Receipt)>, StoreError> {
        let rows = sqlx::query(
            "select controller, line from receipt where kind = $1 order by at desc, n desc limit $2",
        )
        .bind(kind)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the receipts"))?;
        let receipt = |row: &sqlx::any::AnyRow| {
            Ok((parsed("receipt", &text(row, 0)?)?, document("receipt", &text(row, 1)?)?))
        };
        rows.iter().map(receipt).collect()
    }

    /// How every controller said it was.
    pub async fn statuses(&self) -> Result<Vec<StatusRow>, StoreError> {
        let rows = sqlx::query("select seen, doc from status order by controller")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the statuses"))?;
        let status = |row: &sqlx::any::AnyRow| {
            let seen = Timestamp::from_micros(number(row, 0)?);
            Ok(StatusRow { seen, status: document("status", &text(row, 1)?)? })
        };
        rows.iter().map(status).collect()
    }
}

/// The columns that [`outcome`] reads.
pub(super) const OUTCOME_COLUMNS: &str = "o.programme, o.controller, o.date, o.occurrence, \
    o.outcome, o.cause, o.begun, o.ended, o.doc, f.position, o.evidence";

pub(super) fn outcome(row: &sqlx::any::AnyRow) -> Result<OutcomeRow, StoreError> {
    let position = optional_number(row, 9)?;
    Ok(OutcomeRow {
        key: super::schedule::key("outcome", row)?,
        outcome: text(row, 4)?,
        cause: text(row, 5)?,
        evidence: text(row, 10)?,
        begun: optional_number(row, 6)?.map(Timestamp::from_micros),
        ended: optional_number(row, 7)?.map(Timestamp::from_micros),
        items: document("outcome", &text(row, 8)?)?,
        position: position.map(|n| unsigned("outcome", n)).transpose()?,
    })
}
