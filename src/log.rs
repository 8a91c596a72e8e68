//! The broadcast log in its folder: one writer, any number of readers.
//!
//! ```text
//! lock                 held by the one writer
//! checkpoint           the signed head (C2SP tlog-checkpoint)
//! tile/entries/000     256 entries each, the last file still growing (C2SP entry bundle)
//! tile/0/000 …         256 hashes each, the last file of a level still growing (C2SP tile)
//! ```
//!
//! A partial tile is the beginning of the full one, so a growing file serves every partial tile
//! of the standard: [`LogReader::resource`] answers by the standard's paths.
//!
//! **What was once acknowledged is never lost, altered or reordered, and no two checkpoints
//! contradict each other.** [`Log::append`] keeps this by the order in which it makes things
//! durable:
//!
//! 1. entries and tiles are written, then fsynced together,
//! 2. the checkpoint is signed, written beside the old one, fsynced, renamed over it, and the
//!    folder fsynced,
//! 3. only then does it return.
//!
//! So at any instant the checkpoint on disk speaks of entries and tiles that are on disk. What
//! lies behind it was acknowledged to nobody and is cut off when the log is opened: it may have
//! been torn, a disk may have lost it after an fsync that failed, or a stranger may have put it
//! there, and the server signs only what its store asks for. The one exception is a new
//! checkpoint that was signed but not yet renamed: somebody may have seen it, so it is completed.
//! A batch is therefore logged whole or not at all; after a crash [`Log::facts_after`] tells the
//! caller which.

pub mod alteration;
pub mod disk;
pub mod export;
pub mod exported;
mod growth;
mod inspect;
pub mod race;
pub mod reader;
mod recent;
mod recovery;
pub mod verdict;

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::audit::checkpoint::CheckpointError;
use crate::audit::entry::EntryError;
use crate::audit::tree::{Frontier, TreeError};
use crate::audit::{Checkpoint, Entry, FactId, Origin, Proof, SignedCheckpoint};
use crate::digest::Digest;
use crate::note::Signer;

pub use alteration::Alteration;
pub use disk::{Disk, Folder};
pub use export::Selection;
pub use exported::{Exported, verify_export};
pub use reader::LogReader;
pub use recovery::Recovery;
pub use verdict::{Verdict, verify, verify_telling};

use growth::Growth;
use recent::Recent;

/// The file that holds the signed head.
pub const CHECKPOINT: &str = "checkpoint";

/// Where a new head waits to be renamed.
const CHECKPOINT_NEW: &str = "checkpoint.new";

/// Why the log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk refused.
    #[error("cannot {doing} {path} in the log; check the disk's space, health and rights")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else writes this log.
    #[error("another process writes the log in {0}; stop it first: a log has one writer")]
    Locked(String),
    /// There is no log.
    #[error("there is no log in {0}: it has no checkpoint; name the folder that the server writes")]
    NoLog(String),
    /// The folder holds another log.
    #[error(
        "the folder holds the log {found}, not {wanted}; \
         correct the configured name, or give the new log a folder of its own"
    )]
    OtherLog {
        /// The log that is there.
        found: Origin,
        /// The log that was asked for.
        wanted: Origin,
    },
    /// The log is not what was signed: the server does not start on it.
    #[error(
        "{0} The log stays closed: keep the folder as evidence, and restore the named file from a \
         backup, or begin a log with a new name"
    )]
    Altered(Alteration),
    /// The checkpoint that the log is to be held to is not by this log's key.
    #[error("the older checkpoint is not by this log's key")]
    OldCheckpoint(#[source] CheckpointError),
    /// One fact twice in one batch.
    #[error("fact {0} stands twice in one batch; a fact is logged once")]
    Twice(FactId),
    /// A fact that was logged not long ago.
    #[error("fact {fact} is in the log already, as entry {index}; note it as logged, and go on")]
    Logged {
        /// The fact.
        fact: FactId,
        /// Where it stands.
        index: u64,
    },
    /// An entry that the log does not have.
    #[error("the log has {size} entries, numbered from 0; there is no entry {index}")]
    NoEntry {
        /// What was asked for.
        index: u64,
        /// What there is.
        size: u64,
    },
    /// An entry on disk is none.
    #[error("entry {index} of the log cannot be read; `loaban log verify` says what was altered")]
    BadEntry {
        /// Its place.
        index: u64,
        /// What is wrong with it.
        source: EntryError,
    },
    /// A tile on disk is too short, or too few entries are in a bundle.
    #[error(
        "{path} in the log is shorter than it must be; `loaban log verify` says what was altered"
    )]
    Short {
        /// The file.
        path: String,
    },
    /// Something about to be exported does not lead to the signed root.
    #[error("{0} not lead to the signed root; `loaban log verify` says what was altered")]
    Unproven(String),
    /// The zip could not be written.
    #[error("cannot write the export; check the space and rights where it is to go")]
    Export(#[from] zip::result::ZipError),
    /// An append failed before; what is on disk is not known.
    #[error(
        "an earlier append failed and what it left is unknown; open the log again before writing"
    )]
    Broken,
}

impl LogError {
    /// The same in Vietnamese.
    pub fn vi(&self) -> String {
        let verify = "`loaban log verify` nói rõ chỗ nào bị sửa";
        match self {
            Self::Io { path, source, .. } => format!(
                "Không đọc hoặc ghi được {path} của nhật ký ({source}); hãy xem ổ đĩa còn chỗ, còn \
                 tốt và có quyền."
            ),
            Self::Locked(dir) => format!(
                "Một tiến trình khác đang ghi nhật ký ở {dir}; hãy dừng nó trước: nhật ký chỉ có một \
                 người ghi."
            ),
            Self::NoLog(dir) => format!(
                "Không có nhật ký ở {dir}: thiếu tệp checkpoint; hãy chỉ đúng thư mục mà máy chủ ghi."
            ),
            Self::OtherLog { found, wanted } => format!(
                "Thư mục chứa nhật ký {found}, không phải {wanted}; hãy sửa tên trong cấu hình, hoặc \
                 cho nhật ký mới một thư mục riêng."
            ),
            Self::Altered(alteration) => format!(
                "{} Nhật ký bị khoá: hãy giữ thư mục làm chứng cứ và lấy lại tệp đó từ bản sao lưu, \
                 hoặc bắt đầu nhật ký mới với tên khác.",
                alteration.vi()
            ),
            Self::OldCheckpoint(_) => {
                "Điểm kiểm chứng cũ không do khoá của nhật ký này ký; hãy chọn đúng tệp.".to_owned()
            }
            Self::Twice(fact) => format!("Sự việc {fact} có hai lần trong một lượt ghi."),
            Self::Logged { fact, index } => {
                format!("Sự việc {fact} đã có trong nhật ký, ở mục {index}.")
            }
            Self::NoEntry { index, size } => {
                format!("Nhật ký có {size} mục, đánh số từ 0; không có mục {index}.")
            }
            Self::BadEntry { index, .. } => {
                format!("Không đọc được mục {index} của nhật ký; {verify}.")
            }
            Self::Short { path } => {
                format!("{path} của nhật ký ngắn hơn mức phải có; {verify}.")
            }
            Self::Unproven(_) => {
                format!("Có mục không dẫn tới gốc đã ký; {verify}.")
            }
            Self::Export(_) => {
                "Không ghi được gói xuất; hãy xem chỗ ghi còn dung lượng và quyền.".to_owned()
            }
            Self::Broken => {
                "Lần ghi nhật ký trước bị hỏng giữa chừng; hãy khởi động lại máy chủ.".to_owned()
            }
        }
    }
}

impl From<TreeError<LogError>> for LogError {
    fn from(error: TreeError<LogError>) -> Self {
        match error {
            TreeError::Tile(error) => error,
            TreeError::Short { size } => {
                Self::Short { path: format!("a tile (of {size} entries)") }
            }
            TreeError::NoSuch { size, .. } => Self::NoEntry { index: size, size },
        }
    }
}

/// What one append did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The place of the batch's first entry.
    pub first_index: u64,
    /// Entries in the log now.
    pub size: u64,
    /// The root of the tree now.
    pub root: Digest,
    /// The signed head, which is on disk.
    pub checkpoint: SignedCheckpoint,
}

/// The log, opened for writing. There is one writer; readers use [`LogReader`].
#[derive(Debug)]
pub struct Log<D: Disk = Folder> {
    reader: LogReader<D>,
    signer: Signer,
    frontier: Frontier,
    /// Bytes of entries in the bundle that still grows.
    bundle_bytes: u64,
    recent: Recent,
    recovery: Recovery,
    broken: bool,
}

impl Log {
    /// Opens the log in `dir`, or begins one where the folder is empty.
    ///
    /// Every entry is hashed again and compared with the tiles and the signed checkpoint; the log
    /// does not open on a mismatch, and says what differs. Tiles that are missing are derived.
    pub fn open(dir: &Path, signer: Signer, origin: &Origin) -> Result<Self, LogError> {
        Self::open_on(Folder::locked(dir)?, signer, origin)
    }
}

impl<D: Disk> Log<D> {
    /// Opens the log on any disk; see [`Log::open`].
    pub fn open_on(disk: D, signer: Signer, origin: &Origin) -> Result<Self, LogError> {
        recovery::open(disk, signer, origin)
    }

    /// Appends a batch and returns once it is durable and signed.
    ///
    /// A batch that is refused ([`LogError::Twice`], [`LogError::Logged`]) changes nothing. After
    /// any other error the log must be opened again: the batch is then in it whole or not at all,
    /// and [`Self::facts_after`] says which.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Appended, LogError> {
        if self.broken {
            return Err(LogError::Broken);
        }
        let first_index = self.size();
        self.refuse_repeated(entries)?;
        if !entries.is_empty() {
            // Broken until the last step has succeeded: an early return leaves it so.
            self.broken = true;
            self.make_durable(entries)?;
            self.broken = false;
        }
        let (size, root) = (self.size(), self.frontier.root());
        Ok(Appended { first_index, size, root, checkpoint: self.checkpoint().clone() })
    }

    fn refuse_repeated(&self, entries: &[Entry]) -> Result<(), LogError> {
        let mut seen = HashSet::with_capacity(entries.len());
        for fact in entries.iter().map(Entry::fact) {
            if let Some(index) = self.recent.place_of(fact) {
                return Err(LogError::Logged { fact: fact.clone(), index });
            }
            if !seen.insert(fact) {
                return Err(LogError::Twice(fact.clone()));
            }
        }
        Ok(())
    }

    /// The durable order of the module's head, step by step.
    fn make_durable(&mut self, entries: &[Entry]) -> Result<(), LogError> {
        let growth = Growth::of(self.frontier.clone(), self.bundle_bytes, entries);
        let disk = &mut self.reader.disk;
        growth.write(disk)?;
        let origin = self.reader.head.claim().origin.clone();
        let (size, root) = (growth.frontier.size(), growth.frontier.root());
        let head = Checkpoint { origin, size, root }.sign(&self.signer);
        publish(disk, &head)?;
        for (index, entry) in (self.frontier.size()..).zip(entries) {
            self.recent.add(entry.fact(), index);
        }
        self.frontier = growth.frontier;
        self.bundle_bytes = growth.bundle_bytes;
        self.reader.head = head;
        Ok(())
    }

    /// Entries in the log.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The signed head.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        self.reader.checkpoint()
    }

    /// The log for reading, as of its last checkpoint: export, consistency, tiles.
    pub fn reader(&self) -> &LogReader<D> {
        &self.reader
    }

    /// What opening the log had to mend.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// One entry.
    pub fn entry(&self, index: u64) -> Result<Entry, LogError> {
        self.reader.entry(index)
    }

    /// Entries, in order.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<Entry>, LogError> {
        self.reader.read(range)
    }

    /// The proof that the log holds entry `index`.
    pub fn proof(&self, index: u64) -> Result<Proof, LogError> {
        self.reader.proof(index)
    }

    /// The facts of the entries from `index` on, with their places: what the log has that the
    /// caller may not know of, after a crash between the log and the store.
    pub fn facts_after(&self, index: u64) -> Result<Vec<(u64, FactId)>, LogError> {
        self.reader.facts_after(index)
    }
}

/// Step 2 of the durable order.
fn publish<D: Disk>(disk: &mut D, head: &SignedCheckpoint) -> Result<(), LogError> {
    let failed = |doing| move |source| LogError::Io { doing, path: CHECKPOINT.to_owned(), source };
    disk.write(CHECKPOINT_NEW, 0, head.as_str().as_bytes()).map_err(failed("write"))?;
    disk.sync(&[CHECKPOINT_NEW], &[]).map_err(|(_, error)| failed("sync")(error))?;
    disk.rename(CHECKPOINT_NEW, CHECKPOINT).map_err(failed("rename"))?;
    disk.sync(&[], &[""]).map_err(|(_, error)| failed("sync the folder of")(error))
}
