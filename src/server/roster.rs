//! Areas, villages and controllers taken over from spreadsheets: all or nothing, by an
//! administrator of the whole station.

use crate::access::Action;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::PersonId;
use crate::schedule::roster::{Change, Roster, Sheet};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::Fact;

impl Station {
    /// What `sheets` change; with `take` they are taken over, in one transaction with their facts.
    pub async fn import_roster(
        &self,
        sheets: &[Sheet<'_>],
        by: &PersonId,
        take: bool,
    ) -> Result<Vec<Change>, ServerError> {
        self.allow(by, Action::ChangeFleet, None).await?;
        let held = self.store.schedule_files().await?;
        let roster = Roster::read(sheets, &self.schedule().await?)?;
        let changes = roster.changes().to_vec();
        let files = roster.into_files(&held)?;
        if !take || files.is_empty() {
            return Ok(changes);
        }
        let who = format!("person:{by}");
        let mut tx = self.store.begin().await?;
        for (name, body) in &files {
            tx.put_schedule_file(name, body).await?;
            let told = serde_json::json!({ "file": name, "sha256": Digest::of(body.as_bytes()) });
            tx.tell(&Fact::new(utc_now(), "schedule.imported", &*who, &told)).await?;
        }
        let digests: Vec<Digest> = sheets.iter().map(|sheet| Digest::of(sheet.bytes)).collect();
        let told = serde_json::json!({ "sheets": digests, "changes": changes.len() });
        tx.tell(&Fact::new(utc_now(), "fleet.imported", &*who, &told)).await?;
        tx.commit().await?;
        Ok(changes)
    }
}
