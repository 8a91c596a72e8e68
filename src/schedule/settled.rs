//! What came out for one group of controllers: their plan before it has their names.

use std::sync::Arc;

use super::decision::DecisionId;
use super::remark::{Reason, Remark};
use super::serve::Said;
use super::{Airing, Figures, Item, Plan};
use crate::calendar::AiringKey;
use crate::fleet::Controller;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::time::{LocalDate, Timestamp};

/// An airing's identity without its controller.
#[derive(PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) programme: ProgrammeId,
    pub(super) date: LocalDate,
    pub(super) occurrence: u16,
}

impl Spot {
    fn key(&self, controller: &ControllerId) -> AiringKey {
        AiringKey {
            programme: self.programme.clone(),
            controller: controller.clone(),
            date: self.date,
            occurrence: self.occurrence,
        }
    }
}

/// An airing without its controller.
pub(super) struct Slot {
    pub(super) spot: Spot,
    pub(super) at: Timestamp,
    pub(super) latest: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) chime: bool,
    pub(super) gap_ms: u32,
    pub(super) volume_percent: Option<u8>,
    pub(super) items: Arc<[Item]>,
}

/// All days of one group.
#[derive(Default)]
pub(super) struct Settled {
    /// By time.
    pub(super) airings: Vec<Slot>,
    pub(super) said: Vec<(Spot, Said)>,
}

impl Settled {
    /// The decisions that it follows or leaves aside as late.
    pub(super) fn decisions(&self) -> impl Iterator<Item = &DecisionId> {
        let known = self.said.iter().filter_map(|(_, said)| said.known());
        known.filter_map(Reason::decision)
    }

    /// The figures of one controller.
    pub(super) fn figures(&self) -> Figures {
        let mut figures = Figures { airings: self.airings.len() as u64, ..Figures::default() };
        let lengths = self.airings.iter().map(|slot| slot.ends.since(slot.at).as_millis());
        figures.length_ms = lengths.map(|length| u64::try_from(length).unwrap_or(u64::MAX)).sum();
        let mut refused: Option<&Spot> = None;
        for (spot, said) in &self.said {
            if said.refuses() {
                // What is said of one candidate stands together.
                figures.refused += u64::from(refused.replace(spot) != Some(spot));
            } else {
                figures.gaps += u64::from(said.is_gap());
            }
        }
        figures
    }

    /// Writes what holds for the group as what holds for one of its controllers, for which
    /// `commune` decides.
    pub(super) fn write(&self, controller: &Controller, commune: &AreaId, plan: &mut Plan) {
        plan.airings.extend(self.airings.iter().map(|slot| Airing {
            key: slot.spot.key(&controller.id),
            at: slot.at,
            latest: slot.latest,
            ends: slot.ends,
            chime: slot.chime,
            gap_ms: slot.gap_ms,
            volume_percent: slot.volume_percent,
            items: Arc::clone(&slot.items),
        }));
        plan.remarks.extend(self.said.iter().map(|(spot, said)| Remark {
            key: Some(spot.key(&controller.id)),
            programme: spot.programme.clone(),
            area: Some(controller.area.clone()),
            bulletin: said.bulletin.clone(),
            language: said.language.clone(),
            reason: said.reason(commune),
        }));
    }
}
