//! Schedule files compared with one another and with what the station has.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{At, Checked, Mention, Noun, ScheduleFile};
use crate::bulletin::{Column, Lists};
use crate::config::{Fault, Faults};
use crate::fleet::{AreaFault, AreaTree};
use crate::id::{AreaId, BulletinId, ProgrammeId, Tag};
use crate::lang::Names;

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
        lists: Lists::default(),
        tree,
        controllers: Vec::new(),
        policies: BTreeMap::new(),
        programmes: Vec::new(),
        exceptions: Vec::new(),
    };
    for file in files {
        add(&mut checked.lists, file.lists);
        checked.controllers.extend(file.controllers);
        checked.policies.extend(file.policies);
        checked.programmes.extend(file.programmes);
        checked.exceptions.extend(file.exceptions);
    }
    checked.controllers.sort();
    checked.programmes.sort_by(|a, b| a.id.cmp(&b.id));
    checked.exceptions.sort_by(|a, b| a.id.cmp(&b.id));
    checked
}

fn add(lists: &mut Lists, more: Lists) {
    lists.languages.extend(&more.languages);
    lists.columns.extend(more.columns);
    lists.topics.extend(more.topics);
    lists.campaigns.extend(more.campaigns);
}

impl Noun {
    fn word(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Column => "column",
            Self::Topic => "topic",
            Self::Campaign => "campaign",
            Self::Area => "area",
            Self::Controller => "controller",
            Self::Policy => "policy of",
            Self::Programme => "programme",
            Self::Exception => "exception",
            Self::AreaTag => "tag of areas",
            Self::ProgrammeTag => "tag of programmes",
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
    languages: Names,
    columns: BTreeSet<&'f Column>,
    programmes: BTreeSet<&'f ProgrammeId>,
    tags: BTreeSet<&'f (Noun, Tag)>,
    bulletins: Option<&'f BTreeSet<BulletinId>>,
}

impl<'f> Known<'f> {
    fn new(
        files: &'f [ScheduleFile],
        columns: &'f BTreeSet<Column>,
        bulletins: Option<&'f BTreeSet<BulletinId>>,
    ) -> Self {
        let areas = files.iter().flat_map(|file| &file.areas).map(|area| &area.id).collect();
        let mut languages = Names::default();
        for file in files {
            languages.extend(&file.lists.languages);
        }
        let own = files.iter().flat_map(|file| &file.lists.columns);
        let columns = columns.iter().chain(own).collect();
        let programmes = files.iter().flat_map(|file| &file.programmes);
        let programmes = programmes.map(|programme| &programme.id).collect();
        let tags = files.iter().flat_map(|file| &file.notes.carried).collect();
        Self { areas, languages, columns, programmes, tags, bulletins }
    }

    fn fault(&self, file: &ScheduleFile, mention: &At<Mention>) -> Option<Fault> {
        let sentence = match &mention.value {
            Mention::Area(area) if !self.areas.contains(area) => {
                format!("unknown area `{area}`; add an [[area]] of that id or mend the name")
            }
            Mention::Language(tag) if !self.languages.knows(tag) => {
                format!(
                    "unknown language `{tag}`; mend it, or add [[language]] with tag = \"{tag}\""
                )
            }
            Mention::Column(column) if !self.columns.contains(column) => {
                format!(
                    "unknown column `{column}`; mend it, or add [[column]] with name = \"{column}\""
                )
            }
            Mention::Bulletin(id) if self.bulletins.is_some_and(|known| !known.contains(id)) => {
                format!("unknown bulletin `{id}`; make it first or mend the name")
            }
            Mention::Programme(id) if !self.programmes.contains(id) => {
                format!("unknown programme `{id}`; add a [[programme]] of that id or mend the name")
            }
            Mention::Tag(noun, tag) if !self.tags.contains(&(*noun, tag.clone())) => {
                format!("no {} is `{tag}`; mend it, or add it to some `tags`", noun.word())
            }
            Mention::Area(_)
            | Mention::Language(_)
            | Mention::Column(_)
            | Mention::Bulletin(_)
            | Mention::Programme(_)
            | Mention::Tag(..) => return None,
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
        | AreaFault::AskedTwice { .. }
        | AreaFault::TooManySpeakers { .. }
        | AreaFault::SameCode { .. } => true,
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
