//! Recursive filters: the DC blocker and the band limits of a profile.
//!
//! Second-order sections after the well-known bilinear designs, Butterworth, in double precision. **Every filter is
//! primed with its first sample**, so that a recording with a DC offset does not start with a thump.

use std::f64::consts::PI;

use super::recipe::Recipe;
use crate::unit::SampleRate;

/// Quality factors of the two sections of a fourth-order Butterworth filter.
const BUTTERWORTH_4: [f64; 2] = [0.541_196_1, 1.306_563];

/// Middle of the presence shelf: above it lie the consonants, and the loss of long ways through air.
const PRESENCE_HZ: f64 = 2_000.0;

/// Height of the presence shelf. Air of 10 °C and 70 % humidity takes 9.7 dB a kilometre at 2 kHz and 32.8 dB at
/// 4 kHz (ISO 9613-2, table 2), so that at 200 m what lies at 4 kHz is some 5 dB below what it was against 2 kHz;
/// a shelf of 4 dB gives most of it back and does not hiss beside the horn.
const PRESENCE_DB: f64 = 4.0;

/// The DC blocker's corner: far below speech, fast enough to settle within a tenth of a second.
const DC_HZ: f64 = 5.0;

/// Removes what does not swing.
#[derive(Clone, Debug)]
pub struct DcBlocker {
    keep: f64,
    before: Option<f64>,
    state: f64,
}

impl DcBlocker {
    /// A blocker that has heard nothing.
    #[must_use]
    pub fn new(rate: SampleRate) -> Self {
        Self { keep: (-2.0 * PI * DC_HZ / rate.hz()).exp(), before: None, state: 0.0 }
    }

    /// Filters in place.
    #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
    pub fn process(&mut self, samples: &mut [f32]) {
        for sample in samples {
            let now = f64::from(*sample);
            let before = self.before.replace(now).unwrap_or(now);
            self.state = now - before + self.keep * self.state;
            *sample = self.state as f32;
        }
    }
}

/// One second-order section, transposed direct form II.
#[derive(Clone, Copy, Debug)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Section {
    fn high_pass(hz: f64, q: f64, rate: SampleRate) -> Self {
        let (cos, alpha) = angle(hz, q, rate);
        let edge = f64::midpoint(1.0, cos);
        Self::new([edge, -2.0 * edge, edge], cos, alpha)
    }

    fn low_pass(hz: f64, q: f64, rate: SampleRate) -> Self {
        let (cos, alpha) = angle(hz, q, rate);
        let edge = (1.0 - cos) / 2.0;
        Self::new([edge, 2.0 * edge, edge], cos, alpha)
    }

    /// Raises by `db` what lies above `hz`, half of it at `hz`, as gently as a shelf without a bump can.
    fn high_shelf(hz: f64, db: f64, rate: SampleRate) -> Self {
        let (cos, alpha) = angle(hz, std::f64::consts::FRAC_1_SQRT_2, rate);
        let a = 10f64.powf(db / 40.0);
        let (sum, difference) = (a + 1.0, a - 1.0);
        let slope = 2.0 * a.sqrt() * alpha;
        let scale = 1.0 / (sum - difference * cos + slope);
        let b = [
            a * (sum + difference * cos + slope),
            -2.0 * a * (difference + sum * cos),
            a * (sum + difference * cos - slope),
        ];
        let feedback = [2.0 * (difference - sum * cos), sum - difference * cos - slope];
        Self { b: b.map(|b| b * scale), a: feedback.map(|a| a * scale), state: [0.0; 2] }
    }

    fn new(b: [f64; 3], cos: f64, alpha: f64) -> Self {
        let scale = 1.0 / (1.0 + alpha);
        Self {
            b: b.map(|b| b * scale),
            a: [-2.0 * cos * scale, (1.0 - alpha) * scale],
            state: [0.0; 2],
        }
    }

    fn step(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

fn angle(hz: f64, q: f64, rate: SampleRate) -> (f64, f64) {
    let omega = 2.0 * PI * hz / rate.hz();
    (omega.cos(), omega.sin() / (2.0 * q))
}

/// The band that a profile keeps: fourth-order high-pass, and low-pass where the profile asks for one; then the
/// presence shelf, where the recipe asks for it. Gain and limiter come after, so no peak of its making passes.
///
/// | Hz | 50 | 150 | 500 | 1000 | 2000 | 3000 | 4000 | 6000 | 7000 |
/// |---|---|---|---|---|---|---|---|---|---|
/// | speech, dB | −38.2 | −3.0 | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | −3.0 |
/// | with presence, dB | −38.2 | −3.0 | 0.0 | +0.3 | +2.0 | +3.4 | +3.8 | +4.0 | +1.0 |
#[derive(Clone, Debug)]
pub struct Band {
    sections: Vec<Section>,
}

impl Band {
    /// The filter of a recipe at its profile's rate.
    #[must_use]
    pub fn new(recipe: &Recipe) -> Self {
        let (profile, rate) = (recipe.profile, recipe.profile.rate());
        let low = BUTTERWORTH_4.map(|q| Section::high_pass(profile.low_hz(), q, rate));
        let high =
            profile.high_hz().map(|hz| BUTTERWORTH_4.map(|q| Section::low_pass(hz, q, rate)));
        let shelf = recipe.presence.then(|| Section::high_shelf(PRESENCE_HZ, PRESENCE_DB, rate));
        Self { sections: low.into_iter().chain(high.into_iter().flatten()).chain(shelf).collect() }
    }

    /// Filters in place.
    #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
    pub fn process(&mut self, samples: &mut [f32]) {
        // Sample by sample through all sections: while one waits for its feedback, the next already works.
        for sample in samples {
            *sample =
                self.sections.iter_mut().fold(f64::from(*sample), |x, section| section.step(x))
                    as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a sine of `hz` gains in a band of speech, settled, in dB.
    fn gained(recipe: &Recipe, hz: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "a test tone")]
        let sine = |n: u32| (2.0 * PI * hz * f64::from(n) / 16_000.0).sin() as f32;
        let mut sound: Vec<f32> = (0..32_000).map(sine).collect();
        Band::new(recipe).process(&mut sound);
        let power: f64 = sound[16_000..].iter().map(|s| f64::from(*s).powi(2)).sum();
        10.0 * (power / 8_000.0).log10()
    }

    #[test]
    fn a_sweep_gives_the_responses_that_are_written_down() {
        let presence = Recipe { presence: true, ..Recipe::default() };
        let table = [
            (50.0, -38.2, -38.2),
            (150.0, -3.0, -3.0),
            (500.0, 0.0, 0.0),
            (1_000.0, 0.0, 0.3),
            (2_000.0, 0.0, 2.0),
            (3_000.0, 0.0, 3.4),
            (4_000.0, 0.0, 3.8),
            (6_000.0, 0.0, 4.0),
            (7_000.0, -3.0, 1.0),
        ];
        let mut off = Vec::new();
        for (hz, plain, raised) in table {
            let found = (gained(&Recipe::default(), hz), gained(&presence, hz));
            if (found.0 - plain).abs() > 0.1 || (found.1 - raised).abs() > 0.1 {
                off.push((hz, found));
            }
        }
        assert!(off.is_empty(), "{off:.2?}");
    }

    #[test]
    fn the_presence_shelf_has_no_bump_and_rises_all_the_way() {
        let presence = Recipe { presence: true, ..Recipe::default() };
        let raised = |hz: f64| gained(&presence, hz) - gained(&Recipe::default(), hz);
        let sweep: Vec<f64> = (1..=14).map(|step| raised(f64::from(step) * 500.0)).collect();
        assert!(sweep.is_sorted(), "{sweep:.2?}");
        assert!(sweep.iter().all(|db| (-0.05..=4.05).contains(db)), "{sweep:.2?}");
    }

    /// Amplitude of a sine of `hz` after the speech band, settled.
    fn through_speech_band(hz: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "a test tone")]
        let sine = |n: u32| (2.0 * PI * hz * f64::from(n) / 16_000.0).sin() as f32;
        let mut sound: Vec<f32> = (0..16_000).map(sine).collect();
        Band::new(&Recipe::default()).process(&mut sound);
        f64::from(super::super::peak::magnitude(&sound[8_000..]))
    }

    #[test]
    fn the_speech_band_keeps_speech_and_drops_rumble() {
        assert!((through_speech_band(1_000.0) - 1.0).abs() < 0.01);
        assert!((through_speech_band(150.0) - 0.707).abs() < 0.02);
        assert!(through_speech_band(50.0) < 0.02);
    }

    #[test]
    fn a_constant_offset_leaves_nothing_not_even_a_thump() {
        let mut sound = vec![0.5_f32; 1_000];
        DcBlocker::new(SampleRate::FULL).process(&mut sound);
        assert!(sound.iter().all(|sample| sample.abs() < 1e-6));
    }
}
