//! Orders: marked before they are carried out, and quiet at night.

use super::*;

#[test]
fn an_order_is_marked_before_it_is_carried_out() {
    let mut pole = Pole::new();
    let command = OrderCommand::Volume { percent: 40 };
    let (issued, expires) = (pole.now.utc, pole.now.utc + Duration::from_mins(5));
    let controller = "c-1".parse().unwrap();
    let order = Order { controller, number: 8, issued, expires, command };
    let payload = schedule().sign(&encode(&"x".parse().unwrap(), &order)).into_bytes();
    let topic = "loaban/1/x/c/c-1/order".to_owned();
    pole.agent.handle(pole.now, Input::Message { topic, payload });
    assert_eq!(pole.agent.poll(), Some(Output::Keep(Record::Order { number: 8 })));
    assert_eq!(pole.agent.poll(), Some(Output::Keep(Record::Volume { percent: 40 })));
}

#[test]
fn a_test_tone_sounds_where_nothing_plays() {
    let mut pole = Pole::new();
    pole.order(8, OrderCommand::Selftest {});
    assert_eq!(pole.plays.as_ref().unwrap().title, "selftest");
}

#[test]
fn a_self_test_in_quiet_hours_makes_no_sound_and_still_reports() {
    let closed = AirtimePolicy { windows: vec![], ..open_policy() };
    let mut pole = Pole::with(closed, true);
    let before = pole.said::<crate::protocol::Status>(Up::Status).len();
    pole.order(8, OrderCommand::Selftest {});
    assert_eq!(pole.plays, None);
    let told = Event::Order { number: 8, what: "selftest".to_owned(), tests: vec![] };
    assert!(pole.receipts().iter().any(|receipt| receipt.event == told));
    assert_eq!(pole.said::<crate::protocol::Status>(Up::Status).len(), before + 1);
}
