//! A form as CSV: UTF-8 with the mark by which Excel knows it, and nothing that Excel would run.
//!
//! Numbers and days are written for machines (`98.4`, `2026-11-22`), shares with what they are a share of; for people there is XLSX.

use ::csv::WriterBuilder;

use crate::report::document::{Cell, Document};

/// The mark by which spreadsheets know UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes a form as CSV: the headings, the rows, the sums.
pub fn csv(document: &Document) -> Vec<u8> {
    let mut out = WriterBuilder::new().from_writer(MARK.to_vec());
    let headings = document.form.columns.iter().map(|column| harmless(&column.name));
    let mut write = |cells: Vec<String>| {
        out.write_record(cells).expect("memory takes every row of as many cells as headings");
    };
    write(headings.collect());
    for row in document.rows.iter().chain((!document.sums.is_empty()).then_some(&document.sums)) {
        write(row.iter().map(cell).collect());
    }
    out.into_inner().expect("memory takes everything")
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Blank => String::new(),
        Cell::Text(text) => harmless(text),
        Cell::Whole(number) => number.to_string(),
        Cell::Tenths(number) => format!("{}.{}", number / 10, number % 10),
        Cell::Share(share) => {
            let percent = |n| format!("{}.{}% ({}/{})", n / 10, n % 10, share.part, share.of);
            share.thousandths().map_or_else(String::new, percent)
        }
        Cell::Date(date) => date.to_string(),
        Cell::Time(time) => time.to_string(),
        Cell::Moment(moment) => moment.format("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{text}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{Row, Seal};
    use crate::report::form::Form;

    #[test]
    fn a_formula_becomes_words_and_vietnamese_stays_vietnamese() {
        let mut form = Form::usual("gaps").unwrap();
        form.columns
            .retain(|column| ["number", "cause", "programme"].contains(&column.field.as_str()));
        let row = Row::from([
            ("number", Cell::Whole(1_234)),
            ("cause", Cell::Text("=cmd|' /C calc'!A0".into())),
            ("programme", Cell::Text("Bản tin \"sáng\", Mù Cả".into())),
        ]);
        let made = chrono::NaiveDateTime::MIN;
        let seal = Seal { checkpoint: String::new(), size: 0, root: String::new(), made };
        let text = String::from_utf8(csv(&Document::fill(&form, &[], &[row], seal))).unwrap();
        assert_eq!(
            text,
            "\u{feff}STT,Nguyên nhân,Chương trình\n1234,'=cmd|' /C calc'!A0,\"Bản tin \"\"sáng\"\", Mù Cả\"\n"
        );
    }
}
