//! What a controller does beside playing: its connections, its questions, its reports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::agent::airing::What;
use crate::agent::{Agent, Output, clock};
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::protocol::{Status, StatusState, Up, Want, bitmap};
use crate::receipt::Event;
use crate::time::{Now, Timestamp, Uptime};

/// How often a status is sent though nothing changed.
const STATUS_EVERY: Duration = Duration::from_mins(15);

/// The shortest time between two statuses: a change shows soon, a storm of changes costs little.
const STATUS_GAP: Duration = Duration::from_secs(5);

/// How long an acknowledgement is waited for before the batch is sent again, and twice as long each
/// time after that.
const ACK_PATIENCE: Duration = Duration::from_secs(10);

/// The longest of these waits: a server that is away for a day shall cost a weak link little.
const ACK_PATIENCE_MAX: Duration = Duration::from_mins(5);

/// Over how long the first questions for a recording are spread.
const QUESTIONS_SPREAD: Duration = Duration::from_millis(200);

/// How long the same refusal is told only once.
const REFUSAL_QUIET: Duration = Duration::from_hours(1);

/// Refusals told in that time at most: a hostile broker must not fill the storage for receipts.
const REFUSALS_MAX: usize = 20;

/// Recordings of airings within this are never evicted: a storm takes the network for days.
const EVICTED_NEVER: Duration = Duration::from_hours(72);

/// How long before an airing its questions for the time begin at the latest: a round takes half
/// of it.
const PREPARE_MIN: Duration = Duration::from_mins(1);

/// Connections and timers.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "two connections, a change, a boot: independent facts"
)]
pub(super) struct Upkeep {
    main: bool,
    connection: u64,
    bulk: bool,
    filters: Vec<String>,
    changed: bool,
    status_at: Option<Uptime>,
    batch_at: Option<Uptime>,
    ack_patience: Duration,
    refusals: BTreeMap<(String, String), Uptime>,
    told_boot: bool,
    /// Refusals of before the clock was trusted.
    pub(super) early_refusals: Vec<Event>,
    /// The newest manifest that the server spoke of.
    pub(super) newest: u64,
    pub(super) storage_free_kib: u64,
    pub(super) volume_percent: u8,
    pub(super) software: String,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            main: false,
            connection: 0,
            bulk: false,
            filters: vec![],
            changed: true,
            status_at: None,
            batch_at: None,
            ack_patience: ACK_PATIENCE,
            refusals: BTreeMap::new(),
            told_boot: false,
            early_refusals: vec![],
            newest: 0,
            storage_free_kib: 0,
            volume_percent: 100,
            software: String::new(),
        }
    }
}

impl Upkeep {
    pub(super) fn main_is_up(&self) -> bool {
        self.main
    }

    pub(super) fn main_down(&mut self) {
        self.main = false;
    }

    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// A status leaves as soon as it can.
    pub(super) fn report(&mut self) {
        self.status_at = None;
    }

    pub(super) fn acknowledged(&mut self) {
        self.batch_at = None;
        self.server_answers();
    }

    /// What waits for the server waits no longer than usual.
    pub(super) fn server_answers(&mut self) {
        self.ack_patience = ACK_PATIENCE;
    }

    fn status_due_at(&self) -> Uptime {
        let wait = if self.changed { STATUS_GAP } else { STATUS_EVERY };
        self.status_at.map_or(Uptime::START, |at| at + wait)
    }

    fn batch_due_at(&self) -> Uptime {
        self.batch_at.map_or(Uptime::START, |at| at + self.ack_patience)
    }

    /// Whether this refusal is news: not told in the last hour, and not too many others.
    pub(super) fn may_tell_refusal(&mut self, up: Uptime, topic: &str, why: &str) -> bool {
        self.refusals.retain(|_, at| up.since(*at) < REFUSAL_QUIET);
        let key = (topic.to_owned(), why.to_owned());
        let news = self.refusals.len() < REFUSALS_MAX && !self.refusals.contains_key(&key);
        if news {
            self.refusals.insert(key, up);
        }
        news
    }
}

impl Agent {
    pub(super) fn main_up(&mut self) {
        self.upkeep.main = true;
        self.upkeep.connection += 1;
        self.upkeep.report();
        self.upkeep.acknowledged();
        self.clock.connected();
    }

    pub(super) fn bulk_up(&mut self, now: Now) {
        self.upkeep.bulk = true;
        self.spread_questions(now);
    }

    /// Thousands of controllers learn of a recording in the same moment; their questions shall not
    /// all come in the next one. The server gathers for longer than this.
    pub(super) fn spread_questions(&mut self, now: Now) {
        let drawn = u32::from(self.draw_digest("question").as_bytes()[0]);
        self.recordings.be_quiet(now.up + QUESTIONS_SPREAD * drawn / u32::from(u8::MAX));
    }

    /// What was on its way is lost.
    pub(super) fn bulk_down(&mut self) {
        self.upkeep.bulk = false;
        self.recordings.reconnected();
    }

    pub(super) fn tell_boot(&mut self, now: Now) {
        if self.upkeep.told_boot {
            return;
        }
        let Some(utc) = self.clock.utc(now.up) else { return };
        self.upkeep.told_boot = true;
        let boot = self.diary.boot();
        self.swear(utc, Event::Boot { boot, software: self.settings.software.clone() });
        for refusal in std::mem::take(&mut self.upkeep.early_refusals) {
            self.swear(utc, refusal);
        }
    }

    pub(super) fn advance_upkeep(&mut self, now: Now) {
        self.fetch(now);
        if !self.upkeep.main {
            return;
        }
        if self.prepare_at(now).is_some_and(|at| now.up >= at)
            && let Some(airing) = self.next_airing(now)
        {
            self.clock.prepare(airing);
        }
        if now.up >= self.clock.ask_at() {
            self.ask_time(now);
        }
        self.send_receipts(now);
        if now.up >= self.upkeep.status_due_at() {
            self.send_status(now);
        }
    }

    /// When a question, a batch or a status is due; all of them need the main connection.
    pub(super) fn next_upkeep_at(&self, now: Now) -> Option<Uptime> {
        if !self.upkeep.main {
            return None;
        }
        let batch = (self.diary.waiting() > 0).then(|| self.upkeep.batch_due_at());
        let want = self.recordings.due_at().filter(|_| self.upkeep.bulk);
        let prepare = self.prepare_at(now);
        let timers =
            [batch, want, prepare, Some(self.clock.ask_at()), Some(self.upkeep.status_due_at())];
        timers.into_iter().flatten().filter(|at| *at > now.up).min()
    }

    /// When the next airing begins that has not begun.
    fn next_airing(&self, now: Now) -> Option<Timestamp> {
        let utc = self.clock.utc(now.up)?;
        let airings = self.manifest.as_ref()?.airings.iter();
        airings.map(|airing| airing.at).find(|at| *at > utc)
    }

    /// When the questions before the next airing begin. Each controller begins at a moment of its
    /// own: a province airs at one time.
    fn prepare_at(&self, now: Now) -> Option<Uptime> {
        let name = Digest::of(self.settings.controller.as_str().as_bytes());
        let own = Duration::from_secs(u64::from(name.as_bytes()[0]));
        let (utc, airing) = (self.clock.utc(now.up)?, self.next_airing(now)?);
        let wait = airing.since(utc).saturating_sub(PREPARE_MIN + own);
        Some(now.up + wait)
    }

    fn ask_time(&mut self, now: Now) {
        let nonce = self.draw("nonce");
        self.clock.asking(now.up, nonce.clone());
        let question = clock::ask(self.settings.controller.clone(), nonce, now);
        self.publish(Up::Clock, &question, false);
    }

    /// One batch at a time: the next leaves when the server's acknowledgement is here.
    fn send_receipts(&mut self, now: Now) {
        if now.up < self.upkeep.batch_due_at() {
            return;
        }
        if let Some(batch) = self.diary.batch(&self.settings.controller) {
            if self.upkeep.batch_at.replace(now.up).is_some() {
                self.upkeep.ack_patience = (self.upkeep.ack_patience * 2).min(ACK_PATIENCE_MAX);
            }
            self.publish(Up::Receipts, &batch, false);
        }
    }

    fn send_status(&mut self, now: Now) {
        self.upkeep.status_at = Some(now.up);
        self.upkeep.changed = false;
        let status = self.status(now, StatusState::Up);
        self.publish(Up::Status, &status, true);
    }

    /// The note that the broker publishes when the connection is lost: signed in advance, for the
    /// connection after this one.
    pub fn will(&self, now: Now) -> (String, String) {
        self.lost_on(self.upkeep.connection + 1, now)
    }

    /// The note that says of this connection, by its controller's own wish, that it ends.
    pub fn goodbye(&self, now: Now) -> (String, String) {
        self.lost_on(self.upkeep.connection, now)
    }

    fn lost_on(&self, connection: u64, now: Now) -> (String, String) {
        let mut status = self.status(now, StatusState::Lost);
        status.connection = connection;
        let topic = self.topics.up(&self.settings.controller, Up::Status);
        let line = crate::protocol::encode(&self.settings.net, &status);
        (topic, self.signer.sign(&line))
    }

    /// How this controller is.
    pub fn status(&self, now: Now, state: StatusState) -> Status {
        let (assets_held, assets_named) = self.recordings.held_of_needed();
        Status {
            controller: self.settings.controller.clone(),
            state,
            boot: self.diary.boot(),
            connection: self.upkeep.connection,
            at: self.clock.utc(now.up).unwrap_or(Timestamp::EPOCH),
            software: self.upkeep.software.clone(),
            trust: self.trust.version,
            manifest: self.manifest.as_ref().map_or(0, |manifest| manifest.number),
            assets_held,
            assets_named,
            withdrawn_held: self.withdrawn_held(),
            receipts_waiting: self.diary.waiting(),
            clock_trusted: self.clock.utc(now.up).is_some(),
            clock_offset_ms: self.clock.offset_ms(),
            storage_free_kib: self.upkeep.storage_free_kib,
            volume_percent: self.upkeep.volume_percent,
            playing: self.playing().map(str::to_owned),
            stopped: self.local.is_stopped(),
            ready_until: self.ready_until(),
        }
    }

    /// Until when every airing has its recordings; none where nothing is missing.
    fn ready_until(&self) -> Option<Timestamp> {
        let me = &self.settings.controller;
        let airings = self.manifest.as_ref()?.airings.iter();
        let lacks = |asset: &Digest| !self.recordings.is_complete(*asset);
        let mut ahead = airings.filter(|airing| !self.diary.is_over(&airing.key(me)));
        let hole = ahead.find(|a| a.items.iter().any(|item| lacks(&item.asset)));
        hole.map(|airing| airing.at)
    }

    fn withdrawn_held(&self) -> Vec<Digest> {
        let withdrawn = self.manifest.iter().flat_map(|manifest: &Manifest| &manifest.withdrawn);
        withdrawn.filter(|asset| self.recordings.is_complete(**asset)).copied().collect()
    }

    /// Opens the bulk connection while blocks are missing, asks for them, closes it after; while an
    /// emergency sounds, only for the recordings of emergencies.
    fn fetch(&mut self, now: Now) {
        self.make_room(now);
        let alarmed = self.playing.as_ref().is_some_and(|p| matches!(p.what, What::Emergency(..)));
        let mut wanted = if self.upkeep.main { self.recordings.wanted() } else { vec![] };
        if alarmed {
            let languages = self.manifest.as_ref().map_or(&[][..], |manifest| &manifest.languages);
            let urgent = self.emergencies.assets(languages);
            wanted.retain(|asset| urgent.contains(asset));
        }
        let filters: Vec<String> =
            wanted.iter().map(|asset| self.topics.asset_filter(*asset)).collect();
        if filters != self.upkeep.filters {
            self.upkeep.filters.clone_from(&filters);
            self.upkeep.bulk = false;
            self.out.push_back(Output::Bulk(filters));
        }
        if self.upkeep.bulk && self.upkeep.main {
            for asset in self.recordings.due(now.up) {
                self.want(now, asset);
            }
        }
    }

    /// Forgets what there is no room for. Without a trusted clock nobody knows what is needed soon.
    fn make_room(&mut self, now: Now) {
        let Some(utc) = self.clock.utc(now.up) else { return };
        if !self.recordings.is_to_be_weighed(now.up) {
            return;
        }
        let languages = self.manifest.as_ref().map_or(&[][..], |manifest| &manifest.languages);
        let mut kept: BTreeSet<Digest> = self.emergencies.assets(languages).into_iter().collect();
        if let Some(manifest) = &self.manifest {
            let soon = manifest.airings.iter().filter(|airing| airing.at <= utc + EVICTED_NEVER);
            kept.extend(soon.flat_map(|airing| airing.items.iter().map(|item| item.asset)));
            kept.extend(&manifest.hold);
        }
        for asset in self.recordings.make_room(&kept, self.settings.library_bytes_max) {
            self.out.push_back(Output::Forget(asset));
        }
    }

    fn want(&mut self, now: Now, asset: Digest) {
        let Some(shelf) = self.recordings.get(asset) else { return };
        let (info, missing) = match shelf.descriptor() {
            None => (true, String::new()),
            Some(_) if shelf.is_complete() => (true, String::new()),
            Some(descriptor) => {
                let count = u32::try_from(descriptor.blocks.len()).unwrap_or(u32::MAX);
                (shelf.is_doubted(), bitmap::encode(shelf.missing(), count))
            }
        };
        self.recordings.asked(asset, now.up);
        let controller = self.settings.controller.clone();
        self.publish(Up::Want, &Want { controller, asset, info, missing }, false);
    }
}
