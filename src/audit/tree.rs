//! The Merkle tree (RFC 6962 §2.1): leaf hashes, the root, inclusion and consistency proofs.
//!
//! [`Frontier`] grows a tree and forgets what it no longer needs; proofs are made from tiles,
//! wherever the caller keeps them ([`Tiles`]). The arithmetic of proofs is that of the crate
//! `tlog_tiles`, a port of the checksum database of the Go project; none of its types shows.
//!
//! **A proof is believed only after it was run: nothing here takes a hash on trust.**

use std::cell::RefCell;

use tlog_tiles::{Hash, HashReader};

use crate::audit::tile::TILE_HEIGHT;
use crate::digest::{DIGEST_BYTES, Digest};

/// Hashes in a proof at most: one per level of a tree whose size fits 64 bits, and one to spare.
pub const PROOF_HASHES_MAX: usize = 65;

/// The hash of an entry as a leaf: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::from_bytes(tlog_tiles::record_hash(entry).0)
}

/// The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: Digest, right: Digest) -> Digest {
    Digest::from_bytes(tlog_tiles::node_hash(hash(left), hash(right)).0)
}

/// The root of the tree without entries: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

fn hash(digest: Digest) -> Hash {
    Hash(*digest.as_bytes())
}

/// The right edge of a growing tree: one hash per bit that is set in its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Complete subtrees, the largest (leftmost) first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// Entries in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, and hands every hash that belongs in a tile, with the level of that tile, to
    /// `completed`: the leaf itself first, then the root of each tile that it fills.
    pub fn push(&mut self, leaf: Digest, mut completed: impl FnMut(u8, Digest)) {
        completed(0, leaf);
        let mut whole = leaf;
        for level in 1..=self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for every set bit of the size");
            whole = node_hash(left, whole);
            if level % u32::from(TILE_HEIGHT) == 0 {
                let tile_level = level / u32::from(TILE_HEIGHT);
                completed(u8::try_from(tile_level).expect("64 bits are 8 tile levels"), whole);
            }
        }
        self.peaks.push(whole);
        self.size += 1;
    }

    /// The root of the tree as it is now.
    pub fn root(&self) -> Digest {
        let peaks = self.peaks.iter().rev().copied();
        peaks.reduce(|right, left| node_hash(left, right)).unwrap_or_else(empty_root)
    }
}

/// Where tiles are kept.
pub trait Tiles {
    /// What can go wrong when a tile is fetched.
    type Error;

    /// The bytes of the tile of hashes at `level` and `index`: at least `width` hashes.
    fn tile(&self, level: u8, index: u64, width: u32) -> Result<Vec<u8>, Self::Error>;
}

/// Why no hash or proof could be made from tiles.
#[derive(Debug, thiserror::Error)]
pub enum TreeError<E> {
    /// A tile could not be fetched.
    #[error(transparent)]
    Tile(E),
    /// A tile holds fewer hashes than it must.
    #[error("a tile holds fewer hashes than a tree of {size} entries needs; verify the log")]
    Short {
        /// Size of the tree.
        size: u64,
    },
    /// The question makes no sense for a tree of this size.
    #[error("a tree of {size} entries has no {what}")]
    NoSuch {
        /// Size of the tree.
        size: u64,
        /// What was asked for.
        what: String,
    },
}

/// The root of the first `size` entries, from their tiles.
pub fn root<T: Tiles>(tiles: &T, size: u64) -> Result<Digest, TreeError<T::Error>> {
    let found = ask(tiles, size, |reader| tlog_tiles::tree_hash(size, reader))?;
    Ok(Digest::from_bytes(found.0))
}

/// The proof that entry `index` is in the tree of `size` entries: its siblings, from the leaf up.
pub fn inclusion_proof<T: Tiles>(
    tiles: &T,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, TreeError<T::Error>> {
    if index >= size {
        return Err(TreeError::NoSuch { size, what: format!("entry {index}") });
    }
    let path = ask(tiles, size, |reader| tlog_tiles::prove_record(size, index, reader))?;
    Ok(digests(&path))
}

/// The proof that the tree of `size` entries begins with the tree of `old_size` entries.
pub fn consistency_proof<T: Tiles>(
    tiles: &T,
    old_size: u64,
    size: u64,
) -> Result<Vec<Digest>, TreeError<T::Error>> {
    if old_size == 0 || old_size > size {
        return Err(TreeError::NoSuch { size, what: format!("older tree of {old_size} entries") });
    }
    let path = ask(tiles, size, |reader| tlog_tiles::prove_tree(size, old_size, reader))?;
    Ok(digests(&path))
}

fn digests(path: &[Hash]) -> Vec<Digest> {
    path.iter().map(|hash| Digest::from_bytes(hash.0)).collect()
}

fn ask<T: Tiles, A>(
    tiles: &T,
    size: u64,
    question: impl FnOnce(&Reader<'_, T>) -> Result<A, tlog_tiles::Error>,
) -> Result<A, TreeError<T::Error>> {
    let reader = Reader { tiles, failure: RefCell::new(None) };
    question(&reader).map_err(|_| match reader.failure.take() {
        Some(failure) => TreeError::Tile(failure),
        None => TreeError::Short { size },
    })
}

/// Lends tiles to the crate, whose error type has no room for ours.
struct Reader<'a, T: Tiles> {
    tiles: &'a T,
    failure: RefCell<Option<T::Error>>,
}

impl<T: Tiles> HashReader for Reader<'_, T> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |&index: &u64| {
            let tile = tlog_tiles::Tile::from_index(TILE_HEIGHT, index);
            let bytes = self.tiles.tile(tile.level(), tile.level_index(), tile.width());
            let bytes = bytes.map_err(|failure| {
                self.failure.replace(Some(failure));
                tlog_tiles::Error::InvalidTile
            })?;
            tile.hash_at_index(&bytes, index)
        };
        indexes.iter().map(read).collect()
    }
}

/// A proof that does not prove what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// The entry is not at that place of that tree.
    #[error(
        "the proof does not lead from entry {index} to the root of the tree of {size} entries: \
         the entry, its place or the proof was altered"
    )]
    Inclusion {
        /// The entry's place.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The newer tree does not begin with the older.
    #[error(
        "the tree of {size} entries does not begin with the older tree of {old_size}: \
         what was logged then was rewritten, or the proof was altered"
    )]
    Consistency {
        /// Size of the older tree.
        old_size: u64,
        /// Size of the newer tree.
        size: u64,
    },
}

/// Runs the proof that the entry whose hash is `leaf` stands at `index` of a tree.
pub fn verify_inclusion(
    path: &[Digest],
    index: u64,
    leaf: Digest,
    size: u64,
    root: Digest,
) -> Result<(), NotProven> {
    let refuse = NotProven::Inclusion { index, size };
    if path.len() > PROOF_HASHES_MAX {
        return Err(refuse);
    }
    tlog_tiles::check_record(&hashes(path), size, hash(root), index, hash(leaf)).map_err(|_| refuse)
}

/// Runs the proof that a tree begins with an older one. Of an empty older tree nothing is proven.
pub fn verify_consistency(
    path: &[Digest],
    old_size: u64,
    old_root: Digest,
    size: u64,
    root: Digest,
) -> Result<(), NotProven> {
    let refuse = NotProven::Consistency { old_size, size };
    if path.len() > PROOF_HASHES_MAX {
        return Err(refuse);
    }
    tlog_tiles::check_tree(&hashes(path), size, hash(root), old_size, hash(old_root))
        .map_err(|_| refuse)
}

fn hashes(path: &[Digest]) -> Vec<Hash> {
    path.iter().copied().map(hash).collect()
}

/// The `n`th hash in the bytes of a tile.
pub fn hash_in_tile(tile: &[u8], n: usize) -> Option<Digest> {
    let bytes = tile.get(n * DIGEST_BYTES..(n + 1) * DIGEST_BYTES)?;
    Some(Digest::from_bytes(bytes.try_into().expect("a slice of 32 bytes")))
}
