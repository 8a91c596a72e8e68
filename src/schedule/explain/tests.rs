//! Each way in which a village does not hear a bulletin, and the one in which it does.

use super::super::tests::{SUNDAY, Town, at, date};
use super::*;
use crate::schedule::Pending;

fn ask(town: &Town, evidence: &Evidence) -> Answer {
    ask_at(town, evidence, "2026-11-22T12:00:00")
}

fn ask_at(town: &Town, evidence: &Evidence, now: &str) -> Answer {
    let plan = town.plan(SUNDAY, 1);
    let bulletin = "tin".parse().unwrap();
    let question = Question {
        world: &town.world,
        plan: &plan,
        controller: &town.world.controllers[0],
        bulletin: &bulletin,
        date: date(SUNDAY),
        now: at(now),
    };
    explain(&question, evidence)
}

fn town() -> Town {
    let town = Town::new().village("ban", "hni vi").bulletin("tin", "vi", 2);
    town.programme("sang", "05:30", "tin")
}

fn key() -> AiringKey {
    "sang/ban/2026-11-22/0".parse().unwrap()
}

fn told(outcome: &str, cause: &str) -> Told {
    Told {
        airing: key(),
        language: "vi".parse().unwrap(),
        whole: outcome == "completed",
        outcome: outcome.to_owned(),
        cause: cause.to_owned(),
        evidence: "rendered".to_owned(),
        begun: Some(at("2026-11-22T05:30:01")),
        position: Some(41),
    }
}

fn issued(dropped: bool) -> Issued {
    Issued {
        held: None,
        airing: key(),
        at: at("2026-11-22T05:30:00"),
        latest: at("2026-11-22T05:35:00"),
        manifest: 7,
        position: Some(40),
        dropped: dropped.then(|| at("2026-11-22T05:00:00")),
        languages: vec!["vi".parse().unwrap()],
    }
}

#[test]
fn what_was_heard_is_told_with_time_language_and_evidence() {
    let evidence = Evidence { told: vec![told("completed", "")], ..Evidence::default() };
    let answer = ask(&town(), &evidence);
    assert_eq!(answer.verdict, Verdict::Heard);
    let expected = "tin was played to its end at ban: in Vietnamese, airing begun 2026-11-22 05:30:01, evidence rendered.";
    assert_eq!(answer.sentence.en, expected);
    assert!(answer.facts.iter().any(|fact| fact.log_index == Some(41)), "{answer:?}");
    assert!(answer.mend.is_empty());
}

#[test]
fn every_cause_of_the_wire_has_a_sentence_and_a_remedy_of_its_own() {
    for cause in [
        "quiet",
        "policy",
        "clock",
        "missing",
        "expired",
        "refused",
        "storage",
        "power",
        "emergency",
        "stopped",
        "sound",
        "busy",
    ] {
        let evidence = Evidence { told: vec![told("skipped", cause)], ..Evidence::default() };
        let answer = ask(&town(), &evidence);
        assert_eq!(answer.verdict, Verdict::NotPlayed { cause: cause.to_owned() });
        assert!(!answer.sentence.en.ends_with(&format!(": {cause}.")), "{}", answer.sentence.en);
        assert_ne!(answer.mend[0].en, "look at the receipt", "{cause}");
    }
}

#[test]
fn no_word_of_the_wire_or_of_the_log_stands_in_the_vietnamese_answer() {
    let step = |kind: &str, body: &str| Step {
        at: at("2026-11-21T08:00:00"),
        position: Some(3),
        kind: kind.to_owned(),
        who: "person:dung".to_owned(),
        body: body.to_owned(),
    };
    let life = vec![
        step("bulletin.kept", "{}"),
        step("version.drafted", r#"{"language":"vi","announcer":"lan"}"#),
        step("version.withdrawn", r#"{"language":"vi","reason":"sửa lời"}"#),
        Step { who: "server".to_owned(), ..step("version.approved", r#"{"language":"hni"}"#) },
    ];
    for told in [told("completed", ""), told("skipped", "quiet"), told("preempted", "emergency")] {
        let link = Some((at("2026-11-22T11:00:00"), true));
        let evidence = Evidence {
            issued: vec![issued(true)],
            told: vec![told],
            life: life.clone(),
            link,
            ..Evidence::default()
        };
        let answer = ask(&town(), &evidence);
        let said: Vec<&str> = answer.facts.iter().map(|fact| fact.words.vi.as_str()).collect();
        let said = format!("{} {}", answer.sentence.vi, said.join(" "));
        for word in [
            "version",
            "kept",
            "person",
            "server",
            "completed",
            "skipped",
            "preempted",
            "quiet",
            "rendered",
            "2026-11",
            "[vi]",
        ] {
            assert!(!said.contains(word), "{word}: {said}");
        }
    }
}

#[test]
fn a_second_airing_that_was_heard_outweighs_a_first_that_was_not() {
    let told = vec![told("skipped", "missing"), told("completed", "")];
    let answer = ask(&town(), &Evidence { told, ..Evidence::default() });
    assert_eq!(answer.verdict, Verdict::Heard);
}

#[test]
fn without_a_receipt_the_lost_link_is_named() {
    let link = Some((at("2026-11-21T22:00:00"), true));
    let evidence = Evidence { issued: vec![issued(false)], link, ..Evidence::default() };
    let answer = ask(&town(), &evidence);
    assert_eq!(answer.verdict, Verdict::Awaited);
    assert!(answer.sentence.en.contains("lost since 2026-11-21 22:00"), "{}", answer.sentence.en);
    assert!(answer.sentence.vi.contains("mất liên lạc"), "{}", answer.sentence.vi);
}

#[test]
fn what_is_still_to_come_is_no_failure() {
    let evidence = Evidence { issued: vec![issued(false)], ..Evidence::default() };
    let answer = ask_at(&town(), &evidence, "2026-11-22T05:00:00");
    assert_eq!(answer.verdict, Verdict::ToCome);
    assert!(
        answer.sentence.en.ends_with("airing at 2026-11-22 05:30, in Vietnamese."),
        "{}",
        answer.sentence.en
    );
}

#[test]
fn what_a_newer_schedule_left_out_is_dropped() {
    let mut town = town();
    town.world.programmes.clear();
    let evidence = Evidence { issued: vec![issued(true)], ..Evidence::default() };
    assert_eq!(ask(&town, &evidence).verdict, Verdict::Dropped);
}

#[test]
fn what_is_planned_and_in_no_manifest_is_told_apart() {
    let link = Some((at("2026-11-22T11:00:00"), false));
    let evidence = Evidence { link, ..Evidence::default() };
    let answer = ask(&town(), &evidence);
    assert_eq!(answer.verdict, Verdict::NotIssued);
    assert!(answer.mend[0].en.contains("enrolled"), "{answer:?}");
}

#[test]
fn a_version_in_review_is_named_with_what_would_mend_it() {
    let town = Town::new().village("ban", "hni").bulletin("tin", "", 2);
    let town = town.content(|airable| {
        airable.pending.insert("hni".parse().unwrap(), Pending::InReview);
    });
    let answer = ask(&town.programme("sang", "05:30", "tin"), &Evidence::default());
    assert!(matches!(answer.verdict, Verdict::Refused { .. }), "{answer:?}");
    assert!(answer.sentence.en.contains("waits for approval"), "{}", answer.sentence.en);
    assert_eq!(answer.mend[0].en, "approve it");
    assert_eq!(answer.mend[0].vi, "hãy duyệt");
}

#[test]
fn a_programme_that_was_refused_is_the_reason_for_its_bulletins() {
    let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    let answer = ask(&town.programme("dem", "23:30", "tin"), &Evidence::default());
    assert_eq!(answer.verdict, Verdict::Refused { reason: Reason::OutsideWindow });
}

#[test]
fn a_bulletin_that_was_not_the_newest_was_not_chosen() {
    let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    let town = town.bulletin("moi", "vi", 2).programme("sang", "05:30", "");
    assert_eq!(ask(&town, &Evidence::default()).verdict, Verdict::NotChosen);
}

#[test]
fn a_bulletin_that_no_programme_has_and_one_that_nobody_made_are_told_apart() {
    let none = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    let answer = ask(&none, &Evidence::default());
    assert_eq!(answer.verdict, Verdict::NoProgramme);
    assert!(answer.mend[0].en.contains("Thời sự"), "{answer:?}");
    let empty = Town::new().village("ban", "vi");
    assert_eq!(ask(&empty, &Evidence::default()).verdict, Verdict::NoBulletin);
}

#[test]
fn a_bulletin_that_is_over_is_refused_even_where_no_programme_says_so() {
    let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    let town = town.content(|airable| airable.valid_until = at("2026-11-20T00:00:00"));
    let answer = ask(&town.programme("sang", "05:30", ""), &Evidence::default());
    assert!(answer.sentence.en.contains("ends at 2026-11-20"), "{}", answer.sentence.en);
}

#[test]
fn the_text_is_vietnamese_first_and_says_that_a_past_plan_is_made_anew() {
    let town = Town::new().village("ban", "hni").bulletin("tin", "vi", 2);
    let town = town.programme("sang", "05:30", "tin");
    let answer = ask_at(&town, &Evidence::default(), "2026-11-25T12:00:00");
    let text = text(&answer, town.world.zone);
    assert!(text.starts_with("ban không nghe tin ngày 22/11/2026: "), "{text}");
    assert!(text.contains("the plan of a past day is made anew"), "{text}");
}

#[test]
fn bulletin_and_programme_are_told_by_their_names() {
    let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    let town = town.programme("sang", "05:30", "tin");
    let called = Evidence { title: Some("Phòng sạt lở".to_owned()), ..Evidence::default() };
    let answer = ask(&town, &called);
    assert!(answer.sentence.vi.starts_with("ban không nghe “Phòng sạt lở” ngày"), "{answer:?}");
    let title = &town.world.programmes[0].title;
    let named = format!("kế hoạch có chương trình “{title}” lúc");
    assert!(answer.facts.iter().any(|fact| fact.words.vi.starts_with(&named)), "{answer:?}");
}

#[test]
fn an_airing_whose_device_was_revoked_is_not_waited_for() {
    let revoked = at("2026-11-22T05:00:00");
    let silence = Silence { cause: "revoked".to_owned(), at: Some(revoked), position: Some(39) };
    let evidence =
        Evidence { issued: vec![issued(false)], silence: Some(silence), ..Evidence::default() };
    let answer = ask(&town(), &evidence);
    assert_eq!(answer.verdict, Verdict::NotPlayed { cause: "revoked".to_owned() });
    assert!(answer.sentence.vi.contains("thu hồi"), "{}", answer.sentence.vi);
    let fact = answer.facts.iter().find(|fact| fact.log_index == Some(39)).unwrap();
    assert_eq!(fact.at, Some(revoked));
}

#[test]
fn before_its_time_an_airing_is_to_come_whatever_happened_to_a_device() {
    let silence = Silence { cause: "exchanged".to_owned(), at: None, position: None };
    let evidence =
        Evidence { issued: vec![issued(false)], silence: Some(silence), ..Evidence::default() };
    let answer = ask_at(&town(), &evidence, "2026-11-22T04:00:00");
    assert_eq!(answer.verdict, Verdict::ToCome);
}

#[test]
fn the_schedule_that_is_named_is_the_one_by_which_the_device_went() {
    let facts = |held| {
        let issued = Issued { held, ..issued(false) };
        let evidence = Evidence { issued: vec![issued], ..Evidence::default() };
        ask(&town(), &evidence).facts
    };
    let by_receipt = facts(Some((41, Some(9))));
    let told = by_receipt.iter().find(|fact| fact.words.vi.contains("theo lịch số 41"));
    assert_eq!(told.expect("the receipt's own number").log_index, Some(9));
    assert!(
        facts(None).iter().any(|fact| fact.words.vi.contains("không biết thiết bị giữ lịch nào"))
    );
}
