//! Reading an export back and verifying it: what `verify.py` does, for whoever has this program.

use std::io::{Read, Seek};

use zip::ZipArchive;

use crate::audit::tree::{self, Frontier};
use crate::audit::{Checkpoint, Proof, SignedCheckpoint};
use crate::log::LogError;
use crate::note::PublicKey;

/// Bytes of one file of an export at most: the entries of a province's year.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Bytes of a proof, a checkpoint or an entry at most.
const SMALL_BYTES_MAX: u64 = 128 * 1024;

/// What an auditor is told of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exported {
    /// Everything in it is as signed.
    Right {
        /// The verified head.
        head: Checkpoint,
        /// Entries in it.
        entries: u64,
        /// Entries of the older checkpoint that it continues.
        old_size: Option<u64>,
    },
    /// Something is not; a sentence with the entry.
    Wrong(String),
}

impl std::fmt::Display for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wrong(sentence) => f.write_str(sentence),
            Self::Right { head, entries, old_size } => {
                let Checkpoint { origin, size, root } = head;
                let all = if entries == size { "all " } else { "" };
                write!(
                    f,
                    "The export is right: {all}{entries} entries are in the log {origin} of {size} \
                     entries as signed (root {root})"
                )?;
                match old_size {
                    Some(old) => {
                        write!(f, ", and it continues the older checkpoint of {old} entries.")
                    }
                    None => f.write_str("."),
                }
            }
        }
    }
}

/// Verifies the export in `file` by the log's key, and against a checkpoint that the auditor kept.
pub fn verify_export(
    file: impl Read + Seek,
    key: &PublicKey,
    older: Option<&SignedCheckpoint>,
) -> Result<Exported, LogError> {
    let older =
        older.map(|older| older.verify(key).map_err(LogError::OldCheckpoint)).transpose()?;
    let mut zip = ZipArchive::new(file)?;
    let wrong = |sentence: &str| Ok(Exported::Wrong(sentence.to_owned()));
    let Some(bytes) = small(&mut zip, "checkpoint")? else {
        return wrong("The export has no checkpoint: it is none, or was cut.");
    };
    let head = match SignedCheckpoint::parse(&bytes) {
        Ok(head) => head,
        Err(error) => return Ok(Exported::Wrong(format!("The checkpoint is damaged: {error}."))),
    };
    let claim = match head.verify(key) {
        Ok(claim) => claim.clone(),
        Err(error) => return Ok(Exported::Wrong(format!("The checkpoint was forged: {error}."))),
    };
    let whole = zip.index_for_name("entries.jsonl").is_some();
    match (whole, older) {
        (true, older) => all(&mut zip, &claim, older),
        (false, Some(_)) => wrong("An older checkpoint needs an export of the whole log."),
        (false, None) => selected(&mut zip, &head, key),
    }
}

fn small<R: Read + Seek>(zip: &mut ZipArchive<R>, name: &str) -> Result<Option<Vec<u8>>, LogError> {
    let Some(place) = zip.index_for_name(name) else { return Ok(None) };
    let mut bytes = Vec::new();
    let file = zip.by_index(place)?;
    file.take(SMALL_BYTES_MAX).read_to_end(&mut bytes).map_err(failed(name))?;
    Ok(Some(bytes))
}

fn failed(name: &str) -> impl Fn(std::io::Error) -> LogError {
    let path = name.to_owned();
    move |source| LogError::Io { doing: "read from the export", path: path.clone(), source }
}

fn all<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    head: &Checkpoint,
    older: Option<&Checkpoint>,
) -> Result<Exported, LogError> {
    use std::io::BufRead as _;
    let mut frontier = Frontier::default();
    let mut old_root = None;
    let note = |frontier: &Frontier, old_root: &mut Option<_>| {
        if older.is_some_and(|older| older.size == frontier.size()) {
            *old_root = Some(frontier.root());
        }
    };
    note(&frontier, &mut old_root);
    let file = zip.by_name("entries.jsonl")?.take(FILE_BYTES_MAX);
    let mut lines = std::io::BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.by_ref().take(SMALL_BYTES_MAX).read_until(b'\n', &mut line);
        if read.map_err(failed("entries.jsonl"))? == 0 {
            break;
        }
        let entry = line.strip_suffix(b"\n").unwrap_or(&line);
        frontier.push(tree::leaf_hash(entry), |_, _| {});
        note(&frontier, &mut old_root);
    }
    let (found, size) = (frontier.size(), head.size);
    Ok(match older {
        _ if found != size => {
            Exported::Wrong(format!("{size} entries were signed and {found} are in the export."))
        }
        _ if frontier.root() != head.root => Exported::Wrong(
            "An entry of the export was altered: they do not lead to the signed root; compare it \
             with the log itself, which names the entry."
                .to_owned(),
        ),
        Some(older) if older.origin != head.origin || old_root != Some(older.root) => {
            Exported::Wrong(format!(
                "The log was rewritten: its first {} entries are not those that the older checkpoint \
                 was signed for.",
                older.size
            ))
        }
        _ => Exported::Right {
            head: head.clone(),
            entries: found,
            old_size: older.map(|older| older.size),
        },
    })
}

fn selected<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    head: &SignedCheckpoint,
    key: &PublicKey,
) -> Result<Exported, LogError> {
    let names: Vec<String> =
        zip.file_names().filter_map(|name| name.ok().map(std::borrow::Cow::into_owned)).collect();
    let mut entries = 0;
    let indexes = names.iter().filter_map(|name| {
        name.strip_prefix("entries/")?.strip_suffix(".json").map(ToOwned::to_owned)
    });
    for index in indexes {
        let entry = small(zip, &format!("entries/{index}.json"))?.unwrap_or_default();
        let proof = small(zip, &format!("proofs/{index}.tlog-proof"))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&proof);
        let good = text.parse::<Proof>().is_ok_and(|proof| {
            proof.index.to_string() == index
                && proof.checkpoint.as_str() == head.as_str()
                && proof.verify(&entry, key).is_ok()
        });
        if !good {
            return Ok(Exported::Wrong(format!(
                "Entry {index} of the export or its proof was altered: not what was signed."
            )));
        }
        entries += 1;
    }
    Ok(Exported::Right { head: head.claim().clone(), entries, old_size: None })
}
