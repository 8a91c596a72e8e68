//! The one pass over a source: measured at its own rate, then mono, resampled and filtered, into the scratch.
//!
//! **A source is read once**; whatever needs a second look reads the scratch. Nothing is held but the block at hand.

use std::io;

use super::super::cut::Levels;
use super::super::downmix::Downmix;
use super::super::filter::{Band, DcBlocker};
use super::super::loudness::{Integrator, Meter};
use super::super::recipe::Recipe;
use super::super::resample::Resampler;
use super::super::scratch::Scratch;
use super::super::source::{Format, Source};
use super::super::survey::Surveyor;
use super::{ChainError, Examination, Stage, Watch};
use crate::unit::{Lufs, Millis};

/// Reads, measures and mixes: all that happens at the source's own rate.
pub(super) struct Entry {
    format: Format,
    meter: Meter,
    surveyor: Surveyor,
    downmix: Downmix,
    dc: DcBlocker,
    block: Vec<f32>,
    /// The mono samples that became ready with the last block.
    mono: Vec<f32>,
    frames: u64,
}

impl Entry {
    pub(super) fn new(format: &Format) -> Self {
        Self {
            format: format.clone(),
            meter: Meter::new(format),
            surveyor: Surveyor::new(format),
            downmix: Downmix::new(format),
            dc: DcBlocker::new(format.rate),
            block: Vec::new(),
            mono: Vec::new(),
            frames: 0,
        }
    }

    fn done(&self) -> Millis {
        Millis::of_frames(self.frames, self.format.rate)
    }

    pub(super) fn next<S: Source>(
        &mut self,
        source: &mut S,
        watch: &mut dyn Watch,
    ) -> Result<bool, S::Error> {
        self.mono.clear();
        watch.enter(Stage::Source, self.done());
        if !source.next_block(&mut self.block)? {
            return Ok(false);
        }
        watch.enter(Stage::Mix, self.done());
        self.downmix.sanitise(&mut self.block);
        self.downmix.process(&self.block, &mut self.mono);
        self.dc.process(&mut self.mono);
        watch.enter(Stage::Meter, self.done());
        self.meter.push(&self.block);
        self.surveyor.look(&self.block);
        self.surveyor.listen(&self.mono);
        self.frames += (self.block.len() / self.format.channels()) as u64;
        Ok(true)
    }

    /// What was found, and the last mono samples.
    pub(super) fn finish(mut self) -> (Examination, Vec<f32>) {
        self.mono.clear();
        let channels = self.downmix.finish(&mut self.mono);
        self.dc.process(&mut self.mono);
        self.surveyor.listen(&self.mono);
        let (loudness, survey) = (self.meter.finish(), self.surveyor.finish());
        (Examination { format: self.format, loudness, channels, survey }, self.mono)
    }
}

/// What the one pass over the source gave.
pub(super) struct Heard {
    pub recording: Examination,
    pub levels: Levels,
    /// Loudness of the mono, band-limited sound in the scratch.
    pub kept: Option<Lufs>,
}

/// The stages between the source's mono and the scratch.
struct Intake<'a> {
    resampler: Option<Resampler>,
    band: Band,
    levels: Levels,
    loudness: Integrator,
    scratch: &'a mut dyn Scratch,
    block: Vec<f32>,
}

impl Intake<'_> {
    fn take(&mut self, mono: &[f32], watch: &mut dyn Watch, done: Millis) -> io::Result<()> {
        self.block.clear();
        watch.enter(Stage::Resample, done);
        let resampler = self.resampler.as_mut().expect("only taken at the end");
        resampler.process(mono, &mut self.block);
        self.keep(watch, done)
    }

    fn finish(&mut self, watch: &mut dyn Watch, done: Millis) -> io::Result<()> {
        self.block.clear();
        if let Some(resampler) = self.resampler.take() {
            resampler.finish(&mut self.block);
        }
        self.keep(watch, done)
    }

    fn keep(&mut self, watch: &mut dyn Watch, done: Millis) -> io::Result<()> {
        watch.enter(Stage::Filter, done);
        self.band.process(&mut self.block);
        self.levels.push(&self.block);
        self.loudness.push(&self.block);
        watch.enter(Stage::Keep, done);
        self.scratch.append(&self.block)
    }
}

/// Reads the whole source into the scratch.
pub(super) fn hear<S: Source>(
    source: &mut S,
    recipe: &Recipe,
    scratch: &mut dyn Scratch,
    watch: &mut dyn Watch,
) -> Result<Heard, ChainError<S::Error>> {
    let rate = recipe.profile.rate();
    let mut entry = Entry::new(source.format());
    let mut intake = Intake {
        resampler: Some(Resampler::new(source.format().rate, rate)?),
        band: Band::new(recipe),
        levels: Levels::new(rate),
        loudness: Integrator::new(rate),
        scratch,
        block: Vec::new(),
    };
    while entry.next(source, watch).map_err(ChainError::Source)? {
        intake.take(&entry.mono, watch, entry.done())?;
    }
    let done = entry.done();
    let (recording, rest) = entry.finish();
    intake.take(&rest, watch, done)?;
    intake.finish(watch, done)?;
    let Intake { levels, loudness, .. } = intake;
    Ok(Heard { recording, levels, kept: loudness.finish() })
}
