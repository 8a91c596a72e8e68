//! `sim`: the simulator.

mod journal;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::cli::print_json;
use crate::cli::sim::journal::{Entry, Journal, Terms};
use crate::clock::Clock;
use crate::sim::{Plan, Signatures, Tally, Verdict, Weather, grouped, run, run_each};
use crate::time::Uptime;

/// Where the last result of a long run stands in a page.
const PLACE: (&str, &str) = ("<!-- result -->\n", "<!-- /result -->");

/// Hold the design's promises against days in which everything fails.
#[derive(Debug, clap::Args)]
pub(super) struct Sim {
    /// The first seed; the same seed and fleet give the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds; more than one are simulated side by side and only their sums are told.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Controllers.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    controllers: u64,
    /// Days of this weather; a calm day follows, in which everything must come right.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    days: u32,
    /// What the days are like.
    #[arg(long, value_enum, default_value_t = Sky::Storm)]
    weather: Sky,
    /// Every so manieth seed signs with Ed25519; the others with a keyed hash in its place.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    real_every: u64,
    /// Seeds simulated side by side; one a core where it is left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// After so many minutes no further seed is begun.
    #[arg(long)]
    minutes: Option<u64>,
    /// Write down each seed in this file, and do not simulate again what stands in it: a long run may be
    /// stopped and go on.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Write the sums into this page, between `<!-- result -->` and `<!-- /result -->`.
    #[arg(long)]
    write: Option<PathBuf>,
    /// One JSON object a seed.
    #[arg(long)]
    json: bool,
}

/// What many seeds came to.
#[derive(Default)]
struct Sums {
    tally: Tally,
    /// Seeds that signed with Ed25519.
    real: u64,
    /// Time on the wall.
    took: Duration,
}

impl Sums {
    fn add(&mut self, real_every: u64, verdict: &Verdict, took: Duration) {
        self.tally.add(verdict);
        self.real += u64::from(verdict.seed.is_multiple_of(real_every));
        self.took += took;
    }
}

/// The weather's word.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sky {
    Calm,
    Storm,
}

impl Sim {
    pub(super) fn run(self) -> anyhow::Result<bool> {
        if self.seeds > 1 || self.write.is_some() || self.journal.is_some() {
            return self.run_many();
        }
        let verdict = run(self.plan(self.seed));
        self.tell(&verdict)?;
        Ok(verdict.holds())
    }

    fn plan(&self, seed: u64) -> Plan {
        let weather = match self.weather {
            Sky::Calm => Weather::Calm,
            Sky::Storm => Weather::Storm,
        };
        let controllers = usize::try_from(self.controllers).unwrap_or(usize::MAX);
        let real = seed.is_multiple_of(self.real_every);
        let signatures = if real { Signatures::Real } else { Signatures::StandIn };
        Plan { seed, controllers, days: self.days, weather, signatures }
    }

    fn tell(&self, verdict: &Verdict) -> anyhow::Result<()> {
        if self.json {
            return print_json(verdict);
        }
        say!("{verdict}");
        Ok(())
    }

    fn run_many(&self) -> anyhow::Result<bool> {
        let clock = Clock::start();
        let elapsed = || clock.now().up.since(Uptime::START);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let limit = self.minutes.map(|minutes| Duration::from_secs(minutes * 60));
        let (mut journal, before) = self.open_journal()?;
        let mut sums = Sums::default();
        for entry in &before {
            sums.add(self.real_every, &entry.verdict, entry.took());
        }
        let done: BTreeSet<u64> = before.iter().map(|entry| entry.verdict.seed).collect();
        let left = self.seeds().filter(|seed| !done.contains(seed));
        let (mut last, mut told) = (Duration::ZERO, Ok(()));
        run_each(left.map(|seed| self.plan(seed)), self.jobs.unwrap_or(cores), |verdict| {
            let now = elapsed();
            let took = now.saturating_sub(std::mem::replace(&mut last, now));
            sums.add(self.real_every, &verdict, took);
            self.progress(&verdict, &sums);
            told = self.note(&verdict, took, journal.as_mut());
            told.is_ok() && limit.is_none_or(|limit| now < limit)
        });
        told?;
        let page = self.page(&sums);
        if !self.json {
            say!("{page}");
        }
        if let Some(path) = &self.write {
            put(path, &page)?;
        }
        Ok(sums.tally.broken.is_empty())
    }

    fn note(
        &self,
        verdict: &Verdict,
        took: Duration,
        journal: Option<&mut Journal>,
    ) -> anyhow::Result<()> {
        if let Some(journal) = journal {
            journal.write(verdict, took)?;
        }
        if self.json || !verdict.holds() {
            self.tell(verdict)?;
        }
        Ok(())
    }

    /// The journal, and what it holds of the seeds that are asked for.
    fn open_journal(&self) -> anyhow::Result<(Option<Journal>, Vec<Entry>)> {
        let Some(path) = &self.journal else { return Ok((None, vec![])) };
        let terms = Terms {
            program: Terms::program()?,
            weather: self.weather_name().to_owned(),
            controllers: self.controllers,
            days: self.days,
            real_every: self.real_every,
        };
        let (journal, entries) = Journal::open(path, terms)?;
        let seeds = self.seeds();
        let asked = entries.into_iter().filter(|entry| seeds.contains(&entry.verdict.seed));
        Ok((Some(journal), asked.collect()))
    }

    fn weather_name(&self) -> &'static str {
        match self.weather {
            Sky::Calm => "calm",
            Sky::Storm => "storm",
        }
    }

    fn seeds(&self) -> std::ops::Range<u64> {
        self.seed..self.seed.saturating_add(self.seeds)
    }

    fn progress(&self, verdict: &Verdict, sums: &Sums) {
        let Sums { tally, took, .. } = sums;
        let word = if verdict.holds() { "held" } else { "BROKEN" };
        eprintln!(
            "seed {} {word}: {} of {} seeds, {} events, {} s",
            verdict.seed,
            tally.seeds,
            self.seeds,
            grouped(tally.events),
            took.as_secs()
        );
    }

    /// The result in words and tables.
    fn page(&self, sums: &Sums) -> String {
        let Sums { tally, real, took } = sums;
        let weather = self.weather_name();
        let (controllers, days, seeds) = (self.controllers, self.days, self.seeds);
        let command = format!(
            "loaban sim --seed {} --seeds {seeds} --controllers {controllers} --days {days} \
             --weather {weather} --real-every {}",
            self.seed, self.real_every
        );
        let verdict = match &tally.broken[..] {
            [] => "Every promise held.".to_owned(),
            broken => format!("**Promises were broken by seeds {broken:?}.**"),
        };
        let seconds = took.as_secs().max(1);
        format!(
            "```text\n{command}\n```\n\n{} of {} seeds were simulated in {} minutes: {} events, {} a second. \
             {real} of them signed with\nEd25519, the others with a keyed hash. {verdict}\n\n{tally}",
            grouped(tally.seeds),
            grouped(seeds),
            seconds.div_ceil(60),
            grouped(tally.events),
            grouped(tally.events / seconds),
        )
    }
}

/// Puts the result into its place in a page.
fn put(path: &Path, result: &str) -> anyhow::Result<()> {
    let name = path.display();
    let page = std::fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
    let (begin, end) = PLACE;
    let parts =
        page.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.with_context(|| format!("{name} has no {begin}{end}"))?;
    std::fs::write(path, format!("{before}{begin}{result}{end}{after}"))
        .with_context(|| format!("writing {name}"))
}
