//! What a controller plays, taken down by ALSA's `file` plug-in and compared with the recordings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use loaban::agent::{Part, Playlist, Sounded};
use loaban::audio::opus::{self, Output};
use loaban::audio::tone::Tone;
use loaban::digest::Digest;
use loaban::speaker::{GAIN_STEP_MAX, Sink, Speaker, gain_of};
use loaban::unit::SampleRate;

use crate::cast::{LOABAN, checkout, ran};

/// Samples that the ramps and the sound card may blur on either side of a part.
const BLUR: usize = 400;

struct Pole {
    folder: tempfile::TempDir,
    speaker: Speaker,
    reports: Receiver<Sounded>,
}

impl Pole {
    /// A loudspeaker whose sound card is a file, with the recordings of two languages.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for language in ["hni", "vi"] {
            let from = format!("audio-samples/phong-chong-sat-lo.{language}.wav");
            let mut normalise = Command::new(LOABAN);
            normalise.arg("normalise").arg(checkout().join(from)).arg("--out").arg(folder.path());
            ran(&mut normalise);
        }
        let device = format!("file:'{}',raw", folder.path().join("card.raw").display());
        let (send, reports) = channel();
        let at = folder.path().to_owned();
        let recording = move |asset: Digest| asset_of(&at, asset);
        let report = move |(_, sounded)| send.send(sounded).unwrap();
        let speaker = Speaker::start(Sink::Alsa(device), recording, report).unwrap();
        Self { folder, speaker, reports }
    }

    fn part(&self, language: &str) -> Part {
        let asset = Digest::of(&fs::read(opus_of(self.folder.path(), language)).unwrap());
        Part::Sound { asset, language: language.parse().unwrap() }
    }

    fn samples(&self, language: &str) -> Vec<f32> {
        let bytes = fs::read(opus_of(self.folder.path(), language)).unwrap();
        opus::decode(&bytes, Output::Wideband).unwrap()
    }

    fn play(&self, parts: Vec<Part>, volume_percent: u8) {
        let title = "thu".to_owned();
        self.speaker.play(Playlist { token: 1, title, parts, volume_percent });
    }

    /// Waits for a report, at most so long.
    fn hears(&self, limit: Duration) -> Option<Sounded> {
        self.reports.recv_timeout(limit).ok()
    }

    fn plays_to(&self, end: &Sounded) {
        while let Some(sounded) = self.hears(Duration::from_secs(30)) {
            if !matches!(sounded, Sounded::Part(_)) {
                assert_eq!(&sounded, end);
                return;
            }
        }
        panic!("the loudspeaker fell silent");
    }

    /// What the sound card got.
    fn taken_down(&self) -> Vec<f32> {
        let bytes = fs::read(self.folder.path().join("card.raw")).unwrap();
        let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_767.0;
        bytes.chunks_exact(2).map(sample).collect()
    }
}

fn opus_of(folder: &Path, language: &str) -> PathBuf {
    folder.join(format!("phong-chong-sat-lo.{language}.opus"))
}

fn asset_of(folder: &Path, asset: Digest) -> PathBuf {
    let paths = ["hni", "vi"].map(|language| opus_of(folder, language));
    paths.into_iter().find(|path| Digest::of(&fs::read(path).unwrap()) == asset).unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "a few seconds of samples")]
fn level_db(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    10.0 * power.log10()
}

/// How alike two sounds are, whatever their levels: 1 is the same.
fn likeness(one: &[f32], other: &[f32]) -> f64 {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum() };
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

/// No sample differs from the one before by more than the parts' own steps and the stated bound.
fn no_click(heard: &[f32], parts: &[&[f32]], gain: f32) {
    // What each sample's step may be; nothing of the next part's at a join.
    let own = |part: &&[f32]| -> Vec<f32> {
        let steps = part.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        std::iter::once(0.0).chain(steps).collect()
    };
    let own: Vec<f32> = parts.iter().flat_map(own).collect();
    let rounding = 2.0 / 32_767.0;
    for (n, pair) in heard.windows(2).enumerate() {
        let step = (pair[1] - pair[0]).abs();
        let bound = gain * own.get(n + 1).copied().unwrap_or(0.0) + GAIN_STEP_MAX + rounding;
        assert!(step <= bound, "a step of {step} at sample {}, above {bound}", n + 1);
    }
}

#[test]
fn languages_come_in_order_at_the_ordered_level_and_nothing_clicks() {
    let pole = Pole::new();
    let gap = Part::Silence(Duration::from_millis(500));
    let chime = |tone| Part::Tone(tone);
    let order =
        vec![chime(Tone::Opening), pole.part("hni"), gap, pole.part("vi"), chime(Tone::Closing)];
    pole.play(order, 50);
    pole.plays_to(&Sounded::Finished);
    let heard = pole.taken_down();

    let rate = SampleRate::WIDEBAND;
    let (opening, closing) = (Tone::Opening.samples(rate), Tone::Closing.samples(rate));
    let (hni, silence, vi) = (pole.samples("hni"), vec![0.0; 8_000], pole.samples("vi"));
    let parts: [&[f32]; 5] = [&opening, &hni, &silence, &vi, &closing];
    let length: usize = parts.iter().map(|part| part.len()).sum();
    assert!(heard.len() >= length, "{} of {length} samples", heard.len());
    no_click(&heard, &parts, gain_of(50));

    let ordered = 20.0 * gain_of(50).log10();
    let at_vi = opening.len() + hni.len() + silence.len();
    for (name, begins, part) in [("hni", opening.len(), &hni), ("vi", at_vi, &vi)] {
        let part = &part[BLUR..part.len() - BLUR];
        let said = &heard[begins + BLUR..begins + BLUR + part.len()];
        let off = level_db(said) - level_db(part) - ordered;
        assert!(off.abs() < 0.5, "{name} is {off} dB off the ordered level");
        assert!(likeness(said, part) > 0.999, "{name} does not sound in its place");
        println!("{name}: {off:+.3} dB off, likeness {:.5}", likeness(said, part));
    }
}

#[test]
fn a_change_of_volume_while_it_sounds_is_a_ramp_to_the_ordered_level() {
    let pole = Pole::new();
    pole.play(vec![Part::Tone(Tone::Test)], 100);
    assert_eq!(pole.hears(Duration::from_secs(2)), None, "it lasts five seconds");
    pole.speaker.volume(40);
    pole.plays_to(&Sounded::Finished);
    let (heard, tone) = (pole.taken_down(), Tone::Test.samples(SampleRate::WIDEBAND));
    no_click(&heard, &[&tone], 1.0);
    let off =
        |from: usize| level_db(&heard[from..from + 8_000]) - level_db(&tone[from..from + 8_000]);
    let (before, after) = (off(8_000), off(64_000));
    assert!(before.abs() < 0.5, "{before} dB before the order");
    assert!((after - 20.0 * gain_of(40).log10()).abs() < 0.5, "{after} dB after it");
}

#[test]
fn what_is_cut_off_fades_and_what_follows_begins_from_silence() {
    let pole = Pole::new();
    pole.play(vec![pole.part("vi")], 100);
    assert_eq!(pole.hears(Duration::from_secs(2)), None, "it is longer than that");
    pole.speaker.stop();
    pole.plays_to(&Sounded::Stopped);
    let (heard, vi) = (pole.taken_down(), pole.samples("vi"));
    no_click(&heard, &[&vi], 1.0);
    // What the card adds behind the end is silence.
    let sounding = heard.iter().rposition(|sample| *sample != 0.0).unwrap() + 1;
    assert!(sounding < vi.len(), "it was cut off");
    let last = heard[sounding - 1].abs();
    assert!(last <= GAIN_STEP_MAX, "it ends at {last}");

    pole.play(vec![Part::Tone(Tone::Emergency)], 100);
    pole.plays_to(&Sounded::Finished);
    let alert = Tone::Emergency.samples(SampleRate::WIDEBAND);
    no_click(&pole.taken_down(), &[&alert], 1.0);
    assert!(level_db(&pole.taken_down()) - level_db(&alert) < 0.5);
}

#[test]
fn a_sound_card_that_is_not_there_is_named() {
    let (send, reports) = channel();
    let report = move |(_, sounded)| send.send(sounded).unwrap();
    let sink = Sink::Alsa("khong-co".to_owned());
    let speaker = Speaker::start(sink, |_| PathBuf::new(), report).unwrap();
    let parts = vec![Part::Tone(Tone::Test)];
    speaker.play(Playlist { token: 1, title: "thu".to_owned(), parts, volume_percent: 100 });
    let sounded = reports.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(
        matches!(&sounded, Sounded::Failed(why) if why.contains("khong-co") && why.contains("aplay")),
        "{sounded:?}"
    );
}

#[test]
fn sound_that_goes_nowhere_keeps_the_pace_of_a_sound_card() {
    let (send, reports) = channel();
    let report = move |(_, sounded)| send.send(sounded).unwrap();
    let speaker =
        Speaker::start(Sink::Alsa("null".to_owned()), |_| PathBuf::new(), report).unwrap();
    let (parts, begun) = (vec![Part::Tone(Tone::Opening)], crate::cast::now());
    speaker.play(Playlist { token: 1, title: "thu".to_owned(), parts, volume_percent: 100 });
    while reports.recv_timeout(Duration::from_secs(10)).unwrap() != Sounded::Finished {}
    assert!(begun.elapsed() > Duration::from_secs(2), "2.3 s of chime");
}
