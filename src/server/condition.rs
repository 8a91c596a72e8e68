//! How each controller is, by facts that do not stand for each other: whether its link is alive,
//! whether it holds what airs in the next 72 hours, whether its amplifier drew current, whether a
//! microphone heard it, whether it has room for what comes. The pages and the command line both
//! judge by them.
//!
//! **Computed when it is read**, from when the controller was last heard and what it swore: nothing
//! here is kept, so nothing here can be stale. A speaker is never well on the strength of an old
//! word.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::server::{ServerError, Station, Upkeep};
use crate::store::{Acknowledgement, Device, Maintenance, Sounded, StatusRow};
use crate::time::Timestamp;

/// How far ahead recordings must be held: a storm that cuts a valley off lasts days.
pub const READY_FOR: Duration = Duration::from_hours(72);

/// Free storage below which somebody should look, in KiB: two recordings of ten minutes.
const STORAGE_LOW_KIB: u64 = 8 * 1024;

/// Receipts that wait above which somebody should look: two days of a busy speaker.
const WAITING_MANY: u64 = 100;

/// How well a controller is as a whole, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nobody hears it, or nobody can tell.
    Bad,
    /// It is heard, and somebody must look before it is not.
    Warn,
    /// Somebody works at it.
    Maintained,
    /// As it should be.
    Good,
}

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
    /// A stable word for it.
    pub code: &'static str,
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
    /// Whether it has room for recordings and receipts.
    pub storage: Fact,
    /// Whether it was taken out of service.
    pub revoked: bool,
    /// Who works at it until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
    /// Who takes care of its worst fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// Its last word.
    #[serde(skip)]
    pub status: Option<StatusRow>,
}

impl Condition {
    /// The facts with their names in Vietnamese and English, in the order in which they matter.
    pub fn facts(&self) -> [(&'static str, &'static str, &Fact); 5] {
        [
            ("liên lạc", "link", &self.link),
            ("nội dung 72 giờ", "content for 72 h", &self.content),
            ("tăng âm", "amplifier", &self.amplifier),
            ("nghe được", "heard", &self.heard),
            ("bộ nhớ", "storage", &self.storage),
        ]
    }

    /// The worst fact: what its state is called after.
    pub fn worst(&self) -> &Fact {
        let facts = self.facts().map(|(.., fact)| fact);
        // Of equally bad ones the first explains the others.
        facts.into_iter().rev().max_by_key(|fact| fact.level).expect("there are some")
    }

    /// How well it is as a whole.
    pub fn health(&self) -> Health {
        if self.maintenance.is_some() {
            return Health::Maintained;
        }
        let bad = |fact: &Fact| fact.level == Level::Bad;
        if bad(&self.link) || bad(&self.amplifier) || bad(&self.heard) {
            return Health::Bad;
        }
        if bad(&self.content) || bad(&self.storage) { Health::Warn } else { Health::Good }
    }

    /// Worst first: what is in service and nobody looks after, by its facts in order, the longest
    /// ago first.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        let levels = self.facts().map(|(.., fact)| Reverse(fact.level));
        let known = (self.revoked, self.maintenance.is_some(), self.acknowledged.is_some());
        // The others' instants are those of their last word, and would shuffle them with each one.
        let lost = self.worst().since.filter(|_| self.worst().code == "lost");
        (known, levels, lost, self.controller.clone())
    }
}

impl Station {
    /// The condition of every controller that was provisioned, worst first.
    pub async fn conditions(&self) -> Result<Vec<Condition>, ServerError> {
        let devices = self.store.devices().await?;
        let sounded = self.store.sounded().await?;
        let devices: BTreeMap<ControllerId, Device> =
            devices.into_iter().map(|device| (device.controller.clone(), device)).collect();
        let mut conditions = self.conditions_of(devices.keys(), &devices, &sounded).await?;
        conditions.sort_by_cached_key(Condition::rank);
        Ok(conditions)
    }

    /// The conditions of `controllers` now, in their order; `devices` and `sounded` are as the store
    /// has them, which a page reads less often.
    pub async fn conditions_of<'c>(
        &self,
        controllers: impl Iterator<Item = &'c ControllerId> + Send,
        devices: &BTreeMap<ControllerId, Device>,
        sounded: &BTreeMap<ControllerId, Sounded>,
    ) -> Result<Vec<Condition>, ServerError> {
        let rows = self.store.statuses().await?.into_iter();
        let mut statuses: BTreeMap<ControllerId, StatusRow> =
            rows.map(|row| (row.status.controller.clone(), row)).collect();
        let (upkeep, now) = (self.upkeep().await?, utc_now());
        let judged = controllers.map(|id| {
            let sounded = sounded.get(id).copied().unwrap_or_default();
            let known = Known { device: devices.get(id), status: statuses.remove(id), sounded };
            Condition::judge(id, known, &upkeep, now)
        });
        Ok(judged.collect())
    }
}

/// What is known of a controller; it has no device until it is provisioned.
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    /// Its device.
    pub device: Option<&'a Device>,
    /// Its last word.
    pub status: Option<StatusRow>,
    /// When it last sounded.
    pub sounded: Sounded,
}

impl Condition {
    /// The condition at `now` of a controller of which this is known.
    pub fn judge(
        controller: &ControllerId,
        known: Known<'_>,
        upkeep: &Upkeep,
        now: Timestamp,
    ) -> Self {
        let Known { device, status, sounded } = known;
        let Sounded { rendered, measured, heard } = sounded;
        let mut condition = Self {
            controller: controller.clone(),
            link: link(device, status.as_ref(), now),
            content: content(status.as_ref(), now),
            amplifier: sensed("amplifier", measured.max(heard), rendered, "dòng / current"),
            heard: sensed("heard", heard, rendered, "tiếng / sound"),
            storage: storage(status.as_ref()),
            revoked: device.is_some_and(|device| device.revoked.is_some()),
            maintenance: upkeep.maintenance(controller, now),
            acknowledged: None,
            status,
        };
        condition.acknowledged = upkeep.acknowledged(controller, condition.worst(), now);
        condition
    }
}

fn fact(
    level: Level,
    code: &'static str,
    since: Option<Timestamp>,
    vi: impl Into<String>,
    en: impl Into<String>,
) -> Fact {
    Fact { level, code, since, vi: vi.into(), en: en.into() }
}

fn link(device: Option<&Device>, status: Option<&StatusRow>, now: Timestamp) -> Fact {
    let bad = |code, since, vi: &str, en: &str| fact(Level::Bad, code, since, vi, en);
    let Some(device) = device else {
        return bad("not-provisioned", None, "chưa được cấp phát", "not provisioned");
    };
    if let Some(revoked) = device.revoked {
        return bad("revoked", Some(revoked), "đã thu hồi", "revoked");
    }
    if device.public_key.is_none() {
        return bad("not-enrolled", None, "chưa ghi danh khoá", "provisioned, not enrolled");
    }
    let Some(row) = status else {
        return bad("never-heard", None, "chưa từng liên lạc", "enrolled, never heard");
    };
    let seen = Some(row.seen);
    if row.is_lost(now) {
        return bad("lost", seen, "mất liên lạc", "lost");
    }
    if row.status.stopped {
        return bad("stopped", seen, "bị tắt tiếng tại chỗ", "silenced by its local stop");
    }
    if !row.status.clock_trusted {
        let (vi, en) = ("chưa có giờ đúng, chưa phát", "its clock is not trusted");
        return bad("clock", seen, vi, en);
    }
    fact(Level::Well, "up", seen, "đang liên lạc", "up")
}

fn content(status: Option<&StatusRow>, now: Timestamp) -> Fact {
    let Some(row) = status else {
        return fact(Level::Unknown, "content-unknown", None, "chưa biết", "not known");
    };
    let (status, seen) = (&row.status, Some(row.seen));
    let lacking = status.assets_named.saturating_sub(status.assets_held);
    if status.manifest == 0 {
        return fact(Level::Bad, "no-schedule", seen, "chưa có lịch phát", "holds no schedule");
    }
    if lacking == 0 || status.ready_until.is_some_and(|until| until >= now + READY_FOR) {
        return fact(Level::Well, "ready", seen, "đủ", "ready");
    }
    let (vi, en) = (format!("thiếu {lacking} bản ghi"), format!("lacks {lacking} recordings"));
    fact(Level::Bad, "content", seen, vi, en)
}

fn storage(status: Option<&StatusRow>) -> Fact {
    let Some(row) = status else {
        return fact(Level::Unknown, "storage-unknown", None, "chưa biết", "not known");
    };
    let (seen, waiting) = (Some(row.seen), row.status.receipts_waiting);
    let megabytes = row.status.storage_free_kib / 1024;
    if row.status.storage_free_kib < STORAGE_LOW_KIB {
        let (vi, en) = (format!("chỉ còn {megabytes} MB"), format!("down to {megabytes} MB"));
        return fact(Level::Bad, "storage", seen, vi, en);
    }
    if waiting > WAITING_MANY {
        let (vi, en) =
            (format!("{waiting} biên nhận chưa gửi được"), format!("{waiting} receipts wait"));
        return fact(Level::Bad, "receipts", seen, vi, en);
    }
    fact(Level::Well, "room", seen, format!("còn {megabytes} MB"), format!("{megabytes} MB free"))
}

/// What a sensor told, beside the last time that it could have told anything.
fn sensed(
    code: &'static str,
    told: Option<Timestamp>,
    rendered: Option<Timestamp>,
    what: &str,
) -> Fact {
    let (vi, en) = what.split_once(" / ").expect("both languages");
    match told {
        None => fact(Level::Unknown, code, None, "không có cảm biến", "nothing measures it"),
        Some(told) if rendered.is_none_or(|rendered| rendered <= told) => {
            let (vi, en) = (format!("có {vi}"), format!("{en} at its last airing"));
            fact(Level::Well, code, Some(told), vi, en)
        }
        Some(told) => {
            let (vi, en) =
                (format!("lần phát gần nhất không có {vi}"), format!("no {en} at its last airing"));
            fact(Level::Bad, code, Some(told), vi, en)
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
            storage_free_kib: 1_000_000,
            volume_percent: 100,
            playing: None,
            stopped: false,
            ready_until: ready_hours.map(|hours| NOW + Duration::from_hours(hours)),
        };
        StatusRow { seen: NOW - Duration::from_mins(minutes_ago), status }
    }

    fn of(name: &str, status: Option<StatusRow>) -> Condition {
        let device = device(name);
        let known = Known { device: Some(&device), status, ..Known::default() };
        Condition::judge(&device.controller, known, &Upkeep::default(), NOW)
    }

    #[test]
    fn a_controller_that_fell_silent_is_lost_whatever_it_said_last() {
        assert_eq!(of("a", Some(row(5, 10, None))).link.level, Level::Well);
        let silent = of("a", Some(row(21, 10, None)));
        assert_eq!((silent.link.level, silent.worst().vi.as_str()), (Level::Bad, "mất liên lạc"));
        assert_eq!(silent.content.level, Level::Well, "the facts do not stand for each other");
    }

    #[test]
    fn a_controller_that_nobody_set_up_is_no_well_one() {
        let open = Device { public_key: None, ..device("a") };
        let id = open.controller.clone();
        let link = |device: Option<&Device>| {
            let known = Known { device, ..Known::default() };
            Condition::judge(&id, known, &Upkeep::default(), NOW).link.code
        };
        assert_eq!(link(None), "not-provisioned");
        assert_eq!(link(Some(&open)), "not-enrolled");
        assert_eq!(link(Some(&device("a"))), "never-heard");
        let revoked = Device { revoked: Some(NOW), ..device("a") };
        assert_eq!(link(Some(&revoked)), "revoked");
    }

    #[test]
    fn what_will_fail_soon_is_a_warning_and_what_fails_already_is_bad() {
        let health = |change: fn(&mut Status)| {
            let mut row = row(1, 10, None);
            change(&mut row.status);
            of("a", Some(row)).health()
        };
        assert_eq!(health(|_| ()), Health::Good);
        assert_eq!(health(|status| status.assets_held = 1), Health::Warn);
        assert_eq!(health(|status| status.storage_free_kib = 9), Health::Warn);
        assert_eq!(health(|status| status.receipts_waiting = 101), Health::Warn);
        assert_eq!(health(|status| status.clock_trusted = false), Health::Bad);
        assert_eq!(health(|status| status.state = StatusState::Lost), Health::Bad);
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
            let device = device("a");
            let known = Known { device: Some(&device), sounded, ..Known::default() };
            Condition::judge(&device.controller, known, &Upkeep::default(), NOW).amplifier.level
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
