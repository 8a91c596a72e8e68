//! Making one: a recording first, then what it is, where and when.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::access::Action;
use crate::digest::Digest;
use crate::id::AreaId;
use crate::lang::LangTag;
use crate::server::{NewAnnouncement, ServerError};
use crate::time::Timestamp;
use crate::web::Site;
use crate::web::commune::{languages, may_here, town, villages};
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::player::Player;

#[derive(Template)]
#[template(path = "announcement_new.html")]
struct Page {
    frame: Frame,
    area: AreaId,
    player: Option<Player>,
    villages: Vec<(AreaId, String)>,
    languages: Vec<(LangTag, String)>,
    typed: Typed,
    fault: Option<String>,
    record: String,
}

/// Which recording.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    recording: Option<Digest>,
}

/// What was typed.
#[derive(Clone, Default)]
struct Typed {
    title: String,
    script: String,
    language: String,
    villages: Vec<String>,
    when: String,
    at: String,
}

impl Typed {
    fn read(fields: &[(String, String)]) -> Self {
        let one = |name: &str| {
            let found = fields.iter().find(|(held, _)| held == name);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let villages = fields.iter().filter(|(name, _)| name == "village");
        Self {
            title: one("title"),
            script: one("script"),
            language: one("language"),
            villages: villages.map(|(_, value)| value.clone()).collect(),
            when: one("when"),
            at: one("at"),
        }
    }

    fn has(&self, village: &AreaId) -> bool {
        self.villages.iter().any(|held| held == village.as_str())
    }

    fn announcement(&self, site: &Site, source: Digest) -> Result<NewAnnouncement, Fault> {
        let incomplete = || {
            Fault::bad(
                "Hãy ghi tên, lời thông báo, chọn ngôn ngữ và ít nhất một bản.",
                "Write title and text, choose a language and at least one village.",
            )
        };
        let villages: Vec<AreaId> =
            self.villages.iter().filter_map(|village| village.parse().ok()).collect();
        if villages.is_empty() {
            return Err(incomplete());
        }
        Ok(NewAnnouncement {
            title: self.title.parse().map_err(|_| incomplete())?,
            script: self.script.parse().map_err(|_| incomplete())?,
            language: self.language.parse().map_err(|_| incomplete())?,
            villages,
            at: time(site, &self.when, &self.at)?,
            source,
        })
    }
}

/// The instant that a form names; `None` for at once.
pub(super) fn time(site: &Site, when: &str, at: &str) -> Result<Option<Timestamp>, Fault> {
    if when != "at" {
        return Ok(None);
    }
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let mut read =
        formats.iter().filter_map(|format| chrono::NaiveDateTime::parse_from_str(at, format).ok());
    let local = read.next().and_then(|local| site.station.config.zone.instant(local));
    local.map(Some).ok_or_else(|| Fault::bad("Hãy chọn ngày và giờ.", "Choose a day and a time."))
}

/// The form: the recorder, and what comes of it.
pub(in crate::web) async fn form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    page(&site, &visitor, area, asked.recording, Typed::default(), None).await
}

pub(super) async fn refused(
    site: &Site,
    visitor: &Visitor,
    area: AreaId,
    fault: Fault,
) -> Result<Response, Fault> {
    let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
    let page = page(site, visitor, area, None, Typed::default(), Some(sentence)).await?;
    Ok((fault.status, page).into_response())
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    area: AreaId,
    source: Option<Digest>,
    typed: Typed,
    fault: Option<String>,
) -> Result<Response, Fault> {
    let town = town(site).await?;
    let held = town.schedule.tree.get(&area).ok_or_else(|| ServerError::NoArea(area.clone()))?;
    if !may_here(&town, visitor, Action::Announce, &area) {
        return Err(Fault::denied(Action::Announce));
    }
    let player = match source {
        Some(source) => Some(Player::of_source(site, source, visitor.tongue).await?),
        None => None,
    };
    let title = visitor.tongue.say("Thông báo", "Announcement");
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, format!("{title} – {}", held.name)),
        villages: villages(&town, &area),
        languages: languages(&town, &area, visitor.tongue),
        record: crate::web::assets::address("record.js"),
        area,
        player,
        typed,
        fault,
    }))
}

/// Makes the announcement.
pub(in crate::web) async fn make(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let typed = Typed::read(&fields);
    let source = fields.iter().find(|(name, _)| name == "recording");
    let source = source.and_then(|(_, digest)| digest.parse().ok());
    let source: Digest = source.ok_or_else(|| Fault::from(ServerError::NoRecording))?;
    let by = &visitor.who()?.person.id;
    let made = match typed.announcement(&site, source) {
        Ok(new) => site.station.announce(&area, new, by).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    match made {
        Ok(id) => Ok(Redirect::to(&format!("/announcements/{id}")).into_response()),
        Err(fault) => {
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            let page = page(&site, &visitor, area, Some(source), typed, Some(sentence)).await?;
            Ok((fault.status, page).into_response())
        }
    }
}
