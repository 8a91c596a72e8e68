//! Files that people write: configuration, schedules, bulletins.
//!
//! **Every fault is a sentence with the line it is about**, and a schedule that is right reads back from its own export.

use std::collections::BTreeSet;
use std::path::Path;

use loaban::bulletin::Column;
use loaban::config::{FAULTS_MAX, Faults};
use loaban::schedule::file::{self, ScheduleFile};
use loaban::server::BulletinFile;

use crate::target::{Broken, Outcome, Target, holds, sentence};

pub fn targets() -> Vec<Box<dyn Target>> {
    vec![
        Box::new(Toml {
            name: "controller.toml",
            seeds: || {
                let reference = include_str!("../firmware-config/controller.toml");
                vec![reference.to_owned(), bare(reference)]
            },
            read: |text| {
                loaban::controller::Config::read(Path::new("/x/controller.toml"), text)
                    .map(|it| format!("{it:?}"))
            },
        }),
        Box::new(Toml {
            name: "loaban.toml",
            seeds: || {
                let reference = include_str!("../firmware-config/loaban.toml");
                vec![reference.to_owned(), bare(reference)]
            },
            read: |text| {
                loaban::server::Config::read(Path::new("/x/loaban.toml"), text)
                    .map(|it| format!("{it:?}"))
            },
        }),
        Box::new(Toml {
            name: "bulletins.toml",
            seeds: || texts(&["audio-samples", "schedules", "src"], "bulletins"),
            read: |text| {
                let known = file::check(vec![], &BTreeSet::new(), None)?;
                BulletinFile::parse("bulletins.toml", text, &known).map(|it| format!("{it:?}"))
            },
        }),
        Box::new(Schedule::new()),
    ]
}

/// A reference with every key that it shows as a comment set.
fn bare(reference: &str) -> String {
    let lines = reference.lines().map(|line| {
        let shown = line.strip_prefix("# ").or(line.strip_prefix('#'));
        shown.filter(|it| it.contains(" = ") || it.starts_with('[')).unwrap_or(line)
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The TOML files below some folders of the repository whose paths name something, the smallest first.
fn texts(folders: &[&str], named: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), named, &mut found);
    }
    found.sort_by_key(String::len);
    found.truncate(12);
    found
}

fn walk(folder: &Path, named: &str, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("it can be listed").path()) {
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            walk(&path, named, found);
        } else if path.extension().is_some_and(|it| it == "toml") && name.contains(named) {
            found.push(std::fs::read_to_string(&path).expect("it can be read"));
        }
    }
}

/// Whether every fault says where it is and what is wrong.
fn faults(faults: &Faults, text: &str) -> Outcome {
    let lines = text.lines().count() + 1;
    holds(!faults.0.is_empty(), || "refused without a fault".to_owned())?;
    holds(faults.0.len() <= FAULTS_MAX + 1, || format!("{} faults", faults.0.len()))?;
    let mut word = String::new();
    for fault in &faults.0 {
        holds((1..=lines).contains(&fault.line), || format!("{fault} is behind line {lines}"))?;
        word = sentence(&fault.sentence)?;
    }
    Ok(word)
}

struct Toml {
    name: &'static str,
    seeds: fn() -> Vec<String>,
    read: fn(&str) -> Result<String, Faults>,
}

impl Target for Toml {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)().into_iter().map(String::into_bytes).collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("not text".to_owned()) };
        match (self.read)(text) {
            Err(wrong) => faults(&wrong, text),
            Ok(read) => {
                let again =
                    (self.read)(text).map_err(|_| Broken("refused the second time".to_owned()))?;
                holds(again == read, || "read otherwise the second time".to_owned())?;
                Ok("read".to_owned())
            }
        }
    }

    fn memory_max(&self, input: usize) -> usize {
        (16 << 20) + 400 * input
    }
}

/// Whole schedules, and the columns that bulletins may stand in.
struct Schedule {
    columns: BTreeSet<Column>,
    seeds: Vec<String>,
}

impl Schedule {
    fn new() -> Self {
        let folder = |name: &str| {
            let files = texts(&[&format!("schedules/{name}")], "toml").into_iter();
            files.filter(|text| !text.contains("[[bulletin]]")).collect::<Vec<_>>()
        };
        let alone = [folder("demo"), folder("lai-chau")].concat();
        let seeds =
            [alone.clone(), vec![folder("demo").concat(), folder("lai-chau").concat()]].concat();
        let words = alone.iter().flat_map(|text| text.split('"'));
        Self { columns: words.filter_map(|word| word.parse().ok()).collect(), seeds }
    }
}

impl Target for Schedule {
    fn name(&self) -> String {
        "schedule.toml".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        self.seeds.iter().map(|text| text.clone().into_bytes()).collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("not text".to_owned()) };
        let read = |text: &str| {
            let one = ScheduleFile::parse("schedule.toml", text)?;
            file::check(vec![one], &self.columns, None)
        };
        match read(text) {
            Err(wrong) => faults(&wrong, text),
            Ok(checked) => {
                let written = checked.export();
                let again = read(&written).map_err(|wrong| {
                    Broken(format!("its export is refused: {wrong}\n{written}"))
                })?;
                holds(again.export() == written, || format!("reads back otherwise:\n{written}"))?;
                Ok("read".to_owned())
            }
        }
    }

    fn memory_max(&self, input: usize) -> usize {
        (16 << 20) + 400 * input
    }
}
