//! Who hears which programme, in groups that hear the same.
//!
//! Areas that listen to the same languages under the same policy, and that are meant by the same
//! programmes, exceptions and decisions, are one [`Place`]. Controllers in one place after the
//! same history are one [`Group`] and have the same plan. It is made once.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::{Decision, DecisionId, standing};
use super::exception::Layer;
use super::remark::{Reason, Remark};
use super::serve::Profile;
use super::{Programme, Running, World};
use crate::calendar::{Airtime, Weekday};
use crate::fleet::Controller;
use crate::id::{AreaId, BulletinId, ProgrammeId};
use crate::time::LocalDate;

/// What controllers of one area have in common, and of others that are like it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'w> {
    pub(super) profile: Option<Profile<'w>>,
    pub(super) airtime: Option<&'w Airtime>,
    /// Places in the list of programmes, rising.
    pub(super) programmes: Vec<usize>,
    /// Places in the layer of exceptions, the one that holds first.
    pub(super) exceptions: Vec<usize>,
    /// What their commune decided about these days, by question.
    pub(super) decisions: Vec<&'w Decision>,
}

/// What a controller aired, as far as its plan cares.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Past<'w> {
    pub(super) aired: BTreeSet<&'w BulletinId>,
    /// Days with airings in the week of the first day, before it; only where the week has a limit.
    pub(super) days_before: usize,
    pub(super) running: Option<&'w Running>,
}

/// What controllers have in common that have one plan.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group<'w> {
    /// Its place in the list of places.
    pub(super) place: usize,
    pub(super) past: Past<'w>,
}

/// A controller with its group.
pub(super) struct Member<'w> {
    pub(super) controller: &'w Controller,
    /// The commune that decides for it.
    pub(super) commune: &'w AreaId,
    pub(super) group: usize,
}

/// Every controller with its group.
pub(super) struct Audience<'w> {
    pub(super) places: Vec<Place<'w>>,
    pub(super) groups: Vec<Group<'w>>,
    /// By controller.
    pub(super) members: Vec<Member<'w>>,
    decisions: Vec<&'w Decision>,
}

impl<'w> Audience<'w> {
    pub(super) fn of(
        world: &'w World,
        programmes: &[&'w Programme],
        layer: &Layer<'w>,
        (from, until): (LocalDate, LocalDate),
    ) -> Self {
        let content: BTreeSet<&BulletinId> = world.content.iter().map(|a| &a.bulletin).collect();
        let decisions = standing(world, from, until);
        let shared = Shared { world, reach: Reach::of(programmes), layer, decisions: &decisions };
        let monday = monday(from);
        let mut areas: BTreeMap<&AreaId, Home<'w>> = BTreeMap::new();
        let (mut places, mut groups) = (Numbers::default(), Numbers::default());
        let mut members = Vec::with_capacity(world.controllers.len());
        for controller in &world.controllers {
            let home = areas.entry(&controller.area);
            let home = *home.or_insert_with_key(|area| shared.home(area, &mut places));
            let days = || world.history.days(&controller.id, monday, from);
            let aired = world.history.aired(&controller.id);
            let past = Past {
                aired: aired.filter(|bulletin| content.contains(bulletin)).collect(),
                days_before: if home.weekly { days() } else { 0 },
                running: world.history.running(&controller.id),
            };
            let group = groups.number(Group { place: home.place, past });
            members.push(Member { controller, commune: home.commune, group });
        }
        members.sort_by_key(|member| &member.controller.id);
        Self { places: places.in_order(), groups: groups.in_order(), members, decisions }
    }

    /// A remark for each programme that nobody hears.
    pub(super) fn remarks(&self, programmes: &[&Programme]) -> Vec<Remark> {
        let heard: BTreeSet<usize> =
            self.places.iter().flat_map(|place| place.programmes.iter().copied()).collect();
        let unheard = programmes.iter().enumerate().filter(|(i, _)| !heard.contains(i));
        let remark =
            |(_, programme): (_, &&Programme)| remark(&programme.id, None, Reason::NoAudience);
        unheard.map(remark).collect()
    }

    /// A remark for each decision that is not among those `met` by the plan.
    pub(super) fn stale(&self, met: &BTreeSet<&DecisionId>) -> Vec<Remark> {
        let stale = self.decisions.iter().filter(|decision| !met.contains(&decision.id));
        let remarks = stale.map(|decision| {
            let (id, by) = (decision.id.clone(), decision.by.clone());
            let reason = Reason::DecisionStale { decision: id, by };
            remark(&decision.first, Some(decision.id.area()), reason)
        });
        remarks.collect()
    }
}

/// Different values with numbers in the order in which they came.
struct Numbers<T>(BTreeMap<T, usize>);

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Numbers<T> {
    fn number(&mut self, value: T) -> usize {
        let next = self.0.len();
        *self.0.entry(value).or_insert(next)
    }

    fn in_order(self) -> Vec<T> {
        let mut values: Vec<(T, usize)> = self.0.into_iter().collect();
        values.sort_by_key(|(_, number)| *number);
        values.into_iter().map(|(value, _)| value).collect()
    }
}

/// Where the controllers of one area are at home.
#[derive(Clone, Copy)]
struct Home<'w> {
    place: usize,
    /// Whether its weeks have a limit of days.
    weekly: bool,
    commune: &'w AreaId,
}

/// A remark about no controller.
fn remark(programme: &ProgrammeId, area: Option<&AreaId>, reason: Reason) -> Remark {
    let (programme, area) = (programme.clone(), area.cloned());
    Remark { key: None, programme, area, bulletin: None, language: None, reason }
}

/// The Monday of the week of `date`.
pub(super) fn monday(date: LocalDate) -> LocalDate {
    date.plus_days(1 - i64::from(Weekday::of(date).iso()))
}

/// What places are made from.
struct Shared<'a, 'w> {
    world: &'w World,
    reach: Reach<'w>,
    layer: &'a Layer<'w>,
    decisions: &'a [&'w Decision],
}

impl<'w> Shared<'_, 'w> {
    fn home(&self, area: &'w AreaId, places: &mut Numbers<Place<'w>>) -> Home<'w> {
        let place = self.place(area);
        let weekly = place.airtime.is_some_and(|airtime| airtime.days_a_week_max().is_some());
        let commune = self.world.tree.commune(area);
        Home { place: places.number(place), weekly, commune }
    }

    /// What all controllers of an area share.
    fn place(&self, area: &'w AreaId) -> Place<'w> {
        let tree = &self.world.tree;
        let chain: Vec<&AreaId> = tree.upward(area).map(|area| &area.id).collect();
        let profile = tree.profile(area).map(Profile::of);
        let tags = tree.tags(area);
        let meant = |number: &usize| {
            let programme = self.reach.programmes[*number];
            let (listening, tagged) = (&programme.only_listening, &programme.only_tags);
            (tagged.is_empty() || tagged.iter().any(|tag| tags.contains(tag)))
                && (listening.is_empty() || profile.is_some_and(|p| p.wishes_for(listening)))
        };
        let programmes: Vec<usize> = self.reach.numbers(&chain).filter(meant).collect();
        let exceptions = self.layer.touching(&self.layer.reaching(&chain), &programmes);
        let commune = tree.commune(area);
        let decided = self.decisions.iter().filter(|decision| decision.id.area() == commune);
        Place {
            profile,
            airtime: chain.iter().find_map(|area| self.world.policies.get(*area)),
            programmes,
            exceptions,
            decisions: decided.copied().collect(),
        }
    }
}

/// By area, the programmes that name it.
struct Reach<'w> {
    programmes: Vec<&'w Programme>,
    plus: BTreeMap<&'w AreaId, Vec<usize>>,
    minus: BTreeMap<&'w AreaId, Vec<usize>>,
}

impl<'w> Reach<'w> {
    fn of(programmes: &[&'w Programme]) -> Self {
        let (plus, minus) = (BTreeMap::new(), BTreeMap::new());
        let mut reach = Self { programmes: programmes.to_vec(), plus, minus };
        for (i, programme) in programmes.iter().enumerate() {
            for area in &programme.areas {
                reach.plus.entry(area).or_default().push(i);
            }
            for area in &programme.minus_areas {
                reach.minus.entry(area).or_default().push(i);
            }
        }
        reach
    }

    /// The programmes that name the place to which `chain` leads, rising.
    fn numbers(&self, chain: &[&AreaId]) -> impl Iterator<Item = usize> + use<> {
        let (mut plus, mut minus) = (BTreeSet::new(), BTreeSet::new());
        for area in chain {
            plus.extend(self.plus.get(area).into_iter().flatten().copied());
            minus.extend(self.minus.get(area).into_iter().flatten().copied());
        }
        plus.into_iter().filter(move |number| !minus.contains(number))
    }
}
