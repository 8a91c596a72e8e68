//! The system's two clocks: the one place that reads them.
//!
//! **On a stage time is moved by hand**: where the environment names a file in [`STAGE`], both clocks are
//! ahead of the system's by as many microseconds as it says, in every process that was started with
//! it. A rehearsal skips the hours in which nothing is due; whatever happens happens at true pace.
//! Whoever can set the environment of a process can set the machine's clock too: it lets nobody in.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Now, Timestamp, Uptime};

/// The environment variable that names the file.
pub const STAGE: &str = "LOABAN_CLOCK_STAGE";

/// How long anybody waits on a stage before looking at the clock again: it may have been moved.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A clock that is moved by hand.
struct Stage {
    file: PathBuf,
    /// The most that the file ever said: time does not go back.
    ahead: AtomicI64,
}

static ON_STAGE: LazyLock<Option<Stage>> = LazyLock::new(|| {
    let file = PathBuf::from(std::env::var_os(STAGE)?);
    eprintln!("{STAGE} is set: the time is what {} makes of it", file.display());
    Some(Stage { file, ahead: AtomicI64::new(i64::MIN) })
});

impl Stage {
    /// Microseconds ahead of the system. A file that cannot be read moves nothing.
    fn ahead(&self) -> i64 {
        let said = std::fs::read_to_string(&self.file).ok();
        let said = said.and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(i64::MIN);
        let most = self.ahead.fetch_max(said, Ordering::SeqCst).max(said);
        if most == i64::MIN { 0 } else { most }
    }
}

fn ahead() -> i64 {
    ON_STAGE.as_ref().map_or(0, Stage::ahead)
}

/// Reads both clocks; uptime counts from when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// How far the stage was ahead then, in microseconds.
    ahead: i64,
}

impl Clock {
    /// A clock whose uptime begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the room that reads the clock")]
    pub fn start() -> Self {
        Self { start: Instant::now(), ahead: ahead() }
    }

    /// Both times of this moment.
    pub fn now(&self) -> Now {
        let ahead = ahead();
        let skipped = u64::try_from(ahead - self.ahead).unwrap_or(0);
        let up = self.start.elapsed() + Duration::from_micros(skipped);
        Now { utc: system_utc(ahead), up: Uptime::at(up) }
    }

    /// How long until `up` by this clock; zero where it has passed.
    pub fn until(&self, up: Uptime) -> Duration {
        let left = up.since(self.now().up);
        if ON_STAGE.is_some() { left.min(LOOK_AGAIN) } else { left }
    }
}

/// What the system's wall clock says.
pub fn utc_now() -> Timestamp {
    system_utc(ahead())
}

#[expect(clippy::disallowed_methods, reason = "this is the room that reads the clock")]
fn system_utc(ahead: i64) -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(micros.saturating_add(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_moves_time_forward_and_never_back() {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage { file: folder.path().join("ahead"), ahead: AtomicI64::new(i64::MIN) };
        assert_eq!(stage.ahead(), 0, "nobody moved it");
        for (said, seen) in
            [("-500", -500), ("-20\n", -20), ("-400", -20), ("no number", -20), ("7", 7)]
        {
            std::fs::write(&stage.file, said).unwrap();
            assert_eq!(stage.ahead(), seen, "{said}");
        }
    }
}
