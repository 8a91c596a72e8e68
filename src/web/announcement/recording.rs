//! Recordings: taken in as they come, played as they came and as they will be heard.

use std::sync::Arc;

use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::AreaId;
use crate::server::ServerError;
use crate::web::Site;
use crate::web::announcement::making;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;

/// Takes a recording in: to disk as it comes, then made broadcast-ready in a process of its own.
pub(in crate::web) async fn upload(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
    form: Multipart,
) -> Result<Response, Fault> {
    let by = visitor.who()?.person.id.clone();
    let taken = match received(&site, form).await {
        Ok(source) => {
            let path = site.station.originals.find(source).unwrap_or_default();
            let taken = site.station.take_recording(&area, &path, &by, &site.sound).await;
            taken.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match taken {
        Ok(ingested) => {
            let to = format!("/areas/{area}/announcement?recording={}", ingested.source);
            Ok(Redirect::to(&to).into_response())
        }
        Err(fault) => making::refused(&site, &visitor, area, fault).await,
    }
}

async fn received(site: &Site, mut form: Multipart) -> Result<Digest, Fault> {
    while let Some(mut field) = form.next_field().await.map_err(|_| Fault::broken_off())? {
        if field.name() == Some("recording")
            && let Some(source) = kept(site, &mut field).await?
        {
            return Ok(source);
        }
    }
    Err(Fault::bad("Hãy ghi âm hoặc chọn một tệp trước.", "Record or choose a file first."))
}

/// Writes what comes to disk; nothing where nothing comes.
pub(in crate::web) async fn kept(
    site: &Site,
    field: &mut Field<'_>,
) -> Result<Option<Digest>, Fault> {
    let originals = &site.station.originals;
    originals.sweep(utc_now()).map_err(ServerError::from)?;
    let unique: [u8; 16] = entropy::bytes();
    let mut incoming =
        originals.begin(&Digest::of(&unique).to_string()).map_err(ServerError::from)?;
    while let Some(bytes) = field.chunk().await.map_err(|_| Fault::broken_off())? {
        if !incoming.write(&bytes).map_err(ServerError::from)? {
            return Err(Fault::bad(
                "Tệp lớn hơn 320 MB; hãy cắt ngắn hoặc nén bản ghi.",
                "The file is larger than 320 MB; shorten or compress the recording.",
            ));
        }
    }
    if incoming.bytes() == 0 {
        return Ok(None);
    }
    Ok(Some(incoming.finish().map_err(ServerError::from)?))
}

/// What a recording of the station sounds like.
pub(in crate::web) async fn asset(
    State(site): State<Arc<Site>>,
    Path(asset): Path<Digest>,
) -> Result<Response, Fault> {
    let bytes = site.station.assets.read(asset).map_err(|_| Fault::not_found())?;
    Ok(played("audio/ogg", bytes))
}

/// What came from the browser.
pub(in crate::web) async fn original(
    State(site): State<Arc<Site>>,
    Path(source): Path<Digest>,
) -> Result<Response, Fault> {
    let path = site.station.originals.find(source).ok_or_else(Fault::not_found)?;
    let bytes = tokio::fs::read(&path).await.map_err(|_| Fault::not_found())?;
    Ok(played(kind(&bytes), bytes))
}

fn played(kind: &'static str, bytes: Vec<u8>) -> Response {
    // A name is a digest, so what it names never changes; only who may hear it.
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, max-age=3600")];
    (StatusCode::OK, headers, bytes).into_response()
}

/// What a browser should take it for; it is told to guess nothing.
fn kind(bytes: &[u8]) -> &'static str {
    let at = |from: usize, mark: &[u8]| bytes.get(from..from + mark.len()) == Some(mark);
    if at(0, b"\x1aE\xdf\xa3") {
        "audio/webm"
    } else if at(0, b"OggS") {
        "audio/ogg"
    } else if at(0, b"RIFF") {
        "audio/wav"
    } else if at(0, b"fLaC") {
        "audio/flac"
    } else if at(4, b"ftyp") {
        "audio/mp4"
    } else {
        "audio/mpeg"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_what_it_recorded_itself() {
        assert_eq!(kind(b"\x1aE\xdf\xa3...."), "audio/webm");
        assert_eq!(kind(b"....ftypM4A "), "audio/mp4");
        assert_eq!(kind(b"RIFF"), "audio/wav");
        assert_eq!(kind(b""), "audio/mpeg");
    }
}
