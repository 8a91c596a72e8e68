//! The same figures by time, by place, by what was said.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::Datelike as _;

use super::bits::Bits;
use super::{Figures, Group, Tally};
use crate::bulletin::Class;
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;
use crate::time::LocalDate;

/// What figures are asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The local date.
    Day,
    /// The week of ISO 8601.
    Week,
    /// The month.
    Month,
    /// The area, with everything below it.
    Area,
    /// The programme.
    Programme,
    /// The bulletin.
    Bulletin,
    /// The column.
    Column,
    /// The field of law; a bulletin of two counts in both.
    Topic,
    /// The campaign.
    Campaign,
    /// The language that was played.
    Language,
    /// The class.
    Class,
    /// The controller.
    Controller,
}

/// Text that names nothing that figures are asked by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing to sum by; choose one of {known}", known = Dimension::words())]
pub struct NotADimension(String);

impl Dimension {
    /// All of them with their words.
    pub const ALL: [(&'static str, Self); 12] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("area", Self::Area),
        ("programme", Self::Programme),
        ("bulletin", Self::Bulletin),
        ("column", Self::Column),
        ("topic", Self::Topic),
        ("campaign", Self::Campaign),
        ("language", Self::Language),
        ("class", Self::Class),
        ("controller", Self::Controller),
    ];

    fn words() -> String {
        Self::ALL.map(|(word, _)| word).join(", ")
    }

    /// What is summed, for people, in Vietnamese.
    pub fn vi(self) -> &'static str {
        match self {
            Self::Day => "ngày",
            Self::Week => "tuần",
            Self::Month => "tháng",
            Self::Area => "địa bàn",
            Self::Programme => "chương trình",
            Self::Bulletin => "bản tin",
            Self::Column => "chuyên mục",
            Self::Topic => "lĩnh vực pháp luật",
            Self::Campaign => "đợt tuyên truyền",
            Self::Language => "ngôn ngữ",
            Self::Class => "loại bản tin",
            Self::Controller => "bộ thu",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, one)| one == self).map_or("", |(word, _)| word);
        f.pad(word)
    }
}

impl FromStr for Dimension {
    type Err = NotADimension;

    fn from_str(text: &str) -> Result<Self, NotADimension> {
        let found = Self::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, one)| *one).ok_or_else(|| NotADimension(text.chars().take(40).collect()))
    }
}

/// Groups being summed: by key, with the name for people and where it was heard.
type Sums = BTreeMap<String, (String, Tally, Bits)>;

impl Figures {
    /// The groups of one dimension that had anything planned, in order of their keys.
    pub fn by(&self, dimension: Dimension) -> Vec<Group> {
        match dimension {
            Dimension::Day => self.by_time(|date| date.to_string()),
            Dimension::Week => self.by_time(|date| {
                let week = date.naive().iso_week();
                format!("{}-W{:02}", week.year(), week.week())
            }),
            Dimension::Month => self.by_time(|date| date.to_string()[..7].to_owned()),
            Dimension::Area => self.by_area(),
            Dimension::Controller => self.by_controller(),
            Dimension::Programme => self.by_programme(),
            Dimension::Bulletin => self.by_version(|figures, bulletin, _| {
                vec![(bulletin.to_string(), figures.title(bulletin))]
            }),
            Dimension::Column => self.by_version(|figures, bulletin, _| {
                let column = figures.column(bulletin);
                vec![(column.clone(), column)]
            }),
            Dimension::Topic => self.by_version(|figures, bulletin, _| {
                let topics = figures.bulletins.get(bulletin).map(|b| &b.topics);
                let topics = topics.into_iter().flatten();
                topics.map(|topic| (topic.to_string(), topic.to_string())).collect()
            }),
            Dimension::Campaign => self.by_version(|figures, bulletin, _| {
                let campaign = figures.bulletins.get(bulletin).and_then(|b| b.campaign.as_ref());
                campaign.map(|c| (c.to_string(), c.to_string())).into_iter().collect()
            }),
            Dimension::Language => self.by_version(|_, _, language| {
                vec![(language.to_string(), language.name_vi().to_owned())]
            }),
            Dimension::Class => self.by_version(|figures, bulletin, _| {
                let class = figures.bulletins.get(bulletin).map(|b| b.class);
                class.map(|c| (c.word().to_owned(), class_vi(c).to_owned())).into_iter().collect()
            }),
        }
    }

    fn title(&self, bulletin: &BulletinId) -> String {
        let known = self.bulletins.get(bulletin);
        known.map_or_else(|| bulletin.to_string(), |b| b.title.as_str().to_owned())
    }

    fn by_time(&self, label: impl Fn(LocalDate) -> String) -> Vec<Group> {
        let mut sums: BTreeMap<String, Tally> = BTreeMap::new();
        for (n, tally) in (0..).zip(&self.days) {
            *sums.entry(label(self.first.plus_days(n))).or_default() += *tally;
        }
        let group = |(key, tally): (String, Tally)| {
            let name = key.clone();
            (tally.planned > 0).then_some(Group { key, name, tally, villages: None })
        };
        sums.into_iter().filter_map(group).collect()
    }

    fn by_area(&self) -> Vec<Group> {
        let mut sums = Sums::new();
        for place in &self.places {
            let Some(n) = place.village else { continue };
            let village: &AreaId = &self.villages.things[n as usize];
            for area in self.tree.upward(village) {
                // Below one another in the order of the tree.
                let path: Vec<String> =
                    self.tree.chain(&area.id).iter().map(ToString::to_string).collect();
                let one = sums.entry(path.join("/"));
                let one =
                    one.or_insert_with(|| (area.name.clone(), Tally::default(), Bits::default()));
                one.1 += place.tally;
                if place.tally.played > 0 {
                    one.2.set(n);
                }
            }
        }
        groups(sums)
    }

    fn by_controller(&self) -> Vec<Group> {
        let mut sums = Sums::new();
        for (id, place) in self.controllers.iter().zip(&self.places) {
            let village = place.village.map(|n| &self.villages.things[n as usize]);
            let area = village.and_then(|village| self.tree.get(village));
            let name = area.map_or_else(|| id.to_string(), |area| format!("{id} · {}", area.name));
            let mut reached = Bits::default();
            if let (Some(n), true) = (place.village, place.tally.played > 0) {
                reached.set(n);
            }
            sums.insert(id.to_string(), (name, place.tally, reached));
        }
        groups(sums)
    }

    fn by_programme(&self) -> Vec<Group> {
        let one = |(id, (tally, reached)): (&crate::id::ProgrammeId, &(Tally, Bits))| {
            (id.to_string(), (id.to_string(), *tally, reached.clone()))
        };
        groups(self.programmes.iter().zip(&self.programme_tallies).map(one).collect())
    }

    fn by_version(
        &self,
        names: impl Fn(&Self, &BulletinId, &LangTag) -> Vec<(String, String)>,
    ) -> Vec<Group> {
        let mut sums = Sums::new();
        for ((bulletin, language), spread) in self.versions.iter().zip(&self.spreads) {
            for (key, name) in names(self, bulletin, language) {
                let one = sums.entry(key);
                let one = one.or_insert_with(|| (name, Tally::default(), Bits::default()));
                one.1 += spread.total();
                one.2.join(&spread.reached);
            }
        }
        groups(sums)
    }
}

fn groups(sums: Sums) -> Vec<Group> {
    let group = |(key, (name, tally, reached)): (String, (String, Tally, Bits))| {
        let villages = Some(reached.count());
        (tally.planned > 0).then_some(Group { key, name, tally, villages })
    };
    sums.into_iter().filter_map(group).collect()
}

fn class_vi(class: Class) -> &'static str {
    match class {
        Class::Normal => "thông thường",
        Class::Priority => "ưu tiên",
        Class::Emergency => "khẩn cấp",
    }
}
