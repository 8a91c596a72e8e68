//! The way to sound: a thread that renders a playlist and hands it on in real time.
//!
//! Sound goes to a WAV file for each playlist, named after it, at the pace of a sound card: what a
//! device without one would have played, and what a test can listen to. **A playlist is reported
//! finished only when its last sample was handed on without error.**

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::agent::{Part, Playlist, Sounded};
use crate::audio::opus::{Output, Reader};
use crate::digest::Digest;
use crate::unit::SampleRate;

/// Samples a second that are handed on.
const RATE: SampleRate = SampleRate::WIDEBAND;

/// Samples handed on at once: 20 ms, what a stop waits for at most.
const CHUNK: usize = 320;

/// Samples of the fade when it is stopped: 20 ms, enough that nobody hears a click.
const FADE: usize = CHUNK;

/// Files of one name at most: a playlist that is played again gets a number.
const SAME_NAME_MAX: u32 = 1_000;

/// Where sound goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// One WAV file for each playlist, in this folder.
    Wav(PathBuf),
    /// Nowhere, at the same pace.
    Null,
}

/// What the speaker reports, with the playlist's token.
pub type Report = (u64, Sounded);

/// A speaker that plays one playlist at a time.
#[derive(Debug)]
pub struct Speaker {
    commands: Sender<Command>,
}

enum Command {
    Play(Playlist),
    Stop,
    Volume(u8),
}

impl Speaker {
    /// Starts the thread. `recording` says where a recording lies; `report` is called from the
    /// thread.
    pub fn start(
        sink: Sink,
        recording: impl Fn(Digest) -> PathBuf + Send + 'static,
        report: impl Fn(Report) + Send + 'static,
    ) -> io::Result<Self> {
        if let Sink::Wav(folder) = &sink {
            fs::create_dir_all(folder)?;
        }
        let (commands, inbox) = channel();
        let player =
            Player { sink, recording: Box::new(recording), report: Box::new(report), gain: 1.0 };
        thread::Builder::new().name("speaker".to_owned()).spawn(move || player.run(&inbox))?;
        Ok(Self { commands })
    }

    /// Plays; a playlist given while another plays waits for it.
    pub fn play(&self, list: Playlist) {
        // The thread ends only with this value.
        let _ = self.commands.send(Command::Play(list));
    }

    /// Stops what plays, with a fade.
    pub fn stop(&self) {
        let _ = self.commands.send(Command::Stop);
    }

    /// Sets the volume, 0 to 100.
    pub fn volume(&self, percent: u8) {
        let _ = self.commands.send(Command::Volume(percent));
    }
}

struct Player {
    sink: Sink,
    recording: Box<dyn Fn(Digest) -> PathBuf + Send>,
    report: Box<dyn Fn(Report) + Send>,
    gain: f32,
}

/// How a playlist ended.
enum End {
    Finished,
    Stopped,
    Failed(String),
}

impl Player {
    fn run(mut self, inbox: &Receiver<Command>) {
        while let Ok(command) = inbox.recv() {
            match command {
                Command::Play(list) => {
                    let end = self.play(&list, inbox);
                    let sounded = match end {
                        End::Finished => Sounded::Finished,
                        End::Stopped => Sounded::Stopped,
                        End::Failed(why) => Sounded::Failed(why),
                    };
                    (self.report)((list.token, sounded));
                }
                Command::Stop => {}
                Command::Volume(percent) => self.set_volume(percent),
            }
        }
    }

    fn set_volume(&mut self, percent: u8) {
        self.gain = f32::from(percent.min(100)) / 100.0;
    }

    fn play(&mut self, list: &Playlist, inbox: &Receiver<Command>) -> End {
        let mut out = match Out::open(&self.sink, &list.title) {
            Ok(out) => out,
            Err(why) => return End::Failed(why),
        };
        for (n, part) in list.parts.iter().enumerate() {
            match self.play_part(part, &mut out, inbox) {
                End::Finished => (self.report)((list.token, Sounded::Part(n))),
                end => {
                    let _ = out.close();
                    return end;
                }
            }
        }
        out.close().map_or_else(End::Failed, |()| End::Finished)
    }

    fn play_part(&mut self, part: &Part, out: &mut Out, inbox: &Receiver<Command>) -> End {
        let mut samples = match self.samples(part) {
            Ok(samples) => samples,
            Err(why) => return End::Failed(why),
        };
        let mut chunk = Vec::new();
        loop {
            match samples.next_chunk(&mut chunk) {
                Ok(true) => {}
                Ok(false) => return End::Finished,
                Err(why) => return End::Failed(why),
            }
            let stop = self.obey(inbox, out.pause());
            self.shape(&mut chunk, stop);
            if let Err(why) = out.hand_on(&chunk) {
                return End::Failed(why);
            }
            if stop {
                return End::Stopped;
            }
        }
    }

    /// Waits for the next chunk's time; `true` where it was told to stop.
    fn obey(&mut self, inbox: &Receiver<Command>, mut pause: Duration) -> bool {
        loop {
            match inbox.recv_timeout(pause) {
                Ok(Command::Volume(percent)) => self.set_volume(percent),
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(Command::Play(_)) => {}
                Err(RecvTimeoutError::Timeout) => return false,
            }
            pause = Duration::ZERO;
        }
    }

    fn shape(&self, chunk: &mut Vec<f32>, stop: bool) {
        if stop {
            chunk.truncate(FADE);
        }
        let length = chunk.len().max(1);
        for (n, sample) in chunk.iter_mut().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "at most 320")]
            let fade = if stop { 1.0 - n as f32 / length as f32 } else { 1.0 };
            *sample *= self.gain * fade;
        }
    }

    fn samples(&self, part: &Part) -> Result<Samples, String> {
        match part {
            Part::Tone(tone) => Ok(Samples::Held(tone.samples(RATE), 0)),
            Part::Silence(length) => {
                let frames = usize::try_from(length.as_millis()).unwrap_or(0) * CHUNK / 20;
                Ok(Samples::Held(vec![0.0; frames], 0))
            }
            Part::Sound { asset, .. } => {
                let path = (self.recording)(*asset);
                let cannot = |why: String| format!("cannot play {}: {why}", path.display());
                let bytes = fs::read(&path).map_err(|e| cannot(e.to_string()))?;
                let reader =
                    Reader::new(bytes, Output::Wideband).map_err(|e| cannot(e.to_string()))?;
                Ok(Samples::Read { reader: Box::new(reader), rest: Vec::new(), block: Vec::new() })
            }
        }
    }
}

enum Samples {
    Held(Vec<f32>, usize),
    Read { reader: Box<Reader<Vec<u8>>>, rest: Vec<f32>, block: Vec<f32> },
}

impl Samples {
    /// Fills `chunk` with the next samples; `false` at the end.
    fn next_chunk(&mut self, chunk: &mut Vec<f32>) -> Result<bool, String> {
        chunk.clear();
        match self {
            Self::Held(samples, at) => {
                let end = (*at + CHUNK).min(samples.len());
                chunk.extend_from_slice(&samples[*at..end]);
                *at = end;
            }
            Self::Read { reader, rest, block } => {
                while rest.len() < CHUNK {
                    if !reader.next_block(block).map_err(|e| e.to_string())? {
                        break;
                    }
                    rest.extend_from_slice(block);
                }
                chunk.extend(rest.drain(..CHUNK.min(rest.len())));
            }
        }
        Ok(!chunk.is_empty())
    }
}

/// The sink, open for one playlist.
struct Out {
    wav: Option<hound::WavWriter<io::BufWriter<fs::File>>>,
    start: Instant,
    handed: u64,
}

impl Out {
    #[expect(clippy::disallowed_methods, reason = "pacing is what this room is for")]
    fn open(sink: &Sink, title: &str) -> Result<Self, String> {
        let wav = match sink {
            Sink::Null => None,
            Sink::Wav(folder) => Some(create(folder, title)?),
        };
        Ok(Self { wav, start: Instant::now(), handed: 0 })
    }

    /// How long until the next chunk's time.
    fn pause(&self) -> Duration {
        let played = Duration::from_millis(self.handed * 1_000 / u64::from(RATE.get()));
        played.saturating_sub(self.start.elapsed())
    }

    fn hand_on(&mut self, chunk: &[f32]) -> Result<(), String> {
        let seconds = self.handed / u64::from(RATE.get());
        self.handed += chunk.len() as u64;
        let Some(wav) = &mut self.wav else { return Ok(()) };
        let cannot = |e: hound::Error| format!("cannot write the WAV file: {e}; free space");
        for sample in chunk {
            #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
            let sample = (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16;
            wav.write_sample(sample).map_err(cannot)?;
        }
        // A file that a power cut leaves behind is playable up to its last second.
        if self.handed / u64::from(RATE.get()) > seconds {
            wav.flush().map_err(cannot)?;
        }
        Ok(())
    }

    fn close(self) -> Result<(), String> {
        self.wav.map_or(Ok(()), |wav| wav.finalize().map_err(|e| e.to_string()))
    }
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
    let path = (1..SAME_NAME_MAX).map(numbered).find(|path| !path.exists());
    let path = path.ok_or_else(|| format!("{} is full of {name}", folder.display()))?;
    hound::WavWriter::create(&path, spec)
        .map_err(|e| format!("cannot make {}: {e}; check the folder", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tone::Tone;

    fn play(
        parts: Vec<Part>,
        then: impl FnOnce(&Speaker),
    ) -> (Vec<Sounded>, hound::WavReader<io::BufReader<fs::File>>) {
        let folder = tempfile::tempdir().unwrap();
        let (send, reports) = channel();
        let sink = Sink::Wav(folder.path().to_owned());
        let report = move |(_, sounded): Report| send.send(sounded).unwrap();
        let speaker = Speaker::start(sink, |_| PathBuf::from("/nowhere"), report).unwrap();
        speaker.play(Playlist { token: 1, title: "a/b".to_owned(), parts });
        then(&speaker);
        let mut heard = Vec::new();
        loop {
            let sounded = reports.recv_timeout(Duration::from_secs(20)).unwrap();
            heard.push(sounded.clone());
            if !matches!(sounded, Sounded::Part(_)) {
                break;
            }
        }
        let wav = hound::WavReader::open(folder.path().join("a_b.wav")).unwrap();
        (heard, wav)
    }

    #[test]
    fn what_is_played_lies_in_the_file_in_order_and_length() {
        let parts = vec![Part::Silence(Duration::from_millis(200)), Part::Tone(Tone::Opening)];
        let (heard, wav) = play(parts, |_| ());
        assert_eq!(heard, [Sounded::Part(0), Sounded::Part(1), Sounded::Finished]);
        let tone = Tone::Opening.samples(RATE).len();
        assert_eq!(wav.len() as usize, 3_200 + tone);
    }

    #[test]
    fn a_stop_ends_it_within_moments_and_fades() {
        let (heard, wav) = play(vec![Part::Tone(Tone::Test)], Speaker::stop);
        assert_eq!(heard, [Sounded::Stopped]);
        assert!(wav.len() < 16_000, "{}", wav.len());
        let last = wav.into_samples::<i16>().last().unwrap().unwrap();
        assert!(last.abs() < 200, "{last}");
    }

    #[test]
    fn a_recording_that_is_not_there_is_a_failure_with_its_name() {
        let asset = Digest::of(b"x");
        let language = "vi".parse().unwrap();
        let (heard, _) = play(vec![Part::Sound { asset, language }], |_| ());
        assert!(matches!(&heard[0], Sounded::Failed(why) if why.contains("/nowhere")), "{heard:?}");
    }
}
