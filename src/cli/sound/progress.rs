//! Bars on a terminal: one for each recording at work, one for all. Quiet where standard error is no terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::audio::chain::{Stage, Watch};
use crate::unit::Millis;

/// Parts of a bar: the chain passes over a recording three times.
const PARTS: u64 = 1_000;

/// All bars.
pub(super) struct Progress {
    bars: MultiProgress,
    all: ProgressBar,
}

impl Progress {
    /// A bar for so many recordings.
    pub(super) fn new(recordings: usize) -> Self {
        let bars = MultiProgress::new();
        let all =
            ProgressBar::new(recordings as u64).with_style(style("{bar:30} {pos}/{len} {elapsed}"));
        let progress = Self { all: bars.add(all), bars };
        progress.all.tick();
        progress
    }

    /// A bar above that for all.
    pub(super) fn recording(&self, name: &str) -> Bar {
        let bar = ProgressBar::new(PARTS).with_style(style("{bar:30} {percent:>3} % {msg}"));
        let bar = self.bars.insert_before(&self.all, bar);
        bar.set_message(name.to_owned());
        Bar { bar, length: None }
    }

    /// One more is done.
    pub(super) fn done(&self) {
        self.all.inc(1);
    }

    /// Prints with the bars out of the way.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bars.suspend(print);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.all.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The bar of one recording; it goes away with its recording.
pub(super) struct Bar {
    bar: ProgressBar,
    length: Option<Millis>,
}

impl Bar {
    /// How long the file says it is; without that the bar stands still in each stage.
    pub(super) fn declare(&mut self, length: Option<Millis>) {
        self.length = length.filter(|length| *length > Millis::default());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn enter(&mut self, stage: Stage, done: Millis) {
        // Where each pass begins, and how much of the bar it is, after what it costs with the speech recipe.
        let (from, share) = match stage {
            Stage::Source
            | Stage::Meter
            | Stage::Mix
            | Stage::Resample
            | Stage::Filter
            | Stage::Keep => (0, 300),
            Stage::Cut | Stage::Level | Stage::Search => (300, 100),
            Stage::Encode => (400, 450),
            Stage::Verify => (850, 100),
            Stage::Wave => (950, 50),
        };
        let within =
            self.length.map_or(0, |length| share * done.get().min(length.get()) / length.get());
        self.bar.set_position(from + within);
    }
}
