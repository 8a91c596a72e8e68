//! A disk in memory that fails at one step, and that loses power.
//!
//! It knows what a real disk shows and what it would still have after a loss of power: bytes are
//! durable after a sync of their file, names after a sync of their folder. A sync that failed may
//! leave the disk believing that the bytes are clean: a later sync of them does nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use loaban::log::Disk;

/// How one step fails. The caller is told of an error each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The step did not happen.
    Lost,
    /// The step did happen.
    Kept,
    /// Of a write, half the bytes were written. Otherwise like lost.
    Torn,
}

/// What is there after an error.
#[derive(Clone, Copy, Debug)]
pub enum After {
    /// The power stays on: everything that the disk shows.
    Power,
    /// The power fails: only what is durable.
    Durable,
    /// The power fails: each file and name durable or as it was shown or, of bytes, half so, as a
    /// number decides.
    Mixed(u64),
}

#[derive(Clone, Debug, Default)]
struct Bytes {
    shown: Vec<u8>,
    durable: Vec<u8>,
    /// From where on the disk knows that it has something to write.
    dirty_from: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct State {
    files: Vec<Bytes>,
    /// Names and which file each means; a folder means none.
    shown: BTreeMap<String, Option<usize>>,
    durable: BTreeMap<String, Option<usize>>,
    steps: usize,
    fault: Option<(usize, Fault)>,
}

/// The disk. Clones are the same disk; see [`Fragile::copy`].
#[derive(Clone, Debug, Default)]
pub struct Fragile(Rc<RefCell<State>>);

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn mix(seed: u64, n: usize) -> u64 {
    let mut x =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 31;
    x.wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
}

impl Fragile {
    /// Another disk with the same content, on which step `at`, counted from now, fails.
    pub fn copy(&self, fault: Option<(usize, Fault)>) -> Self {
        let state = State { steps: 0, fault, ..self.0.borrow().clone() };
        Self(Rc::new(RefCell::new(state)))
    }

    /// Steps since the disk was copied.
    pub fn steps(&self) -> usize {
        self.0.borrow().steps
    }

    /// What is there next, without any further fault.
    pub fn after(&self, after: After) -> Self {
        let disk = self.copy(None);
        let mut state = disk.0.borrow_mut();
        match after {
            After::Power => {}
            After::Durable => state.lose_power(|_| false, |_| 0),
            After::Mixed(seed) => {
                state.lose_power(|n| mix(seed, n).is_multiple_of(2), |n| mix(seed + 99, n) % 3);
            }
        }
        drop(state);
        disk
    }
}

impl State {
    /// `name(n)` says whether the `n`th name is as shown; `bytes(n)` whether file `n` is durable
    /// (0), as shown (1), or half so.
    fn lose_power(&mut self, name: impl Fn(usize) -> bool, bytes: impl Fn(usize) -> u64) {
        let all: BTreeSet<String> = self.shown.keys().chain(self.durable.keys()).cloned().collect();
        let mut names = BTreeMap::new();
        for (n, path) in all.into_iter().enumerate() {
            let from = if name(n) { &self.shown } else { &self.durable };
            let there = parent(&path).is_empty() || names.contains_key(parent(&path));
            if let (Some(&file), true) = (from.get(&path), there) {
                names.insert(path, file);
            }
        }
        self.durable.clone_from(&names);
        self.shown = names;
        for (n, file) in self.files.iter_mut().enumerate() {
            let half = usize::midpoint(file.durable.len(), file.shown.len()).min(file.shown.len());
            match bytes(n) {
                0 => file.shown.clone_from(&file.durable),
                1 => file.durable.clone_from(&file.shown),
                _ => {
                    file.shown.truncate(half);
                    file.durable.clone_from(&file.shown);
                }
            }
            file.dirty_from = None;
        }
    }

    /// Counts a step, and says whether and how it fails.
    fn step(&mut self) -> Option<Fault> {
        self.steps += 1;
        self.fault.filter(|(at, _)| *at == self.steps - 1).map(|(_, fault)| fault)
    }

    fn sync_file(&mut self, path: &str, fault: Option<Fault>) {
        let file = self.open(path);
        let dirty_from = file.dirty_from.take();
        if let (Some(from), None | Some(Fault::Kept)) = (dirty_from, fault) {
            file.durable.resize(from, 0);
            file.durable.extend(&file.shown[from..]);
        }
    }

    fn sync_folder(&mut self, folder: &str, fault: Option<Fault>) {
        if matches!(fault, None | Some(Fault::Kept)) {
            let shown = self.shown.iter().filter(|(path, _)| parent(path) == folder);
            self.durable.retain(|path, _| parent(path) != folder);
            self.durable.extend(shown.map(|(path, file)| (path.clone(), *file)));
        }
    }

    fn make_folders(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            self.shown.entry(path[..at].to_owned()).or_insert(None);
        }
    }

    fn open(&mut self, path: &str) -> &mut Bytes {
        self.make_folders(path);
        let known = self.shown.get(path).copied().flatten();
        let file = known.unwrap_or_else(|| {
            self.files.push(Bytes::default());
            self.shown.insert(path.to_owned(), Some(self.files.len() - 1));
            self.files.len() - 1
        });
        &mut self.files[file]
    }
}

fn outcome(fault: Option<Fault>) -> io::Result<()> {
    fault.map_or(Ok(()), |fault| Err(io::Error::other(format!("{fault:?}"))))
}

impl Disk for Fragile {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let state = self.0.borrow();
        Ok(state.shown.get(path).copied().flatten().map(|file| state.files[file].shown.clone()))
    }

    fn tiles(&self) -> io::Result<Vec<(String, u64)>> {
        let state = self.0.borrow();
        let files = state.shown.iter().filter(|(path, _)| path.starts_with("tile/"));
        let length = |file: usize| state.files[file].shown.len() as u64;
        Ok(files.filter_map(|(path, file)| Some((path.clone(), length((*file)?)))).collect())
    }

    fn write(&mut self, path: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let fault = state.step();
        let bytes = if fault == Some(Fault::Torn) { &bytes[..bytes.len() / 2] } else { bytes };
        if fault != Some(Fault::Lost) {
            let at = usize::try_from(at).unwrap();
            let file = state.open(path);
            file.shown.resize(at, 0);
            file.shown.extend(bytes);
            file.dirty_from = Some(file.dirty_from.map_or(at, |from| from.min(at)));
        }
        outcome(fault)
    }

    fn sync(&mut self, files: &[&str], folders: &[&str]) -> Result<(), (String, io::Error)> {
        let mut state = self.0.borrow_mut();
        let blame = |path: &str| {
            let path = path.to_owned();
            move |error| (path, error)
        };
        for path in files {
            let fault = state.step();
            state.sync_file(path, fault);
            outcome(fault).map_err(blame(path))?;
        }
        for folder in folders {
            let fault = state.step();
            state.sync_folder(folder, fault);
            outcome(fault).map_err(blame(folder))?;
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let fault = state.step();
        if matches!(fault, None | Some(Fault::Kept)) {
            let file = state.shown.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.shown.insert(to.to_owned(), file);
        }
        outcome(fault)
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let fault = state.step();
        if matches!(fault, None | Some(Fault::Kept)) {
            state.shown.remove(path);
        }
        outcome(fault)
    }
}
