//! The text of a version, written in the page.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::bulletin::{Script, Variety};
use crate::digest::Digest;
use crate::server::{Aim, Contribution, ServerError};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;
use crate::web::newsroom::fields::Wrong;
use crate::web::newsroom::stock::stock;
use crate::web::newsroom::version::{Back, Place, page};

/// What was typed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Written {
    pub(super) script: String,
    #[serde(default)]
    pub(super) variety: String,
    seen: Digest,
}

/// Keeps a text, unless somebody else changed the version meanwhile.
pub(super) async fn write(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(place): Path<Place>,
    Form(written): Form<Written>,
) -> Result<Response, Fault> {
    let mut wrong = Wrong::new(visitor.tongue);
    let script: Option<Script> = wrong.words(&written.script, ("Lời đọc", "Text"));
    let variety = wrong.optional(written.variety.trim(), ("Phương ngữ", "Variety"));
    let (Some(script), true) = (script, wrong.said.is_empty()) else {
        let back = Back { fault: Some(wrong.said.join(" ")), typed: Some(written), ..Back::bad() };
        return page(&site, &visitor, &place, back).await;
    };
    match keep(&site, &visitor, &place, script, variety, written.seen).await {
        Ok(()) => Ok(Redirect::to(&place.path()).into_response()),
        Err(error) => {
            let conflict = matches!(error, ServerError::Changed { .. });
            let back = Back::refused(&error.into(), visitor.tongue);
            let back = Back { typed: Some(written), conflict, ..back };
            page(&site, &visitor, &place, back).await
        }
    }
}

/// What stands in the original language is contributed, what stands in another is translated.
async fn keep(
    site: &Site,
    visitor: &Visitor,
    place: &Place,
    script: Script,
    variety: Option<Variety>,
    seen: Digest,
) -> Result<(), ServerError> {
    let Ok(who) = visitor.who() else { return Ok(()) };
    let (by, station) = (&who.person.id, &site.station);
    station.check_language(&place.language).await?;
    let stock = stock(site).await?;
    if stock.item(&place.bulletin)?.is_original(&place.language) {
        let bulletin = Err(place.bulletin.clone());
        let (language, seen) = (place.language.clone(), Some(seen));
        let text = Contribution { bulletin, language, variety, script, answers: None, seen };
        return station.contribute(text, by).await;
    }
    let aim = Aim::at(&place.bulletin, &place.language).seen(seen);
    station.translate(aim, variety, script, by).await
}
