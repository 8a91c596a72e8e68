//! Which recordings a controller holds, which blocks it lacks, and when it asks for them.
//!
//! **A block counts only once its SHA-256 agrees with a descriptor that an approver signed, and a
//! recording only once the whole does.** A verified block is never asked for again.
//!
//! **What is held is bounded, and what is needed soonest is never evicted**: recordings of
//! emergencies and of the next 72 hours are held whatever they weigh; of the others, the least needed
//! give way first.

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

/// How often it is found out for what there is room though nothing changed.
const WEIGHED_EVERY: Duration = Duration::from_mins(1);

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
    /// There is no room for it now; it weighs so many bytes.
    evicted: Option<u64>,
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

    /// What it weighs, where that is known.
    fn bytes(&self) -> u64 {
        self.descriptor().map(|descriptor| descriptor.bytes).or(self.evicted).unwrap_or(0)
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
    /// Before this nothing is asked for: thousands of controllers learn of a recording at once.
    quiet_until: Option<Uptime>,
    /// When it was last found out for what there is room; none where something changed since.
    weighed: Option<Uptime>,
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
        self.weighed = None;
        self.shelves.keys().filter(|asset| !self.needed.contains(asset)).copied().collect()
    }

    /// Whether it is time to find out for what there is room: something changed, or time passed.
    pub(super) fn is_to_be_weighed(&mut self, up: Uptime) -> bool {
        let due = self.weighed.is_none_or(|at| up >= at + WEIGHED_EVERY);
        if due {
            self.weighed = Some(up);
        }
        due
    }

    /// Finds out for what there is room: everything `kept`, and of the rest as much as fits into
    /// `bytes_max` together with it, soonest needed first. Returns what must go.
    pub(super) fn make_room(&mut self, kept: &BTreeSet<Digest>, bytes_max: u64) -> Vec<Digest> {
        let weigh = |asset: &Digest| self.shelves.get(asset).map_or(0, Shelf::bytes);
        let mut room = bytes_max.saturating_sub(kept.iter().map(weigh).sum());
        let mut is_full = false;
        let mut gone = Vec::new();
        for asset in &self.needed {
            let Some(shelf) = self.shelves.get_mut(asset) else { continue };
            let bytes = shelf.bytes();
            if !kept.contains(asset) {
                is_full |= bytes > room;
                room = room.saturating_sub(bytes);
            }
            let stays = kept.contains(asset) || !is_full;
            match (stays, shelf.evicted.is_some()) {
                (true, true) => *shelf = Shelf::default(),
                (false, false) if bytes > 0 => {
                    *shelf = Shelf { evicted: Some(bytes), ..Shelf::default() };
                    gone.push(*asset);
                }
                _ => {}
            }
        }
        gone
    }

    /// Asks for nothing before `until`.
    pub(super) fn be_quiet(&mut self, until: Uptime) {
        self.quiet_until = Some(until);
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
                let open = s.descriptor.is_none() || s.doubted || (!s.complete && !s.finishing);
                s.evicted.is_none() && open
            })
        };
        self.needed.iter().filter(open).take(AT_ONCE).copied().collect()
    }

    /// Those of the wanted that are due to be asked for.
    pub(super) fn due(&self, up: Uptime) -> Vec<Digest> {
        if self.quiet_until.is_some_and(|until| until > up) {
            return vec![];
        }
        let due = |asset: &Digest| self.shelves.get(asset).is_some_and(|s| s.due() <= up);
        self.wanted().into_iter().filter(due).collect()
    }

    /// When the next question is due.
    pub(super) fn due_at(&self) -> Option<Uptime> {
        let shelves = self.wanted();
        let due = shelves.iter().filter_map(|asset| self.shelves.get(asset)).map(Shelf::due).min();
        due.max(due.and(self.quiet_until))
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
        if shelf.evicted.is_some() || shelf.descriptor() == Some(&descriptor) {
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
        self.weighed = None;
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
        let Some(shelf) = self.shelves.get_mut(&asset).filter(|s| s.evicted.is_none()) else {
            return;
        };
        shelf.finishing = false;
        shelf.complete = whole;
        if let (false, Some((descriptor, _))) = (whole, &shelf.descriptor) {
            shelf.missing = (0..).take(descriptor.blocks.len()).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asset(n: usize) -> Digest {
        Digest::of(&n.to_be_bytes())
    }

    fn descriptor(n: usize, bytes: u64) -> Descriptor {
        Descriptor {
            asset: asset(n),
            bulletin: "b".parse().unwrap(),
            language: "vi".parse().unwrap(),
            class: crate::bulletin::Class::Normal,
            codec: "opus".to_owned(),
            bytes,
            block_bytes: 16_384,
            blocks: vec![Digest::ZERO; 3],
            length_ms: 1,
            areas: vec![],
            valid_from: crate::time::Timestamp::EPOCH,
            valid_until: crate::time::Timestamp::EPOCH,
        }
    }

    /// A library that needs recordings of these weights, in this order, and holds them whole.
    fn holding(bytes: &[u64]) -> Library {
        let mut library = Library::default();
        library.need((0..bytes.len()).map(asset).collect());
        for (n, bytes) in bytes.iter().enumerate() {
            library.restore(descriptor(n, *bytes), String::new(), BTreeSet::new(), true);
        }
        library
    }

    fn held(library: &Library, count: usize) -> Vec<usize> {
        (0..count).filter(|n| library.is_complete(asset(*n))).collect()
    }

    #[test]
    fn what_is_needed_last_gives_way_first() {
        let mut library = holding(&[40, 40, 40]);
        assert_eq!(library.make_room(&BTreeSet::new(), 100), [asset(2)]);
        assert_eq!(held(&library, 3), [0, 1]);
        assert!(library.wanted().is_empty(), "what has no room is not asked for");
    }

    #[test]
    fn what_was_evicted_is_asked_for_again_once_there_is_room() {
        let mut library = holding(&[40, 40, 40]);
        library.make_room(&BTreeSet::new(), 100);
        assert!(library.make_room(&BTreeSet::new(), 120).is_empty());
        assert_eq!(library.wanted(), [asset(2)]);
    }

    #[test]
    fn what_is_kept_stays_however_much_it_weighs() {
        let mut library = holding(&[40, 40, 400]);
        let gone = library.make_room(&BTreeSet::from([asset(2)]), 100);
        assert_eq!(gone, [asset(0), asset(1)]);
        assert_eq!(held(&library, 3), [2]);
    }

    #[test]
    fn nothing_is_asked_for_before_the_quiet_is_over() {
        let mut library = Library::default();
        library.need(vec![asset(0)]);
        let until = Uptime::START + Duration::from_millis(120);
        library.be_quiet(until);
        assert_eq!((library.due(Uptime::START), library.due_at()), (vec![], Some(until)));
        assert_eq!(library.due(until), [asset(0)]);
    }

    proptest! {
        #[test]
        fn room_is_kept_to_and_what_must_stay_stays(
            bytes in proptest::collection::vec(1_u64..100, 0..12),
            kept in proptest::collection::btree_set(0_usize..12, 0..4),
            bounds in proptest::collection::vec(0_u64..600, 1..4),
        ) {
            let mut library = holding(&bytes);
            let kept: BTreeSet<usize> = kept.into_iter().filter(|n| *n < bytes.len()).collect();
            let must: BTreeSet<Digest> = kept.iter().copied().map(asset).collect();
            let kept_bytes: u64 = kept.iter().map(|n| bytes[*n]).sum();
            for bytes_max in bounds {
                library.make_room(&must, bytes_max);
                let held = held(&library, bytes.len());
                prop_assert!(kept.iter().all(|n| held.contains(n)));
                let weight: u64 = held.iter().map(|n| bytes[*n]).sum();
                prop_assert!(weight <= bytes_max.max(kept_bytes), "{weight} in {bytes_max}");
                // Nobody stays who is needed later than somebody who had to go.
                let others = (0..bytes.len()).filter(|n| !kept.contains(n));
                let stays: Vec<bool> = others.map(|n| held.contains(&n)).collect();
                prop_assert!(stays.is_sorted_by(|a, b| a >= b), "{stays:?}");
            }
        }
    }
}
