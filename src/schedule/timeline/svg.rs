//! A plan as a picture: a row for each day and group of villages, a bar for each airing.
//!
//! Whole numbers only, so that the same plan gives the same bytes everywhere. A bar carries its
//! words as a title, and its class as its height too, not by colour alone.

use super::{Row, clock, items, rows, said};
use crate::bulletin::Class;
use crate::calendar::Weekday;
use crate::schedule::{Airing, Places, Plan};
use crate::time::{TimeOfDay, Zone};

/// Width of the names, of an hour, and of the counts of remarks; height of a row; in pixels.
const NAMES_PX: u64 = 360;
const HOUR_PX: u64 = 60;
const COUNTS_PX: u64 = 70;
const ROW_PX: u64 = 24;

/// Rows above the first day: the legend and the hours.
const HEAD_ROWS: u64 = 2;

/// Names are cut to what fits.
const NAME_CHARS_MAX: usize = 48;

/// Hours that a picture shows at least.
const HOURS_MIN: u64 = 6;

/// The hours that a picture shows, and its size.
struct Sheet {
    from: u64,
    until: u64,
    height: u64,
}

impl Sheet {
    fn of(rows: &[Row<'_>], days: u64, zone: Zone) -> Self {
        let airings = || rows.iter().flat_map(|row| row.day.airings.iter());
        let from = airings().map(|airing| second(airing, zone) / 3600).min().unwrap_or(5);
        let ends = airings().map(|airing| end_second(airing, zone).div_ceil(3600)).max();
        let until = ends.unwrap_or(0).max(from + HOURS_MIN).min(24);
        let from = from.min(until.saturating_sub(HOURS_MIN));
        let rows = HEAD_ROWS + rows.len() as u64 + days;
        Self { from, until, height: rows * ROW_PX + ROW_PX / 2 }
    }

    fn right(&self) -> u64 {
        NAMES_PX + (self.until - self.from) * HOUR_PX
    }

    /// Where a second of the day is.
    fn x(&self, second: u64) -> u64 {
        NAMES_PX + second * HOUR_PX / 3600 - self.from * HOUR_PX
    }
}

/// The plan as SVG, on the wall clock of `zone`.
pub fn svg(plan: &Plan, zone: Zone, places: &Places<'_>) -> String {
    let rows = rows(plan, zone, places);
    let days = rows.chunk_by(|a, b| a.date == b.date);
    let sheet = Sheet::of(&rows, days.clone().count() as u64, zone);
    let (width, height) = (sheet.right() + COUNTS_PX, sheet.height);
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">"
        ),
        format!("<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"),
    ];
    lines.extend(legend());
    lines.extend((sheet.from..=sheet.until).flat_map(|hour| grid(hour, &sheet)));
    let mut top = HEAD_ROWS * ROW_PX;
    for day in days {
        lines.push(day_line(&day[0], top, width));
        top += ROW_PX;
        for row in day {
            lines.extend(row_lines(row, top, &sheet, zone, places));
            top += ROW_PX;
        }
    }
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

const CLASSES: [(Class, &str, &str, u64); 3] = [
    (Class::Normal, "thông thường (normal)", "#2b6cb0", 10),
    (Class::Priority, "ưu tiên (priority)", "#b7791f", 15),
    (Class::Emergency, "khẩn cấp (emergency)", "#c53030", 20),
];

/// Colour and height of a class.
fn look(class: Class) -> (&'static str, u64) {
    let found = CLASSES.iter().find(|(known, _, _, _)| *known == class);
    found.map(|(_, _, fill, height)| (*fill, *height)).expect("every class has its look")
}

fn legend() -> Vec<String> {
    let entry = |(place, (_, word, fill, height)): (u64, &(Class, &str, &str, u64))| {
        let (x, y) = (8 + place * 180, 2 + (ROW_PX - height) / 2);
        format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"16\" height=\"{height}\" fill=\"{fill}\"/>\
             <text x=\"{}\" y=\"18\">{word}</text>",
            x + 22
        )
    };
    let mut entries: Vec<String> = (0..).zip(&CLASSES).map(entry).collect();
    entries.push(
        "<text x=\"548\" y=\"18\"><tspan fill=\"#b00020\">! 3</tspan> ghi chú (remarks)</text>"
            .to_owned(),
    );
    entries
}

fn grid(hour: u64, sheet: &Sheet) -> Vec<String> {
    let (x, top) = (sheet.x(hour * 3600), HEAD_ROWS * ROW_PX);
    vec![
        format!("<path d=\"M{x} {top}V{}\" stroke=\"#d0d0d0\" stroke-width=\"1\"/>", sheet.height),
        format!("<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{hour:02}:00</text>", top - 6),
    ]
}

fn day_line(row: &Row<'_>, top: u64, width: u64) -> String {
    let (weekday, date) = (Weekday::of(row.date).word(), row.date);
    let base = top + 16;
    format!(
        "<rect y=\"{top}\" width=\"{width}\" height=\"{ROW_PX}\" fill=\"#eef2f6\"/>\
         <text x=\"8\" y=\"{base}\" font-weight=\"bold\">{weekday} {date}</text>"
    )
}

fn row_lines(
    row: &Row<'_>,
    top: u64,
    sheet: &Sheet,
    zone: Zone,
    places: &Places<'_>,
) -> Vec<String> {
    let name = row.name(places);
    let base = top + 16;
    let count = row.controllers.len();
    let many = if count > 1 { format!("({count}) ") } else { String::new() };
    let (short, name) = (escaped(&shortened(&format!("{many}{name}"))), escaped(&name));
    let mut lines = vec![format!("<text x=\"8\" y=\"{base}\">{short}<title>{name}</title></text>")];
    lines.extend(row.day.airings.iter().map(|airing| bar(airing, top, sheet, zone)));
    if !row.day.remarks.is_empty() {
        let count = row.day.remarks.len();
        let remarks: Vec<String> = row.day.remarks.iter().map(|remark| said(remark)).collect();
        let (x, title) = (sheet.right() + 10, escaped(&remarks.join("\n")));
        lines.push(format!(
            "<text x=\"{x}\" y=\"{base}\" fill=\"#b00020\">! {count}<title>{title}</title></text>"
        ));
    }
    lines
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME_CHARS_MAX - 1).collect();
    kept + "…"
}

/// The second of its day at which an airing begins.
fn second(airing: &Airing, zone: Zone) -> u64 {
    u64::from(TimeOfDay::of(zone.local(airing.at)).seconds())
}

/// The same of its end; what lasts beyond midnight is cut at the day's end.
fn end_second(airing: &Airing, zone: Zone) -> u64 {
    (second(airing, zone) + airing.ends.since(airing.at).as_secs()).min(86_400)
}

fn bar(airing: &Airing, top: u64, sheet: &Sheet, zone: Zone) -> String {
    let class = airing.items.iter().map(|item| item.class).max().unwrap_or(Class::Normal);
    let (fill, height) = look(class);
    let x = sheet.x(second(airing, zone));
    let width = (sheet.x(end_second(airing, zone)) - x).max(3);
    let y = top + (ROW_PX - height) / 2;
    let (begins, ends) = (clock(zone, airing.at), clock(zone, airing.ends));
    let title = format!("{begins}-{ends} {}: {}", airing.key.programme, items(airing));
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\">\
         <title>{}</title></rect>",
        escaped(&title)
    )
}

pub(in crate::schedule) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{SUNDAY, Town};
    use super::*;

    fn picture(time: &str) -> String {
        let town = Town::new().village("ban", "hni vi").bulletin("tin", "vi", 30);
        let town = town.programme("sang", time, "tin");
        let places = Places::new(&town.world.tree, &town.world.controllers);
        svg(&town.plan(SUNDAY, 1), Zone::default(), &places)
    }

    #[test]
    fn an_airing_is_a_bar_at_its_time_with_its_words() {
        let svg = picture("06:30");
        let bar = "<rect x=\"390\" y=\"79\" width=\"30\" height=\"10\" fill=\"#2b6cb0\">\
            <title>06:30:00-07:00:00 sang: tin [vi]</title></rect>";
        assert!(svg.contains(bar), "{svg}");
        assert!(svg.contains(">! 1<title>sang/0, tin, Hani: there is no version"), "{svg}");
    }

    #[test]
    fn the_last_hour_of_a_day_is_inside_the_picture() {
        let svg = picture("21:30");
        assert!(svg.contains(">24:00</text>") && svg.contains(">18:00</text>"), "{svg}");
        assert!(!svg.contains(">17:00</text>"), "{svg}");
    }

    #[test]
    fn a_picture_is_one_closed_element_and_the_same_each_time() {
        let svg = picture("06:00");
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert_eq!(svg, picture("06:00"));
    }

    #[test]
    fn what_could_break_out_of_the_picture_is_escaped() {
        assert_eq!(escaped("a<b> & c"), "a&lt;b&gt; &amp; c");
    }
}
