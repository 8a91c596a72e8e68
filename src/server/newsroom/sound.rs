//! Recordings normalised into assets, with the decoder's child between us and the file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::audio::chain::{Outcome, Stage, Watch, normalise};
use crate::audio::encode::Tags;
use crate::audio::recipe::Recipe;
use crate::bulletin::Bulletin;
use crate::decoder::{Decoder, FileScratch, Limits};
use crate::digest::Digest;
use crate::server::ServerError;
use crate::server::newsroom::VersionEntry;
use crate::server::station::Station;
use crate::store::SourceRow;
use crate::unit::Millis;

/// The recipe that recordings are normalised by.
const RECIPE: &str = "speech";

/// What came of one recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// The file that was handed in.
    pub source: Digest,
    /// The recording that is played.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// A sentence with the loudness before and after; empty where it was known already.
    pub measured: String,
}

/// Turns files into recordings.
#[derive(Clone, Debug)]
pub struct Sound {
    decoder: Decoder,
}

struct Quiet;

impl Watch for Quiet {
    fn enter(&mut self, _stage: Stage, _done: Millis) {}
}

impl Sound {
    /// Uses the child process of `program`, which is this one.
    pub fn new(program: PathBuf) -> Self {
        Self { decoder: Decoder::new(program, Limits::default()) }
    }

    /// Makes an asset of a file, or finds the one that was made of it before.
    pub async fn ingest(
        &self,
        station: &Station,
        bulletin: &Bulletin,
        entry: &VersionEntry,
        folder: &Path,
    ) -> Result<Ingested, ServerError> {
        let path = folder.join(&entry.file);
        let source = digest_of(&path)?;
        if let Some(row) = station.store.source(source, RECIPE).await? {
            let (asset, length_ms) = (row.asset, row.length_ms);
            return Ok(Ingested { source, asset, length_ms, measured: String::new() });
        }
        let tags = Tags { title: bulletin.title.clone(), language: entry.language.to_string() };
        let outcome = self.normalise(path.clone(), tags, station.config.data.clone()).await?;
        let asset = station.assets.put(&outcome.asset.bytes)?;
        let measured = sentence(&outcome);
        let row = SourceRow {
            digest: source,
            recipe: RECIPE.to_owned(),
            asset,
            length_ms: outcome.asset.duration.get(),
            measurement: measured.clone(),
        };
        let mut tx = station.store.begin().await?;
        tx.put_source(&row).await?;
        tx.commit().await?;
        Ok(Ingested { source, asset, length_ms: row.length_ms, measured })
    }

    async fn normalise(
        &self,
        path: PathBuf,
        tags: Tags,
        scratch: PathBuf,
    ) -> Result<Outcome, ServerError> {
        let decoder = self.decoder.clone();
        let name = path.clone();
        let work = move || {
            let recipe = Recipe::named(RECIPE).expect("the recipe is built in");
            let refuse = |why: String| ServerError::Recording { path: name.clone(), why };
            let mut recording = decoder.open(&path).map_err(|e| refuse(chain(&e)))?;
            let unique =
                format!("scratch-{}", Digest::of(path.as_os_str().as_encoded_bytes()).short());
            let mut scratch = FileScratch::new(&scratch, &unique)
                .map_err(|e| refuse(format!("no working copy could be made: {e}")))?;
            normalise(&mut recording, &recipe, &tags, &mut scratch, &mut Quiet)
                .map_err(|e| refuse(chain(&e)))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| ServerError::Task(e.to_string()))?
    }
}

/// An error with everything that caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        sentence = format!("{sentence}: {cause}");
        source = cause.source();
    }
    sentence
}

fn sentence(outcome: &Outcome) -> String {
    let measurement = &outcome.measurement;
    let text = |loudness: Option<crate::unit::Lufs>| {
        loudness.map_or_else(|| "?".to_owned(), |loudness| loudness.to_string())
    };
    let before = text(measurement.recording.loudness.integrated);
    format!("{before} → {}", text(measurement.after.integrated))
}

fn digest_of(path: &Path) -> Result<Digest, ServerError> {
    let refuse = |why: std::io::Error| ServerError::Recording {
        path: path.to_owned(),
        why: format!("cannot be read ({why}); check the name and the permissions"),
    };
    let mut file = File::open(path).map_err(refuse)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(refuse)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}
