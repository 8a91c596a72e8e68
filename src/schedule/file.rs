//! Schedule files: areas, controllers, airtime policies and programmes as people write them.
//!
//! Any number of files make one schedule. Each is read by itself; [`check`] then puts them
//! together and names what does not fit. **Either everything is right, or every fault is named
//! with its file and line and nothing is taken over.** [`Checked::export`] writes one file that
//! reads back as the same schedule.

use std::collections::BTreeMap;

use crate::bulletin::{Column, Lists};
use crate::calendar::Airtime;
use crate::config::{At, Faults, read};
use crate::fleet::{Area, AreaTree, Controller};
use crate::id::{AreaId, BulletinId, ControllerId, ExceptionId, NotAnId, ProgrammeId, Tag};
use crate::lang::{LangTag, Names, NotATag};
use crate::schedule::{Exception, Programme};

pub(in crate::schedule) mod block;
mod check;
pub mod content;
mod exceptions;
pub(in crate::schedule) mod export;
mod lists;
pub(in crate::schedule) mod tables;

pub use check::check;
pub use export::{exception as exception_text, programme as programme_text};
pub use export::{language as language_text, named as named_text};

/// One file, read but not yet compared with the others.
#[derive(Debug)]
pub struct ScheduleFile {
    name: String,
    lists: Lists,
    areas: Vec<Area>,
    controllers: Vec<Controller>,
    policies: Vec<(AreaId, Airtime)>,
    programmes: Vec<Programme>,
    exceptions: Vec<Exception>,
    notes: Notes,
}

impl ScheduleFile {
    /// Reads `text`, which came from the file `name`.
    pub fn parse(name: &str, text: &str) -> Result<Self, Faults> {
        read(name, text, |form| {
            let mut notes = Notes::default();
            Some(Self {
                name: name.to_owned(),
                lists: lists::lists(form, &mut notes),
                areas: form.tables("area", |table| tables::area(table, &mut notes)),
                controllers: form
                    .tables("controller", |table| tables::controller(table, &mut notes)),
                policies: form.tables("policy", |table| tables::policy(table, &mut notes)),
                programmes: form.tables("programme", |table| tables::programme(table, &mut notes)),
                exceptions: form
                    .tables("exception", |table| exceptions::exception(table, &mut notes)),
                notes,
            })
        })
    }
}

impl ScheduleFile {
    /// The languages that the file adds.
    pub fn languages(&self) -> &Names {
        &self.lists.languages
    }

    /// The line on which each thing that can be written anew begins, counted from 1.
    pub(in crate::schedule) fn lines(&self) -> BTreeMap<(Noun, &str), usize> {
        let is_place =
            |noun| [Noun::Area, Noun::Controller, Noun::Programme, Noun::Exception].contains(&noun);
        let places = self.notes.definitions.iter().filter(|at| is_place(at.value.0));
        places.map(|at| ((at.value.0, at.value.1.as_str()), at.line)).collect()
    }

    /// Its only programme, where it has one.
    pub(in crate::schedule) fn programme(self) -> Option<Programme> {
        self.programmes.into_iter().next()
    }

    /// Its only exception, where it has one.
    pub(in crate::schedule) fn exception(self) -> Option<Exception> {
        self.exceptions.into_iter().next()
    }
}

/// What is written anew in a file, with the rest of it left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schedule) enum Place<'a> {
    /// An area.
    Area(&'a AreaId),
    /// A controller.
    Controller(&'a ControllerId),
    /// A programme.
    Programme(&'a ProgrammeId),
    /// An exception.
    Exception(&'a ExceptionId),
}

impl<'a> Place<'a> {
    /// What it is in [`ScheduleFile::lines`].
    pub(in crate::schedule) fn key(self) -> (Noun, &'a str) {
        match self {
            Self::Area(id) => (Noun::Area, id.as_str()),
            Self::Controller(id) => (Noun::Controller, id.as_str()),
            Self::Programme(id) => (Noun::Programme, id.as_str()),
            Self::Exception(id) => (Noun::Exception, id.as_str()),
        }
    }

    /// The heading of its block, and that of what stands inside it.
    pub(in crate::schedule) fn headings(self) -> (&'static str, &'static str) {
        match self {
            Self::Area(_) => ("[[area]]", "[[area.listens]]"),
            Self::Controller(_) => ("[[controller]]", "[[controller]]"),
            Self::Programme(_) => ("[[programme]]", "[[programme]]"),
            Self::Exception(_) => ("[[exception]]", "[[exception]]"),
        }
    }
}

/// Everything that the files say, right as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The languages, columns, topics and campaigns that the files add to the usual ones.
    pub lists: Lists,
    /// The areas.
    pub tree: AreaTree,
    /// The controllers, by id.
    pub controllers: Vec<Controller>,
    /// Airtime by area.
    pub policies: BTreeMap<AreaId, Airtime>,
    /// The programmes, by id.
    pub programmes: Vec<Programme>,
    /// The exceptions, by id.
    pub exceptions: Vec<Exception>,
}

/// What a file defines, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::schedule) enum Noun {
    Language,
    Column,
    Topic,
    Campaign,
    Area,
    Controller,
    Policy,
    Programme,
    Exception,
    /// A tag that areas carry; any number of them.
    AreaTag,
    /// A tag that programmes carry; any number of them.
    ProgrammeTag,
}

/// What a file names that must be somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mention {
    Area(AreaId),
    Language(LangTag),
    Column(Column),
    Bulletin(BulletinId),
    Programme(ProgrammeId),
    Tag(Noun, Tag),
}

/// The lines of definitions and mentions, for the check across files.
#[derive(Debug, Default)]
struct Notes {
    definitions: Vec<At<(Noun, String)>>,
    mentions: Vec<At<Mention>>,
    carried: Vec<(Noun, Tag)>,
}

impl Notes {
    fn define(&mut self, noun: Noun, line: usize, id: &str) {
        self.definitions.push(At { line, value: (noun, id.to_owned()) });
    }

    fn mention<T: Clone>(&mut self, line: usize, value: &T, wrap: impl FnOnce(T) -> Mention) {
        self.mentions.push(At { line, value: wrap(value.clone()) });
    }

    /// Notes that something carries a tag.
    fn carry(&mut self, noun: Noun, tag: &Tag) {
        self.carried.push((noun, tag.clone()));
    }

    /// A tag that something of the kind `noun` must carry.
    fn tag(&mut self, text: At<&str>, noun: Noun) -> Result<Tag, NotAnId> {
        let tag = text.value.parse()?;
        self.mention(text.line, &tag, |tag| Mention::Tag(noun, tag));
        Ok(tag)
    }

    fn bulletin(&mut self, text: At<&str>) -> Result<BulletinId, NotAnId> {
        let id = text.value.parse()?;
        self.mention(text.line, &id, Mention::Bulletin);
        Ok(id)
    }

    fn area(&mut self, text: At<&str>) -> Result<AreaId, NotAnId> {
        let id = text.value.parse()?;
        self.mention(text.line, &id, Mention::Area);
        Ok(id)
    }

    fn language(&mut self, text: At<&str>) -> Result<LangTag, NotATag> {
        let tag = text.value.parse()?;
        self.mention(text.line, &tag, Mention::Language);
        Ok(tag)
    }
}

#[cfg(test)]
mod tests;
