//! The cast: a log in a folder of its own, its key, and entries to put in it.

use std::fs;
use std::path::{Path, PathBuf};

use loaban::audit::{Entry, Origin, SignedCheckpoint};
use loaban::log::{Log, Verdict, verify};
use loaban::note::Signer;
use loaban::time::Timestamp;

/// The log's key.
pub fn signer() -> Signer {
    Signer::from_seed("laichau/log".parse().unwrap(), &[7; 32])
}

/// The log's name.
pub fn origin() -> Origin {
    "laichau/log".parse().unwrap()
}

/// The `n`th entry, of a length that depends on `n`.
pub fn entry(n: u64) -> Entry {
    entry_saying(n, &"loa ".repeat(usize::try_from(n % 7).unwrap()))
}

/// The `n`th fact, saying `what`.
pub fn entry_saying(n: u64, what: &str) -> Entry {
    let body = serde_json::json!({ "n": n, "what": what });
    let at = Timestamp::from_seconds(1_795_000_000 + i64::try_from(n).unwrap());
    let (fact, kind) = (format!("f-{n}").parse().unwrap(), "version.approved".parse().unwrap());
    Entry::new(fact, at, kind, Some("person:lan".parse().unwrap()), &body).unwrap()
}

/// Entries `range`.
pub fn entries(range: std::ops::Range<u64>) -> Vec<Entry> {
    range.map(entry).collect()
}

/// A station's log on a real disk.
pub struct Station {
    folder: tempfile::TempDir,
}

impl Station {
    /// A station whose log holds entries 0 to `size` - 1, appended at once.
    pub fn with_entries(size: u64) -> Self {
        let station = Self { folder: tempfile::tempdir().unwrap() };
        station.open().append(&entries(0..size)).unwrap();
        station
    }

    /// A station whose log was signed with `entries`.
    pub fn with(entries: &[Entry]) -> Self {
        let station = Self { folder: tempfile::tempdir().unwrap() };
        station.open().append(entries).unwrap();
        station
    }

    /// Opens the log for writing.
    pub fn open(&self) -> Log {
        Log::open(&self.dir(), signer(), &origin()).unwrap()
    }

    /// The log's folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A file of the log.
    pub fn file(&self, path: &str) -> PathBuf {
        self.dir().join(path)
    }

    /// The bytes of a file of the log.
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.file(path)).unwrap()
    }

    /// Alters a file of the log behind the server's back.
    pub fn alter(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.bytes(path);
        change(&mut bytes);
        fs::write(self.file(path), bytes).unwrap();
    }

    /// Puts other entries in a bundle, in the right form.
    pub fn alter_entries(&self, bundle: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        self.alter(bundle, |bytes| {
            let mut list: Vec<Vec<u8>> =
                loaban::audit::bundle::entries(bytes).map(<[u8]>::to_vec).collect();
            change(&mut list);
            bytes.clear();
            for entry in &list {
                loaban::audit::bundle::push(bytes, entry);
            }
        });
    }

    /// What an auditor is told.
    pub fn verdict(&self) -> Verdict {
        verify(&self.dir(), &signer().public(), None).unwrap()
    }

    /// What an auditor who kept `older` is told.
    pub fn verdict_against(&self, older: &SignedCheckpoint) -> Verdict {
        verify(&self.dir(), &signer().public(), Some(older)).unwrap()
    }

    /// Why the server does not start.
    pub fn refusal(&self) -> String {
        Log::open(&self.dir(), signer(), &origin()).unwrap_err().to_string()
    }
}

/// A folder next to the repository that holds the vectors.
pub fn shared(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path)
}
