//! `bench web`: pages under the load of a province, beside the same bytes served by the same framework with
//! nothing behind them.
//!
//! Real: the server with its pump, its embedded broker, its database and its log; each loudspeaker is an MQTT
//! client with a login and a key of its own, whose statuses are signed, sent, checked and written; live pages
//! are held open over HTTP; pages are asked for at a fixed rate, whatever the answers take. Clients and server
//! share this machine. Nothing is planned and nothing sounds.

mod fleet;
mod visit;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::{Bin, Steps};
use crate::cli::station::config_text;
use crate::clock::Clock;
use crate::entropy;
use crate::server::{Beginning, Browser, Station};
use crate::store::Person;
use crate::web;
use visit::{Visit, p95, spread};

/// Loudspeakers of one commune.
const OF_COMMUNE: u32 = 100;

/// Statuses that are awaited after the fleet is up, before anything is measured.
const SETTLE: Duration = Duration::from_secs(10);

/// Measure pages under the load of a province.
#[derive(Debug, Args)]
pub(in crate::cli) struct Web {
    /// Loudspeakers that report.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..=9_000))]
    controllers: u32,
    /// Live pages held open.
    #[arg(long, default_value_t = 200)]
    pages: u32,
    /// Seconds between two statuses of one loudspeaker, as a busy fleet sends them.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every_s: u64,
    /// Pages asked for each second.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=200))]
    rate: u64,
    /// Seconds that are measured, twice.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// The pages' p95 at most, in milliseconds; more is a failure.
    #[arg(long, default_value_t = 200)]
    p95_ms_max: u64,
}

impl Web {
    pub(super) async fn run(&self) -> anyhow::Result<bool> {
        let (bin, steps) = (Bin::new(None)?, Steps::new());
        steps.begin("a station".to_owned());
        let (station, cookie) = self.prepare(&bin).await?;
        let devices = fleet::enrol(&station, self.controllers).await?;
        let (stop, stopped) = watch::channel(false);
        let (send, ready) = oneshot::channel();
        let server = tokio::spawn(web::serve(station, stopped.clone(), send));
        let ready = ready.await.context("the server ended before it was ready")?;
        let address = ready.web.strip_prefix("http://").context("pages without TLS")?.to_owned();
        steps.begin(format!("{} loudspeakers", self.controllers));
        let said = Arc::new(AtomicU64::new(0));
        let every = Duration::from_secs(self.every_s);
        let fleet = fleet::start(devices, &ready.broker, every, &said).await?;
        steps.begin(format!("{} live pages", self.pages));
        let heard = Arc::new(AtomicU64::new(0));
        let mut live = JoinSet::new();
        for n in 0..self.pages {
            let path = format!("/areas/{}/live", commune(n % self.communes()));
            live.spawn(visit::listen(address.clone(), path, cookie.clone(), Arc::clone(&heard)));
        }
        tokio::time::sleep(SETTLE).await;
        steps.begin("pages".to_owned());
        let before = (said.load(Ordering::Relaxed), heard.load(Ordering::Relaxed));
        let asked = Visit { address, cookie, paths: self.paths() };
        let (pages, body) = self.measure(&asked).await?;
        let after = (said.load(Ordering::Relaxed), heard.load(Ordering::Relaxed));
        steps.begin("the same bytes with nothing behind them".to_owned());
        let bare = Visit { address: bare(body.clone()).await?, ..asked };
        let (limit, _) = self.measure(&bare).await?;
        drop(steps);
        let reports = (after.0 - before.0) / self.seconds;
        let parts = (after.1 - before.1) / self.seconds;
        say_line!(
            "{} loudspeakers up, {reports} statuses/s; {} live pages, {} KiB/s of fresh parts",
            fleet.len(),
            live.len(),
            parts / 1024
        );
        say_line!("a page of {} KiB, {} a second:", body.len() / 1024, self.rate);
        say_line!("  pages {}", spread(&pages));
        say_line!("  bare  {}", spread(&limit));
        say_line!("  p95 {:.1} times the bare limit", p95(&pages) / p95(&limit).max(0.001));
        stop.send_replace(true);
        drop(fleet);
        server.await??;
        Ok(p95(&pages) <= std::time::Duration::from_millis(self.p95_ms_max).as_secs_f64() * 1e3)
    }

    fn communes(&self) -> u32 {
        self.controllers.div_ceil(OF_COMMUNE)
    }

    /// Communes in turn, and the overview once in each round.
    fn paths(&self) -> Vec<String> {
        let communes = (0..self.communes()).map(|n| format!("/areas/{}", commune(n)));
        std::iter::once("/".to_owned()).chain(communes).collect()
    }

    /// A station of communes with loudspeakers, and the cookie of an operator of them all.
    async fn prepare(&self, bin: &Bin) -> anyhow::Result<(Station, String)> {
        let broker = "listen = \"127.0.0.1:0\"";
        let net = "bench".parse()?;
        let config = config_text(&net, "sqlite:loaban.db", broker, "127.0.0.1:0");
        let passphrase = entropy::secret();
        let root_area = "tinh".parse()?;
        let beginning = Beginning { config: &config, root_area, passphrase: &passphrase };
        let station = Station::init(&bin.file("station"), &beginning).await?;
        station.import_schedule(&[("areas.toml".to_owned(), self.areas())]).await?;
        let (name, roles) = ("Người xem".to_owned(), "operator".to_owned());
        let person = Person { id: "xem".parse()?, name, roles };
        station.add_person(&person, None, None, None).await?;
        let code = station.invite(&person.id, None).await?;
        station.choose_password(&code, &passphrase).await?;
        let browser = Browser { address: "127.0.0.1".to_owned(), agent: "bench".to_owned() };
        let token = station.sign_in("xem", &passphrase, &browser).await?;
        Ok((station, format!("loaban_session={token}")))
    }

    fn areas(&self) -> String {
        let mut text = String::from(
            "[[area]]\nid = \"tinh\"\nname = \"Tỉnh\"\nlevel = \"province\"\n\
             [[area.listens]]\nlanguage = \"vi\"\n",
        );
        for n in 0..self.communes() {
            let id = commune(n);
            let _ = write!(
                text,
                "[[area]]\nid = \"{id}\"\nname = \"Xã {n}\"\nlevel = \"commune\"\nparent = \"tinh\"\n"
            );
        }
        for n in 0..self.controllers {
            let (id, area) = (fleet::name(n), commune(n / OF_COMMUNE));
            let _ = write!(text, "[[controller]]\nid = \"{id}\"\narea = \"{area}\"\n");
        }
        text
    }

    /// Asks for pages at the rate; returns how long each took in milliseconds, and one page.
    async fn measure(&self, visit: &Visit) -> anyhow::Result<(Vec<f64>, Vec<u8>)> {
        let clock = Clock::start();
        let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / self.rate));
        let mut visits = JoinSet::new();
        for n in 0..self.rate * self.seconds {
            tick.tick().await;
            let path = visit.paths[usize::try_from(n)? % visit.paths.len()].clone();
            let (address, cookie, clock) = (visit.address.clone(), visit.cookie.clone(), clock);
            visits.spawn(async move {
                let begun = clock.now().up;
                let body = visit::page(&address, &path, &cookie).await?;
                anyhow::Ok((clock.now().up.since(begun).as_secs_f64() * 1e3, body))
            });
        }
        let (mut times, mut largest) = (Vec::new(), Vec::new());
        while let Some(done) = visits.join_next().await {
            let (time, body) = done??;
            times.push(time);
            if body.len() > largest.len() {
                largest = body;
            }
        }
        times.sort_by(f64::total_cmp);
        Ok((times, largest))
    }
}

fn commune(n: u32) -> String {
    format!("xa-{n}")
}

/// The same framework with the same bytes for every path; returns where.
async fn bare(body: Vec<u8>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let body = bytes::Bytes::from(body);
    let answer = move || {
        let body = body.clone();
        async move { axum::response::Html(body) }
    };
    let router = Router::new().route("/", get(answer.clone())).route("/{*path}", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
