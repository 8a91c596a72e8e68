//! A simple planner: three programmes a day, each village in its languages.

use std::time::Duration;

use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::manifest::{Item, Manifest, ManifestAiring, VALID_MAX};
use crate::sim::site::{Site, windows};
use crate::sim::station::content::Bulletin;
use crate::sim::station::{Station, utc_at};
use crate::time::{LocalDate, Zone};

/// When a programme begins, and its name.
pub(in crate::sim) const SLOTS: [(Duration, &str); 3] = [
    (Duration::from_mins(5 * 60 + 30), "sang"),
    (Duration::from_hours(11), "trua"),
    (Duration::from_hours(17), "chieu"),
];

/// How long after its time an airing of each programme may begin: the second is the news on the hour.
const PATIENCE: [Duration; 3] =
    [Duration::from_mins(10), Duration::from_secs(30), Duration::from_mins(10)];

/// The commune's airtime.
pub(in crate::sim) const POLICY: [(&str, &str); 3] =
    [("05:00", "07:30"), ("10:30", "12:30"), ("16:30", "19:30")];

/// How long an airing without an outcome stays in the manifests.
const KEEP_UNTOLD: Duration = Duration::from_hours(7 * 24);

/// A manifest that says nothing new is signed again when it has less than this left.
const RENEW_BELOW: Duration = Duration::from_hours(120);

/// An airing that was in a manifest.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Planned {
    pub(in crate::sim) latest: Duration,
    /// Taken out of the plan before its time.
    pub(in crate::sim) dropped: bool,
}

impl Station {
    /// What one controller shall hold and play; `told` says which airings have an outcome.
    pub(in crate::sim) fn manifest(
        &mut self,
        site: &Site,
        before: Option<&Manifest>,
        at: Duration,
        anew: bool,
        told: impl Fn(&AiringKey) -> bool,
    ) -> Option<Manifest> {
        let mut airings = self.airings(site, at, told);
        airings.sort_by_key(|airing| airing.at);
        let village = &self.villages[site.village];
        let now = utc_at(at);
        let withdrawn = self.recordings.iter().filter(|(_, r)| r.withdrawn.is_some());
        let manifest = Manifest {
            controller: site.id.clone(),
            number: Manifest::next_number(before.map(|before| before.number), now),
            issued: now,
            valid_until: now + VALID_MAX,
            areas: village.areas.clone(),
            languages: village.languages.clone(),
            zone: Zone::default(),
            policy: windows(&POLICY),
            airings,
            withdrawn: withdrawn.map(|(asset, _)| *asset).collect(),
            hold: vec![],
        };
        let same = before.is_some_and(|before| before.says_the_same(&manifest));
        let fresh = before.is_some_and(|before| before.valid_until > now + RENEW_BELOW);
        (anew || !(same && fresh)).then_some(manifest)
    }

    fn airings(
        &mut self,
        site: &Site,
        at: Duration,
        told: impl Fn(&AiringKey) -> bool,
    ) -> Vec<ManifestAiring> {
        let mut airings = Vec::new();
        let mut planned = Vec::new();
        for bulletin in &self.bulletins {
            let Some(airing) = self.airing(site, bulletin, at) else { continue };
            let key = airing.key(&site.id);
            let latest = begins(site, bulletin) + bulletin.patience();
            let is_ahead = latest >= at;
            let dropped = airing.items.is_empty();
            let known = self.planned.get(&key);
            if is_ahead && !(dropped && known.is_none()) {
                planned.push((key.clone(), Planned { latest, dropped }));
            }
            let is_untold = latest + KEEP_UNTOLD > at
                && known.is_some_and(|planned| !planned.dropped)
                && !told(&key);
            if !dropped && (is_ahead || is_untold) {
                airings.push(airing);
            }
        }
        self.planned.extend(planned);
        airings
    }

    fn airing(&self, site: &Site, bulletin: &Bulletin, at: Duration) -> Option<ManifestAiring> {
        let begins = begins(site, bulletin);
        let latest = begins + bulletin.patience();
        let is_past = latest < at;
        let languages = &self.villages[site.village].languages;
        let items = languages.iter().filter_map(|language| {
            let asset = *bulletin.versions.get(language)?;
            self.is_airable(asset, latest, is_past).then(|| self.item(asset))
        });
        (begins < at + Duration::from_hours(7 * 24)).then(|| ManifestAiring {
            programme: SLOTS[bulletin.slot].1.parse().expect("an id"),
            date: date(bulletin.day),
            occurrence: 0,
            at: utc_at(begins),
            latest: utc_at(latest),
            chime: bulletin.slot != 1,
            gap_ms: 500,
            volume_percent: None,
            items: items.collect(),
        })
    }

    /// An airing whose time has passed is only asked for its outcome.
    fn is_airable(&self, asset: Digest, latest: Duration, is_past: bool) -> bool {
        let recording = &self.recordings[&asset];
        let is_valid = utc_at(latest) < recording.descriptor.valid_until;
        is_past || (is_valid && recording.withdrawn.is_none())
    }

    pub(in crate::sim) fn item(&self, asset: Digest) -> Item {
        let descriptor = &self.recordings[&asset].descriptor;
        Item {
            bulletin: descriptor.bulletin.clone(),
            language: descriptor.language.clone(),
            asset,
            length_ms: descriptor.length_ms,
        }
    }

    /// Airings whose last instant has passed before `at`.
    pub(in crate::sim) fn due(&self, at: Duration) -> impl Iterator<Item = &AiringKey> {
        let due =
            move |(_, planned): &(&AiringKey, &Planned)| planned.latest < at && !planned.dropped;
        self.planned.iter().filter(due).map(|(key, _)| key)
    }
}

impl Bulletin {
    fn patience(&self) -> Duration {
        PATIENCE[self.slot]
    }
}

fn begins(site: &Site, bulletin: &Bulletin) -> Duration {
    let stagger = Duration::from_secs(site.village as u64 % 20 * 30);
    Duration::from_hours(24) * bulletin.day + SLOTS[bulletin.slot].0 + stagger
}

/// When the first airings after `at` begin.
pub(in crate::sim) fn airings_after(at: Duration) -> Duration {
    let day = Duration::from_hours(24);
    let days = u32::try_from(at.as_secs() / day.as_secs()).unwrap_or(u32::MAX);
    let later = SLOTS.iter().map(|(slot, _)| day * days + *slot).find(|begins| *begins >= at);
    later.unwrap_or(day * (days + 1) + SLOTS[0].0)
}

/// The local date of a day of the simulation.
pub(in crate::sim) fn date(day: u32) -> LocalDate {
    let first: LocalDate = "2026-11-23".parse().expect("a date");
    first.plus_days(day.into())
}
