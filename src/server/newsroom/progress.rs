//! How far a recording is that is being made broadcast-ready.

use std::sync::{Arc, Mutex, PoisonError};

use crate::audio::chain::{Stage, Watch};
use crate::unit::Millis;

/// The newest word of the chain; anybody who holds a copy may look at it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Option<(Stage, Millis)>>>);

impl Progress {
    /// The stage, and how much of the recording is done in it; none before the chain began.
    pub fn now(&self) -> Option<(Stage, Millis)> {
        // A thread that panicked left a whole pair behind.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Progress {
    fn enter(&mut self, stage: Stage, done: Millis) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stage, done));
    }
}
