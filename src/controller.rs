//! A controller as it runs: an [`Agent`] with a link, a shelf, a speaker and a clock.
//!
//! The shell decides nothing. It hands inputs to the agent and carries its outputs out in order;
//! when storage fails it ends, because the agent may not go on over a write that failed.

mod config;
mod door;
mod local_stop;
mod login;
mod picture;
mod scene;
mod self_test;
mod sense;
mod watchdog;

use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

pub use config::{Config, TlsFiles};
pub use local_stop::LocalStop;
pub use login::enrolment;
pub use picture::{Picture, picture};
pub use self_test::{SelfTest, self_test};
pub use sense::Senses;

use self::login::Login;
use crate::agent::{Agent, Input, Output, Restored, Settings, StartError};
use crate::broker::{BadPem, Link, LinkEvent, LinkOptions, Pace, Qos, SureTime, Will};
use crate::clock::Clock;
use crate::entropy;
use crate::note::Signer;
use crate::speaker::{Report, Speaker};
use crate::trust::device_key_name;
use crate::vault::{
    Shelf, ShelfLock, VaultError, create_key, load_key, read_text, write_atomic, write_secret,
};

/// Keep-alive of the main connection: a lost link shows within two and a half times this.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Over how long controllers that lost one broker in one moment spread their first attempts.
const RECONNECT_SPREAD: Duration = Duration::from_secs(5);

/// How often free storage is measured.
const MEASURE_EVERY: Duration = Duration::from_mins(1);

/// Reports of the speaker that may wait; it makes a few a minute.
const REPORTS_MAX: usize = 256;

/// Bytes of a configuration or password file at most.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a controller could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The configuration is wrong; all faults at once.
    #[error("{0}")]
    Config(#[from] crate::config::Faults),
    /// A file is missing.
    #[error("{path} is missing; {mend}")]
    Missing {
        /// Which.
        path: String,
        /// What to do.
        mend: &'static str,
    },
    /// A key or certificate for TLS is not what it should be.
    #[error("{path}: {source}")]
    Tls {
        /// Which file.
        path: String,
        /// What is wrong with it.
        source: BadPem,
    },
    /// Storage failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The agent refused to start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The speaker could not be opened.
    #[error("the speaker cannot be opened: {0}; check [speaker] in controller.toml")]
    Speaker(std::io::Error),
    /// The socket for commands on the device could not be opened.
    #[error(
        "the socket `door` in the state folder cannot be opened: {0}; its path may be too long, shorten `state`"
    )]
    Door(std::io::Error),
    /// A command on the device got no answer.
    #[error("the controller that runs gave no answer: {0}; look at its journal")]
    Answer(std::io::Error),
}

/// What a controller shows of itself while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Whether its main connection is up.
    pub online: bool,
    /// What plays, by its title.
    pub playing: Option<String>,
    /// The part that plays, and of how many.
    pub part: (usize, usize),
    /// The language of that part, where it is a recording.
    pub language: Option<crate::lang::LangTag>,
    /// Whether it holds every recording of its manifest.
    pub stocked: bool,
    /// Airings in its manifest.
    pub airings: usize,
    /// Receipts not yet acknowledged.
    pub receipts_waiting: u64,
}

/// Reads a configuration file.
pub fn read_config(path: &Path) -> Result<Config, ControllerError> {
    let mend = "name it with --config; `loaban fleet provision` writes one";
    let missing = || ControllerError::Missing { path: path.display().to_string(), mend };
    let text = read_text(path, FILE_BYTES_MAX)?.ok_or_else(missing)?;
    Ok(Config::read(path, &text)?)
}

/// The device's own key; makes it where there is none. It never leaves the device.
fn device_key(config: &Config) -> Result<Signer, ControllerError> {
    let path = config.state.join("device.key");
    if let Some(key) = load_key(&path)? {
        return Ok(key);
    }
    let name = device_key_name(&config.net, &config.controller);
    Ok(create_key(&path, name, entropy::bytes())?)
}

/// Runs until `stop` turns true, then says goodbye.
pub async fn run(
    config: Config,
    mut stop: watch::Receiver<bool>,
    glance: watch::Sender<Glance>,
) -> Result<(), ControllerError> {
    let mut shell = Shell::start(config, glance)?;
    shell.carry_out().await?;
    shell.compact()?;
    shell.watchdog.ready();
    loop {
        let wake = shell.clock.until(shell.agent.wake_at(shell.clock.now()));
        let wake = wake.min(MEASURE_EVERY).min(shell.watchdog.every());
        let input = tokio::select! {
            event = shell.main.next() => shell.main_event(event).await,
            event = next_of(&mut shell.bulk) => shell.bulk_event(event).await,
            Some((token, sounded)) = shell.reports.recv() => {
                shell.look(token, &sounded);
                Some(Input::Speaker { token, sounded })
            }
            Some(input) = shell.noticed.recv() => Some(input),
            Some(asked) = shell.asked.recv() => shell.answer(asked),
            () = tokio::time::sleep(wake) => Some(shell.tick()),
            () = crate::shutdown::told(&mut stop) => break,
        };
        if let Some(input) = input {
            let connects = input == Input::MainUp;
            shell.agent.handle(shell.clock.now(), input);
            if connects {
                shell.renew_will();
            }
        }
        shell.carry_out().await?;
        shell.after();
    }
    shell.watchdog.stopping();
    shell.goodbye().await;
    shell.main.close().await;
    Ok(())
}

async fn next_of(link: &mut Option<Link>) -> LinkEvent {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

struct Shell {
    config: Config,
    login: Login,
    /// What certificates are held against.
    sure: SureTime,
    agent: Agent,
    clock: Clock,
    shelf: Shelf,
    _lock: ShelfLock,
    speaker: Speaker,
    reports: mpsc::Receiver<Report>,
    main: Link,
    filters: Vec<String>,
    bulk: Option<Link>,
    bulk_filters: Vec<String>,
    list: Option<crate::agent::Playlist>,
    part: usize,
    /// What the device's own switch and senses notice, and where they tell it.
    noticed: mpsc::Receiver<Input>,
    notices: mpsc::Sender<Input>,
    asked: mpsc::Receiver<door::Asked>,
    /// Who waits for the end of a self-test.
    tester: Option<tokio::sync::oneshot::Sender<String>>,
    watchdog: watchdog::Watchdog,
    glance: watch::Sender<Glance>,
    online: bool,
    told_down: bool,
    measured: Option<crate::time::Uptime>,
}

impl Shell {
    fn start(config: Config, glance: watch::Sender<Glance>) -> Result<Self, ControllerError> {
        let lock = ShelfLock::take(&config.state)?;
        let clock = Clock::start();
        let restored = restore(&config)?;
        let agent = Agent::start(settings(&config), device_key(&config)?, restored, clock.now())?;
        let shelf = Shelf::open(&config.state)?;
        let (send, reports) = mpsc::channel(REPORTS_MAX);
        let folder = config.state.clone();
        let recording = move |asset| folder.join("assets").join(format!("{asset}.opus"));
        // The channel is closed only when this process ends.
        let report = move |report| drop(send.blocking_send(report));
        let speaker = Speaker::start(config.sink.clone(), recording, report)
            .map_err(ControllerError::Speaker)?;
        let sure = SureTime::at(agent.sure_time());
        let login = Login::read(&config, &sure)?;
        let (notices, noticed) = mpsc::channel(sense::ANSWERS_MAX);
        if let Some(local_stop) = config.local_stop.clone() {
            local_stop.watch(notices.clone());
        }
        let asked = door::open(&config.state).map_err(ControllerError::Door)?;
        let will = parting(agent.will(clock.now()));
        let main = Link::open(options(&config, &login, Some(will)));
        let topics = crate::protocol::Topics::new(&config.net);
        let filters = topics.main_filters(&config.controller);
        info!(controller = %config.controller, broker = %config.broker, "controller started");
        Ok(Self {
            config,
            login,
            sure,
            agent,
            clock,
            shelf,
            _lock: lock,
            speaker,
            reports,
            main,
            filters,
            bulk: None,
            bulk_filters: vec![],
            list: None,
            part: 0,
            noticed,
            notices,
            asked,
            tester: None,
            watchdog: scene::watchdog(),
            glance,
            online: false,
            told_down: false,
            measured: None,
        })
    }

    /// Replaces the diary by what it says. Only when nothing is queued: what is queued is in the
    /// agent already and would be written a second time.
    fn compact(&mut self) -> Result<(), ControllerError> {
        Ok(self.shelf.replace_diary(&self.agent.compact(self.clock.now()))?)
    }

    async fn main_event(&mut self, event: LinkEvent) -> Option<Input> {
        match event {
            LinkEvent::Up { .. } => {
                if let Err(error) = self.main.subscribe(&self.filters).await {
                    warn!(%error, "cannot subscribe");
                }
                None
            }
            LinkEvent::Subscribed { .. } if !self.online => {
                (self.online, self.told_down) = (true, false);
                info!(controller = %self.config.controller, "link up");
                Some(Input::MainUp)
            }
            LinkEvent::Subscribed { .. } | LinkEvent::Published(_) => None,
            LinkEvent::Denied { filters } => {
                warn!(?filters, "the broker denies a subscription; its access rules must change");
                None
            }
            LinkEvent::Message { topic, payload, .. } => Some(Input::Message { topic, payload }),
            LinkEvent::Down { reason } | LinkEvent::Refused { reason } => {
                // A link that stays down is told once.
                if std::mem::take(&mut self.online) || !self.told_down {
                    warn!(controller = %self.config.controller, reason, "link down");
                }
                self.told_down = true;
                Some(Input::MainDown)
            }
        }
    }

    /// A stop that was asked for is told as a lost link is: nobody shall wait for a report.
    async fn goodbye(&self) {
        let Will { topic, payload, retain } = parting(self.agent.goodbye(self.clock.now()));
        // Without a link the broker publishes the will by itself.
        let _ = self.main.publish(&topic, payload, Qos::AtLeastOnce, retain).await;
    }

    /// Time passed; now and then free storage is measured.
    fn tick(&mut self) -> Input {
        let up = self.clock.now().up;
        if self.measured.is_some_and(|at| up < at + MEASURE_EVERY) {
            return Input::Tick;
        }
        self.measured = Some(up);
        let free = rustix::fs::statvfs(&self.config.state);
        free.map_or(Input::Tick, |fs| Input::Storage { free_kib: fs.f_bavail * fs.f_frsize / 1024 })
    }

    async fn bulk_event(&mut self, event: LinkEvent) -> Option<Input> {
        match event {
            LinkEvent::Up { .. } => {
                self.subscribe_bulk().await;
                None
            }
            LinkEvent::Subscribed { filters } => {
                (filters == self.bulk_filters).then_some(Input::BulkUp)
            }
            LinkEvent::Message { topic, payload, .. } => Some(Input::Message { topic, payload }),
            LinkEvent::Down { .. } | LinkEvent::Refused { .. } => Some(Input::BulkDown),
            LinkEvent::Published(_) | LinkEvent::Denied { .. } => None,
        }
    }

    async fn subscribe_bulk(&mut self) {
        if let Some(bulk) = &self.bulk {
            // Down by now: the next `Up` subscribes again.
            let _ = bulk.subscribe(&self.bulk_filters).await;
        }
    }

    /// The next connection leaves a will of its own with the broker, and holds its certificate against
    /// what the station has signed meanwhile.
    fn renew_will(&self) {
        self.sure.passed(self.agent.sure_time());
        self.main.set_will(parting(self.agent.will(self.clock.now())));
    }

    async fn carry_out(&mut self) -> Result<(), ControllerError> {
        let mut records = Vec::new();
        while let Some(output) = self.agent.poll() {
            // Records that follow each other cost the flash one write.
            if let Output::Keep(record) = output {
                records.push(record);
                continue;
            }
            self.keep(&mut records)?;
            self.carry_out_one(output).await?;
        }
        self.keep(&mut records)?;
        self.show();
        Ok(())
    }

    fn keep(&mut self, records: &mut Vec<crate::agent::Record>) -> Result<(), ControllerError> {
        if !records.is_empty() {
            self.shelf.keep_all(&std::mem::take(records))?;
        }
        Ok(())
    }

    async fn carry_out_one(&mut self, output: Output) -> Result<(), ControllerError> {
        match output {
            Output::Keep(record) => self.keep(&mut vec![record])?,
            Output::KeepNote(slot, note) => self.shelf.keep_note(slot, &note)?,
            Output::KeepBlock { asset, offset, bytes } => {
                self.shelf.keep_block(asset, offset, &bytes)?;
            }
            Output::Assemble(asset) => {
                let whole = self.shelf.assemble(asset)?;
                self.agent.handle(self.clock.now(), Input::Assembled { asset, whole });
            }
            Output::Forget(asset) => self.shelf.forget(asset),
            Output::Publish(message) => {
                let sent = self.main.publish(
                    &message.topic,
                    message.payload,
                    Qos::AtLeastOnce,
                    message.retain,
                );
                // What is lost with the link is sent again by the agent's own timers.
                if let Err(error) = sent.await {
                    info!(%error, topic = message.topic, "not sent");
                }
            }
            Output::Bulk(filters) => self.open_bulk(filters).await,
            Output::Play(list) => self.play(list),
            Output::Stop => self.speaker.stop(),
            Output::Volume(percent) => self.speaker.volume(percent),
        }
        Ok(())
    }

    async fn open_bulk(&mut self, filters: Vec<String>) {
        self.bulk_filters = filters;
        if self.bulk_filters.is_empty() {
            if let Some(bulk) = self.bulk.take() {
                // Its goodbye must not hold up the airing that may be due.
                tokio::spawn(bulk.close());
            }
        } else if self.bulk.is_some() {
            self.subscribe_bulk().await;
        } else {
            let mut options = options(&self.config, &self.login, None);
            options.client_id = format!("{}-bulk", self.config.controller);
            options.clean_session = true;
            self.bulk = Some(Link::open(options));
        }
    }
}

/// What the broker publishes when this controller is gone.
fn parting((topic, note): (String, String)) -> Will {
    Will { topic, payload: note.into_bytes(), retain: true }
}

fn settings(config: &Config) -> Settings {
    Settings {
        net: config.net.clone(),
        controller: config.controller.clone(),
        anchors: config.anchors.clone(),
        outer: config.outer(),
        zone: config.zone,
        rtc: config.rtc,
        amplifier: !config.senses.amplifier.is_empty(),
        receipts_max: config.receipts_max,
        library_bytes_max: config.library_bytes_max,
        software: concat!("loaban-controller/", env!("CARGO_PKG_VERSION")).to_owned(),
        randomness: entropy::bytes(),
    }
}

fn options(config: &Config, login: &Login, will: Option<Will>) -> LinkOptions {
    LinkOptions {
        address: config.broker.clone(),
        tls: login.tls.clone(),
        client_id: config.controller.to_string(),
        user: config.controller.to_string(),
        password: login.password.clone(),
        clean_session: false,
        keep_alive: KEEP_ALIVE,
        will,
        pace: Pace {
            longest_wait: config.reconnect_max,
            spread: RECONNECT_SPREAD.min(config.reconnect_max),
            ..Pace::default()
        },
        seed: u64::from_be_bytes(entropy::bytes()),
    }
}

fn restore(config: &Config) -> Result<Restored, ControllerError> {
    restore_with(config, Shelf::restore(&config.state, &config.net)?)
}

/// What storage gave, with the provisioned trust document where it has none.
fn restore_with(config: &Config, mut restored: Restored) -> Result<Restored, ControllerError> {
    if restored.trust.is_none() {
        restored.provisioned = true;
        restored.trust = read_text(&config.trust, crate::note::NOTE_BYTES_MAX as u64)?;
    }
    Ok(restored)
}

/// Writes what an installer copies to the device: configuration, trust document, the authority's
/// certificate, and a password where the broker speaks no TLS.
pub fn write_provision(
    folder: &Path,
    config: &str,
    trust: &str,
    authority: &str,
    password: Option<&str>,
) -> Result<(), VaultError> {
    std::fs::create_dir_all(folder).map_err(|source| VaultError::Io {
        what: "make",
        path: folder.to_owned(),
        source,
    })?;
    write_atomic(&folder.join("controller.toml"), config.as_bytes())?;
    write_atomic(&folder.join("trust.note"), trust.as_bytes())?;
    write_atomic(&folder.join("ca.pem"), authority.as_bytes())?;
    match password {
        Some(password) => {
            write_secret(&folder.join("password"), format!("{password}\n").as_bytes())
        }
        None => Ok(()),
    }
}
