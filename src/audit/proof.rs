//! The proof of one entry (C2SP `tlog-proof`): self-contained, verifiable without a network.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 73894
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
//! …
//!
//! <checkpoint>
//! ```
//!
//! A proof for a million entries has 20 hashes and is below 1,300 bytes. Our proofs carry no
//! `extra` line; one that others wrote is passed over, since nothing vouches for it.
//!
//! **A proof convinces only together with the entry's bytes and a key that the reader has from
//! elsewhere.**

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::audit::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::audit::tree::{self, NotProven, PROOF_HASHES_MAX};
use crate::digest::Digest;
use crate::note::PublicKey;

/// The first line, which names the format.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// That one entry is in the log, for somebody who has nothing but the log's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The entry's place in the log, from 0.
    pub index: u64,
    /// Its siblings on the way from the leaf to the root.
    pub path: Vec<Digest>,
    /// The head of the log that the proof leads to.
    pub checkpoint: SignedCheckpoint,
}

/// Why a proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a proof.
    #[error(
        "not a proof of an entry: its {0} is missing or malformed; it was cut or is something else"
    )]
    Malformed(&'static str),
    /// The checkpoint in it is wrong.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not where the proof says.
    #[error(transparent)]
    NotProven(#[from] NotProven),
}

impl Proof {
    /// Checks that the log whose key is `key` holds `entry`, and returns its verified head.
    pub fn verify(&self, entry: &[u8], key: &PublicKey) -> Result<&Checkpoint, ProofError> {
        let head = self.checkpoint.verify(key)?;
        tree::verify_inclusion(
            &self.path,
            self.index,
            tree::leaf_hash(entry),
            head.size,
            head.root,
        )?;
        Ok(head)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", BASE64.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint.as_str())
    }
}

impl FromStr for Proof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(ProofError::Malformed("blank line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Malformed("first line"));
        }
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(index).ok_or(ProofError::Malformed("index"))?;
        let path: Option<Vec<Digest>> = lines.map(hash).take(PROOF_HASHES_MAX + 1).collect();
        let path = path.ok_or(ProofError::Malformed("list of hashes"))?;
        Ok(Self { index, path, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }
}

fn index(line: &str) -> Option<u64> {
    let digits = line.strip_prefix("index ")?;
    digits.parse::<u64>().ok().filter(|index| index.to_string() == digits)
}

fn hash(line: &str) -> Option<Digest> {
    let bytes: [u8; 32] = BASE64.decode(line).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Signer;

    fn proof() -> Proof {
        let signer = Signer::from_seed("x/log".parse().unwrap(), &[1; 32]);
        let (left, right) = (tree::leaf_hash(b"{}"), tree::leaf_hash(b"{1}"));
        let head = Checkpoint {
            origin: "x/log".parse().unwrap(),
            size: 2,
            root: tree::node_hash(left, right),
        };
        Proof { index: 1, path: vec![left], checkpoint: head.sign(&signer) }
    }

    #[test]
    fn a_proof_reads_back_and_an_extra_line_of_others_is_passed_over() {
        let text = proof().to_string();
        assert_eq!(text.parse::<Proof>().unwrap(), proof());
        let extra = text.replacen("index", "extra aGk=\nindex", 1);
        assert_eq!(extra.parse::<Proof>().unwrap(), proof());
    }

    #[test]
    fn what_is_no_proof_is_refused_by_its_part() {
        let text = proof().to_string();
        for (from, to, part) in [
            ("tlog-proof@v1", "tlog-proof@v2", "first line"),
            ("index 1", "index 01", "index"),
            ("index 1", "index 1\nAAAA", "list of hashes"),
            ("\n\n", "\n", "blank line"),
        ] {
            let refused = text.replace(from, to).parse::<Proof>();
            assert_eq!(refused, Err(ProofError::Malformed(part)));
        }
    }

    #[test]
    fn a_proof_with_too_many_hashes_is_refused_unrun() {
        let key = Signer::from_seed("x/log".parse().unwrap(), &[1; 32]).public();
        let long = Proof { path: vec![Digest::ZERO; 1000], ..proof() };
        assert!(proof().verify(b"{1}", &key).is_ok());
        assert!(matches!(long.verify(b"{1}", &key), Err(ProofError::NotProven(_))));
    }
}
