//! The embedded broker's door for TLS: who comes in shows a certificate of the station's authority.
//!
//! ```text
//!   controller ══TLS══► front ──plain, this machine──► embedded broker
//! ```
//!
//! **A device can only be itself**: the name in its certificate takes the place of whatever user the
//! login names, and the client id must be one that this name may use. The broker behind is
//! given a secret of this process instead of a password.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::{ConnAck, Connect, ConnectReturnCode, Login, Packet, Protocol};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::certificate::{BadPem, Identity};
use super::embedded::ASK_AGAIN;
use super::secure::{certificates, parts};
use super::{BrokerError, Gatekeeper};
use crate::digest::hex;

/// How long a client may take to shake hands, and as long again to log in.
const LOGIN_MAX: Duration = Duration::from_secs(15);

/// Bytes of a login at most: a will is one signed note.
const LOGIN_BYTES_MAX: usize = 64 * 1024;

/// Loopback addresses that connections to the broker come from, in turn: it takes at most 10,000
/// from each.
const SOURCES: u32 = 16;

/// What the front needs to know.
#[derive(Debug)]
pub struct FrontOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What it shows.
    pub identity: Identity,
    /// The authority, in PEM, that has certified whoever may come in.
    pub authority: String,
    /// 32 random bytes, used once: how the broker behind knows who comes through the front.
    pub secret: [u8; 32],
    /// Connections at a time.
    pub connections_max: usize,
}

/// The front, as it runs. Dropping it closes the door; who is inside stays until the broker stops.
#[derive(Debug)]
pub(super) struct Front {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

/// What every connection needs.
struct Inside {
    broker: SocketAddr,
    keeper: Arc<dyn Gatekeeper>,
    acceptor: TlsAcceptor,
    password: String,
}

/// Who a certificate is for, and its serial number.
struct Holder {
    user: String,
    serial: String,
}

impl Front {
    pub(super) async fn open(
        options: FrontOptions,
        broker: SocketAddr,
        keeper: Arc<dyn Gatekeeper>,
    ) -> Result<Self, BrokerError> {
        let config = server_config(&options)?;
        let listen = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BrokerError::InUse(options.listen),
            _ => BrokerError::Listen { address: options.listen, reason: source.to_string() },
        };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().unwrap_or(options.listen);
        let inside = Inside {
            broker: here(broker),
            keeper,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            password: hex(&options.secret),
        };
        let places = Arc::new(Semaphore::new(options.connections_max));
        let accepting = tokio::spawn(accept(listener, Arc::new(inside), places));
        Ok(Self { address, accepting })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn server_config(options: &FrontOptions) -> Result<ServerConfig, BadPem> {
    let mend = "restore keys/online from a backup";
    let bad = |what: &'static str| move |why: String| BadPem { what, why, mend };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&options.authority, "authority's certificate", mend)? {
        roots.add(certificate).map_err(|e| bad("authority's certificate")(e.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = clients.build().map_err(|e| bad("authority's certificate")(e.to_string()))?;
    let (chain, key) = parts(&options.identity, mend)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has suites for TLS 1.2 and 1.3")
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key);
    config.map_err(|error| bad("certificate")(error.to_string()))
}

async fn accept(listener: TcpListener, inside: Arc<Inside>, places: Arc<Semaphore>) {
    for turn in (0..SOURCES).cycle() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        // Out of file handles, most likely: the next connection that closes gives one back.
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let inside = Arc::clone(&inside);
        tokio::spawn(async move {
            // Whatever ends it, the client comes again by itself.
            let _ended = carry(client, &inside, turn).await;
            drop(place);
        });
    }
}

/// One connection from its handshake to its end.
async fn carry(client: TcpStream, inside: &Inside, turn: u32) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut tls = in_time(inside.acceptor.accept(client)).await?;
    let holder = holder(&tls).ok_or(io::ErrorKind::PermissionDenied)?;
    let mut read = BytesMut::new();
    let connect = in_time(login(&mut tls, &mut read)).await?;
    let named = connect.login.as_ref().is_none_or(|login| login.username == holder.user);
    let client_id = connect.client_id.clone();
    if !named || !inside.keeper.certified(&client_id, &holder.user, &holder.serial) {
        return refuse(tls).await;
    }
    let mut broker = reach(inside.broker, turn).await?;
    broker.write_all(&as_holder(connect, &holder, inside)?).await?;
    broker.write_all(&read).await?;
    let mut again = tokio::time::interval(ASK_AGAIN);
    let copying = tokio::io::copy_bidirectional(&mut tls, &mut broker);
    tokio::pin!(copying);
    loop {
        tokio::select! {
            ended = &mut copying => return ended.map(|_bytes| ()),
            _ = again.tick() => {
                if !inside.keeper.certified(&client_id, &holder.user, &holder.serial) {
                    return Ok(());
                }
            }
        }
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(LOGIN_MAX, work).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// Who the client is, by the certificate that the handshake has checked.
fn holder(tls: &TlsStream<TcpStream>) -> Option<Holder> {
    let certificate = tls.get_ref().1.peer_certificates()?.first()?;
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let user = certificate.subject().iter_common_name().next()?.as_str().ok()?.to_owned();
    Some(Holder { user, serial: hex(certificate.raw_serial()) })
}

/// Reads until the login is whole; what comes behind it stays in `read`.
async fn login(tls: &mut TlsStream<TcpStream>, read: &mut BytesMut) -> io::Result<Connect> {
    loop {
        match Packet::read(read, LOGIN_BYTES_MAX) {
            Ok(Packet::Connect(connect)) if connect.protocol == Protocol::V4 => {
                return Ok(connect);
            }
            Err(rumqttc::Error::InsufficientBytes(_)) => {}
            Ok(_) | Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
        if tls.read_buf(read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn refuse(mut tls: TlsStream<TcpStream>) -> io::Result<()> {
    let mut answer = BytesMut::new();
    let refused = ConnAck::new(ConnectReturnCode::NotAuthorized, false);
    refused.write(&mut answer).map_err(|_| io::ErrorKind::InvalidData)?;
    tls.write_all(&answer).await?;
    tls.shutdown().await
}

/// A connection to the broker behind, from one of this machine's own addresses.
async fn reach(broker: SocketAddr, turn: u32) -> io::Result<TcpStream> {
    let stream = if broker.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        let socket = TcpSocket::new_v4()?;
        let source = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + turn);
        // Where a system has but one loopback address, that one serves.
        let _one_address = socket.bind((source, 0).into());
        socket.connect(broker).await?
    } else {
        TcpStream::connect(broker).await?
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Where a broker that listens on `address` is reached from this machine.
fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The login as the broker behind shall see it.
fn as_holder(connect: Connect, holder: &Holder, inside: &Inside) -> io::Result<BytesMut> {
    let login = Login { username: holder.user.clone(), password: inside.password.clone() };
    let mut bytes = BytesMut::new();
    let connect = Connect { login: Some(login), ..connect };
    connect.write(&mut bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(bytes)
}
