//! `schedule`: check, import, export, plan.

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::Which;
use crate::id::AreaId;

mod coverage;
mod decision;
mod files;
mod ical;
mod plan;
mod source;

pub(super) use files::read_files;
pub(super) use source::{Read, Source, one_day};

/// Areas, controllers, policies and programmes.
#[derive(Debug, Subcommand)]
pub(super) enum Schedule {
    /// Say everything that is wrong with some files, by themselves, with file and line.
    Check {
        /// Files, or folders with all `.toml` files below them; `bulletins*.toml` are read too.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Check files together with what the station has and take them over; all or nothing.
    Import {
        #[command(flatten)]
        which: Which,
        /// Files, or folders; `bulletins*.toml` in a folder are left out.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Write the station's schedule as one file that reads back as the same schedule.
    Export {
        #[command(flatten)]
        source: source::Source,
        /// The file; standard output otherwise.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Take over the border of an area for its map: GeoJSON, a polygon or several, at most 4 MB.
    Outline {
        #[command(flatten)]
        which: Which,
        /// The area.
        area: AreaId,
        /// The file.
        file: PathBuf,
    },
    /// Show what airs when and where, with every refusal and its reason.
    Plan(plan::Show),
    /// Show which village can hear which bulletin in which language, and how far the others are.
    Coverage(coverage::Show),
    /// List what communes must decide about two priority bulletins, nearest deadline first.
    Decisions(decision::Decisions),
    /// Decide which of two priority bulletins a commune hears first.
    Decide(decision::Decide),
    /// Write the airings of an area as a calendar file (iCalendar).
    Ical(ical::Write),
}

impl Schedule {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Check { files, json } => files::check(&files, json),
            Self::Import { which, files } => {
                let files = read_files(&files)?;
                let changed = which.open().await?.import_schedule(&files).await?;
                say_line!("{changed} of {} files were new or changed", files.len());
                Ok(true)
            }
            Self::Export { source, out } => files::export(&source, out.as_deref()).await,
            Self::Outline { which, area, file } => {
                let outline = files::border(&file)?;
                which.open().await?.import_outline(&area, &outline).await?;
                let points: usize = outline.rings().iter().map(Vec::len).sum();
                say_line!("the border of {area} is kept with {points} points");
                Ok(true)
            }
            Self::Plan(show) => show.run().await,
            Self::Coverage(show) => show.run().await,
            Self::Decisions(list) => list.run().await,
            Self::Decide(decide) => decide.run().await,
            Self::Ical(write) => write.run().await,
        }
    }
}
