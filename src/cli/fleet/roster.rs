//! `fleet import` and `fleet areas`: areas, villages and controllers from spreadsheets, and areas
//! found by code or name.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::cli::{Which, print_json};
use crate::fleet::Area;
use crate::id::PersonId;
use crate::lang::fold;
use crate::schedule::roster::{SHEET_BYTES_MAX, Sheet, Subject};

/// Takes over sheets.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    #[command(flatten)]
    which: Which,
    /// A CSV file of areas: id, name, level, parent, code, old_codes, languages, fallback.
    #[arg(long)]
    areas: Vec<PathBuf>,
    /// A CSV file of villages: the same columns, level not needed.
    #[arg(long)]
    villages: Vec<PathBuf>,
    /// A CSV file of controllers: id, area.
    #[arg(long)]
    controllers: Vec<PathBuf>,
    /// The administrator who hands them in.
    #[arg(long)]
    by: PersonId,
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let named = [
            (Subject::Areas, &self.areas),
            (Subject::Villages, &self.villages),
            (Subject::Controllers, &self.controllers),
        ];
        let paths = named.iter().flat_map(|(s, paths)| paths.iter().map(move |path| (*s, path)));
        let read: Vec<(Subject, String, Vec<u8>)> = paths
            .map(|(subject, path)| Ok((subject, path.display().to_string(), bytes(path)?)))
            .collect::<anyhow::Result<_>>()?;
        if read.is_empty() {
            bail!("name a file with --areas, --villages or --controllers");
        }
        let sheets: Vec<Sheet<'_>> = read
            .iter()
            .map(|(subject, name, bytes)| Sheet { subject: *subject, name, bytes })
            .collect();
        let station = self.which.open().await?;
        let changes = station.import_roster(&sheets, &self.by, !self.dry_run).await?;
        for change in &changes {
            if self.json {
                print_json(change)?;
            } else {
                let mark = if change.new { "+" } else { "~" };
                say_line!("{mark} {:<10} {:<24} {}", change.noun, change.id, change.what);
            }
        }
        let done = if self.dry_run { "would change" } else { "changed" };
        eprintln!("{} places {done}", changes.len());
        Ok(true)
    }
}

/// The bytes of a sheet, and one more than is allowed of a file that is too large.
fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(SHEET_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Finds areas.
#[derive(Debug, Args)]
pub(in crate::cli) struct Areas {
    #[command(flatten)]
    which: Which,
    /// A code of today or of before a merger, an id, or words of the name, with or without marks;
    /// every area where nothing is written.
    words: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Areas {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let tree = self.which.open().await?.schedule().await?.tree;
        let wanted = self.words.join(" ");
        let mut found = 0;
        for area in tree.iter().filter(|area| fits(area, &wanted)) {
            found += 1;
            if self.json {
                print_json(area)?;
                continue;
            }
            let old = match area.old_codes.as_slice() {
                [] => String::new(),
                codes => format!(" (before {})", codes.join(" ")),
            };
            let code = area.code.as_deref().unwrap_or("-");
            let chain: Vec<String> = tree.chain(&area.id).iter().map(ToString::to_string).collect();
            say_line!("{:<24} {code}{old}  {}  [{}]", area.id, area.name, chain.join(" / "));
        }
        if found == 0 {
            eprintln!("no area has this code, id or name; write fewer words");
        }
        Ok(found > 0)
    }
}

/// Whether an area is called so: by code, by id, or by every word of its name.
fn fits(area: &Area, wanted: &str) -> bool {
    let coded = area.code.iter().chain(&area.old_codes).any(|code| code == wanted);
    let name = fold::words(&area.name);
    coded || area.id.as_str() == wanted || fold::words(wanted).iter().all(|w| name.contains(w))
}
