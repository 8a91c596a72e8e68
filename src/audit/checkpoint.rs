//! Checkpoints: the signed head of the log (C2SP `tlog-checkpoint`).
//!
//! ```text
//! laichau/log
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — laichau/log Az3grlgtzPICa5OS8npVmf1M…
//! ```
//!
//! Origin, number of entries and root hash, as a signed note. A checkpoint that somebody kept on
//! paper holds the log to everything it said until then.
//!
//! **The log never signs two checkpoints of which neither continues the other**; who finds two
//! has proof against the log's keeper.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest::Digest;
use crate::note::{Note, NoteError, PublicKey, Signer};

/// Characters in an origin at most.
pub const ORIGIN_CHARS_MAX: usize = 160;

/// The name of a log: the first line of its checkpoints. Conventionally the name of its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

/// Text that cannot name a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a log; use 1 to {ORIGIN_CHARS_MAX} characters without spaces or +, such as laichau/log"
)]
pub struct NotAnOrigin(String);

impl Origin {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let good = (1..=ORIGIN_CHARS_MAX).contains(&text.chars().count())
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnOrigin(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.0)
    }
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Digest,
}

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// No signed note, or not signed by the log's key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note is not a checkpoint.
    #[error("not a checkpoint: its {0} is missing or malformed; it was cut or is something else")]
    Malformed(&'static str),
}

impl Checkpoint {
    /// The text that is signed: three lines.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }

    /// Signs it with the log's key.
    pub fn sign(self, signer: &Signer) -> SignedCheckpoint {
        let note = signer.sign(&self.text());
        SignedCheckpoint { checkpoint: self, note }
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the signed text. Lines behind the third are allowed by the standard and passed over.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::Malformed("last line feed"))?;
        let mut lines = text.split('\n');
        let mut line = |name| lines.next().ok_or(CheckpointError::Malformed(name));
        let origin = line("origin")?.parse().map_err(|_| CheckpointError::Malformed("origin"))?;
        let size = size(line("size")?).ok_or(CheckpointError::Malformed("size"))?;
        let root = root(line("root hash")?).ok_or(CheckpointError::Malformed("root hash"))?;
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Malformed("extension"));
        }
        Ok(Self { origin, size, root })
    }
}

fn size(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|size| size.to_string() == text)
}

fn root(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = BASE64.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// A checkpoint with the note that says it. **Read, not verified**: see [`Self::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint without checking any signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let checkpoint = Note::parse(bytes)?.text().parse()?;
        let note = String::from_utf8_lossy(bytes).into_owned();
        Ok(Self { checkpoint, note })
    }

    /// What it says, once the log's key has signed it.
    pub fn verify(&self, key: &PublicKey) -> Result<&Checkpoint, CheckpointError> {
        Note::parse(self.note.as_bytes())?.verify([key])?;
        Ok(&self.checkpoint)
    }

    /// What it says. **Not verified.**
    pub fn claim(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note: print it, mail it, keep it.
    pub fn as_str(&self) -> &str {
        &self.note
    }
}

impl fmt::Debug for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedCheckpoint({:?})", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn signer(byte: u8) -> Signer {
        Signer::from_seed("x/log".parse().unwrap(), &[byte; 32])
    }

    #[test]
    fn the_example_of_the_standard_reads_back() {
        let read: Checkpoint = EXAMPLE.parse().unwrap();
        assert_eq!((read.size, read.text().as_str()), (20_852_163, EXAMPLE));
        let longer: Checkpoint = format!("{EXAMPLE}extension\n").parse().unwrap();
        assert_eq!(longer, read);
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_by_its_part() {
        let broken = |from: &str, to: &str| EXAMPLE.replace(from, to).parse::<Checkpoint>();
        for (from, to, part) in [
            ("example.com/behind-the-sofa", "", "origin"),
            ("20852163", "020852163", "size"),
            ("20852163", "-1", "size"),
            ("CsUY", "CsU", "root hash"),
            ("q2I=\n", "q2I=\n\n", "extension"),
            ("q2I=\n", "q2I=", "last line feed"),
        ] {
            assert_eq!(broken(from, to), Err(CheckpointError::Malformed(part)), "{from} {to}");
        }
    }

    #[test]
    fn only_the_logs_own_key_verifies_it() {
        let signed = EXAMPLE.parse::<Checkpoint>().unwrap().sign(&signer(1));
        let read = SignedCheckpoint::parse(signed.as_str().as_bytes()).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.verify(&signer(1).public()).unwrap().size, 20_852_163);
        assert!(read.verify(&signer(2).public()).is_err());
        let forged = signed.as_str().replace("20852163", "20852164");
        let forged = SignedCheckpoint::parse(forged.as_bytes()).unwrap();
        assert!(forged.verify(&signer(1).public()).is_err());
    }
}
