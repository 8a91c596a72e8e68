//! What a bulletin is, changed after it was made: its title, column, dates and the like.
//!
//! **What a signature says of a bulletin stays while a version of it is approved**: class, area and
//! validity are in the note that the approver signed and the controllers hold. Everything else is
//! the station's own word for it, and may be put right at any time.

use std::time::Duration;

use super::{Station, bulletin_fact};
use crate::access::Action;
use crate::bulletin::Bulletin;
use crate::digest::Digest;
use crate::id::{BulletinId, PersonId};
use crate::server::ServerError;

/// How long a bulletin may be valid at most.
const VALID_MAX: Duration = Duration::from_hours(366 * 24);

impl Station {
    /// `by` makes a bulletin what it is here; `seen` is the mark of what they had before them, none
    /// where it counts for whatever is there.
    pub async fn amend(
        &self,
        bulletin: &Bulletin,
        seen: Option<Digest>,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let held = self.bulletin(&bulletin.id).await?;
        if seen.is_some_and(|seen| seen != Self::bulletin_mark(&held)) {
            return Err(changed(&held.id));
        }
        let (from, until) = bulletin.signed().valid;
        if until <= from || until.since(from) > VALID_MAX {
            return Err(ServerError::Validity);
        }
        self.check_lists(bulletin).await?;
        self.become_bulletin(held, bulletin, by).await
    }

    /// The mark of a bulletin as it is.
    pub fn bulletin_mark(bulletin: &Bulletin) -> Digest {
        Digest::of(&serde_json::to_vec(bulletin).expect("a bulletin has text keys"))
    }

    /// Puts `bulletin` in the place of `held`, with its fact.
    pub(super) async fn become_bulletin(
        &self,
        held: Bulletin,
        bulletin: &Bulletin,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        // Whoever moves a bulletin to another area must be able to answer for both.
        for bulletin in [&held, bulletin] {
            self.allow(by, Action::Contribute, bulletin.area.as_ref()).await?;
        }
        if held == *bulletin {
            return Ok(());
        }
        let otherwise = held.signed() != bulletin.signed();
        let announcement = self.store.announcement(&held.id).await?;
        if otherwise && announcement.is_some() {
            return Err(ServerError::AnnouncedSo(held.id));
        }
        let mut tx = self.store.begin().await?;
        if !tx.amend_bulletin(&held, bulletin).await? {
            return Err(changed(&held.id));
        }
        let approved = if otherwise { tx.approved_in(&held.id).await? } else { Vec::new() };
        if !approved.is_empty() {
            let languages: Vec<String> = approved.iter().map(ToString::to_string).collect();
            let languages = languages.join(", ");
            return Err(ServerError::Signed { bulletin: held.id, languages });
        }
        tx.tell(&bulletin_fact(bulletin, by)).await?;
        tx.commit().await?;
        match announcement {
            // Its programme bears its title.
            Some(row) => self.schedule_announcements(&row.area).await,
            None => Ok(()),
        }
    }
}

fn changed(id: &BulletinId) -> ServerError {
    ServerError::Changed { what: id.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulletin::version::Version;
    use crate::bulletin::{Class, SourceLevel};
    use crate::server::Aim;
    use crate::server::tests::{self as stand, PASSPHRASE};
    use crate::time::Timestamp;

    const SCHEDULE: &str =
        "[[area]]\nid = \"lai-chau\"\nname = \"Lai Châu\"\nlevel = \"province\"\n";

    fn who(id: &str) -> PersonId {
        id.parse().unwrap()
    }

    fn made() -> Bulletin {
        let from = Timestamp::from_seconds(1_795_000_000);
        stand::bulletin("lu", Class::Normal, SourceLevel::Province, from)
    }

    /// A station with a bulletin whose one version waits for its signature.
    async fn station(folder: &std::path::Path) -> Station {
        let station = stand::station(folder, SCHEDULE).await;
        station.hire(&[("an", "announcer"), ("chi", "reviewer"), ("dung", "leader")]).await;
        station.assets.put(b"a sound").unwrap();
        let draft = Version::Draft(stand::draft(&made(), b"a sound"));
        let mut tx = station.store.begin().await.unwrap();
        tx.put_bulletin(&made()).await.unwrap();
        assert!(tx.put_version(None, &draft).await.unwrap());
        tx.commit().await.unwrap();
        let (id, vi) = ("lu".parse().unwrap(), "vi".parse().unwrap());
        station.review(Aim::at(&id, &vi), &who("chi")).await.unwrap();
        station
    }

    fn more_urgent() -> Bulletin {
        Bulletin { class: Class::Priority, ..made() }
    }

    #[tokio::test]
    async fn what_is_signed_stays_while_a_version_is_approved_and_all_else_may_change() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let (id, vi) = ("lu".parse().unwrap(), "vi".parse().unwrap());
        station.approve(Aim::at(&id, &vi), &who("dung"), PASSPHRASE).await.unwrap();
        let later = made().valid_until + Duration::from_hours(1);
        let longer = Bulletin { valid_until: later, ..made() };
        let elsewhere = Bulletin { area: Some("lai-chau".parse().unwrap()), ..made() };
        for other in [more_urgent(), longer, elsewhere] {
            let refused = station.amend(&other, None, &who("an")).await.unwrap_err();
            let ServerError::Signed { languages, .. } = refused else { panic!("{refused}") };
            assert_eq!(languages, "vi");
        }
        assert_eq!(station.bulletin(&id).await.unwrap(), made());
        let named = Bulletin { title: "Lũ quét".parse().unwrap(), ..made() };
        station.amend(&named, None, &who("an")).await.unwrap();
        let facts = station.store.facts_waiting(100).await.unwrap();
        let last = facts.iter().rfind(|fact| fact.kind == "bulletin.kept").unwrap();
        assert!(last.body.contains("Lũ quét") && last.who == "person:an", "{last:?}");
        let story = station.store.facts_about_bulletin(&id).await.unwrap();
        assert_eq!(story.iter().filter(|fact| fact.kind == "bulletin.kept").count(), 1);
        let reason = "nhầm".parse().unwrap();
        station.withdraw(Aim::at(&id, &vi), &who("dung"), reason).await.unwrap();
        station.amend(&more_urgent(), None, &who("an")).await.unwrap();
    }

    #[tokio::test]
    async fn a_leader_signs_the_class_that_they_saw() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let (id, vi) = ("lu".parse().unwrap(), "vi".parse().unwrap());
        let version = station.version(&id, &vi).await.unwrap();
        let seen = Aim::mark(&made(), Some(&version), None);
        station.amend(&more_urgent(), None, &who("an")).await.unwrap();
        let aim = Aim::at(&id, &vi).seen(seen);
        let refused = station.approve(aim, &who("dung"), PASSPHRASE).await;
        assert!(matches!(refused, Err(ServerError::Changed { .. })), "{refused:?}");
        let aim = Aim::at(&id, &vi).seen(Aim::mark(&more_urgent(), Some(&version), None));
        station.approve(aim, &who("dung"), PASSPHRASE).await.unwrap();
    }

    #[tokio::test]
    async fn an_amendment_counts_for_what_was_seen_and_for_a_year_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let seen = Some(Station::bulletin_mark(&more_urgent()));
        let refused = station.amend(&more_urgent(), seen, &who("an")).await;
        assert!(matches!(refused, Err(ServerError::Changed { .. })), "{refused:?}");
        for valid_until in [made().valid_from, made().valid_from + Duration::from_hours(367 * 24)] {
            let refused =
                station.amend(&Bulletin { valid_until, ..made() }, None, &who("an")).await;
            assert!(matches!(refused, Err(ServerError::Validity)), "{refused:?}");
        }
        let refused = station.amend(&more_urgent(), None, &who("chi")).await;
        assert!(matches!(refused, Err(ServerError::Denied(_))), "{refused:?}");
    }
}
