//! Who goes first where two airings want one controller at one time.
//!
//! The higher class; then who it comes from (what is normal, the commune's own first; else what
//! comes from further above); then the earlier beginning; then the programme's id. **The order is
//! total: of any two airings exactly one goes first.** Where the law leaves the order of two
//! priority bulletins to the commune, its decision holds, and this order is the default.

use std::cmp::Reverse;

use super::Airable;
use super::candidate::Candidate;
use super::decision::{Contender, Decision, DecisionId, deadline};
use super::remark::{Reason, WallClock};
use super::serve::Said;
use crate::bulletin::{Class, SourceLevel};
use crate::id::{AreaId, ProgrammeId};
use crate::time::{LocalDate, Timestamp, Zone};

/// What decides between two airings at one time; the greater goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim<'w> {
    class: Class,
    level: u8,
    earlier: Reverse<Timestamp>,
    programme: Reverse<&'w ProgrammeId>,
    occurrence: Reverse<u16>,
    communal: bool,
    date: LocalDate,
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
            date: candidate.date,
        }
    }

    /// Whether the law leaves the order of the two to the commune.
    fn needs_decision(&self, other: &Self) -> bool {
        let both = self.class == Class::Priority && other.class == Class::Priority;
        both && self.communal != other.communal && self.programme != other.programme
    }

    fn contender(&self) -> Contender {
        Contender { programme: self.programme.0.clone(), occurrence: self.occurrence.0 }
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

/// Which of two goes first, and what there is to say about the other.
pub(super) struct Verdict {
    /// Whether it is the one that was asked about first.
    pub(super) first: bool,
    pub(super) said: Vec<Said>,
}

/// A question to the commune that no decision in time answers.
#[derive(Clone)]
pub(super) struct Asked {
    date: LocalDate,
    pair: [Contender; 2],
    deadline: WallClock,
    default: ProgrammeId,
}

impl Asked {
    /// The question as it is put to `commune`.
    pub(super) fn reason(&self, commune: &AreaId) -> Reason {
        let decision = DecisionId::new(commune.clone(), self.date, self.pair.clone());
        Reason::Decision {
            decision: decision.expect("only two programmes are put to a commune"),
            deadline: self.deadline,
            default: self.default.clone(),
        }
    }
}

/// Which of `one` and `other` goes first at a place whose commune took these `decisions`.
pub(super) fn verdict<'w>(
    zone: Zone,
    decisions: &[&'w Decision],
    one: &Claim<'w>,
    other: &Claim<'w>,
) -> Verdict {
    let usual = one > other;
    let outcome = |first: bool| {
        let winner = if first { one } else { other };
        winner.programme.0.clone()
    };
    let collision = |first| Said::airing(Reason::Collision { winner: outcome(first) });
    if !one.needs_decision(other) {
        return Verdict { first: usual, said: vec![collision(usual)] };
    }
    let ends = deadline(one.earlier.0, other.earlier.0);
    let deadline = WallClock::of(zone, ends);
    let taken = decision(decisions, one, other);
    if let Some(decision) = taken.filter(|decision| decision.at < ends) {
        let first = decision.first == *one.programme.0;
        let (id, by) = (decision.id.clone(), decision.by.clone());
        let at = WallClock::of(zone, decision.at);
        let reason = Reason::Decided { decision: id, winner: outcome(first), by, at };
        return Verdict { first, said: vec![Said::airing(reason)] };
    }
    let mut said = vec![collision(usual)];
    if let Some(late) = taken {
        let (id, by) = (late.id.clone(), late.by.clone());
        let at = WallClock::of(zone, late.at);
        said.push(Said::airing(Reason::DecisionLate { decision: id, by, at, deadline }));
    } else {
        let pair = [one.contender(), other.contender()];
        let asked = Asked { date: one.date, pair, deadline, default: outcome(usual) };
        said.push(Said::asked(asked));
    }
    Verdict { first: usual, said }
}

/// The decision about the two, if one was taken that names one of them.
fn decision<'w>(
    decisions: &[&'w Decision],
    one: &Claim<'w>,
    other: &Claim<'w>,
) -> Option<&'w Decision> {
    let mut pair = [one.contender(), other.contender()];
    pair.sort();
    let mut about = decisions
        .iter()
        .filter(|decision| decision.id.date() == one.date && *decision.id.pair() == pair);
    about.find(|decision| decision.id.is_about(&decision.first)).copied()
}
