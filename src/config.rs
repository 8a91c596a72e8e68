//! Reading configuration: TOML text becomes a whole value, or every fault in it at once.
//!
//! A [`Table`] is read key by key; each reading that fails is noted with its line and the rest is
//! still read, so that one run names everything there is to mend. **A file with any fault yields
//! nothing, and a key that nobody reads is a fault.** Opening the file is somebody else's work:
//! nothing here touches a disk.

use std::fmt;

mod form;
pub mod parse;

pub use form::{At, FromValue, Table, read};

/// Bytes in a configuration file at most; a province's schedule files fit several times.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Faults that are named one by one; of more, only how many more there are.
pub const FAULTS_MAX: usize = 200;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file as its reader named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, with what, and what to do.
    pub sentence: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.sentence)
    }
}

/// Everything that is wrong, ordered by file and line; one line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// `value` where there is no fault, else the faults in order.
    pub fn or<T>(mut self, value: T) -> Result<T, Self> {
        self.0.sort();
        self.0.dedup();
        let more = self.0.len().saturating_sub(FAULTS_MAX);
        self.0.truncate(FAULTS_MAX);
        if let (1.., Some(last)) = (more, self.0.last()) {
            let sentence = format!("{more} more faults; mend these first");
            self.0.push(Fault { sentence, ..last.clone() });
        }
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
