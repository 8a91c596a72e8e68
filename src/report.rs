//! Sums over planned airings and what became of them: every planned airing has an outcome with a
//! cause, or is still to come.
//!
//! ```text
//! airings ─┬─ figures  (planned, delivered, played, heard, by what is asked for) ─┐
//!          ├─ gap      (by cause, each down to its entry in the log)              ├─ rows
//!          └─ logbook  (what was broadcast when)                                  ┘
//! rows + form (its columns are data) = document ── pdf, xlsx, csv, JSON
//! ```
//!
//! **No share is told without what it is a share of**, and what is still to come is in none.

pub mod csv;
pub mod document;
pub mod figures;
pub mod form;
pub mod gap;
pub mod logbook;
pub mod pdf;
pub mod tally;
pub mod xlsx;

pub use document::{Cell, Document, Row, Seal};
pub use figures::{Dimension, Figures, Group};
pub use form::Form;
pub use gap::Gaps;
pub use logbook::Logbook;
pub use tally::{Share, Tally, Told};

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calendar::AiringKey;
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::time::Timestamp;

/// A planned airing beside what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which.
    #[serde(serialize_with = "key_text")]
    pub airing: AiringKey,
    /// When it was to begin (UTC, µs).
    pub at: Timestamp,
    /// The languages it was to be heard in, in order, each once.
    pub languages: Vec<LangTag>,
    /// The bulletins that it was to bring, in order, each once.
    pub bulletins: Vec<BulletinId>,
    /// What became of it.
    pub fate: Fate,
    /// Why it did not run to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The languages that were heard whole, in order, each once.
    pub heard: Vec<LangTag>,
    /// Where in the log its receipt is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

fn key_text<S: serde::Serializer>(key: &AiringKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// What became of a planned airing, as far as the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Its time has not come.
    Planned,
    /// Its time has come and no receipt is here yet.
    Awaited,
    /// A newer plan left it out before it began.
    Dropped,
    /// To its end.
    Completed,
    /// Not to its end, or not whole.
    Interrupted,
    /// Cut off by an emergency.
    Preempted,
    /// Never begun.
    Skipped,
    /// Begun and failed.
    Failed,
}

impl Fate {
    /// The fate that a receipt's outcome word stands for.
    pub fn of_outcome(word: &str) -> Option<Self> {
        match word {
            "completed" => Some(Self::Completed),
            "interrupted" => Some(Self::Interrupted),
            "preempted" => Some(Self::Preempted),
            "skipped" => Some(Self::Skipped),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Awaited => "awaited",
            Self::Dropped => "dropped",
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Preempted => "preempted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// The words for people, in Vietnamese.
    pub fn vi(self) -> &'static str {
        match self {
            Self::Planned => "chờ phát",
            Self::Awaited => "chờ biên nhận",
            Self::Dropped => "đã bỏ khỏi lịch",
            Self::Completed => "đã phát trọn",
            Self::Interrupted => "bị ngắt",
            Self::Preempted => "nhường bản tin khẩn cấp",
            Self::Skipped => "không phát",
            Self::Failed => "phát lỗi",
        }
    }
}

/// The sums of some lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Airings that were planned and not dropped.
    pub planned: u64,
    /// Those that ran to their end.
    pub completed: u64,
    /// The others, by fate, and by cause where there is one: `skipped:missing`.
    pub other: BTreeMap<String, u64>,
    /// In how many airings each language was heard whole.
    pub languages: BTreeMap<LangTag, u64>,
}

/// Adds up.
pub fn sums(lines: &[Line]) -> Sums {
    let mut sums = Sums::default();
    for line in lines.iter().filter(|line| line.fate != Fate::Dropped) {
        sums.planned += 1;
        if line.fate == Fate::Completed {
            sums.completed += 1;
        } else {
            *sums.other.entry(gap(line)).or_default() += 1;
        }
        for language in &line.heard {
            *sums.languages.entry(language.clone()).or_default() += 1;
        }
    }
    sums
}

fn gap(line: &Line) -> String {
    let fate = line.fate.as_str();
    line.cause.as_ref().map_or_else(|| fate.to_owned(), |cause| format!("{fate}:{cause}"))
}

/// What a cause of the wire means, for people, in Vietnamese.
pub fn cause_vi(cause: &str) -> &str {
    match cause {
        "quiet" => "giờ yên lặng của thiết bị",
        "policy" => "ngoài khung giờ phát",
        "clock" => "đồng hồ chưa tin cậy",
        "missing" => "thiếu bản ghi âm",
        "expired" => "hết hạn",
        "refused" => "bị từ chối",
        "storage" => "đầy bộ nhớ biên nhận",
        "power" => "mất điện",
        "emergency" => "bản tin khẩn cấp",
        "stopped" => "bị dừng",
        "sound" => "lỗi âm thanh",
        "busy" => "đang phát chương trình khác",
        "revoked" => "thiết bị đã bị thu hồi",
        "exchanged" => "thiết bị đã được thay",
        "unenrolled" => "thiết bị chưa ghi danh",
        "never-set-up" => "chưa từng lắp thiết bị",
        other => other,
    }
}

/// What a word of the wire says of how something is known, for people, in Vietnamese.
pub fn evidence_vi(word: &str) -> &str {
    match word {
        "commanded" => "đã ra lệnh",
        "rendered" => "đã phát ra tín hiệu",
        "measured" => "đã đo được",
        "heard" => "đã nghe được",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fate: Fate, cause: Option<&str>, heard: &[&str]) -> Line {
        Line {
            airing: "sang/mu-ca-1/2026-11-22/0".parse().unwrap(),
            at: Timestamp::EPOCH,
            languages: vec![],
            bulletins: vec![],
            fate,
            cause: cause.map(str::to_owned),
            heard: heard.iter().map(|l| l.parse().unwrap()).collect(),
            log_index: None,
        }
    }

    #[test]
    fn every_planned_airing_is_counted_once_with_its_cause() {
        let sums = sums(&[
            line(Fate::Completed, None, &["vi", "hni"]),
            line(Fate::Interrupted, Some("power"), &["vi"]),
            line(Fate::Awaited, None, &[]),
            line(Fate::Dropped, None, &[]),
        ]);
        assert_eq!((sums.planned, sums.completed), (3, 1));
        let other: Vec<(&str, u64)> = sums.other.iter().map(|(k, n)| (k.as_str(), *n)).collect();
        assert_eq!(other, [("awaited", 1), ("interrupted:power", 1)]);
        assert_eq!(sums.languages[&"vi".parse().unwrap()], 2);
    }
}
