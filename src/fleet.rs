//! Where sound is heard: the tree of areas, what each listens to, and the controllers in it.
//!
//! Province, commune and village are labels; how deep the tree is, is data. The label says one
//! thing only: whose operator decides ([`AreaTree::commune`]). **An
//! [`AreaTree`] that exists is sound: every parent is there and no area is its own ancestor.**
//! Who understands whom is never assumed: only what an area says for itself counts, or what the
//! nearest area above it says.

mod outline;
mod position;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use outline::{NotAnOutline, OUTLINE_BYTES_MAX, Outline};
pub use position::{NotAPosition, Position};

use crate::id::{AreaId, ControllerId, Tag};
use crate::lang::LangTag;

/// Areas above an area at most, itself included.
pub const DEPTH_MAX: usize = 16;

/// What an area is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Tỉnh.
    Province,
    /// Xã, phường.
    Commune,
    /// Thôn, bản.
    Village,
}

impl Level {
    /// Every label with the word that files and documents use.
    pub const ALL: [(&'static str, Self); 3] =
        [("province", Self::Province), ("commune", Self::Commune), ("village", Self::Village)];
}

/// A language that an area asks for, and what it accepts in its stead, best first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// The language asked for.
    pub language: LangTag,
    /// What the area says it understands too, where the language itself is missing.
    #[serde(default)]
    pub stand_ins: Vec<LangTag>,
    /// How many of a hundred people here speak it first, where somebody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// Speakers of a language among a hundred people, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Share(u8);

/// A number that is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no share of speakers; write 1 to 100 per cent, or leave it out")]
pub struct NotAShare(pub u8);

impl Share {
    /// So many per cent.
    pub fn percent(percent: u8) -> Result<Self, NotAShare> {
        if (1..=100).contains(&percent) { Ok(Self(percent)) } else { Err(NotAShare(percent)) }
    }

    /// The per cent.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Share {
    type Error = NotAShare;

    fn try_from(percent: u8) -> Result<Self, NotAShare> {
        Self::percent(percent)
    }
}

impl From<Share> for u8 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// A node of the area tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Area {
    /// Its name for machines.
    pub id: AreaId,
    /// Its name for people.
    pub name: String,
    /// Its label.
    pub level: Level,
    /// The area above it; none for a root.
    #[serde(default)]
    pub parent: Option<AreaId>,
    /// The code of the administration, where it has one.
    #[serde(default)]
    pub code: Option<String>,
    /// Codes that it, or what was merged into it, had before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_codes: Vec<String>,
    /// The languages it asks for, in order; empty where the area above speaks for it.
    #[serde(default)]
    pub listens: Vec<Wish>,
    /// What may be played where no language it asks for can be.
    #[serde(default)]
    pub fallback: Option<LangTag>,
    /// Labels by which programmes mean it and everything below it.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Where it lies, where somebody measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// A device in an area.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Controller {
    /// Its name.
    pub id: ControllerId,
    /// Where it stands.
    pub area: AreaId,
    /// The very point, where somebody measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// Something wrong with one area of a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaFault {
    /// Two areas of one name.
    #[error("area `{0}` is there twice; rename or remove one")]
    Duplicate(AreaId),
    /// A parent that is not in the tree.
    #[error("area `{area}` lies in `{parent}`, which is not there; add it or name another parent")]
    UnknownParent {
        /// The area.
        area: AreaId,
        /// The parent it names.
        parent: AreaId,
    },
    /// An area above itself.
    #[error("area `{0}` lies in itself by way of its parents; give one of them another parent")]
    Circle(AreaId),
    /// More areas above one another than [`DEPTH_MAX`].
    #[error("area `{0}` has more than {DEPTH_MAX} areas above it; remove some in between")]
    TooDeep(AreaId),
    /// A fallback where nothing is asked for.
    #[error("area `{0}` has a fallback but asks for no language; add what it listens to")]
    FallbackAlone(AreaId),
    /// A language that is asked for twice.
    #[error("area `{area}` asks for `{language}` twice; remove one")]
    AskedTwice {
        /// The area.
        area: AreaId,
        /// The language.
        language: LangTag,
    },
    /// More speakers than people.
    #[error("the shares of area `{area}` sum to {percent} %; mend them to 100 at most")]
    TooManySpeakers {
        /// The area.
        area: AreaId,
        /// Their sum.
        percent: u32,
    },
    /// One code for two areas.
    #[error(
        "area `{area}` has the code {code} of area `{other}`; mend one, or make it an old code"
    )]
    SameCode {
        /// The area.
        area: AreaId,
        /// The other.
        other: AreaId,
        /// Their code.
        code: String,
    },
}

impl AreaFault {
    /// The area that is wrong.
    pub fn area(&self) -> &AreaId {
        match self {
            Self::Duplicate(area)
            | Self::UnknownParent { area, .. }
            | Self::Circle(area)
            | Self::TooDeep(area)
            | Self::FallbackAlone(area)
            | Self::AskedTwice { area, .. }
            | Self::TooManySpeakers { area, .. }
            | Self::SameCode { area, .. } => area,
        }
    }
}

/// Everything wrong with a tree; one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaFaults(pub Vec<AreaFault>);

impl fmt::Display for AreaFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&sentences.join("\n"))
    }
}

impl std::error::Error for AreaFaults {}

/// The areas, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AreaTree {
    areas: BTreeMap<AreaId, Area>,
    children: BTreeMap<AreaId, Vec<AreaId>>,
}

impl AreaTree {
    /// Builds the tree, or names everything that is wrong with it.
    pub fn new(areas: impl IntoIterator<Item = Area>) -> Result<Self, AreaFaults> {
        let mut tree = Self::default();
        let mut faults = Vec::new();
        let mut codes: BTreeMap<&str, &AreaId> = BTreeMap::new();
        for area in areas {
            let id = area.id.clone();
            if tree.areas.insert(id.clone(), area).is_some() {
                faults.push(AreaFault::Duplicate(id));
            }
        }
        for area in tree.areas.values() {
            faults.extend(tree.place_fault(area));
            faults.extend(profile_faults(area));
            if let Some(code) = &area.code
                && let Some(other) = codes.insert(code, &area.id)
            {
                let (area, other) = (area.id.clone(), other.clone());
                faults.push(AreaFault::SameCode { area, other, code: code.clone() });
            }
            if let Some(parent) = &area.parent {
                tree.children.entry(parent.clone()).or_default().push(area.id.clone());
            }
        }
        if faults.is_empty() { Ok(tree) } else { Err(AreaFaults(faults)) }
    }

    fn place_fault(&self, area: &Area) -> Option<AreaFault> {
        let parent = area.parent.as_ref()?;
        if !self.areas.contains_key(parent) {
            return Some(AreaFault::UnknownParent {
                area: area.id.clone(),
                parent: parent.clone(),
            });
        }
        let mut seen = BTreeSet::new();
        for up in self.ancestors(area).skip(1).take(DEPTH_MAX) {
            if up.id == area.id {
                return Some(AreaFault::Circle(area.id.clone()));
            }
            if !seen.insert(&up.id) {
                // Hangs below a circle, whose own areas are named.
                return None;
            }
        }
        (seen.len() == DEPTH_MAX).then(|| AreaFault::TooDeep(area.id.clone()))
    }

    /// The area and everything above it, nearest first. Endless in a tree with a circle.
    fn ancestors<'t>(&'t self, area: &'t Area) -> impl Iterator<Item = &'t Area> {
        std::iter::successors(Some(area), |area| self.areas.get(area.parent.as_ref()?))
    }

    /// The area of that name.
    pub fn get(&self, area: &AreaId) -> Option<&Area> {
        self.areas.get(area)
    }

    /// Every area, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Area> {
        self.areas.values()
    }

    /// The areas that have this code of the administration, or had it before a merger.
    pub fn of_code(&self, code: &str) -> impl Iterator<Item = &Area> {
        self.iter().filter(move |area| {
            area.code.as_deref() == Some(code) || area.old_codes.iter().any(|old| old == code)
        })
    }

    /// From the root to `area` itself; empty for an area that is not there.
    pub fn chain(&self, area: &AreaId) -> Vec<AreaId> {
        let mut chain: Vec<AreaId> = self.upward(area).map(|area| area.id.clone()).collect();
        chain.reverse();
        chain
    }

    /// `area` itself and everything above it, nearest first.
    pub fn upward(&self, area: &AreaId) -> impl Iterator<Item = &Area> {
        self.areas.get(area).into_iter().flat_map(|area| self.ancestors(area))
    }

    /// `area` itself and everything below it, each parent before its children.
    pub fn below(&self, area: &AreaId) -> Vec<AreaId> {
        let mut found: Vec<AreaId> =
            self.areas.get(area).map(|a| a.id.clone()).into_iter().collect();
        let mut next = 0;
        while let Some(parent) = found.get(next) {
            let children = self.children.get(parent).cloned().unwrap_or_default();
            found.extend(children);
            next += 1;
        }
        found
    }

    /// The nearest area, `area` itself first, that says what it listens to. Its list and its
    /// fallback are one profile: a list never meets the fallback of another area.
    pub fn profile(&self, area: &AreaId) -> Option<&Area> {
        self.upward(area).find(|area| !area.listens.is_empty())
    }

    /// The commune that `area` lies in; `area` itself where nothing above it is called one.
    pub fn commune<'t>(&'t self, area: &'t AreaId) -> &'t AreaId {
        let commune = self.upward(area).find(|area| area.level == Level::Commune);
        commune.map_or(area, |commune| &commune.id)
    }

    /// The tags of `area`: its own and those of everything above it.
    pub fn tags(&self, area: &AreaId) -> BTreeSet<&Tag> {
        self.upward(area).flat_map(|area| &area.tags).collect()
    }
}

fn profile_faults(area: &Area) -> Vec<AreaFault> {
    let mut faults = Vec::new();
    if area.fallback.is_some() && area.listens.is_empty() {
        faults.push(AreaFault::FallbackAlone(area.id.clone()));
    }
    let mut asked = BTreeSet::new();
    let percent: u32 = area.listens.iter().filter_map(|w| w.share).map(|s| u32::from(s.0)).sum();
    if percent > 100 {
        faults.push(AreaFault::TooManySpeakers { area: area.id.clone(), percent });
    }
    for Wish { language, .. } in &area.listens {
        if !asked.insert(language) {
            let (area, language) = (area.id.clone(), language.clone());
            faults.push(AreaFault::AskedTwice { area, language });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn area(id: &str, parent: &str) -> Area {
        Area {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            level: Level::Village,
            parent: parent.parse().ok(),
            code: None,
            old_codes: Vec::new(),
            listens: Vec::new(),
            fallback: None,
            tags: Vec::new(),
            position: None,
        }
    }

    fn speaks(mut area: Area, language: &str) -> Area {
        let language = language.parse().unwrap();
        area.listens.push(Wish { language, stand_ins: Vec::new(), share: None });
        area
    }

    fn id(text: &str) -> AreaId {
        text.parse().unwrap()
    }

    fn names(areas: &[AreaId]) -> Vec<&str> {
        areas.iter().map(AreaId::as_str).collect()
    }

    #[test]
    fn a_chain_leads_from_the_root_and_below_leads_down() {
        let areas = [area("ban", "xa"), area("tinh", ""), area("xa", "tinh"), area("lang", "xa")];
        let tree = AreaTree::new(areas).unwrap();
        assert_eq!(names(&tree.chain(&id("ban"))), ["tinh", "xa", "ban"]);
        assert_eq!(names(&tree.below(&id("tinh"))), ["tinh", "xa", "ban", "lang"]);
        assert!(tree.chain(&id("khac")).is_empty());
    }

    #[test]
    fn every_fault_of_a_tree_is_named_at_once() {
        let areas = [area("a", "b"), area("b", "a"), area("c", "x"), area("d", ""), area("d", "")];
        let faults = AreaTree::new(areas).unwrap_err();
        assert_eq!(
            faults.0,
            [
                AreaFault::Duplicate(id("d")),
                AreaFault::Circle(id("a")),
                AreaFault::Circle(id("b")),
                AreaFault::UnknownParent { area: id("c"), parent: id("x") },
            ]
        );
    }

    #[test]
    fn an_area_below_a_circle_is_not_blamed_for_it() {
        let faults = AreaTree::new([area("a", "a"), area("b", "a")]).unwrap_err();
        assert_eq!(faults.0, [AreaFault::Circle(id("a"))]);
    }

    proptest! {
        #[test]
        fn in_every_tree_that_is_accepted_every_area_has_a_root(
            parents in proptest::collection::vec(0_usize..40, 1..40),
            root in any::<proptest::sample::Index>(),
        ) {
            let root = root.index(parents.len());
            let areas = parents.iter().enumerate().map(|(i, parent)| {
                let parent = if i == root { String::new() } else { format!("a{parent}") };
                area(&format!("a{i}"), &parent)
            });
            if let Ok(tree) = AreaTree::new(areas) {
                let root = id(&format!("a{root}"));
                prop_assert!(tree.iter().all(|area| tree.chain(&area.id)[0] == root));
                prop_assert_eq!(tree.below(&root).len(), parents.len());
            }
        }
    }

    #[test]
    fn a_circle_longer_than_a_tree_is_deep_is_refused() {
        let circle = (0..40).map(|i| area(&format!("a{i}"), &format!("a{}", (i + 1) % 40)));
        assert_eq!(AreaTree::new(circle).unwrap_err().0.len(), 40);
    }

    #[test]
    fn a_tree_that_is_too_deep_is_refused() {
        let chain = (1..=DEPTH_MAX).map(|i| area(&format!("a{i}"), &format!("a{}", i - 1)));
        let areas: Vec<Area> = chain.chain([area("a0", "")]).collect();
        let deepest = format!("a{DEPTH_MAX}").parse().unwrap();
        assert_eq!(AreaTree::new(areas).unwrap_err().0, [AreaFault::TooDeep(deepest)]);
    }

    #[test]
    fn a_village_without_a_profile_takes_the_nearest_above_it() {
        let areas =
            [speaks(area("tinh", ""), "vi"), speaks(area("xa", "tinh"), "hni"), area("ban", "xa")];
        let tree = AreaTree::new(areas).unwrap();
        assert_eq!(tree.profile(&id("ban")).unwrap().id, id("xa"));
        assert_eq!(AreaTree::new([area("a", "")]).unwrap().profile(&id("a")), None);
    }

    #[test]
    fn a_village_carries_the_tags_of_everything_above_it() {
        let mut commune = area("xa", "tinh");
        commune.tags = vec!["bien-gioi".parse().unwrap()];
        let mut village = area("ban", "xa");
        village.tags = vec!["bien-gioi".parse().unwrap(), "vung-sau".parse().unwrap()];
        let tree = AreaTree::new([area("tinh", ""), commune, village]).unwrap();
        let tags = |id: &AreaId| tree.tags(id).into_iter().map(Tag::to_string).collect::<Vec<_>>();
        assert_eq!(tags(&id("ban")), ["bien-gioi", "vung-sau"]);
        assert_eq!(tags(&id("xa")), ["bien-gioi"]);
        assert!(tags(&id("tinh")).is_empty());
    }

    #[test]
    fn a_place_without_a_commune_decides_for_itself() {
        let mut commune = area("xa", "tinh");
        commune.level = Level::Commune;
        let tree =
            AreaTree::new([area("tinh", ""), commune, area("ban", "xa"), area("le", "tinh")]);
        let tree = tree.unwrap();
        assert_eq!(tree.commune(&id("ban")), &id("xa"));
        assert_eq!(tree.commune(&id("le")), &id("le"));
    }

    #[test]
    fn a_fallback_alone_and_a_wish_made_twice_are_faults() {
        let mut alone = area("a", "");
        alone.fallback = "vi".parse().ok();
        let twice = speaks(speaks(area("b", ""), "vi"), "vi");
        let faults = AreaTree::new([alone, twice]).unwrap_err();
        assert_eq!(faults.0.len(), 2, "{faults}");
    }

    #[test]
    fn an_area_is_found_by_its_code_and_by_those_it_had_before_a_merger() {
        let mut merged = area("mu-ca", "");
        merged.code = Some("03451".to_owned());
        merged.old_codes = vec!["03454".to_owned(), "03457".to_owned()];
        let tree = AreaTree::new([merged, area("ban", "mu-ca")]).unwrap();
        for code in ["03451", "03454", "03457"] {
            let found: Vec<&str> = tree.of_code(code).map(|area| area.id.as_str()).collect();
            assert_eq!(found, ["mu-ca"], "{code}");
        }
        assert_eq!(tree.of_code("99999").count(), 0);
    }

    #[test]
    fn two_areas_of_one_code_and_more_speakers_than_people_are_faults() {
        let coded = |id: &str| Area { code: Some("03451".to_owned()), ..area(id, "") };
        let mut crowded = speaks(speaks(area("c", ""), "hni"), "vi");
        for (wish, percent) in crowded.listens.iter_mut().zip([60, 41]) {
            wish.share = Some(Share::percent(percent).unwrap());
        }
        let faults = AreaTree::new([coded("a"), coded("b"), crowded]).unwrap_err().to_string();
        assert!(faults.contains("`b` has the code 03451 of area `a`"), "{faults}");
        assert!(faults.contains("sum to 101 %"), "{faults}");
    }

    #[test]
    fn a_share_is_1_to_100_per_cent() {
        assert!(Share::percent(0).is_err() && Share::percent(101).is_err());
        assert_eq!(Share::percent(100).map(Share::get), Ok(100));
        assert!(serde_json::from_str::<Share>("0").is_err());
    }
}
