//! What may sound: promises 1, 2, 3, 4, 5 and 6 at the moment of a first sample.

use std::time::Duration;

use crate::agent::{Part, Playlist, Record};
use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::id::EmergencyId;
use crate::lang::LangTag;
use crate::manifest::{Manifest, ManifestAiring};
use crate::sim::observer::{CLOCK_ERROR, Observer, View};
use crate::sim::site::{Site, length, outer};
use crate::sim::station::Station;
use crate::time::{Timestamp, Zone};
use crate::trust::Role;

/// How often an emergency may be begun.
const ATTEMPTS_MAX: u8 = 3;

/// How long a controller may take to stop what it learned to be withdrawn.
const STOP_WITHIN: Duration = Duration::from_secs(5);

impl Observer {
    pub(super) fn plays(&mut self, view: &View, list: &Playlist) {
        let before = self.sites[view.nth].playing.replace(list.title.clone());
        self.expect(view, 3, before.is_none(), || format!("{} begins over {before:?}", list.title));
        let trusted = self.sites[view.nth].trusted.is_some();
        self.expect(view, 5, trusted, || {
            format!("{} on a clock that nobody vouches for", list.title)
        });
        for part in &list.parts {
            if let Part::Sound { asset, language } = part {
                self.may_sound(view, *asset, language);
            }
        }
        if let Some(id) = list.title.strip_prefix("emergency/") {
            self.film.mark(view.nth, view.now, '!');
            self.emergency(view, &id.parse().expect("an id"), list);
        } else if let Ok(key) = list.title.parse::<AiringKey>() {
            self.film.mark(view.nth, view.now, '♪');
            self.airing(view, &key, list);
        }
    }

    fn may_sound(&mut self, view: &View, asset: Digest, language: &LangTag) {
        let Some(recording) = view.station.recordings.get(&asset) else {
            return self.expect(view, 2, false, || format!("{asset} was approved by nobody"));
        };
        let descriptor = &recording.descriptor;
        let utc = view.utc();
        let valid = descriptor.valid_from <= utc + CLOCK_ERROR
            && utc < descriptor.valid_until + CLOCK_ERROR;
        self.expect(view, 1, valid, || format!("{} {language} is not valid", descriptor.bulletin));
        let withdrawn = self.sites[view.nth].withdrawn.contains_key(&asset);
        self.expect(view, 1, !withdrawn, || format!("{} is withdrawn", descriptor.bulletin));
        self.expect(view, 2, view.site.flash.holds(asset), || format!("{asset} was altered"));
        self.signed(view, asset);
        let village = view.village();
        let asked = village.languages.contains(language) && descriptor.language == *language;
        self.expect(view, 6, asked, || format!("{language} is not a language of the village"));
        let here = descriptor.areas.iter().any(|area| village.areas.contains(area));
        self.expect(view, 2, here, || format!("{} is for elsewhere", descriptor.bulletin));
    }

    /// The descriptor is one that the station made, by a key that still counts here.
    fn signed(&mut self, view: &View, asset: Digest) {
        let recording = &view.station.recordings[&asset];
        let note = view.site.flash.descriptor(asset);
        let signer = note.and_then(|note| recording.signer(note));
        self.expect(view, 2, signer.is_some(), || format!("{asset} has a false descriptor"));
        let trust = view.station.trust_of(self.sites[view.nth].trust);
        let granted = trust.is_some_and(|trust| {
            let keys = trust.keys.iter().filter(|grant| grant.role == Role::Content);
            keys.into_iter().any(|grant| Some(&grant.key) == signer)
        });
        self.expect(view, 2, granted, || format!("{asset} is approved by a key that was revoked"));
    }

    fn airing(&mut self, view: &View, key: &AiringKey, list: &Playlist) {
        let first = self.sites[view.nth].begun.insert(key.clone());
        self.expect(view, 3, first, || format!("{key} is begun a second time"));
        let mut records = view.site.flash.records.iter().rev();
        let marked = records.any(|r| matches!(r, Record::Begun { airing, .. } if airing == key));
        self.expect(view, 3, marked, || format!("{key} sounds without a durable begun mark"));
        let held = self.sites[view.nth].manifest.clone();
        let named = held.as_ref().and_then(|(m, _)| Some((m, named(m, key)?)));
        let Some((manifest, airing)) = named else {
            return self.expect(view, 2, false, || format!("{key} is in no manifest that is held"));
        };
        let utc = view.utc();
        let valid = utc < manifest.valid_until + CLOCK_ERROR;
        self.expect(view, 1, valid, || format!("{key} of a manifest that is expired"));
        let in_time = airing.at <= utc + CLOCK_ERROR && utc <= airing.latest + CLOCK_ERROR;
        self.expect(view, 4, in_time, || format!("{key} is not due"));
        let length = list.parts.iter().map(|part| length(part, view.station)).sum();
        let open = allowed(manifest, utc, length);
        self.expect(view, 5, open, || format!("{key} sounds outside the airtime"));
    }

    fn emergency(&mut self, view: &View, id: &EmergencyId, list: &Playlist) {
        let Some(raised) = view.station.raised.get(id) else {
            return self.expect(view, 2, false, || format!("{id} was raised by nobody"));
        };
        let expires = raised.play.expires;
        let fresh = view.utc() < expires + CLOCK_ERROR;
        self.expect(view, 4, fresh, || format!("{id} expired at {expires}"));
        let watched = &self.sites[view.nth];
        let is_over = watched.completed.contains(id) || watched.over.contains(id);
        self.expect(view, 4, !is_over, || format!("{id} plays after its end"));
        let attempts = self.sites[view.nth].held.get(id).copied().unwrap_or(0);
        let marked = (1..=ATTEMPTS_MAX).contains(&attempts);
        self.expect(view, 3, marked, || format!("{id} sounds with {attempts} marked attempts"));
        let mine = raised.controllers.contains(&view.site.id);
        self.expect(view, 2, mine, || format!("{id} is for elsewhere"));
        let own = list.parts.iter().all(|part| match part {
            Part::Sound { asset, .. } => raised.assets.contains(asset),
            Part::Tone(_) | Part::Silence(_) => true,
        });
        self.expect(view, 2, own, || format!("{id} sounds what it does not name"));
    }

    /// A part has sounded whole, or all of them.
    pub(in crate::sim) fn sounded(
        &mut self,
        nth: usize,
        site: &Site,
        part: usize,
        now: Duration,
        station: &Station,
    ) {
        let view = View { nth, site, now, station };
        let Some(sounding) = &site.sounding else { return };
        if let Some(Part::Sound { asset, .. }) = sounding.list.parts.get(part) {
            let learned = self.sites[nth].withdrawn.get(asset).copied();
            let kept = learned.is_none_or(|learned| now < learned + STOP_WITHIN);
            self.expect(&view, 1, kept, || format!("{asset} goes on though it was withdrawn"));
        }
        if part == sounding.list.parts.len() {
            self.sites[nth].playing = None;
            if let Some(id) = sounding.list.title.strip_prefix("emergency/") {
                self.sites[nth].whole.insert(id.parse().expect("an id"));
            }
        }
    }

    /// The end of a playlist was handed in and kept.
    pub(in crate::sim) fn finished(&mut self, nth: usize, title: &str) {
        if let Some(id) = title.strip_prefix("emergency/") {
            self.sites[nth].completed.insert(id.parse().expect("an id"));
        }
    }

    /// What played was stopped, or failed.
    pub(in crate::sim) fn silenced(&mut self, nth: usize) {
        self.sites[nth].playing = None;
    }
}

pub(super) fn named<'a>(manifest: &'a Manifest, key: &AiringKey) -> Option<&'a ManifestAiring> {
    manifest.airings.iter().find(|airing| airing.key(&manifest.controller) == *key)
}

/// Whether a routine airing of this length may sound at about this time.
pub(super) fn allowed(manifest: &Manifest, utc: Timestamp, length: Duration) -> bool {
    let zone = Zone::default();
    let open = |from: Timestamp| {
        let until = from + length;
        outer().allows(zone, from, until) && manifest.policy.allows(manifest.zone, from, until)
    };
    [utc, utc + CLOCK_ERROR, utc - CLOCK_ERROR].into_iter().any(open)
}
