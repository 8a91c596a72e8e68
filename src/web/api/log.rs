//! The broadcast log: its entries, its head, and whether anything was altered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Action;
use crate::audit::{Entry, Kind};
use crate::id::{AreaId, BulletinId, ControllerId, PersonId};
use crate::log::{LogReader, verify};
use crate::server::{Pick, ServerError};
use crate::time::LocalDate;
use crate::web::api::operation::{Call, Nothing, Table, look};
use crate::web::api::problem::Problem;
use crate::web::api::schedule::apart;
use crate::web::api::words::{Day, Family, Slug, Whole};

/// Entries of one answer at most.
const ENTRIES_MAX: usize = 500;

pub(super) fn add(table: Table) -> Table {
    table
        .read(look("/log", Action::Watch, "log", "Entries of the broadcast log, in order"), list)
        .read(
            look("/log/checkpoint", Action::Watch, "checkpoint", "The signed head of the log"),
            checkpoint,
        )
        .read(
            look(
                "/log/verification",
                Action::Watch,
                "verify",
                "Whether anything was altered, and where; reads the whole log",
            ),
            verification,
        )
        .read(
            look(
                "/log/entries/{entry}",
                Action::Watch,
                "entry",
                "One entry with the proof that the log holds it",
            ),
            show,
        )
}

/// The largest whole number that every reader of JSON keeps exactly (RFC 8259 §6), 2^53 − 1.
const INDEX_MAX: u64 = 9_007_199_254_740_991;

/// The number of an entry, counted from 0.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(inline)]
struct Index(#[schemars(range(min = 0, max = INDEX_MAX))] u64);

impl TryFrom<u64> for Index {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        let beyond = || format!("{number} is beyond {INDEX_MAX}, the last number of an entry");
        (number <= INDEX_MAX).then_some(Self(number)).ok_or_else(beyond)
    }
}

/// Which entries.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The number to begin at: the `next` of the answer before.
    #[serde(default)]
    first: Index,
    /// Only entries of this kind, such as `receipts.taken`; `version.` for all that begin so.
    #[schemars(with = "Option<Family>")]
    kind: Option<Kind>,
    /// From this day on.
    #[schemars(with = "Option<Day>")]
    from: Option<LocalDate>,
    /// To this day.
    #[schemars(with = "Option<Day>")]
    to: Option<LocalDate>,
    /// About this area or anything below it.
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
    #[schemars(with = "Option<Slug>")]
    bulletin: Option<BulletinId>,
    #[schemars(with = "Option<Slug>")]
    controller: Option<ControllerId>,
    /// By this person.
    #[schemars(with = "Option<Slug>")]
    person: Option<PersonId>,
}

/// Entries.
#[derive(Serialize, JsonSchema)]
struct Listed {
    /// How many the log has.
    size: u64,
    entries: Vec<Numbered>,
    /// Where to go on; missing at the end.
    next: Option<u64>,
}

/// An entry.
#[derive(Serialize, JsonSchema)]
struct Numbered {
    index: u64,
    /// As it is in the log.
    #[schemars(with = "Whole")]
    entry: serde_json::Value,
}

async fn list(call: Call<Nothing, Wanted>) -> Result<Listed, Problem> {
    call.allow(Action::Watch, &[])?;
    let _place = call.heavy().await?;
    let Wanted { first, kind, from, to, area, bulletin, controller, person } = call.input.clone();
    let station = call.station();
    let pick = Pick { kind, from, to, area, bulletin, controller, person, entries: None };
    let wanted = pick.wanted(station).await?;
    let folder = station.log_folder();
    let read = apart(move || wanted.page(&LogReader::open(&folder)?, first.0, ENTRIES_MAX));
    let found = read.await?.map_err(ServerError::from)?;
    let numbered = |(index, entry): (u64, Entry)| {
        let entry = serde_json::from_str(entry.as_str()).unwrap_or_default();
        Numbered { index, entry }
    };
    let entries = found.entries.into_iter().map(numbered).collect();
    Ok(Listed { size: found.size, entries, next: found.next })
}

/// The head.
#[derive(Serialize, JsonSchema)]
struct Head {
    size: u64,
    /// The signed note.
    checkpoint: String,
    /// The log's public key.
    key: String,
}

async fn checkpoint(call: Call<Nothing, Nothing>) -> Result<Head, Problem> {
    call.allow(Action::Watch, &[])?;
    let log = LogReader::open(&call.station().log_folder()).map_err(ServerError::from)?;
    let key = call.station().online_keys()?.log.public().to_string();
    Ok(Head { size: log.size(), checkpoint: log.checkpoint().as_str().to_owned(), key })
}

/// What was found.
#[derive(Serialize, JsonSchema)]
struct Verified {
    /// Whether nothing was altered.
    right: bool,
    /// What was found in the log, in a sentence.
    log: String,
    /// What was found in the tables beside it; missing where the log itself is wrong.
    tables: Option<String>,
}

async fn verification(call: Call<Nothing, Nothing>) -> Result<Verified, Problem> {
    call.allow(Action::Watch, &[])?;
    let _place = call.heavy().await?;
    let station = call.station();
    let (folder, key) = (station.log_folder(), station.online_keys()?.log.public());
    let verdict = apart(move || verify(&folder, &key, None)).await?.map_err(ServerError::from)?;
    if !verdict.is_right() {
        return Ok(Verified { right: false, log: verdict.to_string(), tables: None });
    }
    let agreement = station.agreement().await?;
    let right = agreement.disagreements.is_empty();
    Ok(Verified { right, log: verdict.to_string(), tables: Some(agreement.to_string()) })
}

/// An entry.
#[derive(Deserialize, JsonSchema)]
struct Which {
    /// Its number.
    entry: Index,
}

/// An entry with its proof.
#[derive(Serialize, JsonSchema)]
struct Proven {
    index: u64,
    #[schemars(with = "Whole")]
    entry: serde_json::Value,
    /// In the form of C2SP tlog-proof.
    proof: String,
}

async fn show(call: Call<Which, Nothing>) -> Result<Proven, Problem> {
    call.allow(Action::Watch, &[])?;
    let log = LogReader::open(&call.station().log_folder()).map_err(ServerError::from)?;
    let Index(index) = call.path.entry;
    if index >= log.size() {
        return Err(Problem::not_there(&format!("the log has {} entries", log.size())));
    }
    let entry = log.entry(index).map_err(ServerError::from)?;
    let proof = log.proof(index).map_err(ServerError::from)?.to_string();
    let entry = serde_json::from_str(entry.as_str()).unwrap_or_default();
    Ok(Proven { index, entry, proof })
}
