//! From a folder and a piece of paper to a device that counts.
//!
//! ```text
//!   station ── folder ──────────► device          trust anchors, no secret of anybody else
//!           ── paper: code ─────► installer
//!   station ◄─ enrolment ──────── device          its own keys, signed by them and by the code
//!           ◄─ fingerprint ────── installer       by telephone
//! ```
//!
//! **A key counts only with the code that lay in the box and the fingerprint that a person read out.** A
//! code serves one controller, once, for [`CODE_VALID`].

use std::time::Duration;

use crate::broker::Issued;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::{ControllerId, PersonId};
use crate::note::{Note, PublicKey, Signer};
use crate::protocol::{Enrolment, decode};
use crate::server::ServerError;
use crate::server::people::author;
use crate::server::station::Station;
use crate::store::{CertificateRow, CodeRow, Fact, Tx};
use crate::time::Timestamp;
use crate::trust::{Code, TrustDocument, device_key_name};

/// How long a code counts: a box travels to the mountains, waits for the installer and for the weather.
pub const CODE_VALID: Duration = Duration::from_hours(30 * 24);

/// What a new device is given.
#[derive(Debug)]
pub struct Provisioned {
    /// Its MQTT password, for a broker without TLS.
    pub password: String,
    /// For the paper in its box.
    pub code: Code,
    /// Until when the code counts.
    pub until: Timestamp,
}

/// A device that counts from now on.
#[derive(Debug)]
pub struct Enrolled {
    /// The key that it made.
    pub key: PublicKey,
    /// Its certificate, where it asked for one.
    pub certificate: Option<Issued>,
}

/// Why a device was not enrolled. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Made on another device.
    #[error("this was made on {found}, not on {expected}; take the file that {expected} printed")]
    OtherDevice {
        /// Where it was made.
        found: ControllerId,
        /// Where it was to be made.
        expected: ControllerId,
    },
    /// The code was not typed, is another one, or the text was altered on its way.
    #[error(
        "the code in the box of {0} did not sign this; type the newest code that was printed for it: \
         `loaban-controller enrol CODE`"
    )]
    NotByCode(ControllerId),
    /// The key does not vouch for the text.
    #[error("the key of {0} that stands in it did not sign this; it was altered on its way")]
    NotByKey(ControllerId),
    /// The code was used before.
    #[error(
        "the code of {controller} was used at {at}; if that was not you, somebody else has the paper: \
         revoke {controller}. Then provision it again"
    )]
    Used {
        /// Whose.
        controller: ControllerId,
        /// When.
        at: Timestamp,
    },
    /// The code is too old.
    #[error("the code of {controller} counted until {until}; provision it again")]
    Late {
        /// Whose.
        controller: ControllerId,
        /// Until when it counted.
        until: Timestamp,
    },
    /// What the installer read out is not what arrived. The right one is not told: it is to be heard.
    #[error(
        "the key that arrived has another fingerprint than {0}, and nothing was enrolled: let the \
         installer read it out again; if it stays so, somebody altered the file"
    )]
    OtherFingerprint(String),
    /// It was revoked, and only the root key takes that back.
    #[error("{0} was revoked; only the root key takes that back: give --root-passphrase-file")]
    Revoked(ControllerId),
    /// A renewal by a key that is not enrolled.
    #[error("{0} has no enrolled key, or another one; enrol it with the code of its box")]
    NotEnrolled(ControllerId),
    /// A certificate was asked for by a device that made no request.
    #[error(
        "{0} asks for no certificate; write `certificate` under [tls] of its controller.toml, and \
         `loaban-controller request` again"
    )]
    NoRequest(ControllerId),
}

impl Station {
    /// Gives a controller a new password and a new code. Its earlier password, code and certificates
    /// count for nothing from now on: they may be those of a device that was exchanged.
    pub async fn provision(
        &self,
        controller: &ControllerId,
        by: Option<&PersonId>,
    ) -> Result<Provisioned, ServerError> {
        let (password, code) = (entropy::secret(), Code::of(entropy::bytes()));
        let now = utc_now();
        let until = now + CODE_VALID;
        let key = code.key(&self.config.net, controller).public();
        let mut tx = self.store.begin().await?;
        tx.provision(controller, Digest::of(password.as_bytes())).await?;
        tx.put_code(controller, &key, until).await?;
        tx.revoke_certificates(controller, now).await?;
        let body = serde_json::json!({ "controller": controller, "code_until": until });
        tx.tell(&Fact::new(now, "controller.provisioned", author(by), &body)).await?;
        tx.commit().await?;
        Ok(Provisioned { password, code, until })
    }

    /// Takes the keys of a device: by the code of its box, and by the fingerprint that a person was
    /// read out. One that was revoked comes back only by the root key.
    pub async fn enrol(
        &self,
        controller: &ControllerId,
        note: &str,
        heard: &str,
        root_passphrase: Option<&str>,
        by: Option<&PersonId>,
    ) -> Result<Enrolled, ServerError> {
        let code = self.store.code(controller).await?;
        let code = code.ok_or_else(|| ServerError::NotProvisioned(controller.clone()))?;
        let enrolment = self.read_enrolment(controller, note)?;
        let now = utc_now();
        check_code(controller, note, &code, now)?;
        check_fingerprint(&enrolment.key, heard)?;
        let trusted = self.taken_back(controller, root_passphrase, now).await?;
        let mut tx = self.store.begin().await?;
        if !tx.use_code(controller, &code.key, now).await? {
            return Err(EnrolError::Used { controller: controller.clone(), at: now }.into());
        }
        if let Some((root, next)) = trusted {
            self.put_trust(&mut tx, &root, &next).await?;
        }
        tx.enrol(controller, &enrolment.key).await?;
        let body = serde_json::json!({ "controller": controller, "key": enrolment.key });
        tx.tell(&Fact::new(now, "controller.enrolled", author(by), &body)).await?;
        let certificate = match &enrolment.request {
            Some(request) => Some(self.certify(&mut tx, controller, request, (now, by)).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(Enrolled { key: enrolment.key, certificate })
    }

    /// Certifies an enrolled device anew: its own key signed the request. Older certificates go on
    /// counting until it is provisioned anew or revoked, so that a renewal cuts nobody off.
    pub async fn renew_certificate(
        &self,
        controller: &ControllerId,
        note: &str,
        by: Option<&PersonId>,
    ) -> Result<Issued, ServerError> {
        let enrolment = self.read_enrolment(controller, note)?;
        let devices = self.store.devices().await?;
        let own = devices.into_iter().find(|device| device.controller == *controller);
        let own = own.filter(|device| device.revoked.is_none());
        if own.and_then(|device| device.public_key).as_ref() != Some(&enrolment.key) {
            return Err(EnrolError::NotEnrolled(controller.clone()).into());
        }
        let request = enrolment.request.ok_or(EnrolError::NoRequest(controller.clone()))?;
        let mut tx = self.store.begin().await?;
        let issued = self.certify(&mut tx, controller, &request, (utc_now(), by)).await?;
        tx.commit().await?;
        Ok(issued)
    }

    /// What a device says of itself, signed by the very key that it names.
    fn read_enrolment(
        &self,
        controller: &ControllerId,
        note: &str,
    ) -> Result<Enrolment, ServerError> {
        let parsed = Note::parse(note.as_bytes())?;
        let enrolment: Enrolment = decode(&self.config.net, parsed.text())?;
        if enrolment.controller != *controller {
            let (found, expected) = (enrolment.controller, controller.clone());
            return Err(EnrolError::OtherDevice { found, expected }.into());
        }
        let expected = device_key_name(&self.config.net, controller);
        if *enrolment.key.name() != expected {
            return Err(ServerError::OtherKey { found: enrolment.key.name().clone(), expected });
        }
        let signed = parsed.verify([&enrolment.key]);
        signed.map_err(|_| EnrolError::NotByKey(controller.clone()))?;
        Ok(enrolment)
    }

    /// The trust document that takes a revocation back, where there is one, with the root key for it.
    async fn taken_back(
        &self,
        controller: &ControllerId,
        root_passphrase: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<(Signer, TrustDocument)>, ServerError> {
        let trust = self.trust().await?.0;
        if !trust.is_revoked(controller) {
            return Ok(None);
        }
        let passphrase = root_passphrase.ok_or(EnrolError::Revoked(controller.clone()))?;
        let root = self.root_key(passphrase)?;
        let mut next = TrustDocument { version: trust.version + 1, issued: now, ..trust };
        next.revoked.retain(|revoked| revoked != controller);
        Ok(Some((root, next)))
    }

    /// Signs a request and notes the certificate with its fact.
    async fn certify(
        &self,
        tx: &mut Tx,
        controller: &ControllerId,
        request: &str,
        (now, by): (Timestamp, Option<&PersonId>),
    ) -> Result<Issued, ServerError> {
        let issued = self.authority()?.sign_request(request, controller, entropy::bytes(), now)?;
        let row = CertificateRow {
            serial: issued.serial.clone(),
            controller: controller.clone(),
            until: issued.until,
            revoked: None,
        };
        tx.add_certificate(&row).await?;
        let body = serde_json::json!({
            "controller": controller, "serial": issued.serial, "until": issued.until,
        });
        tx.tell(&Fact::new(now, "controller.certified", author(by), &body)).await?;
        Ok(issued)
    }
}

fn check_code(
    controller: &ControllerId,
    note: &str,
    code: &CodeRow,
    now: Timestamp,
) -> Result<(), EnrolError> {
    let controller = controller.clone();
    if let Some(at) = code.used {
        return Err(EnrolError::Used { controller, at });
    }
    if code.until <= now {
        return Err(EnrolError::Late { controller, until: code.until });
    }
    let signed = Note::parse(note.as_bytes()).map(|note| note.verify([&code.key]).is_ok());
    if signed == Ok(true) { Ok(()) } else { Err(EnrolError::NotByCode(controller)) }
}

/// Compares what a person was read out with the key that arrived: digits count, spaces and case do not.
fn check_fingerprint(key: &PublicKey, heard: &str) -> Result<(), EnrolError> {
    let digits = |text: &str| text.replace([' ', '-', ':'], "").to_lowercase();
    if digits(heard) == digits(&key.fingerprint()) {
        return Ok(());
    }
    Err(EnrolError::OtherFingerprint(heard.chars().take(60).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NetId;
    use crate::protocol::encode;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_320_000);

    fn controller() -> ControllerId {
        "mu-ca-1".parse().unwrap()
    }

    fn net() -> NetId {
        "laichau".parse().unwrap()
    }

    fn code(byte: u8) -> Code {
        Code::of([byte; crate::trust::CODE_LETTERS])
    }

    fn device() -> Signer {
        Signer::from_seed(device_key_name(&net(), &controller()), &[9; 32])
    }

    fn row(used: Option<Timestamp>) -> CodeRow {
        let key = code(1).key(&net(), &controller()).public();
        CodeRow { key, until: NOW + CODE_VALID, used }
    }

    /// What a device prints whose installer typed this code.
    fn note(typed: &Code) -> String {
        let document =
            Enrolment { controller: controller(), key: device().public(), request: None };
        let own = device().sign(&encode(&net(), &document));
        typed.key(&net(), &controller()).cosign(&own).unwrap()
    }

    fn checked(note: &str, row: &CodeRow, now: Timestamp) -> String {
        check_code(&controller(), note, row, now).map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn a_code_counts_once_until_its_day_and_only_the_one_of_the_box() {
        assert_eq!(checked(&note(&code(1)), &row(None), NOW), "");
        assert!(checked(&note(&code(2)), &row(None), NOW).contains("newest code"));
        let whole = note(&code(1));
        let own = &whole[..=whole.trim_end().rfind('\n').unwrap()];
        assert!(checked(own, &row(None), NOW).contains("newest code"), "signed by itself alone");
        assert!(
            checked(&note(&code(1)), &row(Some(NOW)), NOW).contains("somebody else has the paper")
        );
        assert!(
            checked(&note(&code(1)), &row(None), NOW + CODE_VALID).contains("provision it again")
        );
    }

    #[test]
    fn a_text_that_was_altered_on_its_way_is_not_by_the_code() {
        let altered = note(&code(1)).replace("mu-ca-1", "mu-ca-2");
        assert!(checked(&altered, &row(None), NOW).contains("newest code"));
    }

    #[test]
    fn a_fingerprint_is_compared_by_its_digits() {
        let key = device().public();
        let heard = key.fingerprint().to_uppercase().replace(' ', "-");
        assert!(check_fingerprint(&key, &heard).is_ok());
        let other = Signer::from_seed(key.name().clone(), &[8; 32]).public().fingerprint();
        for heard in [other.as_str(), "", &key.fingerprint()[..20]] {
            let refused = check_fingerprint(&key, heard).unwrap_err().to_string();
            assert!(refused.contains("nothing was enrolled"), "{heard}: {refused}");
            assert!(!refused.contains(&key.fingerprint()), "who types it must have heard it");
        }
    }
}
