//! One loudspeaker in words: its state with the reason and its age.
//!
//! **A speaker is never shown as well on the strength of an old word.**

use crate::id::ControllerId;
use crate::report::{Fate, Line};
use crate::server::{Condition, Fact, Level};
use crate::store::StatusRow;
use crate::time::{Timestamp, Zone};
use crate::web::commune::map;
use crate::web::commune::titles::{Named, Titles};
use crate::web::commune::tone::Tone;
use crate::web::commune::town::Town;
use crate::web::tongue::Tongue;

/// Its worst fact in words, with the age that says more than the word.
fn words(fact: &Fact, tongue: Tongue, zone: Zone, now: Timestamp) -> String {
    let said = tongue.say(&fact.vi, &fact.en);
    match fact.since {
        _ if fact.level != Level::Bad => tongue.say("tốt", "well").to_owned(),
        Some(since) if matches!(fact.code, "lost" | "revoked") => {
            format!("{said} {} {}", tongue.say("từ", "since"), moment(zone, since, now))
        }
        _ => said.to_owned(),
    }
}

/// How a speaker is, in words.
pub(super) fn state(
    town: &Town,
    id: &ControllerId,
    tongue: Tongue,
    zone: Zone,
    now: Timestamp,
) -> String {
    let Some(condition) = town.condition(id) else { return String::new() };
    if let Some(held) = &condition.maintenance {
        let until = moment(zone, held.until, now);
        return format!("{} {until}", tongue.say("bảo trì đến", "maintenance until"));
    }
    words(condition.worst(), tongue, zone, now)
}

/// The time where it was today, with the date otherwise.
pub(super) fn moment(zone: Zone, at: Timestamp, now: Timestamp) -> String {
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
    /// The bulletins of what plays and of what comes next.
    pub(super) playing_what: Vec<Named>,
    pub(super) next: String,
    pub(super) next_what: Vec<Named>,
    /// What came of the newest test tone.
    pub(super) tone: Option<Tone>,
    pub(super) storage: String,
    pub(super) clock: String,
    pub(super) volume: Option<u8>,
    /// When the area's policy makes airings softer than that.
    pub(super) night: String,
    /// Who looks after it, in sentences.
    pub(super) cares: Vec<String>,
    pub(super) maintained: bool,
    pub(super) faulty: bool,
    pub(super) reachable: bool,
}

impl Speaker {
    /// The card of one speaker; `lines` are its airings from this morning on.
    pub(super) fn new(
        town: &Town,
        id: &ControllerId,
        (lines, titles): (&[Line], &Titles),
        tongue: Tongue,
        zone: Zone,
        now: Timestamp,
    ) -> Self {
        let condition = town.condition(id);
        let row = condition.and_then(|condition| condition.status.as_ref());
        let status = row.map(|row| &row.status);
        let next = lines.iter().find(|line| line.fate == Fate::Planned && line.at > now);
        let playing = town.playing(id);
        let on_air = |line: &&Line| playing.as_ref() == Some(&line.airing.to_string());
        let what = |line: Option<&Line>| line.map(|line| titles.of([line])).unwrap_or_default();
        Self {
            id: id.clone(),
            place: town.place(id),
            class: map::class(town.health(id)),
            state: state(town, id, tongue, zone, now),
            cares: condition.map(|one| cares(one, tongue, zone, now)).unwrap_or_default(),
            maintained: condition.is_some_and(|one| one.maintenance.is_some()),
            faulty: condition.is_some_and(|one| one.worst().level == Level::Bad),
            night: night(town, id, tongue),
            holds: row.map(|row| holds(row, lines, tongue, zone)).unwrap_or_default(),
            seen: row.map(|row| tongue.ago(now.since(row.seen))).unwrap_or_default(),
            playing_what: what(lines.iter().find(on_air)),
            next_what: what(next),
            tone: None,
            playing: playing.map(|playing| name(town, &playing, tongue)),
            next: next.map_or_else(
                || tongue.say("không có", "nothing").to_owned(),
                |line| {
                    format!("{} {}", moment(zone, line.at, now), town.title(&line.airing.programme))
                },
            ),
            storage: status.map(|s| room(s.storage_free_kib, tongue)).unwrap_or_default(),
            clock: status
                .map(|s| clock(s.clock_trusted, s.clock_offset_ms, tongue))
                .unwrap_or_default(),
            volume: status.map(|status| status.volume_percent),
            reachable: town.reachable(id),
        }
    }
}

/// Who looks after it: why, and since when.
fn cares(condition: &Condition, tongue: Tongue, zone: Zone, now: Timestamp) -> Vec<String> {
    let kept = condition
        .maintenance
        .iter()
        .map(|held| format!("{} ({}, {})", held.reason, held.by, moment(zone, held.since, now)));
    let taken = condition.acknowledged.iter().map(|held| {
        let said = tongue.say("đang lo", "takes care");
        format!("{} {said}: {} ({})", held.by, held.note, moment(zone, held.at, now))
    });
    kept.chain(taken).collect()
}

/// The hours in which the policy of its area makes airings softer.
fn night(town: &Town, id: &ControllerId, tongue: Tongue) -> String {
    let held = town.controller(id);
    let policies = &town.schedule.policies;
    let airtime = held.and_then(|held| {
        town.schedule.tree.upward(&held.area).find_map(|area| policies.get(&area.id))
    });
    let volumes = airtime.map(crate::calendar::Airtime::volumes).unwrap_or_default();
    let softer = volumes.iter().filter(|volume| volume.percent < 100).map(|volume| {
        let (from, until) = (volume.window.from(), volume.window.until());
        let of = tongue.say("của mức này", "of this");
        format!("{from}–{until}: {} % {of}", volume.percent)
    });
    softer.collect::<Vec<_>>().join(", ")
}

/// What plays, as people call it: an airing's text begins with its programme.
fn name(town: &Town, playing: &str, tongue: Tongue) -> String {
    // What the controller calls a test by order, or of somebody at the device.
    if playing == "selftest" {
        return tongue.say("thử loa", "test tone").to_owned();
    }
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

/// Free storage in the unit that a person would choose.
fn room(kib: u64, tongue: Tongue) -> String {
    let (mega, free) = (kib / 1024, tongue.say("còn", "free:"));
    if mega < 10_000 { format!("{free} {mega} MB") } else { format!("{free} {} GB", mega / 1024) }
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

    #[test]
    fn an_age_of_today_needs_no_date() {
        let zone = Zone::default();
        let at = |minutes: i64| Timestamp::from_micros((29_800_000 + minutes) * 60_000_000);
        let fact = Fact {
            level: Level::Bad,
            code: "lost",
            since: Some(at(0)),
            vi: "mất liên lạc".to_owned(),
            en: "lost".to_owned(),
        };
        let today = words(&fact, Tongue::Vi, zone, at(30));
        assert!(today.starts_with("mất liên lạc từ ") && !today.contains('/'), "{today}");
        let older = words(&fact, Tongue::Vi, zone, at(3000));
        assert!(older.contains('/'), "{older}");
        let well = Fact { level: Level::Unknown, ..fact };
        assert_eq!(words(&well, Tongue::Vi, zone, at(30)), "tốt", "nothing measures it");
    }
}
