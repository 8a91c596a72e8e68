//! Entry bundles (C2SP `tlog-tiles`): entries one after the other, each behind its length as two
//! bytes, the higher first.
//!
//! **Reading stops at the first entry that is not whole**, and says how many bytes were whole.

use crate::audit::entry::ENTRY_BYTES_MAX;

/// Adds one entry to a bundle.
///
/// # Panics
/// Where the entry is empty or longer than [`ENTRY_BYTES_MAX`]: [`crate::audit::Entry`] allows neither.
pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) {
    assert!((1..=ENTRY_BYTES_MAX).contains(&entry.len()), "an entry has 1 to 65,535 bytes");
    let length = u16::try_from(entry.len()).expect("at most 65,535");
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
}

/// Bytes that an entry takes in a bundle.
pub fn bytes_of(entry: &[u8]) -> u64 {
    entry.len() as u64 + 2
}

/// The whole entries at the beginning of a bundle.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

/// Reads the entries of a bundle, in order.
pub fn entries(bundle: &[u8]) -> Entries<'_> {
    Entries { rest: bundle }
}

impl<'a> Entries<'a> {
    /// The bytes behind the entries that were read: empty where the bundle is whole.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        // A disk that lost power may show zeros; no entry is empty.
        let entry = rest.get(..length).filter(|entry| !entry.is_empty())?;
        self.rest = &rest[length..];
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_entry_ends_the_reading_and_the_whole_ones_stay() {
        let mut bundle = Vec::new();
        push(&mut bundle, b"{}");
        push(&mut bundle, b"[1]");
        for torn in [&b"\x00"[..], b"\x00\x05ab", b"\x00\x00", b"\x00\x00\x00\x00"] {
            let bytes = [&bundle, torn].concat();
            let mut found = entries(&bytes);
            assert_eq!(found.by_ref().collect::<Vec<_>>(), [&b"{}"[..], b"[1]"]);
            assert_eq!(found.rest(), torn);
        }
    }
}
