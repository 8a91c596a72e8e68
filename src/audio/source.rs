//! Where samples come from: a pull of interleaved blocks whose format is known before the first.
//!
//! A source is read once, front to back, and is **never held whole**: thirty minutes of stereo at 48 kHz would be
//! 690 MB. Whoever needs a second look writes what it kept to a [`super::scratch::Scratch`].

use crate::unit::SampleRate;

/// The most channels that are accepted: 7.1, the widest layout that ITU-R BS.775 downmixes are known for.
pub const CHANNELS_MAX: usize = 8;

/// What each channel carries, in the order of the interleaved samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Front left, or the left of two.
    Left,
    /// Front right, or the right of two.
    Right,
    /// Front centre, or the only one.
    Centre,
    /// Low-frequency effects: never part of a mono downmix.
    Lfe,
    /// Any left surround.
    LeftSurround,
    /// Any right surround.
    RightSurround,
}

/// The shape of the blocks that a source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Frames per second.
    pub rate: SampleRate,
    /// One entry per channel, 1 to [`CHANNELS_MAX`].
    pub layout: Vec<Speaker>,
}

impl Format {
    /// A format with the usual order of speakers for that many channels (WAVE order), or `None` for no channels or
    /// more than [`CHANNELS_MAX`].
    #[must_use]
    pub fn usual(rate: SampleRate, channels: usize) -> Option<Self> {
        use Speaker::{Centre, Left, LeftSurround, Lfe, Right, RightSurround};
        let layout: &[Speaker] = match channels {
            1 => &[Centre],
            2 => &[Left, Right],
            3 => &[Left, Right, Centre],
            4 => &[Left, Right, LeftSurround, RightSurround],
            5 => &[Left, Right, Centre, LeftSurround, RightSurround],
            6 => &[Left, Right, Centre, Lfe, LeftSurround, RightSurround],
            7 => &[Left, Right, Centre, Lfe, LeftSurround, LeftSurround, RightSurround],
            8 => &[
                Left,
                Right,
                Centre,
                Lfe,
                LeftSurround,
                RightSurround,
                LeftSurround,
                RightSurround,
            ],
            _ => return None,
        };
        Some(Self { rate, layout: layout.to_vec() })
    }

    /// How many channels there are.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.layout.len()
    }
}

/// A pull of samples.
pub trait Source {
    /// Why a block could not be given.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The format of every block; it does not change.
    fn format(&self) -> &Format;

    /// Replaces `block` by the next interleaved samples, whole frames only. `false` means the end, and stays so.
    ///
    /// # Errors
    /// Whatever hindered the source; no block follows an error.
    fn next_block(&mut self, block: &mut Vec<f32>) -> Result<bool, Self::Error>;
}

/// Samples that are already in memory, for tests, tones and short material.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    format: Format,
    rest: &'a [f32],
}

/// Frames given at a time by [`Samples`]; about 20 ms at 48 kHz, as a decoder would.
const BLOCK_FRAMES: usize = 1024;

impl<'a> Samples<'a> {
    /// Interleaved samples of a format; a last partial frame is left out.
    #[must_use]
    pub fn new(format: Format, interleaved: &'a [f32]) -> Self {
        let whole = interleaved.len() / format.channels() * format.channels();
        Self { format, rest: &interleaved[..whole] }
    }

    /// One channel of sound.
    #[must_use]
    pub fn mono(rate: SampleRate, samples: &'a [f32]) -> Self {
        Self::new(Format { rate, layout: vec![Speaker::Centre] }, samples)
    }
}

impl Source for Samples<'_> {
    type Error = std::convert::Infallible;

    fn format(&self) -> &Format {
        &self.format
    }

    fn next_block(&mut self, block: &mut Vec<f32>) -> Result<bool, Self::Error> {
        let take = self.rest.len().min(BLOCK_FRAMES * self.format.channels());
        let (now, later) = self.rest.split_at(take);
        block.clear();
        block.extend_from_slice(now);
        self.rest = later;
        Ok(take > 0)
    }
}
