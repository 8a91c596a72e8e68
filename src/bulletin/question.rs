//! What villagers ask, and what becomes of it.
//!
//! ```text
//!          answer               publish
//!   Open ──────────▶ Answered ──────────▶ Closed (by a bulletin)
//!     │ drop            │ drop
//!     └─────────────────┴───────────────▶ Closed (for a reason)
//! ```
//!
//! **Only an answered question becomes a bulletin, and none is closed without a bulletin or a
//! reason.** Who asked is not here: that is personal data, which the store keeps apart.

use serde::{Deserialize, Serialize};

use super::version::Step;
use super::{Comment, QuestionText, Script, Topic};
use crate::id::{AreaId, BulletinId, PersonId, QuestionId};
use crate::lang::LangTag;
use crate::time::Timestamp;

/// How a question came; the operator enters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Phiếu: a printed form.
    Form,
    /// Ghi qua điện thoại: noted on the telephone.
    Phone,
    /// Giấy: a letter or a note.
    Paper,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Form, Self::Phone, Self::Paper];

    /// The word that files, the store and documents use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Phone => "phone",
            Self::Paper => "paper",
        }
    }
}

/// A question as it was taken down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its name for machines.
    pub id: QuestionId,
    /// How it came.
    pub channel: Channel,
    /// Where it was asked.
    pub village: AreaId,
    /// The language it was asked in.
    pub language: LangTag,
    /// The field of law, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// What was asked.
    pub text: QuestionText,
    /// Who took it down, and when.
    pub taken: Step,
}

/// A question that nobody answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    asked: Asked,
}

impl Open {
    /// A new question.
    pub fn new(asked: Asked) -> Self {
        Self { asked }
    }

    /// `by` answers it.
    pub fn answer(self, answer: Script, by: PersonId, at: Timestamp) -> Answered {
        Answered { asked: self.asked, answer, step: Step { by, at } }
    }

    /// `by` closes it without an answer.
    pub fn drop(self, reason: Comment, by: PersonId, at: Timestamp) -> Closed {
        let ending = Ending::Dropped { reason };
        Closed { asked: self.asked, answer: None, ending, step: Step { by, at } }
    }
}

/// A question with its answer; it may become a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    asked: Asked,
    answer: Script,
    step: Step,
}

impl Answered {
    /// The answer.
    pub fn answer(&self) -> &Script {
        &self.answer
    }

    /// Who answered, and when.
    pub fn answered(&self) -> &Step {
        &self.step
    }

    /// Question and answer as a text to be read out.
    pub fn script(&self) -> String {
        format!("Hỏi: {}\n\nĐáp: {}", self.asked.text, self.answer)
    }

    /// `by` answers it anew.
    #[must_use]
    pub fn answer_anew(self, answer: Script, by: PersonId, at: Timestamp) -> Self {
        Self { asked: self.asked, answer, step: Step { by, at } }
    }

    /// It became a bulletin.
    pub fn publish(self, bulletin: BulletinId, by: PersonId, at: Timestamp) -> Closed {
        self.close(Ending::Published { bulletin }, by, at)
    }

    /// `by` closes it: the answer was given otherwise.
    pub fn drop(self, reason: Comment, by: PersonId, at: Timestamp) -> Closed {
        self.close(Ending::Dropped { reason }, by, at)
    }

    fn close(self, ending: Ending, by: PersonId, at: Timestamp) -> Closed {
        let answer = Some((self.answer, self.step));
        Closed { asked: self.asked, answer, ending, step: Step { by, at } }
    }
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// A bulletin answers it.
    Published {
        /// Which.
        bulletin: BulletinId,
    },
    /// It is not answered on the air.
    Dropped {
        /// Why.
        reason: Comment,
    },
}

/// A question that is done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClosedFields")]
pub struct Closed {
    asked: Asked,
    answer: Option<(Script, Step)>,
    ending: Ending,
    step: Step,
}

/// A closed question as it was stored, not yet checked.
#[derive(Deserialize)]
struct ClosedFields {
    asked: Asked,
    answer: Option<(Script, Step)>,
    ending: Ending,
    step: Step,
}

/// A row in which a bulletin answers what was never answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a question became a bulletin without an answer")]
struct Unanswered;

impl TryFrom<ClosedFields> for Closed {
    type Error = Unanswered;

    fn try_from(fields: ClosedFields) -> Result<Self, Unanswered> {
        let ClosedFields { asked, answer, ending, step } = fields;
        match (&ending, &answer) {
            (Ending::Published { .. }, None) => Err(Unanswered),
            _ => Ok(Self { asked, answer, ending, step }),
        }
    }
}

impl Closed {
    /// The answer, where one was given.
    pub fn answer(&self) -> Option<&Script> {
        self.answer.as_ref().map(|(answer, _)| answer)
    }

    /// What became of it.
    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    /// Who closed it, and when.
    pub fn closed(&self) -> &Step {
        &self.step
    }
}

/// A question in whatever state it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Question {
    /// Nobody answered it yet.
    Open(Open),
    /// Has its answer.
    Answered(Answered),
    /// Is done with.
    Closed(Closed),
}

impl Question {
    /// As it was taken down.
    pub fn asked(&self) -> &Asked {
        match self {
            Self::Open(question) => &question.asked,
            Self::Answered(question) => &question.asked,
            Self::Closed(question) => &question.asked,
        }
    }

    /// The word for its state: in the store, in lists, in sentences.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Answered(_) => "answered",
            Self::Closed(_) => "closed",
        }
    }

    /// The answer, where one was given.
    pub fn answer(&self) -> Option<&Script> {
        match self {
            Self::Open(_) => None,
            Self::Answered(question) => Some(question.answer()),
            Self::Closed(question) => question.answer(),
        }
    }

    /// The bulletin that answers it.
    pub fn bulletin(&self) -> Option<&BulletinId> {
        match self {
            Self::Closed(Closed { ending: Ending::Published { bulletin }, .. }) => Some(bulletin),
            Self::Open(_) | Self::Answered(_) | Self::Closed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn person() -> PersonId {
        "hoa".parse().unwrap()
    }

    fn open() -> Open {
        Open::new(Asked {
            id: "hoi-1".parse().unwrap(),
            channel: Channel::Phone,
            village: "mu-ca".parse().unwrap(),
            language: "hni".parse().unwrap(),
            topic: "Đất đai".parse().ok(),
            text: "Làm sổ đỏ ở đâu?".parse().unwrap(),
            taken: Step { by: person(), at: AT },
        })
    }

    fn answered() -> Answered {
        open().answer("Ở trung tâm hành chính công.".parse().unwrap(), person(), AT)
    }

    #[test]
    fn question_and_answer_are_read_out_together() {
        assert_eq!(
            answered().script(),
            "Hỏi: Làm sổ đỏ ở đâu?\n\nĐáp: Ở trung tâm hành chính công."
        );
    }

    #[test]
    fn every_state_reads_back_from_json() {
        let bulletin: BulletinId = "so-do".parse().unwrap();
        let reason: Comment = "trùng câu hỏi".parse().unwrap();
        let published = answered().publish(bulletin.clone(), person(), AT);
        for (question, state, answers) in [
            (Question::Open(open()), "open", None),
            (Question::Answered(answered()), "answered", None),
            (Question::Closed(published), "closed", Some(&bulletin)),
            (Question::Closed(open().drop(reason.clone(), person(), AT)), "closed", None),
            (Question::Closed(answered().drop(reason, person(), AT)), "closed", None),
        ] {
            let json = serde_json::to_string(&question).unwrap();
            assert_eq!(serde_json::from_str::<Question>(&json).unwrap(), question);
            assert_eq!((question.state(), question.bulletin()), (state, answers));
        }
    }

    #[test]
    fn a_row_in_which_a_bulletin_answers_nothing_does_not_read_back() {
        let closed = Question::Closed(answered().publish("so-do".parse().unwrap(), person(), AT));
        let mut json = serde_json::to_value(&closed).unwrap();
        json["answer"] = serde_json::Value::Null;
        assert!(serde_json::from_value::<Question>(json).is_err());
    }

    #[test]
    fn the_words_of_channels_are_those_of_the_store() {
        for channel in Channel::ALL {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.word());
        }
    }
}
