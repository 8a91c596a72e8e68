//! The legal hold: while it stands, nobody's name and nobody's question is forgotten.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;

/// Letters of a reason at most: a file number and a name.
const REASON_CHARS_MAX: usize = 200;

/// A reason, or none to lift the hold.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Wanted {
    reason: String,
    lift: String,
}

/// Places the hold, or lifts it.
pub(in crate::web) async fn change(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    let reason = wanted.reason.trim();
    let lift = wanted.lift == "yes";
    if !lift && (reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX) {
        return Err(Fault::bad(
            "Hãy ghi lý do lưu giữ, tối đa 200 chữ.",
            "Write why, in at most 200 letters.",
        ));
    }
    site.station.hold((!lift).then_some(reason), &visitor.who()?.person.id).await?;
    Ok(Redirect::to("/people").into_response())
}
