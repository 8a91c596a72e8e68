//! What a batch adds to the files of the log: computed first, written after.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::tile::{Level, TILE_HEIGHT, TILE_WIDTH, TileId};
use crate::audit::tree::{self, Frontier};
use crate::audit::{Entry, bundle};
use crate::digest::DIGEST_BYTES;
use crate::log::{Disk, LogError};

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
        let (pieces, tiles) = (BTreeMap::new(), BTreeMap::new());
        let mut growth = Self { entries: pieces, tiles, frontier, bundle_bytes };
        for entry in entries {
            growth.add(entry.bytes());
        }
        growth
    }

    fn add(&mut self, entry: &[u8]) {
        let n = self.frontier.size();
        if n.is_multiple_of(u64::from(TILE_WIDTH)) {
            self.bundle_bytes = 0;
        }
        let at = self.bundle_bytes;
        let piece = self.entries.entry(TileId::holding(Level::Entries, n));
        bundle::push(&mut piece.or_insert_with(|| Piece { at, bytes: Vec::new() }).bytes, entry);
        self.bundle_bytes += bundle::bytes_of(entry);

        let tiles = &mut self.tiles;
        self.frontier.push(tree::leaf_hash(entry), |level, hash| {
            let item = ((n + 1) >> (TILE_HEIGHT * level)) - 1;
            let at = item % u64::from(TILE_WIDTH) * DIGEST_BYTES as u64;
            let piece = tiles.entry(TileId::holding(Level::Hashes(level), item));
            piece.or_insert_with(|| Piece { at, bytes: Vec::new() }).bytes.extend(hash.as_bytes());
        });
    }

    /// Step 1 of the durable order.
    pub fn write_entries<D: Disk>(&self, disk: &mut D) -> Result<(), LogError> {
        write(disk, &self.entries)
    }

    /// Step 2 of the durable order.
    pub fn write_tiles<D: Disk>(&self, disk: &mut D) -> Result<(), LogError> {
        write(disk, &self.tiles)
    }
}

/// Writes and syncs every piece, then the folders of files that are new.
fn write<D: Disk>(disk: &mut D, pieces: &BTreeMap<TileId, Piece>) -> Result<(), LogError> {
    let mut folders = BTreeSet::new();
    for (tile, piece) in pieces {
        let path = tile.to_string();
        let failed = |doing| {
            let path = path.clone();
            move |source| LogError::Io { doing, path, source }
        };
        disk.write(&path, piece.at, &piece.bytes).map_err(failed("write"))?;
        disk.sync(&path).map_err(failed("sync"))?;
        if piece.at == 0 {
            folders.extend(folders_of(&path));
        }
    }
    sync_folders(disk, &folders)
}

/// The folders that lead to a file, the log's own last.
fn folders_of(path: &str) -> Vec<String> {
    let mut found: Vec<String> =
        path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect();
    found.push(String::new());
    found
}

fn sync_folders<D: Disk>(disk: &mut D, folders: &BTreeSet<String>) -> Result<(), LogError> {
    // The deepest first: a name is worth nothing in a folder that has none.
    for folder in folders.iter().rev() {
        let failed =
            |source| LogError::Io { doing: "sync the folder", path: folder.clone(), source };
        disk.sync_folder(folder).map_err(failed)?;
    }
    Ok(())
}

/// Writes one whole file durably, as recovery does with a tile that was missing.
pub(super) fn restore<D: Disk>(disk: &mut D, tile: TileId, bytes: Vec<u8>) -> Result<(), LogError> {
    write(disk, &BTreeMap::from([(tile, Piece { at: 0, bytes })]))
}
