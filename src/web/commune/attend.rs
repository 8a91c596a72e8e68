//! What an operator does about one speaker: orders, faults, maintenance.

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::clock::utc_now;
use crate::id::{AreaId, ControllerId};
use crate::protocol::OrderCommand;
use crate::server::ServerError;
use crate::web::Site;
use crate::web::commune::town::town;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;

/// An order to one speaker.
#[derive(Deserialize)]
pub(in crate::web) struct Ordered {
    command: String,
    percent: Option<u8>,
    area: AreaId,
}

impl Ordered {
    fn command(&self) -> Option<OrderCommand> {
        Some(match (self.command.as_str(), self.percent) {
            ("stop", _) => OrderCommand::Stop {},
            ("selftest", _) => OrderCommand::Selftest {},
            ("report", _) => OrderCommand::Report {},
            ("volume", Some(percent @ 0..=100)) => OrderCommand::Volume { percent },
            _ => return None,
        })
    }
}

/// Back to the card, with a word about what was done.
fn back(area: &AreaId, controller: &ControllerId, told: &str) -> Response {
    Redirect::to(&format!("/areas/{area}?told={told}#{controller}")).into_response()
}

/// Gives an order.
pub(in crate::web) async fn order(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(ordered): Form<Ordered>,
) -> Result<Response, Fault> {
    let command = ordered.command().ok_or_else(|| {
        Fault::bad(
            "Lệnh phải là dừng, thử loa, báo cáo hoặc âm lượng từ 0 đến 100.",
            "An order is stop, selftest, report, or a volume of 0 to 100.",
        )
    })?;
    site.station.give_order(&controller, command, &visitor.who()?.person.id).await?;
    Ok(back(&ordered.area, &controller, "order"))
}

/// Somebody takes care.
#[derive(Deserialize)]
pub(in crate::web) struct Care {
    note: String,
    area: AreaId,
}

/// Takes care of a speaker's fault.
pub(in crate::web) async fn acknowledge(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(care): Form<Care>,
) -> Result<Response, Fault> {
    let note = care.note.parse().map_err(|_| {
        Fault::bad("Hãy ghi việc sẽ làm, một dòng.", "Write what will be done, one line.")
    })?;
    let town = town(&site).await?;
    let condition = town.condition(&controller);
    let condition = condition.ok_or_else(|| ServerError::UnknownController(controller.clone()))?;
    site.station.acknowledge(condition, note, &visitor.who()?.person.id).await?;
    site.looked.forget();
    Ok(back(&care.area, &controller, "care"))
}

/// Work at a speaker.
#[derive(Deserialize)]
pub(in crate::web) struct Work {
    /// For so long; 0 ends it.
    hours: u64,
    #[serde(default)]
    reason: String,
    area: AreaId,
}

/// Says that somebody works at a speaker, or that the work is done.
pub(in crate::web) async fn maintain(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(work): Form<Work>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    if work.hours == 0 {
        site.station.end_maintenance(&controller, by).await?;
    } else {
        let reason = work
            .reason
            .parse()
            .map_err(|_| Fault::bad("Hãy ghi lý do bảo trì, một dòng.", "Write why, one line."))?;
        let until = utc_now() + Duration::from_hours(work.hours.min(24 * 365));
        site.station.begin_maintenance(&controller, until, reason, by).await?;
    }
    site.looked.forget();
    Ok(back(&work.area, &controller, "work"))
}
