//! The encoder alone, as a process of its own: what every chain pays at least.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;

use crate::audio::encode::{Tags, Writer};
use crate::audio::recipe::Recipe;
use crate::unit::Db;

/// Samples given to the encoder at a time.
const BLOCK: usize = 4_800;

/// Encode a mono 16-bit WAV at the recipe's rate, and nothing else.
#[derive(Debug, Args)]
pub(in crate::cli) struct EncoderAlone {
    /// The WAV that `normalise --wav` wrote with the same recipe.
    file: PathBuf,
    /// The recipe.
    #[arg(long)]
    recipe: String,
}

impl EncoderAlone {
    pub(super) fn run(&self) -> anyhow::Result<bool> {
        let recipe = Recipe::named(&self.recipe).context("no such recipe")?;
        let mut wav = hound::WavReader::open(&self.file)?;
        let spec = wav.spec();
        ensure!(
            spec.channels == 1 && spec.sample_rate == recipe.profile.rate().get(),
            "{} is no mono WAV at {}",
            self.file.display(),
            recipe.profile.rate()
        );
        let mut writer = Writer::new(&recipe)?;
        let mut block = Vec::with_capacity(BLOCK);
        for sample in wav.samples::<i16>() {
            block.push(f32::from(sample?) / crate::audio::wav::FULL_SCALE);
            if block.len() == BLOCK {
                writer.push(&block)?;
                block.clear();
            }
        }
        writer.push(&block)?;
        say_line!("{}", writer.finish()?.to_ogg(Db::nearest(0.0), &Tags::default()).len());
        Ok(true)
    }
}
