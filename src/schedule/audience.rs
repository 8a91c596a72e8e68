//! Who hears which programme, in groups that hear the same.
//!
//! Two controllers whose area listens to the same languages under the same policy, and that are
//! meant by the same programmes, exceptions and decisions after the same history, have the same
//! plan. It is made once.

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

/// What controllers have in common that have one plan.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group<'w> {
    pub(super) profile: Option<Profile<'w>>,
    pub(super) airtime: Option<&'w Airtime>,
    /// Places in the list of programmes, rising.
    pub(super) programmes: Vec<usize>,
    /// Places in the layer of exceptions, the one that holds first.
    pub(super) exceptions: Vec<usize>,
    /// What their commune decided about these days, by question.
    pub(super) decisions: Vec<&'w Decision>,
    pub(super) aired: BTreeSet<&'w BulletinId>,
    /// Days with airings in the week of the first day, before it; only where the week has a limit.
    pub(super) days_before: usize,
    pub(super) running: Option<&'w Running>,
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
        let mut by_area: BTreeMap<&AreaId, Group<'w>> = BTreeMap::new();
        let mut numbers: BTreeMap<Group<'w>, usize> = BTreeMap::new();
        let mut members = Vec::with_capacity(world.controllers.len());
        for controller in &world.controllers {
            let area = &controller.area;
            let mut group = by_area.entry(area).or_insert_with(|| shared.group(area)).clone();
            let aired = world.history.aired(&controller.id);
            group.aired = aired.filter(|bulletin| content.contains(bulletin)).collect();
            group.running = world.history.running(&controller.id);
            if group.airtime.is_some_and(|airtime| airtime.days_a_week_max().is_some()) {
                group.days_before = world.history.days(&controller.id, monday, from);
            }
            let next = numbers.len();
            let group = *numbers.entry(group).or_insert(next);
            members.push(Member { controller, commune: world.tree.commune(area), group });
        }
        members.sort_by_key(|member| &member.controller.id);
        let mut groups: Vec<(Group<'w>, usize)> = numbers.into_iter().collect();
        groups.sort_by_key(|(_, number)| *number);
        let groups = groups.into_iter().map(|(group, _)| group).collect();
        Self { groups, members, decisions }
    }

    /// A remark for each programme that nobody hears.
    pub(super) fn remarks(&self, programmes: &[&Programme]) -> Vec<Remark> {
        let heard: BTreeSet<usize> =
            self.groups.iter().flat_map(|group| group.programmes.iter().copied()).collect();
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

/// A remark about no controller.
fn remark(programme: &ProgrammeId, area: Option<&AreaId>, reason: Reason) -> Remark {
    let (programme, area) = (programme.clone(), area.cloned());
    Remark { key: None, programme, area, bulletin: None, language: None, reason }
}

/// The Monday of the week of `date`.
pub(super) fn monday(date: LocalDate) -> LocalDate {
    date.plus_days(1 - i64::from(Weekday::of(date).iso()))
}

/// What groups are made from.
struct Shared<'a, 'w> {
    world: &'w World,
    reach: Reach<'w>,
    layer: &'a Layer<'w>,
    decisions: &'a [&'w Decision],
}

impl<'w> Shared<'_, 'w> {
    /// What all controllers of an area share.
    fn group(&self, area: &'w AreaId) -> Group<'w> {
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
        Group {
            profile,
            airtime: chain.iter().find_map(|area| self.world.policies.get(*area)),
            programmes,
            exceptions,
            decisions: decided.copied().collect(),
            aired: BTreeSet::new(),
            days_before: 0,
            running: None,
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
