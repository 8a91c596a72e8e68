//! Emergencies: raised by one officer, confirmed by another, each with their own key.
//!
//! **The server cannot raise one**: what leaves is a note under the signatures of as many officers
//! as the trust document asks for, each made with a key that only that officer's passphrase opens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::access::Action;
use crate::bulletin::Class;
use crate::bulletin::version::Version;
use crate::clock::utc_now;
use crate::dispatch::{Ordered, Raised};
use crate::id::{AreaId, BulletinId, ControllerId, EmergencyId, PersonId};
use crate::note::{Note, Signer};
use crate::protocol::{
    Emergency, EmergencyAction, EmergencySound, Order, OrderCommand, decode, encode,
};
use crate::receipt::{EmergencyStep, Evidence};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{Doing, EmergencyRow, Fact, OrderRow};
use crate::time::Timestamp;
use crate::trust::{Role, TrustError};

/// Between the first officer's signature and the last at most: what was meant an hour ago may be
/// wrong now.
const CONFIRM_WITHIN: Duration = Duration::from_mins(15);

/// How long an order may wait for its controller (protocol, section 12).
const ORDER_VALID: Duration = Duration::from_mins(5);

/// What one officer asks to be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its id.
    pub id: EmergencyId,
    /// An approved bulletin of class emergency; every approved version goes out.
    pub bulletin: BulletinId,
    /// Where: an area stands for everything below it.
    pub areas: Vec<AreaId>,
    /// How often it is played, 1 to 10.
    pub repeat: u8,
    /// Silence between repeats in milliseconds.
    pub gap_ms: u32,
    /// For how long it may begin, at most 24 hours.
    pub lasts: Duration,
}

/// Why an emergency was not raised.
#[derive(Debug, thiserror::Error)]
pub enum AlarmError {
    /// An id that is taken.
    #[error("there was an emergency {0} already; give this one another id")]
    Known(EmergencyId),
    /// No such emergency.
    #[error("no emergency {0} waits for this; see `loaban emergency list`")]
    Unknown(EmergencyId),
    /// Nothing to play.
    #[error(
        "{0} is no bulletin of class emergency with an approved version that is valid now; \
         record one, let it be reviewed and approved, then raise the emergency"
    )]
    NoSound(BulletinId),
    /// No such place.
    #[error("no area {0} in the schedule; see `loaban schedule export` or areas.toml")]
    NoArea(AreaId),
    /// Repeats or length out of range.
    #[error("{0}")]
    Range(&'static str),
    /// The same officer again.
    #[error("{0} signed this already; another officer must confirm it")]
    Same(PersonId),
    /// The first signature is old.
    #[error("{0} was begun more than 15 minutes ago; raise it anew under another id")]
    Late(EmergencyId),
}

/// What came of an officer's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Another officer must confirm it.
    Waits {
        /// Signatures that it has.
        have: usize,
        /// Signatures that it needs.
        need: usize,
    },
    /// It leaves as soon as the log has it.
    Raised,
}

/// How far an emergency came at one controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub controller: ControllerId,
    /// Where it stands.
    pub area: AreaId,
    /// The last step it told of, with the attempt and when; `None` while nothing came.
    pub told: Option<(EmergencyStep, u8, Timestamp)>,
    /// How the last attempt is known to have sounded.
    pub evidence: Option<Evidence>,
    /// When it was last heard of at all.
    pub seen: Option<Timestamp>,
}

impl Reached {
    /// How far it came, in one word.
    pub fn word(&self) -> &'static str {
        match self.told.map(|(step, ..)| step) {
            None => "silent",
            Some(EmergencyStep::Accepted) => "accepted",
            Some(EmergencyStep::Begun) => "begun",
            Some(EmergencyStep::Completed) => "completed",
            Some(EmergencyStep::Cancelled) => "cancelled",
            Some(EmergencyStep::Failed) => "failed",
        }
    }
}

impl Station {
    /// `by` asks for an emergency and signs it; another officer confirms.
    pub async fn raise(
        &self,
        alarm: &Alarm,
        by: &PersonId,
        passphrase: &str,
    ) -> Result<Signed, ServerError> {
        check(alarm)?;
        self.may_alarm(by, &alarm.areas).await?;
        let held = self.store.emergencies().await?;
        if held.iter().any(|row| row.id == alarm.id) {
            return Err(AlarmError::Known(alarm.id.clone()).into());
        }
        let now = utc_now();
        let sounds = self.alarm_sounds(&alarm.bulletin, now).await?;
        let (repeat, gap_ms) = (alarm.repeat, alarm.gap_ms);
        let document = Emergency {
            id: alarm.id.clone(),
            sequence: next_sequence(&held, now),
            issued: now,
            expires: now + alarm.lasts,
            areas: alarm.areas.clone(),
            action: EmergencyAction::Play { sounds, repeat, gap_ms },
        };
        self.begin_signing(&document, Doing::Play, by, passphrase).await
    }

    /// `by` asks for an emergency to be taken back, and signs that.
    pub async fn cancel(
        &self,
        id: &EmergencyId,
        by: &PersonId,
        passphrase: &str,
    ) -> Result<Signed, ServerError> {
        let held = self.store.emergencies().await?;
        let now = utc_now();
        let raised = held.iter().find(|row| row.id == *id && row.doing == Doing::Play);
        let raised = raised.ok_or_else(|| AlarmError::Unknown(id.clone()))?;
        let played = self.read_emergency(&raised.note)?;
        self.may_alarm(by, &played.areas).await?;
        let document = Emergency {
            sequence: next_sequence(&held, now),
            issued: now,
            // A cancel counts for as long as what it takes back.
            expires: played.expires,
            action: EmergencyAction::Cancel {},
            ..played
        };
        self.begin_signing(&document, Doing::Cancel, by, passphrase).await
    }

    /// `by` confirms what another officer began.
    pub async fn confirm(
        &self,
        id: &EmergencyId,
        by: &PersonId,
        passphrase: &str,
    ) -> Result<Signed, ServerError> {
        let held = self.store.emergencies().await?;
        let waiting = held.into_iter().find(|row| row.id == *id && row.raised.is_none());
        let row = waiting.ok_or_else(|| AlarmError::Unknown(id.clone()))?;
        if utc_now().since(row.begun) > CONFIRM_WITHIN {
            return Err(AlarmError::Late(id.clone()).into());
        }
        self.may_alarm(by, &self.read_emergency(&row.note)?.areas).await?;
        let key = self.unseal_officer(by, passphrase)?;
        let note = Note::parse(row.note.as_bytes())?;
        if note.verify([&key.public()]).is_ok() {
            return Err(AlarmError::Same(by.clone()).into());
        }
        let note = key.cosign(&row.note)?;
        self.keep_signature(EmergencyRow { note, ..row }, by).await
    }

    /// Whether `by` is an officer of every one of these areas.
    async fn may_alarm(&self, by: &PersonId, areas: &[AreaId]) -> Result<(), ServerError> {
        let duties = self.person(by).await?.1;
        let tree = self.schedule().await?.tree;
        for area in areas {
            if tree.get(area).is_none() {
                return Err(AlarmError::NoArea(area.clone()).into());
            }
            duties.allow(by.as_str(), Action::Alarm, &tree.chain(area))?;
        }
        Ok(())
    }

    async fn begin_signing(
        &self,
        document: &Emergency,
        doing: Doing,
        by: &PersonId,
        passphrase: &str,
    ) -> Result<Signed, ServerError> {
        let key = self.unseal_officer(by, passphrase)?;
        let row = EmergencyRow {
            id: document.id.clone(),
            doing,
            sequence: document.sequence,
            begun: document.issued,
            expires: document.expires,
            note: key.sign(&encode(&self.config.net, document)),
            raised: None,
            logged: false,
        };
        self.keep_signature(row, by).await
    }

    /// Keeps one more signature, and raises the emergency where it was the last one needed.
    async fn keep_signature(
        &self,
        row: EmergencyRow,
        by: &PersonId,
    ) -> Result<Signed, ServerError> {
        let signed = self.count_signatures(&row.note).await?;
        let now = utc_now();
        let raised = (signed == Signed::Raised).then_some(now);
        let kind = match (row.doing, raised) {
            (Doing::Play, None) => "emergency.asked",
            (Doing::Play, Some(_)) => "emergency.raised",
            (Doing::Cancel, None) => "emergency.cancel-asked",
            (Doing::Cancel, Some(_)) => "emergency.cancelled",
        };
        let body = serde_json::json!({ "emergency": row.id, "note": row.note });
        let fact = Fact::new(now, kind, format!("person:{by}"), &body);
        let mut tx = self.store.begin().await?;
        tx.tell(&fact).await?;
        tx.put_emergency(&EmergencyRow { raised, ..row }, Some(&fact.id)).await?;
        tx.commit().await?;
        Ok(signed)
    }

    /// Whether enough officers signed for every area that the note names.
    async fn count_signatures(&self, note: &str) -> Result<Signed, ServerError> {
        let (trust, _) = self.trust().await?;
        let tree = self.schedule().await?.tree;
        let document = self.read_emergency(note)?;
        let note = Note::parse(note.as_bytes())?;
        let mut signed = Signed::Raised;
        for area in &document.areas {
            match trust.open_emergency(&note, &tree.chain(area), utc_now()) {
                Ok(_) => {}
                Err(TrustError::TooFew { have, need, .. }) => signed = Signed::Waits { have, need },
                Err(error) => return Err(error.into()),
            }
        }
        Ok(signed)
    }

    /// The document that a note of ours holds.
    pub fn read_emergency(&self, note: &str) -> Result<Emergency, ServerError> {
        Ok(decode(&self.config.net, Note::parse(note.as_bytes())?.text())?)
    }

    async fn alarm_sounds(
        &self,
        bulletin: &BulletinId,
        now: Timestamp,
    ) -> Result<Vec<EmergencySound>, ServerError> {
        let bulletins = self.store.bulletins().await?;
        let fits = bulletins.iter().any(|held| {
            let valid = held.valid_from <= now && now < held.valid_until;
            held.id == *bulletin && held.class == Class::Emergency && valid
        });
        let mut sounds = Vec::new();
        for version in self.store.versions_of(bulletin).await? {
            if let Version::Approved(approved) = version {
                let audible = approved.publish();
                let (language, asset) = (audible.language.clone(), audible.recording.asset);
                sounds.push(EmergencySound { language, asset });
            }
        }
        if !fits || sounds.is_empty() {
            return Err(AlarmError::NoSound(bulletin.clone()).into());
        }
        Ok(sounds)
    }

    /// Signed emergencies that are in the log and not expired, with the controllers that have not
    /// told of them.
    pub async fn standing(&self, now: Timestamp) -> Result<Vec<Raised>, ServerError> {
        let mut standing = Vec::new();
        for row in self.leaving(now).await? {
            let told = self.store.emergency_told(&row.id).await?;
            let cancels = row.cancels;
            let told = told.iter().filter(|told| !cancels || told.step.ends());
            let told: BTreeSet<&ControllerId> = told.map(|told| &told.controller).collect();
            let there = self.in_areas(&row.areas).await?.into_iter().map(|(id, _)| id);
            let waiting = there.filter(|controller| !told.contains(controller)).collect();
            standing.push(Raised { waiting, ..row });
        }
        Ok(standing)
    }

    /// Signed emergencies that are in the log and not expired.
    pub async fn leaving(&self, now: Timestamp) -> Result<Vec<Raised>, ServerError> {
        let mut rows = self.store.emergencies().await?;
        rows.retain(|row| row.logged && row.raised.is_some() && now < row.expires);
        // A cancel comes after what it takes back.
        rows.sort_by_key(|row| row.sequence);
        let raised = |row: EmergencyRow| {
            Ok(Raised {
                areas: self.read_emergency(&row.note)?.areas,
                id: row.id,
                sequence: row.sequence,
                expires: row.expires,
                cancels: row.doing == Doing::Cancel,
                note: row.note,
                waiting: BTreeSet::new(),
            })
        };
        rows.into_iter().map(raised).collect()
    }

    /// The enrolled controllers in or below these areas.
    async fn in_areas(&self, areas: &[AreaId]) -> Result<Vec<(ControllerId, AreaId)>, ServerError> {
        let schedule = self.schedule().await?;
        let devices = self.store.devices().await?;
        let alive = devices.iter().filter(|d| d.revoked.is_none() && d.public_key.is_some());
        let alive: BTreeSet<&ControllerId> = alive.map(|device| &device.controller).collect();
        let there = schedule.controllers.into_iter().filter(|controller| {
            let chain = schedule.tree.chain(&controller.area);
            alive.contains(&controller.id) && areas.iter().any(|area| chain.contains(area))
        });
        Ok(there.map(|controller| (controller.id, controller.area)).collect())
    }

    /// How far an emergency came at each controller of its areas: those that told nothing first.
    pub async fn reached(&self, id: &EmergencyId) -> Result<Vec<Reached>, ServerError> {
        let held = self.store.emergencies().await?;
        let row = held.iter().find(|row| row.id == *id && row.doing == Doing::Play);
        let row = row.ok_or_else(|| AlarmError::Unknown(id.clone()))?;
        let areas = self.read_emergency(&row.note)?.areas;
        let told: BTreeMap<_, _> = self
            .store
            .emergency_told(id)
            .await?
            .into_iter()
            .map(|told| (told.controller, ((told.step, told.attempt, told.at), told.evidence)))
            .collect();
        let statuses = self.store.statuses().await?;
        let seen = |controller: &ControllerId| {
            statuses.iter().find(|row| row.status.controller == *controller).map(|row| row.seen)
        };
        let there = self.in_areas(&areas).await?.into_iter();
        let mut reached: Vec<Reached> = there
            .map(|(controller, area)| Reached {
                told: told.get(&controller).map(|told| told.0),
                evidence: told.get(&controller).and_then(|told| told.1),
                seen: seen(&controller),
                controller,
                area,
            })
            .collect();
        reached.sort_by_key(|one| one.told.map(|(step, ..)| rank(step)));
        Ok(reached)
    }

    /// Signs an order to one controller with the server's schedule key.
    pub async fn give_order(
        &self,
        controller: &ControllerId,
        command: OrderCommand,
        by: &PersonId,
    ) -> Result<u64, ServerError> {
        let schedule = self.schedule().await?;
        let known = schedule.controllers.iter().find(|known| known.id == *controller);
        let known = known.ok_or_else(|| ServerError::UnknownController(controller.clone()))?;
        let place = schedule.tree.chain(&known.area);
        self.person(by).await?.1.allow(by.as_str(), Action::Order, &place)?;
        let devices = self.store.devices().await?;
        if !devices.iter().any(|device| device.controller == *controller) {
            return Err(ServerError::NotProvisioned(controller.clone()));
        }
        let now = utc_now();
        let last = self.store.order_number(controller).await?;
        let number = (last + 1).max(u64::try_from(now.micros() / 1_000_000).unwrap_or_default());
        let expires = now + ORDER_VALID;
        let order = Order { controller: controller.clone(), number, issued: now, expires, command };
        let note = self.online_keys()?.schedule.sign(&encode(&self.config.net, &order));
        let body = serde_json::json!({ "controller": controller, "note": note });
        let fact = Fact::new(now, "order.given", format!("person:{by}"), &body);
        let row = OrderRow { controller: order.controller, number, expires, note };
        let mut tx = self.store.begin().await?;
        tx.tell(&fact).await?;
        tx.put_order(&row, &fact.id).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Orders that are in the log and not expired.
    pub async fn orders_leaving(&self, now: Timestamp) -> Result<Vec<Ordered>, ServerError> {
        let ordered = |row: OrderRow| Ordered {
            controller: row.controller,
            number: row.number,
            expires: row.expires,
            note: row.note,
        };
        Ok(self.store.orders(now).await?.into_iter().map(ordered).collect())
    }

    fn unseal_officer(&self, by: &PersonId, passphrase: &str) -> Result<Signer, ServerError> {
        self.unseal_key(by, Role::Emergency, passphrase)
    }
}

/// Those that are farthest from the end first.
fn rank(step: EmergencyStep) -> u8 {
    match step {
        EmergencyStep::Accepted => 1,
        EmergencyStep::Begun => 2,
        EmergencyStep::Failed => 3,
        EmergencyStep::Cancelled => 4,
        EmergencyStep::Completed => 5,
    }
}

fn check(alarm: &Alarm) -> Result<(), AlarmError> {
    if !(1..=10).contains(&alarm.repeat) {
        return Err(AlarmError::Range("an emergency is played 1 to 10 times; change --repeat"));
    }
    if alarm.gap_ms > 60_000 {
        return Err(AlarmError::Range("the gap is at most 60 seconds; change --gap-ms"));
    }
    if alarm.lasts < Duration::from_mins(1) || alarm.lasts > Duration::from_hours(24) {
        return Err(AlarmError::Range("it lasts 1 minute to 24 hours; change --minutes"));
    }
    if alarm.areas.is_empty() {
        return Err(AlarmError::Range("say where: name at least one area with --area"));
    }
    Ok(())
}

/// Above every earlier one, also where the database is of an old backup.
fn next_sequence(held: &[EmergencyRow], now: Timestamp) -> u64 {
    let last = held.iter().map(|row| row.sequence).max().unwrap_or(0);
    (last + 1).max(u64::try_from(now.micros() / 1_000_000).unwrap_or_default())
}
