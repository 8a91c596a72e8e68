//! From a recording that was handed in to a version that may be heard.
//!
//! **Importing the same file twice changes nothing; a changed file is a new recording, and its
//! version begins again as a draft.** An approval is a signature: the approver's own key signs the
//! recording's descriptor, and nothing else lets it sound.

mod file;
mod sound;

use std::path::Path;
use std::time::Duration;

pub use file::{BulletinFile, VersionEntry};
pub use sound::{Ingested, Judged, Sound, Told};

use crate::access::Action;
use crate::bulletin::Bulletin;
use crate::bulletin::version::{ApprovalPolicy, Content, Draft, Recording, Version};
use crate::clock::utc_now;
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::protocol::{Descriptor, encode};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{AssetRow, Fact};
use crate::time::Timestamp;

/// What an import did with one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// The same recording was there.
    Unchanged,
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
        let held = self.store.bulletins().await?;
        let held = held.iter().find(|bulletin| bulletin.id == entry.bulletin.id);
        // Validity counts from the first import; a second one does not extend it.
        let bulletin = match held {
            Some(held) => Bulletin {
                valid_from: held.valid_from,
                valid_until: held.valid_until,
                ..entry.bulletin.clone()
            },
            None => entry.bulletin_from(utc_now()),
        };
        if held == Some(&bulletin) {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        tx.put_bulletin(&bulletin).await?;
        let body = serde_json::to_value(&bulletin).unwrap_or_default();
        tx.tell(&Fact::new(utc_now(), "bulletin.kept", format!("person:{by}"), &body)).await?;
        Ok(tx.commit().await?)
    }

    /// Takes in one version with its recording.
    pub async fn import_version(
        &self,
        bulletin: &Bulletin,
        entry: &VersionEntry,
        folder: &Path,
        by: &PersonId,
        sound: &Sound,
    ) -> Result<(Imported, Ingested), ServerError> {
        self.person(by).await?.1.allow(by.as_str(), Action::Record)?;
        let ingested = sound.ingest(self, bulletin, entry, folder).await?;
        let recording = Recording {
            asset: ingested.asset,
            length_ms: ingested.length_ms,
            source: ingested.source,
        };
        let held = self.store.versions_of(&bulletin.id).await?;
        let held = held.iter().find(|version| version.content().language == entry.language);
        let content = Content {
            bulletin: bulletin.id.clone(),
            language: entry.language.clone(),
            variety: entry.variety.clone(),
            script: entry.script.clone(),
            translator: None,
            announcer: held.map_or(by.clone(), |held| held.content().announcer.clone()),
            voice: entry.voice,
            recording,
        };
        if held.is_some_and(|held| *held.content() == content) {
            return Ok((Imported::Unchanged, ingested));
        }
        let content = Content { announcer: by.clone(), ..content };
        self.keep_step(Version::Draft(Draft::new(content)), "version.drafted", by).await?;
        Ok((Imported::Drafted, ingested))
    }

    async fn keep_step(
        &self,
        version: Version,
        kind: &'static str,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let mut tx = self.store.begin().await?;
        tx.put_version(&version).await?;
        tx.tell(&step_fact(&version, kind, by)).await?;
        Ok(tx.commit().await?)
    }

    /// The version of a bulletin in one language.
    pub async fn version(
        &self,
        bulletin: &BulletinId,
        language: &LangTag,
    ) -> Result<Version, ServerError> {
        let versions = self.store.versions_of(bulletin).await?;
        let found = versions.into_iter().find(|version| version.content().language == *language);
        found.ok_or_else(|| ServerError::NoVersion {
            bulletin: bulletin.clone(),
            language: language.clone(),
        })
    }

    /// `by` listened back to a draft and found it right.
    pub async fn review(
        &self,
        bulletin: &BulletinId,
        language: &LangTag,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        self.person(by).await?.1.allow(by.as_str(), Action::Review)?;
        let Version::Draft(draft) = self.version(bulletin, language).await? else {
            return Err(wrong_state(bulletin, language, "review", "a draft"));
        };
        let reviewed = draft.review(by.clone(), utc_now())?;
        self.keep_step(Version::Reviewed(reviewed), "version.reviewed", by).await
    }

    /// `by` approves a reviewed version: signs its recording's descriptor with their own key.
    pub async fn approve(
        &self,
        bulletin: &BulletinId,
        language: &LangTag,
        by: &PersonId,
        passphrase: &str,
    ) -> Result<(), ServerError> {
        self.person(by).await?.1.allow(by.as_str(), Action::Approve)?;
        let Version::Reviewed(reviewed) = self.version(bulletin, language).await? else {
            return Err(wrong_state(bulletin, language, "approve", "reviewed"));
        };
        let policy = ApprovalPolicy { reviewer_may_approve: self.config.reviewer_may_approve };
        reviewed.may_approve(by, policy)?;
        let descriptor = self.describe(reviewed.content()).await?;
        let signer = self.unseal_person(by, passphrase)?;
        let note = signer.sign(&encode(&self.config.net, &descriptor));
        let approved = reviewed.approve(by.clone(), utc_now(), note.clone(), policy)?;
        let version = Version::Approved(approved);
        let row = AssetRow {
            digest: descriptor.asset,
            descriptor: note,
            block_bytes: descriptor.block_bytes,
            blocks: u32::try_from(descriptor.blocks.len()).unwrap_or(u32::MAX),
            withdrawn: None,
        };
        let mut tx = self.store.begin().await?;
        tx.put_version(&version).await?;
        tx.put_asset(&row).await?;
        tx.tell(&step_fact(&version, "version.approved", by)).await?;
        Ok(tx.commit().await?)
    }

    /// `by` takes an approved version back; controllers are told with their next manifest.
    pub async fn withdraw(
        &self,
        bulletin: &BulletinId,
        language: &LangTag,
        by: &PersonId,
        reason: String,
    ) -> Result<(), ServerError> {
        self.person(by).await?.1.allow(by.as_str(), Action::Approve)?;
        let Version::Approved(approved) = self.version(bulletin, language).await? else {
            return Err(wrong_state(bulletin, language, "withdraw", "approved"));
        };
        let now = utc_now();
        let asset = approved.content().recording.asset;
        let version = Version::Withdrawn(approved.withdraw(by.clone(), now, reason));
        let rows = self.store.assets().await?;
        let mut tx = self.store.begin().await?;
        tx.put_version(&version).await?;
        if let Some(row) = rows.into_iter().find(|row| row.digest == asset) {
            tx.put_asset(&AssetRow { withdrawn: Some(now), ..row }).await?;
        }
        tx.tell(&step_fact(&version, "version.withdrawn", by)).await?;
        Ok(tx.commit().await?)
    }

    async fn describe(&self, content: &Content) -> Result<Descriptor, ServerError> {
        let bulletins = self.store.bulletins().await?;
        let bulletin = bulletins.into_iter().find(|bulletin| bulletin.id == content.bulletin);
        let bulletin = bulletin.ok_or_else(|| ServerError::NoVersion {
            bulletin: content.bulletin.clone(),
            language: content.language.clone(),
        })?;
        let bytes = self.assets.read(content.recording.asset)?;
        Ok(Descriptor {
            asset: content.recording.asset,
            bulletin: bulletin.id,
            language: content.language.clone(),
            class: bulletin.class,
            codec: "opus".to_owned(),
            bytes: bytes.len() as u64,
            block_bytes: self.config.block_bytes,
            blocks: Descriptor::blocks_of(&bytes, self.config.block_bytes),
            length_ms: content.recording.length_ms,
            areas: vec![self.root_area().await?],
            valid_from: bulletin.valid_from,
            valid_until: bulletin.valid_until,
        })
    }
}

fn wrong_state(
    bulletin: &BulletinId,
    language: &LangTag,
    step: &'static str,
    needed: &'static str,
) -> ServerError {
    let (bulletin, language) = (bulletin.clone(), language.clone());
    ServerError::WrongState { bulletin, language, step, needed }
}

fn step_fact(version: &Version, kind: &'static str, by: &PersonId) -> Fact {
    let content = version.content();
    let body = serde_json::json!({
        "bulletin": content.bulletin,
        "language": content.language,
        "asset": content.recording.asset,
        "source": content.recording.source,
        "voice": content.voice,
    });
    Fact::new(utc_now(), kind, format!("person:{by}"), &body)
}

/// From when and until when a bulletin of so many days may be heard, beginning at `now`.
fn validity(now: Timestamp, days: u32) -> (Timestamp, Timestamp) {
    (now, now + Duration::from_secs(u64::from(days) * 86_400))
}
