//! What a controller keeps: promises 2, 4, 8 and 9 at the moment of a durable mark.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::agent::{Record, Slot};
use crate::digest::Digest;
use crate::id::EmergencyId;
use crate::lang::LangTag;
use crate::manifest::Manifest;
use crate::protocol::decode;
use crate::receipt::{EmergencyStep, Event, Receipt};
use crate::sim::desk::Chain;
use crate::sim::observer::{CLOCK_ERROR, Observer, View};
use crate::sim::site::Site;
use crate::sim::station::Station;

impl Observer {
    /// A record is durable.
    pub(in crate::sim) fn kept(
        &mut self,
        nth: usize,
        site: &Site,
        record: &Record,
        now: Duration,
        station: &Station,
        ever: &BTreeMap<Chain, u64>,
    ) {
        let view = View { nth, site, now, station };
        match record {
            Record::Receipt { line } => self.receipt(&view, line),
            Record::Emergency { id, note } => self.accepts(&view, id, note),
            Record::EmergencyBegun { id, attempt } => {
                self.sites[nth].held.insert(id.clone(), *attempt);
                if *attempt >= 3 {
                    self.spent.insert((nth, id.clone()));
                }
            }
            Record::EmergencyHeard { id, languages } => self.heard(&view, id, languages),
            Record::EmergencyOver { id, .. } => {
                self.sites[nth].over.insert(id.clone());
            }
            Record::Order { number } => self.obeys(&view, *number),
            Record::Acked { upto } => {
                let chain = (site.id.clone(), self.sites[nth].chain.clone());
                let logged = ever.get(&chain).copied().unwrap_or(0);
                self.sites[nth].acked = *upto;
                self.expect(&view, 9, *upto <= logged, || {
                    format!("counts {upto} receipts as delivered; {logged} were ever in the log")
                });
            }
            Record::Chain { id, after, .. } => {
                self.sites[nth].chain.clone_from(id);
                self.sites[nth].acked = *after;
            }
            Record::Begun { airing, .. } => {
                self.sites[nth].marked.insert(airing.clone());
            }
            Record::Boot { boot } => self.sites[nth].boots = *boot,
            Record::ItemDone { .. }
            | Record::Manifest { .. }
            | Record::Spent { .. }
            | Record::Volume { .. }
            | Record::Over { .. } => {}
        }
    }

    fn accepts(&mut self, view: &View, id: &EmergencyId, note: &str) {
        let raised = view.station.raised.get(id).filter(|raised| raised.play.note == note);
        let Some(raised) = raised else {
            return self.expect(view, 2, false, || format!("accepts {id}, which nobody raised"));
        };
        let here = raised.controllers.contains(&view.site.id);
        self.expect(view, 2, here, || format!("accepts {id}, which is for elsewhere"));
        let expires = raised.play.expires;
        let fresh = view.utc() < expires + CLOCK_ERROR;
        self.expect(view, 4, fresh, || format!("accepts {id}, which expired at {expires}"));
        let is_over = self.sites[view.nth].over.contains(id);
        self.expect(view, 4, !is_over, || format!("accepts {id} after its end"));
        self.sites[view.nth].held.entry(id.clone()).or_insert(0);
        self.sites[view.nth].noted.insert(id.clone());
    }

    fn obeys(&mut self, view: &View, number: u64) {
        let expires = view.station.order(&view.site.id, number);
        self.expect(view, 2, expires.is_some(), || format!("obeys order {number} of nobody"));
        let fresh = expires.is_none_or(|expires| view.utc() < expires + CLOCK_ERROR);
        self.expect(view, 4, fresh, || format!("obeys order {number} after its expiry"));
        let held = self.sites[view.nth].order;
        self.expect(view, 4, number > held, || format!("obeys order {number} after {held}"));
        let watched = &mut self.sites[view.nth];
        (watched.order, watched.ordered) = (held.max(number), true);
    }

    fn receipt(&mut self, view: &View, line: &str) {
        let Ok(receipt) = serde_json::from_str::<Receipt>(line) else {
            return self.expect(view, 8, false, || format!("an unreadable receipt: {line}"));
        };
        match receipt.event {
            Event::Boot { boot, .. } => {
                self.sites[view.nth].trusted = Some(view.now);
                let marked = self.sites[view.nth].boots;
                self.expect(view, 8, boot == marked, || {
                    format!("tells of start {boot}, the last that is marked is {marked}")
                });
            }
            Event::Airing { ref airing, outcome, cause, ref items, .. } => {
                self.items(view, airing, cause, items);
                self.outcome(view, airing, outcome, cause);
            }
            Event::Emergency { ref emergency, step, ref languages, .. } => {
                self.step(view, emergency, step);
                self.tells_of_marks(view, emergency, step, languages);
            }
            Event::Order { number, .. } => {
                let marked = self.sites[view.nth].order;
                self.expect(view, 4, number == marked, || {
                    format!("tells of order {number}, the last that is marked is {marked}")
                });
            }
            Event::Refusal { .. } => {}
        }
    }

    fn heard(&mut self, view: &View, id: &EmergencyId, languages: &[LangTag]) {
        let watched = &mut self.sites[view.nth];
        let empty = BTreeSet::new();
        let whole = watched.whole.get(id).unwrap_or(&empty);
        let kept = languages.iter().all(|language| whole.contains(language));
        watched.heard.entry(id.clone()).or_default().extend(languages.iter().cloned());
        watched.held.insert(id.clone(), 0);
        self.expect(view, 8, kept, || format!("{id}: marks {languages:?} that did not sound"));
    }

    fn step(&mut self, view: &View, id: &EmergencyId, step: EmergencyStep) {
        let raised = view.station.raised.get(id);
        let watched = &self.sites[view.nth];
        let (promise, kept) = match step {
            EmergencyStep::Accepted | EmergencyStep::Begun => (2, raised.is_some()),
            EmergencyStep::Completed => (8, self.is_whole(view, id)),
            EmergencyStep::Cancelled => (2, raised.is_some_and(|r| r.cancel.is_some())),
            EmergencyStep::Failed => {
                let expired = raised.is_some_and(|r| r.play.expires <= view.utc() + CLOCK_ERROR);
                (3, expired || watched.held.get(id).is_some_and(|attempts| *attempts >= 3))
            }
        };
        self.expect(view, promise, kept, || format!("{id}: {step:?} is not true"));
        if matches!(
            step,
            EmergencyStep::Completed | EmergencyStep::Cancelled | EmergencyStep::Failed
        ) {
            self.sites[view.nth].held.remove(id);
        }
    }

    /// What is sworn of an emergency is marked: after a power cut it still holds.
    fn tells_of_marks(
        &mut self,
        view: &View,
        id: &EmergencyId,
        step: EmergencyStep,
        languages: &[LangTag],
    ) {
        let watched = &self.sites[view.nth];
        let (noted, over) = (watched.noted.contains(id), watched.over.contains(id));
        let heard = watched.heard.get(id);
        let unmarked =
            languages.iter().find(|tag| !heard.is_some_and(|h| h.contains(tag))).cloned();
        let accepts = step == EmergencyStep::Accepted;
        self.expect(view, 8, noted || !accepts, || format!("{id}: accepted without its note"));
        self.expect(view, 8, over || !step.ends(), || format!("{id}: {step:?} without its mark"));
        self.expect(view, 8, unmarked.is_none(), || {
            format!("{id}: tells of {unmarked:?}, which is not marked as heard")
        });
    }

    /// A note is durable.
    pub(in crate::sim) fn kept_note(
        &mut self,
        nth: usize,
        site: &Site,
        slot: Slot,
        note: &str,
        now: Duration,
        station: &Station,
    ) {
        let view = View { nth, site, now, station };
        match slot {
            Slot::Trust => self.trusts(&view, note),
            Slot::Manifest => self.holds(&view, note),
            Slot::Descriptor(asset) => self.describes(&view, asset, note),
        }
    }

    fn trusts(&mut self, view: &View, note: &str) {
        let Some(version) = view.station.trust_version(note) else {
            return self.expect(view, 2, false, || "trusts a document of nobody".to_owned());
        };
        let held = self.sites[view.nth].trust;
        self.expect(view, 4, version == held + 1, || format!("trust {version} after {held}"));
        self.sites[view.nth].trust = version;
    }

    fn holds(&mut self, view: &View, note: &str) {
        let issued = view.station.issued(&view.site.id, note);
        self.expect(view, 2, issued, || "holds a manifest that nobody issued to it".to_owned());
        let line = note.split_inclusive('\n').next().unwrap_or_default();
        let Ok(manifest) = decode::<Manifest>(view.station.net(), line) else { return };
        let held = self.sites[view.nth].newest;
        let number = manifest.number;
        // One that was damaged, or whose key was replaced, may come again just as it was.
        let again = number == held && self.sites[view.nth].newest_note == note;
        self.expect(view, 4, again || number > held, || {
            format!("takes manifest {number} after {held}")
        });
        let fresh = view.utc() < manifest.valid_until + CLOCK_ERROR;
        self.expect(view, 1, fresh || self.sites[view.nth].trusted.is_none(), || {
            format!("takes manifest {number} after its end")
        });
        let watched = &mut self.sites[view.nth];
        for asset in &manifest.withdrawn {
            watched.withdrawn.entry(*asset).or_insert(view.now);
        }
        watched.newest = held.max(number);
        note.clone_into(&mut watched.newest_note);
        watched.manifest = Some((manifest, view.now));
    }

    fn describes(&mut self, view: &View, asset: Digest, note: &str) {
        let recording = view.station.recordings.get(&asset);
        let signed = recording.and_then(|recording| recording.signer(note)).is_some();
        self.expect(view, 2, signed, || format!("keeps a descriptor of {asset} of nobody"));
    }
}
