//! Small files that ask for much: time, memory, depth. Each is well formed in its way.

/// A FLAC whose every frame says "65,535 times zero" (RFC 9639): some 15 bytes a frame and channel.
pub fn flac(rate: u32, channels: u8, frames: u32) -> Vec<u8> {
    let mut bytes = b"fLaC\x80\x00\x00\x22\xFF\xFF\xFF\xFF\0\0\0\0\0\0".to_vec();
    // Rate in 20 bits, channels - 1 in 3, bits - 1 in 5, samples in 36: unknown.
    let word = u64::from(rate) << 44 | u64::from(channels - 1) << 41 | 15 << 36;
    bytes.extend(word.to_be_bytes());
    bytes.extend([0; 16]);
    for number in 0..frames {
        let mut frame = vec![0xFF, 0xF8, 0x70, (channels - 1) << 4 | 8];
        frame.extend(coded(number));
        frame.extend([0xFF, 0xFE]);
        frame.push(crc(&frame, 0x07, 8) as u8);
        frame.extend([0; 3].repeat(channels.into()));
        frame.extend(crc(&frame, 0x8005, 16).to_be_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// A number coded as UTF-8 would (RFC 9639 section 9.1.5).
fn coded(number: u32) -> Vec<u8> {
    let tail = |shift: u32| (number >> shift) as u8 & 0x3F | 0x80;
    match number {
        0..0x80 => vec![number as u8],
        0x80..0x800 => vec![(number >> 6) as u8 | 0xC0, tail(0)],
        _ => vec![(number >> 12) as u8 | 0xE0, tail(6), tail(0)],
    }
}

/// A checksum of so many bits, the highest first, from zero.
fn crc(bytes: &[u8], polynomial: u16, width: u32) -> u16 {
    let top = 1_u32 << (width - 1);
    let mask = (top << 1) - 1;
    let sum = bytes.iter().fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << (width - 8), |sum, _| {
            let carried = sum & top != 0;
            (sum << 1 ^ if carried { u32::from(polynomial) } else { 0 }) & mask
        })
    });
    sum as u16
}

/// A WAV of 8 bits at 8 kHz that says it has four gigabytes; the sound is to follow.
pub fn endless_wav() -> Vec<u8> {
    let mut bytes = b"RIFF\xF0\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(b"\x01\0\x08\0data\xC0\xFF\xFF\xFF");
    bytes
}

/// The front of an MP4 whose table of packet sizes has so many entries, and the bytes of the whole file. The entries
/// are zeros, which need not be on the disk.
pub fn mp4_of_packets(count: u32) -> (Vec<u8>, u64) {
    let mut size = 20 + 4 * count;
    let mut index =
        [&size.to_be_bytes()[..], b"stsz\0\0\0\0\0\0\0\0", &count.to_be_bytes()].concat();
    for name in [b"stbl", b"minf", b"mdia", b"trak", b"moov"] {
        size += 8;
        index = [&size.to_be_bytes()[..], name, &index].concat();
    }
    let front = [&b"\0\0\0\x14ftypisom\0\0\0\0isom"[..], &index].concat();
    (front, u64::from(size) + 20)
}

/// A Matroska whose tags hold tags that hold tags.
pub fn nested_tags(depth: usize) -> Vec<u8> {
    // Unknown sizes all the way down: SimpleTag (67C8) in Tag (7373) in Tags (1254C367) in Segment (18538067).
    let mut bytes = b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm".to_vec();
    let mut inner: Vec<u8> = Vec::new();
    for _ in 0..depth {
        inner.extend(b"\x67\xC8\x01\x00\x00\x00\x7F\xFF\xFF\xFF");
    }
    bytes.extend(b"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    bytes.extend(b"\x12\x54\xC3\x67\x01\x00\x00\x00\x7F\xFF\xFF\xFF");
    bytes.extend(b"\x73\x73\x01\x00\x00\x00\x7F\xFF\xFF\xFF");
    bytes.extend(inner);
    bytes
}
