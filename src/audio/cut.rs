//! Which stretches of a recording are kept: silence goes from both ends, long pauses are capped.
//!
//! Silence is judged against the recording's own loudness and noise floor, so that a noisy minute in front goes as
//! well as a digital one. **Nothing is cut in which the voice detector hears a voice**, however soft. Joints are
//! crossfaded, ends are faded.

use std::io;
use std::ops::Range;

use super::recipe::{Profile, Recipe};
use super::scratch::Scratch;
use super::voice::{SYLLABLE, Voice};
use crate::unit::{Lufs, Millis, SampleRate};

/// One level is taken of each such stretch.
const FRAME: Millis = Millis::new(10);

/// Kept before the first sound: the breath before a word.
const LEAD_FRAMES: usize = 15;

/// Kept after the last sound: the room's answer.
const TAIL_FRAMES: usize = 30;

/// Never cut below one gating block of loudness and its neighbours.
const KEPT_FRAMES_MIN: usize = 60;

/// Length of the crossfade at a joint and of the fade at the end.
const FADE: Millis = Millis::new(20);

/// Samples read at a time.
const READ: usize = 4_096;

/// The power of each stretch of 10 ms: 8 bytes a second for the ear, 1.5 MB an hour.
#[derive(Clone, Debug)]
pub struct Levels {
    frame: usize,
    open: (usize, f64),
    powers: Vec<f32>,
}

impl Levels {
    /// Levels of mono sound at `rate`.
    #[must_use]
    pub fn new(rate: SampleRate) -> Self {
        let frame = short(FRAME.frames(rate));
        Self { frame, open: (0, 0.0), powers: Vec::new() }
    }

    /// Hears more samples.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a mean power needs no more than single precision"
    )]
    pub fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.frame - self.open.0));
            self.open.1 += now.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>();
            self.open.0 += now.len();
            samples = later;
            if self.open.0 == self.frame {
                self.powers.push((self.open.1 / count(self.frame)) as f32);
                self.open = (0, 0.0);
            }
        }
    }

    /// The level in dB against full scale that `share` (0 to 1) of the stretches stay below.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        Self::quantile_of(self.powers.clone(), share)
    }

    fn quantile_of(mut powers: Vec<f32>, share: f64) -> f64 {
        if powers.is_empty() {
            return -150.0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count"
        )]
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let at = ((powers.len() - 1) as f64 * share.clamp(0.0, 1.0)) as usize;
        let (_, power, _) = powers.select_nth_unstable_by(at, f32::total_cmp);
        decibels(*power)
    }

    /// The level below which a stretch counts as silent, given the recording's loudness.
    fn threshold(&self, loudness: Lufs) -> f64 {
        let above_noise = self.quantile(0.1) + 6.0;
        (loudness.get() - 45.0).max(above_noise.min(loudness.get() - 15.0))
    }
}

/// A length of some ten milliseconds, in samples.
fn short(frames: u64) -> usize {
    usize::try_from(frames).expect("some hundred samples")
}

fn count(samples: usize) -> f64 {
    f64::from(u32::try_from(samples).expect("some hundred samples"))
}

fn decibels(power: f32) -> f64 {
    10.0 * f64::from(power).max(1e-15).log10()
}

/// The stretches that are kept, in samples of the scratch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    parts: Vec<Range<u64>>,
    fade: usize,
    /// Taken from the start.
    pub lead: Millis,
    /// Taken from the end.
    pub tail: Millis,
    /// Taken out of pauses in between, and how many pauses were shortened.
    pub pauses: (Millis, usize),
}

impl Plan {
    /// Decides what to keep of what `scratch` holds.
    ///
    /// # Errors
    /// When the scratch cannot be read.
    pub fn new(
        levels: &Levels,
        loudness: Lufs,
        recipe: &Recipe,
        scratch: &mut dyn Scratch,
    ) -> io::Result<Self> {
        let threshold = levels.threshold(loudness);
        let mut active: Vec<bool> =
            levels.powers.iter().map(|power| decibels(*power) > threshold).collect();
        let pause = recipe.pause_max.map(|pause| pause.get() / FRAME.get());
        let pause = pause.and_then(|frames| usize::try_from(frames).ok()).unwrap_or(usize::MAX);
        for gap in gaps(&active, pause) {
            hear(scratch, recipe.profile, levels.frame, gap, &mut active)?;
        }
        Ok(Self::keep(&active, pause, levels.frame, recipe.profile.rate(), scratch.len()))
    }

    fn keep(active: &[bool], pause: usize, frame: usize, rate: SampleRate, length: u64) -> Self {
        let at = |index: usize| (index * frame) as u64;
        let (first, last) = bounds(active);
        let end = if last == active.len() { length } else { at(last) };
        let mut parts = Vec::new();
        let mut start = at(first);
        let mut cut = 0;
        for gap in gaps(&active[first..last], pause).into_iter().filter(|gap| gap.len() > pause) {
            // Half of what may stay, on either side of the joint.
            let (from, until) =
                (first + gap.start + pause / 2, first + gap.end - pause.div_ceil(2));
            parts.push(start..at(from));
            start = at(until);
            cut += until - from;
        }
        let shortened = parts.len();
        parts.push(start..end);
        Self {
            fade: short(FADE.frames(rate)),
            lead: Millis::new(first as u64 * FRAME.get()),
            tail: Millis::of_frames(length - end, rate),
            pauses: (Millis::new(cut as u64 * FRAME.get()), shortened),
            parts,
        }
    }

    /// The level that a tenth of what is kept stays below.
    #[must_use]
    pub fn floor(&self, levels: &Levels) -> f64 {
        let frame = |at: u64| usize::try_from(at).map_or(usize::MAX, |at| at / levels.frame);
        let kept = self.parts.iter().filter_map(|part| {
            levels.powers.get(frame(part.start)..frame(part.end).min(levels.powers.len()))
        });
        Levels::quantile_of(kept.flatten().copied().collect(), 0.1)
    }

    /// Starts reading what is kept.
    pub fn read<'a>(&'a self, scratch: &'a mut dyn Scratch) -> Kept<'a> {
        Kept {
            plan: self,
            scratch,
            part: 0,
            at: self.parts[0].start,
            overlap: Vec::new(),
            begun: false,
        }
    }
}

/// From the first to behind the last frame kept.
fn bounds(active: &[bool]) -> (usize, usize) {
    let first = active.iter().position(|on| *on).unwrap_or(0).saturating_sub(LEAD_FRAMES);
    let last = active
        .iter()
        .rposition(|on| *on)
        .map_or(active.len(), |at| (at + 1 + TAIL_FRAMES).min(active.len()));
    if last - first >= KEPT_FRAMES_MIN {
        return (first, last);
    }
    let first = first.min(active.len().saturating_sub(KEPT_FRAMES_MIN));
    (first, (first + KEPT_FRAMES_MIN).min(active.len()))
}

/// The silent stretches that may be shortened: those at either end, and those longer than `pause`.
fn gaps(active: &[bool], pause: usize) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    let mut start = 0;
    for run in active.chunk_by(|a, b| a == b) {
        let gap = start..start + run.len();
        start = gap.end;
        if !run[0] && (gap.start == 0 || gap.end == active.len() || run.len() > pause) {
            gaps.push(gap);
        }
    }
    gaps
}

/// Marks as active what the voice detector hears in a gap.
fn hear(
    scratch: &mut dyn Scratch,
    profile: Profile,
    frame: usize,
    gap: Range<usize>,
    active: &mut [bool],
) -> io::Result<()> {
    let mut voice = Voice::new(profile);
    let mut samples = vec![0.0; voice.frame()];
    let (mut at, end) = (gap.start * frame, gap.end * frame);
    while at + samples.len() <= end {
        scratch.read(at as u64, &mut samples)?;
        let run = voice.hear(&samples);
        at += samples.len();
        if run >= SYLLABLE {
            active[(at - run * samples.len()) / frame..(at / frame).min(gap.end)].fill(true);
        }
    }
    Ok(())
}

/// Reads what a [`Plan`] keeps, joints crossfaded and ends faded.
pub struct Kept<'a> {
    plan: &'a Plan,
    scratch: &'a mut dyn Scratch,
    part: usize,
    at: u64,
    /// The end of the part before, still to be mixed with the start of this one.
    overlap: Vec<f32>,
    begun: bool,
}

impl Kept<'_> {
    /// Replaces `block` by the next samples. `false` means the end.
    ///
    /// # Errors
    /// When the scratch cannot be read.
    pub fn next_block(&mut self, block: &mut Vec<f32>) -> io::Result<bool> {
        block.clear();
        let Some(part) = self.plan.parts.get(self.part).cloned() else { return Ok(false) };
        let last = self.part + 1 == self.plan.parts.len();
        let shared = if last { 0 } else { self.plan.fade as u64 };
        let body = part.end.saturating_sub(shared).max(self.at);
        // A short rest is read along, so that the fade at the end has its whole length.
        let until = if body - self.at <= READ as u64 * 2 { body } else { self.at + READ as u64 };
        self.fill(self.at, until, block)?;
        self.join(block);
        self.at = until;
        if until + shared >= part.end {
            self.turn(part.end, last, block)?;
        }
        Ok(true)
    }

    fn fill(&mut self, from: u64, until: u64, block: &mut Vec<f32>) -> io::Result<()> {
        block.resize(usize::try_from(until - from).expect("at most a block"), 0.0);
        self.scratch.read(from, block)
    }

    /// Fades in the very start, or mixes the end of the part before into the start of this one.
    fn join(&mut self, block: &mut [f32]) {
        if !self.begun {
            self.begun = true;
            self.overlap = vec![0.0; self.plan.fade];
        }
        for (index, before) in self.overlap.drain(..).enumerate().take(block.len()) {
            let (out, into) = shares(index, self.plan.fade);
            block[index] = block[index] * into + before * out;
        }
    }

    /// Goes on to the next part, or fades out the end.
    fn turn(&mut self, end: u64, last: bool, block: &mut [f32]) -> io::Result<()> {
        self.part += 1;
        if last {
            let fade = self.plan.fade.min(block.len());
            let from = block.len() - fade;
            for (index, sample) in block[from..].iter_mut().enumerate() {
                *sample *= shares(index, fade).0;
            }
            return Ok(());
        }
        let mut overlap = Vec::new();
        self.fill(self.at, end, &mut overlap)?;
        self.overlap = overlap;
        self.at = self.plan.parts[self.part].start;
        Ok(())
    }
}

/// How much of the old and of the new sounds at a step of a crossfade; their powers sum to one.
fn shares(index: usize, fade: usize) -> (f32, f32) {
    #[expect(clippy::cast_precision_loss, reason = "some hundred steps")]
    let angle = (index as f32 + 0.5) / fade as f32 * std::f32::consts::FRAC_PI_2;
    (angle.cos(), angle.sin())
}
