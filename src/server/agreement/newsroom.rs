//! What is changed in its place: the row must be what the last entry about it says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::access::Duties;
use crate::bulletin::version::Version;
use crate::digest::Digest;
use crate::server::ServerError;

use super::Comparison;

/// Rows of one table by their names, as the log would tell them.
type Rows = BTreeMap<(&'static str, String), Value>;

impl Comparison<'_> {
    /// Compares every row that is changed in its place with the last entry about it.
    pub(super) async fn newest_rows(&mut self) -> Result<(), ServerError> {
        let rows = self.rows().await?;
        for ((table, row), (index, said)) in std::mem::take(&mut self.last) {
            let name = format!("{table} {row}");
            match rows.get(&(table, row)) {
                None => self.say(Some(index), name, "it is gone"),
                Some(held) => {
                    if let Some(what) = differs(table, held, &said) {
                        self.say(Some(index), name, format!("another {what}"));
                    }
                }
            }
        }
        Ok(())
    }

    async fn rows(&self) -> Result<Rows, ServerError> {
        let store = &self.station.store;
        let mut rows = Rows::new();
        for bulletin in store.bulletins().await? {
            rows.insert(("bulletin", bulletin.id.to_string()), json!({ "whole": bulletin }));
        }
        for version in store.versions().await? {
            let text = version.text();
            rows.insert(
                ("version", format!("{} {}", text.bulletin, text.language)),
                told(&version),
            );
        }
        for (name, body) in store.schedule_files().await? {
            let sha256 = Digest::of(body.as_bytes());
            rows.insert(("schedule_file", name), json!({ "sha256": sha256 }));
        }
        for person in store.people().await? {
            let duties = person.roles.parse::<Duties>().map(|duties| duties.to_string());
            let duties = duties.unwrap_or(person.roles);
            rows.insert(("person", person.id.to_string()), json!({ "duties": duties }));
        }
        for (version, note) in (1..).zip(store.trust().await?) {
            let version: u64 = version;
            rows.insert(("trust", version.to_string()), json!({ "note": note }));
        }
        for decision in store.decisions().await? {
            let row = format!("{} {}", decision.id, decision.at.micros());
            rows.insert(("decision", row), json!({ "first": decision.first, "by": decision.by }));
        }
        for row in store.emergencies().await? {
            let name = format!("{} {}", row.id, row.doing.as_str());
            rows.insert(("emergency", name), json!({ "note": row.note }));
        }
        Ok(rows)
    }
}

/// What a step of this version tells the log.
fn told(version: &Version) -> Value {
    let text = version.text();
    let spoken = version.spoken();
    let approved = match version {
        Version::Approved(approved) => Some(format!("person:{}", approved.approved().by)),
        Version::Text(_) | Version::Draft(_) | Version::Reviewed(_) | Version::Withdrawn(_) => None,
    };
    json!({
        "state": version.state(),
        "script": Digest::of(text.script.as_str().as_bytes()),
        "asset": spoken.map(|spoken| spoken.recording.asset),
        "announcer": spoken.map(|spoken| &spoken.announcer),
        "approved": approved,
    })
}

/// The first thing in which a row differs from the last entry about it.
fn differs(table: &str, held: &Value, said: &Value) -> Option<&'static str> {
    let same =
        |name: &str| held[name].is_null() && said[name].is_null() || held[name] == said[name];
    let of = |names: &[&'static str]| names.iter().find(|name| !same(name)).copied();
    match table {
        "bulletin" => (held["whole"] != *said).then_some("document"),
        "version" => {
            let approver = said["kind"] == "version.approved" && held["approved"] != said["who"];
            of(&["state", "script", "asset", "announcer"]).or(approver.then_some("approver"))
        }
        // Somebody who was revoked has no duties; an erasure changes none.
        "person" if said["duties"].is_null() => {
            (said["erased"].is_null() && held["duties"] != "").then_some("set of duties")
        }
        "person" => (!same("duties")).then_some("set of duties"),
        "schedule_file" => of(&["sha256"]),
        "decision" => of(&["first", "by"]),
        _ => of(&["note"]),
    }
}
