//! Who looks after a speaker: faults that somebody takes care of, and the time in which somebody
//! works at it.
//!
//! **Neither changes what sounds**: they say who knows, so that nobody is alarmed twice.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::access::Action;
use crate::bulletin::Comment;
use crate::clock::utc_now;
use crate::fleet::Outline;
use crate::id::{AreaId, ControllerId, PersonId};
use crate::server::{Condition, Level, ServerError, Station};
use crate::store::{Acknowledgement, Fact, Maintenance};
use crate::time::Timestamp;

/// An acknowledgement is forgotten after this: somebody should look again.
const CARE_LASTS: Duration = Duration::from_hours(7 * 24);

/// Maintenance lasts this long at most: a speaker that is gone for longer is no speaker.
pub const MAINTENANCE_MAX: Duration = Duration::from_hours(14 * 24);

/// What is noted of speakers.
#[derive(Clone, Debug, Default)]
pub struct Upkeep {
    maintenances: BTreeMap<ControllerId, Maintenance>,
    acknowledgements: BTreeMap<ControllerId, Acknowledgement>,
}

impl Upkeep {
    /// The maintenance of a speaker at `now`.
    pub(super) fn maintenance(&self, of: &ControllerId, now: Timestamp) -> Option<Maintenance> {
        self.maintenances.get(of).filter(|held| now < held.until).cloned()
    }

    /// Who takes care of this very fault of a speaker.
    pub(super) fn acknowledged(
        &self,
        of: &ControllerId,
        fault: &super::Fact,
        now: Timestamp,
    ) -> Option<Acknowledgement> {
        let same = |held: &&Acknowledgement| {
            held.code == fault.code
                && held.since == lasting(fault)
                && now.since(held.at) < CARE_LASTS
        };
        self.acknowledgements.get(of).filter(same).cloned()
    }
}

/// Since when a fault is this one and no earlier one, where that is known: a speaker that came back
/// and is lost again is another fault.
fn lasting(fault: &super::Fact) -> Option<Timestamp> {
    fault.since.filter(|_| fault.code == "lost")
}

impl Station {
    /// What is noted of speakers now.
    pub async fn upkeep(&self) -> Result<Upkeep, ServerError> {
        Ok(Upkeep {
            maintenances: self.store.maintenances().await?,
            acknowledgements: self.store.acknowledgements().await?,
        })
    }

    /// `by` takes care of what is worst about a speaker.
    pub async fn acknowledge(
        &self,
        condition: &Condition,
        note: Comment,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let controller = &condition.controller;
        self.may_attend(controller, by).await?;
        let worst = condition.worst();
        if worst.level != Level::Bad {
            return Err(ServerError::NoFault(controller.clone()));
        }
        let held = Acknowledgement {
            code: worst.code.to_owned(),
            since: lasting(worst),
            at: utc_now(),
            note: note.to_string(),
            by: by.clone(),
        };
        let mut tx = self.store.begin().await?;
        tx.put_acknowledgement(controller, &held).await?;
        tx.tell(&fact("speaker.acknowledged", controller, &held, held.at)).await?;
        Ok(tx.commit().await?)
    }

    /// `by` says that somebody works at a speaker until then.
    pub async fn begin_maintenance(
        &self,
        controller: &ControllerId,
        until: Timestamp,
        reason: Comment,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        self.may_attend(controller, by).await?;
        let since = utc_now();
        if until <= since || until > since + MAINTENANCE_MAX {
            return Err(ServerError::MaintenanceLength);
        }
        let held = Maintenance { since, until, reason: reason.to_string(), by: by.clone() };
        self.keep_maintenance("speaker.maintained", controller, &held).await
    }

    /// `by` says that the work at a speaker is done.
    pub async fn end_maintenance(
        &self,
        controller: &ControllerId,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        self.may_attend(controller, by).await?;
        let now = utc_now();
        let Some(held) = self.upkeep().await?.maintenance(controller, now) else { return Ok(()) };
        let held = Maintenance { until: now, by: by.clone(), ..held };
        self.keep_maintenance("speaker.maintenance-ended", controller, &held).await
    }

    async fn keep_maintenance(
        &self,
        kind: &'static str,
        controller: &ControllerId,
        held: &Maintenance,
    ) -> Result<(), ServerError> {
        let mut tx = self.store.begin().await?;
        tx.put_maintenance(controller, held).await?;
        tx.tell(&fact(kind, controller, held, utc_now())).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps the border of an area, for maps.
    pub async fn import_outline(
        &self,
        area: &AreaId,
        outline: &Outline,
    ) -> Result<(), ServerError> {
        if self.schedule().await?.tree.get(area).is_none() {
            return Err(ServerError::NoArea(area.clone()));
        }
        let points: usize = outline.rings().iter().map(Vec::len).sum();
        let body = serde_json::json!({ "area": area, "points": points });
        let mut tx = self.store.begin().await?;
        tx.put_outline(area, outline).await?;
        tx.tell(&Fact::new(utc_now(), "outline.imported", "server", &body)).await?;
        Ok(tx.commit().await?)
    }

    async fn may_attend(
        &self,
        controller: &ControllerId,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let schedule = self.schedule().await?;
        let known = schedule.controllers.iter().find(|known| known.id == *controller);
        let known = known.ok_or_else(|| ServerError::UnknownController(controller.clone()))?;
        self.allow(by, Action::Attend, Some(&known.area)).await
    }
}

fn fact(
    kind: &'static str,
    controller: &ControllerId,
    held: &impl serde::Serialize,
    now: Timestamp,
) -> Fact {
    let mut body = serde_json::to_value(held).expect("what is noted has text keys");
    body["controller"] = serde_json::json!(controller);
    let by = body["by"].as_str().unwrap_or_default().to_owned();
    Fact::new(now, kind, format!("person:{by}"), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Fact as Told;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn lost(since: Timestamp) -> Told {
        let (vi, en) = (String::new(), String::new());
        Told { level: Level::Bad, code: "lost", since: Some(since), vi, en }
    }

    fn cared_for(fault: &Told) -> (ControllerId, Upkeep) {
        let id: ControllerId = "mu-ca-1".parse().unwrap();
        let (since, note, by) = (lasting(fault), "gọi thợ".to_owned(), "sua".parse().unwrap());
        let held = Acknowledgement { code: fault.code.to_owned(), since, at: NOW, note, by };
        let acknowledgements = BTreeMap::from([(id.clone(), held)]);
        (id, Upkeep { acknowledgements, ..Upkeep::default() })
    }

    #[test]
    fn a_speaker_that_came_back_and_is_lost_again_is_a_new_fault() {
        let fault = lost(NOW - Duration::from_hours(2));
        let (id, upkeep) = cared_for(&fault);
        assert!(upkeep.acknowledged(&id, &fault, NOW).is_some());
        assert!(upkeep.acknowledged(&id, &lost(NOW), NOW).is_none());
        let other = Told { code: "clock", ..fault };
        assert!(upkeep.acknowledged(&id, &other, NOW).is_none());
    }

    #[test]
    fn nobody_takes_care_of_a_fault_for_ever() {
        let fault = lost(NOW - Duration::from_hours(2));
        let (id, upkeep) = cared_for(&fault);
        assert!(upkeep.acknowledged(&id, &fault, NOW + CARE_LASTS).is_none());
    }
}
