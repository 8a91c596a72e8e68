//! This week as a grid, and the same as a list: to look at, to drag, to undo.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::clock::utc_now;
use crate::fleet::Level;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::schedule::file::Checked;
use crate::server::FREEZE;
use crate::time::LocalDate;
use crate::web::Site;
use crate::web::assets;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::Ground;
use crate::web::programme::form::Choice;
use crate::web::programme::grid::{self, Block, Grid, Made};
use crate::web::programme::outlook::{Slot, outlook};
use crate::web::programme::{monday, undo, words};
use crate::web::tongue::Tongue;

#[derive(Template)]
#[template(path = "week.html")]
struct Page {
    frame: Frame,
    grid: Grid,
    days: Vec<(String, String, bool)>,
    list: Vec<Listed>,
    monday: LocalDate,
    before: LocalDate,
    after: LocalDate,
    span: String,
    area: String,
    programme: String,
    areas: Vec<Choice>,
    programmes: Vec<Choice>,
    undo: Option<String>,
    told: bool,
    may: bool,
    script: String,
}

/// One day of the list.
struct Listed {
    day: String,
    today: bool,
    exceptions: Vec<String>,
    blocks: Vec<Block>,
}

/// Which week, where, of what.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    area: String,
    #[serde(default)]
    programme: String,
    #[serde(default)]
    told: Option<String>,
}

/// The week.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let (zone, now, tongue) = (site.station.config.zone, utc_now(), visitor.tongue);
    let from = asked.from.as_deref().and_then(|date| date.parse().ok());
    let monday = monday(from.unwrap_or_else(|| zone.date(now)));
    let area: Option<AreaId> = asked.area.parse().ok();
    let area = area.filter(|area| ground.schedule.tree.get(area).is_some());
    let mut slots = past(&site, &ground.schedule, monday, area.as_ref()).await?;
    slots.extend(outlook(&site).await?.week(monday, area.as_ref()).await?.iter().cloned());
    let only: Option<ProgrammeId> = asked.programme.parse().ok();
    slots.retain(|slot| only.as_ref().is_none_or(|only| slot.programme == *only));
    let may = visitor.may(Action::Programme);
    let policy = policy(&ground.schedule, area.as_ref());
    let policy = policy.map(crate::calendar::Airtime::signed);
    let (schedule, freeze) = (&ground.schedule, FREEZE);
    let made = Made { monday, zone, now, freeze, schedule, policy, slots: &slots, may, tongue };
    let grid = made.grid();
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, tongue.say("Lịch phát trong tuần", "The week")),
        days: days(&grid),
        list: list(made.grid(), tongue),
        grid,
        monday,
        before: monday.plus_days(-7),
        after: monday.plus_days(7),
        span: words::dates(Some(monday), Some(monday.plus_days(6)), tongue),
        area: area.map(|area| area.to_string()).unwrap_or_default(),
        programme: only.map(|id| id.to_string()).unwrap_or_default(),
        areas: areas(&ground.schedule),
        programmes: programmes(&ground.schedule),
        undo: undo(&site, &ground, tongue),
        told: asked.told.is_some(),
        may,
        script: assets::address("week.js"),
    }))
}

/// What was issued of the days of the week that are over.
async fn past(
    site: &Site,
    schedule: &Checked,
    monday: LocalDate,
    area: Option<&AreaId>,
) -> Result<Vec<Slot>, Fault> {
    let zone = site.station.config.zone;
    let today = zone.date(utc_now());
    let until = monday.plus_days(7).min(today);
    if until <= monday {
        return Ok(Vec::new());
    }
    let here: Option<Vec<ControllerId>> = area.map(|area| {
        let below: BTreeSet<AreaId> = schedule.tree.below(area).into_iter().collect();
        let held = schedule.controllers.iter().filter(|held| below.contains(&held.area));
        held.map(|held| held.id.clone()).collect()
    });
    let (from, until) = (zone.midnight(monday), zone.midnight(until));
    let rows = site.station.store.issued_slots(from, until, here.as_deref()).await?;
    let slot = |row: crate::store::IssuedSlot| Slot {
        programme: row.programme,
        date: row.date,
        occurrence: row.occurrence,
        at: row.at,
        ends: row.at + grid::past_length(),
        speakers: row.controllers,
        refused: 0,
        why: Vec::new(),
        exception: None,
    };
    Ok(rows.into_iter().map(slot).collect())
}

/// When sound is allowed there; of the whole station, at the top of its tree.
fn policy<'s>(
    schedule: &'s Checked,
    area: Option<&AreaId>,
) -> Option<&'s crate::calendar::Airtime> {
    let root = || schedule.tree.iter().find(|area| area.parent.is_none()).map(|area| &area.id);
    let area = area.or_else(root)?;
    schedule.tree.upward(area).find_map(|above| schedule.policies.get(&above.id))
}

fn days(grid: &Grid) -> Vec<(String, String, bool)> {
    let day = |day: &grid::Day| (day.date.to_string(), day.label.clone(), day.today);
    grid.days.iter().map(day).collect()
}

/// The same blocks day by day, in order of time.
fn list(grid: Grid, tongue: Tongue) -> Vec<Listed> {
    let Grid { days, mut blocks, .. } = grid;
    blocks.sort_by(|a, b| (a.date, &a.time, &a.programme).cmp(&(b.date, &b.time, &b.programme)));
    let mut listed: Vec<Listed> = days
        .iter()
        .map(|day| Listed {
            day: words::day(day.date, tongue),
            today: day.today,
            exceptions: day.exceptions.clone(),
            blocks: Vec::new(),
        })
        .collect();
    for block in blocks {
        let place = days.iter().position(|day| day.date == block.date);
        if let Some(place) = place {
            listed[place].blocks.push(block);
        }
    }
    listed
}

/// Provinces and communes; villages too where they are few.
pub(super) fn areas(schedule: &Checked) -> Vec<Choice> {
    let few = schedule.tree.iter().count() <= 60;
    let shown = schedule.tree.iter().filter(|area| few || area.level != Level::Village);
    let mut areas: Vec<&crate::fleet::Area> = shown.collect();
    areas.sort_by_key(|area| (area.parent.is_some(), area.name.clone()));
    let choice = |area: &crate::fleet::Area| Choice {
        id: area.id.to_string(),
        name: area.name.clone(),
        note: String::new(),
    };
    areas.into_iter().map(choice).collect()
}

fn programmes(schedule: &Checked) -> Vec<Choice> {
    let choice = |held: &crate::schedule::Programme| Choice {
        id: held.id.to_string(),
        name: held.title.clone(),
        note: String::new(),
    };
    schedule.programmes.iter().map(choice).collect()
}
