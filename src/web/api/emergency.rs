//! Emergencies: raised by one officer, confirmed by another, counted.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, ControllerId, EmergencyId};
use crate::server::{Alarm, AlarmError, ServerError, Signed};
use crate::store::{Doing, EmergencyRow};
use crate::time::Timestamp;
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Instant, Secret, Slug};
use crate::web::commune::town;

/// Emergencies of one answer at most, newest first.
const SHOWN_MAX: usize = 500;

/// Areas of one emergency at most.
const AREAS_MAX: usize = 200;

pub(super) fn add(table: Table) -> Table {
    table
        .read(
            look("/emergencies", Action::Alarm, "emergencies", "Every emergency, newest first"),
            list,
        )
        .write(
            act(
                "/emergencies",
                Action::Alarm,
                "raise",
                "Ask for an emergency and sign it; another officer confirms",
            ),
            raise,
        )
        .read(
            look(
                "/emergencies/{emergency}",
                Action::Alarm,
                "emergency",
                "How far it came, loudspeaker by loudspeaker",
            ),
            show,
        )
        .write(
            act(
                "/emergencies/{emergency}/confirmation",
                Action::Alarm,
                "confirm",
                "The second officer's signature; it leaves",
            ),
            confirm,
        )
        .write(
            act(
                "/emergencies/{emergency}/cancellation",
                Action::Alarm,
                "cancel",
                "Ask to take it back; another officer confirms",
            ),
            cancel,
        )
}

/// An emergency, or the order to take one back.
#[derive(Serialize, JsonSchema)]
struct Listed {
    #[schemars(with = "Slug")]
    emergency: EmergencyId,
    /// `play` or `cancel`.
    action: String,
    /// In words.
    state: String,
    #[schemars(with = "Instant")]
    begun: Timestamp,
    #[schemars(with = "Instant")]
    expires: Timestamp,
    /// When enough officers had signed.
    #[schemars(with = "Option<Instant>")]
    raised: Option<Timestamp>,
}

fn listed(row: &EmergencyRow) -> Listed {
    Listed {
        emergency: row.id.clone(),
        action: row.doing.as_str().to_owned(),
        state: row.state(utc_now()).to_owned(),
        begun: row.begun,
        expires: row.expires,
        raised: row.raised,
    }
}

async fn list(call: Call<Nothing, Nothing>) -> Result<Vec<Listed>, Problem> {
    let mut rows = call.station().store.emergencies().await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.sequence));
    Ok(rows.iter().take(SHOWN_MAX).map(listed).collect())
}

/// What an officer asks to be heard.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Raising {
    /// A name of your own for it.
    #[schemars(with = "Slug")]
    emergency: EmergencyId,
    /// An approved bulletin of class emergency.
    #[schemars(with = "Slug")]
    bulletin: BulletinId,
    /// Where: an area stands for everything below it.
    #[schemars(with = "Vec<Slug>", length(min = 1, max = 200))]
    areas: Vec<AreaId>,
    /// How often it is played.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    repeat: u8,
    /// Seconds of silence between.
    #[serde(default)]
    #[schemars(range(min = 0, max = 60))]
    gap_s: u32,
    /// For how long it may begin.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 1440))]
    minutes: u32,
    /// What opens the officer's own key, for this one signature.
    #[schemars(with = "Secret")]
    passphrase: String,
}

fn three() -> u8 {
    3
}

fn hour() -> u32 {
    60
}

/// What came of a signature.
#[derive(Serialize, JsonSchema)]
struct Signing {
    #[schemars(with = "Slug")]
    emergency: EmergencyId,
    /// Whether enough officers have signed: it leaves.
    raised: bool,
    /// Signatures that it has.
    have: Option<u64>,
    /// Signatures that it needs.
    need: Option<u64>,
}

fn signing(emergency: EmergencyId, signed: Signed) -> Signing {
    match signed {
        Signed::Raised => Signing { emergency, raised: true, have: None, need: None },
        Signed::Waits { have, need } => {
            let (have, need) = (Some(have as u64), Some(need as u64));
            Signing { emergency, raised: false, have, need }
        }
    }
}

async fn raise(call: Call<Nothing, Raising>) -> Result<Signing, Problem> {
    let asked = &call.input;
    if asked.areas.len() > AREAS_MAX {
        return Err(Problem::wrong("an emergency names at most 200 areas; name one above them"));
    }
    let alarm = Alarm {
        id: asked.emergency.clone(),
        bulletin: asked.bulletin.clone(),
        areas: asked.areas.clone(),
        repeat: asked.repeat,
        gap_ms: asked.gap_s.saturating_mul(1_000),
        lasts: Duration::from_secs(u64::from(asked.minutes) * 60),
    };
    let signed = call.station().raise(&alarm, call.by(), &asked.passphrase).await?;
    Ok(signing(alarm.id, signed))
}

/// An emergency.
#[derive(Deserialize, JsonSchema)]
struct Which {
    #[schemars(with = "Slug")]
    emergency: EmergencyId,
}

/// A passphrase.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Signature {
    /// What opens the officer's own key, for this one signature.
    #[schemars(with = "Secret")]
    passphrase: String,
}

async fn confirm(call: Call<Which, Signature>) -> Result<Signing, Problem> {
    let id = call.path.emergency.clone();
    let signed = call.station().confirm(&id, call.by(), &call.input.passphrase).await?;
    Ok(signing(id, signed))
}

async fn cancel(call: Call<Which, Signature>) -> Result<Signing, Problem> {
    let id = call.path.emergency.clone();
    let signed = call.station().cancel(&id, call.by(), &call.input.passphrase).await?;
    Ok(signing(id, signed))
}

/// How far an emergency came.
#[derive(Serialize, JsonSchema)]
struct Count {
    /// What was asked for, the play first.
    asked: Vec<Listed>,
    /// How many loudspeakers it is for.
    total: u64,
    /// How many have the whole of it played.
    completed: u64,
    controllers: Vec<Reached>,
}

/// How far it came at one loudspeaker.
#[derive(Serialize, JsonSchema)]
struct Reached {
    #[schemars(with = "Slug")]
    controller: ControllerId,
    #[schemars(with = "Slug")]
    area: AreaId,
    /// `silent`, `accepted`, `begun`, `completed`, `cancelled` or `failed`.
    step: String,
    /// When it said so.
    #[schemars(with = "Option<Instant>")]
    told: Option<Timestamp>,
    /// When it was last heard of.
    #[schemars(with = "Option<Instant>")]
    seen: Option<Timestamp>,
}

async fn show(call: Call<Which, Nothing>) -> Result<Count, Problem> {
    let id = &call.path.emergency;
    let mut rows = call.station().store.emergencies().await?;
    rows.retain(|row| row.id == *id);
    rows.sort_by_key(|row| (row.doing == Doing::Cancel, row.sequence));
    let first = rows.first().ok_or_else(|| {
        Problem::not_there(&ServerError::from(AlarmError::Unknown(id.clone())).to_string())
    })?;
    let areas = call.station().read_emergency(&first.note)?.areas;
    let town = town(&call.site).await?;
    let tree = &town.schedule.tree;
    let mine = |area: &AreaId| call.who.allow(Action::Alarm, &tree.chain(area)).is_ok();
    if !areas.iter().any(mine) {
        call.allow(Action::Alarm, &areas.first().map(|area| tree.chain(area)).unwrap_or_default())?;
    }
    let reached = call.station().reached(id).await?;
    let one = |one: &crate::server::Reached| Reached {
        controller: one.controller.clone(),
        area: one.area.clone(),
        step: one.word().to_owned(),
        told: one.told.map(|(.., at)| at),
        seen: one.seen,
    };
    Ok(Count {
        asked: rows.iter().map(listed).collect(),
        total: reached.len() as u64,
        completed: reached.iter().filter(|one| one.word() == "completed").count() as u64,
        controllers: reached.iter().map(one).collect(),
    })
}
