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
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::agent::{Record, Restored, RestoredAsset, Slot};
use crate::digest::Digest;
use crate::note::{NOTE_BYTES_MAX, Note};
use crate::protocol::{Descriptor, decode};
use crate::vault::durable::{VaultError, read_text, sync_folder, write_atomic};

/// Bytes of a diary at most: about 20,000 receipts.
const DIARY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The folder of one controller.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    diary: File,
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
        let path = folder.join("diary.jsonl");
        let diary = OpenOptions::new().append(true).create(true).open(&path);
        let diary = diary.map_err(VaultError::io("open", &path))?;
        sync_folder(&path)?;
        Ok(Self { folder: folder.to_owned(), diary })
    }

    /// Everything that the folder holds.
    pub fn restore(folder: &Path, net: &crate::id::NetId) -> Result<Restored, VaultError> {
        let note = |name: &str| read_text(&folder.join(name), NOTE_BYTES_MAX as u64);
        Ok(Restored {
            records: read_diary(&folder.join("diary.jsonl"))?,
            trust: note("trust.note")?,
            provisioned: false,
            manifest: note("manifest.note")?,
            assets: restore_assets(&folder.join("assets"), net)?,
        })
    }

    /// Adds a record, durably.
    pub fn keep(&mut self, record: &Record) -> Result<(), VaultError> {
        let mut line = serde_json::to_vec(record).expect("records have text keys");
        line.push(b'\n');
        let written = self.diary.write_all(&line).and_then(|()| self.diary.sync_data());
        written.map_err(VaultError::io("add to", &self.folder.join("diary.jsonl")))
    }

    /// Replaces the diary by fewer records that say the same.
    pub fn replace_diary(&mut self, records: &[Record]) -> Result<(), VaultError> {
        let mut text = Vec::new();
        for record in records {
            serde_json::to_writer(&mut text, record).expect("records have text keys");
            text.push(b'\n');
        }
        write_atomic(&self.folder.join("diary.jsonl"), &text)?;
        self.diary = Self::open(&self.folder)?.diary;
        Ok(())
    }

    /// Replaces a note, durably.
    pub fn keep_note(&self, slot: Slot, note: &str) -> Result<(), VaultError> {
        let path = match slot {
            Slot::Trust => self.folder.join("trust.note"),
            Slot::Manifest => self.folder.join("manifest.note"),
            Slot::Descriptor(asset) => self.asset(asset, "note"),
        };
        write_atomic(&path, note.as_bytes())
    }

    /// Writes a verified block; made durable by [`Shelf::assemble`], found again by its digest.
    pub fn keep_block(&self, asset: Digest, offset: u64, bytes: &[u8]) -> Result<(), VaultError> {
        let path = self.asset(asset, "part");
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)
        };
        write().map_err(VaultError::io("write", &path))
    }

    /// Compares the whole with its digest and moves it into place; `false` where it is not whole.
    pub fn assemble(&self, asset: Digest) -> Result<bool, VaultError> {
        let (part, whole) = (self.asset(asset, "part"), self.asset(asset, "opus"));
        let bytes = fs::read(&part).map_err(VaultError::io("read", &part))?;
        if Digest::of(&bytes) != asset {
            return Ok(false);
        }
        let synced = File::open(&part).and_then(|file| file.sync_all());
        synced.map_err(VaultError::io("sync", &part))?;
        fs::rename(&part, &whole).map_err(VaultError::io("move", &whole))?;
        sync_folder(&whole)?;
        Ok(true)
    }

    /// Deletes a recording and its descriptor.
    pub fn forget(&self, asset: Digest) {
        for kind in ["opus", "part", "note"] {
            // One that is not there is as good as deleted.
            let _ = fs::remove_file(self.asset(asset, kind));
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

fn read_diary(path: &Path) -> Result<Vec<Record>, VaultError> {
    let Some(mut text) = read_text(path, DIARY_BYTES_MAX)? else { return Ok(vec![]) };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        text.truncate(whole);
        let cut = OpenOptions::new().write(true).open(path);
        let cut = cut.and_then(|file| file.set_len(whole as u64).and_then(|()| file.sync_all()));
        cut.map_err(VaultError::io("mend", path))?;
    }
    let parse = |(n, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| VaultError::Damaged {
            path: path.to_owned(),
            why: format!("line {}: {e}", n + 1),
        })
    };
    text.lines().enumerate().map(parse).collect()
}

fn restore_assets(folder: &Path, net: &crate::id::NetId) -> Result<Vec<RestoredAsset>, VaultError> {
    let mut assets = Vec::new();
    let entries = fs::read_dir(folder).map_err(VaultError::io("list", folder))?;
    for entry in entries {
        let path = entry.map_err(VaultError::io("list", folder))?.path();
        if path.extension().is_some_and(|kind| kind == "note") {
            assets.extend(restore_asset(&path, net)?);
        }
    }
    Ok(assets)
}

/// One recording by its descriptor. Its signature is checked by the agent, its blocks here.
fn restore_asset(note: &Path, net: &crate::id::NetId) -> Result<Option<RestoredAsset>, VaultError> {
    let Some(text) = read_text(note, NOTE_BYTES_MAX as u64)? else { return Ok(None) };
    let parsed = Note::parse(text.as_bytes()).ok();
    let Some(descriptor) = parsed.and_then(|note| decode::<Descriptor>(net, note.text()).ok())
    else {
        return Ok(None);
    };
    if let Ok(bytes) = fs::read(note.with_extension("opus"))
        && Digest::of(&bytes) == descriptor.asset
    {
        return Ok(Some(RestoredAsset {
            descriptor: text,
            missing: BTreeSet::new(),
            complete: true,
        }));
    }
    let part = fs::read(note.with_extension("part")).unwrap_or_default();
    let missing = missing_blocks(&descriptor, &part);
    Ok(Some(RestoredAsset { descriptor: text, missing, complete: false }))
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
        shelf.diary.write_all(b"{\"do\":\"bo").unwrap();
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
