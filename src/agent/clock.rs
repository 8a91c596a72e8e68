//! What a controller believes about the time.
//!
//! **Nothing plays on a clock that is not trusted.** A clock is trusted when the device keeps time
//! through a power cut (`rtc`), or once the server answered a nonce that this process made. From
//! then on time is that answer plus uptime: a system clock that steps changes nothing.

use std::time::Duration;

use crate::protocol::{ClockAnswer, ClockAsk};
use crate::time::{Now, Timestamp, Uptime};

/// An answer that took longer is not taken: its middle could be off by half of this.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);

/// How often the time is asked for once it is trusted: a 50 ppm crystal drifts 0.2 s an hour.
const ASK_EVERY: Duration = Duration::from_hours(1);

/// How long an answer is waited for before the question is put again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// The agent's clock.
#[derive(Debug)]
pub(super) struct Clock {
    /// UTC at the start of this process, once known.
    start: Option<Timestamp>,
    /// When it became known.
    trusted_since: Option<Uptime>,
    pending: Option<(String, Uptime)>,
    asked: Option<Uptime>,
    offset_ms: i64,
}

impl Clock {
    /// A clock at `now`; trusted at once where the device keeps time through a power cut.
    pub(super) fn new(now: Now, rtc: bool) -> Self {
        let elapsed = now.up.since(Uptime::START);
        Self {
            start: rtc.then_some(now.utc - elapsed),
            trusted_since: rtc.then_some(now.up),
            pending: None,
            asked: None,
            offset_ms: 0,
        }
    }

    /// The time, where it is trusted.
    pub(super) fn utc(&self, up: Uptime) -> Option<Timestamp> {
        self.start.map(|start| start + up.since(Uptime::START))
    }

    /// When the process began, where that is known.
    pub(super) fn boot_utc(&self) -> Option<Timestamp> {
        self.start
    }

    /// Since when the time is trusted.
    pub(super) fn trusted_since_utc(&self) -> Option<Timestamp> {
        self.trusted_since.and_then(|up| self.utc(up))
    }

    /// By how much the system clock was off at the last answer.
    pub(super) fn offset_ms(&self) -> i64 {
        self.offset_ms
    }

    /// When the next question is due.
    pub(super) fn ask_at(&self) -> Uptime {
        match self.asked {
            None => Uptime::START,
            Some(asked) if self.pending.is_some() => asked + ASK_AGAIN,
            Some(asked) => asked + ASK_EVERY,
        }
    }

    /// Notes that a question with this nonce leaves now.
    pub(super) fn asking(&mut self, up: Uptime, nonce: String) {
        self.pending = Some((nonce, up));
        self.asked = Some(up);
    }

    /// A lost connection may have lost the question.
    pub(super) fn connected(&mut self) {
        if self.pending.take().is_some() || self.start.is_none() {
            self.asked = None;
        }
    }

    /// Takes an answer to the question that waits; `false` where it answers no such question.
    pub(super) fn answered(&mut self, now: Now, answer: &ClockAnswer) -> bool {
        let Some((nonce, sent)) = self.pending.take() else { return false };
        let trip = now.up.since(sent);
        if nonce != answer.nonce || trip > ROUND_TRIP_MAX || answer.t3 < answer.t2 {
            self.pending = Some((nonce, sent));
            return false;
        }
        let travel = trip.saturating_sub(answer.t3.since(answer.t2)) / 2;
        let utc = answer.t3 + travel;
        self.offset_ms = (now.utc.micros() - utc.micros()) / 1_000;
        self.start = Some(utc - now.up.since(Uptime::START));
        self.trusted_since.get_or_insert(now.up);
        true
    }
}

/// The question with this nonce.
pub(super) fn ask(controller: crate::id::ControllerId, nonce: String, now: Now) -> ClockAsk {
    ClockAsk { controller, nonce, t1: now.utc }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(utc: i64, up_ms: u64) -> Now {
        Now { utc: Timestamp::from_seconds(utc), up: Uptime::at(Duration::from_millis(up_ms)) }
    }

    fn answer(nonce: &str, server: i64) -> ClockAnswer {
        let at = Timestamp::from_seconds(server);
        ClockAnswer {
            controller: "c".parse().unwrap(),
            nonce: nonce.to_owned(),
            t1: Timestamp::EPOCH,
            t2: at,
            t3: at,
            manifest: 0,
            emergency: 0,
        }
    }

    #[test]
    fn a_clock_reset_to_1970_is_not_trusted_until_its_nonce_is_answered() {
        let mut clock = Clock::new(now(0, 0), false);
        assert_eq!(clock.utc(now(0, 500).up), None);
        clock.asking(now(0, 1_000).up, "a".to_owned());
        assert!(!clock.answered(now(0, 1_100), &answer("b", 5_000)));
        assert!(clock.answered(now(0, 1_200), &answer("a", 5_000)));
        let expected = Timestamp::from_seconds(5_000) + Duration::from_millis(100);
        assert_eq!(clock.utc(now(0, 1_200).up), Some(expected));
        assert!(!clock.answered(now(0, 1_300), &answer("a", 9_000)), "an answer counts once");
    }

    #[test]
    fn a_system_clock_that_steps_changes_nothing() {
        let clock = Clock::new(now(1_000, 0), true);
        assert_eq!(clock.utc(now(99, 5_000).up), Some(Timestamp::from_seconds(1_005)));
    }

    #[test]
    fn an_answer_that_took_too_long_is_not_taken() {
        let mut clock = Clock::new(now(0, 0), false);
        clock.asking(now(0, 0).up, "a".to_owned());
        assert!(!clock.answered(now(0, 10_001), &answer("a", 5_000)));
    }
}
