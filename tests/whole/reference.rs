//! The annotated references are read by the code, and say what it does by itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use loaban::broker::{Rules, mosquitto};
use loaban::speaker::Sink;
use loaban::{controller, server};

use crate::cast::checkout;

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

/// The profile of a kind of device, or the sentence that refuses it.
fn profile(name: &str) -> Result<controller::Config, String> {
    let text = text(&format!("profiles/{name}.toml"));
    let path = Path::new("/etc/loaban/controller.toml");
    controller::Config::read(path, &text).map_err(|faults| faults.to_string())
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
