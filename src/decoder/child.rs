//! The child: limits itself, decodes its standard input, answers on its standard output, ends.
//!
//! **The limits stand before the first byte of the file is read**: address space, CPU time, no core dump, no file
//! written, and no file or socket opened ever again. What the libraries make of a hostile file after that hurts only
//! this process. The container is recognised by its content; the file's name never gets here.

use std::fs::File;
use std::io::{self, BufWriter, StdoutLock};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use rlimit::Resource;
use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia_adapter_libopus::OpusDecoder;

use super::mend;
use super::wire::{Failure, Header, Warned, Writer};
use crate::audio::source::{CHANNELS_MAX, Format, Speaker};
use crate::unit::{Millis, SampleRate};

/// Descriptors that stay open: input, output, errors, and the input twice more as a file, for a second look.
const OPEN_FILES: u64 = 5;

/// What stops the decoding.
enum Stop {
    /// Said to the parent as the last frame.
    Because(Failure),
    /// The parent no longer listens.
    Unheard,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Unheard
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Because(failure)
    }
}

type Answer = Writer<BufWriter<StdoutLock<'static>>>;

/// Runs the child. `arguments` are those after the subcommand: memory in bytes, CPU time in seconds, length of the
/// decoded sound in milliseconds.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    // A panic in a library is told by the exit status; its text could carry anything.
    std::panic::set_hook(Box::new(|_| {}));
    let Ok(mut answer) = Writer::new(BufWriter::with_capacity(1 << 16, io::stdout().lock())) else {
        return ExitCode::FAILURE;
    };
    let outcome = confine(arguments.into_iter())
        .map_err(Stop::from)
        .and_then(|(file, length)| decode(file, length, &mut answer));
    match outcome {
        Ok(frames) => said(&answer.end(frames)),
        Err(Stop::Because(failure)) => said(&answer.failed(&failure)),
        Err(Stop::Unheard) => ExitCode::FAILURE,
    }
}

fn said(sent: &io::Result<()>) -> ExitCode {
    if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes standard input as a file and gives up everything that is not needed to decode it.
fn confine(arguments: impl Iterator<Item = String>) -> Result<(File, Millis), Failure> {
    let unlimited = |why: &str| Failure::Unlimited(why.to_owned());
    let numbers: Option<Vec<u64>> = arguments.map(|argument| argument.parse().ok()).collect();
    let Some([memory_bytes, cpu_s, length_ms]) = numbers.as_deref() else {
        return Err(unlimited(
            "decode-child needs memory, CPU time and length; it is called by loaban itself",
        ));
    };
    let input =
        io::stdin().as_fd().try_clone_to_owned().map_err(|_| unlimited("no standard input"))?;
    let limits = [
        (Resource::AS, *memory_bytes, *memory_bytes),
        // One second between the signal that names the limit and the one that cannot be caught.
        (Resource::CPU, *cpu_s, cpu_s.saturating_add(1)),
        (Resource::CORE, 0, 0),
        (Resource::FSIZE, 0, 0),
        (Resource::NOFILE, OPEN_FILES, OPEN_FILES),
    ];
    for (resource, soft, hard) in limits {
        let (_, most) = resource.get().map_err(|_| unlimited("a limit cannot be read"))?;
        resource
            .set(soft.min(most), hard.min(most))
            .map_err(|_| unlimited("a limit cannot be set"))?;
    }
    Ok((File::from(input), Millis::new(*length_ms)))
}

/// Decodes the first sound track and answers all but the last frame.
fn decode(file: File, length: Millis, answer: &mut Answer) -> Result<u64, Stop> {
    let mut container = probe(file)?;
    let name = container.format_info().short_name.to_owned();
    let tracks = container.tracks();
    let count = u16::try_from(tracks.len()).unwrap_or(u16::MAX);
    let track =
        sound_track(tracks).ok_or(Failure::NoSound("no sound track in it".to_owned()))?.clone();
    let registry = registry();
    let opened =
        Opened { name, tracks: count, declared: track.num_frames.filter(|frames| *frames > 0) };
    let mut session = Session::new(&registry, &track, opened, length, answer)?;
    let mut end = Ending::default();
    while let Some(packet) = next(container.as_mut(), &mut end) {
        if packet.track_id == track.id && !session.packet(&packet, &mut end)? {
            break;
        }
    }
    session.finish(&end)
}

/// How the packets ended.
#[derive(Default)]
struct Ending {
    broken_off: bool,
    damaged: u64,
    changed: bool,
    last_fault: Option<String>,
}

/// Recognises the container, if need be at a second look.
fn probe(file: File) -> Result<Box<dyn FormatReader>, Failure> {
    let again = file.try_clone().map_err(|fault| Failure::Unlimited(fault.to_string()))?;
    recognise(Box::new(file)).or_else(|fault| reconsider(again, &fault))
}

fn recognise(source: Box<dyn MediaSource>) -> Result<Box<dyn FormatReader>, Error> {
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let probe = symphonia::default::get_probe();
    probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
}

fn reconsider(mut file: File, fault: &Error) -> Result<Box<dyn FormatReader>, Failure> {
    if let Some(codec) = mend::foreign(&mut file) {
        return Err(Failure::Unsupported(codec.to_owned()));
    }
    let mended = mend::flac(file).ok_or_else(|| Failure::NotAudio(fault.to_string()))?;
    recognise(Box::new(mended)).map_err(|fault| Failure::NotAudio(fault.to_string()))
}

fn registry() -> CodecRegistry {
    let mut registry = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut registry);
    registry.register_audio_decoder::<OpusDecoder>();
    registry
}

/// The first sound track that names its codec, else the first sound track.
fn sound_track(tracks: &[Track]) -> Option<&Track> {
    let sound = |track: &&Track| track.track_type() == Some(TrackType::Audio);
    let known = |track: &&Track| sound_of(track).is_some_and(|sound| sound.channels.is_some());
    tracks.iter().find(known).or_else(|| tracks.iter().find(sound))
}

fn sound_of(track: &Track) -> Option<&AudioCodecParameters> {
    match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) => Some(parameters),
        _ => None,
    }
}

/// The next packet; an error of the container is an early end.
fn next(
    container: &mut dyn FormatReader,
    end: &mut Ending,
) -> Option<symphonia::core::packet::Packet> {
    match container.next_packet() {
        Ok(packet) => packet,
        Err(fault) => {
            end.broken_off = true;
            end.last_fault = Some(fault.to_string());
            None
        }
    }
}

/// What is known of the file before its first sample.
struct Opened {
    name: String,
    tracks: u16,
    declared: Option<u64>,
}

/// One track on its way out.
struct Session<'a> {
    decoder: Box<dyn AudioDecoder>,
    codec: String,
    opened: Opened,
    length: Millis,
    gain: f32,
    /// Rate and channels once the header was sent.
    shape: Option<(u32, usize)>,
    frames: u64,
    samples: Vec<f32>,
    answer: &'a mut Answer,
}

impl<'a> Session<'a> {
    fn new(
        registry: &CodecRegistry,
        track: &Track,
        opened: Opened,
        length: Millis,
        answer: &'a mut Answer,
    ) -> Result<Self, Failure> {
        let sound =
            sound_of(track).ok_or(Failure::NoSound("a track without a codec".to_owned()))?;
        let known = registry.get_audio_decoder(sound.codec);
        let codec = known.map_or_else(
            || sound.codec.to_string(),
            |known| known.codec.info.short_name.to_owned(),
        );
        let decoder = registry.make_audio_decoder(sound, &AudioDecoderOptions::default());
        let decoder = decoder.map_err(|fault| Failure::Unsupported(format!("{codec}: {fault}")))?;
        let gain = opus_gain(sound.extra_data.as_deref());
        Ok(Self {
            decoder,
            codec,
            opened,
            length,
            gain,
            shape: None,
            frames: 0,
            samples: Vec::new(),
            answer,
        })
    }

    /// Decodes one packet. `false` ends the track.
    fn packet(
        &mut self,
        packet: &symphonia::core::packet::Packet,
        end: &mut Ending,
    ) -> Result<bool, Stop> {
        let (rate, channels) = match self.decoder.decode(packet) {
            Ok(sound) => {
                sound.copy_to_vec_interleaved(&mut self.samples);
                (sound.spec().rate(), sound.spec().channels().clone())
            }
            Err(Error::IoError(_) | Error::DecodeError(_)) => {
                end.damaged += 1;
                return Ok(true);
            }
            Err(fault) => {
                end.broken_off = true;
                end.last_fault = Some(fault.to_string());
                return Ok(false);
            }
        };
        if self.samples.is_empty() {
            return Ok(true);
        }
        self.send(rate, &channels, end)
    }

    fn send(&mut self, rate: u32, channels: &Channels, end: &mut Ending) -> Result<bool, Stop> {
        let count = channels.count();
        match self.shape {
            None => self.introduce(rate, channels)?,
            Some(shape) if shape != (rate, count) => {
                end.changed = true;
                return Ok(false);
            }
            Some(_) => {}
        }
        self.frames += (self.samples.len() / count) as u64;
        let rate =
            SampleRate::new(rate).map_err(|fault| Failure::Unsupported(fault.to_string()))?;
        if self.frames > self.length.frames(rate) {
            return Err(Failure::TooLong.into());
        }
        if self.gain.to_bits() != 1.0_f32.to_bits() {
            self.samples.iter_mut().for_each(|sample| *sample *= self.gain);
        }
        self.answer.samples(&self.samples, count)?;
        Ok(true)
    }

    fn introduce(&mut self, rate: u32, channels: &Channels) -> Result<(), Stop> {
        let count = channels.count();
        let layout =
            layout(channels).ok_or_else(|| Failure::Unsupported(format!("{count} channels")))?;
        self.shape = Some((rate, count));
        self.answer.header(&Header {
            rate,
            layout,
            tracks: self.opened.tracks,
            declared: self.opened.declared,
            codec: self.codec.clone(),
            container: self.opened.name.clone(),
        })?;
        Ok(())
    }

    /// Says what went wrong on the way, and how many frames there were.
    fn finish(self, end: &Ending) -> Result<u64, Stop> {
        if self.shape.is_none() {
            let fault = end.last_fault.clone();
            let why = fault
                .unwrap_or_else(|| format!("{} damaged packets of {}", end.damaged, self.codec));
            return Err(Failure::NoSound(why).into());
        }
        let lost = self.opened.declared.map(|declared| declared.saturating_sub(self.frames));
        // Containers round the length they declare; a tenth of a second is no loss.
        let short = self
            .shape
            .is_some_and(|(rate, _)| lost.is_some_and(|lost| lost > u64::from(rate) / 10));
        if end.changed {
            self.answer.warning(Warned::Changed)?;
        } else if end.broken_off || short {
            self.answer.warning(Warned::Truncated(lost.filter(|lost| *lost > 0)))?;
        }
        if end.damaged > 0 {
            self.answer.warning(Warned::Damaged(end.damaged))?;
        }
        Ok(self.frames)
    }
}

/// The output gain of an Opus header (RFC 7845 section 5.1), which the decoder leaves to us.
fn opus_gain(extra: Option<&[u8]>) -> f32 {
    let head = extra.filter(|extra| extra.starts_with(b"OpusHead"));
    let bytes = head.and_then(|head| head.get(16..18)?.first_chunk::<2>());
    bytes.map_or(1.0, |bytes| 10_f32.powf(f32::from(i16::from_le_bytes(*bytes)) / 256.0 / 20.0))
}

/// Our names for the speakers, in the order of the samples; `None` for more channels than can be mixed.
fn layout(channels: &Channels) -> Option<Vec<Speaker>> {
    let count = channels.count();
    if !(1..=CHANNELS_MAX).contains(&count) {
        return None;
    }
    match channels {
        Channels::Positioned(positions) if count > 2 => {
            Some(positions.iter().map(speaker).collect())
        }
        _ => Some(Format::usual(SampleRate::FULL, count)?.layout),
    }
}

fn speaker(position: Position) -> Speaker {
    const LEFT: Position =
        Position::FRONT_LEFT.union(Position::FRONT_LEFT_CENTER).union(Position::FRONT_LEFT_WIDE);
    const RIGHT: Position =
        Position::FRONT_RIGHT.union(Position::FRONT_RIGHT_CENTER).union(Position::FRONT_RIGHT_WIDE);
    const LFE: Position = Position::LFE1.union(Position::LFE2);
    const LEFT_SURROUND: Position = Position::REAR_LEFT
        .union(Position::SIDE_LEFT)
        .union(Position::TOP_REAR_LEFT)
        .union(Position::TOP_SIDE_LEFT);
    if LEFT.contains(position) {
        Speaker::Left
    } else if RIGHT.contains(position) {
        Speaker::Right
    } else if LFE.contains(position) {
        Speaker::Lfe
    } else if position == Position::FRONT_CENTER {
        Speaker::Centre
    } else if LEFT_SURROUND.contains(position) {
        Speaker::LeftSurround
    } else {
        Speaker::RightSurround
    }
}
