//! Decisions: which of two priority bulletins a commune hears first.
//!
//! Where a priority bulletin from above meets the commune's own, the law leaves the order to the
//! commune. The plan asks: it names the decision, its deadline, and what goes first if nobody
//! decides. **A decision counts only if it was taken before its deadline and its question still
//! stands**; any other is left aside, and the plan says so. Decisions are about pairs: of three
//! airings at one time the others go by the usual order.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::remark::{Reason, WallClock};
use super::{Plan, World};
use crate::id::{AreaId, ControllerId, PersonId, ProgrammeId};
use crate::time::{LocalDate, Timestamp};

/// How long before the earlier of the two airings a decision must be taken: controllers on weak
/// links must still get the manifest that follows from it.
pub const DECISION_LEAD: Duration = Duration::from_hours(1);

/// One of the two airings of a decision: a programme's airing of that day, by its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contender {
    /// The programme.
    pub programme: ProgrammeId,
    /// Its place among the programme's airings of that date.
    pub occurrence: u16,
}

/// What is to be decided: in which commune, on which day, between which two airings.
///
/// Written `mu-ca/2026-11-22/tin-tinh.0/tin-xa.0`, the two in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId {
    area: AreaId,
    date: LocalDate,
    pair: [Contender; 2],
}

/// Text that names no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no decision; copy one from `loaban schedule decisions`, such as \
     mu-ca/2026-11-22/tin-tinh.0/tin-xa.0"
)]
pub struct NotADecision(String);

impl DecisionId {
    /// The decision between two airings, in whatever order they come; `None` where they are of
    /// one programme, whose airings nobody needs to order.
    pub fn new(area: AreaId, date: LocalDate, mut pair: [Contender; 2]) -> Option<Self> {
        pair.sort();
        (pair[0].programme != pair[1].programme).then_some(Self { area, date, pair })
    }

    /// The commune that decides.
    pub fn area(&self) -> &AreaId {
        &self.area
    }

    /// The local date.
    pub fn date(&self) -> LocalDate {
        self.date
    }

    /// The two airings, by name.
    pub fn pair(&self) -> &[Contender; 2] {
        &self.pair
    }

    /// Whether `programme` is one of the two.
    pub fn is_about(&self, programme: &ProgrammeId) -> bool {
        self.pair.iter().any(|contender| contender.programme == *programme)
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.programme, self.occurrence)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.area, self.date, self.pair[0], self.pair[1])
    }
}

fn contender(text: &str) -> Option<Contender> {
    let (programme, occurrence) = text.split_once('.')?;
    Some(Contender { programme: programme.parse().ok()?, occurrence: occurrence.parse().ok()? })
}

fn decision_id(text: &str) -> Option<DecisionId> {
    let [area, date, one, other] =
        <[&str; 4]>::try_from(text.split('/').collect::<Vec<_>>()).ok()?;
    let pair = [contender(one)?, contender(other)?];
    DecisionId::new(area.parse().ok()?, date.parse().ok()?, pair)
}

impl FromStr for DecisionId {
    type Err = NotADecision;

    fn from_str(text: &str) -> Result<Self, NotADecision> {
        decision_id(text)
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| NotADecision(text.chars().take(220).collect()))
    }
}

impl TryFrom<String> for DecisionId {
    type Error = NotADecision;

    fn try_from(text: String) -> Result<Self, NotADecision> {
        text.parse()
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> Self {
        id.to_string()
    }
}

/// What somebody decided. Of several about one question the last one in time counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The question.
    pub id: DecisionId,
    /// When it was taken.
    pub at: Timestamp,
    /// The programme that goes first.
    pub first: ProgrammeId,
    /// Who took it.
    pub by: PersonId,
}

/// A question that a plan leaves to a commune.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenDecision {
    /// Its name.
    pub decision: DecisionId,
    /// The last moment at which a decision counts.
    pub deadline: WallClock,
    /// What goes first if nobody decides.
    pub default: ProgrammeId,
    /// The controllers at which the two meet.
    pub controllers: Vec<ControllerId>,
}

impl Plan {
    /// The questions that are open, nearest deadline first; of those with one deadline first the
    /// one that concerns more controllers.
    pub fn open_decisions(&self) -> Vec<OpenDecision> {
        let mut open: Vec<OpenDecision> = Vec::new();
        for remark in &self.remarks {
            let (Some(key), Reason::Decision { decision, deadline, default }) =
                (&remark.key, &remark.reason)
            else {
                continue;
            };
            match open.iter_mut().find(|question| question.decision == *decision) {
                Some(question) => question.controllers.push(key.controller.clone()),
                None => open.push(OpenDecision {
                    decision: decision.clone(),
                    deadline: *deadline,
                    default: default.clone(),
                    controllers: vec![key.controller.clone()],
                }),
            }
        }
        open.sort_by(|a, b| {
            let urgency = |q: &OpenDecision| (q.deadline, std::cmp::Reverse(q.controllers.len()));
            urgency(a).cmp(&urgency(b)).then_with(|| a.decision.cmp(&b.decision))
        });
        open
    }
}

/// The decisions about days from `from` until before `until`: of each question the last.
pub(super) fn standing(world: &World, from: LocalDate, until: LocalDate) -> Vec<&Decision> {
    let mut decisions: Vec<&Decision> =
        world.decisions.iter().filter(|d| (from..until).contains(&d.id.date)).collect();
    decisions.sort_unstable_by(|a, b| b.cmp(a));
    decisions.dedup_by(|earlier, later| earlier.id == later.id);
    decisions.reverse();
    decisions
}

/// The last moment at which a decision about airings that begin at `one` and `other` counts.
pub(super) fn deadline(one: Timestamp, other: Timestamp) -> Timestamp {
    one.min(other) - DECISION_LEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_reads_back_as_it_was_written_whatever_the_order_of_the_two() {
        let text = "mu-ca/2026-11-22/tin-tinh.0/tin-xa.1";
        let id: DecisionId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        let [one, other] = id.pair().clone();
        let turned = DecisionId::new(id.area().clone(), id.date(), [other, one]).unwrap();
        assert_eq!(turned, id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<DecisionId>(&json).unwrap(), id);
    }

    #[test]
    fn what_is_not_exactly_a_decision_is_refused() {
        for bad in [
            "",
            "mu-ca/2026-11-22/tin-tinh.0",
            "mu-ca/2026-11-22/tin-xa.0/tin-tinh.0",
            "mu-ca/2026-11-22/tin-tinh.0/tin-tinh.1",
            "mu-ca/2026-11-22/tin-tinh.00/tin-xa.0",
            "mu-ca/2026-11-22/tin-tinh/tin-xa",
        ] {
            assert!(bad.parse::<DecisionId>().is_err(), "{bad}");
        }
    }
}
