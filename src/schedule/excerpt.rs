//! Part of a plan: some days, some places, one programme; and what was meant where a name is wrong.

use std::collections::BTreeSet;

use super::{DAYS_MAX, Plan, World, plan};
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::time::LocalDate;

/// Ids named where one is not known.
const NEAR_MAX: usize = 5;

/// Why a plan has no such part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoExcerpt {
    /// A name that nothing has.
    #[error("there is no {noun} `{wanted}` ({vi}); near it: {near}")]
    Unknown {
        /// What kind of thing.
        noun: &'static str,
        /// The same in Vietnamese.
        vi: &'static str,
        /// The name.
        wanted: String,
        /// Names that are there.
        near: String,
    },
    /// Days that cannot be planned at once.
    #[error("{from} to {to} are no 1 to {DAYS_MAX} days from {begin} on; choose others")]
    Days {
        /// The first.
        from: LocalDate,
        /// The last.
        to: LocalDate,
        /// From where the plan begins.
        begin: LocalDate,
    },
}

/// What of a plan is meant; everything where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Only this area and those below it.
    pub area: Option<AreaId>,
    /// Only this controller.
    pub controller: Option<ControllerId>,
    /// Only this programme.
    pub programme: Option<ProgrammeId>,
}

impl Excerpt {
    /// Whether nothing was named.
    pub fn is_all(&self) -> bool {
        self.area.is_none() && self.controller.is_none() && self.programme.is_none()
    }

    /// Leaves of `plan` what is meant; refuses names that nothing has.
    pub fn narrow(&self, world: &World, plan: &mut Plan) -> Result<(), NoExcerpt> {
        self.known(world)?;
        let here = self.controllers(world);
        let programme = |id: &ProgrammeId| self.programme.as_ref().is_none_or(|only| only == id);
        plan.airings.retain(|airing| {
            here.contains(&airing.key.controller) && programme(&airing.key.programme)
        });
        plan.remarks.retain(|remark| {
            let about = remark.key.as_ref().map(|key| &key.controller);
            about.map_or(self.is_all(), |controller| here.contains(controller))
                && programme(&remark.programme)
        });
        Ok(())
    }

    fn known(&self, world: &World) -> Result<(), NoExcerpt> {
        if let Some(controller) = &self.controller {
            known_controller(world, controller)?;
        }
        if let Some(programme) = &self.programme
            && world.programmes.iter().all(|known| known.id != *programme)
        {
            let known = world.programmes.iter().map(|known| known.id.as_str());
            let near = nearest(programme.as_str(), known);
            let (noun, vi) = ("programme", "không có chương trình này");
            return Err(NoExcerpt::Unknown { noun, vi, wanted: programme.to_string(), near });
        }
        self.area.as_ref().map_or(Ok(()), |area| known_area(world, area))
    }

    /// The controllers that are meant.
    pub fn controllers(&self, world: &World) -> BTreeSet<ControllerId> {
        let areas = self.area.as_ref().map(|area| world.tree.below(area));
        let areas: Option<BTreeSet<AreaId>> = areas.map(|areas| areas.into_iter().collect());
        let here = world.controllers.iter().filter(|controller| {
            areas.as_ref().is_none_or(|areas| areas.contains(&controller.area))
                && self.controller.as_ref().is_none_or(|only| *only == controller.id)
        });
        here.map(|controller| controller.id.clone()).collect()
    }
}

/// Refuses a controller that is not there, with the nearest that are.
pub fn known_controller(world: &World, controller: &ControllerId) -> Result<(), NoExcerpt> {
    if world.controllers.iter().any(|known| known.id == *controller) {
        return Ok(());
    }
    let near = nearest(controller.as_str(), world.controllers.iter().map(|c| c.id.as_str()));
    let (noun, vi) = ("controller", "không có bộ thu này");
    Err(NoExcerpt::Unknown { noun, vi, wanted: controller.to_string(), near })
}

/// Refuses an area that is not there, with the nearest that are.
pub fn known_area(world: &World, area: &AreaId) -> Result<(), NoExcerpt> {
    if world.tree.get(area).is_some() {
        return Ok(());
    }
    let near = nearest(area.as_str(), world.tree.iter().map(|area| area.id.as_str()));
    let (noun, vi) = ("area", "không có địa bàn này");
    Err(NoExcerpt::Unknown { noun, vi, wanted: area.to_string(), near })
}

/// Plans the days `from` to `to`. The days between `begin` and the first are planned too, because
/// what airs on them does not air again.
pub fn plan_days(
    world: &World,
    begin: LocalDate,
    (from, to): (LocalDate, LocalDate),
) -> Result<Plan, NoExcerpt> {
    let begin = begin.min(from);
    let days = (to.naive() - begin.naive()).num_days() + 1;
    let days = u16::try_from(days).ok().filter(|days| (1..=DAYS_MAX).contains(days) && from <= to);
    let mut plan = plan(world, begin, days.ok_or(NoExcerpt::Days { from, to, begin })?);
    plan.airings.retain(|airing| airing.key.date >= from);
    plan.remarks.retain(|remark| remark.key.as_ref().is_none_or(|key| key.date >= from));
    Ok(plan)
}

/// Those of `known` that are written most like `wanted`.
pub fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<(usize, &str)> = known.map(|id| (distance(wanted, id), id)).collect();
    known.sort_unstable();
    let near: Vec<&str> = known.iter().take(NEAR_MAX).map(|(_, id)| *id).collect();
    if near.is_empty() { "nothing at all".to_owned() } else { near.join(", ") }
}

/// Letters to change, add or drop until one is the other (Levenshtein); ids are short.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_ids_come_first() {
        let known = ["mu-ca", "muong-te", "mu-sang", "bum-to"];
        assert!(nearest("mu-cà", known.into_iter()).starts_with("mu-ca, mu-sang"));
        assert_eq!(nearest("x", std::iter::empty()), "nothing at all");
    }

    #[test]
    fn a_distance_counts_what_is_changed_added_and_dropped() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", "abc")), (3, 0));
    }
}
