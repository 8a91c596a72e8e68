//! What the log asks of a disk, so that a test can put one there that fails.
//!
//! Paths are relative to the log's folder and use `/`. Nothing is durable before it was synced:
//! the bytes of a file by [`Disk::sync`], its name by [`Disk::sync_folder`] of the folder it is in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::log::LogError;

/// The file whose lock makes a process the one writer.
const LOCK: &str = "lock";

/// A folder of files, some of which grow.
pub trait Disk {
    /// The bytes of a file; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// The paths and lengths of all files below `tile`, in any order.
    fn tiles(&self) -> io::Result<Vec<(String, u64)>>;

    /// Cuts a file to `at` bytes and adds `bytes`; makes the file and its folders where needed.
    fn write(&mut self, path: &str, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the bytes of a file durable.
    fn sync(&mut self, path: &str) -> io::Result<()>;

    /// Makes the names in a folder durable; `""` is the log's own.
    fn sync_folder(&mut self, folder: &str) -> io::Result<()>;

    /// Puts a file in another's place, at once.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&mut self, path: &str) -> io::Result<()>;
}

/// A real folder.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Held until the folder is dropped or the process ends, however it ends.
    _lock: Option<File>,
}

impl Folder {
    /// The folder for a reader, who needs no lock.
    pub fn shared(dir: &Path) -> Self {
        Self { root: dir.to_owned(), _lock: None }
    }

    /// The folder for the one writer; made where it does not exist.
    pub fn locked(dir: &Path) -> Result<Self, LogError> {
        let failed =
            |doing| move |source| LogError::Io { doing, path: dir.display().to_string(), source };
        if !dir.exists() {
            fs::create_dir_all(dir).map_err(failed("make"))?;
            let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync_dir(parent.unwrap_or(Path::new("."))).map_err(failed("sync the folder of"))?;
        }
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).open(dir.join(LOCK));
        let lock = lock.map_err(failed("open the lock of"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: dir.to_owned(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(LogError::Locked(dir.display().to_string())),
            Err(TryLockError::Error(source)) => Err(failed("lock")(source)),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl Disk for Folder {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.at(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn tiles(&self) -> io::Result<Vec<(String, u64)>> {
        let mut found = Vec::new();
        let mut folders = vec!["tile".to_owned()];
        while let Some(folder) = folders.pop() {
            let items = match fs::read_dir(self.at(&folder)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                items => items?,
            };
            for item in items {
                let item = item?;
                let path = format!("{folder}/{}", item.file_name().to_string_lossy());
                let about = item.metadata()?;
                if about.is_dir() { folders.push(path) } else { found.push((path, about.len())) }
            }
        }
        Ok(found)
    }

    fn write(&mut self, path: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.at(path);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
                options.open(&path)?
            }
            file => file?,
        };
        if file.seek(SeekFrom::End(0))? != at {
            file.set_len(at)?;
            file.seek(SeekFrom::Start(at))?;
        }
        file.write_all(bytes)
    }

    fn sync(&mut self, path: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.at(path))?.sync_data()
    }

    fn sync_folder(&mut self, folder: &str) -> io::Result<()> {
        sync_dir(&self.at(folder))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        fs::remove_file(self.at(path))
    }
}
