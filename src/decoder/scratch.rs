//! The chain's working copy in a file without a name.
//!
//! The file is removed from its folder the moment it is made, so that **nothing of a recording is left behind**,
//! whatever happens to the process. Samples are little-endian single precision: 230 MB an hour at 16 kHz.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::audio::scratch::Scratch;

/// Bytes gathered before they are written.
const GATHER: usize = 1 << 16;

/// Bytes of one sample.
const SAMPLE: u64 = 4;

/// A scratch on disk.
#[derive(Debug)]
pub struct FileScratch {
    file: File,
    gathered: Vec<u8>,
    bytes: Vec<u8>,
    len: u64,
}

impl FileScratch {
    /// Makes the file `name` in `dir` and unlinks it at once; the name must not exist yet, and should be drawn at
    /// random or from the process and a counter by the caller.
    ///
    /// # Errors
    /// When the folder does not take a new file of that name.
    pub fn new(dir: &Path, name: &str) -> io::Result<Self> {
        let path = dir.join(name);
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        Ok(Self { file, gathered: Vec::with_capacity(GATHER), bytes: Vec::new(), len: 0 })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

impl Scratch for FileScratch {
    fn append(&mut self, samples: &[f32]) -> io::Result<()> {
        self.gathered.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        self.len += samples.len() as u64;
        if self.gathered.len() >= GATHER { self.flush() } else { Ok(()) }
    }

    fn read(&mut self, start: u64, out: &mut [f32]) -> io::Result<()> {
        self.flush()?;
        self.bytes.resize(out.len() * 4, 0);
        self.file.read_exact_at(&mut self.bytes, start.saturating_mul(SAMPLE))?;
        for (sample, bytes) in out.iter_mut().zip(self.bytes.as_chunks::<4>().0) {
            *sample = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }
}
