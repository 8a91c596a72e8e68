//! Opening the log for writing: what a crash left is completed or cut, and everything else is
//! compared, before a single entry is added.

use std::fmt;

use crate::audit::tile::{Level, TileId, TilePath};
use crate::audit::tree;
use crate::audit::{Checkpoint, Origin, SignedCheckpoint};
use crate::digest::DIGEST_BYTES;
use crate::log::alteration::{self, Alteration};
use crate::log::inspect::{Inspection, inspect};
use crate::log::reader::{self, LogReader, read};
use crate::log::recent::{RECENT, Recent};
use crate::log::{CHECKPOINT_NEW, Disk, Log, LogError, growth, publish};
use crate::note::{PublicKey, Signer};

/// What opening the log had to mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The log is new.
    pub begun: bool,
    /// A checkpoint had been signed and not put in its place; that was completed.
    pub completed: bool,
    /// Bytes behind the last checkpoint that were cut: of a batch that was never acknowledged.
    pub cut_bytes: u64,
    /// Tiles that were missing and were derived from the entries.
    pub derived: Vec<String>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("the log was as it had been left");
        }
        let mut done = Vec::new();
        if self.begun {
            done.push("a new log was begun".to_owned());
        }
        if self.completed {
            done.push("a signed checkpoint was put in its place".to_owned());
        }
        if self.cut_bytes > 0 {
            done.push(format!("{} bytes that were never acknowledged were cut", self.cut_bytes));
        }
        if !self.derived.is_empty() {
            done.push(format!("missing tiles were derived anew: {}", self.derived.join(", ")));
        }
        f.write_str(&done.join("; "))
    }
}

pub(super) fn open<D: Disk>(
    mut disk: D,
    signer: Signer,
    origin: &Origin,
) -> Result<Log<D>, LogError> {
    let mut recovery = Recovery::default();
    let key = signer.public();
    let head = match reader::head(&disk)? {
        Some(head) => verified(head, &key, origin)?,
        None => begin(&disk, &signer, origin, &mut recovery)?,
    };
    let head = match signed_but_not_in_place(&disk, &key, origin, head.claim().size)? {
        Some(newer) => {
            recovery.completed = true;
            continued(&disk, &head, newer)?
        }
        None => head,
    };
    let found = compared(&disk, head.claim())?;
    cut(&mut disk, head.claim().size, found.bundle_bytes, &mut recovery)?;
    for (tile, bytes) in found.missing {
        recovery.derived.push(tile.to_string());
        growth::restore(&mut disk, tile, bytes)?;
    }
    // Published anew even where it was in place: a folder whose sync had failed may show a name
    // that is not durable, and a second sync alone would not mend that.
    publish(&mut disk, &head)?;
    let reader = LogReader { disk, head };
    let mut recent = Recent::default();
    for (index, fact) in reader.facts_after(reader.size().saturating_sub(RECENT))? {
        recent.add(&fact, index);
    }
    let (frontier, bundle_bytes) = (found.frontier, found.bundle_bytes);
    Ok(Log { reader, signer, frontier, bundle_bytes, recent, recovery, broken: false })
}

/// The checkpoint on disk, once our own key has signed it for this log.
fn verified(
    head: Result<SignedCheckpoint, Alteration>,
    key: &PublicKey,
    origin: &Origin,
) -> Result<SignedCheckpoint, LogError> {
    let head = head.map_err(LogError::Altered)?;
    let claim =
        head.verify(key).map_err(|error| LogError::Altered(Alteration::Checkpoint(error)))?;
    if claim.origin != *origin {
        return Err(LogError::OtherLog { found: claim.origin.clone(), wanted: origin.clone() });
    }
    Ok(head)
}

/// The checkpoint of an empty log, where nothing says that there was one before.
fn begin<D: Disk>(
    disk: &D,
    signer: &Signer,
    origin: &Origin,
    recovery: &mut Recovery,
) -> Result<SignedCheckpoint, LogError> {
    if !tiles(disk)?.is_empty() {
        return Err(LogError::Altered(Alteration::NoCheckpoint));
    }
    recovery.begun = true;
    let head = Checkpoint { origin: origin.clone(), size: 0, root: tree::empty_root() };
    Ok(head.sign(signer))
}

fn tiles<D: Disk>(disk: &D) -> Result<Vec<(String, u64)>, LogError> {
    let failed = |source| LogError::Io { doing: "list", path: "tile".to_owned(), source };
    disk.tiles().map_err(failed)
}

/// A checkpoint of ours that waits to be renamed and speaks of more entries than the one in place.
fn signed_but_not_in_place<D: Disk>(
    disk: &D,
    key: &PublicKey,
    origin: &Origin,
    size: u64,
) -> Result<Option<SignedCheckpoint>, LogError> {
    let waiting =
        read(disk, CHECKPOINT_NEW)?.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
    Ok(waiting.filter(|waiting| {
        let ours = waiting.verify(key).is_ok_and(|claim| claim.origin == *origin);
        ours && waiting.claim().size > size
    }))
}

/// `newer`, once its entries are known to continue `head`.
fn continued<D: Disk>(
    disk: &D,
    head: &SignedCheckpoint,
    newer: SignedCheckpoint,
) -> Result<SignedCheckpoint, LogError> {
    let (old, new) = (head.claim(), newer.claim());
    let found = inspect(disk, new.size, old.size, |_, _| {})?;
    if found.marked_root == Some(old.root) {
        return Ok(newer);
    }
    let history = Alteration::History { old_size: old.size, size: new.size };
    Err(LogError::Altered(alteration::find(disk, old, &found)?.unwrap_or(history)))
}

/// The tree of the entries, once it is known to be the one that `head` speaks of.
fn compared<D: Disk>(disk: &D, head: &Checkpoint) -> Result<Inspection, LogError> {
    let found = inspect(disk, head.size, head.size, |_, _| {})?;
    match alteration::find(disk, head, &found)? {
        Some(alteration) => Err(LogError::Altered(alteration)),
        None => Ok(found),
    }
}

/// Cuts whatever lies behind the first `size` entries, of which the last bundle has `bundle_bytes`.
fn cut<D: Disk>(
    disk: &mut D,
    size: u64,
    bundle_bytes: u64,
    recovery: &mut Recovery,
) -> Result<(), LogError> {
    for (path, length) in tiles(disk)? {
        // A file that is no tile is somebody's copy: not ours to touch.
        let Ok(TilePath { tile, width: 256 }) = path.parse() else { continue };
        let keep = bytes_due(tile, size, bundle_bytes);
        let failed = |source| LogError::Io { doing: "cut", path: path.clone(), source };
        match keep {
            Some(keep) if keep >= length => continue,
            Some(keep) => disk.write(&path, keep, &[]).map_err(failed)?,
            None => disk.remove(&path).map_err(failed)?,
        }
        recovery.cut_bytes += length - keep.unwrap_or(0);
    }
    Ok(())
}

/// Bytes of a tile's file in a log of `size` entries; `None` where it has no such file.
fn bytes_due(tile: TileId, size: u64, bundle_bytes: u64) -> Option<u64> {
    let width = u64::from(tile.width_at(size));
    match tile.level {
        _ if width == 0 => None,
        Level::Hashes(_) => Some(width * DIGEST_BYTES as u64),
        // A full bundle was compared byte for byte; the last one may have more behind it.
        Level::Entries if TileId::holding(Level::Entries, size - 1) == tile => Some(bundle_bytes),
        Level::Entries => Some(u64::MAX),
    }
}
