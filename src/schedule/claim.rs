//! Who goes first where two airings want one controller at one time.
//!
//! The higher class; then who it comes from (what is normal, the commune's own first; else what
//! comes from further above); then the earlier beginning; then the programme's id. **The order is
//! total: of any two airings exactly one goes first.** Where the law leaves the order of two
//! priority bulletins to the commune, the remark says so and this order is the default.

use std::cmp::Reverse;

use super::Airable;
use super::candidate::Candidate;
use super::remark::Reason;
use super::serve::Said;
use crate::bulletin::{Class, SourceLevel};
use crate::id::ProgrammeId;
use crate::time::Timestamp;

/// What decides between two airings at one time; the greater goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim<'w> {
    class: Class,
    level: u8,
    earlier: Reverse<Timestamp>,
    programme: Reverse<&'w ProgrammeId>,
    occurrence: Reverse<u16>,
    communal: bool,
}

impl<'w> Claim<'w> {
    pub(super) fn of(candidate: &Candidate<'w>, content: &[&Airable]) -> Self {
        let class = content.iter().map(|airable| airable.class).max().unwrap_or(Class::Normal);
        let leading = content.iter().filter(|airable| airable.class == class);
        let source =
            leading.map(|airable| (weight(class, airable.source_level), airable.source_level));
        let (level, source) = source.max().unwrap_or((0, SourceLevel::Commune));
        Self {
            class,
            level,
            earlier: Reverse(candidate.at),
            programme: Reverse(&candidate.programme.id),
            occurrence: Reverse(candidate.occurrence),
            communal: source == SourceLevel::Commune,
        }
    }

    /// Whether the law leaves the order of the two to the commune.
    fn needs_decision(&self, other: &Self) -> bool {
        let both = self.class == Class::Priority && other.class == Class::Priority;
        both && self.communal != other.communal
    }
}

/// What is normal, the commune's own goes first; else what comes from further above.
fn weight(class: Class, level: SourceLevel) -> u8 {
    match (class, level) {
        (Class::Normal, SourceLevel::Commune)
        | (Class::Priority | Class::Emergency, SourceLevel::Central) => 2,
        (_, SourceLevel::Province) => 1,
        (Class::Normal, SourceLevel::Central)
        | (Class::Priority | Class::Emergency, SourceLevel::Commune) => 0,
    }
}

/// What there is to say about the loser.
pub(super) fn collision(winner: &Claim<'_>, loser: &Claim<'_>) -> Vec<Said> {
    let name = || winner.programme.0.clone();
    let mut said = vec![Said::airing(Reason::Collision { winner: name() })];
    if winner.needs_decision(loser) {
        said.push(Said::airing(Reason::Decision { winner: name() }));
    }
    said
}
