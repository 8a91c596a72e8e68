//! Our MQTT client connection, the same for the server and for a controller.
//!
//! A task of its own holds the connection, answers pings and comes back after a loss; [`Link::next`]
//! hands out what happened, and any number of [`LinkSender`]s put messages in.
//!
//! ```text
//!        ┌────────── wait, longer each time ◄──────────┐
//!        ▼                                             │
//!   connecting ──accepted──► up ──lost or silent──► down
//!        └──login refused──► refused ── the longest wait ──► connecting
//! ```
//!
//! **Nothing is kept over a loss.** A message that was not yet [`LinkEvent::Published`] when
//! [`LinkEvent::Down`] comes may or may not have arrived, and will not be sent again: the caller keeps
//! its own outbox. While the link is down, [`LinkSender::publish`] fails at once instead of piling up.
//! After [`LinkEvent::Up`] without a session, the caller subscribes again.

mod driver;
mod line;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{BrokerAddress, Tls};
use driver::Driver;
use line::{Line, Tokens};

/// The largest MQTT packet sent or taken.
pub const PACKET_BYTES_MAX: usize = 1024 * 1024;
/// Room for the header of a packet around topic and payload.
const HEADER_BYTES_MAX: usize = 16;
/// Events that wait for [`Link::next`]; what comes while they are full waits in the link, up to
/// [`Pace::held_bytes_max`].
const EVENTS_MAX: usize = 256;
/// How long [`Link::close`] tries to say goodbye.
const CLOSE_SECONDS_MAX: u64 = 3;

/// How sure the delivery of one message to the broker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// Sent once and forgotten: for what is asked for again if it does not come.
    AtMostOnce,
    /// Acknowledged by the broker, which may deliver it twice.
    AtLeastOnce,
}

/// What the broker shall publish for us, at least once, when it loses us without a goodbye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// The topic it goes to.
    pub topic: String,
    /// The message.
    pub payload: Vec<u8>,
    /// Whether it stays there for those who subscribe later.
    pub retain: bool,
}

/// How long the link waits for what, and how much it holds.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The first wait after a loss.
    pub first_wait: Duration,
    /// Over how long the first attempts of many that lost a steady link are spread; zero goes back to
    /// [`Pace::first_wait`].
    pub spread: Duration,
    /// The longest wait between two attempts, and the one after a refused login.
    pub longest_wait: Duration,
    /// How long an attempt to connect may take.
    pub connect_max: Duration,
    /// A link that was up for this long starts again from the first wait when it is lost.
    pub steady_after: Duration,
    /// How long a publish waits for room in the queue before it fails.
    pub room_max: Duration,
    /// Messages that wait to be written.
    pub queue_messages_max: usize,
    /// Bytes of events that wait for [`Link::next`] beyond those that it has room for; over this the
    /// link is given up and made anew, which asks again for what was not taken.
    pub held_bytes_max: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(250),
            spread: Duration::ZERO,
            longest_wait: Duration::from_mins(1),
            connect_max: Duration::from_secs(15),
            steady_after: Duration::from_secs(10),
            room_max: Duration::from_secs(5),
            queue_messages_max: 256,
            held_bytes_max: 4 * 1024 * 1024,
        }
    }
}

/// Where to connect, and as whom.
#[derive(Clone)]
pub struct LinkOptions {
    /// The broker.
    pub address: BrokerAddress,
    /// How to speak TLS: for an `mqtts://` address, and for no other.
    pub tls: Option<Tls>,
    /// The name of this connection; the broker ends an older connection of the same name. Never empty.
    pub client_id: String,
    /// The user name.
    pub user: String,
    /// The password; it is never shown.
    pub password: String,
    /// Whether the broker shall forget subscriptions and queued messages between connections.
    pub clean_session: bool,
    /// Whole seconds between two pings, 1 s to 18 h. After 2.5 times this without a packet the link is lost.
    pub keep_alive: Duration,
    /// What the broker says for us if we vanish.
    pub will: Option<Will>,
    /// Waits and queue.
    pub pace: Pace,
    /// Decides the jitter of the waits; different for each client.
    pub seed: u64,
}

impl fmt::Debug for LinkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkOptions")
            .field("address", &self.address)
            .field("client_id", &self.client_id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The name of one publish, to tell its [`LinkEvent::Published`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What happened on the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// The broker accepted us. Without a session it knows none of our subscriptions.
    Up {
        /// Whether the broker kept our session.
        session_present: bool,
    },
    /// The broker granted these filters.
    Subscribed {
        /// As they were asked for.
        filters: Vec<String>,
    },
    /// The broker denied these filters; its rules have to change, asking again is of no use.
    Denied {
        /// As they were asked for.
        filters: Vec<String>,
    },
    /// A message came.
    Message {
        /// Its topic.
        topic: String,
        /// Its bytes.
        payload: Vec<u8>,
        /// Whether the broker had kept it from before the subscription.
        retained: bool,
    },
    /// The broker holds this message now. It may still have dropped it by its rules.
    Published(Token),
    /// The link is lost, or an attempt to connect failed. The next attempt comes by itself.
    Down {
        /// A sentence for the person who must act.
        reason: String,
    },
    /// The broker does not let us in. The link goes on trying, slowly.
    Refused {
        /// A sentence for the person who must act.
        reason: String,
    },
}

/// Why a message or subscription was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no connection.
    #[error("the link to the broker is down; send again after it is up")]
    LinkDown,
    /// The connection does not take messages as fast as they come.
    #[error("the link to the broker is too slow: {0} messages wait to be sent; send again later")]
    Busy(usize),
    /// No broker of ours would take it.
    #[error(
        "a message of {bytes} bytes to {topic} is larger than the limit of {PACKET_BYTES_MAX} bytes; send it in parts"
    )]
    TooLarge {
        /// Where it should have gone.
        topic: String,
        /// Its size.
        bytes: usize,
    },
    /// Not the name of one topic.
    #[error("`{0}` cannot be published to: a topic is not empty and holds no `+` and no `#`")]
    BadTopic(String),
    /// Not a filter.
    #[error("`{0}` cannot be subscribed to: `+` must fill a level, `#` the last one")]
    BadFilter(String),
    /// A subscription to nothing.
    #[error("a subscription needs at least one filter")]
    NoFilter,
}

/// The current connection, if there is one, and the numbering of the messages.
#[derive(Debug, Default)]
struct Shared {
    line: Mutex<Option<Arc<Line>>>,
    /// What the next connection leaves with the broker.
    will: Mutex<Option<Will>>,
    tokens: Tokens,
}

impl Shared {
    fn set(&self, line: Option<Arc<Line>>) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }

    fn will(&self) -> Option<Will> {
        self.will.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self) -> Result<Arc<Line>, LinkError> {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone().ok_or(LinkError::LinkDown)
    }
}

/// A handle that publishes and subscribes; clones share one link.
#[derive(Debug, Clone)]
pub struct LinkSender {
    shared: Arc<Shared>,
    pace: Arc<Pace>,
}

impl LinkSender {
    /// Puts a message into the queue of the link; [`LinkEvent::Published`] tells when the broker has it,
    /// if `qos` asks for that.
    ///
    /// # Errors
    /// At once if the link is down or the message cannot be sent; after [`Pace::room_max`] if the queue stays full.
    pub async fn publish(
        &self,
        topic: &str,
        payload: Vec<u8>,
        qos: Qos,
        retain: bool,
    ) -> Result<Token, LinkError> {
        if !is_topic(topic) {
            return Err(LinkError::BadTopic(topic.to_owned()));
        }
        let bytes = topic.len() + payload.len() + HEADER_BYTES_MAX;
        if bytes > PACKET_BYTES_MAX {
            return Err(LinkError::TooLarge { topic: topic.to_owned(), bytes });
        }
        let line = self.shared.line()?;
        line.take_room(&self.pace).await?;
        line.publish(self.shared.tokens.draw(), topic, payload, qos, retain)
    }

    /// Asks for what matches `filters`, at least once; [`LinkEvent::Subscribed`] and
    /// [`LinkEvent::Denied`] bring the answer.
    ///
    /// The answer is an event because the broker sends retained messages before it, and those have to
    /// be taken from [`Link::next`] in between.
    ///
    /// # Errors
    /// As for [`LinkSender::publish`].
    pub async fn subscribe(&self, filters: &[String]) -> Result<(), LinkError> {
        if filters.is_empty() {
            return Err(LinkError::NoFilter);
        }
        if let Some(bad) = filters.iter().find(|filter| !rumqttc::valid_filter(filter)) {
            return Err(LinkError::BadFilter(bad.clone()));
        }
        let line = self.shared.line()?;
        line.take_room(&self.pace).await?;
        line.subscribe(filters)
    }
}

fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && u16::try_from(topic.len()).is_ok() && !topic.contains(['+', '#', '\0'])
}

/// A connection to the broker that comes back by itself. Dropping it vanishes without a goodbye, so that
/// the broker publishes the will; [`Link::close`] says goodbye.
#[derive(Debug)]
pub struct Link {
    sender: LinkSender,
    events: mpsc::Receiver<LinkEvent>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Link {
    /// Begins to connect; must be called inside a tokio runtime.
    ///
    /// # Panics
    /// If the client id is empty: no broker may be asked to invent one. If the address is under TLS
    /// and no way to speak it was given, or the other way round.
    #[must_use]
    pub fn open(options: LinkOptions) -> Self {
        assert!(!options.client_id.is_empty(), "a link needs a client id");
        assert_eq!(options.address.is_tls(), options.tls.is_some(), "mqtts:// speaks TLS");
        let will = Mutex::new(options.will.clone());
        let shared = Arc::new(Shared { will, ..Shared::default() });
        let (out, events) = mpsc::channel(EVENTS_MAX);
        let (closing, asked) = watch::channel(false);
        let sender =
            LinkSender { shared: Arc::clone(&shared), pace: Arc::new(options.pace.clone()) };
        let task = tokio::spawn(Driver::new(options, shared, out, asked).run());
        Self { sender, events, closing, task }
    }

    /// The next event. May be dropped and called again without losing one.
    pub async fn next(&mut self) -> LinkEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The task ends before us only when the runtime shuts down, and us with it.
            None => std::future::pending().await,
        }
    }

    /// See [`LinkSender::publish`].
    ///
    /// # Errors
    /// See [`LinkSender::publish`].
    pub async fn publish(
        &self,
        topic: &str,
        payload: Vec<u8>,
        qos: Qos,
        retain: bool,
    ) -> Result<Token, LinkError> {
        self.sender.publish(topic, payload, qos, retain).await
    }

    /// See [`LinkSender::subscribe`].
    ///
    /// # Errors
    /// See [`LinkSender::subscribe`].
    pub async fn subscribe(&self, filters: &[String]) -> Result<(), LinkError> {
        self.sender.subscribe(filters).await
    }

    /// Changes the will that the next connection leaves with the broker; the one that is up keeps
    /// its own.
    pub fn set_will(&self, will: Will) {
        let held = &self.sender.shared.will;
        *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(will);
    }

    /// A handle for other tasks.
    #[must_use]
    pub fn sender(&self) -> LinkSender {
        self.sender.clone()
    }

    /// Sends what is queued, says goodbye, and ends. The broker publishes no will.
    pub async fn close(mut self) {
        self.events.close();
        self.closing.send_replace(true);
        // A broker that does not take the goodbye is left without one.
        let _late =
            tokio::time::timeout(Duration::from_secs(CLOSE_SECONDS_MAX), &mut self.task).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
        self.sender.shared.set(None);
    }
}
