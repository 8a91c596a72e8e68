//! How fast the log is, beside the simplest thing that could be called one: a hash chain, in which
//! each entry's hash covers the one before.
//!
//! A chain cannot prove one entry without showing all the others; the tree can. This is what that
//! costs: the same entries, the same SHA-256, in memory, and on the same disk in the same batches.

use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::tree::Frontier;
use crate::audit::{Actor, Entry, Kind};
use crate::digest::{DIGEST_BYTES, Digest};
use crate::log::{Log, LogError, growth};
use crate::note::Signer;
use crate::time::{Timestamp, Uptime};

/// Proofs that are made and verified for the mean.
const PROOFS: u64 = 1000;

/// Characters in an entry's body: what a step of a version's life takes.
const BODY_CHARS: usize = 160;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Entries.
    pub entries: u64,
    /// Entries in a batch.
    pub batch: u64,
    /// Bytes of an entry.
    pub entry_bytes: usize,
    /// The chain, in memory.
    pub chain: Duration,
    /// The tree with its tiles, in memory.
    pub tree: Duration,
    /// The chain with its entries in one file, synced once a batch.
    pub durable_chain: Duration,
    /// The log, durable and signed once a batch.
    pub durable_log: Duration,
    /// Its proofs.
    pub proofs: Proofs,
    /// The log opened again: every entry hashed anew and compared.
    pub opened: Duration,
}

/// What proofs cost, each.
#[derive(Clone, Copy, Debug)]
pub struct Proofs {
    /// Made from the tiles on disk.
    pub made: Duration,
    /// Verified, with the checkpoint's signature.
    pub verified: Duration,
    /// Bytes of the longest.
    pub bytes_max: usize,
}

impl fmt::Display for Race {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, batch, entry_bytes, proofs, .. } = self;
        let rate = |time: Duration| u128::from(*entries) * 1_000_000_000 / time.as_nanos().max(1);
        writeln!(f, "{entries} entries of {entry_bytes} bytes, {batch} a batch")?;
        for (where_to, chain, log) in [
            ("in memory", self.chain, self.tree),
            ("durable", self.durable_chain, self.durable_log),
        ] {
            let (a, b, ratio) = (rate(chain), rate(log), chain.div_duration_f64(log));
            writeln!(f, "{where_to:<9}  chain {a:>7}/s  log {b:>7}/s  ratio {ratio:.2}")?;
        }
        let Proofs { made, verified, bytes_max } = proofs;
        writeln!(
            f,
            "a proof    {bytes_max} bytes, made in {made:.0?}, verified in {verified:.0?}"
        )?;
        write!(f, "opened     in {:.1?}", self.opened)
    }
}

/// Appends `entries` entries in batches of `batch` to a chain and to a log in `dir`, which must be
/// empty and holds both afterwards. `uptime` tells the time.
pub fn race(
    dir: &Path,
    entries: u64,
    batch: u64,
    uptime: impl Fn() -> Uptime,
) -> Result<Race, LogError> {
    let watch = Stopwatch(uptime);
    let (list, rounds) = (batch_of(0..batch), entries.div_ceil(batch));
    let (chain, tree) = in_memory(&list, rounds, &watch)?;
    let mut log = open(dir)?;
    let mut file = ChainFile::create(&dir.join("chain"))?;
    let (mut durable_chain, mut durable_log) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        let list = batch_of(round * batch..(round + 1) * batch);
        durable_chain += watch.time(|| file.append(&list))?.1;
        durable_log += watch.time(|| log.append(&list))?.1;
    }
    let proofs = proofs(&log, &watch)?;
    drop(log);
    let (_, opened) = watch.time(|| open(dir))?;
    let (entries, entry_bytes) =
        (rounds * batch, list.first().map_or(0, |entry| entry.bytes().len()));
    Ok(Race {
        entries,
        batch,
        entry_bytes,
        chain,
        tree,
        durable_chain,
        durable_log,
        proofs,
        opened,
    })
}

struct Stopwatch<F>(F);

impl<F: Fn() -> Uptime> Stopwatch<F> {
    fn time<A>(
        &self,
        work: impl FnOnce() -> Result<A, LogError>,
    ) -> Result<(A, Duration), LogError> {
        let start = (self.0)();
        let done = work()?;
        Ok((done, (self.0)().since(start)))
    }
}

fn signer() -> Signer {
    Signer::from_seed("race/log".parse().expect("a key name"), &[0; 32])
}

fn open(dir: &Path) -> Result<Log, LogError> {
    Log::open(&dir.join("log"), signer(), &"race/log".parse().expect("an origin"))
}

fn batch_of(range: Range<u64>) -> Vec<Entry> {
    let body = serde_json::json!({ "what": "x".repeat(BODY_CHARS) });
    let kind: Kind = "race.run".parse().expect("a kind");
    let entry = |n| {
        let fact = format!("f-{n:09}").parse().expect("a fact's id");
        let (at, who) = (Timestamp::from_seconds(1_795_000_000), Some(Actor::Server));
        Entry::new(fact, at, kind.clone(), who, &body).expect("a short entry")
    };
    range.map(entry).collect()
}

/// The next link: the hash of the one before and of an entry.
fn next_link(before: Digest, entry: &Entry) -> Digest {
    Digest::of_parts(&[before.as_bytes(), entry.bytes()])
}

/// The chain and the tree take turns, so that whatever else the machine does slows both alike.
fn in_memory<F: Fn() -> Uptime>(
    list: &[Entry],
    rounds: u64,
    watch: &Stopwatch<F>,
) -> Result<(Duration, Duration), LogError> {
    let (mut link, mut frontier) = (Digest::ZERO, Frontier::default());
    let (mut chain, mut tree) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..rounds {
        let (head, time) = watch.time(|| Ok(list.iter().fold(link, next_link)))?;
        (link, chain) = (black_box(head), chain + time);
        let (tiles, time) = watch.time(|| Ok(grow(&mut frontier, list)))?;
        (_, tree) = (black_box(tiles), tree + time);
    }
    Ok((chain, tree))
}

/// The tree's next root, and what its tiles gain.
fn grow(frontier: &mut Frontier, list: &[Entry]) -> (Digest, Vec<u8>) {
    let mut tiles: Vec<u8> = Vec::with_capacity(list.len() * 2 * DIGEST_BYTES);
    for leaf in growth::leaves(list) {
        frontier.push(leaf, |_, hash| tiles.extend(hash.as_bytes()));
    }
    (frontier.root(), tiles)
}

/// A chain in a file: each link and its entry, synced once a batch.
struct ChainFile {
    path: PathBuf,
    file: File,
    last: Digest,
}

impl ChainFile {
    fn create(path: &Path) -> Result<Self, LogError> {
        let failed =
            |source| LogError::Io { doing: "make", path: path.display().to_string(), source };
        let file = File::create(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, last: Digest::ZERO })
    }

    fn append(&mut self, list: &[Entry]) -> Result<(), LogError> {
        let mut bytes = Vec::new();
        for entry in list {
            self.last = next_link(self.last, entry);
            bytes.extend(self.last.as_bytes());
            bytes.extend(entry.bytes());
        }
        let done = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        let path = || self.path.display().to_string();
        done.map_err(|source| LogError::Io { doing: "write", path: path(), source })
    }
}

fn proofs<F: Fn() -> Uptime>(log: &Log, watch: &Stopwatch<F>) -> Result<Proofs, LogError> {
    let count = PROOFS.min(log.size()).max(1);
    let step = log.size() / count;
    let (proofs, made) = watch.time(|| {
        let proofs = (0..count).map(|n| log.proof(n * step));
        proofs.collect::<Result<Vec<_>, _>>()
    })?;
    let key = signer().public();
    let entries: Vec<Entry> = proofs.iter().flat_map(|p| batch_of(p.index..p.index + 1)).collect();
    let ((), verified) = watch.time(|| {
        for (proof, entry) in proofs.iter().zip(&entries) {
            proof.verify(entry.bytes(), &key).expect("a proof of our own log");
        }
        Ok(())
    })?;
    let bytes_max = proofs.iter().map(|proof| proof.to_string().len()).max().unwrap_or(0);
    let count = u32::try_from(count).expect("at most a thousand");
    Ok(Proofs { made: made / count, verified: verified / count, bytes_max })
}
