//! Which entries of the log are meant.

use std::collections::BTreeSet;

use clap::Args;

use crate::audit::entry::Entry;
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, ControllerId, PersonId};
use crate::server::{Inquiry, Station};
use crate::time::{LocalDate, Zone};

/// Which entries are meant: all, where nothing is said.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct Pick {
    /// Only entries of this kind, such as receipts.taken; version. for all that begin so.
    #[arg(long)]
    kind: Option<String>,
    /// From this day on.
    #[arg(long)]
    from: Option<LocalDate>,
    /// To this day.
    #[arg(long)]
    to: Option<LocalDate>,
    /// About this area or anything below it: its controllers, their receipts.
    #[arg(long)]
    area: Option<AreaId>,
    /// About this bulletin: its steps, and the receipts that name it.
    #[arg(long)]
    bulletin: Option<BulletinId>,
    /// By or about this controller.
    #[arg(long)]
    controller: Option<ControllerId>,
    /// By this person.
    #[arg(long)]
    person: Option<PersonId>,
    /// These numbers, such as 7,12,20-30.
    #[arg(long, value_parser = numbers)]
    entries: Option<Numbers>,
}

/// Numbers and ranges of numbers.
#[derive(Clone, Debug)]
struct Numbers(Vec<(u64, u64)>);

fn numbers(text: &str) -> Result<Numbers, String> {
    let refuse =
        || format!("`{text}` names no entries; write numbers and ranges, such as 7,12,20-30");
    let part = |part: &str| -> Option<(u64, u64)> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first <= last).then_some((first, last))
    };
    text.split(',').map(part).collect::<Option<Vec<_>>>().map(Numbers).ok_or_else(refuse)
}

/// The same, with what the station knows of areas.
pub(super) struct Wanted<'p> {
    pick: &'p Pick,
    zone: Zone,
    /// The controllers and areas that are meant, where an area was named.
    there: Option<BTreeSet<String>>,
}

impl Pick {
    /// Whether nothing was said.
    pub(super) fn is_everything(&self) -> bool {
        let Self { kind, from, to, area, bulletin, controller, person, entries } = self;
        kind.is_none()
            && (from.is_none() && to.is_none() && area.is_none() && bulletin.is_none())
            && (controller.is_none() && person.is_none() && entries.is_none())
    }

    pub(super) async fn wanted(&self, station: &Station) -> anyhow::Result<Wanted<'_>> {
        let there = match &self.area {
            None => None,
            Some(area) => {
                let today = station.config.zone.date(utc_now());
                let area = Some(area.clone());
                let inquiry = Inquiry { from: today, until: today, area, bulletin: None };
                Some(station.within(&inquiry).await?)
            }
        };
        Ok(Wanted { pick: self, zone: station.config.zone, there })
    }
}

impl Wanted<'_> {
    /// Whether an entry is meant.
    pub(super) fn holds(&self, index: u64, entry: &Entry) -> bool {
        let Pick { kind, from, to, area: _, bulletin, controller, person, entries } = self.pick;
        let day = self.zone.date(entry.at());
        let who = entry.who().map(ToString::to_string).unwrap_or_default();
        let of_kind = |kind: &String| {
            let said = entry.kind().as_str();
            said == kind || kind.ends_with('.') && said.starts_with(kind.as_str())
        };
        let within = |numbers: &Numbers| {
            numbers.0.iter().any(|(first, last)| (*first..=*last).contains(&index))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_pick_entries() {
        assert_eq!(numbers("7, 12,20-30").unwrap().0, [(7, 7), (12, 12), (20, 30)]);
        for bad in ["", "a", "9-7", "1,,2"] {
            assert!(numbers(bad).unwrap_err().contains("20-30"), "{bad}");
        }
    }
}
