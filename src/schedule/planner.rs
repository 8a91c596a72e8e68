//! A plan that is kept, so that a change plans anew only what it touches.
//!
//! What a group of controllers hears follows from its place, its past, and of programmes,
//! exceptions and bulletins those that can reach it. All of that has one fingerprint; **a group
//! whose fingerprint was planned already is not planned again, and the result is that of
//! [`plan`](super::plan)**, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::audience::{Audience, Group};
use super::compose::Desk;
use super::day::{Rules, settle};
use super::exception::Layer;
use super::fingerprint::Fingerprints;
use super::settled::Settled;
use super::{DAYS_MAX, Plan, Remark, World, candidate, programme};
use crate::digest::Digest;
use crate::fleet::Controller;
use crate::id::{AreaId, ControllerId};
use crate::time::LocalDate;

/// The plans of groups that were planned, and who is in which.
#[derive(Default)]
pub struct Planner {
    settled: BTreeMap<Digest, Arc<Settled>>,
    /// By controller.
    members: Vec<Member>,
    /// Those about no controller.
    remarks: Vec<Remark>,
    planned_anew: usize,
}

/// A controller and its plan.
struct Member {
    controller: Controller,
    commune: AreaId,
    fingerprint: Digest,
    settled: Arc<Settled>,
}

impl Member {
    fn is_as(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && self.controller == other.controller
            && self.commune == other.commune
    }
}

/// Sums of a plan that nobody needs airing by airing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Airings at all controllers together.
    pub airings: u64,
    /// Their length together, in milliseconds.
    pub length_ms: u64,
    /// Airings that were wanted and do not take place.
    pub refused: u64,
    /// What a village asked for or a programme named, and is not heard in an airing that does.
    pub gaps: u64,
}

impl Planner {
    /// Plans `days` whole local days from `from` on. Returns the controllers whose plan is not
    /// what it was, by id; those that are gone too.
    ///
    /// # Panics
    /// Where `days` is more than [`DAYS_MAX`].
    pub fn update(&mut self, world: &World, from: LocalDate, days: u16) -> Vec<ControllerId> {
        assert!(days <= DAYS_MAX, "a plan is for at most {DAYS_MAX} days");
        let until = from.plus_days(i64::from(days));
        let desk = Desk::new(world.zone, &world.content);
        let programmes = programme::by_id(&world.programmes);
        let layer = Layer::of(&world.exceptions, &programmes, &desk, (from, until));
        let audience = Audience::of(world, &programmes, &layer, (from, until));
        let prints = Fingerprints::of(world, &programmes, &desk, &layer, (from, until));
        let rules = Rules { desk: &desk, layer: &layer };
        let mut calendar = None;
        let mut fresh = |group: &Group<'_>| {
            let days = || candidate::calendar(world.zone, &programmes, from, days);
            let place = &audience.places[group.place];
            Arc::new(settle(rules, place, &group.past, calendar.get_or_insert_with(days)))
        };
        let places: Vec<Digest> = audience.places.iter().map(|place| prints.place(place)).collect();
        let mut known = std::mem::take(&mut self.settled);
        self.planned_anew = 0;
        let mut groups = Vec::with_capacity(audience.groups.len());
        for group in &audience.groups {
            let fingerprint = Fingerprints::group(&places[group.place], &group.past);
            let settled = known.remove(&fingerprint).unwrap_or_else(|| {
                self.planned_anew += 1;
                fresh(group)
            });
            groups.push((fingerprint, settled));
        }
        self.settled = groups.iter().cloned().collect();
        self.remarks = audience.remarks(&programmes);
        let met = groups.iter().flat_map(|(_, settled)| settled.decisions()).collect();
        self.remarks.extend(audience.stale(&met));
        self.take(&audience, &groups)
    }

    /// Takes over who is in which group. Returns whose plan is not what it was.
    fn take(
        &mut self,
        audience: &Audience<'_>,
        groups: &[(Digest, Arc<Settled>)],
    ) -> Vec<ControllerId> {
        let members = audience.members.iter().map(|member| {
            let (fingerprint, settled) = &groups[member.group];
            Member {
                controller: member.controller.clone(),
                commune: member.commune.clone(),
                fingerprint: *fingerprint,
                settled: Arc::clone(settled),
            }
        });
        let before = std::mem::replace(&mut self.members, members.collect());
        self.changed(&before)
    }

    /// Whose plan is not what it was `before`.
    fn changed(&self, before: &[Member]) -> Vec<ControllerId> {
        let old: BTreeMap<&ControllerId, &Member> =
            before.iter().map(|member| (&member.controller.id, member)).collect();
        let now = self.members.iter().filter(|member| {
            !old.get(&member.controller.id).is_some_and(|before| before.is_as(member))
        });
        let mut changed: BTreeSet<&ControllerId> =
            now.map(|member| &member.controller.id).collect();
        let there: BTreeSet<&ControllerId> =
            self.members.iter().map(|member| &member.controller.id).collect();
        changed.extend(old.keys().filter(|id| !there.contains(*id)));
        changed.into_iter().cloned().collect()
    }

    /// How many groups the last update planned; of the others it knew the plan.
    pub fn planned_anew(&self) -> usize {
        self.planned_anew
    }

    /// How many groups of controllers have one plan each.
    pub fn groups(&self) -> usize {
        self.settled.len()
    }

    /// The whole plan.
    pub fn plan(&self) -> Plan {
        let airings = self.members.iter().map(|member| member.settled.airings.len()).sum();
        let mut plan = Plan { airings: Vec::with_capacity(airings), remarks: self.remarks.clone() };
        for member in &self.members {
            member.settled.write(&member.controller, &member.commune, &mut plan);
        }
        plan
    }

    /// The plan of one controller, without what is about no controller.
    pub fn of(&self, controller: &ControllerId) -> Plan {
        let mut plan = Plan::default();
        let place = self.members.binary_search_by(|member| member.controller.id.cmp(controller));
        if let Ok(place) = place {
            let member = &self.members[place];
            member.settled.write(&member.controller, &member.commune, &mut plan);
        }
        plan
    }

    /// The plan's figures; no airing is written down for them.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        let mut known: BTreeMap<&Digest, Figures> = BTreeMap::new();
        for member in &self.members {
            let group =
                known.entry(&member.fingerprint).or_insert_with(|| member.settled.figures());
            figures.airings += group.airings;
            figures.length_ms += group.length_ms;
            figures.refused += group.refused;
            figures.gaps += group.gaps;
        }
        figures
    }
}
