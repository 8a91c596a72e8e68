//! Two plans beside one another: what a change would alter before it is made.
//!
//! **What sounds at the same time as before is the same, whatever its number.** Airings of one
//! programme at one controller are counted through the day, so a time that is put in or taken out
//! counts all that follow anew; people are told only of what they will hear otherwise. Of the rest
//! one that comes at another time is moved, and not one lost and one won. **Every difference is a
//! mark and a word, never a colour alone.**

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Airing, Places, Plan};
use crate::calendar::AiringKey;
use crate::id::{ControllerId, ProgrammeId};
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

/// The airings of one programme at one controller on one day.
type DayOf<'p> = (LocalDate, &'p ProgrammeId, &'p ControllerId);

/// Every difference, by date, then by programme, then by controller.
pub fn diff(before: &Plan, after: &Plan) -> Vec<Difference> {
    let mut days: BTreeMap<DayOf<'_>, [Vec<&Airing>; 2]> = BTreeMap::new();
    for (side, plan) in [before, after].into_iter().enumerate() {
        for airing in &plan.airings {
            let AiringKey { programme, controller, date, .. } = &airing.key;
            days.entry((*date, programme, controller)).or_default()[side].push(airing);
        }
    }
    let refusals: BTreeMap<&AiringKey, String> = after
        .remarks
        .iter()
        .filter(|remark| remark.reason.refuses())
        .filter_map(|remark| Some((remark.key.as_ref()?, remark.reason.to_string())))
        .collect();
    let difference = |pair: Pair<'_>| {
        let (airing, change) = match pair {
            (None, Some(new)) => (new, Some(Change::Added { at: new.at, items: items(new) })),
            (Some(old), None) => {
                let why = refusals.get(&old.key).cloned();
                (old, Some(Change::Removed { at: old.at, why }))
            }
            (Some(old), Some(new)) => (new, altered(old, new)),
            (None, None) => return None,
        };
        Some(Difference { airing: airing.key.clone(), change: change? })
    };
    let mut found: Vec<Difference> =
        days.into_values().flat_map(paired).filter_map(difference).collect();
    found.sort_by(|a, b| {
        let order = |d: &Difference| (d.airing.date, d.airing.programme.clone());
        order(a).cmp(&order(b)).then_with(|| a.airing.cmp(&b.airing))
    });
    found
}

/// Which of a day's airings is which: those at the same time, then the rest.
fn paired([mut old, mut new]: [Vec<&Airing>; 2]) -> Vec<Pair<'_>> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    old.retain(|one| {
        let same = new.iter().position(|other| other.at == one.at);
        pairs.extend(same.map(|place| (Some(*one), Some(new.remove(place)))));
        same.is_none()
    });
    for all in [&mut old, &mut new] {
        all.sort_by_key(|airing| airing.at);
    }
    // As many as before: each is the one in its place. Of more or fewer, the nearest.
    if old.len() == new.len() {
        pairs.extend(old.into_iter().zip(new).map(|(old, new)| (Some(old), Some(new))));
        return pairs;
    }
    let gone = old.len() > new.len();
    let (few, mut many) = if gone { (new, old) } else { (old, new) };
    let turned = |(one, other)| if gone { (other, one) } else { (one, other) };
    for one in few {
        let far = |other: &&Airing| other.at.seconds().abs_diff(one.at.seconds());
        let nearest = (0..many.len()).min_by_key(|place| far(&many[*place]));
        pairs.push(turned((Some(one), nearest.map(|place| many.remove(place)))));
    }
    pairs.extend(many.into_iter().map(|other| turned((None, Some(other)))));
    pairs
}

fn altered(old: &Airing, new: &Airing) -> Option<Change> {
    let (before, after) = (items(old), items(new));
    let without = |these: &[String], those: &[String]| {
        these.iter().filter(|item| !those.contains(item)).cloned().collect::<Vec<_>>()
    };
    let (lost, won) = (without(&before, &after), without(&after, &before));
    let moved = (old.at != new.at).then_some(new.at);
    let same_set = lost.is_empty() && won.is_empty();
    let (key, at, latest, ends) = (old.key.clone(), old.at, old.latest, old.ends);
    let same_way = Airing { key, at, latest, ends, ..new.clone() } == *old;
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
    use crate::calendar::{Days, recurrence::Recurrence};

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

    /// Several airings a day.
    fn at(times: &[&str]) -> Town {
        town("05:30", "vi").with(|programme| {
            let times = times.iter().map(|time| time.parse().unwrap());
            programme.recurrence = Recurrence::times(times, Days::EVERY, None, None).unwrap();
        })
    }

    /// What is told of each day, without sums and villages.
    fn lines(before: &[&str], after: &[&str]) -> Vec<String> {
        let told = told(&at(before), &at(after));
        let marked = told.lines().filter(|line| line.contains("2026-11-22 sang:"));
        marked.map(|line| line.replace(" 2026-11-22 sang:", "")).collect()
    }

    #[test]
    fn a_time_taken_out_is_gone_and_those_that_stay_are_not_told() {
        let day = ["05:30", "11:30", "17:00"];
        assert_eq!(lines(&day, &day[1..]), ["− gone at 05:30"]);
        assert_eq!(lines(&day[1..], &day), ["+ new at 05:30: tin [vi]"]);
        assert_eq!(lines(&["05:30", "17:00"], &day), ["+ new at 11:30: tin [vi]"]);
    }

    #[test]
    fn only_the_airing_that_is_moved_is_told_though_the_others_are_counted_anew() {
        let day = ["05:30", "11:30", "17:00"];
        assert_eq!(lines(&day, &["11:30", "12:00", "17:00"]), ["~ moved from 05:30 to 12:00"]);
        let told = lines(&day, &["05:30", "06:30", "12:00", "17:00"]);
        assert_eq!(told, ["+ new at 06:30: tin [vi]", "~ moved from 11:30 to 12:00"]);
        let told = lines(&day, &["11:45", "17:00"]);
        assert_eq!(told, ["~ moved from 11:30 to 11:45", "− gone at 05:30"]);
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
