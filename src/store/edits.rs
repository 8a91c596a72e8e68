//! Edits of programmes and exceptions that people made.

use crate::id::PersonId;
use crate::schedule::edit::Edit;
use crate::store::{Store, StoreError, Tx, document, json, number, optional_number, parsed, text};
use crate::time::Timestamp;

/// An edit that somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRow {
    /// The fact that tells of it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: PersonId,
    /// What they did, in a word.
    pub act: String,
    /// What became of what.
    pub edit: Edit,
    /// When they took it back.
    pub undone: Option<Timestamp>,
}

impl Tx {
    /// Whether nothing changed since this revision; nobody else can change anything until the end
    /// of the transaction.
    pub async fn still_at(&mut self, revision: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("update revision set n = n where n = $1")
            .bind(revision)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("hold the revision"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps an edit.
    pub async fn add_edit(&mut self, row: &EditRow) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into schedule_edit (id, at, person, act, doc) values ($1, $2, $3, $4, $5)",
        );
        query
            .bind(&row.id)
            .bind(row.at.micros())
            .bind(row.by.as_str())
            .bind(&row.act)
            .bind(json(&row.edit))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an edit"))?;
        Ok(())
    }

    /// Notes that an edit was taken back.
    pub async fn undo_edit(&mut self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("update schedule_edit set undone = $2 where id = $1")
            .bind(id)
            .bind(at.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("take an edit back"))?;
        Ok(())
    }
}

impl Store {
    /// The newest edits, the newest first.
    pub async fn edits(&self, count_max: i64) -> Result<Vec<EditRow>, StoreError> {
        let rows = sqlx::query(
            "select id, at, person, act, doc, undone from schedule_edit
             order by at desc limit $1",
        )
        .bind(count_max)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the edits"))?;
        rows.iter().map(row).collect()
    }

    /// What somebody may take back: their newest edit that they did not.
    pub async fn last_edit(&self, by: &PersonId) -> Result<Option<EditRow>, StoreError> {
        let found = sqlx::query(
            "select id, at, person, act, doc, undone from schedule_edit
             where person = $1 and undone is null and act <> 'undo'
             order by at desc limit 1",
        )
        .bind(by.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read an edit"))?;
        found.as_ref().map(row).transpose()
    }
}

fn row(row: &sqlx::any::AnyRow) -> Result<EditRow, StoreError> {
    Ok(EditRow {
        id: text(row, 0)?,
        at: Timestamp::from_micros(number(row, 1)?),
        by: parsed("schedule_edit", &text(row, 2)?)?,
        act: text(row, 3)?,
        edit: document("schedule_edit", &text(row, 4)?)?,
        undone: optional_number(row, 5)?.map(Timestamp::from_micros),
    })
}
