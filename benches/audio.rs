//! The chain beside ffmpeg on the same file: CPU time, wall time, cost per stage.
//!
//! `cargo bench --bench audio -- [FILE [speech|full]]`: ten minutes of the Vietnamese sample by
//! default. CPU time is that of this process and all its children, so that the decoding child
//! counts; nothing else runs in this process meanwhile. ffmpeg does its two passes of `loudnorm`
//! and encodes with libopus at 48 kHz, complexity 10, at the recipe's bitrate.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use loaban::audio::chain::{self, ChainError, Outcome, Stage, Watch};
use loaban::audio::encode::Tags;
use loaban::audio::recipe::Recipe;
use loaban::decoder::{DecodeError, Decoder, FileScratch, Limits};
use loaban::unit::Millis;

/// Ticks a second of the times in `/proc` (`USER_HZ`, 100 on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// What something took, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cost {
    /// CPU time of this process and its children.
    cpu_s: f64,
    /// Time on the wall.
    wall_s: f64,
}

/// The chain and ffmpeg over one file.
#[derive(Clone, Debug, PartialEq)]
struct Comparison {
    /// The chain, verification by decoding included.
    ours: Cost,
    /// ffmpeg two-pass `loudnorm`, then libopus at 48 kHz, complexity 10, at the recipe's bitrate.
    theirs: Cost,
    /// Seconds on the wall in each stage of the chain.
    stages: BTreeMap<Stage, f64>,
    /// What the chain made.
    outcome: Outcome,
}

impl Comparison {
    /// How many times less CPU time the chain took.
    fn ratio(&self) -> f64 {
        self.theirs.cpu_s / self.ours.cpu_s
    }
}

/// Why a comparison failed.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    /// The chain refused or failed.
    #[error("the chain failed")]
    Chain(#[from] ChainError<DecodeError>),
    /// ffmpeg is missing or failed.
    #[error("ffmpeg {0}; install it with `apt-get install ffmpeg`")]
    Ffmpeg(String),
    /// A file could not be written or `/proc` could not be read.
    #[error("the bench needs a folder to write to and /proc")]
    Io(#[from] io::Error),
}

/// Runs both over `file`; what they write goes to `dir`.
///
/// # Errors
/// When either fails.
fn compare(
    decoder: &Decoder,
    file: &Path,
    recipe: &Recipe,
    dir: &Path,
) -> Result<Comparison, BenchError> {
    let mut watch = Stopwatch { since: now(), stage: None, stages: BTreeMap::new() };
    let (made, ours) = timed(|| ours(decoder, file, recipe, dir, &mut watch))?;
    watch.enter(Stage::Source, Millis::default());
    let (done, theirs) = timed(|| theirs(file, recipe, dir))?;
    done?;
    Ok(Comparison { ours, theirs, stages: watch.stages, outcome: made? })
}

fn timed<T>(run: impl FnOnce() -> T) -> io::Result<(T, Cost)> {
    let (cpu, wall) = (cpu_s()?, now());
    let result = run();
    Ok((result, Cost { cpu_s: cpu_s()? - cpu, wall_s: wall.elapsed().as_secs_f64() }))
}

/// CPU time of this process and of its children that have ended (proc(5), fields 14 to 17 of `stat`).
fn cpu_s() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / TICKS_PER_SECOND)
}

fn ours(
    decoder: &Decoder,
    file: &Path,
    recipe: &Recipe,
    dir: &Path,
    watch: &mut Stopwatch,
) -> Result<Outcome, BenchError> {
    let mut source = decoder.open(file).map_err(ChainError::Source)?;
    let mut scratch = FileScratch::new(dir, "bench.scratch")?;
    Ok(chain::normalise(&mut source, recipe, &Tags::default(), &mut scratch, watch)?)
}

/// Both passes, as the ffmpeg manual describes them.
fn theirs(file: &Path, recipe: &Recipe, dir: &Path) -> Result<(), BenchError> {
    let asked =
        format!("loudnorm=I={:.1}:TP={:.1}:LRA=11", recipe.target.get(), recipe.ceiling.get());
    let first = ffmpeg(Command::new("ffmpeg").arg("-i").arg(file).args([
        "-af",
        &format!("{asked}:print_format=json"),
        "-f",
        "null",
        "-",
    ]))?;
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    let measured = [
        ("measured_I", "input_i"),
        ("measured_TP", "input_tp"),
        ("measured_LRA", "input_lra"),
        ("measured_thresh", "input_thresh"),
        ("offset", "target_offset"),
    ];
    let mut filter = format!("{asked}:linear=true");
    for (option, name) in measured {
        filter += &[":", option, "=", field(&told, name)?].concat();
    }
    let bitrate = recipe.bitrate.get().to_string();
    let encode = [
        "-ar",
        "48000",
        "-ac",
        "1",
        "-c:a",
        "libopus",
        "-compression_level",
        "10",
        "-b:a",
        &bitrate,
        "-y",
    ];
    ffmpeg(
        Command::new("ffmpeg")
            .arg("-i")
            .arg(file)
            .args(["-af", &filter])
            .args(encode)
            .arg(dir.join("ffmpeg.opus")),
    )?;
    Ok(())
}

fn ffmpeg(command: &mut Command) -> Result<Output, BenchError> {
    let run = command.args(["-hide_banner", "-nostats", "-nostdin"]).output();
    let run = run.map_err(|fault| BenchError::Ffmpeg(format!("could not be started ({fault})")))?;
    if run.status.success() {
        Ok(run)
    } else {
        Err(BenchError::Ffmpeg(format!("failed ({})", run.status)))
    }
}

/// A value of the flat JSON that `loudnorm` prints.
fn field<'a>(told: &'a str, name: &str) -> Result<&'a str, BenchError> {
    let rest = told.split(&format!("\"{name}\" : \"")).nth(1);
    let value = rest.and_then(|rest| rest.split('"').next());
    value.ok_or_else(|| BenchError::Ffmpeg(format!("did not tell {name}")))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Ten minutes of speech: the Vietnamese sample again and again.
fn speech(dir: &Path) -> Result<PathBuf, BenchError> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("audio-samples/lich-tiem-chung.vi.mp3");
    let path = dir.join("speech.wav");
    let mut repeat = Command::new("ffmpeg");
    repeat.args(["-stream_loop", "-1", "-i"]).arg(sample).args(["-t", "600", "-y"]).arg(&path);
    ffmpeg(&mut repeat)?;
    Ok(path)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let folder = tempfile::tempdir()?;
    let file = match words.first() {
        Some(file) => PathBuf::from(file),
        None => speech(folder.path())?,
    };
    let name = words.get(1).map_or("speech", String::as_str);
    let recipe = Recipe::named(name).ok_or("the recipes are speech and full")?;
    let decoder = Decoder::new(env!("CARGO_BIN_EXE_loaban").into(), Limits::default());
    let found = compare(&decoder, &file, &recipe, folder.path())?;
    println!("ours   {:.2?}\nffmpeg {:.2?}", found.ours, found.theirs);
    println!("{:.2} times less CPU than ffmpeg", found.ratio());
    println!("seconds in each stage {:.2?}", found.stages);
    println!("loudness after: {:?}", found.outcome.measurement.after.integrated);
    Ok(())
}

/// Adds up the time in each stage.
struct Stopwatch {
    since: Instant,
    stage: Option<Stage>,
    stages: BTreeMap<Stage, f64>,
}

impl Watch for Stopwatch {
    fn enter(&mut self, stage: Stage, _done: Millis) {
        if self.stage == Some(stage) {
            return;
        }
        let now = now();
        if let Some(left) = self.stage.replace(stage) {
            *self.stages.entry(left).or_default() += (now - self.since).as_secs_f64();
        }
        self.since = now;
    }
}
