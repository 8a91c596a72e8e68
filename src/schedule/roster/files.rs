//! A roster written into the station's own schedule files.
//!
//! **A place keeps the file it stands in, and everything else in that file stays as it was**: its
//! block of lines is written anew, comments above it stay. New places go to the end of
//! `areas.toml`, or of `areas-2.toml` and so on where that is full. What comes out is read again
//! and must be what was meant, or nothing is taken over.

use std::collections::{BTreeMap, BTreeSet};

use super::Roster;
use crate::config::{FILE_BYTES_MAX, Faults};
use crate::schedule::file::{Checked, Place, ScheduleFile, block, check, export};

/// Files that new places are spread over at most.
const FILES_MAX: usize = 64;

/// Why a roster was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotMerged {
    /// The station's files do not read.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// A place that does not stand under a heading of its own.
    #[error(
        "{file} does not write {place} under a heading of its own; write it as [[area]] or [[controller]] and import that file first"
    )]
    Unmarked {
        /// The file.
        file: String,
        /// The area or controller.
        place: String,
    },
    /// More than fits.
    #[error("the areas do not fit {FILES_MAX} schedule files; split them by hand")]
    Full,
    /// What was written reads otherwise.
    #[error("the files would say something else than the sheets; nothing was changed, report this")]
    Otherwise,
}

/// The files as they become.
struct Files {
    held: BTreeMap<String, String>,
    changed: BTreeSet<String>,
}

impl Roster {
    /// The schedule files that change, as they become.
    pub fn into_files(self, held: &[(String, String)]) -> Result<Vec<(String, String)>, NotMerged> {
        let mut files = Files { held: held.iter().cloned().collect(), changed: BTreeSet::new() };
        let areas = self.touched.areas.iter().map(|id| {
            let text = export::area(&self.areas[id]);
            (Place::Area(id), text)
        });
        let fleet = self.touched.controllers.iter().map(|id| {
            let text = export::controller(&self.controllers[id]);
            (Place::Controller(id), text)
        });
        let rest = files.replace(areas.chain(fleet).collect())?;
        for (_, text) in &rest {
            files.append(text)?;
        }
        let checked = files.read()?;
        let areas: BTreeSet<_> = checked.tree.iter().collect();
        let fleet: BTreeSet<_> = checked.controllers.iter().collect();
        if areas != self.areas.values().collect() || fleet != self.controllers.values().collect() {
            return Err(NotMerged::Otherwise);
        }
        let Files { mut held, changed } = files;
        Ok(changed.into_iter().filter_map(|name| held.remove_entry(&name)).collect())
    }
}

impl Files {
    fn read(&self) -> Result<Checked, Faults> {
        let files = self.held.iter().map(|(name, text)| ScheduleFile::parse(name, text));
        let columns = crate::bulletin::Column::usual().collect();
        check(files.collect::<Result<_, _>>()?, &columns, None)
    }

    /// Writes the places that stand in a file anew; returns those that stand in none.
    fn replace<'p>(
        &mut self,
        mut places: Vec<(Place<'p>, String)>,
    ) -> Result<Vec<(Place<'p>, String)>, NotMerged> {
        for (name, held) in &mut self.held {
            let file = ScheduleFile::parse(name, held)?;
            let lines = file.lines();
            let line = |place: &Place<'_>| lines.get(&place.key()).copied();
            let (mut here, rest): (Vec<_>, Vec<_>) =
                places.into_iter().partition(|(place, _)| line(place).is_some());
            // From the last line up: what is written anew moves only the lines below it.
            here.sort_by_key(|(place, _)| std::cmp::Reverse(line(place)));
            for (place, text) in here {
                let unmarked =
                    || NotMerged::Unmarked { file: name.clone(), place: place.key().1.to_owned() };
                let first = line(&place).expect("it was found here");
                *held =
                    block::replaced(held, first, place.headings(), &text).ok_or_else(unmarked)?;
                self.changed.insert(name.clone());
            }
            places = rest;
        }
        Ok(places)
    }

    fn append(&mut self, text: &str) -> Result<(), NotMerged> {
        let names = (1..=FILES_MAX).map(|n| match n {
            1 => "areas.toml".to_owned(),
            n => format!("areas-{n}.toml"),
        });
        for name in names {
            let held = self.held.entry(name.clone()).or_default();
            if held.len() + text.len() < FILE_BYTES_MAX {
                let blank = if held.is_empty() || held.ends_with("\n\n") { "" } else { "\n" };
                let feed = if held.is_empty() || held.ends_with('\n') { "" } else { "\n" };
                held.extend([feed, blank, text]);
                self.changed.insert(name);
                return Ok(());
            }
        }
        Err(NotMerged::Full)
    }
}
