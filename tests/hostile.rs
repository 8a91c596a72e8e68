//! Hostile files and hostile children: each yields a sentence, none harms the parent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::cast_possible_truncation, reason = "bytes are cut out of numbers")]

#[path = "decoding/bombs.rs"]
mod bombs;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// What becomes of these bytes under these limits, as the code and the sentence that people read.
fn fate(bytes: &[u8], limits: Limits) -> (&'static str, String) {
    let place = tempfile::NamedTempFile::new().unwrap();
    fs::write(place.path(), bytes).unwrap();
    let fault = drain(open(limits, place.path())).unwrap_err();
    (fault.code(), fault.to_string())
}

#[test]
fn a_few_kilobytes_that_decode_to_days_stop_at_the_length_limit() {
    let bomb = bombs::flac(8_000, 1, 40_000);
    assert!(bomb.len() < 800_000, "{}", bomb.len());
    let (code, sentence) = fate(&bomb, Limits::default());
    assert_eq!(code, "too-long");
    assert!(sentence.ends_with("; split it"), "{sentence}");
}

#[test]
fn a_file_that_decodes_without_end_in_sight_stops_at_its_cpu_time() {
    // Eight channels at 192 kHz: the length limit is far.
    let bomb = bombs::flac(192_000, 8, 30_000);
    assert!(bomb.len() < 1_500_000, "{}", bomb.len());
    let (code, sentence) = fate(&bomb, Limits { cpu_s: 1, ..Limits::default() });
    assert_eq!(code, "cpu-limit");
    assert!(sentence.contains("more than 1 s of CPU time"), "{sentence}");
}

#[test]
fn an_index_that_asks_for_more_memory_than_there_may_be_ends_the_child_alone() {
    let (front, bytes) = bombs::mp4_of_packets(40_000_000);
    let limits = Limits { memory_bytes: 160 << 20, ..Limits::default() };
    let fault = drain(open(limits, sparse(&front, bytes).path())).unwrap_err();
    assert_eq!(fault.code(), "memory-limit", "{fault}");
    assert!(fault.to_string().contains("the file is damaged or not genuine"), "{fault}");
}

#[test]
fn elements_within_elements_end_in_a_sentence() {
    for depth in [10, 1_000, 200_000] {
        let (code, sentence) = fate(&bombs::nested_tags(depth), Limits::default());
        assert!(sentence.contains(';'), "{depth}: {code}: {sentence}");
    }
}

/// A file with this in front and zeros behind it, which take no room on the disk.
fn sparse(front: &[u8], bytes: u64) -> tempfile::NamedTempFile {
    let place = tempfile::NamedTempFile::new().unwrap();
    fs::write(place.path(), front).unwrap();
    place.as_file().set_len(bytes).unwrap();
    place
}

#[test]
fn a_sound_file_of_five_days_of_silence_stops_at_the_length_limit() {
    let limits = Limits { length: Millis::from_secs(600), ..Limits::default() };
    let fault = drain(open(limits, sparse(&bombs::endless_wav(), 3_900_000_000).path()));
    assert_eq!(fault.unwrap_err().code(), "too-long");
}

#[test]
fn a_gigabyte_of_nothing_and_a_file_beyond_the_limit_are_refused() {
    let nothing = drain(open(Limits::default(), sparse(&[], 1 << 30).path())).unwrap_err();
    assert!(nothing.to_string().contains(';'), "{nothing}");
    let large = drain(open(Limits::default(), sparse(&[], 5 << 30).path())).unwrap_err();
    assert_eq!(large.code(), "too-large");
}

#[test]
fn texts_archives_pictures_and_pipes_are_no_sound() {
    let text = "Thông báo: ngày mai mất điện từ 7 giờ.\n".repeat(500);
    let zip = [&b"PK\x03\x04"[..], &[0x5A; 5_000]].concat();
    let picture = [&b"\xFF\xD8\xFF\xE0\x00\x10JFIF"[..], &[0x11; 5_000]].concat();
    for bytes in [text.as_bytes(), b"%PDF-1.7\n", &zip, &picture, &[0], &[0xFF; 4_096]] {
        let (code, sentence) = fate(bytes, Limits::default());
        assert!(["not-audio", "no-sound"].contains(&code), "{code}: {sentence}");
    }
    let (code, sentence) = refused_before_decoding(|path| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    });
    assert_eq!(code, "not-a-file", "{sentence}");
    let (code, sentence) = refused_before_decoding(|path| fs::write(path, "").unwrap());
    assert_eq!(code, "not-a-file", "{sentence}");
    assert!(sentence.ends_with("is an empty file; choose a sound file"), "{sentence}");
}

fn refused_before_decoding(make: impl FnOnce(&Path)) -> (&'static str, String) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("made");
    make(&path);
    let fault = drain(open(Limits::default(), &path)).unwrap_err();
    (fault.code(), fault.to_string())
}

#[test]
fn a_file_that_nobody_may_read_is_refused_to_those_who_keep_to_that() {
    let place = tempfile::NamedTempFile::new().unwrap();
    fs::write(place.path(), bombs::flac(8_000, 1, 1)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o000)).unwrap();
    let opened = open(Limits::default(), place.path()).map(|_| ()).map_err(|fault| fault.code());
    // The superuser may read everything.
    let expected = fs::File::open(place.path()).map(|_| ()).map_err(|_| "cannot-open");
    assert_eq!(opened, expected);
}

#[test]
fn the_walls_stand_while_a_file_is_decoded() {
    let place = tempfile::NamedTempFile::new().unwrap();
    fs::write(place.path(), bombs::flac(8_000, 1, 2_000)).unwrap();
    // Nobody reads its answer, so it waits in the midst of its work once the pipe is full.
    let mut child = Command::new(real())
        .args(["decode-child", "300000000", "7", "100000000"])
        .stdin(fs::File::open(place.path()).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let walled = (0..1_000_000).any(|_| {
        std::thread::yield_now();
        of("status").contains("Seccomp:\t2")
    });
    assert!(walled, "{}", of("status"));
    let (limits, status) = (of("limits"), of("status"));
    child.kill().unwrap();
    child.wait().unwrap();
    let words = |line: &str| {
        let line = limits.lines().find(|it| it.starts_with(line)).unwrap();
        line[line.len().min(26)..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words("Max address space"), ["300000000", "300000000"]);
    assert_eq!(words("Max cpu time"), ["7", "8"]);
    assert_eq!(words("Max file size"), ["0", "0"]);
    assert_eq!(words("Max core file size"), ["0", "0"]);
    assert_eq!(words("Max open files"), ["4", "4"]);
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
}

/// Children of this process that have ended and that nobody has asked for.
fn zombies() -> usize {
    let own = format!(" Z {} ", std::process::id());
    let stats = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|it| fs::read_to_string(it.ok()?.path().join("stat")).ok());
    stats.filter(|stat| stat.contains(&own)).count()
}

#[test]
fn a_child_that_was_killed_is_gone() {
    let bomb = bombs::flac(192_000, 8, 30_000);
    assert_eq!(fate(&bomb, Limits { cpu_s: 1, ..Limits::default() }).0, "cpu-limit");
    let place = tempfile::NamedTempFile::new().unwrap();
    fs::write(place.path(), &bomb).unwrap();
    drop(open(Limits::default(), place.path()).unwrap());
    // Other tests end their children at the same time; theirs are asked for within moments.
    let gone = (0..2_000).any(|_| {
        std::thread::yield_now();
        zombies() == 0
    });
    assert!(gone, "a child was left behind");
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
