//! Programmes made at the pages, in a real browser, to the effect on a real controller and in the log.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::cast::{checkout, now, ran, wait_for};
use crate::emergency::Valley;

/// The journey is over after this, whatever it saw.
const LONGEST: Duration = Duration::from_mins(2);

/// What is there before anybody opens a page.
const PROGRAMME: &str = r#"
# Every morning: the first line that the station wrote.
[[programme]]
id = "tin-sang"
title = "Tin buổi sáng"
at = ["06:30:00"]
areas = ["lai-chau"]
bulletins = ["lich-tiem-chung"]
"#;

#[test]
fn programmes_made_by_drag_and_by_keyboard_are_aired_and_two_editors_lose_nothing() {
    let valley = Valley::new();
    let station = &valley.station;
    let file = station.path("chuong-trinh.toml");
    fs::write(&file, PROGRAMME).unwrap();
    station.does(&["schedule", "import", file.to_str().unwrap()]);
    let mut journey = Command::new("/usr/bin/python3");
    journey.arg(checkout().join("tests/browser/programmes.py"));
    journey.arg("--web").arg(format!("http://{}", valley.web)).arg("--invitations");
    for person in ["an", "dung"] {
        journey.arg(station.does(&["person", "invite", person]).trim());
    }
    let began = now();
    let output = ran(&mut journey);
    let said = String::from_utf8(output.stdout).unwrap();
    println!("{said}the journey took {:?}", began.elapsed());
    assert!(said.trim_end().ends_with("every step was seen"), "{said}");
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());

    let schedule = station.does(&["schedule", "export"]);
    for title in ["Đọc báo kéo thả", "Đọc báo bằng phím", "Tin buổi sáng của tỉnh"]
    {
        assert!(schedule.contains(title), "{title}: {schedule}");
    }
    for programme in ["doc-bao-keo-tha", "doc-bao-bang-phim"] {
        // The receipt, which the controller signs, names the programme.
        wait_for(programme, Duration::from_mins(1), || {
            let log = station.does(&["log", "list", "--json"]);
            let mut lines = log.lines();
            lines.any(|line| line.contains("receipts.taken") && line.contains(programme))
        });
    }
    let log = station.does(&["log", "list", "--json"]);
    let edits = |who: &str| {
        let is = |line: &&str| line.contains("schedule.edited") && line.contains(who);
        log.lines().filter(is).count()
    };
    // Two made, one moved, one undone, one over the leader's, a storm day.
    assert_eq!((edits("person:an"), edits("person:dung")), (6, 1));
    assert!(station.does(&["log", "verify"]).contains("is right"));
}
