//! Recordings sent piece by piece: create, send from an offset, ask for the offset after a cut.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use crate::access::Action;
use crate::digest::Digest;
use crate::id::UploadId;
use crate::server::{ServerError, UPLOAD_BYTES_MAX, Upload, Writing};
use crate::time::Timestamp;
use crate::web::api::document::{Told, header};
use crate::web::api::fleet::{DONE, Done};
use crate::web::api::operation::{Call, Line, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::schedule::apart;
use crate::web::api::words::{Instant, Sha256, Slug};

const OFFSET: &str = "upload-offset";
const LENGTH: &str = "upload-length";
/// Any bytes; tus calls them its own kind.
const PIECES: [&str; 2] = ["application/octet-stream", "application/offset+octet-stream"];

/// A piece that stands still for this long is given up; what came of it is kept.
const STILL: std::time::Duration = std::time::Duration::from_secs(30);

const fn line(
    method: Method,
    path: &'static str,
    id: &'static str,
    says: &'static str,
    status: StatusCode,
) -> Line {
    Line { method, path, scope: Some(Action::Upload), id, says, status }
}

pub(super) fn add(table: Table) -> Table {
    let one = "/uploads/{upload}";
    let begin = Line {
        status: StatusCode::CREATED,
        ..act(
            "/uploads",
            Action::Upload,
            "begin-upload",
            "Announce a recording: its length and its SHA-256",
        )
    };
    let piece = line(
        Method::PATCH,
        one,
        "send-piece",
        "Send bytes from the offset on; the last one is believed only where the whole has the announced digest",
        StatusCode::NO_CONTENT,
    );
    let offset =
        line(Method::HEAD, one, "offset", "How far it is: headers alone", StatusCode::NO_CONTENT);
    let forget = line(Method::DELETE, one, "forget-upload", "Forget it", StatusCode::OK);
    table
        .write(begin, create)
        .read(look(one, Action::Upload, "upload", "How far it is"), show)
        .raw(offset, Told { parameters: vec![], body: None, answer: at_offset() }, headers)
        .raw(
            piece,
            Told {
                parameters: vec![header(OFFSET, true, &json!({ "type": "integer", "minimum": 0 }))],
                body: Some(json!({
                    "required": true,
                    "content": { (PIECES[0]): { "schema": { "type": "string", "format": "binary" } } },
                })),
                answer: at_offset(),
            },
            send,
        )
        .write(forget, drop_it)
}

fn at_offset() -> Value {
    let number = json!({ "required": true, "schema": { "type": "integer" } });
    json!({ "description": "Where it is", "headers": { "Upload-Offset": number, "Upload-Length": number } })
}

/// A recording that is to come.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Announced {
    /// Its bytes.
    #[schemars(range(min = 1, max = UPLOAD_BYTES_MAX))]
    length: u64,
    /// What they will be.
    #[schemars(with = "Sha256")]
    sha256: Digest,
}

/// An upload.
#[derive(Serialize, JsonSchema)]
struct Shown {
    #[schemars(with = "Slug")]
    upload: UploadId,
    offset: u64,
    length: u64,
    /// Whether the whole is here and is what was announced.
    whole: bool,
    /// When it is forgotten.
    #[schemars(with = "Instant")]
    ends: Timestamp,
}

fn shown(upload: &Upload) -> Shown {
    Shown {
        upload: upload.id.clone(),
        offset: upload.offset,
        length: upload.length,
        whole: upload.offset == upload.length,
        ends: upload.ends(),
    }
}

async fn create(call: Call<Nothing, Announced>) -> Result<Shown, Problem> {
    let Announced { length, sha256 } = call.input;
    let (site, by) = (call.site, call.who.person.id);
    let begun = apart(move || site.station.begin_upload(&by, length, sha256)).await??;
    Ok(shown(&begun))
}

/// An upload.
#[derive(Deserialize, JsonSchema)]
struct Which {
    #[schemars(with = "Slug")]
    upload: UploadId,
}

async fn show(call: Call<Which, Nothing>) -> Result<Shown, Problem> {
    Ok(shown(&call.station().upload(&call.path.upload, call.by())?))
}

async fn headers(call: Call<Which, Parts>, _: Body) -> Result<Response, Problem> {
    Ok(answer(&call.station().upload(&call.path.upload, call.by())?))
}

fn answer(upload: &Upload) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(OFFSET), HeaderValue::from(upload.offset));
    headers.insert(HeaderName::from_static(LENGTH), HeaderValue::from(upload.length));
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn send(call: Call<Which, Parts>, body: Body) -> Result<Response, Problem> {
    let headers = &call.input.headers;
    let kind = headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if !PIECES.iter().any(|known| kind == known.as_bytes()) {
        let vi = format!("Hãy gửi với Content-Type: {}.", PIECES[0]);
        let en = format!("send the bytes with Content-Type: {}", PIECES[0]);
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind", &vi, &en));
    }
    let offset = headers.get(OFFSET).and_then(|value| value.to_str().ok()?.parse().ok());
    let offset: u64 = offset.ok_or_else(|| {
        Problem::unreadable("Upload-Offset must be a number: where these bytes begin")
    })?;
    let mut writing = call.station().write_upload(&call.path.upload, call.by(), offset)?;
    let mut pieces = body.into_data_stream();
    loop {
        let piece = tokio::time::timeout(STILL, pieces.next()).await;
        // A link that broke or stands still: what came is kept, and the next piece goes on there.
        let Ok(Some(Ok(bytes))) = piece else { break };
        let added: Result<Writing, ServerError> = apart(move || {
            writing.add(&bytes)?;
            Ok(writing)
        })
        .await?;
        writing = added?;
    }
    let ended: Upload = apart(move || writing.end()).await??;
    Ok(answer(&ended))
}

async fn drop_it(call: Call<Which, Nothing>) -> Result<Done, Problem> {
    call.station().drop_upload(&call.path.upload, call.by())?;
    Ok(DONE)
}
