//! `normalise`, `measure`, `audition`: recordings without a station.
//!
//! **Nothing is written for a recording that is refused**, and no file is replaced unless that was asked for. A bad
//! file never stops the others: every one of them gets its line, and the command ends with a fault if any had none
//! made of it.

mod audition;
mod inputs;
mod measure;
mod normalise;
mod outputs;
mod progress;
mod row;
mod stages;
mod words;
mod workers;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

pub(super) use self::audition::Audition;
pub(super) use self::inputs::{Input, Inputs, sounds};
pub(super) use self::measure::Measure;
pub(super) use self::normalise::Normalise;
use crate::audio::loudness::Loudness;
use crate::audio::recipe::Recipe;
use crate::audio::waveform::{self, Wave};
use crate::decoder::{Decoder, Limits};
use crate::unit::Lufs;

/// In which language a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// Vietnamese.
    Vi,
    /// English.
    En,
    /// Vietnamese, then English.
    Both,
}

/// A decoder whose children are this very program.
pub(super) fn decoder() -> anyhow::Result<Decoder> {
    let program = std::env::current_exe().context("this program's own path")?;
    Ok(Decoder::new(program, Limits::default()))
}

/// The recipe of that name with that target.
fn recipe(name: &str, target: Option<f64>) -> anyhow::Result<Recipe> {
    let recipe = Recipe::named(name)
        .with_context(|| format!("no recipe is called {name}; it is {}", Recipe::NAMES))?;
    let target = target.map(Lufs::new).transpose().context("--target")?;
    Ok(Recipe { target: target.unwrap_or(recipe.target), ..recipe })
}

/// Draws waves into `folder` as `<name>.svg` and `<name>.png`.
fn draw(
    folder: &Path,
    name: &Path,
    waves: &[(&str, &Loudness)],
    target: Lufs,
) -> anyhow::Result<PathBuf> {
    let waves: Vec<Wave> = waves.iter().map(|(title, sound)| Wave { title, sound }).collect();
    let vector = folder.join(name).with_added_extension("svg");
    outputs::write(&vector, waveform::svg(&waves, target).as_bytes())?;
    let picture = folder.join(name).with_added_extension("png");
    outputs::write(&picture, &waveform::png(&waves, target))?;
    Ok(picture)
}
