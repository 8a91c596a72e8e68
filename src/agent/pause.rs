//! An airing that an emergency cut off: what is left of it goes on afterwards, where its time allows.
//!
//! **An item that was begun is not begun again**: only those whose first sample never sounded are left.
//! They go on when the emergency is over, if they end no later than the airing could have ended that
//! was begun at its last instant, and whatever else forbids an airing does not forbid them. Else the
//! airing is told as pre-empted at once. A power cut ends a pause: nothing of it is durable.

use crate::agent::Agent;
use crate::agent::airing::{Playing, What, running_order};
use crate::manifest::ManifestAiring;
use crate::receipt::{Cause, Outcome};
use crate::time::Timestamp;

/// What is left of the airing that is open.
#[derive(Debug)]
pub(super) struct Pause {
    /// Places in the running order.
    left: Vec<usize>,
}

impl Agent {
    /// Keeps what an emergency left of an airing; `false` where nothing is.
    pub(super) fn pause(&mut self, playing: &Playing) -> bool {
        let left = playing.not_begun();
        self.preempted = true;
        self.paused = (!left.is_empty()).then_some(Pause { left });
        self.paused.is_some()
    }

    /// Goes on with an airing that was cut off, or tells that it cannot.
    pub(super) fn advance_pause(&mut self, utc: Timestamp) {
        let Some(pause) = &self.paused else { return };
        let Some((rest, ready)) = self.rest(pause, utc) else {
            self.paused = None;
            return self.end_open_airing(utc, Outcome::Preempted, Some(Cause::Emergency));
        };
        let held_up = self.playing.is_some() || self.local.is_stopped();
        if held_up || self.awaits_emergency(utc) {
            return;
        }
        let left = self.paused.take().map_or(vec![], |pause| pause.left);
        let title = rest.key(&self.settings.controller).to_string();
        let (parts, items) = running_order(&rest, &ready);
        let items = items.into_iter().map(|item| item.map(|item| left[item])).collect();
        self.play(What::Airing, title, (parts, items), rest.volume_percent.or(Some(100)));
    }

    /// The rest of the airing with what of it is ready; `None` where it may not go on.
    fn rest(&self, pause: &Pause, utc: Timestamp) -> Option<(ManifestAiring, Vec<bool>)> {
        let open = self.diary.open_airing()?;
        let me = &self.settings.controller;
        let airings = &self.vouched()?.airings;
        let whole = airings.iter().find(|airing| airing.key(me) == open.airing)?;
        let assets = |n: &usize| whole.items.get(*n).map(|item| item.asset);
        let is_same = |n: &usize| assets(n) == open.items.get(*n).map(|item| item.asset);
        if !pause.left.iter().all(is_same) {
            return None;
        }
        let items = pause.left.iter().map(|n| whole.items[*n].clone()).collect();
        let rest = ManifestAiring { items, ..whole.clone() };
        let in_time = utc + rest.length() <= whole.latest + whole.length();
        let ready: Vec<bool> = rest.items.iter().map(|item| self.is_ready(item, utc)).collect();
        let may = in_time && self.forbidden(utc, &rest).is_none() && ready.contains(&true);
        may.then_some((rest, ready))
    }
}
