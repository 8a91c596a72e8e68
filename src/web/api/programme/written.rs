//! Programmes and exceptions as JSON: the words of a schedule file, read by its reader.
//!
//! **What a file could not say is refused here too, with the same sentence**: what comes in is
//! written as a block of a schedule file and read back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};
use unicode_normalization::UnicodeNormalization as _;

use crate::schedule::edit::{Piece, What, free_exception, free_programme, held};
use crate::schedule::file::Checked;
use crate::schedule::{Exception, Programme};
use crate::server::ServerError;
use crate::web::api::problem::Problem;
use crate::web::api::words::{Day, Language, Slug, Text};

/// A programme; the fields are those of `[[programme]]` in a schedule file. It has either `at` with
/// `weekdays` or `cron`, and either `newest` or `bulletins`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Programme")]
pub(super) struct WrittenProgramme {
    /// Its name for machines; made of the title where a new one has none.
    #[schemars(with = "Option<Slug>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its name for people.
    #[schemars(with = "Text")]
    title: String,
    /// Labels by which exceptions mean it.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    /// When it begins, such as `05:30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Vec<String>>,
    /// On which days: `mon` to `sun`, or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    weekdays: Option<Vec<String>>,
    /// When it begins, as a cron expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    /// The first day on which it may come.
    #[schemars(with = "Option<Day>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The last one.
    #[schemars(with = "Option<Day>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// The areas that hear it, with everything below them.
    #[schemars(with = "Vec<Slug>")]
    areas: Vec<String>,
    /// Those among them that do not.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    minus_areas: Option<Vec<String>>,
    /// Of these areas only those with one of these tags.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    only_tags: Option<Vec<String>>,
    /// Of these areas only those that ask for one of these languages.
    #[schemars(with = "Option<Vec<Language>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    only_listening: Option<Vec<String>>,
    /// `every`, `first`, or a list of tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    languages: Option<Tongues>,
    /// What is grouped: `bulletin` or `language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// The column whose newest bulletin goes in.
    #[schemars(with = "Option<Text>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// The bulletins that go in, in this order.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    bulletins: Option<Vec<String>>,
    /// The bulletin by which the station names itself.
    #[schemars(with = "Option<Slug>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    identification: Option<String>,
    /// Silence between two items in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_ms: Option<u32>,
    /// What is left out first: `last`, `longest`, `lowest-class` or `oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    gives_way: Option<String>,
    /// Seconds of an airing at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    length_max_s: Option<u32>,
    /// Whether a chime opens and closes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    chime: Option<bool>,
}

/// A mode, or the languages themselves.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum Tongues {
    Mode(String),
    Tags(#[schemars(with = "Vec<Language>")] Vec<String>),
}

/// An exception; the fields are those of `[[exception]]` in a schedule file. It has one of `skip`,
/// `move_to`, `bulletins`, `newest` and `programme`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Exception")]
pub(super) struct WrittenException {
    /// Its name for machines; made of its name where a new one has none.
    #[schemars(with = "Option<Slug>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its name for people.
    #[schemars(with = "Text")]
    name: String,
    /// The first day.
    #[schemars(with = "Day")]
    from: String,
    /// The last one; the first where it is left out.
    #[schemars(with = "Option<Day>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Where; everywhere where none is named.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    areas: Option<Vec<String>>,
    /// The programmes that it changes; every one where none, no column and no tag is named.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    programmes: Option<Vec<String>>,
    /// Those that air one of these columns.
    #[schemars(with = "Option<Vec<Text>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    /// Those that carry one of these tags.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    /// They do not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    skip: Option<bool>,
    /// They come at these times of the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    move_to: Option<Vec<String>>,
    /// They consist of these.
    #[schemars(with = "Option<Vec<Slug>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    bulletins: Option<Vec<String>>,
    /// They consist of the newest of this column.
    #[schemars(with = "Option<Text>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// They consist of what this one airs.
    #[schemars(with = "Option<Slug>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    programme: Option<String>,
}

impl WrittenProgramme {
    /// It as it stands in `schedule`.
    pub(super) fn of(schedule: &Checked, programme: &Programme) -> Self {
        let what = What::Programme(programme.id.clone());
        read(&held(schedule, &what).expect("it stands there"))
    }

    /// The programme that it describes.
    pub(super) fn programme(mut self, schedule: &Checked) -> Result<Programme, Problem> {
        self.title = composed(&self.title);
        let free = || free_programme(schedule, &self.title).to_string();
        self.id = Some(self.id.take().unwrap_or_else(free));
        match piece("[[programme]]", &self)? {
            Some(Piece::Programme(programme)) => Ok(*programme),
            Some(Piece::Exception(_)) | None => Err(no_block()),
        }
    }
}

impl WrittenException {
    /// It as it stands in `schedule`.
    pub(super) fn of(schedule: &Checked, exception: &Exception) -> Self {
        let what = What::Exception(exception.id.clone());
        read(&held(schedule, &what).expect("it stands there"))
    }

    /// The exception that it describes.
    pub(super) fn exception(mut self, schedule: &Checked) -> Result<Exception, Problem> {
        self.name = composed(&self.name);
        let free = || free_exception(schedule, &self.name).to_string();
        self.id = Some(self.id.take().unwrap_or_else(free));
        match piece("[[exception]]", &self)? {
            Some(Piece::Exception(exception)) => Ok(*exception),
            Some(Piece::Programme(_)) | None => Err(no_block()),
        }
    }
}

fn composed(text: &str) -> String {
    text.nfc().collect()
}

fn no_block() -> Problem {
    Problem::wrong("this is no programme and no exception of a schedule file")
}

/// Fields as a block of a schedule file, read by its reader. What JSON escapes, TOML reads alike.
fn piece(heading: &str, fields: &impl Serialize) -> Result<Option<Piece>, Problem> {
    let fields = serde_json::to_value(fields).expect("fields have text keys");
    let Value::Object(fields) = fields else { return Ok(None) };
    let lines = fields.iter().map(|(key, value)| format!("{key} = {value}\n"));
    let text = format!("{heading}\n{}", lines.collect::<String>());
    Ok(Piece::read(&text).map_err(ServerError::Faults)?)
}

/// The fields of a block that the station wrote itself.
fn read<T: serde::de::DeserializeOwned>(block: &str) -> T {
    let table = DeTable::parse(block).expect("a block reads back");
    let blocks = table.get_ref().iter().next().map(|(_, value)| json(value.get_ref()));
    let first = blocks.and_then(|blocks| blocks.get(0).cloned());
    serde_json::from_value(first.unwrap_or_default()).expect("a block has the fields of its kind")
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Integer(number) => number.as_str().parse::<i64>().unwrap_or_default().into(),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Array(all) => all.iter().map(|one| json(one.get_ref())).collect(),
        DeValue::Table(table) => {
            let pair = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                (key.to_string(), json(value.get_ref()))
            };
            Value::Object(table.iter().map(pair).collect::<Map<_, _>>())
        }
        // No field of a programme or an exception is one.
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::file::{ScheduleFile, check};

    fn demo() -> Checked {
        let file = |name: &str| {
            let path = format!("{}/schedules/demo/{name}", env!("CARGO_MANIFEST_DIR"));
            ScheduleFile::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
        };
        let files = ["areas.toml", "policy.toml", "programmes.toml"].map(file);
        check(files.into(), &crate::bulletin::Column::usual().collect(), None).unwrap()
    }

    #[test]
    fn every_programme_is_the_same_as_json_and_back() {
        let schedule = demo();
        assert!(!schedule.programmes.is_empty());
        for programme in &schedule.programmes {
            let written = WrittenProgramme::of(&schedule, programme);
            let text = serde_json::to_string(&written).unwrap();
            let again: WrittenProgramme = serde_json::from_str(&text).unwrap();
            assert_eq!(again.programme(&schedule).unwrap(), *programme, "{text}");
        }
    }

    #[test]
    fn a_title_cannot_write_another_line_of_the_file() {
        let schedule = demo();
        let mut written = WrittenProgramme::of(&schedule, &schedule.programmes[0]);
        for title in ["a\"\nchime = true\n#", "a\u{7f}b", "a\u{0}", ""] {
            written.title = title.to_owned();
            assert!(written.clone().programme(&schedule).is_err(), "{title:?}");
        }
        written.title = "Ba\u{309}n \"tin\" \\ #".to_owned();
        let read = written.programme(&schedule).unwrap();
        assert_eq!(read.title, "Bản \"tin\" \\ #");
    }
}
