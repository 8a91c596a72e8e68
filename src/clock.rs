//! The system's two clocks: the one place that reads them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Now, Timestamp, Uptime};

/// Reads both clocks; uptime counts from when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose uptime begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the room that reads the clock")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Both times of this moment.
    pub fn now(&self) -> Now {
        Now { utc: utc_now(), up: Uptime::at(self.start.elapsed()) }
    }

    /// How long until `up` by this clock; zero where it has passed.
    pub fn until(&self, up: Uptime) -> Duration {
        up.since(self.now().up)
    }
}

/// What the system's wall clock says.
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the clock")]
pub fn utc_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
