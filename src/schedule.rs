//! The plan: what airs when, where and in which language, and why anything does not.
//!
//! [`plan`] is a function of the [`World`] and of a run of whole local days; the order in which
//! the world lists things changes nothing, and planning two runs of days one after the other,
//! with the history of the first, is planning them together.
//!
//! - **No two airings are at one controller at once.**
//! - **Nothing is planned outside the airtime policy, nor where there is none.**
//! - **No village hears a language that it did not ask for while one that it asked for exists.**
//! - **Nothing is left out in silence: every candidate ends as an airing or as a remark.**

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bulletin::{Class, Column, SourceLevel};
use crate::calendar::{AiringKey, Airtime};
use crate::digest::Digest;
use crate::fleet::{AreaTree, Controller};
use crate::id::{AreaId, BulletinId, ControllerId};
use crate::lang::LangTag;
use crate::time::{LocalDate, Timestamp, Zone};

mod audience;
mod candidate;
mod claim;
mod compose;
pub mod coverage;
mod day;
mod decision;
pub mod diff;
pub mod edit;
mod exception;
pub mod excerpt;
pub mod explain;
pub mod file;
mod fingerprint;
mod history;
pub mod ical;
mod places;
mod planner;
mod programme;
mod remark;
pub mod roster;
mod sequence;
mod serve;
mod settled;
pub mod summary;
pub mod timeline;

pub use decision::{Contender, DECISION_LEAD, Decision, DecisionId, NotADecision, OpenDecision};
pub use exception::{Change, EXCEPTION_DAYS_MAX, Exception, Scope};
pub use history::{History, Running};
pub use places::Places;
pub use planner::{Figures, Planner};
pub use programme::{GivesWay, Languages, Order, Programme, Selection};
pub use remark::{Missing, Reason, Remark, WallClock};

/// Days of one plan at most: a year and its month.
pub const DAYS_MAX: u16 = 400;

/// Length of each of the two chimes, in milliseconds.
pub const CHIME_MS: u32 = 2_300;

/// Items of one airing at most: its manifest and its receipt have no room for more.
pub const ITEMS_MAX: usize = 100;

/// An airing that could not begin at its time may begin this much later, in milliseconds.
pub const LATE_MS_MAX: u64 = 5 * 60_000;

/// Everything that a plan follows from. Ids are unique among their kind.
#[derive(Debug, Clone)]
pub struct World {
    /// Whose wall clock the programmes mean.
    pub zone: Zone,
    /// The areas.
    pub tree: AreaTree,
    /// The controllers to plan for.
    pub controllers: Vec<Controller>,
    /// Airtime by area; the nearest above a controller holds, whole.
    pub policies: BTreeMap<AreaId, Airtime>,
    /// The programmes.
    pub programmes: Vec<Programme>,
    /// The days on which they are not as on other days.
    pub exceptions: Vec<Exception>,
    /// What communes decided about priority bulletins.
    pub decisions: Vec<Decision>,
    /// The bulletins.
    pub content: Vec<Airable>,
    /// What aired before the first day.
    pub history: History,
}

/// A bulletin as far as the plan cares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Airable {
    /// Its name.
    pub bulletin: BulletinId,
    /// Its column.
    pub column: Column,
    /// How urgent it is.
    pub class: Class,
    /// Who it comes from.
    pub source_level: SourceLevel,
    /// Before this nobody hears it.
    pub valid_from: Timestamp,
    /// From this on nobody hears it.
    pub valid_until: Timestamp,
    /// The approved versions.
    pub voices: BTreeMap<LangTag, Sound>,
    /// The versions that cannot be heard, and how far they are.
    pub pending: BTreeMap<LangTag, Pending>,
}

/// An approved version's recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sound {
    /// The encoded recording.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// Since when it may be heard.
    pub approved_at: Timestamp,
}

/// How far a version is that cannot be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pending {
    /// Recorded.
    Draft,
    /// Listened back to.
    InReview,
    /// Was approved once.
    Withdrawn,
}

/// One programme at one controller at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Airing {
    /// What makes it this airing and no other.
    pub key: AiringKey,
    /// When it begins.
    pub at: Timestamp,
    /// The last instant at which it may begin: nothing in it outlasts its validity then, and all
    /// of it still lies inside the airtime policy.
    pub latest: Timestamp,
    /// When it ends, if it begins in time.
    pub ends: Timestamp,
    /// Whether a chime opens and closes it.
    pub chime: bool,
    /// Silence between two items, in milliseconds.
    pub gap_ms: u32,
    /// How loud, in percent, where the area says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_percent: Option<u8>,
    /// What is heard, in order; shared between controllers that hear the same.
    pub items: Arc<[Item]>,
}

/// One bulletin in one language, inside an airing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The language that is heard.
    pub language: LangTag,
    /// The language that the village asked for; another one where this is a stand-in or fallback.
    pub wished: LangTag,
    /// The recording.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// How urgent it is.
    pub class: Class,
}

/// What airs, and what there is to say about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// By controller, then by time.
    pub airings: Vec<Airing>,
    /// First those about no controller, then by controller and time.
    pub remarks: Vec<Remark>,
}

impl Plan {
    /// The airings of one controller, by time.
    pub fn of(&self, controller: &ControllerId) -> &[Airing] {
        let start = self.airings.partition_point(|airing| airing.key.controller < *controller);
        let rest = &self.airings[start..];
        &rest[..rest.partition_point(|airing| airing.key.controller == *controller)]
    }
}

/// Plans `days` whole local days from `from` on.
///
/// # Panics
/// Where `days` is more than [`DAYS_MAX`].
pub fn plan(world: &World, from: LocalDate, days: u16) -> Plan {
    let mut planner = Planner::default();
    planner.update(world, from, days);
    planner.plan()
}

#[cfg(test)]
mod tests;
