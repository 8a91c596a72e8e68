//! Second looks at files that the container's reader gave up on.
//!
//! A FLAC whose metadata lies about its own lengths still has sound behind it: the stream information is kept, the
//! rest of the metadata skipped up to the first frame whose header proves itself by its checksum. And a file in a
//! codec that is none of ours is named, so that its sender knows what to change. **Only the child runs this**, within
//! its limits; scanning is bounded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// Bytes looked at for the first frame; a cover picture may lie in front.
const SCAN_BYTES: u64 = 4 << 20;

/// Bytes of marker, block header and stream information (RFC 9639 section 8).
const HEAD: usize = 42;

/// Bytes that a frame header needs at most (RFC 9639 section 9.1).
const FRAME_HEAD: usize = 16;

/// What a file that nobody here can read is called, by its first bytes.
pub(super) fn foreign(file: &mut File) -> Option<&'static str> {
    let mut start = [0; 40];
    file.seek(SeekFrom::Start(0)).ok()?;
    let length = fill(file, &mut start);
    let start = &start[..length];
    let marks: [(usize, &[u8], &str); 6] = [
        (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media (WMA)"),
        (0, b"#!AMR", "AMR"),
        (0, b"\x0B\x77", "Dolby Digital (AC-3)"),
        (0, b"ADIF", "AAC in the old ADIF form"),
        (28, b"Speex   ", "Speex"),
        (8, b"AVI ", "AVI video"),
    ];
    marks
        .iter()
        .find(|(at, mark, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
        .map(|found| found.2)
}

/// A FLAC with its metadata cut down to the stream information, if it is one and a frame can be found.
pub(super) fn flac(mut file: File) -> Option<Mended> {
    let mut head = [0; HEAD];
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_exact(&mut head).ok()?;
    if &head[..4] != b"fLaC" || head[4] & 0x7F != 0 {
        return None;
    }
    // Last block, type 0, 34 bytes: whatever the file says.
    head[4..8].copy_from_slice(&[0x80, 0, 0, 34]);
    let mut scanned = Vec::new();
    Read::take(&mut file, SCAN_BYTES).read_to_end(&mut scanned).ok()?;
    let frame = scanned.windows(FRAME_HEAD).position(is_frame)?;
    let skipped = frame as u64;
    let length = file.metadata().ok()?.len().checked_sub(skipped)?;
    Some(Mended { head, file, skipped, length, at: 0 })
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

fn fill(file: &mut File, bytes: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Ok(read @ 1..) = file.read(&mut bytes[filled..]) {
        filled += read;
    }
    filled
}

/// A file whose first bytes are ours and whose metadata is left out.
pub(super) struct Mended {
    head: [u8; HEAD],
    file: File,
    skipped: u64,
    length: u64,
    at: u64,
}

impl Read for Mended {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let read = if let Some(head @ [_, ..]) = self.head.get(at..) {
            let count = head.len().min(bytes.len());
            bytes[..count].copy_from_slice(&head[..count]);
            count
        } else {
            self.file.seek(SeekFrom::Start(self.at + self.skipped))?;
            self.file.read(bytes)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Mended {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Mended {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
