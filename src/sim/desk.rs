//! The server: dispatch with a store, a log and a crash between the two.
//!
//! The durable order is that of the real server: receipts and their outcomes into the store in one
//! transaction, then into the log, and only then the signed acknowledgement.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::calendar::AiringKey;
use crate::dispatch::{Dispatch, Ingest, Input, Pace, Progress};
use crate::id::{ControllerId, EmergencyId};
use crate::manifest::Manifest;
use crate::receipt::{Cause, Event, Outcome};
use crate::sim::site::Site;
use crate::sim::station::{Station, utc_at};
use crate::time::{Now, Uptime};
use crate::trust::Role;

/// A chain of receipts of one controller.
pub(super) type Chain = (ControllerId, String);

/// What a transaction leaves behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    facts: Vec<Fact>,
    /// How many of the facts are in the log.
    logged: usize,
    progress: BTreeMap<Chain, Progress>,
    pub(super) outcomes: BTreeMap<AiringKey, (Outcome, Option<Cause>)>,
    /// Who told of which emergency, and whether it ended there.
    told: BTreeMap<(EmergencyId, ControllerId), bool>,
    manifests: BTreeMap<ControllerId, (Rc<Manifest>, Rc<str>)>,
}

/// Receipts on their way into the log.
#[derive(Clone, Debug)]
struct Fact {
    chain: Chain,
    lines: Rc<Vec<(u64, String)>>,
}

/// What was ever in the log, and nothing of it altered.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) receipts: BTreeMap<Chain, BTreeMap<u64, Rc<str>>>,
    entries: u64,
}

/// Where the server stops in a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    BeforeStore,
    BetweenStoreAndLog,
    BeforeAck,
}

/// The server's machine room.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) dispatch: Option<Dispatch>,
    started: Duration,
    pub(super) up: bool,
    pub(super) line: u64,
    pub(super) life: u64,
    pub(super) ingests: Vec<Ingest>,
    pub(super) store: Store,
    pub(super) log: Log,
    /// The last receipt of each chain that was ever in the log, whatever a backup forgot.
    pub(super) ever: BTreeMap<Chain, u64>,
    backup: Option<Box<(Store, Log)>>,
    pub(super) wake: Option<Duration>,
    pub(super) writing: bool,
    /// Where the next write is to end.
    pub(super) crash: Option<Crash>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            dispatch: None,
            started: Duration::ZERO,
            up: false,
            line: 0,
            life: 0,
            ingests: vec![],
            store: Store::default(),
            log: Log::default(),
            ever: BTreeMap::new(),
            // Somebody copied it when it was set up.
            backup: Some(Box::default()),
            wake: None,
            writing: false,
            crash: None,
        }
    }

    pub(super) fn now(&self, at: Duration) -> Now {
        Now { utc: utc_at(at), up: Uptime::at(at.saturating_sub(self.started)) }
    }

    pub(super) fn true_time(&self, up: Uptime) -> Duration {
        self.started + up.since(Uptime::START)
    }

    /// A process begins: what a crash left in the store enters the log first.
    pub(super) fn start(&mut self, at: Duration, station: &Station, sites: &[Site]) {
        self.started = at;
        self.life += 1;
        self.ingests.clear();
        (self.wake, self.writing) = (None, false);
        self.move_facts();
        let (ack, time) = (station.own_key(Role::Ack, "1"), station.own_key(Role::Time, "1"));
        let mut dispatch = Dispatch::new(station.net().clone(), ack, time, Pace::default());
        let now = self.now(at);
        for input in self.known(at, station, sites) {
            dispatch.handle(now, input);
        }
        self.dispatch = Some(dispatch);
    }

    fn known(&self, at: Duration, station: &Station, sites: &[Site]) -> Vec<Input> {
        let mut inputs = vec![Input::Trust(station.trust_notes())];
        inputs.extend(self.devices(station, sites));
        inputs.extend(offers(station));
        inputs.extend(self.handed_out());
        let alarms = station
            .raised
            .values()
            .map(|r| r.cancel.as_ref().map_or(&r.play, |cancel| &cancel.alarm));
        for alarm in alarms.filter(|alarm| utc_at(at) < alarm.expires) {
            let mut alarm = alarm.clone();
            let told = |site: &ControllerId| {
                let ended = self.store.told.get(&(alarm.id.clone(), site.clone()));
                ended.is_some_and(|ended| *ended || !alarm.cancels)
            };
            let told: Vec<_> = alarm.waiting.iter().filter(|site| told(site)).cloned().collect();
            alarm.waiting.retain(|site| !told.contains(site));
            inputs.push(Input::Emergency(Box::new(alarm)));
        }
        inputs
    }

    /// Every device that is not revoked, with its chains.
    pub(super) fn devices(&self, station: &Station, sites: &[Site]) -> Vec<Input> {
        let device = |site: &Site| {
            if station.newest_trust().is_revoked(&site.id) {
                return Input::Revoked(site.id.clone());
            }
            let first = (site.id.clone(), String::new());
            let chains = self.store.progress.range(first..);
            let own = chains.take_while(|((id, _), _)| *id == site.id);
            Input::Controller {
                controller: site.id.clone(),
                key: station.device_key(&site.id).public(),
                progress: own.map(|(_, progress)| progress.clone()).collect(),
            }
        };
        sites.iter().map(device).collect()
    }

    /// The manifests that were issued, all of them in the log.
    pub(super) fn handed_out(&self) -> Vec<Input> {
        let manifests = self.store.manifests.iter();
        manifests
            .map(|(controller, (manifest, note))| Input::Manifest {
                controller: controller.clone(),
                number: manifest.number,
                note: note.to_string(),
            })
            .collect()
    }

    pub(super) fn manifest(&self, of: &ControllerId) -> Option<&Manifest> {
        self.store.manifests.get(of).map(|(manifest, _)| &**manifest)
    }

    pub(super) fn keep_manifest(&mut self, manifest: Manifest, note: &str) {
        let controller = manifest.controller.clone();
        self.store.manifests.insert(controller, (Rc::new(manifest), note.into()));
    }

    /// Writes what came; returns the receipts that are in the log now, unless it crashed.
    pub(super) fn write(&mut self, crash: Option<Crash>) -> Option<Vec<Input>> {
        if crash == Some(Crash::BeforeStore) {
            return None;
        }
        let ingests = std::mem::take(&mut self.ingests);
        for ingest in &ingests {
            self.store.take(ingest);
        }
        if crash == Some(Crash::BetweenStoreAndLog) {
            return None;
        }
        self.move_facts();
        if crash == Some(Crash::BeforeAck) {
            return None;
        }
        let logged = |ingest: Ingest| Input::Logged {
            controller: ingest.controller,
            progress: ingest.progress,
            log_size: self.log.entries,
            log_root: crate::digest::Digest::ZERO,
        };
        Some(ingests.into_iter().map(logged).collect())
    }

    fn move_facts(&mut self) {
        for fact in &self.store.facts[self.store.logged..] {
            let lines = self.log.receipts.entry(fact.chain.clone()).or_default();
            for (n, line) in fact.lines.iter() {
                lines.entry(*n).or_insert_with(|| line.as_str().into());
            }
            if let Some((last, _)) = fact.lines.last() {
                let ever = self.ever.entry(fact.chain.clone()).or_default();
                *ever = (*ever).max(*last);
            }
            self.log.entries += 1;
        }
        self.store.logged = self.store.facts.len();
    }

    /// Somebody copies store and log.
    pub(super) fn back_up(&mut self) {
        self.backup = Some(Box::new((self.store.clone(), self.log.clone())));
    }

    /// The copy is all that is left; `false` where there is none.
    pub(super) fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        (self.store, self.log) = *backup;
        true
    }

    pub(super) fn end(&mut self) {
        self.life += 1;
        self.dispatch = None;
        (self.up, self.writing, self.wake) = (false, false, None);
        self.line += 1;
    }
}

impl Store {
    fn take(&mut self, ingest: &Ingest) {
        let chain = (ingest.controller.clone(), ingest.progress.chain.clone());
        let new = ingest.chained.receipts.iter().filter(|receipt| receipt.n > ingest.known);
        let mut lines = Vec::new();
        for receipt in new {
            lines.push((receipt.n, receipt.line()));
            if let Event::Emergency { emergency, step, .. } = &receipt.event {
                let who = (emergency.clone(), ingest.controller.clone());
                *self.told.entry(who).or_default() |= step.ends();
            }
            if let Event::Airing { airing, outcome, cause, .. } = &receipt.event
                && airing.controller == ingest.controller
            {
                self.outcomes.entry(airing.clone()).or_insert((*outcome, *cause));
            }
        }
        self.facts.push(Fact { chain: chain.clone(), lines: Rc::new(lines) });
        self.progress.insert(chain, ingest.progress.clone());
    }
}

/// What may be fanned out.
pub(super) fn offers(station: &Station) -> Vec<Input> {
    let offer = |(asset, recording): (&crate::digest::Digest, &crate::sim::station::Recording)| {
        if recording.withdrawn.is_some() {
            return Input::Withdrawn(*asset);
        }
        Input::Asset {
            asset: *asset,
            descriptor: recording.note().to_owned(),
            blocks: u32::try_from(recording.descriptor.blocks.len()).unwrap_or(u32::MAX),
        }
    };
    station.recordings.iter().map(offer).collect()
}
