//! An export: a zip with which anybody can check entries without this software.
//!
//! ```text
//! verify.py                 needs Python and the command openssl, nothing else
//! checkpoint                the signed head
//! keys.txt                  public keys, the log's own first
//! entries.jsonl             all entries, one a line; or
//! entries/812.json          each selected entry, byte for byte as it was hashed, and
//! proofs/812.tlog-proof     the proof that it is in the log (C2SP tlog-proof)
//! ```
//!
//! All entries need no proofs: they make the root themselves. **Nothing is exported that does not
//! lead to the signed root.**

use std::io::{Seek, Write};

use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use crate::audit::tree::{self, Frontier};
use crate::log::{Alteration, Disk, LogError, LogReader};
use crate::note::PublicKey;

/// The verifier that every export carries.
pub const VERIFIER: &str = include_str!("verify.py");

/// Which entries to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The whole log.
    All,
    /// These, each with its proof.
    Entries(&'a [u64]),
}

impl<D: Disk> LogReader<D> {
    /// Writes an export of the log whose key is `key`; `others` are keys that the entries' own
    /// signatures need. Returns how many entries it holds.
    pub fn export<W: Write + Seek>(
        &self,
        selection: Selection<'_>,
        key: &PublicKey,
        others: &[PublicKey],
        out: W,
    ) -> Result<u64, LogError> {
        let head = self.checkpoint();
        let verified = head.verify(key);
        verified.map_err(|error| LogError::Altered(Alteration::Checkpoint(error)))?;
        let keys = [key].into_iter().chain(others).map(|key| format!("{key}\n"));
        let mut zip = Zip(ZipWriter::new(out));
        zip.add("verify.py", VERIFIER.as_bytes())?;
        zip.add("checkpoint", head.as_str().as_bytes())?;
        zip.add("keys.txt", keys.collect::<String>().as_bytes())?;
        let count = match selection {
            Selection::All => self.export_all(&mut zip)?,
            Selection::Entries(indexes) => self.export_selected(&mut zip, indexes)?,
        };
        zip.0.finish()?;
        Ok(count)
    }

    fn export_all<W: Write + Seek>(&self, zip: &mut Zip<W>) -> Result<u64, LogError> {
        zip.begin("entries.jsonl")?;
        let mut frontier = Frontier::default();
        self.visit_bytes::<LogError>(0..self.size(), |_, entry| {
            frontier.push(tree::leaf_hash(entry), |_, _| {});
            zip.write(entry)?;
            zip.write(b"\n")
        })?;
        if frontier.root() != self.checkpoint().claim().root {
            return Err(LogError::Unproven("the entries do".to_owned()));
        }
        Ok(frontier.size())
    }

    fn export_selected<W: Write + Seek>(
        &self,
        zip: &mut Zip<W>,
        indexes: &[u64],
    ) -> Result<u64, LogError> {
        let head = self.checkpoint().claim();
        let mut indexes = indexes.to_vec();
        indexes.sort_unstable();
        indexes.dedup();
        for &index in &indexes {
            let proof = self.proof(index)?;
            let entry = self.entry(index)?;
            let leaf = tree::leaf_hash(entry.bytes());
            tree::verify_inclusion(&proof.path, index, leaf, head.size, head.root)
                .map_err(|_| LogError::Unproven(format!("entry {index} does")))?;
            zip.add(&format!("entries/{index}.json"), entry.bytes())?;
            zip.add(&format!("proofs/{index}.tlog-proof"), proof.to_string().as_bytes())?;
        }
        Ok(indexes.len() as u64)
    }
}

/// A zip being written. Its files bear no date, so that one log makes one export.
struct Zip<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Zip<W> {
    fn begin(&mut self, name: &str) -> Result<(), LogError> {
        Ok(self.0.start_file(name, SimpleFileOptions::default().large_file(true))?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        self.0.write_all(bytes).map_err(|error| LogError::Export(ZipError::Io(error)))
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), LogError> {
        self.begin(name)?;
        self.write(bytes)
    }
}
