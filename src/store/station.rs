//! The station itself: named values, trust documents, people, devices.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::id::{ControllerId, PersonId};
use crate::note::PublicKey;
use crate::store::{
    Store, StoreError, Tx, document, number, optional_number, optional_text, parsed, text,
};
use crate::time::Timestamp;

/// Somebody who works with the station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The id.
    pub id: PersonId,
    /// The name.
    pub name: String,
    /// What they may do, in the words of `access`.
    pub roles: String,
}

/// A controller that was provisioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub controller: ControllerId,
    /// The SHA-256 of its MQTT password, which has 128 random bits.
    pub password: Digest,
    /// The key that it made, once it is enrolled.
    pub public_key: Option<PublicKey>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A device of a controller began to count, or none did any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceTurn {
    /// Of which controller.
    pub controller: ControllerId,
    /// When.
    pub at: Timestamp,
    /// The key of the device that was enrolled; `None` where it was revoked.
    pub key: Option<PublicKey>,
    /// Where in the log that is; `None` while it waits.
    pub position: Option<u64>,
}

impl Tx {
    /// Sets a named value.
    pub async fn set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into station (name, value) values ($1, $2)
             on conflict (name) do update set value = excluded.value",
        );
        query
            .bind(name)
            .bind(value)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a value"))?;
        Ok(())
    }

    /// Adds a trust document.
    pub async fn add_trust(&mut self, version: u64, note: &str) -> Result<(), StoreError> {
        sqlx::query("insert into trust (version, note) values ($1, $2)")
            .bind(super::signed(version))
            .bind(note)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a trust document"))?;
        Ok(())
    }

    /// Adds a person, or changes name and roles.
    pub async fn put_person(&mut self, person: &Person) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into person (id, name, roles) values ($1, $2, $3)
             on conflict (id) do update set name = excluded.name, roles = excluded.roles",
        );
        query
            .bind(person.id.as_str())
            .bind(&person.name)
            .bind(&person.roles)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a person"))?;
        Ok(())
    }

    /// Adds a device with a new password, or gives one a new password; its key is kept.
    pub async fn provision(
        &mut self,
        controller: &ControllerId,
        password: Digest,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into device (controller, password) values ($1, $2)
             on conflict (controller) do update set password = excluded.password",
        );
        query
            .bind(controller.as_str())
            .bind(password.to_string())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("provision a controller"))?;
        Ok(())
    }

    /// Notes the key that a device made; `false` where it was never provisioned.
    pub async fn enrol(
        &mut self,
        controller: &ControllerId,
        key: &PublicKey,
    ) -> Result<bool, StoreError> {
        let done =
            sqlx::query("update device set public_key = $2, revoked = null where controller = $1")
                .bind(controller.as_str())
                .bind(key.to_string())
                .execute(&mut *self.inner)
                .await
                .map_err(StoreError::query("enrol a controller"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that a device counts for nothing from `at` on; `false` where it was never provisioned.
    pub async fn revoke(
        &mut self,
        controller: &ControllerId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("update device set revoked = $2 where controller = $1")
            .bind(controller.as_str())
            .bind(at.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("revoke a controller"))?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// A named value.
    pub async fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("select value from station where name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a value"))?;
        row.map(|row| text(&row, 0)).transpose()
    }

    /// Every trust document, oldest first.
    pub async fn trust(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("select note from trust order by version")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the trust documents"))?;
        rows.iter().map(|row| text(row, 0)).collect()
    }

    /// Everybody.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let rows = sqlx::query("select id, name, roles from person order by id")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the people"))?;
        let person = |row: &sqlx::any::AnyRow| {
            Ok(Person {
                id: parsed("person", &text(row, 0)?)?,
                name: text(row, 1)?,
                roles: text(row, 2)?,
            })
        };
        rows.iter().map(person).collect()
    }

    /// Every device.
    pub async fn devices(&self) -> Result<Vec<Device>, StoreError> {
        let rows = sqlx::query(
            "select controller, password, public_key, revoked from device order by controller",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the devices"))?;
        rows.iter().map(device).collect()
    }

    /// When devices were enrolled and revoked, oldest first.
    pub async fn device_turns(&self) -> Result<Vec<DeviceTurn>, StoreError> {
        let rows = sqlx::query(
            "select at, body, position from fact
             where kind in ('controller.enrolled', 'controller.revoked') order by at, id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read when devices counted"))?;
        rows.iter().map(device_turn).collect()
    }

    /// The controllers that stood in the schedule before a device was provisioned for them, with the
    /// time of it.
    pub async fn expected(&self) -> Result<BTreeMap<ControllerId, Expected>, StoreError> {
        let rows = sqlx::query(
            "select at, body, position, kind from fact
             where kind in ('controller.expected', 'controller.provisioned') order by at, id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read which controllers are expected"))?;
        let mut expected: BTreeMap<ControllerId, Expected> = BTreeMap::new();
        for row in &rows {
            let turn = device_turn(row)?;
            if text(row, 3)? == "controller.expected" {
                let begun = Expected { at: turn.at, position: turn.position, until: None };
                expected.entry(turn.controller).or_insert(begun);
            } else if let Some(held) = expected.get_mut(&turn.controller) {
                held.until.get_or_insert(turn.at);
            }
        }
        Ok(expected)
    }

    /// A number that every change of plan, content, people or devices raises.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("select n from revision")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::query("read the revision"))?;
        number(&row, 0)
    }
}

fn device(row: &sqlx::any::AnyRow) -> Result<Device, StoreError> {
    let key = optional_text(row, 2)?;
    Ok(Device {
        controller: parsed("device", &text(row, 0)?)?,
        password: parsed("device", &text(row, 1)?)?,
        public_key: key.map(|key| parsed("device", &key)).transpose()?,
        revoked: optional_number(row, 3)?.map(Timestamp::from_micros),
    })
}

/// A controller that stood in the schedule before a device was provisioned for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Since when.
    pub at: Timestamp,
    /// Where in the log that stands; `None` while it waits.
    pub position: Option<u64>,
    /// When a device was provisioned.
    pub until: Option<Timestamp>,
}

fn device_turn(row: &sqlx::any::AnyRow) -> Result<DeviceTurn, StoreError> {
    let body: serde_json::Value = document("fact", &text(row, 1)?)?;
    let word = |name: &str| body[name].as_str();
    let position = optional_number(row, 2)?;
    Ok(DeviceTurn {
        controller: parsed("fact", word("controller").unwrap_or_default())?,
        at: Timestamp::from_micros(number(row, 0)?),
        key: word("key").map(|key| parsed("fact", key)).transpose()?,
        position: position.map(|n| super::unsigned("fact", n)).transpose()?,
    })
}
