//! Files that people write: configuration, schedules, bulletins.
//!
//! **Every fault is a sentence with the line it is about**, and a schedule that is right reads back from its own export.

use std::collections::BTreeSet;
use std::path::Path;

use loaban::bulletin::Column;
use loaban::config::{FAULTS_MAX, Faults};
use loaban::schedule::file::{self, Checked, ScheduleFile};
use loaban::server::BulletinFile;

use crate::target::{Broken, Outcome, Target, holds, sentence};

pub fn targets() -> Vec<Box<dyn Target>> {
    let controller = include_str!("../firmware-config/controller.toml");
    let station = include_str!("../firmware-config/loaban.toml");
    let province = Schedule::new();
    let known = province.known();
    let bulletins = texts(&["audio-samples", "schedules"], "bulletins");
    vec![
        Toml::of("controller.toml", vec![controller.to_owned(), bare(controller)], |text| {
            let path = Path::new("/x/controller.toml");
            loaban::controller::Config::read(path, text).map(|it| format!("{it:?}"))
        }),
        Toml::of("loaban.toml", vec![station.to_owned(), bare(station)], |text| {
            let path = Path::new("/x/loaban.toml");
            loaban::server::Config::read(path, text).map(|it| format!("{it:?}"))
        }),
        Toml::of("bulletins.toml", bulletins, move |text| {
            BulletinFile::parse("bulletins.toml", text, &known).map(|it| format!("{it:?}"))
        }),
        Box::new(province),
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

/// Reads a file and shows what it says.
type Reading = dyn Fn(&str) -> Result<String, Faults>;

struct Toml {
    name: &'static str,
    seeds: Vec<String>,
    read: Box<Reading>,
}

impl Toml {
    fn of(
        name: &'static str,
        seeds: Vec<String>,
        read: impl Fn(&str) -> Result<String, Faults> + 'static,
    ) -> Box<dyn Target> {
        Box::new(Self { name, seeds, read: Box::new(read) })
    }
}

impl Target for Toml {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        self.seeds.iter().map(|text| text.clone().into_bytes()).collect()
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
            let mut files = texts(&[&format!("schedules/{name}")], "schedules");
            files.retain(|text| !text.contains("[[bulletin]]"));
            files
        };
        // A second policy for the same areas is no part of the whole.
        let mut demo = folder("demo");
        demo.retain(|text| text != include_str!("../schedules/demo/policy-open.toml"));
        let seeds = [demo.clone(), vec![demo.concat(), folder("lai-chau").concat()]].concat();
        let words = seeds.iter().flat_map(|text| text.split('"'));
        Self { columns: words.filter_map(|word| word.parse().ok()).collect(), seeds }
    }

    fn read(&self, text: &str) -> Result<Checked, Faults> {
        let one = ScheduleFile::parse("schedule.toml", text)?;
        file::check(vec![one], &self.columns, None)
    }

    /// The last and largest, which is right.
    fn known(&self) -> Checked {
        let whole = self.seeds.last().expect("there are seeds");
        self.read(whole).unwrap_or_else(|wrong| panic!("the province's schedule: {wrong}"))
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
        match self.read(text) {
            Err(wrong) => faults(&wrong, text),
            Ok(checked) => {
                let written = checked.export();
                let again = self.read(&written).map_err(|wrong| {
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
