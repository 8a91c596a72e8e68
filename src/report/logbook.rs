//! The programme log book (sổ nhật ký chương trình phát thanh): what was broadcast when, one line
//! for each programme, instant and running order, whatever number of controllers had it.

use std::collections::BTreeMap;

use crate::bulletin::Bulletin;
use crate::id::{BulletinId, ProgrammeId};
use crate::lang::LangTag;
use crate::report::Fate;
use crate::report::document::{Cell, Row};
use crate::report::gap::Why;
use crate::report::tally::{Tally, Told};
use crate::time::{TimeOfDay, Timestamp, Zone};

/// What is one line of the log book.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broadcast {
    /// When it was to begin.
    pub at: Timestamp,
    /// The programme.
    pub programme: ProgrammeId,
    /// What was to be heard, in order.
    pub order: Vec<(BulletinId, LangTag)>,
}

/// What one controller made of it.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    /// Its fate.
    pub told: Told,
    /// The cause, in the word of the wire; empty where there is none.
    pub cause: &'a str,
    /// How long it lasts, in milliseconds.
    pub length_ms: u64,
    /// Where in the log its receipt is.
    pub entry: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Made {
    tally: Tally,
    length_ms: u64,
    gaps: BTreeMap<Why, u64>,
    entries: Option<(u64, u64)>,
}

/// The log book of some days.
#[derive(Clone, Debug, Default)]
pub struct Logbook(BTreeMap<Broadcast, Made>);

/// What the fields of a line are taken from.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The bulletins, by id.
    pub bulletins: &'a BTreeMap<BulletinId, Bulletin>,
    /// The titles of programmes.
    pub programmes: &'a BTreeMap<ProgrammeId, String>,
    /// The zone of the wall clock.
    pub zone: Zone,
}

impl Logbook {
    /// Notes what one controller made of a broadcast; one that a newer plan left out is none.
    pub fn note(&mut self, broadcast: Broadcast, share: Share<'_>) {
        if share.told.fate == Fate::Dropped {
            return;
        }
        let made = self.0.entry(broadcast).or_default();
        made.length_ms = made.length_ms.max(share.length_ms);
        made.tally.count(share.told, share.length_ms);
        if !matches!(share.told.fate, Fate::Planned | Fate::Completed) {
            let why = Why { fate: share.told.fate, cause: share.cause.to_owned() };
            *made.gaps.entry(why).or_default() += 1;
        }
        if let Some(entry) = share.entry {
            let (first, last) = made.entries.unwrap_or((entry, entry));
            made.entries = Some((first.min(entry), last.max(entry)));
        }
    }

    /// The lines, in order of time.
    pub fn rows(&self, names: Names<'_>) -> Vec<Row> {
        self.0
            .iter()
            .zip(1..)
            .map(|((broadcast, made), n)| row(broadcast, made, n, names))
            .collect()
    }
}

fn row(broadcast: &Broadcast, made: &Made, number: u64, names: Names<'_>) -> Row {
    let local = names.zone.local(broadcast.at);
    let date = names.zone.date(broadcast.at);
    let title = names.programmes.get(&broadcast.programme);
    let known = |id: &BulletinId| names.bulletins.get(id);
    let titles = broadcast
        .order
        .iter()
        .map(|(id, _)| known(id).map_or_else(|| id.to_string(), |b| b.title.as_str().to_owned()));
    let columns =
        broadcast.order.iter().filter_map(|(id, _)| known(id)).map(|b| b.column.to_string());
    let bodies =
        broadcast.order.iter().filter_map(|(id, _)| known(id)).map(|b| b.issuing_body.to_string());
    let languages = broadcast.order.iter().map(|(_, language)| language.name_vi().to_owned());
    let gaps = made.gaps.iter().map(|(why, n)| format!("{} ({n})", why.vi()));
    let entries = made.entries.map_or(Cell::Blank, |(first, last)| {
        Cell::Text(if first == last { first.to_string() } else { format!("{first}–{last}") })
    });
    let tally = made.tally;
    Row::from([
        ("number", Cell::Whole(number)),
        ("date", Cell::Date(date)),
        ("weekday", Cell::Text(weekday_vi(date).to_owned())),
        ("time", Cell::Time(TimeOfDay::of(local))),
        (
            "programme",
            Cell::Text(title.cloned().unwrap_or_else(|| broadcast.programme.to_string())),
        ),
        ("bulletins", once_each(titles, "; ")),
        ("columns", once_each(columns, "; ")),
        ("issuing_bodies", once_each(bodies, "; ")),
        ("languages", once_each(languages, ", ")),
        ("minutes", Cell::minutes(made.length_ms)),
        ("planned", Cell::Whole(tally.planned.into())),
        ("delivered", Cell::Whole(tally.delivered.into())),
        ("played", Cell::Whole(tally.played.into())),
        ("heard", Cell::Whole(tally.heard.into())),
        ("share", Cell::Share(tally.played_share())),
        ("gaps", once_each(gaps, "; ")),
        ("entries", entries),
    ])
}

/// Every text once, in the order in which they come.
fn once_each(texts: impl Iterator<Item = String>, between: &str) -> Cell {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    if found.is_empty() { Cell::Blank } else { Cell::Text(found.join(between)) }
}

fn weekday_vi(date: crate::time::LocalDate) -> &'static str {
    use crate::calendar::Weekday;
    match Weekday::of(date) {
        Weekday::Monday => "Thứ Hai",
        Weekday::Tuesday => "Thứ Ba",
        Weekday::Wednesday => "Thứ Tư",
        Weekday::Thursday => "Thứ Năm",
        Weekday::Friday => "Thứ Sáu",
        Weekday::Saturday => "Thứ Bảy",
        Weekday::Sunday => "Chủ nhật",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_with_one_running_order_share_a_line_with_their_gaps() {
        let mut book = Logbook::default();
        let broadcast = Broadcast {
            at: Timestamp::parse_rfc3339("2026-11-21T22:30:00Z").unwrap(),
            programme: "sang".parse().unwrap(),
            order: vec![("khai-sinh".parse().unwrap(), "hni".parse().unwrap())],
        };
        for (fate, cause, entry) in
            [(Fate::Completed, "", 7), (Fate::Completed, "", 5), (Fate::Skipped, "missing", 9)]
        {
            let told = Told { fate, held: true, sensed: false };
            let share = Share { told, cause, length_ms: 90_000, entry: Some(entry) };
            book.note(broadcast.clone(), share);
        }
        let (bulletins, programmes) = (BTreeMap::new(), BTreeMap::new());
        let zone = Zone::default();
        let names = Names { bulletins: &bulletins, programmes: &programmes, zone };
        let rows = book.rows(names);
        assert_eq!(rows.len(), 1);
        let said = |field: &str| rows[0][field].vi();
        assert_eq!((said("date"), said("time")), ("22/11/2026".into(), "05:30".into()));
        assert_eq!(said("share"), "66,6 % (2/3)");
        assert_eq!(said("gaps"), "không phát: thiếu bản ghi âm (1)");
        assert_eq!((said("entries"), said("minutes")), ("5–9".into(), "1,5".into()));
        assert_eq!(said("weekday"), "Chủ nhật");
    }
}
