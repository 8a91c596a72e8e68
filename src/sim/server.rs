//! The shell of the simulated server, and what its people do.

use std::rc::Rc;
use std::time::Duration;

use crate::dispatch::{Dispatch, Input, Ordered, Output};
use crate::protocol::{Order, OrderCommand};
use crate::sim::desk::offers;
use crate::sim::network::{End, Letter};
use crate::sim::station::airings_after;
use crate::sim::world::{Event, World};

/// How often what came is written.
const WRITE_EVERY: Duration = Duration::from_millis(100);

/// How often the planner looks for changes.
const ISSUE_EVERY: Duration = Duration::from_hours(4);

/// How long a start takes.
const START: Duration = Duration::from_secs(5);

impl World {
    pub(super) fn serve(&mut self, life: u64) {
        if self.desk.life != life {
            return;
        }
        self.desk.start(self.now, &self.station, &self.sites);
        self.pump_server();
        self.queue.put(self.now + START, Event::Join(self.desk.life));
    }

    /// The server's link to the broker is there.
    pub(super) fn join(&mut self, life: u64) {
        if self.desk.life != life || self.desk.dispatch.is_none() {
            return;
        }
        self.desk.line += 1;
        self.desk.up = true;
        for post in self.network.welcome(End::Server, None) {
            self.send_to(End::Server, &post);
        }
        self.tell_server(Input::Up);
    }

    /// Hands one input to dispatch and carries out what follows.
    pub(super) fn tell_server(&mut self, input: Input) {
        let now = self.desk.now(self.now);
        let Some(dispatch) = &mut self.desk.dispatch else { return };
        dispatch.handle(now, input);
        self.pump_server();
    }

    pub(super) fn serve_message(&mut self, post: &Letter) {
        self.observer.deceived(post.foul);
        let (topic, payload) = (post.topic.clone(), post.payload.clone());
        self.tell_server(Input::Message { topic, payload });
        self.observer.deceived(None);
    }

    pub(super) fn tick_server(&mut self) {
        if self.desk.wake == Some(self.now) {
            self.desk.wake = None;
            self.tell_server(Input::Tick);
        }
    }

    fn pump_server(&mut self) {
        while let Some(output) = self.desk.dispatch.as_mut().and_then(Dispatch::poll) {
            self.observer.served_output(&output, self.now, &self.desk, &self.station);
            match output {
                Output::Publish(message) => {
                    self.say(message.topic, message.payload, message.retain, true);
                }
                Output::Block { asset, n, topic } => self.say_block(asset, n, topic),
                Output::Ingest(ingest) => {
                    self.desk.ingests.push(*ingest);
                    if !std::mem::replace(&mut self.desk.writing, true) {
                        let life = self.desk.life;
                        self.queue.put(self.now + WRITE_EVERY, Event::Write(life));
                    }
                }
                Output::Saw(_) | Output::Refused { .. } => {}
            }
        }
        let wake = self.desk.dispatch.as_ref().and_then(Dispatch::wake_at);
        let Some(wake) = wake.map(|up| self.desk.true_time(up).max(self.now)) else { return };
        if self.desk.wake.is_none_or(|set| wake < set) {
            self.desk.wake = Some(wake);
            self.queue.put(wake, Event::Tick);
        }
    }

    pub(super) fn say(&mut self, topic: String, payload: Vec<u8>, retain: bool, qos1: bool) {
        if !self.desk.up {
            return;
        }
        let post = Rc::new(Letter { topic, payload, qos1, foul: None });
        if retain {
            self.network.retain(&post);
        }
        self.network.record(&post, &mut self.chance);
        self.route(&post);
    }

    fn say_block(&mut self, asset: crate::digest::Digest, n: u32, topic: String) {
        let Some(recording) = self.station.recordings.get(&asset) else { return };
        let size = recording.descriptor.block_bytes as usize;
        let bytes = recording.bytes.chunks(size).nth(n as usize).unwrap_or_default().to_vec();
        self.say(topic, bytes, false, false);
    }

    pub(super) fn write(&mut self, life: u64) {
        if self.desk.life != life || self.desk.dispatch.is_none() {
            return;
        }
        self.desk.writing = false;
        let crash = self.desk.crash.take();
        let Some(logged) = self.desk.write(crash) else {
            self.observer.fault("server crashed in a write");
            return self.server_dies();
        };
        for input in logged {
            self.tell_server(input);
        }
    }

    pub(super) fn issue_again(&mut self) {
        self.issue();
        self.queue.put(self.now + ISSUE_EVERY, Event::Issue);
    }

    /// Plans anew and issues what says something new.
    pub(super) fn issue(&mut self) {
        self.issue_where(false);
    }

    /// Issues every manifest anew: the key that signed the others is gone.
    pub(super) fn issue_anew(&mut self) {
        self.issue_where(true);
    }

    fn issue_where(&mut self, all: bool) {
        if self.desk.dispatch.is_none() {
            return;
        }
        let key = self.station.schedule_key();
        for nth in 0..self.sites.len() {
            let site = &self.sites[nth];
            if self.station.stolen.contains(&site.id) {
                continue;
            }
            let outcomes = &self.desk.store.outcomes;
            let before = self.desk.manifest(&site.id);
            let told = |key: &crate::calendar::AiringKey| outcomes.contains_key(key);
            let Some(manifest) = self.station.manifest(site, before, self.now, all, told) else {
                continue;
            };
            let note = self.station.sign(&key, &manifest);
            self.station.note_manifest(&manifest, &note);
            self.desk.keep_manifest(manifest, &note);
        }
        for input in self.desk.handed_out() {
            self.tell_server(input);
        }
    }

    pub(super) fn offer(&mut self) {
        for input in offers(&self.station) {
            self.tell_server(input);
        }
    }

    pub(super) fn raise_again(&mut self) {
        let alarm = self.station.raise(self.now, &self.sites, &mut self.chance);
        self.offer();
        self.tell_server(Input::Emergency(Box::new(alarm)));
        if self.manners.stormy && self.chance.once_in(3) {
            // By mistake, and somebody sees it.
            let soon = self.chance.length(Duration::from_secs(5), Duration::from_mins(15));
            self.queue.put(self.now + soon, Event::TakeBack);
        }
        let pause = self.chance.length(Duration::from_hours(4), Duration::from_hours(16));
        let mut next = self.now + pause;
        if self.chance.once_in(2) {
            // Into the middle of an airing.
            let into = self.chance.length(Duration::from_secs(5), Duration::from_mins(4));
            next = airings_after(next) + into;
        }
        self.queue.put(next, Event::Raise);
    }
}

impl World {
    /// The station gives an order to one controller.
    pub(super) fn order(&mut self, site: usize) {
        let id = self.sites[site].id.clone();
        let issued = crate::sim::station::utc_at(self.now);
        let expires = issued + self.chance.length(Duration::from_mins(1), Duration::from_mins(5));
        let number = self.station.next_order(&id, expires);
        let command = match self.chance.below(4) {
            0 => OrderCommand::Stop {},
            1 => OrderCommand::Volume { percent: 60 },
            2 => OrderCommand::Selftest {},
            _ => OrderCommand::Report {},
        };
        let order = Order { controller: id.clone(), number, issued, expires, command };
        let note = self.station.sign(&self.station.schedule_key(), &order);
        let ordered = Ordered { controller: id, number, expires, note };
        self.tell_server(Input::Order(ordered));
    }
}
