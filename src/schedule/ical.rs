//! The airings of an area as a calendar that other programs read (iCalendar, RFC 5545).
//!
//! One event for each airing of a programme in the area, whatever the villages hear in it; its
//! description says who hears what. **An event's UID is the airing's identity with the area in the
//! controller's place**, so that an airing which is moved or planned anew replaces itself in the
//! calendar that took it in. Times are in UTC, which every reader shows on its own clock.

use std::collections::BTreeMap;

use super::{Airing, Places, Plan, Programme};
use crate::fleet::Area;
use crate::id::ProgrammeId;
use crate::time::{LocalDate, Timestamp};

/// Bytes of a line at most, its end not counted (RFC 5545 §3.1).
const LINE_BYTES_MAX: usize = 75;

/// Villages that a description names one by one; of more, only how many more there are.
const NAMED_MAX: usize = 8;

/// The calendar of `area`, of whose controllers `plan` is; `stamp` is when it was written.
pub fn ical(
    plan: &Plan,
    programmes: &[Programme],
    places: &Places<'_>,
    area: &Area,
    stamp: Timestamp,
) -> String {
    let titles: BTreeMap<&ProgrammeId, &str> =
        programmes.iter().map(|programme| (&programme.id, programme.title.as_str())).collect();
    let mut events: BTreeMap<(LocalDate, &ProgrammeId, u16), Vec<&Airing>> = BTreeMap::new();
    for airing in &plan.airings {
        let key = (airing.key.date, &airing.key.programme, airing.key.occurrence);
        events.entry(key).or_default().push(airing);
    }
    let mut out = Lines::default();
    out.line("BEGIN", "VCALENDAR");
    out.line("VERSION", "2.0");
    out.line("PRODID", "-//Loa Ban//loaban//VI");
    out.line("CALSCALE", "GREGORIAN");
    out.text("X-WR-CALNAME", &area.name);
    for ((date, programme, occurrence), airings) in events {
        let from = airings.iter().map(|airing| airing.at).min().expect("an event has airings");
        let until = airings.iter().map(|airing| airing.ends).max().expect("an event has airings");
        out.line("BEGIN", "VEVENT");
        let uid = format!("{programme}/{}/{date}/{occurrence}@loaban", area.id);
        out.line("UID", &uid);
        out.line("DTSTAMP", &utc(stamp));
        out.line("DTSTART", &utc(from));
        out.line("DTEND", &utc(until));
        out.text("SUMMARY", titles.get(programme).copied().unwrap_or(programme.as_str()));
        out.text("LOCATION", &area.name);
        out.text("DESCRIPTION", &description(&airings, places));
        out.line("END", "VEVENT");
    }
    out.line("END", "VCALENDAR");
    out.0
}

/// Who hears what, a line for each running order.
fn description(airings: &[&Airing], places: &Places<'_>) -> String {
    let mut heard: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for airing in airings {
        let item = |item: &super::Item| format!("{} [{}]", item.bulletin, item.language);
        let items: Vec<String> = airing.items.iter().map(item).collect();
        heard.entry(items.join(", ")).or_default().push(places.name(&airing.key.controller));
    }
    let lines = heard.into_iter().map(|(items, mut villages)| {
        villages.dedup();
        let more = villages.len().saturating_sub(NAMED_MAX);
        villages.truncate(NAMED_MAX);
        let rest = if more == 0 { String::new() } else { format!(" (+{more})") };
        format!("{}{rest}: {items}", villages.join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `20261123T223000Z`; a fraction of a second is dropped.
fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    let digits: String = text.chars().take(19).filter(|c| *c != '-' && *c != ':').collect();
    digits + "Z"
}

/// Content lines, folded and ended as the standard wants.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        let mut room = LINE_BYTES_MAX;
        for c in name.chars().chain([':']).chain(value.chars()) {
            // A letter is never cut in two, though the standard would let it be.
            if c.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = LINE_BYTES_MAX - 1;
            }
            room -= c.len_utf8();
            self.0.push(c);
        }
        self.0.push_str("\r\n");
    }

    /// A line of words (RFC 5545 §3.3.11).
    fn text(&mut self, name: &str, value: &str) {
        let mut escaped = String::with_capacity(value.len());
        for c in value.chars() {
            match c {
                '\\' | ';' | ',' => escaped.extend(['\\', c]),
                '\n' => escaped.push_str("\\n"),
                // What else a line may not hold is no word.
                c if c.is_control() => {}
                c => escaped.push(c),
            }
        }
        self.line(name, &escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SUNDAY, Town, at};
    use super::*;

    fn calendar(town: &Town, name: &str) -> String {
        let places = Places::new(&town.world.tree, &town.world.controllers);
        let mut area = town.world.tree.get(&"tinh".parse().unwrap()).unwrap().clone();
        name.clone_into(&mut area.name);
        let plan = town.plan(SUNDAY, 1);
        ical(&plan, &town.world.programmes, &places, &area, at("2026-11-20T08:00:00"))
    }

    fn town() -> Town {
        let town = Town::new().village("ban-a", "hni vi").village("ban-b", "hni vi");
        let town = town.village("ban-c", "vi").bulletin("tin", "hni vi", 2);
        town.programme("sang", "05:30", "tin")
    }

    #[test]
    fn a_calendar_is_exactly_this() {
        let expected = "BEGIN:VCALENDAR\r\n\
            VERSION:2.0\r\n\
            PRODID:-//Loa Ban//loaban//VI\r\n\
            CALSCALE:GREGORIAN\r\n\
            X-WR-CALNAME:Tỉnh\\, rộng\r\n\
            BEGIN:VEVENT\r\n\
            UID:sang/tinh/2026-11-22/0@loaban\r\n\
            DTSTAMP:20261120T010000Z\r\n\
            DTSTART:20261121T223000Z\r\n\
            DTEND:20261121T223400Z\r\n\
            SUMMARY:sang\r\n\
            LOCATION:Tỉnh\\, rộng\r\n\
            DESCRIPTION:ban-a\\, ban-b: tin [hni]\\, tin [vi]\\nban-c: tin [vi]\r\n\
            END:VEVENT\r\n\
            END:VCALENDAR\r\n";
        assert_eq!(calendar(&town(), "Tỉnh, rộng"), expected);
    }

    #[test]
    fn an_airing_that_is_moved_keeps_its_uid() {
        let moved = Town::new().village("ban", "vi").bulletin("tin", "vi", 2);
        let moved = calendar(&moved.programme("sang", "06:30", "tin"), "a");
        assert!(moved.contains("UID:sang/tinh/2026-11-22/0@loaban\r\n"), "{moved}");
    }

    #[test]
    fn what_would_break_a_line_is_escaped() {
        let calendar = calendar(&town(), "a;b\\c\r\nEND:VCALENDAR\u{7f}");
        assert!(calendar.contains("CALNAME:a\\;b\\\\c\\nEND:VCALENDAR\r\n"), "{calendar}");
    }

    proptest::proptest! {
        #[test]
        fn folded_lines_are_short_and_unfold_to_what_they_were(name in "\\PC{0,300}") {
            let mut lines = Lines::default();
            lines.line("SUMMARY", &name);
            let folded = lines.0;
            let fits = folded.split("\r\n").all(|line| line.len() <= LINE_BYTES_MAX);
            proptest::prop_assert!(fits, "{folded}");
            let unfolded = folded.replace("\r\n ", "");
            proptest::prop_assert_eq!(unfolded, format!("SUMMARY:{name}\r\n"));
        }
    }
}
