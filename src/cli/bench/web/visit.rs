//! One visit by HTTP/1.1, as plainly as a browser's own first line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::bench::percentile;

/// Where to ask, as whom, for what in turn.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) address: String,
    pub(super) cookie: String,
    pub(super) paths: Vec<String>,
}

async fn ask(address: &str, path: &str, cookie: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}

/// The body of a page.
pub(super) async fn page(address: &str, path: &str, cookie: &str) -> anyhow::Result<Vec<u8>> {
    let mut answer = Vec::new();
    ask(address, path, cookie).await?.read_to_end(&mut answer).await?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
    ensure!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer[..head])
    );
    Ok(answer.split_off(head + 4))
}

/// Holds a live page open and counts its bytes; opens it again when the server ends it.
pub(super) async fn listen(address: String, path: String, cookie: String, heard: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(mut stream) = ask(&address, &path, &cookie).await {
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            heard.fetch_add(read as u64, Ordering::Relaxed);
        }
    }
}

/// The value below which 95 of 100 sorted ones are.
pub(super) fn p95(sorted: &[f64]) -> f64 {
    percentile(sorted, 95)
}

/// Median, p95, p99 and the longest.
pub(super) fn spread(sorted: &[f64]) -> String {
    let [half, most, nearly, all] = [50, 95, 99, 100].map(|percent| percentile(sorted, percent));
    format!(
        "p50 {half:.1} ms, p95 {most:.1} ms, p99 {nearly:.1} ms, longest {all:.1} ms ({} asked)",
        sorted.len()
    )
}
