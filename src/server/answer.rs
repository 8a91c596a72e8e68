//! What came of a self-test that somebody ordered: sounded, refused and why, or not answered yet.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::ControllerId;
use crate::note::Note;
use crate::protocol::{Order, OrderCommand, decode};
use crate::receipt::{Event, Receipt, Tested};
use crate::server::{ServerError, Station};
use crate::time::Timestamp;

/// A self-test is told for so long; afterwards it says little of how the speaker is.
const TOLD_FOR: Duration = Duration::from_hours(24);

/// The clocks of two machines may differ by so much though both are trusted.
const CLOCKS_APART: Duration = Duration::from_mins(1);

/// The newest self-test that was ordered of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// When it was ordered.
    pub asked: Timestamp,
    /// What the controller answered.
    pub answer: Answer,
}

/// What a controller answered to an order for a self-test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet, and the order still holds.
    Waiting,
    /// Nothing, and the order has expired.
    Silent,
    /// It took the order and has not told yet what it found.
    Taken,
    /// It refused the order, for this reason in its own words.
    Refused(String),
    /// It tested itself and found this.
    Found(Vec<Tested>),
}

impl Station {
    /// The newest self-tests of some controllers, where one was ordered of late.
    pub async fn self_tests(
        &self,
        controllers: &[ControllerId],
        now: Timestamp,
    ) -> Result<BTreeMap<ControllerId, SelfTest>, ServerError> {
        let mut tests = BTreeMap::new();
        for row in self.store.orders_to(controllers, now - TOLD_FOR).await? {
            let note = Note::parse(row.note.as_bytes())?;
            let order: Order = decode(&self.config.net, note.text())?;
            if order.command != (OrderCommand::Selftest {}) {
                continue;
            }
            let since = order.issued - CLOCKS_APART;
            let told = self.store.answers_of(&order.controller, since).await?;
            let answer = answer(&order, &told, now);
            tests.insert(order.controller, SelfTest { asked: order.issued, answer });
        }
        Ok(tests)
    }
}

fn answer(order: &Order, told: &[Receipt], now: Timestamp) -> Answer {
    let mut answer = if order.expires > now { Answer::Waiting } else { Answer::Silent };
    for receipt in told {
        match &receipt.event {
            Event::Order { number, tests, .. } if *number == order.number => {
                if !tests.is_empty() {
                    return Answer::Found(tests.clone());
                }
                answer = Answer::Taken;
            }
            // A broker may bring an order twice: what was taken counts, not that the second is old.
            Event::Refusal { topic, why }
                if topic.ends_with("order") && !matches!(answer, Answer::Taken) =>
            {
                answer = Answer::Refused(why.clone());
            }
            Event::Order { .. }
            | Event::Refusal { .. }
            | Event::Airing { .. }
            | Event::Emergency { .. }
            | Event::Boot { .. } => {}
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::TestPart;

    fn order(number: u64) -> Order {
        Order {
            controller: "mu-ca-1".parse().unwrap(),
            number,
            issued: Timestamp::from_seconds(100),
            expires: Timestamp::from_seconds(400),
            command: OrderCommand::Selftest {},
        }
    }

    fn told(events: Vec<Event>, now: i64) -> Answer {
        let at = Timestamp::from_seconds(101);
        let receipts: Vec<Receipt> =
            (1..).zip(events).map(|(n, event)| Receipt { n, at, event }).collect();
        answer(&order(7), &receipts, Timestamp::from_seconds(now))
    }

    fn of(number: u64, tests: Vec<Tested>) -> Event {
        Event::Order { number, what: "selftest".to_owned(), tests }
    }

    #[test]
    fn a_test_is_waited_for_while_its_order_holds_and_then_counts_as_unanswered() {
        assert_eq!(told(vec![], 150), Answer::Waiting);
        assert_eq!(told(vec![of(6, vec![])], 150), Answer::Waiting, "that is another order");
        assert_eq!(told(vec![], 500), Answer::Silent);
    }

    #[test]
    fn what_was_found_counts_and_an_order_that_came_twice_is_no_refusal() {
        let found = Tested { part: TestPart::Tone, well: true, found: "played".to_owned() };
        let again = || Event::Refusal { topic: "order".to_owned(), why: "not newer".to_owned() };
        assert_eq!(told(vec![of(7, vec![]), again()], 150), Answer::Taken);
        let both = told(vec![of(7, vec![]), again(), of(7, vec![found.clone()])], 150);
        assert_eq!(both, Answer::Found(vec![found]));
        assert_eq!(told(vec![again()], 150), Answer::Refused("not newer".to_owned()));
    }
}
