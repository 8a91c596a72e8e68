//! What a step is meant for: a version, as whoever takes the step had it before them.

use crate::bulletin::Bulletin;
use crate::bulletin::version::Version;
use crate::digest::Digest;
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::server::ServerError;
use crate::store::AnnouncementRow;

/// A version of a bulletin, and what was seen of it.
///
/// **A step that names what was seen counts for that alone**: whoever approves, approves what they
/// heard, and of two editors the second is told before anything is replaced.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    /// The bulletin.
    pub bulletin: &'a BulletinId,
    /// The language.
    pub language: &'a LangTag,
    /// The mark of what was seen; none where it counts for whatever is there.
    pub seen: Option<Digest>,
}

impl<'a> Aim<'a> {
    /// Whatever is there.
    pub fn at(bulletin: &'a BulletinId, language: &'a LangTag) -> Self {
        Self { bulletin, language, seen: None }
    }

    /// What has this mark.
    #[must_use]
    pub fn seen(self, mark: Digest) -> Self {
        Self { seen: Some(mark), ..self }
    }

    /// The mark of a version as it is, or of none. Where it waits for a signature it is of its
    /// bulletin too, since the signature will say what that is; of an announcement always of its
    /// places and its time.
    pub fn mark(
        bulletin: &Bulletin,
        version: Option<&Version>,
        announced: Option<&AnnouncementRow>,
    ) -> Digest {
        let Some(version) = version else { return Digest::of(b"") };
        let mut whole = serde_json::to_vec(version).expect("text keys");
        if matches!(version, Version::Reviewed(_)) {
            whole.extend(serde_json::to_vec(bulletin).expect("text keys"));
        }
        if let Some(row) = announced {
            whole.extend(serde_json::to_vec(row).expect("text keys"));
        }
        Digest::of(&whole)
    }

    /// Refuses where `held` of this bulletin is not what was seen, and every step on an announcement
    /// that was taken back.
    pub(super) fn hits(
        &self,
        bulletin: &Bulletin,
        held: Option<&Version>,
        announced: Option<&AnnouncementRow>,
    ) -> Result<(), ServerError> {
        if announced.is_some_and(|row| row.withdrawn.is_some()) {
            return Err(ServerError::AnnouncementWithdrawn(self.bulletin.clone()));
        }
        if self.seen.is_none_or(|seen| seen == Self::mark(bulletin, held, announced)) {
            return Ok(());
        }
        Err(ServerError::Changed { what: format!("{} in {}", self.bulletin, self.language) })
    }
}
