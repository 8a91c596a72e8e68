//! The room where the MQTT broker lives: ours, embedded, or somebody else's.
//!
//! - [`Embedded`] runs a broker inside the server, behind the trait [`Broker`].
//! - [`Rules`] say who may connect, write and read; they hold no I/O. The embedded broker asks them
//!   through a [`Gatekeeper`], and [`mosquitto`] writes the same rules as files for Mosquitto.
//! - [`Link`] is our client connection, the same for the server and for a controller.
//! - [`Authority`] certifies controllers and brokers for TLS; [`Tls`] is how a [`Link`] speaks it.
//! - [`Relay`] is a TCP relay that can be cut, for demonstrations and tests.
//!
//! **A broker is never trusted and never the truth.** It may forget everything at any moment: what
//! matters is signed by its author, kept in our own store, and sent anew. Only MQTT 3.1.1 is relied
//! on: quality of service 0 and 1, persistent sessions, last will, retained by exact topic.

#[cfg(feature = "server")]
use std::{future::Future, net::SocketAddr, pin::Pin};

use crate::digest::Digest;

mod address;
#[cfg(feature = "server")]
mod authority;
mod backoff;
mod certificate;
#[cfg(feature = "server")]
mod embedded;
#[cfg(feature = "server")]
mod front;
mod link;
#[cfg(feature = "server")]
pub mod mosquitto;
mod relay;
mod rules;
mod secure;

pub use address::{BadAddress, BrokerAddress};
#[cfg(feature = "server")]
pub use authority::{Authority, AuthorityError, Issued, fingerprint};
pub use backoff::Backoff;
pub use certificate::{BadPem, Identity, TlsKey};
#[cfg(feature = "server")]
pub use embedded::{BrokerError, Connections, Embedded, Limits, STOP_SECONDS_MAX};
#[cfg(feature = "server")]
pub use front::FrontOptions;
pub use link::{
    Link, LinkError, LinkEvent, LinkOptions, LinkSender, PACKET_BYTES_MAX, Pace, Qos, Token, Will,
};
pub use relay::Relay;
pub use rules::{BadNet, Client, Rules};
#[cfg(feature = "server")]
pub use secure::serving;
pub use secure::{SureTime, Tls};

/// Decides who may connect and what each may do. Default deny.
///
/// A broker asks it for every connection, every publish (the last will too) and every subscription,
/// so each answer must be quick.
pub trait Gatekeeper: Send + Sync + 'static {
    /// May this client connect under this name, with a password of this SHA-256? Asked again while
    /// the connection lasts.
    fn login(&self, client_id: &str, user: &str, password: Digest) -> bool;
    /// May the holder of our certificate `serial` for `user` connect under this name? That the
    /// certificate is ours and has not ended was checked; asked again while the connection lasts.
    fn certified(&self, client_id: &str, user: &str, serial: &str) -> bool;
    /// May `user` write to `topic`? A publish that is denied is dropped, and still acknowledged.
    fn may_publish(&self, user: &str, topic: &str) -> bool;
    /// May `user` read what matches `filter`? A subscription that is denied is answered with 0x80.
    fn may_subscribe(&self, user: &str, filter: &str) -> bool;
}

#[cfg(feature = "server")]
/// The future that [`Broker::stop`] returns.
pub type Stopping = Pin<Box<dyn Future<Output = Result<(), BrokerError>> + Send>>;

#[cfg(feature = "server")]
/// A running broker. The library behind it shows nowhere else.
pub trait Broker: Send + Sync {
    /// Where it listens without TLS, with the real port even when port 0 was asked for.
    fn address(&self) -> SocketAddr;
    /// How many clients are connected, to be asked at any time.
    fn connections(&self) -> Connections;
    /// Says goodbye to the clients, closes the port, and ends within [`STOP_SECONDS_MAX`] seconds.
    fn stop(self: Box<Self>) -> Stopping;
}
