//! The annotated references are read by the code, and say what it does by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use loaban::broker::{Limits, Rules, mosquitto};
use loaban::speaker::Sink;
use loaban::{controller, server};

use crate::cast::{CONTROLLER, LOABAN, checkout, ran};

fn text(name: &str) -> String {
    fs::read_to_string(checkout().join("firmware-config").join(name)).unwrap()
}

/// The lines of a reference without its notes and without these optional keys.
fn without(text: &str, keys: &[&str]) -> String {
    let plain = text.lines().filter(|line| {
        let key = line.split('=').next().unwrap_or_default().trim();
        !line.starts_with('#') && !keys.contains(&key)
    });
    plain.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_reference_of_the_server_states_its_defaults() {
    let text = text("loaban.toml");
    let path = Path::new("/etc/loaban/loaban.toml");
    let reference = server::Config::read(path, &text).unwrap();
    let optional = ["zone", "reviewer_may_approve", "block_kib", "kbit_s", "gather_ms"];
    let short = server::Config::read(path, &without(&text, &optional)).unwrap();
    assert_eq!(reference, short);
}

#[test]
fn the_reference_of_the_controller_states_its_defaults() {
    let text = text("controller.toml");
    let path = Path::new("/etc/loaban/controller.toml");
    let reference = controller::Config::read(path, &text).unwrap();
    let optional = ["zone", "rtc", "reconnect_max_s", "library_mib", "receipts_max", "device"];
    let short = controller::Config::read(path, &without(&text, &optional)).unwrap();
    assert_eq!(reference, short);
}

#[test]
fn the_access_rules_for_mosquitto_are_those_that_the_code_writes() {
    let rules = Rules::new("laichau").unwrap();
    assert_eq!(text("mosquitto/acl"), mosquitto::acl(&rules));
}

#[test]
fn the_configuration_for_mosquitto_is_the_one_that_the_code_writes() {
    let folder = Path::new("/etc/mosquitto/loaban");
    let setup = mosquitto::Setup {
        listen: "127.0.0.1:1883".parse().unwrap(),
        login: mosquitto::Login::Password { file: folder.join("passwords") },
        acl_file: folder.join("acl"),
        persistence_directory: None,
        limits: Limits::default(),
    };
    assert_eq!(text("mosquitto/mosquitto.conf"), mosquitto::conf(&setup));
}

/// The files below a folder of `firmware-config/`.
fn files(below: &str) -> BTreeSet<String> {
    let folder = checkout().join("firmware-config").join(below);
    let entries = fs::read_dir(folder).unwrap().flatten();
    let found = entries.flat_map(|entry| {
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() { files(&format!("{name}/")) } else { [name].into() }
    });
    found.collect()
}

#[test]
fn there_is_no_file_that_no_test_holds_to_the_code() {
    let held = [
        "README.md",
        "build-aarch64.sh",
        "controller.toml",
        "loaban-controller.service",
        "loaban-controller.service.d/alsa.conf",
        "loaban.toml",
        "mosquitto/acl",
        "mosquitto/mosquitto.conf",
        "profiles/bench.toml",
        "profiles/board-alsa.toml",
        "profiles/decoder-wav.toml",
        "profiles/low-memory.toml",
    ];
    assert_eq!(files(""), held.map(str::to_owned).into());
}

#[test]
fn every_command_that_the_installer_is_told_exists() {
    let page = text("README.md");
    let told = page.split(['`', '\n', '|']).filter_map(|line| {
        let (_, line) = line
            .split_once("loaban")
            .filter(|(before, _)| before.trim().is_empty() || before.ends_with("-- "))?;
        let is_controller = line.starts_with("-controller ");
        let words = line.strip_prefix("-controller").unwrap_or(line).strip_prefix(' ')?;
        let plain = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase());
        let words = words.split(' ').take_while(plain).take(if is_controller { 1 } else { 2 });
        Some((is_controller, words.map(str::to_owned).collect::<Vec<_>>()))
    });
    let told: BTreeSet<_> = told.filter(|(_, words)| !words.is_empty()).collect();
    assert!(told.len() >= 6, "{told:?}");
    for (is_controller, words) in told {
        let program = if is_controller { CONTROLLER } else { LOABAN };
        ran(Command::new(program).args(&words).arg("--help"));
    }
}

#[test]
fn the_unit_and_the_script_start_and_build_what_there_is() {
    let help = ran(Command::new(CONTROLLER).arg("--help"));
    let default = "/etc/loaban/controller.toml";
    assert!(String::from_utf8_lossy(&help.stdout).contains(default));
    assert!(text("loaban-controller.service").contains(&format!("--config {default}")));
    let drop_in = text("loaban-controller.service.d/alsa.conf");
    assert!(drop_in.contains("[Service]\nPrivateDevices=no\nDevicePolicy=closed\n"));
    let script = checkout().join("firmware-config/build-aarch64.sh");
    ran(Command::new("bash").arg("-n").arg(script));
    let features = fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
    assert!(features.contains("\ncontroller = [") && features.contains("\nalsa = ["));
    assert!(text("build-aarch64.sh").contains("--features \"${FEATURES:-controller}\""));
}

/// The profile of a kind of device, or the sentence that refuses it.
fn profile(name: &str) -> Result<controller::Config, String> {
    let text = text(&format!("profiles/{name}.toml"));
    let path = Path::new("/etc/loaban/controller.toml");
    controller::Config::read(path, &text).map_err(|faults| faults.to_string())
}

#[test]
fn a_try_on_a_bench_stays_in_its_folder() {
    let config = profile("bench").unwrap();
    assert_eq!(config.sink, Sink::Wav("/etc/loaban/played".into()));
    assert_eq!(config.state, Path::new("/etc/loaban/state"));
}

#[test]
fn a_decoder_gets_wav_files() {
    let config = profile("decoder-wav").unwrap();
    assert_eq!(config.sink, Sink::Wav("/var/lib/loaban-controller/played".into()));
}

#[cfg(feature = "alsa")]
#[test]
fn a_board_has_a_card_a_switch_and_a_sensor_and_little_memory_few_receipts() {
    let board = profile("board-alsa").unwrap();
    assert_eq!(board.sink, Sink::Alsa("plughw:0,0".to_owned()));
    assert!(board.rtc && board.local_stop.is_some_and(|stop| stop.active_low));
    assert_eq!(board.senses.amplifier, ["/usr/local/bin/amplifier-current"]);
    let small = profile("low-memory").unwrap();
    assert_eq!((small.receipts_max, small.rtc), (1_000, false));
    assert_eq!(small.library_bytes_max, 128 * 1024 * 1024);
}

#[cfg(not(feature = "alsa"))]
#[test]
fn a_program_without_alsa_says_so_to_a_profile_that_needs_it() {
    for name in ["board-alsa", "low-memory"] {
        assert!(profile(name).unwrap_err().contains("--features alsa"), "{name}");
    }
}

#[test]
fn the_switch_and_the_senses_of_the_reference_are_what_the_code_reads() {
    let reference = text("controller.toml");
    let example = |line: &str| line.starts_with("# [") || line.contains(" = ");
    let whole: String = reference
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if example(line) && is_toml(rest) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = controller::Config::read(Path::new("/etc/loaban/controller.toml"), &whole);
    let config = config.unwrap_or_else(|faults| panic!("{faults}\n{whole}"));
    assert!(config.local_stop.is_some_and(|stop| stop.active_low));
    assert!(!config.senses.amplifier.is_empty() && !config.senses.microphone.is_empty());
}

/// Whether a note's text is an example and no sentence.
fn is_toml(line: &str) -> bool {
    toml::from_str::<toml::Table>(line).is_ok()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("loaban-controller.service");
    // The program is not installed where the tests run.
    let line = text("loaban-controller.service");
    let exec = line.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    fs::write(&unit, line.replace(exec, "ExecStart=/bin/true")).unwrap();
    let verify = ["verify", "--man=no"];
    match Command::new("systemd-analyze").args(verify).arg(&unit).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("loaban-controller"), "{said}");
        }
        // Containers have no systemd; what it would say is looked at where there is one.
        Err(error) => println!("not verified: {error}"),
    }
    for line in ["Type=notify", "WatchdogSec=120", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
        assert!(text("loaban-controller.service").contains(line), "{line}");
    }
}
