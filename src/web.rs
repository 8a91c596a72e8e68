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
mod assets;
mod commune;
mod emergency;
mod fault;
mod frame;
mod guard;
mod live;
mod overview;
mod routes;
mod sign_in;
#[cfg(test)]
mod tests;
mod tongue;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::access::Throttle;
use crate::broker::BrokerAddress;
use crate::clock::Clock;
use crate::server::{self, ServerError, Station};

/// Where a server that is ready can be reached.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its pages.
    pub web: SocketAddr,
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
}

impl Site {
    fn new(station: Arc<Station>, stop: watch::Receiver<bool>) -> Arc<Self> {
        let throttle = Mutex::new(Throttle::default());
        let looked = commune::Looked::default();
        Arc::new(Self { station, throttle, clock: Clock::start(), stop, looked })
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        // A thread that panicked left counts behind, which are whole at any moment.
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
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
    let server::Ready { broker, tls } = tokio::select! {
        outcome = &mut server => return outcome,
        Ok(ready) = served => ready,
    };
    let address = station.config.web;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| ServerError::Listen { address, source })?;
    let web = listener.local_addr().unwrap_or(address);
    let pages = tokio::spawn(pages(listener, Site::new(station, stop)));
    tracing::info!(%web, %broker, "server ready");
    // Nobody may be waiting for it.
    let _ = ready.send(Ready { web, broker, tls });
    let outcome = server.await;
    pages.abort();
    outcome
}

async fn pages(listener: TcpListener, site: Arc<Site>) {
    let mut stop = site.stop.clone();
    let until = async move { crate::shutdown::told(&mut stop).await };
    let app = routes::router(site).into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
        tracing::warn!(%error, "the pages ended");
    }
}
