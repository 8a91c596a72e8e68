//! People: their duties, and the keys that some duties bring.
//!
//! A leader signs content, an officer signs emergencies, each with a key of their own that is
//! sealed under their passphrase. **A key counts only once the root-signed trust document names
//! it.** Officers enter it together: with fewer than the threshold nobody could raise an emergency,
//! and controllers refuse such a document.

use std::path::PathBuf;

use crate::access::{Duties, Duty};
use crate::audit::commitment::{Commitment, Salt};
use crate::clock::utc_now;
use crate::entropy;
use crate::id::{AreaId, PersonId};
use crate::note::{PublicKey, Signer};
use crate::server::ServerError;
use crate::server::station::{FILE_BYTES_MAX, KEY_VALID, Station, keep_sealed, unseal};
use crate::server::token::end_token;
use crate::store::{Fact, Person};
use crate::trust::{Grant, Role, TrustDocument, person_key_name};
use crate::vault::{VaultError, read_text, write_atomic};

/// The duties that bring a key, and the role of it.
const KEYED: [(Duty, Role); 2] = [(Duty::Leader, Role::Content), (Duty::Officer, Role::Emergency)];

/// What became of the keys of somebody who was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The duties need no key, or the keys count already.
    Nothing,
    /// The trust document names the new key.
    Trusted,
    /// The key waits for so many more officers.
    Waits {
        /// Officers that are missing.
        missing: usize,
    },
}

/// Who the log says did something: a person at the pages, else whoever has the server's terminal.
pub(super) fn author(by: Option<&PersonId>) -> String {
    by.map_or_else(|| "server".to_owned(), |by| format!("person:{by}"))
}

impl Station {
    /// Adds a person with the keys that their duties bring, sealed under their passphrase. The root
    /// key is unsealed where the trust document changes. `by` is somebody at the pages.
    pub async fn add_person(
        &self,
        person: &Person,
        passphrase: Option<&str>,
        root_passphrase: Option<&str>,
        by: Option<&PersonId>,
    ) -> Result<Added, ServerError> {
        let duties: Duties = person.roles.parse()?;
        let held = self.trust().await?.0;
        self.make_keys(&person.id, &duties, &held, passphrase)?;
        let (next, missing) = self.with_new_keys(&held, person, &duties).await?;
        let now = utc_now();
        let mut tx = self.store.begin().await?;
        tx.put_person(person).await?;
        let name = Salt::from_random(entropy::bytes());
        tx.put_person_secret(&person.id, &name, &person.name).await?;
        let body = serde_json::json!({
            "person": person.id, "duties": duties.to_string(),
            "name": Commitment::to(&name, &person.name),
        });
        tx.tell(&Fact::new(now, "person.added", author(by), &body)).await?;
        let changed = next.keys != held.keys;
        if changed {
            let root = self.unseal_root(root_passphrase, &person.id)?;
            self.put_trust(&mut tx, &root, &next).await?;
        }
        tx.commit().await?;
        Ok(match (changed, missing) {
            (_, 1..) => Added::Waits { missing },
            (true, 0) => Added::Trusted,
            (false, 0) => Added::Nothing,
        })
    }

    /// Makes the keys that are missing; one that no trust document names is made anew.
    fn make_keys(
        &self,
        person: &PersonId,
        duties: &Duties,
        trust: &TrustDocument,
        passphrase: Option<&str>,
    ) -> Result<(), ServerError> {
        for (duty, role) in KEYED {
            let name = person_key_name(&self.config.net, role, person);
            if !duties.hold(duty) || trust.keys.iter().any(|grant| *grant.key.name() == name) {
                continue;
            }
            let missing =
                || ServerError::NoPassphrase { what: "their key", person: person.clone() };
            let passphrase = passphrase.ok_or_else(missing)?;
            let key = Signer::from_seed(name, &entropy::bytes());
            keep_sealed(&self.key_file(person, role), &key, passphrase)?;
            write_atomic(&self.public_file(person, role), key.public().to_string().as_bytes())?;
        }
        Ok(())
    }

    /// The next trust document with every key that is made and may count, and how many officers are
    /// missing before theirs do.
    async fn with_new_keys(
        &self,
        held: &TrustDocument,
        person: &Person,
        duties: &Duties,
    ) -> Result<(TrustDocument, usize), ServerError> {
        let now = utc_now();
        let mut next = TrustDocument { version: held.version + 1, issued: now, ..held.clone() };
        let mut waiting = Vec::new();
        for (duty, role) in KEYED.into_iter().filter(|(duty, _)| duties.hold(*duty)) {
            let areas = self.places(duties, duty).await?;
            let name = person_key_name(&self.config.net, role, &person.id);
            match next.keys.iter_mut().find(|grant| *grant.key.name() == name) {
                Some(grant) => grant.areas = areas,
                None => waiting.extend(self.waiting_key(&person.id, role, areas, held)?),
            }
        }
        for other in self.store.people().await?.into_iter().filter(|other| other.id != person.id) {
            let duties: Duties = other.roles.parse()?;
            if duties.hold(Duty::Officer) {
                let areas = self.places(&duties, Duty::Officer).await?;
                waiting.extend(self.waiting_key(&other.id, Role::Emergency, areas, held)?);
            }
        }
        let officers =
            |grants: &[Grant]| grants.iter().filter(|grant| grant.role == Role::Emergency).count();
        let have = officers(&held.keys) + officers(&waiting);
        let missing = usize::from(held.emergency_threshold).saturating_sub(have);
        next.keys.extend(
            waiting.into_iter().filter(|grant| grant.role != Role::Emergency || missing == 0),
        );
        Ok((next, if duties.hold(Duty::Officer) { missing } else { 0 }))
    }

    /// Where a duty counts: in its areas, else everywhere.
    async fn places(&self, duties: &Duties, duty: Duty) -> Result<Vec<AreaId>, ServerError> {
        let areas = duties.areas(duty);
        if areas.is_empty() { Ok(vec![self.root_area().await?]) } else { Ok(areas) }
    }

    /// The grant of a key that was made for somebody and that the trust document does not name.
    fn waiting_key(
        &self,
        person: &PersonId,
        role: Role,
        areas: Vec<AreaId>,
        trust: &TrustDocument,
    ) -> Result<Option<Grant>, ServerError> {
        let path = self.public_file(person, role);
        let Some(text) = read_text(&path, FILE_BYTES_MAX)? else { return Ok(None) };
        let key: PublicKey = text
            .trim()
            .parse()
            .map_err(|_| VaultError::Damaged { path, why: "it holds no key".to_owned() })?;
        let named = trust.keys.iter().any(|grant| grant.key.name() == key.name());
        let grant = Grant { key, role, areas, until: utc_now() + KEY_VALID };
        Ok((!named).then_some(grant))
    }

    /// Takes every duty, key and token from somebody. **What they signed counts no longer**: a
    /// recording that they approved is silent until another leader approves it.
    pub async fn revoke_person(
        &self,
        person: &PersonId,
        root_passphrase: &str,
        by: Option<&PersonId>,
    ) -> Result<(), ServerError> {
        let (held, _) = self.person(person).await?;
        let tokens = self.tokens_of(Some(person)).await?;
        let trust = self.trust().await?.0;
        let names = KEYED.map(|(_, role)| person_key_name(&self.config.net, role, person));
        let mut next =
            TrustDocument { version: trust.version + 1, issued: utc_now(), ..trust.clone() };
        next.keys.retain(|grant| !names.contains(grant.key.name()));
        let officers = next.keys.iter().filter(|grant| grant.role == Role::Emergency).count();
        if officers < usize::from(next.emergency_threshold) {
            // Controllers refuse a document whose officers cannot raise anything.
            next.keys.retain(|grant| grant.role != Role::Emergency);
        }
        let mut tx = self.store.begin().await?;
        tx.put_person(&Person { roles: String::new(), ..held }).await?;
        let body = serde_json::json!({ "person": person });
        tx.tell(&Fact::new(utc_now(), "person.revoked", author(by), &body)).await?;
        // Else they would count again on the day on which somebody gives a duty back.
        for token in &tokens {
            end_token(&mut tx, token, by).await?;
        }
        if next.keys != trust.keys {
            let root = self.unseal_root(Some(root_passphrase), person)?;
            self.put_trust(&mut tx, &root, &next).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Says to everybody that a controller is stolen or lost; it is let in nowhere from now on.
    pub async fn revoke_controller(
        &self,
        controller: &crate::id::ControllerId,
        root_passphrase: &str,
        by: Option<&PersonId>,
    ) -> Result<(), ServerError> {
        let trust = self.trust().await?.0;
        let now = utc_now();
        let mut next = TrustDocument { version: trust.version + 1, issued: now, ..trust };
        let root = self.root_key(root_passphrase)?;
        let mut tx = self.store.begin().await?;
        if !tx.revoke(controller, now).await? {
            return Err(ServerError::NotProvisioned(controller.clone()));
        }
        tx.revoke_certificates(controller, now).await?;
        let body = serde_json::json!({ "controller": controller });
        tx.tell(&Fact::new(now, "controller.revoked", author(by), &body)).await?;
        if !next.revoked.contains(controller) {
            next.revoked.push(controller.clone());
            self.put_trust(&mut tx, &root, &next).await?;
        }
        Ok(tx.commit().await?)
    }

    /// A person's content key, for the moment of signing.
    pub fn unseal_person(
        &self,
        person: &PersonId,
        passphrase: &str,
    ) -> Result<Signer, ServerError> {
        self.unseal_key(person, Role::Content, passphrase)
    }

    pub(super) fn unseal_key(
        &self,
        person: &PersonId,
        role: Role,
        passphrase: &str,
    ) -> Result<Signer, ServerError> {
        unseal(&self.key_file(person, role), passphrase)
    }

    fn unseal_root(
        &self,
        passphrase: Option<&str>,
        person: &PersonId,
    ) -> Result<Signer, ServerError> {
        let what = "the root key";
        let missing = || ServerError::NoPassphrase { what, person: person.clone() };
        self.root_key(passphrase.ok_or_else(missing)?)
    }

    /// The root key, for the moment of signing.
    pub(super) fn root_key(&self, passphrase: &str) -> Result<Signer, ServerError> {
        unseal(&self.root_file(), passphrase)
    }

    fn root_file(&self) -> PathBuf {
        self.config.data.join("keys/root.json")
    }

    fn key_file(&self, person: &PersonId, role: Role) -> PathBuf {
        let suffix = if role == Role::Emergency { ".emergency" } else { "" };
        self.config.data.join("keys/people").join(format!("{person}{suffix}.json"))
    }

    fn public_file(&self, person: &PersonId, role: Role) -> PathBuf {
        self.key_file(person, role).with_extension("pub")
    }

    /// The person, with what they may do.
    pub async fn person(&self, id: &PersonId) -> Result<(Person, Duties), ServerError> {
        let people = self.store.people().await?;
        let person = people.into_iter().find(|person| person.id == *id);
        let person = person.ok_or_else(|| ServerError::NoPerson(id.clone()))?;
        let duties = person.roles.parse()?;
        Ok((person, duties))
    }
}
