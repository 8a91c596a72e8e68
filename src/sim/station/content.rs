//! Bulletins with their recordings, as an approver signed them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bulletin::Class;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;
use crate::note::PublicKey;
use crate::protocol::Descriptor;
use crate::sim::chance::Chance;
use crate::sim::station::{LANGUAGES, Station, utc_at};

/// Bytes of a block: small, so that a recording has several.
const BLOCK: u32 = 1_024;

/// Bytes of a recording; what it says does not matter, only that nobody changes it.
const BYTES: usize = 2_500;

/// A recording with its approval.
#[derive(Debug)]
pub(in crate::sim) struct Recording {
    pub(in crate::sim) bytes: Vec<u8>,
    pub(in crate::sim) descriptor: Descriptor,
    /// Every note of it with the key that signed it, oldest first.
    pub(in crate::sim) notes: Vec<(PublicKey, String)>,
    pub(in crate::sim) withdrawn: Option<Duration>,
}

impl Recording {
    /// The newest approval.
    pub(in crate::sim) fn note(&self) -> &str {
        self.notes.last().map_or("", |(_, note)| note)
    }

    /// Who signed this very note.
    pub(in crate::sim) fn signer(&self, note: &str) -> Option<&PublicKey> {
        self.notes.iter().find(|(_, known)| known == note).map(|(key, _)| key)
    }
}

/// A bulletin for one slot of one day.
#[derive(Debug)]
pub(super) struct Bulletin {
    pub(super) day: u32,
    pub(super) slot: usize,
    pub(super) versions: BTreeMap<LangTag, Digest>,
}

impl Station {
    /// Approves the bulletins of one day: Vietnamese always, the others where somebody had time.
    pub(in crate::sim) fn approve_day(&mut self, at: Duration, day: u32, chance: &mut Chance) {
        for slot in 0..super::planning::SLOTS.len() {
            let id: BulletinId = format!("b-{day}-{slot}").parse().expect("an id");
            let mut versions = BTreeMap::new();
            for tag in LANGUAGES {
                if tag != "vi" && chance.once_in(6) {
                    continue;
                }
                let language: LangTag = tag.parse().expect("a tag");
                // Now and then one is over before its airing: it must not be heard then.
                let over = u32::from(!chance.once_in(12));
                let until = Duration::from_hours(24) * (day + over);
                let until = until.max(at + Duration::from_hours(1));
                let asset = self.approve(at, until, &id, language.clone(), Class::Normal);
                versions.insert(language, asset);
            }
            self.bulletins.push(Bulletin { day, slot, versions });
        }
    }

    /// One recording, approved for the whole province.
    pub(in crate::sim) fn approve(
        &mut self,
        at: Duration,
        until: Duration,
        bulletin: &BulletinId,
        language: LangTag,
        class: Class,
    ) -> Digest {
        let text = format!("{bulletin} {language} {}", self.keyring.salt());
        let bytes: Vec<u8> = text.into_bytes().into_iter().cycle().take(BYTES).collect();
        let areas = vec![Self::province()];
        let valid = (at, until);
        let descriptor = describe(&bytes, bulletin.clone(), language, class, areas, valid);
        let asset = descriptor.asset;
        let approver = self.approver();
        let note = self.sign(&approver, &descriptor);
        let notes = vec![(approver.public(), note)];
        let recording = Recording { bytes, descriptor, notes, withdrawn: None };
        self.recordings.insert(asset, recording);
        asset
    }

    pub(super) fn sign_again(&mut self) {
        let approver = self.approver();
        let net = self.net.clone();
        for recording in self.recordings.values_mut() {
            let note = approver.sign(&crate::protocol::encode(&net, &recording.descriptor));
            recording.notes.push((approver.public(), note));
        }
    }

    /// Takes back one recording that may be heard soon.
    pub(in crate::sim) fn withdraw(&mut self, at: Duration, chance: &mut Chance) -> Option<Digest> {
        let utc = utc_at(at);
        let open = self.recordings.iter().filter(|(_, recording)| {
            recording.withdrawn.is_none() && recording.descriptor.valid_until > utc
        });
        let open: Vec<Digest> = open.map(|(asset, _)| *asset).collect();
        let asset = *chance.pick(&open)?;
        self.recordings.get_mut(&asset)?.withdrawn = Some(at);
        Some(asset)
    }

    pub(in crate::sim) fn length(&self, asset: Digest) -> Duration {
        let length = self.recordings.get(&asset).map_or(1_000, |r| r.descriptor.length_ms);
        Duration::from_millis(length)
    }
}

/// A descriptor of `bytes`, valid from and until these true times.
pub(in crate::sim) fn describe(
    bytes: &[u8],
    bulletin: BulletinId,
    language: LangTag,
    class: Class,
    areas: Vec<AreaId>,
    valid: (Duration, Duration),
) -> Descriptor {
    let asset = Digest::of(bytes);
    Descriptor {
        asset,
        bulletin,
        language,
        class,
        codec: "opus".to_owned(),
        bytes: bytes.len() as u64,
        block_bytes: BLOCK,
        blocks: Descriptor::blocks_of(bytes, BLOCK),
        length_ms: 20_000 + u64::from(asset.as_bytes()[0]) * 300,
        areas,
        valid_from: utc_at(valid.0),
        valid_until: utc_at(valid.1),
    }
}
