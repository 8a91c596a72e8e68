//! Recordings on their way: `want`s gathered, their union sent once, at a steady pace.
//!
//! **What most lack leaves first**, of two alike the lower number. So those who lack little have it
//! all and leave before the rest is sent: what somebody lost in a cut, or asks for late, is not
//! heard a second time by the others over their weak links.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::dispatch::{Dispatch, Output, Pace, Publish};
use crate::time::Uptime;

/// Gathering goes on while questions come, for this many times the pause at most: thousands that
/// learn of a recording at once take a while to be heard.
const GATHER_TIMES_MAX: u32 = 6;

/// Recordings that may be fanned out, and those that are.
#[derive(Debug)]
pub(super) struct Fanout {
    pace: Pace,
    offers: BTreeMap<Digest, Offer>,
    sent: u64,
}

#[derive(Debug)]
struct Offer {
    descriptor: String,
    blocks: u32,
    info: bool,
    /// How many questions named each block that is still to be sent.
    wanted: BTreeMap<u32, u32>,
    /// When the first question came, until the first block leaves.
    gathering: Option<Uptime>,
    /// When the next block leaves.
    next: Option<Uptime>,
}

impl Offer {
    /// The block that leaves next.
    fn take(&mut self) -> Option<u32> {
        let wanted = self.wanted.iter().max_by_key(|(n, times)| (**times, Reverse(**n)));
        let n = *wanted?.0;
        self.wanted.remove(&n);
        Some(n)
    }
}

impl Fanout {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, offers: BTreeMap::new(), sent: 0 }
    }

    pub(super) fn offer(&mut self, asset: Digest, descriptor: String, blocks: u32) {
        let offer = self.offers.entry(asset).or_insert_with(|| Offer {
            descriptor: String::new(),
            blocks,
            info: false,
            wanted: BTreeMap::new(),
            gathering: None,
            next: None,
        });
        (offer.descriptor, offer.blocks) = (descriptor, blocks);
    }

    pub(super) fn withdraw(&mut self, asset: Digest) {
        self.offers.remove(&asset);
    }

    pub(super) fn blocks(&self, asset: Digest) -> Option<u32> {
        self.offers.get(&asset).map(|offer| offer.blocks)
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn want(&mut self, up: Uptime, asset: Digest, info: bool, missing: Vec<u32>) {
        let Some(offer) = self.offers.get_mut(&asset) else { return };
        offer.info |= info;
        for n in missing {
            *offer.wanted.entry(n).or_default() += 1;
        }
        let began = match (offer.next, offer.gathering) {
            (None, _) => *offer.gathering.insert(up),
            (Some(_), Some(began)) => began,
            (Some(_), None) => return,
        };
        let gather = self.pace.gather;
        offer.next = Some((up + gather).min(began + gather.saturating_mul(GATHER_TIMES_MAX)));
    }

    pub(super) fn due_at(&self) -> Option<Uptime> {
        self.offers.values().filter_map(|offer| offer.next).min()
    }
}

impl Dispatch {
    pub(super) fn advance_fanout(&mut self, up: Uptime) {
        if !self.up {
            return;
        }
        let Fanout { pace, offers, sent } = &mut self.fanout;
        for (asset, offer) in offers.iter_mut().filter(|(_, o)| o.next.is_some_and(|at| at <= up)) {
            offer.gathering = None;
            if std::mem::take(&mut offer.info) {
                self.out.push_back(Output::Publish(Publish {
                    topic: self.topics.info(*asset),
                    payload: offer.descriptor.clone().into_bytes(),
                    retain: false,
                }));
            }
            if let Some(n) = offer.take() {
                *sent += 1;
                let topic = self.topics.block(*asset, n);
                self.out.push_back(Output::Block { asset: *asset, n, topic });
            }
            offer.next = (!offer.wanted.is_empty()).then(|| up + pace.between_blocks);
        }
    }
}
