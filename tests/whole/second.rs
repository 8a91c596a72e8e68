//! The second controller: `tests/controller/`, written in Python from `docs/protocol.md` alone, in
//! the place of ours. Real server, both brokers; Debian's own Python, which has what it needs as
//! packages.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use loaban::broker::Relay;
use loaban::clock::utc_now;
use loaban::time::{Timestamp, Zone};

use crate::cast::{
    Inspector, Process, Station, checkout, configure, enrol, free_port, listens, ran, start_server,
    wait_for,
};
use crate::demo::heard;
use crate::processes::start_mosquitto;

/// Debian's Python; another one on the path need not have the packages.
const PYTHON: &str = "/usr/bin/python3";
const CONTROLLER: &str = "khong-lao-1";
/// What its village hears: S is the landslide bulletin, T the vaccination notice.
const EXPECTED: [&str; 4] = ["S.twh", "S.vi", "T.twh", "T.vi"];
/// Blocks small and slow enough to be met in the middle of a fetch: one KiB each half second.
const SLOW: &str = "\n[fanout]\nblock_kib = 1\nkbit_s = 16\n";

enum Kind {
    Embedded,
    /// The embedded broker's door for TLS.
    Door,
    Mosquitto,
}

/// A station with one village, whose controller is the second one.
struct Village {
    station: Station,
    inspector: Inspector,
    broker: SocketAddr,
    /// Server and Mosquitto, for as long as the village lasts.
    #[expect(dead_code, reason = "held so that they end with the test")]
    background: (Process, Option<Process>),
    controller: Option<Process>,
}

impl Village {
    /// Everything but the controller runs; it will reach the broker at `through`.
    fn new(kind: &Kind, broker: SocketAddr, through: SocketAddr) -> Self {
        let web: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let (web_text, broker_text) = (web.to_string(), broker.to_string());
        let url = format!("mqtt://{broker}");
        let station = match kind {
            Kind::Embedded => Station::init(&["--listen", &broker_text, "--web", &web_text]),
            Kind::Door => {
                let station = Station::init(&["--web", &web_text]);
                let config = fs::read_to_string(station.config()).unwrap();
                let door = format!("tls_listen = \"{broker}\"\nnames = [\"127.0.0.1\"]");
                let config = config.replace("listen = \"127.0.0.1:1883\"", &door);
                fs::write(station.config(), config).unwrap();
                station
            }
            Kind::Mosquitto => Station::init(&["--broker", &url, "--web", &web_text]),
        };
        let config = fs::read_to_string(station.config()).unwrap();
        fs::write(station.config(), config + SLOW).unwrap();
        station.hire();
        station.fill();
        let schedule = checkout().join("schedules/demo");
        for file in ["areas.toml", "policy-open.toml"] {
            station.does(&["schedule", "import", schedule.join(file).to_str().unwrap()]);
        }
        let scheme = if matches!(kind, Kind::Door) { "mqtts" } else { "mqtt" };
        let (_, code) = configure(&station, CONTROLLER, &format!("{scheme}://{through}"));
        enrol(&station, CONTROLLER, &code, &mut python());
        let mosquitto = match kind {
            Kind::Embedded | Kind::Door => None,
            Kind::Mosquitto => Some(start_mosquitto(&station, broker)),
        };
        let server = start_server(&station);
        listens(web);
        let inspector = Inspector::sign_in(&station, web);
        listens(broker);
        Self { station, inspector, broker, background: (server, mosquitto), controller: None }
    }

    /// The same with nothing between controller and broker.
    fn direct(kind: &Kind) -> Self {
        let broker = ([127, 0, 0, 1], free_port()).into();
        Self::new(kind, broker, broker)
    }

    fn device(&self) -> PathBuf {
        self.station.path("devices").join(CONTROLLER)
    }

    fn start_controller(&mut self) {
        let mut command = python();
        command.arg("--config").arg(self.device().join("controller.toml"));
        self.controller = Some(Process::start(&mut command, &self.device().join("log")));
    }

    /// One airing so long from now; the recordings need about ten seconds to arrive.
    fn air_in(&self, seconds: u64) -> Timestamp {
        let at = utc_now() + Duration::from_secs(seconds);
        let text = fs::read_to_string(checkout().join("schedules/demo/programmes.toml")).unwrap();
        let line = text.lines().find(|line| line.starts_with("at = ")).unwrap();
        let clock = Zone::default().local(at).format("%H:%M:%S").to_string();
        let text = text.replace(line, &format!("at = [\"{clock}\"]"));
        let path = self.station.path("programmes.toml");
        fs::write(&path, text).unwrap();
        self.station.does(&["schedule", "import", path.to_str().unwrap()]);
        at + Duration::from_secs(1)
    }

    /// Fate and cause of the airing of this village that begins before `until`, once it is told.
    fn fate(&self, until: Timestamp) -> (String, String) {
        let mut told = None;
        wait_for("the outcome of the airing", Duration::from_mins(2), || {
            let page = self.inspector.summary();
            let lines = page["lines"].as_array().cloned().unwrap_or_default();
            let own = lines.iter().find(|line| {
                let airing = line["airing"].as_str().unwrap_or_default();
                line["at"].as_i64() < Some(until.micros()) && airing.contains(CONTROLLER)
            });
            told = own.map(|line| (word(&line["fate"]), word(&line["cause"])));
            told.as_ref().is_some_and(|(fate, _)| fate != "awaited" && fate != "planned")
        });
        told.unwrap()
    }

    fn files(&self, folder: &str, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.device().join(folder)).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.extension().is_some_and(|e| e == ending)).collect()
    }

    fn log_says(&self, word: &str) -> bool {
        fs::read_to_string(self.device().join("log")).is_ok_and(|text| text.contains(word))
    }

    /// Receipts of one kind out of the broadcast log.
    fn receipts(&self, kind: &str) -> Vec<String> {
        let entries = self.station.does(&["log", "list", "--json", "--kind", "receipts.taken"]);
        let mark = format!("kind\\\":\\\"{kind}\\\"");
        entries.lines().filter(|line| line.contains(&mark)).map(str::to_owned).collect()
    }

    fn log_verifies(&self) {
        let verdict = self.station.does(&["log", "verify"]);
        assert!(verdict.contains("is right"), "{verdict}");
    }

    /// A client with the rights of the server: what whoever holds the broker can do.
    fn intruder(&self, program: &str) -> Command {
        let password = self.station.path("station/keys/online/broker-password");
        let password = fs::read_to_string(password).unwrap();
        // Line by line, also into a file that is read while it is written.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", program]);
        let port = self.broker.port().to_string();
        command.args(["-h", "127.0.0.1", "-p", &port, "-u", "server", "-P", password.trim()]);
        command.args(["-i", &format!("server-{program}")]);
        command
    }
}

/// Lines of each log that a failure shows.
const LAST_LINES: usize = 40;

/// A failure is understood from what both sides said last.
impl Drop for Village {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = ["server.log", "wants", "devices/khong-lao-1/log"];
            for log in logs.map(|log| self.station.path(log)) {
                let text = fs::read_to_string(&log).unwrap_or_default();
                let from = text.lines().count().saturating_sub(LAST_LINES);
                let last: Vec<&str> = text.lines().skip(from).collect();
                println!("{}:\n{}", log.display(), last.join("\n"));
            }
        }
    }
}

fn python() -> Command {
    let mut command = Command::new(PYTHON);
    command.arg("-B").arg(checkout().join("tests/controller/controller.py"));
    command
}

fn word(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The recordings of the station as the second controller decodes them, by short name.
fn recordings(station: &Station) -> BTreeMap<String, Vec<i16>> {
    let list = station.does(&["bulletin", "list", "--json"]);
    let versions = list.lines().map(|line| {
        let version: serde_json::Value = serde_json::from_str(line).unwrap();
        let letter = if version["bulletin"] == "lich-tiem-chung" { "T" } else { "S" };
        let name = format!("{letter}.{}", version["language"].as_str().unwrap());
        let asset = format!("station/assets/{}.opus", version["asset"].as_str().unwrap());
        (name, samples(&station.path(&asset)))
    });
    versions.collect()
}

fn samples(path: &Path) -> Vec<i16> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args(["-f", "s16le", "-ac", "1", "-ar", "16000"]);
    let bytes = ran(ffmpeg.arg("-")).stdout;
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn the_rules_of_the_second_controller_hold() {
    let mut tests = Command::new(PYTHON);
    let folder = checkout().join("tests/controller");
    ran(tests.current_dir(folder).args(["-B", "-m", "unittest", "test_controller"]));
}

#[test]
fn a_controller_written_from_the_manual_alone_plays_what_was_planned() {
    let mut village = Village::direct(&Kind::Door);
    let until = village.air_in(20);
    village.start_controller();
    assert_eq!(village.fate(until), ("completed".to_owned(), String::new()));
    let played = village.files("played", "wav");
    let [file] = &played[..] else { panic!("it plays once: {played:?}") };
    assert_eq!(heard(file.to_str().unwrap(), &recordings(&village.station)), EXPECTED);
    assert_eq!(village.receipts("airing").len(), 1);
    village.log_verifies();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cut_in_the_middle_of_a_fetch_it_asks_for_what_is_missing_alone() {
    let broker = ([127, 0, 0, 1], free_port()).into();
    let relay = Relay::start(broker).await.unwrap();
    let mut village = Village::new(&Kind::Embedded, broker, relay.address());
    let wants = village.station.path("wants");
    let mut eye = village.intruder("mosquitto_sub");
    eye.args(["-t", "loaban/1/thu/c/+/want"]);
    let _eye = Process::start(&mut eye, &wants);
    let until = village.air_in(50);
    village.start_controller();
    let half = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() > 3 * 1024);
    wait_for("half of the recordings", Duration::from_secs(30), || {
        village.files("state/assets", "part").iter().filter(|path| half(path)).count() == 4
    });
    relay.cut();
    wait_for("the loss of the link", Duration::from_mins(1), || village.log_says("link down"));
    // By then the server has sent all that was asked for before: a block each half second.
    std::thread::sleep(Duration::from_secs(8));
    relay.restore();
    assert_eq!(village.fate(until), ("completed".to_owned(), String::new()));
    let asked = blocks_asked_for(&fs::read_to_string(wants).unwrap());
    assert_eq!(asked.len(), 4);
    for (asset, blocks) in asked {
        assert!(blocks.len() > 1, "{asset} was asked for once");
        assert!(blocks[blocks.len() - 1] + 2 < blocks[0], "{asset}: {blocks:?}");
    }
    village.log_verifies();
}

/// How many blocks each question asked for, in the order of the questions.
fn blocks_asked_for(wants: &str) -> BTreeMap<String, Vec<u32>> {
    let mut asked: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for line in wants.lines().filter(|line| line.starts_with('{')) {
        let want: serde_json::Value = serde_json::from_str(line).unwrap();
        if want["info"] == false {
            let digits = want["missing"].as_str().unwrap().chars();
            let blocks = digits.map(|digit| digit.to_digit(16).unwrap().count_ones()).sum();
            asked.entry(word(&want["asset"])).or_default().push(blocks);
        }
    }
    asked
}

#[test]
fn a_kill_while_it_plays_is_sworn_to_as_a_power_cut_and_nothing_is_heard_twice() {
    let mut village = Village::direct(&Kind::Mosquitto);
    let until = village.air_in(20);
    village.start_controller();
    wait_for("sound", Duration::from_secs(40), || {
        let recordings = village.device().join("state/diary.jsonl");
        fs::read_to_string(recordings).is_ok_and(|text| text.contains("\"do\": \"item\""))
    });
    village.controller.as_mut().unwrap().kill();
    let before = fs::metadata(&village.files("played", "wav")[0]).unwrap().modified().unwrap();
    village.start_controller();
    assert_eq!(village.fate(until), ("interrupted".to_owned(), "power".to_owned()));
    let played = village.files("played", "wav");
    assert_eq!(played.len(), 1);
    assert_eq!(fs::metadata(&played[0]).unwrap().modified().unwrap(), before);
    let receipt = &village.receipts("airing")[0];
    let outcomes = ["completed", "interrupted", "interrupted", "interrupted"];
    let told: Vec<&str> = receipt.split("outcome\\\":\\\"").skip(2).collect();
    let words = told.iter().map(|rest| rest.split('\\').next().unwrap());
    assert!(words.eq(outcomes), "{receipt}");
    village.log_verifies();
}

#[test]
fn what_was_tampered_with_is_refused_and_the_refusal_is_in_the_log() {
    let mut village = Village::direct(&Kind::Mosquitto);
    let until = village.air_in(25);
    village.start_controller();
    let parts = || village.files("state/assets", "part");
    wait_for("the first blocks", Duration::from_secs(30), || !parts().is_empty());
    // Its last block is still to come: whole ones are no longer called `.part`.
    let part = parts().pop().unwrap();
    let digest = part.file_stem().unwrap().to_str().unwrap();
    let mut block = village.intruder("mosquitto_pub");
    block.args(["-t", &format!("loaban/1/thu/asset/{digest}/6"), "-m", "not what was signed"]);
    ran(&mut block);
    let topic = format!("loaban/1/thu/c/{CONTROLLER}/manifest");
    let note = fs::read_to_string(village.device().join("state/manifest.note")).unwrap();
    // A newer manifest, from whoever holds the broker; once with its signature torn off.
    let tampered = note.replacen("\"number\":1", "\"number\":2", 1);
    assert_ne!(tampered, note);
    for text in [tampered.as_str(), tampered.split('\n').next().unwrap()] {
        let file = village.station.path("tampered");
        fs::write(&file, text).unwrap();
        ran(village.intruder("mosquitto_pub").args(["-t", &topic, "-f"]).arg(&file));
    }
    wait_for("the refusals in the log", Duration::from_secs(30), || {
        let refusals = village.receipts("refusal").concat();
        let said = [format!("asset/{digest}/6"), "is wrong".to_owned(), "no signatures".to_owned()];
        said.iter().all(|word| refusals.contains(word))
    });
    // It changes nothing else: the airing is heard as it was planned.
    assert_eq!(village.fate(until), ("completed".to_owned(), String::new()));
    village.log_verifies();
}
