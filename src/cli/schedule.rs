//! `schedule`: import, plan.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use crate::cli::{Which, print_json};
use crate::id::ControllerId;

/// Areas, controllers, policies and programmes.
#[derive(Debug, Subcommand)]
pub(super) enum Schedule {
    /// Check files together with what the station has and take them over; all or nothing.
    Import {
        #[command(flatten)]
        which: Which,
        /// The files.
        files: Vec<PathBuf>,
    },
    /// Show what airs from today on, with every refusal and its reason.
    Plan {
        #[command(flatten)]
        which: Which,
        /// Only this controller.
        #[arg(long)]
        controller: Option<ControllerId>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Files with the names that the store keeps them under.
pub(super) fn read_files(files: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok((name.context("a schedule file needs a name")?, text))
    };
    files.iter().map(read).collect()
}

impl Schedule {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Import { which, files } => {
                let changed = which.open().await?.import_schedule(&read_files(&files)?).await?;
                println!("{changed} of {} files were new or changed", files.len());
                Ok(true)
            }
            Self::Plan { which, controller, json } => plan(&which, controller.as_ref(), json).await,
        }
    }
}

async fn plan(which: &Which, only: Option<&ControllerId>, json: bool) -> anyhow::Result<bool> {
    let station = which.open().await?;
    let (world, mut plan) = station.plan().await?;
    if let Some(only) = only {
        plan.airings.retain(|airing| airing.key.controller == *only);
        plan.remarks
            .retain(|remark| remark.key.as_ref().is_some_and(|key| key.controller == *only));
    }
    if json {
        print_json(&plan)?;
        return Ok(true);
    }
    for airing in &plan.airings {
        let at = world.zone.local(airing.at).format("%Y-%m-%d %H:%M:%S");
        let seconds = airing.ends.since(airing.at).as_secs();
        let languages: Vec<&str> = airing.items.iter().map(|item| item.language.as_str()).collect();
        println!(
            "{at}  {:<20} {:<20} {seconds:>5} s  {}",
            airing.key.controller,
            airing.key.programme,
            languages.join(" ")
        );
    }
    for remark in &plan.remarks {
        println!("! {remark}");
    }
    Ok(true)
}
