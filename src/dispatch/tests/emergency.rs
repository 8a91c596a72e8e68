//! Emergencies and orders reach everybody, and stop being repeated to those that told of them.

use super::*;
use crate::protocol::{Status, StatusState};
use crate::receipt::EmergencyStep;

fn raised(desk: &mut Desk, cancels: bool) {
    desk.give(Input::Emergency(Box::new(Raised {
        id: "lu".parse().unwrap(),
        sequence: 7,
        expires: Timestamp::from_seconds(2_000),
        areas: vec!["mu-ca".parse().unwrap(), "ka-lang".parse().unwrap()],
        cancels,
        note: if cancels { "cancel".to_owned() } else { "play".to_owned() },
        waiting: ["c-1", "c-2"].map(|c| c.parse().unwrap()).into(),
    })));
}

fn topics_with(desk: &Desk, note: &str) -> Vec<String> {
    let sent = desk.sent.iter().filter(|(_, text)| text == note);
    sent.map(|(topic, _)| topic.trim_start_matches("loaban/1/x/").to_owned()).collect()
}

fn tells(desk: &mut Desk, controller: &str, event: Event) {
    let line = Receipt { n: 1, at: Timestamp::EPOCH, event }.line();
    desk.receipts(&Batch {
        controller: controller.parse().unwrap(),
        chain: "aa".to_owned(),
        first: 1,
        kept: 1,
        prev: Digest::ZERO,
        receipts: vec![RawValue::from_string(line).unwrap()],
    });
}

fn says(desk: &mut Desk, controller: &str, step: EmergencyStep) {
    let emergency = "lu".parse().unwrap();
    let (attempt, languages, evidence) = (0, vec![], None);
    tells(desk, controller, Event::Emergency { emergency, step, attempt, languages, evidence });
}

fn shows_itself(desk: &mut Desk, controller: &str) {
    let status = Status {
        controller: controller.parse().unwrap(),
        state: StatusState::Up,
        boot: 1,
        connection: 1,
        at: Timestamp::EPOCH,
        software: "test".to_owned(),
        trust: 1,
        manifest: 0,
        assets_held: 0,
        assets_named: 0,
        withdrawn_held: vec![],
        receipts_waiting: 0,
        clock_trusted: true,
        clock_offset_ms: 0,
        storage_free_kib: 0,
        volume_percent: 100,
        playing: None,
        stopped: false,
        ready_until: None,
    };
    desk.hear(controller, controller, Up::Status, &status);
}

#[test]
fn an_emergency_goes_to_every_area_at_once_and_again_to_those_that_are_silent() {
    let mut desk = Desk::new();
    raised(&mut desk, false);
    assert_eq!(topics_with(&desk, "play"), ["a/mu-ca/emergency", "a/ka-lang/emergency"]);
    says(&mut desk, "c-1", EmergencyStep::Accepted);
    desk.sent.clear();
    desk.wait(Duration::from_secs(5));
    assert_eq!(topics_with(&desk, "play"), ["c/c-2/emergency"]);
}

#[test]
fn a_controller_that_comes_back_gets_the_emergency_at_once() {
    let mut desk = Desk::new();
    raised(&mut desk, false);
    desk.sent.clear();
    shows_itself(&mut desk, "c-2");
    assert_eq!(topics_with(&desk, "play"), ["c/c-2/emergency"]);
}

#[test]
fn a_broker_that_forgot_gets_the_emergency_anew() {
    let mut desk = Desk::new();
    raised(&mut desk, false);
    desk.sent.clear();
    desk.give(Input::Down);
    desk.give(Input::Up);
    assert_eq!(topics_with(&desk, "play").len(), 2);
}

#[test]
fn after_its_expiry_an_emergency_is_sent_to_nobody() {
    let mut desk = Desk::new();
    raised(&mut desk, false);
    desk.sent.clear();
    desk.now.utc = Timestamp::from_seconds(2_000);
    desk.wait(Duration::from_mins(1));
    shows_itself(&mut desk, "c-2");
    assert_eq!(topics_with(&desk, "play"), [""; 0]);
    assert!(desk.dispatch.wake_at().is_none());
}

#[test]
fn a_cancel_takes_the_emergencys_place_and_accepting_it_is_not_enough() {
    let mut desk = Desk::new();
    raised(&mut desk, false);
    raised(&mut desk, true);
    raised(&mut desk, false);
    desk.sent.clear();
    says(&mut desk, "c-1", EmergencyStep::Accepted);
    says(&mut desk, "c-2", EmergencyStep::Cancelled);
    desk.wait(Duration::from_secs(5));
    assert_eq!(topics_with(&desk, "cancel"), ["c/c-1/emergency"]);
    assert_eq!(topics_with(&desk, "play"), [""; 0]);
}

#[test]
fn the_answer_to_a_clock_names_the_newest_emergency() {
    let mut desk = Desk::new();
    raised(&mut desk, false);
    let ask = ClockAsk {
        controller: "c-1".parse().unwrap(),
        nonce: "00".repeat(8),
        t1: Timestamp::EPOCH,
    };
    desk.hear("c-1", "c-1", Up::Clock, &ask);
    let (_, note) = desk.sent.last().unwrap();
    assert_eq!(open::<ClockAnswer>(note).emergency, 7);
}

#[test]
fn an_order_is_repeated_until_it_is_carried_out_or_expired() {
    let mut desk = Desk::new();
    let order = |number, expires| Ordered {
        controller: "c-1".parse().unwrap(),
        number,
        expires: Timestamp::from_seconds(expires),
        note: format!("order {number}"),
    };
    desk.give(Input::Order(order(1, 1_300)));
    desk.give(Input::Order(order(2, 1_300)));
    let event = Event::Order { number: 1, what: "stop".to_owned(), tests: vec![] };
    tells(&mut desk, "c-1", event);
    desk.sent.clear();
    shows_itself(&mut desk, "c-1");
    assert_eq!(topics_with(&desk, "order 1"), [""; 0]);
    assert_eq!(topics_with(&desk, "order 2"), ["c/c-1/order"]);
    desk.now.utc = Timestamp::from_seconds(1_300);
    desk.sent.clear();
    shows_itself(&mut desk, "c-1");
    assert_eq!(topics_with(&desk, "order 2"), [""; 0]);
}

#[test]
fn a_controller_that_holds_an_older_manifest_is_sent_the_newest() {
    let mut desk = Desk::new();
    let (controller, note) = ("c-1".parse().unwrap(), "manifest 7".to_owned());
    desk.give(Input::Manifest { controller, number: 7, note });
    desk.sent.clear();
    shows_itself(&mut desk, "c-1");
    assert_eq!(topics_with(&desk, "manifest 7"), ["c/c-1/manifest"]);
}
