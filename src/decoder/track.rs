//! What a container says of its sound tracks: which is taken, its codec, its length, its speakers.
//!
//! **Nothing here is believed further than it is checked elsewhere**: a declared length only serves to name what is
//! missing, a layout only to mix.

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_AC3, CODEC_ID_AC4, CODEC_ID_DCA, CODEC_ID_EAC3, CODEC_ID_OPUS,
    CODEC_ID_SPEEX, CODEC_ID_TTA, CODEC_ID_WAVPACK, CODEC_ID_WMA,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::units::TimeBase;

use super::sbr;
use crate::audio::source::{CHANNELS_MAX, Format, Speaker};
use crate::unit::SampleRate;

/// Codecs that the library knows of without decoding them.
const OTHERS: [(AudioCodecId, &str); 9] = [
    (CODEC_ID_OPUS, "opus"),
    (CODEC_ID_AC3, "Dolby Digital (AC-3)"),
    (CODEC_ID_EAC3, "Dolby Digital Plus (E-AC-3)"),
    (CODEC_ID_AC4, "Dolby AC-4"),
    (CODEC_ID_DCA, "DTS"),
    (CODEC_ID_WMA, "Windows Media (WMA)"),
    (CODEC_ID_SPEEX, "Speex"),
    (CODEC_ID_WAVPACK, "WavPack"),
    (CODEC_ID_TTA, "True Audio"),
];

/// The sound tracks of a file.
pub(super) fn sound_tracks(tracks: &[Track]) -> impl Iterator<Item = &Track> {
    tracks.iter().filter(|track| track.track_type() == Some(TrackType::Audio))
}

/// The first sound track that can be decoded, else the first sound track.
pub(super) fn sound_track(tracks: &[Track]) -> Option<&Track> {
    let decoded = |track: &&Track| sound_of(track).is_some_and(|it| is_decoded(it.codec));
    let whole = |track: &&Track| sound_of(track).is_some_and(|it| it.channels.is_some());
    let known = |track: &&Track| decoded(track) && whole(track);
    let mut first = sound_tracks(tracks).find(known);
    first = first.or_else(|| sound_tracks(tracks).find(decoded));
    first.or_else(|| sound_tracks(tracks).next())
}

/// What a decoder needs to know of a track.
pub(super) fn sound_of(track: &Track) -> Option<&AudioCodecParameters> {
    match &track.codec_params {
        Some(CodecParameters::Audio(parameters)) => Some(parameters),
        _ => None,
    }
}

/// Short name of a codec.
pub(super) fn name(sound: &AudioCodecParameters) -> String {
    let known = symphonia::default::get_codecs().get_audio_decoder(sound.codec);
    let other = || OTHERS.iter().find(|(codec, _)| *codec == sound.codec).map(|(_, name)| *name);
    let name = known.map(|known| known.codec.info.short_name).or_else(other);
    name.map_or_else(|| format!("codec {}", sound.codec), str::to_owned)
}

/// Whether somebody here decodes it.
pub(super) fn is_decoded(codec: AudioCodecId) -> bool {
    codec == CODEC_ID_OPUS || symphonia::default::get_codecs().get_audio_decoder(codec).is_some()
}

/// The parameters of the AAC-LC core, if the header declares a replicated band above it.
pub(super) fn core(sound: &AudioCodecParameters) -> Option<AudioCodecParameters> {
    let header = sound.extra_data.as_deref().filter(|_| sound.codec == CODEC_ID_AAC)?;
    let mut core = sound.clone();
    core.with_extra_data(sbr::core(header)?.into_boxed_slice());
    Some(core)
}

/// How long a track says it is: a count of frames at some rate, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    frames: Option<(u64, u32)>,
    time: Option<(u64, TimeBase)>,
}

impl Declared {
    /// What a track says, or its container in its place.
    pub(super) fn of(container: &dyn FormatReader, track: &Track) -> Self {
        let whole = container.media_info();
        let only = container.tracks().len() == 1;
        let rate = sound_of(track).and_then(|sound| sound.sample_rate);
        let own = track.duration.zip(track.time_base);
        let time = own.or(whole.duration.zip(whole.time_base).filter(|_| only));
        Self {
            frames: track.num_frames.filter(|frames| *frames > 0).zip(rate),
            time: time.map(|(time, base)| (time.get(), base)).filter(|(time, _)| *time > 0),
        }
    }

    /// A track that says nothing, or nothing that is more than a guess.
    pub(super) const fn unknown() -> Self {
        Self { frames: None, time: None }
    }

    /// In frames of the rate that is decoded.
    pub(super) fn at(self, rate: u32) -> Option<u64> {
        if let Some((frames, _)) = self.frames.filter(|(_, counted_at)| *counted_at == rate) {
            return Some(frames);
        }
        let (time, base) = self.time?;
        let ticks = u128::from(time) * u128::from(base.numer.get()) * u128::from(rate);
        u64::try_from(ticks / u128::from(base.denom.get())).ok()
    }
}

/// Our names for the speakers, in the order of the samples; `None` for more channels than can be mixed.
pub(super) fn layout(channels: &Channels) -> Option<Vec<Speaker>> {
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
