//! The inspector and the administrator in a real browser, on a station whose controllers really play.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use loaban::clock::utc_now;
use loaban::time::Zone;

use crate::cast::{CONTROLLER, Station, checkout, now, wait_for};
use crate::emergency::Valley;

/// The journey is over after this, whatever it saw.
const LONGEST: Duration = Duration::from_mins(2);

/// How long controllers have to hear of a programme before it airs.
const SOON: Duration = Duration::from_secs(12);

/// Airs a bulletin once, soon, in both villages.
fn air_soon(station: &Station) {
    let at = Zone::default().local(utc_now() + SOON);
    let text = format!(
        "[[programme]]\nid = \"tiem-chung\"\ntitle = \"Lịch tiêm chủng\"\nat = [\"{}\"]\n\
         from = \"{1}\"\nuntil = \"{1}\"\nareas = [\"mu-ca\", \"muong-te\"]\n\
         bulletins = [\"lich-tiem-chung\"]\nlanguages = [\"vi\"]\nchime = false\n",
        at.format("%H:%M:%S"),
        at.format("%Y-%m-%d"),
    );
    let file = station.path("tiem-chung.toml");
    fs::write(&file, text).unwrap();
    station.does(&["schedule", "import", file.to_str().unwrap()]);
}

/// Lets a controller sound only at an hour that is not near, by its own settings.
fn silence(valley: &mut Valley, controller: &'static str) {
    let path = valley.station.path("devices").join(controller).join("controller.toml");
    let text = fs::read_to_string(&path).unwrap();
    let hour = Zone::default().local(utc_now()).format("%H").to_string();
    let (from, until) = if hour.as_str() < "12" { ("22:00", "23:00") } else { ("01:00", "02:00") };
    let text = text.replace("from = \"00:00\"", &format!("from = \"{from}\""));
    fs::write(&path, text.replace("until = \"24:00\"", &format!("until = \"{until}\""))).unwrap();
    valley.restart(controller);
}

fn told(station: &Station, kind: &str) -> Vec<String> {
    let list = station.does(&["log", "list", "--kind", kind]);
    list.lines().map(str::to_owned).collect()
}

#[test]
fn an_inspector_finds_what_was_aired_and_an_administrator_lets_people_and_devices_in() {
    let mut valley = Valley::new();
    for (id, name, duty) in
        [("thanh-tra", "Đỗ Thị Thanh", "inspector"), ("quan-tri", "Trần Văn Trị", "administrator")]
    {
        valley.station.does(&["person", "add", id, "--name", name, "--duties", duty]);
    }
    silence(&mut valley, "mu-ca-1");
    valley.everybody_is_up();
    let station = &valley.station;
    air_soon(station);
    wait_for("receipts of both villages", Duration::from_mins(2), || {
        let gaps = station.does(&["report", "gaps"]);
        let played = station.path("devices/muong-te-1/played");
        let played = fs::read_dir(played).into_iter().flatten().count();
        played > 0 && gaps.contains("giờ yên lặng") && !gaps.contains("chờ biên nhận")
    });
    let mut journey = Command::new("/usr/bin/python3");
    journey.arg(checkout().join("tests/browser/desk.py"));
    journey.arg("--web").arg(format!("http://{}", valley.web));
    for person in ["inspector:thanh-tra", "administrator:quan-tri"] {
        let (what, id) = person.split_once(':').unwrap();
        let link = station.does(&["person", "invite", id]);
        journey.arg(format!("--{what}")).arg(link.trim());
    }
    journey.arg("--devices").arg(station.path("devices"));
    journey.arg("--controller").arg(CONTROLLER);
    let began = now();
    let output = journey.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    println!("{said}\nthe journey took {:?}", began.elapsed());
    assert!(output.status.success() && said.ends_with("every step was seen\n"), "{said}\n{why}");
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    for (kind, who) in [
        ("person.added", "person:quan-tri"),
        ("session.ended", "person:quan-tri"),
        ("controller.provisioned", "person:quan-tri"),
        ("controller.enrolled", "person:quan-tri"),
        ("schedule.imported", "person:quan-tri"),
        ("token.made", "person:quan-tri"),
        ("token.revoked", "person:quan-tri"),
        ("person.revoked", "person:quan-tri"),
        ("person.erased", "person:quan-tri"),
        ("export.made", "person:thanh-tra"),
    ] {
        let lines = told(station, kind);
        assert!(lines.iter().any(|line| line.contains(who)), "{kind} by {who}: {lines:?}");
    }
}
