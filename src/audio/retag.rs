//! The same sound under other words: other bytes, and so another digest.
//!
//! An asset is known by the digest of its bytes, and its descriptor names one bulletin in one
//! language. A recording that serves two of them becomes two assets that sound alike.

use std::io::Cursor;

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use sha2::{Digest, Sha256};

use super::encode::{Tags, comments};
use super::opus::OpusError;

/// The Ogg Opus `file` with these tags in place of its own; its packets and pages stay as they are.
///
/// # Errors
/// Where the bytes are no Ogg Opus.
pub fn retagged(file: &[u8], tags: &Tags) -> Result<Vec<u8>, OpusError> {
    let comments = comments(tags);
    let digest = Sha256::new().chain_update(file).chain_update(&comments).finalize();
    let serial = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let mut from = PacketReader::new(Cursor::new(file));
    let mut to = PacketWriter::new(Vec::with_capacity(file.len() + comments.len()));
    let mut read = 0_u64;
    while let Some(packet) =
        from.read_packet().map_err(|_| OpusError::NotOpus("its pages are damaged"))?
    {
        let end = if packet.last_in_stream() {
            PacketWriteEndInfo::EndStream
        } else if packet.last_in_page() {
            PacketWriteEndInfo::EndPage
        } else {
            PacketWriteEndInfo::NormalPacket
        };
        let granule = packet.absgp_page();
        let data = if read == 1 { comments.clone() } else { packet.data };
        to.write_packet(data, serial, end, granule).expect("writing to memory cannot fail");
        read += 1;
    }
    if read < 2 {
        return Err(OpusError::NotOpus("it ends after its header"));
    }
    Ok(to.into_inner())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::audio::encode::Writer;
    use crate::audio::opus::{Output, decode, info};
    use crate::audio::recipe::Recipe;
    use crate::unit::Db;

    /// Three seconds, so that there is more than one page of sound.
    pub(crate) fn tone(tags: &Tags) -> Vec<u8> {
        let recipe = Recipe::default();
        let hz = recipe.profile.rate().get();
        let mut writer = Writer::new(&recipe).unwrap();
        let samples: Vec<f32> = (0..3 * u16::try_from(hz / 100).unwrap())
            .flat_map(|_| (0..100_u8).map(|n| f32::from(n % 50) / 100.0))
            .collect();
        writer.push(&samples).unwrap();
        writer.finish().unwrap().to_ogg(Db::nearest(-3.0), tags)
    }

    fn tags(bulletin: &str) -> Tags {
        let (title, language) = ("Sạt lở".to_owned(), "vi".to_owned());
        Tags { title, language, bulletin: bulletin.to_owned() }
    }

    #[test]
    fn a_copy_for_another_bulletin_has_other_bytes_and_the_same_samples() {
        let file = tone(&tags(""));
        let copy = retagged(&file, &tags("chay-rung")).unwrap();
        assert_ne!(copy, file);
        assert_eq!(copy, retagged(&file, &tags("chay-rung")).unwrap(), "each time the same");
        let (one, other) = (info(&file).unwrap(), info(&copy).unwrap());
        assert_eq!((one.duration, one.gain, one.title), (other.duration, other.gain, other.title));
        let samples = |bytes| decode(bytes, Output::Full).unwrap();
        assert_eq!(samples(&copy), samples(&file));
    }

    #[test]
    fn what_is_no_opus_is_refused() {
        assert!(retagged(b"RIFF", &tags("x")).is_err());
        assert!(retagged(b"", &tags("x")).is_err());
    }
}
