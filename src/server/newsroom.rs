//! From a text or a recording that was handed in to a version that may be heard.
//!
//! **Importing the same file twice changes nothing; a changed file is a new recording, and its
//! version begins again as a draft.** An approval is a signature: the approver's own key signs the
//! recording's descriptor, and nothing else lets it sound. Every step asks [`crate::access`]
//! first, for the area that the bulletin belongs to, and is a fact with its person and time in the
//! transaction that makes it.

mod aim;
mod amending;
mod announcing;
mod export;
mod file;
mod holdings;
mod life;
mod progress;
mod questions;
mod reach;
mod search;
pub(in crate::server) mod sound;
mod taking_back;

use std::path::Path;

pub use aim::Aim;
pub use announcing::NewAnnouncement;
pub use file::{BulletinFile, SpokenEntry, Validity, VersionEntry};
pub use holdings::Holdings;
pub use life::{Contribution, NewSound};
pub use progress::Progress;
pub use questions::NewQuestion;
pub use reach::{Reach, Unreached};
pub use search::{Found, Hit};
pub use sound::{Ingested, Judged, Shapes, Sound, Told};

use crate::access::Action;
use crate::bulletin::version::{Content, Draft, Recording, Spoken, Text, TextDraft, Version};
use crate::bulletin::{Bulletin, TOPICS_MAX};
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, PersonId};
use crate::lang::LangTag;
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::Fact;

/// What an import did with one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// The same text and recording were there.
    Unchanged,
    /// A new or changed text waits for its recording now.
    Written,
    /// A new or changed recording is a draft now.
    Drafted,
}

impl Station {
    /// Takes in one bulletin of a file: new or changed, or as it was.
    pub async fn import_bulletin(
        &self,
        entry: &BulletinFile,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let held = self.store.bulletin(&entry.bulletin.id).await?;
        // Validity in days counts from the first import; a second one does not extend it.
        let bulletin = match (&held, entry.validity) {
            (Some(held), Validity::Days(_)) => Bulletin {
                valid_from: held.valid_from,
                valid_until: held.valid_until,
                ..entry.bulletin.clone()
            },
            _ => entry.bulletin_from(utc_now()),
        };
        if held.as_ref() == Some(&bulletin) {
            return Ok(());
        }
        if let Some(held) = held {
            return self.become_bulletin(held, &bulletin, by).await;
        }
        self.allow(by, Action::Contribute, bulletin.area.as_ref()).await?;
        let mut tx = self.store.begin().await?;
        tx.put_bulletin(&bulletin).await?;
        tx.tell(&bulletin_fact(&bulletin, by)).await?;
        Ok(tx.commit().await?)
    }

    /// Takes in one version, with its recording where it has one.
    pub async fn import_version(
        &self,
        bulletin: &Bulletin,
        entry: &VersionEntry,
        folder: &Path,
        by: &PersonId,
        sound: &Sound,
    ) -> Result<(Imported, Option<Ingested>), ServerError> {
        let action = if entry.spoken.is_some() { Action::Record } else { Action::Contribute };
        self.allow(by, action, bulletin.area.as_ref()).await?;
        let held = self.held(&bulletin.id, &entry.language).await?;
        let text = Text {
            bulletin: bulletin.id.clone(),
            language: entry.language.clone(),
            variety: entry.variety.clone(),
            script: entry.script.clone(),
            contributor: entry.contributor.clone(),
            translator: entry.translator.clone(),
        };
        let Some(spoken) = &entry.spoken else {
            return Ok((self.import_text(held, text, by).await?, None));
        };
        let title = bulletin.title.as_str();
        let mut ingested =
            sound.ingest(self, title, &entry.language, &folder.join(&spoken.file)).await?;
        ingested.asset =
            self.own_asset(ingested.asset, (&bulletin.id, title), &entry.language).await?;
        let before = held.as_ref().and_then(|held| held.spoken()).map(|s| s.announcer.clone());
        let named = spoken.announcer.clone();
        let content = |announcer: PersonId| Content {
            text: text.clone(),
            spoken: Spoken {
                announcer,
                voice: spoken.voice,
                recording: Recording {
                    asset: ingested.asset,
                    length_ms: ingested.length_ms,
                    source: ingested.source,
                },
            },
        };
        let same = content(named.clone().or(before).unwrap_or_else(|| by.clone()));
        if held.as_ref().and_then(Version::content) == Some(&same) {
            return Ok((Imported::Unchanged, Some(ingested)));
        }
        let Content { text, spoken } = content(named.unwrap_or_else(|| by.clone()));
        let returns = held.as_ref().map(|held| held.returns().clone()).unwrap_or_default();
        let draft: Draft = TextDraft::instead(text, returns).record(spoken);
        self.keep(held.as_ref(), Version::Draft(draft), "version.drafted", by).await?;
        Ok((Imported::Drafted, Some(ingested)))
    }

    /// A text alone never takes the place of a recording: that is a step of its own.
    async fn import_text(
        &self,
        held: Option<Version>,
        text: Text,
        by: &PersonId,
    ) -> Result<Imported, ServerError> {
        if let Some(held) = &held
            && (*held.text() == text || held.spoken().is_some())
        {
            return Ok(Imported::Unchanged);
        }
        let returns = held.as_ref().map(|held| held.returns().clone()).unwrap_or_default();
        let written = Version::Text(TextDraft::instead(text, returns));
        self.keep(held.as_ref(), written, "version.contributed", by).await?;
        Ok(Imported::Written)
    }

    /// Puts `version` in the place of `before`, with its fact.
    async fn keep(
        &self,
        before: Option<&Version>,
        version: Version,
        kind: &'static str,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let mut tx = self.store.begin().await?;
        if !tx.put_version(before, &version).await? {
            return Err(changed_meanwhile(&version));
        }
        tx.tell(&step_fact(&version, kind, by)).await?;
        Ok(tx.commit().await?)
    }

    /// The version of a bulletin in one language, where there is one.
    async fn held(
        &self,
        bulletin: &BulletinId,
        language: &LangTag,
    ) -> Result<Option<Version>, ServerError> {
        let versions = self.store.versions_of(bulletin).await?;
        Ok(versions.into_iter().find(|version| version.text().language == *language))
    }

    /// The version of a bulletin in one language.
    pub async fn version(
        &self,
        bulletin: &BulletinId,
        language: &LangTag,
    ) -> Result<Version, ServerError> {
        let found = self.held(bulletin, language).await?;
        found.ok_or_else(|| ServerError::NoVersion {
            bulletin: bulletin.clone(),
            language: language.clone(),
        })
    }

    /// Refuses what is on no list of the station; all of it at once.
    pub async fn check_lists(&self, bulletin: &Bulletin) -> Result<(), ServerError> {
        let schedule = self.schedule().await?;
        let lists = &schedule.lists;
        let mut wrong = Vec::new();
        if bulletin.topics.len() > TOPICS_MAX {
            wrong.push(format!("more than {TOPICS_MAX} topics; leave some out"));
        }
        if !lists.has_column(&bulletin.column) {
            let column = &bulletin.column;
            wrong.push(format!("`{column}` is no column here; mend it, or add [[column]]"));
        }
        for topic in bulletin.topics.iter().filter(|topic| !lists.has_topic(topic)) {
            wrong.push(format!("`{topic}` is no topic here; mend it, or add [[topic]]"));
        }
        for campaign in bulletin.campaign.iter().filter(|campaign| !lists.has_campaign(campaign)) {
            wrong.push(format!("`{campaign}` is no campaign here; mend it, or add [[campaign]]"));
        }
        for area in bulletin.area.iter().filter(|area| schedule.tree.get(area).is_none()) {
            wrong.push(format!("there is no area {area}; mend it, or import the area"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(ServerError::Unlisted(wrong.join("\n"))) }
    }

    /// Refuses a language without a name here.
    pub async fn check_language(&self, language: &LangTag) -> Result<(), ServerError> {
        if self.schedule().await?.lists.languages.knows(language) {
            return Ok(());
        }
        Err(ServerError::NoLanguage(language.clone()))
    }

    /// The bulletin of that name.
    pub async fn bulletin(&self, id: &BulletinId) -> Result<Bulletin, ServerError> {
        let found = self.store.bulletin(id).await?;
        found.ok_or_else(|| ServerError::NoBulletin(id.clone()))
    }

    /// Refuses `by` unless they may do this to what belongs to `area`, or to the whole station.
    pub(super) async fn allow(
        &self,
        by: &PersonId,
        action: Action,
        area: Option<&AreaId>,
    ) -> Result<(), ServerError> {
        let (_, duties) = self.person(by).await?;
        let place = match area {
            Some(area) => self.schedule().await?.tree.chain(area),
            None => Vec::new(),
        };
        Ok(duties.allow(by.as_str(), action, &place)?)
    }
}

fn changed_meanwhile(version: &Version) -> ServerError {
    let text = version.text();
    ServerError::Changed { what: format!("{} in {}", text.bulletin, text.language) }
}

fn bulletin_fact(bulletin: &Bulletin, by: &PersonId) -> Fact {
    let body = serde_json::to_value(bulletin).expect("a bulletin has text keys");
    Fact::new(utc_now(), "bulletin.kept", format!("person:{by}"), &body)
}

/// What the log tells of a step: texts by their digest, comments and reasons in full.
fn step_fact(version: &Version, kind: &'static str, by: &PersonId) -> Fact {
    let text = version.text();
    let mut body = serde_json::json!({
        "bulletin": text.bulletin,
        "language": text.language,
        "state": version.state(),
        "script": crate::digest::Digest::of(text.script.as_str().as_bytes()),
    });
    let mut tell = |key: &str, value: serde_json::Value| {
        body[key] = value;
    };
    if let Some(contributor) = &text.contributor {
        tell("contributor", serde_json::json!(contributor));
    }
    if let Some(translator) = &text.translator {
        tell("translator", serde_json::json!(translator));
    }
    if let Some(spoken) = version.spoken() {
        tell("asset", serde_json::json!(spoken.recording.asset));
        tell("source", serde_json::json!(spoken.recording.source));
        tell("voice", serde_json::json!(spoken.voice));
        tell("announcer", serde_json::json!(spoken.announcer));
    }
    if let (Some(returned), "version.returned") = (version.returns().last(), kind) {
        tell("comment", serde_json::json!(returned.comment));
    }
    if let Version::Withdrawn(withdrawn) = version {
        tell("reason", serde_json::json!(withdrawn.reason()));
    }
    Fact::new(utc_now(), kind, format!("person:{by}"), &body)
}
