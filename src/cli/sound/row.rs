//! What machines are told of a recording: one JSON object a line.
//!
//! **A field that is not known is `null`, never left out.** `docs/audio.md` names every field.

use std::path::Path;

use serde::Serialize;

use crate::audio::chain::{ChainError, Examination, Measurement};
use crate::audio::figures::{self, Figures};
use crate::audio::report::{Problem, Report, Verdict};
use crate::decoder::{About, DecodeError, told};

/// A recording as it came in.
#[derive(Debug, Default, Serialize)]
pub(super) struct Row {
    pub file: String,
    pub duration_ms: Option<u64>,
    pub codec: Option<String>,
    pub sample_rate_hz: Option<u32>,
    pub channels: Option<usize>,
    pub integrated_lufs: Option<f64>,
    pub range_lu: Option<f64>,
    pub true_peak_dbtp: Option<f64>,
    pub noise_floor_dbfs: Option<f64>,
    pub clipped_samples: Option<u64>,
    pub verdict: Option<Verdict>,
    pub problems: Vec<Problem>,
    pub container: Option<String>,
    pub speech_to_noise_db: Option<f64>,
    pub bandwidth_hz: Option<u32>,
    pub clipped_at_ms: Option<Vec<u64>>,
}

impl Row {
    /// A recording that was measured.
    pub(super) fn new(path: &Path, about: &About, found: &Examination, report: Report) -> Self {
        let figures = Figures::new(found, &about.codec, &report);
        Self {
            file: path.display().to_string(),
            duration_ms: Some(figures.duration_ms),
            codec: Some(about.codec.clone()),
            sample_rate_hz: Some(figures.sample_rate_hz),
            channels: Some(figures.channels),
            integrated_lufs: figures.integrated_lufs,
            range_lu: figures.range_lu,
            true_peak_dbtp: figures.true_peak_dbtp,
            noise_floor_dbfs: figures.noise_floor_dbfs,
            clipped_samples: Some(figures.clipped_samples),
            verdict: Some(figures.verdict),
            container: Some(about.container.clone()),
            speech_to_noise_db: figures.speech_to_noise_db,
            bandwidth_hz: figures.bandwidth_hz,
            clipped_at_ms: Some(found.survey.clipped_at.iter().map(|at| at.get()).collect()),
            problems: report.problems,
        }
    }

    /// A recording of which nothing was made.
    pub(super) fn refused(path: &Path, error: &ChainError<DecodeError>) -> Self {
        let report = told::refused(error);
        Self {
            verdict: told::at_fault(error).then_some(report.verdict),
            ..Self::failed(path, report.problems)
        }
    }

    /// A recording of which nothing was made, through no fault of its own.
    pub(super) fn failed(path: &Path, problems: Vec<Problem>) -> Self {
        Self { file: path.display().to_string(), problems, ..Self::default() }
    }
}

/// What was made of a recording, and where it is.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    pub opus_file: String,
    pub wav_file: Option<String>,
    pub sha256: String,
    #[serde(flatten)]
    pub figures: figures::Made,
}

impl Made {
    pub(super) fn new(
        found: &Measurement,
        opus: &Path,
        wav: Option<&Path>,
        sha256: String,
    ) -> Self {
        Self {
            opus_file: opus.display().to_string(),
            wav_file: wav.map(|wav| wav.display().to_string()),
            sha256,
            figures: figures::Made::new(found),
        }
    }
}
