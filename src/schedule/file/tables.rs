//! The tables of a schedule file, one function each.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::{Mention, Notes, Noun};
use crate::bulletin::Column;
use crate::bulletin::column::NotAColumn;
use crate::calendar::recurrence::{OCCURRENCES_A_DAY_MAX, Recurrence};
use crate::calendar::{Airtime, AirtimePolicy, Days, PERCENT_MAX, Volume, Weekday, Window};
use crate::config::parse::{switch, within, words};
use crate::config::{At, Table};
use crate::fleet::{Area, Controller, Level, Position, Share, Wish};
use crate::id::{AreaId, Tag};
use crate::schedule::{GivesWay, Languages, Order, Programme, Selection};
use crate::time::{LocalDate, TimeOfDay};

/// Characters in a name or title at most.
pub(in crate::schedule) const NAME_CHARS_MAX: usize = 120;

/// Characters in an administrative code at most.
const CODE_CHARS_MAX: usize = 16;

/// Silence between items where a programme says nothing, and at most.
const GAP_MS: u32 = 500;
const GAP_MS_MAX: i64 = 60_000;

/// Seconds of one airing at most: six hours.
const LENGTH_S_MAX: i64 = 6 * 3600;

/// Minutes in a day.
const DAY_MINUTES: i64 = 24 * 60;

pub(super) fn area(table: &mut Table<'_>, notes: &mut Notes) -> Option<Area> {
    let id: Option<AreaId> = table.required("id", str::parse);
    let name = table.required("name", words(NAME_CHARS_MAX));
    let level = table.required("level", |word: &str| choice(word, &Level::ALL));
    let parent = table.optional("parent", |text| notes.area(text));
    let code = table.optional("code", code);
    let old_codes = table.list("old_codes", self::code).unwrap_or_default();
    let fallback = table.optional("fallback", |text| notes.language(text));
    let listens = table.tables("listens", |wish| {
        let language = wish.required("language", |text| notes.language(text));
        let stand_ins = wish.list("stand_ins", |text| notes.language(text)).unwrap_or_default();
        let share = wish.optional("share", |percent: i64| {
            within(1..=100)(percent).map(|percent| Share::percent(percent).expect("1 to 100"))
        });
        Some(Wish { language: language?, stand_ins, share })
    });
    let tags = tags(table, "tags", notes, Noun::AreaTag);
    let position = table.optional("position", str::parse::<Position>);
    let id = id?;
    notes.define(Noun::Area, table.line(), id.as_str());
    let (name, level) = (name?, level?);
    Some(Area { id, name, level, parent, code, old_codes, listens, fallback, tags, position })
}

/// A list of tags that `noun` carries, each once.
fn tags(table: &mut Table<'_>, key: &'static str, notes: &mut Notes, noun: Noun) -> Vec<Tag> {
    let listed: Vec<Tag> = table.list(key, str::parse).unwrap_or_default();
    if listed.iter().collect::<BTreeSet<_>>().len() < listed.len() {
        table.fault(key, format!("`{key}` names a tag twice; name each once"));
    }
    for tag in &listed {
        notes.carry(noun, tag);
    }
    listed
}

/// A code of the administration: letters, digits, `.` and `-`.
pub(in crate::schedule) fn code(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if (1..=CODE_CHARS_MAX).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let text: String = text.chars().take(40).collect();
    Err(format!("`{text}` is no code; write 1 to {CODE_CHARS_MAX} digits or letters, in quotes"))
}

pub(super) fn controller(table: &mut Table<'_>, notes: &mut Notes) -> Option<Controller> {
    let id = table.required("id", str::parse);
    let area = table.required("area", |text| notes.area(text));
    let position = table.optional("position", str::parse::<Position>);
    let controller = Controller { id: id?, area: area?, position };
    notes.define(Noun::Controller, table.line(), controller.id.as_str());
    Some(controller)
}

pub(super) fn policy(table: &mut Table<'_>, notes: &mut Notes) -> Option<(AreaId, Airtime)> {
    let area = table.required("area", |text| notes.area(text));
    let sessions = 0..=i64::try_from(OCCURRENCES_A_DAY_MAX).expect("a small number");
    let sessions_a_day_max = table.required("sessions_a_day_max", within(sessions));
    let minutes_a_session_max = table.required("minutes_a_session_max", within(0..=DAY_MINUTES));
    let minutes_a_day_max = table.required("minutes_a_day_max", within(0..=DAY_MINUTES));
    let days_a_week_max = table.optional("days_a_week_max", within(1..=7));
    let windows = table.tables("window", window);
    let quiet = table.tables("quiet", window);
    let volumes = table.tables("volume", |table| {
        let percent = table.required("percent", within(0..=i64::from(PERCENT_MAX)));
        Some(Volume { window: window(table)?, percent: percent? })
    });
    let policy = AirtimePolicy {
        windows,
        sessions_a_day_max: sessions_a_day_max?,
        minutes_a_session_max: minutes_a_session_max?,
        minutes_a_day_max: minutes_a_day_max?,
    };
    let area = area?;
    notes.define(Noun::Policy, table.line(), area.as_str());
    let airtime = Airtime::new(policy, quiet, days_a_week_max, volumes);
    Some((area, airtime.map_err(|error| table.fault("volume", error.to_string())).ok()?))
}

fn window(table: &mut Table<'_>) -> Option<Window> {
    let days = days(table, "days");
    let from: Option<TimeOfDay> = table.required("from", str::parse);
    let until: Option<TimeOfDay> = table.required("until", str::parse);
    if days.is_none() && !table.has("days") {
        table.fault("days", "`days` is missing; write days = [\"all\"]");
    }
    let window = Window::new(days?, from?, until?);
    window.map_err(|error| table.fault("from", error.to_string())).ok()
}

/// A list of `mon` to `sun`, or of `all`.
pub(super) fn days(table: &mut Table<'_>, key: &'static str) -> Option<Days> {
    let parse = |word: &str| match word {
        "all" => Ok(Days::EVERY),
        word => word.parse().map(|day: Weekday| Days::from(day)),
    };
    let listed = table.list(key, parse)?;
    if listed.is_empty() {
        table.fault(key, format!("`{key}` names no day; write mon to sun, or all"));
    }
    Days::of(listed.into_iter().flat_map(Days::iter))
}

pub(super) fn programme(table: &mut Table<'_>, notes: &mut Notes) -> Option<Programme> {
    let id = table.required("id", str::parse);
    let title = table.required("title", words(NAME_CHARS_MAX));
    let tags = self::tags(table, "tags", notes, Noun::ProgrammeTag);
    let recurrence = recurrence(table);
    let areas = table.list("areas", |text| notes.area(text)).unwrap_or_default();
    if areas.is_empty() {
        table.fault("areas", "`areas` names no area; write areas = [\"…\"]");
    }
    let minus_areas = table.list("minus_areas", |text| notes.area(text)).unwrap_or_default();
    let only_tags = table.list("only_tags", |text| notes.tag(text, Noun::AreaTag));
    let only_listening = table.list("only_listening", |text| notes.language(text));
    let languages = languages(table, notes);
    let order = table.optional("order", |word: &str| choice(word, &ORDERS));
    let selection = selection(table, notes);
    let identification = table.optional("identification", |text| notes.bulletin(text));
    let gives_way = table.optional("gives_way", |word: &str| choice(word, &GIVE_WAYS));
    let gap_ms = table.optional("gap_ms", within(0..=GAP_MS_MAX)).unwrap_or(GAP_MS);
    let length_max_s = table.optional("length_max_s", within(1..=LENGTH_S_MAX));
    let chime = table.optional("chime", switch).unwrap_or(false);
    let programme = Programme {
        id: id?,
        title: title?,
        tags,
        recurrence: recurrence?,
        areas,
        minus_areas,
        only_tags: only_tags.unwrap_or_default(),
        only_listening: only_listening.unwrap_or_default(),
        languages,
        order: order.unwrap_or(Order::Bulletin),
        selection: selection?,
        gap_ms,
        identification,
        gives_way: gives_way.unwrap_or_default(),
        length_max_s,
        chime,
    };
    notes.define(Noun::Programme, table.line(), programme.id.as_str());
    Some(programme)
}

/// The orders with their words.
pub(super) const ORDERS: [(&str, Order); 2] =
    [("language", Order::Language), ("bulletin", Order::Bulletin)];

/// The rules of giving way with their words.
pub(super) const GIVE_WAYS: [(&str, GivesWay); 4] = [
    ("last", GivesWay::Last),
    ("longest", GivesWay::Longest),
    ("lowest-class", GivesWay::LowestClass),
    ("oldest", GivesWay::Oldest),
];

fn recurrence(table: &mut Table<'_>) -> Option<Recurrence> {
    let from: Option<LocalDate> = table.optional("from", str::parse);
    let until: Option<LocalDate> = table.optional("until", str::parse);
    let at: Option<Vec<TimeOfDay>> = table.list("at", str::parse);
    let weekdays = days(table, "weekdays");
    let cron = table.optional("cron", |text: &str| Recurrence::cron(text, from, until));
    if table.has("cron") == table.has("at") {
        let key = if table.has("cron") { "cron" } else { "id" };
        table.fault(key, "write either `cron` or `at` with `weekdays`, so that it is clear when");
        return None;
    }
    if table.has("cron") {
        if table.has("weekdays") {
            table.fault("weekdays", "`weekdays` belongs to `at`; write the weekdays into `cron`");
        }
        return cron;
    }
    let times = Recurrence::times(at?, weekdays.unwrap_or(Days::EVERY), from, until);
    times.map_err(|error| table.fault("at", error.to_string())).ok()
}

fn languages(table: &mut Table<'_>, notes: &mut Notes) -> Languages {
    if table.has_list("languages") {
        let listed = table.list("languages", |text| notes.language(text)).unwrap_or_default();
        if listed.is_empty() {
            table.fault("languages", "`languages` lists none; list some, or write \"every\"");
        }
        return Languages::Only(listed);
    }
    let modes = [("every", Languages::Every), ("first", Languages::First)];
    let mode = table.optional("languages", |word: &str| {
        choice(word, &modes).map_err(|error| format!("{error}, or a list of languages"))
    });
    mode.unwrap_or(Languages::Every)
}

fn selection(table: &mut Table<'_>, notes: &mut Notes) -> Option<Selection> {
    let selected = some_selection(table, notes);
    if table.has("bulletins") == table.has("newest") {
        let key = if table.has("newest") { "newest" } else { "id" };
        table.fault(key, "write either `bulletins` or `newest`, so that it is clear what airs");
        return None;
    }
    selected
}

/// `bulletins` or `newest`, where there is one of them.
pub(super) fn some_selection(table: &mut Table<'_>, notes: &mut Notes) -> Option<Selection> {
    let bulletins = table.list("bulletins", |text| notes.bulletin(text));
    let newest = table.optional("newest", |text: At<&str>| {
        let column: Column = text.value.parse()?;
        notes.mention(text.line, &column, Mention::Column);
        Ok::<_, NotAColumn>(column)
    });
    if let Some(named) = &bulletins
        && named.iter().collect::<BTreeSet<_>>().len() < named.len()
    {
        table.fault("bulletins", "`bulletins` names one twice; name each once");
    }
    bulletins.map(Selection::Bulletins).or(newest.map(Selection::Newest))
}

pub(super) fn choice<T: Clone>(
    word: &str,
    choices: &[(&str, T)],
) -> Result<T, impl Display + use<T>> {
    let found = choices.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| value.clone()).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let word: String = word.chars().take(40).collect();
        format!("`{word}` is not known; write {}", names.join(" or "))
    })
}
