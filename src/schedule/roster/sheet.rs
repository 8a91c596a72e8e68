//! One sheet as cells: what Excel writes, in whatever locale, and nothing that is not text.

use csv::{ByteRecord, ReaderBuilder};
use unicode_normalization::UnicodeNormalization as _;

use super::{Origin, ROWS_MAX, SHEET_BYTES_MAX, Sheet, Subject};
use crate::config::Fault;
use crate::lang::fold;

/// A column, with the headings that name it, folded.
type Column = (&'static str, &'static [&'static str]);

const AREA_COLUMNS: [Column; 8] = [
    ("id", &["id", "ma dinh danh"]),
    ("name", &["name", "ten", "ten dia ban"]),
    ("level", &["level", "cap"]),
    ("parent", &["parent", "thuoc", "truc thuoc"]),
    ("code", &["code", "ma", "ma moi"]),
    ("old_codes", &["old codes", "ma cu"]),
    ("languages", &["languages", "ngon ngu"]),
    ("fallback", &["fallback", "du phong"]),
];

const CONTROLLER_COLUMNS: [Column; 2] =
    [("id", &["id", "ma dinh danh"]), ("area", &["area", "dia ban"])];

/// Characters in a cell at most.
const CELL_CHARS_MAX: usize = 400;

/// The cells of one row, by column.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    pub(super) origin: Origin,
    cells: Vec<(&'static str, String)>,
}

impl Cells {
    /// The cell of a column; none where the sheet has no such column or the cell is empty.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        let found = self.cells.iter().find(|(name, text)| *name == column && !text.is_empty());
        found.map(|(_, text)| text.as_str())
    }
}

/// Reads the rows below the heading.
pub(super) fn read(sheet: &Sheet<'_>, faults: &mut Vec<Fault>) -> Vec<Cells> {
    let at = |line| Origin { file: sheet.name.to_owned(), line };
    let Some(text) = text(sheet, faults) else { return Vec::new() };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut columns, mut rows) = (None, Vec::new());
    for (n, record) in reader.byte_records().enumerate() {
        // Reading from memory, a reader that is flexible about lengths refuses nothing.
        let Ok(record) = record else { break };
        let line = record.position().map_or(1, csv::Position::line);
        let origin = at(usize::try_from(line).unwrap_or(usize::MAX));
        if n > ROWS_MAX {
            faults.push(origin.fault(format!("more than {ROWS_MAX} rows; split the sheet")));
            break;
        }
        let Some(cells) = cells(&record, &origin, faults) else { continue };
        match &columns {
            None => columns = Some(heading(sheet.subject, &cells, &origin, faults)),
            Some(Some(columns)) => rows.extend(row(columns, cells, origin, faults)),
            // Without a heading nothing can be said of the rows.
            Some(None) => break,
        }
    }
    if columns.is_none() {
        faults.push(at(1).fault("the sheet is empty; its first row names the columns"));
    }
    rows
}

fn text<'s>(sheet: &Sheet<'s>, faults: &mut Vec<Fault>) -> Option<&'s str> {
    let origin = |line| Origin { file: sheet.name.to_owned(), line };
    if sheet.bytes.len() > SHEET_BYTES_MAX {
        let bytes = sheet.bytes.len();
        let sentence = format!("{bytes} bytes are more than {SHEET_BYTES_MAX}; split the sheet");
        faults.push(origin(1).fault(sentence));
        return None;
    }
    let bytes = sheet.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sheet.bytes);
    let read = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        faults.push(origin(line).fault("not UTF-8; in Excel save it as \"CSV UTF-8\""));
    });
    read.ok()
}

/// What stands most often in the first line: Excel writes `;` where the comma is decimal.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |sign: u8| first.bytes().filter(|byte| *byte == sign).count();
    let signs = [b',', b';', b'\t'];
    signs.into_iter().rev().max_by_key(|sign| count(*sign)).unwrap_or(b',')
}

/// The cells of one line, trimmed and normalised; none where all are empty.
fn cells(record: &ByteRecord, origin: &Origin, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    for cell in record {
        let text = String::from_utf8_lossy(cell);
        let text: String = text.trim().chars().take(CELL_CHARS_MAX + 1).nfc().collect();
        if let Some(sentence) = hostile(&text) {
            faults.push(origin.fault(sentence));
        }
        cells.push(text);
    }
    cells.iter().any(|cell| !cell.is_empty()).then_some(cells)
}

/// Why a cell is nothing that a roster holds.
fn hostile(text: &str) -> Option<String> {
    let shown: String = text.chars().take(40).filter(|c| !c.is_control()).collect();
    if text.chars().any(char::is_control) {
        return Some(format!("`{shown}…` has a line feed or control character; is a \" missing?"));
    }
    if text.chars().count() > CELL_CHARS_MAX {
        return Some(format!("`{shown}…` has more than {CELL_CHARS_MAX} characters; shorten it"));
    }
    let formula = text.len() > 1 && text.starts_with(['=', '+', '-', '@']);
    formula.then(|| format!("`{shown}` looks like a formula; write the value itself"))
}

fn heading(
    subject: Subject,
    cells: &[String],
    origin: &Origin,
    faults: &mut Vec<Fault>,
) -> Option<Vec<&'static str>> {
    let known: &[Column] = match subject {
        Subject::Areas | Subject::Villages => &AREA_COLUMNS,
        Subject::Controllers => &CONTROLLER_COLUMNS,
    };
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let before = faults.len();
    let mut columns = Vec::new();
    for cell in cells {
        let folded = fold::line(cell);
        let found = known.iter().find(|(_, headings)| headings.contains(&folded.as_str()));
        match found {
            Some((name, _)) if columns.contains(name) => {
                faults.push(origin.fault(format!("two columns `{cell}`; remove one")));
            }
            Some((name, _)) => columns.push(*name),
            None => {
                let names = names.join(", ");
                faults.push(origin.fault(format!("unknown column `{cell}`; use {names}")));
            }
        }
    }
    let required: &[&str] = if subject == Subject::Controllers { &["id", "area"] } else { &["id"] };
    for name in required.iter().filter(|name| !columns.contains(*name)) {
        faults.push(origin.fault(format!("the column `{name}` is missing; add it")));
    }
    (faults.len() == before).then_some(columns)
}

fn row(
    columns: &[&'static str],
    cells: Vec<String>,
    origin: Origin,
    faults: &mut Vec<Fault>,
) -> Option<Cells> {
    let extra = cells.get(columns.len()..).unwrap_or_default().iter().any(|cell| !cell.is_empty());
    if extra || cells.len() < columns.len() {
        let (found, wanted) = (cells.len(), columns.len());
        let sentence = format!("{found} cells where the heading has {wanted}; mend the row");
        faults.push(origin.fault(sentence));
        return None;
    }
    let cells = columns.iter().copied().zip(cells).collect();
    Some(Cells { origin, cells })
}
