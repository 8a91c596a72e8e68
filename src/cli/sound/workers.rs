//! Several recordings at once: one worker for each core, results told in the order of the command line.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

/// The most workers that may be asked for: each holds a recording's decoder and encoder, some 30 MB.
pub(super) const WORKERS_MAX: usize = 64;

/// One worker for each core that this process may use.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(WORKERS_MAX)
}

/// Works through `jobs` on at most `workers` threads; `tell` gets each result, in the order of the jobs.
pub(super) fn each<J: Sync, R: Send>(
    workers: usize,
    jobs: &[J],
    work: impl Fn(&J) -> R + Sync,
    mut tell: impl FnMut(&J, R),
) {
    let next = AtomicUsize::new(0);
    let (sender, results) = channel();
    thread::scope(|scope| {
        for _ in 0..workers.clamp(1, WORKERS_MAX).min(jobs.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((index, job)) = take(jobs, next) {
                    if sender.send((index, work(job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut told) = (BTreeMap::new(), 0);
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&told) {
                tell(&jobs[told], result);
                told += 1;
            }
        }
    });
}

fn take<'a, J>(jobs: &'a [J], next: &AtomicUsize) -> Option<(usize, &'a J)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, jobs.get(index)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_are_told_in_order_whoever_is_first() {
        let jobs: Vec<u64> = (0..200).collect();
        let mut told = Vec::new();
        each(4, &jobs, |job| job * 2, |job, result| told.push((*job, result)));
        assert_eq!(told, jobs.iter().map(|job| (*job, job * 2)).collect::<Vec<_>>());
    }

    #[test]
    fn two_workers_work_at_the_same_time() {
        // Would wait for ever with one.
        let both = Barrier::new(2);
        let mut led = 0;
        each(2, &[(), ()], |()| both.wait().is_leader(), |(), leader| led += usize::from(leader));
        assert_eq!(led, 1);
    }
}
