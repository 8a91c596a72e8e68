//! Listening back: accepted, returned with a comment, signed, taken back.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::bulletin::Comment;
use crate::digest::Digest;
use crate::server::Aim;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;
use crate::web::newsroom::version::{Back, Place, page};
use crate::web::player::Heard;

/// What a person saw when they pressed, and what they wrote.
#[derive(Deserialize)]
pub(super) struct Judged {
    seen: Digest,
    #[serde(default)]
    from: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    passphrase: String,
    /// What they say of having heard it.
    #[serde(default)]
    heard: String,
}

impl Judged {
    fn comment(&self) -> Result<Comment, Fault> {
        let empty =
            |_| Fault::bad("Hãy ghi điều cần sửa hoặc lý do.", "Write what to change, or why.");
        self.comment.parse().map_err(empty)
    }
}

/// Somebody listened back.
pub(super) async fn review(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match heard(&site, &place, &judged).await {
        Ok(()) => site.station.review(place.aim(judged.seen), by).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    after(&site, &visitor, &place, judged, done, "reviewed").await
}

/// Somebody listened back and found it wrong.
pub(super) async fn send_back(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match judged.comment() {
        Ok(comment) => {
            let done = site.station.send_back(place.aim(judged.seen), by, comment).await;
            done.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    after(&site, &visitor, &place, judged, done, "returned").await
}

/// A leader signs what they heard.
pub(super) async fn approve(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match heard(&site, &place, &judged).await {
        Ok(()) => {
            let done = site.station.approve(place.aim(judged.seen), by, &judged.passphrase).await;
            done.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    after(&site, &visitor, &place, judged, done, "approved").await
}

/// A leader takes it back.
pub(super) async fn withdraw(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Form(judged): Form<Judged>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match judged.comment() {
        Ok(reason) => {
            let done = site.station.withdraw(place.aim(judged.seen), by, reason).await;
            done.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    after(&site, &visitor, &place, judged, done, "withdrawn").await
}

/// Refuses who does not say that they heard the recording as it is now.
async fn heard(site: &Site, place: &Place, judged: &Judged) -> Result<(), Fault> {
    let version = site.station.version(&place.bulletin, &place.language).await?;
    let recording = version.spoken().map(|spoken| &spoken.recording);
    Heard::enough(&judged.heard, recording)
}

impl Place {
    fn aim(&self, seen: Digest) -> Aim<'_> {
        Aim::at(&self.bulletin, &self.language).seen(seen)
    }
}

/// On to the next that waits, or back to the page with the reason.
async fn after(
    site: &Arc<Site>,
    visitor: &Visitor,
    place: &Place,
    judged: Judged,
    done: Result<(), Fault>,
    told: &'static str,
) -> Result<Response, Fault> {
    match done {
        Ok(()) if judged.from == "inbox" => {
            Ok(Redirect::to(&format!("/inbox?told={told}")).into_response())
        }
        Ok(()) => Ok(Redirect::to(&place.path()).into_response()),
        Err(fault) => {
            let back = Back::refused(&fault, visitor.tongue);
            let back =
                Back { comment: judged.comment, heard: judged.heard, from: judged.from, ..back };
            page(site, visitor, place, back).await
        }
    }
}
