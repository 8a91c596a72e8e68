//! The meters against the signals of EBU Tech 3341 and EBU Tech 3342, synthesised from the standards' tables.
//!
//! Cases 7, 8 of Tech 3341 and 5, 6 of Tech 3342 are programme recordings that are not ours to hold; cases that need
//! a short-term display do not apply, because none is shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "samples and counts of test signals"
)]

use loaban::audio::loudness::{Loudness, Meter};
use loaban::audio::source::{Format, Speaker};
use loaban::unit::SampleRate;

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
    let found = tone(parts, &STEREO).integrated.unwrap().get();
    assert!((found - expected).abs() <= 0.1, "{found:.2} LUFS instead of {expected}");
}

#[test]
fn case_1_a_tone_at_minus_23_reads_minus_23() {
    reads(&[(-23.0, 20.0)], -23.0);
}

#[test]
fn case_2_a_tone_at_minus_33_reads_minus_33() {
    reads(&[(-33.0, 20.0)], -33.0);
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
