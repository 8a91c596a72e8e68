//! The life of a version: a bulletin in one language, from a recording to what is heard.
//!
//! ```text
//!           review              approve              withdraw
//!   Draft ─────────▶ Reviewed ──────────▶ Approved ──────────▶ Withdrawn
//!     ▲                 │
//!     └─────────────────┘ send_back
//! ```
//!
//! **Nobody reviews or approves their own recording, and only [`Approved`] can be heard.** The
//! reviewer approves only where the station's [`ApprovalPolicy`] lets them. Expired and scheduled
//! are no states: they follow from dates and from the plan.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::time::Timestamp;

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

/// What a version holds in every state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The language that is spoken.
    pub language: LangTag,
    /// Which speech of that language, in the station's own words; may be empty.
    pub variety: String,
    /// What is read out.
    pub script: String,
    /// Who translated it; none for the original.
    pub translator: Option<PersonId>,
    /// Who spoke it, or had a machine speak it.
    pub announcer: PersonId,
    /// Whose voice it is.
    pub voice: Voice,
    /// The recording.
    pub recording: Recording,
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
    pub comment: String,
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
    sent_back: Option<SentBack>,
}

impl Draft {
    /// A new version.
    pub fn new(content: Content) -> Self {
        Self { content, sent_back: None }
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What was wrong with it the last time, where it was sent back.
    pub fn sent_back(&self) -> Option<&SentBack> {
        self.sent_back.as_ref()
    }

    /// `by` listened back to it and found it right.
    pub fn review(self, by: PersonId, at: Timestamp) -> Result<Reviewed, StepRefused> {
        if by == self.content.announcer {
            return Err(StepRefused::ReviewedByAnnouncer(by));
        }
        Ok(Reviewed { content: self.content, review: Step { by, at } })
    }
}

/// Listened back to; waits for a leader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReviewedFields")]
pub struct Reviewed {
    content: Content,
    review: Step,
}

/// A reviewed version as it was stored, not yet checked.
#[derive(Deserialize)]
struct ReviewedFields {
    content: Content,
    review: Step,
}

impl TryFrom<ReviewedFields> for Reviewed {
    type Error = StepRefused;

    fn try_from(ReviewedFields { content, review }: ReviewedFields) -> Result<Self, StepRefused> {
        Draft::new(content).review(review.by, review.at)
    }
}

impl Reviewed {
    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
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
        Ok(Approved { reviewed: self, approval: Step { by, at }, descriptor })
    }

    /// Whether `by` may approve it: asked before they are made to sign.
    pub fn may_approve(&self, by: &PersonId, policy: ApprovalPolicy) -> Result<(), StepRefused> {
        if *by == self.content.announcer {
            return Err(StepRefused::ApprovedByAnnouncer(by.clone()));
        }
        if *by == self.review.by && !policy.reviewer_may_approve {
            return Err(StepRefused::ApprovedByReviewer(by.clone()));
        }
        Ok(())
    }

    /// Back to its makers, with what to change.
    pub fn send_back(self, by: PersonId, at: Timestamp, comment: String) -> Draft {
        let sent_back = Some(SentBack { step: Step { by, at }, comment });
        Draft { content: self.content, sent_back }
    }
}

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
    /// What it holds.
    pub fn content(&self) -> &Content {
        self.reviewed.content()
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
            bulletin: &content.bulletin,
            language: &content.language,
            recording: &content.recording,
            approved_at: self.approval.at,
            descriptor: &self.descriptor,
        }
    }

    /// Takes it back, for good.
    pub fn withdraw(self, by: PersonId, at: Timestamp, reason: String) -> Withdrawn {
        Withdrawn { approved: self, withdrawal: Step { by, at }, reason }
    }
}

/// Was approved and is heard no more. There is no way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    #[serde(flatten)]
    approved: Approved,
    withdrawal: Step,
    reason: String,
}

impl Withdrawn {
    /// What it holds.
    pub fn content(&self) -> &Content {
        self.approved.content()
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
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A version in whatever state it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Version {
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
    /// What it holds.
    pub fn content(&self) -> &Content {
        match self {
            Self::Draft(version) => version.content(),
            Self::Reviewed(version) => version.content(),
            Self::Approved(version) => version.content(),
            Self::Withdrawn(version) => version.content(),
        }
    }

    /// What can be heard of it: nothing unless it is approved.
    pub fn audible(&self) -> Option<Audible<'_>> {
        match self {
            Self::Approved(version) => Some(version.publish()),
            Self::Draft(_) | Self::Reviewed(_) | Self::Withdrawn(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn person(id: &str) -> PersonId {
        id.parse().unwrap()
    }

    fn draft_by(announcer: &str) -> Draft {
        Draft::new(Content {
            bulletin: "lu-quet".parse().unwrap(),
            language: "hni".parse().unwrap(),
            variety: "Mù Cả".to_owned(),
            script: "…".to_owned(),
            translator: None,
            announcer: person(announcer),
            voice: Voice::Human,
            recording: Recording {
                asset: Digest::of(b"a"),
                length_ms: 7,
                source: Digest::of(b"s"),
            },
        })
    }

    fn reviewed() -> Reviewed {
        draft_by("phu").review(person("lan"), AT).unwrap()
    }

    fn approve(by: &str, reviewer_may_approve: bool) -> Result<Approved, StepRefused> {
        let policy = ApprovalPolicy { reviewer_may_approve };
        reviewed().approve(person(by), AT, "note".to_owned(), policy)
    }

    #[test]
    fn an_announcer_cannot_listen_back_to_their_own_recording() {
        let refused = draft_by("phu").review(person("phu"), AT);
        assert_eq!(refused, Err(StepRefused::ReviewedByAnnouncer(person("phu"))));
    }

    #[test]
    fn an_announcer_cannot_approve_their_own_recording_whatever_the_policy() {
        for policy in [false, true] {
            assert_eq!(
                approve("phu", policy),
                Err(StepRefused::ApprovedByAnnouncer(person("phu")))
            );
        }
    }

    #[test]
    fn a_reviewer_approves_only_where_the_policy_says_so() {
        assert_eq!(approve("lan", false), Err(StepRefused::ApprovedByReviewer(person("lan"))));
        assert!(approve("lan", true).is_ok());
        assert!(approve("minh", false).is_ok());
    }

    #[test]
    fn only_an_approved_version_is_heard() {
        let approved = approve("minh", false).unwrap();
        assert_eq!(approved.publish().descriptor, "note");
        let withdrawn = approved.clone().withdraw(person("minh"), AT, "sai số".to_owned());
        let heard = [
            Version::Draft(draft_by("phu")),
            Version::Reviewed(reviewed()),
            Version::Approved(approved),
            Version::Withdrawn(withdrawn),
        ]
        .map(|version| version.audible().is_some());
        assert_eq!(heard, [false, false, true, false]);
    }

    #[test]
    fn what_is_sent_back_is_a_draft_again_and_says_why() {
        let draft = reviewed().send_back(person("lan"), AT, "đọc lại câu 2".to_owned());
        assert_eq!(draft.sent_back().unwrap().comment, "đọc lại câu 2");
        assert!(draft.review(person("lan"), AT).is_ok());
    }

    #[test]
    fn a_row_in_which_the_announcer_reviewed_or_approved_does_not_read_back() {
        let json =
            serde_json::to_string(&Version::Approved(approve("minh", false).unwrap())).unwrap();
        assert!(serde_json::from_str::<Version>(&json).is_ok());
        for step in ["lan", "minh"] {
            let altered = json.replace(&format!(r#""by":"{step}""#), r#""by":"phu""#);
            assert_ne!(altered, json);
            assert!(serde_json::from_str::<Version>(&altered).is_err(), "{altered}");
        }
    }

    #[test]
    fn every_state_reads_back_from_json() {
        let approved = approve("minh", false).unwrap();
        let withdrawn = approved.clone().withdraw(person("minh"), AT, "cũ".to_owned());
        let states = [
            (Version::Draft(draft_by("phu")), "draft"),
            (Version::Reviewed(reviewed()), "reviewed"),
            (Version::Approved(approved), "approved"),
            (Version::Withdrawn(withdrawn), "withdrawn"),
        ];
        for (version, state) in states {
            let json = serde_json::to_string(&version).unwrap();
            assert!(json.contains(&format!(r#""state":"{state}""#)), "{json}");
            assert_eq!(serde_json::from_str::<Version>(&json).unwrap(), version);
        }
    }
}
