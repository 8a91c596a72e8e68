//! Sound files made for tests, by ffmpeg or byte by byte, and what the real child reads of them.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use loaban::audio::source::{Source as _, Speaker};
use loaban::decoder::{About, DecodeError, Decoder, Limits, Recording, Warning};
use loaban::unit::Millis;

/// Two tones, three seconds, as loud as speech. `{c}` is the number of the channel.
const TONES: &str = "0.25*sin(2*PI*440*t)+0.1*sin(2*PI*1230*t)";

/// A file that is gone with its owner.
pub struct Made(tempfile::NamedTempFile);

impl Made {
    /// These very bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut place = tempfile::NamedTempFile::new().unwrap();
        place.write_all(bytes).unwrap();
        Self(place)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// Its first part.
    pub fn cut(&self, numerator: usize, denominator: usize) -> Self {
        let bytes = self.bytes();
        Self::of(&bytes[..bytes.len() * numerator / denominator])
    }
}

/// Three seconds of tones at a rate, each channel half as loud as the one before.
pub fn tones(rate: u32, channels: usize, arguments: &[&str], suffix: &str) -> Made {
    let channels: Vec<String> = (0..channels)
        .map(|channel| format!("({TONES})*{}", 0.7_f64.powi(channel as i32)))
        .collect();
    let layout = ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"][channels.len() - 1];
    let source = format!("aevalsrc=exprs={}:s={rate}:d=3:c={layout}", channels.join("|"));
    ffmpeg(&[&["-f", "lavfi", "-i", &source], arguments].concat(), suffix)
}

/// What ffmpeg makes of arguments that name inputs and codecs.
pub fn ffmpeg(arguments: &[&str], suffix: &str) -> Made {
    let place = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(place.path())
        .output()
        .expect("ffmpeg is needed");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{arguments:?}: {told}");
    Made(place)
}

/// What ffmpeg writes into a pipe, where it cannot go back to fill in sizes.
pub fn piped(arguments: &[&str]) -> Made {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(arguments)
        .arg("pipe:1")
        .output()
        .expect("ffmpeg is needed");
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    Made::of(&run.stdout)
}

/// The decoder with the real child.
pub fn decoder() -> Decoder {
    Decoder::new(PathBuf::from(env!("CARGO_BIN_EXE_loaban")), Limits::default())
}

/// All of a recording.
#[derive(Debug)]
pub struct Heard {
    pub about: About,
    pub rate: u32,
    pub layout: Vec<Speaker>,
    pub frames: u64,
    /// Root mean square of each channel.
    pub rms: Vec<f64>,
    pub warnings: Vec<Warning>,
}

impl Heard {
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.rate)
    }

    /// The loudness of what a speaker gives.
    pub fn of(&self, speaker: Speaker) -> f64 {
        let at = self.layout.iter().position(|it| *it == speaker);
        self.rms[at.expect("it has such a speaker")]
    }
}

/// Reads a file to its end through the real child.
pub fn hear(path: &Path) -> Result<Heard, DecodeError> {
    let mut recording = decoder().open(path)?;
    let mut block = Vec::new();
    let layout = recording.format().layout.clone();
    let mut sums = vec![0.0; layout.len()];
    while recording.next_block(&mut block)? {
        add(&mut sums, &block);
    }
    Ok(heard(&recording, &sums))
}

fn add(sums: &mut [f64], block: &[f32]) {
    let channels = sums.len();
    for (at, sample) in block.iter().enumerate() {
        sums[at % channels] += f64::from(*sample).powi(2);
    }
}

fn heard(recording: &Recording, sums: &[f64]) -> Heard {
    let rate = recording.format().rate;
    let frames = recording.given_frames();
    Heard {
        about: recording.about().clone(),
        rate: rate.get(),
        layout: recording.format().layout.clone(),
        frames,
        rms: sums.iter().map(|sum| (sum / frames as f64).sqrt()).collect(),
        warnings: recording.warnings().to_vec(),
    }
}

/// Seconds and loudness of each channel, as ffmpeg decodes them.
pub fn reference(path: &Path, rate: u32, channels: usize) -> (f64, Vec<f64>) {
    let rate_text = rate.to_string();
    let arguments: [&OsStr; 12] = [
        "-v".as_ref(),
        "error".as_ref(),
        "-nostdin".as_ref(),
        "-i".as_ref(),
        path.as_ref(),
        "-map".as_ref(),
        "0:a:0".as_ref(),
        "-ar".as_ref(),
        rate_text.as_ref(),
        "-f".as_ref(),
        "f32le".as_ref(),
        "-".as_ref(),
    ];
    let run = Command::new("ffmpeg").args(arguments).output().expect("ffmpeg is needed");
    let samples: Vec<f32> =
        run.stdout.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let mut sums = vec![0.0; channels];
    add(&mut sums, &samples);
    let frames = samples.len() / channels;
    let rms = sums.iter().map(|sum| (sum / frames as f64).sqrt()).collect();
    (frames as f64 / f64::from(rate), rms)
}

/// The decibels between two levels.
pub fn apart(one: f64, other: f64) -> f64 {
    (20.0 * (one / other).log10()).abs()
}

/// What the warnings say is missing, or that they do not say so.
pub fn lost(warnings: &[Warning]) -> Result<Millis, &'static str> {
    let said = warnings.iter().find_map(|warning| match warning {
        Warning::Truncated(lost) => Some(lost.ok_or("no length is told")),
        Warning::Damaged(_) | Warning::Changed | Warning::Tracks(_) | Warning::HalfBand => None,
    });
    said.unwrap_or(Err("nothing is missing"))
}

/// A WAV by hand: any tag, any widths, `extra` behind the first 16 bytes of its format.
pub fn wav(tag: u16, bits: u16, extra: &[u8], rate: u32, data: &[u8]) -> Vec<u8> {
    let width = u32::from(bits / 8);
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(1_u16.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * width).to_le_bytes());
    format.extend((bits / 8).to_le_bytes());
    format.extend(bits.to_le_bytes());
    format.extend(extra);
    let chunk = |name: &[u8; 4], body: &[u8]| {
        [name, &u32::try_from(body.len()).unwrap().to_le_bytes()[..], body].concat()
    };
    let body = [b"WAVE", &chunk(b"fmt ", &format)[..], &chunk(b"data", data)[..]].concat();
    chunk(b"RIFF", &body)
}
