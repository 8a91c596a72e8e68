//! The commands over recordings, end to end: real files and broken ones, what is written and what is said.
//!
//! Needs `ffmpeg`, `script` and the folder `../shared/audio`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const LOABAN: &str = env!("CARGO_BIN_EXE_loaban");

fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/audio").join(name)
}

fn hard(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("audio-samples/hard").join(name)
}

/// A folder with two good recordings, three bad ones and a text.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let files = [
        (shared("speech/vi_example.wav"), "good.wav"),
        (shared("formats/sr_chinese.flac"), "village/faint.flac"),
        (hard("silence.wav"), "silence.wav"),
        (hard("not-audio.wav"), "not-audio.wav"),
        (shared("bad/mutagen_emptyfile.mp3"), "empty.mp3"),
        (hard("not-audio.wav"), "notes.txt"),
    ];
    for (from, to) in files {
        let to = folder.path().join("in").join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
    folder
}

fn loaban(folder: &Path, words: &[&str]) -> Output {
    Command::new(LOABAN).args(words).current_dir(folder).output().unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rows(output: &Output) -> Vec<Value> {
    said(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every file below a folder, hidden ones too.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.insert(name);
        }
    }
    found
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(ToString::to_string).collect()
}

/// Integrated loudness and true peak as ffmpeg hears them.
fn heard(file: &Path) -> (f64, f64) {
    let told = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-nostdin", "-i"])
        .arg(file)
        .args([
            "-af",
            "ebur128=peak=true:metadata=1,ametadata=print:key=lavfi.r128.I",
            "-f",
            "null",
            "-",
        ])
        .output()
        .expect("ffmpeg is needed");
    let told = said(&told.stderr);
    let loudness = told
        .lines()
        .filter_map(|line| line.split("lavfi.r128.I=").nth(1)?.trim().parse().ok())
        .next_back();
    let peak =
        told.rsplit("Peak:").next().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    (loudness.unwrap(), peak)
}

#[test]
fn bad_files_are_named_with_their_sentence_and_the_good_ones_are_made() {
    let folder = folder();
    let output = loaban(folder.path(), &["normalise", "in", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(files(&folder.path().join("out")), names(&["good.opus", "village/faint.opus"]));
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    for part in [
        "REFUSED in/silence.wav",
        "micro đã bật",
        "microphone was on",
        "hãy gửi WAV",
        "an empty file",
    ] {
        assert!(out.contains(part), "`{part}` is missing in: {out}");
    }
    for part in [
        "3 of 5 recordings were refused",
        "in/empty.mp3, in/not-audio.wav, in/silence.wav",
        "in/notes.txt",
    ] {
        assert!(err.contains(part), "`{part}` is missing in: {err}");
    }
    assert!(!err.contains('\u{1b}'), "bars are for terminals: {err}");
}

#[test]
fn opus_and_wav_of_one_pass_are_both_on_target_and_below_the_ceiling() {
    let folder = folder();
    let output = loaban(
        folder.path(),
        &["normalise", "in/good.wav", "--out", "out", "--wav", "--target", "-18"],
    );
    assert!(output.status.success(), "{}", said(&output.stderr));
    for name in ["good.opus", "good.wav"] {
        let (loudness, peak) = heard(&folder.path().join("out").join(name));
        assert!(
            (loudness + 18.0).abs() <= 0.2 && peak <= -1.0,
            "{name}: {loudness} LUFS, {peak} dBTP"
        );
    }
}

#[test]
fn the_same_twice_gives_the_same_bytes_and_only_where_replacing_was_asked_for() {
    let folder = folder();
    let once = ["normalise", "in/good.wav", "--out", "out", "--wav", "--language", "vi"];
    assert!(loaban(folder.path(), &once).status.success());
    let read = || {
        ["good.opus", "good.wav"]
            .map(|name| fs::read(folder.path().join("out").join(name)).unwrap())
    };
    let first = read();
    let again = loaban(folder.path(), &once);
    assert!(!again.status.success());
    assert!(said(&again.stdout).contains("add --replace"), "{}", said(&again.stdout));
    assert!(loaban(folder.path(), &[&once[..], &["--replace"]].concat()).status.success());
    assert_eq!(read(), first);
    let info = loaban::audio::opus::info(&first[0]).unwrap();
    assert_eq!((info.title.as_deref(), info.language.as_deref()), (Some("good"), Some("vi")));
}

#[test]
fn two_recordings_of_one_name_are_refused_before_anything_is_written() {
    let folder = folder();
    let output =
        loaban(folder.path(), &["normalise", "in/good.wav", "in/good.wav", "--out", "out"]);
    assert!(!output.status.success());
    assert!(said(&output.stderr).contains("would both become"), "{}", said(&output.stderr));
    assert_eq!(files(&folder.path().join("out")), names(&[]));
}

#[test]
fn every_promised_field_is_in_a_line_of_json_and_what_is_not_known_is_null() {
    let folder = folder();
    let output = loaban(folder.path(), &["measure", "in", "--json"]);
    assert_eq!(output.status.code(), Some(1), "two files are no sound");
    let rows = rows(&output);
    let promised = [
        "file",
        "duration_ms",
        "codec",
        "sample_rate_hz",
        "channels",
        "integrated_lufs",
        "range_lu",
        "true_peak_dbtp",
        "noise_floor_dbfs",
        "clipped_samples",
        "verdict",
        "problems",
    ];
    for row in &rows {
        assert!(promised.iter().all(|field| row.get(field).is_some()), "{row}");
    }
    let row = |file: &str| rows.iter().find(|row| row["file"] == file).unwrap();
    let good = row("in/good.wav");
    assert_eq!(
        (&good["codec"], &good["sample_rate_hz"], &good["channels"], &good["verdict"]),
        (&"pcm_s16le".into(), &24_000.into(), &1.into(), &"good".into())
    );
    let by_ffmpeg = heard(&folder.path().join("in/good.wav")).0;
    assert!((good["integrated_lufs"].as_f64().unwrap() - by_ffmpeg).abs() < 0.1, "{good}");
    let silence = row("in/silence.wav");
    assert!(
        silence["integrated_lufs"].is_null() && silence["true_peak_dbtp"].is_null(),
        "{silence}"
    );
    assert_eq!(silence["problems"][0]["code"], "silent");
    let text = row("in/not-audio.wav");
    assert!(text["duration_ms"].is_null(), "{text}");
    assert_eq!(text["problems"][0]["code"], "not-audio");
    assert!(text["problems"][0]["vi"].as_str().unwrap().contains("hãy"), "{text}");
}

#[test]
fn what_was_made_measures_as_was_told() {
    let folder = folder();
    let words = ["normalise", "in/good.wav", "--out", "out", "--json", "--stages"];
    let row = &rows(&loaban(folder.path(), &words))[0];
    let made = &row["made"];
    assert_eq!(made["opus_file"], "out/good.opus");
    assert!(row["stages_ms"]["encode"].is_u64(), "{row}");
    let again = &rows(&loaban(folder.path(), &["measure", "out/good.opus", "--json"]))[0];
    let (told, found) =
        (made["asset"]["integrated_lufs"].as_f64(), again["integrated_lufs"].as_f64());
    assert!((told.unwrap() - found.unwrap()).abs() < 0.05, "{told:?} {found:?}");
    let digest =
        loaban::digest::Digest::of(&fs::read(folder.path().join("out/good.opus")).unwrap());
    assert_eq!(made["sha256"], digest.to_string());
}

#[test]
fn a_file_that_is_not_there_stops_no_other_and_blames_no_recording() {
    let folder = folder();
    let output = loaban(folder.path(), &["measure", "nowhere.wav", "in/good.wav", "--json"]);
    assert!(!output.status.success());
    let rows = rows(&output);
    assert_eq!(rows[0]["problems"][0]["code"], "cannot-open");
    assert!(rows[0]["verdict"].is_null());
    assert_eq!(rows[1]["verdict"], "good");
}

#[test]
fn an_audition_holds_both_at_their_own_levels_with_a_tone_between() {
    let folder = folder();
    let words = ["audition", "in/village/faint.flac", "--out", "both.wav", "--picture", "pictures"];
    let output = loaban(folder.path(), &words);
    assert!(output.status.success(), "{}", said(&output.stderr));
    let mut wav = hound::WavReader::open(folder.path().join("both.wav")).unwrap();
    assert_eq!((wav.spec().channels, wav.spec().sample_rate), (1, 48_000));
    let sound: Vec<i32> = wav.samples::<i16>().map(|sample| sample.unwrap().into()).collect();
    let loudest = |part: &[i32]| part.iter().map(|sample| sample.abs()).max().unwrap();
    let (first, last) = (&sound[..48_000], &sound[sound.len() - 48_000..]);
    assert!(loudest(last) > 4 * loudest(first), "{} {}", loudest(first), loudest(last));
    assert_eq!(files(&folder.path().join("pictures")), names(&["both.wav.png", "both.wav.svg"]));
}

#[test]
fn a_refused_audition_writes_nothing() {
    let folder = folder();
    let output = loaban(folder.path(), &["audition", "in/silence.wav", "--out", "both.wav"]);
    assert!(said(&output.stderr).contains("hãy kiểm tra micro"), "{}", said(&output.stderr));
    assert_eq!(files(folder.path()).iter().filter(|name| !name.starts_with("in/")).count(), 0);
}

#[test]
fn a_terminal_sees_bars_and_whole_lines() {
    let folder = folder();
    let command = format!("{LOABAN} normalise in --out out --lang en; echo code=$?");
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder.path())
        .output();
    let seen = said(&output.expect("script is needed").stdout);
    assert!(seen.contains('\u{1b}') && seen.contains("0/5"), "{seen:?}");
    let line = seen.lines().find(|line| line.contains("in/good.wav: ")).unwrap();
    assert!(line.contains("-16.0 LUFS") && line.trim_end().ends_with("good"), "{line:?}");
    assert!(seen.contains("code=1") && seen.contains("3 of 5 recordings were refused"), "{seen:?}");
}
