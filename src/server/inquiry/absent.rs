//! Planned airings of controllers for which no device was ever provisioned: no manifest names them,
//! and they are planned all the same.
//!
//! **They count from the instant at which the log says that the controller is expected, until a
//! device is provisioned for it**: nobody is told of gaps from before it stood in the schedule.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::fleet::Controller;
use crate::id::{BulletinId, ControllerId};
use crate::manifest::Item;
use crate::schedule::excerpt::plan_days;
use crate::schedule::{Airing, World};
use crate::server::ServerError;
use crate::server::inquiry::{Because, Inquiry, Places};
use crate::server::station::Station;
use crate::store::{BroadcastRow, Device, Expected, Fact};
use crate::time::{LocalDate, Timestamp};

/// The cause of such an airing, in the word of the reports.
const NEVER: &str = "never-set-up";

/// Controllers that are noted in one transaction at most.
const NOTED_AT_ONCE: usize = 256;

impl Station {
    /// Notes in the log which controllers have no device, each once: from then on their planned
    /// airings count among the gaps.
    pub(in crate::server) async fn expect(
        &self,
        controllers: &[Controller],
        devices: &[Device],
        now: Timestamp,
    ) -> Result<(), ServerError> {
        let set_up: BTreeSet<&ControllerId> = devices.iter().map(|one| &one.controller).collect();
        let mut without: Vec<&Controller> =
            controllers.iter().filter(|one| !set_up.contains(&one.id)).collect();
        if without.is_empty() {
            return Ok(());
        }
        let known = self.store.expected().await?;
        without.retain(|one| !known.contains_key(&one.id));
        for some in without.chunks(NOTED_AT_ONCE) {
            let mut tx = self.store.begin().await?;
            for one in some {
                let body = serde_json::json!({ "controller": one.id, "area": one.area });
                tx.tell(&Fact::new(now, "controller.expected", "server", &body)).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Those of one inquiry, planned day by day as they are asked for.
pub(super) struct Absent {
    /// What the plan is made of: these controllers alone.
    world: World,
    expected: BTreeMap<ControllerId, Expected>,
    about: Option<BulletinId>,
    /// The next day to plan, and the last.
    day: LocalDate,
    until: LocalDate,
    now: Timestamp,
    queue: VecDeque<BroadcastRow>,
}

impl Absent {
    /// Those that an inquiry is about; `None` where there are none.
    pub(super) async fn of(
        station: &Station,
        inquiry: &Inquiry,
        places: &Places,
        now: Timestamp,
    ) -> Result<Option<Self>, ServerError> {
        let zone = station.config.zone;
        let (from, end) = (zone.midnight(inquiry.from), zone.midnight(inquiry.until.plus_days(1)));
        let mut expected = station.store.expected().await?;
        expected.retain(|controller, span| {
            let ended = span.until.is_some_and(|until| until <= from);
            places.hold(controller) && places.area(controller).is_some() && span.at < end && !ended
        });
        let until = inquiry.until.min(zone.date(now));
        if expected.is_empty() || inquiry.from > until {
            return Ok(None);
        }
        let mut world = station.world_on(inquiry.from).await?;
        world.controllers.retain(|controller| expected.contains_key(&controller.id));
        let (about, day) = (inquiry.bulletin.clone(), inquiry.from);
        Ok(Some(Self { world, expected, about, day, until, now, queue: VecDeque::new() }))
    }

    /// Takes those that were to begin before `at`, in order of time; the rest of them where no time
    /// is named.
    pub(super) fn before(&mut self, at: Option<Timestamp>) -> Vec<BroadcastRow> {
        let zone = self.world.zone;
        while self.day <= self.until && at.is_none_or(|at| zone.midnight(self.day) < at) {
            self.plan(self.day);
            self.day = self.day.plus_days(1);
        }
        let early = self.queue.partition_point(|row| at.is_none_or(|at| row.at < at));
        self.queue.drain(..early).collect()
    }

    /// Leaves out what a manifest named after all.
    pub(super) fn named(&mut self, row: &BroadcastRow) {
        if self.expected.contains_key(&row.key.controller) {
            self.queue.retain(|held| held.key != row.key);
        }
    }

    /// Why such an airing was not heard.
    pub(super) fn because(&self, row: &BroadcastRow) -> Because {
        let span = self.expected.get(&row.key.controller);
        Because {
            cause: NEVER.to_owned(),
            at: span.map(|span| span.at),
            entry: span.and_then(|span| span.position),
        }
    }

    fn plan(&mut self, day: LocalDate) {
        // A day that cannot be planned has no airings; the pages of programmes say why.
        let Ok(plan) = plan_days(&self.world, day, (day, day)) else { return };
        let mut rows: Vec<BroadcastRow> =
            plan.airings.iter().filter(|airing| self.counts(airing)).map(row).collect();
        rows.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
        self.queue.extend(rows);
    }

    fn counts(&self, airing: &Airing) -> bool {
        let Some(span) = self.expected.get(&airing.key.controller) else { return false };
        let about = |about: &BulletinId| airing.items.iter().any(|item| item.bulletin == *about);
        span.at <= airing.at
            && span.until.is_none_or(|until| airing.at < until)
            && airing.at <= self.now
            && self.about.as_ref().is_none_or(about)
    }
}

fn row(airing: &Airing) -> BroadcastRow {
    let item = |item: &crate::schedule::Item| Item {
        bulletin: item.bulletin.clone(),
        language: item.language.clone(),
        asset: item.asset,
        length_ms: item.length_ms,
    };
    BroadcastRow {
        key: airing.key.clone(),
        at: airing.at,
        dropped: false,
        items: Arc::new(airing.items.iter().map(item).collect()),
        around: None,
        outcome: None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bulletin::{Class, SourceLevel};
    use crate::clock::utc_now;
    use crate::server::Only;
    use crate::server::tests::{bulletin, station};

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
[[controller]]
id = "mu-ca-2"
area = "mu-ca"
[[policy]]
area = "lai-chau"
sessions_a_day_max = 9
minutes_a_session_max = 30
minutes_a_day_max = 90
[[policy.window]]
days = ["all"]
from = "00:00"
until = "24:00"
[[programme]]
id = "trua"
title = "Tin trưa"
at = ["12:00:00"]
areas = ["lai-chau"]
bulletins = ["tin"]
"#;

    /// A station that expects both controllers since a day ago.
    async fn expecting(folder: &std::path::Path) -> Station {
        let station = station(folder, SCHEDULE).await;
        let day_ago = utc_now() - Duration::from_hours(24);
        let before = day_ago - Duration::from_hours(24);
        let made = bulletin("tin", Class::Normal, SourceLevel::Province, before);
        station.hire(&[("lan", "announcer"), ("hoa", "reviewer"), ("minh", "leader")]).await;
        station.put_approved(&made).await;
        let mut tx = station.store.begin().await.unwrap();
        for controller in ["mu-ca-1", "mu-ca-2"] {
            let body = serde_json::json!({ "controller": controller, "area": "mu-ca" });
            tx.tell(&Fact::new(day_ago, "controller.expected", "server", &body)).await.unwrap();
        }
        tx.commit().await.unwrap();
        station
    }

    /// The last three days, so that days from before they were expected are asked about too.
    fn inquiry(station: &Station) -> Inquiry {
        let today = station.config.zone.date(utc_now());
        Inquiry { from: today.plus_days(-2), until: today, area: None, bulletin: None }
    }

    #[tokio::test]
    async fn figures_gaps_and_airings_agree_about_devices_that_were_never_set_up() {
        let folder = tempfile::tempdir().unwrap();
        let station = expecting(folder.path()).await;
        let mut scribe = crate::server::Scribe::open(&station).await.unwrap();
        scribe.move_facts(&station.store).await.unwrap();
        let inquiry = inquiry(&station);
        let inquired = station.inquire(&inquiry, |_| ()).await.unwrap();
        let total = inquired.figures.total();
        // One noon lies between a day ago and now.
        assert_eq!((total.planned, total.delivered, total.awaited), (2, 0, 2));
        let causes: Vec<(String, u64)> =
            inquired.gaps.causes().into_iter().map(|(why, n)| (why.vi(), n)).collect();
        assert_eq!(causes, [("không có biên nhận: chưa từng lắp thiết bị".to_owned(), 2)]);
        let page = station.aired(&inquiry, &Only::default(), None, 100).await.unwrap();
        let told: Vec<&str> = page.rows.iter().map(|row| row.cause.as_str()).collect();
        assert_eq!(told, [NEVER, NEVER]);
        assert!(page.rows.iter().all(|row| row.entry.is_some()), "each has its place in the log");
        let first = station.aired(&inquiry, &Only::default(), None, 1).await.unwrap();
        let rest = station.aired(&inquiry, &Only::default(), first.next.as_ref(), 100).await;
        assert_eq!(rest.unwrap().rows, page.rows[1..], "page by page");
        let form = station.form("gaps").unwrap();
        let by = crate::report::Dimension::Area;
        let filled = station.fill(&form, &inquiry, by, |_| ()).await.unwrap();
        let csv = String::from_utf8(crate::report::csv::csv(&filled)).unwrap();
        assert_eq!(csv.matches("chưa từng lắp thiết bị").count(), 2, "{csv}");
    }

    #[tokio::test]
    async fn a_controller_is_expected_once_and_no_longer_when_it_has_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path(), SCHEDULE).await;
        station.provision(&"mu-ca-1".parse().unwrap(), None).await.unwrap();
        let keys = station.online_keys().unwrap();
        for _ in 0..2 {
            station.issue_manifests(&keys.schedule).await.unwrap();
        }
        let facts = station.store.facts_waiting(1_000).await.unwrap();
        let told = facts.iter().filter(|fact| fact.kind == "controller.expected").count();
        assert_eq!(told, 1, "mu-ca-2 alone, once");
        let expected = station.store.expected().await.unwrap();
        assert_eq!(expected.keys().map(ControllerId::as_str).collect::<Vec<_>>(), ["mu-ca-2"]);
    }
}
