//! One-time codes of devices, as the station may know them: by the public half of their keys.

use crate::id::ControllerId;
use crate::note::PublicKey;
use crate::store::{Store, StoreError, Tx, number, optional_number, parsed, text};
use crate::time::Timestamp;

/// The newest code of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// The public half of the key that it makes.
    pub key: PublicKey,
    /// Until when it counts.
    pub until: Timestamp,
    /// When it was used.
    pub used: Option<Timestamp>,
}

impl Tx {
    /// Keeps a controller's new code; its last one counts no longer.
    pub async fn put_code(
        &mut self,
        controller: &ControllerId,
        key: &PublicKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into code (controller, public_key, until) values ($1, $2, $3)
             on conflict (controller) do update
             set public_key = excluded.public_key, until = excluded.until, used = null",
        );
        query
            .bind(controller.as_str())
            .bind(key.to_string())
            .bind(until.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a code"))?;
        Ok(())
    }

    /// Uses a controller's code up; `false` where another enrolment did, or it is another code by now.
    pub async fn use_code(
        &mut self,
        controller: &ControllerId,
        key: &PublicKey,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "update code set used = $3 where controller = $1 and public_key = $2 and used is null",
        );
        let done = query
            .bind(controller.as_str())
            .bind(key.to_string())
            .bind(at.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("use a code"))?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// A controller's newest code.
    pub async fn code(&self, controller: &ControllerId) -> Result<Option<CodeRow>, StoreError> {
        let row = sqlx::query("select public_key, until, used from code where controller = $1")
            .bind(controller.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a code"))?;
        let code = |row: &sqlx::any::AnyRow| {
            Ok(CodeRow {
                key: parsed("code", &text(row, 0)?)?,
                until: Timestamp::from_micros(number(row, 1)?),
                used: optional_number(row, 2)?.map(Timestamp::from_micros),
            })
        };
        row.as_ref().map(code).transpose()
    }
}
