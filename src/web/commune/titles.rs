//! Bulletins by their names, as an airing of a commune tells what it brings.

use std::collections::{BTreeMap, BTreeSet};

use crate::bulletin::Title;
use crate::id::BulletinId;
use crate::report::Line;
use crate::server::ServerError;
use crate::web::Site;

/// Characters of a title on a page that has many of them.
const CHARS: usize = 48;

/// A bulletin by its name; the whole of it stands on its own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: BulletinId,
    pub(super) short: String,
    pub(super) title: String,
}

/// What the bulletins of some airings are called.
pub(super) struct Titles(BTreeMap<BulletinId, Title>);

impl Titles {
    /// Those that these airings bring.
    pub(super) async fn read<'a>(
        site: &Site,
        lines: impl Iterator<Item = &'a Line>,
    ) -> Result<Self, ServerError> {
        let ids: BTreeSet<BulletinId> = lines.flat_map(|line| line.bulletins.clone()).collect();
        Ok(Self(site.station.store.bulletin_titles(&ids).await?))
    }

    /// The bulletins of some airings, each once, in the order in which they are heard.
    pub(super) fn of<'a>(&self, lines: impl IntoIterator<Item = &'a Line>) -> Vec<Named> {
        let mut named: Vec<Named> = Vec::new();
        for id in lines.into_iter().flat_map(|line| &line.bulletins) {
            if named.iter().any(|held| held.id == *id) {
                continue;
            }
            let title = self.0.get(id).map_or_else(|| id.to_string(), Title::to_string);
            named.push(Named { id: id.clone(), short: shortened(&title), title });
        }
        named
    }
}

/// A title cut between words.
fn shortened(title: &str) -> String {
    if title.chars().count() <= CHARS {
        return title.to_owned();
    }
    let cut: String = title.chars().take(CHARS).collect();
    let whole = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", whole.trim_end_matches([',', ':', ';', '–', '-', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_is_cut_between_words_and_a_short_one_is_whole() {
        assert_eq!(shortened("Lịch tiêm chủng"), "Lịch tiêm chủng");
        let long = "Thông báo về việc phòng, chống sạt lở đất và lũ quét trong mùa mưa";
        let cut = shortened(long);
        assert_eq!(cut, "Thông báo về việc phòng, chống sạt lở đất và lũ…");
        assert!(long.starts_with(cut.trim_end_matches('…')));
    }
}
