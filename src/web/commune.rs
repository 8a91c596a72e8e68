//! A commune's page: its speakers, worst first, what plays, what comes, what is to be decided.

mod speaker;
mod town;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

pub(super) use town::{Looked, Town, town};

use crate::access::Action;
use crate::clock::utc_now;
use crate::fleet::Area;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::protocol::OrderCommand;
use crate::report::{Fate, Line, cause_vi};
use crate::schedule::{DecisionId, OpenDecision};
use crate::server::{Condition, ServerError};
use crate::time::Timestamp;
use crate::web::Site;
use crate::web::commune::speaker::Speaker;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::live::{self, Parts};
use crate::web::tongue::Tongue;

/// How far ahead the page looks for what a speaker holds: as far as a manifest reaches.
const AHEAD: Duration = Duration::from_hours(7 * 24);

/// Speakers on one page at most; a larger area shows its worst.
const SPEAKERS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "commune.html")]
struct Commune {
    frame: Frame,
    speakers: String,
    today: String,
    decisions: Vec<Question>,
    may_decide: bool,
    area: AreaId,
}

/// Two priority bulletins at one time.
struct Question {
    id: DecisionId,
    deadline: String,
    choices: Vec<(ProgrammeId, String, bool)>,
    speakers: usize,
}

#[derive(Template)]
#[template(path = "commune_speakers.html")]
struct Cards {
    tongue: Tongue,
    area: AreaId,
    speakers: Vec<Speaker>,
    hidden: usize,
    may_order: bool,
}

#[derive(Template)]
#[template(path = "commune_today.html")]
struct Today {
    tongue: Tongue,
    rows: Vec<Row>,
}

/// One programme at one time, over all speakers of the commune.
struct Row {
    at: String,
    now: bool,
    title: String,
    languages: String,
    total: usize,
    completed: usize,
    gaps: Vec<(String, usize)>,
}

/// The page.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
) -> Result<Response, Fault> {
    let (town, held) = watched(&site, &visitor, &area).await?;
    let parts = parts(&site, &town, &visitor, &area).await?;
    let [(_, speakers), (_, today)] = parts;
    let frame = Frame::new(&site, &visitor, held.name.clone()).live(format!("/areas/{area}/live"));
    let decisions = decisions(&site, &town, &area).await?;
    let may_decide = visitor.may(Action::Decide);
    Ok(frame::page(&Commune { frame, speakers, today, decisions, may_decide, area }))
}

/// Its parts, fresh.
pub(super) async fn live(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
) -> Result<Response, Fault> {
    watched(&site, &visitor, &area).await?;
    Ok(live::stream(site, move |site| {
        let (visitor, area) = (visitor.clone(), area.clone());
        async move {
            let town = town(&site).await?;
            Ok(Parts::from(parts(&site, &town, &visitor, &area).await?))
        }
    }))
}

/// The area, if it is there and the visitor watches it.
async fn watched(
    site: &Site,
    visitor: &Visitor,
    area: &AreaId,
) -> Result<(Arc<Town>, Area), Fault> {
    let town = town(site).await?;
    let held = town.schedule.tree.get(area).cloned();
    let held = held.ok_or_else(|| ServerError::NoArea(area.clone()))?;
    let who = visitor.who()?;
    let chain = town.schedule.tree.chain(area);
    who.duties.allow(who.person.id.as_str(), Action::Watch, &chain).map_err(ServerError::from)?;
    Ok((town, held))
}

async fn parts(
    site: &Site,
    town: &Town,
    visitor: &Visitor,
    area: &AreaId,
) -> Result<[(&'static str, String); 2], Fault> {
    let tongue = visitor.tongue;
    let mut ids = town.controllers(area);
    ids.sort_by_cached_key(|id| (town.health(id), town.condition(id).map(Condition::rank)));
    let hidden = ids.len().saturating_sub(SPEAKERS_MAX);
    ids.truncate(SPEAKERS_MAX);
    let now = utc_now();
    let zone = site.station.config.zone;
    let midnight = zone.midnight(zone.date(now));
    let (mut speakers, mut lines) = (Vec::new(), Vec::new());
    for id in &ids {
        let held = site.station.lines_at(id, midnight, now + AHEAD).await?;
        speakers.push(Speaker::new(town, id, &held, tongue, zone, now));
        lines.extend(held);
    }
    let tomorrow = midnight + Duration::from_hours(24);
    lines.retain(|line| line.at < tomorrow && line.fate != Fate::Dropped);
    let may_order = visitor.may(Action::Order);
    let area = area.clone();
    let speakers = Cards { tongue, area, speakers, hidden, may_order };
    let today = Today { tongue, rows: rows(site, town, &lines, tongue, now) };
    Ok([("speakers", frame::part(&speakers)?), ("today", frame::part(&today)?)])
}

/// The airings of today by time and programme.
fn rows(site: &Site, town: &Town, lines: &[Line], tongue: Tongue, now: Timestamp) -> Vec<Row> {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    let place = |line: &Line| (line.at, line.airing.programme.clone());
    sorted.sort_by_key(|line| place(line));
    sorted
        .chunk_by(|a, b| place(a) == place(b))
        .map(|same| row(site, town, same, tongue, now))
        .collect()
}

fn row(site: &Site, town: &Town, same: &[&Line], tongue: Tongue, now: Timestamp) -> Row {
    let names = &town.schedule.lists.languages;
    let mut languages: Vec<&str> = same
        .iter()
        .flat_map(|line| &line.languages)
        .map(|tag| tongue.say(names.vi(tag), names.en(tag)))
        .collect();
    languages.sort_unstable();
    languages.dedup();
    let mut gaps: Vec<(String, usize)> = Vec::new();
    let told = same.iter().filter(|line| !matches!(line.fate, Fate::Planned | Fate::Completed));
    for line in told {
        let words = fate_in_words(line, tongue);
        match gaps.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => gaps.push((words, 1)),
        }
    }
    let at = same.first().map_or(now, |line| line.at);
    let programme = same.first().map(|line| &line.airing.programme);
    let playing =
        |line: &&Line| town.playing(&line.airing.controller) == Some(line.airing.to_string());
    Row {
        at: site.station.config.zone.local(at).format("%H:%M:%S").to_string(),
        now: same.iter().any(playing),
        title: programme.map(|id| town.title(id)).unwrap_or_default(),
        languages: languages.join(", "),
        total: same.len(),
        completed: same.iter().filter(|line| line.fate == Fate::Completed).count(),
        gaps,
    }
}

fn fate_in_words(line: &Line, tongue: Tongue) -> String {
    let cause = line.cause.as_deref().unwrap_or_default();
    match tongue {
        Tongue::Vi if cause.is_empty() => line.fate.vi().to_owned(),
        Tongue::Vi => format!("{}: {}", line.fate.vi(), cause_vi(cause)),
        Tongue::En if cause.is_empty() => line.fate.as_str().to_owned(),
        Tongue::En => format!("{}: {cause}", line.fate.as_str()),
    }
}

async fn decisions(site: &Site, town: &Town, area: &AreaId) -> Result<Vec<Question>, Fault> {
    let below = town.schedule.tree.below(area);
    let open = site.station.open_decisions().await?;
    let here = open.into_iter().filter(|question| below.contains(question.decision.area()));
    let question = |open: OpenDecision| Question {
        choices: open
            .decision
            .pair()
            .iter()
            .map(|one| {
                let is_default = one.programme == open.default;
                (one.programme.clone(), town.title(&one.programme), is_default)
            })
            .collect(),
        deadline: open.deadline.to_string(),
        speakers: open.controllers.len(),
        id: open.decision,
    };
    Ok(here.map(question).collect())
}

/// A decision about an order of play.
#[derive(Deserialize)]
pub(super) struct Decided {
    decision: DecisionId,
    first: ProgrammeId,
    area: AreaId,
}

/// Decides which of two priority bulletins goes first.
pub(super) async fn decide(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(decided): Form<Decided>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    site.station.decide(&decided.decision, &decided.first, by).await?;
    Ok(Redirect::to(&format!("/areas/{}", decided.area)).into_response())
}

/// An order to one speaker.
#[derive(Deserialize)]
pub(super) struct Ordered {
    command: String,
    percent: Option<u8>,
    area: AreaId,
}

impl Ordered {
    fn command(&self) -> Option<OrderCommand> {
        Some(match (self.command.as_str(), self.percent) {
            ("stop", _) => OrderCommand::Stop {},
            ("selftest", _) => OrderCommand::Selftest {},
            ("report", _) => OrderCommand::Report {},
            ("volume", Some(percent @ 0..=100)) => OrderCommand::Volume { percent },
            _ => return None,
        })
    }
}

/// Gives an order.
pub(super) async fn order(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(ordered): Form<Ordered>,
) -> Result<Response, Fault> {
    let command = ordered.command().ok_or_else(|| {
        Fault::bad(
            "Lệnh phải là dừng, thử loa, báo cáo hoặc âm lượng từ 0 đến 100.",
            "An order is stop, selftest, report, or a volume of 0 to 100.",
        )
    })?;
    site.station.give_order(&controller, command, &visitor.who()?.person.id).await?;
    Ok(Redirect::to(&format!("/areas/{}#{controller}", ordered.area)).into_response())
}
