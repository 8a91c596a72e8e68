//! `fleet list`: every controller, worst first.

use std::io::IsTerminal;

use crate::cli::print_json;
use crate::clock::utc_now;
use crate::server::{Condition, Fact, Level, Station};
use crate::time::Timestamp;

pub(super) async fn list(station: &Station, json: bool) -> anyhow::Result<()> {
    let (conditions, now) = (station.conditions().await?, utc_now());
    let colour = std::io::stdout().is_terminal();
    for one in &conditions {
        if json {
            let mut line = serde_json::to_value(one)?;
            line["state"] = one.link.en.clone().into();
            line["status"] = serde_json::to_value(one.status.as_ref().map(|row| &row.status))?;
            line["seen"] = serde_json::to_value(one.status.as_ref().map(|row| row.seen))?;
            print_json(&line)?;
        } else {
            say!("{}", words(one, now, colour));
        }
    }
    Ok(())
}

/// Its state by its worst fact, then all four.
fn words(one: &Condition, now: Timestamp, colour: bool) -> String {
    let worst = one.worst();
    let state = format!("{} / {}{}", worst.vi, worst.en, age(worst.since, now));
    let facts = one.facts().map(|(vi, en, fact)| {
        format!(
            "    {} {vi} / {en}: {} / {}{}\n",
            mark(fact),
            fact.vi,
            fact.en,
            age(fact.since, now)
        )
    });
    let state = match (colour, worst.level) {
        (false, _) => state,
        (true, Level::Well) => format!("\x1b[32m{state}\x1b[0m"),
        (true, Level::Unknown) => format!("\x1b[33m{state}\x1b[0m"),
        (true, Level::Bad) => format!("\x1b[1;31m{state}\x1b[0m"),
    };
    format!("{}  {state}\n{}", one.controller, facts.concat())
}

fn mark(fact: &Fact) -> &'static str {
    match fact.level {
        Level::Well => "✓",
        Level::Unknown => "?",
        Level::Bad => "✗",
    }
}

/// How long ago, in the largest unit that is not zero.
fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    let Some(since) = since else { return String::new() };
    let minutes = now.since(since).as_secs() / 60;
    let (n, vi, en) = match minutes {
        0 => return ", vừa xong / just now".to_owned(),
        1..=59 => (minutes, "phút", "min"),
        60..=2_879 => (minutes / 60, "giờ", "h"),
        _ => (minutes / 1_440, "ngày", "d"),
    };
    format!(", {n} {vi} trước / {n} {en} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_a_unit_that_people_use() {
        let now = Timestamp::from_seconds(1_795_000_000);
        let ago = |minutes: u64| age(Some(now - std::time::Duration::from_mins(minutes)), now);
        assert_eq!(ago(0), ", vừa xong / just now");
        assert_eq!(ago(59), ", 59 phút trước / 59 min ago");
        assert_eq!(ago(150), ", 2 giờ trước / 2 h ago");
        assert_eq!(ago(3 * 1_440), ", 3 ngày trước / 3 d ago");
        assert_eq!(age(None, now), "");
    }
}
