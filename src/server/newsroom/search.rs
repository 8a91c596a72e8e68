//! Bulletins found by words typed without marks.

use serde::Serialize;

use crate::bulletin::Bulletin;
use crate::bulletin::search::Query;
use crate::bulletin::version::Version;
use crate::lang::LangTag;
use crate::server::ServerError;
use crate::server::station::Station;

/// Bulletins that are weighed at most; of more, a further word tells them apart.
const WEIGHED_MAX: usize = 500;

/// One bulletin that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// How well it fits.
    pub score: u32,
    /// The bulletin.
    pub bulletin: Bulletin,
    /// Its languages with the state of each version.
    pub versions: Vec<(LangTag, &'static str)>,
}

/// What was found, best first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The bulletins.
    pub hits: Vec<Hit>,
    /// How many more have all the words and were not weighed.
    pub more: usize,
}

impl Station {
    /// The bulletins in which every word of `query` stands.
    pub async fn search(&self, query: &Query) -> Result<Found, ServerError> {
        let mut words = query.words().iter();
        let first = words.next().expect("a query has a word");
        let mut ids = self.store.bulletins_with(first).await?;
        for word in words {
            let with = self.store.bulletins_with(word).await?;
            ids.retain(|id| with.contains(id));
        }
        let more = ids.len().saturating_sub(WEIGHED_MAX);
        let mut hits = Vec::new();
        for id in ids.into_iter().take(WEIGHED_MAX) {
            let bulletin = self.bulletin(&id).await?;
            let versions = self.store.versions_of(&id).await?;
            let texts = versions.iter().map(Version::text);
            // The index and the documents are written together; a miss is a change in between.
            let Some(score) = query.score(&bulletin, texts) else { continue };
            let state = |v: &Version| (v.text().language.clone(), v.state());
            let versions = versions.iter().map(state).collect();
            hits.push(Hit { score, bulletin, versions });
        }
        hits.sort_by(|a, b| {
            let rank = |hit: &Hit| (hit.score, hit.bulletin.valid_until);
            rank(b).cmp(&rank(a)).then_with(|| a.bulletin.id.cmp(&b.bulletin.id))
        });
        Ok(Found { hits, more })
    }
}
