//! The figures of a report for machines, under names that never change.
//!
//! One flat JSON object: format and duration, loudness, range, true peak, noise floor, clipping, verdict, problems.
//! **What cannot be known is `null`**: the loudness of silence, the range of less than four seconds, the level of
//! digital silence. Levels are rounded to a hundredth, so that equal sound gives equal text.

use serde::Serialize;

use super::chain::{Examination, Measurement};
use super::loudness::Loudness;
use super::report::{Problem, Report, Verdict};
use crate::unit::{Db, Dbtp};

/// What `measure` tells of a recording; the caller adds the file's name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures<'a> {
    /// How long it is.
    pub duration_ms: u64,
    /// The codec, as the decoder names it.
    pub codec: &'a str,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Channels, 1 to 8.
    pub channels: usize,
    /// Integrated loudness (BS.1770-4).
    pub integrated_lufs: Option<f64>,
    /// Loudness range (EBU Tech 3342).
    pub range_lu: Option<f64>,
    /// The highest true peak of any channel.
    pub true_peak_dbtp: Option<f64>,
    /// The level that one tenth of the recording stays below.
    pub noise_floor_dbfs: Option<f64>,
    /// How far the loud parts stand above it.
    pub speech_to_noise_db: Option<f64>,
    /// The highest frequency present.
    pub bandwidth_hz: Option<u32>,
    /// Samples on flat tops at full scale.
    pub clipped_samples: u64,
    /// `good`, `usable` or `record again`.
    pub verdict: Verdict,
    /// What is wrong, worst first.
    pub problems: &'a [Problem],
}

impl<'a> Figures<'a> {
    /// The figures of a recording, with the report that was drawn from it.
    #[must_use]
    pub fn new(found: &Examination, codec: &'a str, report: &'a Report) -> Self {
        let (loudness, survey) = (&found.loudness, &found.survey);
        Self {
            duration_ms: loudness.duration.get(),
            codec,
            sample_rate_hz: found.format.rate.get(),
            channels: found.format.channels(),
            integrated_lufs: loudness.integrated.map(|found| hundredths(found.get())),
            range_lu: loudness.range.map(|found| hundredths(found.get())),
            true_peak_dbtp: peak(loudness.true_peak),
            noise_floor_dbfs: level(survey.noise_floor),
            speech_to_noise_db: survey.speech_to_noise.and_then(level),
            bandwidth_hz: survey.bandwidth_hz,
            clipped_samples: survey.clipped_samples,
            verdict: report.verdict,
            problems: &report.problems,
        }
    }
}

/// What `normalise` tells of what it made, beside the [`Figures`] of the recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Made {
    /// The gain before the limiter.
    pub gain_db: f64,
    /// The gain in the Opus header.
    pub header_gain_db: f64,
    /// How many times it was encoded.
    pub encodings: u8,
    /// Why the target was not met, if it was not.
    pub shortfall: Option<&'static str>,
    /// Silence taken from the start.
    pub lead_cut_ms: u64,
    /// Silence taken from the end.
    pub tail_cut_ms: u64,
    /// Taken out of long pauses.
    pub pauses_cut_ms: u64,
    /// The asset, decoded.
    pub asset: Output,
    /// The 16-bit samples, where they were made.
    pub wav: Option<Output>,
}

/// What was measured of one output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Output {
    /// How long it is.
    pub duration_ms: u64,
    /// Integrated loudness.
    pub integrated_lufs: Option<f64>,
    /// Loudness range.
    pub range_lu: Option<f64>,
    /// True peak.
    pub true_peak_dbtp: Option<f64>,
}

impl Made {
    /// The figures of what was made.
    #[must_use]
    pub fn new(found: &Measurement) -> Self {
        Self {
            gain_db: hundredths(found.gain.get()),
            header_gain_db: hundredths(found.header_gain.get()),
            encodings: found.encodings,
            shortfall: found.shortfall.map(super::chain::Shortfall::code),
            lead_cut_ms: found.cut.lead.get(),
            tail_cut_ms: found.cut.tail.get(),
            pauses_cut_ms: found.cut.pauses.get(),
            asset: Output::of(&found.after),
            wav: found.wave.as_ref().map(Output::of),
        }
    }
}

impl Output {
    fn of(found: &Loudness) -> Self {
        Self {
            duration_ms: found.duration.get(),
            integrated_lufs: found.integrated.map(|found| hundredths(found.get())),
            range_lu: found.range.map(|found| hundredths(found.get())),
            true_peak_dbtp: peak(found.true_peak),
        }
    }
}

fn peak(found: Dbtp) -> Option<f64> {
    (found > Dbtp::MIN).then(|| hundredths(found.get()))
}

fn level(found: Db) -> Option<f64> {
    (found > Db::MIN).then(|| hundredths(found.get()))
}

fn hundredths(value: f64) -> f64 {
    // The addition turns −0.0 into 0.0, which reads better.
    (value * 100.0).round() / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::super::chain::measure;
    use super::super::report::examine;
    use super::super::source::Samples;
    use super::*;
    use crate::unit::SampleRate;

    fn told(sound: &[f32]) -> serde_json::Value {
        let found = measure(&mut Samples::mono(SampleRate::WIDEBAND, sound), &mut ()).unwrap();
        let report = examine(&found);
        serde_json::to_value(Figures::new(&found, "pcm_s16le", &report)).unwrap()
    }

    #[test]
    fn silence_is_told_with_nulls_and_never_with_minus_seventy() {
        let told = told(&vec![0.0; 80_000]);
        assert_eq!(told["duration_ms"], 5_000);
        for unknown in ["integrated_lufs", "true_peak_dbtp", "noise_floor_dbfs", "bandwidth_hz"] {
            assert!(told[unknown].is_null(), "{unknown}: {}", told[unknown]);
        }
    }

    #[test]
    fn every_promised_name_is_there() {
        #[expect(clippy::cast_precision_loss, reason = "a test tone")]
        let tone: Vec<f32> = (0..80_000).map(|n| (n as f32 * 0.4).sin() * 0.1).collect();
        let told = told(&tone);
        for name in [
            "duration_ms",
            "codec",
            "sample_rate_hz",
            "channels",
            "integrated_lufs",
            "range_lu",
            "true_peak_dbtp",
            "noise_floor_dbfs",
            "clipped_samples",
            "verdict",
            "problems",
        ] {
            assert!(!told[name].is_null(), "{name} in {told}");
        }
        assert!(told["problems"][0]["vi"].is_string(), "{told}");
    }
}
