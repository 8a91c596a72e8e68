//! Certificates: the station's authority, its controllers' certificates, and what its own
//! connections show.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::{
    Authority, BrokerAddress, FrontOptions, Identity, LinkOptions, Pace, SureTime, Tls, TlsKey,
};
use crate::clock::utc_now;
use crate::entropy;
use crate::server::ServerError;
use crate::server::config::{BrokerChoice, TlsDoor, WebTls};
use crate::server::station::{FILE_BYTES_MAX, Station};
use crate::vault::{read_text, write_secret};

/// What may wait to be read: receipts of every controller of a province at once.
const HELD_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Keep-alive of the server's connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What separates the two halves of the authority's file.
const KEY_HEAD: &str = "-----BEGIN PRIVATE KEY-----";

impl Station {
    /// Certificate and key in one file, so that they can never be of two authorities.
    fn authority_file(&self) -> PathBuf {
        self.config.data.join("keys/online/authority.pem")
    }

    /// Makes the authority of a station that has none.
    pub fn begin_authority(&self) -> Result<(), ServerError> {
        let path = self.authority_file();
        if read_text(&path, FILE_BYTES_MAX)?.is_some() {
            return Ok(());
        }
        let authority = Authority::make(&self.config.net, entropy::bytes(), utc_now());
        let text = format!("{}{}", authority.certificate(), authority.key());
        Ok(write_secret(&path, text.as_bytes())?)
    }

    /// The station's authority; every controller holds its certificate.
    pub fn authority(&self) -> Result<Authority, ServerError> {
        let path = self.authority_file();
        let text = read_text(&path, FILE_BYTES_MAX)?.ok_or(ServerError::NoKey(path))?;
        let at = text.find(KEY_HEAD).unwrap_or(text.len());
        let (certificate, key) = text.split_at(at);
        Ok(Authority::read(certificate, key)?)
    }

    /// The list of certificates that count for nothing any more, in PEM.
    pub async fn revocations(&self) -> Result<String, ServerError> {
        let rows = self.store.certificates().await?;
        let revoked = rows.into_iter().filter(|row| row.revoked.is_some());
        let serials: Vec<String> = revoked.map(|row| row.serial).collect();
        Ok(self.authority()?.revocations(&serials, utc_now()))
    }

    /// A certificate for a broker whose key this is and that controllers call by these names.
    pub fn broker_identity(&self, names: &[String], key: TlsKey) -> Result<Identity, ServerError> {
        Ok(self.authority()?.broker(names, key, entropy::bytes(), utc_now())?)
    }

    /// The certificate that browsers are shown: the one that was given, else one of the station's
    /// own authority, kept in a file and made anew before it ends or when the names change.
    pub fn web_identity(&self, tls: &WebTls) -> Result<Identity, ServerError> {
        if let Some(given) = &tls.given {
            return Ok(Identity { certificate: read(&given.certificate)?, key: read(&given.key)? });
        }
        let (authority, now) = (self.authority()?, utc_now());
        let path = self.config.data.join("keys/online/web-tls.pem");
        if let Some(text) = read_text(&path, FILE_BYTES_MAX)? {
            let (certificate, key) = text.split_at(text.find(KEY_HEAD).unwrap_or(text.len()));
            if authority.still_serves(certificate, &tls.names, now) {
                return Ok(Identity { certificate: certificate.to_owned(), key: key.to_owned() });
            }
        }
        let made = authority.pages(&tls.names, entropy::bytes(), now)?;
        write_secret(&path, format!("{}{}", made.certificate, made.key).as_bytes())?;
        Ok(made)
    }

    /// What the embedded broker's TLS door needs.
    pub(super) fn front_options(
        &self,
        door: &TlsDoor,
        connections_max: usize,
    ) -> Result<FrontOptions, ServerError> {
        Ok(FrontOptions {
            listen: door.listen,
            identity: self.broker_identity(&door.names, TlsKey::make())?,
            authority: self.authority()?.certificate().to_owned(),
            secret: entropy::bytes(),
            connections_max,
        })
    }

    /// How the server itself connects to the broker at `address`.
    pub(super) fn link_options(&self, address: BrokerAddress) -> Result<LinkOptions, ServerError> {
        let tls = if address.is_tls() { Some(self.own_tls()?) } else { None };
        Ok(LinkOptions {
            address,
            tls,
            client_id: "server".to_owned(),
            user: "server".to_owned(),
            password: self.broker_password()?,
            clean_session: false,
            keep_alive: KEEP_ALIVE,
            will: None,
            pace: Pace {
                longest_wait: Duration::from_secs(10),
                held_bytes_max: HELD_BYTES_MAX,
                ..Pace::default()
            },
            seed: u64::from_be_bytes(entropy::bytes()),
        })
    }

    /// The server shows a certificate of its own authority, made for this run. It believes a broker
    /// that the same authority certified, or the one that was named.
    fn own_tls(&self) -> Result<Tls, ServerError> {
        let authority = self.authority()?;
        let now = utc_now();
        let identity = authority.server(entropy::bytes(), now);
        let believed = match &self.config.broker {
            BrokerChoice::External { ca: Some(path), .. } => {
                let text = read_text(path, FILE_BYTES_MAX)?;
                text.ok_or_else(|| ServerError::NoKey(path.clone()))?
            }
            BrokerChoice::External { ca: None, .. } | BrokerChoice::Embedded { .. } => {
                authority.certificate().to_owned()
            }
        };
        Ok(Tls::new(&believed, Some(&identity), SureTime::at(now))
            .map_err(crate::broker::AuthorityError::from)?)
    }
}

fn read(path: &Path) -> Result<String, ServerError> {
    let text = read_text(path, FILE_BYTES_MAX)?;
    text.ok_or_else(|| ServerError::NoKey(path.to_owned()))
}
