//! What a person wants of the schedule, and the edit that does it.

use super::{Edit, NotReached, Piece, Reach, Slot, Turnout, What, added_from, copied, ended};
use crate::calendar::recurrence::{NotARecurrence, Recurrence, Rule};
use crate::id::{ExceptionId, ProgrammeId};
use crate::schedule::file::Checked;
use crate::schedule::{Exception, Programme};
use crate::time::LocalDate;

/// One wish; each is one edit, whoever wishes it from a page or by a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A programme made or changed; from a day on only, where one is named.
    Programme {
        /// As it becomes.
        programme: Box<Programme>,
        /// The first day on which it is so.
        from_day: Option<LocalDate>,
    },
    /// A programme ended, or taken away where nothing of it would be left.
    End {
        /// Which.
        programme: ProgrammeId,
        /// Its last day; none where it goes altogether.
        last: Option<LocalDate>,
    },
    /// One airing moved, left out or filled otherwise.
    Airing {
        /// Which.
        slot: Slot,
        /// Whether it alone.
        reach: Reach,
        /// What becomes of it.
        turnout: Turnout,
    },
    /// An exception made or changed.
    Exception(Box<Exception>),
    /// An exception taken away.
    Unmake(ExceptionId),
    /// What belongs to one week alone, made again for another.
    Week {
        /// The Monday of the week that is copied.
        from: LocalDate,
        /// The Monday of the other.
        to: LocalDate,
    },
}

impl Wish {
    /// The edit that does it to `schedule`; an empty one where it is so already.
    pub fn edit(&self, schedule: &Checked) -> Result<Edit, NotReached> {
        let pieces = match self {
            Self::Programme { programme, from_day } => programmed(schedule, programme, *from_day)?,
            Self::End { programme, last } => ended(schedule, programme, *last)?,
            Self::Airing { slot, reach, turnout } => slot.turned(schedule, *reach, turnout)?,
            Self::Exception(exception) => vec![put(Piece::Exception(exception.clone()))],
            Self::Unmake(id) => vec![(What::Exception(id.clone()), None)],
            Self::Week { from, to } => copied(schedule, *from, *to)?,
        };
        Ok(Edit::of(schedule, pieces))
    }

    /// The word under which the log keeps it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Programme { .. } => "programme",
            Self::End { .. } => "end",
            Self::Airing { .. } => "airing",
            Self::Exception(_) => "exception",
            Self::Unmake(_) => "unmake",
            Self::Week { .. } => "week",
        }
    }
}

type Pieces = Vec<(What, Option<Piece>)>;

fn put(piece: Piece) -> (What, Option<Piece>) {
    (piece.what(), Some(piece))
}

/// The programme as it becomes; what it was stays until the day before, where a day is named.
fn programmed(
    schedule: &Checked,
    made: &Programme,
    from_day: Option<LocalDate>,
) -> Result<Pieces, NotReached> {
    let before = schedule.programmes.iter().find(|held| held.id == made.id);
    match (from_day, before) {
        (Some(from), Some(before)) if before.recurrence.first_date() < Some(from) => {
            let recurrence = beginning(&made.recurrence, from)?;
            added_from(schedule, before, Programme { recurrence, ..made.clone() }, from)
        }
        _ => Ok(vec![put(Piece::from(made.clone()))]),
    }
}

/// The same rule, not before `from`.
fn beginning(rule: &Recurrence, from: LocalDate) -> Result<Recurrence, NotARecurrence> {
    let from = Some(rule.from().map_or(from, |held| held.max(from)));
    match rule.rule() {
        Rule::Cron(cron) => Recurrence::cron(cron.source(), from, rule.until()),
        Rule::Times { at, weekdays } => {
            Recurrence::times(at.clone(), *weekdays, from, rule.until())
        }
    }
}
