//! What was planned beside what became of it, read from the store: for the page, the terminal, the
//! machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::calendar::AiringKey;
use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::receipt::Outcome;
use crate::report::{Fate, Line, Sums, sums};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{AiringRow, OutcomeRow};
use crate::time::{Timestamp, Zone};

/// The airings of some time with their fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Every airing.
    pub lines: Vec<Line>,
    /// Their sums.
    pub sums: Sums,
}

impl Station {
    /// The airings that were to begin from `from` until before `until`.
    pub async fn summary(&self, from: Timestamp, until: Timestamp) -> Result<Summary, ServerError> {
        let airings = self.store.airings(from, until).await?;
        let (first, last) = dates(&airings);
        let outcomes = by_key(self.store.outcomes(&first, &last).await?);
        let lines = lines(&airings, &outcomes);
        let sums = sums(&lines);
        Ok(Summary { lines, sums })
    }

    /// The airings of one controller that begin from `from` until before `until`.
    pub async fn lines_at(
        &self,
        controller: &ControllerId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Line>, ServerError> {
        let airings = self.store.airings_at(controller, from, until).await?;
        let (first, last) = dates(&airings);
        let outcomes = self.store.outcomes_at(controller, &first, &last).await?;
        Ok(lines(&airings, &by_key(outcomes)))
    }

    /// The same of several controllers, asked at once.
    pub async fn lines_of(
        &self,
        controllers: &[ControllerId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeMap<ControllerId, Vec<Line>>, ServerError> {
        let airings = self.store.airings_of(controllers, from, until).await?;
        let (first, last) = dates(&airings);
        let outcomes = self.store.outcomes_of(controllers, &first, &last).await?;
        let mut held: BTreeMap<ControllerId, Vec<Line>> = BTreeMap::new();
        for line in lines(&airings, &by_key(outcomes)) {
            held.entry(line.airing.controller.clone()).or_default().push(line);
        }
        Ok(held)
    }
}

/// The first and the last local date among them.
fn dates(airings: &[AiringRow]) -> (String, String) {
    let dates = || airings.iter().map(|airing| airing.key.date.to_string());
    (dates().min().unwrap_or_default(), dates().max().unwrap_or_default())
}

fn by_key(outcomes: Vec<OutcomeRow>) -> BTreeMap<AiringKey, OutcomeRow> {
    outcomes.into_iter().map(|outcome| (outcome.key.clone(), outcome)).collect()
}

fn lines(airings: &[AiringRow], outcomes: &BTreeMap<AiringKey, OutcomeRow>) -> Vec<Line> {
    let now = utc_now();
    airings.iter().map(|airing| line(airing, outcomes.get(&airing.key), now)).collect()
}

fn line(airing: &AiringRow, outcome: Option<&OutcomeRow>, now: Timestamp) -> Line {
    let heard = outcome.map_or_else(Vec::new, |outcome| {
        let whole = outcome.items.iter().filter(|item| item.outcome == Outcome::Completed);
        distinct(whole.map(|item| &item.language))
    });
    let cause = outcome.map(|outcome| outcome.cause.clone()).filter(|cause| !cause.is_empty());
    Line {
        airing: airing.key.clone(),
        at: airing.at,
        languages: distinct(airing.items.iter().map(|item| &item.language)),
        bulletins: distinct(airing.items.iter().map(|item| &item.bulletin)),
        fate: fate(airing, outcome, now),
        cause,
        heard,
        log_index: outcome.and_then(|outcome| outcome.position),
    }
}

fn fate(airing: &AiringRow, outcome: Option<&OutcomeRow>, now: Timestamp) -> Fate {
    if let Some(fate) = outcome.and_then(|outcome| Fate::of_outcome(&outcome.outcome)) {
        return fate;
    }
    if airing.dropped.is_some() {
        return Fate::Dropped;
    }
    if airing.at > now { Fate::Planned } else { Fate::Awaited }
}

fn distinct<'a, T: Clone + PartialEq + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for one in all {
        if !found.contains(one) {
            found.push(one.clone());
        }
    }
    found
}

/// Pixels of the picture.
const WIDTH: i64 = 900;
const LEFT: i64 = 170;
const ROW: i64 = 26;

/// The airings as a picture: a row for each controller, a bar for each airing, its fate in colour
/// and in words.
pub fn timeline_svg(lines: &[Line], zone: Zone) -> String {
    let shown: Vec<&Line> = lines.iter().filter(|line| line.fate != Fate::Dropped).collect();
    let mut rows: Vec<&str> = shown.iter().map(|line| line.airing.controller.as_str()).collect();
    rows.sort_unstable();
    rows.dedup();
    let from = shown.iter().map(|line| line.at.seconds()).min().unwrap_or(0) - 60;
    let until = shown.iter().map(|line| line.at.seconds()).max().unwrap_or(0) + 60;
    let height = 34 + ROW * i64::try_from(rows.len()).unwrap_or(0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Lượt phát theo bộ thu\" font-family=\"sans-serif\" font-size=\"12\">"
    );
    for (n, row) in rows.iter().enumerate() {
        let y = 40 + ROW * i64::try_from(n).unwrap_or(0);
        let _ = write!(svg, "<text x=\"4\" y=\"{y}\">{row}</text>");
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0}\" y2=\"{0}\" stroke=\"#ccc\"/>",
            y + 6
        );
    }
    for line in shown {
        let n = rows.binary_search(&line.airing.controller.as_str()).unwrap_or(0);
        let y = 26 + ROW * i64::try_from(n).unwrap_or(0);
        let x = LEFT + (line.at.seconds() - from) * (WIDTH - LEFT - 120) / (until - from).max(1);
        let time = zone.local(line.at).format("%H:%M:%S");
        let (fill, words) = (colour(line.fate), line.fate.vi());
        let _ = write!(
            svg,
            "<g><title>{} {time}</title><rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"18\" \
             fill=\"{fill}\"/><text x=\"{}\" y=\"{}\">{time} {words}</text></g>",
            line.airing,
            x + 16,
            y + 14
        );
    }
    svg.push_str("</svg>");
    svg
}

fn colour(fate: Fate) -> &'static str {
    match fate {
        Fate::Completed => "#1a7f37",
        Fate::Planned => "#6e7781",
        Fate::Awaited => "#9a6700",
        Fate::Dropped => "#d0d7de",
        Fate::Interrupted | Fate::Preempted => "#bc4c00",
        Fate::Skipped | Fate::Failed => "#cf222e",
    }
}
