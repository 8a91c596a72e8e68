//! Every recording in the shared folder through the whole chain, measured by another program after decoding.
//!
//! Needs `ffmpeg` and the folder `../shared/audio`; without them these tests fail, because a promise that was not
//! tested is not kept.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use loaban::audio::chain::{self, ChainError, Outcome};
use loaban::audio::encode::Tags;
use loaban::audio::recipe::Recipe;
use loaban::audio::scratch::Memory;
use loaban::decoder::{DecodeError, Decoder, Limits, Warning};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/audio")
}

fn decoder() -> Decoder {
    Decoder::new(PathBuf::from(env!("CARGO_BIN_EXE_loaban")), Limits::default())
}

fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in folders {
        let listed =
            fs::read_dir(folder().join(name)).expect("the folder ../shared/audio is needed");
        files.extend(listed.map(|entry| entry.unwrap().path()));
    }
    files.sort();
    assert!(!files.is_empty());
    files
}

fn normalise(
    file: &Path,
    recipe: &Recipe,
) -> Result<(Outcome, Vec<Warning>), ChainError<DecodeError>> {
    let tags = Tags { title: "Bản tin thử".to_owned(), language: "vi".to_owned() };
    let mut source = decoder().open(file).map_err(ChainError::Source)?;
    let outcome = chain::normalise(&mut source, recipe, &tags, &mut Memory::new(), &mut ())?;
    Ok((outcome, source.warnings().to_vec()))
}

/// Integrated loudness and true peak as ffmpeg's `ebur128` tells them; `None` where it decodes nothing.
fn ffmpeg(file: &Path, decoder: &[&str]) -> Option<(f64, f64)> {
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-nostdin"])
        .args(decoder)
        .arg("-i")
        .arg(file)
        .args([
            "-vn",
            "-af",
            "ebur128=peak=true:metadata=1,ametadata=print:key=lavfi.r128.I",
            "-f",
            "null",
            "-",
        ])
        .output()
        .expect("ffmpeg is needed");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    let exact = told
        .lines()
        .filter_map(|line| line.split("lavfi.r128.I=").nth(1)?.trim().parse().ok())
        .next_back();
    let summary = told.rsplit("Summary:").next()?;
    let peak = summary.split("Peak:").nth(1)?.split_whitespace().next()?.parse().ok()?;
    Some((exact?, peak))
}

/// Runs `check` for each file on both cores and gives all complaints.
fn each(files: &[PathBuf], check: impl Fn(&Path) -> Option<String> + Sync) -> Vec<String> {
    let (queue, complaints) = (Mutex::new(files.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(file) = queue.lock().unwrap().next() else { return };
                    if let Some(complaint) = check(file) {
                        complaints.lock().unwrap().push(format!("{}: {complaint}", file.display()));
                    }
                }
            });
        }
    });
    complaints.into_inner().unwrap()
}

/// What ffmpeg's two Opus decoders measure of an asset, against the promise.
fn broken_promise(asset: &[u8], target: f64) -> Option<String> {
    let place = tempfile::Builder::new().suffix(".opus").tempfile().unwrap();
    fs::write(place.path(), asset).unwrap();
    ["opus", "libopus"].into_iter().find_map(|decoder| {
        let (loudness, peak) = ffmpeg(place.path(), &["-c:a", decoder])?;
        let kept = (loudness - target).abs() <= 0.2 && peak <= -1.0;
        (!kept).then(|| format!("{decoder}: {loudness} LUFS, {peak} dBTP"))
    })
}

#[test]
fn every_usable_recording_leaves_at_the_target_and_below_the_ceiling() {
    let complaints = each(&files(&["speech", "telephony", "formats"]), |file| {
        match normalise(file, &Recipe::default()) {
            Ok((outcome, _)) => broken_promise(&outcome.asset.bytes, -16.0),
            Err(fault) => Some(fault.to_string()),
        }
    });
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_full_band_recipe_keeps_the_same_promise() {
    let complaints =
        each(&files(&["speech", "formats"]), |file| match normalise(file, &Recipe::full()) {
            Ok((outcome, _)) => broken_promise(&outcome.asset.bytes, -16.0),
            Err(fault) => Some(fault.to_string()),
        });
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Recordings whose codec is none of ours; they are refused by name although ffmpeg can decode them.
const FOREIGN: [(&str, &str); 1] = [("mutagen_issue_29.wma", "Windows Media")];

/// What ffmpeg hears of a broken file: silence counts as nothing.
fn audible(file: &Path) -> bool {
    ffmpeg(file, &[]).is_some_and(|(loudness, _)| loudness > -70.0)
}

#[test]
fn a_broken_recording_is_used_where_it_still_sounds_and_refused_with_a_sentence_where_not() {
    let complaints = each(&files(&["bad"]), |file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let foreign = FOREIGN.iter().find(|(foreign, _)| *foreign == name);
        match (normalise(file, &Recipe::default()), audible(file) && foreign.is_none()) {
            (Ok((outcome, _)), true) => broken_promise(&outcome.asset.bytes, -16.0),
            (Ok(_), false) => Some("used, although nothing can be heard in it".to_owned()),
            (Err(fault), true) => Some(format!("refused, although it sounds: {}", said(&fault))),
            (Err(fault), false) => {
                let sentence = said(&fault);
                let named = foreign.is_none_or(|(_, codec)| sentence.contains(codec));
                (!named || !sentence.contains(';'))
                    .then(|| format!("does not say what to do: {sentence}"))
            }
        }
    });
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// The sentence that a clerk reads.
fn said(fault: &ChainError<DecodeError>) -> String {
    match fault {
        ChainError::Source(fault) => fault.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn a_file_that_was_cut_off_names_what_is_missing() {
    let whole = fs::read(folder().join("formats/jfk.flac")).unwrap();
    let place = tempfile::NamedTempFile::new().unwrap();
    fs::write(place.path(), &whole[..whole.len() / 2]).unwrap();
    let (outcome, warnings) = normalise(place.path(), &Recipe::default()).unwrap();
    let lost = warnings.iter().find_map(|warning| match warning {
        Warning::Truncated(lost) => *lost,
        Warning::Damaged(_) | Warning::Changed => None,
    });
    let total = lost.unwrap().get() + outcome.measurement.recording.loudness.duration.get();
    assert!((10_900..11_100).contains(&total), "11 s in all, not {total} ms");
}

#[test]
fn loudness_agrees_with_ffmpeg_on_every_recording() {
    let complaints = each(&files(&["speech", "telephony", "formats", "conformance"]), |file| {
        let mut source = decoder().open(file).unwrap();
        let ours = chain::measure(&mut source, &mut ()).unwrap().loudness.integrated;
        let (theirs, _) = ffmpeg(file, &[])?;
        let ours = ours.map_or(-70.0, loaban::unit::Lufs::get);
        ((ours - theirs).abs() > 0.1).then(|| format!("{ours:.2} here, {theirs:.2} there"))
    });
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_gating_files_of_the_itu_read_as_they_must() {
    let read = |name: &str| {
        let mut source = decoder().open(&folder().join("conformance").join(name)).unwrap();
        chain::measure(&mut source, &mut ()).unwrap().loudness.integrated.unwrap().get()
    };
    assert!((read("1770-2_Comp_AbsGateTest.wav") + 69.5).abs() < 0.1);
    assert!((read("1770-2_Comp_RelGateTest.wav") + 10.0).abs() < 0.1);
}

#[test]
fn the_same_recording_and_recipe_give_the_same_bytes() {
    let file = folder().join("speech/vi_example.wav");
    let made = || normalise(&file, &Recipe::default()).unwrap().0.asset;
    assert_eq!(made().sha256(), made().sha256());
}

#[test]
fn an_asset_tells_its_title_and_language_and_keeps_its_length() {
    let file = folder().join("speech/vi_example.wav");
    let (outcome, _) = normalise(&file, &Recipe::default()).unwrap();
    let info = loaban::audio::opus::info(&outcome.asset.bytes).unwrap();
    assert_eq!(
        (info.title.as_deref(), info.language.as_deref()),
        (Some("Bản tin thử"), Some("vi"))
    );
    let cut = outcome.measurement.cut;
    let kept =
        outcome.measurement.recording.loudness.duration.get() - cut.lead.get() - cut.tail.get();
    assert!(info.duration.get().abs_diff(kept) <= 1, "{} ms, {kept} ms kept", info.duration.get());
}

#[test]
fn a_browser_recording_in_webm_is_read_to_its_end() {
    let made = convert(&["-c:a", "libopus", "-f", "webm"], ".webm");
    let mut source = decoder().open(made.path()).unwrap();
    let found = chain::measure(&mut source, &mut ()).unwrap();
    assert_eq!(source.about().codec, "opus");
    assert!(found.loudness.duration.get().abs_diff(49_376) < 60, "{}", found.loudness.duration);
}

/// The longest recording, converted by ffmpeg: long enough that an encoder's delay moves no gating block.
fn convert(arguments: &[&str], suffix: &str) -> tempfile::NamedTempFile {
    let place = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(folder().join("speech/vi_synthetic_49s.wav"))
        .args(arguments)
        .arg(place.path())
        .status();
    assert!(run.expect("ffmpeg is needed").success(), "{arguments:?}");
    place
}

#[test]
fn every_promised_format_is_read_with_its_loudness_unchanged() {
    let formats: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("u8 .wav", &["-c:a", "pcm_u8"][..]),
        ("f32 .wav", &["-c:a", "pcm_f32le"]),
        ("f64 .wav", &["-c:a", "pcm_f64le"]),
        ("a-law .wav", &["-c:a", "pcm_alaw"]),
        ("u-law .wav", &["-c:a", "pcm_mulaw"]),
        ("adts .aac", &["-c:a", "aac", "-b:a", "96k"]),
        ("m4a .m4a", &["-c:a", "aac", "-b:a", "96k"]),
        ("alac .m4a", &["-c:a", "alac"]),
        ("vorbis .ogg", &["-c:a", "libvorbis", "-q:a", "6"]),
        ("opus .ogg", &["-c:a", "libopus", "-b:a", "64k"]),
        ("aiff .aiff", &["-c:a", "pcm_s16be"]),
        ("caf .caf", &["-c:a", "pcm_s16le"]),
        ("5.1 .wav", &["-af", "pan=5.1|FC=c0", "-c:a", "pcm_s16le"]),
        ("8 channels .flac", &["-af", "pan=7.1|FC=c0", "-c:a", "flac"]),
        ("192 kHz .flac", &["-ar", "192000", "-c:a", "flac"]),
        ("8 kHz .mp3", &["-ar", "8000", "-c:a", "libmp3lame"]),
        ("44.1 kHz .mp3", &["-ar", "44100", "-c:a", "libmp3lame", "-b:a", "128k"]),
    ]);
    for (name, arguments) in formats {
        let place = convert(arguments, name.split(' ').next_back().unwrap());
        let (theirs, _) = ffmpeg(place.path(), &[]).unwrap();
        let mut source =
            decoder().open(place.path()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let ours = chain::measure(&mut source, &mut ()).unwrap().loudness.integrated.unwrap().get();
        assert!((ours - theirs).abs() < 0.1, "{name}: {ours:.2} here, {theirs:.2} there");
    }
}
