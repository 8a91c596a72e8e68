//! The fields of a form as somebody typed them.

use std::str::FromStr;

use crate::bulletin::words::NotWords;
use crate::web::tongue::Tongue;

/// Names and values, in the order of the form.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What was sent.
    pub(super) fn new(sent: Vec<(String, String)>) -> Self {
        Self(sent)
    }

    /// The same with another value.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.retain(|(held, _)| held != name);
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The same with one more value of a field that may have several.
    pub(super) fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The value of a field, without blanks at its ends; empty where there is none.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value.trim())
    }

    /// Whether the field came at all, empty or not.
    pub(super) fn is_sent(&self, name: &str) -> bool {
        self.0.iter().any(|(held, _)| held == name)
    }

    /// Whether a field has this value: for what is chosen.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(held, given)| held == name && given == value)
    }

    /// Every value of a field that may be chosen several times.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(held, _)| held == name).map(|(_, value)| value.as_str())
    }
}

/// What is wrong in a form: all of it at once, in the visitor's language.
#[derive(Debug)]
pub(super) struct Wrong {
    tongue: Tongue,
    pub(super) said: Vec<String>,
}

impl Wrong {
    pub(super) fn new(tongue: Tongue) -> Self {
        Self { tongue, said: Vec::new() }
    }

    /// Something is wrong.
    pub(super) fn say(&mut self, vi: &str, en: &str) {
        self.said.push(self.tongue.say(vi, en).to_owned());
    }

    /// Words that must be there.
    pub(super) fn words<T: FromStr<Err = NotWords>>(
        &mut self,
        text: &str,
        (vi, en): (&str, &str),
    ) -> Option<T> {
        match text.parse() {
            Ok(words) => Some(words),
            Err(why) => {
                let (why_vi, why_en) = words_wrong(&why);
                self.say(&format!("{vi}: {why_vi}."), &format!("{en}: {why_en}."));
                None
            }
        }
    }

    /// Words that may be left out.
    pub(super) fn optional<T: FromStr<Err = NotWords>>(
        &mut self,
        text: &str,
        name: (&str, &str),
    ) -> Option<T> {
        if text.is_empty() { None } else { self.words(text, name) }
    }
}

fn words_wrong(why: &NotWords) -> (String, String) {
    match why {
        NotWords::Empty(_) => ("hãy ghi vào".to_owned(), "write it".to_owned()),
        NotWords::TooLong { max, .. } => (
            format!("dài quá {max} ký tự, hãy rút gọn"),
            format!("over {max} characters, shorten it"),
        ),
        NotWords::Control(_) => (
            "có xuống dòng hoặc ký tự điều khiển, hãy bỏ đi".to_owned(),
            "has a line feed or a control character, remove it".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulletin::Title;

    #[test]
    fn everything_wrong_is_told_at_once_and_in_the_language_of_the_page() {
        let mut wrong = Wrong::new(Tongue::Vi);
        let title: Option<Title> = wrong.words("", ("Tên", "Title"));
        assert!(title.is_none());
        let long = "a".repeat(1_000);
        assert!(wrong.optional::<Title>(&long, ("Tên tiếng Anh", "English title")).is_none());
        assert!(wrong.optional::<Title>("", ("Tên", "Title")).is_none());
        assert_eq!(wrong.said.len(), 2);
        assert!(wrong.said[0].starts_with("Tên: hãy ghi"), "{:?}", wrong.said);
    }

    #[test]
    fn what_is_chosen_twice_is_held_twice() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let fields = Fields::new(vec![pair("topic", "a"), pair("topic", "b"), pair("id", " x ")]);
        assert_eq!(fields.all("topic").collect::<Vec<_>>(), ["a", "b"]);
        assert!(fields.has("topic", "b") && fields.one("id") == "x" && fields.one("no").is_empty());
        assert_eq!(fields.with("id", "y").one("id"), "y");
    }
}
