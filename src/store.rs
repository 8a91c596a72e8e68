//! The database: SQLite by default, PostgreSQL by URL, one SQL text for both.
//!
//! **A change and its audit fact are rows of one transaction**: every writing method that changes
//! what the log must tell takes the [`Fact`] with it. On SQLite a transaction that writes begins
//! `immediate`, so that two writers wait for each other instead of failing half-way.

mod answers;
mod audited;
mod broadcast;
mod certificate;
mod code;
mod commune;
mod decision;
mod edits;
mod emergency;
mod facts;
mod login;
mod newsroom;
mod questions;
mod reach;
mod receipts;
mod schedule;
mod station;
mod token;

use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyPool, Row, Transaction};

pub use audited::{LoggedFact, ReceiptRow};
pub use broadcast::{BroadcastOutcome, BroadcastRow};
pub use certificate::CertificateRow;
pub use code::CodeRow;
pub use commune::{Acknowledgement, AnnouncementRow, Maintenance, Withdrawal};
pub use edits::EditRow;
pub use emergency::{Doing, EmergencyRow, EmergencyTold, OrderRow};
pub use facts::{Fact, ToldFact, WaitingFact};
pub use login::{LoginRow, SessionRow};
pub use newsroom::{AssetRow, SourceRow};
pub use questions::Secret;
pub use receipts::{OutcomeRow, Sounded, StatusRow};
pub use schedule::{AiringRow, Around, IssuedManifest, IssuedSlot};
pub use station::{Device, DeviceTurn, Expected, Person};
pub use token::{AnsweredRow, TokenRow};

/// Connections to the database at most: one writer and a few readers.
const CONNECTIONS_MAX: u32 = 5;

/// How long a call waits for a connection or for another writer.
const WAIT: Duration = Duration::from_secs(20);

/// Why the database did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No database at that URL.
    #[error("cannot open the database {url}: {source}; check `store` in loaban.toml")]
    Open {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// Made by a later release.
    #[error(
        "the database {url} is of a newer version of loaban than this one; install that version, \
         or restore the backup from before the upgrade"
    )]
    Newer {
        /// The URL without its password.
        url: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database {url} could not be brought up to date: {source}; restore a backup")]
    Migrate {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the database refused to {what}: {source}; nothing was changed")]
    Query {
        /// What was tried.
        what: &'static str,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A row that this program cannot have written.
    #[error("the database holds a damaged {table}: {why}; restore a backup")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// How it shows.
        why: String,
    },
}

impl StoreError {
    /// The same in Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::Open { url, source } => format!(
                "Không mở được cơ sở dữ liệu {url} ({source}); hãy xem `store` trong loaban.toml."
            ),
            Self::Newer { url } => format!(
                "Cơ sở dữ liệu {url} thuộc bản loaban mới hơn; hãy cài bản đó, hoặc phục hồi bản sao \
                 lưu trước khi nâng cấp."
            ),
            Self::Migrate { url, source } => format!(
                "Không nâng cấp được cơ sở dữ liệu {url} ({source}); hãy phục hồi bản sao lưu."
            ),
            Self::Query { source, .. } => {
                format!("Cơ sở dữ liệu từ chối một yêu cầu ({source}); chưa có gì thay đổi.")
            }
            Self::Corrupt { table, .. } => {
                format!("Bảng {table} trong cơ sở dữ liệu bị hỏng; hãy phục hồi bản sao lưu.")
            }
        }
    }

    fn query(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { what, source }
    }

    fn corrupt(table: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { table, why: why.to_string() }
    }
}

/// The kinds of database that one SQL text serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// The places of `count` values in a statement, from the one numbered `first` on; a list without
/// any holds none.
fn places(first: usize, count: usize) -> String {
    let numbered: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    if numbered.is_empty() { "null".to_owned() } else { numbered.join(", ") }
}

/// The database of one station.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    kind: Kind,
}

/// A transaction that writes; dropped without [`Tx::commit`] it changes nothing.
pub struct Tx {
    inner: Transaction<'static, Any>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    /// Makes everything that was written last.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await.map_err(StoreError::query("commit"))
    }
}

impl Store {
    /// Opens `sqlite:PATH` (made where missing) or `postgres://…` and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let kind = if url.starts_with("postgres") { Kind::Postgres } else { Kind::Sqlite };
        let full = match kind {
            Kind::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        };
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(WAIT);
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move { prepare(connection, kind).await })
        });
        let shown = without_password(url);
        let pool = options.connect(&full).await;
        let pool = pool.map_err(|source| StoreError::Open { url: shown.clone(), source })?;
        sqlx::migrate!().run(&pool).await.map_err(|error| migration_failed(shown, error))?;
        Ok(Self { pool, kind })
    }

    /// Begins a transaction that writes.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let begin = match self.kind {
            Kind::Sqlite => "begin immediate",
            Kind::Postgres => "begin",
        };
        let inner = self.pool.begin_with(begin).await.map_err(StoreError::query("begin"))?;
        Ok(Tx { inner })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn prepare(connection: &mut sqlx::AnyConnection, kind: Kind) -> Result<(), sqlx::Error> {
    if kind == Kind::Sqlite {
        // `full` keeps what was committed through a power cut; WAL lets readers go on meanwhile.
        for pragma in [
            "pragma busy_timeout = 20000",
            "pragma journal_mode = wal",
            "pragma synchronous = full",
        ] {
            sqlx::query(pragma).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

fn migration_failed(url: String, error: sqlx::migrate::MigrateError) -> StoreError {
    match error {
        sqlx::migrate::MigrateError::VersionMissing(_)
        | sqlx::migrate::MigrateError::VersionTooNew(..) => StoreError::Newer { url },
        source => StoreError::Migrate { url, source },
    }
}

/// The URL as it may be shown and logged.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => url.to_owned(),
    }
}

fn text(row: &AnyRow, column: usize) -> Result<String, StoreError> {
    row.try_get(column).map_err(StoreError::query("read a text"))
}

fn optional_text(row: &AnyRow, column: usize) -> Result<Option<String>, StoreError> {
    row.try_get(column).map_err(StoreError::query("read a text"))
}

fn number(row: &AnyRow, column: usize) -> Result<i64, StoreError> {
    row.try_get(column).map_err(StoreError::query("read a number"))
}

fn optional_number(row: &AnyRow, column: usize) -> Result<Option<i64>, StoreError> {
    row.try_get(column).map_err(StoreError::query("read a number"))
}

/// Text of the database as the domain's type.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    table: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|e: T::Err| StoreError::corrupt(table, e))
}

/// JSON of the database as the domain's type.
fn document<T: serde::de::DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::corrupt(table, e))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("documents of the store have text keys")
}

/// Counts and times of the domain are far below 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(table: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|e| StoreError::corrupt(table, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = without_password("postgres://loaban:secret@127.0.0.1:5432/loaban");
        assert_eq!(shown, "postgres://loaban@127.0.0.1:5432/loaban");
        assert_eq!(without_password("sqlite:/x/loaban.db"), "sqlite:/x/loaban.db");
    }
}
