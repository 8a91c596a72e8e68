//! The cast of the plan's tests, and one claim each about what a village hears.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::calendar::recurrence::Recurrence;
use crate::calendar::{AirtimePolicy, Days, Window};
use crate::fleet::{Area, Level, Wish};
use crate::time::TimeOfDay;

mod collision;
mod decision;
mod edge;
mod exception;
mod language;
mod planner;
mod property;
mod worlds;

pub(super) const SUNDAY: &str = "2026-11-22";

pub(super) fn date(text: &str) -> LocalDate {
    text.parse().unwrap()
}

/// Wall clock in Viet Nam, such as `2026-11-22T05:30:00`.
pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}+07:00")).unwrap()
}

pub(super) fn tag(text: &str) -> LangTag {
    text.parse().unwrap()
}

/// A province with a policy from 05:00 until 22:00 and nobody in it.
pub(super) struct Town {
    pub(super) world: World,
    areas: Vec<Area>,
}

impl Town {
    pub(super) fn new() -> Self {
        let hours = |from: &str, until: &str| {
            Window::new(Days::EVERY, from.parse().unwrap(), until.parse().unwrap()).unwrap()
        };
        let policy = AirtimePolicy {
            windows: vec![hours("05:00", "22:00")],
            sessions_a_day_max: 20,
            minutes_a_session_max: 60,
            minutes_a_day_max: 600,
        };
        let world = World {
            zone: Zone::default(),
            tree: AreaTree::default(),
            controllers: Vec::new(),
            policies: BTreeMap::from([("tinh".parse().unwrap(), policy.into())]),
            programmes: Vec::new(),
            exceptions: Vec::new(),
            decisions: Vec::new(),
            content: Vec::new(),
            history: History::default(),
        };
        let mut town = Self { world, areas: Vec::new() };
        town.area("tinh", None, Level::Province, "");
        town
    }

    /// Adds an area. `wishes` are written `hni mww/hmn vi?`: languages, stand-ins after a stroke,
    /// a fallback with a question mark.
    pub(super) fn area(&mut self, id: &str, parent: Option<&str>, level: Level, wishes: &str) {
        let (fallback, wishes): (Vec<&str>, Vec<&str>) =
            wishes.split_whitespace().partition(|wish| wish.ends_with('?'));
        let listens = wishes.iter().map(|wish| {
            let mut languages = wish.split('/').map(tag);
            Wish {
                language: languages.next().unwrap(),
                stand_ins: languages.collect(),
                share: None,
            }
        });
        self.areas.push(Area {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            level,
            parent: parent.map(|parent| parent.parse().unwrap()),
            code: None,
            old_codes: Vec::new(),
            listens: listens.collect(),
            fallback: fallback.first().map(|wish| tag(wish.trim_end_matches('?'))),
            tags: Vec::new(),
            position: None,
        });
        self.world.tree = AreaTree::new(self.areas.clone()).unwrap();
    }

    /// Adds a village with a controller of the same name.
    pub(super) fn village(mut self, id: &str, wishes: &str) -> Self {
        self.area(id, Some("tinh"), Level::Village, wishes);
        self.world.controllers.push(Controller {
            id: id.parse().unwrap(),
            area: id.parse().unwrap(),
            position: None,
        });
        self
    }

    /// Adds a normal bulletin of the province in some languages, `minutes` long in each, valid in
    /// November and December 2026, newer than those before it.
    pub(super) fn bulletin(mut self, id: &str, languages: &str, minutes: u64) -> Self {
        let newer = Duration::from_secs(60 * self.world.content.len() as u64);
        let voices = languages.split_whitespace().map(|language| {
            let asset = Digest::of(format!("{id}/{language}").as_bytes());
            let approved_at = at("2026-11-01T08:00:00") + newer;
            (tag(language), Sound { asset, length_ms: minutes * 60_000, approved_at })
        });
        self.world.content.push(Airable {
            bulletin: id.parse().unwrap(),
            column: "Thời sự".parse().unwrap(),
            class: Class::Normal,
            source_level: SourceLevel::Province,
            valid_from: at("2026-11-01T00:00:00"),
            valid_until: at("2027-01-01T00:00:00"),
            voices: voices.collect(),
            pending: BTreeMap::new(),
        });
        self
    }

    /// Adds a programme for the whole province, each day at `time`, of the named bulletins; of
    /// the newest of its column where none is named.
    pub(super) fn programme(mut self, id: &str, time: &str, bulletins: &str) -> Self {
        let named: Vec<BulletinId> =
            bulletins.split_whitespace().map(|id| id.parse().unwrap()).collect();
        let newest = Selection::Newest("Thời sự".parse().unwrap());
        let selection = if named.is_empty() { newest } else { Selection::Bulletins(named) };
        let times = [time.parse().unwrap()];
        self.world.programmes.push(Programme {
            id: id.parse().unwrap(),
            title: id.to_owned(),
            tags: Vec::new(),
            recurrence: Recurrence::times(times, Days::EVERY, None, None).unwrap(),
            areas: vec!["tinh".parse().unwrap()],
            minus_areas: Vec::new(),
            only_tags: Vec::new(),
            only_listening: Vec::new(),
            languages: Languages::Every,
            order: Order::Bulletin,
            selection,
            gap_ms: 0,
            identification: None,
            gives_way: GivesWay::Last,
            length_max_s: None,
            chime: false,
        });
        self
    }

    /// Changes the last programme.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Programme)) -> Self {
        change(self.world.programmes.last_mut().unwrap());
        self
    }

    /// Changes the last bulletin.
    pub(super) fn content(mut self, change: impl FnOnce(&mut Airable)) -> Self {
        change(self.world.content.last_mut().unwrap());
        self
    }

    /// Changes the province's policy.
    pub(super) fn policy(mut self, change: impl FnOnce(&mut AirtimePolicy)) -> Self {
        let airtime = self.world.policies.get_mut(&"tinh".parse().unwrap()).unwrap();
        let mut policy = airtime.written().clone();
        change(&mut policy);
        *airtime = policy.into();
        self
    }

    pub(super) fn plan(&self, from: &str, days: u16) -> Plan {
        plan(&self.world, date(from), days)
    }

    /// What is heard on that Sunday: `programme bulletin:language …`.
    pub(super) fn sunday(&self) -> Vec<String> {
        heard(&self.plan(SUNDAY, 1))
    }

    /// The reasons of that Sunday's remarks, in words.
    pub(super) fn reasons(&self) -> Vec<Reason> {
        self.plan(SUNDAY, 1).remarks.into_iter().map(|remark| remark.reason).collect()
    }
}

pub(super) fn heard(plan: &Plan) -> Vec<String> {
    let line = |airing: &Airing| {
        let items: Vec<String> = airing
            .items
            .iter()
            .map(|item| format!("{}:{}", item.bulletin, item.language))
            .collect();
        format!("{} {}", airing.key.programme, items.join(" "))
    };
    plan.airings.iter().map(line).collect()
}

#[test]
fn a_programme_airs_at_its_time_with_its_length_counted() {
    let town = Town::new()
        .village("ban", "hni vi")
        .bulletin("tin", "hni vi", 2)
        .programme("sang", "05:30", "tin")
        .with(|programme| (programme.chime, programme.gap_ms) = (true, 500));
    let plan = town.plan(SUNDAY, 1);
    let airing = &plan.airings[0];
    assert_eq!(airing.key.to_string(), "sang/ban/2026-11-22/0");
    assert_eq!(airing.at, at("2026-11-22T05:30:00"));
    // Two chimes, two items, one gap.
    assert_eq!(airing.ends, at("2026-11-22T05:34:05.100"));
    assert_eq!(airing.latest, at("2026-11-22T05:35:00"));
    assert!(plan.remarks.is_empty(), "{:?}", plan.remarks);
}

#[test]
fn the_newest_of_a_column_airs_once_and_then_the_one_before_it() {
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("cu", "vi", 2)
        .bulletin("moi", "vi", 2)
        .programme("sang", "05:30", "");
    let plan = town.plan(SUNDAY, 3);
    assert_eq!(heard(&plan), ["sang moi:vi", "sang cu:vi"]);
    assert_eq!(plan.remarks.len(), 1);
    assert_eq!(plan.remarks[0].reason, Reason::NothingToAir);
}

#[test]
fn two_slots_of_one_day_do_not_air_the_same_newest() {
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("cu", "vi", 2)
        .bulletin("moi", "vi", 2)
        .programme("sang", "05:30", "")
        .programme("toi", "17:30", "");
    assert_eq!(town.sunday(), ["sang moi:vi", "toi cu:vi"]);
}

#[test]
fn the_newest_skips_what_was_heard_at_this_controller_and_only_there() {
    let mut town = Town::new()
        .village("ban", "vi")
        .village("lang", "vi")
        .bulletin("cu", "vi", 2)
        .bulletin("moi", "vi", 2)
        .programme("sang", "05:30", "");
    town.world.history.heard(&"ban".parse().unwrap(), "moi".parse().unwrap());
    assert_eq!(town.sunday(), ["sang cu:vi", "sang moi:vi"]);
}

#[test]
fn the_last_items_give_way_to_the_length_of_a_programme() {
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("mot", "vi", 2)
        .bulletin("hai", "vi", 3)
        .bulletin("ba", "vi", 1)
        .programme("sang", "05:30", "mot hai ba")
        .with(|programme| programme.length_max_s = Some(240));
    assert_eq!(town.sunday(), ["sang mot:vi"]);
    assert_eq!(town.reasons(), vec![Reason::Cut { length_max_s: 240 }; 2]);
}

#[test]
fn an_area_taken_out_of_a_programme_does_not_hear_it() {
    let town = Town::new()
        .village("ban", "vi")
        .village("lang", "vi")
        .bulletin("tin", "vi", 2)
        .programme("sang", "05:30", "tin")
        .with(|programme| programme.minus_areas = vec!["lang".parse().unwrap()]);
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(plan.of(&"ban".parse().unwrap()).len(), 1);
    assert!(plan.of(&"lang".parse().unwrap()).is_empty());
}

#[test]
fn what_is_left_out_first_where_not_all_fits_is_by_the_programmes_rule() {
    let sunday = |way| {
        let town = Town::new()
            .village("ban", "vi")
            .bulletin("gap", "vi", 2)
            .content(|gap| gap.class = Class::Priority)
            .bulletin("dai", "vi", 3)
            .content(|dai| dai.class = Class::Priority)
            .bulletin("ngan", "vi", 1)
            .bulletin("vua", "vi", 2)
            .content(|vua| vua.class = Class::Priority)
            .programme("sang", "05:30", "gap dai ngan vua")
            .with(|p| (p.length_max_s, p.gives_way) = (Some(7 * 60), way));
        assert_eq!(town.reasons(), vec![Reason::Cut { length_max_s: 420 }]);
        town.sunday().remove(0)
    };
    assert_eq!(sunday(GivesWay::Last), "sang gap:vi dai:vi ngan:vi");
    assert_eq!(sunday(GivesWay::Longest), "sang gap:vi ngan:vi vua:vi");
    assert_eq!(sunday(GivesWay::LowestClass), "sang gap:vi dai:vi vua:vi");
    assert_eq!(sunday(GivesWay::Oldest), "sang dai:vi ngan:vi vua:vi");
}

#[test]
fn no_airing_has_more_items_than_a_manifest_holds() {
    let ids: Vec<String> = (0..ITEMS_MAX + 2).map(|i| format!("b{i}")).collect();
    let town = Town::new().village("ban", "vi");
    let town = ids.iter().fold(town, |town, id| town.bulletin(id, "vi", 0));
    let town = town.programme("sang", "05:30", &ids.join(" "));
    assert_eq!(town.plan(SUNDAY, 1).airings[0].items.len(), ITEMS_MAX);
    assert_eq!(town.reasons(), [Reason::TooManyItems, Reason::TooManyItems]);
}

fn identified(bulletins: &str) -> Town {
    Town::new()
        .village("ban", "hni vi")
        .bulletin("dai-hieu", "hni vi", 1)
        .bulletin("tin", "hni vi", 2)
        .programme("sang", "05:30", bulletins)
        .with(|programme| programme.identification = "dai-hieu".parse().ok())
}

#[test]
fn the_station_names_itself_once_in_the_villages_first_language() {
    assert_eq!(identified("tin").sunday(), ["sang dai-hieu:hni tin:hni tin:vi"]);
}

#[test]
fn the_station_does_not_name_itself_where_nothing_follows() {
    let town = identified("x");
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons(), [Reason::UnknownBulletin, Reason::NothingToAir]);
    let short = identified("tin").with(|programme| programme.length_max_s = Some(90));
    assert!(short.sunday().is_empty());
}

#[test]
fn the_identification_stays_while_items_give_way() {
    let town = identified("tin").with(|programme| {
        (programme.length_max_s, programme.gives_way) = (Some(200), GivesWay::Oldest);
    });
    assert_eq!(town.sunday(), ["sang dai-hieu:hni tin:hni"]);
}

#[test]
fn a_programme_for_a_language_is_heard_where_it_is_asked_for_and_not_where_it_stands_in() {
    let town = Town::new()
        .village("mong", "mww vi")
        .village("kinh", "vi")
        .village("khac", "hnj/mww")
        .bulletin("tin", "mww vi", 2)
        .programme("sang", "05:30", "tin")
        .with(|programme| programme.only_listening = vec![tag("mww")]);
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(heard(&plan), ["sang tin:mww tin:vi"]);
    assert_eq!(plan.airings[0].key.controller.as_str(), "mong");
}

#[test]
fn a_programme_for_a_tag_is_heard_where_the_area_or_one_above_carries_it() {
    let mut town = Town::new()
        .village("gan", "vi")
        .village("xa-xoi", "vi")
        .bulletin("tin", "vi", 2)
        .programme("sang", "05:30", "tin")
        .with(|programme| programme.only_tags = vec!["bien-gioi".parse().unwrap()]);
    let border = |areas: &mut Vec<Area>, id: &str| {
        let area = areas.iter_mut().find(|area| area.id.as_str() == id).unwrap();
        area.tags = vec!["bien-gioi".parse().unwrap()];
        AreaTree::new(areas.clone()).unwrap()
    };
    town.world.tree = border(&mut town.areas, "gan");
    assert_eq!(town.plan(SUNDAY, 1).airings[0].key.controller.as_str(), "gan");
    town.world.tree = border(&mut town.areas, "tinh");
    assert_eq!(town.sunday().len(), 2);
}

#[test]
fn a_programme_that_reaches_nobody_is_remarked_once() {
    let town = Town::new().bulletin("tin", "vi", 2).programme("sang", "05:30", "tin");
    let plan = town.plan(SUNDAY, 7);
    assert_eq!(plan.remarks.len(), 1);
    assert_eq!(plan.remarks[0].reason, Reason::NoAudience);
    assert!(plan.remarks[0].to_string().starts_with("sang: no controller"), "{}", plan.remarks[0]);
}

#[test]
fn a_remark_reads_alone_in_both_languages() {
    let town = Town::new()
        .village("ban", "hni")
        .bulletin("tin", "vi", 2)
        .programme("sang", "05:30", "tin");
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(
        plan.remarks[0].to_string(),
        "sang/ban/2026-11-22/0, bulletin tin, Hani: there is no version; have it translated and recorded"
    );
    assert_eq!(
        plan.remarks[0].vi(),
        "sang/ban/2026-11-22/0, bản tin tin, tiếng Hà Nhì: chưa có phiên bản; hãy dịch và thu âm"
    );
}

#[test]
fn a_plan_reads_back_from_json() {
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("tin", "vi", 2)
        .programme("sang", "05:30", "tin x");
    let plan = town.plan(SUNDAY, 2);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn the_chime_is_planned_as_long_as_it_sounds() {
    use crate::audio::tone::Tone;
    for tone in [Tone::Opening, Tone::Closing] {
        assert_eq!(tone.duration().get(), u64::from(CHIME_MS));
    }
}
