//! People at the pages, in a real browser, to the effect on real controllers.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cast::{
    Station, checkout, free_port, listens, now, provision, ran, start_controller, start_server,
    wait_for,
};
use crate::emergency::Valley;

/// The journey is over after this, whatever it saw.
const LONGEST: Duration = Duration::from_mins(2);

/// Speakers of one large commune.
const MANY: usize = 2_000;

/// Two more villages of the commune: one whose speaker plays, one with a very long name whose
/// speaker nobody set up.
const VILLAGES: &str = r#"
[[area]]
id = "ban-hai"
name = "Bản Nậm Hài"
level = "village"
parent = "muong-te"
position = "22.3510, 102.7900"
[[area.listens]]
language = "vi"

[[area]]
id = "ban-dai"
name = "Bản Phiêng Kham Nà Hừ thuộc khu tái định cư Nậm Khao giáp suối Nậm Cấu và đường tuần tra biên giới Mường Tè"
level = "village"
parent = "muong-te"
position = "22.4010, 102.8120"
[[area.listens]]
language = "vi"

[[controller]]
id = "muong-te-2"
area = "ban-hai"

[[controller]]
id = "muong-te-3"
area = "ban-dai"
"#;

/// A border around them.
const BORDER: &str = r#"{"type":"Polygon","coordinates":[[[102.72,22.30],[102.90,22.31],
[102.93,22.37],[102.88,22.45],[102.78,22.46],[102.71,22.40],[102.72,22.30]]]}"#;

/// Two bulletins of class priority: one of the province, one of the commune.
fn priority(station: &Station) {
    let mut text = String::new();
    for (id, level) in [("tin-tinh", "province"), ("tin-xa", "commune")] {
        let _ = write!(
            text,
            "[[bulletin]]\nid = \"{id}\"\ntitle_vi = \"{id}\"\ncolumn = \"Thời sự\"\n\
             kind = \"news\"\nclass = \"priority\"\nsource_level = \"{level}\"\n\
             issuing_body = \"UBND\"\nvalid_days = 30\n[[bulletin.version]]\nlanguage = \"vi\"\n\
             file = \"lich-tiem-chung.vi.mp3\"\nvoice = \"synthetic\"\nscript = \"…\"\n"
        );
    }
    let file = station.path("samples/uu-tien.toml");
    fs::write(&file, text).unwrap();
    station.does(&["bulletin", "import", file.to_str().unwrap(), "--by", "an"]);
    let own = station.path("dung.pass");
    for id in ["tin-tinh", "tin-xa"] {
        station.does(&["bulletin", "review", id, "vi", "--by", "chi"]);
        let approve = ["bulletin", "approve", id, "vi", "--by", "dung", "--passphrase-file"];
        station.does(&[&approve[..], &[own.to_str().unwrap()]].concat());
    }
}

/// Both at the same time, the day after tomorrow.
fn meet(station: &Station) {
    let mut date = Command::new("date");
    let day = ran(date.env("TZ", "Asia/Ho_Chi_Minh").args(["-d", "+2 days", "+%F"])).stdout;
    let day = String::from_utf8(day).unwrap();
    let mut text = VILLAGES.to_owned();
    for (id, area) in [("tin-tinh", "lai-chau"), ("tin-xa", "muong-te")] {
        let _ = write!(
            text,
            "\n[[programme]]\nid = \"{id}\"\ntitle = \"Chương trình {id}\"\nat = [\"06:00:00\"]\n\
             from = \"{0}\"\nuntil = \"{0}\"\nareas = [\"{area}\"]\nbulletins = [\"{id}\"]\n",
            day.trim()
        );
    }
    let file = station.path("muong-te.toml");
    fs::write(&file, text).unwrap();
    station.does(&["schedule", "import", file.to_str().unwrap()]);
    let border = station.path("muong-te.geojson");
    fs::write(&border, BORDER).unwrap();
    station.does(&["schedule", "outline", "muong-te", border.to_str().unwrap()]);
}

fn thousands(station: &Station) {
    let mut text = "[[area]]\nid = \"xa-lon\"\nname = \"Xã Lớn\"\nlevel = \"commune\"\n\
                    parent = \"lai-chau\"\nposition = \"22.2, 103.1\"\n"
        .to_owned();
    for n in 0..MANY {
        let _ = write!(text, "\n[[controller]]\nid = \"xa-lon-{n}\"\narea = \"xa-lon\"\n");
    }
    let file = station.path("xa-lon.toml");
    fs::write(&file, text).unwrap();
    station.does(&["schedule", "import", file.to_str().unwrap()]);
}

#[test]
fn a_commune_is_looked_after_spoken_to_and_warned_in_a_browser() {
    // A browser gives the microphone over TLS only, so this is how the pages are really visited.
    let https = format!("127.0.0.1:{}", free_port());
    let mut valley = Valley::with(&["--https", &https, "--name", "localhost"]);
    valley.officers();
    let station = &valley.station;
    let duties = ["--name", "Sùng A Sửa", "--duties", "operator@muong-te"];
    station.does(&[&["person", "add", "sua"][..], &duties].concat());
    priority(station);
    meet(station);
    provision(station, "muong-te-2", &valley.broker);
    let _second = start_controller(station, "muong-te-2");
    wait_for("the second village", Duration::from_mins(1), || {
        let list = station.does(&["fleet", "list", "--json"]);
        list.lines().filter(|line| line.contains("\"state\":\"up\"")).count() == 3
    });
    let microphone = station.path("microphone.wav");
    let mut cut = Command::new("ffmpeg");
    cut.args(["-v", "error", "-i"]).arg(checkout().join("audio-samples/phong-chong-sat-lo.vi.wav"));
    ran(cut.args(["-t", "8", "-ar", "48000", "-ac", "1"]).arg(&microphone));
    let passphrase = fs::read_to_string(station.path("dung.pass")).unwrap();
    let mut journey = Command::new("/usr/bin/python3");
    journey.arg(checkout().join("tests/browser/journey.py"));
    let https = https.replace("127.0.0.1", "https://localhost");
    journey.arg("--web").arg(https);
    journey.arg("--invitations");
    for person in ["sua", "chi", "dung", "lan", "minh"] {
        journey.arg(station.does(&["person", "invite", person]).trim());
    }
    journey.arg("--passphrase").arg(passphrase.trim());
    journey.arg("--microphone").arg(&microphone);
    journey.arg("--devices").arg(station.path("devices"));
    travel(&mut valley, &mut journey);
    let told = valley.station.does(&["log", "list", "--json"]);
    for kind in [
        "login.set",
        "session.begun",
        "login.second-set",
        "emergency.raised",
        "order.given",
        "announcement.made",
        "version.approved",
        "decision.taken",
        "question.asked",
        "speaker.acknowledged",
        "speaker.maintained",
    ] {
        assert!(told.contains(kind), "the log tells of {kind}");
    }
    assert!(!told.contains("bốn từ"), "the log holds no password");
    assert!(!told.contains("Chang A Páo"), "the log holds nobody who asked");
}

/// Runs the journey, and does to the station what it asks for.
fn travel(valley: &mut Valley, journey: &mut Command) {
    let began = now();
    let mut journey = journey
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = journey.stdin.take().unwrap();
    let mut said = String::new();
    for line in BufReader::new(journey.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        match line.as_str() {
            "stop the server" => {
                valley.server.kill();
                thousands(&valley.station);
            }
            "start the server" => {
                valley.server = start_server(&valley.station);
                listens(valley.web);
            }
            _ => {
                println!("{line}");
                said.push_str(&line);
                continue;
            }
        }
        writeln!(answers, "done").unwrap();
    }
    let output = journey.wait_with_output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.ends_with("every step was seen"), "{said}\n{why}");
    println!("the journey took {:?}", began.elapsed());
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
}
