//! `emergency`: raise, confirm, take back, and watch whom it reached.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::{Which, passphrase, print_json};
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, EmergencyId, PersonId};
use crate::receipt::EmergencyStep;
use crate::server::{Alarm, Reached, Signed, Station};

/// How often `status --watch` looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Emergencies: two officers, each with their own key.
#[derive(Debug, Subcommand)]
pub(super) enum Emergency {
    /// Ask for an emergency to be heard; another officer confirms it.
    Raise(Raise),
    /// Confirm what another officer began: an emergency, or its cancel.
    Confirm(Officer),
    /// Ask for an emergency to be taken back; another officer confirms it.
    Cancel(Officer),
    /// Every emergency, newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Whom it reached and how far it came there, those that are silent first.
    Status(Status),
}

/// Asks for an emergency.
#[derive(Debug, Args)]
pub(super) struct Raise {
    #[command(flatten)]
    officer: Officer,
    /// An approved bulletin of class emergency: all its languages go out.
    #[arg(long)]
    bulletin: BulletinId,
    /// Where, with everything below it; may be given several times.
    #[arg(long = "area", required = true)]
    areas: Vec<AreaId>,
    /// How often it is played.
    #[arg(long, default_value_t = 3)]
    repeat: u8,
    /// Silence between repeats, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    gap_ms: u32,
    /// For how many minutes it may begin.
    #[arg(long, default_value_t = 120)]
    minutes: u32,
}

/// Which emergency, and who signs.
#[derive(Debug, Args)]
pub(super) struct Officer {
    #[command(flatten)]
    which: Which,
    /// The emergency: a-z, 0-9 and -.
    id: EmergencyId,
    /// The officer who signs.
    #[arg(long)]
    by: PersonId,
    /// A file with the officer's passphrase; asked for otherwise.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

impl Officer {
    fn passphrase(&self) -> anyhow::Result<String> {
        passphrase(self.passphrase_file.as_deref(), &format!("the key of {}", self.by))
    }
}

/// Whom an emergency reached.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    which: Which,
    /// The emergency.
    id: EmergencyId,
    /// Go on looking until every controller is done or Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// One JSON object a line.
    #[arg(long, conflicts_with = "watch")]
    json: bool,
}

impl Emergency {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Raise(raise) => raise.run().await,
            Self::Confirm(officer) => {
                let (station, secret) = (officer.which.open().await?, officer.passphrase()?);
                say(&officer.id, station.confirm(&officer.id, &officer.by, &secret).await?);
                Ok(true)
            }
            Self::Cancel(officer) => {
                let (station, secret) = (officer.which.open().await?, officer.passphrase()?);
                say(&officer.id, station.cancel(&officer.id, &officer.by, &secret).await?);
                Ok(true)
            }
            Self::List { which, json } => list(&which.open().await?, json).await,
            Self::Status(status) => status.run().await,
        }
    }
}

impl Raise {
    async fn run(self) -> anyhow::Result<bool> {
        let (station, secret) = (self.officer.which.open().await?, self.officer.passphrase()?);
        let alarm = Alarm {
            id: self.officer.id,
            bulletin: self.bulletin,
            areas: self.areas,
            repeat: self.repeat,
            gap_ms: self.gap_ms,
            lasts: Duration::from_mins(u64::from(self.minutes)),
        };
        say(&alarm.id, station.raise(&alarm, &self.officer.by, &secret).await?);
        Ok(true)
    }
}

fn say(id: &EmergencyId, signed: Signed) {
    match signed {
        Signed::Waits { have, need } => say_line!(
            "{have} of {need} officers signed; another one: loaban emergency confirm {id} --by …"
        ),
        Signed::Raised => say_line!("signed; watch it: loaban emergency status {id} --watch"),
    }
}

async fn list(station: &Station, json: bool) -> anyhow::Result<bool> {
    for row in station.store.emergencies().await? {
        if json {
            print_json(&serde_json::json!({
                "emergency": row.id, "action": row.doing.as_str(), "sequence": row.sequence,
                "begun": row.begun, "expires": row.expires, "raised": row.raised,
                "state": row.state(utc_now()),
            }))?;
        } else {
            say_line!(
                "{:<24} {:<7} {} until {}  {}",
                row.id,
                row.doing.as_str(),
                row.begun,
                row.expires,
                row.state(utc_now())
            );
        }
    }
    Ok(true)
}

impl Status {
    async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        loop {
            let reached = station.reached(&self.id).await?;
            if self.json {
                for one in &reached {
                    print_json(&line(one))?;
                }
                return Ok(reached.iter().all(is_done));
            }
            say_line!("{}", counts(&reached));
            let done = reached.iter().all(is_done);
            if done || !self.watch {
                for one in reached.iter().filter(|one| !is_done(one)) {
                    say_line!("{}", sentence(one));
                }
                return Ok(done);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn is_done(one: &Reached) -> bool {
    one.told.is_some_and(|(step, ..)| {
        matches!(step, EmergencyStep::Completed | EmergencyStep::Cancelled)
    })
}

fn line(one: &Reached) -> serde_json::Value {
    serde_json::json!({
        "controller": one.controller, "area": one.area, "step": one.word(),
        "attempt": one.told.map(|(_, attempt, _)| attempt), "evidence": one.evidence,
        "told": one.told.map(|(.., at)| at), "seen": one.seen,
    })
}

/// `12 loa: hoàn tất 9, …`: how many came how far.
fn counts(reached: &[Reached]) -> String {
    let count = |wanted: &str| reached.iter().filter(|one| one.word() == wanted).count();
    let words = ["silent", "accepted", "begun", "failed", "cancelled", "completed"];
    let parts = words.map(|word| format!("{word} {}", count(word)));
    format!("{} controllers: {}", reached.len(), parts.join(", "))
}

fn sentence(one: &Reached) -> String {
    let seen = one.seen.map_or("never heard of".to_owned(), |at| format!("last heard of {at}"));
    format!("{:<24} {:<20} {:<10} {seen}", one.controller, one.area, one.word())
}
