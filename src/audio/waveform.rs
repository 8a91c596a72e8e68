//! Draws waves and their loudness as SVG text or as a PNG: one row for each, on one scale of time.
//!
//! A row shows the outline of the wave, the momentary loudness over it, and the target as a dashed line; the figures at
//! the left are LUFS. **The same measurement gives the same text**, to the byte; coordinates are rounded to a tenth.
//! Text takes its colour from `currentColor`, and every part has a CSS class, so that a page decides; without a page's
//! style the drawing is still readable.

mod letters;
mod picture;
mod shape;

use std::fmt::Write as _;

pub use self::picture::png;
pub use self::shape::Shape;
use super::loudness::{CURVE_STEP, Loudness};
use crate::unit::Lufs;

/// One row of a drawing.
#[derive(Clone, Copy, Debug)]
pub struct Wave<'a> {
    /// What stands over it; may be empty.
    pub title: &'a str,
    /// What was measured of it.
    pub sound: &'a Loudness,
}

/// Width of a drawing.
const WIDTH: f64 = 1_000.0;
/// Where waves begin; the figures of loudness stand left of it.
const LEFT: f64 = 36.0;
/// Where the longest wave ends.
const RIGHT: f64 = 992.0;
/// Height of one row, with its title above and the time below.
const ROW: f64 = 150.0;
/// Where a wave's full scale begins in its row.
const TOP: f64 = 20.0;
/// Height of full scale, from −1 to +1.
const HEIGHT: f64 = 108.0;

/// Loudness at the bottom of a row; a wave's own silence lies lower still.
const FLOOR_LUFS: f64 = -50.0;

/// The figures at the left.
const LEVELS_LUFS: [i32; 5] = [0, -10, -20, -30, -40];

/// Seconds between two marks of time: the first that gives at most [`MARKS_MAX`] is taken.
const STEPS_S: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200];

/// The most marks of time in a row.
const MARKS_MAX: u64 = 12;

/// One scale of time for all rows.
#[derive(Clone, Copy)]
struct Scale {
    longest_ms: u64,
}

impl Scale {
    fn of(waves: &[Wave]) -> Self {
        let longest = waves.iter().map(|wave| wave.sound.duration.get()).max();
        Self { longest_ms: longest.unwrap_or_default().max(1) }
    }

    /// Where a moment stands.
    fn x(self, ms: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * ratio(ms) / ratio(self.longest_ms)
    }

    /// The marks of time: where, and `m:ss`.
    fn marks(self) -> impl Iterator<Item = (f64, String)> {
        let longest = self.longest_ms / 1_000;
        let fits = |step: &&u64| longest / **step <= MARKS_MAX;
        let step = STEPS_S.iter().find(fits).copied().unwrap_or(4 * 3_600);
        (0..=longest / step).map(move |mark| {
            let s = mark * step;
            (self.x(s * 1_000), format!("{}:{:02}", s / 60, s % 60))
        })
    }
}

/// Where a loudness stands in its row: 0 LUFS at the top of the wave, [`FLOOR_LUFS`] at its bottom.
fn height(loudness: f64) -> f64 {
    TOP + (loudness / FLOOR_LUFS).clamp(0.0, 1.0) * HEIGHT
}

fn half(amplitude: f32) -> f64 {
    f64::from(amplitude.clamp(0.0, 1.0)) * HEIGHT / 2.0
}

/// The middle of a wave in its row.
const MIDDLE: f64 = TOP + HEIGHT / 2.0;

/// Draws each wave with its loudness curve and the target.
#[must_use]
pub fn svg(waves: &[Wave], target: Lufs) -> String {
    let scale = Scale::of(waves);
    let rows = ratio(waves.len() as u64) * ROW;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {rows}\" role=\"img\" class=\"waveform\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"currentColor\">\n"
    );
    for (index, wave) in waves.iter().enumerate() {
        let top = ratio(index as u64) * ROW;
        let _ =
            writeln!(text, "<g class=\"{}\" transform=\"translate(0 {top})\">", class(wave.title));
        if !wave.title.is_empty() {
            let _ = writeln!(text, "<text x=\"{LEFT}\" y=\"14\">{}</text>", escaped(wave.title));
        }
        levels(&mut text);
        outline(&mut text, wave.sound, scale);
        times(&mut text, scale);
        line(&mut text, target);
        curve(&mut text, &wave.sound.curve, scale);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

/// A title as the name of a class.
fn class(title: &str) -> String {
    if title.is_empty() {
        return "sound".to_owned();
    }
    title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect()
}

fn escaped(title: &str) -> String {
    title.replace('&', "&amp;").replace('<', "&lt;")
}

fn levels(text: &mut String) {
    for level in LEVELS_LUFS {
        let y = height(level.into());
        let _ = writeln!(
            text,
            "<path class=\"level\" stroke=\"#ccc\" stroke-width=\"0.5\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{level}</text>",
            LEFT - 4.0,
            y + 4.0
        );
    }
}

fn times(text: &mut String, scale: Scale) {
    for (x, time) in scale.marks() {
        let bottom = TOP + HEIGHT;
        let _ = writeln!(
            text,
            "<path class=\"time\" stroke=\"#999\" d=\"M{x:.1} {bottom}v4\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{time}</text>",
            bottom + 15.0,
            // The last may stand at the very edge.
            if x > RIGHT - 12.0 { "end" } else { "middle" }
        );
    }
}

/// The outline: along the top from the left, back along the bottom.
fn outline(text: &mut String, sound: &Loudness, scale: Scale) {
    let columns = &sound.envelope.columns;
    let width = scale.x(sound.duration.get()) - LEFT;
    let step = width / ratio(columns.len().max(1) as u64);
    let at = |index: usize| LEFT + (ratio(index as u64) + 0.5) * step;
    let _ = write!(text, "<path class=\"wave\" fill=\"#9bb\" d=\"M{LEFT} {MIDDLE}");
    for (index, column) in columns.iter().enumerate() {
        let _ = write!(text, "L{:.1} {:.1}", at(index), MIDDLE - half(*column));
    }
    for (index, column) in columns.iter().enumerate().rev() {
        let _ = write!(text, "L{:.1} {:.1}", at(index), MIDDLE + half(*column));
    }
    text.push_str("Z\"/>\n");
}

fn line(text: &mut String, target: Lufs) {
    let y = height(target.get());
    let _ = writeln!(
        text,
        "<path class=\"target\" stroke=\"#a33\" stroke-dasharray=\"4 4\" fill=\"none\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"
    );
}

fn curve(text: &mut String, curve: &[Lufs], scale: Scale) {
    if curve.is_empty() {
        return;
    }
    text.push_str(
        "<path class=\"loudness\" stroke=\"#124\" stroke-width=\"1.5\" fill=\"none\" d=\"",
    );
    for (index, loudness) in curve.iter().enumerate() {
        let pen = if index == 0 { 'M' } else { 'L' };
        let x = scale.x((index as u64 + 1) * CURVE_STEP.get());
        let _ = write!(text, "{pen}{x:.1} {:.1}", height(loudness.get()));
    }
    text.push_str("\"/>\n");
}

#[expect(clippy::cast_precision_loss, reason = "drawing coordinates")]
fn ratio(count: u64) -> f64 {
    count as f64
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

    fn target() -> Lufs {
        Lufs::nearest(-16.0)
    }

    #[test]
    fn the_same_measurement_gives_the_same_drawings() {
        let draw = || {
            let (before, after) = (tone(3, 0.1), tone(2, 0.5));
            let waves = [("before", &before), ("after", &after)];
            let waves = waves.map(|(title, sound)| Wave { title, sound });
            (svg(&waves, target()), png(&waves, target()))
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_drawing_is_well_formed_and_holds_every_wave_with_its_title() {
        let (before, after) = (tone(3, 0.1), tone(2, 0.5));
        let waves = [("before", &before), ("<after>", &after)];
        let text = svg(&waves.map(|(title, sound)| Wave { title, sound }), target());
        assert_eq!(text.matches("<g ").count(), text.matches("</g>").count());
        assert!(text.contains(">before<") && text.contains(">&lt;after>"), "{text}");
        assert!(!text.contains("NaN"));
    }

    #[test]
    fn times_are_marked_on_one_scale() {
        let marks = |ms| Scale { longest_ms: ms }.marks().map(|(_, time)| time).collect::<Vec<_>>();
        assert_eq!(marks(3_500), ["0:00", "0:01", "0:02", "0:03"]);
        assert_eq!(marks(1_800_000).len(), 7);
        assert_eq!(marks(1_800_000)[6], "30:00");
        assert!(marks(3 * 3_600_000).len() <= 13);
    }

    #[test]
    fn a_picture_has_one_row_for_each_wave() {
        let sound = tone(3, 0.1);
        for rows in [1_u32, 2] {
            let waves = vec![Wave { title: "", sound: &sound }; rows as usize];
            let reader = png::Decoder::new(std::io::Cursor::new(png(&waves, target())));
            let info = reader.read_info().unwrap().info().size();
            assert_eq!(info, (1_000, 150 * rows));
        }
    }

    #[test]
    fn an_empty_measurement_is_drawn_without_a_panic() {
        let nothing = Meter::new(&Format::usual(SampleRate::WIDEBAND, 1).unwrap()).finish();
        let waves = [Wave { title: "", sound: &nothing }];
        assert!(!png(&waves, target()).is_empty());
        assert!(svg(&waves, target()).ends_with("</svg>\n"));
        assert!(svg(&[], target()).ends_with("</svg>\n"));
    }
}
