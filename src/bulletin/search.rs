//! Finding bulletins by words typed without marks.
//!
//! **A bulletin is found where every word of the query stands somewhere in it**, folded
//! ([`crate::lang::fold`]): in its title, its document number, its column, or one of its scripts.
//! Each word counts as its best place does: title or document number 8, column 4, script 1. Where
//! the whole query stands together, in its order, every word counts its place once more. The
//! higher sum comes first; among equals the bulletin that holds longest.

use std::collections::BTreeSet;

use super::version::Text;
use super::{Bulletin, Title};
use crate::lang::fold;

/// Words of a query at most; a sentence is no search.
pub const WORDS_MAX: usize = 12;

const TITLE: u32 = 8;
const COLUMN: u32 = 4;
const SCRIPT: u32 = 1;

/// What is looked for, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    words: Vec<String>,
}

/// Text in which there is nothing, or too much, to look for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be searched for; write 1 to {WORDS_MAX} words, with or without marks")]
pub struct NotAQuery(String);

impl std::str::FromStr for Query {
    type Err = NotAQuery;

    fn from_str(text: &str) -> Result<Self, NotAQuery> {
        let words = if text.len() > 1_000 { Vec::new() } else { fold::words(text) };
        if (1..=WORDS_MAX).contains(&words.len()) {
            return Ok(Self { words });
        }
        Err(NotAQuery(text.chars().take(80).collect()))
    }
}

/// A place where words stand, folded to ` one two three `.
struct Place {
    weight: u32,
    folded: String,
}

impl Place {
    fn new(weight: u32, text: &str) -> Self {
        Self { weight, folded: format!(" {} ", fold::line(text)) }
    }

    fn has(&self, words: &str) -> bool {
        self.folded.contains(&format!(" {words} "))
    }
}

/// The words of a bulletin itself, for an index.
pub fn words_of(bulletin: &Bulletin) -> BTreeSet<String> {
    let english = bulletin.title_en.as_ref().map_or("", Title::as_str);
    let number = bulletin.document_number.as_ref().map_or("", AsRef::as_ref);
    let texts = [bulletin.title.as_str(), english, number, bulletin.column.as_str()];
    texts.into_iter().flat_map(fold::words).collect()
}

/// The words of one version, for an index.
pub fn words_of_text(text: &Text) -> BTreeSet<String> {
    fold::words(text.script.as_str()).into_iter().collect()
}

impl Query {
    /// The folded words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// How well a bulletin fits; none where a word stands nowhere in it.
    pub fn score<'t>(
        &self,
        bulletin: &Bulletin,
        texts: impl IntoIterator<Item = &'t Text>,
    ) -> Option<u32> {
        let mut places = vec![Place::new(TITLE, bulletin.title.as_str())];
        places.extend(bulletin.title_en.iter().map(|title| Place::new(TITLE, title.as_str())));
        places.extend(bulletin.document_number.iter().map(|n| Place::new(TITLE, n.as_str())));
        places.push(Place::new(COLUMN, bulletin.column.as_str()));
        places.extend(texts.into_iter().map(|text| Place::new(SCRIPT, text.script.as_str())));
        let best = |words: &str| places.iter().filter(|p| p.has(words)).map(|p| p.weight).max();
        let apart: u32 = self.words.iter().map(|word| best(word)).sum::<Option<u32>>()?;
        let count = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let together = best(&self.words.join(" ")).unwrap_or(0);
        Some(apart + together * count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulletin::{Class, Kind, SourceLevel};
    use crate::time::Timestamp;

    fn bulletin(title: &str, number: &str) -> Bulletin {
        Bulletin {
            id: "b".parse().unwrap(),
            title: title.parse().unwrap(),
            title_en: None,
            area: None,
            column: "Hỏi đáp pháp luật".parse().unwrap(),
            kind: Kind::News,
            class: Class::Normal,
            source_level: SourceLevel::Province,
            issuing_body: "Sở Tư pháp".parse().unwrap(),
            document_number: number.parse().ok(),
            topics: BTreeSet::new(),
            campaign: None,
            valid_from: Timestamp::EPOCH,
            valid_until: Timestamp::EPOCH,
        }
    }

    fn text(script: &str) -> Text {
        Text {
            bulletin: "b".parse().unwrap(),
            language: "vi".parse().unwrap(),
            variety: None,
            script: script.parse().unwrap(),
            contributor: None,
            translator: None,
        }
    }

    fn score(query: &str, bulletin: &Bulletin, script: &str) -> Option<u32> {
        query.parse::<Query>().unwrap().score(bulletin, [&text(script)])
    }

    #[test]
    fn words_without_marks_find_words_with_them() {
        let found = bulletin("Phòng, chống sạt lở đất", "");
        assert_eq!(score("sat lo dat", &found, "x"), Some(8 * 3 * 2));
        assert_eq!(score("SẠT LỞ", &found, "x"), Some(8 * 2 * 2));
        assert_eq!(score("sat lo lut", &found, "x"), None);
    }

    #[test]
    fn a_document_is_found_by_its_number() {
        let found = bulletin("Xử phạt", "168/2024/NĐ-CP");
        assert_eq!(score("168/2024/nd-cp", &found, "x"), Some(8 * 4 * 2));
    }

    #[test]
    fn a_title_comes_before_a_column_and_a_column_before_a_script() {
        let (named, other) = (bulletin("Pháp luật", ""), bulletin("Tin", ""));
        let scores = [score("luat", &named, "x"), score("luat", &other, "x")];
        assert!(scores[0] > scores[1], "{scores:?}");
        assert!(score("luat", &other, "x") > score("mua", &other, "mưa"));
    }

    #[test]
    fn words_that_stand_together_come_before_words_apart() {
        let tin = bulletin("Tin", "");
        let together = score("giao thong", &tin, "an toàn giao thông");
        let apart = score("giao thong", &tin, "giao cho xã, thông báo");
        assert!(together > apart && apart.is_some(), "{together:?} {apart:?}");
    }

    #[test]
    fn a_part_of_a_word_is_not_the_word() {
        assert_eq!(score("lo", &bulletin("Xổ số lô", ""), "loa"), Some(16));
        assert_eq!(score("loa", &bulletin("Xổ số lô", ""), "lo"), None);
    }

    #[test]
    fn the_index_has_every_word_that_can_be_found() {
        let found = bulletin("Phòng, chống sạt lở", "15/NQ");
        let index = words_of(&found);
        for word in ["phong", "sat", "lo", "15", "nq", "hoi", "luat"] {
            assert!(index.contains(word) && score(word, &found, "x").is_some(), "{word}");
        }
        assert!(words_of_text(&text("Mưa lớn")).contains("mua"));
    }

    #[test]
    fn nothing_and_a_whole_sentence_cannot_be_searched_for() {
        for bad in ["", " … ", &"a ".repeat(WORDS_MAX + 1), &"a".repeat(2_000)] {
            assert!(bad.parse::<Query>().is_err());
        }
    }
}
