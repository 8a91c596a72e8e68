//! What a visitor may look at, what they chose of it, and the days that they chose.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

use crate::access::Action;
use crate::clock::utc_now;
use crate::fleet::Level;
use crate::id::AreaId;
use crate::server::{Inquiry, ServerError};
use crate::time::LocalDate;
use crate::web::Site;
use crate::web::commune::{Town, may_here, town};
use crate::web::fault::Fault;
use crate::web::guard::{Visitor, encoded};
use crate::web::inspector::place;

/// Days of one question at most: a year and some air.
const DAYS_MAX: i64 = 400;

/// What a visitor may look at, and what they chose of it.
pub(super) struct Scope {
    pub(super) town: Arc<Town>,
    /// The area that was chosen; the whole station where none is.
    pub(super) area: Option<AreaId>,
    /// Whether the visitor may look at the whole station.
    pub(super) whole: bool,
    /// The areas that they may choose, each below its parent.
    pub(super) choices: Vec<Choice>,
    /// Villages that are offered while a name is typed; any other is found as well.
    pub(super) offered: Vec<String>,
}

/// One thing of a list to choose from.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) chosen: bool,
}

/// A list to choose from.
pub(super) fn choices<V: Display, N: Into<String>>(
    all: impl IntoIterator<Item = (V, N)>,
    chosen: &str,
) -> Vec<Choice> {
    let choice = |(value, name): (V, N)| {
        let value = value.to_string();
        Choice { chosen: value == chosen, value, name: name.into() }
    };
    all.into_iter().map(choice).collect()
}

impl Scope {
    /// The area that was asked for, if the visitor may look at it; else the first that they may. A
    /// place that was named comes before one that was chosen.
    pub(super) async fn of(
        site: &Site,
        visitor: &Visitor,
        (asked, named): (&str, &str),
    ) -> Result<Self, Fault> {
        let town = town(site).await?;
        let reach = visitor.who()?.duties.reach(Action::Watch);
        let area: Option<AreaId> = match place::found(&town, reach.as_deref(), named)? {
            None => word(asked)?,
            found => found,
        };
        let area = match (area, &reach) {
            (Some(area), _) if town.schedule.tree.get(&area).is_none() => {
                return Err(ServerError::NoArea(area).into());
            }
            (None, Some(areas)) => Some(areas.first().cloned().ok_or_else(Fault::not_found)?),
            (area, _) => area,
        };
        if let Some(area) = &area
            && !may_here(&town, visitor, Action::Watch, area)
        {
            let who = visitor.who()?;
            let chain = town.schedule.tree.chain(area);
            let denied = who.duties.allow(who.person.id.as_str(), Action::Watch, &chain);
            denied.map_err(ServerError::from)?;
        }
        let choices = options(&town, reach.as_deref(), area.as_ref());
        let offered = place::offered(&town, reach.as_deref(), area.as_ref());
        Ok(Self { town, area, whole: reach.is_none(), choices, offered })
    }

    /// The chosen area, as a field of a query says it.
    pub(super) fn word(&self) -> String {
        self.area.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// What people call the chosen area.
    pub(super) fn name(&self, all: &str) -> String {
        self.area.as_ref().map_or_else(|| all.to_owned(), |area| self.name_of(area))
    }

    /// What people call an area.
    pub(super) fn name_of(&self, area: &AreaId) -> String {
        let held = self.town.schedule.tree.get(area);
        held.map_or_else(|| area.to_string(), |held| held.name.clone())
    }

    /// A village with its commune.
    pub(super) fn village(&self, area: &AreaId) -> String {
        place::name(&self.town, area)
    }

    /// An inquiry about the chosen area.
    pub(super) fn inquiry(&self, days: Days) -> Inquiry {
        Inquiry { from: days.from, until: days.until, area: self.area.clone(), bulletin: None }
    }
}

/// The areas from the province to the communes that somebody may choose, and the one that they
/// chose; villages are too many for a list.
fn options(town: &Town, reach: Option<&[AreaId]>, chosen: Option<&AreaId>) -> Vec<Choice> {
    let tree = &town.schedule.tree;
    let within =
        |chain: &[AreaId]| reach.is_none_or(|areas| areas.iter().any(|area| chain.contains(area)));
    let mut found: Vec<(Vec<AreaId>, Choice)> = Vec::new();
    for area in tree.iter() {
        let chain = tree.chain(&area.id);
        let is_chosen = chosen == Some(&area.id);
        let named = reach.is_some_and(|areas| areas.contains(&area.id));
        if within(&chain) && (area.level != Level::Village || is_chosen || named) {
            let indent = "\u{2003}".repeat(chain.len().saturating_sub(1));
            let (value, name) = (area.id.to_string(), format!("{indent}{}", area.name));
            found.push((chain, Choice { value, name, chosen: is_chosen }));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.into_iter().map(|(_, choice)| choice).collect()
}

/// The days of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) from: LocalDate,
    pub(super) until: LocalDate,
}

impl fmt::Display for Days {
    /// As dates are written in Viet Nam.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |date: LocalDate| date.naive().format("%d/%m/%Y");
        write!(f, "{} – {}", day(self.from), day(self.until))
    }
}

impl Days {
    /// Those that were asked for; `usual` where none were, of the day that was named or today.
    pub(super) fn of(
        site: &Site,
        (from, until): (&str, &str),
        usual: impl FnOnce(LocalDate) -> (LocalDate, LocalDate),
    ) -> Result<Self, Fault> {
        let (from, until): (Option<LocalDate>, Option<LocalDate>) = (word(from)?, word(until)?);
        let today = site.station.config.zone.date(utc_now());
        let usual = usual(until.or(from).unwrap_or(today));
        let (from, until) = (from.unwrap_or(usual.0), until.unwrap_or(usual.1));
        if from > until || (until.naive() - from.naive()).num_days() > DAYS_MAX {
            return Err(Fault::bad(
                "Ngày đầu phải trước ngày cuối và cách nhau tối đa 400 ngày; hãy chọn lại.",
                "The first day comes before the last, at most 400 days apart; choose again.",
            ));
        }
        Ok(Self { from, until })
    }
}

/// What a field says, where it says anything.
pub(super) fn word<T: FromStr>(text: &str) -> Result<Option<T>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let shown: String = text.chars().take(60).collect();
    text.parse().map(Some).map_err(|_| Fault {
        status: axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        vi: format!("Không hiểu `{shown}`; hãy quay lại và chọn trong danh sách."),
        en: format!("`{shown}` is not understood; go back and choose from the list."),
    })
}

/// A query of those pairs that say something.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = said.map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    pairs.join("&")
}

/// The page says that it is busy.
pub(in crate::web) fn busy() -> Fault {
    Fault::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        "Máy chủ đang bận việc nặng; hãy thử lại sau ít giây.",
        "The server is busy with other heavy questions; try again in some seconds.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_was_said_and_nothing_else() {
        assert_eq!(query(&[("a", "1"), ("b", ""), ("c", "x y")]), "a=1&c=x%20y");
    }

    #[test]
    fn an_empty_field_says_nothing_and_a_wrong_one_is_refused() {
        assert_eq!(word::<LocalDate>(" ").unwrap(), None);
        assert!(word::<LocalDate>("2026-02-30").unwrap_err().vi.contains("2026-02-30"));
    }
}
