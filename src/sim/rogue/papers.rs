//! Forged papers, one kind for each rule of acceptance.

use std::rc::Rc;
use std::time::Duration;

use crate::bulletin::Class;
use crate::digest::Digest;
use crate::id::{AreaId, ControllerId, EmergencyId, NetId};
use crate::manifest::{Manifest, VALID_MAX};
use crate::note::Signer;
use crate::protocol::{
    Ack, Descriptor, Document, Down, Emergency, EmergencyAction, Order, OrderCommand, Up, encode,
};
use crate::receipt::{Batch, Event, Receipt};
use crate::sim::station::{describe, utc_at};
use crate::sim::world::World;
use crate::time::Timestamp;
use crate::trust::Role;

/// A manifest that only a clock gives away.
pub(in crate::sim) const PAST_ITS_END: &str = "manifest past its end";

/// How many kinds of forgery there are.
const KINDS: usize = 26;

/// Far above any number that the station reaches.
const AHEAD: u64 = 1_000_000;

impl World {
    /// Makes one forgery for one controller.
    pub(in crate::sim) fn forge(&mut self, site: usize) {
        if !self.manners.malign {
            return;
        }
        match self.chance.below(KINDS) {
            0..=1 => self.alter(),
            2..=8 => self.forge_manifest(site),
            9..=14 => self.forge_emergency(site),
            15..=18 => self.forge_order(site),
            19..=20 => self.forge_trust(site),
            21..=22 => self.forge_ack(site),
            23..=24 => self.forge_descriptor(site),
            _ => self.forge_receipts(site),
        }
    }

    fn forge_manifest(&mut self, site: usize) {
        let id = self.sites[site].id.clone();
        let Some(held) = self.desk.manifest(&id).cloned() else { return };
        if !self.observer.trusts_its_clock(site) {
            return;
        }
        let real = self.station.schedule_key();
        let ahead = Manifest { number: held.number + AHEAD, ..held.clone() };
        let other = self.sites[(site + 1) % self.sites.len()].id.clone();
        let utc = utc_at(self.now);
        let (kind, key, manifest) = match self.chance.below(7) {
            0 => ("manifest by an approver", self.station.approver(), ahead),
            1 => ("manifest for another", real, Manifest { controller: other, ..ahead }),
            2 => {
                let valid_until = ahead.issued + VALID_MAX + Duration::from_hours(1);
                ("manifest of eight days", real, Manifest { valid_until, ..ahead })
            }
            3 => {
                let (issued, valid_until) = (utc - VALID_MAX, utc - Duration::from_mins(10));
                (PAST_ITS_END, real, Manifest { issued, valid_until, ..ahead })
            }
            4 => {
                let number = self.observer.newest_manifest(site).saturating_sub(1);
                ("older manifest", real, Manifest { number, airings: vec![], ..held })
            }
            5 => {
                let languages = vec!["mji".parse().expect("a tag")];
                if ahead.airings.is_empty() {
                    return;
                }
                ("manifest in a strange language", real, Manifest { languages, ..ahead })
            }
            _ => return self.of_another_net(site, Down::Manifest, &real, &ahead),
        };
        let note = self.station.sign(&key, &manifest);
        self.pass_off(site, Down::Manifest, note, kind);
    }

    fn of_another_net<D: Document>(&mut self, site: usize, down: Down, key: &Signer, document: &D) {
        let net: NetId = "tinh-khac".parse().expect("an id");
        let note = key.sign(&encode(&net, document));
        self.pass_off(site, down, note, "document of another network");
    }

    fn forge_emergency(&mut self, site: usize) {
        if !self.observer.trusts_its_clock(site) {
            return;
        }
        let [an, ba] = self.station.officers();
        let du = self.station.commune_officer();
        let here = self.station.villages[self.sites[site].village].areas.clone();
        let elsewhere: AreaId = "ban-khac".parse().expect("an id");
        let action = self.some_action();
        let play = |world: &Self, length: Duration, areas: Vec<AreaId>| Emergency {
            id: format!("gia-{}", world.queue.count()).parse().expect("an id"),
            sequence: AHEAD,
            issued: utc_at(world.now) - Duration::from_hours(1),
            expires: utc_at(world.now) - Duration::from_hours(1) + length,
            areas,
            action: action.clone(),
        };
        let hours = Duration::from_hours;
        let second = self.station.second_key();
        let (kind, keys, emergency) = match self.chance.below(7) {
            0 => ("emergency of one officer", vec![&an], play(self, hours(2), here)),
            1 if here[1].as_str() != "xa-0" => {
                ("emergency of a strange officer", vec![&an, &du], play(self, hours(2), here))
            }
            2 => ("emergency for elsewhere", vec![&an, &ba], play(self, hours(2), vec![elsewhere])),
            3 => {
                let late = Duration::from_mins(50);
                ("emergency past its expiry", vec![&an, &ba], play(self, late, here))
            }
            5 => (
                "emergency of one officer's two keys",
                vec![&an, &second],
                play(self, hours(2), here),
            ),
            4 => ("emergency of 25 hours", vec![&an, &ba], play(self, hours(25), here)),
            _ => return self.forge_cancel(site, &an),
        };
        let note = self.cosigned(&keys, &emergency);
        self.pass_off(site, Down::Emergency, note, kind);
    }

    fn cosigned(&self, keys: &[&Rc<Signer>], emergency: &Emergency) -> String {
        let first = self.station.sign(keys[0], emergency);
        let add = |note: String, key: &&Rc<Signer>| key.cosign(&note).expect("our own note parses");
        keys[1..].iter().fold(first, add)
    }

    /// An emergency that was once raised: its recordings are approved.
    fn some_action(&mut self) -> EmergencyAction {
        let sounds = self.station.emergency_sounds();
        EmergencyAction::Play { sounds, repeat: 1, gap_ms: 100 }
    }

    fn forge_cancel(&mut self, site: usize, officer: &Signer) {
        let held = self.observer.held_emergency(site);
        let Some(id): Option<EmergencyId> = held else { return };
        let areas = self.station.villages[self.sites[site].village].areas.clone();
        let (issued, action) = (utc_at(self.now), EmergencyAction::Cancel {});
        let expires = issued + Duration::from_hours(1);
        let emergency = Emergency { id, sequence: AHEAD, issued, expires, areas, action };
        let note = self.station.sign(officer, &emergency);
        self.pass_off(site, Down::Emergency, note, "cancel of one officer");
    }

    fn forge_order(&mut self, site: usize) {
        if !self.observer.trusts_its_clock(site) {
            return;
        }
        let id = self.sites[site].id.clone();
        let other = self.sites[(site + 1) % self.sites.len()].id.clone();
        let utc = utc_at(self.now);
        let real = self.station.schedule_key();
        let order = |controller: ControllerId, number: u64, issued: Timestamp, mins: u64| Order {
            controller,
            number,
            issued,
            expires: issued + Duration::from_mins(mins),
            command: OrderCommand::Selftest {},
        };
        let (kind, key, order) = match self.chance.below(5) {
            0 => ("order by an approver", self.station.approver(), order(id, AHEAD, utc, 4)),
            1 => ("order for another", real, order(other, AHEAD, utc, 4)),
            2 => {
                let issued = utc - Duration::from_mins(30);
                ("order past its expiry", real, order(id, AHEAD, issued, 5))
            }
            3 => ("order of an hour", real, order(id, AHEAD, utc, 60)),
            _ => {
                let number = self.observer.last_order(site);
                ("old order", real, order(id, number, utc, 4))
            }
        };
        let note = self.station.sign(&key, &order);
        self.pass_off(site, Down::Order, note, kind);
    }

    fn forge_trust(&mut self, site: usize) {
        let mut document = self.station.trust_document(self.now);
        let held = self.observer.trust(site);
        let (kind, root, jump) = if self.chance.once_in(2) {
            ("trust by a strange root", self.station.root(AHEAD), 1)
        } else {
            ("trust that jumps", self.station.root(self.station.root_turn()), 3)
        };
        document.version = held + jump;
        document.roots = vec![root.public()];
        let note = self.station.sign(&root, &document);
        self.pass_off(site, Down::Trust, note, kind);
    }

    fn forge_ack(&mut self, site: usize) {
        let Some((chain, upto)) = self.observer.chain(site, &self.sites[site]) else { return };
        let id = self.sites[site].id.clone();
        let other = self.sites[(site + 1) % self.sites.len()].id.clone();
        let by_wrong_key = self.chance.once_in(2);
        let controller = if by_wrong_key { id } else { other };
        let ack = Ack { controller, chain, upto, log_size: 1, log_root: Digest::ZERO };
        let (kind, key) = if by_wrong_key {
            ("acknowledgement by a wrong key", self.station.schedule_key())
        } else {
            ("acknowledgement for another", self.station.key(Role::Ack, "1"))
        };
        let note = self.station.sign(&key, &ack);
        self.pass_off(site, Down::Ack, note, kind);
    }

    /// A descriptor of what a controller is fetching, by somebody who may not approve it.
    pub(in crate::sim) fn forge_descriptor(&mut self, site: usize) {
        let Some(asset) = self.sites[site].bulk.first().copied() else { return };
        let Some(recording) = self.station.recordings.get(&asset) else { return };
        let real = recording.descriptor.clone();
        let is_near = self.sites[site].village < 5;
        let (kind, key) = match self.chance.below(3) {
            0 => ("descriptor by an officer", self.station.officers()[0].clone()),
            1 if !is_near => ("descriptor by a strange approver", self.station.commune_approver()),
            _ => return self.forge_other_descriptor(site, asset),
        };
        let altered = Descriptor { length_ms: real.length_ms + 1, ..real };
        let note = self.station.sign(&key, &altered);
        self.observer.fault(kind);
        let topic = self.network.topics.info(asset);
        self.give_to_one(site, topic, note, kind);
    }

    /// The approver's own descriptor of something else.
    fn forge_other_descriptor(&mut self, site: usize, asset: Digest) {
        let areas = self.station.villages[self.sites[site].village].areas.clone();
        let valid = (Duration::ZERO, self.now + Duration::from_hours(24));
        let bulletin = "khac".parse().expect("an id");
        let language = "vi".parse().expect("a tag");
        let other = describe(b"something else", bulletin, language, Class::Normal, areas, valid);
        let note = self.station.sign(&self.station.approver(), &other);
        let kind = "descriptor of another recording";
        self.observer.fault(kind);
        let topic = self.network.topics.info(asset);
        self.give_to_one(site, topic, note, kind);
    }

    fn give_to_one(&mut self, site: usize, topic: String, note: String, kind: &'static str) {
        use crate::sim::network::{End, Letter};
        let payload = note.into_bytes();
        let post = Rc::new(Letter { topic, payload, qos1: false, foul: Some(kind) });
        if self.sites[site].bulk_up {
            self.send_to(End::Bulk(site), &post);
        }
    }

    /// Receipts of one controller under the key of another.
    fn forge_receipts(&mut self, site: usize) {
        let id = self.sites[site].id.clone();
        let other = self.sites[(site + 1) % self.sites.len()].id.clone();
        if id == other {
            return;
        }
        let event = Event::Boot { boot: 1, software: "gia".to_owned() };
        let line = Receipt { n: 1, at: utc_at(self.now), event }.line();
        let batch = Batch {
            controller: id.clone(),
            chain: format!("{:016x}", self.queue.count()),
            first: 1,
            kept: 1,
            prev: Digest::ZERO,
            receipts: vec![serde_json::value::RawValue::from_string(line).expect("it is JSON")],
        };
        let kind = "receipts by another's key";
        self.observer.fault(kind);
        let note = self.station.sign(&self.station.device_key(&other), &batch);
        let topic = self.network.topics.up(&id, Up::Receipts);
        self.slip_in(topic, note.into_bytes(), Some(kind));
    }
}
