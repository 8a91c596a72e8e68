//! One airing: moved, left out or filled otherwise; it alone, it and what follows, or all of them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use crate::id::ProgrammeId;
use crate::schedule::Programme;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::{Act, Ground, slot};
use crate::web::programme::fields::{Fields, Wrong};
use crate::web::programme::form::Choice;
use crate::web::programme::named::bulletin_choices;
use crate::web::programme::{preview, words};

#[derive(Template)]
#[template(path = "airing.html")]
struct Page {
    frame: Frame,
    fields: Fields,
    programme: ProgrammeId,
    title: String,
    when: String,
    columns: Vec<String>,
    bulletins: Vec<Choice>,
    wrong: Vec<String>,
    /// Whether a rule brings it, of which more airings follow.
    recurs: bool,
}

/// What may become of an airing; where it was dragged somewhere, the look at that.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<ProgrammeId>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    let fields = Fields(asked).with("act", "airing").with("programme", &id);
    if fields.one("to_date").is_empty() {
        return page(&site, &visitor, &ground, fields, &[]);
    }
    let mut fields = fields.with("turn", "move");
    if fields.one("reach").is_empty() {
        fields.add("reach", "this");
    }
    let seen = ground.seen(&fields);
    preview::looked(&site, &visitor, &ground, fields.with("seen", seen)).await
}

pub(super) fn page(
    site: &Arc<Site>,
    visitor: &Visitor,
    ground: &Ground,
    mut fields: Fields,
    wrong: &[Wrong],
) -> Result<Response, Fault> {
    let tongue = visitor.tongue;
    let slot = slot(&fields).ok_or_else(Fault::not_found)?;
    let held = ground.programme(slot.programme.as_str()).ok_or_else(Fault::not_found)?;
    let time = time(held, slot.occurrence);
    if fields.one("to_date").is_empty() {
        fields.add("to_date", slot.date);
        fields.add("to_time", &time);
    }
    let fields = ground.marked(fields, Act::Airing);
    let once =
        held.recurrence.from().is_some() && held.recurrence.from() == held.recurrence.until();
    let title = tongue.say("Lượt phát", "Airing");
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, format!("{title}: {}", held.title)),
        programme: held.id.clone(),
        title: held.title.clone(),
        when: format!("{time}, {}", words::day(slot.date, tongue)),
        columns: ground.schedule.lists.all_columns().iter().map(ToString::to_string).collect(),
        bulletins: bulletin_choices(&ground.bulletins, tongue),
        wrong: wrong.iter().map(|one| one.say(tongue).to_owned()).collect(),
        recurs: !once || held.recurrence.times_of_day().len() > 1,
        fields,
    }))
}

fn time(held: &Programme, occurrence: u16) -> String {
    let times = held.recurrence.times_of_day();
    times.get(usize::from(occurrence)).map(ToString::to_string).unwrap_or_default()
}
