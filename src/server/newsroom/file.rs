//! `bulletins.toml`: bulletins with their versions and the files of their recordings.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bulletin::version::Voice;
use crate::bulletin::{
    Bulletin, Class, Column, DocumentNumber, IssuingBody, Kind, Script, SourceLevel, TOPICS_MAX,
    Title, Topic, Variety,
};
use crate::config::{self, Faults, Table, parse};
use crate::id::{AreaId, BulletinId, PersonId};
use crate::lang::LangTag;
use crate::schedule::file::Checked;
use crate::time::Timestamp;

/// Days that a bulletin may be valid at most.
const VALID_DAYS_MAX: i64 = 366;

/// Bytes of a file's name at most.
const FILE_NAME_BYTES_MAX: usize = 200;

/// From when and until when a bulletin of a file may be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// So many days from its first import on.
    Days(u32),
    /// From one instant until before another.
    Span(Timestamp, Timestamp),
}

impl Validity {
    /// From when and until when, where it is taken in at `now`.
    pub fn from(self, now: Timestamp) -> (Timestamp, Timestamp) {
        match self {
            Self::Days(days) => {
                let now = Timestamp::from_seconds(now.seconds());
                (now, now + Duration::from_secs(u64::from(days) * 86_400))
            }
            Self::Span(from, until) => (from, until),
        }
    }
}

/// One bulletin of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulletinFile {
    /// The bulletin; its validity is set when it is taken in.
    pub bulletin: Bulletin,
    /// From when and until when it may be heard.
    pub validity: Validity,
    /// Its versions.
    pub versions: Vec<VersionEntry>,
}

/// One version of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionEntry {
    /// The language.
    pub language: LangTag,
    /// Which speech of it.
    pub variety: Option<Variety>,
    /// What is read out.
    pub script: Script,
    /// Who handed the text in, where it was not the station itself.
    pub contributor: Option<PersonId>,
    /// Who translated it; none for the original.
    pub translator: Option<PersonId>,
    /// The recording; none where it is not made yet.
    pub spoken: Option<SpokenEntry>,
}

/// The recording of a version of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenEntry {
    /// The file, beside the one that names it.
    pub file: String,
    /// Whose voice it is.
    pub voice: Voice,
    /// Who spoke it; whoever hands it in, where nobody is named.
    pub announcer: Option<PersonId>,
}

impl BulletinFile {
    /// Reads every bulletin of `text`, which came from `name`, beside what the station's schedule
    /// says of languages, columns, topics, campaigns and areas.
    pub fn parse(name: &str, text: &str, known: &Checked) -> Result<Vec<Self>, Faults> {
        let mut seen = BTreeSet::new();
        config::read(name, text, |form| {
            Some(form.tables("bulletin", |table| {
                let read = bulletin(table, known)?;
                if !seen.insert(read.bulletin.id.clone()) {
                    table.fault("id", format!("`{}` is here twice; rename one", read.bulletin.id));
                }
                Some(read)
            }))
        })
    }

    /// The bulletin as it is taken in at `now`.
    pub fn bulletin_from(&self, now: Timestamp) -> Bulletin {
        let (valid_from, valid_until) = self.validity.from(now);
        Bulletin { valid_from, valid_until, ..self.bulletin.clone() }
    }
}

/// One of an enum's words.
fn word<T: Copy, const N: usize>(
    noun: &'static str,
    all: [T; N],
    word: impl Fn(T) -> &'static str,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        all.into_iter().find(|value| word(*value) == text).ok_or_else(|| {
            let words = all.map(&word).join(", ");
            format!("`{text}` is no {noun}; use one of {words}")
        })
    }
}

/// What is on a list of the station, or a sentence that says how to add it.
fn listed<T: std::str::FromStr<Err: std::fmt::Display>>(
    noun: &'static str,
    known: impl Fn(&T) -> bool,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let value: T = text.parse().map_err(|e: T::Err| e.to_string())?;
        known(&value).then_some(value).ok_or_else(|| {
            format!(
                "`{text}` is no {noun} of this station; mend it, or add [[{noun}]] with \
                 name = \"{text}\" to a schedule file and import that"
            )
        })
    }
}

fn bulletin(table: &mut Table<'_>, known: &Checked) -> Option<BulletinFile> {
    let lists = &known.lists;
    let id = table.required("id", str::parse::<BulletinId>);
    let title = table.required("title_vi", str::parse::<Title>);
    let title_en = table.optional("title_en", str::parse::<Title>);
    let area = table.optional("area", |text: &str| area(text, known));
    let column = listed("column", |column: &Column| lists.has_column(column));
    let column = table.required("column", column);
    let kind = table.required("kind", word("kind", Kind::ALL, Kind::word));
    let class = table.required("class", word("class", Class::ALL, Class::word));
    let source_level = word("source level", SourceLevel::ALL, SourceLevel::word);
    let source_level = table.required("source_level", source_level);
    let issuing_body = table.required("issuing_body", str::parse::<IssuingBody>);
    let document_number = table.optional("document_number", str::parse::<DocumentNumber>);
    let topics = table.list("topics", listed("topic", |topic: &Topic| lists.has_topic(topic)));
    let topics: BTreeSet<Topic> = topics.unwrap_or_default().into_iter().collect();
    if topics.len() > TOPICS_MAX {
        table.fault("topics", format!("more than {TOPICS_MAX} topics; keep the nearest ones"));
    }
    let campaign = listed("campaign", |campaign| lists.has_campaign(campaign));
    let campaign = table.optional("campaign", campaign);
    let validity = validity(table);
    let versions = table.tables("version", |table| version(table, known));
    repeated(table, &versions);
    let bulletin = Bulletin {
        id: id?,
        title: title?,
        title_en,
        area,
        column: column?,
        kind: kind?,
        class: class?,
        source_level: source_level?,
        issuing_body: issuing_body?,
        document_number,
        topics,
        campaign,
        valid_from: Timestamp::EPOCH,
        valid_until: Timestamp::EPOCH,
    };
    Some(BulletinFile { bulletin, validity: validity?, versions })
}

fn area(text: &str, known: &Checked) -> Result<AreaId, String> {
    let area: AreaId = text.parse().map_err(|e: crate::id::NotAnId| e.to_string())?;
    match known.tree.get(&area) {
        Some(_) => Ok(area),
        None => Err(format!("`{area}` is no area of this station; mend it, or import the area")),
    }
}

fn repeated(table: &Table<'_>, versions: &[VersionEntry]) {
    let mut seen = BTreeSet::new();
    for version in versions {
        if !seen.insert(&version.language) {
            let sentence = format!("two versions in {}; remove one", version.language);
            table.fault("version", sentence);
        }
    }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no instant; write it like 2026-11-22T05:30:00+07:00"))
}

fn validity(table: &mut Table<'_>) -> Option<Validity> {
    let days = table.optional("valid_days", parse::within::<u32>(1..=VALID_DAYS_MAX));
    let from = table.optional("valid_from", instant);
    let until = table.optional("valid_until", instant);
    let spanned = table.has("valid_from") || table.has("valid_until");
    match (table.has("valid_days"), spanned) {
        (true, false) => days.map(Validity::Days),
        (false, true) => span(table, from, until),
        _ => {
            let sentence = "write either `valid_days`, or `valid_from` and `valid_until`";
            table.fault("valid_days", sentence);
            None
        }
    }
}

fn span(table: &Table<'_>, from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Validity> {
    if !(table.has("valid_from") && table.has("valid_until")) {
        table.fault("valid_from", "`valid_from` and `valid_until` belong together; write both");
    }
    let (from, until) = (from?, until?);
    let longest = Duration::from_secs(VALID_DAYS_MAX.unsigned_abs() * 86_400);
    if until <= from {
        table.fault("valid_until", "`valid_until` is not after `valid_from`; exchange them");
    } else if until.since(from) > longest {
        table
            .fault("valid_until", format!("valid for more than {VALID_DAYS_MAX} days; shorten it"));
    }
    Some(Validity::Span(from, until))
}

fn version(table: &mut Table<'_>, known: &Checked) -> Option<VersionEntry> {
    let languages = &known.lists.languages;
    let language = table.required("language", |text: &str| {
        let tag: LangTag = text.parse().map_err(|e: crate::lang::NotATag| e.to_string())?;
        let tags = languages.tags();
        languages.knows(&tag).then_some(tag).ok_or_else(|| {
            format!(
                "`{text}` is no language of this station; use {tags}, or add [[language]] with \
                 tag = \"{text}\" to a schedule file and import that"
            )
        })
    });
    let variety = table.optional("variety", str::parse::<Variety>);
    let script = table.required("script", str::parse::<Script>);
    let contributor = table.optional("contributor", str::parse::<PersonId>);
    let translator = table.optional("translator", str::parse::<PersonId>);
    let file = table.optional("file", file_name);
    let voice = table.optional("voice", word("voice", Voice::ALL, Voice::word));
    let announcer = table.optional("announcer", str::parse::<PersonId>);
    let recorded = table.has("file");
    if recorded != table.has("voice") || (table.has("announcer") && !recorded) {
        let sentence = "a recording has `file` and `voice`; a text alone has neither, and no \
                        `announcer`";
        table.fault(if recorded { "file" } else { "voice" }, sentence);
    }
    let spoken = match (file, voice) {
        (Some(file), Some(voice)) => Some(SpokenEntry { file, voice, announcer }),
        _ => None,
    };
    Some(VersionEntry {
        language: language?,
        variety,
        script: script?,
        contributor,
        translator,
        spoken,
    })
}

fn file_name(text: &str) -> Result<String, String> {
    let plain = (1..=FILE_NAME_BYTES_MAX).contains(&text.len())
        && !text.contains(['/', '\\', '\0'])
        && !text.starts_with('.');
    if plain {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` must name a file in the same folder"))
    }
}
