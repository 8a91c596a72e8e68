//! Which person may do what: the one place that decides. Default deny.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What a person is at the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Hands in texts.
    Contributor,
    /// Translates or records.
    Announcer,
    /// Listens back.
    Reviewer,
    /// Approves with an own key.
    Leader,
    /// Watches a commune's speakers.
    Operator,
    /// Reads everything, changes nothing.
    Inspector,
    /// Adds people and devices.
    Administrator,
}

const WORDS: [(Duty, &str); 7] = [
    (Duty::Contributor, "contributor"),
    (Duty::Announcer, "announcer"),
    (Duty::Reviewer, "reviewer"),
    (Duty::Leader, "leader"),
    (Duty::Operator, "operator"),
    (Duty::Inspector, "inspector"),
    (Duty::Administrator, "administrator"),
];

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Hand in a recording.
    Record,
    /// Listen back to a version.
    Review,
    /// Approve or withdraw a version.
    Approve,
}

impl Action {
    fn duties(self) -> &'static [Duty] {
        match self {
            Self::Record => &[Duty::Announcer],
            Self::Review => &[Duty::Reviewer, Duty::Leader],
            Self::Approve => &[Duty::Leader],
        }
    }
}

/// The duties of one person, written `announcer,reviewer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duties(BTreeSet<Duty>);

/// Text that names no duty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no duty; use contributor, announcer, reviewer, leader, operator, inspector or administrator, with commas between"
)]
pub struct NotADuty(String);

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{who} has not the duty for this ({needed}); ask an administrator, or let somebody do it who has"
)]
pub struct Denied {
    who: String,
    needed: Duties,
}

impl Duties {
    /// Whether they hold this duty.
    pub fn hold(&self, duty: Duty) -> bool {
        self.0.contains(&duty)
    }

    /// Refuses `who` unless one of their duties allows `action`.
    pub fn allow(&self, who: &str, action: Action) -> Result<(), Denied> {
        if action.duties().iter().any(|duty| self.hold(*duty)) {
            return Ok(());
        }
        let needed = Self(action.duties().iter().copied().collect());
        Err(Denied { who: who.to_owned(), needed })
    }
}

impl FromStr for Duties {
    type Err = NotADuty;

    fn from_str(text: &str) -> Result<Self, NotADuty> {
        let duty = |word: &str| {
            let found = WORDS.iter().find(|(_, name)| *name == word.trim());
            found.map(|(duty, _)| *duty).ok_or_else(|| NotADuty(word.chars().take(40).collect()))
        };
        text.split(',')
            .filter(|word| !word.trim().is_empty())
            .map(duty)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Duties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = WORDS.iter().filter(|(duty, _)| self.hold(*duty));
        let words: Vec<&str> = words.map(|(_, word)| *word).collect();
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_do_anything_without_a_duty() {
        for action in [Action::Record, Action::Review, Action::Approve] {
            assert!(Duties::default().allow("lan", action).is_err());
        }
    }

    #[test]
    fn only_a_leader_approves() {
        let announcer: Duties = "announcer, reviewer".parse().unwrap();
        let denied = announcer.allow("lan", Action::Approve).unwrap_err();
        assert!(denied.to_string().contains("(leader)"), "{denied}");
        assert!("leader".parse::<Duties>().unwrap().allow("minh", Action::Approve).is_ok());
    }

    #[test]
    fn a_mistyped_duty_is_refused() {
        assert!("leeder".parse::<Duties>().is_err());
        assert_eq!("leader,announcer".parse::<Duties>().unwrap().to_string(), "announcer,leader");
    }
}
