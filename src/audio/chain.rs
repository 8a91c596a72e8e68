//! The chain: any recording in, one loudness out.
//!
//! One pass reads the source, measures it, mixes, resamples and filters it into a scratch. From there the silence is
//! cut, the gain is searched with the limiter in the loop, and the result is encoded. **The loop is closed over the
//! codec**: the encoded file is decoded as a controller will decode it, and measured; what level it lost is given
//! back by the Opus header's gain (RFC 7845 section 5.1), and only a peak above the ceiling costs another encoding.
//! The ceiling always holds; where loudness and ceiling cannot both be had, loudness gives way and the outcome says so.

mod closing;
mod intake;
mod noise;
mod wave;

use std::io;

use sha2::{Digest, Sha256};

use self::closing::{TOLERATED_LU, Work};
use self::intake::{Entry, Heard, hear};
pub use self::noise::NOISE_MAX;
use super::cut::Plan;
use super::downmix::Findings;
use super::encode::{EncodeError, Tags};
use super::loudness::{BLOCK, Loudness};
use super::opus::OpusError;
use super::recipe::Recipe;
use super::resample::ResampleError;
use super::scratch::Scratch;
use super::source::{Format, Source};
use super::survey::Survey;
use super::wav::Sink;
use crate::unit::{Db, Lufs, Millis};

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
    /// The 16-bit samples could not be put where they were wanted.
    #[error("the WAV file could not be written; free some disk space and try again")]
    Wave(#[source] io::Error),
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

/// A recording as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// Its format.
    pub format: Format,
    /// Loudness and true peak over all channels.
    pub loudness: Loudness,
    /// What was found in the channels.
    pub channels: Findings,
    /// What it suffers from.
    pub survey: Survey,
}

/// What was measured and done.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The recording as it came in.
    pub recording: Examination,
    /// The asset, decoded at the profile's rate, with its header's gain.
    pub after: Loudness,
    /// The 16-bit samples beside it, where they were wanted.
    pub wave: Option<Loudness>,
    /// What was cut.
    pub cut: Cut,
    /// The gain before the limiter.
    pub gain: Db,
    /// The gain in the Opus header.
    pub header_gain: Db,
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
    /// The noise between the words would become louder than [`NOISE_MAX`].
    Noise,
    /// Peaks so high above the loudness that the ceiling forbids more.
    Ceiling,
}

impl Shortfall {
    /// A stable word for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::GainBound => "gain-bound",
            Self::Noise => "noise-bound",
            Self::Ceiling => "peaks",
        }
    }
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
    /// Drawing the gain that brings speakers nearer to each other.
    Level,
    /// Searching the gain.
    Search,
    /// Limiting and encoding.
    Encode,
    /// Decoding and measuring what came out.
    Verify,
    /// Making and measuring the 16-bit samples.
    Wave,
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
    normalise_with_wav(source, recipe, tags, scratch, watch, None)
}

/// Makes an asset of a recording, and gives `wave` the same sound in 16 bits at the profile's rate.
///
/// Nothing is given to `wave` before the asset is finished, so a refused recording leaves it untouched.
///
/// # Errors
/// As [`normalise`], and when `wave` fails.
pub fn normalise_with_wav<S: Source>(
    source: &mut S,
    recipe: &Recipe,
    tags: &Tags,
    scratch: &mut dyn Scratch,
    watch: &mut dyn Watch,
    wave: Option<&mut dyn Sink>,
) -> Result<Outcome, ChainError<S::Error>> {
    let heard = hear(source, recipe, scratch, watch)?;
    watch.enter(Stage::Cut, Millis::default());
    let loudness = admit(&heard)?;
    let plan = Plan::new(&heard.levels, loudness, recipe, scratch)?;
    let cut =
        Cut { lead: plan.lead, tail: plan.tail, pauses: plan.pauses.0, shortened: plan.pauses.1 };
    let bound = noise::bound(recipe, &heard.levels, &plan, loudness, scratch)?;
    let lift_max = noise::room(plan.floor(&heard.levels), loudness, recipe);
    let mut work =
        Work { recipe, plan, scratch, watch, meter_wave: wave.is_some(), bound, curve: None };
    let levelled = if recipe.levelled { work.level(lift_max)? } else { None };
    let made = work.make::<S::Error>(levelled.unwrap_or(loudness).get(), tags)?;
    let (wave, short) = match (wave, made.basis) {
        (Some(sink), Some(basis)) => (Some(work.wave(&basis, sink)?), basis.short()),
        _ => (None, 0.0),
    };
    let measurement = Measurement {
        recording: heard.recording,
        cut,
        gain: Db::nearest(made.gain),
        header_gain: made.header,
        encodings: made.encodings,
        shortfall: made.shortfall.or((short > TOLERATED_LU).then_some(Shortfall::Ceiling)),
        after: made.after,
        wave,
    };
    let asset = Asset { duration: measurement.after.duration, bytes: made.bytes };
    Ok(Outcome { asset, measurement })
}

/// Measures a recording without making anything of it.
///
/// # Errors
/// When the source fails. Silence is measured as what it is.
pub fn measure<S: Source>(source: &mut S, watch: &mut dyn Watch) -> Result<Examination, S::Error> {
    let mut entry = Entry::new(source.format());
    while entry.next(source, watch)? {}
    Ok(entry.finish().0)
}
/// The loudness of what is kept, or why it is refused.
fn admit(heard: &Heard) -> Result<Lufs, Refusal> {
    let duration = heard.recording.loudness.duration;
    if duration == Millis::default() {
        return Err(Refusal::Empty);
    }
    if duration < BLOCK {
        return Err(Refusal::TooShort(duration));
    }
    heard.kept.ok_or(match heard.recording.loudness.integrated {
        Some(faint) => Refusal::TooFaint(faint),
        None => Refusal::Silent,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scratch::Memory;
    use super::super::source::Samples;
    use super::*;
    use crate::unit::{Dbtp, SampleRate};

    const RATE: SampleRate = SampleRate::WIDEBAND;

    fn made(sound: &[f32]) -> Result<Outcome, ChainError<std::convert::Infallible>> {
        let mut source = Samples::mono(RATE, sound);
        normalise(&mut source, &Recipe::default(), &Tags::default(), &mut Memory::new(), &mut ())
    }

    fn refusal(sound: &[f32]) -> Refusal {
        match made(sound) {
            Err(ChainError::Refused(refusal)) => refusal,
            other => panic!(
                "not refused: {:?}",
                other.map(|outcome| outcome.measurement.after.integrated)
            ),
        }
    }

    /// Syllables of a buzzing voice, four a second.
    fn speech(seconds: u16, level: f32) -> Vec<f32> {
        let sample = |n: u32| {
            #[expect(clippy::cast_precision_loss, reason = "a test sound")]
            let t = n as f32 / 16_000.0;
            let buzz: f32 =
                [1.0, 2.0, 3.0, 5.0, 8.0].iter().map(|k| (t * 1_100.0 * k).sin() / k).sum();
            buzz * (t * 12.0).sin().max(0.0) * level
        };
        (0..u32::from(seconds) * 16_000).map(sample).collect()
    }

    #[test]
    fn silence_is_refused() {
        assert_eq!(refusal(&vec![0.0; 32_000]), Refusal::Silent);
    }

    #[test]
    fn no_sample_at_all_is_refused() {
        assert_eq!(refusal(&[]), Refusal::Empty);
    }

    #[test]
    fn less_than_one_gating_block_is_refused_and_never_called_minus_seventy() {
        assert_eq!(refusal(&speech(1, 0.3)[..6_000]), Refusal::TooShort(Millis::new(375)));
    }

    #[test]
    fn a_recording_that_is_no_number_is_refused_as_silence() {
        assert_eq!(refusal(&vec![f32::NAN; 32_000]), Refusal::Silent);
    }

    #[test]
    fn a_minute_of_silence_in_front_is_cut() {
        let mut sound = vec![0.0; 60 * 16_000];
        sound.extend(speech(5, 0.3));
        let outcome = made(&sound).unwrap();
        assert!(
            (59_000..60_001).contains(&outcome.measurement.cut.lead.get()),
            "{:?}",
            outcome.measurement.cut
        );
        assert!(outcome.asset.duration < Millis::new(6_100));
    }

    #[test]
    fn a_long_pause_is_capped_and_the_rest_is_kept() {
        let mut sound = speech(4, 0.3);
        sound.extend(vec![0.0; 10 * 16_000]);
        sound.extend(speech(4, 0.3));
        let outcome = made(&sound).unwrap();
        assert_eq!(outcome.measurement.cut.shortened, 1);
        let kept = outcome.asset.duration.get();
        assert!((9_000..10_500).contains(&kept), "{kept} ms");
    }

    #[test]
    fn a_recording_beyond_the_gain_bound_says_so_and_is_raised_that_far() {
        let outcome = made(&speech(5, 0.002)).unwrap();
        assert_eq!(outcome.measurement.shortfall, Some(Shortfall::GainBound));
        assert!(outcome.measurement.gain.get() <= 37.0, "{}", outcome.measurement.gain);
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let sound = speech(3, 0.2);
        assert_eq!(made(&sound).unwrap().asset, made(&sound).unwrap().asset);
    }

    #[test]
    fn the_opus_file_decodes_to_the_length_and_loudness_that_were_told() {
        let outcome = made(&speech(4, 0.1)).unwrap();
        let decoded =
            super::super::opus::decode(&outcome.asset.bytes, super::super::opus::Output::Full)
                .unwrap();
        let found =
            measure(&mut Samples::mono(SampleRate::FULL, &decoded), &mut ()).unwrap().loudness;
        assert!((found.integrated.unwrap().get() + 16.0).abs() < 0.05, "{:?}", found.integrated);
        assert_eq!(found.duration, outcome.asset.duration);
    }

    fn made_with_wav(sound: &[f32], recipe: &Recipe) -> (Outcome, Vec<i16>) {
        let mut source = Samples::mono(RATE, sound);
        let (tags, mut scratch, mut wave) = (Tags::default(), Memory::new(), Vec::new());
        let made =
            normalise_with_wav(&mut source, recipe, &tags, &mut scratch, &mut (), Some(&mut wave));
        (made.unwrap(), wave)
    }

    #[test]
    fn the_wav_is_as_loud_as_the_asset_and_as_long() {
        for recipe in [Recipe::default(), Recipe::full()] {
            let (outcome, wave) = made_with_wav(&speech(4, 0.1), &recipe);
            let sound: Vec<f32> =
                wave.iter().map(|step| f32::from(*step) / super::super::wav::FULL_SCALE).collect();
            let mut source = Samples::mono(recipe.profile.rate(), &sound);
            let heard = measure(&mut source, &mut ()).unwrap().loudness;
            let told = outcome.measurement.wave.unwrap();
            assert!((told.integrated.unwrap().get() + 16.0).abs() < 0.01, "{:?}", told.integrated);
            let apart = heard.integrated.unwrap().get() - told.integrated.unwrap().get();
            assert!((apart - recipe.profile.reads_high()).abs() < 1e-6, "{apart}");
            assert_eq!(told.true_peak, heard.true_peak);
            assert_eq!(told.duration, outcome.asset.duration);
        }
    }

    #[test]
    fn a_wav_beside_it_changes_no_byte_of_the_asset() {
        let sound = speech(3, 0.2);
        assert_eq!(made_with_wav(&sound, &Recipe::default()).0.asset, made(&sound).unwrap().asset);
    }

    #[test]
    fn a_refused_recording_gives_the_wav_no_sample() {
        let (silence, mut wave) = (vec![0.0; 32_000], Vec::new());
        let refused = normalise_with_wav(
            &mut Samples::mono(RATE, &silence),
            &Recipe::default(),
            &Tags::default(),
            &mut Memory::new(),
            &mut (),
            Some(&mut wave),
        );
        assert!(refused.is_err() && wave.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_level_and_knocks_come_out_at_the_target_or_say_why(
            level in 0.002..3.0_f32,
            knocks in prop::collection::vec((0..64_000_usize, -4.0..4.0_f32), 0..6),
        ) {
            let mut sound = speech(4, level);
            for (at, height) in knocks {
                sound[at] += height;
            }
            let found = made_with_wav(&sound, &Recipe::default()).0.measurement;
            for (what, heard) in [("asset", &found.after), ("wav", found.wave.as_ref().unwrap())] {
                let error = (heard.integrated.unwrap().get() + 16.0).abs();
                prop_assert!(error <= 0.2 || found.shortfall.is_some(), "{what}: {error} LU off, and no word of it");
                prop_assert!(heard.true_peak <= Dbtp::nearest(-1.0), "{what}: {}", heard.true_peak);
            }
        }
    }
}
