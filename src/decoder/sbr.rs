//! HE-AAC, of which only the core is decoded: told apart, so that its sender hears of the lost upper band.
//!
//! HE-AAC codes the lower half of the band as AAC-LC at half the rate and describes the upper half in a few bytes
//! (spectral band replication, ISO/IEC 14496-3 section 4.6.18). A file says so in its header, or only by the elements
//! in its frames. **What is decoded here is the core alone**: it sounds like the recording through a low-pass filter.

/// Frames looked at before a verdict; a second or two.
const FRAMES: u32 = 32;

/// Frames that must carry the element. Bits that look like one by chance occur in fewer than one frame of four.
const FRAMES_MIN: u32 = 24;

/// The core of a header (AudioSpecificConfig) that declares spectral band replication, as one of plain AAC-LC.
/// `None` for any other header.
pub(super) fn core(header: &[u8]) -> Option<Vec<u8>> {
    const SBR: u32 = 5;
    const PARAMETRIC_STEREO: u32 = 29;
    const LC: u32 = 2;
    let mut bits = Bits { bytes: header, at: 0 };
    let kind = bits.take(5)?;
    if kind == LC {
        return backward_compatible(&mut bits, header);
    }
    if kind != SBR && kind != PARAMETRIC_STEREO {
        return None;
    }
    let (rate, channels) = (bits.rate()?, bits.take(4)?);
    bits.rate()?;
    (bits.take(5)? == LC).then(|| plain(rate, channels))
}

/// A header of AAC-LC with the replication declared behind it (sync extension 0x2B7), without that.
fn backward_compatible(bits: &mut Bits<'_>, header: &[u8]) -> Option<Vec<u8>> {
    let (rate, channels) = (bits.rate()?, bits.take(4)?);
    bits.take(3)?;
    let declared = bits.take(11)? == 0x2B7 && bits.take(5)? == 5 && bits.take(1)? == 1;
    (declared && header.len() > 2).then(|| plain(rate, channels))
}

/// A header of AAC-LC: kind, rate index (with an odd rate behind index 15), channels, three zero bits.
fn plain((index, rate): (u32, u32), channels: u32) -> Vec<u8> {
    let (mut word, mut length) = (u64::from(2_u32 << 4 | index), 9);
    if index == 15 {
        (word, length) = (word << 24 | u64::from(rate), length + 24);
    }
    (word, length) = (word << 7 | u64::from(channels << 3), length + 7);
    let bytes = (word << (64 - length)).to_be_bytes();
    bytes[..usize::div_ceil(length, 8)].to_vec()
}

/// Looks into frames for the element of spectral band replication.
#[derive(Debug, Default)]
pub(super) struct Search {
    seen: u32,
    found: u32,
}

impl Search {
    /// Of a track whose header has said so already.
    pub(super) fn declared() -> Self {
        Self { seen: FRAMES, found: FRAMES }
    }

    /// Takes the next frame.
    pub(super) fn frame(&mut self, frame: &[u8]) {
        if self.seen < FRAMES {
            self.seen += 1;
            self.found += u32::from(ends_with_replication(frame));
        }
    }

    /// Whether the frames so far carry it.
    pub(super) fn found(&self) -> bool {
        self.found >= FRAMES_MIN
    }
}

/// Whether a fill element with replication data ends exactly where the frame does: `110`, its length, its kind, so
/// many bytes, `111`, and zeros up to the byte.
fn ends_with_replication(frame: &[u8]) -> bool {
    // The longest such element: 14 + 255 bytes of payload.
    const REACH: usize = (14 + 255 + 4) * 8;
    let end = frame.len() * 8;
    (end.saturating_sub(REACH)..end).any(|at| {
        let mut bits = Bits { bytes: frame, at };
        bits.element().is_some_and(|payload_end| {
            let mut tail = Bits { bytes: frame, at: payload_end };
            let rest = end.saturating_sub(payload_end);
            (3..11).contains(&rest) && tail.take(3) == Some(7) && tail.take(rest - 3) == Some(0)
        })
    })
}

/// Bits of a byte string, the highest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            number = number << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(number)
    }

    /// A rate: its index, and the rate itself behind index 15.
    fn rate(&mut self) -> Option<(u32, u32)> {
        match self.take(4)? {
            15 => Some((15, self.take(24)?)),
            index => Some((index, 0)),
        }
    }

    /// Where the payload of a fill element with replication data ends, if one begins here.
    fn element(&mut self) -> Option<usize> {
        if self.take(3)? != 6 {
            return None;
        }
        let count = match self.take(4)? {
            15 => 14 + self.take(8)?,
            count => count,
        };
        let payload = self.at;
        let kind = self.take(4)?;
        let bytes = usize::try_from(count).ok().filter(|bytes| *bytes > 0)?;
        ([0xD, 0xE].contains(&kind)).then_some(payload + bytes * 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_of_a_declared_replication_is_plain_lc() {
        // Kind 5, 22.05 kHz, stereo, extended to 44.1 kHz, core of kind 2.
        let declared = [0b0010_1011, 0b1001_0010, 0b0000_1000, 0];
        assert_eq!(core(&declared).unwrap(), [0b0001_0011, 0b1001_0000]);
    }

    #[test]
    fn a_declaration_behind_a_plain_header_is_found() {
        // Kind 2, 24 kHz, mono, then 0x2B7, kind 5, present, 48 kHz.
        assert_eq!(core(&[0x13, 0x08, 0x56, 0xE5, 0x98]).unwrap(), [0x13, 0x08]);
        assert_eq!(core(&[0x13, 0x08]), None);
    }

    #[test]
    fn an_odd_rate_is_kept() {
        let odd = plain((15, 22_051), 1);
        let mut bits = Bits { bytes: &odd, at: 5 };
        assert_eq!(bits.rate(), Some((15, 22_051)));
        assert_eq!((bits.take(4), odd.len()), (Some(1), 5));
    }

    #[test]
    fn frames_that_end_with_the_element_are_recognised() {
        // 110, length 2, kind 13 and 12 more bits, 111, six zeros.
        let frame = [0xAB, 0b1100_0101, 0b1010_1010, 0b1010_1011, 0b1100_0000];
        let mut search = Search::default();
        for _ in 0..FRAMES {
            search.frame(&frame);
        }
        assert!(search.found());
        assert!(!ends_with_replication(&[0xAB, 0, 0, 0, 0b1110_0000]));
    }

    #[test]
    fn noise_is_no_replication() {
        let mut state = 1_u32;
        let mut search = Search::default();
        for _ in 0..FRAMES {
            let frame: Vec<u8> = (0..400)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            search.frame(&frame);
        }
        assert!(!search.found(), "{search:?}");
    }
}
