//! What a group's plan follows from, as one digest.
//!
//! Everything that planning reads of a group is hashed with SHA-256 in the form that
//! [`Hash`] gives it, so equal digests are equal inputs. Bulletins count through the programmes
//! that could air them: a bulletin of a column that a place never hears changes nothing there.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

use super::audience::{Past, Place};
use super::compose::Desk;
use super::exception::{Change, Layer};
use super::{Programme, Selection, World};
use crate::digest::Digest;
use crate::id::ProgrammeId;
use crate::time::LocalDate;

/// SHA-256 behind the standard library's trait: what is hashed is told apart as by any [`Hash`].
#[derive(Default)]
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
    }
}

fn digest(value: &(impl Hash + ?Sized)) -> Digest {
    let mut sha = Sha::default();
    value.hash(&mut sha);
    Digest::from_bytes(sha.0.finalize().into())
}

/// The digests from which those of places are made.
pub(super) struct Fingerprints {
    /// Zone and days.
    ground: Digest,
    /// By place in the list of programmes.
    programmes: Vec<Digest>,
    /// By place in the layer.
    exceptions: Vec<Digest>,
}

impl Fingerprints {
    pub(super) fn of<'w>(
        world: &'w World,
        programmes: &[&'w Programme],
        desk: &Desk<'w>,
        layer: &Layer<'w>,
        days: (LocalDate, LocalDate),
    ) -> Self {
        let content: Vec<Digest> = world.content.iter().map(digest).collect();
        let by_id: BTreeMap<_, _> =
            world.content.iter().map(|airable| &airable.bulletin).zip(content).collect();
        let selected = |selection: &Selection| -> Vec<Option<Digest>> {
            match selection {
                Selection::Bulletins(ids) => ids.iter().map(|id| by_id.get(id).copied()).collect(),
                Selection::Newest(column) => {
                    desk.of_column(column).map(|a| by_id.get(&a.bulletin).copied()).collect()
                }
            }
        };
        let of = |programme: &&Programme| {
            let named = programme.identification.as_ref().map(|id| by_id.get(id));
            digest(&(programme, selected(&programme.selection), named))
        };
        let own: Vec<Digest> = programmes.iter().map(of).collect();
        let exceptions = layer.rules().map(|(exception, met)| {
            let instead: Vec<Option<Digest>> = match &exception.change {
                Change::Skip | Change::Move(_) => Vec::new(),
                Change::Replace(selection) => selected(selection),
                Change::ReplaceBy(id) => {
                    vec![programmes.iter().position(|p| p.id == *id).map(|place| own[place])]
                }
            };
            let met: Vec<&ProgrammeId> = met.iter().map(|&place| &programmes[place].id).collect();
            digest(&(exception, instead, met))
        });
        let exceptions = exceptions.collect();
        let ground = digest(&(String::from(world.zone), days));
        Self { ground, programmes: own, exceptions }
    }

    /// What the plans of a place follow from.
    pub(super) fn place(&self, place: &Place<'_>) -> Digest {
        let programmes: Vec<&Digest> =
            place.programmes.iter().map(|&number| &self.programmes[number]).collect();
        let exceptions: Vec<&Digest> =
            place.exceptions.iter().map(|&number| &self.exceptions[number]).collect();
        let Place { profile, airtime, decisions, .. } = place;
        digest(&(&self.ground, profile, airtime, programmes, exceptions, decisions))
    }

    /// What the plan of a group in that place follows from.
    pub(super) fn group(place: &Digest, past: &Past<'_>) -> Digest {
        digest(&(place, past))
    }
}
