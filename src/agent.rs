//! A controller's half of the protocol, without I/O: what it may play, when, and what it swears.
//!
//! ```text
//!   messages, timers, what the speaker did ──► handle(now, input)
//!                                                │
//!   keep · send · fetch · play · stop  ◄──── poll() until None, in order
//! ```
//!
//! Follow every [`Agent::handle`] with [`Agent::poll`] until it returns `None`, and carry each
//! output out before the next: **an [`Output::Keep`] is durable before anything after it happens**.
//! That order is what makes "begun at most once" hold through a power cut. When storage fails, stop
//! and start again from what it holds; the machine never goes on over a write that failed.

mod airing;
mod clock;
mod diary;
mod emergency;
mod incoming;
mod library;
mod local;
mod pause;
mod upkeep;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

pub use diary::{RECEIPTS_ROUTINE_MAX, Record};
pub use local::tone_digest;

use crate::audio::tone::Tone;
use crate::calendar::AirtimePolicy;
use crate::digest::Digest;
use crate::id::{ControllerId, NetId};
use crate::lang::LangTag;
use crate::manifest::Manifest;
use crate::note::Signer;
use crate::protocol::{self, Descriptor, Document, Topics, Up};
use crate::receipt::{Event, Evidence};
use crate::time::{Now, Timestamp, Uptime, Zone};
use crate::trust::{Anchors, TrustDocument};

/// The longest time between two ticks: whatever a timer forgot is found by then.
const IDLE_MAX: Duration = Duration::from_mins(15);

/// What a controller is told once, by its own configuration.
#[derive(Debug)]
pub struct Settings {
    /// The deployment.
    pub net: NetId,
    /// Its own id.
    pub controller: ControllerId,
    /// The root keys it was provisioned with.
    pub anchors: Anchors,
    /// When routine airings may sound at all, whatever any message says.
    pub outer: AirtimePolicy,
    /// The zone of `outer`'s wall clock.
    pub zone: Zone,
    /// Whether the system clock survives a power cut.
    pub rtc: bool,
    /// Whether a command tells of the amplifier: a self-test then asks for it.
    pub amplifier: bool,
    /// Unacknowledged receipts at which routine play stops; see [`RECEIPTS_ROUTINE_MAX`].
    pub receipts_max: usize,
    /// Bytes of recordings at most; those of emergencies and of the next 72 hours are held beyond it.
    pub library_bytes_max: u64,
    /// The software's name and version, for receipts and status.
    pub software: String,
    /// 32 secret random bytes of this start: nonces and chain ids come from them.
    pub randomness: [u8; 32],
}

/// What storage gave back at the start.
#[derive(Debug, Default)]
pub struct Restored {
    /// The diary, in order.
    pub records: Vec<Record>,
    /// The trust document's note; the one it was provisioned with at first.
    pub trust: Option<String>,
    /// Whether that note is the one it was provisioned with: the anchors must vouch for it.
    pub provisioned: bool,
    /// The manifest's note.
    pub manifest: Option<String>,
    /// The recordings.
    pub assets: Vec<RestoredAsset>,
}

/// A recording that storage holds, whole or in part.
#[derive(Debug)]
pub struct RestoredAsset {
    /// Its descriptor's note.
    pub descriptor: String,
    /// The blocks whose digest is not right, by reading them.
    pub missing: BTreeSet<u32>,
    /// Whether the whole digest is right.
    pub complete: bool,
}

/// Where a note is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The trust document.
    Trust,
    /// The manifest.
    Manifest,
    /// The descriptor of a recording.
    Descriptor(Digest),
}

/// What a message needs on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker shall keep it for later subscribers.
    pub retain: bool,
}

/// One part of what is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A built-in tone: the one kind of sound that nobody signs.
    Tone(Tone),
    /// Nothing, for so long.
    Silence(Duration),
    /// A recording.
    Sound {
        /// Which.
        asset: Digest,
        /// In which language.
        language: LangTag,
    },
}

/// What is played in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playlist {
    /// Comes back with every report of the speaker.
    pub token: u64,
    /// What it is, for people.
    pub title: String,
    /// In order.
    pub parts: Vec<Part>,
    /// How loud it begins, 0 to 100: the share of the full amplitude.
    pub volume_percent: u8,
}

/// What the speaker did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sounded {
    /// A part has sounded whole.
    Part(usize),
    /// Everything has.
    Finished,
    /// It was stopped as asked.
    Stopped,
    /// It could not go on.
    Failed(String),
}

/// What happens to a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The main connection is up and its filters are subscribed.
    MainUp,
    /// The main connection is lost.
    MainDown,
    /// The bulk connection is up and the filters asked for are subscribed.
    BulkUp,
    /// The bulk connection is lost.
    BulkDown,
    /// A message came on either.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// A recording whose last block came was compared with its digest.
    Assembled {
        /// Which.
        asset: Digest,
        /// Whether it is the one.
        whole: bool,
    },
    /// The speaker reports.
    Speaker {
        /// Of which playlist.
        token: u64,
        /// What it did.
        sounded: Sounded,
    },
    /// Somebody at the device turned the local stop on or off.
    Local {
        /// Whether all sound is stopped.
        stopped: bool,
    },
    /// A command at the device told how it knows that a recording sounds.
    Sensed {
        /// Of which playlist.
        token: u64,
        /// The recording that the answer names.
        asset: Digest,
        /// How it knows.
        evidence: Evidence,
    },
    /// Somebody at the device wants a self-test.
    SelfTest,
    /// Free storage was measured.
    Storage {
        /// In KiB.
        free_kib: u64,
    },
    /// Time passed.
    Tick,
}

/// What the shell must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Add to the diary, durably, before the next output.
    Keep(Record),
    /// Replace a note, durably, before the next output.
    KeepNote(Slot, String),
    /// Write a verified block at its offset.
    KeepBlock {
        /// Of which recording.
        asset: Digest,
        /// Where.
        offset: u64,
        /// The block.
        bytes: Vec<u8>,
    },
    /// Compare the whole with its digest, move it into place, answer [`Input::Assembled`].
    Assemble(Digest),
    /// Delete a recording and its descriptor.
    Forget(Digest),
    /// Publish on the main connection with QoS 1.
    Publish(Publish),
    /// Open the bulk connection with these filters, or change them; empty closes it.
    Bulk(Vec<String>),
    /// Play; what plays already was stopped before.
    Play(Playlist),
    /// Stop what plays, with a short fade, and report [`Sounded::Stopped`].
    Stop,
    /// Set the volume of what plays, 0 to 100, in a ramp.
    Volume(u8),
}

/// A controller's state.
#[derive(Debug)]
pub struct Agent {
    settings: Settings,
    signer: Signer,
    topics: Topics,
    clock: clock::Clock,
    trust: TrustDocument,
    /// Its note: the same again says nothing.
    trust_note: String,
    manifest: Option<Manifest>,
    /// Its note.
    manifest_note: String,
    /// Whether the key that signed it counts no more: nothing is begun from it.
    distrusted: bool,
    /// When this process took it; none where it was there before.
    manifest_since: Option<Timestamp>,
    recordings: library::Library,
    diary: diary::Diary,
    emergencies: emergency::Emergencies,
    playing: Option<airing::Playing>,
    paused: Option<pause::Pause>,
    /// Whether an emergency cut the open airing off.
    preempted: bool,
    upkeep: upkeep::Upkeep,
    local: local::Local,
    /// What commands at the device told of recordings since the last airing or test ended.
    sensed: std::collections::BTreeMap<Digest, Evidence>,
    draws: u64,
    out: VecDeque<Output>,
}

/// Why an agent could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Neither storage nor provisioning gave a trust document.
    #[error(
        "no trust document; copy trust.note from the provisioning folder beside controller.toml"
    )]
    NoTrust,
    /// The trust document is not signed by the anchors, or is not readable.
    #[error("the trust document is refused: {0}; provision this controller again")]
    BadTrust(String),
}

impl Agent {
    /// An agent that continues from what storage holds. Poll it at once.
    pub fn start(
        settings: Settings,
        signer: Signer,
        restored: Restored,
        now: Now,
    ) -> Result<Self, StartError> {
        let trust = first_trust(&settings, &signer, &restored)?;
        let diary = diary::Diary::replay(restored.records);
        // A battery that died shows a time before what is known to have happened.
        let earliest = trust.issued.max(diary.latest());
        let mut agent = Self {
            topics: Topics::new(&settings.net),
            clock: clock::Clock::new(now, settings.rtc && now.utc >= earliest),
            trust,
            trust_note: restored.trust.unwrap_or_default(),
            manifest: None,
            manifest_note: String::new(),
            distrusted: false,
            manifest_since: None,
            recordings: library::Library::default(),
            diary,
            emergencies: emergency::Emergencies::default(),
            playing: None,
            paused: None,
            preempted: false,
            upkeep: upkeep::Upkeep::default(),
            local: local::Local::default(),
            sensed: std::collections::BTreeMap::new(),
            draws: 0,
            out: VecDeque::new(),
            settings,
            signer,
        };
        agent.restore_manifest(restored.manifest.as_deref());
        agent.restore_assets(restored.assets);
        agent.upkeep.volume_percent = agent.diary.volume_percent();
        agent.restore_emergencies();
        agent.begin(now);
        Ok(agent)
    }

    /// Takes one input at `now`. Follow with [`Agent::poll`] until it returns `None`.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::MainUp => self.main_up(),
            Input::MainDown => self.upkeep.main_down(),
            Input::BulkUp => self.bulk_up(now),
            Input::BulkDown => self.bulk_down(),
            Input::Message { topic, payload } => self.message(now, &topic, &payload),
            Input::Assembled { asset, whole } => self.recordings.finished(asset, whole),
            Input::Speaker { token, sounded } => self.sounded(now, token, &sounded),
            Input::Local { stopped } => self.local_stop(now, stopped),
            Input::Sensed { token, asset, evidence } => self.sensed(token, asset, evidence),
            Input::SelfTest => self.self_test_here(now),
            Input::Storage { free_kib } => self.upkeep.storage_free_kib = free_kib,
            Input::Tick => {}
        }
        self.advance(now);
    }

    /// The next thing to do, in order; `None` when all is done.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Input::Tick`] is due at the latest. A shell may tick more often; it need not.
    pub fn wake_at(&self, now: Now) -> Uptime {
        [self.next_airing_at(now), self.next_emergency_at(now), self.next_upkeep_at(now)]
            .into_iter()
            .flatten()
            .filter(|at| *at > now.up)
            .fold(now.up + IDLE_MAX, Uptime::min)
    }

    /// The fewest records that give this agent back: what the diary may be replaced by.
    pub fn compact(&self, now: Now) -> Vec<Record> {
        self.diary.compact(self.clock.utc(now.up))
    }

    /// What plays now, for people.
    pub fn playing(&self) -> Option<&str> {
        self.playing.as_ref().map(airing::Playing::title)
    }

    /// The manifest that is held.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The newest time that the station has signed to this controller: it has surely passed.
    pub fn sure_time(&self) -> Timestamp {
        let manifest = self.manifest.as_ref().map_or(Timestamp::EPOCH, |manifest| manifest.issued);
        self.trust.issued.max(manifest)
    }

    /// The airings that have no outcome yet, in order.
    pub fn ahead(&self, now: Now) -> impl Iterator<Item = &crate::manifest::ManifestAiring> {
        let (utc, me) = (self.clock.utc(now.up), &self.settings.controller);
        let airings = self.manifest.iter().flat_map(|manifest| &manifest.airings);
        airings.filter(move |airing| {
            utc.is_none_or(|utc| airing.latest >= utc) && !self.diary.is_over(&airing.key(me))
        })
    }

    /// Whether a recording is held whole.
    pub fn holds(&self, asset: Digest) -> bool {
        self.recordings.is_complete(asset)
    }

    /// What time it is, where it is trusted.
    pub fn time(&self, now: Now) -> Option<Timestamp> {
        self.clock.utc(now.up)
    }

    /// Whether every recording of the manifest is held.
    pub fn is_stocked(&self) -> bool {
        let (held, named) = self.recordings.held_of_needed();
        self.manifest.is_some() && held == named
    }

    /// Receipts that no acknowledgement covers.
    pub fn receipts_waiting(&self) -> u64 {
        self.diary.waiting()
    }

    fn begin(&mut self, now: Now) {
        if !self.diary.has_chain() {
            let id = self.draw("chain");
            self.keep(Record::Chain { id, after: 0, link: Digest::ZERO });
        }
        let boot = self.diary.boot() + 1;
        self.keep(Record::Boot { boot });
        self.upkeep.software.clone_from(&self.settings.software);
        self.advance(now);
    }

    fn advance(&mut self, now: Now) {
        self.tell_boot(now);
        self.tell_local_stop(now);
        self.close_open_airing(now);
        self.advance_emergencies(now);
        self.advance_airings(now);
        self.advance_upkeep(now);
    }

    fn keep(&mut self, record: Record) {
        self.diary.apply(record.clone());
        self.out.push_back(Output::Keep(record));
    }

    fn swear(&mut self, at: Timestamp, event: Event) {
        let record = self.diary.write(at, event);
        self.keep(record);
    }

    /// Signs and publishes; nothing leaves while the main connection is down.
    fn publish<D: Document>(&mut self, up: Up, document: &D, retain: bool) {
        if !self.upkeep.main_is_up() {
            return;
        }
        let note = self.signer.sign(&protocol::encode(&self.settings.net, document));
        let topic = self.topics.up(&self.settings.controller, up);
        self.out.push_back(Output::Publish(Publish { topic, payload: note.into_bytes(), retain }));
    }

    /// 16 hexadecimal digits that nobody can foresee and that never repeat.
    fn draw(&mut self, purpose: &str) -> String {
        self.draw_digest(purpose).to_string()[..16].to_owned()
    }

    fn draw_digest(&mut self, purpose: &str) -> Digest {
        self.draws += 1;
        let count = self.draws.to_be_bytes();
        Digest::of_parts(&[&self.settings.randomness, purpose.as_bytes(), &count])
    }
}

fn first_trust(
    settings: &Settings,
    signer: &Signer,
    restored: &Restored,
) -> Result<TrustDocument, StartError> {
    let note = restored.trust.as_deref().ok_or(StartError::NoTrust)?;
    let bad = |e: &dyn std::fmt::Display| StartError::BadTrust(e.to_string());
    let parsed = signer.read(note.as_bytes()).map_err(|e| bad(&e))?;
    let document: TrustDocument =
        protocol::decode(&settings.net, parsed.text()).map_err(|e| bad(&e))?;
    // A document that was taken later was checked against the one before it, back to the first;
    // its own roots vouch for it here.
    let own = document.anchors();
    let anchors = if restored.provisioned { &settings.anchors } else { &own };
    document.begins(anchors, &parsed).map_err(|e| bad(&e))?;
    Ok(document)
}

/// Whether a descriptor lets this recording be played here and now.
fn covers(descriptor: &Descriptor, manifest: &Manifest, at: Timestamp) -> bool {
    descriptor.valid_from <= at
        && at < descriptor.valid_until
        && descriptor.areas.iter().any(|area| manifest.areas.contains(area))
        && !manifest.withdrawn.contains(&descriptor.asset)
}

#[cfg(test)]
mod tests;
