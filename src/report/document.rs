//! A form that is filled in: what is written out as PDF, XLSX, CSV or JSON.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde::{Serialize, Serializer};

use crate::report::form::{Column, Form};
use crate::report::tally::Share;
use crate::time::{LocalDate, TimeOfDay};

/// What may stand in one field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or something to be written by hand.
    Blank,
    /// Words.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// A number with one decimal, in tenths.
    Tenths(u64),
    /// So many of so many.
    Share(Share),
    /// A day.
    Date(LocalDate),
    /// A time of day.
    Time(TimeOfDay),
    /// A day and a time of day, on the station's wall clock.
    Moment(NaiveDateTime),
}

/// The fields of a row by their names.
pub type Row = BTreeMap<&'static str, Cell>;

impl Cell {
    /// Minutes with one decimal.
    pub fn minutes(milliseconds: u64) -> Self {
        Self::Tenths(milliseconds / 6_000)
    }

    /// As it is written in Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::Blank => String::new(),
            Self::Text(text) => text.clone(),
            Self::Whole(number) => thousands(*number),
            Self::Tenths(number) => format!("{},{}", thousands(number / 10), number % 10),
            Self::Share(share) => share.to_string(),
            Self::Date(date) => date.naive().format("%d/%m/%Y").to_string(),
            Self::Time(time) => time.to_string(),
            Self::Moment(moment) => moment.format("%d/%m/%Y %H:%M:%S").to_string(),
        }
    }

    /// Whether it is a number, which stands at the right.
    pub fn is_number(&self) -> bool {
        match self {
            Self::Whole(_) | Self::Tenths(_) | Self::Share(_) => true,
            Self::Blank | Self::Text(_) | Self::Date(_) | Self::Time(_) | Self::Moment(_) => false,
        }
    }

    /// Their sum, where there is one.
    fn plus(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a + b),
            (Self::Tenths(a), Self::Tenths(b)) => Self::Tenths(a + b),
            (Self::Share(a), Self::Share(b)) => {
                Self::Share(Share { part: a.part + b.part, of: a.of + b.of })
            }
            (Self::Blank, cell) | (cell, Self::Blank) => cell.clone(),
            _ => Self::Blank,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Blank => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Whole(number) => serializer.serialize_u64(*number),
            #[expect(clippy::cast_precision_loss, reason = "minutes of a year are far below 2^53")]
            Self::Tenths(number) => serializer.serialize_f64(*number as f64 / 10.0),
            Self::Share(share) => share.serialize(serializer),
            Self::Date(date) => date.serialize(serializer),
            Self::Time(time) => time.serialize(serializer),
            Self::Moment(moment) => serializer.collect_str(&moment.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

/// `1234567` as `1.234.567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    out
}

/// The state of the log that a form was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seal {
    /// The signed checkpoint, which the QR code holds too.
    pub checkpoint: String,
    /// Entries in the log.
    pub size: u64,
    /// The root of their tree.
    pub root: String,
    /// When the form was made, on the station's wall clock.
    #[serde(serialize_with = "moment")]
    pub made: NaiveDateTime,
}

impl Seal {
    /// What stands at the foot of a form.
    pub fn lines(&self) -> Vec<String> {
        let made = Cell::Moment(self.made).vi();
        let mut lines = vec![format!(
            "Lập lúc {made} từ nhật ký phát sóng có {} mục; điểm kiểm chứng đã ký:",
            thousands(self.size)
        )];
        lines.extend(self.checkpoint.lines().filter(|line| !line.is_empty()).map(str::to_owned));
        lines
    }
}

fn moment<S: Serializer>(moment: &NaiveDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    Cell::Moment(*moment).serialize(serializer)
}

/// A form that is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its title, lines below the title, and what else the form says, with every place filled.
    pub form: Form,
    /// A line for each column, row by row.
    pub rows: Vec<Vec<Cell>>,
    /// The sums of the columns that have one; empty where no column has.
    pub sums: Vec<Cell>,
    /// The state of the log behind it.
    pub seal: Seal,
}

impl Document {
    /// Fills `form` in with `rows`; `places` are what stands for `{from}` and the like.
    pub fn fill(form: &Form, places: &[(&str, String)], rows: &[Row], seal: Seal) -> Self {
        let pick = |row: &Row, column: &Column| match &column.text {
            Some(text) => Cell::Text(filled(text, places)),
            None => row.get(column.field.as_str()).cloned().unwrap_or(Cell::Blank),
        };
        let fill_row = |row: &Row| form.columns.iter().map(|column| pick(row, column)).collect();
        let rows: Vec<Vec<Cell>> = rows.iter().map(fill_row).collect();
        let sums = if form.columns.iter().any(|column| column.sum) && !rows.is_empty() {
            (0..form.columns.len()).map(|n| sum(&rows, n, form.columns[n].sum)).collect()
        } else {
            Vec::new()
        };
        let lines = |lines: &[String]| lines.iter().map(|line| filled(line, places)).collect();
        let form = Form {
            title: filled(&form.title, places),
            heading: lines(&form.heading),
            below: lines(&form.below),
            notes: lines(&form.notes),
            ..form.clone()
        };
        Self { form, rows, sums, seal }
    }

    /// As JSON: the columns by their fields, so that a form with other headings reads the same.
    pub fn json(&self) -> serde_json::Value {
        let row = |row: &Vec<Cell>| -> serde_json::Map<String, serde_json::Value> {
            let cells = self.form.columns.iter().zip(row);
            let cells = cells.map(|(column, cell)| (column.key(), serde_json::json!(cell)));
            cells.collect()
        };
        serde_json::json!({
            "form": self.form.name,
            "title": self.form.title,
            "below": self.form.below,
            "columns": self.form.columns.iter().map(|c| (c.key(), c.name.clone())).collect::<Vec<_>>(),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "sums": (!self.sums.is_empty()).then(|| row(&self.sums)),
            "log": self.seal,
        })
    }
}

fn sum(rows: &[Vec<Cell>], n: usize, wanted: bool) -> Cell {
    if !wanted {
        return Cell::Blank;
    }
    rows.iter().fold(Cell::Blank, |sum, row| sum.plus(&row[n]))
}

fn filled(text: &str, places: &[(&str, String)]) -> String {
    let put =
        |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
    places.iter().fold(text.to_owned(), put)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_viet_nam() {
        assert_eq!(Cell::Whole(1_234_567).vi(), "1.234.567");
        assert_eq!(Cell::Whole(999).vi(), "999");
        assert_eq!(Cell::minutes(90_061_000).vi(), "1.501,0");
        assert_eq!(Cell::Date("2026-11-22".parse().unwrap()).vi(), "22/11/2026");
    }

    #[test]
    fn shares_sum_by_their_parts_and_words_not_at_all() {
        let half = Cell::Share(Share { part: 1, of: 2 });
        let none = Cell::Share(Share { part: 0, of: 8 });
        assert_eq!(half.plus(&none), Cell::Share(Share { part: 1, of: 10 }));
        assert_eq!(Cell::Text("a".into()).plus(&Cell::Text("b".into())), Cell::Blank);
    }
}
