//! The running server: the pump between store, log, dispatch and broker.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tracing::{info, warn};

use crate::broker::{
    Broker, BrokerAddress, Connections, Embedded, Limits, Link, LinkEvent, Qos, Rules,
};
use crate::clock::Clock;
use crate::dispatch::{Dispatch, Ingest, Input, Output, Progress};
use crate::id::ControllerId;
use crate::protocol::{Status, StatusState, Topics};
use crate::server::ServerError;
use crate::server::config::BrokerChoice;
use crate::server::gate::Gate;
use crate::server::scribe::Scribe;
use crate::server::station::Station;
use crate::store::Fact;
use crate::time::Timestamp;
use crate::trust::OnlineKeys;

/// How often waiting receipts and facts are written: a batch shares one sync of the disk.
const WRITE_EVERY: Duration = Duration::from_millis(100);

/// How often the store is looked at for emergencies and orders: a tenth of the second that one may
/// take from the officer's word to the first sample.
const URGENT_EVERY: Duration = Duration::from_millis(100);

/// How often the store is looked at for changes of the command line.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often the plan is made anew though nothing changed: days pass, manifests run out.
const PLAN_EVERY: Duration = Duration::from_mins(10);

/// Where the broker of a server that is ready can be reached.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The broker.
    pub broker: BrokerAddress,
    /// Where its own broker speaks TLS, if it does.
    pub tls: Option<SocketAddr>,
    /// Who is connected to its own broker, if it runs one.
    pub connections: Option<Connections>,
}

/// Serves a station until `stop` turns true.
pub async fn serve(
    station: Arc<Station>,
    mut stop: watch::Receiver<bool>,
    ready: oneshot::Sender<Ready>,
) -> Result<(), ServerError> {
    let mut server = Server::start(station).await?;
    server.look().await?;
    let connections = server.broker.as_ref().map(|broker| broker.connections());
    // Nobody may be waiting for it.
    let _ = ready.send(Ready { broker: server.address.clone(), tls: server.door, connections });
    let outcome = server.pump(&mut stop).await;
    server.link.close().await;
    if let Some(broker) = server.broker {
        broker.stop().await?;
    }
    outcome
}

/// Keeps a second server away from the same station.
fn lock(data: &Path) -> Result<File, ServerError> {
    let path = data.join("server.lock");
    let file = File::create(&path).map_err(|source| crate::vault::VaultError::Io {
        what: "open",
        path,
        source,
    })?;
    file.try_lock().map_err(|_| ServerError::Served(data.to_owned()))?;
    Ok(file)
}

struct Server {
    station: Arc<Station>,
    _lock: File,
    scribe: Scribe,
    keys: Arc<OnlineKeys>,
    /// A plan that is being made; what is urgent does not wait for it.
    plan: Option<JoinHandle<Result<usize, ServerError>>>,
    /// How many emergencies and orders were signed when they were last looked at.
    urgent: i64,
    dispatch: Dispatch,
    clock: Clock,
    link: Link,
    broker: Option<Box<dyn Broker>>,
    address: BrokerAddress,
    door: Option<SocketAddr>,
    gate: Arc<Gate>,
    revision: Option<i64>,
    planned: Duration,
    block_bytes: BTreeMap<crate::digest::Digest, u32>,
    ingests: Vec<Ingest>,
    statuses: Vec<Status>,
    /// Boot, connection and time of the newest status of each controller.
    newest: BTreeMap<ControllerId, (u64, u64, Timestamp)>,
}

impl Server {
    async fn start(station: Arc<Station>) -> Result<Self, ServerError> {
        let lock = lock(&station.config.data)?;
        let mut scribe = Scribe::open(&station).await?;
        // What a crash left behind comes first: receipts that are in the log are acknowledged.
        scribe.move_facts(&station.store).await?;
        let keys = Arc::new(station.online_keys()?);
        let password = station.broker_password()?;
        let rules = Rules::new(station.config.net.as_str()).expect("a network id fits a topic");
        let gate = Arc::new(Gate::new(rules, &password));
        station.begin_authority()?;
        gate.renew(&station.store.devices().await?, station.store.certificates().await?);
        let (broker, address, door) = open_broker(&station, &gate).await?;
        let link = Link::open(station.link_options(address.clone())?);
        let OnlineKeys { ack, time, .. } = station.online_keys()?;
        let pace = station.config.pace;
        let dispatch = Dispatch::new(station.config.net.clone(), ack, time, pace);
        Ok(Self {
            _lock: lock,
            scribe,
            keys,
            plan: None,
            urgent: -1,
            dispatch,
            clock: Clock::start(),
            link,
            broker,
            address,
            door,
            gate,
            revision: None,
            planned: Duration::ZERO,
            block_bytes: BTreeMap::new(),
            ingests: vec![],
            statuses: vec![],
            newest: BTreeMap::new(),
            station,
        })
    }

    async fn pump(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), ServerError> {
        let mut write = tokio::time::interval(WRITE_EVERY);
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut urgent = tokio::time::interval(URGENT_EVERY);
        write.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        urgent.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = self.dispatch.wake_at().map(|at| self.clock.until(at));
            tokio::select! {
                event = self.link.next() => self.event(event).await,
                () = sleep(wake) => self.input(Input::Tick),
                _ = urgent.tick() => self.look_for_urgent().await?,
                planned = planned(&mut self.plan) => self.planned(planned).await?,
                _ = write.tick() => self.write().await?,
                _ = look.tick() => self.look().await?,
                () = crate::shutdown::told(stop) => return Ok(()),
            }
            self.carry_out().await?;
        }
    }

    fn input(&mut self, input: Input) {
        self.dispatch.handle(self.clock.now(), input);
    }

    async fn event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up { .. } => {
                let filters = Topics::new(&self.station.config.net).server_filters();
                if let Err(error) = self.link.subscribe(&filters).await {
                    warn!(%error, "cannot subscribe");
                }
            }
            LinkEvent::Subscribed { .. } => self.input(Input::Up),
            LinkEvent::Message { topic, payload, .. } => {
                self.input(Input::Message { topic, payload });
            }
            LinkEvent::Down { reason } | LinkEvent::Refused { reason } => {
                warn!(reason, "no broker");
                self.input(Input::Down);
            }
            LinkEvent::Denied { filters } => warn!(?filters, "the broker denies a subscription"),
            LinkEvent::Published(_) => {}
        }
    }

    async fn carry_out(&mut self) -> Result<(), ServerError> {
        while let Some(output) = self.dispatch.poll() {
            match output {
                Output::Publish(message) => {
                    self.send(&message.topic, message.payload, Qos::AtLeastOnce, message.retain)
                        .await;
                }
                Output::Block { asset, n, topic } => {
                    let size = self.block_bytes.get(&asset).copied();
                    let size = size.unwrap_or(self.station.config.block_bytes);
                    match self.station.assets.block(asset, n, size) {
                        Ok(bytes) => self.send(&topic, bytes, Qos::AtMostOnce, false).await,
                        Err(error) => warn!(%error, "cannot send a block"),
                    }
                }
                Output::Ingest(ingest) => self.ingests.push(*ingest),
                Output::Saw(status) => self.statuses.push(*status),
                Output::Refused { topic, why } => warn!(topic, why, "message refused"),
            }
        }
        Ok(())
    }

    async fn send(&self, topic: &str, payload: Vec<u8>, qos: Qos, retain: bool) {
        // What a lost link loses is sent anew when it is back, or asked for again.
        if let Err(error) = self.link.publish(topic, payload, qos, retain).await {
            info!(%error, topic, "not sent");
        }
    }

    /// Whether a status is not older than one that came before: a broker may replay them, and a
    /// will may come after its controller is back. A will is signed in advance, so its connection
    /// counts and not its time.
    fn is_news(&mut self, status: &Status) -> bool {
        let lost = status.state == StatusState::Lost;
        let at = if lost { Timestamp::from_micros(i64::MAX) } else { status.at };
        let age = (status.boot, status.connection, at);
        let newest = self.newest.entry(status.controller.clone()).or_insert(age);
        let news = age >= *newest;
        *newest = age.max(*newest);
        news
    }

    /// Writes what came, moves the facts into the log, and acknowledges what is in it.
    async fn write(&mut self) -> Result<(), ServerError> {
        let ingests = std::mem::take(&mut self.ingests);
        let statuses = std::mem::take(&mut self.statuses);
        let statuses: Vec<Status> = statuses.into_iter().filter(|s| self.is_news(s)).collect();
        let now = self.clock.now();
        if !ingests.is_empty() || !statuses.is_empty() {
            let mut tx = self.station.store.begin().await?;
            for ingest in &ingests {
                keep_ingest(&mut tx, ingest, now.utc).await?;
            }
            for status in &statuses {
                // A retained status was written before this server started.
                let seen =
                    if status.at > Timestamp::EPOCH { status.at.min(now.utc) } else { now.utc };
                tx.put_status(status, seen).await?;
            }
            tx.commit().await?;
        }
        let (head, moved) = self.scribe.move_facts(&self.station.store).await?;
        for Ingest { controller, progress, .. } in ingests {
            let (log_size, log_root) = (head.size, head.root);
            self.input(Input::Logged { controller, progress, log_size, log_root });
        }
        if moved {
            self.hand_out().await?;
        }
        Ok(())
    }

    /// Looks for changes and plans anew where there are any.
    async fn look(&mut self) -> Result<(), ServerError> {
        let today = self.station.config.zone.date(self.clock.now().utc);
        if let Err(error) = self.scribe.keep_checkpoint(&self.station.checkpoints_folder(), today) {
            warn!(%error, "the day's checkpoint was not written");
        }
        let revision = self.station.store.revision().await?;
        let up = self.clock.now().up.since(crate::time::Uptime::START);
        let changed = self.revision != Some(revision);
        if self.plan.is_some() || (!changed && up < self.planned + PLAN_EVERY) {
            return Ok(());
        }
        if changed {
            self.load().await?;
        }
        (self.revision, self.planned) = (Some(revision), up);
        let (station, keys) = (Arc::clone(&self.station), Arc::clone(&self.keys));
        let plan = async move { station.issue_manifests(&keys.schedule).await };
        self.plan = Some(tokio::spawn(plan));
        Ok(())
    }

    /// Hands out what a plan that was made has issued.
    async fn planned(
        &mut self,
        planned: Result<Result<usize, ServerError>, JoinError>,
    ) -> Result<(), ServerError> {
        self.plan = None;
        match planned.map_err(|error| ServerError::Task(error.to_string()))? {
            Ok(0) => {}
            Ok(count) => info!(count, "manifests issued"),
            // A schedule that is wrong must not stop the server: what was issued goes on.
            Err(error) => warn!(%error, "no plan was made"),
        }
        self.write().await?;
        self.hand_out().await
    }

    /// Emergencies and orders leave as soon as the log has them, before anything else.
    async fn look_for_urgent(&mut self) -> Result<(), ServerError> {
        let urgent = self.station.store.urgent_count().await?;
        if urgent == self.urgent {
            return Ok(());
        }
        self.urgent = urgent;
        self.write().await?;
        let now = self.clock.now().utc;
        for raised in self.station.leaving(now).await? {
            self.input(Input::Emergency(Box::new(raised)));
        }
        for order in self.station.orders_leaving(now).await? {
            self.input(Input::Order(order));
        }
        // Out first; who is to be reminded of it is found out afterwards.
        self.carry_out().await?;
        self.load_standing().await
    }

    async fn load_standing(&mut self) -> Result<(), ServerError> {
        for raised in self.station.standing(self.clock.now().utc).await? {
            self.input(Input::Emergency(Box::new(raised)));
        }
        Ok(())
    }

    /// Tells dispatch and gate who and what there is.
    async fn load(&mut self) -> Result<(), ServerError> {
        let devices = self.station.store.devices().await?;
        self.gate.renew(&devices, self.station.store.certificates().await?);
        let (trust, notes) = self.station.trust().await?;
        self.input(Input::Trust(notes));
        self.load_standing().await?;
        let mut chains = self.station.store.progress().await?;
        for device in devices {
            let controller = device.controller;
            let Some(key) = device
                .public_key
                .filter(|_| device.revoked.is_none() && !trust.is_revoked(&controller))
            else {
                self.input(Input::Revoked(controller));
                continue;
            };
            let own = |c: &(ControllerId, _, _, _)| c.0 == controller;
            let progress = chains.extract_if(.., |chain| own(chain));
            let progress = progress.map(|(_, chain, upto, link)| Progress { chain, upto, link });
            let progress = progress.collect();
            self.input(Input::Controller { controller, key, progress });
        }
        for row in self.station.store.assets().await? {
            if row.withdrawn.is_some() {
                self.input(Input::Withdrawn(row.digest));
            } else {
                self.block_bytes.insert(row.digest, row.block_bytes);
                let (asset, blocks) = (row.digest, row.blocks);
                self.input(Input::Asset { asset, descriptor: row.descriptor, blocks });
            }
        }
        Ok(())
    }

    /// Gives dispatch the manifests whose facts are in the log.
    async fn hand_out(&mut self) -> Result<(), ServerError> {
        for issued in self.station.store.manifests().await? {
            if issued.logged {
                let (controller, number) = (issued.manifest.controller, issued.manifest.number);
                self.input(Input::Manifest { controller, number, note: issued.note });
            }
        }
        Ok(())
    }
}

async fn planned(
    plan: &mut Option<JoinHandle<Result<usize, ServerError>>>,
) -> Result<Result<usize, ServerError>, JoinError> {
    match plan {
        Some(plan) => plan.await,
        None => std::future::pending().await,
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// Our own broker where we run one, where it is reached, and where it speaks TLS.
type OpenBroker = (Option<Box<dyn Broker>>, BrokerAddress, Option<SocketAddr>);

async fn open_broker(station: &Station, gate: &Arc<Gate>) -> Result<OpenBroker, ServerError> {
    match &station.config.broker {
        BrokerChoice::External { address, .. } => Ok((None, address.clone(), None)),
        BrokerChoice::Embedded { listen, tls } => {
            let gate: Arc<dyn crate::broker::Gatekeeper> = gate.clone();
            let limits = Limits::default();
            let mut broker = Embedded::start(*listen, gate, limits.clone()).await?;
            let door = match tls {
                None => None,
                Some(door) => {
                    let options = station.front_options(door, limits.connections_max)?;
                    let listens = broker.open_front(options).await?;
                    info!(%listens, "the broker speaks TLS");
                    Some(listens)
                }
            };
            let address = broker.address().into();
            Ok((Some(Box::new(broker)), address, door))
        }
    }
}

/// Keeps the receipts of a batch with their outcomes and the fact that they came.
pub async fn keep_ingest(
    tx: &mut crate::store::Tx,
    ingest: &Ingest,
    now: Timestamp,
) -> Result<(), ServerError> {
    let body = serde_json::json!({
        "controller": ingest.controller,
        "chain": ingest.progress.chain,
        "first": ingest.first,
        "upto": ingest.progress.upto,
        "known": ingest.known,
        "note": ingest.note,
    });
    let who = format!("controller:{}", ingest.controller);
    let fact = Fact::new(now, "receipts.taken", who, &body);
    tx.tell(&fact).await?;
    let new = ingest.chained.receipts.iter().filter(|receipt| receipt.n > ingest.known);
    for receipt in new {
        tx.put_receipt(&ingest.controller, &ingest.progress.chain, receipt, &fact.id).await?;
    }
    let Progress { chain, upto, link } = &ingest.progress;
    tx.put_progress(&ingest.controller, (chain, *upto, *link), &fact.id).await?;
    Ok(())
}
