//! The items of one airing laid end to end, inside its length and inside their dates.
//!
//! **Nothing is heard outside its bulletin's dates, not even its last second.** Where not all of
//! it fits, one item after the other is left out, by the programme's rule, until the rest does.
//! The identification stays as long as anything does.

use std::cmp::Reverse;
use std::time::Duration;

use super::remark::{Reason, WallClock};
use super::serve::{Said, Served};
use super::{Airable, CHIME_MS, GivesWay, ITEMS_MAX, Item, Programme};
use crate::id::BulletinId;
use crate::time::{Timestamp, Zone};

/// What an airing would consist of.
pub(super) struct Composed<'w> {
    pub(super) items: Vec<Item>,
    /// The bulletins of the items.
    pub(super) bulletins: Vec<&'w BulletinId>,
    /// The same without the identification: what the airing is about.
    pub(super) content: Vec<&'w Airable>,
    pub(super) length_ms: u64,
    /// How much later it could begin without an item outlasting its bulletin.
    pub(super) slack: Duration,
}

/// An item before it has its place.
type Wanted<'w> = (&'w Airable, Served<'w>);

/// The beginning and the form of an airing.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'p> {
    pub(super) programme: &'p Programme,
    pub(super) zone: Zone,
    pub(super) at: Timestamp,
    /// Whether the first item is the identification.
    pub(super) front: bool,
}

/// Items that follow one another, and those that would end too late.
struct Laid {
    /// Places among what is wanted, rising, each with the end after the beginning in
    /// milliseconds.
    kept: Vec<(usize, u64)>,
    late: Vec<usize>,
}

impl Sequence<'_> {
    /// The airing of what is `wanted`, in its order; `None` where no content is left.
    pub(super) fn fill<'w>(
        self,
        wanted: &[Wanted<'w>],
        said: &mut Vec<Said>,
    ) -> Option<Composed<'w>> {
        let mut cut: Vec<Option<Reason>> = vec![None; wanted.len()];
        let laid = loop {
            let laid = self.lay(wanted, &cut);
            let Some(reason) = self.overrun(&laid) else { break laid };
            let Some(loser) = self.loser(wanted, &laid) else { break laid };
            cut[loser] = Some(reason);
        };
        for &place in &laid.late {
            let until = WallClock::of(self.zone, wanted[place].0.valid_until);
            cut[place] = Some(Reason::Expired { until });
        }
        for ((airable, served), reason) in wanted.iter().zip(cut) {
            said.extend(
                reason
                    .map(|reason| Said::bulletin(&airable.bulletin, Some(served.language), reason)),
            );
        }
        let fits = self.overrun(&laid).is_none();
        let composed = fits.then(|| self.composed(wanted, &laid))?;
        (!composed.content.is_empty()).then_some(composed)
    }

    fn chime_ms(self) -> u64 {
        if self.programme.chime { u64::from(CHIME_MS) } else { 0 }
    }

    fn lay(self, wanted: &[Wanted<'_>], cut: &[Option<Reason>]) -> Laid {
        let mut laid = Laid { kept: Vec::new(), late: Vec::new() };
        let mut end_ms = self.chime_ms();
        let there = wanted.iter().enumerate().filter(|(place, _)| cut[*place].is_none());
        for (place, (airable, served)) in there {
            let gap = if laid.kept.is_empty() { 0 } else { u64::from(self.programme.gap_ms) };
            let ends = end_ms.saturating_add(gap).saturating_add(served.sound.length_ms);
            if self.at + Duration::from_millis(ends) > airable.valid_until {
                laid.late.push(place);
                continue;
            }
            end_ms = ends;
            laid.kept.push((place, end_ms));
        }
        laid
    }

    fn length_ms(self, laid: &Laid) -> u64 {
        let end_ms = laid.kept.last().map_or(self.chime_ms(), |(_, end_ms)| *end_ms);
        end_ms.saturating_add(self.chime_ms())
    }

    /// Why it is too much, if it is.
    fn overrun(self, laid: &Laid) -> Option<Reason> {
        let max = self.programme.length_max_s;
        let long = max.filter(|&max_s| self.length_ms(laid) > u64::from(max_s) * 1000);
        let long = long.map(|length_max_s| Reason::Cut { length_max_s });
        long.or((laid.kept.len() > ITEMS_MAX).then_some(Reason::TooManyItems))
    }

    /// What is left out first: the place of the item with the least claim to stay.
    fn loser(self, wanted: &[Wanted<'_>], laid: &Laid) -> Option<usize> {
        let places = laid.kept.iter().map(|(place, _)| *place);
        let places = places.filter(|&place| !(self.front && place == 0));
        let length = |place: usize| wanted[place].1.sound.length_ms;
        match self.programme.gives_way {
            GivesWay::Last => places.max(),
            GivesWay::Longest => places.max_by_key(|&place| (length(place), place)),
            GivesWay::LowestClass => {
                places.min_by_key(|&place| (wanted[place].0.class, Reverse(place)))
            }
            GivesWay::Oldest => {
                places.min_by_key(|&place| (wanted[place].0.approved_at(), Reverse(place)))
            }
        }
    }

    fn composed<'w>(self, wanted: &[Wanted<'w>], laid: &Laid) -> Composed<'w> {
        let kept = || laid.kept.iter().map(|&(place, end_ms)| (place, &wanted[place], end_ms));
        let slack = kept().map(|(_, (airable, _), end_ms)| {
            airable.valid_until.since(self.at + Duration::from_millis(end_ms))
        });
        let content = kept().filter(|(place, ..)| !(self.front && *place == 0));
        Composed {
            bulletins: kept().map(|(_, (airable, _), _)| &airable.bulletin).collect(),
            content: content.map(|(_, (airable, _), _)| *airable).collect(),
            length_ms: self.length_ms(laid),
            slack: slack.min().unwrap_or(Duration::MAX),
            items: kept().map(|(_, (airable, served), _)| item(airable, served)).collect(),
        }
    }
}

fn item(airable: &Airable, served: &Served<'_>) -> Item {
    Item {
        bulletin: airable.bulletin.clone(),
        language: served.language.clone(),
        wished: served.wished.clone(),
        asset: served.sound.asset,
        length_ms: served.sound.length_ms,
        class: airable.class,
    }
}
