//! `schedule plan`: the timeline as text, figures, JSON and picture.

use std::path::PathBuf;

use clap::Args;

use super::files::changed;
use super::source::{Read, Source, Span};
use crate::cli::print_json;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::schedule::diff::{self, diff};
use crate::schedule::excerpt::Excerpt;
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

    /// Leaves of `plan` what is meant; refuses names that nothing has.
    pub(super) fn narrow(&self, world: &World, plan: &mut Plan) -> anyhow::Result<()> {
        let Self { area, controller, programme } = self.clone();
        Ok(Excerpt { area, controller, programme }.narrow(world, plan)?)
    }
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
            say!("{from} to {to}\n\n{}", summary::text(&plan, &places));
            for area in &self.full {
                let mut one = whole.clone();
                Only::area(area).narrow(&read.world, &mut one)?;
                say!("\n{}", timeline::text(&one, zone, &places));
            }
        } else {
            say!("{}", timeline::text(&plan, zone, &places));
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
            say!("{}", diff::text(&differences, world.zone, &places));
        }
        Ok(true)
    }
}
