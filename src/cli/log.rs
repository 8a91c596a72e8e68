//! `log`: list, verify.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use crate::audit::SignedCheckpoint;
use crate::cli::Which;
use crate::log::{LogReader, Selection, verify};

/// The broadcast log.
#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// List the entries.
    List {
        #[command(flatten)]
        which: Which,
        /// Only entries of this kind, such as receipts.taken.
        #[arg(long)]
        kind: Option<String>,
        /// The entries as they are in the log, one a line.
        #[arg(long)]
        json: bool,
    },
    /// Write a zip with every entry, the checkpoint, the key and a short verifier in Python, which an
    /// auditor needs nothing of this station for.
    Export {
        #[command(flatten)]
        which: Which,
        /// The zip to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Say in one sentence whether anything was altered, and where.
    Verify {
        #[command(flatten)]
        which: Which,
        /// A checkpoint from before, such as one that was printed: the log must contain it.
        #[arg(long)]
        old: Option<PathBuf>,
    },
}

impl Log {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::List { which, kind, json } => {
                let station = which.open().await?;
                let log = LogReader::open(&station.log_folder())?;
                log.visit::<anyhow::Error>(0..log.size(), |index, entry| {
                    if kind.as_ref().is_none_or(|kind| entry.kind().as_str() == kind) {
                        tell(index, &entry, json);
                    }
                    Ok(())
                })?;
                Ok(true)
            }
            Self::Export { which, out } => {
                let station = which.open().await?;
                let key = station.online_keys()?.log.public();
                let log = LogReader::open(&station.log_folder())?;
                let file = std::fs::File::create(&out)
                    .with_context(|| format!("cannot make {}", out.display()))?;
                log.export(Selection::All, &key, &[], file)?;
                println!(
                    "{} entries are in {}; unpack it and run verify.py",
                    log.size(),
                    out.display()
                );
                Ok(true)
            }
            Self::Verify { which, old } => {
                let station = which.open().await?;
                let old = old.map(|path| read_checkpoint(&path)).transpose()?;
                let key = station.online_keys()?.log.public();
                let verdict = verify(&station.log_folder(), &key, old.as_ref())?;
                println!("{verdict}");
                Ok(verdict.is_right())
            }
        }
    }
}

fn tell(index: u64, entry: &crate::audit::entry::Entry, json: bool) {
    if json {
        println!("{}", entry.as_str());
        return;
    }
    let who = entry.who().map(ToString::to_string).unwrap_or_default();
    let body: String = entry.body().get().chars().take(90).collect();
    println!("{index:>6} {} {:<22} {who:<24} {body}", entry.at(), entry.kind().as_str());
}

fn read_checkpoint(path: &std::path::Path) -> anyhow::Result<SignedCheckpoint> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    SignedCheckpoint::parse(&bytes).with_context(|| path.display().to_string())
}

/// What the demonstration prints too.
pub(super) fn verdict(station: &crate::server::Station) -> anyhow::Result<(bool, String, u64)> {
    let key = station.online_keys()?.log.public();
    let verdict = verify(&station.log_folder(), &key, None)?;
    let size = LogReader::open(&station.log_folder())?.size();
    Ok((verdict.is_right(), verdict.to_string(), size))
}
