//! The outline of a recording and its loudness in few small numbers, to be kept and drawn by a page.

use serde::{Deserialize, Serialize};

use super::super::loudness::Loudness;

/// Columns of a shape: as many as a telephone has pixels for.
const COLUMNS: usize = 180;

/// A recording in columns; of peaks and of loudness there may be as many as there are, over the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// How long it is, in milliseconds.
    pub length_ms: u64,
    /// The largest magnitude of each column, of a hundred.
    pub peaks: Vec<u8>,
    /// The loudest moment of each column in whole LUFS; nothing where it is silent.
    pub loudness: Vec<Option<i8>>,
}

/// Silence, for a drawing.
const SILENT_LUFS: f64 = -70.0;

impl Shape {
    /// The shape of what was measured.
    #[must_use]
    pub fn of(sound: &Loudness) -> Self {
        let peaks = columns(&sound.envelope.columns, |one: &f32| hundredths(*one), 0);
        let loudest = columns(&sound.curve, |one| level(one.get()), i8::MIN);
        let loudness = loudest.into_iter().map(|one| (one > i8::MIN).then_some(one)).collect();
        Self { length_ms: sound.duration.get(), peaks, loudness }
    }
}

/// The largest of each stretch; fewer values than columns stay as they are.
fn columns<T, N: Ord + Copy>(values: &[T], of: impl Fn(&T) -> N, least: N) -> Vec<N> {
    let count = values.len().min(COLUMNS);
    let at = |column: usize| column * values.len() / count;
    let largest = |column| values[at(column)..at(column + 1)].iter().map(&of).max();
    (0..count).map(|column| largest(column).unwrap_or(least)).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
fn hundredths(magnitude: f32) -> u8 {
    (magnitude.abs().clamp(0.0, 1.0) * 100.0).round() as u8
}

#[expect(clippy::cast_possible_truncation, reason = "-70 to 0")]
fn level(lufs: f64) -> i8 {
    if lufs <= SILENT_LUFS { i8::MIN } else { lufs.clamp(SILENT_LUFS, 0.0).round() as i8 }
}

#[cfg(test)]
mod tests {
    use super::super::super::loudness::Meter;
    use super::super::super::source::Format;
    use super::*;
    use crate::unit::SampleRate;

    fn shape(sound: &[f32]) -> Shape {
        let mut meter = Meter::new(&Format::usual(SampleRate::WIDEBAND, 1).unwrap());
        meter.push(sound);
        Shape::of(&meter.finish())
    }

    #[test]
    fn a_loud_half_stands_out_and_silence_has_no_loudness() {
        #[expect(clippy::cast_precision_loss, reason = "a test tone")]
        let tone = (0..160_000).map(|n| (n as f32 * 0.4).sin() * 0.5);
        let mut sound = vec![0.0; 160_000];
        sound.extend(tone);
        let shape = shape(&sound);
        assert_eq!((shape.length_ms, shape.peaks.len()), (20_000, COLUMNS));
        assert_eq!((shape.peaks[10], shape.loudness[1]), (0, None));
        assert!((45..=51).contains(&shape.peaks[170]), "{:?}", shape.peaks);
        assert!(
            shape.loudness[shape.loudness.len() - 2].is_some_and(|lufs| (-12..=-6).contains(&lufs))
        );
    }

    #[test]
    fn nothing_has_no_columns() {
        assert_eq!(shape(&[]), Shape { length_ms: 0, peaks: vec![], loudness: vec![] });
    }
}
