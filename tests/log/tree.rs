//! The tree against a second, naive one that follows the text of RFC 6962 word by word.

use std::collections::HashMap;
use std::convert::Infallible;

use loaban::audit::tile::{Level, TileId};
use loaban::audit::tree::{self, Frontier, Tiles};
use loaban::digest::Digest;
use proptest::prelude::*;

/// MTH of RFC 6962 §2.1.
fn root(leaves: &[Vec<u8>]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => Digest::of_parts(&[&[0], leaf]),
        leaves => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Digest::of_parts(&[&[1], root(left).as_bytes(), root(right).as_bytes()])
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) =
        if m < k { (path(m, left), root(right)) } else { (path(m - k, right), root(left)) };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2.
fn subproof(m: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<Digest> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if m <= k {
        (subproof(m, left, whole), root(right))
    } else {
        (subproof(m - k, right, false), root(left))
    };
    proof.push(sibling);
    proof
}

/// The largest power of two below `n`.
fn split(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

#[derive(Default)]
struct Memory(HashMap<TileId, Vec<u8>>);

impl Tiles for Memory {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, _width: u32) -> Result<Vec<u8>, Infallible> {
        let tile = TileId { level: Level::Hashes(level), index };
        Ok(self.0.get(&tile).cloned().unwrap_or_default())
    }
}

fn grown(leaves: &[Vec<u8>]) -> (Frontier, Memory) {
    let (mut frontier, mut tiles) = (Frontier::default(), Memory::default());
    for (n, leaf) in (1_u64..).zip(leaves) {
        frontier.push(tree::leaf_hash(leaf), |level, hash| {
            let item = (n >> (8 * level)) - 1;
            let tile = tiles.0.entry(TileId::holding(Level::Hashes(level), item)).or_default();
            tile.extend(hash.as_bytes());
        });
    }
    (frontier, tiles)
}

fn leaves(size: usize) -> Vec<Vec<u8>> {
    (0..size).map(|n| n.to_string().into_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn roots_and_proofs_are_those_of_the_naive_tree(size in 1_usize..1200, pick in any::<(usize, usize)>()) {
        let leaves = leaves(size);
        let (frontier, tiles) = grown(&leaves);
        let whole = root(&leaves);
        prop_assert_eq!(frontier.root(), whole);
        let n = size as u64;
        prop_assert_eq!(tree::root(&tiles, n).unwrap(), whole);

        let index = pick.0 % size;
        let proof = tree::inclusion_proof(&tiles, index as u64, n).unwrap();
        prop_assert_eq!(&proof, &path(index, &leaves));
        let leaf = tree::leaf_hash(&leaves[index]);
        prop_assert!(tree::verify_inclusion(&proof, index as u64, leaf, n, whole).is_ok());

        let old = 1 + pick.1 % size;
        let proof = tree::consistency_proof(&tiles, old as u64, n).unwrap();
        prop_assert_eq!(&proof, &subproof(old, &leaves, true));
        let before = root(&leaves[..old]);
        prop_assert!(tree::verify_consistency(&proof, old as u64, before, n, whole).is_ok());
        prop_assert!(old == size || tree::verify_consistency(&proof, old as u64, whole, n, whole).is_err());
    }
}

#[test]
fn a_tree_over_three_levels_of_tiles_has_the_naive_root() {
    let leaves = leaves(65_536 + 300);
    let (frontier, tiles) = grown(&leaves);
    let whole = root(&leaves);
    assert_eq!(frontier.root(), whole);
    assert_eq!(tree::root(&tiles, leaves.len() as u64).unwrap(), whole);
    assert_eq!(tree::root(&tiles, 65_536).unwrap(), root(&leaves[..65_536]));
    let proof = tree::inclusion_proof(&tiles, 65_535, leaves.len() as u64).unwrap();
    assert_eq!(proof, path(65_535, &leaves));
}

#[test]
fn the_empty_tree_has_the_root_of_the_standard() {
    assert_eq!(Frontier::default().root(), root(&[]));
    assert_eq!(tree::root(&Memory::default(), 0).unwrap(), root(&[]));
}

#[test]
fn a_tree_that_lacks_a_tile_says_so() {
    let (_, mut tiles) = grown(&leaves(300));
    tiles.0.remove(&TileId { level: Level::Hashes(0), index: 1 });
    let refusal = tree::root(&tiles, 300).unwrap_err().to_string();
    assert!(refusal.contains("fewer hashes than a tree of 300"), "{refusal}");
}
