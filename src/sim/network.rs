//! The broker and the lines to it: sessions, retained messages, delay, loss, and its own malice.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::digest::Digest;
use crate::id::ControllerId;
use crate::protocol::{Down, Topic, Topics, Up};
use crate::sim::chance::Chance;

/// Messages that a session keeps for one that is away.
const SESSION_MAX: usize = 500;

/// Messages that a hostile broker remembers.
const TAPE_MAX: usize = 3_000;

/// A message.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos1: bool,
    /// Made to deceive, and how: it must change nothing.
    pub(super) foul: Option<&'static str>,
}

pub(super) type Post = Rc<Letter>;

/// Who holds the other end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Server,
    Main(usize),
    Bulk(usize),
}

/// How lines behave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    pub(super) stormy: bool,
    /// The broker is in wrong hands.
    pub(super) malign: bool,
}

/// The broker's memory.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) topics: Topics,
    sites: BTreeMap<ControllerId, usize>,
    retained: BTreeMap<String, Post>,
    waiting: BTreeMap<End, Vec<Post>>,
    /// Counts the broker's lives.
    pub(super) epoch: u64,
    tape: Vec<Post>,
}

impl Network {
    pub(super) fn new(topics: Topics, ids: impl Iterator<Item = ControllerId>) -> Self {
        Self {
            topics,
            sites: ids.enumerate().map(|(n, id)| (id, n)).collect(),
            retained: BTreeMap::new(),
            waiting: BTreeMap::new(),
            epoch: 0,
            tape: vec![],
        }
    }

    /// The broker restarts and has forgotten sessions and retained messages.
    pub(super) fn forget(&mut self) {
        self.epoch += 1;
        self.retained.clear();
        self.waiting.clear();
    }

    pub(super) fn retain(&mut self, post: &Post) {
        self.retained.insert(post.topic.clone(), Rc::clone(post));
    }

    /// Keeps a message for one that is away.
    pub(super) fn hold(&mut self, end: End, post: Post) {
        let queue = self.waiting.entry(end).or_default();
        if queue.len() < SESSION_MAX {
            queue.push(post);
        }
    }

    /// What a new connection gets at once: its session's messages, then the retained ones.
    pub(super) fn welcome(&mut self, end: End, id: Option<&ControllerId>) -> Vec<Post> {
        let mut posts = self.waiting.remove(&end).unwrap_or_default();
        match id {
            Some(id) => {
                let topics = [self.topics.trust(), self.topics.down(id, Down::Manifest)];
                posts.extend(topics.iter().filter_map(|topic| self.retained.get(topic).cloned()));
            }
            None => posts.extend(self.statuses()),
        }
        posts
    }

    fn statuses(&self) -> Vec<Post> {
        let topic = |id: &ControllerId| self.topics.up(id, Up::Status);
        self.sites.keys().filter_map(|id| self.retained.get(&topic(id)).cloned()).collect()
    }

    /// Who has subscribed to a topic; `fetches` says which site is asking for which recording.
    pub(super) fn readers(&self, topic: &str, fetches: impl Fn(usize, Digest) -> bool) -> Vec<End> {
        match self.topics.parse(topic) {
            Some(Topic::Trust | Topic::AreaEmergency(_)) => {
                (0..self.sites.len()).map(End::Main).collect()
            }
            Some(Topic::Down(id, _)) => self.site(&id).map(End::Main).into_iter().collect(),
            Some(Topic::Up(..)) => vec![End::Server],
            Some(Topic::Info(asset) | Topic::Block(asset, _)) => {
                let sites = (0..self.sites.len()).filter(|site| fetches(*site, asset));
                sites.map(End::Bulk).collect()
            }
            None => vec![],
        }
    }

    pub(super) fn site(&self, id: &ControllerId) -> Option<usize> {
        self.sites.get(id).copied()
    }

    /// A hostile broker remembers.
    pub(super) fn record(&mut self, post: &Post, chance: &mut Chance) {
        if self.tape.len() < TAPE_MAX {
            self.tape.push(Rc::clone(post));
        } else if chance.once_in(4) {
            let nth = chance.below(TAPE_MAX);
            self.tape[nth] = Rc::clone(post);
        }
    }

    pub(super) fn remembered(&self, chance: &mut Chance) -> Option<Post> {
        chance.pick(&self.tape).cloned()
    }
}

impl Manners {
    /// How long a message is on its way.
    pub(super) fn delay(self, chance: &mut Chance) -> Duration {
        let ms = Duration::from_millis;
        match (self.malign && chance.once_in(20), self.stormy && chance.once_in(40)) {
            (true, _) => chance.length(ms(1_000), ms(1_800_000)),
            (_, true) => chance.length(ms(1_000), ms(30_000)),
            (false, false) => chance.length(ms(20), if self.stormy { ms(900) } else { ms(80) }),
        }
    }

    pub(super) fn loses(self, qos1: bool, chance: &mut Chance) -> bool {
        self.stormy && !qos1 && chance.once_in(12)
    }

    pub(super) fn withholds(self, chance: &mut Chance) -> bool {
        self.malign && chance.once_in(8)
    }

    pub(super) fn alters(self, chance: &mut Chance) -> bool {
        self.malign && chance.once_in(6)
    }

    pub(super) fn doubles(self, chance: &mut Chance) -> bool {
        self.stormy && chance.once_in(25)
    }
}
