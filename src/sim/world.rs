//! Everything that is simulated, and the order in which it happens.

use std::rc::Rc;
use std::time::Duration;

use crate::agent::Input;
use crate::sim::chance::Chance;
use crate::sim::desk::Desk;
use crate::sim::network::{End, Manners, Network, Post};
use crate::sim::observer::Observer;
use crate::sim::queue::Queue;
use crate::sim::site::Site;
use crate::sim::station::Station;
use crate::sim::verdict::Verdict;
use crate::sim::{Plan, Weather};

/// How long the calm at the end lasts.
const CALM_AFTER: Duration = Duration::from_hours(24);

/// From when on a message counts as late.
const LATE: Duration = Duration::from_secs(1);

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A site's agent asked for a tick; counts only for this very moment.
    Wake(usize),
    /// A message comes to the end of its line.
    Arrive { end: End, line: u64, epoch: u64, post: Post },
    /// A site's link is there again.
    Connect(usize),
    /// A site's bulk connection is there.
    Bulk(usize, u64),
    /// A process of a site starts.
    Start(usize, u64),
    /// A part of what plays is over; one after the last is the end.
    Part { site: usize, life: u64, token: u64, part: usize },
    /// What was asked to stop has stopped.
    Stopped { site: usize, life: u64, token: u64 },
    /// The server writes what it gathered.
    Write(u64),
    /// The server's dispatch asked for a tick.
    Tick,
    /// The server starts.
    Serve(u64),
    /// The server's link is there.
    Join(u64),
    /// The planner looks for what changed.
    Issue,
    /// Every manifest is issued anew.
    IssueAnew,
    /// An approver signs the bulletins of this day.
    Approve(u32),
    /// An officer raises an emergency.
    Raise,
    /// Officers take one back.
    TakeBack,
    /// The power of a site fails for seconds, while a warning sounds.
    Flicker(usize),
    /// The storm is over.
    Calm,
    /// Trouble of this kind.
    Fault(usize),
    /// A client finds out that its line is dead.
    Notice(usize, u64),
    /// The power of a site is there again.
    PowerBack(usize),
    /// There is room in a flash again.
    Free(usize),
    /// The broker is in right hands again.
    Honest,
    /// A loudspeaker fails.
    Failed { site: usize, life: u64, token: u64 },
}

/// The whole simulation.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) now: Duration,
    pub(super) chance: Chance,
    pub(super) queue: Queue<Event>,
    pub(super) network: Network,
    pub(super) sites: Vec<Site>,
    pub(super) desk: Desk,
    pub(super) station: Station,
    pub(super) observer: Observer,
    pub(super) manners: Manners,
}

impl World {
    pub(super) fn new(plan: Plan, watched: Option<usize>) -> Self {
        let mut chance = Chance::new(plan.seed);
        let station = Station::new(plan.seed, plan.controllers, plan.signatures);
        let villages = station.villages.len();
        let site = |nth| Site::new(nth, nth % villages, chance.number(-40, 40));
        let sites: Vec<Site> = (0..plan.controllers).map(site).collect();
        let topics = crate::protocol::Topics::new(station.net());
        let network = Network::new(topics, sites.iter().map(|site| site.id.clone()));
        let stormy = plan.weather == Weather::Storm;
        Self {
            plan,
            now: Duration::ZERO,
            chance,
            queue: Queue::new(),
            network,
            observer: Observer::new(plan.controllers, watched),
            sites,
            desk: Desk::new(),
            station,
            manners: Manners { stormy, malign: false },
        }
    }

    fn end(&self) -> Duration {
        self.storm_end() + CALM_AFTER
    }

    pub(super) fn storm_end(&self) -> Duration {
        Duration::from_hours(24) * self.plan.days
    }

    pub(super) fn live(mut self) -> Verdict {
        self.begin();
        while let Some((at, event)) = self.queue.next().filter(|(at, _)| *at < self.end()) {
            self.now = at;
            self.happen(event);
        }
        self.now = self.end();
        let events = self.queue.count();
        let Self { plan, now, sites, desk, station, observer, .. } = self;
        observer.judge(plan, now, events, &sites, &desk, &station)
    }

    fn begin(&mut self) {
        for day in 0..2 {
            self.station.approve_day(Duration::ZERO, day, &mut self.chance);
        }
        for day in 2..=self.plan.days {
            let at = Duration::from_hours(24) * (day - 2) + Duration::from_hours(15);
            self.queue.put(at, Event::Approve(day));
        }
        self.queue.put(Duration::ZERO, Event::Serve(0));
        self.queue.put(Duration::from_mins(1), Event::Issue);
        for site in 0..self.sites.len() {
            let at = self.chance.length(Duration::ZERO, Duration::from_mins(2));
            self.queue.put(at, Event::Start(site, 0));
        }
        self.queue.put(Duration::from_hours(9), Event::Raise);
        if self.plan.weather == Weather::Storm {
            self.gather_clouds();
            self.queue.put(self.storm_end(), Event::Calm);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake(site) if self.sites[site].wake == Some(self.now) => {
                self.sites[site].wake = None;
                self.give(site, Input::Tick);
            }
            Event::Wake(_) => {}
            Event::Arrive { end, line, epoch, post } => self.arrive(end, line, epoch, &post),
            Event::Connect(site) => self.connect(site),
            Event::Bulk(site, line) => self.bulk_up(site, line),
            Event::Start(site, life) => self.start(site, life),
            Event::Part { site, life, token, part } => self.part_over(site, life, token, part),
            Event::Stopped { site, life, token } => self.stopped(site, life, token),
            Event::Write(life) => self.write(life),
            Event::Tick => self.tick_server(),
            Event::Serve(life) => self.serve(life),
            Event::Join(life) => self.join(life),
            Event::Issue => self.issue_again(),
            Event::IssueAnew => self.issue_anew(),
            Event::Approve(day) => {
                self.station.approve_day(self.now, day, &mut self.chance);
                self.offer();
                self.issue();
            }
            Event::Raise => self.raise_again(),
            Event::TakeBack => self.cancel(),
            Event::Flicker(site) => self.flicker(site),
            Event::Calm => self.calm(),
            Event::Fault(nth) => self.strike(nth),
            Event::Notice(site, line) => self.notice(site, line),
            Event::PowerBack(site) => self.power_back(site),
            Event::Free(site) => self.sites[site].flash.full = false,
            Event::Honest => self.honest(),
            Event::Failed { site, life, token } => self.speaker_fails(site, life, token),
        }
    }

    /// Carries a message from the broker to everybody who reads its topic.
    pub(super) fn route(&mut self, post: &Post) {
        let fetches = |site: usize, asset| self.sites[site].bulk.contains(&asset);
        for end in self.network.readers(&post.topic, fetches) {
            self.deliver(end, post);
        }
    }

    fn deliver(&mut self, end: End, post: &Post) {
        let is_there = match end {
            End::Server => self.desk.up,
            End::Main(site) => self.sites[site].up,
            End::Bulk(site) => self.sites[site].up && self.sites[site].bulk_up,
        };
        if matches!(end, End::Bulk(_)) && !is_there {
            return;
        }
        if !is_there {
            if post.qos1 {
                self.network.hold(end, Rc::clone(post));
            }
            return;
        }
        let manners = self.manners;
        if manners.loses(post.qos1, &mut self.chance) {
            return self.observer.fault("message lost");
        }
        if manners.withholds(&mut self.chance) {
            return self.observer.fault("message withheld");
        }
        if matches!(end, End::Bulk(_)) && manners.alters(&mut self.chance) {
            return self.send_altered(end, post);
        }
        self.send_to(end, post);
        if manners.doubles(&mut self.chance) {
            self.observer.fault("message doubled");
            self.send_to(end, post);
        }
    }

    /// Puts a message on the line to `end`.
    pub(super) fn send_to(&mut self, end: End, post: &Post) {
        let delay = self.manners.delay(&mut self.chance);
        if delay > LATE {
            self.observer.fault("message late");
        }
        let (line, epoch) = (self.line(end), self.network.epoch);
        let post = Rc::clone(post);
        self.queue.put(self.now + delay, Event::Arrive { end, line, epoch, post });
    }

    fn line(&self, end: End) -> u64 {
        match end {
            End::Server => self.desk.line,
            End::Main(site) => self.sites[site].line,
            End::Bulk(site) => self.sites[site].bulk_line,
        }
    }

    fn arrive(&mut self, end: End, line: u64, epoch: u64, post: &Post) {
        if self.line(end) != line {
            // The broker saw no acknowledgement: it sends it again to the next connection.
            if post.qos1 && !matches!(end, End::Bulk(_)) && epoch == self.network.epoch {
                self.deliver(end, post);
            }
            return;
        }
        match end {
            End::Server => self.serve_message(post),
            End::Main(site) | End::Bulk(site) => self.hand_in(site, post),
        }
    }
}
