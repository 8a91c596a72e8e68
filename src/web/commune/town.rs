//! What the pages know of the whole station at one moment, read once for all who look.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::utc_now;
use crate::fleet::Controller;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::schedule::file::Checked;
use crate::server::ServerError;
use crate::store::{Device, StatusRow};
use crate::time::{Timestamp, Uptime};
use crate::web::Site;
use crate::web::commune::speaker::{self, Health};

/// How old a look may be before it is made anew: hundreds of open pages share one.
const FRESH: Duration = Duration::from_secs(1);

/// The areas, the controllers, and how each said it was.
#[derive(Debug)]
pub(in crate::web) struct Town {
    pub(in crate::web) schedule: Arc<Checked>,
    revision: i64,
    statuses: BTreeMap<ControllerId, StatusRow>,
    devices: BTreeMap<ControllerId, Device>,
    now: Timestamp,
    looked: Uptime,
}

/// The newest look that is not too old.
#[derive(Debug, Default)]
pub(in crate::web) struct Looked(tokio::sync::Mutex<Option<Arc<Town>>>);

/// What the pages know now.
pub(in crate::web) async fn town(site: &Site) -> Result<Arc<Town>, ServerError> {
    let mut held = site.looked.0.lock().await;
    let up = site.clock.now().up;
    if let Some(town) = held.as_ref().filter(|town| up.since(town.looked) < FRESH) {
        return Ok(Arc::clone(town));
    }
    let town = Arc::new(Town::look(site, held.as_deref(), up).await?);
    *held = Some(Arc::clone(&town));
    Ok(town)
}

impl Town {
    async fn look(site: &Site, before: Option<&Self>, looked: Uptime) -> Result<Self, ServerError> {
        let store = &site.station.store;
        let revision = store.revision().await?;
        let schedule = match before.filter(|before| before.revision == revision) {
            Some(before) => Arc::clone(&before.schedule),
            None => Arc::new(site.station.schedule().await?),
        };
        let statuses = store.statuses().await?.into_iter();
        let devices = store.devices().await?.into_iter();
        Ok(Self {
            schedule,
            revision,
            statuses: statuses.map(|row| (row.status.controller.clone(), row)).collect(),
            devices: devices.map(|device| (device.controller.clone(), device)).collect(),
            now: utc_now(),
            looked,
        })
    }

    /// The controllers in and below an area, by id.
    pub(in crate::web) fn controllers(&self, area: &AreaId) -> Vec<ControllerId> {
        let below = self.schedule.tree.below(area);
        let inside = |controller: &&Controller| below.contains(&controller.area);
        self.schedule.controllers.iter().filter(inside).map(|c| c.id.clone()).collect()
    }

    /// How a controller said it was.
    pub(super) fn status(&self, controller: &ControllerId) -> Option<&StatusRow> {
        self.statuses.get(controller)
    }

    /// Its device, once it was provisioned.
    pub(super) fn device(&self, controller: &ControllerId) -> Option<&Device> {
        self.devices.get(controller)
    }

    /// How well a controller is.
    pub(in crate::web) fn health(&self, controller: &ControllerId) -> Health {
        speaker::judge(self.device(controller), self.status(controller), self.now).health()
    }

    /// Whether a controller was heard of lately.
    pub(in crate::web) fn reachable(&self, controller: &ControllerId) -> bool {
        self.statuses.get(controller).is_some_and(|row| !row.is_lost(self.now))
    }

    /// What a controller says it plays; nothing where it is lost.
    pub(super) fn playing(&self, controller: &ControllerId) -> Option<String> {
        let row = self.statuses.get(controller).filter(|row| !row.is_lost(self.now))?;
        row.status.playing.clone()
    }

    /// What people call a programme.
    pub(in crate::web) fn title(&self, programme: &ProgrammeId) -> String {
        let held = self.schedule.programmes.iter().find(|held| held.id == *programme);
        held.map_or_else(|| programme.to_string(), |held| held.title.clone())
    }

    /// What people call the place of a controller.
    pub(in crate::web) fn place(&self, controller: &ControllerId) -> String {
        let held = self.schedule.controllers.iter().find(|held| held.id == *controller);
        let area = held.and_then(|held| self.schedule.tree.get(&held.area));
        area.map_or_else(|| controller.to_string(), |area| area.name.clone())
    }
}
