//! Messages: verified, compared with where they came, and taken or refused with a receipt.

use crate::agent::library::Block;
use crate::agent::{Agent, Output, RestoredAsset, Slot, covers};
use crate::digest::Digest;
use crate::id::AreaId;
use crate::manifest::Manifest;
use crate::protocol::{
    self, Ack, ClockAnswer, Descriptor, Document, Down, Order, OrderCommand, Topic,
};
use crate::receipt::{Cause, Event, Outcome};
use crate::time::{Now, Timestamp};
use crate::trust::{Role, TrustDocument};

/// How long an order may be valid: a command is for now or for nobody.
const ORDER_MICROS_MAX: i64 = 5 * 60 * 1_000_000;

/// Why a message was not taken, in a sentence.
type Refusal = String;

impl Agent {
    pub(super) fn message(&mut self, now: Now, topic: &str, payload: &[u8]) {
        let me = &self.settings.controller;
        let taken = match self.topics.parse(topic) {
            Some(Topic::Block(asset, n)) => self.take_block(now, asset, n, payload),
            Some(Topic::Info(asset)) => self.take_descriptor(now, asset, payload),
            Some(Topic::Trust) => self.take_trust(now, payload),
            Some(Topic::AreaEmergency(_)) => self.take_emergency(now, payload),
            Some(Topic::Down(ref to, down)) if to == me => self.take_down(now, down, payload),
            _ => Err("this topic is not for this controller".to_owned()),
        };
        if let Err(why) = taken {
            self.refuse(now, topic, &why);
        }
    }

    fn take_down(&mut self, now: Now, down: Down, payload: &[u8]) -> Result<(), Refusal> {
        match down {
            Down::Manifest => self.take_manifest(now, payload),
            Down::Order => self.take_order(now, payload),
            Down::Emergency => self.take_emergency(now, payload),
            Down::Ack => self.take_ack(now, payload),
            Down::Time => self.take_time(now, payload),
            Down::Trust => self.take_trust(now, payload),
        }
    }

    /// Opens a note of the server's own keys.
    fn open<D: Document>(&self, now: Now, role: Role, payload: &[u8]) -> Result<D, Refusal> {
        let at = self.clock.utc(now.up).unwrap_or(Timestamp::EPOCH);
        let note = self.signer.read(payload).map_err(|e| e.to_string())?;
        let (text, _) = self.trust.open(&note, role, &[], at).map_err(|e| e.to_string())?;
        protocol::decode(&self.settings.net, text).map_err(|e| e.to_string())
    }

    fn take_trust(&mut self, now: Now, payload: &[u8]) -> Result<(), Refusal> {
        if payload == self.trust_note.as_bytes() {
            return Ok(());
        }
        let note = self.signer.read(payload).map_err(|e| e.to_string())?;
        self.trust.anchors().verify(&note).map_err(|e| e.to_string())?;
        let document: TrustDocument =
            protocol::decode(&self.settings.net, note.text()).map_err(|e| e.to_string())?;
        if document.version == self.trust.version {
            return Ok(());
        }
        if document.version > self.trust.version + 1 {
            // A status tells the server which versions are missing; they come each in turn.
            self.upkeep.report();
            return Ok(());
        }
        document.follows(&self.trust, &note).map_err(|e| e.to_string())?;
        self.trust = document;
        self.trust_note = String::from_utf8_lossy(payload).into_owned();
        self.out.push_back(Output::KeepNote(Slot::Trust, self.trust_note.clone()));
        self.reconsider(now);
        self.upkeep.changed();
        Ok(())
    }

    /// What a key approved that may approve no longer is heard no more, until somebody approves it
    /// anew; and nothing more is begun from a manifest whose key may sign no longer.
    fn reconsider(&mut self, now: Now) {
        let at = self.clock.utc(now.up).unwrap_or(Timestamp::EPOCH);
        let mut recordings = std::mem::take(&mut self.recordings);
        let lost = recordings.reconsider(|note| self.open_descriptor(at, note.as_bytes()).is_ok());
        self.recordings = recordings;
        let manifest = self.open::<Manifest>(now, Role::Schedule, self.manifest_note.as_bytes());
        self.distrusted = self.manifest.is_some() && manifest.is_err();
        if self.plays_any_of(&lost) {
            self.stop(Cause::Refused);
        }
    }

    fn take_manifest(&mut self, now: Now, payload: &[u8]) -> Result<(), Refusal> {
        let manifest: Manifest = self.open(now, Role::Schedule, payload)?;
        // The diary knows the number where the note itself was lost or damaged.
        let lost = self.diary.last_manifest().checked_sub(1);
        let held = self.manifest.as_ref().map(|manifest| manifest.number).max(lost);
        if self.manifest.as_ref() == Some(&manifest) && !self.distrusted {
            return Ok(());
        }
        let at = self.clock.utc(now.up);
        manifest.check(&self.settings.controller, held, at).map_err(|e| e.to_string())?;
        let note = String::from_utf8_lossy(payload).into_owned();
        self.keep(super::Record::Manifest { number: manifest.number });
        self.out.push_back(Output::KeepNote(Slot::Manifest, note.clone()));
        (self.manifest_since, self.manifest_note, self.distrusted) = (at, note, false);
        self.hold(manifest);
        self.doubt(at);
        self.upkeep.changed();
        Ok(())
    }

    /// Makes a verified manifest the one that is held.
    fn hold(&mut self, manifest: Manifest) {
        let withdrawn = manifest.withdrawn.clone();
        self.manifest = Some(manifest);
        self.stock();
        if self.plays_any_of(&withdrawn) {
            self.stop(Cause::Refused);
        }
        for asset in withdrawn {
            if self.recordings.get(asset).is_some() {
                self.forget(asset);
            }
        }
    }

    /// Asks anew for the approvals that do not cover what the manifest plans: they may have been
    /// renewed.
    fn doubt(&mut self, now: Option<Timestamp>) {
        let Some(manifest) = &self.manifest else { return };
        let ahead = manifest.airings.iter().filter(|a| now.is_none_or(|now| a.latest > now));
        let items = ahead.flat_map(|airing| airing.items.iter().map(|item| (airing.at, item)));
        let uncovered = items.filter(|(at, item)| {
            let known = self.recordings.get(item.asset).and_then(|shelf| shelf.descriptor());
            known.is_some_and(|descriptor| {
                descriptor.length_ms != item.length_ms
                    || descriptor.bulletin != item.bulletin
                    || descriptor.language != item.language
                    || !covers(descriptor, manifest, *at)
            })
        });
        let doubtful: Vec<Digest> = uncovered.map(|(_, item)| item.asset).collect();
        self.recordings.doubt(&doubtful);
    }

    /// Says to the library what the manifest and the emergencies need, and deletes the rest; without
    /// a manifest nobody knows what is needed no longer.
    pub(super) fn stock(&mut self) {
        let languages = self.manifest.as_ref().map_or(&[][..], |manifest| &manifest.languages);
        let mut needed = self.emergencies.assets(languages);
        needed.extend(self.manifest.iter().flat_map(Manifest::assets));
        let withdrawn = self.manifest.as_ref().map_or(&[][..], |manifest| &manifest.withdrawn);
        needed.retain(|asset| !withdrawn.contains(asset));
        for asset in self.recordings.need(needed) {
            if self.manifest.is_some() {
                self.forget(asset);
            }
        }
    }

    fn plays_any_of(&self, withdrawn: &[Digest]) -> bool {
        self.playing.as_ref().is_some_and(|playing| playing.sounds_any_of(withdrawn))
    }

    fn forget(&mut self, asset: Digest) {
        self.recordings.remove(asset);
        self.out.push_back(Output::Forget(asset));
    }

    fn take_order(&mut self, now: Now, payload: &[u8]) -> Result<(), Refusal> {
        let order: Order = self.open(now, Role::Schedule, payload)?;
        let utc = self.clock.utc(now.up).ok_or("no order is taken before the clock is trusted")?;
        if order.controller != self.settings.controller {
            return Err(format!("the order is for {}", order.controller));
        }
        if order.number <= self.diary.last_order() {
            return Err(format!(
                "order {} is not newer than {}",
                order.number,
                self.diary.last_order()
            ));
        }
        if order.expires <= utc || order.expires.micros() - order.issued.micros() > ORDER_MICROS_MAX
        {
            return Err(format!("order {} expired at {}", order.number, order.expires));
        }
        self.keep(super::Record::Order { number: order.number });
        let what = self.carry_out(utc, order.number, &order.command).to_owned();
        self.swear(utc, Event::Order { number: order.number, what, tests: vec![] });
        Ok(())
    }

    fn carry_out(&mut self, utc: Timestamp, number: u64, command: &OrderCommand) -> &'static str {
        match command {
            OrderCommand::Stop {} => {
                if self.playing.as_ref().is_some_and(|p| p.what == super::airing::What::Airing) {
                    self.stop(Cause::Stopped);
                }
                if self.paused.take().is_some() {
                    self.end_open_airing(utc, Outcome::Interrupted, Some(Cause::Stopped));
                }
                "stop"
            }
            OrderCommand::Volume { percent } => {
                self.set_volume((*percent).min(100));
                "volume"
            }
            OrderCommand::Selftest {} => {
                // The rest of the test is what the status says.
                self.upkeep.report();
                self.self_test(utc, number);
                "selftest"
            }
            OrderCommand::Report {} => {
                self.upkeep.report();
                "report"
            }
        }
    }

    fn take_ack(&mut self, now: Now, payload: &[u8]) -> Result<(), Refusal> {
        let ack: Ack = self.open(now, Role::Ack, payload)?;
        if ack.controller != self.settings.controller {
            return Err(format!("the acknowledgement is for {}", ack.controller));
        }
        if let Some(record) = self.diary.acknowledged(&ack.chain, ack.upto) {
            self.keep(record);
            self.upkeep.changed();
        }
        self.upkeep.acknowledged();
        Ok(())
    }

    fn take_time(&mut self, now: Now, payload: &[u8]) -> Result<(), Refusal> {
        let answer: ClockAnswer = self.open(now, Role::Time, payload)?;
        if answer.controller == self.settings.controller && self.clock.answered(now, &answer) {
            self.upkeep.server_answers();
            let held = self.manifest.as_ref().map_or(0, |manifest| manifest.number);
            let known = std::mem::replace(&mut self.upkeep.newest, answer.manifest);
            if held < known {
                let why =
                    format!("manifest {known} exists and does not come: the broker withholds it");
                self.refuse(now, "manifest", &why);
            }
            self.upkeep.changed();
        }
        Ok(())
    }

    /// The areas above this controller, as its manifest says.
    pub(super) fn areas(&self) -> &[AreaId] {
        self.manifest.as_ref().map_or(&[], |manifest| &manifest.areas)
    }

    fn open_descriptor(&self, at: Timestamp, payload: &[u8]) -> Result<Descriptor, Refusal> {
        let note = self.signer.read(payload).map_err(|e| e.to_string())?;
        let opened = self.trust.open(&note, Role::Content, self.areas(), at);
        let (text, _) = opened.map_err(|e| e.to_string())?;
        let descriptor: Descriptor =
            protocol::decode(&self.settings.net, text).map_err(|e| e.to_string())?;
        descriptor.check().map_err(|e| e.to_string())?;
        Ok(descriptor)
    }

    fn take_descriptor(&mut self, now: Now, asset: Digest, payload: &[u8]) -> Result<(), Refusal> {
        let at = self.clock.utc(now.up).unwrap_or(Timestamp::EPOCH);
        let descriptor = self.open_descriptor(at, payload)?;
        if descriptor.asset != asset {
            return Err(format!("the descriptor is of {}", descriptor.asset));
        }
        let note = String::from_utf8_lossy(payload).into_owned();
        if self.recordings.describe(descriptor, &note) {
            self.out.push_back(Output::KeepNote(Slot::Descriptor(asset), note));
            self.spread_questions(now);
        }
        Ok(())
    }

    fn take_block(&mut self, now: Now, asset: Digest, n: u32, bytes: &[u8]) -> Result<(), Refusal> {
        let (offset, last) = match self.recordings.block(asset, n, bytes, now.up) {
            Block::New(offset) => (offset, false),
            Block::Last(offset) => (offset, true),
            Block::Useless => return Ok(()),
            Block::Wrong => return Err(format!("block {n} does not have the digest it should")),
        };
        self.out.push_back(Output::KeepBlock { asset, offset, bytes: bytes.to_vec() });
        if last {
            self.out.push_back(Output::Assemble(asset));
        }
        Ok(())
    }

    pub(super) fn restore_manifest(&mut self, note: Option<&str>) {
        // Its signature was right when it was taken; a key that was revoked since takes its
        // manifests along.
        let Some(parsed) = note.and_then(|note| self.signer.read(note.as_bytes()).ok()) else {
            return;
        };
        let opened = self.trust.open(&parsed, Role::Schedule, &[], Timestamp::EPOCH);
        let Ok((text, _)) = opened else { return };
        let Ok(manifest) = protocol::decode::<Manifest>(&self.settings.net, text) else { return };
        if manifest.check(&self.settings.controller, None, None).is_ok() {
            note.unwrap_or_default().clone_into(&mut self.manifest_note);
            self.manifest = Some(manifest);
        }
    }

    pub(super) fn restore_assets(&mut self, assets: Vec<RestoredAsset>) {
        for asset in assets {
            let opened = self.open_descriptor(Timestamp::EPOCH, asset.descriptor.as_bytes());
            if let Ok(descriptor) = opened {
                if asset.missing.is_empty() && !asset.complete {
                    self.out.push_back(Output::Assemble(descriptor.asset));
                }
                let RestoredAsset { descriptor: note, missing, complete } = asset;
                self.recordings.restore(descriptor, note, missing, complete);
            }
        }
    }

    /// Whether a held recording may sound in an emergency.
    pub(super) fn may_sound(&self, asset: Digest, utc: Timestamp) -> bool {
        let descriptor = self.recordings.get(asset).filter(|shelf| shelf.is_complete());
        let descriptor = descriptor.and_then(|shelf| shelf.descriptor());
        match (descriptor, &self.manifest) {
            (Some(descriptor), Some(manifest)) => covers(descriptor, manifest, utc),
            _ => false,
        }
    }

    pub(super) fn refuse(&mut self, now: Now, topic: &str, why: &str) {
        if self.upkeep.may_tell_refusal(now.up, topic, why) {
            let topic = topic.chars().take(200).collect();
            let refusal = Event::Refusal { topic, why: why.chars().take(300).collect() };
            match self.clock.utc(now.up) {
                Some(utc) => self.swear(utc, refusal),
                // Its time is not known yet.
                None => self.upkeep.early_refusals.push(refusal),
            }
        }
    }
}
