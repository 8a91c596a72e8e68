//! How long to wait before the next attempt: twice as long each time, up to a bound, with jitter.
//!
//! Pure: the randomness is a seed. **No wait is shorter than half of its step nor longer than the bound**,
//! so that 5,000 controllers that lost one broker do not all return in the same second.

use std::time::Duration;

/// A growing wait with jitter.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    step: u32,
    state: u64,
}

impl Backoff {
    /// Waits from `first` up to `max`; `seed` decides the jitter.
    #[must_use]
    pub fn new(first: Duration, max: Duration, seed: u64) -> Self {
        Self { first, max, step: 0, state: seed }
    }

    /// The wait before the next attempt.
    #[must_use]
    pub fn next_wait(&mut self) -> Duration {
        let full = self.first.saturating_mul(1 << self.step).min(self.max);
        self.step = (self.step + 1).min(20);
        self.jittered(full)
    }

    /// A wait anywhere below `within`, after a loss that hit many at once.
    #[must_use]
    pub fn spread(&mut self, within: Duration) -> Duration {
        let thousandths = u32::try_from(self.draw() % 1000).unwrap_or(0);
        within * thousandths / 1000
    }

    /// The longest wait, for what will not mend itself soon.
    #[must_use]
    pub fn long_wait(&mut self) -> Duration {
        self.jittered(self.max)
    }

    /// Starts again from the first wait.
    pub fn reset(&mut self) {
        self.step = 0;
    }

    /// Between one half of `full` and `full`.
    fn jittered(&mut self, full: Duration) -> Duration {
        let half = full / 2;
        let thousandths = u32::try_from(self.draw() % 1001).unwrap_or(0);
        half + half * thousandths / 1000
    }

    /// The next number of the splitmix64 sequence.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waits(seed: u64, count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_mins(1), seed);
        (0..count).map(|_| backoff.next_wait()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        assert_eq!(waits(7, 12), waits(7, 12));
    }

    #[test]
    fn two_seeds_give_two_different_sequences() {
        assert_ne!(waits(7, 12), waits(8, 12));
    }

    #[test]
    fn a_reset_starts_again_from_the_first_wait() {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_mins(1), 1);
        for _ in 0..9 {
            let _ = backoff.next_wait();
        }
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(250));
    }

    /// When each of 5,000 controllers is back, in milliseconds after their broker was lost for `down`.
    fn returns(down: Duration) -> Vec<u128> {
        let back = |seed: u64| {
            let seed = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
            let mut backoff =
                Backoff::new(Duration::from_millis(250), Duration::from_mins(1), seed);
            let mut at = backoff.spread(Duration::from_secs(5));
            while at < down {
                at += backoff.next_wait();
            }
            at.as_millis()
        };
        (0..5_000).map(back).collect()
    }

    /// The most of them that come within one second.
    fn most_in_a_second(mut returns: Vec<u128>) -> usize {
        returns.sort_unstable();
        let until = |n: usize| returns.partition_point(|at| *at < returns[n] + 1_000);
        (0..returns.len()).map(|n| until(n) - n).max().unwrap_or(0)
    }

    #[test]
    fn five_thousand_controllers_do_not_come_back_in_the_same_second() {
        // A broker that is back at once, after a few seconds, and after half an hour.
        for (down_s, most_max, last_s_max) in [(0, 1_200, 5), (10, 1_200, 30), (1_800, 400, 1_861)]
        {
            let returns = returns(Duration::from_secs(down_s));
            let last = returns.iter().max().copied().unwrap_or(0) / 1_000;
            let most = most_in_a_second(returns);
            println!("down for {down_s} s: {most} in the fullest second, the last at {last} s");
            assert!(most <= most_max, "{most} in one second after {down_s} s");
            assert!(last <= last_s_max, "the last comes after {last} s");
        }
    }

    proptest! {
        #[test]
        fn every_wait_lies_between_half_of_its_step_and_its_step(seed: u64) {
            for (n, wait) in waits(seed, 30).into_iter().enumerate() {
                let full = Duration::from_millis(250 << n.min(10)).min(Duration::from_mins(1));
                prop_assert!(wait >= full / 2 && wait <= full, "wait {n} is {wait:?}, its step is {full:?}");
            }
        }
    }
}
