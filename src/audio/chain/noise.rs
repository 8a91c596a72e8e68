//! How far a recording may be raised before its noise is what one hears.
//!
//! Gain lifts noise and voice alike. **After gain, the noise between the words stays below [`NOISE_MAX`]**, or the
//! recording is not raised at all; a recording with little between voice and noise therefore stays softer, and the
//! outcome says why. Only speech has words with noise between them: where the quiet tenth of a sound is voiced too
//! (songs), or hardly softer than the rest (music), it is part of the sound and bounds nothing. A voice less than
//! [`CONTRAST_MIN`] above its noise cannot be told from music by these means; it is raised as asked, and the report
//! calls it noisy.

use std::io;
use std::ops::Range;

use super::super::cut::{Levels, Plan};
use super::super::recipe::Recipe;
use super::super::scratch::Scratch;
use super::super::voice::{SYLLABLE, Voice};
use super::Shortfall;
use crate::unit::Lufs;

/// The level, in dB against full scale, that noise between words may reach. At −16 LUFS a voice's loud parts lie near
/// −13 dBFS, so that it stands 15 dB above this noise: what IEC 60268-16 counts as the full share of intelligibility.
/// More gain than that would make the words louder and no clearer, and hiss in every pause.
pub const NOISE_MAX: f64 = -28.0;

/// How far the loud tenth must stand above the quiet tenth, in dB; music stays below (7 to 10 dB were found).
const CONTRAST_MIN: f64 = 12.0;

/// Frames this near above the quiet tenth are looked at for a voice, in dB.
const QUIET_DB: f64 = 3.0;

/// The share of quiet frames without a voice that makes them pauses; the first frames of a syllable count as unvoiced.
const UNVOICED_SHARE_MIN: f64 = 0.3;

/// Speech is voiced in a quarter of its time at least; a sound with less than this is none.
const VOICED_SHARE_MIN: f64 = 0.1;

/// Stretches that are listened to, spread evenly over the sound.
const PROBES: u64 = 20;

/// Seconds of each; a minute in all shows the shares well and costs little against an encoding.
const PROBE_S: u64 = 3;

/// The most that a recording is raised, and what sets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bound {
    pub most: f64,
    pub why: Shortfall,
}

/// The bound for what a plan keeps.
pub(super) fn bound(
    recipe: &Recipe,
    levels: &Levels,
    plan: &Plan,
    loudness: Lufs,
    scratch: &mut dyn Scratch,
) -> io::Result<Bound> {
    let asked = Bound { most: recipe.gain_max.get(), why: Shortfall::GainBound };
    let floor = plan.floor(levels);
    let most = (NOISE_MAX - floor).max(0.0);
    // A voice is looked for only where it matters.
    let bites = most < asked.most.min(recipe.target.get() - loudness.get());
    let contrast = levels.quantile(0.9) - floor;
    if bites && contrast >= CONTRAST_MIN && pauses(recipe, floor, scratch)? {
        return Ok(Bound { most, why: Shortfall::Noise });
    }
    Ok(asked)
}

/// How far a soft speaker may be raised beside the gain that the whole recording gets, for the same reason.
pub(super) fn room(floor: f64, loudness: Lufs, recipe: &Recipe) -> f64 {
    let gain = (recipe.target.get() - loudness.get()).max(0.0);
    (NOISE_MAX - floor - gain).max(0.0)
}

/// Frames counted.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    heard: u32,
    voiced: u32,
    quiet: u32,
    quiet_unvoiced: u32,
}

/// Whether the quiet of this sound is the pauses of somebody who speaks.
fn pauses(recipe: &Recipe, floor: f64, scratch: &mut dyn Scratch) -> io::Result<bool> {
    let length = u64::from(recipe.profile.rate().get()) * PROBE_S;
    let every = (scratch.len() / PROBES).max(length);
    let mut count = Count::default();
    let mut start = 0;
    while start < scratch.len() {
        let end = (start + length).min(scratch.len());
        listen(recipe, floor, scratch, start..end, &mut count)?;
        start += every;
    }
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
    Ok(share(count.voiced, count.heard) >= VOICED_SHARE_MIN
        && share(count.quiet_unvoiced, count.quiet) >= UNVOICED_SHARE_MIN)
}

fn listen(
    recipe: &Recipe,
    floor: f64,
    scratch: &mut dyn Scratch,
    mut at: Range<u64>,
    count: &mut Count,
) -> io::Result<()> {
    let mut voice = Voice::new(recipe.profile);
    let mut samples = vec![0.0; voice.frame()];
    while at.start + samples.len() as u64 <= at.end {
        scratch.read(at.start, &mut samples)?;
        at.start += samples.len() as u64;
        let voiced = voice.hear(&samples) >= SYLLABLE;
        let quiet = level(&samples) <= floor + QUIET_DB;
        count.heard += 1;
        count.voiced += u32::from(voiced);
        count.quiet += u32::from(quiet);
        count.quiet_unvoiced += u32::from(quiet && !voiced);
    }
    Ok(())
}

fn level(samples: &[f32]) -> f64 {
    let power: f32 = samples.iter().map(|sample| sample * sample).sum();
    let frame = f64::from(u16::try_from(samples.len()).expect("a frame of the detector"));
    10.0 * (f64::from(power) / frame).max(1e-15).log10()
}
