//! Who signs in at the pages, and how: an invitation, an own password, one-time codes, sessions.
//!
//! ```text
//!   invited ──code──► password chosen ──password──► session ──one-time code──► session that may
//!   (72 h, once)                                    (12 h idle, 7 days)        approve, alarm, …
//! ```
//!
//! **Nobody gets a password from the station**: an invitation is a link that counts once, and the
//! person chooses. Secrets are kept as digests (tokens, invitations), as Argon2id strings
//! (passwords) or sealed (the secret of the codes).

use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use totp_rs::{Builder, Secret, Totp};
use unicode_normalization::UnicodeNormalization;

use crate::access::{Action, Duties};
use crate::clock::utc_now;
use crate::digest::{Digest, hex};
use crate::entropy;
use crate::id::PersonId;
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{Fact, LoginRow, Person, SessionRow};
use crate::time::Timestamp;
use crate::vault::Safe;

/// Characters of a password at least (NIST SP 800-63B-4: 15 where it stands alone, 8 with a second
/// factor; the acts that matter have one here).
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Characters of a password at most: hashing must not take the machine's time.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// How long an invitation counts: over a weekend.
const INVITATION: Duration = Duration::from_hours(72);

/// A session that is not used for so long ends: a working day.
const IDLE: Duration = Duration::from_hours(12);

/// A session ends after this, used or not.
const SESSION: Duration = Duration::from_hours(7 * 24);

/// A one-time code counts for so long in its session.
const SECOND: Duration = Duration::from_hours(12);

/// How often the use of a session is written down.
const TOUCH: Duration = Duration::from_mins(1);

/// Characters of a browser's own name that are kept.
const AGENT_CHARS_MAX: usize = 200;

/// Why somebody is not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Wrong name or password: which of the two is not said.
    #[error("the name or the password is wrong; type both again, or ask for a new invitation")]
    Wrong,
    /// A code that does not fit, or was used already.
    #[error(
        "the code does not fit or was used already; wait for the next one, and check the clock of the phone"
    )]
    WrongCode,
    /// A password that protects nothing.
    #[error("{0}")]
    Weak(&'static str),
    /// Codes that are set up already.
    #[error(
        "one-time codes are set up for {0} already; an administrator's new invitation takes them back"
    )]
    SetAlready(PersonId),
    /// An invitation that does not count.
    #[error("this invitation was used or is older than three days; ask for a new one")]
    NoInvitation,
    /// Codes were never set up.
    #[error("no one-time codes are set up for {0} yet; set them up on the page of your account")]
    NoSecond(PersonId),
    /// The sealed secret cannot be opened.
    #[error(
        "the secret of the codes of {0} cannot be read; ask an administrator for a new invitation"
    )]
    Damaged(PersonId),
}

/// The browser that somebody signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// The address.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// What they may do.
    pub duties: Duties,
    /// Their session.
    pub session: SessionRow,
    /// Whether one-time codes are set up for them.
    pub has_second: bool,
}

impl SignedIn {
    /// Whether this session may do what needs a one-time code.
    pub fn proved(&self, now: Timestamp) -> bool {
        self.session.second.is_some_and(|at| now.since(at) < SECOND)
    }

    /// Whether some duty of theirs allows `action` anywhere.
    pub fn may(&self, action: Action) -> bool {
        self.duties.may(action)
    }
}

impl Station {
    /// An invitation for `person` to choose a password: the text that they get, which counts once.
    /// It ends nothing yet; choosing the password does. Whoever opens it becomes that person, so
    /// somebody at the pages or a program invites only whom they administer.
    pub async fn invite(
        &self,
        person: &PersonId,
        by: Option<&PersonId>,
    ) -> Result<String, ServerError> {
        match by {
            Some(by) => self.may_manage(by, person).await?,
            None => drop(self.person(person).await?),
        }
        let code = entropy::secret();
        let now = utc_now();
        let who = by.map_or_else(|| "server".to_owned(), |by| format!("person:{by}"));
        let body = serde_json::json!({ "person": person });
        let mut tx = self.store.begin().await?;
        tx.put_invitation(Digest::of(code.as_bytes()), person, now + INVITATION).await?;
        tx.tell(&Fact::new(now, "login.invited", who, &body)).await?;
        tx.commit().await?;
        Ok(code)
    }

    /// Whose invitation this is.
    pub async fn invited(&self, code: &str) -> Result<Person, ServerError> {
        let held = self.store.invitation(Digest::of(code.as_bytes()), utc_now()).await?;
        Ok(self.person(&held.ok_or(LoginError::NoInvitation)?).await?.0)
    }

    /// Uses an invitation up: `password` counts from now on, every session of theirs ends, and
    /// one-time codes are set up anew.
    pub async fn choose_password(
        &self,
        code: &str,
        password: &str,
    ) -> Result<PersonId, ServerError> {
        let person = self.invited(code).await?;
        check_password(password, &person)?;
        let password = hash(password.to_owned()).await?;
        let now = utc_now();
        let mut tx = self.store.begin().await?;
        let used = tx.use_invitation(Digest::of(code.as_bytes()), now).await?;
        let id = used.ok_or(LoginError::NoInvitation)?;
        let login =
            LoginRow { person: id.clone(), password, second: None, second_set: None, step: 0 };
        tx.put_login(&login).await?;
        tx.end_sessions(&id, None, now).await?;
        let body = serde_json::json!({ "person": id });
        tx.tell(&Fact::new(now, "login.set", format!("person:{id}"), &body)).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Signs somebody in; returns the token for their browser. It takes as long for a name that
    /// is unknown.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: &Browser,
    ) -> Result<String, ServerError> {
        let id: Option<PersonId> = name.parse().ok();
        let login = match &id {
            Some(id) => self.store.login(id).await?,
            None => None,
        };
        let held = login.as_ref().map_or(UNKNOWN, |login| &login.password).to_owned();
        let known = login.is_some() && matches(held, password.to_owned()).await?;
        let revoked = match (&id, known) {
            (Some(id), true) => self.person(id).await?.0.roles.is_empty(),
            _ => false,
        };
        let now = utc_now();
        let mut tx = self.store.begin().await?;
        if !known || revoked {
            let body = serde_json::json!({ "name": id });
            tx.tell(&Fact::new(now, "login.refused", "server", &body)).await?;
            tx.commit().await?;
            return Err(LoginError::Wrong.into());
        }
        let id = id.expect("a login was found by it");
        let token = hex(&entropy::bytes::<32>());
        let session = SessionRow {
            token: Digest::of(token.as_bytes()),
            person: id.clone(),
            begun: now,
            seen: now,
            second: None,
            address: from.address.clone(),
            agent: from.agent.chars().take(AGENT_CHARS_MAX).collect(),
        };
        tx.put_session(&session).await?;
        let body = serde_json::json!({ "person": id });
        tx.tell(&Fact::new(now, "session.begun", format!("person:{id}"), &body)).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Who holds this token, while their session lasts and they have a duty.
    pub async fn signed_in(&self, token: &str) -> Result<Option<SignedIn>, ServerError> {
        let Some(session) = self.store.session(Digest::of(token.as_bytes())).await? else {
            return Ok(None);
        };
        let now = utc_now();
        if now.since(session.seen) > IDLE || now.since(session.begun) > SESSION {
            return Ok(None);
        }
        let (person, duties) = self.person(&session.person).await?;
        if person.roles.is_empty() {
            return Ok(None);
        }
        let login = self.store.login(&session.person).await?;
        let has_second = login.is_some_and(|login| login.second_set.is_some());
        let mut signed_in = SignedIn { person, duties, session, has_second };
        if now.since(signed_in.session.seen) > TOUCH {
            signed_in.session.seen = now;
            self.touch(&signed_in.session).await?;
        }
        Ok(Some(signed_in))
    }

    async fn touch(&self, session: &SessionRow) -> Result<(), ServerError> {
        let mut tx = self.store.begin().await?;
        tx.touch_session(session).await?;
        Ok(tx.commit().await?)
    }

    /// Ends one session of `person`, or all of them; returns how many ended.
    pub async fn sign_out(
        &self,
        person: &PersonId,
        only: Option<Digest>,
    ) -> Result<u64, ServerError> {
        let now = utc_now();
        let mut tx = self.store.begin().await?;
        let ended = tx.end_sessions(person, only, now).await?;
        let body = serde_json::json!({ "person": person, "sessions": ended });
        tx.tell(&Fact::new(now, "session.ended", format!("person:{person}"), &body)).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// The secret of the one-time codes of `person` as an `otpauth:` address: a new one where none
    /// was proved yet.
    pub async fn second_to_set(&self, person: &PersonId) -> Result<Second, ServerError> {
        let login = self.store.login(person).await?.ok_or(LoginError::Wrong)?;
        let secret = match (&login.second, login.second_set) {
            (Some(sealed), None) => self.unseal_second(person, sealed)?,
            (_, Some(_)) => return Err(LoginError::SetAlready(person.clone()).into()),
            (None, None) => {
                let secret = entropy::bytes::<20>().to_vec();
                let sealed = self.safe()?.seal(person.as_str(), &secret, entropy::bytes());
                let mut tx = self.store.begin().await?;
                tx.put_login(&LoginRow { second: Some(sealed), ..login }).await?;
                tx.commit().await?;
                secret
            }
        };
        let totp = self.totp(person, secret.clone())?;
        let address = totp.to_url().map_err(|_| LoginError::Damaged(person.clone()))?;
        let text = Secret::new(secret.into_boxed_slice()).to_base32();
        Ok(Second { address, text })
    }

    /// Takes a one-time code: the first one proves that codes are set up; each counts once.
    pub async fn give_code(&self, session: &SessionRow, code: &str) -> Result<(), ServerError> {
        let person = &session.person;
        let login = self.store.login(person).await?.ok_or(LoginError::Wrong)?;
        let none = || LoginError::NoSecond(person.clone());
        let secret = self.unseal_second(person, login.second.as_deref().ok_or_else(none)?)?;
        let now = utc_now();
        let seconds = u64::try_from(now.seconds()).unwrap_or_default();
        let step = self.totp(person, secret)?.check(code.trim(), seconds);
        let mut tx = self.store.begin().await?;
        let fresh = match step {
            Some(step) => tx.use_step(person, step).await?,
            None => false,
        };
        let body = serde_json::json!({ "person": person });
        let Some(step) = step.filter(|_| fresh) else {
            tx.tell(&Fact::new(now, "login.code-refused", "server", &body)).await?;
            tx.commit().await?;
            return Err(LoginError::WrongCode.into());
        };
        if login.second_set.is_none() {
            tx.put_login(&LoginRow { second_set: Some(now), step, ..login }).await?;
            let who = format!("person:{person}");
            tx.tell(&Fact::new(now, "login.second-set", who, &body)).await?;
        }
        tx.touch_session(&SessionRow { second: Some(now), seen: now, ..session.clone() }).await?;
        Ok(tx.commit().await?)
    }

    fn totp(&self, person: &PersonId, secret: Vec<u8>) -> Result<Totp, ServerError> {
        let built = Builder::new()
            .with_secret(secret.into_boxed_slice())
            .with_account_name(person.as_str())
            .with_issuer(Some(format!("Loa Bản {}", self.config.net)))
            .build();
        Ok(built.map_err(|_| LoginError::Damaged(person.clone()))?)
    }

    fn unseal_second(&self, person: &PersonId, sealed: &str) -> Result<Vec<u8>, ServerError> {
        let secret = self.safe()?.unseal(person.as_str(), sealed);
        Ok(secret.ok_or_else(|| LoginError::Damaged(person.clone()))?)
    }

    fn safe(&self) -> Result<Safe, ServerError> {
        let path = self.config.data.join("keys/online/web.key");
        Ok(Safe::open(&path, entropy::bytes())?)
    }
}

/// What a person types or scans into an authenticator.
#[derive(Clone, PartialEq, Eq)]
pub struct Second {
    /// The `otpauth:` address, for a QR code.
    pub address: String,
    /// The secret in Base32, to type.
    pub text: String,
}

/// The password of nobody, with the cost of the real ones: nothing hashes to zeros.
const UNKNOWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// OWASP's second choice, as for people's keys.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn check_password(password: &str, person: &Person) -> Result<(), LoginError> {
    let length = password.chars().count();
    if length < PASSWORD_CHARS_MIN {
        return Err(LoginError::Weak("the password has fewer than 12 characters; use four words"));
    }
    if length > PASSWORD_CHARS_MAX {
        return Err(LoginError::Weak("the password has more than 256 characters; shorten it"));
    }
    let distinct: std::collections::BTreeSet<char> = password.chars().collect();
    let lower = password.to_lowercase();
    if distinct.len() < 5 || lower.contains(person.id.as_str()) && person.id.as_str().len() > 3 {
        return Err(LoginError::Weak("the password is easy to guess; use four words"));
    }
    Ok(())
}

/// In NFC: keyboards compose the same letters in different ways.
fn composed(password: &str) -> String {
    password.chars().take(PASSWORD_CHARS_MAX * 4).nfc().collect()
}

/// Hashing takes tens of milliseconds: not on a thread that serves others.
async fn hash(password: String) -> Result<String, ServerError> {
    let password = composed(&password);
    let salt = entropy::bytes::<16>();
    let work = move || argon2().hash_password_with_salt(password.as_bytes(), &salt);
    let hashed = tokio::task::spawn_blocking(work).await;
    let hashed = hashed.map_err(|error| ServerError::Task(error.to_string()))?;
    Ok(hashed.map_err(|error| ServerError::Task(error.to_string()))?.to_string())
}

async fn matches(held: String, password: String) -> Result<bool, ServerError> {
    let password = composed(&password);
    let work = move || argon2().verify_password(password.as_bytes(), held.as_str()).is_ok();
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ServerError::Task(error.to_string()))
}
