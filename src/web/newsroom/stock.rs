//! Every bulletin with its versions, read once for all who look.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::Action;
use crate::bulletin::Bulletin;
use crate::bulletin::version::Version;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, PersonId};
use crate::lang::{LangTag, Names};
use crate::schedule::coverage::Listeners;
use crate::schedule::{Airable, World};
use crate::server::{Aim, ServerError};
use crate::store::{AnnouncementRow, Withdrawal};
use crate::web::Site;
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// A bulletin with what there is of it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) bulletin: Bulletin,
    pub(super) versions: Vec<Version>,
    pub(super) airable: Airable,
    /// Of an announcement of a commune, which is in one language on purpose: where and when.
    announcement: Option<AnnouncementRow>,
}

impl Item {
    /// Whether it is an announcement.
    pub(super) fn is_announced(&self) -> bool {
        self.announcement.is_some()
    }

    /// That it is an announcement which was taken back before it was approved.
    pub(super) fn taken_back(&self) -> Option<&Withdrawal> {
        self.announcement.as_ref()?.withdrawn.as_ref()
    }

    /// The mark of its version in a language, for a form.
    pub(super) fn mark(&self, language: &LangTag) -> Digest {
        Aim::mark(&self.bulletin, self.version(language), self.announcement.as_ref())
    }

    /// Whether the text of this language is handed in rather than translated: Vietnamese, and what
    /// somebody handed in before.
    pub(super) fn is_original(&self, language: &LangTag) -> bool {
        let held = self.version(language).map(Version::text);
        let handed_in = held.is_some_and(|t| t.contributor.is_some() && t.translator.is_none());
        handed_in || language.as_str() == "vi"
    }

    /// The version in a language.
    pub(super) fn version(&self, language: &LangTag) -> Option<&Version> {
        self.versions.iter().find(|version| version.text().language == *language)
    }
}

/// What the newsroom has, as of one revision of the store.
#[derive(Debug)]
pub(super) struct Stock {
    revision: i64,
    pub(super) items: BTreeMap<BulletinId, Item>,
    pub(super) world: World,
    pub(super) listeners: Listeners,
    /// The languages that villages ask for, Vietnamese first.
    pub(super) languages: Vec<LangTag>,
    pub(super) names: Names,
    people: BTreeMap<PersonId, String>,
}

/// The newest stock.
#[derive(Debug, Default)]
pub(in crate::web) struct Counted(tokio::sync::Mutex<Option<Arc<Stock>>>);

/// What the newsroom has now.
pub(super) async fn stock(site: &Site) -> Result<Arc<Stock>, ServerError> {
    let mut held = site.counted.0.lock().await;
    let revision = site.station.store.revision().await?;
    if let Some(stock) = held.as_ref().filter(|stock| stock.revision == revision) {
        return Ok(Arc::clone(stock));
    }
    let stock = Arc::new(Stock::count(site, revision).await?);
    *held = Some(Arc::clone(&stock));
    Ok(stock)
}

impl Stock {
    async fn count(site: &Site, revision: i64) -> Result<Self, ServerError> {
        let held = site.station.holdings().await?;
        let announcements = site.station.store.announcements().await?;
        let mut announced: BTreeMap<BulletinId, AnnouncementRow> =
            announcements.into_iter().map(|row| (row.bulletin.clone(), row)).collect();
        let mut versions: BTreeMap<BulletinId, Vec<Version>> = BTreeMap::new();
        for version in held.versions {
            versions.entry(version.text().bulletin.clone()).or_default().push(version);
        }
        let items = held.bulletins.into_iter().zip(held.world.content.clone());
        let items = items.map(|(bulletin, airable)| {
            let versions = versions.remove(&bulletin.id).unwrap_or_default();
            let announcement = announced.remove(&bulletin.id);
            (bulletin.id.clone(), Item { bulletin, versions, airable, announcement })
        });
        let listeners = Listeners::of(&held.world.tree);
        let people = site.station.store.people().await?;
        Ok(Self {
            revision,
            items: items.collect(),
            languages: languages(&listeners),
            listeners,
            world: held.world,
            names: site.station.schedule().await?.lists.languages,
            people: people.into_iter().map(|person| (person.id, person.name)).collect(),
        })
    }

    /// The bulletin of that name.
    pub(super) fn item(&self, id: &BulletinId) -> Result<&Item, ServerError> {
        self.items.get(id).ok_or_else(|| ServerError::NoBulletin(id.clone()))
    }

    /// What people call somebody.
    pub(super) fn person<'s>(&'s self, id: &'s PersonId) -> &'s str {
        self.people.get(id).map_or(id.as_str(), String::as_str)
    }

    /// What people call a language.
    pub(super) fn language<'s>(&'s self, tag: &'s LangTag, tongue: Tongue) -> &'s str {
        tongue.say(self.names.vi(tag), self.names.en(tag))
    }

    /// What people call the area of a bulletin.
    pub(super) fn area(&self, area: Option<&AreaId>, tongue: Tongue) -> String {
        let Some(id) = area else { return tongue.say("toàn đài", "whole station").to_owned() };
        let held = self.world.tree.get(id);
        held.map_or_else(|| id.to_string(), |area| area.name.clone())
    }

    /// Whether the visitor may do this to what belongs to `area`, or to the whole station.
    pub(super) fn may(&self, visitor: &Visitor, action: Action, area: Option<&AreaId>) -> bool {
        let chain = area.map_or_else(Vec::new, |area| self.world.tree.chain(area));
        let Some(who) = &visitor.signed_in else { return false };
        who.duties.allow(who.person.id.as_str(), action, &chain).is_ok()
    }
}

/// What villages ask for, Vietnamese first: every bulletin begins in it.
fn languages(listeners: &Listeners) -> Vec<LangTag> {
    let mut languages = vec![vietnamese()];
    let asked = listeners.languages();
    languages.extend(asked.into_iter().filter(|tag| tag.as_str() != "vi"));
    languages
}

/// The language that every version is compared with.
pub(super) fn vietnamese() -> LangTag {
    "vi".parse().expect("Vietnamese is a language")
}
