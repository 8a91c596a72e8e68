//! Emergencies: at least once to the end, never after expiry, never again.

use super::*;

pub(super) fn emergency(id: &str, action: EmergencyAction, officers: &[Signer]) -> String {
    let emergency = Emergency {
        id: id.parse().unwrap(),
        sequence: 1,
        issued: Timestamp::from_seconds(START),
        expires: Timestamp::from_seconds(START + 3_600),
        areas: vec!["mu-ca".parse().unwrap()],
        action,
    };
    let line = encode(&"x".parse().unwrap(), &emergency);
    let first = officers[0].sign(&line);
    officers[1..].iter().fold(first, |note, officer| officer.cosign(&note).unwrap())
}

pub(super) fn officers() -> [Signer; 2] {
    [key(Role::Emergency, "an", 6), key(Role::Emergency, "ba", 7)]
}

pub(super) fn flood(officers: &[Signer]) -> String {
    let sounds =
        vec![EmergencySound { language: "vi".parse().unwrap(), asset: Digest::of(&sound("vi")) }];
    emergency("lu-quet", EmergencyAction::Play { sounds, repeat: 2, gap_ms: 0 }, officers)
}

#[test]
fn an_emergency_preempts_a_bulletin_that_is_already_playing() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(11);
    pole.part_over(0);
    pole.message("a/mu-ca/emergency", flood(&officers()));
    let parts: Vec<String> = pole.plays.as_ref().unwrap().parts.iter().map(spoken).collect();
    assert_eq!(parts, ["alert", "vi", "-", "vi", "-"]);
    assert_eq!(pole.outcomes(), [(Outcome::Preempted, Some(Cause::Emergency))]);
}

#[test]
fn an_emergency_of_one_officer_is_refused() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()[..1]));
    assert!(pole.played.is_empty());
    assert!(pole.refusals()[0].contains("1 of 2"), "{:?}", pole.refusals());
}

#[test]
fn an_emergency_plays_again_after_a_power_cut_and_never_after_its_completion() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole.power_cut(Duration::from_secs(5));
    assert_eq!(pole.played.len(), 2);
    pole.play_to_the_end();
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole.power_cut(Duration::from_secs(5));
    pole.wait(10);
    assert_eq!(pole.played.len(), 2);
    assert_eq!(steps(&pole), ["Accepted", "Begun", "Begun", "Completed"]);
}

pub(super) fn steps(pole: &Pole) -> Vec<String> {
    let step = |receipt: Receipt| match receipt.event {
        Event::Emergency { step, .. } => Some(format!("{step:?}")),
        _ => None,
    };
    pole.receipts().into_iter().filter_map(step).collect()
}

#[test]
fn an_emergency_is_begun_three_times_at_most() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    for _ in 0..5 {
        pole.power_cut(Duration::from_secs(1));
    }
    assert_eq!(pole.played.len(), 3);
    assert_eq!(steps(&pole).last().unwrap(), "Failed");
}

#[test]
fn no_emergency_is_played_after_its_expiry() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole.wait(3_601);
    pole.deliver("vi", &lan());
    assert!(pole.played.is_empty());
    assert_eq!(steps(&pole), ["Accepted", "Failed"]);
}

#[test]
fn a_cancelled_emergency_stops_and_stays_cancelled() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole.message(
        "a/mu-ca/emergency",
        emergency("lu-quet", EmergencyAction::Cancel {}, &officers()),
    );
    assert_eq!(pole.plays, None);
    pole.message("a/mu-ca/emergency", flood(&officers()));
    assert_eq!(pole.played.len(), 1);
    let id: EmergencyId = "lu-quet".parse().unwrap();
    let cancelled = Event::Emergency {
        emergency: id,
        step: EmergencyStep::Cancelled,
        attempt: 0,
        languages: vec![],
        evidence: None,
    };
    assert_eq!(pole.receipts().last().unwrap().event, cancelled);
}

#[test]
fn an_emergency_that_comes_before_the_clock_is_trusted_is_played_once_it_is() {
    let mut pole = Pole::with(open_policy(), false);
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    assert!(pole.played.is_empty());
    let ask: ClockAsk = pole.said(Up::Clock).pop().unwrap();
    let at = Timestamp::from_seconds(START);
    let (controller, nonce, t1) = (ask.controller, ask.nonce, ask.t1);
    let answer = ClockAnswer { controller, nonce, t1, t2: at, t3: at, manifest: 7, emergency: 1 };
    let note = key(Role::Time, "1", 4).sign(&encode(&"x".parse().unwrap(), &answer));
    pole.message("c/c-1/time", note);
    assert_eq!(pole.played.len(), 1);
}

#[test]
fn a_completed_emergency_is_not_told_as_failed_after_it_was_forgotten() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole.play_to_the_end();
    pole.now.utc = pole.now.utc + Duration::from_hours(30);
    pole.now.up = pole.now.up + Duration::from_hours(30);
    pole.stored.records = pole.agent.compact(pole.now);
    pole.power_cut(Duration::from_secs(5));
    pole.wait(5);
    assert_eq!(steps(&pole), ["Accepted", "Begun", "Completed"]);
}

#[test]
fn an_emergency_for_another_area_is_passed_over_without_a_receipt() {
    let mut pole = Pole::new();
    let mut here = manifest(7, 7_200, &["vi"]);
    here.areas = vec!["lai-chau".parse().unwrap(), "pa-u".parse().unwrap()];
    pole.hold(&here);
    let before = pole.receipts().len();
    pole.message("a/mu-ca/emergency", flood(&officers()));
    assert_eq!(pole.receipts().len(), before);
}

#[test]
fn an_emergency_without_a_language_of_the_village_does_not_hold_up_routine_airings() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    let sounds =
        vec![EmergencySound { language: "ium".parse().unwrap(), asset: Digest::of(b"ium") }];
    let action = EmergencyAction::Play { sounds, repeat: 1, gap_ms: 0 };
    pole.message("a/mu-ca/emergency", emergency("lua", action, &officers()));
    pole.wait(11);
    assert_eq!(pole.played.len(), 1);
}

#[test]
fn a_recording_held_in_advance_sounds_with_nothing_but_the_note() {
    let mut pole = Pole::new();
    let mut held = manifest(7, 7_200, &["vi"]);
    held.airings.clear();
    held.hold = vec![Digest::of(&sound("vi"))];
    pole.hold(&held);
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    let parts: Vec<String> = pole.plays.as_ref().unwrap().parts.iter().map(spoken).collect();
    assert_eq!(parts, ["alert", "vi", "-", "vi", "-"]);
}

#[test]
fn an_emergency_is_fetched_in_the_languages_of_the_village_alone() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    let strange = Digest::of(b"ium");
    let sound =
        |language: &str, asset| EmergencySound { language: language.parse().unwrap(), asset };
    let sounds = vec![sound("ium", strange), sound("hni", Digest::of(b"hni"))];
    let action = EmergencyAction::Play { sounds, repeat: 1, gap_ms: 0 };
    pole.message("a/mu-ca/emergency", emergency("lua", action, &officers()));
    pole.wait(1);
    let wants: Vec<protocol::Want> = pole.said(Up::Want);
    assert!(wants.iter().any(|want| want.asset == Digest::of(b"hni")));
    assert!(wants.iter().all(|want| want.asset != strange));
}

#[test]
fn an_airing_that_an_emergency_held_up_says_so() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    let sounds = vec![EmergencySound { language: "hni".parse().unwrap(), asset: Digest::of(b"?") }];
    let action = EmergencyAction::Play { sounds, repeat: 1, gap_ms: 0 };
    pole.message("a/mu-ca/emergency", emergency("lua", action, &officers()));
    pole.wait(400);
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Emergency))]);
}

#[test]
fn an_emergency_stops_when_its_recording_is_withdrawn() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("a/mu-ca/emergency", flood(&officers()));
    assert!(pole.plays.is_some());
    let mut next = manifest(8, 7_200, &["vi"]);
    next.withdrawn = vec![Digest::of(&sound("vi"))];
    pole.hold(&next);
    assert_eq!(pole.plays, None);
}
