//! `bulletin import` and `export`: bulletins as a folder of files.

use std::path::Path;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::id::{BulletinId, PersonId};
use crate::server::{BulletinFile, Imported, Ingested, ServerError, Station, VersionEntry};
use crate::vault::write_atomic;

/// Takes in every bulletin of a file, with a progress bar; goes on past recordings that are
/// refused and returns `false` then, naming them.
pub(in crate::cli) async fn import(
    station: &Station,
    path: &Path,
    announcer: &dyn Fn(usize) -> PersonId,
    tell: bool,
) -> anyhow::Result<bool> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let known = station.schedule().await?;
    let bulletins = BulletinFile::parse(&path.display().to_string(), &text, &known)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let sound = super::sound()?;
    let count: usize = bulletins.iter().map(|bulletin| bulletin.versions.len()).sum();
    let bar = bar(count as u64);
    let (mut done, mut refused) = (0, 0);
    for entry in &bulletins {
        station.import_bulletin(entry, &announcer(done)).await?;
        for version in &entry.versions {
            let name = name(version);
            bar.set_message(name.clone());
            let by = announcer(done);
            let taken = station.import_version(&entry.bulletin, version, folder, &by, &sound).await;
            let line = match taken {
                Ok((Imported::Unchanged, _)) => format!("{name}: unchanged"),
                Ok((Imported::Written, _)) => format!("{name}: text, waits for its recording"),
                Ok((Imported::Drafted, made)) => {
                    drafted(&name, &made.context("a draft has its recording")?)
                }
                Err(error @ (ServerError::Recording { .. } | ServerError::Unusable { .. })) => {
                    refused += 1;
                    format!("REFUSED {error}")
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

/// What a version is called while it is taken in: its file, or its language.
fn name(version: &VersionEntry) -> String {
    let file = version.spoken.as_ref().map(|spoken| spoken.file.clone());
    file.unwrap_or_else(|| version.language.to_string())
}

/// What was made of a recording, with a line in each language for each thing that is wrong.
pub(super) fn drafted(file: &str, made: &Ingested) -> String {
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

/// Writes bulletins and their recordings into an empty folder.
pub(super) async fn export(
    station: &Station,
    wanted: &[BulletinId],
    out: &Path,
) -> anyhow::Result<bool> {
    for id in wanted {
        station.bulletin(id).await?;
    }
    if std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; name another folder", out.display());
    }
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let versions = station.store.versions().await?;
    let mut texts = Vec::new();
    for bulletin in station.store.bulletins().await? {
        if !wanted.is_empty() && !wanted.contains(&bulletin.id) {
            continue;
        }
        texts.push(BulletinFile::of(&bulletin, &versions).to_toml(station.config.zone));
        for version in versions.iter().filter(|version| version.text().bulletin == bulletin.id) {
            let Some(spoken) = version.spoken() else { continue };
            let asset = spoken.recording.asset;
            write_atomic(&out.join(format!("{asset}.opus")), &station.assets.read(asset)?)?;
        }
    }
    write_atomic(&out.join("bulletins.toml"), texts.join("\n").as_bytes())?;
    say_line!("{} bulletins written to {}", texts.len(), out.display());
    Ok(true)
}
