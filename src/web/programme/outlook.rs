//! What is planned, looked at once for all who ask: finding it plans a week.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::calendar::AiringKey;
use crate::clock::utc_now;
use crate::id::{AreaId, ProgrammeId};
use crate::schedule::excerpt::plan_days;
use crate::schedule::{Plan, Reason, World};
use crate::server::ServerError;
use crate::time::{LocalDate, Timestamp, Uptime};
use crate::web::Site;

/// How old a look may be while the station changes.
const FRESH: Duration = Duration::from_secs(5);

/// Weeks of areas that are kept at most.
const KEPT_MAX: usize = 32;

/// Reasons of one slot that are told at most.
const WHY_MAX: usize = 4;

/// One programme at one time of one day, wherever it is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web) struct Slot {
    pub(in crate::web) programme: ProgrammeId,
    pub(in crate::web) date: LocalDate,
    pub(in crate::web) occurrence: u16,
    /// The first and the last moment of it.
    pub(in crate::web) at: Timestamp,
    pub(in crate::web) ends: Timestamp,
    /// Speakers that air it, and those that do not.
    pub(in crate::web) speakers: usize,
    pub(in crate::web) refused: usize,
    /// Why those do not.
    pub(in crate::web) why: Vec<Reason>,
    /// The exception that moved, filled or skipped it.
    pub(in crate::web) exception: Option<String>,
}

/// What is planned, as of a revision.
#[derive(Debug)]
pub(in crate::web) struct Outlook {
    revision: i64,
    today: LocalDate,
    made: Uptime,
    world: Arc<World>,
    /// Today's and tomorrow's, by time.
    pub(in crate::web) near: Vec<Slot>,
    /// When those sound in each area that has loudspeakers of its own.
    spans: BTreeMap<AreaId, Vec<Span>>,
    weeks: tokio::sync::Mutex<BTreeMap<Week, Arc<Vec<Slot>>>>,
}

/// When one of the near slots sounds in one area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Its place among them.
    slot: usize,
    at: Timestamp,
    ends: Timestamp,
}

/// A Monday and an area.
type Week = (LocalDate, Option<AreaId>);

/// The newest look.
#[derive(Debug, Default)]
pub(in crate::web) struct Looked(tokio::sync::Mutex<Option<Arc<Outlook>>>);

impl Looked {
    /// The newest look, if there is one and nobody makes one just now.
    pub(in crate::web) fn held(&self) -> Option<Arc<Outlook>> {
        self.0.try_lock().ok()?.as_ref().map(Arc::clone)
    }

    /// Makes the next look a new one: somebody changed what it shows.
    pub(in crate::web) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// What is planned now.
pub(in crate::web) async fn outlook(site: &Site) -> Result<Arc<Outlook>, ServerError> {
    let mut held = site.outlook.0.lock().await;
    let (revision, up) = (site.station.store.revision().await?, site.clock.now().up);
    let today = site.station.config.zone.date(utc_now());
    if let Some(outlook) = held.as_ref()
        && outlook.today == today
        && (outlook.revision == revision || up.since(outlook.made) < FRESH)
    {
        return Ok(Arc::clone(outlook));
    }
    let world = Arc::new(site.station.world().await?);
    let days = (today, today.plus_days(1));
    let (near, spans) = planned(Arc::clone(&world), None, today, days, |world, plan| {
        let near = slots(world, plan);
        let spans = spans(world, plan, &near);
        (near, spans)
    })
    .await?;
    let weeks = tokio::sync::Mutex::default();
    let outlook = Arc::new(Outlook { revision, today, made: up, world, near, spans, weeks });
    *held = Some(Arc::clone(&outlook));
    Ok(outlook)
}

impl Outlook {
    /// What it was made of.
    pub(in crate::web) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Today's and tomorrow's that sound in some areas or below them, by time, each as it sounds
    /// there: elsewhere the same programme may be at another time.
    pub(in crate::web) fn near_in(&self, places: &[AreaId]) -> Vec<Slot> {
        let below: BTreeSet<AreaId> =
            places.iter().flat_map(|place| self.world.tree.below(place)).collect();
        let mut here: BTreeMap<usize, (Timestamp, Timestamp)> = BTreeMap::new();
        for span in below.iter().filter_map(|area| self.spans.get(area)).flatten() {
            let held = here.entry(span.slot).or_insert((span.at, span.ends));
            *held = (held.0.min(span.at), held.1.max(span.ends));
        }
        let slot = |(n, (at, ends)): (usize, _)| Slot { at, ends, ..self.near[n].clone() };
        let mut slots: Vec<Slot> = here.into_iter().map(slot).collect();
        slots.sort_by_key(|slot| slot.at);
        slots
    }

    /// What is planned from today on in the week that begins on `monday`, in an area.
    pub(in crate::web) async fn week(
        &self,
        monday: LocalDate,
        area: Option<&AreaId>,
    ) -> Result<Arc<Vec<Slot>>, ServerError> {
        let mut weeks = self.weeks.lock().await;
        let key = (monday, area.cloned());
        if let Some(slots) = weeks.get(&key) {
            return Ok(Arc::clone(slots));
        }
        let days = (monday.max(self.today), monday.plus_days(6));
        let slots = if days.0 > days.1 {
            Vec::new()
        } else {
            planned(Arc::clone(&self.world), area.cloned(), self.today, days, slots).await?
        };
        let slots = Arc::new(slots);
        if weeks.len() >= KEPT_MAX {
            weeks.clear();
        }
        weeks.insert(key, Arc::clone(&slots));
        Ok(slots)
    }
}

/// Plans apart from those who wait for answers, and reads the plan there.
async fn planned<T: Send + 'static>(
    world: Arc<World>,
    area: Option<AreaId>,
    today: LocalDate,
    days: (LocalDate, LocalDate),
    read: impl FnOnce(&World, &Plan) -> T + Send + 'static,
) -> Result<T, ServerError> {
    let work = move || {
        let narrowed;
        let world = match area {
            Some(area) => {
                let below: BTreeSet<AreaId> = world.tree.below(&area).into_iter().collect();
                let mut here = World::clone(&world);
                here.controllers.retain(|controller| below.contains(&controller.area));
                narrowed = here;
                &narrowed
            }
            None => &*world,
        };
        plan_days(world, today.min(days.0), days).map(|plan| read(world, &plan))
    };
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| ServerError::Task(error.to_string()))?;
    done.map_err(|error| ServerError::Task(error.to_string()))
}

/// The plan by programme and time, in order of time.
fn slots(world: &World, plan: &Plan) -> Vec<Slot> {
    let mut slots: BTreeMap<(LocalDate, ProgrammeId, u16), Slot> = BTreeMap::new();
    for airing in &plan.airings {
        let slot = slots
            .entry(key(&airing.key))
            .or_insert_with(|| Slot { ends: airing.ends, ..empty(&airing.key, airing.at) });
        slot.at = slot.at.min(airing.at);
        slot.ends = slot.ends.max(airing.ends);
        slot.speakers += 1;
    }
    for remark in &plan.remarks {
        let Some(about) = &remark.key else { continue };
        let time = || {
            let held = world.programmes.iter().find(|held| held.id == about.programme)?;
            let times = held.recurrence.occurrences(world.zone, about.date);
            times.iter().find(|(n, _)| *n == about.occurrence).map(|(_, at)| *at)
        };
        let slot = match slots.entry(key(about)) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                let Some(at) = time() else { continue };
                place.insert(empty(about, at))
            }
        };
        slot.note(&remark.reason);
    }
    let mut slots: Vec<Slot> = slots.into_values().collect();
    slots.sort_by(|a, b| {
        (a.at, &a.programme, a.occurrence).cmp(&(b.at, &b.programme, b.occurrence))
    });
    slots
}

/// When the slots of this plan sound in each area.
fn spans(world: &World, plan: &Plan, slots: &[Slot]) -> BTreeMap<AreaId, Vec<Span>> {
    let named = |slot: &Slot| (slot.date, slot.programme.clone(), slot.occurrence);
    let numbers: BTreeMap<_, usize> = slots.iter().map(named).zip(0..).collect();
    let places: BTreeMap<_, _> =
        world.controllers.iter().map(|held| (&held.id, &held.area)).collect();
    let mut all: BTreeMap<AreaId, Vec<Span>> = BTreeMap::new();
    for airing in &plan.airings {
        let place = places.get(&airing.key.controller);
        let (Some(area), Some(slot)) = (place, numbers.get(&key(&airing.key))) else { continue };
        let span = Span { slot: *slot, at: airing.at, ends: airing.ends };
        if !all.contains_key(*area) {
            all.insert(AreaId::clone(area), Vec::new());
        }
        let own = all.get_mut(*area).expect("it was put there");
        // Loudspeakers of one village nearly always sound together.
        if !own.contains(&span) {
            own.push(span);
        }
    }
    all
}

fn key(key: &AiringKey) -> (LocalDate, ProgrammeId, u16) {
    (key.date, key.programme.clone(), key.occurrence)
}

fn empty(key: &AiringKey, at: Timestamp) -> Slot {
    Slot {
        programme: key.programme.clone(),
        date: key.date,
        occurrence: key.occurrence,
        at,
        ends: at,
        speakers: 0,
        refused: 0,
        why: Vec::new(),
        exception: None,
    }
}

impl Slot {
    fn note(&mut self, reason: &Reason) {
        if reason.refuses() {
            self.refused += 1;
        }
        if let Reason::Skipped { name, .. }
        | Reason::Moved { name, .. }
        | Reason::Replaced { name, .. } = reason
        {
            self.exception = Some(name.clone());
        } else if reason.refuses() && self.why.len() < WHY_MAX && !self.why.contains(reason) {
            self.why.push(reason.clone());
        }
    }
}
