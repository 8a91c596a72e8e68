//! Where on which page everything of a form stands.

use super::face::{Face, Style};
use super::sheet::{EDGE, LEFT, Sheet, Side, lines};
use crate::audit::qr::Qr;
use crate::report::document::{Cell, Document};

/// Points of the table's letters, of the space between lines, of the space inside a cell.
const SIZE: f32 = 9.5;
const LINE: f32 = 11.5;
const INSIDE: f32 = 3.0;

/// What the state writes above every document (Decree 30/2020/NĐ-CP).
const NATION: [&str; 2] = ["CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"];

/// Points that a signature needs below the words that say whose it is.
const SIGNATURE: f32 = 70.0;

/// Points of the QR code's side.
const QR: f32 = 88.0;

/// Points of all that a block of signatures takes, and of all that a seal takes.
const SIGNED: f32 = SIGNATURE + 40.0;
const SEALED: f32 = QR + 10.0;

/// Points of the letters of a seal, and of the space between its lines, where it has the width of a
/// page and where it shares it with signatures.
const WIDE: (f32, f32) = (8.5, 10.5);
const NARROW: (f32, f32) = (7.0, 8.4);

/// The part of a page's width that a seal has beside signatures.
const SEAL_SHARE: f32 = 0.46;

/// The pages of a form.
pub(super) fn pages(
    document: &Document,
    faces: &[Face; 3],
    qr: Option<&Qr>,
    mut progress: impl FnMut(usize),
) -> Vec<Sheet> {
    let mut layout = Layout::new(document, faces);
    layout.head();
    layout.headings();
    for (n, row) in (1..).zip(&document.rows) {
        layout.row(row, Style::Regular);
        progress(n);
    }
    if !document.sums.is_empty() {
        layout.sums();
    }
    layout.notes();
    layout.end(qr);
    layout.done
}

struct Layout<'d> {
    document: &'d Document,
    faces: &'d [Face; 3],
    /// The left edge and the width of each column.
    columns: Vec<(f32, f32)>,
    done: Vec<Sheet>,
}

impl<'d> Layout<'d> {
    fn new(document: &'d Document, faces: &'d [Face; 3]) -> Self {
        let first = Sheet::new(document.form.landscape);
        let room = first.room();
        let all: u16 = document.form.columns.iter().map(|column| column.width).sum();
        let mut x = LEFT;
        let mut column = |width: u16| {
            let width = room * f32::from(width) / f32::from(all);
            x += width;
            (x - width, width)
        };
        let columns = document.form.columns.iter().map(|c| column(c.width)).collect();
        Self { document, faces, columns, done: vec![first] }
    }

    fn face(&self, style: Style) -> &'d Face {
        &self.faces[style as usize]
    }

    fn sheet(&mut self) -> &mut Sheet {
        self.done.last_mut().expect("there is always a page")
    }

    /// Goes to a new page where so many points more do not fit; tells whether it did.
    fn need(&mut self, points: f32) -> bool {
        if self.sheet().fits(points) {
            return false;
        }
        self.done.push(Sheet::new(self.document.form.landscape));
        true
    }

    /// Who files it at the left, the nation at the right, the title below both.
    fn head(&mut self) {
        let form = &self.document.form;
        let (bold, italic) = (self.face(Style::Bold), self.face(Style::Italic));
        let sheet = self.sheet();
        let (left, right) = (LEFT + sheet.room() * 0.22, LEFT + sheet.room() * 0.76);
        let mut y = sheet.y + 11.0;
        for (n, text) in NATION.iter().enumerate() {
            sheet.text(bold, 11.0 + if n == 1 { 1.0 } else { 0.0 }, (right, y), Side::Middle, text);
            y += 14.0;
        }
        sheet.rule((right - 78.0, y - 9.0), 156.0);
        let mut y = sheet.y + 11.0;
        for text in form.heading.iter().filter(|text| !text.is_empty()) {
            for line in lines(bold, 11.0, sheet.room() * 0.42, text) {
                sheet.text(bold, 11.0, (left, y), Side::Middle, &line);
                y += 14.0;
            }
        }
        sheet.rule((left - 40.0, y - 9.0), 80.0);
        sheet.y = y.max(sheet.y + 44.0) + 14.0;
        let middle = LEFT + sheet.room() / 2.0;
        for line in lines(bold, 14.0, sheet.room(), &form.title) {
            sheet.text(bold, 14.0, (middle, sheet.y), Side::Middle, &line);
            sheet.y += 17.0;
        }
        for text in &form.below {
            sheet.text(italic, 11.0, (middle, sheet.y), Side::Middle, text);
            sheet.y += 14.0;
        }
    }

    /// The headings of the columns: at the top of the table and of every further page.
    fn headings(&mut self) {
        let bold = self.face(Style::Bold);
        let names = self.document.form.columns.iter().map(|column| column.name.as_str());
        let cut: Vec<Vec<String>> = names
            .zip(&self.columns)
            .map(|(name, (_, width))| lines(bold, SIZE, width - 2.0 * INSIDE, name))
            .collect();
        let height = height(&cut);
        let columns = self.columns.clone();
        let sheet = self.sheet();
        for ((x, width), lines) in columns.into_iter().zip(&cut) {
            sheet.frame((x, sheet.y), (width, height), true);
            for (n, line) in (0_u16..).zip(lines) {
                let y = sheet.y + SIZE + INSIDE / 2.0 + f32::from(n) * LINE;
                sheet.text(bold, SIZE, (x + width / 2.0, y), Side::Middle, line);
            }
        }
        sheet.y += height;
    }

    fn row(&mut self, cells: &[Cell], style: Style) {
        let face = self.face(style);
        let cut: Vec<Vec<String>> = cells
            .iter()
            .zip(&self.columns)
            .map(|(cell, (_, width))| lines(face, SIZE, width - 2.0 * INSIDE, &cell.vi()))
            .collect();
        let height = height(&cut);
        if self.need(height) {
            self.headings();
        }
        let columns = self.columns.clone();
        let sheet = self.sheet();
        for (((x, width), lines), cell) in columns.into_iter().zip(&cut).zip(cells) {
            sheet.frame((x, sheet.y), (width, height), false);
            let (x, side) = if cell.is_number() {
                (x + width - INSIDE, Side::Right)
            } else {
                (x + INSIDE, Side::Left)
            };
            for (n, line) in (0_u16..).zip(lines) {
                let y = sheet.y + SIZE + INSIDE / 2.0 + f32::from(n) * LINE;
                sheet.text(face, SIZE, (x, y), side, line);
            }
        }
        sheet.y += height;
    }

    /// The sums, under the word for them where the first column has none.
    fn sums(&mut self) {
        let mut sums = self.document.sums.clone();
        if let Some(place) = sums.iter().take(2).position(|cell| *cell == Cell::Blank) {
            let wider = usize::from(sums.get(1) == Some(&Cell::Blank) && place == 0);
            sums[wider] = Cell::Text("Tổng".to_owned());
        }
        self.row(&sums, Style::Bold);
    }

    fn notes(&mut self) {
        let italic = self.face(Style::Italic);
        let room = self.sheet().room();
        self.sheet().y += 14.0;
        for text in &self.document.form.notes {
            for line in lines(italic, SIZE, room, text) {
                if self.need(LINE) {
                    self.sheet().y += LINE;
                }
                let sheet = self.sheet();
                sheet.text(italic, SIZE, (LEFT, sheet.y), Side::Left, &line);
                sheet.y += LINE;
            }
        }
    }

    /// Signatures and seal: one below the other, or side by side where only so the seal stands on
    /// the page that is signed.
    fn end(&mut self, qr: Option<&Qr>) {
        let room = self.sheet().room();
        if self.document.form.signatures.is_empty() {
            return self.seal(qr, room, WIDE);
        }
        if self.need(SIGNED) {
            self.sheet().y += LINE;
        }
        if self.sheet().fits(SIGNED + SEALED) {
            self.signatures(LEFT, room);
            return self.seal(qr, room, WIDE);
        }
        let (top, share) = (self.sheet().y, room * SEAL_SHARE);
        self.signatures(LEFT + share, room - share);
        self.sheet().y = top;
        self.seal(qr, share - 12.0, NARROW);
    }

    /// Who signs, in so much room from `left` on.
    fn signatures(&mut self, left: f32, room: f32) {
        let who = &self.document.form.signatures;
        let (bold, italic) = (self.face(Style::Bold), self.face(Style::Italic));
        let made = self.document.seal.made;
        let sheet = self.sheet();
        let share = room / f32::from(u16::try_from(who.len()).expect("a few signatures"));
        let date = made.format("............, ngày %d tháng %m năm %Y").to_string();
        sheet.y += 10.0;
        sheet.text(italic, 11.0, (left + room - share / 2.0, sheet.y), Side::Middle, &date);
        sheet.y += 15.0;
        for (n, who) in (0_u16..).zip(who) {
            let x = left + share * (f32::from(n) + 0.5);
            sheet.text(bold, 11.0, (x, sheet.y), Side::Middle, who);
            sheet.text(italic, 9.0, (x, sheet.y + 12.0), Side::Middle, "(ký, ghi rõ họ tên)");
        }
        sheet.y += SIGNATURE;
    }

    /// The checkpoint of the log that the form was made of, as text and as a code.
    fn seal(&mut self, qr: Option<&Qr>, room: f32, (size, line): (f32, f32)) {
        let text = self.document.seal.lines();
        self.need(SEALED);
        let regular = self.face(Style::Regular);
        let sheet = self.sheet();
        let bottom = sheet.height - EDGE - 8.0 - QR;
        sheet.y = sheet.y.max(bottom);
        sheet.rule((LEFT, sheet.y - 6.0), room);
        if let Some(qr) = qr {
            sheet.qr(qr, (LEFT, sheet.y), QR);
        }
        let mut y = sheet.y + size;
        let (left, room) = (LEFT + QR + 12.0, room - QR - 12.0);
        for words in text.iter().flat_map(|text| lines(regular, size, room, text)) {
            sheet.text(regular, size, (left, y), Side::Left, &words);
            y += line;
        }
        sheet.y += QR;
    }
}

/// How high a row is whose cells were cut into these lines.
fn height(cells: &[Vec<String>]) -> f32 {
    let most = cells.iter().map(Vec::len).max().unwrap_or(1);
    let most = u16::try_from(most).unwrap_or(u16::MAX);
    f32::from(most) * LINE + INSIDE
}
