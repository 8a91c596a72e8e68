//! A version that is written and not yet spoken.

use serde::{Deserialize, Serialize};

use super::{Comment, Content, Draft, Returns, Script, Spoken, Variety};
use crate::digest::Digest;
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::time::Timestamp;

/// What is read out in one language, and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The language.
    pub language: LangTag,
    /// Which speech of that language, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variety: Option<Variety>,
    /// What is read out.
    pub script: Script,
    /// Who handed the text in, where it was not the station itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributor: Option<PersonId>,
    /// Who translated it; none for the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translator: Option<PersonId>,
}

impl Text {
    /// What tells this text, with its recording where it has one, from any other.
    pub(super) fn work(&self, spoken: Option<&Spoken>) -> Digest {
        let source = spoken.map(|spoken| spoken.recording.source.to_string());
        let source = source.unwrap_or_default();
        Digest::of_parts(&[self.script.as_str().as_bytes(), b"\0", source.as_bytes()])
    }
}

/// A text that waits for an announcer. Nothing of it can be heard, reviewed or approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDraft {
    text: Text,
    #[serde(default)]
    returns: Returns,
}

impl TextDraft {
    /// A new text.
    pub fn new(text: Text) -> Self {
        Self { text, returns: Returns::default() }
    }

    /// A new text in the place of a version, of which `returns` was said.
    pub fn instead(text: Text, returns: Returns) -> Self {
        Self { text, returns }
    }

    /// What it holds.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// What was said of it or of those before it.
    pub fn returns(&self) -> &Returns {
        &self.returns
    }

    /// An announcer spoke it.
    pub fn record(self, spoken: Spoken) -> Draft {
        Draft { content: Content { text: self.text, spoken }, returns: self.returns }
    }

    /// Back to its writer, with what to change.
    #[must_use]
    pub fn send_back(self, by: PersonId, at: Timestamp, comment: Comment) -> Self {
        let work = self.text.work(None);
        Self { text: self.text, returns: self.returns.and(by, at, comment, work) }
    }
}
