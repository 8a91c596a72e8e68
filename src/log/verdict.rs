//! The auditor's question: is this log what was signed, and does it continue what was signed
//! before?
//!
//! Everything is derived anew from the bytes of the entries. **Nothing is trusted but the log's
//! public key and, where there is one, a checkpoint that the auditor has kept.**

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use crate::audit::{Checkpoint, Entry, FactId, SignedCheckpoint};
use crate::digest::Digest;
use crate::log::alteration::{self, Alteration};
use crate::log::inspect::{Inspection, inspect};
use crate::log::{Disk, Folder, LogError, reader};
use crate::note::PublicKey;

/// What an auditor is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry is what was signed.
    Right {
        /// The verified head.
        head: Checkpoint,
        /// Entries in the older checkpoint that the log was held to.
        old_size: Option<u64>,
    },
    /// Something is not what was signed.
    Altered(Alteration),
}

impl Verdict {
    /// Whether every entry is what was signed.
    pub fn is_right(&self) -> bool {
        matches!(self, Self::Right { .. })
    }
}

impl Verdict {
    /// The same sentence in Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::Right { head: Checkpoint { origin, size, root }, old_size } => {
                let older = old_size.map_or_else(String::new, |old| {
                    format!(", và nối tiếp đúng điểm kiểm chứng cũ có {old} mục")
                });
                format!(
                    "Nhật ký {origin} nguyên vẹn: cả {size} mục đều đúng như đã ký (gốc {root}){older}."
                )
            }
            Self::Altered(alteration) => alteration.vi(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right { head: Checkpoint { origin, size, root }, old_size } => {
                write!(
                    f,
                    "The log {origin} is right: all {size} entries are as signed (root {root})"
                )?;
                match old_size {
                    Some(old) => {
                        write!(f, ", and it continues the older checkpoint of {old} entries.")
                    }
                    None => f.write_str("."),
                }
            }
            Self::Altered(alteration) => fmt::Display::fmt(alteration, f),
        }
    }
}

/// Verifies the log in `dir`, also while a server writes it. `older` is a checkpoint that the
/// auditor kept: it catches a log that was rewritten and signed anew.
pub fn verify(
    dir: &Path,
    key: &PublicKey,
    older: Option<&SignedCheckpoint>,
) -> Result<Verdict, LogError> {
    verify_telling(dir, key, older, |_, _| ())
}

/// Like [`verify`]; `progress` is told how many entries were read, and of how many.
pub fn verify_telling(
    dir: &Path,
    key: &PublicKey,
    older: Option<&SignedCheckpoint>,
    progress: impl FnMut(u64, u64),
) -> Result<Verdict, LogError> {
    judge(&Folder::shared(dir), key, older, progress)
        .and_then(|verdict| verdict.ok_or_else(|| LogError::NoLog(dir.display().to_string())))
}

/// Verifies the log on any disk; `None` where there is none.
pub fn verify_on<D: Disk>(
    disk: &D,
    key: &PublicKey,
    older: Option<&SignedCheckpoint>,
) -> Result<Option<Verdict>, LogError> {
    judge(disk, key, older, |_, _| ())
}

fn judge<D: Disk>(
    disk: &D,
    key: &PublicKey,
    older: Option<&SignedCheckpoint>,
    progress: impl FnMut(u64, u64),
) -> Result<Option<Verdict>, LogError> {
    let older =
        older.map(|older| older.verify(key).map_err(LogError::OldCheckpoint)).transpose()?;
    let failed = |source| LogError::Io { doing: "list", path: "tile".to_owned(), source };
    let head = match reader::head(disk)? {
        None if disk.tiles().map_err(failed)?.is_empty() => return Ok(None),
        None => return Ok(Some(Verdict::Altered(Alteration::NoCheckpoint))),
        Some(Err(alteration)) => return Ok(Some(Verdict::Altered(alteration))),
        Some(Ok(head)) => head,
    };
    let head = match head.verify(key) {
        Err(error) => return Ok(Some(Verdict::Altered(Alteration::Checkpoint(error)))),
        Ok(head) => head,
    };
    Ok(Some(match first_alteration(disk, head, older, progress)? {
        Some(alteration) => Verdict::Altered(alteration),
        None => Verdict::Right { head: head.clone(), old_size: older.map(|older| older.size) },
    }))
}

fn first_alteration<D: Disk>(
    disk: &D,
    head: &Checkpoint,
    older: Option<&Checkpoint>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Option<Alteration>, LogError> {
    if let Some(older) = older
        && older.origin != head.origin
    {
        let (found, wanted) = (head.origin.clone(), older.origin.clone());
        return Ok(Some(Alteration::OtherLog { found, wanted }));
    }
    let mut facts = Facts::default();
    let mark = older.map_or(head.size, |older| older.size);
    let found = inspect(disk, head.size, mark, |index, entry| {
        facts.note(index, entry);
        progress(index + 1, head.size);
    })?;
    let altered = alteration::find(disk, head, &found)?;
    Ok(altered.or_else(|| missing(&found)).or_else(|| history(head, older, &found)).or(facts.twice))
}

fn missing(found: &Inspection) -> Option<Alteration> {
    found.missing.first().map(|(tile, _)| Alteration::NoTile { path: tile.to_string() })
}

/// Whether the log, which is as its head was signed, contradicts the older checkpoint.
fn history(
    head: &Checkpoint,
    older: Option<&Checkpoint>,
    found: &Inspection,
) -> Option<Alteration> {
    let (older, size) = (older?, head.size);
    let old_size = older.size;
    if old_size > size {
        return Some(Alteration::Shrunk { old_size, size });
    }
    (found.marked_root != Some(older.root)).then_some(Alteration::History { old_size, size })
}

/// Whether a fact stands in the log twice: remembered by half a digest each, so that a log of
/// millions of entries fits in memory.
#[derive(Default)]
struct Facts {
    seen: HashMap<[u8; 16], u64>,
    twice: Option<Alteration>,
}

impl Facts {
    fn note(&mut self, index: u64, entry: &[u8]) {
        // An entry of a newer program may not be readable here; its hash is checked all the same.
        let Some(fact) = Entry::fact_in(entry) else { return };
        if let (Some(first), None) = (self.seen.insert(name(&fact), index), &self.twice) {
            self.twice = Some(Alteration::Twice { fact, first, again: index });
        }
    }
}

fn name(fact: &FactId) -> [u8; 16] {
    let digest = Digest::of(fact.as_str().as_bytes());
    *digest.as_bytes().first_chunk().expect("32 bytes hold 16")
}
