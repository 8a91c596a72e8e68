//! Local days and what may happen on them: weekdays, the identity of an airing, airtime.
//!
//! The zone is always an argument. **An airing's identity is its programme, its controller, its
//! local date and its place within that date; moved or planned anew it is still the same one.**

use std::fmt;
use std::str::FromStr;

use chrono::Datelike as _;
use serde::{Deserialize, Serialize};

use crate::id::{ControllerId, ProgrammeId};
use crate::time::LocalDate;

#[cfg(feature = "server")]
mod airtime;
mod policy;
#[cfg(feature = "server")]
pub mod recurrence;

#[cfg(feature = "server")]
pub use airtime::{Airtime, NotAirtime, PERCENT_MAX, Volume};
pub use policy::{AirtimePolicy, NotAWindow, OverLimit, Spent, Window};

/// A day of the week; in documents its ISO 8601 number, 1 for Monday to 7 for Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Thứ Hai.
    Monday = 1,
    /// Thứ Ba.
    Tuesday,
    /// Thứ Tư.
    Wednesday,
    /// Thứ Năm.
    Thursday,
    /// Thứ Sáu.
    Friday,
    /// Thứ Bảy.
    Saturday,
    /// Chủ Nhật.
    Sunday,
}

impl Weekday {
    /// The seven, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The weekday of `date`.
    pub fn of(date: LocalDate) -> Self {
        Self::ALL[date.naive().weekday().num_days_from_monday() as usize]
    }

    /// Its ISO 8601 number, 1 for Monday to 7 for Sunday.
    pub fn iso(self) -> u8 {
        self as u8
    }

    /// The word of files: `mon` to `sun`.
    pub fn word(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(self.iso()) - 1]
    }
}

/// Text that names no weekday.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no weekday; write mon, tue, wed, thu, fri, sat or sun")]
pub struct NotAWeekday(String);

impl FromStr for Weekday {
    type Err = NotAWeekday;

    fn from_str(text: &str) -> Result<Self, NotAWeekday> {
        let day = Self::ALL.into_iter().find(|day| day.word() == text);
        day.ok_or_else(|| NotAWeekday(text.chars().take(20).collect()))
    }
}

/// One or more weekdays; in documents a rising list of ISO numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Days(u8);

/// A list that is no set of weekdays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} are no weekdays; list one or more of 1 (Monday) to 7 (Sunday), each once, rising")]
pub struct NotDays(Vec<u8>);

impl Days {
    /// Every day of the week.
    pub const EVERY: Self = Self(0b1111_1110);

    /// The days of a list, of which there is at least one.
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Option<Self> {
        let bits = days.into_iter().fold(0, |bits, day| bits | 1 << day.iso());
        (bits != 0).then_some(Self(bits))
    }

    /// Whether `day` is among them.
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & 1 << day.iso() != 0
    }

    /// The days that are in both, if any.
    #[cfg(feature = "server")]
    fn both(self, other: Self) -> Option<Self> {
        let bits = self.0 & other.0;
        (bits != 0).then_some(Self(bits))
    }

    /// The days that are not in `other`, if any.
    #[cfg(feature = "server")]
    fn without(self, other: Self) -> Option<Self> {
        let bits = self.0 & !other.0;
        (bits != 0).then_some(Self(bits))
    }

    /// The days, Monday first.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::ALL.into_iter().filter(move |&day| self.contains(day))
    }
}

impl From<Weekday> for Days {
    fn from(day: Weekday) -> Self {
        Self(1 << day.iso())
    }
}

impl TryFrom<Vec<u8>> for Days {
    type Error = NotDays;

    fn try_from(numbers: Vec<u8>) -> Result<Self, NotDays> {
        let rising = numbers.windows(2).all(|pair| pair[0] < pair[1]);
        let in_range = numbers.iter().all(|number| (1..=7).contains(number));
        if numbers.is_empty() || !rising || !in_range {
            return Err(NotDays(numbers.into_iter().take(10).collect()));
        }
        Ok(Self(numbers.iter().fold(0, |bits, number| bits | 1 << number)))
    }
}

impl From<Days> for Vec<u8> {
    fn from(days: Days) -> Self {
        days.iter().map(Weekday::iso).collect()
    }
}

impl fmt::Debug for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What makes an airing the same one wherever it is spoken of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AiringKey {
    /// The programme.
    pub programme: ProgrammeId,
    /// The controller.
    pub controller: ControllerId,
    /// The local date on which it begins.
    pub date: LocalDate,
    /// Its place among the programme's airings of that date in order of time, from 0.
    pub occurrence: u16,
}

impl fmt::Display for AiringKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.programme, self.controller, self.date, self.occurrence)
    }
}

/// Text that is no airing's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no airing; write programme/controller/date/occurrence, such as tin-sang/mu-ca-1/2026-11-22/0"
)]
pub struct NotAnAiringKey(String);

impl FromStr for AiringKey {
    type Err = NotAnAiringKey;

    fn from_str(text: &str) -> Result<Self, NotAnAiringKey> {
        parse_key(text)
            .filter(|key| key.to_string() == text)
            .ok_or_else(|| NotAnAiringKey(text.chars().take(160).collect()))
    }
}

fn parse_key(text: &str) -> Option<AiringKey> {
    let [programme, controller, date, occurrence] =
        <[&str; 4]>::try_from(text.split('/').collect::<Vec<_>>()).ok()?;
    Some(AiringKey {
        programme: programme.parse().ok()?,
        controller: controller.parse().ok()?,
        date: date.parse().ok()?,
        occurrence: occurrence.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_airing_key_reads_back_as_it_was_written() {
        let text = "tin-sang/mu-ca-1/2026-11-22/0";
        let key: AiringKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        let json = serde_json::to_string(&key).unwrap();
        let flat =
            r#"{"programme":"tin-sang","controller":"mu-ca-1","date":"2026-11-22","occurrence":0}"#;
        assert_eq!(json, flat);
        assert_eq!(serde_json::from_str::<AiringKey>(&json).unwrap(), key);
    }

    #[test]
    fn what_is_not_exactly_a_key_is_refused() {
        for bad in [
            "",
            "a/b/2026-11-22",
            "a/b/2026-11-22/00",
            "a/b/2026-11-22/65536",
            "a/b/2026-11-22/0/1",
        ] {
            assert!(bad.parse::<AiringKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_knows_its_weekday() {
        assert_eq!(Weekday::of("2026-11-22".parse().unwrap()), Weekday::Sunday);
        assert_eq!("mon".parse(), Ok(Weekday::Monday));
        assert!("Monday".parse::<Weekday>().unwrap_err().to_string().contains("mon, tue"));
    }

    #[test]
    fn days_travel_as_a_rising_list_of_numbers() {
        let days = Days::of([Weekday::Sunday, Weekday::Monday]).unwrap();
        assert_eq!(serde_json::to_string(&days).unwrap(), "[1,7]");
        for bad in ["[]", "[0]", "[8]", "[2,1]", "[1,1]"] {
            assert!(serde_json::from_str::<Days>(bad).is_err(), "{bad}");
        }
        assert_eq!(Vec::from(Days::EVERY), [1, 2, 3, 4, 5, 6, 7]);
    }
}
