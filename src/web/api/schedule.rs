//! Schedule files, the plan that is made of them, and why something was not heard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, ControllerId, ProgrammeId};
use crate::schedule::excerpt::{Excerpt, known_area, known_controller, plan_days};
use crate::schedule::explain::Answer;
use crate::schedule::{Plan, World};
use crate::server::ServerError;
use crate::time::LocalDate;
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::{FileFault, Problem, file_faults};
use crate::web::api::words::{Day, Slug, Whole};

/// Files of one request at most.
const FILES_MAX: usize = 200;

/// Airings of one answer at most: a commune's week, not a province's.
const AIRINGS_MAX: usize = 20_000;

/// Days that are planned where no last one is named.
const DAYS: i64 = 7;

/// Controllers that one question is answered for at most.
const ANSWERS_MAX: usize = 200;

pub(super) fn add(table: Table) -> Table {
    table
        .read(
            look("/schedule", Action::Watch, "schedule", "The station's schedule as one file"),
            export,
        )
        .write(
            act(
                "/schedule/check",
                Action::ChangeFleet,
                "check-schedule",
                "Say everything that is wrong with some files; changes nothing",
            ),
            check,
        )
        .write(
            act(
                "/schedule/import",
                Action::ChangeFleet,
                "import-schedule",
                "Take files over; all or nothing",
            ),
            import,
        )
        .read(
            look("/plan", Action::Watch, "plan", "What airs when and where, with every refusal"),
            show,
        )
        .read(
            look(
                "/explanation",
                Action::Watch,
                "explain",
                "Why a village did not hear a bulletin on a day, or when it did",
            ),
            why,
        )
}

/// A schedule.
#[derive(Serialize, JsonSchema)]
struct Exported {
    /// A file that reads back as the same schedule.
    toml: String,
}

async fn export(call: Call<Nothing, Nothing>) -> Result<Exported, Problem> {
    call.allow(Action::Watch, &[])?;
    Ok(Exported { toml: call.station().schedule().await?.export() })
}

/// Files.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Files {
    #[schemars(length(min = 1, max = 200))]
    files: Vec<File>,
}

/// A schedule file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Its name, by which a later file takes its place, such as `areas.toml`.
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,98}$"))]
    name: String,
    /// What is in it.
    text: String,
}

impl Files {
    fn named(self) -> Result<Vec<(String, String)>, Problem> {
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        let good = |name: &str| {
            (1..=99).contains(&name.len())
                && name.bytes().all(plain)
                && name.as_bytes()[0].is_ascii_alphanumeric()
        };
        if self.files.is_empty() || self.files.len() > FILES_MAX {
            return Err(Problem::wrong("send 1 to 200 files"));
        }
        if let Some(file) = self.files.iter().find(|file| !good(&file.name)) {
            let name: String = file.name.chars().take(100).collect();
            return Err(Problem::wrong(&format!(
                "`{name}` is no name of a file; use letters, digits, dot, - and _, such as areas.toml"
            )));
        }
        Ok(self.files.into_iter().map(|file| (file.name, file.text)).collect())
    }
}

/// What is wrong.
#[derive(Serialize, JsonSchema)]
struct Checked {
    /// Whether an import would take them over.
    right: bool,
    faults: Vec<FileFault>,
}

async fn check(call: Call<Nothing, Files>) -> Result<Checked, Problem> {
    call.allow(Action::ChangeFleet, &[])?;
    let (site, files) = (call.site, call.input.named()?);
    match site.station.check_schedule(&files).await {
        Ok(()) => Ok(Checked { right: true, faults: vec![] }),
        Err(ServerError::Faults(faults)) => {
            Ok(Checked { right: false, faults: file_faults(&faults) })
        }
        Err(error) => Err(error.into()),
    }
}

/// What was taken over.
#[derive(Serialize, JsonSchema)]
struct Imported {
    /// How many files were new or changed.
    changed: u64,
}

async fn import(call: Call<Nothing, Files>) -> Result<Imported, Problem> {
    call.allow(Action::ChangeFleet, &[])?;
    let files = call.input.named()?;
    let (station, by) = (&call.site.station, &call.who.person.id);
    Ok(Imported { changed: station.import_schedule_by(by, &files).await? as u64 })
}

/// Which part of the plan.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// The first day; today where none is named.
    #[schemars(with = "Option<Day>")]
    from: Option<LocalDate>,
    /// The last day; six days later where none is named.
    #[schemars(with = "Option<Day>")]
    to: Option<LocalDate>,
    /// Only this area and those below it.
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
    #[schemars(with = "Option<Slug>")]
    controller: Option<ControllerId>,
    #[schemars(with = "Option<Slug>")]
    programme: Option<ProgrammeId>,
}

/// A plan.
#[derive(Serialize, JsonSchema)]
struct Planned {
    #[schemars(with = "Day")]
    from: LocalDate,
    #[schemars(with = "Day")]
    to: LocalDate,
    /// As `loaban schedule plan --json` prints it.
    #[schemars(with = "Whole")]
    plan: Plan,
}

async fn show(call: Call<Nothing, Part>) -> Result<Planned, Problem> {
    let _place = call.heavy().await?;
    let Part { from, to, area, controller, programme } = &call.input;
    let world = call.station().world().await?;
    let chain = area.as_ref().map(|area| world.tree.chain(area)).unwrap_or_default();
    call.allow(Action::Watch, &chain)?;
    let today = call.station().config.zone.date(utc_now());
    let from = from.unwrap_or(today);
    let to = to.unwrap_or_else(|| from.plus_days(DAYS - 1));
    let excerpt = Excerpt {
        area: area.clone(),
        controller: controller.clone(),
        programme: programme.clone(),
    };
    let plan = apart(move || {
        let mut plan = plan_days(&world, today, (from, to))?;
        excerpt.narrow(&world, &mut plan)?;
        Ok::<_, crate::schedule::excerpt::NoExcerpt>(plan)
    });
    let plan = plan.await?.map_err(|error| Problem::wrong(&error.to_string()))?;
    if plan.airings.len() > AIRINGS_MAX {
        return Err(Problem::wrong("these are too many airings for one answer; name an area"));
    }
    Ok(Planned { from, to, plan })
}

/// Does work that takes the machine's time apart from those who wait for answers.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ServerError::Task(error.to_string()).into())
}

/// What is asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The village; of a commune every loudspeaker in it. This or `controller`.
    #[schemars(with = "Option<Slug>")]
    village: Option<AreaId>,
    /// One loudspeaker.
    #[schemars(with = "Option<Slug>")]
    controller: Option<ControllerId>,
    #[schemars(with = "Slug")]
    bulletin: BulletinId,
    #[schemars(with = "Day")]
    date: LocalDate,
}

/// What was heard, or why not, at one loudspeaker.
#[derive(Serialize, JsonSchema)]
struct Explained {
    #[schemars(with = "Slug")]
    controller: ControllerId,
    #[schemars(with = "Slug")]
    area: AreaId,
    /// As `loaban explain --json` prints it.
    #[schemars(with = "Whole")]
    answer: Answer,
}

async fn why(call: Call<Nothing, Asked>) -> Result<Vec<Explained>, Problem> {
    let _place = call.heavy().await?;
    let asked = &call.input;
    let today = call.station().config.zone.date(utc_now());
    let world = call.station().world_on(asked.date.min(today)).await?;
    let controllers = asked.meant(&call, &world)?;
    call.station().bulletin(&asked.bulletin).await?;
    let (bulletin, date) = (&asked.bulletin, asked.date);
    let all = call.station().explain(world, &controllers, bulletin, date).await?;
    let told = |crate::server::Explained { controller, area, answer }| Explained {
        controller,
        area,
        answer,
    };
    Ok(all.into_iter().map(told).collect())
}

impl Asked {
    fn meant<P, I>(&self, call: &Call<P, I>, world: &World) -> Result<Vec<ControllerId>, Problem> {
        let wrong = |error: crate::schedule::excerpt::NoExcerpt| Problem::wrong(&error.to_string());
        let excerpt = match (&self.village, &self.controller) {
            (Some(area), None) => {
                known_area(world, area).map_err(wrong)?;
                Excerpt { area: Some(area.clone()), ..Excerpt::default() }
            }
            (None, Some(controller)) => {
                known_controller(world, controller).map_err(wrong)?;
                Excerpt { controller: Some(controller.clone()), ..Excerpt::default() }
            }
            _ => return Err(Problem::wrong("name either a village or a controller")),
        };
        let all: Vec<ControllerId> = excerpt.controllers(world).into_iter().collect();
        if all.len() > ANSWERS_MAX {
            return Err(Problem::wrong("this area has more than 200 loudspeakers; name a commune"));
        }
        for id in &all {
            let area = world.controllers.iter().find(|held| held.id == *id).map(|held| &held.area);
            call.allow(Action::Watch, &area.map(|a| world.tree.chain(a)).unwrap_or_default())?;
        }
        Ok(all)
    }
}
