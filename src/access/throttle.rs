//! How often somebody may try to sign in: the brake on guessing.
//!
//! Failures count per name and per address. After [`FREE`] failures of a name the next try must
//! wait, each time twice as long, up to [`WAIT_MAX`]; an address has a larger allowance, since a
//! whole office may share one. **A right password during the wait is refused too**, so that
//! guessing learns nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Uptime;

/// Failures of one name before it must wait: mistyping is human.
const FREE: u32 = 5;

/// Failures from one address before it must wait: an office of people behind one router.
const FREE_ADDRESS: u32 = 30;

/// The first wait.
const WAIT: Duration = Duration::from_secs(30);

/// The longest wait: an operator who is locked out by somebody else's guesses must get in the same
/// morning.
const WAIT_MAX: Duration = Duration::from_mins(15);

/// After so long without a failure all is forgotten.
const FORGET: Duration = Duration::from_hours(1);

/// Names and addresses that are remembered at most; the longest quiet is forgotten first.
const KEPT_MAX: usize = 10_000;

/// Who or what failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Name(String),
    Address(String),
}

impl Subject {
    fn free(&self) -> u32 {
        match self {
            Self::Name(_) => FREE,
            Self::Address(_) => FREE_ADDRESS,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Uptime,
}

/// The failures of everybody, in memory: a restart forgives.
#[derive(Debug, Default)]
pub struct Throttle(BTreeMap<Subject, Failures>);

impl Throttle {
    /// How long `name` at `address` must still wait; `None` where they may try.
    pub fn wait(&self, now: Uptime, name: &str, address: &str) -> Option<Duration> {
        subjects(name, address).iter().filter_map(|subject| self.left(now, subject)).max()
    }

    /// Notes a failure.
    pub fn failed(&mut self, now: Uptime, name: &str, address: &str) {
        self.0.retain(|_, failures| now.since(failures.last) < FORGET);
        for subject in subjects(name, address) {
            let failures = self.0.entry(subject).or_insert(Failures { count: 0, last: now });
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
        while self.0.len() > KEPT_MAX {
            let oldest = self.0.iter().min_by_key(|(_, failures)| failures.last);
            let Some(oldest) = oldest.map(|(subject, _)| subject.clone()) else { break };
            self.0.remove(&oldest);
        }
    }

    /// Forgets the failures of a name that signed in; those of the address stay.
    pub fn succeeded(&mut self, name: &str) {
        self.0.remove(&Subject::Name(name.to_owned()));
    }

    fn left(&self, now: Uptime, subject: &Subject) -> Option<Duration> {
        let failures = self.0.get(subject)?;
        let over = failures.count.checked_sub(subject.free())?;
        let wait = WAIT.saturating_mul(2u32.saturating_pow(over)).min(WAIT_MAX);
        wait.checked_sub(now.since(failures.last)).filter(|left| !left.is_zero())
    }
}

fn subjects(name: &str, address: &str) -> [Subject; 2] {
    [Subject::Name(name.to_owned()), Subject::Address(address.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Uptime {
        Uptime::at(Duration::from_secs(seconds))
    }

    fn after(failures: u32) -> Throttle {
        let mut throttle = Throttle::default();
        for _ in 0..failures {
            throttle.failed(at(0), "lan", "192.0.2.1");
        }
        throttle
    }

    #[test]
    fn five_mistypings_cost_nothing_yet_and_the_next_ones_double_the_wait() {
        assert_eq!(after(4).wait(at(0), "lan", "192.0.2.1"), None);
        let waits = [(5, 30), (6, 60), (7, 120), (10, 900), (40, 900)];
        for (failures, seconds) in waits {
            let wait = after(failures).wait(at(0), "lan", "192.0.2.9");
            assert_eq!(wait, Some(Duration::from_secs(seconds)), "{failures}");
        }
    }

    #[test]
    fn after_the_wait_one_may_try_again_and_after_an_hour_all_is_forgotten() {
        assert_eq!(after(5).wait(at(29), "lan", "a"), Some(Duration::from_secs(1)));
        assert_eq!(after(5).wait(at(30), "lan", "a"), None);
        let mut throttle = after(9);
        throttle.failed(at(4000), "hoa", "b");
        assert_eq!(throttle.wait(at(4000), "lan", "a"), None);
        throttle.failed(at(4000), "lan", "a");
        assert_eq!(throttle.wait(at(4000), "lan", "a"), None, "the count began anew");
    }

    #[test]
    fn one_address_cannot_try_every_name() {
        let mut throttle = Throttle::default();
        for n in 0..FREE_ADDRESS {
            assert_eq!(throttle.wait(at(0), "new", "192.0.2.1"), None, "{n}");
            throttle.failed(at(0), &format!("name-{n}"), "192.0.2.1");
        }
        assert!(throttle.wait(at(0), "new", "192.0.2.1").is_some());
        assert_eq!(throttle.wait(at(0), "new", "192.0.2.2"), None, "others may go on");
    }

    #[test]
    fn who_signed_in_starts_anew() {
        let mut throttle = after(7);
        throttle.succeeded("lan");
        assert_eq!(throttle.wait(at(0), "lan", "192.0.2.1"), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..KEPT_MAX {
            throttle.failed(at(n as u64 / 10), &format!("n{n}"), &format!("a{n}"));
        }
        assert!(throttle.0.len() <= KEPT_MAX);
        assert!(throttle.0.contains_key(&Subject::Name(format!("n{}", KEPT_MAX - 1))));
    }
}
