//! Exceptions: days on which the programmes are not as on other days.
//!
//! A holiday, a mourning, a storm. An exception skips, moves or replaces what comes on its days.
//! **What is moved stays the same airing: only its time is another, on the same day.** Where
//! several exceptions meet one airing, one holds: the one that begins last, of those the one that
//! ends first, of those the one whose id comes first; the others are remarked.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::candidate::Candidate;
use super::compose::Desk;
use super::remark::{Reason, WallClock};
use super::serve::Said;
use super::{Programme, Selection};
use crate::bulletin::Column;
use crate::id::{AreaId, ExceptionId, ProgrammeId, Tag};
use crate::time::{LocalDate, TimeOfDay, Zone};

/// Days of one exception at most: a year and a day.
pub const EXCEPTION_DAYS_MAX: i64 = 366;

/// A change that some days make to the programmes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exception {
    /// Its name for machines.
    pub id: ExceptionId,
    /// Its name for people, such as "Tết Nguyên đán".
    pub name: String,
    /// The first local date.
    pub from: LocalDate,
    /// The last local date.
    pub until: LocalDate,
    /// The areas, with everything below them; everywhere where none is named.
    pub areas: Vec<AreaId>,
    /// What it changes.
    pub scope: Scope,
    /// What it does.
    pub change: Change,
}

/// The programmes that an exception changes; every one where nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// These.
    pub programmes: Vec<ProgrammeId>,
    /// Those that air the newest of one of these columns, or name a bulletin of one.
    pub columns: Vec<Column>,
    /// Those that carry one of these tags.
    pub tags: Vec<Tag>,
}

/// What an exception does with an airing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// It does not come.
    Skip,
    /// It comes at another time of the same day: the first of the day at the first time, and so
    /// on. What has no time in the list stays where it is.
    Move(Vec<TimeOfDay>),
    /// It consists of this.
    Replace(Selection),
    /// It consists of what another programme airs.
    ReplaceBy(ProgrammeId),
}

impl Exception {
    /// Whether it is in force on `date`.
    pub fn covers(&self, date: LocalDate) -> bool {
        self.from <= date && date <= self.until
    }

    fn is_for(&self, programme: &Programme, columns: &BTreeSet<&Column>) -> bool {
        let Scope { programmes, columns: named, tags } = &self.scope;
        let any = programmes.is_empty() && named.is_empty() && tags.is_empty();
        any || programmes.contains(&programme.id)
            || named.iter().any(|column| columns.contains(column))
            || tags.iter().any(|tag| programme.tags.contains(tag))
    }
}

/// One exception with what it is about, resolved.
pub(super) struct Rule<'w> {
    exception: &'w Exception,
    /// Places in the list of programmes, rising.
    programmes: Vec<usize>,
    /// What airs instead, if that is what it says.
    instead: Option<&'w Selection>,
}

/// The exceptions that meet some days, the one that holds first.
pub(super) struct Layer<'w>(Vec<Rule<'w>>);

/// A selection of nothing: what a programme airs that is not there.
static NOTHING: Selection = Selection::Bulletins(Vec::new());

impl<'w> Layer<'w> {
    pub(super) fn of(
        exceptions: &'w [Exception],
        programmes: &[&'w Programme],
        desk: &Desk<'w>,
        (from, until): (LocalDate, LocalDate),
    ) -> Self {
        let meets = |exception: &&Exception| exception.from < until && from <= exception.until;
        let mut met: Vec<&Exception> = exceptions.iter().filter(meets).collect();
        met.sort_by_key(|e| (Reverse(e.from), e.until, &e.id));
        let columns: Vec<BTreeSet<&Column>> =
            programmes.iter().map(|programme| desk.columns(&programme.selection)).collect();
        let rule = |exception: &'w Exception| Rule {
            exception,
            programmes: (0..programmes.len())
                .filter(|&i| exception.is_for(programmes[i], &columns[i]))
                .collect(),
            instead: instead(exception, programmes),
        };
        Self(met.into_iter().map(rule).collect())
    }

    /// Places of the exceptions that hold where the `chain` of areas leads.
    pub(super) fn reaching(&self, chain: &[&AreaId]) -> Vec<usize> {
        let here = |rule: &Rule<'_>| {
            let areas = &rule.exception.areas;
            areas.is_empty() || areas.iter().any(|area| chain.contains(&area))
        };
        (0..self.0.len()).filter(|&place| here(&self.0[place])).collect()
    }

    /// Every exception with the places of the programmes that it changes.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&'w Exception, &[usize])> {
        self.0.iter().map(|rule| (rule.exception, rule.programmes.as_slice()))
    }

    /// The places of those that change one of `programmes`.
    pub(super) fn touching(&self, places: &[usize], programmes: &[usize]) -> Vec<usize> {
        let touches = |place: &&usize| {
            let rule = &self.0[**place];
            programmes.iter().any(|number| rule.programmes.binary_search(number).is_ok())
        };
        places.iter().filter(touches).copied().collect()
    }

    /// Of the exceptions in `places` those that meet `candidate`, the one that holds first.
    pub(super) fn meeting<'a>(
        &'a self,
        places: &'a [usize],
        candidate: &'a Candidate<'w>,
    ) -> impl Iterator<Item = &'a Rule<'w>> {
        places.iter().map(|&place| &self.0[place]).filter(|rule| {
            rule.exception.covers(candidate.date)
                && rule.programmes.binary_search(&candidate.number).is_ok()
        })
    }

    /// The candidate as the exceptions leave it, its time and content changed.
    pub(super) fn bend(
        &self,
        zone: Zone,
        places: &[usize],
        candidate: &Candidate<'w>,
    ) -> Candidate<'w> {
        let mut bent = *candidate;
        let Some(rule) = self.meeting(places, candidate).next() else { return bent };
        if let Change::Move(times) = &rule.exception.change {
            let time = times.get(usize::from(candidate.occurrence));
            let moved = time.and_then(|time| zone.instant(time.on(candidate.date)));
            bent.at = moved.unwrap_or(candidate.at);
        }
        bent.selection = rule.instead.unwrap_or(candidate.selection);
        bent
    }

    /// What there is to say about a candidate that was bent; `Err` where it does not come.
    pub(super) fn account(
        &self,
        zone: Zone,
        places: &[usize],
        candidate: &Candidate<'w>,
        said: &mut Vec<Said>,
    ) -> Result<(), Reason> {
        let mut rules = self.meeting(places, candidate).map(|rule| rule.exception);
        let Some(holds) = rules.next() else { return Ok(()) };
        let (exception, name) = (holds.id.clone(), holds.name.clone());
        said.extend(rules.map(|other| {
            let (exception, name) = (other.id.clone(), other.name.clone());
            Said::airing(Reason::ExceptionYields { exception, name, to: holds.name.clone() })
        }));
        match &holds.change {
            Change::Skip => return Err(Reason::Skipped { exception, name }),
            Change::Move(_) if candidate.at == candidate.usual => {}
            Change::Move(_) => {
                let from = WallClock::of(zone, candidate.usual);
                said.push(Said::airing(Reason::Moved { exception, name, from }));
            }
            Change::Replace(_) | Change::ReplaceBy(_) => {
                said.push(Said::airing(Reason::Replaced { exception, name }));
            }
        }
        Ok(())
    }
}

fn instead<'w>(exception: &'w Exception, programmes: &[&'w Programme]) -> Option<&'w Selection> {
    match &exception.change {
        Change::Skip | Change::Move(_) => None,
        Change::Replace(selection) => Some(selection),
        Change::ReplaceBy(id) => {
            let found = programmes.iter().find(|programme| programme.id == *id);
            Some(found.map_or(&NOTHING, |programme| &programme.selection))
        }
    }
}
