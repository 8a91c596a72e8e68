//! Bulletins, their versions, and the recordings that were made for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::bulletin::search::{words_of, words_of_text};
use crate::bulletin::version::Version;
use crate::bulletin::{Bulletin, Title};
use crate::digest::Digest;
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::store::{
    Store, StoreError, Tx, document, json, number, optional_number, parsed, places, signed, text,
    unsigned,
};
use crate::time::Timestamp;

/// A recording that may be fanned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetRow {
    /// The recording.
    pub digest: Digest,
    /// The note that its approver signed.
    pub descriptor: String,
    /// Bytes of a block.
    pub block_bytes: u32,
    /// Its number of blocks.
    pub blocks: u32,
    /// When it was withdrawn.
    pub withdrawn: Option<Timestamp>,
}

/// What was made of a recording that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// The SHA-256 of the file that was handed in.
    pub digest: Digest,
    /// How it was normalised.
    pub recipe: String,
    /// What came out.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// The measurements, as JSON.
    pub measurement: String,
}

impl Tx {
    /// Adds or changes a bulletin.
    pub async fn put_bulletin(&mut self, bulletin: &Bulletin) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into bulletin (id, doc) values ($1, $2)
             on conflict (id) do update set doc = excluded.doc",
        );
        query
            .bind(bulletin.id.as_str())
            .bind(json(bulletin))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a bulletin"))?;
        self.index(&bulletin.id, "", words_of(bulletin)).await
    }

    /// Puts `bulletin` in the place of `before`, which nobody may have changed meanwhile; `false`
    /// where somebody did, and nothing is changed then.
    pub async fn amend_bulletin(
        &mut self,
        before: &Bulletin,
        bulletin: &Bulletin,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query("update bulletin set doc = $2 where id = $1 and doc = $3")
            .bind(before.id.as_str())
            .bind(json(bulletin))
            .bind(json(before));
        let done = query.execute(&mut *self.inner).await;
        let done = done.map_err(StoreError::query("amend a bulletin"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.index(&bulletin.id, "", words_of(bulletin)).await?;
        Ok(true)
    }

    /// Keeps others from changing `bulletin` until this is committed; `false` where it is another
    /// one by now.
    pub async fn hold_bulletin(&mut self, bulletin: &Bulletin) -> Result<bool, StoreError> {
        let query = sqlx::query("update bulletin set doc = doc where id = $1 and doc = $2")
            .bind(bulletin.id.as_str())
            .bind(json(bulletin));
        let done = query.execute(&mut *self.inner).await;
        Ok(done.map_err(StoreError::query("hold a bulletin"))?.rows_affected() == 1)
    }

    /// The languages in which a bulletin is approved, as of this transaction.
    pub async fn approved_in(&mut self, id: &BulletinId) -> Result<Vec<LangTag>, StoreError> {
        let query = sqlx::query(
            "select language from version where bulletin = $1 and state = 'approved'
             order by language",
        )
        .bind(id.as_str());
        let rows = query.fetch_all(&mut *self.inner).await;
        let rows = rows.map_err(StoreError::query("read what is approved"))?;
        rows.iter().map(|row| parsed("version", &text(row, 0)?)).collect()
    }

    /// Puts `version` in the place of `before`, which nobody may have changed meanwhile; `false`
    /// where somebody did, and nothing is changed then.
    pub async fn put_version(
        &mut self,
        before: Option<&Version>,
        version: &Version,
    ) -> Result<bool, StoreError> {
        let text = version.text();
        let statement = match before {
            None => {
                "insert into version (bulletin, language, state, doc) values ($1, $2, $3, $4)
                 on conflict (bulletin, language) do nothing"
            }
            Some(_) => {
                "update version set state = $3, doc = $4
                 where bulletin = $1 and language = $2 and doc = $5"
            }
        };
        let query = sqlx::query(statement)
            .bind(text.bulletin.as_str())
            .bind(text.language.as_str())
            .bind(version.state())
            .bind(json(version));
        let query = match before {
            None => query,
            Some(before) => query.bind(json(before)),
        };
        let done = query.execute(&mut *self.inner).await;
        let done = done.map_err(StoreError::query("keep a version"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.index(&text.bulletin, text.language.as_str(), words_of_text(text)).await?;
        Ok(true)
    }

    /// Writes the words of a bulletin, or of its version in one language, anew.
    async fn index(
        &mut self,
        bulletin: &BulletinId,
        language: &str,
        words: BTreeSet<String>,
    ) -> Result<(), StoreError> {
        sqlx::query("delete from bulletin_word where bulletin = $1 and language = $2")
            .bind(bulletin.as_str())
            .bind(language)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("forget the words of a bulletin"))?;
        for word in words {
            sqlx::query("insert into bulletin_word (word, bulletin, language) values ($1, $2, $3)")
                .bind(word)
                .bind(bulletin.as_str())
                .bind(language)
                .execute(&mut *self.inner)
                .await
                .map_err(StoreError::query("keep the words of a bulletin"))?;
        }
        Ok(())
    }

    /// Adds a recording with its descriptor, or replaces the descriptor.
    pub async fn put_asset(&mut self, asset: &AssetRow) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into asset (digest, descriptor, block_bytes, blocks, withdrawn)
             values ($1, $2, $3, $4, $5)
             on conflict (digest) do update set descriptor = excluded.descriptor,
                 block_bytes = excluded.block_bytes, blocks = excluded.blocks,
                 withdrawn = excluded.withdrawn",
        );
        query
            .bind(asset.digest.to_string())
            .bind(&asset.descriptor)
            .bind(i64::from(asset.block_bytes))
            .bind(i64::from(asset.blocks))
            .bind(asset.withdrawn.map(Timestamp::micros))
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a recording"))?;
        Ok(())
    }

    /// Remembers what was made of a file.
    pub async fn put_source(&mut self, source: &SourceRow) -> Result<(), StoreError> {
        let query = sqlx::query(
            "insert into source (digest, recipe, asset, length_ms, measurement)
             values ($1, $2, $3, $4, $5) on conflict (digest, recipe) do nothing",
        );
        query
            .bind(source.digest.to_string())
            .bind(&source.recipe)
            .bind(source.asset.to_string())
            .bind(signed(source.length_ms))
            .bind(&source.measurement)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a source"))?;
        Ok(())
    }
}

impl Store {
    /// Every bulletin.
    pub async fn bulletins(&self) -> Result<Vec<Bulletin>, StoreError> {
        let rows = sqlx::query("select doc from bulletin order by id")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the bulletins"))?;
        rows.iter().map(|row| document("bulletin", &text(row, 0)?)).collect()
    }

    /// One bulletin.
    pub async fn bulletin(&self, id: &BulletinId) -> Result<Option<Bulletin>, StoreError> {
        let row = sqlx::query("select doc from bulletin where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a bulletin"))?;
        row.map(|row| document("bulletin", &text(&row, 0)?)).transpose()
    }

    /// What some bulletins are called.
    pub async fn bulletin_titles(
        &self,
        ids: &BTreeSet<BulletinId>,
    ) -> Result<BTreeMap<BulletinId, Title>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = format!("select doc from bulletin where id in ({})", places(1, ids.len()));
        // Nothing but places is put into it.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for id in ids {
            query = query.bind(id.as_str());
        }
        let rows = query.fetch_all(&self.pool).await;
        let rows = rows.map_err(StoreError::query("read the titles of bulletins"))?;
        let named = |row: &sqlx::any::AnyRow| {
            let bulletin: Bulletin = document("bulletin", &text(row, 0)?)?;
            Ok((bulletin.id, bulletin.title))
        };
        rows.iter().map(named).collect()
    }

    /// The bulletins in which a folded word stands anywhere.
    pub async fn bulletins_with(&self, word: &str) -> Result<BTreeSet<BulletinId>, StoreError> {
        let rows = sqlx::query("select distinct bulletin from bulletin_word where word = $1")
            .bind(word)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("search the bulletins"))?;
        rows.iter().map(|row| parsed("bulletin_word", &text(row, 0)?)).collect()
    }

    /// Every version.
    pub async fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let rows = sqlx::query("select doc from version order by bulletin, language")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the versions"))?;
        rows.iter().map(|row| document("version", &text(row, 0)?)).collect()
    }

    /// The versions of one bulletin.
    pub async fn versions_of(&self, bulletin: &BulletinId) -> Result<Vec<Version>, StoreError> {
        let rows = sqlx::query("select doc from version where bulletin = $1 order by language")
            .bind(bulletin.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the versions"))?;
        rows.iter().map(|row| document("version", &text(row, 0)?)).collect()
    }

    /// Every recording with a descriptor.
    pub async fn assets(&self) -> Result<Vec<AssetRow>, StoreError> {
        let rows = sqlx::query(
            "select digest, descriptor, block_bytes, blocks, withdrawn from asset order by digest",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the recordings"))?;
        rows.iter().map(asset).collect()
    }

    /// What was made of the file with this digest by this recipe.
    pub async fn source(
        &self,
        digest: Digest,
        recipe: &str,
    ) -> Result<Option<SourceRow>, StoreError> {
        let row = sqlx::query(
            "select digest, recipe, asset, length_ms, measurement from source
             where digest = $1 and recipe = $2",
        )
        .bind(digest.to_string())
        .bind(recipe)
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read a source"))?;
        row.as_ref().map(source).transpose()
    }

    /// What the recording `asset` was made of, where it was made here.
    pub async fn source_of(&self, asset: Digest) -> Result<Option<SourceRow>, StoreError> {
        let row = sqlx::query(
            "select digest, recipe, asset, length_ms, measurement from source
             where asset = $1 order by digest limit 1",
        )
        .bind(asset.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::query("read a source"))?;
        row.as_ref().map(source).transpose()
    }
}

fn asset(row: &sqlx::any::AnyRow) -> Result<AssetRow, StoreError> {
    let small = |n: i64| u32::try_from(n).map_err(|e| StoreError::corrupt("asset", e));
    Ok(AssetRow {
        digest: parsed("asset", &text(row, 0)?)?,
        descriptor: text(row, 1)?,
        block_bytes: small(number(row, 2)?)?,
        blocks: small(number(row, 3)?)?,
        withdrawn: optional_number(row, 4)?.map(Timestamp::from_micros),
    })
}

fn source(row: &sqlx::any::AnyRow) -> Result<SourceRow, StoreError> {
    Ok(SourceRow {
        digest: parsed("source", &text(row, 0)?)?,
        recipe: text(row, 1)?,
        asset: parsed("source", &text(row, 2)?)?,
        length_ms: unsigned("source", number(row, 3)?)?,
        measurement: text(row, 4)?,
    })
}
