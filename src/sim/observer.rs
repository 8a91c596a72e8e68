//! Who sees everything: what was signed, what every loudspeaker sounded, what is in the log.
//!
//! It holds each promise of the design against what happens, and never asks the machines: a note is
//! compared byte by byte with those that the station made, not verified.

mod cancel;
mod cause;
mod closing;
mod film;
mod marks;
mod sound;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::agent::{self, Output};
use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::dispatch;
use crate::id::EmergencyId;
use crate::lang::LangTag;
use crate::manifest::Manifest;
use crate::protocol::{Ack, Down, Topic, Topics, decode};
use crate::receipt::Batch;
use crate::sim::desk::Desk;
use crate::sim::site::Site;
use crate::sim::station::{Station, utc_at};
use crate::sim::verdict::Violation;
use crate::time::Timestamp;

/// By how much a controller's clock may be wrong: half the longest round trip that it takes, and the
/// drift of a week without a server.
const CLOCK_ERROR: Duration = Duration::from_secs(45);

/// Violations that are told.
const TOLD_MAX: usize = 20;

/// What one controller did, as the observer saw it.
#[derive(Debug)]
struct Watched {
    started: Duration,
    trusted: Option<Duration>,
    /// Airings that sounded, with the recordings of which a sample did.
    begun: BTreeMap<AiringKey, BTreeSet<Digest>>,
    /// Recordings of airings that sounded whole.
    sounded: BTreeMap<AiringKey, BTreeSet<Digest>>,
    /// The airing that an emergency cut off in this life of the process.
    cut: Option<AiringKey>,
    /// Airings whose begun mark is durable: a power cut may come before the first sample.
    marked: BTreeSet<AiringKey>,
    manifest: Option<(Manifest, Duration)>,
    newest: u64,
    newest_note: String,
    trust: u64,
    order: u64,
    /// An order is marked and has shown no effect yet.
    ordered: bool,
    chain: String,
    /// Receipts that are marked as delivered.
    acked: u64,
    /// Its starts, as marked.
    boots: u64,
    /// When it learned that a recording is withdrawn.
    withdrawn: BTreeMap<Digest, Duration>,
    /// Emergencies that it holds, with the attempts that it marked.
    held: BTreeMap<EmergencyId, u8>,
    /// Emergencies whose notes are durable.
    noted: BTreeSet<EmergencyId>,
    /// The languages of each emergency that sounded to their end, and those that are marked so.
    whole: BTreeMap<EmergencyId, BTreeSet<LangTag>>,
    heard: BTreeMap<EmergencyId, BTreeSet<LangTag>>,
    /// Those that sounded whole since this process began.
    lately: BTreeSet<(EmergencyId, LangTag)>,
    over: BTreeSet<EmergencyId>,
    playing: Option<String>,
    wiped: bool,
}

impl Watched {
    fn new() -> Self {
        Self {
            started: Duration::ZERO,
            trusted: None,
            begun: BTreeMap::new(),
            sounded: BTreeMap::new(),
            cut: None,
            marked: BTreeSet::new(),
            manifest: None,
            newest: 0,
            newest_note: String::new(),
            trust: 1,
            order: 0,
            ordered: false,
            chain: String::new(),
            acked: 0,
            boots: 0,
            withdrawn: BTreeMap::new(),
            held: BTreeMap::new(),
            noted: BTreeSet::new(),
            whole: BTreeMap::new(),
            heard: BTreeMap::new(),
            lately: BTreeSet::new(),
            over: BTreeSet::new(),
            playing: None,
            wiped: false,
        }
    }
}

/// The observer.
#[derive(Debug)]
pub(super) struct Observer {
    sites: Vec<Watched>,
    foul: Option<&'static str>,
    checks: [u64; 10],
    pub(super) faults: BTreeMap<Cow<'static, str>, u64>,
    violations: Vec<Violation>,
    /// Emergencies that a controller tried as often as it may.
    spent: BTreeSet<(usize, EmergencyId)>,
    film: film::Film,
}

/// What is being looked at.
struct View<'a> {
    nth: usize,
    site: &'a Site,
    now: Duration,
    station: &'a Station,
}

impl View<'_> {
    fn utc(&self) -> Timestamp {
        utc_at(self.now)
    }

    fn village(&self) -> &crate::sim::station::Village {
        &self.station.villages[self.site.village]
    }
}

impl Observer {
    pub(super) fn new(sites: usize, watched: Option<usize>) -> Self {
        Self {
            sites: (0..sites).map(|_| Watched::new()).collect(),
            foul: None,
            checks: [0; 10],
            faults: BTreeMap::new(),
            violations: vec![],
            spent: BTreeSet::new(),
            film: film::Film::new(sites, watched),
        }
    }

    /// A fault was injected.
    pub(super) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind.into()).or_default() += 1;
    }

    pub(super) fn trusts_its_clock(&self, site: usize) -> bool {
        self.sites[site].trusted.is_some()
    }

    pub(super) fn newest_manifest(&self, site: usize) -> u64 {
        self.sites[site].newest
    }

    pub(super) fn last_order(&self, site: usize) -> u64 {
        self.sites[site].order
    }

    pub(super) fn trust(&self, site: usize) -> u64 {
        self.sites[site].trust
    }

    pub(super) fn held_emergency(&self, site: usize) -> Option<EmergencyId> {
        self.sites[site].held.keys().next().cloned()
    }

    /// The chain of a site and its last receipt.
    pub(super) fn chain(&self, nth: usize, site: &Site) -> Option<(String, u64)> {
        let receipts = site.flash.records.iter();
        let last = receipts.filter(|r| matches!(r, crate::agent::Record::Receipt { .. })).count();
        let chain = self.sites[nth].chain.clone();
        (last > 0 && !chain.is_empty()).then_some((chain, last as u64))
    }

    /// What follows is the doing of a message that was made to deceive; `None` ends it.
    pub(super) fn deceived(&mut self, foul: Option<&'static str>) {
        self.foul = foul;
    }

    /// Looks at a promise; `what` is said where it is broken.
    fn hold(
        &mut self,
        promise: usize,
        at: Duration,
        site: Option<usize>,
        kept: bool,
        what: impl FnOnce() -> String,
    ) {
        self.checks[promise - 1] += 1;
        if !kept && self.violations.len() < TOLD_MAX {
            self.film.close();
            self.violations.push(Violation { promise, at, site, what: what() });
        }
    }

    fn expect(&mut self, view: &View, promise: usize, kept: bool, what: impl FnOnce() -> String) {
        self.hold(promise, view.now, Some(view.nth), kept, what);
    }

    pub(super) fn started(&mut self, site: usize, now: Duration) {
        self.film.note(site, now, || "starts".to_owned());
        self.film.mark(site, now, 'x');
        let watched = &mut self.sites[site];
        (watched.started, watched.trusted, watched.playing) = (now, None, None);
        (watched.cut, watched.ordered) = (None, false);
        watched.lately.clear();
    }

    pub(super) fn ended(&mut self, site: usize, now: Duration) {
        self.film.note(site, now, || "ends".to_owned());
        self.film.mark(site, now, 'x');
        self.sites[site].playing = None;
    }

    /// All that it stored is gone; the emergencies that it completed are known to nobody else.
    pub(super) fn wiped(&mut self, site: usize) {
        let begun = std::mem::take(&mut self.sites[site].begun);
        self.sites[site] = Watched { wiped: true, begun, ..Watched::new() };
    }

    pub(super) fn link(&mut self, site: usize, now: Duration, word: &'static str) {
        self.film.note(site, now, || word.to_owned());
        self.film.mark(site, now, '-');
    }

    /// An output of a site's agent, before it is carried out.
    pub(super) fn output(
        &mut self,
        nth: usize,
        site: &Site,
        output: &Output,
        now: Duration,
        station: &Station,
    ) {
        let view = View { nth, site, now, station };
        self.film.output(nth, now, output);
        if let Some(foul) = self.foul {
            let kept = is_refusal(output);
            self.expect(&view, 10, kept, || format!("{foul} led to {}", film::short(output)));
        }
        match output {
            Output::Play(list) => self.plays(&view, list),
            Output::KeepBlock { asset, offset, bytes } => {
                self.block(&view, *asset, *offset, bytes);
            }
            Output::Volume(_) => self.acts(&view, "the volume"),
            Output::Publish(message) => self.sends(&view, message),
            Output::Stop
            | Output::Keep(_)
            | Output::KeepNote(..)
            | Output::Assemble(_)
            | Output::Forget(_)
            | Output::Bulk(_) => {}
        }
    }

    /// Receipts that it leaves out are marked as delivered: after a power cut it knows so.
    fn sends(&mut self, view: &View, message: &agent::Publish) {
        if !message.topic.ends_with("/receipts") {
            return;
        }
        let text = String::from_utf8_lossy(&message.payload);
        let line = text.split_inclusive('\n').next().unwrap_or_default();
        let Ok(batch) = decode::<Batch>(view.station.net(), line) else { return };
        let marked = self.sites[view.nth].acked;
        self.expect(view, 9, batch.first <= marked + 1, || {
            format!(
                "sends receipts from {} on, of which {marked} are marked as delivered",
                batch.first
            )
        });
    }

    /// What only an order brings about: its number is a durable mark, and it happens once.
    fn acts(&mut self, view: &View, what: &str) {
        let marked = std::mem::take(&mut self.sites[view.nth].ordered);
        self.expect(view, 4, marked, || format!("{what} changes without the mark of an order"));
    }

    fn block(&mut self, view: &View, asset: Digest, offset: u64, bytes: &[u8]) {
        let recording = view.station.recordings.get(&asset);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let signed = recording.and_then(|r| r.bytes.get(offset..offset.checked_add(bytes.len())?));
        let kept = signed == Some(bytes);
        self.expect(view, 2, kept, || format!("keeps a block of {asset} that nobody signed"));
    }

    /// An output of the server's dispatch.
    pub(super) fn served_output(
        &mut self,
        output: &dispatch::Output,
        now: Duration,
        desk: &Desk,
        station: &Station,
    ) {
        match output {
            dispatch::Output::Ingest(ingest) => {
                let known = !station.newest_trust().is_revoked(&ingest.controller);
                let foul = self.foul;
                self.hold(2, now, None, known && foul.is_none(), || {
                    format!("takes receipts of {} from {foul:?}", ingest.controller)
                });
            }
            dispatch::Output::Saw(status) => {
                let foul = self.foul;
                self.hold(10, now, None, foul.is_none(), || {
                    format!("believes a status of {} from {foul:?}", status.controller)
                });
            }
            dispatch::Output::Publish(message) => self.ack(message, now, desk, station),
            dispatch::Output::Block { .. } | dispatch::Output::Refused { .. } => {}
        }
    }

    fn ack(&mut self, message: &dispatch::Publish, now: Duration, desk: &Desk, station: &Station) {
        let topics = Topics::new(station.net());
        let Some(Topic::Down(to, Down::Ack)) = topics.parse(&message.topic) else { return };
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        let line = text.split_inclusive('\n').next().unwrap_or_default();
        let Ok(ack) = decode::<Ack>(station.net(), line) else { return };
        let lines = desk.log.receipts.get(&(to, ack.chain.clone()));
        let logged = lines.map_or(0, |lines| lines.len() as u64);
        self.hold(9, now, None, ack.upto <= logged, || {
            format!(
                "acknowledges {} receipts of {}, of which {logged} are in the log",
                ack.upto, ack.controller
            )
        });
    }
}

/// Whether an output is what a refusal may lead to: a receipt that says so, and its way out.
fn is_refusal(output: &Output) -> bool {
    use crate::agent::Record;
    match output {
        Output::Keep(Record::Receipt { line }) => line.contains(r#""kind":"refusal""#),
        Output::Publish(_) => true,
        Output::Keep(_)
        | Output::KeepNote(..)
        | Output::KeepBlock { .. }
        | Output::Assemble(_)
        | Output::Forget(_)
        | Output::Bulk(_)
        | Output::Play(_)
        | Output::Stop
        | Output::Volume(_) => false,
    }
}
