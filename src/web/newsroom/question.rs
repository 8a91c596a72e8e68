//! Villagers' questions that wait: answered here, made into a bulletin, or closed with a reason.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::{Comment, Kind, Question, Script};
use crate::id::{BulletinId, QuestionId};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::newsroom::stock::{Stock, stock};
use crate::web::newsroom::words;
use crate::web::tongue::Tongue;

/// Questions on the page at most, those without an answer first, then the oldest.
const SHOWN_MAX: usize = 100;

#[derive(Template)]
#[template(path = "questions.html")]
struct Page {
    frame: Frame,
    told: Option<&'static str>,
    rows: Vec<Row>,
    more: usize,
    /// Bulletins that answer questions, newest first.
    bulletins: Vec<(BulletinId, String)>,
    back: Back,
}

struct Row {
    id: QuestionId,
    text: String,
    about: String,
    taken: String,
    answer: Option<String>,
    by: String,
    may_answer: bool,
    may_close: bool,
    may_publish: bool,
}

/// What was typed about a question, where it did not work.
#[derive(Default)]
struct Back {
    status: StatusCode,
    question: Option<QuestionId>,
    fault: String,
    answer: String,
    reason: String,
}

impl Back {
    /// Whether it was about this one.
    fn is_about(&self, id: &QuestionId) -> bool {
        self.question.as_ref() == Some(id)
    }
}

/// What was just done.
#[derive(Default, Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    told: String,
}

/// Everything that waits.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(told): Query<Told>,
) -> Result<Response, Fault> {
    page(&site, &visitor, &told.told, Back::default()).await
}

async fn page(site: &Site, visitor: &Visitor, told: &str, back: Back) -> Result<Response, Fault> {
    let (stock, tongue) = (stock(site).await?, visitor.tongue);
    let mut waiting = site.station.store.questions().await?;
    waiting.retain(|question| {
        !matches!(question, Question::Closed(_))
            && stock.may(visitor, Action::Read, Some(&question.asked().village))
    });
    waiting.sort_by_key(|question| matches!(question, Question::Answered(_)));
    let more = waiting.len().saturating_sub(SHOWN_MAX);
    waiting.truncate(SHOWN_MAX);
    let answers = stock.items.values().map(|item| &item.bulletin);
    let mut answers: Vec<_> = answers.filter(|b| b.kind == Kind::QuestionAndAnswer).collect();
    answers.sort_by_key(|bulletin| std::cmp::Reverse(bulletin.valid_from));
    let status = back.status;
    let shown = frame::page(&Page {
        frame: Frame::new(site, visitor, tongue.say("Câu hỏi của dân", "Villagers' questions")),
        told: done(told, tongue),
        rows: waiting.iter().map(|question| row(&stock, visitor, question)).collect(),
        more,
        bulletins: answers.iter().map(|b| (b.id.clone(), b.title.to_string())).collect(),
        back,
    });
    Ok((status, shown).into_response())
}

fn done(told: &str, tongue: Tongue) -> Option<&'static str> {
    match told {
        "answered" => Some(tongue.say("Đã ghi câu trả lời.", "The answer is kept.")),
        "closed" => Some(tongue.say("Đã đóng câu hỏi.", "The question is closed.")),
        _ => None,
    }
}

fn row(stock: &Stock, visitor: &Visitor, question: &Question) -> Row {
    let (asked, tongue) = (question.asked(), visitor.tongue);
    let may = |action| stock.may(visitor, action, Some(&asked.village));
    let village = stock.area(Some(&asked.village), tongue);
    let mut about = vec![village, stock.language(&asked.language, tongue).to_owned()];
    about.push(words::channel(asked.channel, tongue).to_owned());
    about.extend(asked.topic.as_ref().map(ToString::to_string));
    let by = match question {
        Question::Answered(answered) => stock.person(&answered.answered().by).to_owned(),
        Question::Open(_) | Question::Closed(_) => String::new(),
    };
    Row {
        id: asked.id.clone(),
        text: asked.text.to_string(),
        about: about.join(" · "),
        taken: stock.world.zone.local(asked.taken.at).format("%H:%M %d/%m/%Y").to_string(),
        answer: question.answer().map(ToString::to_string),
        by,
        may_answer: may(Action::Answer),
        may_close: may(Action::TakeQuestion),
        may_publish: matches!(question, Question::Answered(_)) && may(Action::Contribute),
    }
}

/// An answer.
#[derive(Deserialize)]
pub(super) struct Answering {
    answer: String,
}

/// Keeps an answer.
pub(super) async fn answer(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<QuestionId>,
    Form(given): Form<Answering>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match given.answer.parse::<Script>() {
        Ok(answer) => site.station.answer(&id, answer, by).await.map_err(Fault::from),
        Err(_) => Err(Fault::bad("Hãy ghi câu trả lời.", "Write the answer.")),
    };
    let back = Back { answer: given.answer, ..Back::default() };
    after(&site, &visitor, id, done, "answered", back).await
}

/// How a question is closed.
#[derive(Deserialize)]
pub(super) struct Closing {
    #[serde(default)]
    bulletin: String,
    #[serde(default)]
    reason: String,
}

/// Closes a question: a bulletin answers it, or a reason why none does.
pub(super) async fn close(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<QuestionId>,
    Form(given): Form<Closing>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let done = match (given.bulletin.parse(), given.reason.parse::<Comment>()) {
        (Ok(bulletin), _) => {
            site.station.close_with_bulletin(&id, &bulletin, by).await.map_err(Fault::from)
        }
        (Err(_), Ok(reason)) => {
            site.station.close_for_reason(&id, reason, by).await.map_err(Fault::from)
        }
        (Err(_), Err(_)) => Err(Fault::bad(
            "Hãy chọn bản tin trả lời, hoặc ghi lý do.",
            "Choose the bulletin that answers it, or write a reason.",
        )),
    };
    let back = Back { reason: given.reason, ..Back::default() };
    after(&site, &visitor, id, done, "closed", back).await
}

/// Back to the list; with what was typed, where it did not work.
async fn after(
    site: &Site,
    visitor: &Visitor,
    id: QuestionId,
    done: Result<(), Fault>,
    told: &'static str,
    back: Back,
) -> Result<Response, Fault> {
    let Err(fault) = done else {
        return Ok(Redirect::to(&format!("/questions?told={told}")).into_response());
    };
    let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
    let back = Back { status: fault.status, question: Some(id), fault: sentence, ..back };
    page(site, visitor, "", back).await
}
