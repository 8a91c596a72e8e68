//! What belongs to one week alone, made again for another week.

use super::{Piece, What, free_exception, free_programme};
use crate::calendar::recurrence::{NotARecurrence, Recurrence, Rule};
use crate::schedule::file::Checked;
use crate::schedule::{Change, Exception, Programme};
use crate::time::LocalDate;

/// Days of a week.
const DAYS: i64 = 7;

/// Programmes and exceptions that lie within the week from `from` on, as they become in the week
/// from `to` on. What recurs comes there by itself.
pub fn copied(
    schedule: &Checked,
    from: LocalDate,
    to: LocalDate,
) -> Result<Vec<(What, Option<Piece>)>, NotARecurrence> {
    let shift = (to.naive() - from.naive()).num_days();
    let inside = |first: LocalDate, last: LocalDate| from <= first && last < from.plus_days(DAYS);
    let mut grown = schedule.clone();
    let mut names = Vec::new();
    let mut pieces = Vec::new();
    for held in &schedule.programmes {
        let rule = &held.recurrence;
        let (Some(first), Some(last)) = (rule.from(), rule.until()) else { continue };
        if !inside(first, last) {
            continue;
        }
        let (from, until) = (Some(first.plus_days(shift)), Some(last.plus_days(shift)));
        let recurrence = match rule.rule() {
            Rule::Cron(cron) => Recurrence::cron(cron.source(), from, until)?,
            Rule::Times { at, weekdays } => Recurrence::times(at.clone(), *weekdays, from, until)?,
        };
        let id = free_programme(&grown, held.id.as_str());
        names.push((held.id.clone(), id.clone()));
        let next = Programme { id, recurrence, ..held.clone() };
        grown.programmes.push(next.clone());
        pieces.push((What::Programme(next.id.clone()), Some(next.into())));
    }
    for held in schedule.exceptions.iter().filter(|held| inside(held.from, held.until)) {
        let id = free_exception(&grown, held.id.as_str());
        let mut next = Exception { id, ..held.clone() };
        (next.from, next.until) = (held.from.plus_days(shift), held.until.plus_days(shift));
        let named = next.scope.programmes.iter_mut().chain(match &mut next.change {
            Change::ReplaceBy(programme) => Some(programme),
            Change::Skip | Change::Move(_) | Change::Replace(_) => None,
        });
        for programme in named {
            if let Some((_, copy)) = names.iter().find(|(held, _)| held == programme) {
                *programme = copy.clone();
            }
        }
        grown.exceptions.push(next.clone());
        pieces.push((What::Exception(next.id.clone()), Some(next.into())));
    }
    Ok(pieces)
}
