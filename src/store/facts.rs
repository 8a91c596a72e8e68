//! Facts on their way to the broadcast log.

use serde::Serialize;

use crate::digest::Digest;
use crate::id::BulletinId;
use crate::store::{Store, StoreError, Tx, json, number, optional_number, text, unsigned};
use crate::time::Timestamp;

/// Something that the log must tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Ordered by time, and the same for the same fact.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What, such as `version.approved`.
    pub kind: &'static str,
    /// Who: `server`, `person:lan` or `controller:mu-ca-1`.
    pub who: String,
    /// A JSON object.
    pub body: String,
}

impl Fact {
    /// A fact with `body`, which becomes a JSON object.
    pub fn new(
        at: Timestamp,
        kind: &'static str,
        who: impl Into<String>,
        body: &impl Serialize,
    ) -> Self {
        let (who, body) = (who.into(), json(body));
        let parts = [kind.as_bytes(), who.as_bytes(), body.as_bytes()];
        let digest = Digest::of_parts(&parts).to_string();
        let id = format!("{:016x}-{}", at.micros(), &digest[..16]);
        Self { id, at, kind, who, body }
    }
}

/// A fact that the log does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingFact {
    /// Its id.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// Who.
    pub who: String,
    /// A JSON object.
    pub body: String,
}

/// A fact with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldFact {
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// Who.
    pub who: String,
    /// A JSON object.
    pub body: String,
    /// Where in the log it is; `None` while it waits.
    pub position: Option<u64>,
}

/// Whether plans, content, people or devices may be others after a fact of this kind. What reports,
/// logins and the care of speakers tell of leaves them as they are.
fn changes_station(kind: &str) -> bool {
    let told = ["manifest.issued", "receipts.taken", "export.made", "controller.expected"];
    let families = ["login.", "session.", "speaker.", "token."];
    !told.contains(&kind) && !families.iter().any(|family| kind.starts_with(family))
}

impl Tx {
    /// Writes a fact; the same fact twice is one.
    pub async fn tell(&mut self, fact: &Fact) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into fact (id, at, kind, who, body) values ($1, $2, $3, $4, $5)
             on conflict (id) do nothing",
        );
        let done = query
            .bind(&fact.id)
            .bind(fact.at.micros())
            .bind(fact.kind)
            .bind(&fact.who)
            .bind(&fact.body)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a fact"))?;
        if done.rows_affected() > 0 && changes_station(fact.kind) {
            sqlx::query("update revision set n = n + 1")
                .execute(&mut *self.inner)
                .await
                .map_err(StoreError::query("count a change"))?;
        }
        Ok(())
    }

    /// Notes where in the log a fact is.
    pub async fn logged(&mut self, id: &str, position: u64) -> Result<(), StoreError> {
        sqlx::query("update fact set position = $2 where id = $1")
            .bind(id)
            .bind(super::signed(position))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("mark a fact"))?;
        Ok(())
    }
}

impl Store {
    /// How many facts are not in the log yet.
    pub async fn facts_waiting_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("select count(*) from fact where position is null")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::query("count the waiting facts"))?;
        unsigned("fact", number(&row, 0)?)
    }

    /// Facts that the log does not have, oldest first.
    pub async fn facts_waiting(&self, limit: u32) -> Result<Vec<WaitingFact>, StoreError> {
        let rows = sqlx::query(
            "select id, at, kind, who, body from fact where position is null order by id limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the facts"))?;
        let fact = |row: &sqlx::any::AnyRow| {
            Ok(WaitingFact {
                id: text(row, 0)?,
                at: Timestamp::from_micros(number(row, 1)?),
                kind: text(row, 2)?,
                who: text(row, 3)?,
                body: text(row, 4)?,
            })
        };
        rows.iter().map(fact).collect()
    }

    /// What was done with a bulletin and its versions, oldest first.
    pub async fn facts_about_bulletin(
        &self,
        bulletin: &BulletinId,
    ) -> Result<Vec<ToldFact>, StoreError> {
        // An id has no letter that a pattern would read as more than itself.
        let rows = sqlx::query(
            "select at, kind, who, body, position from fact
             where ((kind like 'version.%' or kind like 'bulletin.%'
                     or kind = 'announcement.withdrawn') and body like $1)
                or (kind = 'bulletin.kept' and body like $2) order by id",
        )
        .bind(format!("%\"bulletin\":\"{bulletin}\"%"))
        .bind(format!("%\"id\":\"{bulletin}\"%"))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the facts of a bulletin"))?;
        let fact = |row: &sqlx::any::AnyRow| {
            let position = optional_number(row, 4)?;
            Ok(ToldFact {
                at: Timestamp::from_micros(number(row, 0)?),
                kind: text(row, 1)?,
                who: text(row, 2)?,
                body: text(row, 3)?,
                position: position.map(|n| super::unsigned("fact", n)).transpose()?,
            })
        };
        rows.iter().map(fact).collect()
    }

    /// How many facts the log does not have, and the last position it has.
    pub async fn log_position(&self) -> Result<(u64, Option<u64>), StoreError> {
        let row = sqlx::query(
            "select sum(case when position is null then 1 else 0 end), max(position) from fact",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::query("count the facts"))?;
        let waiting = optional_number(&row, 0)?.unwrap_or(0);
        let last = optional_number(&row, 1)?;
        let last = last.map(|n| super::unsigned("fact", n)).transpose()?;
        Ok((super::unsigned("fact", waiting)?, last))
    }
}
