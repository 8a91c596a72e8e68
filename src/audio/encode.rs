//! Mono samples into Opus packets, and Opus packets into an Ogg file.
//!
//! The packets are kept until the end, because the header's output gain is only known after they were decoded and
//! measured: 24 kbit/s is 10.8 MB an hour. **The stream serial number is drawn from the packets and tags**, so that
//! equal sound gives equal bytes. Standards: RFC 6716, RFC 7845.

use ogg::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bandwidth, Bitrate, Channels, Encoder, ErrorCode, Signal};
use sha2::{Digest, Sha256};

use super::recipe::{Profile, Recipe};
use crate::unit::Db;

/// Samples at 48 kHz in one packet of 20 ms: the length libopus is tuned for.
const PACKET_GRANULES: u64 = 960;

/// Packets on a page: one second, as RFC 7845 section 6 advises.
const PAGE_PACKETS: u64 = 50;

/// The largest packet libopus makes of one frame (RFC 6716 section 3.2.1).
const PACKET_BYTES_MAX: usize = 1_276;

/// libopus refused; only a fault of ours or no memory can be the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("libopus refused: {0}; report this with the recipe")]
pub struct EncodeError(&'static str);

impl From<ErrorCode> for EncodeError {
    fn from(code: ErrorCode) -> Self {
        Self(code.message())
    }
}

/// The words in the comment header of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Title of the bulletin, in its own language.
    pub title: String,
    /// BCP 47 tag of the language spoken, e.g. `hmn` or `vi`.
    pub language: String,
    /// The bulletin, where the same sound serves another one too; else empty.
    pub bulletin: String,
}

/// Encoded sound without a container.
pub struct Packets {
    data: Vec<u8>,
    ends: Vec<usize>,
    pre_skip: u16,
    granules: u64,
    coded_hz: u32,
}

/// Takes samples, gives [`Packets`].
pub struct Writer {
    encoder: Encoder,
    frame: usize,
    step: u64,
    lookahead: u64,
    waiting: Vec<f32>,
    taken: u64,
    packets: Packets,
}

impl Writer {
    /// An encoder set up as the recipe asks.
    ///
    /// # Errors
    /// When libopus refuses a setting or has no memory.
    pub fn new(recipe: &Recipe) -> Result<Self, EncodeError> {
        let hz = recipe.profile.rate().get();
        let step = u64::from(48_000 / hz);
        let mut encoder = encoder(recipe)?;
        let lookahead = u64::from(encoder.get_look_ahead()?);
        let pre_skip = short(lookahead * step);
        let packets =
            Packets { data: Vec::new(), ends: Vec::new(), pre_skip, granules: 0, coded_hz: hz };
        let frame = usize::from(short(PACKET_GRANULES / step));
        Ok(Self {
            encoder,
            frame,
            step,
            lookahead,
            waiting: Vec::with_capacity(frame),
            taken: 0,
            packets,
        })
    }

    /// Encodes what fills whole packets, keeps the rest for the next call.
    ///
    /// # Errors
    /// When libopus refuses.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), EncodeError> {
        self.taken += samples.len() as u64;
        self.feed(samples)
    }

    /// Encodes the rest and as much silence as the encoder's delay needs.
    ///
    /// # Errors
    /// When libopus refuses.
    pub fn finish(mut self) -> Result<Packets, EncodeError> {
        let needed = self.taken + self.lookahead;
        let made = self.packets.ends.len() as u64 * self.frame as u64 + self.waiting.len() as u64;
        let packets = needed.div_ceil(self.frame as u64) * self.frame as u64;
        let padding = short(packets.saturating_sub(made));
        self.feed(&vec![0.0; usize::from(padding)])?;
        self.packets.granules = self.taken * self.step;
        Ok(self.packets)
    }

    fn feed(&mut self, mut samples: &[f32]) -> Result<(), EncodeError> {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.frame - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            samples = later;
            if self.waiting.len() == self.frame {
                self.encode()?;
            }
        }
        Ok(())
    }

    fn encode(&mut self) -> Result<(), EncodeError> {
        let mut packet = [0; PACKET_BYTES_MAX];
        let length = self.encoder.encode_float_to_slice(&self.waiting, &mut packet)?;
        self.packets.data.extend_from_slice(&packet[..length]);
        self.packets.ends.push(self.packets.data.len());
        self.waiting.clear();
        Ok(())
    }
}

/// A number of samples that is at most some packets.
fn short(samples: u64) -> u16 {
    u16::try_from(samples).expect("a packet is 960 samples at most, the look-ahead some 6 ms")
}

fn encoder(recipe: &Recipe) -> Result<Encoder, EncodeError> {
    // `Voip` only changes what lies below 100 Hz, which the speech profile has already removed, and keeps to SILK.
    let (rate, application, signal, widest) = match recipe.profile {
        Profile::Speech => {
            (opusic_c::SampleRate::Hz16000, Application::Voip, Signal::Voice, Bandwidth::Wide)
        }
        Profile::Full => {
            (opusic_c::SampleRate::Hz48000, Application::Audio, Signal::Auto, Bandwidth::Full)
        }
    };
    let mut encoder = Encoder::new(Channels::Mono, rate, application)?;
    encoder.set_bitrate(Bitrate::Value(recipe.bitrate.get()))?;
    encoder.set_complexity(recipe.complexity.get())?;
    encoder.set_signal(signal)?;
    encoder.set_max_bandwidth(widest)?;
    encoder.set_vbr(true)?;
    encoder.set_vbr_constraint(false)?;
    Ok(encoder)
}

impl Packets {
    /// How many bytes of Opus there are, container apart.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Puts the packets into an Ogg file whose players will apply `gain` (rounded to 1/256 dB).
    #[must_use]
    pub fn to_ogg(&self, gain: Db, tags: &Tags) -> Vec<u8> {
        let comments = comments(tags);
        let serial = self.serial(&comments);
        let mut ogg =
            PacketWriter::new(Vec::with_capacity(self.data.len() + self.data.len() / 50 + 1024));
        let mut write = |packet: &[u8], end, granule| page(&mut ogg, packet, serial, end, granule);
        write(&self.head(gain), PacketWriteEndInfo::EndPage, 0);
        write(&comments, PacketWriteEndInfo::EndPage, 0);
        let count = self.ends.len() as u64;
        let mut start = 0;
        for (number, end) in (1..).zip(&self.ends) {
            write(&self.data[start..*end], page_end(number, count), self.granule(number));
            start = *end;
        }
        ogg.into_inner()
    }

    /// The position after packet `number`, counted from 1; the last one names the true end.
    fn granule(&self, number: u64) -> u64 {
        let end = u64::from(self.pre_skip) + self.granules;
        if number == self.ends.len() as u64 { end } else { number * PACKET_GRANULES }
    }

    fn head(&self, gain: Db) -> Vec<u8> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast of a float saturates, which is what is wanted"
        )]
        let gain_q8 = (gain.get() * 256.0).round() as i16;
        let mut head = b"OpusHead\x01\x01".to_vec();
        head.extend_from_slice(&self.pre_skip.to_le_bytes());
        head.extend_from_slice(&self.coded_hz.to_le_bytes());
        head.extend_from_slice(&gain_q8.to_le_bytes());
        head.push(0);
        head
    }

    fn serial(&self, comments: &[u8]) -> u32 {
        let digest = Sha256::new().chain_update(&self.data).chain_update(comments).finalize();
        u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

fn page(
    ogg: &mut PacketWriter<'_, Vec<u8>>,
    packet: &[u8],
    serial: u32,
    end: PacketWriteEndInfo,
    granule: u64,
) {
    ogg.write_packet(packet.to_vec(), serial, end, granule).expect("writing to memory cannot fail");
}

fn page_end(number: u64, count: u64) -> PacketWriteEndInfo {
    if number == count {
        PacketWriteEndInfo::EndStream
    } else if number.is_multiple_of(PAGE_PACKETS) {
        PacketWriteEndInfo::EndPage
    } else {
        PacketWriteEndInfo::NormalPacket
    }
}

pub(super) fn comments(tags: &Tags) -> Vec<u8> {
    let Tags { title, language, bulletin } = tags;
    let lines = [("TITLE", title), ("LANGUAGE", language), ("BULLETIN", bulletin)];
    let mut lines = lines.map(|(name, value)| format!("{name}={value}")).to_vec();
    lines.retain(|line| !line.ends_with('='));
    let mut packet = b"OpusTags".to_vec();
    append(&mut packet, opusic_c::version());
    packet.extend_from_slice(&u32::try_from(lines.len()).expect("at most three").to_le_bytes());
    for line in &lines {
        append(&mut packet, line);
    }
    packet
}

/// Appends a text with its length before it, cut to what [`super::opus`] reads.
fn append(packet: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(4_000)];
    packet.extend_from_slice(&u32::try_from(text.len()).expect("at most 4000").to_le_bytes());
    packet.extend_from_slice(text.as_bytes());
}
