//! The newsroom's pages in a real browser, to the effect in the station and its log.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::cast::{Station, checkout, free_port, listens, now, ran, start_server};

/// The journey is over after this, whatever it saw.
const LONGEST: Duration = Duration::from_mins(3);

/// Everybody of the newsroom, and the operator who takes a villager's question down.
fn people(station: &Station) {
    station.hire();
    for (id, name, duties) in [
        ("binh", "Tẩn Thị Bình", "announcer"),
        ("cuc", "Chu Gia Cúc", "announcer"),
        ("sua", "Sùng A Sửa", "operator@muong-te"),
    ] {
        station.does(&["person", "add", id, "--name", name, "--duties", duties]);
    }
}

/// Two bulletins that are texts so far: what a list is of.
const TEXTS: &str = r#"
[[bulletin]]
id = "lich-tiem-chung"
title_vi = "Lịch tiêm chủng tháng 12"
column = "Sức khoẻ cho mọi người"
kind = "notice"
class = "normal"
source_level = "commune"
issuing_body = "Trạm y tế xã Mường Tè"
area = "muong-te"
valid_days = 30
[[bulletin.version]]
language = "vi"
script = "Trạm y tế tiêm chủng cho trẻ vào sáng thứ Ba hằng tuần."
contributor = "an"
[[bulletin.version]]
language = "mww"
script = "Lời tiếng Mông Trắng, để thử."
translator = "an"

[[bulletin]]
id = "phong-chay-rung"
title_vi = "Phòng cháy, chữa cháy rừng mùa khô"
column = "Phòng chống thiên tai"
kind = "news"
class = "priority"
source_level = "province"
issuing_body = "Chi cục Kiểm lâm"
valid_days = 60
[[bulletin.version]]
language = "vi"
script = "Không đốt nương khi trời hanh khô và có gió to."
contributor = "an"
"#;

/// The beginning of a sample, so that a slow build makes it ready in seconds.
fn clip(station: &Station, name: &str, from: &str, seconds: &str) -> PathBuf {
    let path = station.path(&format!("{name}.wav"));
    let mut cut = Command::new("ffmpeg");
    cut.args(["-v", "error", "-i"]).arg(checkout().join("audio-samples").join(from));
    ran(cut.args(["-t", seconds, "-ar", "48000", "-ac", "1"]).arg(&path));
    path
}

fn sounds(station: &Station) -> serde_json::Value {
    let clip = |name, from, seconds| clip(station, name, from, seconds);
    serde_json::json!({
        "microphone": clip("microphone", "phong-chong-sat-lo.mww.wav", "8"),
        "vi": clip("vi", "phong-chong-sat-lo.vi.wav", "3"),
        "twh": clip("twh", "phong-chong-sat-lo.twh.flac", "3"),
        "mended": clip("mended", "lich-tiem-chung.twh.wav", "3"),
        "ium": clip("ium", "phong-chong-sat-lo.ium.wav", "3"),
        "hni": clip("hni", "phong-chong-sat-lo.hni.wav", "3"),
        "silence": checkout().join("audio-samples/hard/silence.wav"),
    })
}

fn travel(station: &Station, web: &str) {
    let mut journey = Command::new("/usr/bin/python3");
    journey.arg(checkout().join("tests/browser/newsroom.py"));
    journey.arg("--web").arg(format!("http://{web}")).arg("--invitations");
    for person in ["an", "binh", "cuc", "chi", "dung"] {
        journey.arg(station.does(&["person", "invite", person]).trim());
    }
    let passphrase = std::fs::read_to_string(station.path("dung.pass")).unwrap();
    journey.arg("--passphrase").arg(passphrase.trim());
    journey.arg("--sounds").arg(sounds(station).to_string());
    let began = now();
    let output = journey.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    println!("{said}\nthe journey took {:?}", began.elapsed());
    assert!(output.status.success() && said.contains("every step was seen"), "{said}\n{why}");
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
}

fn shown(station: &Station, id: &str) -> serde_json::Value {
    serde_json::from_str(&station.does(&["bulletin", "show", id, "--json"])).unwrap()
}

#[test]
fn three_announcers_bring_five_versions_that_are_heard_mended_and_signed_in_a_browser() {
    let web = format!("127.0.0.1:{}", free_port());
    let station =
        Station::init(&["--listen", &format!("127.0.0.1:{}", free_port()), "--web", &web]);
    people(&station);
    let areas = checkout().join("schedules/demo/areas.toml");
    station.does(&["schedule", "import", areas.to_str().unwrap()]);
    let texts = station.path("tin.toml");
    std::fs::write(&texts, TEXTS).unwrap();
    station.does(&["bulletin", "import", texts.to_str().unwrap(), "--by", "an"]);
    let question = "Khi nào làng tôi có thẻ bảo hiểm?";
    let ask = ["question", "add", "--channel", "phone", "--village", "muong-te", "--language"];
    station.does(&[&ask[..], &["vi", "--text", question, "--by", "sua"]].concat());
    let _server = start_server(&station);
    listens(web.parse().unwrap());
    travel(&station, &web);

    let held = shown(&station, "doi-mu-bao-hiem-khi-di-xe-may");
    let versions = held["versions"].as_array().unwrap();
    assert_eq!(held["bulletin"]["title"], "Đội mũ bảo hiểm khi đi xe máy", "in form C");
    let states: Vec<_> = versions.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["approved"; 5]);
    let text = versions.iter().map(ToString::to_string).collect::<String>();
    for (announcer, own) in [("an", 2), ("binh", 2), ("cuc", 1)] {
        let read = format!("\"announcer\":\"{announcer}\"");
        assert_eq!(text.matches(&read).count(), own, "{announcer}");
    }
    assert!(text.contains("Bà con đi xe máy nhớ đội mũ bảo hiểm, cài quai đúng cách."));
    assert!(text.contains("Lời của người thứ hai."), "the second editor's text counts");
    let told = station.does(&["log", "list", "--json"]);
    for (kind, count) in [
        ("version.contributed", 5),
        ("version.returned", 1),
        ("version.reviewed", 5),
        ("version.approved", 5),
        ("question.answered", 1),
        ("question.closed", 1),
    ] {
        let kind = format!("\"{kind}\"");
        assert_eq!(told.matches(&kind).count(), count, "{kind}");
    }
}
