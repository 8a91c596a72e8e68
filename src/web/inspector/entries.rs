//! The log itself: its entries, each with the proof that leads to the signed root.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::audit::{Entry, Proof};
use crate::id::PersonId;
use crate::log::{LogError, LogReader};
use crate::server::{Pick, ServerError, Wanted};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry as Tab, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::place;
use crate::web::inspector::scope::{Choice, Scope, busy, choices, query, word};
use crate::web::inspector::telling::Called;
use crate::web::tongue::Tongue;

/// Entries of one page.
const ROWS: usize = 100;

/// Characters of an entry's particulars in a list at most.
const BODY_CHARS: usize = 160;

/// What entries tell of, by the beginning of their kind.
const FAMILIES: [(&str, &str, &str); 23] = [
    ("announcement.", "thông báo của xã", "announcements"),
    ("bulletin.", "bản tin", "bulletins"),
    ("controller.", "bộ thu", "controllers"),
    ("correction.", "đính chính", "corrections"),
    ("decision.", "quyết định thứ tự phát", "orders of play"),
    ("emergency.", "khẩn cấp", "emergencies"),
    ("export.", "xuất dữ liệu", "exports"),
    ("fleet.", "danh sách bộ thu", "the fleet"),
    ("hold.", "lệnh lưu giữ", "legal holds"),
    ("login.", "đăng nhập", "sign-in"),
    ("manifest.", "lịch phát gửi thiết bị", "schedules sent to devices"),
    ("order.", "lệnh cho bộ thu", "orders to devices"),
    ("outline.", "bản đồ xã", "maps"),
    ("person.", "người và nhiệm vụ", "people and duties"),
    ("question.", "câu hỏi của người dân", "questions"),
    ("receipts.", "biên nhận phát", "receipts"),
    ("schedule.", "lịch và danh mục", "schedule and lists"),
    ("session.", "phiên làm việc", "sessions"),
    ("speaker.", "chăm sóc loa", "care of speakers"),
    ("station.", "đài và nhật ký", "the station and its log"),
    ("token.", "mã truy cập", "tokens"),
    ("trust.", "danh mục khoá", "keys that count"),
    ("version.", "phiên bản ngôn ngữ", "language versions"),
];

/// What an entry tells of, in words.
fn family(kind: &str, tongue: Tongue) -> &'static str {
    let found = FAMILIES.iter().find(|(head, ..)| kind.starts_with(head));
    found.map_or("", |(_, vi, en)| tongue.say(vi, en))
}

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) area: String,
    pub(super) place: String,
    pub(super) bulletin: String,
    pub(super) controller: String,
    pub(super) person: String,
    pub(super) kind: String,
    pub(super) first: String,
}

impl Asked {
    /// Which entries are meant.
    pub(super) fn pick(&self, scope: &Scope, person: Option<PersonId>) -> Result<Pick, Fault> {
        Ok(Pick {
            kind: word(&self.kind)?,
            from: word(&self.from)?,
            to: word(&self.to)?,
            area: scope.area.clone(),
            bulletin: word(&self.bulletin)?,
            controller: word(&self.controller)?,
            person,
            entries: None,
        })
    }

    fn query(&self) -> String {
        query(&[
            ("from", &self.from),
            ("to", &self.to),
            ("area", &self.area),
            ("bulletin", &self.bulletin),
            ("controller", &self.controller),
            ("person", &self.person),
            ("kind", &self.kind),
        ])
    }
}

#[derive(Template)]
#[template(path = "inspector/entries.html")]
struct List {
    frame: Frame,
    tabs: Vec<Tab>,
    areas: Vec<Choice>,
    whole: bool,
    offered: Vec<String>,
    kinds: Vec<Choice>,
    /// People by id and name, for whoever types one.
    people: Vec<(String, String)>,
    asked: Asked,
    size: u64,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    /// The same entries as a zip, as a query.
    query: String,
}

struct Row {
    index: u64,
    at: String,
    kind: String,
    family: &'static str,
    /// Who did what to what, in a sentence.
    told: String,
    body: String,
}

/// The list; with nothing asked for, the newest.
pub(in crate::web) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(mut asked): Query<Asked>,
) -> Result<Response, Fault> {
    let scope = Scope::of(&site, &visitor, (&asked.area, &asked.place)).await?;
    let tongue = visitor.tongue;
    let reach = visitor.who()?.duties.reach(crate::access::Action::Watch);
    let people = site.station.store.people().await?;
    let people = place::known(people, &scope.town, reach.as_deref());
    let person = place::person(&people, &asked.person)?;
    asked.area = scope.word();
    asked.person = person.as_ref().map(ToString::to_string).unwrap_or_default();
    let pick = asked.pick(&scope, person)?;
    let wanted = pick.wanted(&site.station).await?;
    let (first, newest) = (word::<u64>(&asked.first)?, pick.is_everything());
    let folder = site.station.log_folder();
    let _place = site.heavy().await.ok_or_else(busy)?;
    let found = apart(move || {
        let log = LogReader::open(&folder)?;
        let last = || if newest { log.size().saturating_sub(ROWS as u64) } else { 0 };
        wanted.page(&log, first.unwrap_or_else(last), ROWS)
    });
    let found = found.await?;
    let here = asked.query();
    let called = Called::of(&site, &scope, found.entries.iter().map(|(_, entry)| entry)).await?;
    let rows = found.entries.iter().map(|(index, entry)| row(*index, entry, &called, tongue));
    let kinds = FAMILIES.map(|(head, vi, en)| (head, tongue.say(vi, en)));
    Ok(frame::page(&List {
        frame: Frame::new(&site, &visitor, tongue.say("Nhật ký gốc", "The log itself")),
        tabs: super::tabs(&visitor),
        whole: scope.whole,
        offered: scope.offered,
        areas: scope.choices,
        kinds: choices(kinds, &asked.kind),
        people: people.iter().map(|one| (one.id.to_string(), one.name.clone())).collect(),
        size: found.size,
        rows: rows.collect(),
        next: found.next.map(|next| format!("{here}&first={next}")),
        first: first.is_some().then(|| format!("{here}&first=0")),
        query: here,
        asked,
    }))
}

fn row(index: u64, entry: &Entry, called: &Called, tongue: Tongue) -> Row {
    let zone = called.zone;
    let body = entry.body().get();
    let cut: String = body.chars().take(BODY_CHARS).collect();
    Row {
        index,
        at: zone.local(entry.at()).format("%d/%m/%Y %H:%M:%S").to_string(),
        kind: entry.kind().to_string(),
        family: family(entry.kind().as_str(), tongue),
        told: called.told(entry, tongue),
        body: if cut.len() < body.len() { cut + "…" } else { cut },
    }
}

#[derive(Template)]
#[template(path = "inspector/entry.html")]
struct One {
    frame: Frame,
    tabs: Vec<Tab>,
    row: Row,
    who: String,
    fact: String,
    fields: Vec<Field>,
    size: u64,
    /// Hashes that lead to the root, and the root.
    proven: Option<(usize, String)>,
    /// Why they do not lead there.
    fault: String,
}

struct Field {
    name: String,
    value: String,
    /// Whether it is a text of several lines, such as a signed note.
    long: bool,
}

/// One entry, proven.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(index): Path<u64>,
) -> Result<Response, Fault> {
    let tongue = visitor.tongue;
    let scope = Scope::of(&site, &visitor, ("", "")).await?;
    let folder = site.station.log_folder();
    let (entry, proof, size) = apart(move || {
        let log = LogReader::open(&folder)?;
        Ok((log.entry(index)?, log.proof(index)?, log.size()))
    })
    .await
    .map_err(|_| nowhere(index))?;
    if !scope.whole && !mine(&site, &visitor, index, &entry).await? {
        return Err(nowhere(index));
    }
    let called = Called::of(&site, &scope, std::iter::once(&entry)).await?;
    let key = site.station.online_keys()?.log.public();
    let proven = proven(&proof, &entry, &key);
    let fault = proven.as_ref().err().cloned().unwrap_or_default();
    let title = format!("{} {index}", tongue.say("Mục", "Entry"));
    Ok(frame::page(&One {
        frame: Frame::new(&site, &visitor, title),
        tabs: super::tabs(&visitor),
        row: row(index, &entry, &called, tongue),
        who: entry.who().map(ToString::to_string).unwrap_or_default(),
        fact: entry.fact().to_string(),
        fields: fields(&entry),
        size,
        proven: proven.ok(),
        fault,
    }))
}

/// Whether an entry speaks of an area in which the visitor watches.
async fn mine(site: &Site, visitor: &Visitor, index: u64, entry: &Entry) -> Result<bool, Fault> {
    let reach = visitor.who()?.duties.reach(crate::access::Action::Watch).unwrap_or_default();
    for area in reach {
        let pick = Pick { area: Some(area), ..Pick::default() };
        if pick.wanted(&site.station).await?.holds(index, entry) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn nowhere(index: u64) -> Fault {
    Fault {
        status: axum::http::StatusCode::NOT_FOUND,
        vi: format!(
            "Không có mục {index} trong phần nhật ký bạn được xem; hãy quay lại danh sách."
        ),
        en: format!(
            "There is no entry {index} in what you may see of the log; go back to the list."
        ),
    }
}

fn proven(
    proof: &Proof,
    entry: &Entry,
    key: &crate::note::PublicKey,
) -> Result<(usize, String), String> {
    let head = proof.verify(entry.bytes(), key).map_err(|error| error.to_string())?;
    Ok((proof.path.len(), head.root.to_string()))
}

fn fields(entry: &Entry) -> Vec<Field> {
    let body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(entry.body().get()).unwrap_or_default();
    let field = |(name, value): (String, serde_json::Value)| {
        let value = match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        Field { name, long: value.contains('\n'), value }
    };
    body.into_iter().map(field).collect()
}

/// Reads the log apart from those who wait for answers.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| ServerError::Task(error.to_string()))?;
    Ok(done.map_err(ServerError::from)?)
}

/// Every number that is meant, so many at most; `None` where there are more.
pub(super) fn numbers(
    log: &LogReader,
    wanted: &Wanted,
    many: usize,
) -> Result<Option<Vec<u64>>, LogError> {
    let (mut found, mut next) = (Vec::new(), Some(0));
    while let Some(first) = next {
        let page = wanted.page(log, first, many + 1 - found.len().min(many))?;
        found.extend(page.entries.iter().map(|(index, _)| *index));
        if found.len() > many {
            return Ok(None);
        }
        next = page.next;
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The families of facts as `docs/log.md` names them: `person.added`, and `.revoked` of the same.
    fn told() -> Vec<String> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/log.md"));
        let text = text.unwrap();
        let (_, list) = text.split_once("### What the log has").unwrap();
        let (list, _) = list.split_once("\n###").unwrap();
        let kinds = list.split('`').skip(1).step_by(2).filter(|kind| !kind.starts_with('.'));
        kinds.map(str::to_owned).collect()
    }

    #[test]
    fn whatever_the_log_has_is_told_in_words_in_both_languages() {
        let kinds = told();
        assert!(kinds.len() > 15, "{kinds:?}");
        for kind in kinds {
            for tongue in [Tongue::Vi, Tongue::En] {
                assert_ne!(family(&kind, tongue), "", "{kind}");
            }
        }
    }
}
