//! Where sound goes: a WAV file for each playlist, a sound card, or nowhere; each in real time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::speaker::Sink;
use crate::speaker::level::RATE;

/// Files of one name at most: a playlist that is played again gets a number.
const SAME_NAME_MAX: u32 = 1_000;

/// The sink, open for one playlist.
pub(super) struct Out {
    device: Device,
    start: Instant,
    handed: u64,
}

enum Device {
    Nothing,
    Wav(hound::WavWriter<io::BufWriter<fs::File>>),
    #[cfg(feature = "alsa")]
    Card(crate::speaker::card::Card),
}

impl Out {
    #[expect(clippy::disallowed_methods, reason = "pacing is what this room is for")]
    pub(super) fn open(sink: &Sink, title: &str) -> Result<Self, String> {
        let device = match sink {
            Sink::Null => Device::Nothing,
            Sink::Wav(folder) => Device::Wav(create(folder, title)?),
            #[cfg(feature = "alsa")]
            Sink::Alsa(name) => Device::Card(crate::speaker::card::Card::open(name)?),
        };
        Ok(Self { device, start: Instant::now(), handed: 0 })
    }

    /// How long until the next chunk's time. A sound card is kept a little ahead of it.
    pub(super) fn pause(&self) -> Duration {
        let played = Duration::from_millis(self.handed * 1_000 / u64::from(RATE.get()));
        let due = played.saturating_sub(self.start.elapsed());
        match &self.device {
            Device::Nothing | Device::Wav(_) => due,
            #[cfg(feature = "alsa")]
            Device::Card(card) => card.pause(due),
        }
    }

    pub(super) fn hand_on(&mut self, chunk: &[f32]) -> Result<(), String> {
        let seconds = self.handed / u64::from(RATE.get());
        self.handed += chunk.len() as u64;
        let second_over = self.handed / u64::from(RATE.get()) > seconds;
        match &mut self.device {
            Device::Nothing => Ok(()),
            Device::Wav(wav) => write(wav, chunk, second_over),
            #[cfg(feature = "alsa")]
            Device::Card(card) => {
                card.write(&chunk.iter().copied().map(coded).collect::<Vec<i16>>())
            }
        }
    }

    pub(super) fn close(self) -> Result<(), String> {
        match self.device {
            Device::Nothing => Ok(()),
            Device::Wav(wav) => wav.finalize().map_err(|e| e.to_string()),
            #[cfg(feature = "alsa")]
            Device::Card(card) => card.close(),
        }
    }
}

fn write(
    wav: &mut hound::WavWriter<io::BufWriter<fs::File>>,
    chunk: &[f32],
    second_over: bool,
) -> Result<(), String> {
    let cannot = |e: hound::Error| format!("cannot write the WAV file: {e}; free space");
    for sample in chunk {
        wav.write_sample(coded(*sample)).map_err(cannot)?;
    }
    // A file that a power cut leaves behind is playable up to its last second.
    if second_over { wav.flush().map_err(cannot) } else { Ok(()) }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
fn coded(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16
}

fn create(folder: &Path, title: &str) -> Result<hound::WavWriter<io::BufWriter<fs::File>>, String> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE.get(),
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let name = title.replace('/', "_");
    let numbered = |n: u32| match n {
        1 => folder.join(format!("{name}.wav")),
        n => folder.join(format!("{name}_{n}.wav")),
    };
    let path = (1..SAME_NAME_MAX).map(numbered).find(|path: &PathBuf| !path.exists());
    let path = path.ok_or_else(|| format!("{} is full of {name}", folder.display()))?;
    hound::WavWriter::create(&path, spec)
        .map_err(|e| format!("cannot make {}: {e}; check the folder", path.display()))
}
