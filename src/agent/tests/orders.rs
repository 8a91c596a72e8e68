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

#[test]
fn a_test_that_may_not_sound_now_is_answered_with_the_reason() {
    let found = |pole: &Pole| {
        let told = pole.receipts().into_iter().rev().find_map(|receipt| match receipt.event {
            Event::Order { number: 8, tests, .. } if !tests.is_empty() => Some(tests),
            _ => None,
        });
        told.map(|tests| (tests[0].well, tests[0].found.clone()))
    };
    let mut stopped = Pole::new();
    stopped.give(Input::Local { stopped: true });
    stopped.order(8, OrderCommand::Selftest {});
    assert_eq!(found(&stopped), Some((false, "the local stop is on".to_owned())));
    let mut busy = Pole::new();
    busy.hold(&manifest(7, 10, &["vi"]));
    busy.deliver("vi", &lan());
    busy.wait(12);
    busy.order(8, OrderCommand::Selftest {});
    assert_eq!(found(&busy), Some((false, "something else plays".to_owned())));
}
