//! A commune's own announcement: a recording and a place and time for it, made by its operator.
//!
//! **It is a bulletin like any other**: somebody else listens back to it, a leader signs it, the
//! planner finds room for it. What the airtime policy does not allow is refused with its reason
//! before anybody works on it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::{Aim, Ingested, Sound, bulletin_fact, changed_meanwhile, step_fact};
use crate::access::Action;
use crate::bulletin::version::{Content, Draft, Recording, Spoken, Text, Version, Voice};
use crate::bulletin::{Bulletin, Class, Kind, Script, SourceLevel, Title};
use crate::calendar::recurrence::Recurrence;
use crate::calendar::{AiringKey, Days};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::{AreaId, BulletinId, PersonId};
use crate::lang::LangTag;
use crate::schedule::file::programme_text;
use crate::schedule::{
    Airable, GivesWay, Languages, Order, Plan, Programme, Remark, Selection, World, plan,
};
use crate::server::ServerError;
use crate::server::planning::DAYS;
use crate::server::station::Station;
use crate::store::{AnnouncementRow, Fact};
use crate::time::{TimeOfDay, Timestamp};

/// How long after it was approved an announcement begins that shall begin at once: the manifest and
/// the recording must get there.
const LEAD: Duration = Duration::from_secs(20);

/// How long an announcement counts: it is of the day, and a forgotten one must not sound next month.
const COUNTS: Duration = Duration::from_hours(7 * 24);

/// How long an announcement stays in the schedule after its time: until no manifest names it.
const STAYS: Duration = Duration::from_hours(8 * 24);

/// What its recording is tagged with, and its column.
const COLUMN: &str = "Thông báo của xã";

/// Announcements change a schedule file together; one after the other.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// An announcement as the operator enters it.
#[derive(Clone, Debug)]
pub struct NewAnnouncement {
    /// What it is called.
    pub title: Title,
    /// What is said, for those who review it.
    pub script: Script,
    /// The language that is spoken.
    pub language: LangTag,
    /// Where it is heard.
    pub villages: Vec<AreaId>,
    /// When; `None` as soon as it is approved.
    pub at: Option<Timestamp>,
    /// The recording, which was taken in before.
    pub source: Digest,
}

/// Why an announcement cannot be heard somewhere at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl Station {
    /// Takes in the recording of an announcement; it belongs to none yet.
    pub async fn take_recording(
        &self,
        area: &AreaId,
        path: &Path,
        by: &PersonId,
        sound: &Sound,
    ) -> Result<Ingested, ServerError> {
        self.allow(by, Action::Announce, Some(area)).await?;
        let language: LangTag = "vi".parse().expect("Vietnamese is a language");
        sound.ingest(self, COLUMN, &language, path).await
    }

    /// `by` makes an announcement in a commune; it waits for its review and approval.
    pub async fn announce(
        &self,
        area: &AreaId,
        new: NewAnnouncement,
        by: &PersonId,
    ) -> Result<BulletinId, ServerError> {
        self.allow(by, Action::Announce, Some(area)).await?;
        let schedule = self.schedule().await?;
        let below = schedule.tree.below(area);
        if let Some(outside) = new.villages.iter().find(|village| !below.contains(village)) {
            return Err(ServerError::NoArea(outside.clone()));
        }
        if !schedule.lists.languages.knows(&new.language) {
            return Err(ServerError::NoLanguage(new.language));
        }
        let recording = self.recording_of(new.source).await?;
        let now = utc_now();
        let commune = schedule.tree.get(area).map(|area| area.name.clone()).unwrap_or_default();
        let bulletin = bulletin(self.announcement_id(now, new.source), area, &new, &commune, now);
        let about = (&bulletin.id, bulletin.title.as_str());
        let asset = self.own_asset(recording.asset, about, &new.language).await?;
        let recording = Recording { asset, ..recording };
        let row = AnnouncementRow {
            bulletin: bulletin.id.clone(),
            area: area.clone(),
            villages: new.villages,
            at: new.at,
            made: now,
            by: by.clone(),
            withdrawn: None,
        };
        let at = row.at.unwrap_or(now + LEAD);
        let slot = Slot { row: &row, bulletin: &bulletin, language: &new.language };
        self.must_fit(&slot, recording.length_ms, at).await?;
        let text = Text {
            bulletin: bulletin.id.clone(),
            language: new.language.clone(),
            variety: None,
            script: new.script,
            contributor: Some(by.clone()),
            translator: None,
        };
        let spoken = Spoken { announcer: by.clone(), voice: Voice::Human, recording };
        let version = Version::Draft(Draft::new(Content { text, spoken }));
        let mut tx = self.store.begin().await?;
        tx.put_bulletin(&bulletin).await?;
        tx.tell(&bulletin_fact(&bulletin, by)).await?;
        if !tx.put_version(None, &version).await? {
            return Err(changed_meanwhile(&version));
        }
        tx.tell(&step_fact(&version, "version.drafted", by)).await?;
        tx.put_announcement(&row).await?;
        tx.tell(&fact("announcement.made", &row, by)).await?;
        tx.commit().await?;
        self.schedule_announcements(area).await?;
        Ok(bulletin.id)
    }

    fn announcement_id(&self, now: Timestamp, source: Digest) -> BulletinId {
        let salt: [u8; 32] = entropy::bytes();
        let tail = Digest::of_parts(&[&salt, source.to_string().as_bytes()]).to_string();
        let stamp = self.config.zone.local(now).format("%y%m%d-%H%M");
        let id = format!("tb-{stamp}-{}", &tail[..4]);
        id.parse().expect("a time and four hexadecimal digits are an id")
    }

    /// The recording that was made of an original.
    pub async fn recording_of(&self, source: Digest) -> Result<Recording, ServerError> {
        let row = self.store.source(source, super::sound::RECIPE).await?;
        let row = row.ok_or(ServerError::NoRecording)?;
        Ok(Recording { asset: row.asset, length_ms: row.length_ms, source })
    }

    /// The announcement whose bulletin this is.
    pub async fn announcement(&self, id: &BulletinId) -> Result<AnnouncementRow, ServerError> {
        let found = self.store.announcement(id).await?;
        found.ok_or_else(|| ServerError::NoBulletin(id.clone()))
    }

    /// The mark of an announcement as it is, for a form: its version, its places and its time.
    pub async fn announcement_mark(&self, row: &AnnouncementRow) -> Result<Digest, ServerError> {
        let id = &row.bulletin;
        let (bulletin, version) = (self.bulletin(id).await?, self.announced(id).await?);
        Ok(Aim::mark(&bulletin, Some(&version), Some(row)))
    }

    /// The one version of an announcement.
    pub async fn announced(&self, id: &BulletinId) -> Result<Version, ServerError> {
        let found = self.store.versions_of(id).await?.into_iter().next();
        found.ok_or_else(|| ServerError::NoBulletin(id.clone()))
    }

    /// `by` gives an announcement another time: `None` as soon as it is approved, or at once where
    /// it is. What was heard is not heard again. `seen` is its mark as they had it before them, none
    /// where it counts for whatever is there.
    pub async fn move_announcement(
        &self,
        id: &BulletinId,
        seen: Option<Digest>,
        at: Option<Timestamp>,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let row = self.announcement(id).await?;
        self.allow(by, Action::Announce, Some(&row.area)).await?;
        let (bulletin, version) = (self.bulletin(id).await?, self.announced(id).await?);
        let aim = Aim { bulletin: id, language: &version.text().language, seen };
        aim.hits(&bulletin, Some(&version), Some(&row))?;
        let approved = matches!(version, Version::Approved(_));
        let now = utc_now();
        if approved && row.at.is_some_and(|at| at <= now && approved_at(&version) <= Some(at)) {
            return Err(ServerError::AnnouncedAlready(id.clone()));
        }
        let at = if approved { Some(at.unwrap_or(now + LEAD)) } else { at };
        self.keep_time(row, &version, at, by).await
    }

    /// Gives its time to an announcement that begins as soon as it is approved, which it now is. One
    /// that does not fit any more waits for a person to choose.
    pub(super) async fn begin_announcement(
        &self,
        id: &BulletinId,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let Some(row) = self.store.announcement(id).await?.filter(|row| row.at.is_none()) else {
            return Ok(());
        };
        let version = self.announced(id).await?;
        match self.keep_time(row, &version, Some(utc_now() + LEAD), by).await {
            Err(ServerError::DoesNotFit { .. }) => Ok(()),
            other => other,
        }
    }

    async fn keep_time(
        &self,
        row: AnnouncementRow,
        version: &Version,
        at: Option<Timestamp>,
        by: &PersonId,
    ) -> Result<(), ServerError> {
        let before = row.clone();
        let row = AnnouncementRow { at, ..row };
        let bulletin = self.bulletin(&row.bulletin).await?;
        let length_ms = version.spoken().map_or(0, |spoken| spoken.recording.length_ms);
        let slot = Slot { row: &row, bulletin: &bulletin, language: &version.text().language };
        self.must_fit(&slot, length_ms, at.unwrap_or(utc_now() + LEAD)).await?;
        let mut tx = self.store.begin().await?;
        if !tx.move_announcement(&before, row.at).await? {
            return Err(changed_meanwhile(version));
        }
        tx.tell(&fact("announcement.moved", &row, by)).await?;
        tx.commit().await?;
        self.schedule_announcements(&row.area).await
    }

    async fn must_fit(
        &self,
        slot: &Slot<'_>,
        length_ms: u64,
        at: Timestamp,
    ) -> Result<(), ServerError> {
        let now = utc_now();
        let last = slot.row.made + COUNTS;
        if at < now || at >= last {
            return Err(ServerError::AnnouncementTime);
        }
        let refused = self.refusals(slot, length_ms, at).await?;
        let joined =
            |say: fn(&Refusal) -> &str| refused.iter().map(say).collect::<Vec<_>>().join(" ");
        if refused.is_empty() {
            return Ok(());
        }
        let (vi, en) = (joined(|one| &one.vi), joined(|one| &one.en));
        Err(ServerError::DoesNotFit { vi, en })
    }

    /// Plans the days with and without the announcement, as if it were approved.
    async fn refusals(
        &self,
        slot: &Slot<'_>,
        length_ms: u64,
        at: Timestamp,
    ) -> Result<Vec<Refusal>, ServerError> {
        let mut world = self.world().await?;
        let heard: BTreeSet<AreaId> =
            slot.row.villages.iter().flat_map(|village| world.tree.below(village)).collect();
        world.controllers.retain(|controller| heard.contains(&controller.area));
        let programme = slot.programme(world.zone, at);
        world.programmes.retain(|held| held.id != programme.id);
        let (today, now) = (world.zone.date(utc_now()), utc_now());
        let before = plan(&world, today, DAYS);
        world.content.retain(|held| held.bulletin != slot.bulletin.id);
        let sound = crate::schedule::Sound {
            asset: Digest::ZERO,
            length_ms,
            approved_at: Timestamp::from_seconds(now.seconds()),
        };
        world.content.push(Airable {
            bulletin: slot.bulletin.id.clone(),
            column: slot.bulletin.column.clone(),
            class: slot.bulletin.class,
            source_level: slot.bulletin.source_level,
            valid_from: slot.bulletin.valid_from,
            valid_until: slot.bulletin.valid_until,
            voices: [(slot.language.clone(), sound)].into(),
            pending: [].into(),
        });
        world.programmes.push(programme.clone());
        Ok(refused(&world, &programme, &before, &plan(&world, today, DAYS)))
    }

    /// Writes the schedule file of a commune's announcements anew.
    pub(super) async fn schedule_announcements(&self, area: &AreaId) -> Result<(), ServerError> {
        let _turn = ONE_AT_A_TIME.lock().await;
        let now = utc_now();
        let mut body = String::from(
            "# Announcements of the commune, written by the server from what its operators made.\n",
        );
        for row in self.store.announcements().await? {
            let Some(at) = row.at.filter(|at| row.area == *area && now.since(*at) < STAYS) else {
                continue;
            };
            if row.withdrawn.is_some() {
                continue;
            }
            let bulletin = self.bulletin(&row.bulletin).await?;
            let version = self.announced(&row.bulletin).await?;
            let language = &version.text().language;
            let slot = Slot { row: &row, bulletin: &bulletin, language };
            body.push('\n');
            body.push_str(&programme_text(&slot.programme(self.config.zone, at)));
        }
        self.import_schedule(&[(format!("announcements-{area}.toml"), body)]).await?;
        Ok(())
    }
}

/// An announcement with what its programme is made of.
struct Slot<'a> {
    row: &'a AnnouncementRow,
    bulletin: &'a Bulletin,
    language: &'a LangTag,
}

impl Slot<'_> {
    /// The programme that airs it once.
    fn programme(&self, zone: crate::time::Zone, at: Timestamp) -> Programme {
        let day = zone.date(at);
        let time = TimeOfDay::of(zone.local(at));
        let recurrence = Recurrence::times([time], Days::EVERY, Some(day), Some(day));
        Programme {
            id: self.bulletin.id.as_str().parse().expect("both are slugs"),
            title: self.bulletin.title.to_string(),
            tags: Vec::new(),
            recurrence: recurrence.expect("one time of one day"),
            areas: self.row.villages.clone(),
            minus_areas: Vec::new(),
            only_tags: Vec::new(),
            only_listening: Vec::new(),
            languages: Languages::Only(vec![self.language.clone()]),
            order: Order::Bulletin,
            selection: Selection::Bulletins(vec![self.bulletin.id.clone()]),
            gap_ms: 500,
            identification: None,
            length_max_s: None,
            gives_way: GivesWay::Last,
            chime: true,
        }
    }
}

fn bulletin(
    id: BulletinId,
    area: &AreaId,
    new: &NewAnnouncement,
    commune: &str,
    now: Timestamp,
) -> Bulletin {
    let now = Timestamp::from_seconds(now.seconds());
    Bulletin {
        id,
        title: new.title.clone(),
        title_en: None,
        area: Some(area.clone()),
        column: COLUMN.parse().expect("it is a usual column"),
        kind: Kind::Notice,
        class: Class::Normal,
        source_level: SourceLevel::Commune,
        issuing_body: format!("UBND {commune}")
            .parse()
            .unwrap_or_else(|_| "UBND".parse().expect("one word is a body")),
        document_number: None,
        topics: BTreeSet::new(),
        campaign: None,
        valid_from: now,
        valid_until: now + COUNTS,
    }
}

fn approved_at(version: &Version) -> Option<Timestamp> {
    match version {
        Version::Approved(approved) => Some(approved.approved().at),
        Version::Text(_) | Version::Draft(_) | Version::Reviewed(_) | Version::Withdrawn(_) => None,
    }
}

/// What keeps the announcement from sounding everywhere, and what it would push away.
fn refused(world: &World, programme: &Programme, before: &Plan, after: &Plan) -> Vec<Refusal> {
    let own: BTreeSet<_> = after
        .airings
        .iter()
        .filter(|airing| airing.key.programme == programme.id)
        .map(|airing| &airing.key.controller)
        .collect();
    let silent = world.controllers.iter().filter(|controller| !own.contains(&controller.id));
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut say = |vi: String, en: String| {
        let refusal = Refusal { vi, en };
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    };
    let place = |area: &AreaId| {
        world.tree.get(area).map_or_else(|| area.to_string(), |area| area.name.clone())
    };
    let about = |remark: &&Remark| remark.programme == programme.id;
    for controller in silent {
        let of = |remark: &&Remark| {
            about(remark) && remark.key.as_ref().is_some_and(|key| key.controller == controller.id)
        };
        let why = after.remarks.iter().filter(of).max_by_key(|remark| {
            // What refuses for another reason than an empty running order says more.
            (remark.reason != crate::schedule::Reason::NothingToAir, remark.reason.refuses())
        });
        let place = place(&controller.area);
        let (vi, en) = why.map_or_else(
            || {
                let (vi, en) =
                    ("giờ này không còn kịp; hãy chọn giờ khác", "it is too late for that time");
                (vi.to_owned(), en.to_owned())
            },
            |why| (why.reason.vi(), why.reason.to_string()),
        );
        say(format!("{place}: {vi}."), format!("{place}: {en}."));
    }
    if world.controllers.is_empty() {
        say(
            "Nơi này chưa có cụm loa nào; hãy chọn bản khác.".to_owned(),
            "No speaker stands there; choose another village.".to_owned(),
        );
    }
    let keys = |plan: &Plan| -> BTreeSet<AiringKey> {
        plan.airings.iter().map(|airing| airing.key.clone()).collect()
    };
    for lost in keys(before).difference(&keys(after)) {
        let held = world.programmes.iter().find(|held| held.id == lost.programme);
        let title = held.map_or_else(|| lost.programme.to_string(), |held| held.title.clone());
        say(
            format!("Trùng giờ với chương trình {title}; hãy chọn giờ khác."),
            format!("It would push out the programme {title}; choose another time."),
        );
    }
    refusals
}

pub(super) fn fact(kind: &'static str, row: &AnnouncementRow, by: &PersonId) -> Fact {
    let body = serde_json::to_value(row).expect("a row has text keys");
    Fact::new(utc_now(), kind, format!("person:{by}"), &body)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::server::tests::{self as stand, PASSPHRASE};

    const SCHEDULE: &str = r#"
[[area]]
id = "lai-chau"
name = "Lai Châu"
level = "province"
[[area.listens]]
language = "vi"

[[area]]
id = "mu-ca"
name = "Mù Cả"
level = "commune"
parent = "lai-chau"

[[controller]]
id = "mu-ca-1"
area = "mu-ca"

[[policy]]
area = "lai-chau"
sessions_a_day_max = 90
minutes_a_session_max = 30
minutes_a_day_max = 900
[[policy.window]]
days = ["all"]
from = "00:00"
until = "24:00"
"#;

    const QUIET: &str = r#"
[[policy]]
area = "mu-ca"
sessions_a_day_max = 0
minutes_a_session_max = 0
minutes_a_day_max = 0
"#;

    pub(in super::super) async fn town(folder: &Path, more: &str) -> Station {
        let station = stand::station(folder, &format!("{SCHEDULE}{more}")).await;
        station.hire(&[("sua", "operator@mu-ca"), ("chi", "reviewer"), ("dung", "leader")]).await;
        station.put_recording().await;
        station
    }

    fn announcement() -> NewAnnouncement {
        NewAnnouncement {
            title: "Họp bản \"tối nay\"".parse().unwrap(),
            script: "Mời bà con họp bản.".parse().unwrap(),
            language: "vi".parse().unwrap(),
            villages: vec!["mu-ca".parse().unwrap()],
            at: None,
            source: Digest::of(b"original"),
        }
    }

    pub(in super::super) async fn made(station: &Station) -> Result<BulletinId, ServerError> {
        let (area, by) = ("mu-ca".parse().unwrap(), "sua".parse().unwrap());
        station.announce(&area, announcement(), &by).await
    }

    async fn is_planned(station: &Station, id: &BulletinId) -> bool {
        let (_, plan) = station.plan().await.unwrap();
        plan.airings.iter().any(|airing| airing.key.programme.as_str() == id.as_str())
    }

    #[tokio::test]
    async fn an_announcement_is_planned_once_somebody_else_heard_it_and_a_leader_signed() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), "").await;
        let id = made(&station).await.unwrap();
        let vi = "vi".parse().unwrap();
        let person = |id: &str| -> PersonId { id.parse().unwrap() };
        assert!(
            station.review(Aim::at(&id, &vi), &person("sua")).await.is_err(),
            "its own announcer"
        );
        station.review(Aim::at(&id, &vi), &person("chi")).await.unwrap();
        assert!(!is_planned(&station, &id).await);
        station.approve(Aim::at(&id, &vi), &person("dung"), PASSPHRASE).await.unwrap();
        assert!(is_planned(&station, &id).await);
        let row = station.announcement(&id).await.unwrap();
        assert!(row.at.is_some_and(|at| at > utc_now()), "it begins soon");
    }

    #[tokio::test]
    async fn a_signature_counts_for_the_time_that_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), "").await;
        let id = made(&station).await.unwrap();
        let vi = "vi".parse().unwrap();
        let person = |id: &str| -> PersonId { id.parse().unwrap() };
        station.review(Aim::at(&id, &vi), &person("chi")).await.unwrap();
        let mark = async || {
            let row = station.announcement(&id).await.unwrap();
            station.announcement_mark(&row).await.unwrap()
        };
        let seen = mark().await;
        let at = Some(utc_now() + Duration::from_hours(24));
        station.move_announcement(&id, Some(seen), at, &person("sua")).await.unwrap();
        let aim = Aim::at(&id, &vi).seen(seen);
        let refused = station.approve(aim, &person("dung"), PASSPHRASE).await;
        assert!(matches!(refused, Err(ServerError::Changed { .. })), "{refused:?}");
        let refused = station.move_announcement(&id, Some(seen), None, &person("sua")).await;
        assert!(matches!(refused, Err(ServerError::Changed { .. })), "{refused:?}");
        let aim = Aim::at(&id, &vi).seen(mark().await);
        station.approve(aim, &person("dung"), PASSPHRASE).await.unwrap();
        assert_eq!(station.announcement(&id).await.unwrap().at, at);
    }

    #[tokio::test]
    async fn where_the_policy_has_no_room_nothing_is_made_and_the_reason_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), QUIET).await;
        let refused = made(&station).await.unwrap_err();
        let ServerError::DoesNotFit { vi, en } = refused else { panic!("{refused}") };
        assert!(vi.starts_with("Mù Cả: ") && en.starts_with("Mù Cả: "), "{vi} {en}");
        assert!(station.store.announcements().await.unwrap().is_empty());
        assert!(station.store.bulletins().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_operator_speaks_in_their_own_commune_only_and_only_soon() {
        let folder = tempfile::tempdir().unwrap();
        let station = town(folder.path(), "").await;
        let by = "sua".parse().unwrap();
        let above = "lai-chau".parse().unwrap();
        let denied = station.announce(&above, announcement(), &by).await;
        assert!(matches!(denied, Err(ServerError::Denied(_))));
        let area = "mu-ca".parse().unwrap();
        for at in [utc_now() - Duration::from_mins(1), utc_now() + COUNTS + Duration::from_mins(1)]
        {
            let new = NewAnnouncement { at: Some(at), ..announcement() };
            let refused = station.announce(&area, new, &by).await;
            assert!(matches!(refused, Err(ServerError::AnnouncementTime)), "{at}");
        }
    }
}
