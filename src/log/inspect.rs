//! Deriving the whole tree anew from the entries, and comparing it with the tiles on disk.
//!
//! Both the server at its start and an auditor do this; it holds one bundle in memory at a time.

use crate::audit::bundle;
use crate::audit::tile::{Level, TILE_HEIGHT, TILE_WIDTH, TileId};
use crate::audit::tree::{self, Frontier};
use crate::digest::{DIGEST_BYTES, Digest};
use crate::log::reader::read;
use crate::log::{Disk, LogError};

/// What the entries of a log say, up to a size.
#[derive(Debug, Default)]
pub(super) struct Inspection {
    /// The tree of the entries that are there.
    pub frontier: Frontier,
    /// Bytes of those entries in the last bundle.
    pub bundle_bytes: u64,
    /// The root at the size that was asked for, where it was reached.
    pub marked_root: Option<Digest>,
    /// The first tile that does not say what the entries say, and which of its items.
    pub odd: Option<(TileId, u32)>,
    /// The first full bundle that has something behind its 256 entries.
    pub surplus: Option<TileId>,
    /// Tiles that are not there, with what they should hold.
    pub missing: Vec<(TileId, Vec<u8>)>,
    /// The last tile of each level, as far as it is filled.
    filling: Vec<Vec<u8>>,
}

/// Derives the tree of the first `size` entries, as far as they are there, notes its root at
/// `mark` entries, and hands each entry to `visit`.
pub(super) fn inspect<D: Disk>(
    disk: &D,
    size: u64,
    mark: u64,
    mut visit: impl FnMut(u64, &[u8]),
) -> Result<Inspection, LogError> {
    let mut found = Inspection::default();
    found.note_mark(mark);
    while found.frontier.size() < size {
        let first = found.frontier.size();
        let tile = TileId::holding(Level::Entries, first);
        let Some(bytes) = read(disk, &tile.to_string())? else { break };
        let due = (size - first).min(u64::from(TILE_WIDTH));
        found.bundle_bytes = 0;
        for (n, entry) in (first..first + due).zip(bundle::entries(&bytes)) {
            visit(n, entry);
            found.add(disk, entry)?;
            found.note_mark(mark);
        }
        // A full bundle has its 256 entries and nothing else.
        let full = found.bundle_bytes == bytes.len() as u64;
        if due == u64::from(TILE_WIDTH) && !full {
            found.surplus = Some(tile);
        }
        if found.frontier.size() < first + due || found.surplus.is_some() {
            break;
        }
    }
    found.compare_filling(disk)?;
    Ok(found)
}

impl Inspection {
    fn note_mark(&mut self, mark: u64) {
        if self.frontier.size() == mark {
            self.marked_root = Some(self.frontier.root());
        }
    }

    fn add<D: Disk>(&mut self, disk: &D, entry: &[u8]) -> Result<(), LogError> {
        let n = self.frontier.size();
        self.bundle_bytes += bundle::bytes_of(entry);
        let filling = &mut self.filling;
        let mut full = Vec::new();
        self.frontier.push(tree::leaf_hash(entry), |level, hash| {
            let slot = usize::from(level);
            if filling.len() <= slot {
                filling.push(Vec::new());
            }
            filling[slot].extend(hash.as_bytes());
            if filling[slot].len() == TILE_WIDTH as usize * DIGEST_BYTES {
                let item = ((n + 1) >> (TILE_HEIGHT * level)) - 1;
                full.push((
                    TileId::holding(Level::Hashes(level), item),
                    std::mem::take(&mut filling[slot]),
                ));
            }
        });
        full.into_iter().try_for_each(|(tile, bytes)| self.compare(disk, tile, bytes))
    }

    fn compare_filling<D: Disk>(&mut self, disk: &D) -> Result<(), LogError> {
        let size = self.frontier.size();
        for (level, bytes) in (0..).zip(std::mem::take(&mut self.filling)) {
            if !bytes.is_empty() {
                let tile = TileId::holding(Level::Hashes(level), size >> (TILE_HEIGHT * level));
                self.compare(disk, tile, bytes)?;
            }
        }
        Ok(())
    }

    fn compare<D: Disk>(
        &mut self,
        disk: &D,
        tile: TileId,
        derived: Vec<u8>,
    ) -> Result<(), LogError> {
        let Some(stored) = read(disk, &tile.to_string())? else {
            self.missing.push((tile, derived));
            return Ok(());
        };
        let hashes = derived.chunks(DIGEST_BYTES).zip(0..);
        let mut odd = hashes.filter(|(hash, n)| stored.chunks(DIGEST_BYTES).nth(*n) != Some(hash));
        if let (None, Some((_, n))) = (self.odd, odd.next()) {
            self.odd = Some((tile, u32::try_from(n).expect("at most 256")));
        }
        Ok(())
    }
}
