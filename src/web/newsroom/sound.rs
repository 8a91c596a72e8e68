//! A recording for a version: taken to disk as it comes, made broadcast-ready while its page tells
//! how far that is.

use std::sync::Arc;

use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::Action;
use crate::bulletin::version::Voice;
use crate::digest::Digest;
use crate::server::{Aim, NewSound, ServerError};
use crate::web::Site;
use crate::web::announcement::kept;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;
use crate::web::newsroom::stock::stock;
use crate::web::newsroom::take::{Key, Take};
use crate::web::newsroom::version::{Back, Place, page};

/// Bytes of a field beside the recording at most.
const FIELD_BYTES_MAX: usize = 1024;

/// What a form brought.
#[derive(Default)]
struct Sent {
    source: Option<Digest>,
    voice: Option<Voice>,
    seen: Option<Digest>,
}

/// Takes a recording in.
pub(super) async fn upload(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    form: Multipart,
) -> Result<Response, Fault> {
    let stock = stock(&site).await?;
    let item = stock.item(&place.bulletin)?;
    if !stock.may(&visitor, Action::Record, item.bulletin.area.as_ref()) {
        return Err(Fault::denied(Action::Record));
    }
    let begun = match received(&site, form).await {
        Ok(sent) => begin(&site, &visitor, &place, &sent),
        Err(fault) => Err(fault),
    };
    match begun {
        Ok(()) => Ok(Redirect::to(&place.path()).into_response()),
        Err(fault) => page(&site, &visitor, &place, Back::refused(&fault, visitor.tongue)).await,
    }
}

async fn received(site: &Site, mut form: Multipart) -> Result<Sent, Fault> {
    let mut sent = Sent::default();
    while let Some(mut field) = form.next_field().await.map_err(|_| Fault::broken_off())? {
        match field.name().unwrap_or_default() {
            "recording" => sent.source = kept(site, &mut field).await?.or(sent.source),
            "source" => sent.source = text(field).await?.parse().ok(),
            "seen" => sent.seen = text(field).await?.parse().ok(),
            "voice" => {
                let word = text(field).await?;
                sent.voice = Voice::ALL.into_iter().find(|voice| voice.word() == word);
            }
            _ => {}
        }
    }
    Ok(sent)
}

async fn text(mut field: Field<'_>) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(more) = field.chunk().await.map_err(|_| Fault::broken_off())? {
        bytes.extend_from_slice(&more);
        if bytes.len() > FIELD_BYTES_MAX {
            return Err(Fault::broken_off());
        }
    }
    String::from_utf8(bytes).map_err(|_| Fault::broken_off())
}

/// Starts the work; the page of the version tells how far it is.
fn begin(site: &Arc<Site>, visitor: &Visitor, place: &Place, sent: &Sent) -> Result<(), Fault> {
    let source = sent.source.ok_or_else(|| {
        Fault::bad("Hãy ghi âm hoặc chọn một tệp trước.", "Record or choose a file first.")
    })?;
    let (Some(voice), Some(seen)) = (sent.voice, sent.seen) else {
        return Err(Fault::bad(
            "Hãy mở lại trang rồi gửi lại.",
            "Open the page again, and send it.",
        ));
    };
    let path = site.station.originals.find(source).ok_or(ServerError::NoRecording)?;
    let by = visitor.who()?.person.id.clone();
    let key: Key = (place.bulletin.clone(), place.language.clone(), by);
    let take = Take::new(source, voice);
    let sound = site.sound.told_to(&take.progress);
    site.takes.begin(key.clone(), take);
    let site = Arc::clone(site);
    tokio::spawn(async move {
        let _place = site.heavy.acquire().await;
        let aim = Aim::at(&key.0, &key.1).seen(seen);
        let new = NewSound { file: &path, voice };
        let made = site.station.record(aim, new, &key.2, &sound).await;
        site.takes.end(&key, source, made.err().map(Fault::from));
    });
    Ok(())
}
