//! The annotated references are read by the code, and say what it does by itself.

use std::fs;
use std::path::Path;

use loaban::broker::{Rules, mosquitto};
use loaban::manifest::Manifest;
use loaban::protocol::{
    Ack, ClockAnswer, ClockAsk, Descriptor, Document, Emergency, Order, Status, Want, decode,
    encode,
};
use loaban::receipt::Batch;
use loaban::trust::TrustDocument;
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
    let optional = ["zone", "rtc", "reconnect_max_s"];
    let short = controller::Config::read(path, &without(&text, &optional)).unwrap();
    assert_eq!(reference, short);
}

#[test]
fn the_access_rules_for_mosquitto_are_those_that_the_code_writes() {
    let rules = Rules::new("laichau").unwrap();
    assert_eq!(text("mosquitto/acl"), mosquitto::acl(&rules));
}

/// Reads an example and writes it again: the manual shows the very bytes.
fn holds<D: Document>(line: &str) {
    let net = "laichau".parse().unwrap();
    let text = format!("{line}\n");
    let document: D = decode(&net, &text).unwrap_or_else(|e| panic!("{e}: {line}"));
    assert_eq!(encode(&net, &document), text);
}

#[test]
fn every_example_of_the_protocols_manual_is_what_the_code_reads_and_writes() {
    let manual = fs::read_to_string(checkout().join("docs/protocol.md")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for line in manual.lines().filter(|line| line.starts_with(r#"{"v":1,"typ":""#)) {
        // One example shows its line feed.
        let line = line.trim_end_matches('⏎');
        let typ = line.split('"').nth(5).unwrap();
        match typ {
            "trust" => holds::<TrustDocument>(line),
            "manifest" => holds::<Manifest>(line),
            "order" => holds::<Order>(line),
            "emergency" => holds::<Emergency>(line),
            "asset" => holds::<Descriptor>(line),
            "want" => holds::<Want>(line),
            "receipts" => holds::<Batch>(line),
            "ack" => holds::<Ack>(line),
            "status" => holds::<Status>(line),
            "clock" => holds::<ClockAsk>(line),
            "time" => holds::<ClockAnswer>(line),
            other => panic!("an example of an unknown type {other}"),
        }
        seen.insert(typ.to_owned());
    }
    assert_eq!(seen.len(), 11, "every document has its example: {seen:?}");
}
