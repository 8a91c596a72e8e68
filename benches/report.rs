//! What reports and receipts cost.
//!
//! `cargo bench --bench report -- figures`: a year of 5,000 controllers × 20 programmes a day is
//! counted in memory.
//! `cargo bench --bench report -- half-year [MILLIONS [URL]]`: a half-year's form from a database of
//! so many airings with their receipts (5 by default), with the peak of memory.
//! `cargo bench --bench report -- receipts [RECEIPTS [URL]]`: signed receipts taken durably into store
//! and log, beside a raw batch insert with the same signature checks.
//!
//! Without a URL the database is SQLite in a folder of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use loaban::clock::Clock;
use loaban::digest::Digest;
use loaban::dispatch::{Dispatch, Ingest, Input, Output, Pace};
use loaban::fleet::{Area, AreaTree, Level};
use loaban::id::{ControllerId, NetId};
use loaban::note::{Note, Signer};
use loaban::protocol::{Topics, Up, decode, encode};
use loaban::receipt::{BATCH_RECEIPTS_MAX, Batch, Cause, Event, Evidence, ItemReceipt, Outcome};
use loaban::receipt::{Receipt, next_link};
use loaban::report::figures::{Counted, Figures, Slot};
use loaban::report::{Dimension, Fate, Told};
use loaban::server::{Beginning, Inquiry, Scribe, Station, keep_ingest};
use loaban::time::{LocalDate, Timestamp};
use serde_json::value::RawValue;

type Failure = Box<dyn std::error::Error>;

#[global_allocator]
static PEAK: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const CONTROLLERS: u32 = 5_000;
const VILLAGES_IN_COMMUNE: u32 = 50;
const PROGRAMMES: u32 = 20;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number =
        |n: usize, default: u64| words.get(n).and_then(|w| w.parse().ok()).unwrap_or(default);
    let url = words.get(2).map(String::as_str);
    match words.first().map(String::as_str) {
        Some("figures") | None => figures(),
        Some("half-year") => half_year(number(1, 5), url).await,
        Some("receipts") => receipts(number(1, 64_000), url).await,
        Some(other) => {
            Err(format!("`{other}` is not measured here; see the head of this file").into())
        }
    }
}

fn area(id: &str, level: Level, parent: Option<&str>) -> Result<Area, Failure> {
    Ok(Area {
        id: id.parse()?,
        name: id.to_owned(),
        level,
        parent: parent.map(str::parse).transpose()?,
        code: None,
        old_codes: vec![],
        listens: vec![],
        fallback: None,
        tags: vec![],
        position: None,
    })
}

fn commune(n: u32) -> String {
    format!("xa-{:03}", n / VILLAGES_IN_COMMUNE)
}

fn province() -> Result<Vec<Area>, Failure> {
    let mut areas = vec![area("tinh", Level::Province, None)?];
    for n in (0..CONTROLLERS).step_by(VILLAGES_IN_COMMUNE as usize) {
        areas.push(area(&commune(n), Level::Commune, Some("tinh"))?);
    }
    for n in 0..CONTROLLERS {
        areas.push(area(&format!("ban-{n:04}"), Level::Village, Some(&commune(n)))?);
    }
    Ok(areas)
}

/// One airing in twenty is a gap.
fn fate(n: u32) -> Told {
    let fate = if n.is_multiple_of(20) { Fate::Skipped } else { Fate::Completed };
    Told { fate, held: !n.is_multiple_of(40), sensed: false }
}

fn figures() -> Result<(), Failure> {
    let tree = AreaTree::new(province()?)?;
    let first: LocalDate = "2026-01-01".parse()?;
    let mut figures = Figures::new(tree, vec![], first);
    let controllers: Vec<u32> = (0..CONTROLLERS)
        .map(|n| {
            Ok(figures.controller(
                &format!("ban-{n:04}-1").parse()?,
                Some(&format!("ban-{n:04}").parse()?),
            ))
        })
        .collect::<Result<_, Failure>>()?;
    let programmes: Vec<u32> = (0..PROGRAMMES)
        .map(|n| Ok(figures.programme(&format!("ct-{n}").parse()?)))
        .collect::<Result<_, Failure>>()?;
    // Two languages of one of 1,000 bulletins in each airing.
    let orders: Vec<[Slot; 2]> = (0..1_000)
        .map(|n| {
            let bulletin = format!("tin-{n}").parse()?;
            let slot = |f: &mut Figures, language: &str| -> Result<Slot, Failure> {
                Ok(Slot { version: f.version(&bulletin, &language.parse()?), length_ms: 90_000 })
            };
            Ok([slot(&mut figures, "vi")?, slot(&mut figures, "mww")?])
        })
        .collect::<Result<_, Failure>>()?;
    let clock = Clock::start();
    let start = clock.now().up;
    let mut n = 0_u32;
    for day in 0..365 {
        let date = first.plus_days(day);
        for (p, programme) in (0_u32..).zip(&programmes) {
            let order = &orders[(usize::try_from(day)? * 20 + p as usize) % orders.len()];
            for controller in &controllers {
                n += 1;
                let (controller, programme) = (*controller, *programme);
                figures.count(Counted {
                    controller,
                    programme,
                    date,
                    order,
                    told: fate(n),
                    each: None,
                });
            }
        }
    }
    let counted = clock.now().up.since(start);
    let start = clock.now().up;
    let groups: usize = Dimension::ALL.iter().map(|(_, one)| figures.by(*one).len()).sum();
    let cells = figures.cross().len();
    let asked = clock.now().up.since(start);
    println!("{n} airings of {CONTROLLERS} controllers counted in {counted:.2?}");
    println!("{groups} groups of 12 dimensions and {cells} cells asked for in {asked:.2?}");
    println!("peak memory {:.0} MiB", PEAK.peak_usage_as_mb());
    Ok(())
}

/// A station with the province of this file and nothing else.
async fn station(folder: &Path, url: Option<&str>) -> Result<Station, Failure> {
    let store = url.unwrap_or("sqlite:loaban.db");
    let config = format!(
        "net = \"do\"\ndata = \".\"\nstore = \"{store}\"\n[broker]\nlisten = \"127.0.0.1:0\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n"
    );
    let beginning =
        Beginning {
            config: &config, root_area: "tinh".parse()?, passphrase: "bốn từ rất dài"
        };
    let station = Station::init(folder, &beginning).await?;
    let mut text = String::new();
    for area in province()? {
        use std::fmt::Write as _;
        let level = match area.level {
            Level::Province => "province",
            Level::Commune => "commune",
            Level::Village => "village",
        };
        write!(text, "[[area]]\nid = \"{0}\"\nname = \"{0}\"\nlevel = \"{level}\"\n", area.id)?;
        if let Some(parent) = area.parent {
            writeln!(text, "parent = \"{parent}\"")?;
        }
        if area.level == Level::Village {
            write!(text, "[[controller]]\nid = \"{0}-1\"\narea = \"{0}\"\n", area.id)?;
        }
    }
    station.import_schedule(&[("areas.toml".to_owned(), text)]).await?;
    Scribe::open(&station).await?.move_facts(&station.store).await?;
    Ok(station)
}

/// Rows of a half-year, made by the database itself; `rows` airings with their receipts.
fn filled(rows: u64, serial: &str, sqlite: bool) -> String {
    let days = 181;
    let a_day = rows / days;
    let text = |n: &str| format!("cast({n} as text)");
    let padded = |n: &str| {
        if sqlite { format!("printf('%04d', {n})") } else { format!("lpad({}, 4, '0')", text(n)) }
    };
    let controller = format!("'ban-' || {} || '-1'", padded("(i % 5000)"));
    let date = if sqlite {
        format!("date('2026-01-01', (i / {a_day}) || ' days')")
    } else {
        format!("to_char(date '2026-01-01' + (i / {a_day})::int, 'YYYY-MM-DD')")
    };
    let item = "'[{\"bulletin\":\"tin-' || (i / 5000 % 500) || '\",\"language\":\"vi\",\"asset\":\"' || \
        '0000000000000000000000000000000000000000000000000000000000000000' || '\",\"length_ms\":90000}]'";
    let at = format!("1767222000000000 + (i / {a_day}) * 86400000000 + (i % {a_day}) * 1000");
    let key = format!("'ct-' || (i / 5000 % 20), {controller}, {date}, 0");
    format!(
        "insert into fact (id, at, kind, who, body, position)
             select 'f-bench', 1767222000000000, 'receipts.taken', 'server', '{{}}', 900000000;
         insert into airing (programme, controller, date, occurrence, at, latest, manifest, doc)
             select {key}, {at}, {at}, 1, {item} from {serial};
         insert into outcome (programme, controller, date, occurrence, outcome, cause, evidence,
                 begun, ended, doc, fact)
             select {key}, case when i % 20 = 0 then 'skipped' else 'completed' end,
                 case when i % 20 = 0 then 'missing' else '' end, 'rendered', {at}, {at} + 90000000,
                 '[]', 'f-bench' from {serial};"
    )
}

async fn half_year(millions: u64, url: Option<&str>) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let station = station(folder.path(), url).await?;
    let rows = millions * 1_000_000;
    let clock = Clock::start();
    let start = clock.now().up;
    let mut fill = match url {
        None => {
            let serial = format!(
                "(with recursive s(i) as (select 0 union all select i + 1 from s where i < {}) select i from s)",
                rows - 1
            );
            let mut sqlite = Command::new("sqlite3");
            sqlite.arg(folder.path().join("loaban.db")).arg(filled(rows, &serial, true));
            sqlite
        }
        Some(url) => {
            let serial = format!("(select i from generate_series(0, {}) s(i)) s", rows - 1);
            let mut psql = Command::new("psql");
            psql.args(["-q", "-v", "ON_ERROR_STOP=1", url, "-c"]).arg(filled(rows, &serial, false));
            psql
        }
    };
    let output = fill.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    println!("{rows} airings with receipts made in {:.0?}", clock.now().up.since(start));
    PEAK.reset_peak_usage();
    let (from, until) = ("2026-01-01".parse()?, "2026-06-30".parse()?);
    let inquiry = Inquiry { from, until, area: None, bulletin: None };
    let start = clock.now().up;
    let form = station.form("half-year")?;
    let document = station.fill(&form, &inquiry, Dimension::Area, |_| {}).await?;
    let told = document.form.notes.last().cloned().unwrap_or_default();
    println!(
        "half-year form of {} rows in {:.1?}",
        document.rows.len(),
        clock.now().up.since(start)
    );
    println!("{told}\npeak memory {:.0} MiB", PEAK.peak_usage_as_mb());
    Ok(())
}

/// Devices that send receipts.
const DEVICES: usize = 50;

/// Notes that come within one turn of the server, which writes twice a second or more.
const NOTES_A_TURN: usize = 64;

fn device(n: usize) -> Result<(ControllerId, Signer), Failure> {
    let name = format!("ban-{n:04}-1");
    let key = Signer::from_seed(format!("do/device/{name}").parse()?, &[u8::try_from(n)?; 32]);
    Ok((name.parse()?, key))
}

/// Signed notes of `count` receipts, in the order in which they come.
fn notes(net: &NetId, count: u64) -> Result<Vec<(usize, String)>, Failure> {
    let devices: Vec<_> = (0..DEVICES).map(device).collect::<Result<_, _>>()?;
    let (mut links, mut numbers) = (vec![Digest::ZERO; DEVICES], vec![0_u64; DEVICES]);
    let mut notes = Vec::new();
    let a_batch = BATCH_RECEIPTS_MAX as u64;
    for n in 0..usize::try_from(count / a_batch)? {
        let d = n % DEVICES;
        let (controller, signer) = &devices[d];
        let (prev, first) = (links[d], numbers[d] + 1);
        let mut receipts = Vec::new();
        for _ in 0..a_batch {
            numbers[d] += 1;
            let line = receipt(controller, numbers[d])?.line();
            links[d] = next_link(links[d], &line);
            receipts.push(RawValue::from_string(line)?);
        }
        let chain = "0123456789abcdef".to_owned();
        let batch = Batch { controller: controller.clone(), chain, first, kept: 1, prev, receipts };
        notes.push((d, signer.sign(&encode(net, &batch))));
    }
    Ok(notes)
}

fn receipt(controller: &ControllerId, n: u64) -> Result<Receipt, Failure> {
    let seconds = 1_795_000_000 + i64::try_from(n)? * 60;
    let at = Timestamp::from_seconds(seconds);
    let day: LocalDate = "2026-01-01".parse()?;
    let date = day.plus_days(i64::try_from(n / 20)?);
    let programme = format!("ct-{}", n % 20).parse()?;
    let airing = loaban::calendar::AiringKey {
        programme,
        controller: controller.clone(),
        date,
        occurrence: 0,
    };
    let item = ItemReceipt {
        bulletin: "tin-1".parse()?,
        language: "vi".parse()?,
        asset: Digest::ZERO,
        outcome: Outcome::Completed,
    };
    let event = Event::Airing {
        airing,
        manifest: 1,
        outcome: Outcome::Completed,
        cause: None::<Cause>,
        evidence: Evidence::Rendered,
        begun: Some(at),
        ended: Some(at),
        items: vec![item],
    };
    Ok(Receipt { n, at, event })
}

async fn receipts(count: u64, url: Option<&str>) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let station = station(folder.path(), url).await?;
    let net = station.config.net.clone();
    let notes = notes(&net, count)?;
    let clock = Clock::start();
    let beside = format!("sqlite:{}?mode=rwc", folder.path().join("raw.db").display());
    let raw = raw_insert(url.unwrap_or(&beside), &net, &notes, &clock).await?;
    let ours = whole_way(&station, &net, &notes, &clock).await?;
    let rate = |time: Duration| u128::from(count) * 1_000_000_000 / time.as_nanos().max(1);
    println!("{count} receipts in {} signed notes, {NOTES_A_TURN} notes a turn", notes.len());
    println!("raw batch insert with the same signature checks: {:>7}/s ({raw:.1?})", rate(raw));
    println!("store, outcome, fact and log, durable:           {:>7}/s ({ours:.1?})", rate(ours));
    println!("ratio {:.2}", ours.div_duration_f64(raw));
    Ok(())
}

/// What the least careful server would do: check the signature, put the lines into a table.
async fn raw_insert(
    url: &str,
    net: &NetId,
    notes: &[(usize, String)],
    clock: &Clock,
) -> Result<Duration, Failure> {
    let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect(url).await?;
    if url.starts_with("sqlite") {
        sqlx::query("pragma journal_mode = wal").execute(&pool).await?;
        sqlx::query("pragma synchronous = full").execute(&pool).await?;
    }
    let table = "create table raw_receipt (controller text not null, chain text not null,
         n bigint not null, at bigint not null, kind text not null, line text not null,
         fact text not null, primary key (controller, chain, n))";
    sqlx::query(table).execute(&pool).await?;
    let keys: Vec<_> = (0..DEVICES).map(device).collect::<Result<_, _>>()?;
    let keys: Vec<_> = keys.into_iter().map(|(_, signer)| signer.public()).collect();
    let start = clock.now().up;
    for turn in notes.chunks(NOTES_A_TURN) {
        let mut tx = pool.begin().await?;
        for (d, note) in turn {
            let text = Note::parse(note.as_bytes())?.verify([&keys[*d]])?.text;
            let batch: Batch = decode(net, text)?;
            for receipt in batch.read()?.receipts {
                let insert = "insert into raw_receipt (controller, chain, n, at, kind, line, fact)
                     values ($1, $2, $3, $4, $5, $6, $7)";
                sqlx::query(insert)
                    .bind(batch.controller.as_str())
                    .bind(&batch.chain)
                    .bind(i64::try_from(receipt.n)?)
                    .bind(receipt.at.micros())
                    .bind("airing")
                    .bind(receipt.line())
                    .bind("raw")
                    .execute(&mut *tx)
                    .await?;
            }
        }
        tx.commit().await?;
    }
    Ok(clock.now().up.since(start))
}

async fn whole_way(
    station: &Station,
    net: &NetId,
    notes: &[(usize, String)],
    clock: &Clock,
) -> Result<Duration, Failure> {
    let keys = station.online_keys()?;
    let mut dispatch = Dispatch::new(net.clone(), keys.ack, keys.time, Pace::default());
    let devices: Vec<_> = (0..DEVICES).map(device).collect::<Result<_, _>>()?;
    for (controller, signer) in &devices {
        let (controller, key) = (controller.clone(), signer.public());
        dispatch.handle(clock.now(), Input::Controller { controller, key, progress: vec![] });
    }
    let mut scribe = Scribe::open(station).await?;
    let topics = Topics::new(net);
    let start = clock.now().up;
    for turn in notes.chunks(NOTES_A_TURN) {
        let mut ingests: Vec<Ingest> = Vec::new();
        for (d, note) in turn {
            let topic = topics.up(&devices[*d].0, Up::Receipts);
            let payload = note.clone().into_bytes();
            dispatch.handle(clock.now(), Input::Message { topic, payload });
            while let Some(output) = dispatch.poll() {
                if let Output::Ingest(ingest) = output {
                    ingests.push(*ingest);
                }
            }
        }
        let mut tx = station.store.begin().await?;
        for ingest in &ingests {
            keep_ingest(&mut tx, ingest, clock.now().utc).await?;
        }
        tx.commit().await?;
        let (head, _) = scribe.move_facts(&station.store).await?;
        for Ingest { controller, progress, .. } in ingests {
            let (log_size, log_root) = (head.size, head.root);
            dispatch
                .handle(clock.now(), Input::Logged { controller, progress, log_size, log_root });
            while dispatch.poll().is_some() {}
        }
    }
    Ok(clock.now().up.since(start))
}
