//! The schedule files of the station, as people write them: looked at, changed, checked together.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::digest::Digest;
use crate::server::ServerError;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::{Visitor, encoded};

#[derive(Template)]
#[template(path = "administration/files.html")]
struct List {
    frame: Frame,
    tabs: Vec<Entry>,
    files: Vec<(String, String, usize)>,
}

/// Every file.
pub(in crate::web) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    let files = site.station.store.schedule_files().await?;
    let listed = files.into_iter().map(|(name, body)| (encoded(&name), name, body.lines().count()));
    Ok(frame::page(&List {
        frame: Frame::new(&site, &visitor, visitor.tongue.say("Tệp lịch", "Schedule files")),
        tabs: super::tabs(&visitor),
        files: listed.collect(),
    }))
}

#[derive(Template)]
#[template(path = "administration/file.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    path: String,
    text: String,
    /// The digest of what this person saw.
    before: Digest,
    faults: Vec<String>,
    lines: usize,
}

async fn held(site: &Site, name: &str) -> Result<String, Fault> {
    let files = site.station.store.schedule_files().await?;
    let found = files.into_iter().find(|(held, _)| held == name);
    found.map(|(_, body)| body).ok_or_else(Fault::not_found)
}

/// One file.
pub(in crate::web) async fn edit(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    let text = held(&site, &name).await?;
    let before = Digest::of(text.as_bytes());
    Ok(frame::page(&page(&site, &visitor, &name, text, (before, vec![]))))
}

fn page(
    site: &Site,
    visitor: &Visitor,
    name: &str,
    text: String,
    (before, faults): (Digest, Vec<String>),
) -> Page {
    Page {
        frame: Frame::new(site, visitor, name.to_owned()),
        tabs: super::tabs(visitor),
        path: encoded(name),
        lines: text.lines().count().clamp(8, 40),
        text,
        before,
        faults,
    }
}

/// A file as somebody wants it.
#[derive(Deserialize)]
pub(in crate::web) struct Wanted {
    text: String,
    before: Digest,
}

/// Takes a file over, or says everything that is wrong with it; what was typed stays.
pub(in crate::web) async fn change(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    held(&site, &name).await?;
    let by = &visitor.who()?.person.id;
    let done = site.station.change_file(&name, wanted.before, &wanted.text, by).await;
    let (status, faults) = match done {
        Ok(()) => {
            site.looked.forget();
            return Ok(Redirect::to("/administration/files").into_response());
        }
        Err(ServerError::Faults(faults)) => {
            let said = faults.0.iter().map(ToString::to_string).collect();
            (axum::http::StatusCode::UNPROCESSABLE_ENTITY, said)
        }
        Err(ServerError::Changed { .. }) => {
            let said = visitor.tongue.say(
                "Người khác vừa sửa tệp này. Những gì bạn gõ vẫn ở dưới; hãy chép lại, mở tệp mới và \
                 sửa tiếp.",
                "Somebody else changed this file meanwhile. What you typed stays below; copy it, open \
                 the file anew and go on.",
            );
            (axum::http::StatusCode::CONFLICT, vec![said.to_owned()])
        }
        Err(error) => return Err(error.into()),
    };
    let page = page(&site, &visitor, &name, wanted.text, (wanted.before, faults));
    Ok((status, frame::page(&page)).into_response())
}
