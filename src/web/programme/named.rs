//! Bulletins as people name them in a form: by title, with or without marks, or by id.

use crate::bulletin::Bulletin;
use crate::id::BulletinId;
use crate::lang::fold;
use crate::web::programme::fields::{Fields, Wrong};
use crate::web::programme::form::Choice;
use crate::web::programme::words;
use crate::web::tongue::Tongue;

/// Bulletins that are named where a text means several; of more, none is shown.
const MEANT_MAX: usize = 6;

/// The fields in which a bulletin is named.
const FIELDS: [&str; 2] = ["bulletin", "identification"];

/// The bulletins, the newest first, each as it is named in a field, with its class.
pub(super) fn bulletin_choices(bulletins: &[Bulletin], tongue: Tongue) -> Vec<Choice> {
    let mut all: Vec<&Bulletin> = bulletins.iter().collect();
    all.sort_by_key(|held| std::cmp::Reverse(held.valid_from));
    let choice = |held: &Bulletin| Choice {
        id: name(held, bulletins),
        name: held.title.to_string(),
        note: words::class(held.class, tongue).to_owned(),
    };
    all.into_iter().map(choice).collect()
}

/// What stands in a field for a bulletin: its title, or its id where another has that title too.
fn name(bulletin: &Bulletin, bulletins: &[Bulletin]) -> String {
    let title = fold::line(bulletin.title.as_str());
    let alike = bulletins.iter().filter(|held| fold::line(held.title.as_str()) == title);
    if alike.count() == 1 { bulletin.title.to_string() } else { bulletin.id.to_string() }
}

/// The fields with bulletins by name where they stand there by id.
pub(super) fn shown(mut fields: Fields, bulletins: &[Bulletin]) -> Fields {
    for (_, value) in fields.0.iter_mut().filter(|(field, _)| FIELDS.contains(&field.as_str())) {
        *value = by_name(value, bulletins);
    }
    fields
}

/// A text that is the id of a bulletin as its name; any other as it is.
pub(super) fn by_name(text: &str, bulletins: &[Bulletin]) -> String {
    let held = bulletins.iter().find(|held| held.id.as_str() == text.trim());
    held.map_or_else(|| text.to_owned(), |held| name(held, bulletins))
}

/// The bulletin that is meant: the one of that id, of that title, or the only one in whose title all
/// these words stand.
pub(super) fn meant(text: &str, bulletins: &[Bulletin]) -> Result<BulletinId, Wrong> {
    if let Some(held) = bulletins.iter().find(|held| held.id.as_str() == text) {
        return Ok(held.id.clone());
    }
    let (line, looked) = (fold::line(text), fold::words(text));
    let titled = |held: &&Bulletin| fold::line(held.title.as_str()) == line;
    let has = |held: &&Bulletin| {
        let title = fold::words(held.title.as_str());
        !looked.is_empty() && looked.iter().all(|word| title.contains(word))
    };
    let mut found: Vec<&Bulletin> = bulletins.iter().filter(titled).collect();
    if found.is_empty() {
        found = bulletins.iter().filter(has).collect();
    }
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(Wrong::new(
            format!("Không có bản tin `{text}`; hãy chọn trong danh sách gợi ý."),
            format!("There is no bulletin `{text}`; choose one of those that are offered."),
        )),
        more => {
            let names = more.iter().take(MEANT_MAX).map(|held| name(held, bulletins));
            let names = names.collect::<Vec<_>>().join("; ");
            Err(Wrong::new(
                format!("Có nhiều bản tin ứng với `{text}`; hãy ghi rõ một bản: {names}."),
                format!("More than one bulletin fits `{text}`; write which: {names}."),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulletin::{Class, SourceLevel};
    use crate::server::tests as stand;

    fn bulletins() -> Vec<Bulletin> {
        let titled = |(id, title): (&str, &str)| Bulletin {
            title: title.parse().unwrap(),
            ..stand::bulletin(id, Class::Normal, SourceLevel::Province, crate::clock::utc_now())
        };
        let all = [
            ("tiem", "Lịch tiêm chủng tháng 12"),
            ("tiem-2", "Lịch tiêm chủng tháng 12"),
            ("lu", "Phòng chống lũ quét"),
            ("lu-ong", "Phòng chống lũ ống"),
        ];
        all.map(titled).to_vec()
    }

    fn found(text: &str) -> Result<String, String> {
        meant(text, &bulletins()).map(|id| id.to_string()).map_err(|wrong| wrong.vi)
    }

    #[test]
    fn a_bulletin_is_named_by_title_without_marks_by_some_of_its_words_or_by_id() {
        for text in ["Phòng chống lũ quét", "phong chong lu quet", "lu quet", "lu"] {
            assert_eq!(found(text).as_deref(), Ok("lu"), "{text}");
        }
        assert_eq!(found("tiem-2").as_deref(), Ok("tiem-2"));
    }

    #[test]
    fn where_several_or_none_are_meant_that_is_told_with_what_to_write() {
        let several = found("phòng chống").unwrap_err();
        assert!(several.ends_with("Phòng chống lũ quét; Phòng chống lũ ống."), "{several}");
        let alike = found("Lịch tiêm chủng tháng 12").unwrap_err();
        assert!(alike.ends_with("một bản: tiem; tiem-2."), "{alike}");
        for nothing in ["hạn hán", "…"] {
            assert!(found(nothing).unwrap_err().contains("Không có bản tin"), "{nothing}");
        }
    }

    #[test]
    fn a_field_shows_the_title_unless_two_bulletins_have_it() {
        let ids = ["lu", "tiem", "gone"].map(|id| ("bulletin".to_owned(), id.to_owned()));
        let fields = shown(Fields(ids.to_vec()), &bulletins());
        assert_eq!(fields.many("bulletin"), ["Phòng chống lũ quét", "tiem", "gone"]);
    }
}
