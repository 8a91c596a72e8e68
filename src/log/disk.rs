//! What the log asks of a disk, so that a test can put one there that fails.
//!
//! Paths are relative to the log's folder and use `/`. Nothing is durable before it was synced:
//! the bytes of a file by [`Disk::sync`] of it, its name by that of the folder it is in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

use crate::log::LogError;

/// The file whose lock makes a process the one writer.
const LOCK: &str = "lock";

/// Files and folders that are synced at the same time.
const SYNCS_AT_ONCE: usize = 64;

/// A folder of files, some of which grow.
pub trait Disk {
    /// The bytes of a file; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// The paths and lengths of all files below `tile`, in any order.
    fn tiles(&self) -> io::Result<Vec<(String, u64)>>;

    /// Cuts a file to `at` bytes and adds `bytes`; makes the file and its folders where needed.
    fn write(&mut self, path: &str, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the bytes of `files` and the names in `folders` durable, in any order; `""` is the
    /// log's own folder. Says which of them failed.
    fn sync(&mut self, files: &[&str], folders: &[&str]) -> Result<(), (String, io::Error)>;

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

    fn sync(&mut self, files: &[&str], folders: &[&str]) -> Result<(), (String, io::Error)> {
        let file = |path: &str| OpenOptions::new().write(true).open(self.at(path))?.sync_data();
        let folder = |path: &str| sync_dir(&self.at(path));
        let sync = |n: usize| {
            let (path, done) = match n.checked_sub(files.len()) {
                None => (files[n], file(files[n])),
                Some(n) => (folders[n], folder(folders[n])),
            };
            done.map_err(|error| (path.to_owned(), error))
        };
        // What is synced at the same time shares one turn of the disk; one thing needs no thread.
        let (count, workers) = (files.len() + folders.len(), SYNCS_AT_ONCE);
        let share = |first: usize| (first..count).step_by(workers).try_for_each(sync);
        if count == 1 {
            return share(0);
        }
        thread::scope(|scope| {
            let work: Vec<_> =
                (0..workers.min(count)).map(|n| scope.spawn(move || share(n))).collect();
            work.into_iter().try_for_each(|work| work.join().expect("syncing does not panic"))
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        fs::remove_file(self.at(path))
    }
}
