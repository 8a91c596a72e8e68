//! Opus as the child decodes it: one to eight channels, in any container, with the header's gain and pre-skip.
//!
//! Follows RFC 7845 section 5.1 (mapping families 0 and 1) through the multistream decoder of libopus. **The header is
//! believed in nothing that libopus does not check again**: streams, couplings and mapping are refused there too. A
//! file without a header (WebM may leave it out) is one stream of one or two channels.

use opusic_c::multistream::{Config, Decoder};
use opusic_c::{ErrorCode, SampleRate};
use symphonia::core::packet::Packet;

use crate::audio::source::{CHANNELS_MAX, Speaker};

/// Frames per second of every decoded Opus stream.
pub(super) const RATE: u32 = 48_000;

/// Frames of the longest packet: 120 ms.
const PACKET_FRAMES_MAX: usize = 5_760;

/// Bytes before the mapping table.
const HEAD_BYTES: usize = 19;

/// Streams of an Opus track, as its header tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    channels: usize,
    skip: usize,
    /// In 1/256 dB.
    gain: i16,
    streams: u8,
    coupled: u8,
    mapping: [u8; CHANNELS_MAX],
}

impl Head {
    /// Reads an identification header; one of MP4 (version 0) has its numbers the other way round.
    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"OpusHead")?;
        let (version, channels) = (*rest.first()?, usize::from(*rest.get(1)?));
        let number = |at: usize| -> Option<u16> {
            let bytes = *rest.get(at..)?.first_chunk::<2>()?;
            Some(if version == 0 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let (skip, gain) = (usize::from(number(2)?), number(8)?.cast_signed());
        let head = Self::plain(channels)?;
        match rest.get(10)? {
            0 if channels <= 2 => Some(Self { skip, gain, ..head }),
            1 => {
                let table = bytes.get(HEAD_BYTES..)?;
                let mut mapping = [0; CHANNELS_MAX];
                mapping[..channels].copy_from_slice(table.get(2..2 + channels)?);
                Some(Self { skip, gain, streams: table[0], coupled: table[1], mapping, ..head })
            }
            _ => None,
        }
    }

    /// One stream of one or two channels, without a header; more channels need a table.
    fn plain(channels: usize) -> Option<Self> {
        if !(1..=CHANNELS_MAX).contains(&channels) {
            return None;
        }
        let coupled = u8::from(channels == 2);
        let mapping = [0, 1, 0, 0, 0, 0, 0, 0];
        Some(Self { channels, skip: 0, gain: 0, streams: 1, coupled, mapping })
    }
}

/// A decoder of one Opus track.
pub(super) struct Opus {
    decoder: Decoder,
    channels: usize,
    /// Frames that are still to be left out.
    skip: usize,
    gain: f32,
    decoded: Vec<f32>,
}

impl Opus {
    /// A decoder for a track with this header, or without one for so many channels.
    ///
    /// # Errors
    /// A sentence about what cannot be decoded.
    pub(super) fn new(header: Option<&[u8]>, channels: Option<usize>) -> Result<Self, String> {
        let head = match header.filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => Head::read(bytes),
            None => channels.filter(|channels| *channels <= 2).and_then(Head::plain),
        };
        let head = head.ok_or("opus: a header that cannot be followed")?;
        let decoder = decoder(&head).ok_or("opus: streams and channels that do not agree")?;
        Ok(Self {
            decoder,
            channels: head.channels,
            skip: head.skip,
            gain: 10_f32.powf(f32::from(head.gain) / 256.0 / 20.0),
            decoded: vec![0.0; PACKET_FRAMES_MAX * head.channels],
        })
    }

    /// What each channel carries (RFC 7845 section 5.1.1.2, which is the order of Vorbis).
    pub(super) fn layout(&self) -> &'static [Speaker] {
        use Speaker::{Centre, Left, LeftSurround, Lfe, Right, RightSurround};
        match self.channels {
            1 => &[Centre],
            2 => &[Left, Right],
            3 => &[Left, Centre, Right],
            4 => &[Left, Right, LeftSurround, RightSurround],
            5 => &[Left, Centre, Right, LeftSurround, RightSurround],
            6 => &[Left, Centre, Right, LeftSurround, RightSurround, Lfe],
            7 => &[Left, Centre, Right, LeftSurround, RightSurround, LeftSurround, Lfe],
            _ => &[
                Left,
                Centre,
                Right,
                LeftSurround,
                RightSurround,
                LeftSurround,
                RightSurround,
                Lfe,
            ],
        }
    }

    /// Decodes one packet into interleaved samples.
    ///
    /// # Errors
    /// When the packet is damaged; the next one may be whole.
    pub(super) fn decode(
        &mut self,
        packet: &Packet,
        samples: &mut Vec<f32>,
    ) -> Result<(), ErrorCode> {
        samples.clear();
        if packet.data.is_empty() {
            return Ok(());
        }
        let frames = self.decoder.decode_float_to_slice(&packet.data, &mut self.decoded, false)?;
        let skipped = self.skip.min(frames);
        self.skip -= skipped;
        let trim = |frames: u64| usize::try_from(frames).unwrap_or(usize::MAX);
        let from = skipped.saturating_add(trim(packet.trim_start.get()));
        let to = frames.saturating_sub(trim(packet.trim_end.get()));
        let kept = self.decoded.get(from * self.channels..to * self.channels).unwrap_or_default();
        samples.extend(kept.iter().map(|sample| sample * self.gain));
        Ok(())
    }
}

/// The decoder of libopus for a header, if libopus accepts it.
fn decoder(head: &Head) -> Option<Decoder> {
    match head.channels {
        1 => of_channels::<1>(head),
        2 => of_channels::<2>(head),
        3 => of_channels::<3>(head),
        4 => of_channels::<4>(head),
        5 => of_channels::<5>(head),
        6 => of_channels::<6>(head),
        7 => of_channels::<7>(head),
        8 => of_channels::<8>(head),
        _ => None,
    }
}

fn of_channels<const CHANNELS: usize>(head: &Head) -> Option<Decoder> {
    let mapping = *head.mapping.first_chunk::<CHANNELS>()?;
    let config = Config::<CHANNELS>::try_new(head.streams, head.coupled, mapping)?;
    Decoder::new(config, SampleRate::Hz48000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of RFC 7845 with pre-skip 312 and a gain of -1 dB.
    fn header(channels: u8, family: u8, table: &[u8]) -> Vec<u8> {
        let mut bytes = b"OpusHead\x01".to_vec();
        bytes.push(channels);
        bytes.extend([0x38, 0x01, 0x80, 0xBB, 0, 0, 0x00, 0xFF, family]);
        bytes.extend(table);
        bytes
    }

    #[test]
    fn a_header_tells_pre_skip_gain_and_streams() {
        let head = Head::read(&header(3, 1, &[2, 1, 0, 2, 1])).unwrap();
        assert_eq!((head.channels, head.skip, head.gain), (3, 312, -256));
        assert_eq!((head.streams, head.coupled, &head.mapping[..3]), (2, 1, &[0, 2, 1][..]));
    }

    #[test]
    fn a_header_of_mp4_has_its_numbers_the_other_way_round() {
        let mut bytes = b"OpusHead\x00\x02\x01\x38\x00\x00\xBB\x80\xFF\x00\x00".to_vec();
        let head = Head::read(&bytes).unwrap();
        assert_eq!((head.skip, head.gain), (312, -256));
        bytes.truncate(HEAD_BYTES - 1);
        assert_eq!(Head::read(&bytes), None);
    }

    #[test]
    fn streams_that_do_not_agree_with_the_channels_are_refused() {
        for table in [&[0, 0, 0, 0, 0][..], &[3, 3, 0, 1, 2], &[1, 2, 0, 1, 2], &[1, 0, 0, 1, 9]] {
            assert!(Opus::new(Some(&header(3, 1, table)), None).is_err(), "{table:?}");
        }
        assert!(Opus::new(Some(&header(3, 1, &[2, 1, 0])), None).is_err());
        assert!(Opus::new(Some(&header(9, 1, &[0; 11])), None).is_err());
        assert!(Opus::new(Some(&header(3, 0, &[])), None).is_err());
    }

    #[test]
    fn a_track_without_a_header_has_one_or_two_channels() {
        assert!(Opus::new(None, Some(1)).is_ok() && Opus::new(Some(&[]), Some(2)).is_ok());
        assert!(Opus::new(None, Some(3)).is_err() && Opus::new(None, None).is_err());
    }
}
