//! "What will this village hear today?": every airing with what is in it, and why anything does not
//! air; and of one bulletin, whether it is heard there and why not.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId};
use crate::schedule::excerpt::plan_days;
use crate::schedule::explain::{Question, Words, explain};
use crate::schedule::{Airing, Places, Plan, Remark, World, timeline};
use crate::server::{Records, ServerError};
use crate::time::{LocalDate, TimeOfDay};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::Ground;
use crate::web::programme::form::Choice;
use crate::web::programme::named::bulletin_choices;
use crate::web::programme::{named, week, words};
use crate::web::tongue::Tongue;

/// Days ahead that can be asked about: as far as manifests reach.
const AHEAD: i64 = 7;

/// Loudspeakers that are told of one by one at most; of a larger area, the first.
const SPEAKERS_MAX: usize = 60;

#[derive(Template)]
#[template(path = "village.html")]
struct Page {
    frame: Frame,
    area: String,
    date: LocalDate,
    first: LocalDate,
    last: LocalDate,
    day: String,
    areas: Vec<Choice>,
    bulletins: Vec<Choice>,
    bulletin: String,
    /// Why nothing is told of the bulletin that was asked for.
    wrong: Option<String>,
    airings: Vec<Heard>,
    silent: Vec<(String, String)>,
    picture: String,
    answer: Option<Answered>,
    speakers: usize,
}

/// One airing.
struct Heard {
    time: String,
    until: String,
    title: String,
    places: String,
    items: Vec<String>,
}

/// Whether a bulletin is heard, in words.
struct Answered {
    sentence: String,
    facts: Vec<String>,
    mend: Vec<String>,
}

/// Where, when, and perhaps what.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    area: String,
    #[serde(default)]
    date: String,
    #[serde(default)]
    bulletin: String,
}

/// What a place hears on a day.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let (zone, tongue) = (site.station.config.zone, visitor.tongue);
    let today = zone.date(utc_now());
    let last = today.plus_days(AHEAD);
    let date: LocalDate = asked.date.parse().unwrap_or(today).clamp(today, last);
    let areas = week::areas(&ground.schedule);
    let area = asked.area.parse::<AreaId>().ok();
    let area = area.filter(|area| ground.schedule.tree.get(area).is_some());
    let area = area.or_else(|| ground.schedule.controllers.first().map(|held| held.area.clone()));
    let area = area.ok_or_else(|| {
        Fault::bad("Chưa có cụm loa nào trong lịch.", "No speaker is in the schedule yet.")
    })?;
    let (world, plan) = planned(&site, &area, (today, date)).await?;
    let view = View { world: &world, plan: &plan, ground: &ground, tongue };
    let asked = asked.bulletin.trim();
    let meant = (!asked.is_empty()).then(|| named::meant(asked, &ground.bulletins));
    let (answer, wrong) = match meant {
        Some(Ok(bulletin)) => (view.answer(&site, &bulletin, date).await?, None),
        Some(Err(wrong)) => (None, Some(wrong.say(tongue).to_owned())),
        None => (None, None),
    };
    let name = ground.schedule.tree.get(&area).map(|held| held.name.clone()).unwrap_or_default();
    let title = tongue.say("Nơi này nghe gì", "What is heard");
    let places = Places::new(&world.tree, &world.controllers);
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, format!("{title}: {name}")),
        area: area.to_string(),
        date,
        first: today,
        last,
        day: words::day(date, tongue),
        areas,
        bulletins: bulletin_choices(&ground.bulletins, tongue),
        bulletin: named::by_name(asked, &ground.bulletins),
        wrong,
        airings: view.airings(),
        silent: view.silent(),
        picture: timeline::svg(&plan, zone, &places),
        answer,
        speakers: world.controllers.len(),
    }))
}

/// The plan of one day for the speakers of a place.
async fn planned(
    site: &Site,
    area: &AreaId,
    (today, date): (LocalDate, LocalDate),
) -> Result<(World, Plan), Fault> {
    let outlook = super::outlook(site).await?;
    let world = Arc::clone(outlook.world());
    let area = area.clone();
    let work = move || {
        let below: BTreeSet<AreaId> = world.tree.below(&area).into_iter().collect();
        let mut here = World::clone(&world);
        here.controllers.retain(|controller| below.contains(&controller.area));
        here.controllers.truncate(SPEAKERS_MAX);
        let plan = plan_days(&here, today, (date, date));
        plan.map(|plan| (here, plan)).map_err(|error| ServerError::Task(error.to_string()))
    };
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| ServerError::Task(error.to_string()))??)
}

struct View<'a> {
    world: &'a World,
    plan: &'a Plan,
    ground: &'a Ground,
    tongue: Tongue,
}

impl View<'_> {
    fn title(&self, id: &crate::id::ProgrammeId) -> String {
        let held = self.world.programmes.iter().find(|held| held.id == *id);
        held.map_or_else(|| id.to_string(), |held| held.title.clone())
    }

    /// The airings in order of time, those that are the same in several villages once.
    fn airings(&self) -> Vec<Heard> {
        let places = Places::new(&self.world.tree, &self.world.controllers);
        let mut sorted: Vec<&Airing> = self.plan.airings.iter().collect();
        sorted.sort_by_key(|airing| (airing.at, airing.key.clone()));
        let mut heard: Vec<(Heard, BTreeSet<String>)> = Vec::new();
        let clock = |at| TimeOfDay::of(self.world.zone.local(at)).to_string();
        for airing in sorted {
            let (time, title) = (clock(airing.at), self.title(&airing.key.programme));
            let items: Vec<String> = airing.items.iter().map(|item| self.item(item)).collect();
            let place = places.name(&airing.key.controller).to_owned();
            let same = heard
                .iter_mut()
                .find(|(held, _)| held.time == time && held.title == title && held.items == items);
            if let Some((_, places)) = same {
                places.insert(place);
                continue;
            }
            let until = clock(airing.ends);
            let places = String::new();
            heard.push((Heard { time, until, title, places, items }, BTreeSet::from([place])));
        }
        let told = |(mut held, places): (Heard, BTreeSet<String>)| {
            held.places = places.into_iter().collect::<Vec<_>>().join(", ");
            held
        };
        heard.into_iter().map(told).collect()
    }

    fn item(&self, item: &crate::schedule::Item) -> String {
        let names = &self.ground.schedule.lists.languages;
        let held = self.ground.bulletins.iter().find(|held| held.id == item.bulletin);
        let title = held.map_or_else(|| item.bulletin.to_string(), |held| held.title.to_string());
        let heard = words::language(names, &item.language, self.tongue);
        if item.language == item.wished {
            return format!("{title} ({heard})");
        }
        let wished = words::language(names, &item.wished, self.tongue);
        format!("{title} ({heard}, {} {wished})", self.tongue.say("thay cho", "in place of"))
    }

    /// What does not air and why, each reason once.
    fn silent(&self) -> Vec<(String, String)> {
        let mut told: Vec<(String, String)> = Vec::new();
        for remark in self.plan.remarks.iter().filter(|remark| remark.key.is_some()) {
            let said = (self.title(&remark.programme), self.reason(remark));
            if !told.contains(&said) {
                told.push(said);
            }
        }
        told
    }

    fn reason(&self, remark: &Remark) -> String {
        let names = &self.ground.schedule.lists.languages;
        let mut about: Vec<String> = Vec::new();
        if let Some(id) = &remark.bulletin {
            let held = self.ground.bulletins.iter().find(|held| held.id == *id);
            about.push(held.map_or_else(|| id.to_string(), |held| held.title.to_string()));
        }
        if let Some(tag) = &remark.language {
            about.push(words::language(names, tag, self.tongue));
        }
        let reason = match self.tongue {
            Tongue::Vi => remark.reason.vi(),
            Tongue::En => remark.reason.to_string(),
        };
        if about.is_empty() { reason } else { format!("{}: {reason}", about.join(", ")) }
    }

    /// Whether the first speaker of the place airs the bulletin, and why not.
    async fn answer(
        &self,
        site: &Site,
        bulletin: &BulletinId,
        date: LocalDate,
    ) -> Result<Option<Answered>, Fault> {
        let Some(controller) = self.world.controllers.first() else { return Ok(None) };
        let evidence = Records::of(&site.station, bulletin, date).await?;
        let evidence = evidence.evidence(controller).await?;
        let (world, plan, now) = (self.world, self.plan, utc_now());
        let question = Question { world, plan, controller, bulletin, date, now };
        let answer = explain(&question, &evidence);
        let say = |words: &Words| self.tongue.say(&words.vi, &words.en).to_owned();
        Ok(Some(Answered {
            sentence: say(&answer.sentence),
            facts: answer.facts.iter().map(|fact| say(&fact.words)).collect(),
            mend: answer.mend.iter().map(say).collect(),
        }))
    }
}
