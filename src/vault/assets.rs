//! The server's recordings, each in a file named by its SHA-256.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::vault::durable::{VaultError, write_atomic};

/// The folder of recordings.
#[derive(Clone, Debug)]
pub struct Assets {
    folder: PathBuf,
}

impl Assets {
    /// The recordings in `folder`, which is made where it is missing.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        fs::create_dir_all(folder).map_err(VaultError::io("make", folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps a recording; one that is there already is left as it is.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, VaultError> {
        let asset = Digest::of(bytes);
        let path = self.path(asset);
        if !path.exists() {
            write_atomic(&path, bytes)?;
        }
        Ok(asset)
    }

    /// Where a recording is kept.
    pub fn path(&self, asset: Digest) -> PathBuf {
        self.folder.join(format!("{asset}.opus"))
    }

    /// The whole recording, compared with its digest.
    pub fn read(&self, asset: Digest) -> Result<Vec<u8>, VaultError> {
        let path = self.path(asset);
        let bytes = fs::read(&path).map_err(VaultError::io("read", &path))?;
        if Digest::of(&bytes) != asset {
            let why = "its content does not have the digest of its name".to_owned();
            return Err(VaultError::Damaged { path, why });
        }
        Ok(bytes)
    }

    /// Block `n` of a recording cut into blocks of `block_bytes`.
    pub fn block(&self, asset: Digest, n: u32, block_bytes: u32) -> Result<Vec<u8>, VaultError> {
        let path = self.path(asset);
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(u64::from(n) * u64::from(block_bytes)))?;
            let mut bytes = Vec::with_capacity(block_bytes as usize);
            file.take(block_bytes.into()).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(VaultError::io("read", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_recording_twice_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let assets = Assets::open(folder.path()).unwrap();
        let one = assets.put(b"sound").unwrap();
        assert_eq!(assets.put(b"sound").unwrap(), one);
        assert_ne!(assets.put(b"sounds").unwrap(), one);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_recording_that_was_altered_on_disk_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let assets = Assets::open(folder.path()).unwrap();
        let asset = assets.put(b"sound").unwrap();
        fs::write(assets.path(asset), b"noise").unwrap();
        assert!(matches!(assets.read(asset), Err(VaultError::Damaged { .. })));
    }

    #[test]
    fn blocks_are_cut_where_the_descriptor_says() {
        let folder = tempfile::tempdir().unwrap();
        let assets = Assets::open(folder.path()).unwrap();
        let asset = assets.put(&[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(assets.block(asset, 1, 2).unwrap(), [3, 4]);
        assert_eq!(assets.block(asset, 2, 2).unwrap(), [5]);
    }
}
