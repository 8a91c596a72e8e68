//! Sound in 16 bits, for devices that cannot decode Opus.
//!
//! [`super::chain::normalise_with_wav`] hands out the samples that it gave to the encoder, brought to the same
//! loudness without the codec; a [`Sink`] takes them block by block, so that **no length of sound is ever held**.
//! Sixteen bits are reached with dither (triangular, two steps wide), which turns the distortion that rounding adds
//! to faint sound into an even hiss 93 dB below full scale. The dither is a fixed sequence: equal sound gives equal
//! bytes.

use std::io::{self, Seek, Write};

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::unit::SampleRate;

/// Takes mono samples of 16 bits, in order.
pub trait Sink {
    /// Takes the next samples.
    ///
    /// # Errors
    /// When the place is full or failed.
    fn take(&mut self, samples: &[i16]) -> io::Result<()>;
}

/// Holds short sound in memory.
impl Sink for Vec<i16> {
    fn take(&mut self, samples: &[i16]) -> io::Result<()> {
        self.extend_from_slice(samples);
        Ok(())
    }
}

/// Writes a mono WAV of 16 bits; [`Wav::finish`] must be called, or the header tells no length.
pub struct Wav<W: Write + Seek>(WavWriter<W>);

impl<W: Write + Seek> Wav<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When the place is full or failed.
    pub fn new(into: W, rate: SampleRate) -> io::Result<Self> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: rate.get(),
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        WavWriter::new(into, spec).map(Self).map_err(plain)
    }

    /// Completes the header.
    ///
    /// # Errors
    /// When the place is full or failed.
    pub fn finish(self) -> io::Result<()> {
        self.0.finalize().map_err(plain)
    }
}

impl<W: Write + Seek> Sink for Wav<W> {
    fn take(&mut self, samples: &[i16]) -> io::Result<()> {
        samples.iter().try_for_each(|sample| self.0.write_sample(*sample)).map_err(plain)
    }
}

fn plain(fault: hound::Error) -> io::Error {
    match fault {
        hound::Error::IoError(fault) => fault,
        other => io::Error::other(other),
    }
}

/// Full scale of 16 bits.
pub const FULL_SCALE: f32 = 32_768.0;

/// Rounds samples to 16 bits with dither.
#[derive(Clone, Debug)]
pub struct Quantiser {
    state: u32,
}

impl Default for Quantiser {
    fn default() -> Self {
        Self::new()
    }
}

impl Quantiser {
    /// The farthest that a sample is moved, in steps of 16 bits: one by the dither, half of one by the rounding.
    pub const STEPS_MAX: f32 = 1.5;

    /// A quantiser at the start of its sequence.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: 0x2545_F491 }
    }

    /// Appends to `out` the samples in 16 bits; what exceeds full scale is clipped.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<i16>) {
        out.extend(samples.iter().map(|sample| {
            let dither = self.uniform() - self.uniform();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a cast of a float saturates, which is what is wanted"
            )]
            let value = (sample * FULL_SCALE + dither).round() as i16;
            value
        }));
    }

    /// From 0 up to 1: Marsaglia's xorshift, whose upper bits are even enough for noise.
    fn uniform(&mut self) -> f32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        f32::from(u16::try_from(self.state >> 16).expect("sixteen bits")) / 65_536.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantised(samples: &[f32]) -> Vec<i16> {
        let mut out = Vec::new();
        Quantiser::new().process(samples, &mut out);
        out
    }

    #[test]
    fn dither_keeps_the_mean_of_what_lies_between_two_steps() {
        let out = quantised(&vec![0.3 / FULL_SCALE; 100_000]);
        let mean = out.iter().map(|s| f64::from(*s)).sum::<f64>() / 100_000.0;
        assert!((mean - 0.3).abs() < 0.02, "{mean}");
    }

    #[test]
    fn no_sample_is_moved_farther_than_was_told() {
        let sound: Vec<f32> = (0..50_000_u16).map(|n| (f32::from(n) * 0.37).sin() * 0.9).collect();
        let far =
            sound.iter().zip(quantised(&sound)).map(|(a, b)| (a * FULL_SCALE - f32::from(b)).abs());
        assert!(far.fold(0.0, f32::max) <= Quantiser::STEPS_MAX + 0.01);
    }

    #[test]
    fn what_exceeds_full_scale_is_clipped_and_never_wraps() {
        assert_eq!(quantised(&[1.5, -1.5]), [i16::MAX, i16::MIN]);
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let mut bytes = io::Cursor::new(Vec::new());
        let mut wav = Wav::new(&mut bytes, SampleRate::WIDEBAND).unwrap();
        wav.take(&[1, -2, 300]).unwrap();
        wav.take(&[i16::MIN]).unwrap();
        wav.finish().unwrap();
        let read = hound::WavReader::new(io::Cursor::new(bytes.into_inner())).unwrap();
        assert_eq!((read.spec().sample_rate, read.spec().channels), (16_000, 1));
        let samples: Vec<i16> = read.into_samples().map(Result::unwrap).collect();
        assert_eq!(samples, [1, -2, 300, i16::MIN]);
    }
}
