//! `log verify`: of a station, of an export, of a folder, against what was kept before.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::cli::Which;
use crate::cli::log::read_checkpoint;
use crate::log::{verify, verify_export};
use crate::note::PublicKey;

/// Says in one sentence whether anything was altered, and where.
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    which: Which,
    /// A checkpoint from before, such as one that was printed: the log must continue it.
    #[arg(long)]
    old: Option<PathBuf>,
    /// An export, in place of a station's log.
    #[arg(long, conflicts_with = "folder")]
    export: Option<PathBuf>,
    /// The log's folder, in place of a station.
    #[arg(long, requires = "key")]
    folder: Option<PathBuf>,
    /// The log's public key as you have it from elsewhere (name+id+base64); the station's
    /// otherwise.
    #[arg(long)]
    key: Option<PublicKey>,
    /// Leave the database out: the entries and their tree alone.
    #[arg(long)]
    log_only: bool,
}

impl Verify {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let old = self.old.as_ref().map(|path| read_checkpoint(path)).transpose()?;
        if let Some(path) = &self.export {
            let file = std::fs::File::open(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let verdict = verify_export(file, &self.key().await?, old.as_ref())?;
            say_line!("{verdict}");
            return Ok(matches!(verdict, crate::log::Exported::Right { .. }));
        }
        if let Some(folder) = &self.folder {
            let verdict = verify(folder, &self.key().await?, old.as_ref())?;
            say_line!("{verdict}");
            return Ok(verdict.is_right());
        }
        let station = self.which.open().await?;
        let verdict = verify(&station.log_folder(), &self.key().await?, old.as_ref())?;
        say_line!("{verdict}");
        if !verdict.is_right() || self.log_only {
            return Ok(verdict.is_right());
        }
        let agreement = station.agreement().await?;
        say_line!("{agreement}");
        Ok(agreement.disagreements.is_empty())
    }

    /// The key that was given, else the station's own.
    async fn key(&self) -> anyhow::Result<PublicKey> {
        match &self.key {
            Some(key) => Ok(key.clone()),
            None => Ok(self.which.open().await?.online_keys()?.log.public()),
        }
    }
}
