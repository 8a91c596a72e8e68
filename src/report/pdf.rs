//! A form as PDF: ready to print, sign and file.
//!
//! A4, the head that administrative documents have, a table whose headings stand on every page,
//! page numbers, who signs, and at the foot the signed checkpoint of the log behind it, also as a
//! QR code. The face is embedded, so that every Vietnamese letter is there on every machine.

mod face;
mod layout;
mod sheet;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, TextStr};

use crate::audit::qr::Qr;
use crate::report::document::Document;
use face::{Face, Style};
use sheet::Sheet;

/// Rows of a PDF at most: a thousand pages, which nobody prints.
pub const ROWS_MAX: usize = 30_000;

/// Why no PDF was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} rows are more than is printed ({ROWS_MAX}); write XLSX or CSV, or choose a shorter time"
)]
pub struct TooManyRows(pub usize);

/// Writes a form as PDF; `progress` is told the rows that are done.
pub fn pdf(document: &Document, progress: impl FnMut(usize)) -> Result<Vec<u8>, TooManyRows> {
    if document.rows.len() > ROWS_MAX {
        return Err(TooManyRows(document.rows.len()));
    }
    let faces = Style::ALL.map(Face::of);
    // A form without a log behind it, or one whose checkpoint no code holds, has the text alone.
    let qr = Qr::of(&document.seal.checkpoint).ok();
    let pages = layout::pages(document, &faces, qr.as_ref(), progress);
    Ok(written(document, &faces, pages))
}

fn written(document: &Document, faces: &[Face; 3], pages: Vec<Sheet>) -> Vec<u8> {
    let mut next = Ref::new(1);
    let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
    let fonts = Style::ALL.map(|_| next.bump());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr("vi-VN"));
    let mut about = pdf.document_info(info);
    about.title(TextStr(&document.form.title)).producer(TextStr("Loa Bản"));
    about.finish();
    for (face, id) in faces.iter().zip(fonts) {
        face.write(&mut pdf, id, || next.bump());
    }
    let ids: Vec<Ref> = pages.iter().map(|_| next.bump()).collect();
    let count = i32::try_from(ids.len()).expect("at most some thousand pages");
    pdf.pages(tree).kids(ids.iter().copied()).count(count);
    let all = pages.len();
    for (n, (mut sheet, id)) in (1..).zip(pages.into_iter().zip(ids)) {
        sheet.number(n, all, faces);
        let (width, height) = (sheet.width, sheet.height);
        let content = next.bump();
        let mut page = pdf.page(id);
        page.media_box(Rect::new(0.0, 0.0, width, height)).parent(tree).contents(content);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (style, font) in Style::ALL.into_iter().zip(fonts) {
            named.pair(Name(style.name()), font);
        }
        named.finish();
        resources.finish();
        page.finish();
        let bytes = Content::finish(sheet.content);
        let packed = deflate(&bytes);
        pdf.stream(content, &packed).filter(pdf_writer::Filter::FlateDecode);
    }
    pdf.finish()
}

/// Packs bytes as PDF readers unpack them.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory takes everything");
    packed.finish().expect("memory takes everything")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{Cell, Row, Seal};
    use crate::report::form::Form;

    /// Rows that a half-year's form has on one page with its signatures.
    const SIGNED_ON_ONE_PAGE: usize = 13;

    fn document(rows: usize) -> Document {
        let row = Row::from([("name", Cell::Text("Bản Phìn Khò, xã Bum Tở".to_owned()))]);
        let made = chrono::NaiveDateTime::MIN;
        let checkpoint =
            "laichau/log\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n".to_owned();
        let seal = Seal { checkpoint, size: 7, root: String::new(), made };
        Document::fill(&Form::usual("figures").unwrap(), &[], &vec![row; rows], seal)
    }

    #[test]
    fn a_long_form_has_several_pages_and_tells_every_row() {
        let mut told = 0;
        let long = pdf(&document(200), |rows| told = rows).unwrap();
        assert_eq!(told, 200);
        let pages = |bytes: &[u8]| bytes.windows(12).filter(|w| w == b"/Type /Page\n").count();
        assert_eq!(pages(&pdf(&document(1), |_| {}).unwrap()), 1);
        assert!(pages(&long) > 4, "{}", pages(&long));
    }

    #[test]
    fn a_half_year_that_fits_one_page_with_its_signatures_has_its_seal_there() {
        let pages = |rows: usize| {
            let one = Document { form: Form::usual("half-year").unwrap(), ..document(rows) };
            let mut row = vec![Cell::Whole(128); 11];
            row[1] = Cell::Text("Phổ biến, giáo dục pháp luật".to_owned());
            row[2] = Cell::Text("tiếng Hà Nhì".to_owned());
            let one = Document { rows: vec![row; rows], ..one };
            let bytes = pdf(&one, |_| {}).unwrap();
            bytes.windows(12).filter(|w| w == b"/Type /Page\n").count()
        };
        let most = (1..40).take_while(|rows| pages(*rows) == 1).last();
        assert!(most >= Some(SIGNED_ON_ONE_PAGE), "{most:?}");
    }

    #[test]
    fn more_than_is_printed_is_refused_with_what_to_do() {
        let refused = pdf(&document(ROWS_MAX + 1), |_| {}).unwrap_err().to_string();
        assert!(refused.contains("write XLSX or CSV"), "{refused}");
    }
}
