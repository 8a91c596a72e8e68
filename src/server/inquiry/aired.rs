//! What was to be heard, item by item in order of time: what an inspector reads line by line, each
//! with how it is known and where in the log that stands.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::bulletin::{Bulletin, Class, Column, Topic};
use crate::calendar::AiringKey;
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;
use crate::manifest::Item;
use crate::report::{Fate, Told};
use crate::server::ServerError;
use crate::server::inquiry::{Because, Inquiry, Moments, Places, moments, told_of};
use crate::server::station::Station;
use crate::store::BroadcastRow;
use crate::time::{LocalDate, Timestamp};

/// Airings that are looked at for one answer at most: some days of a province.
const LOOKED_MAX: usize = 60_000;

/// Which items are meant, beside when, where and of which bulletin: all, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Of this column.
    pub column: Option<Column>,
    /// That carry this topic.
    pub topic: Option<Topic>,
    /// In this language.
    pub language: Option<LangTag>,
    /// Of this class.
    pub class: Option<Class>,
    /// With this fate. What is still to come, or was left out by a newer plan, is told only where
    /// it is asked for.
    pub fate: Option<Fate>,
    /// For this cause, in the word of the wire.
    pub cause: Option<String>,
}

impl Only {
    fn speaks_of(&self, bulletin: Option<&Bulletin>, item: &Item) -> bool {
        let of = |wanted: &dyn Fn(&Bulletin) -> bool| bulletin.is_some_and(wanted);
        self.language.as_ref().is_none_or(|language| *language == item.language)
            && self.column.as_ref().is_none_or(|column| of(&|b| b.column == *column))
            && self.topic.as_ref().is_none_or(|topic| of(&|b| b.topics.contains(topic)))
            && self.class.is_none_or(|class| of(&|b| b.class == class))
    }

    fn tells_of(&self, fate: Fate, cause: &str) -> bool {
        let past = !matches!(fate, Fate::Planned | Fate::Dropped);
        self.fate.map_or(past, |wanted| wanted == fate)
            && self.cause.as_ref().is_none_or(|wanted| wanted == cause)
    }
}

/// One item of an airing with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aired {
    /// The airing.
    pub airing: AiringKey,
    /// When the airing was to begin.
    pub at: Timestamp,
    /// Where its controller stands; `None` where no file says so any longer.
    pub area: Option<AreaId>,
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The language.
    pub language: LangTag,
    /// What became of it.
    pub fate: Fate,
    /// Why it did not run to its end, in the word of the wire; empty where it did.
    pub cause: String,
    /// How it is known, in the word of the wire; empty where no receipt tells.
    pub evidence: String,
    /// When the airing's first sample sounded.
    pub begun: Option<Timestamp>,
    /// When this item itself was to sound, and did.
    pub own: Moments,
    /// Where in the log that stands.
    pub entry: Option<u64>,
}

/// Where an answer ended: after this airing. Written `1795301400000000.sang/mu-ca-1/2026-11-22/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    at: Timestamp,
    airing: AiringKey,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.micros(), self.airing)
    }
}

/// Text that is no [`Place`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a list; begin at its first page")]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (at, airing) = text.split_once('.').ok_or(NotAPlace)?;
        let at = Timestamp::from_micros(at.parse().map_err(|_| NotAPlace)?);
        Ok(Self { at, airing: airing.parse().map_err(|_| NotAPlace)? })
    }
}

/// Some of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AiredPage {
    /// In order of time.
    pub rows: Vec<Aired>,
    /// Where to go on; `None` at the end.
    pub next: Option<Place>,
}

impl Station {
    /// The items that an inquiry and `only` mean, after `place`: `rows_max`, or a few more where one
    /// airing has them.
    pub async fn aired(
        &self,
        inquiry: &Inquiry,
        only: &Only,
        place: Option<&Place>,
        rows_max: usize,
    ) -> Result<AiredPage, ServerError> {
        let schedule = self.schedule().await?;
        let bulletins = self.bulletins_by_id().await?;
        let places = Places::new(&schedule, inquiry)?;
        let first = place.map_or(inquiry.from, |place| self.config.zone.date(place.at));
        let look = Look { inquiry, only, bulletins: &bulletins, places: &places };
        let mut page = AiredPage::default();
        let (mut looked, mut passed) = (0, place.is_none());
        for day in days(first.max(inquiry.from), inquiry.until) {
            let one = Inquiry { from: day, until: day, ..inquiry.clone() };
            let each = |row: BroadcastRow, told: Told, because: &Because| {
                // Those of one instant come in an order that only the store knows.
                if !passed && place.is_some_and(|place| row.at <= place.at) {
                    passed = place.is_some_and(|place| place.airing == row.key);
                    return;
                }
                if page.next.is_some() {
                    return;
                }
                page.rows.extend(look.items(&row, told, because));
                looked += 1;
                if page.rows.len() >= rows_max || looked >= LOOKED_MAX {
                    page.next = Some(Place { at: row.at, airing: row.key });
                }
            };
            self.each_told(&one, &places, |_| (), each).await?;
            if page.next.is_some() {
                break;
            }
        }
        Ok(page)
    }
}

/// What is looked for, and by what it is known.
struct Look<'a> {
    inquiry: &'a Inquiry,
    only: &'a Only,
    bulletins: &'a BTreeMap<BulletinId, Bulletin>,
    places: &'a Places,
}

impl Look<'_> {
    /// The items of an airing that are meant.
    fn items(&self, row: &BroadcastRow, told: Told, because: &Because) -> Vec<Aired> {
        let outcome = row.outcome.as_ref();
        let named = |item: &&Item| {
            let wanted = self.inquiry.bulletin.as_ref();
            wanted.is_none_or(|wanted| *wanted == item.bulletin)
                && self.only.speaks_of(self.bulletins.get(&item.bulletin), item)
        };
        let own = moments(row);
        let aired = |(n, item): (usize, &Item)| {
            let fate = told_of(item, outcome, told).fate;
            let cause = if fate == Fate::Completed { "" } else { because.cause.as_str() };
            self.only.tells_of(fate, cause).then(|| Aired {
                airing: row.key.clone(),
                at: row.at,
                area: self.places.area(&row.key.controller).cloned(),
                bulletin: item.bulletin.clone(),
                language: item.language.clone(),
                fate,
                cause: cause.to_owned(),
                evidence: outcome.map_or_else(String::new, |outcome| outcome.evidence.clone()),
                begun: outcome.and_then(|outcome| outcome.begun),
                own: own[n],
                entry: because.entry,
            })
        };
        let items = row.items.iter().enumerate().filter(|(_, item)| named(item));
        items.filter_map(aired).collect()
    }
}

fn days(from: LocalDate, until: LocalDate) -> impl Iterator<Item = LocalDate> {
    std::iter::successors(Some(from), |day| Some(day.plus_days(1))).take_while(move |d| *d <= until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_written_and_read() {
        let text = "1795301400000000.sang/mu-ca-1/2026-11-22/0";
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        for bad in ["", "1.2", "x.sang/mu-ca-1/2026-11-22/0", "5"] {
            assert_eq!(bad.parse::<Place>(), Err(NotAPlace), "{bad}");
        }
    }

    #[test]
    fn what_is_to_come_is_told_only_where_it_is_asked_for() {
        let (all, planned) =
            (Only::default(), Only { fate: Some(Fate::Planned), ..Only::default() });
        assert!(all.tells_of(Fate::Skipped, "missing") && !all.tells_of(Fate::Planned, ""));
        assert!(planned.tells_of(Fate::Planned, "") && !planned.tells_of(Fate::Completed, ""));
        let missing = Only { cause: Some("missing".to_owned()), ..Only::default() };
        assert!(missing.tells_of(Fate::Skipped, "missing"));
        assert!(
            !missing.tells_of(Fate::Skipped, "power") && !missing.tells_of(Fate::Completed, "")
        );
    }
}
