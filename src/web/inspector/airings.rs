//! Every item that was to be heard, in order of time, with how it is known and where in the log
//! that stands.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::bulletin::lists::USUAL_TOPICS;
use crate::bulletin::{Bulletin, Class, Topic};
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::report::{Fate, evidence_vi};
use crate::server::{Aired, Only};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::figures::words;
use crate::web::inspector::scope::{Choice, Days, Scope, busy, choices, query, word};
use crate::web::tongue::Tongue;

/// Rows of one page.
const ROWS: usize = 100;

const FATES: [Fate; 8] = [
    Fate::Completed,
    Fate::Interrupted,
    Fate::Preempted,
    Fate::Skipped,
    Fate::Failed,
    Fate::Awaited,
    Fate::Planned,
    Fate::Dropped,
];

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    from: String,
    to: String,
    area: String,
    place: String,
    bulletin: String,
    column: String,
    topic: String,
    language: String,
    class: String,
    outcome: String,
    cause: String,
    after: String,
}

impl Asked {
    /// The same as a query, without the place.
    fn query(&self) -> String {
        query(&[
            ("from", &self.from),
            ("to", &self.to),
            ("area", &self.area),
            ("bulletin", &self.bulletin),
            ("column", &self.column),
            ("topic", &self.topic),
            ("language", &self.language),
            ("class", &self.class),
            ("outcome", &self.outcome),
            ("cause", &self.cause),
        ])
    }

    fn only(&self) -> Result<Only, Fault> {
        let fate = FATES.into_iter().find(|fate| fate.as_str() == self.outcome);
        Ok(Only {
            column: word(&self.column)?,
            topic: word(&self.topic)?,
            language: word(&self.language)?,
            class: Class::ALL.into_iter().find(|class| class.word() == self.class),
            fate,
            cause: (!self.cause.is_empty()).then(|| self.cause.clone()),
        })
    }
}

#[derive(Template)]
#[template(path = "inspector/airings.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    areas: Vec<Choice>,
    whole: bool,
    offered: Vec<String>,
    days: Days,
    bulletins: Vec<Choice>,
    columns: Vec<Choice>,
    topics: Vec<Choice>,
    languages: Vec<Choice>,
    classes: Vec<Choice>,
    outcomes: Vec<Choice>,
    cause: String,
    rows: Vec<Row>,
    /// The next page, as a query.
    next: Option<String>,
    /// The first page, where this is another.
    first: Option<String>,
    emergency: bool,
}

struct Row {
    at: String,
    place: String,
    controller: String,
    bulletin: BulletinId,
    title: String,
    language: String,
    told: String,
    class: &'static str,
    known: String,
    begun: String,
    entry: Option<u64>,
    /// "Why not?" as a query, where it was not heard whole.
    why: Option<String>,
}

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(mut asked): Query<Asked>,
) -> Result<Response, Fault> {
    let scope = Scope::of(&site, &visitor, (&asked.area, &asked.place)).await?;
    asked.area = scope.word();
    let tongue = visitor.tongue;
    let days = Days::of(&site, (&asked.from, &asked.to), |day| (day.plus_days(-1), day))?;
    let mut inquiry = scope.inquiry(days);
    inquiry.bulletin = word(&asked.bulletin)?;
    let (only, place) = (asked.only()?, word(&asked.after)?);
    let found = {
        let _place = site.heavy().await.ok_or_else(busy)?;
        site.station.aired(&inquiry, &only, place.as_ref(), ROWS).await?
    };
    let bulletins = site.station.store.bulletins().await?;
    let title = tongue.say("Từng lượt phát", "Airing by airing");
    let rows = found.rows.iter().map(|row| line(&site, &scope, &bulletins, row, tongue));
    let here = asked.query();
    let page = Page {
        frame: Frame::new(&site, &visitor, title),
        tabs: super::tabs(&visitor),
        rows: rows.collect(),
        next: found.next.map(|next| format!("{here}&{}", query(&[("after", &next.to_string())]))),
        first: place.is_some().then_some(here),
        emergency: only.class == Some(Class::Emergency),
        cause: asked.cause.clone(),
        days,
        bulletins: newest(&bulletins, &asked.bulletin),
        columns: columns(&scope, &asked.column),
        topics: topics(&scope, &asked.topic),
        languages: languages(&scope, &asked.language, tongue),
        classes: choices(
            Class::ALL.map(|class| (class.word(), class_name(class, tongue))),
            &asked.class,
        ),
        outcomes: choices(
            FATES.map(|fate| (fate.as_str(), words(fate, "", tongue))),
            &asked.outcome,
        ),
        whole: scope.whole,
        offered: scope.offered,
        areas: scope.choices,
    };
    Ok(frame::page(&page))
}

/// Bulletins that a list offers at most, newest first; any other is written by its id.
const OFFERED: usize = 200;

/// The newest bulletins, for a list.
pub(super) fn newest(bulletins: &[Bulletin], chosen: &str) -> Vec<Choice> {
    let mut sorted: Vec<&Bulletin> = bulletins.iter().collect();
    sorted.sort_by_key(|bulletin| std::cmp::Reverse(bulletin.valid_from));
    let named = sorted.into_iter().take(OFFERED);
    choices(named.map(|bulletin| (&bulletin.id, bulletin.title.as_str())), chosen)
}

fn columns(scope: &Scope, chosen: &str) -> Vec<Choice> {
    let all = scope.town.schedule.lists.all_columns();
    let all: Vec<String> = all.iter().map(|column| column.as_str().to_owned()).collect();
    choices(all.iter().map(|column| (column.clone(), column.clone())), chosen)
}

fn topics(scope: &Scope, chosen: &str) -> Vec<Choice> {
    let own = scope.town.schedule.lists.topics.iter().map(Topic::as_str);
    choices(USUAL_TOPICS.into_iter().chain(own).map(|topic| (topic, topic)), chosen)
}

fn languages(scope: &Scope, chosen: &str, tongue: Tongue) -> Vec<Choice> {
    let names = &scope.town.schedule.lists.languages;
    let tags = names.tags();
    let tags: Vec<LangTag> = tags.split(", ").filter_map(|tag| tag.parse().ok()).collect();
    let named = tags.iter().map(|tag| (tag.clone(), tongue.say(names.vi(tag), names.en(tag))));
    choices(named, chosen)
}

fn class_name(class: Class, tongue: Tongue) -> &'static str {
    match class {
        Class::Normal => tongue.say("thông thường", "normal"),
        Class::Priority => tongue.say("ưu tiên", "priority"),
        Class::Emergency => tongue.say("khẩn cấp", "emergency"),
    }
}

fn line(site: &Site, scope: &Scope, bulletins: &[Bulletin], row: &Aired, tongue: Tongue) -> Row {
    let zone = site.station.config.zone;
    let names = &scope.town.schedule.lists.languages;
    let bulletin = bulletins.iter().find(|bulletin| bulletin.id == row.bulletin);
    let whole = row.fate == Fate::Completed;
    let date = row.airing.date.to_string();
    let why = [
        ("controller", row.airing.controller.as_str()),
        ("bulletin", row.bulletin.as_str()),
        ("date", date.as_str()),
    ];
    let known = match (row.evidence.as_str(), tongue) {
        (word, _) if !word.is_empty() && row.fate == Fate::Skipped => {
            tongue.say("biên nhận của bộ thu", "the controller's receipt").to_owned()
        }
        ("", _) => tongue.say("chưa có biên nhận", "no receipt yet").to_owned(),
        (word, Tongue::Vi) => evidence_vi(word).to_owned(),
        (word, Tongue::En) => word.to_owned(),
    };
    let clock = |at| zone.local(at).format("%H:%M:%S").to_string();
    let of_airing =
        |at| format!("{} {}", tongue.say("lượt phát bắt đầu", "airing began"), clock(at));
    let of_item = |at| format!("{} {}", tongue.say("bắt đầu", "began"), clock(at));
    let begun = row.own.begun.map(of_item).or_else(|| row.begun.map(of_airing));
    Row {
        at: zone.local(row.own.planned.unwrap_or(row.at)).format("%d/%m %H:%M:%S").to_string(),
        place: row.area.as_ref().map(|area| scope.village(area)).unwrap_or_default(),
        controller: row.airing.controller.to_string(),
        bulletin: row.bulletin.clone(),
        title: bulletin.map_or_else(|| row.bulletin.to_string(), |b| b.title.to_string()),
        language: tongue.say(names.vi(&row.language), names.en(&row.language)).to_owned(),
        told: words(row.fate, &row.cause, tongue),
        class: class(row.fate),
        known,
        begun: begun.unwrap_or_default(),
        entry: row.entry,
        why: (!whole).then(|| query(&why)),
    }
}

/// The colour and the sign of a fate; its words stand beside them.
fn class(fate: Fate) -> &'static str {
    match fate {
        Fate::Completed => "good",
        Fate::Planned | Fate::Dropped => "kept",
        Fate::Awaited | Fate::Interrupted | Fate::Preempted => "warn",
        Fate::Skipped | Fate::Failed => "bad",
    }
}
