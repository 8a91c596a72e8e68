//! Trust documents: the first, and those after a leaked key, a new root, a stolen controller.

use std::rc::Rc;
use std::time::Duration;

use crate::id::{AreaId, ControllerId};
use crate::note::Signer;
use crate::sim::station::{Station, utc_at};
use crate::trust::{Grant, Role, TrustDocument};

/// How long a grant lasts.
const GRANT: Duration = Duration::from_hours(24 * 400);

/// Which key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Turn {
    Approver,
    Schedule,
    Root,
}

impl Station {
    /// The key of the approver who signs for the whole province now.
    pub(in crate::sim) fn approver(&self) -> Rc<Signer> {
        self.key(Role::Content, &format!("lan-{}", self.turns[0]))
    }

    /// The officers of the province; two must sign.
    pub(in crate::sim) fn officers(&self) -> [Rc<Signer>; 2] {
        ["an", "ba"].map(|holder| self.key(Role::Emergency, holder))
    }

    /// The first officer's other key: one person with two keys is one.
    pub(in crate::sim) fn second_key(&self) -> Rc<Signer> {
        Rc::new(self.keyring.second(Role::Emergency.key_name(&self.net, "an")))
    }

    /// An officer of one commune alone.
    pub(in crate::sim) fn commune_officer(&self) -> Rc<Signer> {
        self.key(Role::Emergency, "du")
    }

    /// An approver of one commune alone.
    pub(in crate::sim) fn commune_approver(&self) -> Rc<Signer> {
        self.key(Role::Content, "minh")
    }

    pub(in crate::sim) fn root(&self, turn: u64) -> Rc<Signer> {
        self.key(Role::Root, &(turn + 1).to_string())
    }

    pub(in crate::sim) fn root_turn(&self) -> u64 {
        self.turns[2]
    }

    /// Replaces a key; what the old approver signed is signed again by the new one.
    pub(in crate::sim) fn rotate(&mut self, at: Duration, turn: Turn) {
        let old_root = self.root(self.turns[2]);
        self.turns[match turn {
            Turn::Approver => 0,
            Turn::Schedule => 1,
            Turn::Root => 2,
        }] += 1;
        self.publish_trust(at, &[old_root]);
        if turn == Turn::Approver {
            self.sign_again();
        }
    }

    /// A controller was stolen.
    pub(in crate::sim) fn revoke(&mut self, at: Duration, controller: &ControllerId) {
        self.stolen.insert(controller.clone());
        let root = self.root(self.turns[2]);
        self.publish_trust(at, &[root]);
    }

    pub(in crate::sim) fn publish_trust(&mut self, at: Duration, old_roots: &[Rc<Signer>]) {
        let document = self.trust_document(at);
        let root = self.root(self.turns[2]);
        let mut note = self.sign(&root, &document);
        for old in old_roots.iter().filter(|old| old.public() != root.public()) {
            note = old.cosign(&note).expect("our own note parses");
        }
        self.trust.push((document, note));
    }

    pub(in crate::sim) fn trust_document(&self, at: Duration) -> TrustDocument {
        let commune: AreaId = "xa-0".parse().expect("an id");
        let until = utc_at(at) + GRANT;
        let grant = |key: &Signer, role, area: &AreaId| Grant {
            key: key.public(),
            role,
            areas: vec![area.clone()],
            until,
        };
        let tinh = Self::province();
        let [an, ba] = self.officers();
        TrustDocument {
            version: self.trust.len() as u64 + 1,
            issued: utc_at(at),
            root_threshold: 1,
            roots: vec![self.root(self.turns[2]).public()],
            emergency_threshold: 2,
            keys: vec![
                grant(&self.approver(), Role::Content, &tinh),
                grant(&self.commune_approver(), Role::Content, &commune),
                grant(&an, Role::Emergency, &tinh),
                grant(&ba, Role::Emergency, &tinh),
                grant(&self.second_key(), Role::Emergency, &tinh),
                grant(&self.commune_officer(), Role::Emergency, &commune),
                grant(&self.schedule_key(), Role::Schedule, &tinh),
                grant(&self.key(Role::Time, "1"), Role::Time, &tinh),
                grant(&self.key(Role::Ack, "1"), Role::Ack, &tinh),
            ],
            revoked: self.stolen.iter().cloned().collect(),
        }
    }
}
