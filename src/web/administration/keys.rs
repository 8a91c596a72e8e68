//! Whose keys count until when, and which programs act for somebody.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::clock::utc_now;
use crate::id::TokenName;
use crate::time::Timestamp;
use crate::trust::{Grant, Role};
use crate::web::Site;
use crate::web::administration::devices::{SOON_DAYS, until};
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::sign_in::Onward;
use crate::web::token::{Listed, listed};
use crate::web::tongue::Tongue;

#[derive(Template)]
#[template(path = "administration/keys.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    version: u64,
    issued: String,
    roots: Vec<String>,
    root_threshold: u8,
    emergency_threshold: u8,
    keys: Vec<Key>,
    tokens: Vec<Listed>,
    revoke: &'static str,
    back: String,
    authority: Option<String>,
}

struct Key {
    name: String,
    role: &'static str,
    areas: String,
    until: String,
    class: &'static str,
    fingerprint: String,
}

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    let (tongue, now, zone) = (visitor.tongue, utc_now(), site.station.config.zone);
    let trust = site.station.trust().await?.0;
    let mut keys: Vec<&Grant> = trust.keys.iter().collect();
    keys.sort_by_key(|grant| grant.until);
    let key = |grant: &Grant| Key {
        name: grant.key.name().to_string(),
        role: role(grant.role, tongue),
        areas: grant.areas.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        until: until(grant.until, zone, now, tongue),
        class: class(grant.until, now),
        fingerprint: grant.key.fingerprint(),
    };
    let tokens = site.station.tokens_of(None).await?;
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, tongue.say("Khoá và mã truy cập", "Keys and tokens")),
        tabs: super::tabs(&visitor),
        version: trust.version,
        issued: zone.local(trust.issued).format("%d/%m/%Y %H:%M").to_string(),
        roots: trust.roots.iter().map(crate::note::PublicKey::fingerprint).collect(),
        root_threshold: trust.root_threshold,
        emergency_threshold: trust.emergency_threshold,
        keys: keys.into_iter().map(key).collect(),
        tokens: listed(tokens, zone, now, tongue),
        revoke: "/administration/tokens",
        back: "/administration/keys".to_owned(),
        authority: crate::broker::fingerprint(site.station.authority()?.certificate()),
    }))
}

fn role(role: Role, tongue: Tongue) -> &'static str {
    match role {
        Role::Root => tongue.say("khoá gốc", "root"),
        Role::Content => tongue.say("duyệt nội dung", "approves content"),
        Role::Emergency => tongue.say("khẩn cấp", "emergencies"),
        Role::Schedule => tongue.say("ký lịch (máy chủ)", "signs schedules (server)"),
        Role::Time => tongue.say("trả lời giờ (máy chủ)", "answers the time (server)"),
        Role::Ack => tongue.say("xác nhận biên nhận (máy chủ)", "acknowledges receipts (server)"),
        Role::Log => tongue.say("ký nhật ký (máy chủ)", "signs the log (server)"),
        Role::Device => tongue.say("thiết bị", "device"),
    }
}

fn class(until: Timestamp, now: Timestamp) -> &'static str {
    let days = (until.seconds() - now.seconds()) / 86_400;
    match days {
        ..0 => "bad",
        0..=SOON_DAYS => "warn",
        _ => "good",
    }
}

/// Takes a token of somebody back whom the visitor administers.
pub(in crate::web) async fn revoke_token(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(token): Path<TokenName>,
    Form(next): Form<Onward>,
) -> Result<Response, Fault> {
    site.station.revoke_token(&token, Some(&visitor.who()?.person.id)).await?;
    Ok(Redirect::to(&next.path()).into_response())
}
