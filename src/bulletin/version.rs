//! The life of a version: a bulletin in one language, from a text to what is heard.
//!
//! ```text
//!            record            review              approve              withdraw
//!   Text ───────────▶ Draft ──────────▶ Reviewed ──────────▶ Approved ──────────▶ Withdrawn
//!    ▲ │ send_back     ▲ │ send_back       │
//!    └─┘               └─┘◀────────────────┘ send_back
//! ```
//!
//! **Nobody reviews or approves their own recording, what was never recorded cannot be reviewed,
//! and only [`Approved`] can be heard.** The reviewer approves only where the station's
//! [`ApprovalPolicy`] lets them. A new text or a new recording begins again as text or draft, and
//! keeps what was said of the ones before. Expired and scheduled are no states: they follow from
//! dates and from the plan.

use serde::{Deserialize, Serialize};

use super::{Comment, Script, Variety};
use crate::digest::Digest;
use crate::id::PersonId;
use crate::time::Timestamp;

mod approved;
mod text;

pub use approved::{Approved, Audible, Withdrawn};
pub use text::{Text, TextDraft};

/// Comments that a version keeps at most; of more, the oldest are only in the log.
pub const RETURNS_MAX: usize = 16;

/// Whose voice a recording has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// A person speaking the language itself.
    Human,
    /// A machine.
    Synthetic,
    /// A recording in a related variety, until the right one is made.
    StandIn,
}

impl Voice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Human, Self::Synthetic, Self::StandIn];

    /// The word that files, the store and documents use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Synthetic => "synthetic",
            Self::StandIn => "stand-in",
        }
    }
}

/// A recording as it was ingested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The encoded recording that controllers play.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// The file that was handed in.
    pub source: Digest,
}

/// A text that was spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Who spoke it, or had a machine speak it.
    pub announcer: PersonId,
    /// Whose voice it is.
    pub voice: Voice,
    /// The recording.
    pub recording: Recording,
}

/// What a version holds once it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What is read out, and by whom it was written.
    pub text: Text,
    /// Who read it, and the recording.
    pub spoken: Spoken,
}

/// Who took a step, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// What a reviewer or leader wants changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBack {
    /// Who sent it back, and when.
    pub step: Step,
    /// What to change.
    pub comment: Comment,
    /// The text and recording that were returned; none in what was kept before this was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Digest>,
}

/// What was said of a version so far, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Returns(Vec<SentBack>);

impl Returns {
    /// Every comment that is kept, oldest first.
    pub fn all(&self) -> &[SentBack] {
        &self.0
    }

    /// The newest comment.
    pub fn last(&self) -> Option<&SentBack> {
        self.0.last()
    }

    fn and(mut self, by: PersonId, at: Timestamp, comment: Comment, work: Digest) -> Self {
        if self.0.len() >= RETURNS_MAX {
            self.0.remove(0);
        }
        self.0.push(SentBack { step: Step { by, at }, comment, work: Some(work) });
        self
    }
}

/// The station's rule of who may approve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApprovalPolicy {
    /// Whether the person who listened back may approve too.
    pub reviewer_may_approve: bool,
}

/// Why a step was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepRefused {
    /// The announcer listening back to their own recording.
    #[error("{0} made this recording; somebody else must listen back to it")]
    ReviewedByAnnouncer(PersonId),
    /// The announcer approving their own recording.
    #[error("{0} made this recording; another leader must approve it")]
    ApprovedByAnnouncer(PersonId),
    /// The reviewer approving what they listened back to.
    #[error(
        "{0} listened back to this; another leader must approve it, or set `reviewer_may_approve`"
    )]
    ApprovedByReviewer(PersonId),
}

/// A recording that nobody listened back to yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    content: Content,
    #[serde(default)]
    returns: Returns,
}

impl Draft {
    /// A new version.
    pub fn new(content: Content) -> Self {
        Self { content, returns: Returns::default() }
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What was wrong with it or with those before it.
    pub fn returns(&self) -> &Returns {
        &self.returns
    }

    /// `by` listened back to it and found it right.
    pub fn review(self, by: PersonId, at: Timestamp) -> Result<Reviewed, StepRefused> {
        if by == self.content.spoken.announcer {
            return Err(StepRefused::ReviewedByAnnouncer(by));
        }
        Ok(Reviewed { content: self.content, returns: self.returns, review: Step { by, at } })
    }

    /// `by` listened back to it and found what is to be changed; it waits for a new recording.
    #[must_use]
    pub fn send_back(self, by: PersonId, at: Timestamp, comment: Comment) -> Self {
        let work = self.content.text.work(Some(&self.content.spoken));
        Self { content: self.content, returns: self.returns.and(by, at, comment, work) }
    }
}

/// Listened back to; waits for a leader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReviewedFields")]
pub struct Reviewed {
    content: Content,
    returns: Returns,
    review: Step,
}

/// A reviewed version as it was stored, not yet checked.
#[derive(Deserialize)]
struct ReviewedFields {
    content: Content,
    #[serde(default)]
    returns: Returns,
    review: Step,
}

impl TryFrom<ReviewedFields> for Reviewed {
    type Error = StepRefused;

    fn try_from(fields: ReviewedFields) -> Result<Self, StepRefused> {
        let ReviewedFields { content, returns, review } = fields;
        Draft { content, returns }.review(review.by, review.at)
    }
}

impl Reviewed {
    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What was wrong with those before it.
    pub fn returns(&self) -> &Returns {
        &self.returns
    }

    /// Who listened back to it.
    pub fn reviewed(&self) -> &Step {
        &self.review
    }

    /// `by` approves it and has signed `descriptor`, the note that names its content.
    pub fn approve(
        self,
        by: PersonId,
        at: Timestamp,
        descriptor: String,
        policy: ApprovalPolicy,
    ) -> Result<Approved, StepRefused> {
        self.may_approve(&by, policy)?;
        Ok(Approved::signed(self, Step { by, at }, descriptor))
    }

    /// Whether `by` may approve it: asked before they are made to sign.
    pub fn may_approve(&self, by: &PersonId, policy: ApprovalPolicy) -> Result<(), StepRefused> {
        if *by == self.content.spoken.announcer {
            return Err(StepRefused::ApprovedByAnnouncer(by.clone()));
        }
        if *by == self.review.by && !policy.reviewer_may_approve {
            return Err(StepRefused::ApprovedByReviewer(by.clone()));
        }
        Ok(())
    }

    /// Back to its makers, with what to change.
    pub fn send_back(self, by: PersonId, at: Timestamp, comment: Comment) -> Draft {
        let work = self.content.text.work(Some(&self.content.spoken));
        Draft { content: self.content, returns: self.returns.and(by, at, comment, work) }
    }
}

/// A version in whatever state it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Version {
    /// Written, not recorded yet.
    Text(TextDraft),
    /// Nobody listened back to it yet.
    Draft(Draft),
    /// Waits for a leader.
    Reviewed(Reviewed),
    /// May be heard.
    Approved(Approved),
    /// Is heard no more.
    Withdrawn(Withdrawn),
}

impl Version {
    /// The word for its state: in the store, in lists, in sentences.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Draft(_) => "draft",
            Self::Reviewed(_) => "reviewed",
            Self::Approved(_) => "approved",
            Self::Withdrawn(_) => "withdrawn",
        }
    }

    /// What is read out, and by whom it was written.
    pub fn text(&self) -> &Text {
        match self {
            Self::Text(version) => version.text(),
            Self::Draft(_) | Self::Reviewed(_) | Self::Approved(_) | Self::Withdrawn(_) => {
                let content = self.content();
                &content.expect("every state but text has its recording").text
            }
        }
    }

    /// What it holds, where it was recorded.
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::Text(_) => None,
            Self::Draft(version) => Some(version.content()),
            Self::Reviewed(version) => Some(version.content()),
            Self::Approved(version) => Some(version.content()),
            Self::Withdrawn(version) => Some(version.content()),
        }
    }

    /// Who read it, and the recording, where there is one.
    pub fn spoken(&self) -> Option<&Spoken> {
        self.content().map(|content| &content.spoken)
    }

    /// What was said of it so far.
    pub fn returns(&self) -> &Returns {
        match self {
            Self::Text(version) => version.returns(),
            Self::Draft(version) => version.returns(),
            Self::Reviewed(version) => version.returns(),
            Self::Approved(version) => version.returns(),
            Self::Withdrawn(version) => version.returns(),
        }
    }

    /// Who listened back to it and found it right.
    pub fn reviewed_by(&self) -> Option<&PersonId> {
        match self {
            Self::Text(_) | Self::Draft(_) => None,
            Self::Reviewed(version) => Some(&version.reviewed().by),
            Self::Approved(version) => Some(&version.reviewed().by),
            Self::Withdrawn(version) => Some(&version.reviewed().by),
        }
    }

    /// Who approved it.
    pub fn approved_by(&self) -> Option<&PersonId> {
        match self {
            Self::Text(_) | Self::Draft(_) | Self::Reviewed(_) => None,
            Self::Approved(version) => Some(&version.approved().by),
            Self::Withdrawn(version) => Some(&version.approved().by),
        }
    }

    /// Whether it waits for its makers: somebody returned just this text and recording.
    pub fn is_returned(&self) -> bool {
        let work = Some(self.text().work(self.spoken()));
        let open = matches!(self, Self::Text(_) | Self::Draft(_));
        open && self.returns().last().is_some_and(|last| last.work == work)
    }

    /// What can be heard of it: nothing unless it is approved.
    pub fn audible(&self) -> Option<Audible<'_>> {
        match self {
            Self::Approved(version) => Some(version.publish()),
            Self::Text(_) | Self::Draft(_) | Self::Reviewed(_) | Self::Withdrawn(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
