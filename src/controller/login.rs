//! What a controller shows to the broker: a password, or a certificate for the key that it made.

use std::path::{Path, PathBuf};

use crate::broker::{BadPem, Identity, SureTime, Tls, TlsKey};
use crate::controller::{Config, ControllerError, FILE_BYTES_MAX};
use crate::vault::{ShelfLock, read_text, write_secret};

/// The request that the station certifies this device's key for TLS; makes the key where there is
/// none. It never leaves the device.
pub fn request(config: &Config) -> Result<String, ControllerError> {
    let _lock = ShelfLock::take(&config.state)?;
    let path = tls_key_path(config);
    let kept = read_text(&path, FILE_BYTES_MAX)?;
    let key = kept.as_deref().map_or_else(|| Ok(TlsKey::make()), TlsKey::read);
    let key = key.map_err(in_file(&path))?;
    if kept.is_none() {
        write_secret(&path, key.pem().as_bytes())?;
    }
    Ok(key.request(config.controller.as_str()))
}

fn tls_key_path(config: &Config) -> PathBuf {
    config.state.join("tls.key")
}

fn in_file(path: &Path) -> impl FnOnce(BadPem) -> ControllerError {
    let path = path.display().to_string();
    move |source| ControllerError::Tls { path, source }
}

/// What every connection of this device shows to the broker.
pub(super) struct Login {
    pub(super) password: String,
    pub(super) tls: Option<Tls>,
}

impl Login {
    /// Reads the files that the configuration names; the broker is held against `sure`.
    pub(super) fn read(config: &Config, sure: &SureTime) -> Result<Self, ControllerError> {
        let mend = "copy it from the provisioning folder";
        let password = match &config.password_file {
            Some(path) => needed(path, mend)?.trim().to_owned(),
            None => String::new(),
        };
        let Some(files) = &config.tls else { return Ok(Login { password, tls: None }) };
        let authority = needed(&files.ca, mend)?;
        let identity = match &files.certificate {
            None => None,
            Some(path) => {
                let mend = "print a request with `loaban-controller request`, have the station sign \
                    it with `loaban fleet sign`, and copy the certificate here";
                let key = needed(&tls_key_path(config), mend)?;
                Some(Identity { certificate: needed(path, mend)?, key })
            }
        };
        let tls =
            Tls::new(&authority, identity.as_ref(), sure.clone()).map_err(in_file(&files.ca))?;
        Ok(Login { password, tls: Some(tls) })
    }
}

fn needed(path: &Path, mend: &'static str) -> Result<String, ControllerError> {
    let missing = || ControllerError::Missing { path: path.display().to_string(), mend };
    read_text(path, FILE_BYTES_MAX)?.ok_or_else(missing)
}
