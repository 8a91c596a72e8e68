//! The language of the pages: Vietnamese first, English second.
//!
//! Both stand side by side where they are used, so neither can be missing.

use std::fmt;

/// The language that a visitor reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tongue {
    #[default]
    Vi,
    En,
}

impl Tongue {
    /// The one that a cookie names; Vietnamese otherwise.
    pub(super) fn of(cookie: Option<&str>) -> Self {
        if cookie == Some("en") { Self::En } else { Self::Vi }
    }

    /// One of the two texts.
    pub(super) fn say<'t>(self, vi: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Vi => vi,
            Self::En => en,
        }
    }

    /// Its BCP 47 tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Vi => Self::En,
            Self::En => Self::Vi,
        }
    }

    /// How long ago, in words.
    pub(super) fn ago(self, past: std::time::Duration) -> String {
        let minutes = past.as_secs() / 60;
        let (count, vi, en) = match minutes {
            0 => return self.say("vừa xong", "just now").to_owned(),
            1..60 => (minutes, "phút trước", "min ago"),
            60..2880 => (minutes / 60, "giờ trước", "h ago"),
            _ => (minutes / 1440, "ngày trước", "days ago"),
        };
        format!("{count} {}", self.say(vi, en))
    }
}

impl fmt::Display for Tongue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn age_is_told_in_the_unit_that_a_person_would_choose() {
        let vi = |minutes| Tongue::Vi.ago(Duration::from_mins(minutes));
        let told: Vec<String> = [0, 1, 59, 60, 2879, 2880].into_iter().map(vi).collect();
        let expected = [
            "vừa xong",
            "1 phút trước",
            "59 phút trước",
            "1 giờ trước",
            "47 giờ trước",
            "2 ngày trước",
        ];
        assert_eq!(told, expected);
        assert_eq!(Tongue::En.ago(Duration::from_mins(61)), "1 h ago");
    }

    #[test]
    fn vietnamese_comes_first() {
        assert_eq!([None, Some("vi"), Some("fr")].map(Tongue::of), [Tongue::Vi; 3]);
        assert_eq!(Tongue::of(Some("en")).say("xa", "far"), "far");
    }
}
