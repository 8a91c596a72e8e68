//! What a leader signed, and what was taken back.

use serde::{Deserialize, Serialize};

use super::{ApprovalPolicy, Comment, Content, Recording, Returns, Reviewed, Step, StepRefused};
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::time::Timestamp;

/// May be heard, within its bulletin's dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ApprovedFields")]
pub struct Approved {
    #[serde(flatten)]
    reviewed: Reviewed,
    approval: Step,
    descriptor: String,
}

/// An approved version as it was stored, not yet checked.
#[derive(Deserialize)]
struct ApprovedFields {
    #[serde(flatten)]
    reviewed: Reviewed,
    approval: Step,
    descriptor: String,
}

impl TryFrom<ApprovedFields> for Approved {
    type Error = StepRefused;

    fn try_from(fields: ApprovedFields) -> Result<Self, StepRefused> {
        // Which policy held that day is not stored; what no policy allows is refused.
        let policy = ApprovalPolicy { reviewer_may_approve: true };
        let Step { by, at } = fields.approval;
        fields.reviewed.approve(by, at, fields.descriptor, policy)
    }
}

/// What can be heard: the only way from a version to a loudspeaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audible<'v> {
    /// The bulletin.
    pub bulletin: &'v BulletinId,
    /// The language.
    pub language: &'v LangTag,
    /// The recording.
    pub recording: &'v Recording,
    /// Since when it may be heard.
    pub approved_at: Timestamp,
    /// The content note that the approver signed.
    pub descriptor: &'v str,
}

impl Approved {
    /// Only [`Reviewed::approve`] calls this, once it has judged who approves.
    pub(super) fn signed(reviewed: Reviewed, approval: Step, descriptor: String) -> Self {
        Self { reviewed, approval, descriptor }
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        self.reviewed.content()
    }

    /// What was said of those before it.
    pub fn returns(&self) -> &Returns {
        self.reviewed.returns()
    }

    /// Who listened back to it.
    pub fn reviewed(&self) -> &Step {
        self.reviewed.reviewed()
    }

    /// Who approved it.
    pub fn approved(&self) -> &Step {
        &self.approval
    }

    /// What can be heard of it.
    pub fn publish(&self) -> Audible<'_> {
        let content = self.content();
        Audible {
            bulletin: &content.text.bulletin,
            language: &content.text.language,
            recording: &content.spoken.recording,
            approved_at: self.approval.at,
            descriptor: &self.descriptor,
        }
    }

    /// Takes it back, for good.
    pub fn withdraw(self, by: PersonId, at: Timestamp, reason: Comment) -> Withdrawn {
        Withdrawn { approved: self, withdrawal: Step { by, at }, reason }
    }
}

/// Was approved and is heard no more. There is no way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    #[serde(flatten)]
    approved: Approved,
    withdrawal: Step,
    reason: Comment,
}

impl Withdrawn {
    /// What it holds.
    pub fn content(&self) -> &Content {
        self.approved.content()
    }

    /// What was said of those before it.
    pub fn returns(&self) -> &Returns {
        self.approved.returns()
    }

    /// Who listened back to it.
    pub fn reviewed(&self) -> &Step {
        self.approved.reviewed()
    }

    /// Who had approved it.
    pub fn approved(&self) -> &Step {
        self.approved.approved()
    }

    /// Who withdrew it.
    pub fn withdrawn(&self) -> &Step {
        &self.withdrawal
    }

    /// Why.
    pub fn reason(&self) -> &Comment {
        &self.reason
    }
}
