//! Which airing is due, whether it may sound, and what became of it.
//!
//! ```text
//!   planned ──at──► ready? ──yes──► begun (durable) ──► playing ──► completed
//!      │              │ no, until `latest`                 ├──► interrupted (power, stop, hole)
//!      │              ▼                                    ├──► preempted (emergency)
//!      └──────────► skipped (quiet, policy, clock, …)      └──► failed (sound)
//! ```
//!
//! What is left of one that was pre-empted may go on: see `pause`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::agent::{Agent, Output, Part, Playlist, Record, Sounded, covers};
use crate::audio::tone::Tone;
use crate::digest::Digest;
use crate::id::EmergencyId;
use crate::manifest::{Item, Manifest, ManifestAiring};
use crate::receipt::{Cause, Event, Evidence, ItemReceipt, Outcome};
use crate::time::{Now, Timestamp, Uptime};

/// How long after its time an airing waits for recordings that are still on their way, before it
/// begins without them.
const WAIT_FOR_MISSING: Duration = Duration::from_secs(20);

/// How often an airing that waits is judged: a recording may become valid, a window close.
const JUDGE_AGAIN: Duration = Duration::from_secs(1);

/// What plays now.
#[derive(Debug)]
pub(super) struct Playing {
    pub(super) what: What,
    token: u64,
    title: String,
    /// Which item of the running order each part is.
    items: Vec<Option<usize>>,
    /// Parts that have sounded whole.
    done: usize,
    /// The recordings in it.
    assets: Vec<Digest>,
    /// How loud it is beside the volume that was ordered; none where no order makes it softer.
    share_percent: Option<u8>,
    /// Why it was asked to stop.
    pub(super) stopping: Option<Cause>,
}

/// Whether an airing plays or something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Airing,
    Emergency(EmergencyId, u8),
    /// A self-test: of the order with this number, or 0 for somebody at the device.
    Test(u64),
}

impl Playing {
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The items, by their places in the running order, of which no sample has sounded.
    pub(super) fn not_begun(&self) -> Vec<usize> {
        self.items.iter().skip(self.done + 1).flatten().copied().collect()
    }

    pub(super) fn is(&self, token: u64) -> bool {
        self.token == token
    }

    /// How loud it sounds where `ordered` is the volume of the device.
    pub(super) fn volume_percent(&self, ordered: u8) -> u8 {
        let share = |share: u8| u16::from(share.min(100)) * u16::from(ordered) / 100;
        self.share_percent.map_or(100, |percent| u8::try_from(share(percent)).unwrap_or(100))
    }

    pub(super) fn sounds_any_of(&self, assets: &[Digest]) -> bool {
        self.assets.iter().any(|asset| assets.contains(asset))
    }
}

/// What may be done with an airing now.
enum Verdict {
    Wait,
    Skip(Cause),
    /// Begin; the items that are ready.
    Begin(Vec<bool>),
}

impl Agent {
    /// When an airing is due next, or one that waits is to be judged again.
    pub(super) fn next_airing_at(&self, now: Now) -> Option<Uptime> {
        let utc = self.clock.utc(now.up)?;
        if self.paused.is_some() {
            return Some(now.up + JUDGE_AGAIN);
        }
        let me = &self.settings.controller;
        for airing in &self.vouched()?.airings {
            if airing.at > utc {
                return Some(now.up + airing.at.since(utc));
            }
            if !self.diary.is_over(&airing.key(me)) {
                return Some(now.up + JUDGE_AGAIN);
            }
        }
        None
    }

    /// The manifest that is held, where a key that counts signed it.
    pub(super) fn vouched(&self) -> Option<&Manifest> {
        self.manifest.as_ref().filter(|_| !self.distrusted)
    }

    pub(super) fn advance_airings(&mut self, now: Now) {
        let Some(utc) = self.clock.utc(now.up) else { return };
        self.advance_pause(utc);
        while let Some((airing, verdict)) = self.due(utc) {
            match verdict {
                Verdict::Wait => return,
                Verdict::Skip(cause) => self.skip(utc, &airing, cause),
                Verdict::Begin(ready) => return self.begin_airing(utc, &airing, &ready),
            }
        }
    }

    /// The first airing whose time has come and that has no outcome, with what to do.
    fn due(&self, utc: Timestamp) -> Option<(ManifestAiring, Verdict)> {
        let manifest = self.vouched()?;
        let me = &self.settings.controller;
        for airing in manifest.airings.iter().take_while(|airing| airing.at <= utc) {
            if self.diary.is_over(&airing.key(me)) {
                continue;
            }
            match self.judge(utc, airing) {
                // One that waits for its recordings must not hold up the next.
                Verdict::Wait => {}
                verdict => return Some((airing.clone(), verdict)),
            }
        }
        None
    }

    fn judge(&self, utc: Timestamp, airing: &ManifestAiring) -> Verdict {
        if utc > airing.latest {
            return Verdict::Skip(self.why_late(utc, airing));
        }
        if let Some(cause) = self.forbidden(utc, airing) {
            return Verdict::Skip(cause);
        }
        // What goes on after an emergency has spent its airtime when it began.
        if self.is_spent(utc, airing) {
            return Verdict::Skip(Cause::Policy);
        }
        let held_up = self.paused.is_some() || self.local.is_stopped();
        if self.playing.is_some() || held_up || self.awaits_emergency(utc) {
            return Verdict::Wait;
        }
        let ready: Vec<bool> = airing.items.iter().map(|item| self.is_ready(item, utc)).collect();
        let patient = utc < airing.at + WAIT_FOR_MISSING && !ready.iter().all(|ready| *ready);
        if patient || !ready.iter().any(|ready| *ready) {
            return Verdict::Wait;
        }
        Verdict::Begin(ready)
    }

    /// Why an airing whose last instant has passed was never begun.
    fn why_late(&self, utc: Timestamp, airing: &ManifestAiring) -> Cause {
        let after = |at: Option<Timestamp>| at.is_some_and(|at| at > airing.latest);
        if after(self.clock.boot_utc()) {
            return Cause::Power;
        }
        if after(self.clock.trusted_since_utc()) {
            return Cause::Clock;
        }
        if after(self.manifest_since) {
            return Cause::Missing;
        }
        if self.paused.is_some() || self.awaits_emergency(utc) {
            return Cause::Emergency;
        }
        if self.local.is_stopped() {
            return Cause::Stopped;
        }
        // A recording whose approval was taken back, or not yet given anew, has not arrived.
        let is_here = |item: &Item| {
            let shelf = self.recordings.get(item.asset);
            shelf.is_some_and(|shelf| shelf.is_complete() && shelf.descriptor().is_some())
        };
        let held = airing.items.iter().all(is_here);
        if held && self.playing.is_some() {
            return Cause::Busy;
        }
        if held { Cause::Refused } else { Cause::Missing }
    }

    /// What forbids a routine airing now, whatever recordings are held.
    pub(super) fn forbidden(&self, utc: Timestamp, airing: &ManifestAiring) -> Option<Cause> {
        let manifest = self.manifest.as_ref()?;
        let ends = utc + airing.length();
        let descriptors =
            airing.items.iter().filter_map(|i| self.recordings.get(i.asset)?.descriptor());
        let mut known = descriptors.peekable();
        let stale = known.peek().is_some() && known.all(|descriptor| descriptor.valid_until <= utc);
        if utc >= manifest.valid_until || stale {
            Some(Cause::Expired)
        } else if !self.settings.outer.allows(self.settings.zone, utc, ends) {
            Some(Cause::Quiet)
        } else if !manifest.policy.allows(manifest.zone, utc, ends) {
            Some(Cause::Policy)
        } else if !self.diary.has_room(self.settings.receipts_max) {
            Some(Cause::Storage)
        } else {
            None
        }
    }

    /// Whether the policy's sums for today have no room for it. They count what was begun here,
    /// whatever any manifest says of it now.
    fn is_spent(&self, utc: Timestamp, airing: &ManifestAiring) -> bool {
        let Some(manifest) = &self.manifest else { return false };
        let spent = self.diary.spent(manifest.zone.date(utc));
        let length = u64::try_from(airing.length().as_millis()).unwrap_or(u64::MAX);
        manifest.policy.admit(spent, length).is_err()
    }

    /// Whether an item is held whole and its descriptor lets it sound here and now.
    pub(super) fn is_ready(&self, item: &Item, utc: Timestamp) -> bool {
        let Some(manifest) = &self.manifest else { return false };
        let Some(shelf) = self.recordings.get(item.asset).filter(|shelf| shelf.is_complete())
        else {
            return false;
        };
        shelf.descriptor().is_some_and(|descriptor| {
            descriptor.bulletin == item.bulletin
                && descriptor.language == item.language
                // The length counts against quiet hours: it is the approver's, not the server's.
                && descriptor.length_ms == item.length_ms
                && manifest.languages.contains(&item.language)
                && covers(descriptor, manifest, utc)
        })
    }

    fn skip(&mut self, utc: Timestamp, airing: &ManifestAiring, cause: Cause) {
        let event = Event::Airing {
            airing: airing.key(&self.settings.controller),
            manifest: self.manifest.as_ref().map_or(0, |manifest| manifest.number),
            outcome: Outcome::Skipped,
            cause: Some(cause),
            evidence: Evidence::Commanded,
            begun: None,
            ended: None,
            items: item_receipts(airing, |_| Outcome::Skipped),
        };
        self.swear(utc, event);
    }

    fn begin_airing(&mut self, utc: Timestamp, airing: &ManifestAiring, ready: &[bool]) {
        let key = airing.key(&self.settings.controller);
        let (parts, items) = running_order(airing, ready);
        let outcome = |n: usize| if ready[n] { Outcome::Interrupted } else { Outcome::Skipped };
        self.keep(Record::Begun {
            airing: key.clone(),
            manifest: self.manifest.as_ref().map_or(0, |manifest| manifest.number),
            at: utc,
            items: item_receipts(airing, outcome),
            day: self.manifest.as_ref().map(|manifest| manifest.zone.date(utc)),
            length_ms: u64::try_from(airing.length().as_millis()).unwrap_or(u64::MAX),
        });
        self.play(
            What::Airing,
            key.to_string(),
            (parts, items),
            airing.volume_percent.or(Some(100)),
        );
    }

    pub(super) fn play(
        &mut self,
        what: What,
        title: String,
        (parts, items): (Vec<Part>, Vec<Option<usize>>),
        share_percent: Option<u8>,
    ) {
        self.draws += 1;
        let token = self.draws;
        let asset = |part: &Part| match part {
            Part::Sound { asset, .. } => Some(*asset),
            Part::Tone(_) | Part::Silence(_) => None,
        };
        let assets = parts.iter().filter_map(asset).collect();
        let playing = Playing {
            what,
            token,
            title: title.clone(),
            items,
            done: 0,
            assets,
            share_percent,
            stopping: None,
        };
        let volume_percent = playing.volume_percent(self.upkeep.volume_percent);
        self.playing = Some(playing);
        self.upkeep.changed();
        self.out.push_back(Output::Play(Playlist { token, title, parts, volume_percent }));
    }

    /// Asks the speaker to stop, for this reason.
    pub(super) fn stop(&mut self, cause: Cause) {
        if let Some(playing) = self.playing.as_mut().filter(|playing| playing.stopping.is_none()) {
            playing.stopping = Some(cause);
            self.out.push_back(Output::Stop);
        }
    }

    pub(super) fn sounded(&mut self, now: Now, token: u64, sounded: &Sounded) {
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.token == token) else {
            return;
        };
        if let Sounded::Part(part) = sounded {
            playing.done = playing.done.max(part + 1);
            if let Some(item) = playing.items.get(*part).copied().flatten() {
                self.keep(Record::ItemDone { item });
            }
            return;
        }
        let playing = self.playing.take().expect("it is the one that plays");
        self.upkeep.changed();
        let Some(utc) = self.clock.utc(now.up) else { return };
        match playing.what {
            What::Airing => self.airing_ended(utc, &playing, sounded),
            What::Emergency(ref id, attempt) => {
                self.emergency_ended(utc, id, attempt, &playing.assets, sounded);
            }
            What::Test(number) => self.tested(utc, number, sounded),
        }
    }

    fn airing_ended(&mut self, utc: Timestamp, playing: &Playing, sounded: &Sounded) {
        let cut_off = (sounded, playing.stopping) == (&Sounded::Stopped, Some(Cause::Emergency));
        if cut_off && self.pause(playing) {
            return;
        }
        let (outcome, cause) = match (sounded, playing.stopping) {
            (Sounded::Failed(_), _) => (Outcome::Failed, Some(Cause::Sound)),
            (Sounded::Finished, _) => (Outcome::Completed, None),
            (_, Some(Cause::Emergency)) => (Outcome::Preempted, Some(Cause::Emergency)),
            (_, cause) => (Outcome::Interrupted, cause.or(Some(Cause::Stopped))),
        };
        self.end_open_airing(utc, outcome, cause);
    }

    /// An airing that a power cut left open is told as it went; it is never begun again.
    pub(super) fn close_open_airing(&mut self, now: Now) {
        let Some(utc) = self.clock.utc(now.up) else { return };
        let plays = self.playing.as_ref().is_some_and(|playing| playing.what == What::Airing);
        if !plays && self.paused.is_none() && self.diary.open_airing().is_some() {
            self.end_open_airing(utc, Outcome::Interrupted, Some(Cause::Power));
        }
    }

    pub(super) fn end_open_airing(
        &mut self,
        utc: Timestamp,
        outcome: Outcome,
        cause: Option<Cause>,
    ) {
        let Some(open) = self.diary.open_airing().cloned() else { return };
        let hole = open.items.iter().any(|item| item.outcome != Outcome::Completed);
        let preempted = std::mem::take(&mut self.preempted);
        let (outcome, cause) = match outcome {
            Outcome::Completed if hole && preempted => (Outcome::Preempted, Some(Cause::Emergency)),
            Outcome::Completed if hole => (Outcome::Interrupted, Some(Cause::Missing)),
            outcome => (outcome, cause),
        };
        let event = Event::Airing {
            airing: open.airing,
            manifest: open.manifest,
            outcome,
            cause,
            evidence: evidence(&open.items, &std::mem::take(&mut self.sensed)),
            begun: Some(open.at),
            ended: (cause != Some(Cause::Power)).then_some(utc),
            items: open.items,
        };
        self.swear(utc, event);
    }
}

/// The weakest that is known of any item that sounded whole.
fn evidence(items: &[ItemReceipt], sensed: &BTreeMap<Digest, Evidence>) -> Evidence {
    let whole = items.iter().filter(|item| item.outcome == Outcome::Completed);
    weakest(whole.map(|item| &item.asset), sensed).unwrap_or(Evidence::Commanded)
}

/// The weakest that is known of any of these recordings, which sounded whole.
pub(super) fn weakest<'a>(
    assets: impl IntoIterator<Item = &'a Digest>,
    sensed: &BTreeMap<Digest, Evidence>,
) -> Option<Evidence> {
    let known = |asset| sensed.get(asset).copied().unwrap_or(Evidence::Rendered);
    assets.into_iter().map(known).min()
}

fn item_receipts(airing: &ManifestAiring, outcome: impl Fn(usize) -> Outcome) -> Vec<ItemReceipt> {
    let receipt = |(n, item): (usize, &Item)| ItemReceipt {
        bulletin: item.bulletin.clone(),
        language: item.language.clone(),
        asset: item.asset,
        outcome: outcome(n),
    };
    airing.items.iter().enumerate().map(receipt).collect()
}

/// The parts of an airing, and which item each one is.
pub(super) fn running_order(
    airing: &ManifestAiring,
    ready: &[bool],
) -> (Vec<Part>, Vec<Option<usize>>) {
    let mut order: Vec<(Part, Option<usize>)> = Vec::new();
    let gap = Duration::from_millis(airing.gap_ms.into());
    if airing.chime {
        order.push((Part::Tone(Tone::Opening), None));
    }
    let sounding = airing.items.iter().enumerate().filter(|(n, _)| ready[*n]);
    for (nth, (n, item)) in sounding.enumerate() {
        if nth > 0 && !gap.is_zero() {
            order.push((Part::Silence(gap), None));
        }
        let language = item.language.clone();
        order.push((Part::Sound { asset: item.asset, language }, Some(n)));
    }
    if airing.chime {
        order.push((Part::Tone(Tone::Closing), None));
    }
    order.into_iter().unzip()
}
