//! A program of somebody else's at the interface: a recording that arrives in two pieces becomes an
//! announcement, made broadcast-ready by the confined decoder, and measured by ffmpeg.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::cast::{checkout, free_port, listens, ran, start_server, wait_for};
use crate::fuzzed::station;

/// curl against the interface of one server, for one token.
struct Program {
    base: String,
    token: String,
}

impl Program {
    fn ask(&self, path: &str, arguments: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "--max-time", "60"]);
        curl.arg("-H").arg(format!("Authorization: Bearer {}", self.token));
        let output = ran(curl.args(arguments).arg(format!("{}{path}", self.base)));
        String::from_utf8(output.stdout).unwrap()
    }

    fn told(&self, path: &str, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ask(path, arguments)).unwrap()
    }

    fn does(&self, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let body = body.to_string();
        self.told(path, &["-H", "Content-Type: application/json", "-d", &body])
    }

    /// Sends the bytes of a file from `offset` on.
    fn sends(&self, upload: &str, file: &str, offset: usize) {
        let (at, bytes) = (format!("Upload-Offset: {offset}"), format!("@{file}"));
        let kind = "Content-Type: application/octet-stream";
        let how = ["-X", "PATCH", "-H", &at, "-H", kind, "--data-binary", &bytes];
        self.ask(&format!("/uploads/{upload}"), &how);
    }
}

/// Integrated loudness (LUFS) as ffmpeg measures it.
fn loudness(file: &str) -> f64 {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-i", file, "-af", "ebur128", "-f", "null", "-"]);
    let said = String::from_utf8_lossy(&ran(&mut ffmpeg).stderr).into_owned();
    let (_, summary) = said.rsplit_once("Integrated loudness:").unwrap();
    let word = summary.split_whitespace().nth(1).unwrap();
    word.parse().unwrap()
}

#[test]
fn an_upload_in_two_pieces_becomes_an_announcement_that_ffmpeg_finds_broadcast_ready() {
    let web = format!("127.0.0.1:{}", free_port());
    let (station, token) = station(&web);
    let _server = start_server(&station);
    listens(web.parse().unwrap());
    let program = Program { base: format!("http://{web}/api/v1"), token };

    let recording = fs::read(checkout().join("audio-samples/lich-tiem-chung.vi.mp3")).unwrap();
    let (first, rest) = recording.split_at(recording.len() / 3);
    let piece = |name: &str, bytes: &[u8]| {
        let path = station.path(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let sha256 = loaban::digest::Digest::of(&recording).to_string();
    let announced = serde_json::json!({ "length": recording.len(), "sha256": sha256 });
    let upload = program.does("/uploads", &announced)["upload"].as_str().unwrap().to_owned();
    program.sends(&upload, &piece("first", first), 0);
    let held = program.told(&format!("/uploads/{upload}"), &[]);
    assert_eq!(held["offset"], first.len());
    program.sends(&upload, &piece("rest", rest), first.len());

    let made = program.does(
        "/areas/mu-ca/announcements",
        &serde_json::json!({
            "upload": upload, "title": "Lịch tiêm chủng", "script": "Mời bà con đưa trẻ đi tiêm.",
            "language": "vi", "villages": ["ban-suoi-may"],
        }),
    );
    let bulletin = made["bulletin"].as_str().unwrap();
    assert!(made["judged"]["after_lufs"].is_number(), "{made}");
    let listed = program.told("/announcements", &[]);
    let listed = &listed["announcements"][0];
    assert_eq!((&listed["bulletin"], &listed["state"]), (&made["bulletin"], &"draft".into()));
    let sound = station.path("sound.opus");
    let sound = sound.to_str().unwrap();
    program.ask(&format!("/bulletins/{bulletin}/versions/vi/sound"), &["-o", sound]);
    let lufs = loudness(sound);
    assert!((lufs + 16.0).abs() <= 0.5, "{lufs} LUFS");
    let facts = station.does(&["log", "list", "--bulletin", bulletin]);
    assert!(facts.contains("announcement.made"), "{facts}");
}

#[test]
fn the_numbers_for_prometheus_count_the_clients_of_the_broker() {
    let web = format!("127.0.0.1:{}", free_port());
    let (station, token) = station(&web);
    let _server = start_server(&station);
    listens(web.parse().unwrap());
    let program = Program { base: format!("http://{web}"), token };
    // The server itself is one of them.
    wait_for("the server's own connection", Duration::from_secs(10), || {
        program.ask("/metrics", &[]).contains("\nloaban_broker_connections 1\n")
    });
}
