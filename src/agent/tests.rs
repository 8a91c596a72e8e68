//! One controller and a server's keys, under a clock that only the test moves.

mod emergency;
mod languages;
mod local;
mod orders;
mod pause;
mod refusal;
mod step;

use super::*;
use crate::bulletin::Class;
use crate::calendar::{AirtimePolicy, Days, Window};
use crate::id::{AreaId, EmergencyId};
use crate::manifest::{Item, ManifestAiring, VALID_MAX};
use crate::note::Note;
use crate::protocol::{
    Ack, ClockAnswer, ClockAsk, Down, Emergency, EmergencyAction, EmergencySound, Order,
    OrderCommand, decode, encode,
};
use crate::receipt::{Batch, Cause, EmergencyStep, Evidence, Outcome, Receipt};
use crate::trust::{Grant, Role};

const START: i64 = 1_795_000_000;

fn open_policy() -> AirtimePolicy {
    let all_day = Window::new(Days::EVERY, "00:00".parse().unwrap(), "24:00".parse().unwrap());
    AirtimePolicy {
        windows: vec![all_day.unwrap()],
        sessions_a_day_max: 10,
        minutes_a_session_max: 30,
        minutes_a_day_max: 60,
    }
}

fn key(role: Role, holder: &str, byte: u8) -> Signer {
    Signer::from_seed(role.key_name(&"x".parse().unwrap(), holder), &[byte; 32])
}

fn sound(language: &str) -> Vec<u8> {
    language.as_bytes().repeat(9_000)
}

/// A controller with its storage, the station's keys, and everything it ever said.
struct Pole {
    agent: Agent,
    stored: Restored,
    blocks: std::collections::BTreeMap<Digest, Vec<u8>>,
    now: Now,
    said: Vec<(Up, String)>,
    plays: Option<Playlist>,
    played: Vec<Playlist>,
    outer: AirtimePolicy,
    rtc: bool,
}

impl Pole {
    fn new() -> Self {
        Self::with(open_policy(), true)
    }

    fn with(outer: AirtimePolicy, rtc: bool) -> Self {
        let now = Now { utc: Timestamp::from_seconds(START), up: Uptime::START };
        let stored =
            Restored { trust: Some(trust_note()), provisioned: true, ..Restored::default() };
        let agent = start(&stored, outer.clone(), rtc, now);
        let mut pole = Self {
            agent,
            stored,
            blocks: std::collections::BTreeMap::new(),
            now,
            said: vec![],
            plays: None,
            played: vec![],
            outer,
            rtc,
        };
        pole.pump();
        pole.give(Input::MainUp);
        pole
    }

    fn give(&mut self, input: Input) {
        self.agent.handle(self.now, input);
        self.pump();
    }

    fn pump(&mut self) {
        while let Some(output) = self.agent.poll() {
            match output {
                Output::Keep(record) => self.stored.records.push(record),
                Output::KeepNote(Slot::Trust, note) => self.stored.trust = Some(note),
                Output::KeepNote(Slot::Manifest, note) => self.stored.manifest = Some(note),
                Output::Publish(publish) => self.hear(&publish),
                Output::Play(list) => {
                    self.played.push(list.clone());
                    self.plays = Some(list);
                }
                Output::Stop => {
                    let token = self.plays.take().unwrap().token;
                    self.agent
                        .handle(self.now, Input::Speaker { token, sounded: Sounded::Stopped });
                }
                Output::Assemble(asset) => {
                    self.agent.handle(self.now, Input::Assembled { asset, whole: true });
                }
                Output::Bulk(filters) if !filters.is_empty() => {
                    self.agent.handle(self.now, Input::BulkUp);
                }
                _ => {}
            }
        }
    }

    fn hear(&mut self, publish: &Publish) {
        let topics = Topics::new(&"x".parse().unwrap());
        let Some(protocol::Topic::Up(_, up)) = topics.parse(&publish.topic) else { panic!() };
        let note = Note::parse(&publish.payload).unwrap();
        let device = key(Role::Device, "c-1", 9).public();
        self.said.push((up, note.verify([&device]).unwrap().text.to_owned()));
    }

    /// Moves time by `seconds`, tick by tick.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now.utc = self.now.utc + Duration::from_secs(1);
            self.now.up = self.now.up + Duration::from_secs(1);
            self.give(Input::Tick);
        }
    }

    fn message(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
        let topic = format!("loaban/1/x/{topic}");
        self.give(Input::Message { topic, payload: payload.into() });
    }

    fn hold(&mut self, manifest: &Manifest) {
        let note = schedule().sign(&encode(&"x".parse().unwrap(), manifest));
        self.message("c/c-1/manifest", note);
    }

    /// Delivers a recording with the descriptor that `approver` signed.
    fn deliver(&mut self, language: &str, approver: &Signer) {
        let bytes = sound(language);
        let asset = Digest::of(&bytes);
        let note = approver.sign(&encode(&"x".parse().unwrap(), &descriptor(language)));
        self.message(&format!("asset/{asset}/info"), note.clone());
        for (n, block) in bytes.chunks(16_384).enumerate() {
            self.message(&format!("asset/{asset}/{n}"), block);
        }
        self.blocks.insert(asset, bytes);
        self.stored.assets.push(RestoredAsset {
            descriptor: note,
            missing: BTreeSet::new(),
            complete: true,
        });
    }

    /// A part of what plays has sounded whole.
    fn part_over(&mut self, part: usize) {
        let token = self.plays.as_ref().expect("something plays").token;
        self.give(Input::Speaker { token, sounded: Sounded::Part(part) });
    }

    /// The server gives an order, for five minutes.
    fn order(&mut self, number: u64, command: OrderCommand) {
        let controller = "c-1".parse().unwrap();
        let (issued, expires) = (self.now.utc, self.now.utc + Duration::from_mins(5));
        let order = Order { controller, number, issued, expires, command };
        let note = schedule().sign(&encode(&"x".parse().unwrap(), &order));
        self.message("c/c-1/order", note);
    }

    /// The speaker plays what it was given to its end.
    fn play_to_the_end(&mut self) {
        let list = self.plays.take().expect("something plays");
        for part in 0..list.parts.len() {
            let sounded = Sounded::Part(part);
            self.give(Input::Speaker { token: list.token, sounded });
        }
        self.give(Input::Speaker { token: list.token, sounded: Sounded::Finished });
    }

    /// Power goes and comes back: only what was stored is left.
    fn power_cut(&mut self, off: Duration) {
        let stored = std::mem::take(&mut self.stored);
        let copy = Restored {
            records: stored.records.clone(),
            trust: stored.trust.clone(),
            provisioned: stored.provisioned,
            manifest: stored.manifest.clone(),
            assets: stored.assets.iter().map(copy_asset).collect(),
        };
        self.now = Now { utc: self.now.utc + off, up: Uptime::START };
        self.plays = None;
        self.agent = start(&stored, self.outer.clone(), self.rtc, self.now);
        self.stored = copy;
        self.pump();
        self.give(Input::MainUp);
    }

    fn receipts(&self) -> Vec<Receipt> {
        let line = |record: &Record| match record {
            Record::Receipt { line } => serde_json::from_str(line).ok(),
            _ => None,
        };
        self.stored.records.iter().filter_map(line).collect()
    }

    fn outcomes(&self) -> Vec<(Outcome, Option<Cause>)> {
        let outcome = |receipt: Receipt| match receipt.event {
            Event::Airing { outcome, cause, .. } => Some((outcome, cause)),
            _ => None,
        };
        self.receipts().into_iter().filter_map(outcome).collect()
    }

    fn refusals(&self) -> Vec<String> {
        let why = |receipt: Receipt| match receipt.event {
            Event::Refusal { why, .. } => Some(why),
            _ => None,
        };
        self.receipts().into_iter().filter_map(why).collect()
    }

    fn said<D: Document>(&self, up: Up) -> Vec<D> {
        let net = "x".parse().unwrap();
        let these = self.said.iter().filter(|(u, _)| *u == up);
        these.map(|(_, text)| decode(&net, text).unwrap()).collect()
    }
}

fn copy_asset(asset: &RestoredAsset) -> RestoredAsset {
    RestoredAsset {
        descriptor: asset.descriptor.clone(),
        missing: asset.missing.clone(),
        complete: asset.complete,
    }
}

fn settings(outer: AirtimePolicy, rtc: bool) -> Settings {
    Settings {
        net: "x".parse().unwrap(),
        controller: "c-1".parse().unwrap(),
        anchors: Anchors { root_threshold: 1, roots: vec![key(Role::Root, "1", 1).public()] },
        outer,
        zone: Zone::default(),
        rtc,
        amplifier: false,
        receipts_max: RECEIPTS_ROUTINE_MAX,
        library_bytes_max: u64::MAX,
        software: "test".to_owned(),
        randomness: [5; 32],
    }
}

fn start(stored: &Restored, outer: AirtimePolicy, rtc: bool, now: Now) -> Agent {
    let restored = Restored {
        records: stored.records.clone(),
        trust: stored.trust.clone(),
        provisioned: stored.provisioned,
        manifest: stored.manifest.clone(),
        assets: stored.assets.iter().map(copy_asset).collect(),
    };
    Agent::start(settings(outer, rtc), key(Role::Device, "c-1", 9), restored, now).unwrap()
}

fn schedule() -> Signer {
    key(Role::Schedule, "1", 2)
}

fn lan() -> Signer {
    key(Role::Content, "lan", 3)
}

fn trust_note() -> String {
    let grant = |signer: &Signer, role| Grant {
        key: signer.public(),
        role,
        areas: vec!["lai-chau".parse().unwrap()],
        until: Timestamp::from_seconds(START * 2),
    };
    let root = key(Role::Root, "1", 1);
    let document = TrustDocument {
        version: 1,
        issued: Timestamp::from_seconds(START),
        root_threshold: 1,
        roots: vec![root.public()],
        emergency_threshold: 2,
        keys: vec![
            grant(&schedule(), Role::Schedule),
            grant(&lan(), Role::Content),
            grant(&key(Role::Time, "1", 4), Role::Time),
            grant(&key(Role::Ack, "1", 5), Role::Ack),
            grant(&key(Role::Emergency, "an", 6), Role::Emergency),
            grant(&key(Role::Emergency, "ba", 7), Role::Emergency),
        ],
        revoked: vec![],
    };
    root.sign(&encode(&"x".parse().unwrap(), &document))
}

fn descriptor(language: &str) -> Descriptor {
    let bytes = sound(language);
    Descriptor {
        asset: Digest::of(&bytes),
        bulletin: "sat-lo".parse().unwrap(),
        language: language.parse().unwrap(),
        class: Class::Normal,
        codec: "opus".to_owned(),
        bytes: bytes.len() as u64,
        block_bytes: 16_384,
        blocks: Descriptor::blocks_of(&bytes, 16_384),
        length_ms: 4_000,
        areas: vec!["lai-chau".parse().unwrap()],
        valid_from: Timestamp::from_seconds(START - 1),
        valid_until: Timestamp::from_seconds(START + 30 * 86_400),
    }
}

fn areas() -> Vec<AreaId> {
    ["lai-chau", "mu-ca", "ban-may"].map(|area| area.parse().unwrap()).to_vec()
}

/// One airing, `after` seconds from the start, in these languages.
fn manifest(number: u64, after: i64, languages: &[&str]) -> Manifest {
    let item = |language: &&str| Item {
        bulletin: "sat-lo".parse().unwrap(),
        language: language.parse().unwrap(),
        asset: Digest::of(&sound(language)),
        length_ms: 4_000,
    };
    let airing = ManifestAiring {
        programme: "sang".parse().unwrap(),
        date: "2026-11-22".parse().unwrap(),
        occurrence: 0,
        at: Timestamp::from_seconds(START + after),
        latest: Timestamp::from_seconds(START + after + 300),
        chime: true,
        gap_ms: 500,
        volume_percent: None,
        items: languages.iter().map(item).collect(),
    };
    Manifest {
        controller: "c-1".parse().unwrap(),
        number,
        issued: Timestamp::from_seconds(START),
        valid_until: Timestamp::from_seconds(START) + VALID_MAX,
        areas: areas(),
        languages: ["hni", "vi"].map(|l| l.parse().unwrap()).to_vec(),
        zone: Zone::default(),
        policy: open_policy(),
        airings: vec![airing],
        withdrawn: vec![],
        hold: vec![],
    }
}

#[test]
fn an_airing_plays_its_languages_in_order_with_a_chime_at_both_ends() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["hni", "vi"]));
    pole.deliver("hni", &lan());
    pole.deliver("vi", &lan());
    pole.wait(9);
    assert_eq!(pole.plays, None);
    pole.wait(1);
    let spoken: Vec<String> = pole.plays.as_ref().unwrap().parts.iter().map(spoken).collect();
    assert_eq!(spoken, ["chime", "hni", "-", "vi", "chime"]);
    pole.play_to_the_end();
    assert_eq!(pole.outcomes(), [(Outcome::Completed, None)]);
}

fn spoken(part: &Part) -> String {
    match part {
        Part::Tone(Tone::Opening | Tone::Closing) => "chime".to_owned(),
        Part::Tone(Tone::Emergency) => "alert".to_owned(),
        Part::Tone(Tone::Test) => "test".to_owned(),
        Part::Silence(_) => "-".to_owned(),
        Part::Sound { language, .. } => language.to_string(),
    }
}

#[test]
fn a_routine_airing_is_begun_at_most_once_whenever_the_power_goes() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(12);
    assert_eq!(pole.played.len(), 1);
    pole.power_cut(Duration::from_secs(5));
    pole.wait(60);
    assert_eq!(pole.played.len(), 1);
    assert_eq!(pole.outcomes(), [(Outcome::Interrupted, Some(Cause::Power))]);
}

#[test]
fn a_routine_airing_that_was_not_begun_is_begun_after_the_power_cut() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(5);
    pole.power_cut(Duration::from_mins(1));
    pole.wait(1);
    assert_eq!(pole.played.len(), 1);
}

#[test]
fn an_airing_slept_through_is_told_with_its_cause() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.power_cut(Duration::from_hours(1));
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Power))]);
}

#[test]
fn the_outer_quiet_hours_hold_whatever_a_manifest_says() {
    let mut quiet = open_policy();
    quiet.windows.clear();
    let mut pole = Pole::with(quiet, true);
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(20);
    assert!(pole.played.is_empty());
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Quiet))]);
}

#[test]
fn the_policy_of_the_manifest_is_checked_again_by_the_controller() {
    let mut pole = Pole::new();
    let mut closed = manifest(7, 10, &["vi"]);
    closed.policy.windows.clear();
    pole.hold(&closed);
    pole.deliver("vi", &lan());
    pole.wait(20);
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Policy))]);
}

#[test]
fn nothing_plays_before_the_nonce_is_answered_on_a_board_without_a_clock() {
    let mut pole = Pole::with(open_policy(), false);
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(20);
    assert!(pole.played.is_empty());
    let ask: ClockAsk = pole.said(Up::Clock).pop().unwrap();
    let at = Timestamp::from_seconds(START + 20);
    let answer = ClockAnswer {
        controller: ask.controller,
        nonce: ask.nonce,
        t1: ask.t1,
        t2: at,
        t3: at,
        manifest: 7,
        emergency: 0,
    };
    let note = key(Role::Time, "1", 4).sign(&encode(&"x".parse().unwrap(), &answer));
    pole.message("c/c-1/time", note);
    assert_eq!(pole.played.len(), 1);
}

#[test]
fn receipts_wait_for_the_signed_acknowledgement_and_not_for_the_broker() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(10);
    pole.play_to_the_end();
    pole.wait(30);
    let batches: Vec<Batch> = pole.said(Up::Receipts);
    assert!(batches.len() > 1, "sent again while nobody acknowledges");
    let last = batches.last().unwrap();
    let upto = last.first + last.receipts.len() as u64 - 1;
    let ack = Ack {
        controller: "c-1".parse().unwrap(),
        chain: last.chain.clone(),
        upto,
        log_size: 3,
        log_root: Digest::ZERO,
    };
    let note = key(Role::Ack, "1", 5).sign(&encode(&"x".parse().unwrap(), &ack));
    pole.message("c/c-1/ack", note);
    assert_eq!(pole.agent.receipts_waiting(), 0);
    let before = pole.said.len();
    pole.wait(30);
    assert!(pole.said[before..].iter().all(|(up, _)| *up != Up::Receipts));
}

#[test]
fn a_server_that_is_away_is_sent_the_same_receipts_less_and_less_often() {
    let mut pole = Pole::new();
    pole.wait(3_600);
    let batches: Vec<Batch> = pole.said(Up::Receipts);
    assert!((10..=17).contains(&batches.len()), "{} in an hour", batches.len());
    pole.give(Input::MainDown);
    pole.said.clear();
    pole.give(Input::MainUp);
    assert_eq!(pole.said::<Batch>(Up::Receipts).len(), 1, "at once on a new connection");
}

#[test]
fn with_the_network_gone_the_schedule_that_is_held_is_played() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.give(Input::MainDown);
    pole.said.clear();
    pole.wait(10);
    pole.play_to_the_end();
    assert!(pole.said.is_empty());
    pole.give(Input::MainUp);
    let batch: Batch = pole.said(Up::Receipts).pop().unwrap();
    let told = batch.read().unwrap().receipts;
    let airing = told.iter().find(|r| matches!(r.event, Event::Airing { .. })).unwrap();
    assert!(matches!(
        airing.event,
        Event::Airing { outcome: Outcome::Completed, evidence: Evidence::Rendered, .. }
    ));
}
