//! Numbers with a dimension: loudness, level, time, rate.
//!
//! Each type is one number whose constructor holds its range and whose `Display` prints its symbol, so that a level
//! can never be taken for a loudness nor milliseconds for seconds. **No unit is ever built out of range or NaN.**
//! Loudness words follow ITU-R BS.1770-4 and EBU R 128.

use std::fmt;
use std::time::Duration;

/// Writes one unit whose value is an `f64` within a closed range.
macro_rules! decibel_like {
    ($(#[$doc:meta])* $name:ident, $fault:ident, $symbol:literal, $min:literal, $max:literal, $what:literal, $mend:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(f64);

        #[doc = concat!("A number that is no ", $what, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
        #[error("{} {} is outside {:.1}..={:.1} {}; {}", $what, self.0, $min, $max, $symbol, $mend)]
        pub struct $fault(pub f64);

        impl $name {
            /// The smallest value that is accepted.
            pub const MIN: Self = Self($min);
            /// The largest value that is accepted.
            pub const MAX: Self = Self($max);

            #[doc = concat!("Takes a ", $what, " in ", $symbol, ".")]
            ///
            /// # Errors
            /// When the value is NaN or outside [`Self::MIN`] to [`Self::MAX`].
            pub fn new(value: f64) -> Result<Self, $fault> {
                if ($min..=$max).contains(&value) { Ok(Self(value)) } else { Err($fault(value)) }
            }

            /// The nearest value in range; NaN, which only silence can give, becomes the smallest.
            #[must_use]
            pub fn nearest(value: f64) -> Self {
                if value.is_nan() { Self::MIN } else { Self(value.clamp($min, $max)) }
            }

            #[doc = concat!("The bare number, in ", $symbol, ".")]
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:.1} {}", self.0, $symbol)
            }
        }
    };
}

decibel_like!(
    /// Loudness against full scale, K-weighted and gated (ITU-R BS.1770-4).
    Lufs, NotLufs, "LUFS", -70.0, 24.0, "loudness", "check the sign: targets are negative, e.g. -16.0"
);
decibel_like!(
    /// A difference or a range of loudness (EBU Tech 3342).
    Lu, NotLu, "LU", -100.0, 100.0, "loudness difference", "a speech bulletin ranges over 2 to 15 LU"
);
decibel_like!(
    /// True peak against full scale: what the wave reaches between the samples (ITU-R BS.1770-4, annex 2).
    Dbtp, NotDbtp, "dBTP", -150.0, 40.0, "true peak", "check the sign: ceilings are negative, e.g. -1.0"
);
decibel_like!(
    /// A gain, or a level against full scale.
    Db, NotDb, "dB", -150.0, 150.0, "level", "gains for speech lie between -40 and +40 dB"
);

impl Db {
    /// The factor by which this gain multiplies a sample.
    #[must_use]
    pub fn factor(self) -> f64 {
        10f64.powf(self.0 / 20.0)
    }

    /// The level of an amplitude; silence gives [`Db::MIN`].
    #[must_use]
    pub fn of_amplitude(amplitude: f64) -> Self {
        Self::nearest(20.0 * amplitude.abs().log10())
    }
}

impl Dbtp {
    /// The amplitude at this level, 1.0 being full scale.
    #[must_use]
    pub fn amplitude(self) -> f64 {
        10f64.powf(self.0 / 20.0)
    }

    /// The true peak of an amplitude; silence gives [`Dbtp::MIN`].
    #[must_use]
    pub fn of_amplitude(amplitude: f64) -> Self {
        Self::nearest(20.0 * amplitude.abs().log10())
    }
}

/// A length of time in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(u64);

impl Millis {
    /// A length of `ms` milliseconds.
    #[must_use]
    pub const fn new(ms: u64) -> Self {
        Self(ms)
    }

    /// A length of `s` seconds.
    #[must_use]
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// The length of `frames` at `rate`, rounded down.
    #[must_use]
    pub fn of_frames(frames: u64, rate: SampleRate) -> Self {
        let ms = u128::from(frames) * 1000 / u128::from(rate.get());
        Self(u64::try_from(ms).unwrap_or(u64::MAX))
    }

    /// How many frames this length holds at `rate`, rounded down.
    #[must_use]
    pub fn frames(self, rate: SampleRate) -> u64 {
        let frames = u128::from(self.0) * u128::from(rate.get()) / 1000;
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// The bare number of milliseconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<Millis> for Duration {
    fn from(length: Millis) -> Self {
        Self::from_millis(length.0)
    }
}

impl fmt::Display for Millis {
    /// Prints `850 ms`, `12.5 s` or `4 min 07 s`, whichever reads best.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..1_000 => write!(f, "{} ms", self.0),
            1_000..60_000 => write!(f, "{}.{} s", self.0 / 1000, self.0 % 1000 / 100),
            _ => write!(f, "{} min {:02} s", self.0 / 60_000, self.0 % 60_000 / 1000),
        }
    }
}

/// Samples per second in each channel, in Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(u32);

/// A number that is no usable sample rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "sample rate {0} Hz is outside 4000..=384000 Hz; save the recording at 48000 Hz and send it again"
)]
pub struct NotSampleRate(pub u32);

impl SampleRate {
    /// 16 kHz: wideband speech, audible to 8 kHz.
    pub const WIDEBAND: Self = Self(16_000);
    /// 48 kHz: the full audible band, and what Opus decoders put out.
    pub const FULL: Self = Self(48_000);

    /// Takes a rate in Hz.
    ///
    /// # Errors
    /// When the rate is below 4 kHz (no speech survives) or above 384 kHz (no recorder makes it).
    pub fn new(hz: u32) -> Result<Self, NotSampleRate> {
        if (4_000..=384_000).contains(&hz) { Ok(Self(hz)) } else { Err(NotSampleRate(hz)) }
    }

    /// The bare number of Hz.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The bare number of Hz as a float, for filter design.
    #[must_use]
    pub fn hz(self) -> f64 {
        f64::from(self.0)
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loudness_without_its_minus_sign_is_refused_with_the_mend() {
        let fault = Lufs::new(f64::NAN).unwrap_err();
        assert!(fault.to_string().contains("targets are negative"), "{fault}");
        assert!(Lufs::new(-16.0).is_ok());
        assert!(Lufs::new(160.0).is_err());
    }

    #[test]
    fn nan_becomes_the_smallest_value_and_never_survives() {
        assert_eq!(Lufs::nearest(f64::NAN), Lufs::MIN);
        assert_eq!(Db::of_amplitude(0.0), Db::MIN);
    }

    #[test]
    fn every_unit_prints_its_symbol() {
        assert_eq!(Lufs::nearest(-16.04).to_string(), "-16.0 LUFS");
        assert_eq!(Dbtp::nearest(-1.0).to_string(), "-1.0 dBTP");
        assert_eq!(Db::nearest(3.25).to_string(), "3.2 dB");
        assert_eq!(Lu::nearest(6.0).to_string(), "6.0 LU");
        assert_eq!(Millis::new(850).to_string(), "850 ms");
        assert_eq!(Millis::new(12_540).to_string(), "12.5 s");
        assert_eq!(Millis::new(247_000).to_string(), "4 min 07 s");
        assert_eq!(SampleRate::FULL.to_string(), "48000 Hz");
    }

    #[test]
    fn frames_and_milliseconds_agree_and_never_overflow() {
        assert_eq!(Millis::new(20).frames(SampleRate::FULL), 960);
        assert_eq!(Millis::of_frames(16_000, SampleRate::WIDEBAND), Millis::from_secs(1));
        assert_eq!(Millis::of_frames(u64::MAX, SampleRate::FULL).get(), u64::MAX / 48);
    }

    #[test]
    fn six_decibels_double_an_amplitude() {
        assert!((Db::nearest(6.0206).factor() - 2.0).abs() < 1e-4);
        assert!((Dbtp::nearest(-6.0206).amplitude() - 0.5).abs() < 1e-4);
    }
}
