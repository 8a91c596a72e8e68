//! The example schedules hold what their words promise: the files are right, three weeks of the
//! worked province are planned as they were when a person read them, and a round trip through the
//! export changes nothing.

#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set fails there")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn loaban(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loaban"));
    command.current_dir(checkout()).args(line.split_whitespace());
    command.output().unwrap()
}

fn said(line: &str) -> String {
    let output = loaban(line);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands of `schedules/README.md` that write golden plans: what is asked, and the file.
fn golden_commands() -> Vec<(String, PathBuf)> {
    let manual = fs::read_to_string(checkout().join("schedules/README.md")).unwrap();
    let manual = manual.replace("\\\n", " ");
    let commands = manual.lines().filter_map(|line| line.strip_prefix("loaban "));
    let golden = commands.filter_map(|line| line.split_once(" > schedules/golden/"));
    golden
        .map(|(line, file)| {
            (line.to_owned(), checkout().join("schedules/golden").join(file.trim()))
        })
        .collect()
}

fn golden_is_as_it_was_read(name: &str) {
    let commands = golden_commands();
    let (line, file) = commands.iter().find(|(_, file)| file.ends_with(name)).unwrap();
    let golden = fs::read_to_string(file).unwrap();
    let now = said(line);
    let differs = golden.lines().zip(now.lines()).find(|(then, now)| then != now);
    assert!(
        golden == now,
        "{name} is not what the code plans now, first at {differs:?}; where the new plan is right, \
         read it and run: loaban {line} > {}",
        file.display()
    );
}

#[test]
fn a_normal_week_is_planned_as_it_was_read() {
    golden_is_as_it_was_read("normal-week.txt");
}

#[test]
fn the_week_of_the_new_year_is_planned_as_it_was_read() {
    golden_is_as_it_was_read("holiday-week.txt");
}

#[test]
fn a_storm_day_is_planned_as_it_was_read() {
    golden_is_as_it_was_read("storm-day.txt");
}

#[test]
fn the_worked_province_is_a_province() {
    let said = said("schedule check schedules/lai-chau");
    let count = |noun: &str| -> u32 {
        let before = said.split(noun).next().unwrap().trim_end();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(count(" areas") >= 1 + 38 + 900, "{said}");
    assert!(count(" controllers") >= 900, "{said}");
    assert_eq!(count(" programmes"), 20, "{said}");
}

#[test]
fn the_small_example_is_right_too() {
    said(
        "schedule check schedules/demo/areas.toml schedules/demo/policy.toml schedules/demo/programmes.toml",
    );
}

#[test]
fn every_fault_of_every_file_is_named_and_the_answer_is_no() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), "[[area]]\nid = \"A\"\nnam = \"x\"\n").unwrap();
    fs::write(folder.path().join("bulletins.toml"), "[[bulletin]]\nid = \"b\"\n").unwrap();
    let output = loaban(&format!("schedule check {}", folder.path().display()));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("a.toml:3: unknown key `nam`"), "{said}");
    assert!(said.contains("bulletins.toml:1: `class` is missing"), "{said}");
}

#[test]
fn a_province_that_is_exported_and_read_again_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("province.toml");
    let export = |from: &str| said(&format!("schedule export --files {from}"));
    let once = export("schedules/lai-chau");
    fs::write(&file, &once).unwrap();
    assert_eq!(export(&file.display().to_string()), once);
    // And it plans the same.
    for bulletins in fs::read_dir(checkout().join("schedules/lai-chau")).unwrap() {
        let path = bulletins.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("bulletins") {
            fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    let plan = |from: &str| {
        said(&format!("schedule plan --json --from 2026-11-23 --to 2026-11-23 --files {from}"))
    };
    assert_eq!(plan(&folder.path().display().to_string()), plan("schedules/lai-chau"));
}

#[test]
fn a_change_shows_what_it_alters_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let programmes = fs::read_to_string(checkout().join("schedules/lai-chau/programmes.toml"));
    let later = programmes.unwrap().replace("0 30 5 * * Mon-Sat", "0 45 5 * * Mon-Sat");
    fs::write(folder.path().join("programmes.toml"), later).unwrap();
    let line =
        "schedule plan --files schedules/lai-chau --area mu-ca --from 2026-11-28 --to 2026-11-28";
    let told = said(&format!("{line} --diff {}", folder.path().display()));
    assert!(told.contains("~ 2026-11-28 thoi-su-sang: moved from 05:30 to 05:45"), "{told}");
    assert_eq!(said(&format!("{line} --diff schedules/lai-chau")), "Nothing changes.\n");
}

#[test]
fn a_name_that_nothing_has_is_answered_with_the_nearest() {
    let line = "explain --files schedules/lai-chau --date 2026-11-25";
    let asked = |rest: &str| {
        let output = loaban(&format!("{line} {rest}"));
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let area = asked("--village muong-tee --bulletin dan-ca-mong");
    assert!(area.contains("no area `muong-tee`") && area.contains("near it: muong-te,"), "{area}");
    let bulletin = asked("--village mu-ca --bulletin dan-ca-mog");
    assert!(bulletin.contains("near it: dan-ca-mong,"), "{bulletin}");
    let controller = asked("--controller mu-ca-1 --bulletin dan-ca-mong");
    assert!(controller.contains("no controller `mu-ca-1`"), "{controller}");
}

#[test]
fn a_village_is_told_why_it_does_not_hear_a_bulletin() {
    let line = "explain --files schedules/lai-chau --village mu-ca-lo-lang --bulletin hat-then --date 2026-11-27";
    let told = said(line);
    assert!(told.contains("không nghe hat-then ngày 27/11/2026"), "{told}");
    assert!(told.contains("the village asks for none of these languages"), "{told}");
}

#[test]
fn the_coverage_of_the_province_fits_a_screen() {
    let told = said("schedule coverage --files schedules/lai-chau --date 2026-11-23");
    let wide: Vec<&str> = told.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{wide:?}");
    // Nobody records in La Hủ yet, and the table says so for every bulletin.
    assert!(told.contains("lhu") && told.contains("1st language"), "{told}");
}
