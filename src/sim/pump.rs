//! The shell of each simulated controller: outputs in order, each write durable before the next.

use std::rc::Rc;
use std::time::Duration;

use crate::agent::{Input, Output, Part, Playlist, Publish, Record, Slot, Sounded};
use crate::audio::tone::Tone;
use crate::digest::Digest;
use crate::protocol::Topic;
use crate::sim::network::{End, Letter, Post};
use crate::sim::rogue::PAST_ITS_END;
use crate::sim::site::{Sounding, length};
use crate::sim::world::{Event, World};

/// How long a started process needs before it connects.
const CONNECT: Duration = Duration::from_secs(2);

/// How long the bulk connection takes to open.
const BULK: Duration = Duration::from_millis(300);

/// How long a sound fades.
const FADE: Duration = Duration::from_millis(200);

/// How long a process that ended stays away.
const RESTART: Duration = Duration::from_secs(15);

/// Writes between two that fail.
const WRITES_BETWEEN_FAULTS: u64 = 250;

/// Warnings between two in whose middle the power fails: often enough that one is tried in vain
/// until it is given up.
const WARNINGS_BETWEEN_CUTS: u64 = 3;

/// Sounds between two that fail.
const SOUNDS_BETWEEN_FAULTS: u64 = 40;

/// What a write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Kept,
    /// It failed and is there all the same.
    FailedAndKept,
    /// It failed and is not there.
    FailedAndLost,
}

impl World {
    /// Hands one input to a site's agent and carries out what follows.
    pub(super) fn give(&mut self, site: usize, input: Input) {
        let now = self.sites[site].now(self.now);
        let Some(agent) = &mut self.sites[site].agent else { return };
        agent.handle(now, input);
        self.pump(site);
    }

    /// A message reaches a site.
    pub(super) fn hand_in(&mut self, site: usize, post: &Post) {
        if post.foul == Some(PAST_ITS_END) && !self.observer.trusts_its_clock(site) {
            // Nobody without a clock can tell.
            return;
        }
        let (topic, payload) = (post.topic.clone(), post.payload.clone());
        let input = Input::Message { topic, payload };
        if post.foul.is_some() {
            // What is due anyway is done first, so that what follows is the message's own doing.
            self.give(site, Input::Tick);
            self.observer.deceived(post.foul);
            self.give(site, input);
            self.observer.deceived(None);
        } else {
            self.give_genuine(site, post, input);
        }
    }

    fn give_genuine(&mut self, site: usize, post: &Post, input: Input) {
        let it = &self.sites[site];
        let taken_back = self.observer.taken_back(site, it, &post.payload, self.now, &self.station);
        self.give(site, input);
        let it = &self.sites[site];
        if let (Some(id), true) = (taken_back, it.agent.is_some()) {
            self.observer.lets_go(site, it, &id, self.now, &self.station);
        }
    }

    pub(super) fn start(&mut self, site: usize, life: u64) {
        let randomness = self.chance.bytes();
        let it = &mut self.sites[site];
        if it.life != life || !it.powered {
            return;
        }
        it.start(self.now, &self.station, randomness);
        self.observer.started(site, self.now);
        if self.sites[site].agent.is_none() {
            return self.repair(site);
        }
        self.pump(site);
        self.compact(site);
        if self.sites[site].agent.is_some() && !self.sites[site].up {
            let wait = self.chance.length(Duration::from_millis(200), CONNECT);
            self.queue.put(self.now + wait, Event::Connect(site));
        } else if self.sites[site].agent.is_some() {
            self.connect(site);
        }
    }

    /// An installer comes with a new card: nothing else helps.
    fn repair(&mut self, site: usize) {
        self.sites[site].flash.wipe();
        self.observer.wiped(site);
        let life = self.sites[site].life;
        self.queue.put(self.now + Duration::from_hours(6), Event::Start(site, life));
    }

    fn compact(&mut self, site: usize) {
        let now = self.sites[site].now(self.now);
        let Some(agent) = &self.sites[site].agent else { return };
        let records = agent.compact(now);
        self.write_to(site, |flash| flash.replace_diary(records));
    }

    /// Carries out everything that the agent asks for, and sets its alarm clock.
    fn pump(&mut self, site: usize) {
        loop {
            let Some(agent) = &mut self.sites[site].agent else { return };
            let Some(output) = agent.poll() else { break };
            self.carry_out(site, output);
        }
        let it = &mut self.sites[site];
        let now = it.now(self.now);
        let Some(agent) = &it.agent else { return };
        let wake = it.true_time(agent.wake_at(now)).max(self.now + Duration::from_millis(1));
        if it.wake.is_none_or(|set| wake < set) {
            it.wake = Some(wake);
            self.queue.put(wake, Event::Wake(site));
        }
    }

    fn carry_out(&mut self, site: usize, output: Output) {
        let it = &self.sites[site];
        self.observer.output(site, it, &output, self.now, &self.station);
        match output {
            Output::Keep(record) => self.keep(site, record),
            Output::KeepNote(slot, note) => self.keep_note(site, slot, note),
            Output::KeepBlock { asset, offset, bytes } => {
                self.write_to(site, |flash| flash.keep_block(asset, offset, bytes));
            }
            Output::Assemble(asset) => self.assemble(site, asset),
            Output::Forget(asset) => self.sites[site].flash.forget(asset),
            Output::Publish(message) => self.publish(site, message),
            Output::Bulk(filters) => self.open_bulk(site, &filters),
            Output::Play(list) => self.play(site, list),
            Output::Stop => self.stop(site),
            Output::Volume(_) => {}
        }
    }

    fn keep(&mut self, site: usize, record: Record) {
        let copy = record.clone();
        if self.write_to(site, |flash| flash.keep(record)) != Written::FailedAndLost {
            let it = &self.sites[site];
            self.observer.kept(site, it, &copy, self.now, &self.station, &self.desk.ever);
        }
    }

    fn keep_note(&mut self, site: usize, slot: Slot, note: String) {
        let copy = note.clone();
        if self.write_to(site, |flash| flash.keep_note(slot, note)) != Written::FailedAndLost {
            let it = &self.sites[site];
            self.observer.kept_note(site, it, slot, &copy, self.now, &self.station);
        }
    }

    fn assemble(&mut self, site: usize, asset: Digest) {
        let mut whole = false;
        if self.write_to(site, |flash| whole = flash.assemble(asset)) == Written::Kept {
            let now = self.sites[site].now(self.now);
            if let Some(agent) = &mut self.sites[site].agent {
                agent.handle(now, Input::Assembled { asset, whole });
            }
        }
    }

    fn write_to(
        &mut self,
        site: usize,
        write: impl FnOnce(&mut crate::sim::flash::Flash),
    ) -> Written {
        if self.sites[site].flash.full {
            self.crash(site);
            return Written::FailedAndLost;
        }
        if !(self.manners.stormy && self.chance.once_in(WRITES_BETWEEN_FAULTS)) {
            write(&mut self.sites[site].flash);
            return Written::Kept;
        }
        let is_kept = self.chance.once_in(2);
        if is_kept {
            write(&mut self.sites[site].flash);
        }
        self.fail_at_write(site, is_kept);
        if is_kept { Written::FailedAndKept } else { Written::FailedAndLost }
    }

    fn fail_at_write(&mut self, site: usize, is_kept: bool) {
        match (self.chance.once_in(2), is_kept) {
            (true, true) => self.cut_power(site, "power cut after a write"),
            (true, false) => self.cut_power(site, "power cut before a write"),
            (false, true) => {
                self.observer.fault("write failed and kept");
                self.crash(site);
            }
            (false, false) => {
                self.observer.fault("write failed and lost");
                self.crash(site);
            }
        }
    }

    /// Publishes on the main connection: what meets a dead line is lost.
    fn publish(&mut self, site: usize, message: Publish) {
        if !self.sites[site].up {
            return;
        }
        let Publish { topic, payload, retain } = message;
        let post = Rc::new(Letter { topic, payload, qos1: true, foul: None });
        if retain {
            self.network.retain(&post);
        }
        self.network.record(&post, &mut self.chance);
        if post.topic.ends_with("/clock") {
            self.forge_time(site, &post);
        }
        self.route(&post);
    }

    fn open_bulk(&mut self, site: usize, filters: &[String]) {
        let asset = |filter: &String| {
            let info = filter.replace('+', "info");
            match self.network.topics.parse(&info) {
                Some(Topic::Info(asset)) => Some(asset),
                _ => None,
            }
        };
        let assets = filters.iter().filter_map(asset).collect();
        let it = &mut self.sites[site];
        it.bulk = assets;
        it.bulk_up = false;
        it.bulk_line += 1;
        if !it.bulk.is_empty() && it.up {
            self.queue.put(self.now + BULK, Event::Bulk(site, it.bulk_line));
        }
    }

    pub(super) fn bulk_up(&mut self, site: usize, line: u64) {
        let it = &mut self.sites[site];
        if it.bulk_line == line && it.up && !it.bulk.is_empty() {
            it.bulk_up = true;
            self.give(site, Input::BulkUp);
            if self.manners.malign && self.chance.once_in(3) {
                // A hostile broker is quicker than the server.
                self.forge_descriptor(site);
            }
        }
    }

    pub(super) fn connect(&mut self, site: usize) {
        let it = &mut self.sites[site];
        if it.agent.is_none() || self.now < it.dark_until || (it.up && it.told_up) {
            return;
        }
        it.line += 1;
        it.up = true;
        if std::mem::replace(&mut it.told_up, true) {
            self.give(site, Input::MainDown);
            self.give(site, Input::BulkDown);
        }
        let id = self.sites[site].id.clone();
        for post in self.network.welcome(End::Main(site), Some(&id)) {
            self.send_to(End::Main(site), &post);
        }
        self.give(site, Input::MainUp);
        let it = &mut self.sites[site];
        if !it.bulk.is_empty() {
            it.bulk_line += 1;
            self.queue.put(self.now + BULK, Event::Bulk(site, it.bulk_line));
        }
    }

    fn play(&mut self, site: usize, list: Playlist) {
        let (life, token) = (self.sites[site].life, list.token);
        let mut at = self.now;
        for (part, it) in list.parts.iter().enumerate() {
            at += length(it, &self.station);
            self.queue.put(at, Event::Part { site, life, token, part });
        }
        let part = list.parts.len();
        self.queue.put(at, Event::Part { site, life, token, part });
        if self.manners.stormy && self.chance.once_in(SOUNDS_BETWEEN_FAULTS) {
            let fails = self.chance.length(self.now, at);
            self.queue.put(fails, Event::Failed { site, life, token });
        }
        let warns = list.parts.iter().any(|part| matches!(part, Part::Tone(Tone::Emergency)));
        if self.manners.stormy && warns && self.chance.once_in(WARNINGS_BETWEEN_CUTS) {
            let cut = self.chance.length(self.now, at);
            self.queue.put(cut, Event::Flicker(site));
        }
        self.sites[site].sounding = Some(Sounding { list, stopping: false });
    }

    pub(super) fn speaker_fails(&mut self, site: usize, life: u64, token: u64) {
        let it = &mut self.sites[site];
        let plays = it.sounding.as_ref().is_some_and(|s| s.list.token == token && !s.stopping);
        if it.life == life && plays {
            it.sounding = None;
            self.observer.fault("loudspeaker failed");
            self.observer.silenced(site);
            let sounded = Sounded::Failed("no current".to_owned());
            self.give(site, Input::Speaker { token, sounded });
        }
    }

    fn stop(&mut self, site: usize) {
        let Some(sounding) = &mut self.sites[site].sounding else { return };
        sounding.stopping = true;
        let token = sounding.list.token;
        let life = self.sites[site].life;
        self.queue.put(self.now + FADE, Event::Stopped { site, life, token });
    }

    pub(super) fn part_over(&mut self, site: usize, life: u64, token: u64, part: usize) {
        let it = &self.sites[site];
        let Some(sounding) = it.sounding.as_ref().filter(|_| it.life == life) else { return };
        if sounding.list.token != token || sounding.stopping {
            return;
        }
        self.observer.sounded(site, it, part, self.now, &self.station);
        let is_over = part == sounding.list.parts.len();
        let sounded = if is_over { Sounded::Finished } else { Sounded::Part(part) };
        if is_over {
            self.sites[site].sounding = None;
        }
        self.give(site, Input::Speaker { token, sounded });
    }

    pub(super) fn stopped(&mut self, site: usize, life: u64, token: u64) {
        let it = &mut self.sites[site];
        let plays = it.sounding.as_ref().is_some_and(|sounding| sounding.list.token == token);
        if it.life == life && plays {
            it.sounding = None;
            self.observer.silenced(site);
            self.give(site, Input::Speaker { token, sounded: Sounded::Stopped });
        }
    }

    /// The process ends over a write that failed; a supervisor starts it again.
    fn crash(&mut self, site: usize) {
        self.sites[site].end();
        if self.sites[site].rtc {
            // The board sets its clock by the battery's before it starts a process.
            self.sites[site].offset = 0;
        }
        self.observer.ended(site, self.now);
        let life = self.sites[site].life;
        self.queue.put(self.now + RESTART, Event::Start(site, life));
    }
}
