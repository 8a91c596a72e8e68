//! The first page: every commune that a visitor watches, worst first; and what machines ask.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::access::Action;
use crate::bulletin::version::{Version, Voice};
use crate::clock::utc_now;
use crate::fleet::Level;
use crate::id::AreaId;
use crate::server::Health;
use crate::web::Site;
use crate::web::commune::{Town, town};
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// How far the machine's summary looks back and ahead.
const AROUND: Duration = Duration::from_hours(24);

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    communes: Vec<Card>,
    /// Sentences about recordings that are not what they stand for.
    stand_ins: Vec<String>,
}

struct Card {
    area: AreaId,
    name: String,
    total: usize,
    good: usize,
    warn: usize,
    bad: usize,
}

impl Card {
    fn class(&self) -> &'static str {
        match (self.bad, self.warn) {
            (1.., _) => "bad",
            (0, 1..) => "warn",
            (0, 0) => "good",
        }
    }
}

/// Every commune that the visitor watches.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let town = town(&site).await?;
    let who = visitor.who()?;
    let title = visitor.tongue.say("Loa các xã", "Loudspeakers by commune");
    let watched = |area: &AreaId| {
        let chain = town.schedule.tree.chain(area);
        who.duties.allow(who.person.id.as_str(), Action::Watch, &chain).is_ok()
    };
    let stand_ins = stand_ins(&site, &town, visitor.tongue).await?;
    Ok(frame::page(&Overview {
        stand_ins,
        frame: Frame::new(&site, &visitor, title),
        communes: cards(&town).into_iter().filter(|card| watched(&card.area)).collect(),
    }))
}

fn cards(town: &Town) -> Vec<Card> {
    let tree = &town.schedule.tree;
    let mut cards: BTreeMap<&AreaId, Card> = BTreeMap::new();
    for controller in &town.schedule.controllers {
        let commune = tree.commune(&controller.area);
        let Some(area) = tree.get(commune) else { continue };
        let card = cards.entry(commune).or_insert_with(|| {
            let (area, name) = (area.id.clone(), area.name.clone());
            Card { area, name, total: 0, good: 0, warn: 0, bad: 0 }
        });
        card.total += 1;
        match town.health(&controller.id) {
            Health::Good | Health::Maintained => card.good += 1,
            Health::Warn => card.warn += 1,
            Health::Bad => card.bad += 1,
        }
    }
    // A commune without a speaker is one that nobody can reach.
    let communes = tree.iter().filter(|area| area.level == Level::Commune);
    for area in communes.filter(|area| !cards.contains_key(&area.id)).collect::<Vec<_>>() {
        let (id, name) = (area.id.clone(), area.name.clone());
        cards.insert(&area.id, Card { area: id, name, total: 0, good: 0, warn: 0, bad: 0 });
    }
    let mut cards: Vec<Card> = cards.into_values().collect();
    cards.sort_by(|a, b| (b.bad, b.warn, &a.name).cmp(&(a.bad, a.warn, &b.name)));
    cards
}

async fn stand_ins(site: &Site, town: &Town, tongue: Tongue) -> Result<Vec<String>, Fault> {
    let names = &town.schedule.lists.languages;
    let sentence = |version: &Version| {
        let content = version.content()?;
        let what = match content.spoken.voice {
            Voice::Human => return None,
            Voice::Synthetic => tongue.say("giọng tổng hợp", "a synthetic voice"),
            Voice::StandIn => tongue.say(
                "bản thay thế tổng hợp, không phải tiếng nói thật của ngôn ngữ này",
                "a synthetic stand-in, not real speech in this language",
            ),
        };
        let language = &content.text.language;
        let language = tongue.say(names.vi(language), names.en(language));
        Some(format!("{} – {language}: {what}", content.text.bulletin))
    };
    Ok(site.station.store.versions().await?.iter().filter_map(sentence).collect())
}

/// The last and the next day for machines.
pub(super) async fn status(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let who = visitor.who()?;
    who.duties
        .allow(who.person.id.as_str(), Action::Watch, &[])
        .map_err(crate::server::ServerError::from)?;
    let now = utc_now();
    let summary = site.station.summary(now - AROUND, now + AROUND).await?;
    Ok(axum::Json(summary).into_response())
}

/// Whether this process answers at all.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Whether the database answers too.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    match site.station.store.get("net").await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}
