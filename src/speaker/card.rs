//! A sound card by ALSA.
//!
//! Mono, 16 bits, 16 kHz: `default` and `plughw:` convert to what the card can do, a bare `hw:`
//! mostly cannot. The device is open only while something sounds.

use std::time::Duration;

use alsa::pcm::{Access, Format, HwParams, PCM, State};
use alsa::{Direction, ValueOr};

use crate::speaker::level::RATE;

/// How far the card is kept ahead: what a stop waits for before its fade is heard, and what a
/// process that is held up has.
const AHEAD: Duration = Duration::from_millis(100);

/// The card's own buffer.
const BUFFER_US: u32 = 200_000;

/// Writes to one chunk that may fail by an underrun before the card is given up.
const RECOVERIES_MAX: u32 = 5;

/// An open playback device.
pub(super) struct Card {
    pcm: PCM,
    name: String,
}

impl Card {
    pub(super) fn open(name: &str) -> Result<Self, String> {
        let cannot = |e: alsa::Error| {
            format!("cannot open the sound card {name}: {e}; `aplay -L` lists the names")
        };
        let pcm = PCM::new(name, Direction::Playback, false).map_err(cannot)?;
        let rate = set_up(&pcm).map_err(cannot)?;
        if rate != RATE.get() {
            return Err(format!(
                "the sound card {name} plays {rate} Hz and not {}; use `default` or `plughw:…`",
                RATE.get()
            ));
        }
        Ok(Self { pcm, name: name.to_owned() })
    }

    /// How long to wait with the next chunk where real time is `due` away.
    pub(super) fn pause(&self, due: Duration) -> Duration {
        // A card whose crystal is fast has used up what was ahead.
        let queued = self.pcm.delay().unwrap_or(0).max(0).unsigned_abs();
        let queued = Duration::from_millis(queued * 1_000 / u64::from(RATE.get()));
        let starves = self.pcm.state() == State::Running && queued > Duration::ZERO;
        if starves && queued < AHEAD / 2 { Duration::ZERO } else { due.saturating_sub(AHEAD) }
    }

    pub(super) fn write(&mut self, mut samples: &[i16]) -> Result<(), String> {
        let cannot = |e: alsa::Error| {
            format!("the sound card {} took no more: {e}; check its cable and power", self.name)
        };
        let mut recoveries = 0;
        while !samples.is_empty() {
            let io = self.pcm.io_i16().map_err(cannot)?;
            match io.writei(samples) {
                Ok(frames) => samples = &samples[frames..],
                Err(e) if recoveries < RECOVERIES_MAX => {
                    recoveries += 1;
                    self.pcm.try_recover(e, true).map_err(cannot)?;
                }
                Err(e) => return Err(cannot(e)),
            }
        }
        Ok(())
    }

    /// Waits until all of it has sounded.
    pub(super) fn close(self) -> Result<(), String> {
        let cannot = |e: alsa::Error| format!("the sound card {} did not end: {e}", self.name);
        match self.pcm.state() {
            // Less was written than it begins with.
            State::Prepared => self.pcm.start().and_then(|()| self.pcm.drain()).map_err(cannot),
            _ => self.pcm.drain().map_err(cannot),
        }
    }
}

fn set_up(pcm: &PCM) -> Result<u32, alsa::Error> {
    let wanted = HwParams::any(pcm)?;
    wanted.set_channels(1)?;
    wanted.set_rate(RATE.get(), ValueOr::Nearest)?;
    wanted.set_format(Format::s16())?;
    wanted.set_access(Access::RWInterleaved)?;
    wanted.set_buffer_time_near(BUFFER_US, ValueOr::Nearest)?;
    pcm.hw_params(&wanted)?;
    drop(wanted);
    pcm.hw_params_current()?.get_rate()
}
