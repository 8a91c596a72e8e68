//! A station on disk: its configuration, database, recordings and keys, opened together.
//!
//! ```text
//! loaban.toml            configuration
//! loaban.db              database (or elsewhere, by URL)
//! assets/                recordings
//! keys/root.json         the root key, sealed: to be taken away and kept offline
//! keys/online/           schedule, time, ack, log: the server's own; authority.pem: its certificates
//! keys/people/           each leader's and officer's key, sealed under that person's passphrase
//! log/                   the broadcast log
//! checkpoints/           its head of each day, to be printed or mailed
//! originals/             recordings as they came from browsers, for a week
//! forms/                 forms that the station files in place of the usual ones
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::utc_now;
use crate::entropy;
use crate::id::{AreaId, NetId};
use crate::note::{Note, PublicKey, Signer};
use crate::protocol::{decode, encode};
use crate::server::ServerError;
use crate::server::config::Config;
use crate::store::{Fact, Store};
use crate::time::Timestamp;
use crate::trust::{Grant, OnlineKeys, Role, TrustDocument};
use crate::vault::{
    Assets, Originals, Sealed, VaultError, create_key, load_key, read_text, write_atomic,
    write_secret,
};

/// How long a key counts: longer than a term of office, shorter than for ever.
pub(super) const KEY_VALID: Duration = Duration::from_hours(17568);

/// Bytes of a key or configuration file at most.
pub(super) const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Officers who must sign an emergency.
const EMERGENCY_THRESHOLD: u8 = 2;

/// A station that was opened.
#[derive(Debug)]
pub struct Station {
    /// The configuration.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// The recordings.
    pub assets: Assets,
    /// Recordings as they came from browsers.
    pub originals: Originals,
}

/// What a new station is made of.
#[derive(Clone, Debug)]
pub struct Beginning<'a> {
    /// The text of its configuration.
    pub config: &'a str,
    /// The area at the top of its tree: where its server's keys count.
    pub root_area: AreaId,
    /// The passphrase that seals the root key.
    pub passphrase: &'a str,
}

impl Station {
    /// Makes a station in `folder`, which must be empty or missing, and opens it.
    pub async fn init(folder: &Path, beginning: &Beginning<'_>) -> Result<Self, ServerError> {
        let path = folder.join("loaban.toml");
        let config = Config::read(&path, beginning.config)?;
        if path.exists() {
            return Err(ServerError::Exists(folder.to_owned()));
        }
        for part in ["keys/online", "keys/people", "log", "assets"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).map_err(|source| VaultError::Io {
                what: "make",
                path: part,
                source,
            })?;
        }
        let root = new_key(Role::Root, &config.net, "1");
        keep_sealed(&folder.join("keys/root.json"), &root, beginning.passphrase)?;
        let online = make_online(folder, &config.net)?;
        write_secret(&folder.join("keys/online/broker-password"), entropy::secret().as_bytes())?;
        write_atomic(&path, beginning.config.as_bytes())?;
        let station = Self::open(&path).await?;
        station.begin_authority()?;
        station.begin_trust(&root, &online, &beginning.root_area).await?;
        Ok(station)
    }

    /// Opens the station whose configuration is at `path`.
    pub async fn open(path: &Path) -> Result<Self, ServerError> {
        let text = read_text(path, FILE_BYTES_MAX)?;
        let text = text.ok_or_else(|| ServerError::NoConfig(path.to_owned()))?;
        let config = Config::read(path, &text)?;
        let store = Store::open(&config.store).await?;
        let assets = Assets::open(&config.data.join("assets"))?;
        let originals = Originals::open(&config.data.join("originals"))?;
        Ok(Self { config, store, assets, originals })
    }

    async fn begin_trust(
        &self,
        root: &Signer,
        online: &OnlineKeys,
        area: &AreaId,
    ) -> Result<(), ServerError> {
        let now = utc_now();
        let keys = online.all().map(|(role, key)| grant(key.public(), role, area, now));
        let document = TrustDocument {
            version: 1,
            issued: now,
            root_threshold: 1,
            roots: vec![root.public()],
            emergency_threshold: EMERGENCY_THRESHOLD,
            keys: keys.to_vec(),
            revoked: vec![],
        };
        let mut tx = self.store.begin().await?;
        tx.set("root_area", area.as_str()).await?;
        tx.set("net", self.config.net.as_str()).await?;
        self.put_trust(&mut tx, root, &document).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn put_trust(
        &self,
        tx: &mut crate::store::Tx,
        root: &Signer,
        document: &TrustDocument,
    ) -> Result<(), ServerError> {
        let note = root.sign(&encode(&self.config.net, document));
        tx.add_trust(document.version, &note).await?;
        let body = serde_json::json!({ "version": document.version, "note": note });
        tx.tell(&Fact::new(document.issued, "trust.signed", "server", &body)).await?;
        Ok(())
    }

    /// The trust document in force, and every note so far, oldest first.
    pub async fn trust(&self) -> Result<(TrustDocument, Vec<String>), ServerError> {
        let notes = self.store.trust().await?;
        let newest = notes.last().ok_or(ServerError::NoTrust)?;
        let note = Note::parse(newest.as_bytes())?;
        let document: TrustDocument = decode(&self.config.net, note.text())?;
        document.anchors().verify(&note)?;
        Ok((document, notes))
    }

    /// The area at the top of the tree.
    pub async fn root_area(&self) -> Result<AreaId, ServerError> {
        let area = self.store.get("root_area").await?.ok_or(ServerError::NoTrust)?;
        area.parse().map_err(|_| ServerError::NoTrust)
    }

    /// The server's own keys.
    pub fn online_keys(&self) -> Result<OnlineKeys, ServerError> {
        let folder = self.config.data.join("keys/online");
        let load = |role: Role| {
            let path = folder.join(format!("{role}.key"));
            load_key(&path)?.ok_or(ServerError::NoKey(path))
        };
        Ok(OnlineKeys {
            schedule: load(Role::Schedule)?,
            time: load(Role::Time)?,
            ack: load(Role::Ack)?,
            log: load(Role::Log)?,
        })
    }

    /// The server's own password at the broker.
    pub fn broker_password(&self) -> Result<String, ServerError> {
        let path = self.config.data.join("keys/online/broker-password");
        let text = read_text(&path, FILE_BYTES_MAX)?;
        Ok(text.ok_or(ServerError::NoKey(path))?.trim().to_owned())
    }

    /// Where the day's checkpoints are put, to be printed or mailed.
    pub fn checkpoints_folder(&self) -> PathBuf {
        self.config.data.join("checkpoints")
    }

    /// The folder of the broadcast log.
    pub fn log_folder(&self) -> PathBuf {
        self.config.data.join("log")
    }
}

pub(super) fn unseal(path: &Path, passphrase: &str) -> Result<Signer, ServerError> {
    let text = read_text(path, FILE_BYTES_MAX)?;
    let text = text.ok_or_else(|| ServerError::NoKey(path.to_owned()))?;
    let sealed: Sealed = serde_json::from_str(&text)
        .map_err(|e| VaultError::Damaged { path: path.to_owned(), why: e.to_string() })?;
    Ok(sealed.unseal(passphrase)?)
}

fn new_key(role: Role, net: &NetId, holder: &str) -> Signer {
    Signer::from_seed(role.key_name(net, holder), &entropy::bytes())
}

pub(super) fn keep_sealed(path: &Path, key: &Signer, passphrase: &str) -> Result<(), ServerError> {
    let sealed = Sealed::seal(key, passphrase, entropy::bytes(), entropy::bytes())?;
    let text = serde_json::to_string_pretty(&sealed).expect("a sealed key has text keys");
    Ok(write_secret(path, text.as_bytes())?)
}

fn make_online(folder: &Path, net: &NetId) -> Result<OnlineKeys, ServerError> {
    let make = |role: Role| {
        let path = folder.join("keys/online").join(format!("{role}.key"));
        create_key(&path, role.key_name(net, "1"), entropy::bytes())
    };
    Ok(OnlineKeys {
        schedule: make(Role::Schedule)?,
        time: make(Role::Time)?,
        ack: make(Role::Ack)?,
        log: make(Role::Log)?,
    })
}

fn grant(key: PublicKey, role: Role, area: &AreaId, now: Timestamp) -> Grant {
    Grant { key, role, areas: vec![area.clone()], until: now + KEY_VALID }
}
