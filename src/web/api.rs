//! The interface for programs, `/api/v1`: what the pages do, as JSON, for whoever holds a token.
//!
//! ```text
//!   request ─► token (whose, which scope?) ─► path and body into types ─► handler ─► Station ─► JSON
//! ```
//!
//! **A route exists only as an [`operation::Line`]**, which names its scope: the same line makes the
//! route, its paragraph in the OpenAPI document and its row in `docs/routes.md`. Handlers call what
//! pages and command line call; Station and `access` decide again, with the area.

mod amendment;
mod announcement;
mod attend;
mod browse;
mod caller;
mod document;
mod emergency;
mod fleet;
mod log;
mod newsroom;
mod once;
mod operation;
mod people;
mod problem;
mod programme;
mod question;
mod report;
mod schedule;
#[cfg(test)]
mod tests;
mod upload;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub(super) use browse::show;
pub(super) use caller::{Buckets, bearer};
pub(super) use problem::Problem;

use crate::web::Site;
use crate::web::api::operation::Table;
use crate::web::guard;

/// Every operation.
fn table() -> Table {
    let table = Table::default();
    let table = people::add(attend::add(fleet::add(table)));
    let table = emergency::add(table);
    let table = upload::add(amendment::add(newsroom::add(table)));
    let table = announcement::add(question::add(table));
    let table = programme::add(schedule::add(table));
    report::add(log::add(table))
}

/// The routes below `/api/v1`.
pub(super) fn router(site: &Arc<Site>) -> Router {
    let table = table();
    let document: Arc<str> = document::text(&table).into();
    let open = move || {
        let document = Arc::clone(&document);
        async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) }
    };
    table
        .router
        .route("/openapi.json", get(open))
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(not_allowed)
        .layer(map_response(|response: Response| async { guard::sealed(response) }))
        .with_state(Arc::clone(site))
}

async fn not_allowed(method: Method) -> Response {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        &format!("Địa chỉ này không nhận {method}; xem trang /api."),
        &format!("this address does not take {method}; see the page /api"),
    )
    .into_response()
}
