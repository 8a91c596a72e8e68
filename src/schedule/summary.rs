//! A plan in figures: per commune what airs, and per programme what does not and why.
//!
//! Short enough to read whole for a province, with the digest of every byte of the plan, so that
//! **two plans with the same summary are the same plan.**

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Places, Plan};
use crate::digest::Digest;
use crate::id::{ControllerId, ProgrammeId};
use crate::lang::LangTag;

/// What airs in one commune.
#[derive(Default)]
struct Sums<'p> {
    controllers: BTreeSet<&'p ControllerId>,
    airings: u64,
    seconds: u64,
    /// Items by language.
    items: BTreeMap<&'p LangTag, u64>,
    refused: u64,
}

/// The digest of the whole plan as JSON.
pub fn digest(plan: &Plan) -> Digest {
    Digest::of(&serde_json::to_vec(plan).expect("a plan has text keys"))
}

/// The summary as text.
pub fn text(plan: &Plan, places: &Places<'_>) -> String {
    let communes = communes(plan, places);
    let mut languages: Vec<&LangTag> =
        communes.values().flat_map(|sums| sums.items.keys().copied()).collect();
    languages.sort();
    languages.dedup();
    let mut text = String::new();
    let heads: Vec<String> = languages.iter().map(|language| format!("{language:>6}")).collect();
    let heads = heads.concat();
    let (commune, places_head) = ("commune", "controllers");
    let _ = writeln!(text, "{commune:<28}{places_head:>11}  airings minutes{heads}  refused");
    let mut all = Sums::default();
    for (name, sums) in communes {
        line(&mut text, name, &sums, &languages);
        all.add(sums);
    }
    line(&mut text, "all", &all, &languages);
    text.push('\n');
    reasons(&mut text, plan);
    let _ = writeln!(text, "\nSHA-256 of the plan: {}", digest(plan));
    text
}

impl Sums<'_> {
    fn add(&mut self, other: Self) {
        self.controllers.extend(other.controllers);
        self.airings += other.airings;
        self.seconds += other.seconds;
        self.refused += other.refused;
        for (language, count) in other.items {
            *self.items.entry(language).or_default() += count;
        }
    }
}

fn communes<'p>(plan: &'p Plan, places: &Places<'p>) -> BTreeMap<&'p str, Sums<'p>> {
    let mut communes: BTreeMap<&str, Sums<'_>> = BTreeMap::new();
    let name = |controller: &ControllerId| {
        places.commune(controller).map_or("(no commune)", |area| area.name.as_str())
    };
    for airing in &plan.airings {
        let sums = communes.entry(name(&airing.key.controller)).or_default();
        sums.controllers.insert(&airing.key.controller);
        sums.airings += 1;
        sums.seconds += airing.ends.since(airing.at).as_secs();
        for item in airing.items.iter() {
            *sums.items.entry(&item.language).or_default() += 1;
        }
    }
    for remark in plan.remarks.iter().filter(|remark| remark.reason.refuses()) {
        if let Some(key) = &remark.key {
            let sums = communes.entry(name(&key.controller)).or_default();
            sums.controllers.insert(&key.controller);
            sums.refused += 1;
        }
    }
    communes
}

fn line(text: &mut String, name: &str, sums: &Sums<'_>, languages: &[&LangTag]) {
    let (controllers, minutes) = (sums.controllers.len(), sums.seconds / 60);
    let _ = write!(text, "{name:<28}{controllers:>11}{:>9}{minutes:>8}", sums.airings);
    for language in languages {
        let _ = write!(text, "{:>6}", sums.items.get(language).copied().unwrap_or(0));
    }
    let _ = writeln!(text, "{:>9}", sums.refused);
}

/// How often each reason was given, by programme.
fn reasons(text: &mut String, plan: &Plan) {
    let mut counts: BTreeMap<(&ProgrammeId, String), u64> = BTreeMap::new();
    for remark in &plan.remarks {
        *counts.entry((&remark.programme, remark.reason.word())).or_default() += 1;
    }
    let _ = writeln!(text, "{:<28}{:<24}{:>8}", "programme", "remark", "times");
    for ((programme, word), count) in counts {
        let _ = writeln!(text, "{programme:<28}{word:<24}{count:>8}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SUNDAY, Town};
    use super::*;

    fn summary(minutes: u64) -> String {
        let town = Town::new().village("ban-a", "hni vi").village("ban-b", "hni");
        let town = town.bulletin("tin", "vi", minutes).programme("sang", "05:30", "tin");
        let places = Places::new(&town.world.tree, &town.world.controllers);
        text(&town.plan(SUNDAY, 2), &places)
    }

    #[test]
    fn airings_minutes_languages_and_refusals_are_added_up() {
        let summary = summary(3);
        let all = summary.lines().find(|line| line.starts_with("all")).unwrap();
        let figures: Vec<&str> = all.split_whitespace().collect();
        assert_eq!(figures, ["all", "2", "2", "6", "2", "2"], "{summary}");
        let remark = summary.lines().find(|line| line.contains("missing-language")).unwrap();
        assert_eq!(remark.split_whitespace().last(), Some("4"), "{summary}");
    }

    #[test]
    fn a_plan_that_differs_in_a_second_has_another_digest() {
        let last = |text: String| text.lines().last().unwrap().to_owned();
        assert_eq!(last(summary(3)), last(summary(3)));
        assert_ne!(last(summary(3)), last(summary(4)));
    }
}
