//! What is done at the device itself: the stop, the volume, sensors, self-tests; airtime sums.

use super::emergency::{flood, officers};
use super::*;
use crate::receipt::{TestPart, Tested};

/// Two airings of the same recording, the second a minute after the first.
fn two(policy: AirtimePolicy) -> Manifest {
    let mut both = manifest(7, 10, &["vi"]);
    let mut second = both.airings[0].clone();
    second.occurrence = 1;
    second.at = second.at + Duration::from_mins(1);
    second.latest = second.latest + Duration::from_mins(1);
    both.airings.push(second);
    both.policy = policy;
    both
}

fn orders(pole: &Pole) -> Vec<(u64, String, Vec<Tested>)> {
    let order = |receipt: Receipt| match receipt.event {
        Event::Order { number, what, tests } => Some((number, what, tests)),
        _ => None,
    };
    pole.receipts().into_iter().filter_map(order).collect()
}

fn evidence(pole: &Pole) -> Vec<Evidence> {
    let evidence = |receipt: Receipt| match receipt.event {
        Event::Airing { evidence, .. } => Some(evidence),
        _ => None,
    };
    pole.receipts().into_iter().filter_map(evidence).collect()
}

fn volume(pole: &mut Pole, number: u64, percent: u8) {
    let order = Order {
        controller: "c-1".parse().unwrap(),
        number,
        issued: pole.now.utc,
        expires: pole.now.utc + Duration::from_mins(1),
        command: OrderCommand::Volume { percent },
    };
    let note = schedule().sign(&encode(&"x".parse().unwrap(), &order));
    pole.message("c/c-1/order", note);
}

#[test]
fn the_local_stop_ends_what_plays_and_is_told() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(12);
    pole.give(Input::Local { stopped: true });
    assert_eq!(pole.outcomes(), [(Outcome::Interrupted, Some(Cause::Stopped))]);
    pole.give(Input::Local { stopped: false });
    let told: Vec<String> = orders(&pole).into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(told, ["stop", "release"]);
}

#[test]
fn an_airing_waits_for_the_release_of_the_local_stop_until_its_latest() {
    let mut pole = Pole::new();
    pole.hold(&two(open_policy()));
    pole.deliver("vi", &lan());
    pole.give(Input::Local { stopped: true });
    pole.wait(311);
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Stopped))]);
    pole.give(Input::Local { stopped: false });
    assert_eq!(pole.played.len(), 1, "the second is not too late");
}

#[test]
fn the_ordered_volume_holds_after_a_power_cut_and_an_airing_plays_at_its_share_of_it() {
    let mut pole = Pole::new();
    let mut soft = manifest(7, 10, &["vi"]);
    soft.airings[0].volume_percent = Some(50);
    pole.hold(&soft);
    pole.deliver("vi", &lan());
    volume(&mut pole, 3, 40);
    pole.power_cut(Duration::from_secs(5));
    pole.wait(6);
    assert_eq!(pole.played[0].volume_percent, 20);
}

#[test]
fn the_sums_of_the_policy_hold_at_the_controller_and_over_a_power_cut() {
    for limits in ["sessions", "minutes"] {
        let mut policy = open_policy();
        match limits {
            "sessions" => policy.sessions_a_day_max = 1,
            // One airing lasts 8.6 s.
            _ => policy.minutes_a_day_max = 0,
        }
        let mut pole = Pole::new();
        pole.hold(&two(policy));
        pole.deliver("vi", &lan());
        pole.wait(12);
        pole.power_cut(Duration::from_secs(5));
        pole.wait(120);
        let outcomes = pole.outcomes();
        let skipped = (Outcome::Skipped, Some(Cause::Policy));
        assert_eq!(outcomes.last(), Some(&skipped), "{limits}: {outcomes:?}");
        assert_eq!(outcomes.len(), 2, "{limits}");
    }
}

#[test]
fn evidence_counts_for_the_recording_that_it_names_and_no_other() {
    for (named, expected) in [("vi", Evidence::Heard), ("hni", Evidence::Rendered)] {
        let mut pole = Pole::new();
        pole.hold(&manifest(7, 10, &["vi"]));
        pole.deliver("vi", &lan());
        pole.wait(10);
        let token = pole.plays.as_ref().unwrap().token;
        let asset = Digest::of(&sound(named));
        for evidence in [Evidence::Heard, Evidence::Measured] {
            pole.give(Input::Sensed { token, asset, evidence });
        }
        pole.play_to_the_end();
        assert_eq!(evidence(&pole), [expected]);
    }
}

#[test]
fn an_airing_is_known_by_the_weakest_evidence_of_its_recordings() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["hni", "vi"]));
    pole.deliver("hni", &lan());
    pole.deliver("vi", &lan());
    pole.wait(10);
    let token = pole.plays.as_ref().unwrap().token;
    for (language, evidence) in [("hni", Evidence::Heard), ("vi", Evidence::Measured)] {
        pole.give(Input::Sensed { token, asset: Digest::of(&sound(language)), evidence });
    }
    pole.play_to_the_end();
    assert_eq!(evidence(&pole), [Evidence::Measured]);
}

#[test]
fn a_self_test_at_the_device_is_sworn_with_what_it_found() {
    let mut pole = Pole::new();
    pole.give(Input::Storage { free_kib: 100 });
    pole.give(Input::SelfTest);
    pole.play_to_the_end();
    let (number, what, tests) = orders(&pole).pop().unwrap();
    assert_eq!((number, what.as_str()), (0, "selftest"));
    let well: Vec<(TestPart, bool)> = tests.iter().map(|t| (t.part, t.well)).collect();
    let expected = [
        (TestPart::Tone, true),
        (TestPart::Storage, false),
        (TestPart::Link, true),
        (TestPart::Clock, true),
    ];
    assert_eq!(well, expected);
}

#[test]
fn a_warning_is_known_by_what_the_devices_senses_say_of_it() {
    let senses = [(None, Evidence::Rendered), (Some(Evidence::Heard), Evidence::Heard)];
    for (sense, expected) in senses {
        let mut pole = Pole::new();
        pole.hold(&manifest(7, 7_200, &["vi"]));
        pole.deliver("vi", &lan());
        pole.message("a/mu-ca/emergency", flood(&officers()));
        let token = pole.plays.as_ref().unwrap().token;
        if let Some(evidence) = sense {
            pole.give(Input::Sensed { token, asset: Digest::of(&sound("vi")), evidence });
        }
        pole.play_to_the_end();
        assert_eq!(
            warnings(&pole),
            [("Accepted", None), ("Begun", None), ("Completed", Some(expected))]
        );
    }
}

/// How far warnings came, with how it is known.
fn warnings(pole: &Pole) -> Vec<(&'static str, Option<Evidence>)> {
    let told = |receipt: Receipt| match receipt.event {
        Event::Emergency { step: EmergencyStep::Accepted, evidence, .. } => {
            Some(("Accepted", evidence))
        }
        Event::Emergency { step: EmergencyStep::Begun, evidence, .. } => Some(("Begun", evidence)),
        Event::Emergency { step: EmergencyStep::Completed, evidence, .. } => {
            Some(("Completed", evidence))
        }
        _ => None,
    };
    pole.receipts().into_iter().filter_map(told).collect()
}

#[test]
fn a_warning_between_takes_nothing_from_what_is_known_of_an_airing() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["hni", "vi"]));
    pole.deliver("hni", &lan());
    pole.deliver("vi", &lan());
    pole.wait(11);
    hears(&mut pole, "hni");
    pole.part_over(0);
    pole.part_over(1);
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole.play_to_the_end();
    hears(&mut pole, "vi");
    pole.play_to_the_end();
    assert_eq!(evidence(&pole), [Evidence::Heard]);
}

/// A microphone hears the recording in this language, which plays.
fn hears(pole: &mut Pole, language: &str) {
    let token = pole.plays.as_ref().unwrap().token;
    let asset = Digest::of(&sound(language));
    pole.give(Input::Sensed { token, asset, evidence: Evidence::Heard });
}
