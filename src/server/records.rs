//! What the store has of one day and one bulletin: the evidence beside a plan.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::calendar::AiringKey;
use crate::clock::utc_now;
use crate::fleet::Controller;
use crate::id::{AreaId, BulletinId, ControllerId};
use crate::receipt::Outcome;
use crate::schedule::World;
use crate::schedule::excerpt::plan_days;
use crate::schedule::explain::{Answer, Evidence, Issued, Question, Silence, Step, Told, explain};
use crate::server::inquiry::Silences;
use crate::server::{ServerError, Station};
use crate::store::{AiringRow, OutcomeRow};
use crate::time::LocalDate;

/// What was heard, or why not, at one controller.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Which.
    pub controller: ControllerId,
    /// Where it stands.
    pub area: AreaId,
    /// What became of the bulletin there, and why.
    pub answer: Answer,
}

impl Station {
    /// What became of a bulletin on a day at each of these controllers of `world`, which is
    /// [`Station::world_on`] that day.
    pub async fn explain(
        &self,
        world: World,
        controllers: &[ControllerId],
        bulletin: &BulletinId,
        date: LocalDate,
    ) -> Result<Vec<Explained>, ServerError> {
        let begin = date.min(self.config.zone.date(utc_now()));
        let planned = tokio::task::spawn_blocking(move || {
            let plan = plan_days(&world, begin, (date, date));
            plan.map(|plan| (world, plan))
        });
        let planned = planned.await.map_err(|error| ServerError::Task(error.to_string()))?;
        let (world, plan) = planned?;
        let records = Records::of(self, bulletin, date).await?;
        let mut all = Vec::new();
        for id in controllers {
            let held = world.controllers.iter().find(|held| held.id == *id);
            let controller = held.ok_or_else(|| ServerError::UnknownController(id.clone()))?;
            let now = utc_now();
            let question = Question { world: &world, plan: &plan, controller, bulletin, date, now };
            let answer = explain(&question, &records.evidence(controller).await?);
            let (controller, area) = (id.clone(), controller.area.clone());
            all.push(Explained { controller, area, answer });
        }
        Ok(all)
    }
}

/// What the store has of that day and that bulletin.
#[derive(Debug)]
pub struct Records<'a> {
    station: &'a Station,
    bulletin: &'a BulletinId,
    title: Option<String>,
    date: LocalDate,
    airings: Vec<AiringRow>,
    outcomes: Vec<OutcomeRow>,
    life: Vec<Step>,
    silences: Silences,
}

impl<'a> Records<'a> {
    /// Reads it.
    pub async fn of(
        station: &'a Station,
        bulletin: &'a BulletinId,
        date: LocalDate,
    ) -> Result<Self, ServerError> {
        let zone = station.config.zone;
        let (from, until) = (zone.midnight(date), zone.midnight(date.plus_days(1)));
        let day = date.to_string();
        let asked = BTreeSet::from([bulletin.clone()]);
        let title = station.store.bulletin_titles(&asked).await?.remove(bulletin);
        let facts = station.store.facts_about_bulletin(bulletin).await?;
        let life = facts.into_iter().map(|fact| Step {
            at: fact.at,
            position: fact.position,
            kind: fact.kind,
            who: fact.who,
            body: fact.body,
        });
        Ok(Self {
            station,
            bulletin,
            title: title.map(|title| title.to_string()),
            date,
            airings: station.store.airings(from, until).await?,
            outcomes: station.store.outcomes(&day, &day).await?,
            life: life.collect(),
            silences: Silences::of(station.store.device_turns().await?),
        })
    }

    /// What is known of one controller.
    pub async fn evidence(&self, controller: &Controller) -> Result<Evidence, ServerError> {
        let positions = self.station.store.manifest_positions(&controller.id).await?;
        let id = &controller.id;
        let gone_by = self.station.store.manifests_gone_by(id, &self.date.to_string()).await?;
        let held = |key: &AiringKey| {
            let number = *gone_by.get(key)?;
            Some((number, positions.get(&number).copied().flatten()))
        };
        let mine = self
            .airings
            .iter()
            .filter(|row| row.key.controller == controller.id && row.key.date == self.date);
        let issued = mine.map(|row| Issued {
            airing: row.key.clone(),
            at: row.at,
            latest: row.latest,
            manifest: row.manifest,
            position: positions.get(&row.manifest).copied().flatten(),
            held: held(&row.key),
            dropped: row.dropped,
            languages: row
                .items
                .iter()
                .filter(|item| item.bulletin == *self.bulletin)
                .map(|item| item.language.clone())
                .collect(),
        });
        let outcomes = self.outcomes.iter().filter(|row| row.key.controller == controller.id);
        let statuses = self.station.store.statuses().await?;
        let status = statuses.iter().find(|row| row.status.controller == controller.id);
        let issued: Vec<Issued> = issued.collect();
        let noon = self.station.config.zone.midnight(self.date) + Duration::from_hours(12);
        let at = issued.first().map_or(noon, |issued| issued.at);
        let because = self.silences.why(&controller.id, at);
        Ok(Evidence {
            title: self.title.clone(),
            issued,
            told: outcomes.flat_map(|row| self.told(row)).collect(),
            life: self.life.clone(),
            link: status.map(|row| (row.seen, row.is_lost(utc_now()))),
            silence: because.map(|because| Silence {
                cause: because.cause,
                at: because.at,
                position: because.entry,
            }),
        })
    }

    fn told(&self, row: &OutcomeRow) -> Vec<Told> {
        let items = row.items.iter().filter(|item| item.bulletin == *self.bulletin);
        let told = items.map(|item| Told {
            airing: row.key.clone(),
            language: item.language.clone(),
            whole: item.outcome == Outcome::Completed,
            outcome: item.outcome.as_str().to_owned(),
            cause: if item.outcome == Outcome::Completed {
                String::new()
            } else {
                row.cause.clone()
            },
            evidence: row.evidence.clone(),
            begun: row.begun,
            position: row.position,
        });
        told.collect()
    }
}
