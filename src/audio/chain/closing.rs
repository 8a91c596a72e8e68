//! The closed loop: gain, limiter, encoder, and the decoder that tells whether it was enough.
//!
//! **What is promised is measured on what players will hear.** A level error goes into the Opus header; a peak above
//! the ceiling lowers the limiter and costs another encoding.
//!
//! ```text
//! search the gain ─▶ encode ─▶ decode, measure ─▶ peak too high? ─ yes ─▶ lower the limiter, again
//!                                                      └─ no ─▶ the rest into the header's gain
//! ```

use std::io;

use super::super::cut::Plan;
use super::super::encode::{Packets, Tags, Writer};
use super::super::level::{Curve, Listener};
use super::super::limiter::Limiter;
use super::super::loudness::{Integrator, Loudness, Meter};
use super::super::opus::{OpusError, Output, Reader};
use super::super::recipe::{Profile, Recipe};
use super::super::scratch::Scratch;
use super::super::source::{Format, Speaker};
use super::noise::Bound;
use super::wave::Basis;
use super::{ChainError, Refusal, Shortfall, Stage, Watch};
use crate::unit::{Db, Dbtp, Lufs, Millis};

/// Once the limiter's output is this near to the aim, in LU, one more step lands within what the header's gain mends.
const NEAR_LU: f64 = 0.8;

/// So much of the start is probed whole in search of the gain; beyond it a quarter.
const PROBE_WHOLE: Millis = Millis::from_secs(60);

/// After the whole start, a probe begins this often.
const PROBE_EVERY: Millis = Millis::from_secs(12);

/// And lasts so long: enough for several gating blocks. What the probes miss, the header's gain mends.
const PROBE: Millis = Millis::from_secs(3);

/// Most runs of the limiter in search of the gain; speech needs one or two.
const SEARCHES_MAX: usize = 5;

/// Most encodings of one recording; after the last the ceiling is held by the header's gain alone.
const ENCODINGS_MAX: u8 = 4;

/// A level error that is accepted rather than encoding again, in LU: half of the promise of ±0.2.
pub(super) const TOLERATED_LU: f64 = 0.1;

/// Silence that the limiter's output may not reach: gain at most this below or above the recording.
const GAIN_MIN_DB: f64 = -60.0;

/// The cut sound and all that is needed to run it through the limiter again.
pub(super) struct Work<'a> {
    pub recipe: &'a Recipe,
    pub plan: Plan,
    pub scratch: &'a mut dyn Scratch,
    pub watch: &'a mut dyn Watch,
    /// Whether the loudness before the codec is wanted.
    pub meter_wave: bool,
    /// The most that the sound may be raised.
    pub bound: Bound,
    /// What brings the speakers nearer to each other, where it is wanted.
    pub curve: Option<Curve>,
}

impl Work<'_> {
    /// Encodes until what players will hear keeps the promise, or the encodings run out.
    pub(super) fn make<E: std::error::Error>(
        &mut self,
        bare: f64,
        tags: &Tags,
    ) -> Result<Made, ChainError<E>> {
        let ceiling = self.recipe.ceiling.get() - self.recipe.profile.margin().get();
        let target = self.recipe.target.get();
        let aim = target.min(bare + self.bound.most);
        let mut gain = aim - bare; // The cut hardly changes it: silence is gated out.
        let mut limit = ceiling - self.recipe.profile.overshoot().get();
        let mut encodings = 0;
        loop {
            gain = self.search(aim - bare, gain, Dbtp::nearest(limit))?;
            let (packets, uncoded) = self.encode(gain, Dbtp::nearest(limit))?;
            encodings += 1;
            let raw = verify(&packets, tags, self.recipe.profile, self.watch)?;
            let lost = aim - raw.integrated.ok_or(Refusal::Silent)?.get();
            let excess = raw.true_peak.get() + lost - ceiling;
            if excess > TOLERATED_LU && encodings < ENCODINGS_MAX {
                // What the limiter takes off a peak the codec partly puts back: go further than the excess.
                limit -= 1.3 * excess + 0.2;
                continue;
            }
            let header = header_gain(lost - excess.max(0.0));
            let shortfall = shortfall(target - aim, excess, self.bound.why);
            let basis = uncoded.map(|loudness| Basis {
                gain,
                limit: Dbtp::nearest(limit),
                missing: aim - loudness.get() + self.recipe.profile.reads_high(),
                ceiling,
            });
            return Ok(Made {
                bytes: packets.to_ogg(header, tags),
                after: raised(raw, header),
                gain,
                header,
                encodings,
                shortfall,
                basis,
            });
        }
    }

    /// Draws the gain that brings speakers nearer, raising none by more than `lift_max`; the loudness with it.
    pub(super) fn level(&mut self, lift_max: f64) -> io::Result<Option<Lufs>> {
        let rate = self.recipe.profile.rate();
        let (mut listener, mut block, mut frames) =
            (Listener::new(self.recipe.profile), Vec::new(), 0);
        let mut kept = self.plan.read(self.scratch);
        while kept.next_block(&mut block)? {
            self.watch.enter(Stage::Level, Millis::of_frames(frames, rate));
            listener.push(&block);
            frames += block.len() as u64;
        }
        let curve = listener.finish(lift_max);
        let mut loudness = Integrator::new(rate);
        let mut kept = self.plan.read(self.scratch);
        frames = 0;
        while kept.next_block(&mut block)? {
            curve.apply(frames, &mut block);
            loudness.push(&block);
            frames += block.len() as u64;
        }
        self.curve = Some(curve);
        Ok(loudness.finish())
    }

    fn encode<E: std::error::Error>(
        &mut self,
        gain: f64,
        limit: Dbtp,
    ) -> Result<(Packets, Option<Lufs>), ChainError<E>> {
        let mut writer = Writer::new(self.recipe)?;
        let mut uncoded = self.meter_wave.then(|| Integrator::new(self.recipe.profile.rate()));
        self.run::<ChainError<E>>(Stage::Encode, gain, limit, |samples| {
            if let Some(meter) = &mut uncoded {
                meter.push(samples);
            }
            Ok(writer.push(samples)?)
        })?;
        Ok((writer.finish()?, uncoded.and_then(Integrator::finish)))
    }

    /// By how much gain and limiter raise the loudness.
    fn raised(&mut self, gain: f64, ceiling: Dbtp) -> io::Result<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
        let (factor, rate) = (Db::nearest(gain).factor() as f32, self.recipe.profile.rate());
        let mut limiter = Limiter::new(rate, ceiling);
        let (mut plain, mut loud) = (Integrator::new(rate), Integrator::new(rate));
        let mut kept = self.plan.read(self.scratch);
        let (mut block, mut out, mut frames) = (Vec::new(), Vec::new(), 0);
        while kept.next_block(&mut block)? {
            let at = Millis::of_frames(frames, rate);
            if let Some(curve) = &self.curve {
                curve.apply(frames, &mut block);
            }
            frames += block.len() as u64;
            if at >= PROBE_WHOLE && at.get() % PROBE_EVERY.get() >= PROBE.get() {
                continue;
            }
            self.watch.enter(Stage::Search, at);
            plain.push(&block);
            scale(&mut block, factor);
            out.clear();
            limiter.process(&block, &mut out);
            loud.push(&out);
        }
        // Silence throughout the probes: the limiter has nothing to take.
        let both = plain.finish().zip(loud.finish());
        Ok(both.map_or(gain, |(before, after)| after.get() - before.get()))
    }

    /// The gain that raises the loudness by `wanted` decibels, the limiter's losses made good.
    fn search(&mut self, wanted: f64, start: f64, ceiling: Dbtp) -> io::Result<f64> {
        let most = self.bound.most;
        let mut gain = start.clamp(GAIN_MIN_DB, most);
        for _ in 0..SEARCHES_MAX {
            let error = wanted - self.raised(gain, ceiling)?;
            // A limiter gives back less than it is given: ask for a little more.
            gain = (gain + error * 1.2).clamp(GAIN_MIN_DB, most);
            if error.abs() < NEAR_LU || (error > 0.0 && gain >= most) {
                break;
            }
        }
        Ok(gain)
    }

    /// Runs the cut sound through gain and limiter into `sink`.
    pub(super) fn run<E: From<io::Error>>(
        &mut self,
        stage: Stage,
        gain: f64,
        ceiling: Dbtp,
        mut sink: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
        let (factor, rate) = (Db::nearest(gain).factor() as f32, self.recipe.profile.rate());
        let mut limiter = Limiter::new(rate, ceiling);
        let mut kept = self.plan.read(self.scratch);
        let (mut block, mut out, mut frames) = (Vec::new(), Vec::new(), 0);
        while kept.next_block(&mut block)? {
            self.watch.enter(stage, Millis::of_frames(frames, rate));
            if let Some(curve) = &self.curve {
                curve.apply(frames, &mut block);
            }
            scale(&mut block, factor);
            out.clear();
            limiter.process(&block, &mut out);
            sink(&out)?;
            frames += block.len() as u64;
        }
        out.clear();
        limiter.finish(&mut out);
        sink(&out)
    }
}

/// What came out of the closed loop.
pub(super) struct Made {
    pub bytes: Vec<u8>,
    pub after: Loudness,
    pub gain: f64,
    pub header: Db,
    pub encodings: u8,
    pub shortfall: Option<Shortfall>,
    /// How to make the same sound without the codec, where it was metered.
    pub basis: Option<Basis>,
}

fn shortfall(unreached: f64, excess: f64, bound: Shortfall) -> Option<Shortfall> {
    if unreached > TOLERATED_LU {
        Some(bound)
    } else {
        (excess > TOLERATED_LU).then_some(Shortfall::Ceiling)
    }
}

/// The gain as the header can write it, rounded down so that no ceiling is passed by rounding.
fn header_gain(gain: f64) -> Db {
    Db::nearest((gain * 256.0).floor() / 256.0)
}

/// Decodes at the rate that was encoded, and measures. Whoever plays at another rate hears the same loudness; what
/// their filters do to peaks is inside the profile's margin.
fn verify(
    packets: &Packets,
    tags: &Tags,
    profile: Profile,
    watch: &mut dyn Watch,
) -> Result<Loudness, OpusError> {
    let output = match profile {
        Profile::Speech => Output::Wideband,
        Profile::Full => Output::Full,
    };
    let mut reader = Reader::new(packets.to_ogg(Db::nearest(0.0), tags), output)?;
    let mut meter = Meter::new(&Format { rate: output.rate(), layout: vec![Speaker::Centre] });
    let (mut block, mut frames) = (Vec::new(), 0);
    while reader.next_block(&mut block)? {
        watch.enter(Stage::Verify, Millis::of_frames(frames, output.rate()));
        meter.push(&block);
        frames += block.len() as u64;
    }
    Ok(shifted(meter.finish(), -profile.reads_high()))
}

/// A measurement as it is once every sample is multiplied by `gain`: exact, because gating is relative.
fn raised(raw: Loudness, gain: Db) -> Loudness {
    let mut envelope = raw.envelope.clone();
    #[expect(clippy::cast_possible_truncation, reason = "amplitudes are single precision")]
    scale(&mut envelope.columns, gain.factor() as f32);
    let true_peak = Dbtp::nearest(raw.true_peak.get() + gain.get());
    Loudness { true_peak, envelope, ..shifted(raw, gain.get()) }
}

/// The loudness in every window, moved by so many LU.
pub(super) fn shifted(raw: Loudness, by: f64) -> Loudness {
    let more = |loudness: Lufs| Lufs::nearest(loudness.get() + by);
    Loudness {
        integrated: raw.integrated.map(more),
        momentary_max: raw.momentary_max.map(more),
        short_term_max: raw.short_term_max.map(more),
        curve: raw.curve.into_iter().map(more).collect(),
        ..raw
    }
}

fn scale(samples: &mut [f32], factor: f32) {
    for sample in samples {
        *sample *= factor;
    }
}
