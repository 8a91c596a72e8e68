//! Planned, delivered, played, heard as bars: each inside the one before it, each with what it is a
//! share of. **The table beside it has the same numbers**: both are made of one list.

use askama::Template;

use crate::report::{Group, Share, Tally};
use crate::web::fault::Fault;
use crate::web::frame;
use crate::web::tongue::Tongue;

/// Groups that are drawn at most; the table has them all.
const DRAWN_MAX: usize = 20;

/// Pixels of one group: its words and its bar.
const GROUP: usize = 58;

/// One group, as chart and table tell it.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) tally: Tally,
}

impl Bar {
    fn share(part: u32, of: u32) -> Share {
        Share { part: part.into(), of: of.into() }
    }

    /// Delivered of planned.
    pub(super) fn delivered(&self) -> Share {
        Self::share(self.tally.delivered, self.tally.planned)
    }

    /// Played of planned.
    pub(super) fn played(&self) -> Share {
        self.tally.played_share()
    }

    /// Heard of played.
    pub(super) fn heard(&self) -> Share {
        Self::share(self.tally.heard, self.tally.played)
    }

    /// Minutes that were played.
    pub(super) fn minutes(&self) -> String {
        crate::report::Cell::minutes(self.tally.played_ms).vi()
    }
}

impl From<Group> for Bar {
    fn from(group: Group) -> Self {
        Self { name: group.name, tally: group.tally }
    }
}

/// A bar as it is drawn: how wide, in hundredths of the picture's width.
struct Drawn {
    class: &'static str,
    width: String,
    y: usize,
    height: usize,
}

struct Row {
    words: String,
    y: usize,
    bars: Vec<Drawn>,
}

#[derive(Template)]
#[template(path = "inspector/chart.html")]
struct Picture {
    label: String,
    height: usize,
    rows: Vec<Row>,
}

/// The picture of the largest groups; empty where there are none.
pub(super) fn picture(bars: &[Bar], tongue: Tongue) -> Result<String, Fault> {
    let mut largest: Vec<&Bar> = bars.iter().collect();
    // Of equally large ones the order of the table stays.
    largest.sort_by_key(|bar| std::cmp::Reverse(bar.tally.planned));
    largest.truncate(DRAWN_MAX);
    if largest.is_empty() {
        return Ok(String::new());
    }
    let most = largest.first().map_or(1, |bar| bar.tally.planned).max(1);
    let rows = largest.iter().enumerate().map(|(n, bar)| row(bar, n * GROUP, most, tongue));
    let label = tongue.say(
        "Biểu đồ: theo lịch, tới bộ thu, phát trọn, nghe được; số liệu có trong bảng dưới",
        "Chart: planned, delivered, played, heard; the numbers are in the table below",
    );
    let (label, height) = (label.to_owned(), largest.len() * GROUP);
    frame::part(&Picture { label, height, rows: rows.collect() })
}

fn row(bar: &Bar, y: usize, most: u32, tongue: Tongue) -> Row {
    let tally = bar.tally;
    let counts = [
        ("planned", tally.planned),
        ("delivered", tally.delivered),
        ("played", tally.played),
        ("heard", tally.heard),
    ];
    let drawn = (0..).zip(counts).map(|(n, (class, count))| {
        // In hundredths of a per cent, and the rest of a whole number each.
        let parts = u64::from(count) * 10_000 / u64::from(most);
        let width = format!("{}.{:02}%", parts / 100, parts % 100);
        Drawn { class, width, y: y + 22 + 7 * n, height: 6 }
    });
    let played = tongue.say("phát trọn", "played");
    let of = tongue.say("theo lịch", "planned");
    let share = bar
        .played()
        .thousandths()
        .map_or_else(String::new, |share| format!(" ({},{} %)", share / 10, share % 10));
    let words = format!("{}: {played} {} / {} {of}{share}", bar.name, tally.played, tally.planned);
    Row { words, y: y + 14, bars: drawn.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, planned: u32, played: u32) -> Bar {
        let tally = Tally { planned, delivered: planned, played, ..Tally::default() };
        Bar { name: name.to_owned(), tally }
    }

    #[test]
    fn every_bar_is_told_with_what_it_is_a_share_of() {
        let bars = [bar("Mù Cả", 4, 3), bar("<Ka Lăng>", 8, 8)];
        let svg = picture(&bars, Tongue::Vi).unwrap();
        assert!(svg.contains("Mù Cả: phát trọn 3 / 4 theo lịch (75,0 %)"), "{svg}");
        assert!(svg.contains("width=\"37.50%\""), "3 of the 8 that the widest has: {svg}");
        assert!(!svg.contains("<Ka"), "{svg}");
        assert!(!svg.contains("style"), "{svg}");
    }

    #[test]
    fn only_the_largest_are_drawn_and_nothing_is_no_picture() {
        let many: Vec<Bar> = (1..=50).map(|n| bar(&format!("g{n}"), n, 0)).collect();
        let svg = picture(&many, Tongue::En).unwrap();
        assert!(svg.contains("g50:") && svg.contains("g31:") && !svg.contains("g30:"), "{svg}");
        assert_eq!(picture(&[], Tongue::Vi).unwrap(), "");
    }
}
