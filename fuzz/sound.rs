//! Recordings: containers and codecs in a worker, a share of them through the real child, and the child's answer.
//!
//! **Whatever the libraries do, the parent gives sound within its limits or a sentence.** It never calls an answer of
//! our own child nonsense, and never waits for it in vain.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use loaban::audio::source::Source as _;
use loaban::decoder::{DecodeError, Decoder, Limits, Recording};
use loaban::unit::Millis;

use crate::target::{Outcome, Target, holds, sentence};
use crate::worker::{LENGTH, State, Worker};

/// One input of so many goes through the real child too.
const REAL_EVERY: u64 = 40;

pub fn targets() -> Vec<Box<dyn Target>> {
    vec![Box::new(Recordings::new()), Box::new(Answers)]
}

/// Small recordings, by name, as `fuzz/seeds/make.sh` makes them.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/sound");
    let files = fs::read_dir(folder).expect("the seeds are there").map(|file| file.unwrap().path());
    let mut files: Vec<(String, Vec<u8>)> = files
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn limits() -> Limits {
    Limits { length: LENGTH, silence: Millis::from_secs(8), cpu_s: 6, ..Limits::default() }
}

/// Reads a recording to its end: its frames.
fn drain(opened: Result<Recording, DecodeError>) -> Result<u64, DecodeError> {
    let mut recording = opened?;
    let mut block = Vec::new();
    while recording.next_block(&mut block)? {}
    Ok(recording.given_frames())
}

/// What came of a reading, as a word; it must be sound or a sentence that says what to do.
fn word(read: &Result<u64, DecodeError>) -> Outcome {
    match read {
        Ok(frames) => Ok(format!("sound {}", frames.checked_ilog2().unwrap_or(0))),
        Err(fault) => {
            let told = fault.to_string();
            holds(told.contains(';'), || format!("does not say what to do: {told}"))?;
            sentence(&fault).map(|word| format!("{} {word}", fault.code()))
        }
    }
}

struct Recordings {
    worker: Worker,
    decoder: Decoder,
    place: tempfile::NamedTempFile,
    inputs: u64,
    panics: u64,
    ends: u64,
    real: u64,
}

impl Recordings {
    fn new() -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_loaban"));
        Self {
            worker: Worker::start(),
            decoder: Decoder::new(program, limits()),
            place: tempfile::NamedTempFile::new().unwrap(),
            inputs: 0,
            panics: 0,
            ends: 0,
            real: 0,
        }
    }

    /// Through the real child: what it gives is what the worker gave.
    fn through_the_child(
        &mut self,
        input: &[u8],
        answered: Option<&Result<u64, DecodeError>>,
    ) -> Outcome {
        self.real += 1;
        fs::write(self.place.path(), input).unwrap();
        let read = drain(self.decoder.open(self.place.path()));
        if let Err(fault) = &read {
            let blamed = ["decoder-nonsense", "decoder-silent", "decoder-missing"];
            holds(!blamed.contains(&fault.code()), || format!("the real child: {fault}"))?;
        }
        if let Some(answered) = answered {
            let same = match (&read, answered) {
                (Ok(one), Ok(other)) => one == other,
                (Err(one), Err(other)) => one.code() == other.code() || input.is_empty(),
                _ => false,
            };
            holds(same, || format!("the real child gives {read:?}, the worker {answered:?}"))?;
        }
        word(&read)
    }
}

impl Target for Recordings {
    fn name(&self) -> String {
        "sound".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        recordings().into_iter().map(|(_, bytes)| bytes).collect()
    }

    fn share(&self) -> u32 {
        60
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        self.inputs += 1;
        let (state, answer) = self.worker.decode(input);
        self.panics += u64::from(state == State::Panicked);
        if state == State::Ended {
            self.ends += 1;
            self.worker = Worker::start();
        }
        let read = drain(Recording::of_answer(Cursor::new(answer), limits()));
        if let (State::Answered, Err(fault)) = (state, &read) {
            // An answer that outgrew the worker's bound breaks off, as one does whose writer ended.
            let broke_off = fault.to_string().contains("broke off");
            let nonsense = fault.code() == "decoder-nonsense" && !broke_off;
            holds(!nonsense, || format!("our own answer: {fault}"))?;
        }
        let answered = Some(&read).filter(|read| {
            state == State::Answered && !matches!(read, Err(DecodeError::Nonsense(_)))
        });
        // What ended the worker is what the child is for.
        if self.inputs.is_multiple_of(REAL_EVERY) || state != State::Answered {
            return self.through_the_child(input, answered);
        }
        word(&read)
    }

    fn memory_max(&self, input: usize) -> usize {
        (24 << 20) + 8 * input
    }

    fn remark(&self) -> String {
        format!(
            "{} panics and {} ends of libraries, contained; {} inputs through the real child",
            self.panics, self.ends, self.real
        )
    }
}

/// The child's answer, from a child that may say anything.
struct Answers;

impl Target for Answers {
    fn name(&self) -> String {
        "answer".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let mut worker = Worker::start();
        let answers = recordings().into_iter().map(|(_, bytes)| worker.decode(&bytes).1);
        // Sound is long and all alike: a header and the end are what can be told wrong.
        let mut seeds: Vec<Vec<u8>> = answers.filter(|it| !it.is_empty()).collect();
        seeds.sort_by_key(Vec::len);
        seeds.truncate(12);
        seeds
    }

    fn share(&self) -> u32 {
        10
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let opened = Recording::of_answer(Cursor::new(input.to_vec()), limits());
        let rate = opened.as_ref().map_or(0, |recording| recording.format().rate.get());
        let read = drain(opened);
        if let Ok(frames) = read {
            let most = LENGTH.get() * u64::from(rate) / 1_000 + 1;
            holds(frames <= most, || format!("{frames} frames, more than {most}"))?;
            holds(input.len() as u64 >= frames * 4, || format!("{frames} frames out of nothing"))?;
            return Ok(format!("sound {}", frames.checked_ilog2().unwrap_or(0)));
        }
        word(&read)
    }

    fn memory_max(&self, input: usize) -> usize {
        (4 << 20) + 4 * input
    }
}
