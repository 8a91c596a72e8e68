//! The one writer of the broadcast log: moves facts from the store into it.
//!
//! A fact is marked only after its entry is durable under a checkpoint; a crash between leaves the
//! entry in the log and the fact unmarked, which the next start finds out and mends.

use std::path::Path;

use crate::audit::Origin;
use crate::audit::entry::{Actor, Entry, FactId, Kind};
use crate::audit::qr::Qr;
use crate::digest::Digest;
use crate::log::Log;
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::{Store, WaitingFact};
use crate::time::LocalDate;
use crate::vault::{VaultError, write_atomic};

/// Facts that are moved in one append: one checkpoint covers them.
const BATCH: u32 = 1_000;

/// The writer of the log.
#[derive(Debug)]
pub struct Scribe {
    log: Log,
    /// The last day whose checkpoint was written to be printed.
    kept: Option<LocalDate>,
}

/// The log after facts were moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// The root.
    pub root: Digest,
}

/// The log's origin in a network.
pub fn origin(net: &crate::id::NetId) -> Origin {
    // C2SP `tlog-checkpoint` wants the origin to be the name of the log's key.
    crate::trust::Role::Log.key_name(net, "1").as_str().parse().expect("a key name is an origin")
}

impl Scribe {
    /// Opens the log, which is held by one process, and agrees with the store on what it has.
    pub async fn open(station: &Station) -> Result<Self, ServerError> {
        let signer = station.online_keys()?.log;
        let log = Log::open(&station.log_folder(), signer, &origin(&station.config.net))?;
        let scribe = Self { log, kept: None };
        scribe.reconcile(&station.store).await?;
        Ok(scribe)
    }

    async fn reconcile(&self, store: &Store) -> Result<(), ServerError> {
        let (_, last) = store.log_position().await?;
        let next = last.map_or(0, |last| last + 1);
        if next > self.log.size() {
            return Err(ServerError::LogBehind { log: self.log.size(), store: next });
        }
        let unmarked = self.log.facts_after(next)?;
        if unmarked.is_empty() {
            return Ok(());
        }
        let mut tx = store.begin().await?;
        for (position, fact) in unmarked {
            tx.logged(fact.as_str(), position).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Moves every waiting fact; returns the log's head, and whether anything was moved.
    pub async fn move_facts(&mut self, store: &Store) -> Result<(Head, bool), ServerError> {
        let mut moved = false;
        loop {
            let facts = store.facts_waiting(BATCH).await?;
            if facts.is_empty() {
                return Ok((self.head(), moved));
            }
            let entries: Vec<Entry> = facts.iter().map(entry).collect::<Result<_, _>>()?;
            let appended = self.log.append(&entries)?;
            let mut tx = store.begin().await?;
            for (position, fact) in (appended.first_index..).zip(&facts) {
                tx.logged(&fact.id, position).await?;
            }
            tx.commit().await?;
            moved = true;
        }
    }

    /// Writes the first checkpoint of a day to be printed or mailed to another office: as text and
    /// as QR codes. Once a day; one that is there already stays.
    pub fn keep_checkpoint(&mut self, folder: &Path, day: LocalDate) -> Result<(), ServerError> {
        if self.kept == Some(day) {
            return Ok(());
        }
        let text = folder.join(format!("{day}.txt"));
        if !text.exists() {
            let note = self.log.checkpoint().as_str();
            std::fs::create_dir_all(folder).map_err(|source| VaultError::Io {
                what: "make",
                path: folder.to_owned(),
                source,
            })?;
            if let Ok(qr) = Qr::of(note) {
                write_atomic(&folder.join(format!("{day}.svg")), qr.svg().as_bytes())?;
                write_atomic(&folder.join(format!("{day}.png")), &qr.png())?;
            }
            // Last: where it is, the others are.
            write_atomic(&text, note.as_bytes())?;
        }
        self.kept = Some(day);
        Ok(())
    }

    /// The log's size and root.
    pub fn head(&self) -> Head {
        let claim = self.log.checkpoint().claim();
        Head { size: claim.size, root: claim.root }
    }
}

fn entry(fact: &WaitingFact) -> Result<Entry, ServerError> {
    let corrupt = |why: String| ServerError::Fact { id: fact.id.clone(), why };
    let id: FactId = fact.id.parse().map_err(|_| corrupt("its id".to_owned()))?;
    let kind: Kind = fact.kind.parse().map_err(|_| corrupt("its kind".to_owned()))?;
    let who: Actor = fact.who.parse().map_err(|_| corrupt("who".to_owned()))?;
    let body: serde_json::Value =
        serde_json::from_str(&fact.body).map_err(|e| corrupt(e.to_string()))?;
    Entry::new(id, fact.at, kind, Some(who), &body).map_err(|e| corrupt(e.to_string()))
}
