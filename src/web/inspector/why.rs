//! "Why did this village not hear that?": the question, and the answer for each controller with
//! the facts that it follows from.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::{BulletinId, ControllerId};
use crate::schedule::World;
use crate::schedule::excerpt::Excerpt;
use crate::schedule::explain::{Answer, Verdict, Words};
use crate::server::{Explained, ServerError};
use crate::time::{LocalDate, Zone};
use crate::web::Site;
use crate::web::commune::may_here;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::airings::newest;
use crate::web::inspector::scope::{Choice, Scope, busy, word};
use crate::web::tongue::Tongue;

/// Controllers that one question is answered for at most: those of a commune.
const ANSWERS_MAX: usize = 200;

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    area: String,
    place: String,
    controller: String,
    bulletin: String,
    date: String,
}

#[derive(Template)]
#[template(path = "inspector/why.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    areas: Vec<Choice>,
    whole: bool,
    offered: Vec<String>,
    bulletins: Vec<Choice>,
    controller: String,
    date: String,
    /// What was asked, once it was.
    asked: Option<String>,
    day: String,
    heard: usize,
    answers: Vec<Told>,
}

struct Told {
    controller: ControllerId,
    place: String,
    class: &'static str,
    sentence: String,
    facts: Vec<Fact>,
    mend: Vec<String>,
}

struct Fact {
    at: String,
    words: String,
    entry: Option<u64>,
}

/// The page; with an answer where a bulletin and a day are named.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let scope = Scope::of(&site, &visitor, (&asked.area, &asked.place)).await?;
    let tongue = visitor.tongue;
    let today = site.station.config.zone.date(utc_now());
    let date: LocalDate = word(&asked.date)?.unwrap_or(today);
    let bulletin: Option<BulletinId> = word(&asked.bulletin)?;
    let mut answers = match &bulletin {
        Some(bulletin) => answer(&site, &visitor, &scope, &asked, (bulletin, date)).await?,
        None => Vec::new(),
    };
    // Who missed it comes first: that is what was asked.
    answers.sort_by_key(|one| matches!(one.answer.verdict, Verdict::Heard));
    let heard = answers.iter().filter(|one| one.answer.verdict == Verdict::Heard).count();
    let zone = site.station.config.zone;
    let bulletins = site.station.store.bulletins().await?;
    let title = tongue.say("Vì sao thôn bản không nghe?", "Why did a village not hear it?");
    let told = answers.into_iter().map(|one| told(&scope, one, zone, tongue)).collect();
    let title_of = bulletin.map(|id| {
        let held = bulletins.iter().find(|held| held.id == id);
        held.map_or_else(|| id.to_string(), |held| held.title.to_string())
    });
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, title),
        tabs: super::tabs(&visitor),
        bulletins: newest(&bulletins, &asked.bulletin),
        controller: asked.controller,
        day: date.naive().format("%d/%m/%Y").to_string(),
        date: date.to_string(),
        asked: title_of,
        heard,
        answers: told,
        whole: scope.whole,
        offered: scope.offered,
        areas: scope.choices,
    }))
}

async fn answer(
    site: &Site,
    visitor: &Visitor,
    scope: &Scope,
    asked: &Asked,
    (bulletin, date): (&BulletinId, LocalDate),
) -> Result<Vec<Explained>, Fault> {
    site.station.bulletin(bulletin).await?;
    let _place = site.heavy().await.ok_or_else(busy)?;
    let today = site.station.config.zone.date(utc_now());
    let world = site.station.world_on(date.min(today)).await?;
    let controllers = meant(&world, scope, asked)?;
    for id in &controllers {
        let held = world.controllers.iter().find(|held| held.id == *id);
        let area = held.ok_or_else(|| ServerError::UnknownController(id.clone()))?.area.clone();
        if !may_here(&scope.town, visitor, Action::Watch, &area) {
            return Err(Fault::denied(Action::Watch));
        }
    }
    Ok(site.station.explain(world, &controllers, bulletin, date).await?)
}

/// The controllers that are asked about.
fn meant(world: &World, scope: &Scope, asked: &Asked) -> Result<Vec<ControllerId>, Fault> {
    if let Some(controller) = word(&asked.controller)? {
        return Ok(vec![controller]);
    }
    let excerpt = Excerpt { area: scope.area.clone(), ..Excerpt::default() };
    let all: Vec<ControllerId> = excerpt.controllers(world).into_iter().collect();
    if all.len() > ANSWERS_MAX {
        return Err(Fault::bad(
            "Địa bàn này có hơn 200 bộ thu; hãy chọn một xã.",
            "This area has more than 200 controllers; choose a commune.",
        ));
    }
    if all.is_empty() {
        return Err(Fault::bad(
            "Chưa có bộ thu nào ở địa bàn này, nên chưa ai nghe được gì.",
            "No controller stands in this area, so nothing is ever heard there.",
        ));
    }
    Ok(all)
}

fn told(scope: &Scope, one: Explained, zone: Zone, tongue: Tongue) -> Told {
    let say = |words: Words| match tongue {
        Tongue::Vi => words.vi,
        Tongue::En => words.en,
    };
    let Answer { verdict, sentence, facts, mend } = one.answer;
    let fact = |fact: crate::schedule::explain::Fact| Fact {
        at: fact
            .at
            .map(|at| zone.local(at).format("%d/%m %H:%M:%S").to_string())
            .unwrap_or_default(),
        entry: fact.log_index,
        words: say(fact.words),
    };
    Told {
        controller: one.controller,
        place: scope.village(&one.area),
        class: class(&verdict),
        sentence: say(sentence),
        facts: facts.into_iter().map(fact).collect(),
        mend: mend.into_iter().map(say).collect(),
    }
}

fn class(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Heard => "good",
        Verdict::ToCome | Verdict::NotChosen | Verdict::NoProgramme => "kept",
        Verdict::Awaited | Verdict::Dropped | Verdict::NotIssued | Verdict::NoBulletin => "warn",
        Verdict::NotPlayed { .. } | Verdict::Refused { .. } => "bad",
    }
}
