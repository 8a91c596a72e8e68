//! Draws a wave and its loudness, before and after, as SVG text or as a PNG.
//!
//! **The same measurement gives the same text**, to the byte; coordinates are rounded to a tenth. Colours come from
//! `currentColor` and CSS classes, so that a page decides them; without a page's style the drawing is still readable.

use std::fmt::Write as _;

use super::loudness::{CURVE_STEP, Envelope, Loudness};
use crate::unit::Lufs;

/// Width of a drawing, in SVG units.
const WIDTH: f64 = 1_000.0;

/// Height of one wave, in SVG units.
const HEIGHT: f64 = 120.0;

/// Loudness at the bottom of a drawing; a wave's own silence lies lower still.
const FLOOR_LUFS: f64 = -50.0;

/// Draws two waves, the recording above and the asset below, with their loudness curves and the target.
#[must_use]
pub fn svg(before: &Loudness, after: &Loudness, target: Lufs) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" class=\"waveform\">\n",
        HEIGHT * 2.0
    );
    let longest = before.duration.max(after.duration).get().max(1);
    for (row, name, sound) in [(0.0, "before", before), (HEIGHT, "after", after)] {
        let share = ratio(sound.duration.get()) / ratio(longest);
        let _ = writeln!(text, "<g class=\"{name}\" transform=\"translate(0 {row})\">");
        wave(&mut text, &sound.envelope, WIDTH * share);
        level(&mut text, target);
        curve(&mut text, &sound.curve, WIDTH * ratio(CURVE_STEP.get()) / ratio(longest));
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

/// The outline: along the top from the left, back along the bottom.
fn wave(text: &mut String, envelope: &Envelope, width: f64) {
    let middle = HEIGHT / 2.0;
    let step = width / ratio(envelope.columns.len().max(1) as u64);
    let at = |index: usize| (ratio(index as u64) + 0.5) * step;
    text.push_str("<path class=\"wave\" fill=\"#9bb\" d=\"M0 60");
    for (index, column) in envelope.columns.iter().enumerate() {
        let _ = write!(text, "L{:.1} {:.1}", at(index), middle - half(*column));
    }
    for (index, column) in envelope.columns.iter().enumerate().rev() {
        let _ = write!(text, "L{:.1} {:.1}", at(index), middle + half(*column));
    }
    text.push_str("Z\"/>\n");
}

fn half(amplitude: f32) -> f64 {
    f64::from(amplitude.clamp(0.0, 1.0)) * HEIGHT / 2.0
}

fn level(text: &mut String, target: Lufs) {
    let y = height(target);
    let _ = writeln!(
        text,
        "<path class=\"target\" stroke=\"#a33\" stroke-dasharray=\"4 4\" fill=\"none\" d=\"M0 {y:.1}H{WIDTH}\"/>"
    );
}

fn curve(text: &mut String, curve: &[Lufs], step: f64) {
    text.push_str(
        "<path class=\"loudness\" stroke=\"#124\" stroke-width=\"1.5\" fill=\"none\" d=\"",
    );
    for (index, loudness) in curve.iter().enumerate() {
        let pen = if index == 0 { 'M' } else { 'L' };
        let _ =
            write!(text, "{pen}{:.1} {:.1}", (ratio(index as u64) + 1.0) * step, height(*loudness));
    }
    text.push_str("\"/>\n");
}

/// From 0 LUFS at the top to [`FLOOR_LUFS`] at the bottom.
fn height(loudness: Lufs) -> f64 {
    (loudness.get() / FLOOR_LUFS).clamp(0.0, 1.0) * HEIGHT
}

#[expect(clippy::cast_precision_loss, reason = "drawing coordinates")]
fn ratio(count: u64) -> f64 {
    count as f64
}

/// Width of a picture, in pixels.
const PIXELS: u32 = 1_000;

/// Height of one wave in a picture, in pixels.
const ROWS: u32 = 120;

/// Paper, wave, target line and loudness curve of a picture, by their place in its palette.
const PALETTE: [u8; 12] = [255, 255, 255, 153, 187, 187, 170, 51, 51, 17, 34, 68];

/// The same drawing as a PNG of four colours, for places that take no SVG.
#[must_use]
pub fn png(before: &Loudness, after: &Loudness, target: Lufs) -> Vec<u8> {
    let longest = before.duration.max(after.duration).get().max(1);
    let mut picture = Picture { pixels: vec![0; (PIXELS * ROWS * 2) as usize] };
    for (top, sound) in [(0, before), (ROWS, after)] {
        picture.sound(top, sound, longest, target);
    }
    picture.encode()
}

/// Palette places, row by row.
struct Picture {
    pixels: Vec<u8>,
}

impl Picture {
    fn sound(&mut self, top: u32, sound: &Loudness, longest: u64, target: Lufs) {
        let width = pixel(f64::from(PIXELS) * ratio(sound.duration.get()) / ratio(longest)).max(1);
        for x in 0..width {
            let reach = pixel(half(peak_at(&sound.envelope, x, width)));
            self.column(x, top + ROWS / 2 - reach, top + ROWS / 2 + reach, 1);
        }
        for x in (0..PIXELS).filter(|x| x % 8 < 4) {
            self.column(x, top + pixel(height(target)), top + pixel(height(target)), 2);
        }
        let mut before = None;
        for x in 0..width {
            let Some(loudness) = loudness_at(&sound.curve, x, longest) else { continue };
            let y = top + pixel(height(loudness));
            let from = before.replace(y).unwrap_or(y);
            self.column(x, from.min(y), from.max(y), 3);
        }
    }

    fn column(&mut self, x: u32, from: u32, until: u32, colour: u8) {
        for y in from..=until.min(2 * ROWS - 1) {
            self.pixels[(y * PIXELS + x) as usize] = colour;
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, PIXELS, ROWS * 2);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Two);
        encoder.set_palette(&PALETTE[..]);
        let packed: Vec<u8> =
            self.pixels.as_chunks::<4>().0.iter().map(|four| packed(*four)).collect();
        let written =
            encoder.write_header().and_then(|mut writer| writer.write_image_data(&packed));
        written.expect("writing to memory cannot fail, and the sizes agree");
        bytes
    }
}

/// Four pixels in one byte, the leftmost highest.
fn packed(pixels: [u8; 4]) -> u8 {
    pixels.into_iter().fold(0, |byte, pixel| (byte << 2) | pixel)
}

fn peak_at(envelope: &Envelope, x: u32, width: u32) -> f32 {
    let at = |x: u32| x as usize * envelope.columns.len() / width as usize;
    let columns = envelope.columns.get(at(x)..at(x + 1).max(at(x) + 1)).unwrap_or_default();
    super::peak::magnitude(columns)
}

fn loudness_at(curve: &[Lufs], x: u32, longest: u64) -> Option<Lufs> {
    let ms = u64::from(x) * longest / u64::from(PIXELS);
    let index = usize::try_from(ms / CURVE_STEP.get()).ok()?;
    curve.get(index.checked_sub(1)?).copied()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn pixel(coordinate: f64) -> u32 {
    coordinate.round() as u32
}

#[cfg(test)]
mod tests {
    use super::super::loudness::Meter;
    use super::super::source::Format;
    use super::*;
    use crate::unit::SampleRate;

    fn tone(seconds: usize, amplitude: f32) -> Loudness {
        let mut meter = Meter::new(&Format::usual(SampleRate::WIDEBAND, 1).unwrap());
        #[expect(clippy::cast_precision_loss, reason = "a test tone")]
        let sound: Vec<f32> =
            (0..seconds * 16_000).map(|n| (n as f32 * 0.4).sin() * amplitude).collect();
        meter.push(&sound);
        meter.finish()
    }

    #[test]
    fn the_same_measurement_gives_the_same_drawings() {
        let draw = || {
            (
                svg(&tone(3, 0.1), &tone(2, 0.5), Lufs::nearest(-16.0)),
                png(&tone(3, 0.1), &tone(2, 0.5), Lufs::nearest(-16.0)),
            )
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_drawing_is_well_formed_and_holds_both_waves() {
        let text = svg(&tone(3, 0.1), &tone(2, 0.5), Lufs::nearest(-16.0));
        assert_eq!(text.matches("<g ").count(), text.matches("</g>").count());
        assert!(text.contains("class=\"before\"") && text.contains("class=\"after\""));
        assert!(!text.contains("NaN"));
    }

    #[test]
    fn a_picture_has_the_size_that_was_meant() {
        let bytes = png(&tone(3, 0.1), &tone(2, 0.5), Lufs::nearest(-16.0));
        let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (PIXELS, ROWS * 2));
    }

    #[test]
    fn an_empty_measurement_is_drawn_without_a_panic() {
        let nothing = Meter::new(&Format::usual(SampleRate::WIDEBAND, 1).unwrap()).finish();
        assert!(!png(&nothing, &nothing, Lufs::nearest(-16.0)).is_empty());
        assert!(svg(&nothing, &nothing, Lufs::nearest(-16.0)).ends_with("</svg>\n"));
    }
}
