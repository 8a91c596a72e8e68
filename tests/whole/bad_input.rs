//! Bad input gets a sentence that says what is wrong, with what, and what to do; it changes
//! nothing else.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cast::{LOABAN, Station, checkout, free_port, ran};

fn station() -> Station {
    let (broker, web) = (free_port(), free_port());
    let listen = format!("127.0.0.1:{broker}");
    let pages = format!("127.0.0.1:{web}");
    Station::init(&["--listen", &listen, "--web", &pages])
}

fn says(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(sentence.contains(part), "`{part}` is missing in: {sentence}");
    }
}

/// A bulletins file with one version whose recording is `file`, in a folder of its own.
fn bulletin_file(station: &Station, file: &Path) -> String {
    let folder = station.path("incoming");
    fs::create_dir_all(&folder).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    fs::copy(file, folder.join(name)).unwrap();
    let text = fs::read_to_string(checkout().join("audio-samples/bulletins.toml")).unwrap();
    let text = &text[text.find("\n[[bulletin]]").unwrap()..];
    let head = text.split("[[bulletin.version]]").next().unwrap();
    let version = format!(
        "[[bulletin.version]]\nlanguage = \"vi\"\nfile = \"{name}\"\nscript = \"x\"\nvoice = \"human\"\n"
    );
    let path = folder.join("bulletins.toml");
    fs::write(&path, format!("{head}{version}")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_recording_that_is_not_audio_is_refused_and_leaves_nothing() {
    let station = station();
    station.hire();
    for (file, mend) in [
        ("not-audio.wav", "send WAV, FLAC, MP3"),
        ("silence.wav", "microphone"),
        ("too-short.wav", "at least one sentence"),
    ] {
        let path = bulletin_file(&station, &checkout().join("audio-samples/hard").join(file));
        let sentence = station.refuses(&["bulletin", "import", &path, "--by", "an"]);
        says(&sentence, &["REFUSED", file, mend]);
    }
    assert_eq!(station.does(&["bulletin", "list"]), "");
    assert_eq!(fs::read_dir(station.path("station/assets")).unwrap().count(), 0);
}

#[test]
fn an_import_tells_what_is_wrong_with_a_recording_and_the_list_keeps_it() {
    let station = station();
    station.hire();
    let path = bulletin_file(&station, &checkout().join("audio-samples/hard/clipped.wav"));
    let output = ran(&mut station.loaban(&["bulletin", "import", &path, "--by", "an"]));
    let said = String::from_utf8(output.stderr).unwrap();
    says(
        &said,
        &["clipped.wav", "cần thu lại / record again", "giảm mức thu", "lower the recording level"],
    );
    let listed = station.does(&["bulletin", "list", "--json"]);
    let version: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (&version["verdict"], &version["problems"][0]["code"]),
        (&"record again".into(), &"clipped".into())
    );
    says(&station.does(&["bulletin", "list"]), &["record again"]);
}

#[test]
fn the_same_import_twice_changes_nothing_and_a_changed_file_is_a_new_recording() {
    let station = station();
    station.hire();
    let sample = checkout().join("audio-samples/phong-chong-sat-lo.vi.wav");
    let path = bulletin_file(&station, &sample);
    let import = ["bulletin", "import", &path, "--by", "an"];
    station.does(&import);
    let (before, list) = (station.contents(), station.does(&["bulletin", "list", "--json"]));
    station.does(&import);
    assert_eq!(station.contents(), before);
    let other = checkout().join("audio-samples/lich-tiem-chung.mww.wav");
    fs::copy(other, station.path("incoming/phong-chong-sat-lo.vi.wav")).unwrap();
    station.does(&import);
    assert_ne!(station.does(&["bulletin", "list", "--json"]), list);
    assert_eq!(fs::read_dir(station.path("station/assets")).unwrap().count(), 2);
}

#[test]
fn a_schedule_with_faults_is_refused_whole_and_every_fault_is_named() {
    let station = station();
    let areas = checkout().join("schedules/demo/areas.toml");
    station.does(&["schedule", "import", areas.to_str().unwrap()]);
    let before = station.contents();
    station.does(&["schedule", "import", areas.to_str().unwrap()]);
    assert_eq!(station.contents(), before, "the same import twice changes nothing");
    let text = r#"
[[area]]
id = "ban-moi"
name = "Bản Mới"
level = "village"
parent = "nowhere"
[[area.listens]]
language = "xx"
[[programme]]
id = "sai"
title = "Sai"
cron = "0 0 6 30 2 *"
areas = ["lai-chau"]
newest = "Chuyên mục không có"
"#;
    let path = station.path("faults.toml");
    fs::write(&path, text).unwrap();
    let sentence = station.refuses(&["schedule", "import", path.to_str().unwrap()]);
    says(&sentence, &["faults.toml:12:", "30"]);
    let text = text.replace("30 2 *", "28 2 *");
    fs::write(&path, text).unwrap();
    let sentence = station.refuses(&["schedule", "import", path.to_str().unwrap()]);
    says(
        &sentence,
        &[
            "faults.toml:6:",
            "nowhere",
            "faults.toml:8:",
            "xx",
            "faults.toml:14:",
            "Chuyên mục không có",
        ],
    );
    assert_eq!(station.contents(), before);
}

#[test]
fn a_configuration_with_three_faults_names_all_three_with_their_lines() {
    let station = station();
    let text = fs::read_to_string(station.config()).unwrap();
    let text = text
        .replace("zone = \"Asia/Ho_Chi_Minh\"", "zone = \"Hà Nội\"")
        .replace("sqlite:", "oracle:")
        .replace("[web]", "[web]\ncolour = \"red\"");
    fs::write(station.config(), text).unwrap();
    let sentence = station.refuses(&["serve"]);
    says(
        &sentence,
        &["loaban.toml:3:", "Hà Nội", "loaban.toml:5:", "oracle:loaban.db", "unknown key `colour`"],
    );
}

#[test]
fn a_broker_that_refuses_is_named_with_what_to_do() {
    let broker = format!("mqtt://127.0.0.1:{}", free_port());
    let station = Station::init(&["--broker", &broker]);
    let output = station.loaban(&["doctor"]).output().unwrap();
    assert!(!output.status.success());
    says(&String::from_utf8_lossy(&output.stdout), &["BAD broker", &broker]);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let station = station();
    let newer =
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'later', 1, x'00', 0)";
    ran(Command::new("sqlite3").arg(station.path("station/loaban.db")).arg(newer));
    let before = station.contents();
    let sentence = station.refuses(&["bulletin", "list"]);
    says(&sentence, &["newer version of loaban", "restore the backup"]);
    assert_eq!(station.contents(), before);
}

#[test]
fn a_full_disk_under_the_recordings_is_named_and_loses_nothing() {
    let station = station();
    station.hire();
    let assets = station.path("station/assets");
    let disk = SmallDisk::mount(&assets);
    let sample = checkout().join("audio-samples/phong-chong-sat-lo.vi.wav");
    let path = bulletin_file(&station, &sample);
    let sentence = station.refuses(&["bulletin", "import", &path, "--by", "an"]);
    says(&sentence, &["is full; free space"]);
    assert_eq!(station.does(&["bulletin", "list"]), "");
    assert_eq!(fs::read_dir(&assets).unwrap().count(), 0, "nothing half-written is left");
    drop(disk);
    station.does(&["bulletin", "import", &path, "--by", "an"]);
    assert_eq!(station.does(&["bulletin", "list"]).lines().count(), 1);
}

/// A disk of one page, mounted over a folder while it lives. Needs root, as CI has it.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Self {
        let mut mount = Command::new("mount");
        ran(mount.args(["-t", "tmpfs", "-o", "size=4k", "tmpfs"]).arg(folder));
        Self(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn nobody_approves_what_they_recorded_or_without_the_duty() {
    let station = station();
    station.hire();
    let sample = checkout().join("audio-samples/phong-chong-sat-lo.vi.wav");
    let path = bulletin_file(&station, &sample);
    station.does(&["bulletin", "import", &path, "--by", "an"]);
    let id = "phong-chong-sat-lo";
    says(&station.refuses(&["bulletin", "review", id, "vi", "--by", "an"]), &["an", "reviewer"]);
    let own = station.path("dung.pass");
    let approve = |by: &str| {
        let own = own.to_str().unwrap().to_owned();
        station.refuses(&["bulletin", "approve", id, "vi", "--by", by, "--passphrase-file", &own])
    };
    says(&approve("dung"), &["is not reviewed"]);
    station.does(&["bulletin", "review", id, "vi", "--by", "chi"]);
    says(&approve("chi"), &["leader"]);
    fs::write(&own, "một mật khẩu sai hẳn").unwrap();
    says(&approve("dung"), &["passphrase does not open"]);
}

/// A command with a long answer, without a station.
fn long_answer() -> Command {
    let mut command = Command::new(LOABAN);
    command.args(["sim", "--controllers", "1", "--days", "1", "--weather", "calm"]);
    command
}

#[test]
fn who_closes_the_pipe_ends_the_answer_and_not_the_command() {
    let mut command = long_answer();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn an_answer_that_a_full_disk_does_not_take_is_a_failure() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = long_answer().stdout(full).output().unwrap();
    says(&String::from_utf8_lossy(&output.stderr), &["cannot write the answer", "No space left"]);
    assert!(!output.status.success());
}
