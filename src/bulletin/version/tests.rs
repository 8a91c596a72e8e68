//! The life of a version, step by step, and what no step allows.

use super::*;

const AT: Timestamp = Timestamp::from_seconds(1_795_000_000);

fn person(id: &str) -> PersonId {
    id.parse().unwrap()
}

fn comment(text: &str) -> Comment {
    text.parse().unwrap()
}

fn text() -> TextDraft {
    TextDraft::new(Text {
        bulletin: "lu-quet".parse().unwrap(),
        language: "hni".parse().unwrap(),
        variety: "Mù Cả".parse().ok(),
        script: "…".parse().unwrap(),
        contributor: Some(person("so-tu-phap")),
        translator: Some(person("pu")),
    })
}

fn draft_by(announcer: &str) -> Draft {
    text().record(Spoken {
        announcer: person(announcer),
        voice: Voice::Human,
        recording: Recording { asset: Digest::of(b"a"), length_ms: 7, source: Digest::of(b"s") },
    })
}

fn reviewed() -> Reviewed {
    draft_by("phu").review(person("lan"), AT).unwrap()
}

fn approve(by: &str, reviewer_may_approve: bool) -> Result<Approved, StepRefused> {
    let policy = ApprovalPolicy { reviewer_may_approve };
    reviewed().approve(person(by), AT, "note".to_owned(), policy)
}

#[test]
fn an_announcer_cannot_listen_back_to_their_own_recording() {
    let refused = draft_by("phu").review(person("phu"), AT);
    assert_eq!(refused, Err(StepRefused::ReviewedByAnnouncer(person("phu"))));
}

#[test]
fn an_announcer_cannot_approve_their_own_recording_whatever_the_policy() {
    for policy in [false, true] {
        assert_eq!(approve("phu", policy), Err(StepRefused::ApprovedByAnnouncer(person("phu"))));
    }
}

#[test]
fn a_reviewer_approves_only_where_the_policy_says_so() {
    assert_eq!(approve("lan", false), Err(StepRefused::ApprovedByReviewer(person("lan"))));
    assert!(approve("lan", true).is_ok());
    assert!(approve("minh", false).is_ok());
}

#[test]
fn only_an_approved_version_is_heard() {
    let approved = approve("minh", false).unwrap();
    assert_eq!(approved.publish().descriptor, "note");
    let withdrawn = approved.clone().withdraw(person("minh"), AT, comment("sai số"));
    let heard = [
        Version::Text(text()),
        Version::Draft(draft_by("phu")),
        Version::Reviewed(reviewed()),
        Version::Approved(approved),
        Version::Withdrawn(withdrawn),
    ]
    .map(|version| version.audible().is_some());
    assert_eq!(heard, [false, false, false, true, false]);
}

#[test]
fn what_is_sent_back_is_a_draft_again_and_says_why() {
    let draft = reviewed().send_back(person("lan"), AT, comment("đọc lại câu 2"));
    assert_eq!(draft.returns().last().unwrap().comment.as_str(), "đọc lại câu 2");
    assert!(draft.review(person("lan"), AT).is_ok());
}

#[test]
fn a_row_in_which_the_announcer_reviewed_or_approved_does_not_read_back() {
    let json = serde_json::to_string(&Version::Approved(approve("minh", false).unwrap())).unwrap();
    assert!(serde_json::from_str::<Version>(&json).is_ok());
    for step in ["lan", "minh"] {
        let altered = json.replace(&format!(r#""by":"{step}""#), r#""by":"phu""#);
        assert_ne!(altered, json);
        assert!(serde_json::from_str::<Version>(&altered).is_err(), "{altered}");
    }
}

#[test]
fn every_state_reads_back_from_json() {
    let approved = approve("minh", false).unwrap();
    let withdrawn = approved.clone().withdraw(person("minh"), AT, comment("cũ"));
    let states = [
        (Version::Text(text()), "text"),
        (Version::Draft(draft_by("phu")), "draft"),
        (Version::Reviewed(reviewed()), "reviewed"),
        (Version::Approved(approved), "approved"),
        (Version::Withdrawn(withdrawn), "withdrawn"),
    ];
    for (version, state) in states {
        let json = serde_json::to_string(&version).unwrap();
        assert!(json.contains(&format!(r#""state":"{state}""#)), "{json}");
        assert_eq!(serde_json::from_str::<Version>(&json).unwrap(), version);
        assert_eq!((version.state(), version.text().script.as_str()), (state, "…"));
    }
}

#[test]
fn comments_stay_with_a_version_through_its_next_recording_and_its_approval() {
    let returned = text().send_back(person("chi"), AT, comment("thiếu ngày họp"));
    let returns = returned.returns().clone();
    let again = TextDraft::instead(text().text().clone(), returns);
    let spoken = draft_by("phu").content().spoken.clone();
    let draft = again.record(spoken).send_back(person("lan"), AT, comment("đọc nhanh quá"));
    let approved = draft.review(person("lan"), AT).unwrap();
    let policy = ApprovalPolicy::default();
    let approved = approved.approve(person("minh"), AT, "note".to_owned(), policy).unwrap();
    let said: Vec<&str> = approved.returns().all().iter().map(|r| r.comment.as_str()).collect();
    assert_eq!(said, ["thiếu ngày họp", "đọc nhanh quá"]);
}

#[test]
fn of_many_comments_the_newest_are_kept() {
    let mut draft = draft_by("phu");
    for n in 0..=RETURNS_MAX {
        draft = draft.send_back(person("lan"), AT, comment(&n.to_string()));
    }
    let kept = draft.returns().all();
    assert_eq!((kept.len(), kept[0].comment.as_str()), (RETURNS_MAX, "1"));
}

#[test]
fn what_was_returned_waits_for_its_makers_until_it_is_another() {
    let returned = draft_by("phu").send_back(person("lan"), AT, comment("đọc chậm lại"));
    let returns = returned.returns().clone();
    assert!(Version::Draft(returned).is_returned());
    assert!(!Version::Draft(draft_by("phu")).is_returned());
    let again = |source: &[u8]| {
        let recording =
            Recording { asset: Digest::of(b"a"), length_ms: 7, source: Digest::of(source) };
        let spoken = Spoken { announcer: person("phu"), voice: Voice::Human, recording };
        let text = TextDraft::instead(text().text().clone(), returns.clone());
        Version::Draft(text.record(spoken)).is_returned()
    };
    assert!(again(b"s") && !again(b"another"), "the same recording mends nothing");
    let written = text().send_back(person("lan"), AT, comment("sai số"));
    assert!(Version::Text(written).is_returned());
    let passed = reviewed().send_back(person("minh"), AT, comment("sai tên"));
    let passed = passed.review(person("lan"), AT).unwrap();
    assert!(!Version::Reviewed(passed).is_returned(), "somebody found it right after all");
}
