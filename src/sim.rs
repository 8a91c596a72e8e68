//! The simulator: the same `dispatch` and `agent` as everywhere, under a virtual clock, on a network
//! and on devices that fail in every way that the design promises to survive.
//!
//! ```text
//!   seed ──► queue of events ──► sites (agent, flash, speaker, clocks) ◄──► broker ◄──► desk (dispatch, store, log)
//!                                     │                                                    │
//!                                     └────────────► observer: ten promises ◄──────────────┘
//! ```
//!
//! **The observer knows what was really signed, what every loudspeaker sounded, and what is in the
//! log; the machines know only what reaches them.** A seed is the whole report of a fault: the same
//! seed and fleet give the same run, event by event.

mod bulk;
mod chance;
mod desk;
mod flash;
mod network;
mod observer;
mod pump;
mod queue;
mod rogue;
mod server;
mod site;
mod station;
mod tally;
mod verdict;
mod weather;
mod world;

pub use bulk::run_each;
pub use tally::{Tally, grouped};
pub use verdict::{PROMISES, Verdict, Violation};

use world::World;

/// What the days are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Everything works.
    Calm,
    /// Everything fails now and then, and the broker is at times in wrong hands.
    Storm,
}

/// How what is simulated is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// With Ed25519, as everywhere.
    Real,
    /// With a keyed hash in its place, for runs in bulk.
    StandIn,
}

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Decides everything that chance decides.
    pub seed: u64,
    /// Controllers.
    pub controllers: usize,
    /// Days of this weather; one calm day follows, in which everything must come right.
    pub days: u32,
    /// The weather.
    pub weather: Weather,
    /// The signatures.
    pub signatures: Signatures,
}

/// Lives through the days and says what became of each promise.
pub fn run(plan: Plan) -> Verdict {
    let verdict = World::new(plan, None).live();
    let Some(site) = verdict.violations.first().and_then(|violation| violation.site) else {
        return verdict;
    };
    // Only a run that failed pays for writing down what happened.
    World::new(plan, Some(site)).live()
}
