//! Two airings that want one controller at one time.

use super::*;

fn priority(level: SourceLevel) -> impl FnOnce(&mut Airable) {
    move |airable| (airable.class, airable.source_level) = (Class::Priority, level)
}

/// Bulletin `a` at 05:30 and `b` at 05:35, each ten minutes long.
fn two(a: impl FnOnce(&mut Airable), b: impl FnOnce(&mut Airable)) -> Town {
    Town::new()
        .village("ban", "vi")
        .bulletin("a", "vi", 10)
        .content(a)
        .bulletin("b", "vi", 10)
        .content(b)
        .programme("pa", "05:30", "a")
        .programme("pb", "05:35", "b")
}

fn lost_to(winner: &str) -> Reason {
    Reason::Collision { winner: winner.parse().unwrap() }
}

#[test]
fn the_higher_class_goes_first_even_if_it_begins_later() {
    let town = two(|_| (), priority(SourceLevel::Province));
    assert_eq!(town.sunday(), ["pb b:vi"]);
    assert_eq!(town.reasons(), [lost_to("pb")]);
}

#[test]
fn what_is_normal_is_the_communes_own_first() {
    let town = two(|_| (), |b| b.source_level = SourceLevel::Commune);
    assert_eq!(town.sunday(), ["pb b:vi"]);
}

#[test]
fn of_equals_the_earlier_goes_first_and_then_the_programme_id() {
    assert_eq!(two(|_| (), |_| ()).sunday(), ["pa a:vi"]);
    let same = Town::new().village("ban", "vi").bulletin("a", "vi", 2);
    let same = same.programme("z", "05:30", "a").programme("b", "05:30", "a");
    assert_eq!(same.sunday(), ["b a:vi"]);
    assert_eq!(same.reasons(), [lost_to("b")]);
}

#[test]
fn two_priorities_of_province_and_commune_ask_the_commune_to_decide() {
    let town = two(priority(SourceLevel::Commune), priority(SourceLevel::Province));
    assert_eq!(town.sunday(), ["pb b:vi"]);
    let decision = Reason::Decision {
        decision: "ban/2026-11-22/pa.0/pb.0".parse().unwrap(),
        deadline: WallClock::of(Zone::default(), at("2026-11-22T04:30:00")),
        default: "pb".parse().unwrap(),
    };
    assert_eq!(town.reasons(), [lost_to("pb"), decision]);
    let same_level = two(priority(SourceLevel::Province), priority(SourceLevel::Province));
    assert_eq!(same_level.reasons(), [lost_to("pa")]);
}

#[test]
fn what_was_put_out_leaves_its_time_its_minutes_and_its_bulletin_to_others() {
    // `pc` fits before `pb` once `pa` is out, and airs what `pa` would have aired.
    let town = Town::new()
        .village("ban", "vi")
        .bulletin("tin", "vi", 4)
        .bulletin("gap", "vi", 10)
        .content(|gap| {
            priority(SourceLevel::Province)(gap);
            gap.column = "Thông báo".parse().unwrap();
        })
        .programme("pa", "05:32", "")
        .programme("pb", "05:35", "gap")
        .programme("pc", "06:00", "")
        .policy(|policy| policy.sessions_a_day_max = 2);
    assert_eq!(town.sunday(), ["pb gap:vi", "pc tin:vi"]);
    assert_eq!(town.reasons(), [lost_to("pb")]);
}

#[test]
fn ten_programmes_at_the_same_second_leave_one_and_nine_reasons() {
    let mut town = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
    for i in (0..10).rev() {
        town = town.programme(&format!("p{i}"), "05:30", "tin");
    }
    assert_eq!(town.sunday(), ["p0 tin:vi"]);
    assert_eq!(town.reasons(), vec![lost_to("p0"); 9]);
}

#[test]
fn an_airing_that_begins_as_another_ends_does_not_collide() {
    let town = Town::new().village("ban", "vi").bulletin("tin", "vi", 5);
    let town = town.programme("pa", "05:30", "tin").programme("pb", "05:35", "tin");
    assert_eq!(town.sunday().len(), 2);
}

#[test]
fn what_was_put_out_comes_back_when_the_winner_is_put_out_itself() {
    // `pb` puts out `pa`, `pc` puts out `pb`; `pa` and `pc` do not meet.
    let town = two(|_| (), |b| b.source_level = SourceLevel::Commune)
        .bulletin("c", "vi", 10)
        .content(priority(SourceLevel::Province))
        .programme("pc", "05:41", "c");
    assert_eq!(town.sunday(), ["pa a:vi", "pc c:vi"]);
    assert_eq!(town.reasons(), [lost_to("pc")]);
}

#[test]
fn what_puts_another_out_takes_its_place_in_the_limits_of_the_day() {
    let town = two(|_| (), priority(SourceLevel::Province));
    let town = town.policy(|policy| policy.sessions_a_day_max = 1);
    assert_eq!(town.sunday(), ["pb b:vi"]);
}

#[test]
fn an_airing_that_no_limit_leaves_room_for_puts_nobody_out() {
    let town = two(|_| (), priority(SourceLevel::Province));
    let town = town.with(|pb| pb.chime = true).policy(|policy| policy.minutes_a_day_max = 10);
    assert_eq!(town.sunday(), ["pa a:vi"]);
    assert_eq!(town.reasons(), [Reason::DayFull { minutes_max: 10 }]);
}
