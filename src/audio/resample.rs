//! Changes the sample rate of mono sound, exactly in length and without shifting it in time.
//!
//! An FFT resampler does the work. **Of `n` samples come `ceil(n × out / in)`, the first at the same instant as the
//! first that entered**: the filter's delay is dropped at the start and drained at the end.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};

use crate::unit::SampleRate;

/// Frames per chunk, a compromise between the FFT's efficiency and its memory.
const CHUNK: usize = 1024;

/// Two rates that the resampler cannot join.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot resample {from} to {to}: {fault}; save the recording at 48000 Hz and send it again"
)]
pub struct ResampleError {
    from: SampleRate,
    to: SampleRate,
    fault: String,
}

/// From one rate to another; equal rates pass untouched.
pub struct Resampler {
    from: SampleRate,
    to: SampleRate,
    engine: Option<Engine>,
    taken: u64,
    given: u64,
}

struct Engine {
    fft: Fft<f32>,
    waiting: Vec<f32>,
    made: Vec<f32>,
    drop: usize,
}

impl Resampler {
    /// Plans the conversion.
    ///
    /// # Errors
    /// When no plan exists for the two rates.
    pub fn new(from: SampleRate, to: SampleRate) -> Result<Self, ResampleError> {
        let engine = if from == to { None } else { Some(Engine::new(from, to)?) };
        Ok(Self { from, to, engine, taken: 0, given: 0 })
    }

    /// Takes samples and appends to `out` those that are ready.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.taken += samples.len() as u64;
        let before = out.len();
        match &mut self.engine {
            None => out.extend_from_slice(samples),
            Some(engine) => engine.process(samples, out),
        }
        self.given += (out.len() - before) as u64;
    }

    /// Appends the rest, so that the length comes out exact.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        let Some(engine) = &mut self.engine else { return };
        let exact = u128::from(self.taken) * u128::from(self.to.get());
        let owed = exact.div_ceil(u128::from(self.from.get())) - u128::from(self.given);
        let end = out.len() + delay(owed);
        while out.len() < end {
            engine.process(&vec![0.0; CHUNK], out);
        }
        out.truncate(end);
    }
}

fn delay(samples: u128) -> usize {
    usize::try_from(samples).expect("what is owed is a filter's delay")
}

impl Engine {
    fn new(from: SampleRate, to: SampleRate) -> Result<Self, ResampleError> {
        let hz = |rate: SampleRate| usize::try_from(rate.get()).expect("a rate fits a usize");
        let fft = Fft::new(hz(from), hz(to), CHUNK, 1, FixedSync::Both);
        let fft = fft.map_err(|fault| ResampleError { from, to, fault: fault.to_string() })?;
        let (drop, made) = (fft.output_delay(), vec![0.0; fft.output_frames_max()]);
        Ok(Self { fft, waiting: Vec::new(), made, drop })
    }

    fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.waiting.extend_from_slice(samples);
        let mut start = 0;
        while start + self.fft.input_frames_next() <= self.waiting.len() {
            start += self.chunk(start, out);
        }
        self.waiting.drain(..start);
    }

    fn chunk(&mut self, start: usize, out: &mut Vec<f32>) -> usize {
        let (waiting, room) = (self.waiting.len(), self.made.len());
        let input = InterleavedSlice::new(&self.waiting[..], 1, waiting).expect("one channel");
        let mut output =
            InterleavedSlice::new_mut(&mut self.made[..], 1, room).expect("one channel");
        let at = Indexing::new().input_offset(start);
        let sizes = self.fft.process_into_buffer(&input, &mut output, Some(&at));
        let (read, wrote) = sizes.expect("the buffers are as large as the resampler asked");
        let dropped = self.drop.min(wrote);
        self.drop -= dropped;
        out.extend_from_slice(&self.made[dropped..wrote]);
        read
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resampled(sound: &[f32], from: u32, to: u32, block: usize) -> Vec<f32> {
        let rate = |hz| SampleRate::new(hz).unwrap();
        let mut resampler = Resampler::new(rate(from), rate(to)).unwrap();
        let mut out = Vec::new();
        for block in sound.chunks(block) {
            resampler.process(block, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    /// Every rate that recorders write.
    const RATES: [u32; 13] = [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
        176_400, 192_000,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn the_length_is_exact(
            from in prop::sample::select(RATES.to_vec()),
            to in prop::sample::select(vec![16_000_u32, 48_000]),
            length in 0..20_000_usize,
            block in 1..3_000_usize,
        ) {
            let out = resampled(&vec![0.25; length], from, to, block);
            prop_assert_eq!(out.len() as u64, (length as u64 * u64::from(to)).div_ceil(u64::from(from)));
        }

        #[test]
        #[expect(clippy::cast_precision_loss, reason = "indices of a short sound")]
        fn a_click_stays_where_it_was_in_time(
            at in 2_000..30_000_usize,
            from in prop::sample::select(RATES.to_vec()),
            to in prop::sample::select(vec![16_000_u32, 48_000]),
        ) {
            let mut sound = vec![0.0; 40_000];
            sound[at] = 1.0;
            let out = resampled(&sound, from, to, 1_152);
            let found = (0..out.len()).max_by(|a, b| out[*a].total_cmp(&out[*b])).unwrap();
            let expected = at as f64 * f64::from(to) / f64::from(from);
            // The crest lies between two samples of the output, or of the input where that is the coarser.
            let grid = (f64::from(to) / f64::from(from)).max(1.0);
            prop_assert!((found as f64 - expected).abs() <= grid, "{found} instead of {expected}");
        }
    }
}
