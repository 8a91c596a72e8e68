//! Recordings on their way: `want`s gathered, their union sent once, at a steady pace.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::dispatch::{Dispatch, Output, Pace, Publish};
use crate::time::Uptime;

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
    wanted: BTreeSet<u32>,
    /// When the next block leaves.
    next: Option<Uptime>,
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
            wanted: BTreeSet::new(),
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
        offer.wanted.extend(missing);
        if offer.next.is_none() {
            offer.next = Some(up + self.pace.gather);
        }
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
            if std::mem::take(&mut offer.info) {
                self.out.push_back(Output::Publish(Publish {
                    topic: self.topics.info(*asset),
                    payload: offer.descriptor.clone().into_bytes(),
                    retain: false,
                }));
            }
            if let Some(n) = offer.wanted.pop_first() {
                *sent += 1;
                let topic = self.topics.block(*asset, n);
                self.out.push_back(Output::Block { asset: *asset, n, topic });
            }
            offer.next = (!offer.wanted.is_empty()).then(|| up + pace.between_blocks);
        }
    }
}
