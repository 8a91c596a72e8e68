//! Chance from a seed: the same seed, the same days.

use std::time::Duration;

/// A stream of numbers that only the seed decides.
#[derive(Debug)]
pub(super) struct Chance(fastrand::Rng);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: u64) -> bool {
        self.0.u64(0..n.max(1)) == 0
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.usize(0..n.max(1))
    }

    /// A number from `low` to `high`.
    pub(super) fn number(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high)
    }

    /// A length of time from `low` to `high`.
    pub(super) fn length(&mut self, low: Duration, high: Duration) -> Duration {
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.0.u64(micros(low)..=micros(high)))
    }

    /// How long until something happens that happens once in `mean`: between nothing and twice it.
    pub(super) fn until_next(&mut self, mean: Duration) -> Duration {
        self.length(Duration::from_millis(1), mean * 2)
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.0.usize(0..of.len().max(1)))
    }

    /// 32 bytes.
    pub(super) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill(&mut bytes);
        bytes
    }
}
