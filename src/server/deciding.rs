//! What communes are asked, and what their operators decide.

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::{PersonId, ProgrammeId};
use crate::schedule::{Decision, DecisionId, OpenDecision, WallClock, plan};
use crate::server::ServerError;
use crate::server::planning::DAYS;
use crate::server::station::Station;
use crate::store::Fact;

impl Station {
    /// The questions of the coming days that no decision answers and that can still be answered,
    /// nearest deadline first.
    pub async fn open_decisions(&self) -> Result<Vec<OpenDecision>, ServerError> {
        let (_, plan) = self.plan().await?;
        let now = WallClock::of(self.config.zone, utc_now());
        let mut open = plan.open_decisions();
        open.retain(|question| now < question.deadline);
        Ok(open)
    }

    /// `by` decides for their commune which of two priority bulletins goes first; it may be
    /// decided anew until the deadline.
    pub async fn decide(
        &self,
        id: &DecisionId,
        first: &ProgrammeId,
        by: &PersonId,
    ) -> Result<Decision, ServerError> {
        let mut world = self.world().await?;
        let above = world.tree.chain(id.area());
        self.person(by).await?.1.allow(by.as_str(), Action::Decide, &above)?;
        if !id.is_about(first) {
            let (first, decision) = (first.clone(), id.clone());
            return Err(ServerError::NotAsked { first, decision });
        }
        world.decisions.clear();
        let (now, zone) = (utc_now(), self.config.zone);
        let asked = plan(&world, zone.date(now), DAYS).open_decisions();
        let question = asked.into_iter().find(|question| question.decision == *id);
        let question = question.ok_or_else(|| ServerError::NotOpen(id.clone()))?;
        if WallClock::of(zone, now) >= question.deadline {
            let deadline = question.deadline.to_string();
            return Err(ServerError::DecidedLate { decision: id.clone(), deadline });
        }
        let decision = Decision { id: id.clone(), at: now, first: first.clone(), by: by.clone() };
        let mut tx = self.store.begin().await?;
        tx.add_decision(&decision).await?;
        tx.tell(&Fact::new(now, "decision.taken", format!("person:{by}"), &decision)).await?;
        tx.commit().await?;
        Ok(decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulletin::version::Version;
    use crate::bulletin::{Class, SourceLevel};
    use crate::digest::Digest;
    use crate::manifest::Manifest;
    use crate::schedule::Reason;
    use crate::server::tests as stand;
    use crate::time::LocalDate;

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
sessions_a_day_max = 4
minutes_a_session_max = 30
minutes_a_day_max = 60
[[policy.quiet]]
days = ["all"]
from = "11:30"
until = "13:30"
[[policy.window]]
days = ["all"]
from = "05:00"
until = "22:00"

[[programme]]
id = "tin-tinh"
title = "Tin tỉnh"
at = ["06:00:00"]
areas = ["lai-chau"]
bulletins = ["lu"]

[[programme]]
id = "tin-xa"
title = "Tin xã"
at = ["06:05:00"]
areas = ["mu-ca"]
bulletins = ["hop"]
"#;

    /// A station whose province and commune want 06:00 for a priority bulletin each day.
    async fn station(folder: &std::path::Path) -> Station {
        let station = stand::station(folder, SCHEDULE).await;
        let from = utc_now() - std::time::Duration::from_hours(1);
        for (id, level) in [("lu", SourceLevel::Province), ("hop", SourceLevel::Commune)] {
            station.put_approved(&stand::bulletin(id, Class::Priority, level, from)).await;
        }
        let people = [("mua", "operator@mu-ca"), ("pao", "operator@bum-nua"), ("lan", "announcer")];
        station.hire(&people).await;
        station
    }

    /// In three days: no deadline passes while the test runs.
    fn day(station: &Station) -> LocalDate {
        station.config.zone.date(utc_now()).plus_days(3)
    }

    async fn airs(station: &Station, date: LocalDate) -> Vec<String> {
        let (_, plan) = station.plan().await.unwrap();
        let airings = plan.airings.iter().filter(|airing| airing.key.date == date);
        airings.map(|airing| airing.key.programme.to_string()).collect()
    }

    async fn question(station: &Station, date: LocalDate) -> OpenDecision {
        let mut open = station.open_decisions().await.unwrap().into_iter();
        open.find(|question| question.decision.date() == date).unwrap()
    }

    #[tokio::test]
    async fn what_an_operator_decides_is_what_the_server_plans_and_a_fact() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let date = day(&station);
        let asked = question(&station, date).await;
        assert_eq!(asked.default.as_str(), "tin-tinh");
        assert_eq!(airs(&station, date).await, ["tin-tinh"]);
        let (first, by) = ("tin-xa".parse().unwrap(), "mua".parse().unwrap());
        station.decide(&asked.decision, &first, &by).await.unwrap();
        assert_eq!(airs(&station, date).await, ["tin-xa"]);
        assert_eq!(airs(&station, date.plus_days(1)).await, ["tin-tinh"]);
        let open = station.open_decisions().await.unwrap();
        assert!(open.iter().all(|question| question.decision != asked.decision));
        let facts = station.store.facts_waiting(1_000).await.unwrap();
        let fact = facts.iter().find(|fact| fact.kind == "decision.taken").unwrap();
        assert_eq!(fact.who, "person:mua");
        assert!(fact.body.contains(&asked.decision.to_string()), "{}", fact.body);
    }

    #[tokio::test]
    async fn only_the_operator_of_the_commune_decides_and_only_about_what_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let asked = question(&station, day(&station)).await.decision;
        let first = "tin-xa".parse().unwrap();
        let refused = async |id: &DecisionId, first: &str, by: &str| {
            let (first, by) = (first.parse().unwrap(), by.parse().unwrap());
            station.decide(id, &first, &by).await.unwrap_err().to_string()
        };
        let elsewhere = refused(&asked, "tin-xa", "pao").await;
        assert!(elsewhere.contains("only in bum-nua"), "{elsewhere}");
        let announcer = refused(&asked, "tin-xa", "lan").await;
        assert!(announcer.contains("(operator)"), "{announcer}");
        let sentence = refused(&asked, "khac", "mua").await;
        assert!(sentence.contains("`khac` is none of the two"), "{sentence}");
        let past = asked.to_string().replace(&asked.date().to_string(), "2026-01-01");
        let sentence = refused(&past.parse().unwrap(), "tin-xa", "mua").await;
        assert!(sentence.contains("no question any more"), "{sentence}");
        assert!(station.store.decisions().await.unwrap().is_empty());
        station.decide(&asked, &first, &"mua".parse().unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn the_running_server_obeys_exceptions_and_signs_quiet_hours_into_manifests() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let date = day(&station);
        let storm = format!(
            "[[exception]]\nid = \"bao\"\nname = \"Bão số 3\"\nfrom = \"{date}\"\n\
             areas = [\"mu-ca\"]\nskip = true\n"
        );
        station.import_schedule(&[("exceptions.toml".to_owned(), storm)]).await.unwrap();
        let (_, plan) = station.plan().await.unwrap();
        assert!(airs(&station, date).await.is_empty());
        let skipped = plan.remarks.iter().filter(|r| matches!(r.reason, Reason::Skipped { .. }));
        assert_eq!(skipped.count(), 2);
        let mut tx = station.store.begin().await.unwrap();
        let controller = "mu-ca-1".parse().unwrap();
        tx.provision(&controller, Digest::of(b"password")).await.unwrap();
        tx.commit().await.unwrap();
        let keys = station.online_keys().unwrap();
        assert_eq!(station.issue_manifests(&keys.schedule).await.unwrap(), 1);
        let issued = station.store.manifests().await.unwrap();
        let manifest: &Manifest = &issued[0].manifest;
        assert_eq!(manifest.policy.windows.len(), 2);
        assert!(manifest.policy.windows.iter().all(|window| window.until().to_string() != "13:30"));
    }

    #[tokio::test]
    async fn what_is_withdrawn_in_the_afternoon_is_in_no_plan_of_the_evening() {
        let folder = tempfile::tempdir().unwrap();
        let station = station(folder.path()).await;
        let asset = Digest::of(b"lu");
        let names = async || {
            let airings = station.plan().await.unwrap().1.airings;
            airings.iter().flat_map(|airing| airing.items.iter()).any(|item| item.asset == asset)
        };
        assert!(names().await);
        let before = station.version(&"lu".parse().unwrap(), &"vi".parse().unwrap()).await.unwrap();
        let Version::Approved(version) = before.clone() else { unreachable!() };
        let why = "sai tên".parse().unwrap();
        let withdrawn = version.withdraw("minh".parse().unwrap(), utc_now(), why);
        let mut tx = station.store.begin().await.unwrap();
        assert!(tx.put_version(Some(&before), &Version::Withdrawn(withdrawn)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!names().await);
    }
}
