//! The journal of a long run: one JSON line for each seed that was simulated to its end, so that a run
//! that is stopped goes on where it was. Seeds of two programs are never added up.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::sim::Verdict;

/// The name of the platform's file with the program that runs.
const SELF: &str = "/proc/self/exe";

/// What has to be the same for seeds to be added up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Terms {
    /// SHA-256 of the program.
    pub(super) program: String,
    pub(super) weather: String,
    pub(super) controllers: u64,
    pub(super) days: u32,
    pub(super) real_every: u64,
}

impl Terms {
    /// The digest of the program that runs.
    pub(super) fn program() -> anyhow::Result<String> {
        let program = std::fs::read(SELF).with_context(|| format!("reading {SELF}"))?;
        Ok(Digest::of(&program).to_string())
    }
}

/// A seed that was simulated.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    terms: Terms,
    /// Time on the wall since the seed before it, in milliseconds.
    took_ms: u64,
    /// What it came to.
    pub(super) verdict: Verdict,
}

impl Entry {
    pub(super) fn took(&self) -> Duration {
        Duration::from_millis(self.took_ms)
    }
}

/// Where seeds are written down.
#[derive(Debug)]
pub(super) struct Journal {
    terms: Terms,
    file: File,
}

impl Journal {
    /// Opens a journal, or begins one; returns what it holds.
    pub(super) fn open(path: &Path, terms: Terms) -> anyhow::Result<(Self, Vec<Entry>)> {
        let name = path.display();
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("opening the journal {name}"))?;
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("reading the journal {name}"))?;
        // A last line without its end was being written when the run was stopped.
        let (whole, torn) = text.split_at(text.rfind('\n').map_or(0, |end| end + 1));
        let read = whole.lines().zip(1..).map(|(line, n): (&str, u32)| {
            let entry: Entry = serde_json::from_str(line)
                .with_context(|| format!("line {n} of the journal {name}"))?;
            ensure!(
                entry.terms == terms,
                "line {n} of the journal {name} is of another program, weather or fleet; \
                 their seeds do not add up: name another file"
            );
            Ok(entry)
        });
        let entries = read.collect::<anyhow::Result<_>>()?;
        if !torn.is_empty() {
            file.set_len(whole.len() as u64)?;
        }
        Ok((Self { terms, file }, entries))
    }

    /// Writes down what a seed came to.
    pub(super) fn write(&mut self, verdict: &Verdict, took: Duration) -> anyhow::Result<()> {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let entry = Entry { terms: self.terms.clone(), took_ms, verdict: verdict.clone() };
        let line = serde_json::to_string(&entry)? + "\n";
        self.file.write_all(line.as_bytes()).context("writing the journal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Plan, Signatures, Weather, run};

    fn terms(program: &str) -> Terms {
        let (program, weather) = (program.to_owned(), "calm".to_owned());
        Terms { program, weather, controllers: 1, days: 1, real_every: 1 }
    }

    fn verdict(seed: u64) -> Verdict {
        let (weather, signatures) = (Weather::Calm, Signatures::StandIn);
        run(Plan { seed, controllers: 1, days: 1, weather, signatures })
    }

    #[test]
    fn a_run_that_was_stopped_goes_on_after_its_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let second = Duration::from_secs(1);
        let (mut journal, none) = Journal::open(&path, terms("a")).unwrap();
        assert!(none.is_empty());
        journal.write(&verdict(1), second).unwrap();
        journal.file.write_all(b"{\"terms\":").unwrap();
        let (mut journal, one) = Journal::open(&path, terms("a")).unwrap();
        assert_eq!(one.len(), 1);
        journal.write(&verdict(2), second).unwrap();
        let (_, both) = Journal::open(&path, terms("a")).unwrap();
        let told: Vec<_> = both.iter().map(|e| (e.verdict.seed, e.took())).collect();
        assert_eq!(told, [(1, second), (2, second)]);
        assert_eq!(both[0].verdict.checks, verdict(1).checks);
    }

    #[test]
    fn seeds_of_another_program_are_not_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path, terms("a")).unwrap();
        journal.write(&verdict(1), Duration::ZERO).unwrap();
        let refused = Journal::open(&path, terms("b")).unwrap_err().to_string();
        assert!(refused.contains("another program"), "{refused}");
    }
}
