//! The form of an exception: the days on which programmes are not as on other days.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::bulletin::{Bulletin, Column};
use crate::id::ExceptionId;
use crate::schedule::edit::{Piece, free_exception};
use crate::schedule::file::Checked;
use crate::schedule::{Change, Exception, Scope, Selection};
use crate::time::LocalDate;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::{Act, Ground};
use crate::web::programme::fields::{Fields, Wrong};
use crate::web::programme::form::{Choice, area_choices};
use crate::web::programme::making;
use crate::web::programme::named::bulletin_choices;

/// The column whose programmes a storm day leaves as they are.
const STORM_COLUMN: &str = "Phòng chống thiên tai";

#[derive(Template)]
#[template(path = "exception.html")]
struct Page {
    frame: Frame,
    fields: Fields,
    areas: Vec<Choice>,
    programmes: Vec<Choice>,
    columns: Vec<String>,
    bulletins: Vec<Choice>,
    wrong: Vec<String>,
    /// Whether it is there already.
    held: bool,
    may: bool,
}

/// The exception, or everything that is wrong with the form.
pub(super) fn made(
    fields: &Fields,
    schedule: &Checked,
    bulletins: &[Bulletin],
) -> Result<Exception, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let name = fields.one("name");
    if name.is_empty() {
        wrong.push(Wrong::new("Chưa có tên; hãy ghi tên.", "It has no name; write one."));
    }
    let day = ("Ngày không đọc được", "No date");
    let from: Option<LocalDate> = fields.read("from", &mut wrong, day);
    let until: Option<LocalDate> = fields.read("until", &mut wrong, day).or(from);
    if from.is_none() {
        wrong.push(Wrong::new("Hãy chọn ngày đầu.", "Choose the first day."));
    }
    let areas = making::places(fields, "area", schedule, &mut wrong);
    let programmes = fields.many("of").iter().filter_map(|id| id.parse().ok()).collect();
    let columns = fields.many("of_column").iter().filter_map(|name| name.parse().ok()).collect();
    let tags = making::list(fields, "of_tags", ("Nhãn không đọc được", "No tag"), &mut wrong);
    let scope = Scope { programmes, columns, tags };
    let change = change(fields, bulletins, &mut wrong);
    let (Some(from), Some(until), Some(change), true) = (from, until, change, wrong.is_empty())
    else {
        return Err(wrong);
    };
    let id = fields.one("exception").parse();
    let id = id.unwrap_or_else(|_| free_exception(schedule, &name));
    let exception = Exception { id, name, from, until, areas, scope, change };
    making::reads_back(&Piece::from(exception.clone()))?;
    Ok(exception)
}

fn change(fields: &Fields, bulletins: &[Bulletin], wrong: &mut Vec<Wrong>) -> Option<Change> {
    match fields.one("change").as_str() {
        "move" => {
            let mut times = making::times(fields, wrong)?;
            times.sort_unstable();
            Some(Change::Move(times))
        }
        "replace" => making::selection(fields, bulletins, wrong).map(Change::Replace),
        "programme" => {
            let id = fields.one("instead").parse().ok();
            if id.is_none() {
                wrong.push(Wrong::new("Hãy chọn chương trình thay.", "Choose the programme."));
            }
            id.map(Change::ReplaceBy)
        }
        _ => Some(Change::Skip),
    }
}

/// What the form says of an exception that is there.
fn fields(exception: &Exception) -> Fields {
    let mut fields = Fields::default();
    fields.add("exception", &exception.id);
    fields.add("name", &exception.name);
    fields.add("from", exception.from);
    fields.add("until", exception.until);
    fields.add_all("area", &exception.areas);
    let Scope { programmes, columns, tags } = &exception.scope;
    fields.add_all("of", programmes);
    fields.add_all("of_column", columns);
    let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
    fields.add("of_tags", tags.join(", "));
    match &exception.change {
        Change::Skip => fields.add("change", "skip"),
        Change::Move(times) => {
            fields.add("change", "move");
            let times: Vec<String> = times.iter().map(ToString::to_string).collect();
            fields.add("times", times.join(", "));
        }
        Change::Replace(selection) => {
            fields.add("change", "replace");
            making::content(&mut fields, selection);
        }
        Change::ReplaceBy(programme) => {
            fields.add("change", "programme");
            fields.add("instead", programme);
        }
    }
    fields
}

/// What a new one is for.
#[derive(Deserialize)]
pub(in crate::web) struct Wanted {
    #[serde(default)]
    storm: Option<String>,
    #[serde(default)]
    date: Option<LocalDate>,
}

/// The empty form; of a storm day, filled in but for its day.
pub(in crate::web) async fn new(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let mut fields = Fields::default();
    if let Some(date) = wanted.date {
        fields.add("from", date);
    }
    fields.add("change", "skip");
    if wanted.storm.is_some() {
        let storm: Column = STORM_COLUMN.parse().expect("it is a usual column");
        let warns = |selection: &Selection| match selection {
            Selection::Newest(column) => *column == storm,
            Selection::Bulletins(named) => {
                ground.bulletins.iter().any(|held| named.contains(&held.id) && held.column == storm)
            }
        };
        fields.add("name", visitor.tongue.say("Ngày bão", "Storm day"));
        for held in ground.schedule.programmes.iter().filter(|held| !warns(&held.selection)) {
            fields.add("of", &held.id);
        }
    }
    Ok(page(&site, &visitor, &ground, fields, &[]))
}

/// One that is there.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<ExceptionId>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let held = ground.exception(id.as_str()).ok_or_else(Fault::not_found)?;
    let fields = fields(held);
    Ok(page(&site, &visitor, &ground, fields, &[]))
}

/// The form with what was typed, and what is wrong with it.
pub(super) fn page(
    site: &Site,
    visitor: &Visitor,
    ground: &Ground,
    fields: Fields,
    wrong: &[Wrong],
) -> Response {
    let tongue = visitor.tongue;
    let fields = ground.marked(fields, Act::Exception);
    let held = ground.exception(&fields.one("exception"));
    let title = held.map_or_else(
        || tongue.say("Ngoại lệ mới", "A new exception").to_owned(),
        |held| held.name.clone(),
    );
    let programme = |held: &crate::schedule::Programme| Choice {
        id: held.id.to_string(),
        name: held.title.clone(),
        note: String::new(),
    };
    frame::page(&Page {
        frame: Frame::new(site, visitor, title),
        areas: area_choices(&ground.schedule, visitor, &fields.many("area")),
        programmes: ground.schedule.programmes.iter().map(programme).collect(),
        columns: ground.schedule.lists.all_columns().iter().map(ToString::to_string).collect(),
        bulletins: bulletin_choices(&ground.bulletins, tongue),
        wrong: wrong.iter().map(|one| one.say(tongue).to_owned()).collect(),
        held: held.is_some(),
        may: visitor.may(crate::access::Action::Programme),
        fields,
    })
}
