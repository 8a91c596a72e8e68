//! One person: duties, keys, sessions, and how they come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::access::Duties;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::PersonId;
use crate::server::ERASED_NAME;
use crate::store::Person;
use crate::web::Site;
use crate::web::administration::people::{Line, Offer, duties_of, kept, lines, signs_in};
use crate::web::commune::town;
use crate::web::duty;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::token::{Listed, listed};
use crate::web::tongue::Tongue;

#[derive(Template)]
#[template(path = "administration/person.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    id: PersonId,
    duties: String,
    gone: bool,
    state: &'static str,
    offer: Offer,
    lines: Vec<Line>,
    sessions: Vec<Session>,
    tokens: Vec<Listed>,
    revoke: &'static str,
    back: String,
    keys: Vec<String>,
    /// Whether the visitor may have the name forgotten, and it is not yet.
    erasable: bool,
    /// What was just done, in a sentence.
    told: Option<&'static str>,
    fault: Option<String>,
    /// An invitation that was just made: its link.
    invitation: Option<String>,
}

struct Session {
    token: Digest,
    begun: String,
    seen: String,
    address: String,
    agent: String,
    proved: bool,
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    told: String,
}

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(person): Path<PersonId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let told = done(&asked.told, visitor.tongue);
    Ok(frame::page(&Page { told, ..page(&site, &visitor, &person).await? }))
}

/// What was done, in a sentence.
fn done(told: &str, tongue: Tongue) -> Option<&'static str> {
    Some(match told {
        "kept" => tongue.say(
            "Đã ghi. Người mới cần một lời mời để tự chọn mật khẩu.",
            "Kept. Somebody new needs an invitation to choose a password.",
        ),
        "trusted" => tongue.say(
            "Đã ghi; khoá mới đã vào danh mục khoá đã ký.",
            "Kept; the signed list of keys names the new key.",
        ),
        "waits" => tongue.say(
            "Đã ghi; khoá khẩn cấp có hiệu lực khi đủ số cán bộ trực.",
            "Kept; the key for emergencies counts once there are enough officers.",
        ),
        "ended" => tongue.say("Đã kết thúc phiên.", "The session was ended."),
        "gone" => tongue.say(
            "Đã lấy lại mọi nhiệm vụ, khoá, mã truy cập và phiên.",
            "Every duty, key, token and session was taken back.",
        ),
        "token" => tongue.say("Đã thu hồi mã truy cập.", "The token was taken back."),
        "erased" => tongue.say(
            "Đã xoá họ tên; nhật ký vẫn nguyên vẹn và ghi việc xoá này.",
            "The name is forgotten; the log is whole and tells of it.",
        ),
        _ => return None,
    })
}

async fn page(site: &Site, visitor: &Visitor, id: &PersonId) -> Result<Page, Fault> {
    let by = &visitor.who()?.person.id;
    let (person, duties) = site.station.person(id).await?;
    site.station.may_give(by, &duties).await?;
    let (zone, now, tongue) = (site.station.config.zone, utc_now(), visitor.tongue);
    let login = site.station.store.login(id).await?;
    let session = |row: crate::store::SessionRow| Session {
        token: row.token,
        begun: zone.local(row.begun).format("%d/%m/%Y %H:%M").to_string(),
        seen: tongue.ago(now.since(row.seen)),
        address: row.address,
        agent: row.agent,
        proved: row.second.is_some(),
    };
    let sessions = site.station.store.sessions(id).await?;
    let trust = site.station.trust().await?.0;
    let tail = format!("/{id}");
    let own = trust.keys.iter().filter(|grant| grant.key.name().as_str().ends_with(&tail));
    let key = |grant: &crate::trust::Grant| {
        let until = zone.local(grant.until).format("%d/%m/%Y");
        let said = tongue.say("có hiệu lực đến", "counts until");
        format!("{} {said} {until}", grant.key.name())
    };
    let (town, gone) = (town(site).await?, person.roles.is_empty());
    let tokens = site.station.tokens_of(Some(id)).await?;
    Ok(Page {
        frame: Frame::new(site, visitor, person.name.clone()),
        tabs: super::tabs(visitor),
        id: id.clone(),
        gone,
        erasable: gone && person.name != ERASED_NAME && super::whole(visitor).is_ok(),
        duties: duty::held(&duties, &town.schedule.tree, tongue),
        state: signs_in(login.as_ref(), tongue),
        offer: Offer::new(&town, visitor)?,
        lines: lines(&duties),
        sessions: sessions.into_iter().map(session).collect(),
        tokens: listed(tokens, zone, now, tongue),
        revoke: "/administration/tokens",
        back: format!("/people/{id}?told=token"),
        keys: own.map(key).collect(),
        told: None,
        fault: None,
        invitation: None,
    })
}

/// The same page with what could not be done.
async fn refused(
    site: &Site,
    visitor: &Visitor,
    id: &PersonId,
    fault: Fault,
) -> Result<Response, Fault> {
    let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
    let page = Page { fault: Some(sentence), ..page(site, visitor, id).await? };
    Ok((fault.status, frame::page(&page)).into_response())
}

/// Other duties.
pub(in crate::web) async fn change(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(person): Path<PersonId>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Fault> {
    match changed(&site, &visitor, &person, &form).await {
        Ok(told) => Ok(Redirect::to(&format!("/people/{person}?told={told}")).into_response()),
        Err(fault) => refused(&site, &visitor, &person, fault).await,
    }
}

async fn changed(
    site: &Site,
    visitor: &Visitor,
    id: &PersonId,
    form: &BTreeMap<String, String>,
) -> Result<&'static str, Fault> {
    site.station.may_manage(&visitor.who()?.person.id, id).await?;
    let (held, before) = site.station.person(id).await?;
    let duties = duties_of(form)?;
    if duties == Duties::default() {
        return Err(Fault::bad(
            "Hãy giữ ít nhất một nhiệm vụ, hoặc dùng “Lấy lại mọi nhiệm vụ”.",
            "Leave a duty at least, or use “Take every duty back”.",
        ));
    }
    // A duty that brings a key is taken back with the key, which needs the root key.
    let lost = [crate::access::Duty::Leader, crate::access::Duty::Officer];
    if lost.into_iter().any(|duty| before.hold(duty) && !duties.hold(duty)) {
        return Err(Fault::bad(
            "Nhiệm vụ lãnh đạo hoặc trực khẩn cấp có khoá riêng: hãy lấy lại mọi nhiệm vụ, rồi giao \
             lại các nhiệm vụ khác.",
            "Leader and officer hold keys: take every duty back, then give the others again.",
        ));
    }
    let person = Person { roles: duties.to_string(), ..held };
    kept(site, visitor, &person, &duties, form).await
}

/// Makes an invitation and shows its link this once.
pub(in crate::web) async fn invite(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(person): Path<PersonId>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let code = site.station.invite(&person, Some(by)).await?;
    // The guard has compared it with the host.
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let link = format!("{}/invitation?code={code}", origin.unwrap_or_default());
    let page = Page { invitation: Some(link), ..page(&site, &visitor, &person).await? };
    Ok(frame::page(&page))
}

/// Which session; every one where none is named.
#[derive(Deserialize)]
pub(in crate::web) struct Ended {
    #[serde(default)]
    token: String,
}

/// Ends a session of somebody else, or all.
pub(in crate::web) async fn end_session(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(person): Path<PersonId>,
    Form(ended): Form<Ended>,
) -> Result<Response, Fault> {
    let unknown = || {
        Fault::bad("Không có phiên này; hãy mở lại trang.", "No such session; open the page again.")
    };
    let only = match ended.token.as_str() {
        "" => None,
        token => Some(token.parse::<Digest>().map_err(|_| unknown())?),
    };
    let by = &visitor.who()?.person.id;
    site.station.end_sessions_of(&person, only, by).await?;
    Ok(Redirect::to(&format!("/people/{person}?told=ended")).into_response())
}

/// A passphrase for what the root key signs.
#[derive(Deserialize)]
pub(in crate::web) struct Rooted {
    #[serde(default)]
    root_passphrase: String,
}

/// Takes every duty, key and session from somebody.
pub(in crate::web) async fn end(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(person): Path<PersonId>,
    Form(rooted): Form<Rooted>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    if *by == person {
        let fault = Fault::bad(
            "Bạn không tự lấy lại nhiệm vụ của mình được; hãy nhờ một quản trị khác.",
            "Nobody takes their own duties back; let another administrator do it.",
        );
        return refused(&site, &visitor, &person, fault).await;
    }
    site.station.may_manage(by, &person).await?;
    let ended = site.station.revoke_person(&person, &rooted.root_passphrase, Some(by)).await;
    if let Err(error) = ended {
        return refused(&site, &visitor, &person, error.into()).await;
    }
    site.station.end_sessions_of(&person, None, by).await?;
    site.looked.forget();
    Ok(Redirect::to(&format!("/people/{person}?told=gone")).into_response())
}

/// Whether somebody has said that they know what it means.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Sure {
    sure: String,
}

/// Forgets the name of somebody who has no duties any more.
pub(in crate::web) async fn erase(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(person): Path<PersonId>,
    Form(Sure { sure }): Form<Sure>,
) -> Result<Response, Fault> {
    if sure != "yes" {
        let fault = Fault::bad(
            "Hãy đọc lời nhắc rồi đánh dấu ô xác nhận trước khi xoá họ tên.",
            "Read the warning and mark the box before the name is forgotten.",
        );
        return refused(&site, &visitor, &person, fault).await;
    }
    let by = &visitor.who()?.person.id;
    if let Err(error) = site.station.erase_person(&person, Some(by)).await {
        return refused(&site, &visitor, &person, error.into()).await;
    }
    site.looked.forget();
    Ok(Redirect::to(&format!("/people/{person}?told=erased")).into_response())
}
