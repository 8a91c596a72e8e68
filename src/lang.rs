//! Languages as data: BCP 47 tags, never an assumption about who understands whom.
//!
//! A tag here is a primary language subtag with optional subtags (RFC 5646 §2.1), in its
//! canonical letter case. What a language is called is data of the station: [`Names`]. A tag
//! without a name is as good as any other.

use std::fmt;
use std::str::FromStr;

pub mod fold;
pub mod names;

pub use names::{Name, Names};

/// Characters in a tag at most (RFC 5646 §4.4.1 recommends buffers of at least 35).
pub const TAG_CHARS_MAX: usize = 35;

/// A BCP 47 language tag, such as `vi`, `hni` or `vi-VN`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LangTag(std::sync::Arc<str>);

/// Text that is no language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no language tag; use BCP 47 such as vi, mww, hnj, twh, blt, ium, mji or hni")]
pub struct NotATag(String);

impl LangTag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What Vietnamese usually calls the language; the tag where it has no usual name. What the
    /// station calls it is in its [`Names`].
    pub fn name_vi(&self) -> &str {
        self.names().map_or(&self.0, |(vi, _)| vi)
    }

    /// What English usually calls the language; the tag where it has no usual name.
    pub fn name_en(&self) -> &str {
        self.names().map_or(&self.0, |(_, en)| en)
    }

    fn names(&self) -> Option<(&'static str, &'static str)> {
        names::usual(self.0.split('-').next().unwrap_or_default())
    }
}

/// Letter case by RFC 5646 §2.1.1: scripts in title case, regions in capitals, the rest small.
fn cased(position: usize, subtag: &str) -> String {
    let letters = subtag.bytes().all(|c| c.is_ascii_alphabetic());
    match (position, subtag.len()) {
        (1.., 2) => subtag.to_ascii_uppercase(),
        (1.., 4) if letters => subtag[..1].to_ascii_uppercase() + &subtag[1..].to_ascii_lowercase(),
        _ => subtag.to_ascii_lowercase(),
    }
}

fn is_subtag(position: usize, subtag: &str) -> bool {
    let bytes = subtag.as_bytes();
    if position == 0 {
        return (2..=3).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphabetic);
    }
    (1..=8).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphanumeric)
}

impl FromStr for LangTag {
    type Err = NotATag;

    fn from_str(text: &str) -> Result<Self, NotATag> {
        let good = text.len() <= TAG_CHARS_MAX
            && text.split('-').enumerate().all(|(i, subtag)| is_subtag(i, subtag));
        if !good {
            return Err(NotATag(text.chars().take(TAG_CHARS_MAX + 5).collect()));
        }
        let parts: Vec<String> = text.split('-').enumerate().map(|(i, s)| cased(i, s)).collect();
        Ok(Self(parts.join("-").into()))
    }
}

impl TryFrom<String> for LangTag {
    type Error = NotATag;

    fn try_from(text: String) -> Result<Self, NotATag> {
        text.parse()
    }
}

impl From<LangTag> for String {
    fn from(tag: LangTag) -> Self {
        tag.0.as_ref().to_owned()
    }
}

impl fmt::Display for LangTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for LangTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LangTag({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_kept_in_its_canonical_case() {
        let tag: LangTag = "VI-latn-vn".parse().unwrap();
        assert_eq!(tag.as_str(), "vi-Latn-VN");
        assert_eq!(tag.name_vi(), "tiếng Việt");
    }

    #[test]
    fn a_name_in_words_is_refused_with_examples() {
        let sentence = "tiếng Thái".parse::<LangTag>().unwrap_err().to_string();
        assert!(sentence.contains("twh"), "{sentence}");
    }

    #[test]
    fn a_language_without_a_name_is_as_good_as_any_other() {
        let tag: LangTag = "kjg".parse().unwrap();
        assert_eq!(tag.name_vi(), "kjg");
    }
}
