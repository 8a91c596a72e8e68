//! A process that decodes one input after the other, without being started anew for each.
//!
//! The libraries may panic, and they may ask for so much memory that the process ends: both are what the confined child
//! is for, and are counted here, not failures. **What they wrote until then goes to the parent's reader**, which has to
//! bear it.
//!
//! ```text
//! harness ──length, bytes──▶ worker (limited in memory) ──state, length, answer──▶ harness
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use loaban::decoder::child;
use loaban::unit::Millis;

/// What the harness calls itself with.
pub const SUBCOMMAND: &str = "decode-inputs";

/// Sound decoded of one input.
pub const LENGTH: Millis = Millis::from_secs(4);

/// Bytes of address space; the libraries may take half of it in a child.
const MEMORY_BYTES: u64 = 1 << 30;

/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// How long one input may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the libraries took an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They answered.
    Answered,
    /// They panicked.
    Panicked,
    /// They ended the process, or took too long.
    Ended,
}

/// Keeps what fits and refuses the rest, as a parent does that no longer listens.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.0.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs the worker until its input ends.
pub fn run() -> ExitCode {
    panic::set_hook(Box::new(|_| {}));
    rlimit::Resource::AS.set(MEMORY_BYTES, MEMORY_BYTES).unwrap();
    let mut place = tempfile::tempfile().unwrap();
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Some(bytes) = block(&mut input) {
        place.set_len(0).unwrap();
        io::Seek::rewind(&mut place).unwrap();
        place.write_all(&bytes).unwrap();
        let mut answer = Bounded(Vec::new());
        let view: File = place.try_clone().unwrap();
        let decoded = AssertUnwindSafe(|| {
            // Refused where it is too long for the harness, which is no fault.
            let _ = child::answer(view, LENGTH, &mut answer);
        });
        let state = u8::from(panic::catch_unwind(decoded).is_err());
        let length = u32::try_from(answer.0.len()).unwrap();
        output.write_all(&[state]).unwrap();
        output.write_all(&length.to_le_bytes()).unwrap();
        output.write_all(&answer.0).unwrap();
        output.flush().unwrap();
    }
    ExitCode::SUCCESS
}

fn block(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// The harness's end of a worker.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    answers: Receiver<(State, Vec<u8>)>,
}

impl Worker {
    pub fn start() -> Self {
        let own: PathBuf = fs::read_link("/proc/self/exe").unwrap();
        let mut child = Command::new(own)
            .arg(SUBCOMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, answers) = channel();
        thread::spawn(move || {
            let mut state = [0];
            while output.read_exact(&mut state).is_ok() {
                let state = if state[0] == 0 { State::Answered } else { State::Panicked };
                let Some(answer) = block(&mut output) else { return };
                if sender.send((state, answer)).is_err() {
                    return;
                }
            }
        });
        Self { child, input, answers }
    }

    /// Gives it an input. After [`State::Ended`] another worker is needed.
    pub fn decode(&mut self, input: &[u8]) -> (State, Vec<u8>) {
        let length = u32::try_from(input.len()).unwrap().to_le_bytes();
        let given = self.input.write_all(&length).and_then(|()| self.input.write_all(input));
        let given = given.and_then(|()| self.input.flush());
        let answer = given.ok().and_then(|()| self.answers.recv_timeout(PATIENCE).ok());
        answer.unwrap_or((State::Ended, Vec::new()))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
