//! Recordings: taken in as they come, played as they came and as they will be heard.

use std::sync::Arc;

use axum::extract::{Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::bulletin::version::Recording;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::AreaId;
use crate::server::{Judged, ServerError};
use crate::web::Site;
use crate::web::announcement::making;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// A recording with what was measured and found.
pub(super) struct Player {
    pub(super) source: Digest,
    pub(super) asset: Digest,
    pub(super) length: String,
    /// Whether the original is still here.
    pub(super) original: bool,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) verdict: String,
    pub(super) class: &'static str,
    pub(super) problems: Vec<String>,
}

impl Player {
    /// The recording that was made of this original.
    pub(super) async fn of_source(
        site: &Site,
        source: Digest,
        tongue: Tongue,
    ) -> Result<Self, Fault> {
        let recording = site.station.recording_of(source).await?;
        Self::of(site, &recording, tongue).await
    }

    /// A recording of the station.
    pub(super) async fn of(
        site: &Site,
        recording: &Recording,
        tongue: Tongue,
    ) -> Result<Self, Fault> {
        let judged = site.station.judged(recording).await?;
        let loudness = |of: fn(&Judged) -> Option<f64>| {
            let found = judged.as_ref().and_then(of);
            let unknown = || tongue.say("quá nhỏ để đo", "too soft to measure").to_owned();
            found.map_or_else(unknown, |lufs| format!("{lufs:.1} LUFS").replace('-', "−"))
        };
        let problem = |one: &crate::server::Told| tongue.say(&one.vi, &one.en).to_owned();
        let verdict = |one: &Judged| tongue.say(&one.verdict_vi, &one.verdict).to_owned();
        let class = match judged.as_ref().map(|one| one.verdict.as_str()) {
            Some("good") | None => "good",
            Some("usable") => "warn",
            Some(_) => "bad",
        };
        Ok(Self {
            source: recording.source,
            asset: recording.asset,
            length: format!(
                "{}:{:02}",
                recording.length_ms / 60_000,
                recording.length_ms / 1000 % 60
            ),
            original: site.station.originals.find(recording.source).is_some(),
            before: loudness(|one| one.before_lufs),
            after: loudness(|one| one.after_lufs),
            verdict: judged.as_ref().map(verdict).unwrap_or_default(),
            class,
            problems: judged.iter().flat_map(|one| &one.problems).map(problem).collect(),
        })
    }
}

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
    let broken = || {
        Fault::bad(
            "Bản ghi bị đứt giữa chừng khi gửi; hãy gửi lại.",
            "The recording broke off on its way; send it again.",
        )
    };
    let originals = &site.station.originals;
    originals.sweep(utc_now()).map_err(ServerError::from)?;
    while let Some(mut field) = form.next_field().await.map_err(|_| broken())? {
        if field.name() != Some("recording") {
            continue;
        }
        let unique: [u8; 16] = entropy::bytes();
        let unique = Digest::of(&unique).to_string();
        let mut incoming = originals.begin(&unique).map_err(ServerError::from)?;
        while let Some(bytes) = field.chunk().await.map_err(|_| broken())? {
            if !incoming.write(&bytes).map_err(ServerError::from)? {
                return Err(Fault::bad(
                    "Tệp lớn hơn 320 MB; hãy cắt ngắn hoặc nén bản ghi.",
                    "The file is larger than 320 MB; shorten or compress the recording.",
                ));
            }
        }
        if incoming.bytes() == 0 {
            break;
        }
        return Ok(incoming.finish().map_err(ServerError::from)?);
    }
    Err(Fault::bad("Hãy ghi âm hoặc chọn một tệp trước.", "Record or choose a file first."))
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
