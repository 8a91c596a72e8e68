//! What is counted of airings, and shares that never leave out what they are a share of.

use std::fmt;
use std::ops::AddAssign;

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::report::Fate;

/// The counts of some airings, or of some items of airings.
///
/// `heard ≤ played ≤ delivered ≤ planned`: each is the denominator of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Whose time has come and that no newer plan left out.
    pub planned: u32,
    /// Of which the controller's own receipt says that it held schedule and recordings.
    pub delivered: u32,
    /// To their end.
    pub played: u32,
    /// Played, and a sensor of the controller says that it sounded.
    pub heard: u32,
    /// Of which no receipt is here yet.
    pub awaited: u32,
    /// How long the planned ones were to sound, in milliseconds.
    pub planned_ms: u64,
    /// How long the played ones sounded, in milliseconds.
    pub played_ms: u64,
}

/// What became of one airing, as far as counting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What became of it.
    pub fate: Fate,
    /// Whether the controller held what it was to play.
    pub held: bool,
    /// Whether a sensor says that it sounded.
    pub sensed: bool,
}

impl Tally {
    /// Counts one airing or item of `length_ms`; one that is still to come, or that a newer plan
    /// left out, counts nowhere.
    pub fn count(&mut self, told: Told, length_ms: u64) {
        let played = match told.fate {
            Fate::Planned | Fate::Dropped => return,
            Fate::Awaited => {
                self.awaited += 1;
                false
            }
            Fate::Completed => true,
            Fate::Interrupted | Fate::Preempted | Fate::Skipped | Fate::Failed => false,
        };
        self.planned += 1;
        self.planned_ms += length_ms;
        self.delivered += u32::from(told.held || played);
        if played {
            self.played += 1;
            self.played_ms += length_ms;
            self.heard += u32::from(told.sensed);
        }
    }

    /// Played of planned.
    pub fn played_share(&self) -> Share {
        Share { part: self.played.into(), of: self.planned.into() }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.planned += other.planned;
        self.delivered += other.delivered;
        self.played += other.played;
        self.heard += other.heard;
        self.awaited += other.awaited;
        self.planned_ms += other.planned_ms;
        self.played_ms += other.played_ms;
    }
}

/// So many of so many. There is no share of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Thousandths, rounded down: 100 % is said only of all.
    pub fn thousandths(self) -> Option<u64> {
        (self.of > 0).then(|| self.part * 1000 / self.of)
    }
}

impl fmt::Display for Share {
    /// As it is written in Vietnamese: `98,4 % (123/125)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.thousandths() {
            Some(share) => {
                write!(f, "{},{} % ({}/{})", share / 10, share % 10, self.part, self.of)
            }
            None => f.write_str("– (0/0)"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Share", 3)?;
        map.serialize_field("part", &self.part)?;
        map.serialize_field("of", &self.of)?;
        map.serialize_field("thousandths", &self.thousandths())?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FATES: [Fate; 8] = [
        Fate::Planned,
        Fate::Awaited,
        Fate::Dropped,
        Fate::Completed,
        Fate::Interrupted,
        Fate::Preempted,
        Fate::Skipped,
        Fate::Failed,
    ];

    #[test]
    fn what_is_to_come_or_was_left_out_counts_nowhere() {
        let mut tally = Tally::default();
        for fate in [Fate::Planned, Fate::Dropped] {
            tally.count(Told { fate, held: true, sensed: true }, 1000);
        }
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn each_count_is_the_denominator_of_the_one_before_it() {
        let mut tally = Tally::default();
        for fate in FATES {
            for (held, sensed) in [(true, true), (true, false), (false, true), (false, false)] {
                tally.count(Told { fate, held, sensed }, 60_000);
            }
        }
        assert_eq!((tally.planned, tally.delivered), (24, 14));
        assert_eq!((tally.played, tally.heard, tally.awaited), (4, 2, 4));
        assert_eq!((tally.planned_ms, tally.played_ms), (24 * 60_000, 4 * 60_000));
    }

    #[test]
    fn a_share_tells_of_what_and_is_whole_only_of_all() {
        assert_eq!(Share { part: 123, of: 125 }.to_string(), "98,4 % (123/125)");
        assert_eq!(Share { part: 9_999, of: 10_000 }.to_string(), "99,9 % (9999/10000)");
        assert_eq!(Share { part: 0, of: 0 }.to_string(), "– (0/0)");
    }
}
