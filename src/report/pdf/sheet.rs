//! One page: text, lines and boxes at places counted from its upper left.

use pdf_writer::{Content, Name, Str};

use super::face::{Face, Style};
use crate::audit::qr::Qr;

/// Points of white at the left (forms are bound there) and at the other edges.
pub(super) const LEFT: f32 = 56.0;
pub(super) const EDGE: f32 = 40.0;

/// A4, short and long side, in points.
const A4: (f32, f32) = (595.28, 841.89);

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// One page.
pub(super) struct Sheet {
    pub content: Content,
    pub width: f32,
    pub height: f32,
    /// How far down from the upper edge the page is full.
    pub y: f32,
}

impl Sheet {
    /// An empty page.
    pub fn new(landscape: bool) -> Self {
        let (width, height) = if landscape { (A4.1, A4.0) } else { A4 };
        Self { content: Content::new(), width, height, y: EDGE }
    }

    /// How wide what stands between the edges is.
    pub fn room(&self) -> f32 {
        self.width - LEFT - EDGE
    }

    /// Whether so many points more fit.
    pub fn fits(&self, points: f32) -> bool {
        self.y + points <= self.height - EDGE - 14.0
    }

    /// Writes one line of text whose base is `y` below the upper edge; `x` is its left end, its
    /// middle or its right end.
    pub fn text(&mut self, face: &Face, size: f32, (x, y): (f32, f32), side: Side, text: &str) {
        let width = face.width(text, size);
        let x = match side {
            Side::Left => x,
            Side::Middle => x - width / 2.0,
            Side::Right => x - width,
        };
        let content = &mut self.content;
        content.begin_text().set_font(Name(face.style().name()), size);
        content.set_text_matrix([1.0, 0.0, 0.0, 1.0, x, self.height - y]);
        content.show(Str(&face.glyphs(text))).end_text();
    }

    /// Draws a box; filled with grey where it is the place of a heading.
    pub fn frame(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), grey: bool) {
        let content = &mut self.content;
        let bottom = self.height - y - height;
        if grey {
            content.save_state().set_fill_gray(0.9);
            content.rect(x, bottom, width, height).fill_nonzero().restore_state();
        }
        content.set_line_width(0.5).rect(x, bottom, width, height).stroke();
    }

    /// Draws a line across.
    pub fn rule(&mut self, (x, y): (f32, f32), width: f32) {
        let y = self.height - y;
        self.content.set_line_width(0.7).move_to(x, y).line_to(x + width, y).stroke();
    }

    /// Draws a QR code `side` points wide.
    pub fn qr(&mut self, qr: &Qr, (x, y): (f32, f32), side: f32) {
        let modules = u16::try_from(qr.size()).expect("a code has at most 177 modules");
        let one = side / f32::from(modules);
        for (row, column) in qr.dark() {
            let place = |n: usize| f32::from(u16::try_from(n).expect("below 177")) * one;
            let bottom = self.height - y - place(row) - one;
            self.content.rect(x + place(column), bottom, one, one);
        }
        self.content.fill_nonzero();
    }

    /// Writes which page of how many this is.
    pub fn number(&mut self, n: usize, all: usize, faces: &[Face; 3]) {
        let y = self.height - EDGE + 8.0;
        let face = &faces[Style::Regular as usize];
        self.text(face, 9.0, (self.width - EDGE, y), Side::Right, &format!("Trang {n}/{all}"));
        self.text(face, 9.0, (LEFT, y), Side::Left, "Loa Bản");
    }
}

/// A text cut into lines that are at most `width` wide: between words, and within a word only
/// where it is wider than the line.
pub(super) fn lines(face: &Face, size: f32, width: f32, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if face.width(&longer, size) <= width {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            if !line.is_empty() && face.width(&format!("{line}{c}"), size) > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_words_and_a_long_word_within() {
        let face = Face::of(Style::Regular);
        let cut = lines(&face, 10.0, 60.0, "Hỏi đáp pháp luật về đăng ký khai sinh");
        assert!(cut.len() > 2 && cut.iter().all(|line| face.width(line, 10.0) <= 60.0), "{cut:?}");
        assert_eq!(cut.join(" "), "Hỏi đáp pháp luật về đăng ký khai sinh");
        let long = lines(&face, 10.0, 60.0, &"a".repeat(40));
        assert!(long.len() > 1);
        assert_eq!(long.concat(), "a".repeat(40));
        assert_eq!(lines(&face, 10.0, 60.0, ""), [""]);
    }
}
