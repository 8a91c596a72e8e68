//! What a commune writes about airtime, and what of it a controller is told.
//!
//! A controller knows windows and limits of a day ([`AirtimePolicy`]). Quiet hours are hours taken
//! out of the windows, so the signed policy carries them too. **How many days a week, and how loud
//! at what time, only the planner knows**: the signed policy has no place for them.

use super::{AirtimePolicy, Days, Weekday, Window};
use crate::time::{TimeOfDay, Timestamp, Zone};

/// Full volume, in percent.
pub const PERCENT_MAX: u8 = 100;

/// How loud airings are that begin in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume {
    /// When.
    pub window: Window,
    /// 0 to [`PERCENT_MAX`].
    pub percent: u8,
}

/// When, how much and how loud routine sound an area allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Airtime {
    written: AirtimePolicy,
    quiet: Vec<Window>,
    days_a_week_max: Option<u8>,
    volumes: Vec<Volume>,
    signed: AirtimePolicy,
}

/// Why something is no airtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAirtime {
    /// More days than a week has, or none.
    #[error("{0} days a week are not 1 to 7; write how many days may have airings")]
    Days(u8),
    /// Louder than full.
    #[error("{0} percent are more than {PERCENT_MAX}; write 0 to {PERCENT_MAX}")]
    Percent(u8),
    /// Two volumes at one time.
    #[error("two volumes hold on {day} at {at}; part them, so that it is clear how loud")]
    TwoVolumes {
        /// The day.
        day: &'static str,
        /// When both hold.
        at: TimeOfDay,
    },
}

impl From<AirtimePolicy> for Airtime {
    /// Airtime without quiet hours, for every day of the week, as loud as the controller is.
    fn from(written: AirtimePolicy) -> Self {
        let signed = written.clone();
        Self { written, quiet: Vec::new(), days_a_week_max: None, volumes: Vec::new(), signed }
    }
}

impl Airtime {
    /// Airtime in the windows of `written` without the `quiet` ones.
    pub fn new(
        written: AirtimePolicy,
        quiet: Vec<Window>,
        days_a_week_max: Option<u8>,
        volumes: Vec<Volume>,
    ) -> Result<Self, NotAirtime> {
        if let Some(days) = days_a_week_max.filter(|days| !(1..=7).contains(days)) {
            return Err(NotAirtime::Days(days));
        }
        if let Some(loud) = volumes.iter().find(|volume| volume.percent > PERCENT_MAX) {
            return Err(NotAirtime::Percent(loud.percent));
        }
        for (i, volume) in volumes.iter().enumerate() {
            let mut others = volumes[..i].iter();
            if let Some((day, at)) = others.find_map(|other| meet(&other.window, &volume.window)) {
                return Err(NotAirtime::TwoVolumes { day: day.word(), at });
            }
        }
        let windows = written.windows.clone();
        let windows = quiet.iter().fold(windows, |open: Vec<Window>, quiet| {
            open.iter().flat_map(|window| less(window, quiet)).collect()
        });
        let signed = AirtimePolicy { windows, ..written };
        Ok(Self { written, quiet, days_a_week_max, volumes, signed })
    }

    /// What the area's people wrote, quiet hours not yet taken out.
    pub fn written(&self) -> &AirtimePolicy {
        &self.written
    }

    /// What holds, and what a controller is told: the windows without the quiet hours.
    pub fn signed(&self) -> &AirtimePolicy {
        &self.signed
    }

    /// The quiet hours.
    pub fn quiet(&self) -> &[Window] {
        &self.quiet
    }

    /// Days of a week, Monday to Sunday, that may have airings; all where nothing is said.
    pub fn days_a_week_max(&self) -> Option<u8> {
        self.days_a_week_max
    }

    /// How loud, by the time at which an airing begins.
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// Whether `at` lies in quiet hours.
    pub fn is_quiet(&self, zone: Zone, at: Timestamp) -> bool {
        let (day, time) = (Weekday::of(zone.date(at)), TimeOfDay::of(zone.local(at)));
        self.quiet.iter().any(|quiet| quiet.is_open(day, time))
    }

    /// How loud an airing is that begins at `at`, where the area says so.
    pub fn volume(&self, zone: Zone, at: Timestamp) -> Option<u8> {
        let (day, time) = (Weekday::of(zone.date(at)), TimeOfDay::of(zone.local(at)));
        let volume = self.volumes.iter().find(|volume| volume.window.is_open(day, time));
        volume.map(|volume| volume.percent)
    }
}

/// The first time at which both are open.
fn meet(one: &Window, other: &Window) -> Option<(Weekday, TimeOfDay)> {
    let day = one.days().both(other.days())?.iter().next()?;
    let from = one.from().max(other.from());
    (from < one.until().min(other.until())).then_some((day, from))
}

/// What is left of a window when the quiet one is taken out of it.
fn less(window: &Window, quiet: &Window) -> impl Iterator<Item = Window> {
    let piece = |days: Option<Days>, from, until| Window::new(days?, from, until).ok();
    let (days, from, until) = (window.days(), window.from(), window.until());
    let both = days.both(quiet.days());
    [
        piece(days.without(quiet.days()), from, until),
        piece(both, from, until.min(quiet.from())),
        piece(both, from.max(quiet.until()), until),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: Days, from: &str, until: &str) -> Window {
        Window::new(days, from.parse().unwrap(), until.parse().unwrap()).unwrap()
    }

    fn written(windows: Vec<Window>) -> AirtimePolicy {
        AirtimePolicy {
            windows,
            sessions_a_day_max: 2,
            minutes_a_session_max: 15,
            minutes_a_day_max: 20,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("{text}+07:00")).unwrap()
    }

    #[test]
    fn quiet_hours_are_taken_out_of_the_windows_that_a_controller_is_told() {
        let sunday = Days::from(Weekday::Sunday);
        let open = written(vec![window(Days::EVERY, "05:00", "22:00")]);
        let quiet = vec![window(sunday, "11:30", "13:30")];
        let airtime = Airtime::new(open.clone(), quiet, None, Vec::new()).unwrap();
        let zone = Zone::default();
        let noon = |date: &str| (at(&format!("{date}T11:20:00")), at(&format!("{date}T11:40:00")));
        let (from, until) = noon("2026-11-22");
        assert!(!airtime.signed().allows(zone, from, until));
        assert!(airtime.is_quiet(zone, until) && !airtime.is_quiet(zone, from));
        assert!(airtime.signed().allows(
            zone,
            until + std::time::Duration::from_hours(2),
            at("2026-11-22T22:00:00")
        ));
        let (from, until) = noon("2026-11-23");
        assert!(airtime.signed().allows(zone, from, until));
        assert_eq!(airtime.written(), &open);
    }

    #[test]
    fn airtime_without_quiet_hours_is_signed_as_it_is_written() {
        let open = written(vec![
            window(Days::EVERY, "17:00", "18:00"),
            window(Days::EVERY, "05:00", "06:00"),
        ]);
        let airtime = Airtime::new(open.clone(), Vec::new(), Some(5), Vec::new()).unwrap();
        assert_eq!(airtime.signed(), &open);
        assert_eq!(Airtime::from(open.clone()).signed(), &open);
    }

    #[test]
    fn the_volume_is_that_of_the_time_at_which_an_airing_begins() {
        let morning = Volume { window: window(Days::EVERY, "05:00", "06:00"), percent: 40 };
        let airtime = Airtime::new(written(Vec::new()), Vec::new(), None, vec![morning]).unwrap();
        let volume =
            |time: &str| airtime.volume(Zone::default(), at(&format!("2026-11-22T{time}")));
        assert_eq!(volume("05:59:59"), Some(40));
        assert_eq!(volume("06:00:00"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        let loud =
            |from, until, percent| Volume { window: window(Days::EVERY, from, until), percent };
        let airtime = |days, volumes| Airtime::new(written(Vec::new()), Vec::new(), days, volumes);
        assert_eq!(airtime(Some(8), Vec::new()), Err(NotAirtime::Days(8)));
        assert_eq!(airtime(None, vec![loud("05:00", "06:00", 101)]), Err(NotAirtime::Percent(101)));
        let two = airtime(None, vec![loud("05:00", "06:00", 40), loud("05:30", "07:00", 60)]);
        let sentence = two.unwrap_err().to_string();
        assert!(sentence.contains("on mon at 05:30"), "{sentence}");
    }
}
