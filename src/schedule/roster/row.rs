//! One row of a sheet: what it says of an area or a controller.

use std::fmt::Display;

use super::Origin;
use super::sheet::Cells;
use crate::config::Fault;
use crate::config::parse::words;
use crate::fleet::{Area, Level, Share, Wish};
use crate::id::{AreaId, ControllerId};
use crate::lang::{LangTag, Names};
use crate::schedule::file::tables::{NAME_CHARS_MAX, code};

/// What empties a value.
const NOTHING: &str = "-";

/// The levels with the words of sheets, folded.
const LEVELS: [(&str, Level); 9] = [
    ("province", Level::Province),
    ("tinh", Level::Province),
    ("commune", Level::Commune),
    ("xa", Level::Commune),
    ("phuong", Level::Commune),
    ("dac khu", Level::Commune),
    ("village", Level::Village),
    ("ban", Level::Village),
    ("thon", Level::Village),
];

/// What a cell says of a value that may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said<T> {
    /// Nothing: what is held stays.
    Nothing,
    /// `-`: it is emptied.
    Empty,
    /// What it is.
    Value(T),
}

impl<T: Clone> Said<T> {
    fn over(&self, held: &mut Option<T>) {
        match self {
            Self::Nothing => {}
            Self::Empty => *held = None,
            Self::Value(value) => *held = Some(value.clone()),
        }
    }

    fn over_list<I: Clone>(&self, held: &mut Vec<I>)
    where
        T: AsRef<[I]>,
    {
        match self {
            Self::Nothing => {}
            Self::Empty => held.clear(),
            Self::Value(list) => *held = list.as_ref().to_vec(),
        }
    }
}

/// What a row says of an area.
#[derive(Debug, Clone)]
pub(super) struct AreaRow {
    pub(super) origin: Origin,
    pub(super) id: AreaId,
    pub(super) parent: Said<String>,
    name: Option<String>,
    level: Option<Level>,
    village: bool,
    code: Said<String>,
    old_codes: Said<Vec<String>>,
    listens: Said<Vec<Wish>>,
    fallback: Said<LangTag>,
}

/// Reads one cell at a time and notes what is wrong with it.
struct Reading<'r> {
    row: &'r Cells,
    faults: &'r mut Vec<Fault>,
}

impl Reading<'_> {
    fn cell<T, E: Display>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.row.get(column)?;
        let refuse = |error: E| self.row.origin.fault(format!("{column}: {error}"));
        parse(text).map_err(|error| self.faults.push(refuse(error))).ok()
    }

    /// A value that `-` empties.
    fn clearable<T, E: Display>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Said<T> {
        match self.row.get(column) {
            None => Said::Nothing,
            Some(NOTHING) => Said::Empty,
            Some(_) => self.cell(column, parse).map_or(Said::Nothing, Said::Value),
        }
    }

    fn id<T: std::str::FromStr<Err: Display>>(&mut self) -> Option<T> {
        if self.row.get("id").is_none() {
            self.faults.push(self.row.origin.fault("the id is missing; write it"));
        }
        self.cell("id", str::parse)
    }
}

impl AreaRow {
    pub(super) fn read(
        row: &Cells,
        village: bool,
        names: &Names,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let mut reading = Reading { row, faults };
        let id = reading.id();
        let parent = reading.clearable("parent", |text| Ok::<_, String>(text.to_owned()));
        let name = reading.cell("name", words(NAME_CHARS_MAX));
        let level = reading.cell("level", level);
        let code = reading.clearable("code", code);
        let old_codes = reading.clearable("old_codes", codes);
        let listens = reading.clearable("languages", |text| profile(text, names));
        let fallback = reading.clearable("fallback", |text| language(text, names));
        Some(Self {
            origin: row.origin.clone(),
            id: id?,
            parent,
            name,
            level,
            village,
            code,
            old_codes,
            listens,
            fallback,
        })
    }

    /// What the row says, over what is held; its parent is found later.
    pub(super) fn apply(&self, area: &mut Area) {
        area.name = self.name.clone().unwrap_or_else(|| area.name.clone());
        area.level = self.level.unwrap_or(area.level);
        self.code.over(&mut area.code);
        self.old_codes.over_list(&mut area.old_codes);
        self.listens.over_list(&mut area.listens);
        self.fallback.over(&mut area.fallback);
    }

    /// A new area, which needs a name and a level.
    pub(super) fn build(&self, faults: &mut Vec<Fault>) -> Option<Area> {
        if self.name.is_none() {
            faults.push(self.origin.fault(format!("{} is new and has no name; write it", self.id)));
        }
        let level = self.level.or(self.village.then_some(Level::Village));
        if level.is_none() {
            let sentence = format!("{} is new and has no level; write xã, bản, …", self.id);
            faults.push(self.origin.fault(sentence));
        }
        let mut area = Area {
            id: self.id.clone(),
            name: self.name.clone()?,
            level: level?,
            parent: None,
            code: None,
            old_codes: Vec::new(),
            listens: Vec::new(),
            fallback: None,
            tags: Vec::new(),
            position: None,
        };
        self.apply(&mut area);
        Some(area)
    }
}

/// What a row says of a controller.
#[derive(Debug, Clone)]
pub(super) struct ControllerRow {
    pub(super) origin: Origin,
    pub(super) id: ControllerId,
    pub(super) area: String,
}

impl ControllerRow {
    pub(super) fn read(row: &Cells, faults: &mut Vec<Fault>) -> Option<Self> {
        let mut reading = Reading { row, faults };
        let id = reading.id();
        let Some(area) = row.get("area") else {
            reading.faults.push(row.origin.fault("the area is missing; write its id or code"));
            return None;
        };
        Some(Self { origin: row.origin.clone(), id: id?, area: area.to_owned() })
    }
}

fn level(text: &str) -> Result<Level, String> {
    let folded = crate::lang::fold::line(text);
    let found = LEVELS.iter().find(|(word, _)| *word == folded);
    found.map(|(_, level)| *level).ok_or_else(|| {
        format!("`{text}` is no level; write tỉnh, xã, phường, đặc khu, bản, thôn, or in English")
    })
}

/// Codes with blanks or `+` between them.
fn codes(text: &str) -> Result<Vec<String>, String> {
    let words = text.split([' ', '+', '|']).filter(|word| !word.is_empty());
    let mut codes = words.map(code).collect::<Result<Vec<_>, _>>()?;
    codes.sort();
    codes.dedup();
    Ok(codes)
}

/// `mww/hnj/hmn=55 vi=40`: languages in order, stand-ins after strokes, shares after `=`.
fn profile(text: &str, names: &Names) -> Result<Vec<Wish>, String> {
    let mut wishes: Vec<Wish> = Vec::new();
    for word in text.split_whitespace() {
        let (languages, share) = match word.split_once('=') {
            Some((languages, share)) => (languages, Some(self::share(share)?)),
            None => (word, None),
        };
        let mut languages = languages.split('/').map(|tag| language(tag, names));
        let first = languages.next().ok_or("write languages like mww/hnj=55 vi=40")??;
        if wishes.iter().any(|wish| wish.language == first) {
            return Err(format!("{first} is there twice; keep its first place"));
        }
        let stand_ins = languages.collect::<Result<_, _>>()?;
        wishes.push(Wish { language: first, stand_ins, share });
    }
    let percent: u32 = wishes.iter().filter_map(|w| w.share).map(|s| u32::from(s.get())).sum();
    if percent > 100 {
        return Err(format!("the shares sum to {percent} %; mend them to 100 at most"));
    }
    Ok(wishes)
}

fn share(text: &str) -> Result<Share, String> {
    let number: u8 = text
        .trim_end_matches('%')
        .parse()
        .map_err(|_| format!("`{text}` is no share; write whole per cent, such as mww=55"))?;
    Share::percent(number).map_err(|error| error.to_string())
}

fn language(text: &str, names: &Names) -> Result<LangTag, String> {
    let tag: LangTag = text.parse().map_err(|e: crate::lang::NotATag| e.to_string())?;
    if names.knows(&tag) {
        return Ok(tag);
    }
    Err(format!("`{tag}` is no language of this station; use {}", names.tags()))
}

fn wishes(listens: &[Wish]) -> String {
    let word = |wish: &Wish| {
        let stand_ins: Vec<&str> = wish.stand_ins.iter().flat_map(|t| ["/", t.as_str()]).collect();
        let share = wish.share.map(|share| format!("={}", share.get())).unwrap_or_default();
        format!("{}{}{share}", wish.language, stand_ins.concat())
    };
    listens.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A new area in words.
pub(super) fn new_area(area: &Area) -> String {
    let parent = area.parent.as_ref().map(|parent| format!(" in {parent}")).unwrap_or_default();
    let languages = wishes(&area.listens);
    let listens = if languages.is_empty() { languages } else { format!(", {languages}") };
    format!("{}{parent}{listens}", area.name)
}

/// What is different, in words.
pub(super) fn difference(before: &Area, after: &Area) -> String {
    let text = |value: Option<&dyn Display>| value.map_or("-".to_owned(), ToString::to_string);
    let optional = |value: Option<&AreaId>| text(value.map(|value| value as &dyn Display));
    let pairs = [
        ("name", before.name.clone(), after.name.clone()),
        ("level", format!("{:?}", before.level), format!("{:?}", after.level)),
        ("parent", optional(before.parent.as_ref()), optional(after.parent.as_ref())),
        (
            "code",
            before.code.clone().unwrap_or_else(|| NOTHING.to_owned()),
            after.code.clone().unwrap_or_else(|| NOTHING.to_owned()),
        ),
        ("old_codes", before.old_codes.join(" "), after.old_codes.join(" ")),
        ("languages", wishes(&before.listens), wishes(&after.listens)),
        (
            "fallback",
            text(before.fallback.as_ref().map(|tag| tag as &dyn Display)),
            text(after.fallback.as_ref().map(|tag| tag as &dyn Display)),
        ),
    ];
    let changed = pairs.iter().filter(|(_, before, after)| before != after);
    let words: Vec<String> =
        changed.map(|(key, before, after)| format!("{key} {before} → {after}")).collect();
    words.join("; ")
}
