//! Recordings on their way from a browser into a version: how far each is, and why one ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::audio::chain::Stage;
use crate::bulletin::version::Voice;
use crate::digest::Digest;
use crate::id::{BulletinId, PersonId};
use crate::lang::LangTag;
use crate::server::Progress;
use crate::web::fault::Fault;
use crate::web::tongue::Tongue;

/// Takes that are remembered; of more, those that ended go.
const TAKES_MAX: usize = 256;

/// Whose recording for what.
pub(super) type Key = (BulletinId, LangTag, PersonId);

/// One recording.
#[derive(Clone, Debug)]
pub(super) struct Take {
    /// The file as it came.
    pub(super) source: Digest,
    pub(super) voice: Voice,
    pub(super) progress: Progress,
    /// Why nothing came of it.
    pub(super) ended: Option<Fault>,
}

impl Take {
    /// A recording that has just come.
    pub(super) fn new(source: Digest, voice: Voice) -> Self {
        Self { source, voice, progress: Progress::default(), ended: None }
    }

    /// What is being done with it, and how far that is, of a hundred.
    pub(super) fn told(&self, tongue: Tongue) -> (&'static str, u8) {
        let stage = self.progress.now().map(|(stage, _)| stage);
        let (vi, en, done) = match stage {
            None => ("Đang chờ tới lượt…", "Waiting for its turn…", 0),
            Some(
                Stage::Source
                | Stage::Meter
                | Stage::Mix
                | Stage::Resample
                | Stage::Filter
                | Stage::Keep,
            ) => ("Đang đọc và đo bản ghi…", "Reading and measuring the recording…", 20),
            Some(Stage::Cut | Stage::Level | Stage::Search) => {
                ("Đang cắt khoảng lặng và tìm mức to…", "Cutting silence, finding the level…", 45)
            }
            Some(Stage::Encode) => ("Đang nén…", "Encoding…", 70),
            Some(Stage::Verify | Stage::Wave) => ("Đang kiểm tra lại…", "Checking the result…", 90),
        };
        (tongue.say(vi, en), done)
    }

    /// How much of the recording is done in this stage.
    pub(super) fn at(&self) -> String {
        let ms = self.progress.now().map_or(0, |(_, done)| done.get());
        format!("{}:{:02}", ms / 60_000, ms / 1000 % 60)
    }
}

/// Every take that is not a recording yet.
#[derive(Debug, Default)]
pub(in crate::web) struct Takes(Mutex<BTreeMap<Key, Take>>);

impl Takes {
    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Take>> {
        // A thread that panicked left whole takes behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the place of an earlier one.
    pub(super) fn begin(&self, key: Key, take: Take) {
        let mut held = self.held();
        if held.len() >= TAKES_MAX {
            held.retain(|_, take| take.ended.is_none());
        }
        held.insert(key, take);
    }

    /// It became a recording, or ended with a reason.
    pub(super) fn end(&self, key: &Key, source: Digest, ended: Option<Fault>) {
        let mut held = self.held();
        // Somebody may have sent another one meanwhile.
        if held.get(key).is_none_or(|take| take.source != source) {
            return;
        }
        match (ended, held.get_mut(key)) {
            (Some(fault), Some(take)) => take.ended = Some(fault),
            (None, _) | (_, None) => drop(held.remove(key)),
        }
    }

    /// The one of this person for this version.
    pub(super) fn of(&self, key: &Key) -> Option<Take> {
        self.held().get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(person: &str) -> Key {
        ("tin".parse().unwrap(), "hni".parse().unwrap(), person.parse().unwrap())
    }

    fn take(text: &str) -> Take {
        Take::new(Digest::of(text.as_bytes()), Voice::Human)
    }

    #[test]
    fn an_end_counts_for_the_recording_that_it_is_of() {
        let takes = Takes::default();
        takes.begin(key("an"), take("first"));
        takes.begin(key("an"), take("second"));
        takes.end(&key("an"), take("first").source, None);
        assert!(takes.of(&key("an")).is_some_and(|held| held.ended.is_none()));
        let why = Some(Fault::bad("hỏng", "broken"));
        takes.end(&key("an"), take("second").source, why);
        assert!(takes.of(&key("an")).is_some_and(|held| held.ended.is_some()));
        takes.end(&key("an"), take("second").source, None);
        assert!(takes.of(&key("an")).is_none() && takes.of(&key("binh")).is_none());
    }

    #[test]
    fn only_those_that_ended_are_forgotten() {
        let takes = Takes::default();
        for n in 0..TAKES_MAX {
            takes.begin(key(&format!("p{n}")), take("a"));
        }
        takes.end(&key("p7"), take("a").source, Some(Fault::bad("hỏng", "broken")));
        takes.begin(key("q"), take("a"));
        assert!(takes.of(&key("p7")).is_none() && takes.of(&key("p8")).is_some());
    }
}
