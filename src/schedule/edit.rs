//! Edits of programmes and exceptions: what becomes of which, and the files that say so.
//!
//! A thing keeps the file it stands in, and everything else in that file stays as it was; what is
//! new goes to `pages.toml`. **What comes out is read again and must be what was meant, or nothing
//! changes.** An edit knows what it started from, so that it is never made over somebody else's.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::file::{Checked, Place, ScheduleFile, block, check, exception_text, programme_text};
use super::{Exception, Programme, World};
use crate::bulletin::Column;
use crate::config::{FILE_BYTES_MAX, Fault, Faults};
use crate::digest::Digest;
use crate::id::{AreaId, ExceptionId, ProgrammeId};

mod reach;
#[cfg(test)]
mod tests;
mod week;
mod wish;

pub use reach::{NotReached, Reach, Slot, Turnout, free_exception, free_programme};
pub use wish::Wish;

use reach::{added_from, ended};
use week::copied;

/// Programmes and exceptions of one edit at most: a week that is copied.
pub const TURNS_MAX: usize = 64;

/// Files that new things are spread over at most.
const FILES_MAX: usize = 64;

/// Above what the pages write.
const HEAD: &str = "# Programmes and exceptions that were made at the pages.\n";

/// The name of a programme or of an exception.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum What {
    /// A programme.
    Programme(ProgrammeId),
    /// An exception.
    Exception(ExceptionId),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Programme(id) => write!(f, "programme/{id}"),
            Self::Exception(id) => write!(f, "exception/{id}"),
        }
    }
}

/// Text that names neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names nothing of a schedule; write programme/ID or exception/ID")]
pub struct NotAName(String);

impl FromStr for What {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let refuse = || NotAName(text.chars().take(80).collect());
        match text.split_once('/') {
            Some(("programme", id)) => id.parse().map(Self::Programme).map_err(|_| refuse()),
            Some(("exception", id)) => id.parse().map(Self::Exception).map_err(|_| refuse()),
            _ => Err(refuse()),
        }
    }
}

impl TryFrom<String> for What {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<What> for String {
    fn from(what: What) -> Self {
        what.to_string()
    }
}

/// A programme or an exception, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A programme.
    Programme(Box<Programme>),
    /// An exception.
    Exception(Box<Exception>),
}

impl From<Programme> for Piece {
    fn from(programme: Programme) -> Self {
        Self::Programme(Box::new(programme))
    }
}

impl From<Exception> for Piece {
    fn from(exception: Exception) -> Self {
        Self::Exception(Box::new(exception))
    }
}

impl Piece {
    /// Its name.
    pub fn what(&self) -> What {
        match self {
            Self::Programme(programme) => What::Programme(programme.id.clone()),
            Self::Exception(exception) => What::Exception(exception.id.clone()),
        }
    }

    /// It as a file says it.
    pub fn text(&self) -> String {
        match self {
            Self::Programme(programme) => programme_text(programme),
            Self::Exception(exception) => exception_text(exception),
        }
    }

    /// Reads what [`Self::text`] wrote.
    pub fn read(text: &str) -> Result<Option<Self>, Faults> {
        let file = ScheduleFile::parse("edit", text)?;
        if text.trim_start().starts_with("[[programme]]") {
            return Ok(file.programme().map(Self::from));
        }
        Ok(file.exception().map(Self::from))
    }

    /// The areas that it is about; none where it is about everything.
    pub fn areas(&self) -> &[AreaId] {
        match self {
            Self::Programme(programme) => &programme.areas,
            Self::Exception(exception) => &exception.areas,
        }
    }
}

/// One thing as it was and as it becomes, each as a file says it; `None` where it is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Which.
    pub what: What,
    /// As it was.
    pub before: Option<String>,
    /// As it becomes.
    pub after: Option<String>,
}

/// What becomes of some programmes and exceptions together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Edit(Vec<Turn>);

/// Why an edit is not made.
#[derive(Debug, thiserror::Error)]
pub enum NotEdited {
    /// The files would not read, or say what is not there.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// Something that does not stand under a heading of its own.
    #[error(
        "{file} does not write {what} under a heading of its own; write it as [[programme]] or \
         [[exception]] and import that file first"
    )]
    Unmarked {
        /// The file.
        file: String,
        /// Which.
        what: What,
    },
    /// Something that the server writes itself.
    #[error("{0} is an announcement of a commune; change its time on its own page")]
    Announcement(What),
    /// Somebody changed it meanwhile.
    #[error("{0} was changed by somebody else meanwhile; look at it and do this again")]
    Changed(What),
    /// More than fits.
    #[error("one edit changes {TURNS_MAX} programmes and exceptions at most; make it in parts")]
    TooMany,
    /// Nothing would be different.
    #[error("this changes nothing; alter something first")]
    Nothing,
    /// What was written reads otherwise.
    #[error("the files would say something else than was meant; nothing was changed, report this")]
    Otherwise,
}

/// The programme or exception of that name, as a file says it.
pub fn held(schedule: &Checked, what: &What) -> Option<String> {
    match what {
        What::Programme(id) => {
            schedule.programmes.iter().find(|held| held.id == *id).map(programme_text)
        }
        What::Exception(id) => {
            schedule.exceptions.iter().find(|held| held.id == *id).map(exception_text)
        }
    }
}

/// The digest of how these things are: another one where somebody changed one of them.
pub fn seen(schedule: &Checked, whats: &[What]) -> Digest {
    mark(whats.iter().map(|what| (what, held(schedule, what))))
}

fn mark<'w>(things: impl Iterator<Item = (&'w What, Option<String>)>) -> Digest {
    let parts = things.map(|(what, text)| format!("{what}\n{}", text.unwrap_or_default()));
    Digest::of(parts.collect::<Vec<_>>().join("\n").as_bytes())
}

impl Edit {
    /// What makes these things so in `schedule`; those that are so already are left out.
    pub fn of(schedule: &Checked, become_: Vec<(What, Option<Piece>)>) -> Self {
        let turn = |(what, piece): (What, Option<Piece>)| {
            let (before, after) = (held(schedule, &what), piece.map(|piece| piece.text()));
            (before != after).then_some(Turn { what, before, after })
        };
        Self(become_.into_iter().filter_map(turn).collect())
    }

    /// The mark of what it starts from: [`seen`] of the things that it changes.
    pub fn seen(&self) -> Digest {
        mark(self.0.iter().map(|turn| (&turn.what, turn.before.clone())))
    }

    /// Each thing that it changes.
    pub fn turns(&self) -> &[Turn] {
        &self.0
    }

    /// The edit that restores what this one changed.
    #[must_use]
    pub fn back(&self) -> Self {
        let back = |turn: &Turn| Turn {
            what: turn.what.clone(),
            before: turn.after.clone(),
            after: turn.before.clone(),
        };
        Self(self.0.iter().rev().map(back).collect())
    }

    /// The things before (`false`) or after it.
    pub fn pieces(&self, after: bool) -> Result<Vec<Piece>, Faults> {
        let texts = self.0.iter().map(|turn| if after { &turn.after } else { &turn.before });
        let read = texts.flatten().map(|text| Piece::read(text));
        Ok(read.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Refuses what somebody else changed since, what is too much and what is nothing.
    pub fn stands_on(&self, schedule: &Checked) -> Result<(), NotEdited> {
        if self.0.is_empty() {
            return Err(NotEdited::Nothing);
        }
        if self.0.len() > TURNS_MAX {
            return Err(NotEdited::TooMany);
        }
        let changed = |turn: &&Turn| held(schedule, &turn.what) != turn.before;
        match self.0.iter().find(changed) {
            Some(turn) => Err(NotEdited::Changed(turn.what.clone())),
            None => Ok(()),
        }
    }

    /// Makes `world` as it becomes.
    pub fn apply(&self, world: &mut World) -> Result<(), Faults> {
        for turn in &self.0 {
            match &turn.what {
                What::Programme(id) => world.programmes.retain(|held| held.id != *id),
                What::Exception(id) => world.exceptions.retain(|held| held.id != *id),
            }
        }
        for piece in self.pieces(true)? {
            match piece {
                Piece::Programme(programme) => world.programmes.push(*programme),
                Piece::Exception(exception) => world.exceptions.push(*exception),
            }
        }
        Ok(())
    }

    /// The schedule files that change, as they become.
    pub fn files(&self, held: &[(String, String)]) -> Result<Vec<(String, String)>, NotEdited> {
        let before = read(held)?;
        self.stands_on(&before)?;
        let mut files: BTreeMap<String, String> = held.iter().cloned().collect();
        let mut rest: Vec<&Turn> = self.0.iter().collect();
        for (name, text) in &mut files {
            rest = replace(name, text, rest)?;
        }
        for turn in rest {
            append(&mut files, turn.after.as_deref().unwrap_or_default())?;
        }
        let after: Vec<(String, String)> = files.into_iter().collect();
        self.is_what_became(before, &read(&after)?)?;
        let was: BTreeMap<&String, &String> =
            held.iter().map(|(name, text)| (name, text)).collect();
        Ok(after.into_iter().filter(|(name, text)| was.get(name) != Some(&text)).collect())
    }

    /// Whether `after` is `before` with this edit and nothing else.
    fn is_what_became(&self, mut before: Checked, after: &Checked) -> Result<(), NotEdited> {
        for turn in &self.0 {
            match &turn.what {
                What::Programme(id) => before.programmes.retain(|held| held.id != *id),
                What::Exception(id) => before.exceptions.retain(|held| held.id != *id),
            }
        }
        for piece in self.pieces(true)? {
            match piece {
                Piece::Programme(programme) => before.programmes.push(*programme),
                Piece::Exception(exception) => before.exceptions.push(*exception),
            }
        }
        before.programmes.sort_by(|a, b| a.id.cmp(&b.id));
        before.exceptions.sort_by(|a, b| a.id.cmp(&b.id));
        if before == *after { Ok(()) } else { Err(NotEdited::Otherwise) }
    }
}

fn read(files: &[(String, String)]) -> Result<Checked, Faults> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut parsed = Vec::new();
    for (name, text) in files {
        match ScheduleFile::parse(name, text) {
            Ok(file) => parsed.push(file),
            Err(wrong) => faults.extend(wrong.0),
        }
    }
    Faults(faults).or(())?;
    check(parsed, &Column::usual().collect(), None)
}

/// Writes those turns anew whose things stand in this file; returns the others.
fn replace<'t>(
    name: &str,
    text: &mut String,
    turns: Vec<&'t Turn>,
) -> Result<Vec<&'t Turn>, NotEdited> {
    let file = ScheduleFile::parse(name, text)?;
    let lines = file.lines();
    let line = |turn: &Turn| lines.get(&place(&turn.what).key()).copied();
    let (mut here, rest): (Vec<_>, Vec<_>) =
        turns.into_iter().partition(|turn| line(turn).is_some());
    // From the last line up: what is written anew moves only the lines below it.
    here.sort_by_key(|turn| std::cmp::Reverse(line(turn)));
    let mut become_ = text.clone();
    for turn in here {
        if name.starts_with("announcements-") {
            return Err(NotEdited::Announcement(turn.what.clone()));
        }
        let first = line(turn).expect("it was found here");
        let after = turn.after.as_deref().unwrap_or_default();
        let unmarked = || NotEdited::Unmarked { file: name.to_owned(), what: turn.what.clone() };
        let headings = place(&turn.what).headings();
        become_ = block::replaced(&become_, first, headings, after).ok_or_else(unmarked)?;
    }
    drop(file);
    *text = become_;
    Ok(rest)
}

fn place(what: &What) -> Place<'_> {
    match what {
        What::Programme(id) => Place::Programme(id),
        What::Exception(id) => Place::Exception(id),
    }
}

fn append(files: &mut BTreeMap<String, String>, text: &str) -> Result<(), NotEdited> {
    for n in 1..=FILES_MAX {
        let name = if n == 1 { "pages.toml".to_owned() } else { format!("pages-{n}.toml") };
        let held = files.entry(name).or_insert_with(|| HEAD.to_owned());
        if held.len() + text.len() < FILE_BYTES_MAX {
            let feed = if held.ends_with('\n') { "\n" } else { "\n\n" };
            held.extend([feed, text]);
            return Ok(());
        }
    }
    Err(NotEdited::TooMany)
}
