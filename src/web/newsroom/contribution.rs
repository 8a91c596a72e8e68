//! A new bulletin with its first text: its fields, read all at once.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::bulletin::{Kind, Question};
use crate::clock::utc_now;
use crate::id::{BulletinId, ID_CHARS_MAX, QuestionId};
use crate::lang::fold;
use crate::server::{Aim, Contribution, ServerError};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::newsroom::fields::{Fields, Wrong};
use crate::web::newsroom::sheet::{self, Choices, Offered};
use crate::web::newsroom::stock::{Stock, stock};
use crate::web::tongue::Tongue;

/// Days that a bulletin holds where nobody says otherwise.
const USUAL_DAYS: &str = "30";

/// Names that are tried where the first is taken.
const NAMES_MAX: usize = 99;

#[derive(Template)]
#[template(path = "contribution.html")]
struct Page {
    frame: Frame,
    typed: Fields,
    wrong: Vec<String>,
    question: Option<Asked>,
    offered: Offered,
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
    let languages = lists.languages.all().into_iter();
    let languages = languages.map(|tag| (tag.to_string(), stock.language(&tag, tongue).to_owned()));
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, tongue.say("Bản tin mới", "A new bulletin")),
        offered: Offered::to(visitor, &stock, &lists),
        languages: languages.collect(),
        question,
        typed,
        wrong,
    }))
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
    let valid = sheet::validity(typed, stock.world.zone, utc_now(), &mut wrong);
    let id = named(stock, typed, &mut wrong);
    let mut bulletin = sheet::bulletin(stock, typed, (id, valid), &mut wrong);
    if let (Some(bulletin), Some(_)) = (&mut bulletin, &answers) {
        bulletin.kind = Kind::QuestionAndAnswer;
    }
    match (bulletin, script, language, wrong.said) {
        (Some(bulletin), Some(script), Some(language), said) if said.is_empty() => {
            let seen = Some(Aim::mark(&bulletin, None, None));
            let bulletin = Ok(bulletin);
            Ok(Contribution { bulletin, language, variety, script, answers, seen })
        }
        (_, _, _, said) => Err(said),
    }
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
}
