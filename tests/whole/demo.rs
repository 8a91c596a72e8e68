//! `loaban demo --once --json`: what a newcomer sees, checked by ear.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use loaban::audio::opus::{Output, decode};
use loaban::digest::Digest;

use crate::cast::{LOABAN, checkout};

/// What each village must hear, in order: S is the landslide bulletin, T the vaccination notice.
const EXPECTED: [(&str, &[&str]); 7] = [
    ("doan-ket-1", &["S.vi", "T.vi"]),
    ("mu-ca-1", &["S.hni", "S.vi", "T.vi"]),
    ("sin-suoi-ho-1", &["S.mww", "S.vi", "T.mww", "T.vi"]),
    ("si-lo-lau-1", &["S.ium", "S.vi", "T.vi"]),
    ("muong-te-1", &["S.hni", "S.mww", "S.twh", "S.ium", "S.vi", "T.mww", "T.twh", "T.vi"]),
    ("muong-kim-1", &["S.vi", "T.vi"]),
    ("khong-lao-1", &["S.twh", "S.vi", "T.twh", "T.vi"]),
];

/// Samples that are looked for in a WAV file, taken from the middle of a recording.
const SNIPPET: usize = 400;

#[test]
fn every_village_hears_its_own_languages_in_its_own_order() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let output = Command::new(LOABAN)
        .current_dir(checkout())
        .args(["demo", "--once", "--json", "--dir"])
        .arg(&dir)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["airings"], serde_json::json!({"planned": 7, "completed": 7, "other": {}}));
    assert_eq!(summary["log"]["verified"], true);
    for language in ["vi", "mww", "twh", "ium", "hni"] {
        assert!(summary["languages"][language].as_u64() > Some(0), "{language}: {summary}");
    }
    assert!(told.contains("its link is back"), "{told}");
    let recordings = recordings(&dir);
    for (controller, expected) in EXPECTED {
        let file = wav_of(&summary, controller);
        assert_eq!(heard(&file, &recordings), expected, "{controller}");
    }
    assert_receipts_are_in_the_log(&dir);
    crate::auditor::examines(&dir);
}

fn wav_of(summary: &serde_json::Value, controller: &str) -> String {
    let wavs = summary["wav"].as_array().unwrap().iter();
    let own: Vec<_> = wavs.filter(|wav| wav["controller"] == controller).collect();
    assert_eq!(own.len(), 1, "{controller} played once");
    own[0]["file"].as_str().unwrap().to_owned()
}

/// The recordings of the station as a controller decodes them, by short name.
fn recordings(dir: &Path) -> BTreeMap<String, Vec<i16>> {
    let mut list = Command::new(LOABAN);
    list.args(["bulletin", "list", "--json", "--config"]).arg(dir.join("loaban.toml"));
    let list = String::from_utf8(list.output().unwrap().stdout).unwrap();
    list.lines().map(|line| recording(dir, line)).collect()
}

fn recording(dir: &Path, line: &str) -> (String, Vec<i16>) {
    let version: serde_json::Value = serde_json::from_str(line).unwrap();
    let letter = if version["bulletin"] == "lich-tiem-chung" { "T" } else { "S" };
    let name = format!("{letter}.{}", version["language"].as_str().unwrap());
    let asset: Digest = version["asset"].as_str().unwrap().parse().unwrap();
    let bytes = std::fs::read(dir.join("assets").join(format!("{asset}.opus"))).unwrap();
    let samples = decode(&bytes, Output::Wideband).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
    let samples = samples.iter().map(|s| (s.clamp(-1.0, 1.0) * 32_767.0).round() as i16);
    (name, samples.collect())
}

/// The recordings that a WAV file holds whole, in order.
pub fn heard(file: &str, recordings: &BTreeMap<String, Vec<i16>>) -> Vec<String> {
    let samples: Vec<i16> =
        hound::WavReader::open(file).unwrap().samples::<i16>().map(Result::unwrap).collect();
    let mut found: Vec<(usize, &String)> = recordings
        .iter()
        .flat_map(|(name, recording)| {
            places(&samples, recording).into_iter().map(move |at| (at, name))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name.clone()).collect()
}

/// Samples at each end of a recording that a loudspeaker ramps: 10 ms at 16 kHz, so that nothing
/// clicks.
const RAMP: usize = 160;

/// Where `recording` stands in `samples`, whole and, between its ramps, to the sample.
fn places(samples: &[i16], recording: &[i16]) -> Vec<usize> {
    let middle = recording.len() / 2;
    let snippet = &recording[middle..middle + SNIPPET];
    let matches = samples.windows(SNIPPET).enumerate().filter(|(_, window)| *window == snippet);
    let starts = matches.filter_map(|(at, _)| at.checked_sub(middle));
    let inner = RAMP..recording.len() - RAMP;
    let is_whole = |at: &usize| {
        samples.get(at + inner.start..at + inner.end) == Some(&recording[inner.clone()])
    };
    starts.filter(is_whole).collect()
}

fn assert_receipts_are_in_the_log(dir: &Path) {
    let mut list = Command::new(LOABAN);
    list.args(["log", "list", "--json", "--kind", "receipts.taken", "--config"]);
    let entries = list.arg(dir.join("loaban.toml")).output().unwrap().stdout;
    let entries = String::from_utf8(entries).unwrap();
    for (controller, _) in EXPECTED {
        let told = entries.lines().any(|line| {
            line.contains(controller) && line.contains("kind") && line.contains("completed")
        });
        assert!(told, "{controller} has its receipt in the log");
    }
}
