//! A controller on a poor disk, its server, and everything that was promised.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::poor::Poor;
use crate::agent::{
    Agent, Input, Output, Playlist, Publish, RECEIPTS_ROUTINE_MAX, Record, Settings, Sounded,
};
use crate::bulletin::Class;
use crate::calendar::{AirtimePolicy, Days, Window};
use crate::digest::Digest;
use crate::id::NetId;
use crate::manifest::{Item, Manifest, ManifestAiring, VALID_MAX};
use crate::note::{Note, Signer};
use crate::protocol::{Ack, Descriptor, Topic, Topics, Up, Want, bitmap, decode, encode};
use crate::receipt::{Batch, Event, Receipt};
use crate::time::{Now, Timestamp, Uptime, Zone};
use crate::trust::{Anchors, Grant, Role, TrustDocument};
use crate::vault::shelf::{Shelf, mend_diary, read_folder};

const START: i64 = 1_795_000_000;

/// From one airing to the next, in seconds.
const EVERY_S: i64 = 60;

/// Airings of the manifest.
const AIRINGS: u16 = 600;

fn net() -> NetId {
    "x".parse().unwrap()
}

fn key(role: Role, byte: u8) -> Signer {
    Signer::from_seed(role.key_name(&net(), if byte == 9 { "c-1" } else { "1" }), &[byte; 32])
}

fn sound() -> Vec<u8> {
    (0..40_000_u32).flat_map(u32::to_be_bytes).take(40_000).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

fn policy() -> AirtimePolicy {
    let day = Window::new(Days::EVERY, "00:00".parse().unwrap(), "24:00".parse().unwrap());
    AirtimePolicy {
        windows: vec![day.unwrap()],
        sessions_a_day_max: u16::MAX,
        minutes_a_session_max: u16::MAX,
        minutes_a_day_max: u16::MAX,
    }
}

fn trust() -> String {
    let grant = |role, byte| Grant {
        key: key(role, byte).public(),
        role,
        areas: vec!["lai-chau".parse().unwrap()],
        until: at(1_000_000),
    };
    let root = key(Role::Root, 1);
    let document = TrustDocument {
        version: 1,
        issued: at(0),
        root_threshold: 1,
        roots: vec![root.public()],
        emergency_threshold: 1,
        keys: vec![grant(Role::Schedule, 2), grant(Role::Content, 3), grant(Role::Ack, 5)],
        revoked: vec![],
    };
    root.sign(&encode(&net(), &document))
}

fn descriptor() -> Descriptor {
    let bytes = sound();
    Descriptor {
        asset: Digest::of(&bytes),
        bulletin: "sat-lo".parse().unwrap(),
        language: "vi".parse().unwrap(),
        class: Class::Normal,
        codec: "opus".to_owned(),
        bytes: bytes.len() as u64,
        block_bytes: 16_384,
        blocks: Descriptor::blocks_of(&bytes, 16_384),
        length_ms: 4_000,
        areas: vec!["lai-chau".parse().unwrap()],
        valid_from: at(-1),
        valid_until: at(1_000_000),
    }
}

fn manifest() -> String {
    let item = Item {
        bulletin: "sat-lo".parse().unwrap(),
        language: "vi".parse().unwrap(),
        asset: Digest::of(&sound()),
        length_ms: 4_000,
    };
    let airing = |n: u16| ManifestAiring {
        programme: "sang".parse().unwrap(),
        date: "2026-11-22".parse().unwrap(),
        occurrence: n,
        at: at(10 + i64::from(n) * EVERY_S),
        latest: at(50 + i64::from(n) * EVERY_S),
        chime: true,
        gap_ms: 0,
        items: vec![item.clone()],
        volume_percent: None,
    };
    let manifest = Manifest {
        controller: "c-1".parse().unwrap(),
        number: 7,
        issued: at(0),
        valid_until: at(0) + VALID_MAX,
        areas: ["lai-chau", "ban-may"].map(|area| area.parse().unwrap()).to_vec(),
        languages: vec!["vi".parse().unwrap()],
        zone: Zone::default(),
        policy: policy(),
        airings: (0..AIRINGS).map(airing).collect(),
        withdrawn: vec![],
        hold: vec![],
    };
    key(Role::Schedule, 2).sign(&encode(&net(), &manifest))
}

/// One controller through all its lives, and its server.
pub(super) struct Pole {
    pub(super) disk: Poor,
    shelf: Option<Shelf<Poor>>,
    agent: Option<Agent>,
    seconds: i64,
    booted: i64,
    plays: Option<(Playlist, usize)>,
    /// How often each airing was begun.
    begins: BTreeMap<String, u32>,
    /// Every receipt that the disk said is kept.
    pub(super) durable: Vec<String>,
    /// Every receipt that the server has.
    logged: Vec<String>,
}

impl Pole {
    pub(super) fn new() -> Self {
        let mut pole = Self::unborn();
        pole.boot();
        pole
    }

    /// One whose empty disk was never started from.
    pub(super) fn unborn() -> Self {
        Self {
            disk: Poor::default(),
            shelf: None,
            agent: None,
            seconds: 0,
            booted: 0,
            plays: None,
            begins: BTreeMap::new(),
            durable: vec![],
            logged: vec![],
        }
    }

    pub(super) fn begun(&self) -> usize {
        self.begins.len()
    }

    fn now(&self) -> Now {
        let up = u64::try_from(self.seconds - self.booted).unwrap();
        Now { utc: at(self.seconds), up: Uptime::at(Duration::from_secs(up)) }
    }

    /// Starts; a start that meets a dead disk is no start.
    pub(super) fn boot(&mut self) {
        self.booted = self.seconds;
        let folder = Path::new("/state");
        if mend_diary(&self.disk, &folder.join("diary.jsonl")).is_err() {
            return;
        }
        let mut restored = read_folder(&self.disk, folder, &net()).expect("the store always opens");
        let line = |record: &Record| match record {
            Record::Receipt { line } => Some(line.clone()),
            _ => None,
        };
        let held: Vec<String> = restored.records.iter().filter_map(line).collect();
        assert!(held.starts_with(&self.durable), "a receipt that was kept is gone");
        self.durable = held;
        restored.provisioned = restored.trust.is_none();
        restored.trust.get_or_insert_with(trust);
        let settings = Settings {
            net: net(),
            controller: "c-1".parse().unwrap(),
            anchors: Anchors { root_threshold: 1, roots: vec![key(Role::Root, 1).public()] },
            outer: policy(),
            zone: Zone::default(),
            rtc: true,
            amplifier: false,
            receipts_max: RECEIPTS_ROUTINE_MAX,
            library_bytes_max: u64::MAX,
            software: "test".to_owned(),
            randomness: [u8::try_from(self.seconds % 251).unwrap(); 32],
        };
        let agent = Agent::start(settings, key(Role::Device, 9), restored, self.now());
        self.agent = Some(agent.expect("the agent always starts"));
        self.shelf = Shelf::on(self.disk.clone(), folder).ok();
        self.pump();
        let now = self.now();
        if let (Some(agent), Some(shelf)) = (&self.agent, &mut self.shelf) {
            // What a dead disk does not take is found by the next write.
            let _ = shelf.replace_diary(&agent.compact(now));
        }
        self.give(Input::MainUp);
        self.message("c/c-1/manifest", manifest().into_bytes());
    }

    /// Lives for so many seconds, or until the power goes.
    pub(super) fn live(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.seconds += 1;
            self.give(Input::Tick);
            self.sound_on();
            if self.disk.is_down() {
                return;
            }
        }
    }

    /// The power goes, wherever it was, and is back after `off` seconds.
    pub(super) fn power_cut(&mut self, off: u64, keeps: impl FnMut() -> bool) {
        (self.agent, self.shelf, self.plays) = (None, None, None);
        self.disk.power_back(keeps);
        self.seconds += i64::try_from(off).unwrap();
        self.boot();
    }

    /// One part a second.
    fn sound_on(&mut self) {
        let Some((list, part)) = self.plays.take() else { return };
        let sounded = if part < list.parts.len() {
            self.plays = Some((list.clone(), part + 1));
            Sounded::Part(part)
        } else {
            Sounded::Finished
        };
        self.give(Input::Speaker { token: list.token, sounded });
    }

    fn give(&mut self, input: Input) {
        let now = self.now();
        if let Some(agent) = &mut self.agent {
            agent.handle(now, input);
        }
        self.pump();
    }

    fn message(&mut self, topic: &str, payload: Vec<u8>) {
        self.give(Input::Message { topic: format!("loaban/1/x/{topic}"), payload });
    }

    fn pump(&mut self) {
        let mut records = Vec::new();
        while let Some(output) = self.agent.as_mut().and_then(Agent::poll) {
            let done = match output {
                Output::Keep(record) => {
                    records.push(record);
                    Some(())
                }
                output => self.keep(&mut records).and_then(|()| self.carry_out(output)),
            };
            if done.is_none() {
                return self.end();
            }
        }
        if self.keep(&mut records).is_none() {
            self.end();
        }
    }

    /// A write failed: the process ends.
    fn end(&mut self) {
        (self.agent, self.shelf, self.plays) = (None, None, None);
    }

    /// Records that follow each other are one write.
    fn keep(&mut self, records: &mut Vec<Record>) -> Option<()> {
        let records = std::mem::take(records);
        if !records.is_empty() {
            self.shelf.as_mut()?.keep_all(&records).ok()?;
        }
        for record in records {
            if let Record::Receipt { line } = record {
                self.durable.push(line);
            }
        }
        Some(())
    }

    fn carry_out(&mut self, output: Output) -> Option<()> {
        let shelf = self.shelf.as_mut()?;
        match output {
            Output::KeepNote(slot, note) => shelf.keep_note(slot, &note).ok()?,
            Output::KeepBlock { asset, offset, bytes } => {
                shelf.keep_block(asset, offset, &bytes).ok()?;
            }
            Output::Assemble(asset) => {
                let whole = shelf.assemble(asset).ok()?;
                let now = self.now();
                self.agent.as_mut()?.handle(now, Input::Assembled { asset, whole });
            }
            Output::Forget(asset) => shelf.forget(asset),
            Output::Publish(publish) => self.serve(&publish),
            Output::Bulk(filters) if !filters.is_empty() => {
                let now = self.now();
                self.agent.as_mut()?.handle(now, Input::BulkUp);
            }
            Output::Play(list) => {
                *self.begins.entry(list.title.clone()).or_default() += 1;
                self.plays = Some((list, 0));
            }
            Output::Keep(_) => unreachable!("kept with those around it"),
            Output::Bulk(_) | Output::Stop | Output::Volume(_) => {}
        }
        Some(())
    }

    fn serve(&mut self, publish: &Publish) {
        let Some(Topic::Up(_, up)) = Topics::new(&net()).parse(&publish.topic) else { panic!() };
        let note = Note::parse(&publish.payload).unwrap();
        match up {
            Up::Receipts => self.log(&decode(&net(), note.text()).unwrap()),
            Up::Want => self.send(&decode(&net(), note.text()).unwrap()),
            Up::Clock | Up::Status => {}
        }
    }

    fn send(&mut self, want: &Want) {
        let (asset, bytes) = (want.asset, sound());
        if want.info {
            let note = key(Role::Content, 3).sign(&encode(&net(), &descriptor()));
            return self.told(&format!("asset/{asset}/info"), note.into_bytes());
        }
        for n in bitmap::decode(&want.missing, 3).unwrap() {
            let block = bytes.chunks(16_384).nth(n as usize).unwrap();
            self.told(&format!("asset/{asset}/{n}"), block.to_vec());
        }
    }

    /// What follows is carried out by the pump that runs already.
    fn told(&mut self, topic: &str, payload: Vec<u8>) {
        let (now, topic) = (self.now(), format!("loaban/1/x/{topic}"));
        if let Some(agent) = &mut self.agent {
            agent.handle(now, Input::Message { topic, payload });
        }
    }

    fn log(&mut self, batch: &Batch) {
        batch.read().expect("the chain holds");
        let first = usize::try_from(batch.first).unwrap();
        assert!(first <= self.logged.len() + 1, "receipts before {first} were never sent");
        for (n, raw) in batch.receipts.iter().enumerate() {
            match self.logged.get(first - 1 + n) {
                Some(known) => assert_eq!(known, raw.get(), "a receipt changed"),
                None => self.logged.push(raw.get().to_owned()),
            }
        }
        let ack = Ack {
            controller: "c-1".parse().unwrap(),
            chain: batch.chain.clone(),
            upto: self.logged.len() as u64,
            log_size: 3,
            log_root: Digest::ZERO,
        };
        let note = key(Role::Ack, 5).sign(&encode(&net(), &ack));
        self.told("c/c-1/ack", note.into_bytes());
    }

    /// No airing was begun twice, every one that is past has one outcome, and the server has every
    /// receipt.
    pub(super) fn nothing_is_lost_or_repeated(&mut self) {
        let repeated = self.begins.iter().find(|(_, times)| **times > 1);
        assert_eq!(repeated, None, "begun more than once");
        assert_eq!(self.logged, self.durable);
        let mut outcomes: BTreeMap<u16, u32> = BTreeMap::new();
        for line in &self.logged {
            let receipt: Receipt = serde_json::from_str(line).unwrap();
            if let Event::Airing { airing, .. } = receipt.event {
                *outcomes.entry(airing.occurrence).or_default() += 1;
            }
        }
        let past = u16::try_from((self.seconds - 70) / EVERY_S).unwrap();
        for n in 0..past.min(AIRINGS) {
            assert_eq!(outcomes.get(&n), Some(&1), "outcomes of airing {n}");
        }
    }
}
