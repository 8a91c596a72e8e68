//! One village of the demonstration: a controller with its folder, the same code as
//! `loaban-controller`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::broker::BrokerAddress;
use crate::cli::fleet::provision;
use crate::controller::{self, Config, ControllerError, Glance};
use crate::fleet::Area;
use crate::id::ControllerId;
use crate::lang::LangTag;
use crate::server::Profile;
use crate::server::{Station, Summary};

/// The broker is known only when the server runs; until then its controllers reach nobody.
const NOWHERE: &str = "mqtt://127.0.0.1:1";

/// The link that is cut comes back within the round.
const RECONNECT_MAX: Duration = Duration::from_secs(3);

/// A controller that is provisioned and enrolled and does not run yet.
pub(super) struct Prepared {
    controller: ControllerId,
    name: String,
    languages: Vec<LangTag>,
    played: PathBuf,
    config: Config,
}

/// A controller that runs.
pub(super) struct Village {
    pub(super) controller: ControllerId,
    pub(super) name: String,
    pub(super) languages: Vec<LangTag>,
    played: PathBuf,
    glance: watch::Receiver<Glance>,
    task: JoinHandle<Result<(), ControllerError>>,
}

impl Prepared {
    /// Provisions and enrols a controller, as an installer and the station would.
    pub(super) async fn new(
        station: &Station,
        dir: &Path,
        id: &ControllerId,
        area: &Area,
    ) -> anyhow::Result<Self> {
        let folder = dir.join("villages").join(id.as_str());
        let given = provision(station, id, Profile::Bench, &NOWHERE.parse()?, &folder).await?;
        let path = folder.join("controller.toml");
        open_all_day(&path)?;
        let config = controller::read_config(&path)?;
        let (note, key) = controller::enrolment(&config, Some(&given.given.code))?;
        station.enrol(id, &note, &key.fingerprint(), None, None).await?;
        let languages = area.listens.iter().map(|wish| wish.language.clone()).collect();
        let (controller, name) = (id.clone(), area.name.clone());
        Ok(Self { controller, name, languages, played: folder.join("played"), config })
    }

    pub(super) fn controller(&self) -> &ControllerId {
        &self.controller
    }

    pub(super) fn start(self, broker: BrokerAddress, stop: watch::Receiver<bool>) -> Village {
        let Self { controller, name, languages, played, config } = self;
        let (send, glance) = watch::channel(Glance::default());
        let config = Config { broker, reconnect_max: RECONNECT_MAX, ..config };
        let task = tokio::spawn(controller::run(config, stop, send));
        Village { controller, name, languages, played, glance, task }
    }
}

impl Village {
    pub(super) fn glance(&self) -> Glance {
        self.glance.borrow().clone()
    }

    /// Whether it holds an airing with every recording of it.
    pub(super) fn is_stocked(&self) -> bool {
        let glance = self.glance.borrow();
        glance.stocked && glance.airings > 0
    }

    /// Whether it has played and plays no more.
    pub(super) fn has_played(&self) -> bool {
        self.glance.borrow().playing.is_none() && self.wav_files().next().is_some()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "controller": self.controller, "village": self.name, "languages": self.languages,
        })
    }

    fn wav_files(&self) -> impl Iterator<Item = PathBuf> {
        let entries = std::fs::read_dir(&self.played).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files.into_iter()
    }

    /// Its WAV files with the languages that were heard in them, in order.
    pub(super) fn wavs(&self, summary: &Summary) -> Vec<serde_json::Value> {
        let line = summary.lines.iter().find(|line| line.airing.controller == self.controller);
        let languages = line.map(|line| line.heard.clone()).unwrap_or_default();
        let wav = |file| serde_json::json!({ "controller": self.controller, "file": file, "languages": languages });
        self.wav_files().map(wav).collect()
    }

    pub(super) async fn end(self) -> anyhow::Result<()> {
        Ok(self.task.await??)
    }
}

/// The demonstration may be looked at in the middle of the night.
fn open_all_day(path: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let text = text
        .replace("from = \"05:00\"", "from = \"00:00\"")
        .replace("until = \"21:30\"", "until = \"24:00\"");
    Ok(crate::vault::write_atomic(path, text.as_bytes())?)
}
