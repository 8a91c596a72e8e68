//! Figures of some days: planned, delivered, played, heard, each with what it is a share of; and the
//! gaps by cause.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::report::gap::Why;
use crate::report::{Dimension, Fate};
use crate::server::usual_days;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::chart::{self, Bar};
use crate::web::inspector::scope::{Choice, Days, Scope, busy, choices, query};
use crate::web::tongue::Tongue;

/// Rows of the table at most; a form has them all.
const ROWS_MAX: usize = 500;

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    from: String,
    to: String,
    area: String,
    place: String,
    by: String,
}

#[derive(Template)]
#[template(path = "inspector/figures.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    areas: Vec<Choice>,
    whole: bool,
    offered: Vec<String>,
    dimensions: Vec<Choice>,
    days: Days,
    area: String,
    total: Bar,
    /// Villages in which something was played to its end, of those for which something was planned.
    villages: (u32, u32),
    chart: String,
    bars: Vec<Bar>,
    by: &'static str,
    of_items: bool,
    more: usize,
    gaps: Vec<Gap>,
    /// Airings that are gaps: the planned ones that were not played.
    gapped: u64,
    /// From day, until day and area, as a query.
    span: String,
    dimension: String,
}

struct Gap {
    words: String,
    count: u64,
    /// The airings that it cost, as a query.
    query: String,
    /// Their first entries in the log.
    entries: Vec<u64>,
}

/// Entries that a cause shows at most.
const EXAMPLES: usize = 3;

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let scope = Scope::of(&site, &visitor, (&asked.area, &asked.place)).await?;
    let tongue = visitor.tongue;
    let usual = |day| usual_days("weekly", day);
    let days = Days::of(&site, (&asked.from, &asked.to), usual)?;
    let by = if asked.by.is_empty() { "area" } else { &asked.by };
    let by: Dimension = by.parse().map_err(|_| {
        Fault::bad("Hãy chọn cách gộp trong danh sách.", "Choose from the list what to sum by.")
    })?;
    let inquired = {
        let _place = site.heavy().await.ok_or_else(busy)?;
        site.station.inquire(&scope.inquiry(days), |_| ()).await?
    };
    let all: Vec<Bar> = inquired.figures.by(by).into_iter().map(Bar::from).collect();
    let title = tongue.say("Đã phát những gì", "What was broadcast");
    let (from, until) = (days.from.to_string(), days.until.to_string());
    let area = scope.area.as_ref().map_or_else(String::new, ToString::to_string);
    let span = query(&[("from", &from), ("to", &until), ("area", &area)]);
    let mut bars = all;
    let chart = chart::picture(&bars, tongue)?;
    let more = bars.len().saturating_sub(ROWS_MAX);
    bars.truncate(ROWS_MAX);
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, title),
        tabs: super::tabs(&visitor),
        area: scope.name(tongue.say("cả đài", "the whole station")),
        total: Bar {
            name: tongue.say("Tất cả", "All").to_owned(),
            tally: inquired.figures.total(),
        },
        villages: inquired.figures.villages(),
        gapped: inquired.gaps.causes().iter().map(|(_, count)| count).sum(),
        gaps: gaps(&inquired.gaps, &span, tongue),
        dimensions: choices(
            Dimension::ALL.map(|(word, one)| (word, name(one, tongue))),
            &by.to_string(),
        ),
        whole: scope.whole,
        offered: scope.offered,
        areas: scope.choices,
        by: name(by, tongue),
        of_items: of_items(by),
        dimension: by.to_string(),
        days,
        chart,
        bars,
        more,
        span,
    }))
}

/// Whether what is summed are the items of airings, not airings.
fn of_items(by: Dimension) -> bool {
    match by {
        Dimension::Bulletin
        | Dimension::Column
        | Dimension::Topic
        | Dimension::Campaign
        | Dimension::Language
        | Dimension::Class => true,
        Dimension::Day
        | Dimension::Week
        | Dimension::Month
        | Dimension::Area
        | Dimension::Programme
        | Dimension::Controller => false,
    }
}

fn name(by: Dimension, tongue: Tongue) -> &'static str {
    let found = Dimension::ALL.iter().find(|(_, one)| *one == by);
    tongue.say(by.vi(), found.map_or("", |(word, _)| word))
}

fn gaps(gaps: &crate::report::Gaps, span: &str, tongue: Tongue) -> Vec<Gap> {
    let gap = |(why, count): (&Why, u64)| {
        let only = query(&[("outcome", why.fate.as_str()), ("cause", &why.cause)]);
        let entries = gaps.lines(why).iter().filter_map(|line| line.entry);
        Gap {
            words: words(why.fate, &why.cause, tongue),
            count,
            query: format!("{span}&{only}"),
            entries: entries.take(EXAMPLES).collect(),
        }
    };
    gaps.causes().into_iter().map(gap).collect()
}

/// What became of something and why, in words.
pub(super) fn words(fate: Fate, cause: &str, tongue: Tongue) -> String {
    match tongue {
        Tongue::Vi => Why { fate, cause: cause.to_owned() }.vi(),
        Tongue::En if cause.is_empty() => fate.as_str().to_owned(),
        Tongue::En => format!("{}: {cause}", fate.as_str()),
    }
}
