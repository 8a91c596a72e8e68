//! A server's half, with controllers that are only keys.

mod emergency;

use serde_json::value::RawValue;

use super::*;
use crate::protocol::{ClockAnswer, ClockAsk, Document, Up, Want, bitmap, decode, encode};
use crate::receipt::{Batch, Event, Receipt, next_link};
use crate::time::Timestamp;
use crate::trust::{Role, device_key_name};

fn net() -> NetId {
    "x".parse().unwrap()
}

fn device(controller: &str) -> Signer {
    let id: ControllerId = controller.parse().unwrap();
    let seed = Digest::of(controller.as_bytes());
    Signer::from_seed(device_key_name(&net(), &id), seed.as_bytes())
}

fn key(role: Role) -> Signer {
    Signer::from_seed(role.key_name(&net(), "1"), &[role as u8 + 1; 32])
}

struct Desk {
    dispatch: Dispatch,
    now: Now,
    sent: Vec<(String, String)>,
    blocks: Vec<u32>,
    ingests: Vec<Ingest>,
    refused: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        let pace = Pace::default();
        let dispatch = Dispatch::new(net(), key(Role::Ack), key(Role::Time), pace);
        let now = Now { utc: Timestamp::from_seconds(1_000), up: Uptime::START };
        let mut desk =
            Self { dispatch, now, sent: vec![], blocks: vec![], ingests: vec![], refused: vec![] };
        desk.give(Input::Up);
        for controller in ["c-1", "c-2"] {
            let key = device(controller).public();
            desk.give(Input::Controller {
                controller: controller.parse().unwrap(),
                key,
                progress: vec![],
            });
        }
        desk
    }

    fn give(&mut self, input: Input) {
        self.dispatch.handle(self.now, input);
        while let Some(output) = self.dispatch.poll() {
            match output {
                Output::Publish(message) => {
                    let text = String::from_utf8(message.payload).unwrap();
                    self.sent.push((message.topic, text));
                }
                Output::Block { n, .. } => self.blocks.push(n),
                Output::Ingest(ingest) => self.ingests.push(*ingest),
                Output::Refused { why, .. } => self.refused.push(why),
                Output::Saw(_) => {}
            }
        }
    }

    fn wait(&mut self, length: Duration) {
        self.now.up = self.now.up + length;
        self.give(Input::Tick);
    }

    fn hear<D: Document>(&mut self, from: &str, topic_of: &str, up: Up, document: &D) {
        let topic = Topics::new(&net()).up(&topic_of.parse().unwrap(), up);
        let payload = device(from).sign(&encode(&net(), document)).into_bytes();
        self.give(Input::Message { topic, payload });
    }

    fn offer(&mut self, blocks: u32) -> Digest {
        let asset = Digest::of(b"sound");
        let descriptor = "descriptor".to_owned();
        self.give(Input::Asset { asset, descriptor, blocks });
        asset
    }

    fn want(&mut self, from: &str, asset: Digest, missing: &[u32], count: u32) {
        let missing = bitmap::encode(missing.iter().copied(), count);
        let controller = from.parse().unwrap();
        let want = Want { controller, asset, info: false, missing };
        self.hear(from, from, Up::Want, &want);
    }

    fn receipts(&mut self, batch: &Batch) {
        let from = batch.controller.to_string();
        self.hear(&from, &from, Up::Receipts, batch);
    }

    fn logged(&mut self, ingest: &Ingest) {
        self.give(Input::Logged {
            controller: ingest.controller.clone(),
            progress: ingest.progress.clone(),
            log_size: 9,
            log_root: Digest::of(b"root"),
        });
    }

    fn acks(&self) -> Vec<u64> {
        let acks = self.sent.iter().filter(|(topic, _)| topic.ends_with("/ack"));
        acks.map(|(_, note)| open::<Ack>(note).upto).collect()
    }
}

fn open<D: Document>(note: &str) -> D {
    let text = &note[..=note.rfind("\n\n").unwrap()];
    decode(&net(), text).unwrap()
}

fn line(n: u64) -> String {
    let event = Event::Boot { boot: n, software: "t".to_owned() };
    Receipt { n, at: Timestamp::EPOCH, event }.line()
}

fn link_after(n: u64) -> Digest {
    (1..=n).fold(Digest::ZERO, |link, n| next_link(link, &line(n)))
}

fn batch(chain: &str, first: u64, last: u64) -> Batch {
    Batch {
        controller: "c-1".parse().unwrap(),
        chain: chain.to_owned(),
        first,
        kept: 1,
        prev: link_after(first - 1),
        receipts: (first..=last).map(|n| RawValue::from_string(line(n)).unwrap()).collect(),
    }
}

#[test]
fn what_several_controllers_want_is_sent_once() {
    let mut desk = Desk::new();
    let asset = desk.offer(4);
    desk.want("c-1", asset, &[0, 1, 2], 4);
    desk.want("c-2", asset, &[1, 2, 3], 4);
    assert!(desk.blocks.is_empty(), "they are gathered first");
    for _ in 0..8 {
        desk.wait(Duration::from_millis(300));
    }
    assert_eq!(desk.blocks, [1, 2, 0, 3], "each once, what both lack first");
}

#[test]
fn who_asks_late_does_not_hold_the_others_up() {
    let mut desk = Desk::new();
    let asset = desk.offer(4);
    desk.want("c-1", asset, &[0, 1, 2, 3], 4);
    for _ in 0..2 {
        desk.wait(Duration::from_millis(300));
    }
    desk.want("c-2", asset, &[0, 1, 2, 3], 4);
    for _ in 0..8 {
        desk.wait(Duration::from_millis(300));
    }
    assert_eq!(desk.blocks, [0, 1, 2, 3, 0, 1]);
}

#[test]
fn questions_are_gathered_while_they_come_but_not_for_ever() {
    let mut desk = Desk::new();
    let asset = desk.offer(4);
    for _ in 0..8 {
        desk.want("c-1", asset, &[0], 4);
        desk.wait(Duration::from_millis(200));
        assert!(desk.blocks.is_empty(), "{:?}", desk.now);
    }
    desk.want("c-2", asset, &[1], 4);
    desk.wait(Duration::from_millis(200));
    assert_eq!(desk.blocks, [0]);
}

#[test]
fn blocks_leave_at_a_steady_pace() {
    let mut desk = Desk::new();
    let asset = desk.offer(3);
    desk.want("c-1", asset, &[0, 1, 2], 3);
    desk.wait(Duration::from_millis(300));
    assert_eq!(desk.blocks, [0]);
    desk.wait(Duration::from_millis(249));
    assert_eq!(desk.blocks, [0]);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.blocks, [0, 1]);
}

#[test]
fn a_bitmap_of_another_size_is_refused() {
    let mut desk = Desk::new();
    let asset = desk.offer(3);
    desk.want("c-1", asset, &[0], 30);
    assert!(desk.refused[0].contains("bitmap"), "{:?}", desk.refused);
}

#[test]
fn a_receipt_is_acknowledged_only_when_it_is_in_the_log() {
    let mut desk = Desk::new();
    desk.receipts(&batch("aa", 1, 3));
    assert_eq!((desk.ingests.len(), desk.acks().len()), (1, 0));
    let ingest = desk.ingests.pop().unwrap();
    desk.logged(&ingest);
    assert_eq!(desk.acks(), [3]);
}

#[test]
fn receipts_that_come_twice_are_taken_once() {
    let mut desk = Desk::new();
    desk.receipts(&batch("aa", 1, 3));
    desk.receipts(&batch("aa", 1, 3));
    assert_eq!(desk.ingests.len(), 1, "the first is still being written");
    let ingest = desk.ingests.pop().unwrap();
    desk.logged(&ingest);
    desk.receipts(&batch("aa", 1, 3));
    assert!(desk.ingests.is_empty());
    assert_eq!(desk.acks(), [3, 3], "the answer says how far the log is");
    desk.receipts(&batch("aa", 2, 5));
    assert_eq!(desk.ingests[0].known, 3, "what overlaps is known");
}

#[test]
fn a_server_that_lost_receipts_asks_for_them_again() {
    let mut desk = Desk::new();
    desk.receipts(&batch("aa", 1, 3));
    let ingest = desk.ingests.pop().unwrap();
    desk.logged(&ingest);
    desk.receipts(&batch("aa", 7, 9));
    assert!(desk.ingests.is_empty());
    assert_eq!(desk.acks(), [3, 3]);
}

#[test]
fn a_chain_that_the_log_does_not_know_begins_with_the_first_receipt_that_is_kept() {
    let mut desk = Desk::new();
    for _ in 0..2 {
        desk.receipts(&batch("aa", 5, 6));
    }
    assert_eq!((desk.ingests.len(), desk.acks()), (0, vec![0, 0]), "a batch twice is one");
    desk.receipts(&Batch { kept: 5, ..batch("aa", 5, 6) });
    assert_eq!(desk.ingests.len(), 1, "it keeps no more");
}

#[test]
fn a_server_with_an_old_backup_goes_on_with_the_oldest_receipt_that_is_kept() {
    let mut desk = Desk::new();
    desk.receipts(&batch("aa", 1, 3));
    let ingest = desk.ingests.pop().unwrap();
    desk.logged(&ingest);
    desk.receipts(&Batch { kept: 7, ..batch("aa", 7, 9) });
    assert_eq!(desk.ingests[0].known, 6);
}

#[test]
fn what_is_being_written_is_not_taken_again_when_the_store_is_read_anew() {
    let mut desk = Desk::new();
    desk.receipts(&batch("aa", 1, 3));
    let (controller, key) = ("c-1".parse().unwrap(), device("c-1").public());
    desk.give(Input::Controller { controller, key, progress: vec![] });
    desk.receipts(&batch("aa", 1, 3));
    assert_eq!(desk.ingests.len(), 1);
}

#[test]
fn a_replayed_batch_of_an_older_chain_begins_nothing() {
    let mut desk = Desk::new();
    for chain in ["aa", "bb"] {
        desk.receipts(&batch(chain, 1, 3));
        let ingest = desk.ingests.pop().unwrap();
        desk.logged(&ingest);
    }
    desk.receipts(&batch("aa", 1, 3));
    assert!(desk.ingests.is_empty());
}

#[test]
fn receipts_that_do_not_continue_the_chain_are_refused() {
    let mut desk = Desk::new();
    desk.receipts(&batch("aa", 1, 3));
    let ingest = desk.ingests.pop().unwrap();
    desk.logged(&ingest);
    let mut forged = batch("aa", 4, 5);
    forged.prev = Digest::of(b"another past");
    desk.receipts(&forged);
    assert!(desk.ingests.is_empty());
    assert!(desk.refused[0].contains("some were altered"), "{:?}", desk.refused);
}

#[test]
fn a_controller_cannot_speak_for_another_or_after_it_was_revoked() {
    let mut desk = Desk::new();
    desk.hear("c-2", "c-1", Up::Receipts, &batch("aa", 1, 3));
    desk.hear("c-1", "c-2", Up::Receipts, &batch("aa", 1, 3));
    desk.give(Input::Revoked("c-1".parse().unwrap()));
    desk.receipts(&batch("aa", 1, 3));
    assert_eq!((desk.ingests.len(), desk.refused.len()), (0, 3));
}

#[test]
fn a_question_for_the_time_is_answered_with_its_nonce() {
    let mut desk = Desk::new();
    let controller: ControllerId = "c-1".parse().unwrap();
    let (number, note) = (7, "manifest\n\n".to_owned());
    desk.give(Input::Manifest { controller: controller.clone(), number, note });
    let ask = ClockAsk { controller, nonce: "n".to_owned(), t1: Timestamp::EPOCH };
    desk.hear("c-1", "c-1", Up::Clock, &ask);
    let (topic, note) = desk.sent.last().unwrap();
    assert!(topic.ends_with("c/c-1/time"));
    let answer: ClockAnswer = open(note);
    assert_eq!((answer.nonce.as_str(), answer.t3, answer.manifest), ("n", desk.now.utc, 7));
}

#[test]
fn a_broker_that_forgot_everything_gets_trust_and_manifests_anew() {
    let mut desk = Desk::new();
    desk.give(Input::Trust(vec!["one".to_owned(), "two".to_owned()]));
    let controller: ControllerId = "c-1".parse().unwrap();
    desk.give(Input::Manifest { controller, number: 7, note: "manifest".to_owned() });
    desk.give(Input::Down);
    desk.sent.clear();
    desk.give(Input::Up);
    let sent: Vec<&str> = desk.sent.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(sent, ["two", "manifest"]);
}
