//! Writes an asset as 16-bit WAV, for devices that cannot decode Opus.
//!
//! The samples are those a controller would play: **the WAV is made of the asset, never beside it**, so that loudness
//! and ceiling hold for both. Rounding is to nearest, without dither: the asset's own noise lies far above it.

use std::io::{Seek, Write};

use hound::{SampleFormat, WavSpec, WavWriter};

use super::opus::{OpusError, Output, Reader};

/// Why no WAV came out.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The asset could not be decoded.
    #[error(transparent)]
    Opus(#[from] OpusError),
    /// The file could not be written.
    #[error("the WAV file could not be written; check that the disk has room")]
    Write(#[from] hound::Error),
}

/// Decodes an asset into a mono WAV of 16 bits.
///
/// # Errors
/// When the asset is damaged or the writing fails.
pub fn write(asset: &[u8], output: Output, into: impl Write + Seek) -> Result<(), WavError> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: output.rate().get(),
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut wav = WavWriter::new(into, spec)?;
    let mut reader = Reader::new(asset, output)?;
    let mut block = Vec::new();
    while reader.next_block(&mut block)? {
        for sample in &block {
            wav.write_sample(quantised(*sample))?;
        }
    }
    Ok(wav.finalize()?)
}

/// The nearest 16-bit value; what exceeds full scale is clipped, which the ceiling of an asset never allows.
#[must_use]
pub fn quantised(sample: f32) -> i16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float saturates, which is what is wanted"
    )]
    let value = (sample * 32_767.0).round() as i16;
    value
}
