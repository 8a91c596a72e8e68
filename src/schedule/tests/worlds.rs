//! Worlds made at random, small enough that everything in them meets.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::calendar::Weekday;
use crate::id::{ProgrammeId, Tag};

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
            level: if AREAS[i].starts_with("xa") { Level::Commune } else { Level::Village },
            parent: PARENTS[i].map(|parent| parent.parse().unwrap()),
            code: None,
            old_codes: Vec::new(),
            listens,
            fallback,
            tags: if i % 2 == 0 { vec![] } else { vec!["bien-gioi".parse().unwrap()] },
            position: None,
        });
        AreaTree::new(areas).unwrap()
    })
}

fn a_time() -> impl Strategy<Value = TimeOfDay> {
    // Close together, so that they meet, and on both sides of midnight.
    (select(vec![0_u32, 5, 6, 23]), 0_u32..12)
        .prop_map(|(hour, five)| format!("{hour:02}:{:02}", five * 5).parse().unwrap())
}

fn some_airtime() -> impl Strategy<Value = Airtime> {
    let quiet = prop_oneof![Just(None), Just(Some(("05:40", "06:10")))];
    (a_policy(), quiet, proptest::option::of(1_u8..4)).prop_map(|(policy, quiet, days)| {
        let quiet = quiet.map(|(from, until): (&str, &str)| {
            let sunday = Days::from(Weekday::Sunday);
            Window::new(sunday, from.parse().unwrap(), until.parse().unwrap()).unwrap()
        });
        Airtime::new(policy, quiet.into_iter().collect(), days, Vec::new()).unwrap()
    })
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
    let class = select(vec![Class::Normal, Class::Priority, Class::Priority, Class::Emergency]);
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

fn an_area() -> impl Strategy<Value = AreaId> {
    select(&AREAS[..]).prop_map(|area| area.parse().unwrap())
}

fn a_column() -> impl Strategy<Value = Column> {
    select(&COLUMNS[..]).prop_map(|column| column.parse().unwrap())
}

fn a_programme_id() -> impl Strategy<Value = ProgrammeId> {
    (0_u8..5).prop_map(|i| format!("p{i}").parse().unwrap())
}

fn a_tag_of(tag: &'static str, weight: f64) -> impl Strategy<Value = Vec<Tag>> {
    proptest::bool::weighted(weight)
        .prop_map(move |on| on.then(|| tag.parse().unwrap()).into_iter().collect())
}

fn a_programme() -> impl Strategy<Value = Programme> {
    let minus = proptest::option::weighted(0.2, an_area());
    let listening = proptest::option::weighted(0.2, a_tag());
    let tagged = (a_tag_of("bien-gioi", 0.2), a_tag_of("giai-tri", 0.3));
    let shape = (any::<bool>(), any::<bool>(), 0_u32..3000);
    let identification = proptest::option::weighted(0.3, 0_u8..8);
    let ways =
        select(vec![GivesWay::Last, GivesWay::Longest, GivesWay::LowestClass, GivesWay::Oldest]);
    let max = (proptest::option::of(60_u32..2400), ways);
    let places = (prop_oneof![Just("tinh".parse().unwrap()), an_area()], minus);
    let who = (places, listening, tagged);
    let what = (some_languages(), a_selection(), identification);
    (btree_set(a_time(), 1..4), who, what, shape, max).prop_map(|(at, who, what, shape, max)| {
        let ((area, minus), listening, (only_tags, tags)) = who;
        let (languages, selection, identification) = what;
        let (by_language, chime, gap_ms) = shape;
        Programme {
            id: "x".parse().unwrap(),
            title: String::new(),
            tags,
            recurrence: Recurrence::times(at, Days::EVERY, None, None).unwrap(),
            areas: vec![area],
            minus_areas: minus.into_iter().collect(),
            only_tags,
            only_listening: listening.into_iter().collect(),
            languages,
            order: if by_language { Order::Language } else { Order::Bulletin },
            selection,
            gap_ms,
            identification: identification.map(|i| format!("b{i}").parse().unwrap()),
            length_max_s: max.0,
            gives_way: max.1,
            chime,
        }
    })
}

fn an_exception() -> impl Strategy<Value = Exception> {
    let change = prop_oneof![
        Just(Change::Skip),
        btree_set(a_time(), 1..4).prop_map(|times| Change::Move(times.into_iter().collect())),
        a_selection().prop_map(Change::Replace),
        a_programme_id().prop_map(Change::ReplaceBy),
    ];
    let scope = prop_oneof![
        Just(Scope::default()),
        a_programme_id().prop_map(|id| Scope { programmes: vec![id], ..Scope::default() }),
        a_column().prop_map(|column| Scope { columns: vec![column], ..Scope::default() }),
        Just(Scope { tags: vec!["giai-tri".parse().unwrap()], ..Scope::default() }),
    ];
    let areas = proptest::option::of(an_area());
    (0_i64..4, 0_i64..3, areas, scope, change).prop_map(|(from, days, areas, scope, change)| {
        let from = date(SUNDAY).plus_days(from);
        Exception {
            id: "x".parse().unwrap(),
            name: "Nghỉ".to_owned(),
            from,
            until: from.plus_days(days),
            areas: areas.into_iter().collect(),
            scope,
            change,
        }
    })
}

/// Half an hour before midnight of that Sunday and later: early enough, or too late.
fn a_decision() -> impl Strategy<Value = Decision> {
    let area = select(vec!["xa-a", "xa-b", "tinh"]);
    let pair = (a_programme_id(), 0_u16..2, a_programme_id(), 0_u16..2);
    (area, 0_i64..3, pair, any::<bool>(), 0_i64..3000).prop_filter_map(
        "two programmes",
        |(area, days, (one, n, other, m), turn, minutes)| {
            let first = if turn { one.clone() } else { other.clone() };
            let pair = [
                Contender { programme: one, occurrence: n },
                Contender { programme: other, occurrence: m },
            ];
            let id = DecisionId::new(area.parse().unwrap(), date(SUNDAY).plus_days(days), pair)?;
            let seconds = at("2026-11-21T23:30:00").seconds() + minutes * 60;
            let by = "vang-thi-mua".parse().unwrap();
            Some(Decision { id, at: Timestamp::from_seconds(seconds), first, by })
        },
    )
}

pub(super) fn a_world() -> impl Strategy<Value = World> {
    let policies = (some_airtime(), proptest::option::of(some_airtime()));
    let parts = (a_tree(), policies, vec(a_programme(), 1..8), vec(an_airable(), 0..8));
    let layers = (vec(an_exception(), 0..4), vec(a_decision(), 0..12));
    (parts, layers, vec(select(&AREAS[..]), 1..4)).prop_map(
        |((tree, policies, programmes, content), (exceptions, decisions), at)| {
            let mut world = World {
                zone: Zone::default(),
                tree,
                controllers: Vec::new(),
                policies: BTreeMap::from([("tinh".parse().unwrap(), policies.0)]),
                programmes,
                exceptions,
                decisions,
                content,
                history: History::default(),
            };
            world.policies.extend(policies.1.map(|policy| ("xa-a".parse().unwrap(), policy)));
            for (i, programme) in world.programmes.iter_mut().enumerate() {
                programme.id = format!("p{i}").parse().unwrap();
            }
            for (i, exception) in world.exceptions.iter_mut().enumerate() {
                exception.id = format!("e{i}").parse().unwrap();
            }
            for (i, airable) in world.content.iter_mut().enumerate() {
                airable.bulletin = format!("b{i}").parse().unwrap();
            }
            for (i, area) in at.iter().enumerate() {
                let (id, area) = (format!("c{i}").parse().unwrap(), area.parse().unwrap());
                world.controllers.push(Controller { id, area, position: None });
            }
            world
        },
    )
}
