//! `bulletins.toml`: bulletins with their versions and the files of their recordings.

use crate::bulletin::version::Voice;
use crate::bulletin::{Bulletin, Class, Column, Kind, SourceLevel};
use crate::config::{self, Faults, Table, parse};
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::time::Timestamp;

/// Days that a bulletin may be valid at most.
const VALID_DAYS_MAX: i64 = 366;

/// Characters of a script at most: two hours of speech.
const SCRIPT_CHARS_MAX: usize = 100_000;

/// One bulletin of the file.
#[derive(Clone, Debug)]
pub struct BulletinFile {
    /// The bulletin; its validity is set when it is taken in.
    pub bulletin: Bulletin,
    /// Days from then on which it may be heard.
    pub valid_days: u32,
    /// Its versions.
    pub versions: Vec<VersionEntry>,
}

/// One version of the file.
#[derive(Clone, Debug)]
pub struct VersionEntry {
    /// The language.
    pub language: LangTag,
    /// Which speech of it; may be empty.
    pub variety: String,
    /// The file, beside the one that names it.
    pub file: String,
    /// What is read out.
    pub script: String,
    /// Whose voice it is.
    pub voice: Voice,
}

impl BulletinFile {
    /// Reads every bulletin of `text`, which came from `name`.
    pub fn parse(name: &str, text: &str) -> Result<Vec<Self>, Faults> {
        config::read(name, text, |form| Some(form.tables("bulletin", bulletin)))
    }

    /// The bulletin, valid from `now`.
    pub fn bulletin_from(&self, now: Timestamp) -> Bulletin {
        let (valid_from, valid_until) = super::validity(now, self.valid_days);
        Bulletin { valid_from, valid_until, ..self.bulletin.clone() }
    }
}

/// A word of an enum that serde reads too, so that file and store have one spelling.
fn word<T: serde::de::DeserializeOwned>(
    noun: &'static str,
    words: &'static str,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        serde_json::from_value(serde_json::Value::String(text.to_owned()))
            .map_err(|_| format!("`{text}` is no {noun}; use {words}"))
    }
}

fn bulletin(table: &mut Table<'_>) -> Option<BulletinFile> {
    let id = table.required("id", str::parse::<BulletinId>);
    let title = table.required("title_vi", parse::words(200));
    // For readers of the file.
    table.optional("title_en", parse::words(200));
    let column = table.required("column", |text: &str| {
        text.parse::<Column>().map_err(|e| e.to_string()).and_then(|column| {
            let known = Column::usual().any(|usual| usual == column);
            known.then_some(column).ok_or_else(|| {
                format!("`{text}` is no column of this station; use one of its columns or add it")
            })
        })
    });
    let kinds = "news, report, question-and-answer, short-play or notice";
    let kind = table.required("kind", word::<Kind>("kind", kinds));
    let class = table.required("class", word::<Class>("class", "normal, priority or emergency"));
    let levels = "commune, province or central";
    let source_level = table.required("source_level", word::<SourceLevel>("source level", levels));
    let issuing_body = table.required("issuing_body", parse::words(200));
    let valid_days = table.required("valid_days", parse::within::<u32>(1..=VALID_DAYS_MAX));
    let versions = table.tables("version", version);
    let bulletin = Bulletin {
        id: id?,
        title: title?,
        column: column?,
        kind: kind?,
        class: class?,
        source_level: source_level?,
        issuing_body: issuing_body?,
        valid_from: Timestamp::EPOCH,
        valid_until: Timestamp::EPOCH,
    };
    Some(BulletinFile { bulletin, valid_days: valid_days?, versions })
}

fn version(table: &mut Table<'_>) -> Option<VersionEntry> {
    let language = table.required("language", |text: &str| {
        let tag: LangTag = text.parse().map_err(|e: crate::lang::NotATag| e.to_string())?;
        let sentence = || format!("`{text}` is no language of this station; use vi, mww, twh, …");
        crate::lang::Names::default().knows(&tag).then_some(tag).ok_or_else(sentence)
    });
    let variety = table.optional("variety", parse::words(80)).unwrap_or_default();
    let file = table.required("file", |text: &str| {
        let plain = !text.is_empty() && !text.contains(['/', '\\']) && !text.starts_with('.');
        let sentence = || format!("`{text}` must name a file in the same folder");
        plain.then(|| text.to_owned()).ok_or_else(sentence)
    });
    let script = table.required("script", parse::words(SCRIPT_CHARS_MAX));
    let voices = "human, synthetic or stand-in";
    let voice = table.required("voice", word::<Voice>("voice", voices));
    Some(VersionEntry { language: language?, variety, file: file?, script: script?, voice: voice? })
}
