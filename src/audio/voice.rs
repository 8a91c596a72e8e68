//! Where somebody speaks.
//!
//! A voice detector over frames of 16 ms. **It hears voices in any language and no words**; what is too short for a
//! syllable is a click, whatever its score.

use super::recipe::Profile;

/// A frame of the detector, in samples at 16 kHz.
const FRAME: usize = 256;

/// Score above which a frame is taken for a voice (the detector's makers call 0.5 "generally voice").
const SCORE: f32 = 0.6;

/// So many voiced frames in a row (80 ms) are a syllable.
pub const SYLLABLE: usize = 5;

/// A detector for sound at a profile's rate.
pub struct Voice {
    detector: Box<earshot::Detector>,
    step: usize,
    mono: Vec<f32>,
    run: usize,
}

impl Voice {
    /// A detector that has heard nothing.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        let step = match profile {
            Profile::Speech => 1,
            Profile::Full => 3,
        };
        Self { detector: earshot::Detector::default_boxed(), step, mono: Vec::new(), run: 0 }
    }

    /// Samples of one frame at the profile's rate.
    #[must_use]
    pub const fn frame(&self) -> usize {
        FRAME * self.step
    }

    /// Hears one frame; how many frames the voice has lasted with this one, 0 for none.
    pub fn hear(&mut self, samples: &[f32]) -> usize {
        let mean = |group: &[f32]| {
            (group.iter().sum::<f32>() / [1.0, 1.0, 1.0, 3.0][self.step]).clamp(-1.0, 1.0)
        };
        self.mono.clear();
        self.mono.extend(samples.chunks_exact(self.step).map(mean));
        self.run = if self.detector.predict_f32(&self.mono) > SCORE { self.run + 1 } else { 0 };
        self.run
    }
}
