//! `sim`: the simulator.

use clap::ValueEnum;

use crate::cli::print_json;
use crate::sim::{Plan, Verdict, Weather, run};

/// Hold the design's promises against days in which everything fails.
#[derive(Debug, clap::Args)]
pub(super) struct Sim {
    /// The first seed; the same seed and fleet give the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other.
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
    /// One JSON object a seed.
    #[arg(long)]
    json: bool,
}

/// The weather's word.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sky {
    Calm,
    Storm,
}

impl Sim {
    pub(super) fn run(self) -> anyhow::Result<bool> {
        let mut all_hold = true;
        for seed in self.seed..self.seed.saturating_add(self.seeds) {
            let verdict = run(self.plan(seed));
            all_hold &= verdict.holds();
            self.tell(&verdict)?;
        }
        Ok(all_hold)
    }

    fn plan(&self, seed: u64) -> Plan {
        let weather = match self.weather {
            Sky::Calm => Weather::Calm,
            Sky::Storm => Weather::Storm,
        };
        let controllers = usize::try_from(self.controllers).unwrap_or(usize::MAX);
        Plan { seed, controllers, days: self.days, weather }
    }

    fn tell(&self, verdict: &Verdict) -> anyhow::Result<()> {
        if self.json {
            return print_json(verdict);
        }
        print!("{verdict}");
        Ok(())
    }
}
