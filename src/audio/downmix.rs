//! Many channels into one, without losing a voice.
//!
//! Weights follow ITU-R BS.775-3 annex 4 (front left and right 0.71, centre 1.0, surrounds 0.5, LFE none), scaled so
//! that no sum clips. **Two channels of opposite phase would sum to silence**: stereo is looked at half a second at a
//! time, ahead of the output, and while the sum loses what either side has, the louder side is taken instead, with a
//! short crossfade. Samples that are no numbers become silence, and glitches are clamped.

use super::source::{Format, Speaker};

/// Louder than +12 dBFS is a decoder's glitch (a bit-flipped MP3 gave +72 dB), never speech.
const GLITCH: f32 = 4.0;

/// Half a second: long enough to tell a phase error from a wide room.
const WINDOWS_PER_SECOND: usize = 2;

/// Crossfades between sum and side, per second: 20 ms.
const FADES_PER_SECOND: usize = 50;

/// The sum holds less than this share of the louder side's power (−12 dB): the sides cancel.
const CANCELS: f64 = 0.0625;

/// The sum holds more than this share (−9 dB): the sides no longer cancel.
const AGREES: f64 = 0.125;

/// A side below this share of the other's power (−40 dB) is dead, so nothing can cancel.
const DEAD: f64 = 1e-4;

/// Power of −60 dBFS, below which phase means nothing.
const FAINT: f64 = 1e-6;

/// What was found in the channels, counted in windows of half a second that are loud enough to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Windows judged.
    pub judged: u64,
    /// Windows in which the two sides cancelled.
    pub cancelling: u64,
    /// Windows in which one side was dead.
    pub one_sided: u64,
    /// Samples that were no numbers.
    pub not_numbers: u64,
    /// Samples beyond +12 dBFS.
    pub glitches: u64,
}

/// What leaves for a stretch of stereo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Take {
    Sum,
    Left,
    Right,
}

impl Take {
    fn of(self, [left, right]: [f32; 2]) -> f32 {
        match self {
            Self::Sum => f32::midpoint(left, right),
            Self::Left => left,
            Self::Right => right,
        }
    }
}

/// Mixes interleaved blocks to mono.
#[derive(Clone, Debug)]
pub struct Downmix {
    weights: Vec<f32>,
    stereo: bool,
    window: usize,
    fade: usize,
    waiting: Vec<[f32; 2]>,
    take: Take,
    findings: Findings,
}

impl Downmix {
    /// A downmix of that format.
    #[must_use]
    pub fn new(format: &Format) -> Self {
        let rate = format.rate.get() as usize;
        Self {
            weights: weights(&format.layout),
            stereo: format.layout == [Speaker::Left, Speaker::Right],
            window: rate / WINDOWS_PER_SECOND,
            fade: rate / FADES_PER_SECOND,
            waiting: Vec::new(),
            take: Take::Sum,
            findings: Findings::default(),
        }
    }

    /// Replaces what is no sound in an interleaved block; run it before anything else looks at the samples.
    pub fn sanitise(&mut self, block: &mut [f32]) {
        if block.iter().all(|sample| sample.abs() <= GLITCH) {
            return;
        }
        for sample in block {
            if !sample.is_finite() {
                self.findings.not_numbers += 1;
                *sample = 0.0;
            } else if sample.abs() > GLITCH {
                self.findings.glitches += 1;
                *sample = sample.clamp(-GLITCH, GLITCH);
            }
        }
    }

    /// Appends to `out` the mono samples that are ready.
    pub fn process(&mut self, block: &[f32], out: &mut Vec<f32>) {
        if self.weights.len() == 1 {
            return out.extend_from_slice(block);
        }
        if !self.stereo {
            let mix = |frame: &[f32]| {
                frame.iter().zip(&self.weights).map(|(sample, weight)| sample * weight).sum::<f32>()
            };
            return out.extend(block.chunks_exact(self.weights.len()).map(mix));
        }
        let mut frames = block.as_chunks::<2>().0;
        while !frames.is_empty() {
            let (now, later) = frames.split_at(frames.len().min(self.window - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            frames = later;
            if self.waiting.len() == self.window {
                self.release(out);
            }
        }
    }

    /// Appends what was held back and tells what was found.
    pub fn finish(mut self, out: &mut Vec<f32>) -> Findings {
        if !self.waiting.is_empty() {
            self.release(out);
        }
        self.findings
    }

    fn release(&mut self, out: &mut Vec<f32>) {
        let (before, now) = (self.take, self.judge());
        self.take = now;
        let faded = if before == now { 0 } else { self.fade.min(self.waiting.len()) };
        for (step, frame) in (0_u16..).zip(&self.waiting[..faded]) {
            let share = f32::from(step) / f32::from(u16::try_from(faded).unwrap_or(u16::MAX));
            out.push(before.of(*frame) * (1.0 - share) + now.of(*frame) * share);
        }
        out.extend(self.waiting[faded..].iter().map(|frame| now.of(*frame)));
        self.waiting.clear();
    }

    /// What to take of the window that waits.
    fn judge(&mut self) -> Take {
        let [left, right, sum] = powers(&self.waiting);
        let (louder, quieter) = (left.max(right), left.min(right));
        if louder < FAINT {
            return self.take;
        }
        self.findings.judged += 1;
        if quieter < DEAD * louder {
            self.findings.one_sided += 1;
            return Take::Sum;
        }
        self.findings.cancelling += u64::from(sum < CANCELS * louder);
        let side = if right > 2.0 * left { Take::Right } else { Take::Left };
        match self.take {
            Take::Sum if sum < CANCELS * louder => side,
            Take::Left | Take::Right if sum > AGREES * louder => Take::Sum,
            kept => kept,
        }
    }
}

/// Mean power of the left side, the right side and half their sum.
fn powers(frames: &[[f32; 2]]) -> [f64; 3] {
    let mut sums = [0.0_f64; 3];
    for frame in frames {
        let [left, right] = frame.map(f64::from);
        sums[0] += left * left;
        sums[1] += right * right;
        sums[2] += (left + right) * (left + right) / 4.0;
    }
    let count = f64::from(u32::try_from(frames.len()).expect("half a second"));
    sums.map(|sum| sum / count)
}

fn weights(layout: &[Speaker]) -> Vec<f32> {
    let bare: Vec<f32> = layout.iter().map(|speaker| weight(*speaker)).collect();
    let sum: f32 = bare.iter().sum();
    // A layout of LFE alone is somebody's mistake; it is sound all the same.
    if sum == 0.0 {
        vec![1.0; layout.len()]
    } else {
        bare.iter().map(|weight| weight / sum).collect()
    }
}

fn weight(speaker: Speaker) -> f32 {
    match speaker {
        Speaker::Left | Speaker::Right => std::f32::consts::FRAC_1_SQRT_2,
        Speaker::Centre => 1.0,
        Speaker::LeftSurround | Speaker::RightSurround => 0.5,
        Speaker::Lfe => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::SampleRate;

    fn mix(channels: usize, interleaved: &[f32]) -> (Vec<f32>, Findings) {
        let mut downmix = Downmix::new(&Format::usual(SampleRate::WIDEBAND, channels).unwrap());
        let mut out = Vec::new();
        let mut block = interleaved.to_vec();
        downmix.sanitise(&mut block);
        downmix.process(&block, &mut out);
        let findings = downmix.finish(&mut out);
        (out, findings)
    }

    fn sine(n: u16) -> f32 {
        (f32::from(n) * 0.3).sin() * 0.5
    }

    #[test]
    fn opposite_phases_give_one_side_instead_of_silence() {
        let frames: Vec<f32> = (0..20_000).flat_map(|n| [sine(n), -sine(n)]).collect();
        let (out, findings) = mix(2, &frames);
        assert_eq!(out.len(), 20_000);
        assert!(super::super::peak::magnitude(&out[1_000..]) > 0.49);
        assert_eq!(findings.cancelling, findings.judged);
    }

    #[test]
    fn equal_sides_give_their_own_level() {
        let frames: Vec<f32> = (0..20_000).flat_map(|n| [sine(n), sine(n)]).collect();
        let (out, _) = mix(2, &frames);
        assert!(out.iter().zip(0..).all(|(sample, n)| (sample - sine(n)).abs() < 1e-6));
    }

    #[test]
    fn the_centre_of_five_point_one_is_kept_and_the_lfe_is_not() {
        let frames: Vec<f32> =
            (0..8_000).flat_map(|n| [0.0, 0.0, sine(n), 0.9, 0.0, 0.0]).collect();
        let (out, _) = mix(6, &frames);
        assert!(super::super::peak::magnitude(&out) > 0.1);
        assert!(out[0].abs() < 1e-6, "the constant on the LFE leaked: {}", out[0]);
    }

    #[test]
    fn each_channel_of_a_wide_layout_weighs_as_the_standard_says() {
        // BS.775: front sides 3 dB and surrounds 6 dB below the centre, LFE none.
        let expected: [(usize, &[f64]); 2] = [
            (6, &[-3.0, -3.0, 0.0, f64::NEG_INFINITY, -6.0, -6.0]),
            (8, &[-3.0, -3.0, 0.0, f64::NEG_INFINITY, -6.0, -6.0, -6.0, -6.0]),
        ];
        for (channels, levels) in expected {
            let alone = |channel: usize| {
                let mut frames = vec![0.0; channels * 8];
                frames[channel] = 0.5;
                f64::from(mix(channels, &frames).0[0])
            };
            for (channel, level) in levels.iter().enumerate() {
                let found = 20.0 * (alone(channel) / alone(2)).log10();
                assert!(
                    (found - level).abs() < 0.05 || (found.is_infinite() && level.is_infinite()),
                    "{channels}, {channel}: {found}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_number_becomes_silence_and_is_counted() {
        let (out, findings) = mix(1, &[f32::NAN, f32::INFINITY, 4000.0, 0.5]);
        assert_eq!(out, [0.0, 0.0, 4.0, 0.5]);
        assert_eq!((findings.not_numbers, findings.glitches), (2, 1));
    }
}
