//! The annotated references are read by the code, and say what it does by itself.

use std::fs;
use std::path::Path;

use loaban::broker::{Rules, mosquitto};
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
    let optional = ["zone", "rtc", "reconnect_max_s", "library_mib"];
    let short = controller::Config::read(path, &without(&text, &optional)).unwrap();
    assert_eq!(reference, short);
}

#[test]
fn the_access_rules_for_mosquitto_are_those_that_the_code_writes() {
    let rules = Rules::new("laichau").unwrap();
    assert_eq!(text("mosquitto/acl"), mosquitto::acl(&rules));
}
