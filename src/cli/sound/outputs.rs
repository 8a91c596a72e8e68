//! Where results go: one place for each recording, told apart before any work begins.
//!
//! **A result appears whole or not at all**: it is written under a hidden name of this process, synced, and renamed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::inputs::Input;

/// The places below `out` for these recordings, in their order: `<out>/<folder>/<stem>.opus`.
///
/// Recordings of one stem keep their endings, to be told apart: `tin.wav.opus` and `tin.mp3.opus`. Where even that is
/// not enough they are refused, and so is a recording that would replace itself.
pub(super) fn places(inputs: &[Input], out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let short = |input: &Input| out.join(&input.below).with_extension("opus");
    let mut stems: BTreeMap<String, usize> = BTreeMap::new();
    for input in inputs {
        *stems.entry(folded(&short(input))).or_default() += 1;
    }
    let mut taken: BTreeMap<String, &Path> = BTreeMap::new();
    let mut places = Vec::new();
    for input in inputs {
        let alone = stems[&folded(&short(input))] == 1;
        let whole = || out.join(&input.below).with_added_extension("opus");
        let place = if alone { short(input) } else { whole() };
        if let Some(other) = taken.insert(folded(&place), &input.path) {
            bail!(
                "{} and {} would both become {}; rename one, or normalise them into two folders",
                other.display(),
                input.path.display(),
                place.display()
            );
        }
        places.push(place);
    }
    for (input, place) in inputs.iter().zip(&places) {
        for result in [place.clone(), place.with_extension("wav")] {
            ensure!(
                !same(&input.path, &result),
                "{} would replace itself; choose another folder with --out",
                input.path.display()
            );
        }
    }
    Ok(places)
}

/// Letters of either case are the same: many a stick is formatted so.
fn folded(place: &Path) -> String {
    place.to_string_lossy().to_lowercase()
}

fn same(one: &Path, other: &Path) -> bool {
    let found = one.canonicalize().ok();
    found.is_some() && found == other.canonicalize().ok()
}

/// A file that is being written; it is gone unless it was published.
pub(super) struct Pending {
    place: PathBuf,
    hidden: PathBuf,
    file: Option<File>,
}

impl Pending {
    /// Begins a file that will be at `place`, its folder made where it is missing.
    pub(super) fn begin(place: &Path) -> anyhow::Result<Self> {
        let unwritten = || format!("{} cannot be written", place.display());
        let name = place.file_name().with_context(unwritten)?.to_string_lossy();
        let hidden = place.with_file_name(format!(".{name}.{}.part", std::process::id()));
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).with_context(unwritten)?;
        }
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&hidden);
        Ok(Self { place: place.to_owned(), hidden, file: Some(file.with_context(unwritten)?) })
    }

    /// The file.
    pub(super) fn file(&mut self) -> &mut File {
        self.file.as_mut().expect("only `publish` takes it")
    }

    /// Lets it be seen under its name.
    pub(super) fn publish(mut self) -> anyhow::Result<()> {
        let synced = self.file().sync_all();
        self.file = None;
        synced
            .and_then(|()| fs::rename(&self.hidden, &self.place))
            .with_context(|| format!("{} cannot be written", self.place.display()))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Gone already where it was published.
        let _ = fs::remove_file(&self.hidden);
    }
}

/// Writes a whole file, or nothing.
pub(super) fn write(place: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut pending = Pending::begin(place)?;
    pending
        .file()
        .write_all(bytes)
        .with_context(|| format!("{} cannot be written", place.display()))?;
    pending.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(path: &str, below: &str) -> Input {
        Input { path: path.into(), below: below.into() }
    }

    #[test]
    fn a_recording_keeps_its_folder_and_its_stem() {
        let places = places(&[input("in/a/b.c.mp3", "a/b.c.mp3")], Path::new("out")).unwrap();
        assert_eq!(places, [Path::new("out/a/b.c.opus")]);
    }

    #[test]
    fn recordings_of_one_stem_keep_their_endings() {
        let inputs = [input("a.wav", "a.wav"), input("A.mp3", "A.mp3"), input("b.mp3", "b.mp3")];
        let places = places(&inputs, Path::new("out")).unwrap();
        assert_eq!(places, ["out/a.wav.opus", "out/A.mp3.opus", "out/b.opus"].map(Path::new));
    }

    #[test]
    fn two_recordings_of_one_name_are_refused_before_work_begins() {
        let inputs = [input("x/a.wav", "a.wav"), input("y/A.wav", "A.wav")];
        let fault = places(&inputs, Path::new("out")).unwrap_err().to_string();
        assert!(fault.contains("x/a.wav and y/A.wav would both become"), "{fault}");
    }

    #[test]
    fn a_recording_never_replaces_itself() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.opus", "b.wav"] {
            let path = folder.path().join(name);
            fs::write(&path, "x").unwrap();
            let fault = places(&[Input { path, below: name.into() }], folder.path());
            assert!(fault.unwrap_err().to_string().contains("would replace itself"));
        }
    }

    #[test]
    fn what_was_not_published_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(Pending::begin(&folder.path().join("a.opus")).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write(&folder.path().join("a.opus"), b"whole").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
