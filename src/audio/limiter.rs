//! A look-ahead limiter for true peaks.
//!
//! **What leaves never exceeds the ceiling, between the samples too** (as [`super::peak`] reads it). For each sample
//! the gain is found that its true peak needs; the smallest of the next few milliseconds is held, released slowly,
//! and smoothed by two moving averages whose joint length is that same look-ahead, so that the gain has arrived at
//! what a peak needs exactly when the peak does. A moving gain bends the wave a little between samples; a second,
//! identical stage catches what that adds.
//!
//! ```text
//! need ─ minimum over look-ahead ─ slow release ─ average ─ average ─▶ gain × delayed sample
//! ```

use std::collections::VecDeque;

use super::peak::{Oversampler, TAPS, magnitude};
use crate::unit::{Dbtp, SampleRate};

/// Time that the gain takes to come down before a peak: short enough to stay local, long enough not to click.
const ATTACK_S: f64 = 0.005;

/// Time constant of the gain's way back: slower than a vowel's pitch, so that no voice is roughened.
const RELEASE_S: f64 = 0.08;

/// Each stage aims this factor below its ceiling (0.01 dB), for the rounding of single-precision samples.
const MARGIN: f32 = 0.998_849;

/// Samples bounded and skipped together when none can exceed the ceiling.
const STRETCH: usize = 64;

/// Two stages over one channel; as many samples leave as entered, unshifted, once [`Limiter::finish`] is called.
#[derive(Clone, Debug)]
pub struct Limiter {
    stages: [Stage; 2],
    between: Vec<f32>,
}

impl Limiter {
    /// A limiter at rest.
    #[must_use]
    pub fn new(rate: SampleRate, ceiling: Dbtp) -> Self {
        let stage = Stage::new(rate, ceiling);
        Self { stages: [stage.clone(), stage], between: Vec::new() }
    }

    /// Takes samples and appends to `out` those that are ready.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let [first, second] = &mut self.stages;
        self.between.clear();
        first.process(samples, &mut self.between);
        second.process(&self.between, out);
    }

    /// Appends the samples that were still held back.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        let [first, second] = &mut self.stages;
        self.between.clear();
        first.flush(&mut self.between);
        second.process(&self.between, out);
        second.flush(out);
    }
}

#[derive(Clone, Debug)]
struct Stage {
    oversampler: Oversampler,
    ceiling: f32,
    /// Samples from the oldest that some result still needs.
    input: VecDeque<f32>,
    /// Contiguous copy of the newest samples, for the oversampler.
    recent: Vec<f32>,
    crest_before: f32,
    hold: Minimum,
    release: f64,
    held: f64,
    smooth: [Average; 2],
    /// Samples still to be swallowed before the first gain that belongs to a sample comes out.
    late: usize,
}

impl Stage {
    fn new(rate: SampleRate, ceiling: Dbtp) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "5 ms at 4 to 384 kHz: 20 to 1920"
        )]
        let half = (rate.hz() * ATTACK_S / 2.0) as usize;
        #[expect(clippy::cast_possible_truncation, reason = "a ceiling near 1.0")]
        let ceiling = ceiling.amplitude() as f32 * MARGIN;
        Self {
            oversampler: Oversampler::new(),
            ceiling,
            input: VecDeque::new(),
            recent: vec![0.0; TAPS - 1],
            crest_before: 0.0,
            hold: Minimum::new(2 * half + 1),
            release: 1.0 - (-1.0 / (rate.hz() * RELEASE_S)).exp(),
            held: 1.0,
            smooth: [Average::new(half + 1), Average::new(half + 1)],
            late: 2 * half + TAPS / 2,
        }
    }

    fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.input.extend(samples);
        let mut waiting = std::mem::take(&mut self.recent);
        waiting.extend_from_slice(samples);
        let mut start = 0;
        while start + TAPS <= waiting.len() {
            let end = (start + STRETCH + TAPS - 1).min(waiting.len());
            self.stretch(&waiting[start..end], out);
            start = end - (TAPS - 1);
        }
        waiting.drain(..start);
        self.recent = waiting;
    }

    fn flush(&mut self, out: &mut Vec<f32>) {
        let silence = vec![0.0; self.late_full()];
        let owed = out.len() + self.input.len();
        self.process(&silence, out);
        out.truncate(owed);
    }

    /// The whole delay: the look-ahead and half the oversampler.
    fn late_full(&self) -> usize {
        self.hold.width - 1 + TAPS / 2
    }

    /// Finds the need of each sample in a stretch and lets out what is ready.
    fn stretch(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let loudest = magnitude(samples);
        let calm = loudest * self.oversampler.worst() <= self.ceiling;
        for window in samples.windows(TAPS) {
            let around: &[f32; TAPS] = window.first_chunk().expect("a window of TAPS samples");
            // The sample is the first of the two in the middle; its crest is the higher of those on either side.
            let after = if calm { 0.0 } else { self.oversampler.between(around) };
            let crest = around[TAPS / 2 - 1].abs().max(self.crest_before).max(after);
            self.crest_before = after;
            let need =
                if crest > self.ceiling { f64::from(self.ceiling) / f64::from(crest) } else { 1.0 };
            self.gain(need, out);
        }
    }

    fn gain(&mut self, need: f64, out: &mut Vec<f32>) {
        let floor = self.hold.push(need);
        self.held = floor.min(self.held + (1.0 - self.held) * self.release);
        let [first, second] = &mut self.smooth;
        let gain = second.push(first.push(self.held));
        if self.late > 0 {
            self.late -= 1;
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a gain between 0 and 1")]
        out.push(self.input.pop_front().expect("one sample entered for each gain") * gain as f32);
    }
}

/// The smallest of the last `width` values, each value looked at twice at most.
#[derive(Clone, Debug)]
struct Minimum {
    width: usize,
    count: usize,
    rising: VecDeque<(usize, f64)>,
}

impl Minimum {
    fn new(width: usize) -> Self {
        Self { width, count: 0, rising: VecDeque::new() }
    }

    fn push(&mut self, value: f64) -> f64 {
        while self.rising.back().is_some_and(|(_, last)| *last >= value) {
            self.rising.pop_back();
        }
        self.rising.push_back((self.count, value));
        self.count += 1;
        if self.rising.front().is_some_and(|(at, _)| at + self.width < self.count) {
            self.rising.pop_front();
        }
        self.rising.front().expect("just pushed").1
    }
}

/// The mean of the last values, which were 1 before the first.
#[derive(Clone, Debug)]
struct Average {
    values: VecDeque<f64>,
    /// Sum of (1 − value): zero at rest, so that rounding stays near 1e-16 instead of the width's size.
    missing: f64,
    width: f64,
}

impl Average {
    fn new(width: usize) -> Self {
        let width_f = f64::from(u32::try_from(width).expect("a few milliseconds"));
        Self { values: VecDeque::from(vec![1.0; width]), missing: 0.0, width: width_f }
    }

    fn push(&mut self, value: f64) -> f64 {
        let oldest = self.values.pop_front().expect("never empty");
        self.values.push_back(value);
        self.missing = (self.missing + (oldest - value)).max(0.0);
        1.0 - self.missing / self.width
    }
}
