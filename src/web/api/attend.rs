//! Faults that somebody takes care of, and work at a loudspeaker.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::Comment;
use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::server::ServerError;
use crate::web::api::fleet::{DONE, Done};
use crate::web::api::operation::{Call, Line, Nothing, Table, act};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Remark, Slug};
use crate::web::commune::town;

/// Hours of work that are announced at once at most: a year.
const HOURS_MAX: u32 = 24 * 365;

pub(super) fn add(table: Table) -> Table {
    let work = "/controllers/{controller}/maintenance";
    let end = Line {
        method: Method::DELETE,
        path: work,
        scope: Some(Action::Attend),
        id: "end-maintenance",
        says: "Say that the work is done",
        status: StatusCode::OK,
    };
    table
        .write(
            act(
                "/controllers/{controller}/acknowledgement",
                Action::Attend,
                "acknowledge",
                "Say that one takes care of what is wrong with it",
            ),
            acknowledge,
        )
        .write(
            act(work, Action::Attend, "begin-maintenance", "Say that somebody works at it"),
            begin,
        )
        .write(end, finish)
}

/// A loudspeaker.
#[derive(Deserialize, JsonSchema)]
struct One {
    #[schemars(with = "Slug")]
    controller: ControllerId,
}

/// What will be done.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Care {
    #[schemars(with = "Remark")]
    note: Comment,
}

async fn acknowledge(call: Call<One, Care>) -> Result<Done, Problem> {
    let (site, by) = (&call.site, &call.who.person.id);
    let town = town(site).await?;
    let id = &call.path.controller;
    let condition = town.condition(id);
    let condition = condition.ok_or_else(|| ServerError::UnknownController(id.clone()))?;
    site.station.acknowledge(condition, call.input.note, by).await?;
    site.looked.forget();
    Ok(DONE)
}

/// Work at it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Work {
    /// How long from now.
    #[schemars(range(min = 1, max = 8760))]
    hours: u32,
    /// Why.
    #[schemars(with = "Remark")]
    reason: Comment,
}

async fn begin(call: Call<One, Work>) -> Result<Done, Problem> {
    let (site, by) = (&call.site, &call.who.person.id);
    let Work { hours, reason } = call.input;
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Problem::wrong("work takes 1 to 8760 hours"));
    }
    let until = utc_now() + Duration::from_hours(hours.into());
    site.station.begin_maintenance(&call.path.controller, until, reason, by).await?;
    site.looked.forget();
    Ok(DONE)
}

async fn finish(call: Call<One, Nothing>) -> Result<Done, Problem> {
    call.station().end_maintenance(&call.path.controller, call.by()).await?;
    call.site.looked.forget();
    Ok(DONE)
}
