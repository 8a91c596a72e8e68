//! An announcement taken back before anybody approved it. One that is approved is withdrawn as any
//! version is.

use super::announcing::fact;
use super::life::wrong_state;
use super::{Aim, changed_meanwhile};
use crate::access::Action;
use crate::bulletin::Comment;
use crate::bulletin::version::Version;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{BulletinId, PersonId};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{AnnouncementRow, Withdrawal};

impl Station {
    /// `by`, its maker or somebody who may approve it, takes an announcement back for good. `seen` is
    /// its mark as they had it before them, none where it counts for whatever is there.
    pub async fn withdraw_announcement(
        &self,
        id: &BulletinId,
        seen: Option<Digest>,
        by: &PersonId,
        reason: Comment,
    ) -> Result<(), ServerError> {
        let row = self.announcement(id).await?;
        self.may_take_back(&row, by).await?;
        let (bulletin, version) = (self.bulletin(id).await?, self.announced(id).await?);
        let language = &version.text().language;
        Aim { bulletin: id, language, seen }.hits(&bulletin, Some(&version), Some(&row))?;
        if let Version::Approved(_) | Version::Withdrawn(_) = version {
            let needed = "not approved yet; withdraw the version instead";
            return Err(wrong_state(id, language, "take back", needed));
        }
        let withdrawal = Withdrawal { at: utc_now(), by: by.clone(), reason };
        let mut tx = self.store.begin().await?;
        // The bulletin first, as in `approve`: whichever of the two comes second sees the other.
        let stands = tx.hold_bulletin(&bulletin).await?
            && tx.put_version(Some(&version), &version).await?
            && tx.withdraw_announcement(id, &withdrawal).await?;
        if !stands {
            return Err(changed_meanwhile(&version));
        }
        let row = AnnouncementRow { withdrawn: Some(withdrawal), ..row };
        tx.tell(&fact("announcement.withdrawn", &row, by)).await?;
        tx.commit().await?;
        self.schedule_announcements(&row.area).await
    }

    async fn may_take_back(&self, row: &AnnouncementRow, by: &PersonId) -> Result<(), ServerError> {
        let own = row.by == *by && self.allow(by, Action::Announce, Some(&row.area)).await.is_ok();
        if own { Ok(()) } else { self.allow(by, Action::Approve, Some(&row.area)).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::newsroom::announcing::tests::{made, town};
    use crate::server::tests::PASSPHRASE;

    fn person(id: &str) -> PersonId {
        id.parse().unwrap()
    }

    async fn takes_back(station: &Station, id: &BulletinId, by: &str) -> Result<(), ServerError> {
        let reason = "Họp dời sang tuần sau".parse().unwrap();
        station.withdraw_announcement(id, None, &person(by), reason).await
    }

    async fn file(station: &Station) -> String {
        let files = station.store.schedule_files().await.unwrap();
        files.into_iter().find(|(name, _)| name.starts_with("announcements-")).unwrap().1
    }

    #[tokio::test]
    async fn its_maker_takes_it_back_and_no_step_on_it_counts_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), "").await;
        let (id, vi) = (made(&station).await.unwrap(), "vi".parse().unwrap());
        let at = Some(utc_now() + std::time::Duration::from_hours(24));
        station.move_announcement(&id, None, at, &person("sua")).await.unwrap();
        assert!(file(&station).await.contains(id.as_str()));
        station.review(Aim::at(&id, &vi), &person("chi")).await.unwrap();
        takes_back(&station, &id, "sua").await.unwrap();
        assert!(!file(&station).await.contains(id.as_str()), "no programme of it stays");
        let gone = |done: Result<(), ServerError>| {
            assert!(matches!(done, Err(ServerError::AnnouncementWithdrawn(_))), "{done:?}");
        };
        gone(station.approve(Aim::at(&id, &vi), &person("dung"), PASSPHRASE).await);
        gone(station.review(Aim::at(&id, &vi), &person("chi")).await);
        gone(station.move_announcement(&id, None, at, &person("sua")).await);
        gone(takes_back(&station, &id, "sua").await);
        let facts = station.store.facts_waiting(1000).await.unwrap();
        let fact = facts.iter().find(|fact| fact.kind == "announcement.withdrawn").unwrap();
        assert_eq!(fact.who, "person:sua");
        assert!(fact.body.contains("Họp dời sang tuần sau"), "{}", fact.body);
    }

    #[tokio::test]
    async fn a_leader_takes_it_back_too_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), "").await;
        let id = made(&station).await.unwrap();
        let denied = takes_back(&station, &id, "chi").await;
        assert!(matches!(denied, Err(ServerError::Denied(_))), "{denied:?}");
        takes_back(&station, &id, "dung").await.unwrap();
    }

    #[tokio::test]
    async fn an_approved_one_is_withdrawn_as_any_version() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), "").await;
        let (id, vi) = (made(&station).await.unwrap(), "vi".parse().unwrap());
        station.review(Aim::at(&id, &vi), &person("chi")).await.unwrap();
        station.approve(Aim::at(&id, &vi), &person("dung"), PASSPHRASE).await.unwrap();
        let refused = takes_back(&station, &id, "dung").await;
        assert!(matches!(refused, Err(ServerError::WrongState { .. })), "{refused:?}");
        let reason = "sai giờ".parse().unwrap();
        station.withdraw(Aim::at(&id, &vi), &person("dung"), reason).await.unwrap();
    }
}
