//! Which entries of the log are meant.

use std::collections::BTreeSet;

use crate::audit::{Entry, Kind};
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, ControllerId, PersonId};
use crate::log::{LogError, LogReader};
use crate::server::{Inquiry, ServerError, Station};
use crate::time::{LocalDate, Zone};

/// Which entries are meant: all, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// Only entries of this kind, such as `receipts.taken`; `version.` for all that begin so.
    pub kind: Option<Kind>,
    /// From this day on.
    pub from: Option<LocalDate>,
    /// To this day.
    pub to: Option<LocalDate>,
    /// About this area or anything below it: its controllers, their receipts.
    pub area: Option<AreaId>,
    /// About this bulletin: its steps, and the receipts that name it.
    pub bulletin: Option<BulletinId>,
    /// By or about this controller.
    pub controller: Option<ControllerId>,
    /// By this person.
    pub person: Option<PersonId>,
    /// These numbers: first and last of each range.
    pub entries: Option<Vec<(u64, u64)>>,
}

/// The same, with what the station knows of areas.
#[derive(Debug)]
pub struct Wanted {
    pick: Pick,
    zone: Zone,
    /// The controllers and areas that are meant, where an area was named.
    there: Option<BTreeSet<String>>,
}

impl Pick {
    /// Whether nothing was said.
    pub fn is_everything(&self) -> bool {
        let Self { kind, from, to, area, bulletin, controller, person, entries } = self;
        kind.is_none()
            && (from.is_none() && to.is_none() && area.is_none() && bulletin.is_none())
            && (controller.is_none() && person.is_none() && entries.is_none())
    }

    /// The same, with what the station knows of areas.
    pub async fn wanted(&self, station: &Station) -> Result<Wanted, ServerError> {
        let there = match &self.area {
            None => None,
            Some(area) => {
                let today = station.config.zone.date(utc_now());
                let area = Some(area.clone());
                let inquiry = Inquiry { from: today, until: today, area, bulletin: None };
                Some(station.within(&inquiry).await?)
            }
        };
        Ok(Wanted { pick: self.clone(), zone: station.config.zone, there })
    }
}

/// Entries that are looked at for one answer at most.
const LOOKED_MAX: u64 = 50_000;

/// Some of the entries that are meant.
#[derive(Debug, Default)]
pub struct Picked {
    /// Entries with their numbers, in order.
    pub entries: Vec<(u64, Entry)>,
    /// How many entries the log has.
    pub size: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<u64>,
}

impl Wanted {
    /// The entries that are meant from `first` on, `many` of them at most.
    pub fn page(&self, log: &LogReader, first: u64, many: usize) -> Result<Picked, LogError> {
        let size = log.size();
        let first = first.min(size);
        let end = size.min(first.saturating_add(LOOKED_MAX));
        let (mut entries, mut next) = (Vec::new(), end);
        // In pieces, so that a full page does not read to the end.
        for at in (first..end).step_by(256) {
            let piece = at..end.min(at + 256);
            for (index, entry) in piece.clone().zip(log.read(piece)?) {
                if entries.len() == many {
                    next = next.min(index);
                } else if self.holds(index, &entry) {
                    entries.push((index, entry));
                }
            }
            if entries.len() == many && next < end {
                break;
            }
        }
        Ok(Picked { entries, size, next: (next < size).then_some(next) })
    }

    /// Whether an entry is meant.
    pub fn holds(&self, index: u64, entry: &Entry) -> bool {
        let Pick { kind, from, to, area: _, bulletin, controller, person, entries } = &self.pick;
        let day = self.zone.date(entry.at());
        let who = entry.who().map(ToString::to_string).unwrap_or_default();
        let of_kind = |kind: &Kind| {
            let said = entry.kind().as_str();
            said == kind.as_str() || kind.as_str().ends_with('.') && said.starts_with(kind.as_str())
        };
        let within = |numbers: &Vec<(u64, u64)>| {
            numbers.iter().any(|(first, last)| (*first..=*last).contains(&index))
        };
        kind.as_ref().is_none_or(of_kind)
            && from.is_none_or(|from| from <= day)
            && to.is_none_or(|to| day <= to)
            && entries.as_ref().is_none_or(within)
            && person.as_ref().is_none_or(|person| who == format!("person:{person}"))
            && bulletin.as_ref().is_none_or(|bulletin| names(entry, bulletin.as_str()))
            && controller.as_ref().is_none_or(|controller| names(entry, controller.as_str()))
            && self.there.as_ref().is_none_or(|there| there.iter().any(|one| names(entry, one)))
    }
}

/// Whether an entry names something: as a value of its body, or inside a note that it holds.
fn names(entry: &Entry, id: &str) -> bool {
    let body = entry.body().get();
    body.contains(&format!("\"{id}\"")) || body.contains(&format!("\\\"{id}\\\""))
}
