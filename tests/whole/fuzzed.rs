//! The interface for programs under a fuzzer that knows its own OpenAPI document: nothing it sends
//! makes the server fail, and every answer is one that the document names.

use std::path::PathBuf;
use std::process::Command;

use crate::cast::{Station, checkout, free_port, listens, start_server};

/// Seconds of the run in the suite; `docs/api.md` tells of a longer one.
const SECONDS: &str = "30";

/// What is checked. That every request that fits its schema is taken is left out: a schema says
/// what a name looks like, not which names there are.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,\
    missing_required_header,unsupported_method,ignored_auth";

const SCOPES: &str = "watch,read,contribute,translate,record,review,approve,alarm,order,\
    take-question,answer,change-fleet,decide,invite,attend,announce,upload,listen,programme";

fn schemathesis() -> PathBuf {
    let path = checkout().join(".tools/schemathesis/bin/schemathesis");
    assert!(path.exists(), "schemathesis is not installed; run ./run deps test");
    path
}

/// A station with one person who may do everything, and their token.
pub fn station(web: &str) -> (Station, String) {
    let listen = format!("127.0.0.1:{}", free_port());
    let station = Station::init(&["--listen", &listen, "--web", web]);
    let (own, root) = (station.path("dung.pass"), station.path("root.pass"));
    let files = ["--passphrase-file", own.to_str().unwrap()];
    let root = ["--root-passphrase-file", root.to_str().unwrap()];
    let duties = "contributor,announcer,reviewer,leader,officer,operator,inspector,administrator";
    let person = ["person", "add", "moi", "--name", "Người thử", "--duties", duties];
    station.does(&[&person[..], &files, &root].concat());
    let schedule = checkout().join("schedules/demo");
    for file in ["areas.toml", "policy-open.toml", "programmes.toml"] {
        station.does(&["schedule", "import", schedule.join(file).to_str().unwrap()]);
    }
    let token = station.does(&["token", "create", "fuzz", "--for", "moi", "--scopes", SCOPES]);
    (station, token.trim().to_owned())
}

#[test]
fn nothing_that_fits_or_breaks_its_own_document_makes_the_server_fail() {
    let web = format!("127.0.0.1:{}", free_port());
    let (station, token) = station(&web);
    let _server = start_server(&station);
    listens(web.parse().unwrap());
    let seconds = std::env::var("FUZZ_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    let mut fuzz = Command::new(schemathesis());
    fuzz.arg("run").arg(format!("http://{web}/api/v1/openapi.json"));
    fuzz.arg("-H").arg(format!("Authorization: Bearer {token}"));
    fuzz.args(["--max-time", &seconds, "--seed", "1", "--rate-limit", "90/s", "--no-color"]);
    fuzz.args(["--checks", CHECKS, "--continue-on-failure", "--warnings", "off"]);
    let output = fuzz.current_dir(station.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let (_, summary) = said.split_once("SUMMARY").expect("it sums up");
    println!("{summary}");
}
