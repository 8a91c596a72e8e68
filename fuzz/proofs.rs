//! The broadcast log: what an auditor is given by somebody who may lie.
//!
//! **Nothing that was altered is ever called right.** A proof, a log on disk or an export that still verifies after a
//! change says, of every entry, just what was signed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;
use std::process::Command;

use loaban::audit::tile::TilePath;
use loaban::audit::{Checkpoint, Entry, Origin, Proof, SignedCheckpoint, bundle};
use loaban::log::{Disk, Log, LogReader, Selection, Verdict, verdict};
use loaban::note::Signer;
use loaban::time::Timestamp;

use crate::target::{Outcome, Target, holds, sentence};

/// Entries of the log that is altered: a full tile and a part of one.
const ENTRIES: u64 = 270;

pub fn targets() -> Vec<Box<dyn Target>> {
    let station = Station::new();
    vec![
        Box::new(EntryLines),
        Box::new(Bundles),
        Box::new(Checkpoints(station.checkpoint())),
        Box::new(TilePaths),
        Box::new(Proofs { proofs: station.proofs() }),
        Box::new(Folders { files: station.files() }),
        Box::new(Exports::new(&station)),
    ]
}

fn signer() -> Signer {
    Signer::from_seed("laichau/log".parse().expect("a name"), &[7; 32])
}

fn entry(n: u64) -> Entry {
    let body =
        serde_json::json!({ "n": n, "what": "bản tin ".repeat(usize::try_from(n % 5).unwrap()) });
    let at = Timestamp::from_seconds(1_795_000_000 + i64::try_from(n).unwrap());
    let (fact, kind) = (format!("f-{n}").parse().unwrap(), "version.approved".parse().unwrap());
    Entry::new(fact, at, kind, Some("person:lan".parse().unwrap()), &body).unwrap()
}

/// A log on disk.
struct Station {
    folder: tempfile::TempDir,
}

impl Station {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin: Origin = "laichau/log".parse().unwrap();
        let mut log = Log::open(folder.path(), signer(), &origin).unwrap();
        log.append(&(0..ENTRIES).map(entry).collect::<Vec<_>>()).unwrap();
        Self { folder }
    }

    fn reader(&self) -> LogReader {
        LogReader::open(self.folder.path()).unwrap()
    }

    fn checkpoint(&self) -> SignedCheckpoint {
        self.reader().checkpoint().clone()
    }

    fn proofs(&self) -> BTreeMap<u64, Proof> {
        [0, 1, 255, 256, 269].map(|n| (n, self.reader().proof(n).unwrap())).into()
    }

    /// Every file with its path.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        walk(self.folder.path(), "", &mut files);
        files.retain(|(path, _)| path != "lock");
        files.sort();
        files
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else {
            files.push((path, fs::read(entry.path()).unwrap()));
        }
    }
}

struct EntryLines;

impl Target for EntryLines {
    fn name(&self) -> String {
        "entry".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        (0..4).map(|n| entry(n).bytes().to_vec()).collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let fact = Entry::fact_in(input);
        match Entry::parse(input) {
            Err(fault) => sentence(&fault),
            Ok(read) => {
                holds(read.bytes() == input, || "an entry changed its bytes".to_owned())?;
                holds(fact.as_ref() == Some(read.fact()), || format!("{fact:?} is its fact"))?;
                Ok("read".to_owned())
            }
        }
    }
}

struct Bundles;

impl Target for Bundles {
    fn name(&self) -> String {
        "bundle".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        (0..9).for_each(|n| bundle::push(&mut bytes, entry(n).bytes()));
        vec![bytes]
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let mut entries = bundle::entries(input);
        let mut written = Vec::new();
        let mut count = 0_usize;
        for entry in entries.by_ref() {
            bundle::push(&mut written, entry);
            count += 1;
        }
        let whole = [&written, entries.rest()].concat();
        holds(whole == input, || "a bundle reads back otherwise".to_owned())?;
        Ok(format!("{} entries, rest {}", count.min(10), entries.rest().is_empty()))
    }
}

struct Checkpoints(SignedCheckpoint);

impl Target for Checkpoints {
    fn name(&self) -> String {
        "checkpoint".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![self.0.as_str().as_bytes().to_vec(), self.0.claim().text().into_bytes()]
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        if let Ok(text) = std::str::from_utf8(input)
            && let Ok(read) = text.parse::<Checkpoint>()
        {
            let same = read.text().parse().is_ok_and(|again: Checkpoint| again == read);
            holds(same, || format!("{read:?} reads back otherwise"))?;
        }
        match SignedCheckpoint::parse(input) {
            Err(fault) => sentence(&fault),
            Ok(read) => match read.verify(&signer().public()) {
                Err(fault) => sentence(&fault),
                Ok(head) => {
                    let signed = head == self.0.claim();
                    holds(signed, || format!("nobody signed {head:?}"))?;
                    Ok("right".to_owned())
                }
            },
        }
    }
}

struct TilePaths;

impl Target for TilePaths {
    fn name(&self) -> String {
        "tile-path".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        [
            "tile/0/x001/234",
            "tile/0/000.p/17",
            "tile/entries/000",
            "tile/63/x999/x999/x999/999.p/255",
        ]
        .map(|path| path.as_bytes().to_vec())
        .to_vec()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("not text".to_owned()) };
        match text.parse::<TilePath>() {
            Err(fault) => sentence(&fault),
            Ok(path) => {
                holds(path.to_string() == text, || format!("{text} is a second spelling"))?;
                let width = path.tile.width_at(u64::MAX);
                holds(width <= 256, || format!("{width} items in {text}"))?;
                Ok(format!("{:?}", path.tile.level))
            }
        }
    }
}

struct Proofs {
    proofs: BTreeMap<u64, Proof>,
}

impl Target for Proofs {
    fn name(&self) -> String {
        "tlog-proof".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        self.proofs.values().map(|proof| proof.to_string().into_bytes()).collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("not text".to_owned()) };
        let proof = match text.parse::<Proof>() {
            Err(fault) => return sentence(&fault),
            Ok(proof) => proof,
        };
        let again = proof.to_string().parse::<Proof>();
        holds(again.as_ref() == Ok(&proof), || format!("{proof} reads back as {again:?}"))?;
        let key = signer().public();
        for n in self.proofs.keys() {
            if proof.verify(entry(*n).bytes(), &key).is_ok() {
                let (index, path) = (proof.index, &proof.path);
                let true_path = &self.proofs[n].path;
                holds(index == *n && path == true_path, || format!("{n} is proven at {index}"))?;
                return Ok("proven".to_owned());
            }
        }
        proof.verify(b"{}", &key).map_or_else(|fault| sentence(&fault), |_| Ok("odd".to_owned()))
    }
}

/// A log of which one file was altered. The input is the number of the file and what it holds now.
struct Folders {
    files: Vec<(String, Vec<u8>)>,
}

/// What it was, as inputs.
fn numbered(files: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let number = |at: usize| u8::try_from(at).expect("few files");
    files.iter().enumerate().map(|(at, (_, bytes))| [&[number(at)], &bytes[..]].concat()).collect()
}

/// A disk that nobody writes to.
struct Still(BTreeMap<String, Vec<u8>>);

impl Disk for Still {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn tiles(&self) -> io::Result<Vec<(String, u64)>> {
        let tiles = self.0.iter().filter(|(path, _)| path.starts_with("tile/"));
        Ok(tiles.map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect())
    }

    fn write(&mut self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&mut self, _: &[&str], _: &[&str]) -> Result<(), (String, io::Error)> {
        Ok(())
    }

    fn rename(&mut self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&mut self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

impl Target for Folders {
    fn name(&self) -> String {
        "log-folder".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        numbered(&self.files)
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Some((number, bytes)) = input.split_first() else { return Ok("empty".to_owned()) };
        let Some((path, was)) = self.files.get(usize::from(*number)) else {
            return Ok("no such file".to_owned());
        };
        let mut files: BTreeMap<String, Vec<u8>> = self.files.iter().cloned().collect();
        files.insert(path.clone(), bytes.to_vec());
        match verdict::verify_on(&Still(files), &signer().public(), None) {
            Err(fault) => sentence(&fault),
            Ok(None) => Ok("no log".to_owned()),
            Ok(Some(right @ Verdict::Right { .. })) => {
                // A log still being written holds more than its head says: only what is signed must be as it was.
                let kept = bytes.starts_with(was) || path == "checkpoint";
                holds(kept, || format!("{path} was altered, and it says: {right}"))?;
                Ok("right".to_owned())
            }
            Ok(Some(altered)) => sentence(&altered),
        }
    }

    fn memory_max(&self, input: usize) -> usize {
        (16 << 20) + 64 * input
    }
}

/// An export of which one file was altered, verified by the script that it carries.
struct Exports {
    folder: tempfile::TempDir,
    files: Vec<(String, Vec<u8>)>,
}

impl Exports {
    fn new(station: &Station) -> Self {
        let mut zip = Cursor::new(Vec::new());
        let selection = Selection::Entries(&[0, 255, 269]);
        station.reader().export(selection, &signer().public(), &[], &mut zip).unwrap();
        let folder = tempfile::tempdir().unwrap();
        zip::ZipArchive::new(zip).unwrap().extract(folder.path()).unwrap();
        let mut files = Vec::new();
        walk(folder.path(), "", &mut files);
        files.retain(|(path, _)| path != "verify.py");
        files.sort();
        Self { folder, files }
    }
}

impl Target for Exports {
    fn name(&self) -> String {
        "log-export".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        numbered(&self.files)
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Some((number, bytes)) = input.split_first() else { return Ok("empty".to_owned()) };
        let Some((path, was)) = self.files.get(usize::from(*number)) else {
            return Ok("no such file".to_owned());
        };
        let place = self.folder.path().join(path);
        fs::write(&place, bytes).unwrap();
        let verified = Command::new("python3").arg(self.folder.path().join("verify.py")).output();
        fs::write(&place, was).unwrap();
        let verified = verified.expect("python3 is installed");
        let (told, failed) =
            (String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
        holds(!failed.contains("Traceback"), || format!("{path}: {failed}"))?;
        if verified.status.success() {
            // Who exported may name further keys, and may sign the same head a second time.
            let kept = bytes == was
                || path == "keys.txt"
                || path == "checkpoint"
                || path.starts_with("proofs/");
            holds(kept && told.starts_with("RIGHT"), || format!("{path} was altered: {told}"))?;
            return Ok("right".to_owned());
        }
        sentence(&format!("{told}{failed}"))
    }
}
