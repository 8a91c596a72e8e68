//! Bulletins in files, as far as a plan cares: no recordings, only how far each version is.
//!
//! With them a whole province is planned, compared and explained without a station. **What such a
//! file calls approved can be planned and never be heard**: its recordings have no sound.

use std::collections::BTreeMap;

use crate::bulletin::{Class, Column, Kind, SourceLevel};
use crate::config::parse::{within, words};
use crate::config::{At, Fault, Faults, Table, read};
use crate::digest::Digest;
use crate::id::BulletinId;
use crate::lang::{LangTag, Names};
use crate::schedule::{Airable, Pending, Sound};
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};

/// Characters in a title, body or label at most.
const WORDS_CHARS_MAX: usize = 200;

/// Seconds of one version at most: two hours.
const LENGTH_S_MAX: i64 = 2 * 3600;

/// A bulletin with its name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name for people.
    pub title: String,
    /// What a plan needs of it.
    pub airable: Airable,
}

/// One file, read but not yet compared with the others.
#[derive(Debug)]
pub struct ContentFile {
    name: String,
    bulletins: Vec<At<Outline>>,
}

impl ContentFile {
    /// Reads `text`, which came from the file `name`; its times are on the clock of `zone`, its
    /// languages are among `names`.
    pub fn parse(name: &str, text: &str, zone: Zone, names: &Names) -> Result<Self, Faults> {
        read(name, text, |form| {
            let bulletins = form.tables("bulletin", |table| {
                let line = table.line();
                Some(At { line, value: bulletin(table, zone, names)? })
            });
            Some(Self { name: name.to_owned(), bulletins })
        })
    }

    /// The bulletins.
    pub fn ids(&self) -> impl Iterator<Item = &BulletinId> {
        self.bulletins.iter().map(|at| &at.value.airable.bulletin)
    }
}

/// Puts `files` together, by id, or names every bulletin that is there twice.
pub fn gather(files: Vec<ContentFile>) -> Result<Vec<Outline>, Faults> {
    let mut faults = Vec::new();
    let mut all: BTreeMap<BulletinId, (Outline, String, usize)> = BTreeMap::new();
    for file in files {
        for At { line, value } in file.bulletins {
            let id = value.airable.bulletin.clone();
            if let Some((_, other, before)) = all.get(&id) {
                let sentence =
                    format!("bulletin `{id}` is in {other}:{before} already; remove one");
                faults.push(Fault { file: file.name.clone(), line, sentence });
                continue;
            }
            all.insert(id, (value, file.name.clone(), line));
        }
    }
    Faults(faults).or(all.into_values().map(|(outline, _, _)| outline).collect())
}

/// A word of an enum that documents use too, so that files and wire have one spelling.
fn word<T: serde::de::DeserializeOwned>(words: &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let value = serde_json::Value::String(text.to_owned());
        serde_json::from_value(value).map_err(|_| format!("`{text}` is not known; write {words}"))
    }
}

fn bulletin(table: &mut Table<'_>, zone: Zone, names: &Names) -> Option<Outline> {
    let id = table.required("id", str::parse::<BulletinId>);
    let title = table.required("title_vi", words(WORDS_CHARS_MAX));
    // For readers of the file; a plan follows from none of them.
    for key in ["title_en", "area", "document_number", "campaign"] {
        table.optional(key, words(WORDS_CHARS_MAX));
    }
    table.required("issuing_body", words(WORDS_CHARS_MAX));
    table.list("topics", words(WORDS_CHARS_MAX));
    let kinds = "news, report, question-and-answer, short-play or notice";
    table.required("kind", word::<Kind>(kinds));
    let column = table.required("column", str::parse::<Column>);
    let class = table.required("class", word::<Class>("normal, priority or emergency"));
    let levels = "commune, province or central";
    let source_level = table.required("source_level", word::<SourceLevel>(levels));
    let valid_from = table.required("valid_from", |text: &str| moment(text, zone, 0));
    let valid_until = table.required("valid_until", |text: &str| moment(text, zone, 1));
    let mut voices = BTreeMap::new();
    let mut pending = BTreeMap::new();
    for (language, state) in
        table.tables("version", |table| version(table, id.as_ref(), zone, names))
    {
        let again = match state {
            Ok(sound) => voices.insert(language.clone(), sound).is_some(),
            Err(state) => pending.insert(language.clone(), state).is_some(),
        };
        if again || (voices.contains_key(&language) && pending.contains_key(&language)) {
            table.fault("version", format!("two versions in `{language}`; remove one"));
        }
    }
    let (valid_from, valid_until) = (valid_from?, valid_until?);
    if valid_from >= valid_until {
        table.fault("valid_until", "`valid_until` is not after `valid_from`; exchange them");
    }
    let airable = Airable {
        bulletin: id?,
        column: column?,
        class: class?,
        source_level: source_level?,
        valid_from,
        valid_until,
        voices,
        pending,
    };
    Some(Outline { title: title?, airable })
}

/// `2026-11-22 05:30`, or a date: its first instant, `days` later.
fn moment(text: &str, zone: Zone, days: i64) -> Result<Timestamp, String> {
    let sentence = || format!("`{text}` is no time; write 2026-11-22 or 2026-11-22 05:30");
    let Some((date, time)) = text.split_once(' ') else {
        let date: LocalDate = text.parse().map_err(|_| sentence())?;
        return Ok(zone.midnight(date.plus_days(days)));
    };
    let date: LocalDate = date.parse().map_err(|_| sentence())?;
    let time: TimeOfDay = time.parse().map_err(|_| sentence())?;
    zone.instant(time.on(date)).ok_or_else(sentence)
}

type State = Result<Sound, Pending>;

fn version(
    table: &mut Table<'_>,
    bulletin: Option<&BulletinId>,
    zone: Zone,
    names: &Names,
) -> Option<(LangTag, State)> {
    let language = table.required("language", |text: &str| {
        let tag: LangTag = text.parse().map_err(|e: crate::lang::NotATag| e.to_string())?;
        names.knows(&tag).then_some(tag).ok_or_else(|| {
            format!("unknown language `{text}`; mend it, or add [[language]] with tag = \"{text}\"")
        })
    });
    table.optional("variety", words(WORDS_CHARS_MAX));
    let length_s = table.optional("length_s", within::<u32>(1..=LENGTH_S_MAX));
    let approved = table.optional("approved", |text: &str| moment(text, zone, 0));
    let state = table.required("state", |text: &str| match text {
        "approved" => Ok(None),
        "draft" => Ok(Some(Pending::Draft)),
        "in-review" => Ok(Some(Pending::InReview)),
        "withdrawn" => Ok(Some(Pending::Withdrawn)),
        other => Err(format!("`{other}` is no state; write draft, in-review, approved, withdrawn")),
    })?;
    let (language, bulletin) = (language?, bulletin?);
    if let Some(pending) = state {
        return Some((language, Err(pending)));
    }
    let (Some(approved_at), Some(length_s)) = (approved, length_s) else {
        table.fault("state", "an approved version needs `approved`, its time, and `length_s`");
        return None;
    };
    // Names a recording that nobody made.
    let asset = Digest::of(format!("{bulletin}/{language}").as_bytes());
    let sound = Sound { asset, length_ms: u64::from(length_s) * 1000, approved_at };
    Some((language, Ok(sound)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[bulletin]]
id = "lu-quet"
title_vi = "Lũ quét"
issuing_body = "Xã Mù Cả"
kind = "notice"
column = "Phòng chống thiên tai"
class = "priority"
source_level = "commune"
valid_from = "2026-11-01"
valid_until = "2026-11-30"
[[bulletin.version]]
language = "vi"
state = "approved"
approved = "2026-11-02 16:30"
length_s = 90
[[bulletin.version]]
language = "hni"
state = "in-review"
"#;

    fn parse(text: &str) -> Result<Vec<Outline>, Faults> {
        gather(vec![ContentFile::parse("b.toml", text, Zone::default(), &Names::default())?])
    }

    #[test]
    fn a_bulletin_holds_from_its_first_to_the_end_of_its_last_date() {
        let [outline] = <[Outline; 1]>::try_from(parse(GOOD).unwrap()).unwrap();
        let day = |text: &str| Zone::default().midnight(text.parse().unwrap());
        assert_eq!(outline.airable.valid_from, day("2026-11-01"));
        assert_eq!(outline.airable.valid_until, day("2026-12-01"));
        let vi = outline.airable.voices.values().next().unwrap();
        assert_eq!(vi.approved_at, Timestamp::parse_rfc3339("2026-11-02T16:30:00+07:00").unwrap());
        assert_eq!(outline.airable.pending.values().next(), Some(&Pending::InReview));
    }

    #[test]
    fn a_language_that_the_station_adds_may_be_spoken() {
        let text = GOOD.replacen("\"hni\"", "\"kjg\"", 1);
        assert!(parse(&text).is_err());
        let mut names = Names::default();
        let (vi, en) = ("tiếng Khơ Mú".to_owned(), "Khmu".to_owned());
        names.add("kjg".parse().unwrap(), crate::lang::Name { vi, en });
        assert!(ContentFile::parse("b.toml", &text, Zone::default(), &names).is_ok());
    }

    #[test]
    fn each_wrong_thing_is_named_with_its_line() {
        for (old, new, expected) in [
            ("\"2026-11-01\"", "\"1.11.2026\"", "b.toml:10: `valid_from`: `1.11.2026` is no time"),
            ("\"2026-11-30\"", "\"2026-10-01\"", "b.toml:11: `valid_until` is not after"),
            ("length_s = 90\n", "", "b.toml:14: an approved version needs"),
            ("\"hni\"", "\"vi\"", "two versions in `vi`"),
            ("\"in-review\"", "\"reviewed\"", "b.toml:19: `state`: `reviewed` is no state"),
            ("\"hni\"", "\"hnx\"", "b.toml:18: `language`: unknown language `hnx`"),
        ] {
            let faults = parse(&GOOD.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(faults.contains(expected), "{expected}: {faults}");
        }
    }

    #[test]
    fn a_bulletin_that_is_there_twice_is_named_with_the_place_of_the_first() {
        let file = |name: &str| {
            ContentFile::parse(name, GOOD, Zone::default(), &Names::default()).unwrap()
        };
        let faults = gather(vec![file("a.toml"), file("b.toml")]).unwrap_err().to_string();
        assert_eq!(faults, "b.toml:2: bulletin `lu-quet` is in a.toml:2 already; remove one");
    }
}
