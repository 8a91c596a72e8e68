//! A controller's storage, with the ways in which it fails.
//!
//! What is written durably is there after a power cut; a block is not durable before its recording
//! is assembled. A write may fail and be lost, or fail and be kept: the machine must live with both.

use std::collections::BTreeMap;

use crate::agent::{Record, Restored, RestoredAsset, Slot};
use crate::digest::Digest;
use crate::id::NetId;
use crate::note::Note;
use crate::protocol::{Descriptor, decode};
use crate::sim::chance::Chance;

/// What storage holds.
#[derive(Debug, Default)]
pub(super) struct Flash {
    pub(super) records: Vec<Record>,
    trust: Option<String>,
    manifest: Option<String>,
    recordings: BTreeMap<Digest, Held>,
    /// No write fits.
    pub(super) full: bool,
}

#[derive(Debug, Default)]
struct Held {
    note: Option<String>,
    /// By offset.
    blocks: BTreeMap<u64, Vec<u8>>,
    whole: Option<Vec<u8>>,
}

impl Flash {
    pub(super) fn keep(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(super) fn replace_diary(&mut self, records: Vec<Record>) {
        self.records = records;
    }

    pub(super) fn keep_note(&mut self, slot: Slot, note: String) {
        match slot {
            Slot::Trust => self.trust = Some(note),
            Slot::Manifest => self.manifest = Some(note),
            Slot::Descriptor(asset) => {
                self.recordings.entry(asset).or_default().note = Some(note);
            }
        }
    }

    pub(super) fn keep_block(&mut self, asset: Digest, offset: u64, bytes: Vec<u8>) {
        self.recordings.entry(asset).or_default().blocks.insert(offset, bytes);
    }

    /// Compares the whole with its digest and moves it into place.
    pub(super) fn assemble(&mut self, asset: Digest) -> bool {
        let held = self.recordings.entry(asset).or_default();
        let bytes: Vec<u8> = held.blocks.values().flatten().copied().collect();
        let is_whole = Digest::of(&bytes) == asset;
        if is_whole {
            held.whole = Some(bytes);
            held.blocks.clear();
        }
        is_whole
    }

    pub(super) fn forget(&mut self, asset: Digest) {
        self.recordings.remove(&asset);
    }

    /// Whether a recording is there and is what its name says.
    pub(super) fn holds(&self, asset: Digest) -> bool {
        let whole = self.recordings.get(&asset).and_then(|held| held.whole.as_ref());
        whole.is_some_and(|bytes| Digest::of(bytes) == asset)
    }

    /// The manifest's note.
    pub(super) fn manifest(&self) -> Option<&str> {
        self.manifest.as_deref()
    }

    /// The descriptor's note of a recording.
    pub(super) fn descriptor(&self, asset: Digest) -> Option<&str> {
        self.recordings.get(&asset)?.note.as_deref()
    }

    /// The power fails: some blocks that were not synced are gone or torn.
    pub(super) fn lose_power(&mut self, chance: &mut Chance) {
        for held in self.recordings.values_mut() {
            held.blocks.retain(|_, bytes| {
                if chance.once_in(4) {
                    bytes.iter_mut().take(3).for_each(|byte| *byte ^= 0xff);
                }
                !chance.once_in(3)
            });
        }
    }

    /// One recording rots, or the manifest does; `false` where there is nothing to rot.
    pub(super) fn rot(&mut self, chance: &mut Chance) -> bool {
        if chance.once_in(4) {
            return self.manifest.as_mut().map(|note| note.insert(note.len() / 3, '#')).is_some();
        }
        let nth = chance.below(self.recordings.len());
        let Some(held) = self.recordings.values_mut().nth(nth) else { return false };
        match (&mut held.whole, &mut held.note) {
            (Some(bytes), _) if !bytes.is_empty() => bytes[0] ^= 1,
            (_, Some(note)) => note.insert(note.len() / 3, '#'),
            _ => return false,
        }
        true
    }

    /// Everything is gone: a person put a new card in.
    pub(super) fn wipe(&mut self) {
        *self = Self::default();
    }

    /// What a start finds; `provision` is the trust note of the installer's folder.
    pub(super) fn restore(&self, net: &NetId, provision: &str) -> Restored {
        let assets = self.recordings.values();
        Restored {
            records: self.records.clone(),
            trust: Some(self.trust.clone().unwrap_or_else(|| provision.to_owned())),
            provisioned: self.trust.is_none(),
            manifest: self.manifest.clone(),
            assets: assets.filter_map(|held| restore_one(net, held)).collect(),
        }
    }
}

fn restore_one(net: &NetId, held: &Held) -> Option<RestoredAsset> {
    let note = held.note.clone()?;
    let parsed = Note::parse(note.as_bytes()).ok()?;
    let descriptor: Descriptor = decode(net, parsed.text()).ok()?;
    let complete = held.whole.as_ref().is_some_and(|bytes| Digest::of(bytes) == descriptor.asset);
    let count = u32::try_from(descriptor.blocks.len()).unwrap_or(u32::MAX);
    let is_here = |n: &u32| {
        let block = held.blocks.get(&descriptor.block_offset(*n));
        block.is_some_and(|bytes| descriptor.is_block(*n, bytes))
    };
    let missing = (0..count).filter(|n| !complete && !is_here(n)).collect();
    Some(RestoredAsset { descriptor: note, missing, complete })
}
