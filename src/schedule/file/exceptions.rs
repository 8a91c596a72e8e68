//! The table of an exception: the days on which the programmes are not as on other days.

use super::tables::{NAME_CHARS_MAX, some_selection};
use super::{Mention, Notes, Noun};
use crate::bulletin::Column;
use crate::bulletin::column::NotAColumn;
use crate::config::parse::{switch, words};
use crate::config::{At, Table};
use crate::id::{ExceptionId, NotAnId, ProgrammeId};
use crate::schedule::{Change, EXCEPTION_DAYS_MAX, Exception, Scope};
use crate::time::{LocalDate, TimeOfDay};

/// The ways to say what an exception does, of which it says one.
const CHANGES: [&str; 5] = ["skip", "move_to", "bulletins", "newest", "programme"];

pub(super) fn exception(table: &mut Table<'_>, notes: &mut Notes) -> Option<Exception> {
    let id: Option<ExceptionId> = table.required("id", str::parse);
    let name = table.required("name", words(NAME_CHARS_MAX));
    let days = dates(table);
    let areas = table.list("areas", |text| notes.area(text)).unwrap_or_default();
    let scope = scope(table, notes);
    let change = change(table, notes);
    let id = id?;
    notes.define(Noun::Exception, table.line(), id.as_str());
    let (from, until) = days?;
    Some(Exception { id, name: name?, from, until, areas, scope, change: change? })
}

/// From a date until a date; one day where only the first is written.
fn dates(table: &mut Table<'_>) -> Option<(LocalDate, LocalDate)> {
    let from: Option<LocalDate> = table.required("from", str::parse);
    let until: Option<LocalDate> = table.optional("until", str::parse);
    if table.has("until") && until.is_none() {
        return None;
    }
    let from = from?;
    let until = until.unwrap_or(from);
    if until < from {
        table.fault("until", format!("it ends before it begins on {from}; exchange the two"));
        return None;
    }
    if from.plus_days(EXCEPTION_DAYS_MAX) <= until {
        let sentence = "longer than a year; change the programmes, or write one each year";
        table.fault("until", sentence);
        return None;
    }
    Some((from, until))
}

fn scope(table: &mut Table<'_>, notes: &mut Notes) -> Scope {
    let programmes = table.list("programmes", |text| notes.programme(text));
    let columns = table.list("columns", |text: At<&str>| {
        let column: Column = text.value.parse()?;
        notes.mention(text.line, &column, Mention::Column);
        Ok::<_, NotAColumn>(column)
    });
    let tags = table.list("tags", |text| notes.tag(text, Noun::ProgrammeTag));
    Scope {
        programmes: programmes.unwrap_or_default(),
        columns: columns.unwrap_or_default(),
        tags: tags.unwrap_or_default(),
    }
}

fn change(table: &mut Table<'_>, notes: &mut Notes) -> Option<Change> {
    let skip = table.optional("skip", switch);
    let times = move_to(table);
    let selection = some_selection(table, notes);
    let programme = table.optional("programme", |text: At<&str>| notes.programme(text));
    if CHANGES.iter().filter(|key| table.has(key)).count() != 1 {
        let one = "write one of `skip = true`, `move_to`, `bulletins`, `newest` and `programme`";
        table.fault("skip", format!("{one}, so that it is clear what happens"));
        return None;
    }
    if skip == Some(false) {
        table.fault("skip", "`skip = false` changes nothing; remove the exception");
    }
    let skip = skip.filter(|skip| *skip).map(|_| Change::Skip);
    skip.or(times.map(Change::Move))
        .or(selection.map(Change::Replace))
        .or(programme.map(Change::ReplaceBy))
}

/// Times of one day, each once.
fn move_to(table: &mut Table<'_>) -> Option<Vec<TimeOfDay>> {
    let mut written = 0;
    let times: Vec<TimeOfDay> = table.list("move_to", |text: &str| {
        written += 1;
        let time: TimeOfDay = text.parse().map_err(|error| format!("{error}"))?;
        let inside = time < "24:00".parse().expect("a time of day");
        inside.then_some(time).ok_or_else(|| "24:00 is the next day; write 23:59:59".to_owned())
    })?;
    let rising = times.windows(2).all(|pair| pair[0] < pair[1]);
    if written == 0 || !rising {
        let sentence = "write one time for each airing of the day, each later than the one before";
        table.fault("move_to", sentence);
        return None;
    }
    Some(times)
}

impl Notes {
    pub(super) fn programme(&mut self, text: At<&str>) -> Result<ProgrammeId, NotAnId> {
        let id = text.value.parse()?;
        self.mention(text.line, &id, Mention::Programme);
        Ok(id)
    }
}
