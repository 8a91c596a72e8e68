//! How people sign in at the pages: passwords, one-time codes, invitations, sessions.

use crate::digest::Digest;
use crate::id::PersonId;
use crate::store::{
    Store, StoreError, Tx, number, optional_number, optional_text, parsed, signed, text, unsigned,
};
use crate::time::Timestamp;

/// How one person signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginRow {
    /// Who.
    pub person: PersonId,
    /// The password as an Argon2id string.
    pub password: String,
    /// The sealed secret of the one-time codes, where they have one.
    pub second: Option<String>,
    /// When a first code proved that secret.
    pub second_set: Option<Timestamp>,
    /// The step of the last code that was used.
    pub step: u64,
}

impl std::fmt::Debug for LoginRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRow").field("person", &self.person).finish_non_exhaustive()
    }
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The SHA-256 of the token that the browser holds.
    pub token: Digest,
    /// Who.
    pub person: PersonId,
    /// When they signed in.
    pub begun: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// When a one-time code was last given.
    pub second: Option<Timestamp>,
    /// From where.
    pub address: String,
    /// What the browser called itself.
    pub agent: String,
}

const SESSION: &str = "select token, person, begun, seen, second, address, agent from session
    where ended is null and ";

impl Tx {
    /// Keeps how a person signs in.
    pub async fn put_login(&mut self, login: &LoginRow) -> Result<(), StoreError> {
        sqlx::query(
            "insert into login (person, password, second, second_set, step)
             values ($1, $2, $3, $4, $5) on conflict (person) do update set
             password = excluded.password, second = excluded.second,
             second_set = excluded.second_set, step = excluded.step",
        )
        .bind(login.person.as_str())
        .bind(&login.password)
        .bind(&login.second)
        .bind(login.second_set.map(Timestamp::micros))
        .bind(signed(login.step))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("keep a login"))?;
        Ok(())
    }

    /// Uses up a code step; `false` where this step or a later one was used already.
    pub async fn use_step(&mut self, person: &PersonId, step: u64) -> Result<bool, StoreError> {
        let done = sqlx::query("update login set step = $2 where person = $1 and step < $2")
            .bind(person.as_str())
            .bind(signed(step))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("use a one-time code"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Adds an invitation.
    pub async fn put_invitation(
        &mut self,
        code: Digest,
        person: &PersonId,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into invitation (code, person, expires) values ($1, $2, $3)")
            .bind(code.to_string())
            .bind(person.as_str())
            .bind(expires.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an invitation"))?;
        Ok(())
    }

    /// Uses up an invitation; `None` where there is none, it is used, or it is over.
    pub async fn use_invitation(
        &mut self,
        code: Digest,
        now: Timestamp,
    ) -> Result<Option<PersonId>, StoreError> {
        let row = sqlx::query(
            "update invitation set used = $2 where code = $1 and used is null and expires > $2
             returning person",
        )
        .bind(code.to_string())
        .bind(now.micros())
        .fetch_optional(&mut *self.inner)
        .await
        .map_err(StoreError::query("use an invitation"))?;
        row.map(|row| parsed("invitation", &text(&row, 0)?)).transpose()
    }

    /// Adds a session.
    pub async fn put_session(&mut self, session: &SessionRow) -> Result<(), StoreError> {
        sqlx::query(
            "insert into session (token, person, begun, seen, second, address, agent)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(session.token.to_string())
        .bind(session.person.as_str())
        .bind(session.begun.micros())
        .bind(session.seen.micros())
        .bind(session.second.map(Timestamp::micros))
        .bind(&session.address)
        .bind(&session.agent)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("keep a session"))?;
        Ok(())
    }

    /// Notes when a session was last used, and when a one-time code was last given in it.
    pub async fn touch_session(&mut self, session: &SessionRow) -> Result<(), StoreError> {
        sqlx::query("update session set seen = $2, second = $3 where token = $1")
            .bind(session.token.to_string())
            .bind(session.seen.micros())
            .bind(session.second.map(Timestamp::micros))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("note a session"))?;
        Ok(())
    }

    /// Ends one session of a person, or all of them; returns how many ended.
    pub async fn end_sessions(
        &mut self,
        person: &PersonId,
        only: Option<Digest>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "update session set ended = $3
             where person = $1 and ended is null and ($2 = '' or token = $2)",
        )
        .bind(person.as_str())
        .bind(only.map(|token| token.to_string()).unwrap_or_default())
        .bind(now.micros())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("end a session"))?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// How a person signs in; `None` where they never chose a password.
    pub async fn login(&self, person: &PersonId) -> Result<Option<LoginRow>, StoreError> {
        let row = sqlx::query(
            "select person, password, second, second_set, step from login where person = $1",
        )
        .bind(person.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read a login"))?;
        row.map(|row| {
            Ok(LoginRow {
                person: parsed("login", &text(&row, 0)?)?,
                password: text(&row, 1)?,
                second: optional_text(&row, 2)?,
                second_set: optional_number(&row, 3)?.map(Timestamp::from_micros),
                step: unsigned("login", number(&row, 4)?)?,
            })
        })
        .transpose()
    }

    /// Whose invitation this is, where it can still be used.
    pub async fn invitation(
        &self,
        code: Digest,
        now: Timestamp,
    ) -> Result<Option<PersonId>, StoreError> {
        let row = sqlx::query(
            "select person from invitation where code = $1 and used is null and expires > $2",
        )
        .bind(code.to_string())
        .bind(now.micros())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read an invitation"))?;
        row.map(|row| parsed("invitation", &text(&row, 0)?)).transpose()
    }

    /// The session of this token, unless it was ended.
    pub async fn session(&self, token: Digest) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SESSION} token = $1")))
            .bind(token.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a session"))?;
        row.map(|row| session(&row)).transpose()
    }

    /// The sessions of a person that were not ended, last used first.
    pub async fn sessions(&self, person: &PersonId) -> Result<Vec<SessionRow>, StoreError> {
        let sql = format!("{SESSION} person = $1 order by seen desc");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(person.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the sessions"))?;
        rows.iter().map(session).collect()
    }
}

fn session(row: &sqlx::any::AnyRow) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        token: parsed("session", &text(row, 0)?)?,
        person: parsed("session", &text(row, 1)?)?,
        begun: Timestamp::from_micros(number(row, 2)?),
        seen: Timestamp::from_micros(number(row, 3)?),
        second: optional_number(row, 4)?.map(Timestamp::from_micros),
        address: text(row, 5)?,
        agent: text(row, 6)?,
    })
}
