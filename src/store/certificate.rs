//! Certificates of controllers: which were issued, and which count for nothing any more.

use crate::id::ControllerId;
use crate::store::{Store, StoreError, Tx, number, optional_number, parsed, text};
use crate::time::Timestamp;

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// Its serial number, 32 hexadecimal digits.
    pub serial: String,
    /// Whose it is.
    pub controller: ControllerId,
    /// When it ends by itself.
    pub until: Timestamp,
    /// When it was ended before.
    pub revoked: Option<Timestamp>,
}

impl Tx {
    /// Notes a certificate that was issued.
    pub async fn add_certificate(&mut self, row: &CertificateRow) -> Result<(), StoreError> {
        sqlx::query("insert into certificate (serial, controller, until) values ($1, $2, $3)")
            .bind(&row.serial)
            .bind(row.controller.as_str())
            .bind(row.until.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep a certificate"))?;
        Ok(())
    }

    /// Ends every certificate of a controller.
    pub async fn revoke_certificates(
        &mut self,
        controller: &ControllerId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "update certificate set revoked = $2 where controller = $1 and revoked is null",
        );
        query
            .bind(controller.as_str())
            .bind(at.micros())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("revoke certificates"))?;
        Ok(())
    }
}

impl Store {
    /// Every certificate that was issued.
    pub async fn certificates(&self) -> Result<Vec<CertificateRow>, StoreError> {
        let rows = sqlx::query(
            "select serial, controller, until, revoked from certificate order by serial",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::query("read the certificates"))?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(CertificateRow {
                serial: text(row, 0)?,
                controller: parsed("certificate", &text(row, 1)?)?,
                until: Timestamp::from_micros(number(row, 2)?),
                revoked: optional_number(row, 3)?.map(Timestamp::from_micros),
            })
        };
        rows.iter().map(row).collect()
    }
}
