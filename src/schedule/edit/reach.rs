//! One airing on the week's grid changed: it alone, it and all that follow, or all of them.
//!
//! It alone is an exception of one day; it and what follows is the programme ended the day before
//! and a new one from that day on. **Exceptions that name a programme name its continuation too**:
//! what was skipped at the new year stays skipped.

use super::{Piece, What};
use crate::calendar::recurrence::{NotARecurrence, Recurrence, Rule};
use crate::calendar::{Days, Weekday};
use crate::id::{ExceptionId, ID_CHARS_MAX, ProgrammeId};
use crate::schedule::file::Checked;
use crate::schedule::{Change, Exception, Programme, Scope, Selection};
use crate::time::{LocalDate, TimeOfDay};

/// Which airings of a programme a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of one day, or one of them.
    This,
    /// That one and every later one.
    Following,
    /// Every one.
    All,
}

/// One airing of a programme, wherever it is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The programme.
    pub programme: ProgrammeId,
    /// The local date.
    pub date: LocalDate,
    /// Its place among those of that date, from 0.
    pub occurrence: u16,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turnout {
    /// It comes at another time, perhaps of another day.
    Move {
        /// The day.
        date: LocalDate,
        /// The time.
        time: TimeOfDay,
    },
    /// It does not come.
    Cancel,
    /// Something else is in it.
    Replace(Selection),
}

/// Why a change cannot be made so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReached {
    /// No such programme, or it does not come then.
    #[error("{0} does not come on {1}; open the week again")]
    NoSlot(ProgrammeId, LocalDate),
    /// Its days follow from more than the weekday.
    #[error("{0} comes by a cron expression; change its days in its form")]
    Cron(ProgrammeId),
    /// Another day for a programme of several days or times.
    #[error(
        "{0} comes on other days or times as well; change its days in its form, or move one airing"
    )]
    Days(ProgrammeId),
    /// It is there already.
    #[error("{0} comes at {1} already; choose another time")]
    SameTime(ProgrammeId, TimeOfDay),
    /// Other content for more than a day.
    #[error("what all airings consist of is changed in the form of {0}")]
    Content(ProgrammeId),
    /// Something consists of it.
    #[error("the exception {0} airs {1} in place of another; change that first")]
    StandsIn(ExceptionId, ProgrammeId),
    /// A time that never comes.
    #[error(transparent)]
    Never(#[from] NotARecurrence),
}

type Pieces = Vec<(What, Option<Piece>)>;

impl Slot {
    /// What becomes of the schedule.
    pub fn turned(
        &self,
        schedule: &Checked,
        reach: Reach,
        turnout: &Turnout,
    ) -> Result<Pieces, NotReached> {
        let programme = self.programme(schedule)?;
        let begins = programme.recurrence.first_date();
        // What airs once is moved itself: there are no others that stay.
        let is_single = programme.recurrence.is_single() && self.own_exception(schedule).is_none();
        let reach = match turnout {
            Turnout::Move { .. } if is_single => Reach::All,
            Turnout::Move { .. } | Turnout::Cancel | Turnout::Replace(_) => reach,
        };
        match (reach, turnout) {
            (Reach::This, Turnout::Move { date, time }) if *date == self.date => {
                self.moved_on_its_day(schedule, programme, *time)
            }
            (Reach::This, Turnout::Move { date, time }) => {
                let mut pieces = self.cancelled_once(schedule, programme)?;
                pieces.push(put(once(schedule, &pieces, programme, *date, &[*time])?));
                Ok(pieces)
            }
            (Reach::This, Turnout::Cancel) => self.cancelled_once(schedule, programme),
            (Reach::This, Turnout::Replace(selection)) => {
                let change = Change::Replace(selection.clone());
                Ok(vec![put(self.exception(schedule, programme, change))])
            }
            (Reach::Following | Reach::All, Turnout::Replace(_)) => {
                Err(NotReached::Content(self.programme.clone()))
            }
            (Reach::All, Turnout::Cancel) => ended(schedule, &programme.id, None),
            (Reach::Following, Turnout::Cancel) => {
                ended(schedule, &programme.id, Some(self.date.plus_days(-1)))
            }
            (Reach::Following, Turnout::Move { date, time }) if begins < Some(self.date) => {
                let from = (*date).min(self.date);
                let next = self.shifted(programme, *date, *time, Some(from))?;
                added_from(schedule, programme, next, self.date)
            }
            (Reach::Following | Reach::All, Turnout::Move { date, time }) => {
                let from = programme.recurrence.from().map(|from| from.min(*date));
                Ok(vec![put(self.shifted(programme, *date, *time, from)?)])
            }
        }
    }

    fn programme<'s>(&self, schedule: &'s Checked) -> Result<&'s Programme, NotReached> {
        let held = schedule.programmes.iter().find(|held| held.id == self.programme);
        let times = |held: &Programme| held.recurrence.times_of_day().len();
        let comes = |held: &&Programme| {
            held.recurrence.comes_on(self.date) && usize::from(self.occurrence) < times(held)
        };
        held.filter(comes).ok_or_else(|| NotReached::NoSlot(self.programme.clone(), self.date))
    }

    /// The exception of that day alone which is about this programme alone, or a new one.
    fn exception(&self, schedule: &Checked, programme: &Programme, change: Change) -> Exception {
        let held = self.own_exception(schedule).cloned();
        let new = || Exception {
            id: free_exception(schedule, &format!("{}-{}", programme.id, self.date)),
            name: programme.title.clone(),
            from: self.date,
            until: self.date,
            areas: programme.areas.clone(),
            scope: Scope { programmes: vec![programme.id.clone()], ..Scope::default() },
            change: Change::Skip,
        };
        Exception { change, ..held.unwrap_or_else(new) }
    }

    fn own_exception<'s>(&self, schedule: &'s Checked) -> Option<&'s Exception> {
        schedule.exceptions.iter().find(|held| {
            let Scope { programmes, columns, tags } = &held.scope;
            held.from == self.date
                && held.until == self.date
                && columns.is_empty()
                && tags.is_empty()
                && *programmes == [self.programme.clone()]
        })
    }

    /// When it comes that day, where an exception of that day moved it before.
    fn times(&self, schedule: &Checked, programme: &Programme) -> Vec<TimeOfDay> {
        let mut times = programme.recurrence.times_of_day();
        if let Some(Exception { change: Change::Move(moved), .. }) = self.own_exception(schedule) {
            for (time, other) in times.iter_mut().zip(moved) {
                *time = *other;
            }
        }
        times
    }

    fn moved_on_its_day(
        &self,
        schedule: &Checked,
        programme: &Programme,
        time: TimeOfDay,
    ) -> Result<Pieces, NotReached> {
        let mut times = self.times(schedule, programme);
        if times.contains(&time) {
            return Err(NotReached::SameTime(programme.id.clone(), time));
        }
        times[usize::from(self.occurrence)] = time;
        times.sort_unstable();
        if times == programme.recurrence.times_of_day() {
            // Back where it belongs: no exception is needed.
            let own = self.own_exception(schedule).map(|held| held.id.clone());
            return Ok(own.map(|id| (What::Exception(id), None)).into_iter().collect());
        }
        Ok(vec![put(self.exception(schedule, programme, Change::Move(times)))])
    }

    /// Without it that day; its other times of the day become a programme of that day.
    fn cancelled_once(
        &self,
        schedule: &Checked,
        programme: &Programme,
    ) -> Result<Pieces, NotReached> {
        let mut times = self.times(schedule, programme);
        times.remove(usize::from(self.occurrence));
        let mut pieces = vec![put(self.exception(schedule, programme, Change::Skip))];
        if !times.is_empty() {
            pieces.push(put(once(schedule, &pieces, programme, self.date, &times)?));
        }
        Ok(pieces)
    }

    /// The programme with this airing at another time, and with it every one like it.
    fn shifted(
        &self,
        programme: &Programme,
        date: LocalDate,
        time: TimeOfDay,
        from: Option<LocalDate>,
    ) -> Result<Programme, NotReached> {
        let id = || programme.id.clone();
        let recurrence = &programme.recurrence;
        let mut times = recurrence.times_of_day();
        let days = recurrence.weekly().ok_or_else(|| NotReached::Cron(id()))?;
        let once = recurrence.from().is_some() && recurrence.from() == recurrence.until();
        let (days, until) = if date == self.date {
            (days, recurrence.until())
        } else if once && times.len() == 1 {
            (Days::EVERY, Some(date))
        } else {
            let (old, new) = (Weekday::of(self.date), Weekday::of(date));
            if times.len() > 1 || days.contains(new) {
                return Err(NotReached::Days(id()));
            }
            let days = days.iter().filter(|day| *day != old).chain([new]);
            (Days::of(days).expect("one of them is new"), recurrence.until())
        };
        if times
            .iter()
            .enumerate()
            .any(|(n, held)| *held == time && n != usize::from(self.occurrence))
        {
            return Err(NotReached::SameTime(id(), time));
        }
        times[usize::from(self.occurrence)] = time;
        let from = if once && date != self.date { Some(date) } else { from };
        let recurrence = Recurrence::times(times, days, from, until)?;
        Ok(Programme { recurrence, ..programme.clone() })
    }
}

fn put(piece: impl Into<Piece>) -> (What, Option<Piece>) {
    let piece = piece.into();
    (piece.what(), Some(piece))
}

/// The programme as it comes on one day alone, beside the one that it comes from.
fn once(
    schedule: &Checked,
    pieces: &Pieces,
    programme: &Programme,
    date: LocalDate,
    times: &[TimeOfDay],
) -> Result<Programme, NotReached> {
    let taken = pieces.iter().filter_map(|(what, _)| match what {
        What::Programme(id) => Some(id.clone()),
        What::Exception(_) => None,
    });
    let taken: Vec<ProgrammeId> = taken.collect();
    let base = format!("{}-{}", programme.id, date.naive().format("%m%d"));
    let recurrence = Recurrence::times(times.to_vec(), Days::EVERY, Some(date), Some(date))?;
    Ok(Programme { id: free(schedule, &taken, &base), recurrence, ..programme.clone() })
}

/// `programme` until the day before `date`, and `next`, under a name of its own, after.
pub fn added_from(
    schedule: &Checked,
    programme: &Programme,
    next: Programme,
    date: LocalDate,
) -> Result<Pieces, NotReached> {
    let id = free(schedule, &[], programme.id.as_str());
    let mut pieces = ended(schedule, &programme.id, Some(date.plus_days(-1)))?;
    let names_it =
        |held: &&Exception| held.until >= date && held.scope.programmes.contains(&programme.id);
    for held in schedule.exceptions.iter().filter(names_it) {
        let mut held = held.clone();
        held.scope.programmes.push(id.clone());
        pieces.retain(|(what, _)| *what != What::Exception(held.id.clone()));
        pieces.push(put(held));
    }
    pieces.push(put(Programme { id, ..next }));
    Ok(pieces)
}

/// A programme that ends after `last`, or is taken away where nothing of it would be left; what
/// exceptions say of one that is taken away goes with it.
pub fn ended(
    schedule: &Checked,
    id: &ProgrammeId,
    last: Option<LocalDate>,
) -> Result<Pieces, NotReached> {
    let held = schedule.programmes.iter().find(|held| held.id == *id);
    let day = || last.unwrap_or(LocalDate::from(chrono::NaiveDate::MIN));
    let held = held.ok_or_else(|| NotReached::NoSlot(id.clone(), day()))?;
    let rule = &held.recurrence;
    let shorter = last.and_then(|last| {
        let until = Some(rule.until().map_or(last, |until| until.min(last)));
        match rule.rule() {
            Rule::Cron(cron) => Recurrence::cron(cron.source(), rule.from(), until).ok(),
            Rule::Times { at, weekdays } => {
                Recurrence::times(at.clone(), *weekdays, rule.from(), until).ok()
            }
        }
    });
    if let Some(recurrence) = shorter {
        return Ok(vec![put(Programme { recurrence, ..held.clone() })]);
    }
    let mut pieces = vec![(What::Programme(id.clone()), None)];
    for exception in &schedule.exceptions {
        if exception.change == Change::ReplaceBy(id.clone()) {
            return Err(NotReached::StandsIn(exception.id.clone(), id.clone()));
        }
        if !exception.scope.programmes.contains(id) {
            continue;
        }
        let mut left = exception.clone();
        left.scope.programmes.retain(|named| named != id);
        let nothing = left.scope == Scope::default();
        pieces.push((What::Exception(left.id.clone()), (!nothing).then(|| left.into())));
    }
    Ok(pieces)
}

/// A name that no programme has yet, like `base`.
pub fn free_programme(schedule: &Checked, base: &str) -> ProgrammeId {
    free(schedule, &[], base)
}

fn free(schedule: &Checked, also: &[ProgrammeId], base: &str) -> ProgrammeId {
    let taken = |name: &str| {
        let mut held = schedule.programmes.iter().map(|held| &held.id).chain(also);
        held.any(|id| id.as_str() == name)
    };
    numbered(base, "chuong-trinh", taken).parse().expect("a slug with a number is an id")
}

/// A name that no exception has yet, like `base`.
pub fn free_exception(schedule: &Checked, base: &str) -> ExceptionId {
    let taken = |name: &str| schedule.exceptions.iter().any(|held| held.id.as_str() == name);
    numbered(base, "ngoai-le", taken).parse().expect("a slug with a number is an id")
}

/// `base` as a slug, with the first number behind it that nobody has.
fn numbered(base: &str, otherwise: &str, taken: impl Fn(&str) -> bool) -> String {
    let words = crate::lang::fold::words(base);
    let plain = words
        .iter()
        .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    let slug = plain.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let slug = if slug.is_empty() { otherwise } else { &slug };
    let cut = |chars: usize| slug.chars().take(chars).collect::<String>();
    let whole = cut(ID_CHARS_MAX).trim_end_matches('-').to_owned();
    if !taken(&whole) {
        return whole;
    }
    // Room for a hyphen and a number.
    let stem = cut(ID_CHARS_MAX - 6).trim_end_matches('-').to_owned();
    let names = (2_u32..).map(|n| format!("{stem}-{n}"));
    names.into_iter().find(|name| !taken(name)).expect("there are more numbers than names")
}
