//! Which languages a village hears.

use super::*;

fn town(wishes: &str, voices: &str) -> Town {
    Town::new().village("ban", wishes).bulletin("tin", voices, 2).programme("sang", "05:30", "tin")
}

#[test]
fn a_village_hears_every_language_it_asks_for_in_its_own_order() {
    assert_eq!(town("hni vi", "vi hni twh").sunday(), ["sang tin:hni tin:vi"]);
}

#[test]
fn a_stand_in_serves_only_where_the_language_itself_is_missing() {
    assert_eq!(town("mww/hmn/hnj", "hnj hmn").sunday(), ["sang tin:hmn"]);
    assert_eq!(town("mww/hmn", "hmn mww").sunday(), ["sang tin:mww"]);
    let plan = town("mww/hmn", "hmn").plan(SUNDAY, 1);
    assert_eq!(plan.airings[0].items[0].wished, tag("mww"));
}

#[test]
fn a_relative_that_nobody_named_never_stands_in() {
    let town = town("twh", "blt vi");
    assert!(town.sunday().is_empty());
    assert_eq!(
        town.reasons(),
        [Reason::MissingLanguage { state: Missing::NotMade }, Reason::NothingToAir]
    );
}

#[test]
fn a_language_is_never_played_twice_for_one_bulletin() {
    assert_eq!(town("mww/hmn hnj/hmn", "hmn").sunday(), ["sang tin:hmn"]);
    assert_eq!(town("mww/vi vi", "vi").sunday(), ["sang tin:vi"]);
}

#[test]
fn the_fallback_is_heard_only_where_nothing_asked_for_exists() {
    let fell = town("hni mww vi?", "vi");
    assert_eq!(fell.sunday(), ["sang tin:vi"]);
    assert!(fell.reasons().contains(&Reason::FellBack));
    assert_eq!(fell.plan(SUNDAY, 1).airings[0].items[0].wished, tag("hni"));
    assert_eq!(town("hni mww vi?", "mww vi").sunday(), ["sang tin:mww"]);
    assert!(town("hni", "vi").sunday().is_empty());
}

#[test]
fn a_list_of_languages_never_brings_the_fallback_over_a_wish() {
    let only = |listed: &[&str], voices| {
        let listed = listed.iter().map(|text| tag(text)).collect();
        let town = town("mww hni vi?", voices);
        town.with(|programme| programme.languages = Languages::Only(listed)).sunday()
    };
    assert!(only(&["hni", "vi"], "mww vi").is_empty());
    assert_eq!(only(&["hni", "vi"], "vi"), ["sang tin:vi"]);
    assert!(only(&["hni"], "vi").is_empty());
    assert_eq!(only(&["hni", "mww"], "hni mww vi"), ["sang tin:mww tin:hni"]);
}

#[test]
fn a_programme_in_languages_that_a_village_does_not_ask_for_says_so() {
    let town = town("hni", "vi").with(|p| p.languages = Languages::Only(vec![tag("vi")]));
    assert_eq!(town.reasons(), [Reason::NotAsked]);
}

#[test]
fn the_first_language_only_is_the_first_that_can_be_served() {
    let first = |voices| {
        let town = town("hni mww vi", voices);
        town.with(|programme| programme.languages = Languages::First).sunday()
    };
    assert_eq!(first("hni mww vi"), ["sang tin:hni"]);
    assert_eq!(first("mww vi"), ["sang tin:mww"]);
}

#[test]
fn items_stand_together_by_language_or_by_bulletin() {
    let by = |order| {
        let town = Town::new().village("ban", "hni vi").bulletin("a", "hni vi", 2);
        let town = town.bulletin("b", "hni vi", 2).programme("sang", "05:30", "a b");
        town.with(|programme| programme.order = order).sunday()
    };
    assert_eq!(by(Order::Language), ["sang a:hni b:hni a:vi b:vi"]);
    assert_eq!(by(Order::Bulletin), ["sang a:hni a:vi b:hni b:vi"]);
}

#[test]
fn a_missing_language_says_how_far_its_version_is() {
    for (pending, state) in [
        (Pending::Draft, Missing::Draft),
        (Pending::InReview, Missing::InReview),
        (Pending::Withdrawn, Missing::Withdrawn),
    ] {
        let town = town("hni vi", "vi").content(|tin| {
            tin.pending.insert(tag("hni"), pending);
        });
        assert_eq!(town.sunday(), ["sang tin:vi"]);
        assert_eq!(town.reasons(), [Reason::MissingLanguage { state }]);
    }
}

#[test]
fn the_newest_that_a_village_understands_airs_and_the_one_passed_over_is_named() {
    let town = Town::new().village("ban", "hni").bulletin("cu", "hni", 2).bulletin("moi", "vi", 2);
    let town = town.programme("sang", "05:30", "");
    assert_eq!(town.sunday(), ["sang cu:hni"]);
    let remarks = town.plan(SUNDAY, 1).remarks;
    assert_eq!(remarks[0].bulletin.as_ref().unwrap().as_str(), "moi");
}

#[test]
fn a_version_approved_after_the_airing_begins_is_missing_and_says_so() {
    let town = town("hni vi", "hni vi").content(|tin| {
        tin.voices.get_mut(&tag("hni")).unwrap().approved_at = at("2026-11-22T05:30:01");
    });
    assert_eq!(town.sunday(), ["sang tin:vi"]);
    assert_eq!(town.reasons(), [Reason::MissingLanguage { state: Missing::ApprovedLater }]);
}
