//! A plan that is kept beside one that is made anew.

use proptest::prelude::*;

use super::worlds::a_world;
use super::*;

fn kept(world: &World, days: u16) -> Planner {
    let mut planner = Planner::default();
    planner.update(world, date(SUNDAY), days);
    planner
}

/// The controllers whose airings or remarks differ.
fn differing(before: &Plan, after: &Plan) -> Vec<ControllerId> {
    let lines = |plan: &Plan| {
        let mut lines: BTreeMap<ControllerId, Vec<String>> = BTreeMap::new();
        for airing in &plan.airings {
            let line = serde_json::to_string(airing).unwrap();
            lines.entry(airing.key.controller.clone()).or_default().push(line);
        }
        for remark in &plan.remarks {
            if let Some(key) = &remark.key {
                let line = serde_json::to_string(remark).unwrap();
                lines.entry(key.controller.clone()).or_default().push(line);
            }
        }
        lines
    };
    let (before, after) = (lines(before), lines(after));
    let all: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    all.into_iter().filter(|id| before.get(id) != after.get(id)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_plan_that_is_kept_and_changed_is_the_plan_made_anew(one in a_world(), other in a_world(), part in 0_u8..7) {
        // The other world differs from the first in one part only.
        let mut next = one.clone();
        match part {
            0 => next.content = other.content,
            1 => next.programmes = other.programmes,
            2 => next.tree = other.tree,
            3 => next.policies = other.policies,
            4 => next.exceptions = other.exceptions,
            5 => next.decisions = other.decisions,
            _ => next.controllers = other.controllers,
        }
        let before = plan(&one, date(SUNDAY), 3);
        let mut planner = kept(&one, 3);
        prop_assert_eq!(planner.plan(), before.clone());
        let changed = planner.update(&next, date(SUNDAY), 3);
        let after = plan(&next, date(SUNDAY), 3);
        prop_assert_eq!(planner.plan(), after.clone());
        for controller in differing(&before, &after) {
            prop_assert!(changed.contains(&controller), "{controller} is not among {changed:?}");
            let own = planner.of(&controller);
            prop_assert_eq!(&own.airings[..], after.of(&controller));
        }
        prop_assert!(planner.update(&next, date(SUNDAY), 3).is_empty());
        prop_assert_eq!(planner.planned_anew(), 0);
    }

    #[test]
    fn the_figures_are_the_sums_of_the_plan(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        let figures = kept(&world, 3).figures();
        prop_assert_eq!(figures.airings, plan.airings.len() as u64);
        let lengths = plan.airings.iter().map(|a| u64::try_from(a.ends.since(a.at).as_millis()).unwrap());
        prop_assert_eq!(figures.length_ms, lengths.sum::<u64>());
        let keyed = plan.remarks.iter().filter(|remark| remark.reason.refuses());
        let refused: std::collections::BTreeSet<_> = keyed.filter_map(|r| r.key.as_ref()).collect();
        prop_assert_eq!(figures.refused, refused.len() as u64);
        let gaps = plan.remarks.iter().filter(|remark| remark.reason.is_gap());
        prop_assert_eq!(figures.gaps, gaps.count() as u64);
    }
}

fn two_kinds() -> Town {
    let town = (0..4).fold(Town::new(), |town, i| town.village(&format!("kinh-{i}"), "vi"));
    let town = (0..4).fold(town, |town, i| town.village(&format!("mong-{i}"), "mww"));
    town.bulletin("tin", "vi mww", 2)
        .bulletin("rieng", "mww", 2)
        .programme("sang", "05:30", "tin")
        .programme("mong", "06:30", "rieng")
        .with(|programme| programme.only_listening = vec![tag("mww")])
}

#[test]
fn a_change_plans_anew_only_the_groups_that_can_hear_it() {
    let mut town = two_kinds();
    let mut planner = kept(&town.world, 7);
    assert_eq!((planner.groups(), planner.planned_anew()), (2, 2));
    town.world.content[1].voices.get_mut(&tag("mww")).unwrap().length_ms += 1_000;
    let changed = planner.update(&town.world, date(SUNDAY), 7);
    assert_eq!(planner.planned_anew(), 1);
    assert_eq!(changed.len(), 4);
    assert!(changed.iter().all(|id| id.as_str().starts_with("mong")));
}

#[test]
fn a_controller_that_is_taken_away_is_named_as_changed() {
    let mut town = two_kinds();
    let mut planner = kept(&town.world, 7);
    let gone = town.world.controllers.remove(0).id;
    assert_eq!(planner.update(&town.world, date(SUNDAY), 7), std::slice::from_ref(&gone));
    assert!(planner.of(&gone).airings.is_empty());
}

#[test]
fn the_next_day_is_another_plan() {
    let town = two_kinds();
    let mut planner = kept(&town.world, 7);
    let changed = planner.update(&town.world, date(SUNDAY).plus_days(1), 7);
    assert_eq!(changed.len(), 8);
    assert_eq!(planner.plan(), plan(&town.world, date(SUNDAY).plus_days(1), 7));
}
