//! The figures of a period: planned, delivered, played, heard, by whatever somebody asks for.
//!
//! Airings come in one at a time, in any order, and none is kept: **the memory grows with what was
//! broadcast where (recordings × communes), never with the number of airings.** What can be summed
//! later is: areas come from controllers, weeks and months from days, columns, topics and
//! campaigns from recordings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::bulletin::Bulletin;
use crate::fleet::AreaTree;
use crate::id::{AreaId, BulletinId, ControllerId, ProgrammeId};
use crate::lang::LangTag;
use crate::report::tally::{Tally, Told};
use crate::time::LocalDate;

mod bits;
mod grouping;

use bits::Bits;
pub use grouping::{Dimension, NotADimension};

/// One recording of a running order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What [`Figures::version`] gave for it.
    pub version: u32,
    /// How long it lasts.
    pub length_ms: u32,
}

/// One airing to be counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// What [`Figures::controller`] gave.
    pub controller: u32,
    /// What [`Figures::programme`] gave.
    pub programme: u32,
    /// Its local date.
    pub date: LocalDate,
    /// Its running order.
    pub order: &'a [Slot],
    /// What became of it.
    pub told: Told,
    /// What became of each item, where not all had the airing's own fate.
    pub each: Option<&'a [Told]>,
}

/// A village, a programme or a recording with its counts.
#[derive(Clone, Debug, Default)]
struct Place {
    village: Option<u32>,
    commune: u32,
    tally: Tally,
}

/// A recording's counts in each commune, and where it was heard whole.
#[derive(Clone, Debug, Default)]
struct Spread {
    communes: Vec<Tally>,
    reached: Bits,
}

impl Spread {
    fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.communes.iter().for_each(|tally| total += *tally);
        total
    }
}

/// The figures of a period.
#[derive(Debug)]
pub struct Figures {
    tree: AreaTree,
    bulletins: BTreeMap<BulletinId, Bulletin>,
    first: LocalDate,
    days: Vec<Tally>,
    controllers: Names<ControllerId>,
    places: Vec<Place>,
    villages: Names<AreaId>,
    /// The number of each village's commune.
    commune_of: Vec<u32>,
    communes: Names<AreaId>,
    programmes: Names<ProgrammeId>,
    programme_tallies: Vec<(Tally, Bits)>,
    versions: Names<(BulletinId, LangTag)>,
    spreads: Vec<Spread>,
    total: Tally,
}

/// A group of airings, or of items, with its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name for machines.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Its counts: of airings by time, place or programme; of items by what was said.
    pub tally: Tally,
    /// Villages in which something of it was played to its end.
    pub villages: Option<u32>,
}

/// Column, language, commune.
pub type CrossKey = (String, LangTag, AreaId);

/// What one column had in one language in one commune.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cross {
    /// Its different bulletins.
    pub items: u32,
    /// Its counts of items.
    pub tally: Tally,
    /// Villages in which something of it was played to its end.
    pub villages: u32,
}

impl Figures {
    /// Figures of airings from `first` on, in the areas of `tree`.
    pub fn new(tree: AreaTree, bulletins: Vec<Bulletin>, first: LocalDate) -> Self {
        let bulletins = bulletins.into_iter().map(|b| (b.id.clone(), b)).collect();
        Self {
            tree,
            bulletins,
            first,
            days: Vec::new(),
            controllers: Names::default(),
            places: Vec::new(),
            villages: Names::default(),
            commune_of: Vec::new(),
            communes: Names::default(),
            programmes: Names::default(),
            programme_tallies: Vec::new(),
            versions: Names::default(),
            spreads: Vec::new(),
            total: Tally::default(),
        }
    }

    /// The number of a controller that stands in `area`; nowhere where nobody knows any longer.
    pub fn controller(&mut self, id: &ControllerId, area: Option<&AreaId>) -> u32 {
        if let Some(n) = self.controllers.get(id) {
            return n;
        }
        let commune = area.map(|area| self.tree.commune(area).clone());
        let commune = self.communes.number(&commune.unwrap_or_else(nowhere));
        let village = area.map(|area| self.villages.number(area));
        if self.commune_of.len() < self.villages.len() {
            self.commune_of.push(commune);
        }
        self.places.push(Place { village, commune, tally: Tally::default() });
        self.controllers.number(id)
    }

    /// The number of a programme.
    pub fn programme(&mut self, id: &ProgrammeId) -> u32 {
        let n = self.programmes.number(id);
        self.programme_tallies.resize(self.programmes.len(), (Tally::default(), Bits::default()));
        n
    }

    /// The number of a bulletin in a language.
    pub fn version(&mut self, bulletin: &BulletinId, language: &LangTag) -> u32 {
        let n = self.versions.number(&(bulletin.clone(), language.clone()));
        self.spreads.resize_with(self.versions.len(), Spread::default);
        n
    }

    /// Counts one airing.
    pub fn count(&mut self, airing: Counted<'_>) {
        let length_ms = airing.order.iter().map(|slot| u64::from(slot.length_ms)).sum();
        let told = airing.told;
        let played = told.fate == crate::report::Fate::Completed;
        self.total.count(told, length_ms);
        let day = (airing.date.naive() - self.first.naive()).num_days();
        if let Ok(day) = usize::try_from(day) {
            if self.days.len() <= day {
                self.days.resize(day + 1, Tally::default());
            }
            self.days[day].count(told, length_ms);
        }
        let place = &mut self.places[airing.controller as usize];
        place.tally.count(told, length_ms);
        let programme = &mut self.programme_tallies[airing.programme as usize];
        programme.0.count(told, length_ms);
        if let (true, Some(village)) = (played, place.village) {
            programme.1.set(village);
        }
        let (village, commune) = (place.village, place.commune as usize);
        for (n, slot) in airing.order.iter().enumerate() {
            let told = airing.each.and_then(|each| each.get(n)).copied().unwrap_or(told);
            let spread = &mut self.spreads[slot.version as usize];
            if spread.communes.len() <= commune {
                spread.communes.resize(commune + 1, Tally::default());
            }
            spread.communes[commune].count(told, slot.length_ms.into());
            if let (crate::report::Fate::Completed, Some(village)) = (told.fate, village) {
                spread.reached.set(village);
            }
        }
    }

    /// All airings.
    pub fn total(&self) -> Tally {
        self.total
    }

    /// Villages in which something was played to its end, and villages for which something was
    /// planned.
    pub fn villages(&self) -> (u32, u32) {
        let of = |wanted: fn(&Tally) -> bool| {
            let places = self.places.iter().filter(|place| wanted(&place.tally));
            let villages: BTreeSet<u32> = places.filter_map(|place| place.village).collect();
            u32::try_from(villages.len()).unwrap_or(u32::MAX)
        };
        (of(|tally| tally.played > 0), of(|tally| tally.planned > 0))
    }

    /// Column × language × commune; what was only planned stands there too.
    pub fn cross(&self) -> BTreeMap<CrossKey, Cross> {
        let mut found: BTreeMap<CrossKey, (Cross, BTreeSet<&BulletinId>, Bits)> = BTreeMap::new();
        for ((bulletin, language), spread) in self.versions.iter().zip(&self.spreads) {
            let column = self.column(bulletin);
            for (commune, tally) in self.communes.iter().zip(&spread.communes) {
                if tally.planned == 0 {
                    continue;
                }
                let key = (column.clone(), language.clone(), commune.clone());
                let (cross, items, reached) = found.entry(key).or_default();
                cross.tally += *tally;
                items.insert(bulletin);
                reached.join(&spread.reached);
            }
        }
        let lying_in = |commune: &AreaId, reached: &Bits| {
            let commune = self.communes.get(commune);
            let inside = |n: &usize| Some(self.commune_of[*n]) == commune;
            (0..self.villages.len()).filter(inside).filter(|n| reached.has(*n)).count()
        };
        let finish = |((column, language, commune), (cross, items, reached))| {
            let villages = u32::try_from(lying_in(&commune, &reached)).unwrap_or(u32::MAX);
            let items = u32::try_from(BTreeSet::len(&items)).unwrap_or(u32::MAX);
            ((column, language, commune), Cross { items, villages, ..cross })
        };
        found.into_iter().map(finish).collect()
    }

    /// Every bulletin with each language in which it was planned.
    pub fn planned_versions(&self) -> impl Iterator<Item = &(BulletinId, LangTag)> {
        let versions = self.versions.iter().zip(&self.spreads);
        versions.filter(|(_, spread)| spread.total().planned > 0).map(|(version, _)| version)
    }

    /// Bulletins in a language of which anything was played to its end.
    pub fn versions_played(&self) -> u64 {
        self.spreads.iter().filter(|spread| spread.total().played > 0).count() as u64
    }

    fn column(&self, bulletin: &BulletinId) -> String {
        self.bulletins.get(bulletin).map_or_else(String::new, |b| b.column.as_str().to_owned())
    }
}

/// Where a controller stood that is in no file any longer.
fn nowhere() -> AreaId {
    "khong-ro".parse().expect("it is an id")
}

/// Things by their number, and numbers by thing.
#[derive(Debug)]
struct Names<T> {
    numbers: HashMap<T, u32>,
    things: Vec<T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), things: Vec::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    fn get(&self, thing: &T) -> Option<u32> {
        self.numbers.get(thing).copied()
    }

    fn number(&mut self, thing: &T) -> u32 {
        if let Some(n) = self.get(thing) {
            return n;
        }
        let n = u32::try_from(self.things.len()).expect("far fewer than four thousand million");
        self.numbers.insert(thing.clone(), n);
        self.things.push(thing.clone());
        n
    }

    fn len(&self) -> usize {
        self.things.len()
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.iter()
    }
}

#[cfg(test)]
mod tests;
