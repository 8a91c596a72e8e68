//! Receipts: what a controller swears it did, chained, numbered and signed in batches.
//!
//! Each receipt is one line of JSON. Link *n* of the chain is SHA-256(link *n−1* ‖ the bytes of
//! receipt *n*), beginning from 32 zero bytes, so that a receipt that is missing, added or changed
//! breaks every later link. A controller that lost its storage begins a new chain under a new
//! random id; the old one is never continued.
//!
//! **A receipt is never deleted because a broker took it**: only the server's signed
//! acknowledgement counts.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::id::{BulletinId, ControllerId, EmergencyId};
use crate::lang::LangTag;
use crate::note::legible;
use crate::time::Timestamp;

/// Receipts in one batch at most: one signature check for the server each time.
pub const BATCH_RECEIPTS_MAX: usize = 64;

/// Bytes of receipt text in one batch at most: a log entry's limit with room for its frame.
pub const BATCH_BYTES_MAX: usize = 28 * 1024;

/// How we know that it sounded, each stronger than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// It was ordered to.
    Commanded,
    /// Its samples were handed to the sound device without error.
    Rendered,
    /// The amplifier drew current.
    Measured,
    /// A microphone heard it.
    Heard,
}

/// What became of an airing or an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// To its end.
    Completed,
    /// Cut off by a power cut or a stop.
    Interrupted,
    /// Cut off by an emergency.
    Preempted,
    /// Never begun, for a reason that was known.
    Skipped,
    /// Begun and failed.
    Failed,
}

impl Outcome {
    /// The word of the wire and of the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Preempted => "preempted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// Why an airing did not run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Inside the quiet hours of the controller's own configuration.
    Quiet,
    /// Outside the airtime policy of its area.
    Policy,
    /// The clock could not be trusted.
    Clock,
    /// A recording had not arrived.
    Missing,
    /// The manifest or the content was no longer valid.
    Expired,
    /// A signature, an area or a language was wrong.
    Refused,
    /// The storage for receipts was full.
    Storage,
    /// The controller was without power when it was due.
    Power,
    /// An emergency sounded.
    Emergency,
    /// An order or the local switch stopped it.
    Stopped,
    /// The sound device or the recording failed.
    Sound,
    /// Another airing was still playing.
    Busy,
}

impl Cause {
    /// The word of the wire and of the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Policy => "policy",
            Self::Clock => "clock",
            Self::Missing => "missing",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Storage => "storage",
            Self::Power => "power",
            Self::Emergency => "emergency",
            Self::Stopped => "stopped",
            Self::Sound => "sound",
            Self::Busy => "busy",
        }
    }
}

/// One item of an airing as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemReceipt {
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The language that was played.
    pub language: LangTag,
    /// The recording.
    pub asset: Digest,
    /// What became of it.
    pub outcome: Outcome,
}

/// What one receipt is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Event {
    /// An airing had this outcome.
    Airing {
        /// Which.
        airing: AiringKey,
        /// The manifest that named it.
        manifest: u64,
        /// What became of it.
        outcome: Outcome,
        /// Why it did not run to its end.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        cause: Option<Cause>,
        /// How we know.
        evidence: Evidence,
        /// When the first sample sounded (UTC, µs).
        #[serde(skip_serializing_if = "Option::is_none", default)]
        begun: Option<Timestamp>,
        /// When the last sample sounded (UTC, µs).
        #[serde(skip_serializing_if = "Option::is_none", default)]
        ended: Option<Timestamp>,
        /// Its items in running order.
        items: Vec<ItemReceipt>,
    },
    /// An emergency was accepted, begun, completed, cancelled or refused.
    Emergency {
        /// Which.
        emergency: EmergencyId,
        /// How far it came.
        step: EmergencyStep,
        /// Which attempt, from 1.
        attempt: u8,
        /// The languages that have sounded whole so far.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        languages: Vec<LangTag>,
        /// How we know that this attempt sounded; left out where it did not to its end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Evidence>,
    },
    /// A document was refused.
    Refusal {
        /// The topic it came on.
        topic: String,
        /// The sentence that says why.
        why: String,
    },
    /// The controller started.
    Boot {
        /// How many times it has started.
        boot: u64,
        /// Its software.
        software: String,
    },
    /// An order was carried out, or what somebody at the device asked for.
    Order {
        /// Its number; 0 for somebody at the device.
        number: u64,
        /// What it asked for.
        what: String,
        /// What a self-test found; left out elsewhere.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        tests: Vec<Tested>,
    },
}

/// One finding of a self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tested {
    /// What was looked at.
    pub part: TestPart,
    /// Whether it is well.
    pub well: bool,
    /// What was found, for people: at most 100 characters.
    pub found: String,
}

/// What a self-test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestPart {
    /// The test tone.
    Tone,
    /// Free storage, and that it takes writes.
    Storage,
    /// The connection to the broker.
    Link,
    /// Whether the time is trusted.
    Clock,
    /// Whether the amplifier drew current.
    Amplifier,
}

/// How far an emergency came at a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmergencyStep {
    /// Verified and held; again when some of the village's languages have sounded and others not.
    Accepted,
    /// The first sample sounded.
    Begun,
    /// All of it sounded, in every language of the village.
    Completed,
    /// Taken back.
    Cancelled,
    /// Given up after the last attempt, or expired first.
    Failed,
}

impl EmergencyStep {
    /// Whether nothing comes after it.
    pub fn ends(self) -> bool {
        match self {
            Self::Accepted | Self::Begun => false,
            Self::Completed | Self::Cancelled | Self::Failed => true,
        }
    }
}

/// A receipt: its number, its time, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Counts up by one from 1 in its chain.
    pub n: u64,
    /// When it was written (UTC, µs, by the controller's clock).
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
}

impl Receipt {
    /// The one line of JSON whose bytes are chained.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a receipt has text keys and no maps")
    }
}

/// The next link after `link` for a receipt with these bytes.
pub fn next_link(link: Digest, line: &str) -> Digest {
    Digest::of_parts(&[link.as_bytes(), line.as_bytes()])
}

/// Up to [`BATCH_RECEIPTS_MAX`] receipts under one device signature; `typ` is `receipts`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Who swears it.
    pub controller: ControllerId,
    /// The chain's random id: 16 hexadecimal digits.
    pub chain: String,
    /// The number of the first receipt.
    pub first: u64,
    /// The number of the oldest receipt that the controller still keeps: what a server that does
    /// not know this chain may begin with.
    pub kept: u64,
    /// The link before the first receipt.
    pub prev: Digest,
    /// The receipts, byte for byte as chained.
    pub receipts: Vec<Box<RawValue>>,
}

/// Why a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Empty or more than allowed.
    #[error("a batch holds 1 to {BATCH_RECEIPTS_MAX} receipts, this one {0}")]
    Size(usize),
    /// Numbers beyond what can be counted.
    #[error("receipts from {0} on cannot be numbered; a chain begins with 1")]
    Numbers(u64),
    /// A receipt that is none.
    #[error("receipt {n} cannot be read: {why}")]
    Unreadable {
        /// Its number.
        n: u64,
        /// The parser's words.
        why: String,
    },
    /// A receipt with another number than its place gives it.
    #[error("receipt {found} stands where receipt {expected} belongs")]
    OutOfOrder {
        /// The number its place gives it.
        expected: u64,
        /// The number it has.
        found: u64,
    },
}

/// A batch that was read: its receipts with the link after each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chained {
    /// The receipts in order.
    pub receipts: Vec<Receipt>,
    /// The link after each receipt.
    pub links: Vec<Digest>,
}

impl Batch {
    /// Reads every receipt and computes the chain over their bytes.
    pub fn read(&self) -> Result<Chained, BatchError> {
        if !(1..=BATCH_RECEIPTS_MAX).contains(&self.receipts.len()) {
            return Err(BatchError::Size(self.receipts.len()));
        }
        // Numbers that run out would begin again at nothing.
        let count = self.receipts.len() as u64;
        let last = self.first.checked_add(count).ok_or(BatchError::Numbers(self.first))?;
        let mut link = self.prev;
        let mut chained = Chained { receipts: vec![], links: vec![] };
        for (expected, raw) in (self.first..last).zip(&self.receipts) {
            let receipt: Receipt = serde_json::from_str(raw.get())
                .map_err(|e| BatchError::Unreadable { n: expected, why: legible(&e) })?;
            if receipt.n != expected {
                return Err(BatchError::OutOfOrder { expected, found: receipt.n });
            }
            link = next_link(link, raw.get());
            chained.receipts.push(receipt);
            chained.links.push(link);
        }
        Ok(chained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(n: u64) -> Receipt {
        let event = Event::Boot { boot: n, software: "0.1.0".to_owned() };
        Receipt { n, at: Timestamp::from_seconds(7), event }
    }

    fn batch(numbers: &[u64]) -> Batch {
        let raw = |n: &u64| RawValue::from_string(receipt(*n).line()).unwrap();
        Batch {
            controller: "mu-ca-1".parse().unwrap(),
            chain: "00".repeat(8),
            first: numbers.first().copied().unwrap_or(1),
            kept: 1,
            prev: Digest::ZERO,
            receipts: numbers.iter().map(raw).collect(),
        }
    }

    #[test]
    fn the_chain_is_over_the_bytes_as_they_were_sent() {
        let chained = batch(&[1, 2]).read().unwrap();
        let first = next_link(Digest::ZERO, &receipt(1).line());
        assert_eq!(chained.links, [first, next_link(first, &receipt(2).line())]);
    }

    #[test]
    fn numbers_that_run_out_are_refused() {
        let last = u64::MAX;
        assert_eq!(batch(&[last - 1, last]).read(), Err(BatchError::Numbers(last - 1)));
        assert!(batch(&[last - 2, last - 1]).read().is_ok());
    }

    #[test]
    fn a_missing_or_swapped_receipt_is_named() {
        let error = batch(&[4, 6]).read().unwrap_err();
        assert_eq!(error, BatchError::OutOfOrder { expected: 5, found: 6 });
        assert_eq!(batch(&[]).read().unwrap_err(), BatchError::Size(0));
        let many: Vec<u64> = (1..=65).collect();
        assert_eq!(batch(&many).read().unwrap_err(), BatchError::Size(65));
    }

    #[test]
    fn a_receipt_reads_back_as_it_was_written() {
        let line = receipt(3).line();
        assert_eq!(serde_json::from_str::<Receipt>(&line).unwrap(), receipt(3));
        let line = r#"{"n":1,"at":7000000,"kind":"boot","boot":1,"software":"0.1.0"}"#;
        assert_eq!(receipt(1).line(), line);
    }
}
