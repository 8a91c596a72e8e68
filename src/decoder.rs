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
mod confine;
mod fault;
mod input;
mod mend;
mod opus;
mod recording;
mod sbr;
mod scratch;
mod session;
pub mod told;
mod track;
mod wire;

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

pub use self::fault::DecodeError;
pub use self::recording::{About, Recording, Warning};
pub use self::scratch::FileScratch;
use self::wire::{Failure, Frame, WireError};
use crate::unit::Millis;

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
        let answer = child.stdout.take().expect("stdout is piped");
        let frames = listen(answer);
        Recording::new(Running { child: Some(child), frames, limits: self.limits.clone() })
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

fn listen(answer: impl Read + Send + 'static) -> Receiver<Result<Frame, WireError>> {
    let (sender, frames) = sync_channel(FRAMES_WAITING);
    thread::spawn(move || forward(answer, &sender));
    frames
}

/// Reads frames off the child until it ends or the consumer goes away.
fn forward(answer: impl Read, sender: &SyncSender<Result<Frame, WireError>>) {
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
    /// None where an answer is read that no child of ours is giving.
    child: Option<Child>,
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
        if self.child.is_none() {
            return WireError::Ended.into();
        }
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
            if let Ok(Some(status)) = self.child.as_mut()?.try_wait() {
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
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
