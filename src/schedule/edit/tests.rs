//! Airings changed, weeks copied, edits made and taken back in the files of a station.

use super::*;
use crate::schedule::{Change, Selection};
use crate::time::{LocalDate, TimeOfDay};

const FILE: &str = r#"# The station's own words.
[[area]]
id = "tinh"
name = "Tỉnh"
level = "province"

# Every morning.
[[programme]]
id = "sang"
title = "Buổi sáng"
at = ["05:30:00"]
weekdays = ["mon", "tue"]
areas = ["tinh"]
bulletins = ["tin"]

# Twice a day.
[[programme]]
id = "hai-lan"
title = "Hai lần"
cron = "0 0 6,17 * * *"
areas = ["tinh"]
newest = "Thời sự"

[[exception]]
id = "tet"
name = "Tết"
from = "2027-02-05"
until = "2027-02-09"
programmes = ["sang"]
skip = true
"#;

fn files() -> Vec<(String, String)> {
    vec![("tinh.toml".to_owned(), FILE.to_owned())]
}

fn date(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn time(text: &str) -> TimeOfDay {
    text.parse().unwrap()
}

fn slot(programme: &str, on: &str, occurrence: u16) -> Slot {
    Slot { programme: programme.parse().unwrap(), date: date(on), occurrence }
}

fn to(day: &str, at: &str) -> Turnout {
    Turnout::Move { date: date(day), time: time(at) }
}

fn schedule() -> Checked {
    read(&files()).unwrap()
}

/// The schedule after a change of one airing, and its one file of the station.
fn after(slot: &Slot, reach: Reach, turnout: &Turnout) -> (Checked, String) {
    let edit = Edit::of(&schedule(), slot.turned(&schedule(), reach, turnout).unwrap());
    let changed = edit.files(&files()).unwrap();
    let mut all: BTreeMap<String, String> = files().into_iter().collect();
    all.extend(changed);
    let own = all["tinh.toml"].clone();
    (read(&all.into_iter().collect::<Vec<_>>()).unwrap(), own)
}

fn programme<'s>(schedule: &'s Checked, id: &str) -> &'s Programme {
    schedule.programmes.iter().find(|held| held.id.as_str() == id).unwrap()
}

/// The dates and times of a programme in a week.
fn comes(schedule: &Checked, id: &str, from: &str) -> Vec<String> {
    let rule = &programme(schedule, id).recurrence;
    let days = (0..7).map(|n| date(from).plus_days(n)).filter(|day| rule.comes_on(*day));
    let times = rule.times_of_day();
    days.flat_map(|day| times.iter().map(move |time| format!("{day} {time}"))).collect()
}

#[test]
fn one_airing_that_is_moved_on_its_day_is_an_exception_and_the_files_keep_their_comments() {
    let (schedule, own) =
        after(&slot("sang", "2026-11-23", 0), Reach::This, &to("2026-11-23", "07:00"));
    let exception = &schedule.exceptions[0];
    assert_eq!(exception.change, Change::Move(vec![time("07:00")]));
    assert_eq!((exception.from, exception.until), (date("2026-11-23"), date("2026-11-23")));
    assert_eq!(comes(&schedule, "sang", "2026-11-23").len(), 2, "the programme is as it was");
    assert_eq!(own, FILE, "what is new goes to a file of its own");
}

#[test]
fn one_airing_that_goes_to_another_day_leaves_the_rest_of_its_day() {
    let (schedule, _) =
        after(&slot("hai-lan", "2026-11-23", 1), Reach::This, &to("2026-11-24", "18:00"));
    assert_eq!(schedule.exceptions[0].change, Change::Skip);
    let stays = comes(&schedule, "hai-lan-1123", "2026-11-23");
    assert_eq!(stays, ["2026-11-23 06:00"]);
    let goes = comes(&schedule, "hai-lan-1124", "2026-11-23");
    assert_eq!(goes, ["2026-11-24 18:00"]);
}

#[test]
fn an_airing_and_all_that_follow_continue_under_another_name_with_their_exceptions() {
    let (schedule, own) =
        after(&slot("sang", "2026-11-24", 0), Reach::Following, &to("2026-11-25", "06:00"));
    assert_eq!(comes(&schedule, "sang", "2026-11-23"), ["2026-11-23 05:30"]);
    let follow = comes(&schedule, "sang-2", "2026-11-23");
    assert_eq!(follow, ["2026-11-25 06:00"], "the Monday of that week had its own airing");
    assert_eq!(comes(&schedule, "sang-2", "2026-11-30").len(), 2);
    let tet = &schedule.exceptions[0].scope.programmes;
    assert_eq!(tet.iter().map(ToString::to_string).collect::<Vec<_>>(), ["sang", "sang-2"]);
    assert!(own.contains("# Every morning.\n[[programme]]\nid = \"sang\""), "{own}");
}

#[test]
fn all_airings_are_moved_in_place() {
    let (schedule, own) =
        after(&slot("hai-lan", "2026-11-24", 1), Reach::All, &to("2026-11-24", "18:00"));
    let times = programme(&schedule, "hai-lan").recurrence.times_of_day();
    assert_eq!(times, [time("06:00"), time("18:00")]);
    assert!(own.starts_with("# The station's own words.\n"), "{own}");
}

#[test]
fn what_airs_once_is_moved_itself_and_leaves_nothing_behind() {
    let (schedule, _) =
        after(&slot("hai-lan", "2026-11-24", 1), Reach::This, &to("2026-11-26", "18:00"));
    let day = Some(date("2026-11-26"));
    let single = schedule.programmes.iter().find(|held| held.recurrence.from() == day).unwrap();
    let (id, count) = (single.id.clone(), schedule.programmes.len());
    let exceptions = schedule.exceptions.len();
    let slot = Slot { programme: id.clone(), date: date("2026-11-26"), occurrence: 0 };
    let pieces = slot.turned(&schedule, Reach::This, &to("2026-11-28", "07:00")).unwrap();
    let [(What::Programme(moved), Some(Piece::Programme(to)))] = &pieces[..] else {
        panic!("{pieces:?}")
    };
    assert_eq!(
        (moved, schedule.programmes.len(), schedule.exceptions.len()),
        (&id, count, exceptions)
    );
    assert!(to.recurrence.is_single() && to.recurrence.comes_on(date("2026-11-28")));
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_do() {
    let refused = |slot: &Slot, reach, turnout: &Turnout| {
        slot.turned(&schedule(), reach, turnout).unwrap_err().to_string()
    };
    let daily = slot("hai-lan", "2026-11-24", 0);
    let said = refused(&daily, Reach::All, &to("2026-11-25", "06:00"));
    assert!(said.contains("in its form"), "{said}");
    let said = refused(&daily, Reach::This, &to("2026-11-24", "17:00"));
    assert!(said.contains("already"), "{said}");
    let absent = slot("sang", "2026-11-25", 0);
    let said = refused(&absent, Reach::This, &Turnout::Cancel);
    assert!(said.contains("does not come"), "{said}");
    let other = Turnout::Replace(Selection::Bulletins(vec!["tin".parse().unwrap()]));
    assert!(refused(&daily, Reach::All, &other).contains("form"));
}

#[test]
fn a_programme_that_is_taken_away_leaves_no_exception_that_names_it() {
    let (schedule, own) = after(&slot("sang", "2026-11-23", 0), Reach::All, &Turnout::Cancel);
    assert_eq!(schedule.programmes.len(), 1);
    assert!(schedule.exceptions.is_empty());
    assert!(!own.contains("Buổi sáng"), "{own}");
}

#[test]
fn an_edit_taken_back_gives_the_same_schedule() {
    let slot = slot("sang", "2026-11-24", 0);
    let pieces = slot.turned(&schedule(), Reach::Following, &to("2026-11-24", "06:00")).unwrap();
    let edit = Edit::of(&schedule(), pieces);
    let mut all: BTreeMap<String, String> = files().into_iter().collect();
    all.extend(edit.files(&files()).unwrap());
    let became: Vec<(String, String)> = all.clone().into_iter().collect();
    assert_ne!(read(&became).unwrap(), schedule());
    all.extend(edit.back().files(&became).unwrap());
    let restored: Vec<(String, String)> = all.into_iter().collect();
    assert_eq!(read(&restored).unwrap(), schedule());
}

#[test]
fn an_edit_is_not_made_over_somebody_elses() {
    let slot = slot("sang", "2026-11-24", 0);
    let first = Edit::of(
        &schedule(),
        slot.turned(&schedule(), Reach::All, &to("2026-11-24", "06:00")).unwrap(),
    );
    let second = Edit::of(
        &schedule(),
        slot.turned(&schedule(), Reach::All, &to("2026-11-24", "07:00")).unwrap(),
    );
    let became = first.files(&files()).unwrap();
    let refused = second.files(&became).unwrap_err();
    assert!(matches!(refused, NotEdited::Changed(What::Programme(_))), "{refused}");
}

#[test]
fn a_week_is_copied_with_what_belongs_to_it_alone() {
    let slot = slot("hai-lan", "2026-11-24", 0);
    let pieces = slot.turned(&schedule(), Reach::This, &to("2026-11-25", "20:00")).unwrap();
    let mut all: BTreeMap<String, String> = files().into_iter().collect();
    all.extend(Edit::of(&schedule(), pieces).files(&files()).unwrap());
    let held = read(&all.into_iter().collect::<Vec<_>>()).unwrap();
    let copies = copied(&held, date("2026-11-23"), date("2026-11-30")).unwrap();
    let told: Vec<String> = copies.iter().map(|(what, _)| what.to_string()).collect();
    let expected =
        ["programme/hai-lan-1124-2", "programme/hai-lan-1125-2", "exception/hai-lan-2026-11-24-2"];
    assert_eq!(told, expected);
    let Some(Piece::Programme(copy)) = &copies[1].1 else { panic!("a programme") };
    assert_eq!(copy.recurrence.from(), Some(date("2026-12-02")));
}

#[test]
fn a_new_name_is_made_of_the_title_and_is_nobody_elses() {
    let named = |title: &str| free_programme(&schedule(), title).to_string();
    assert_eq!(named("Đọc báo buổi tối!"), "doc-bao-buoi-toi");
    assert_eq!(named("Sáng"), "sang-2");
    assert_eq!(named("ꪎꪳꪙ"), "chuong-trinh");
    assert_eq!(named(&"a".repeat(90)).len(), ID_CHARS_MAX);
}

use crate::id::ID_CHARS_MAX;
