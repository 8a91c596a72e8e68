//! What a batch adds to the files of the log: computed first, written after.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::thread;

use crate::audit::tile::{Level, TILE_HEIGHT, TILE_WIDTH, TileId};
use crate::audit::tree::{self, Frontier};
use crate::audit::{Entry, bundle};
use crate::digest::{DIGEST_BYTES, Digest};
use crate::log::{Disk, LogError};

/// Tiles in a folder at most: three digits name them.
const FILES_IN_FOLDER: u64 = 1000;

/// Entries that are not worth another thread.
const ALONE_MAX: usize = 2048;

/// Bytes to add to one file.
#[derive(Debug, Default)]
struct Piece {
    at: u64,
    bytes: Vec<u8>,
}

/// The files that a batch grows, and the tree behind it.
#[derive(Debug)]
pub(super) struct Growth {
    entries: BTreeMap<TileId, Piece>,
    tiles: BTreeMap<TileId, Piece>,
    /// The tree with the batch.
    pub frontier: Frontier,
    /// Bytes in the bundle that still grows.
    pub bundle_bytes: u64,
}

impl Growth {
    /// Adds `entries` to the tree of `frontier`, whose last bundle has `bundle_bytes`.
    pub fn of(frontier: Frontier, bundle_bytes: u64, entries: &[Entry]) -> Self {
        let (bundles, tiles) = (BTreeMap::new(), BTreeMap::new());
        let mut growth = Self { entries: bundles, tiles, frontier, bundle_bytes };
        let leaves = leaves(entries);
        let mut rest = (entries, leaves.as_slice());
        while !rest.0.is_empty() {
            let width = u64::from(TILE_WIDTH);
            let room =
                usize::try_from(width - growth.frontier.size() % width).expect("at most 256");
            let count = room.min(rest.0.len());
            growth.add(&rest.0[..count], &rest.1[..count]);
            rest = (&rest.0[count..], &rest.1[count..]);
        }
        growth
    }

    /// Adds entries that go into one bundle, and their leaves into one tile.
    fn add(&mut self, entries: &[Entry], leaves: &[Digest]) {
        let first = self.frontier.size();
        let place = first % u64::from(TILE_WIDTH);
        let at = if place == 0 { 0 } else { self.bundle_bytes };
        let total: u64 = entries.iter().map(|entry| bundle::bytes_of(entry.bytes())).sum();
        let mut bytes = Vec::with_capacity(usize::try_from(total).expect("256 entries fit memory"));
        for entry in entries {
            bundle::push(&mut bytes, entry.bytes());
        }
        self.bundle_bytes = at + total;
        self.entries.insert(TileId::holding(Level::Entries, first), Piece { at, bytes });

        let mut bytes = Vec::with_capacity(leaves.len() * DIGEST_BYTES);
        for leaf in leaves {
            bytes.extend(leaf.as_bytes());
            self.push(*leaf);
        }
        let tile = TileId::holding(Level::Hashes(0), first);
        self.tiles.insert(tile, Piece { at: place * DIGEST_BYTES as u64, bytes });
    }

    /// Adds a leaf to the tree, and the roots of the tiles that it fills to the tiles above.
    fn push(&mut self, leaf: Digest) {
        let (n, tiles) = (self.frontier.size(), &mut self.tiles);
        self.frontier.push(leaf, |level, hash| {
            if level > 0 {
                let item = ((n + 1) >> (TILE_HEIGHT * level)) - 1;
                let at = item % u64::from(TILE_WIDTH) * DIGEST_BYTES as u64;
                let piece = tiles.entry(TileId::holding(Level::Hashes(level), item));
                let piece = piece.or_insert_with(|| Piece { at, bytes: Vec::new() });
                piece.bytes.extend(hash.as_bytes());
            }
        });
    }

    /// Step 1 of the durable order: entries and tiles, synced together. Neither counts before the
    /// checkpoint that speaks of them, so it does not matter which of them a disk has first; and a
    /// disk that has more to sync at once needs fewer turns.
    pub fn write<D: Disk>(&self, disk: &mut D) -> Result<(), LogError> {
        write(disk, self.entries.iter().chain(&self.tiles))
    }
}

/// The leaf hashes of a batch. Unlike the links of a chain they do not depend on each other, so a
/// large batch is hashed on all cores.
pub(super) fn leaves(entries: &[Entry]) -> Vec<Digest> {
    let hashed = |share: &[Entry]| -> Vec<Digest> {
        share.iter().map(|entry| tree::leaf_hash(entry.bytes())).collect()
    };
    if entries.len() < ALONE_MAX {
        return hashed(entries);
    }
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut shares = entries.chunks(entries.len().div_ceil(cores));
    let own = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = shares.map(|share| scope.spawn(move || hashed(share))).collect();
        let mut leaves = hashed(own);
        for other in others {
            leaves.extend(other.join().expect("hashing does not fail"));
        }
        leaves
    })
}

/// Writes every piece, then syncs them all with the folders of files that are new: a disk that
/// has many things to sync at once does it in fewer turns.
fn write<'p, D: Disk>(
    disk: &mut D,
    pieces: impl Iterator<Item = (&'p TileId, &'p Piece)>,
) -> Result<(), LogError> {
    let failed = |doing, path: &str| {
        let path = path.to_owned();
        move |source| LogError::Io { doing, path, source }
    };
    let mut files = Vec::new();
    let mut folders = BTreeSet::new();
    for (tile, piece) in pieces {
        let path = tile.to_string();
        disk.write(&path, piece.at, &piece.bytes).map_err(failed("write", &path))?;
        if piece.at == 0 {
            folders.extend(folders_to_sync(*tile, &path).map(str::to_owned));
        }
        files.push(path);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    disk.sync(&files, &folders).map_err(|(path, source)| LogError::Io {
        doing: "sync",
        path,
        source,
    })
}

/// The folders in which a new file made a new name: its own, and where it is the first of a
/// thousand, or of its level, all that lead to it.
fn folders_to_sync(tile: TileId, path: &str) -> impl Iterator<Item = &str> {
    let own = path.rfind('/').unwrap_or(0);
    let first = tile.index.is_multiple_of(FILES_IN_FOLDER);
    let leading = path.match_indices('/').map(|(at, _)| &path[..at]).chain([""]);
    leading.filter(move |folder| first || folder.len() == own)
}

/// Writes one whole file durably, as recovery does with a tile that was missing.
pub(super) fn restore<D: Disk>(disk: &mut D, tile: TileId, bytes: Vec<u8>) -> Result<(), LogError> {
    write(disk, std::iter::once((&tile, &Piece { at: 0, bytes })))
}
