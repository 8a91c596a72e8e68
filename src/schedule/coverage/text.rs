//! The matrix as tables of at most 100 columns.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Cell, Coverage, Entry, Hears, Sums, Tally};
use crate::fleet::Area;
use crate::lang::LangTag;
use crate::schedule::Places;
use crate::schedule::remark::Missing;

/// Width of a bulletin's id, and of a language's cell.
const ID_CHARS: usize = 26;
const CELL_CHARS: usize = 8;

/// Languages beside one another at most, so that a line has at most 100 columns.
const LANGUAGES_MAX: usize = 9;

/// What the marks of [`by_bulletin`] mean.
const LEGEND: &str = "\
    ● ready   ◐ some by a stand-in   ~ approved later   r in review   d draft   w withdrawn   · none\n\
    The number is of villages that ask for the language and cannot hear it or a stand-in; of\n\
    villages that can, behind ●.\n";

/// What stands in a cell.
fn cell_mark(tally: &Tally) -> String {
    let part = if tally.stand_in > 0 { "◐" } else { "" };
    match tally.version {
        Some(version) => format!("{}{part}{}", mark(version), tally.lacking),
        None if tally.stand_in > 0 => format!("◐{}", tally.stand_in),
        None => format!("●{}", tally.ready),
    }
}

fn mark(version: Missing) -> &'static str {
    match version {
        Missing::NotMade => "·",
        Missing::Draft => "d",
        Missing::InReview => "r",
        Missing::Withdrawn => "w",
        Missing::ApprovedLater => "~",
    }
}

/// A line for each bulletin with a cell for each language, and how many villages hear it how.
pub fn by_bulletin(coverage: &Coverage<'_>) -> String {
    let tallies = coverage.tallies();
    let languages: BTreeSet<&LangTag> = tallies.keys().map(|(_, language)| *language).collect();
    let languages: Vec<&LangTag> = languages.into_iter().collect();
    let sums = coverage.sums();
    let mut text = String::new();
    for some in languages.chunks(LANGUAGES_MAX) {
        let heads: Vec<String> =
            some.iter().map(|language| format!("{language:>CELL_CHARS$}")).collect();
        let _ = writeln!(text, "{:<ID_CHARS$}{}", "bulletin", heads.concat());
        for &bulletin in sums.keys() {
            let cells = some.iter().map(|&language| {
                let tally = tallies.get(&(bulletin, language));
                let mark = tally.map_or_else(String::new, cell_mark);
                format!("{mark:>CELL_CHARS$}")
            });
            let cells = cells.collect::<Vec<_>>().concat();
            let id: String = bulletin.as_str().chars().take(ID_CHARS).collect();
            let _ = writeln!(text, "{id:<ID_CHARS$}{cells}");
        }
        text.push('\n');
    }
    text.push_str(LEGEND);
    text.push('\n');
    sums_table(&mut text, "bulletin", sums.iter().map(|(id, sums)| (id.as_str(), sums)));
    text
}

/// A line for each commune: how many of its villages hear how many of the bulletins how.
pub fn by_commune(coverage: &Coverage<'_>, places: &Places<'_>) -> String {
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for entry in &coverage.entries {
        sums.entry(commune(entry, places)).or_default().add(&entry.hears);
    }
    let mut text = String::from("Each village counts once for each bulletin.\n\n");
    sums_table(&mut text, "commune", sums.iter().map(|(name, sums)| (*name, sums)));
    text
}

pub(super) fn commune<'w>(entry: &Entry<'_>, places: &Places<'w>) -> &'w str {
    places.commune_of(entry.village).map_or("(no commune)", |area| area.name.as_str())
}

fn sums_table<'s>(text: &mut String, head: &str, lines: impl Iterator<Item = (&'s str, &'s Sums)>) {
    let _ = writeln!(
        text,
        "{head:<30}{:>12}{:>10}{:>10}{:>10}{:>10}{:>9}",
        "1st language", "another", "fallback", "nothing", "villages", "1st"
    );
    for (name, sums) in lines {
        let villages = sums.villages();
        let share = u64::from(sums.first) * 100 / u64::from(villages.max(1));
        let _ = writeln!(
            text,
            "{name:<30}{:>12}{:>10}{:>10}{:>10}{villages:>10}{share:>7} %",
            sums.first, sums.other, sums.fallback, sums.nothing
        );
    }
}

/// A line for each village under each bulletin: its languages with their states.
pub fn by_village(coverage: &Coverage<'_>, places: &Places<'_>) -> String {
    let mut text = String::new();
    let mut above = None;
    for entry in &coverage.entries {
        if above.replace(entry.bulletin) != Some(entry.bulletin) {
            let _ = writeln!(text, "{}", entry.bulletin);
        }
        let name = places.name_of(entry.village).map_or(entry.village.as_str(), name);
        let cells: Vec<String> =
            entry.languages.iter().map(|(language, cell)| cell_words(language, cell)).collect();
        let (cells, hears) = (cells.join(", "), hears_words(&entry.hears));
        let _ = writeln!(text, "  {name:<26}{cells:<48}{hears}");
    }
    text
}

fn name(area: &Area) -> &str {
    &area.name
}

fn cell_words(language: &LangTag, cell: &Cell) -> String {
    match cell {
        Cell::Ready => format!("{language} ready"),
        Cell::StandIn { heard } => format!("{language} by {heard}"),
        Cell::Lacking { version } => format!("{language} {}", version_words(*version)),
    }
}

fn version_words(version: Missing) -> &'static str {
    match version {
        Missing::NotMade => "missing",
        Missing::Draft => "draft",
        Missing::InReview => "in review",
        Missing::Withdrawn => "withdrawn",
        Missing::ApprovedLater => "later",
    }
}

fn hears_words(hears: &Hears) -> String {
    match hears {
        Hears::First => "1st language".to_owned(),
        Hears::Other => "another".to_owned(),
        Hears::Fallback { heard } => format!("falls back to {heard}"),
        Hears::Nothing => "NOTHING".to_owned(),
        Hears::NoProfile => "NO PROFILE".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{SUNDAY, Town, date};
    use super::super::coverage;
    use super::*;

    fn town() -> Town {
        let town = Town::new().village("ban-a", "hni vi").village("ban-b", "mww/hnj vi?");
        town.village("ban-c", "lhu").bulletin("mot", "vi hnj", 2).bulletin("hai", "hni vi", 2)
    }

    fn with<T>(town: &Town, read: impl FnOnce(&Coverage<'_>, &Places<'_>) -> T) -> T {
        let at = town.world.zone.midnight(date(SUNDAY));
        let places = Places::new(&town.world.tree, &town.world.controllers);
        read(&coverage(&town.world, at, None, None), &places)
    }

    fn words(text: &str, line: &str) -> Vec<String> {
        let found = text.lines().find(|found| found.starts_with(line)).unwrap();
        found.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_bulletin_has_its_marks_by_language_and_its_sums() {
        let text = with(&town(), |coverage, _| by_bulletin(coverage));
        assert_eq!(words(&text, "mot"), ["mot", "·1", "·1", "◐1", "●1"], "{text}");
        let sums = text.lines().rev().find(|line| line.starts_with("hai")).unwrap();
        let sums: Vec<&str> = sums.split_whitespace().collect();
        assert_eq!(sums, ["hai", "1", "0", "1", "1", "3", "33", "%"], "{text}");
    }

    #[test]
    fn no_line_is_wider_than_a_hundred_columns() {
        let town = ["mww", "hnj", "twh", "blt", "ium", "mji", "hni", "lhu", "kjg", "vi"]
            .iter()
            .fold(town(), |town, language| town.village(&format!("ban-{language}"), language));
        let text = with(&town, |coverage, places| {
            by_bulletin(coverage) + &by_commune(coverage, places) + &by_village(coverage, places)
        });
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{wide:?}");
    }

    #[test]
    fn a_village_is_shown_with_what_it_lacks_and_what_it_hears() {
        let text = with(&town(), by_village);
        assert!(text.contains("mww by hnj") && text.contains("falls back to vi"), "{text}");
        assert!(text.contains("lhu missing") && text.contains("NOTHING"), "{text}");
    }
}
