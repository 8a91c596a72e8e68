//! Whether the cause that a receipt gives is the true one: promise 8, and 7 where a controller could
//! have played.

use std::time::Duration;

use crate::calendar::AiringKey;
use crate::manifest::ManifestAiring;
use crate::receipt::{Cause, ItemReceipt, Outcome};
use crate::sim::observer::sound::{forbidden, named};
use crate::sim::observer::{CLOCK_ERROR, Observer, View};
use crate::sim::station::utc_at;

/// How long after its last instant a controller that could know may take to tell of a skipped airing.
const TOLD_WITHIN: Duration = Duration::from_mins(10);

impl Observer {
    pub(super) fn outcome(
        &mut self,
        view: &View,
        key: &AiringKey,
        outcome: Outcome,
        cause: Option<Cause>,
    ) {
        let told = (outcome == Outcome::Completed) == cause.is_none();
        self.expect(view, 8, told, || format!("{key}: {outcome:?} with cause {cause:?}"));
        let begun = self.sites[view.nth].marked.contains(key);
        let wiped = self.sites[view.nth].wiped;
        self.expect(view, 8, wiped || begun != (outcome == Outcome::Skipped), || {
            format!("{key}: told as {outcome:?}, begun {begun}")
        });
        let held = self.sites[view.nth].manifest.clone();
        let airing = held.as_ref().and_then(|(manifest, _)| named(manifest, key));
        if let (Outcome::Skipped, Some(cause), Some(airing)) = (outcome, cause, airing) {
            let kept = self.is_true(view, airing, cause);
            let promise = if cause == Cause::Missing { 7 } else { 8 };
            self.expect(view, promise, kept, || format!("{key}: {cause:?} is not true"));
            let watched = &self.sites[view.nth];
            let taken = watched.manifest.as_ref().map_or(Duration::ZERO, |(_, taken)| *taken);
            let able = watched.started.max(watched.trusted.unwrap_or_default()).max(taken);
            let prompt = view.utc() <= airing.latest.max(utc_at(able)) + TOLD_WITHIN;
            self.expect(view, 8, prompt, || format!("{key}: {cause:?} is told too late"));
        }
    }

    /// What is told of each item is what the loudspeaker did; the mark of the last one may be lost
    /// with the power.
    pub(super) fn items(
        &mut self,
        view: &View,
        key: &AiringKey,
        cause: Option<Cause>,
        items: &[ItemReceipt],
    ) {
        let sounded = self.sites[view.nth].sounded.get(key);
        let sounded = |item: &ItemReceipt| sounded.is_some_and(|s| s.contains(&item.asset));
        let is_told = |item: &ItemReceipt| item.outcome == Outcome::Completed;
        let invented = items.iter().any(|item| is_told(item) && !sounded(item));
        let untold = items.iter().filter(|item| !is_told(item) && sounded(item)).count();
        let wiped = self.sites[view.nth].wiped;
        let kept = wiped || untold <= usize::from(cause == Some(Cause::Power));
        self.expect(view, 8, !invented, || format!("{key}: an item is told that did not sound"));
        self.expect(view, 8, kept, || format!("{key}: {untold} items sounded and are not told"));
    }

    fn is_true(&self, view: &View, airing: &ManifestAiring, cause: Cause) -> bool {
        let watched = &self.sites[view.nth];
        let Some((manifest, taken)) = &watched.manifest else { return false };
        let after = |at: Duration| utc_at(at) + CLOCK_ERROR > airing.latest;
        let utc = view.utc();
        let recordings = &view.station.recordings;
        let until =
            |n: usize| recordings.get(&airing.items[n].asset).map(|r| r.descriptor.valid_until);
        match cause {
            Cause::Power => after(watched.started),
            Cause::Clock => watched.trusted.is_some_and(after),
            Cause::Missing => {
                let held = |item: &crate::manifest::Item| {
                    view.site.flash.holds(item.asset) && self.is_approved(view, item.asset)
                };
                after(*taken) || !airing.items.iter().all(held)
            }
            Cause::Refused => airing.items.iter().enumerate().any(|(n, item)| {
                watched.withdrawn.contains_key(&item.asset)
                    || until(n).is_none_or(|until| until <= utc + CLOCK_ERROR)
                    || recordings[&item.asset].descriptor.length_ms != item.length_ms
            }),
            Cause::Expired => {
                let over = |n| until(n).is_none_or(|until| until <= utc + CLOCK_ERROR);
                manifest.valid_until <= utc + CLOCK_ERROR || (0..airing.items.len()).any(over)
            }
            Cause::Quiet | Cause::Policy => forbidden(manifest, utc, airing.length()),
            Cause::Busy => watched.playing.is_some(),
            Cause::Storage => view.site.small,
            Cause::Emergency => !watched.held.is_empty(),
            Cause::Stopped | Cause::Sound => false,
        }
    }
}
