//! A recording in a page: heard and seen before and after, with what was found in it.

use std::fmt::Write as _;

use crate::audio::recipe::Recipe;
use crate::audio::waveform::Shape;
use crate::bulletin::version::Recording;
use crate::digest::Digest;
use crate::server::Judged;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::tongue::Tongue;

/// A recording with what was measured and found.
pub(super) struct Player {
    pub(super) source: Digest,
    pub(super) asset: Digest,
    pub(super) length: String,
    /// Whether the original is still here.
    pub(super) original: bool,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) verdict: String,
    pub(super) class: &'static str,
    pub(super) problems: Vec<String>,
    /// How it looked, before and after.
    pub(super) waves: Option<(Wave, Wave)>,
}

impl Player {
    /// The recording that was made of this original.
    pub(super) async fn of_source(
        site: &Site,
        source: Digest,
        tongue: Tongue,
    ) -> Result<Self, Fault> {
        let recording = site.station.recording_of(source).await?;
        Self::of(site, &recording, tongue).await
    }

    /// A recording of the station.
    pub(super) async fn of(
        site: &Site,
        recording: &Recording,
        tongue: Tongue,
    ) -> Result<Self, Fault> {
        let judged = site.station.judged(recording).await?;
        let shapes = site.station.shapes(recording).await?;
        let loudness = |of: fn(&Judged) -> Option<f64>| {
            let found = judged.as_ref().and_then(of);
            let unknown = || tongue.say("quá nhỏ để đo", "too soft to measure").to_owned();
            found.map_or_else(unknown, |lufs| format!("{lufs:.1} LUFS").replace('-', "−"))
        };
        let problem = |one: &crate::server::Told| tongue.say(&one.vi, &one.en).to_owned();
        let verdict = |one: &Judged| tongue.say(&one.verdict_vi, &one.verdict).to_owned();
        let class = match judged.as_ref().map(|one| one.verdict.as_str()) {
            Some("good") | None => "good",
            Some("usable") => "warn",
            Some(_) => "bad",
        };
        Ok(Self {
            source: recording.source,
            asset: recording.asset,
            length: format!(
                "{}:{:02}",
                recording.length_ms / 60_000,
                recording.length_ms / 1000 % 60
            ),
            original: site.station.originals.find(recording.source).is_some(),
            before: loudness(|one| one.before_lufs),
            after: loudness(|one| one.after_lufs),
            verdict: judged.as_ref().map(verdict).unwrap_or_default(),
            class,
            waves: shapes.map(|held| (Wave::of(&held.before), Wave::of(&held.after))),
            problems: judged.iter().flat_map(|one| &one.problems).map(problem).collect(),
        })
    }
}

/// What somebody says who heard a recording elsewhere.
const ELSEWHERE: &str = "elsewhere";

/// The box in which somebody who judges a recording says that they heard it: its value is the
/// recording's asset where they did so in the page, which ticks it then.
pub(super) struct Heard {
    pub(super) value: String,
    pub(super) is_here: bool,
    pub(super) is_ticked: bool,
}

impl Heard {
    /// The box as it was `given` with a form that came back; empty before.
    pub(super) fn of(given: &str, recording: Option<&Recording>) -> Self {
        let is_here = recording.is_some_and(|recording| given == recording.asset.to_string());
        let value = if is_here { given } else { ELSEWHERE }.to_owned();
        Self { is_ticked: value == given, value, is_here }
    }

    /// Refuses a judgement by somebody who does not say that they heard this very recording.
    /// Of what has no recording the step itself tells what is missing.
    pub(super) fn enough(given: &str, recording: Option<&Recording>) -> Result<(), Fault> {
        if recording.is_none() || Self::of(given, recording).is_ticked {
            return Ok(());
        }
        Err(Fault::bad(
            "Chưa làm gì: bản ghi này chưa được nghe hết ở trang này. Hãy nghe hết, hoặc đánh dấu \
             rằng bạn đã nghe ở chỗ khác, rồi bấm lại.",
            "Nothing was done: this recording was not heard to its end on this page. Hear all of it, \
             or tick that you heard it elsewhere, then press again.",
        ))
    }
}

/// Units of a drawing across and down; the page stretches it.
const WIDTH: usize = 720;
const HEIGHT: i32 = 100;

/// Loudness at the bottom of a drawing.
const FLOOR_LUFS: i32 = -50;

/// One drawing, as the paths of its outline and of its loudness.
pub(super) struct Wave {
    pub(super) outline: String,
    pub(super) loudness: String,
    /// Where the loudness that recordings are brought to stands.
    pub(super) target: i32,
}

impl Wave {
    fn of(shape: &Shape) -> Self {
        Self {
            outline: outline(&shape.peaks),
            loudness: curve(&shape.loudness),
            target: height(target()),
        }
    }
}

/// The loudness that recordings are brought to, in whole LUFS.
#[expect(clippy::cast_possible_truncation, reason = "-70 to 0")]
fn target() -> i32 {
    Recipe::default().target.get().round() as i32
}

fn height(lufs: i32) -> i32 {
    (lufs * HEIGHT / FLOOR_LUFS).clamp(0, HEIGHT)
}

/// Where the middle of a column stands.
fn x(column: usize, columns: usize) -> usize {
    (2 * column + 1) * WIDTH / (2 * columns.max(1))
}

/// Along the top from the left, back along the bottom.
fn outline(peaks: &[u8]) -> String {
    let middle = HEIGHT / 2;
    let mut path = format!("M0 {middle}");
    for (column, peak) in peaks.iter().enumerate() {
        let _ = write!(path, "L{} {}", x(column, peaks.len()), middle - i32::from(*peak) / 2);
    }
    for (column, peak) in peaks.iter().enumerate().rev() {
        let _ = write!(path, "L{} {}", x(column, peaks.len()), middle + i32::from(*peak) / 2);
    }
    path.push('Z');
    path
}

/// From moment to moment; the pen is lifted over silence.
fn curve(loudness: &[Option<i8>]) -> String {
    let mut path = String::new();
    let mut drawing = false;
    for (column, level) in loudness.iter().enumerate() {
        if let Some(level) = level {
            let pen = if drawing { 'L' } else { 'M' };
            let at = x(column, loudness.len());
            let _ = write!(path, "{pen}{at} {}", height(i32::from(*level)));
        }
        drawing = level.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_fills_the_height_and_silence_is_a_line() {
        assert_eq!(outline(&[100, 0]), "M0 50L180 0L540 50L540 50L180 100Z");
        assert_eq!(outline(&[]), "M0 50Z");
    }

    #[test]
    fn only_who_heard_this_recording_or_says_that_they_did_elsewhere_may_judge_it() {
        let digest = |text: &[u8]| Digest::of(text);
        let (asset, source) = (digest(b"asset"), digest(b"source"));
        let recording = Recording { asset, length_ms: 1, source };
        let enough = |given: &str| Heard::enough(given, Some(&recording)).is_ok();
        assert!(enough(&asset.to_string()) && enough("elsewhere"));
        assert!(!enough("") && !enough("on") && !enough(&source.to_string()));
        let back = |given: &str| {
            let Heard { value, is_here, is_ticked } = Heard::of(given, Some(&recording));
            (value, is_here, is_ticked)
        };
        assert_eq!(back(""), ("elsewhere".to_owned(), false, false));
        assert_eq!(back("elsewhere"), ("elsewhere".to_owned(), false, true));
        assert_eq!(back(&asset.to_string()), (asset.to_string(), true, true));
    }

    #[test]
    fn loudness_is_not_drawn_over_silence() {
        assert_eq!(curve(&[Some(-25), None, Some(-50), Some(0)]), "M90 50M450 100L630 0");
        assert_eq!(height(target()), 32);
    }
}
