//! Who may connect to the embedded broker: the server itself and every device that is not revoked.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use crate::broker::{Gatekeeper, Rules};
use crate::digest::Digest;
use crate::store::{CertificateRow, Device};

/// The embedded broker's gatekeeper, renewed when devices change.
#[derive(Debug)]
pub(super) struct Gate {
    rules: Rules,
    server: Digest,
    devices: RwLock<BTreeMap<String, Digest>>,
    /// The controller of each certificate that counts, by its serial number.
    certificates: RwLock<BTreeMap<String, String>>,
}

impl Gate {
    pub(super) fn new(rules: Rules, server_password: &str) -> Self {
        let server = Digest::of(server_password.as_bytes());
        Self { rules, server, devices: RwLock::default(), certificates: RwLock::default() }
    }

    pub(super) fn renew(&self, devices: &[Device], certificates: Vec<CertificateRow>) {
        let alive = devices.iter().filter(|device| device.revoked.is_none());
        let passwords: BTreeMap<_, _> =
            alive.map(|d| (d.controller.to_string(), d.password)).collect();
        let counts = |row: &CertificateRow| {
            row.revoked.is_none() && passwords.contains_key(row.controller.as_str())
        };
        let certificates = certificates.into_iter().filter(counts);
        let certificates =
            certificates.map(|row| (row.serial, row.controller.to_string())).collect();
        *self.certificates.write().unwrap_or_else(PoisonError::into_inner) = certificates;
        *self.devices.write().unwrap_or_else(PoisonError::into_inner) = passwords;
    }
}

impl Gatekeeper for Gate {
    fn login(&self, client_id: &str, user: &str, given: Digest) -> bool {
        // Passwords have 128 random bits: their SHA-256 gives nothing away, in time or otherwise.
        let expected = if user == "server" {
            Some(self.server)
        } else {
            let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
            devices.get(user).copied()
        };
        expected == Some(given) && self.rules.may_connect(user, client_id)
    }

    fn certified(&self, client_id: &str, user: &str, serial: &str) -> bool {
        let certificates = self.certificates.read().unwrap_or_else(PoisonError::into_inner);
        let holder = certificates.get(serial).is_some_and(|controller| controller == user);
        holder && self.rules.may_connect(user, client_id)
    }

    fn may_publish(&self, user: &str, topic: &str) -> bool {
        self.rules.may_publish(user, topic)
    }

    fn may_subscribe(&self, user: &str, filter: &str) -> bool {
        self.rules.may_subscribe(user, filter)
    }
}
