//! The way to sound: a thread that renders a playlist and hands it on in real time.
//!
//! Sound goes to a sound card, or to a WAV file for each playlist, named after it, at the pace of a
//! sound card: what a device without one would have played, and what a test can listen to. **A
//! playlist is reported finished only when its last sample was handed on without error.**

#[cfg(feature = "alsa")]
mod card;
mod level;
mod out;
mod samples;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

pub use level::{GAIN_STEP_MAX, gain_of};

use crate::agent::{Part, Playlist, Sounded};
use crate::digest::Digest;
use crate::speaker::level::Level;
use crate::speaker::out::Out;
use crate::speaker::samples::Samples;

/// Where sound goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// One WAV file for each playlist, in this folder.
    Wav(PathBuf),
    /// Nowhere, at the same pace.
    Null,
    /// This ALSA device.
    #[cfg(feature = "alsa")]
    Alsa(String),
}

/// What the speaker reports, with the playlist's token.
pub type Report = (u64, Sounded);

/// A speaker that plays one playlist at a time.
#[derive(Debug)]
pub struct Speaker {
    commands: Sender<Command>,
    beats: Arc<AtomicU64>,
}

#[derive(Debug)]
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
        let beats = Arc::new(AtomicU64::new(0));
        let (recording, report) = (Box::new(recording), Box::new(report));
        let player = Player { sink, recording, report, beats: beats.clone(), next: None };
        thread::Builder::new().name("speaker".to_owned()).spawn(move || player.run(&inbox))?;
        Ok(Self { commands, beats })
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

    /// Sets the volume of what plays, 0 to 100, in a ramp.
    pub fn volume(&self, percent: u8) {
        let _ = self.commands.send(Command::Volume(percent));
    }

    /// Counts up while something plays: a sound card that hangs shows by it.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }
}

struct Player {
    sink: Sink,
    recording: Box<dyn Fn(Digest) -> PathBuf + Send>,
    report: Box<dyn Fn(Report) + Send>,
    beats: Arc<AtomicU64>,
    /// What was given while another played.
    next: Option<Playlist>,
}

/// How a playlist ended.
enum End {
    Finished,
    Stopped,
    Failed(String),
}

impl Player {
    fn run(mut self, inbox: &Receiver<Command>) {
        while let Some(list) = self.awaited(inbox) {
            let sounded = match self.play(&list, inbox) {
                End::Finished => Sounded::Finished,
                End::Stopped => Sounded::Stopped,
                End::Failed(why) => Sounded::Failed(why),
            };
            (self.report)((list.token, sounded));
        }
    }

    /// The next playlist; `None` when no more can come.
    fn awaited(&mut self, inbox: &Receiver<Command>) -> Option<Playlist> {
        if let Some(list) = self.next.take() {
            return Some(list);
        }
        loop {
            match inbox.recv() {
                Ok(Command::Play(list)) => return Some(list),
                // Nothing plays.
                Ok(Command::Stop | Command::Volume(_)) => {}
                Err(_) => return None,
            }
        }
    }

    fn play(&mut self, list: &Playlist, inbox: &Receiver<Command>) -> End {
        let mut out = match Out::open(&self.sink, &list.title) {
            Ok(out) => out,
            Err(why) => return End::Failed(why),
        };
        let mut level = Level::at(list.volume_percent);
        for (n, part) in list.parts.iter().enumerate() {
            match self.play_part(part, &mut level, &mut out, inbox) {
                End::Finished => (self.report)((list.token, Sounded::Part(n))),
                end => {
                    // What was heard is what counts, not how the device ends.
                    let _ = out.close();
                    return end;
                }
            }
        }
        out.close().map_or_else(End::Failed, |()| End::Finished)
    }

    fn play_part(
        &mut self,
        part: &Part,
        level: &mut Level,
        out: &mut Out,
        inbox: &Receiver<Command>,
    ) -> End {
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
            self.obey(inbox, level, out.pause());
            level.shape(&mut chunk);
            if let Err(why) = out.hand_on(&chunk) {
                return End::Failed(why);
            }
            self.beats.fetch_add(1, Ordering::Relaxed);
            if level.is_silent() {
                return End::Stopped;
            }
        }
    }

    /// Waits for the next chunk's time, and does what it is told meanwhile.
    fn obey(&mut self, inbox: &Receiver<Command>, level: &mut Level, mut pause: Duration) {
        loop {
            match inbox.recv_timeout(pause) {
                Ok(Command::Volume(percent)) => level.aim(percent),
                Ok(Command::Stop) => level.stop(),
                Ok(Command::Play(list)) => self.next = Some(list),
                Err(RecvTimeoutError::Disconnected) => return level.stop(),
                Err(RecvTimeoutError::Timeout) => return,
            }
            pause = Duration::ZERO;
        }
    }

    fn samples(&self, part: &Part) -> Result<Samples, String> {
        match part {
            Part::Tone(tone) => Ok(Samples::of_tone(*tone)),
            Part::Silence(length) => Ok(Samples::of_silence(*length)),
            Part::Sound { asset, .. } => Samples::of_recording(&(self.recording)(*asset)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tone::Tone;
    use crate::speaker::level::RATE;

    fn play(
        parts: Vec<Part>,
        then: impl FnOnce(&Speaker),
    ) -> (Vec<Sounded>, hound::WavReader<io::BufReader<fs::File>>) {
        let folder = tempfile::tempdir().unwrap();
        let (send, reports) = channel();
        let sink = Sink::Wav(folder.path().to_owned());
        let report = move |(_, sounded): Report| send.send(sounded).unwrap();
        let speaker = Speaker::start(sink, |_| PathBuf::from("/nowhere"), report).unwrap();
        speaker.play(Playlist { token: 1, title: "a/b".to_owned(), parts, volume_percent: 100 });
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
