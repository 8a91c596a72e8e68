//! The steps in the life of a version, each by one person: written, recorded, listened back to,
//! returned, approved, withdrawn.

use std::path::Path;

use super::{Aim, Ingested, Sound, bulletin_fact, changed_meanwhile, step_fact};
use crate::access::Action;
use crate::bulletin::version::{
    ApprovalPolicy, Content, Recording, Spoken, Text, TextDraft, Version, Voice,
};
use crate::bulletin::{Bulletin, Comment, Question, Script, Variety};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::protocol::{Descriptor, encode};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::AssetRow;

/// A text that somebody outside the station hands in.
#[derive(Clone, Debug)]
pub struct Contribution {
    /// The bulletin, where it is new; otherwise it must be there.
    pub bulletin: Result<Bulletin, BulletinId>,
    /// The language of the text.
    pub language: LangTag,
    /// Which speech of it.
    pub variety: Option<Variety>,
    /// The text.
    pub script: Script,
    /// The question that the bulletin answers; it is closed with it.
    pub answers: Option<Question>,
    /// The mark of the version that the contributor had before them; see [`Aim::seen`].
    pub seen: Option<Digest>,
}

/// A recording that an announcer hands in.
#[derive(Clone, Copy, Debug)]
pub struct NewSound<'a> {
    /// The file.
    pub file: &'a Path,
    /// Whose voice it is.
    pub voice: Voice,
}

impl Station {
    /// `by` hands in a text; of a new bulletin, or in the place of an earlier text.
    pub async fn contribute(
        &self,
        contribution: Contribution,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let (bulletin, new) = match contribution.bulletin {
            Ok(bulletin) => (bulletin, true),
            Err(id) => (self.bulletin(&id).await?, false),
        };
        self.allow(by, Action::Contribute, bulletin.area.as_ref()).await?;
        if new && self.store.bulletin(&bulletin.id).await?.is_some() {
            return Err(ServerError::BulletinExists(bulletin.id));
        }
        let text = Text {
            bulletin: bulletin.id.clone(),
            language: contribution.language,
            variety: contribution.variety,
            script: contribution.script,
            contributor: Some(by.clone()),
            translator: None,
        };
        let (before, version) =
            self.written(&bulletin, text, "contribute", contribution.seen).await?;
        let mut tx = self.store.begin().await?;
        if new {
            tx.put_bulletin(&bulletin).await?;
            tx.tell(&bulletin_fact(&bulletin, by)).await?;
        }
        if !tx.put_version(before.as_ref(), &version).await? {
            return Err(changed_meanwhile(&version));
        }
        tx.tell(&step_fact(&version, "version.contributed", by)).await?;
        if let Some(question) = contribution.answers {
            super::questions::publish(&mut tx, question, &bulletin.id, by).await?;
        }
        Ok(tx.commit().await?)
    }

    /// `by` makes the text of a bulletin in another language.
    pub async fn translate(
        &self,
        aim: Aim<'_>,
        variety: Option<Variety>,
        script: Script,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let held = self.bulletin(aim.bulletin).await?;
        self.allow(by, Action::Translate, held.area.as_ref()).await?;
        let text = Text {
            bulletin: aim.bulletin.clone(),
            language: aim.language.clone(),
            variety,
            script,
            contributor: None,
            translator: Some(by.clone()),
        };
        let (before, version) = self.written(&held, text, "translate", aim.seen).await?;
        self.keep(before.as_ref(), version, "version.translated", by).await
    }

    /// A text in the place of what is there, unless that may be heard.
    async fn written(
        &self,
        bulletin: &Bulletin,
        text: Text,
        step: &'static str,
        seen: Option<Digest>,
    ) -> Result<(Option<Version>, Version), ServerError> {
        let before = self.held(&text.bulletin, &text.language).await?;
        let aim = Aim { bulletin: &text.bulletin, language: &text.language, seen };
        let announced = self.store.announcement(&text.bulletin).await?;
        aim.hits(bulletin, before.as_ref(), announced.as_ref())?;
        if let Some(Version::Approved(_)) = &before {
            let needed = "open to change: withdraw it first";
            return Err(wrong_state(&text.bulletin, &text.language, step, needed));
        }
        let returns = before.as_ref().map(|before| before.returns().clone()).unwrap_or_default();
        Ok((before, Version::Text(TextDraft::instead(text, returns))))
    }

    /// `by` hands in the recording of a text that is there.
    pub async fn record(
        &self,
        aim: Aim<'_>,
        new: NewSound<'_>,
        by: &PersonId,
        sound: &Sound,
    ) -> Result<Ingested, ServerError> {
        let (before, held) = self.opened(aim, by, Action::Record).await?;
        if let Version::Approved(_) = &before {
            let needed = "open to change: withdraw it first";
            return Err(wrong_state(aim.bulletin, aim.language, "record", needed));
        }
        let title = held.title.as_str();
        let mut ingested = sound.ingest(self, title, aim.language, new.file).await?;
        ingested.asset =
            self.own_asset(ingested.asset, (aim.bulletin, title), aim.language).await?;
        let spoken = Spoken {
            announcer: by.clone(),
            voice: new.voice,
            recording: Recording {
                asset: ingested.asset,
                length_ms: ingested.length_ms,
                source: ingested.source,
            },
        };
        let text = TextDraft::instead(before.text().clone(), before.returns().clone());
        let draft = Version::Draft(text.record(spoken));
        self.keep(Some(&before), draft, "version.drafted", by).await?;
        Ok(ingested)
    }

    /// `by` listened back to a draft and found it right.
    pub async fn review(&self, aim: Aim<'_>, by: &PersonId) -> Result<(), ServerError> {
        let (before, _) = self.opened(aim, by, Action::Review).await?;
        let Version::Draft(draft) = before.clone() else {
            return Err(wrong_state(aim.bulletin, aim.language, "review", "a recorded draft"));
        };
        let reviewed = Version::Reviewed(draft.review(by.clone(), utc_now())?);
        self.keep(Some(&before), reviewed, "version.reviewed", by).await
    }

    /// `by` returns a version that is not approved yet to its makers, with what to change.
    pub async fn send_back(
        &self,
        aim: Aim<'_>,
        by: &PersonId,
        comment: Comment,
    ) -> Result<(), ServerError> {
        let (before, _) = self.opened(aim, by, Action::Review).await?;
        let (by_id, now) = (by.clone(), utc_now());
        let returned = match before.clone() {
            Version::Text(text) => Version::Text(text.send_back(by_id, now, comment)),
            Version::Draft(draft) => Version::Draft(draft.send_back(by_id, now, comment)),
            Version::Reviewed(reviewed) => Version::Draft(reviewed.send_back(by_id, now, comment)),
            Version::Approved(_) | Version::Withdrawn(_) => {
                let needed = "a text, a draft or reviewed";
                return Err(wrong_state(aim.bulletin, aim.language, "return", needed));
            }
        };
        self.keep(Some(&before), returned, "version.returned", by).await
    }

    /// `by` approves a reviewed version: signs its recording's descriptor with their own key.
    pub async fn approve(
        &self,
        aim: Aim<'_>,
        by: &PersonId,
        passphrase: &str,
    ) -> Result<(), ServerError> {
        let (before, bulletin) = self.opened(aim, by, Action::Approve).await?;
        let Version::Reviewed(reviewed) = before.clone() else {
            return Err(wrong_state(aim.bulletin, aim.language, "approve", "reviewed"));
        };
        let policy = ApprovalPolicy { reviewer_may_approve: self.config.reviewer_may_approve };
        reviewed.may_approve(by, policy)?;
        let descriptor = self.describe(&bulletin, reviewed.content()).await?;
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
        // The bulletin first, as in `amend`: whichever of the two comes second sees the other.
        let stands = tx.hold_bulletin(&bulletin).await?;
        if tx.is_announcement_withdrawn(&bulletin.id).await? {
            return Err(ServerError::AnnouncementWithdrawn(bulletin.id));
        }
        if !stands || !tx.put_version(Some(&before), &version).await? {
            return Err(changed_meanwhile(&version));
        }
        tx.put_asset(&row).await?;
        tx.tell(&step_fact(&version, "version.approved", by)).await?;
        tx.commit().await?;
        self.begin_announcement(aim.bulletin, by).await
    }

    /// `by` takes an approved version back; controllers are told with their next manifest.
    pub async fn withdraw(
        &self,
        aim: Aim<'_>,
        by: &PersonId,
        reason: Comment,
    ) -> Result<(), ServerError> {
        let (before, _) = self.opened(aim, by, Action::Approve).await?;
        let Version::Approved(approved) = before.clone() else {
            return Err(wrong_state(aim.bulletin, aim.language, "withdraw", "approved"));
        };
        let now = utc_now();
        let asset = approved.content().spoken.recording.asset;
        let version = Version::Withdrawn(approved.withdraw(by.clone(), now, reason));
        let rows = self.store.assets().await?;
        let mut tx = self.store.begin().await?;
        if !tx.put_version(Some(&before), &version).await? {
            return Err(changed_meanwhile(&version));
        }
        if let Some(row) = rows.into_iter().find(|row| row.digest == asset) {
            tx.put_asset(&AssetRow { withdrawn: Some(now), ..row }).await?;
        }
        tx.tell(&step_fact(&version, "version.withdrawn", by)).await?;
        Ok(tx.commit().await?)
    }

    /// The version with its bulletin, for somebody who may do this to it, where it still is what
    /// they saw.
    async fn opened(
        &self,
        aim: Aim<'_>,
        by: &PersonId,
        action: Action,
    ) -> Result<(Version, Bulletin), ServerError> {
        let held = self.bulletin(aim.bulletin).await?;
        self.allow(by, action, held.area.as_ref()).await?;
        let version = self.version(aim.bulletin, aim.language).await?;
        let announced = self.store.announcement(aim.bulletin).await?;
        aim.hits(&held, Some(&version), announced.as_ref())?;
        Ok((version, held))
    }

    async fn describe(
        &self,
        bulletin: &Bulletin,
        content: &Content,
    ) -> Result<Descriptor, ServerError> {
        let recording = &content.spoken.recording;
        let bytes = self.assets.read(recording.asset)?;
        let signed = bulletin.signed();
        let area = match signed.area {
            Some(area) => area.clone(),
            None => self.root_area().await?,
        };
        Ok(Descriptor {
            asset: recording.asset,
            bulletin: bulletin.id.clone(),
            language: content.text.language.clone(),
            class: signed.class,
            codec: "opus".to_owned(),
            bytes: bytes.len() as u64,
            block_bytes: self.config.block_bytes,
            blocks: Descriptor::blocks_of(&bytes, self.config.block_bytes),
            length_ms: recording.length_ms,
            areas: vec![area],
            valid_from: signed.valid.0,
            valid_until: signed.valid.1,
        })
    }
}

pub(super) fn wrong_state(
    bulletin: &BulletinId,
    language: &LangTag,
    step: &'static str,
    needed: &'static str,
) -> ServerError {
    let (bulletin, language) = (bulletin.clone(), language.clone());
    ServerError::WrongState { bulletin, language, step, needed }
}
