//! Emergencies: two officers sign; some are taken back.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bulletin::Class;
use crate::digest::Digest;
use crate::dispatch;
use crate::id::{AreaId, BulletinId, ControllerId, EmergencyId};
use crate::note::{PublicKey, Signer};
use crate::protocol::{Emergency, EmergencyAction, EmergencySound};
use crate::sim::chance::Chance;
use crate::sim::site::Site;
use crate::sim::station::{LANGUAGES, Station, utc_at};

/// An emergency that was raised.
#[derive(Debug)]
pub(in crate::sim) struct Raised {
    pub(in crate::sim) play: dispatch::Raised,
    /// Who is there.
    pub(in crate::sim) controllers: BTreeSet<ControllerId>,
    pub(in crate::sim) cancel: Option<Cancel>,
    pub(in crate::sim) assets: BTreeSet<Digest>,
}

/// How it was taken back.
#[derive(Debug)]
pub(in crate::sim) struct Cancel {
    pub(in crate::sim) alarm: dispatch::Raised,
    /// The keys of those who signed it.
    pub(in crate::sim) officers: [PublicKey; 2],
}

impl Station {
    /// Two officers raise an emergency somewhere.
    pub(in crate::sim) fn raise(
        &mut self,
        at: Duration,
        sites: &[Site],
        chance: &mut Chance,
    ) -> dispatch::Raised {
        let nth = self.raised.len();
        let bulletin: BulletinId = format!("khan-{nth}").parse().expect("an id");
        let sounds: Vec<EmergencySound> = LANGUAGES
            .iter()
            .filter(|tag| **tag == "vi" || !chance.once_in(4))
            .map(|tag| {
                let language = tag.parse().expect("a tag");
                let until = at + Duration::from_hours(48);
                let asset = self.approve(at, until, &bulletin, language, Class::Emergency);
                EmergencySound { language: tag.parse().expect("a tag"), asset }
            })
            .collect();
        let assets = sounds.iter().map(|sound| sound.asset).collect();
        let repeat = u8::try_from(chance.number(1, 3)).unwrap_or(1);
        let action = EmergencyAction::Play { sounds, repeat, gap_ms: 700 };
        let area = self.somewhere(chance);
        let length = chance.length(Duration::from_mins(20), Duration::from_hours(8));
        let id: EmergencyId = format!("lu-{nth}").parse().expect("an id");
        let document = self.emergency(at, id.clone(), length, vec![area], action);
        let [an, ba] = self.officers();
        let play = self.alarm(&document, false, sites, &[&an, &ba]);
        let controllers = play.waiting.clone();
        let raised = Raised { play: play.clone(), controllers, cancel: None, assets };
        self.raised.insert(id, raised);
        play
    }

    /// The officers take one back that is not expired.
    pub(in crate::sim) fn cancel(
        &mut self,
        at: Duration,
        sites: &[Site],
        chance: &mut Chance,
    ) -> Option<dispatch::Raised> {
        let utc = utc_at(at);
        let open = self.raised.values().filter(|r| r.cancel.is_none() && utc < r.play.expires);
        let open: Vec<dispatch::Raised> = open.map(|raised| raised.play.clone()).collect();
        let play = chance.pick(&open)?;
        let left = play.expires.since(utc);
        let (id, areas) = (play.id.clone(), play.areas.clone());
        let document = self.emergency(at, id, left, areas, EmergencyAction::Cancel {});
        let [an, ba] = self.officers();
        let alarm = self.alarm(&document, true, sites, &[&ba, &an]);
        let officers = [ba.public(), an.public()];
        self.raised.get_mut(&play.id)?.cancel = Some(Cancel { alarm: alarm.clone(), officers });
        Some(alarm)
    }

    /// Recordings of the newest emergency: approved, and held by many.
    pub(in crate::sim) fn emergency_sounds(&self) -> Vec<EmergencySound> {
        let newest = self.raised.values().max_by_key(|raised| raised.play.sequence);
        let assets = newest.iter().flat_map(|raised| &raised.assets);
        assets
            .map(|asset| {
                let language = self.recordings[asset].descriptor.language.clone();
                EmergencySound { language, asset: *asset }
            })
            .collect()
    }

    fn emergency(
        &mut self,
        at: Duration,
        id: EmergencyId,
        length: Duration,
        areas: Vec<AreaId>,
        action: EmergencyAction,
    ) -> Emergency {
        self.sequence += 1;
        let issued = utc_at(at);
        Emergency { id, sequence: self.sequence, issued, expires: issued + length, areas, action }
    }

    fn somewhere(&self, chance: &mut Chance) -> AreaId {
        let village = chance.below(self.villages.len());
        let level = chance.below(3);
        self.villages[village].areas[level].clone()
    }

    /// The note with these signatures, and whom it is for.
    fn alarm(
        &self,
        document: &Emergency,
        cancels: bool,
        sites: &[Site],
        officers: &[&Signer],
    ) -> dispatch::Raised {
        let (first, others) = officers.split_first().expect("somebody signs");
        let mut note = self.sign(first, document);
        for other in others {
            note = other.cosign(&note).expect("our own note parses");
        }
        let is_there = |site: &&Site| {
            let areas = &self.villages[site.village].areas;
            document.areas.iter().any(|area| areas.contains(area))
        };
        dispatch::Raised {
            id: document.id.clone(),
            cancels,
            sequence: document.sequence,
            expires: document.expires,
            areas: document.areas.clone(),
            waiting: sites.iter().filter(is_there).map(|site| site.id.clone()).collect(),
            note,
        }
    }
}
