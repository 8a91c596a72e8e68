//! Who can hear what: every bulletin beside every village, language by language.
//!
//! A village hears a bulletin in its first language, in another that it asked for, in its
//! fallback, or not at all. **What counts is what is approved at one instant**; programmes and
//! airtime play no part here.

use std::collections::BTreeMap;

use serde::Serialize;

use super::remark::Missing;
use super::{Airable, World};
use crate::fleet::{Area, Level, Wish};
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;
use crate::time::Timestamp;

mod listeners;
mod svg;
mod text;

pub use listeners::{Instead, Listeners};
pub use svg::svg;
pub use text::{by_bulletin, by_commune, by_village};

/// How far a bulletin is in one language that a village asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Cell {
    /// It can be heard.
    Ready,
    /// Another language that the village accepts in its stead can be heard.
    StandIn {
        /// Which.
        heard: LangTag,
    },
    /// It cannot be heard.
    Lacking {
        /// How far the version is.
        version: Missing,
    },
}

/// What a village hears of a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "hears", rename_all = "kebab-case")]
pub enum Hears {
    /// The first language that it asks for, or what it accepts for that.
    First,
    /// Another language that it asks for.
    Other,
    /// Its fallback.
    Fallback {
        /// Which.
        heard: LangTag,
    },
    /// Nothing.
    Nothing,
    /// Nobody says what it listens to.
    NoProfile,
}

/// One bulletin in one village.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry<'w> {
    /// The bulletin.
    pub bulletin: &'w BulletinId,
    /// The village.
    pub village: &'w AreaId,
    /// What it hears.
    #[serde(flatten)]
    pub hears: Hears,
    /// By language that it asks for, in its order.
    pub languages: Vec<(&'w LangTag, Cell)>,
}

/// Every bulletin in every village, by bulletin, then by village.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage<'w> {
    /// The entries.
    pub entries: Vec<Entry<'w>>,
}

/// How many villages hear a bulletin how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// In their first language.
    pub first: u32,
    /// In another of theirs.
    pub other: u32,
    /// In their fallback.
    pub fallback: u32,
    /// Not at all.
    pub nothing: u32,
}

impl Sums {
    /// Adds one village.
    pub fn add(&mut self, hears: &Hears) {
        match hears {
            Hears::First => self.first += 1,
            Hears::Other => self.other += 1,
            Hears::Fallback { .. } => self.fallback += 1,
            Hears::Nothing | Hears::NoProfile => self.nothing += 1,
        }
    }

    /// All villages.
    pub fn villages(&self) -> u32 {
        self.first + self.other + self.fallback + self.nothing
    }
}

/// How a bulletin is in one language, over all villages that ask for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Villages in which it can be heard.
    pub ready: u32,
    /// Villages that hear what they accept in its stead.
    pub stand_in: u32,
    /// Villages that hear neither.
    pub lacking: u32,
    /// How far the version is, where villages lack it.
    pub version: Option<Missing>,
}

impl Tally {
    fn add(&mut self, cell: &Cell) {
        match cell {
            Cell::Ready => self.ready += 1,
            Cell::StandIn { .. } => self.stand_in += 1,
            Cell::Lacking { version } => {
                self.lacking += 1;
                self.version = Some(*version);
            }
        }
    }
}

/// What can be heard at `at` in the villages of `area` (everywhere where none is named), of
/// `bulletin` (of every one that is valid then where none is named).
pub fn coverage<'w>(
    world: &'w World,
    at: Timestamp,
    area: Option<&AreaId>,
    bulletin: Option<&BulletinId>,
) -> Coverage<'w> {
    let mut content: Vec<&Airable> = world
        .content
        .iter()
        .filter(|airable| match bulletin {
            Some(only) => airable.bulletin == *only,
            None => airable.valid_from <= at && at < airable.valid_until,
        })
        .collect();
    content.sort_by(|a, b| a.bulletin.cmp(&b.bulletin));
    coverage_of(world, &content, at, area)
}

/// What can be heard at `at` of these bulletins in the villages of `area`.
pub fn coverage_of<'w>(
    world: &'w World,
    content: &[&'w Airable],
    at: Timestamp,
    area: Option<&AreaId>,
) -> Coverage<'w> {
    let villages = villages(world, area);
    let entry = |airable: &'w Airable, village: &'w Area| {
        let profile = world.tree.profile(&village.id);
        let languages = profile.map_or(&[][..], |area| &area.listens);
        let languages: Vec<_> =
            languages.iter().map(|wish| (&wish.language, cell(airable, wish, at))).collect();
        let fallback = profile.and_then(|area| area.fallback.as_ref());
        let hears = match profile {
            None => Hears::NoProfile,
            Some(_) => hears(&languages, fallback.filter(|f| airable.heard(f, at).is_some())),
        };
        Entry { bulletin: &airable.bulletin, village: &village.id, hears, languages }
    };
    let entries = content
        .iter()
        .flat_map(|airable| villages.iter().map(move |village| entry(airable, village)));
    Coverage { entries: entries.collect() }
}

/// The villages in or below `area`.
fn villages<'w>(world: &'w World, area: Option<&AreaId>) -> Vec<&'w Area> {
    let is_village = |area: &&'w Area| area.level == Level::Village;
    match area {
        None => world.tree.iter().filter(is_village).collect(),
        Some(area) => {
            let mut below = world.tree.below(area);
            below.sort();
            let areas = below.iter().filter_map(|area| world.tree.get(area));
            areas.filter(is_village).collect()
        }
    }
}

fn cell(airable: &Airable, wish: &Wish, at: Timestamp) -> Cell {
    if airable.heard(&wish.language, at).is_some() {
        return Cell::Ready;
    }
    let stand_in = wish.stand_ins.iter().find(|language| airable.heard(language, at).is_some());
    match stand_in {
        Some(heard) => Cell::StandIn { heard: heard.clone() },
        None => Cell::Lacking { version: airable.missing(&wish.language, at) },
    }
}

fn hears(languages: &[(&LangTag, Cell)], fallback: Option<&LangTag>) -> Hears {
    let heard = languages.iter().position(|(_, cell)| !matches!(cell, Cell::Lacking { .. }));
    match (heard, fallback) {
        (Some(0), _) => Hears::First,
        (Some(_), _) => Hears::Other,
        (None, Some(heard)) => Hears::Fallback { heard: heard.clone() },
        (None, None) => Hears::Nothing,
    }
}

impl<'w> Coverage<'w> {
    /// How every bulletin is in every language that is asked for.
    pub fn tallies(&self) -> BTreeMap<(&'w BulletinId, &'w LangTag), Tally> {
        self.tallied(|entry| Some(entry.bulletin))
    }

    /// The same of anything else to which an entry belongs; what belongs to nothing is left out.
    pub fn tallied<K: Ord + Copy>(
        &self,
        of: impl Fn(&Entry<'w>) -> Option<K>,
    ) -> BTreeMap<(K, &'w LangTag), Tally> {
        let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
        for entry in &self.entries {
            let Some(key) = of(entry) else { continue };
            for (language, cell) in &entry.languages {
                tallies.entry((key, *language)).or_default().add(cell);
            }
        }
        tallies
    }

    /// The sums of each bulletin.
    pub fn sums(&self) -> BTreeMap<&'w BulletinId, Sums> {
        let mut sums: BTreeMap<_, Sums> = BTreeMap::new();
        for entry in &self.entries {
            sums.entry(entry.bulletin).or_default().add(&entry.hears);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SUNDAY, Town, date};
    use super::*;

    fn hears_of(wishes: &str, voices: &str) -> Hears {
        let town = Town::new().village("ban", wishes).bulletin("tin", voices, 2);
        let at = town.world.zone.midnight(date(SUNDAY));
        coverage(&town.world, at, None, None).entries[0].hears.clone()
    }

    #[test]
    fn a_village_hears_its_first_language_another_its_fallback_or_nothing() {
        assert_eq!(hears_of("hni vi", "hni vi"), Hears::First);
        assert_eq!(hears_of("mww/hnj vi", "hnj vi"), Hears::First);
        assert_eq!(hears_of("hni vi", "vi"), Hears::Other);
        let heard = "vi".parse().unwrap();
        assert_eq!(hears_of("hni vi?", "vi"), Hears::Fallback { heard });
        assert_eq!(hears_of("hni", "vi"), Hears::Nothing);
        assert_eq!(hears_of("", "vi"), Hears::NoProfile);
    }

    #[test]
    fn a_language_is_ready_stood_in_for_or_as_far_as_its_version() {
        let town = Town::new().village("ban", "mww/hnj hni blt vi").bulletin("tin", "hnj vi", 2);
        let town = town.content(|airable| {
            airable.pending.insert("hni".parse().unwrap(), super::super::Pending::InReview);
        });
        let at = town.world.zone.midnight(date(SUNDAY));
        let found = coverage(&town.world, at, None, None);
        let cells: Vec<&Cell> = found.entries[0].languages.iter().map(|(_, cell)| cell).collect();
        assert_eq!(*cells[0], Cell::StandIn { heard: "hnj".parse().unwrap() });
        assert_eq!(*cells[1], Cell::Lacking { version: Missing::InReview });
        assert_eq!(*cells[2], Cell::Lacking { version: Missing::NotMade });
        assert_eq!(*cells[3], Cell::Ready);
    }

    #[test]
    fn a_bulletin_that_is_over_is_left_out_unless_it_is_named() {
        let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
        let at = town.world.zone.midnight(date("2027-06-01"));
        assert!(coverage(&town.world, at, None, None).entries.is_empty());
        let tin = "tin".parse().unwrap();
        assert_eq!(coverage(&town.world, at, None, Some(&tin)).entries.len(), 1);
    }

    #[test]
    fn what_is_covered_is_what_is_heard() {
        for (wishes, voices) in
            [("hni vi", "hni vi"), ("mww/hnj vi", "hnj"), ("hni vi?", "vi"), ("hni", "vi")]
        {
            let town = Town::new().village("ban", wishes).bulletin("tin", voices, 2);
            let town = town.programme("sang", "05:30", "tin");
            let is_heard = !town.plan(SUNDAY, 1).airings.is_empty();
            assert_eq!(hears_of(wishes, voices) != Hears::Nothing, is_heard, "{wishes}");
        }
    }
}
