//! Schedule files compared with one another and with what the station has.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{At, Checked, Mention, Noun, ScheduleFile};
use crate::bulletin::Column;
use crate::config::{Fault, Faults};
use crate::fleet::{AreaFault, AreaTree};
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;

/// Puts `files` together, or names everything that does not fit. Bulletins are checked where the
/// station's are given.
pub fn check(
    files: Vec<ScheduleFile>,
    columns: &BTreeSet<Column>,
    bulletins: Option<&BTreeSet<BulletinId>>,
) -> Result<Checked, Faults> {
    let mut faults = duplicates(&files);
    let known = Known::new(&files, columns, bulletins);
    for file in &files {
        faults.extend(file.notes.mentions.iter().filter_map(|mention| known.fault(file, mention)));
    }
    let areas = files.iter().flat_map(|file| file.areas.iter().cloned());
    let tree = AreaTree::new(areas);
    let tree = tree.map_err(|wrong| faults.extend(tree_faults(&files, &wrong.0)));
    let tree = Faults(faults).or(tree)?.expect("a tree that is wrong has its faults");
    Ok(together(files, tree))
}

fn together(files: Vec<ScheduleFile>, tree: AreaTree) -> Checked {
    let mut checked = Checked {
        languages: Vec::new(),
        tree,
        controllers: Vec::new(),
        policies: BTreeMap::new(),
        programmes: Vec::new(),
    };
    for file in files {
        checked.languages.extend(file.languages);
        checked.controllers.extend(file.controllers);
        checked.policies.extend(file.policies);
        checked.programmes.extend(file.programmes);
    }
    checked.languages.sort();
    checked.controllers.sort();
    checked.programmes.sort_by(|a, b| a.id.cmp(&b.id));
    checked
}

impl Noun {
    fn word(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Area => "area",
            Self::Controller => "controller",
            Self::Policy => "policy of",
            Self::Programme => "programme",
        }
    }
}

fn duplicates(files: &[ScheduleFile]) -> Vec<Fault> {
    let mut first: BTreeMap<(Noun, &str), (&str, usize)> = BTreeMap::new();
    let mut faults = Vec::new();
    for file in files {
        for At { line, value: (noun, id) } in &file.notes.definitions {
            match first.entry((*noun, id)) {
                Entry::Vacant(place) => {
                    place.insert((&file.name, *line));
                }
                Entry::Occupied(place) => {
                    let (word, (other, before)) = (noun.word(), place.get());
                    let sentence =
                        format!("{word} `{id}` is in {other}:{before} already; remove one");
                    faults.push(Fault { file: file.name.clone(), line: *line, sentence });
                }
            }
        }
    }
    faults
}

/// What mentions may mean.
struct Known<'f> {
    areas: BTreeSet<&'f AreaId>,
    languages: BTreeSet<&'f LangTag>,
    columns: &'f BTreeSet<Column>,
    bulletins: Option<&'f BTreeSet<BulletinId>>,
}

impl<'f> Known<'f> {
    fn new(
        files: &'f [ScheduleFile],
        columns: &'f BTreeSet<Column>,
        bulletins: Option<&'f BTreeSet<BulletinId>>,
    ) -> Self {
        let areas = files.iter().flat_map(|file| &file.areas).map(|area| &area.id).collect();
        let languages = files.iter().flat_map(|file| &file.languages).collect();
        Self { areas, languages, columns, bulletins }
    }

    fn fault(&self, file: &ScheduleFile, mention: &At<Mention>) -> Option<Fault> {
        let sentence = match &mention.value {
            Mention::Area(area) if !self.areas.contains(area) => {
                format!("unknown area `{area}`; add an [[area]] of that id or mend the name")
            }
            Mention::Language(tag) if !tag.is_known() && !self.languages.contains(tag) => {
                format!(
                    "unknown language `{tag}`; mend it, or add [[language]] with tag = \"{tag}\""
                )
            }
            Mention::Column(column) if !self.columns.contains(column) => {
                format!("unknown column `{column}`; mend it, or add the column to the station")
            }
            Mention::Bulletin(id) if self.bulletins.is_some_and(|known| !known.contains(id)) => {
                format!("unknown bulletin `{id}`; make it first or mend the name")
            }
            Mention::Area(_) | Mention::Language(_) | Mention::Column(_) | Mention::Bulletin(_) => {
                return None;
            }
        };
        Some(Fault { file: file.name.clone(), line: mention.line, sentence })
    }
}

/// The faults of the tree where its areas are defined, less what was said already.
fn tree_faults(files: &[ScheduleFile], wrong: &[AreaFault]) -> Vec<Fault> {
    let new = wrong.iter().filter(|fault| match fault {
        AreaFault::Duplicate(_) | AreaFault::UnknownParent { .. } => false,
        AreaFault::Circle(_)
        | AreaFault::TooDeep(_)
        | AreaFault::FallbackAlone(_)
        | AreaFault::AskedTwice { .. } => true,
    });
    new.filter_map(|fault| {
        let (file, line) = definition(files, fault.area())?;
        Some(Fault { file, line, sentence: fault.to_string() })
    })
    .collect()
}

fn definition(files: &[ScheduleFile], area: &AreaId) -> Option<(String, usize)> {
    files.iter().find_map(|file| {
        let mut definitions = file.notes.definitions.iter();
        let found =
            definitions.find(|at| at.value.0 == Noun::Area && at.value.1 == area.as_str())?;
        Some((file.name.clone(), found.line))
    })
}
