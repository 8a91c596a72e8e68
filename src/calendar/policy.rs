//! Airtime: the hours in which a commune lets routine airings sound, and how many.
//!
//! It travels in the signed manifest, so the planner and the controller refuse by the same code.
//! **What no window names is refused; a policy without windows lets nothing sound.** Emergencies
//! do not ask here.

use serde::{Deserialize, Serialize};

use super::{Days, Weekday};
use crate::time::{TimeOfDay, Timestamp, Zone};

/// Hours of some weekdays in which sound is allowed; `until` itself is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Hours", into = "Hours")]
pub struct Window {
    days: Days,
    from: TimeOfDay,
    until: TimeOfDay,
}

/// A window as it is written, not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    days: Days,
    from: TimeOfDay,
    until: TimeOfDay,
}

/// A window that ends before it begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a window from {from} until {until} is empty; for a night write two, one until 24:00 and one from 00:00"
)]
pub struct NotAWindow {
    from: TimeOfDay,
    until: TimeOfDay,
}

impl Window {
    /// A window that is open for some time on each of `days`.
    pub fn new(days: Days, from: TimeOfDay, until: TimeOfDay) -> Result<Self, NotAWindow> {
        if from < until { Ok(Self { days, from, until }) } else { Err(NotAWindow { from, until }) }
    }

    /// The weekdays.
    pub fn days(&self) -> Days {
        self.days
    }

    /// When it opens.
    pub fn from(&self) -> TimeOfDay {
        self.from
    }

    /// When it closes; up to 24:00.
    pub fn until(&self) -> TimeOfDay {
        self.until
    }

    pub(super) fn is_open(&self, day: Weekday, time: TimeOfDay) -> bool {
        self.days.contains(day) && self.from <= time && time < self.until
    }
}

impl TryFrom<Hours> for Window {
    type Error = NotAWindow;

    fn try_from(hours: Hours) -> Result<Self, NotAWindow> {
        Self::new(hours.days, hours.from, hours.until)
    }
}

impl From<Window> for Hours {
    fn from(Window { days, from, until }: Window) -> Self {
        Self { days, from, until }
    }
}

/// When and how much routine sound an area allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AirtimePolicy {
    /// The hours; windows that touch are one.
    pub windows: Vec<Window>,
    /// Airings on one local date at most.
    pub sessions_a_day_max: u16,
    /// Minutes of one airing at most.
    pub minutes_a_session_max: u16,
    /// Minutes of all airings that begin on one local date at most.
    pub minutes_a_day_max: u16,
}

/// What one controller aired on one local date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spent {
    /// Airings.
    pub sessions: u16,
    /// Their length together, in milliseconds.
    pub length_ms: u64,
}

/// The limit that an airing would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLimit {
    /// Longer than one airing may be.
    Session,
    /// One airing more than a day may have.
    Sessions,
    /// More minutes than a day may have.
    Day,
}

impl AirtimePolicy {
    /// Whether sound is allowed all the way from `from` until `until`.
    pub fn allows(&self, zone: Zone, from: Timestamp, until: Timestamp) -> bool {
        from <= until && self.open_until(zone, from, until) == Some(until)
    }

    /// Until when sound that begins at `from` may go on, looking no further than `horizon`;
    /// `None` where it may not begin.
    pub fn open_until(&self, zone: Zone, from: Timestamp, horizon: Timestamp) -> Option<Timestamp> {
        let mut reached = self.closing(zone, from)?;
        while reached < horizon {
            match self.closing(zone, reached) {
                // A clock that is set back could name an end that is past; sound stops there.
                Some(next) if next > reached => reached = next,
                _ => break,
            }
        }
        Some(reached.min(horizon))
    }

    /// The latest closing time of the windows that are open at `at`.
    fn closing(&self, zone: Zone, at: Timestamp) -> Option<Timestamp> {
        let (date, time) = (zone.date(at), TimeOfDay::of(zone.local(at)));
        let day = Weekday::of(date);
        let open = self.windows.iter().filter(|window| window.is_open(day, time));
        zone.instant(open.map(Window::until).max()?.on(date))
    }

    /// What is spent once an airing of `length_ms` is added to what was `spent` that day.
    pub fn admit(&self, spent: Spent, length_ms: u64) -> Result<Spent, OverLimit> {
        let sessions = spent.sessions.saturating_add(1);
        let day_ms = spent.length_ms.saturating_add(length_ms);
        if length_ms > minutes_ms(self.minutes_a_session_max) {
            return Err(OverLimit::Session);
        }
        if sessions > self.sessions_a_day_max {
            return Err(OverLimit::Sessions);
        }
        if day_ms > minutes_ms(self.minutes_a_day_max) {
            return Err(OverLimit::Day);
        }
        Ok(Spent { sessions, length_ms: day_ms })
    }
}

fn minutes_ms(minutes: u16) -> u64 {
    u64::from(minutes) * 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("{text}+07:00")).unwrap()
    }

    fn policy(windows: &str) -> AirtimePolicy {
        let json = format!(
            r#"{{"windows":{windows},"sessions_a_day_max":2,"minutes_a_session_max":15,"minutes_a_day_max":20}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn allows(policy: &AirtimePolicy, from: &str, until: &str) -> bool {
        policy.allows(Zone::default(), at(from), at(until))
    }

    #[test]
    fn an_airing_must_lie_wholly_inside_a_window() {
        let morning = policy(r#"[{"days":[1,2,3,4,5,6,7],"from":"05:00","until":"07:30"}]"#);
        assert!(allows(&morning, "2026-11-22T05:00:00", "2026-11-22T07:30:00"));
        assert!(!allows(&morning, "2026-11-22T04:59:59", "2026-11-22T05:10:00"));
        assert!(!allows(&morning, "2026-11-22T07:20:00", "2026-11-22T07:30:00.001"));
        assert!(!allows(&morning, "2026-11-22T07:30:00", "2026-11-22T07:30:00"));
    }

    #[test]
    fn a_window_is_open_on_its_own_days_only() {
        let sunday = policy(r#"[{"days":[7],"from":"05:00","until":"07:30"}]"#);
        assert!(allows(&sunday, "2026-11-22T06:00:00", "2026-11-22T06:10:00"));
        assert!(!allows(&sunday, "2026-11-23T06:00:00", "2026-11-23T06:10:00"));
    }

    #[test]
    fn windows_that_touch_at_midnight_are_one() {
        let night = policy(
            r#"[{"days":[7],"from":"23:00","until":"24:00"},{"days":[1],"from":"00:00","until":"00:30"}]"#,
        );
        assert!(allows(&night, "2026-11-22T23:50:00", "2026-11-23T00:20:00"));
        assert!(!allows(&night, "2026-11-22T23:50:00", "2026-11-23T00:31:00"));
        assert!(!allows(&night, "2026-11-23T23:50:00", "2026-11-23T23:55:00"));
    }

    #[test]
    fn a_policy_without_windows_lets_nothing_sound() {
        assert!(!allows(&policy("[]"), "2026-11-22T06:00:00", "2026-11-22T06:00:01"));
    }

    #[test]
    fn a_week_without_night_ends_at_the_horizon() {
        let always = policy(r#"[{"days":[1,2,3,4,5,6,7],"from":"00:00","until":"24:00"}]"#);
        assert!(allows(&always, "2026-11-22T06:00:00", "2026-12-22T06:00:00"));
    }

    #[test]
    fn each_limit_of_a_day_is_told_apart() {
        let policy = policy("[]");
        let one = policy.admit(Spent::default(), 15 * 60_000).unwrap();
        assert_eq!(policy.admit(Spent::default(), 15 * 60_000 + 1), Err(OverLimit::Session));
        assert_eq!(policy.admit(one, 5 * 60_000 + 1), Err(OverLimit::Day));
        let two = policy.admit(one, 5 * 60_000).unwrap();
        assert_eq!(policy.admit(two, 0), Err(OverLimit::Sessions));
    }

    #[test]
    fn a_policy_reads_back_and_refuses_what_it_does_not_know() {
        let text = r#"{"windows":[{"days":[1,7],"from":"05:00","until":"24:00"}],"sessions_a_day_max":2,"minutes_a_session_max":15,"minutes_a_day_max":20}"#;
        let policy: AirtimePolicy = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        for bad in [
            text.replace("windows", "window"),
            text.replace("24:00", "05:00"),
            text.replace("\"from", "\"x\":1,\"from"),
        ] {
            assert!(serde_json::from_str::<AirtimePolicy>(&bad).is_err(), "{bad}");
        }
    }
}
