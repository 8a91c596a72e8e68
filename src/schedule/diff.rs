//! Two plans beside one another: what a change would alter before it is made.
//!
//! An airing is the same one in both by its identity, so one that comes at another time is moved
//! and not one lost and one won. **Every difference is a mark and a word, never a colour alone.**

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Airing, Places, Plan};
use crate::calendar::AiringKey;
use crate::id::ProgrammeId;
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};

/// Villages that are named one by one; of more, only how many more there are.
const NAMED_MAX: usize = 4;

/// What a change does to one airing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// It is new.
    Added {
        /// When it begins.
        at: Timestamp,
        /// What is heard.
        items: Vec<String>,
    },
    /// It is gone.
    Removed {
        /// When it would have begun.
        at: Timestamp,
        /// Why, where the new plan says so.
        why: Option<String>,
    },
    /// It is there at another time, or with something else in it.
    Altered {
        /// When it began.
        at: Timestamp,
        /// When it begins now, where that is another time.
        #[serde(skip_serializing_if = "Option::is_none")]
        moved: Option<Timestamp>,
        /// What was heard and is no more.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        lost: Vec<String>,
        /// What was not heard and is now.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        won: Vec<String>,
        /// Whether the same is heard in another order or way.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        otherwise: bool,
    },
}

/// An airing that is not the same in both plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub airing: AiringKey,
    /// What is different.
    #[serde(flatten)]
    pub change: Change,
}

/// How many airings a change touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// New ones.
    pub added: u32,
    /// Those that are gone.
    pub removed: u32,
    /// Those at another time.
    pub moved: u32,
    /// Those with something else in them at the same time.
    pub content: u32,
}

impl Sums {
    fn add(&mut self, change: &Change) {
        match change {
            Change::Added { .. } => self.added += 1,
            Change::Removed { .. } => self.removed += 1,
            Change::Altered { moved: Some(_), .. } => self.moved += 1,
            Change::Altered { moved: None, .. } => self.content += 1,
        }
    }
}

/// An airing as it was and as it will be.
type Pair<'p> = (Option<&'p Airing>, Option<&'p Airing>);

/// Every difference, by date, then by programme, then by controller.
pub fn diff(before: &Plan, after: &Plan) -> Vec<Difference> {
    let mut pairs: BTreeMap<&AiringKey, Pair<'_>> = BTreeMap::new();
    for airing in &before.airings {
        pairs.entry(&airing.key).or_default().0 = Some(airing);
    }
    for airing in &after.airings {
        pairs.entry(&airing.key).or_default().1 = Some(airing);
    }
    let refusals: BTreeMap<&AiringKey, String> = after
        .remarks
        .iter()
        .filter(|remark| remark.reason.refuses())
        .filter_map(|remark| Some((remark.key.as_ref()?, remark.reason.to_string())))
        .collect();
    let change = |(key, pair): (&AiringKey, Pair<'_>)| {
        let change = match pair {
            (None, Some(new)) => Some(Change::Added { at: new.at, items: items(new) }),
            (Some(old), None) => {
                Some(Change::Removed { at: old.at, why: refusals.get(key).cloned() })
            }
            (Some(old), Some(new)) => altered(old, new),
            (None, None) => None,
        };
        Some(Difference { airing: key.clone(), change: change? })
    };
    let mut found: Vec<Difference> = pairs.into_iter().filter_map(change).collect();
    found.sort_by(|a, b| {
        let order = |d: &Difference| (d.airing.date, d.airing.programme.clone());
        order(a).cmp(&order(b)).then_with(|| a.airing.cmp(&b.airing))
    });
    found
}

fn altered(old: &Airing, new: &Airing) -> Option<Change> {
    let (before, after) = (items(old), items(new));
    let without = |these: &[String], those: &[String]| {
        these.iter().filter(|item| !those.contains(item)).cloned().collect::<Vec<_>>()
    };
    let (lost, won) = (without(&before, &after), without(&after, &before));
    let moved = (old.at != new.at).then_some(new.at);
    let same_set = lost.is_empty() && won.is_empty();
    let same_way = Airing { at: old.at, latest: old.latest, ends: old.ends, ..new.clone() } == *old;
    let otherwise = same_set && !same_way;
    (moved.is_some() || !same_set || otherwise).then_some(Change::Altered {
        at: old.at,
        moved,
        lost,
        won,
        otherwise,
    })
}

/// `lu-quet [hni]`, one for each item.
fn items(airing: &Airing) -> Vec<String> {
    let item = |item: &super::Item| format!("{} [{}]", item.bulletin, item.language);
    airing.items.iter().map(item).collect()
}

/// The differences as text: first sums per commune, then what changes where.
pub fn text(differences: &[Difference], zone: Zone, places: &Places<'_>) -> String {
    if differences.is_empty() {
        return "Nothing changes.\n".to_owned();
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<30}{:>8}{:>9}{:>8}{:>9}",
        "commune", "+ new", "− gone", "~ moved", "~ other"
    );
    let mut all = Sums::default();
    for (name, sums) in sums(differences, places) {
        sums_line(&mut text, name, &sums);
        let Sums { added, removed, moved, content } = sums;
        all.added += added;
        all.removed += removed;
        all.moved += moved;
        all.content += content;
    }
    sums_line(&mut text, "all", &all);
    text.push('\n');
    let mut groups: BTreeMap<(LocalDate, &ProgrammeId, String), Vec<&str>> = BTreeMap::new();
    for Difference { airing, change } in differences {
        let words = words(change, zone);
        let group = groups.entry((airing.date, &airing.programme, words)).or_default();
        group.push(places.name(&airing.controller));
    }
    for ((date, programme, words), mut villages) in groups {
        // A village with two controllers is one village.
        villages.dedup();
        let (mark, words) = words.split_at(words.find(' ').unwrap_or(0));
        let _ = writeln!(text, "{mark} {date} {programme}:{words}");
        let _ = writeln!(text, "    {}", named(&villages));
    }
    text
}

/// The sums of each commune, by name.
pub fn sums<'w>(differences: &[Difference], places: &Places<'w>) -> BTreeMap<&'w str, Sums> {
    let mut communes: BTreeMap<&str, Sums> = BTreeMap::new();
    for difference in differences {
        let commune = places.commune(&difference.airing.controller);
        let name = commune.map_or("(no commune)", |area| area.name.as_str());
        communes.entry(name).or_default().add(&difference.change);
    }
    communes
}

fn sums_line(text: &mut String, name: &str, sums: &Sums) {
    let Sums { added, removed, moved, content } = sums;
    let _ = writeln!(text, "{name:<30}{added:>8}{removed:>9}{moved:>8}{content:>9}");
}

/// The mark, a blank, and what happens.
fn words(change: &Change, zone: Zone) -> String {
    match change {
        Change::Added { at, items } => {
            format!("+ new at {}: {}", clock(zone, *at), items.join(", "))
        }
        Change::Removed { at, why } => {
            let why = why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            format!("− gone at {}{why}", clock(zone, *at))
        }
        Change::Altered { at, moved, lost, won, otherwise } => {
            let mut parts = Vec::new();
            if let Some(to) = moved {
                parts.push(format!("moved from {} to {}", clock(zone, *at), clock(zone, *to)));
            } else {
                parts.push(format!("other at {}", clock(zone, *at)));
            }
            parts.extend(lost.iter().map(|item| format!("− {item}")));
            parts.extend(won.iter().map(|item| format!("+ {item}")));
            if *otherwise {
                parts.push("the same in another order, length or with other gaps".to_owned());
            }
            format!("~ {}", parts.join("; "))
        }
    }
}

fn clock(zone: Zone, at: Timestamp) -> TimeOfDay {
    TimeOfDay::of(zone.local(at))
}

fn named(villages: &[&str]) -> String {
    let named: Vec<&str> = villages.iter().take(NAMED_MAX).copied().collect();
    let more = villages.len() - named.len();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SUNDAY, Town};
    use super::*;

    fn town(time: &str, languages: &str) -> Town {
        let town = Town::new().village("ban-a", "hni vi").village("ban-b", "vi");
        town.bulletin("tin", languages, 2).programme("sang", time, "tin")
    }

    fn told(before: &Town, after: &Town) -> String {
        let places = Places::new(&after.world.tree, &after.world.controllers);
        let differences = diff(&before.plan(SUNDAY, 1), &after.plan(SUNDAY, 1));
        text(&differences, after.world.zone, &places)
    }

    #[test]
    fn the_same_plan_changes_nothing() {
        assert_eq!(told(&town("05:30", "vi"), &town("05:30", "vi")), "Nothing changes.\n");
    }

    #[test]
    fn an_airing_at_another_time_is_moved_and_not_lost() {
        let told = told(&town("05:30", "vi"), &town("06:00", "vi"));
        let line = "~ 2026-11-22 sang: moved from 05:30 to 06:00\n    ban-a, ban-b\n";
        assert!(told.contains(line), "{told}");
        assert!(!told.contains("\n+ ") && !told.contains("\n− "), "{told}");
    }

    #[test]
    fn a_new_version_shows_where_it_is_heard_and_nowhere_else() {
        let told = told(&town("05:30", "vi"), &town("05:30", "hni vi"));
        let line = "~ 2026-11-22 sang: other at 05:30; + tin [hni]\n    ban-a\n";
        assert!(told.contains(line), "{told}");
        assert!(!told.contains("ban-b"), "{told}");
    }

    #[test]
    fn what_comes_and_goes_is_told_with_its_reason() {
        let none = town("05:30", "");
        let some = town("05:30", "vi");
        assert!(told(&none, &some).contains("+ 2026-11-22 sang: new at 05:30: tin [vi]"));
        let gone = told(&some, &none);
        assert!(gone.contains("− 2026-11-22 sang: gone at 05:30: nothing is left"), "{gone}");
    }

    #[test]
    fn another_gap_is_a_difference_too() {
        let other = town("05:30", "hni vi").with(|programme| programme.gap_ms = 900);
        let told = told(&town("05:30", "hni vi"), &other);
        assert!(told.contains("the same in another order, length or with other gaps"), "{told}");
    }
}
