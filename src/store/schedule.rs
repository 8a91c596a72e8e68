//! Schedule files, the manifests made from them, and the airings that those named.

use std::collections::BTreeMap;

use crate::audio::tone::Tone;
use crate::calendar::AiringKey;
use crate::id::{ControllerId, ProgrammeId};
use crate::manifest::{Item, Manifest, ManifestAiring};
use crate::store::{
    Store, StoreError, Tx, document, json, number, optional_number, parsed, places, signed, text,
    unsigned,
};
use crate::time::{LocalDate, Timestamp};

/// The newest manifest of one controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedManifest {
    /// What it says.
    pub manifest: Manifest,
    /// Its signed note.
    pub note: String,
    /// Whether the log has its fact, so that it may leave.
    pub logged: bool,
}

/// An airing that a manifest named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AiringRow {
    /// Its identity.
    pub key: AiringKey,
    /// When it begins.
    pub at: Timestamp,
    /// The last instant at which it may begin.
    pub latest: Timestamp,
    /// The manifest that named it last.
    pub manifest: u64,
    /// When a newer manifest left it out before it began.
    pub dropped: Option<Timestamp>,
    /// Its running order.
    pub items: Vec<Item>,
    /// What sounds around its items; `None` where an earlier release named it.
    pub around: Option<Around>,
}

/// What sounds in an airing beside its items, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The opening before the first item.
    pub lead_ms: u64,
    /// The pause between two items.
    pub gap_ms: u64,
}

impl Around {
    /// Of an airing as a manifest names it.
    pub fn of(airing: &ManifestAiring) -> Self {
        let lead_ms = if airing.chime { Tone::Opening.duration().get() } else { 0 };
        Self { lead_ms, gap_ms: airing.gap_ms.into() }
    }
}

/// A programme at one time, as manifests named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedSlot {
    /// The programme.
    pub programme: ProgrammeId,
    /// The local date.
    pub date: LocalDate,
    /// Its place among those of that date.
    pub occurrence: u16,
    /// When the first of its airings was to begin.
    pub at: Timestamp,
    /// How many controllers were told to air it.
    pub controllers: usize,
}

impl Tx {
    /// Adds or replaces a schedule file.
    pub async fn put_schedule_file(&mut self, name: &str, body: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into schedule_file (name, body) values ($1, $2)
             on conflict (name) do update set body = excluded.body",
        );
        query
            .bind(name)
            .bind(body)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a schedule file"))?;
        Ok(())
    }

    /// Keeps a signed manifest with the airings that it names; those of the controller that it
    /// leaves out before they began are dropped.
    pub async fn issue(
        &mut self,
        manifest: &Manifest,
        note: &str,
        fact: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into manifest (controller, number, doc, note, fact) values ($1, $2, $3, $4, $5)")
            .bind(manifest.controller.as_str())
            .bind(signed(manifest.number))
            .bind(json(manifest))
            .bind(note)
            .bind(fact)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a manifest"))?;
        for airing in &manifest.airings {
            self.put_airing(manifest, airing).await?;
        }
        self.drop_airings(manifest).await
    }

    async fn put_airing(
        &mut self,
        manifest: &Manifest,
        airing: &ManifestAiring,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into airing
                 (programme, controller, date, occurrence, at, latest, manifest, doc, lead_ms,
                  gap_ms)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (programme, controller, date, occurrence)
             do update set at = excluded.at, latest = excluded.latest,
                 manifest = excluded.manifest, doc = excluded.doc, dropped = null,
                 lead_ms = excluded.lead_ms, gap_ms = excluded.gap_ms",
        );
        let around = Around::of(airing);
        query
            .bind(airing.programme.as_str())
            .bind(manifest.controller.as_str())
            .bind(airing.date.to_string())
            .bind(i64::from(airing.occurrence))
            .bind(airing.at.micros())
            .bind(airing.latest.micros())
            .bind(signed(manifest.number))
            .bind(json(&airing.items))
            .bind(signed(around.lead_ms))
            .bind(signed(around.gap_ms))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep an airing"))?;
        Ok(())
    }

    async fn drop_airings(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        let query = sqlx::query(
            "update airing set dropped = $3
             where controller = $1 and manifest < $2 and at > $3 and dropped is null",
        );
        query
            .bind(manifest.controller.as_str())
            .bind(signed(manifest.number))
            .bind(manifest.issued.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("drop airings"))?;
        Ok(())
    }
}

impl Store {
    /// Every schedule file: its name and its text.
    pub async fn schedule_files(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query("select name, body from schedule_file order by name")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the schedule files"))?;
        rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?))).collect()
    }

    /// The newest manifest of every controller.
    pub async fn manifests(&self) -> Result<Vec<IssuedManifest>, StoreError> {
        let rows = sqlx::query(
            "select m.doc, m.note, f.position from manifest m join fact f on f.id = m.fact
             where m.number = (select max(n.number) from manifest n where n.controller = m.controller)
             order by m.controller",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the manifests"))?;
        let issued = |row: &sqlx::any::AnyRow| {
            Ok(IssuedManifest {
                manifest: document("manifest", &text(row, 0)?)?,
                note: text(row, 1)?,
                logged: optional_number(row, 2)?.is_some(),
            })
        };
        rows.iter().map(issued).collect()
    }

    /// By number, where in the log the manifests of a controller are.
    pub async fn manifest_positions(
        &self,
        controller: &ControllerId,
    ) -> Result<BTreeMap<u64, Option<u64>>, StoreError> {
        let rows = sqlx::query(
            "select m.number, f.position from manifest m join fact f on f.id = m.fact
             where m.controller = $1",
        )
        .bind(controller.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the places of manifests"))?;
        let place = |row: &sqlx::any::AnyRow| {
            let position = optional_number(row, 1)?;
            let position = position.map(|n| unsigned("manifest", n)).transpose()?;
            Ok((unsigned("manifest", number(row, 0)?)?, position))
        };
        rows.iter().map(place).collect()
    }

    /// Every airing that was to begin from `from` until before `until`, in order of time.
    pub async fn airings(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AiringRow>, StoreError> {
        let rows = sqlx::query(
            "select programme, controller, date, occurrence, at, latest, manifest, dropped, doc,
                 lead_ms, gap_ms
             from airing where at >= $1 and at < $2
             order by at, controller, programme, occurrence",
        )
        .bind(from.micros())
        .bind(until.micros())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the airings"))?;
        rows.iter().map(airing).collect()
    }

    /// The airings of several controllers that begin from `from` until before `until`.
    pub async fn airings_of(
        &self,
        controllers: &[ControllerId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AiringRow>, StoreError> {
        let sql = format!(
            "select programme, controller, date, occurrence, at, latest, manifest, dropped, doc,
                 lead_ms, gap_ms
             from airing where at >= $1 and at < $2 and controller in ({})
             order by at, programme",
            places(3, controllers.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        query = query.bind(from.micros()).bind(until.micros());
        for controller in controllers {
            query = query.bind(controller.as_str());
        }
        let rows = query.fetch_all(&self.pool).await;
        rows.map_err(StoreError::query("read the airings"))?.iter().map(airing).collect()
    }

    /// What was to begin from `from` until before `until` at some controllers, or at all of them, by
    /// programme and time.
    pub async fn issued_slots(
        &self,
        from: Timestamp,
        until: Timestamp,
        controllers: Option<&[ControllerId]>,
    ) -> Result<Vec<IssuedSlot>, StoreError> {
        let here = controllers.map_or_else(String::new, |held| {
            format!("and controller in ({})", places(3, held.len()))
        });
        let sql = format!(
            "select programme, date, occurrence, min(at), count(*) from airing
             where at >= $1 and at < $2 and dropped is null {here}
             group by programme, date, occurrence"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        query = query.bind(from.micros()).bind(until.micros());
        for controller in controllers.unwrap_or_default() {
            query = query.bind(controller.as_str());
        }
        let rows = query.fetch_all(&self.pool).await;
        let rows = rows.map_err(StoreError::query("read what was issued"))?;
        let slot = |row: &sqlx::any::AnyRow| {
            let corrupt = |error: std::num::TryFromIntError| StoreError::corrupt("airing", error);
            Ok(IssuedSlot {
                programme: parsed("airing", &text(row, 0)?)?,
                date: parsed("airing", &text(row, 1)?)?,
                occurrence: number(row, 2)?.try_into().map_err(corrupt)?,
                at: Timestamp::from_micros(number(row, 3)?),
                controllers: number(row, 4)?.try_into().map_err(corrupt)?,
            })
        };
        rows.iter().map(slot).collect()
    }

    /// The airings of one controller that begin from `from` until before `until`, in order.
    pub async fn airings_at(
        &self,
        controller: &ControllerId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AiringRow>, StoreError> {
        let rows = sqlx::query(
            "select programme, controller, date, occurrence, at, latest, manifest, dropped, doc,
                 lead_ms, gap_ms
             from airing where controller = $1 and at >= $2 and at < $3 order by at, programme",
        )
        .bind(controller.as_str())
        .bind(from.micros())
        .bind(until.micros())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the airings"))?;
        rows.iter().map(airing).collect()
    }
}

pub(super) fn key(table: &'static str, row: &sqlx::any::AnyRow) -> Result<AiringKey, StoreError> {
    let occurrence = number(row, 3)?;
    Ok(AiringKey {
        programme: parsed(table, &text(row, 0)?)?,
        controller: parsed::<ControllerId>(table, &text(row, 1)?)?,
        date: parsed(table, &text(row, 2)?)?,
        occurrence: u16::try_from(occurrence).map_err(|e| StoreError::corrupt(table, e))?,
    })
}

pub(super) fn airing(row: &sqlx::any::AnyRow) -> Result<AiringRow, StoreError> {
    Ok(AiringRow {
        key: key("airing", row)?,
        at: Timestamp::from_micros(number(row, 4)?),
        latest: Timestamp::from_micros(number(row, 5)?),
        manifest: unsigned("airing", number(row, 6)?)?,
        dropped: optional_number(row, 7)?.map(Timestamp::from_micros),
        items: document("airing", &text(row, 8)?)?,
        around: around(row, 9)?,
    })
}

/// What sounds around the items, from the column `at` on.
pub(super) fn around(row: &sqlx::any::AnyRow, at: usize) -> Result<Option<Around>, StoreError> {
    let lead = optional_number(row, at)?.map(|n| unsigned("airing", n)).transpose()?;
    let gap = optional_number(row, at + 1)?.map(|n| unsigned("airing", n)).transpose()?;
    Ok(lead.zip(gap).map(|(lead_ms, gap_ms)| Around { lead_ms, gap_ms }))
}
