//! RFC 6962 proofs that others made, right ones and wrong ones.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use loaban::audit::tree::{verify_consistency, verify_inclusion};
use loaban::digest::Digest;
use serde::Deserialize;

use crate::cast::shared;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(folder).unwrap_or_else(|error| {
        panic!(
            "the vectors are missing at {}: {error}; put shared/vectors beside the repository",
            folder.display()
        )
    });
    let paths = items.map(|item| item.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// A text of the vectors that is to be a hash; `None` where it has not 32 bytes.
fn hash(text: &str) -> Option<Digest> {
    Some(Digest::from_bytes(BASE64.decode(text).unwrap().try_into().ok()?))
}

fn path(proof: Option<&Vec<String>>) -> Option<Vec<Digest>> {
    proof.map_or(Some(Vec::new()), |proof| proof.iter().map(|text| hash(text)).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[test]
fn inclusion_proofs_agree_with_the_vectors() {
    let files = files_below(&shared("vectors/merkle/inclusion"));
    let mut right = 0;
    for file in &files {
        let v: Inclusion = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let parts = hash(&v.root).zip(hash(&v.leaf_hash)).zip(path(v.proof.as_ref()));
        let proven = parts.is_some_and(|((root, leaf), path)| {
            verify_inclusion(&path, v.leaf_idx, leaf, v.tree_size, root).is_ok()
        });
        assert_eq!(proven, !v.want_err, "{}: {}", file.display(), v.desc);
        right += usize::from(proven);
    }
    assert_eq!((files.len(), right), (98, 6));
}

#[test]
fn consistency_proofs_agree_with_the_vectors() {
    let files = files_below(&shared("vectors/merkle/consistency"));
    let mut right = 0;
    for file in &files {
        let v: Consistency = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        // One vector has a root of 12 bytes, and says that equal roots need no proof: our hash
        // has 32 bytes, so that it cannot be asked.
        let dummy = file.ends_with("additional/sizes-are-equal-one-and-proof-is-empty.json");
        let parts = hash(&v.root1).zip(hash(&v.root2)).zip(path(v.proof.as_ref()));
        assert!(!dummy || parts.is_none(), "the dummy root has 32 bytes now");
        let proven = parts.is_some_and(|((root1, root2), path)| {
            verify_consistency(&path, v.size1, root1, v.size2, root2).is_ok()
        });
        assert_eq!(proven, !v.want_err && !dummy, "{}: {}", file.display(), v.desc);
        right += usize::from(proven);
    }
    assert_eq!((files.len(), right), (98, 5));
}
