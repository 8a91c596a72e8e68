//! The device's own senses: a command that measures the amplifier, a command that listens.
//!
//! Each is started when a recording begins to sound, with the recording's digest in `LOABAN_ASSET`
//! and its file in `LOABAN_FILE`. It answers with one line: `measured` or `heard`, a space, and that
//! digest. **An answer with another digest, another word or another exit code says nothing.**

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::mpsc;
use tracing::warn;

use crate::agent::Input;
use crate::digest::Digest;
use crate::receipt::Evidence;

/// How long a command may take: longer than any recording that one item of an airing is.
const PATIENCE: Duration = Duration::from_mins(30);

/// Answers that may wait; there are two for a recording at most.
pub(super) const ANSWERS_MAX: usize = 16;

/// The commands of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senses {
    /// Measures the amplifier's current; its program and arguments.
    pub amplifier: Vec<String>,
    /// Listens with a microphone; its program and arguments.
    pub microphone: Vec<String>,
}

/// What sounds now.
#[derive(Clone, Debug)]
pub(super) struct Sounding {
    pub(super) token: u64,
    pub(super) asset: Digest,
    pub(super) file: PathBuf,
}

impl Senses {
    /// Starts what there is for a recording that begins.
    pub(super) fn listen(&self, what: &Sounding, answers: &mpsc::Sender<Input>) {
        let senses = [(&self.amplifier, Evidence::Measured), (&self.microphone, Evidence::Heard)];
        for (words, evidence) in senses {
            if let Some((program, arguments)) = words.split_first() {
                let mut command = Command::new(program);
                command.args(arguments);
                let (what, answers) = (what.clone(), answers.clone());
                tokio::spawn(ask(command, what, evidence, answers));
            }
        }
    }
}

async fn ask(
    mut command: Command,
    what: Sounding,
    evidence: Evidence,
    answers: mpsc::Sender<Input>,
) {
    command.env("LOABAN_ASSET", what.asset.to_string()).env("LOABAN_FILE", &what.file);
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let asset = what.asset;
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            if is_answer(&output.stdout, evidence, asset) {
                // Nobody waits for it after the end.
                let _ = answers.send(Input::Sensed { token: what.token, asset, evidence }).await;
            }
        }
        Ok(Ok(output)) => warn!(status = %output.status, "a sense of the device failed"),
        Ok(Err(error)) => {
            warn!(%error, "a sense of the device cannot be started; check [evidence]");
        }
        Err(_) => warn!(patience_s = PATIENCE.as_secs(), "a sense of the device did not answer"),
    }
}

fn is_answer(said: &[u8], evidence: Evidence, asset: Digest) -> bool {
    let word = match evidence {
        Evidence::Measured => "measured",
        Evidence::Heard => "heard",
        Evidence::Commanded | Evidence::Rendered => return false,
    };
    String::from_utf8_lossy(said).trim() == format!("{word} {asset}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_word_with_the_right_digest_is_an_answer() {
        let (asset, other) = (Digest::of(b"a"), Digest::of(b"b"));
        let answers = |said: String| is_answer(said.as_bytes(), Evidence::Measured, asset);
        assert!(answers(format!("measured {asset}\n")));
        assert!(!answers(format!("measured {other}\n")));
        assert!(!answers(format!("heard {asset}\n")));
        assert!(!answers("measured\n".to_owned()));
    }

    #[tokio::test]
    async fn a_command_is_told_the_recording_and_its_answer_comes_back() {
        let (send, mut answers) = mpsc::channel(ANSWERS_MAX);
        let words = ["sh", "-c", "echo measured $LOABAN_ASSET"].map(str::to_owned);
        let senses = Senses { amplifier: words.to_vec(), microphone: vec![] };
        let asset = Digest::of(b"a");
        senses.listen(&Sounding { token: 3, asset, file: PathBuf::from("/x") }, &send);
        let evidence = Evidence::Measured;
        assert_eq!(answers.recv().await, Some(Input::Sensed { token: 3, asset, evidence }));
    }
}
