//! Second looks at files that the container's reader gave up on.
//!
//! A FLAC whose metadata lies about its own lengths still has sound behind it: the stream information is kept, the
//! rest of the metadata skipped up to the first frame whose header proves itself by its checksum. And a file in a
//! codec that is none of ours is named, so that its sender knows what to change. **Only the child runs this**, within
//! its limits; scanning is bounded.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::input::Input;

/// Bytes looked at for the first frame; a cover picture may lie in front.
const SCAN_BYTES: usize = 4 << 20;

/// Bytes of marker, block header and stream information (RFC 9639 section 8).
const HEAD: usize = 42;

/// Bytes that a frame header needs at most (RFC 9639 section 9.1).
const FRAME_HEAD: usize = 16;

/// Whether a file could be an MP3 that counts its own frames: behind any ID3v2 tag, the first frame holds a Xing, Info
/// or VBRI header.
pub(super) fn counts_frames(file: &File) -> bool {
    /// The longest frame of an MP3 has 2,881 bytes.
    const FRAME: usize = 2_881;
    let tag = read(file, 0, 10);
    let tagged = tag.len() == 10 && tag.starts_with(b"ID3");
    let size = |tag: &[u8]| tag.iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7F));
    let frame = read(file, if tagged { 10 + size(&tag[6..]) } else { 0 }, FRAME);
    let marks: [&[u8]; 3] = [b"Xing", b"Info", b"VBRI"];
    frame.windows(4).any(|bytes| marks.contains(&bytes))
}

/// What a file that nobody here can read is called, by its first bytes, or by what its index calls its sound.
pub(super) fn foreign(file: &File) -> Option<&'static str> {
    let start = read(file, 0, 40);
    let marks: [(usize, &[u8], &str); 6] = [
        (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media (WMA)"),
        (0, b"#!AMR", "AMR"),
        (0, b"\x0B\x77", "Dolby Digital (AC-3)"),
        (0, b"ADIF", "AAC in the old ADIF form"),
        (28, b"Speex   ", "Speex"),
        (8, b"AVI ", "AVI video"),
    ];
    let by_start = marks
        .iter()
        .find(|(at, mark, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
        .map(|found| found.2);
    by_start.or_else(|| sample_entry(file))
}

/// The codec that an MP4 or 3GP names in its sample descriptions, which stand near its start or its end.
fn sample_entry(file: &File) -> Option<&'static str> {
    const NAMES: [(&[u8; 4], &str); 6] = [
        (b"samr", "AMR"),
        (b"sawb", "AMR wideband"),
        (b"ac-3", "Dolby Digital (AC-3)"),
        (b"ec-3", "Dolby Digital Plus (E-AC-3)"),
        (b"ac-4", "Dolby AC-4"),
        (b"dtsc", "DTS"),
    ];
    let length = file.metadata().ok()?.len();
    [0, length.saturating_sub(SCAN_BYTES as u64)].into_iter().find_map(|from| {
        let bytes = read(file, from, SCAN_BYTES);
        // Name, version and flags, number of entries, size of the first, its name.
        let mut tables = bytes.windows(20).filter(|it| it.starts_with(b"stsd"));
        tables.find_map(|it| NAMES.iter().find(|(name, _)| it[16..] == name[..]).map(|it| it.1))
    })
}

/// A FLAC with its metadata cut down to the stream information, if it is one and a frame can be found.
pub(super) fn flac(file: &Arc<File>) -> Option<Input> {
    let mut head = read(file, 0, HEAD);
    if head.len() < HEAD || &head[..4] != b"fLaC" || head[4] & 0x7F != 0 {
        return None;
    }
    // Last block, type 0, 34 bytes: whatever the file says.
    head[4..8].copy_from_slice(&[0x80, 0, 0, 34]);
    let frame = read(file, HEAD as u64, SCAN_BYTES).windows(FRAME_HEAD).position(is_frame)?;
    Some(Input::new(file).headed(head, (HEAD + frame) as u64))
}

/// So many bytes from a place, or as many as there are.
fn read(file: &File, from: u64, most: usize) -> Vec<u8> {
    let mut found = Vec::new();
    let mut buffer = [0; 4_096];
    while found.len() < most {
        let room = buffer.len().min(most - found.len());
        match file.read_at(&mut buffer[..room], from + found.len() as u64) {
            Ok(count @ 1..) => found.extend(&buffer[..count]),
            Ok(0) | Err(_) => break,
        }
    }
    found
}

/// Whether a frame header starts here, by its fixed bits and its checksum.
fn is_frame(bytes: &[u8]) -> bool {
    if bytes[0] != 0xFF || bytes[1] & 0xFE != 0xF8 || bytes[3] & 1 != 0 {
        return false;
    }
    let number = match bytes[4].leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return false,
    };
    let block = match bytes[2] >> 4 {
        0 => return false,
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match bytes[2] & 15 {
        12 => 1,
        13 | 14 => 2,
        15 => return false,
        _ => 0,
    };
    let end = 4 + number + block + rate;
    bytes.get(end).is_some_and(|sum| *sum == checksum(&bytes[..end]))
}

/// CRC-8 of polynomial x⁸ + x² + x + 1 (RFC 9639 section 9.1.8).
fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(
            sum ^ byte,
            |sum: u8, _| if sum & 0x80 == 0 { sum << 1 } else { (sum << 1) ^ 0x07 },
        )
    })
}
