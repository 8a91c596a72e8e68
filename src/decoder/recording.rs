//! A recording as its child gives it: what it says of itself, its samples, and what is wrong with it.
//!
//! **Nothing of the answer is believed unchecked**: more sound than allowed ends it, as do frames out of order or a
//! count that does not agree.

use std::io::Read;

use super::wire::{Frame, Header, Warned, WireError};
use super::{DecodeError, Limits, Running, listen};
use crate::audio::source::{Format, Source};
use crate::unit::{Millis, SampleRate};

/// Warnings of one recording: each kind once.
const WARNINGS_MAX: usize = 5;

/// Something that is wrong with a recording which is used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The file ends before its sound does; so much is missing, if the file said how long it should be.
    Truncated(Option<Millis>),
    /// So many packets could not be decoded and were left out.
    Damaged(u64),
    /// Rate or channels changed in mid-file; what follows was left out.
    Changed,
    /// The file has so many sound tracks; the first that can be decoded was used.
    Tracks(u16),
    /// HE-AAC: only the lower half of the band was read.
    HalfBand,
}

/// What a recording says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Short name of the codec, e.g. `mp3`.
    pub codec: String,
    /// Short name of the container, e.g. `wave`.
    pub container: String,
    /// Tracks in the file, sound or not.
    pub tracks: u16,
    /// How long the file says it is.
    pub declared: Option<Millis>,
}

/// A recording being decoded: a [`Source`], with what the file says of itself and what is wrong with it.
pub struct Recording {
    running: Option<Running>,
    format: Format,
    about: About,
    frames: u64,
    frames_max: u64,
    warnings: Vec<Warning>,
}

impl Recording {
    /// Reads an answer that comes from elsewhere than a child, e.g. one that was kept; it is believed no more.
    ///
    /// # Errors
    /// When it breaks the rules, or says that the file was refused.
    pub fn of_answer(
        answer: impl Read + Send + 'static,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        Self::new(Running { child: None, frames: listen(answer), limits })
    }

    pub(super) fn new(mut running: Running) -> Result<Self, DecodeError> {
        match running.next()? {
            Frame::Header(header) => Self::headed(running, header),
            Frame::Failed(failure) => Err(running.failed(failure)),
            Frame::Block(_) | Frame::Warning(_) | Frame::End(_) => Err(WireError::Order.into()),
        }
    }

    fn headed(running: Running, header: Header) -> Result<Self, DecodeError> {
        let rate = SampleRate::new(header.rate)?;
        let about = About {
            codec: header.codec,
            container: header.container,
            tracks: header.tracks,
            declared: header.declared.map(|frames| Millis::of_frames(frames, rate)),
        };
        let frames_max = running.limits.length.frames(rate);
        let format = Format { rate, layout: header.layout };
        Ok(Self {
            running: Some(running),
            format,
            about,
            frames: 0,
            frames_max,
            warnings: Vec::new(),
        })
    }

    /// What the file says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What is wrong with it; complete once the source has ended.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// How much sound was given so far.
    #[must_use]
    pub fn given(&self) -> Millis {
        Millis::of_frames(self.frames, self.format.rate)
    }

    /// How much sound was given so far, in frames.
    #[must_use]
    pub fn given_frames(&self) -> u64 {
        self.frames
    }

    fn take(&mut self, running: &mut Running, block: &mut Vec<f32>) -> Result<bool, DecodeError> {
        loop {
            match running.next()? {
                Frame::Block(samples) => {
                    let frames = samples.len() / self.format.channels();
                    self.frames += frames as u64;
                    if self.frames > self.frames_max {
                        return Err(DecodeError::TooLong(running.limits.length));
                    }
                    *block = samples;
                    return Ok(true);
                }
                Frame::Warning(warning) => self.warn(warning)?,
                Frame::End(frames) if frames == self.frames => return Ok(false),
                Frame::Failed(failure) => return Err(running.failed(failure)),
                Frame::End(_) | Frame::Header(_) => return Err(WireError::Order.into()),
            }
        }
    }

    /// Keeps a warning; a child says each of its few at most once.
    fn warn(&mut self, warning: Warned) -> Result<(), WireError> {
        if self.warnings.len() >= WARNINGS_MAX {
            return Err(WireError::Order);
        }
        self.warnings.push(match warning {
            Warned::Truncated(lost) => {
                Warning::Truncated(lost.map(|frames| Millis::of_frames(frames, self.format.rate)))
            }
            Warned::Damaged(packets) => Warning::Damaged(packets),
            Warned::Changed => Warning::Changed,
            Warned::Tracks(count) => Warning::Tracks(count),
            Warned::HalfBand => Warning::HalfBand,
        });
        Ok(())
    }
}

impl Source for Recording {
    type Error = DecodeError;

    fn format(&self) -> &Format {
        &self.format
    }

    fn next_block(&mut self, block: &mut Vec<f32>) -> Result<bool, DecodeError> {
        block.clear();
        let Some(mut running) = self.running.take() else { return Ok(false) };
        let more = self.take(&mut running, block)?;
        if more {
            self.running = Some(running);
        }
        Ok(more)
    }
}
