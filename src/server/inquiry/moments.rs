//! When each item of an airing is to sound and when it did: a receipt tells when its airing began
//! and ended, the running order how long each part lasts.
//!
//! **What cannot be known is not told**: after a part that was cut off or an emergency in between,
//! later items have no time of their own.

use std::time::Duration;

use crate::receipt::{ItemReceipt, Outcome};
use crate::store::{Around, BroadcastOutcome, BroadcastRow};
use crate::time::Timestamp;

/// A receipt's airing may last so much longer than its parts: buffers of the sound device.
const SLACK_MS: i64 = 3_000;

/// The times of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// When it was to begin.
    pub planned: Option<Timestamp>,
    /// When its first sample sounded.
    pub begun: Option<Timestamp>,
    /// When its last sample sounded.
    pub ended: Option<Timestamp>,
}

/// The times of each item of an airing, in running order.
pub(in crate::server) fn moments(row: &BroadcastRow) -> Vec<Moments> {
    let Some(around) = row.around else { return vec![Moments::default(); row.items.len()] };
    let lengths: Vec<u64> = row.items.iter().map(|item| item.length_ms).collect();
    let planned = spans(row.at, around, &lengths, &vec![true; lengths.len()]);
    let sounded = row.outcome.as_ref().map_or_else(Vec::new, |told| sounded(row, told, around));
    let one = |(n, planned): (usize, Option<(Timestamp, Timestamp)>)| {
        let own = sounded.get(n).copied().flatten();
        Moments {
            planned: planned.map(|(from, _)| from),
            begun: own.map(|(from, _)| from),
            ended: own.map(|(_, until)| until),
        }
    };
    planned.into_iter().enumerate().map(one).collect()
}

/// When the items sounded, as far as the receipt lets it be known.
fn sounded(
    row: &BroadcastRow,
    told: &BroadcastOutcome,
    around: Around,
) -> Vec<Option<(Timestamp, Timestamp)>> {
    let Some(begun) = told.begun else { return Vec::new() };
    let of = |item: &crate::manifest::Item| {
        let own = |receipt: &&ItemReceipt| {
            receipt.asset == item.asset && receipt.language == item.language
        };
        told.items.iter().find(own).map_or(Outcome::Completed, |receipt| receipt.outcome)
    };
    let fates: Vec<Outcome> = row.items.iter().map(of).collect();
    let lengths: Vec<u64> = row.items.iter().map(|item| item.length_ms).collect();
    let heard: Vec<bool> = fates.iter().map(|fate| *fate != Outcome::Skipped).collect();
    let mut spans = spans(begun, around, &lengths, &heard);
    // What lasted longer than its parts was held up, and nobody told where.
    let last = spans.iter().flatten().last().map(|(_, until)| *until);
    let over = told.ended.zip(last).is_some_and(|(ended, last)| {
        ended.micros() - last.micros() > (SLACK_MS + closing_ms(around)) * 1_000
    });
    let mut known = true;
    for (n, span) in spans.iter_mut().enumerate() {
        if !known || over && n > 0 {
            *span = None;
        }
        if matches!(fates[n], Outcome::Interrupted | Outcome::Preempted | Outcome::Failed) {
            // It began; where it was cut off the airing ended.
            *span = span.map(|(from, _)| (from, told.ended.unwrap_or(from)));
            known = false;
        }
    }
    spans
}

/// How long the closing after the last item may last: as long as the opening, and some more.
fn closing_ms(around: Around) -> i64 {
    if around.lead_ms == 0 { 0 } else { i64::try_from(around.lead_ms).unwrap_or(0) * 2 + 5_000 }
}

/// From when until when each item sounds that does, one after the other.
fn spans(
    begun: Timestamp,
    around: Around,
    lengths: &[u64],
    heard: &[bool],
) -> Vec<Option<(Timestamp, Timestamp)>> {
    let mut at = begun + Duration::from_millis(around.lead_ms);
    let each = lengths.iter().zip(heard).map(|(length_ms, heard)| {
        heard.then(|| {
            let until = at + Duration::from_millis(*length_ms);
            let span = (at, until);
            at = until + Duration::from_millis(around.gap_ms);
            span
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::digest::Digest;
    use crate::manifest::Item;

    fn row(fates: &[(&str, Outcome)], lasted_s: i64) -> BroadcastRow {
        let at = Timestamp::from_seconds(1_000);
        let item = |(language, _): &(&str, Outcome)| Item {
            bulletin: "tin".parse().unwrap(),
            language: language.parse().unwrap(),
            asset: Digest::of(language.as_bytes()),
            length_ms: 60_000,
        };
        let receipt = |(language, outcome): &(&str, Outcome)| ItemReceipt {
            bulletin: "tin".parse().unwrap(),
            language: language.parse().unwrap(),
            asset: Digest::of(language.as_bytes()),
            outcome: *outcome,
        };
        let outcome = BroadcastOutcome {
            outcome: "completed".to_owned(),
            cause: String::new(),
            evidence: "rendered".to_owned(),
            begun: Some(Timestamp::from_seconds(1_002)),
            ended: Some(Timestamp::from_seconds(1_002 + lasted_s)),
            items: fates.iter().map(receipt).collect(),
            position: None,
        };
        BroadcastRow {
            key: "sang/mu-ca-1/2026-11-22/0".parse().unwrap(),
            at,
            dropped: false,
            items: Arc::new(fates.iter().map(item).collect()),
            around: Some(Around { lead_ms: 4_000, gap_ms: 500 }),
            outcome: Some(outcome),
        }
    }

    fn begun(row: &BroadcastRow) -> Vec<Option<i64>> {
        moments(row).iter().map(|own| own.begun.map(|at| at.micros() / 1_000)).collect()
    }

    #[test]
    fn each_language_has_its_own_time_after_the_opening_and_the_pauses() {
        let both = [("vi", Outcome::Completed), ("hni", Outcome::Completed)];
        let row = row(&both, 130);
        assert_eq!(begun(&row), [Some(1_006_000), Some(1_066_500)]);
        let planned = moments(&row)[1].planned.unwrap();
        assert_eq!(planned.micros() / 1_000, 1_064_500);
    }

    #[test]
    fn what_did_not_sound_takes_no_time_and_has_none() {
        let late = [("vi", Outcome::Skipped), ("hni", Outcome::Completed)];
        assert_eq!(begun(&row(&late, 70)), [None, Some(1_006_000)]);
    }

    #[test]
    fn after_a_cut_or_a_pause_of_unknown_place_no_time_is_told() {
        let cut = [("vi", Outcome::Interrupted), ("hni", Outcome::Completed)];
        let own = moments(&row(&cut, 70));
        assert_eq!((own[0].begun.is_some(), own[1].begun), (true, None));
        let both = [("vi", Outcome::Completed), ("hni", Outcome::Completed)];
        assert_eq!(begun(&row(&both, 600)), [Some(1_006_000), None], "an emergency came between");
        let old = BroadcastRow { around: None, ..row(&both, 130) };
        assert_eq!(moments(&old), [Moments::default(); 2]);
    }
}
