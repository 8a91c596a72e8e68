//! True peak: how high the wave reaches between its samples.
//!
//! Four-fold oversampling by a windowed sinc, as ITU-R BS.1770-4 annex 2 describes, with 24 taps a phase where the
//! annex shows 12: it reads closer. A stretch that cannot beat the peak already found is skipped, which changes no
//! result (**the bound is exact: the taps' absolute sum times the stretch's largest sample**) and saves nearly all
//! the work on speech.

use std::f64::consts::PI;

/// Taps of each phase; half of them lie on either side of the point asked for.
pub const TAPS: usize = 24;

/// Points between two samples that are looked at; with the sample itself four-fold oversampling.
const POINTS: usize = 3;

/// Samples that are bounded and skipped together.
const STRETCH: usize = 16;

/// Shape of the Kaiser window; 8 gives 80 dB of stop band.
const KAISER_BETA: f64 = 8.0;

/// The interpolating filter.
#[derive(Clone, Debug)]
pub struct Oversampler {
    taps: [[f32; TAPS]; POINTS],
    worst: f32,
}

impl Default for Oversampler {
    fn default() -> Self {
        Self::new()
    }
}

impl Oversampler {
    /// Designs the filter.
    #[must_use]
    pub fn new() -> Self {
        let taps = [phase(0.25), phase(0.5), phase(0.75)];
        let worst =
            taps.iter().map(|taps| taps.iter().map(|tap| tap.abs()).sum()).fold(1.0, f32::max);
        Self { taps, worst }
    }

    /// No point between samples exceeds the largest of the [`TAPS`] samples around it times this.
    #[must_use]
    pub fn worst(&self) -> f32 {
        self.worst
    }

    /// The largest magnitude between the two middle samples of `around`.
    #[must_use]
    pub fn between(&self, around: &[f32; TAPS]) -> f32 {
        self.taps.iter().map(|taps| product(around, taps).abs()).fold(0.0, f32::max)
    }
}

/// The sum of products, by eight lanes so that the compiler can use vector registers.
fn product(samples: &[f32; TAPS], taps: &[f32; TAPS]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (samples, taps) in samples.as_chunks::<8>().0.iter().zip(taps.as_chunks::<8>().0) {
        for lane in 0..8 {
            lanes[lane] += samples[lane] * taps[lane];
        }
    }
    (lanes[0] + lanes[4]) + (lanes[1] + lanes[5]) + (lanes[2] + lanes[6]) + (lanes[3] + lanes[7])
}

/// The taps that read the wave `shift` of a sample after the first of the two middle samples.
#[expect(
    clippy::cast_possible_truncation,
    reason = "taps are below 1 in magnitude; f32 is what they multiply"
)]
fn phase(shift: f64) -> [f32; TAPS] {
    let raw: [f64; TAPS] = std::array::from_fn(|index| {
        let distance = place(index) - shift;
        let window = bessel(KAISER_BETA * (1.0 - (distance / HALF).powi(2)).max(0.0).sqrt())
            / bessel(KAISER_BETA);
        let angle = PI * distance;
        window * angle.sin() / angle
    });
    // Equal gain for a constant in every phase, so that no phase invents a peak.
    let sum: f64 = raw.iter().sum();
    raw.map(|tap| (tap / sum) as f32)
}

/// Half the filter's length, in samples.
const HALF: f64 = 12.0;

/// Where a tap lies, counted from the first of the two middle samples.
fn place(index: usize) -> f64 {
    f64::from(u8::try_from(index).expect("24 taps")) - (HALF - 1.0)
}

/// The modified Bessel function of the first kind and order zero, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40_u32 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

/// The largest magnitude, by eight lanes so that the compiler can use vector registers.
#[must_use]
pub fn magnitude(samples: &[f32]) -> f32 {
    let (chunks, rest) = samples.as_chunks::<8>();
    let mut lanes = [0.0_f32; 8];
    for chunk in chunks {
        for (lane, sample) in lanes.iter_mut().zip(chunk) {
            let size = sample.abs();
            *lane = if size > *lane { size } else { *lane };
        }
    }
    rest.iter().map(|sample| sample.abs()).chain(lanes).fold(0.0, f32::max)
}

/// The running true peak of one channel.
#[derive(Clone, Debug)]
pub struct TruePeak {
    oversampler: Oversampler,
    /// The last `TAPS - 1` samples, then what is being pushed.
    recent: Vec<f32>,
    highest: f32,
}

impl Default for TruePeak {
    fn default() -> Self {
        Self::new()
    }
}

impl TruePeak {
    /// A meter that has heard silence.
    #[must_use]
    pub fn new() -> Self {
        Self { oversampler: Oversampler::new(), recent: vec![0.0; TAPS - 1], highest: 0.0 }
    }

    /// Hears more samples.
    pub fn push(&mut self, samples: &[f32]) {
        self.recent.extend_from_slice(samples);
        let mut start = 0;
        if magnitude(&self.recent) * self.oversampler.worst() <= self.highest {
            start = self.recent.len().saturating_sub(TAPS - 1);
        }
        while start + TAPS <= self.recent.len() {
            let end = (start + STRETCH + TAPS - 1).min(self.recent.len());
            self.look(start, end);
            start = end - (TAPS - 1);
        }
        self.recent.drain(..start);
    }

    /// The highest amplitude so far, 1.0 being full scale. The last [`TAPS`] / 2 samples count without their
    /// in-between points until more is pushed; [`TruePeak::finish`] closes the end.
    #[must_use]
    pub fn amplitude(&self) -> f32 {
        self.highest
    }

    /// Hears the silence after the end and gives the highest amplitude.
    #[must_use]
    pub fn finish(mut self) -> f32 {
        self.push(&[0.0; TAPS]);
        self.highest
    }

    fn look(&mut self, start: usize, end: usize) {
        let loudest = magnitude(&self.recent[start..end]);
        self.highest = self.highest.max(loudest);
        if loudest * self.oversampler.worst() <= self.highest {
            return;
        }
        for window in self.recent[start..end].windows(TAPS) {
            let around = window.first_chunk().expect("a window of TAPS samples");
            self.highest = self.highest.max(self.oversampler.between(around));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sine of amplitude 0.5 whose samples all miss the crests by an eighth of its period.
    fn quarter_rate_sine() -> Vec<f32> {
        [0.5_f32, 0.5, -0.5, -0.5].map(|s| s * std::f32::consts::FRAC_1_SQRT_2).repeat(500)
    }

    #[test]
    fn a_crest_between_samples_is_found() {
        let mut meter = TruePeak::new();
        meter.push(&quarter_rate_sine());
        let steady = meter.amplitude();
        assert!((0.49..0.54).contains(&steady), "{steady}");
    }

    #[test]
    fn skipping_quiet_stretches_changes_no_result() {
        let mut sound: Vec<f32> = quarter_rate_sine().iter().map(|s| s * 0.1).collect();
        sound.extend(quarter_rate_sine());
        let mut whole = TruePeak::new();
        whole.push(&sound);
        let mut bare = TruePeak::new();
        for sample in &sound {
            bare.push(&[*sample]);
        }
        assert!((whole.finish() - bare.finish()).abs() < f32::EPSILON);
    }

    #[test]
    fn the_largest_magnitude_is_found_in_every_lane_and_in_the_rest() {
        for at in 0..21 {
            let mut samples = [0.1_f32; 21];
            samples[at] = -0.9;
            assert!((magnitude(&samples) - 0.9).abs() < f32::EPSILON);
        }
    }
}
