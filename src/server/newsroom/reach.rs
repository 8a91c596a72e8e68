//! Which controllers a withdrawal has not reached yet.
//!
//! A controller is reached once it says that it holds a manifest that names the recording as
//! withdrawn, and that it holds the recording no more. **A controller of which nothing was heard
//! counts as not reached.** Only those are looked at that were ever told to play the recording.

use std::time::Duration;

use serde::Serialize;

use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, ControllerId};
use crate::lang::LangTag;
use crate::note::Note;
use crate::protocol::{Descriptor, decode};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::StatusRow;
use crate::time::Timestamp;

/// How long before its withdrawal a recording may have been named: as long as bulletins hold.
const NAMED_BEFORE: Duration = Duration::from_hours(366 * 24);

/// A withdrawn recording and whom it did not reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// The recording.
    pub asset: Digest,
    /// Its language.
    pub language: LangTag,
    /// When it was withdrawn.
    pub withdrawn: Timestamp,
    /// How many controllers were ever told to play it.
    pub told: usize,
    /// Those that were not reached, worst first: never heard of, then longest silent.
    pub unreached: Vec<Unreached>,
}

/// A controller that a withdrawal did not reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// Which.
    pub controller: ControllerId,
    /// Where it stands, where the schedule says so.
    pub area: Option<AreaId>,
    /// When it was last heard of.
    pub seen: Option<Timestamp>,
    /// The manifest that it holds.
    pub holds: Option<u64>,
    /// The first manifest that names the recording as withdrawn; none where none is made yet.
    pub needs: Option<u64>,
    /// Whether it says that it still holds the recording.
    pub still_held: bool,
}

impl Station {
    /// Every withdrawn recording of a bulletin, and whom it did not reach.
    pub async fn withdrawal_reach(&self, bulletin: &BulletinId) -> Result<Vec<Reach>, ServerError> {
        self.bulletin(bulletin).await?;
        let statuses = self.store.statuses().await?;
        let controllers = self.schedule().await?.controllers;
        let revoked: Vec<ControllerId> = self
            .store
            .devices()
            .await?
            .into_iter()
            .filter(|device| device.revoked.is_some())
            .map(|device| device.controller)
            .collect();
        let mut reaches = Vec::new();
        for row in self.store.assets().await? {
            let Some(withdrawn) = row.withdrawn else { continue };
            let note = Note::parse(row.descriptor.as_bytes())?;
            let descriptor: Descriptor = decode(&self.config.net, note.text())?;
            if descriptor.bulletin != *bulletin {
                continue;
            }
            let told = self.store.told_to_play(row.digest, withdrawn - NAMED_BEFORE).await?;
            let needs = self.store.told_to_drop(row.digest, withdrawn).await?;
            let told: Vec<_> = told.into_iter().filter(|id| !revoked.contains(id)).collect();
            let look = |id: &ControllerId| {
                let area = controllers.iter().find(|c| c.id == *id).map(|c| c.area.clone());
                let status = statuses.iter().find(|row| row.status.controller == *id);
                unreached(id, area, status, needs.get(id).copied(), row.digest)
            };
            let mut unreached: Vec<Unreached> = told.iter().filter_map(look).collect();
            unreached.sort_by(|a, b| (a.seen, &a.controller).cmp(&(b.seen, &b.controller)));
            let (asset, language) = (row.digest, descriptor.language);
            reaches.push(Reach { asset, language, withdrawn, told: told.len(), unreached });
        }
        Ok(reaches)
    }
}

fn unreached(
    controller: &ControllerId,
    area: Option<AreaId>,
    status: Option<&StatusRow>,
    needs: Option<u64>,
    asset: Digest,
) -> Option<Unreached> {
    let holds = status.map(|row| row.status.manifest);
    let still_held = status.is_some_and(|row| row.status.withdrawn_held.contains(&asset));
    let has_it = matches!((holds, needs), (Some(holds), Some(needs)) if holds >= needs);
    if has_it && !still_held {
        return None;
    }
    let seen = status.map(|row| row.seen);
    Some(Unreached { controller: controller.clone(), area, seen, holds, needs, still_held })
}

impl Unreached {
    /// Why, and since when, in a sentence.
    pub fn sentence(&self) -> String {
        let seen = match self.seen {
            None => "was never heard of".to_owned(),
            Some(seen) => format!("last heard of {} ago", age(utc_now().since(seen))),
        };
        let why = match (self.needs, self.holds) {
            _ if self.still_held => "says that it still holds the recording".to_owned(),
            (None, _) => "no manifest tells it yet: is the server running?".to_owned(),
            (Some(needs), None | Some(0)) => format!("holds no manifest, needs {needs}"),
            (Some(needs), Some(holds)) => format!("holds manifest {holds}, needs {needs}"),
        };
        format!("{seen}; {why}")
    }
}

fn age(length: Duration) -> String {
    let minutes = length.as_secs() / 60;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset() -> Digest {
        Digest::of(b"x")
    }

    fn status(manifest: u64, held: &[Digest]) -> StatusRow {
        let text = serde_json::json!({
            "controller": "mu-ca-1", "state": "up", "boot": 1, "connection": 1, "at": 1,
            "software": "t", "trust": 1, "manifest": manifest, "assets_held": 0,
            "assets_named": 0, "withdrawn_held": held, "receipts_waiting": 0,
            "clock_trusted": true, "clock_offset_ms": 0, "storage_free_kib": 1,
            "volume_percent": 100,
        });
        StatusRow {
            seen: Timestamp::from_seconds(1),
            status: serde_json::from_value(text).unwrap(),
        }
    }

    fn is_reached(status: Option<&StatusRow>, needs: Option<u64>) -> bool {
        unreached(&"mu-ca-1".parse().unwrap(), None, status, needs, asset()).is_none()
    }

    #[test]
    fn a_controller_is_reached_once_it_holds_a_manifest_that_tells_it() {
        assert!(is_reached(Some(&status(9, &[])), Some(9)));
        assert!(is_reached(Some(&status(10, &[])), Some(9)));
        assert!(!is_reached(Some(&status(8, &[])), Some(9)));
    }

    #[test]
    fn one_that_was_never_heard_of_never_told_or_still_holds_it_is_not_reached() {
        assert!(!is_reached(None, Some(9)));
        assert!(!is_reached(Some(&status(9, &[])), None));
        assert!(!is_reached(Some(&status(9, &[asset()])), Some(9)));
    }
}
