//! What the pages know of the whole station at one moment, read once for all who look.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::utc_now;
use crate::fleet::Controller;
use crate::id::{AreaId, ControllerId, ProgrammeId};
use crate::schedule::OpenDecision;
use crate::schedule::file::Checked;
use crate::server::{Condition, Health, ServerError};
use crate::store::{Device, Sounded, StatusRow};
use crate::time::{Timestamp, Uptime};
use crate::web::Site;

/// How old a look may be before it is made anew: hundreds of open pages share one.
const FRESH: Duration = Duration::from_secs(1);

/// How old a look may be that is taken while a newer one is being made.
const AGED: Duration = Duration::from_secs(5);

/// How old the last sensors' words may be: they come with receipts, and are asked of every outcome.
const SENSED_FRESH: Duration = Duration::from_mins(1);

/// The areas, the controllers, and how each said it was.
#[derive(Debug)]
pub(in crate::web) struct Town {
    pub(in crate::web) schedule: Arc<Checked>,
    /// The controllers of the schedule by id: a page of a province asks for each of thousands.
    controllers: Arc<BTreeMap<ControllerId, Controller>>,
    devices: Arc<BTreeMap<ControllerId, Device>>,
    revision: i64,
    conditions: BTreeMap<ControllerId, Condition>,
    sounded: Arc<BTreeMap<ControllerId, Sounded>>,
    sensed: Uptime,
    now: Timestamp,
    looked: Uptime,
}

/// How old the open orders of play may be while nothing changed: deadlines pass.
const ASKED_FRESH: Duration = Duration::from_mins(1);

/// The orders of play that wait for communes, as of a revision: finding them plans a week.
#[derive(Debug, Default)]
pub(in crate::web) struct Asked(tokio::sync::Mutex<Option<AsOf>>);

/// Of which revision, found when.
type AsOf = (i64, Uptime, Arc<Vec<OpenDecision>>);

/// The orders of play that wait for communes now.
pub(super) async fn asked(site: &Site, town: &Town) -> Result<Arc<Vec<OpenDecision>>, ServerError> {
    let mut held = site.asked.0.lock().await;
    let up = site.clock.now().up;
    if let Some((revision, at, open)) = held.as_ref()
        && *revision == town.revision
        && up.since(*at) < ASKED_FRESH
    {
        return Ok(Arc::clone(open));
    }
    let open = Arc::new(site.station.open_decisions().await?);
    *held = Some((town.revision, up, Arc::clone(&open)));
    Ok(open)
}

/// The newest look.
#[derive(Debug, Default)]
pub(in crate::web) struct Looked {
    /// Held for a moment only, so a plain lock serves.
    newest: Mutex<Newest>,
    /// Held by whoever looks.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Newest {
    town: Option<Arc<Town>>,
    /// How often somebody changed what it shows.
    changes: u64,
}

impl Newest {
    fn aged(&self, up: Uptime, limit: Duration) -> Option<Arc<Town>> {
        self.town.as_ref().filter(|town| up.since(town.looked) < limit).map(Arc::clone)
    }
}

impl Looked {
    /// Makes the next look a new one: somebody changed what it shows.
    pub(in crate::web) fn forget(&self) {
        let mut newest = self.newest();
        (newest.town, newest.changes) = (None, newest.changes + 1);
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        // What a thread that panicked left behind is whole at any moment.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the pages know now. While one page looks, the others take what is a little older rather than
/// wait for a look at a whole province.
pub(in crate::web) async fn town(site: &Site) -> Result<Arc<Town>, ServerError> {
    let up = site.clock.now().up;
    let newest = site.looked.newest().clone();
    if let Some(town) = newest.aged(up, FRESH) {
        return Ok(town);
    }
    let _turn = match (site.looked.looking.try_lock(), newest.aged(up, AGED)) {
        (Ok(turn), _) => turn,
        (Err(_), Some(town)) => return Ok(town),
        (Err(_), None) => site.looked.looking.lock().await,
    };
    loop {
        let Newest { town: before, changes } = site.looked.newest().clone();
        let up = site.clock.now().up;
        let town = match before {
            // Somebody else looked while this one waited.
            Some(town) if up.since(town.looked) < FRESH => return Ok(town),
            before => Arc::new(Town::look(site, before.as_deref(), up).await?),
        };
        let mut newest = site.looked.newest();
        // What was changed in the middle of the look may be missing in it.
        if newest.changes == changes {
            newest.town = Some(Arc::clone(&town));
            return Ok(town);
        }
    }
}

impl Town {
    async fn look(site: &Site, before: Option<&Self>, looked: Uptime) -> Result<Self, ServerError> {
        let store = &site.station.store;
        let revision = store.revision().await?;
        let held = before.filter(|before| before.revision == revision);
        let (schedule, controllers, devices) =
            if let Some(Self { schedule, controllers, devices, .. }) = held {
                (Arc::clone(schedule), Arc::clone(controllers), Arc::clone(devices))
            } else {
                let schedule = site.station.schedule().await?;
                let by_id = schedule.controllers.iter().map(|one| (one.id.clone(), one.clone()));
                let controllers = Arc::new(by_id.collect());
                (Arc::new(schedule), controllers, Arc::new(devices(site).await?))
            };
        let fresh = before.filter(|before| looked.since(before.sensed) < SENSED_FRESH);
        let (sounded, sensed) = match fresh {
            Some(before) => (Arc::clone(&before.sounded), before.sensed),
            None => (Arc::new(store.sounded().await?), looked),
        };
        let ids = schedule.controllers.iter().map(|controller| &controller.id);
        let judged = site.station.conditions_of(ids, &devices, &sounded).await?;
        let conditions = judged.into_iter().map(|one| (one.controller.clone(), one)).collect();
        let now = utc_now();
        Ok(Self {
            schedule,
            controllers,
            devices,
            revision,
            conditions,
            sounded,
            sensed,
            now,
            looked,
        })
    }

    /// The controllers in and below an area, by id.
    pub(in crate::web) fn controllers(&self, area: &AreaId) -> Vec<ControllerId> {
        let below = self.schedule.tree.below(area);
        let inside = |controller: &&Controller| below.contains(&controller.area);
        self.schedule.controllers.iter().filter(inside).map(|c| c.id.clone()).collect()
    }

    /// A controller as the schedule has it.
    pub(in crate::web) fn controller(&self, id: &ControllerId) -> Option<&Controller> {
        self.controllers.get(id)
    }

    /// How a controller is.
    pub(in crate::web) fn condition(&self, controller: &ControllerId) -> Option<&Condition> {
        self.conditions.get(controller)
    }

    /// How a controller said it was.
    fn status(&self, controller: &ControllerId) -> Option<&StatusRow> {
        self.condition(controller)?.status.as_ref()
    }

    /// How well a controller is.
    pub(in crate::web) fn health(&self, controller: &ControllerId) -> Health {
        self.condition(controller).map_or(Health::Bad, Condition::health)
    }

    /// Whether a controller was heard of lately.
    pub(in crate::web) fn reachable(&self, controller: &ControllerId) -> bool {
        self.status(controller).is_some_and(|row| !row.is_lost(self.now))
    }

    /// What a controller says it plays; nothing where it is lost.
    pub(in crate::web) fn playing(&self, controller: &ControllerId) -> Option<String> {
        let row = self.status(controller).filter(|row| !row.is_lost(self.now))?;
        row.status.playing.clone()
    }

    /// What people call a programme.
    pub(in crate::web) fn title(&self, programme: &ProgrammeId) -> String {
        let held = self.schedule.programmes.iter().find(|held| held.id == *programme);
        held.map_or_else(|| programme.to_string(), |held| held.title.clone())
    }

    /// What people call the place of a controller.
    pub(in crate::web) fn place(&self, controller: &ControllerId) -> String {
        let area = self.controller(controller).and_then(|held| self.schedule.tree.get(&held.area));
        area.map_or_else(|| controller.to_string(), |area| area.name.clone())
    }
}

async fn devices(site: &Site) -> Result<BTreeMap<ControllerId, Device>, ServerError> {
    let devices = site.station.store.devices().await?.into_iter();
    Ok(devices.map(|device| (device.controller.clone(), device)).collect())
}
