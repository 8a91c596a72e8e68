//! `audition`: two recordings one after the other, so that a person hears the difference.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use super::outputs::Pending;
use super::progress::{Bar, Progress};
use super::{decoder, draw, recipe};
use crate::audio::chain::{self, ChainError};
use crate::audio::downmix::Downmix;
use crate::audio::encode::Tags;
use crate::audio::loudness::Loudness;
use crate::audio::opus::{Output, Reader};
use crate::audio::recipe::Recipe;
use crate::audio::resample::Resampler;
use crate::audio::source::Source;
use crate::audio::tone::Tone;
use crate::audio::wav::{Quantiser, Sink as _, Wav};
use crate::decoder::{DecodeError, Decoder, FileScratch, told};
use crate::unit::{Millis, SampleRate};

/// Silence on both sides of the tone between two recordings.
const PAUSE: Millis = Millis::new(500);

/// How much of the test tone (1 kHz at −18 dBFS) parts them.
const TONE: Millis = Millis::new(300);

/// Hear two recordings one after the other: A, a short tone, B, in one WAV file.
///
/// Neither is made louder or softer: what differs in level differs in the file. With one recording, A is the recording
/// as it came in and B is what `loaban normalise` makes of it. Both are mixed to one channel at 48 kHz.
#[derive(Debug, Args)]
pub(in crate::cli) struct Audition {
    /// The first recording.
    a: PathBuf,
    /// The second; the first one normalised, if not said.
    b: Option<PathBuf>,
    /// The WAV file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file where it is there already.
    #[arg(long)]
    replace: bool,
    /// The recipe that the one recording is normalised by.
    #[arg(long, default_value = "speech", conflicts_with = "b", value_name = "NAME")]
    recipe: String,
    /// The loudness that it is normalised to, in LUFS.
    #[arg(long, allow_negative_numbers = true, conflicts_with = "b", value_name = "LUFS")]
    target: Option<f64>,
    /// Draw both waves with their loudness into this folder, as SVG and PNG.
    #[arg(long, value_name = "DIR")]
    picture: Option<PathBuf>,
}

impl Audition {
    pub(in crate::cli) fn run(&self) -> anyhow::Result<bool> {
        ensure!(
            self.replace || !self.out.exists(),
            "{} is there already; add --replace to make it anew",
            self.out.display()
        );
        let recipe = recipe(&self.recipe, self.target)?;
        let (decoder, progress) = (decoder()?, Progress::new(1));
        let mut pending = Pending::begin(&self.out)?;
        let mut stage = Stage::new(pending.file())?;
        let bar = |path: &Path| progress.recording(&path.display().to_string());
        let a = stage.play(&decoder, &self.a, &mut bar(&self.a))?;
        stage.part()?;
        let b = match &self.b {
            Some(b) => stage.play(&decoder, b, &mut bar(b))?,
            None => {
                stage.play_normalised(&decoder, &self.a, &recipe, &self.out, &mut bar(&self.a))?
            }
        };
        stage.finish()?;
        drop(progress);
        if let Some(folder) = &self.picture {
            let name = self.out.file_name().context("--out names no file")?;
            draw(folder, Path::new(name), &[("A", &a), ("B", &b)], recipe.target)?;
        }
        pending.publish()?;
        say_line!("{}: A {}, B {}", self.out.display(), level(&a), level(&b));
        Ok(true)
    }
}

fn level(found: &Loudness) -> String {
    let loudness = found.integrated.map_or_else(|| "–".to_owned(), |found| found.to_string());
    format!("{loudness}, {} ({})", found.true_peak, found.duration)
}

/// The sentences of a recording that cannot be played, Vietnamese first.
fn unplayed(path: &Path, error: &ChainError<DecodeError>) -> anyhow::Error {
    let told = told::refused(error).problems.into_iter();
    let told: Vec<String> =
        told.map(|problem| format!("{} / {}", problem.vi, problem.en)).collect();
    anyhow::anyhow!("{}: {}", path.display(), told.join(" "))
}

/// Where recordings are played to.
struct Stage<'a> {
    wav: Wav<BufWriter<&'a mut File>>,
    quantiser: Quantiser,
    steps: Vec<i16>,
}

impl<'a> Stage<'a> {
    fn new(file: &'a mut File) -> anyhow::Result<Self> {
        let wav = Wav::new(BufWriter::new(file), SampleRate::FULL)?;
        Ok(Self { wav, quantiser: Quantiser::new(), steps: Vec::new() })
    }

    fn write(&mut self, samples: &[f32]) -> std::io::Result<()> {
        self.steps.clear();
        self.quantiser.process(samples, &mut self.steps);
        self.wav.take(&self.steps)
    }

    fn part(&mut self) -> anyhow::Result<()> {
        let frames = |length: Millis| usize::try_from(length.frames(SampleRate::FULL));
        let pause = vec![0.0; frames(PAUSE)?];
        let mut tone = Tone::Test.samples(SampleRate::FULL);
        tone.truncate(frames(TONE)?);
        for piece in [&pause, &tone, &pause] {
            self.write(piece)?;
        }
        Ok(())
    }

    /// Plays a recording at its own level, and measures it.
    fn play(&mut self, decoder: &Decoder, path: &Path, bar: &mut Bar) -> anyhow::Result<Loudness> {
        let unplayed = |error| unplayed(path, &ChainError::Source(error));
        let mut recording = decoder.open(path).map_err(unplayed)?;
        bar.declare(recording.about().declared);
        let mut mix = Downmix::new(recording.format());
        let mut resampler = Resampler::new(recording.format().rate, SampleRate::FULL)?;
        let (mut block, mut mono, mut full) = (Vec::new(), Vec::new(), Vec::new());
        while recording.next_block(&mut block).map_err(unplayed)? {
            mix.sanitise(&mut block);
            mix.process(&block, &mut mono);
            resampler.process(&mono, &mut full);
            self.write(&full)?;
            mono.clear();
            full.clear();
        }
        mix.finish(&mut mono);
        resampler.process(&mono, &mut full);
        resampler.finish(&mut full);
        self.write(&full)?;
        let mut again = decoder.open(path).map_err(unplayed)?;
        Ok(chain::measure(&mut again, bar).map_err(unplayed)?.loudness)
    }

    /// Normalises a recording and plays what a controller would.
    fn play_normalised(
        &mut self,
        decoder: &Decoder,
        path: &Path,
        recipe: &Recipe,
        out: &Path,
        bar: &mut Bar,
    ) -> anyhow::Result<Loudness> {
        let unplayed = |error: ChainError<DecodeError>| unplayed(path, &error);
        let mut recording =
            decoder.open(path).map_err(|error| unplayed(ChainError::Source(error)))?;
        bar.declare(recording.about().declared);
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        let name = format!(".loaban-{}.scratch", std::process::id());
        let mut scratch = FileScratch::new(folder.unwrap_or(Path::new(".")), &name)?;
        let outcome = chain::normalise(&mut recording, recipe, &Tags::default(), &mut scratch, bar)
            .map_err(unplayed)?;
        let mut reader = Reader::new(&outcome.asset.bytes, Output::Full)?;
        let mut block = Vec::new();
        while reader.next_block(&mut block)? {
            self.write(&block)?;
        }
        Ok(outcome.measurement.after)
    }

    fn finish(self) -> anyhow::Result<()> {
        Ok(self.wav.finish()?)
    }
}
