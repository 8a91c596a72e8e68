//! A disk of which only what was synced is sure to be there after the power went.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::vault::disk::Disk;

/// What becomes of the step at which the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not there.
    Lost,
    /// It is there, as far as a sync before it goes.
    Kept,
    /// Half of a write is there.
    Torn,
}

impl Fate {
    pub(super) const ALL: [Self; 3] = [Self::Lost, Self::Kept, Self::Torn];
}

#[derive(Debug, Default)]
struct Inode {
    /// What a sync made sure of.
    sure: Vec<u8>,
    now: Vec<u8>,
}

/// What was done to it, for the figures of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) steps: u64,
    pub(super) writes: u64,
    pub(super) bytes: u64,
    pub(super) syncs: u64,
}

#[derive(Debug, Default)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    sure: BTreeMap<PathBuf, u64>,
    now: BTreeMap<PathBuf, u64>,
    next: u64,
    count: Count,
    fails_at: Option<(u64, Fate)>,
    is_down: bool,
}

/// The disk; its clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Poor(Arc<Mutex<State>>);

impl Poor {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The power goes at the `after`th step from now.
    pub(super) fn fail_after(&self, after: u64, fate: Fate) {
        let mut state = self.state();
        state.fails_at = Some((state.count.steps + after, fate));
    }

    pub(super) fn is_down(&self) -> bool {
        self.state().is_down
    }

    pub(super) fn count(&self) -> Count {
        self.state().count
    }

    /// The power is back. Of what was not synced, `keeps` says what happened to be written.
    pub(super) fn power_back(&self, mut keeps: impl FnMut() -> bool) {
        let mut state = self.state();
        let State { inodes, sure, now, .. } = &mut *state;
        for inode in inodes.values_mut() {
            if keeps() {
                inode.sure.clone_from(&inode.now);
            } else {
                inode.now.clone_from(&inode.sure);
            }
        }
        // Whether a name was written out is known folder by folder at best.
        if keeps() {
            sure.clone_from(now);
        } else {
            now.clone_from(sure);
        }
        (state.is_down, state.fails_at) = (false, None);
    }

    /// Counts a step; `None` where it does not happen, else whether it happens in part only.
    fn step(&self) -> io::Result<(MutexGuard<'_, State>, Option<Fate>)> {
        let mut state = self.state();
        if state.is_down {
            return Err(io::Error::other("no power"));
        }
        state.count.steps += 1;
        let due = state.fails_at.filter(|(at, _)| state.count.steps >= *at);
        state.is_down = due.is_some();
        Ok((state, due.map(|(_, fate)| fate)))
    }

    fn change(&self, change: impl FnOnce(&mut State, bool) -> io::Result<()>) -> io::Result<()> {
        let (mut state, fate) = self.step()?;
        match fate {
            None => change(&mut state, false),
            Some(Fate::Lost) => Err(io::Error::other("the power went before")),
            Some(torn) => {
                change(&mut state, torn == Fate::Torn)?;
                Err(io::Error::other("the power went after"))
            }
        }
    }
}

impl State {
    fn inode(&mut self, path: &Path) -> io::Result<&mut Inode> {
        let id = self.now.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.inodes.get_mut(id).expect("every name has an inode"))
    }
}

impl Disk for Poor {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let state = self.state();
        Ok(state.now.get(path).map(|id| state.inodes[id].now.clone()))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        Ok(state.now.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(|state, torn| {
            let bytes = if torn { &bytes[..bytes.len() / 2] } else { bytes };
            state.count.writes += 1;
            state.count.bytes += bytes.len() as u64;
            if !state.now.contains_key(path) {
                state.next += 1;
                let id = state.next;
                state.inodes.insert(id, Inode::default());
                state.now.insert(path.to_owned(), id);
            }
            let inode = state.inode(path)?;
            let from = usize::try_from(offset).expect("it fits memory");
            let until = from + bytes.len();
            inode.now.resize(inode.now.len().max(until), 0);
            inode.now[from..until].copy_from_slice(bytes);
            Ok(())
        })
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.change(|state, _| {
            let length = usize::try_from(length).expect("it fits memory");
            state.inode(path)?.now.truncate(length);
            Ok(())
        })
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.change(|state, torn| {
            state.count.syncs += 1;
            let inode = state.inode(path)?;
            if !torn {
                inode.sure.clone_from(&inode.now);
            }
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|state, _| {
            let id = state.now.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.now.insert(to.to_owned(), id);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|state, _| {
            state.now.remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into())
        })
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.change(|state, _| {
            state.count.syncs += 1;
            let State { sure, now, .. } = state;
            sure.retain(|path, _| path.parent() != Some(folder));
            let names = now.iter().filter(|(path, _)| path.parent() == Some(folder));
            sure.extend(names.map(|(path, id)| (path.clone(), *id)));
            Ok(())
        })
    }
}
