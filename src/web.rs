//! The pages: words from a person at a browser to calls, and answers back to pages.
//!
//! ```text
//!   request ─► guard (who, from where, may they?) ─► handler ─► Station ─► template ─► page
//! ```
//!
//! Server-rendered; a page works without its script, which only keeps it fresh. **The guard opens
//! nothing that `routes` does not name**: a route without a line there is closed to everybody.
//! Station and `access` decide again, with the area.

mod account;
mod administration;
mod announcement;
mod api;
mod assets;
mod commune;
mod door;
mod duty;
mod emergency;
mod fault;
mod frame;
mod guard;
mod inspector;
mod live;
mod metrics;
mod newsroom;
mod on_air;
mod overview;
mod player;
mod programme;
mod routes;
mod sign_in;
#[cfg(test)]
mod tests;
mod token;
mod tongue;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};

use crate::access::Throttle;
use crate::broker::{BrokerAddress, Connections};
use crate::clock::Clock;
use crate::server::{self, ServerError, Sound, Station};

/// Where a server that is ready can be reached.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The address of its pages, without a slash at the end.
    pub web: String,
    /// The SHA-256 of the certificate that browsers are shown.
    pub fingerprint: Option<String>,
    /// Its broker.
    pub broker: BrokerAddress,
    /// Where its own broker speaks TLS, if it does.
    pub tls: Option<SocketAddr>,
}

/// What every handler works with.
#[derive(Debug)]
pub(crate) struct Site {
    station: Arc<Station>,
    /// Held for the moment of a look or a note only, so a plain lock serves.
    throttle: Mutex<Throttle>,
    clock: Clock,
    stop: watch::Receiver<bool>,
    looked: commune::Looked,
    asked: commune::OpenOrders,
    /// What is planned.
    outlook: programme::Looked,
    /// What live pages share.
    shared: live::Shared,
    /// How much each token may still send; a plain lock for the same reason.
    buckets: Mutex<api::Buckets>,
    /// Places for questions that take the machine's time.
    heavy: Semaphore,
    /// Where recordings are made broadcast-ready.
    sound: Sound,
    /// The newest look at what the newsroom has.
    counted: newsroom::Counted,
    /// Recordings on their way into versions.
    takes: newsroom::Takes,
    meter: metrics::Meter,
    /// Who is connected to the station's own broker.
    connections: Option<Connections>,
    /// The last time that somebody had the log verified.
    verification: inspector::Verification,
}

/// Questions that take the machine's time at once: pages and warnings come first.
const HEAVY_MAX: usize = 2;

/// How long such a question waits for its place.
const HEAVY_WAIT: Duration = Duration::from_secs(30);

impl Site {
    fn new(
        station: Arc<Station>,
        stop: watch::Receiver<bool>,
        connections: Option<Connections>,
    ) -> Arc<Self> {
        let throttle = Mutex::new(Throttle::default());
        let looked = commune::Looked::default();
        let (buckets, heavy) = (Mutex::default(), Semaphore::new(HEAVY_MAX));
        // Without its own path a program runs nowhere that this one does.
        let sound = Sound::new(std::env::current_exe().unwrap_or_default());
        let (clock, shared, meter) =
            (Clock::start(), live::Shared::default(), metrics::Meter::default());
        let (asked, outlook) = (commune::OpenOrders::default(), programme::Looked::default());
        let (counted, takes) = (newsroom::Counted::default(), newsroom::Takes::default());
        Arc::new(Self {
            station,
            throttle,
            clock,
            stop,
            looked,
            asked,
            outlook,
            shared,
            buckets,
            heavy,
            sound,
            counted,
            takes,
            meter,
            connections,
            verification: inspector::Verification::default(),
        })
    }

    /// A place among the few that may take the machine's time at once; `None` where none is free
    /// for long.
    async fn heavy(&self) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(HEAVY_WAIT, self.heavy.acquire()).await.ok().and_then(Result::ok)
    }

    /// Whoever asks next what airs looks at the schedule anew.
    async fn schedule_changed(&self) {
        self.outlook.forget().await;
        self.looked.forget();
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        // A thread that panicked left counts behind, which are whole at any moment.
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, api::Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a station with its pages until `stop` turns true.
pub async fn serve(
    station: Station,
    stop: watch::Receiver<bool>,
    ready: oneshot::Sender<Ready>,
) -> Result<(), ServerError> {
    let station = Arc::new(station);
    let (send, served) = oneshot::channel();
    let mut server = std::pin::pin!(server::serve(Arc::clone(&station), stop.clone(), send));
    // The station is this server's own, or another one's, before an address is taken.
    let server::Ready { broker, tls, connections } = tokio::select! {
        outcome = &mut server => return outcome,
        Ok(ready) = served => ready,
    };
    let doors = door::open(&station).await?;
    let (web, shown) = (doors.address.clone(), doors.fingerprint.clone());
    let site = Site::new(station, stop.clone(), connections);
    let pages = tokio::spawn(doors.serve(routes::router(site), stop));
    tracing::info!(web, %broker, "server ready");
    // Nobody may be waiting for it.
    let _ = ready.send(Ready { web, fingerprint: shown, broker, tls });
    let outcome = server.await;
    pages.abort();
    outcome
}
