//! A week in the life of three loudspeakers, with real processes: provisioned, cut off for two days, ten
//! power cuts, one revoked, another in its place. The log explains every gap.
//!
//! `LOABAN_WEEK=full cargo test --test whole week:: -- --nocapture` is the week; its last result stands in
//! `docs/controller.md`. With the tests runs what is most different of it, in four airings. The hours in
//! which nothing is due are skipped: `loaban::clock::STAGE`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use loaban::clock::utc_now;
use loaban::time::{LocalDate, Timestamp, Zone};

use crate::cast::{
    CONTROLLER, Process, Station, ask_enrolment, checkout, configure, enrol, free_port, listens,
    start_controller, start_server, wait_for,
};
use crate::weak::{Narrow, recordings};

const A: &str = "muong-te-1";
const B: &str = "mu-ca-1";
const C: &str = "sin-suoi-ho-1";
const ALL: [&str; 3] = [A, B, C];

/// How long each airing sounds, in seconds.
const SPEECH_S: u32 = 5;

/// What befalls a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// `kill -9`, and at once a new start.
    PowerCut(&'static str),
    PowerOff(&'static str),
    PowerOn(&'static str),
    NetworkCut(&'static str),
    NetworkBack(&'static str),
    Revoke(&'static str),
    Replace(&'static str),
}

use Blow::{NetworkBack, NetworkCut, PowerCut, PowerOff, PowerOn, Replace, Revoke};

/// One airing, what befalls before, in the midst of it and half an hour after, and who does not play it
/// to its end, with what the report must say.
struct Slot {
    before: &'static [Blow],
    midst: &'static [Blow],
    after: &'static [Blow],
    gaps: &'static [(&'static str, &'static str)],
}

const CUT: &str = "bị ngắt: mất điện";
const OFF: &str = "không phát: mất điện";
const CLOCK: &str = "không phát: đồng hồ chưa tin cậy";
const REVOKED: &str = "không có biên nhận: thiết bị đã bị thu hồi";
const NEVER: &str = "không có biên nhận: chưa từng lắp thiết bị";

/// Controllers of the schedule for which nobody provisioned a device.
const NEVER_SET_UP: [&str; 4] = ["doan-ket-1", "khong-lao-1", "muong-kim-1", "si-lo-lau-1"];

const fn slot(
    before: &'static [Blow],
    midst: &'static [Blow],
    after: &'static [Blow],
    gaps: &'static [(&'static str, &'static str)],
) -> Slot {
    Slot { before, midst, after, gaps }
}

/// A morning and an evening of each day. The device of B is stolen on the fifth day.
const WEEK: [Slot; 14] = [
    slot(&[], &[], &[], &[]),
    slot(&[], &[PowerCut(A)], &[], &[(A, CUT)]),
    slot(&[PowerOff(B)], &[], &[PowerOn(B)], &[(B, OFF)]),
    slot(&[], &[PowerCut(C)], &[], &[(C, CUT)]),
    slot(&[NetworkCut(C)], &[PowerCut(A)], &[], &[(A, CUT)]),
    slot(&[], &[], &[], &[]),
    slot(&[PowerCut(C)], &[], &[], &[(C, CLOCK)]),
    slot(&[], &[], &[], &[(C, CLOCK)]),
    slot(&[NetworkBack(C)], &[PowerCut(B)], &[], &[(B, CUT)]),
    slot(&[Revoke(B)], &[PowerCut(A)], &[], &[(A, CUT), (B, REVOKED)]),
    slot(&[], &[PowerCut(C)], &[Replace(B)], &[(B, REVOKED), (C, CUT)]),
    slot(&[], &[], &[], &[]),
    slot(&[PowerOff(A)], &[], &[PowerOn(A)], &[(A, OFF)]),
    slot(&[], &[PowerCut(B)], &[], &[(B, CUT)]),
];

/// What is most different of it, an airing a day.
const SHORT: [Slot; 4] = [
    slot(&[NetworkCut(C)], &[PowerCut(A)], &[], &[(A, CUT)]),
    slot(&[PowerOff(A)], &[], &[PowerOn(A)], &[(A, OFF)]),
    slot(&[NetworkBack(C), Revoke(B)], &[], &[Replace(B)], &[(B, REVOKED)]),
    slot(&[], &[], &[], &[]),
];

struct Valley {
    station: Station,
    stage: PathBuf,
    first: LocalDate,
    /// Local times of a day's airings.
    times: &'static [&'static str],
    links: BTreeMap<&'static str, Narrow>,
    processes: BTreeMap<&'static str, Process>,
    server: Process,
    power_cuts: usize,
    #[expect(dead_code, reason = "held so that the stage ends with the test")]
    stage_folder: tempfile::TempDir,
}

impl Valley {
    /// Three provisioned loudspeakers and their station, in the night before the first day, which lies
    /// so far back that the last one is over today.
    fn new(times: &'static [&'static str], days: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stage = folder.path().join("ahead");
        let first = Zone::default().date(utc_now()).plus_days(-days);
        move_to(&stage, Zone::default().midnight(first) + Duration::from_hours(3));
        let broker: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let web: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let (listen, web_text) = (broker.to_string(), web.to_string());
        let station =
            Station::init_on(Some(stage.clone()), &["--listen", &listen, "--web", &web_text]);
        station.hire();
        let operator = ["person", "add", "quan", "--name", "Lý A Quân", "--duties", "operator"];
        station.does(&operator);
        station.fill_from(&recordings(&station, SPEECH_S));
        let schedule = checkout().join("schedules/demo");
        for file in ["areas.toml", "policy-open.toml"] {
            station.does(&["schedule", "import", schedule.join(file).to_str().unwrap()]);
        }
        programme(&station, times);
        let links = ALL.map(|id| (id, Narrow::start(broker, 100_000)));
        let links = BTreeMap::from(links);
        for (id, link) in &links {
            let (_, code) = configure(&station, id, &format!("mqtt://{}", link.address));
            enrol(&station, id, &code, &mut station.program(CONTROLLER));
        }
        let server = start_server(&station);
        listens(web);
        let processes = ALL.map(|id| (id, start_controller(&station, id))).into();
        let (power_cuts, stage_folder) = (0, folder);
        let valley = Self {
            station,
            stage,
            first,
            times,
            links,
            processes,
            server,
            power_cuts,
            stage_folder,
        };
        wait_for("everybody's recordings", Duration::from_mins(1), || {
            ALL.iter().all(|id| valley.folder(id).join("state/manifest.note").exists())
                && ALL.iter().all(|id| valley.files(id, "state/assets", ".opus") >= 1)
        });
        valley
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.station.path("devices").join(id)
    }

    fn files(&self, id: &str, below: &str, ending: &str) -> usize {
        let files = fs::read_dir(self.folder(id).join(below)).into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_str().is_some_and(|n| n.ends_with(ending))).count()
    }

    /// When the airing of this slot begins, and the ending of its WAV files.
    fn airing(&self, n: usize) -> (Timestamp, String) {
        let (day, occurrence) = (n / self.times.len(), n % self.times.len());
        let date = self.first.plus_days(i64::try_from(day).unwrap());
        let local = format!("{date}T{}", self.times[occurrence]).parse().unwrap();
        let at = Zone::default().instant(local).unwrap();
        (at, format!("_{date}_{occurrence}.wav"))
    }

    fn live(&mut self, n: usize, slot: &Slot) {
        let (at, ending) = self.airing(n);
        move_to(&self.stage, at - Duration::from_mins(20));
        slot.before.iter().for_each(|blow| self.strike(*blow));
        move_to(&self.stage, at - Duration::from_secs(2));
        let silent = |id: &str| slot.gaps.iter().any(|(who, why)| *who == id && *why != CUT);
        let plays: Vec<&str> = ALL.into_iter().filter(|id| !silent(id)).collect();
        wait_for(&format!("airing {n} at {plays:?}"), Duration::from_secs(30), || {
            plays.iter().all(|id| self.files(id, "played", &ending) == 1)
        });
        std::thread::sleep(Duration::from_secs(1));
        slot.midst.iter().for_each(|blow| self.strike(*blow));
        let whole = |id: &&&str| !slot.gaps.iter().any(|(who, _)| who == *id);
        let whole: Vec<&str> = plays.iter().filter(whole).copied().collect();
        wait_for(&format!("the end of airing {n} at {whole:?}"), Duration::from_secs(30), || {
            whole.iter().all(|id| self.is_over(id, &ending))
        });
        move_to(&self.stage, at + Duration::from_mins(30));
        slot.after.iter().for_each(|blow| self.strike(*blow));
    }

    /// Whether the diary has the receipt of this airing.
    fn is_over(&self, id: &str, ending: &str) -> bool {
        let (date, occurrence) = ending[1..].trim_end_matches(".wav").split_once('_').unwrap();
        // A receipt is a line of JSON within the diary's line.
        let receipt =
            format!("\\\"date\\\":\\\"{date}\\\",\\\"occurrence\\\":{occurrence}}},\\\"manifest");
        let diary = fs::read_to_string(self.folder(id).join("state/diary.jsonl")).unwrap();
        diary.contains(&receipt)
    }

    fn strike(&mut self, blow: Blow) {
        match blow {
            PowerCut(id) => {
                self.strike(PowerOff(id));
                self.strike(PowerOn(id));
            }
            PowerOff(id) => {
                self.power_cuts += 1;
                self.processes.get_mut(id).unwrap().kill();
            }
            PowerOn(id) => {
                self.processes.insert(id, start_controller(&self.station, id));
            }
            NetworkCut(id) => self.links[id].cut(true),
            NetworkBack(id) => self.links[id].cut(false),
            Revoke(id) => {
                let root = self.station.path("root.pass");
                let file = ["--root-passphrase-file", root.to_str().unwrap()];
                self.station.does(&[&["fleet", "revoke", id][..], &file].concat());
            }
            Replace(id) => self.replace(id),
        }
    }

    /// Another device takes the place of one that was stolen. It is enrolled by the root key alone.
    fn replace(&mut self, id: &'static str) {
        self.processes.get_mut(id).unwrap().kill();
        fs::rename(self.folder(id), self.station.path("stolen")).unwrap();
        let broker = format!("mqtt://{}", self.links[id].address);
        let (_, code) = configure(&self.station, id, &broker);
        let mut program = self.station.program(CONTROLLER);
        let (path, fingerprint) = ask_enrolment(&self.station, id, &code, &mut program);
        let path = path.to_str().unwrap().to_owned();
        let enrol = ["fleet", "enrol", id, "--request", &path, "--fingerprint"];
        let refused = self.station.refuses(&[&enrol[..], &["0123 4567"]].concat());
        assert!(refused.contains("nothing was enrolled"), "{refused}");
        let refused = self.station.refuses(&[&enrol[..], &[&fingerprint]].concat());
        assert!(refused.contains("only the root key"), "{refused}");
        let root = self.station.path("root.pass");
        let root = ["--root-passphrase-file", root.to_str().unwrap()];
        let whole = [&enrol[..], &[&fingerprint], &root].concat();
        self.station.does(&whole);
        assert!(self.station.refuses(&whole).contains("somebody else has the paper"));
        // By the time the certificate is on the device, the station has planned for it.
        let planned = |valley: &Self| {
            let last = valley.station.does(&["log", "list", "--json"]);
            let of = |kind: &str| last.rfind(&format!("\"kind\":\"{kind}\""));
            of("manifest.issued") > of("controller.enrolled")
        };
        wait_for("a manifest for the new device", Duration::from_secs(30), || planned(self));
        self.processes.insert(id, start_controller(&self.station, id));
        wait_for("the new device's recordings", Duration::from_mins(1), || {
            self.files(id, "state/assets", ".opus") >= 1
        });
    }

    /// The station orders a self-test: what the device finds stands in its receipt, in the log.
    fn self_test_by_order(&self, id: &str) {
        let order = ["fleet", "order", id, "--by", "quan", "selftest"];
        self.station.does(&order);
        wait_for("the findings of the self-test", Duration::from_secs(30), || {
            let taken = self.station.does(&["log", "list", "--json", "--kind", "receipts.taken"]);
            let found = ["selftest", "\\\"part\\\":\\\"tone\\\",\\\"well\\\":true"];
            taken.lines().any(|line| found.iter().all(|part| line.contains(part)))
        });
    }

    /// What `loaban report gaps` says: programme's controller and hour, why, and the entry in the log.
    fn gaps(&self, days: i64) -> Vec<(String, String, Option<u64>)> {
        let out = self.station.path("gaps.json");
        let (from, to) = (self.first.to_string(), self.first.plus_days(days - 1).to_string());
        let report = ["report", "gaps", "--from", &from, "--to", &to, "--out"];
        self.station.does(&[&report[..], &[out.to_str().unwrap()]].concat());
        let read: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
        let rows = read["rows"].as_array().unwrap();
        let word = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
        let line = |row: &serde_json::Value| {
            let hour = format!("{} {}", word(row, "controller"), word(row, "at"));
            (hour, word(row, "cause"), row["entry"].as_u64())
        };
        rows.iter().map(line).collect()
    }
}

/// Sets the stage's time, which never goes back.
fn move_to(stage: &PathBuf, at: Timestamp) {
    let ahead = at.micros() - utc_now().micros();
    let next = stage.with_extension("next");
    fs::write(&next, ahead.to_string()).unwrap();
    fs::rename(next, stage).unwrap();
}

fn programme(station: &Station, times: &[&str]) {
    let times: Vec<String> = times.iter().map(|time| format!("\"{time}\"")).collect();
    let text = format!(
        "[[programme]]\nid = \"tin\"\ntitle = \"Bản tin\"\nat = [{}]\nareas = [\"lai-chau\"]\n\
         languages = \"every\"\norder = \"bulletin\"\nbulletins = [\"dai\"]\ngap_ms = 300\n\
         length_max_s = 900\nchime = false\n",
        times.join(", ")
    );
    let path = station.path("programmes.toml");
    fs::write(&path, text).unwrap();
    station.does(&["schedule", "import", path.to_str().unwrap()]);
}

#[test]
fn after_a_week_of_blows_the_log_explains_every_gap() {
    let full = std::env::var("LOABAN_WEEK").is_ok_and(|which| which == "full");
    let (slots, times): (&[Slot], &[&str]) =
        if full { (&WEEK, &["05:30:00", "17:00:00"]) } else { (&SHORT, &["17:00:00"]) };
    let days = i64::try_from(slots.len() / times.len()).unwrap();
    let mut valley = Valley::new(times, days);
    for (n, slot) in slots.iter().enumerate() {
        valley.live(n, slot);
    }
    valley.self_test_by_order(B);
    let mut expected: Vec<(String, &str)> = Vec::new();
    for (n, slot) in slots.iter().enumerate() {
        let hour = Zone::default().local(valley.airing(n).0).format("%Y-%m-%dT%H:%M:%S");
        expected.extend(slot.gaps.iter().map(|(id, why)| (format!("{id} {hour}"), *why)));
        let never = NEVER_SET_UP.iter().map(|id| (format!("{id} {hour}"), NEVER));
        expected.extend(never);
    }
    expected.sort();
    let mut gaps = vec![];
    wait_for("an explanation of every gap", Duration::from_mins(1), || {
        gaps = valley.gaps(days);
        gaps.sort();
        gaps.iter().all(|(_, why, entry)| entry.is_some() && why.as_str() != "chờ biên nhận")
    });
    let told: Vec<(String, &str)> =
        gaps.iter().map(|(hour, why, _)| (hour.clone(), why.as_str())).collect();
    assert_eq!(told, expected);
    stands_in_the_log(&valley, &gaps);
    tell(&valley, slots.len(), &gaps);
}

/// Every entry that a gap names is a receipt or what became of a device, and the log verifies.
fn stands_in_the_log(valley: &Valley, gaps: &[(String, String, Option<u64>)]) {
    let verdict = valley.station.does(&["log", "verify"]);
    assert!(verdict.contains("is right"), "{verdict}");
    for (hour, why, entry) in gaps {
        let shown = valley.station.does(&["log", "show", &entry.unwrap().to_string(), "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let meant = match why.as_str() {
            REVOKED => "controller.revoked",
            NEVER => "controller.expected",
            _ => "receipts.taken",
        };
        assert_eq!(shown["entry"]["kind"], meant, "{hour}: {why}");
    }
}

fn tell(valley: &Valley, airings: usize, gaps: &[(String, String, Option<u64>)]) {
    let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, why, _) in gaps {
        *causes.entry(why).or_default() += 1;
    }
    let planned = airings * (ALL.len() + NEVER_SET_UP.len());
    let played = planned - gaps.len();
    println!("{} power cuts; {planned} airings planned, {played} played whole", valley.power_cuts);
    for (why, count) in causes {
        println!("  {count} × {why}");
    }
    for (id, process) in &valley.processes {
        println!("memory of {id}: {} KiB", process.memory_kib());
    }
    println!("memory of the server: {} KiB", valley.server.memory_kib());
}
