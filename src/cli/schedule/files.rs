//! Schedule files on disk: read, checked, written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::source::{Read, Source};
use crate::bulletin::Column;
use crate::cli::print_json;
use crate::config::{Fault, Faults};
use crate::fleet;
use crate::lang::Names;
use crate::schedule::file::content::{ContentFile, Outline, gather};
use crate::schedule::file::{Checked, ScheduleFile, check as check_together};
use crate::time::Zone;
use crate::vault::write_atomic;

/// Folders inside folders at most: a folder by district and commune, and some air.
const DEPTH_MAX: usize = 6;

/// A file with the name that faults and the store know it by.
pub(in crate::cli) type Named = (String, String);

/// The schedule files that `paths` name, without files of bulletins.
pub(in crate::cli) fn read_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Named>> {
    Ok(read_all(paths)?.into_iter().filter(|(name, _)| !is_content(name)).collect())
}

/// Every file that `paths` name; of a folder all `.toml` files below it, in order of name.
pub(super) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Named>> {
    let mut found = Vec::new();
    for path in paths {
        find(path, 0, &mut found)?;
    }
    let mut files: Vec<Named> = Vec::new();
    for path in found {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.context("a schedule file needs a name")?;
        if files.iter().any(|(other, _)| *other == name) {
            bail!(
                "two files are called {name}, which is how a station tells them apart; rename one"
            );
        }
        files.push((name, text));
    }
    Ok(files)
}

fn find(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    if depth == DEPTH_MAX {
        bail!("{} is more than {DEPTH_MAX} folders deep; move it up", path.display());
    }
    let entries =
        std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|e: std::io::Error| e)?;
    paths.sort();
    for path in paths {
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "toml") {
            find(&path, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Whether a file of this name holds bulletins.
fn is_content(name: &str) -> bool {
    name.starts_with("bulletins")
}

/// A schedule with the bulletins that were beside it.
pub(super) struct Folder {
    pub(super) checked: Checked,
    /// `None` where no file of bulletins was there.
    pub(super) content: Option<Vec<Outline>>,
}

/// Reads and checks everything, all faults at once.
pub(super) fn check_all(files: &[Named]) -> Result<Folder, Faults> {
    let zone = Zone::default();
    let (mut faults, mut schedule, mut content) = (Vec::new(), Vec::new(), Vec::new());
    let (of_content, of_schedule): (Vec<&Named>, Vec<&Named>) =
        files.iter().partition(|(name, _)| is_content(name));
    for (name, text) in of_schedule {
        let read = ScheduleFile::parse(name, text);
        schedule.extend(read.map_err(|wrong| faults.extend(wrong.0)));
    }
    // Languages that a schedule file adds may be spoken in every content file.
    let mut languages = Names::default();
    for file in &schedule {
        languages.extend(ScheduleFile::languages(file));
    }
    for (name, text) in of_content {
        let read = ContentFile::parse(name, text, zone, &languages);
        content.extend(read.map_err(|wrong| faults.extend(wrong.0)));
    }
    let ids: BTreeSet<_> = content.iter().flat_map(ContentFile::ids).cloned().collect();
    let is_there = !content.is_empty();
    let content = gather(content).map_err(|wrong| faults.extend(wrong.0));
    let columns: BTreeSet<Column> = Column::usual().collect();
    // What does not read leaves holes that the others would be blamed for: only files that all
    // read are compared.
    let content = Faults(faults).or(content)?.expect("what is wrong was returned");
    let checked = check_together(schedule, &columns, is_there.then_some(&ids))?;
    Ok(Folder { checked, content: is_there.then_some(content) })
}

/// The schedule with `paths` in place of the files of the same names, as an import would make it.
pub(super) async fn changed(
    source: &Source,
    read: &Read,
    paths: &[PathBuf],
) -> anyhow::Result<Read> {
    let held = match &read.station {
        Some(station) => station.store.schedule_files().await?,
        None => read_all(source.paths())?,
    };
    let mut all: BTreeMap<String, String> = held.into_iter().collect();
    all.extend(read_all(paths)?);
    let all: Vec<Named> = all.into_iter().collect();
    let folder = check_all(&all)?;
    let has_content = folder.content.is_some();
    let mut other = Read::of_folder(folder);
    if let (Some(station), false) = (&read.station, has_content) {
        // A station has bulletins and a history of its own.
        let world = station.world().await?;
        (other.world.content, other.world.history) = (world.content, world.history);
        other.world.zone = world.zone;
    }
    other.planned_from = read.planned_from;
    Ok(other)
}

/// `schedule check`.
pub(super) fn check(paths: &[PathBuf], json: bool) -> anyhow::Result<bool> {
    let files = read_all(paths)?;
    let (folder, faults) = match check_all(&files) {
        Ok(folder) => (Some(folder), Faults::default()),
        Err(faults) => (None, faults),
    };
    if json {
        let fault = |fault: &Fault| {
            serde_json::json!({
                "file": fault.file, "line": fault.line, "sentence": fault.sentence,
            })
        };
        let faults: Vec<serde_json::Value> = faults.0.iter().map(fault).collect();
        print_json(&serde_json::json!({ "files": files.len(), "faults": faults }))?;
    } else if let Some(folder) = &folder {
        say_line!("{}", right(folder, files.len()));
    } else {
        say_line!("{faults}");
    }
    Ok(folder.is_some())
}

fn right(Folder { checked, content }: &Folder, files: usize) -> String {
    let mut parts = vec![
        format!("{} areas", checked.tree.iter().count()),
        format!("{} controllers", checked.controllers.len()),
        format!("{} policies", checked.policies.len()),
        format!("{} programmes", checked.programmes.len()),
    ];
    parts.extend(content.as_ref().map(|content| format!("{} bulletins", content.len())));
    format!("{files} files are right: {}", parts.join(", "))
}

/// `schedule export`.
pub(super) async fn export(source: &Source, out: Option<&Path>) -> anyhow::Result<bool> {
    let text = source.schedule().await?.export();
    match out {
        Some(path) => write_atomic(path, text.as_bytes())?,
        None => say!("{text}"),
    }
    Ok(true)
}

/// Reads the border of an area.
pub(super) fn border(path: &Path) -> anyhow::Result<fleet::Outline> {
    let what = || format!("{}", path.display());
    let bytes = std::fs::metadata(path).with_context(what)?.len();
    let most = fleet::OUTLINE_BYTES_MAX;
    if bytes > most {
        bail!("{}: {bytes} bytes are more than {most}; simplify it", what());
    }
    fleet::Outline::parse(&std::fs::read_to_string(path).with_context(what)?).with_context(what)
}
