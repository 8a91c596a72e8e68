//! The server's half of the protocol, without I/O: who gets what, and what counts as delivered.
//!
//! **A message leaves only when the caller hands it in, which it does once the log has its fact**;
//! a receipt is acknowledged only on [`Input::Logged`]. Recordings are fanned out once: `want`s are
//! gathered for a short window, their union is sent block by block at a steady pace, and nothing
//! large waits in the broker.

mod emergency;
mod fanout;
mod incoming;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use emergency::{Ordered, Raised};

use crate::digest::Digest;
use crate::id::{ControllerId, NetId};
use crate::note::{PublicKey, Signer};
use crate::protocol::{self, Ack, Document, Down, Status, Topics};
use crate::receipt::Chained;
use crate::time::{Now, Uptime};

/// How the fan-out of recordings is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long `want`s are gathered before the first block of their union leaves.
    pub gather: Duration,
    /// The time between two blocks of one recording.
    pub between_blocks: Duration,
}

impl Default for Pace {
    /// 300 ms of gathering; 16 KiB each 250 ms is 512 kbit/s for each recording.
    fn default() -> Self {
        Self { gather: Duration::from_millis(300), between_blocks: Duration::from_millis(250) }
    }
}

/// A message to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker shall keep it.
    pub retain: bool,
}

/// How far the receipts of one controller are in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The chain's id.
    pub chain: String,
    /// The last receipt in the log.
    pub upto: u64,
    /// The link after it.
    pub link: Digest,
}

/// What happens to the server.
#[derive(Debug)]
pub enum Input {
    /// The connection to the broker is up and the filters are subscribed.
    Up,
    /// The connection is lost.
    Down,
    /// A message came.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// The trust document to publish; all versions, oldest first.
    Trust(Vec<String>),
    /// A controller with its key, and how far its receipts are in the log.
    Controller {
        /// Which.
        controller: ControllerId,
        /// The key it made.
        key: PublicKey,
        /// Of every chain of receipts it ever began.
        progress: Vec<Progress>,
    },
    /// A controller that counts for nothing from now on.
    Revoked(ControllerId),
    /// A manifest whose fact is in the log.
    Manifest {
        /// For whom.
        controller: ControllerId,
        /// Its number.
        number: u64,
        /// Its note.
        note: String,
    },
    /// A recording that may be fanned out.
    Asset {
        /// Which.
        asset: Digest,
        /// Its descriptor's note.
        descriptor: String,
        /// Its number of blocks.
        blocks: u32,
    },
    /// A recording that may be fanned out no more.
    Withdrawn(Digest),
    /// An emergency, or its cancel, whose fact is in the log.
    Emergency(Box<Raised>),
    /// An order whose fact is in the log.
    Order(Ordered),
    /// Receipts are in the log.
    Logged {
        /// Whose.
        controller: ControllerId,
        /// How far.
        progress: Progress,
        /// Entries in the log.
        log_size: u64,
        /// The log's root.
        log_root: Digest,
    },
    /// Time passed.
    Tick,
}

/// New receipts of one controller, verified and chained to what the log has.
#[derive(Debug)]
pub struct Ingest {
    /// Whose.
    pub controller: ControllerId,
    /// The signed note as it came.
    pub note: String,
    /// Its receipts and links, those that the log has already included.
    pub chained: Chained,
    /// The number of the first receipt of `chained`.
    pub first: u64,
    /// How far the log is with it.
    pub progress: Progress,
    /// Receipts up to this number of the same chain are in the log already.
    pub known: u64,
}

/// What the shell must do.
#[derive(Debug)]
pub enum Output {
    /// Publish with QoS 1.
    Publish(Publish),
    /// Publish this block, raw, with QoS 0.
    Block {
        /// Of which recording.
        asset: Digest,
        /// Which.
        n: u32,
        /// Where.
        topic: String,
    },
    /// Put these receipts into the store with their fact; answer [`Input::Logged`].
    Ingest(Box<Ingest>),
    /// A controller said how it is.
    Saw(Box<Status>),
    /// A message was refused; to be told in the server's own log.
    Refused {
        /// Its topic.
        topic: String,
        /// Why.
        why: String,
    },
}

/// One controller as the server knows it.
#[derive(Debug)]
struct Device {
    key: PublicKey,
    /// By the id of the chain: a replayed batch of an old chain must not begin it anew.
    chains: BTreeMap<String, Progress>,
    manifest: Option<(u64, String)>,
    /// Receipts were handed out and are not yet in the log.
    ingesting: bool,
}

/// The server's state of the protocol.
#[derive(Debug)]
pub struct Dispatch {
    net: NetId,
    topics: Topics,
    ack: Signer,
    time: Signer,
    up: bool,
    trust: Vec<String>,
    devices: BTreeMap<ControllerId, Device>,
    fanout: fanout::Fanout,
    urgent: emergency::Urgent,
    log_head: (u64, Digest),
    out: VecDeque<Output>,
}

impl Dispatch {
    /// A server of `net` that signs acknowledgements and times with these keys.
    pub fn new(net: NetId, ack: Signer, time: Signer, pace: Pace) -> Self {
        Self {
            topics: Topics::new(&net),
            net,
            ack,
            time,
            up: false,
            trust: vec![],
            devices: BTreeMap::new(),
            fanout: fanout::Fanout::new(pace),
            urgent: emergency::Urgent::default(),
            log_head: (0, Digest::ZERO),
            out: VecDeque::new(),
        }
    }

    /// Takes one input at `now`. Follow with [`Dispatch::poll`] until it returns `None`.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Up => self.connected(),
            Input::Down => self.up = false,
            Input::Message { topic, payload } => self.message(now, &topic, &payload),
            Input::Trust(notes) => self.set_trust(notes),
            Input::Controller { controller, key, progress } => {
                self.set_device(controller, key, progress);
            }
            Input::Revoked(controller) => {
                self.devices.remove(&controller);
            }
            Input::Manifest { controller, number, note } => {
                self.set_manifest(&controller, number, note);
            }
            Input::Asset { asset, descriptor, blocks } => {
                self.fanout.offer(asset, descriptor, blocks);
            }
            Input::Withdrawn(asset) => self.fanout.withdraw(asset),
            Input::Emergency(raised) => self.raise(now, *raised),
            Input::Order(order) => self.order(now, order),
            Input::Logged { controller, progress, log_size, log_root } => {
                self.log_head = (log_size, log_root);
                self.logged(&controller, progress);
            }
            Input::Tick => {}
        }
        self.advance_emergencies(now);
        self.advance_fanout(now.up);
    }

    /// The next thing to do, in order; `None` when all is done.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub fn wake_at(&self) -> Option<Uptime> {
        [self.urgent.due_at(), self.fanout.due_at()].into_iter().flatten().min().filter(|_| self.up)
    }

    /// Blocks and bytes that were sent, for figures.
    pub fn blocks_sent(&self) -> u64 {
        self.fanout.sent()
    }

    fn send(&mut self, topic: String, payload: String, retain: bool) {
        if self.up {
            let payload = payload.into_bytes();
            self.out.push_back(Output::Publish(Publish { topic, payload, retain }));
        }
    }

    /// The broker may have forgotten everything: what matters is sent anew.
    fn connected(&mut self) {
        self.up = true;
        self.urgent.reconnected();
        self.publish_trust();
        let manifests: Vec<(ControllerId, String)> = self
            .devices
            .iter()
            .filter_map(|(id, device)| Some((id.clone(), device.manifest.as_ref()?.1.clone())))
            .collect();
        for (controller, note) in manifests {
            self.send(self.topics.down(&controller, Down::Manifest), note, true);
        }
    }

    fn publish_trust(&mut self) {
        if let Some(newest) = self.trust.last().cloned() {
            self.send(self.topics.trust(), newest, true);
        }
    }

    fn set_trust(&mut self, notes: Vec<String>) {
        if self.trust != notes {
            self.trust = notes;
            self.publish_trust();
        }
    }

    /// A device that is known goes on as it is: what it sent may be on its way into the log, and
    /// the store is never ahead of that.
    fn set_device(&mut self, controller: ControllerId, key: PublicKey, progress: Vec<Progress>) {
        if self.devices.get(&controller).is_some_and(|device| device.key == key) {
            return;
        }
        let manifest = self.devices.remove(&controller).and_then(|device| device.manifest);
        let chains =
            progress.into_iter().map(|progress| (progress.chain.clone(), progress)).collect();
        let device = Device { key, chains, manifest, ingesting: false };
        self.devices.insert(controller, device);
    }

    fn set_manifest(&mut self, controller: &ControllerId, number: u64, note: String) {
        let Some(device) = self.devices.get_mut(controller) else { return };
        if device.manifest.as_ref().is_some_and(|(held, _)| *held == number) {
            return;
        }
        device.manifest = Some((number, note.clone()));
        self.send(self.topics.down(controller, Down::Manifest), note, true);
    }

    fn logged(&mut self, controller: &ControllerId, progress: Progress) {
        let Some(device) = self.devices.get_mut(controller) else { return };
        device.ingesting = false;
        let (chain, upto) = (progress.chain.clone(), progress.upto);
        device.chains.insert(chain.clone(), progress);
        self.acknowledge(controller, chain, upto);
    }

    /// Says how far the log is; also the answer to a batch that does not continue it.
    fn acknowledge(&mut self, controller: &ControllerId, chain: String, upto: u64) {
        let (log_size, log_root) = self.log_head;
        let ack = Ack { controller: controller.clone(), chain, upto, log_size, log_root };
        let note = sign(&self.net, &self.ack, &ack);
        self.send(self.topics.down(controller, Down::Ack), note, false);
    }
}

fn sign<D: Document>(net: &NetId, key: &Signer, document: &D) -> String {
    key.sign(&protocol::encode(net, document))
}

#[cfg(test)]
mod tests;
