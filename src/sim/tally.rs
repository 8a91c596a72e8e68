//! What many runs came to together, as a part of `docs/reliability.md`.

use std::collections::BTreeMap;
use std::fmt;

use crate::sim::{PROMISES, Verdict};

/// The sums of many verdicts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Seeds that were simulated.
    pub seeds: u64,
    /// Those of them in which a promise was broken.
    pub broken: Vec<u64>,
    /// Events that happened.
    pub events: u64,
    checks: [u64; 10],
    violations: [u64; 10],
    faults: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, verdict: &Verdict) {
        self.seeds += 1;
        self.events += verdict.events;
        if !verdict.holds() {
            self.broken.push(verdict.seed);
        }
        for (sum, checks) in self.checks.iter_mut().zip(verdict.checks) {
            *sum += checks;
        }
        for violation in &verdict.violations {
            self.violations[violation.promise - 1] += 1;
        }
        for (kind, count) in &verdict.faults {
            *self.faults.entry(kind.to_string()).or_default() += count;
        }
    }
}

/// As Markdown: promises, then faults.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| promise | looked at | broken |")?;
        writeln!(f, "|---|--:|--:|")?;
        for (n, promise) in PROMISES.iter().enumerate() {
            let (checks, broken) = (grouped(self.checks[n]), self.violations[n]);
            writeln!(f, "| {}. {promise} | {checks} | {broken} |", n + 1)?;
        }
        let all = grouped(self.faults.values().sum());
        writeln!(f, "\n{all} faults of {} kinds:\n", self.faults.len())?;
        let mut line = String::new();
        for (nth, (kind, count)) in self.faults.iter().enumerate() {
            let end = if nth + 1 == self.faults.len() { "." } else { "," };
            let word = format!("{kind} {}{end}", grouped(*count));
            if line.chars().count() + word.chars().count() > 118 {
                writeln!(f, "{}", line.trim_end())?;
                line.clear();
            }
            line.push_str(&word);
            line.push(' ');
        }
        writeln!(f, "{}", line.trim_end())
    }
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
