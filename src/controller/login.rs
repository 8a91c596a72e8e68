//! What a controller shows: to its station the keys that it made, to the broker a password, or a
//! certificate for one of them.

use std::path::{Path, PathBuf};

use crate::broker::{BadPem, Identity, SureTime, Tls, TlsKey};
use crate::controller::{Config, ControllerError, FILE_BYTES_MAX, device_key};
use crate::note::PublicKey;
use crate::protocol::{Enrolment, encode};
use crate::trust::Code;
use crate::vault::{ShelfLock, read_text, write_secret};

/// What this device hands to its station: its own keys, made here where there are none, signed by the
/// device key and, at an enrolment, by the key of the `code` that lay in its box.
pub fn enrolment(
    config: &Config,
    code: Option<&Code>,
) -> Result<(String, PublicKey), ControllerError> {
    let _lock = ShelfLock::take(&config.state)?;
    let device = device_key(config)?;
    let key = device.public();
    let certified = config.tls.as_ref().is_some_and(|tls| tls.certificate.is_some());
    let request = if certified { Some(request(config)?) } else { None };
    let document = Enrolment { controller: config.controller.clone(), key: key.clone(), request };
    let note = device.sign(&encode(&config.net, &document));
    let bind = |code: &Code| code.key(&config.net, &config.controller).cosign(&note);
    let bound = code.map(bind).transpose().expect("a note of ours takes a signature");
    Ok((bound.unwrap_or(note), key))
}

/// The request that the station certifies this device's TLS key, which never leaves it.
fn request(config: &Config) -> Result<String, ControllerError> {
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
                let mend = "enrol it: `loaban-controller enrol CODE` here, `loaban fleet enrol` at the \
                    station, and copy the certificate that it writes to this place";
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
