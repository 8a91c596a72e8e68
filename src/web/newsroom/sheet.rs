//! What a bulletin is, as a form: its fields read all at once, and filled in anew.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use crate::access::Action;
use crate::bulletin::lists::USUAL_TOPICS;
use crate::bulletin::{Bulletin, Class, Kind, Lists, SourceLevel, TOPICS_MAX};
use crate::id::{AreaId, BulletinId};
use crate::server::Validity;
use crate::time::{Timestamp, Zone};
use crate::web::guard::Visitor;
use crate::web::newsroom::fields::{Fields, Wrong};
use crate::web::newsroom::stock::Stock;
use crate::web::newsroom::words;

/// How a browser writes a local time.
const LOCAL: &str = "%Y-%m-%dT%H:%M";

/// Words with a name for people: what is chosen from.
pub(super) type Choices = Vec<(String, String)>;

/// What the fields of a bulletin are chosen from.
pub(super) struct Offered {
    pub(super) columns: Choices,
    pub(super) kinds: Choices,
    pub(super) classes: Choices,
    pub(super) sources: Choices,
    pub(super) areas: Choices,
    pub(super) topics: Vec<String>,
    pub(super) campaigns: Vec<String>,
}

impl Offered {
    pub(super) fn to(visitor: &Visitor, stock: &Stock, lists: &Lists) -> Self {
        let tongue = visitor.tongue;
        let named = |column: &crate::bulletin::Column| choice(column.as_str(), column.as_str());
        let topics = USUAL_TOPICS.iter().map(ToString::to_string);
        Self {
            columns: lists.all_columns().iter().map(named).collect(),
            kinds: Kind::ALL.map(|one| choice(one.word(), words::kind(one, tongue))).to_vec(),
            classes: Class::ALL.map(|one| choice(one.word(), words::class(one, tongue))).to_vec(),
            sources: SourceLevel::ALL
                .map(|one| choice(one.word(), words::source(one, tongue)))
                .to_vec(),
            areas: areas(stock, visitor),
            topics: topics.chain(lists.topics.iter().map(ToString::to_string)).collect(),
            campaigns: lists.campaigns.iter().map(ToString::to_string).collect(),
        }
    }

    /// The same with what a bulletin holds already, so that a form never loses it.
    pub(super) fn and(mut self, held: &Bulletin, stock: &Stock, visitor: &Visitor) -> Self {
        let add = |choices: &mut Choices, word: &str, name: &str| {
            if choices.iter().all(|(known, _)| known != word) {
                choices.push(choice(word, name));
            }
        };
        add(&mut self.columns, held.column.as_str(), held.column.as_str());
        let area = held.area.as_ref().map_or("", AreaId::as_str);
        add(&mut self.areas, area, &stock.area(held.area.as_ref(), visitor.tongue));
        for topic in held.topics.iter().map(ToString::to_string) {
            if !self.topics.contains(&topic) {
                self.topics.push(topic);
            }
        }
        let campaign = held.campaign.iter().map(ToString::to_string);
        let new: Vec<_> = campaign.filter(|one| !self.campaigns.contains(one)).collect();
        self.campaigns.extend(new);
        self
    }
}

fn choice(word: &str, name: &str) -> (String, String) {
    (word.to_owned(), name.to_owned())
}

/// Where the visitor may contribute; the whole station first.
fn areas(stock: &Stock, visitor: &Visitor) -> Choices {
    let mut areas = Vec::new();
    if stock.may(visitor, Action::Contribute, None) {
        areas.push(choice("", visitor.tongue.say("toàn đài", "whole station")));
    }
    let may = |area: &&crate::fleet::Area| {
        area.level != crate::fleet::Level::Village
            && stock.may(visitor, Action::Contribute, Some(&area.id))
    };
    let below = stock.world.tree.iter().filter(may);
    areas.extend(below.map(|area| choice(area.id.as_str(), &area.name)));
    areas
}

/// The bulletin of a form; from when and until when it holds is `valid`.
pub(super) fn bulletin(
    stock: &Stock,
    typed: &Fields,
    (id, valid): (Option<BulletinId>, Option<(Timestamp, Timestamp)>),
    wrong: &mut Wrong,
) -> Option<Bulletin> {
    let title = wrong.words(typed.one("title_vi"), ("Tên", "Title"));
    let title_en = wrong.optional(typed.one("title_en"), ("Tên tiếng Anh", "English title"));
    let issuing_body = wrong.words(typed.one("issuing_body"), ("Nơi ban hành", "Issuing body"));
    let number = ("Số văn bản", "Document number");
    let document_number = wrong.optional(typed.one("document_number"), number);
    let campaign = wrong.optional(typed.one("campaign"), ("Đợt tuyên truyền", "Campaign"));
    let column = typed.one("column").parse().ok();
    if column.is_none() {
        wrong.say("Hãy chọn chuyên mục.", "Choose a column.");
    }
    let topics = typed.all("topic").filter_map(|topic| topic.parse().ok());
    let topics: BTreeSet<_> = topics.collect();
    if topics.len() > TOPICS_MAX {
        wrong.say("Chọn nhiều nhất 8 lĩnh vực.", "Choose at most 8 fields of law.");
    }
    let area = match typed.one("area") {
        "" => None,
        text => {
            let area = text.parse().ok().filter(|area| stock.world.tree.get(area).is_some());
            if area.is_none() {
                wrong.say("Hãy chọn địa bàn trong danh sách.", "Choose an area of the list.");
            }
            area
        }
    };
    let (valid_from, valid_until) = valid?;
    Some(Bulletin {
        id: id?,
        title: title?,
        title_en,
        area,
        column: column?,
        kind: chosen(typed.one("kind"), Kind::ALL, Kind::word),
        class: chosen(typed.one("class"), Class::ALL, Class::word),
        source_level: chosen(typed.one("source_level"), SourceLevel::ALL, SourceLevel::word),
        issuing_body: issuing_body?,
        document_number,
        topics,
        campaign,
        valid_from,
        valid_until,
    })
}

/// What was chosen from a list that the page offered; its first where something else came.
fn chosen<T: Copy, const N: usize>(text: &str, all: [T; N], word: fn(T) -> &'static str) -> T {
    all.into_iter().find(|one| word(*one) == text).unwrap_or(all[0])
}

/// From when until when it holds: so many days from now, or between two local times.
pub(super) fn validity(
    typed: &Fields,
    zone: Zone,
    now: Timestamp,
    wrong: &mut Wrong,
) -> Option<(Timestamp, Timestamp)> {
    let local = |name: &str| {
        let read = NaiveDateTime::parse_from_str(typed.one(name), LOCAL);
        read.ok().and_then(|local| zone.instant(local))
    };
    let longest = std::time::Duration::from_hours(366 * 24);
    if !typed.one("valid_from").is_empty() || !typed.one("valid_until").is_empty() {
        let from = local("valid_from").unwrap_or(Timestamp::from_seconds(now.seconds()));
        return match local("valid_until") {
            Some(until) if until > from && until.since(from) <= longest => Some((from, until)),
            _ => {
                wrong.say(
                    "Hết hạn phải sau lúc bắt đầu, trong vòng 366 ngày; hãy chọn lại.",
                    "The end must come after the beginning, within 366 days; choose again.",
                );
                None
            }
        };
    }
    if let Ok(days @ 1..=366) = typed.one("valid_days").parse::<u32>() {
        return Some(Validity::Days(days).from(now));
    }
    wrong.say("Số ngày còn hạn phải từ 1 đến 366.", "It holds for 1 to 366 days.");
    None
}

/// What the form says of a bulletin that is there.
pub(super) fn fields(held: &Bulletin, zone: Zone) -> Fields {
    let local = |at| zone.local(at).format(LOCAL).to_string();
    let named = |word: Option<&dyn ToString>| word.map(ToString::to_string).unwrap_or_default();
    let mut fields = Fields::default()
        .with("title_vi", held.title.as_str())
        .with("title_en", named(held.title_en.as_ref().map(|word| word as _)))
        .with("column", held.column.as_str())
        .with("issuing_body", held.issuing_body.as_str())
        .with("kind", held.kind.word())
        .with("class", held.class.word())
        .with("source_level", held.source_level.word())
        .with("area", held.area.as_ref().map_or("", AreaId::as_str))
        .with("document_number", named(held.document_number.as_ref().map(|word| word as _)))
        .with("campaign", named(held.campaign.as_ref().map(|word| word as _)))
        .with("valid_from", local(held.valid_from))
        .with("valid_until", local(held.valid_until));
    for topic in &held.topics {
        fields = fields.and("topic", topic.as_ref());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::tongue::Tongue;

    fn held(pairs: &[(&str, &str)]) -> Result<(Timestamp, Timestamp), Vec<String>> {
        let fields = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let mut wrong = Wrong::new(Tongue::En);
        let now = Timestamp::from_seconds(1_795_000_000);
        let held = validity(&Fields::new(fields), Zone::default(), now, &mut wrong);
        held.ok_or(wrong.said)
    }

    #[test]
    fn a_bulletin_holds_for_days_or_between_two_times() {
        let (from, until) = held(&[("valid_days", "2")]).unwrap();
        assert_eq!(until.since(from).as_secs(), 2 * 86_400);
        let (from, until) =
            held(&[("valid_from", "2026-11-22T05:30"), ("valid_until", "2026-11-23T05:30")])
                .unwrap();
        assert_eq!(until.since(from).as_secs(), 86_400);
        for wrong in [
            vec![("valid_days", "0")],
            vec![("valid_days", "367")],
            vec![("valid_from", "2026-11-22T05:30")],
            vec![("valid_from", "2026-11-22T05:30"), ("valid_until", "2026-11-22T05:00")],
        ] {
            assert_eq!(held(&wrong).unwrap_err().len(), 1, "{wrong:?}");
        }
    }
}
