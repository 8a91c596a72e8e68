//! The file as the container's reader sees it: with its own place in it, and with what it is told of the file.
//!
//! A library that is told too much draws wrong conclusions: from the length of a file it guesses how long an MP3 lasts,
//! and cuts off what goes beyond its guess. **Every view reads the same bytes by their places**, so that a second look
//! needs no second descriptor.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use symphonia::core::io::MediaSource;

/// One view of a file.
pub(super) struct Input {
    file: Arc<File>,
    /// Stands before everything else.
    head: Vec<u8>,
    /// Where the file goes on behind the head.
    from: u64,
    at: u64,
    seekable: bool,
    length: Option<u64>,
}

impl Input {
    /// The file as it is.
    pub(super) fn new(file: &Arc<File>) -> Self {
        let length = file.metadata().ok().map(|about| about.len());
        Self { file: Arc::clone(file), head: Vec::new(), from: 0, at: 0, seekable: true, length }
    }

    /// Read front to back only.
    pub(super) fn unseekable(self) -> Self {
        Self { seekable: false, length: None, ..self }
    }

    /// With `head` in place of everything before `from`.
    pub(super) fn headed(self, head: Vec<u8>, from: u64) -> Self {
        let length = self.length.map(|length| length.saturating_sub(from) + head.len() as u64);
        Self { head, from, length, ..self }
    }
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let read = if let Some(head @ [_, ..]) = self.head.get(at..) {
            let count = head.len().min(bytes.len());
            bytes[..count].copy_from_slice(&head[..count]);
            count
        } else {
            let place = (self.at - self.head.len() as u64).checked_add(self.from);
            // No file reaches beyond what the kernel counts.
            let place = place.filter(|place| i64::try_from(*place).is_ok());
            place.map_or(Ok(0), |place| self.file.read_at(bytes, place))?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.and_then(|length| length.checked_add_signed(by)),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Input {
    fn is_seekable(&self) -> bool {
        self.seekable
    }

    fn byte_len(&self) -> Option<u64> {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn input() -> Input {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        Input::new(&Arc::new(file))
    }

    #[test]
    fn another_head_stands_before_the_rest_of_the_file() {
        let mut view = input().headed(b"ab".to_vec(), 7);
        let mut text = String::new();
        view.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), view.byte_len()), ("ab789", Some(5)));
        assert_eq!(view.seek(SeekFrom::End(-1)).unwrap(), 4);
        text.clear();
        view.read_to_string(&mut text).unwrap();
        assert_eq!(text, "9");
    }

    #[test]
    fn places_outside_are_refused_or_empty() {
        let mut view = input();
        assert!(view.seek(SeekFrom::Current(-1)).is_err());
        view.seek(SeekFrom::Start(u64::MAX)).unwrap();
        assert_eq!(view.read(&mut [0; 4]).unwrap(), 0);
        assert!(input().unseekable().seek(SeekFrom::End(0)).is_err());
    }
}
