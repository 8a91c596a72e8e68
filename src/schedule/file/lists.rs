//! The tables by which a station adds to its lists: languages, columns, topics, campaigns.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use super::{Notes, Noun};
use crate::bulletin::Lists;
use crate::config::Table;
use crate::config::parse::words;
use crate::lang::names::NAME_CHARS_MAX;
use crate::lang::{LangTag, Name, Names};

/// Reads `[[language]]`, `[[column]]`, `[[topic]]` and `[[campaign]]`.
pub(super) fn lists(form: &mut Table<'_>, notes: &mut Notes) -> Lists {
    let mut languages = Names::default();
    for (tag, name) in form.tables("language", |table| language(table, notes)) {
        languages.add(tag, name);
    }
    Lists {
        languages,
        columns: named(form, "column", Noun::Column, notes),
        topics: named(form, "topic", Noun::Topic, notes),
        campaigns: named(form, "campaign", Noun::Campaign, notes),
    }
}

/// A language without names is called by its tag.
fn language(table: &mut Table<'_>, notes: &mut Notes) -> Option<(LangTag, Name)> {
    let tag: Option<LangTag> = table.required("tag", str::parse);
    let vi = table.optional("name_vi", words(NAME_CHARS_MAX));
    let en = table.optional("name_en", words(NAME_CHARS_MAX));
    let tag = tag?;
    notes.define(Noun::Language, table.line(), tag.as_str());
    let called = |name: Option<String>| name.unwrap_or_else(|| tag.to_string());
    let name = Name { vi: called(vi), en: called(en) };
    Some((tag, name))
}

fn named<T: FromStr<Err: Display> + Ord + AsRef<str>>(
    form: &mut Table<'_>,
    key: &'static str,
    noun: Noun,
    notes: &mut Notes,
) -> BTreeSet<T> {
    let read = form.tables(key, |table| {
        let name: T = table.required("name", str::parse)?;
        notes.define(noun, table.line(), name.as_ref());
        Some(name)
    });
    read.into_iter().collect()
}
