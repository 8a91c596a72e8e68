//! Separate processes on PostgreSQL and on Mosquitto under TLS: `kill -9` of each, one after another, while an
//! airing sounds. Nothing is lost, nothing routine is heard twice, the log verifies and explains
//! the gap.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use loaban::clock::utc_now;
use loaban::time::{Timestamp, Zone};

use crate::cast::{
    Inspector, LOABAN, Postgres, Process, Station, checkout, free_port, listens, provision, ran,
    start_controller, start_server, wait_for,
};

/// The villages that take part, with what is killed while each airing sounds.
const CONTROLLERS: [&str; 3] = ["muong-te-1", "mu-ca-1", "sin-suoi-ho-1"];

/// From one airing to the next: the longest lasts about 40 s.
const BETWEEN: Duration = Duration::from_secs(50);

struct Town {
    station: Station,
    broker: SocketAddr,
    web: SocketAddr,
    inspector: Inspector,
    server: Process,
    mosquitto: Process,
    controllers: BTreeMap<&'static str, Process>,
    _postgres: Postgres,
}

impl Town {
    fn new() -> Self {
        let postgres = Postgres::start();
        let url = postgres.database("town");
        let broker: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let web: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let address = format!("mqtts://{broker}");
        let station =
            Station::init(&["--store", &url, "--broker", &address, "--web", &web.to_string()]);
        station.hire();
        station.fill();
        let schedule = checkout().join("schedules/demo");
        for file in ["areas.toml", "policy-open.toml"] {
            station.does(&["schedule", "import", schedule.join(file).to_str().unwrap()]);
        }
        for controller in CONTROLLERS {
            provision(&station, controller, &address);
        }
        let mosquitto = start_mosquitto_with(&station, broker, &["--tls-name", "127.0.0.1"]);
        let server = start_server(&station);
        listens(web);
        let controllers =
            CONTROLLERS.map(|controller| (controller, start_controller(&station, controller)));
        let controllers = controllers.into();
        let inspector = Inspector::sign_in(&station, web);
        Self {
            station,
            broker,
            web,
            inspector,
            server,
            mosquitto,
            controllers,
            _postgres: postgres,
        }
    }

    /// Loads a programme that airs at these instants.
    fn air_at(&self, times: &[Timestamp]) {
        let zone = Zone::default();
        let text = fs::read_to_string(checkout().join("schedules/demo/programmes.toml")).unwrap();
        let clock = |at: &Timestamp| format!("\"{}\"", zone.local(*at).format("%H:%M:%S"));
        let times: Vec<String> = times.iter().map(clock).collect();
        let line = text.lines().find(|line| line.starts_with("at = ")).unwrap();
        let text = text.replace(line, &format!("at = [{}]", times.join(", ")));
        let path = self.station.path("programmes.toml");
        fs::write(&path, text).unwrap();
        self.station.does(&["schedule", "import", path.to_str().unwrap()]);
    }

    /// Airings of the controllers that take part, begun before `until`: fate and cause of each.
    fn fates(&self, until: Timestamp) -> Vec<(String, String, String)> {
        let summary = self.inspector.summary();
        let lines = summary["lines"].as_array().cloned().unwrap_or_default();
        let told = lines.iter().filter(|line| line["at"].as_i64() < Some(until.micros()));
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        told.map(|line| (word(&line["airing"]), word(&line["fate"]), word(&line["cause"])))
            .collect()
    }

    fn played(&self, controller: &str) -> Vec<PathBuf> {
        let folder = self.station.path("devices").join(controller).join("played");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }

    fn everybody_plays(&self, occurrence: usize) {
        let mark = format!("_{occurrence}.wav");
        wait_for(&format!("airing {occurrence} everywhere"), Duration::from_mins(1), || {
            CONTROLLERS.iter().all(|controller| {
                self.played(controller).iter().any(|file| file.to_str().unwrap().ends_with(&mark))
            })
        });
    }
}

pub fn start_mosquitto(station: &Station, broker: SocketAddr) -> Process {
    let devices = station.path("devices");
    start_mosquitto_with(station, broker, &["--devices", devices.to_str().unwrap()])
}

/// Mosquitto with the files that the station writes for these logins.
pub fn start_mosquitto_with(station: &Station, broker: SocketAddr, logins: &[&str]) -> Process {
    let out = station.path("mosquitto");
    let (out, listen) = (out.to_str().unwrap(), broker.to_string());
    station.does(&[&["mosquitto", "--out", out, "--listen", &listen][..], logins].concat());
    // Mosquitto gives up root before it reads its files.
    ran(Command::new("chmod").args(["-R", "a+rX"]).arg(station.folder.path()));
    let mosquitto = run_mosquitto(station);
    listens(broker);
    mosquitto
}

fn run_mosquitto(station: &Station) -> Process {
    let mut mosquitto = Command::new("/usr/sbin/mosquitto");
    mosquitto.arg("-c").arg(station.path("mosquitto/mosquitto.conf"));
    Process::start(&mut mosquitto, &station.path("mosquitto.log"))
}

#[test]
fn whatever_is_killed_nothing_is_lost_and_nothing_routine_is_heard_twice() {
    let mut town = Town::new();
    let first = utc_now() + Duration::from_secs(15);
    let times = [first, first + BETWEEN, first + 2 * BETWEEN];
    town.air_at(&times);

    // A controller, while it plays.
    town.everybody_plays(0);
    std::thread::sleep(Duration::from_secs(8));
    town.controllers.get_mut("muong-te-1").unwrap().kill();
    town.controllers.insert("muong-te-1", start_controller(&town.station, "muong-te-1"));

    // The server.
    town.everybody_plays(1);
    town.server.kill();
    town.server = start_server(&town.station);
    listens(town.web);

    // The broker, which forgets everything.
    town.everybody_plays(2);
    town.mosquitto.kill();
    town.mosquitto = run_mosquitto(&town.station);
    listens(town.broker);

    let until = times[2] + Duration::from_secs(1);
    wait_for("an outcome of every airing", Duration::from_mins(2), || {
        let fates = town.fates(until);
        let told = |f: &(String, String, String)| f.1 != "awaited" && f.1 != "planned";
        fates.len() == 9 && fates.iter().all(told)
    });
    let killed = "ban-tin-demo/muong-te-1/";
    for (airing, fate, cause) in town.fates(until) {
        if airing.starts_with(killed) && airing.ends_with("/0") {
            assert_eq!((fate.as_str(), cause.as_str()), ("interrupted", "power"), "{airing}");
        } else {
            assert_eq!((fate.as_str(), cause.as_str()), ("completed", ""), "{airing}");
        }
    }
    for controller in CONTROLLERS {
        assert_eq!(town.played(controller).len(), 3, "{controller} began each airing once");
    }
    let verdict = town.station.does(&["log", "verify"]);
    assert!(verdict.contains("is right"), "{verdict}");
    look_at_the_page(&town);
    println!("memory of the server at rest: {} KiB", town.server.memory_kib());
    println!("memory of a controller: {} KiB", town.controllers["mu-ca-1"].memory_kib());
}

/// What Chromium shows of the status page.
fn look_at_the_page(town: &Town) {
    let communes = town.inspector.page("");
    let page = town.inspector.page("areas/muong-te");
    for part in ["muong-te-1", "bị ngắt: mất điện", "Hà Nhì", "1 / 1"] {
        assert!(page.contains(part), "`{part}` is missing in {page}");
    }
    assert!(communes.contains("/areas/muong-te"), "{communes}");
}

#[test]
fn a_second_server_on_the_same_station_is_kept_away() {
    let web = format!("127.0.0.1:{}", free_port());
    let listen = format!("127.0.0.1:{}", free_port());
    let station = Station::init(&["--listen", &listen, "--web", &web]);
    let _server = start_server(&station);
    listens(web.parse().unwrap());
    let output = Command::new(LOABAN).arg("serve").arg("--config").arg(station.config()).output();
    let sentence = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(sentence.contains("one server per store"), "{sentence}");
}

#[test]
fn a_controller_that_starts_many_times_writes_no_receipt_twice() {
    let station = Station::init(&[]);
    let areas = checkout().join("schedules/demo/areas.toml");
    station.does(&["schedule", "import", areas.to_str().unwrap()]);
    let broker = format!("mqtt://127.0.0.1:{}", free_port());
    provision(&station, "mu-ca-1", &broker);
    let folder = station.path("devices/mu-ca-1");
    let config = fs::read_to_string(folder.join("controller.toml")).unwrap();
    fs::write(folder.join("controller.toml"), config.replace("rtc = false", "rtc = true")).unwrap();
    let diary = folder.join("state/diary.jsonl");
    for boot in 1..=4 {
        let mut process = start_controller(&station, "mu-ca-1");
        let mark = format!("\"boot\":{boot}}}");
        wait_for("its start", Duration::from_secs(20), || {
            fs::read_to_string(&diary).is_ok_and(|text| text.contains(&mark))
        });
        // The diary is compacted right after its first records.
        std::thread::sleep(Duration::from_millis(300));
        process.kill();
    }
    let text = fs::read_to_string(&diary).unwrap();
    let numbers: Vec<u64> = text.lines().filter_map(receipt_number).collect();
    assert_eq!(numbers, [1, 2, 3, 4], "{text}");
    assert_eq!(text.matches("\"do\":\"chain\"").count(), 1, "{text}");
}

fn receipt_number(line: &str) -> Option<u64> {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(record["line"].as_str()?).unwrap();
    receipt["n"].as_u64()
}

#[test]
fn a_command_goes_well_on_a_terminal_too() {
    let station = Station::init(&[]);
    // `script` gives it a terminal; its own exit code is the command's.
    let doctor = format!("{LOABAN} doctor --config {}", station.config().display());
    let mut script = Command::new("script");
    let output = ran(script.args(["-qec", &doctor, "/dev/null"]));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("ok  broker"), "{said}");
}
