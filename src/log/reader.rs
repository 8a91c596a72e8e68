//! Reading the log, also while a server writes it.
//!
//! A reader sees the log as it was when it read the checkpoint: what the checkpoint speaks of is
//! on disk and no longer changes. Open another reader to see more.
//!
//! **A reader believes the files; whether they are what was signed, [`crate::log::verify`] says.**

use std::ops::Range;
use std::path::Path;

use crate::audit::tile::{Level, TILE_WIDTH, TileId, TilePath};
use crate::audit::tree::{self, Tiles};
use crate::audit::{Entry, FactId, Proof, SignedCheckpoint, bundle};
use crate::digest::{DIGEST_BYTES, Digest};
use crate::log::{Alteration, CHECKPOINT, Disk, Folder, LogError};

/// The log as one checkpoint describes it.
#[derive(Debug)]
pub struct LogReader<D: Disk = Folder> {
    pub(super) disk: D,
    pub(super) head: SignedCheckpoint,
}

impl LogReader {
    /// Reads the log in `dir` as it is now.
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        let disk = Folder::shared(dir);
        match head(&disk)? {
            Some(head) => Ok(Self { disk, head: head.map_err(LogError::Altered)? }),
            None => Err(LogError::NoLog(dir.display().to_string())),
        }
    }
}

/// The checkpoint on disk, unverified; `None` where there is none.
pub(super) fn head(
    disk: &impl Disk,
) -> Result<Option<Result<SignedCheckpoint, Alteration>>, LogError> {
    let bytes = read(disk, CHECKPOINT)?;
    Ok(bytes.map(|bytes| SignedCheckpoint::parse(&bytes).map_err(Alteration::Checkpoint)))
}

/// The bytes of a file; `None` where there is none.
pub(super) fn read(disk: &impl Disk, path: &str) -> Result<Option<Vec<u8>>, LogError> {
    let failed = |source| LogError::Io { doing: "read", path: path.to_owned(), source };
    disk.read(path).map_err(failed)
}

impl<D: Disk> LogReader<D> {
    /// Entries in the log.
    pub fn size(&self) -> u64 {
        self.head.claim().size
    }

    /// The signed head. **Not verified.**
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.head
    }

    /// One entry.
    pub fn entry(&self, index: u64) -> Result<Entry, LogError> {
        let mut found = None;
        let end = index.checked_add(1).ok_or(LogError::NoEntry { index, size: self.size() })?;
        self.visit::<LogError>(index..end, |_, entry| {
            found = Some(entry);
            Ok(())
        })?;
        found.ok_or(LogError::NoEntry { index, size: self.size() })
    }

    /// Entries, in order. All of them are held in memory; [`Self::visit`] holds one at a time.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<Entry>, LogError> {
        let mut found = Vec::new();
        self.visit::<LogError>(range, |_, entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    }

    /// Hands the entries of `range` to `each`, in order, with their places.
    pub fn visit<E: From<LogError>>(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(u64, Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        self.visit_bytes(range, |index, bytes| {
            let entry = Entry::parse(bytes);
            each(index, entry.map_err(|source| LogError::BadEntry { index, source })?)
        })
    }

    /// Like [`Self::visit`], with the bytes as they are on disk.
    pub fn visit_bytes<E: From<LogError>>(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if range.is_empty() {
            return Ok(());
        }
        let size = self.size();
        if range.end > size {
            return Err(LogError::NoEntry { index: range.end - 1, size }.into());
        }
        let width = u64::from(TILE_WIDTH);
        for index in range.start / width..=(range.end - 1) / width {
            let tile = TileId { level: Level::Entries, index };
            let bytes = self.bundle(tile)?;
            let first = index * width;
            let mut due = first.max(range.start)..range.end.min(first + width);
            for (n, entry) in (first..).zip(bundle::entries(&bytes)) {
                if due.contains(&n) {
                    each(n, entry)?;
                    due.start = n + 1;
                }
            }
            if !due.is_empty() {
                return Err(LogError::Short { path: tile.to_string() }.into());
            }
        }
        Ok(())
    }

    fn bundle(&self, tile: TileId) -> Result<Vec<u8>, LogError> {
        let path = tile.to_string();
        read(&self.disk, &path)?.ok_or(LogError::Short { path })
    }

    /// The proof that the log holds entry `index`.
    pub fn proof(&self, index: u64) -> Result<Proof, LogError> {
        let size = self.size();
        if index >= size {
            return Err(LogError::NoEntry { index, size });
        }
        let path = tree::inclusion_proof(self, index, size)?;
        Ok(Proof { index, path, checkpoint: self.head.clone() })
    }

    /// The proof that the log continues the older log of `old_size` entries.
    pub fn consistency_proof(&self, old_size: u64) -> Result<Vec<Digest>, LogError> {
        let size = self.size();
        if old_size == 0 || old_size > size {
            return Err(LogError::NoEntry { index: old_size, size });
        }
        Ok(tree::consistency_proof(self, old_size, size)?)
    }

    /// The facts of the entries from `index` on, with their places.
    pub fn facts_after(&self, index: u64) -> Result<Vec<(u64, FactId)>, LogError> {
        let mut found = Vec::new();
        self.visit_bytes::<LogError>(index..self.size(), |index, entry| {
            found.extend(Entry::fact_in(entry).map(|fact| (index, fact)));
            Ok(())
        })?;
        Ok(found)
    }

    /// What C2SP `tlog-tiles` serves at `path`: the checkpoint, or a tile that the checkpoint's
    /// tree has, whole or partial. `None` for anything else.
    pub fn resource(&self, path: &str) -> Result<Option<Vec<u8>>, LogError> {
        if path == CHECKPOINT {
            return Ok(Some(self.head.as_str().as_bytes().to_vec()));
        }
        let Ok(TilePath { tile, width }) = path.parse::<TilePath>() else {
            return Ok(None);
        };
        if tile.width_at(self.size()) < width {
            return Ok(None);
        }
        let bytes = self.bundle(tile)?;
        let length = match tile.level {
            Level::Entries => {
                let entries = bundle::entries(&bytes).take(width as usize);
                entries.map(|entry| entry.len() + 2).sum()
            }
            Level::Hashes(_) => width as usize * DIGEST_BYTES,
        };
        Ok(bytes.get(..length).map(<[u8]>::to_vec))
    }
}

impl<D: Disk> Tiles for LogReader<D> {
    type Error = LogError;

    fn tile(&self, level: u8, index: u64, width: u32) -> Result<Vec<u8>, LogError> {
        let tile = TileId { level: Level::Hashes(level), index };
        let bytes = self.bundle(tile)?;
        let enough = bytes.len() >= width as usize * DIGEST_BYTES;
        if enough { Ok(bytes) } else { Err(LogError::Short { path: tile.to_string() }) }
    }
}
