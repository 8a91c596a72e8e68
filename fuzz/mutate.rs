//! Changes inputs the way that damage and malice do: flipped bits, inflated lengths, spliced and doubled blocks.
//!
//! **All of it follows from one seed**: the same seed, target and number of executions give the same inputs.

use std::ops::Range;

/// Bytes of any input at most; more than any document may have.
const INPUT_BYTES_MAX: usize = 300 * 1024;

/// Bytes that open, part or close what a person or a machine wrote.
const SIGNS: &[u8] = b",:;{}[]\"'=\n /+-_.";

/// Numbers at which programs break.
const EDGES: [u64; 18] = [
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    0x7FFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x1_0000_0000,
    9_007_199_254_740_993,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Draws numbers (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, name: &str) -> Self {
        Self(name.bytes().fold(seed, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3).rotate_left(17)
        }))
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`; 0 below nothing.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = (bound as u64).max(1);
        usize::try_from(self.number() % bound).expect("below a usize")
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A part of so many bytes, short ones more often than long ones.
    fn part(&mut self, length: usize) -> Range<usize> {
        let from = self.below(length + 1);
        let scale = *self.one_of(&[4, 16, 64, 1_024, usize::MAX]);
        let bytes = self.below((length - from).min(scale) + 1);
        from..from + bytes
    }
}

/// One to eight changes of an input, with material from another.
pub fn mutated(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let scale = *dice.one_of(&[1, 2, 4, 8]);
    for _ in 0..=dice.below(scale) {
        change(dice, &mut bytes, other);
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    match dice.below(13) {
        0 | 1 => flip(dice, bytes),
        2 => set(dice, bytes),
        3 | 4 => inflate(dice, bytes),
        5 | 6 => number(dice, bytes),
        7 => {
            let part = dice.part(bytes.len());
            bytes.drain(part);
        }
        8 => repeat(dice, bytes),
        9 => {
            let (here, there) = (dice.part(bytes.len()), dice.part(other.len()));
            bytes.splice(here, other[there].iter().copied());
        }
        10 | 11 => token(dice, bytes, other),
        _ => {
            let end = dice.below(bytes.len() + 1);
            bytes.truncate(end);
        }
    }
}

fn flip(dice: &mut Dice, bytes: &mut [u8]) {
    // Headers stand in front: half of the flips go there.
    let reach = if dice.below(2) == 0 { bytes.len() } else { bytes.len().min(128) };
    let at = dice.below(reach);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.below(8);
    }
}

fn set(dice: &mut Dice, bytes: &mut [u8]) {
    let part = dice.part(bytes.len());
    let value = dice.number().to_le_bytes()[0];
    let value = *dice.one_of(&[0, 0xFF, 0x80, b'"', b'\n', value]);
    bytes[part].fill(value);
}

/// Puts an edge where a length could stand, in two, four or eight bytes of either order.
fn inflate(dice: &mut Dice, bytes: &mut [u8]) {
    let width = *dice.one_of(&[1, 2, 3, 4, 8]);
    let Some(places) = bytes.len().checked_sub(width) else { return };
    let reach = if dice.below(2) == 0 { places } else { places.min(256) };
    let at = dice.below(reach + 1);
    let near = (bytes.len() as u64).wrapping_add(dice.number() % 5).wrapping_sub(2);
    let edge = if dice.below(4) == 0 { near } else { *dice.one_of(&EDGES) };
    let place = &mut bytes[at..at + width];
    if dice.below(2) == 0 {
        place.copy_from_slice(&edge.to_le_bytes()[..width]);
    } else {
        place.copy_from_slice(&edge.to_be_bytes()[8 - width..]);
    }
}

/// Replaces a number that is written in digits.
fn number(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let from = dice.below(bytes.len());
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = bytes[from..].iter().position(digit).map(|at| from + at) else { return };
    let end = bytes[start..].iter().position(|b| !digit(b)).map_or(bytes.len(), |at| start + at);
    let edge = *dice.one_of(&EDGES);
    let text = match dice.below(6) {
        0 => format!("-{edge}"),
        1 => format!("0{edge}"),
        2 => format!("{edge}.5"),
        3 => format!("{edge}{edge}"),
        _ => edge.to_string(),
    };
    bytes.splice(start..end, text.into_bytes());
}

fn repeat(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let part = dice.part(bytes.len());
    let times = *dice.one_of(&[1, 1, 2, 8, 64, 300]);
    let room = INPUT_BYTES_MAX.saturating_sub(bytes.len()) / part.len().max(1);
    let more = bytes[part.clone()].repeat(times.min(room));
    bytes.splice(part.end..part.end, more);
}

/// Replaces, doubles or moves what stands between two signs.
fn token(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let here = between(dice, bytes);
    let material = if dice.below(2) == 0 { other } else { &bytes[..] };
    let there = between(dice, material);
    let word = material[there].to_vec();
    let place = if dice.below(2) == 0 { here.clone() } else { here.end..here.end };
    bytes.splice(place, word);
}

fn between(dice: &mut Dice, bytes: &[u8]) -> Range<usize> {
    let at = dice.below(bytes.len());
    let sign = |byte: &u8| SIGNS.contains(byte);
    let start = bytes[..at].iter().rposition(sign).unwrap_or(0);
    let end = bytes[at..].iter().position(sign).map_or(bytes.len(), |end| at + end + 1);
    start..end
}
