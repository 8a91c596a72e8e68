//! A programme of what a form says, and what a form says of a programme.

use super::fields::{Fields, Wrong, areas, time, words};
use crate::bulletin::Bulletin;
use crate::calendar::recurrence::{Recurrence, Rule};
use crate::calendar::{Days, Weekday};
use crate::id::{AreaId, BulletinId, ProgrammeId};
use crate::schedule::edit::{Piece, free_programme};
use crate::schedule::file::Checked;
use crate::schedule::{GivesWay, Languages, Order, Programme, Selection};
use crate::time::{LocalDate, TimeOfDay};
use crate::web::programme::named;

/// Milliseconds of silence between two items where the form says nothing.
const GAP_MS: u32 = 500;

/// What an unreadable date is called.
const DATE: (&str, &str) =
    ("Ngày không đọc được, hãy ghi như 2026-11-23", "No date, write one such as 2026-11-23");

/// The programme, or everything that is wrong with the form.
pub(super) fn programme(
    fields: &Fields,
    schedule: &Checked,
    bulletins: &[Bulletin],
) -> Result<Programme, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let title = fields.one("title");
    if title.is_empty() {
        wrong.push(Wrong::new(
            "Chưa có tên chương trình; hãy ghi tên.",
            "The programme has no title; write one.",
        ));
    }
    let areas = places(fields, "area", schedule, &mut wrong);
    if areas.is_empty() {
        wrong.push(Wrong::new(
            "Chưa chọn nơi nghe; hãy chọn ít nhất một địa bàn.",
            "No area is chosen; choose at least one.",
        ));
    }
    let minus_areas = self::areas(&fields.one("minus"), schedule, &mut wrong);
    let recurrence = recurrence(fields, &mut wrong);
    let selection = selection(fields, bulletins, &mut wrong);
    let languages = languages(fields, &mut wrong);
    let gap_ms = whole(fields, "gap_ms", (0, 60_000), &mut wrong).unwrap_or(GAP_MS);
    let length_max_s = whole(fields, "length_max_s", (1, 21_600), &mut wrong);
    let tags = list(fields, "tags", ("Nhãn không đọc được", "No tag"), &mut wrong);
    let only_tags = list(fields, "only_tags", ("Nhãn không đọc được", "No tag"), &mut wrong);
    let tongue = ("Mã ngôn ngữ không đọc được", "No language tag");
    let only_listening = list(fields, "only_listening", tongue, &mut wrong);
    let identification = one_bulletin(&fields.one("identification"), bulletins, &mut wrong);
    let (Some(recurrence), Some(selection), true) = (recurrence, selection, wrong.is_empty())
    else {
        return Err(wrong);
    };
    let programme = Programme {
        id: id(fields, schedule, &title),
        title,
        tags,
        recurrence,
        areas,
        minus_areas,
        only_tags,
        only_listening,
        languages,
        order: if fields.is("order", "language") { Order::Language } else { Order::Bulletin },
        selection,
        gap_ms,
        identification,
        length_max_s,
        gives_way: match fields.one("gives_way").as_str() {
            "longest" => GivesWay::Longest,
            "lowest-class" => GivesWay::LowestClass,
            "oldest" => GivesWay::Oldest,
            _ => GivesWay::Last,
        },
        chime: fields.has("chime", "yes"),
    };
    reads_back(&Piece::from(programme.clone()))?;
    Ok(programme)
}

/// Refuses what a schedule file could not say, in the words of its reader.
pub(super) fn reads_back(piece: &Piece) -> Result<(), Vec<Wrong>> {
    match Piece::read(&piece.text()) {
        Ok(Some(same)) if same == *piece => Ok(()),
        Ok(_) => Err(vec![Wrong::new(
            "Có điều không ghi vào lịch được; hãy xem lại các ô.",
            "Something cannot be written into the schedule; look at the fields again.",
        )]),
        Err(faults) => {
            let said = |fault: &crate::config::Fault| {
                Wrong::new(format!("Không nhận: {}.", fault.sentence), fault.sentence.clone())
            };
            Err(faults.0.iter().map(said).collect())
        }
    }
}

fn id(fields: &Fields, schedule: &Checked, title: &str) -> ProgrammeId {
    fields.one("id").parse().unwrap_or_else(|_| free_programme(schedule, title))
}

/// The areas that were ticked and those that were written.
pub(super) fn places(
    fields: &Fields,
    name: &str,
    schedule: &Checked,
    wrong: &mut Vec<Wrong>,
) -> Vec<AreaId> {
    let ticked = fields.many(name);
    let mut all: Vec<AreaId> = ticked.iter().filter_map(|id| id.parse().ok()).collect();
    for area in areas(&fields.one("more_areas"), schedule, wrong) {
        if !all.contains(&area) {
            all.push(area);
        }
    }
    all
}

fn whole(fields: &Fields, name: &str, range: (u32, u32), wrong: &mut Vec<Wrong>) -> Option<u32> {
    let text = fields.one(name);
    if text.is_empty() {
        return None;
    }
    let (from, to) = range;
    let read = text.parse().ok().filter(|number| (from..=to).contains(number));
    if read.is_none() {
        wrong.push(Wrong::new(
            format!("`{text}` phải là số từ {from} đến {to}."),
            format!("`{text}` must be a number from {from} to {to}."),
        ));
    }
    read
}

pub(super) fn list<T: std::str::FromStr>(
    fields: &Fields,
    name: &str,
    (vi, en): (&str, &str),
    wrong: &mut Vec<Wrong>,
) -> Vec<T> {
    let mut read = Vec::new();
    for word in words(&fields.one(name)) {
        match word.parse() {
            Ok(value) => read.push(value),
            Err(_) => {
                wrong.push(Wrong::new(format!("{vi}: `{word}`."), format!("{en}: `{word}`.")));
            }
        }
    }
    read
}

fn recurrence(fields: &Fields, wrong: &mut Vec<Wrong>) -> Option<Recurrence> {
    let (from, until) = (fields.read("from", wrong, DATE), fields.read("until", wrong, DATE));
    let made = match fields.one("repeat").as_str() {
        "cron" => Recurrence::cron(&fields.one("cron"), from, until),
        "once" => {
            let Some(date) = fields.read::<LocalDate>("date", wrong, DATE) else {
                wrong.push(Wrong::new("Hãy chọn ngày phát.", "Choose the day."));
                return None;
            };
            Recurrence::times(times(fields, wrong)?, Days::EVERY, Some(date), Some(date))
        }
        _ => {
            let days: Vec<Weekday> =
                fields.many("day").iter().filter_map(|day| day.parse().ok()).collect();
            let Some(days) = Days::of(days) else {
                wrong.push(Wrong::new(
                    "Hãy chọn ít nhất một ngày trong tuần.",
                    "Choose at least one weekday.",
                ));
                return None;
            };
            Recurrence::times(times(fields, wrong)?, days, from, until)
        }
    };
    let said = |error: crate::calendar::recurrence::NotARecurrence| {
        wrong.push(Wrong::new(format!("Giờ phát chưa được: {}.", error.vi()), error.to_string()));
    };
    made.map_err(said).ok()
}

pub(super) fn times(fields: &Fields, wrong: &mut Vec<Wrong>) -> Option<Vec<TimeOfDay>> {
    let text = fields.one("times");
    let mut read: Vec<TimeOfDay> = Vec::new();
    for word in text.split([',', ';', ' ']).filter(|word| !word.is_empty()) {
        match time(word) {
            Some(time) => read.push(time),
            None => wrong.push(Wrong::new(
                format!(
                    "`{word}` không phải giờ; hãy ghi như 05:30, nhiều giờ cách nhau dấu phẩy."
                ),
                format!("`{word}` is no time; write 05:30, with commas between several."),
            )),
        }
    }
    if text.is_empty() {
        wrong.push(Wrong::new("Hãy ghi giờ phát, như 05:30.", "Write a time, such as 05:30."));
    }
    (!read.is_empty()).then_some(read)
}

/// What goes in, of the column or the bulletins that the form names.
pub(super) fn selection(
    fields: &Fields,
    bulletins: &[Bulletin],
    wrong: &mut Vec<Wrong>,
) -> Option<Selection> {
    if !fields.is("content", "bulletins") {
        let column = fields.one("column").parse().ok();
        if column.is_none() {
            wrong.push(Wrong::new("Hãy chọn chuyên mục.", "Choose a column."));
        }
        return column.map(Selection::Newest);
    }
    let mut named: Vec<BulletinId> = Vec::new();
    for text in fields.many("bulletin") {
        if let Some(id) = one_bulletin(&text, bulletins, wrong)
            && !named.contains(&id)
        {
            named.push(id);
        }
    }
    if named.is_empty() {
        wrong.push(Wrong::new(
            "Chưa chọn bản tin nào; hãy chọn ít nhất một.",
            "No bulletin is chosen; choose at least one.",
        ));
        return None;
    }
    Some(Selection::Bulletins(named))
}

/// The bulletin that a field names.
fn one_bulletin(text: &str, bulletins: &[Bulletin], wrong: &mut Vec<Wrong>) -> Option<BulletinId> {
    if text.is_empty() {
        return None;
    }
    named::meant(text, bulletins).map_err(|one| wrong.push(one)).ok()
}

fn languages(fields: &Fields, wrong: &mut Vec<Wrong>) -> Languages {
    match fields.one("languages").as_str() {
        "first" => Languages::First,
        "only" => {
            let ticked = fields.many("language");
            let listed: Vec<_> = ticked.iter().filter_map(|tag| tag.parse().ok()).collect();
            if listed.is_empty() {
                wrong.push(Wrong::new(
                    "Hãy chọn ít nhất một ngôn ngữ.",
                    "Choose at least one language.",
                ));
            }
            Languages::Only(listed)
        }
        _ => Languages::Every,
    }
}

/// What the form says of a programme that is there.
pub(super) fn fields(programme: &Programme) -> Fields {
    let mut fields = Fields::default();
    fields.add("id", &programme.id);
    fields.add("title", &programme.title);
    fields.add_all("area", &programme.areas);
    fields.add("minus", joined(&programme.minus_areas));
    fields.add("only_tags", joined(&programme.only_tags));
    fields.add("only_listening", joined(&programme.only_listening));
    fields.add("tags", joined(&programme.tags));
    let languages = match &programme.languages {
        Languages::Every => "every",
        Languages::First => "first",
        Languages::Only(listed) => {
            fields.add_all("language", listed);
            "only"
        }
    };
    fields.add("languages", languages);
    when(&mut fields, &programme.recurrence);
    content(&mut fields, &programme.selection);
    fields.add("order", if programme.order == Order::Language { "language" } else { "bulletin" });
    fields.add("gap_ms", programme.gap_ms);
    if let Some(seconds) = programme.length_max_s {
        fields.add("length_max_s", seconds);
    }
    if let Some(bulletin) = &programme.identification {
        fields.add("identification", bulletin);
    }
    let gives_way = match programme.gives_way {
        GivesWay::Last => "last",
        GivesWay::Longest => "longest",
        GivesWay::LowestClass => "lowest-class",
        GivesWay::Oldest => "oldest",
    };
    fields.add("gives_way", gives_way);
    if programme.chime {
        fields.add("chime", "yes");
    }
    fields
}

pub(super) fn content(fields: &mut Fields, selection: &Selection) {
    match selection {
        Selection::Newest(column) => {
            fields.add("content", "newest");
            fields.add("column", column.as_str());
        }
        Selection::Bulletins(named) => {
            fields.add("content", "bulletins");
            fields.add_all("bulletin", named);
        }
    }
}

fn when(fields: &mut Fields, recurrence: &Recurrence) {
    let (from, until) = (recurrence.from(), recurrence.until());
    let times = joined(&recurrence.times_of_day());
    match (recurrence.weekly(), recurrence.rule()) {
        (None, Rule::Cron(cron)) => {
            fields.add("repeat", "cron");
            fields.add("cron", cron.source());
        }
        (Some(_), _) if from.is_some() && from == until => {
            fields.add("repeat", "once");
            fields.add("times", times);
            fields.add("date", from.expect("it was looked at"));
            return;
        }
        (days, _) => {
            fields.add("repeat", "weekly");
            fields.add("times", times);
            let days = days.unwrap_or(Days::EVERY);
            fields.add_all("day", &days.iter().map(Weekday::word).collect::<Vec<_>>());
        }
    }
    if let Some(from) = from {
        fields.add("from", from);
    }
    if let Some(until) = until {
        fields.add("until", until);
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
