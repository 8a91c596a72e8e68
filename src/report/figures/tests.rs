//! Figures of a commune of two villages.

use super::*;
use crate::fleet::{Area, Level};
use crate::report::Fate;

fn area(id: &str, level: Level, parent: Option<&str>) -> Area {
    Area {
        id: id.parse().unwrap(),
        name: format!("Bản {id}"),
        level,
        parent: parent.map(|parent| parent.parse().unwrap()),
        code: None,
        old_codes: vec![],
        listens: vec![],
        fallback: None,
        tags: vec![],
        position: None,
    }
}

fn commune() -> Figures {
    let areas = [
        area("mu-ca", Level::Commune, None),
        area("go-cu", Level::Village, Some("mu-ca")),
        area("phin-kho", Level::Village, Some("mu-ca")),
    ];
    Figures::new(AreaTree::new(areas).unwrap(), vec![], "2026-11-22".parse().unwrap())
}

fn told(fate: Fate) -> Told {
    Told { fate, held: fate != Fate::Awaited, sensed: false }
}

fn air(figures: &mut Figures, village: &str, date: &str, fate: Fate, each: Option<&[Told]>) {
    let controller = format!("{village}-1").parse().unwrap();
    let controller = figures.controller(&controller, Some(&village.parse().unwrap()));
    let programme = figures.programme(&"sang".parse().unwrap());
    let order = ["vi", "hni"].map(|language| Slot {
        version: figures.version(&"khai-sinh".parse().unwrap(), &language.parse().unwrap()),
        length_ms: 60_000,
    });
    let date = date.parse().unwrap();
    figures.count(Counted { controller, programme, date, order: &order, told: told(fate), each });
}

#[test]
fn an_area_has_everything_below_it_and_a_village_its_own() {
    let mut figures = commune();
    air(&mut figures, "go-cu", "2026-11-22", Fate::Completed, None);
    air(&mut figures, "phin-kho", "2026-11-22", Fate::Skipped, None);
    let areas = figures.by(Dimension::Area);
    let told: Vec<_> = areas
        .iter()
        .map(|g| (g.key.as_str(), g.tally.played, g.tally.planned, g.villages.unwrap()))
        .collect();
    assert_eq!(told, [("mu-ca", 1, 2, 1), ("mu-ca/go-cu", 1, 1, 1), ("mu-ca/phin-kho", 0, 1, 0)]);
    assert_eq!(figures.villages(), (1, 2));
}

#[test]
fn of_an_airing_that_was_cut_off_the_items_before_it_count_as_played() {
    let mut figures = commune();
    let each = [told(Fate::Completed), told(Fate::Interrupted)];
    air(&mut figures, "go-cu", "2026-11-22", Fate::Interrupted, Some(&each));
    let languages = figures.by(Dimension::Language);
    let told: Vec<_> = languages.iter().map(|g| (g.key.as_str(), g.tally.played)).collect();
    assert_eq!(told, [("hni", 0), ("vi", 1)]);
    assert_eq!(figures.total().played, 0);
}

#[test]
fn every_dimension_of_airings_sums_to_the_total() {
    let mut figures = commune();
    for (n, fate) in [Fate::Completed, Fate::Skipped, Fate::Awaited].into_iter().enumerate() {
        let date = ["2026-11-22", "2026-11-30", "2026-12-01"][n];
        air(&mut figures, "go-cu", date, fate, None);
    }
    for dimension in [
        Dimension::Day,
        Dimension::Week,
        Dimension::Month,
        Dimension::Programme,
        Dimension::Controller,
    ] {
        let mut sum = Tally::default();
        figures.by(dimension).iter().for_each(|group| sum += group.tally);
        assert_eq!(sum, figures.total(), "{dimension}");
    }
    let weeks: Vec<String> = figures.by(Dimension::Week).into_iter().map(|g| g.key).collect();
    assert_eq!(weeks, ["2026-W47", "2026-W49"]);
}

#[test]
fn the_cross_table_counts_a_bulletin_once_however_often_it_aired() {
    let mut figures = commune();
    for date in ["2026-11-22", "2026-11-23"] {
        air(&mut figures, "go-cu", date, Fate::Completed, None);
    }
    let cross = figures.cross();
    let key = (String::new(), "vi".parse().unwrap(), "mu-ca".parse().unwrap());
    let cell = &cross[&key];
    assert_eq!((cell.items, cell.tally.played, cell.villages), (1, 2, 1));
    assert_eq!(cell.tally.played_ms, 120_000);
}

#[test]
fn a_dimension_is_named_by_its_word() {
    for (word, dimension) in Dimension::ALL {
        assert_eq!(word.parse(), Ok(dimension));
        assert_eq!(dimension.to_string(), word);
    }
    assert!("colour".parse::<Dimension>().unwrap_err().to_string().contains("day, week"));
}
