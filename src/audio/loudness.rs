//! How loud sound is: integrated loudness, range, true peak, and a curve to draw.
//!
//! K-weighting and gating by the `ebur128` crate (ITU-R BS.1770-4, EBU R 128, EBU Tech 3342); true peak by
//! [`super::peak`]. **A loudness that cannot be known is `None`, never −70 LUFS**: less than one gating block of
//! 400 ms, or nothing above the absolute gate.

use std::collections::VecDeque;

use ebur128::{Channel, EbuR128, Mode};

use super::peak::{TruePeak, magnitude};
use super::source::{Format, Speaker};
use crate::unit::{Dbtp, Lu, Lufs, Millis, SampleRate};

/// One gating block (BS.1770-4): below it there is no loudness.
pub const BLOCK: Millis = Millis::new(400);

/// Between two points of the curve.
pub const CURVE_STEP: Millis = Millis::new(500);

/// Loudness range needs some three-second windows (Tech 3342); below this it is not told.
const RANGE_MIN: Millis = Millis::new(4_000);

/// The windows of momentary and short-term loudness move on by this; the tables of Tech 3341 need 20 ms or less.
const HOP: Millis = Millis::new(10);

/// Hops in the momentary window of 400 ms.
const MOMENTARY_HOPS: usize = 40;

/// Hops in the short-term window of three seconds.
const SHORT_TERM_HOPS: usize = 300;

/// Loudness of the power 1 (BS.1770-4, equation 2).
const OFFSET: f64 = -0.691;

/// Columns that an envelope never exceeds; when it would, two become one.
const COLUMNS_MAX: usize = 2_000;

/// Time of one column at first.
const COLUMN_MS: u64 = 20;

/// What was measured of one piece of sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Loudness {
    /// How long it is.
    pub duration: Millis,
    /// Integrated loudness; `None` for silence and for less than [`BLOCK`].
    pub integrated: Option<Lufs>,
    /// Loudness range; `None` below four seconds.
    pub range: Option<Lu>,
    /// The loudest 400 ms (Tech 3341); `None` where nothing lies above −70 LUFS.
    pub momentary_max: Option<Lufs>,
    /// The loudest three seconds (Tech 3341), which EBU R 128 s1 asks of short items.
    pub short_term_max: Option<Lufs>,
    /// The highest true peak of any channel.
    pub true_peak: Dbtp,
    /// Momentary loudness at each [`CURVE_STEP`], silence as [`Lufs::MIN`].
    pub curve: Vec<Lufs>,
    /// The outline of the wave.
    pub envelope: Envelope,
}

/// The largest magnitude of each stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Amplitudes, full scale 1.0, at most 2000 of them.
    pub columns: Vec<f32>,
    /// How many frames one column spans.
    pub frames_per_column: u64,
    filled: u64,
}

impl Envelope {
    fn new(rate: SampleRate) -> Self {
        Self {
            columns: Vec::new(),
            frames_per_column: Millis::new(COLUMN_MS).frames(rate).max(1),
            filled: 0,
        }
    }

    fn push(&mut self, mut interleaved: &[f32], channels: usize) {
        while !interleaved.is_empty() {
            if self.filled.is_multiple_of(self.frames_per_column) {
                self.open_column();
            }
            let room = self.frames_per_column - self.filled % self.frames_per_column;
            let room =
                usize::try_from(room).map_or(usize::MAX, |frames| frames.saturating_mul(channels));
            let (now, later) = interleaved.split_at(interleaved.len().min(room));
            let column = self.columns.last_mut().expect("a column was opened");
            *column = column.max(magnitude(now));
            self.filled += (now.len() / channels) as u64;
            interleaved = later;
        }
    }

    fn open_column(&mut self) {
        if self.columns.len() == COLUMNS_MAX {
            self.columns = self.columns.chunks(2).map(magnitude).collect();
            self.frames_per_column *= 2;
        }
        self.columns.push(0.0);
    }
}

/// Hears interleaved blocks and tells their loudness at the end.
pub struct Meter {
    ebu: EbuR128,
    peaks: Vec<TruePeak>,
    rate: SampleRate,
    channels: usize,
    frames: u64,
    step: u64,
    hop: u64,
    windows: Windows,
    curve: Vec<Lufs>,
    envelope: Envelope,
    /// The samples of one channel.
    one: Vec<f32>,
}

impl Meter {
    /// A meter for blocks of that format.
    #[must_use]
    pub fn new(format: &Format) -> Self {
        let channels = format.channels();
        Self {
            ebu: engine(format, Mode::I | Mode::LRA),
            peaks: vec![TruePeak::new(); channels],
            rate: format.rate,
            channels,
            frames: 0,
            step: CURVE_STEP.frames(format.rate),
            hop: HOP.frames(format.rate),
            windows: Windows::default(),
            curve: Vec::new(),
            envelope: Envelope::new(format.rate),
            one: Vec::new(),
        }
    }

    /// Hears whole frames of finite samples.
    pub fn push(&mut self, block: &[f32]) {
        self.peaks(block);
        self.envelope.push(block, self.channels);
        let mut rest = block;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.room()));
            add(&mut self.ebu, now);
            self.frames += (now.len() / self.channels) as u64;
            rest = later;
            if self.frames.is_multiple_of(self.hop) {
                self.windows.push(power(&self.ebu, HOP));
            }
            if self.frames.is_multiple_of(self.step) {
                self.curve.push(lufs(self.windows.momentary()).unwrap_or(Lufs::MIN));
            }
        }
    }

    /// Samples until the end of the hop or the next point of the curve.
    fn room(&self) -> usize {
        let until = |step: u64| step - self.frames % step;
        let frames = until(self.hop).min(until(self.step));
        usize::try_from(frames).expect("a hop") * self.channels
    }

    fn peaks(&mut self, block: &[f32]) {
        if let [peak] = &mut self.peaks[..] {
            return peak.push(block);
        }
        for (channel, peak) in self.peaks.iter_mut().enumerate() {
            self.one.clear();
            self.one.extend(block.chunks_exact(self.channels).map(|frame| frame[channel]));
            peak.push(&self.one);
        }
    }

    /// What was heard.
    #[must_use]
    pub fn finish(self) -> Loudness {
        let duration = Millis::of_frames(self.frames, self.rate);
        let range = self.ebu.loudness_range().ok().filter(|_| duration >= RANGE_MIN);
        let highest = self.peaks.into_iter().map(TruePeak::finish).fold(0.0, f32::max);
        Loudness {
            duration,
            integrated: integrated(&self.ebu, duration),
            range: range.map(Lu::nearest),
            momentary_max: lufs(self.windows.momentary_max),
            short_term_max: lufs(self.windows.short_term_max),
            true_peak: Dbtp::of_amplitude(f64::from(highest)),
            curve: self.curve,
            envelope: self.envelope,
        }
    }
}

/// Hears mono blocks and tells only their integrated loudness: what the search for a gain needs.
pub struct Integrator {
    ebu: EbuR128,
    rate: SampleRate,
    frames: u64,
}

impl Integrator {
    /// An integrator for mono sound.
    #[must_use]
    pub fn new(rate: SampleRate) -> Self {
        let format = Format { rate, layout: vec![Speaker::Centre] };
        Self { ebu: engine(&format, Mode::I), rate, frames: 0 }
    }

    /// Hears finite samples.
    pub fn push(&mut self, samples: &[f32]) {
        add(&mut self.ebu, samples);
        self.frames += samples.len() as u64;
    }

    /// Integrated loudness; `None` for silence and for less than [`BLOCK`].
    #[must_use]
    pub fn finish(self) -> Option<Lufs> {
        integrated(&self.ebu, Millis::of_frames(self.frames, self.rate))
    }
}

/// K-weighted power of mono sound, hop by hop: what levelling looks at.
pub struct Hops {
    ebu: EbuR128,
    hop: usize,
    length: Millis,
    filled: usize,
}

impl Hops {
    /// Hops of `length`, at most [`BLOCK`].
    #[must_use]
    pub fn new(rate: SampleRate, length: Millis) -> Self {
        let format = Format { rate, layout: vec![Speaker::Centre] };
        let hop = usize::try_from(length.frames(rate)).expect("at most a gating block");
        Self { ebu: engine(&format, Mode::M), hop, length, filled: 0 }
    }

    /// Hears finite samples and gives the mean power of each hop that became full.
    pub fn push(&mut self, mut samples: &[f32], mut take: impl FnMut(f64)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.hop - self.filled));
            add(&mut self.ebu, now);
            self.filled += now.len();
            samples = later;
            if self.filled == self.hop {
                self.filled = 0;
                take(power(&self.ebu, self.length));
            }
        }
    }
}

/// The sliding windows of an EBU Mode meter (Tech 3341 section 2.2), moved on by one [`HOP`] at a time.
#[derive(Clone, Debug, Default)]
struct Windows {
    /// The powers of the last three seconds.
    hops: VecDeque<f64>,
    momentary_max: f64,
    short_term_max: f64,
}

impl Windows {
    fn push(&mut self, power: f64) {
        if self.hops.len() == SHORT_TERM_HOPS {
            self.hops.pop_front();
        }
        self.hops.push_back(power);
        // A window that is not full yet has silence before it.
        self.momentary_max = self.momentary_max.max(self.momentary());
        self.short_term_max = self.short_term_max.max(self.hops.iter().sum::<f64>() / 300.0);
    }

    fn momentary(&self) -> f64 {
        self.hops.iter().rev().take(MOMENTARY_HOPS).sum::<f64>() / 40.0
    }
}

fn add(ebu: &mut EbuR128, samples: &[f32]) {
    ebu.add_frames_f32(samples).expect("whole frames");
}

/// K-weighted mean power of the last stretch of time, over all channels.
fn power(ebu: &EbuR128, stretch: Millis) -> f64 {
    let window = u32::try_from(stretch.get()).expect("at most the momentary window");
    let loudness = ebu.loudness_window(window).expect("every mode has the momentary window");
    10f64.powf((loudness - OFFSET) / 10.0)
}

fn lufs(power: f64) -> Option<Lufs> {
    let loudness = OFFSET + 10.0 * power.log10();
    (loudness > Lufs::MIN.get()).then(|| Lufs::nearest(loudness))
}

fn integrated(ebu: &EbuR128, duration: Millis) -> Option<Lufs> {
    let loudness = ebu.loudness_global().ok()?;
    (duration >= BLOCK && loudness.is_finite() && loudness > Lufs::MIN.get())
        .then(|| Lufs::nearest(loudness))
}

fn engine(format: &Format, mode: Mode) -> EbuR128 {
    let channels = u32::try_from(format.channels()).expect("at most eight");
    let mut ebu =
        EbuR128::new(channels, format.rate.get(), mode).expect("rate and channels are in range");
    let map: Vec<Channel> = format.layout.iter().map(|speaker| position(*speaker)).collect();
    ebu.set_channel_map(&map).expect("one entry a channel");
    ebu
}

fn position(speaker: Speaker) -> Channel {
    match speaker {
        Speaker::Left => Channel::Left,
        Speaker::Right => Channel::Right,
        Speaker::Centre => Channel::Center,
        Speaker::Lfe => Channel::Unused,
        Speaker::LeftSurround => Channel::LeftSurround,
        Speaker::RightSurround => Channel::RightSurround,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measured(sound: &[f32], gain: f32) -> Loudness {
        let mut meter = Meter::new(&Format::usual(SampleRate::FULL, 1).unwrap());
        let louder: Vec<f32> = sound.iter().map(|sample| sample * gain).collect();
        meter.push(&louder);
        meter.finish()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn gain_moves_loudness_and_peak_by_itself(
            gain in -20.0..20.0_f64,
            hz in 100.0..6_000.0_f32,
            gaps in prop::collection::vec(any::<bool>(), 8),
        ) {
            #[expect(clippy::cast_precision_loss, reason = "a test tone")]
            let wave = |n: usize| (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin() * 0.1;
            let soft = |n: usize| if gaps[n / 12_000] { 0.3 } else { 1.0 };
            let sound: Vec<f32> = (0..96_000).map(|n| wave(n) * soft(n)).collect();
            #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
            let louder = measured(&sound, 10f64.powf(gain / 20.0) as f32);
            let plain = measured(&sound, 1.0);
            let moved = [
                louder.integrated.unwrap().get() - plain.integrated.unwrap().get(),
                louder.momentary_max.unwrap().get() - plain.momentary_max.unwrap().get(),
                louder.short_term_max.unwrap().get() - plain.short_term_max.unwrap().get(),
                louder.true_peak.get() - plain.true_peak.get(),
            ];
            prop_assert!(moved.iter().all(|moved| (moved - gain).abs() < 1e-3), "{moved:?} for {gain}");
        }
    }

    #[test]
    fn just_above_one_gating_block_there_is_a_loudness_and_just_below_none() {
        let tone = vec![0.1; 19_200];
        #[expect(clippy::cast_precision_loss, reason = "a test tone")]
        let tone: Vec<f32> = tone
            .iter()
            .enumerate()
            .map(|(n, a): (usize, &f32)| a * (n as f32 * 0.13).sin())
            .collect();
        assert!(measured(&tone, 1.0).integrated.is_some());
        assert_eq!(measured(&tone[..19_152], 1.0).integrated, None);
    }
}
