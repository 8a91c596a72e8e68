//! The form of a programme, complete and by keyboard.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::fleet::Level;
use crate::id::ProgrammeId;
use crate::lang::LangTag;
use crate::schedule::file::Checked;
use crate::time::LocalDate;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::{Act, Ground};
use crate::web::programme::fields::{Fields, Wrong};
use crate::web::programme::named::bulletin_choices;
use crate::web::programme::{airing, exception, making, words};
use crate::web::tongue::Tongue;

/// Empty places for bulletins beyond those that are named.
const SPARE: usize = 3;

/// Something that can be chosen.
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) note: String,
}

#[derive(Template)]
#[template(path = "programme.html")]
struct Page {
    frame: Frame,
    fields: Fields,
    areas: Vec<Choice>,
    languages: Vec<Choice>,
    columns: Vec<String>,
    bulletins: Vec<Choice>,
    days: Vec<(&'static str, &'static str)>,
    named: Vec<String>,
    wrong: Vec<String>,
    /// The programme that is there already.
    held: Option<ProgrammeId>,
    may: bool,
}

/// When and where a new one was wanted.
#[derive(Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    date: Option<LocalDate>,
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    area: Option<String>,
}

/// The empty form, with the day and time that were pointed at.
pub(in crate::web) async fn new(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let mut fields = Fields::default();
    let once = wanted.date.is_some();
    fields.add("repeat", if once { "once" } else { "weekly" });
    if let Some(date) = wanted.date {
        fields.add("date", date);
        fields.add("day", crate::calendar::Weekday::of(date).word());
    } else {
        fields.add_all("day", &crate::calendar::Weekday::ALL.map(crate::calendar::Weekday::word));
    }
    fields.add("times", wanted.at.unwrap_or_default());
    fields.add("languages", "every");
    fields.add("content", "newest");
    let areas = area_choices(&ground.schedule, &visitor, &[]);
    let area = wanted.area.filter(|area| areas.iter().any(|held| held.id == *area));
    // Whoever may only speak to one place means that one.
    let only = (areas.len() == 1).then(|| areas[0].id.clone());
    if let Some(area) = area.or(only) {
        fields.add("area", area);
    }
    Ok(page(&site, &visitor, &ground, fields, &[]))
}

/// One that is there.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<ProgrammeId>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let held = ground.programme(id.as_str()).ok_or_else(Fault::not_found)?;
    let fields = making::fields(held);
    Ok(page(&site, &visitor, &ground, fields, &[]))
}

/// What was typed, to be changed again.
pub(in crate::web) async fn again(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    at_form(&site, &visitor, &ground, Fields(fields), &[])
}

/// The form that these fields came from.
pub(super) fn at_form(
    site: &Arc<Site>,
    visitor: &Visitor,
    ground: &Ground,
    fields: Fields,
    wrong: &[Wrong],
) -> Result<Response, Fault> {
    match Act::of(&fields) {
        Some(Act::Exception | Act::Unmake) => {
            Ok(exception::page(site, visitor, ground, fields, wrong))
        }
        Some(Act::Airing) => airing::page(site, visitor, ground, fields, wrong),
        Some(Act::End) => {
            let held = ground.programme(&fields.one("programme")).ok_or_else(Fault::not_found)?;
            Ok(page(site, visitor, ground, making::fields(held), wrong))
        }
        Some(Act::Week | Act::Undo) => {
            let first = wrong.first().cloned().unwrap_or_else(|| Wrong::new("", ""));
            Err(Fault::bad(&first.vi, &first.en))
        }
        Some(Act::Programme) | None => Ok(page(site, visitor, ground, fields, wrong)),
    }
}

fn page(
    site: &Site,
    visitor: &Visitor,
    ground: &Ground,
    fields: Fields,
    wrong: &[Wrong],
) -> Response {
    let tongue = visitor.tongue;
    let fields = ground.marked(fields, Act::Programme);
    let held = ground.programme(&fields.one("id"));
    let title = held.map_or_else(
        || tongue.say("Chương trình mới", "A new programme").to_owned(),
        |held| held.title.clone(),
    );
    let mut named = fields.many("bulletin");
    named.extend(std::iter::repeat_n(String::new(), SPARE));
    let days = crate::calendar::Weekday::ALL;
    frame::page(&Page {
        frame: Frame::new(site, visitor, title),
        areas: area_choices(&ground.schedule, visitor, &fields.many("area")),
        languages: language_choices(&ground.schedule, &fields.many("language"), tongue),
        columns: ground.schedule.lists.all_columns().iter().map(ToString::to_string).collect(),
        bulletins: bulletin_choices(&ground.bulletins, tongue),
        days: days.map(|day| (day.word(), words::weekday(day, tongue))).to_vec(),
        named,
        wrong: wrong.iter().map(|one| one.say(tongue).to_owned()).collect(),
        held: held.map(|held| held.id.clone()),
        may: visitor.may(Action::Programme),
        fields,
    })
}

/// Provinces and communes that the visitor may speak to, and whatever is chosen already.
pub(super) fn area_choices(
    schedule: &Checked,
    visitor: &Visitor,
    chosen: &[String],
) -> Vec<Choice> {
    let allowed = |area: &crate::fleet::Area| {
        let chain = schedule.tree.chain(&area.id);
        visitor.signed_in.as_ref().is_some_and(|who| {
            who.duties.allow(who.person.id.as_str(), Action::Programme, &chain).is_ok()
        })
    };
    let few = schedule.tree.iter().count() <= 60;
    let shown = |area: &&crate::fleet::Area| {
        let high = area.level != Level::Village || few;
        chosen.iter().any(|id| id == area.id.as_str()) || (high && allowed(area))
    };
    let choice = |area: &crate::fleet::Area| Choice {
        id: area.id.to_string(),
        name: area.name.clone(),
        note: String::new(),
    };
    let mut areas: Vec<&crate::fleet::Area> = schedule.tree.iter().filter(shown).collect();
    areas.sort_by_key(|area| (area.parent.is_some(), schedule.tree.chain(&area.id)));
    areas.into_iter().map(choice).collect()
}

/// The languages that somebody asks for, and whatever is chosen already.
fn language_choices(schedule: &Checked, chosen: &[String], tongue: Tongue) -> Vec<Choice> {
    let wishes = schedule.tree.iter().flat_map(|area| &area.listens);
    let mut tags: Vec<LangTag> = wishes.map(|wish| wish.language.clone()).collect();
    tags.extend(chosen.iter().filter_map(|tag| tag.parse().ok()));
    tags.sort();
    tags.dedup();
    let names = &schedule.lists.languages;
    let choice = |tag: LangTag| Choice {
        name: words::language(names, &tag, tongue),
        id: tag.to_string(),
        note: String::new(),
    };
    tags.into_iter().map(choice).collect()
}
