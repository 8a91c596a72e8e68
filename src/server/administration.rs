//! What an administrator does at the pages: under their own name in the log, and only where their
//! duty reaches.
//!
//! **Somebody who administers one commune gives duties of that commune alone**, and touches nobody
//! who holds any other: else they could make themselves administrator of everything.

use crate::access::{Action, Duties};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{AreaId, ControllerId, PersonId};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::Fact;

impl Station {
    /// Refuses `by` unless they administer every place in which these duties count.
    pub async fn may_give(&self, by: &PersonId, duties: &Duties) -> Result<(), ServerError> {
        let (_, own) = self.person(by).await?;
        let tree = self.schedule().await?.tree;
        for place in duties.places() {
            let chain = match place {
                Some(area) if tree.get(area).is_none() => {
                    return Err(ServerError::NoArea(area.clone()));
                }
                Some(area) => tree.chain(area),
                None => Vec::new(),
            };
            own.allow(by.as_str(), Action::Invite, &chain)?;
        }
        Ok(())
    }

    /// Refuses `by` unless they administer everything that `person` does.
    pub async fn may_manage(&self, by: &PersonId, person: &PersonId) -> Result<(), ServerError> {
        let (_, duties) = self.person(person).await?;
        self.may_give(by, &duties).await
    }

    /// Refuses `by` unless they administer where a controller stands.
    pub async fn may_change(
        &self,
        by: &PersonId,
        controller: &ControllerId,
    ) -> Result<(), ServerError> {
        let schedule = self.schedule().await?;
        let held = schedule.controllers.iter().find(|held| held.id == *controller);
        let held = held.ok_or_else(|| ServerError::UnknownController(controller.clone()))?;
        self.allow(by, Action::ChangeFleet, Some(&held.area)).await
    }

    /// Ends sessions of somebody else: one, or all of them. Returns how many ended.
    pub async fn end_sessions_of(
        &self,
        person: &PersonId,
        only: Option<Digest>,
        by: &PersonId,
    ) -> Result<u64, ServerError> {
        self.may_manage(by, person).await?;
        let now = utc_now();
        let mut tx = self.store.begin().await?;
        let ended = tx.end_sessions(person, only, now).await?;
        let body = serde_json::json!({ "person": person, "sessions": ended });
        tx.tell(&Fact::new(now, "session.ended", format!("person:{by}"), &body)).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Takes one schedule file over, checked together with all others; `text` is the whole file.
    /// `before` is what the person saw: a file that somebody else changed meanwhile is left alone.
    pub async fn change_file(
        &self,
        name: &str,
        before: Digest,
        text: &str,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        self.allow(by, Action::ChangeFleet, None).await?;
        let text = text.replace("\r\n", "\n");
        self.check_schedule(&[(name.to_owned(), text.clone())]).await?;
        let mut tx = self.store.begin().await?;
        // Read inside the transaction: of two who change a file at once the second is refused.
        let held = self.store.schedule_files().await?;
        let held = held.into_iter().find(|(held, _)| held == name).map(|(_, body)| body);
        let held = held.unwrap_or_default();
        if Digest::of(held.as_bytes()) != before {
            return Err(ServerError::Changed { what: name.to_owned() });
        }
        if held == text {
            return Ok(());
        }
        tx.put_schedule_file(name, &text).await?;
        let body = serde_json::json!({ "file": name, "sha256": Digest::of(text.as_bytes()) });
        tx.tell(&Fact::new(utc_now(), "schedule.imported", format!("person:{by}"), &body)).await?;
        Ok(tx.commit().await?)
    }

    /// Adds lines to a schedule file, which is made where it is not there.
    pub async fn add_to_file(
        &self,
        name: &str,
        lines: &str,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let held = self.store.schedule_files().await?;
        let held = held.into_iter().find(|(held, _)| held == name).map(|(_, body)| body);
        let held = held.unwrap_or_default();
        let gap = if held.is_empty() || held.ends_with("\n\n") { "" } else { "\n" };
        let text = format!("{held}{gap}{lines}");
        self.change_file(name, Digest::of(held.as_bytes()), &text, by).await
    }

    /// Where somebody administers controllers: `None` everywhere.
    pub async fn administers(&self, by: &PersonId) -> Result<Option<Vec<AreaId>>, ServerError> {
        Ok(self.person(by).await?.1.reach(Action::ChangeFleet))
    }
}
