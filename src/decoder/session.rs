//! One sound track on its way out of its container: its samples, and what was wrong with it.
//!
//! **The shape (rate and speakers) is that of the first samples and never changes**: what follows in another shape is
//! left out and said. A chained Ogg is several files one after the other; its links are read as one track.

use std::io;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, Track};
use symphonia::core::packet::Packet;

use super::child::{Answer, Stop};
use super::opus::{self, Opus};
use super::sbr;
use super::track::{self, Declared};
use super::wire::{Failure, Header, Warned};
use crate::audio::source::Speaker;
use crate::unit::{Millis, SampleRate};

/// Containers that programs write without knowing the end, as a browser's recorder does.
const OPEN_ENDED: [&str; 4] = ["wave", "matroska", "caf", "flac"];

/// Channels of Vorbis that are decoded: of more, the library undoes their coupling in the wrong order.
const VORBIS_CHANNELS_MAX: usize = 2;

/// Links of a chain whose lengths are added up.
const LINKS_MAX: usize = 1_024;

/// What decodes a track.
enum Codec {
    Library(Box<dyn AudioDecoder>),
    Opus(Box<Opus>),
}

impl Codec {
    fn new(sound: &AudioCodecParameters) -> Result<Self, Failure> {
        let refused = |why| Failure::Unsupported(format!("{}: {why}", track::name(sound)));
        if sound.codec == CODEC_ID_OPUS {
            let channels = sound.channels.as_ref().map(Channels::count);
            let opus = Opus::new(sound.extra_data.as_deref(), channels).map_err(refused)?;
            return Ok(Self::Opus(Box::new(opus)));
        }
        if !track::is_decoded(sound.codec) {
            return Err(Failure::Unsupported(track::name(sound)));
        }
        let channels = sound.channels.as_ref().map_or(0, Channels::count);
        if sound.codec == CODEC_ID_VORBIS && channels > VORBIS_CHANNELS_MAX {
            return Err(Failure::Unsupported(format!("Vorbis of {channels} channels")));
        }
        let options = AudioDecoderOptions::default();
        let decoder = symphonia::default::get_codecs().make_audio_decoder(sound, &options);
        decoder.map(Self::Library).map_err(|fault| refused(fault.to_string()))
    }

    fn decode(&mut self, packet: &Packet, samples: &mut Vec<f32>) -> Result<(), Error> {
        match self {
            Self::Library(decoder) => {
                decoder.decode(packet)?.copy_to_vec_interleaved(samples);
                Ok(())
            }
            Self::Opus(opus) => opus
                .decode(packet, samples)
                .map_err(|_| Error::DecodeError("opus: a damaged packet")),
        }
    }

    /// Rate and channels of what was decoded last.
    fn shape(&self) -> (u32, usize) {
        match self {
            Self::Library(decoder) => {
                let decoded = decoder.last_decoded();
                (decoded.spec().rate(), decoded.spec().channels().count())
            }
            Self::Opus(opus) => (opus::RATE, opus.layout().len()),
        }
    }

    /// What each channel carries; `None` for more channels than can be mixed.
    fn layout(&self) -> Option<Vec<Speaker>> {
        match self {
            Self::Library(decoder) => track::layout(decoder.last_decoded().spec().channels()),
            Self::Opus(opus) => Some(opus.layout().to_vec()),
        }
    }
}

/// Whether an error says no more than that there are no more bytes.
fn is_end(fault: &Error) -> bool {
    matches!(fault, Error::IoError(fault) if fault.kind() == io::ErrorKind::UnexpectedEof)
}

/// What is known of the file before its first sample.
struct Opened {
    codec: String,
    container: &'static str,
    tracks: u16,
    sound_tracks: u16,
    /// Whether the lengths that the container tells are more than a guess.
    counted: bool,
}

/// How the packets ended.
#[derive(Default)]
struct Ending {
    broken_off: bool,
    damaged: u64,
    changed: bool,
    last_fault: Option<String>,
}

/// One track on its way out.
pub(super) struct Session<'a, 'b> {
    codec: Codec,
    opened: Opened,
    /// The track that is decoded now.
    track: u32,
    /// What each link says of its length.
    links: Vec<Declared>,
    /// Looks for a band above the decoded one; none where there cannot be one.
    search: Option<sbr::Search>,
    length: Millis,
    /// Rate and channels once the header was sent.
    shape: Option<(SampleRate, usize)>,
    frames: u64,
    samples: Vec<f32>,
    end: Ending,
    answer: &'a mut Answer<'b>,
}

impl<'a, 'b> Session<'a, 'b> {
    /// Takes the first sound track of a container. `counted` tells whether an MP3 counts its own frames.
    pub(super) fn new(
        container: &dyn FormatReader,
        counted: bool,
        length: Millis,
        answer: &'a mut Answer<'b>,
    ) -> Result<Self, Failure> {
        let tracks = container.tracks();
        let track = track::sound_track(tracks)
            .ok_or_else(|| Failure::NoSound("no sound track in it".to_owned()))?;
        let sound = track::sound_of(track)
            .ok_or_else(|| Failure::NoSound("a track without a codec".to_owned()))?;
        let count = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let container_name = container.format_info().short_name;
        let opened = Opened {
            codec: track::name(sound),
            container: container_name,
            tracks: count(tracks.len()),
            sound_tracks: count(track::sound_tracks(tracks).count()),
            // ADTS has no header, and an MP3 need not count its frames: what is told then is guessed from bytes.
            counted: container_name != "aac" && (container_name != "mp3" || counted),
        };
        let core = track::core(sound);
        let codec = Codec::new(core.as_ref().unwrap_or(sound))?;
        let search = (sound.codec == CODEC_ID_AAC)
            .then(|| core.map_or_else(sbr::Search::default, |_| sbr::Search::declared()));
        let mut session = Self {
            codec,
            opened,
            track: track.id,
            links: Vec::new(),
            search,
            length,
            shape: None,
            frames: 0,
            samples: Vec::new(),
            end: Ending::default(),
            answer,
        };
        session.follow(container, track);
        Ok(session)
    }

    fn follow(&mut self, container: &dyn FormatReader, track: &Track) {
        let counted = self.opened.counted;
        let declared = if counted { Declared::of(container, track) } else { Declared::unknown() };
        self.track = track.id;
        // Links that are many are all alike: what the first say is enough.
        if self.links.len() < LINKS_MAX {
            self.links.push(declared);
        }
    }

    /// Goes on with the next link of a chain. `false` ends the track.
    pub(super) fn link(&mut self, container: &dyn FormatReader) -> bool {
        let next = track::sound_track(container.tracks())
            .and_then(|track| Some((track, Codec::new(track::sound_of(track)?).ok()?)));
        let Some((track, codec)) = next else {
            self.end.changed = true;
            return false;
        };
        self.codec = codec;
        self.follow(container, track);
        true
    }

    /// Ends the track early.
    pub(super) fn break_off(&mut self, fault: &Error) -> bool {
        // What was written into a pipe tells no length, and ends where the file does.
        let open_ended = self.declared().is_none() && OPEN_ENDED.contains(&self.opened.container);
        self.end.broken_off = !(open_ended && is_end(fault));
        self.end.last_fault = Some(fault.to_string());
        false
    }

    /// Decodes one packet. `false` ends the track.
    pub(super) fn packet(&mut self, packet: &Packet) -> Result<bool, Stop> {
        if packet.track_id != self.track {
            return Ok(true);
        }
        if let Some(search) = &mut self.search {
            search.frame(&packet.data);
        }
        match self.codec.decode(packet, &mut self.samples) {
            Ok(()) if self.samples.is_empty() => Ok(true),
            Ok(()) => self.send(),
            Err(Error::IoError(_) | Error::DecodeError(_)) => {
                self.end.damaged += 1;
                Ok(true)
            }
            Err(fault) => Ok(self.break_off(&fault)),
        }
    }

    fn send(&mut self) -> Result<bool, Stop> {
        let (rate, channels) = self.codec.shape();
        let rate = match self.shape {
            None => self.introduce(rate)?,
            Some((first, count)) if (first.get(), count) == (rate, channels) => first,
            Some(_) => {
                self.end.changed = true;
                return Ok(false);
            }
        };
        self.frames += (self.samples.len() / channels) as u64;
        if self.frames > self.length.frames(rate) {
            return Err(Failure::TooLong.into());
        }
        self.answer.samples(&self.samples, channels)?;
        Ok(true)
    }

    fn introduce(&mut self, rate: u32) -> Result<SampleRate, Stop> {
        let (_, channels) = self.codec.shape();
        let layout = self
            .codec
            .layout()
            .ok_or_else(|| Failure::Unsupported(format!("{channels} channels")))?;
        let known =
            SampleRate::new(rate).map_err(|fault| Failure::Unsupported(fault.to_string()))?;
        self.shape = Some((known, channels));
        let declared = self.declared();
        self.answer.header(&Header {
            rate,
            layout,
            tracks: self.opened.tracks,
            declared,
            codec: self.opened.codec.clone(),
            container: self.opened.container.to_owned(),
        })?;
        Ok(known)
    }

    /// Frames that all links so far say they have together.
    fn declared(&self) -> Option<u64> {
        let (rate, _) = self.shape?;
        let links = self.links.iter().map(|link| link.at(rate.get()));
        links.sum::<Option<u64>>().filter(|frames| *frames > 0)
    }

    /// Says what went wrong on the way, and how many frames there were.
    pub(super) fn finish(self) -> Result<u64, Stop> {
        let Some((rate, _)) = self.shape else {
            let codec = &self.opened.codec;
            let damaged = format!("{} damaged packets of {codec}", self.end.damaged);
            return Err(Failure::NoSound(self.end.last_fault.unwrap_or(damaged)).into());
        };
        let lost = self.declared().map(|declared| declared.saturating_sub(self.frames));
        // Containers round the length they declare; a tenth of a second is no loss.
        let short = lost.is_some_and(|lost| lost > u64::from(rate.get()) / 10);
        if self.opened.sound_tracks > 1 {
            self.answer.warning(Warned::Tracks(self.opened.sound_tracks))?;
        }
        if self.search.is_some_and(|search| search.found()) {
            self.answer.warning(Warned::HalfBand)?;
        }
        if self.end.changed {
            self.answer.warning(Warned::Changed)?;
        } else if self.end.broken_off || short {
            self.answer.warning(Warned::Truncated(lost.filter(|lost| *lost > 0)))?;
        }
        if self.end.damaged > 0 {
            self.answer.warning(Warned::Damaged(self.end.damaged))?;
        }
        Ok(self.frames)
    }
}
