//! Every format that is promised, made for the test, read by the real child, beside ffmpeg's own reading.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers of samples"
)]
#![expect(clippy::cast_possible_truncation, reason = "small numbers of channels")]

#[path = "decoding/made.rs"]
mod made;

use loaban::audio::report::Report;
use loaban::audio::source::Speaker;
use loaban::decoder::{Warning, told};

use made::{Heard, Made, apart, ffmpeg, hear, lost, piped, reference, tones, wav};

/// Codecs pad their ends; more than this is lost sound.
const SECONDS_APART: f64 = 0.06;

/// Lossy codecs are decoded alike by all, but for rounding.
const DECIBELS_APART: f64 = 0.1;

/// Reads a file whole and without a warning, and compares it with what ffmpeg reads.
fn agrees(name: &str, file: &Made) -> Heard {
    let heard = hear(file.path()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    assert_eq!(heard.warnings, [], "{name}");
    compare(name, &heard, file);
    heard
}

fn compare(name: &str, heard: &Heard, file: &Made) {
    let (seconds, mut theirs) = reference(file.path(), heard.rate, heard.rms.len());
    assert!((heard.seconds() - seconds).abs() < SECONDS_APART, "{name}: {seconds} s, {heard:?}");
    let mut ours = heard.rms.clone();
    // Channels come in the codec's order here, in WAVE order there; each has its own level.
    ours.sort_by(f64::total_cmp);
    theirs.sort_by(f64::total_cmp);
    for (one, other) in ours.iter().zip(&theirs) {
        assert!(apart(*one, *other) < DECIBELS_APART, "{name}: {ours:?} here, {theirs:?} there");
    }
}

#[test]
fn wav_of_every_width_and_law_is_read() {
    for codec in [
        "pcm_u8",
        "pcm_s16le",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_f64le",
        "pcm_alaw",
        "pcm_mulaw",
    ] {
        let heard = agrees(codec, &tones(44_100, 2, &["-c:a", codec], ".wav"));
        assert_eq!((heard.about.codec.as_str(), heard.about.container.as_str()), (codec, "wave"));
    }
}

/// Three quarters of a second of a square wave of 100 Hz at 16 kHz, half of full scale, so many bytes a sample.
fn square(width: usize) -> Vec<u8> {
    let half = 1_i32 << 30;
    let sample = |at: usize| if (at / 80).is_multiple_of(2) { half } else { -half };
    (0..12_000).flat_map(|at| sample(at).to_le_bytes()[4 - width..].to_vec()).collect()
}

#[test]
fn plain_and_extensible_headers_of_every_width_mean_the_same() {
    for bits in [16_u16, 24, 32] {
        let data = square(usize::from(bits / 8));
        let mut extension = vec![22, 0];
        extension.extend(bits.to_le_bytes());
        extension.extend([4, 0, 0, 0]);
        extension.extend(b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71");
        for (tag, extra) in [(1, &[][..]), (0xFFFE, &extension)] {
            let heard = hear(Made::of(&wav(tag, bits, extra, 16_000, &data)).path()).unwrap();
            assert_eq!(heard.frames, 12_000, "{bits} bits, tag {tag:#x}");
            assert!(apart(heard.rms[0], 0.5) < 0.01, "{bits} bits, tag {tag:#x}: {heard:?}");
        }
    }
}

#[test]
fn every_rate_from_8_to_192_khz_is_read() {
    for rate in [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
        176_400, 192_000,
    ] {
        for suffix in [".wav", ".flac"] {
            let heard = agrees(suffix, &tones(rate, 1, &[], suffix));
            assert_eq!((heard.rate, heard.frames), (rate, u64::from(rate) * 3), "{suffix}");
        }
    }
}

#[test]
fn one_to_eight_channels_are_read() {
    for channels in 1..=8 {
        for (suffix, codec) in [(".wav", "pcm_s16le"), (".flac", "flac"), (".aiff", "pcm_s16be")] {
            let name = format!("{channels} channels in {suffix}");
            let heard = agrees(&name, &tones(48_000, channels, &["-c:a", codec], suffix));
            assert_eq!(heard.layout.len(), channels, "{name}");
        }
    }
}

#[test]
fn mp3_is_read_with_cover_art_with_varying_rate_and_without_a_count_of_frames() {
    let cover = ["-f", "lavfi", "-i", "testsrc=s=640x480:d=1", "-map", "0:a", "-map", "1:v"];
    let pictured = ["-frames:v", "1", "-c:v", "png", "-disposition:v", "attached_pic"];
    let tagged = ["-metadata", "title=Bản tin", "-id3v2_version", "3", "-c:a", "libmp3lame"];
    let covered = [&cover[..], &pictured, &tagged].concat();
    let kinds: [(&str, &[&str]); 4] = [
        ("with cover art", &covered),
        ("varying", &["-c:a", "libmp3lame", "-q:a", "4"]),
        ("without a count", &["-c:a", "libmp3lame", "-b:a", "96k", "-write_xing", "0"]),
        ("varying, without a count", &["-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"]),
    ];
    for (name, arguments) in kinds {
        let heard = agrees(name, &tones(44_100, 2, arguments, ".mp3"));
        assert_eq!(heard.about.codec, "mp3", "{name}");
    }
}

#[test]
fn aac_and_alac_are_read_in_the_containers_that_phones_and_studios_use() {
    let kinds: [(&str, &str, &str); 5] = [
        ("aac", ".aac", "aac"),
        ("aac", ".m4a", "aac"),
        ("aac", ".mkv", "aac"),
        ("alac", ".m4a", "alac"),
        ("alac", ".caf", "alac"),
    ];
    for (encoder, suffix, codec) in kinds {
        let name = format!("{codec} in {suffix}");
        let heard = agrees(&name, &tones(44_100, 2, &["-c:a", encoder], suffix));
        assert_eq!(heard.about.codec, codec, "{name}");
    }
}

#[test]
fn aiff_and_caf_are_read_with_either_order_of_bytes() {
    for (codec, suffix) in [
        ("pcm_s16be", ".aiff"),
        ("pcm_s24be", ".aiff"),
        ("pcm_s16le", ".aiff"),
        ("pcm_s16be", ".caf"),
        ("pcm_s24le", ".caf"),
        ("pcm_f32le", ".caf"),
    ] {
        agrees(&format!("{codec} in {suffix}"), &tones(44_100, 2, &["-c:a", codec], suffix));
    }
}

#[test]
fn vorbis_and_opus_are_read_in_every_container_that_carries_them() {
    for (codec, suffix, channels) in [
        ("libvorbis", ".ogg", 2),
        ("libvorbis", ".webm", 2),
        ("libopus", ".opus", 1),
        ("libopus", ".opus", 2),
        ("libopus", ".webm", 1),
        ("libopus", ".mp4", 2),
        ("flac", ".oga", 2),
    ] {
        let name = format!("{codec} in {suffix}, {channels} channels");
        agrees(&name, &tones(48_000, channels, &["-c:a", codec, "-b:a", "96k"], suffix));
    }
}

#[test]
fn opus_of_three_to_eight_channels_is_read_with_every_speaker_in_its_place() {
    for channels in 3..=8 {
        let arguments = ["-c:a", "libopus", "-mapping_family", "1", "-b:a", "512k"];
        for suffix in [".opus", ".mkv"] {
            let name = format!("{channels} channels in {suffix}");
            let heard = agrees(&name, &tones(48_000, channels, &arguments, suffix));
            assert_eq!(heard.about.codec, "opus", "{name}");
            let (left, right) = (heard.of(Speaker::Left), heard.of(Speaker::Right));
            assert!(apart(left * 0.7, right) < 0.3, "{name}: {heard:?}");
            if channels == 6 {
                // Third, fifth and sixth of WAVE order; of the fourth the codec keeps the lowest tones alone.
                let behind = (heard.of(Speaker::LeftSurround), heard.of(Speaker::RightSurround));
                assert!(apart(heard.of(Speaker::Centre), left * 0.7_f64.powi(2)) < 0.3, "{name}");
                assert!(apart(behind.0, left * 0.7_f64.powi(4)) < 0.3, "{name}: {heard:?}");
                assert!(apart(behind.1, left * 0.7_f64.powi(5)) < 0.3, "{name}: {heard:?}");
                assert!(heard.of(Speaker::Lfe) < behind.1, "{name}: {heard:?}");
            }
        }
    }
}

#[test]
fn all_links_of_a_chained_ogg_are_used() {
    for (codec, suffix) in [("libvorbis", ".ogg"), ("libopus", ".opus"), ("flac", ".oga")] {
        let links: Vec<u8> = ["1", "2"]
            .into_iter()
            .flat_map(|serial| {
                tones(48_000, 1, &["-c:a", codec, "-serial_offset", serial], suffix).bytes()
            })
            .collect();
        let heard = hear(Made::of(&links).path()).unwrap();
        assert!((heard.seconds() - 6.0).abs() < SECONDS_APART, "{codec}: {heard:?}");
        assert_eq!(heard.warnings, [], "{codec}");
    }
}

#[test]
fn a_chain_that_changes_its_channels_is_used_up_to_there_and_says_so() {
    let link = |channels| tones(48_000, channels, &["-c:a", "libvorbis"], ".ogg").bytes();
    let heard = hear(Made::of(&[link(1), link(2)].concat()).path()).unwrap();
    assert!((heard.seconds() - 3.0).abs() < SECONDS_APART, "{heard:?}");
    assert_eq!(heard.warnings, [Warning::Changed]);
}

/// What a browser's recorder writes: unknown sizes, no duration, no cues.
fn browser(channels: usize) -> Made {
    let source = tones(48_000, channels, &[], ".wav");
    let path = source.path().to_str().unwrap();
    piped(&["-i", path, "-c:a", "libopus", "-f", "webm", "-live", "1"])
}

#[test]
fn webm_as_a_browser_records_it_is_read_to_its_end() {
    for channels in [1, 2] {
        let file = browser(channels);
        let bytes = file.bytes();
        let segment = b"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
        assert!(bytes.windows(12).any(|it| it == segment), "the segment says how long it is");
        assert!(!bytes.windows(4).any(|it| it == b"\x1C\x53\xBB\x6B"), "it has cues");
        let heard = agrees("WebM of a browser", &file);
        assert_eq!(heard.about.declared, None);
    }
}

#[test]
fn webm_of_a_browser_that_was_closed_while_recording_is_read_as_far_as_it_goes() {
    let heard = hear(browser(1).cut(1, 2).path()).unwrap();
    assert!((1.0..2.0).contains(&heard.seconds()), "{heard:?}");
}

#[test]
fn a_wav_from_a_pipe_claims_no_length_and_loses_nothing() {
    let source = tones(48_000, 1, &[], ".wav");
    let path = source.path().to_str().unwrap();
    let heard = agrees("WAV from a pipe", &piped(&["-i", path, "-f", "wav"]));
    assert_eq!(heard.frames, 144_000);
}

/// AAC of 24 kHz in M4A, whose header is made to declare a replicated band up to 48 kHz.
fn declared_replication() -> Made {
    let mut bytes = tones(24_000, 1, &["-c:a", "aac"], ".m4a").bytes();
    let at = bytes.windows(3).position(|it| it == [0x56, 0xE5, 0x00]);
    bytes[at.expect("ffmpeg writes the extension, with nothing in it") + 2] = 0x98;
    Made::of(&bytes)
}

#[test]
fn he_aac_that_declares_itself_is_read_at_half_the_band_and_says_so() {
    let heard = hear(declared_replication().path()).unwrap();
    assert_eq!((heard.rate, heard.about.codec.as_str()), (24_000, "aac"));
    assert!((heard.seconds() - 3.0).abs() < 0.1, "{heard:?}");
    assert_eq!(heard.warnings, [Warning::HalfBand]);
    let report = told::with_warnings(Report::new(Vec::new()), &heard.warnings);
    assert!(report.problems[0].en.contains("Export it as AAC-LC, FLAC or WAV"), "{report:?}");
}

/// An ADTS frame with an element of spectral band replication put before its end.
fn replicated(frame: &[u8]) -> Vec<u8> {
    let mut bits: Vec<bool> = frame[7..]
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1 == 1))
        .collect();
    // Zeros up to the byte, and the three ones of the end.
    bits.truncate(bits.iter().rposition(|bit| *bit).unwrap() - 2);
    let element = "110 0011 1101 00000000000000000000 111".chars().filter(|it| *it != ' ');
    bits.extend(element.map(|bit| bit == '1'));
    let mut bytes = frame[..7].to_vec();
    let byte = |bits: &[bool]| {
        bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))
    };
    bytes.extend(bits.chunks(8).map(byte));
    let length = bytes.len();
    bytes[3] = bytes[3] & 0xFC | (length >> 11) as u8;
    bytes[4] = (length >> 3) as u8;
    bytes[5] = bytes[5] & 0x1F | (length << 5) as u8;
    bytes
}

#[test]
fn he_aac_that_only_its_frames_tell_of_is_recognised() {
    let plain = tones(24_000, 1, &["-c:a", "aac"], ".aac").bytes();
    let (mut rest, mut file) = (&plain[..], Vec::new());
    while rest.len() > 7 {
        let length =
            usize::from(rest[3] & 3) << 11 | usize::from(rest[4]) << 3 | usize::from(rest[5] >> 5);
        file.extend(replicated(&rest[..length]));
        rest = &rest[length..];
    }
    let heard = hear(Made::of(&file).path()).unwrap();
    assert_eq!(heard.warnings, [Warning::HalfBand]);
    assert_eq!(hear(Made::of(&plain).path()).unwrap().warnings, []);
}

#[test]
fn what_cannot_be_read_is_refused_by_its_name_with_what_to_do() {
    let sound = |arguments: &[&str], suffix| tones(16_000, 1, arguments, suffix);
    let relabelled = |from: &[u8], to: &[u8]| {
        let mut bytes = sound(&["-c:a", "aac"], ".m4a").bytes();
        let at = bytes.windows(4).position(|it| it == from).unwrap();
        bytes[at..at + 4].copy_from_slice(to);
        Made::of(&bytes)
    };
    let cases = [
        ("AMR", Made::of(&[&b"#!AMR\n"[..], &[0x3C; 3_000]].concat())),
        ("AMR", Made::of(&[&b"#!AMR-WB\n"[..], &[0x44; 3_000]].concat())),
        ("AMR", relabelled(b"mp4a", b"samr")),
        ("Windows Media", sound(&["-c:a", "wmav2"], ".wma")),
        ("AC-3", sound(&["-ar", "48000", "-c:a", "ac3"], ".ac3")),
        ("AC-3", sound(&["-ar", "48000", "-c:a", "ac3"], ".mp4")),
        ("AC-3", sound(&["-ar", "48000", "-c:a", "ac3"], ".mkv")),
        ("vorbis of 6 channels", tones(48_000, 6, &["-c:a", "libvorbis"], ".ogg")),
    ];
    for (codec, file) in cases {
        let fault = hear(file.path()).err().unwrap_or_else(|| panic!("{codec} is read"));
        assert_eq!(fault.code(), "unsupported-codec", "{codec}: {fault}");
        let sentence = fault.to_string();
        assert!(sentence.to_lowercase().contains(&codec.to_lowercase()), "{codec}: {sentence}");
        assert!(sentence.ends_with("save it as WAV, FLAC or MP3 and send that"), "{sentence}");
    }
}

/// A picture that moves, and a tone.
const FILM: [&str; 8] =
    ["-f", "lavfi", "-i", "testsrc=s=64x64:d=3", "-f", "lavfi", "-i", "sine=f=440:d=3:r=44100"];

#[test]
fn the_sound_behind_a_picture_is_found() {
    for (suffix, picture, codec) in
        [(".mp4", "mpeg4", "aac"), (".mkv", "mpeg4", "libvorbis"), (".webm", "libvpx", "libopus")]
    {
        let order = ["-map", "0:v", "-map", "1:a", "-c:v", picture, "-c:a", codec];
        let heard = agrees(suffix, &ffmpeg(&[&FILM[..], &order].concat(), suffix));
        assert_eq!(heard.about.tracks, 2, "{suffix}");
    }
}

#[test]
fn of_several_sound_tracks_the_first_is_used_and_that_is_said() {
    for suffix in [".m4a", ".mkv"] {
        let loud = "aevalsrc=0.5*sin(2*PI*440*t):s=48000:d=3";
        let soft = "aevalsrc=0.05*sin(2*PI*440*t):s=48000:d=3";
        let two = ["-f", "lavfi", "-i", loud, "-f", "lavfi", "-i", soft];
        let order = ["-map", "0:a", "-map", "1:a", "-c:a", "aac"];
        let heard = hear(ffmpeg(&[&two[..], &order].concat(), suffix).path()).unwrap();
        assert!(apart(heard.rms[0], 0.5 / 2.0_f64.sqrt()) < 0.5, "{suffix}: {heard:?}");
        assert_eq!((heard.about.tracks, &heard.warnings[..]), (2, &[Warning::Tracks(2)][..]));
    }
}

#[test]
fn a_track_that_can_be_read_is_used_although_another_stands_before_it() {
    let tone = ["-f", "lavfi", "-i", "sine=f=440:d=3:r=48000"];
    let order = ["-map", "0:a", "-map", "0:a", "-c:a:0", "ac3", "-c:a:1", "flac"];
    let heard = hear(ffmpeg(&[&tone[..], &order].concat(), ".mkv").path()).unwrap();
    assert_eq!((heard.about.codec.as_str(), heard.frames), ("flac", 144_000));
    assert_eq!(heard.warnings, [Warning::Tracks(2)]);
}

#[test]
fn the_name_of_a_file_says_nothing() {
    let flac = tones(16_000, 1, &["-f", "flac"], ".mp3");
    assert_eq!(agrees("FLAC called MP3", &flac).about.container, "flac");
    let wav = tones(16_000, 1, &["-f", "wav"], ".txt");
    assert_eq!(agrees("WAV called text", &wav).about.container, "wave");
}

/// An ID3v2 tag with so many bytes in it, of which none is a frame.
fn tag(bytes: usize) -> Vec<u8> {
    let size = [21, 14, 7, 0].map(|shift| (bytes >> shift) as u8 & 0x7F);
    [&b"ID3\x03\x00\x00"[..], &size, &vec![0; bytes]].concat()
}

#[test]
fn tags_and_garbage_in_front_do_no_harm() {
    let mp3 = tones(44_100, 1, &["-c:a", "libmp3lame", "-id3v2_version", "0"], ".mp3").bytes();
    for (name, front) in [("a tag", tag(1_000)), ("a large tag", tag(300_000))] {
        let heard = agrees(name, &Made::of(&[front, mp3.clone()].concat()));
        assert!((heard.seconds() - 3.0).abs() < SECONDS_APART, "{name}: {heard:?}");
    }
    let flac = tones(44_100, 1, &[], ".flac").bytes();
    let heard = hear(Made::of(&[tag(500), flac].concat()).path()).unwrap();
    assert_eq!(heard.frames, 132_300);
}

#[test]
fn what_is_left_of_a_cut_file_is_used_and_its_loss_is_named() {
    let kinds: [(&str, &[&str]); 8] = [
        (".wav", &["-c:a", "pcm_s16le"]),
        (".flac", &[]),
        (".mp3", &["-c:a", "libmp3lame"]),
        (".m4a", &["-c:a", "aac", "-movflags", "+faststart"]),
        (".mp4", &["-c:a", "alac", "-movflags", "+faststart"]),
        (".mkv", &["-c:a", "libopus"]),
        (".webm", &["-c:a", "libvorbis"]),
        (".aiff", &[]),
    ];
    for (suffix, arguments) in kinds {
        let whole = tones(48_000, 1, arguments, suffix);
        let heard = hear(whole.cut(1, 2).path()).unwrap_or_else(|e| panic!("{suffix}: {e}"));
        let lost = lost(&heard.warnings).unwrap_or_else(|why| panic!("{suffix}: {why}: {heard:?}"));
        let lost = lost.get() as f64 / 1e3;
        assert!(heard.seconds() > 0.5, "{suffix}: {heard:?}");
        assert!((heard.seconds() + lost - 3.0).abs() < 0.1, "{suffix}: {lost} s lost, {heard:?}");
    }
}

#[test]
fn what_tells_no_length_is_cut_without_one() {
    for (suffix, arguments) in [
        (".ogg", &["-c:a", "libvorbis", "-page_duration", "100000"][..]),
        (".opus", &["-c:a", "libopus", "-page_duration", "100000"]),
        (".aac", &["-c:a", "aac"]),
    ] {
        let heard = hear(tones(48_000, 1, arguments, suffix).cut(1, 2).path());
        let heard = heard.unwrap_or_else(|fault| panic!("{suffix}: {fault}"));
        assert!((0.3..2.5).contains(&heard.seconds()), "{suffix}: {heard:?}");
        assert!(lost(&heard.warnings).is_err(), "{suffix}: {heard:?}");
    }
}

#[test]
fn what_cannot_be_read_without_its_end_is_refused_with_a_sentence() {
    // Their indexes stand behind the sound, or are looked for there.
    for (suffix, arguments) in [
        (".m4a", &["-c:a", "aac", "-movflags", "-faststart"]),
        (".caf", &["-c:a", "pcm_s16le", "-f", "caf"]),
    ] {
        let fault = hear(tones(48_000, 1, arguments, suffix).cut(1, 2).path()).unwrap_err();
        assert!(["not-audio", "no-sound"].contains(&fault.code()), "{suffix}: {fault}");
        assert!(fault.to_string().contains(';'), "{suffix}: {fault}");
    }
}
