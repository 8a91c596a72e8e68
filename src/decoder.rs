//! Opens recordings that anybody may have sent, in a child process that can do no harm.
//!
//! The parent opens the file and hands it over as the child's standard input; the child limits itself (memory, CPU
//! time, no further file), decodes, and answers on its standard output in small frames. **The child's answer is as
//! hostile as the file**: every frame is bounded and checked before it is believed, and a hostile file can at worst
//! kill its own child, which yields a sentence. The chain's working copy on disk lives here too ([`FileScratch`]).
//!
//! ```text
//! file ──stdin──▶ child (symphonia, libopus) ──frames──▶ reader thread ──bounded channel──▶ Recording
//! ```

pub mod child;
mod fault;
mod mend;
mod scratch;
pub mod told;
mod wire;

use std::fs::File;
use std::io::BufReader;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

pub use self::fault::DecodeError;
pub use self::scratch::FileScratch;
use self::wire::{Failure, Frame, Header, WireError};
use crate::audio::source::{Format, Source};
use crate::unit::{Millis, SampleRate};

/// The hidden subcommand that the program must give to [`child::run`].
pub const SUBCOMMAND: &str = "decode-child";

/// Frames that may wait between reader and consumer: half a megabyte at most.
const FRAMES_WAITING: usize = 8;

/// How long a child that has closed its answer may take to be gone.
const REAP_TRIES: u32 = 100;

/// Pause between two looks at a child that should be gone.
const REAP_PAUSE: Duration = Duration::from_millis(5);

/// What a child may use. The defaults suit bulletins of up to three hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. Three hours of WAV at 48 kHz, 24 bit, stereo are 3.1 GB.
    pub file_bytes: u64,
    /// Bytes of address space; the program itself maps some 100 MB of it.
    pub memory_bytes: u64,
    /// Seconds of CPU time; three hours of MP3 take some 20.
    pub cpu_s: u64,
    /// Length of the decoded sound.
    pub length: Millis,
    /// How long the child may stay silent before it is given up.
    pub silence: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 4 << 30,
            memory_bytes: 512 << 20,
            cpu_s: 180,
            length: Millis::from_secs(3 * 3600),
            silence: Millis::from_secs(30),
        }
    }
}

/// Something that is wrong with a recording which is used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The file ends before its sound does; so much is missing, if the file said how long it should be.
    Truncated(Option<Millis>),
    /// So many packets could not be decoded and were left out.
    Damaged(u64),
    /// Rate or channels changed in mid-file; what follows was left out.
    Changed,
}

/// What a recording says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Short name of the codec, e.g. `mp3`.
    pub codec: String,
    /// Short name of the container, e.g. `wave`.
    pub container: String,
    /// Tracks in the file, sound or not; the first sound track is decoded.
    pub tracks: u16,
    /// How long the file says it is.
    pub declared: Option<Millis>,
}

/// Starts children.
#[derive(Clone, Debug)]
pub struct Decoder {
    program: PathBuf,
    limits: Limits,
}

impl Decoder {
    /// A decoder whose children are `program decode-child …`; the program must hand its arguments to [`child::run`].
    #[must_use]
    pub fn new(program: PathBuf, limits: Limits) -> Self {
        Self { program, limits }
    }

    /// Opens a recording and waits for its header.
    ///
    /// # Errors
    /// When the file cannot be opened, is refused, or its child fails.
    pub fn open(&self, path: &Path) -> Result<Recording, DecodeError> {
        let file = self.admit(path)?;
        let mut child = self.spawn(file)?;
        let frames = listen(&mut child);
        let mut running = Running { child, frames, limits: self.limits.clone() };
        match running.next()? {
            Frame::Header(header) => Recording::new(running, header),
            Frame::Failed(failure) => Err(running.failed(failure)),
            Frame::Block(_) | Frame::Warning(_) | Frame::End(_) => Err(WireError::Order.into()),
        }
    }

    fn admit(&self, path: &Path) -> Result<File, DecodeError> {
        let open = |source| DecodeError::Open { path: path.to_owned(), source };
        let not_a_file = |what| DecodeError::NotAFile { path: path.to_owned(), what };
        // Looked at before it is opened: opening a pipe would wait for a writer.
        let about = path.metadata().map_err(open)?;
        if !about.is_file() {
            return Err(not_a_file("no file"));
        }
        let limit = self.limits.file_bytes;
        match about.len() {
            0 => Err(not_a_file("an empty file")),
            bytes if bytes > limit => Err(DecodeError::TooLarge { bytes, limit }),
            _ => File::open(path).map_err(open),
        }
    }

    fn spawn(&self, file: File) -> Result<Child, DecodeError> {
        let limits = &self.limits;
        let numbers = [limits.memory_bytes, limits.cpu_s, limits.length.get()]
            .map(|number| number.to_string());
        Command::new(&self.program)
            .arg(SUBCOMMAND)
            .args(numbers)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(file))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| DecodeError::Start { program: self.program.clone(), source })
    }
}

fn listen(child: &mut Child) -> Receiver<Result<Frame, WireError>> {
    let answer = child.stdout.take().expect("stdout is piped");
    let (sender, frames) = sync_channel(FRAMES_WAITING);
    thread::spawn(move || forward(answer, &sender));
    frames
}

/// Reads frames off the child until it ends or the consumer goes away.
fn forward(answer: ChildStdout, sender: &SyncSender<Result<Frame, WireError>>) {
    let mut frames = wire::Reader::new(BufReader::with_capacity(1 << 16, answer));
    loop {
        let frame = frames.next();
        let last = frame.as_ref().map_or(true, Frame::is_last);
        if sender.send(frame).is_err() || last {
            return;
        }
    }
}

/// A child at work; killed and reaped when it goes out of use.
struct Running {
    child: Child,
    frames: Receiver<Result<Frame, WireError>>,
    limits: Limits,
}

impl Running {
    fn next(&mut self) -> Result<Frame, DecodeError> {
        match self.frames.recv_timeout(self.limits.silence.into()) {
            Ok(Ok(frame)) => Ok(frame),
            Ok(Err(WireError::Ended)) | Err(RecvTimeoutError::Disconnected) => Err(self.autopsy()),
            Ok(Err(nonsense)) => Err(nonsense.into()),
            Err(RecvTimeoutError::Timeout) => Err(DecodeError::Silence(self.limits.silence)),
        }
    }

    fn failed(&self, failure: Failure) -> DecodeError {
        match failure {
            Failure::NotAudio(why) => DecodeError::NotAudio(why),
            Failure::NoSound(why) => DecodeError::NoSound(why),
            Failure::Unsupported(codec) => DecodeError::Unsupported(codec),
            Failure::TooLong => DecodeError::TooLong(self.limits.length),
            Failure::Unlimited(why) => DecodeError::Crashed(why),
        }
    }

    /// Why a child ended without saying so.
    fn autopsy(&mut self) -> DecodeError {
        const SIGABRT: i32 = 6;
        const SIGKILL: i32 = 9;
        const SIGXCPU: i32 = 24;
        let Some(status) = self.wait() else { return DecodeError::Silence(self.limits.silence) };
        match status.signal() {
            Some(SIGXCPU | SIGKILL) => DecodeError::CpuLimit(self.limits.cpu_s),
            // What the allocator does when the limit is reached.
            Some(SIGABRT) => DecodeError::MemoryLimit(self.limits.memory_bytes),
            _ => DecodeError::Crashed(status.to_string()),
        }
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        for _ in 0..REAP_TRIES {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(REAP_PAUSE);
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
    fn new(running: Running, header: Header) -> Result<Self, DecodeError> {
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
    fn warn(&mut self, warning: wire::Warned) -> Result<(), WireError> {
        if self.warnings.len() >= 3 {
            return Err(WireError::Order);
        }
        self.warnings.push(match warning {
            wire::Warned::Truncated(lost) => {
                Warning::Truncated(lost.map(|frames| Millis::of_frames(frames, self.format.rate)))
            }
            wire::Warned::Damaged(packets) => Warning::Damaged(packets),
            wire::Warned::Changed => Warning::Changed,
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
