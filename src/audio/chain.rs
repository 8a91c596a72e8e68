//! The chain: any recording in, one loudness out.
//!
//! One pass reads the source, measures it, mixes, resamples and filters it into a scratch. From there the silence is
//! cut, the gain is searched with the limiter in the loop, and the result is encoded. **The loop is closed over the
//! codec**: the encoded file is decoded as a controller will decode it, and measured; what level it lost is given
//! back by the Opus header's gain (RFC 7845 section 5.1), and only a peak above the ceiling costs another encoding.
//! The ceiling always holds; where loudness and ceiling cannot both be had, loudness gives way and the outcome says so.

use std::io;

use sha2::{Digest, Sha256};

use super::cut::{Levels, Plan};
use super::downmix::{Downmix, Findings};
use super::encode::{EncodeError, Packets, Tags, Writer};
use super::filter::{Band, DcBlocker};
use super::limiter::Limiter;
use super::loudness::{BLOCK, Integrator, Loudness, Meter};
use super::opus::{OpusError, Output, Reader};
use super::peak::TruePeak;
use super::recipe::{Profile, Recipe};
use super::resample::{ResampleError, Resampler};
use super::scratch::Scratch;
use super::source::{Format, Source, Speaker};
use crate::unit::{Db, Dbtp, Lufs, Millis, SampleRate};

/// How near the limiter's output must come to the aim, in LU; the header's gain does the rest.
const SEARCH_LU: f64 = 0.1;

/// Most runs of the limiter in search of the gain; speech needs one or two.
const SEARCHES_MAX: usize = 5;

/// Most encodings of one recording; after the last the ceiling is held by the header's gain alone.
const ENCODINGS_MAX: u8 = 3;

/// Meters differ by some hundredths; verified peaks stay this far below the ceiling.
const CEILING_MARGIN_DB: f64 = 0.05;

/// A level error that is accepted rather than encoding again, in LU: half of the promise of ±0.2.
const TOLERATED_LU: f64 = 0.1;

/// Silence that the limiter's output may not reach: gain at most this below or above the recording.
const GAIN_MIN_DB: f64 = -60.0;

/// A recording that cannot be made into an asset, in words for the person who sent it.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Not one sample came.
    #[error(
        "the recording holds no sound at all; export it again from the recorder, or record it again"
    )]
    Empty,
    /// Shorter than one gating block.
    #[error(
        "the recording lasts only {0}, and loudness is defined from {BLOCK} on; record at least one sentence"
    )]
    TooShort(Millis),
    /// Nothing above −70 LUFS.
    #[error(
        "the recording is silent; check that the microphone was on and plugged in, then record again"
    )]
    Silent,
    /// Louder than nothing, but so faint that raising it would only raise noise.
    #[error("the recording is far too faint ({0}); bring the microphone near and record again")]
    TooFaint(Lufs),
}

impl Refusal {
    /// A stable word for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooShort(_) => "too-short",
            Self::Silent => "silent",
            Self::TooFaint(_) => "too-faint",
        }
    }
}

/// Why the chain gave no asset.
#[derive(Debug, thiserror::Error)]
pub enum ChainError<E: std::error::Error + 'static> {
    /// The recording itself is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source broke off; the reason is its own.
    #[error("the recording could not be read")]
    Source(#[source] E),
    /// The scratch failed, most likely a full disk.
    #[error("the working copy of the sound could not be kept; free some disk space and try again")]
    Scratch(#[from] io::Error),
    /// No resampler for this rate.
    #[error(transparent)]
    Rate(#[from] ResampleError),
    /// The encoder refused.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// What was encoded could not be decoded.
    #[error("the encoded sound could not be verified")]
    Verify(#[from] OpusError),
}

/// A normalised, encoded recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The Ogg Opus file.
    pub bytes: Vec<u8>,
    /// How long it sounds.
    pub duration: Millis,
}

impl Asset {
    /// The SHA-256 of the file, which is its name.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// What was measured and done.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The format that came in.
    pub format: Format,
    /// The recording as it came in, all channels.
    pub before: Loudness,
    /// The asset, decoded at 48 kHz with its header's gain; the true peak is the highest of the ways to decode it.
    pub after: Loudness,
    /// What was found in the channels.
    pub channels: Findings,
    /// What was cut.
    pub cut: Cut,
    /// The gain before the limiter.
    pub gain: Db,
    /// The gain in the Opus header.
    pub header_gain: Db,
    /// The level, in dB against full scale, that one tenth of the recording stays below, before any gain.
    pub noise_floor: Db,
    /// How many times it was encoded.
    pub encodings: u8,
    /// Why the target was not met, if it was not.
    pub shortfall: Option<Shortfall>,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// From the start.
    pub lead: Millis,
    /// From the end.
    pub tail: Millis,
    /// Out of long pauses.
    pub pauses: Millis,
    /// How many pauses were shortened.
    pub shortened: usize,
}

/// Why an asset is not as loud as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// The recipe bounds the gain, and the recording is fainter than that.
    GainBound,
    /// Peaks so high above the loudness that the ceiling forbids more.
    Ceiling,
}

/// Asset and measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What controllers play.
    pub asset: Asset,
    /// What was measured and done.
    pub measurement: Measurement,
}

/// A stage of the chain, for progress and cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for the source.
    Source,
    /// Measuring what came in.
    Meter,
    /// Mixing to mono, without offset and glitches.
    Mix,
    /// Changing the rate.
    Resample,
    /// Limiting the band.
    Filter,
    /// Writing the working copy.
    Keep,
    /// Looking for silence and voices.
    Cut,
    /// Searching the gain.
    Search,
    /// Limiting and encoding.
    Encode,
    /// Decoding and measuring what came out.
    Verify,
}

/// Told when the chain enters a stage; the chain itself has no clock.
pub trait Watch {
    /// `stage` begins, with so much of the recording done in it.
    fn enter(&mut self, stage: Stage, done: Millis);
}

/// Watches nothing.
impl Watch for () {
    fn enter(&mut self, _stage: Stage, _done: Millis) {}
}

/// Makes an asset of a recording.
///
/// The scratch must be empty. The source is read to its end.
///
/// # Errors
/// When the recording is refused, or the source, the scratch or the codec fails.
pub fn normalise<S: Source>(
    source: &mut S,
    recipe: &Recipe,
    tags: &Tags,
    scratch: &mut dyn Scratch,
    watch: &mut dyn Watch,
) -> Result<Outcome, ChainError<S::Error>> {
    let heard = hear(source, recipe, scratch, watch)?;
    watch.enter(Stage::Cut, Millis::default());
    let loudness = admit(&heard)?;
    let plan = Plan::new(&heard.levels, loudness, recipe, scratch)?;
    let mut work = Work { recipe, plan, scratch, watch, rate: recipe.profile.rate() };
    let made = make::<S::Error>(&mut work, tags)?;
    let cut = Cut {
        lead: work.plan.lead,
        tail: work.plan.tail,
        pauses: work.plan.pauses.0,
        shortened: work.plan.pauses.1,
    };
    let measurement = Measurement {
        format: source.format().clone(),
        before: heard.before,
        channels: heard.channels,
        cut,
        noise_floor: Db::nearest(heard.levels.quantile(0.1)),
        gain: Db::nearest(made.gain),
        header_gain: made.header,
        encodings: made.encodings,
        shortfall: made.shortfall,
        after: made.after,
    };
    let asset = Asset { duration: measurement.after.duration, bytes: made.bytes };
    Ok(Outcome { asset, measurement })
}

/// Measures a recording without making anything of it.
///
/// # Errors
/// When the source fails. Silence is measured as what it is.
pub fn measure<S: Source>(source: &mut S) -> Result<(Loudness, Findings), S::Error> {
    let mut meter = Meter::new(source.format());
    let mut downmix = Downmix::new(source.format());
    let (mut block, mut mono) = (Vec::new(), Vec::new());
    while source.next_block(&mut block)? {
        downmix.sanitise(&mut block);
        meter.push(&block);
        mono.clear();
        downmix.process(&block, &mut mono);
    }
    Ok((meter.finish(), downmix.finish(&mut mono)))
}

/// What the one pass over the source gave.
struct Heard {
    before: Loudness,
    channels: Findings,
    levels: Levels,
    /// Loudness of the mono, band-limited sound in the scratch.
    kept: Option<Lufs>,
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

fn hear<S: Source>(
    source: &mut S,
    recipe: &Recipe,
    scratch: &mut dyn Scratch,
    watch: &mut dyn Watch,
) -> Result<Heard, ChainError<S::Error>> {
    let format = source.format().clone();
    let rate = recipe.profile.rate();
    let (mut meter, mut downmix) = (Meter::new(&format), Downmix::new(&format));
    let mut dc = DcBlocker::new(format.rate);
    let mut intake = Intake {
        resampler: Some(Resampler::new(format.rate, rate)?),
        band: Band::new(recipe.profile),
        levels: Levels::new(rate),
        loudness: Integrator::new(rate),
        scratch,
        block: Vec::new(),
    };
    let (mut block, mut mono, mut frames) = (Vec::new(), Vec::new(), 0);
    loop {
        let done = Millis::of_frames(frames, format.rate);
        watch.enter(Stage::Source, done);
        if !source.next_block(&mut block).map_err(ChainError::Source)? {
            break;
        }
        watch.enter(Stage::Mix, done);
        downmix.sanitise(&mut block);
        mono.clear();
        downmix.process(&block, &mut mono);
        dc.process(&mut mono);
        watch.enter(Stage::Meter, done);
        meter.push(&block);
        intake.take(&mono, watch, done)?;
        frames += (block.len() / format.channels()) as u64;
    }
    mono.clear();
    let channels = downmix.finish(&mut mono);
    dc.process(&mut mono);
    let done = Millis::of_frames(frames, format.rate);
    intake.take(&mono, watch, done)?;
    intake.finish(watch, done)?;
    let Intake { levels, loudness, .. } = intake;
    Ok(Heard { before: meter.finish(), channels, levels, kept: loudness.finish() })
}

/// The loudness of what is kept, or why it is refused.
fn admit(heard: &Heard) -> Result<Lufs, Refusal> {
    let duration = heard.before.duration;
    if duration == Millis::default() {
        return Err(Refusal::Empty);
    }
    if duration < BLOCK {
        return Err(Refusal::TooShort(duration));
    }
    heard.kept.ok_or(match heard.before.integrated {
        Some(faint) => Refusal::TooFaint(faint),
        None => Refusal::Silent,
    })
}

/// The cut sound and all that is needed to run it through the limiter again.
struct Work<'a> {
    recipe: &'a Recipe,
    plan: Plan,
    scratch: &'a mut dyn Scratch,
    watch: &'a mut dyn Watch,
    rate: SampleRate,
}

impl Work<'_> {
    /// Runs the cut sound through gain and limiter into `sink`.
    fn run<E: From<io::Error>>(
        &mut self,
        stage: Stage,
        gain: f64,
        ceiling: Dbtp,
        mut sink: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
        let factor = Db::nearest(gain).factor() as f32;
        let mut limiter = Limiter::new(self.rate, ceiling);
        let mut kept = self.plan.read(self.scratch);
        let (mut block, mut out, mut frames) = (Vec::new(), Vec::new(), 0);
        while kept.next_block(&mut block)? {
            self.watch.enter(stage, Millis::of_frames(frames, self.rate));
            block.iter_mut().for_each(|sample| *sample *= factor);
            out.clear();
            limiter.process(&block, &mut out);
            sink(&out)?;
            frames += block.len() as u64;
        }
        out.clear();
        limiter.finish(&mut out);
        sink(&out)
    }

    /// Loudness after gain and limiter.
    fn loudness(&mut self, gain: f64, ceiling: Dbtp) -> io::Result<Option<Lufs>> {
        let mut loudness = Integrator::new(self.rate);
        self.run::<io::Error>(Stage::Search, gain, ceiling, |samples| {
            loudness.push(samples);
            Ok(())
        })?;
        Ok(loudness.finish())
    }

    /// The gain that brings the limiter's output to the aim.
    fn search(&mut self, aim: f64, start: f64, ceiling: Dbtp) -> io::Result<f64> {
        let most = self.recipe.gain_max.get();
        let mut gain = start.clamp(GAIN_MIN_DB, most);
        for _ in 0..SEARCHES_MAX {
            let Some(loudness) = self.loudness(gain, ceiling)? else { break };
            let error = aim - loudness.get();
            if error.abs() < SEARCH_LU || (error > 0.0 && gain >= most) {
                break;
            }
            // A limiter gives back less than it is given: ask for a little more each time.
            gain = (gain + error * 1.3).clamp(GAIN_MIN_DB, most);
        }
        Ok(gain)
    }
}

/// What came out of the closed loop.
struct Made {
    bytes: Vec<u8>,
    after: Loudness,
    gain: f64,
    header: Db,
    encodings: u8,
    shortfall: Option<Shortfall>,
}

fn make<E: std::error::Error>(work: &mut Work<'_>, tags: &Tags) -> Result<Made, ChainError<E>> {
    let ceiling = work.recipe.ceiling.get();
    // With no limiter in the way: a ceiling that nothing reaches.
    let bare = work.loudness(0.0, Dbtp::MAX)?.ok_or(Refusal::Silent)?.get();
    let target = work.recipe.target.get();
    let aim = target.min(bare + work.recipe.gain_max.get());
    let mut gain = aim - bare;
    let mut limit = ceiling - work.recipe.profile.overshoot().get();
    let mut encodings = 0;
    loop {
        gain = work.search(aim, gain, Dbtp::nearest(limit))?;
        let packets = encode(work, gain, Dbtp::nearest(limit))?;
        encodings += 1;
        let raw = verify(&packets, work.recipe, tags, work.watch)?;
        let lost = aim - raw.integrated.ok_or(Refusal::Silent)?.get();
        let excess = raw.true_peak.get() + lost - (ceiling - CEILING_MARGIN_DB);
        if excess > TOLERATED_LU && encodings < ENCODINGS_MAX {
            limit -= excess + CEILING_MARGIN_DB;
            continue;
        }
        let header = header_gain(lost - excess.max(0.0));
        let shortfall = shortfall(target - aim, excess);
        let after = shifted(raw, header);
        return Ok(Made {
            bytes: packets.to_ogg(header, tags),
            after,
            gain,
            header,
            encodings,
            shortfall,
        });
    }
}

fn shortfall(unreached: f64, excess: f64) -> Option<Shortfall> {
    if unreached > TOLERATED_LU {
        Some(Shortfall::GainBound)
    } else {
        (excess > TOLERATED_LU).then_some(Shortfall::Ceiling)
    }
}

/// The gain as the header can write it, rounded down so that no ceiling is passed by rounding.
fn header_gain(gain: f64) -> Db {
    Db::nearest((gain * 256.0).floor() / 256.0)
}

fn encode<E: std::error::Error>(
    work: &mut Work<'_>,
    gain: f64,
    limit: Dbtp,
) -> Result<Packets, ChainError<E>> {
    let mut writer = Writer::new(work.recipe)?;
    work.run::<ChainError<E>>(Stage::Encode, gain, limit, |samples| Ok(writer.push(samples)?))?;
    Ok(writer.finish()?)
}

/// Decodes as a controller does, and measures.
///
/// Speech is decoded a second time at its own rate: libopus raises 16 to 48 kHz with a filter that bends phases, other
/// players with one that does not, and the same packets then peak up to 2 dB apart. Both peaks must pass.
fn verify(
    packets: &Packets,
    recipe: &Recipe,
    tags: &Tags,
    watch: &mut dyn Watch,
) -> Result<Loudness, OpusError> {
    let bytes = packets.to_ogg(Db::nearest(0.0), tags);
    let mut meter = Meter::new(&Format { rate: SampleRate::FULL, layout: vec![Speaker::Centre] });
    play(&bytes, Output::Full, watch, |block| meter.push(block))?;
    let mut heard = meter.finish();
    if recipe.profile == Profile::Speech {
        let mut peak = TruePeak::new();
        play(&bytes, Output::Wideband, watch, |block| peak.push(block.iter().copied()))?;
        let straight = Dbtp::of_amplitude(f64::from(peak.finish()));
        heard.true_peak = Dbtp::nearest(heard.true_peak.get().max(straight.get()));
    }
    Ok(heard)
}

fn play(
    bytes: &[u8],
    output: Output,
    watch: &mut dyn Watch,
    mut to: impl FnMut(&[f32]),
) -> Result<(), OpusError> {
    let mut reader = Reader::new(bytes, output)?;
    let (mut block, mut frames) = (Vec::new(), 0);
    while reader.next_block(&mut block)? {
        watch.enter(Stage::Verify, Millis::of_frames(frames, output.rate()));
        to(&block);
        frames += block.len() as u64;
    }
    Ok(())
}

/// A measurement as it is once every sample is multiplied by `gain`: exact, because gating is relative.
fn shifted(raw: Loudness, gain: Db) -> Loudness {
    let more = |loudness: Lufs| Lufs::nearest(loudness.get() + gain.get());
    let mut envelope = raw.envelope;
    #[expect(clippy::cast_possible_truncation, reason = "amplitudes are single precision")]
    envelope.columns.iter_mut().for_each(|column| *column *= gain.factor() as f32);
    Loudness {
        integrated: raw.integrated.map(more),
        true_peak: Dbtp::nearest(raw.true_peak.get() + gain.get()),
        curve: raw.curve.into_iter().map(more).collect(),
        envelope,
        ..raw
    }
}
