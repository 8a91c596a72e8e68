//! The running order of one airing: which bulletins, in which languages, one after the other.
//!
//! **Nothing in it is heard outside its bulletin's dates, not even its last second.** What does
//! not fit into the programme's length gives way from the end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::remark::{Reason, WallClock};
use super::serve::{Profile, Said, Served, serve};
use super::{Airable, CHIME_MS, Item, Order, Programme, Selection};
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

/// What an airing would consist of.
pub(super) struct Composed<'w> {
    pub(super) items: Vec<Item>,
    /// The bulletins of the items.
    pub(super) content: Vec<&'w Airable>,
    pub(super) length_ms: u64,
    /// How much later it could begin without an item outlasting its bulletin.
    pub(super) slack: Duration,
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

    /// What `programme` has for a village at `at`; `None` where nothing is left of it.
    pub(super) fn compose(
        &self,
        programme: &Programme,
        profile: Profile<'w>,
        at: Timestamp,
        aired: &dyn Fn(&BulletinId) -> bool,
        said: &mut Vec<Said>,
    ) -> Option<Composed<'w>> {
        let chosen = match &programme.selection {
            Selection::Bulletins(named) => {
                named.iter().filter_map(|id| self.named(id, programme, profile, at, said)).collect()
            }
            Selection::Newest(column) => {
                self.newest(column, programme, profile, at, aired, said).into_iter().collect()
            }
        };
        Sequence::new(programme, self.zone, at).fill(in_order(programme.order, chosen), said)
    }

    fn named(
        &self,
        id: &BulletinId,
        programme: &Programme,
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
        Some((airable, serve(airable, profile, &programme.languages, at, said)))
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

/// Items laid end to end.
struct Sequence<'p, 'w> {
    programme: &'p Programme,
    zone: Zone,
    at: Timestamp,
    chime_ms: u64,
    /// Where the last item ends, in milliseconds after the airing's beginning.
    end_ms: u64,
    cut: bool,
    composed: Composed<'w>,
}

impl<'p, 'w> Sequence<'p, 'w> {
    fn new(programme: &'p Programme, zone: Zone, at: Timestamp) -> Self {
        let chime_ms = if programme.chime { u64::from(CHIME_MS) } else { 0 };
        let composed =
            Composed { items: Vec::new(), content: Vec::new(), length_ms: 0, slack: Duration::MAX };
        Self { programme, zone, at, chime_ms, end_ms: chime_ms, cut: false, composed }
    }

    fn fill(
        mut self,
        order: Vec<(&'w Airable, Served<'w>)>,
        said: &mut Vec<Said>,
    ) -> Option<Composed<'w>> {
        for (airable, served) in order {
            let language = served.language;
            if let Err(reason) = self.push(airable, &served) {
                said.push(Said::bulletin(&airable.bulletin, Some(language), reason));
            }
        }
        self.composed.length_ms = self.end_ms.saturating_add(self.chime_ms);
        (!self.composed.items.is_empty()).then_some(self.composed)
    }

    fn push(&mut self, airable: &'w Airable, served: &Served<'w>) -> Result<(), Reason> {
        let gap = if self.composed.items.is_empty() { 0 } else { u64::from(self.programme.gap_ms) };
        let end_ms = self.end_ms.saturating_add(gap).saturating_add(served.sound.length_ms);
        let end = self.at + Duration::from_millis(end_ms);
        if end > airable.valid_until {
            let until = WallClock::of(self.zone, airable.valid_until);
            return Err(Reason::Expired { until });
        }
        if let Some(length_max_s) = self.programme.length_max_s {
            self.cut |= end_ms.saturating_add(self.chime_ms) > u64::from(length_max_s) * 1000;
            if self.cut {
                return Err(Reason::Cut { length_max_s });
            }
        }
        self.end_ms = end_ms;
        self.composed.slack = self.composed.slack.min(airable.valid_until.since(end));
        self.composed.content.push(airable);
        self.composed.items.push(Item {
            bulletin: airable.bulletin.clone(),
            language: served.language.clone(),
            wished: served.wished.clone(),
            asset: served.sound.asset,
            length_ms: served.sound.length_ms,
            class: airable.class,
        });
        Ok(())
    }
}
