//! `schedule plan`: the timeline as text, figures, JSON and picture.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::source::{Read, Source, Span, nearest};
use crate::cli::print_json;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::schedule::{Places, Plan, World, summary, timeline};
use crate::vault::write_atomic;

/// Shows a plan.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    only: Only,
    /// Figures per commune and reasons per programme, with the digest of the whole plan.
    #[arg(long)]
    summary: bool,
    /// With --summary: this area in full too; may be given more than once.
    #[arg(long, requires = "summary")]
    full: Vec<AreaId>,
    /// One JSON object.
    #[arg(long, conflicts_with = "summary")]
    json: bool,
    /// Draw the plan into this file too.
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// What of a plan is shown.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Only {
    /// Only this area and those below it.
    #[arg(long)]
    area: Option<AreaId>,
    /// Only this controller.
    #[arg(long)]
    controller: Option<ControllerId>,
    /// Only this programme.
    #[arg(long)]
    programme: Option<ProgrammeId>,
}

impl Only {
    /// Only an area.
    pub(super) fn area(area: &AreaId) -> Self {
        Self { area: Some(area.clone()), ..Self::default() }
    }

    /// Whether nothing was named.
    pub(super) fn is_all(&self) -> bool {
        self.area.is_none() && self.controller.is_none() && self.programme.is_none()
    }

    /// Leaves of `plan` what is meant; refuses names that nothing has.
    pub(super) fn narrow(&self, read: &Read, plan: &mut Plan) -> anyhow::Result<()> {
        self.known(read)?;
        let here = self.controllers(&read.world);
        let programme = |id: &ProgrammeId| self.programme.as_ref().is_none_or(|only| only == id);
        plan.airings.retain(|airing| {
            here.contains(&airing.key.controller) && programme(&airing.key.programme)
        });
        plan.remarks.retain(|remark| {
            let about = remark.key.as_ref().map(|key| &key.controller);
            about.map_or(self.is_all(), |controller| here.contains(controller))
                && programme(&remark.programme)
        });
        Ok(())
    }

    fn known(&self, Read { world, .. }: &Read) -> anyhow::Result<()> {
        if let Some(controller) = &self.controller
            && world.controllers.iter().all(|known| known.id != *controller)
        {
            let known = world.controllers.iter().map(|known| known.id.as_str());
            let near = nearest(controller.as_str(), known);
            bail!("there is no controller `{controller}`; near it: {near}");
        }
        if let Some(programme) = &self.programme
            && world.programmes.iter().all(|known| known.id != *programme)
        {
            let known = world.programmes.iter().map(|known| known.id.as_str());
            let near = nearest(programme.as_str(), known);
            bail!("there is no programme `{programme}`; near it: {near}");
        }
        self.area.as_ref().map_or(Ok(()), |area| known_area(world, area))
    }

    fn controllers(&self, world: &World) -> BTreeSet<ControllerId> {
        let areas = self.area.as_ref().map(|area| world.tree.below(area));
        let areas: Option<BTreeSet<AreaId>> = areas.map(|areas| areas.into_iter().collect());
        let here = world.controllers.iter().filter(|controller| {
            areas.as_ref().is_none_or(|areas| areas.contains(&controller.area))
                && self.controller.as_ref().is_none_or(|only| *only == controller.id)
        });
        here.map(|controller| controller.id.clone()).collect()
    }
}

/// Refuses an area that is not there, with the nearest that are.
pub(super) fn known_area(world: &World, area: &AreaId) -> anyhow::Result<()> {
    if world.tree.get(area).is_some() {
        return Ok(());
    }
    let near = nearest(area.as_str(), world.tree.iter().map(|area| area.id.as_str()));
    bail!("there is no area `{area}`; near it: {near}")
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let read = self.source.read().await?;
        let whole = self.span.plan(&read)?;
        let mut plan = whole.clone();
        self.only.narrow(&read, &mut plan)?;
        let (zone, places) =
            (read.world.zone, Places::new(&read.world.tree, &read.world.controllers));
        if let Some(path) = &self.svg {
            write_atomic(path, timeline::svg(&plan, zone, &places).as_bytes())?;
        }
        if self.json {
            print_json(&plan)?;
        } else if self.summary {
            let (from, to) = self.span.days(zone);
            print!("{from} to {to}\n\n{}", summary::text(&plan, &places));
            for area in &self.full {
                let mut one = whole.clone();
                Only::area(area).narrow(&read, &mut one)?;
                print!("\n{}", timeline::text(&one, zone, &places));
            }
        } else {
            print!("{}", timeline::text(&plan, zone, &places));
        }
        Ok(true)
    }
}
