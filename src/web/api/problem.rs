//! What went wrong, as RFC 9457 asks for it: a stable code, a sentence in both languages.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Denied;
use crate::config::Faults;
use crate::schedule::edit::NotEdited;
use crate::server::{ServerError, TokenError, UploadError};
use crate::store::StoreError;
use crate::web::api::words::Whole;
use crate::web::fault::Fault;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(in crate::web) struct Problem {
    told: Box<Told>,
    /// Seconds to wait before the next try.
    retry_s: Option<u64>,
}

/// Why it was not done, and what to do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Told {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// A stable word for programs.
    code: String,
    /// What is wrong and what to do.
    detail: String,
    /// The same in Vietnamese.
    detail_vi: String,
    /// Faults in files, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    faults: Vec<FileFault>,
    /// What is there now, where somebody else changed it meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Whole>")]
    now: Option<serde_json::Value>,
}

/// A fault in a file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct FileFault {
    /// Which file.
    file: String,
    /// Which line.
    line: u64,
    /// What is wrong and what to do.
    sentence: String,
}

pub(super) fn file_faults(faults: &Faults) -> Vec<FileFault> {
    let fault = |fault: &crate::config::Fault| FileFault {
        file: fault.file.clone(),
        line: fault.line as u64,
        sentence: fault.sentence.clone(),
    };
    faults.0.iter().map(fault).collect()
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, vi: &str, en: &str) -> Self {
        let told = Told {
            kind: format!("/api#{code}"),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: en.to_owned(),
            detail_vi: vi.to_owned(),
            faults: Vec::new(),
            now: None,
        };
        Self { told: Box::new(told), retry_s: None }
    }

    pub(super) fn no_route() -> Self {
        let vi = "Không có địa chỉ này; xem trang /api.";
        Self::new(StatusCode::NOT_FOUND, "route", vi, "there is no such address; see the page /api")
    }

    pub(super) fn not_there(why: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-there", &format!("Không có: {why}."), why)
    }

    /// A request that cannot be read.
    pub(super) fn unreadable(why: &str) -> Self {
        let vi = format!("Không đọc được yêu cầu: {why}.");
        Self::new(StatusCode::BAD_REQUEST, "unreadable", &vi, why)
    }

    /// A request that can be read and is wrong.
    pub(super) fn wrong(why: &str) -> Self {
        let vi = format!("Yêu cầu chưa đúng: {why}.");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong", &vi, why)
    }

    pub(super) fn denied(denied: Denied) -> Self {
        ServerError::from(denied).into()
    }

    /// The same, with what is there now.
    pub(super) fn now(mut self, now: serde_json::Value) -> Self {
        self.told.now = Some(now);
        self
    }

    /// The same, with how long to wait before the next try.
    pub(super) fn after(self, retry_s: u64) -> Self {
        Self { retry_s: Some(retry_s), ..self }
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        let (code, status) = (code(&error), status(&error));
        let faults = match &error {
            ServerError::Faults(faults) => file_faults(faults),
            _ => Vec::new(),
        };
        let Fault { status: usual, vi, en } = Fault::from(error);
        // What went wrong inside is in the server's own lines, and nobody else's.
        let en = if usual.is_server_error() {
            "the server could not do this; try again in some minutes".to_owned()
        } else {
            en
        };
        let mut problem = Self::new(status.unwrap_or(usual), code, &vi, &en);
        problem.told.faults = faults;
        problem
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::denied(denied)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::new(fault.status, "wrong", &fault.vi, &fault.en)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        ServerError::from(error).into()
    }
}

/// Statuses that differ from those of the pages.
fn status(error: &ServerError) -> Option<StatusCode> {
    match error {
        ServerError::Upload(UploadError::Offset { .. } | UploadError::Busy(_))
        | ServerError::Changed { .. }
        | ServerError::Edit(NotEdited::Changed(_)) => Some(StatusCode::CONFLICT),
        ServerError::Upload(UploadError::Unknown(_)) | ServerError::NoForm(_) => {
            Some(StatusCode::NOT_FOUND)
        }
        _ => None,
    }
}

/// A stable word for each kind of error.
fn code(error: &ServerError) -> &'static str {
    match error {
        ServerError::Denied(_) => "denied",
        ServerError::Faults(_) => "faults",
        ServerError::Sealed(_) => "passphrase",
        ServerError::Alarm(_) => "emergency",
        ServerError::Step(_) | ServerError::WrongState { .. } => "step",
        ServerError::Upload(_) => "upload",
        ServerError::Token(TokenError::Beyond { .. }) => "scope",
        ServerError::Recording { .. } | ServerError::Unusable { .. } => "recording",
        ServerError::Changed { .. } | ServerError::Edit(NotEdited::Changed(_)) => "changed",
        ServerError::NotOpen(_) | ServerError::DecidedLate { .. } => "decision",
        ServerError::NoPerson(_)
        | ServerError::NoBulletin(_)
        | ServerError::NoVersion { .. }
        | ServerError::NoArea(_)
        | ServerError::NoQuestion(_)
        | ServerError::NoForm(_)
        | ServerError::UnknownController(_) => "not-there",
        ServerError::Store(_)
        | ServerError::Vault(_)
        | ServerError::Log(_)
        | ServerError::Task(_) => "server",
        _ => "wrong",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.told).expect("a problem has text keys");
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
