//! The broker inside the server, for a station that runs none of its own.
//!
//! It keeps sessions and retained messages in memory only: **after a restart it knows nothing**, and the
//! protocol does not need it to. Every login, publish and subscription goes through one [`Gatekeeper`].

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use mqtt5::broker::config::StorageBackend;
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::sys_topics::BrokerStats;
use mqtt5::broker::{
    AuthProvider, AuthResult, BrokerConfig, BrokerShutdownHandle, MqttBroker, StorageConfig,
};
use mqtt5::error::MqttError;
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use tokio::task::JoinHandle;

use super::front::{Front, FrontOptions};
use super::{BadPem, Broker, Gatekeeper, Stopping};
use crate::digest::{Digest, hex};

/// How long [`Broker::stop`] waits for the clients to be told. Who reads nothing, on a weak link or without
/// power, is never told; it finds the connection gone.
pub const STOP_SECONDS_MAX: u64 = 5;

/// How often a connection is asked about again: a device that is revoked is cut off within this.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What one broker holds at most, so that no client can exhaust the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "they are all limits; each name says of what and in what"
)]
pub struct Limits {
    /// The largest packet taken, in bytes. The largest document is 256 KiB.
    pub packet_bytes_max: usize,
    /// Connections at a time. The library takes 10,000 at most from one network address.
    pub connections_max: usize,
    /// Messages held for one client that is slow, and as many again while it is away. Over this, one at most
    /// once is dropped when it comes, and of the others the oldest.
    pub queue_messages_max: usize,
    /// Bytes held for one client that is away.
    pub queue_bytes_max: usize,
    /// Messages sent to one client and not yet acknowledged by it.
    pub inflight_messages_max: u16,
    /// Subscriptions of one client.
    pub subscriptions_max: usize,
    /// Retained messages in all: a manifest and a status for each controller, and a few more.
    pub retained_messages_max: usize,
    /// Days after which the session of a client that stays away is forgotten.
    pub session_days_max: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet_bytes_max: 1024 * 1024,
            // Two of each of 5,000 controllers, and those that a cut leaves behind for a while.
            connections_max: 12_000,
            queue_messages_max: 10_000,
            queue_bytes_max: 16 * 1024 * 1024,
            inflight_messages_max: 64,
            subscriptions_max: 256,
            retained_messages_max: 50_000,
            session_days_max: 14,
        }
    }
}

/// Why the embedded broker does not run, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port is taken.
    #[error(
        "the embedded broker cannot listen on {0}: another program holds this port; stop that program (`ss -ltnp` names it) or give the broker another port"
    )]
    InUse(SocketAddr),
    /// The address is not one of this machine, or its port is reserved.
    #[error(
        "the embedded broker cannot listen on {address}: {reason}; choose an address of this machine and a port above 1023"
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// A certificate or key of its TLS door is not what it should be.
    #[error("the embedded broker cannot speak TLS: {0}")]
    Certificate(#[from] BadPem),
    /// It ran, and ended by itself.
    #[error(
        "the embedded broker on {address} ended with a fault: {reason}; restart the server, the controllers come back by themselves"
    )]
    Ended {
        /// Where it listened.
        address: SocketAddr,
        /// What the broker said.
        reason: String,
    },
}

/// A broker that runs inside this process. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    gate: Arc<Gate>,
    connections: Connections,
    front: Option<Front>,
    shutdown: Shutdown,
    running: JoinHandle<Result<(), MqttError>>,
    asking: Asking,
}

impl Embedded {
    /// Starts to listen on `listen`; port 0 takes a free one, see [`Broker::address`].
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(
        listen: SocketAddr,
        gatekeeper: Arc<dyn Gatekeeper>,
        limits: Limits,
    ) -> Result<Self, BrokerError> {
        let broker = MqttBroker::with_config(config(listen, &limits)).await;
        let gate = Arc::new(Gate::new(gatekeeper));
        let mut broker =
            broker.map_err(|error| listen_error(listen, &error))?.with_auth_provider(gate.clone());
        let address = broker.local_addr().unwrap_or(listen);
        let shutdown = Shutdown(broker.shutdown_handle());
        let connections = Connections(broker.stats());
        let asking = Asking(tokio::spawn(ask_again(Arc::clone(&gate), broker.router())));
        let mut ready = broker.ready_receiver();
        let running = tokio::spawn(async move { broker.run().await });
        // The guard is dropped at once: it must not live across the next await.
        let up = ready.wait_for(|ready| *ready).await.is_ok();
        if up {
            return Ok(Self { address, gate, connections, front: None, shutdown, running, asking });
        }
        Err(ended(address, running.await))
    }

    /// Opens a door under TLS beside the plain one; returns where it listens.
    ///
    /// # Errors
    /// If the address cannot be listened on, or a certificate cannot be read.
    pub async fn open_front(&mut self, options: FrontOptions) -> Result<SocketAddr, BrokerError> {
        let _first = self.gate.front.set(Digest::of(hex(&options.secret).as_bytes()));
        let keeper = Arc::clone(&self.gate.keeper);
        let front = Front::open(options, self.address, keeper).await?;
        Ok(self.front.insert(front).address())
    }
}

impl Broker for Embedded {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn connections(&self) -> Connections {
        self.connections.clone()
    }

    fn stop(self: Box<Self>) -> Stopping {
        Box::pin(async move {
            let Self { address, shutdown, mut running, front, asking, connections, .. } = *self;
            drop((front, asking, shutdown));
            match tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), &mut running).await {
                Ok(Ok(Ok(()))) => Ok(()),
                Ok(outcome) => Err(ended(address, outcome)),
                Err(_) => {
                    running.abort();
                    tracing::info!(untold = connections.count(), "the broker was stopped");
                    Ok(())
                }
            }
        })
    }
}

/// Clients that are connected to a broker.
#[derive(Clone)]
pub struct Connections(Arc<BrokerStats>);

impl Connections {
    /// How many there are now, the server's own among them.
    pub fn count(&self) -> usize {
        self.0.clients_connected.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connections").field(&self.count()).finish()
    }
}

/// Tells the broker to stop when dropped.
struct Shutdown(BrokerShutdownHandle);

impl std::fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shutdown")
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// Ends with the broker.
#[derive(Debug)]
struct Asking(JoinHandle<()>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Cuts off who would not be let in any more, and forgets what they subscribed to.
async fn ask_again(gate: Arc<Gate>, router: Arc<MessageRouter>) {
    let mut again = tokio::time::interval(ASK_AGAIN);
    loop {
        again.tick().await;
        for client in gate.unwelcome() {
            let was_inside = router.is_connected(&client).await;
            router.unregister_client(&client).await;
            // Else it may be between its login and its place inside: it is asked about once more.
            if was_inside {
                gate.forget(&client);
            }
        }
    }
}

fn config(listen: SocketAddr, limits: &Limits) -> BrokerConfig {
    // Without this the library would keep its sessions in files under the working directory.
    let memory = StorageConfig::new()
        .with_backend(StorageBackend::Memory)
        .with_max_queued_messages_per_client(limits.queue_messages_max)
        .with_max_queued_bytes_per_client(limits.queue_bytes_max);
    let mut config = BrokerConfig::new()
        .with_bind_addresses(vec![listen])
        .with_max_clients(limits.connections_max)
        .with_max_packet_size(limits.packet_bytes_max)
        .with_session_expiry(Duration::from_hours(24 * u64::from(limits.session_days_max)))
        .with_maximum_qos(1)
        .with_max_subscriptions_per_client(limits.subscriptions_max)
        .with_max_retained_messages(limits.retained_messages_max)
        .with_client_channel_capacity(limits.queue_messages_max)
        .with_max_outbound_inflight(limits.inflight_messages_max)
        .with_sys_topics_enabled(false)
        .with_storage(memory);
    config.shared_subscription_available = false;
    config
}

/// Asks the system once more why the address cannot be had: the library gives its answer as prose.
fn listen_error(address: SocketAddr, error: &MqttError) -> BrokerError {
    match std::net::TcpListener::bind(address) {
        Err(again) if again.kind() == ErrorKind::AddrInUse => BrokerError::InUse(address),
        Err(again) => BrokerError::Listen { address, reason: again.to_string() },
        Ok(_) => BrokerError::Listen { address, reason: error.to_string() },
    }
}

fn ended(
    address: SocketAddr,
    outcome: Result<Result<(), MqttError>, tokio::task::JoinError>,
) -> BrokerError {
    let reason = match outcome {
        Ok(Ok(())) => "it stopped before it was ready".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    BrokerError::Ended { address, reason }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

/// Our gatekeeper in the shape the library asks for.
struct Gate {
    keeper: Arc<dyn Gatekeeper>,
    /// The password of whoever came in through the TLS door, where there is one.
    front: OnceLock<Digest>,
    /// Who came in by a password, by client id. The rules bound how many ids there may be: a few for
    /// each device.
    inside: Mutex<HashMap<String, Login>>,
}

/// What a client said when it came in.
struct Login {
    user: String,
    password: Digest,
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl AuthProvider for Gate {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _from: SocketAddr,
    ) -> Answer<'a, mqtt5::Result<AuthResult>> {
        Box::pin(std::future::ready(Ok(self.login(connect))))
    }

    fn authorize_publish<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        topic: &'a str,
    ) -> Answer<'a, bool> {
        let allowed = user.is_some_and(|user| self.keeper.may_publish(user, topic));
        Box::pin(std::future::ready(allowed))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        filter: &'a str,
    ) -> Answer<'a, bool> {
        let allowed = user.is_some_and(|user| self.keeper.may_subscribe(user, filter));
        Box::pin(std::future::ready(allowed))
    }
}

impl Gate {
    fn new(keeper: Arc<dyn Gatekeeper>) -> Self {
        Self { keeper, front: OnceLock::new(), inside: Mutex::default() }
    }

    fn login(&self, connect: &ConnectPacket) -> AuthResult {
        let refused = AuthResult::fail(ReasonCode::BadUsernameOrPassword);
        let (Some(user), Some(password)) = (connect.username.clone(), connect.password.clone())
        else {
            return refused;
        };
        let password = Digest::of(&password);
        // The front asks about its own clients, by their certificates.
        if self.front.get() == Some(&password) {
            return AuthResult::success_with_user(user);
        }
        if !self.keeper.login(&connect.client_id, &user, password) {
            return refused;
        }
        let login = Login { user: user.clone(), password };
        self.logins().insert(connect.client_id.clone(), login);
        AuthResult::success_with_user(user)
    }

    /// The clients that came in and would not be let in any more.
    fn unwelcome(&self) -> Vec<String> {
        let logins = self.logins();
        let unwelcome = logins.iter().filter(|(client, Login { user, password })| {
            !self.keeper.login(client, user, *password)
        });
        unwelcome.map(|(client, _)| client.clone()).collect()
    }

    fn forget(&self, client: &str) {
        self.logins().remove(client);
    }

    fn logins(&self) -> MutexGuard<'_, HashMap<String, Login>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Gatekeeper for Nobody {
        fn login(&self, _client_id: &str, _user: &str, _password: Digest) -> bool {
            false
        }
        fn certified(&self, _client_id: &str, _user: &str, _serial: &str) -> bool {
            false
        }
        fn may_publish(&self, _user: &str, _topic: &str) -> bool {
            false
        }
        fn may_subscribe(&self, _user: &str, _filter: &str) -> bool {
            false
        }
    }

    async fn on(listen: SocketAddr) -> Result<Embedded, BrokerError> {
        Embedded::start(listen, Arc::new(Nobody), Limits::default()).await
    }

    #[tokio::test]
    async fn port_zero_takes_a_free_port_and_tells_it() {
        let broker = on(([127, 0, 0, 1], 0).into()).await.unwrap();
        assert_ne!(broker.address().port(), 0);
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_in_the_error() {
        let first = on(([127, 0, 0, 1], 0).into()).await.unwrap();
        let error = on(first.address()).await.unwrap_err();
        assert!(
            matches!(error, BrokerError::InUse(address) if address == first.address()),
            "{error}"
        );
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_an_error_that_says_so() {
        let error = on(([192, 0, 2, 1], 0).into()).await.unwrap_err();
        assert!(error.to_string().contains("choose an address of this machine"), "{error}");
    }

    #[tokio::test]
    async fn a_stopped_broker_frees_its_port() {
        let broker = on(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = broker.address();
        Box::new(broker).stop().await.unwrap();
        std::net::TcpListener::bind(address).unwrap();
    }
}
