//! `doctor` as a page: every part of the server looked at, each with a sentence.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::clock::utc_now;
use crate::server::{Finding, examine};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::busy;
use crate::web::tongue::Tongue;

#[derive(Template)]
#[template(path = "administration/health.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    findings: Vec<Told>,
    bad: usize,
    at: String,
    version: &'static str,
    waiting: u64,
}

struct Told {
    part: &'static str,
    well: bool,
    sentence: String,
}

/// The page: it looks at everything each time it is opened.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    let _place = site.heavy().await.ok_or_else(busy)?;
    let findings = examine(&site.station).await;
    let told: Vec<Told> = findings.iter().map(|one| told(one, visitor.tongue)).collect();
    let title = visitor.tongue.say("Sức khoẻ máy chủ", "Health of the server");
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, title),
        tabs: super::tabs(&visitor),
        bad: told.iter().filter(|one| !one.well).count(),
        findings: told,
        at: site.station.config.zone.local(utc_now()).format("%d/%m/%Y %H:%M:%S").to_string(),
        version: env!("CARGO_PKG_VERSION"),
        waiting: site.station.store.facts_waiting_count().await?,
    }))
}

fn told(finding: &Finding, tongue: Tongue) -> Told {
    let part = tongue.say(finding.part_vi(), finding.part);
    let sentence = tongue.say(&finding.vi, &finding.sentence).to_owned();
    Told { part, well: finding.well, sentence }
}
