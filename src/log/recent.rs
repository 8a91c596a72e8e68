//! The facts that were logged last, so that one whose acknowledgement got lost is not logged twice.
//!
//! A caller that could not note that a fact is in the log will bring it again, and soon. So many
//! are remembered that it cannot come too late, and few enough that the memory does not grow with
//! the log; over the whole log [`crate::log::verify`] looks for repeated facts.

use std::collections::{HashMap, VecDeque};

use crate::audit::FactId;

/// Facts that are remembered.
pub(super) const RECENT: u64 = 65_536;

/// The facts that were logged last, with their places.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: HashMap<FactId, u64>,
    order: VecDeque<FactId>,
}

impl Recent {
    /// Remembers a fact, and forgets the one that came [`RECENT`] before it.
    pub fn add(&mut self, fact: &FactId, index: u64) {
        self.places.insert(fact.clone(), index);
        self.order.push_back(fact.clone());
        if self.order.len() as u64 > RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }

    /// Where a fact stands in the log, if it is remembered.
    pub fn place_of(&self, fact: &FactId) -> Option<u64> {
        self.places.get(fact).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_does_not_grow_with_the_log() {
        let mut recent = Recent::default();
        let fact = |n: u64| format!("f-{n}").parse::<FactId>().unwrap();
        (0..RECENT + 2).for_each(|n| recent.add(&fact(n), n));
        assert_eq!((recent.place_of(&fact(1)), recent.place_of(&fact(2))), (None, Some(2)));
        assert_eq!((recent.places.len() as u64, recent.order.len() as u64), (RECENT, RECENT));
    }
}
