//! How each controller is, by four facts that do not stand for each other: whether its link is
//! alive, whether it holds what airs in the next 72 hours, whether its amplifier drew current,
//! whether a microphone heard it.
//!
//! **Computed when it is read**, from when the controller was last heard and what it swore: nothing
//! here is kept, so nothing here can be stale. A speaker is never well on the strength of an old
//! word.

use std::cmp::Reverse;
use std::time::Duration;

use serde::Serialize;

use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::server::{ServerError, Station};
use crate::store::{Device, Sounded, StatusRow};
use crate::time::Timestamp;

/// How far ahead recordings must be held: a storm that cuts a valley off lasts days.
pub const READY_FOR: Duration = Duration::from_hours(72);

/// How bad a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Well,
    /// Nobody knows: nothing measures it, or nothing was told yet.
    Unknown,
    /// Somebody must look.
    Bad,
}

/// One fact about a controller, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// How bad it is.
    pub level: Level,
    /// Since when, or when it was last known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

/// A controller's condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Which.
    pub controller: ControllerId,
    /// Whether its link is alive.
    pub link: Fact,
    /// Whether it holds what airs next.
    pub content: Fact,
    /// Whether its amplifier drew current.
    pub amplifier: Fact,
    /// Whether a microphone heard it.
    pub heard: Fact,
    /// Whether it was taken out of service.
    pub revoked: bool,
    /// Its last word.
    #[serde(skip)]
    pub status: Option<StatusRow>,
}

impl Condition {
    /// The facts with their names in Vietnamese and English, in the order in which they matter.
    pub fn facts(&self) -> [(&'static str, &'static str, &Fact); 4] {
        [
            ("liên lạc", "link", &self.link),
            ("nội dung 72 giờ", "content for 72 h", &self.content),
            ("tăng âm", "amplifier", &self.amplifier),
            ("nghe được", "heard", &self.heard),
        ]
    }

    /// The worst fact: what its state is called after.
    pub fn worst(&self) -> &Fact {
        let facts = self.facts().map(|(.., fact)| fact);
        // Of equally bad ones the first explains the others.
        facts.into_iter().rev().max_by_key(|fact| fact.level).expect("there are four")
    }

    /// Worst first: what is in service, by its facts in order, the longest ago first.
    fn rank(&self) -> impl Ord + use<> {
        let levels = self.facts().map(|(.., fact)| Reverse(fact.level));
        (self.revoked, levels, self.worst().since, self.controller.clone())
    }
}

impl Station {
    /// The condition of every controller, worst first.
    pub async fn conditions(&self) -> Result<Vec<Condition>, ServerError> {
        let (statuses, sounded) = (self.store.statuses().await?, self.store.sounded().await?);
        let now = utc_now();
        let of = |device: &Device| {
            let status = statuses.iter().find(|row| row.status.controller == device.controller);
            let sounded = sounded.get(&device.controller).copied().unwrap_or_default();
            condition(device, status.cloned(), sounded, now)
        };
        let mut conditions: Vec<Condition> = self.store.devices().await?.iter().map(of).collect();
        conditions.sort_by_cached_key(Condition::rank);
        Ok(conditions)
    }
}

fn fact(level: Level, since: Option<Timestamp>, vi: &str, en: &str) -> Fact {
    Fact { level, since, vi: vi.to_owned(), en: en.to_owned() }
}

fn condition(
    device: &Device,
    status: Option<StatusRow>,
    sounded: Sounded,
    now: Timestamp,
) -> Condition {
    Condition {
        controller: device.controller.clone(),
        link: link(device, status.as_ref(), now),
        content: content(status.as_ref(), now),
        amplifier: sensed(sounded.measured.max(sounded.heard), sounded.rendered, "dòng / current"),
        heard: sensed(sounded.heard, sounded.rendered, "tiếng / sound"),
        revoked: device.revoked.is_some(),
        status,
    }
}

fn link(device: &Device, status: Option<&StatusRow>, now: Timestamp) -> Fact {
    if let Some(revoked) = device.revoked {
        return fact(Level::Bad, Some(revoked), "đã thu hồi", "revoked");
    }
    if device.public_key.is_none() {
        return fact(Level::Bad, None, "chưa ghi danh khoá", "provisioned, not enrolled");
    }
    let Some(row) = status else {
        return fact(Level::Bad, None, "chưa từng liên lạc", "enrolled, never heard");
    };
    if row.is_lost(now) {
        return fact(Level::Bad, Some(row.seen), "mất liên lạc", "lost");
    }
    if row.status.stopped {
        let (vi, en) = ("bị tắt tiếng tại chỗ", "silenced by its local stop");
        return fact(Level::Bad, Some(row.seen), vi, en);
    }
    if !row.status.clock_trusted {
        return fact(Level::Bad, Some(row.seen), "chưa có giờ đúng", "its clock is not trusted");
    }
    fact(Level::Well, Some(row.seen), "đang liên lạc", "up")
}

fn content(status: Option<&StatusRow>, now: Timestamp) -> Fact {
    let Some(row) = status else {
        return fact(Level::Unknown, None, "chưa biết", "not known");
    };
    let (status, seen) = (&row.status, Some(row.seen));
    let lacking = status.assets_named.saturating_sub(status.assets_held);
    if status.manifest == 0 {
        return fact(Level::Bad, seen, "chưa có lịch phát", "holds no schedule");
    }
    if lacking == 0 || status.ready_until.is_some_and(|until| until >= now + READY_FOR) {
        return fact(Level::Well, seen, "đủ", "ready");
    }
    let (vi, en) = (format!("thiếu {lacking} bản ghi"), format!("lacks {lacking} recordings"));
    fact(Level::Bad, seen, &vi, &en)
}

/// What a sensor told, beside the last time that it could have told anything.
fn sensed(told: Option<Timestamp>, rendered: Option<Timestamp>, what: &str) -> Fact {
    let (vi, en) = what.split_once(" / ").expect("both languages");
    match told {
        None => fact(Level::Unknown, None, "không có cảm biến", "nothing measures it"),
        Some(told) if rendered.is_none_or(|rendered| rendered <= told) => {
            fact(Level::Well, Some(told), &format!("có {vi}"), &format!("{en} at its last airing"))
        }
        Some(told) => {
            let (vi, en) =
                (format!("lần phát gần nhất không có {vi}"), format!("no {en} at its last airing"));
            fact(Level::Bad, Some(told), &vi, &en)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::note::Signer;
    use crate::protocol::{Status, StatusState};

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn device(name: &str) -> Device {
        let key = format!("x/device/{name}").parse().unwrap();
        Device {
            controller: name.parse().unwrap(),
            password: Digest::ZERO,
            public_key: Some(Signer::from_seed(key, &[1; 32]).public()),
            revoked: None,
        }
    }

    fn row(minutes_ago: u64, held: u32, ready_hours: Option<u64>) -> StatusRow {
        let status = Status {
            controller: "a".parse().unwrap(),
            state: StatusState::Up,
            boot: 1,
            connection: 1,
            at: NOW,
            software: "t".to_owned(),
            trust: 1,
            manifest: 7,
            assets_held: held,
            assets_named: 10,
            withdrawn_held: vec![],
            receipts_waiting: 0,
            clock_trusted: true,
            clock_offset_ms: 0,
            storage_free_kib: 0,
            volume_percent: 100,
            playing: None,
            stopped: false,
            ready_until: ready_hours.map(|hours| NOW + Duration::from_hours(hours)),
        };
        StatusRow { seen: NOW - Duration::from_mins(minutes_ago), status }
    }

    fn of(name: &str, status: Option<StatusRow>) -> Condition {
        condition(&device(name), status, Sounded::default(), NOW)
    }

    #[test]
    fn a_controller_that_fell_silent_is_lost_whatever_it_said_last() {
        assert_eq!(of("a", Some(row(5, 10, None))).link.level, Level::Well);
        let silent = of("a", Some(row(21, 10, None)));
        assert_eq!((silent.link.level, silent.worst().vi.as_str()), (Level::Bad, "mất liên lạc"));
        assert_eq!(silent.content.level, Level::Well, "the facts do not stand for each other");
    }

    #[test]
    fn content_is_ready_when_the_next_three_days_are() {
        let level = |held, hours| of("a", Some(row(1, held, hours))).content.level;
        assert_eq!(level(10, None), Level::Well);
        assert_eq!(level(9, Some(73)), Level::Well);
        assert_eq!(level(9, Some(71)), Level::Bad);
        assert_eq!(level(9, None), Level::Bad);
    }

    #[test]
    fn an_amplifier_that_was_silent_at_the_last_airing_is_bad_and_without_a_sensor_unknown() {
        let at = |hours| Some(NOW - Duration::from_hours(hours));
        let level = |measured, rendered| {
            let sounded = Sounded { rendered, measured, heard: None };
            condition(&device("a"), None, sounded, NOW).amplifier.level
        };
        assert_eq!(level(at(5), at(5)), Level::Well);
        assert_eq!(level(at(5), at(2)), Level::Bad);
        assert_eq!(level(None, at(2)), Level::Unknown);
    }

    #[test]
    fn the_worst_comes_first_and_what_is_out_of_service_last() {
        let mut revoked = of("r", Some(row(900, 0, None)));
        revoked.revoked = true;
        let mut all = [
            of("well", Some(row(1, 10, None))),
            revoked,
            of("lacks", Some(row(1, 3, None))),
            of("lost-later", Some(row(30, 10, None))),
            of("lost", Some(row(90, 10, None))),
        ];
        all.sort_by_cached_key(Condition::rank);
        let order: Vec<&str> = all.iter().map(|one| one.controller.as_str()).collect();
        assert_eq!(order, ["lost", "lost-later", "lacks", "well", "r"]);
    }
}
