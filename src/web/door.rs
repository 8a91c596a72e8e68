//! The doors of the pages: plain for this machine, TLS for everybody; each connection from its
//! handshake to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::broker::{AuthorityError, fingerprint, serving};
use crate::server::{ServerError, Station};

/// Connections at a time over both doors: each live page holds one, a browser opens up to six.
const CONNECTIONS_MAX: usize = 4_000;

/// How long a client may take to shake hands.
const HANDSHAKE_MAX: Duration = Duration::from_secs(15);

/// How long a client may take for the head of a request, and how long an idle connection is kept.
const HEAD_MAX: Duration = Duration::from_mins(1);

/// How long a connection that is being served may go on when the server ends.
const ENDING_MAX: Duration = Duration::from_secs(5);

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Whether it came by TLS.
    pub(super) tls: bool,
}

/// The doors, open.
pub(super) struct Doors {
    plain: Option<TcpListener>,
    tls: Option<(TcpListener, TlsAcceptor)>,
    /// What people are told.
    pub(super) address: String,
    /// The SHA-256 of the certificate that is shown.
    pub(super) fingerprint: Option<String>,
}

/// Opens the doors that the configuration names.
pub(super) async fn open(station: &Station) -> Result<Doors, ServerError> {
    let web = &station.config.web;
    let (mut plain, mut tls) = (None, None);
    let (mut address, mut shown) = (web.address(), None);
    if let Some(listen) = web.plain {
        let listener = bind(listen).await?;
        address = format!("http://{}", listener.local_addr().unwrap_or(listen));
        plain = Some(listener);
    }
    if let Some(door) = &web.tls {
        let identity = station.web_identity(door)?;
        let config = serving(&identity).map_err(AuthorityError::from)?;
        let listener = bind(door.listen).await?;
        address = door.address(listener.local_addr().unwrap_or(door.listen).port());
        shown = fingerprint(&identity.certificate);
        tls = Some((listener, TlsAcceptor::from(config)));
    }
    Ok(Doors { plain, tls, address, fingerprint: shown })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| ServerError::Listen { address, source })
}

impl Doors {
    /// Serves until `stop` turns true.
    pub(super) async fn serve(self, router: Router, stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let house = House { router, stop, places };
        let plain = async {
            match self.plain {
                Some(listener) => house.accept(listener, None).await,
                None => std::future::pending().await,
            }
        };
        let tls = async {
            match self.tls {
                Some((listener, acceptor)) => house.accept(listener, Some(acceptor)).await,
                None => std::future::pending().await,
            }
        };
        let mut stop = house.stop.clone();
        tokio::select! {
            () = plain => {}
            () = tls => {}
            () = crate::shutdown::told(&mut stop) => {}
        }
        // Whoever is being answered is answered.
        let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        let _ended = tokio::time::timeout(ENDING_MAX, house.places.acquire_many(all)).await;
    }
}

/// What every connection needs.
struct House {
    router: Router,
    stop: watch::Receiver<bool>,
    places: Arc<Semaphore>,
}

impl House {
    async fn accept(&self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            // Out of file handles, most likely: the next connection that closes gives one back.
            let Ok((stream, address)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let (router, stop, tls) = (self.router.clone(), self.stop.clone(), tls.clone());
            tokio::spawn(async move {
                greet(stream, address, tls, router, stop).await;
                drop(place);
            });
        }
    }
}

async fn greet(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    // A socket that is gone already shows at the first read.
    let _gone = stream.set_nodelay(true);
    let peer = Peer { address, tls: tls.is_some() };
    match tls {
        None => converse(stream, peer, router, stop).await,
        Some(acceptor) => {
            let shaken = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
            // Whoever does not speak TLS, or not in time, is not answered.
            if let Ok(Ok(stream)) = shaken {
                converse(stream, peer, router, stop).await;
            }
        }
    }
}

/// Answers the requests of one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // However it ended, the browser comes again by itself.
    tokio::select! {
        _ended = connection.as_mut() => return,
        () = crate::shutdown::told(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ended = tokio::time::timeout(ENDING_MAX, connection).await;
}
