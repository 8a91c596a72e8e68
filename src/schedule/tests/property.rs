//! What holds for every plan of every world.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::worlds::a_world;
use super::*;
use crate::calendar::Spent;

fn area_of<'w>(world: &'w World, airing: &Airing) -> &'w AreaId {
    let found = world.controllers.iter().find(|controller| controller.id == airing.key.controller);
    &found.unwrap().area
}

fn airtime_of<'w>(world: &'w World, airing: &Airing) -> &'w Airtime {
    let chain = world.tree.chain(area_of(world, airing));
    chain.iter().rev().find_map(|area| world.policies.get(area)).unwrap()
}

fn bulletin<'w>(world: &'w World, item: &Item) -> &'w Airable {
    world.content.iter().find(|airable| airable.bulletin == item.bulletin).unwrap()
}

fn keyed(remarks: &[Remark]) -> Vec<Remark> {
    let mut keyed: Vec<Remark> = remarks.iter().filter(|r| r.key.is_some()).cloned().collect();
    keyed.sort_by(|a, b| a.key.cmp(&b.key));
    keyed
}

fn by_key(mut airings: Vec<Airing>) -> Vec<Airing> {
    airings.sort_by(|a, b| a.key.cmp(&b.key));
    airings
}

/// Offsets of the items from the beginning, and the length with the closing chime.
fn offsets(airing: &Airing) -> (Vec<(Duration, Duration)>, Duration) {
    let chime = Duration::from_millis(if airing.chime { u64::from(CHIME_MS) } else { 0 });
    let mut end = chime;
    let mut offsets = Vec::new();
    for item in airing.items.iter() {
        let gap = if offsets.is_empty() { 0 } else { u64::from(airing.gap_ms) };
        let begin = end + Duration::from_millis(gap);
        end = begin + Duration::from_millis(item.length_ms);
        offsets.push((begin, end));
    }
    (offsets, end + chime)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_two_airings_are_at_one_controller_at_once(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        for pair in plan.airings.windows(2) {
            let same = pair[0].key.controller == pair[1].key.controller;
            prop_assert!(!same || pair[0].ends <= pair[1].at, "{pair:?}");
        }
    }

    #[test]
    fn nothing_is_planned_outside_the_airtime_policy(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        let mut days: BTreeMap<_, Spent> = BTreeMap::new();
        for airing in &plan.airings {
            let policy = airtime_of(&world, airing).signed();
            let (_, length) = offsets(airing);
            prop_assert_eq!(airing.ends, airing.at + length);
            prop_assert!(airing.at <= airing.latest && airing.latest <= airing.at + Duration::from_millis(LATE_MS_MAX));
            for begin in [airing.at, airing.latest] {
                prop_assert!(policy.allows(world.zone, begin, begin + length), "{airing:?}");
            }
            prop_assert!(length <= Duration::from_secs(60 * u64::from(policy.minutes_a_session_max)));
            let spent = days.entry((&airing.key.controller, airing.key.date)).or_default();
            spent.sessions += 1;
            spent.length_ms += u64::try_from(length.as_millis()).unwrap();
            prop_assert!(spent.sessions <= policy.sessions_a_day_max);
            prop_assert!(spent.length_ms <= 60_000 * u64::from(policy.minutes_a_day_max));
        }
    }

    #[test]
    fn no_village_hears_what_it_did_not_ask_for_while_what_it_asked_for_exists(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        for airing in &plan.airings {
            let profile = world.tree.profile(area_of(&world, airing)).unwrap();
            for item in airing.items.iter() {
                let airable = bulletin(&world, item);
                let heard = |language| airable.voices.get(language).is_some_and(|v| v.approved_at <= airing.at);
                prop_assert!(heard(&item.language));
                let wish = profile.listens.iter().find(|wish| wish.language == item.wished).unwrap();
                if item.language == item.wished {
                    continue;
                }
                prop_assert!(!heard(&item.wished), "{item:?}");
                if !wish.stand_ins.contains(&item.language) {
                    prop_assert_eq!(Some(&item.language), profile.fallback.as_ref());
                    let asked = profile.listens.iter().flat_map(|w| w.stand_ins.iter().chain([&w.language]));
                    prop_assert!(asked.into_iter().all(|language| !heard(language)), "{item:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_heard_outside_its_dates_even_when_it_begins_late(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        for airing in &plan.airings {
            for (item, (begin, end)) in airing.items.iter().zip(offsets(airing).0) {
                let airable = bulletin(&world, item);
                prop_assert!(airable.valid_from <= airing.at + begin);
                prop_assert!(airing.latest + end <= airable.valid_until, "{airing:?}");
            }
        }
    }

    #[test]
    fn a_slot_for_the_newest_never_repeats_what_its_controller_heard(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        let replaced = |key: &AiringKey| plan.remarks.iter().any(|remark| {
            remark.key.as_ref() == Some(key) && matches!(remark.reason, Reason::Replaced { .. })
        });
        let mut heard = BTreeSet::new();
        for airing in &plan.airings {
            let programme = world.programmes.iter().find(|p| p.id == airing.key.programme).unwrap();
            let ids = || airing.items.iter().map(|i| (&airing.key.controller, &i.bulletin));
            if matches!(programme.selection, Selection::Newest(_)) && !replaced(&airing.key) {
                let mut content = ids().filter(|(_, id)| Some(*id) != programme.identification.as_ref());
                prop_assert!(content.all(|id| !heard.contains(&id)), "{airing:?}");
            }
            heard.extend(ids());
        }
    }

    #[test]
    fn no_bulletin_is_heard_twice_in_one_language_in_one_airing(world in a_world()) {
        for airing in &plan(&world, date(SUNDAY), 3).airings {
            let heard: BTreeSet<_> = airing.items.iter().map(|i| (&i.bulletin, &i.language)).collect();
            prop_assert_eq!(heard.len(), airing.items.len());
        }
    }

    #[test]
    fn the_order_of_the_inputs_changes_nothing(world in a_world(), seed in any::<u64>()) {
        let mut shuffled = world.clone();
        let turn = |length: usize| usize::try_from(seed).unwrap_or(0) % length.max(1);
        shuffled.content.rotate_left(turn(world.content.len()));
        shuffled.programmes.rotate_left(turn(world.programmes.len()));
        shuffled.controllers.reverse();
        shuffled.exceptions.rotate_left(turn(world.exceptions.len()));
        shuffled.decisions.rotate_left(turn(world.decisions.len()));
        if seed % 2 == 0 {
            shuffled.programmes.reverse();
        } else {
            shuffled.content.reverse();
        }
        prop_assert_eq!(plan(&shuffled, date(SUNDAY), 3), plan(&world, date(SUNDAY), 3));
    }

    #[test]
    fn two_plans_one_after_the_other_are_one_plan(world in a_world(), split in 0_u16..=4) {
        let whole = plan(&world, date(SUNDAY), 4);
        let first = plan(&world, date(SUNDAY), split);
        let mut later = world.clone();
        first.airings.iter().for_each(|airing| later.history.record(airing));
        let second = plan(&later, date(SUNDAY).plus_days(i64::from(split)), 4 - split);
        let airings = [first.airings, second.airings].concat();
        prop_assert_eq!(by_key(airings), by_key(whole.airings));
        prop_assert_eq!(keyed(&[first.remarks, second.remarks].concat()), keyed(&whole.remarks));
    }

    #[test]
    fn every_candidate_ends_as_an_airing_or_as_a_refusal(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 2);
        let airs: BTreeSet<&AiringKey> = plan.airings.iter().map(|airing| &airing.key).collect();
        let refusals = plan.remarks.iter().filter(|remark| remark.reason.refuses());
        let refused: BTreeSet<&AiringKey> = refusals.filter_map(|remark| remark.key.as_ref()).collect();
        prop_assert!(airs.is_disjoint(&refused));
        let mut wanted = BTreeSet::new();
        for controller in &world.controllers {
            let chain = world.tree.chain(&controller.area);
            let tags = world.tree.tags(&controller.area);
            let asked = world.tree.profile(&controller.area);
            let asks = |tag: &LangTag| asked.is_some_and(|area| area.listens.iter().any(|w| w.language == *tag));
            let meant = |p: &&Programme| chain.iter().any(|area| p.areas.contains(area))
                && !chain.iter().any(|area| p.minus_areas.contains(area))
                && p.only_tags.iter().all(|tag| tags.contains(tag))
                && p.only_listening.iter().all(asks);
            for programme in world.programmes.iter().filter(meant) {
                for date in [date(SUNDAY), date(SUNDAY).plus_days(1)] {
                    for (occurrence, _) in programme.recurrence.occurrences(world.zone, date) {
                        let (programme, controller) = (programme.id.clone(), controller.id.clone());
                        wanted.insert(AiringKey { programme, controller, date, occurrence });
                    }
                }
            }
        }
        let ended: BTreeSet<AiringKey> = airs.union(&refused).map(|&key| key.clone()).collect();
        prop_assert_eq!(ended, wanted);
    }

    #[test]
    fn who_loses_a_collision_loses_it_to_something_that_airs(world in a_world()) {
        let mut world = world;
        // What is named in the programme does not change with what else airs.
        world.programmes.retain(|p| matches!(p.selection, Selection::Bulletins(_)));
        world.exceptions.clear();
        // Decisions about some of three airings at one time may go round in a circle.
        world.decisions.clear();
        let plan = plan(&world, date(SUNDAY), 1);
        for remark in &plan.remarks {
            if let (Some(key), Reason::Collision { winner }) = (&remark.key, &remark.reason) {
                let airs = plan.of(&key.controller).iter().any(|a| a.key.programme == *winner);
                prop_assert!(airs, "{remark:?} {:?}", plan.airings);
            }
        }
    }

    #[test]
    fn no_week_has_more_days_with_airings_than_it_may(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 9);
        let mut weeks: BTreeMap<_, BTreeSet<LocalDate>> = BTreeMap::new();
        for airing in &plan.airings {
            let monday = super::super::audience::monday(airing.key.date);
            let days = weeks.entry((&airing.key.controller, monday)).or_default();
            days.insert(airing.key.date);
            let max = airtime_of(&world, airing).days_a_week_max().unwrap_or(7);
            prop_assert!(days.len() <= usize::from(max), "{days:?}");
        }
    }

    #[test]
    fn nothing_airs_that_an_exception_skips_and_what_is_moved_stays_itself(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        for airing in &plan.airings {
            let programme = world.programmes.iter().find(|p| p.id == airing.key.programme).unwrap();
            let mut times = programme.recurrence.occurrences(world.zone, airing.key.date).into_iter();
            let usual = times.find(|(occurrence, _)| *occurrence == airing.key.occurrence).unwrap().1;
            prop_assert_eq!(world.zone.date(airing.at), airing.key.date);
            let of = |remark: &&Remark| remark.key.as_ref() == Some(&airing.key);
            let about: Vec<&Reason> = plan.remarks.iter().filter(of).map(|r| &r.reason).collect();
            let moved = about.iter().any(|reason| matches!(reason, Reason::Moved { .. }));
            prop_assert_eq!(moved, airing.at != usual);
            let skipped = about.iter().any(|reason| matches!(reason, Reason::Skipped { .. }));
            prop_assert!(!skipped);
        }
    }

    #[test]
    fn a_decision_in_time_is_followed_wherever_its_question_stands(world in a_world()) {
        let plan = plan(&world, date(SUNDAY), 3);
        for remark in &plan.remarks {
            match &remark.reason {
                Reason::Decided { decision, winner, .. } => {
                    let about = world.decisions.iter().filter(|d| d.id == *decision);
                    let last = about.max().unwrap();
                    prop_assert_eq!(&last.first, winner);
                    prop_assert!(remark.programme != *winner);
                }
                Reason::Decision { decision, default, .. } => {
                    let open = world.decisions.iter().all(|d| d.id != *decision || !d.id.is_about(&d.first));
                    prop_assert!(open, "{remark:?}");
                    prop_assert!(decision.is_about(default) && decision.is_about(&remark.programme));
                }
                _ => {}
            }
        }
    }
}
