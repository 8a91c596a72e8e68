//! Programmes as people change them: a list, a form, the week as a grid, exceptions, what a village
//! hears. **Everything is looked at before it is saved**: what airs otherwise, where, and what will
//! not air.

mod act;
mod airing;
mod exception;
mod fields;
mod form;
mod grid;
mod making;
mod named;
mod outlook;
mod preview;
#[cfg(test)]
mod tests;
mod village;
mod week;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

pub(super) use airing::show as airing;
pub(super) use exception::{new as new_exception, show as exception};
pub(super) use form::{again, new, show};
pub(super) use outlook::{Looked, Outlook, Slot, outlook};
pub(super) use preview::{preview, save};
pub(super) use village::show as village;
pub(super) use week::show as week;

use crate::access::Action;
use crate::calendar::Weekday;
use crate::id::{ExceptionId, ProgrammeId};
use crate::schedule::{Exception, Programme};
use crate::time::LocalDate;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::Ground;
use crate::web::tongue::Tongue;

/// Areas of one line of the list that are named one by one.
const NAMED_MAX: usize = 4;

#[derive(Template)]
#[template(path = "programmes.html")]
struct List {
    frame: Frame,
    rows: Vec<Listed>,
    past: Vec<Listed>,
    exceptions: Vec<Except>,
    may: bool,
    undo: Option<String>,
}

struct Listed {
    id: ProgrammeId,
    title: String,
    when: String,
    dates: String,
    areas: String,
    languages: String,
    content: String,
    classes: String,
}

struct Except {
    id: ExceptionId,
    name: String,
    dates: String,
    what: String,
}

/// The Monday of a day's week.
pub(super) fn monday(date: LocalDate) -> LocalDate {
    date.plus_days(1 - i64::from(Weekday::of(date).iso()))
}

/// Every programme and exception.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let tongue = visitor.tongue;
    let today = site.station.config.zone.date(crate::clock::utc_now());
    let over = |held: &&Programme| held.recurrence.until().is_some_and(|until| until < today);
    let (past, now): (Vec<_>, Vec<_>) = ground.schedule.programmes.iter().partition(over);
    let mut exceptions: Vec<&Exception> =
        ground.schedule.exceptions.iter().filter(|held| held.until >= today).collect();
    exceptions.sort_by_key(|held| (held.from, held.id.clone()));
    let listed = |some: Vec<&Programme>| {
        let mut rows: Vec<Listed> =
            some.into_iter().map(|held| listed(&ground, held, tongue)).collect();
        rows.sort_by(|a, b| a.title.cmp(&b.title));
        rows
    };
    Ok(frame::page(&List {
        frame: Frame::new(&site, &visitor, tongue.say("Chương trình", "Programmes")),
        rows: listed(now),
        past: listed(past),
        exceptions: exceptions.into_iter().map(|held| except(&ground, held, tongue)).collect(),
        may: visitor.may(Action::Programme),
        undo: undo(&site, &ground, tongue),
    }))
}

/// What one may take back, in words.
fn undo(site: &Site, ground: &Ground, tongue: Tongue) -> Option<String> {
    let row = ground.last.as_ref()?;
    let at = site.station.config.zone.local(row.at).format("%H:%M %d/%m");
    Some(format!("{} ({at})", words::act(&row.act, tongue)))
}

fn listed(ground: &Ground, held: &Programme, tongue: Tongue) -> Listed {
    Listed {
        id: held.id.clone(),
        title: held.title.clone(),
        when: words::when(&held.recurrence, tongue),
        dates: words::dates(held.recurrence.from(), held.recurrence.until(), tongue),
        areas: words::places(&ground.schedule.tree, &held.areas, NAMED_MAX),
        languages: words::languages(&ground.schedule.lists.languages, &held.languages, tongue),
        content: words::content(&held.selection, &ground.bulletins, tongue),
        classes: words::classes(&held.selection, &ground.bulletins, tongue),
    }
}

fn except(ground: &Ground, held: &Exception, tongue: Tongue) -> Except {
    Except {
        id: held.id.clone(),
        name: held.name.clone(),
        dates: words::dates(Some(held.from), Some(held.until), tongue),
        what: words::exception(held, &ground.schedule, &ground.bulletins, tongue),
    }
}
