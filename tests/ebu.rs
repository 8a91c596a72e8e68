//! The meters against the signals of EBU Tech 3341 and EBU Tech 3342, synthesised from the standards' tables.
//!
//! Cases 7 and 8 of Tech 3341 and 5 and 6 of Tech 3342 are programme recordings that are not ours to hold. The
//! others are here: 1 to 6 and 9 to 23, and 1 to 4.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "samples and counts of test signals"
)]

use loaban::audio::loudness::{Loudness, Meter};
use loaban::audio::source::{Format, Speaker};
use loaban::unit::{Lufs, SampleRate};

const RATE: f64 = 48_000.0;

/// A 1 kHz tone in parts of (level in dBFS, seconds), the same in each of the channels given.
fn tone(parts: &[(f64, f64)], layout: &[(Speaker, f64)]) -> Loudness {
    let format = Format {
        rate: SampleRate::FULL,
        layout: layout.iter().map(|(speaker, _)| *speaker).collect(),
    };
    let mut meter = Meter::new(&format);
    let mut at = 0.0;
    for (level, seconds) in parts {
        let frames = (seconds * RATE).round() as usize;
        let mut block = Vec::with_capacity(frames * layout.len());
        for _ in 0..frames {
            let wave = (std::f64::consts::TAU * 1_000.0 * at / RATE).sin();
            block.extend(
                layout.iter().map(|(_, own)| (10f64.powf((level + own) / 20.0) * wave) as f32),
            );
            at += 1.0;
        }
        meter.push(&block);
    }
    meter.finish()
}

const STEREO: [(Speaker, f64); 2] = [(Speaker::Left, 0.0), (Speaker::Right, 0.0)];

fn reads(parts: &[(f64, f64)], expected: f64) {
    let found = tone(parts, &STEREO);
    near(found.integrated, expected, "integrated");
}

fn near(found: Option<Lufs>, expected: f64, what: &str) {
    let found = found.unwrap().get();
    assert!((found - expected).abs() <= 0.1, "{what}: {found:.2} LUFS instead of {expected}");
}

/// A steady tone reads the same in all three windows.
fn reads_in_every_window(level: f64) {
    let found = tone(&[(level, 20.0)], &STEREO);
    near(found.momentary_max, level, "momentary");
    near(found.short_term_max, level, "short-term");
    near(found.integrated, level, "integrated");
}

#[test]
fn case_1_a_tone_at_minus_23_reads_minus_23() {
    reads_in_every_window(-23.0);
}

#[test]
fn case_2_a_tone_at_minus_33_reads_minus_33() {
    reads_in_every_window(-33.0);
}

#[test]
fn case_3_the_relative_gate_leaves_out_quiet_ends() {
    reads(&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0);
}

#[test]
fn case_4_the_absolute_gate_leaves_out_near_silence() {
    reads(&[(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0);
}

#[test]
fn case_5_a_louder_middle_reads_as_the_table_says() {
    reads(&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0);
}

#[test]
fn case_6_five_channels_are_weighted() {
    let layout = [
        (Speaker::Left, -28.0),
        (Speaker::Right, -28.0),
        (Speaker::Centre, -24.0),
        (Speaker::LeftSurround, -30.0),
        (Speaker::RightSurround, -30.0),
    ];
    let found = tone(&[(0.0, 20.0)], &layout).integrated.unwrap().get();
    assert!((found + 23.0).abs() <= 0.1, "{found:.2}");
}

/// Silence, for the tables.
const NOTHING: f64 = -200.0;

#[test]
fn case_9_short_term_loudness_stays_at_minus_23_while_the_level_alternates() {
    let parts = [(-20.0, 1.34), (-30.0, 1.66)].repeat(5);
    near(tone(&parts, &STEREO).short_term_max, -23.0, "at most");
    // However much of the end is left out, the last three seconds hold the same: the maximum is no single moment.
    let turned = [&[(-30.0, 1.66)], &parts[..]].concat();
    near(tone(&turned, &STEREO).short_term_max, -23.0, "at most, begun with the soft part");
}

#[test]
fn case_10_three_seconds_reach_their_level_wherever_they_begin() {
    for step in 0..20 {
        let parts = [(NOTHING, f64::from(step) * 0.15), (-23.0, 3.0), (NOTHING, 1.0)];
        near(tone(&parts, &STEREO).short_term_max, -23.0, &format!("offset {step}"));
    }
}

/// The loudest window so far after each of the growing steps of cases 11 and 14, with the step before it: what came
/// earlier was softer still.
fn grows(seconds: f64, silence: f64, window: fn(&Loudness) -> Option<Lufs>) {
    for last in 0..20_i32 {
        let step = |step: i32| {
            let before = f64::from(step) * silence;
            [
                (NOTHING, before),
                (f64::from(step) - 38.0, seconds),
                (NOTHING, seconds - before.min(seconds)),
            ]
        };
        let parts: Vec<(f64, f64)> = ((last - 1).max(0)..=last).flat_map(step).collect();
        near(window(&tone(&parts, &STEREO)), f64::from(last) - 38.0, &format!("step {last}"));
    }
}

#[test]
fn case_11_the_short_term_maximum_grows_with_each_step() {
    grows(3.0, 0.15, |found| found.short_term_max);
}

#[test]
fn case_13_four_tenths_of_a_second_reach_their_level_wherever_they_begin() {
    for step in 0..20 {
        let parts = [(NOTHING, f64::from(step) * 0.02), (-23.0, 0.4), (NOTHING, 1.0)];
        near(tone(&parts, &STEREO).momentary_max, -23.0, &format!("offset {step}"));
    }
}

#[test]
fn case_14_the_momentary_maximum_grows_with_each_step() {
    grows(0.4, 0.02, |found| found.momentary_max);
}

#[test]
fn case_12_momentary_loudness_stays_at_minus_23_while_the_level_alternates() {
    let found = tone(&[(-20.0, 0.18), (-30.0, 0.22)].repeat(25), &STEREO);
    for (index, momentary) in found.curve.iter().enumerate().skip(1) {
        assert!((momentary.get() + 23.0).abs() <= 0.1, "point {index}: {momentary}");
    }
}

/// The true peak of a faded sine of `rate / divisor`, of an amplitude, begun at a phase.
fn peak(divisor: f64, degrees: f64, amplitude: f64) -> f64 {
    let mut meter = Meter::new(&Format { rate: SampleRate::FULL, layout: vec![Speaker::Centre] });
    let wave =
        |n: f64| (std::f64::consts::TAU * n / divisor + degrees.to_radians()).sin() * amplitude;
    // A sine that is switched on has no true peak of its own: fade it, as the standard's files are.
    let fade = |n: f64| (n / 4_800.0).min((48_000.0 - n) / 4_800.0).min(1.0);
    let sound: Vec<f32> = (0..48_000).map(f64::from).map(|n| (wave(n) * fade(n)) as f32).collect();
    meter.push(&sound);
    meter.finish().true_peak.get()
}

#[test]
fn cases_15_to_19_true_peaks_between_samples_are_read() {
    let cases = [
        (4.0, 0.0, 0.5, -6.0),
        (4.0, 45.0, 0.5, -6.0),
        (6.0, 60.0, 0.5, -6.0),
        (8.0, 67.5, 0.5, -6.0),
        (4.0, 45.0, 1.41, 3.0),
    ];
    for (number, (divisor, degrees, amplitude, expected)) in (15..).zip(cases) {
        let found = peak(divisor, degrees, amplitude);
        assert!(
            (expected - 0.4..=expected + 0.2).contains(&found),
            "case {number}: {found:.2} dBTP"
        );
    }
}

/// A soft tone of `rate / 6` with one period of `rate / 4` at full scale in it, made at four times the rate, filtered
/// and thinned out from a given sample on, so that its crest falls anywhere between two samples.
#[expect(clippy::cast_precision_loss, reason = "sample numbers below 2^16")]
fn overload(offset: usize) -> f64 {
    let fast = 4 * 4_800_usize;
    // The loud period begins where the soft tone crosses zero.
    let (from, until) = (9_600_usize, 9_600 + 16);
    let wave = |n: usize| {
        let (divisor, amplitude) =
            if (from..until).contains(&n) { (16.0, 1.0) } else { (24.0, 0.5) };
        let origin = if n < until { from } else { until };
        let fade = (n.min(fast - n) as f64 / 2_400.0).min(1.0);
        (std::f64::consts::TAU * (n as f64 - origin as f64) / divisor).sin() * amplitude * fade
    };
    let sound: Vec<f64> = (0..fast).map(wave).collect();
    let taps: Vec<f64> = (-64..=64).map(half_band).collect();
    let total: f64 = taps.iter().sum();
    let kept: Vec<f32> = (64 + offset..fast - 64)
        .step_by(4)
        .map(|at| {
            let around = sound[at - 64..=at + 64].iter().zip(&taps);
            (around.map(|(sample, tap)| sample * tap).sum::<f64>() / total) as f32
        })
        .collect();
    let mut meter = Meter::new(&Format { rate: SampleRate::FULL, layout: vec![Speaker::Centre] });
    meter.push(&kept);
    meter.finish().true_peak.get()
}

/// A windowed sinc that passes what four-fold thinning keeps.
fn half_band(index: i32) -> f64 {
    let x = f64::from(index) / 4.0;
    let sinc = if index == 0 {
        1.0
    } else {
        (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
    };
    let angle = std::f64::consts::PI * f64::from(index) / 65.0;
    sinc * (0.5 + 0.5 * angle.cos())
}

#[test]
fn cases_20_to_23_an_overload_between_samples_is_read_wherever_it_falls() {
    for offset in 0..4 {
        let found = overload(offset);
        assert!((-0.4..=0.2).contains(&found), "case {}: {found:.2} dBTP", 20 + offset);
    }
}

/// Tech 3342 allows ±1 LU.
fn ranges(parts: &[(f64, f64)], expected: f64) {
    let found = tone(parts, &STEREO).range.unwrap().get();
    assert!((found - expected).abs() <= 1.0, "{found:.2} LU instead of {expected}");
}

#[test]
fn range_case_1_ten_decibels_apart_are_ten_units() {
    ranges(&[(-20.0, 20.0), (-30.0, 20.0)], 10.0);
}

#[test]
fn range_case_2_five_decibels_apart_are_five_units() {
    ranges(&[(-20.0, 20.0), (-15.0, 20.0)], 5.0);
}

#[test]
fn range_case_3_twenty_decibels_apart_are_twenty_units() {
    ranges(&[(-40.0, 20.0), (-20.0, 20.0)], 20.0);
}

#[test]
fn range_case_4_steps_beyond_the_gate_are_left_out() {
    ranges(&[(-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)], 15.0);
}
