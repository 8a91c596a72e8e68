//! The recordings that a command line names: files, and folders with all that lies below them.
//!
//! In a folder, what has the name of a sound file is taken, **and what was passed over is told**; a file that was
//! named itself is always taken, whatever its name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// How the names of sound files end. Kinds that cannot be decoded are among them, so that they are refused by name
/// and not passed over.
const ENDINGS: [&str; 27] = [
    "3gp", "aac", "ac3", "aif", "aifc", "aiff", "alac", "amr", "caf", "flac", "m4a", "m4b", "mka",
    "mkv", "mov", "mp2", "mp3", "mp4", "oga", "ogg", "opus", "spx", "wav", "wave", "weba", "webm",
    "wma",
];

/// Folders within folders that are looked into; deeper ones are a mistake or a loop.
const DEPTH_MAX: usize = 16;

/// A recording that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Input {
    /// Where it is.
    pub path: PathBuf,
    /// Its place below the folder that was named; its own name where it was named itself.
    pub below: PathBuf,
}

/// All recordings that were asked for, in the order of the command line, folders by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Inputs {
    /// The recordings.
    pub taken: Vec<Input>,
    /// Files in folders whose names are not those of sound.
    pub passed_over: Vec<PathBuf>,
}

impl Inputs {
    /// Looks into the folders among `named`; what lies in `out` is a result and no recording.
    pub(in crate::cli) fn gather(named: &[PathBuf], out: Option<&Path>) -> anyhow::Result<Self> {
        let out = out.and_then(|out| out.canonicalize().ok());
        let mut inputs = Self::default();
        for path in named {
            if path.is_dir() {
                inputs.walk(path, Path::new(""), out.as_deref(), 0)?;
            } else {
                let name = path.file_name().with_context(|| {
                    format!("{} names no file; name a recording or a folder", path.display())
                })?;
                inputs.taken.push(Input { path: path.clone(), below: name.into() });
            }
        }
        ensure!(
            !inputs.taken.is_empty(),
            "no recording was found; name files, or a folder with files such as .wav, .mp3 or .m4a"
        );
        Ok(inputs)
    }

    fn walk(
        &mut self,
        folder: &Path,
        below: &Path,
        out: Option<&Path>,
        depth: usize,
    ) -> anyhow::Result<()> {
        let unread = || format!("the folder {} cannot be read", folder.display());
        let entries: Result<Vec<_>, _> = fs::read_dir(folder).with_context(unread)?.collect();
        let mut entries = entries.with_context(unread)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, below) = (entry.path(), below.join(entry.file_name()));
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            // A link to a folder is not followed: it may lead back up.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if hidden || (is_folder && path.canonicalize().ok().as_deref() == out) {
                continue;
            }
            if is_folder {
                ensure!(
                    depth < DEPTH_MAX,
                    "{} lies too deep; name a folder below it",
                    path.display()
                );
                self.walk(&path, &below, out, depth + 1)?;
            } else if sounds(&path) {
                self.taken.push(Input { path, below });
            } else {
                self.passed_over.push(path);
            }
        }
        Ok(())
    }

    /// Says on standard error what was passed over.
    pub(in crate::cli) fn tell_passed_over(&self) {
        if !self.passed_over.is_empty() {
            let names: Vec<String> =
                self.passed_over.iter().map(|path| path.display().to_string()).collect();
            eprintln!(
                "passed over, because their names are not those of sound files: {}",
                names.join(", ")
            );
        }
    }
}

/// Whether a file has the name of a sound file.
pub(in crate::cli) fn sounds(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    fn below(inputs: &Inputs) -> Vec<&str> {
        inputs.taken.iter().map(|input| input.below.to_str().unwrap()).collect()
    }

    #[test]
    fn a_folder_gives_its_sound_files_by_name_and_tells_what_it_passed_over() {
        let folder = folder(&["b.WAV", "a/c.mp3", "README.md", ".hidden.wav"]);
        let inputs = Inputs::gather(&[folder.path().to_owned()], None).unwrap();
        assert_eq!(below(&inputs), ["a/c.mp3", "b.WAV"]);
        assert_eq!(inputs.passed_over, [folder.path().join("README.md")]);
    }

    #[test]
    fn results_within_a_folder_are_no_recordings() {
        let folder = folder(&["a.wav", "out/a.opus"]);
        let out = folder.path().join("out");
        let inputs = Inputs::gather(&[folder.path().to_owned()], Some(&out)).unwrap();
        assert_eq!(below(&inputs), ["a.wav"]);
    }

    #[test]
    fn a_file_that_is_named_is_taken_whatever_its_name() {
        let folder = folder(&["voice"]);
        let inputs = Inputs::gather(&[folder.path().join("voice")], None).unwrap();
        assert_eq!(below(&inputs), ["voice"]);
    }

    #[test]
    fn an_empty_folder_is_refused_with_what_to_do() {
        let folder = folder(&["README.md"]);
        let fault = Inputs::gather(&[folder.path().to_owned()], None).unwrap_err();
        assert!(fault.to_string().contains("name files"), "{fault}");
    }
}
