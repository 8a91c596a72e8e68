//! A commune's page: its speakers, worst first, what plays, what comes, what is to be decided.

mod attend;
mod map;
mod question;
mod speaker;
#[cfg(test)]
mod tests;
mod titles;
mod tone;
mod town;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

pub(super) use attend::{acknowledge, maintain, order};
pub(super) use question::{ask, form as question_form, languages, villages};
pub(super) use town::{Asked as OpenOrders, Looked, Town, town};

use crate::access::Action;
use crate::clock::utc_now;
use crate::fleet::Area;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::report::{Fate, Line, cause_vi};
use crate::schedule::{DecisionId, OpenDecision};
use crate::server::{Condition, Health, ServerError};
use crate::time::Timestamp;
use crate::web::Site;
use crate::web::commune::speaker::Speaker;
use crate::web::commune::titles::{Named, Titles};
use crate::web::commune::tone::Tone;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::live::{self, Parts};
use crate::web::tongue::Tongue;

/// How far ahead the page looks for what a speaker holds: as far as a manifest reaches.
const AHEAD: Duration = Duration::from_hours(7 * 24);

/// Speakers on one page at most; a larger area has more pages, the worst on the first.
const SPEAKERS_MAX: usize = 40;

/// Marks on a map at most: more would hide each other.
const MARKS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "commune.html")]
struct Commune {
    frame: Frame,
    speakers: String,
    map: String,
    today: String,
    decisions: Vec<Question>,
    may_decide: bool,
    may_ask: bool,
    may_announce: bool,
    /// What was just done, in a sentence.
    told: Option<&'static str>,
    area: AreaId,
}

/// Which part of a large area, and what was just done.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Asked {
    page: Option<usize>,
    told: Option<String>,
}

#[derive(Template)]
#[template(path = "commune_map.html")]
struct Plot {
    tongue: Tongue,
    map: Option<map::Map>,
    /// The speakers that have a position, by id and by name, and the first position: told where
    /// there is no picture of them.
    placed: Vec<(ControllerId, String)>,
    position: String,
    hidden: usize,
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
    /// Speakers in words: how many there are, and how many are in need.
    total: usize,
    bad: usize,
    warn: usize,
    kept: usize,
    good: usize,
    page: usize,
    pages: usize,
    may_order: bool,
    may_attend: bool,
}

#[derive(Template)]
#[template(path = "commune_today.html")]
struct Today {
    tongue: Tongue,
    rows: Vec<Row>,
    /// Whether these are the airings of all speakers of the area.
    whole: bool,
}

/// One programme at one time, over all speakers of the commune.
struct Row {
    at: String,
    now: bool,
    title: String,
    /// The airing's own page, where the visitor may open it.
    page: Option<String>,
    bulletins: Vec<Named>,
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
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let (town, held) = watched(&site, &visitor, &area).await?;
    let page = asked.page.unwrap_or(1).max(1);
    let [(_, speakers), (_, map), (_, today)] = parts(&site, &town, &visitor, &area, page).await?;
    let live = format!("/areas/{area}/live?page={page}");
    let frame = Frame::new(&site, &visitor, held.name.clone()).live(live);
    let decisions = decisions(&site, &town, &area).await?;
    let may = |action| may_here(&town, &visitor, action, &area);
    let (may_decide, may_ask) = (may(Action::Decide), may(Action::TakeQuestion));
    let may_announce = may(Action::Announce);
    let told = asked.told.and_then(|told| done(&told, visitor.tongue));
    Ok(frame::page(&Commune {
        frame,
        speakers,
        map,
        today,
        decisions,
        may_decide,
        may_ask,
        may_announce,
        told,
        area,
    }))
}

/// What was done, in a sentence.
fn done(told: &str, tongue: Tongue) -> Option<&'static str> {
    Some(match told {
        "order" => tongue.say(
            "Đã gửi lệnh; loa làm trong vài giây khi có mạng.",
            "The order was sent; the speaker obeys within seconds when it is in touch.",
        ),
        "care" => tongue.say("Đã ghi: bạn lo việc này.", "Noted: you take care of it."),
        "work" => tongue.say("Đã ghi việc bảo trì.", "The maintenance was noted."),
        "decided" => tongue.say("Đã quyết định thứ tự phát.", "The order of play is decided."),
        _ => return None,
    })
}

/// Whether the visitor may do this in the area.
pub(super) fn may_here(town: &Town, visitor: &Visitor, action: Action, area: &AreaId) -> bool {
    let chain = town.schedule.tree.chain(area);
    let allowed = |who: &crate::server::SignedIn| {
        who.duties.allow(who.person.id.as_str(), action, &chain).is_ok()
    };
    visitor.signed_in.as_ref().is_some_and(allowed)
}

/// Its parts, fresh.
pub(super) async fn live(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let (now, _) = watched(&site, &visitor, &area).await?;
    let page = asked.page.unwrap_or(1).max(1);
    let may = |action| may_here(&now, &visitor, action, &area);
    let (order, attend) = (may(Action::Order), may(Action::Attend));
    let change = visitor.may(Action::Programme);
    let key = format!("{area} {page} {} {order} {attend} {change}", visitor.tongue);
    Ok(live::stream(site, &key, move |site| {
        let (visitor, area) = (visitor.clone(), area.clone());
        async move {
            let town = town(&site).await?;
            Ok(Parts::from(parts(&site, &town, &visitor, &area, page).await?))
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
    page: usize,
) -> Result<[(&'static str, String); 3], Fault> {
    let tongue = visitor.tongue;
    let mut ids = town.controllers(area);
    ids.sort_by_cached_key(|id| (town.health(id), town.condition(id).map(Condition::rank)));
    let of = |health| ids.iter().filter(|id| town.health(id) == health).count();
    let (total, bad, warn) = (ids.len(), of(Health::Bad), of(Health::Warn));
    let (kept, good) = (of(Health::Maintained), of(Health::Good));
    let plot = plot(site, town, area, &ids, tongue).await?;
    let pages = ids.len().div_ceil(SPEAKERS_MAX).max(1);
    let page = page.min(pages);
    let shown = ids.into_iter().skip((page - 1) * SPEAKERS_MAX).take(SPEAKERS_MAX);
    let now = utc_now();
    let zone = site.station.config.zone;
    let midnight = zone.midnight(zone.date(now));
    let (mut speakers, mut lines) = (Vec::new(), Vec::new());
    let shown: Vec<ControllerId> = shown.collect();
    let mut held_by = site.station.lines_of(&shown, midnight, now + AHEAD).await?;
    let titles = Titles::read(site, held_by.values().flatten()).await?;
    let tests = site.station.self_tests(&shown, now).await?;
    for id in shown {
        let held = held_by.remove(&id).unwrap_or_default();
        let tone = tests.get(&id).map(|test| Tone::of(test, tongue, zone, now));
        let card = Speaker::new(town, &id, (&held, &titles), tongue, zone, now);
        speakers.push(Speaker { tone, ..card });
        lines.extend(held);
    }
    let tomorrow = midnight + Duration::from_hours(24);
    lines.retain(|line| line.at < tomorrow && line.fate != Fate::Dropped);
    let rows = Rows { site, town, titles: &titles, may_change: visitor.may(Action::Programme) };
    let rows = rows.of(&lines, tongue, now);
    let may_order = may_here(town, visitor, Action::Order, area);
    let may_attend = may_here(town, visitor, Action::Attend, area);
    let area = area.clone();
    let cards = Cards {
        tongue,
        area,
        speakers,
        total,
        bad,
        warn,
        kept,
        good,
        page,
        pages,
        may_order,
        may_attend,
    };
    let today = Today { tongue, rows, whole: pages == 1 };
    Ok([("speakers", frame::part(&cards)?), ("map", plot), ("today", frame::part(&today)?)])
}

/// The map of the worst speakers that have a position.
async fn plot(
    site: &Site,
    town: &Town,
    area: &AreaId,
    ids: &[ControllerId],
    tongue: Tongue,
) -> Result<String, Fault> {
    let (zone, now) = (site.station.config.zone, utc_now());
    let placed = |id: &ControllerId| {
        let position = map::position(town, id)?;
        let state = speaker::state(town, id, tongue, zone, now);
        let (id, place, health) = (id.clone(), town.place(id), town.health(id));
        Some(map::Placed { id, place, state, health, position })
    };
    let mut all: Vec<map::Placed> = ids.iter().filter_map(placed).collect();
    let hidden = all.len().saturating_sub(MARKS_MAX);
    all.truncate(MARKS_MAX);
    let outline = site.station.store.outline(area).await?;
    let placed = all.iter().map(|one| (one.id.clone(), one.place.clone())).collect();
    let position = all.first().map(|one| one.position.to_string()).unwrap_or_default();
    let map = map::Map::draw(all, outline.as_ref());
    frame::part(&Plot { tongue, map, placed, position, hidden })
}

/// What the rows of a day are made of.
struct Rows<'a> {
    site: &'a Site,
    town: &'a Town,
    titles: &'a Titles,
    /// Whether the visitor may open an airing's own page.
    may_change: bool,
}

impl Rows<'_> {
    /// The airings of today by time and programme.
    fn of(&self, lines: &[Line], tongue: Tongue, now: Timestamp) -> Vec<Row> {
        let mut sorted: Vec<&Line> = lines.iter().collect();
        let place = |line: &Line| (line.at, line.airing.programme.clone());
        sorted.sort_by_key(|line| place(line));
        let same = sorted.chunk_by(|a, b| place(a) == place(b));
        same.filter_map(|same| self.row(same, tongue, now)).collect()
    }

    fn row(&self, same: &[&Line], tongue: Tongue, now: Timestamp) -> Option<Row> {
        let first = same.first()?;
        let names = &self.town.schedule.lists.languages;
        let mut languages: Vec<&str> = same
            .iter()
            .flat_map(|line| &line.languages)
            .map(|tag| tongue.say(names.vi(tag), names.en(tag)))
            .collect();
        languages.sort_unstable();
        languages.dedup();
        let playing = |line: &&Line| {
            self.town.playing(&line.airing.controller) == Some(line.airing.to_string())
        };
        let (programme, airing) = (&first.airing.programme, &first.airing);
        let (date, nth) = (airing.date, airing.occurrence);
        let page = format!("/programmes/{programme}/airing?date={date}&occurrence={nth}");
        let at = self.site.station.config.zone.local(first.at);
        Some(Row {
            at: at.format("%H:%M:%S").to_string(),
            now: same.iter().any(playing),
            title: self.town.title(programme),
            page: (self.may_change && first.at > now).then_some(page),
            bulletins: self.titles.of(same.iter().copied()),
            languages: languages.join(", "),
            total: same.len(),
            completed: same.iter().filter(|line| line.fate == Fate::Completed).count(),
            gaps: gaps(same, tongue),
        })
    }
}

/// What became of those that did not run to their end, with how many of each.
fn gaps(same: &[&Line], tongue: Tongue) -> Vec<(String, usize)> {
    let mut gaps: Vec<(String, usize)> = Vec::new();
    let told = same.iter().filter(|line| !matches!(line.fate, Fate::Planned | Fate::Completed));
    for line in told {
        let words = fate_in_words(line, tongue);
        match gaps.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => gaps.push((words, 1)),
        }
    }
    gaps
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
    let open = town::asked(site, town).await?;
    let here = open.iter().filter(|open| below.contains(open.decision.area())).cloned();
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
        deadline: format!("{} {}", open.deadline.time, open.deadline.date.naive().format("%d/%m")),
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
    Ok(Redirect::to(&format!("/areas/{}?told=decided", decided.area)).into_response())
}
