//! What villagers ask: taken down, answered, closed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Action;
use crate::bulletin::question::Channel;
use crate::bulletin::{Asker, Comment, Question, QuestionText, Script, Topic};
use crate::id::{AreaId, BulletinId, QuestionId};
use crate::lang::LangTag;
use crate::server::NewQuestion;
use crate::web::api::fleet::{DONE, Done};
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Language, Remark, Slug, Text, Whole};

/// Questions of one answer at most, newest first.
const QUESTIONS_MAX: usize = 1_000;

pub(super) fn add(table: Table) -> Table {
    table
        .read(
            look("/questions", Action::Read, "questions", "What villagers ask, newest first"),
            list,
        )
        .write(
            act("/questions", Action::TakeQuestion, "ask", "Take down what a villager asks"),
            ask,
        )
        .write(
            act("/questions/{question}/answer", Action::Answer, "answer", "Answer a question"),
            answer,
        )
        .write(
            act(
                "/questions/{question}/closing",
                Action::TakeQuestion,
                "close",
                "Close it: a bulletin answers it, or a reason why none does",
            ),
            close,
        )
}

/// Which questions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The closed ones too.
    #[serde(default)]
    all: bool,
}

/// Questions, without who asked.
#[derive(Serialize, JsonSchema)]
struct Questions {
    /// Each as `loaban question list --json` prints it.
    #[schemars(with = "Vec<Whole>")]
    questions: Vec<Question>,
}

async fn list(call: Call<Nothing, Wanted>) -> Result<Questions, Problem> {
    let schedule = call.station().schedule().await?;
    let mut questions = call.station().store.questions().await?;
    questions.retain(|question| {
        let chain = schedule.tree.chain(&question.asked().village);
        (call.input.all || !matches!(question, Question::Closed(_)))
            && call.allow(Action::Read, &chain).is_ok()
    });
    questions.reverse();
    questions.truncate(QUESTIONS_MAX);
    Ok(Questions { questions })
}

/// A question as it is taken down.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct New {
    /// `form`, `phone` or `paper`.
    #[schemars(with = "String")]
    channel: Channel,
    /// Where it was asked.
    #[schemars(with = "Slug")]
    village: AreaId,
    #[schemars(with = "Language")]
    language: LangTag,
    /// The field of law, where it is known.
    #[schemars(with = "Option<Text>")]
    topic: Option<Topic>,
    /// What was asked.
    #[schemars(with = "String")]
    text: QuestionText,
    /// Who asked and how they are reached, only where they want an answer of their own.
    #[schemars(with = "Option<Text>")]
    asker: Option<Asker>,
}

/// The name that a question got.
#[derive(Serialize, JsonSchema)]
struct Named {
    #[schemars(with = "Slug")]
    question: QuestionId,
}

async fn ask(call: Call<Nothing, New>) -> Result<Named, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    let New { channel, village, language, topic, text, asker } = call.input;
    let new = NewQuestion { channel, village, language, topic, text, asker };
    Ok(Named { question: station.ask(new, by).await? })
}

/// A question.
#[derive(Deserialize, JsonSchema)]
struct Which {
    #[schemars(with = "Slug")]
    question: QuestionId,
}

/// An answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answering {
    #[schemars(with = "String")]
    answer: Script,
}

async fn answer(call: Call<Which, Answering>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    station.answer(&call.path.question, call.input.answer, by).await?;
    Ok(DONE)
}

/// How a question is closed.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Closing {
    /// The bulletin that answers it.
    Bulletin(#[schemars(with = "Slug")] BulletinId),
    /// Why it is not answered on the air.
    Reason(#[schemars(with = "Remark")] Comment),
}

async fn close(call: Call<Which, Closing>) -> Result<Done, Problem> {
    let (station, by) = (&call.site.station, &call.who.person.id);
    let question = &call.path.question;
    match call.input {
        Closing::Bulletin(bulletin) => station.close_with_bulletin(question, &bulletin, by).await?,
        Closing::Reason(reason) => station.close_for_reason(question, reason, by).await?,
    }
    Ok(DONE)
}
