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

use loaban::audio::chain::{self, ChainError, Outcome, Shortfall};
use loaban::audio::cut::Levels;
use loaban::audio::encode::Tags;
use loaban::audio::recipe::Recipe;
use loaban::audio::scratch::Memory;
use loaban::audio::source::{Samples, Source};
use loaban::audio::wav::{Sink, Wav};
use loaban::decoder::{DecodeError, Decoder, Limits, Warning};
use loaban::unit::SampleRate;

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
    let mut source = decoder().open(file).map_err(ChainError::Source)?;
    let outcome = chain::normalise(&mut source, recipe, &tags(), &mut Memory::new(), &mut ())?;
    Ok((outcome, source.warnings().to_vec()))
}

fn tags() -> Tags {
    Tags { title: "Bản tin thử".to_owned(), language: "vi".to_owned(), ..Tags::default() }
}

/// Asset and 16-bit samples of what a source gives.
fn both<S: Source>(
    source: &mut S,
    recipe: &Recipe,
) -> Result<(Outcome, Vec<i16>), ChainError<S::Error>> {
    let (mut scratch, mut wave) = (Memory::new(), Vec::new());
    let sink: Option<&mut dyn Sink> = Some(&mut wave);
    let made = chain::normalise_with_wav(source, recipe, &tags(), &mut scratch, &mut (), sink)?;
    Ok((made, wave))
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
    ["opus", "libopus"]
        .into_iter()
        .find_map(|decoder| off(place.path(), &["-c:a", decoder], target))
}

/// How a file misses the promise, as ffmpeg measures it.
fn off(file: &Path, decoder: &[&str], target: f64) -> Option<String> {
    let (loudness, peak) = ffmpeg(file, decoder).expect("ffmpeg decodes what we made");
    let kept = (loudness - target).abs() <= 0.2 && peak <= -1.0;
    (!kept).then(|| format!("{decoder:?}: {loudness} LUFS, {peak} dBTP"))
}

/// The same of the 16-bit samples, as a file that hound wrote.
fn broken_wav(wave: &[i16], recipe: &Recipe) -> Option<String> {
    let place = tempfile::Builder::new().suffix(".wav").tempfile().unwrap();
    let mut wav = Wav::new(fs::File::create(place.path()).unwrap(), recipe.profile.rate()).unwrap();
    wav.take(wave).unwrap();
    wav.finish().unwrap();
    off(place.path(), &[], recipe.target.get())
}

/// What is wrong with asset or WAV of a usable recording; no gain bound excuses any of those we have.
fn complaint(file: &Path, recipe: &Recipe) -> Option<String> {
    let made = decoder().open(file).map_err(ChainError::Source);
    match made.and_then(|mut source| both(&mut source, recipe)) {
        Ok((outcome, wave)) => broken_promise(&outcome.asset.bytes, recipe.target.get())
            .or_else(|| broken_wav(&wave, recipe)),
        Err(fault) => Some(fault.to_string()),
    }
}

#[test]
fn every_usable_recording_leaves_at_the_target_and_below_the_ceiling() {
    let complaints = each(&files(&["speech", "telephony", "formats"]), |file| {
        complaint(file, &Recipe::default())
    });
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_full_band_recipe_keeps_the_same_promise() {
    let complaints = each(&files(&["speech", "formats"]), |file| complaint(file, &Recipe::full()));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn presence_and_levelling_keep_the_same_promise() {
    let recipe = Recipe::named("speech+levelled+presence").unwrap();
    let complaints = each(&files(&["speech"]), |file| complaint(file, &recipe));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// A recording of one channel, whole, and its rate.
fn samples(name: &str) -> (SampleRate, Vec<f32>) {
    let mut source = decoder().open(&folder().join(name)).unwrap();
    let rate = source.format().rate;
    let (mut all, mut block) = (Vec::new(), Vec::new());
    while source.next_block(&mut block).unwrap() {
        all.extend_from_slice(&block);
    }
    (rate, all)
}

/// A soft voice, so far above white noise that it is just told from it.
fn voice_in_noise() -> (SampleRate, Vec<f32>) {
    let (rate, mut sound) = samples("speech/vi_example.wav");
    let mut state = 1_u32;
    for sample in &mut sound {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0;
        *sample = *sample * 0.18 + noise * 0.011;
    }
    (rate, sound)
}

#[test]
fn a_voice_in_noise_is_raised_less_and_the_report_says_why() {
    let (rate, sound) = voice_in_noise();
    let (outcome, wave) = both(&mut Samples::mono(rate, &sound), &Recipe::default()).unwrap();
    let found = &outcome.measurement;
    assert_eq!(found.shortfall, Some(Shortfall::Noise), "{found:?}");
    let loudness = found.after.integrated.unwrap().get();
    assert!((-24.0..-16.2).contains(&loudness), "{loudness}");
    let mut levels = Levels::new(SampleRate::WIDEBAND);
    let wave: Vec<f32> = wave.iter().map(|step| f32::from(*step) / 32_768.0).collect();
    levels.push(&wave);
    let floor = levels.quantile(0.1);
    assert!((floor - chain::NOISE_MAX).abs() < 1.0, "noise at {floor:.1} dBFS");
    let report = loaban::audio::report::outcome(found);
    assert!(report.problems.iter().any(|problem| problem.code == "noise-bound"), "{report:?}");
}

/// Two voices by turns of twelve seconds, the second 20 dB softer.
fn two_voices() -> (SampleRate, Vec<f32>, usize) {
    let (rate, host) = samples("speech/vi_binh_north_m.wav");
    let (_, guest) = samples("speech/vi_ngoc_north_f.wav");
    let turn = rate.get() as usize * 12;
    let loudness = |sound: &[f32]| {
        let found = chain::measure(&mut Samples::mono(rate, sound), &mut ()).unwrap();
        found.loudness.integrated.unwrap().get()
    };
    let apart = loudness(&host) - 20.0 - loudness(&guest);
    #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
    let factor = loaban::unit::Db::nearest(apart).factor() as f32;
    let mut sound = Vec::new();
    for _ in 0..2 {
        sound.extend(host.iter().cycle().take(turn));
        sound.extend(guest.iter().cycle().take(turn).map(|sample| sample * factor));
    }
    (rate, sound, turn)
}

/// How far the turns of what a recipe makes of both voices lie apart, in LU.
fn apart(recipe: &Recipe) -> Vec<f64> {
    let (rate, sound, turn) = two_voices();
    let recipe = Recipe { pause_max: None, ..recipe.clone() };
    let (outcome, wave) = both(&mut Samples::mono(rate, &sound), &recipe).unwrap();
    let wave: Vec<f32> = wave.iter().map(|step| f32::from(*step) / 32_768.0).collect();
    let out = recipe.profile.rate();
    let lead = usize::try_from(outcome.measurement.cut.lead.frames(out)).unwrap();
    let turn = turn * out.get() as usize / rate.get() as usize;
    let loudness = |index: usize| {
        let part =
            &wave[(index * turn).saturating_sub(lead)..((index + 1) * turn - lead).min(wave.len())];
        let found = chain::measure(&mut Samples::mono(out, part), &mut ()).unwrap();
        found.loudness.integrated.unwrap().get()
    };
    (0..3).map(|index| (loudness(index) - loudness(index + 1)).abs()).collect()
}

#[test]
fn two_voices_twenty_decibels_apart_end_within_four_when_levelled() {
    let plain = apart(&Recipe::default());
    let levelled = apart(&Recipe { levelled: true, ..Recipe::default() });
    assert!(plain.iter().all(|apart| *apart > 12.0), "as they came: {plain:.1?}");
    assert!(levelled.iter().all(|apart| *apart <= 4.0), "{levelled:.1?} LU, {plain:.1?} before");
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
        Warning::Damaged(_) | Warning::Changed | Warning::Tracks(_) | Warning::HalfBand => None,
    });
    let total = lost.unwrap().get() + outcome.measurement.recording.loudness.duration.get();
    assert!((10_900..11_100).contains(&total), "11 s in all, not {total} ms");
}

#[test]
fn loudness_agrees_with_ffmpeg_on_every_recording() {
    let complaints = each(&files(&["speech", "telephony", "formats", "conformance"]), |file| {
        let mut source = decoder().open(file).unwrap();
        let ours = chain::measure(&mut source, &mut ()).unwrap().loudness;
        let (theirs, peak) = ffmpeg(file, &[]).expect("ffmpeg measures every usable recording");
        let (ours, own) =
            (ours.integrated.map_or(-70.0, loaban::unit::Lufs::get), ours.true_peak.get());
        // ffmpeg reads peaks at 192 kHz and tells one decimal; ITU-R BS.1770-4 allows four-fold to read 0.4 dB less.
        let near = (ours - theirs).abs() <= 0.1 && (-0.45..=0.25).contains(&(own - peak));
        (!near).then(|| format!("{ours:.2} LUFS, {own:.2} dBTP here, {theirs:.2}, {peak} there"))
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
