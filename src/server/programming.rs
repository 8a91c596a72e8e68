//! Programmes and exceptions made, changed and ended by people: looked at before, saved whole, taken
//! back.
//!
//! **Nothing is saved over what somebody else changed**: an edit names what it started from, and the
//! files, the edit and its facts are one transaction that holds the revision of the station.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::access::Action;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, PersonId, ProgrammeId};
use crate::schedule::diff::{Change, Difference, diff};
use crate::schedule::edit::{Edit, NotEdited, Piece};
use crate::schedule::excerpt::plan_days;
use crate::schedule::file::Checked;
use crate::schedule::{DECISION_LEAD, Plan, Reason, Remark, Scope, Selection, World};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{EditRow, Fact};
use crate::time::{LocalDate, Timestamp};

/// What begins this soon after a change may be heard as it was where a speaker is out of touch.
pub const FREEZE: Duration = DECISION_LEAD;

/// Days that a preview plans: every weekday twice.
const DAYS: i64 = 14;

/// How often a save begins anew because something else at the station changed.
const TRIES: usize = 10;

/// What an edit changes, before it is made.
#[derive(Debug)]
pub struct Preview {
    /// The first day that was planned with and without it.
    pub from: LocalDate,
    /// The last one.
    pub to: LocalDate,
    /// The station as it becomes, with the controllers that it may touch.
    pub world: World,
    /// Airings that are not the same, by date and programme.
    pub differences: Vec<Difference>,
    /// What there is to say of the new plan that was not to be said of the old one.
    pub remarks: Vec<Remark>,
    /// How many differences begin so soon that a speaker out of touch may not learn of them.
    pub frozen: usize,
}

impl Station {
    /// What `edit` changes in the coming days; refuses what is wrong with it.
    pub async fn preview(&self, edit: &Edit, by: &PersonId) -> Result<Preview, ServerError> {
        let schedule = self.schedule().await?;
        edit.stands_on(&schedule)?;
        self.may_edit(edit, &schedule, by).await?;
        edit.files(&self.store.schedule_files().await?)?;
        let mut world = self.world().await?;
        unknown_bulletins(edit, &world)?;
        let touched = touched(edit, &world)?;
        world.controllers.retain(|controller| touched.contains(&controller.area));
        let now = utc_now();
        let today = world.zone.date(now);
        let from = first_day(edit)?.map_or(today, |first| first.max(today));
        let edit = edit.clone();
        let planned =
            move || Preview::of(&edit, world, (today, from, from.plus_days(DAYS - 1)), now);
        let done = tokio::task::spawn_blocking(planned).await;
        done.map_err(|error| ServerError::Task(error.to_string()))?
    }

    /// `by` makes the edit: files, facts and the edit itself in one transaction.
    pub async fn edit_schedule(
        &self,
        edit: &Edit,
        act: &str,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        self.keep_edit(edit, act, None, by).await
    }

    /// `by` takes their last edit back: an edit that restores what it changed.
    pub async fn undo_edit(&self, by: &PersonId) -> Result<(), ServerError> {
        let last = self.store.last_edit(by).await?.ok_or(NotEdited::Nothing)?;
        self.keep_edit(&last.edit.back(), "undo", Some(&last.id), by).await
    }

    async fn keep_edit(
        &self,
        edit: &Edit,
        act: &str,
        undone: Option<&str>,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        for _ in 0..TRIES {
            let revision = self.store.revision().await?;
            let files = self.store.schedule_files().await?;
            self.may_edit(edit, &self.schedule().await?, by).await?;
            let changed = edit.files(&files)?;
            let now = utc_now();
            let mut tx = self.store.begin().await?;
            if !tx.still_at(revision).await? {
                continue;
            }
            let who = format!("person:{by}");
            for (name, body) in &changed {
                tx.put_schedule_file(name, body).await?;
                let told = serde_json::json!({
                    "file": name, "sha256": Digest::of(body.as_bytes()),
                });
                tx.tell(&Fact::new(now, "schedule.imported", &*who, &told)).await?;
            }
            let fact = Fact::new(now, "schedule.edited", &*who, &told(edit, act, undone));
            tx.tell(&fact).await?;
            if let Some(id) = undone {
                tx.undo_edit(id, now).await?;
            }
            let (act, edit, by) = (act.to_owned(), edit.clone(), by.clone());
            tx.add_edit(&EditRow { id: fact.id, at: now, by, act, edit, undone: None }).await?;
            return Ok(tx.commit().await?);
        }
        Err(ServerError::Changed { what: "the station".to_owned() })
    }

    /// Refuses `by` unless their duty reaches everything that the edit is about, as it was and as
    /// it becomes.
    async fn may_edit(
        &self,
        edit: &Edit,
        schedule: &Checked,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let (_, duties) = self.person(by).await?;
        let pieces = [edit.pieces(false)?, edit.pieces(true)?].concat();
        for area in pieces.iter().flat_map(|piece| places(piece, schedule)) {
            duties.allow(by.as_str(), Action::Programme, &schedule.tree.chain(&area))?;
        }
        Ok(())
    }
}

/// The areas that somebody's duty must reach for this. What an exception does to a programme is done
/// to that programme's areas; one that names no programme is about all of them.
fn places(piece: &Piece, schedule: &Checked) -> Vec<AreaId> {
    let roots = || {
        let roots = schedule.tree.iter().filter(|area| area.parent.is_none());
        roots.map(|area| area.id.clone()).collect::<Vec<_>>()
    };
    match piece {
        Piece::Programme(programme) => programme.areas.clone(),
        Piece::Exception(exception) => {
            let Scope { programmes, columns, tags } = &exception.scope;
            if programmes.is_empty() || !columns.is_empty() || !tags.is_empty() {
                return roots();
            }
            let named = schedule.programmes.iter().filter(|held| programmes.contains(&held.id));
            let areas = named.flat_map(|held| held.areas.clone());
            areas.chain(exception.areas.clone()).collect()
        }
    }
}

fn told(edit: &Edit, act: &str, undone: Option<&str>) -> serde_json::Value {
    let digest = |text: &Option<String>| text.as_ref().map(|text| Digest::of(text.as_bytes()));
    let turn = |turn: &crate::schedule::edit::Turn| {
        serde_json::json!({
            "what": turn.what, "before": digest(&turn.before), "after": digest(&turn.after),
        })
    };
    let turns: Vec<_> = edit.turns().iter().map(turn).collect();
    match undone {
        Some(id) => serde_json::json!({ "act": act, "undone": id, "turns": turns }),
        None => serde_json::json!({ "act": act, "turns": turns }),
    }
}

/// Names every bulletin and column of the new things that nobody made.
fn unknown_bulletins(edit: &Edit, world: &World) -> Result<(), ServerError> {
    let known: BTreeSet<&BulletinId> = world.content.iter().map(|held| &held.bulletin).collect();
    let mut missing: Vec<String> = Vec::new();
    for piece in edit.pieces(true).map_err(NotEdited::from)? {
        let (selection, identification) = match &piece {
            Piece::Programme(programme) => {
                (Some(&programme.selection), programme.identification.as_ref())
            }
            Piece::Exception(exception) => match &exception.change {
                crate::schedule::Change::Replace(selection) => (Some(selection), None),
                crate::schedule::Change::Skip
                | crate::schedule::Change::Move(_)
                | crate::schedule::Change::ReplaceBy(_) => (None, None),
            },
        };
        let named = match selection {
            Some(Selection::Bulletins(named)) => named.iter().collect(),
            Some(Selection::Newest(_)) | None => Vec::new(),
        };
        let named = named.into_iter().chain(identification);
        missing.extend(named.filter(|id| !known.contains(id)).map(ToString::to_string));
    }
    let first = missing.first().and_then(|id| id.parse().ok());
    first.map_or(Ok(()), |id| Err(ServerError::NoBulletin(id)))
}

/// The areas whose controllers may hear something else.
fn touched(edit: &Edit, world: &World) -> Result<BTreeSet<AreaId>, ServerError> {
    let read = |after| edit.pieces(after).map_err(NotEdited::from);
    let pieces = [read(false)?, read(true)?].concat();
    if pieces.iter().any(|piece| piece.areas().is_empty()) {
        return Ok(world.controllers.iter().map(|held| held.area.clone()).collect());
    }
    let areas = pieces.iter().flat_map(Piece::areas);
    Ok(areas.flat_map(|area| world.tree.below(area)).collect())
}

/// The first day on which something of the edit comes, where all of it is bounded.
fn first_day(edit: &Edit) -> Result<Option<LocalDate>, ServerError> {
    let read = |after| edit.pieces(after).map_err(NotEdited::from);
    let first = |piece: &Piece| match piece {
        Piece::Programme(programme) => programme.recurrence.first_date(),
        Piece::Exception(exception) => Some(exception.from),
    };
    Ok([read(false)?, read(true)?].concat().iter().filter_map(first).min())
}

impl Preview {
    fn of(
        edit: &Edit,
        world: World,
        (today, from, to): (LocalDate, LocalDate, LocalDate),
        now: Timestamp,
    ) -> Result<Self, ServerError> {
        let planned = |world: &World| {
            let plan = plan_days(world, today.min(from), (from, to));
            plan.map_err(|error| ServerError::Task(error.to_string()))
        };
        let before = planned(&world)?;
        let mut world = world;
        edit.apply(&mut world).map_err(NotEdited::from)?;
        let after = planned(&world)?;
        // What has begun stays what it was.
        let mut differences = diff(&before, &after);
        differences.retain(|one| begins(&one.change).iter().any(|at| *at > now));
        let soon = |one: &&Difference| begins(&one.change).iter().any(|at| *at < now + FREEZE);
        let frozen = differences.iter().filter(soon).count();
        let remarks = new_remarks(edit, &before, after);
        Ok(Self { from, to, world, differences, remarks, frozen })
    }

    /// Stands for everything that the edit alters: whoever saves has seen just this.
    pub fn digest(&self) -> Digest {
        let Self { differences, remarks, .. } = self;
        Digest::of(format!("{differences:?} {remarks:?}").as_bytes())
    }

    /// Programmes that the edit does not name and that air otherwise all the same.
    pub fn others(&self, edit: &Edit) -> BTreeSet<ProgrammeId> {
        let own = named(edit);
        let all = self.differences.iter().map(|one| one.airing.programme.clone());
        all.filter(|id| !own.contains(id)).collect()
    }
}

/// When something begins, before and after.
fn begins(change: &Change) -> Vec<Timestamp> {
    match change {
        Change::Added { at, .. } | Change::Removed { at, .. } => vec![*at],
        Change::Altered { at, moved, .. } => std::iter::once(*at).chain(*moved).collect(),
    }
}

/// The programmes that the edit is about, by themselves or in an exception.
fn named(edit: &Edit) -> BTreeSet<ProgrammeId> {
    let pieces = [false, true].into_iter().filter_map(|after| edit.pieces(after).ok()).flatten();
    let programmes = |piece: Piece| match piece {
        Piece::Programme(programme) => vec![programme.id],
        Piece::Exception(exception) => exception.scope.programmes,
    };
    pieces.flat_map(programmes).collect()
}

/// What was not to be said before: of the edit's own programmes everything, of others only that they
/// do not take place.
fn new_remarks(edit: &Edit, before: &Plan, after: Plan) -> Vec<Remark> {
    let own = named(edit);
    let matters = |remark: &Remark| {
        let exception = matches!(
            remark.reason,
            Reason::Skipped { .. } | Reason::Moved { .. } | Reason::Replaced { .. }
        );
        !exception && (remark.reason.refuses() || own.contains(&remark.programme))
    };
    let key = |remark: &Remark| {
        let language = remark.language.as_ref().map(ToString::to_string);
        (remark.key.clone(), remark.programme.clone(), remark.bulletin.clone(), language)
    };
    let mut known: BTreeMap<_, Vec<&Reason>> = BTreeMap::new();
    for remark in before.remarks.iter().filter(|remark| matters(remark)) {
        known.entry(key(remark)).or_default().push(&remark.reason);
    }
    let is_new = |remark: &Remark| {
        !known.get(&key(remark)).is_some_and(|reasons| reasons.contains(&&remark.reason))
    };
    after.remarks.into_iter().filter(|remark| matters(remark) && is_new(remark)).collect()
}

#[cfg(test)]
mod tests;
