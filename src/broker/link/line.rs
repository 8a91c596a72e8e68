//! One connection, as those see it who send on it.
//!
//! The client library numbers packets only when it writes them. **Requests go in and packet numbers come
//! out in the same order**, so each kind of request has a queue of names that wait for their numbers.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rumqttc::{AsyncClient, ClientError, QoS, SubscribeFilter, SubscribeReasonCode};
use tokio::sync::Semaphore;

use super::{LinkError, LinkEvent, Pace, Qos, Token};

/// Draws tokens; one row for the life of a link, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Tokens(AtomicU64);

impl Tokens {
    pub(super) fn draw(&self) -> Token {
        Token(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Requests that have no packet number yet, and those that have one and no answer.
#[derive(Debug, Default)]
struct Waiting {
    publishes: VecDeque<Token>,
    published: HashMap<u16, Token>,
    subscribes: VecDeque<Vec<String>>,
    subscribed: HashMap<u16, Vec<String>>,
}

/// One connection that is up.
#[derive(Debug)]
pub(super) struct Line {
    client: AsyncClient,
    /// Free places in the queue of the client.
    room: Semaphore,
    waiting: Mutex<Waiting>,
}

impl Line {
    pub(super) fn new(client: AsyncClient, pace: &Pace) -> Self {
        Self { client, room: Semaphore::new(pace.queue_messages_max), waiting: Mutex::default() }
    }

    /// Takes one place in the queue, to be used by one request.
    pub(super) async fn take_room(&self, pace: &Pace) -> Result<(), LinkError> {
        match tokio::time::timeout(pace.room_max, self.room.acquire()).await {
            Ok(Ok(permit)) => {
                permit.forget();
                Ok(())
            }
            Ok(Err(_closed)) => Err(LinkError::LinkDown),
            Err(_elapsed) => Err(LinkError::Busy(pace.queue_messages_max)),
        }
    }

    pub(super) fn publish(
        &self,
        token: Token,
        topic: &str,
        payload: Vec<u8>,
        qos: Qos,
        retain: bool,
    ) -> Result<Token, LinkError> {
        let mut waiting = self.waiting();
        let sent = match qos {
            Qos::AtMostOnce => self.client.try_publish(topic, QoS::AtMostOnce, retain, payload),
            Qos::AtLeastOnce => self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload),
        };
        sent.map_err(|error| gone(&error))?;
        if qos == Qos::AtLeastOnce {
            waiting.publishes.push_back(token);
        }
        Ok(token)
    }

    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), LinkError> {
        let mut waiting = self.waiting();
        let asked =
            filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        self.client.try_subscribe_many(asked).map_err(|error| gone(&error))?;
        waiting.subscribes.push_back(filters.to_vec());
        Ok(())
    }

    /// Queues the goodbye behind all else. Its place is the one that [`Line::take_room`] never gives away.
    pub(super) fn disconnect(&self) -> bool {
        self.client.try_disconnect().is_ok()
    }

    /// A publish was written; number 0 is that of a message at most once.
    pub(super) fn publish_written(&self, number: u16) {
        self.room.add_permits(1);
        let mut waiting = self.waiting();
        if number != 0
            && let Some(token) = waiting.publishes.pop_front()
        {
            waiting.published.insert(number, token);
        }
    }

    /// A subscription was written.
    pub(super) fn subscribe_written(&self, number: u16) {
        self.room.add_permits(1);
        let mut waiting = self.waiting();
        if let Some(filters) = waiting.subscribes.pop_front() {
            waiting.subscribed.insert(number, filters);
        }
    }

    /// The broker acknowledged a publish.
    pub(super) fn publish_answered(&self, number: u16) -> Option<LinkEvent> {
        self.waiting().published.remove(&number).map(LinkEvent::Published)
    }

    /// The broker answered a subscription, filter by filter.
    pub(super) fn subscribe_answered(
        &self,
        number: u16,
        codes: &[SubscribeReasonCode],
    ) -> Vec<LinkEvent> {
        let asked = self.waiting().subscribed.remove(&number).unwrap_or_default();
        let mut codes = codes.iter();
        // A filter without an answer was not granted.
        let (granted, denied): (Vec<_>, Vec<_>) = asked
            .into_iter()
            .partition(|_| matches!(codes.next(), Some(SubscribeReasonCode::Success(_))));
        let mut events = Vec::new();
        if !granted.is_empty() {
            events.push(LinkEvent::Subscribed { filters: granted });
        }
        if !denied.is_empty() {
            events.push(LinkEvent::Denied { filters: denied });
        }
        events
    }

    /// Ends the waits for room: there will be none.
    pub(super) fn close(&self) {
        self.room.close();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Topics and filters were checked and the place in the queue was taken, so only one cause is left.
fn gone(_error: &ClientError) -> LinkError {
    LinkError::LinkDown
}
