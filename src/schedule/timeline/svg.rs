//! A plan as a picture: a row for each day and group of controllers, a bar for each airing.
//!
//! Whole numbers only, so that the same plan gives the same bytes everywhere. A bar carries its
//! words as a title, and its class as its height too, not by colour alone.

use super::{Row, clock, items, names, rows, said};
use crate::bulletin::Class;
use crate::calendar::Weekday;
use crate::schedule::{Airing, Plan};
use crate::time::{TimeOfDay, Zone};

/// Width of the names, of an hour, and of the counts of remarks; height of a row; in pixels.
const NAMES_PX: u64 = 240;
const HOUR_PX: u64 = 40;
const COUNTS_PX: u64 = 60;
const ROW_PX: u64 = 24;

/// Names are cut to what fits.
const NAME_CHARS_MAX: usize = 34;

/// The plan as SVG, on the wall clock of `zone`.
pub fn svg(plan: &Plan, zone: Zone) -> String {
    let rows = rows(plan, zone);
    let width = NAMES_PX + 24 * HOUR_PX + COUNTS_PX;
    let height = (rows.len() as u64 + 1) * ROW_PX;
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">"
        ),
        format!("<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"),
    ];
    lines.extend((0..=24).flat_map(|hour| grid(hour, height)));
    for (row, number) in rows.iter().zip(1..) {
        lines.extend(row_lines(row, number * ROW_PX, zone));
    }
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

fn grid(hour: u64, height: u64) -> Vec<String> {
    let x = NAMES_PX + hour * HOUR_PX;
    let line =
        format!("<path d=\"M{x} {ROW_PX}V{height}\" stroke=\"#d0d0d0\" stroke-width=\"1\"/>");
    let label = format!("<text x=\"{x}\" y=\"16\" text-anchor=\"middle\">{hour:02}</text>");
    if hour.is_multiple_of(3) { vec![line, label] } else { vec![line] }
}

fn row_lines(row: &Row<'_>, top: u64, zone: Zone) -> Vec<String> {
    let names = names(&row.controllers);
    let name = format!("{} {} {names}", Weekday::of(row.date).word(), row.date);
    let short: String = name.chars().take(NAME_CHARS_MAX).collect();
    let base = top + 16;
    let name = escaped(&name);
    let mut lines =
        vec![format!("<text x=\"4\" y=\"{base}\">{}<title>{name}</title></text>", escaped(&short))];
    lines.extend(row.day.airings.iter().map(|airing| bar(airing, top, zone)));
    if !row.day.remarks.is_empty() {
        let count = row.day.remarks.len();
        let remarks: Vec<String> = row.day.remarks.iter().map(|remark| said(remark)).collect();
        let (x, title) = (NAMES_PX + 24 * HOUR_PX + 8, escaped(&remarks.join("\n")));
        lines.push(format!(
            "<text x=\"{x}\" y=\"{base}\" fill=\"#b00020\">! {count}<title>{title}</title></text>"
        ));
    }
    lines
}

/// The bar of an airing; what lasts beyond midnight is cut at the day's end.
fn bar(airing: &Airing, top: u64, zone: Zone) -> String {
    let class = airing.items.iter().map(|item| item.class).max().unwrap_or(Class::Normal);
    let (fill, height) = match class {
        Class::Normal => ("#2b6cb0", 12),
        Class::Priority => ("#b7791f", 16),
        Class::Emergency => ("#c53030", 20),
    };
    let from = u64::from(TimeOfDay::of(zone.local(airing.at)).seconds());
    let until = (from + airing.ends.since(airing.at).as_secs()).min(86_400);
    let x = NAMES_PX + from * HOUR_PX / 3600;
    let width = (NAMES_PX + until * HOUR_PX / 3600 - x).max(2);
    let y = top + (ROW_PX - height) / 2;
    let (begins, ends) = (clock(zone, airing.at), clock(zone, airing.ends));
    let title = format!("{begins}-{ends} {}: {}", airing.key.programme, items(airing));
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\">\
         <title>{}</title></rect>",
        escaped(&title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{SUNDAY, Town};
    use super::*;

    fn picture(time: &str) -> String {
        let town = Town::new().village("ban", "hni vi").bulletin("tin", "vi", 30);
        svg(&town.programme("sang", time, "tin").plan(SUNDAY, 1), Zone::default())
    }

    #[test]
    fn an_airing_is_a_bar_at_its_time_with_its_words() {
        let svg = picture("06:00");
        let bar = "<rect x=\"480\" y=\"30\" width=\"20\" height=\"12\" fill=\"#2b6cb0\">\
            <title>06:00:00-06:30:00 sang: tin [vi]</title></rect>";
        assert!(svg.contains(bar), "{svg}");
        assert!(svg.contains(">! 1<title>sang/0, tin, Hani: there is no version"), "{svg}");
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
