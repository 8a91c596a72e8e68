//! Emergencies: one officer chooses, checks and signs; another confirms; both watch the count.

mod request;

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::EmergencyId;
use crate::receipt::EmergencyStep;
use crate::server::{AlarmError, Reached, ServerError};
use crate::store::{Doing, EmergencyRow};
use crate::web::Site;
use crate::web::commune::{Town, town};
use crate::web::emergency::request::{Choice, Request, Sound};
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::live::{self, Parts};
use crate::web::tongue::Tongue;

/// Emergencies on the page at most, newest first.
const SHOWN_MAX: usize = 50;

#[derive(Template)]
#[template(path = "emergencies.html")]
struct List {
    frame: Frame,
    held: Vec<Listed>,
    sounds: Vec<Sound>,
    places: Vec<Choice>,
    id: String,
}

struct Listed {
    id: EmergencyId,
    state: String,
    class: &'static str,
    begun: String,
}

/// Every emergency, newest first, and the first step of a new one.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let town = town(&site).await?;
    let mut rows = site.station.store.emergencies().await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.sequence));
    rows.truncate(SHOWN_MAX);
    let zone = site.station.config.zone;
    let listed = |row: &EmergencyRow| {
        let (state, class) = state(row, visitor.tongue);
        let begun = zone.local(row.begun).format("%d/%m %H:%M:%S").to_string();
        Listed { id: row.id.clone(), state, class, begun }
    };
    let title = visitor.tongue.say("Bản tin khẩn cấp", "Emergencies");
    let stamp = zone.local(utc_now()).format("%y%m%d-%H%M%S");
    Ok(frame::page(&List {
        frame: Frame::new(&site, &visitor, title),
        held: rows.iter().map(listed).collect(),
        sounds: request::sounds(&site, &town, visitor.tongue).await?,
        places: request::places(&town, visitor.who()?),
        id: format!("kc-{stamp}"),
    }))
}

fn state(row: &EmergencyRow, tongue: Tongue) -> (String, &'static str) {
    let over = row.expires <= utc_now();
    let (vi, en, class) = match (row.doing, row.raised, over) {
        (_, None, true) => ("không ai xác nhận, đã hết hạn", "never confirmed, expired", "soft"),
        (Doing::Play, None, _) => {
            ("chờ người thứ hai xác nhận", "waits for a second officer", "warn")
        }
        (Doing::Play, Some(_), false) => ("đang phát đi", "going out", "bad"),
        (Doing::Play, Some(_), true) => ("đã phát, hết hạn", "was raised, expired", "soft"),
        (Doing::Cancel, None, _) => {
            ("lệnh huỷ chờ xác nhận", "its cancel waits for a second officer", "warn")
        }
        (Doing::Cancel, Some(_), _) => ("đã huỷ", "cancelled", "soft"),
    };
    (tongue.say(vi, en).to_owned(), class)
}

#[derive(Template)]
#[template(path = "emergency_check.html")]
struct Check {
    frame: Frame,
    request: Request,
    sound: Sound,
    places: Vec<String>,
    speakers: usize,
    reachable: usize,
    fault: Option<String>,
}

/// The second step shows what would happen; the third, with the passphrase, signs it.
pub(super) async fn raise(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let request = Request::read(&fields)?;
    let Some(passphrase) = request.passphrase.clone() else {
        return check(&site, &visitor, request, None).await;
    };
    let by = &visitor.who()?.person.id;
    match site.station.raise(&request.alarm(), by, &passphrase).await {
        Ok(_) => Ok(Redirect::to(&format!("/emergencies/{}", request.id)).into_response()),
        Err(error) => {
            let fault = Fault::from(error);
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            check(&site, &visitor, request, Some(sentence)).await
        }
    }
}

async fn check(
    site: &Site,
    visitor: &Visitor,
    request: Request,
    fault: Option<String>,
) -> Result<Response, Fault> {
    let town = town(site).await?;
    let sounds = request::sounds(site, &town, visitor.tongue).await?;
    let sound = sounds.into_iter().find(|sound| sound.bulletin == request.bulletin);
    let sound = sound.ok_or_else(|| AlarmError::NoSound(request.bulletin.clone()));
    let mut speakers = std::collections::BTreeSet::new();
    for area in &request.areas {
        if town.schedule.tree.get(area).is_none() {
            return Err(ServerError::NoArea(area.clone()).into());
        }
        speakers.extend(town.controllers(area));
    }
    let named = |area| town.schedule.tree.get(area).map(|area| area.name.clone());
    let title = visitor.tongue.say("Kiểm tra trước khi phát", "Check before it sounds");
    Ok(frame::page(&Check {
        frame: Frame::new(site, visitor, title),
        places: request.areas.iter().filter_map(named).collect(),
        reachable: speakers.iter().filter(|id| town.reachable(id)).count(),
        speakers: speakers.len(),
        sound: sound.map_err(ServerError::from)?,
        request,
        fault,
    }))
}

#[derive(Template)]
#[template(path = "emergency.html")]
struct Page {
    frame: Frame,
    count: String,
    signing: String,
    text: String,
    places: Vec<String>,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "emergency_count.html")]
struct Count {
    tongue: Tongue,
    state: String,
    class: &'static str,
    total: usize,
    accepted: usize,
    begun: usize,
    completed: usize,
    failed: usize,
    stragglers: Vec<Straggler>,
}

struct Straggler {
    place: String,
    id: String,
    word: String,
}

/// What can be signed now: it goes as soon as somebody signed it, wherever they did.
#[derive(Template)]
#[template(path = "emergency_signing.html")]
struct Signing {
    tongue: Tongue,
    id: EmergencyId,
    /// Whether a second officer must confirm: what was begun, a play or a cancel.
    waits: Option<&'static str>,
    may_cancel: bool,
}

/// One emergency with its live count.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<EmergencyId>,
) -> Result<Response, Fault> {
    page(&site, &visitor, &id, None).await
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    id: &EmergencyId,
    fault: Option<String>,
) -> Result<Response, Fault> {
    let town = town(site).await?;
    let rows = seen(site, &town, visitor, id).await?;
    let play = rows.iter().find(|row| row.doing == Doing::Play);
    let play = play.ok_or_else(|| ServerError::from(AlarmError::Unknown(id.clone())))?;
    let document = site.station.read_emergency(&play.note)?;
    let named = |area| town.schedule.tree.get(area).map(|area| area.name.clone());
    let title = format!("{} {id}", visitor.tongue.say("Khẩn cấp", "Emergency"));
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, title).live(format!("/emergencies/{id}/live")),
        count: count(site, &town, visitor.tongue, &rows, id).await?,
        signing: signing(visitor.tongue, &rows, id)?,
        text: request::spoken(site, &document).await?,
        places: document.areas.iter().filter_map(named).collect(),
        fault,
    }))
}

fn signing(tongue: Tongue, rows: &[EmergencyRow], id: &EmergencyId) -> Result<String, Fault> {
    let now = utc_now();
    let open = rows.iter().find(|row| row.raised.is_none() && row.expires > now);
    let waits = open.map(|row| match row.doing {
        Doing::Play => tongue.say("phát", "to sound"),
        Doing::Cancel => tongue.say("huỷ", "to be taken back"),
    });
    let raised =
        |row: &EmergencyRow| row.doing == Doing::Play && row.raised.is_some() && row.expires > now;
    let cancelled = rows.iter().any(|row| row.doing == Doing::Cancel);
    let may_cancel = rows.iter().any(raised) && !cancelled;
    frame::part(&Signing { tongue, id: id.clone(), waits, may_cancel })
}

/// The rows of one emergency, if the visitor is an officer of one of its areas.
async fn seen(
    site: &Site,
    town: &Town,
    visitor: &Visitor,
    id: &EmergencyId,
) -> Result<Vec<EmergencyRow>, Fault> {
    let mut rows = site.station.store.emergencies().await?;
    rows.retain(|row| row.id == *id);
    let first = rows.first().ok_or_else(|| ServerError::from(AlarmError::Unknown(id.clone())))?;
    let who = visitor.who()?;
    let areas = site.station.read_emergency(&first.note)?.areas;
    let mut denied = None;
    for area in &areas {
        let chain = town.schedule.tree.chain(area);
        match who.duties.allow(who.person.id.as_str(), Action::Alarm, &chain) {
            Ok(()) => return Ok(rows),
            Err(error) => denied = Some(error),
        }
    }
    Err(denied.map_or_else(|| Fault::denied(Action::Alarm), |e| ServerError::from(e).into()))
}

async fn count(
    site: &Site,
    town: &Town,
    tongue: Tongue,
    rows: &[EmergencyRow],
    id: &EmergencyId,
) -> Result<String, Fault> {
    let reached = site.station.reached(id).await?;
    let newest = rows.iter().max_by_key(|row| row.sequence);
    let (state, class) = newest.map(|row| state(row, tongue)).unwrap_or_default();
    let past = |least: EmergencyStep| {
        reached.iter().filter(|one| one.told.is_some_and(|(step, ..)| is_past(step, least))).count()
    };
    let ended = |step| reached.iter().filter(|one| one.told.is_some_and(|t| t.0 == step)).count();
    let straggles = |one: &&Reached| !one.told.is_some_and(|(step, ..)| step.ends());
    let stragglers = reached.iter().filter(straggles).map(|one| Straggler {
        place: town.place(&one.controller),
        id: one.controller.to_string(),
        word: straggle(one, tongue),
    });
    let count = Count {
        tongue,
        state,
        class,
        total: reached.len(),
        accepted: past(EmergencyStep::Accepted),
        begun: past(EmergencyStep::Begun),
        completed: ended(EmergencyStep::Completed),
        failed: ended(EmergencyStep::Failed),
        stragglers: stragglers.collect(),
    };
    frame::part(&count)
}

/// Whether a controller that told `step` has come at least to `least`.
fn is_past(step: EmergencyStep, least: EmergencyStep) -> bool {
    match least {
        EmergencyStep::Accepted => true,
        _ => matches!(step, EmergencyStep::Begun | EmergencyStep::Completed),
    }
}

fn straggle(one: &Reached, tongue: Tongue) -> String {
    match (one.told, one.seen) {
        (Some((EmergencyStep::Begun, ..)), _) => tongue.say("đang phát", "sounding").to_owned(),
        (Some(_), _) => tongue.say("đã nhận, chưa phát", "accepted, not begun").to_owned(),
        (None, Some(seen)) => {
            let ago = tongue.ago(utc_now().since(seen));
            format!(
                "{} {ago}",
                tongue.say("chưa trả lời; nghe thấy lần cuối", "silent; last heard of")
            )
        }
        (None, None) => tongue.say("chưa từng liên lạc", "never heard of").to_owned(),
    }
}

/// The count, fresh.
pub(super) async fn live(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<EmergencyId>,
) -> Result<Response, Fault> {
    let town_now = town(&site).await?;
    seen(&site, &town_now, &visitor, &id).await?;
    let key = format!("emergency {id} {}", visitor.tongue);
    Ok(live::stream(site, &key, move |site| {
        let (id, tongue) = (id.clone(), visitor.tongue);
        async move {
            let town = town(&site).await?;
            let mut rows = site.station.store.emergencies().await?;
            rows.retain(|row| row.id == id);
            let count = count(&site, &town, tongue, &rows, &id).await?;
            Ok(Parts::from([("count", count), ("signing", signing(tongue, &rows, &id)?)]))
        }
    }))
}

/// The moment of signing.
#[derive(Deserialize)]
pub(super) struct Signature {
    passphrase: String,
}

/// The second officer's signature.
pub(super) async fn confirm(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<EmergencyId>,
    Form(signature): Form<Signature>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let signed = site.station.confirm(&id, by, &signature.passphrase).await;
    after_signing(&site, &visitor, &id, signed.map(|_| ())).await
}

/// The first signature under taking it back.
pub(super) async fn cancel(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<EmergencyId>,
    Form(signature): Form<Signature>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let signed = site.station.cancel(&id, by, &signature.passphrase).await;
    after_signing(&site, &visitor, &id, signed.map(|_| ())).await
}

async fn after_signing(
    site: &Site,
    visitor: &Visitor,
    id: &EmergencyId,
    signed: Result<(), ServerError>,
) -> Result<Response, Fault> {
    let Err(error) = signed else {
        return Ok(Redirect::to(&format!("/emergencies/{id}")).into_response());
    };
    let fault = Fault::from(error);
    let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
    Ok((fault.status, page(site, visitor, id, Some(sentence)).await?).into_response())
}
