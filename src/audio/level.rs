//! Brings speakers of one recording nearer to each other, slowly.
//!
//! A guest far from the microphone may be 20 dB below the host. The loudness of voiced stretches is taken over three
//! seconds around each tenth of a second (the short-term window of EBU Tech 3341, voices only), and a gain is drawn
//! that brings it to the recording's own voiced loudness. **The gain never rises where no voice is heard**: what a
//! pause holds is never pumped up. It rises and falls by slow ramps, and falls before a louder voice begins, because
//! the recording is known to its end.
//!
//! ```text
//! voiced? power ─▶ three-second loudness ─▶ wanted gain ─▶ rise ramp, held in pauses ─▶ fall ramp, from the end
//! ```

use super::loudness::Hops;
use super::recipe::Profile;
use super::voice::{SYLLABLE, Voice};
use crate::unit::{Db, Millis};

/// One gain is drawn for each such stretch: 144 kB an hour.
const HOP: Millis = Millis::new(100);

/// Hops on either side of the one looked at: three seconds in all.
const AROUND: usize = 15;

/// The most that a soft voice is raised: more apart than this is no second speaker but the room next door.
pub const LIFT_MAX_DB: f64 = 24.0;

/// The most that a loud voice is lowered.
const DROP_MAX_DB: f64 = 12.0;

/// Rise in a hop, in dB: 6 dB a second, slower than a listener takes for an effect.
const RISE_DB: f64 = 0.6;

/// Fall in a hop, in dB: 12 dB a second, for the loud voice must not begin with a shout.
const FALL_DB: f64 = 1.2;

/// A hop of this little power (−70 LUFS) is no voice, whatever the detector says.
const POWER_MIN: f64 = 1.17e-7;

/// What was heard in one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// K-weighted mean power.
    pub power: f64,
    /// Whether somebody spoke.
    pub voiced: bool,
}

/// Listens to mono sound and draws the gain.
pub struct Listener {
    hops: Vec<Hop>,
    meter: Hops,
    voice: Voice,
    frame: Vec<f32>,
    /// Samples that the detector has heard.
    heard: u64,
    hop: usize,
}

impl Listener {
    /// A listener at a profile's rate.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            hops: Vec::new(),
            meter: Hops::new(profile.rate(), HOP),
            voice: Voice::new(profile),
            frame: Vec::new(),
            heard: 0,
            hop: usize::try_from(HOP.frames(profile.rate())).expect("a tenth of a second"),
        }
    }

    /// Hears more samples.
    pub fn push(&mut self, samples: &[f32]) {
        let hops = &mut self.hops;
        self.meter.push(samples, |power| hops.push(Hop { power, voiced: false }));
        let mut rest = samples;
        while !rest.is_empty() {
            let room = self.voice.frame() - self.frame.len();
            let (now, later) = rest.split_at(rest.len().min(room));
            self.frame.extend_from_slice(now);
            rest = later;
            if self.frame.len() == self.voice.frame() {
                self.decide();
            }
        }
    }

    /// Marks the hops of a frame in which a syllable sounds, back to its start.
    fn decide(&mut self) {
        let run = self.voice.hear(&self.frame);
        self.frame.clear();
        self.heard += self.voice.frame() as u64;
        if run < SYLLABLE {
            return;
        }
        let back = if run == SYLLABLE { SYLLABLE } else { 1 } * self.voice.frame();
        let from =
            usize::try_from(self.heard).unwrap_or(usize::MAX).saturating_sub(back) / self.hop;
        for hop in self.hops.iter_mut().skip(from) {
            hop.voiced = true;
        }
    }

    /// The gain, raising no voice by more than `lift_max` decibels.
    #[must_use]
    pub fn finish(self, lift_max: f64) -> Curve {
        Curve::new(&draw(&self.hops, lift_max), self.hop)
    }
}

/// A gain over time, as a factor at the middle of each hop.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    factors: Vec<f32>,
    hop: usize,
}

impl Curve {
    #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
    fn new(gains: &[f64], hop: usize) -> Self {
        Self { factors: gains.iter().map(|gain| Db::nearest(*gain).factor() as f32).collect(), hop }
    }

    /// Applies the gain to samples of which the first is number `at`.
    pub fn apply(&self, at: u64, samples: &mut [f32]) {
        let start = usize::try_from(at).expect("a scratch is indexed by usize");
        for (at, sample) in (start..).zip(samples) {
            *sample *= self.factor(at);
        }
    }

    /// Between the middles of two hops the factor goes straight.
    #[expect(clippy::cast_precision_loss, reason = "positions within a hop")]
    fn factor(&self, at: usize) -> f32 {
        let Some(past) = at.checked_sub(self.hop / 2) else { return self.value(0) };
        let (index, into) = (past / self.hop, past % self.hop);
        let share = into as f32 / self.hop as f32;
        self.value(index) * (1.0 - share) + self.value(index + 1) * share
    }

    /// The last hop's factor holds to the end.
    fn value(&self, index: usize) -> f32 {
        self.factors.get(index).or(self.factors.last()).copied().unwrap_or(1.0)
    }
}

/// The gain of each hop.
fn draw(hops: &[Hop], lift_max: f64) -> Vec<f64> {
    let voiced = |hop: &Hop| hop.voiced && hop.power > POWER_MIN;
    let mean = |hops: &[Hop]| {
        let (mut sum, mut count) = (0.0, 0.0);
        for hop in hops.iter().filter(|hop| voiced(hop)) {
            sum += hop.power;
            count += 1.0;
        }
        (count > 0.0).then(|| 10.0 * (sum / count).log10())
    };
    let Some(reference) = mean(hops) else { return vec![0.0; hops.len()] };
    let wanted = |index: usize| {
        let near = &hops[index.saturating_sub(AROUND)..(index + AROUND).min(hops.len())];
        let loudness = mean(near).filter(|_| voiced(&hops[index]))?;
        Some((reference - loudness).clamp(-DROP_MAX_DB, lift_max.clamp(0.0, LIFT_MAX_DB)))
    };
    let mut gain = (0..hops.len()).find_map(wanted).unwrap_or(0.0);
    let mut gains: Vec<f64> = (0..hops.len())
        .map(|index| {
            gain = wanted(index).map_or(gain, |wanted| wanted.min(gain + RISE_DB));
            gain
        })
        .collect();
    for index in (1..gains.len()).rev() {
        gains[index - 1] = gains[index - 1].min(gains[index] + FALL_DB);
    }
    gains
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hops() -> impl Strategy<Value = Vec<Hop>> {
        let turn =
            (1..60_usize, -60.0..0.0_f64, any::<bool>()).prop_map(|(length, level, voiced)| {
                vec![Hop { power: 10f64.powf(level / 10.0), voiced }; length]
            });
        prop::collection::vec(turn, 1..12).prop_map(|turns| turns.concat())
    }

    proptest! {
        #[test]
        fn the_gain_never_rises_where_nobody_speaks(hops in hops(), lift in 0.0..30.0_f64) {
            let gains = draw(&hops, lift);
            for index in 1..hops.len() {
                prop_assert!(hops[index].voiced || gains[index] <= gains[index - 1]);
            }
        }

        #[test]
        fn the_gain_is_bounded_and_goes_by_slow_ramps(hops in hops(), lift in 0.0..30.0_f64) {
            let gains = draw(&hops, lift);
            for pair in gains.windows(2) {
                prop_assert!(pair[1] - pair[0] <= RISE_DB + 1e-9 && pair[0] - pair[1] <= FALL_DB + 1e-9);
            }
            prop_assert!(gains.iter().all(|gain| (-DROP_MAX_DB - 1e-9..=LIFT_MAX_DB.min(lift) + 1e-9).contains(gain)));
        }

        #[test]
        fn one_even_voice_is_left_alone(level in -50.0..0.0_f64, length in 1..200_usize) {
            let hops = vec![Hop { power: 10f64.powf(level / 10.0), voiced: true }; length];
            prop_assert!(draw(&hops, 20.0).iter().all(|gain| gain.abs() < 1e-6));
        }
    }

    /// Turns of ten seconds, loud and soft by turns.
    fn dialogue(apart: f64) -> Vec<Hop> {
        let loud = Hop { power: 0.01, voiced: true };
        let soft = Hop { power: 0.01 / 10f64.powf(apart / 10.0), voiced: true };
        [vec![loud; 100], vec![soft; 100]].concat().repeat(3)
    }

    #[test]
    fn two_voices_twenty_decibels_apart_end_within_three() {
        let hops = dialogue(20.0);
        let gains = draw(&hops, LIFT_MAX_DB);
        let level = |turn: usize| {
            let range = turn * 100..(turn + 1) * 100;
            let power = |index: usize| hops[index].power * 10f64.powf(gains[index] / 10.0);
            10.0 * (range.map(power).sum::<f64>() / 100.0).log10()
        };
        for turn in 0..5 {
            let apart = level(turn) - level(turn + 1);
            assert!(apart.abs() <= 3.0, "turns {turn} and {}: {apart:.1} dB", turn + 1);
        }
    }

    #[test]
    fn the_gain_is_the_same_whatever_the_blocks() {
        let curve = Curve::new(&draw(&dialogue(12.0), 20.0), 1_600);
        let (mut whole, mut parts) = (vec![0.5_f32; 50_000], vec![0.5_f32; 50_000]);
        curve.apply(0, &mut whole);
        for (index, part) in parts.chunks_mut(777).enumerate() {
            curve.apply(index as u64 * 777, part);
        }
        assert_eq!(whole, parts);
    }
}
