//! A schedule written as one file that reads back as the same schedule.

use std::fmt::Display;

use super::Checked;
use super::tables::ORDERS;
use crate::bulletin::Lists;
use crate::calendar::recurrence::{Recurrence, Rule};
use crate::calendar::{AirtimePolicy, Days, Weekday};
use crate::fleet::{Area, Controller, Level};
use crate::id::AreaId;
use crate::schedule::{Languages, Programme, Selection};

impl Checked {
    /// The schedule as TOML: areas, controllers, policies, programmes, each by id.
    pub fn export(&self) -> String {
        let mut out = Lines::default();
        list_lines(&mut out, &self.lists);
        self.tree.iter().for_each(|area| area_lines(&mut out, area));
        self.controllers.iter().for_each(|controller| controller_lines(&mut out, controller));
        self.policies.iter().for_each(|(area, policy)| policy_lines(&mut out, area, policy));
        self.programmes.iter().for_each(|programme| programme_lines(&mut out, programme));
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
    for wish in &area.listens {
        out.header("[[area.listens]]");
        out.text("language", &wish.language);
        if !wish.stand_ins.is_empty() {
            out.list("stand_ins", &wish.stand_ins);
        }
        if let Some(share) = wish.share {
            out.value("share", share.get());
        }
    }
}

fn controller_lines(out: &mut Lines, controller: &Controller) {
    out.header("[[controller]]");
    out.text("id", &controller.id);
    out.text("area", &controller.area);
}

fn policy_lines(out: &mut Lines, area: &AreaId, policy: &AirtimePolicy) {
    out.header("[[policy]]");
    out.text("area", area);
    out.value("sessions_a_day_max", policy.sessions_a_day_max);
    out.value("minutes_a_session_max", policy.minutes_a_session_max);
    out.value("minutes_a_day_max", policy.minutes_a_day_max);
    for window in &policy.windows {
        out.header("[[policy.window]]");
        days(out, "days", window.days());
        out.text("from", window.from());
        out.text("until", window.until());
    }
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
    recurrence_lines(out, &programme.recurrence);
    out.list("areas", &programme.areas);
    if !programme.minus_areas.is_empty() {
        out.list("minus_areas", &programme.minus_areas);
    }
    match &programme.languages {
        Languages::Every => out.text("languages", "every"),
        Languages::First => out.text("languages", "first"),
        Languages::Only(listed) => out.list("languages", listed),
    }
    out.text("order", word(&programme.order, &ORDERS));
    match &programme.selection {
        Selection::Bulletins(named) => out.list("bulletins", named),
        Selection::Newest(column) => out.text("newest", column),
    }
    out.value("gap_ms", programme.gap_ms);
    if let Some(length_max_s) = programme.length_max_s {
        out.value("length_max_s", length_max_s);
    }
    out.value("chime", programme.chime);
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
