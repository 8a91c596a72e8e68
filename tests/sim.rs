//! The simulator on a fixed number of seeds: every promise of the design holds, in calm and in storm.
//!
//! A failure prints the seed, the promise and the last events of the controller concerned; `loaban
//! sim --seed N` with the same fleet shows it again.

use std::time::Duration;

use loaban::sim::{Plan, Verdict, Weather, run};

fn storm(seed: u64) -> Plan {
    Plan { seed, controllers: 6, days: 3, weather: Weather::Storm }
}

fn holds(plan: Plan) -> Verdict {
    let verdict = run(plan);
    assert!(verdict.holds(), "{verdict}");
    verdict
}

#[test]
fn every_promise_holds_on_calm_days() {
    let verdict = holds(Plan { seed: 1, controllers: 10, days: 2, weather: Weather::Calm });
    assert!(verdict.checks.iter().all(|checks| *checks > 0), "{verdict}");
    assert!(verdict.faults.is_empty(), "{verdict}");
}

/// Seeds of the suite; `tests/mutations/run.py` asks for more.
fn seeds() -> u64 {
    std::env::var("LOABAN_SIM_SEEDS").map_or(6, |seeds| seeds.parse().expect("a number of seeds"))
}

#[test]
fn every_promise_holds_in_a_storm() {
    let verdicts: Vec<Verdict> = (1..=seeds()).map(|seed| holds(storm(seed))).collect();
    let kinds: std::collections::BTreeSet<&str> =
        verdicts.iter().flat_map(|verdict| verdict.faults.keys().copied()).collect();
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
