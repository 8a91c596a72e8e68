//! Villages that listen to the same, taken together: what is heard where a language is missing.

use std::collections::BTreeMap;

use crate::fleet::{AreaTree, Level, Wish};
use crate::lang::LangTag;
use crate::schedule::Airable;
use crate::time::Timestamp;

/// What the villages of a station ask for, each profile once.
#[derive(Debug, Clone, Default)]
pub struct Listeners(Vec<Group>);

#[derive(Debug, Clone)]
struct Group {
    wishes: Vec<Wish>,
    fallback: Option<LangTag>,
    villages: u32,
}

/// What villages hear of a bulletin that they do not hear in their first language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// No village asks for it first.
    NotAsked,
    /// Most of them hear this.
    Heard(LangTag),
    /// Most of them hear nothing.
    Nothing,
}

impl Listeners {
    /// The villages of `tree`.
    pub fn of(tree: &AreaTree) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let villages = tree.iter().filter(|area| area.level == Level::Village);
        for profile in villages.filter_map(|area| tree.profile(&area.id)) {
            let same = |group: &&mut Group| {
                group.wishes == profile.listens && group.fallback == profile.fallback
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.villages += 1,
                None => groups.push(Group {
                    wishes: profile.listens.clone(),
                    fallback: profile.fallback.clone(),
                    villages: 1,
                }),
            }
        }
        Self(groups)
    }

    /// The languages that villages ask for, the one of most villages first.
    pub fn languages(&self) -> Vec<LangTag> {
        let mut asked: BTreeMap<&LangTag, u32> = BTreeMap::new();
        for group in &self.0 {
            for wish in &group.wishes {
                *asked.entry(&wish.language).or_default() += group.villages;
            }
        }
        let mut asked: Vec<_> = asked.into_iter().collect();
        asked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        asked.into_iter().map(|(language, _)| language.clone()).collect()
    }

    /// What villages whose first language is `language` hear of a bulletin at `at`.
    pub fn instead(&self, airable: &Airable, language: &LangTag, at: Timestamp) -> Instead {
        let mut heard: BTreeMap<Option<&LangTag>, u32> = BTreeMap::new();
        let first =
            |group: &&Group| group.wishes.first().is_some_and(|wish| wish.language == *language);
        for group in self.0.iter().filter(first) {
            *heard.entry(group.hears(airable, at)).or_default() += group.villages;
        }
        let most = heard.into_iter().max_by_key(|(_, villages)| *villages);
        match most {
            None => Instead::NotAsked,
            Some((None, _)) => Instead::Nothing,
            Some((Some(language), _)) => Instead::Heard(language.clone()),
        }
    }
}

impl Group {
    /// The language in which these villages hear a bulletin.
    fn hears<'g>(&'g self, airable: &Airable, at: Timestamp) -> Option<&'g LangTag> {
        let wished = self.wishes.iter();
        let mut accepted =
            wished.flat_map(|wish| std::iter::once(&wish.language).chain(&wish.stand_ins));
        let heard = |language: &&LangTag| airable.heard(language, at).is_some();
        accepted.find(heard).or_else(|| self.fallback.as_ref().filter(heard))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{SUNDAY, Town, date};
    use super::*;

    fn tag(text: &str) -> LangTag {
        text.parse().unwrap()
    }

    #[test]
    fn the_language_of_most_villages_comes_first() {
        let town = Town::new().village("a", "hni vi").village("b", "mww vi").village("c", "mww");
        let languages = Listeners::of(&town.world.tree).languages();
        assert_eq!(languages, [tag("mww"), tag("vi"), tag("hni")]);
    }

    #[test]
    fn what_is_heard_instead_is_what_most_of_those_villages_hear() {
        let town = Town::new().village("a", "hni vi").village("b", "hni vi").village("c", "hni");
        let town = town.village("d", "mww/hnj").village("e", "lhu").village("f", "ium vi?");
        let town = town.bulletin("tin", "vi hnj", 2);
        let at = town.world.zone.midnight(date(SUNDAY));
        let listeners = Listeners::of(&town.world.tree);
        let instead = |text| listeners.instead(&town.world.content[0], &tag(text), at);
        assert_eq!(instead("hni"), Instead::Heard(tag("vi")));
        assert_eq!(instead("mww"), Instead::Heard(tag("hnj")));
        assert_eq!(instead("ium"), Instead::Heard(tag("vi")), "their fallback");
        assert_eq!(instead("lhu"), Instead::Nothing);
        assert_eq!(instead("vi"), Instead::NotAsked);
    }
}
