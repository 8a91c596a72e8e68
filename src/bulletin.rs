//! What the newsroom makes: bulletins, and the versions of each in the languages of the villages.
//!
//! A [`Bulletin`] says what it is and how long it holds. Its life belongs to its
//! [`version::Version`]s; **only an approved version yields something that can be heard.**

use serde::{Deserialize, Serialize};

use crate::id::BulletinId;
use crate::time::Timestamp;

pub mod column;
pub mod lists;
pub mod version;
pub mod words;

pub use column::Column;
pub use lists::Lists;
pub use words::{Campaign, Comment, DocumentNumber, IssuingBody, Script, Title, Topic, Variety};

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

/// A unit of content; what is heard of it are its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// Its name for machines.
    pub id: BulletinId,
    /// Its name for people.
    pub title: String,
    /// The column that it belongs to.
    pub column: Column,
    /// Its form.
    pub kind: Kind,
    /// How urgent it is.
    pub class: Class,
    /// Who it comes from.
    pub source_level: SourceLevel,
    /// The body that issued it.
    pub issuing_body: String,
    /// Before this nobody hears it.
    pub valid_from: Timestamp,
    /// From this on nobody hears it.
    pub valid_until: Timestamp,
}

impl Bulletin {
    /// Whether it may be heard at `at`, as far as its own dates go.
    pub fn is_valid(&self, at: Timestamp) -> bool {
        self.valid_from <= at && at < self.valid_until
    }
}
