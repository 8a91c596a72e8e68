//! A station for tests: a folder, its schedule, its people, what they approved.

use std::path::Path;
use std::time::Duration;

use crate::bulletin::version::{
    ApprovalPolicy, Content, Draft, Recording, Spoken, Text, Version, Voice,
};
use crate::bulletin::{Bulletin, Class, Kind, SourceLevel};
use crate::digest::Digest;
use crate::server::{Beginning, Station};
use crate::store::{Person, SourceRow};
use crate::time::Timestamp;

/// The passphrase of every key here.
pub(crate) const PASSPHRASE: &str = "một hai ba bốn năm";

/// A station of the province with this schedule.
pub(crate) async fn station(folder: &Path, schedule: &str) -> Station {
    let path = folder.display();
    let config = format!(
        "net = \"laichau\"\ndata = \"{path}\"\nstore = \"sqlite:{path}/loaban.db\"\n\
         [broker]\nlisten = \"127.0.0.1:1\"\n[web]\nlisten = \"127.0.0.1:2\"\n"
    );
    let root_area = "lai-chau".parse().unwrap();
    let beginning = Beginning { config: &config, root_area, passphrase: PASSPHRASE };
    let station = Station::init(folder, &beginning).await.unwrap();
    let file = ("schedule.toml".to_owned(), schedule.to_owned());
    station.import_schedule(&[file]).await.unwrap();
    station
}

impl Station {
    /// Adds people with their duties, and with keys where a duty signs.
    pub(crate) async fn hire(&self, people: &[(&str, &str)]) {
        for (id, duties) in people {
            let person = Person {
                id: id.parse().unwrap(),
                name: (*id).to_owned(),
                roles: (*duties).to_owned(),
            };
            self.add_person(&person, Some(PASSPHRASE), Some(PASSPHRASE), None).await.unwrap();
        }
    }

    /// Adds a recording of twenty seconds that was taken in, and tells its original.
    pub(crate) async fn put_recording(&self) -> Digest {
        let row = SourceRow {
            digest: Digest::of(b"original"),
            recipe: crate::server::newsroom::sound::RECIPE.to_owned(),
            asset: self.assets.put(b"a sound").unwrap(),
            length_ms: 20_000,
            measurement: String::new(),
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.put_source(&row).await.unwrap();
        tx.commit().await.unwrap();
        row.digest
    }

    /// Adds a bulletin whose Vietnamese version counts as approved. Nobody signed it, so it can be
    /// planned and never be heard.
    pub(crate) async fn put_approved(&self, bulletin: &Bulletin) {
        let at = bulletin.valid_from;
        let reviewed = draft(bulletin, bulletin.id.as_str().as_bytes())
            .review("hoa".parse().unwrap(), at)
            .unwrap();
        let policy = ApprovalPolicy { reviewer_may_approve: false };
        let leader = "minh".parse().unwrap();
        let approved = reviewed.approve(leader, at, String::new(), policy).unwrap();
        let mut tx = self.store.begin().await.unwrap();
        tx.put_bulletin(bulletin).await.unwrap();
        assert!(tx.put_version(None, &Version::Approved(approved)).await.unwrap());
        tx.commit().await.unwrap();
    }
}

/// A bulletin of the whole station that counts for a month.
pub(crate) fn bulletin(id: &str, class: Class, level: SourceLevel, from: Timestamp) -> Bulletin {
    let plain = serde_json::json!({
        "id": id, "title": id, "column": "Thời sự", "kind": Kind::News, "class": class,
        "source_level": level, "issuing_body": "UBND",
        "valid_from": from, "valid_until": from + Duration::from_hours(24 * 30),
    });
    serde_json::from_value(plain).unwrap()
}

/// Its Vietnamese version, ten minutes read by `lan`; `sound` is all that is in the asset.
pub(crate) fn draft(bulletin: &Bulletin, sound: &[u8]) -> Draft {
    let text = Text {
        bulletin: bulletin.id.clone(),
        language: "vi".parse().unwrap(),
        variety: None,
        script: "Bà con chú ý.".parse().unwrap(),
        contributor: None,
        translator: None,
    };
    let (asset, source) = (Digest::of(sound), Digest::of(b"original"));
    let recording = Recording { asset, length_ms: 600_000, source };
    let spoken = Spoken { announcer: "lan".parse().unwrap(), voice: Voice::Human, recording };
    Draft::new(Content { text, spoken })
}
