//! Areas, loudspeakers, what they play, orders to them, orders of play.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Action;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::protocol::OrderCommand;
use crate::report::Line;
use crate::schedule::DecisionId;
use crate::server::{Condition, ServerError};
use crate::time::{LocalDate, Timestamp};
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Day, Instant, Slug, Text, Whole};
use crate::web::commune::{Town, town};

/// Controllers of one answer at most; a larger fleet is asked for by area.
const CONTROLLERS_MAX: usize = 10_000;

/// Airings of one answer at most.
const AIRINGS_MAX: usize = 20_000;

pub(super) fn add(table: Table) -> Table {
    table
        .read(look("/areas", Action::Watch, "areas", "Every area, from the province down"), areas)
        .read(
            look(
                "/controllers",
                Action::Watch,
                "controllers",
                "How each loudspeaker is, worst first",
            ),
            controllers,
        )
        .read(
            look(
                "/controllers/{controller}",
                Action::Watch,
                "controller",
                "How one loudspeaker is",
            ),
            controller,
        )
        .read(
            look(
                "/areas/{area}/airings",
                Action::Watch,
                "airings",
                "What airs there on a day, and its fate",
            ),
            airings,
        )
        .write(
            act(
                "/controllers/{controller}/orders",
                Action::Order,
                "order",
                "Stop, volume, self-test or report of one loudspeaker",
            ),
            order,
        )
        .read(
            look(
                "/decisions",
                Action::Watch,
                "decisions",
                "Orders of play that wait for a commune",
            ),
            decisions,
        )
        .write(
            act(
                "/decisions",
                Action::Decide,
                "decide",
                "Decide which of two priority bulletins goes first",
            ),
            decide,
        )
}

/// An area.
#[derive(Serialize, JsonSchema)]
struct Area {
    #[schemars(with = "Slug")]
    id: AreaId,
    name: String,
    level: String,
    #[schemars(with = "Option<Slug>")]
    parent: Option<AreaId>,
}

async fn areas(call: Call<Nothing, Nothing>) -> Result<Vec<Area>, Problem> {
    let town = town(&call.site).await?;
    let tree = &town.schedule.tree;
    let allowed =
        |area: &&crate::fleet::Area| call.who.allow(Action::Watch, &tree.chain(&area.id)).is_ok();
    let area = |area: &crate::fleet::Area| Area {
        id: area.id.clone(),
        name: area.name.clone(),
        level: format!("{:?}", area.level).to_lowercase(),
        parent: area.parent.clone(),
    };
    Ok(tree.iter().filter(allowed).map(area).collect())
}

/// Which controllers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Within {
    /// Only in this area and below it.
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
}

/// A loudspeaker by four facts that do not stand for each other.
#[derive(Serialize, JsonSchema)]
struct Speaker {
    #[schemars(with = "Slug")]
    controller: ControllerId,
    /// Where it stands, while a schedule file names it.
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
    /// `well`, `unknown` or `bad`: the worst of its facts.
    level: String,
    /// Its state in words.
    state: String,
    /// The same in Vietnamese.
    state_vi: String,
    /// When it was last heard of.
    #[schemars(with = "Option<Instant>")]
    seen: Option<Timestamp>,
    /// The facts: link, content, amplifier, heard.
    #[schemars(with = "Whole")]
    facts: serde_json::Value,
    /// Its last word, as `loaban fleet list --json` prints it.
    #[schemars(with = "Option<Whole>")]
    status: Option<serde_json::Value>,
}

fn speaker(town: &Town, one: &Condition) -> Speaker {
    let worst = one.worst();
    let place = town.controller(&one.controller);
    let level = serde_json::to_value(worst.level).ok();
    let facts = serde_json::json!({
        "link": one.link, "content": one.content, "amplifier": one.amplifier, "heard": one.heard,
    });
    let status = one.status.as_ref().and_then(|row| serde_json::to_value(&row.status).ok());
    Speaker {
        controller: one.controller.clone(),
        area: place.map(|held| held.area.clone()),
        level: level.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(),
        state: worst.en.clone(),
        state_vi: worst.vi.clone(),
        seen: one.status.as_ref().map(|row| row.seen),
        facts,
        status,
    }
}

async fn controllers(call: Call<Nothing, Within>) -> Result<Vec<Speaker>, Problem> {
    let town = town(&call.site).await?;
    let tree = &town.schedule.tree;
    if let Some(area) = &call.input.area {
        known(&town, area)?;
    }
    let wanted = call.input.area.as_ref().map(|area| tree.below(area));
    let conditions = call.station().conditions().await?;
    let speakers = conditions.iter().map(|one| speaker(&town, one)).filter(|speaker| {
        let chain = speaker.area.as_ref().map(|area| tree.chain(area)).unwrap_or_default();
        let inside = wanted
            .as_ref()
            .is_none_or(|wanted| speaker.area.as_ref().is_some_and(|area| wanted.contains(area)));
        inside && call.who.allow(Action::Watch, &chain).is_ok()
    });
    Ok(speakers.take(CONTROLLERS_MAX).collect())
}

/// A loudspeaker.
#[derive(Deserialize, JsonSchema)]
struct One {
    #[schemars(with = "Slug")]
    controller: ControllerId,
}

async fn controller(call: Call<One, Nothing>) -> Result<Speaker, Problem> {
    let town = town(&call.site).await?;
    let conditions = call.station().conditions().await?;
    let id = &call.path.controller;
    let found = conditions.iter().find(|one| one.controller == *id);
    let found = found.ok_or_else(|| ServerError::UnknownController(id.clone()))?;
    let speaker = speaker(&town, found);
    let chain = speaker.area.as_ref().map(|area| town.schedule.tree.chain(area));
    call.allow(Action::Watch, &chain.unwrap_or_default())?;
    Ok(speaker)
}

/// An area.
#[derive(Deserialize, JsonSchema)]
struct Place {
    #[schemars(with = "Slug")]
    area: AreaId,
}

/// A day.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnDay {
    /// The local day; today where none is named.
    #[schemars(with = "Option<Day>")]
    date: Option<LocalDate>,
}

/// The airings of a day.
#[derive(Serialize, JsonSchema)]
struct Airings {
    #[schemars(with = "Day")]
    date: LocalDate,
    /// Each airing of each loudspeaker with its fate and, where it was not whole, its cause.
    #[schemars(with = "Vec<Whole>")]
    airings: Vec<Line>,
}

async fn airings(call: Call<Place, OnDay>) -> Result<Airings, Problem> {
    let town = town(&call.site).await?;
    let area = &call.path.area;
    known(&town, area)?;
    call.allow(Action::Watch, &town.schedule.tree.chain(area))?;
    let zone = call.station().config.zone;
    let date = call.input.date.unwrap_or_else(|| zone.date(crate::clock::utc_now()));
    let from = zone.midnight(date);
    let mut airings = Vec::new();
    for controller in town.controllers(area) {
        let until = from + Duration::from_hours(24);
        airings.extend(call.station().lines_at(&controller, from, until).await?);
        if airings.len() > AIRINGS_MAX {
            return Err(Problem::wrong(
                "this area has too many airings for one answer; ask by commune",
            ));
        }
    }
    Ok(Airings { date, airings })
}

fn known(town: &Town, area: &AreaId) -> Result<(), Problem> {
    match town.schedule.tree.get(area) {
        Some(_) => Ok(()),
        None => Err(ServerError::NoArea(area.clone()).into()),
    }
}

/// An order.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
enum Order {
    /// Stop what plays.
    Stop {},
    /// Test amplifier and microphone.
    Selftest {},
    /// Say how it is.
    Report {},
    /// Set the volume.
    Volume {
        /// 0 to 100.
        #[schemars(range(min = 0, max = 100))]
        percent: u8,
    },
}

/// What was done.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    /// Always true: what was not done is a problem.
    done: bool,
}

pub(super) const DONE: Done = Done { done: true };

async fn order(call: Call<One, Order>) -> Result<Done, Problem> {
    let command = match call.input {
        Order::Stop {} => OrderCommand::Stop {},
        Order::Selftest {} => OrderCommand::Selftest {},
        Order::Report {} => OrderCommand::Report {},
        Order::Volume { percent: percent @ 0..=100 } => OrderCommand::Volume { percent },
        Order::Volume { .. } => return Err(Problem::wrong("a volume is 0 to 100 percent")),
    };
    call.station().give_order(&call.path.controller, command, call.by()).await?;
    Ok(DONE)
}

/// Two priority bulletins at one time.
#[derive(Serialize, JsonSchema)]
struct Question {
    /// Its name.
    decision: String,
    #[schemars(with = "Slug")]
    area: AreaId,
    /// The local time by which it must be decided.
    deadline: String,
    /// The programme that goes first where nobody decides.
    #[schemars(with = "Slug")]
    default: ProgrammeId,
    /// The two.
    #[schemars(with = "Vec<Slug>")]
    choices: Vec<ProgrammeId>,
    /// How many loudspeakers it is about.
    controllers: u64,
}

async fn decisions(call: Call<Nothing, Within>) -> Result<Vec<Question>, Problem> {
    let town = town(&call.site).await?;
    let tree = &town.schedule.tree;
    if let Some(area) = &call.input.area {
        known(&town, area)?;
    }
    let wanted = call.input.area.as_ref().map(|area| tree.below(area));
    let open = call.station().open_decisions().await?;
    let here = open.into_iter().filter(|open| {
        let area = open.decision.area();
        wanted.as_ref().is_none_or(|wanted| wanted.contains(area))
            && call.who.allow(Action::Watch, &tree.chain(area)).is_ok()
    });
    let question = |open: crate::schedule::OpenDecision| Question {
        area: open.decision.area().clone(),
        deadline: open.deadline.to_string(),
        choices: open.decision.pair().iter().map(|one| one.programme.clone()).collect(),
        controllers: open.controllers.len() as u64,
        decision: open.decision.to_string(),
        default: open.default,
    };
    Ok(here.map(question).collect())
}

/// A decision.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decided {
    /// The name of the question.
    #[schemars(with = "Text")]
    decision: DecisionId,
    /// The programme that goes first.
    #[schemars(with = "Slug")]
    first: ProgrammeId,
}

async fn decide(call: Call<Nothing, Decided>) -> Result<Done, Problem> {
    call.station().decide(&call.input.decision, &call.input.first, call.by()).await?;
    Ok(DONE)
}
