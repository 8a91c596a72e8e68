//! Figures, gaps, evidence and the forms that stations file.

use axum::body::Body;
use axum::extract::Query;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::Action;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, Tag};
use crate::report::{Dimension, Document};
use crate::server::{Inquiry, usual_days};
use crate::time::LocalDate;
use crate::web::api::document::{Told, parameters};
use crate::web::api::operation::{Call, Table, look};
use crate::web::api::problem::Problem;
use crate::web::api::schedule::apart;
use crate::web::api::words::{Day, Slug, Whole};
use crate::web::inspector::{Format as filed, written};

/// Days of one form at most: a year and some air.
const DAYS_MAX: i64 = 400;

pub(super) fn add(mut table: Table) -> Table {
    let told = Told {
        parameters: parameters::<InFile>(&mut table.generator),
        body: None,
        answer: json!({
            "description": "The form", "content": { PDF: {}, XLSX: {}, CSV: {} },
        }),
    };
    table
        .read(
            look("/reports/{form}", Action::Watch, "report", "A form filled in: figures, gaps, evidence, weekly, monthly, half-year, annual, items, indicators, or one of the station's own"),
            show,
        )
        .raw(
            look("/reports/{form}/file", Action::Watch, "report-file", "The same as a file to print and sign; the log notes it"),
            told,
            file,
        )
}

/// A form.
#[derive(Deserialize, JsonSchema)]
struct Which {
    /// Its name.
    #[schemars(with = "Slug")]
    form: Tag,
}

/// What is asked about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The first day; otherwise the beginning of the form's usual span.
    #[schemars(with = "Option<Day>")]
    from: Option<LocalDate>,
    /// The last day.
    #[schemars(with = "Option<Day>")]
    to: Option<LocalDate>,
    /// The area, with everything below it.
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
    /// One bulletin alone; `evidence` needs it.
    #[schemars(with = "Option<Slug>")]
    bulletin: Option<BulletinId>,
    /// What figures are summed by: day, week, month, area, programme, bulletin, column, topic,
    /// campaign, language, class or controller.
    #[schemars(with = "Option<Slug>")]
    by: Option<String>,
}

/// The same, with the kind of the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InFile {
    format: Format,
    #[schemars(with = "Option<Day>")]
    from: Option<LocalDate>,
    #[schemars(with = "Option<Day>")]
    to: Option<LocalDate>,
    #[schemars(with = "Option<Slug>")]
    area: Option<AreaId>,
    #[schemars(with = "Option<Slug>")]
    bulletin: Option<BulletinId>,
    #[schemars(with = "Option<Slug>")]
    by: Option<String>,
}

/// The kind of a file.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Format {
    Pdf,
    Xlsx,
    Csv,
}

const PDF: &str = "application/pdf";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const CSV: &str = "text/csv";

/// A form.
#[derive(Serialize, JsonSchema)]
struct Filled {
    #[schemars(with = "Day")]
    from: LocalDate,
    #[schemars(with = "Day")]
    to: LocalDate,
    /// As `loaban report … --out X.json` writes it.
    #[schemars(with = "Whole")]
    document: serde_json::Value,
}

async fn show(call: Call<Which, Asked>) -> Result<Filled, Problem> {
    let (from, to, document) = fill(&call, &call.input).await?;
    Ok(Filled { from, to, document: document.json() })
}

async fn fill<I>(
    call: &Call<Which, I>,
    asked: &Asked,
) -> Result<(LocalDate, LocalDate, Document), Problem> {
    let _place = call.heavy().await?;
    let (station, name) = (call.station(), call.path.form.as_str());
    let schedule = station.schedule().await?;
    let chain = asked.area.as_ref().map(|area| schedule.tree.chain(area)).unwrap_or_default();
    call.allow(Action::Watch, &chain)?;
    let by = asked.by.as_deref().unwrap_or("area");
    let by: Dimension = by.parse().map_err(|error| Problem::wrong(&format!("{error}")))?;
    let today = station.config.zone.date(utc_now());
    let form = station.form(name)?;
    let usual = usual_days(name, asked.to.or(asked.from).unwrap_or(today));
    let (from, until) = (asked.from.unwrap_or(usual.0), asked.to.unwrap_or(usual.1));
    if from > until || (until.naive() - from.naive()).num_days() > DAYS_MAX {
        return Err(Problem::wrong(&format!(
            "{from} to {until} are no 1 to {DAYS_MAX} days; choose others"
        )));
    }
    let (area, bulletin) = (asked.area.clone(), asked.bulletin.clone());
    if name == "evidence" && bulletin.is_none() {
        return Err(Problem::wrong("evidence is about one bulletin; name it"));
    }
    let inquiry = Inquiry { from, until, area, bulletin };
    Ok((from, until, station.fill(&form, &inquiry, by, |_| ()).await?))
}

async fn file(call: Call<Which, Parts>, _: Body) -> Result<Response, Problem> {
    let asked = Query::<InFile>::try_from_uri(&call.input.uri);
    let Query(asked) = asked.map_err(|error| Problem::unreadable(&error.body_text()))?;
    let InFile { format, from, to, area, bulletin, by } = asked;
    let (from, to, document) = fill(&call, &Asked { from, to, area, bulletin, by }).await?;
    let format = match format {
        Format::Pdf => filed::Pdf,
        Format::Xlsx => filed::Xlsx,
        Format::Csv => filed::Csv,
    };
    let bytes = apart(move || written(&document, format)).await??;
    let name = &call.path.form;
    let what = format!("report {name} {from} {to}");
    call.station().tell_export(&what, Digest::of(&bytes), Some(call.by())).await?;
    let saved = format!("attachment; filename=\"{name}-{from}-{to}.{}\"", format.ending());
    let headers = [(header::CONTENT_TYPE, format.kind()), (header::CONTENT_DISPOSITION, &saved)];
    Ok((headers, bytes).into_response())
}
