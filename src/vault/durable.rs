//! Writing so that a power cut leaves the old or the new, never a mixture.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Why a file could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk is full.
    #[error("the disk under {path} is full; free space or move the folder, nothing was changed")]
    Full {
        /// Where.
        path: PathBuf,
    },
    /// Anything else the system said.
    #[error("cannot {what} {path}: {source}; check that the folder exists and may be written")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was read is not what was written.
    #[error(
        "{path} is damaged: {why}; restore it from a backup, or delete it to have it fetched again"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How that shows.
        why: String,
    },
    /// Another process uses the folder.
    #[error("{path} is in use by another process; stop it first")]
    InUse {
        /// Which folder.
        path: PathBuf,
    },
}

impl VaultError {
    /// The same in Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::Full { path } => format!(
                "Ổ đĩa chứa {} đã đầy; hãy dọn bớt hoặc chuyển thư mục. Chưa có gì thay đổi.",
                path.display()
            ),
            Self::Io { path, source, .. } => format!(
                "Không đọc hoặc ghi được {} ({source}); hãy xem thư mục còn đó và có quyền ghi.",
                path.display()
            ),
            Self::Damaged { path, .. } => format!(
                "{} đã hỏng; hãy lấy lại từ bản sao lưu, hoặc xoá để được tải lại.",
                path.display()
            ),
            Self::InUse { path } => format!(
                "{} đang được tiến trình khác dùng; hãy dừng tiến trình đó trước.",
                path.display()
            ),
        }
    }
}

impl VaultError {
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { what, path, source },
        }
    }
}

/// Replaces `path` by `bytes`: temporary file, sync, rename, sync of the folder.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    write_with(path, bytes, 0o644)
}

/// The same for a secret that only its owner may read.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    write_with(path, bytes, 0o600)
}

fn write_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), VaultError> {
    let temporary = path.with_extension("new");
    let written = write_synced(&temporary, bytes, mode);
    if written.is_err() {
        // Best effort: what could not be written whole must not take the last free space.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(VaultError::io("write", path))?;
    fs::rename(&temporary, path).map_err(VaultError::io("replace", path))?;
    sync_folder(path)
}

fn write_synced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // A leftover may have another mode.
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or a new file in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), VaultError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(VaultError::io("sync", folder))
}

/// Reads a text file of at most `limit` bytes; `None` where there is none.
pub fn read_text(path: &Path, limit: u64) -> Result<Option<String>, VaultError> {
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(VaultError::io("open", path))?,
    };
    let mut text = String::new();
    file.take(limit + 1).read_to_string(&mut text).map_err(VaultError::io("read", path))?;
    if text.len() as u64 > limit {
        let why = format!("it is longer than the {limit} bytes allowed");
        return Err(VaultError::Damaged { path: path.to_owned(), why });
    }
    Ok(Some(text))
}

/// The digest of a file, which is read piece by piece: it may be larger than the memory.
#[cfg(feature = "server")]
pub fn digest_of(path: &Path) -> io::Result<crate::digest::Digest> {
    use sha2::{Digest as _, Sha256};

    let mut file = File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crate::digest::Digest::from_bytes(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_the_new_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.note");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(read_text(&path, 10).unwrap().unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write_secret(&path, b"x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_full_disk_is_named_with_what_to_do() {
        let full = VaultError::io("write", Path::new("a"))(io::Error::from(ErrorKind::StorageFull));
        assert!(full.to_string().contains("is full; free space"), "{full}");
    }
}
