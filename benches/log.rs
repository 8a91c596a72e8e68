//! The broadcast log beside a plain hash chain over the same bytes, in memory and durable.
//!
//! `cargo bench --bench log -- [ENTRIES [BATCH]]`: 100,000 entries in batches of 1,000 by default.

use loaban::clock::Clock;
use loaban::log::race::race;

/// Entries by default: a province's receipts of about a week.
const ENTRIES: u64 = 100_000;

/// Entries under one checkpoint by default.
const BATCH: u64 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let number = |n: usize, default: u64| numbers.get(n).copied().unwrap_or(default);
    let clock = Clock::start();
    let folder = tempfile::tempdir()?;
    let race = race(folder.path(), number(0, ENTRIES), number(1, BATCH), || clock.now().up)?;
    println!("{race}");
    Ok(())
}
