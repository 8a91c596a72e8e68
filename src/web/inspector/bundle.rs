//! Entries of the log taken out as a zip that anybody can check without this software.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::digest::Digest;
use crate::log::{LogReader, Selection};
use crate::note::PublicKey;
use crate::server::Pick;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;
use crate::web::inspector::entries::{Asked, apart, numbers};
use crate::web::inspector::scope::{Scope, busy, word};

/// Entries that one download holds at most: it is made in memory.
const ENTRIES_MAX: usize = 20_000;

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Wished {
    entry: String,
    from: String,
    to: String,
    area: String,
    bulletin: String,
    controller: String,
    person: String,
    kind: String,
}

/// The zip; the log notes who took it.
pub(in crate::web) async fn take(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(wished): Query<Wished>,
) -> Result<Response, Fault> {
    let Wished { entry, from, to, area, bulletin, controller, person, kind } = wished;
    let scope = Scope::of(&site, &visitor, (&area, "")).await?;
    let asked = Asked { from, to, area, bulletin, controller, person, kind, ..Asked::default() };
    let one: Option<u64> = word(&entry)?;
    let pick =
        Pick { entries: one.map(|n| vec![(n, n)]), ..asked.pick(&scope, word(&asked.person)?)? };
    let (whole, wanted) = (pick.is_everything(), pick.wanted(&site.station).await?);
    let key = site.station.online_keys()?.log.public();
    let devices = site.station.store.devices().await?;
    let others: Vec<PublicKey> = devices.into_iter().filter_map(|d| d.public_key).collect();
    let folder = site.station.log_folder();
    let _place = site.heavy().await.ok_or_else(busy)?;
    let made = apart(move || {
        let log = LogReader::open(&folder)?;
        let Some(numbers) = numbers(&log, &wanted, ENTRIES_MAX)? else { return Ok(None) };
        let all = whole && numbers.len() as u64 == log.size();
        let selection = if all { Selection::All } else { Selection::Entries(&numbers) };
        let mut bytes = std::io::Cursor::new(Vec::new());
        let count = log.export(selection, &key, &others, &mut bytes)?;
        Ok(Some((count, bytes.into_inner())))
    });
    let (count, bytes) = made.await?.ok_or_else(too_many)?;
    if count == 0 {
        return Err(Fault::bad(
            "Không có mục nào như vậy để lấy ra; hãy bớt điều kiện lọc.",
            "No entry is like that; filter less.",
        ));
    }
    let by = &visitor.who()?.person.id;
    let what = format!("log {count} entries");
    site.station.tell_export(&what, Digest::of(&bytes), Some(by)).await?;
    let saved = format!("attachment; filename=\"nhat-ky-{}-{count}.zip\"", site.station.config.net);
    let headers =
        [(header::CONTENT_TYPE, "application/zip"), (header::CONTENT_DISPOSITION, &saved)];
    Ok((headers, bytes).into_response())
}

fn too_many() -> Fault {
    Fault::bad(
        "Hơn 20.000 mục; hãy chọn ít ngày hơn, hoặc dùng `loaban log export` trên máy chủ.",
        "These are more than 20,000 entries; choose fewer days, or use `loaban log export`.",
    )
}
