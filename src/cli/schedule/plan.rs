//! `schedule plan`: the timeline as text, figures, JSON and picture.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::files::changed;
use super::source::{Read, Source, Span, nearest};
use crate::cli::print_json;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::schedule::diff::{self, diff};
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
    /// Show what would change if these files (or folders) were imported, file by file by name.
    #[arg(long, num_args = 1.., conflicts_with_all = ["summary", "svg"])]
    diff: Vec<PathBuf>,
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
    pub(super) fn narrow(&self, world: &World, plan: &mut Plan) -> anyhow::Result<()> {
        self.known(world)?;
        let here = self.controllers(world);
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

    fn known(&self, world: &World) -> anyhow::Result<()> {
        if let Some(controller) = &self.controller {
            known_controller(world, controller)?;
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

/// Refuses a controller that is not there, with the nearest that are.
pub(in crate::cli) fn known_controller(
    world: &World,
    controller: &ControllerId,
) -> anyhow::Result<()> {
    if world.controllers.iter().any(|known| known.id == *controller) {
        return Ok(());
    }
    let near = nearest(controller.as_str(), world.controllers.iter().map(|c| c.id.as_str()));
    bail!("there is no controller `{controller}` (không có bộ thu này); near it: {near}")
}

/// Refuses an area that is not there, with the nearest that are.
pub(in crate::cli) fn known_area(world: &World, area: &AreaId) -> anyhow::Result<()> {
    if world.tree.get(area).is_some() {
        return Ok(());
    }
    let near = nearest(area.as_str(), world.tree.iter().map(|area| area.id.as_str()));
    bail!("there is no area `{area}` (không có địa bàn này); near it: {near}")
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let read = self.source.read().await?;
        let whole = self.span.plan(&read)?;
        let mut plan = whole.clone();
        self.only.narrow(&read.world, &mut plan)?;
        if !self.diff.is_empty() {
            return self.compare(&read, &plan).await;
        }
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
                Only::area(area).narrow(&read.world, &mut one)?;
                print!("\n{}", timeline::text(&one, zone, &places));
            }
        } else {
            print!("{}", timeline::text(&plan, zone, &places));
        }
        Ok(true)
    }

    /// What an import of other files would alter.
    async fn compare(&self, read: &Read, before: &Plan) -> anyhow::Result<bool> {
        let other = changed(&self.source, read, &self.diff).await?;
        let mut after = self.span.plan(&other)?;
        // An area or controller that the change takes away is no mistake here.
        let narrowed = self.only.narrow(&other.world, &mut after);
        narrowed.or_else(|_| {
            after = Plan::default();
            anyhow::Ok(())
        })?;
        let differences = diff(before, &after);
        // What is gone stands where it stood.
        let mut controllers = read.world.controllers.clone();
        controllers.extend(other.world.controllers.iter().cloned());
        let world = &other.world;
        let places = Places::new(&world.tree, &controllers);
        if self.json {
            let sums = diff::sums(&differences, &places);
            print_json(&serde_json::json!({ "differences": differences, "communes": sums }))?;
        } else {
            print!("{}", diff::text(&differences, world.zone, &places));
        }
        Ok(true)
    }
}
