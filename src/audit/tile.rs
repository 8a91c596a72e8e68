//! Where a tile lives: the paths of C2SP `tlog-tiles`.
//!
//! A tile is 256 hashes of one level, or 256 entries. `tile/0/x001/234` is tile 1234 of level 0;
//! `tile/0/000.p/17` the first 17 hashes of tile 0; `tile/entries/000` the first 256 entries.
//!
//! **The first N items of a full tile are the partial tile of width N, byte for byte**, so one
//! growing file serves every width that was ever signed.

use std::fmt;
use std::str::FromStr;

/// Levels of the tree that one tile spans.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes or entries in a full tile.
pub const TILE_WIDTH: u32 = 1 << TILE_HEIGHT;

/// Tile levels at most: `tlog-tiles` allows 63, and 8 hold a tree whose size fits 64 bits.
const LEVEL_MAX: u8 = 63;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The entries themselves.
    Entries,
    /// Hashes: at level 0 of entries, above it of full tiles below.
    Hashes(u8),
}

/// One tile, without its width: also the path of the file that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// What it holds.
    pub level: Level,
    /// Its place within the level.
    pub index: u64,
}

impl TileId {
    /// The tile of `level` that holds item `n` of that level.
    pub fn holding(level: Level, n: u64) -> Self {
        Self { level, index: n / u64::from(TILE_WIDTH) }
    }

    /// Entries that one item of this tile stands for; `None` where that exceeds 64 bits.
    pub fn entries_per_item(self) -> Option<u64> {
        match self.level {
            Level::Entries => Some(1),
            Level::Hashes(level) => {
                1_u64.checked_shl(u32::from(level).checked_mul(u32::from(TILE_HEIGHT))?)
            }
        }
    }

    /// Items of this tile that a tree of `size` entries has: 0 to 256.
    pub fn width_at(self, size: u64) -> u32 {
        let items = self.entries_per_item().map_or(0, |each| size / each);
        let before = self.index.saturating_mul(u64::from(TILE_WIDTH));
        let here = items.saturating_sub(before).min(u64::from(TILE_WIDTH));
        u32::try_from(here).expect("at most 256")
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let digits = self.index.to_string();
        let padded = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
        let (folders, file) = padded.split_at(padded.len() - 3);
        for folder in folders.as_bytes().chunks(3) {
            write!(f, "x{}/", String::from_utf8_lossy(folder))?;
        }
        f.write_str(file)
    }
}

/// Text that is no path of a tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no path of a tile; one looks like tile/0/x001/234, tile/0/000.p/17 or tile/entries/000"
)]
pub struct NotATile(String);

/// A tile as it is asked for: whole, or its first `width` items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TilePath {
    /// Which tile.
    pub tile: TileId,
    /// How many of its items, 1 to 256.
    pub width: u32,
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.tile, f)?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = NotATile;

    fn from_str(text: &str) -> Result<Self, NotATile> {
        // A path has one spelling: whatever prints differently was no path.
        parse(text)
            .filter(|path| path.to_string() == text)
            .ok_or_else(|| NotATile(text.chars().filter(|c| !c.is_control()).take(80).collect()))
    }
}

fn parse(text: &str) -> Option<TilePath> {
    let (level, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let level = match level {
        "entries" => Level::Entries,
        digits => Level::Hashes(digits.parse().ok().filter(|&level| level <= LEVEL_MAX)?),
    };
    let (place, width) = match rest.split_once(".p/") {
        Some((place, width)) => {
            (place, width.parse().ok().filter(|w| (1..TILE_WIDTH).contains(w))?)
        }
        None => (rest, TILE_WIDTH),
    };
    let digits: String = place.split('/').map(|part| part.trim_start_matches('x')).collect();
    let tile = TileId { level, index: digits.parse().ok()? };
    Some(TilePath { tile, width })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(level: Level, index: u64, width: u32) -> String {
        TilePath { tile: TileId { level, index }, width }.to_string()
    }

    #[test]
    fn paths_are_those_of_the_standard() {
        assert_eq!(path(Level::Hashes(0), 0, 256), "tile/0/000");
        assert_eq!(path(Level::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Level::Hashes(1), 0, 17), "tile/1/000.p/17");
        assert_eq!(path(Level::Entries, 999, 256), "tile/entries/999");
        assert_eq!(path(Level::Entries, 1000, 255), "tile/entries/x001/000.p/255");
    }

    #[test]
    fn every_path_reads_back_and_no_other_spelling_does() {
        for (level, index) in
            [(Level::Hashes(0), 0), (Level::Hashes(63), 1000), (Level::Entries, 1_000_000)]
        {
            for width in [1, 255, 256] {
                let text = path(level, index, width);
                assert_eq!(text.parse::<TilePath>().unwrap().to_string(), text);
            }
        }
        let bad =
            ["", "tile/0/0", "tile/00/000", "tile/64/000", "tile/0/000.p/0", "tile/0/000.p/256"];
        for text in bad.into_iter().chain([
            "tile/0/001/000",
            "tile/0/x000/001",
            "tile/data/000",
            "checkpoint",
        ]) {
            assert!(text.parse::<TilePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_that_the_standard_counts() {
        let width = |level, index| TileId { level, index }.width_at(70_000);
        assert_eq!(width(Level::Hashes(0), 272), 256);
        assert_eq!(width(Level::Hashes(0), 273), 112);
        assert_eq!(width(Level::Hashes(1), 0), 256);
        assert_eq!(width(Level::Hashes(1), 1), 17);
        assert_eq!(width(Level::Hashes(2), 0), 1);
        assert_eq!(width(Level::Hashes(8), 0), 0);
    }
}
