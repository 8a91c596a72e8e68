//! The manifest: what one controller shall hold and play for the next days.
//!
//! A manifest is signed by the server's schedule key and numbered. **It can only narrow what may
//! sound**: every recording it names must also be covered by a descriptor that an approver signed,
//! and the controller's own quiet hours hold whatever it says. Its number is
//! max(previous + 1, unix seconds), so that a server restored from an old backup does not lock its
//! fleet out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audio::tone::Tone;
use crate::calendar::{AiringKey, AirtimePolicy};
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, ControllerId, ProgrammeId};
use crate::lang::LangTag;
use crate::time::{LocalDate, Timestamp, Zone};

/// How long a manifest may be valid (DESIGN invariant 1).
pub const VALID_MAX: Duration = Duration::from_hours(168);

/// Airings in a manifest at most: one every ten minutes for a week.
pub const AIRINGS_MAX: usize = 1_008;

/// Items in an airing at most: its receipt must fit one entry of the log.
pub const ITEMS_MAX: usize = 100;

/// Recordings to be held for emergencies at most: a dozen warnings in the languages of a village,
/// 2 MB each at worst.
pub const HOLD_MAX: usize = 64;

/// One recording in an airing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The language of the recording.
    pub language: LangTag,
    /// The recording.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
}

/// One airing as a controller is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestAiring {
    /// The programme.
    pub programme: ProgrammeId,
    /// The local date of its occurrence, whatever instant it was moved to.
    pub date: LocalDate,
    /// Which occurrence of that date, from 0.
    pub occurrence: u16,
    /// When it begins (UTC, µs).
    pub at: Timestamp,
    /// The last instant at which it may still begin (UTC, µs).
    pub latest: Timestamp,
    /// Whether the built-in chime opens and closes it.
    pub chime: bool,
    /// Silence between items in milliseconds.
    pub gap_ms: u32,
    /// The running order.
    pub items: Vec<Item>,
    /// How loud, 0 to 100, beside the volume of the device; left out where its policy names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_percent: Option<u8>,
}

impl ManifestAiring {
    /// The airing's identity at `controller`.
    pub fn key(&self, controller: &ControllerId) -> AiringKey {
        AiringKey {
            programme: self.programme.clone(),
            controller: controller.clone(),
            date: self.date,
            occurrence: self.occurrence,
        }
    }

    /// How long it sounds, chimes and gaps included.
    pub fn length(&self) -> Duration {
        let items = self.items.iter().fold(0_u64, |sum, item| sum.saturating_add(item.length_ms));
        let gaps = u64::from(self.gap_ms) * (self.items.len() as u64).saturating_sub(1);
        let chimes = if self.chime {
            Tone::Opening.duration().get() + Tone::Closing.duration().get()
        } else {
            0
        };
        Duration::from_millis(items.saturating_add(gaps).saturating_add(chimes))
    }
}

/// The airings of one manifest in order: those of which only the outcome is still wanted, then those
/// ahead. **One that was moved ahead is named where it is now, and once**: a controller refuses a
/// manifest that names an airing twice.
pub fn once_each(
    untold: impl IntoIterator<Item = ManifestAiring>,
    ahead: impl IntoIterator<Item = ManifestAiring>,
) -> Vec<ManifestAiring> {
    let identity =
        |airing: &ManifestAiring| (airing.programme.clone(), airing.date, airing.occurrence);
    let mut seen = std::collections::BTreeSet::new();
    let mut airings: Vec<ManifestAiring> = ahead.into_iter().collect();
    airings.extend(untold);
    airings.retain(|airing| seen.insert(identity(airing)));
    airings.sort_by_key(|airing| airing.at);
    airings.truncate(AIRINGS_MAX);
    airings
}

/// What one controller shall hold and play; `typ` is `manifest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// For whom.
    pub controller: ControllerId,
    /// Counts up; an older one is never taken.
    pub number: u64,
    /// When it was signed (UTC, µs).
    pub issued: Timestamp,
    /// Until when it may be played (UTC, µs); at most [`VALID_MAX`] after `issued`.
    pub valid_until: Timestamp,
    /// The areas above the controller and its own, root first.
    pub areas: Vec<AreaId>,
    /// The languages that the village asked for or accepts, best first.
    pub languages: Vec<LangTag>,
    /// The time zone of the policy's wall clock.
    pub zone: Zone,
    /// When routine airings may sound.
    pub policy: AirtimePolicy,
    /// The airings in order of `at`.
    pub airings: Vec<ManifestAiring>,
    /// Recordings that were withdrawn: never to be played again, to be deleted.
    pub withdrawn: Vec<Digest>,
    /// Recordings to be held though no airing names them: those of emergencies that may be raised.
    /// Left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<Digest>,
}

/// Why a manifest was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Meant for another controller.
    #[error("the manifest is for {found}, not for {expected}")]
    OtherController {
        /// Whose it is.
        found: ControllerId,
        /// Who read it.
        expected: ControllerId,
    },
    /// Not newer than the one held.
    #[error("manifest {offered} is not newer than manifest {held} that is held")]
    Rollback {
        /// The number held.
        held: u64,
        /// The number offered.
        offered: u64,
    },
    /// Valid for longer than allowed, or no longer valid.
    #[error("the manifest is valid until {until}, which is {why}")]
    Validity {
        /// Its end.
        until: Timestamp,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More airings or items than allowed.
    #[error("the manifest has more {0} than allowed")]
    TooMany(&'static str),
    /// Airings out of order or of the same identity.
    #[error("airing {0} of the manifest is out of order or named twice")]
    Disorder(AiringKey),
    /// An item in a language that the manifest's own profile does not name.
    #[error("airing {airing} has an item in {language}, which the village did not ask for")]
    Language {
        /// The airing.
        airing: AiringKey,
        /// The language.
        language: LangTag,
    },
}

impl Manifest {
    /// The number that follows `previous` at `now`.
    pub fn next_number(previous: Option<u64>, now: Timestamp) -> u64 {
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        previous.map_or(seconds, |previous| previous.saturating_add(1).max(seconds))
    }

    /// Whether `controller`, which holds manifest number `held`, may take this one at `now`.
    pub fn check(
        &self,
        controller: &ControllerId,
        held: Option<u64>,
        now: Option<Timestamp>,
    ) -> Result<(), ManifestError> {
        if self.controller != *controller {
            let (found, expected) = (self.controller.clone(), controller.clone());
            return Err(ManifestError::OtherController { found, expected });
        }
        if let Some(held) = held.filter(|held| self.number <= *held) {
            return Err(ManifestError::Rollback { held, offered: self.number });
        }
        self.check_validity(now)?;
        self.check_airings()
    }

    fn check_validity(&self, now: Option<Timestamp>) -> Result<(), ManifestError> {
        let until = self.valid_until;
        if until > self.issued + VALID_MAX {
            return Err(ManifestError::Validity { until, why: "more than 7 days after its issue" });
        }
        match now {
            Some(now) if until <= now => Err(ManifestError::Validity { until, why: "past" }),
            _ => Ok(()),
        }
    }

    fn check_airings(&self) -> Result<(), ManifestError> {
        if self.airings.len() > AIRINGS_MAX {
            return Err(ManifestError::TooMany("airings"));
        }
        if self.hold.len() > HOLD_MAX {
            return Err(ManifestError::TooMany("recordings to hold"));
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut before = Timestamp::from_micros(i64::MIN);
        for airing in &self.airings {
            let key = airing.key(&self.controller);
            if airing.at < before || airing.latest < airing.at || !seen.insert(key.clone()) {
                return Err(ManifestError::Disorder(key));
            }
            before = airing.at;
            self.check_items(airing, key)?;
        }
        Ok(())
    }

    fn check_items(&self, airing: &ManifestAiring, key: AiringKey) -> Result<(), ManifestError> {
        if airing.items.len() > ITEMS_MAX {
            return Err(ManifestError::TooMany("items in one airing"));
        }
        let foreign = airing.items.iter().find(|item| !self.languages.contains(&item.language));
        match foreign {
            Some(item) => {
                Err(ManifestError::Language { airing: key, language: item.language.clone() })
            }
            None => Ok(()),
        }
    }

    /// Every recording that it names, each once: what airs in the order of its airings, then what is
    /// held for emergencies.
    pub fn assets(&self) -> Vec<Digest> {
        let mut seen = std::collections::BTreeSet::new();
        let items = self.airings.iter().flat_map(|airing| &airing.items).map(|item| item.asset);
        items.chain(self.hold.iter().copied()).filter(|asset| seen.insert(*asset)).collect()
    }

    /// Whether it says the same as `other` but for its number and dates.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let plain = |manifest: &Self| Self {
            number: 0,
            issued: Timestamp::EPOCH,
            valid_until: Timestamp::EPOCH,
            ..manifest.clone()
        };
        plain(self) == plain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn airing(occurrence: u16, at: i64, language: &str) -> ManifestAiring {
        let item = Item {
            bulletin: "b".parse().unwrap(),
            language: language.parse().unwrap(),
            asset: Digest::of(language.as_bytes()),
            length_ms: 4_000,
        };
        ManifestAiring {
            programme: "sang".parse().unwrap(),
            date: "2026-11-22".parse().unwrap(),
            occurrence,
            at: Timestamp::from_seconds(at),
            latest: Timestamp::from_seconds(at + 300),
            chime: true,
            gap_ms: 500,
            volume_percent: None,
            items: vec![item],
        }
    }

    fn manifest(number: u64, airings: Vec<ManifestAiring>) -> Manifest {
        Manifest {
            controller: "mu-ca-1".parse().unwrap(),
            number,
            issued: Timestamp::from_seconds(1_000),
            valid_until: Timestamp::from_seconds(1_000) + VALID_MAX,
            areas: vec!["lai-chau".parse().unwrap()],
            languages: vec!["hni".parse().unwrap(), "vi".parse().unwrap()],
            zone: Zone::default(),
            policy: AirtimePolicy {
                windows: vec![],
                sessions_a_day_max: 4,
                minutes_a_session_max: 30,
                minutes_a_day_max: 60,
            },
            airings,
            withdrawn: vec![],
            hold: vec![],
        }
    }

    fn check(manifest: &Manifest, held: Option<u64>, now: i64) -> Result<(), ManifestError> {
        let me = "mu-ca-1".parse().unwrap();
        manifest.check(&me, held, Some(Timestamp::from_seconds(now)))
    }

    #[test]
    fn an_airing_that_was_moved_is_named_once_where_it_is_now() {
        let (missed, moved, other) =
            (airing(0, 100, "vi"), airing(0, 5_000, "vi"), airing(1, 2_000, "vi"));
        let named = once_each([missed], [moved.clone(), other.clone()]);
        assert_eq!(named, [other, moved]);
    }

    #[test]
    fn no_manifest_older_than_the_one_held_is_accepted() {
        let offered = manifest(7, vec![]);
        assert_eq!(check(&offered, Some(6), 1_000), Ok(()));
        for held in [7, 8] {
            assert_eq!(
                check(&offered, Some(held), 1_000),
                Err(ManifestError::Rollback { held, offered: 7 })
            );
        }
    }

    #[test]
    fn a_manifest_is_valid_for_seven_days_at_most() {
        let mut long = manifest(7, vec![]);
        assert!(check(&long, None, 1_000 + 7 * 86_400).is_err());
        long.valid_until = long.valid_until + Duration::from_micros(1);
        assert!(check(&long, None, 1_000).is_err());
    }

    #[test]
    fn an_item_in_a_language_that_nobody_asked_for_is_refused() {
        assert_eq!(check(&manifest(7, vec![airing(0, 1_000, "vi")]), None, 1_000), Ok(()));
        let foreign = manifest(7, vec![airing(0, 1_000, "ium")]);
        assert!(matches!(check(&foreign, None, 1_000), Err(ManifestError::Language { .. })));
    }

    #[test]
    fn an_airing_named_twice_or_out_of_order_is_refused() {
        let twice = manifest(7, vec![airing(0, 1_000, "vi"), airing(0, 2_000, "vi")]);
        assert!(matches!(check(&twice, None, 1_000), Err(ManifestError::Disorder(_))));
        let disorder = manifest(7, vec![airing(1, 2_000, "vi"), airing(0, 1_000, "vi")]);
        assert!(matches!(check(&disorder, None, 1_000), Err(ManifestError::Disorder(_))));
    }

    #[test]
    fn a_number_outgrows_a_backup_and_never_repeats() {
        let now = Timestamp::from_seconds(1_000);
        assert_eq!(Manifest::next_number(None, now), 1_000);
        assert_eq!(Manifest::next_number(Some(3), now), 1_000);
        assert_eq!(Manifest::next_number(Some(1_000), now), 1_001);
    }

    #[test]
    fn an_airing_is_as_long_as_its_chimes_its_items_and_the_gaps_between_them() {
        let chimes = Tone::Opening.duration().get() + Tone::Closing.duration().get();
        let length = airing(0, 0, "vi").length();
        assert_eq!(length, Duration::from_millis(chimes + 4_000));
    }
}
