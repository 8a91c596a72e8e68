//! Programs that act for a person: tokens with scopes and an end.
//!
//! **A token never may what its person may not**: its scopes narrow their duties, which are looked
//! up at every request. What signs still asks for the person's passphrase.

use std::time::Duration;

use crate::access::{Action, Denied, Duties, Scopes};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::{AreaId, PersonId, TokenName};
use crate::server::ServerError;
use crate::server::people::author;
use crate::server::station::Station;
use crate::store::{Fact, Person, TokenRow, Tx};
use crate::time::Timestamp;

/// What every token begins with, so that one that was published is found by machines.
pub const TOKEN_HEAD: &str = "loaban_";

/// Days that a token may count at most.
pub const TOKEN_DAYS_MAX: u32 = 366;

/// Tokens that count at a time at most.
const TOKENS_MAX: usize = 500;

/// Tokens of one person that count at a time at most: one for each program, and nobody fills the list.
const TOKENS_OF_ONE_MAX: usize = 20;

/// How often the use of a token is written down.
const TOUCH: Duration = Duration::from_mins(1);

/// Why there is no such token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A name that is taken.
    #[error("there is, or was, a token {0}; choose another name, the log knows it by this one")]
    Known(TokenName),
    /// No such token.
    #[error("no token {0} counts; `loaban token list` names them")]
    Unknown(TokenName),
    /// A scope beyond the person's duties.
    #[error("{person} may not {scope} anywhere; leave the scope out, or give them the duty")]
    Beyond {
        /// Who.
        person: PersonId,
        /// Which scope.
        scope: &'static str,
    },
    /// Too many of one person.
    #[error("{0} has {TOKENS_OF_ONE_MAX} tokens already; revoke those that nobody uses")]
    Many(PersonId),
    /// Too many.
    #[error("{TOKENS_MAX} tokens count already; revoke those that nobody uses")]
    Full,
}

/// A token as somebody asks for it.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name.
    pub name: TokenName,
    /// For whom it acts.
    pub person: PersonId,
    /// What it may do.
    pub scopes: Scopes,
    /// How long it counts.
    pub lasts: Duration,
}

/// Whoever sent a token that counts.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// For whom it acts.
    pub person: Person,
    /// What they may do.
    pub duties: Duties,
    /// The token.
    pub token: TokenRow,
}

impl Bearer {
    /// Whether the token and some duty allow `action` anywhere.
    pub fn may(&self, action: Action) -> bool {
        self.token.scopes.hold(action) && self.duties.may(action)
    }

    /// Refuses unless a duty allows `action` at `place`.
    pub fn allow(&self, action: Action, place: &[AreaId]) -> Result<(), Denied> {
        self.duties.allow(self.person.id.as_str(), action, place)
    }
}

impl Station {
    /// Makes a token; returns what the program holds, which nobody can read again. `by` is somebody
    /// at the pages.
    pub async fn make_token(
        &self,
        new: &NewToken,
        by: Option<&PersonId>,
    ) -> Result<String, ServerError> {
        let (_, duties) = self.person(&new.person).await?;
        if let Some(action) = new.scopes.iter().find(|action| !duties.may(*action)) {
            let (person, scope) = (new.person.clone(), action.word());
            return Err(TokenError::Beyond { person, scope }.into());
        }
        let now = utc_now();
        self.room_for_token(&new.person, now).await?;
        let secret = format!("{TOKEN_HEAD}{}{}", entropy::secret(), entropy::secret());
        let row = TokenRow {
            name: new.name.clone(),
            secret: Digest::of(secret.as_bytes()),
            person: new.person.clone(),
            scopes: new.scopes.clone(),
            made: now,
            expires: now + new.lasts,
            seen: None,
            revoked: None,
        };
        let mut tx = self.store.begin().await?;
        if !tx.put_token(&row).await? {
            return Err(TokenError::Known(row.name).into());
        }
        let body = serde_json::json!({
            "token": row.name, "person": row.person, "scopes": row.scopes.to_string(),
            "expires": row.expires,
        });
        tx.tell(&Fact::new(now, "token.made", author(by), &body)).await?;
        tx.commit().await?;
        Ok(secret)
    }

    async fn room_for_token(&self, person: &PersonId, now: Timestamp) -> Result<(), ServerError> {
        let held = self.store.tokens().await?;
        let count = |of: Option<&PersonId>| {
            let mine = |row: &&TokenRow| of.is_none_or(|person| row.person == *person);
            held.iter().filter(|row| row.counts(now)).filter(mine).count()
        };
        if count(Some(person)) >= TOKENS_OF_ONE_MAX {
            return Err(TokenError::Many(person.clone()).into());
        }
        if count(None) >= TOKENS_MAX { Err(TokenError::Full.into()) } else { Ok(()) }
    }

    /// The tokens that count and act for somebody; of everybody where nobody is named.
    pub async fn tokens_of(&self, person: Option<&PersonId>) -> Result<Vec<TokenRow>, ServerError> {
        let (mut rows, now) = (self.store.tokens().await?, utc_now());
        rows.retain(|row| row.counts(now) && person.is_none_or(|person| row.person == *person));
        Ok(rows)
    }

    /// Takes a token back. Somebody at the pages takes back their own, and those of whom they
    /// administer.
    pub async fn revoke_token(
        &self,
        name: &TokenName,
        by: Option<&PersonId>,
    ) -> Result<(), ServerError> {
        let unknown = || TokenError::Unknown(name.clone());
        let rows = self.tokens_of(None).await?;
        let row = rows.iter().find(|row| row.name == *name).ok_or_else(unknown)?;
        if let Some(by) = by.filter(|by| **by != row.person) {
            self.may_manage(by, &row.person).await?;
        }
        let mut tx = self.store.begin().await?;
        if !end_token(&mut tx, row, by).await? {
            return Err(unknown().into());
        }
        Ok(tx.commit().await?)
    }

    /// Whoever holds this secret, while the token counts and the person has a duty.
    pub async fn bearer(&self, secret: &str) -> Result<Option<Bearer>, ServerError> {
        let Some(token) = self.store.token(Digest::of(secret.as_bytes())).await? else {
            return Ok(None);
        };
        let now = utc_now();
        if !token.counts(now) {
            return Ok(None);
        }
        let (person, duties) = self.person(&token.person).await?;
        if person.roles.is_empty() {
            return Ok(None);
        }
        if token.seen.is_none_or(|seen| now.since(seen) > TOUCH) {
            let mut tx = self.store.begin().await?;
            tx.touch_token(&token.name, now).await?;
            tx.commit().await?;
        }
        Ok(Some(Bearer { person, duties, token }))
    }
}

/// Takes a token back and tells the log; `false` where somebody did so before.
pub(super) async fn end_token(
    tx: &mut Tx,
    row: &TokenRow,
    by: Option<&PersonId>,
) -> Result<bool, ServerError> {
    let now = utc_now();
    if !tx.revoke_token(&row.name, now).await? {
        return Ok(false);
    }
    let body = serde_json::json!({ "token": row.name, "person": row.person });
    tx.tell(&Fact::new(now, "token.revoked", author(by), &body)).await?;
    Ok(true)
}
