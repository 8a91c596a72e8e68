//! `schedule ical`: the airings of an area as a calendar file.

use std::path::PathBuf;

use clap::Args;

use super::plan::Only;
use super::source::{Source, Span};
use crate::clock::utc_now;
use crate::id::AreaId;
use crate::schedule::Places;
use crate::schedule::excerpt::known_area;
use crate::schedule::ical::ical;
use crate::vault::write_atomic;

/// Writes a calendar.
#[derive(Debug, Args)]
pub(in crate::cli) struct Write {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    span: Span,
    /// The area: a village, a commune, or the province.
    #[arg(long)]
    area: AreaId,
    /// The file, such as mu-ca.ics.
    #[arg(long)]
    out: PathBuf,
}

impl Write {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let read = self.source.read().await?;
        let world = &read.world;
        known_area(world, &self.area)?;
        let mut plan = self.span.plan(&read)?;
        Only::area(&self.area).narrow(world, &mut plan)?;
        let area = world.tree.get(&self.area).expect("the area was found");
        let places = Places::new(&world.tree, &world.controllers);
        let text = ical(&plan, &world.programmes, &places, area, utc_now());
        write_atomic(&self.out, text.as_bytes())?;
        let events = text.matches("\r\nBEGIN:VEVENT\r\n").count();
        say_line!("{events} events in {}", self.out.display());
        Ok(true)
    }
}
