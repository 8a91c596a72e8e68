//! What a controller holds: its diary, its notes, its recordings.
//!
//! ```text
//! diary.jsonl      one record a line, synced one by one; replaced by a shorter one at a start
//! trust.note  manifest.note
//! assets/{digest}.note  .part  .opus
//! ```
//!
//! A last line of the diary that a power cut tore is dropped: what it said never happened, because
//! nothing after it was begun. Any other unreadable line is damage and said so.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::agent::{Record, Restored, RestoredAsset, Slot};
use crate::digest::Digest;
use crate::id::NetId;
use crate::note::{NOTE_BYTES_MAX, Note};
use crate::protocol::{Descriptor, decode};
use crate::vault::disk::{Disk, System};
use crate::vault::durable::VaultError;

/// Bytes of a diary at most: about 20,000 receipts.
const DIARY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The folder of one controller.
#[derive(Debug)]
pub struct Shelf<D: Disk = System> {
    disk: D,
    folder: PathBuf,
    /// Where the next record of the diary goes.
    diary_end: u64,
}

/// Keeps a second process away from the same folder while it lives.
#[derive(Debug)]
pub struct ShelfLock(#[expect(dead_code, reason = "held for its lock")] File);

impl ShelfLock {
    /// Takes the folder for this process.
    pub fn take(folder: &Path) -> Result<Self, VaultError> {
        fs::create_dir_all(folder.join("assets")).map_err(VaultError::io("make", folder))?;
        let path = folder.join("lock");
        let file = File::create(&path).map_err(VaultError::io("open", &path))?;
        file.try_lock().map_err(|_| VaultError::InUse { path: folder.to_owned() })?;
        Ok(Self(file))
    }
}

impl Shelf {
    /// Opens the folder for writing; read it with [`Shelf::restore`] first.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        Self::on(System, folder)
    }

    /// Everything that the folder holds; a last line that a power cut tore is cut off.
    pub fn restore(folder: &Path, net: &NetId) -> Result<Restored, VaultError> {
        mend_diary(&System, &folder.join("diary.jsonl"))?;
        read_folder(&System, folder, net)
    }

    /// The same for somebody who only looks: nothing is changed, and a line that is just being
    /// written is left out.
    pub fn look(folder: &Path, net: &NetId) -> Result<Restored, VaultError> {
        read_folder(&System, folder, net)
    }
}

impl<D: Disk> Shelf<D> {
    /// A shelf in a folder of this disk.
    pub(super) fn on(disk: D, folder: &Path) -> Result<Self, VaultError> {
        let path = folder.join("diary.jsonl");
        let opened = disk.write_at(&path, 0, b"").and_then(|()| disk.read(&path));
        let held = opened.map_err(VaultError::io("open", &path))?;
        disk.sync_folder(folder).map_err(VaultError::io("sync", folder))?;
        let diary_end = held.map_or(0, |text| text.len() as u64);
        Ok(Self { disk, folder: folder.to_owned(), diary_end })
    }

    /// Adds a record, durably.
    pub fn keep(&mut self, record: &Record) -> Result<(), VaultError> {
        self.keep_all(std::slice::from_ref(record))
    }

    /// Adds records with one write and one sync: all of them are durable before anything else
    /// happens, and of a torn write only the last ones are missing.
    pub fn keep_all(&mut self, records: &[Record]) -> Result<(), VaultError> {
        let lines = lines(records);
        let path = self.folder.join("diary.jsonl");
        let written = self.disk.write_at(&path, self.diary_end, &lines);
        let written = written.and_then(|()| self.disk.sync(&path));
        written.map_err(VaultError::io("add to", &path))?;
        self.diary_end += lines.len() as u64;
        Ok(())
    }

    /// Replaces the diary by fewer records that say the same.
    pub fn replace_diary(&mut self, records: &[Record]) -> Result<(), VaultError> {
        let lines = lines(records);
        self.replace(&self.folder.join("diary.jsonl"), &lines)?;
        self.diary_end = lines.len() as u64;
        Ok(())
    }

    /// Replaces a note, durably.
    pub fn keep_note(&self, slot: Slot, note: &str) -> Result<(), VaultError> {
        let path = match slot {
            Slot::Trust => self.folder.join("trust.note"),
            Slot::Manifest => self.folder.join("manifest.note"),
            Slot::Descriptor(asset) => self.asset(asset, "note"),
        };
        self.replace(&path, note.as_bytes())
    }

    /// Temporary file, sync, rename, sync of the folder: the old or the new, never a mixture.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
        let temporary = path.with_extension("new");
        match self.disk.remove(&temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(VaultError::io("clear", &temporary)(e));
            }
            _ => {}
        }
        let written = self.disk.write_at(&temporary, 0, bytes);
        let written = written.and_then(|()| self.disk.sync(&temporary));
        if written.is_err() {
            // Best effort: what could not be written whole must not take the last free space.
            let _ = self.disk.remove(&temporary);
        }
        written.map_err(VaultError::io("write", path))?;
        self.move_to(&temporary, path)
    }

    fn move_to(&self, from: &Path, to: &Path) -> Result<(), VaultError> {
        self.disk.rename(from, to).map_err(VaultError::io("replace", to))?;
        let folder = to.parent().unwrap_or(&self.folder);
        self.disk.sync_folder(folder).map_err(VaultError::io("sync", folder))
    }

    /// Writes a verified block; made durable by [`Shelf::assemble`], found again by its digest.
    pub fn keep_block(&self, asset: Digest, offset: u64, bytes: &[u8]) -> Result<(), VaultError> {
        let path = self.asset(asset, "part");
        self.disk.write_at(&path, offset, bytes).map_err(VaultError::io("write", &path))
    }

    /// Compares the whole with its digest and moves it into place; `false` where it is not whole.
    pub fn assemble(&self, asset: Digest) -> Result<bool, VaultError> {
        let (part, whole) = (self.asset(asset, "part"), self.asset(asset, "opus"));
        let bytes = self.disk.read(&part).map_err(VaultError::io("read", &part))?;
        if bytes.is_none_or(|bytes| Digest::of(&bytes) != asset) {
            return Ok(false);
        }
        self.disk.sync(&part).map_err(VaultError::io("sync", &part))?;
        self.move_to(&part, &whole)?;
        Ok(true)
    }

    /// Deletes a recording and its descriptor.
    pub fn forget(&self, asset: Digest) {
        for kind in ["opus", "part", "note"] {
            // One that is not there is as good as deleted.
            let _ = self.disk.remove(&self.asset(asset, kind));
        }
    }

    /// Where a whole recording is.
    pub fn recording(&self, asset: Digest) -> PathBuf {
        self.asset(asset, "opus")
    }

    fn asset(&self, asset: Digest, kind: &str) -> PathBuf {
        self.folder.join("assets").join(format!("{asset}.{kind}"))
    }
}

fn lines(records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record).expect("records have text keys");
        text.push(b'\n');
    }
    text
}

/// Everything that a folder holds, without changing it.
pub(super) fn read_folder<D: Disk>(
    disk: &D,
    folder: &Path,
    net: &NetId,
) -> Result<Restored, VaultError> {
    let note = |name: &str| text_of(disk, &folder.join(name), NOTE_BYTES_MAX);
    Ok(Restored {
        records: read_diary(disk, &folder.join("diary.jsonl"))?,
        trust: note("trust.note")?,
        provisioned: false,
        manifest: note("manifest.note")?,
        assets: restore_assets(disk, &folder.join("assets"), net)?,
    })
}

/// A text file of at most `limit` bytes; `None` where there is none.
fn text_of<D: Disk>(disk: &D, path: &Path, limit: usize) -> Result<Option<String>, VaultError> {
    let Some(bytes) = disk.read(path).map_err(VaultError::io("read", path))? else {
        return Ok(None);
    };
    let damaged = |why: String| VaultError::Damaged { path: path.to_owned(), why };
    if bytes.len() > limit {
        return Err(damaged(format!("it is longer than the {limit} bytes allowed")));
    }
    String::from_utf8(bytes).map(Some).map_err(|e| damaged(e.to_string()))
}

/// Cuts off a last line that is not whole: what it said never happened.
pub(super) fn mend_diary<D: Disk>(disk: &D, path: &Path) -> Result<(), VaultError> {
    let Some(bytes) = disk.read(path).map_err(VaultError::io("read", path))? else {
        return Ok(());
    };
    let whole = whole_lines(&bytes).len();
    if whole < bytes.len() {
        let cut = disk.truncate(path, whole as u64).and_then(|()| disk.sync(path));
        cut.map_err(VaultError::io("mend", path))?;
    }
    Ok(())
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)]
}

fn read_diary<D: Disk>(disk: &D, path: &Path) -> Result<Vec<Record>, VaultError> {
    let Some(bytes) = disk.read(path).map_err(VaultError::io("read", path))? else {
        return Ok(vec![]);
    };
    let damaged = |why: String| VaultError::Damaged { path: path.to_owned(), why };
    if bytes.len() > DIARY_BYTES_MAX {
        return Err(damaged(format!("it is longer than the {DIARY_BYTES_MAX} bytes allowed")));
    }
    let parse = |(n, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|e| damaged(format!("line {}: {e}", n + 1)))
    };
    let lines = whole_lines(&bytes).split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.enumerate().map(parse).collect()
}

fn restore_assets<D: Disk>(
    disk: &D,
    folder: &Path,
    net: &NetId,
) -> Result<Vec<RestoredAsset>, VaultError> {
    let mut assets = Vec::new();
    for path in disk.list(folder).map_err(VaultError::io("list", folder))? {
        if path.extension().is_some_and(|kind| kind == "note") {
            assets.extend(restore_asset(disk, &path, net)?);
        }
    }
    Ok(assets)
}

/// One recording by its descriptor. Its signature is checked by the agent, its blocks here.
fn restore_asset<D: Disk>(
    disk: &D,
    note: &Path,
    net: &NetId,
) -> Result<Option<RestoredAsset>, VaultError> {
    let Some(text) = text_of(disk, note, NOTE_BYTES_MAX)? else { return Ok(None) };
    let parsed = Note::parse(text.as_bytes()).ok();
    let Some(descriptor) = parsed.and_then(|note| decode::<Descriptor>(net, note.text()).ok())
    else {
        return Ok(None);
    };
    // A card that cannot read a recording has it fetched again.
    let bytes = |kind: &str| disk.read(&note.with_extension(kind)).ok().flatten();
    let complete = bytes("opus").is_some_and(|bytes| Digest::of(&bytes) == descriptor.asset);
    let part = if complete { None } else { bytes("part") };
    let missing = if complete {
        BTreeSet::new()
    } else {
        missing_blocks(&descriptor, &part.unwrap_or_default())
    };
    Ok(Some(RestoredAsset { descriptor: text, missing, complete }))
}

fn missing_blocks(descriptor: &Descriptor, part: &[u8]) -> BTreeSet<u32> {
    let block = |n: &u32| {
        let start = usize::try_from(descriptor.block_offset(*n)).ok()?;
        let length = usize::try_from(descriptor.block_len(*n)).ok()?;
        part.get(start..start + length)
    };
    let count = u32::try_from(descriptor.blocks.len()).unwrap_or(u32::MAX);
    (0..count).filter(|n| !block(n).is_some_and(|b| descriptor.is_block(*n, b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_dropped_and_the_diary_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = ShelfLock::take(folder.path()).unwrap();
        let mut shelf = Shelf::open(folder.path()).unwrap();
        shelf.keep(&Record::Boot { boot: 1 }).unwrap();
        let diary = folder.path().join("diary.jsonl");
        let whole = fs::metadata(&diary).unwrap().len();
        System.write_at(&diary, whole, b"{\"do\":\"bo").unwrap();
        let net = "x".parse().unwrap();
        assert_eq!(Shelf::restore(folder.path(), &net).unwrap().records.len(), 1);
        shelf.keep(&Record::Boot { boot: 2 }).unwrap();
        let records = Shelf::restore(folder.path(), &net).unwrap().records;
        assert_eq!(records, [Record::Boot { boot: 1 }, Record::Boot { boot: 2 }]);
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = ShelfLock::take(folder.path()).unwrap();
        fs::write(folder.path().join("diary.jsonl"), "{}\n{\"do\":\"boot\",\"boot\":1}\n").unwrap();
        let error = Shelf::restore(folder.path(), &"x".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[test]
    fn a_second_process_is_kept_away() {
        let folder = tempfile::tempdir().unwrap();
        let lock = ShelfLock::take(folder.path()).unwrap();
        assert!(matches!(ShelfLock::take(folder.path()), Err(VaultError::InUse { .. })));
        drop(lock);
        assert!(ShelfLock::take(folder.path()).is_ok());
    }
}
