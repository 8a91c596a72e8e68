//! An emergency begins with the languages that are here; the others follow.

use super::emergency::{emergency, officers, steps};
use super::*;

/// A controller that holds an emergency in two languages, and the recordings of `held`.
fn pole_with(held: &[&str]) -> Pole {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    let sound = |language: &str| EmergencySound {
        language: language.parse().unwrap(),
        asset: Digest::of(&sound(language)),
    };
    let sounds = ["vi", "hni", "mww"].map(sound).to_vec();
    let action = EmergencyAction::Play { sounds, repeat: 1, gap_ms: 0 };
    pole.message("a/mu-ca/emergency", emergency("lu-quet", action, &officers()));
    for language in held {
        pole.deliver(language, &lan());
    }
    pole
}

fn spoken_now(pole: &Pole) -> Vec<String> {
    let parts = &pole.plays.as_ref().expect("something plays").parts;
    parts.iter().map(spoken).filter(|word| word != "-").collect()
}

fn languages(pole: &Pole) -> Vec<String> {
    let languages = |receipt: Receipt| match receipt.event {
        Event::Emergency { languages, .. } => Some(languages),
        _ => None,
    };
    let last = pole.receipts().into_iter().filter_map(languages).next_back();
    last.unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn an_emergency_begins_at_once_with_the_language_that_is_here() {
    let mut pole = pole_with(&["vi"]);
    assert_eq!(spoken_now(&pole), ["alert", "vi"]);
    pole.play_to_the_end();
    assert_eq!(steps(&pole), ["Accepted", "Begun", "Accepted"], "it is not completed yet");
    assert_eq!(languages(&pole), ["vi"]);
}

#[test]
fn a_language_that_comes_later_still_sounds_and_completes_it() {
    let mut pole = pole_with(&["vi"]);
    pole.deliver("hni", &lan());
    pole.play_to_the_end();
    assert_eq!(spoken_now(&pole), ["alert", "hni"]);
    pole.play_to_the_end();
    assert_eq!(steps(&pole), ["Accepted", "Begun", "Accepted", "Begun", "Completed"]);
    assert_eq!(languages(&pole), ["vi", "hni"]);
    pole.wait(60);
    assert_eq!(pole.plays, None);
}

#[test]
fn what_was_heard_is_not_heard_again_after_a_power_cut() {
    let mut pole = pole_with(&["vi"]);
    pole.play_to_the_end();
    pole.stored.records = pole.agent.compact(pole.now);
    pole.power_cut(Duration::from_secs(5));
    assert_eq!(pole.plays, None);
    pole.deliver("hni", &lan());
    assert_eq!(spoken_now(&pole), ["alert", "hni"]);
}

#[test]
fn one_that_lacks_a_language_fails_at_its_expiry_and_says_what_was_heard() {
    let mut pole = pole_with(&["vi"]);
    pole.play_to_the_end();
    pole.wait(3_700);
    assert_eq!(steps(&pole).last().unwrap(), "Failed");
    assert_eq!(languages(&pole), ["vi"]);
}

#[test]
fn a_language_that_never_comes_does_not_hold_up_the_airings() {
    let mut pole = pole_with(&["vi"]);
    pole.play_to_the_end();
    pole.hold(&manifest(8, 30, &["vi"]));
    pole.wait(60);
    assert_eq!(pole.plays.as_ref().unwrap().title, "sang/c-1/2026-11-22/0");
}

#[test]
fn a_withdrawn_language_is_not_waited_for() {
    let mut pole = pole_with(&["vi"]);
    pole.play_to_the_end();
    let mut next = manifest(8, 7_200, &["vi"]);
    next.withdrawn = vec![Digest::of(&sound("hni"))];
    pole.hold(&next);
    assert_eq!(steps(&pole).last().unwrap(), "Completed");
}

#[test]
fn a_controller_that_lost_its_manifest_completes_nothing() {
    let mut pole = pole_with(&["vi"]);
    pole.play_to_the_end();
    pole.stored.manifest = None;
    pole.power_cut(Duration::from_secs(5));
    assert_eq!(steps(&pole), ["Accepted", "Begun", "Accepted"]);
}
