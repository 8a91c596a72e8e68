//! The lists of a station: languages, columns, legal topics, campaigns. **Each is data.**
//!
//! The usual ones are there from the beginning; a station adds its own in its files, with
//! `[[language]]`, `[[column]]`, `[[topic]]` and `[[campaign]]`, and no release is needed.

use std::collections::BTreeSet;

use super::{Campaign, Column, Topic};
use crate::lang::Names;

/// Fields of law that stations usually speak of.
pub const USUAL_TOPICS: [&str; 14] = [
    "An toàn giao thông",
    "Bảo hiểm xã hội, bảo hiểm y tế",
    "Bảo vệ môi trường",
    "Bảo vệ và phát triển rừng",
    "Bầu cử",
    "Bình đẳng giới",
    "Căn cước và cư trú",
    "Dân tộc, tín ngưỡng và tôn giáo",
    "Đất đai",
    "Hôn nhân và gia đình",
    "Phòng, chống ma tuý",
    "Phòng, chống mua bán người",
    "Phòng, chống thiên tai",
    "Trẻ em và giáo dục",
];

/// What a station added to the usual languages, columns, topics and campaigns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// The names of languages.
    pub languages: Names,
    /// Columns of its own.
    pub columns: BTreeSet<Column>,
    /// Topics of its own.
    pub topics: BTreeSet<Topic>,
    /// Its campaigns; none is usual.
    pub campaigns: BTreeSet<Campaign>,
}

impl Lists {
    /// Whether bulletins may stand in this column.
    pub fn has_column(&self, column: &Column) -> bool {
        self.columns.contains(column) || Column::usual().any(|usual| usual == *column)
    }

    /// Whether bulletins may carry this topic.
    pub fn has_topic(&self, topic: &Topic) -> bool {
        self.topics.contains(topic) || USUAL_TOPICS.contains(&topic.as_str())
    }

    /// Whether bulletins may belong to this campaign.
    pub fn has_campaign(&self, campaign: &Campaign) -> bool {
        self.campaigns.contains(campaign)
    }

    /// Every column, the usual ones first.
    pub fn all_columns(&self) -> BTreeSet<Column> {
        Column::usual().chain(self.columns.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_station_adds_counts_like_the_usual() {
        let mut lists = Lists::default();
        let (column, topic): (Column, Topic) =
            ("Chợ phiên".parse().unwrap(), "Thuế".parse().unwrap());
        let campaign: Campaign = "Tháng an toàn giao thông 2026".parse().unwrap();
        assert!(
            !lists.has_column(&column)
                && !lists.has_topic(&topic)
                && !lists.has_campaign(&campaign)
        );
        lists.columns.insert(column.clone());
        lists.topics.insert(topic.clone());
        lists.campaigns.insert(campaign.clone());
        assert!(
            lists.has_column(&column) && lists.has_topic(&topic) && lists.has_campaign(&campaign)
        );
        assert!(lists.all_columns().contains(&"Hỏi đáp pháp luật".parse().unwrap()));
    }

    #[test]
    fn the_usual_topics_are_topics() {
        for usual in USUAL_TOPICS {
            assert_eq!(usual.parse::<Topic>().unwrap().as_str(), usual);
        }
    }
}
