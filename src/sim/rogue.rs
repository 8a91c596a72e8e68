//! What a broker in wrong hands, a thief of one key, or a rebel at the server makes up.
//!
//! Every forgery is something that the design says is refused: it must lead to nothing but a receipt
//! that says so. Mischief is signed with the real schedule key: it may re-air, never more.

mod mischief;
mod papers;

pub(super) use papers::PAST_ITS_END;

use std::rc::Rc;
use std::time::Duration;

use crate::protocol::{ClockAnswer, ClockAsk, Down, Topic, decode};
use crate::sim::network::{End, Letter, Post};
use crate::sim::station::utc_at;
use crate::sim::world::World;
use crate::trust::Role;

impl World {
    /// Plays something again, where it belongs or where it does not.
    pub(super) fn replay(&mut self) {
        if !self.manners.malign {
            return;
        }
        let Some(old) = self.network.remembered(&mut self.chance) else { return };
        let Some(other) = self.network.remembered(&mut self.chance) else { return };
        let mixes = self.chance.once_in(3);
        self.observer.fault(if mixes { "message on a wrong topic" } else { "message replayed" });
        let topic = if mixes { &other.topic } else { &old.topic };
        self.slip_in(topic.clone(), old.payload.clone(), None);
    }

    /// Gives a message to everybody who reads the topic, past the server.
    fn slip_in(&mut self, topic: String, payload: Vec<u8>, foul: Option<&'static str>) {
        let post = Rc::new(Letter { topic, payload, qos1: true, foul });
        for end in self.network.readers(&post.topic, |_, _| true) {
            if self.is_connected(end) {
                self.send_to(end, &post);
            }
        }
    }

    fn is_connected(&self, end: End) -> bool {
        match end {
            End::Server => self.desk.up,
            End::Main(site) => self.sites[site].up,
            End::Bulk(site) => self.sites[site].bulk_up,
        }
    }

    /// Answers a controller's question for the time before the server does, with a key that must not.
    pub(super) fn forge_time(&mut self, site: usize, question: &Post) {
        if !self.manners.malign || !self.chance.once_in(3) {
            return;
        }
        let text = String::from_utf8_lossy(&question.payload).into_owned();
        let line = text.split_inclusive('\n').next().unwrap_or_default();
        let Ok(ask) = decode::<ClockAsk>(self.station.net(), line) else { return };
        let wrong_nonce = self.chance.once_in(2);
        let at = utc_at(self.now) + Duration::from_hours(30);
        let answer = ClockAnswer {
            controller: ask.controller,
            nonce: if wrong_nonce { "0".repeat(16) } else { ask.nonce },
            t1: ask.t1,
            t2: at,
            t3: at,
            manifest: 0,
            emergency: 0,
        };
        let role = if wrong_nonce { Role::Time } else { Role::Ack };
        let kind = if wrong_nonce { "time without a question" } else { "time by a wrong key" };
        let note = self.station.sign(&self.station.key(role, "1"), &answer);
        self.pass_off(site, Down::Time, note, kind);
    }

    /// Publishes a forgery on a topic of one controller.
    fn pass_off(&mut self, site: usize, down: Down, note: String, kind: &'static str) {
        self.observer.fault(kind);
        let topic = self.network.topics.down(&self.sites[site].id, down);
        self.slip_in(topic, note.into_bytes(), Some(kind));
    }

    /// Changes one byte of something that was really signed.
    fn alter(&mut self) {
        let Some(old) = self.network.remembered(&mut self.chance) else { return };
        if let Some((payload, kind)) = self.altered(&old) {
            self.slip_in(old.topic.clone(), payload, Some(kind));
        }
    }

    /// Gives one reader something else than was sent.
    pub(super) fn send_altered(&mut self, end: End, post: &Post) {
        let Some((payload, kind)) = self.altered(post) else { return };
        let (topic, qos1) = (post.topic.clone(), post.qos1);
        self.send_to(end, &Rc::new(Letter { topic, payload, qos1, foul: Some(kind) }));
    }

    /// A message with one byte changed, and what that is called.
    fn altered(&mut self, post: &Post) -> Option<(Vec<u8>, &'static str)> {
        let mut payload = post.payload.clone();
        let is_block = matches!(self.network.topics.parse(&post.topic), Some(Topic::Block(..)));
        let middle = payload.len() / 3;
        let byte = payload.get_mut(middle)?;
        *byte = if *byte == b'7' { b'8' } else { b'7' };
        let kind = if is_block { "block altered" } else { "note altered" };
        self.observer.fault(kind);
        Some((payload, kind))
    }
}
