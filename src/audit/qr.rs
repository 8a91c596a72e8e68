//! A text as a QR code: a checkpoint that is printed, mailed, and read back by any telephone.
//!
//! A code that is hidden to a sixth is still read (level M): paper is stamped and folded.

use fast_qr::{ECL, QRBuilder, QRCode};

/// Pixels of a module in the picture.
const MODULE_PIXELS: usize = 6;

/// Modules of white around the code: readers need four.
const QUIET: usize = 4;

/// A text that no QR code holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are more than a QR code holds (2,331); mail the text instead")]
pub struct TooLong(pub usize);

/// A QR code.
#[derive(Clone)]
pub struct Qr(Box<QRCode>);

impl Qr {
    /// The code of `text`.
    pub fn of(text: &str) -> Result<Self, TooLong> {
        let code = QRBuilder::new(text.as_bytes()).ecl(ECL::M).build();
        code.map(|code| Self(Box::new(code))).map_err(|_| TooLong(text.len()))
    }

    /// Modules in a row, without the white around them.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Whether a module is dark; outside the code none is.
    pub fn is_dark(&self, row: usize, column: usize) -> bool {
        row < self.size() && column < self.size() && self.0[row][column].value()
    }

    /// The code for a terminal: two rows a line, dark on light whatever colours it has.
    pub fn terminal(&self) -> String {
        let dark = |row: usize, column: usize| {
            row >= QUIET && column >= QUIET && self.is_dark(row - QUIET, column - QUIET)
        };
        let whole = self.size() + 2 * QUIET;
        let mut text = String::new();
        for row in (0..whole).step_by(2) {
            text.push_str("\u{1b}[30;47m");
            for column in 0..whole {
                text.push(match (dark(row, column), dark(row + 1, column)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str("\u{1b}[0m\n");
        }
        text
    }

    /// The code as an SVG picture.
    pub fn svg(&self) -> String {
        let whole = self.size() + 2 * QUIET;
        let mut path = String::new();
        for (row, column) in self.dark() {
            use std::fmt::Write as _;
            let _ = write!(path, "M{} {}h1v1h-1z", column + QUIET, row + QUIET);
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" \
             shape-rendering=\"crispEdges\"><rect width=\"{whole}\" height=\"{whole}\" \
             fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>\n"
        )
    }

    /// Every dark module: its row and its column.
    pub fn dark(&self) -> impl Iterator<Item = (usize, usize)> {
        let size = self.size();
        (0..size * size).map(move |n| (n / size, n % size)).filter(|(r, c)| self.is_dark(*r, *c))
    }

    /// The code as a PNG picture.
    pub fn png(&self) -> Vec<u8> {
        let side = (self.size() + 2 * QUIET) * MODULE_PIXELS;
        let mut pixels = vec![255_u8; side * side];
        for (row, column) in self.dark() {
            for y in 0..MODULE_PIXELS {
                let start = ((row + QUIET) * MODULE_PIXELS + y) * side;
                let start = start + (column + QUIET) * MODULE_PIXELS;
                pixels[start..start + MODULE_PIXELS].fill(0);
            }
        }
        let mut out = Vec::new();
        let side = u32::try_from(side).expect("a code has at most 177 modules");
        let mut encoder = png::Encoder::new(&mut out, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().expect("memory takes a picture");
        writer.write_image_data(&pixels).expect("a picture has as many pixels as it says");
        writer.finish().expect("memory takes a picture");
        out
    }
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Qr({} modules)", self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_shows_the_same_modules() {
        let qr = Qr::of("laichau/log\n20852163\n").unwrap();
        let dark = qr.dark().count();
        assert_eq!(qr.svg().matches("h1v1h-1z").count(), dark);
        let shown: usize = qr
            .terminal()
            .chars()
            .map(|c| match c {
                '█' => 2,
                '▀' | '▄' => 1,
                _ => 0,
            })
            .sum();
        assert_eq!(shown, dark);
        assert!(qr.png().starts_with(b"\x89PNG"));
    }

    #[test]
    fn what_no_code_holds_is_refused_with_its_length() {
        assert_eq!(Qr::of(&"a".repeat(3_000)).unwrap_err(), TooLong(3_000));
    }
}
