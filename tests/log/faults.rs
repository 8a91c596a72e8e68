//! The fault matrix: every step that the log takes on the disk fails once, lost, kept or torn;
//! then the power stays on or fails; then the log is opened again, held to everything that was
//! signed, and finished.

use std::sync::LazyLock;

use loaban::audit::{Entry, SignedCheckpoint};
use loaban::log::verdict::verify_on;
use loaban::log::{Disk as _, Log};

use crate::cast::{self, origin, signer};
use crate::fragile::{After, Fault, Fragile};

/// What the server wants logged: batches that fill a bundle, cross one, and cross two.
const BATCHES: [std::ops::Range<u64>; 4] = [250..253, 253..258, 258..259, 259..520];

const AFTER: [After; 6] = [
    After::Power,
    After::Durable,
    After::Mixed(1),
    After::Mixed(2),
    After::Mixed(3),
    After::Mixed(4),
];

/// Entries, made once: the matrix asks for them thousands of times.
fn entries(range: std::ops::Range<u64>) -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| cast::entries(0..520));
    &ALL[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
}

fn open(disk: &Fragile) -> Result<Log<Fragile>, loaban::log::LogError> {
    Log::open_on(disk.clone(), signer(), &origin())
}

/// A disk with a log of 250 entries.
fn begun() -> Fragile {
    let disk = Fragile::default();
    open(&disk).unwrap().append(entries(0..250)).unwrap();
    disk.after(After::Durable)
}

/// Logs the batches until one fails; returns the last acknowledged checkpoint.
fn run(disk: &Fragile) -> Option<SignedCheckpoint> {
    let mut log = open(disk).ok()?;
    let mut acknowledged = log.checkpoint().clone();
    for batch in BATCHES {
        let Ok(appended) = log.append(entries(batch)) else { break };
        acknowledged = appended.checkpoint;
    }
    Some(acknowledged)
}

/// Whatever checkpoints the disk shows, in place or not: somebody may have seen them.
fn seen(disk: &Fragile) -> Vec<SignedCheckpoint> {
    let read =
        |path| disk.read(path).unwrap().and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
    ["checkpoint", "checkpoint.new"].into_iter().filter_map(read).collect()
}

fn holds_to(disk: &Fragile, signed: &SignedCheckpoint, scene: &str) {
    let verdict = verify_on(disk, &signer().public(), Some(signed)).unwrap().unwrap();
    assert!(verdict.is_right(), "{scene}: {verdict}");
}

/// Opens what is left, holds it to what was signed, and logs the rest.
fn finish(disk: &Fragile, promised: &[SignedCheckpoint], scene: &str) {
    let mut log = open(disk).unwrap_or_else(|error| panic!("{scene}: refused to start: {error}"));
    let size = log.size();
    let whole = BATCHES.iter().any(|batch| batch.end == size) || size == 250;
    assert!(whole, "{scene}: {size} entries: a batch is in whole or not at all");
    let mut promised = promised.to_vec();
    promised.dedup();
    for signed in &promised {
        holds_to(disk, signed, scene);
    }
    for batch in BATCHES.into_iter().filter(|batch| batch.start >= size) {
        log.append(entries(batch)).unwrap();
    }
    drop(log);
    let disk = disk.after(After::Durable);
    let log = open(&disk).unwrap();
    let facts = log.facts_after(0).unwrap();
    let due = entries(0..520).iter().map(Entry::fact);
    assert!(facts.iter().map(|(_, fact)| fact).eq(due), "{scene}: {facts:?}");
    assert_eq!(log.checkpoint().claim(), expected().claim(), "{scene}");
}

fn expected() -> &'static SignedCheckpoint {
    static WHOLE: LazyLock<SignedCheckpoint> = LazyLock::new(|| {
        let disk = Fragile::default();
        open(&disk).unwrap().append(entries(0..520)).unwrap().checkpoint
    });
    &WHOLE
}

#[test]
fn every_step_may_fail_and_nothing_acknowledged_is_lost() {
    let begun = begun();
    let whole = begun.copy(None);
    run(&whole).unwrap();
    let steps = whole.steps();
    assert!(steps > 40, "{steps} steps");
    for step in 0..steps {
        for fault in [Fault::Lost, Fault::Kept, Fault::Torn] {
            let disk = begun.copy(Some((step, fault)));
            let acknowledged = run(&disk);
            for after in AFTER {
                let scene = format!("step {step} of {steps} {fault:?}, then {after:?}");
                let left = disk.after(after);
                // What the disk shows may have been seen; what is lost with the power was not.
                let promised = acknowledged.iter().cloned().chain(seen(&left));
                finish(&left, &promised.collect::<Vec<_>>(), &scene);
            }
        }
    }
}

#[test]
fn recovery_itself_may_fail_at_every_step() {
    let begun = begun();
    let whole = begun.copy(None);
    run(&whole).unwrap();
    for step in 0..whole.steps() {
        let disk = begun.copy(Some((step, Fault::Kept)));
        let acknowledged = run(&disk);
        let shown = disk.after(After::Power);
        let trial = shown.copy(None);
        drop(open(&trial).unwrap());
        for again in 0..trial.steps() {
            let second =
                shown.copy(Some((again, if again % 2 == 0 { Fault::Lost } else { Fault::Torn })));
            assert!(open(&second).is_err());
            let left = second.after(After::Mixed((step * 100 + again) as u64));
            let promised = acknowledged.iter().cloned().chain(seen(&left));
            finish(
                &left,
                &promised.collect::<Vec<_>>(),
                &format!("step {step}, recovery step {again}"),
            );
        }
    }
}

#[test]
fn the_beginning_of_a_log_may_fail_at_every_step() {
    let trial = Fragile::default();
    drop(open(&trial).unwrap());
    for step in 0..trial.steps() {
        for fault in [Fault::Lost, Fault::Kept, Fault::Torn] {
            for after in AFTER {
                let disk = Fragile::default().copy(Some((step, fault)));
                assert!(open(&disk).is_err());
                let disk = disk.after(after);
                let mut log = open(&disk).unwrap();
                assert_eq!(log.append(entries(0..3)).unwrap().size, 3);
            }
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power_at_once() {
    let disk = begun();
    let mut log = open(&disk).unwrap();
    for batch in BATCHES {
        let appended = log.append(entries(batch)).unwrap();
        for after in AFTER {
            let left = disk.after(after);
            assert_eq!(open(&left).unwrap().size(), appended.size, "{after:?}");
            holds_to(&left, &appended.checkpoint, "acknowledged");
        }
    }
}

#[test]
fn a_log_that_failed_is_opened_again_before_it_writes() {
    let disk = begun();
    let trial = disk.copy(None);
    drop(open(&trial).unwrap());
    let disk = disk.copy(Some((trial.steps(), Fault::Lost)));
    let mut log = open(&disk).unwrap();
    assert!(log.append(entries(250..251)).is_err());
    let refusal = log.append(entries(250..251)).unwrap_err().to_string();
    assert!(refusal.contains("open the log again"), "{refusal}");
}
