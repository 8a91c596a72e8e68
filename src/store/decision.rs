//! What commune operators decided about two priority bulletins at one time.

use crate::schedule::Decision;
use crate::store::{Store, StoreError, Tx, number, parsed, text};
use crate::time::Timestamp;

impl Tx {
    /// Adds a decision; the earlier ones about the same question stay.
    pub async fn add_decision(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into decision (id, at, first, by_person) values ($1, $2, $3, $4)
             on conflict (id, at, first, by_person) do nothing",
        );
        query
            .bind(decision.id.to_string())
            .bind(decision.at.micros())
            .bind(decision.first.as_str())
            .bind(decision.by.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a decision"))?;
        Ok(())
    }
}

impl Store {
    /// Every decision, by question and time.
    pub async fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        let query = "select id, at, first, by_person from decision order by id, at";
        let rows = sqlx::query(query)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the decisions"))?;
        let decision = |row: &sqlx::any::AnyRow| {
            Ok(Decision {
                id: parsed("decision", &text(row, 0)?)?,
                at: Timestamp::from_micros(number(row, 1)?),
                first: parsed("decision", &text(row, 2)?)?,
                by: parsed("decision", &text(row, 3)?)?,
            })
        };
        rows.iter().map(decision).collect()
    }
}
