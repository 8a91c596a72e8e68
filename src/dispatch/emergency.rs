//! Emergencies and orders on their way: at once to everybody, then again to each who has not said
//! that it has them.
//!
//! **An emergency is repeated until its expiry to every controller whose receipt does not tell of
//! it**; what the broker confirmed counts for nothing. An order is repeated until it expires.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::dispatch::{Dispatch, sign};
use crate::id::{AreaId, ControllerId, EmergencyId};
use crate::protocol::{ClockAnswer, ClockAsk, Down};
use crate::receipt::{Event, Receipt};
use crate::time::{Now, Timestamp, Uptime};

/// How soon an emergency is repeated to those that have not accepted it; doubles up to
/// [`AGAIN_MAX`].
const AGAIN: Duration = Duration::from_secs(5);

/// The longest pause between two repeats: a controller that comes back says so by its status, and
/// gets it then.
const AGAIN_MAX: Duration = Duration::from_mins(5);

/// Orders that wait for one controller at most: the oldest gives way.
const ORDERS_MAX: usize = 16;

/// A signed emergency, or its cancel, whose fact is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Which.
    pub id: EmergencyId,
    /// Counts up over the network.
    pub sequence: u64,
    /// After this it is sent to nobody.
    pub expires: Timestamp,
    /// Where.
    pub areas: Vec<AreaId>,
    /// Whether it takes back an emergency of the same id.
    pub cancels: bool,
    /// Its note.
    pub note: String,
    /// The controllers there whose receipts do not tell of it.
    pub waiting: BTreeSet<ControllerId>,
}

/// A signed order whose fact is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// For whom.
    pub controller: ControllerId,
    /// Counts up for each controller.
    pub number: u64,
    /// After this it is not sent.
    pub expires: Timestamp,
    /// Its note.
    pub note: String,
}

/// What is under way, and when it is repeated.
#[derive(Debug, Default)]
pub(super) struct Urgent {
    emergencies: BTreeMap<EmergencyId, Standing>,
    orders: BTreeMap<ControllerId, Vec<Ordered>>,
    /// The greatest sequence of all, also of those that are over.
    newest: u64,
}

#[derive(Debug)]
struct Standing {
    raised: Raised,
    /// Whether it went to the topics of its areas since the connection is up.
    published: bool,
    again: Uptime,
    pause: Duration,
}

impl Urgent {
    /// The broker may have forgotten everything.
    pub(super) fn reconnected(&mut self) {
        for standing in self.emergencies.values_mut() {
            standing.published = false;
        }
    }

    pub(super) fn due_at(&self) -> Option<Uptime> {
        let due = |standing: &Standing| {
            let waits = standing.published && standing.raised.waiting.is_empty();
            (!waits).then_some(if standing.published { standing.again } else { Uptime::START })
        };
        self.emergencies.values().filter_map(due).min()
    }

    /// Receipts of `from` came: what they tell of is not repeated.
    pub(super) fn told(&mut self, from: &ControllerId, receipts: &[Receipt]) {
        for receipt in receipts {
            match &receipt.event {
                Event::Emergency { emergency, step, .. } => {
                    if let Some(standing) = self.emergencies.get_mut(emergency)
                        && (!standing.raised.cancels || step.ends())
                    {
                        standing.raised.waiting.remove(from);
                    }
                }
                Event::Order { number, .. } => {
                    if let Some(orders) = self.orders.get_mut(from) {
                        orders.retain(|order| order.number > *number);
                    }
                }
                Event::Airing { .. } | Event::Refusal { .. } | Event::Boot { .. } => {}
            }
        }
    }
}

impl Dispatch {
    pub(super) fn raise(&mut self, now: Now, raised: Raised) {
        self.urgent.newest = self.urgent.newest.max(raised.sequence);
        if raised.expires <= now.utc {
            return;
        }
        match self.urgent.emergencies.get_mut(&raised.id) {
            // The same again, now with those that must be reminded.
            Some(held) if held.raised.note == raised.note => {
                held.raised.waiting = raised.waiting;
                return;
            }
            // What was taken back stays so.
            Some(held) if held.raised.cancels => return,
            Some(_) | None => {}
        }
        let standing = Standing { raised, published: false, again: now.up, pause: AGAIN };
        self.urgent.emergencies.insert(standing.raised.id.clone(), standing);
    }

    pub(super) fn order(&mut self, now: Now, order: Ordered) {
        let waiting = self.urgent.orders.entry(order.controller.clone()).or_default();
        if order.expires <= now.utc || waiting.iter().any(|known| known.number == order.number) {
            return;
        }
        if waiting.len() == ORDERS_MAX {
            waiting.remove(0);
        }
        waiting.push(order.clone());
        self.send(self.topics.down(&order.controller, Down::Order), order.note, false);
    }

    /// A controller showed that it is there: it gets what it has not told of.
    pub(super) fn remind(&mut self, now: Now, there: &ControllerId) {
        let standing = self.urgent.emergencies.values();
        let standing = standing.filter(|s| s.published && s.raised.waiting.contains(there));
        let notes: Vec<String> = standing.map(|s| s.raised.note.clone()).collect();
        for note in notes {
            self.send(self.topics.down(there, Down::Emergency), note, false);
        }
        if let Some(orders) = self.urgent.orders.get_mut(there) {
            orders.retain(|order| now.utc < order.expires);
            for note in orders.iter().map(|order| order.note.clone()).collect::<Vec<_>>() {
                self.send(self.topics.down(there, Down::Order), note, false);
            }
        }
    }

    pub(super) fn advance_emergencies(&mut self, now: Now) {
        if !self.up {
            return;
        }
        self.urgent.emergencies.retain(|_, standing| now.utc < standing.raised.expires);
        let mut messages = Vec::new();
        for standing in self.urgent.emergencies.values_mut() {
            if !standing.published {
                (standing.published, standing.pause) = (true, AGAIN);
                standing.again = now.up + AGAIN;
                let areas = standing.raised.areas.iter().map(|a| self.topics.area_emergency(a));
                messages.extend(areas.map(|topic| (topic, standing.raised.note.clone())));
            } else if standing.again <= now.up && !standing.raised.waiting.is_empty() {
                standing.pause = (standing.pause * 2).min(AGAIN_MAX);
                standing.again = now.up + standing.pause;
                let topic = |to| self.topics.down(to, Down::Emergency);
                let waiting = standing.raised.waiting.iter().map(topic);
                messages.extend(waiting.map(|topic| (topic, standing.raised.note.clone())));
            }
        }
        for (topic, note) in messages {
            self.send(topic, note, false);
        }
    }

    /// Says what time it is, and what is newest, so that what is withheld shows.
    pub(super) fn answer_clock(&mut self, now: Now, ask: ClockAsk, manifest: u64) {
        let answer = ClockAnswer {
            nonce: ask.nonce,
            t1: ask.t1,
            t2: now.utc,
            t3: now.utc,
            manifest,
            emergency: self.urgent.newest,
            controller: ask.controller,
        };
        let note = sign(&self.net, &self.time, &answer);
        self.send(self.topics.down(&answer.controller, Down::Time), note, false);
    }
}
