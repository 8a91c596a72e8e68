//! Which recordings a controller holds, which blocks it lacks, and when it asks for them.
//!
//! **A block counts only once its SHA-256 agrees with a descriptor that an approver signed, and a
//! recording only once the whole does.** A verified block is never asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::digest::Digest;
use crate::protocol::Descriptor;
use crate::time::Uptime;

/// Recordings that are asked for at once: more would only compete for the same weak link.
pub(super) const AT_ONCE: usize = 4;

/// How long nothing may come before it is asked for again; doubles up to [`PATIENCE_MAX`].
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause between two questions for the same recording.
const PATIENCE_MAX: Duration = Duration::from_mins(2);

/// How often a descriptor that does not cover what is planned is asked for again.
const DOUBT_TRIES: u32 = 5;

/// One recording on the shelf.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// With the note that says it: a new trust document may take its signer's word away.
    descriptor: Option<(Descriptor, String)>,
    missing: BTreeSet<u32>,
    /// Every block is here; the shell compares the whole digest.
    finishing: bool,
    complete: bool,
    /// The descriptor does not cover what is planned: it is asked for again, a few times.
    doubted: bool,
    asked: Option<Uptime>,
    progress: Option<Uptime>,
    tries: u32,
}

impl Shelf {
    pub(super) fn descriptor(&self) -> Option<&Descriptor> {
        self.descriptor.as_ref().map(|(descriptor, _)| descriptor)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.doubted
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = u32> {
        self.missing.iter().copied()
    }

    fn due(&self) -> Uptime {
        let last = self.asked.max(self.progress);
        let patience = PATIENCE.saturating_mul(1 << self.tries.min(5)).min(PATIENCE_MAX);
        last.map_or(Uptime::START, |last| last + patience)
    }
}

/// What became of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// New and right: to be written at this offset.
    New(u64),
    /// New, right, and the last one missing.
    Last(u64),
    /// Held already, not asked for, or no descriptor for it.
    Useless,
    /// Not what the descriptor says.
    Wrong,
}

/// The recordings of the manifest and of emergencies.
#[derive(Debug, Default)]
pub(super) struct Library {
    shelves: BTreeMap<Digest, Shelf>,
    /// What is needed, soonest first.
    needed: Vec<Digest>,
}

impl Library {
    /// Puts a recording on the shelf that storage holds already, whole or in part.
    pub(super) fn restore(
        &mut self,
        descriptor: Descriptor,
        note: String,
        missing: BTreeSet<u32>,
        complete: bool,
    ) {
        // Every block is here and a power cut came before the whole was compared.
        let finishing = missing.is_empty() && !complete;
        let shelf = Shelf { missing, finishing, complete, ..Shelf::default() };
        let asset = descriptor.asset;
        self.shelves.insert(asset, Shelf { descriptor: Some((descriptor, note)), ..shelf });
    }

    /// Says what is needed now, soonest first; returns what is on the shelf and needed no longer.
    pub(super) fn need(&mut self, needed: Vec<Digest>) -> Vec<Digest> {
        for asset in &needed {
            self.shelves.entry(*asset).or_default();
        }
        self.needed = needed;
        self.shelves.keys().filter(|asset| !self.needed.contains(asset)).copied().collect()
    }

    /// Takes a recording off the shelf.
    pub(super) fn remove(&mut self, asset: Digest) {
        self.shelves.remove(&asset);
        self.needed.retain(|needed| *needed != asset);
    }

    pub(super) fn get(&self, asset: Digest) -> Option<&Shelf> {
        self.shelves.get(&asset)
    }

    /// Recordings held whole, and recordings needed.
    pub(super) fn held_of_needed(&self) -> (u32, u32) {
        let held = self.needed.iter().filter(|asset| self.is_complete(**asset)).count();
        (
            u32::try_from(held).unwrap_or(u32::MAX),
            u32::try_from(self.needed.len()).unwrap_or(u32::MAX),
        )
    }

    pub(super) fn is_complete(&self, asset: Digest) -> bool {
        self.shelves.get(&asset).is_some_and(|shelf| shelf.complete)
    }

    /// The recordings to ask for, soonest needed first, [`AT_ONCE`] at most.
    pub(super) fn wanted(&self) -> Vec<Digest> {
        let open = |asset: &&Digest| {
            let shelf = self.shelves.get(asset);
            shelf.is_some_and(|s| {
                s.descriptor.is_none() || s.doubted || (!s.complete && !s.finishing)
            })
        };
        self.needed.iter().filter(open).take(AT_ONCE).copied().collect()
    }

    /// Those of the wanted that are due to be asked for.
    pub(super) fn due(&self, up: Uptime) -> Vec<Digest> {
        let due = |asset: &Digest| self.shelves.get(asset).is_some_and(|s| s.due() <= up);
        self.wanted().into_iter().filter(due).collect()
    }

    /// When the next question is due.
    pub(super) fn due_at(&self) -> Option<Uptime> {
        self.wanted().iter().filter_map(|asset| self.shelves.get(asset)).map(Shelf::due).min()
    }

    /// Notes that a question leaves now.
    pub(super) fn asked(&mut self, asset: Digest, up: Uptime) {
        if let Some(shelf) = self.shelves.get_mut(&asset) {
            shelf.asked = Some(up);
            shelf.tries += 1;
            shelf.doubted &= shelf.tries < DOUBT_TRIES;
        }
    }

    /// The descriptors of these do not cover what is planned: newer ones may exist.
    pub(super) fn doubt(&mut self, assets: &[Digest]) {
        for asset in assets {
            if let Some(shelf) = self.shelves.get_mut(asset) {
                shelf.doubted = true;
                (shelf.asked, shelf.progress, shelf.tries) = (None, None, 0);
            }
        }
    }

    /// The connection is new: what was asked for may be lost.
    pub(super) fn reconnected(&mut self) {
        for shelf in self.shelves.values_mut() {
            (shelf.asked, shelf.progress, shelf.tries) = (None, None, 0);
        }
    }

    /// Takes a verified descriptor for something needed; `false` where it is not new.
    pub(super) fn describe(&mut self, descriptor: Descriptor, note: &str) -> bool {
        let Some(shelf) = self.shelves.get_mut(&descriptor.asset) else { return false };
        shelf.doubted = false;
        if shelf.descriptor() == Some(&descriptor) {
            return false;
        }
        let cut_alike = shelf.descriptor().is_some_and(|d| d.blocks == descriptor.blocks);
        if !cut_alike && !shelf.complete {
            shelf.finishing = false;
            shelf.missing = (0..).take(descriptor.blocks.len()).collect();
        }
        // Its blocks are asked for at once.
        (shelf.asked, shelf.progress, shelf.tries) = (None, None, 0);
        shelf.descriptor = Some((descriptor, note.to_owned()));
        true
    }

    /// Takes the approvals back whose notes `still` does not hold good; returns of what. What is
    /// held stays: another approval may come.
    pub(super) fn reconsider(&mut self, still: impl Fn(&str) -> bool) -> Vec<Digest> {
        let mut lost = Vec::new();
        for (asset, shelf) in &mut self.shelves {
            if shelf.descriptor.as_ref().is_some_and(|(_, note)| !still(note)) {
                shelf.descriptor = None;
                (shelf.asked, shelf.progress, shelf.tries) = (None, None, 0);
                lost.push(*asset);
            }
        }
        lost
    }

    /// Looks at a block that came.
    pub(super) fn block(&mut self, asset: Digest, n: u32, bytes: &[u8], up: Uptime) -> Block {
        let Some(shelf) = self.shelves.get_mut(&asset) else { return Block::Useless };
        let Some((descriptor, _)) = &shelf.descriptor else { return Block::Useless };
        if !shelf.missing.contains(&n) {
            return Block::Useless;
        }
        if !descriptor.is_block(n, bytes) {
            return Block::Wrong;
        }
        let offset = descriptor.block_offset(n);
        shelf.missing.remove(&n);
        (shelf.progress, shelf.tries) = (Some(up), 0);
        shelf.finishing = shelf.missing.is_empty();
        if shelf.finishing { Block::Last(offset) } else { Block::New(offset) }
    }

    /// The whole was compared with its digest.
    pub(super) fn finished(&mut self, asset: Digest, whole: bool) {
        let Some(shelf) = self.shelves.get_mut(&asset) else { return };
        shelf.finishing = false;
        shelf.complete = whole;
        if let (false, Some((descriptor, _))) = (whole, &shelf.descriptor) {
            shelf.missing = (0..).take(descriptor.blocks.len()).collect();
        }
    }
}
