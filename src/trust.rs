//! Which keys may sign what: the root-signed trust document and the rules for taking a new one.
//!
//! **A key outside the trust document signs nothing that counts.** A new document is taken only
//! if its version is exactly one above the one held and it is signed by the threshold of the root
//! keys that are held *and* of those that it names, so a rotation needs both.

mod code;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AreaId, ControllerId, NetId, PersonId};
use crate::note::{KeyName, Note, NoteError, PublicKey, Signer};
use crate::time::Timestamp;

pub use code::{CODE_LETTERS, Code, NotACode};

/// Keys in a trust document at most: every approver of a province, several times over.
pub const KEYS_MAX: usize = 500;

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Trust documents. Kept offline.
    Root,
    /// Content descriptors: an approver's own key.
    Content,
    /// Emergencies: an officer's own key, counted against a threshold.
    Emergency,
    /// Manifests and orders: the server's.
    Schedule,
    /// Answers to a controller that asks what time it is: the server's.
    Time,
    /// Acknowledgements of receipts: the server's.
    Ack,
    /// Checkpoints of the broadcast log: the server's.
    Log,
    /// What one controller says: made on the device, never listed in the trust document.
    Device,
}

impl Role {
    /// The role as it stands in a key name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Content => "content",
            Self::Emergency => "emergency",
            Self::Schedule => "schedule",
            Self::Time => "time",
            Self::Ack => "ack",
            Self::Log => "log",
            Self::Device => "device",
        }
    }

    /// The name of a key with this role: `{net}/{role}/{holder}`.
    pub fn key_name(self, net: &NetId, holder: &str) -> KeyName {
        let name = format!("{net}/{}/{holder}", self.as_str());
        name.parse().expect("ids hold no space, no + and no control character")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name of a controller's own key.
pub fn device_key_name(net: &NetId, controller: &ControllerId) -> KeyName {
    Role::Device.key_name(net, controller.as_str())
}

/// The name of a person's key.
pub fn person_key_name(net: &NetId, role: Role, person: &PersonId) -> KeyName {
    role.key_name(net, person.as_str())
}

/// One key with its role and where it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub role: Role,
    /// Where: an area stands for everything below it.
    pub areas: Vec<AreaId>,
    /// Until when (UTC, µs).
    pub until: Timestamp,
}

/// The document that says which keys may sign what; `typ` is `trust`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustDocument {
    /// Counts up by one.
    pub version: u64,
    /// When it was made (UTC, µs).
    pub issued: Timestamp,
    /// How many of `roots` must sign the next document.
    pub root_threshold: u8,
    /// The root keys.
    pub roots: Vec<PublicKey>,
    /// How many officers must sign an emergency.
    pub emergency_threshold: u8,
    /// Every other key.
    pub keys: Vec<Grant>,
    /// Controllers that are stolen or lost; what they send counts for nothing.
    pub revoked: Vec<ControllerId>,
}

/// Why a trust document, or a note under it, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The signatures do not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer signatures than the rule asks for.
    #[error("{have} of {need} {role} signatures; ask another holder of a {role} key to sign")]
    TooFew {
        /// Signatures that are right.
        have: usize,
        /// Signatures asked for.
        need: usize,
        /// The role that they must have.
        role: Role,
    },
    /// Not exactly one above the version held.
    #[error("trust version {offered} does not follow version {held}; send each version in turn")]
    OutOfTurn {
        /// The version held.
        held: u64,
        /// The version offered.
        offered: u64,
    },
    /// No key of this role, or more keys than allowed, or a rule that nobody can meet.
    #[error("the trust document is not sound: {0}")]
    Unsound(&'static str),
    /// The key may sign such notes, but not for this place.
    #[error("{signer} may not sign for {area}")]
    WrongArea {
        /// Who signed.
        signer: KeyName,
        /// For where.
        area: AreaId,
    },
}

/// The root keys that a controller or an auditor starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchors {
    /// How many of `roots` must sign.
    pub root_threshold: u8,
    /// The root keys.
    pub roots: Vec<PublicKey>,
}

impl Anchors {
    /// Whether enough of these root keys signed `note`.
    pub fn verify(&self, note: &Note<'_>) -> Result<(), TrustError> {
        threshold(note, self.roots.iter(), self.root_threshold, Role::Root)
    }
}

impl TrustDocument {
    /// The root keys and threshold that the next document must satisfy.
    pub fn anchors(&self) -> Anchors {
        Anchors { root_threshold: self.root_threshold, roots: self.roots.clone() }
    }

    /// Whether its rules can be met and its limits hold.
    pub fn check(&self) -> Result<(), TrustError> {
        let officers = self.keys.iter().filter(|grant| grant.role == Role::Emergency);
        let officers: BTreeSet<&KeyName> = officers.map(|grant| grant.key.name()).collect();
        let roots: BTreeSet<&KeyName> = self.roots.iter().map(PublicKey::name).collect();
        if self.keys.len() > KEYS_MAX {
            return Err(TrustError::Unsound("it names more keys than allowed"));
        }
        if self.root_threshold == 0 || usize::from(self.root_threshold) > roots.len() {
            return Err(TrustError::Unsound("its root threshold is 0 or above its root keys"));
        }
        if self.emergency_threshold == 0
            || (!officers.is_empty() && usize::from(self.emergency_threshold) > officers.len())
        {
            return Err(TrustError::Unsound("its emergency threshold is 0 or above its officers"));
        }
        if self.keys.iter().any(|g| matches!(g.role, Role::Root | Role::Device)) {
            return Err(TrustError::Unsound("root and device keys are not granted in `keys`"));
        }
        Ok(())
    }

    /// Whether this document, signed by `note`, may follow `held`.
    pub fn follows(&self, held: &Self, note: &Note<'_>) -> Result<(), TrustError> {
        if Some(self.version) != held.version.checked_add(1) {
            return Err(TrustError::OutOfTurn { held: held.version, offered: self.version });
        }
        self.begins(&held.anchors(), note)
    }

    /// Whether this document, signed by `note`, may be the first one held under `anchors`.
    pub fn begins(&self, anchors: &Anchors, note: &Note<'_>) -> Result<(), TrustError> {
        self.check()?;
        anchors.verify(note)?;
        self.anchors().verify(note)
    }

    /// The keys that may sign as `role` at `at`.
    pub fn keys(&self, role: Role, at: Timestamp) -> impl Iterator<Item = &PublicKey> {
        self.grants(role, at).map(|grant| &grant.key)
    }

    fn grants(&self, role: Role, at: Timestamp) -> impl Iterator<Item = &Grant> {
        self.keys.iter().filter(move |grant| grant.role == role && at < grant.until)
    }

    /// Opens a note that one key of `role` must have signed for a place whose areas, root first,
    /// are `chain`. Returns the text and the signer.
    pub fn open<'a>(
        &self,
        note: &Note<'a>,
        role: Role,
        chain: &[AreaId],
        at: Timestamp,
    ) -> Result<(&'a str, KeyName), TrustError> {
        let verified = note.verify(self.keys(role, at))?;
        let signer = verified.signers[0].name().clone();
        let covers = |grant: &Grant| grant.areas.iter().any(|area| chain.contains(area));
        let named: Vec<&KeyName> = verified.signers.iter().map(|key| key.name()).collect();
        let allowed = self.grants(role, at).any(|g| named.contains(&g.key.name()) && covers(g));
        match chain.last() {
            Some(area) if !allowed => Err(TrustError::WrongArea { signer, area: area.clone() }),
            _ => Ok((verified.text, signer)),
        }
    }

    /// Opens an emergency: enough officers, each for a place above or at the controller's.
    pub fn open_emergency<'a>(
        &self,
        note: &Note<'a>,
        chain: &[AreaId],
        at: Timestamp,
    ) -> Result<&'a str, TrustError> {
        let here = self
            .grants(Role::Emergency, at)
            .filter(|grant| chain.is_empty() || grant.areas.iter().any(|a| chain.contains(a)))
            .map(|grant| &grant.key);
        threshold(note, here, self.emergency_threshold, Role::Emergency)?;
        Ok(note.text())
    }

    /// Whether what this controller says counts for nothing.
    pub fn is_revoked(&self, controller: &ControllerId) -> bool {
        self.revoked.contains(controller)
    }
}

/// Enough people signed: one key under two names is one person, and so are two keys of one name.
fn threshold<'k>(
    note: &Note<'_>,
    keys: impl Iterator<Item = &'k PublicKey>,
    need: u8,
    role: Role,
) -> Result<(), TrustError> {
    let verified = note.verify(keys)?;
    let have = people(verified.signers);
    if have < usize::from(need.max(1)) {
        return Err(TrustError::TooFew { have, need: need.into(), role });
    }
    Ok(())
}

/// How many people hold these keys at least: keys that share a name or their bytes have one holder.
fn people<'k>(keys: impl IntoIterator<Item = &'k PublicKey>) -> usize {
    let mut holders: Vec<Vec<&PublicKey>> = Vec::new();
    for key in keys {
        let is_same = |held: &&PublicKey| held.name() == key.name() || held.bytes() == key.bytes();
        let (same, others): (Vec<_>, Vec<_>) =
            holders.into_iter().partition(|holder| holder.iter().any(is_same));
        holders = others;
        holders.push(same.into_iter().flatten().chain([key]).collect());
    }
    holders.len()
}

/// The server's own keys, all unsealed while it runs.
#[derive(Debug)]
pub struct OnlineKeys {
    /// Signs manifests and orders.
    pub schedule: Signer,
    /// Signs answers to controllers that ask the time.
    pub time: Signer,
    /// Signs acknowledgements.
    pub ack: Signer,
    /// Signs checkpoints.
    pub log: Signer,
}

impl OnlineKeys {
    /// The four keys with their roles, in the order of the trust document.
    pub fn all(&self) -> [(Role, &Signer); 4] {
        [
            (Role::Schedule, &self.schedule),
            (Role::Time, &self.time),
            (Role::Ack, &self.ack),
            (Role::Log, &self.log),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str, byte: u8) -> Signer {
        Signer::from_seed(name.parse().unwrap(), &[byte; 32])
    }

    fn grant(key: &Signer, role: Role, area: &str) -> Grant {
        let until = Timestamp::from_seconds(100);
        Grant { key: key.public(), role, areas: vec![area.parse().unwrap()], until }
    }

    fn document(version: u64, roots: &[&Signer], threshold: u8, keys: Vec<Grant>) -> TrustDocument {
        TrustDocument {
            version,
            issued: Timestamp::EPOCH,
            root_threshold: threshold,
            roots: roots.iter().map(|root| root.public()).collect(),
            emergency_threshold: 2,
            keys,
            revoked: vec![],
        }
    }

    fn areas(names: &[&str]) -> Vec<AreaId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_rotation_needs_the_old_root_and_the_new() {
        let (old, new) = (signer("x/root/1", 1), signer("x/root/2", 2));
        let held = document(1, &[&old], 1, vec![]);
        let next = document(2, &[&new], 1, vec![]);
        let by_old = old.sign("t\n");
        let by_both = new.cosign(&by_old).unwrap();
        let parse = |note: &str| next.follows(&held, &Note::parse(note.as_bytes()).unwrap());
        assert!(parse(&by_old).is_err());
        assert!(parse(&new.sign("t\n")).is_err());
        assert_eq!(parse(&by_both), Ok(()));
    }

    #[test]
    fn only_the_next_version_is_taken() {
        let root = signer("x/root/1", 1);
        let held = document(4, &[&root], 1, vec![]);
        let note = root.sign("t\n");
        let note = Note::parse(note.as_bytes()).unwrap();
        for (version, taken) in [(3, false), (4, false), (5, true), (6, false)] {
            let next = document(version, &[&root], 1, vec![]);
            assert_eq!(next.follows(&held, &note).is_ok(), taken, "{version}");
        }
    }

    #[test]
    fn a_note_signed_by_another_role_opens_nothing() {
        let (root, lan, server) =
            (signer("x/root/1", 1), signer("x/content/lan", 2), signer("x/schedule/1", 3));
        let keys = vec![
            grant(&lan, Role::Content, "lai-chau"),
            grant(&server, Role::Schedule, "lai-chau"),
        ];
        let trust = document(1, &[&root], 1, keys);
        let note = server.sign("x\n");
        let note = Note::parse(note.as_bytes()).unwrap();
        let chain = areas(&["lai-chau", "mu-ca"]);
        assert!(trust.open(&note, Role::Content, &chain, Timestamp::EPOCH).is_err());
        assert!(trust.open(&note, Role::Schedule, &chain, Timestamp::EPOCH).is_ok());
        assert!(trust.open(&note, Role::Schedule, &chain, Timestamp::from_seconds(100)).is_err());
        let elsewhere = areas(&["dien-bien"]);
        assert!(matches!(
            trust.open(&note, Role::Schedule, &elsewhere, Timestamp::EPOCH),
            Err(TrustError::WrongArea { .. })
        ));
    }

    #[test]
    fn an_emergency_needs_two_people_and_one_person_twice_is_one() {
        let (root, lan, minh) =
            (signer("x/root/1", 1), signer("x/emergency/lan", 2), signer("x/emergency/minh", 3));
        let (twin, renewed) = (signer("x/emergency/lan-2", 2), signer("x/emergency/lan", 4));
        let keys =
            [&lan, &minh, &twin, &renewed].map(|k| grant(k, Role::Emergency, "lai-chau")).to_vec();
        let trust = document(1, &[&root], 1, keys);
        let chain = areas(&["lai-chau"]);
        let open = |note: &str| {
            let note = Note::parse(note.as_bytes()).unwrap();
            trust.open_emergency(&note, &chain, Timestamp::EPOCH).map(str::len)
        };
        let one = lan.sign("lũ\n");
        assert!(matches!(open(&one), Err(TrustError::TooFew { have: 1, need: 2, .. })));
        assert!(open(&twin.cosign(&one).unwrap()).is_err());
        assert!(open(&renewed.cosign(&one).unwrap()).is_err());
        assert!(open(&twin.cosign(&renewed.sign("lũ\n")).unwrap()).is_ok());
        let all = twin.cosign(&renewed.cosign(&one).unwrap()).unwrap();
        assert!(matches!(open(&all), Err(TrustError::TooFew { have: 1, .. })));
        assert!(open(&minh.cosign(&one).unwrap()).is_ok());
    }
}
