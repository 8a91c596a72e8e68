//! What a command plans from: a station, or a folder of files without one.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::files::{Folder, check_all, read_all};
use crate::cli::Which;
use crate::clock::utc_now;
use crate::schedule::file::Checked;
use crate::schedule::{DAYS_MAX, History, Plan, World, plan};
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

/// Ids named where one is not known.
const NEAR_MAX: usize = 5;

/// Those of `known` that are written most like `wanted`.
pub(in crate::cli) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<(usize, &str)> = known.map(|id| (distance(wanted, id), id)).collect();
    known.sort_unstable();
    let near: Vec<&str> = known.iter().take(NEAR_MAX).map(|(_, id)| *id).collect();
    if near.is_empty() { "nothing at all".to_owned() } else { near.join(", ") }
}

/// Letters to change, add or drop until one is the other (Levenshtein); ids are short.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
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

    /// Plans the days. On a station the days between today and the first are planned too, because
    /// what airs on them does not air again.
    pub(super) fn plan(self, read: &Read) -> anyhow::Result<Plan> {
        let zone = read.world.zone;
        let (from, to) = self.days(zone);
        let begin = read.planned_from.map_or(from, |day| day.min(from));
        let days = (to.naive() - begin.naive()).num_days() + 1;
        let days = u16::try_from(days).ok().filter(|days| (1..=DAYS_MAX).contains(days));
        let days = days.with_context(|| {
            format!("{from} to {to} are no 1 to {DAYS_MAX} days from {begin} on; choose others")
        })?;
        let mut plan = plan(&read.world, begin, days);
        plan.airings.retain(|airing| airing.key.date >= from);
        plan.remarks.retain(|remark| remark.key.as_ref().is_none_or(|key| key.date >= from));
        Ok(plan)
    }
}

/// The plan of one day.
pub(in crate::cli) fn one_day(read: &Read, date: LocalDate) -> anyhow::Result<Plan> {
    Span::of(date).plan(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_ids_come_first() {
        let known = ["mu-ca", "muong-te", "mu-sang", "bum-to"];
        assert!(nearest("mu-cà", known.into_iter()).starts_with("mu-ca, mu-sang"));
        assert_eq!(nearest("x", std::iter::empty()), "nothing at all");
    }

    #[test]
    fn a_distance_counts_what_is_changed_added_and_dropped() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", "abc")), (3, 0));
    }
}
