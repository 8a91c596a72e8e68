//! How long each stage of the chain takes, on the wall of one worker.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::progress::Bar;
use crate::audio::chain::{Stage, Watch};
use crate::clock::Clock;
use crate::time::Uptime;
use crate::unit::Millis;

/// Adds up the time in each stage, and moves the bar.
pub(super) struct Stopwatch {
    bar: Bar,
    clock: Clock,
    since: Uptime,
    stage: Option<Stage>,
    stages_us: BTreeMap<&'static str, u128>,
}

impl Stopwatch {
    pub(super) fn new(bar: Bar) -> Self {
        let clock = Clock::start();
        Self { bar, since: clock.now().up, clock, stage: None, stages_us: BTreeMap::new() }
    }

    pub(super) fn bar(&mut self) -> &mut Bar {
        &mut self.bar
    }

    /// The last stage is over.
    pub(super) fn stop(&mut self) {
        self.turn(None);
    }

    fn turn(&mut self, to: Option<Stage>) {
        let now = self.clock.now().up;
        if let Some(left) = std::mem::replace(&mut self.stage, to) {
            *self.stages_us.entry(word(left)).or_default() += now.since(self.since).as_micros();
        }
        self.since = now;
    }
}

impl Watch for Stopwatch {
    fn enter(&mut self, stage: Stage, done: Millis) {
        if self.stage != Some(stage) {
            self.turn(Some(stage));
        }
        self.bar.enter(stage, done);
    }
}

impl Serialize for Stopwatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.stages_us.iter().map(|(stage, us)| (stage, us / 1_000)))
    }
}

const fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Source => "source",
        Stage::Meter => "meter",
        Stage::Mix => "mix",
        Stage::Resample => "resample",
        Stage::Filter => "filter",
        Stage::Keep => "keep",
        Stage::Cut => "cut",
        Stage::Level => "level",
        Stage::Search => "search",
        Stage::Encode => "encode",
        Stage::Verify => "verify",
        Stage::Wave => "wave",
    }
}
