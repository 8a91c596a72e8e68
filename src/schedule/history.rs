//! What aired before the days of a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::Airing;
use crate::id::{BulletinId, ControllerId, ProgrammeId};
use crate::time::{LocalDate, Timestamp};

/// What each controller aired, as far as the next plan cares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    controllers: BTreeMap<ControllerId, Past>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Past {
    aired: BTreeSet<BulletinId>,
    days: BTreeSet<LocalDate>,
    running: Option<Running>,
}

/// An airing that may go on into the days of a plan; it is let finish.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Running {
    /// When it ends.
    pub ends: Timestamp,
    /// Its programme.
    pub programme: ProgrammeId,
}

impl History {
    /// Adds an airing that took place, or will have before the next plan begins.
    pub fn record(&mut self, airing: &Airing) {
        let past = self.controllers.entry(airing.key.controller.clone()).or_default();
        past.days.insert(airing.key.date);
        for item in airing.items.iter() {
            if !past.aired.contains(&item.bulletin) {
                past.aired.insert(item.bulletin.clone());
            }
        }
        let running = Running { ends: airing.ends, programme: airing.key.programme.clone() };
        past.running = past.running.take().max(Some(running));
    }

    /// Adds a bulletin that was heard at a controller.
    pub fn heard(&mut self, controller: &ControllerId, bulletin: BulletinId) {
        self.controllers.entry(controller.clone()).or_default().aired.insert(bulletin);
    }

    /// Notes that something sounded at a controller on a date.
    pub fn sounded(&mut self, controller: &ControllerId, date: LocalDate) {
        self.controllers.entry(controller.clone()).or_default().days.insert(date);
    }

    /// How many days from `from` until before `until` had airings at `controller`.
    pub fn days(&self, controller: &ControllerId, from: LocalDate, until: LocalDate) -> usize {
        let past = self.controllers.get(controller);
        past.map_or(0, |past| past.days.range(from..until).count())
    }

    /// The bulletins that were heard at `controller`.
    pub fn aired(&self, controller: &ControllerId) -> impl Iterator<Item = &BulletinId> {
        self.controllers.get(controller).into_iter().flat_map(|past| &past.aired)
    }

    /// The airing that ended last at `controller`.
    pub fn running(&self, controller: &ControllerId) -> Option<&Running> {
        self.controllers.get(controller)?.running.as_ref()
    }
}
