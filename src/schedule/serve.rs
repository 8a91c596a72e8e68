//! Who hears what: one bulletin, one village, and the languages that it asked for.
//!
//! For each language in the village's order: that language, else its first stand-in that can be
//! heard. **Only a village that nothing it asked for can be played to hears its fallback.**

use super::claim::Asked;
use super::remark::{Missing, Reason, WallClock};
use super::{Airable, Languages, Pending, Sound};
use crate::fleet::{Area, Wish};
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;
use crate::time::{Timestamp, Zone};

/// What an area listens to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Profile<'w> {
    wishes: &'w [Wish],
    fallback: Option<&'w LangTag>,
}

impl<'w> Profile<'w> {
    pub(super) fn of(area: &'w Area) -> Self {
        Self { wishes: &area.listens, fallback: area.fallback.as_ref() }
    }

    /// Whether the village asks for one of `languages`.
    pub(super) fn wishes_for(&self, languages: &[LangTag]) -> bool {
        self.wishes.iter().any(|wish| languages.contains(&wish.language))
    }

    /// Whether a programme in these languages is meant for the village at all.
    pub(super) fn asks_for(&self, languages: &Languages) -> bool {
        self.wishes.iter().any(|wish| languages.include(&wish.language))
            || self.fallback.is_some_and(|fallback| languages.include(fallback))
    }
}

/// A bulletin in a language that the village hears.
pub(super) struct Served<'w> {
    /// The place of the wish in the village's order; a fallback comes after all.
    pub(super) rank: usize,
    pub(super) language: &'w LangTag,
    pub(super) wished: &'w LangTag,
    pub(super) sound: &'w Sound,
}

/// A remark that does not know its airing yet.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) bulletin: Option<BulletinId>,
    pub(super) language: Option<LangTag>,
    why: Why,
}

/// A reason; a question does not know its commune yet.
#[derive(Clone)]
enum Why {
    Known(Reason),
    Asked(Asked),
}

impl Said {
    /// About the airing as a whole.
    pub(super) fn airing(reason: Reason) -> Self {
        Self { bulletin: None, language: None, why: Why::Known(reason) }
    }

    /// What the commune is asked.
    pub(super) fn asked(asked: Asked) -> Self {
        Self { bulletin: None, language: None, why: Why::Asked(asked) }
    }

    /// About one bulletin in it.
    pub(super) fn bulletin(
        bulletin: &BulletinId,
        language: Option<&LangTag>,
        reason: Reason,
    ) -> Self {
        let (bulletin, language) = (Some(bulletin.clone()), language.cloned());
        Self { bulletin, language, why: Why::Known(reason) }
    }

    /// The reason at a controller for which `commune` decides.
    pub(super) fn reason(&self, commune: &AreaId) -> Reason {
        match &self.why {
            Why::Known(reason) => reason.clone(),
            Why::Asked(asked) => asked.reason(commune),
        }
    }

    /// Whether the airing that it is about does not take place.
    pub(super) fn refuses(&self) -> bool {
        match &self.why {
            Why::Known(reason) => reason.refuses(),
            Why::Asked(_) => true,
        }
    }

    /// Whether something that was asked for is not heard because of it.
    pub(super) fn is_gap(&self) -> bool {
        self.known().is_some_and(Reason::is_gap)
    }

    /// The reason, where it is the same in every commune.
    pub(super) fn known(&self) -> Option<&Reason> {
        match &self.why {
            Why::Known(reason) => Some(reason),
            Why::Asked(_) => None,
        }
    }
}

/// The languages in which a village hears `content` at `at`, in the village's order.
pub(super) fn serve<'w>(
    content: &'w Airable,
    profile: Profile<'w>,
    languages: &Languages,
    at: Timestamp,
    said: &mut Vec<Said>,
) -> Vec<Served<'w>> {
    let mut served: Vec<Served<'w>> = Vec::new();
    for (rank, wish) in profile.wishes.iter().enumerate() {
        if !languages.include(&wish.language) {
            continue;
        }
        let Some((language, sound)) = grant(content, wish, at) else {
            let reason = Reason::MissingLanguage { state: content.missing(&wish.language, at) };
            said.push(Said::bulletin(&content.bulletin, Some(&wish.language), reason));
            continue;
        };
        if served.iter().all(|earlier| earlier.language != language) {
            served.push(Served { rank, language, wished: &wish.language, sound });
        }
        if *languages == Languages::First {
            break;
        }
    }
    served.extend(fall_back(content, profile, languages, at, said));
    served
}

/// The language of the wish, else its first stand-in, that can be heard.
fn grant<'w>(
    content: &'w Airable,
    wish: &'w Wish,
    at: Timestamp,
) -> Option<(&'w LangTag, &'w Sound)> {
    let accepted = std::iter::once(&wish.language).chain(&wish.stand_ins);
    accepted.into_iter().find_map(|language| Some((language, content.heard(language, at)?)))
}

fn fall_back<'w>(
    content: &'w Airable,
    profile: Profile<'w>,
    languages: &Languages,
    at: Timestamp,
    said: &mut Vec<Said>,
) -> Option<Served<'w>> {
    // All that the village asked for, not only what the programme lists: it never hears the
    // fallback in place of a language of its own.
    if profile.wishes.iter().any(|wish| grant(content, wish, at).is_some()) {
        return None;
    }
    let language = profile.fallback.filter(|fallback| languages.include(fallback))?;
    let sound = content.heard(language, at)?;
    said.push(Said::bulletin(&content.bulletin, Some(language), Reason::FellBack));
    let wished = profile.wishes.first().map_or(language, |wish| &wish.language);
    Some(Served { rank: usize::MAX, language, wished, sound })
}

impl Airable {
    /// The recording in `language`, where it is approved by `at`.
    pub(super) fn heard(&self, language: &LangTag, at: Timestamp) -> Option<&Sound> {
        self.voices.get(language).filter(|sound| sound.approved_at <= at)
    }

    /// When its first version was approved: what makes it newer than another.
    pub(super) fn approved_at(&self) -> Option<Timestamp> {
        self.voices.values().map(|sound| sound.approved_at).min()
    }

    /// How far the version in `language` is that cannot be heard at `at`.
    pub(super) fn missing(&self, language: &LangTag, at: Timestamp) -> Missing {
        if self.voices.contains_key(language) && self.heard(language, at).is_none() {
            return Missing::ApprovedLater;
        }
        self.pending.get(language).map_or(Missing::NotMade, |&pending| pending.into())
    }

    /// Why it cannot be heard at `at` in any language, if so.
    pub(super) fn refusal(&self, zone: Zone, at: Timestamp) -> Option<Reason> {
        if at < self.valid_from {
            return Some(Reason::NotYetValid { from: WallClock::of(zone, self.valid_from) });
        }
        if self.valid_until <= at {
            return Some(Reason::Expired { until: WallClock::of(zone, self.valid_until) });
        }
        if self.approved_at().is_some_and(|approved_at| approved_at <= at) {
            return None;
        }
        let best = self.pending.values().find(|&&pending| pending == Pending::InReview);
        let pending = best.or(self.pending.values().next());
        let later = !self.voices.is_empty();
        let state = if later {
            Missing::ApprovedLater
        } else {
            pending.map_or(Missing::NotMade, |&p| p.into())
        };
        Some(Reason::NotApproved { state })
    }
}
