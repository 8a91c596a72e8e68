//! What holds for every plan of every world.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::calendar::Spent;

const TAGS: [&str; 5] = ["vi", "hni", "mww", "hnj", "hmn"];
const AREAS: [&str; 6] = ["tinh", "xa-a", "xa-b", "ban-a", "ban-b", "ban-c"];
const PARENTS: [Option<&str>; 6] =
    [None, Some("tinh"), Some("tinh"), Some("xa-a"), Some("xa-a"), Some("xa-b")];
const COLUMNS: [&str; 2] = ["Thời sự", "Khuyến nông"];

fn a_tag() -> impl Strategy<Value = LangTag> {
    select(&TAGS[..]).prop_map(tag)
}

fn a_wish() -> impl Strategy<Value = Wish> {
    (a_tag(), vec(a_tag(), 0..3)).prop_map(|(language, stand_ins)| Wish {
        language,
        stand_ins,
        share: None,
    })
}

fn a_profile() -> impl Strategy<Value = (Vec<Wish>, Option<LangTag>)> {
    (vec(a_wish(), 0..4), proptest::option::of(a_tag())).prop_map(|(mut wishes, fallback)| {
        let mut asked = BTreeSet::new();
        wishes.retain(|wish| asked.insert(wish.language.clone()));
        let fallback = fallback.filter(|_| !wishes.is_empty());
        (wishes, fallback)
    })
}

fn a_tree() -> impl Strategy<Value = AreaTree> {
    vec(a_profile(), AREAS.len()).prop_map(|profiles| {
        let areas = profiles.into_iter().enumerate().map(|(i, (listens, fallback))| Area {
            id: AREAS[i].parse().unwrap(),
            name: AREAS[i].to_owned(),
            level: Level::Village,
            parent: PARENTS[i].map(|parent| parent.parse().unwrap()),
            code: None,
            old_codes: Vec::new(),
            listens,
            fallback,
        });
        AreaTree::new(areas).unwrap()
    })
}

fn a_time() -> impl Strategy<Value = TimeOfDay> {
    // Close together, so that they meet, and on both sides of midnight.
    (select(vec![0_u32, 5, 6, 23]), 0_u32..12)
        .prop_map(|(hour, five)| format!("{hour:02}:{:02}", five * 5).parse().unwrap())
}

fn a_policy() -> impl Strategy<Value = AirtimePolicy> {
    let windows = prop_oneof![
        Just(vec![("00:00", "24:00")]),
        Just(vec![("05:00", "06:20"), ("06:20", "07:00"), ("23:30", "24:00")]),
        Just(vec![("05:17", "06:03")]),
    ];
    (windows, 0_u16..12, 5_u16..90, 10_u16..200).prop_map(|(windows, sessions, session, day)| {
        let window = |(from, until): (&str, &str)| {
            Window::new(Days::EVERY, from.parse().unwrap(), until.parse().unwrap()).unwrap()
        };
        AirtimePolicy {
            windows: windows.into_iter().map(window).collect(),
            sessions_a_day_max: sessions,
            minutes_a_session_max: session,
            minutes_a_day_max: day,
        }
    })
}

fn an_airable() -> impl Strategy<Value = Airable> {
    let class = select(vec![Class::Normal, Class::Normal, Class::Priority, Class::Emergency]);
    let level = select(vec![SourceLevel::Commune, SourceLevel::Province, SourceLevel::Central]);
    let sound = (1_u64..1500, -3000_i64..4320);
    let voices = proptest::collection::btree_map(a_tag(), sound, 0..4);
    // Half of them end among the morning's airings.
    let valid = prop_oneof![
        (-2000_i64..2000, 0_i64..6000),
        (305_i64..420).prop_map(|until| (-2000, until + 2000)),
    ];
    (class, level, select(&COLUMNS[..]), voices, valid).prop_map(
        |(class, source_level, column, voices, (from, length))| {
            let minutes = |minutes: i64| {
                Timestamp::from_seconds(at("2026-11-22T00:00:00").seconds() + minutes * 60)
            };
            let sound = |(length_s, approved): (u64, i64)| Sound {
                asset: Digest::of(b"sound"),
                length_ms: length_s * 1000,
                approved_at: minutes(approved.min(1000)),
            };
            Airable {
                bulletin: "x".parse().unwrap(),
                column: column.parse().unwrap(),
                class,
                source_level,
                valid_from: minutes(from),
                valid_until: minutes(from + length),
                voices: voices.into_iter().map(|(tag, voice)| (tag, sound(voice))).collect(),
                pending: BTreeMap::new(),
            }
        },
    )
}

fn a_selection() -> impl Strategy<Value = Selection> {
    let named = subsequence((0..8).collect::<Vec<u8>>(), 1..4).prop_map(|numbers| {
        Selection::Bulletins(numbers.iter().map(|i| format!("b{i}").parse().unwrap()).collect())
    });
    let newest = select(&COLUMNS[..]).prop_map(|column| Selection::Newest(column.parse().unwrap()));
    prop_oneof![named, newest]
}

fn some_languages() -> impl Strategy<Value = Languages> {
    prop_oneof![
        2 => Just(Languages::Every),
        1 => Just(Languages::First),
        1 => vec(a_tag(), 1..4).prop_map(Languages::Only),
    ]
}

fn a_programme() -> impl Strategy<Value = Programme> {
    let area = || select(&AREAS[..]).prop_map(|area| area.parse::<AreaId>().unwrap());
    let minus = proptest::option::weighted(0.2, area());
    let shape = (any::<bool>(), any::<bool>(), 0_u32..3000);
    let max = proptest::option::of(60_u32..2400);
    let places = (prop_oneof![Just("tinh".parse().unwrap()), area()], minus);
    (btree_set(a_time(), 1..4), places, some_languages(), a_selection(), shape, max).prop_map(
        |(at, (area, minus), languages, selection, (by_language, chime, gap_ms), length_max_s)| {
            Programme {
                id: "x".parse().unwrap(),
                title: String::new(),
                recurrence: Recurrence::times(at, Days::EVERY, None, None).unwrap(),
                areas: vec![area],
                minus_areas: minus.into_iter().collect(),
                languages,
                order: if by_language { Order::Language } else { Order::Bulletin },
                selection,
                gap_ms,
                length_max_s,
                chime,
            }
        },
    )
}

fn a_world() -> impl Strategy<Value = World> {
    let policies = (a_policy(), proptest::option::of(a_policy()));
    let parts = (a_tree(), policies, vec(a_programme(), 1..8), vec(an_airable(), 0..8));
    (parts, vec(select(&AREAS[..]), 1..4)).prop_map(
        |((tree, policies, programmes, content), at)| {
            let mut world = World {
                zone: Zone::default(),
                tree,
                controllers: Vec::new(),
                policies: BTreeMap::from([("tinh".parse().unwrap(), policies.0)]),
                programmes,
                content,
                history: History::default(),
            };
            world.policies.extend(policies.1.map(|policy| ("xa-a".parse().unwrap(), policy)));
            for (i, programme) in world.programmes.iter_mut().enumerate() {
                programme.id = format!("p{i}").parse().unwrap();
            }
            for (i, airable) in world.content.iter_mut().enumerate() {
                airable.bulletin = format!("b{i}").parse().unwrap();
            }
            for (i, area) in at.iter().enumerate() {
                let (id, area) = (format!("c{i}").parse().unwrap(), area.parse().unwrap());
                world.controllers.push(Controller { id, area });
            }
            world
        },
    )
}

fn area_of<'w>(world: &'w World, airing: &Airing) -> &'w AreaId {
    let found = world.controllers.iter().find(|controller| controller.id == airing.key.controller);
    &found.unwrap().area
}

fn policy_of<'w>(world: &'w World, airing: &Airing) -> &'w AirtimePolicy {
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
            let policy = policy_of(&world, airing);
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
        let mut heard = BTreeSet::new();
        for airing in &plan.airings {
            let programme = world.programmes.iter().find(|p| p.id == airing.key.programme).unwrap();
            let ids = || airing.items.iter().map(|i| (&airing.key.controller, &i.bulletin));
            if matches!(programme.selection, Selection::Newest(_)) {
                prop_assert!(ids().all(|id| !heard.contains(&id)), "{airing:?}");
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
            let meant = |p: &&Programme| chain.iter().any(|area| p.areas.contains(area))
                && !chain.iter().any(|area| p.minus_areas.contains(area));
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
        let plan = plan(&world, date(SUNDAY), 1);
        for remark in &plan.remarks {
            if let (Some(key), Reason::Collision { winner }) = (&remark.key, &remark.reason) {
                let airs = plan.of(&key.controller).iter().any(|a| a.key.programme == *winner);
                prop_assert!(airs, "{remark:?} {:?}", plan.airings);
            }
        }
    }
}
