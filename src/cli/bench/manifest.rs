//! What `MANIFEST.md` beside a collection says of its recordings: a table whose first column names files.

use std::fs;
use std::path::Path;

/// One row: which files, and what they are.
#[derive(Debug)]
pub(super) struct Manifest(Vec<(Vec<String>, String)>);

impl Manifest {
    /// Reads the table in `folder`; a collection without one says nothing of its recordings.
    pub(super) fn read(folder: &Path) -> Self {
        Self::parse(&fs::read_to_string(folder.join("MANIFEST.md")).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let row = |line: &str| {
            let cells: Vec<&str> =
                line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
            Some((expanded(cells.first()?.trim()), cells.last()?.trim().to_owned()))
        };
        Self(text.lines().filter_map(row).collect())
    }

    /// What it says of a file, by its place in the collection.
    pub(super) fn says(&self, place: &str) -> &str {
        let named = |(patterns, _): &&(Vec<String>, String)| {
            patterns.iter().any(|pattern| fits(pattern, place))
        };
        self.0.iter().find(named).map_or("", |(_, what)| what)
    }
}

/// `a_{b,c}.wav` is `a_b.wav` and `a_c.wav`.
fn expanded(pattern: &str) -> Vec<String> {
    let braces =
        pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (choices, after))) = braces else { return vec![pattern.to_owned()] };
    choices.split(',').flat_map(|choice| expanded(&format!("{before}{choice}{after}"))).collect()
}

/// Whether a name fits a pattern in which `*` is anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, rest)) => name.strip_prefix(before).is_some_and(|name| {
            name.char_indices()
                .map(|(at, _)| at)
                .chain([name.len()])
                .any(|at| fits(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_what_the_first_row_that_names_it_says() {
        let manifest = Manifest::parse(
            "| file | origin | what |\n|---|---|---|\n| speech/vi_{a,b}.wav | x | human |\n| bad/* | y | broken |\n",
        );
        assert_eq!(manifest.says("speech/vi_b.wav"), "human");
        assert_eq!(manifest.says("bad/x.mp3"), "broken");
        assert_eq!(manifest.says("speech/vi_c.wav"), "");
    }
}
