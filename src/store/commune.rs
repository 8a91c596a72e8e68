//! What a commune's people note: who looks after a speaker, borders, their own announcements.

use std::collections::BTreeMap;

use crate::bulletin::Comment;
use crate::fleet::Outline;
use crate::id::{AreaId, BulletinId, ControllerId, PersonId};
use crate::store::{
    Store, StoreError, Tx, document, json, number, optional_number, optional_text, parsed, text,
};
use crate::time::Timestamp;

/// Somebody works at a speaker: until then it raises no alarm.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Maintenance {
    /// From when on.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: PersonId,
}

/// Somebody takes care of a fault.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Acknowledgement {
    /// The word of the fault.
    pub code: String,
    /// Since when it was so, where that tells one fault from the next.
    pub since: Option<Timestamp>,
    /// When it was taken.
    pub at: Timestamp,
    /// What is done about it.
    pub note: String,
    /// Who takes care.
    pub by: PersonId,
}

/// A commune's own announcement: where and when its bulletin is heard.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AnnouncementRow {
    /// The bulletin.
    pub bulletin: BulletinId,
    /// The commune.
    pub area: AreaId,
    /// Where it is heard.
    pub villages: Vec<AreaId>,
    /// When it begins; `None` while it waits for its approval to begin at once.
    pub at: Option<Timestamp>,
    /// When it was handed in.
    pub made: Timestamp,
    /// Who made it.
    pub by: PersonId,
    /// That it was taken back before it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

/// That an announcement was taken back before anybody approved it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Withdrawal {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: PersonId,
    /// Why.
    pub reason: Comment,
}

impl Tx {
    /// Keeps what holds for a speaker from now on.
    pub async fn put_maintenance(
        &mut self,
        controller: &ControllerId,
        held: &Maintenance,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into maintenance (controller, since, until, reason, by_person)
             values ($1, $2, $3, $4, $5)
             on conflict (controller) do update set since = excluded.since,
                 until = excluded.until, reason = excluded.reason, by_person = excluded.by_person",
        );
        query
            .bind(controller.as_str())
            .bind(held.since.micros())
            .bind(held.until.micros())
            .bind(&held.reason)
            .bind(held.by.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a maintenance"))?;
        Ok(())
    }

    /// Keeps who takes care of a speaker's fault.
    pub async fn put_acknowledgement(
        &mut self,
        controller: &ControllerId,
        held: &Acknowledgement,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into acknowledgement (controller, code, since, at, note, by_person)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (controller) do update set code = excluded.code, since = excluded.since,
                 at = excluded.at, note = excluded.note, by_person = excluded.by_person",
        );
        query
            .bind(controller.as_str())
            .bind(&held.code)
            .bind(held.since.map(Timestamp::micros))
            .bind(held.at.micros())
            .bind(&held.note)
            .bind(held.by.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an acknowledgement"))?;
        Ok(())
    }

    /// Keeps the border of an area.
    pub async fn put_outline(
        &mut self,
        area: &AreaId,
        outline: &Outline,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into outline (area, rings) values ($1, $2)
             on conflict (area) do update set rings = excluded.rings",
        );
        query
            .bind(area.as_str())
            .bind(json(outline))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a border"))?;
        Ok(())
    }

    /// Gives an announcement another time where it still has the one of `before`; `false` where it
    /// has not, and nothing is changed then.
    pub async fn move_announcement(
        &mut self,
        before: &AnnouncementRow,
        at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let none = Timestamp::from_micros(-1);
        let query = sqlx::query(
            "update announcement set at = $1 where bulletin = $2 and coalesce(at, -1) = $3",
        );
        let query = query
            .bind(at.map(Timestamp::micros))
            .bind(before.bulletin.as_str())
            .bind(before.at.unwrap_or(none).micros());
        let done = query.execute(&mut *self.inner).await;
        Ok(done.map_err(StoreError::query("move an announcement"))?.rows_affected() == 1)
    }

    /// Takes an announcement back where nobody did so before; `false` where somebody did.
    pub async fn withdraw_announcement(
        &mut self,
        bulletin: &BulletinId,
        withdrawal: &Withdrawal,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "update announcement set withdrawn = $1 where bulletin = $2 and withdrawn is null",
        );
        let query = query.bind(json(withdrawal)).bind(bulletin.as_str());
        let done = query.execute(&mut *self.inner).await;
        Ok(done.map_err(StoreError::query("take an announcement back"))?.rows_affected() == 1)
    }

    /// Whether an announcement of this bulletin was taken back, as of this transaction.
    pub async fn is_announcement_withdrawn(
        &mut self,
        bulletin: &BulletinId,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "select bulletin from announcement where bulletin = $1 and withdrawn is not null",
        );
        let found = query.bind(bulletin.as_str()).fetch_optional(&mut *self.inner).await;
        Ok(found.map_err(StoreError::query("read an announcement"))?.is_some())
    }

    /// Keeps a new announcement.
    pub async fn put_announcement(&mut self, row: &AnnouncementRow) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into announcement (bulletin, area, villages, at, made, by_person)
             values ($1, $2, $3, $4, $5, $6)",
        );
        query
            .bind(row.bulletin.as_str())
            .bind(row.area.as_str())
            .bind(json(&row.villages))
            .bind(row.at.map(Timestamp::micros))
            .bind(row.made.micros())
            .bind(row.by.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an announcement"))?;
        Ok(())
    }
}

impl Store {
    /// What was last said of maintenance, by speaker; some of it may be over.
    pub async fn maintenances(&self) -> Result<BTreeMap<ControllerId, Maintenance>, StoreError> {
        let rows =
            sqlx::query("select controller, since, until, reason, by_person from maintenance")
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::query("read the maintenances"))?;
        let row = |row: &sqlx::any::AnyRow| {
            let held = Maintenance {
                since: Timestamp::from_micros(number(row, 1)?),
                until: Timestamp::from_micros(number(row, 2)?),
                reason: text(row, 3)?,
                by: parsed("maintenance", &text(row, 4)?)?,
            };
            Ok((parsed("maintenance", &text(row, 0)?)?, held))
        };
        rows.iter().map(row).collect()
    }

    /// Who last took care of a fault, by speaker; it may be another one by now.
    pub async fn acknowledgements(
        &self,
    ) -> Result<BTreeMap<ControllerId, Acknowledgement>, StoreError> {
        let query = "select controller, code, since, at, note, by_person from acknowledgement";
        let rows = sqlx::query(query)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the acknowledgements"))?;
        let row = |row: &sqlx::any::AnyRow| {
            let held = Acknowledgement {
                code: text(row, 1)?,
                since: optional_number(row, 2)?.map(Timestamp::from_micros),
                at: Timestamp::from_micros(number(row, 3)?),
                note: text(row, 4)?,
                by: parsed("acknowledgement", &text(row, 5)?)?,
            };
            Ok((parsed("acknowledgement", &text(row, 0)?)?, held))
        };
        rows.iter().map(row).collect()
    }

    /// The border of an area, where one was imported.
    pub async fn outline(&self, area: &AreaId) -> Result<Option<Outline>, StoreError> {
        let row = sqlx::query("select rings from outline where area = $1")
            .bind(area.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a border"))?;
        row.map(|row| document("outline", &text(&row, 0)?)).transpose()
    }

    /// Every announcement, newest first.
    pub async fn announcements(&self) -> Result<Vec<AnnouncementRow>, StoreError> {
        let rows = sqlx::query(
            "select bulletin, area, villages, at, made, by_person, withdrawn from announcement
             order by made desc, bulletin",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the announcements"))?;
        rows.iter().map(announcement).collect()
    }

    /// The announcement whose bulletin this is.
    pub async fn announcement(
        &self,
        bulletin: &BulletinId,
    ) -> Result<Option<AnnouncementRow>, StoreError> {
        let row = sqlx::query(
            "select bulletin, area, villages, at, made, by_person, withdrawn from announcement
             where bulletin = $1",
        )
        .bind(bulletin.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read an announcement"))?;
        row.as_ref().map(announcement).transpose()
    }
}

fn announcement(row: &sqlx::any::AnyRow) -> Result<AnnouncementRow, StoreError> {
    Ok(AnnouncementRow {
        bulletin: parsed("announcement", &text(row, 0)?)?,
        area: parsed("announcement", &text(row, 1)?)?,
        villages: document("announcement", &text(row, 2)?)?,
        at: optional_number(row, 3)?.map(Timestamp::from_micros),
        made: Timestamp::from_micros(number(row, 4)?),
        by: parsed("announcement", &text(row, 5)?)?,
        withdrawn: optional_text(row, 6)?
            .map(|text| document("announcement", &text))
            .transpose()?,
    })
}
