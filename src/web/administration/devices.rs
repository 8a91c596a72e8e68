//! The controllers of a station as devices: provisioned, enrolled, certified, revoked.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::store::CertificateRow;
use crate::time::{Timestamp, Zone};
use crate::web::Site;
use crate::web::commune::{may_here, town};
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// Controllers of one page.
const ROWS: usize = 100;

/// A certificate that ends within so many days is told as ending.
pub(super) const SOON_DAYS: i64 = 60;

#[derive(Template)]
#[template(path = "administration/devices.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    rows: Vec<Row>,
    number: usize,
    pages: usize,
    total: usize,
    find: String,
}

struct Row {
    id: ControllerId,
    place: String,
    class: &'static str,
    state: String,
    certificate: String,
}

/// Which page, and what is looked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    page: Option<usize>,
    find: String,
}

/// The list.
pub(in crate::web) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let (town, tongue) = (town(&site).await?, visitor.tongue);
    let (zone, now) = (site.station.config.zone, utc_now());
    let find = crate::lang::fold::line(&asked.find);
    let mut found = Vec::new();
    for controller in &town.schedule.controllers {
        let place = town.place(&controller.id);
        let named = crate::lang::fold::line(&format!("{} {place}", controller.id));
        let mine = may_here(&town, &visitor, Action::ChangeFleet, &controller.area);
        if mine && named.contains(&find) {
            found.push((controller.id.clone(), place));
        }
    }
    let (total, pages) = (found.len(), found.len().div_ceil(ROWS).max(1));
    let page = asked.page.unwrap_or(1).clamp(1, pages);
    let certificates = newest(site.station.store.certificates().await?);
    let row = |(id, place): (ControllerId, String)| {
        let condition = town.condition(&id);
        let link = condition.map(|condition| &condition.link);
        let well = link.is_some_and(|link| link.code == "up");
        let held = certificates.get(&id);
        Row {
            place,
            class: if well { "good" } else { "bad" },
            state: link.map_or_else(String::new, |link| tongue.say(&link.vi, &link.en).to_owned()),
            certificate: held.map_or_else(String::new, |held| until(held.until, zone, now, tongue)),
            id,
        }
    };
    let rows = found.into_iter().skip((page - 1) * ROWS).take(ROWS).map(row).collect();
    let frame = Frame::new(&site, &visitor, tongue.say("Bộ thu", "Controllers"));
    let tabs = super::tabs(&visitor);
    Ok(frame::page(&Page { frame, tabs, rows, number: page, pages, total, find: asked.find }))
}

/// The certificate of each controller that counts longest.
fn newest(rows: Vec<CertificateRow>) -> BTreeMap<ControllerId, CertificateRow> {
    let mut newest: BTreeMap<ControllerId, CertificateRow> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| row.revoked.is_none()) {
        let held = newest.entry(row.controller.clone()).or_insert_with(|| row.clone());
        if held.until < row.until {
            *held = row;
        }
    }
    newest
}

/// Until when something counts, and whether that is soon.
pub(super) fn until(until: Timestamp, zone: Zone, now: Timestamp, tongue: Tongue) -> String {
    let date = zone.local(until).format("%d/%m/%Y");
    let days = (zone.date(until).naive() - zone.date(now).naive()).num_days();
    match days {
        ..0 => format!("{date} ({})", tongue.say("đã hết", "over")),
        0..=SOON_DAYS => {
            format!("{date} ({} {days} {})", tongue.say("còn", "in"), tongue.say("ngày", "days"))
        }
        _ => date.to_string(),
    }
}
