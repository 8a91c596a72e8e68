//! Entries of the log in sentences, with what people call the things that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::Duties;
use crate::audit::Entry;
use crate::audit::telling::{self, Names, Noun, Told};
use crate::id::{AreaId, BulletinId, ControllerId};
use crate::time::Zone;
use crate::web::Site;
use crate::web::commune::Town;
use crate::web::duty;
use crate::web::fault::Fault;
use crate::web::inspector::place;
use crate::web::inspector::scope::Scope;
use crate::web::tongue::Tongue;

/// What people call the things that some entries name.
pub(super) struct Called {
    pub(super) zone: Zone,
    town: Arc<Town>,
    people: BTreeMap<String, String>,
    titles: BTreeMap<String, String>,
}

impl Called {
    pub(super) async fn of(
        site: &Site,
        scope: &Scope,
        entries: impl Iterator<Item = &Entry> + Send,
    ) -> Result<Self, Fault> {
        let ids: BTreeSet<BulletinId> = entries.filter_map(bulletin).collect();
        let titles = site.station.store.bulletin_titles(&ids).await?;
        let people = site.station.store.people().await?;
        Ok(Self {
            zone: site.station.config.zone,
            town: Arc::clone(&scope.town),
            people: people.into_iter().map(|one| (one.id.to_string(), one.name)).collect(),
            titles: titles.into_iter().map(|(id, one)| (id.to_string(), one.to_string())).collect(),
        })
    }

    /// The sentence of an entry; of a kind that a later release wrote, nothing.
    pub(super) fn told(&self, entry: &Entry, tongue: Tongue) -> String {
        let who = entry.who().map(ToString::to_string).unwrap_or_default();
        let body = entry.body().get();
        let told = telling::sentence(entry.kind().as_str(), &who, body, self, self.zone);
        told.map(|told| tongue.say(&told.vi, &told.en).to_owned()).unwrap_or_default()
    }

    fn duties(&self, words: &str) -> Option<Told> {
        let duties: Duties = words.parse().ok()?;
        let all = |tongue: Tongue| {
            let each = duties.iter().map(|(one, area)| {
                let place = area.map(|area| format!(" ({})", place::name(&self.town, area)));
                format!("{}{}", duty::name(one, tongue), place.unwrap_or_default())
            });
            each.collect::<Vec<_>>().join(", ")
        };
        Some(Told { vi: all(Tongue::Vi), en: all(Tongue::En) })
    }
}

fn bulletin(entry: &Entry) -> Option<BulletinId> {
    let body: serde_json::Value = serde_json::from_str(entry.body().get()).ok()?;
    body["bulletin"].as_str()?.parse().ok()
}

impl Names for Called {
    fn of(&self, noun: Noun, id: &str) -> Option<Told> {
        match noun {
            Noun::Person => self.people.get(id).map(|name| Told::same(format!("{name} ({id})"))),
            Noun::Bulletin => self.titles.get(id).map(|title| Told::same(format!("“{title}”"))),
            Noun::Controller => {
                let held: ControllerId = id.parse().ok()?;
                let place = self.town.place(&held);
                (place != id).then(|| Told::same(format!("{id} ({place})")))
            }
            Noun::Area => {
                let area: AreaId = id.parse().ok()?;
                self.town.schedule.tree.get(&area)?;
                Some(Told::same(place::name(&self.town, &area)))
            }
            Noun::Programme => Some(Told::same(self.town.title(&id.parse().ok()?))),
            Noun::Duties => self.duties(id),
            Noun::Language => {
                let (tag, names) = (id.parse().ok()?, &self.town.schedule.lists.languages);
                Some(Told { vi: names.vi(&tag).to_owned(), en: names.en(&tag).to_owned() })
            }
            Noun::Moment | Noun::Word => None,
        }
    }
}
