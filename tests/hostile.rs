//! Hostile files and hostile children: each yields a sentence, none harms the parent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use loaban::audio::chain;
use loaban::audio::source::Source as _;
use loaban::decoder::{DecodeError, Decoder, Limits, Recording};
use loaban::unit::Millis;

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/audio")
}

fn real() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_loaban"))
}

fn open(limits: Limits, file: &Path) -> Result<Recording, DecodeError> {
    Decoder::new(real(), limits).open(file)
}

/// Opens a file and reads it to its end.
fn drain(opened: Result<Recording, DecodeError>) -> Result<Millis, DecodeError> {
    let mut recording = opened?;
    let mut block = Vec::new();
    while recording.next_block(&mut block)? {}
    Ok(recording.given())
}

/// A child that runs a shell script instead of decoding.
fn impostor(script: &str) -> Result<Millis, DecodeError> {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("impostor");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let limits =
        Limits { silence: Millis::new(400), length: Millis::from_secs(60), ..Limits::default() };
    let decoder = Decoder::new(program, limits);
    loop {
        // Another test that forks while the script is being written keeps it busy for a moment.
        match drain(decoder.open(&recordings().join("speech/vi_example.wav"))) {
            Err(DecodeError::Start { source, .. })
                if source.kind() == io::ErrorKind::ExecutableFileBusy => {}
            outcome => return outcome,
        }
    }
}

/// Header of one channel at 48 kHz, codec `x` in container `y`, in the escapes of `printf`.
const HEADER: &str = r"LBPCM001H\024\000\000\000\200\273\000\000\001\002\001\000\377\377\377\377\377\377\377\377\001x\001y";

#[test]
fn an_answer_without_a_greeting_is_nonsense() {
    let fault = impostor("printf 'hello, I am a decoder'").unwrap_err();
    assert_eq!(fault.code(), "decoder-nonsense", "{fault}");
}

#[test]
fn a_frame_that_claims_four_gigabytes_is_refused_without_taking_them() {
    let fault =
        impostor(&format!(r"printf '{HEADER}B\377\377\377\377'; exec /bin/sleep 5")).unwrap_err();
    assert_eq!(fault.code(), "decoder-nonsense", "{fault}");
}

#[test]
fn an_end_that_counts_other_frames_than_came_is_refused() {
    let fault =
        impostor(&format!(r"printf '{HEADER}E\010\000\000\000\005\000\000\000\000\000\000\000'"))
            .unwrap_err();
    assert_eq!(fault.code(), "decoder-nonsense", "{fault}");
}

#[test]
fn a_child_that_falls_silent_is_given_up() {
    let fault = impostor(&format!("printf '{HEADER}'; exec /bin/sleep 60")).unwrap_err();
    assert_eq!(fault.code(), "decoder-silent", "{fault}");
}

#[test]
fn sound_without_end_stops_at_the_length_limit() {
    let endless =
        format!(r"printf '{HEADER}'; while printf 'B\000\001\000\000'; do printf '%0256d' 0; done");
    let fault = impostor(&endless).unwrap_err();
    assert_eq!(fault.code(), "too-long", "{fault}");
}

#[test]
fn the_signal_that_ended_a_child_names_the_limit() {
    assert_eq!(impostor("kill -XCPU $$").unwrap_err().code(), "cpu-limit");
    assert_eq!(impostor("kill -ABRT $$").unwrap_err().code(), "memory-limit");
    assert_eq!(impostor("kill -SEGV $$").unwrap_err().code(), "decoder-crashed");
}

#[test]
fn the_child_keeps_to_its_memory() {
    let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let fault = drain(open(limits, &recordings().join("formats/pydub_test-192khz-32bit.flac")))
        .unwrap_err();
    assert!(["memory-limit", "decoder-crashed"].contains(&fault.code()), "{fault}");
}

#[test]
fn the_child_keeps_to_the_length_it_was_given() {
    let limits = Limits { length: Millis::from_secs(5), ..Limits::default() };
    let fault = drain(open(limits, &recordings().join("speech/vi_synthetic_49s.wav"))).unwrap_err();
    assert_eq!(fault.to_string(), "the recording is longer than the limit of 5.0 s; split it");
}

#[test]
fn folders_devices_and_missing_files_are_refused_before_any_child_starts() {
    let nobody = Decoder::new(PathBuf::from("/nonexistent"), Limits::default());
    let code = |path: &str| nobody.open(Path::new(path)).err().unwrap().code();
    assert_eq!(code("/"), "not-a-file");
    assert_eq!(code("/dev/zero"), "not-a-file");
    assert_eq!(code("/nonexistent.wav"), "cannot-open");
    assert_eq!(
        code(recordings().join("speech/vi_example.wav").to_str().unwrap()),
        "decoder-missing"
    );
}

/// Mutations tried of each file.
const MUTATIONS: u64 = 40;

#[test]
fn three_hundred_damaged_files_neither_hang_nor_harm() {
    let names = [
        "formats/pydub_party.mp3",
        "formats/sr_chinese.flac",
        "formats/pydub_format_test.m4a",
        "formats/pydub_bach.ogg",
        "speech/vi_example.wav",
        "formats/sr_french.aiff",
        "bad/mutagen_empty.ogg",
        "formats/audioread_test-1.mp3",
    ];
    let place = tempfile::NamedTempFile::new().unwrap();
    let mut outcomes = 0;
    for (name, seed) in names.iter().flat_map(|name| (0..MUTATIONS).map(move |seed| (name, seed))) {
        fs::write(place.path(), damaged(fs::read(recordings().join(name)).unwrap(), seed)).unwrap();
        match open(Limits::default(), place.path())
            .map(|mut source| chain::measure(&mut source, &mut ()))
        {
            Ok(Ok(found)) => assert!(found.loudness.true_peak.get() < 20.0, "{name} {seed}"),
            Ok(Err(fault)) | Err(fault) => {
                assert!(fault.to_string().contains(';'), "{name} {seed}: {fault}");
            }
        }
        outcomes += 1;
    }
    assert_eq!(outcomes, 320);
}

/// Flips bytes (mostly near the start, where headers are), and cuts off the end of every fourth file.
fn damaged(mut bytes: Vec<u8>, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..=draw(12) {
        let reach = if draw(3) == 0 { bytes.len() } else { bytes.len().min(200) };
        let at = draw(reach);
        bytes[at] = u8::try_from(draw(256)).unwrap();
    }
    if draw(4) == 0 {
        bytes.truncate(draw(bytes.len()).max(1));
    }
    bytes
}
