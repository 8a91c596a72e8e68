//! Which entries of the log are meant.

use clap::Args;

use crate::audit::Kind;
use crate::id::{AreaId, BulletinId, ControllerId, PersonId};
use crate::server::Pick;
use crate::time::LocalDate;

/// Which entries are meant: all, where nothing is said.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct Picking {
    /// Only entries of this kind, such as receipts.taken; version. for all that begin so.
    #[arg(long)]
    kind: Option<Kind>,
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

impl Picking {
    /// What was said.
    pub(super) fn meant(&self) -> Pick {
        let Self { kind, from, to, area, bulletin, controller, person, entries } = self.clone();
        let entries = entries.map(|numbers| numbers.0);
        Pick { kind, from, to, area, bulletin, controller, person, entries }
    }
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
