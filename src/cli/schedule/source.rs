//! What a command plans from: a station, or a folder of files without one.

use std::path::PathBuf;

use clap::Args;

use super::files::{Folder, check_all, read_all};
use crate::cli::Which;
use crate::clock::utc_now;
use crate::schedule::excerpt::plan_days;
use crate::schedule::file::Checked;
use crate::schedule::{History, Plan, World};
use crate::server::Station;
use crate::time::{LocalDate, Zone};

/// Where a schedule comes from.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Source {
    #[command(flatten)]
    which: Which,
    /// A folder (or files) with a schedule and its `bulletins*.toml`, in place of a station.
    #[arg(long, num_args = 1..)]
    files: Vec<PathBuf>,
}

/// Everything that a plan is made of.
pub(in crate::cli) struct Read {
    pub(in crate::cli) world: World,
    pub(in crate::cli) station: Option<Station>,
    /// The day after the history, from which on plans of a station are made.
    pub(super) planned_from: Option<LocalDate>,
}

impl Source {
    /// The schedule alone.
    pub(super) async fn schedule(&self) -> anyhow::Result<Checked> {
        if self.files.is_empty() {
            return Ok(self.which.open().await?.schedule().await?);
        }
        Ok(check_all(&read_all(&self.files)?)?.checked)
    }

    /// The same; of a day that is past with the history of the days before it.
    pub(in crate::cli) async fn read_on(&self, day: LocalDate) -> anyhow::Result<Read> {
        let mut read = self.read().await?;
        if let Some(station) = &read.station
            && day < read.world.zone.date(utc_now())
        {
            read.world = station.world_on(day).await?;
            read.planned_from = Some(day);
        }
        Ok(read)
    }

    /// Files that were named in place of a station.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.files
    }

    /// Everything that a plan is made of.
    pub(super) async fn read(&self) -> anyhow::Result<Read> {
        if !self.files.is_empty() {
            return Ok(Read::of_folder(check_all(&read_all(&self.files)?)?));
        }
        let station = self.which.open().await?;
        let world = station.world().await?;
        let planned_from = Some(world.zone.date(utc_now()));
        Ok(Read { world, station: Some(station), planned_from })
    }
}

impl Read {
    pub(super) fn of_folder(Folder { checked, content }: Folder) -> Self {
        let content = content.unwrap_or_default();
        let world = World {
            zone: Zone::default(),
            tree: checked.tree,
            controllers: checked.controllers,
            policies: checked.policies,
            programmes: checked.programmes,
            exceptions: checked.exceptions,
            decisions: Vec::new(),
            content: content.into_iter().map(|outline| outline.airable).collect(),
            history: History::default(),
        };
        Self { world, station: None, planned_from: None }
    }
}

/// The days of a plan.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Span {
    /// The first day, such as 2026-11-23; today otherwise.
    #[arg(long)]
    from: Option<LocalDate>,
    /// The last day; six days after the first otherwise.
    #[arg(long)]
    to: Option<LocalDate>,
}

/// Days that are shown where no last one is named.
const DAYS: i64 = 7;

impl Span {
    /// One day.
    fn of(date: LocalDate) -> Self {
        Self { from: Some(date), to: Some(date) }
    }

    /// First and last day.
    pub(super) fn days(self, zone: Zone) -> (LocalDate, LocalDate) {
        let from = self.from.unwrap_or_else(|| zone.date(utc_now()));
        (from, self.to.unwrap_or_else(|| from.plus_days(DAYS - 1)))
    }

    /// Plans the days.
    pub(super) fn plan(self, read: &Read) -> anyhow::Result<Plan> {
        let zone = read.world.zone;
        let (from, to) = self.days(zone);
        let begin = read.planned_from.map_or(from, |day| day.min(from));
        Ok(plan_days(&read.world, begin, (from, to))?)
    }
}

/// The plan of one day.
pub(in crate::cli) fn one_day(read: &Read, date: LocalDate) -> anyhow::Result<Plan> {
    Span::of(date).plan(read)
}
