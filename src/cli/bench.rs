//! `bench`: what the chain costs and what it gives, beside its peers, measured on this machine in one run.
//!
//! **Every program is measured in the same way**, as a child process with what its own children used; ratios of one
//! run are what counts, seconds are those of the machine. Needs `ffmpeg`.

mod audio;
mod corpus;
mod cost;
mod document;
mod encoder;
mod fanout;
mod manifest;
mod peer;
mod table;
mod web;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use indicatif::ProgressBar;

/// Measure what sound, fan-out and pages cost and give, beside their peers.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    Audio(audio::Audio),
    Corpus(corpus::Corpus),
    Fanout(fanout::Fanout),
    Web(web::Web),
    #[command(hide = true)]
    Encoder(encoder::EncoderAlone),
}

impl Bench {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Audio(audio) => audio.run(),
            Self::Corpus(corpus) => corpus.run(),
            Self::Fanout(fanout) => fanout.run().await,
            Self::Web(web) => web.run().await,
            Self::Encoder(encoder) => encoder.run(),
        }
    }
}

/// A folder that is gone when the measuring is over.
struct Bin(PathBuf);

impl Bin {
    /// A new folder in `parent`, or where the system keeps what is not kept.
    fn new(parent: Option<&Path>) -> anyhow::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let folder = parent.join(format!("loaban-bench-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| {
            format!("{} cannot be made; name another folder with --work", folder.display())
        })?;
        Ok(Self(folder))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Bin {
    fn drop(&mut self) {
        // What is left is in a folder for what is not kept.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The value of sorted ones that so many of a hundred do not exceed; 0 where there are none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// Says on a terminal what is being measured.
struct Steps(ProgressBar);

impl Steps {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self(bar)
    }

    fn begin(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
