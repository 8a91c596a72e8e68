//! A new bulletin with its first text: its fields, read all at once.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::lists::USUAL_TOPICS;
use crate::bulletin::version::Version;
use crate::bulletin::{Bulletin, Class, Kind, Question, SourceLevel, TOPICS_MAX};
use crate::clock::utc_now;
use crate::id::{BulletinId, ID_CHARS_MAX, QuestionId};
use crate::lang::fold;
use crate::server::{Contribution, ServerError, Validity};
use crate::time::{Timestamp, Zone};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::newsroom::fields::{Fields, Wrong};
use crate::web::newsroom::stock::{Stock, stock};
use crate::web::newsroom::words;
use crate::web::tongue::Tongue;

/// Days that a bulletin holds where nobody says otherwise.
const USUAL_DAYS: &str = "30";

/// Names that are tried where the first is taken.
const NAMES_MAX: usize = 99;

/// Words with a name for people: what is chosen from.
type Choices = Vec<(String, String)>;

#[derive(Template)]
#[template(path = "contribution.html")]
struct Page {
    frame: Frame,
    typed: Fields,
    wrong: Vec<String>,
    question: Option<Asked>,
    columns: Choices,
    kinds: Choices,
    classes: Choices,
    sources: Choices,
    areas: Choices,
    topics: Vec<String>,
    campaigns: Vec<String>,
    languages: Choices,
}

/// The question that the bulletin answers.
struct Asked {
    id: QuestionId,
    script: String,
}

/// What a new bulletin is made of.
#[derive(Deserialize)]
pub(super) struct From {
    question: Option<QuestionId>,
}

/// The empty form, or one that an answered question fills.
pub(super) async fn form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, Fault> {
    let mut typed = Fields::default().with("valid_days", USUAL_DAYS).with("language", "vi");
    typed = typed.with("source_level", "province").with("kind", "news").with("class", "normal");
    if let Some(id) = from.question {
        typed = asked(&site, typed, &id).await?;
    }
    page(&site, &visitor, typed, Vec::new()).await
}

/// The form as an answered question fills it.
async fn asked(site: &Site, typed: Fields, id: &QuestionId) -> Result<Fields, Fault> {
    let question = site.station.question(id).await?;
    let asked = question.asked();
    let tree = site.station.schedule().await?.tree;
    let commune = tree.commune(&asked.village).to_string();
    let title: String = asked.text.as_str().lines().next().unwrap_or_default().into();
    let title: String = title.chars().take(100).collect();
    let typed = typed.with("question", id.as_str()).with("title_vi", title).with("area", commune);
    let topic = asked.topic.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(typed.with("topic", topic).with("kind", Kind::QuestionAndAnswer.word()))
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    typed: Fields,
    wrong: Vec<String>,
) -> Result<Response, Fault> {
    let (stock, tongue) = (stock(site).await?, visitor.tongue);
    let lists = site.station.schedule().await?.lists;
    let question = match typed.one("question").parse() {
        Ok(id) => Some(answer(site, id).await?),
        Err(_) => None,
    };
    let topics = USUAL_TOPICS.iter().map(ToString::to_string);
    let named = |column: &crate::bulletin::Column| (column.to_string(), column.to_string());
    let languages = lists.languages.all().into_iter();
    let languages = languages.map(|tag| (tag.to_string(), stock.language(&tag, tongue).to_owned()));
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, tongue.say("Tin bài mới", "A new bulletin")),
        columns: lists.all_columns().iter().map(named).collect(),
        kinds: Kind::ALL.map(|one| choice(one.word(), words::kind(one, tongue))).to_vec(),
        classes: Class::ALL.map(|one| choice(one.word(), words::class(one, tongue))).to_vec(),
        sources: SourceLevel::ALL.map(|one| choice(one.word(), words::source(one, tongue))).into(),
        areas: areas(&stock, visitor),
        topics: topics.chain(lists.topics.iter().map(ToString::to_string)).collect(),
        campaigns: lists.campaigns.iter().map(ToString::to_string).collect(),
        languages: languages.collect(),
        question,
        typed,
        wrong,
    }))
}

fn choice(word: &str, name: &str) -> (String, String) {
    (word.to_owned(), name.to_owned())
}

/// Where the visitor may contribute; the whole station first.
fn areas(stock: &Stock, visitor: &Visitor) -> Choices {
    let mut areas = Vec::new();
    if stock.may(visitor, Action::Contribute, None) {
        areas.push(choice("", visitor.tongue.say("toàn đài", "whole station")));
    }
    let may = |area: &&crate::fleet::Area| {
        area.level != crate::fleet::Level::Village
            && stock.may(visitor, Action::Contribute, Some(&area.id))
    };
    let below = stock.world.tree.iter().filter(may);
    areas.extend(below.map(|area| choice(area.id.as_str(), &area.name)));
    areas
}

async fn answer(site: &Site, id: QuestionId) -> Result<Asked, Fault> {
    match site.station.question(&id).await? {
        Question::Answered(answered) => Ok(Asked { id, script: answered.script() }),
        Question::Open(_) => Err(ServerError::Unanswered(id).into()),
        Question::Closed(_) => {
            let step = "make a bulletin of";
            Err(ServerError::QuestionClosed { question: id, step }.into())
        }
    }
}

/// Makes the bulletin.
pub(super) async fn contribute(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let typed = Fields::new(fields);
    let made = make(&site, &visitor, &typed).await;
    match made {
        Ok(to) => Ok(Redirect::to(&to).into_response()),
        Err(wrong) => {
            let page = page(&site, &visitor, typed, wrong).await?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// The page of the first version; or everything that is wrong.
async fn make(site: &Site, visitor: &Visitor, typed: &Fields) -> Result<String, Vec<String>> {
    let tongue = visitor.tongue;
    let told = |fault: Fault| vec![tongue.say(&fault.vi, &fault.en).to_owned()];
    let refused = |error: ServerError| told(error.into());
    let by = visitor.who().map_err(told)?.person.id.clone();
    let stock = stock(site).await.map_err(refused)?;
    let answers = match typed.one("question").parse::<QuestionId>() {
        Ok(id) => Some(site.station.question(&id).await.map_err(refused)?),
        Err(_) => None,
    };
    let contribution = contribution(&stock, typed, answers, tongue)?;
    if let Ok(bulletin) = &contribution.bulletin {
        site.station.check_lists(bulletin).await.map_err(refused)?;
    }
    let language = contribution.language.clone();
    site.station.check_language(&language).await.map_err(refused)?;
    let id = contribution.bulletin.as_ref().map_or_else(Clone::clone, |held| held.id.clone());
    site.station.contribute(contribution, &by).await.map_err(refused)?;
    Ok(format!("/bulletins/{id}/{language}"))
}

fn contribution(
    stock: &Stock,
    typed: &Fields,
    answers: Option<Question>,
    tongue: Tongue,
) -> Result<Contribution, Vec<String>> {
    let mut wrong = Wrong::new(tongue);
    let script = match &answers {
        Some(Question::Answered(answered)) => answered.script(),
        Some(_) | None => typed.one("script").to_owned(),
    };
    let script = wrong.words(&script, ("Lời đọc", "Text"));
    let language = typed.one("language").parse().ok();
    if language.is_none() {
        wrong.say("Hãy chọn ngôn ngữ của lời đọc.", "Choose the language of the text.");
    }
    let variety = wrong.optional(typed.one("variety"), ("Phương ngữ", "Variety"));
    let kind = answers.as_ref().map(|_| Kind::QuestionAndAnswer);
    let bulletin = bulletin(stock, typed, kind, &mut wrong);
    match (bulletin, script, language, wrong.said) {
        (Some(bulletin), Some(script), Some(language), said) if said.is_empty() => {
            let bulletin = Ok(bulletin);
            let seen = Some(crate::server::Aim::mark(None::<&Version>));
            Ok(Contribution { bulletin, language, variety, script, answers, seen })
        }
        (_, _, _, said) => Err(said),
    }
}

fn bulletin(
    stock: &Stock,
    typed: &Fields,
    kind: Option<Kind>,
    wrong: &mut Wrong,
) -> Option<Bulletin> {
    let title = wrong.words(typed.one("title_vi"), ("Tên", "Title"));
    let title_en = wrong.optional(typed.one("title_en"), ("Tên tiếng Anh", "English title"));
    let issuing_body = wrong.words(typed.one("issuing_body"), ("Nơi ban hành", "Issuing body"));
    let number = ("Số văn bản", "Document number");
    let document_number = wrong.optional(typed.one("document_number"), number);
    let campaign = wrong.optional(typed.one("campaign"), ("Đợt tuyên truyền", "Campaign"));
    let (valid_from, valid_until) = validity(typed, stock.world.zone, utc_now(), wrong)?;
    let id = named(stock, typed, wrong);
    let column = typed.one("column").parse().ok();
    if column.is_none() {
        wrong.say("Hãy chọn chuyên mục.", "Choose a column.");
    }
    let topics = typed.all("topic").filter_map(|topic| topic.parse().ok());
    let topics: std::collections::BTreeSet<_> = topics.collect();
    if topics.len() > TOPICS_MAX {
        wrong.say("Chọn nhiều nhất 8 lĩnh vực.", "Choose at most 8 fields of law.");
    }
    let area = match typed.one("area") {
        "" => None,
        text => {
            let area = text.parse().ok().filter(|area| stock.world.tree.get(area).is_some());
            if area.is_none() {
                wrong.say("Hãy chọn địa bàn trong danh sách.", "Choose an area of the list.");
            }
            area
        }
    };
    Some(Bulletin {
        id: id?,
        title: title?,
        title_en,
        area,
        column: column?,
        kind: kind.unwrap_or(chosen(typed.one("kind"), Kind::ALL, Kind::word)),
        class: chosen(typed.one("class"), Class::ALL, Class::word),
        source_level: chosen(typed.one("source_level"), SourceLevel::ALL, SourceLevel::word),
        issuing_body: issuing_body?,
        document_number,
        topics,
        campaign,
        valid_from,
        valid_until,
    })
}

/// What was chosen from a list that the page offered; its first where something else came.
fn chosen<T: Copy, const N: usize>(text: &str, all: [T; N], word: fn(T) -> &'static str) -> T {
    all.into_iter().find(|one| word(*one) == text).unwrap_or(all[0])
}

/// From when until when it holds: so many days from now, or between two local times.
fn validity(
    typed: &Fields,
    zone: Zone,
    now: Timestamp,
    wrong: &mut Wrong,
) -> Option<(Timestamp, Timestamp)> {
    let local = |name: &str| {
        let read = chrono::NaiveDateTime::parse_from_str(typed.one(name), "%Y-%m-%dT%H:%M");
        read.ok().and_then(|local| zone.instant(local))
    };
    let longest = std::time::Duration::from_hours(366 * 24);
    if !typed.one("valid_from").is_empty() || !typed.one("valid_until").is_empty() {
        let from = local("valid_from").unwrap_or(Timestamp::from_seconds(now.seconds()));
        return match local("valid_until") {
            Some(until) if until > from && until.since(from) <= longest => Some((from, until)),
            _ => {
                wrong.say(
                    "Hết hạn phải sau lúc bắt đầu, trong vòng 366 ngày; hãy chọn lại.",
                    "The end must come after the beginning, within 366 days; choose again.",
                );
                None
            }
        };
    }
    if let Ok(days @ 1..=366) = typed.one("valid_days").parse::<u32>() {
        return Some(Validity::Days(days).from(now));
    }
    wrong.say("Số ngày còn hạn phải từ 1 đến 366.", "It holds for 1 to 366 days.");
    None
}

/// The name for machines: as it was typed, or made of the title.
fn named(stock: &Stock, typed: &Fields, wrong: &mut Wrong) -> Option<BulletinId> {
    let own = typed.one("id");
    if !own.is_empty() {
        let id = own.parse().ok();
        if id.is_none() {
            wrong.say(
                "Mã chỉ gồm chữ thường không dấu, số và dấu gạch nối, bắt đầu bằng chữ.",
                "An id has small letters without marks, digits and hyphens, and begins with a letter.",
            );
        }
        return id;
    }
    let stem = stem(typed.one("title_vi"));
    let taken = |id: &BulletinId| stock.items.contains_key(id);
    let names = (2..NAMES_MAX).map(|n| format!("{stem}-{n}"));
    let ids = std::iter::once(stem.clone()).chain(names).filter_map(|name| name.parse().ok());
    ids.into_iter().find(|id| !taken(id))
}

/// `Đội mũ bảo hiểm` is `doi-mu-bao-hiem`; room is left for a number.
fn stem(title: &str) -> String {
    let mut stem = String::new();
    let letters = |word: &String| word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    for word in fold::words(title).into_iter().filter(letters) {
        if stem.len() + word.len() + 1 > ID_CHARS_MAX - 8 {
            break;
        }
        if !stem.is_empty() {
            stem.push('-');
        }
        stem.push_str(&word);
    }
    if stem.starts_with(|c: char| c.is_ascii_lowercase()) { stem } else { format!("tin-{stem}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_makes_a_name_that_is_one() {
        assert_eq!(stem("Đội mũ bảo hiểm!"), "doi-mu-bao-hiem");
        assert_eq!(stem("168/2024 có hiệu lực"), "tin-168-2024-co-hieu-luc");
        for title in ["", "…", "ꪼꪕ", &"dài ".repeat(60)] {
            let stem = stem(title);
            let id = if stem == "tin-" { format!("{stem}2") } else { stem };
            assert!(id.parse::<BulletinId>().is_ok(), "{title}: {id}");
        }
    }

    fn held(pairs: &[(&str, &str)]) -> Result<(Timestamp, Timestamp), Vec<String>> {
        let fields = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let mut wrong = Wrong::new(Tongue::En);
        let now = Timestamp::from_seconds(1_795_000_000);
        let held = validity(&Fields::new(fields), Zone::default(), now, &mut wrong);
        held.ok_or(wrong.said)
    }

    #[test]
    fn a_bulletin_holds_for_days_or_between_two_times() {
        let (from, until) = held(&[("valid_days", "2")]).unwrap();
        assert_eq!(until.since(from).as_secs(), 2 * 86_400);
        let (from, until) =
            held(&[("valid_from", "2026-11-22T05:30"), ("valid_until", "2026-11-23T05:30")])
                .unwrap();
        assert_eq!(until.since(from).as_secs(), 86_400);
        for wrong in [
            vec![("valid_days", "0")],
            vec![("valid_days", "367")],
            vec![("valid_from", "2026-11-22T05:30")],
            vec![("valid_from", "2026-11-22T05:30"), ("valid_until", "2026-11-22T05:00")],
        ] {
            assert_eq!(held(&wrong).unwrap_err().len(), 1, "{wrong:?}");
        }
    }
}
