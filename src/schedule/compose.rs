//! What goes into one airing: which bulletins, in which languages, in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::Candidate;
use super::remark::Reason;
use super::sequence::{Composed, Sequence};
use super::serve::{Profile, Said, Served, serve};
use super::{Airable, Languages, Order, Programme, Selection};
use crate::bulletin::Column;
use crate::id::BulletinId;
use crate::time::{Timestamp, Zone};

/// The content, ordered for choosing from it.
pub(super) struct Desk<'w> {
    pub(super) zone: Zone,
    by_id: BTreeMap<&'w BulletinId, &'w Airable>,
    /// Newest first; of two approved at once the one whose id comes first.
    by_column: BTreeMap<&'w Column, Vec<&'w Airable>>,
}

/// A bulletin with the languages in which the village hears it.
type Chosen<'w> = (&'w Airable, Vec<Served<'w>>);

impl<'w> Desk<'w> {
    pub(super) fn new(zone: Zone, content: &'w [Airable]) -> Self {
        let by_id = content.iter().map(|airable| (&airable.bulletin, airable)).collect();
        let mut by_column: BTreeMap<&Column, Vec<&Airable>> = BTreeMap::new();
        for airable in content {
            by_column.entry(&airable.column).or_default().push(airable);
        }
        for column in by_column.values_mut() {
            column.sort_by_key(|airable| {
                (std::cmp::Reverse(airable.approved_at()), &airable.bulletin)
            });
        }
        Self { zone, by_id, by_column }
    }

    /// The bulletins of a column, newest first.
    pub(super) fn of_column(&self, column: &Column) -> impl Iterator<Item = &'w Airable> {
        self.by_column.get(column).into_iter().flatten().copied()
    }

    /// The columns from which a selection comes.
    pub(super) fn columns(&self, selection: &'w Selection) -> BTreeSet<&'w Column> {
        match selection {
            Selection::Newest(column) => BTreeSet::from([column]),
            Selection::Bulletins(named) => {
                named.iter().filter_map(|id| Some(&self.by_id.get(id)?.column)).collect()
            }
        }
    }

    /// What a candidate has for a village; `None` where nothing is left of it.
    pub(super) fn compose(
        &self,
        candidate: &Candidate<'w>,
        profile: Profile<'w>,
        aired: &dyn Fn(&BulletinId) -> bool,
        said: &mut Vec<Said>,
    ) -> Option<Composed<'w>> {
        let (programme, at) = (candidate.programme, candidate.at);
        let chosen: Vec<Chosen<'w>> = match candidate.selection {
            Selection::Bulletins(named) => {
                let languages = &programme.languages;
                named.iter().filter_map(|id| self.named(id, languages, profile, at, said)).collect()
            }
            Selection::Newest(column) => {
                self.newest(column, programme, profile, at, aired, said).into_iter().collect()
            }
        };
        let front = self.identification(programme, profile, at, &chosen, said);
        let order = in_order(programme.order, chosen);
        let sequence = Sequence { programme, zone: self.zone, at, front: front.is_some() };
        let wanted: Vec<_> = front.into_iter().chain(order).collect();
        sequence.fill(&wanted, said)
    }

    /// The item by which the station names itself: in the first language that the village hears
    /// it in, unless the bulletin is among those `chosen` anyway.
    fn identification(
        &self,
        programme: &'w Programme,
        profile: Profile<'w>,
        at: Timestamp,
        chosen: &[Chosen<'w>],
        said: &mut Vec<Said>,
    ) -> Option<(&'w Airable, Served<'w>)> {
        let id = programme.identification.as_ref()?;
        if chosen.is_empty() || chosen.iter().any(|(airable, _)| airable.bulletin == *id) {
            return None;
        }
        let (airable, served) = self.named(id, &Languages::First, profile, at, said)?;
        Some((airable, served.into_iter().next()?))
    }

    fn named(
        &self,
        id: &BulletinId,
        languages: &Languages,
        profile: Profile<'w>,
        at: Timestamp,
        said: &mut Vec<Said>,
    ) -> Option<Chosen<'w>> {
        let airable = self.by_id.get(id).copied();
        let refusal =
            airable.map_or(Some(Reason::UnknownBulletin), |airable| airable.refusal(self.zone, at));
        if let Some(reason) = refusal {
            said.push(Said::bulletin(id, None, reason));
            return None;
        }
        let airable = airable?;
        Some((airable, serve(airable, profile, languages, at, said)))
    }

    /// The newest of `column` that the village did not hear yet and understands. Of those passed
    /// over because it does not, only the newest is worth a remark.
    fn newest(
        &self,
        column: &Column,
        programme: &Programme,
        profile: Profile<'w>,
        at: Timestamp,
        aired: &dyn Fn(&BulletinId) -> bool,
        said: &mut Vec<Said>,
    ) -> Option<Chosen<'w>> {
        let mut passed_over = false;
        for &airable in self.by_column.get(column).into_iter().flatten() {
            if airable.refusal(self.zone, at).is_some() || aired(&airable.bulletin) {
                continue;
            }
            let mut remarks = Vec::new();
            let served = serve(airable, profile, &programme.languages, at, &mut remarks);
            if !served.is_empty() {
                said.append(&mut remarks);
                return Some((airable, served));
            }
            if !passed_over {
                said.append(&mut remarks);
                passed_over = true;
            }
        }
        None
    }
}

/// The running order before lengths and dates have their say.
fn in_order(order: Order, chosen: Vec<Chosen<'_>>) -> Vec<(&Airable, Served<'_>)> {
    let flat = chosen.into_iter().flat_map(|(a, served)| served.into_iter().map(move |s| (a, s)));
    let mut flat: Vec<_> = flat.collect();
    match order {
        Order::Language => flat.sort_by_key(|(_, served)| served.rank),
        Order::Bulletin => {}
    }
    flat
}
