//! Recordings normalised into assets, with the decoder's child between us and the file.
//!
//! What was measured is kept beside the source: words and figures for all, outlines for a page.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::audio::chain::{ChainError, Outcome, normalise};
use crate::audio::encode::Tags;
use crate::audio::recipe::Recipe;
use crate::audio::report::{self, Report};
use crate::audio::retag::retagged;
use crate::audio::waveform::Shape;
use crate::bulletin::version::{Recording, Version};
use crate::decoder::{DecodeError, Decoder, FileScratch, Limits, told};
use crate::digest::Digest;
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::server::ServerError;
use crate::server::newsroom::Progress;
use crate::server::station::Station;
use crate::store::SourceRow;
use crate::unit::Lufs;
use crate::vault::digest_of;

/// The recipe that recordings are normalised by.
pub(in crate::server) const RECIPE: &str = "speech";

/// What came of one recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingested {
    /// The file that was handed in.
    pub source: Digest,
    /// The recording that is played.
    pub asset: Digest,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// What was measured and found; `None` for one that an earlier version took in.
    pub judged: Option<Judged>,
}

/// What was found in a recording when it was taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Integrated loudness as it came in.
    pub before_lufs: Option<f64>,
    /// Integrated loudness as controllers play it.
    pub after_lufs: Option<f64>,
    /// `good`, `usable` or `record again`.
    pub verdict: String,
    /// The same in Vietnamese.
    pub verdict_vi: String,
    /// What is wrong and what to do about it, worst first.
    pub problems: Vec<Told>,
}

/// One thing that is wrong with a recording, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// A stable word for machines.
    pub code: String,
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl From<report::Problem> for Told {
    fn from(problem: report::Problem) -> Self {
        Self { code: problem.code.to_owned(), vi: problem.vi, en: problem.en }
    }
}

impl Judged {
    fn new(outcome: &Outcome, report: Report) -> Self {
        let measurement = &outcome.measurement;
        Self {
            before_lufs: measurement.recording.loudness.integrated.map(Lufs::get),
            after_lufs: measurement.after.integrated.map(Lufs::get),
            verdict: report.verdict.word().to_owned(),
            verdict_vi: report.verdict.vi().to_owned(),
            problems: report.problems.into_iter().map(Told::from).collect(),
        }
    }

    /// What an earlier import kept, if it kept it in this form.
    fn kept(row: &SourceRow) -> Option<Self> {
        serde_json::from_str(&row.measurement).ok()
    }
}

/// A recording before and after, to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shapes {
    /// As it came in.
    pub before: Shape,
    /// As controllers play it.
    pub after: Shape,
}

/// What is kept beside a source.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    judged: Judged,
    /// None in what was kept before pages drew it.
    shapes: Option<Shapes>,
}

impl Station {
    /// What was found in a recording when it was taken in.
    pub async fn judged(&self, recording: &Recording) -> Result<Option<Judged>, ServerError> {
        let row = self.store.source(recording.source, RECIPE).await?;
        Ok(row.as_ref().and_then(Judged::kept))
    }

    /// What a recording looked like when it was taken in.
    pub async fn shapes(&self, recording: &Recording) -> Result<Option<Shapes>, ServerError> {
        let row = self.store.source(recording.source, RECIPE).await?;
        let kept: Option<Kept> = row.and_then(|row| serde_json::from_str(&row.measurement).ok());
        Ok(kept.and_then(|kept| kept.shapes))
    }
}

/// Turns files into recordings.
#[derive(Clone, Debug)]
pub struct Sound {
    decoder: Decoder,
    progress: Progress,
}

impl Station {
    /// The asset of this version alone. A descriptor is about one asset and names one bulletin in one
    /// language: a recording that is another version's too is kept once more, under this one's name.
    pub(super) async fn own_asset(
        &self,
        asset: Digest,
        (bulletin, title): (&BulletinId, &str),
        language: &LangTag,
    ) -> Result<Digest, ServerError> {
        let is_other = |version: &Version| {
            let text = version.text();
            (&text.bulletin, &text.language) != (bulletin, language)
                && version.spoken().is_some_and(|spoken| spoken.recording.asset == asset)
        };
        if !self.store.versions().await?.iter().any(is_other) {
            return Ok(asset);
        }
        let (title, language) = (title.to_owned(), language.to_string());
        let tags = Tags { title, language, bulletin: bulletin.to_string() };
        let bytes = retagged(&self.assets.read(asset)?, &tags)
            .map_err(|error| ServerError::Task(error.to_string()))?;
        Ok(self.assets.put(&bytes)?)
    }
}

impl Sound {
    /// Uses the child process of `program`, which is this one.
    pub fn new(program: PathBuf) -> Self {
        let decoder = Decoder::new(program, Limits::default());
        Self { decoder, progress: Progress::default() }
    }

    /// The same, telling how far it is.
    #[must_use]
    pub fn told_to(&self, progress: &Progress) -> Self {
        Self { progress: progress.clone(), ..self.clone() }
    }

    /// Makes an asset of a file, or finds the one that was made of it before. A file that is
    /// itself a recording of this station is that recording.
    pub async fn ingest(
        &self,
        station: &Station,
        title: &str,
        language: &LangTag,
        path: &Path,
    ) -> Result<Ingested, ServerError> {
        let source = digest_of(path).map_err(|why| ServerError::Recording {
            path: path.to_owned(),
            why: format!("cannot be read ({why}); check the name and the permissions"),
        })?;
        let known = match station.store.source(source, RECIPE).await? {
            Some(row) => Some(row),
            None => station.store.source_of(source).await?,
        };
        if let Some(row) = known {
            let judged = Judged::kept(&row);
            let (source, asset, length_ms) = (row.digest, row.asset, row.length_ms);
            return Ok(Ingested { source, asset, length_ms, judged });
        }
        let path = path.to_owned();
        let (title, language) = (title.to_owned(), language.to_string());
        let tags = Tags { title, language, bulletin: String::new() };
        let (outcome, report) = self.normalise(path, tags, station.config.data.clone()).await?;
        let asset = station.assets.put(&outcome.asset.bytes)?;
        let (before, after) = (&outcome.measurement.recording.loudness, &outcome.measurement.after);
        let shapes = Shapes { before: Shape::of(before), after: Shape::of(after) };
        let judged = Judged::new(&outcome, report);
        let kept = Kept { judged: judged.clone(), shapes: Some(shapes) };
        let row = SourceRow {
            digest: source,
            recipe: RECIPE.to_owned(),
            asset,
            length_ms: outcome.asset.duration.get(),
            measurement: serde_json::to_string(&kept).unwrap_or_default(),
        };
        let mut tx = station.store.begin().await?;
        tx.put_source(&row).await?;
        tx.commit().await?;
        Ok(Ingested { source, asset, length_ms: row.length_ms, judged: Some(judged) })
    }

    async fn normalise(
        &self,
        path: PathBuf,
        tags: Tags,
        scratch: PathBuf,
    ) -> Result<(Outcome, Report), ServerError> {
        let (decoder, mut progress) = (self.decoder.clone(), self.progress.clone());
        let name = path.clone();
        let work = move || {
            let recipe = Recipe::named(RECIPE).expect("the recipe is built in");
            let refuse = |error| refused(&name, &error);
            let mut recording =
                decoder.open(&path).map_err(|error| refuse(ChainError::Source(error)))?;
            let unique =
                format!("scratch-{}", Digest::of(path.as_os_str().as_encoded_bytes()).short());
            let mut scratch = FileScratch::new(&scratch, &unique)
                .map_err(|error| refuse(ChainError::Scratch(error)))?;
            let outcome = normalise(&mut recording, &recipe, &tags, &mut scratch, &mut progress)
                .map_err(refuse)?;
            let found = report::outcome(&outcome.measurement);
            Ok((outcome, told::with_warnings(found, recording.warnings())))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| ServerError::Task(e.to_string()))?
    }
}

/// A recording that is not taken in, with the reason in both languages.
fn refused(path: &Path, error: &ChainError<DecodeError>) -> ServerError {
    let problems = told::refused(error).problems.into_iter().map(Told::from).collect();
    ServerError::Unusable { path: path.to_owned(), problems }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::retag::tests::tone;
    use crate::bulletin::{Class, SourceLevel};
    use crate::clock::utc_now;
    use crate::server::tests as stand;

    const SCHEDULE: &str =
        "[[area]]\nid = \"lai-chau\"\nname = \"Lai Châu\"\nlevel = \"province\"\n";

    #[tokio::test]
    async fn a_recording_of_two_bulletins_is_an_asset_of_each() {
        let folder = tempfile::tempdir().unwrap();
        let station = stand::station(folder.path(), SCHEDULE).await;
        let sound = tone(&Tags::default());
        let asset = station.assets.put(&sound).unwrap();
        let first = stand::bulletin("sat-lo", Class::Normal, SourceLevel::Province, utc_now());
        let held = Version::Draft(stand::draft(&first, &sound));
        let mut tx = station.store.begin().await.unwrap();
        tx.put_bulletin(&first).await.unwrap();
        assert!(tx.put_version(None, &held).await.unwrap());
        tx.commit().await.unwrap();
        let own = async |bulletin: &str, language: &str| {
            let (id, language) = (bulletin.parse().unwrap(), language.parse().unwrap());
            station.own_asset(asset, (&id, "Tin"), &language).await.unwrap()
        };
        assert_eq!(own("sat-lo", "vi").await, asset, "it is this version's own");
        let second = own("chay-rung", "vi").await;
        assert_ne!(second, asset);
        assert_eq!(own("chay-rung", "vi").await, second, "each time the same");
        assert_ne!(own("sat-lo", "hni").await, asset, "another language is another version");
        assert_ne!(station.assets.read(second).unwrap(), sound);
    }
}
