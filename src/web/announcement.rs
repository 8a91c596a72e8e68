//! Announcements of a commune's own: recorded or chosen, heard before and after, put into villages
//! and a time, listened back to, signed.

mod making;
mod recording;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

pub(super) use making::{form, make};
pub(super) use recording::{asset, kept, original, upload};

use crate::access::Action;
use crate::bulletin::version::Version;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{BulletinId, ProgrammeId};
use crate::report::Fate;
use crate::server::{Aim, ServerError};
use crate::store::AnnouncementRow;
use crate::web::Site;
use crate::web::commune::{Town, may_here, town};
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::live::{self, Parts};
use crate::web::player::{Heard, Player};
use crate::web::tongue::Tongue;

/// Announcements on the list at most, newest first.
const SHOWN_MAX: usize = 50;

#[derive(Template)]
#[template(path = "announcements.html")]
struct List {
    frame: Frame,
    rows: Vec<Listed>,
}

struct Listed {
    id: BulletinId,
    title: String,
    place: String,
    when: String,
    state: (String, &'static str),
}

/// Every announcement that the visitor may hear, newest first.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let town = town(&site).await?;
    let mut rows = site.station.store.announcements().await?;
    rows.retain(|row| may_here(&town, &visitor, Action::Listen, &row.area));
    rows.truncate(SHOWN_MAX);
    let mut listed = Vec::new();
    for row in rows {
        let version = site.station.announced(&row.bulletin).await?;
        listed.push(Listed {
            title: site.station.bulletin(&row.bulletin).await?.title.to_string(),
            place: places(&town, &row),
            when: when(&site, &row, visitor.tongue),
            state: state(&row, &version, visitor.tongue),
            id: row.bulletin,
        });
    }
    let title = visitor.tongue.say("Thông báo của xã", "Announcements");
    Ok(frame::page(&List { frame: Frame::new(&site, &visitor, title), rows: listed }))
}

fn places(town: &Town, row: &AnnouncementRow) -> String {
    let named = row.villages.iter().filter_map(|id| town.schedule.tree.get(id));
    named.map(|area| area.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn when(site: &Site, row: &AnnouncementRow, tongue: Tongue) -> String {
    let zone = site.station.config.zone;
    row.at.map_or_else(
        || tongue.say("ngay khi được duyệt", "as soon as it is approved").to_owned(),
        |at| zone.local(at).format("%H:%M:%S %d/%m").to_string(),
    )
}

/// Which step is next, in words.
fn state(row: &AnnouncementRow, version: &Version, tongue: Tongue) -> (String, &'static str) {
    if row.withdrawn.is_some() {
        let words = tongue.say("đã thu hồi trước khi duyệt", "taken back before its approval");
        return (words.to_owned(), "kept");
    }
    let past = row.at.is_some_and(|at| at <= utc_now());
    let (vi, en, class) = match version {
        Version::Text(_) => ("chưa có bản ghi", "has no recording", "warn"),
        Version::Draft(_) if past => {
            ("đã quá giờ phát mà chưa ai nghe lại", "its time passed before its review", "bad")
        }
        Version::Draft(_) => (
            "chờ người khác nghe lại, rồi lãnh đạo ký duyệt",
            "waits for somebody to review it, and for a leader after that",
            "warn",
        ),
        Version::Reviewed(_) if past => {
            ("đã quá giờ phát mà chưa được duyệt", "its time passed before its approval", "bad")
        }
        Version::Reviewed(_) => ("chờ lãnh đạo duyệt", "waits for a leader to approve it", "warn"),
        Version::Approved(_) if row.at.is_none() => {
            ("đã duyệt, giờ này không phát được: hãy chọn giờ", "approved, needs a time", "bad")
        }
        Version::Approved(_) => ("đã duyệt", "approved", "good"),
        Version::Withdrawn(_) => ("đã thu hồi", "withdrawn", "kept"),
    };
    (tongue.say(vi, en).to_owned(), class)
}

#[derive(Template)]
#[template(path = "announcement.html")]
struct Page {
    frame: Frame,
    id: BulletinId,
    script: String,
    language: String,
    place: String,
    player: Player,
    progress: String,
    steps: Steps,
    comments: Vec<String>,
    seen: Digest,
    heard: Heard,
    /// Who took it back before it was approved, and why.
    withdrawn: Option<String>,
    /// Where an approved one is taken back, for those who may.
    withdrawal: Option<String>,
    back: Back,
}

/// What came of a form, where it did not work: nothing that was typed is lost.
#[derive(Clone, Default)]
struct Back {
    fault: Option<String>,
    comment: String,
    reason: String,
    /// What was said of having heard it.
    heard: String,
    when: String,
    at: String,
}

/// What the visitor may do now.
#[expect(clippy::struct_excessive_bools, reason = "one for each form of the page")]
#[derive(Clone, Copy, Default)]
struct Steps {
    review: bool,
    approve: bool,
    send_back: bool,
    move_time: bool,
    withdraw: bool,
}

#[derive(Template)]
#[template(path = "announcement_progress.html")]
struct Progress {
    tongue: Tongue,
    state: (String, &'static str),
    when: String,
    speakers: Vec<(String, String, &'static str)>,
}

/// One announcement.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
) -> Result<Response, Fault> {
    page(&site, &visitor, &id, Back::default()).await
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    id: &BulletinId,
    back: Back,
) -> Result<Response, Fault> {
    let town = town(site).await?;
    let row = opened(site, &town, visitor, id).await?;
    let version = site.station.announced(id).await?;
    let bulletin = site.station.bulletin(id).await?;
    let content = version.content().ok_or_else(|| ServerError::NoRecording)?;
    let names = &town.schedule.lists.languages;
    let language = &content.text.language;
    let comments =
        version.returns().all().iter().map(|one| format!("{}: {}", one.step.by, one.comment));
    let live = format!("/announcements/{id}/live");
    let approved = matches!(version, Version::Approved(_));
    let withdraws = approved && may_here(&town, visitor, Action::Approve, &row.area);
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, bulletin.title.to_string()).live(live),
        id: id.clone(),
        script: content.text.script.to_string(),
        language: visitor.tongue.say(names.vi(language), names.en(language)).to_owned(),
        place: places(&town, &row),
        player: Player::of(site, &content.spoken.recording, visitor.tongue).await?,
        progress: progress(site, &town, &row, &version, visitor.tongue).await?,
        steps: steps(&town, visitor, &row, &version),
        comments: comments.collect(),
        seen: Aim::mark(&bulletin, Some(&version), Some(&row)),
        heard: Heard::of(&back.heard, Some(&content.spoken.recording)),
        withdrawn: row.withdrawn.as_ref().map(|held| format!("{}: {}", held.by, held.reason)),
        withdrawal: withdraws.then(|| format!("/bulletins/{id}/{language}#withdraw")),
        back,
    }))
}

/// The announcement, for somebody who may hear it.
async fn opened(
    site: &Site,
    town: &Town,
    visitor: &Visitor,
    id: &BulletinId,
) -> Result<AnnouncementRow, Fault> {
    let row = site.station.announcement(id).await?;
    let (who, chain) = (visitor.who()?, town.schedule.tree.chain(&row.area));
    who.duties.allow(who.person.id.as_str(), Action::Listen, &chain).map_err(ServerError::from)?;
    Ok(row)
}

fn steps(town: &Town, visitor: &Visitor, row: &AnnouncementRow, version: &Version) -> Steps {
    let may = |action| may_here(town, visitor, action, &row.area);
    let me = visitor.signed_in.as_ref().map(|who| &who.person.id);
    let own = version.spoken().map(|spoken| &spoken.announcer) == me;
    let (draft, reviewed) =
        (matches!(version, Version::Draft(_)), matches!(version, Version::Reviewed(_)));
    let heard = matches!(version, Version::Approved(_)) && row.at.is_some_and(|at| at <= utc_now());
    let gone = matches!(version, Version::Withdrawn(_));
    let made = me == Some(&row.by) && may(Action::Announce);
    if row.withdrawn.is_some() {
        return Steps::default();
    }
    Steps {
        review: draft && !own && may(Action::Review),
        approve: reviewed && !own && may(Action::Approve),
        send_back: (draft || reviewed) && !own && may(Action::Review),
        move_time: may(Action::Announce) && !heard && !gone,
        withdraw: (draft || reviewed) && (made || may(Action::Approve)),
    }
}

async fn progress(
    site: &Site,
    town: &Town,
    row: &AnnouncementRow,
    version: &Version,
    tongue: Tongue,
) -> Result<String, Fault> {
    let programme: ProgrammeId = row.bulletin.as_str().parse().expect("both are slugs");
    let mut speakers = Vec::new();
    let ids = row.villages.iter().flat_map(|village| town.controllers(village));
    for id in ids.collect::<std::collections::BTreeSet<_>>() {
        let day = std::time::Duration::from_hours(24 * 8);
        let lines = site.station.lines_at(&id, row.made, row.made + day).await?;
        let line = lines.into_iter().rfind(|line| line.airing.programme == programme);
        let playing = town.playing(&id).is_some_and(|now| now.starts_with(row.bulletin.as_str()));
        let (vi, en, class) = match line.map(|line| line.fate) {
            _ if playing => ("đang phát", "playing", "good"),
            Some(Fate::Completed) => ("đã phát trọn", "completed", "good"),
            Some(Fate::Planned) => ("đã nhận lịch", "scheduled", "good"),
            Some(other) => (other.vi(), other.as_str(), "warn"),
            None => ("chưa có trong lịch", "not in its schedule yet", "kept"),
        };
        speakers.push((town.place(&id), tongue.say(vi, en).to_owned(), class));
    }
    frame::part(&Progress {
        tongue,
        state: state(row, version, tongue),
        when: when(site, row, tongue),
        speakers,
    })
}

/// How far it is, fresh.
pub(super) async fn live(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
) -> Result<Response, Fault> {
    opened(&site, &*town(&site).await?, &visitor, &id).await?;
    let key = format!("announcement {id} {}", visitor.tongue);
    Ok(live::stream(site, &key, move |site| {
        let (id, tongue) = (id.clone(), visitor.tongue);
        async move {
            let town = town(&site).await?;
            let row = site.station.announcement(&id).await?;
            let version = site.station.announced(&id).await?;
            let progress = progress(&site, &town, &row, &version, tongue).await?;
            Ok(Parts::from([("progress", progress)]))
        }
    }))
}

/// Back to the page, with the reason and what was typed where it did not work.
async fn after(
    site: &Site,
    visitor: &Visitor,
    id: &BulletinId,
    done: Result<(), Fault>,
    typed: Back,
) -> Result<Response, Fault> {
    let Err(fault) = done else {
        return Ok(Redirect::to(&format!("/announcements/{id}")).into_response());
    };
    let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
    let back = Back { fault: Some(sentence), ..typed };
    Ok((fault.status, page(site, visitor, id, back).await?).into_response())
}

/// What a person saw when they pressed, and what they wrote.
#[derive(Deserialize)]
pub(super) struct Judged {
    seen: Digest,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    passphrase: String,
    /// What they say of having heard it.
    #[serde(default)]
    heard: String,
}

/// Somebody listened back.
pub(super) async fn review(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let version = site.station.announced(&id).await?;
    let aim = Aim::at(&id, &version.text().language).seen(judged.seen);
    let recording = version.spoken().map(|spoken| &spoken.recording);
    let done = match Heard::enough(&judged.heard, recording) {
        Ok(()) => site.station.review(aim, by).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    let typed = Back { heard: judged.heard, ..Back::default() };
    after(&site, &visitor, &id, done, typed).await
}

/// Somebody listened back and found it wrong.
pub(super) async fn send_back(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let language = site.station.announced(&id).await?.text().language.clone();
    let aim = Aim::at(&id, &language).seen(judged.seen);
    let done = match judged.comment.parse() {
        Ok(comment) => site.station.send_back(aim, by, comment).await.map_err(Fault::from),
        Err(_) => Err(Fault::bad("Hãy ghi điều cần sửa.", "Write what to change.")),
    };
    let typed = Back { comment: judged.comment, ..Back::default() };
    after(&site, &visitor, &id, done, typed).await
}

/// A leader signs.
pub(super) async fn approve(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let version = site.station.announced(&id).await?;
    let aim = Aim::at(&id, &version.text().language).seen(judged.seen);
    let recording = version.spoken().map(|spoken| &spoken.recording);
    let done = match Heard::enough(&judged.heard, recording) {
        Ok(()) => {
            let done = site.station.approve(aim, by, &judged.passphrase).await;
            done.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    let typed = Back { heard: judged.heard, ..Back::default() };
    after(&site, &visitor, &id, done, typed).await
}

/// Its maker, or who may approve it, takes back one that nobody approved yet.
pub(super) async fn withdraw(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match judged.comment.parse() {
        Ok(reason) => {
            let seen = Some(judged.seen);
            let done = site.station.withdraw_announcement(&id, seen, by, reason).await;
            done.map_err(Fault::from)
        }
        Err(_) => Err(Fault::bad("Hãy ghi lý do thu hồi.", "Write why it is taken back.")),
    };
    let typed = Back { reason: judged.comment, ..Back::default() };
    after(&site, &visitor, &id, done, typed).await
}

/// Another time.
#[derive(Deserialize)]
pub(super) struct Moved {
    seen: Digest,
    #[serde(default)]
    at: String,
    when: String,
}

/// Gives it another time.
pub(super) async fn move_time(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
    Form(moved): Form<Moved>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match making::time(&site, &moved.when, &moved.at) {
        Ok(at) => {
            let done = site.station.move_announcement(&id, Some(moved.seen), at, by).await;
            done.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    let typed = Back { when: moved.when, at: moved.at, ..Back::default() };
    after(&site, &visitor, &id, done, typed).await
}
