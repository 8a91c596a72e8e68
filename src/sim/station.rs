//! The station's people and keys: who approves what, who raises alarms, and what was really signed.

mod alarm;
mod content;
mod keyring;
mod planning;
mod rotation;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

pub(super) use alarm::Raised;
pub(super) use content::{Recording, describe};
pub(super) use planning::{Planned, airings_after, date};
pub(super) use rotation::Turn;

use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::id::{AreaId, ControllerId, EmergencyId, NetId};
use crate::lang::LangTag;
use crate::manifest::Manifest;
use crate::note::{PublicKey, Signer};
use crate::protocol::{Document, encode};
use crate::sim::Signatures;
use crate::time::Timestamp;
use crate::trust::{Anchors, Role, TrustDocument};

/// Villages in a commune.
const VILLAGES: usize = 5;

/// What villages listen to: each asks for its own language, then for Vietnamese.
const LANGUAGES: [&str; 5] = ["mww", "hni", "twh", "ium", "vi"];

/// UTC at the true time `at` of a simulation: it begins on Monday 2026-11-23 at midnight in Viet Nam.
pub(super) fn utc_at(at: Duration) -> Timestamp {
    Timestamp::from_seconds(1_795_366_800) + at
}

/// Where a controller stands and what is understood there.
#[derive(Debug)]
pub(super) struct Village {
    /// Root first.
    pub(super) areas: Vec<AreaId>,
    pub(super) languages: Vec<LangTag>,
}

/// Everything that the station's people know and did.
#[derive(Debug)]
pub(super) struct Station {
    net: NetId,
    keyring: keyring::Keyring,
    pub(super) villages: Vec<Village>,
    /// Every trust document with its note, oldest first.
    trust: Vec<(TrustDocument, String)>,
    /// How often the approver's key, the schedule key and the root were replaced.
    turns: [u64; 3],
    pub(super) recordings: BTreeMap<Digest, Recording>,
    bulletins: Vec<content::Bulletin>,
    pub(super) planned: BTreeMap<AiringKey, Planned>,
    /// Digests of the manifests that were really issued, for whom, and by which key.
    manifests: BTreeMap<Digest, (ControllerId, PublicKey)>,
    pub(super) raised: BTreeMap<EmergencyId, Raised>,
    sequence: u64,
    orders: BTreeMap<ControllerId, BTreeMap<u64, Timestamp>>,
    pub(super) stolen: BTreeSet<ControllerId>,
}

impl Station {
    pub(super) fn new(salt: u64, controllers: usize, signatures: Signatures) -> Self {
        let villages = (0..controllers.div_ceil(2).max(2)).map(village).collect();
        let mut station = Self {
            net: "mo-phong".parse().expect("an id"),
            keyring: keyring::Keyring::new(salt, signatures),
            villages,
            trust: vec![],
            turns: [0; 3],
            recordings: BTreeMap::new(),
            bulletins: vec![],
            planned: BTreeMap::new(),
            manifests: BTreeMap::new(),
            raised: BTreeMap::new(),
            sequence: 0,
            orders: BTreeMap::new(),
            stolen: BTreeSet::new(),
        };
        station.publish_trust(Duration::ZERO, &[]);
        station
    }

    pub(super) fn net(&self) -> &NetId {
        &self.net
    }

    /// A key of this station.
    pub(super) fn key(&self, role: Role, holder: &str) -> Rc<Signer> {
        self.keyring.key(role.key_name(&self.net, holder))
    }

    /// The same key, for a machine that keeps it.
    pub(super) fn own_key(&self, role: Role, holder: &str) -> Signer {
        self.keyring.cut(role.key_name(&self.net, holder))
    }

    /// The key that a device made for itself.
    pub(super) fn device_key(&self, controller: &ControllerId) -> Rc<Signer> {
        self.key(Role::Device, controller.as_str())
    }

    /// The server's key that signs manifests and orders now.
    pub(super) fn schedule_key(&self) -> Rc<Signer> {
        self.key(Role::Schedule, &(self.turns[1] + 1).to_string())
    }

    pub(super) fn sign<D: Document>(&self, key: &Signer, document: &D) -> String {
        key.sign(&encode(&self.net, document))
    }

    /// What installers bring.
    pub(super) fn provision(&self) -> &str {
        self.trust.first().map_or("", |(_, note)| note)
    }

    pub(super) fn anchors(&self) -> Anchors {
        self.trust.first().expect("made with the station").0.anchors()
    }

    pub(super) fn trust_notes(&self) -> Vec<String> {
        self.trust.iter().map(|(_, note)| note.clone()).collect()
    }

    /// The version of this very trust document; `None` where the station never made it.
    pub(super) fn trust_version(&self, note: &str) -> Option<u64> {
        self.trust.iter().find(|(_, known)| known == note).map(|(document, _)| document.version)
    }

    pub(super) fn trust_of(&self, version: u64) -> Option<&TrustDocument> {
        self.trust.iter().map(|(document, _)| document).find(|d| d.version == version)
    }

    pub(super) fn newest_trust(&self) -> &TrustDocument {
        &self.trust.last().expect("made with the station").0
    }

    pub(super) fn note_manifest(&mut self, manifest: &Manifest, note: &str) {
        let of = (manifest.controller.clone(), self.schedule_key().public());
        self.manifests.insert(Digest::of(note.as_bytes()), of);
    }

    /// Whether the station issued this very manifest to this controller.
    pub(super) fn issued(&self, to: &ControllerId, note: &str) -> bool {
        self.manifests.get(&Digest::of(note.as_bytes())).is_some_and(|(whose, _)| whose == to)
    }

    /// The key that signed this very manifest.
    pub(super) fn issuer(&self, note: &str) -> Option<&PublicKey> {
        self.manifests.get(&Digest::of(note.as_bytes())).map(|(_, key)| key)
    }

    /// Numbers an order that the station gives.
    pub(super) fn next_order(&mut self, to: &ControllerId, expires: Timestamp) -> u64 {
        let orders = self.orders.entry(to.clone()).or_default();
        let number = orders.last_key_value().map_or(1, |(last, _)| last + 1);
        orders.insert(number, expires);
        number
    }

    /// When an order expires that the station really gave.
    pub(super) fn order(&self, to: &ControllerId, number: u64) -> Option<Timestamp> {
        self.orders.get(to)?.get(&number).copied()
    }

    pub(super) fn province() -> AreaId {
        "tinh".parse().expect("an id")
    }
}

fn village(nth: usize) -> Village {
    let commune = nth / VILLAGES;
    let areas = ["tinh".to_owned(), format!("xa-{commune}"), format!("ban-{nth}")];
    let own = LANGUAGES[nth % LANGUAGES.len()];
    let mut languages = vec![own];
    if own != "vi" {
        languages.push("vi");
    }
    Village {
        areas: areas.iter().map(|area| area.parse().expect("an id")).collect(),
        languages: languages.iter().map(|tag| tag.parse().expect("a tag")).collect(),
    }
}
