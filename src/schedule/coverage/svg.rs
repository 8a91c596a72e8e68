//! The matrix as a picture: communes down, bulletins across, in each cell the share of villages.
//!
//! From the bottom of a cell up: first language, another, fallback; what stays white hears
//! nothing. The share of the first language stands there as a number, so nothing is said by colour
//! alone. Whole numbers only: the same matrix gives the same bytes.

use std::collections::BTreeMap;

use super::text::commune;
use super::{Coverage, Sums};
use crate::id::BulletinId;
use crate::schedule::Places;
use crate::schedule::timeline::escaped;

/// Width of the names and of a cell; height of the bulletins' ids, of the legend and of a cell;
/// in pixels.
const NAMES_PX: u64 = 170;
const CELL_PX: u64 = 30;
const IDS_PX: u64 = 190;
const LEGEND_PX: u64 = 28;
const ROW_PX: u64 = 24;

/// Height of what a cell is filled with.
const FILL_PX: u64 = 22;

/// Colours and words, from the bottom up.
const PARTS: [(&str, &str); 3] = [
    ("#2b6cb0", "ngôn ngữ thứ nhất (first language)"),
    ("#90cdf4", "ngôn ngữ khác (another)"),
    ("#e2b04a", "dự phòng (fallback)"),
];

/// The matrix as SVG.
pub fn svg(coverage: &Coverage<'_>, places: &Places<'_>) -> String {
    let mut cells: BTreeMap<(&str, &BulletinId), Sums> = BTreeMap::new();
    for entry in &coverage.entries {
        cells.entry((commune(entry, places), entry.bulletin)).or_default().add(&entry.hears);
    }
    let columns: Vec<&BulletinId> = coverage.sums().into_keys().collect();
    let mut rows: Vec<&str> = cells.keys().map(|(commune, _)| *commune).collect();
    rows.dedup();
    // Slanted ids reach out to the right of the last column.
    let width = (NAMES_PX + columns.len() as u64 * CELL_PX + IDS_PX / 2).max(760);
    let height = LEGEND_PX + IDS_PX + rows.len() as u64 * ROW_PX + 8;
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">"
        ),
        format!("<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"),
    ];
    lines.extend(legend());
    for (column, bulletin) in (0..).zip(&columns) {
        let (x, y) = (NAMES_PX + column * CELL_PX + 12, LEGEND_PX + IDS_PX - 6);
        let id = bulletin.as_str();
        lines.push(format!("<text transform=\"translate({x} {y}) rotate(-60)\">{id}</text>"));
    }
    for (row, commune) in (0..).zip(&rows) {
        let top = LEGEND_PX + IDS_PX + row * ROW_PX;
        let name = escaped(commune);
        lines.push(format!("<text x=\"8\" y=\"{}\">{name}</text>", top + 15));
        for (column, bulletin) in (0..).zip(&columns) {
            let sums = cells.get(&(commune, *bulletin)).copied().unwrap_or_default();
            let title = format!("{commune}, {bulletin}");
            lines.push(cell(&sums, NAMES_PX + column * CELL_PX, top, &title));
        }
    }
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

fn legend() -> Vec<String> {
    let entry = |(place, (fill, word)): (u64, &(&str, &str))| {
        let x = 8 + place * 220;
        format!(
            "<rect x=\"{x}\" y=\"6\" width=\"16\" height=\"14\" fill=\"{fill}\"/>\
             <text x=\"{}\" y=\"18\">{word}</text>",
            x + 22
        )
    };
    (0..).zip(&PARTS).map(entry).collect()
}

fn cell(sums: &Sums, x: u64, top: u64, title: &str) -> String {
    let villages = u64::from(sums.villages()).max(1);
    let (inner, bottom) = (CELL_PX - 2, top + FILL_PX);
    let mut lines = vec![format!(
        "<rect x=\"{x}\" y=\"{top}\" width=\"{inner}\" height=\"{FILL_PX}\" fill=\"#ffffff\" \
         stroke=\"#c0c0c0\"/>"
    )];
    let mut below = 0;
    for (count, (fill, _)) in [sums.first, sums.other, sums.fallback].into_iter().zip(PARTS) {
        let from = below * FILL_PX / villages;
        below += u64::from(count);
        let until = below * FILL_PX / villages;
        if until > from {
            let (y, height) = (bottom - until, until - from);
            lines.push(format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{inner}\" height=\"{height}\" fill=\"{fill}\"/>"
            ));
        }
    }
    let share = u64::from(sums.first) * 100 / villages;
    let words = format!(
        "{title}: first {}, another {}, fallback {}, nothing {}",
        sums.first, sums.other, sums.fallback, sums.nothing
    );
    // A white edge keeps the number readable on every fill.
    lines.push(format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" stroke=\"#ffffff\" stroke-width=\"3\" \
         paint-order=\"stroke\">{share}<title>{}</title></text>",
        x + inner / 2,
        top + 15,
        escaped(&words)
    ));
    lines.join("")
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{SUNDAY, Town, date};
    use super::super::coverage;
    use super::*;

    #[test]
    fn a_cell_is_filled_by_the_share_of_villages_and_says_it_in_words() {
        let town = Town::new().village("ban-a", "hni vi").village("ban-b", "hni");
        let town = town.bulletin("tin", "vi", 2).bulletin("hai", "hni", 2);
        let at = town.world.zone.midnight(date(SUNDAY));
        let places = Places::new(&town.world.tree, &town.world.controllers);
        let svg = svg(&coverage(&town.world, at, None, None), &places);
        assert!(svg.contains("hai: first 2, another 0, fallback 0, nothing 0"), "{svg}");
        assert!(svg.contains("height=\"11\" fill=\"#90cdf4\""), "half hears another: {svg}");
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
