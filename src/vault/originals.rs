//! Recordings as they came from a browser, kept for those who compare before with after.
//!
//! **Written to disk as they come, never held whole in memory**; a name is the digest of what it
//! holds. What is older than a week goes: the recording that is heard is an asset.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::time::Timestamp;
use crate::vault::VaultError;

/// Bytes of one recording at most: half an hour of stereo from a recorder that does not compress.
pub const ORIGINAL_BYTES_MAX: u64 = 320 * 1024 * 1024;

/// Bytes of all of them at most: two days of a busy province, on a small server's disk.
const TOTAL_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// What a recording is called while it comes.
const INCOMING: &str = "incoming-";

/// How long an original is kept.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// The folder.
#[derive(Clone, Debug)]
pub struct Originals {
    folder: PathBuf,
}

/// A recording that is coming in; dropped before [`Incoming::finish`] it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Originals {
    /// The originals in `folder`, which is made where it is missing.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        fs::create_dir_all(folder).map_err(VaultError::io("make", folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Begins one; `unique` tells those apart that come at once.
    pub fn begin(&self, unique: &str) -> Result<Incoming, VaultError> {
        let path = self.folder.join(format!("{INCOMING}{unique}"));
        let file = File::create(&path).map_err(VaultError::io("make", &path))?;
        let folder = self.folder.clone();
        Ok(Incoming { folder, path, file, hash: Sha256::new(), bytes: 0 })
    }

    /// Where the recording of that digest is, if it is still here.
    pub fn find(&self, source: Digest) -> Option<PathBuf> {
        Some(self.folder.join(source.to_string())).filter(|path| path.is_file())
    }

    /// Drops what is older than a week, and the oldest where all together are too much.
    pub fn sweep(&self, now: Timestamp) -> Result<(), VaultError> {
        self.sweep_to(now, TOTAL_BYTES_MAX)
    }

    fn sweep_to(&self, now: Timestamp, bytes_max: u64) -> Result<(), VaultError> {
        let entries = fs::read_dir(&self.folder).map_err(VaultError::io("read", &self.folder))?;
        let mut held: Vec<(Timestamp, u64, PathBuf)> =
            entries.flatten().filter_map(|entry| aged(&entry)).collect();
        held.sort_unstable();
        let mut bytes: u64 = held.iter().map(|(_, bytes, _)| bytes).sum();
        for (at, size, path) in held {
            let comes =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(INCOMING));
            if now.since(at) > KEPT || (bytes > bytes_max && !comes) {
                fs::remove_file(&path).map_err(VaultError::io("remove", &path))?;
                bytes -= size;
            }
        }
        Ok(())
    }
}

/// When a file was written, and its bytes.
fn aged(entry: &fs::DirEntry) -> Option<(Timestamp, u64, PathBuf)> {
    let data = entry.metadata().ok()?;
    let since = data.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((Timestamp::EPOCH + since, data.len(), entry.path()))
}

impl Incoming {
    /// Adds what came; `false` where it is more than a recording may have.
    pub fn write(&mut self, bytes: &[u8]) -> Result<bool, VaultError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > ORIGINAL_BYTES_MAX {
            return Ok(false);
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(VaultError::io("write", &self.path))?;
        Ok(true)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps it under its digest.
    pub fn finish(self) -> Result<Digest, VaultError> {
        self.file.sync_all().map_err(VaultError::io("write", &self.path))?;
        let digest = Digest::from_bytes(self.hash.clone().finalize().into());
        let path = self.folder.join(digest.to_string());
        fs::rename(&self.path, &path).map_err(VaultError::io("keep", &path))?;
        Ok(digest)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After `finish` there is nothing of that name.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn an_upload_is_found_by_its_digest_and_one_that_broke_off_is_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let originals = Originals::open(folder.path()).unwrap();
        let mut incoming = originals.begin("a").unwrap();
        assert!(incoming.write(b"son").unwrap() && incoming.write(b"g").unwrap());
        let digest = incoming.finish().unwrap();
        assert_eq!(digest, Digest::of(b"song"));
        assert_eq!(fs::read(originals.find(digest).unwrap()).unwrap(), b"song");
        originals.begin("b").unwrap().write(b"half").unwrap();
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn originals_go_after_a_week_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let originals = Originals::open(folder.path()).unwrap();
        originals.begin("a").unwrap().finish().unwrap();
        originals.sweep(crate::clock::utc_now()).unwrap();
        assert_eq!(names(folder.path()), 1);
        originals.sweep(crate::clock::utc_now() + KEPT + Duration::from_mins(1)).unwrap();
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn the_oldest_originals_go_where_all_together_are_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let originals = Originals::open(folder.path()).unwrap();
        let now = std::time::UNIX_EPOCH + crate::clock::utc_now().since(Timestamp::EPOCH);
        let keep = |text: &[u8], hours: u64| {
            let mut incoming = originals.begin("a").unwrap();
            incoming.write(text).unwrap();
            let digest = incoming.finish().unwrap();
            let file = File::open(originals.find(digest).unwrap()).unwrap();
            file.set_modified(now - Duration::from_hours(hours)).unwrap();
            digest
        };
        let (old, new) = (keep(b"four", 2), keep(b"five5", 1));
        let mut coming = originals.begin("b").unwrap();
        coming.write(b"still coming").unwrap();
        originals.sweep_to(crate::clock::utc_now(), 20).unwrap();
        assert_eq!((originals.find(old), originals.find(new).is_some()), (None, true));
        coming.finish().unwrap();
    }
}
