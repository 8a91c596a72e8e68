//! Why of some airings no receipt will ever come: the device that could swear to them was revoked,
//! exchanged, not enrolled yet, or never set up. The log has the day of it.

use std::collections::BTreeMap;

use crate::id::ControllerId;
use crate::server::inquiry::Because;
use crate::store::DeviceTurn;
use crate::time::Timestamp;

/// When which device of a controller counted, oldest first.
#[derive(Debug)]
pub(in crate::server) struct Silences(BTreeMap<ControllerId, Vec<DeviceTurn>>);

impl Silences {
    /// Sorts what happened to devices; a device that was enrolled a second time is the same one.
    pub(in crate::server) fn of(turns: Vec<DeviceTurn>) -> Self {
        let mut all: BTreeMap<ControllerId, Vec<DeviceTurn>> = BTreeMap::new();
        for turn in turns {
            let own = all.entry(turn.controller.clone()).or_default();
            if own.last().is_none_or(|last| last.key != turn.key) {
                own.push(turn);
            }
        }
        Self(all)
    }

    /// Since when the device counts that does now.
    pub(in crate::server) fn since(&self, controller: &ControllerId) -> Option<Timestamp> {
        let last = self.0.get(controller)?.last()?;
        last.key.is_some().then_some(last.at)
    }

    /// Why no receipt can come of what a controller was to begin at `at`; `None` where one still may.
    pub(in crate::server) fn why(
        &self,
        controller: &ControllerId,
        at: Timestamp,
    ) -> Option<Because> {
        let turns = self.0.get(controller).map_or(&[][..], Vec::as_slice);
        let next = turns.partition_point(|turn| turn.at <= at);
        let held = next.checked_sub(1).map(|last| &turns[last]);
        let (cause, turn) = match (held, turns.get(next)) {
            (None, None) => ("never-set-up", None),
            (None, first) => ("unenrolled", first),
            (Some(DeviceTurn { key: None, .. }), _) => ("revoked", held),
            (Some(_), next @ Some(DeviceTurn { key: None, .. })) => ("revoked", next),
            (Some(_), next @ Some(_)) => ("exchanged", next),
            (Some(_), None) => return None,
        };
        Some(Because {
            cause: cause.to_owned(),
            at: turn.map(|turn| turn.at),
            entry: turn.and_then(|turn| turn.position),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Signer;

    fn turn(at: i64, key: Option<u8>) -> DeviceTurn {
        let name = "x/device/mu-ca-1".parse().unwrap();
        let key = key.map(|seed| Signer::from_seed(name, &[seed; 32]).public());
        let position = u64::try_from(at).ok();
        DeviceTurn {
            controller: "mu-ca-1".parse().unwrap(),
            at: Timestamp::from_seconds(at),
            key,
            position,
        }
    }

    fn told(turns: &[(i64, Option<u8>)], at: i64) -> Option<(String, Option<u64>)> {
        let silences = Silences::of(turns.iter().map(|(at, key)| turn(*at, *key)).collect());
        let because = silences.why(&"mu-ca-1".parse().unwrap(), Timestamp::from_seconds(at));
        because.map(|because| (because.cause, because.entry))
    }

    #[test]
    fn an_airing_without_a_receipt_is_explained_by_what_became_of_its_device() {
        let life = [(10, Some(1)), (20, None), (30, Some(2)), (40, Some(2)), (50, Some(3))];
        let why = |at| told(&life, at);
        assert_eq!(why(5), Some(("unenrolled".to_owned(), Some(10))));
        assert_eq!(why(15), Some(("revoked".to_owned(), Some(20))), "it never told before the end");
        assert_eq!(why(25), Some(("revoked".to_owned(), Some(20))));
        assert_eq!(why(35), Some(("exchanged".to_owned(), Some(50))), "enrolled twice, one device");
        assert_eq!(why(55), None, "this one may still tell");
        assert_eq!(told(&[], 5), Some(("never-set-up".to_owned(), None)));
    }

    #[test]
    fn a_device_counts_from_its_first_enrolment_until_it_is_revoked() {
        let id = "mu-ca-1".parse().unwrap();
        let since = |life: &[(i64, Option<u8>)]| {
            Silences::of(life.iter().map(|(at, key)| turn(*at, *key)).collect()).since(&id)
        };
        assert_eq!(since(&[(10, Some(1)), (20, Some(1))]), Some(Timestamp::from_seconds(10)));
        assert_eq!(since(&[(10, Some(1)), (20, Some(2))]), Some(Timestamp::from_seconds(20)));
        assert_eq!(since(&[(10, Some(1)), (20, None)]), None);
    }
}
