//! `measure`: how recordings sound as they are; nothing is made of them.

use std::path::{Path, PathBuf};

use clap::Args;

use super::inputs::{Input, Inputs};
use super::progress::{Bar, Progress};
use super::row::Row;
use super::{Lang, decoder, draw, words, workers};
use crate::audio::chain::{self, ChainError};
use crate::audio::recipe::Recipe;
use crate::audio::report;
use crate::cli::print_json;
use crate::decoder::{DecodeError, Decoder, told};

/// Measure recordings: loudness, peak, noise, clipping, a verdict, and what to do about it.
///
/// Nothing is written, but for the pictures that --picture asks for. The command ends with a fault where a file
/// cannot be read as sound at all; a recording that should be made again is an answer and no fault.
#[derive(Debug, Args)]
pub(in crate::cli) struct Measure {
    /// Recordings, and folders with recordings in them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object a line; docs/audio.md names the fields.
    #[arg(long)]
    json: bool,
    /// Draw each wave with its loudness into this folder, as SVG and PNG.
    #[arg(long, value_name = "DIR")]
    picture: Option<PathBuf>,
    /// The language of the sentences.
    #[arg(long, value_enum, default_value_t = Lang::Both)]
    lang: Lang,
    /// How many recordings at a time; as many as there are cores, if not said.
    #[arg(long)]
    workers: Option<usize>,
}

/// One recording: its row, and whether it could be read.
struct Measured {
    row: Row,
    read: bool,
}

impl Measure {
    pub(in crate::cli) fn run(&self) -> anyhow::Result<bool> {
        let inputs = Inputs::gather(&self.files, self.picture.as_deref())?;
        inputs.tell_passed_over();
        let (decoder, progress) = (decoder()?, Progress::new(inputs.taken.len()));
        let mut unread = Vec::new();
        let mut fault = None;
        workers::each(
            self.workers.unwrap_or_else(workers::cores),
            &inputs.taken,
            |input| {
                self.one(&decoder, input, progress.recording(&input.path.display().to_string()))
            },
            |input, measured| {
                progress.done();
                match measured {
                    Ok(measured) => {
                        if !measured.read {
                            unread.push(input.path.display().to_string());
                        }
                        progress.suspend(|| self.tell(&measured));
                    }
                    Err(error) => fault = fault.take().or(Some(error)),
                }
            },
        );
        drop(progress);
        if !unread.is_empty() {
            eprintln!("{}", words::summary(&unread, inputs.taken.len(), self.lang));
        }
        fault.map_or(Ok(unread.is_empty()), Err)
    }

    fn one(&self, decoder: &Decoder, input: &Input, mut bar: Bar) -> anyhow::Result<Measured> {
        let examined = examine(decoder, &input.path, &mut bar);
        let (row, found) = match examined {
            Ok(examined) => examined,
            Err(error) => {
                let row = Row::refused(&input.path, &ChainError::Source(error));
                return Ok(Measured { row, read: false });
            }
        };
        if let Some(folder) = &self.picture {
            let target = Recipe::default().target;
            draw(folder, &input.below, &[("", &found.loudness)], target)?;
        }
        Ok(Measured { row, read: true })
    }

    fn tell(&self, measured: &Measured) {
        if self.json {
            // A row is plain data: it always has a JSON form.
            let _ = print_json(&measured.row);
        } else if measured.read {
            say_line!("{}", words::measured(&measured.row, self.lang));
        } else {
            say_line!("{}", words::refused(&measured.row, self.lang));
        }
    }
}

/// Measures one recording.
pub(super) fn examine(
    decoder: &Decoder,
    path: &Path,
    bar: &mut Bar,
) -> Result<(Row, chain::Examination), DecodeError> {
    let mut recording = decoder.open(path)?;
    bar.declare(recording.about().declared);
    let found = chain::measure(&mut recording, bar)?;
    let report = told::with_warnings(report::examine(&found), recording.warnings());
    Ok((Row::new(path, recording.about(), &found, report), found))
}
