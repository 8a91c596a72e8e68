//! The two kinds of time, which never mix, and the local calendar.
//!
//! [`Timestamp`] is UTC and may step when a clock is corrected: airings, validity, the log.
//! [`Uptime`] is monotonic since a process began: retries, pacing, how old an answer is.
//! Nothing here reads a clock; both are arguments.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use serde::{Deserialize, Serialize};

/// An instant in UTC: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// How long ago `earlier` was; zero where it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339 text such as `2026-11-22T05:30:00+07:00`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(time.timestamp_micros()))
    }

    fn utc(self) -> DateTime<chrono::Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, length: Duration) -> Self {
        let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Time since this process began. Never goes back, never compared across a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uptime(Duration);

impl Uptime {
    /// The moment the process began.
    pub const START: Self = Self(Duration::ZERO);

    /// `length` after the beginning.
    pub const fn at(length: Duration) -> Self {
        Self(length)
    }

    /// How long after `earlier`; zero where `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Uptime {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(length))
    }
}

/// Both times of one moment, as a shell hands them to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What the system's clock says; may be wrong.
    pub utc: Timestamp,
    /// How long the process runs.
    pub up: Uptime,
}

/// A time zone by its name in the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(chrono_tz::Tz);

impl Default for Zone {
    /// Viet Nam's own.
    fn default() -> Self {
        Self(chrono_tz::Asia::Ho_Chi_Minh)
    }
}

/// Text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone; use a name of the IANA database such as Asia/Ho_Chi_Minh")]
pub struct NotAZone(String);

impl Zone {
    /// The zone for `chrono`.
    pub fn tz(self) -> chrono_tz::Tz {
        self.0
    }

    /// Wall clock of `at` here.
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        at.utc().with_timezone(&self.0).naive_local()
    }

    /// Local date of `at` here.
    pub fn date(self, at: Timestamp) -> LocalDate {
        LocalDate(self.local(at).date())
    }

    /// The instant at which the wall clock shows `local`; `None` where the clock skips it. Of two
    /// such instants the earlier.
    pub fn instant(self, local: NaiveDateTime) -> Option<Timestamp> {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                Some(Timestamp(at.timestamp_micros()))
            }
            LocalResult::None => None,
        }
    }

    /// Midnight at which `date` begins here, or the first instant after it that exists.
    pub fn midnight(self, date: LocalDate) -> Timestamp {
        let start = date.0.and_time(NaiveTime::MIN);
        (0..=24)
            .find_map(|hour| self.instant(start + chrono::TimeDelta::hours(hour)))
            .unwrap_or(Timestamp::EPOCH)
    }
}

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Self, NotAZone> {
        text.parse().map(Self).map_err(|_| NotAZone(text.chars().take(60).collect()))
    }
}

impl TryFrom<String> for Zone {
    type Error = NotAZone;

    fn try_from(text: String) -> Result<Self, NotAZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.name().to_owned()
    }
}

/// A calendar date on the wall of the place: `2026-11-22`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate(NaiveDate);

/// Text that is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date; write year-month-day, such as 2026-11-22")]
pub struct NotADate(String);

impl LocalDate {
    /// The date `days` later (earlier where negative).
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0 + chrono::TimeDelta::days(days))
    }

    /// As it is written in Viet Nam: `22/11/2026`.
    pub fn vi(self) -> String {
        self.0.format("%d/%m/%Y").to_string()
    }

    /// The date for `chrono`.
    pub fn naive(self) -> NaiveDate {
        self.0
    }
}

impl From<NaiveDate> for LocalDate {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl FromStr for LocalDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self);
        date.filter(|date| date.to_string() == text)
            .ok_or_else(|| NotADate(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for LocalDate {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

impl From<LocalDate> for String {
    fn from(date: LocalDate) -> Self {
        date.to_string()
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.format("%Y-%m-%d").to_string())
    }
}

impl fmt::Debug for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A time of day on the wall, to the second: `05:30:00`; `24:00` is the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u32);

/// Text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time of day; write hours:minutes or hours:minutes:seconds, 00:00 to 24:00")]
pub struct NotATimeOfDay(String);

/// Seconds in a day without a change of clocks.
const DAY_SECONDS: u32 = 86_400;

impl TimeOfDay {
    /// The time of day of a wall clock, its fraction of a second dropped.
    pub fn of(local: NaiveDateTime) -> Self {
        use chrono::Timelike;
        Self(local.time().num_seconds_from_midnight())
    }

    /// Seconds since midnight, 0 to 86,400.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The wall clock at this time on `date`.
    pub fn on(self, date: LocalDate) -> NaiveDateTime {
        date.0.and_time(NaiveTime::MIN) + chrono::TimeDelta::seconds(i64::from(self.0))
    }
}

impl FromStr for TimeOfDay {
    type Err = NotATimeOfDay;

    fn from_str(text: &str) -> Result<Self, NotATimeOfDay> {
        let refuse = || NotATimeOfDay(text.chars().take(40).collect());
        let parts: Option<Vec<u32>> = text.split(':').map(two_digits).collect();
        let (hours, minutes, seconds) = match parts.ok_or_else(refuse)?[..] {
            [hours, minutes] => (hours, minutes, 0),
            [hours, minutes, seconds] => (hours, minutes, seconds),
            _ => return Err(refuse()),
        };
        let total = hours * 3600 + minutes * 60 + seconds;
        let good = minutes < 60 && seconds < 60 && total <= DAY_SECONDS;
        good.then_some(Self(total)).ok_or_else(refuse)
    }
}

fn two_digits(text: &str) -> Option<u32> {
    let digits = text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl TryFrom<String> for TimeOfDay {
    type Error = NotATimeOfDay;

    fn try_from(text: String) -> Result<Self, NotATimeOfDay> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        if seconds == 0 {
            return f.pad(&format!("{hours:02}:{minutes:02}"));
        }
        f.pad(&format!("{hours:02}:{minutes:02}:{seconds:02}"))
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_past_five_in_viet_nam_is_half_past_ten_the_evening_before_in_utc() {
        let zone = Zone::default();
        let date: LocalDate = "2026-11-22".parse().unwrap();
        let at = zone.instant("05:30".parse::<TimeOfDay>().unwrap().on(date)).unwrap();
        assert_eq!(at.to_string(), "2026-11-21T22:30:00.000Z");
        assert_eq!(zone.date(at), date);
        assert_eq!(zone.midnight(date).to_string(), "2026-11-21T17:00:00.000Z");
    }

    #[test]
    fn a_day_that_does_not_exist_is_no_date() {
        for bad in ["2026-02-30", "2026-2-3", "22/11/2026", "2027-02-29", ""] {
            assert!(bad.parse::<LocalDate>().is_err(), "{bad}");
        }
        assert!("2028-02-29".parse::<LocalDate>().is_ok());
    }

    #[test]
    fn a_time_of_day_ends_at_24_00() {
        assert_eq!("24:00".parse::<TimeOfDay>().unwrap().seconds(), 86_400);
        for bad in ["24:00:01", "5:30", "05:60", "05", "05:30:00:00", "-1:00", "+5:30"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
        assert_eq!("05:30:07".parse::<TimeOfDay>().unwrap().to_string(), "05:30:07");
    }
}
