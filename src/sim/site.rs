//! A controller on its pole: an agent with power, flash, clocks, a link and a loudspeaker.

use std::time::Duration;

use crate::agent::{Agent, Part, Playlist, Settings};
use crate::calendar::{AirtimePolicy, Days, Window};
use crate::digest::Digest;
use crate::id::ControllerId;
use crate::sim::flash::Flash;
use crate::sim::station::{Station, utc_at};
use crate::time::{Now, Timestamp, Uptime, Zone};
use crate::trust::Role;

/// Receipts that may wait at a controller with little flash before routine airings stop: half a day
/// without a link.
const SMALL_FLASH_RECEIPTS: usize = 4;

/// What the clock of a board shows when nothing keeps it.
const RESET: Timestamp = Timestamp::EPOCH;

/// The sound that is on its way out of the loudspeaker.
#[derive(Debug)]
pub(super) struct Sounding {
    pub(super) list: Playlist,
    pub(super) stopping: bool,
}

/// Everything outside the agent.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "battery, size, power, two connections, a belief: independent facts"
)]
pub(super) struct Site {
    pub(super) id: ControllerId,
    pub(super) village: usize,
    /// Whether a battery keeps the time.
    pub(super) rtc: bool,
    pub(super) small: bool,
    pub(super) flash: Flash,
    pub(super) agent: Option<Agent>,
    /// Counts processes: what was meant for an earlier one is nobody's.
    pub(super) life: u64,
    pub(super) powered: bool,
    /// When the process began.
    started: Duration,
    /// By how much its crystal is off, in millionths.
    drift_ppm: i64,
    /// System clock minus true time, in microseconds.
    pub(super) offset: i64,
    pub(super) up: bool,
    /// Whether the agent believes that its link is up.
    pub(super) told_up: bool,
    /// Counts connections.
    pub(super) line: u64,
    pub(super) bulk: Vec<Digest>,
    pub(super) bulk_up: bool,
    pub(super) bulk_line: u64,
    pub(super) wake: Option<Duration>,
    pub(super) sounding: Option<Sounding>,
    /// Until when it has no link.
    pub(super) dark_until: Duration,
}

impl Site {
    pub(super) fn new(nth: usize, village: usize, drift_ppm: i64) -> Self {
        Self {
            id: format!("c-{nth}").parse().expect("letters, digits and a hyphen"),
            village,
            rtc: nth.is_multiple_of(3),
            small: nth % 5 == 4,
            flash: Flash::default(),
            agent: None,
            life: 0,
            powered: true,
            started: Duration::ZERO,
            drift_ppm,
            offset: 0,
            up: false,
            told_up: false,
            line: 0,
            bulk: vec![],
            bulk_up: false,
            bulk_line: 0,
            wake: None,
            sounding: None,
            dark_until: Duration::ZERO,
        }
    }

    /// What its two clocks say at the true time `at`.
    pub(super) fn now(&self, at: Duration) -> Now {
        let ran = micros(at.saturating_sub(self.started));
        let up = ran + ran / 1_000_000 * self.drift_ppm;
        let utc = Timestamp::from_micros(utc_at(at).micros() + self.offset);
        Now { utc, up: Uptime::at(Duration::from_micros(u64::try_from(up).unwrap_or(0))) }
    }

    /// The true time at which its monotonic clock shows `up`, or a little later.
    pub(super) fn true_time(&self, up: Uptime) -> Duration {
        let up = micros(up.since(Uptime::START));
        let ran = up - up / 1_000_000 * self.drift_ppm + 1_000;
        self.started + Duration::from_micros(u64::try_from(ran).unwrap_or(0))
    }

    /// Power is gone at `at`: what the clock shows when it is back.
    pub(super) fn reset_clock(&mut self, back: Duration, battery_dead: bool) {
        self.offset =
            if self.rtc && !battery_dead { 0 } else { RESET.micros() - utc_at(back).micros() };
    }

    /// A process begins.
    pub(super) fn start(&mut self, at: Duration, station: &Station, randomness: [u8; 32]) {
        self.started = at;
        self.life += 1;
        (self.wake, self.sounding) = (None, None);
        self.bulk.clear();
        (self.bulk_up, self.told_up) = (false, false);
        let restored = self.flash.restore(station.net(), station.provision());
        let settings = self.settings(station, randomness);
        let key = station.own_key(Role::Device, self.id.as_str());
        self.agent = Agent::start(settings, key, restored, self.now(at)).ok();
    }

    /// The process ends, however.
    pub(super) fn end(&mut self) {
        self.life += 1;
        (self.agent, self.sounding, self.wake) = (None, None, None);
        self.bulk.clear();
        self.bulk_up = false;
        self.told_up = false;
    }

    fn settings(&self, station: &Station, randomness: [u8; 32]) -> Settings {
        let receipts = crate::agent::RECEIPTS_ROUTINE_MAX;
        Settings {
            net: station.net().clone(),
            controller: self.id.clone(),
            anchors: station.anchors(),
            outer: outer(),
            zone: Zone::default(),
            rtc: self.rtc,
            amplifier: false,
            receipts_max: if self.small { SMALL_FLASH_RECEIPTS } else { receipts },
            library_bytes_max: u64::MAX,
            software: "sim".to_owned(),
            randomness,
        }
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// When a routine airing may sound at all: what no message changes.
pub(super) fn outer() -> AirtimePolicy {
    windows(&[("04:30", "21:30")])
}

/// A policy with these windows on every day.
pub(super) fn windows(hours: &[(&str, &str)]) -> AirtimePolicy {
    let time = |text: &str| text.parse().expect("a time of day");
    let window = |(from, until): &(&str, &str)| Window::new(Days::EVERY, time(from), time(until));
    AirtimePolicy {
        windows: hours.iter().map(|hours| window(hours).expect("not empty")).collect(),
        sessions_a_day_max: 8,
        minutes_a_session_max: 30,
        minutes_a_day_max: 120,
    }
}

/// How long a part sounds.
pub(super) fn length(part: &Part, station: &Station) -> Duration {
    match part {
        Part::Tone(tone) => Duration::from_millis(tone.duration().get()),
        Part::Silence(length) => *length,
        Part::Sound { asset, .. } => station.length(*asset),
    }
}
