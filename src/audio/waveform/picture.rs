//! The drawing as a PNG of a few colours, for places that take no SVG.

use super::super::loudness::CURVE_STEP;
use super::super::peak::magnitude;
use super::letters::{self, Letters};
use super::{HEIGHT, LEFT, LEVELS_LUFS, MIDDLE, RIGHT, ROW, Scale, TOP, WIDTH, Wave, half, height};
use crate::unit::Lufs;

/// Places in the palette.
#[derive(Clone, Copy)]
enum Ink {
    Paper,
    Wave,
    Target,
    Curve,
    Grid,
    Text,
}

/// Red, green and blue of each [`Ink`].
const PALETTE: [u8; 18] =
    [255, 255, 255, 153, 187, 187, 170, 51, 51, 17, 34, 68, 221, 221, 221, 68, 68, 68];

/// The same drawing as [`super::svg`] gives.
///
/// # Panics
/// Never: writing to memory cannot fail. A picture of no waves has one empty row.
#[must_use]
pub fn png(waves: &[Wave], target: Lufs) -> Vec<u8> {
    let (width, row) = (pixel(WIDTH), pixel(ROW));
    let height = row * u32::try_from(waves.len().max(1)).expect("a few rows");
    let paper = vec![Ink::Paper as u8; (width * height) as usize];
    let mut picture = Picture { pixels: paper, width, height };
    let scale = Scale::of(waves);
    let mut top = 0;
    for wave in waves {
        picture.row(top, *wave, scale, target);
        top += row;
    }
    picture.encode()
}

/// Palette places, row by row.
struct Picture {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
}

impl Picture {
    fn row(&mut self, top: u32, wave: Wave, scale: Scale, target: Lufs) {
        self.scales(top, wave.title, scale);
        self.outline(top, wave, scale);
        self.dashes(top + pixel(height(target.get())));
        self.curve(top, wave, scale);
    }

    fn scales(&mut self, top: u32, title: &str, scale: Scale) {
        self.text(pixel(LEFT), top + 4, title);
        for level in LEVELS_LUFS {
            let y = top + pixel(height(level.into()));
            for x in pixel(LEFT)..pixel(RIGHT) {
                self.column(x, y, y, Ink::Grid);
            }
            let figure = level.to_string();
            self.text(pixel(LEFT) - 4 - letters::width(&figure), y - letters::HEIGHT / 2, &figure);
        }
        let bottom = top + pixel(TOP + HEIGHT);
        for (x, time) in scale.marks() {
            self.column(pixel(x), bottom, bottom + 4, Ink::Text);
            let x = pixel(x).saturating_sub(letters::width(&time) / 2);
            self.text(x.min(self.width - letters::width(&time)), bottom + 7, &time);
        }
    }

    fn outline(&mut self, top: u32, wave: Wave, scale: Scale) {
        let left = pixel(LEFT);
        let width = (pixel(scale.x(wave.sound.duration.get())) - left).max(1);
        let columns = &wave.sound.envelope.columns;
        let at = |x: u32| x as usize * columns.len() / width as usize;
        for x in 0..width {
            let loudest = columns.get(at(x)..at(x + 1).max(at(x) + 1)).unwrap_or_default();
            let (middle, reach) = (top + pixel(MIDDLE), pixel(half(magnitude(loudest))));
            self.column(left + x, middle - reach, middle + reach, Ink::Wave);
        }
    }

    fn dashes(&mut self, y: u32) {
        for x in (pixel(LEFT)..pixel(RIGHT)).filter(|x| x % 8 < 4) {
            self.column(x, y, y, Ink::Target);
        }
    }

    /// Straight from point to point, two pixels thick.
    fn curve(&mut self, top: u32, wave: Wave, scale: Scale) {
        let points = (1..)
            .zip(&wave.sound.curve)
            .map(|(index, loudness)| (scale.x(index * CURVE_STEP.get()), height(loudness.get())));
        let mut before: Option<(f64, f64)> = None;
        for (x, y) in points {
            let (from_x, from_y) = before.replace((x, y)).unwrap_or((x, y));
            let mut last = from_y;
            for at in pixel(from_x)..=pixel(x) {
                let share = ((f64::from(at) - from_x) / (x - from_x).max(1.0)).clamp(0.0, 1.0);
                let now = from_y + (y - from_y) * share;
                let (high, low) = (pixel(last.min(now)), pixel(last.max(now)));
                self.column(at, top + high, top + low + 1, Ink::Curve);
                last = now;
            }
        }
    }

    fn text(&mut self, x: u32, y: u32, text: &str) {
        for (dx, dy) in Letters::new(text) {
            self.column(x + dx, y + dy, y + dy, Ink::Text);
        }
    }

    fn column(&mut self, x: u32, from: u32, until: u32, ink: Ink) {
        for y in from..=until.min(self.height - 1) {
            if x < self.width {
                self.pixels[(y * self.width + x) as usize] = ink as u8;
            }
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Four);
        encoder.set_palette(&PALETTE[..]);
        let packed: Vec<u8> = self
            .pixels
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[left, right]| (left << 4) | right)
            .collect();
        let written =
            encoder.write_header().and_then(|mut writer| writer.write_image_data(&packed));
        written.expect("writing to memory cannot fail, and the sizes agree");
        bytes
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn pixel(coordinate: f64) -> u32 {
    coordinate.round() as u32
}
