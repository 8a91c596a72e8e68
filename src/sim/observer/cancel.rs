//! What two officers took back is let go by every controller that is told so: promise 4.

use std::time::Duration;

use crate::id::EmergencyId;
use crate::sim::observer::{CLOCK_ERROR, Observer, View};
use crate::sim::site::Site;
use crate::sim::station::Station;
use crate::trust::Role;

impl Observer {
    /// The emergency that a site has to let go when this note is handed to it. None where it may rightly
    /// refuse: it knows no time, does not know where it stands (its manifest rotted, or the key of it was
    /// revoked), stands elsewhere, or no longer counts on the keys of those officers.
    pub(in crate::sim) fn taken_back(
        &self,
        nth: usize,
        site: &Site,
        payload: &[u8],
        now: Duration,
        station: &Station,
    ) -> Option<EmergencyId> {
        let view = View { nth, site, now, station };
        let watched = &self.sites[nth];
        let mut cancels = station.raised.values().filter_map(|raised| raised.cancel.as_ref());
        let cancel = cancels.find(|cancel| cancel.alarm.note.as_bytes() == payload)?;
        let held = site.flash.manifest() == Some(&watched.newest_note);
        let (manifest, _) = watched.manifest.as_ref().filter(|_| held)?;
        let issuer = station.issuer(&watched.newest_note)?;
        let here = manifest.areas.iter().any(|area| cancel.alarm.areas.contains(area));
        let fresh = view.utc() + CLOCK_ERROR < cancel.alarm.expires;
        let granted = |key| self.is_granted(&view, Role::Emergency, key);
        let counts =
            self.is_granted(&view, Role::Schedule, issuer) && cancel.officers.iter().all(granted);
        let must = here && fresh && counts && watched.trusted.is_some();
        must.then(|| cancel.alarm.id.clone())
    }

    /// It was handed in, and the process still runs.
    pub(in crate::sim) fn lets_go(
        &mut self,
        nth: usize,
        site: &Site,
        id: &EmergencyId,
        now: Duration,
        station: &Station,
    ) {
        let view = View { nth, site, now, station };
        let over = self.sites[nth].over.contains(id);
        self.expect(&view, 4, over, || format!("{id} was taken back and is held on"));
    }
}
