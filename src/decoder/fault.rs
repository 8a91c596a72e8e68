//! Why a recording could not be decoded, in words for the person who sent it.
//!
//! **Every sentence says what to do.** Causes that only an administrator can mend say so.

use std::io;
use std::path::PathBuf;

use super::wire::WireError;
use crate::unit::{Millis, NotSampleRate};

/// Why a recording could not be decoded, in words for the person who sent it.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file is not there or may not be read.
    #[error("{path} cannot be opened; check the name and that you may read it", path = path.display())]
    Open {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a device, or nothing in it.
    #[error("{path} is {what}; choose a sound file", path = path.display())]
    NotAFile {
        /// The path asked for.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// More bytes than allowed.
    #[error(
        "the file has {bytes} bytes, more than the limit of {limit}; save it as FLAC or MP3, or split it"
    )]
    TooLarge {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The child could not be started.
    #[error("the decoder {program} could not be started; check the installation", program = program.display())]
    Start {
        /// The program tried.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No container or codec was recognised.
    #[error("this is no sound file that can be read ({0}); send WAV, FLAC, MP3, M4A, Ogg or WebM")]
    NotAudio(String),
    /// A known container without a single decodable sample.
    #[error("the file holds no sound ({0}); export it again from the recorder, or record it again")]
    NoSound(String),
    /// Sound in a codec that is not decoded here.
    #[error(
        "the sound is coded as {0}, which is not supported; save it as WAV, FLAC or MP3 and send that"
    )]
    Unsupported(String),
    /// More sound than allowed.
    #[error("the recording is longer than the limit of {0}; split it")]
    TooLong(Millis),
    /// The child used up its CPU time.
    #[error(
        "decoding took more than {0} s of CPU time and was stopped; save the recording as WAV and send that"
    )]
    CpuLimit(u64),
    /// The child asked for too much memory.
    #[error(
        "decoding asked for more than {0} bytes of memory and was stopped; the file is damaged or not genuine"
    )]
    MemoryLimit(u64),
    /// The child fell silent.
    #[error(
        "decoding gave nothing for {0} and was stopped; try again, then save the recording as WAV"
    )]
    Silence(Millis),
    /// The child died of something else.
    #[error("the file made the decoder fail ({0}); it is damaged or not genuine; export it again")]
    Crashed(String),
    /// The child's answer broke the rules.
    #[error(
        "the decoder gave an answer that makes no sense ({0}); the file is damaged or not genuine"
    )]
    Nonsense(#[from] WireError),
    /// A sample rate that nothing here can use.
    #[error(transparent)]
    Rate(#[from] NotSampleRate),
}

impl DecodeError {
    /// A stable word for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "cannot-open",
            Self::NotAFile { .. } => "not-a-file",
            Self::TooLarge { .. } => "too-large",
            Self::Start { .. } => "decoder-missing",
            Self::NotAudio(_) => "not-audio",
            Self::NoSound(_) => "no-sound",
            Self::Unsupported(_) => "unsupported-codec",
            Self::TooLong(_) => "too-long",
            Self::CpuLimit(_) => "cpu-limit",
            Self::MemoryLimit(_) => "memory-limit",
            Self::Silence(_) => "decoder-silent",
            Self::Crashed(_) => "decoder-crashed",
            Self::Nonsense(_) => "decoder-nonsense",
            Self::Rate(_) => "sample-rate",
        }
    }
}
