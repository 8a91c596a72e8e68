//! `demo`: the whole path on one machine, real in every part.
//!
//! A new station in a folder of its own, the recordings of `audio-samples/`, demonstration people
//! with keys of their own, the schedule of `schedules/demo/` moved to a few seconds from now, the
//! server with the embedded broker and SQLite, and seven controllers, one of which is cut off the
//! network while it plays.

mod show;
mod village;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::sync::{oneshot, watch};

use crate::broker::{BrokerAddress, Relay};
use crate::cli::demo::show::Show;
use crate::cli::demo::village::{Prepared, Village};
use crate::cli::{content, log, print_json, schedule, start_logging, station};
use crate::clock::utc_now;
use crate::entropy;
use crate::id::PersonId;
use crate::server::{Aim, Beginning, ServerError, Station, Summary};
use crate::store::Person;
use crate::time::{LocalDate, Timestamp, Zone};
use crate::web;

/// How long after everything is ready the round begins.
const LEAD: Duration = Duration::from_secs(10);

/// How long controllers may take to hold what they shall play.
const STOCK_WAIT: Duration = Duration::from_mins(1);

/// How long after the round the last receipt may take.
const RECEIPT_WAIT: Duration = Duration::from_secs(90);

/// The controller that is cut off the network.
const CUT_OFF: &str = "khong-lao-1";

/// Shows the whole path on this machine.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The folder to make; `loaban-demo`, or with a number behind, where none is named.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The recordings.
    #[arg(long, default_value = "audio-samples")]
    samples: PathBuf,
    /// The schedule.
    #[arg(long, default_value = "schedules/demo")]
    schedules: PathBuf,
    /// End when the round is over, with 0 only if every airing was completed and the log verifies.
    #[arg(long)]
    once: bool,
    /// Print the summary as one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        start_logging("error");
        let dir = self.folder()?;
        eprintln!("Loa Bản, demonstration station in {}", dir.display());
        let station = self.prepare(&dir).await?;
        let villages = prepare_villages(&station, &dir).await?;
        let zone = station.config.zone;
        let (stop, stopped) = watch::channel(false);
        let (send, ready) = oneshot::channel();
        let mut server = tokio::spawn(web::serve(self.reopen(&dir).await?, stopped.clone(), send));
        let ready = tokio::select! {
            ready = ready => ready.context("the server ended before it was ready")?,
            ended = &mut server => return Err(ended?.err().map_or_else(|| anyhow::anyhow!("the server ended"), Into::into)),
        };
        eprintln!("server ready: {}/ · broker {} (embedded)", ready.web, ready.broker);
        let round = Round::start(villages, &ready, &stopped).await?;
        self.schedule(&station, round.at).await?;
        let report = round.watch(&station, zone).await?;
        let well = self.report(&station, &dir, &report).await?;
        if !self.once {
            show::doors(&station, &ready.web).await?;
            crate::shutdown::asked().await;
        }
        stop.send_replace(true);
        for village in report.villages {
            village.end().await?;
        }
        server.await??;
        Ok(well)
    }

    fn folder(&self) -> anyhow::Result<PathBuf> {
        let numbered = |n: u32| match n {
            1 => PathBuf::from("loaban-demo"),
            n => PathBuf::from(format!("loaban-demo-{n}")),
        };
        let free = || (1..10_000).map(numbered).find(|dir| !dir.exists());
        let dir =
            self.dir.clone().or_else(free).context("no free name for the folder; use --dir")?;
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(dir.canonicalize()?)
    }

    async fn reopen(&self, dir: &Path) -> Result<Station, ServerError> {
        Station::open(&dir.join("loaban.toml")).await
    }

    async fn prepare(&self, dir: &Path) -> anyhow::Result<Station> {
        let net = "demo".parse()?;
        let listen = "listen = \"127.0.0.1:0\"";
        let config = station::config_text(&net, "sqlite:loaban.db", listen, "127.0.0.1:0");
        let root = entropy::secret();
        let area = "lai-chau".parse()?;
        let beginning = Beginning { config: &config, root_area: area, passphrase: &root };
        let station = Station::init(dir, &beginning).await?;
        let people = people(&station, &root).await?;
        eprintln!(
            "keys sealed under passphrases written beside them (demonstration only): {}/keys/people/*.passphrase",
            dir.display()
        );
        eprintln!(
            "recordings: synthetic voices; mww, twh, ium and hni are STAND-INS, not speech of these languages"
        );
        let file = self.samples.join("bulletins.toml");
        if !content::import(&station, &file, &|n| announcer(n), true).await? {
            bail!("a recording of the demonstration was refused");
        }
        review_and_approve(&station, &people).await?;
        let names = ["areas.toml", "policy-open.toml"].map(|name| self.schedules.join(name));
        station.import_schedule(&schedule::read_files(&names)?).await?;
        eprintln!("airtime policy: OPEN all day (demonstration only)");
        Ok(station)
    }

    /// Loads the programme, moved to `at`.
    async fn schedule(&self, station: &Station, at: Timestamp) -> anyhow::Result<()> {
        let files = schedule::read_files(&[self.schedules.join("programmes.toml")])?;
        let local = station.config.zone.local(at);
        let moved = format!("at = [\"{}\"]", local.format("%H:%M:%S"));
        let dates = format!("from = \"{0}\"\nuntil = \"{0}\"", LocalDate::from(local.date()));
        let move_line = |line: &str| match line.split_once('=') {
            Some((key, _)) if key.trim() == "at" => format!("{moved}\n{dates}"),
            _ => line.to_owned(),
        };
        let body: Vec<String> = files[0].1.lines().map(move_line).collect();
        station.import_schedule(&[(files[0].0.clone(), body.join("\n"))]).await?;
        eprintln!("schedule loaded, moved to {}", local.format("%H:%M:%S"));
        Ok(())
    }

    async fn report(&self, station: &Station, dir: &Path, report: &Report) -> anyhow::Result<bool> {
        let (verified, sentence, size) = log::verdict(station)?;
        let summary = &report.summary;
        show::airings(summary, station.config.zone);
        let plan = station.plan().await?.1;
        show::gaps(summary, &plan);
        eprintln!("\nlog: {sentence}");
        show::next_steps(dir);
        let sums = &summary.sums;
        let well = verified && sums.planned > 0 && sums.completed == sums.planned && report.late;
        if self.json {
            print_json(&serde_json::json!({
                "airings": { "planned": sums.planned, "completed": sums.completed, "other": sums.other },
                "languages": sums.languages,
                "controllers": report.villages.iter().map(Village::json).collect::<Vec<_>>(),
                "log": { "size": size, "verified": verified },
                "wav": report.villages.iter().flat_map(|v| v.wavs(summary)).collect::<Vec<_>>(),
            }))?;
        }
        Ok(well)
    }
}

/// A round that was seen to its end.
struct Report {
    summary: Summary,
    villages: Vec<Village>,
    /// Whether the receipts of the village that was cut off came after its link was back.
    late: bool,
}

struct Round {
    at: Timestamp,
    villages: Vec<Village>,
    relay: Relay,
}

impl Round {
    async fn start(
        prepared: Vec<Prepared>,
        ready: &web::Ready,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let broker = format!("{}:{}", ready.broker.host(), ready.broker.port());
        let relay = Relay::start(broker.parse()?).await?;
        let through_relay: BrokerAddress = format!("mqtt://{}", relay.address()).parse()?;
        let start = |village: Prepared| {
            let cut_off = village.controller().as_str() == CUT_OFF;
            let broker = if cut_off { &through_relay } else { &ready.broker };
            village.start(broker.clone(), stop.clone())
        };
        let villages = prepared.into_iter().map(start).collect();
        Ok(Self { at: utc_now() + LEAD, villages, relay })
    }

    async fn watch(self, station: &Station, zone: Zone) -> anyhow::Result<Report> {
        let Self { at, villages, relay } = self;
        let mut show = Show::new(&villages, at, zone);
        let deadline = at + STOCK_WAIT;
        while !villages.iter().all(Village::is_stocked) {
            show.draw(&villages);
            if utc_now() > deadline {
                bail!("a controller did not receive its recordings in time; see LOABAN_LOG=info");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        relay.cut();
        show.say(&format!("{CUT_OFF} is cut off the network from here on"));
        let (from, until) = (at - Duration::from_mins(1), at + Duration::from_mins(1));
        let mut restored = false;
        let mut late = false;
        let deadline = at + RECEIPT_WAIT;
        loop {
            show.draw(&villages);
            let summary = station.summary(from, until).await?;
            let cut = summary.lines.iter().find(|l| l.airing.controller.as_str() == CUT_OFF);
            let told = cut.is_some_and(|line| line.log_index.is_some());
            late |= told && restored;
            if !restored && villages.iter().all(Village::has_played) {
                relay.restore();
                restored = true;
                show.say(&format!("{CUT_OFF} has played from what it held; its link is back"));
            }
            let open = summary.lines.iter().any(|line| line.log_index.is_none());
            if (!open && restored && !summary.lines.is_empty()) || utc_now() > deadline {
                show.end();
                return Ok(Report { summary, villages, late });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn prepare_villages(station: &Station, dir: &Path) -> anyhow::Result<Vec<Prepared>> {
    let checked = station.schedule().await?;
    let mut villages = Vec::new();
    for controller in &checked.controllers {
        let area = checked.tree.get(&controller.area).context("its area is checked")?;
        villages.push(Prepared::new(station, dir, &controller.id, area).await?);
    }
    Ok(villages)
}

/// Two announcers hand in the recordings in turn.
fn announcer(n: usize) -> PersonId {
    let id = if n.is_multiple_of(2) { "an" } else { "binh" };
    id.parse().expect("it is an id")
}

/// Two leaders with keys of their own; returns their passphrases.
async fn people(station: &Station, root: &str) -> anyhow::Result<Vec<(PersonId, String)>> {
    let cast = [
        ("an", "Lò Thị An", "announcer"),
        ("binh", "Giàng A Bình", "announcer"),
        ("chi", "Phùng Thị Chi", "reviewer"),
        ("dung", "Vàng Văn Dũng", "leader"),
        ("giang", "Lý Thị Giang", "leader"),
        ("sua", "Sùng A Sửa", "operator"),
    ];
    let mut leaders = Vec::new();
    for (id, name, duties) in cast {
        let person = Person { id: id.parse()?, name: name.to_owned(), roles: duties.to_owned() };
        let passphrase = entropy::secret();
        station.add_person(&person, Some(&passphrase), Some(root), None).await?;
        if duties == "leader" {
            let file = station.config.data.join("keys/people").join(format!("{id}.passphrase"));
            crate::vault::write_secret(&file, passphrase.as_bytes())?;
            leaders.push((person.id, passphrase));
        }
    }
    let file = station.config.data.join("keys/root.passphrase");
    crate::vault::write_secret(&file, root.as_bytes())?;
    Ok(leaders)
}

async fn review_and_approve(
    station: &Station,
    leaders: &[(PersonId, String)],
) -> anyhow::Result<()> {
    let reviewer: PersonId = "chi".parse()?;
    for (n, version) in station.store.versions().await?.into_iter().enumerate() {
        let text = version.text();
        station.review(Aim::at(&text.bulletin, &text.language), &reviewer).await?;
        let (leader, passphrase) = &leaders[n % leaders.len()];
        station.approve(Aim::at(&text.bulletin, &text.language), leader, passphrase).await?;
    }
    eprintln!(
        "reviewed by chi, approved by {} with their own keys",
        leaders.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" and ")
    );
    Ok(())
}
