//! Recordings on their way to the station: written piece by piece, resumed after a cut, believed
//! only when the whole has the digest that was announced.
//!
//! ```text
//!   begun (id.json) ──pieces──► id.part ──digest right──► id.whole ──a version takes it──► gone
//! ```
//!
//! **The length of the file is the offset**: nothing else remembers how far an upload came, so
//! nothing can disagree with the disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::{PersonId, UploadId};
use crate::server::ServerError;
use crate::server::station::{FILE_BYTES_MAX, Station};
use crate::time::Timestamp;
use crate::vault::{VaultError, digest_of, read_text, write_atomic};

/// Bytes of one recording at most: an hour of stereo at 48 kHz without compression.
pub const UPLOAD_BYTES_MAX: u64 = 768 * 1024 * 1024;

/// Uploads of one person at a time.
const OF_ONE_MAX: usize = 8;

/// Uploads in all at a time.
const ALL_MAX: usize = 64;

/// Bytes that all uploads may announce together: what the disk of a small server can spare.
const ALL_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// An upload that is not finished and taken within this is forgotten: over a night without a link.
const LASTS: Duration = Duration::from_hours(24);

/// Why an upload does not go on.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Nothing, or more than is taken.
    #[error("a recording has 1 to {UPLOAD_BYTES_MAX} bytes, not {0}; cut it, or compress it")]
    Length(u64),
    /// Too many at a time.
    #[error("too many uploads are open; finish one, delete one, or wait until one ends by itself")]
    Full,
    /// No such upload.
    #[error("there is no upload {0} of yours; it was taken, deleted, or is older than a day")]
    Unknown(UploadId),
    /// A piece that does not follow the one before.
    #[error("the upload is at {at}, not at {given}; ask for the offset and send from there")]
    Offset {
        /// Where it is.
        at: u64,
        /// Where the piece begins.
        given: u64,
    },
    /// More than was announced.
    #[error("more than the announced {0} bytes came; begin again with the right length")]
    Over(u64),
    /// Two pieces at once.
    #[error("another request is writing {0}; wait until it ends, then ask for the offset")]
    Busy(UploadId),
    /// Not what was announced.
    #[error("the upload has the digest {found}, not {announced}; it was damaged, send it again")]
    Damaged {
        /// What came.
        found: Digest,
        /// What was announced.
        announced: Digest,
    },
    /// Used before it is whole.
    #[error("{id} is at {at} of {length} bytes; send the rest first")]
    Unfinished {
        /// Which.
        id: UploadId,
        /// How far it is.
        at: u64,
        /// How long it will be.
        length: u64,
    },
}

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name.
    pub id: UploadId,
    /// Whose it is.
    pub person: PersonId,
    /// How many bytes it will have.
    pub length: u64,
    /// What they will be.
    pub sha256: Digest,
    /// When it was begun.
    pub begun: Timestamp,
    /// How many bytes are here.
    #[serde(skip)]
    pub offset: u64,
}

/// An upload that a request is writing; nobody else can meanwhile.
#[derive(Debug)]
pub struct Writing {
    upload: Upload,
    file: File,
    folder: PathBuf,
}

impl Upload {
    /// When it is forgotten.
    pub fn ends(&self) -> Timestamp {
        self.begun + LASTS
    }

    fn file(&self, folder: &Path, kind: &str) -> PathBuf {
        folder.join(format!("{}.{kind}", self.id))
    }

    fn forget(&self, folder: &Path) -> Result<(), ServerError> {
        for kind in ["part", "whole", "json"] {
            let path = self.file(folder, kind);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(VaultError::Io { what: "delete", path, source }.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn measured(self, folder: &Path) -> Self {
        let bytes = |kind| fs::metadata(self.file(folder, kind)).map(|file| file.len()).ok();
        let offset = bytes("whole").or_else(|| bytes("part")).unwrap_or(0);
        Self { offset, ..self }
    }
}

impl Station {
    /// Begins an upload of `length` bytes with that digest.
    pub fn begin_upload(
        &self,
        by: &PersonId,
        length: u64,
        sha256: Digest,
    ) -> Result<Upload, ServerError> {
        if !(1..=UPLOAD_BYTES_MAX).contains(&length) {
            return Err(UploadError::Length(length).into());
        }
        let folder = self.uploads_folder();
        fs::create_dir_all(&folder).map_err(|source| VaultError::Io {
            what: "make",
            path: folder.clone(),
            source,
        })?;
        let now = utc_now();
        let mut open = Vec::new();
        for upload in uploads(&folder) {
            if upload.ends() <= now { upload.forget(&folder)? } else { open.push(upload) }
        }
        let own = open.iter().filter(|upload| upload.person == *by).count();
        let bytes: u64 = open.iter().map(|upload| upload.length).sum();
        if own >= OF_ONE_MAX || open.len() >= ALL_MAX || bytes + length > ALL_BYTES_MAX {
            return Err(UploadError::Full.into());
        }
        let id = entropy::secret().parse().expect("hexadecimal digits are an id");
        let upload = Upload { id, person: by.clone(), length, sha256, begun: now, offset: 0 };
        let text = serde_json::to_string(&upload).expect("an upload has text keys");
        write_atomic(&upload.file(&folder, "json"), text.as_bytes())?;
        Ok(upload)
    }

    /// One's own upload, with how far it is.
    pub fn upload(&self, id: &UploadId, by: &PersonId) -> Result<Upload, ServerError> {
        let folder = self.uploads_folder();
        let text = read_text(&folder.join(format!("{id}.json")), FILE_BYTES_MAX)?;
        let upload: Option<Upload> = text.and_then(|text| serde_json::from_str(&text).ok());
        let own = upload.filter(|upload| upload.person == *by && upload.ends() > utc_now());
        let own = own.ok_or_else(|| UploadError::Unknown(id.clone()))?;
        Ok(own.measured(&folder))
    }

    /// Opens one's own upload for the piece that begins at `offset`.
    pub fn write_upload(
        &self,
        id: &UploadId,
        by: &PersonId,
        offset: u64,
    ) -> Result<Writing, ServerError> {
        let folder = self.uploads_folder();
        let path = self.upload(id, by)?.file(&folder, "part");
        let io = |source| VaultError::Io { what: "write", path: path.clone(), source };
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        file.try_lock().map_err(|_| UploadError::Busy(id.clone()))?;
        // Only now nobody else can make it longer.
        let upload = self.upload(id, by)?;
        if upload.offset != offset {
            return Err(UploadError::Offset { at: upload.offset, given: offset }.into());
        }
        Ok(Writing { upload, file, folder })
    }

    /// Forgets one's own upload.
    pub fn drop_upload(&self, id: &UploadId, by: &PersonId) -> Result<(), ServerError> {
        self.upload(id, by)?.forget(&self.uploads_folder())
    }

    /// The file of one's own upload, once it is whole.
    pub fn uploaded(&self, id: &UploadId, by: &PersonId) -> Result<PathBuf, ServerError> {
        let upload = self.upload(id, by)?;
        let path = upload.file(&self.uploads_folder(), "whole");
        if path.exists() {
            return Ok(path);
        }
        let (id, at, length) = (upload.id, upload.offset, upload.length);
        Err(UploadError::Unfinished { id, at, length }.into())
    }

    fn uploads_folder(&self) -> PathBuf {
        self.config.data.join("uploads")
    }
}

impl Writing {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), ServerError> {
        if self.upload.offset + bytes.len() as u64 > self.upload.length {
            return Err(UploadError::Over(self.upload.length).into());
        }
        let path = self.upload.file(&self.folder, "part");
        self.file.write_all(bytes).map_err(|source| VaultError::Io {
            what: "write",
            path,
            source,
        })?;
        self.upload.offset += bytes.len() as u64;
        Ok(())
    }

    /// Ends the piece; of the last one, only where the whole is what was announced.
    pub fn end(self) -> Result<Upload, ServerError> {
        let (part, whole) =
            (self.upload.file(&self.folder, "part"), self.upload.file(&self.folder, "whole"));
        let io = |what| {
            let path = part.clone();
            move |source| VaultError::Io { what, path, source }
        };
        self.file.sync_all().map_err(io("sync"))?;
        if self.upload.offset < self.upload.length {
            return Ok(self.upload);
        }
        let found = digest_of(&part).map_err(io("read"))?;
        if found != self.upload.sha256 {
            self.upload.forget(&self.folder)?;
            return Err(UploadError::Damaged { found, announced: self.upload.sha256 }.into());
        }
        fs::rename(&part, &whole).map_err(io("rename"))?;
        Ok(self.upload)
    }
}

fn uploads(folder: &Path) -> Vec<Upload> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let described = entries.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let read = |path: PathBuf| {
        let text = read_text(&path, FILE_BYTES_MAX).ok().flatten()?;
        serde_json::from_str(&text).ok()
    };
    described.filter_map(read).collect()
}
