//! Many seeds on many cores: each seed is simulated by one thread, alone.

use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::sim::{Plan, Verdict, run};

/// Simulates every plan, `jobs` at a time, and tells of each verdict as it comes. What `tell` says
/// is whether to begin another.
pub fn run_each(
    plans: impl Iterator<Item = Plan> + Send,
    jobs: usize,
    mut tell: impl FnMut(Verdict) -> bool,
) {
    let plans = Mutex::new(Some(plans));
    let next = || plans.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.next();
    let (sender, verdicts) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                while let Some(plan) = next() {
                    if sender.send(run(plan)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for verdict in verdicts {
            if !tell(verdict) {
                *plans.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Signatures, Weather};

    #[test]
    fn every_seed_is_simulated_once_until_somebody_says_enough() {
        let plan = |seed| Plan {
            seed,
            controllers: 1,
            days: 1,
            weather: Weather::Calm,
            signatures: Signatures::StandIn,
        };
        let mut seeds = vec![];
        run_each((1..=5).map(plan), 2, |verdict| {
            seeds.push(verdict.seed);
            true
        });
        seeds.sort_unstable();
        assert_eq!(seeds, [1, 2, 3, 4, 5]);
        let mut count = 0;
        run_each((1..=50).map(plan), 1, |_| {
            count += 1;
            false
        });
        assert!(count < 50, "{count}");
    }
}
