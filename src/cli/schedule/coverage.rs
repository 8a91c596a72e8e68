//! `schedule coverage`: who can hear what, as tables, JSON and picture.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::source::Source;
use crate::cli::print_json;
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId};
use crate::schedule::Places;
use crate::schedule::coverage::{by_bulletin, by_commune, by_village, coverage, svg};
use crate::schedule::excerpt::{known_area, nearest};
use crate::time::LocalDate;
use crate::vault::write_atomic;

/// What stands in a line.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum By {
    /// A bulletin, with a cell for each language.
    #[default]
    Bulletin,
    /// A commune, with sums.
    Commune,
    /// A village under each bulletin.
    Village,
}

/// Shows who can hear what.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    source: Source,
    /// Only this area and those below it.
    #[arg(long)]
    area: Option<AreaId>,
    /// Only this bulletin, also where it is over.
    #[arg(long)]
    bulletin: Option<BulletinId>,
    /// As at the end of this local date; now otherwise.
    #[arg(long)]
    date: Option<LocalDate>,
    /// What stands in a line.
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// One JSON object: every bulletin in every village, language by language.
    #[arg(long)]
    json: bool,
    /// Draw the matrix into this file too.
    #[arg(long)]
    svg: Option<PathBuf>,
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let read = self.source.read().await?;
        let world = &read.world;
        if let Some(area) = &self.area {
            known_area(world, area)?;
        }
        if let Some(bulletin) = &self.bulletin
            && world.content.iter().all(|airable| airable.bulletin != *bulletin)
        {
            let known = world.content.iter().map(|airable| airable.bulletin.as_str());
            bail!(
                "there is no bulletin `{bulletin}`; near it: {}",
                nearest(bulletin.as_str(), known)
            );
        }
        let second = std::time::Duration::from_secs(1);
        let at =
            self.date.map_or_else(utc_now, |date| world.zone.midnight(date.plus_days(1)) - second);
        let coverage = coverage(world, at, self.area.as_ref(), self.bulletin.as_ref());
        let places = Places::new(&world.tree, &world.controllers);
        if let Some(path) = &self.svg {
            write_atomic(path, svg(&coverage, &places).as_bytes())?;
        }
        if self.json {
            print_json(
                &serde_json::json!({ "entries": coverage.entries, "sums": coverage.sums() }),
            )?;
            return Ok(true);
        }
        match self.by {
            By::Bulletin => say!("{}", by_bulletin(&coverage)),
            By::Commune => say!("{}", by_commune(&coverage, &places)),
            By::Village => say!("{}", by_village(&coverage, &places)),
        }
        Ok(true)
    }
}
