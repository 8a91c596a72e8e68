//! How loud: a gain that never jumps.
//!
//! A change of volume, a stop and both ends of every recording are ramps. **From one sample to the
//! next the gain changes by [`GAIN_STEP_MAX`] at most**, so the sound differs from the recording's
//! own steps by no more than that part of full scale: too little to be heard as a click.

use crate::unit::SampleRate;

/// Samples a second that are rendered.
pub(super) const RATE: SampleRate = SampleRate::WIDEBAND;

/// The most that the gain changes from one sample to the next: 1/160, the 10 ms at both ends of
/// every recording.
pub const GAIN_STEP_MAX: f32 = 1.0 / 160.0;

/// Samples of the ramp at both ends of a recording.
pub(super) const EDGE: usize = 160;

/// A change of volume: full scale in 200 ms.
const VOLUME_STEP: f32 = 1.0 / 3_200.0;

/// A stop: full scale in 100 ms, so that an emergency is not held up.
const STOP_STEP: f32 = 1.0 / 1_600.0;

/// A volume in percent as a gain: the amplitude's share, so 50 % is −6 dB.
pub fn gain_of(percent: u8) -> f32 {
    f32::from(percent.min(100)) / 100.0
}

/// A gain on its way to where it shall be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    now: f32,
    aim: f32,
    step: f32,
}

impl Level {
    /// A gain that nothing sounds with yet.
    pub(super) fn at(percent: u8) -> Self {
        Self { now: gain_of(percent), aim: gain_of(percent), step: VOLUME_STEP }
    }

    /// Another volume, in a ramp.
    pub(super) fn aim(&mut self, percent: u8) {
        if self.step < STOP_STEP {
            self.aim = gain_of(percent);
        }
    }

    /// Down to nothing, for good.
    pub(super) fn stop(&mut self) {
        (self.aim, self.step) = (0.0, STOP_STEP);
    }

    /// Whether it was told to stop and is down.
    pub(super) fn is_silent(&self) -> bool {
        self.step >= STOP_STEP && self.now <= 0.0
    }

    /// Applies it to the next samples.
    pub(super) fn shape(&mut self, chunk: &mut [f32]) {
        for sample in chunk {
            self.now += (self.aim - self.now).clamp(-self.step, self.step);
            *sample *= self.now;
        }
    }
}

/// The ramp at a recording's beginning and end, for the sample that is `from` its beginning and
/// `until` its end.
pub(super) fn edge(from: usize, until: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most 160")]
    let ramp = (from.min(until).min(EDGE)) as f32 * GAIN_STEP_MAX;
    ramp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_volume_arrives_in_steps_that_nobody_hears() {
        let mut level = Level::at(100);
        level.aim(20);
        let mut chunk = vec![1.0_f32; 4_000];
        level.shape(&mut chunk);
        let steps = chunk.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        assert!(steps.fold(0.0_f32, f32::max) <= VOLUME_STEP * 1.01);
        assert!((chunk[3_999] - 0.2).abs() < 1e-3);
    }

    #[test]
    fn a_stop_is_down_within_a_tenth_of_a_second_and_nothing_raises_it_again() {
        let mut level = Level::at(100);
        level.stop();
        level.aim(100);
        let mut chunk = vec![1.0_f32; 1_601];
        level.shape(&mut chunk);
        assert!(level.is_silent());
        assert!(chunk[1_600].abs() < 1e-6);
    }
}
