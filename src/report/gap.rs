//! Gaps: planned airings that were not played to their end, by cause, each down to its entry in
//! the log.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::calendar::AiringKey;
use crate::report::{Fate, cause_vi};
use crate::time::Timestamp;

/// Gaps that are listed one by one at most; all are counted. A year of a province in which every
/// tenth airing fails has more, and nobody reads them: ask for a shorter time or a smaller area.
pub const LISTED_MAX: usize = 100_000;

/// One airing that was not played to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapLine {
    /// Which.
    #[serde(serialize_with = "key_text")]
    pub airing: AiringKey,
    /// When it was to begin.
    pub at: Timestamp,
    /// Where in the log its receipt is, or what became of its device: `loaban log show` proves it.
    /// None where nothing is known yet.
    pub entry: Option<u64>,
}

fn key_text<S: Serializer>(key: &AiringKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(key)
}

/// Why airings were not played to their end, in the words of the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why {
    /// What became of them.
    pub fate: Fate,
    /// The controller's cause, or what became of its device; empty where there is none.
    pub cause: String,
}

impl Why {
    /// For people, in Vietnamese: `không phát: thiếu bản ghi âm`.
    pub fn vi(&self) -> String {
        match self.cause.as_str() {
            "" => self.fate.vi().to_owned(),
            // Nobody waits for it: its device counts for nothing any more.
            cause if self.fate == Fate::Awaited => {
                format!("không có biên nhận: {}", cause_vi(cause))
            }
            cause => format!("{}: {}", self.fate.vi(), cause_vi(cause)),
        }
    }
}

/// The gaps of a period.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    counts: BTreeMap<Why, u64>,
    lines: BTreeMap<Why, Vec<GapLine>>,
    listed: usize,
}

impl Gaps {
    /// Notes an airing, if it is a gap; `line` is asked for only while gaps are listed.
    pub fn note(&mut self, fate: Fate, cause: &str, line: impl FnOnce() -> GapLine) {
        match fate {
            Fate::Planned | Fate::Dropped | Fate::Completed => return,
            Fate::Awaited | Fate::Interrupted | Fate::Preempted | Fate::Skipped | Fate::Failed => {}
        }
        let why = Why { fate, cause: cause.to_owned() };
        *self.counts.entry(why.clone()).or_default() += 1;
        if self.listed < LISTED_MAX {
            self.listed += 1;
            self.lines.entry(why).or_default().push(line());
        }
    }

    /// Every cause with how many airings it cost, the commonest first.
    pub fn causes(&self) -> Vec<(&Why, u64)> {
        let mut causes: Vec<(&Why, u64)> = self.counts.iter().map(|(why, n)| (why, *n)).collect();
        causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        causes
    }

    /// The airings that a cause cost, as far as they are listed.
    pub fn lines(&self, why: &Why) -> &[GapLine] {
        self.lines.get(why).map_or(&[], Vec::as_slice)
    }

    /// Gaps that are counted and not listed.
    pub fn unlisted(&self) -> u64 {
        self.counts.values().sum::<u64>() - self.listed as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u64) -> GapLine {
        let airing = "sang/mu-ca-1/2026-11-22/0".parse().unwrap();
        GapLine { airing, at: Timestamp::EPOCH, entry: Some(n) }
    }

    #[test]
    fn gaps_stand_under_their_cause_the_commonest_first() {
        let mut gaps = Gaps::default();
        gaps.note(Fate::Skipped, "missing", || line(1));
        gaps.note(Fate::Completed, "", || line(2));
        for n in 3..5 {
            gaps.note(Fate::Interrupted, "power", || line(n));
        }
        let causes: Vec<(String, u64)> =
            gaps.causes().into_iter().map(|(why, n)| (why.vi(), n)).collect();
        let told =
            [("bị ngắt: mất điện".to_owned(), 2), ("không phát: thiếu bản ghi âm".to_owned(), 1)];
        assert_eq!(causes, told);
        let (why, _) = gaps.causes()[0];
        assert_eq!(
            gaps.lines(why).iter().map(|line| line.entry).collect::<Vec<_>>(),
            [Some(3), Some(4)]
        );
    }

    #[test]
    fn every_gap_is_counted_though_only_so_many_are_listed() {
        let mut gaps = Gaps::default();
        (0..LISTED_MAX as u64 + 5).for_each(|n| gaps.note(Fate::Awaited, "", || line(n)));
        assert_eq!((gaps.causes()[0].1, gaps.unlisted()), (LISTED_MAX as u64 + 5, 5));
    }
}
