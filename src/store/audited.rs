//! Rows as an auditor asks for them: by the entry of the log that speaks of them.

use crate::calendar::AiringKey;
use crate::id::ControllerId;
use crate::store::receipts::{OUTCOME_COLUMNS, OutcomeRow, outcome};
use crate::store::schedule::airing;
use crate::store::{AiringRow, Store, StoreError, number, signed, text, unsigned};
use crate::time::Timestamp;

/// A fact as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedFact {
    /// Where in the log it is said to be.
    pub position: u64,
    /// Its id.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// Who.
    pub who: String,
    /// A JSON object.
    pub body: String,
}

/// A receipt as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Whose.
    pub controller: String,
    /// Of which chain.
    pub chain: String,
    /// Its number in the chain.
    pub n: u64,
    /// When it was written, by the controller's clock.
    pub at: Timestamp,
    /// What it says.
    pub line: String,
}

impl Store {
    /// The facts that are said to stand in the log from `from` until before `until`.
    pub async fn facts_logged(&self, from: u64, until: u64) -> Result<Vec<LoggedFact>, StoreError> {
        let rows = sqlx::query(
            "select position, id, at, kind, who, body from fact
             where position >= $1 and position < $2 order by position, id",
        )
        .bind(signed(from))
        .bind(signed(until))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the facts in the log"))?;
        let fact = |row: &sqlx::any::AnyRow| {
            Ok(LoggedFact {
                position: unsigned("fact", number(row, 0)?)?,
                id: text(row, 1)?,
                at: Timestamp::from_micros(number(row, 2)?),
                kind: text(row, 3)?,
                who: text(row, 4)?,
                body: text(row, 5)?,
            })
        };
        rows.iter().map(fact).collect()
    }

    /// The receipts that came with a fact.
    pub async fn receipts_of_fact(&self, fact: &str) -> Result<Vec<ReceiptRow>, StoreError> {
        let rows = sqlx::query(
            "select controller, chain, n, at, line from receipt where fact = $1 order by n",
        )
        .bind(fact)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the receipts of a fact"))?;
        rows.iter().map(receipt).collect()
    }

    /// One receipt, with whatever fact it came.
    pub async fn receipt_numbered(
        &self,
        controller: &ControllerId,
        chain: &str,
        n: u64,
    ) -> Result<Option<ReceiptRow>, StoreError> {
        let row = sqlx::query(
            "select controller, chain, n, at, line from receipt
             where controller = $1 and chain = $2 and n = $3",
        )
        .bind(controller.as_str())
        .bind(chain)
        .bind(signed(n))
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read a receipt"))?;
        row.as_ref().map(receipt).transpose()
    }

    /// The outcomes that came with a fact.
    pub async fn outcomes_of_fact(&self, fact: &str) -> Result<Vec<OutcomeRow>, StoreError> {
        let query = format!(
            "select {OUTCOME_COLUMNS} from outcome o join fact f on f.id = o.fact where o.fact = $1"
        );
        // Nothing but constants is put into it.
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(fact)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the outcomes of a fact"))?;
        rows.iter().map(outcome).collect()
    }

    /// What became of one airing.
    pub async fn outcome_of(&self, key: &AiringKey) -> Result<Option<OutcomeRow>, StoreError> {
        let query = format!(
            "select {OUTCOME_COLUMNS} from outcome o join fact f on f.id = o.fact
             where o.programme = $1 and o.controller = $2 and o.date = $3 and o.occurrence = $4"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(key.programme.as_str())
            .bind(key.controller.as_str())
            .bind(key.date.to_string())
            .bind(i64::from(key.occurrence))
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read an outcome"))?;
        row.as_ref().map(outcome).transpose()
    }

    /// The manifest that a fact is about: its document and its signed note.
    pub async fn manifest_of_fact(
        &self,
        fact: &str,
    ) -> Result<Option<(String, String)>, StoreError> {
        let row = sqlx::query("select doc, note from manifest where fact = $1")
            .bind(fact)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a manifest"))?;
        row.map(|row| Ok((text(&row, 0)?, text(&row, 1)?))).transpose()
    }

    /// The airings that a manifest named last.
    pub async fn airings_of_manifest(
        &self,
        controller: &ControllerId,
        manifest: u64,
    ) -> Result<Vec<AiringRow>, StoreError> {
        let rows = sqlx::query(
            "select programme, controller, date, occurrence, at, latest, manifest, dropped, doc,
                 lead_ms, gap_ms
             from airing where controller = $1 and manifest = $2",
        )
        .bind(controller.as_str())
        .bind(signed(manifest))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the airings of a manifest"))?;
        rows.iter().map(airing).collect()
    }

    /// Rows that speak of a fact which is nowhere, at most `limit` of each table: nobody can have
    /// written them by way of the log.
    pub async fn unfounded(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "select * from (select 'receipt ' || controller || '/' || chain || '/' || n from receipt r
                 where not exists (select 1 from fact f where f.id = r.fact) limit $1) a
             union all
             select * from (select 'outcome ' || programme || '/' || controller || '/' || date || '/'
                 || occurrence from outcome o
                 where not exists (select 1 from fact f where f.id = o.fact) limit $1) b
             union all
             select * from (select 'manifest ' || controller || '/' || number from manifest m
                 where not exists (select 1 from fact f where f.id = m.fact) limit $1) c",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("look for rows without a fact"))?;
        rows.iter().map(|row| text(row, 0)).collect()
    }
}

fn receipt(row: &sqlx::any::AnyRow) -> Result<ReceiptRow, StoreError> {
    Ok(ReceiptRow {
        controller: text(row, 0)?,
        chain: text(row, 1)?,
        n: unsigned("receipt", number(row, 2)?)?,
        at: Timestamp::from_micros(number(row, 3)?),
        line: text(row, 4)?,
    })
}
