//! What a form sent, kept word for word, so that nothing typed is ever lost.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::id::AreaId;
use crate::lang::fold;
use crate::schedule::file::Checked;
use crate::time::TimeOfDay;
use crate::web::tongue::Tongue;

/// Something that is wrong, in both languages, with what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) vi: String,
    pub(super) en: String,
}

impl Wrong {
    pub(super) fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self { vi: vi.into(), en: en.into() }
    }

    pub(super) fn say(&self, tongue: Tongue) -> &str {
        tongue.say(&self.vi, &self.en)
    }
}

/// Names and values in their order; a name may stand more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// The first value of that name, in NFC, without blanks at its ends.
    pub(super) fn one(&self, name: &str) -> String {
        let found = self.0.iter().find(|(held, _)| held == name);
        found.map(|(_, value)| value.trim().nfc().collect()).unwrap_or_default()
    }

    /// Every value of that name that is not empty.
    pub(super) fn many(&self, name: &str) -> Vec<String> {
        let held = self.0.iter().filter(|(held, _)| held == name);
        let trimmed = held.map(|(_, value)| value.trim().nfc().collect::<String>());
        trimmed.filter(|value| !value.is_empty()).collect()
    }

    /// The value of that name at its place, or nothing.
    pub(super) fn nth(&self, name: &str, n: usize) -> String {
        self.many(name).into_iter().nth(n).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(held, given)| held == name && given.trim() == value)
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.one(name) == value
    }

    pub(super) fn add(&mut self, name: &str, value: impl fmt::Display) {
        self.0.push((name.to_owned(), format!("{value}")));
    }

    pub(super) fn add_all<T: fmt::Display>(&mut self, name: &str, values: &[T]) {
        for value in values {
            self.add(name, value);
        }
    }

    /// The same with one value of that name instead of any that are there.
    pub(super) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.0.retain(|(held, _)| held != name);
        self.add(name, value);
        self
    }

    /// What a value is, where one is written.
    pub(super) fn read<T: std::str::FromStr>(
        &self,
        name: &str,
        wrong: &mut Vec<Wrong>,
        (vi, en): (&str, &str),
    ) -> Option<T> {
        let text = self.one(name);
        if text.is_empty() {
            return None;
        }
        let read = text.parse().ok();
        if read.is_none() {
            wrong.push(Wrong::new(format!("{vi}: `{text}`."), format!("{en}: `{text}`.")));
        }
        read
    }
}

/// Words with commas, semicolons or lines between them.
pub(super) fn words(text: &str) -> Vec<String> {
    let parts = text.split([',', ';', '\n']).map(|word| word.trim().to_owned());
    parts.filter(|word| !word.is_empty()).collect()
}

/// A time as people write it: `5:30`, `05:30:10`, `5h30`, `17h`.
pub(super) fn time(text: &str) -> Option<TimeOfDay> {
    let text = text.trim().to_lowercase().replace(['h', 'g', '.'], ":");
    let mut parts = text.split(':').map(str::trim);
    let hour: u32 = parts.next()?.parse().ok()?;
    let mut next = || match parts.next() {
        None | Some("") => Some(0_u32),
        Some(part) => part.parse().ok(),
    };
    let (minute, second) = (next()?, next()?);
    format!("{hour:02}:{minute:02}:{second:02}").parse().ok()
}

/// Areas by id or by name, with commas between them.
pub(super) fn areas(text: &str, schedule: &Checked, wrong: &mut Vec<Wrong>) -> Vec<AreaId> {
    let mut found = Vec::new();
    for word in words(text) {
        let folded = fold::line(&word);
        let named = |area: &&crate::fleet::Area| {
            area.id.as_str() == word || fold::line(&area.name) == folded
        };
        let meant: Vec<&crate::fleet::Area> = schedule.tree.iter().filter(named).collect();
        match meant.as_slice() {
            [one] => found.push(one.id.clone()),
            [] => wrong.push(Wrong::new(
                format!("Không có địa bàn `{word}`; hãy ghi tên như trong danh sách địa bàn."),
                format!("There is no area `{word}`; write its name as the list of areas has it."),
            )),
            more => {
                let ids: Vec<&str> = more.iter().take(6).map(|area| area.id.as_str()).collect();
                let ids = ids.join(", ");
                wrong.push(Wrong::new(
                    format!("Có nhiều nơi tên `{word}`; hãy ghi mã của một nơi: {ids}."),
                    format!("More than one place is called `{word}`; write the id of one: {ids}."),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let read = |text: &str| time(text).map(|time| time.to_string());
        for text in ["5:30", "05:30", "5h30", "5g30", "05:30:00", " 5.30 "] {
            assert_eq!(read(text).as_deref(), Some("05:30"), "{text}");
        }
        assert_eq!(read("17h").as_deref(), Some("17:00"));
        for bad in ["", "25:00", "5:61", "sáng", "5:30:99", "5:3a"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_was_typed_is_kept_in_its_order_and_composed_when_read() {
        let fields = Fields(vec![
            ("title".to_owned(), " Ba\u{309}n tin ".to_owned()),
            ("area".to_owned(), "a".to_owned()),
            ("area".to_owned(), String::new()),
            ("area".to_owned(), "b".to_owned()),
        ]);
        assert_eq!(fields.one("title"), "Bản tin");
        assert_eq!(fields.many("area"), ["a", "b"]);
        assert_eq!(fields.clone().with("area", "c").many("area"), ["c"]);
        assert_eq!(fields.nth("area", 1), "b");
    }
}
