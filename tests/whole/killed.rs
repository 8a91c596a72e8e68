//! `kill -9` at random moments on each side, with real processes: no receipt is lost, and nothing
//! routine is begun twice.
//!
//! `LOABAN_KILLS=20 cargo test --test whole killed:: -- --nocapture` kills each side twenty times; the
//! last result stands in `docs/reliability.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use loaban::clock::utc_now;
use loaban::time::Zone;

use crate::cast::{
    Process, Station, checkout, free_port, listens, provision, start_controller, start_server,
    wait_for,
};
use crate::weak::recordings;

const CONTROLLER: &str = "mu-ca-1";

/// From one airing to the next, in seconds; each sounds for six.
const BETWEEN_S: u64 = 12;

struct Post {
    station: Station,
    server: Process,
    controller: Process,
}

impl Post {
    /// A station with one controller, at which `airings` airings begin, the first in ten seconds.
    fn new(airings: u64) -> Self {
        let broker: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let web: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let (listen, web_text) = (broker.to_string(), web.to_string());
        let station = Station::init(&["--listen", &listen, "--web", &web_text]);
        station.hire();
        station.fill_from(&recordings(&station, 6));
        let schedule = checkout().join("schedules/demo");
        for file in ["areas.toml", "policy-open.toml"] {
            station.does(&["schedule", "import", schedule.join(file).to_str().unwrap()]);
        }
        provision(&station, CONTROLLER, &format!("mqtt://{broker}"));
        programme(&station, airings);
        let server = start_server(&station);
        listens(web);
        let controller = start_controller(&station, CONTROLLER);
        Self { station, server, controller }
    }

    /// The receipts that the device has sworn, by number: whole lines of its diary.
    fn sworn(&self) -> BTreeMap<u64, String> {
        let diary = self.station.path("devices").join(CONTROLLER).join("state/diary.jsonl");
        let text = fs::read_to_string(diary).unwrap();
        let receipt = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).ok()?;
            let receipt = record["line"].as_str()?.to_owned();
            let parsed: serde_json::Value = serde_json::from_str(&receipt).ok()?;
            Some((parsed["n"].as_u64()?, receipt))
        };
        text.lines().filter_map(receipt).collect()
    }

    /// The receipts that are in the broadcast log, by number.
    fn logged(&self) -> BTreeSet<u64> {
        let entries = self.station.does(&["log", "list", "--json", "--kind", "receipts.taken"]);
        let numbers = entries.lines().flat_map(|line| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let body = &entry["body"];
            body["first"].as_u64().unwrap()..=body["upto"].as_u64().unwrap()
        });
        numbers.collect()
    }
}

fn programme(station: &Station, airings: u64) {
    let clock = |n: u64| {
        let at = utc_now() + Duration::from_secs(10 + n * BETWEEN_S);
        Zone::default().local(at).format("\"%H:%M:%S\"").to_string()
    };
    let times: Vec<String> = (0..airings).map(clock).collect();
    let text = format!(
        "[[programme]]\nid = \"giet\"\ntitle = \"Bản tin ngắn\"\nat = [{}]\n\
         areas = [\"lai-chau\"]\nlanguages = \"every\"\norder = \"bulletin\"\n\
         bulletins = [\"dai\"]\ngap_ms = 300\nlength_max_s = 900\nchime = false\n",
        times.join(", ")
    );
    let path = station.path("programmes.toml");
    fs::write(&path, text).unwrap();
    station.does(&["schedule", "import", path.to_str().unwrap()]);
}

#[test]
fn killed_at_random_moments_nothing_is_lost_and_nothing_is_begun_twice() {
    let kills: u64 = std::env::var("LOABAN_KILLS").map_or(2, |text| text.parse().unwrap());
    let seed = utc_now().micros().unsigned_abs();
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut post = Post::new(kills + 1);
    for _ in 0..kills {
        // Each side once in the time of one airing, at any moment of its half.
        let half = BETWEEN_S * 500;
        let (first, second) = (random.u64(0..half), random.u64(0..half));
        std::thread::sleep(Duration::from_millis(first));
        post.server.kill();
        post.server = start_server(&post.station);
        std::thread::sleep(Duration::from_millis(half - first + second));
        post.controller.kill();
        post.controller = start_controller(&post.station, CONTROLLER);
        std::thread::sleep(Duration::from_millis(half - second));
    }
    let airings = usize::try_from(kills + 1).unwrap();
    wait_for("every receipt in the log", Duration::from_mins(2), || {
        let sworn = post.sworn();
        let told = sworn.values().filter(|receipt| receipt.contains("\"kind\":\"airing\"")).count();
        told >= airings && sworn.keys().all(|n| post.logged().contains(n))
    });
    let sworn = post.sworn();
    let last = sworn.keys().max().copied().unwrap();
    assert!((1..=last).all(|n| sworn.contains_key(&n)), "a hole in what was sworn");
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for receipt in sworn.values().filter(|receipt| receipt.contains("\"kind\":\"airing\"")) {
        let receipt: serde_json::Value = serde_json::from_str(receipt).unwrap();
        let key = receipt["airing"].to_string();
        let times = outcomes.entry(key).or_default();
        *times += 1;
    }
    assert!(outcomes.values().all(|times| *times == 1), "begun or told twice: {outcomes:?}");
    let begun = fs::read_dir(post.station.path("devices").join(CONTROLLER).join("played")).unwrap();
    let begun = begun.count();
    assert!(begun <= airings, "{begun} sounds for {airings} airings");
    assert!(post.station.does(&["log", "verify"]).contains("is right"));
    println!(
        "{kills} kills on each side: {last} receipts sworn, 0 lost; {airings} airings, {begun} begun, \
         0 twice"
    );
}
