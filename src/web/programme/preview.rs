//! What a change will alter, in words, before it is saved; and the save.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::bulletin::Bulletin;
use crate::clock::utc_now;
use crate::id::{ControllerId, ProgrammeId};
use crate::schedule::diff::{Change, Difference};
use crate::schedule::edit::{Edit, NotEdited, Piece, Turn, What};
use crate::schedule::{Places, Reason};
use crate::server::{Preview, ServerError};
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::programme::act::{Act, Ground};
use crate::web::programme::fields::{Fields, Wrong};
use crate::web::programme::{form, monday, words};
use crate::web::tongue::Tongue;

/// Days and places that are named one by one; of more, only how many more.
const DAYS_MAX: usize = 7;
const PLACES_MAX: usize = 4;

/// Edits that are looked through for the one that came between.
const EDITS_MAX: i64 = 50;

#[derive(Template)]
#[template(path = "preview.html")]
struct Page {
    frame: Frame,
    fields: Fields,
    /// What is changed, by name.
    what: Vec<String>,
    rows: Vec<Row>,
    remarks: Vec<Row>,
    /// Names of other programmes that air otherwise too.
    others: Vec<String>,
    span: String,
    frozen: usize,
    /// Whether one airing is meant, of which more follow.
    reaches: bool,
    came_between: Option<Between>,
    /// Whether it alters something else than what was last looked at.
    moved: bool,
    /// Whether there is a form to go back to.
    has_form: bool,
}

/// The same change on some days at some places.
struct Row {
    class: &'static str,
    title: String,
    words: String,
    days: String,
    places: String,
    count: usize,
}

/// What somebody else did while a form was open.
struct Between {
    who: String,
    lines: Vec<(String, String, String)>,
}

/// Looks at what a form would change.
pub(in crate::web) async fn preview(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let ground = Ground::look(&site, &visitor.who()?.person.id).await?;
    looked(&site, &visitor, &ground, Fields(fields).with("shown", "")).await
}

/// The look, or the form again with what is wrong. Fields that bear what was `shown` last come from
/// somebody who wants to save.
pub(super) async fn looked(
    site: &Arc<Site>,
    visitor: &Visitor,
    ground: &Ground,
    fields: Fields,
) -> Result<Response, Fault> {
    let edit = match ground.draft(&fields) {
        Ok(edit) => edit,
        Err(wrong) => return wrongly(site, visitor, ground, fields, &wrong),
    };
    if is_over(&edit, &fields, site.station.config.zone.date(utc_now())) {
        let wrong = Wrong::new(
            "Những ngày này đã qua; hãy chọn từ hôm nay trở đi.",
            "These days are over; choose today or later.",
        );
        return wrongly(site, visitor, ground, fields, &[wrong]);
    }
    let by = &visitor.who()?.person.id;
    let seen = fields.one("seen");
    let between = if seen.is_empty() || seen == ground.seen(&fields).to_string() {
        None
    } else {
        Some(between(site, ground, &fields, visitor.tongue).await?)
    };
    let preview = match site.station.preview(&edit, by).await {
        Ok(preview) => preview,
        Err(error) => {
            let fault = Fault::from(error);
            if fault.status.is_server_error() || fault.status == StatusCode::FORBIDDEN {
                return Err(fault);
            }
            let wrong = [Wrong::new(fault.vi, fault.en)];
            return wrongly(site, visitor, ground, fields, &wrong);
        }
    };
    let page = page(site, visitor, ground, (fields, &edit), &preview, between);
    let told = page.came_between.is_some() || page.moved;
    let status = if told { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, frame::page(&page)).into_response())
}

/// Whether all that a form makes lies in days that are over.
fn is_over(edit: &Edit, fields: &Fields, today: LocalDate) -> bool {
    let until = |piece: &Piece| match piece {
        Piece::Exception(exception) => Some(exception.until),
        Piece::Programme(programme) => programme.recurrence.until(),
    };
    let makes = matches!(Act::of(fields), Some(Act::Programme | Act::Exception));
    let pieces = edit.pieces(true).unwrap_or_default();
    let over = |piece: &Piece| until(piece).is_some_and(|until| until < today);
    makes && !pieces.is_empty() && pieces.iter().all(over)
}

fn wrongly(
    site: &Arc<Site>,
    visitor: &Visitor,
    ground: &Ground,
    fields: Fields,
    wrong: &[Wrong],
) -> Result<Response, Fault> {
    let response = form::at_form(site, visitor, ground, fields, wrong)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, response).into_response())
}

/// Saves what a form changes, where nobody changed the same meanwhile.
pub(in crate::web) async fn save(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let ground = Ground::look(&site, by).await?;
    let fields = Fields(fields);
    let edit = match ground.draft(&fields) {
        Ok(edit) => edit,
        Err(wrong) => return wrongly(&site, &visitor, &ground, fields, &wrong),
    };
    if fields.one("seen") != ground.seen(&fields).to_string() {
        return looked(&site, &visitor, &ground, fields).await;
    }
    let shown = fields.one("shown");
    if !shown.is_empty() {
        let preview = site.station.preview(&edit, by).await;
        if !preview.is_ok_and(|preview| preview.digest().to_string() == shown) {
            return looked(&site, &visitor, &ground, fields).await;
        }
    }
    let act = Act::of(&fields).unwrap_or(Act::Programme);
    let done = match act {
        Act::Undo => site.station.undo_edit(by).await,
        Act::Programme | Act::End | Act::Airing | Act::Exception | Act::Unmake | Act::Week => {
            site.station.edit_schedule(&edit, act.word(), by).await
        }
    };
    match done {
        Ok(()) => {}
        Err(ServerError::Edit(NotEdited::Changed(_))) => {
            let ground = Ground::look(&site, by).await?;
            return looked(&site, &visitor, &ground, fields).await;
        }
        Err(error) => return Err(error.into()),
    }
    site.schedule_changed().await;
    let date = first_day(&edit).map(monday);
    let from = date.map_or_else(String::new, |date| format!("&from={date}"));
    Ok(Redirect::to(&format!("/programmes/week?told=saved{from}")).into_response())
}

/// The first day on which it shows, of a change of single days.
fn first_day(edit: &Edit) -> Option<LocalDate> {
    let pieces = edit.pieces(true).ok()?;
    let day = |piece: &Piece| match piece {
        Piece::Exception(exception) => Some(exception.from),
        Piece::Programme(programme) => programme.recurrence.from(),
    };
    pieces.iter().filter_map(day).min()
}

/// What the newest edit of the same things did.
async fn between(
    site: &Site,
    ground: &Ground,
    fields: &Fields,
    tongue: Tongue,
) -> Result<Between, Fault> {
    let about = ground.about(fields);
    let edits = site.station.store.edits(EDITS_MAX).await?;
    let is_about = |turn: &&Turn| about.contains(&turn.what);
    let found = edits.iter().find_map(|row| Some((row, row.edit.turns().iter().find(is_about)?)));
    let Some((row, turn)) = found else {
        let who = tongue.say("Có người vừa nhập lại tệp lịch", "Somebody imported schedule files");
        return Ok(Between { who: who.to_owned(), lines: Vec::new() });
    };
    let people = site.station.store.people().await?;
    let name = people.iter().find(|held| held.id == row.by).map(|held| held.name.clone());
    let name = name.unwrap_or_else(|| row.by.to_string());
    let at = site.station.config.zone.local(row.at).format("%H:%M:%S %d/%m");
    let who = format!("{name}, {at}: {}", words::act(&row.act, tongue));
    Ok(Between { who, lines: lines(turn, tongue) })
}

/// Which lines somebody changed, from what, to what.
fn lines(turn: &Turn, tongue: Tongue) -> Vec<(String, String, String)> {
    let read = |text: &Option<String>| -> BTreeMap<String, String> {
        let lines = text.as_deref().unwrap_or_default().lines();
        let pairs = lines.filter_map(|line| line.split_once(" = "));
        pairs.map(|(key, value)| (key.to_owned(), value.replace(['"', '[', ']'], ""))).collect()
    };
    let (before, after) = (read(&turn.before), read(&turn.after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    let value = |held: &BTreeMap<String, String>, key: &String| {
        held.get(key).cloned().unwrap_or_else(|| "–".to_owned())
    };
    changed.map(|key| (words::key(key, tongue), value(&before, key), value(&after, key))).collect()
}

fn page(
    site: &Site,
    visitor: &Visitor,
    ground: &Ground,
    (fields, edit): (Fields, &Edit),
    preview: &Preview,
    came_between: Option<Between>,
) -> Page {
    let tongue = visitor.tongue;
    let zone = site.station.config.zone;
    let title = |id: &ProgrammeId| {
        let new = preview.world.programmes.iter().chain(&ground.schedule.programmes);
        let mut held = new.filter(|held| held.id == *id);
        held.next().map_or_else(|| id.to_string(), |held| held.title.clone())
    };
    let places = Places::new(&preview.world.tree, &preview.world.controllers);
    let view = View { zone, tongue, places, title: &title, bulletins: &ground.bulletins };
    let named = |turn: &Turn| {
        let (mark, word) = match (&turn.before, &turn.after) {
            (None, _) => ("+", tongue.say("mới", "new")),
            (Some(_), None) => ("−", tongue.say("bỏ", "removed")),
            (Some(_), Some(_)) => ("~", tongue.say("đổi", "changed")),
        };
        let name = match &turn.what {
            What::Programme(id) => title(id),
            What::Exception(id) => {
                let held = preview.world.exceptions.iter().chain(&ground.schedule.exceptions);
                let mut held = held.filter(|held| held.id == *id);
                let name = held.next().map_or_else(|| id.to_string(), |held| held.name.clone());
                format!("{} “{name}”", tongue.say("ngoại lệ", "exception"))
            }
        };
        format!("{mark} {name} ({word})")
    };
    let fields = match edit.turns() {
        [Turn { what: What::Programme(id), .. }] if fields.is("act", "programme") => {
            fields.with("id", id)
        }
        [Turn { what: What::Exception(id), .. }] if fields.is("act", "exception") => {
            fields.with("exception", id)
        }
        _ => fields,
    };
    let seen = ground.seen(&fields);
    let (shown, now) = (fields.one("shown"), preview.digest().to_string());
    let recurs = ground
        .programme(&fields.one("programme"))
        .is_none_or(|programme| !programme.recurrence.is_single());
    Page {
        frame: Frame::new(site, visitor, tongue.say("Xem trước thay đổi", "Before it is saved")),
        what: edit.turns().iter().map(named).collect(),
        rows: view.rows(&preview.differences),
        remarks: view.remarks(preview),
        others: preview.others(edit).iter().map(title).collect(),
        span: words::dates(Some(preview.from), Some(preview.to), tongue),
        frozen: preview.frozen,
        reaches: recurs && fields.is("act", "airing") && fields.is("turn", "move"),
        came_between,
        moved: !shown.is_empty() && shown != now,
        has_form: Act::of(&fields).is_some_and(Act::has_form),
        fields: fields.with("seen", seen).with("shown", now),
    }
}

/// How differences are told.
struct View<'a> {
    zone: Zone,
    tongue: Tongue,
    places: Places<'a>,
    title: &'a dyn Fn(&ProgrammeId) -> String,
    bulletins: &'a [Bulletin],
}

/// Where and when the same is to be told.
#[derive(Default)]
struct Heap {
    days: BTreeSet<LocalDate>,
    controllers: BTreeSet<ControllerId>,
    count: usize,
}

impl View<'_> {
    fn rows(&self, differences: &[Difference]) -> Vec<Row> {
        let mut heaps: BTreeMap<(String, &'static str, String), Heap> = BTreeMap::new();
        for Difference { airing, change } in differences {
            let (class, words) = self.change(change);
            let heap = heaps.entry(((self.title)(&airing.programme), class, words)).or_default();
            heap.days.insert(airing.date);
            heap.controllers.insert(airing.controller.clone());
            heap.count += 1;
        }
        let row = |((title, class, words), heap)| self.row(class, title, words, &heap);
        heaps.into_iter().map(row).collect()
    }

    fn remarks(&self, preview: &Preview) -> Vec<Row> {
        let mut heaps: BTreeMap<(String, String), Heap> = BTreeMap::new();
        for remark in &preview.remarks {
            let mut words = match self.tongue {
                Tongue::Vi => remark.reason.vi(),
                Tongue::En => remark.reason.to_string(),
            };
            if let Reason::Collision { winner } = &remark.reason {
                words = words.replace(winner.as_str(), &(self.title)(winner));
            }
            if let Some(bulletin) = &remark.bulletin {
                let language = remark.language.as_ref().map(|tag| format!(" [{tag}]"));
                let name = self.bulletin(bulletin.as_str());
                words = format!("{name}{}: {words}", language.unwrap_or_default());
            }
            let heap = heaps.entry(((self.title)(&remark.programme), words)).or_default();
            if let Some(key) = &remark.key {
                heap.days.insert(key.date);
                heap.controllers.insert(key.controller.clone());
            }
            heap.count += 1;
        }
        let row = |((title, words), heap)| self.row("warn", title, words, &heap);
        heaps.into_iter().map(row).collect()
    }

    fn row(&self, class: &'static str, title: String, words: String, heap: &Heap) -> Row {
        let days: Vec<String> = heap
            .days
            .iter()
            .take(DAYS_MAX)
            .map(|date| words::short_day(*date, self.tongue))
            .collect();
        let mut names: Vec<&str> =
            heap.controllers.iter().map(|controller| self.places.name(controller)).collect();
        names.dedup();
        let more = |all: usize, shown: usize| {
            if all > shown { format!(" +{}", all - shown) } else { String::new() }
        };
        let shown: Vec<&str> = names.iter().take(PLACES_MAX).copied().collect();
        Row {
            class,
            title,
            words,
            days: format!("{}{}", days.join(", "), more(heap.days.len(), DAYS_MAX)),
            places: format!("{}{}", shown.join(", "), more(names.len(), PLACES_MAX)),
            count: heap.count,
        }
    }

    fn change(&self, change: &Change) -> (&'static str, String) {
        let say = |vi, en| self.tongue.say(vi, en);
        match change {
            Change::Added { at, items } => (
                "good",
                format!(
                    "+ {} {}: {}",
                    say("phát thêm lúc", "new at"),
                    self.clock(*at),
                    items.iter().map(|item| self.item(item)).collect::<Vec<_>>().join(", ")
                ),
            ),
            Change::Removed { at, .. } => {
                ("bad", format!("− {} {}", say("không phát nữa lúc", "gone at"), self.clock(*at)))
            }
            Change::Altered { at, moved: Some(to), lost, won, .. } => {
                let (from, to) = (self.clock(*at), self.clock(*to));
                let rest = self.listed(lost, won);
                let words = format!("~ {} {from} → {to}{rest}", say("dời", "moved"));
                ("warn", words)
            }
            Change::Altered { at, lost, won, otherwise, .. } => {
                let rest = if *otherwise {
                    format!(
                        ": {}",
                        say("thứ tự, độ dài hoặc khoảng lặng khác", "other order, length or gaps")
                    )
                } else {
                    self.listed(lost, won)
                };
                (
                    "warn",
                    format!(
                        "~ {} {}{rest}",
                        say("nội dung khác lúc", "other content at"),
                        self.clock(*at)
                    ),
                )
            }
        }
    }

    fn clock(&self, at: Timestamp) -> TimeOfDay {
        TimeOfDay::of(self.zone.local(at))
    }

    fn listed(&self, lost: &[String], won: &[String]) -> String {
        let lost = lost.iter().map(|item| format!("− {}", self.item(item)));
        let won = won.iter().map(|item| format!("+ {}", self.item(item)));
        let all: Vec<String> = lost.chain(won).collect();
        if all.is_empty() { String::new() } else { format!(": {}", all.join("; ")) }
    }

    /// An item such as `lu-quet [hni]` with its bulletin by title.
    fn item(&self, item: &str) -> String {
        let (id, language) = item.split_once(' ').unwrap_or((item, ""));
        format!("{} {language}", self.bulletin(id))
    }

    fn bulletin(&self, id: &str) -> String {
        let held = self.bulletins.iter().find(|held| held.id.as_str() == id);
        held.map_or_else(|| id.to_owned(), |held| held.title.to_string())
    }
}
