//! `bench corpus`: every recording of a collection through the chain and its peers, judged by ffmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::cost::{Cost, run};
use super::manifest::Manifest;
use super::peer::{Ffmpeg, FfmpegNormalize, Heard};
use super::{Bin, Steps, document, table};
use crate::audio::recipe::Recipe;
use crate::cli::print_json;
use crate::cli::sound::{Input, Inputs};

/// Put every recording of a collection through the chain, ffmpeg's two passes and ffmpeg-normalize, and tabulate them.
///
/// Each result is decoded and measured by ffmpeg (ebur128). `MANIFEST.md` in the collection says what the recordings
/// are: a table whose first column names files and whose last says what they are.
#[derive(Debug, Args)]
pub(in crate::cli) struct Corpus {
    /// The folder.
    dir: PathBuf,
    /// ffmpeg-normalize, which is left out where it is not found.
    #[arg(long, default_value = "ffmpeg-normalize", value_name = "PROGRAM")]
    ffmpeg_normalize: PathBuf,
    /// The recipe.
    #[arg(long, default_value = "speech", value_name = "NAME")]
    recipe: String,
    /// The folder for what is not kept; that of the system, if not said.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// One JSON object a recording.
    #[arg(long)]
    json: bool,
    /// Write the table into this document, between the marks `bench corpus`.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

/// One result: what it cost and how it sounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Result {
    pub cost: Cost,
    #[serde(flatten)]
    pub heard: Heard,
}

/// One recording.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub file: String,
    /// What the manifest says.
    pub what: String,
    /// As it came in, by ffmpeg.
    pub before: Option<Heard>,
    pub verdict: String,
    /// Why nothing was made of it.
    pub refusal: Option<String>,
    pub shortfall: Option<String>,
    pub ours: Option<Result>,
    pub ffmpeg: Option<Result>,
    pub ffmpeg_normalize: Option<Result>,
}

/// The whole table.
pub(super) struct Collection {
    pub rows: Vec<Row>,
    pub recipe: Recipe,
    pub ffmpeg: String,
    pub ffmpeg_normalize: Option<String>,
}

impl Corpus {
    pub(super) fn run(&self) -> anyhow::Result<bool> {
        let recipe = Recipe::named(&self.recipe)
            .with_context(|| format!("a recipe is {}", Recipe::NAMES))?;
        let bin = Bin::new(self.work.as_deref())?;
        let stand = Stand {
            steps: Steps::new(),
            ffmpeg: Ffmpeg::find(&bin.0)?,
            other: FfmpegNormalize::find(&self.ffmpeg_normalize, &bin.0),
            program: std::env::current_exe().context("this program's own path")?,
            name: &self.recipe,
            recipe,
            bin: &bin,
        };
        if stand.other.is_none() {
            eprintln!(
                "ffmpeg-normalize is not there, and its columns stay empty; install it with pip, or name it with --ffmpeg-normalize"
            );
        }
        let manifest = Manifest::read(&self.dir);
        let inputs = Inputs::gather(std::slice::from_ref(&self.dir), None)?;
        let rows: anyhow::Result<Vec<Row>> =
            inputs.taken.iter().map(|input| stand.row(input, &manifest)).collect();
        let collection = Collection {
            rows: rows?,
            recipe: stand.recipe,
            ffmpeg: stand.ffmpeg.version,
            ffmpeg_normalize: stand.other.map(|other| other.version),
        };
        let text = table::of_collection(&collection);
        if let Some(path) = &self.into {
            document::rewrite(path, "bench corpus", &text)?;
        }
        if self.json {
            collection.rows.iter().try_for_each(print_json)?;
        } else {
            say_line!("{text}");
        }
        Ok(true)
    }
}

/// What all recordings share.
struct Stand<'a> {
    steps: Steps,
    ffmpeg: Ffmpeg,
    other: Option<FfmpegNormalize>,
    program: PathBuf,
    name: &'a str,
    recipe: Recipe,
    bin: &'a Bin,
}

impl Stand<'_> {
    fn row(&self, input: &Input, manifest: &Manifest) -> anyhow::Result<Row> {
        let file = input.below.display().to_string();
        self.steps.begin(file.clone());
        let path = input
            .path
            .canonicalize()
            .with_context(|| format!("{} is gone", input.path.display()))?;
        let (told, cost) = self.told(&path)?;
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let made = &told["made"];
        let ours = text(&made["opus_file"]).map(|opus| self.judged(Path::new(&opus), Some(cost)));
        let (theirs, others) = (self.bin.file("theirs.opus"), self.bin.file("others.opus"));
        let ffmpeg = self.ffmpeg.loudnorm(&path, &self.recipe, &theirs)?;
        let other = self
            .other
            .as_ref()
            .map(|other| other.normalise(&path, &self.recipe, &others))
            .transpose()?;
        let row = Row {
            what: manifest.says(&file).to_owned(),
            before: self.ffmpeg.hear(&path)?,
            verdict: text(&told["verdict"]).unwrap_or_default(),
            refusal: made.is_null().then(|| text(&told["problems"][0]["en"])).flatten(),
            shortfall: text(&made["shortfall"]),
            ours: ours.transpose()?.flatten(),
            ffmpeg: self.judged(&theirs, ffmpeg)?,
            ffmpeg_normalize: self.judged(&others, other.flatten())?,
            file,
        };
        for left in [theirs, others] {
            // Not every program made one.
            let _ = std::fs::remove_file(left);
        }
        Ok(row)
    }

    /// What `normalise` said of a recording, and what it cost.
    fn told(&self, path: &Path) -> anyhow::Result<(Value, Cost)> {
        let mut command = Command::new(&self.program);
        command.arg("normalise").arg(path).arg("--out").arg(self.bin.file("ours"));
        command.args(["--replace", "--json", "--recipe", self.name]);
        let run = run(&mut command, &self.bin.0)?;
        let told =
            serde_json::from_str(&run.stdout).with_context(|| run.stderr.trim().to_owned())?;
        Ok((told, run.cost))
    }

    /// A result, where one was made and something is heard in it.
    fn judged(&self, file: &Path, cost: Option<Cost>) -> anyhow::Result<Option<Result>> {
        let Some(cost) = cost else { return Ok(None) };
        Ok(self.ffmpeg.hear(file)?.map(|heard| Result { cost, heard }))
    }
}
