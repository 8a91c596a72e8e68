//! Programmes: the recurring slots that a plan fills.

use crate::bulletin::Column;
use crate::calendar::recurrence::Recurrence;
use crate::id::{AreaId, BulletinId, ProgrammeId, Tag};
use crate::lang::LangTag;

/// A recurring slot with an audience, a language mode and a rule for what goes in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Programme {
    /// Its name for machines.
    pub id: ProgrammeId,
    /// Its name for people.
    pub title: String,
    /// Labels by which exceptions mean it.
    pub tags: Vec<Tag>,
    /// When it comes.
    pub recurrence: Recurrence,
    /// The areas that hear it, with everything below them.
    pub areas: Vec<AreaId>,
    /// The areas among them that do not, with everything below them.
    pub minus_areas: Vec<AreaId>,
    /// Of these areas only those with one of these tags, where any is named.
    pub only_tags: Vec<Tag>,
    /// Of these areas only those that ask for one of these languages, where any is named.
    pub only_listening: Vec<LangTag>,
    /// Which of a village's languages.
    pub languages: Languages,
    /// What is grouped.
    pub order: Order,
    /// What goes in.
    pub selection: Selection,
    /// Silence between two items, in milliseconds.
    pub gap_ms: u32,
    /// The bulletin by which the station names itself before the first item, in the first of the
    /// village's languages that it has.
    pub identification: Option<BulletinId>,
    /// Seconds of an airing at most; chimes, identification and gaps included.
    pub length_max_s: Option<u32>,
    /// Which item is left out first where they do not all fit.
    pub gives_way: GivesWay,
    /// Whether a chime opens and closes it.
    pub chime: bool,
}

/// Which of the languages that a village asks for are played.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Languages {
    /// Every one.
    Every,
    /// The first that can be served.
    First,
    /// Those that are listed too, in the village's order; also a fallback must be listed.
    Only(Vec<LangTag>),
}

impl Languages {
    /// Whether the mode lets `language` through.
    pub fn include(&self, language: &LangTag) -> bool {
        match self {
            Self::Every | Self::First => true,
            Self::Only(listed) => listed.contains(language),
        }
    }
}

/// What stands together in an airing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// All bulletins in the first language, then all in the second: a Mông half-hour.
    Language,
    /// Each bulletin in all its languages, then the next bulletin.
    Bulletin,
}

/// What goes into an airing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selection {
    /// These, in this order.
    Bulletins(Vec<BulletinId>),
    /// The newest of a column that did not air at the controller yet.
    Newest(Column),
}

/// Which item of an airing that is too long is left out first; of equals the later one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum GivesWay {
    /// The one at the end.
    #[default]
    Last,
    /// The longest: most of the others are kept.
    Longest,
    /// The one of the lowest class: what is normal before what has priority.
    LowestClass,
    /// The one whose bulletin was approved first.
    Oldest,
}

/// The programmes in the order in which they are planned.
pub(super) fn by_id(programmes: &[Programme]) -> Vec<&Programme> {
    let mut sorted: Vec<&Programme> = programmes.iter().collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    sorted
}
