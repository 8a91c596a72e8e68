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
const STRETCH: usize = 16;

/// A gain this near to 1 (0.001 dB) has come back, so that rest is reached at all.
const RESTED: f64 = 0.999_9;

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
    /// Samples whose gain is not known yet, then those that are being looked at.
    delayed: Vec<f32>,
    /// The samples that the oversampler still needs, then those that are being looked at.
    recent: Vec<f32>,
    crest_before: f32,
    hold: Minimum,
    release: f64,
    held: f64,
    smooth: [Average; 2],
    /// Samples since the gain was last below 1 anywhere; at rest once it exceeds all memory.
    calm: usize,
    /// Gains still to be dropped before the first that belongs to a sample.
    late: usize,
    gains: Vec<f32>,
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
            delayed: Vec::new(),
            recent: vec![0.0; TAPS - 1],
            crest_before: 0.0,
            hold: Minimum::new(2 * half + 1),
            release: 1.0 - (-1.0 / (rate.hz() * RELEASE_S)).exp(),
            held: 1.0,
            smooth: [Average::new(half + 1), Average::new(half + 1)],
            calm: usize::MAX / 2,
            late: 2 * half + TAPS / 2,
            gains: Vec::new(),
        }
    }

    fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.delayed.extend_from_slice(samples);
        let mut recent = std::mem::take(&mut self.recent);
        recent.extend_from_slice(samples);
        self.gains.clear();
        let mut start = 0;
        while start + TAPS <= recent.len() {
            let end = (start + STRETCH + TAPS - 1).min(recent.len());
            self.stretch(&recent[start..end]);
            start = end - (TAPS - 1);
        }
        recent.drain(..start);
        self.recent = recent;
        self.release(out);
    }

    /// Multiplies the samples whose gains are known.
    fn release(&mut self, out: &mut Vec<f32>) {
        let dropped = self.late.min(self.gains.len());
        self.late -= dropped;
        let gains = &self.gains[dropped..];
        out.extend(self.delayed.iter().zip(gains).map(|(sample, gain)| sample * gain));
        self.delayed.drain(..gains.len());
    }

    fn flush(&mut self, out: &mut Vec<f32>) {
        let owed = out.len() + self.delayed.len();
        self.process(&vec![0.0; self.memory()], out);
        out.truncate(owed);
    }

    /// The whole delay: the look-ahead and half the oversampler. No gain remembers more.
    fn memory(&self) -> usize {
        self.hold.width - 1 + TAPS / 2
    }

    /// Finds the gains of a stretch.
    fn stretch(&mut self, samples: &[f32]) {
        let count = samples.len() + 1 - TAPS;
        let quiet = magnitude(samples) * self.oversampler.worst() <= self.ceiling
            && self.crest_before <= self.ceiling;
        if quiet && self.calm > 2 * self.memory() {
            // At rest nothing is remembered but ones; going through the motions would change no gain.
            self.crest_before = 0.0;
            self.gains.resize(self.gains.len() + count, 1.0);
            return;
        }
        for window in samples.windows(TAPS) {
            let around: &[f32; TAPS] = window.first_chunk().expect("a window of TAPS samples");
            // The sample is the first of the two in the middle; its crest is the higher of those on either side.
            let after = if quiet { 0.0 } else { self.oversampler.between(around) };
            let crest = around[TAPS / 2 - 1].abs().max(self.crest_before).max(after);
            self.crest_before = after;
            let need =
                if crest > self.ceiling { f64::from(self.ceiling) / f64::from(crest) } else { 1.0 };
            self.gain(need);
        }
    }

    fn gain(&mut self, need: f64) {
        let floor = self.hold.push(need);
        self.held = floor.min(self.held + (1.0 - self.held) * self.release);
        if self.held > RESTED {
            self.held = floor;
        }
        self.calm = if self.held < 1.0 || need < 1.0 { 0 } else { self.calm.saturating_add(1) };
        let [first, second] = &mut self.smooth;
        #[expect(clippy::cast_possible_truncation, reason = "a gain between 0 and 1")]
        self.gains.push(second.push(first.push(self.held)) as f32);
    }
}

/// The smallest of the last `width` values, none of which exceeds 1; ones are not stored, and most are ones.
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
        self.count += 1;
        if value < 1.0 {
            while self.rising.back().is_some_and(|(_, last)| *last >= value) {
                self.rising.pop_back();
            }
            self.rising.push_back((self.count, value));
        }
        if self.rising.front().is_some_and(|(at, _)| at + self.width <= self.count) {
            self.rising.pop_front();
        }
        self.rising.front().map_or(1.0, |(_, smallest)| *smallest)
    }
}

/// The mean of the last values, which were 1 before the first.
#[derive(Clone, Debug)]
struct Average {
    /// What each of the last values lacks to 1.
    lacks: Vec<f64>,
    oldest: usize,
    /// Their sum: zero at rest, so that rounding stays near 1e-16 instead of the width's size.
    missing: f64,
    width: f64,
}

impl Average {
    fn new(width: usize) -> Self {
        let width_f = f64::from(u32::try_from(width).expect("a few milliseconds"));
        Self { lacks: vec![0.0; width], oldest: 0, missing: 0.0, width: width_f }
    }

    fn push(&mut self, value: f64) -> f64 {
        let lack = 1.0 - value;
        self.missing = (self.missing + lack - self.lacks[self.oldest]).max(0.0);
        self.lacks[self.oldest] = lack;
        self.oldest = if self.oldest + 1 == self.lacks.len() { 0 } else { self.oldest + 1 };
        1.0 - self.missing / self.width
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::peak::TruePeak;
    use super::*;

    const RATE: SampleRate = SampleRate::WIDEBAND;

    fn limited(sound: &[f32], block: usize, ceiling: f64) -> Vec<f32> {
        let mut limiter = Limiter::new(RATE, Dbtp::nearest(ceiling));
        let mut out = Vec::new();
        for block in sound.chunks(block) {
            limiter.process(block, &mut out);
        }
        limiter.finish(&mut out);
        out
    }

    fn true_peak(sound: &[f32]) -> f64 {
        let mut meter = TruePeak::new();
        meter.push(sound);
        Dbtp::of_amplitude(f64::from(meter.finish())).get()
    }

    /// Sounds that hurt limiters: bursts, lone spikes, squares, alternating full scale, steps, noise, far too loud.
    #[expect(clippy::cast_possible_truncation, reason = "a seed")]
    fn adversarial() -> impl Strategy<Value = Vec<f32>> {
        let piece = (0..7_u8, 1..400_usize, 0.1..40.0_f32, any::<u64>()).prop_map(
            |(kind, length, level, seed)| {
                let mut state = seed | 1;
                let mut noise = move || {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    f32::from((state >> 48) as u16) / 32_768.0 - 1.0
                };
                (0..length)
                    .map(|n| match kind {
                        0 => 0.0,
                        1 => level,
                        2 => level * if n % 2 == 0 { 1.0 } else { -1.0 },
                        3 => level * if n == length / 2 { 1.0 } else { 0.0 },
                        // A quarter of the rate at 45°: its crests lie 3 dB above its samples.
                        4 => level * [1.0, 1.0, -1.0, -1.0][n % 4],
                        // Square waves of two to thirty-three samples a side.
                        5 => {
                            level
                                * if (n / (seed as usize % 32 + 2)).is_multiple_of(2) {
                                    1.0
                                } else {
                                    -1.0
                                }
                        }
                        _ => level * noise(),
                    })
                    .collect::<Vec<f32>>()
            },
        );
        prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_exceeds_the_ceiling_between_the_samples_either(sound in adversarial(), ceiling in -12.0..0.0_f64) {
            let out = limited(&sound, 777, ceiling);
            prop_assert_eq!(out.len(), sound.len());
            prop_assert!(true_peak(&out) <= ceiling + 0.02, "{} dBTP over {ceiling}", true_peak(&out));
        }

        #[test]
        fn the_size_of_the_blocks_changes_no_sample(sound in adversarial(), block in 1..600_usize) {
            prop_assert_eq!(limited(&sound, block, -3.0), limited(&sound, 5_000, -3.0));
        }

        #[test]
        fn what_is_below_the_ceiling_passes_untouched(sound in prop::collection::vec(-0.2..0.2_f32, 1..3_000)) {
            prop_assert_eq!(limited(&sound, 512, -1.0), sound);
        }
    }

    #[test]
    fn the_gain_comes_back_after_a_peak() {
        let mut sound = vec![0.3_f32; 48_000];
        sound[8_000] = 4.0;
        let out = limited(&sound, 1_024, -1.0);
        assert!(out[8_100] < 0.25, "still held just after: {}", out[8_100]);
        assert!((out[40_000] - 0.3).abs() < 1e-6, "back after two seconds: {}", out[40_000]);
    }
}
