//! What an emergency leaves of an airing goes on, or is told as pre-empted.

use super::emergency::{flood, officers};
use super::*;

/// An airing in two languages, cut off by an emergency in the middle of its first item.
fn cut_off() -> Pole {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["hni", "vi"]));
    pole.deliver("hni", &lan());
    pole.deliver("vi", &lan());
    pole.wait(11);
    pole.part_over(0);
    pole.message("a/mu-ca/emergency", flood(&officers()));
    pole
}

fn items(pole: &Pole) -> Vec<Outcome> {
    let items = |receipt: Receipt| match receipt.event {
        Event::Airing { items, .. } => items,
        _ => vec![],
    };
    pole.receipts().into_iter().flat_map(items).map(|item| item.outcome).collect()
}

#[test]
fn an_airing_that_was_cut_off_goes_on_with_the_items_that_were_not_begun() {
    let mut pole = cut_off();
    assert!(pole.outcomes().is_empty(), "its outcome is not known yet");
    pole.play_to_the_end();
    let rest: Vec<String> = pole.plays.as_ref().unwrap().parts.iter().map(spoken).collect();
    assert_eq!(rest, ["chime", "vi", "chime"]);
    pole.play_to_the_end();
    assert_eq!(pole.outcomes(), [(Outcome::Preempted, Some(Cause::Emergency))]);
    assert_eq!(items(&pole), [Outcome::Interrupted, Outcome::Completed]);
}

#[test]
fn one_for_which_no_time_is_left_is_told_as_preempted() {
    let mut pole = cut_off();
    pole.wait(400);
    assert_eq!(pole.outcomes(), [(Outcome::Preempted, Some(Cause::Emergency))]);
    pole.play_to_the_end();
    pole.wait(5);
    assert_eq!(pole.plays, None);
}

#[test]
fn a_power_cut_in_the_pause_ends_the_airing() {
    let mut pole = cut_off();
    pole.power_cut(Duration::from_secs(5));
    assert_eq!(pole.outcomes(), [(Outcome::Interrupted, Some(Cause::Power))]);
    pole.play_to_the_end();
    pole.wait(60);
    assert_eq!(pole.plays, None);
}

#[test]
fn an_order_to_stop_ends_what_would_go_on() {
    let mut pole = cut_off();
    pole.order(8, OrderCommand::Stop {});
    assert_eq!(pole.outcomes(), [(Outcome::Interrupted, Some(Cause::Stopped))]);
    pole.play_to_the_end();
    assert_eq!(pole.plays, None);
}
