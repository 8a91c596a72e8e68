//! Programs that act for a person, and the answers that they got.

use crate::access::Scopes;
use crate::digest::Digest;
use crate::id::{PersonId, TokenName};
use crate::store::{
    Store, StoreError, Tx, number, optional_number, optional_text, parsed, text, unsigned,
};
use crate::time::Timestamp;

/// A program's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub name: TokenName,
    /// The SHA-256 of what the program holds.
    pub secret: Digest,
    /// For whom it acts.
    pub person: PersonId,
    /// What it may do for them.
    pub scopes: Scopes,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
}

impl TokenRow {
    /// Whether it counts: it was not taken back and has not ended.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires > now
    }
}

/// What is known of a request that was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredRow {
    /// The digest of the request.
    pub request: Digest,
    /// Status and body of its answer; `None` while it is being done.
    pub answer: Option<(u16, String)>,
}

const TOKEN: &str = "select name, secret, person, scopes, made, expires, seen, revoked from token ";

impl Tx {
    /// Keeps a new token; `false` where one of that name is there.
    pub async fn put_token(&mut self, token: &TokenRow) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "insert into token (name, secret, person, scopes, made, expires)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        )
        .bind(token.name.as_str())
        .bind(token.secret.to_string())
        .bind(token.person.as_str())
        .bind(token.scopes.to_string())
        .bind(token.made.micros())
        .bind(token.expires.micros())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("keep a token"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a token back; `false` where there is none that counts.
    pub async fn revoke_token(
        &mut self,
        name: &TokenName,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("update token set revoked = $2 where name = $1 and revoked is null")
            .bind(name.as_str())
            .bind(now.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("take a token back"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes when a token was last used.
    pub async fn touch_token(
        &mut self,
        name: &TokenName,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("update token set seen = $2 where name = $1")
            .bind(name.as_str())
            .bind(now.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("note a token"))?;
        Ok(())
    }

    /// Begins a request under a key; `false` where that key was used before. Forgets what is older
    /// than `since`, and of one token all but its newest `kept`.
    pub async fn begin_answer(
        &mut self,
        (token, key): (&TokenName, &str),
        request: Digest,
        (now, since): (Timestamp, Timestamp),
        kept: u32,
    ) -> Result<bool, StoreError> {
        sqlx::query(
            "delete from answered where at < $1 or token = $2 and status is not null and key in
             (select key from answered where token = $2 order by at desc limit 1000000 offset $3)",
        )
        .bind(since.micros())
        .bind(token.as_str())
        .bind(i64::from(kept))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("forget old answers"))?;
        let done = sqlx::query(
            "insert into answered (token, key, request, at) values ($1, $2, $3, $4)
             on conflict do nothing",
        )
        .bind(token.as_str())
        .bind(key)
        .bind(request.to_string())
        .bind(now.micros())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("begin an answer"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps the answer of a request, or forgets the request where it came to nothing.
    pub async fn end_answer(
        &mut self,
        (token, key): (&TokenName, &str),
        answer: Option<(u16, &str)>,
    ) -> Result<(), StoreError> {
        let query = match answer {
            Some((status, body)) => {
                let sql =
                    "update answered set status = $3, body = $4 where token = $1 and key = $2";
                let query = sqlx::query(sql).bind(token.as_str()).bind(key);
                query.bind(i64::from(status)).bind(body.to_owned())
            }
            None => sqlx::query("delete from answered where token = $1 and key = $2")
                .bind(token.as_str())
                .bind(key),
        };
        query.execute(&mut *self.inner).await.map_err(StoreError::query("keep an answer"))?;
        Ok(())
    }
}

impl Store {
    /// The token of that secret.
    pub async fn token(&self, secret: Digest) -> Result<Option<TokenRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{TOKEN} where secret = $1")))
            .bind(secret.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a token"))?;
        row.map(|row| token(&row)).transpose()
    }

    /// Every token, in order of name.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{TOKEN} order by name")))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the tokens"))?;
        rows.iter().map(token).collect()
    }

    /// What is known of the request that a token sent under a key.
    pub async fn answered(
        &self,
        token: &TokenName,
        key: &str,
    ) -> Result<Option<AnsweredRow>, StoreError> {
        let sql = "select request, status, body from answered where token = $1 and key = $2";
        let row = sqlx::query(sql)
            .bind(token.as_str())
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read an answer"))?;
        row.map(|row| {
            let status = optional_number(&row, 1)?.map(|status| unsigned("answered", status));
            let status = status.transpose()?.and_then(|status| u16::try_from(status).ok());
            let body = optional_text(&row, 2)?.unwrap_or_default();
            let request = parsed("answered", &text(&row, 0)?)?;
            Ok(AnsweredRow { request, answer: status.map(|status| (status, body)) })
        })
        .transpose()
    }
}

fn token(row: &sqlx::any::AnyRow) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        name: parsed("token", &text(row, 0)?)?,
        secret: parsed("token", &text(row, 1)?)?,
        person: parsed("token", &text(row, 2)?)?,
        scopes: parsed("token", &text(row, 3)?)?,
        made: Timestamp::from_micros(number(row, 4)?),
        expires: Timestamp::from_micros(number(row, 5)?),
        seen: optional_number(row, 6)?.map(Timestamp::from_micros),
        revoked: optional_number(row, 7)?.map(Timestamp::from_micros),
    })
}
