//! `normalise`: recordings into files that are equally loud, ready for the air.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::inputs::{Input, Inputs};
use super::outputs::{self, Pending};
use super::progress::{Bar, Progress};
use super::row::{Made, Row};
use super::stages::Stopwatch;
use super::{Lang, decoder, draw, recipe, words, workers};
use crate::audio::chain::{ChainError, Outcome, normalise_with_wav};
use crate::audio::encode::Tags;
use crate::audio::recipe::Recipe;
use crate::audio::report::{self, Problem, Verdict};
use crate::audio::wav::{Sink, Wav};
use crate::cli::print_json;
use crate::decoder::{DecodeError, Decoder, FileScratch, told};
use crate::digest::Digest;
use crate::lang::LangTag;

/// Make recordings equally loud and ready for the air: <name>.opus, and <name>.wav with --wav.
///
/// A folder is looked through with all that lies below it, and its folders are kept in --out. A bad file does not stop
/// the others: it is named with its reason, nothing is written for it, and the command ends with a fault. Recordings
/// of one name but for their endings keep these, as in tin.wav.opus; two of one whole name are refused before any work
/// begins.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct Normalise {
    /// Recordings, and folders with recordings in them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder for what is made.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// speech: for horns, 16 kHz; full: speech and music on good speakers, 48 kHz. +levelled behind
    /// it brings speakers far apart in level together, +presence raises consonants for long ways.
    #[arg(long, default_value = "speech", value_name = "NAME")]
    recipe: String,
    /// Loudness of what is made, in LUFS; the recipe's own, -16, if not said.
    #[arg(long, allow_negative_numbers = true, value_name = "LUFS")]
    target: Option<f64>,
    /// Also write a 16-bit WAV of the same pass, for devices that play no Opus.
    #[arg(long)]
    wav: bool,
    /// Replace what is there already.
    #[arg(long)]
    replace: bool,
    /// The title within the file, of one recording; its name without its ending, if not said.
    #[arg(long)]
    title: Option<String>,
    /// The language spoken, within the file: a tag such as vi, mww, blt.
    #[arg(long)]
    language: Option<LangTag>,
    /// Draw each wave with its loudness, before and after, into this folder, as SVG and PNG.
    #[arg(long, value_name = "DIR")]
    picture: Option<PathBuf>,
    /// One JSON object a line; docs/audio.md names the fields.
    #[arg(long)]
    json: bool,
    /// Add to the JSON how long each stage of the chain took.
    #[arg(long, requires = "json")]
    stages: bool,
    /// The language of the sentences.
    #[arg(long, value_enum, default_value_t = Lang::Both)]
    lang: Lang,
    /// How many recordings at a time; as many as there are cores, if not said.
    #[arg(long)]
    workers: Option<usize>,
}

/// One recording and where its result goes.
struct Job {
    input: Input,
    place: PathBuf,
}

/// What came of a recording.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    row: Row,
    made: Option<Made>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages_ms: Option<Stopwatch>,
}

/// Why nothing was made of a recording.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Chain(#[from] ChainError<DecodeError>),
    #[error("{0:#}")]
    Unwritten(anyhow::Error),
    #[error("{place} is there already; add --replace to make it anew", place = .0.display())]
    There(PathBuf),
}

impl Refused {
    fn row(&self, path: &Path) -> Row {
        let problem = |code, vi: String| Problem {
            code,
            verdict: Verdict::Usable,
            vi,
            en: report::sentence(&self.to_string()),
        };
        match self {
            Self::Chain(error) => Row::refused(path, error),
            Self::Unwritten(_) => Row::failed(
                path,
                vec![problem(
                    "unwritten",
                    "Không ghi được kết quả; hãy kiểm tra ổ đĩa và quyền ghi.".to_owned(),
                )],
            ),
            Self::There(place) => {
                let vi = format!("{} đã có; thêm --replace để làm lại.", place.display());
                Row::failed(path, vec![problem("there-already", vi)])
            }
        }
    }
}

impl Normalise {
    pub(in crate::cli) fn run(&self) -> anyhow::Result<bool> {
        let recipe = recipe(&self.recipe, self.target)?;
        let jobs = self.jobs()?;
        let work = Work { asked: self, recipe, decoder: decoder()?, scratches: AtomicU64::new(0) };
        let progress = Progress::new(jobs.len());
        let mut refused = Vec::new();
        workers::each(
            self.workers.unwrap_or_else(workers::cores),
            &jobs,
            |job| work.one(job, progress.recording(&job.input.path.display().to_string())),
            |job, done| {
                progress.done();
                if done.made.is_none() {
                    refused.push(job.input.path.display().to_string());
                }
                progress.suspend(|| self.tell(&done));
            },
        );
        drop(progress);
        if !refused.is_empty() {
            eprintln!("{}", words::summary(&refused, jobs.len(), self.lang));
        }
        Ok(refused.is_empty())
    }

    fn jobs(&self) -> anyhow::Result<Vec<Job>> {
        let inputs = Inputs::gather(&self.files, Some(&self.out))?;
        inputs.tell_passed_over();
        anyhow::ensure!(
            self.title.is_none() || inputs.taken.len() == 1,
            "--title names one recording, and there are {}; leave it out, and each is titled by its name",
            inputs.taken.len()
        );
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("the folder {} cannot be made", self.out.display()))?;
        let places = outputs::places(&inputs.taken, &self.out)?;
        let jobs = inputs.taken.into_iter().zip(places);
        Ok(jobs.map(|(input, place)| Job { input, place }).collect())
    }

    fn tags(&self, path: &Path) -> Tags {
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Tags {
            title: self.title.clone().unwrap_or_else(stem),
            language: self.language.as_ref().map(ToString::to_string).unwrap_or_default(),
            bulletin: String::new(),
        }
    }

    fn tell(&self, done: &Done) {
        if self.json {
            // A row is plain data: it always has a JSON form.
            let _ = print_json(done);
        } else if let Some(made) = &done.made {
            say_line!("{}", words::normalised(&done.row, made, self.lang));
        } else {
            say_line!("{}", words::refused(&done.row, self.lang));
        }
    }
}

/// What every recording of one command has in common.
struct Work<'a> {
    asked: &'a Normalise,
    recipe: Recipe,
    decoder: Decoder,
    scratches: AtomicU64,
}

impl Work<'_> {
    fn one(&self, job: &Job, bar: Bar) -> Done {
        let mut watch = Stopwatch::new(bar);
        let (row, made) = match self.made(job, &mut watch) {
            Ok((row, made)) => (row, Some(made)),
            Err(refused) => (refused.row(&job.input.path), None),
        };
        Done { row, made, stages_ms: self.asked.stages.then_some(watch) }
    }

    fn made(&self, job: &Job, watch: &mut Stopwatch) -> Result<(Row, Made), Refused> {
        let path = &job.input.path;
        let wav_place = self.asked.wav.then(|| job.place.with_extension("wav"));
        for place in [Some(&job.place), wav_place.as_ref()].into_iter().flatten() {
            if place.exists() && !self.asked.replace {
                return Err(Refused::There(place.clone()));
            }
        }
        let mut recording = self.decoder.open(path).map_err(ChainError::Source)?;
        watch.bar().declare(recording.about().declared);
        let mut wav =
            wav_place.as_deref().map(Pending::begin).transpose().map_err(Refused::Unwritten)?;
        let mut scratch = self.scratch().map_err(ChainError::Scratch)?;
        let tags = self.asked.tags(path);
        let outcome = match &mut wav {
            Some(pending) => {
                let file = BufWriter::new(pending.file());
                let mut sink =
                    Wav::new(file, self.recipe.profile.rate()).map_err(ChainError::Wave)?;
                let wave: Option<&mut dyn Sink> = Some(&mut sink);
                let outcome = normalise_with_wav(
                    &mut recording,
                    &self.recipe,
                    &tags,
                    &mut scratch,
                    watch,
                    wave,
                )?;
                sink.finish().map_err(ChainError::Wave)?;
                outcome
            }
            None => {
                normalise_with_wav(&mut recording, &self.recipe, &tags, &mut scratch, watch, None)?
            }
        };
        watch.stop();
        self.keep(job, &outcome, wav).map_err(Refused::Unwritten)?;
        let found = report::outcome(&outcome.measurement);
        let report = told::with_warnings(found, recording.warnings());
        let row = Row::new(path, recording.about(), &outcome.measurement.recording, report);
        let sha256 = Digest::from_bytes(outcome.asset.sha256()).to_string();
        Ok((row, Made::new(&outcome.measurement, &job.place, wav_place.as_deref(), sha256)))
    }

    /// Publishes what was made; the Opus file last, so that where it is, all is.
    fn keep(&self, job: &Job, outcome: &Outcome, wav: Option<Pending>) -> anyhow::Result<()> {
        if let Some(folder) = &self.asked.picture {
            let found = &outcome.measurement;
            let waves = [("before", &found.recording.loudness), ("after", &found.after)];
            draw(folder, &job.input.below, &waves, self.recipe.target)?;
        }
        wav.map(Pending::publish).transpose()?;
        outputs::write(&job.place, &outcome.asset.bytes)
    }

    fn scratch(&self) -> std::io::Result<FileScratch> {
        let number = self.scratches.fetch_add(1, Ordering::Relaxed);
        let name = format!(".loaban-{}-{number}.scratch", std::process::id());
        FileScratch::new(&self.asked.out, &name)
    }
}
