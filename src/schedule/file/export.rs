//! A schedule written as one file that reads back as the same schedule.

use std::fmt::Display;

use super::Checked;
use super::tables::{GIVE_WAYS, ORDERS};
use crate::bulletin::Lists;
use crate::calendar::recurrence::{Recurrence, Rule};
use crate::calendar::{Airtime, Days, Weekday, Window};
use crate::fleet::{Area, Controller, Level};
use crate::id::AreaId;
use crate::schedule::{Change, Exception, Languages, Programme, Selection};

impl Checked {
    /// The schedule as TOML: areas, controllers, policies, programmes, exceptions, each by id.
    pub fn export(&self) -> String {
        let mut out = Lines::default();
        list_lines(&mut out, &self.lists);
        self.tree.iter().for_each(|area| area_lines(&mut out, area));
        self.controllers.iter().for_each(|controller| controller_lines(&mut out, controller));
        self.policies.iter().for_each(|(area, policy)| policy_lines(&mut out, area, policy));
        self.programmes.iter().for_each(|programme| programme_lines(&mut out, programme));
        self.exceptions.iter().for_each(|exception| exception_lines(&mut out, exception));
        out.0
    }
}

/// One area as TOML.
pub(in crate::schedule) fn area(area: &Area) -> String {
    let mut out = Lines::default();
    area_lines(&mut out, area);
    out.0
}

/// One controller as TOML.
pub(in crate::schedule) fn controller(controller: &Controller) -> String {
    let mut out = Lines::default();
    controller_lines(&mut out, controller);
    out.0
}

/// A language of the station's own as TOML.
pub fn language(tag: &str, vi: &str, en: &str) -> String {
    let mut out = Lines::default();
    out.header("[[language]]");
    out.text("tag", tag);
    out.text("name_vi", vi);
    out.text("name_en", en);
    out.0
}

/// A column, topic or campaign of the station's own as TOML.
pub fn named(list: &str, name: &str) -> String {
    let mut out = Lines::default();
    out.header(&format!("[[{list}]]"));
    out.text("name", name);
    out.0
}

/// One programme as TOML.
pub fn programme(programme: &Programme) -> String {
    let mut out = Lines::default();
    programme_lines(&mut out, programme);
    out.0
}

/// One exception as TOML.
pub fn exception(exception: &Exception) -> String {
    let mut out = Lines::default();
    exception_lines(&mut out, exception);
    out.0
}

/// Lines of TOML.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn header(&mut self, header: &str) {
        let blank = if self.0.is_empty() { "" } else { "\n" };
        self.0.extend([blank, header, "\n"]);
    }

    fn value(&mut self, key: &str, value: impl Display) {
        self.0.extend([key, " = ", &value.to_string(), "\n"]);
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.value(key, quoted(&value.to_string()));
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A list, left out where it is empty.
    fn some<T: Display>(&mut self, key: &str, values: &[T]) {
        if !values.is_empty() {
            self.list(key, values);
        }
    }

    fn list<T: Display>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<String> =
            values.into_iter().map(|value| quoted(&value.to_string())).collect();
        self.value(key, format!("[{}]", values.join(", ")));
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend([format!("\\u{:04X}", u32::from(c))]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The word for `value` among `choices`.
fn word<'c, T: PartialEq>(value: &T, choices: &[(&'c str, T)]) -> &'c str {
    let found = choices.iter().find(|(_, choice)| choice == value);
    found.map(|(word, _)| *word).expect("every choice has its word")
}

fn list_lines(out: &mut Lines, lists: &Lists) {
    for (tag, name) in lists.languages.own() {
        out.header("[[language]]");
        out.text("tag", tag);
        out.text("name_vi", &name.vi);
        out.text("name_en", &name.en);
    }
    let names = |out: &mut Lines, header: &str, names: Vec<&str>| {
        for name in names {
            out.header(header);
            out.text("name", name);
        }
    };
    names(out, "[[column]]", lists.columns.iter().map(AsRef::as_ref).collect());
    names(out, "[[topic]]", lists.topics.iter().map(AsRef::as_ref).collect());
    names(out, "[[campaign]]", lists.campaigns.iter().map(AsRef::as_ref).collect());
}

fn area_lines(out: &mut Lines, area: &Area) {
    out.header("[[area]]");
    out.text("id", &area.id);
    out.text("name", &area.name);
    out.text("level", word(&area.level, &Level::ALL));
    out.optional("parent", area.parent.as_ref());
    out.optional("code", area.code.as_ref());
    if !area.old_codes.is_empty() {
        out.list("old_codes", &area.old_codes);
    }
    out.optional("fallback", area.fallback.as_ref());
    out.some("tags", &area.tags);
    out.optional("position", area.position);
    for wish in &area.listens {
        out.header("[[area.listens]]");
        out.text("language", &wish.language);
        out.some("stand_ins", &wish.stand_ins);
        if let Some(share) = wish.share {
            out.value("share", share.get());
        }
    }
}

fn controller_lines(out: &mut Lines, controller: &Controller) {
    out.header("[[controller]]");
    out.text("id", &controller.id);
    out.text("area", &controller.area);
    out.optional("position", controller.position);
}

fn policy_lines(out: &mut Lines, area: &AreaId, airtime: &Airtime) {
    let policy = airtime.written();
    out.header("[[policy]]");
    out.text("area", area);
    out.value("sessions_a_day_max", policy.sessions_a_day_max);
    out.value("minutes_a_session_max", policy.minutes_a_session_max);
    out.value("minutes_a_day_max", policy.minutes_a_day_max);
    if let Some(days) = airtime.days_a_week_max() {
        out.value("days_a_week_max", days);
    }
    policy.windows.iter().for_each(|window| window_lines(out, "[[policy.window]]", window));
    airtime.quiet().iter().for_each(|window| window_lines(out, "[[policy.quiet]]", window));
    for volume in airtime.volumes() {
        window_lines(out, "[[policy.volume]]", &volume.window);
        out.value("percent", volume.percent);
    }
}

fn window_lines(out: &mut Lines, header: &str, window: &Window) {
    out.header(header);
    days(out, "days", window.days());
    out.text("from", window.from());
    out.text("until", window.until());
}

fn days(out: &mut Lines, key: &str, days: Days) {
    if days == Days::EVERY {
        return out.list(key, ["all"]);
    }
    out.list(key, days.iter().map(Weekday::word));
}

fn programme_lines(out: &mut Lines, programme: &Programme) {
    out.header("[[programme]]");
    out.text("id", &programme.id);
    out.text("title", &programme.title);
    out.some("tags", &programme.tags);
    recurrence_lines(out, &programme.recurrence);
    out.list("areas", &programme.areas);
    out.some("minus_areas", &programme.minus_areas);
    out.some("only_tags", &programme.only_tags);
    out.some("only_listening", &programme.only_listening);
    match &programme.languages {
        Languages::Every => out.text("languages", "every"),
        Languages::First => out.text("languages", "first"),
        Languages::Only(listed) => out.list("languages", listed),
    }
    out.text("order", word(&programme.order, &ORDERS));
    selection_lines(out, &programme.selection);
    out.optional("identification", programme.identification.as_ref());
    out.value("gap_ms", programme.gap_ms);
    out.text("gives_way", word(&programme.gives_way, &GIVE_WAYS));
    if let Some(length_max_s) = programme.length_max_s {
        out.value("length_max_s", length_max_s);
    }
    out.value("chime", programme.chime);
}

fn selection_lines(out: &mut Lines, selection: &Selection) {
    match selection {
        Selection::Bulletins(named) => out.list("bulletins", named),
        Selection::Newest(column) => out.text("newest", column),
    }
}

fn exception_lines(out: &mut Lines, exception: &Exception) {
    out.header("[[exception]]");
    out.text("id", &exception.id);
    out.text("name", &exception.name);
    out.text("from", exception.from);
    out.text("until", exception.until);
    out.some("areas", &exception.areas);
    out.some("programmes", &exception.scope.programmes);
    out.some("columns", &exception.scope.columns);
    out.some("tags", &exception.scope.tags);
    match &exception.change {
        Change::Skip => out.value("skip", true),
        Change::Move(times) => out.list("move_to", times),
        Change::Replace(selection) => selection_lines(out, selection),
        Change::ReplaceBy(programme) => out.text("programme", programme),
    }
}

fn recurrence_lines(out: &mut Lines, recurrence: &Recurrence) {
    match recurrence.rule() {
        Rule::Cron(cron) => out.text("cron", cron.source()),
        Rule::Times { at, weekdays } => {
            out.list("at", at);
            days(out, "weekdays", *weekdays);
        }
    }
    out.optional("from", recurrence.from());
    out.optional("until", recurrence.until());
}
