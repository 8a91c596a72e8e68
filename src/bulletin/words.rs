//! The texts of bulletins, one type each: on one line, or of many.
//!
//! **Every text is in Unicode normalisation form C, without blanks at its ends, within its
//! limit, and without control characters** (but line feeds and tabs in those of many lines), so
//! that equal texts are equal bytes, in the store, in the log and in search.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

/// Text that is refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWords {
    /// Nothing but blanks.
    #[error("the {0} is empty; write it, or leave it out")]
    Empty(&'static str),
    /// More than the limit.
    #[error("the {noun} has more than {max} characters; shorten it")]
    TooLong {
        /// Of what.
        noun: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// A control character, or a second line where one is allowed.
    #[error("the {0} has a line feed or a control character where none may be; remove it")]
    Control(&'static str),
}

fn read(noun: &'static str, max: usize, lines: bool, text: &str) -> Result<String, NotWords> {
    // Normalising may lengthen text threefold; what is far too long is not even tried.
    if text.len() > 16 * max {
        return Err(NotWords::TooLong { noun, max });
    }
    let text: String = text.trim().replace("\r\n", "\n").nfc().collect();
    if text.is_empty() {
        return Err(NotWords::Empty(noun));
    }
    if text.chars().count() > max {
        return Err(NotWords::TooLong { noun, max });
    }
    let stray = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\t'));
    if text.chars().any(stray) { Err(NotWords::Control(noun)) } else { Ok(text) }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $noun:literal, $max:literal, $lines:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Characters at most.
            pub const CHARS_MAX: usize = $max;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotWords;

            fn from_str(text: &str) -> Result<Self, NotWords> {
                read($noun, $max, $lines, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotWords;

            fn try_from(text: String) -> Result<Self, NotWords> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(words: $name) -> Self {
                words.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )+};
}

words! {
    /// What a bulletin is called.
    Title = "title", 200, false;
    /// The body that stands behind the content.
    IssuingBody = "issuing body", 200, false;
    /// The number of the document that a bulletin tells of, such as `15/2020/NĐ-CP`.
    DocumentNumber = "document number", 80, false;
    /// A field of law that the half-year report sums by.
    Topic = "topic", 80, false;
    /// A campaign that the half-year report sums by.
    Campaign = "campaign", 120, false;
    /// Which speech of a language, in the station's own words.
    Variety = "variety", 80, false;
    /// What is read out: two hours of speech at most.
    Script = "script", 100_000, true;
    /// What a villager asks.
    QuestionText = "question", 4_000, true;
    /// Who asked and how they are reached: personal data, never in the log.
    Asker = "person who asked", 200, false;
    /// What is to be changed, or why something is taken back.
    Comment = "comment", 2_000, true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_typed_in_either_form_of_unicode_are_equal() {
        let loose: Script = " Ba\u{300} con chu\u{301} y\u{301}!\r\nMưa lớn. ".parse().unwrap();
        assert_eq!(loose.as_str(), "Bà con chú ý!\nMưa lớn.");
    }

    #[test]
    fn what_is_empty_too_long_or_of_two_lines_is_refused_with_its_noun() {
        assert_eq!(" ".parse::<Title>(), Err(NotWords::Empty("title")));
        assert_eq!("a\nb".parse::<Title>(), Err(NotWords::Control("title")));
        assert_eq!("a\u{7}".parse::<Script>(), Err(NotWords::Control("script")));
        for long in [Title::CHARS_MAX + 1, 1_000_000] {
            let refused = "á".repeat(long).parse::<Title>().unwrap_err();
            assert!(refused.to_string().contains("the title has more than 200"), "{refused}");
        }
        assert!("á".repeat(Title::CHARS_MAX).parse::<Title>().is_ok());
    }
}
