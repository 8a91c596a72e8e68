//! Midnights, ends of windows, ends of validity, and other edges.

use super::*;

fn tin(time: &str) -> Town {
    Town::new().village("ban", "vi").bulletin("tin", "vi", 10).programme("sang", time, "tin")
}

fn wall(text: &str) -> WallClock {
    WallClock::of(Zone::default(), at(text))
}

fn always_open(policy: &mut AirtimePolicy) {
    let (from, until) = ("00:00".parse().unwrap(), "24:00".parse().unwrap());
    policy.windows = vec![Window::new(Days::EVERY, from, until).unwrap()];
}

#[test]
fn an_airing_outside_the_window_is_refused() {
    let town = tin("04:59:59");
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons(), [Reason::OutsideWindow]);
}

#[test]
fn an_airing_that_runs_past_the_end_of_its_window_is_refused() {
    assert_eq!(tin("21:50").sunday().len(), 1);
    let town = tin("21:50:01");
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons(), [Reason::RunsPastWindow { closes: wall("2026-11-22T22:00:00") }]);
}

#[test]
fn an_airing_may_begin_late_only_as_far_as_its_window_goes() {
    let plan = tin("21:48").plan(SUNDAY, 1);
    assert_eq!(plan.airings[0].latest, at("2026-11-22T21:50:00"));
    assert_eq!(tin("21:50").plan(SUNDAY, 1).airings[0].latest, at("2026-11-22T21:50:00"));
}

#[test]
fn an_airing_may_begin_late_only_as_far_as_its_bulletins_hold() {
    let town = tin("05:30").content(|tin| tin.valid_until = at("2026-11-22T05:41:00"));
    assert_eq!(town.plan(SUNDAY, 1).airings[0].latest, at("2026-11-22T05:31:00"));
}

#[test]
fn without_a_policy_nothing_sounds() {
    let mut town = tin("05:30");
    town.world.policies.clear();
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons(), [Reason::NoPolicy]);
}

#[test]
fn the_nearest_policy_holds() {
    let mut town = tin("05:30");
    let mut silent = town.world.policies.values().next().unwrap().written().clone();
    silent.windows.clear();
    town.world.policies.insert("ban".parse().unwrap(), silent.into());
    assert_eq!(town.reasons(), [Reason::OutsideWindow]);
}

#[test]
fn each_limit_of_a_day_refuses_in_order_of_time() {
    let three = || tin("05:30").programme("trua", "11:30", "tin").programme("toi", "17:30", "tin");
    let sessions = three().policy(|policy| policy.sessions_a_day_max = 2);
    assert_eq!(sessions.sunday(), ["sang tin:vi", "trua tin:vi"]);
    assert_eq!(sessions.reasons(), [Reason::TooManySessions { sessions_max: 2 }]);
    let minutes = three().policy(|policy| policy.minutes_a_day_max = 29);
    assert_eq!(minutes.reasons(), [Reason::DayFull { minutes_max: 29 }]);
    let session = three().policy(|policy| policy.minutes_a_session_max = 9);
    assert_eq!(session.reasons(), vec![Reason::SessionTooLong { minutes_max: 9 }; 3]);
}

#[test]
fn a_village_without_a_language_profile_hears_nothing_and_says_so() {
    let town =
        Town::new().village("ban", "").bulletin("tin", "vi", 2).programme("sang", "05:30", "tin");
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons(), [Reason::NoProfile]);
}

#[test]
fn a_programme_without_content_says_that_nothing_is_left() {
    let town = Town::new().village("ban", "vi").programme("sang", "05:30", "");
    assert_eq!(town.reasons(), [Reason::NothingToAir]);
    let unknown = Town::new().village("ban", "vi").programme("sang", "05:30", "x");
    assert_eq!(unknown.reasons(), [Reason::UnknownBulletin, Reason::NothingToAir]);
}

#[test]
fn a_version_approved_one_minute_before_air_is_heard_and_one_minute_after_is_not() {
    let approved = |time: &str| {
        let time = at(time);
        tin("05:30").content(|tin| {
            tin.voices.get_mut(&tag("vi")).unwrap().approved_at = time;
        })
    };
    assert_eq!(approved("2026-11-22T05:29:00").sunday().len(), 1);
    let late = approved("2026-11-22T05:31:00");
    assert!(late.sunday().is_empty());
    assert_eq!(late.reasons()[0], Reason::NotApproved { state: Missing::ApprovedLater });
}

#[test]
fn a_bulletin_that_ends_between_two_languages_is_heard_in_the_first() {
    let until = at("2026-11-22T05:45:00");
    let town = Town::new()
        .village("ban", "hni vi")
        .bulletin("tin", "hni vi", 10)
        .content(|tin| tin.valid_until = until)
        .programme("sang", "05:30", "tin");
    assert_eq!(town.sunday(), ["sang tin:hni"]);
    assert_eq!(town.reasons(), [Reason::Expired { until: wall("2026-11-22T05:45:00") }]);
}

#[test]
fn what_does_not_hold_yet_or_any_more_is_not_heard() {
    let (from, until) = (at("2026-11-22T05:31:00"), at("2026-11-22T05:30:00"));
    let early = tin("05:30").content(|tin| tin.valid_from = from);
    let not_yet = Reason::NotYetValid { from: wall("2026-11-22T05:31:00") };
    assert_eq!(
        not_yet.to_string(),
        "the bulletin holds only from 2026-11-22 05:31; air it after that"
    );
    assert_eq!(early.reasons(), [not_yet, Reason::NothingToAir]);
    let late = tin("05:30").content(|tin| tin.valid_until = until);
    let expired = Reason::Expired { until: wall("2026-11-22T05:30:00") };
    assert_eq!(late.reasons(), [expired, Reason::NothingToAir]);
}

#[test]
fn a_withdrawn_bulletin_is_in_no_later_plan() {
    let town = tin("05:30").content(|tin| {
        tin.voices.clear();
        tin.pending.insert(tag("vi"), Pending::Withdrawn);
    });
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons()[0], Reason::NotApproved { state: Missing::Withdrawn });
}

#[test]
fn an_airing_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let town = tin("23:55").policy(always_open);
    let plan = town.plan(SUNDAY, 1);
    assert_eq!(plan.airings[0].key.date, date(SUNDAY));
    assert_eq!(plan.airings[0].ends, at("2026-11-23T00:05:00"));
}

#[test]
fn what_began_before_midnight_is_let_finish() {
    let town = tin("23:55").programme("dem", "00:00", "tin").policy(always_open);
    let both = town.plan(SUNDAY, 2);
    assert_eq!(heard(&both), ["dem tin:vi", "sang tin:vi", "sang tin:vi"]);
    let refused: Vec<&Remark> = both.remarks.iter().collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].key.as_ref().unwrap().to_string(), "dem/ban/2026-11-23/0");
    assert_eq!(refused[0].reason, Reason::Collision { winner: "sang".parse().unwrap() });
}

#[test]
fn the_thirty_first_and_the_leap_day_come_where_they_exist() {
    let cron = |text: &str, from: &str, days| {
        let recurrence = Recurrence::cron(text, None, None).unwrap();
        let town = tin("05:30").with(|programme| programme.recurrence = recurrence);
        let town = town.content(|tin| tin.valid_until = at("2030-01-01T00:00:00"));
        town.plan(from, days).airings.iter().map(|a| a.key.date.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(cron("0 30 5 31 * *", "2026-11-01", 92), ["2026-12-31", "2027-01-31"]);
    assert_eq!(cron("0 30 5 29 2 *", "2028-02-01", 60), ["2028-02-29"]);
}

#[test]
fn a_village_moved_to_another_commune_takes_its_new_languages_and_policy() {
    let mut town = Town::new().bulletin("tin", "hni vi", 2).programme("sang", "05:30", "tin");
    town.area("xa-a", Some("tinh"), Level::Commune, "hni");
    town.area("xa-b", Some("tinh"), Level::Commune, "vi");
    let mut controller =
        Controller { id: "ban".parse().unwrap(), area: "xa-a".parse().unwrap(), position: None };
    town.world.controllers = vec![controller.clone()];
    assert_eq!(town.sunday(), ["sang tin:hni"]);
    controller.area = "xa-b".parse().unwrap();
    town.world.controllers = vec![controller];
    assert_eq!(town.sunday(), ["sang tin:vi"]);
}

#[test]
fn no_days_are_an_empty_plan() {
    assert_eq!(tin("05:30").plan(SUNDAY, 0), Plan::default());
}

#[test]
fn the_newest_that_holds_airs_where_a_newer_one_has_ended_or_not_begun() {
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("tot", "vi", 2)
        .bulletin("het", "vi", 2)
        .content(|het| het.valid_until = at("2026-11-22T05:30:00"))
        .bulletin("sap", "vi", 2)
        .content(|sap| sap.valid_from = at("2026-11-22T05:30:01"))
        .programme("sang", "05:30", "");
    assert_eq!(town.sunday(), ["sang tot:vi"]);
}

fn noon_is_quiet(town: Town) -> Town {
    let mut town = town;
    let airtime = town.world.policies.get_mut(&"tinh".parse().unwrap()).unwrap();
    let (from, until) = ("11:30".parse().unwrap(), "13:30".parse().unwrap());
    let quiet = vec![Window::new(Days::EVERY, from, until).unwrap()];
    *airtime = Airtime::new(airtime.written().clone(), quiet, None, Vec::new()).unwrap();
    town
}

#[test]
fn an_airing_that_runs_into_a_quiet_hour_is_refused() {
    assert_eq!(noon_is_quiet(tin("11:20")).sunday(), ["sang tin:vi"]);
    let town = noon_is_quiet(tin("11:20:01"));
    assert!(town.sunday().is_empty());
    assert_eq!(town.reasons(), [Reason::QuietHours { from: wall("2026-11-22T11:30:00") }]);
    let inside = noon_is_quiet(tin("12:00"));
    assert_eq!(inside.reasons(), [Reason::QuietHours { from: wall("2026-11-22T12:00:00") }]);
}

#[test]
fn an_airing_may_begin_late_only_as_far_as_the_quiet_hours() {
    let plan = noon_is_quiet(tin("11:18")).plan(SUNDAY, 1);
    assert_eq!(plan.airings[0].latest, at("2026-11-22T11:20:00"));
}

#[test]
fn a_week_of_so_many_days_refuses_the_others_and_a_new_week_begins_on_monday() {
    let mut town = tin("05:30");
    let airtime = town.world.policies.get_mut(&"tinh".parse().unwrap()).unwrap();
    *airtime = Airtime::new(airtime.written().clone(), Vec::new(), Some(2), Vec::new()).unwrap();
    // From Friday over two weeks.
    let plan = town.plan("2026-11-20", 10);
    let dates: Vec<String> = plan.airings.iter().map(|a| a.key.date.to_string()).collect();
    assert_eq!(dates, ["2026-11-20", "2026-11-21", "2026-11-23", "2026-11-24"]);
    assert!(plan.remarks.iter().all(|r| r.reason == Reason::WeekFull { days_max: 2 }));
    // What aired before counts: Sunday is the third day of its week.
    plan.airings.iter().for_each(|airing| town.world.history.record(airing));
    assert!(town.sunday().is_empty());
}

#[test]
fn an_airing_is_as_loud_as_its_area_says_for_the_time_at_which_it_begins() {
    let mut town = tin("05:30").programme("toi", "17:30", "tin");
    let airtime = town.world.policies.get_mut(&"tinh".parse().unwrap()).unwrap();
    let (from, until) = ("05:00".parse().unwrap(), "06:00".parse().unwrap());
    let window = Window::new(Days::EVERY, from, until).unwrap();
    let volumes = vec![crate::calendar::Volume { window, percent: 40 }];
    *airtime = Airtime::new(airtime.written().clone(), Vec::new(), None, volumes).unwrap();
    let plan = town.plan(SUNDAY, 1);
    let loud: Vec<Option<u8>> = plan.airings.iter().map(|a| a.volume_percent).collect();
    assert_eq!(loud, [Some(40), None]);
}

#[test]
fn a_village_moved_mid_week_hears_its_old_commune_before_and_its_new_one_after() {
    let mut town = Town::new()
        .bulletin("cu", "hni vi", 2)
        .bulletin("moi", "hni vi", 2)
        .programme("sang", "05:30", "")
        .programme("toi", "17:30", "moi");
    town.area("xa-a", Some("tinh"), Level::Commune, "hni");
    town.area("xa-b", Some("tinh"), Level::Commune, "vi");
    town.area("ban", Some("xa-a"), Level::Village, "");
    let (id, area) = ("ban".parse().unwrap(), "ban".parse().unwrap());
    town.world.controllers = vec![Controller { id, area, position: None }];
    let before = town.plan("2026-11-25", 1);
    assert_eq!(heard(&before), ["sang moi:hni", "toi moi:hni"]);
    before.airings.iter().for_each(|airing| town.world.history.record(airing));
    let mut areas = town.areas.clone();
    areas.last_mut().unwrap().parent = Some("xa-b".parse().unwrap());
    town.world.tree = AreaTree::new(areas).unwrap();
    let after = town.plan("2026-11-26", 1);
    assert_eq!(heard(&after), ["sang cu:vi", "toi moi:vi"]);
    assert_eq!(after.airings[0].key.to_string(), "sang/ban/2026-11-26/0");
}
