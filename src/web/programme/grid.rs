//! The week as a picture: a column for each day, a block for each airing, in whole pixels.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::calendar::{AirtimePolicy, Weekday};
use crate::schedule::file::Checked;
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};
use crate::web::programme::outlook::Slot;
use crate::web::programme::words;
use crate::web::tongue::Tongue;

/// Pixels: of the hours at the left, of a day, of the heads above, of an hour.
pub(super) const LEFT: u32 = 48;
pub(super) const DAY: u32 = 136;
pub(super) const TOP: u32 = 48;
pub(super) const HOUR: u32 = 52;

/// A block is at least as high: a name must fit.
const BLOCK_MIN: u32 = 19;

/// Letters of a name for each pixel of width, roughly.
const LETTER: u32 = 7;

/// What is known of a past airing beside its time: it is drawn this long.
const PAST_MINUTES: i64 = 10;

/// The picture.
pub(super) struct Grid {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) hours: Vec<(u32, String)>,
    pub(super) days: Vec<Day>,
    pub(super) blocks: Vec<Block>,
    /// The line of now: left, right, height; and the second of the day.
    pub(super) now: Option<(u32, u32, u32, u32)>,
    /// What begins soon, as rectangles.
    pub(super) frozen: Vec<(u32, u32, u32, u32)>,
}

/// One column.
pub(super) struct Day {
    pub(super) x: u32,
    pub(super) date: LocalDate,
    pub(super) label: String,
    pub(super) today: bool,
    pub(super) past: bool,
    /// When sound is allowed, as rectangles: from, height.
    pub(super) open: Vec<(u32, u32)>,
    /// The names of exceptions of that day.
    pub(super) exceptions: Vec<String>,
}

/// One airing, wherever it is heard.
pub(super) struct Block {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) class: &'static str,
    pub(super) href: String,
    pub(super) time: String,
    /// A sign of how it is, for the eye; and its time and name as far as there is room.
    pub(super) mark: &'static str,
    pub(super) name: String,
    /// What it is, where it is heard.
    pub(super) label: String,
    /// Everything about it in a sentence: why it does not air too.
    pub(super) told: String,
    pub(super) date: LocalDate,
    pub(super) programme: String,
}

/// What the picture is made of.
pub(super) struct Made<'a> {
    pub(super) monday: LocalDate,
    pub(super) zone: Zone,
    pub(super) now: Timestamp,
    pub(super) freeze: std::time::Duration,
    pub(super) schedule: &'a Checked,
    pub(super) policy: Option<&'a AirtimePolicy>,
    pub(super) slots: &'a [Slot],
    pub(super) may: bool,
    pub(super) tongue: Tongue,
}

impl Made<'_> {
    pub(super) fn grid(&self) -> Grid {
        let shown = self.slots.iter().filter(|slot| self.column(slot.date).is_some());
        let shown: Vec<&Slot> = shown.collect();
        let seconds = |at| TimeOfDay::of(self.zone.local(at)).seconds();
        let first = shown.iter().map(|slot| seconds(slot.at) / 3600).min().unwrap_or(5).min(5);
        let last = shown.iter().map(|slot| seconds(slot.at) / 3600 + 1).max().unwrap_or(22);
        let last = last.clamp(22, 24);
        let y = |second: u32| {
            TOP + (second.clamp(first * 3600, last * 3600) - first * 3600) * HOUR / 3600
        };
        let hours = (first..=last).map(|hour| (y(hour * 3600), format!("{hour:02}:00")));
        let today = self.zone.date(self.now);
        let column = |n: u32| {
            let date = self.monday.plus_days(i64::from(n));
            Day {
                x: LEFT + n * DAY,
                date,
                label: words::short_day(date, self.tongue),
                today: date == today,
                past: date < today,
                open: self.open(date).map(|(from, until)| (y(from), y(until) - y(from))).collect(),
                exceptions: self.exceptions(date),
            }
        };
        let now = self.column(today).map(|n| {
            let second = seconds(self.now);
            (LEFT + n * DAY, LEFT + (n + 1) * DAY, y(second), second)
        });
        let frozen = now.map(|(left, _, top, second)| {
            let freeze = u32::try_from(self.freeze.as_secs()).unwrap_or(0);
            (left, top, DAY, y((second + freeze).min(86_400)) - top)
        });
        Grid {
            width: LEFT + 7 * DAY + 2,
            height: y(last * 3600) + 4,
            first,
            last,
            hours: hours.collect(),
            days: (0..7).map(column).collect(),
            blocks: self.blocks(&shown, y),
            now,
            frozen: frozen.into_iter().collect(),
        }
    }

    fn column(&self, date: LocalDate) -> Option<u32> {
        let days = (date.naive() - self.monday.naive()).num_days();
        u32::try_from(days).ok().filter(|days| *days < 7)
    }

    /// Seconds of a day between which sound is allowed.
    fn open(&self, date: LocalDate) -> impl Iterator<Item = (u32, u32)> {
        let windows = self.policy.map(|policy| policy.windows.as_slice()).unwrap_or_default();
        let today = windows.iter().filter(move |window| window.days().contains(Weekday::of(date)));
        today.map(|window| (window.from().seconds(), window.until().seconds()))
    }

    fn exceptions(&self, date: LocalDate) -> Vec<String> {
        let held = self.schedule.exceptions.iter().filter(|held| held.covers(date));
        held.map(|held| held.name.clone()).collect()
    }

    /// The blocks, those at one time beside one another.
    fn blocks(&self, shown: &[&Slot], y: impl Fn(u32) -> u32) -> Vec<Block> {
        let mut columns: BTreeMap<u32, Vec<(u32, u32, &Slot)>> = BTreeMap::new();
        for slot in shown {
            let Some(column) = self.column(slot.date) else { continue };
            let begins = TimeOfDay::of(self.zone.local(slot.at)).seconds();
            let length = u32::try_from(slot.ends.since(slot.at).as_secs()).unwrap_or(0);
            let top = y(begins);
            let bottom = y((begins + length).min(86_400)).max(top + BLOCK_MIN);
            columns.entry(column).or_default().push((top, bottom, slot));
        }
        let mut blocks = Vec::new();
        for (column, mut held) in columns {
            held.sort_by_key(|(top, bottom, _)| (*top, *bottom));
            for cluster in clusters(&held) {
                let mut lanes: Vec<u32> = Vec::new();
                let mut placed = Vec::new();
                for (top, bottom, slot) in cluster {
                    let lane = lanes.iter().position(|end| end <= top).unwrap_or(lanes.len());
                    if lane == lanes.len() {
                        lanes.push(*bottom);
                    } else {
                        lanes[lane] = *bottom;
                    }
                    placed.push((lane, *top, *bottom, *slot));
                }
                let width = (DAY - 6) / u32::try_from(lanes.len()).unwrap_or(1).max(1);
                for (lane, top, bottom, slot) in placed {
                    let left = LEFT + column * DAY + 3 + u32::try_from(lane).unwrap_or(0) * width;
                    blocks.push(self.block(slot, (left, top, width - 2, bottom - top)));
                }
            }
        }
        blocks
    }

    fn block(&self, slot: &Slot, (x, y, width, height): (u32, u32, u32, u32)) -> Block {
        let held = self.schedule.programmes.iter().find(|held| held.id == slot.programme);
        let title = held.map_or_else(|| slot.programme.to_string(), |held| held.title.clone());
        let time = TimeOfDay::of(self.zone.local(slot.at));
        let ahead = slot.at > self.now;
        let (class, mark) = match (slot.speakers, slot.refused) {
            (0, _) if slot.exception.is_some() && slot.why.is_empty() => ("skipped", "✕ "),
            (0, _) => ("silent", "■ "),
            (_, 1..) => ("partly", "▲ "),
            (_, 0) if slot.exception.is_some() => ("bent", "◆ "),
            (_, 0) if !ahead => ("over", ""),
            (_, 0) => ("full", ""),
        };
        let room = usize::try_from(width / LETTER).unwrap_or(4).max(4);
        let label = self.label(slot, &title, time);
        let told = self.told(slot, label.clone());
        let movable = self.may && ahead && held.is_some();
        let href = if movable {
            format!(
                "/programmes/{}/airing?date={}&occurrence={}",
                slot.programme, slot.date, slot.occurrence
            )
        } else {
            format!("/programmes/{}", slot.programme)
        };
        let time = time.to_string();
        let room = room.saturating_sub(mark.chars().count());
        let both = format!("{time} {title}");
        let name = if both.chars().count() > room {
            let cut: String = both.chars().take(room.saturating_sub(1)).collect();
            format!("{}…", cut.trim_end())
        } else {
            both
        };
        Block {
            x,
            y,
            width,
            height,
            class,
            href,
            time,
            mark,
            name,
            label,
            told,
            date: slot.date,
            programme: slot.programme.to_string(),
        }
    }

    fn label(&self, slot: &Slot, title: &str, time: TimeOfDay) -> String {
        let say = |vi, en| self.tongue.say(vi, en);
        let until = TimeOfDay::of(self.zone.local(slot.ends));
        // What is to be seen comes first, so that it is called by what is seen.
        let day = words::short_day(slot.date, self.tongue);
        let mut told = format!("{time} {title}, {day}");
        if slot.ends > slot.at {
            let _ = write!(told, ", {} {until}", say("đến", "until"));
        }
        let _ = write!(told, ": {} {}", slot.speakers, say("cụm loa", "speakers"));
        if slot.refused > 0 {
            let (refused, not) = (slot.refused, say("không phát", "do not air it"));
            let _ = write!(told, ", {refused} {not}");
        }
        told
    }

    fn told(&self, slot: &Slot, mut told: String) -> String {
        let say = |vi, en| self.tongue.say(vi, en);
        if let Some(name) = &slot.exception {
            let _ = write!(told, "; {} {name}", say("ngoại lệ:", "exception:"));
        }
        for reason in &slot.why {
            let words = match self.tongue {
                Tongue::Vi => reason.vi(),
                Tongue::En => reason.to_string(),
            };
            let _ = write!(told, "; {words}");
        }
        told
    }
}

/// Blocks that touch in time, group by group.
fn clusters<'h, 's>(held: &'h [(u32, u32, &'s Slot)]) -> Vec<&'h [(u32, u32, &'s Slot)]> {
    let mut groups = Vec::new();
    let (mut start, mut end) = (0, 0);
    for (n, (top, bottom, _)) in held.iter().enumerate() {
        if n > start && *top >= end {
            groups.push(&held[start..n]);
            start = n;
        }
        end = if n == start { *bottom } else { end.max(*bottom) };
    }
    if start < held.len() {
        groups.push(&held[start..]);
    }
    groups
}

/// How long a past airing is drawn.
pub(super) fn past_length() -> std::time::Duration {
    std::time::Duration::from_secs(PAST_MINUTES.unsigned_abs() * 60)
}
