//! Fuzzing on stable Rust, for a bounded time: every place where bytes from outside come in.
//!
//! ```text
//! cargo test --test fuzz                                        all targets, 20 s, always the same seed
//! cargo test --test fuzz -- --seconds 600 --seed 7              longer, elsewhere
//! cargo test --test fuzz -- --target manifest --seconds 60      one target
//! cargo test --test fuzz -- --replay fuzz/found/manifest-0a1b   one input again
//! ```
//!
//! **No input may cause a panic, take more memory or time than its size justifies, or break the promise that its target
//! names** (what is read, written and read again is the same; a forged signature never verifies; an error is a
//! sentence). An input that does is made smaller, kept in `fuzz/found/` and named with the command that repeats it. It
//! moves to `fuzz/regressions/` with the mending; those are run first, always. There is no coverage to guide by on
//! stable Rust: inputs that lead to a new outcome are kept as seeds instead.

#![expect(clippy::unwrap_used, reason = "a harness that cannot go on fails")]

mod documents;
mod files;
mod mutate;
mod proofs;
mod sound;
mod target;
mod worker;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use loaban::digest::Digest;
use peak_alloc::PeakAlloc;

use mutate::{Dice, mutated};
use target::{Broken, Outcome, Target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What all targets take together when nothing is said.
const SECONDS: f64 = 20.0;

/// How long one input may take. The machine may be busy with other tests.
const INPUT_TIME_MAX: Duration = Duration::from_secs(10);

/// Inputs kept as seeds of one target.
const KEPT_MAX: usize = 600;

/// Executions spent on making a failing input smaller.
const SHRINK_TRIES: usize = 300;

/// Failures after which a target is left alone.
const FAILURES_MAX: usize = 5;

thread_local! {
    /// Where the last panic of this thread happened, and what it said.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What the command line asks for.
struct Plan {
    seconds: f64,
    seed: u64,
    target: Option<String>,
    replay: Option<PathBuf>,
}

impl Plan {
    /// `None` where the test command asks for other tests only.
    fn read(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut plan = Self { seconds: SECONDS, seed: 1, target: None, replay: None };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} what?"));
            match argument.as_str() {
                "--seconds" => plan.seconds = value().parse().expect("seconds are a number"),
                "--seed" => plan.seed = value().parse().expect("a seed is a number"),
                "--target" => plan.target = Some(value()),
                "--replay" => plan.replay = Some(value().into()),
                "--list" => return None,
                // What cargo hands to every test, such as --nocapture.
                flag if flag.starts_with('-') => {}
                filter if "fuzz".contains(filter) => {}
                _ => return None,
            }
        }
        Some(plan)
    }
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(worker::SUBCOMMAND) {
        return worker::run();
    }
    let Some(plan) = Plan::read(std::env::args().skip(1)) else { return ExitCode::SUCCESS };
    panic::set_hook(Box::new(|panic| {
        PANIC.with_borrow_mut(|last| *last = panic.to_string().replace('\n', " "));
    }));
    let mut chosen = targets();
    chosen.retain(|it| plan.target.as_ref().is_none_or(|name| *name == it.name()));
    assert!(!chosen.is_empty(), "no target is called {}", plan.target.unwrap_or_default());
    let failures = match &plan.replay {
        Some(path) => replay(path, &mut chosen),
        None => regressions(&mut chosen) + fuzz(&plan, &mut chosen),
    };
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn targets() -> Vec<Box<dyn Target>> {
    let mut targets = sound::targets();
    targets.extend(documents::targets());
    targets.extend(proofs::targets());
    targets.extend(files::targets());
    targets
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// Runs the target that a file's name begins with. The failures.
fn replay(path: &Path, targets: &mut [Box<dyn Target>]) -> usize {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let input = fs::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let mut failures = 0;
    for target in targets.iter_mut().filter(|it| name.starts_with(&format!("{}-", it.name()))) {
        let outcome = guarded(target.as_mut(), &input);
        println!("{name}: {outcome:?}");
        failures += usize::from(outcome.is_err());
    }
    failures
}

fn regressions(targets: &mut [Box<dyn Target>]) -> usize {
    let Ok(listed) = fs::read_dir(folder("regressions")) else { return 0 };
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| replay(path, targets)).sum()
}

fn fuzz(plan: &Plan, targets: &mut [Box<dyn Target>]) -> usize {
    let shares: u32 = targets.iter().map(|it| it.share()).sum();
    println!("{:<16} {:>10} {:>8} {:>9}  remarks", "target", "inputs", "kept", "per s");
    let mut failures = 0;
    for target in targets {
        let seconds = plan.seconds * f64::from(target.share()) / f64::from(shares);
        let run = Run::of(target.as_mut(), plan.seed, Duration::from_secs_f64(seconds));
        let rate = f64::from(run.inputs) / run.took.as_secs_f64();
        println!(
            "{:<16} {:>10} {:>8} {rate:>9.0}  {}",
            target.name(),
            run.inputs,
            run.kept,
            target.remark()
        );
        failures += run.failures;
    }
    failures
}

#[expect(clippy::disallowed_methods, reason = "a budget of real time is spent")]
fn now() -> Instant {
    Instant::now()
}

/// What one target went through.
struct Run {
    inputs: u32,
    kept: usize,
    failures: usize,
    took: Duration,
}

impl Run {
    fn of(target: &mut dyn Target, seed: u64, time: Duration) -> Self {
        let mut dice = Dice::new(seed, &target.name());
        let (mut seeds, mut known) = (target.seeds(), BTreeSet::new());
        assert!(!seeds.is_empty(), "{} has no seeds", target.name());
        let mut run = Self { inputs: 0, kept: 0, failures: 0, took: Duration::ZERO };
        let begun = now();
        let mut first = seeds.clone().into_iter();
        while begun.elapsed() < time && run.failures < FAILURES_MAX {
            let input = first.next().unwrap_or_else(|| {
                let (one, other) = (dice.below(seeds.len()), dice.below(seeds.len()));
                mutated(&mut dice, &seeds[one], &seeds[other])
            });
            run.inputs += 1;
            match guarded(target, &input) {
                Ok(word) => {
                    if known.insert(word) && seeds.len() < KEPT_MAX {
                        run.kept += 1;
                        seeds.push(input);
                    }
                }
                Err(broken) => {
                    run.failures += 1;
                    report(target, &input, &broken);
                }
            }
        }
        run.took = begun.elapsed();
        run
    }
}

/// Runs one input within its bounds of panics, time and memory.
fn guarded(target: &mut dyn Target, input: &[u8]) -> Outcome {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begun = now();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| target.run(input)))
        .unwrap_or_else(|_| Err(Broken(PANIC.with_borrow(Clone::clone))))?;
    let (took, taken) = (begun.elapsed(), MEMORY.peak_usage().saturating_sub(before));
    if took > INPUT_TIME_MAX {
        return Err(Broken(format!("it took {} ms", took.as_millis())));
    }
    let most = target.memory_max(input.len());
    if taken > most {
        return Err(Broken(format!("it took {taken} bytes of memory, more than {most}")));
    }
    Ok(outcome)
}

/// Makes a failing input smaller, keeps it, and says how to repeat it.
fn report(target: &mut dyn Target, input: &[u8], broken: &Broken) {
    let small = shrunk(target, input);
    let name = format!("{}-{}", target.name(), Digest::of(&small).short());
    fs::create_dir_all(folder("found")).unwrap();
    fs::write(folder("found").join(&name), &small).unwrap();
    println!("BROKEN {}: {}", target.name(), broken.0);
    println!("  again: cargo test --test fuzz -- --replay fuzz/found/{name}");
}

/// Takes parts out for as long as it still fails.
fn shrunk(target: &mut dyn Target, input: &[u8]) -> Vec<u8> {
    let (mut best, mut part, mut tries) = (input.to_vec(), input.len() / 2, 0);
    let begun = now();
    while part > 0 && tries < SHRINK_TRIES && begun.elapsed() < INPUT_TIME_MAX {
        let mut at = 0;
        while at + part <= best.len() && tries < SHRINK_TRIES {
            let mut less = best.clone();
            less.drain(at..at + part);
            tries += 1;
            if guarded(target, &less).is_err() {
                best = less;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    best
}
