//! People at the pages, in a real browser, to the effect on real controllers.

use std::process::Command;

use crate::cast::{checkout, ran};
use crate::emergency::Valley;

#[test]
fn an_operator_and_two_officers_do_their_work_in_a_browser() {
    let valley = Valley::new();
    valley.officers();
    let station = &valley.station;
    let duties = ["--name", "Sùng A Sửa", "--duties", "operator@muong-te"];
    station.does(&[&["person", "add", "sua"][..], &duties].concat());
    let invite = |person| station.does(&["person", "invite", person]).trim().to_owned();
    let passphrase = std::fs::read_to_string(station.path("dung.pass")).unwrap();
    let mut journey = Command::new("/usr/bin/python3");
    journey.arg(checkout().join("tests/browser/journey.py"));
    journey.arg("--web").arg(format!("http://{}", valley.web));
    journey.arg("--operator").arg(invite("sua"));
    journey.arg("--officers").arg(invite("lan")).arg(invite("minh"));
    journey.arg("--passphrase").arg(passphrase.trim());
    let said = ran(&mut journey).stdout;
    assert!(String::from_utf8_lossy(&said).contains("every step was seen"));
    let told = station.does(&["log", "list", "--json"]);
    for kind in
        ["login.set", "session.begun", "login.second-set", "emergency.raised", "order.given"]
    {
        assert!(told.contains(kind), "the log tells of {kind}");
    }
    assert!(!told.contains("bốn từ"), "the log holds no password");
}
