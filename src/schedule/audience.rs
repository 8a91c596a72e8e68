//! Who hears which programme, in groups that hear the same.
//!
//! Two controllers whose area listens to the same languages under the same policy, and that are
//! meant by the same programmes after the same history, have the same plan. It is made once.

use std::collections::{BTreeMap, BTreeSet};

use super::remark::{Reason, Remark};
use super::serve::Profile;
use super::{Programme, Running, World};
use crate::calendar::AirtimePolicy;
use crate::fleet::Controller;
use crate::id::{AreaId, BulletinId};

/// What controllers have in common that have one plan.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group<'w> {
    pub(super) profile: Option<Profile<'w>>,
    pub(super) policy: Option<&'w AirtimePolicy>,
    /// Places in the list of programmes, rising.
    pub(super) programmes: Vec<usize>,
    pub(super) aired: BTreeSet<&'w BulletinId>,
    pub(super) running: Option<&'w Running>,
}

/// Every controller with its group.
pub(super) struct Audience<'w> {
    pub(super) groups: Vec<Group<'w>>,
    /// By controller.
    pub(super) members: Vec<(&'w Controller, usize)>,
}

impl<'w> Audience<'w> {
    pub(super) fn of(world: &'w World, programmes: &[&'w Programme]) -> Self {
        let content: BTreeSet<&BulletinId> = world.content.iter().map(|a| &a.bulletin).collect();
        let reach = Reach::of(programmes);
        let mut by_area: BTreeMap<&AreaId, Group<'w>> = BTreeMap::new();
        let mut numbers: BTreeMap<Group<'w>, usize> = BTreeMap::new();
        let mut members = Vec::with_capacity(world.controllers.len());
        for controller in &world.controllers {
            let area = &controller.area;
            let mut group =
                by_area.entry(area).or_insert_with(|| shared(world, &reach, area)).clone();
            let aired = world.history.aired(&controller.id);
            group.aired = aired.filter(|bulletin| content.contains(bulletin)).collect();
            group.running = world.history.running(&controller.id);
            let next = numbers.len();
            members.push((controller, *numbers.entry(group).or_insert(next)));
        }
        members.sort_by_key(|(controller, _)| &controller.id);
        let mut groups: Vec<(Group<'w>, usize)> = numbers.into_iter().collect();
        groups.sort_by_key(|(_, number)| *number);
        Self { groups: groups.into_iter().map(|(group, _)| group).collect(), members }
    }

    /// A remark for each programme that nobody hears.
    pub(super) fn remarks(&self, programmes: &[&Programme]) -> Vec<Remark> {
        let heard: BTreeSet<usize> =
            self.groups.iter().flat_map(|group| group.programmes.iter().copied()).collect();
        let unheard = programmes.iter().enumerate().filter(|(i, _)| !heard.contains(i));
        let remark = |programme: &Programme| Remark {
            key: None,
            programme: programme.id.clone(),
            area: None,
            bulletin: None,
            language: None,
            reason: Reason::NoAudience,
        };
        unheard.map(|(_, programme)| remark(programme)).collect()
    }
}

/// What all controllers of an area share.
fn shared<'w>(world: &'w World, reach: &Reach<'w>, area: &AreaId) -> Group<'w> {
    Group {
        profile: world.tree.profile(area).map(Profile::of),
        policy: world.tree.upward(area).find_map(|area| world.policies.get(&area.id)),
        programmes: reach.programmes(world.tree.upward(area).map(|area| &area.id)),
        aired: BTreeSet::new(),
        running: None,
    }
}

/// By area, the programmes that name it.
struct Reach<'w> {
    plus: BTreeMap<&'w AreaId, Vec<usize>>,
    minus: BTreeMap<&'w AreaId, Vec<usize>>,
}

impl<'w> Reach<'w> {
    fn of(programmes: &[&'w Programme]) -> Self {
        let mut reach = Self { plus: BTreeMap::new(), minus: BTreeMap::new() };
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

    fn programmes<'a>(&self, chain: impl Iterator<Item = &'a AreaId>) -> Vec<usize> {
        let (mut plus, mut minus) = (BTreeSet::new(), BTreeSet::new());
        for area in chain {
            plus.extend(self.plus.get(area).into_iter().flatten().copied());
            minus.extend(self.minus.get(area).into_iter().flatten().copied());
        }
        plus.difference(&minus).copied().collect()
    }
}
