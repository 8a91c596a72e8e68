//! The few letters that a picture needs, three by five dots each, drawn twice as large.
//!
//! Only what drawings say: figures, times, `before`, `after`, `A` and `B`; **any other letter is left blank**, as a
//! picture has no font.

/// Pixels of one dot.
const DOT: u32 = 2;

/// Height of a text in pixels.
pub(super) const HEIGHT: u32 = 5 * DOT;

/// From one letter to the next.
const ADVANCE: u32 = 4 * DOT;

/// Rows of three dots, the leftmost highest.
const GLYPHS: [(char, [u8; 5]); 21] = [
    ('0', [0b111, 0b101, 0b101, 0b101, 0b111]),
    ('1', [0b010, 0b110, 0b010, 0b010, 0b111]),
    ('2', [0b111, 0b001, 0b111, 0b100, 0b111]),
    ('3', [0b111, 0b001, 0b111, 0b001, 0b111]),
    ('4', [0b101, 0b101, 0b111, 0b001, 0b001]),
    ('5', [0b111, 0b100, 0b111, 0b001, 0b111]),
    ('6', [0b111, 0b100, 0b111, 0b101, 0b111]),
    ('7', [0b111, 0b001, 0b010, 0b010, 0b010]),
    ('8', [0b111, 0b101, 0b111, 0b101, 0b111]),
    ('9', [0b111, 0b101, 0b111, 0b001, 0b111]),
    ('-', [0b000, 0b000, 0b111, 0b000, 0b000]),
    (':', [0b000, 0b010, 0b000, 0b010, 0b000]),
    ('A', [0b010, 0b101, 0b111, 0b101, 0b101]),
    ('B', [0b110, 0b101, 0b110, 0b101, 0b110]),
    ('a', [0b000, 0b110, 0b011, 0b101, 0b111]),
    ('b', [0b100, 0b100, 0b110, 0b101, 0b110]),
    ('e', [0b000, 0b111, 0b111, 0b100, 0b011]),
    ('f', [0b011, 0b010, 0b111, 0b010, 0b010]),
    ('o', [0b000, 0b111, 0b101, 0b101, 0b111]),
    ('r', [0b000, 0b110, 0b100, 0b100, 0b100]),
    ('t', [0b010, 0b111, 0b010, 0b010, 0b011]),
];

/// Width of a text in pixels.
pub(super) fn width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or_default() * ADVANCE
}

/// The pixels of a text, from its upper left corner.
pub(super) struct Letters(std::vec::IntoIter<(u32, u32)>);

impl Letters {
    pub(super) fn new(text: &str) -> Self {
        let mut dots = Vec::new();
        for (place, letter) in (0..).zip(text.chars()) {
            let glyph = GLYPHS.iter().find(|(known, _)| *known == letter);
            for (y, row) in (0..).zip(glyph.map_or(&[0; 5], |(_, rows)| rows)) {
                let lit = (0..3).filter(|x| row >> (2 - x) & 1 == 1);
                dots.extend(lit.map(|x| (place * ADVANCE + x * DOT, y * DOT)));
            }
        }
        let whole = |(x, y): (u32, u32)| (0..DOT * DOT).map(move |n| (x + n % DOT, y + n / DOT));
        Self(dots.into_iter().flat_map(whole).collect::<Vec<_>>().into_iter())
    }
}

impl Iterator for Letters {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_letter_is_drawn_and_an_unknown_one_is_blank() {
        // Three dots of four pixels each.
        assert_eq!(Letters::new("-").count(), 12);
        assert_eq!(Letters::new("ế").count(), 0);
        assert!(Letters::new("before after").all(|(x, y)| x < width("before after") && y < HEIGHT));
    }
}
