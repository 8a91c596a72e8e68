//! The station's newsroom: bulletins and their versions, from a first text to an approval, and what
//! villagers ask.
//!
//! Everything that a page here does is an act of [`crate::server`], which asks `access` for duty
//! and area. **What somebody typed or recorded is never lost to somebody else's step**: every form
//! names what its reader saw, and comes back filled where that is no longer so.

mod amendment;
mod chip;
mod contribution;
mod coverage;
mod fields;
mod inbox;
mod list;
mod question;
mod reviewing;
mod sheet;
mod sound;
mod stock;
mod take;
#[cfg(test)]
mod tests;
mod text;
mod version;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{get, post};

pub(super) use stock::Counted;
pub(super) use take::Takes;

use crate::access::Action;
use crate::web::Site;
use crate::web::routes::{Route, Who, route};

/// Who may take the routes of the newsroom.
pub(super) static ROUTES: [Route; 19] = [
    route(Method::GET, "/bulletins", Who::May(Action::Read)),
    route(Method::GET, "/contribution", Who::May(Action::Contribute)),
    route(Method::POST, "/contribution", Who::May(Action::Contribute)),
    route(Method::GET, "/bulletins/{bulletin}", Who::May(Action::Read)),
    route(Method::GET, "/bulletins/{bulletin}/amendment", Who::May(Action::Contribute)),
    route(Method::POST, "/bulletins/{bulletin}/amendment", Who::May(Action::Contribute)),
    route(Method::GET, "/bulletins/{bulletin}/{language}", Who::May(Action::Read)),
    route(Method::GET, "/bulletins/{bulletin}/{language}/live", Who::May(Action::Read)),
    route(Method::POST, "/bulletins/{bulletin}/{language}/text", Who::May(Action::Contribute)),
    route(Method::POST, "/bulletins/{bulletin}/{language}/recording", Who::May(Action::Record)),
    route(Method::POST, "/bulletins/{bulletin}/{language}/review", Who::May(Action::Review)),
    route(Method::POST, "/bulletins/{bulletin}/{language}/return", Who::May(Action::Review)),
    route(Method::POST, "/bulletins/{bulletin}/{language}/approval", Who::May(Action::Approve)),
    route(Method::POST, "/bulletins/{bulletin}/{language}/withdrawal", Who::May(Action::Approve)),
    route(Method::GET, "/inbox", Who::May(Action::Read)),
    route(Method::GET, "/coverage", Who::May(Action::Read)),
    route(Method::GET, "/questions", Who::May(Action::Read)),
    route(Method::POST, "/questions/{question}/answer", Who::May(Action::Answer)),
    route(Method::POST, "/questions/{question}/closing", Who::May(Action::TakeQuestion)),
];

/// The handlers of the newsroom.
pub(super) fn router() -> Router<Arc<Site>> {
    // A recording has a limit of its own, which counts while it is written to disk.
    let upload = post(sound::upload).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/bulletins", get(list::show))
        .route("/contribution", get(contribution::form).post(contribution::contribute))
        .route("/bulletins/{bulletin}", get(version::overview))
        // No language tag has a part of nine letters.
        .route("/bulletins/{bulletin}/amendment", get(amendment::form).post(amendment::amend))
        .route("/bulletins/{bulletin}/{language}", get(version::show))
        .route("/bulletins/{bulletin}/{language}/live", get(version::live))
        .route("/bulletins/{bulletin}/{language}/text", post(text::write))
        .route("/bulletins/{bulletin}/{language}/recording", upload)
        .route("/bulletins/{bulletin}/{language}/review", post(reviewing::review))
        .route("/bulletins/{bulletin}/{language}/return", post(reviewing::send_back))
        .route("/bulletins/{bulletin}/{language}/approval", post(reviewing::approve))
        .route("/bulletins/{bulletin}/{language}/withdrawal", post(reviewing::withdraw))
        .route("/inbox", get(inbox::show))
        .route("/coverage", get(coverage::show))
        .route("/questions", get(question::list))
        .route("/questions/{question}/answer", post(question::answer))
        .route("/questions/{question}/closing", post(question::close))
}
