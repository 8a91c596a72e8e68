//! What a child says to its parent: a greeting, then frames of one kind byte, four length bytes and a payload.
//!
//! ```text
//! "LBPCM001"  H header  { B block | W warning }  ( E end | F failed )
//! ```
//!
//! Numbers are little-endian. **No length is believed beyond its bound, no text beyond printable ASCII**, and reading
//! allocates at most one bounded frame; a child taken over by its file can only tell lies that sound like sound.

use std::io::{self, Read, Write};

use crate::audio::source::{CHANNELS_MAX, Speaker};

/// Greets; the digits are the version of this format.
const GREETING: &[u8; 8] = b"LBPCM001";

/// Samples in one block; keeps a frame within 64 KiB.
pub(super) const BLOCK_SAMPLES_MAX: usize = 16 * 1024;

/// Bytes of any other frame.
const OTHER_BYTES_MAX: usize = 256;

/// Characters of any text.
const TEXT_MAX: usize = 80;

/// The child's answer breaks the rules.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The answer stops without an end.
    #[error("the answer broke off")]
    Ended,
    /// It does not begin as it should.
    #[error("no greeting")]
    Greeting,
    /// An unknown kind of frame.
    #[error("unknown frame {0}")]
    Kind(u8),
    /// A frame of a length that its kind cannot have.
    #[error("a frame of {0} bytes")]
    Length(usize),
    /// A field out of its range.
    #[error("a field out of range")]
    Field,
    /// Frames in the wrong order or number.
    #[error("frames out of order")]
    Order,
    /// The pipe failed.
    #[error("the pipe failed")]
    Pipe(#[from] io::Error),
}

/// What was found in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub rate: u32,
    pub layout: Vec<Speaker>,
    pub tracks: u16,
    /// Frames that the file says it has.
    pub declared: Option<u64>,
    pub codec: String,
    pub container: String,
}

/// Why a child gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    NotAudio(String),
    NoSound(String),
    Unsupported(String),
    TooLong,
    /// The child could not put limits on itself, and so refused to look at the file.
    Unlimited(String),
}

/// What a child found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Warned {
    Truncated(Option<u64>),
    Damaged(u64),
    Changed,
    Tracks(u16),
    HalfBand,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Frame {
    Header(Header),
    Block(Vec<f32>),
    Warning(Warned),
    End(u64),
    Failed(Failure),
}

impl Frame {
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::End(_) | Self::Failed(_))
    }
}

/// Reads and checks frames.
pub(super) struct Reader<R> {
    from: R,
    greeted: bool,
    channels: usize,
    payload: Vec<u8>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, greeted: false, channels: 1, payload: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Result<Frame, WireError> {
        if !self.greeted {
            let mut greeting = [0; GREETING.len()];
            self.fill(&mut greeting)?;
            self.greeted = true;
            if &greeting != GREETING {
                return Err(WireError::Greeting);
            }
        }
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_le_bytes(length)).map_err(|_| WireError::Field)?;
        let most = if kind == b'B' { BLOCK_SAMPLES_MAX * 4 } else { OTHER_BYTES_MAX };
        if length > most {
            return Err(WireError::Length(length));
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(length, 0);
        self.fill(&mut payload)?;
        let frame = self.parse(kind, &payload);
        self.payload = payload;
        frame
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), WireError> {
        self.from.read_exact(bytes).map_err(|fault| match fault.kind() {
            io::ErrorKind::UnexpectedEof => WireError::Ended,
            _ => WireError::Pipe(fault),
        })
    }

    fn parse(&mut self, kind: u8, payload: &[u8]) -> Result<Frame, WireError> {
        let mut fields = Fields(payload);
        let frame = match kind {
            b'B' => return block(payload, self.channels),
            b'H' => {
                let header = fields.header()?;
                self.channels = header.layout.len();
                Frame::Header(header)
            }
            b'W' => Frame::Warning(fields.warning()?),
            b'E' => Frame::End(fields.long()?),
            b'F' => Frame::Failed(fields.failure()?),
            other => return Err(WireError::Kind(other)),
        };
        if fields.0.is_empty() { Ok(frame) } else { Err(WireError::Length(payload.len())) }
    }
}

fn block(payload: &[u8], channels: usize) -> Result<Frame, WireError> {
    let (samples, rest) = payload.as_chunks::<4>();
    if samples.is_empty() || !rest.is_empty() || !samples.len().is_multiple_of(channels) {
        return Err(WireError::Length(payload.len()));
    }
    Ok(Frame::Block(samples.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()))
}

/// What is left of a payload.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(WireError::Field)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.bytes::<1>()?[0])
    }

    fn long(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    /// A number that may be unknown, which is written as all ones.
    fn maybe(&mut self) -> Result<Option<u64>, WireError> {
        Ok(Some(self.long()?).filter(|number| *number != u64::MAX))
    }

    fn text(&mut self) -> Result<String, WireError> {
        let length = usize::from(self.byte()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(WireError::Field)?;
        self.0 = rest;
        let plain = length <= TEXT_MAX && text.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if plain { Ok(String::from_utf8_lossy(text).into_owned()) } else { Err(WireError::Field) }
    }

    fn header(&mut self) -> Result<Header, WireError> {
        let rate = u32::from_le_bytes(self.bytes()?);
        let channels = usize::from(self.byte()?);
        if !(1..=CHANNELS_MAX).contains(&channels) {
            return Err(WireError::Field);
        }
        let layout = (0..channels).map(|_| speaker(self.byte()?)).collect::<Result<_, _>>()?;
        let tracks = u16::from_le_bytes(self.bytes()?);
        Ok(Header {
            rate,
            layout,
            tracks,
            declared: self.maybe()?,
            codec: self.text()?,
            container: self.text()?,
        })
    }

    fn warning(&mut self) -> Result<Warned, WireError> {
        match self.byte()? {
            0 => Ok(Warned::Truncated(self.maybe()?)),
            1 => Ok(Warned::Damaged(self.long()?)),
            2 => Ok(Warned::Changed),
            3 => Ok(Warned::Tracks(u16::from_le_bytes(self.bytes()?))),
            4 => Ok(Warned::HalfBand),
            _ => Err(WireError::Field),
        }
    }

    fn failure(&mut self) -> Result<Failure, WireError> {
        let (code, text) = (self.byte()?, self.text()?);
        match code {
            0 => Ok(Failure::NotAudio(text)),
            1 => Ok(Failure::NoSound(text)),
            2 => Ok(Failure::Unsupported(text)),
            3 => Ok(Failure::TooLong),
            4 => Ok(Failure::Unlimited(text)),
            _ => Err(WireError::Field),
        }
    }
}

const SPEAKERS: [Speaker; 6] = [
    Speaker::Left,
    Speaker::Right,
    Speaker::Centre,
    Speaker::Lfe,
    Speaker::LeftSurround,
    Speaker::RightSurround,
];

fn speaker(code: u8) -> Result<Speaker, WireError> {
    SPEAKERS.get(usize::from(code)).copied().ok_or(WireError::Field)
}

/// Writes frames.
pub(super) struct Writer<W> {
    into: W,
    payload: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Greets.
    pub(super) fn new(mut into: W) -> io::Result<Self> {
        into.write_all(GREETING)?;
        Ok(Self { into, payload: Vec::new() })
    }

    pub(super) fn header(&mut self, header: &Header) -> io::Result<()> {
        let code = |speaker: &Speaker| {
            SPEAKERS.iter().position(|known| known == speaker).expect("all are listed")
        };
        let mut payload = header.rate.to_le_bytes().to_vec();
        payload.push(u8::try_from(header.layout.len()).expect("at most eight"));
        payload
            .extend(header.layout.iter().map(|speaker| u8::try_from(code(speaker)).expect("six")));
        payload.extend(header.tracks.to_le_bytes());
        payload.extend(header.declared.unwrap_or(u64::MAX).to_le_bytes());
        text(&mut payload, &header.codec);
        text(&mut payload, &header.container);
        self.frame(b'H', &payload)
    }

    /// Writes interleaved samples of so many channels, in as many frames as they need.
    pub(super) fn samples(&mut self, samples: &[f32], channels: usize) -> io::Result<()> {
        for block in samples.chunks(BLOCK_SAMPLES_MAX / channels * channels) {
            let mut payload = std::mem::take(&mut self.payload);
            payload.clear();
            payload.extend(block.iter().flat_map(|sample| sample.to_le_bytes()));
            self.frame(b'B', &payload)?;
            self.payload = payload;
        }
        Ok(())
    }

    pub(super) fn warning(&mut self, warning: Warned) -> io::Result<()> {
        let payload = match warning {
            Warned::Truncated(lost) => with(0, &lost.unwrap_or(u64::MAX).to_le_bytes()),
            Warned::Damaged(packets) => with(1, &packets.to_le_bytes()),
            Warned::Changed => with(2, &[]),
            Warned::Tracks(count) => with(3, &count.to_le_bytes()),
            Warned::HalfBand => with(4, &[]),
        };
        self.frame(b'W', &payload)
    }

    pub(super) fn end(&mut self, frames: u64) -> io::Result<()> {
        self.frame(b'E', &frames.to_le_bytes())
    }

    pub(super) fn failed(&mut self, failure: &Failure) -> io::Result<()> {
        let (code, why) = match failure {
            Failure::NotAudio(why) => (0, why.as_str()),
            Failure::NoSound(why) => (1, why.as_str()),
            Failure::Unsupported(why) => (2, why.as_str()),
            Failure::TooLong => (3, ""),
            Failure::Unlimited(why) => (4, why.as_str()),
        };
        let mut payload = vec![code];
        text(&mut payload, why);
        self.frame(b'F', &payload)
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).expect("frames are bounded");
        self.into.write_all(&[kind])?;
        self.into.write_all(&length.to_le_bytes())?;
        self.into.write_all(payload)?;
        if kind == b'B' { Ok(()) } else { self.into.flush() }
    }
}

/// A code and what belongs to it.
fn with(code: u8, number: &[u8]) -> Vec<u8> {
    [&[code], number].concat()
}

/// Appends a text as the reader will accept it.
fn text(payload: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().map(|byte| if matches!(byte, b' '..=b'~') { byte } else { b'?' });
    let plain: Vec<u8> = plain.take(TEXT_MAX).collect();
    payload.push(u8::try_from(plain.len()).expect("at most 80"));
    payload.extend(plain);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header {
            rate: 44_100,
            layout: vec![Speaker::Left, Speaker::Right],
            tracks: 2,
            declared: Some(99),
            codec: "mp3".to_owned(),
            container: "mp3".to_owned(),
        }
    }

    fn read(bytes: &[u8]) -> Vec<Result<Frame, WireError>> {
        let mut reader = Reader::new(bytes);
        let mut frames = Vec::new();
        loop {
            frames.push(reader.next());
            if frames.last().is_some_and(|frame| frame.as_ref().map_or(true, Frame::is_last)) {
                return frames;
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes).unwrap();
        writer.header(&header()).unwrap();
        writer.samples(&vec![0.5; 40_000], 2).unwrap();
        writer.warning(Warned::Truncated(None)).unwrap();
        writer.end(20_000).unwrap();
        let frames: Vec<Frame> = read(&bytes).into_iter().map(Result::unwrap).collect();
        assert_eq!(frames[0], Frame::Header(header()));
        let samples: usize =
            frames.iter().map(|f| if let Frame::Block(b) = f { b.len() } else { 0 }).sum();
        assert_eq!(samples, 40_000);
        assert_eq!(
            frames[frames.len() - 2..],
            [Frame::Warning(Warned::Truncated(None)), Frame::End(20_000)]
        );
    }

    #[test]
    fn text_that_could_fool_a_terminal_never_gets_through() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes).unwrap();
        writer.failed(&Failure::NotAudio("\u{1b}[2Jđ".to_owned())).unwrap();
        assert!(
            matches!(&read(&bytes)[0], Ok(Frame::Failed(Failure::NotAudio(text))) if text == "?[2J??")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_bytes_end_in_an_error_or_an_end(kinds in prop::collection::vec(
            (prop::sample::select(b"HBWEFX".to_vec()), prop::collection::vec(any::<u8>(), 0..60)), 0..8,
        )) {
            let mut bytes = GREETING.to_vec();
            for (kind, payload) in kinds {
                bytes.push(kind);
                bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
                bytes.extend(payload);
            }
            let frames = read(&bytes);
            prop_assert!(frames.last().unwrap().as_ref().map_or(true, Frame::is_last));
        }

        #[test]
        fn raw_noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).last().unwrap().is_err());
        }
    }
}
