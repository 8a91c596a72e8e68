//! The second output: what went into the encoder, at the same loudness, in 16 bits.
//!
//! Gain and limiter are those of the asset; what the codec would have lost is not given back, so one more constant
//! gain brings the sound to the aim. **The ceiling holds by construction**: that gain never exceeds the distance from
//! the limiter's ceiling to the recipe's, and the last step's rounding is allowed for. What is told of it was
//! measured on the 16-bit samples themselves.

use super::super::loudness::{Loudness, Meter};
use super::super::source::{Format, Speaker};
use super::super::wav::{FULL_SCALE, Quantiser, Sink};
use super::closing::{Work, shifted};
use super::{ChainError, Stage};
use crate::unit::{Db, Dbtp, Millis};

/// Rounding moves a sample by at most 1.5 steps, and a true peak by some three times that: 0.002 dB at full scale.
const ROUNDING_DB: f64 = 0.002;

/// How the sound of the last encoding was made, and how loud it was before the codec.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basis {
    pub gain: f64,
    pub limit: Dbtp,
    /// Integrated loudness that is still missing.
    pub missing: f64,
    /// True peak that must not be passed.
    pub ceiling: f64,
}

impl Basis {
    /// What is missing, as far as the ceiling allows.
    fn more(&self) -> f64 {
        self.missing.min(self.ceiling - self.limit.get() - ROUNDING_DB)
    }

    /// How far the wave stays below the aim.
    pub(super) fn short(&self) -> f64 {
        self.missing - self.more()
    }
}

impl Work<'_> {
    /// Runs the sound once more through gain and limiter, into 16 bits.
    pub(super) fn wave<E: std::error::Error>(
        &mut self,
        basis: &Basis,
        sink: &mut dyn Sink,
    ) -> Result<Loudness, ChainError<E>> {
        let rate = self.recipe.profile.rate();
        let mut meter = Meter::new(&Format { rate, layout: vec![Speaker::Centre] });
        let mut quantiser = Quantiser::new();
        #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
        let more = Db::nearest(basis.more()).factor() as f32;
        let (mut scaled, mut steps): (Vec<f32>, Vec<i16>) = (Vec::new(), Vec::new());
        self.run(Stage::Wave, basis.gain, basis.limit, |samples| {
            scaled.clear();
            scaled.extend(samples.iter().map(|sample| sample * more));
            steps.clear();
            quantiser.process(&scaled, &mut steps);
            scaled.clear();
            scaled.extend(steps.iter().map(|step| f32::from(*step) / FULL_SCALE));
            meter.push(&scaled);
            sink.take(&steps).map_err(ChainError::Wave)
        })?;
        self.watch.enter(Stage::Wave, Millis::default());
        Ok(shifted(meter.finish(), -self.recipe.profile.reads_high()))
    }
}
