//! Forms as data: which columns, under which headings, in which order. Provinces differ.
//!
//! A form is a TOML file. The usual ones are built in; a station that files another one puts its
//! own file of the same name into its folder `forms/`, and no release is needed.
//!
//! ```toml
//! rows = "broadcasts"
//! title = "SỔ NHẬT KÝ CHƯƠNG TRÌNH PHÁT THANH"
//! below = ["Từ {from} đến {until}"]
//! [[column]]
//! name = "Số lượt"
//! field = "planned"
//! width = 9
//! sum = true
//! ```

use crate::config::{Faults, Table, parse, read};

/// Columns of a form at most: more do not fit a sheet of paper.
pub const COLUMNS_MAX: usize = 24;

/// Characters of a heading at most.
const WORDS_MAX: usize = 400;

/// What a form has rows of, and the fields that its columns may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The log book: each programme, instant and running order.
    Broadcasts,
    /// Column × language × commune.
    Cross,
    /// The columns of the year with what they had.
    Columns,
    /// Indicators that the form itself lists.
    Indicators,
    /// The groups of one dimension.
    Groups,
    /// The causes of gaps, each with its airings.
    Gaps,
    /// Every airing of one bulletin.
    Evidence,
}

impl Rows {
    /// Every word, with the fields that columns may show.
    pub const ALL: [(&'static str, Self, &'static [&'static str]); 7] = [
        (
            "broadcasts",
            Self::Broadcasts,
            &[
                "number",
                "date",
                "weekday",
                "time",
                "programme",
                "bulletins",
                "columns",
                "issuing_bodies",
                "languages",
                "minutes",
                "planned",
                "delivered",
                "played",
                "heard",
                "share",
                "gaps",
                "entries",
            ],
        ),
        (
            "cross",
            Self::Cross,
            &[
                "number",
                "column",
                "language",
                "language_tag",
                "commune",
                "commune_code",
                "items",
                "planned",
                "delivered",
                "played",
                "heard",
                "awaited",
                "minutes",
                "minutes_planned",
                "villages",
                "villages_all",
                "share",
            ],
        ),
        (
            "columns",
            Self::Columns,
            &[
                "number",
                "year",
                "column",
                "documents",
                "items",
                "languages",
                "planned",
                "played",
                "minutes",
                "villages",
                "share",
            ],
        ),
        ("indicators", Self::Indicators, &["number", "indicator", "unit", "value", "note"]),
        (
            "groups",
            Self::Groups,
            &[
                "number",
                "key",
                "name",
                "planned",
                "delivered",
                "delivered_share",
                "played",
                "share",
                "heard",
                "heard_share",
                "awaited",
                "minutes",
                "minutes_planned",
                "villages",
            ],
        ),
        (
            "gaps",
            Self::Gaps,
            &["number", "cause", "airing", "programme", "controller", "village", "at", "entry"],
        ),
        (
            "evidence",
            Self::Evidence,
            &[
                "number",
                "commune",
                "village",
                "controller",
                "language",
                "programme",
                "at",
                "begun",
                "ended",
                "outcome",
                "cause",
                "evidence",
                "asset",
                "entry",
            ],
        ),
    ];

    fn of(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, ..)| *name == word);
        found.map(|(_, rows, _)| *rows).ok_or_else(|| {
            let known = Self::ALL.map(|(name, ..)| name).join(", ");
            format!("`{word}` are no rows of a form; choose one of {known}")
        })
    }

    /// The fields that its columns may show.
    pub fn fields(self) -> &'static [&'static str] {
        Self::ALL.iter().find(|(_, rows, _)| *rows == self).map_or(&[], |(.., fields)| fields)
    }
}

/// One column of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// The field that it shows; `blank` is left to be written by hand.
    pub field: String,
    /// The same words in every row, in place of a field.
    pub text: Option<String>,
    /// How wide it is, in characters.
    pub width: u16,
    /// Whether its sum stands below it.
    pub sum: bool,
}

impl Column {
    /// What it is called where machines read it.
    pub fn key(&self) -> String {
        if self.field == "blank" || self.text.is_some() {
            self.name.clone()
        } else {
            self.field.clone()
        }
    }
}

/// One line of an indicator sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// What is told.
    pub name: String,
    /// Of what it is counted.
    pub unit: String,
    /// Which figure of the station it is; none where somebody writes it in.
    pub value: Option<String>,
    /// What stands beside it.
    pub note: String,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its name: that of its file.
    pub name: String,
    /// What it has rows of.
    pub rows: Rows,
    /// Its title.
    pub title: String,
    /// Who files it: the lines at the upper left.
    pub heading: Vec<String>,
    /// The lines below the title.
    pub below: Vec<String>,
    /// The lines below the table.
    pub notes: Vec<String>,
    /// Whether the paper lies on its side.
    pub landscape: bool,
    /// Who signs it, from left to right.
    pub signatures: Vec<String>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its lines, where the form itself lists them.
    pub indicators: Vec<Indicator>,
}

/// The forms that are built in, by name.
pub const USUAL: [(&str, &str); 9] = [
    ("weekly", include_str!("../../forms/weekly.toml")),
    ("monthly", include_str!("../../forms/monthly.toml")),
    ("half-year", include_str!("../../forms/half-year.toml")),
    ("annual", include_str!("../../forms/annual.toml")),
    ("items", include_str!("../../forms/items.toml")),
    ("indicators", include_str!("../../forms/indicators.toml")),
    ("figures", include_str!("../../forms/figures.toml")),
    ("gaps", include_str!("../../forms/gaps.toml")),
    ("evidence", include_str!("../../forms/evidence.toml")),
];

impl Form {
    /// Reads a form from `text`, which came from `file`; all faults at once.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, Faults> {
        read(file, text, |form| build(name, form))
    }

    /// The form of that name that is built in.
    pub fn usual(name: &str) -> Option<Self> {
        let (_, text) = USUAL.iter().find(|(usual, _)| *usual == name)?;
        Some(Self::parse(name, name, text).expect("the forms that are built in are right"))
    }
}

fn build(name: &str, form: &mut Table<'_>) -> Option<Form> {
    let rows = form.required("rows", Rows::of);
    let title = form.required("title", parse::words(WORDS_MAX));
    let mut lines = |key| form.list(key, parse::words(WORDS_MAX)).unwrap_or_default();
    let (heading, below, notes) = (lines("heading"), lines("below"), lines("notes"));
    let signatures = lines("signatures");
    let landscape = form.optional("landscape", parse::switch).unwrap_or(false);
    let columns = form.tables("column", |table| column(table, rows));
    let indicators = form.tables("indicator", indicator);
    if columns.is_empty() || columns.len() > COLUMNS_MAX {
        form.fault(
            "column",
            format!("a form has 1 to {COLUMNS_MAX} columns, each under [[column]]"),
        );
        return None;
    }
    let name = name.to_owned();
    let (rows, title) = (rows?, title?);
    Some(Form {
        name,
        rows,
        title,
        heading,
        below,
        notes,
        landscape,
        signatures,
        columns,
        indicators,
    })
}

fn column(table: &mut Table<'_>, rows: Option<Rows>) -> Option<Column> {
    let known = |field: &str| match rows {
        Some(rows) if field != "blank" && !rows.fields().contains(&field) => Err(format!(
            "`{field}` is no field here; choose one of blank, {}",
            rows.fields().join(", ")
        )),
        _ => Ok(field.to_owned()),
    };
    let name = table.required("name", parse::words(WORDS_MAX));
    let text = table.optional("text", parse::words(WORDS_MAX));
    let field =
        if text.is_some() { Some("blank".to_owned()) } else { table.required("field", known) };
    let width = table.required("width", parse::within::<u16>(2..=120));
    let sum = table.optional("sum", parse::switch).unwrap_or(false);
    Some(Column { name: name?, field: field?, text, width: width?, sum })
}

fn indicator(table: &mut Table<'_>) -> Option<Indicator> {
    let name = table.required("name", parse::words(WORDS_MAX));
    let unit = table.optional("unit", parse::words(WORDS_MAX)).unwrap_or_default();
    let value = table.optional("value", parse::words(WORDS_MAX));
    let note = table.optional("note", parse::words(WORDS_MAX)).unwrap_or_default();
    Some(Indicator { name: name?, unit, value, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_is_built_in_reads() {
        for (name, _) in USUAL {
            assert_eq!(Form::usual(name).unwrap().name, name);
        }
        assert_eq!(Form::usual("colour"), None);
    }

    #[test]
    fn a_column_of_a_field_that_the_rows_do_not_have_is_refused_with_the_fields() {
        let text = "rows = \"gaps\"\ntitle = \"T\"\n[[column]]\nname = \"A\"\nfield = \"colour\"\nwidth = 9\n";
        let fault = Form::parse("gaps", "gaps.toml", text).unwrap_err().to_string();
        assert!(fault.contains("gaps.toml:5") && fault.contains("blank, number, cause"), "{fault}");
    }

    #[test]
    fn a_station_may_file_a_column_that_is_written_by_hand() {
        let text = "rows = \"gaps\"\ntitle = \"T\"\n[[column]]\nname = \"Chữ ký\"\nfield = \"blank\"\nwidth = 9\n";
        let form = Form::parse("gaps", "gaps.toml", text).unwrap();
        assert_eq!(form.columns[0].key(), "Chữ ký");
    }
}
