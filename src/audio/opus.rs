//! Reads Ogg Opus back into mono samples: what a controller plays, and what the chain verifies.
//!
//! Header gain is applied, the pre-skip is removed, the end is trimmed by the last page's granule position, as
//! RFC 7845 sections 4.2 to 5.1 ask. **Reading never panics and never holds more than one packet of sound**; broken
//! bytes are an error with a sentence. Only the first Opus stream of a file is read.

use std::io::Cursor;

use ogg::PacketReader;
use opusic_c::{Channels, Decoder};

use crate::unit::{Db, Millis, SampleRate};

/// The longest packet, 120 ms (RFC 6716 section 2.1.4), in samples at 48 kHz.
const PACKET_SAMPLES_MAX: usize = 5_760;

/// The most bytes of one tag that are read; a title is a line, and a picture is no title.
const TAG_BYTES_MAX: usize = 4_096;

/// The most tags that are looked at.
const TAGS_MAX: u32 = 256;

/// Why Ogg Opus bytes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpusError {
    /// No Ogg page, no Opus header, or a header of another version.
    #[error(
        "this is no Ogg Opus: {0}; normalise the recording with `loaban normalise` and use its .opus file"
    )]
    NotOpus(&'static str),
    /// A page or packet that is damaged.
    #[error("the Opus file is damaged after {at}: {fault}; fetch or make it again")]
    Damaged {
        /// How far the sound was good.
        at: Millis,
        /// What was found.
        fault: String,
    },
    /// The decoder could not be made.
    #[error("the Opus decoder could not be started: {0}; the machine is out of memory")]
    NoDecoder(&'static str),
}

/// The rate that samples come out at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// 16 kHz, enough for the speech profile.
    Wideband,
    /// 48 kHz, what sound cards take and what peaks are verified at.
    Full,
}

impl Output {
    /// The rate in Hz.
    #[must_use]
    pub const fn rate(self) -> SampleRate {
        match self {
            Self::Wideband => SampleRate::WIDEBAND,
            Self::Full => SampleRate::FULL,
        }
    }

    const fn coded(self) -> opusic_c::SampleRate {
        match self {
            Self::Wideband => opusic_c::SampleRate::Hz16000,
            Self::Full => opusic_c::SampleRate::Hz48000,
        }
    }

    /// How many samples at 48 kHz one output sample spans.
    const fn step(self) -> u16 {
        match self {
            Self::Wideband => 3,
            Self::Full => 1,
        }
    }
}

/// What an Ogg Opus file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// Coded channels, 1 or 2.
    pub channels: u8,
    /// Samples at 48 kHz to drop from the start.
    pub pre_skip: u16,
    /// The gain that every player must apply.
    pub gain: Db,
    /// How long it sounds.
    pub duration: Millis,
    /// The tag `TITLE`.
    pub title: Option<String>,
    /// The tag `LANGUAGE`, a BCP 47 tag in our own assets.
    pub language: Option<String>,
}

/// Reads the headers and the length, without decoding.
///
/// # Errors
/// When the bytes are no Ogg Opus, or a page is damaged.
pub fn info(bytes: &[u8]) -> Result<Info, OpusError> {
    let mut packets = Packets::open(bytes)?;
    let tags = packets.tags.clone();
    let mut end = 0;
    while let Some(packet) = packets.next()? {
        end = packet.granule;
    }
    let head = packets.head;
    let frames = end.saturating_sub(u64::from(head.pre_skip));
    Ok(Info {
        channels: head.channels,
        pre_skip: head.pre_skip,
        gain: head.gain(),
        duration: Millis::of_frames(frames, SampleRate::FULL),
        title: tag(&tags, "TITLE"),
        language: tag(&tags, "LANGUAGE"),
    })
}

/// How long an Ogg Opus file sounds.
///
/// # Errors
/// As [`info`].
pub fn duration(bytes: &[u8]) -> Result<Millis, OpusError> {
    Ok(info(bytes)?.duration)
}

/// Decodes a whole file: 5.8 MB a minute at 48 kHz. A player uses [`Reader`] instead.
///
/// # Errors
/// As [`Reader::next_block`].
pub fn decode(bytes: &[u8], output: Output) -> Result<Vec<f32>, OpusError> {
    let mut reader = Reader::new(bytes, output)?;
    let (mut all, mut block) = (Vec::new(), Vec::new());
    while reader.next_block(&mut block)? {
        all.extend_from_slice(&block);
    }
    Ok(all)
}

/// Decodes block by block.
pub struct Reader<B: AsRef<[u8]>> {
    packets: Packets<B>,
    decoder: Decoder,
    output: Output,
    gain: f32,
    skip: usize,
    given: u64,
    scratch: Vec<f32>,
}

impl<B: AsRef<[u8]>> Reader<B> {
    /// Reads the headers of `bytes` and readies a decoder; stereo is mixed to mono by the decoder.
    ///
    /// # Errors
    /// When the bytes are no Ogg Opus or no decoder can be made.
    pub fn new(bytes: B, output: Output) -> Result<Self, OpusError> {
        let packets = Packets::open(bytes)?;
        let decoder = Decoder::new(Channels::Mono, output.coded());
        let head = packets.head;
        Ok(Self {
            decoder: decoder.map_err(|fault| OpusError::NoDecoder(fault.message()))?,
            output,
            gain: head.factor(),
            skip: usize::from(head.pre_skip / output.step()),
            packets,
            given: 0,
            scratch: vec![0.0; PACKET_SAMPLES_MAX],
        })
    }

    /// The gain of the header, already applied to the samples.
    #[must_use]
    pub fn gain(&self) -> Db {
        self.packets.head.gain()
    }

    /// Replaces `block` by the next mono samples, full scale at ±1.0 (they may exceed it). `false` means the end.
    ///
    /// # Errors
    /// When a page or a packet is damaged; no block follows.
    pub fn next_block(&mut self, block: &mut Vec<f32>) -> Result<bool, OpusError> {
        block.clear();
        while block.is_empty() {
            let Some(packet) = self.packets.next()? else { return Ok(false) };
            let decoded =
                self.decoder.decode_float_to_slice(&packet.data, &mut self.scratch, false);
            let count = decoded.map_err(|fault| self.damaged(fault.message()))?;
            let from = self.skip.min(count);
            self.skip -= from;
            let until = from + self.room(packet.ends_at, count - from);
            block.extend(self.scratch[from..until].iter().map(|sample| sample * self.gain));
            self.given += block.len() as u64;
        }
        Ok(true)
    }

    /// How many of `count` samples lie before the end that the last page names.
    fn room(&self, ends_at: Option<u64>, count: usize) -> usize {
        let Some(granule) = ends_at else { return count };
        let total = granule.saturating_sub(u64::from(self.packets.head.pre_skip))
            / u64::from(self.output.step());
        usize::try_from(total.saturating_sub(self.given)).map_or(count, |left| left.min(count))
    }

    fn damaged(&self, fault: &str) -> OpusError {
        OpusError::Damaged {
            at: Millis::of_frames(self.given, self.output.rate()),
            fault: fault.to_owned(),
        }
    }
}

/// The identification header (RFC 7845 section 5.1).
#[derive(Clone, Copy, Debug)]
struct Head {
    channels: u8,
    pre_skip: u16,
    gain_q8: i16,
}

impl Head {
    fn parse(packet: &[u8]) -> Result<Self, OpusError> {
        let fields: &[u8; 19] =
            packet.first_chunk().ok_or(OpusError::NotOpus("its header is too short"))?;
        if &fields[..8] != b"OpusHead" {
            return Err(OpusError::NotOpus("it holds no Opus stream"));
        }
        if fields[8] > 15 {
            return Err(OpusError::NotOpus("its header is of a later version"));
        }
        if fields[18] != 0 || !(1..=2).contains(&fields[9]) {
            return Err(OpusError::NotOpus("it has more than two channels"));
        }
        Ok(Self {
            channels: fields[9],
            pre_skip: u16::from_le_bytes([fields[10], fields[11]]),
            gain_q8: i16::from_le_bytes([fields[16], fields[17]]),
        })
    }

    fn gain(self) -> Db {
        Db::nearest(f64::from(self.gain_q8) / 256.0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a gain of ±128 dB is well inside f32")]
    fn factor(self) -> f32 {
        self.gain().factor() as f32
    }
}

/// One packet of sound.
struct Sound {
    data: Vec<u8>,
    /// The granule position of its page.
    granule: u64,
    /// The same, when it is the last packet of the stream.
    ends_at: Option<u64>,
}

/// The packets of the first Opus stream.
struct Packets<B: AsRef<[u8]>> {
    ogg: PacketReader<Cursor<B>>,
    head: Head,
    tags: Vec<u8>,
    serial: u32,
    read: u64,
}

impl<B: AsRef<[u8]>> Packets<B> {
    fn open(bytes: B) -> Result<Self, OpusError> {
        let mut ogg = PacketReader::new(Cursor::new(bytes));
        let first = ogg.read_packet().ok().flatten();
        let first = first.ok_or(OpusError::NotOpus("it does not start with an Ogg page"))?;
        let head = Head::parse(&first.data)?;
        let serial = first.stream_serial();
        let mut packets = Self { ogg, head, tags: Vec::new(), serial, read: 0 };
        packets.tags = packets.pull()?.ok_or(OpusError::NotOpus("it ends after its header"))?.data;
        if !packets.tags.starts_with(b"OpusTags") {
            return Err(OpusError::NotOpus("its second packet is no OpusTags"));
        }
        Ok(packets)
    }

    fn next(&mut self) -> Result<Option<Sound>, OpusError> {
        let Some(packet) = self.pull()? else { return Ok(None) };
        self.read = self.read.max(packet.absgp_page());
        Ok(Some(Sound {
            granule: packet.absgp_page(),
            ends_at: packet.last_in_stream().then(|| packet.absgp_page()),
            data: packet.data,
        }))
    }

    /// The next packet of our stream that is not empty, whatever else is multiplexed.
    fn pull(&mut self) -> Result<Option<ogg::Packet>, OpusError> {
        loop {
            let at = Millis::of_frames(self.read, SampleRate::FULL);
            let packet = self.ogg.read_packet();
            match packet.map_err(|fault| OpusError::Damaged { at, fault: fault.to_string() })? {
                Some(packet) if packet.stream_serial() != self.serial || packet.data.is_empty() => {
                }
                other => return Ok(other),
            }
        }
    }
}

/// Finds one comment by name (RFC 7845 section 5.2); names are compared without case.
fn tag(packet: &[u8], name: &str) -> Option<String> {
    let mut rest = packet.strip_prefix(b"OpusTags")?;
    text(&mut rest)?;
    let count = number(&mut rest)?.min(TAGS_MAX);
    for _ in 0..count {
        let comment = text(&mut rest)?;
        let Some((key, value)) = comment.split_at_checked(name.len()) else { continue };
        if let (true, Some(value)) =
            (key.eq_ignore_ascii_case(name.as_bytes()), value.strip_prefix(b"="))
        {
            return (value.len() <= TAG_BYTES_MAX)
                .then(|| String::from_utf8_lossy(value).into_owned());
        }
    }
    None
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_le_bytes(*bytes))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}
