//! Emergencies: held, played at least once to the end, never after expiry, never again.
//!
//! *Begun* and *completed* are separate durable marks: only completed or cancelled forbids another
//! attempt, so after a power cut an emergency plays again, [`ATTEMPTS_MAX`] times at most.
//!
//! An emergency begins with the languages whose recordings are here. What has sounded whole is marked
//! language by language; it is completed when every language of the village has.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::agent::airing::{What, weakest};
use crate::agent::{Agent, Part, Record, Sounded};
use crate::audio::tone::Tone;
use crate::digest::Digest;
use crate::id::{AreaId, EmergencyId};
use crate::lang::LangTag;
use crate::protocol::{self, Emergency, EmergencyAction, EmergencySound};
use crate::receipt::{Cause, EmergencyStep, Event, Evidence};
use crate::time::{Now, Timestamp, Uptime};

/// How often an emergency is begun at most.
const ATTEMPTS_MAX: u8 = 3;

/// How long an emergency may be valid.
const VALID_MAX: Duration = Duration::from_hours(24);

/// How long after its expiry an id is remembered.
const REMEMBER: Duration = Duration::from_hours(1);

/// Emergencies held at once at most.
const HELD_MAX: usize = 32;

/// Repeats at most.
const REPEAT_MAX: u8 = 10;

/// How often an emergency that waits is looked at: its recording may become valid.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The emergencies that are held and not over.
#[derive(Debug, Default)]
pub(super) struct Emergencies {
    held: BTreeMap<EmergencyId, Emergency>,
    /// Notes that came before the clock was trusted.
    untimed: Vec<Vec<u8>>,
}

impl Emergencies {
    /// The recordings that they need in a village of these languages.
    pub(super) fn assets(&self, languages: &[LangTag]) -> Vec<Digest> {
        let sounds = self.held.values().flat_map(sounds);
        sounds.filter(|s| languages.contains(&s.language)).map(|sound| sound.asset).collect()
    }
}

fn sounds(emergency: &Emergency) -> &[EmergencySound] {
    match &emergency.action {
        EmergencyAction::Play { sounds, .. } => sounds,
        EmergencyAction::Cancel {} => &[],
    }
}

impl Agent {
    pub(super) fn take_emergency(&mut self, now: Now, payload: &[u8]) -> Result<(), String> {
        let Some(utc) = self.clock.utc(now.up) else {
            // After a power cut the broker's queue comes before the answer to the first question.
            if self.emergencies.untimed.len() < HELD_MAX {
                self.emergencies.untimed.push(payload.to_vec());
            }
            return Ok(());
        };
        let emergency = self.open_emergency(utc, payload, &[])?;
        if !emergency.areas.iter().any(|area| self.areas().contains(area)) {
            // Every controller may read every area's topic; this one is for somewhere else.
            return Ok(());
        }
        self.open_emergency(utc, payload, self.areas())?;
        if emergency.expires <= utc || emergency.expires > emergency.issued + VALID_MAX {
            return Err(format!("emergency {} expired at {}", emergency.id, emergency.expires));
        }
        if self.diary.ended.contains_key(&emergency.id) {
            return Ok(());
        }
        match emergency.action {
            EmergencyAction::Cancel {} => self.cancel(utc, &emergency),
            EmergencyAction::Play { .. } => self.accept(utc, emergency, payload)?,
        }
        Ok(())
    }

    /// Takes the emergencies that came before the clock was trusted.
    fn take_untimed(&mut self, now: Now) {
        for payload in std::mem::take(&mut self.emergencies.untimed) {
            if let Err(why) = self.take_emergency(now, &payload) {
                self.refuse(now, "emergency", &why);
            }
        }
    }

    /// Opens an emergency that enough officers of the places in `chain` signed; of any place where
    /// it is empty.
    fn open_emergency(
        &self,
        utc: Timestamp,
        payload: &[u8],
        chain: &[AreaId],
    ) -> Result<Emergency, String> {
        let note = self.signer.read(payload).map_err(|e| e.to_string())?;
        let text = self.trust.open_emergency(&note, chain, utc).map_err(|e| e.to_string())?;
        protocol::decode(&self.settings.net, text).map_err(|e| e.to_string())
    }

    fn accept(&mut self, utc: Timestamp, emergency: Emergency, note: &[u8]) -> Result<(), String> {
        if self.emergencies.held.contains_key(&emergency.id) {
            return Ok(());
        }
        if self.emergencies.held.len() >= HELD_MAX {
            return Err(format!("{HELD_MAX} emergencies are held already; cancel one"));
        }
        let note = String::from_utf8_lossy(note).into_owned();
        self.keep(Record::Emergency { id: emergency.id.clone(), note });
        self.tell(utc, &emergency.id, (EmergencyStep::Accepted, 0), None);
        self.emergencies.held.insert(emergency.id.clone(), emergency);
        self.stock();
        Ok(())
    }

    fn cancel(&mut self, utc: Timestamp, emergency: &Emergency) {
        self.over(utc, &emergency.id, emergency.expires, (EmergencyStep::Cancelled, 0), None);
        if self.sounds_now(&emergency.id) {
            self.stop(Cause::Stopped);
        }
    }

    fn over(
        &mut self,
        at: Timestamp,
        id: &EmergencyId,
        expires: Timestamp,
        (step, attempt): (EmergencyStep, u8),
        evidence: Option<Evidence>,
    ) {
        let (emergency, languages) = (id.clone(), self.diary.heard(id).to_vec());
        self.keep(Record::EmergencyOver { id: id.clone(), forget: expires + REMEMBER });
        self.emergencies.held.remove(id);
        self.swear(at, Event::Emergency { emergency, step, attempt, languages, evidence });
        self.stock();
    }

    /// Swears how far an emergency came, and in which attempt.
    fn tell(
        &mut self,
        at: Timestamp,
        id: &EmergencyId,
        (step, attempt): (EmergencyStep, u8),
        evidence: Option<Evidence>,
    ) {
        let (emergency, languages) = (id.clone(), self.diary.heard(id).to_vec());
        self.swear(at, Event::Emergency { emergency, step, attempt, languages, evidence });
    }

    pub(super) fn restore_emergencies(&mut self) {
        for note in self.diary.emergencies.clone().into_values() {
            let opened = self.open_emergency(Timestamp::EPOCH, note.as_bytes(), self.areas());
            if let Ok(emergency) = opened
                && !self.diary.ended.contains_key(&emergency.id)
            {
                self.emergencies.held.insert(emergency.id.clone(), emergency);
            }
        }
        self.stock();
    }

    /// Whether an emergency is still to be played here: one without a recording in any language of
    /// the village does not hold up the rest, nor one that was heard and lacks a further language.
    pub(super) fn awaits_emergency(&self, utc: Timestamp) -> bool {
        self.emergencies.held.values().any(|emergency| {
            let is_unheard = self.diary.heard(&emergency.id).is_empty();
            self.open_sounds(emergency).any(|sound| is_unheard || self.may_sound(sound.asset, utc))
        })
    }

    pub(super) fn advance_emergencies(&mut self, now: Now) {
        let Some(utc) = self.clock.utc(now.up) else { return };
        self.take_untimed(now);
        self.settle_emergencies(utc);
        if self.local.is_stopped() {
            // It sounds once the stop is released, as long as it is not expired.
            return;
        }
        let ready = self.emergencies.held.values().find_map(|emergency| {
            let parts = self.emergency_parts(emergency, utc);
            (!parts.is_empty()).then(|| (emergency.id.clone(), parts))
        });
        let Some((id, parts)) = ready else { return };
        match self.playing.as_ref().map(|playing| &playing.what) {
            None => self.begin_emergency(utc, &id, parts),
            Some(What::Airing | What::Test(_)) => self.stop(Cause::Emergency),
            Some(What::Emergency(..)) => {}
        }
    }

    /// When an emergency that is held expires, or one that waits is to be looked at again.
    pub(super) fn next_emergency_at(&self, now: Now) -> Option<Uptime> {
        let utc = self.clock.utc(now.up)?;
        let expires = self.emergencies.held.values().map(|emergency| emergency.expires).min()?;
        Some(now.up + expires.since(utc).min(LOOK_AGAIN))
    }

    fn begin_emergency(&mut self, utc: Timestamp, id: &EmergencyId, parts: Vec<Part>) {
        let attempt = self.diary.attempts.get(id).copied().unwrap_or(0) + 1;
        self.keep(Record::EmergencyBegun { id: id.clone(), attempt });
        self.tell(utc, id, (EmergencyStep::Begun, attempt), None);
        let items = vec![None; parts.len()];
        let what = What::Emergency(id.clone(), attempt);
        // No order makes a warning softer: whoever holds the server's key must not silence it.
        self.play(what, format!("emergency/{id}"), (parts, items), None);
    }

    pub(super) fn emergency_ended(
        &mut self,
        utc: Timestamp,
        id: &EmergencyId,
        attempt: u8,
        assets: &[Digest],
        sounded: &Sounded,
    ) {
        // A paused airing goes on with what is known of its own recordings.
        let known = assets.iter().filter_map(|asset| Some((*asset, self.sensed.remove(asset)?)));
        let sensed = known.collect();
        let Some(emergency) = self.emergencies.held.get(id) else { return };
        if *sounded != Sounded::Finished {
            return;
        }
        let evidence = weakest(assets, &sensed);
        let played = sounds(emergency).iter().filter(|sound| assets.contains(&sound.asset));
        let languages = played.map(|sound| sound.language.clone()).collect();
        self.keep(Record::EmergencyHeard { id: id.clone(), languages });
        match self.emergencies.held.get(id) {
            Some(emergency) if self.open_sounds(emergency).next().is_none() => {
                let expires = emergency.expires;
                self.over(utc, id, expires, (EmergencyStep::Completed, attempt), evidence);
            }
            // Held on: a language whose recording comes before the expiry still sounds.
            Some(_) | None => self.tell(utc, id, (EmergencyStep::Accepted, attempt), evidence),
        }
    }

    /// What is still to sound of an emergency here, in the village's order: what was withdrawn never
    /// will, and what has sounded never again.
    fn open_sounds<'a>(
        &'a self,
        emergency: &'a Emergency,
    ) -> impl Iterator<Item = &'a EmergencySound> {
        let heard = self.diary.heard(&emergency.id);
        let manifest = self.manifest.iter();
        let wanted = manifest.flat_map(|manifest| {
            let sound = |l: &LangTag| sounds(emergency).iter().find(|s| s.language == *l);
            let named = manifest.languages.iter().filter_map(sound);
            named.filter(|sound| !manifest.withdrawn.contains(&sound.asset))
        });
        wanted.filter(|sound| !heard.contains(&sound.language))
    }

    /// Ends the emergencies that are heard in full, expired, or tried often enough.
    fn settle_emergencies(&mut self, utc: Timestamp) {
        // Without a manifest nobody knows the village's languages.
        let heard = |emergency: &&Emergency| {
            self.manifest.is_some()
                && !self.diary.heard(&emergency.id).is_empty()
                && self.open_sounds(emergency).next().is_none()
        };
        let held =
            self.emergencies.held.values().filter(|emergency| !self.sounds_now(&emergency.id));
        let heard: Vec<(EmergencyId, Timestamp)> =
            held.filter(heard).map(|e| (e.id.clone(), e.expires)).collect();
        for (id, expires) in heard {
            self.over(utc, &id, expires, (EmergencyStep::Completed, 0), None);
        }
        self.give_up_emergencies(utc);
    }

    fn sounds_now(&self, id: &EmergencyId) -> bool {
        let what = self.playing.as_ref().map(|playing| &playing.what);
        matches!(what, Some(What::Emergency(sounding, _)) if sounding == id)
    }

    fn give_up_emergencies(&mut self, utc: Timestamp) {
        let spent =
            |id: &EmergencyId| self.diary.attempts.get(id).is_some_and(|n| *n >= ATTEMPTS_MAX);
        let held = self.emergencies.held.values();
        let done = held.filter(|e| !self.sounds_now(&e.id) && (e.expires <= utc || spent(&e.id)));
        let done: Vec<(EmergencyId, Timestamp)> = done.map(|e| (e.id.clone(), e.expires)).collect();
        for (id, expires) in done {
            let attempt = self.diary.attempts.get(&id).copied().unwrap_or(0);
            self.over(utc, &id, expires, (EmergencyStep::Failed, attempt), None);
        }
    }

    /// What is played of an emergency: every language of the village that has not sounded yet and
    /// whose recording is held, in the village's order; nothing while none is.
    fn emergency_parts(&self, emergency: &Emergency, utc: Timestamp) -> Vec<Part> {
        let EmergencyAction::Play { repeat, gap_ms, .. } = &emergency.action else {
            return vec![];
        };
        let round: Vec<Part> = self
            .open_sounds(emergency)
            .filter(|sound| self.may_sound(sound.asset, utc))
            .map(|sound| Part::Sound { asset: sound.asset, language: sound.language.clone() })
            .collect();
        if round.is_empty() {
            return vec![];
        }
        let gap = Part::Silence(Duration::from_millis((*gap_ms).into()));
        let mut parts = vec![Part::Tone(Tone::Emergency)];
        for _ in 0..(*repeat).clamp(1, REPEAT_MAX) {
            parts.extend(round.iter().cloned());
            parts.push(gap.clone());
        }
        parts
    }
}
