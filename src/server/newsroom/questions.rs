//! What villagers ask: taken down by an operator, answered, made into a bulletin or closed.
//!
//! **The log has neither who asked nor what they said, only commitments to it**, each with a salt
//! of its own; text and salt are in the store, and once they are erased the log says nothing.

use crate::access::Action;
use crate::audit::commitment::{Commitment, Salt};
use crate::bulletin::question::{Answered, Asked, Channel, Open};
use crate::bulletin::version::Step;
use crate::bulletin::{Asker, Comment, Kind, Question, QuestionText, Script, Topic};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::{AreaId, BulletinId, PersonId, QuestionId};
use crate::lang::LangTag;
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{Fact, Secret, Tx};

/// A question as the operator enters it.
#[derive(Clone, Debug)]
pub struct NewQuestion {
    /// How it came.
    pub channel: Channel,
    /// Where it was asked.
    pub village: AreaId,
    /// The language it was asked in.
    pub language: LangTag,
    /// The field of law, where it is known.
    pub topic: Option<Topic>,
    /// What was asked.
    pub text: QuestionText,
    /// Who asked and how they are reached, where they want an answer.
    pub asker: Option<Asker>,
}

impl Station {
    /// `by` takes down what a villager asks; returns the name it got.
    pub async fn ask(&self, new: NewQuestion, by: &PersonId) -> Result<QuestionId, ServerError> {
        self.allow(by, Action::TakeQuestion, Some(&new.village)).await?;
        let schedule = self.schedule().await?;
        if schedule.tree.get(&new.village).is_none() {
            return Err(ServerError::NoArea(new.village));
        }
        if !schedule.lists.languages.knows(&new.language) {
            return Err(ServerError::NoLanguage(new.language));
        }
        if let Some(topic) = new.topic.as_ref().filter(|topic| !schedule.lists.has_topic(topic)) {
            return Err(ServerError::NoTopic(topic.clone()));
        }
        let now = utc_now();
        let id = self.new_id(now, &new);
        let (text, asker) = (secret("text", new.text.as_str()), new.asker);
        let asker = asker.map(|asker| secret("asker", asker.as_str()));
        let asked = Asked {
            id: id.clone(),
            channel: new.channel,
            village: new.village,
            language: new.language,
            topic: new.topic,
            text: new.text,
            taken: Step { by: by.clone(), at: now },
        };
        let mut body = serde_json::json!({
            "question": id, "channel": asked.channel, "village": asked.village,
            "language": asked.language, "topic": asked.topic, "text": commitment(&text),
        });
        if let Some(asker) = &asker {
            body["asker"] = serde_json::json!(commitment(asker));
        }
        let mut tx = self.store.begin().await?;
        let question = Question::Open(Open::new(asked));
        put(&mut tx, None, &question).await?;
        for secret in std::iter::once(&text).chain(&asker) {
            tx.put_secret(&id, secret).await?;
        }
        tx.tell(&fact("question.asked", by, &body)).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// `hoi-20261122-3fa2c1`: the day, and what tells the questions of a day apart.
    fn new_id(&self, now: crate::time::Timestamp, new: &NewQuestion) -> QuestionId {
        let day = self.config.zone.local(now).format("%Y%m%d");
        let salt: [u8; 32] = entropy::bytes();
        let tail = Digest::of_parts(&[&salt, new.text.as_str().as_bytes()]).to_string();
        let id = format!("hoi-{day}-{}", &tail[..6]);
        id.parse().expect("a day and six hexadecimal digits are an id")
    }

    /// The question of that name.
    pub async fn question(&self, id: &QuestionId) -> Result<Question, ServerError> {
        let found = self.store.question(id).await?;
        found.ok_or_else(|| ServerError::NoQuestion(id.clone()))
    }

    /// `by` answers a question, or answers it anew.
    pub async fn answer(
        &self,
        id: &QuestionId,
        answer: Script,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let before = self.question(id).await?;
        self.allow(by, Action::Answer, Some(&before.asked().village)).await?;
        let kept = secret("answer", answer.as_str());
        let (person, now) = (by.clone(), utc_now());
        let answered = match before.clone() {
            Question::Open(open) => open.answer(answer, person, now),
            Question::Answered(answered) => answered.answer_anew(answer, person, now),
            Question::Closed(_) => return Err(closed(id, "answer")),
        };
        let body = serde_json::json!({ "question": id, "answer": commitment(&kept) });
        let mut tx = self.store.begin().await?;
        put(&mut tx, Some(&before), &Question::Answered(answered)).await?;
        tx.put_secret(id, &kept).await?;
        tx.tell(&fact("question.answered", by, &body)).await?;
        Ok(tx.commit().await?)
    }

    /// `by` closes a question that a bulletin answers, which is there.
    pub async fn close_with_bulletin(
        &self,
        id: &QuestionId,
        bulletin: &BulletinId,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let before = self.question(id).await?;
        self.allow(by, Action::TakeQuestion, Some(&before.asked().village)).await?;
        if self.bulletin(bulletin).await?.kind != Kind::QuestionAndAnswer {
            return Err(ServerError::NoAnswerBulletin(bulletin.clone()));
        }
        let mut tx = self.store.begin().await?;
        publish(&mut tx, before, bulletin, by).await?;
        Ok(tx.commit().await?)
    }

    /// `by` closes a question that is not answered on the air.
    pub async fn close_for_reason(
        &self,
        id: &QuestionId,
        reason: Comment,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let before = self.question(id).await?;
        self.allow(by, Action::TakeQuestion, Some(&before.asked().village)).await?;
        let (person, now, why) = (by.clone(), utc_now(), reason.clone());
        let after = match before.clone() {
            Question::Open(open) => open.drop(why, person, now),
            Question::Answered(answered) => answered.drop(why, person, now),
            Question::Closed(_) => return Err(closed(id, "close")),
        };
        let body = serde_json::json!({ "question": id, "reason": reason });
        let mut tx = self.store.begin().await?;
        put(&mut tx, Some(&before), &Question::Closed(after)).await?;
        tx.tell(&fact("question.closed", by, &body)).await?;
        Ok(tx.commit().await?)
    }
}

/// An answered question, of which a bulletin can be made.
pub(super) fn answered(question: Question) -> Result<Answered, ServerError> {
    let id = question.asked().id.clone();
    match question {
        Question::Answered(answered) => Ok(answered),
        Question::Open(_) => Err(ServerError::Unanswered(id)),
        Question::Closed(_) => Err(closed(&id, "make a bulletin of")),
    }
}

/// Closes an answered question with its bulletin, in the transaction that makes the bulletin.
pub(super) async fn publish(
    tx: &mut Tx,
    before: Question,
    bulletin: &BulletinId,
    by: &PersonId,
) -> Result<(), ServerError> {
    let id = before.asked().id.clone();
    let after = answered(before.clone())?.publish(bulletin.clone(), by.clone(), utc_now());
    put(tx, Some(&before), &Question::Closed(after)).await?;
    let body = serde_json::json!({ "question": id, "bulletin": bulletin });
    Ok(tx.tell(&fact("question.closed", by, &body)).await?)
}

async fn put(
    tx: &mut Tx,
    before: Option<&Question>,
    question: &Question,
) -> Result<(), ServerError> {
    if tx.put_question(before, question).await? {
        return Ok(());
    }
    Err(ServerError::Changed { what: format!("question {}", question.asked().id) })
}

fn secret(part: &'static str, body: &str) -> Secret {
    Secret { part, salt: Salt::from_random(entropy::bytes()), body: body.to_owned() }
}

fn commitment(secret: &Secret) -> Commitment {
    Commitment::to(&secret.salt, &secret.body)
}

fn fact(kind: &'static str, by: &PersonId, body: &serde_json::Value) -> Fact {
    Fact::new(utc_now(), kind, format!("person:{by}"), body)
}

fn closed(id: &QuestionId, step: &'static str) -> ServerError {
    ServerError::QuestionClosed { question: id.clone(), step }
}
