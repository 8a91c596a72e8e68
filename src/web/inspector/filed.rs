//! The forms that stations file: each looked at first, then taken out as PDF, XLSX, CSV or JSON.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::audit::qr::Qr;
use crate::digest::Digest;
use crate::id::Tag;
use crate::report::form::USUAL;
use crate::report::{Cell, Dimension, Document, Form, csv, pdf, xlsx};
use crate::server::{Inquiry, ServerError, usual_days};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::airings::newest;
use crate::web::inspector::scope::{Choice, Days, Scope, busy, choices, query, word};

/// Rows of a preview at most; the file has them all.
const ROWS_MAX: usize = 200;

/// How a filled form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Format {
    /// To print and sign.
    Pdf,
    /// For a spreadsheet.
    Xlsx,
    /// For any program.
    Csv,
    /// For any program, with the log's checkpoint.
    Json,
}

impl Format {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Pdf, "pdf"), (Self::Xlsx, "xlsx"), (Self::Csv, "csv"), (Self::Json, "json")];

    /// The ending of a file's name.
    pub(in crate::web) fn ending(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, ending)| ending)
    }

    /// The kind of a file for browsers.
    pub(in crate::web) fn kind(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
            Self::Json => "application/json",
        }
    }
}

/// A filled form as a file; takes the machine's time.
pub(in crate::web) fn written(document: &Document, format: Format) -> Result<Vec<u8>, ServerError> {
    let failed = |error: String| ServerError::Task(error);
    match format {
        Format::Pdf => pdf::pdf(document, |_| ()).map_err(|error| failed(error.to_string())),
        Format::Xlsx => xlsx::xlsx(document).map_err(|error| failed(error.to_string())),
        Format::Csv => Ok(csv::csv(document)),
        Format::Json => {
            serde_json::to_vec_pretty(&document.json()).map_err(|error| failed(error.to_string()))
        }
    }
}

#[derive(Template)]
#[template(path = "inspector/forms.html")]
struct List {
    frame: Frame,
    tabs: Vec<Entry>,
    forms: Vec<Listed>,
}

struct Listed {
    name: String,
    title: String,
    columns: usize,
    own: bool,
}

/// The forms of the station.
pub(in crate::web) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let mut forms = Vec::new();
    for (name, own) in names(&site) {
        let form = site.station.form(&name)?;
        forms.push(Listed { name, title: title(&form), columns: form.columns.len(), own });
    }
    Ok(frame::page(&List {
        frame: Frame::new(&site, &visitor, visitor.tongue.say("Biểu mẫu", "Forms")),
        tabs: super::tabs(&visitor),
        forms,
    }))
}

/// The forms that are built in, and those in the station's own folder.
fn names(site: &Site) -> Vec<(String, bool)> {
    let folder = site.station.config.data.join("forms");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let own = |file: std::fs::DirEntry| {
        let name = file.file_name().into_string().ok()?;
        let name: Tag = name.strip_suffix(".toml")?.parse().ok()?;
        Some(name.to_string())
    };
    let mut own: Vec<String> = files.filter_map(own).collect();
    own.sort_unstable();
    let usual = USUAL.iter().map(|(name, _)| (*name).to_owned());
    let usual = usual.filter(|name| !own.contains(name)).map(|name| (name, false));
    usual.chain(own.iter().cloned().map(|name| (name, true))).collect()
}

/// A form's title without the places that are filled in.
fn title(form: &Form) -> String {
    let (head, _) = form.title.split_once('{').unwrap_or((&form.title, ""));
    head.trim_end().to_owned()
}

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    from: String,
    to: String,
    area: String,
    place: String,
    bulletin: String,
    by: String,
    format: Option<Format>,
}

#[derive(Template)]
#[template(path = "inspector/form.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    name: String,
    areas: Vec<Choice>,
    whole: bool,
    offered: Vec<String>,
    days: Days,
    dimensions: Vec<Choice>,
    bulletins: Vec<Choice>,
    needs_bulletin: bool,
    needs_dimension: bool,
    filled: Option<Filled>,
    /// The same question, as a query.
    query: String,
}

/// A filled form as it is shown.
struct Filled {
    heading: Vec<String>,
    title: String,
    below: Vec<String>,
    columns: Vec<String>,
    rows: Vec<Vec<Shown>>,
    sums: Vec<Shown>,
    total: usize,
    notes: Vec<String>,
    signatures: Vec<String>,
    seal: Vec<String>,
    code: String,
}

struct Shown {
    text: String,
    number: bool,
    /// The entry of the log that it names.
    entry: Option<u64>,
}

/// A form as it would be filed.
pub(in crate::web) async fn preview(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(name): Path<Tag>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let question = Question::of(&site, &visitor, &name, &asked).await?;
    let document = if question.is_whole() { Some(question.fill(&site).await?) } else { None };
    let query = question.query();
    let Question { form, by, inquiry, days, scope } = question;
    let bulletins = site.station.store.bulletins().await?;
    let chosen = inquiry.bulletin.as_ref().map(ToString::to_string).unwrap_or_default();
    let dimensions = Dimension::ALL.map(|(word, one)| (word, visitor.tongue.say(one.vi(), word)));
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, title(&form)),
        tabs: super::tabs(&visitor),
        needs_bulletin: needs_bulletin(&form),
        needs_dimension: form.rows == crate::report::form::Rows::Groups,
        bulletins: newest(&bulletins, &chosen),
        dimensions: choices(dimensions, &by.to_string()),
        name: form.name,
        filled: document.as_ref().map(filled),
        whole: scope.whole,
        offered: scope.offered,
        areas: scope.choices,
        days,
        query,
    }))
}

/// The same as a file; the log notes who took it.
pub(in crate::web) async fn file(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(name): Path<Tag>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let question = Question::of(&site, &visitor, &name, &asked).await?;
    let format = asked.format.unwrap_or(Format::Pdf);
    if !question.is_whole() {
        return Err(Fault::bad("Hãy chọn bản tin trước.", "Choose a bulletin first."));
    }
    let document = question.fill(&site).await?;
    let bytes = tokio::task::spawn_blocking(move || written(&document, format)).await;
    let bytes = bytes.map_err(|error| ServerError::Task(error.to_string()))??;
    let Days { from, until } = question.days;
    let by = &visitor.who()?.person.id;
    let what = format!("report {name} {from} {until}");
    site.station.tell_export(&what, Digest::of(&bytes), Some(by)).await?;
    let ending = format.ending();
    let saved = format!("attachment; filename=\"{name}-{from}-{until}.{ending}\"");
    let headers = [(header::CONTENT_TYPE, format.kind()), (header::CONTENT_DISPOSITION, &saved)];
    Ok((headers, bytes).into_response())
}

/// A form and what it is asked about.
struct Question {
    form: Form,
    by: Dimension,
    inquiry: Inquiry,
    days: Days,
    scope: Scope,
}

fn needs_bulletin(form: &Form) -> bool {
    form.rows == crate::report::form::Rows::Evidence
}

impl Question {
    async fn of(site: &Site, visitor: &Visitor, name: &Tag, asked: &Asked) -> Result<Self, Fault> {
        let scope = Scope::of(site, visitor, (&asked.area, &asked.place)).await?;
        let form = site.station.form(name.as_str())?;
        let usual = |day| usual_days(name.as_str(), day);
        let days = Days::of(site, (&asked.from, &asked.to), usual)?;
        let by = word(&asked.by)?.unwrap_or(Dimension::Area);
        let mut inquiry = scope.inquiry(days);
        inquiry.bulletin = word(&asked.bulletin)?;
        if let Some(bulletin) = &inquiry.bulletin {
            site.station.bulletin(bulletin).await?;
        }
        Ok(Self { form, by, inquiry, days, scope })
    }

    /// Whether everything that the form needs was said.
    fn is_whole(&self) -> bool {
        !needs_bulletin(&self.form) || self.inquiry.bulletin.is_some()
    }

    async fn fill(&self, site: &Site) -> Result<Document, Fault> {
        let _place = site.heavy().await.ok_or_else(busy)?;
        Ok(site.station.fill(&self.form, &self.inquiry, self.by, |_| ()).await?)
    }

    fn query(&self) -> String {
        let area = self.inquiry.area.as_ref().map(ToString::to_string).unwrap_or_default();
        let bulletin = self.inquiry.bulletin.as_ref().map(ToString::to_string).unwrap_or_default();
        let (from, until) = (self.days.from.to_string(), self.days.until.to_string());
        let by = self.by.to_string();
        query(&[
            ("from", &from),
            ("to", &until),
            ("area", &area),
            ("bulletin", &bulletin),
            ("by", &by),
        ])
    }
}

fn filled(document: &Document) -> Filled {
    let form = &document.form;
    let row = |row: &Vec<Cell>| -> Vec<Shown> {
        let cells = form.columns.iter().zip(row);
        let shown = cells.map(|(column, cell)| Shown {
            text: cell.vi(),
            number: cell.is_number(),
            entry: match cell {
                Cell::Whole(entry) if column.field == "entry" => Some(*entry),
                _ => None,
            },
        });
        shown.collect()
    };
    Filled {
        heading: form.heading.clone(),
        title: form.title.clone(),
        below: form.below.clone(),
        columns: form.columns.iter().map(|column| column.name.clone()).collect(),
        rows: document.rows.iter().take(ROWS_MAX).map(row).collect(),
        sums: if document.sums.is_empty() { Vec::new() } else { row(&document.sums) },
        total: document.rows.len(),
        notes: form.notes.clone(),
        signatures: form.signatures.clone(),
        seal: document.seal.lines(),
        code: Qr::of(&document.seal.checkpoint).map(|code| code.svg()).unwrap_or_default(),
    }
}
