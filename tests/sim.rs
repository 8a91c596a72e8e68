//! The simulator on a fixed number of seeds: every promise of the design holds, in calm and in storm.
//!
//! A failure prints the seed, the promise and the last events of the controller concerned; `loaban
//! sim --seed N` with the same fleet shows it again. Each invariant of the design has a test of its
//! name; all of them look at the same storms.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use loaban::sim::{Plan, Signatures, Verdict, Weather, run};

/// The storms that every invariant is held against.
static STORMS: LazyLock<Vec<Verdict>> = LazyLock::new(|| (1..=6).map(storm).map(run).collect());

/// The first seed signs with Ed25519, the others with what stands in for it.
fn storm(seed: u64) -> Plan {
    let signatures = if seed == 1 { Signatures::Real } else { Signatures::StandIn };
    Plan { seed, controllers: 6, days: 3, weather: Weather::Storm, signatures }
}

fn holds(plan: Plan) -> Verdict {
    let verdict = run(plan);
    assert!(verdict.holds(), "{verdict}");
    verdict
}

/// No storm broke this promise, and it was looked at.
fn invariant(number: usize) {
    for verdict in STORMS.iter() {
        let is_broken = verdict.violations.iter().any(|broken| broken.promise == number);
        assert!(!is_broken, "{verdict}");
        assert!(verdict.checks[number - 1] > 0, "{verdict}");
    }
}

#[test]
fn invariant_1_nothing_unapproved_expired_or_withdrawn_is_heard() {
    invariant(1);
}

#[test]
fn invariant_2_nothing_is_heard_that_the_stations_people_did_not_sign() {
    invariant(2);
}

#[test]
fn invariant_3_a_routine_airing_is_begun_once_and_an_emergency_completed() {
    invariant(3);
}

#[test]
fn invariant_4_nothing_is_played_after_its_end_and_nothing_older_is_accepted() {
    invariant(4);
}

#[test]
fn invariant_5_outside_the_airtime_only_an_emergency_sounds() {
    invariant(5);
}

#[test]
fn invariant_6_nothing_is_heard_in_a_language_nobody_asked_for() {
    invariant(6);
}

#[test]
fn invariant_7_without_a_network_the_schedule_goes_on_and_its_receipts_arrive() {
    invariant(7);
}

#[test]
fn invariant_8_every_sound_has_a_receipt_and_every_airing_a_true_outcome() {
    invariant(8);
}

#[test]
fn invariant_9_a_receipt_counts_as_delivered_when_the_log_has_it() {
    invariant(9);
}

#[test]
fn invariant_10_bad_input_changes_nothing_else() {
    invariant(10);
}

#[test]
fn every_promise_holds_on_calm_days() {
    let (weather, signatures) = (Weather::Calm, Signatures::Real);
    let verdict = holds(Plan { seed: 1, controllers: 10, days: 2, weather, signatures });
    assert!(verdict.checks.iter().all(|checks| *checks > 0), "{verdict}");
    assert!(verdict.faults.is_empty(), "{verdict}");
}

/// Simulates as many seeds as LOABAN_SIM_SEEDS says, to the first that breaks a promise:
/// `tests/mutations/run.py` asks for many.
#[test]
fn every_promise_holds_in_a_storm() {
    let asked = std::env::var("LOABAN_SIM_SEEDS").ok();
    let seeds = asked.map_or(0, |seeds| seeds.parse().expect("a number of seeds"));
    // Two communes, so that somebody is a stranger.
    (1..=seeds).for_each(|seed| drop(holds(Plan { controllers: 12, ..storm(seed) })));
    let kinds: BTreeSet<&str> =
        STORMS.iter().flat_map(|verdict| verdict.faults.keys().map(AsRef::as_ref)).collect();
    for kind in ["power cut before a write", "older manifest", "emergency of one officer"] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let [first, second] = [run(storm(9)), run(storm(9))];
    assert_eq!((first.events, first.checks), (second.events, second.checks));
    assert_eq!((first.faults, first.timeline), (second.faults, second.timeline));
    let other = run(storm(10));
    assert_ne!(other.events, first.events);
}

#[test]
fn a_violation_says_when_where_and_what() {
    let violation = loaban::sim::Violation {
        promise: 3,
        at: Duration::from_secs(90_061),
        site: Some(2),
        what: "twice".to_owned(),
    };
    assert_eq!(violation.to_string(), "1+01:01:01 c-2: promise 3: twice");
}
