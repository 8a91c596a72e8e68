//! One loudspeaker in words: its state with the reason and its age.
//!
//! **A speaker is never shown as well on the strength of an old word.**

use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::report::{Fate, Line};
use crate::store::{Device, StatusRow};
use crate::time::{Timestamp, Zone};
use crate::web::commune::town::Town;
use crate::web::tongue::Tongue;

/// Free storage below which somebody should look, in KiB: two recordings of ten minutes.
const STORAGE_LOW_KIB: u64 = 8 * 1024;

/// Receipts that wait above which somebody should look: two days of a busy speaker.
const WAITING_MANY: u64 = 100;

/// How well a speaker is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) enum Health {
    Bad,
    Warn,
    Good,
}

/// What is so with a speaker: the worst thing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    NotProvisioned,
    NotEnrolled,
    Revoked,
    NeverHeard,
    Lost { since: Timestamp },
    ClockUnknown,
    ContentMissing { count: u32 },
    StorageLow { kib: u64 },
    ReceiptsWaiting { count: u64 },
    Well,
}

/// What is worst about a speaker.
pub(super) fn judge(device: Option<&Device>, row: Option<&StatusRow>, now: Timestamp) -> State {
    let Some(device) = device else { return State::NotProvisioned };
    if device.revoked.is_some() {
        return State::Revoked;
    }
    if device.public_key.is_none() {
        return State::NotEnrolled;
    }
    let Some(row) = row else { return State::NeverHeard };
    if row.is_lost(now) {
        return State::Lost { since: row.seen };
    }
    let status = &row.status;
    let missing = status.assets_named.saturating_sub(status.assets_held);
    if !status.clock_trusted {
        State::ClockUnknown
    } else if missing > 0 {
        State::ContentMissing { count: missing }
    } else if status.storage_free_kib < STORAGE_LOW_KIB {
        State::StorageLow { kib: status.storage_free_kib }
    } else if status.receipts_waiting > WAITING_MANY {
        State::ReceiptsWaiting { count: status.receipts_waiting }
    } else {
        State::Well
    }
}

impl State {
    pub(super) fn health(self) -> Health {
        match self {
            Self::NotProvisioned
            | Self::NotEnrolled
            | Self::Revoked
            | Self::NeverHeard
            | Self::Lost { .. } => Health::Bad,
            Self::ClockUnknown
            | Self::ContentMissing { .. }
            | Self::StorageLow { .. }
            | Self::ReceiptsWaiting { .. } => Health::Warn,
            Self::Well => Health::Good,
        }
    }

    fn words(self, tongue: Tongue, zone: Zone, now: Timestamp) -> String {
        let say = |vi: &str, en: &str| tongue.say(vi, en).to_owned();
        match self {
            Self::NotProvisioned => say("chưa được cấp phát", "not provisioned"),
            Self::NotEnrolled => say("chưa ghi danh khoá", "its key is not enrolled"),
            Self::Revoked => say("đã bị thu hồi", "revoked"),
            Self::NeverHeard => say("chưa từng liên lạc", "never heard of"),
            Self::Lost { since } => {
                format!("{} {}", say("mất liên lạc từ", "lost since"), moment(zone, since, now))
            }
            Self::ClockUnknown => say(
                "đồng hồ chưa tin được, chưa phát",
                "its clock is not trusted: it plays nothing",
            ),
            Self::ContentMissing { count } => {
                format!("{} {count} {}", say("còn thiếu", "lacks"), say("bản ghi", "recordings"))
            }
            Self::StorageLow { kib } => {
                format!("{} {} MB", say("bộ nhớ chỉ còn", "storage is down to"), kib / 1024)
            }
            Self::ReceiptsWaiting { count } => {
                format!("{count} {}", say("biên nhận chưa gửi được", "receipts wait"))
            }
            Self::Well => say("tốt", "well"),
        }
    }
}

/// The time where it was today, with the date otherwise.
fn moment(zone: Zone, at: Timestamp, now: Timestamp) -> String {
    let format = if zone.date(at) == zone.date(now) { "%H:%M" } else { "%H:%M %d/%m" };
    zone.local(at).format(format).to_string()
}

/// A speaker as its card shows it.
pub(super) struct Speaker {
    pub(super) id: ControllerId,
    pub(super) place: String,
    pub(super) class: &'static str,
    pub(super) state: String,
    /// How far it can play without the network, in words.
    pub(super) holds: String,
    pub(super) seen: String,
    pub(super) playing: Option<String>,
    pub(super) next: String,
    pub(super) storage: String,
    pub(super) clock: String,
    pub(super) volume: Option<u8>,
    pub(super) reachable: bool,
}

impl Speaker {
    /// The card of one speaker; `lines` are its airings from this morning on.
    pub(super) fn new(
        town: &Town,
        id: &ControllerId,
        lines: &[Line],
        tongue: Tongue,
        zone: Zone,
        now: Timestamp,
    ) -> Self {
        let (device, row) = (town.device(id), town.status(id));
        let state = judge(device, row, now);
        let status = row.map(|row| &row.status);
        let next = lines.iter().find(|line| line.fate == Fate::Planned && line.at > now);
        let class = match state.health() {
            Health::Bad => "bad",
            Health::Warn => "warn",
            Health::Good => "good",
        };
        Self {
            id: id.clone(),
            place: town.place(id),
            class,
            state: state.words(tongue, zone, now),
            holds: row.map(|row| holds(row, lines, tongue, zone)).unwrap_or_default(),
            seen: row.map(|row| tongue.ago(now.since(row.seen))).unwrap_or_default(),
            playing: town.playing(id).map(|playing| name(town, &playing, tongue)),
            next: next.map_or_else(
                || tongue.say("không có", "nothing").to_owned(),
                |line| {
                    format!("{} {}", moment(zone, line.at, now), town.title(&line.airing.programme))
                },
            ),
            storage: status
                .map(|s| format!("{} MB", s.storage_free_kib / 1024))
                .unwrap_or_default(),
            clock: status
                .map(|s| clock(s.clock_trusted, s.clock_offset_ms, tongue))
                .unwrap_or_default(),
            volume: status.map(|status| status.volume_percent),
            reachable: row.is_some_and(|row| !row.is_lost(utc_now())),
        }
    }
}

/// What plays, as people call it: an airing's text begins with its programme.
fn name(town: &Town, playing: &str, tongue: Tongue) -> String {
    if let Some(id) = playing.strip_prefix("emergency/") {
        return format!("{} {id}", tongue.say("KHẨN CẤP", "EMERGENCY"));
    }
    let programme = playing.split('/').next().and_then(|id| id.parse().ok());
    programme.map_or_else(|| playing.to_owned(), |programme| town.title(&programme))
}

/// Until which day it can play on though the network is gone.
fn holds(row: &StatusRow, lines: &[Line], tongue: Tongue, zone: Zone) -> String {
    let status = &row.status;
    if status.manifest == 0 {
        return tongue.say("chưa giữ lịch nào", "holds no schedule").to_owned();
    }
    let (held, named) = (status.assets_held, status.assets_named);
    let last = lines.iter().filter(|line| line.fate == Fate::Planned).map(|line| line.at).max();
    match last {
        Some(last) if held >= named => {
            let day = zone.local(last).format("%d/%m");
            format!("{} {day}", tongue.say("đã giữ đủ lịch đến", "holds all until"))
        }
        _ => format!(
            "{} {held}/{named} {}",
            tongue.say("giữ", "holds"),
            tongue.say("bản ghi", "recordings")
        ),
    }
}

fn clock(trusted: bool, offset_ms: i64, tongue: Tongue) -> String {
    if !trusted {
        return tongue.say("chưa tin được", "not trusted").to_owned();
    }
    match offset_ms.abs() {
        0..1000 => tongue.say("đúng", "right").to_owned(),
        off => format!("{} {} s", tongue.say("lệch", "off by"), off / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::protocol::{Status, StatusState};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + minutes * 60_000_000)
    }

    fn device() -> Device {
        let key = "laichau/device/mu-ca-1+00000000+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        Device {
            controller: "mu-ca-1".parse().unwrap(),
            password: Digest::of(b"p"),
            public_key: key.parse().ok().or_else(|| {
                let name = "laichau/device/mu-ca-1".parse().unwrap();
                Some(crate::note::Signer::from_seed(name, &[1; 32]).public())
            }),
            revoked: None,
        }
    }

    fn row(change: impl FnOnce(&mut Status)) -> StatusRow {
        let mut status = Status {
            controller: "mu-ca-1".parse().unwrap(),
            state: StatusState::Up,
            boot: 1,
            connection: 1,
            at: at(0),
            software: "1".to_owned(),
            trust: 1,
            manifest: 1,
            assets_held: 3,
            assets_named: 3,
            withdrawn_held: vec![],
            receipts_waiting: 0,
            clock_trusted: true,
            clock_offset_ms: 0,
            storage_free_kib: 1_000_000,
            volume_percent: 80,
            playing: None,
            stopped: false,
            ready_until: None,
        };
        change(&mut status);
        StatusRow { seen: at(0), status }
    }

    fn judged(change: impl FnOnce(&mut Status)) -> State {
        judge(Some(&device()), Some(&row(change)), at(1))
    }

    #[test]
    fn a_silent_speaker_is_lost_however_well_it_last_said_it_was() {
        assert_eq!(judge(Some(&device()), Some(&row(|_| ())), at(1)), State::Well);
        let later = judge(Some(&device()), Some(&row(|_| ())), at(21));
        assert_eq!(later, State::Lost { since: at(0) });
        assert_eq!(judged(|status| status.state = StatusState::Lost), State::Lost { since: at(0) });
    }

    #[test]
    fn what_keeps_a_speaker_from_playing_is_told_first() {
        let both = judged(|status| {
            status.clock_trusted = false;
            status.assets_held = 1;
        });
        assert_eq!(both, State::ClockUnknown);
        assert_eq!(judged(|status| status.assets_held = 1), State::ContentMissing { count: 2 });
        assert_eq!(judged(|status| status.storage_free_kib = 9), State::StorageLow { kib: 9 });
    }

    #[test]
    fn a_speaker_that_nobody_set_up_is_no_well_speaker() {
        assert_eq!(judge(None, None, at(0)), State::NotProvisioned);
        assert_eq!(judge(Some(&device()), None, at(0)), State::NeverHeard);
        let revoked = Device { revoked: Some(at(0)), ..device() };
        assert_eq!(judge(Some(&revoked), Some(&row(|_| ())), at(0)), State::Revoked);
        let open = Device { public_key: None, ..device() };
        assert_eq!(judge(Some(&open), None, at(0)).health(), Health::Bad);
    }

    #[test]
    fn an_age_of_today_needs_no_date() {
        let zone = Zone::default();
        let lost = State::Lost { since: at(0) };
        let today = lost.words(Tongue::Vi, zone, at(30));
        assert!(today.starts_with("mất liên lạc từ ") && !today.contains('/'), "{today}");
        let older = lost.words(Tongue::Vi, zone, at(3000));
        assert!(older.contains('/'), "{older}");
    }
}
