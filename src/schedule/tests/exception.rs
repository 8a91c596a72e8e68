//! Holidays, mourning, storm days.

use super::*;

fn exception(id: &str, from: &str, until: &str, change: Change) -> Exception {
    Exception {
        id: id.parse().unwrap(),
        name: format!("«{id}»"),
        from: date(from),
        until: date(until),
        areas: Vec::new(),
        scope: Scope::default(),
        change,
    }
}

/// News at 05:30 and songs at 17:30, each day, in two villages.
fn town() -> Town {
    Town::new()
        .village("ban", "vi")
        .village("lang", "vi")
        .bulletin("tin", "vi", 10)
        .bulletin("bai-hat", "vi", 10)
        .content(|song| song.column = "Văn hoá văn nghệ".parse().unwrap())
        .programme("sang", "05:30", "tin")
        .programme("ca-nhac", "17:30", "bai-hat")
        .with(|programme| programme.tags = vec!["giai-tri".parse().unwrap()])
}

impl Town {
    fn except(mut self, exception: Exception) -> Self {
        self.world.exceptions.push(exception);
        self
    }

    /// What `ban` hears that Sunday.
    fn ban(&self) -> Vec<String> {
        let mut plan = self.plan(SUNDAY, 1);
        plan.airings.retain(|airing| airing.key.controller.as_str() == "ban");
        heard(&plan)
    }
}

#[test]
fn on_a_day_that_is_skipped_nothing_comes_and_every_refusal_names_the_day() {
    let town = town().except(exception("quoc-tang", SUNDAY, "2026-11-23", Change::Skip));
    let plan = town.plan("2026-11-21", 4);
    let dates: std::collections::BTreeSet<String> =
        plan.airings.iter().map(|airing| airing.key.date.to_string()).collect();
    assert_eq!(dates.into_iter().collect::<Vec<_>>(), ["2026-11-21", "2026-11-24"]);
    assert_eq!(plan.remarks.len(), 8);
    let first = &plan.remarks[0];
    assert_eq!(
        first.to_string(),
        "sang/ban/2026-11-22/0: does not come because of «quoc-tang»; change exception \
         `quoc-tang` to air it"
    );
    assert_eq!(
        first.vi(),
        "sang/ban/2026-11-22/0: không phát vì «quoc-tang»; hãy sửa ngoại lệ `quoc-tang` để phát"
    );
}

#[test]
fn mourning_silences_what_entertains_by_tag_or_by_column_and_leaves_the_news() {
    let tag = Scope { tags: vec!["giai-tri".parse().unwrap()], ..Scope::default() };
    let column =
        Scope { columns: vec!["Văn hoá văn nghệ".parse().unwrap()], ..Scope::default() };
    let programme = Scope { programmes: vec!["ca-nhac".parse().unwrap()], ..Scope::default() };
    for scope in [tag, column, programme] {
        let mourning = Exception { scope, ..exception("tang", SUNDAY, SUNDAY, Change::Skip) };
        assert_eq!(town().except(mourning).ban(), ["sang tin:vi"]);
    }
}

#[test]
fn an_exception_of_one_area_leaves_the_others_alone() {
    let mut storm = exception("bao", SUNDAY, SUNDAY, Change::Skip);
    storm.areas = vec!["lang".parse().unwrap()];
    let plan = town().except(storm).plan(SUNDAY, 1);
    assert_eq!(plan.of(&"ban".parse().unwrap()).len(), 2);
    assert!(plan.of(&"lang".parse().unwrap()).is_empty());
}

#[test]
fn an_airing_that_is_moved_is_the_same_airing_at_another_time() {
    let times = vec!["06:15".parse().unwrap()];
    let mut later = exception("tet", SUNDAY, SUNDAY, Change::Move(times));
    later.scope.programmes = vec!["sang".parse().unwrap()];
    let plan = town().except(later).plan(SUNDAY, 1);
    let moved = &plan.airings[0];
    assert_eq!(moved.key.to_string(), "sang/ban/2026-11-22/0");
    assert_eq!(moved.at, at("2026-11-22T06:15:00"));
    assert_eq!(
        plan.remarks[0].to_string(),
        "sang/ban/2026-11-22/0: moved from 2026-11-22 05:30 because of «tet»; change exception \
         `tet` to undo it"
    );
}

#[test]
fn each_airing_of_a_day_moves_to_its_own_time_and_what_has_none_stays() {
    let times = ["05:30", "11:30", "17:00"].map(|time| time.parse().unwrap());
    let three = Recurrence::times(times, Days::EVERY, None, None).unwrap();
    let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    let town = town.programme("tin-vao", "05:30", "tin").with(|p| p.recurrence = three);
    let later = vec!["06:30".parse().unwrap(), "12:30".parse().unwrap()];
    let town = town.except(exception("tet", SUNDAY, SUNDAY, Change::Move(later)));
    let begin = |airing: &Airing| (airing.key.occurrence, airing.at);
    let begins: Vec<_> = town.plan(SUNDAY, 1).airings.iter().map(begin).collect();
    let wall = |time: &str| at(&format!("2026-11-22T{time}:00"));
    assert_eq!(begins, [(0, wall("06:30")), (1, wall("12:30")), (2, wall("17:00"))]);
}

#[test]
fn what_is_moved_meets_what_is_there_and_the_policy_at_its_new_time() {
    let to = |time: &str| {
        let mut moved = exception("tet", SUNDAY, SUNDAY, Change::Move(vec![time.parse().unwrap()]));
        moved.scope.programmes = vec!["ca-nhac".parse().unwrap()];
        let plan = town().except(moved).plan(SUNDAY, 1);
        plan.remarks.into_iter().map(|remark| remark.reason).next_back().unwrap()
    };
    assert_eq!(to("05:35"), Reason::Collision { winner: "sang".parse().unwrap() });
    assert_eq!(to("23:00"), Reason::OutsideWindow);
}

#[test]
fn content_is_replaced_by_bulletins_or_by_what_another_programme_airs() {
    let named = Change::Replace(Selection::Bulletins(vec!["tin".parse().unwrap()]));
    for change in [named, Change::ReplaceBy("sang".parse().unwrap())] {
        let mut tet = exception("tet", SUNDAY, SUNDAY, change);
        tet.scope.programmes = vec!["ca-nhac".parse().unwrap()];
        let town = town().except(tet);
        assert_eq!(town.ban(), ["sang tin:vi", "ca-nhac tin:vi"]);
        let replaced = town.reasons().into_iter().next().unwrap();
        assert!(replaced.vi().contains("thay nội dung vì «tet»"), "{replaced}");
    }
}

#[test]
fn a_storm_inside_a_holiday_holds_and_the_holiday_gives_way_in_words() {
    let tet = exception("tet", "2026-11-20", "2026-11-26", Change::Skip);
    let swap = Change::Replace(Selection::Bulletins(vec!["tin".parse().unwrap()]));
    let storm = exception("bao", SUNDAY, SUNDAY, swap);
    let town = town().except(tet).except(storm);
    assert_eq!(town.ban(), ["sang tin:vi", "ca-nhac tin:vi"]);
    let yields = town.reasons().into_iter().next().unwrap();
    assert!(yields.to_string().starts_with("«tet» gives way to «bao»; "), "{yields}");
}

#[test]
fn a_decision_keeps_its_deadline_before_the_time_to_which_an_airing_is_moved() {
    let level = |level| move |a: &mut Airable| (a.class, a.source_level) = (Class::Priority, level);
    let early = vec!["05:00".parse().unwrap()];
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("lu", "vi", 10)
        .content(level(SourceLevel::Province))
        .bulletin("hop", "vi", 10)
        .content(level(SourceLevel::Commune))
        .programme("tinh", "09:00", "lu")
        .programme("xa", "09:00", "hop")
        .except(exception("bao", SUNDAY, SUNDAY, Change::Move(early)));
    let deadline = town.plan(SUNDAY, 1).open_decisions()[0].deadline;
    assert_eq!(deadline.to_string(), "2026-11-22 04:00");
}
