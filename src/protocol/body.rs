//! The bodies of the documents that have no room of their own.

use serde::{Deserialize, Serialize};

use crate::bulletin::Class;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, ControllerId, EmergencyId};
use crate::lang::LangTag;
use crate::manifest::Manifest;
use crate::protocol::envelope::Document;
use crate::receipt::Batch;
use crate::time::Timestamp;
use crate::trust::TrustDocument;

macro_rules! documents {
    ($($body:ty = $typ:literal;)+) => {$(
        impl Document for $body {
            const TYP: &'static str = $typ;
        }
    )+};
}

documents! {
    TrustDocument = "trust";
    Manifest = "manifest";
    Batch = "receipts";
    Order = "order";
    Emergency = "emergency";
    Descriptor = "asset";
    Want = "want";
    Ack = "ack";
    Status = "status";
    ClockAsk = "clock";
    ClockAnswer = "time";
}

/// What an approver signs of a recording; `typ` is `asset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// The SHA-256 of the whole recording.
    pub asset: Digest,
    /// Its bulletin.
    pub bulletin: BulletinId,
    /// Its language.
    pub language: LangTag,
    /// The class that the approver saw.
    pub class: Class,
    /// Always `opus`: Ogg Opus (RFC 7845).
    pub codec: String,
    /// Bytes of the whole recording.
    pub bytes: u64,
    /// Bytes of every block but the last.
    pub block_bytes: u32,
    /// The SHA-256 of each block in order.
    pub blocks: Vec<Digest>,
    /// Length in milliseconds.
    pub length_ms: u64,
    /// Where it may be played: an area stands for everything below it.
    pub areas: Vec<AreaId>,
    /// From when it may be played (UTC, µs).
    pub valid_from: Timestamp,
    /// Until when it may be played (UTC, µs).
    pub valid_until: Timestamp,
}

/// Why a descriptor is not sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// Its numbers contradict each other or its limits.
    #[error("the descriptor of {asset} is not sound: {why}")]
    Unsound {
        /// The recording.
        asset: Digest,
        /// What is wrong.
        why: &'static str,
    },
}

impl Descriptor {
    /// Whether its numbers agree with each other and with the limits.
    pub fn check(&self) -> Result<(), DescriptorError> {
        let unsound = |why| Err(DescriptorError::Unsound { asset: self.asset, why });
        if self.codec != "opus" {
            return unsound("its codec is not opus");
        }
        if self.bytes == 0 || self.bytes > super::ASSET_BYTES_MAX {
            return unsound("its size is 0 or above the limit");
        }
        if !(1_024..=64 * 1_024).contains(&self.block_bytes) {
            return unsound("its block size is outside 1 to 64 KiB");
        }
        if self.bytes.div_ceil(self.block_bytes.into()) != self.blocks.len() as u64 {
            return unsound("its number of blocks does not fit its size");
        }
        Ok(())
    }

    /// Whether `bytes` are block `n`.
    pub fn is_block(&self, n: u32, bytes: &[u8]) -> bool {
        let expected = self.blocks.get(n as usize);
        expected.is_some_and(|digest| *digest == Digest::of(bytes))
            && bytes.len() as u64 == self.block_len(n)
    }

    /// Where block `n` begins.
    pub fn block_offset(&self, n: u32) -> u64 {
        u64::from(n) * u64::from(self.block_bytes)
    }

    /// Bytes of block `n`.
    pub fn block_len(&self, n: u32) -> u64 {
        self.bytes.saturating_sub(self.block_offset(n)).min(self.block_bytes.into())
    }

    /// Cuts a recording into blocks and takes their digests.
    pub fn blocks_of(bytes: &[u8], block_bytes: u32) -> Vec<Digest> {
        bytes.chunks(block_bytes as usize).map(Digest::of).collect()
    }
}

/// A signed command to one controller; `typ` is `order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// For whom.
    pub controller: ControllerId,
    /// Counts up; an older one is never carried out.
    pub number: u64,
    /// When it was signed (UTC, µs).
    pub issued: Timestamp,
    /// After this it is not carried out (UTC, µs); at most 5 minutes after `issued`.
    pub expires: Timestamp,
    /// What to do.
    pub command: OrderCommand,
}

/// What an order asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum OrderCommand {
    /// Stop what plays; an emergency is stopped by its cancel alone.
    Stop {},
    /// Set the volume.
    Volume {
        /// 0 to 100.
        percent: u8,
    },
    /// Test tone, storage, link, clock.
    Selftest {},
    /// Send a status now.
    Report {},
}

/// A signed emergency; `typ` is `emergency`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Told apart by this until an hour after `expires`.
    pub id: EmergencyId,
    /// Counts up over the network, so that a withheld one shows.
    pub sequence: u64,
    /// When it was signed (UTC, µs).
    pub issued: Timestamp,
    /// After this it is not played (UTC, µs); at most 24 hours after `issued`.
    pub expires: Timestamp,
    /// Where: an area stands for everything below it.
    pub areas: Vec<AreaId>,
    /// Play or cancel.
    pub action: EmergencyAction,
}

/// What an emergency asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum EmergencyAction {
    /// Play, in every language of the village for which there is a recording.
    Play {
        /// The recordings.
        sounds: Vec<EmergencySound>,
        /// How often, 1 to 10.
        repeat: u8,
        /// Silence between repeats in milliseconds.
        gap_ms: u32,
    },
    /// Take it back.
    Cancel {},
}

/// One language of an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencySound {
    /// The language.
    pub language: LangTag,
    /// The recording.
    pub asset: Digest,
}

/// What a controller lacks of a recording; `typ` is `want`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// Who.
    pub controller: ControllerId,
    /// Of which recording.
    pub asset: Digest,
    /// Whether it lacks the descriptor too.
    pub info: bool,
    /// Missing blocks: hexadecimal, block *n* is bit 7−(n mod 8) of byte n div 8; empty with
    /// `info`, since without the descriptor their number is not known.
    pub missing: String,
}

/// Receipts that are in the log; `typ` is `ack`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// For whom.
    pub controller: ControllerId,
    /// Of which chain.
    pub chain: String,
    /// Every receipt up to this one is in the log; a lower number than before asks for the rest
    /// again.
    pub upto: u64,
    /// Entries in the log when it was.
    pub log_size: u64,
    /// The log's root then.
    pub log_root: Digest,
}

/// How a controller is; `typ` is `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Who.
    pub controller: ControllerId,
    /// Up, or lost: the will that the broker publishes.
    pub state: StatusState,
    /// How many times it has started.
    pub boot: u64,
    /// Which connection since it started.
    pub connection: u64,
    /// When it was written (UTC, µs); 0 where the clock is not trusted.
    pub at: Timestamp,
    /// Its software.
    pub software: String,
    /// The trust document that it holds.
    pub trust: u64,
    /// The manifest that it holds; 0 for none.
    pub manifest: u64,
    /// Recordings of its manifest that it holds.
    pub assets_held: u32,
    /// Recordings of its manifest.
    pub assets_named: u32,
    /// Recordings that were withdrawn and that it still holds.
    pub withdrawn_held: Vec<Digest>,
    /// Receipts that are not acknowledged.
    pub receipts_waiting: u64,
    /// Whether its clock is trusted.
    pub clock_trusted: bool,
    /// By how much its system clock was off at the last answer, in milliseconds.
    pub clock_offset_ms: i64,
    /// Free storage in KiB.
    pub storage_free_kib: u64,
    /// 0 to 100.
    pub volume_percent: u8,
    /// What plays: the text of the airing's identity, or `emergency/{id}`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub playing: Option<String>,
    /// Whether somebody at the device stopped all sound; left out where nobody did.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stopped: bool,
    /// When the first airing begins that lacks a recording (UTC, µs); left out where none does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ready_until: Option<Timestamp>,
}

/// Whether a status was written by a controller or is its will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    /// Written now.
    Up,
    /// Signed in advance: the connection was lost. A hint only.
    Lost,
}

/// The question what time it is; `typ` is `clock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockAsk {
    /// Who.
    pub controller: ControllerId,
    /// 16 random hexadecimal digits, used once.
    pub nonce: String,
    /// What its own clock says (UTC, µs); may be wrong.
    pub t1: Timestamp,
}

/// The signed answer; `typ` is `time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockAnswer {
    /// For whom.
    pub controller: ControllerId,
    /// The question's nonce.
    pub nonce: String,
    /// The question's t1.
    pub t1: Timestamp,
    /// When the question came (UTC, µs).
    pub t2: Timestamp,
    /// When the answer left (UTC, µs).
    pub t3: Timestamp,
    /// The newest manifest for this controller; 0 for none.
    pub manifest: u64,
    /// The newest emergency of the network; 0 for none.
    pub emergency: u64,
}

/// Bitmaps of missing blocks, as they stand in [`Want`].
pub mod bitmap {
    /// The text for these blocks of `count`.
    pub fn encode(missing: impl IntoIterator<Item = u32>, count: u32) -> String {
        let mut bytes = vec![0_u8; (count as usize).div_ceil(8)];
        for n in missing.into_iter().filter(|n| *n < count) {
            bytes[n as usize / 8] |= 0x80 >> (n % 8);
        }
        crate::digest::hex(&bytes)
    }

    /// The blocks below `count` that `text` names; `None` where it is no such text.
    pub fn decode(text: &str, count: u32) -> Option<Vec<u32>> {
        let bytes = crate::digest::unhex(text)?;
        if bytes.len() != (count as usize).div_ceil(8) {
            return None;
        }
        let set = |n: &u32| bytes[*n as usize / 8] & (0x80 >> (n % 8)) != 0;
        Some((0..count).filter(set).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_bitmap_names_just_the_blocks_that_were_put_in(
            count in 1_u32..300, picks in proptest::collection::btree_set(0_u32..300, 0..40)
        ) {
            let wanted: Vec<u32> = picks.into_iter().filter(|n| *n < count).collect();
            let text = bitmap::encode(wanted.iter().copied(), count);
            proptest::prop_assert_eq!(bitmap::decode(&text, count), Some(wanted));
            proptest::prop_assert_eq!(bitmap::decode(&text, count + 8), None);
        }
    }

    #[test]
    fn a_block_is_known_by_its_digest_and_its_length() {
        let bytes = vec![7_u8; 20_000];
        let descriptor = Descriptor {
            asset: Digest::of(&bytes),
            bulletin: "b".parse().unwrap(),
            language: "vi".parse().unwrap(),
            class: Class::Normal,
            codec: "opus".to_owned(),
            bytes: 20_000,
            block_bytes: 16_384,
            blocks: Descriptor::blocks_of(&bytes, 16_384),
            length_ms: 1,
            areas: vec![],
            valid_from: Timestamp::EPOCH,
            valid_until: Timestamp::EPOCH,
        };
        assert_eq!(descriptor.check(), Ok(()));
        assert!(descriptor.is_block(1, &bytes[16_384..]));
        assert!(!descriptor.is_block(0, &bytes[16_384..]));
        assert!(!descriptor.is_block(2, &[]));
        assert!(Descriptor { bytes: 40_000, ..descriptor }.check().is_err());
    }
}
