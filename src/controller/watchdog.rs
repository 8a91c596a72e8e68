//! Tells systemd that this process is ready and alive: `sd_notify(3)` by its own socket.
//!
//! **It says alive only while sound goes on**: a sound card that hangs while something plays is a
//! reason to be started again.

use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::time::Uptime;

/// How long a playlist may hand nothing on: a card that waits for its buffer takes far less.
const SILENT_MAX: Duration = Duration::from_secs(30);

/// The line to systemd; does nothing where nobody listens.
#[derive(Debug)]
pub(super) struct Watchdog {
    socket: Option<UnixDatagram>,
    every: Option<Duration>,
    told: Option<Uptime>,
    beats: u64,
    heard: Uptime,
}

impl Watchdog {
    /// By what systemd put into the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`.
    pub(super) fn of(socket: Option<&str>, period_us: Option<&str>) -> Self {
        let period = period_us.and_then(|text| text.parse().ok()).map(Duration::from_micros);
        Self {
            socket: socket.and_then(connect),
            // Twice in each period, so that one that is late harms nobody.
            every: period.map(|period| period / 2),
            told: None,
            beats: 0,
            heard: Uptime::START,
        }
    }

    /// How often it must be asked.
    pub(super) fn every(&self) -> Duration {
        self.every.unwrap_or(Duration::MAX)
    }

    pub(super) fn ready(&self) {
        self.say("READY=1");
    }

    pub(super) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that all is well where it is time to, and it is: `beats` counts what was played.
    pub(super) fn alive(&mut self, up: Uptime, plays: bool, beats: u64) {
        if !plays || beats != self.beats {
            (self.beats, self.heard) = (beats, up);
        }
        let due = self.every.is_some_and(|every| self.told.is_none_or(|at| up >= at + every / 2));
        if due && up.since(self.heard) < SILENT_MAX {
            self.told = Some(up);
            self.say("WATCHDOG=1");
        }
    }

    fn say(&self, what: &str) {
        if let Some(socket) = &self.socket {
            // Nobody who listens any more needs it.
            let _ = socket.send(what.as_bytes());
        }
    }
}

fn connect(name: &str) -> Option<UnixDatagram> {
    use std::os::linux::net::SocketAddrExt;
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name).ok()?,
        None => SocketAddr::from_pathname(name).ok()?,
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect_addr(&address).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(seconds: u64) -> Uptime {
        Uptime::at(Duration::from_secs(seconds))
    }

    /// What was said up to now.
    fn heard(socket: &UnixDatagram) -> Vec<String> {
        socket.set_nonblocking(true).unwrap();
        let mut said = Vec::new();
        let mut buffer = [0; 64];
        while let Ok(length) = socket.recv(&mut buffer) {
            said.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        said
    }

    #[test]
    fn a_sound_card_that_hangs_ends_the_signs_of_life() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut watchdog = Watchdog::of(path.to_str(), Some("60000000"));
        watchdog.ready();
        for second in (0..=120).step_by(15) {
            // Something plays from the start, and nothing is handed on after the first minute.
            watchdog.alive(up(second), true, second.min(60));
        }
        let expected = ["READY=1"].into_iter().chain(["WATCHDOG=1"; 6]);
        assert_eq!(heard(&socket), expected.collect::<Vec<_>>());
    }

    #[test]
    fn without_systemd_nothing_is_said_and_nothing_fails() {
        let mut watchdog = Watchdog::of(None, None);
        watchdog.ready();
        watchdog.alive(up(1), false, 0);
        assert_eq!(watchdog.every(), Duration::MAX);
    }
}
