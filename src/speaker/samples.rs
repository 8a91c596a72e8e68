//! The samples of one part: a tone, a silence, or a recording with a ramp at both ends.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::audio::opus::{Output, Reader};
use crate::audio::tone::Tone;
use crate::speaker::level::{EDGE, RATE, edge};

/// Samples handed on at once: 20 ms.
pub(super) const CHUNK: usize = 320;

/// Where the samples of a part come from.
pub(super) enum Samples {
    /// Made whole: fades of its own.
    Held(Vec<f32>, usize),
    /// So many of nothing.
    Nothing(usize),
    /// Decoded as it goes.
    Read(Box<Recording>),
}

/// A recording, one ramp ahead of what sounds, so that its end is known in time.
pub(super) struct Recording {
    reader: Reader<Vec<u8>>,
    ahead: Vec<f32>,
    block: Vec<f32>,
    ended: bool,
    given: usize,
}

impl Samples {
    pub(super) fn of_tone(tone: Tone) -> Self {
        Self::Held(tone.samples(RATE), 0)
    }

    pub(super) fn of_silence(length: Duration) -> Self {
        Self::Nothing(usize::try_from(length.as_millis()).unwrap_or(0) * CHUNK / 20)
    }

    pub(super) fn of_recording(path: &Path) -> Result<Self, String> {
        let cannot = |why: String| format!("cannot play {}: {why}", path.display());
        let bytes = fs::read(path).map_err(|e| cannot(e.to_string()))?;
        // Applies the gain of its header.
        let reader = Reader::new(bytes, Output::Wideband).map_err(|e| cannot(e.to_string()))?;
        let (ahead, block) = (Vec::new(), Vec::new());
        Ok(Self::Read(Box::new(Recording { reader, ahead, block, ended: false, given: 0 })))
    }

    /// Fills `chunk` with the next samples; `false` at the end.
    pub(super) fn next_chunk(&mut self, chunk: &mut Vec<f32>) -> Result<bool, String> {
        chunk.clear();
        match self {
            Self::Held(samples, at) => {
                let end = (*at + CHUNK).min(samples.len());
                chunk.extend_from_slice(&samples[*at..end]);
                *at = end;
            }
            Self::Nothing(left) => {
                chunk.resize(CHUNK.min(*left), 0.0);
                *left -= chunk.len();
            }
            Self::Read(recording) => recording.next_chunk(chunk)?,
        }
        Ok(!chunk.is_empty())
    }
}

impl Recording {
    fn next_chunk(&mut self, chunk: &mut Vec<f32>) -> Result<(), String> {
        while !self.ended && self.ahead.len() < CHUNK + EDGE {
            self.ended = !self.reader.next_block(&mut self.block).map_err(|e| e.to_string())?;
            if !self.ended {
                self.ahead.extend_from_slice(&self.block);
            }
        }
        let (given, left) = (self.given, self.ahead.len());
        chunk.extend(self.ahead.drain(..CHUNK.min(left)));
        for (n, sample) in chunk.iter_mut().enumerate() {
            // Until its end is known, what is ahead is longer than the ramp.
            *sample *= edge(given + n, left - 1 - n);
        }
        self.given += chunk.len();
        Ok(())
    }
}
