//! The planner on a province multiplied: a week, one change, a year's figures, beside the bare
//! limit of writing as many airings into memory.
//!
//! `cargo bench --bench plan -- [CONTROLLERS…]` prints a table in Markdown: 1,000 to 150,000
//! controllers by default. Each size runs in a process of its own, so that its peak memory is its
//! own. The province is made up here: 38 communes, 24 villages in each, five languages in mixture,
//! 20 programmes; where more controllers are asked for than it has villages, the province is there
//! several times over, each with areas of its own.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use loaban::clock::Clock;
use loaban::digest::Digest;
use loaban::fleet::Level;
use loaban::schedule::file::{ScheduleFile, check};
use loaban::schedule::{Airable, Airing, History, Plan, Planner, Sound, World, plan};
use loaban::time::{LocalDate, Timestamp, Zone};

type Failure = Box<dyn std::error::Error>;

/// The curve.
const CONTROLLERS: [usize; 5] = [1_000, 5_000, 20_000, 50_000, 150_000];

const COMMUNES: usize = 38;
const VILLAGES: usize = 24;
const PROGRAMMES: usize = 20;
const BULLETINS: usize = 120;
const LANGUAGES: [&str; 5] = ["mww", "twh", "ium", "hni", "blt"];
const COLUMNS: [&str; 4] = ["Thời sự", "Khuyến nông", "Hỏi đáp pháp luật", "An toàn giao thông"];

/// Runs of each figure; the fastest counts, because whatever else runs only slows it down.
const RUNS: usize = 3;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, count] = &words[..]
        && word == "one"
    {
        return one(count.parse()?);
    }
    let asked: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let sizes = if asked.is_empty() { CONTROLLERS.to_vec() } else { asked };
    println!(
        "| controllers | groups | airings | remarks | week, ms | bare limit, ms | one change, ms | all change, ms | year's figures, ms | peak memory, MiB |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for size in sizes {
        let program = std::env::current_exe()?;
        let output = Command::new(program).args(["one", &size.to_string()]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

/// One row of the table.
fn one(controllers: usize) -> Result<(), Failure> {
    let mut world = world(controllers)?;
    let monday: LocalDate = "2026-11-23".parse()?;
    let (week, whole) = fastest(|| Ok(plan(&world, monday, 7)))?;
    let (bare, copied) = fastest(|| Ok(bare(&whole)))?;
    assert_eq!(copied.len(), whole.airings.len(), "the bare limit writes as much");
    drop(copied);
    let mut planner = Planner::default();
    planner.update(&world, monday, 7);
    let groups = planner.groups();
    let (village, _) = fastest(|| {
        let longer = &mut world.content[0].voices;
        for sound in longer.values_mut() {
            sound.length_ms += 1_000;
        }
        Ok(planner.update(&world, monday, 7).len())
    })?;
    let (all, _) = fastest(|| {
        for airable in &mut world.content {
            airable.voices.values_mut().for_each(|sound| sound.length_ms += 1_000);
        }
        Ok(planner.update(&world, monday, 7).len())
    })?;
    let (year, _) = fastest(|| {
        let mut planner = Planner::default();
        planner.update(&world, "2026-01-01".parse()?, 365);
        Ok(planner.figures())
    })?;
    let (airings, remarks) = (whole.airings.len(), whole.remarks.len());
    let mut row = format!("| {controllers} | {groups} | {airings} | {remarks} ");
    for time in [week, bare, village, all, year] {
        write!(row, "| {:.1} ", time.as_secs_f64() * 1e3)?;
    }
    println!("{row}| {} |", peak_mib()?);
    Ok(())
}

fn fastest<T>(mut work: impl FnMut() -> Result<T, Failure>) -> Result<(Duration, T), Failure> {
    let clock = Clock::start();
    let mut best: Option<(Duration, T)> = None;
    for _ in 0..RUNS {
        // The value of the run before is gone before the next begins: it would count as memory.
        let fastest = best.take().map(|(fastest, _)| fastest);
        let begun = clock.now().up;
        let value = work()?;
        let time = clock.now().up.since(begun);
        best = Some((fastest.map_or(time, |fastest| fastest.min(time)), value));
    }
    best.ok_or_else(|| "no run".into())
}

/// The same number of airings, written one by one and with nothing decided.
fn bare(plan: &Plan) -> Vec<Airing> {
    let mut written = Vec::with_capacity(plan.airings.len());
    for airing in &plan.airings {
        written.push(Airing {
            key: airing.key.clone(),
            items: Arc::clone(&airing.items),
            ..*airing
        });
    }
    written
}

/// The most memory that this process held.
fn peak_mib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no peak")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
    Ok(kib / 1024)
}

fn world(controllers: usize) -> Result<World, Failure> {
    let provinces = controllers.div_ceil(COMMUNES * VILLAGES);
    let mut text = String::new();
    for province in 0..provinces {
        areas(&mut text, province)?;
    }
    let roots: Vec<String> =
        (0..provinces).map(|province| format!("\"tinh-{province}\"")).collect();
    programmes(&mut text, &roots.join(", "))?;
    // A file has a limit; the grammar takes any number of them.
    let files: Result<Vec<ScheduleFile>, _> = parts(&text)
        .iter()
        .enumerate()
        .map(|(i, part)| ScheduleFile::parse(&format!("{i}.toml"), part))
        .collect();
    let columns = COLUMNS.iter().map(|column| column.parse()).collect::<Result<_, _>>()?;
    let mut checked = check(files?, &columns, None)?;
    checked.controllers.truncate(controllers);
    let communes = checked.tree.iter().filter(|area| area.level == Level::Commune).count();
    assert_eq!(communes, provinces * COMMUNES, "every province has its communes");
    Ok(World {
        zone: Zone::default(),
        tree: checked.tree,
        controllers: checked.controllers,
        policies: checked.policies,
        programmes: checked.programmes,
        exceptions: checked.exceptions,
        decisions: Vec::new(),
        content: content()?,
        history: History::default(),
    })
}

/// Parts of at most half a mebibyte that begin with a table of their own.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for table in text.split_inclusive("\n\n") {
        let last = parts.last_mut().expect("there is one");
        if last.len() + table.len() > 512 * 1024 {
            parts.push(String::new());
        }
        parts.last_mut().expect("there is one").push_str(table);
    }
    parts
}

fn areas(text: &mut String, province: usize) -> Result<(), Failure> {
    let tinh = format!("tinh-{province}");
    writeln!(text, "[[area]]\nid = \"{tinh}\"\nname = \"{tinh}\"\nlevel = \"province\"")?;
    writeln!(text, "[[area.listens]]\nlanguage = \"vi\"\n")?;
    policy(text, &tinh, 4)?;
    for commune in 0..COMMUNES {
        let xa = format!("xa-{province}-{commune}");
        writeln!(text, "[[area]]\nid = \"{xa}\"\nname = \"{xa}\"\nlevel = \"commune\"")?;
        writeln!(text, "parent = \"{tinh}\"\n")?;
        if commune % 5 == 0 {
            policy(text, &xa, 2 + commune % 3)?;
        }
        for village in 0..VILLAGES {
            let ban = format!("ban-{province}-{commune}-{village}");
            writeln!(text, "[[area]]\nid = \"{ban}\"\nname = \"{ban}\"\nlevel = \"village\"")?;
            writeln!(text, "parent = \"{xa}\"")?;
            // Most villages speak their commune's language, some another one, some Vietnamese.
            let language = LANGUAGES[(commune + usize::from(village % 4 == 0) * village) % 5];
            if village % 6 != 5 {
                writeln!(text, "[[area.listens]]\nlanguage = \"{language}\"")?;
            }
            writeln!(text, "[[area.listens]]\nlanguage = \"vi\"\n")?;
            writeln!(text, "[[controller]]\nid = \"{ban}\"\narea = \"{ban}\"\n")?;
        }
    }
    Ok(())
}

fn policy(text: &mut String, area: &str, sessions: usize) -> Result<(), Failure> {
    writeln!(text, "[[policy]]\narea = \"{area}\"\nsessions_a_day_max = {sessions}")?;
    writeln!(text, "minutes_a_session_max = 30\nminutes_a_day_max = 60")?;
    for (from, until) in [("05:00", "07:30"), ("17:00", "19:30")] {
        writeln!(text, "[[policy.window]]\ndays = [\"all\"]")?;
        writeln!(text, "from = \"{from}\"\nuntil = \"{until}\"")?;
    }
    writeln!(text)?;
    Ok(())
}

/// Half of them daily, half on some weekdays; every fourth for one language.
fn programmes(text: &mut String, roots: &str) -> Result<(), Failure> {
    for number in 0..PROGRAMMES {
        let (hour, minute) = (if number % 2 == 0 { 5 } else { 17 }, (number * 7) % 60);
        let weekday = ["Mon", "Tue", "Wed", "Thu", "Fri"][number % 5];
        let weekdays = if number < PROGRAMMES / 2 { "*" } else { weekday };
        writeln!(text, "[[programme]]\nid = \"p-{number}\"\ntitle = \"Chương trình {number}\"")?;
        writeln!(text, "cron = \"0 {minute} {hour} * * {weekdays}\"\nareas = [{roots}]")?;
        match number % 4 {
            0 => writeln!(text, "bulletins = [\"b-{number}\", \"b-{}\"]", number + 40)?,
            _ => writeln!(text, "newest = \"{}\"", COLUMNS[number % 4])?,
        }
        if number % 4 == 3 {
            writeln!(text, "only_listening = [\"{}\"]", LANGUAGES[number % 5])?;
        }
        writeln!(text, "length_max_s = 900\nchime = true\n")?;
    }
    Ok(())
}

/// Each bulletin in Vietnamese, most in most of the other languages.
fn content() -> Result<Vec<Airable>, Failure> {
    let noon = Timestamp::parse_rfc3339("2026-01-01T12:00:00+07:00").ok_or("a time")?;
    let airable = |number: usize| -> Result<Airable, Failure> {
        let spoken = LANGUAGES.iter().enumerate().filter(|(i, _)| !(number + i).is_multiple_of(4));
        let voices = spoken.map(|(_, language)| *language).chain(["vi"]).map(|language| {
            let asset = Digest::of(format!("{number}/{language}").as_bytes());
            let length_ms = 60_000 + 1_000 * (number as u64 % 90);
            let approved_at = noon - Duration::from_hours(number as u64);
            Ok((language.parse()?, Sound { asset, length_ms, approved_at }))
        });
        Ok(Airable {
            bulletin: format!("b-{number}").parse()?,
            column: COLUMNS[number % 4].parse()?,
            class: loaban::bulletin::Class::Normal,
            source_level: loaban::bulletin::SourceLevel::Province,
            valid_from: noon - Duration::from_hours(24 * 365),
            valid_until: noon + Duration::from_hours(24 * 400),
            voices: voices.collect::<Result<_, Failure>>()?,
            pending: std::collections::BTreeMap::new(),
        })
    };
    (0..BULLETINS).map(airable).collect()
}
