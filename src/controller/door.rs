//! A socket in the state folder by which commands on the same device ask the process that runs:
//! how it is, and for a self-test. Nothing is written to the flash for it.
//!
//! One line in, one line of JSON out. Whoever may open the folder may ask.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// Questions that may wait.
const ASKED_MAX: usize = 8;

/// How long somebody may take to put a question.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of a question at most.
const QUESTION_BYTES_MAX: u64 = 64;

/// How long an answer may take: a self-test lasts as long as its tone.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Status,
    SelfTest,
}

/// A question with where its answer goes.
pub(super) type Asked = (Question, oneshot::Sender<String>);

fn door(state: &Path) -> PathBuf {
    state.join("door")
}

/// Opens the door of a folder whose lock is held; what is asked comes out of the channel.
pub(super) fn open(state: &Path) -> io::Result<mpsc::Receiver<Asked>> {
    let path = door(state);
    // One that a process left behind; the lock says that it is gone.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    let (send, asked) = mpsc::channel(ASKED_MAX);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, send.clone()));
        }
    });
    Ok(asked)
}

async fn answer(mut stream: UnixStream, asked: mpsc::Sender<Asked>) {
    let (read, mut write) = stream.split();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(read.take(QUESTION_BYTES_MAX));
    let came = tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await;
    let question = match line.trim() {
        "status" => Question::Status,
        "self-test" => Question::SelfTest,
        _ => return,
    };
    let (send, told) = oneshot::channel();
    if matches!(came, Ok(Ok(_)))
        && asked.send((question, send)).await.is_ok()
        && let Ok(answer) = told.await
    {
        // Whoever asked may have gone.
        let _ = write.write_all(format!("{answer}\n").as_bytes()).await;
    }
}

/// Asks the process that runs; `None` where none does.
pub(super) fn ask(state: &Path, question: Question) -> io::Result<Option<String>> {
    let Ok(mut stream) = std::os::unix::net::UnixStream::connect(door(state)) else {
        return Ok(None);
    };
    stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
    let word = match question {
        Question::Status => "status",
        Question::SelfTest => "self-test",
    };
    writeln!(stream, "{word}")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(Some(line))
}
