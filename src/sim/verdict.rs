//! What became of the promises.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The promises, by their numbers in the design.
pub const PROMISES: [&str; 10] = [
    "nothing unapproved, expired or withdrawn is heard",
    "nothing is heard that the station's people did not sign",
    "a routine airing is begun at most once, an emergency completed at least once",
    "no emergency after its expiry or completion, no older order or schedule",
    "outside the airtime only an emergency sounds",
    "nothing is heard in a language that the village did not ask for",
    "without a network the held schedule goes on, and its receipts arrive",
    "every sound has a receipt, every receipt an entry, every airing an outcome and a true cause",
    "a receipt counts as delivered only when the log has it",
    "bad input changes nothing else",
];

/// A promise that was broken.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Violation {
    /// Its number in the design.
    pub promise: usize,
    /// When, from the beginning.
    pub at: Duration,
    /// At which controller; none for the server.
    pub site: Option<usize>,
    /// In a sentence.
    pub what: String,
}

/// What a run came to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Verdict {
    /// The seed that gives the same run again.
    pub seed: u64,
    /// Controllers.
    pub controllers: usize,
    /// Days before the calm.
    pub days: u32,
    /// Events that happened.
    pub events: u64,
    /// How often each promise was looked at.
    pub checks: [u64; 10],
    /// Faults by kind.
    pub faults: BTreeMap<Cow<'static, str>, u64>,
    /// What was broken, the first twenty.
    pub violations: Vec<Violation>,
    /// The last events of the controller of the first violation.
    pub last: Vec<String>,
    /// One line for each of a few controllers.
    pub timeline: Vec<String>,
}

impl Verdict {
    /// Whether every promise held.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.site.map_or("server".to_owned(), |site| format!("c-{site}"));
        write!(f, "{} {place}: promise {}: {}", clock(self.at), self.promise, self.what)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, controllers, days, events, .. } = self;
        writeln!(f, "seed {seed}: {controllers} controllers, {days} days, {events} events")?;
        for line in &self.timeline {
            writeln!(f, "  {line}")?;
        }
        for (n, (promise, checks)) in PROMISES.iter().zip(self.checks).enumerate() {
            let broken = self.violations.iter().filter(|v| v.promise == n + 1).count();
            let word = if broken == 0 { "held" } else { "BROKEN" };
            writeln!(f, "  {:>2} {word:<6} {checks:>10} times looked at: {promise}", n + 1)?;
        }
        let faults: Vec<String> =
            self.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        if !faults.is_empty() {
            writeln!(f, "  faults: {}", faults.join(", "))?;
        }
        for violation in &self.violations {
            writeln!(f, "  {violation}")?;
        }
        for line in &self.last {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

/// A time from the beginning as day and wall clock.
pub(super) fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let (day, rest) = (seconds / 86_400, seconds % 86_400);
    format!("{day}+{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}
