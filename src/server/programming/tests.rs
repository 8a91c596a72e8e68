//! Editors of one station: what each is shown, saves, and takes back.

use std::path::Path;

use super::*;
use crate::bulletin::{Class, SourceLevel};
use crate::schedule::edit::{Reach, Slot, Turnout};
use crate::server::tests as stand;

const SCHEDULE: &str = r#"
[[area]]
id = "lai-chau"
name = "Lai Châu"
level = "province"
[[area.listens]]
language = "vi"

[[area]]
id = "mu-ca"
name = "Mù Cả"
level = "commune"
parent = "lai-chau"

[[controller]]
id = "mu-ca-1"
area = "mu-ca"

[[policy]]
area = "lai-chau"
sessions_a_day_max = 4
minutes_a_session_max = 30
minutes_a_day_max = 60
[[policy.window]]
days = ["all"]
from = "05:00"
until = "21:00"

[[programme]]
id = "tin-tinh"
title = "Tin tỉnh"
at = ["06:00:00"]
areas = ["lai-chau"]
bulletins = ["lu"]

[[programme]]
id = "tin-xa"
title = "Tin xã"
at = ["07:00:00"]
areas = ["mu-ca"]
bulletins = ["lu"]
"#;

async fn station(folder: &Path) -> Station {
    let station = stand::station(folder, SCHEDULE).await;
    let from = utc_now() - Duration::from_hours(1);
    let bulletin = stand::bulletin("lu", Class::Normal, SourceLevel::Province, from);
    station.put_approved(&bulletin).await;
    station.hire(&[("an", "announcer"), ("chi", "leader"), ("mua", "operator@mu-ca")]).await;
    station
}

fn person(id: &str) -> PersonId {
    id.parse().unwrap()
}

/// Moves every airing of a programme, as the week's grid would.
async fn moved(station: &Station, programme: &str, time: &str) -> Edit {
    let schedule = station.schedule().await.unwrap();
    let date = station.config.zone.date(utc_now()).plus_days(2);
    let slot = Slot { programme: programme.parse().unwrap(), date, occurrence: 0 };
    let turnout = Turnout::Move { date, time: time.parse().unwrap() };
    Edit::of(&schedule, slot.turned(&schedule, Reach::All, &turnout).unwrap())
}

async fn time(station: &Station, programme: &str) -> String {
    let schedule = station.schedule().await.unwrap();
    let held = schedule.programmes.iter().find(|held| held.id.as_str() == programme).unwrap();
    held.recurrence.times_of_day()[0].to_string()
}

#[tokio::test]
async fn a_change_is_seen_in_the_plan_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let edit = moved(&station, "tin-tinh", "08:00").await;
    let preview = station.preview(&edit, &person("an")).await.unwrap();
    assert!((13..=14).contains(&preview.differences.len()), "{:?}", preview.differences);
    let to_other_times = preview
        .differences
        .iter()
        .all(|one| matches!(one.change, Change::Altered { moved: Some(_), .. }));
    assert!(to_other_times, "{:?}", preview.differences);
    assert!(preview.remarks.is_empty(), "{:?}", preview.remarks);
    assert_eq!(time(&station, "tin-tinh").await, "06:00", "nothing was saved");
}

#[tokio::test]
async fn what_was_looked_at_is_known_again_until_somebody_takes_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let edit = moved(&station, "tin-xa", "08:00").await;
    let look = async || station.preview(&edit, &person("an")).await.unwrap().digest();
    let before = look().await;
    assert_eq!(look().await, before);
    let other = moved(&station, "tin-tinh", "08:00").await;
    station.edit_schedule(&other, "airing", &person("an")).await.unwrap();
    assert_ne!(look().await, before);
}

#[tokio::test]
async fn what_will_not_air_or_pushes_another_out_is_told_before() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let told = async |time: &str| {
        let edit = moved(&station, "tin-tinh", time).await;
        let preview = station.preview(&edit, &person("an")).await.unwrap();
        let reasons = preview.remarks.iter().map(|remark| remark.reason.word());
        (reasons.collect::<BTreeSet<_>>(), preview.others(&edit).len())
    };
    let of = |word: &str| BTreeSet::from([word.to_owned()]);
    assert_eq!(told("22:00").await, (of("outside-window"), 0));
    assert_eq!(told("20:55").await, (of("runs-past-window"), 0));
    let (reasons, _) = told("07:05").await;
    assert!(reasons.contains("collision"), "{reasons:?}");
}

#[tokio::test]
async fn of_two_editors_the_second_is_told_and_the_first_ones_change_stays() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let first = moved(&station, "tin-tinh", "08:00").await;
    let second = moved(&station, "tin-tinh", "09:00").await;
    station.edit_schedule(&first, "move", &person("an")).await.unwrap();
    let refused = station.edit_schedule(&second, "move", &person("chi")).await.unwrap_err();
    let ServerError::Edit(NotEdited::Changed(what)) = refused else { panic!("{refused}") };
    assert_eq!(what.to_string(), "programme/tin-tinh");
    assert_eq!(time(&station, "tin-tinh").await, "08:00");
    let again = moved(&station, "tin-tinh", "09:00").await;
    station.edit_schedule(&again, "move", &person("chi")).await.unwrap();
    assert_eq!(time(&station, "tin-tinh").await, "09:00");
    let edits = station.store.edits(9).await.unwrap();
    let by: Vec<&str> = edits.iter().map(|row| row.by.as_str()).collect();
    assert_eq!(by, ["chi", "an"]);
}

#[tokio::test]
async fn an_undo_restores_ones_own_last_edit_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    for at in ["08:00", "09:00"] {
        let edit = moved(&station, "tin-tinh", at).await;
        station.edit_schedule(&edit, "move", &person("an")).await.unwrap();
    }
    station.undo_edit(&person("an")).await.unwrap();
    assert_eq!(time(&station, "tin-tinh").await, "08:00");
    station.undo_edit(&person("an")).await.unwrap();
    assert_eq!(time(&station, "tin-tinh").await, "06:00");
    let nothing = station.undo_edit(&person("an")).await.unwrap_err();
    assert!(matches!(nothing, ServerError::Edit(NotEdited::Nothing)), "{nothing}");

    let own = moved(&station, "tin-tinh", "08:00").await;
    station.edit_schedule(&own, "move", &person("an")).await.unwrap();
    let other = moved(&station, "tin-tinh", "10:00").await;
    station.edit_schedule(&other, "move", &person("chi")).await.unwrap();
    let refused = station.undo_edit(&person("an")).await.unwrap_err();
    assert!(matches!(refused, ServerError::Edit(NotEdited::Changed(_))), "{refused}");
    assert_eq!(time(&station, "tin-tinh").await, "10:00");
}

#[tokio::test]
async fn an_operator_changes_what_only_their_commune_hears() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let own = moved(&station, "tin-xa", "08:00").await;
    station.edit_schedule(&own, "move", &person("mua")).await.unwrap();
    let above = moved(&station, "tin-tinh", "08:00").await;
    let denied = station.edit_schedule(&above, "move", &person("mua")).await.unwrap_err();
    assert!(matches!(denied, ServerError::Denied(_)), "{denied}");
    let denied = station.preview(&above, &person("mua")).await.unwrap_err();
    assert!(matches!(denied, ServerError::Denied(_)), "{denied}");
}

#[tokio::test]
async fn every_edit_is_a_fact_with_the_person_and_the_file_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let edit = moved(&station, "tin-tinh", "08:00").await;
    station.edit_schedule(&edit, "move", &person("an")).await.unwrap();
    station.undo_edit(&person("an")).await.unwrap();
    let waiting = station.store.facts_waiting(100).await.unwrap();
    let of = |kind: &str| {
        let told = waiting.iter().filter(|fact| fact.kind == kind && fact.who == "person:an");
        told.cloned().collect::<Vec<_>>()
    };
    let edited = of("schedule.edited");
    assert_eq!(edited.len(), 2);
    assert!(edited[0].body.contains("\"what\":\"programme/tin-tinh\""), "{}", edited[0].body);
    assert!(edited[1].body.contains("\"act\":\"undo\""), "{}", edited[1].body);
    assert_eq!(of("schedule.imported").len(), 2);
}

#[tokio::test]
async fn a_bulletin_that_nobody_made_is_refused_before_anything_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let station = station(folder.path()).await;
    let schedule = station.schedule().await.unwrap();
    let mut programme = schedule.programmes[0].clone();
    programme.selection = Selection::Bulletins(vec!["khong-co".parse().unwrap()]);
    let edit =
        Edit::of(&schedule, vec![(Piece::from(programme.clone()).what(), Some(programme.into()))]);
    let refused = station.preview(&edit, &person("an")).await.unwrap_err();
    assert!(matches!(refused, ServerError::NoBulletin(_)), "{refused}");
}
