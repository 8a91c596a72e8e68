//! `bench fanout`: one recording and one emergency to many controllers, beside the bare broker with
//! the same bytes, the same connections and the same pace.
//!
//! A real station serves in a process of its own, with the embedded broker or before Mosquitto. In
//! this process as many light controllers as are asked for hold both connections that ours hold, ask
//! as ours ask, and answer an emergency with signed receipts. They keep nothing and verify nothing:
//! on a village's pole that is another processor's work.
//!
//! **Bare** is the same broker in the same process with the same connections, and a publisher that
//! knows nothing of the protocol: it puts the blocks in at the pace of the server, or the note of the
//! emergency at once.

mod crowd;
mod ground;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::broker::{Link, LinkEvent, LinkOptions, LinkSender, Pace, Qos};
use crate::cli::bench::{Bin, Steps, percentile};
use crate::cli::print_json;
use crate::clock::Clock;
use crowd::Crowd;
use ground::Ground;

/// Blocks to all controllers together in a second, in KiB, where no pace is asked for: what two cores
/// carry twice over the loopback, once as the broker and once as its clients.
const KIB_A_SECOND: u32 = 96 * 1024;

/// How long one round may take.
const ROUND_MAX: Duration = Duration::from_mins(10);

/// How often each is measured; the fastest fan-out counts, and of emergencies all.
const RUNS: usize = 3;

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// The one that `loaban serve` carries.
    Embedded,
    /// Mosquitto with the files of `loaban mosquitto`.
    Mosquitto,
}

/// Measure fan-out and emergencies with many controllers, beside the bare broker.
#[derive(Debug, Args)]
pub(in crate::cli) struct Fanout {
    /// Controllers; several, separated by commas, are measured one after the other. Each has two
    /// connections, and the embedded broker takes 10,000 from one address: 4,990 with the server's.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 4_990])]
    controllers: Vec<usize>,
    /// The brokers.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Embedded, Kind::Mosquitto])]
    broker: Vec<Kind>,
    /// Seconds of sound in the recording: 60 s are about 150 KiB.
    #[arg(long, default_value_t = 240)]
    seconds: u32,
    /// The pace of one recording in kbit/s; what this machine carries otherwise.
    #[arg(long)]
    kbit_s: Option<u32>,
    /// Where the scratch station lies.
    #[arg(long)]
    work: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// One row of the table.
#[derive(Debug, Serialize)]
struct Measured {
    broker: Kind,
    controllers: usize,
    asset_bytes: u64,
    kbit_s: u32,
    /// Seconds from the first question to the first block: questions are gathered first.
    gathered_s: f64,
    /// Seconds from the first block until the last controller had all of it: ours, bare.
    fanout_s: [f64; 2],
    /// The largest of all controllers: MQTT bytes received over the recording's size.
    bytes_ratio: f64,
    /// Questions after the first: what was lost on the way is asked for again.
    asked_again: usize,
    /// Milliseconds from the second officer's word to the note at the controller: half of all, 99 of
    /// a hundred, the last.
    emergency_ms: [f64; 3],
    /// The same for the bare broker, from the publisher's send.
    bare_ms: [f64; 3],
    /// Milliseconds until every controller's two receipts were in the log and acknowledged.
    receipts_ms: f64,
}

impl Fanout {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<bool> {
        let bin = Bin::new(self.work.as_deref())?;
        let steps = Steps::new();
        if !self.json {
            say_line!("{HEAD}");
        }
        for kind in &self.broker {
            for count in &self.controllers {
                let folder = bin.file(&format!("{kind:?}-{count}").to_lowercase());
                let row = self.measure(*kind, *count, &folder, &steps).await?;
                if self.json { print_json(&row)? } else { say_line!("{}", line(&row)) }
            }
        }
        Ok(true)
    }

    async fn measure(
        &self,
        kind: Kind,
        count: usize,
        folder: &Path,
        steps: &Steps,
    ) -> anyhow::Result<Measured> {
        let kbit_s = self.kbit_s.unwrap_or_else(|| pace_of(count));
        steps.begin(format!("{kind:?}, {count} controllers: a station"));
        let ground = Ground::make(folder, kind == Kind::Mosquitto, count, self.seconds, kbit_s);
        let mut ground = ground.await?;
        steps.begin(format!("{kind:?}, {count} controllers: connections"));
        let clock = Clock::start();
        let mut crowd = Crowd::gather(&mut ground, clock).await?;
        let bare = Bare::connect(&ground, clock).await?;
        let mut fanout_s = [f64::INFINITY; 2];
        let (mut gathered_s, mut bytes_ratio, mut asked_again) = (0.0_f64, 0.0_f64, 0);
        for run in 1..=RUNS {
            steps.begin(format!("{kind:?}, {count} controllers: fan-out {run}/{RUNS}"));
            let told = crowd.fetch().await?;
            fanout_s[0] = fanout_s[0].min(told.took.as_secs_f64());
            gathered_s = gathered_s.max(told.gathered.as_secs_f64());
            bytes_ratio = bytes_ratio.max(told.bytes_ratio);
            asked_again = asked_again.max(told.asked_again);
            crowd.listen();
            let began = clock.now().up;
            bare.fan_out(&ground).await?;
            let its = crowd.until_complete(began).await?;
            fanout_s[1] = fanout_s[1].min(its.took.as_secs_f64());
        }
        let (mut ours, mut its, mut receipts) = (Vec::new(), Vec::new(), Duration::ZERO);
        for run in 1..=RUNS {
            steps.begin(format!("{kind:?}, {count} controllers: emergency {run}/{RUNS}"));
            let (note, heard, logged) = crowd.emergency(&ground, run).await?;
            ours.extend(heard);
            receipts = receipts.max(logged);
            let began = clock.now().up;
            bare.alarm(&ground, run, note).await?;
            its.extend(crowd.hears_bare(run, began).await?);
        }
        let asset_bytes = ground.asset_bytes;
        crowd.part().await;
        ground.end()?;
        Ok(Measured {
            broker: kind,
            controllers: count,
            asset_bytes,
            kbit_s,
            gathered_s,
            fanout_s,
            bytes_ratio,
            asked_again,
            emergency_ms: spread(&ours),
            bare_ms: spread(&its),
            receipts_ms: receipts.as_secs_f64() * 1e3,
        })
    }
}

/// Fewer controllers are sent to faster: the broker has as much to do.
fn pace_of(controllers: usize) -> u32 {
    let each = KIB_A_SECOND * 8 / u32::try_from(controllers.max(1)).unwrap_or(u32::MAX);
    each.clamp(64, 32_768)
}

/// Half, 99 of a hundred, and all, in milliseconds.
fn spread(waits: &[Duration]) -> [f64; 3] {
    let mut sorted: Vec<f64> = waits.iter().map(|wait| wait.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    [50, 99, 100].map(|percent| percentile(&sorted, percent))
}

const HEAD: &str = "| broker | controllers | recording, KiB | pace, kbit/s | gathering, s | first to last block, s | bare, s | ratio | MQTT bytes / recording \
     | asked again | emergency p50 / p99 / last, ms | bare p50 / p99 / last, ms | receipts in the log, ms |\n\
     |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

fn line(row: &Measured) -> String {
    let waits = |[half, most, all]: [f64; 3]| format!("{half:.0} / {most:.0} / {all:.0}");
    format!(
        "| {} | {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.4} | {} | {} | {} | {:.0} |",
        format!("{:?}", row.broker).to_lowercase(),
        row.controllers,
        row.asset_bytes / 1024,
        row.kbit_s,
        row.gathered_s,
        row.fanout_s[0],
        row.fanout_s[1],
        row.fanout_s[0] / row.fanout_s[1],
        row.bytes_ratio,
        row.asked_again,
        waits(row.emergency_ms),
        waits(row.bare_ms),
        row.receipts_ms,
    )
}

/// The area of the bare broker's emergency: nobody's, and everybody listens to all areas.
fn bare_area(run: usize) -> String {
    format!("bare-{run}")
}

/// A publisher with the rights of the server, and without its protocol.
struct Bare {
    link: LinkSender,
    clock: Clock,
    _task: AbortOnDrop,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Bare {
    async fn connect(ground: &Ground, clock: Clock) -> anyhow::Result<Self> {
        let mut link = Link::open(LinkOptions {
            client_id: "server-bench".to_owned(),
            user: "server".to_owned(),
            password: ground.server_password.clone(),
            ..ground.options(0)
        });
        loop {
            match link.next().await {
                LinkEvent::Up { .. } => break,
                LinkEvent::Refused { reason } => {
                    bail!("the broker refuses the publisher: {reason}")
                }
                _ => {}
            }
        }
        let sender = link.sender();
        // A link that nobody listens to stops.
        let task = tokio::spawn(async move {
            loop {
                link.next().await;
            }
        });
        Ok(Self { link: sender, clock, _task: AbortOnDrop(task) })
    }

    /// The blocks, at the server's own pace.
    async fn fan_out(&self, ground: &Ground) -> anyhow::Result<()> {
        let mut next = self.clock.now().up;
        for (n, block) in (0..).zip(&ground.blocks) {
            let topic = ground.topics.block(ground.asset, n);
            self.link.publish(&topic, block.clone(), Qos::AtMostOnce, false).await?;
            next = next + ground.between_blocks;
            tokio::time::sleep(self.clock.until(next)).await;
        }
        Ok(())
    }

    /// The same note to an area of its own.
    async fn alarm(&self, ground: &Ground, run: usize, note: String) -> anyhow::Result<()> {
        let topic = ground.topics.area_emergency(&bare_area(run).parse()?);
        self.link.publish(&topic, note.into_bytes(), Qos::AtLeastOnce, false).await?;
        Ok(())
    }
}

/// A pace that never waits long: the broker is here.
fn pace() -> Pace {
    Pace { longest_wait: Duration::from_secs(2), ..Pace::default() }
}
