//! What a child process cost: CPU time, time on the wall, memory.
//!
//! CPU time is that of the child and of every process that it waited for, as the system counts it (`wait4`). Memory is
//! told twice: the largest single process, and the most that the child and its children held together, looked at every
//! few milliseconds; **what they share is counted in each of them**.

use std::fs::{self, File};
use std::iter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;
use wait4::{ResUse, Wait4};

use crate::clock::Clock;

/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(10);

/// What one or several runs took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Cost {
    /// CPU time in user and system mode.
    pub cpu_s: f64,
    /// Time on the wall.
    pub wall_s: f64,
    /// The largest process, in bytes.
    pub largest_bytes: u64,
    /// All processes of one run together, in bytes.
    pub together_bytes: u64,
}

impl Cost {
    /// Both, one after the other.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            cpu_s: self.cpu_s + other.cpu_s,
            wall_s: self.wall_s + other.wall_s,
            largest_bytes: self.largest_bytes.max(other.largest_bytes),
            together_bytes: self.together_bytes.max(other.together_bytes),
        }
    }
}

/// A run that ended.
pub(super) struct Run {
    pub cost: Cost,
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end; what it says goes through files in `folder`, so that no pipe holds it up.
pub(super) fn run(command: &mut Command, folder: &Path) -> anyhow::Result<Run> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (out, err) = (folder.join("stdout"), folder.join("stderr"));
    let files = File::create(&out).and_then(|out| Ok((out, File::create(&err)?)));
    let (stdout, stderr) =
        files.with_context(|| format!("{} cannot be written", folder.display()))?;
    let clock = Clock::start();
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn();
    let child = child.with_context(|| format!("{name} could not be started"))?;
    let (id, over) = (child.id(), AtomicBool::new(false));
    let (ended, together_bytes) = thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(memory(id));
                thread::sleep(LOOK);
            }
            most
        });
        let ended = child.wait4();
        over.store(true, Ordering::Relaxed);
        (ended, looking.join().unwrap_or_default())
    });
    let wall_s = clock.now().up.since(crate::time::Uptime::default()).as_secs_f64();
    let ResUse { status, rusage } =
        ended.with_context(|| format!("{name} could not be waited for"))?;
    let read =
        |path| Ok::<_, anyhow::Error>(String::from_utf8_lossy(&fs::read(path)?).into_owned());
    Ok(Run {
        cost: Cost {
            cpu_s: (rusage.utime + rusage.stime).as_secs_f64(),
            wall_s,
            largest_bytes: rusage.maxrss,
            together_bytes,
        },
        success: status.success(),
        stdout: read(&out)?,
        stderr: read(&err)?,
    })
}

/// The same, which must go well.
pub(super) fn ran(command: &mut Command, folder: &Path) -> anyhow::Result<Run> {
    let run = run(command, folder)?;
    let last = run.stderr.lines().last().unwrap_or_default();
    ensure!(run.success, "{} failed: {last}", command.get_program().to_string_lossy());
    Ok(run)
}

/// Resident bytes of a process and all below it.
fn memory(id: u32) -> u64 {
    let below = children(id).into_iter().map(memory);
    iter::once(resident(id)).chain(below).sum()
}

fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1_024
}

/// Any thread may have started one.
fn children(id: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return Vec::new() };
    let told = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    told.flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_and_its_own_children_used_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        // The work is done by a grandchild.
        let work = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo done; echo oh >&2; exit 3";
        let run = run(Command::new("sh").args(["-c", work]), folder.path()).unwrap();
        assert!(run.cost.cpu_s > 0.01 && run.cost.wall_s >= run.cost.cpu_s * 0.5, "{:?}", run.cost);
        assert!(run.cost.largest_bytes > 100_000, "{:?}", run.cost);
        assert_eq!((run.success, run.stdout.trim(), run.stderr.trim()), (false, "done", "oh"));
    }
}
