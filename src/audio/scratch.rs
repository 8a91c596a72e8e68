//! A place to lay mono samples down once and read them back several times.
//!
//! The chain decodes a recording a single time; what it keeps (mono, filtered, at the internal rate) goes here, so
//! that cutting, limiting and a second encoding never decode again. The `decoder` room keeps a scratch in an unnamed
//! file, which makes **the chain's memory independent of the recording's length**; [`Memory`] serves short material.

use std::io;

/// Append-only samples with random reads.
pub trait Scratch {
    /// Adds samples at the end.
    ///
    /// # Errors
    /// When the place is full or failed.
    fn append(&mut self, samples: &[f32]) -> io::Result<()>;

    /// Fills `out` with the samples from `start` on.
    ///
    /// # Errors
    /// When the range is not wholly inside [`Scratch::len`], or the place failed.
    fn read(&mut self, start: u64, out: &mut [f32]) -> io::Result<()>;

    /// How many samples were appended.
    fn len(&self) -> u64;

    /// Whether nothing was appended.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A scratch in memory: 3.8 MB per minute at 16 kHz.
#[derive(Clone, Debug, Default)]
pub struct Memory(Vec<f32>);

impl Memory {
    /// An empty scratch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scratch for Memory {
    fn append(&mut self, samples: &[f32]) -> io::Result<()> {
        self.0.extend_from_slice(samples);
        Ok(())
    }

    fn read(&mut self, start: u64, out: &mut [f32]) -> io::Result<()> {
        let kept =
            usize::try_from(start).ok().and_then(|from| self.0.get(from..)?.get(..out.len()));
        out.copy_from_slice(kept.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}
