//! What a recording suffers from: clipping, noise, a narrow band.
//!
//! Looks at every sample for clipping and level, and at a short spectrum four times a second for the band; **it
//! judges nothing**, that is the work of [`super::report`]. The figures are estimates made for advice, not
//! measurements by a standard.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use super::cut::Levels;
use super::source::Format;
use crate::unit::{Db, Millis, SampleRate};

/// Magnitude from which a flat top counts as clipped; 8-bit full scale is 0.992.
const CLIPPED: f32 = 0.985;

/// Neighbours on a flat top differ by less than this.
const FLAT: f32 = 0.002;

/// Samples in a row that make a flat top; a pure crest at full scale has fewer.
const RUN: usize = 3;

/// Places of clipping that are remembered.
const PLACES_MAX: usize = 8;

/// Clipping within this time is one place.
const PLACE: Millis = Millis::new(500);

/// Spectra looked at in a second.
const SPECTRA_PER_SECOND: u64 = 4;

/// Samples of a spectrum.
const WINDOW: usize = 2_048;

/// A band is present while its mean power is within this of the strongest band's.
const PRESENT_DB: f64 = 60.0;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Samples on flat tops at full scale.
    pub clipped_samples: u64,
    /// Where they are, at most eight places.
    pub clipped_at: Vec<Millis>,
    /// Share of all samples that are clipped, 0 to 1.
    pub clipped_share: f64,
    /// The level that one tenth of the recording stays below.
    pub noise_floor: Db,
    /// How far the loud parts stand above the noise floor; `None` below two seconds.
    pub speech_to_noise: Option<Db>,
    /// The highest frequency present, in Hz; `None` for silence.
    pub bandwidth_hz: Option<u32>,
}

/// Below this a tenth of the recording is too little to call it noise.
const NOISE_MIN: Millis = Millis::from_secs(2);

/// Looks at a recording block by block.
pub struct Surveyor {
    rate: SampleRate,
    channels: usize,
    frames: u64,
    tops: Vec<Top>,
    clipped: u64,
    places: Vec<Millis>,
    levels: Levels,
    spectrum: Spectrum,
}

/// The flat top that a channel may be on.
#[derive(Clone, Copy, Default)]
struct Top {
    last: f32,
    run: usize,
}

impl Surveyor {
    /// A surveyor of blocks of that format.
    #[must_use]
    pub fn new(format: &Format) -> Self {
        Self {
            rate: format.rate,
            channels: format.channels(),
            frames: 0,
            tops: vec![Top::default(); format.channels()],
            clipped: 0,
            places: Vec::new(),
            levels: Levels::new(format.rate),
            spectrum: Spectrum::new(format.rate),
        }
    }

    /// Looks at an interleaved block as it came in.
    pub fn look(&mut self, block: &[f32]) {
        // Most blocks hold nothing near full scale, and no run goes on from the block before.
        if super::peak::magnitude(block) >= CLIPPED || self.tops.iter().any(|top| top.run > 0) {
            for (index, sample) in block.iter().enumerate() {
                self.sample(index, *sample);
            }
        }
        self.frames += (block.len() / self.channels) as u64;
    }

    /// Listens to the same sound mixed to mono, without offset.
    pub fn listen(&mut self, mono: &[f32]) {
        self.levels.push(mono);
        self.spectrum.push(mono);
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Survey {
        let floor = self.levels.quantile(0.1);
        let loud = self.levels.quantile(0.9);
        let long = Millis::of_frames(self.frames, self.rate) >= NOISE_MIN;
        let samples = self.frames.saturating_mul(self.channels as u64).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = self.clipped as f64 / samples as f64;
        Survey {
            clipped_samples: self.clipped,
            clipped_at: self.places,
            clipped_share: share,
            noise_floor: Db::nearest(floor),
            speech_to_noise: long.then(|| Db::nearest(loud - floor)),
            bandwidth_hz: self.spectrum.bandwidth(),
        }
    }

    fn sample(&mut self, index: usize, sample: f32) {
        let top = &mut self.tops[index % self.channels];
        let flat = sample.abs() >= CLIPPED && (top.run == 0 || (sample - top.last).abs() < FLAT);
        top.run = if flat { top.run + 1 } else { usize::from(sample.abs() >= CLIPPED) };
        top.last = sample;
        let run = top.run;
        if run >= RUN {
            self.clipped += if run == RUN { RUN as u64 } else { 1 };
            self.place(self.frames + (index / self.channels) as u64);
        }
    }

    fn place(&mut self, frame: u64) {
        let at = Millis::of_frames(frame, self.rate);
        let new = self.places.last().is_none_or(|last| at.get() > last.get() + PLACE.get());
        if new && self.places.len() < PLACES_MAX {
            self.places.push(at);
        }
    }
}

/// The mean power of each band.
struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    rate: SampleRate,
    every: usize,
    window: Vec<f32>,
    skip: usize,
    powers: Vec<f64>,
}

impl Spectrum {
    fn new(rate: SampleRate) -> Self {
        let every = usize::try_from(u64::from(rate.get()) / SPECTRA_PER_SECOND)
            .expect("a rate fits a usize");
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
            rate,
            every: every.saturating_sub(WINDOW),
            window: Vec::with_capacity(WINDOW),
            skip: 0,
            powers: vec![0.0; WINDOW / 2 + 1],
        }
    }

    fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let skipped = self.skip.min(samples.len());
            self.skip -= skipped;
            let (now, later) = samples[skipped..]
                .split_at((samples.len() - skipped).min(WINDOW - self.window.len()));
            self.window.extend_from_slice(now);
            samples = later;
            if self.window.len() == WINDOW {
                self.add();
                self.skip = self.every;
            }
        }
    }

    fn add(&mut self) {
        #[expect(clippy::cast_precision_loss, reason = "indices below 2048")]
        for (index, sample) in self.window.iter_mut().enumerate() {
            let angle = std::f32::consts::TAU * (index as f32 + 0.5) / WINDOW as f32;
            // Blackman: its side lobes stay below what counts as present.
            *sample *= 0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos();
        }
        let mut bins = self.fft.make_output_vec();
        self.fft.process(&mut self.window, &mut bins).expect("the lengths are the plan's own");
        for (power, bin) in self.powers.iter_mut().zip(&bins) {
            *power += f64::from(bin.norm_sqr());
        }
        self.window.clear();
    }

    fn bandwidth(&self) -> Option<u32> {
        let strongest = self.powers.iter().copied().fold(0.0, f64::max);
        if strongest < 1e-9 {
            return None;
        }
        let least = strongest / 10_f64.powf(PRESENT_DB / 10.0);
        let highest = self.powers.iter().rposition(|power| *power > least)?;
        let hz = highest as u64 * u64::from(self.rate.get()) / WINDOW as u64;
        u32::try_from(hz).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(rate: u32, sound: &[f32]) -> Survey {
        let format = Format::usual(SampleRate::new(rate).unwrap(), 1).unwrap();
        let mut surveyor = Surveyor::new(&format);
        for block in sound.chunks(1_000) {
            surveyor.look(block);
            surveyor.listen(block);
        }
        surveyor.finish()
    }

    fn sine(hz: f32, rate: f32, amplitude: f32, count: u32) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "a test tone")]
        (0..count)
            .map(|n| (std::f32::consts::TAU * hz * n as f32 / rate).sin() * amplitude)
            .collect()
    }

    #[test]
    fn flat_tops_are_counted_and_placed() {
        let mut sound = vec![0.0; 16_000];
        sound.extend(sine(200.0, 16_000.0, 1.5, 1_600).iter().map(|s| s.clamp(-1.0, 1.0)));
        let found = survey(16_000, &sound);
        assert!((800..1_000).contains(&found.clipped_samples), "{}", found.clipped_samples);
        assert_eq!(found.clipped_at.len(), 1);
        assert!((1_000..1_010).contains(&found.clipped_at[0].get()));
    }

    #[test]
    fn a_loud_clean_tone_is_not_called_clipped() {
        assert_eq!(survey(48_000, &sine(3_000.0, 48_000.0, 0.99, 48_000)).clipped_samples, 0);
    }

    #[test]
    fn the_band_ends_where_the_sound_does() {
        let found = survey(44_100, &sine(3_400.0, 44_100.0, 0.5, 88_200));
        assert!((3_400..3_600).contains(&found.bandwidth_hz.unwrap()), "{:?}", found.bandwidth_hz);
    }

    #[test]
    fn speech_stands_above_its_noise_by_what_was_put_in() {
        let mut sound = sine(440.0, 16_000.0, 0.5, 16_000);
        sound.extend(sine(440.0, 16_000.0, 0.005, 32_000));
        let found = survey(16_000, &sound).speech_to_noise.unwrap().get();
        assert!((39.0..41.0).contains(&found), "{found}");
    }
}
