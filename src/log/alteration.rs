//! What was altered in a log, and where: one plain sentence.
//!
//! The signed root proves whether the entries or the tiles are still what they were; what is
//! proven is then compared with the rest.

use std::collections::BTreeMap;

use crate::audit::checkpoint::CheckpointError;
use crate::audit::tile::{Level, TILE_WIDTH, TileId};
use crate::audit::tree::{self, Frontier};
use crate::audit::{Checkpoint, Entry, FactId, Origin, bundle};
use crate::digest::Digest;
use crate::log::inspect::Inspection;
use crate::log::reader::read;
use crate::log::{Disk, LogError};

/// How a log differs from what was signed. Entries are numbered from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alteration {
    /// Entries say something else than they did.
    #[error("{} altered: not what was signed.", several(*.first, *.last, *.count, .fact.as_ref()))]
    Edited {
        /// The first such entry.
        first: u64,
        /// The last such entry.
        last: u64,
        /// How many of them.
        count: u64,
        /// The fact that the first of them speaks of now.
        fact: Option<FactId>,
    },
    /// Entries are gone from the middle.
    #[error("{} deleted.", several(*.first, .first + .count - 1, *.count, None))]
    Deleted {
        /// The first that is gone.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Entries were added in the middle.
    #[error("{} inserted: never signed.", several(*.first, .first + .count - 1, *.count, .fact.as_ref()))]
    Inserted {
        /// Where the first of them stands.
        first: u64,
        /// How many.
        count: u64,
        /// The fact that the first of them speaks of.
        fact: Option<FactId>,
    },
    /// The same entries stand in another order.
    #[error("The entries {first} to {last} stand in another order than was signed.")]
    Reordered {
        /// The first out of place.
        first: u64,
        /// The last out of place.
        last: u64,
    },
    /// Entries are gone from the end.
    #[error(
        "The log was cut short: {size} entries were signed and only the first {left} are there."
    )]
    Truncated {
        /// How many are left.
        left: u64,
        /// How many were signed.
        size: u64,
    },
    /// A tile is not what the entries, which are as signed, make it.
    #[error(
        "The file {path} was altered at entry {first}, while all entries are as signed; \
         move that file away, and the server derives it anew when it starts."
    )]
    Tile {
        /// Its path.
        path: String,
        /// The first entry that it is wrong about.
        first: u64,
    },
    /// A tile is not there, while the entries are as signed.
    #[error(
        "The file {path} is missing, while all entries are as signed; \
         the server derives it anew when it starts."
    )]
    NoTile {
        /// Its path.
        path: String,
    },
    /// Entries and tiles were rewritten together: neither leads to the signed root.
    #[error(
        "The entries {first} to {last}, or some of them, were rewritten together with their tiles: \
         they do not lead to the signed root."
    )]
    Rewritten {
        /// The first entry that may be concerned.
        first: u64,
        /// The last entry that may be concerned.
        last: u64,
    },
    /// The log is whole, but does not begin with the log of an older checkpoint.
    #[error(
        "The log of {size} entries was rewritten: its first {old_size} are not those that the older \
         checkpoint was signed for."
    )]
    History {
        /// Entries in the older checkpoint.
        old_size: u64,
        /// Entries now.
        size: u64,
    },
    /// The log has fewer entries than an older checkpoint.
    #[error(
        "The log has {size} entries and had {old_size} when the older checkpoint was signed: {} are \
         missing, or an old copy was put in its place.", .old_size - .size
    )]
    Shrunk {
        /// Entries in the older checkpoint.
        old_size: u64,
        /// Entries now.
        size: u64,
    },
    /// The checkpoint is not by the log's key, or is none.
    #[error("The file checkpoint was forged or damaged: {0}.")]
    Checkpoint(CheckpointError),
    /// There are entries and no checkpoint.
    #[error("The file checkpoint is missing, while there are entries and tiles.")]
    NoCheckpoint,
    /// The older checkpoint is of another log.
    #[error("This is the log {found}, and the older checkpoint is of the log {wanted}.")]
    OtherLog {
        /// The log in the folder.
        found: Origin,
        /// The log of the older checkpoint.
        wanted: Origin,
    },
    /// One fact was logged twice.
    #[error("Fact {fact} was logged twice, as entry {first} and as entry {again}.")]
    Twice {
        /// The fact.
        fact: FactId,
        /// Where it stands first.
        first: u64,
        /// Where it stands again.
        again: u64,
    },
}

impl Alteration {
    /// The same sentence in Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::Edited { first, last, count, .. } => {
                format!("{} đã bị sửa: không còn như đã ký.", several_vi(*first, *last, *count))
            }
            Self::Deleted { first, count } => {
                format!("{} đã bị xoá.", several_vi(*first, first + count - 1, *count))
            }
            Self::Inserted { first, count, .. } => {
                let which = several_vi(*first, first + count - 1, *count);
                format!("{which} đã bị chèn thêm: chưa bao giờ được ký.")
            }
            Self::Reordered { first, last } => {
                format!("Các mục từ {first} đến {last} bị đổi thứ tự so với lúc ký.")
            }
            Self::Truncated { left, size } => {
                format!("Nhật ký đã bị cắt ngắn: đã ký {size} mục mà chỉ còn {left} mục đầu.")
            }
            Self::Tile { path, first } => format!(
                "Tệp {path} bị sửa ở mục {first}, còn mọi mục vẫn đúng như đã ký; hãy cất tệp đó \
                 đi, máy chủ tự lập lại khi khởi động."
            ),
            Self::NoTile { path } => format!(
                "Thiếu tệp {path}, còn mọi mục vẫn đúng như đã ký; máy chủ tự lập lại khi khởi động."
            ),
            Self::Rewritten { first, last } => format!(
                "Các mục từ {first} đến {last}, hoặc một số trong đó, bị viết lại cùng với cây của \
                 chúng: không dẫn tới gốc đã ký."
            ),
            Self::History { old_size, size } => format!(
                "Nhật ký {size} mục đã bị viết lại: {old_size} mục đầu không phải là các mục mà điểm \
                 kiểm chứng cũ đã ký."
            ),
            Self::Shrunk { old_size, size } => format!(
                "Nhật ký chỉ có {size} mục, trong khi điểm kiểm chứng cũ ký {old_size} mục: đã mất, \
                 hoặc bị thay bằng bản sao cũ."
            ),
            Self::Checkpoint(error) => {
                format!("Tệp checkpoint bị giả mạo hoặc hỏng ({error}).")
            }
            Self::NoCheckpoint => "Thiếu tệp checkpoint trong khi vẫn có các mục.".to_owned(),
            Self::OtherLog { found, wanted } => {
                format!("Đây là nhật ký {found}, còn điểm kiểm chứng cũ là của {wanted}.")
            }
            Self::Twice { fact, first, again } => {
                format!("Sự việc {fact} được ghi hai lần, ở mục {first} và mục {again}.")
            }
        }
    }
}

fn several_vi(first: u64, last: u64, count: u64) -> String {
    match count {
        1 => format!("Mục {first}"),
        _ => format!("{count} mục từ {first} đến {last}"),
    }
}

/// The subject of a sentence about `count` entries between two.
fn several(first: u64, last: u64, count: u64, fact: Option<&FactId>) -> String {
    let fact = fact.map_or_else(String::new, |fact| format!(" (fact {fact})"));
    match count {
        1 => format!("Entry {first}{fact} was"),
        _ => format!("{count} entries, between {first}{fact} and {last}, were"),
    }
}

/// How the entries and tiles differ from what `head` was signed for; `None` where they do not.
pub(super) fn find<D: Disk>(
    disk: &D,
    head: &Checkpoint,
    found: &Inspection,
) -> Result<Option<Alteration>, LogError> {
    let (size, root) = (found.frontier.size(), found.frontier.root());
    if (size, root) != (head.size, head.root) || found.surplus.is_some() {
        return Ok(Some(diagnose(disk, head, found)?));
    }
    Ok(found.odd.map(|(tile, item)| {
        let (first, _) = span(tile, item, head.size);
        Alteration::Tile { path: tile.to_string(), first }
    }))
}

/// The entries that one item of a tile stands for.
fn span(tile: TileId, item: u32, size: u64) -> (u64, u64) {
    let each = tile.entries_per_item().unwrap_or(u64::MAX);
    let first = (tile.index * u64::from(TILE_WIDTH) + u64::from(item)).saturating_mul(each);
    (first, first.saturating_add(each).min(size).saturating_sub(1))
}

fn diagnose<D: Disk>(
    disk: &D,
    head: &Checkpoint,
    found: &Inspection,
) -> Result<Alteration, LogError> {
    let signed = stored_leaves(disk, head.size)?;
    let mut present = Vec::new();
    visit_present(disk, head.size, |entry| present.push(tree::leaf_hash(entry)))?;
    if root_of(&signed) == head.root && signed.len() as u64 == head.size {
        let fact = |index| fact_at(disk, head.size, index);
        return compare(&signed, &present, fact);
    }
    if (present.len() as u64) < head.size && signed.starts_with(&present) {
        return Ok(Alteration::Truncated { left: present.len() as u64, size: head.size });
    }
    let everything = (0, head.size.saturating_sub(1));
    let (first, last) = match found.odd {
        Some((tile, item)) if tile.level != Level::Hashes(0) => span(tile, item, head.size),
        _ => everything,
    };
    Ok(Alteration::Rewritten { first, last })
}

fn root_of(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf, |_, _| {});
    }
    frontier.root()
}

/// The leaf hashes that the tiles hold, as far as they are there.
fn stored_leaves<D: Disk>(disk: &D, size: u64) -> Result<Vec<Digest>, LogError> {
    let mut leaves = Vec::new();
    for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
        let tile = TileId { level: Level::Hashes(0), index };
        let bytes = read(disk, &tile.to_string())?.unwrap_or_default();
        let width = tile.width_at(size) as usize;
        leaves.extend((0..width).map_while(|n| tree::hash_in_tile(&bytes, n)));
    }
    Ok(leaves)
}

/// All entries that are there, one bundle after the other, whatever is missing or too much.
fn visit_present<D: Disk>(
    disk: &D,
    size: u64,
    mut each: impl FnMut(&[u8]),
) -> Result<(), LogError> {
    for index in 0..=size / u64::from(TILE_WIDTH) {
        let tile = TileId { level: Level::Entries, index };
        let bytes = read(disk, &tile.to_string())?.unwrap_or_default();
        bundle::entries(&bytes).for_each(&mut each);
    }
    Ok(())
}

fn fact_at<D: Disk>(disk: &D, size: u64, index: usize) -> Result<Option<FactId>, LogError> {
    let (mut n, mut fact) = (0, None);
    visit_present(disk, size, |entry| {
        if n == index {
            fact = Entry::fact_in(entry);
        }
        n += 1;
    })?;
    Ok(fact)
}

/// How `present` differs from `signed`. What was added behind the signed entries is pending.
fn compare(
    signed: &[Digest],
    present: &[Digest],
    fact: impl Fn(usize) -> Result<Option<FactId>, LogError>,
) -> Result<Alteration, LogError> {
    let pairs = signed.iter().zip(present).enumerate();
    let odd: Vec<usize> = pairs.filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect();
    let Some((&first, &last)) = odd.first().zip(odd.last()) else {
        let (left, size) = (present.len() as u64, signed.len() as u64);
        let surplus = Alteration::Inserted { first: size, count: 1, fact: fact(signed.len())? };
        return Ok(if left < size { Alteration::Truncated { left, size } } else { surplus });
    };
    let same_length = present.len() >= signed.len();
    if same_length && odd.len() > 1 && same_entries(&signed[first..=last], &present[first..=last]) {
        return Ok(Alteration::Reordered { first: first as u64, last: last as u64 });
    }
    if odd.len() > 1 || !same_length {
        if let Some(count) = shift(&signed[first..], &present[first..]) {
            return Ok(Alteration::Deleted { first: first as u64, count });
        }
        if let Some(count) = shift(&present[first..], &signed[first..]) {
            return Ok(Alteration::Inserted { first: first as u64, count, fact: fact(first)? });
        }
    }
    let (count, fact) = (odd.len() as u64, fact(first)?);
    Ok(Alteration::Edited { first: first as u64, last: last as u64, count, fact })
}

/// How many items must be dropped from the beginning of `long` for the two to agree to the end of
/// the shorter.
fn shift(long: &[Digest], short: &[Digest]) -> Option<u64> {
    let next = short.first()?;
    let dropped = long.iter().position(|hash| hash == next)?;
    let agree = long[dropped..].iter().zip(short).all(|(a, b)| a == b);
    agree.then_some(dropped as u64)
}

fn same_entries(a: &[Digest], b: &[Digest]) -> bool {
    let mut balance: BTreeMap<Digest, i64> = BTreeMap::new();
    for (a, b) in a.iter().zip(b) {
        *balance.entry(*a).or_default() += 1;
        *balance.entry(*b).or_default() -= 1;
    }
    balance.values().all(|count| *count == 0)
}
