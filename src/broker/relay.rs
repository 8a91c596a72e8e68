//! A TCP relay that can be cut, frozen and restored, for demonstrations and tests of a bad network.
//!
//! **It never changes a byte**: it passes all, or nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the relay does with its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Passes all.
    Open,
    /// Holds every connection open and passes nothing, as a radio link does that fades.
    Frozen,
    /// Has dropped every connection and drops new ones.
    Cut,
}

/// Bytes that went through, by direction.
#[derive(Debug, Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
}

/// A TCP relay on loopback in front of one target. Dropping it cuts it for good.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Listens on a free loopback port and passes what comes to `target`.
    ///
    /// # Errors
    /// If no loopback port can be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (mode, watched) = watch::channel(Mode::Open);
        let counts = Arc::new(Counts::default());
        let accepting = tokio::spawn(accept(listener, target, watched, Arc::clone(&counts)));
        Ok(Self { address, mode, counts, accepting })
    }

    /// Where the relay listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops every connection, and each new one as soon as it comes.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Keeps every connection open but lets nothing through.
    pub fn freeze(&self) {
        self.mode.send_replace(Mode::Frozen);
    }

    /// Lets everything through again. What was cut stays cut: the client must come again.
    pub fn restore(&self) {
        self.mode.send_replace(Mode::Open);
    }

    /// Bytes passed from the clients to the target.
    #[must_use]
    pub fn bytes_up(&self) -> u64 {
        self.counts.up.load(Ordering::Relaxed)
    }

    /// Bytes passed from the target to the clients.
    #[must_use]
    pub fn bytes_down(&self) -> u64 {
        self.counts.down.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    mode: watch::Receiver<Mode>,
    counts: Arc<Counts>,
) {
    loop {
        match listener.accept().await {
            Ok((client, _)) if *mode.borrow() != Mode::Cut => {
                tokio::spawn(carry(client, target, mode.clone(), Arc::clone(&counts)));
            }
            Ok(_) => {}
            // Out of file handles, most likely: the next connection that closes gives one back.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Carries one connection until either side ends it or the relay is cut.
async fn carry(
    client: TcpStream,
    target: SocketAddr,
    mode: watch::Receiver<Mode>,
    counts: Arc<Counts>,
) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = mode.clone();
    tokio::select! {
        () = pass(from_client, to_server, mode.clone(), &counts.up) => {}
        () = pass(from_server, to_client, mode, &counts.down) => {}
        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    count: &AtomicU64,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await;
        // Read first, then wait: what arrives while frozen stays here unheard, a goodbye too.
        if mode.wait_for(|mode| *mode == Mode::Open).await.is_err() {
            return;
        }
        let Ok(length @ 1..) = read else { return };
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A target that sends back what it gets, and a client connected to it through a relay.
    async fn echo() -> (Relay, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::start(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        let client = TcpStream::connect(relay.address()).await.unwrap();
        (relay, client)
    }

    async fn say(client: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
        client.write_all(text).await?;
        let mut answer = vec![0; text.len()];
        client.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn bytes_pass_unchanged_and_are_counted_both_ways() {
        let (relay, mut client) = echo().await;
        assert_eq!(say(&mut client, b"xin chao").await.unwrap(), b"xin chao");
        assert_eq!((relay.bytes_up(), relay.bytes_down()), (8, 8));
    }

    #[tokio::test]
    async fn a_cut_ends_the_connections_that_live() {
        let (relay, mut client) = echo().await;
        say(&mut client, b"one").await.unwrap();
        relay.cut();
        assert!(say(&mut client, b"two").await.is_err());
    }

    #[tokio::test]
    async fn a_restored_relay_takes_a_new_connection() {
        let (relay, _) = echo().await;
        relay.cut();
        relay.restore();
        let mut client = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(say(&mut client, b"again").await.unwrap(), b"again");
    }

    #[tokio::test]
    async fn a_frozen_relay_neither_passes_nor_closes() {
        let (relay, mut client) = echo().await;
        say(&mut client, b"one").await.unwrap();
        relay.freeze();
        let silence =
            tokio::time::timeout(Duration::from_millis(100), say(&mut client, b"two")).await;
        assert!(silence.is_err());
    }
}
