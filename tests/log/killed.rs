//! A process that writes the log and is killed in the middle of it, again and again.
//!
//! `LOABAN_KILLS=200 cargo test --test log killed` kills it two hundred times.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use loaban::log::{Log, verify};

use crate::cast::{Station, entries, origin, signer};

/// Names the log that the child writes.
const WRITES: &str = "LOABAN_TEST_WRITES_LOG";

/// How often the child is killed where nobody says otherwise.
const KILLS: usize = 20;

/// The child: appends for ever and says what was acknowledged. Run by itself it does nothing.
#[test]
fn child() {
    let Ok(dir) = env::var(WRITES) else { return };
    let mut log = Log::open(Path::new(&dir), signer(), &origin()).unwrap();
    loop {
        let (size, count) = (log.size(), 1 + log.size() * 7 % 61);
        let appended = log.append(&entries(size..size + count)).unwrap();
        println!("acknowledged {}", appended.size);
        std::io::stdout().flush().unwrap();
    }
}

/// Lets the child write until it has said `count` times what was acknowledged, kills it, and
/// returns the last that it said.
fn written_until_killed(dir: &Path, count: usize) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(WRITES, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = said.map_while(Result::ok);
    let mut said = said.filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let acknowledged = said.by_ref().nth(count).expect("the child writes");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts too.
    said.last().unwrap_or(acknowledged)
}

#[test]
fn a_writer_that_is_killed_loses_nothing_that_it_acknowledged() {
    let kills = env::var("LOABAN_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let station = Station::with_entries(3);
    for kill in 0..kills {
        let kept = station.open().checkpoint().clone();
        let acknowledged = written_until_killed(&station.dir(), kill * 7 % 5);
        let log = station.open();
        assert!(log.size() >= acknowledged, "kill {kill}: {} of {acknowledged}", log.size());
        let facts = log.facts_after(0).unwrap();
        let due = (0..log.size()).map(|n| format!("f-{n}"));
        assert!(facts.iter().map(|(_, fact)| fact.as_str()).eq(due), "kill {kill}: {facts:?}");
        let verdict = verify(&station.dir(), &signer().public(), Some(&kept)).unwrap();
        assert!(verdict.is_right(), "kill {kill}: {verdict}");
    }
}
