//! What must have come right when the calm is over: promises 3, 7 and 8.

use std::time::Duration;

use crate::agent::Record;
use crate::calendar::AiringKey;
use crate::receipt::Outcome;
use crate::sim::Plan;
use crate::sim::desk::Desk;
use crate::sim::observer::{Observer, View};
use crate::sim::site::Site;
use crate::sim::station::{Raised, Station, utc_at};
use crate::sim::verdict::Verdict;

/// How much calm an emergency needs before its expiry to count as one that everybody must complete.
const CALM_NEEDED: Duration = Duration::from_hours(1);

/// How long after its last instant an airing must have its outcome in the log.
const TOLD_WITHIN: Duration = Duration::from_hours(5);

impl Observer {
    /// Looks at everything that is left, and says what became of each promise.
    pub(in crate::sim) fn judge(
        mut self,
        plan: Plan,
        now: Duration,
        events: u64,
        sites: &[Site],
        desk: &Desk,
        station: &Station,
    ) -> Verdict {
        let storm_end = Duration::from_hours(24) * plan.days;
        for (nth, site) in sites.iter().enumerate() {
            if station.stolen.contains(&site.id) {
                continue;
            }
            let view = View { nth, site, now, station };
            self.delivered(&view, desk);
            self.told(&view, desk);
            for raised in station.raised.values() {
                self.reached(&view, raised, storm_end);
            }
        }
        self.planned(now, desk, station, sites);
        let Self { checks, faults, violations, film, .. } = self;
        let (timeline, last) = film.develop(sites);
        Verdict {
            seed: plan.seed,
            controllers: plan.controllers,
            days: plan.days,
            events,
            checks,
            faults,
            violations,
            last,
            timeline,
        }
    }

    /// Every receipt is in the log, letter by letter.
    fn delivered(&mut self, view: &View, desk: &Desk) {
        let chain = (view.site.id.clone(), self.sites[view.nth].chain.clone());
        let empty = std::collections::BTreeMap::new();
        let logged = desk.log.receipts.get(&chain).unwrap_or(&empty);
        let lines = view.site.flash.records.iter().filter_map(|record| match record {
            Record::Receipt { line } => Some(line),
            _ => None,
        });
        for (n, line) in (1..).zip(lines) {
            let kept = logged.get(&n).map(|logged| &**logged);
            self.expect(view, 7, kept.is_some(), || format!("receipt {n} never came to the log"));
            let same = kept.is_none_or(|kept| kept == line);
            self.expect(view, 8, same, || format!("receipt {n} is another in the log"));
        }
        let waiting = view.site.agent.as_ref().map(crate::agent::Agent::receipts_waiting);
        self.expect(view, 7, waiting == Some(0), || format!("receipts that wait: {waiting:?}"));
    }

    /// Every airing that sounded has an outcome that says so.
    fn told(&mut self, view: &View, desk: &Desk) {
        if self.sites[view.nth].wiped {
            return;
        }
        let begun: Vec<AiringKey> = self.sites[view.nth].begun.keys().cloned().collect();
        for key in begun {
            if self.sites[view.nth].playing.as_ref() == Some(&key.to_string()) {
                continue;
            }
            let outcome = desk.store.outcomes.get(&key);
            let kept = outcome.is_some_and(|(outcome, _)| *outcome != Outcome::Skipped);
            self.expect(view, 8, kept, || format!("{key} sounded and is told as {outcome:?}"));
        }
    }

    /// An emergency that had time in the calm was completed, taken back, or tried three times.
    fn reached(&mut self, view: &View, raised: &Raised, storm_end: Duration) {
        let play = &raised.play;
        let had_time =
            play.expires > utc_at(storm_end) + CALM_NEEDED && play.expires < utc_at(view.now);
        let mine = raised.controllers.contains(&view.site.id) && raised.cancel.is_none();
        let speaks = raised.assets.iter().any(|asset| {
            let recording = &view.station.recordings[asset];
            view.village().languages.contains(&recording.descriptor.language)
                && recording.withdrawn.is_none()
        });
        if !(had_time && mine && speaks) {
            return;
        }
        let watched = &self.sites[view.nth];
        let attempts = watched.held.get(&play.id).copied().unwrap_or(0);
        let over = watched.over.contains(&play.id);
        let kept = self.is_whole(view, &play.id)
            || (over && self.spent.contains(&(view.nth, play.id.clone())))
            || attempts >= 3
            || watched.wiped;
        self.expect(view, 3, kept, || format!("{} was never completed in all languages", play.id));
    }

    /// Every airing of the plan has an outcome.
    fn planned(&mut self, now: Duration, desk: &Desk, station: &Station, sites: &[Site]) {
        for key in station.due(now.saturating_sub(TOLD_WITHIN)) {
            if station.stolen.contains(&key.controller) {
                continue;
            }
            let site = sites.iter().position(|site| site.id == key.controller);
            let kept = desk.store.outcomes.contains_key(key);
            self.hold(8, now, site, kept, || format!("{key} was planned and has no outcome"));
        }
    }
}
