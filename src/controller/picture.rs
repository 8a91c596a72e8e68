//! How a controller is: what it holds, what comes next, what it waits for.
//!
//! The process that runs is asked by its socket. Where none runs, what the state folder holds is
//! read, and nothing in it is changed.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::clock::Clock;
use crate::controller::door::{self, Question};
use crate::controller::{Config, ControllerError, restore_with, settings};
use crate::id::ProgrammeId;
use crate::protocol::{Status, StatusState};
use crate::time::{Now, Timestamp, Zone};
use crate::vault::{Shelf, load_key};

/// Airings ahead that are shown.
const AHEAD_MAX: usize = 5;

/// A controller as somebody who stands before it wants to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Whether its process runs.
    pub runs: bool,
    /// Whether it is connected to the broker.
    pub online: bool,
    /// What it tells its station.
    pub status: Status,
    /// Until when its schedule is valid; none where it holds none.
    pub valid_until: Option<Timestamp>,
    /// The zone of its schedule.
    pub zone: Zone,
    /// The next airings.
    pub next: Vec<Next>,
}

/// An airing ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// When.
    pub at: Timestamp,
    /// Of which programme.
    pub programme: ProgrammeId,
    /// Recordings in it.
    pub recordings: usize,
    /// Those of them that are held.
    pub held: usize,
}

/// The picture of the device with this configuration.
pub fn picture(config: &Config) -> Result<Picture, ControllerError> {
    if let Some(line) =
        door::ask(&config.state, Question::Status).map_err(ControllerError::Answer)?
    {
        return serde_json::from_str(&line)
            .map_err(|e| ControllerError::Answer(std::io::Error::other(e)));
    }
    let mend = "make it with `loaban-controller enrol`";
    let path = config.state.join("device.key");
    let missing = || ControllerError::Missing { path: path.display().to_string(), mend };
    let key = load_key(&path)?.ok_or_else(missing)?;
    let restored = restore_with(config, Shelf::look(&config.state, &config.net)?)?;
    let now = Clock::start().now();
    // Nothing plays here: the system's time will do to say what is ahead.
    let settings = crate::agent::Settings { rtc: true, ..settings(config) };
    let agent = Agent::start(settings, key, restored, now)?;
    Ok(Picture::of(&agent, now, config))
}

impl Picture {
    pub(super) fn of(agent: &Agent, now: Now, config: &Config) -> Self {
        let next = agent.ahead(now).take(AHEAD_MAX).map(|airing| Next {
            at: airing.at,
            programme: airing.programme.clone(),
            recordings: airing.items.len(),
            held: airing.items.iter().filter(|item| agent.holds(item.asset)).count(),
        });
        Self {
            runs: false,
            online: false,
            status: agent.status(now, StatusState::Up),
            valid_until: agent.manifest().map(|manifest| manifest.valid_until),
            zone: agent.manifest().map_or(config.zone, |manifest| manifest.zone),
            next: next.collect(),
        }
    }

    /// What it waits for, in Vietnamese and English; empty where nothing is missing.
    pub fn waits_for(&self) -> Vec<String> {
        let lacking = self.status.assets_named - self.status.assets_held;
        let waiting = self.status.receipts_waiting;
        let waits = [
            (!self.runs, "chương trình chưa chạy / its process does not run".to_owned()),
            (self.runs && !self.online, "kết nối với đài / its broker".to_owned()),
            (self.runs && !self.status.clock_trusted, "giờ từ đài / the station's time".to_owned()),
            (self.valid_until.is_none(), "lịch phát / a schedule".to_owned()),
            (lacking > 0, format!("{lacking} bản ghi / recordings")),
            (
                waiting > 0,
                format!("đài xác nhận {waiting} biên nhận / receipts to be acknowledged"),
            ),
            (
                self.status.stopped,
                "thả công tắc tắt tiếng / the release of the local stop".to_owned(),
            ),
        ];
        waits.into_iter().filter_map(|(waits, what)| waits.then_some(what)).collect()
    }

    /// For people.
    pub fn words(&self) -> String {
        let status = &self.status;
        let local = |at: Timestamp| self.zone.local(at).format("%d/%m %H:%M:%S").to_string();
        let mut words = format!(
            "{} · {} · trust {} · lịch / schedule {}\n",
            status.controller, status.software, status.trust, status.manifest
        );
        let valid = self.valid_until.map_or_else(|| "–".to_owned(), local);
        let held = format!("{}/{}", status.assets_held, status.assets_named);
        let playing = status.playing.as_deref().unwrap_or("–");
        let volume = status.volume_percent;
        // A line of text that goes into memory cannot fail.
        let _ = writeln!(words, "Lịch có giá trị đến / valid until: {valid}");
        let _ = writeln!(words, "Bản ghi đang giữ / recordings held: {held}");
        let _ = writeln!(words, "Đang phát / playing: {playing} · âm lượng / volume {volume} %");
        let _ = writeln!(words, "Sắp phát / next:");
        for next in &self.next {
            let (at, programme) = (local(next.at), &next.programme);
            let _ = writeln!(words, "  {at} {programme} ({}/{})", next.held, next.recordings);
        }
        let waits = self.waits_for();
        let none = || "không thiếu gì / nothing".to_owned();
        let waits = if waits.is_empty() { none() } else { waits.join("; ") };
        let _ = writeln!(words, "Đang chờ / waits for: {waits}");
        words
    }
}
