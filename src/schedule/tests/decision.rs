//! What a commune decides about two priority bulletins at one time.

use super::*;

/// A commune with two villages; `tinh` of the province at 05:30 and `xa` of the commune at 05:35,
/// ten minutes each.
fn town() -> Town {
    let mut town = Town::new();
    town.area("mu-ca", Some("tinh"), Level::Commune, "vi");
    for village in ["ban-a", "ban-b"] {
        town.area(village, Some("mu-ca"), Level::Village, "");
        let (id, area) = (village.parse().unwrap(), village.parse().unwrap());
        town.world.controllers.push(Controller { id, area, position: None });
    }
    let priority =
        |level| move |a: &mut Airable| (a.class, a.source_level) = (Class::Priority, level);
    town.bulletin("lu", "vi", 10)
        .content(priority(SourceLevel::Province))
        .bulletin("hop", "vi", 10)
        .content(priority(SourceLevel::Commune))
        .programme("tin-tinh", "05:30", "lu")
        .programme("tin-xa", "05:35", "hop")
}

const QUESTION: &str = "mu-ca/2026-11-22/tin-tinh.0/tin-xa.0";

impl Town {
    fn decided(mut self, id: &str, first: &str, time: &str) -> Self {
        let (id, first, by) = (id.parse().unwrap(), first.parse().unwrap(), "mua".parse().unwrap());
        self.world.decisions.push(Decision { id, first, by, at: at(time) });
        self
    }
}

#[test]
fn until_somebody_decides_the_plan_shows_both_with_deadline_and_default() {
    let plan = town().plan(SUNDAY, 1);
    assert_eq!(heard(&plan), ["tin-tinh lu:vi"; 2]);
    let asked = plan.remarks.iter().find(|r| matches!(r.reason, Reason::Decision { .. })).unwrap();
    assert_eq!(
        asked.to_string(),
        "tin-xa/ban-a/2026-11-22/0: the commune decides by 2026-11-22 04:30 which priority \
         bulletin goes first; if nobody decides, tin-tinh does; decide with \
         `loaban schedule decide mu-ca/2026-11-22/tin-tinh.0/tin-xa.0 --first PROGRAMME`"
    );
    assert_eq!(
        asked.vi(),
        "tin-xa/ban-a/2026-11-22/0: xã quyết định trước 04:30 ngày 22/11/2026 bản tin ưu tiên nào phát \
         trước; nếu không ai quyết định thì tin-tinh phát trước; hãy quyết định ở \
         trang của xã, hoặc `loaban schedule decide mu-ca/2026-11-22/tin-tinh.0/tin-xa.0 --first CHƯƠNG_TRÌNH`"
    );
}

#[test]
fn a_commune_is_asked_once_for_all_its_villages() {
    let questions = town().plan(SUNDAY, 1).open_decisions();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].decision.to_string(), QUESTION);
    assert_eq!(questions[0].controllers.len(), 2);
}

#[test]
fn the_question_with_the_nearest_deadline_stands_first() {
    let days: Vec<String> = town()
        .plan(SUNDAY, 3)
        .open_decisions()
        .iter()
        .map(|question| question.deadline.to_string())
        .collect();
    assert_eq!(days, ["2026-11-22 04:30", "2026-11-23 04:30", "2026-11-24 04:30"]);
}

#[test]
fn what_the_commune_decides_in_time_goes_first() {
    let town = town().decided(QUESTION, "tin-xa", "2026-11-22T04:29:59");
    assert_eq!(town.sunday(), ["tin-xa hop:vi"; 2]);
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(
        plan.remarks[0].to_string(),
        "tin-tinh/ban-a/2026-11-22/0: mua decided at 2026-11-22 04:29:59 that tin-xa goes first; \
         decide anew before the deadline, or move one of them"
    );
    assert!(plan.open_decisions().is_empty());
}

#[test]
fn a_decision_holds_on_its_day_only() {
    let town = town().decided(QUESTION, "tin-xa", "2026-11-22T04:00:00");
    assert_eq!(heard(&town.plan("2026-11-23", 1)), ["tin-tinh lu:vi"; 2]);
}

#[test]
fn a_decision_for_the_default_closes_the_question_too() {
    let town = town().decided(QUESTION, "tin-tinh", "2026-11-22T04:00:00");
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(heard(&plan), ["tin-tinh lu:vi"; 2]);
    assert!(plan.open_decisions().is_empty());
}

#[test]
fn a_decision_after_its_deadline_is_left_aside_and_the_plan_says_so() {
    let town = town().decided(QUESTION, "tin-xa", "2026-11-22T04:30:00");
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(heard(&plan), ["tin-tinh lu:vi"; 2]);
    let late = plan.remarks.iter().find(|r| matches!(r.reason, Reason::DecisionLate { .. }));
    let sentence = late.unwrap().to_string();
    assert!(sentence.contains("after the deadline at 2026-11-22 04:30"), "{sentence}");
}

#[test]
fn of_two_decisions_the_later_one_counts() {
    let town = town().decided(QUESTION, "tin-xa", "2026-11-21T08:00:00");
    let town = town.decided(QUESTION, "tin-tinh", "2026-11-21T09:00:00");
    assert_eq!(town.sunday(), ["tin-tinh lu:vi"; 2]);
}

#[test]
fn a_decision_about_what_does_not_meet_any_more_is_left_aside_and_the_plan_says_so() {
    let town = town().decided(QUESTION, "tin-xa", "2026-11-21T08:00:00");
    let noon = Recurrence::times(["12:00".parse().unwrap()], Days::EVERY, None, None).unwrap();
    let town = town.with(|programme| programme.recurrence = noon);
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(plan.airings.len(), 4);
    assert_eq!(
        plan.remarks[0].to_string(),
        "tin-xa: mua decided mu-ca/2026-11-22/tin-tinh.0/tin-xa.0, but the two do not meet any \
         more; nothing needs to be done"
    );
    assert_eq!(plan.remarks.len(), 1);
}

#[test]
fn the_decision_of_another_commune_changes_nothing_here() {
    let question = QUESTION.replace("mu-ca", "bum-nua");
    let town = town().decided(&question, "tin-xa", "2026-11-21T08:00:00");
    assert_eq!(town.sunday(), ["tin-tinh lu:vi"; 2]);
}

#[test]
fn two_bulletins_of_the_commune_itself_need_no_decision() {
    let mut town = town();
    town.world.content[0].source_level = SourceLevel::Commune;
    assert!(town.plan(SUNDAY, 1).open_decisions().is_empty());
}
