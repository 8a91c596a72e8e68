//! The built-in tones: what a controller may sound without anybody's signature.
//!
//! Pure generators: a tone is a function of the rate alone, mono, faded at both ends. **No tone exceeds −6 dBFS**, so
//! that it never stands above the speech beside it. The emergency alert alternates 853 Hz and 960 Hz, the pair long
//! used for public warnings, in a pattern that no programme chime resembles.

use std::f64::consts::TAU;

use crate::unit::{Millis, SampleRate};

/// No tone is louder than this amplitude: −6 dBFS.
const PEAK: f64 = 0.5;

/// Fade at both ends of each note, against clicks.
const FADE: Millis = Millis::new(10);

/// A tone that every controller carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Opens a programme: three rising notes.
    Opening,
    /// Closes a programme: three falling notes.
    Closing,
    /// Precedes an emergency: eight seconds of two alternating tones.
    Emergency,
    /// For installers: five seconds of 1 kHz at −18 dBFS, the EBU alignment level (EBU R 68).
    Test,
}

/// One note: frequency in Hz, length, amplitude against [`PEAK`], and whether it rings down like a bell.
#[derive(Clone, Copy, Debug)]
struct Note {
    hz: f64,
    length: Millis,
    level: f64,
    bell: bool,
}

impl Tone {
    /// Every tone, in the order of a self-test.
    pub const ALL: [Self; 4] = [Self::Opening, Self::Closing, Self::Emergency, Self::Test];

    /// How long the tone sounds.
    #[must_use]
    pub fn duration(self) -> Millis {
        Millis::new(self.notes().iter().map(|note| note.length.get()).sum())
    }

    /// The samples of the tone.
    #[must_use]
    pub fn samples(self, rate: SampleRate) -> Vec<f32> {
        self.notes().into_iter().flat_map(|note| note.samples(rate)).collect()
    }

    fn notes(self) -> Vec<Note> {
        let bell = |hz, ms| Note { hz, length: Millis::new(ms), level: 1.0, bell: true };
        match self {
            Self::Opening => vec![bell(523.25, 450), bell(659.26, 450), bell(783.99, 1_400)],
            Self::Closing => vec![bell(783.99, 450), bell(659.26, 450), bell(523.25, 1_400)],
            Self::Emergency => {
                let warn = |hz| Note { hz, length: Millis::new(500), level: 1.0, bell: false };
                [warn(853.0), warn(960.0)].repeat(8)
            }
            // 0.25 of −6 dBFS is −18 dBFS.
            Self::Test => {
                vec![Note { hz: 1_000.0, length: Millis::from_secs(5), level: 0.25, bell: false }]
            }
        }
    }
}

impl Note {
    fn samples(self, rate: SampleRate) -> impl Iterator<Item = f32> {
        let count = self.length.frames(rate);
        let fade = FADE.frames(rate);
        (0..count).map(move |n| {
            let edge = ratio(n.min(count - 1 - n).min(fade), fade);
            let ring = if self.bell { (-3.0 * ratio(n, count)).exp() } else { 1.0 };
            #[expect(clippy::cast_possible_truncation, reason = "an amplitude below one")]
            let sample =
                (self.wave(ratio(n, u64::from(rate.get()))) * edge * ring * self.level * PEAK)
                    as f32;
            sample
        })
    }

    /// The wave at a time in seconds, amplitude at most 1; a bell carries a soft octave above its note.
    fn wave(self, seconds: f64) -> f64 {
        let phase = TAU * self.hz * seconds;
        if self.bell { 0.75 * phase.sin() + 0.25 * (2.0 * phase).sin() } else { phase.sin() }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sample counts of a few seconds")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tone_exceeds_minus_six_decibels() {
        for tone in Tone::ALL {
            let loudest =
                tone.samples(SampleRate::FULL).iter().fold(0.0_f32, |max, s| max.max(s.abs()));
            assert!((0.1..=0.5).contains(&loudest), "{tone:?}: {loudest}");
        }
    }

    #[test]
    fn every_tone_starts_and_ends_in_silence_and_keeps_its_length() {
        for tone in Tone::ALL {
            let samples = tone.samples(SampleRate::WIDEBAND);
            assert_eq!(
                samples.len() as u64,
                tone.duration().frames(SampleRate::WIDEBAND),
                "{tone:?}"
            );
            assert!(samples[0].abs() < 1e-3 && samples[samples.len() - 1].abs() < 1e-3, "{tone:?}");
        }
    }

    #[test]
    fn the_test_tone_sits_at_the_alignment_level() {
        let samples = Tone::Test.samples(SampleRate::FULL);
        let loudest = samples.iter().fold(0.0_f32, |max, s| max.max(s.abs()));
        assert!((20.0 * loudest.log10() + 18.06).abs() < 0.05);
    }
}
