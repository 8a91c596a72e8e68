//! What the programmes ask for, before anybody asked whether it may air.

use super::settled::Spot;
use super::{Programme, Selection};
use crate::time::{LocalDate, Timestamp, Zone};

/// A programme at one instant.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'w> {
    pub(super) programme: &'w Programme,
    /// The programme's place in the list of programmes.
    pub(super) number: usize,
    pub(super) date: LocalDate,
    pub(super) occurrence: u16,
    pub(super) at: Timestamp,
    /// When it comes on days without an exception.
    pub(super) usual: Timestamp,
    /// What goes in: the programme's own, unless an exception says otherwise.
    pub(super) selection: &'w Selection,
}

/// The candidates of each day, in order of time, then of programme.
pub(super) fn calendar<'w>(
    zone: Zone,
    programmes: &[&'w Programme],
    from: LocalDate,
    days: u16,
) -> Vec<Vec<Candidate<'w>>> {
    let dates = (0..i64::from(days)).map(|day| from.plus_days(day));
    dates.map(|date| candidates(zone, programmes, date)).collect()
}

fn candidates<'w>(zone: Zone, programmes: &[&'w Programme], date: LocalDate) -> Vec<Candidate<'w>> {
    let mut found = Vec::new();
    for (number, &programme) in programmes.iter().enumerate() {
        for (occurrence, at) in programme.recurrence.occurrences(zone, date) {
            let selection = &programme.selection;
            found.push(Candidate { programme, number, date, occurrence, at, usual: at, selection });
        }
    }
    sort(&mut found);
    found
}

/// Puts candidates in order of time, then of programme.
pub(super) fn sort(candidates: &mut [Candidate<'_>]) {
    candidates.sort_by_key(|candidate| (candidate.at, candidate.number, candidate.occurrence));
}

impl Candidate<'_> {
    /// The airing's identity at whatever controller.
    pub(super) fn spot(&self) -> Spot {
        Spot { programme: self.programme.id.clone(), date: self.date, occurrence: self.occurrence }
    }
}
