//! Programmes, exceptions and changes in the words of people.

use crate::bulletin::Bulletin;
use crate::calendar::recurrence::{Recurrence, Rule};
use crate::calendar::{Days, Weekday};
use crate::fleet::AreaTree;
use crate::id::AreaId;
use crate::lang::{LangTag, Names};
use crate::schedule::file::Checked;
use crate::schedule::{Change, Exception, Languages, Selection};
use crate::time::{LocalDate, TimeOfDay};
use crate::web::tongue::Tongue;

/// The weekdays, short and long.
const DAYS: [(Weekday, &str, &str, &str); 7] = [
    (Weekday::Monday, "T2", "Mon", "Thứ Hai"),
    (Weekday::Tuesday, "T3", "Tue", "Thứ Ba"),
    (Weekday::Wednesday, "T4", "Wed", "Thứ Tư"),
    (Weekday::Thursday, "T5", "Thu", "Thứ Năm"),
    (Weekday::Friday, "T6", "Fri", "Thứ Sáu"),
    (Weekday::Saturday, "T7", "Sat", "Thứ Bảy"),
    (Weekday::Sunday, "CN", "Sun", "Chủ Nhật"),
];

pub(super) fn weekday(day: Weekday, tongue: Tongue) -> &'static str {
    let (_, vi, en, _) = DAYS[usize::from(day.iso()) - 1];
    tongue.say(vi, en)
}

/// `Thứ Hai 23/11`.
pub(super) fn day(date: LocalDate, tongue: Tongue) -> String {
    let (_, _, en, vi) = DAYS[usize::from(Weekday::of(date).iso()) - 1];
    format!("{} {}", tongue.say(vi, en), date.naive().format("%d/%m"))
}

/// `T2 23/11`.
pub(super) fn short_day(date: LocalDate, tongue: Tongue) -> String {
    format!("{} {}", weekday(Weekday::of(date), tongue), date.naive().format("%d/%m"))
}

/// When a programme comes.
pub(super) fn when(recurrence: &Recurrence, tongue: Tongue) -> String {
    let times = times(&recurrence.times_of_day());
    let (from, until) = (recurrence.from(), recurrence.until());
    match (recurrence.weekly(), recurrence.rule()) {
        (Some(_), _) if from.is_some() && from == until => {
            let day = day(from.expect("it was looked at"), tongue);
            format!("{}: {times}, {day}", tongue.say("một lần", "once"))
        }
        (Some(days), _) => format!("{times}, {}", days_in_words(days, tongue)),
        (None, Rule::Cron(cron)) => {
            format!("{times}, {} `{}`", tongue.say("theo cron", "by cron"), cron.source())
        }
        (None, Rule::Times { .. }) => times,
    }
}

fn days_in_words(days: Days, tongue: Tongue) -> String {
    if days == Days::EVERY {
        return tongue.say("hằng ngày", "every day").to_owned();
    }
    let listed: Vec<&str> = days.iter().map(|day| weekday(day, tongue)).collect();
    listed.join(", ")
}

pub(super) fn times(times: &[TimeOfDay]) -> String {
    times.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `23/11/2026 – 30/11/2026`.
pub(super) fn dates(from: Option<LocalDate>, until: Option<LocalDate>, tongue: Tongue) -> String {
    let date = |date: LocalDate| date.naive().format("%d/%m/%Y").to_string();
    match (from, until) {
        (None, None) => tongue.say("không thời hạn", "without end").to_owned(),
        (Some(from), Some(until)) if from == until => date(from),
        (Some(from), Some(until)) => format!("{} – {}", date(from), date(until)),
        (Some(from), None) => format!("{} {}", tongue.say("từ", "from"), date(from)),
        (None, Some(until)) => format!("{} {}", tongue.say("đến", "until"), date(until)),
    }
}

/// Names of areas, the first few one by one.
pub(super) fn places(tree: &AreaTree, areas: &[AreaId], named_max: usize) -> String {
    let name = |id: &AreaId| tree.get(id).map_or_else(|| id.to_string(), |area| area.name.clone());
    let named: Vec<String> = areas.iter().take(named_max).map(name).collect();
    let more = areas.len().saturating_sub(named_max);
    let rest = if more == 0 { String::new() } else { format!(" +{more}") };
    format!("{}{rest}", named.join(", "))
}

pub(super) fn language(names: &Names, tag: &LangTag, tongue: Tongue) -> String {
    tongue.say(names.vi(tag), names.en(tag)).to_owned()
}

pub(super) fn languages(names: &Names, mode: &Languages, tongue: Tongue) -> String {
    match mode {
        Languages::Every => tongue.say("mọi tiếng của bản", "all of the village").to_owned(),
        Languages::First => tongue.say("tiếng chính của bản", "the village's first").to_owned(),
        Languages::Only(listed) => {
            let listed: Vec<String> =
                listed.iter().map(|tag| language(names, tag, tongue)).collect();
            listed.join(", ")
        }
    }
}

pub(super) fn content(selection: &Selection, bulletins: &[Bulletin], tongue: Tongue) -> String {
    match selection {
        Selection::Newest(column) => {
            format!(
                "{} {column}",
                tongue.say("mới nhất của", "newest of"),
                column = column.as_str()
            )
        }
        Selection::Bulletins(named) => {
            let title = |id: &crate::id::BulletinId| {
                let held = bulletins.iter().find(|held| held.id == *id);
                held.map_or_else(|| id.to_string(), |held| held.title.to_string())
            };
            named.iter().map(title).collect::<Vec<_>>().join("; ")
        }
    }
}

/// The classes of what goes in.
pub(super) fn classes(selection: &Selection, bulletins: &[Bulletin], tongue: Tongue) -> String {
    let mut found: Vec<crate::bulletin::Class> = match selection {
        Selection::Newest(column) => {
            bulletins.iter().filter(|held| held.column == *column).map(|held| held.class).collect()
        }
        Selection::Bulletins(named) => bulletins
            .iter()
            .filter(|held| named.contains(&held.id))
            .map(|held| held.class)
            .collect(),
    };
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|one| class(one, tongue)).collect::<Vec<_>>().join(", ")
}

pub(super) fn class(class: crate::bulletin::Class, tongue: Tongue) -> &'static str {
    match class {
        crate::bulletin::Class::Normal => tongue.say("thông thường", "normal"),
        crate::bulletin::Class::Priority => tongue.say("ưu tiên", "priority"),
        crate::bulletin::Class::Emergency => tongue.say("khẩn cấp", "emergency"),
    }
}

/// What an exception does, to what, where.
pub(super) fn exception(
    held: &Exception,
    schedule: &Checked,
    bulletins: &[Bulletin],
    tongue: Tongue,
) -> String {
    let title = |id: &crate::id::ProgrammeId| {
        let found = schedule.programmes.iter().find(|programme| programme.id == *id);
        found.map_or_else(|| id.to_string(), |programme| programme.title.clone())
    };
    let mut about: Vec<String> = held.scope.programmes.iter().map(title).collect();
    about.extend(held.scope.columns.iter().map(ToString::to_string));
    about.extend(held.scope.tags.iter().map(ToString::to_string));
    if about.is_empty() {
        about.push(tongue.say("mọi chương trình", "every programme").to_owned());
    }
    let does = match &held.change {
        Change::Skip => tongue.say("không phát", "not aired").to_owned(),
        Change::Move(at) => format!("{} {}", tongue.say("dời sang", "moved to"), times(at)),
        Change::Replace(selection) => {
            let other = content(selection, bulletins, tongue);
            format!("{} {other}", tongue.say("phát thay:", "instead:"))
        }
        Change::ReplaceBy(id) => {
            format!("{} {}", tongue.say("phát thay bằng", "replaced by"), title(id))
        }
    };
    let places = if held.areas.is_empty() {
        String::new()
    } else {
        format!(" – {}", places(&schedule.tree, &held.areas, 3))
    };
    format!("{}: {does}{places}", about.join(", "))
}

/// What somebody did, of the word that is kept.
pub(super) fn act(word: &str, tongue: Tongue) -> String {
    let (vi, en) = match word {
        "programme" => ("lưu chương trình", "saved a programme"),
        "end" => ("kết thúc chương trình", "ended a programme"),
        "airing" => ("đổi lượt phát", "changed an airing"),
        "exception" => ("lưu ngoại lệ", "saved an exception"),
        "unmake" => ("bỏ ngoại lệ", "removed an exception"),
        "week" => ("chép tuần", "copied a week"),
        "undo" => ("hoàn tác", "took a change back"),
        other => (other, other),
    };
    tongue.say(vi, en).to_owned()
}

/// What a line of a schedule file is called on the form.
pub(super) fn key(key: &str, tongue: Tongue) -> String {
    let (vi, en) = match key {
        "title" | "name" => ("Tên", "Title"),
        "at" | "move_to" => ("Giờ phát", "Times"),
        "weekdays" => ("Ngày trong tuần", "Weekdays"),
        "cron" => ("Biểu thức cron", "Cron"),
        "from" => ("Từ ngày", "From"),
        "until" => ("Đến ngày", "Until"),
        "areas" => ("Nơi nghe", "Areas"),
        "minus_areas" => ("Trừ nơi", "Not in"),
        "languages" => ("Ngôn ngữ", "Languages"),
        "newest" => ("Chuyên mục", "Column"),
        "bulletins" => ("Bản tin", "Bulletins"),
        "programmes" => ("Chương trình", "Programmes"),
        "length_max_s" => ("Dài nhất (giây)", "Seconds at most"),
        "chime" => ("Nhạc hiệu", "Chime"),
        "gap_ms" => ("Khoảng lặng (ms)", "Gap (ms)"),
        "order" => ("Thứ tự", "Order"),
        "skip" => ("Không phát", "Skipped"),
        other => (other, other),
    };
    tongue.say(vi, en).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let recurrence = Recurrence::cron(text, None, None).unwrap();
        when(&recurrence, Tongue::Vi)
    }

    #[test]
    fn a_rule_is_told_as_people_say_it() {
        assert_eq!(told("0 30 5 * * Mon-Fri"), "05:30, T2, T3, T4, T5, T6");
        assert_eq!(told("0 30 5,17 * * *"), "05:30, 17:30, hằng ngày");
        assert!(told("0 30 5 1 * *").contains("theo cron"));
        let day = Some("2026-11-22".parse().unwrap());
        let once = Recurrence::times(["06:00".parse().unwrap()], Days::EVERY, day, day).unwrap();
        assert_eq!(when(&once, Tongue::Vi), "một lần: 06:00, Chủ Nhật 22/11");
    }

    #[test]
    fn dates_are_told_from_both_ends() {
        let day = |text: &str| Some(text.parse().unwrap());
        let (a, b) = (day("2026-11-22"), day("2026-12-01"));
        assert_eq!(dates(a, b, Tongue::Vi), "22/11/2026 – 01/12/2026");
        assert_eq!(dates(a, a, Tongue::Vi), "22/11/2026");
        assert_eq!(dates(None, b, Tongue::En), "until 01/12/2026");
    }
}
