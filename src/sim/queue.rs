//! What happens next, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Events in order of their time; those of one instant in the order they were put in.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    put: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Duration,
    nth: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.nth) == (other.at, other.nth)
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.nth).cmp(&(other.at, other.nth))
    }
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), put: 0 }
    }

    pub(super) fn put(&mut self, at: Duration, event: E) {
        self.put += 1;
        self.heap.push(Reverse(Entry { at, nth: self.put, event }));
    }

    pub(super) fn next(&mut self) -> Option<(Duration, E)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }

    /// Events that happened or will.
    pub(super) fn count(&self) -> u64 {
        self.put
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_one_instant_keeps_its_order() {
        let mut queue = Queue::new();
        let at = Duration::from_secs;
        for (seconds, name) in [(2, "c"), (1, "a"), (1, "b")] {
            queue.put(at(seconds), name);
        }
        let order: Vec<&str> = std::iter::from_fn(|| queue.next().map(|(_, name)| name)).collect();
        assert_eq!(order, ["a", "b", "c"]);
    }
}
