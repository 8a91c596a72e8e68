//! `explain`: why a village did not hear a bulletin, or when it did.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::Args;

use crate::cli::print_json;
use crate::cli::schedule::{Read, Source, one_day};
use crate::clock::utc_now;
use crate::fleet::Controller;
use crate::id::{AreaId, BulletinId, ControllerId};
use crate::schedule::excerpt::{known_area, known_controller, nearest};
use crate::schedule::explain::{Answer, Evidence, Question, explain, text};
use crate::schedule::{Plan, World};
use crate::server::Records;
use crate::time::LocalDate;

/// Answers in full at most; of more only the sentences, each with who it holds for.
const FULL_MAX: usize = 3;

/// Say why a village did not hear a bulletin on a day, or when it did.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("who").required(true).args(["village", "controller"])))]
pub(super) struct Explain {
    #[command(flatten)]
    source: Source,
    /// The village; of a commune or province every controller in it.
    #[arg(long)]
    village: Option<AreaId>,
    /// One controller.
    #[arg(long)]
    controller: Option<ControllerId>,
    /// The bulletin.
    #[arg(long)]
    bulletin: BulletinId,
    /// The local date, such as 2026-11-23.
    #[arg(long)]
    date: LocalDate,
    /// One JSON object a line, one line a controller.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let read = self.source.read_on(self.date).await?;
        let controllers = self.controllers(&read.world)?;
        self.known_bulletin(&read.world)?;
        let plan = one_day(&read, self.date)?;
        let records = match &read.station {
            Some(station) => Some(Records::of(station, &self.bulletin, self.date).await?),
            None => None,
        };
        let mut answers = Vec::new();
        for controller in controllers {
            let evidence = match &records {
                Some(records) => records.evidence(controller).await?,
                None => Evidence::default(),
            };
            answers.push((controller, self.answer(&read, &plan, controller, &evidence)));
        }
        self.print(&read, &answers)?;
        Ok(true)
    }

    fn answer(
        &self,
        read: &Read,
        plan: &Plan,
        controller: &Controller,
        evidence: &Evidence,
    ) -> Answer {
        let (world, bulletin, date, now) = (&read.world, &self.bulletin, self.date, utc_now());
        explain(&Question { world, plan, controller, bulletin, date, now }, evidence)
    }

    fn controllers<'w>(&self, world: &'w World) -> anyhow::Result<Vec<&'w Controller>> {
        let all = world.controllers.iter();
        if let Some(only) = &self.controller {
            known_controller(world, only)?;
            return Ok(all.filter(|controller| controller.id == *only).collect());
        }
        let area = self.village.as_ref().expect("clap wants a village or a controller");
        known_area(world, area)?;
        let below = world.tree.below(area);
        let found: Vec<&Controller> = all.filter(|c| below.contains(&c.area)).collect();
        if found.is_empty() {
            bail!(
                "no controller stands in `{area}`, so nothing is ever heard there; add a \
                 [[controller]] with area = \"{area}\" (chưa có bộ thu nào ở đây)"
            );
        }
        Ok(found)
    }

    fn known_bulletin(&self, world: &World) -> anyhow::Result<()> {
        if world.content.iter().any(|airable| airable.bulletin == self.bulletin) {
            return Ok(());
        }
        let known = world.content.iter().map(|airable| airable.bulletin.as_str());
        let near = nearest(self.bulletin.as_str(), known);
        bail!("there is no bulletin `{}` (không có bản tin này); near it: {near}", self.bulletin)
    }

    fn print(&self, read: &Read, answers: &[(&Controller, Answer)]) -> anyhow::Result<()> {
        if self.json {
            for (controller, answer) in answers {
                print_json(&serde_json::json!({
                    "controller": controller.id, "area": controller.area,
                    "bulletin": self.bulletin, "date": self.date, "answer": answer,
                }))?;
            }
            return Ok(());
        }
        if answers.len() <= FULL_MAX {
            for (controller, answer) in answers {
                say_line!("{}", controller.id);
                say!("{}", text(answer, read.world.zone));
            }
            return Ok(());
        }
        let mut verdicts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (controller, answer) in answers {
            let verdict = serde_json::to_string(&answer.verdict)?;
            verdicts.entry(verdict).or_default().push(controller.id.as_str());
        }
        for (verdict, controllers) in verdicts {
            let (count, first) = (controllers.len(), controllers[0]);
            say_line!("{count:>5}  {verdict}");
            say_line!("       such as `--controller {first}`");
        }
        Ok(())
    }
}
