//! What languages are called: data of the station, with the usual names as its beginning.
//!
//! **No language is refused for want of a name in this program**: a station adds its own with
//! `[[language]]`, and a name given there counts before the usual one.

use std::collections::BTreeMap;

use super::LangTag;

/// Characters in a language's name at most.
pub const NAME_CHARS_MAX: usize = 80;

/// Tag, name in Vietnamese, name in English: what a station knows before it adds anything.
const USUAL: [(&str, &str, &str); 9] = [
    ("vi", "tiếng Việt", "Vietnamese"),
    ("hmn", "tiếng Mông", "Hmong"),
    ("mww", "tiếng Mông Trắng", "Hmong Daw"),
    ("hnj", "tiếng Mông Hoa", "Hmong Njua"),
    ("twh", "tiếng Thái Trắng", "Tai Dón"),
    ("blt", "tiếng Thái Đen", "Tai Dam"),
    ("ium", "tiếng Dao", "Iu Mien"),
    ("mji", "tiếng Dao Kim Mun", "Kim Mun"),
    ("hni", "tiếng Hà Nhì", "Hani"),
];

/// The usual names of a primary language, in Vietnamese and English.
pub(super) fn usual(primary: &str) -> Option<(&'static str, &'static str)> {
    USUAL.iter().find(|(tag, _, _)| *tag == primary).map(|(_, vi, en)| (*vi, *en))
}

/// One language's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

/// The languages that a station knows by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    own: BTreeMap<LangTag, Name>,
}

impl Names {
    /// Adds a language, or calls it otherwise.
    pub fn add(&mut self, tag: LangTag, name: Name) {
        self.own.insert(tag, name);
    }

    /// Adds what `more` adds.
    pub fn extend(&mut self, more: &Self) {
        self.own.extend(more.own.iter().map(|(tag, name)| (tag.clone(), name.clone())));
    }

    /// What the station added to the usual ones, by tag.
    pub fn own(&self) -> impl Iterator<Item = (&LangTag, &Name)> {
        self.own.iter()
    }

    /// Whether the language has a name: the check that catches a mistyped tag.
    pub fn knows(&self, tag: &LangTag) -> bool {
        self.find(tag).is_some()
    }

    /// What Vietnamese calls the language; the tag itself where no name is known.
    pub fn vi<'n>(&'n self, tag: &'n LangTag) -> &'n str {
        self.find(tag).map_or(tag.as_str(), |(vi, _)| vi)
    }

    /// What English calls the language; the tag itself where no name is known.
    pub fn en<'n>(&'n self, tag: &'n LangTag) -> &'n str {
        self.find(tag).map_or(tag.as_str(), |(_, en)| en)
    }

    /// The languages that have a name, the usual ones first.
    pub fn all(&self) -> Vec<LangTag> {
        let usual = USUAL.iter().filter_map(|(tag, _, _)| tag.parse().ok());
        let mut tags: Vec<LangTag> = usual.collect();
        for own in self.own.keys() {
            if !tags.contains(own) {
                tags.push(own.clone());
            }
        }
        tags
    }

    /// The same as text, for a sentence that says what may be written.
    pub fn tags(&self) -> String {
        let all = self.all();
        all.iter().map(LangTag::as_str).collect::<Vec<_>>().join(", ")
    }

    fn find(&self, tag: &LangTag) -> Option<(&str, &str)> {
        let own = |text: &str| {
            let name = self.own.iter().find(|(own, _)| own.as_str() == text);
            name.map(|(_, name)| (name.vi.as_str(), name.en.as_str()))
        };
        let primary = tag.as_str().split('-').next().unwrap_or_default();
        own(tag.as_str()).or_else(|| own(primary)).or_else(|| usual(primary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> LangTag {
        text.parse().unwrap()
    }

    #[test]
    fn a_language_that_a_station_adds_is_as_good_as_the_usual_ones() {
        let mut names = Names::default();
        assert!(!names.knows(&tag("kjg")) && names.vi(&tag("kjg")) == "kjg");
        names.add(tag("kjg"), Name { vi: "tiếng Khơ Mú".to_owned(), en: "Khmu".to_owned() });
        assert_eq!((names.vi(&tag("kjg")), names.en(&tag("kjg-LA"))), ("tiếng Khơ Mú", "Khmu"));
        assert!(names.tags().starts_with("vi, ") && names.tags().ends_with(", kjg"));
    }

    #[test]
    fn what_the_station_calls_a_language_counts_before_the_usual_name() {
        let mut names = Names::default();
        assert_eq!(names.vi(&tag("hnj")), "tiếng Mông Hoa");
        names.add(tag("hnj"), Name { vi: "tiếng Mông Lềnh".to_owned(), en: "Hmong".to_owned() });
        assert_eq!(names.vi(&tag("hnj")), "tiếng Mông Lềnh");
        assert_eq!(names.vi(&tag("vi-VN")), "tiếng Việt");
    }
}
