//! The task behind a link: connects, serves the connection, and comes back after a loss.
//!
//! **Every attempt gets a new event loop of the client library.** One that has failed holds packets and
//! numbers of the connection that is gone, and can fail again for ever on them.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    NetworkOptions, Outgoing, Packet, QoS, StateError, TlsConfiguration, Transport,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::Sleep;

use super::{Line, LinkEvent, LinkOptions, PACKET_BYTES_MAX, Shared, Will};
use crate::broker::{Backoff, secure};

/// How one connection, or the attempt at one, ended.
enum End {
    /// We said goodbye.
    Closed,
    /// It may come back at any time.
    Lost(String),
    /// A human has to act first.
    Refused(String),
}

/// What a link does on its own.
pub(super) struct Driver {
    options: LinkOptions,
    shared: Arc<Shared>,
    events: mpsc::Sender<LinkEvent>,
    waiting: Waiting,
    closing: watch::Receiver<bool>,
    backoff: Backoff,
    /// The connection that was lost last had been up for long enough to be trusted.
    was_steady: bool,
}

/// Events that nobody had room for yet. **The connection is served meanwhile**: whoever waits for room
/// to send cannot take events, and must not wait for a link that waits for them.
#[derive(Default)]
struct Waiting {
    events: VecDeque<LinkEvent>,
    bytes: usize,
}

impl Waiting {
    fn put(&mut self, event: LinkEvent) {
        self.bytes += bytes_of(&event);
        self.events.push_back(event);
    }

    fn take(&mut self) -> Option<LinkEvent> {
        let event = self.events.pop_front()?;
        self.bytes -= bytes_of(&event);
        Some(event)
    }
}

/// What an event holds, with something for itself.
fn bytes_of(event: &LinkEvent) -> usize {
    const SELF_BYTES: usize = 128;
    match event {
        LinkEvent::Message { topic, payload, .. } => SELF_BYTES + topic.len() + payload.len(),
        _ => SELF_BYTES,
    }
}

/// The clocks of one connection.
struct Timers<'a> {
    /// Ends when no packet came for too long.
    silence: Pin<&'a mut Sleep>,
    /// Ends when the connection has lived long enough to be trusted.
    steady: Pin<&'a mut Sleep>,
    is_steady: bool,
    is_closing: bool,
}

impl Driver {
    pub(super) fn new(
        options: LinkOptions,
        shared: Arc<Shared>,
        events: mpsc::Sender<LinkEvent>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let backoff =
            Backoff::new(options.pace.first_wait, options.pace.longest_wait, options.seed);
        let waiting = Waiting::default();
        Self { options, shared, events, waiting, closing, backoff, was_steady: false }
    }

    pub(super) async fn run(mut self) {
        loop {
            let wait = match self.connection().await {
                End::Closed => return,
                End::Lost(reason) => {
                    self.tell(LinkEvent::Down { reason });
                    self.wait_after_loss()
                }
                End::Refused(reason) => {
                    self.tell(LinkEvent::Refused { reason });
                    self.backoff.long_wait()
                }
            };
            self.hand_out().await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = asked(&mut self.closing) => return,
            }
        }
    }

    /// A broker that ends loses thousands in one moment: they shall not all come back in the next.
    fn wait_after_loss(&mut self) -> Duration {
        let spread = self.options.pace.spread;
        if std::mem::take(&mut self.was_steady) && !spread.is_zero() {
            return self.backoff.spread(spread);
        }
        self.backoff.next_wait()
    }

    /// One connection from its first packet to its end.
    async fn connection(&mut self) -> End {
        // One place more than messages may take, for the goodbye.
        let places = self.options.pace.queue_messages_max + 1;
        self.options.will = self.shared.will();
        let (client, mut event_loop) = AsyncClient::new(mqtt_options(&self.options), places);
        event_loop.set_network_options(network_options(&self.options));
        let session_present = match self.connect(&mut event_loop).await {
            Ok(session_present) => session_present,
            Err(end) => return end,
        };
        let line = Arc::new(Line::new(client, &self.options.pace));
        self.shared.set(Some(Arc::clone(&line)));
        self.tell(LinkEvent::Up { session_present });
        let end = self.serve(&mut event_loop, &line).await;
        self.shared.set(None);
        line.close();
        end
    }

    async fn connect(&mut self, event_loop: &mut EventLoop) -> Result<bool, End> {
        let connect_max = self.options.pace.connect_max;
        let answer = tokio::select! {
            answer = tokio::time::timeout(connect_max, event_loop.poll()) => answer,
            () = asked(&mut self.closing) => return Err(End::Closed),
        };
        match answer {
            Ok(Ok(Event::Incoming(Packet::ConnAck(accepted)))) => Ok(accepted.session_present),
            Ok(Ok(other)) => Err(self.lost(&format!("answered {other:?} to the login"))),
            Ok(Err(error)) => Err(self.end(&error)),
            Err(_elapsed) => {
                Err(self.lost(&format!("did not answer within {} s", connect_max.as_secs())))
            }
        }
    }

    /// Handles what comes until the connection ends.
    async fn serve(&mut self, event_loop: &mut EventLoop, line: &Line) -> End {
        let silence_max = self.options.keep_alive.mul_f32(2.5);
        let mut timers = Timers {
            silence: pin!(tokio::time::sleep(silence_max)),
            steady: pin!(tokio::time::sleep(self.options.pace.steady_after)),
            is_steady: false,
            is_closing: false,
        };
        loop {
            match self.poll(event_loop, line, &mut timers).await {
                Ok(Event::Incoming(packet)) => {
                    timers.silence.set(tokio::time::sleep(silence_max));
                    self.incoming(packet, line);
                    if self.waiting.bytes > self.options.pace.held_bytes_max {
                        return self.lost("sent more than was taken here in time");
                    }
                }
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return End::Closed,
                Ok(Event::Outgoing(Outgoing::Publish(number))) => line.publish_written(number),
                Ok(Event::Outgoing(Outgoing::Subscribe(number))) => line.subscribe_written(number),
                Ok(Event::Outgoing(_)) => {}
                Err(end) => return end,
            }
        }
    }

    /// The next event of the library. Its future is kept while other things happen: dropped half-way, it
    /// could lose a packet it has taken from the queue and not yet written.
    async fn poll(
        &mut self,
        event_loop: &mut EventLoop,
        line: &Line,
        timers: &mut Timers<'_>,
    ) -> Result<Event, End> {
        let mut polling = pin!(event_loop.poll());
        loop {
            tokio::select! {
                biased;
                Ok(room) = self.events.reserve(), if !self.waiting.events.is_empty() => {
                    if let Some(event) = self.waiting.take() {
                        room.send(event);
                    }
                }
                event = &mut polling => return event.map_err(|error| self.end(&error)),
                () = timers.silence.as_mut() => return Err(self.lost("was silent for 2.5 times the keep-alive")),
                () = timers.steady.as_mut(), if !timers.is_steady => {
                    timers.is_steady = true;
                    self.was_steady = true;
                    self.backoff.reset();
                }
                () = asked(&mut self.closing), if !timers.is_closing => {
                    timers.is_closing = true;
                    if !line.disconnect() {
                        return Err(End::Closed);
                    }
                }
            }
        }
    }

    fn incoming(&mut self, packet: Packet, line: &Line) {
        match packet {
            Packet::Publish(message) => {
                let payload = Vec::from(message.payload);
                self.tell(LinkEvent::Message {
                    topic: message.topic,
                    payload,
                    retained: message.retain,
                });
            }
            Packet::PubAck(answer) => {
                if let Some(event) = line.publish_answered(answer.pkid) {
                    self.tell(event);
                }
            }
            Packet::SubAck(answer) => {
                for event in line.subscribe_answered(answer.pkid, &answer.return_codes) {
                    self.tell(event);
                }
            }
            _ => {}
        }
    }

    /// Hands an event out, or keeps it behind those that wait.
    fn tell(&mut self, event: LinkEvent) {
        if !self.waiting.events.is_empty() {
            return self.waiting.put(event);
        }
        match self.events.try_send(event) {
            Err(TrySendError::Full(event)) => self.waiting.put(event),
            // Closed only while the link closes, when nobody listens any more.
            Ok(()) | Err(TrySendError::Closed(_)) => {}
        }
    }

    /// Waits until whoever listens has taken everything.
    async fn hand_out(&mut self) {
        while let Some(event) = self.waiting.take() {
            // Fails only while the link closes, when nobody listens any more.
            let _unheard = self.events.send(event).await;
        }
    }

    fn lost(&self, what: &str) -> End {
        End::Lost(format!("the broker at {} {what}", self.options.address))
    }

    fn end(&self, error: &ConnectionError) -> End {
        if let Some(fault) = secure::fault(error) {
            return End::Refused(format!("the broker at {} {fault}", self.options.address));
        }
        match error {
            ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable) => {
                self.lost("is overloaded and takes no connection now")
            }
            ConnectionError::ConnectionRefused(code) => End::Refused(self.refusal(*code)),
            ConnectionError::Io(error) => self.lost(&format!(
                "cannot be reached: {error}; check the address and that the broker runs"
            )),
            // The second is a DISCONNECT, which MQTT 3.1.1 lets no broker send and some do.
            ConnectionError::MqttState(StateError::ConnectionAborted | StateError::WrongPacket) => {
                self.lost(&format!(
                    "ended the connection: it stops, or another connection uses the client id {}",
                    self.options.client_id
                ))
            }
            ConnectionError::MqttState(StateError::AwaitPingResp) => {
                self.lost("did not answer a ping")
            }
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
                self.lost("did not answer in time")
            }
            other => self.lost(&format!("broke the connection: {other}")),
        }
    }

    fn refusal(&self, code: ConnectReturnCode) -> String {
        let LinkOptions { address, user, client_id, .. } = &self.options;
        match code {
            ConnectReturnCode::BadClientId => {
                format!(
                    "the broker at {address} refused the client id {client_id}; check its rules for client ids"
                )
            }
            ConnectReturnCode::RefusedProtocolVersion => {
                format!(
                    "the broker at {address} does not speak MQTT 3.1.1; allow that version there"
                )
            }
            code => format!(
                "the broker at {address} refused the login of {user} as {client_id}: {code:?}; check the password, \
                 that the broker knows {user}, and that {user} may use this client id"
            ),
        }
    }
}

/// Returns when the link shall close; its owner gone is the same wish.
async fn asked(closing: &mut watch::Receiver<bool>) {
    let _owner_gone = closing.wait_for(|closing| *closing).await;
}

fn mqtt_options(options: &LinkOptions) -> MqttOptions {
    let mut mqtt =
        MqttOptions::new(&options.client_id, options.address.host(), options.address.port());
    mqtt.set_credentials(&options.user, &options.password)
        .set_clean_session(options.clean_session)
        .set_keep_alive(
            options.keep_alive.clamp(Duration::from_secs(1), Duration::from_secs(u16::MAX.into())),
        )
        .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if let Some(tls) = &options.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.config())));
    }
    if let Some(Will { topic, payload, retain }) = &options.will {
        mqtt.set_last_will(LastWill::new(topic, payload.clone(), QoS::AtLeastOnce, *retain));
    }
    mqtt
}

/// The library takes whole seconds, at least one.
fn network_options(options: &LinkOptions) -> NetworkOptions {
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(options.pace.connect_max.as_secs().max(1));
    network.set_tcp_nodelay(true);
    network
}
