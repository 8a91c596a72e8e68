//! What the law lets people ask: that their personal data be forgotten.
//!
//! The log has only salted commitments to it. **An erasure deletes text and salt from the
//! database, and no byte of the log**: its tree stays whole, and what is left in it says nothing.
//! The erasure is a fact itself. A legal hold forbids every erasure until it is lifted.

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::{PersonId, QuestionId};
use crate::server::ServerError;
use crate::server::people::author;
use crate::server::station::Station;
use crate::store::Fact;

/// What stands in the place of a name that was erased.
pub const ERASED_NAME: &str = "(đã xoá)";

/// The station's value that holds the reason of a legal hold; empty where there is none.
const HOLD: &str = "legal_hold";

impl Station {
    /// Why nothing may be erased; `None` where no hold was placed.
    pub async fn legal_hold(&self) -> Result<Option<String>, ServerError> {
        Ok(self.store.get(HOLD).await?.filter(|reason| !reason.is_empty()))
    }

    /// Places a legal hold for a reason, or lifts it with none.
    pub async fn hold(&self, reason: Option<&str>, by: &PersonId) -> Result<(), ServerError> {
        self.person(by).await?;
        let kind = if reason.is_some() { "hold.placed" } else { "hold.lifted" };
        let body = serde_json::json!({ "reason": reason });
        let mut tx = self.store.begin().await?;
        tx.set(HOLD, reason.unwrap_or_default()).await?;
        tx.tell(&Fact::new(utc_now(), kind, format!("person:{by}"), &body)).await?;
        Ok(tx.commit().await?)
    }

    async fn may_erase(&self) -> Result<(), ServerError> {
        match self.legal_hold().await? {
            Some(reason) => Err(ServerError::Held(reason)),
            None => Ok(()),
        }
    }

    /// Forgets the name of somebody who has no duties any longer. At the pages whoever administers
    /// the whole station does it: somebody without duties belongs to no area.
    pub async fn erase_person(
        &self,
        person: &PersonId,
        by: Option<&PersonId>,
    ) -> Result<(), ServerError> {
        if let Some(by) = by {
            self.allow(by, Action::Invite, None).await?;
        }
        self.may_erase().await?;
        let (held, _) = self.person(person).await?;
        if !held.roles.is_empty() {
            return Err(ServerError::StillOnDuty(person.clone()));
        }
        let body = serde_json::json!({ "person": person, "erased": "name" });
        let mut tx = self.store.begin().await?;
        tx.erase_person(person, ERASED_NAME).await?;
        tx.tell(&Fact::new(utc_now(), "person.erased", author(by), &body)).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets who asked a question, and what opens the log's commitments to it; returns how many
    /// texts were forgotten. The question itself stays for the newsroom.
    pub async fn erase_asker(&self, question: &QuestionId) -> Result<u64, ServerError> {
        self.may_erase().await?;
        self.question(question).await?;
        let body = serde_json::json!({ "question": question, "erased": "asker" });
        let mut tx = self.store.begin().await?;
        let erased = tx.erase_asker(question).await?;
        tx.tell(&Fact::new(utc_now(), "question.erased", "server", &body)).await?;
        tx.commit().await?;
        Ok(erased)
    }

    /// Adds an entry that corrects another one: nothing in the log is changed.
    pub async fn correct(&self, entry: u64, says: &str, by: &PersonId) -> Result<(), ServerError> {
        self.person(by).await?;
        let corrected = crate::log::LogReader::open(&self.log_folder())?.entry(entry)?;
        let body = serde_json::json!({
            "corrects": corrected.fact(), "entry": entry, "says": says,
        });
        let mut tx = self.store.begin().await?;
        tx.tell(&Fact::new(utc_now(), "correction.made", format!("person:{by}"), &body)).await?;
        Ok(tx.commit().await?)
    }
}
