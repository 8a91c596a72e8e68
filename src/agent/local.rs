//! What people and wires at the device itself do: the local stop, the volume, sensors, self-tests.
//!
//! **The local stop silences everything, warnings too**: whoever stands at the pole has the last
//! word there. It is told in a receipt and in every status, what it cut off has its cause, and a
//! warning sounds once it is released, as long as it is not expired.

use std::time::Duration;

use crate::agent::airing::What;
use crate::agent::{Agent, Output, Part, Record, Sounded};
use crate::audio::tone::Tone;
use crate::digest::Digest;
use crate::receipt::{Cause, Event, Evidence, TestPart, Tested};
use crate::time::{Now, Timestamp};

/// Free storage below which a self-test complains, in KiB: a week of recordings of one village.
const STORAGE_KIB_MIN: u64 = 32 * 1024;

/// How far the system clock may be off in a self-test, in milliseconds.
const CLOCK_MS_MAX: u64 = 2_000;

/// What is known of the device's own switch.
#[derive(Debug, Default)]
pub(super) struct Local {
    stopped: bool,
    /// Turned before the clock was trusted, and not told yet.
    untold: bool,
    /// What the last self-test of this process found.
    tests: Vec<Tested>,
}

impl Local {
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }
}

/// What a sensor's answer names in a self-test: no recording sounds then.
pub fn tone_digest() -> Digest {
    Digest::of(b"loaban test tone")
}

impl Agent {
    /// Whether somebody at the device stopped all sound.
    pub fn is_stopped(&self) -> bool {
        self.local.stopped
    }

    /// What the last self-test of this process found.
    pub fn last_test(&self) -> &[Tested] {
        &self.local.tests
    }

    pub(super) fn local_stop(&mut self, now: Now, stopped: bool) {
        if self.local.stopped == stopped {
            return;
        }
        self.local.stopped = stopped;
        self.local.untold = true;
        if stopped {
            self.stop(Cause::Stopped);
        }
        self.upkeep.changed();
        self.tell_local_stop(now);
    }

    /// Swears that the switch was turned, as soon as the time is trusted.
    pub(super) fn tell_local_stop(&mut self, now: Now) {
        let Some(utc) = self.clock.utc(now.up).filter(|_| self.local.untold) else { return };
        self.local.untold = false;
        let what = if self.local.stopped { "stop" } else { "release" };
        self.swear(utc, Event::Order { number: 0, what: what.to_owned(), tests: vec![] });
    }

    /// Takes what a command at the device says of a recording that sounds.
    pub(super) fn sensed(&mut self, token: u64, asset: Digest, evidence: Evidence) {
        let Some(playing) = self.playing.as_ref().filter(|playing| playing.is(token)) else {
            return;
        };
        let test = matches!(playing.what, What::Test(_)) && asset == tone_digest();
        if test || playing.sounds_any_of(&[asset]) {
            let known = self.sensed.entry(asset).or_insert(evidence);
            *known = evidence.max(*known);
        }
    }

    pub(super) fn set_volume(&mut self, percent: u8) {
        self.keep(Record::Volume { percent });
        self.upkeep.volume_percent = percent;
        self.upkeep.changed();
        if let Some(playing) = &self.playing {
            self.out.push_back(Output::Volume(playing.volume_percent(percent)));
        }
    }

    /// Somebody at the device wants a self-test.
    pub(super) fn self_test_here(&mut self, now: Now) {
        if let Some(utc) = self.clock.utc(now.up) {
            self.self_test(utc, 0);
        }
    }

    /// Begins a self-test; its findings are sworn when the tone is over, or at once where there is no
    /// tone: while something plays, with the local stop on, in quiet hours.
    pub(super) fn self_test(&mut self, utc: Timestamp, number: u64) {
        let until = utc + Duration::from_millis(Tone::Test.duration().get());
        if let Some(why) = self.no_tone() {
            return self.tested(utc, number, &Sounded::Failed(why.to_owned()));
        }
        self.sensed.clear();
        if self.settings.outer.allows(self.settings.zone, utc, until) {
            let parts = vec![Part::Tone(Tone::Test)];
            let order = (parts, vec![None]);
            self.play(What::Test(number), "selftest".to_owned(), order, Some(100));
        } else {
            self.tested(utc, number, &Sounded::Failed("no sound in quiet hours".to_owned()));
        }
    }

    /// Why no test tone may sound now, whatever the hour.
    fn no_tone(&self) -> Option<&'static str> {
        let stopped = self.local.stopped.then_some("the local stop is on");
        stopped.or_else(|| self.playing.is_some().then_some("something else plays"))
    }

    pub(super) fn tested(&mut self, utc: Timestamp, number: u64, sounded: &Sounded) {
        let tests = self.findings(sounded);
        self.local.tests.clone_from(&tests);
        self.swear(utc, Event::Order { number, what: "selftest".to_owned(), tests });
    }

    fn findings(&self, sounded: &Sounded) -> Vec<Tested> {
        let finding = |part, well, found: String| Tested {
            part,
            well,
            found: found.chars().take(100).collect(),
        };
        let tone = match sounded {
            Sounded::Finished | Sounded::Part(_) => "played to its end".to_owned(),
            Sounded::Stopped => "stopped before its end".to_owned(),
            Sounded::Failed(why) => why.clone(),
        };
        let free = self.upkeep.storage_free_kib;
        let (up, off) = (self.upkeep.main_is_up(), self.clock.offset_ms());
        let link = if up { "connected to the broker" } else { "not connected to the broker" };
        let mut tests = vec![
            finding(TestPart::Tone, *sounded == Sounded::Finished, tone),
            finding(TestPart::Storage, free >= STORAGE_KIB_MIN, format!("{free} KiB free")),
            finding(TestPart::Link, up, link.to_owned()),
            finding(
                TestPart::Clock,
                off.unsigned_abs() <= CLOCK_MS_MAX,
                format!("trusted; the system clock is off by {off} ms"),
            ),
        ];
        if self.settings.amplifier {
            let well = self.sensed.contains_key(&tone_digest());
            let found = if well { "drew current" } else { "no current was told of the tone" };
            tests.push(finding(TestPart::Amplifier, well, found.to_owned()));
        }
        tests
    }
}
