//! Which controllers may hold a recording, and which were told to drop it.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::id::ControllerId;
use crate::store::{Store, StoreError, number, parsed, text, unsigned};
use crate::time::Timestamp;

impl Store {
    /// The controllers that were told to play `asset` in an airing from `from` on.
    pub async fn told_to_play(
        &self,
        asset: Digest,
        from: Timestamp,
    ) -> Result<BTreeSet<ControllerId>, StoreError> {
        let rows =
            sqlx::query("select distinct controller from airing where at >= $1 and doc like $2")
                .bind(from.micros())
                .bind(format!("%\"{asset}\"%"))
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::query("read who holds a recording"))?;
        rows.iter().map(|row| parsed("airing", &text(row, 0)?)).collect()
    }

    /// The first manifest of each controller that names `asset` as withdrawn. A manifest that was
    /// made since `since` has no smaller number than its seconds.
    pub async fn told_to_drop(
        &self,
        asset: Digest,
        since: Timestamp,
    ) -> Result<BTreeMap<ControllerId, u64>, StoreError> {
        // `withdrawn` is the last member of a manifest, so what follows its bracket is withdrawn.
        let rows = sqlx::query(
            "select controller, min(number) from manifest
             where number >= $1 and doc like $2 group by controller",
        )
        .bind(since.seconds())
        .bind(format!("%\"withdrawn\":[%\"{asset}\"%"))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read who was told of a withdrawal"))?;
        let told = |row: &sqlx::any::AnyRow| {
            let number = unsigned("manifest", number(row, 1)?)?;
            Ok((parsed("manifest", &text(row, 0)?)?, number))
        };
        rows.iter().map(told).collect()
    }
}
