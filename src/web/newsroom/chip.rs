//! Where a bulletin stands in each language that villages ask for, in words beside a sign.

use crate::bulletin::version::Version;
use crate::lang::LangTag;
use crate::schedule::coverage::Instead;
use crate::time::Timestamp;
use crate::web::newsroom::stock::{Item, Stock};
use crate::web::tongue::Tongue;

/// Where a version stands: who has to do something next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It can be heard.
    Ready,
    /// Its bulletin is over, or did not begin.
    OutOfTime,
    /// A leader is to approve it.
    AwaitsApproval,
    /// Somebody is to listen back to it.
    AwaitsReview,
    /// Its makers are to mend it.
    Returned,
    /// An announcer is to record it.
    AwaitsRecording,
    /// It was taken back.
    Withdrawn,
    /// Nobody wrote it.
    Missing,
}

impl Stand {
    /// Where the version of a bulletin stands at `now`.
    pub(super) fn of(item: &Item, version: Option<&Version>, now: Timestamp) -> Self {
        match version {
            None => Self::Missing,
            Some(_) if item.taken_back().is_some() => Self::Withdrawn,
            Some(version) if version.is_returned() => Self::Returned,
            Some(Version::Text(_)) => Self::AwaitsRecording,
            Some(Version::Draft(_)) => Self::AwaitsReview,
            Some(Version::Reviewed(_)) => Self::AwaitsApproval,
            Some(Version::Approved(_)) if item.bulletin.is_valid(now) => Self::Ready,
            Some(Version::Approved(_)) => Self::OutOfTime,
            Some(Version::Withdrawn(_)) => Self::Withdrawn,
        }
    }

    /// In words, with the class of its sign.
    pub(super) fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ready => ("sẵn sàng", "ready", "good"),
            Self::OutOfTime => ("đã duyệt, ngoài hạn", "approved, out of its time", "kept"),
            Self::AwaitsApproval => ("chờ duyệt", "awaits approval", "warn"),
            Self::AwaitsReview => ("chờ nghe thẩm định", "awaits review", "warn"),
            Self::Returned => ("bị trả lại", "returned", "warn"),
            Self::AwaitsRecording => ("chờ ghi âm", "awaits its recording", "warn"),
            Self::Withdrawn => ("đã thu hồi", "withdrawn", "kept"),
            Self::Missing => ("thiếu", "missing", "bad"),
        }
    }

    /// The word of a filter.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::OutOfTime => "out-of-time",
            Self::AwaitsApproval => "approval",
            Self::AwaitsReview => "review",
            Self::Returned => "returned",
            Self::AwaitsRecording => "recording",
            Self::Withdrawn => "withdrawn",
            Self::Missing => "missing",
        }
    }
}

/// One language of one bulletin.
pub(super) struct Chip {
    pub(super) language: LangTag,
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) words: &'static str,
    /// What is heard in its stead.
    pub(super) instead: Option<String>,
}

impl Stock {
    /// Every language that villages ask for, and every other that there is a version in.
    pub(super) fn chips(&self, item: &Item, tongue: Tongue, now: Timestamp) -> Vec<Chip> {
        let asked = self.languages.iter().filter(|tag| {
            // An announcement is spoken in one language on purpose.
            !item.is_announced() || item.version(tag).is_some()
        });
        let mut tags: Vec<&LangTag> = asked.collect();
        for version in &item.versions {
            let language = &version.text().language;
            if !tags.contains(&language) {
                tags.push(language);
            }
        }
        tags.into_iter().map(|tag| self.chip(item, tag, tongue, now)).collect()
    }

    /// One language.
    pub(super) fn chip(&self, item: &Item, tag: &LangTag, tongue: Tongue, now: Timestamp) -> Chip {
        let stand = Stand::of(item, item.version(tag), now);
        let (vi, en, class) = stand.words();
        let instead = match self.listeners.instead(&item.airable, tag, now) {
            _ if stand == Stand::Ready || !item.bulletin.is_valid(now) || item.is_announced() => {
                None
            }
            Instead::NotAsked => None,
            // Where nothing of it can be heard at all, the states themselves say so.
            Instead::Nothing if item.airable.voices.is_empty() => None,
            Instead::Nothing => Some(tongue.say("không nghe được gì", "nothing is heard").into()),
            Instead::Heard(other) => Some(self.language(&other, tongue).to_owned()),
        };
        Chip {
            language: tag.clone(),
            name: short(self.language(tag, tongue)),
            class,
            words: tongue.say(vi, en),
            instead,
        }
    }
}

/// `tiếng Hà Nhì` among languages is `Hà Nhì`.
fn short(name: &str) -> String {
    name.strip_prefix("tiếng ").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_stands_share_their_words() {
        let all = [
            Stand::Ready,
            Stand::OutOfTime,
            Stand::AwaitsApproval,
            Stand::AwaitsReview,
            Stand::Returned,
            Stand::AwaitsRecording,
            Stand::Withdrawn,
            Stand::Missing,
        ];
        let mut words: Vec<&str> = all.iter().flat_map(|s| [s.words().0, s.code()]).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 2 * all.len());
    }
}
