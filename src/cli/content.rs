//! `bulletin`: import, list, review, approve, withdraw.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Which, passphrase, print_json};
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::server::{BulletinFile, Imported, Ingested, Sound, Station};
use crate::store::StoreError;

/// Bulletins, their versions and recordings.
#[derive(Debug, Subcommand)]
pub(super) enum Bulletin {
    /// Take in a `bulletins.toml` with the recordings beside it; the same again changes nothing.
    Import {
        #[command(flatten)]
        which: Which,
        /// The file.
        file: PathBuf,
        /// The announcer who hands it in.
        #[arg(long)]
        by: PersonId,
    },
    /// List every version with its state.
    List {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Say that somebody listened back to a version and found it right.
    Review(Step),
    /// Approve a reviewed version with the approver's own key.
    Approve {
        #[command(flatten)]
        step: Step,
        /// A file with the approver's passphrase; asked for otherwise.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// Take an approved version back.
    Withdraw {
        #[command(flatten)]
        step: Step,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// A step in the life of one version.
#[derive(Debug, Args)]
pub(super) struct Step {
    #[command(flatten)]
    which: Which,
    /// The bulletin.
    bulletin: BulletinId,
    /// The language.
    language: LangTag,
    /// Who takes the step.
    #[arg(long)]
    by: PersonId,
}

impl Step {
    fn done(&self, word: &str) -> bool {
        println!("{} in {} is {word}", self.bulletin, self.language);
        true
    }
}

impl Bulletin {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Import { which, file, by } => {
                let station = which.open().await?;
                import(&station, &file, &|_| by.clone(), true).await
            }
            Self::List { which, json } => list(&which.open().await?, json).await,
            Self::Review(step) => {
                step.which.open().await?.review(&step.bulletin, &step.language, &step.by).await?;
                Ok(step.done("reviewed"))
            }
            Self::Approve { step, passphrase_file } => {
                let what = format!("the key of {}", step.by);
                let secret = passphrase(passphrase_file.as_deref(), &what)?;
                let station = step.which.open().await?;
                station.approve(&step.bulletin, &step.language, &step.by, &secret).await?;
                Ok(step.done("approved"))
            }
            Self::Withdraw { step, reason } => {
                let station = step.which.open().await?;
                station.withdraw(&step.bulletin, &step.language, &step.by, reason).await?;
                Ok(step.done("withdrawn"))
            }
        }
    }
}

/// Takes in every bulletin of a file, with a progress bar; goes on past recordings that are
/// refused and returns `false` then, naming them.
pub(super) async fn import(
    station: &Station,
    path: &Path,
    announcer: &dyn Fn(usize) -> PersonId,
    tell: bool,
) -> anyhow::Result<bool> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bulletins = BulletinFile::parse(&path.display().to_string(), &text)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let sound = Sound::new(std::env::current_exe().context("this program's own path")?);
    let count: usize = bulletins.iter().map(|bulletin| bulletin.versions.len()).sum();
    let bar = bar(count as u64);
    let (mut done, mut refused) = (0, 0);
    for entry in &bulletins {
        station.import_bulletin(entry, &announcer(done)).await?;
        for version in &entry.versions {
            bar.set_message(version.file.clone());
            let by = announcer(done);
            let taken = station.import_version(&entry.bulletin, version, folder, &by, &sound).await;
            let line = match taken {
                Ok((Imported::Unchanged, _)) => format!("{}: unchanged", version.file),
                Ok((Imported::Drafted, made)) => drafted(&version.file, &made),
                Err(crate::server::ServerError::Recording { path, why }) => {
                    refused += 1;
                    format!("REFUSED {}: {why}", path.display())
                }
                Err(error) => return Err(error.into()),
            };
            if tell {
                bar.suspend(|| eprintln!("  {line}"));
            }
            done += 1;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(refused == 0)
}

/// What was made of a recording, with a line in each language for each thing that is wrong.
fn drafted(file: &str, made: &Ingested) -> String {
    let Some(judged) = &made.judged else { return format!("{file}: {} ms", made.length_ms) };
    let lufs = |loudness: Option<f64>| {
        loudness.map_or_else(|| "?".to_owned(), |loudness| format!("{loudness:.1} LUFS"))
    };
    let mut line = format!(
        "{file}: {} → {} ({} ms), {} / {}",
        lufs(judged.before_lufs),
        lufs(judged.after_lufs),
        made.length_ms,
        judged.verdict_vi,
        judged.verdict
    );
    for problem in &judged.problems {
        line.extend(["\n      ", &problem.vi, "\n      ", &problem.en]);
    }
    line
}

fn bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

async fn list(station: &Station, json: bool) -> anyhow::Result<bool> {
    let versions = station.store.versions().await.map_err(|e: StoreError| e)?;
    for version in versions {
        let content = version.content();
        let judged = station.judged(&content.recording).await?;
        let state = match &version {
            crate::bulletin::version::Version::Draft(_) => "draft",
            crate::bulletin::version::Version::Reviewed(_) => "reviewed",
            crate::bulletin::version::Version::Approved(_) => "approved",
            crate::bulletin::version::Version::Withdrawn(_) => "withdrawn",
        };
        if json {
            print_json(&serde_json::json!({
                "bulletin": content.bulletin, "language": content.language, "state": state,
                "voice": content.voice, "announcer": content.announcer,
                "asset": content.recording.asset, "length_ms": content.recording.length_ms,
                "verdict": judged.as_ref().map(|judged| &judged.verdict),
                "problems": judged.as_ref().map(|judged| &judged.problems),
            }))?;
        } else {
            let seconds = content.recording.length_ms / 1_000;
            let verdict = judged.as_ref().map_or("", |judged| &judged.verdict);
            println!(
                "{:<28} {:<4} {:<10} {seconds:>5} s  {verdict}",
                content.bulletin, content.language, state
            );
        }
    }
    Ok(true)
}
