//! A form as XLSX: typed cells, headings that stay in sight, numbers and days as in Viet Nam.

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
    XlsxError,
};

use crate::report::document::{Cell, Document};

/// The face that administrative documents are written in.
const FACE: &str = "Times New Roman";

/// Rows of a sheet at most, a few less than Excel takes.
pub const ROWS_MAX: usize = 1_048_000;

/// Why no XLSX was made.
#[derive(Debug, thiserror::Error)]
pub enum NoSheet {
    /// More rows than a sheet takes.
    #[error(
        "{0} rows are more than a sheet takes ({ROWS_MAX}); write CSV, or choose a shorter time"
    )]
    TooManyRows(usize),
    /// The writer refused.
    #[error("the sheet could not be written: {0}")]
    Refused(#[from] XlsxError),
}

/// Writes a form as XLSX.
pub fn xlsx(document: &Document) -> Result<Vec<u8>, NoSheet> {
    if document.rows.len() > ROWS_MAX {
        return Err(NoSheet::TooManyRows(document.rows.len()));
    }
    let mut book = Workbook::new();
    book.set_properties(
        &DocProperties::new()
            .set_title(&document.form.title)
            .set_author("Loa Bản")
            .set_creation_datetime(&moment(document.seal.made)?),
    );
    let sheet = book.add_worksheet();
    sheet.set_name("Biểu")?;
    let last = u16::try_from(document.form.columns.len() - 1).expect("at most 24 columns");
    let first = head(sheet, document, last)?;
    let styles = Styles::new();
    let mut at = first;
    for row in &document.rows {
        line(sheet, at, row, &styles, false)?;
        at += 1;
    }
    if !document.sums.is_empty() {
        line(sheet, at, &document.sums, &styles, true)?;
        if document.sums[0] == Cell::Blank {
            sheet.write_string_with_format(at, 0, "Tổng", &styles.bold)?;
        }
        at += 1;
    }
    foot(sheet, document, at + 1, last)?;
    if !document.rows.is_empty() {
        sheet.autofilter(first - 1, 0, at - 1, last)?;
    }
    paper(sheet, document, first)?;
    Ok(book.save_to_buffer()?)
}

fn plain() -> Format {
    Format::new().set_font_name(FACE).set_font_size(11)
}

/// Writes what stands above the rows; returns the first row's place.
fn head(sheet: &mut Worksheet, document: &Document, last: u16) -> Result<u32, XlsxError> {
    let mut at = 0;
    let left = plain().set_bold();
    for heading in document.form.heading.iter().filter(|line| !line.is_empty()) {
        sheet.write_string_with_format(at, 0, heading, &left)?;
        at += 1;
    }
    let title = plain().set_bold().set_font_size(14).set_align(FormatAlign::Center);
    let below = plain().set_italic().set_align(FormatAlign::Center);
    across(sheet, at, last, &document.form.title, &title)?;
    at += 1;
    for text in &document.form.below {
        across(sheet, at, last, text, &below)?;
        at += 1;
    }
    at += 1;
    let heading = plain().set_bold().set_border(FormatBorder::Thin).set_text_wrap();
    let heading = heading.set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter);
    let heading = heading.set_background_color(Color::RGB(0x00E2_E8F0));
    for (n, column) in (0..).zip(&document.form.columns) {
        sheet.set_column_width(n, f64::from(column.width))?;
        sheet.write_string_with_format(at, n, &column.name, &heading)?;
    }
    sheet.set_freeze_panes(at + 1, 0)?;
    Ok(at + 1)
}

fn across(
    sheet: &mut Worksheet,
    at: u32,
    last: u16,
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if last == 0 {
        sheet.write_string_with_format(at, 0, text, format)?;
    } else {
        sheet.merge_range(at, 0, at, last, text, format)?;
    }
    Ok(())
}

/// How each kind of cell looks.
struct Styles {
    text: Format,
    whole: Format,
    tenths: Format,
    share: Format,
    date: Format,
    time: Format,
    moment: Format,
    bold: Format,
}

impl Styles {
    fn new() -> Self {
        let cell =
            || plain().set_border(FormatBorder::Thin).set_align(FormatAlign::Top).set_text_wrap();
        Self {
            text: cell(),
            whole: cell().set_num_format("#,##0"),
            tenths: cell().set_num_format("#,##0.0"),
            share: cell().set_num_format("0.0%"),
            date: cell().set_num_format("dd/mm/yyyy"),
            time: cell().set_num_format("hh:mm:ss"),
            moment: cell().set_num_format("dd/mm/yyyy hh:mm:ss"),
            bold: cell().set_bold(),
        }
    }
}

fn line(
    sheet: &mut Worksheet,
    at: u32,
    cells: &[Cell],
    styles: &Styles,
    bold: bool,
) -> Result<(), XlsxError> {
    let style = |format: &Format| if bold { format.clone().set_bold() } else { format.clone() };
    for (n, cell) in (0..).zip(cells) {
        match cell {
            Cell::Blank => sheet.write_blank(at, n, &style(&styles.text))?,
            Cell::Text(text) => {
                sheet.write_string_with_format(at, n, text, &style(&styles.text))?
            }
            Cell::Whole(number) => {
                sheet.write_number_with_format(at, n, float(*number), &style(&styles.whole))?
            }
            Cell::Tenths(number) => {
                let number = float(*number) / 10.0;
                sheet.write_number_with_format(at, n, number, &style(&styles.tenths))?
            }
            Cell::Share(share) => match share.thousandths() {
                Some(_) => {
                    let number = float(share.part) / float(share.of);
                    sheet.write_number_with_format(at, n, number, &style(&styles.share))?
                }
                None => sheet.write_blank(at, n, &style(&styles.share))?,
            },
            Cell::Date(date) => {
                let date = moment(date.naive().and_time(chrono::NaiveTime::MIN))?;
                sheet.write_datetime_with_format(at, n, &date, &style(&styles.date))?
            }
            Cell::Time(time) => {
                let part = f64::from(time.seconds()) / 86_400.0;
                sheet.write_number_with_format(at, n, part, &style(&styles.time))?
            }
            Cell::Moment(at_wall) => {
                let at_wall = moment(*at_wall)?;
                sheet.write_datetime_with_format(at, n, &at_wall, &style(&styles.moment))?
            }
        };
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a sheet's numbers are floats, exact below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

fn moment(at: NaiveDateTime) -> Result<ExcelDateTime, XlsxError> {
    let narrow = |n: u32| u8::try_from(n).expect("months, days and hours are below 256");
    let year = u16::try_from(at.year()).unwrap_or(9_999).clamp(1900, 9_999);
    let date = ExcelDateTime::from_ymd(year, narrow(at.month()), narrow(at.day()))?;
    let hour = u16::try_from(at.hour()).expect("below 24");
    date.and_hms(hour, narrow(at.minute()), at.second())
}

/// Writes what stands below the rows: notes, who signs, and the log that it was made of.
fn foot(sheet: &mut Worksheet, document: &Document, at: u32, last: u16) -> Result<(), XlsxError> {
    let mut at = at;
    let note = plain().set_italic().set_text_wrap().set_align(FormatAlign::Top);
    for text in &document.form.notes {
        across(sheet, at, last, text, &note)?;
        sheet.set_row_height(at, 32)?;
        at += 1;
    }
    at += 1;
    let signed = plain().set_bold();
    let signatures = document.form.signatures.len().max(1);
    for (n, who) in document.form.signatures.iter().enumerate() {
        let column = n * (usize::from(last) + 1) / signatures;
        let column = u16::try_from(column).expect("at most 24 columns");
        sheet.write_string_with_format(at, column, who, &signed)?;
    }
    at += if document.form.signatures.is_empty() { 0 } else { 5 };
    let small = plain().set_font_size(8);
    for text in document.seal.lines() {
        sheet.write_string_with_format(at, 0, &text, &small)?;
        at += 1;
    }
    Ok(())
}

fn paper(sheet: &mut Worksheet, document: &Document, first: u32) -> Result<(), XlsxError> {
    // A4.
    sheet.set_paper_size(9);
    if document.form.landscape {
        sheet.set_landscape();
    }
    sheet.set_repeat_rows(first - 1, first - 1)?;
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_footer("&L&8Loa Bản&C&8Trang &P/&N");
    Ok(())
}
