//! A plan as people read it: day by day, who hears what when, and what there is to say.
//!
//! Villages of a commune with the same day stand together. **The same plan gives the same bytes.**

use std::collections::BTreeMap;

use super::{Airing, Places, Plan, Remark};
use crate::calendar::Weekday;
use crate::fleet::Area;
use crate::id::{AreaId, ControllerId};
use crate::lang::LangTag;
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};

mod svg;

pub(super) use svg::escaped;
pub use svg::svg;

/// Villages that are named one by one; of more, only how many more there are.
const NAMED_MAX: usize = 6;

/// One day at one controller.
#[derive(Default)]
struct Day<'p> {
    airings: Vec<&'p Airing>,
    remarks: Vec<&'p Remark>,
}

/// The same day at one or more controllers of a commune.
struct Row<'p> {
    date: LocalDate,
    commune: Option<&'p Area>,
    controllers: Vec<&'p ControllerId>,
    day: Day<'p>,
}

/// The plan as text, on the wall clock of `zone`.
pub fn text(plan: &Plan, zone: Zone, places: &Places<'_>) -> String {
    let mut lines: Vec<String> = plan
        .remarks
        .iter()
        .filter(|remark| remark.key.is_none())
        .map(|remark| format!("! {remark}"))
        .collect();
    let mut date = None;
    for row in rows(plan, zone, places) {
        if date.replace(row.date) != Some(row.date) {
            lines.push(format!("{} {}", Weekday::of(row.date).word(), row.date));
        }
        lines.push(format!("  {}", row.name(places)));
        lines.extend(day_lines(&row.day, zone));
    }
    lines.push(String::new());
    lines.join("\n")
}

impl Row<'_> {
    /// `Xã Mù Cả: Bản Má, Bản Sì and 3 more`.
    fn name(&self, places: &Places<'_>) -> String {
        let mut villages: Vec<&str> =
            self.controllers.iter().map(|controller| places.name(controller)).collect();
        villages.dedup();
        let more = villages.len().saturating_sub(NAMED_MAX);
        villages.truncate(NAMED_MAX);
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        let commune = self.commune.map_or_else(String::new, |area| format!("{}: ", area.name));
        format!("{commune}{}{rest}", villages.join(", "))
    }
}

/// By date, then by commune, then by the first of the controllers.
fn rows<'p>(plan: &'p Plan, zone: Zone, places: &Places<'p>) -> Vec<Row<'p>> {
    type Where<'p> = (LocalDate, Option<&'p AreaId>, &'p ControllerId);
    let at = |date, controller: &'p ControllerId| -> Where<'p> {
        (date, places.commune(controller).map(|area| &area.id), controller)
    };
    let mut days: BTreeMap<Where<'p>, Day<'p>> = BTreeMap::new();
    for airing in &plan.airings {
        let day = days.entry(at(airing.key.date, &airing.key.controller)).or_default();
        day.airings.push(airing);
    }
    for remark in &plan.remarks {
        if let Some(key) = &remark.key {
            days.entry(at(key.date, &key.controller)).or_default().remarks.push(remark);
        }
    }
    let mut rows: Vec<Row<'p>> = Vec::new();
    let mut same: BTreeMap<(LocalDate, Option<&AreaId>, Vec<String>), usize> = BTreeMap::new();
    for ((date, commune, controller), day) in days {
        let place = *same.entry((date, commune, day_lines(&day, zone))).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.controllers.push(controller),
            None => rows.push(Row {
                date,
                commune: places.commune(controller),
                controllers: vec![controller],
                day,
            }),
        }
    }
    rows
}

fn day_lines(day: &Day<'_>, zone: Zone) -> Vec<String> {
    let airings = day.airings.iter().map(|airing| {
        let (from, until) = (clock(zone, airing.at), clock(zone, airing.ends));
        let programme = airing.key.programme.as_str();
        format!("    {from}-{until}  {programme:<20}  {}", items(airing))
    });
    let remarks = day.remarks.iter().map(|remark| format!("    ! {}", said(remark)));
    airings.chain(remarks).collect()
}

/// Hours, minutes and seconds, always all three, so that columns stand.
fn clock(zone: Zone, at: Timestamp) -> String {
    let seconds = TimeOfDay::of(zone.local(at)).seconds();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `lu-quet [hni], lu-quet [mww for hnj]`.
fn items(airing: &Airing) -> String {
    let items = airing.items.iter().map(|item| {
        let stands_in = item.language != item.wished;
        let instead = if stands_in { format!(" for {}", item.wished) } else { String::new() };
        format!("{} [{}{instead}]", item.bulletin, item.language)
    });
    items.collect::<Vec<_>>().join(", ")
}

/// The remark without its controller and date, which stand above it.
fn said(remark: &Remark) -> String {
    let occurrence = remark.key.as_ref().map_or(0, |key| key.occurrence);
    let mut about = vec![format!("{}/{occurrence}", remark.programme)];
    about.extend(remark.bulletin.iter().map(ToString::to_string));
    about.extend(remark.language.as_ref().map(LangTag::name_en).map(ToOwned::to_owned));
    format!("{}: {}", about.join(", "), remark.reason)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SUNDAY, Town};
    use super::*;
    use crate::fleet::{Controller, Level};

    fn town() -> Town {
        let town = Town::new().village("ban-a", "hni/vi").village("ban-b", "hni/vi");
        town.village("ban-c", "hni")
            .bulletin("lu-quet", "vi", 2)
            .programme("sang", "05:30", "lu-quet")
    }

    fn said_of(town: &Town) -> String {
        let places = Places::new(&town.world.tree, &town.world.controllers);
        text(&town.plan(SUNDAY, 1), Zone::default(), &places)
    }

    #[test]
    fn a_plan_reads_as_a_table_of_days_in_which_equal_days_stand_together() {
        let expected = "\
            sun 2026-11-22\n  \
              ban-a, ban-b\n    \
                05:30:00-05:32:00  sang                  lu-quet [vi for hni]\n  \
              ban-c\n    \
                ! sang/0, lu-quet, Hani: there is no version; have it translated and recorded\n    \
                ! sang/0: nothing is left to air; approve a bulletin for this programme\n";
        assert_eq!(said_of(&town()), expected);
    }

    #[test]
    fn many_controllers_of_one_day_are_counted() {
        let town = (0..9).fold(Town::new(), |town, i| town.village(&format!("ban-{i}"), "vi"));
        let town = town.bulletin("tin", "vi", 2).programme("sang", "05:30", "tin");
        let text = said_of(&town);
        assert!(text.contains("ban-5 and 3 more\n"), "{text}");
    }

    #[test]
    fn villages_of_two_communes_never_stand_together() {
        let mut town = Town::new().village("ban-a", "vi").village("ban-b", "vi");
        town = town.bulletin("tin", "vi", 2).programme("sang", "05:30", "tin");
        town.area("xa", Some("tinh"), Level::Commune, "");
        town.area("ban-c", Some("xa"), Level::Village, "vi");
        let controller =
            Controller { id: "c".parse().unwrap(), area: "ban-c".parse().unwrap(), position: None };
        town.world.controllers.push(controller);
        let text = said_of(&town);
        assert!(text.contains("\n  ban-a, ban-b\n"), "{text}");
        assert!(text.contains("\n  xa: ban-c\n"), "{text}");
    }

    #[test]
    fn a_programme_that_nobody_hears_stands_at_the_top() {
        let town = Town::new().programme("sang", "05:30", "");
        let text = said_of(&town);
        assert!(text.starts_with("! sang: no controller"), "{text}");
    }
}
