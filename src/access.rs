//! Which person may do what, and where: the one place that decides. Default deny.
//!
//! A duty counts in an area and everything below it, written `leader@mu-ca`; without an area it
//! counts in the whole station. **What belongs to no area of a person's duty is closed to them.**

mod scope;
mod throttle;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use scope::{NotAScope, Scopes};
pub use throttle::Throttle;

use crate::id::AreaId;

/// What a person is at the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Hands in texts: the justice office, the police, health.
    Contributor,
    /// Translates or records.
    Announcer,
    /// Listens back.
    Reviewer,
    /// Approves with an own key.
    Leader,
    /// Raises and confirms emergencies with an own key.
    Officer,
    /// Watches a commune's speakers, speaks over them, and takes down what villagers ask.
    Operator,
    /// Reads everything, changes nothing.
    Inspector,
    /// Adds people, areas and devices.
    Administrator,
}

const WORDS: [(Duty, &str); 8] = [
    (Duty::Contributor, "contributor"),
    (Duty::Announcer, "announcer"),
    (Duty::Reviewer, "reviewer"),
    (Duty::Leader, "leader"),
    (Duty::Officer, "officer"),
    (Duty::Operator, "operator"),
    (Duty::Inspector, "inspector"),
    (Duty::Administrator, "administrator"),
];

impl Duty {
    /// Every duty, for lists.
    pub const ALL: [Self; 8] = [
        Self::Contributor,
        Self::Announcer,
        Self::Reviewer,
        Self::Leader,
        Self::Officer,
        Self::Operator,
        Self::Inspector,
        Self::Administrator,
    ];

    fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(duty, _)| *duty == self);
        found.expect("every duty has its word").1
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// See the speakers of a commune and what they play.
    Watch,
    /// Read bulletins, their versions and what villagers ask.
    Read,
    /// Hand in a text, or change what a bulletin is.
    Contribute,
    /// Make a language's text.
    Translate,
    /// Hand in a recording.
    Record,
    /// Listen back to a version, or return it.
    Review,
    /// Approve or withdraw a version.
    Approve,
    /// Raise, confirm or take back an emergency.
    Alarm,
    /// Give an order to a controller.
    Order,
    /// Take down what a villager asks, or close it.
    TakeQuestion,
    /// Answer what a villager asked.
    Answer,
    /// Change areas, villages and controllers.
    ChangeFleet,
    /// Decide for a commune which of two priority bulletins it hears first.
    Decide,
    /// Add people, and invite them to the pages.
    Invite,
    /// Take care of a speaker's fault, or say that somebody works at it.
    Attend,
    /// Make an announcement of the commune's own.
    Announce,
    /// Send a recording to the station; it belongs to nothing yet.
    Upload,
    /// Hear recordings before they may be heard by all.
    Listen,
    /// Make, change or end programmes and exceptions.
    Programme,
}

impl Action {
    /// Every action, for tests and lists.
    pub const ALL: [Self; 19] = [
        Self::Watch,
        Self::Read,
        Self::Contribute,
        Self::Translate,
        Self::Record,
        Self::Review,
        Self::Approve,
        Self::Alarm,
        Self::Order,
        Self::TakeQuestion,
        Self::Answer,
        Self::ChangeFleet,
        Self::Decide,
        Self::Invite,
        Self::Attend,
        Self::Announce,
        Self::Upload,
        Self::Listen,
        Self::Programme,
    ];

    /// The word by which tokens name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Read => "read",
            Self::Contribute => "contribute",
            Self::Translate => "translate",
            Self::Record => "record",
            Self::Review => "review",
            Self::Approve => "approve",
            Self::Alarm => "alarm",
            Self::Order => "order",
            Self::TakeQuestion => "take-question",
            Self::Answer => "answer",
            Self::ChangeFleet => "change-fleet",
            Self::Decide => "decide",
            Self::Invite => "invite",
            Self::Attend => "attend",
            Self::Announce => "announce",
            Self::Upload => "upload",
            Self::Listen => "listen",
            Self::Programme => "programme",
        }
    }

    /// The duties that allow it.
    pub fn duties(self) -> &'static [Duty] {
        match self {
            Self::Watch => {
                &[Duty::Operator, Duty::Officer, Duty::Leader, Duty::Inspector, Duty::Administrator]
            }
            Self::Read => &[
                Duty::Contributor,
                Duty::Announcer,
                Duty::Reviewer,
                Duty::Leader,
                Duty::Officer,
                Duty::Operator,
                Duty::Inspector,
                Duty::Administrator,
            ],
            Self::Contribute => &[Duty::Contributor, Duty::Announcer],
            Self::Translate | Self::Record => &[Duty::Announcer],
            Self::Review => &[Duty::Reviewer, Duty::Leader],
            Self::Approve => &[Duty::Leader],
            Self::Alarm => &[Duty::Officer],
            Self::Order | Self::TakeQuestion | Self::Decide => &[Duty::Operator],
            Self::Answer => &[Duty::Contributor, Duty::Leader],
            Self::ChangeFleet | Self::Invite => &[Duty::Administrator],
            Self::Attend => &[Duty::Operator, Duty::Administrator],
            Self::Announce | Self::Upload => &[Duty::Operator, Duty::Announcer],
            Self::Programme => &[Duty::Announcer, Duty::Leader, Duty::Operator],
            Self::Listen => {
                &[Duty::Operator, Duty::Announcer, Duty::Reviewer, Duty::Leader, Duty::Inspector]
            }
        }
    }

    /// Whether a browser may ask for this only after a one-time code: what speaks to a whole
    /// commune or gives others their duties.
    pub fn needs_code(self) -> bool {
        match self {
            Self::Approve | Self::Alarm | Self::ChangeFleet | Self::Invite => true,
            Self::Watch
            | Self::Read
            | Self::Contribute
            | Self::Translate
            | Self::Record
            | Self::Review
            | Self::Order
            | Self::TakeQuestion
            | Self::Answer
            | Self::Decide
            | Self::Attend
            | Self::Announce
            | Self::Upload
            | Self::Listen
            | Self::Programme => false,
        }
    }
}

/// One duty, in one area or in the whole station.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    duty: Duty,
    area: Option<AreaId>,
}

/// The duties of one person, written `announcer,reviewer@mu-ca`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duties(BTreeSet<Held>);

/// Text that names no duty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no duty; use contributor, announcer, reviewer, leader, officer, operator, inspector or administrator, each with @AREA where it counts there only, with commas between"
)]
pub struct NotADuty(String);

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Somebody without the duty.
    #[error(
        "{who} has not the duty for this ({needed}); ask an administrator, or let somebody do it who has",
        needed = joined(needed, " or ")
    )]
    Duty {
        /// Who.
        who: String,
        /// Which duties allow it.
        needed: &'static [Duty],
    },
    /// Somebody with the duty in another area.
    #[error(
        "{who} may do this only in {held}, and this belongs to {area}; let somebody do it who may there",
        held = joined(held, ", "),
        area = area.as_ref().map_or("the whole station", AreaId::as_str)
    )]
    Area {
        /// Who.
        who: String,
        /// Where they may.
        held: Vec<AreaId>,
        /// Where it belongs; `None` for the whole station.
        area: Option<AreaId>,
    },
}

fn joined(words: &[impl fmt::Display], between: &str) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    words.join(between)
}

impl Duties {
    /// Whether they hold this duty anywhere.
    pub fn hold(&self, duty: Duty) -> bool {
        self.0.iter().any(|held| held.duty == duty)
    }

    /// Whether some duty of theirs allows `action` anywhere.
    pub fn may(&self, action: Action) -> bool {
        action.duties().iter().any(|duty| self.hold(*duty))
    }

    /// Each duty with where it counts; `None` in the whole station.
    pub fn iter(&self) -> impl Iterator<Item = (Duty, Option<&AreaId>)> {
        self.0.iter().map(|held| (held.duty, held.area.as_ref()))
    }

    /// The areas in which they hold this duty; empty where it counts in the whole station.
    pub fn areas(&self, duty: Duty) -> Vec<AreaId> {
        let held = || self.0.iter().filter(|held| held.duty == duty);
        if held().any(|held| held.area.is_none()) {
            return Vec::new();
        }
        held().filter_map(|held| held.area.clone()).collect()
    }

    /// Where each duty counts; `None` for the whole station.
    pub fn places(&self) -> impl Iterator<Item = Option<&AreaId>> {
        self.0.iter().map(|held| held.area.as_ref())
    }

    /// Where a duty of theirs allows `action`: `None` in the whole station, else in these areas and
    /// below them.
    pub fn reach(&self, action: Action) -> Option<Vec<AreaId>> {
        let duties = action.duties();
        let able = || self.0.iter().filter(|held| duties.contains(&held.duty));
        let areas: BTreeSet<AreaId> = able().filter_map(|held| held.area.clone()).collect();
        let whole = able().any(|held| held.area.is_none());
        (!whole).then(|| areas.into_iter().collect())
    }

    /// Refuses `who` unless one of their duties allows `action` at `place`: the chain of areas
    /// from the root to where it belongs. What belongs to the whole station has an empty chain.
    pub fn allow(&self, who: &str, action: Action, place: &[AreaId]) -> Result<(), Denied> {
        let duties = action.duties();
        let able: Vec<&Held> = self.0.iter().filter(|held| duties.contains(&held.duty)).collect();
        if able.is_empty() {
            return Err(Denied::Duty { who: who.to_owned(), needed: duties });
        }
        let covers = |held: &&Held| held.area.as_ref().is_none_or(|area| place.contains(area));
        if able.iter().any(covers) {
            return Ok(());
        }
        let held = able.iter().filter_map(|held| held.area.clone()).collect();
        Err(Denied::Area { who: who.to_owned(), held, area: place.last().cloned() })
    }
}

fn held(word: &str) -> Result<Held, NotADuty> {
    let refuse = || NotADuty(word.chars().take(80).collect());
    let (name, area) = match word.trim().split_once('@') {
        Some((name, area)) => (name, Some(area.parse().map_err(|_| refuse())?)),
        None => (word.trim(), None),
    };
    let found = WORDS.iter().find(|(_, known)| *known == name);
    let (duty, _) = found.ok_or_else(refuse)?;
    Ok(Held { duty: *duty, area })
}

impl FromStr for Duties {
    type Err = NotADuty;

    fn from_str(text: &str) -> Result<Self, NotADuty> {
        let words = text.split(',').filter(|word| !word.trim().is_empty());
        words.map(held).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Duties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |held: &Held| match &held.area {
            Some(area) => format!("{}@{area}", held.duty.word()),
            None => held.duty.word().to_owned(),
        };
        let words: Vec<String> = self.0.iter().map(word).collect();
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duties(text: &str) -> Duties {
        text.parse().unwrap()
    }

    fn place(text: &str) -> Vec<AreaId> {
        text.split_whitespace().map(|area| area.parse().unwrap()).collect()
    }

    #[test]
    fn nobody_may_do_anything_without_a_duty() {
        for action in Action::ALL {
            assert!(Duties::default().allow("lan", action, &[]).is_err(), "{action:?}");
        }
    }

    #[test]
    fn each_duty_allows_its_own_actions_and_no_other() {
        for (duty, word) in WORDS {
            for action in Action::ALL {
                let allowed = duties(word).allow("lan", action, &place("tinh xa")).is_ok();
                assert_eq!(allowed, action.duties().contains(&duty), "{word} {action:?}");
            }
        }
    }

    #[test]
    fn an_inspector_sees_and_changes_nothing() {
        let inspects = |action: &&Action| action.duties().contains(&Duty::Inspector);
        let allowed: Vec<&Action> = Action::ALL.iter().filter(inspects).collect();
        assert_eq!(allowed, [&Action::Watch, &Action::Read, &Action::Listen]);
    }

    #[test]
    fn a_duty_in_an_area_counts_there_and_below_and_nowhere_else() {
        let leader = duties("leader@mu-ca");
        for near in ["lai-chau mu-ca", "lai-chau mu-ca ban-nui"] {
            assert!(leader.allow("minh", Action::Approve, &place(near)).is_ok(), "{near}");
        }
        for far in ["lai-chau", "lai-chau ka-lang", ""] {
            let denied = leader.allow("minh", Action::Approve, &place(far)).unwrap_err();
            assert!(denied.to_string().contains("only in mu-ca"), "{denied}");
        }
    }

    #[test]
    fn a_duty_of_the_whole_station_outweighs_one_in_an_area() {
        let both = duties("leader@mu-ca,leader");
        assert!(both.allow("minh", Action::Approve, &place("lai-chau ka-lang")).is_ok());
        assert_eq!(both.areas(Duty::Leader), []);
        assert_eq!(duties("leader@b,leader@a").areas(Duty::Leader), place("a b"));
    }

    #[test]
    fn where_an_action_is_allowed_is_everywhere_or_a_list() {
        let reach = |text: &str| duties(text).reach(Action::Watch);
        assert_eq!(reach("inspector"), None);
        assert_eq!(reach("inspector@b,operator@a,announcer"), Some(place("a b")));
        assert_eq!(reach("announcer"), Some(vec![]));
        assert_eq!(reach("operator@a,inspector"), None);
    }

    #[test]
    fn only_a_leader_approves() {
        let denied = duties("announcer, reviewer").allow("lan", Action::Approve, &[]).unwrap_err();
        assert!(denied.to_string().contains("(leader)"), "{denied}");
    }

    #[test]
    fn a_mistyped_duty_or_area_is_refused() {
        for bad in ["leeder", "leader@", "leader@Mù Cả", "@mu-ca"] {
            assert!(bad.parse::<Duties>().is_err(), "{bad}");
        }
        assert_eq!(duties("leader@mu-ca,announcer").to_string(), "announcer,leader@mu-ca");
    }
}
