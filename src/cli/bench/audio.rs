//! `bench audio`: what the chain costs beside ffmpeg's two passes, stage by stage, and how much memory it takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::cost::{Cost, ran};
use super::peer::{Ffmpeg, Heard};
use super::{Bin, Steps, document, table};
use crate::audio::recipe::Recipe;
use crate::cli::print_json;
use crate::cli::sound::sounds;

/// Recordings in the folder that is normalised at once.
const FOLDER_FILES: u64 = 8;

/// Length of each of them.
const FOLDER_FILE_S: u64 = 150;

/// Both recipes.
pub(super) const RECIPES: [&str; 2] = ["full", "speech"];

/// Measure CPU time, wall time and memory of the chain beside ffmpeg on the same speech.
///
/// Speech is joined from recordings, as WAV and as MP3. ffmpeg does two passes of loudnorm and encodes with libopus at
/// 48 kHz, complexity 10, the recipe's bitrate. Ten and thirty minutes take about a quarter of an hour, and one
/// gigabyte of disk.
#[derive(Debug, Args)]
pub(in crate::cli) struct Audio {
    /// Minutes of speech.
    #[arg(long, value_delimiter = ',', default_value = "10,30")]
    minutes: Vec<u64>,
    /// The folder of the recordings that speech is joined from; those in its folders are left out.
    #[arg(long, value_name = "DIR", default_value = "audio-samples")]
    from: PathBuf,
    /// Minutes of speech that memory is measured with; 0 leaves it out.
    #[arg(long, default_value_t = 60)]
    memory_minutes: u64,
    /// The folder for what is not kept; that of the system, if not said.
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Write the tables into this document, between the marks `bench audio`.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub ffmpeg: String,
    pub cores: usize,
    pub cases: Vec<Case>,
    pub folder: Busy,
    pub memory: Vec<Memory>,
}

/// One piece of speech through everything.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    pub minutes: u64,
    pub format: &'static str,
    pub ffmpeg: Cost,
    pub ffmpeg_heard: Option<Heard>,
    pub ours: Vec<Ours>,
}

/// The chain with one recipe.
#[derive(Debug, Serialize)]
pub(super) struct Ours {
    pub recipe: &'static str,
    pub cost: Cost,
    pub encoder_alone: Cost,
    pub encodings: u64,
    pub stages_ms: BTreeMap<String, u64>,
    pub heard: Option<Heard>,
    /// CPU time of ffmpeg for one of ours.
    pub times_less_cpu: f64,
    /// Wall time of ffmpeg for one of ours.
    pub times_less_wall: f64,
    /// CPU time for one of the encoder alone.
    pub times_the_encoder: f64,
}

/// A folder of recordings at once.
#[derive(Debug, Serialize)]
pub(super) struct Busy {
    pub files: u64,
    pub minutes: u64,
    pub recipe: &'static str,
    pub cost: Cost,
    /// CPU time for one second on the wall.
    pub cores: f64,
}

/// Memory over a long recording.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    pub minutes: u64,
    pub recipe: &'static str,
    pub cost: Cost,
}

impl Audio {
    pub(super) fn run(&self) -> anyhow::Result<bool> {
        ensure!(
            self.minutes.iter().all(|minutes| (1..=600).contains(minutes)),
            "--minutes are from 1 to 600"
        );
        let bin = Bin::new(self.work.as_deref())?;
        let stand = Stand::new(&bin, &self.from)?;
        let measured = self.measure(&stand)?;
        let text = table::of_audio(&measured);
        if let Some(path) = &self.into {
            document::rewrite(path, "bench audio", &text)?;
        }
        if self.json {
            print_json(&measured)?;
        } else {
            say_line!("{text}");
        }
        Ok(true)
    }

    fn measure(&self, stand: &Stand) -> anyhow::Result<Measured> {
        let mut cases = Vec::new();
        for minutes in &self.minutes {
            cases.extend(stand.cases(*minutes)?);
        }
        Ok(Measured {
            ffmpeg: stand.ffmpeg.version.clone(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            cases,
            folder: stand.folder()?,
            memory: match self.memory_minutes {
                0 => Vec::new(),
                minutes => stand.memory(minutes)?,
            },
        })
    }
}

/// What all measurements share.
struct Stand<'a> {
    bin: &'a Bin,
    steps: Steps,
    ffmpeg: Ffmpeg,
    program: PathBuf,
    reel: PathBuf,
}

impl<'a> Stand<'a> {
    fn new(bin: &'a Bin, from: &Path) -> anyhow::Result<Self> {
        let steps = Steps::new();
        let ffmpeg = Ffmpeg::find(&bin.0)?;
        let program = std::env::current_exe().context("this program's own path")?;
        let reel = bin.file("reel.wav");
        let stand = Self { bin, steps, ffmpeg, program, reel };
        stand.join(from)?;
        Ok(stand)
    }

    /// Joins the recordings of a folder into one of 44.1 kHz in two channels.
    fn join(&self, from: &Path) -> anyhow::Result<()> {
        self.steps.begin(format!("joining the recordings of {}", from.display()));
        let unread =
            || format!("the folder {} cannot be read; name another with --from", from.display());
        let listed: Result<Vec<_>, _> = std::fs::read_dir(from).with_context(unread)?.collect();
        let mut paths: Vec<PathBuf> =
            listed.with_context(unread)?.iter().map(std::fs::DirEntry::path).collect();
        paths.retain(|path| sounds(path));
        paths.sort();
        let mut list = String::new();
        for (index, path) in paths.iter().enumerate() {
            let path = path.canonicalize().with_context(unread)?;
            let piece = self.bin.file(&format!("piece-{index}.wav"));
            let same = ["-vn", "-ar", "44100", "-ac", "2", "-c:a", "pcm_s16le"];
            self.ffmpeg.ran(&[], &path, &[&same[..], &[&piece.display().to_string()]].concat())?;
            list.extend(["file '", &piece.display().to_string(), "'\n"]);
        }
        ensure!(
            !list.is_empty(),
            "{} holds no recordings; name another folder with --from",
            from.display()
        );
        let listed = self.bin.file("pieces.txt");
        std::fs::write(&listed, list)?;
        let reel = self.reel.display().to_string();
        self.ffmpeg.ran(&["-f", "concat", "-safe", "0"], &listed, &["-c", "copy", &reel])?;
        Ok(())
    }

    /// So much speech, from `skip` on, the reel again and again.
    fn speech(&self, name: &str, skip_s: u64, length_s: u64) -> anyhow::Result<PathBuf> {
        let path = self.bin.file(name);
        let (skip, length, out) =
            (skip_s.to_string(), length_s.to_string(), path.display().to_string());
        let cut = ["-ss", &skip, "-t", &length, "-b:a", "128k", &out];
        self.ffmpeg.ran(&["-stream_loop", "-1"], &self.reel, &cut)?;
        Ok(path)
    }

    fn cases(&self, minutes: u64) -> anyhow::Result<Vec<Case>> {
        let mut cases = Vec::new();
        for format in ["wav", "mp3"] {
            let file = self.speech(&format!("speech-{minutes}.{format}"), 0, minutes * 60)?;
            cases.push(self.case(minutes, format, &file)?);
            std::fs::remove_file(&file)?;
        }
        Ok(cases)
    }

    fn case(&self, minutes: u64, format: &'static str, file: &Path) -> anyhow::Result<Case> {
        self.steps.begin(format!("{minutes} minutes of {format}: ffmpeg"));
        let theirs = self.bin.file("theirs.opus");
        let ffmpeg = self.ffmpeg.loudnorm(file, &Recipe::full(), &theirs)?;
        let ffmpeg = ffmpeg.context("ffmpeg made nothing of the speech")?;
        let mut ours = Vec::new();
        for recipe in RECIPES {
            self.steps.begin(format!("{minutes} minutes of {format}: recipe {recipe}"));
            ours.push(self.ours(file, recipe, ffmpeg)?);
        }
        Ok(Case { minutes, format, ffmpeg, ffmpeg_heard: self.ffmpeg.hear(&theirs)?, ours })
    }

    fn ours(&self, file: &Path, recipe: &'static str, ffmpeg: Cost) -> anyhow::Result<Ours> {
        let run = ran(self.normalise(&[file], recipe).args(["--json", "--stages"]), &self.bin.0)?;
        let told: Value = serde_json::from_str(&run.stdout).context("what normalise told")?;
        let opus = told["made"]["opus_file"].as_str().context("normalise made nothing")?;
        let heard = self.ffmpeg.hear(Path::new(opus))?;
        let encoder_alone = self.encoder_alone(file, recipe)?;
        Ok(Ours {
            recipe,
            cost: run.cost,
            encoder_alone,
            encodings: told["made"]["encodings"].as_u64().unwrap_or_default(),
            stages_ms: serde_json::from_value(told["stages_ms"].clone()).context("the stages")?,
            heard,
            times_less_cpu: ffmpeg.cpu_s / run.cost.cpu_s,
            times_less_wall: ffmpeg.wall_s / run.cost.wall_s,
            times_the_encoder: run.cost.cpu_s / encoder_alone.cpu_s,
        })
    }

    /// The encoder over the very samples that the chain gave it.
    fn encoder_alone(&self, file: &Path, recipe: &str) -> anyhow::Result<Cost> {
        let made = ran(self.normalise(&[file], recipe).args(["--json", "--wav"]), &self.bin.0)?;
        let told: Value = serde_json::from_str(&made.stdout).context("what normalise told")?;
        let wav = told["made"]["wav_file"].as_str().context("normalise made no WAV")?;
        let mut alone = Command::new(&self.program);
        alone.args(["bench", "encoder", "--recipe", recipe]).arg(wav);
        let cost = ran(&mut alone, &self.bin.0)?.cost;
        std::fs::remove_file(wav)?;
        Ok(cost)
    }

    fn normalise(&self, files: &[&Path], recipe: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("normalise").args(files).arg("--out").arg(self.bin.file("ours"));
        command.args(["--replace", "--recipe", recipe]);
        command
    }

    fn folder(&self) -> anyhow::Result<Busy> {
        let mut files = Vec::new();
        for number in 0..FOLDER_FILES {
            self.steps.begin(format!("a folder of {FOLDER_FILES} recordings"));
            files.push(self.speech(&format!("folder-{number}.wav"), number * 7, FOLDER_FILE_S)?);
        }
        let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let cost = ran(&mut self.normalise(&files, "speech"), &self.bin.0)?.cost;
        files.iter().try_for_each(std::fs::remove_file)?;
        Ok(Busy {
            files: FOLDER_FILES,
            minutes: FOLDER_FILES * FOLDER_FILE_S / 60,
            recipe: "speech",
            cost,
            cores: cost.cpu_s / cost.wall_s,
        })
    }

    fn memory(&self, minutes: u64) -> anyhow::Result<Vec<Memory>> {
        self.steps.begin(format!("{minutes} minutes of mp3: memory"));
        let file = self.speech("memory.mp3", 0, minutes * 60)?;
        let measured = RECIPES.map(|recipe| {
            self.steps.begin(format!("{minutes} minutes of mp3: memory with recipe {recipe}"));
            let cost = ran(&mut self.normalise(&[&file], recipe), &self.bin.0)?.cost;
            Ok(Memory { minutes, recipe, cost })
        });
        measured.into_iter().collect()
    }
}
