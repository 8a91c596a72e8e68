//! What may sound: promises 1, 2, 3, 4, 5 and 6 at the moment of a first sample.

use std::time::Duration;

use crate::agent::{Part, Playlist, Record};
use crate::calendar::AiringKey;
use crate::digest::Digest;
use crate::id::EmergencyId;
use crate::lang::LangTag;
use crate::manifest::{Manifest, ManifestAiring};
use crate::note::PublicKey;
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
        } else if list.title == "selftest" {
            self.acts(view, "the test tone");
            let length = list.parts.iter().map(|part| length(part, view.station)).sum();
            let open = awake(view.utc(), length);
            self.expect(view, 5, open, || "the test tone in quiet hours".to_owned());
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
        let note = view.site.flash.descriptor(asset);
        let signed =
            note.is_some_and(|note| view.station.recordings[&asset].signer(note).is_some());
        self.expect(view, 2, signed, || format!("{asset} has a false descriptor"));
        let granted = self.is_approved(view, asset);
        self.expect(view, 2, granted, || format!("{asset} is approved by a key that was revoked"));
    }

    /// Whether the approval that this site keeps is by a key that its trust document still names.
    pub(super) fn is_approved(&self, view: &View, asset: Digest) -> bool {
        let recording = view.station.recordings.get(&asset);
        let note = view.site.flash.descriptor(asset);
        let signer = note.zip(recording).and_then(|(note, recording)| recording.signer(note));
        signer.is_some_and(|signer| self.is_granted(view, Role::Content, signer))
    }

    /// Whether the trust document that this site holds names this key in this role.
    pub(super) fn is_granted(&self, view: &View, role: Role, key: &PublicKey) -> bool {
        let trust = view.station.trust_of(self.sites[view.nth].trust);
        trust.is_some_and(|trust| trust.keys.iter().any(|g| g.role == role && g.key == *key))
    }

    fn airing(&mut self, view: &View, key: &AiringKey, list: &Playlist) {
        let goes_on = self.sites[view.nth].cut.take().as_ref() == Some(key);
        let begun = self.sites[view.nth].begun.get(key);
        self.expect(view, 3, begun.is_none() || goes_on, || {
            format!("{key} is begun a second time")
        });
        let begun = self.sites[view.nth].begun.get(key);
        let again = list
            .parts
            .iter()
            .any(|part| begun.zip(sound_of(part)).is_some_and(|(b, a)| b.contains(&a)));
        self.expect(view, 3, !again, || format!("{key}: an item that was begun sounds again"));
        self.part_begins(view.nth, key, list, 0);
        let mut records = view.site.flash.records.iter().rev();
        let marked = records.any(|r| matches!(r, Record::Begun { airing, .. } if airing == key));
        self.expect(view, 3, marked, || format!("{key} sounds without a durable begun mark"));
        let held = self.sites[view.nth].manifest.clone();
        let named = held.as_ref().and_then(|(m, _)| Some((m, named(m, key)?)));
        let Some((manifest, airing)) = named else {
            return self.expect(view, 2, false, || format!("{key} is in no manifest that is held"));
        };
        let signer = view.station.issuer(&self.sites[view.nth].newest_note);
        let granted = signer.is_some_and(|signer| self.is_granted(view, Role::Schedule, signer));
        self.expect(view, 2, granted, || format!("{key} of a manifest whose key was revoked"));
        let utc = view.utc();
        let valid = utc < manifest.valid_until + CLOCK_ERROR;
        self.expect(view, 1, valid, || format!("{key} of a manifest that is expired"));
        let length: Duration = list.parts.iter().map(|part| length(part, view.station)).sum();
        let in_time = airing.at <= utc + CLOCK_ERROR && utc <= airing.latest + CLOCK_ERROR;
        let rest_in_time = utc + length <= airing.latest + airing.length() + CLOCK_ERROR;
        let in_time = if goes_on { rest_in_time } else { in_time };
        self.expect(view, 4, in_time, || format!("{key} is not due"));
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
        let is_over = watched.over.contains(id);
        let heard = watched.heard.get(id);
        let again = list.parts.iter().any(|part| match part {
            Part::Sound { language, .. } => {
                let lately = watched.lately.contains(&(id.clone(), language.clone()));
                lately || heard.is_some_and(|heard| heard.contains(language))
            }
            Part::Tone(_) | Part::Silence(_) => false,
        });
        self.expect(view, 4, !is_over, || format!("{id} plays after its end"));
        self.expect(view, 4, !again, || format!("{id} sounds again in a language that was heard"));
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
            if let Ok(key) = sounding.list.title.parse::<AiringKey>() {
                self.sites[nth].sounded.entry(key).or_default().insert(*asset);
            }
        }
        if let Ok(key) = sounding.list.title.parse::<AiringKey>() {
            self.part_begins(nth, &key, &sounding.list, part + 1);
        }
        if part == sounding.list.parts.len() {
            self.sites[nth].playing = None;
            if let Some(id) = sounding.list.title.strip_prefix("emergency/") {
                let languages = sounding.list.parts.iter().filter_map(|part| match part {
                    Part::Sound { language, .. } => Some(language.clone()),
                    Part::Tone(_) | Part::Silence(_) => None,
                });
                let id: EmergencyId = id.parse().expect("an id");
                let languages: Vec<LangTag> = languages.collect();
                let watched = &mut self.sites[nth];
                watched.lately.extend(languages.iter().map(|l| (id.clone(), l.clone())));
                watched.whole.entry(id).or_default().extend(languages);
            }
        }
    }

    /// The first sample of a part of an airing sounds.
    fn part_begins(&mut self, nth: usize, key: &AiringKey, list: &Playlist, part: usize) {
        let begun = self.sites[nth].begun.entry(key.clone()).or_default();
        begun.extend(list.parts.get(part).and_then(sound_of));
    }

    /// Whether an emergency sounded to its end in every language of the village that it has and that
    /// was not withdrawn here.
    pub(super) fn is_whole(&self, view: &View, id: &EmergencyId) -> bool {
        let watched = &self.sites[view.nth];
        let (Some(raised), Some(whole)) = (view.station.raised.get(id), watched.whole.get(id))
        else {
            return false;
        };
        raised.assets.iter().all(|asset| {
            let language = &view.station.recordings[asset].descriptor.language;
            whole.contains(language)
                || !view.village().languages.contains(language)
                || watched.withdrawn.contains_key(asset)
        })
    }

    /// What played was stopped, or failed.
    pub(in crate::sim) fn silenced(&mut self, nth: usize) {
        let watched = &mut self.sites[nth];
        // A warning that is silenced leaves the airing cut off that it cut off.
        if let Some(key) = watched.playing.take().and_then(|title| title.parse().ok()) {
            watched.cut = Some(key).filter(|_| !watched.held.is_empty());
        }
    }
}

fn sound_of(part: &Part) -> Option<Digest> {
    match part {
        Part::Sound { asset, .. } => Some(*asset),
        Part::Tone(_) | Part::Silence(_) => None,
    }
}

/// Whether the controller's own quiet hours let so much sound begin at about this time.
fn awake(utc: Timestamp, length: Duration) -> bool {
    let open = |from: Timestamp| outer().allows(Zone::default(), from, from + length);
    [utc, utc + CLOCK_ERROR, utc - CLOCK_ERROR].into_iter().any(open)
}

pub(super) fn named<'a>(manifest: &'a Manifest, key: &AiringKey) -> Option<&'a ManifestAiring> {
    manifest.airings.iter().find(|airing| airing.key(&manifest.controller) == *key)
}

/// Whether a routine airing of this length may sound at about this time.
pub(super) fn allowed(manifest: &Manifest, utc: Timestamp, length: Duration) -> bool {
    about(utc).into_iter().any(|from| is_open(manifest, from, length))
}

/// Whether it may be forbidden to sound at about this time.
pub(super) fn forbidden(manifest: &Manifest, utc: Timestamp, length: Duration) -> bool {
    about(utc).into_iter().any(|from| !is_open(manifest, from, length))
}

fn is_open(manifest: &Manifest, from: Timestamp, length: Duration) -> bool {
    let until = from + length;
    outer().allows(Zone::default(), from, until)
        && manifest.policy.allows(manifest.zone, from, until)
}

/// What a clock may show then that is trusted.
fn about(utc: Timestamp) -> [Timestamp; 3] {
    [utc, utc + CLOCK_ERROR, utc - CLOCK_ERROR]
}
