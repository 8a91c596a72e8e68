//! The list of bulletins: found by words without marks, by column, by what they lack.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::search;
use crate::clock::utc_now;
use crate::id::BulletinId;
use crate::time::Timestamp;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::{Visitor, encoded};
use crate::web::newsroom::chip::{Chip, Stand};
use crate::web::newsroom::stock::{Item, Stock, stock};
use crate::web::newsroom::words;
use crate::web::tongue::Tongue;

/// Bulletins on one page.
const SHOWN_MAX: usize = 25;

/// What a list may be narrowed to, with its words.
const STATES: [(&str, &str, &str); 8] = [
    ("", "còn hạn", "in time"),
    ("missing", "thiếu phiên bản ngôn ngữ", "lacks a version"),
    ("recording", "chờ ghi âm", "awaits a recording"),
    ("review", "chờ nghe thẩm định", "awaits review"),
    ("returned", "bị trả lại", "returned"),
    ("approval", "chờ duyệt", "awaits approval"),
    ("complete", "sẵn sàng mọi ngôn ngữ", "ready in every language"),
    ("all", "tất cả, kể cả hết hạn", "all, also those that are over"),
];

/// Which bulletins.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    words: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    column: String,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "bulletins.html")]
struct Listing {
    frame: Frame,
    wanted: Wanted,
    states: Vec<(&'static str, &'static str)>,
    columns: Vec<String>,
    rows: Vec<Row>,
    total: usize,
    page: usize,
    pages: usize,
    /// The same list without its page.
    query: String,
    may_contribute: bool,
    fault: Option<&'static str>,
}

/// One bulletin.
pub(super) struct Row {
    id: BulletinId,
    title: String,
    about: String,
    until: String,
    over: bool,
    chips: Vec<Chip>,
}

/// The list.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let (stock, now, tongue) = (stock(&site).await?, utc_now(), visitor.tongue);
    let (found, fault) = found(&site, &stock, &wanted, tongue).await?;
    let fits = |item: &&Item| fits(&stock, item, &wanted, now);
    let found: Vec<&Item> = found.into_iter().filter(fits).collect();
    let (total, pages) = (found.len(), found.len().div_ceil(SHOWN_MAX).max(1));
    let page = wanted.page.unwrap_or(1).clamp(1, pages);
    let here = found.into_iter().skip((page - 1) * SHOWN_MAX).take(SHOWN_MAX);
    let query = format!(
        "words={}&state={}&column={}",
        encoded(&wanted.words),
        encoded(&wanted.state),
        encoded(&wanted.column)
    );
    let columns = site.station.schedule().await?.lists.all_columns();
    Ok(frame::page(&Listing {
        rows: here.map(|item| row(&stock, item, tongue, now)).collect(),
        frame: Frame::new(&site, &visitor, tongue.say("Bản tin", "Bulletins")),
        states: STATES.map(|(code, vi, en)| (code, tongue.say(vi, en))).to_vec(),
        columns: columns.iter().map(ToString::to_string).collect(),
        may_contribute: visitor.may(Action::Contribute),
        wanted,
        total,
        page,
        pages,
        query,
        fault,
    }))
}

/// The bulletins with the wanted words, best first; without words all of them, newest first.
async fn found<'s>(
    site: &Site,
    stock: &'s Stock,
    wanted: &Wanted,
    tongue: Tongue,
) -> Result<(Vec<&'s Item>, Option<&'static str>), Fault> {
    let newest = || {
        let mut all: Vec<&Item> = stock.items.values().collect();
        all.sort_by_key(|item| std::cmp::Reverse(item.bulletin.valid_from));
        all
    };
    if wanted.words.trim().is_empty() {
        return Ok((newest(), None));
    }
    let Ok(query) = wanted.words.parse::<search::Query>() else {
        let fault = tongue.say(
            "Hãy gõ từ 1 đến 12 từ để tìm; có dấu hay không đều được.",
            "Type 1 to 12 words to look for, with or without marks.",
        );
        return Ok((newest(), Some(fault)));
    };
    let hits = site.station.search(&query).await?.hits;
    Ok((hits.iter().filter_map(|hit| stock.items.get(&hit.bulletin.id)).collect(), None))
}

fn fits(stock: &Stock, item: &Item, wanted: &Wanted, now: Timestamp) -> bool {
    if !wanted.column.is_empty() && item.bulletin.column.as_str() != wanted.column {
        return false;
    }
    let over = item.bulletin.valid_until <= now;
    let stands = || {
        let asked = stock.languages.iter().filter(|_| !item.is_announced());
        let other = item.versions.iter().map(|version| &version.text().language);
        asked.chain(other).map(|tag| Stand::of(item, item.version(tag), now))
    };
    match wanted.state.as_str() {
        "all" => true,
        "" => !over,
        "complete" => !over && stands().all(|stand| stand == Stand::Ready),
        state => !over && stands().any(|stand| stand.code() == state),
    }
}

fn row(stock: &Stock, item: &Item, tongue: Tongue, now: Timestamp) -> Row {
    let (bulletin, zone) = (&item.bulletin, stock.world.zone);
    Row {
        id: bulletin.id.clone(),
        title: bulletin.title.to_string(),
        about: about(stock, item, tongue),
        until: zone.local(bulletin.valid_until).format("%d/%m/%Y").to_string(),
        over: bulletin.valid_until <= now,
        chips: stock.chips(item, tongue, now),
    }
}

/// Column, class and place in one line.
pub(super) fn about(stock: &Stock, item: &Item, tongue: Tongue) -> String {
    let bulletin = &item.bulletin;
    let (class, area) =
        (words::class(bulletin.class, tongue), stock.area(bulletin.area.as_ref(), tongue));
    format!("{} · {class} · {area}", bulletin.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_to_narrow_to_is_one_that_a_version_can_have() {
        let stands = [
            Stand::Missing,
            Stand::AwaitsRecording,
            Stand::AwaitsReview,
            Stand::Returned,
            Stand::AwaitsApproval,
        ];
        for (code, ..) in STATES.iter().filter(|(code, ..)| !["", "all", "complete"].contains(code))
        {
            assert!(stands.iter().any(|stand| stand.code() == *code), "{code}");
        }
    }
}
