//! What goes wrong, how often, and for how long.

use std::time::Duration;

use crate::agent::Input;
use crate::sim::desk::Crash;
use crate::sim::network::Manners;
use crate::sim::station::Turn;
use crate::sim::world::{Event, World};

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// One link is lost.
    Link,
    /// A whole commune is cut off.
    Partition,
    /// The power of one controller fails.
    Power,
    /// The system clock of one controller jumps.
    Clock,
    /// The flash of one controller is full.
    Full,
    /// The broker restarts and has forgotten everything.
    Broker,
    /// The broker falls into wrong hands.
    Malice,
    /// It plays something again, where it belongs or elsewhere.
    Replay,
    /// It, or somebody with a stolen key, makes something up.
    Forgery,
    /// The server's schedule key is in wrong hands.
    Mischief,
    /// The server crashes between two steps of a write.
    Crash,
    /// Somebody copies store and log.
    Backup,
    /// The server starts again from the copy.
    Restore,
    /// A recording is withdrawn.
    Withdrawal,
    /// A key is replaced.
    Rotation,
    /// A controller is stolen and revoked.
    Theft,
    /// The station gives an order.
    Order,
    /// An emergency is taken back.
    Cancel,
}

/// How often, in minutes: over the whole fleet, or for each controller.
const FAULTS: [(Fault, u32, bool); 18] = [
    (Fault::Link, 12 * 60, true),
    (Fault::Partition, 9 * 60, false),
    (Fault::Power, 30 * 60, true),
    (Fault::Clock, 50 * 60, true),
    (Fault::Full, 90 * 60, true),
    (Fault::Broker, 18 * 60, false),
    (Fault::Malice, 7 * 60, false),
    (Fault::Replay, 2, false),
    (Fault::Forgery, 2, false),
    (Fault::Mischief, 60, false),
    (Fault::Crash, 11 * 60, false),
    (Fault::Backup, 16 * 60, false),
    (Fault::Restore, 45 * 60, false),
    (Fault::Withdrawal, 10 * 60, false),
    (Fault::Rotation, 30 * 60, false),
    (Fault::Theft, 70 * 60, false),
    (Fault::Order, 90, false),
    (Fault::Cancel, 9 * 60, false),
];

/// How long a commune, or one controller, may be cut off.
const DARK: [Duration; 2] = [Duration::from_secs(5), Duration::from_hours(5)];

/// How long it may take after a new schedule key until every manifest is signed with it.
const ISSUE_ANEW: Duration = Duration::from_hours(3);

/// How long a rebel holds up the manifests that take his airings out.
const REBELLION: Duration = Duration::from_mins(15);

/// How long the power may be off.
const OFF: [Duration; 2] = [Duration::from_secs(3), Duration::from_hours(3)];

/// The same where it fails for a moment.
const FLICKER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(40)];

impl World {
    /// The storm begins.
    pub(super) fn gather_clouds(&mut self) {
        for nth in 0..FAULTS.len() {
            self.again(nth);
        }
    }

    fn again(&mut self, nth: usize) {
        let (_, minutes, each) = FAULTS[nth];
        let fleet = if each { u32::try_from(self.sites.len()).unwrap_or(u32::MAX) } else { 1 };
        let mean = Duration::from_mins(minutes.into()) / fleet;
        let at = self.now + self.chance.until_next(mean);
        if at < self.storm_end() {
            self.queue.put(at, Event::Fault(nth));
        }
    }

    pub(super) fn strike(&mut self, nth: usize) {
        self.again(nth);
        let site = self.chance.below(self.sites.len());
        match FAULTS[nth].0 {
            Fault::Link => self.lose_link(site, "link lost"),
            Fault::Partition => self.part(),
            Fault::Power => self.cut_power(site, "power cut"),
            Fault::Clock => self.step_clock(site),
            Fault::Full => self.fill(site),
            Fault::Broker => self.restart_broker("broker forgot all"),
            Fault::Malice => self.corrupt(),
            Fault::Replay => self.replay(),
            Fault::Forgery => self.forge(site),
            Fault::Mischief => self.make_mischief(site),
            Fault::Crash => {
                let crashes = [Crash::BeforeStore, Crash::BetweenStoreAndLog, Crash::BeforeAck];
                self.desk.crash = self.chance.pick(&crashes).copied();
            }
            Fault::Backup => self.desk.back_up(),
            Fault::Restore => self.restore_server(),
            Fault::Withdrawal => self.withdraw(),
            Fault::Rotation => self.rotate(),
            Fault::Theft => self.steal(site),
            Fault::Order => self.order(site),
            Fault::Cancel => self.cancel(),
        }
    }

    fn lose_link(&mut self, site: usize, kind: &'static str) {
        self.observer.fault(kind);
        let length = if self.chance.once_in(12) {
            self.chance.length(DARK[1], Duration::from_hours(40))
        } else {
            self.chance.length(DARK[0], DARK[1])
        };
        self.darken(site, length);
    }

    fn darken(&mut self, site: usize, length: Duration) {
        let until = self.now + length;
        self.observer.link(site, self.now, "link lost");
        let it = &mut self.sites[site];
        it.dark_until = it.dark_until.max(until);
        it.up = false;
        it.line += 1;
        it.bulk_up = false;
        it.bulk_line += 1;
        let notice = self.chance.length(Duration::from_millis(10), Duration::from_secs(40));
        self.queue.put(self.now + notice, Event::Notice(site, self.sites[site].line));
        self.queue.put(until, Event::Connect(site));
    }

    /// A client finds out that its line is dead.
    pub(super) fn notice(&mut self, site: usize, line: u64) {
        let it = &mut self.sites[site];
        if it.line == line && !it.up && std::mem::take(&mut it.told_up) {
            self.give(site, Input::MainDown);
            self.give(site, Input::BulkDown);
        }
    }

    fn part(&mut self) {
        self.observer.fault("commune cut off");
        let village = self.chance.below(self.station.villages.len());
        let commune = self.station.villages[village].areas[1].clone();
        let length = self.chance.length(DARK[0], DARK[1]);
        for site in 0..self.sites.len() {
            if self.station.villages[self.sites[site].village].areas.contains(&commune) {
                self.darken(site, length);
            }
        }
    }

    /// The power fails: what was not durable is gone, and the clock perhaps.
    pub(super) fn cut_power(&mut self, site: usize, kind: &'static str) {
        let off = self.chance.length(OFF[0], OFF[1]);
        self.cut_power_for(off, site, kind);
    }

    /// The wire that the warning speaks of swings in the wind.
    pub(super) fn flicker(&mut self, site: usize) {
        let off = self.chance.length(FLICKER[0], FLICKER[1]);
        self.cut_power_for(off, site, "power cut in a warning");
    }

    fn cut_power_for(&mut self, off: Duration, site: usize, kind: &'static str) {
        if !self.sites[site].powered {
            return;
        }
        self.observer.fault(kind);
        self.observer.ended(site, self.now);
        let back = self.now + off;
        let battery_dead = self.chance.once_in(5);
        let rots = self.chance.once_in(10);
        let it = &mut self.sites[site];
        it.end();
        (it.powered, it.up) = (false, false);
        it.line += 1;
        it.flash.lose_power(&mut self.chance);
        it.reset_clock(back, battery_dead);
        if battery_dead || !self.sites[site].rtc {
            self.observer.fault("clock reset to 1970");
        }
        if rots && self.sites[site].flash.rot(&mut self.chance) {
            self.observer.fault("flash rotted");
        }
        self.queue.put(back, Event::PowerBack(site));
    }

    pub(super) fn power_back(&mut self, site: usize) {
        if !std::mem::replace(&mut self.sites[site].powered, true) {
            let life = self.sites[site].life;
            self.start(site, life);
        }
    }

    /// Somebody or something sets the system clock of a running board.
    fn step_clock(&mut self, site: usize) {
        if !self.sites[site].powered {
            return;
        }
        self.observer.fault("clock stepped");
        let day = 86_400_000_000;
        self.sites[site].offset += self.chance.number(-day, day);
    }

    fn fill(&mut self, site: usize) {
        self.observer.fault("flash full");
        self.sites[site].flash.full = true;
        let length = self.chance.length(Duration::from_mins(1), Duration::from_mins(40));
        self.queue.put(self.now + length, Event::Free(site));
    }

    pub(super) fn restart_broker(&mut self, kind: &'static str) {
        self.observer.fault(kind);
        self.network.forget();
        for site in 0..self.sites.len() {
            let length = self.chance.length(Duration::from_millis(300), Duration::from_mins(1));
            self.darken(site, length);
        }
        if self.desk.up {
            self.desk.up = false;
            self.desk.line += 1;
            self.tell_server(crate::dispatch::Input::Down);
        }
        let wait = self.chance.length(Duration::from_millis(300), Duration::from_secs(10));
        self.queue.put(self.now + wait, Event::Join(self.desk.life));
    }

    fn corrupt(&mut self) {
        if self.manners.malign {
            return;
        }
        self.observer.fault("broker in wrong hands");
        self.manners.malign = true;
        let length = self.chance.length(Duration::from_mins(30), Duration::from_hours(5));
        self.queue.put(self.now + length, Event::Honest);
    }

    /// The broker is found out and replaced.
    pub(super) fn honest(&mut self) {
        if std::mem::take(&mut self.manners.malign) {
            self.restart_broker("broker replaced");
        }
    }

    fn restore_server(&mut self) {
        if self.desk.restore() {
            self.observer.fault("server restored from a backup");
            self.server_dies();
        }
    }

    /// The server's process ends; it comes back.
    pub(super) fn server_dies(&mut self) {
        self.desk.end();
        let wait = self.chance.length(Duration::from_secs(2), Duration::from_mins(5));
        self.queue.put(self.now + wait, Event::Serve(self.desk.life));
    }

    fn withdraw(&mut self) {
        if let Some(asset) = self.station.withdraw(self.now, &mut self.chance) {
            self.observer.fault("recording withdrawn");
            self.offer();
            if self.air_anyway(asset) {
                self.queue.put(self.now + REBELLION, Event::IssueAnew);
            } else {
                self.issue();
            }
        }
    }

    fn rotate(&mut self) {
        self.observer.fault("key replaced");
        let turns = [Turn::Approver, Turn::Schedule, Turn::Root];
        let turn = self.chance.pick(&turns).copied().unwrap_or(Turn::Approver);
        self.station.rotate(self.now, turn);
        self.tell_server(crate::dispatch::Input::Trust(self.station.trust_notes()));
        self.offer();
        if turn == Turn::Schedule {
            // Until then controllers hold what a revoked key signed.
            let wait = self.chance.length(Duration::ZERO, ISSUE_ANEW);
            self.queue.put(self.now + wait, Event::IssueAnew);
        }
    }

    fn steal(&mut self, site: usize) {
        let few = self.station.stolen.len() < self.sites.len() / 8;
        let id = self.sites[site].id.clone();
        if few && !self.station.stolen.contains(&id) {
            self.observer.fault("controller stolen");
            self.station.revoke(self.now, &id);
            self.tell_server(crate::dispatch::Input::Trust(self.station.trust_notes()));
            self.tell_server(crate::dispatch::Input::Revoked(id));
        }
    }

    pub(super) fn cancel(&mut self) {
        if let Some(alarm) = self.station.cancel(self.now, &self.sites, &mut self.chance) {
            self.observer.fault("emergency taken back");
            self.tell_server(crate::dispatch::Input::Emergency(Box::new(alarm)));
        }
    }

    /// The storm is over: everything that is broken is mended within minutes.
    pub(super) fn calm(&mut self) {
        self.honest();
        self.manners = Manners { stormy: false, malign: false };
        self.desk.crash = None;
        for site in 0..self.sites.len() {
            self.sites[site].flash.full = false;
            let at = self.now + self.chance.length(Duration::from_secs(1), Duration::from_mins(5));
            self.sites[site].dark_until = at;
            self.queue.put(at, Event::Connect(site));
            self.queue.put(at, Event::PowerBack(site));
        }
    }
}
