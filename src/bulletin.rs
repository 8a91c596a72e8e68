//! What the newsroom makes: bulletins, and the versions of each in the languages of the villages.
//!
//! A [`Bulletin`] says what it is and how long it holds. Its life belongs to its
//! [`version::Version`]s; **only an approved version yields something that can be heard.**

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{AreaId, BulletinId};
use crate::time::Timestamp;

pub mod column;
pub mod lists;
pub mod question;
pub mod search;
pub mod version;
pub mod words;

pub use column::Column;
pub use lists::Lists;
pub use question::Question;
pub use words::{Asker, Campaign, Comment, DocumentNumber, IssuingBody};
pub use words::{QuestionText, Script, Title, Topic, Variety};

/// How urgent a bulletin is (Circular 39/2020/TT-BTTTT), least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Thông thường: the commune chooses when.
    Normal,
    /// Ưu tiên: before what is normal.
    Priority,
    /// Khẩn cấp: at once.
    Emergency,
}

impl Class {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Priority, Self::Emergency];

    /// The word that files, the store and documents use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Priority => "priority",
            Self::Emergency => "emergency",
        }
    }
}

/// Who a bulletin comes from, nearest to the village first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceLevel {
    /// The commune itself.
    Commune,
    /// The province's station.
    Province,
    /// The central broadcaster.
    Central,
}

impl SourceLevel {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Commune, Self::Province, Self::Central];

    /// The word that files, the store and documents use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Commune => "commune",
            Self::Province => "province",
            Self::Central => "central",
        }
    }
}

/// What form a bulletin has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tin.
    News,
    /// Phóng sự.
    Report,
    /// Hỏi đáp.
    QuestionAndAnswer,
    /// Tiểu phẩm.
    ShortPlay,
    /// Thông báo.
    Notice,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::News, Self::Report, Self::QuestionAndAnswer, Self::ShortPlay, Self::Notice];

    /// The word that files, the store and documents use.
    pub fn word(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Report => "report",
            Self::QuestionAndAnswer => "question-and-answer",
            Self::ShortPlay => "short-play",
            Self::Notice => "notice",
        }
    }
}

/// A unit of content; what is heard of it are its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// Its name for machines.
    pub id: BulletinId,
    /// Its name for people.
    pub title: Title,
    /// Its name for readers of English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_en: Option<Title>,
    /// The area whose people make it and answer for it; none for the whole station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// The column that it belongs to.
    pub column: Column,
    /// Its form.
    pub kind: Kind,
    /// How urgent it is.
    pub class: Class,
    /// Who it comes from.
    pub source_level: SourceLevel,
    /// The body that issued it.
    pub issuing_body: IssuingBody,
    /// The document that it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_number: Option<DocumentNumber>,
    /// The fields of law that it belongs to; reports sum by them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub topics: BTreeSet<Topic>,
    /// The campaign that it belongs to; reports sum by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Campaign>,
    /// Before this nobody hears it.
    pub valid_from: Timestamp,
    /// From this on nobody hears it.
    pub valid_until: Timestamp,
}

/// Topics of one bulletin at most.
pub const TOPICS_MAX: usize = 8;

/// What an approver's signature says of a bulletin, beside a recording of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'b> {
    /// How urgent it is.
    pub class: Class,
    /// The area for which it may be heard.
    pub area: Option<&'b AreaId>,
    /// From when and until when.
    pub valid: (Timestamp, Timestamp),
}

impl Bulletin {
    /// Whether it may be heard at `at`, as far as its own dates go.
    pub fn is_valid(&self, at: Timestamp) -> bool {
        self.valid_from <= at && at < self.valid_until
    }

    /// What an approval of one of its versions signs; **it stays while one is approved**.
    pub fn signed(&self) -> Signed<'_> {
        let valid = (self.valid_from, self.valid_until);
        Signed { class: self.class, area: self.area.as_ref(), valid }
    }
}
