//! The station's lists: languages, columns, topics, campaigns; and who may air when.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::bulletin::Topic;
use crate::bulletin::lists::USUAL_TOPICS;
use crate::calendar::{Airtime, Window};
use crate::id::AreaId;
use crate::lang::LangTag;
use crate::schedule::file::{language_text, named_text};
use crate::web::Site;
use crate::web::commune::{Town, town};
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// The schedule file that the forms of this page add to.
const FILE: &str = "danh-muc.toml";

#[derive(Template)]
#[template(path = "administration/lists.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    languages: Vec<(LangTag, String, String)>,
    columns: Vec<String>,
    topics: Vec<String>,
    campaigns: Vec<String>,
    policies: Vec<Policy>,
    fault: Option<String>,
    typed: Added,
}

struct Policy {
    area: AreaId,
    name: String,
    windows: Vec<String>,
    quiet: Vec<String>,
    volumes: Vec<String>,
    limits: String,
}

/// Something new on a list.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Added {
    list: String,
    tag: String,
    name: String,
    name_en: String,
}

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    Ok(frame::page(&page(&site, &visitor).await?))
}

async fn page(site: &Site, visitor: &Visitor) -> Result<Page, Fault> {
    let (town, tongue) = (town(site).await?, visitor.tongue);
    let lists = &town.schedule.lists;
    let tags = lists.languages.tags();
    let tags = tags.split(", ").filter_map(|tag| tag.parse::<LangTag>().ok());
    let named = tags.map(|tag| {
        let (vi, en) = (lists.languages.vi(&tag).to_owned(), lists.languages.en(&tag).to_owned());
        (tag, vi, en)
    });
    let own = lists.topics.iter().map(Topic::as_str);
    let topics = USUAL_TOPICS.into_iter().chain(own).map(str::to_owned).collect();
    let policies = town.schedule.policies.iter();
    Ok(Page {
        frame: Frame::new(site, visitor, tongue.say("Danh mục và khung giờ", "Lists and policies")),
        tabs: super::tabs(visitor),
        languages: named.collect(),
        columns: lists.all_columns().iter().map(|column| column.as_str().to_owned()).collect(),
        topics,
        campaigns: lists.campaigns.iter().map(ToString::to_string).collect(),
        policies: policies.map(|(area, airtime)| policy(&town, area, airtime, tongue)).collect(),
        fault: None,
        typed: Added::default(),
    })
}

fn policy(town: &Town, area: &AreaId, airtime: &Airtime, tongue: Tongue) -> Policy {
    let written = airtime.written();
    let hours = |window: &Window| hours(window, tongue);
    let mut limits = vec![
        format!("{} {}", written.sessions_a_day_max, tongue.say("buổi mỗi ngày", "sessions a day")),
        format!(
            "{} {}",
            written.minutes_a_session_max,
            tongue.say("phút mỗi buổi", "min a session")
        ),
        format!("{} {}", written.minutes_a_day_max, tongue.say("phút mỗi ngày", "min a day")),
    ];
    let week = airtime.days_a_week_max();
    let said = tongue.say("ngày mỗi tuần", "days a week");
    limits.extend(week.map(|days| format!("{days} {said}")));
    let held = town.schedule.tree.get(area);
    Policy {
        name: held.map_or_else(|| area.to_string(), |held| held.name.clone()),
        area: area.clone(),
        windows: written.windows.iter().map(hours).collect(),
        quiet: airtime.quiet().iter().map(hours).collect(),
        volumes: airtime
            .volumes()
            .iter()
            .map(|volume| format!("{}: {} %", hours(&volume.window), volume.percent))
            .collect(),
        limits: limits.join(", "),
    }
}

fn hours(window: &Window, tongue: Tongue) -> String {
    use crate::calendar::{Days, Weekday};
    let days = if window.days() == Days::EVERY {
        tongue.say("mọi ngày", "every day").to_owned()
    } else {
        let name = |day: Weekday| match (tongue, day) {
            (Tongue::En, day) => day.word(),
            (Tongue::Vi, Weekday::Monday) => "thứ Hai",
            (Tongue::Vi, Weekday::Tuesday) => "thứ Ba",
            (Tongue::Vi, Weekday::Wednesday) => "thứ Tư",
            (Tongue::Vi, Weekday::Thursday) => "thứ Năm",
            (Tongue::Vi, Weekday::Friday) => "thứ Sáu",
            (Tongue::Vi, Weekday::Saturday) => "thứ Bảy",
            (Tongue::Vi, Weekday::Sunday) => "Chủ nhật",
        };
        window.days().iter().map(name).collect::<Vec<_>>().join(", ")
    };
    format!("{}–{} ({days})", window.from(), window.until())
}

/// Puts something new on a list.
pub(in crate::web) async fn add(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(added): Form<Added>,
) -> Result<Response, Fault> {
    super::whole(&visitor)?;
    match put(&site, &visitor, &added).await {
        Ok(()) => Ok(Redirect::to("/administration/lists").into_response()),
        Err(fault) => {
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            let page = page(&site, &visitor).await?;
            let page = Page { fault: Some(sentence), typed: added, ..page };
            Ok((fault.status, frame::page(&page)).into_response())
        }
    }
}

async fn put(site: &Site, visitor: &Visitor, added: &Added) -> Result<(), Fault> {
    let (name, by) = (added.name.trim(), &visitor.who()?.person.id);
    let empty = name.is_empty() || added.list == "language" && added.tag.trim().is_empty();
    if empty {
        return Err(Fault::bad(
            "Hãy ghi tên; ngôn ngữ cần cả mã.",
            "Write a name; a language needs its tag.",
        ));
    }
    let english = Some(added.name_en.trim()).filter(|text| !text.is_empty()).unwrap_or(name);
    let lines = match added.list.as_str() {
        "language" => language_text(added.tag.trim(), name, english),
        "column" | "topic" | "campaign" => named_text(&added.list, name),
        _ => return Err(Fault::bad("Hãy chọn danh mục.", "Choose a list.")),
    };
    site.station.add_to_file(FILE, &lines, by).await?;
    site.looked.forget();
    Ok(())
}
