//! What a program may do for a person: some of the actions, written `watch,order`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::Action;

/// The actions that a token allows, as far as its person may take them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Action>);

/// Text that names no scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope; use one or more of {known}, with commas between", known = words())]
pub struct NotAScope(String);

fn words() -> String {
    Action::ALL.map(Action::word).join(", ")
}

impl Scopes {
    /// Whether `action` is among them.
    pub fn hold(&self, action: Action) -> bool {
        self.0.contains(&action)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Action> + '_ {
        self.0.iter().copied()
    }
}

impl FromStr for Scopes {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        let scope = |word: &str| {
            let found = Action::ALL.into_iter().find(|action| action.word() == word.trim());
            found.ok_or_else(|| NotAScope(word.chars().take(80).collect()))
        };
        text.split(',').map(scope).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Action::word).collect();
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written_and_nothing_else_is() {
        let scopes: Scopes = "order, watch".parse().unwrap();
        assert!(scopes.hold(Action::Watch) && !scopes.hold(Action::Alarm));
        assert_eq!(scopes.to_string(), "watch,order");
        for bad in ["", "everything", "watch,", "Watch"] {
            assert!(bad.parse::<Scopes>().unwrap_err().to_string().contains("alarm"), "{bad}");
        }
    }

    #[test]
    fn every_action_has_a_word_of_its_own() {
        let all = Action::ALL.map(Action::word).join(",");
        assert_eq!(all.parse::<Scopes>().unwrap().iter().count(), Action::ALL.len());
    }
}
