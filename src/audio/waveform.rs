//! Draws a wave and its loudness, before and after, as SVG text.
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
