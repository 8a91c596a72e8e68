//! What a controller believes about the time.
//!
//! **Nothing plays on a clock that is not trusted.** A clock is trusted when the device keeps time
//! through a power cut (`rtc`), or once the server answered a nonce that this process made. From
//! then on time is that answer plus uptime: a system clock that steps changes nothing.
//!
//! Every answer bounds the time from both sides: it is not before the answer left, and not after
//! the question came by as much as has passed since it was asked. Of all answers of the last hours
//! the straight line is taken that fits between all bounds: its slope is how much this crystal is
//! off. So two controllers in earshot begin together though each answer alone may be 100 ms off.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::{ClockAnswer, ClockAsk};
use crate::time::{Now, Timestamp, Uptime};

/// An answer that took longer is not taken: its middle could be off by half of this.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);

/// The longest pause between two rounds of questions.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// The first pause; it doubles up to [`PAUSE_MAX`], so that the crystal's rate is soon known.
const PAUSE_MIN: Duration = Duration::from_mins(15);

/// Questions of the first round, and of the one before an airing.
const ROUND_FIRST: u8 = 16;

/// Questions of a later round.
const ROUND_LATER: u8 = 4;

/// From one question of a round to the next.
const QUESTION_GAP: Duration = Duration::from_secs(2);

/// How long an answer is waited for before the question is put again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Answers that are remembered: half a day of rounds.
const ANSWERS_MAX: usize = 64;

/// The most that a crystal is off, in millionths: worse ones are not sold for boards.
const RATE_PPM_MAX: i64 = 100;

/// Between two rates that are tried, in millionths.
const RATE_PPM_STEP: usize = 2;

/// How much a rate may change with the weather, in millionths: old answers count for less.
const RATE_PPM_UNSURE: i64 = 1;

/// What one answer says: UTC minus uptime, at `up`, lies within these.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    up: Uptime,
    low: i64,
    high: i64,
}

/// UTC minus uptime, in microseconds: a straight line over uptime.
#[derive(Clone, Copy, Debug)]
struct Line {
    at: Uptime,
    offset: i64,
    rate_ppm: i64,
}

impl Line {
    fn utc(&self, up: Uptime) -> Timestamp {
        let since = micros(up) - micros(self.at);
        Timestamp::from_micros(micros(up) + self.offset + scaled(since, self.rate_ppm))
    }
}

/// The agent's clock.
#[derive(Debug)]
pub(super) struct Clock {
    /// The time, once known.
    line: Option<Line>,
    answers: VecDeque<Bounds>,
    /// When it became known.
    trusted_since: Option<Uptime>,
    pending: Option<(String, Uptime)>,
    asked: Option<Uptime>,
    /// Questions of this round that are still to be asked.
    left: u8,
    pause: Duration,
    /// The airing for which a round was begun last.
    prepared: Option<Timestamp>,
    offset_ms: i64,
}

impl Clock {
    /// A clock at `now`; trusted at once where the device keeps time through a power cut.
    pub(super) fn new(now: Now, rtc: bool) -> Self {
        let offset = now.utc.micros() - micros(now.up);
        Self {
            line: rtc.then_some(Line { at: now.up, offset, rate_ppm: 0 }),
            answers: VecDeque::new(),
            trusted_since: rtc.then_some(now.up),
            pending: None,
            asked: None,
            left: ROUND_FIRST,
            pause: PAUSE_MIN,
            prepared: None,
            offset_ms: 0,
        }
    }

    /// The time, where it is trusted.
    pub(super) fn utc(&self, up: Uptime) -> Option<Timestamp> {
        self.line.map(|line| line.utc(up))
    }

    /// When the process began, where that is known.
    pub(super) fn boot_utc(&self) -> Option<Timestamp> {
        self.utc(Uptime::START)
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
            Some(asked) if self.left > 0 => asked + QUESTION_GAP,
            Some(asked) => asked + self.pause,
        }
    }

    /// Notes that a question with this nonce leaves now.
    pub(super) fn asking(&mut self, up: Uptime, nonce: String) {
        if self.left == 0 {
            self.pause = (self.pause * 2).min(PAUSE_MAX);
            self.left = ROUND_LATER;
        }
        self.pending = Some((nonce, up));
        self.asked = Some(up);
    }

    /// Begins a round for the airing at this time, once.
    pub(super) fn prepare(&mut self, airing: Timestamp) {
        if self.prepared != Some(airing) {
            self.prepared = Some(airing);
            self.left = ROUND_FIRST;
        }
    }

    /// A lost connection may have lost the question.
    pub(super) fn connected(&mut self) {
        if self.pending.take().is_some() || self.line.is_none() {
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
        self.left = self.left.saturating_sub(1);
        let low = answer.t3.micros() - micros(now.up);
        // One that took longer to answer than to travel there and back bounds nothing by itself.
        let high = (answer.t2.micros() - micros(sent)).max(low);
        self.answers.push_back(Bounds { up: now.up, low, high });
        if self.answers.len() > ANSWERS_MAX {
            self.answers.pop_front();
        }
        let line = self.fit(now.up);
        self.offset_ms = (now.utc.micros() - line.utc(now.up).micros()) / 1_000;
        self.line = Some(line);
        self.trusted_since.get_or_insert(now.up);
        true
    }

    /// The line between all bounds. Where none fits, the server's clock or the crystal changed:
    /// older answers are forgotten until one does.
    fn fit(&mut self, up: Uptime) -> Line {
        loop {
            if let Some(line) = fitting(self.answers.make_contiguous(), up) {
                return line;
            }
            self.answers.pop_front();
        }
    }
}

/// The line in the middle of those that lie within all bounds. One answer alone always has one.
fn fitting(answers: &[Bounds], up: Uptime) -> Option<Line> {
    let widened: Vec<Widened> = answers.iter().map(|bounds| bounds.widened(up)).collect();
    let rates = (-RATE_PPM_MAX..=RATE_PPM_MAX).step_by(RATE_PPM_STEP);
    let fits: Vec<(i64, i64)> =
        rates.filter_map(|rate| Some((rate, offset_at(&widened, rate)?))).collect();
    let (rate_ppm, offset) = *fits.get(fits.len() / 2)?;
    Some(Line { at: up, offset, rate_ppm })
}

/// Bounds with what a crystal of no rate may have moved since.
struct Widened {
    /// How long ago (µs).
    age: i64,
    low: i64,
    high: i64,
}

impl Bounds {
    fn widened(&self, up: Uptime) -> Widened {
        let age = micros(up) - micros(self.up);
        let unsure = scaled(age, RATE_PPM_UNSURE);
        Widened { age, low: self.low - unsure, high: self.high + unsure }
    }
}

/// The middle of what is possible for a crystal of this rate; `None` where nothing is.
fn offset_at(answers: &[Widened], rate_ppm: i64) -> Option<i64> {
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    for bounds in answers {
        let moved = scaled(bounds.age, rate_ppm);
        low = low.max(bounds.low + moved);
        high = high.min(bounds.high + moved);
        if low > high {
            return None;
        }
    }
    Some(i64::midpoint(low, high))
}

fn micros(up: Uptime) -> i64 {
    i64::try_from(up.since(Uptime::START).as_micros()).unwrap_or(i64::MAX)
}

fn scaled(micros: i64, ppm: i64) -> i64 {
    // A thousand years fit.
    micros.saturating_mul(ppm) / 1_000_000
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

    /// Asks at `up` of a crystal that is `ppm` fast; the question takes `out`, the answer `back`.
    fn exchange(clock: &mut Clock, up_s: u64, ppm: i64, (out, back): (u64, u64)) {
        let true_us = |up_us: i64| up_us - scaled(up_us, ppm);
        let up = |up_us: i64| Uptime::at(Duration::from_micros(u64::try_from(up_us).unwrap()));
        let sent = i64::try_from(up_s * 1_000_000).unwrap();
        let trip = i64::try_from((out + back) * 1_000).unwrap();
        clock.asking(up(sent), "n".to_owned());
        let mut said = answer("n", 0);
        let there = true_us(sent) + i64::try_from(out * 1_000).unwrap();
        (said.t2, said.t3) = (Timestamp::from_micros(there), Timestamp::from_micros(there));
        let came = Now { utc: Timestamp::EPOCH, up: up(sent + trip) };
        assert!(clock.answered(came, &said));
    }

    #[test]
    fn many_lopsided_answers_together_are_better_than_each_alone() {
        let mut clock = Clock::new(now(0, 0), false);
        for (n, way) in [(200, 0), (0, 200), (150, 60), (30, 190)].into_iter().enumerate() {
            exchange(&mut clock, 2 * n as u64, 0, way);
        }
        let off = clock.utc(now(0, 8_000).up).unwrap().micros() - 8_000_000;
        assert!(off.abs() < 2_000, "{off} µs");
    }

    #[test]
    fn a_crystal_that_is_50_ppm_fast_is_known_after_two_hours() {
        let mut clock = Clock::new(now(0, 0), false);
        for hour in 0..3 {
            for (n, way) in [(5, 90), (90, 5)].into_iter().enumerate() {
                exchange(&mut clock, hour * 3_600 + 2 * n as u64, 50, way);
            }
        }
        // An hour later, without another answer: 180 ms by an untended crystal.
        let up = 3 * 3_600 * 1_000_000_i64;
        let at = Uptime::at(Duration::from_hours(3));
        let off = clock.utc(at).unwrap().micros() - (up - scaled(up, 50));
        assert!(off.abs() < 15_000, "{off} µs");
    }

    #[test]
    fn a_server_whose_clock_steps_is_followed_by_the_next_answer() {
        let mut clock = Clock::new(now(0, 0), false);
        for nonce in ["a", "b"] {
            clock.asking(now(0, 0).up, nonce.to_owned());
            let server = if nonce == "a" { 5_000 } else { 6_000 };
            assert!(clock.answered(now(0, 0), &answer(nonce, server)));
        }
        assert_eq!(clock.utc(now(0, 0).up), Some(Timestamp::from_seconds(6_000)));
    }
}
