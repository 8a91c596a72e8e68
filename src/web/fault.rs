//! What went wrong, as a page that says what to do.

mod newsroom;
mod refusal;
mod vietnamese;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::access::Action;
use crate::server::{ServerError, TokenError};
use crate::web::Site;
use crate::web::duty;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// A refusal or a failure, in both languages.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) vi: String,
    pub(super) en: String,
}

impl Fault {
    pub(super) fn new(status: StatusCode, vi: &str, en: &str) -> Self {
        Self { status, vi: vi.to_owned(), en: en.to_owned() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Không có trang này; hãy quay về trang đầu.",
            "There is no such page; go back to the first page.",
        )
    }

    pub(super) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Bạn chưa đăng nhập; hãy đăng nhập rồi mở lại trang này.",
            "You are not signed in; sign in and open this page again.",
        )
    }

    pub(super) fn other_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Yêu cầu này không đến từ trang của hệ thống; hãy mở trang và bấm lại tại đó.",
            "This request did not come from a page of this site; open the page and press there.",
        )
    }

    pub(super) fn broken_off() -> Self {
        Self::bad(
            "Bản ghi bị đứt giữa chừng khi gửi; hãy gửi lại.",
            "The recording broke off on its way; send it again.",
        )
    }

    pub(super) fn bad(vi: &str, en: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, vi, en)
    }

    pub(super) fn denied(action: Action) -> Self {
        let needed = |tongue| duty::any_of(action.duties(), tongue);
        Self {
            status: StatusCode::FORBIDDEN,
            vi: format!(
                "Bạn không có nhiệm vụ cần cho việc này ({}); hãy nhờ quản trị.",
                needed(Tongue::Vi)
            ),
            en: format!(
                "You have not the duty for this ({}); ask an administrator.",
                needed(Tongue::En)
            ),
        }
    }
}

impl From<ServerError> for Fault {
    fn from(error: ServerError) -> Self {
        let en = newsroom::told_en(&error).unwrap_or_else(|| error.to_string());
        let status = status(&error);
        if status.is_server_error() {
            tracing::warn!(error = %en, "a page failed");
        }
        Self { status, vi: vietnamese::sentence(&error), en }
    }
}

impl From<crate::store::StoreError> for Fault {
    fn from(error: crate::store::StoreError) -> Self {
        ServerError::Store(error).into()
    }
}

/// The status of an error.
fn status(error: &ServerError) -> StatusCode {
    match error {
        ServerError::Denied(_) => StatusCode::FORBIDDEN,
        ServerError::NoPerson(_)
        | ServerError::NoBulletin(_)
        | ServerError::NoVersion { .. }
        | ServerError::NoArea(_)
        | ServerError::NoQuestion(_)
        | ServerError::NoForm(_)
        | ServerError::Token(TokenError::Unknown(_))
        | ServerError::UnknownController(_) => StatusCode::NOT_FOUND,
        ServerError::Store(_)
        | ServerError::Vault(_)
        | ServerError::Log(_)
        | ServerError::Task(_) => StatusCode::INTERNAL_SERVER_ERROR,
        ServerError::Changed { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.vi.clone()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts a fault into a page for this visitor; any other response is left as it is.
pub(super) fn dressed(mut response: Response, site: &Site, visitor: &Visitor) -> Response {
    let Some(fault) = response.extensions_mut().remove::<Fault>() else { return response };
    let tongue = visitor.tongue;
    let title = tongue.say("Chưa làm được", "That did not work");
    let page = Page {
        frame: Frame::new(site, visitor, title),
        sentence: tongue.say(&fault.vi, &fault.en).to_owned(),
    };
    (fault.status, frame::page(&page)).into_response()
}

#[derive(askama::Template)]
#[template(path = "fault.html")]
struct Page {
    frame: Frame,
    sentence: String,
}
