//! Exports, verified by the script that they carry and by a library that others wrote.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use loaban::audit::Proof;
use loaban::log::{LogReader, Selection};

use crate::cast::{Station, entries, entry, signer};

/// An export, unzipped into a folder of its own.
struct Export {
    folder: tempfile::TempDir,
}

impl Export {
    fn of(station: &Station, selection: Selection<'_>) -> Self {
        let mut bytes = Cursor::new(Vec::new());
        let reader = LogReader::open(&station.dir()).unwrap();
        reader.export(selection, &signer().public(), &[], &mut bytes).unwrap();
        let folder = tempfile::tempdir().unwrap();
        zip::ZipArchive::new(bytes).unwrap().extract(folder.path()).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn alter(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from}: {text}");
        fs::write(self.file(name), text.replacen(from, to, 1)).unwrap();
    }

    /// What verify.py prints, and whether it was content.
    fn verify(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new("python3");
        said(
            command
                .arg(self.file("verify.py"))
                .args(arguments)
                .output()
                .expect("python3 is installed"),
        )
    }
}

fn said(output: Output) -> (bool, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn is_wrong(export: &Export, sentence: &str) {
    let (right, said) = export.verify(&[]);
    assert!(!right && said.starts_with(&format!("WRONG: {sentence}")), "{said}");
}

#[test]
fn python_and_openssl_verify_selected_entries() {
    let station = Station::with_entries(700);
    let export = Export::of(&station, Selection::Entries(&[0, 255, 256, 512, 699, 255]));
    let (right, said) = export.verify(&[]);
    assert!(right && said.starts_with("RIGHT: 5 entries are in the log as signed."), "{said}");
    assert!(said.contains(&signer().public().fingerprint()), "{said}");
    let text = fs::read_to_string(export.file("proofs/512.tlog-proof")).unwrap();
    let proof: Proof = text.parse().unwrap();
    assert_eq!(fs::read(export.file("entries/512.json")).unwrap(), entry(512).bytes());
    assert!(proof.verify(entry(512).bytes(), &signer().public()).is_ok());
}

#[test]
fn python_and_openssl_verify_a_whole_log_against_an_older_checkpoint() {
    let station = Station::with_entries(300);
    let kept = station.open().checkpoint().clone();
    station.open().append(&entries(300..601)).unwrap();
    let export = Export::of(&station, Selection::All);
    let older = export.file("older");
    fs::write(&older, kept.as_str()).unwrap();
    let key = signer().public().to_string();
    let (right, said) = export.verify(&[&key, older.to_str().unwrap()]);
    let sentence =
        "RIGHT: all 601 entries are as signed, and it continues your checkpoint of 300 entries.";
    assert!(right && said.starts_with(sentence), "{said}");

    let mut list = entries(0..601);
    list[7] = entry(9007);
    let forged = Export::of(&Station::with(&list), Selection::All);
    assert!(forged.verify(&[&key]).0);
    let (right, said) = forged.verify(&[&key, older.to_str().unwrap()]);
    assert!(!right && said.contains("does not continue your checkpoint of 300"), "{said}");
}

#[test]
fn an_altered_export_is_told_from_a_right_one() {
    let station = Station::with_entries(300);
    let altered = |selection, name, from, to| {
        let export = Export::of(&station, selection);
        export.alter(name, from, to);
        export
    };
    let one = Selection::Entries(&[7]);
    is_wrong(
        &altered(one, "entries/7.json", "approved", "withdrawn"),
        "entry 7 or its proof was altered",
    );
    is_wrong(
        &altered(one, "proofs/7.tlog-proof", "index 7", "index 8"),
        "the proof of entry 7 is of something else",
    );
    is_wrong(&altered(one, "checkpoint", "300", "301"), "the signature by laichau/log is forged");
    is_wrong(&altered(one, "keys.txt", "laichau/log", "laichau/lug"), "laichau/lug+");
    is_wrong(&altered(Selection::All, "entries.jsonl", "f-8", "f-9"), "an entry was altered");
    is_wrong(
        &altered(Selection::All, "entries.jsonl", "\n", ""),
        "300 entries were signed and 299 are here",
    );
}

#[test]
fn an_entry_shown_at_another_place_is_told_from_a_right_one() {
    let station = Station::with_entries(300);
    // 7 and 7 + 512 have the same low bits: a careless verifier follows the same path.
    let export = Export::of(&station, Selection::Entries(&[7]));
    export.alter("proofs/7.tlog-proof", "index 7", "index 519");
    fs::rename(export.file("proofs/7.tlog-proof"), export.file("proofs/519.tlog-proof")).unwrap();
    fs::rename(export.file("entries/7.json"), export.file("entries/519.json")).unwrap();
    is_wrong(&export, "entry 519 or its proof was altered");
}

#[test]
fn a_damaged_export_gets_a_sentence() {
    let station = Station::with_entries(300);
    let export = Export::of(&station, Selection::Entries(&[7]));
    export.alter("keys.txt", "+", "");
    is_wrong(&export, "a file or the command openssl is missing, or a file is damaged");
    let export = Export::of(&station, Selection::Entries(&[7]));
    fs::remove_file(export.file("proofs/7.tlog-proof")).unwrap();
    is_wrong(&export, "a file or the command openssl is missing, or a file is damaged");
}

#[test]
fn an_export_of_every_small_log_is_right() {
    for size in [0, 1, 2, 3, 7, 8] {
        let station = Station::with_entries(size);
        let indexes: Vec<u64> = (0..size).collect();
        for selection in [Selection::All, Selection::Entries(&indexes)] {
            let (right, said) = Export::of(&station, selection).verify(&[]);
            assert!(right, "{size} {selection:?}: {said}");
        }
    }
}

#[test]
fn an_altered_log_is_not_exported() {
    let station = Station::with_entries(300);
    station.alter("tile/entries/000", |bytes| bytes[40] ^= 1);
    let reader = LogReader::open(&station.dir()).unwrap();
    let key = signer().public();
    let mut out = Cursor::new(Vec::new());
    let refusal = reader.export(Selection::All, &key, &[], &mut out).unwrap_err().to_string();
    assert!(refusal.contains("the entries do not lead to the signed root"), "{refusal}");
}

#[test]
fn one_log_makes_one_export() {
    let station = Station::with_entries(30);
    let reader = LogReader::open(&station.dir()).unwrap();
    let export = || {
        let mut bytes = Cursor::new(Vec::new());
        reader.export(Selection::Entries(&[3, 4]), &signer().public(), &[], &mut bytes).unwrap();
        bytes.into_inner()
    };
    assert_eq!(export(), export());
    let mut archive = zip::ZipArchive::new(Cursor::new(export())).unwrap();
    let mut keys = String::new();
    archive.by_name("keys.txt").unwrap().read_to_string(&mut keys).unwrap();
    assert_eq!(keys, format!("{}\n", signer().public()));
}

/// The same roots by a library that others wrote: `pip install pymerkle==7.0.0`. Where it is not
/// installed the naive tree of these tests and verify.py stand alone.
#[test]
fn pymerkle_finds_the_same_root_where_it_is_installed() {
    const SCRIPT: &str = "
import sys
try:
    from pymerkle import InmemoryTree
except ImportError:
    sys.exit('absent')
tree = InmemoryTree(algorithm='sha256')
for line in open(sys.argv[1], 'rb').read().split(b'\\n')[:-1]:
    tree.append_entry(line)
print(tree.get_root().hex())
";
    let station = Station::with_entries(600);
    let export = Export::of(&station, Selection::All);
    let python =
        |file: &Path| Command::new("python3").args(["-c", SCRIPT]).arg(file).output().unwrap();
    let (found, said) = said(python(&export.file("entries.jsonl")));
    if said.trim() == "absent" {
        println!("pymerkle is not installed: not compared");
        return;
    }
    let root = station.open().checkpoint().claim().root;
    assert!(found && said.trim() == root.to_string(), "{said}");
}
