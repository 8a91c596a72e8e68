//! What the demonstration shows: a live table, then the airings, the gaps and where to look next.

use std::io::IsTerminal;
use std::path::Path;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::demo::village::Village;
use crate::clock::utc_now;
use crate::report::{Fate, cause_vi};
use crate::schedule::Plan;
use crate::server::{ServerError, Station, Summary};
use crate::time::{Timestamp, Zone};

/// The live table: a row for each village on a terminal, a line for each change elsewhere.
pub(super) struct Show {
    at: Timestamp,
    table: MultiProgress,
    rows: Vec<ProgressBar>,
    live: bool,
    last: Vec<String>,
}

impl Show {
    pub(super) fn new(villages: &[Village], at: Timestamp, zone: Zone) -> Self {
        eprintln!("airtime at {}", zone.local(at).format("%H:%M:%S"));
        let table = MultiProgress::new();
        let style = ProgressStyle::with_template("{prefix:34} {bar:20} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let row = |village: &Village| {
            let languages: Vec<&str> =
                village.languages.iter().map(crate::lang::LangTag::as_str).collect();
            let row = table.add(ProgressBar::new(1).with_style(style.clone()));
            row.set_prefix(format!("{} [{}]", village.name, languages.join(" ")));
            row
        };
        let rows = villages.iter().map(row).collect();
        let live = std::io::stderr().is_terminal();
        Self { at, table, rows, live, last: vec![String::new(); villages.len()] }
    }

    pub(super) fn draw(&mut self, villages: &[Village]) {
        for ((row, village), last) in self.rows.iter().zip(villages).zip(&mut self.last) {
            let glance = village.glance();
            let (part, parts) = glance.part;
            row.set_length(parts.max(1) as u64);
            row.set_position(part as u64);
            let line = words(village, self.at);
            if self.live {
                row.set_message(line);
            } else if *last != line && !line.starts_with("in ") {
                eprintln!("  {:<26} {line}", village.name);
                *last = line;
            }
        }
    }

    pub(super) fn say(&self, sentence: &str) {
        self.table.suspend(|| eprintln!("— {sentence}"));
    }

    pub(super) fn end(&self) {
        for row in &self.rows {
            row.finish();
        }
    }
}

fn words(village: &Village, at: Timestamp) -> String {
    let glance = village.glance();
    let link = if glance.online { "" } else { " (no link)" };
    if let Some(language) = &glance.language {
        return format!("{} ({language}){link}", language.name_vi());
    }
    if glance.playing.is_some() {
        return format!("♪{link}");
    }
    if village.has_played() {
        return format!("done, {} receipts wait{link}", glance.receipts_waiting);
    }
    if !village.is_stocked() {
        return format!("fetching{link}");
    }
    format!("in {} s{link}", at.since(utc_now()).as_secs())
}

/// The log of airings, on standard error: standard output is the machine's.
pub(super) fn airings(summary: &Summary, zone: Zone) {
    eprintln!("\nLượt phát / airings");
    for line in summary.lines.iter().filter(|line| line.fate != Fate::Dropped) {
        let heard: Vec<&str> = line.heard.iter().map(crate::lang::LangTag::as_str).collect();
        let cause = line.cause.as_deref().map(cause_vi).unwrap_or_default();
        let index = line.log_index.map(|n| format!("log {n}")).unwrap_or_default();
        eprintln!(
            "  {}  {:<16} {:<14} {:<22} {:<12} {:<8} {cause}",
            zone.local(line.at).format("%H:%M:%S"),
            line.airing.controller,
            line.airing.programme,
            heard.join(" "),
            line.fate.as_str(),
            index,
        );
    }
}

/// What was not heard, and why.
pub(super) fn gaps(summary: &Summary, plan: &Plan) {
    eprintln!("\nThiếu và vì sao / gaps and their cause");
    for (gap, count) in &summary.sums.other {
        eprintln!("  {gap}: {count}");
    }
    for remark in &plan.remarks {
        eprintln!("  {remark}");
    }
    if summary.sums.other.is_empty() && plan.remarks.is_empty() {
        eprintln!("  –");
    }
}

/// The pages, and how each of the cast opens them.
pub(super) async fn doors(station: &Station, web: &str) -> Result<(), ServerError> {
    eprintln!(
        "\nThe pages: {web}/  — Ctrl-C ends them. To sign in, open one link and choose a password"
    );
    eprintln!("(each counts once; `loaban person invite` makes another):");
    for person in station.store.people().await? {
        let code = station.invite(&person.id, None).await?;
        eprintln!("  {:<14} {:<10} {web}/invitation?code={code}", person.name, person.roles);
    }
    Ok(())
}

pub(super) fn next_steps(dir: &Path) {
    let dir = dir.display();
    eprintln!("\nWhere to look next");
    eprintln!("  what each village played   {dir}/villages/*/played/*.wav");
    eprintln!("  the log                    loaban log list --config {dir}/loaban.toml");
    eprintln!("  is it whole?               loaban log verify --config {dir}/loaban.toml");
}
