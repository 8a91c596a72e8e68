//! Rosters: areas, villages and controllers from the spreadsheets of an administration.
//!
//! A roster is read beside what the station has, and either all of it fits or every fault is named
//! with its file and line and nothing is taken over. **What a sheet does not say stays as it is**:
//! a missing column or an empty cell changes nothing, `-` empties a value, and a row that is not
//! there removes nothing. So the same sheets twice change nothing the second time.
//!
//! Communes were merged in 2025: a `parent` may be an id, the code of today, or one of before.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Fault, Faults};
use crate::fleet::{Area, AreaFault, AreaTree, Controller};
use crate::id::{AreaId, ControllerId};
use crate::lang::Names;
use crate::schedule::file::Checked;

mod files;
mod row;
mod sheet;

pub use files::NotMerged;

use row::{AreaRow, ControllerRow, Said};
use sheet::Cells;

/// Bytes of a sheet at most; a province of 5,000 villages takes half a MiB.
pub const SHEET_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Rows of a sheet at most.
pub const ROWS_MAX: usize = 50_000;

/// What a sheet lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Areas of any level.
    Areas,
    /// Villages: areas whose level need not be said.
    Villages,
    /// Controllers.
    Controllers,
}

/// One sheet as it was handed in: comma, semicolon or tab between cells, in UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// What it lists.
    pub subject: Subject,
    /// What it is called in sentences.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// One change that a roster makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Change {
    /// `area` or `controller`.
    pub noun: &'static str,
    /// Its id.
    pub id: String,
    /// Whether it is new.
    pub new: bool,
    /// What becomes of it.
    pub what: String,
}

/// What the station has once the sheets are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    areas: BTreeMap<AreaId, Area>,
    controllers: BTreeMap<ControllerId, Controller>,
    touched: Touched,
    changes: Vec<Change>,
}

/// What is new or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Touched {
    areas: BTreeSet<AreaId>,
    controllers: BTreeSet<ControllerId>,
}

/// Where a row stands, for sentences about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    file: String,
    line: usize,
}

impl Origin {
    fn fault(&self, sentence: impl Into<String>) -> Fault {
        Fault { file: self.file.clone(), line: self.line, sentence: sentence.into() }
    }
}

impl Roster {
    /// Reads `sheets` beside what is held.
    pub fn read(sheets: &[Sheet<'_>], held: &Checked) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let (mut areas, mut controllers) = (Vec::new(), Vec::new());
        for sheet in sheets {
            let cells = sheet::read(sheet, &mut faults);
            let names = &held.lists.languages;
            match sheet.subject {
                Subject::Areas | Subject::Villages => {
                    areas.extend(area_rows(sheet, &cells, names, &mut faults));
                }
                Subject::Controllers => controllers
                    .extend(cells.iter().filter_map(|row| ControllerRow::read(row, &mut faults))),
            }
        }
        twice(areas.iter().map(|row| (row.id.as_str(), &row.origin)), &mut faults);
        twice(controllers.iter().map(|row| (row.id.as_str(), &row.origin)), &mut faults);
        let merged = merge_areas(held, &areas, &mut faults);
        let fleet = merge_controllers(held, &controllers, &merged, &mut faults);
        let tree = AreaTree::new(merged.values().cloned());
        if let Err(wrong) = &tree {
            faults.extend(wrong.0.iter().map(|fault| tree_fault(fault, &areas)));
        }
        Faults(faults).or(())?;
        Ok(Self::compared(held, merged, fleet))
    }

    /// Sets what is to be beside what is held.
    fn compared(
        held: &Checked,
        areas: BTreeMap<AreaId, Area>,
        controllers: BTreeMap<ControllerId, Controller>,
    ) -> Self {
        let (mut touched, mut changes) = (Touched::default(), Vec::new());
        for area in areas.values() {
            let before = held.tree.get(&area.id);
            if before == Some(area) {
                continue;
            }
            touched.areas.insert(area.id.clone());
            let what = before.map_or_else(|| row::new_area(area), |b| row::difference(b, area));
            let (id, new) = (area.id.to_string(), before.is_none());
            changes.push(Change { noun: "area", id, new, what });
        }
        for controller in controllers.values() {
            let before = held.controllers.iter().find(|before| before.id == controller.id);
            if before == Some(controller) {
                continue;
            }
            touched.controllers.insert(controller.id.clone());
            let what = match before {
                Some(before) => format!("area {} → {}", before.area, controller.area),
                None => format!("in {}", controller.area),
            };
            let (id, new) = (controller.id.to_string(), before.is_none());
            changes.push(Change { noun: "controller", id, new, what });
        }
        Self { areas, controllers, touched, changes }
    }

    /// What changes, by noun and id.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

fn area_rows(
    sheet: &Sheet<'_>,
    cells: &[Cells],
    names: &Names,
    faults: &mut Vec<Fault>,
) -> Vec<AreaRow> {
    let village = sheet.subject == Subject::Villages;
    cells.iter().filter_map(|row| AreaRow::read(row, village, names, faults)).collect()
}

fn twice<'r>(rows: impl Iterator<Item = (&'r str, &'r Origin)>, faults: &mut Vec<Fault>) {
    let mut first: BTreeMap<&str, &Origin> = BTreeMap::new();
    for (id, origin) in rows {
        match first.get(id) {
            Some(before) => {
                let sentence =
                    format!("`{id}` is in {}:{} already; remove one", before.file, before.line);
                faults.push(origin.fault(sentence));
            }
            None => drop(first.insert(id, origin)),
        }
    }
}

fn merge_areas(
    held: &Checked,
    rows: &[AreaRow],
    faults: &mut Vec<Fault>,
) -> BTreeMap<AreaId, Area> {
    let mut areas: BTreeMap<AreaId, Area> =
        held.tree.iter().map(|area| (area.id.clone(), area.clone())).collect();
    for row in rows {
        match areas.get_mut(&row.id) {
            Some(area) => row.apply(area),
            None => {
                if let Some(area) = row.build(faults) {
                    areas.insert(row.id.clone(), area);
                }
            }
        }
    }
    // Parents last: a sheet may name them by the codes that it brings itself.
    let codes = Codes::of(&areas);
    for row in rows {
        let found = match &row.parent {
            Said::Nothing => continue,
            Said::Empty => Ok(None),
            Said::Value(text) => codes.find(text).map(Some),
        };
        match (found, areas.get_mut(&row.id)) {
            (Ok(parent), Some(area)) => area.parent = parent,
            (Err(sentence), _) => faults.push(row.origin.fault(sentence)),
            (Ok(_), None) => {}
        }
    }
    areas
}

fn merge_controllers(
    held: &Checked,
    rows: &[ControllerRow],
    areas: &BTreeMap<AreaId, Area>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<ControllerId, Controller> {
    let known = held.controllers.iter();
    let mut fleet: BTreeMap<ControllerId, Controller> =
        known.map(|controller| (controller.id.clone(), controller.clone())).collect();
    let codes = Codes::of(areas);
    for row in rows {
        match (codes.find(&row.area), fleet.get_mut(&row.id)) {
            (Ok(area), Some(controller)) => controller.area = area,
            (Ok(area), None) => {
                let id = row.id.clone();
                fleet.insert(id.clone(), Controller { id, area, position: None });
            }
            (Err(sentence), _) => faults.push(row.origin.fault(sentence)),
        }
    }
    fleet
}

/// Areas by id, by code and by the codes of before.
struct Codes {
    ids: BTreeSet<AreaId>,
    now: BTreeMap<String, AreaId>,
    before: BTreeMap<String, BTreeSet<AreaId>>,
}

impl Codes {
    fn of(areas: &BTreeMap<AreaId, Area>) -> Self {
        let (mut now, mut before) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<_>>::new());
        for area in areas.values() {
            now.extend(area.code.iter().map(|code| (code.clone(), area.id.clone())));
            for code in &area.old_codes {
                before.entry(code.clone()).or_default().insert(area.id.clone());
            }
        }
        Self { ids: areas.keys().cloned().collect(), now, before }
    }

    /// The area that `text` names: by id, else by its code, else by a code of before.
    fn find(&self, text: &str) -> Result<AreaId, String> {
        if let Some(id) = text.parse().ok().filter(|id| self.ids.contains(id)) {
            return Ok(id);
        }
        if let Some(id) = self.now.get(text) {
            return Ok(id.clone());
        }
        let old: Vec<&AreaId> = self.before.get(text).into_iter().flatten().collect();
        match old.as_slice() {
            [only] => Ok((*only).clone()),
            [] => Err(format!("no area has the id or code `{text}`; add it, or mend this cell")),
            several => {
                let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                Err(format!("`{text}` is an old code of {}; write one's id", names.join(" and ")))
            }
        }
    }
}

/// A fault of the tree at the row that brings it.
fn tree_fault(fault: &AreaFault, rows: &[AreaRow]) -> Fault {
    let row = rows.iter().find(|row| row.id == *fault.area());
    let nowhere = Origin { file: "areas that the station has".to_owned(), line: 1 };
    row.map_or(&nowhere, |row| &row.origin).fault(fault.to_string())
}

#[cfg(test)]
mod tests;
