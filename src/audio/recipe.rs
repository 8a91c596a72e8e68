//! What is asked of the chain: target, ceiling, profile, bitrate.
//!
//! A recipe is plain data; two equal recipes over equal input give equal bytes. The defaults are the speech profile
//! for outdoor horns; every limit says why it is there.

use crate::unit::{Db, Dbtp, Lufs, Millis, SampleRate};

/// For what ears and speakers the sound is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Speech on horns: 16 kHz inside, 150 Hz to 7 kHz kept, SILK coding.
    #[default]
    Speech,
    /// Speech and music on good speakers: 48 kHz inside, 40 Hz to 20 kHz kept.
    Full,
}

impl Profile {
    /// The rate that the chain works at and the encoder takes.
    #[must_use]
    pub const fn rate(self) -> SampleRate {
        match self {
            Self::Speech => SampleRate::WIDEBAND,
            Self::Full => SampleRate::FULL,
        }
    }

    /// The high-pass corner, in Hz: below it a horn only heats up.
    #[must_use]
    pub const fn low_hz(self) -> f64 {
        match self {
            Self::Speech => 150.0,
            Self::Full => 40.0,
        }
    }

    /// The low-pass corner, in Hz; `None` leaves it to the resampler and the codec.
    #[must_use]
    pub const fn high_hz(self) -> Option<f64> {
        match self {
            Self::Speech => Some(7_000.0),
            Self::Full => None,
        }
    }

    /// How much louder sound reads at [`Profile::rate`] than at 48 kHz, in LU. The K filter's high-pass at 38 Hz is
    /// made anew for each rate with the numerator of 48 kHz, so that its pass band gains 1 + K/Q + K², K being
    /// tan(π · 38 Hz / rate) and Q 0.5: 0.129 dB at 16 kHz, 0.043 dB at 48 kHz. What is told of an output is what a
    /// meter at 48 kHz reads.
    #[must_use]
    pub const fn reads_high(self) -> f64 {
        match self {
            Self::Speech => 0.086,
            Self::Full => 0.0,
        }
    }

    /// How far below the ceiling the peaks that we decode must stay, for what other players make of the same packets:
    /// they raise 16 to 48 kHz with filters of other phase, and peak up to 0.3 dB apart; at 48 kHz it is 0.1 dB.
    #[must_use]
    pub fn margin(self) -> Db {
        match self {
            Self::Speech => Db::nearest(0.4),
            Self::Full => Db::nearest(0.15),
        }
    }

    /// How far the limiter stays below that, for what the codec adds to peaks (1 to 2 dB on speech): too little costs
    /// a second encoding, too much costs punch.
    #[must_use]
    pub fn overshoot(self) -> Db {
        match self {
            Self::Speech => Db::nearest(1.9),
            Self::Full => Db::nearest(2.2),
        }
    }
}

/// Encoded bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bitrate(u32);

/// A number that is no usable bitrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "bitrate {0} bit/s is outside 6000..=256000 bit/s; write 24000 for speech, 64000 for music"
)]
pub struct NotBitrate(pub u32);

impl Bitrate {
    /// 24 kbit/s: wideband speech without audible loss, 5.4 MB in half an hour.
    pub const SPEECH: Self = Self(24_000);

    /// Takes bits per second.
    ///
    /// # Errors
    /// Below 6 kbit/s speech is no longer clear, above 256 kbit/s mono gains nothing (RFC 6716 section 2.1.1).
    pub fn new(bits_per_second: u32) -> Result<Self, NotBitrate> {
        let fits = (6_000..=256_000).contains(&bits_per_second);
        if fits { Ok(Self(bits_per_second)) } else { Err(NotBitrate(bits_per_second)) }
    }

    /// The bare number of bit/s.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How hard the encoder searches, 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complexity(u8);

/// A number that is no encoder complexity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "complexity {0} is outside 0..=10; write 3 for speech, 10 for the best that the bitrate can carry"
)]
pub struct NotComplexity(pub u8);

impl Complexity {
    /// A quarter cheaper than 5, which decodes 0.1 to 0.3 dB nearer to the original (segmental signal-to-noise ratio
    /// of three Vietnamese voices at 24 kbit/s); 10 gains another 0 to 0.2 dB at twice the cost.
    pub const SPEECH: Self = Self(3);
    /// The best the bitrate can carry.
    pub const BEST: Self = Self(10);

    /// Takes a complexity.
    ///
    /// # Errors
    /// When it is above 10.
    pub const fn new(complexity: u8) -> Result<Self, NotComplexity> {
        if complexity <= 10 { Ok(Self(complexity)) } else { Err(NotComplexity(complexity)) }
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// All that is asked of one run of the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Integrated loudness of what players hear.
    pub target: Lufs,
    /// True peak that what players hear does not exceed.
    pub ceiling: Dbtp,
    /// For what ears and speakers.
    pub profile: Profile,
    /// Encoded bits per second.
    pub bitrate: Bitrate,
    /// How hard the encoder searches.
    pub complexity: Complexity,
    /// The most that a quiet recording is raised; beyond it noise is all one hears.
    pub gain_max: Db,
    /// Longer pauses are cut to this length; `None` leaves them.
    pub pause_max: Option<Millis>,
    /// Whether speakers far apart in level are brought nearer to each other.
    pub levelled: bool,
    /// Whether consonants are raised for horns that are heard from far away.
    pub presence: bool,
}

impl Default for Recipe {
    /// −16 LUFS, −1 dBTP, speech at 24 kbit/s.
    fn default() -> Self {
        Self {
            target: Lufs::nearest(-16.0),
            ceiling: Dbtp::nearest(-1.0),
            profile: Profile::Speech,
            bitrate: Bitrate::SPEECH,
            complexity: Complexity::SPEECH,
            gain_max: Db::nearest(36.0),
            pause_max: Some(Millis::from_secs(2)),
            levelled: false,
            presence: false,
        }
    }
}

impl Recipe {
    /// The full-band recipe: 48 kHz, complexity 10, the same target.
    #[must_use]
    pub fn full() -> Self {
        Self {
            profile: Profile::Full,
            complexity: Complexity::BEST,
            pause_max: None,
            ..Self::default()
        }
    }

    /// What [`Recipe::named`] takes, for whoever has to choose.
    pub const NAMES: &str = "`speech` or `full`, with `+levelled`, `+presence` or both behind it";

    /// A recipe by the name that commands and configuration use: `speech` or `full`, and after it what is wanted
    /// beside: `speech+levelled`, `speech+presence`, `speech+levelled+presence`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut parts = name.split('+');
        let mut recipe = match parts.next()? {
            "speech" => Self::default(),
            "full" => Self::full(),
            _ => return None,
        };
        for part in parts {
            let wish = match part {
                "levelled" => &mut recipe.levelled,
                "presence" => &mut recipe.presence,
                _ => return None,
            };
            // What is said twice is a slip.
            if std::mem::replace(wish, true) {
                return None;
            }
        }
        Some(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_profile_and_wishes_in_any_order() {
        let both = Recipe { levelled: true, presence: true, ..Recipe::default() };
        assert_eq!(Recipe::named("speech+levelled+presence"), Some(both.clone()));
        assert_eq!(Recipe::named("speech+presence+levelled"), Some(both));
        assert_eq!(Recipe::named("full"), Some(Recipe::full()));
    }

    #[test]
    fn an_unknown_or_doubled_wish_names_no_recipe() {
        for name in ["", "loud", "speech+", "speech+loud", "speech+levelled+levelled"] {
            assert_eq!(Recipe::named(name), None, "{name}");
        }
    }
}
