//! What officials ask: what was planned, delivered, played and heard, where, when, in which
//! language, and why not.
//!
//! An airing is **delivered** where its controller's own receipt says that it held schedule and
//! recordings when it was due; **played** where it ran to its end; **heard** where a sensor of the
//! controller says so. Nothing is taken from what the server sent.

mod absent;
mod aired;
mod moments;
mod silence;

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::AreaTree;
use crate::id::{AreaId, BulletinId, ControllerId};
use crate::manifest::Item;
use crate::receipt::ItemReceipt;
use crate::report::figures::{Counted, Slot};
use crate::report::gap::GapLine;
use crate::report::logbook::{self, Broadcast};
use crate::report::{Fate, Figures, Gaps, Logbook, Told};
use crate::schedule::file::Checked;
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{BroadcastOutcome, BroadcastRow};
use crate::time::{LocalDate, Timestamp};

pub use aired::{Aired, AiredPage, NotAPlace, Only, Place};
pub use moments::Moments;
pub(super) use moments::moments;
pub(super) use silence::Silences;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The first local date.
    pub from: LocalDate,
    /// The last local date.
    pub until: LocalDate,
    /// The area, with everything below it; everywhere where none is named.
    pub area: Option<AreaId>,
    /// One bulletin alone.
    pub bulletin: Option<BulletinId>,
}

/// What came of an inquiry.
#[derive(Debug)]
pub struct Inquired {
    /// The figures.
    pub figures: Figures,
    /// The gaps.
    pub gaps: Gaps,
}

/// Where controllers stand, of those that an inquiry is about.
pub(super) struct Places {
    areas: BTreeMap<ControllerId, AreaId>,
    /// The areas asked about; everywhere where none were named.
    within: Option<BTreeSet<AreaId>>,
}

impl Places {
    pub(super) fn new(schedule: &Checked, inquiry: &Inquiry) -> Result<Self, ServerError> {
        let within = match &inquiry.area {
            Some(area) if schedule.tree.get(area).is_none() => {
                return Err(ServerError::NoArea(area.clone()));
            }
            Some(area) => Some(schedule.tree.below(area).into_iter().collect()),
            None => None,
        };
        let areas = schedule.controllers.iter().map(|c| (c.id.clone(), c.area.clone())).collect();
        Ok(Self { areas, within })
    }

    /// Where a controller stands, if it is still in a schedule file.
    pub(super) fn area(&self, controller: &ControllerId) -> Option<&AreaId> {
        self.areas.get(controller)
    }

    /// Whether the inquiry is about a controller.
    pub(super) fn hold(&self, controller: &ControllerId) -> bool {
        self.within
            .as_ref()
            .is_none_or(|within| self.area(controller).is_some_and(|area| within.contains(area)))
    }
}

impl Station {
    /// Figures and gaps; `progress` is told how many of a thousand parts are done.
    pub async fn inquire(
        &self,
        inquiry: &Inquiry,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Inquired, ServerError> {
        let schedule = self.schedule().await?;
        let bulletins = self.store.bulletins().await?;
        let places = Places::new(&schedule, inquiry)?;
        let mut figures = Figures::new(schedule.tree, bulletins, inquiry.from);
        let mut gaps = Gaps::default();
        let (mut order, mut each) = (Vec::new(), Vec::new());
        self.each_told(inquiry, &places, progress, |row, told, because| {
            let controller =
                figures.controller(&row.key.controller, places.area(&row.key.controller));
            let programme = figures.programme(&row.key.programme);
            let slot = |item: &Item| Slot {
                version: figures.version(&item.bulletin, &item.language),
                length_ms: u32::try_from(item.length_ms).unwrap_or(u32::MAX),
            };
            order.clear();
            order.extend(row.items.iter().map(slot));
            each.clear();
            each.extend(row.items.iter().map(|item| told_of(item, row.outcome.as_ref(), told)));
            let whole = told.fate == Fate::Completed;
            let date = row.key.date;
            let each = (!whole).then_some(each.as_slice());
            figures.count(Counted { controller, programme, date, order: &order, told, each });
            gaps.note(told.fate, &because.cause, || gap_line(&row, because));
        })
        .await?;
        Ok(Inquired { figures, gaps })
    }

    /// The names of the areas and controllers that an inquiry is about.
    pub async fn within(&self, inquiry: &Inquiry) -> Result<BTreeSet<String>, ServerError> {
        let places = Places::new(&self.schedule().await?, inquiry)?;
        let controllers = places.areas.keys().filter(|controller| places.hold(controller));
        let areas = places.within.iter().flatten().map(ToString::to_string);
        Ok(controllers.map(ToString::to_string).chain(areas).collect())
    }

    /// The log book.
    pub(super) async fn logbook(
        &self,
        inquiry: &Inquiry,
        places: &Places,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Logbook, ServerError> {
        let mut book = Logbook::default();
        self.each_told(inquiry, places, progress, |row, told, because| {
            let order = row.items.iter().map(|i| (i.bulletin.clone(), i.language.clone()));
            let broadcast = Broadcast {
                at: row.at,
                programme: row.key.programme.clone(),
                order: order.collect(),
            };
            let length_ms = row.items.iter().map(|item| item.length_ms).sum();
            let Because { cause, entry, .. } = because;
            book.note(broadcast, logbook::Share { told, cause, length_ms, entry: *entry });
        })
        .await?;
        Ok(book)
    }

    /// Hands every airing that the inquiry is about to `each`, with its fate and why.
    pub(super) async fn each_told(
        &self,
        inquiry: &Inquiry,
        places: &Places,
        mut progress: impl FnMut(u64) + Send,
        mut each: impl FnMut(BroadcastRow, Told, &Because) + Send,
    ) -> Result<(), ServerError> {
        let zone = self.config.zone;
        let (from, until) =
            (zone.midnight(inquiry.from), zone.midnight(inquiry.until.plus_days(1)));
        let now = crate::clock::utc_now();
        let silences = Silences::of(self.store.device_turns().await?);
        let all = (until.micros() - from.micros()).max(1);
        let mut absent = absent::Absent::of(self, inquiry, places, now).await?;
        let planned = |absent: &mut absent::Absent, at, each: &mut dyn FnMut(_, _, &_)| {
            for row in absent.before(at) {
                let because = absent.because(&row);
                each(row, NOBODY, &because);
            }
        };
        let read = |row: BroadcastRow| {
            if let Some(absent) = &mut absent {
                planned(absent, Some(row.at), &mut each);
                absent.named(&row);
            }
            let done = i128::from(row.at.micros() - from.micros()) * 1_000 / i128::from(all);
            progress(u64::try_from(done).unwrap_or(0));
            if !places.hold(&row.key.controller) {
                return;
            }
            let told = told(&row, now);
            let because = because(&row, told.fate, &silences);
            each(row, told, &because);
        };
        let about = inquiry.bulletin.as_ref();
        self.store.each_broadcast((from, until), about, read).await?;
        if let Some(absent) = &mut absent {
            planned(absent, None, &mut each);
        }
        Ok(())
    }
}

/// What becomes of an airing where no device was ever set up: nobody will swear to it.
const NOBODY: Told = Told { fate: Fate::Awaited, held: false, sensed: false };

/// Why an airing is as it is, and where in the log that stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Because {
    /// The cause; empty where it ran to its end, or nothing is known yet.
    pub(super) cause: String,
    /// When what happened to its device did.
    pub(super) at: Option<Timestamp>,
    /// The entry: of its receipt, or of what happened to its device.
    pub(super) entry: Option<u64>,
}

/// Causes that say that the controller did not hold what it was to play.
const NOT_HELD: [&str; 3] = ["missing", "refused", "expired"];

/// What became of an airing.
fn told(row: &BroadcastRow, now: Timestamp) -> Told {
    let Some(outcome) = &row.outcome else {
        let fate = match (row.dropped, row.at > now) {
            (true, _) => Fate::Dropped,
            (false, true) => Fate::Planned,
            (false, false) => Fate::Awaited,
        };
        return Told { fate, held: false, sensed: false };
    };
    let fate = Fate::of_outcome(&outcome.outcome).unwrap_or(Fate::Failed);
    let held = !NOT_HELD.contains(&outcome.cause.as_str());
    Told { fate, held, sensed: matches!(outcome.evidence.as_str(), "measured" | "heard") }
}

/// What became of one item: what its receipt says, and of one that it does not name, nothing
/// better than of the airing.
pub(super) fn told_of(item: &Item, outcome: Option<&BroadcastOutcome>, airing: Told) -> Told {
    let receipts = outcome.map_or(&[][..], |outcome| &outcome.items);
    let of =
        |receipt: &&ItemReceipt| receipt.asset == item.asset && receipt.language == item.language;
    match receipts.iter().find(of) {
        Some(receipt) => {
            let fate = Fate::of_outcome(receipt.outcome.as_str()).unwrap_or(airing.fate);
            Told { fate, ..airing }
        }
        None => airing,
    }
}

/// What a receipt says of its airing, or what happened to the device that could have sworn one.
fn because(row: &BroadcastRow, fate: Fate, silences: &Silences) -> Because {
    let silence = || silences.why(&row.key.controller, row.at);
    match &row.outcome {
        Some(told) => {
            Because { cause: told.cause.clone(), entry: told.position, ..Because::default() }
        }
        None if fate == Fate::Awaited => silence().unwrap_or_default(),
        None => Because::default(),
    }
}

fn gap_line(row: &BroadcastRow, because: &Because) -> GapLine {
    GapLine { airing: row.key.clone(), at: row.at, entry: because.entry }
}

/// The commune of a controller's area, by name.
pub(super) fn commune_name(tree: &AreaTree, area: &AreaId) -> String {
    let commune = tree.commune(area);
    tree.get(commune).map_or_else(|| commune.to_string(), |area| area.name.clone())
}
