//! A fact in one plain sentence, in Vietnamese and in English: who did what to what.
//!
//! **This is the one place that turns a fact of the log into words.** A sentence is a pattern:
//! `{field}` is what the fact says there, and what stands in `[…]` is left out where the fact does
//! not say it. What people call the things that a fact names comes from whoever asks.

mod kinds;

use serde_json::{Map, Value};

use crate::lang::LangTag;
use crate::time::{Timestamp, Zone};
use kinds::{FIELDS, KINDS, WORDS};

/// Characters of one value in a sentence at most; the whole stands in the entry below it.
const VALUE_CHARS: usize = 200;

/// The same in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

impl Told {
    /// The same word in both.
    pub fn same(word: impl Into<String>) -> Self {
        let word = word.into();
        Self { vi: word.clone(), en: word }
    }
}

/// What a fact's field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// Somebody, by their id.
    Person,
    /// A bulletin, by its id.
    Bulletin,
    /// A controller, by its id.
    Controller,
    /// An area, by its id.
    Area,
    /// A programme, by its id.
    Programme,
    /// Duties, as they are written.
    Duties,
    /// A language, by its tag.
    Language,
    /// An instant.
    Moment,
    /// A word that this module has in both languages.
    Word,
}

/// What people call things; `None` where nobody knows.
pub trait Names {
    /// What people call what has this id.
    fn of(&self, noun: Noun, id: &str) -> Option<Told>;
}

/// Nobody knows any name.
impl Names for () {
    fn of(&self, _: Noun, _: &str) -> Option<Told> {
        None
    }
}

/// Every kind of fact that has a sentence.
pub fn told_kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, ..)| *kind)
}

/// The sentence of a fact, without its time; `None` for a kind that this program does not know,
/// which a later one may have written.
pub fn sentence(kind: &str, who: &str, body: &str, names: &dyn Names, zone: Zone) -> Option<Told> {
    let (_, vi, en) = KINDS.iter().find(|(known, ..)| *known == kind)?;
    let fact = Fact { who, body: members(body), names, zone };
    let vi = capital(&fact.filled(vi, |told| told.vi).unwrap_or_default());
    let en = capital(&fact.filled(en, |told| told.en).unwrap_or_default());
    Some(Told { vi: format!("{vi}."), en: format!("{en}.") })
}

/// The members of a fact, those of the note that it holds, and how what it tells of ended.
fn members(body: &str) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let note = members.get("note").and_then(Value::as_str).and_then(|note| note.lines().next());
    let inside: Option<Map<String, Value>> = note.and_then(|line| serde_json::from_str(line).ok());
    // How something ended stands in a member of its own.
    let end = members.get("withdrawn").and_then(Value::as_object).cloned();
    for (name, value) in inside.into_iter().chain(end).flatten() {
        members.entry(name).or_insert(value);
    }
    members
}

struct Fact<'a> {
    who: &'a str,
    body: Map<String, Value>,
    names: &'a dyn Names,
    zone: Zone,
}

impl Fact<'_> {
    /// A pattern with every place filled; `None` where a place outside of brackets stays empty.
    fn filled(&self, pattern: &str, of: fn(Told) -> String) -> Option<String> {
        let mut out = String::new();
        let mut rest = pattern;
        while let Some(at) = rest.find(['{', '[']) {
            out.push_str(&rest[..at]);
            let open = &rest[at..];
            let end = if open.starts_with('{') { '}' } else { ']' };
            let (inside, after) = open[1..].split_once(end)?;
            if end == '}' {
                let told = self.told(inside).unwrap_or_else(|| Told::same("?"));
                out.push_str(&of(told));
            } else if self.says_all(inside) {
                out.push_str(&self.filled(inside, of)?);
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    fn says_all(&self, pattern: &str) -> bool {
        let fields = pattern.split('{').skip(1).filter_map(|part| part.split('}').next());
        fields.into_iter().all(|field| self.told(field).is_some())
    }

    /// What a field says, in words.
    fn told(&self, field: &str) -> Option<Told> {
        if field == "who" {
            return Some(self.actor());
        }
        let noun = FIELDS.iter().find(|(known, _)| *known == field).map(|(_, noun)| *noun);
        self.value(noun, self.body.get(field)?)
    }

    fn value(&self, noun: Option<Noun>, value: &Value) -> Option<Told> {
        match value {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(self.named(noun, text)),
            Value::Number(number) => match (noun, number.as_i64()) {
                (Some(Noun::Moment), Some(at)) => Some(self.moment(at)),
                _ => Some(Told::same(number.to_string())),
            },
            Value::Bool(yes) => Some(Told::same(yes.to_string())),
            Value::Array(all) if all.is_empty() => None,
            Value::Array(all) => {
                let each: Vec<Told> = all.iter().filter_map(|one| self.value(noun, one)).collect();
                let join =
                    |of: fn(&Told) -> &str| each.iter().map(of).collect::<Vec<_>>().join(", ");
                Some(Told { vi: join(|told| &told.vi), en: join(|told| &told.en) })
            }
            Value::Object(object) if object.contains_key("what") => self.turn(object),
            Value::Object(object) => {
                let told = self.named(Some(Noun::Word), object.get("do")?.as_str()?);
                let percent = object.get("percent").map(|percent| format!(" {percent} %"));
                let more = percent.unwrap_or_default();
                Some(Told { vi: told.vi + &more, en: told.en + &more })
            }
        }
    }

    /// A piece of the schedule with what was done to it.
    fn turn(&self, turn: &Map<String, Value>) -> Option<Told> {
        let (what, id) = turn.get("what")?.as_str()?.split_once('/')?;
        let is = |side: &str| turn.get(side).is_some_and(|side| !side.is_null());
        let (vi, en) = match (is("before"), is("after")) {
            (false, _) => ("thêm", "added"),
            (true, false) => ("bỏ", "ended"),
            (true, true) => ("đổi", "changed"),
        };
        let noun = if what == "programme" { Noun::Programme } else { Noun::Word };
        let (kind, name) = (self.named(Some(Noun::Word), what), self.named(Some(noun), id));
        let told = |verb: &str, kind: &str, name: &str| format!("{verb} {kind} {name}");
        Some(Told { vi: told(vi, &kind.vi, &name.vi), en: told(en, &kind.en, &name.en) })
    }

    fn named(&self, noun: Option<Noun>, text: &str) -> Told {
        let short = || Told::same(text.chars().take(VALUE_CHARS).collect::<String>());
        let Some(noun) = noun else { return short() };
        let own = match noun {
            Noun::Language => text
                .parse::<LangTag>()
                .ok()
                .map(|tag| Told { vi: tag.name_vi().to_owned(), en: tag.name_en().to_owned() }),
            Noun::Word => word(text),
            _ => None,
        };
        self.names.of(noun, text).or(own).unwrap_or_else(short)
    }

    fn moment(&self, micros: i64) -> Told {
        let at = self.zone.local(Timestamp::from_micros(micros));
        Told::same(at.format("%H:%M %d/%m/%Y").to_string())
    }

    fn actor(&self) -> Told {
        match self.who.split_once(':') {
            Some(("person", id)) => self.named(Some(Noun::Person), id),
            Some(("controller", id)) => {
                let told = self.named(Some(Noun::Controller), id);
                Told { vi: format!("bộ thu {}", told.vi), en: format!("controller {}", told.en) }
            }
            _ if self.who == "server" => {
                Told { vi: "máy chủ".to_owned(), en: "the server".to_owned() }
            }
            _ => Told::same(self.who),
        }
    }
}

fn word(text: &str) -> Option<Told> {
    let (_, vi, en) = WORDS.iter().find(|(known, ..)| *known == text)?;
    Some(Told { vi: (*vi).to_owned(), en: (*en).to_owned() })
}

/// A sentence begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
