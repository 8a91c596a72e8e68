//! Light controllers: they connect, ask and answer as ours do, and keep nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::ground::{Device, Ground};
use crate::broker::{Link, LinkEvent, LinkOptions, Qos};
use crate::clock::Clock;
use crate::digest::Digest;
use crate::id::{EmergencyId, NetId};
use crate::note::Note;
use crate::protocol::{Ack, Down, Emergency, Topic, Topics, Up, Want, bitmap, decode, encode};
use crate::receipt::{Batch, EmergencyStep, Event, Receipt, next_link};
use crate::server::Alarm;
use crate::time::Uptime;

/// Connections that are being made at a time.
const CONNECTING_MAX: usize = 64;

/// Reports that may wait: more than one of each kind from every controller.
const REPORTS_MAX: usize = 64 * 1024;

/// After so long without a block, what is missing is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(4);

/// After so long without an acknowledgement, receipts are sent again.
const SEND_AGAIN: Duration = Duration::from_secs(15);

/// Between two measurements, so that what is on its way arrives.
const PAUSE: Duration = Duration::from_secs(1);

/// Over how long the first questions of all controllers are spread, as ours spread them.
const SPREAD: Duration = Duration::from_millis(200);

/// What everybody does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Wait,
    /// Count the blocks that come.
    Listen,
    /// Ask for the recording.
    Fetch,
}

/// What one controller tells.
#[derive(Debug)]
enum Report {
    Ready,
    Refused(String),
    /// It has every block; when the first came, bytes on the wire, questions after the first.
    Complete {
        first: Uptime,
        at: Uptime,
        bytes: u64,
        asked_again: usize,
    },
    /// An emergency came, on a topic of this area.
    Heard {
        member: usize,
        at: Uptime,
        area: String,
        id: EmergencyId,
        note: Option<String>,
    },
    /// Every receipt so far is in the log.
    Acknowledged {
        at: Uptime,
        upto: u64,
    },
}

/// How a fetch went.
pub(super) struct Told {
    /// From the beginning until the first block came anywhere.
    pub(super) gathered: Duration,
    /// From then on until the last came everywhere.
    pub(super) took: Duration,
    pub(super) bytes_ratio: f64,
    pub(super) asked_again: usize,
}

/// All controllers.
pub(super) struct Crowd {
    pub(super) clock: Clock,
    task: watch::Sender<Task>,
    reports: mpsc::Receiver<Report>,
    members: JoinSet<()>,
    count: usize,
    asset_bytes: u64,
}

impl Crowd {
    /// Connects everybody, and waits until they have subscribed.
    pub(super) async fn gather(ground: &mut Ground, clock: Clock) -> anyhow::Result<Self> {
        let (task, told) = watch::channel(Task::Wait);
        let (send, reports) = mpsc::channel(REPORTS_MAX);
        let room = Arc::new(Semaphore::new(CONNECTING_MAX));
        let mut members = JoinSet::new();
        let devices = std::mem::take(&mut ground.devices);
        let count = devices.len();
        for (number, device) in devices.into_iter().enumerate() {
            let member = Member::new(number, device, ground, clock, send.clone());
            let (told, room) = (told.clone(), Arc::clone(&room));
            members.spawn(member.live(told, room));
        }
        let asset_bytes = ground.asset_bytes;
        let mut crowd = Self { clock, task, reports, members, count, asset_bytes };
        for _ in 0..count {
            match crowd.next(super::ROUND_MAX).await? {
                Report::Ready => {}
                Report::Refused(why) => bail!("the broker refuses a controller: {why}"),
                _ => bail!("a controller told of what it was not asked"),
            }
        }
        Ok(crowd)
    }

    async fn next(&mut self, max: Duration) -> anyhow::Result<Report> {
        let report = tokio::time::timeout(max, self.reports.recv()).await;
        let report = report.with_context(|| {
            format!("a controller told nothing for {max:?}; a slower pace (--kbit-s) may help")
        })?;
        report.context("every controller ended")
    }

    /// Everybody fetches the recording, through the protocol.
    pub(super) async fn fetch(&mut self) -> anyhow::Result<Told> {
        let began = self.clock.now().up;
        self.task.send_replace(Task::Fetch);
        self.until_complete(began).await
    }

    /// Everybody counts the blocks that come.
    pub(super) fn listen(&self) {
        self.task.send_replace(Task::Listen);
    }

    /// Waits until everybody has every block.
    pub(super) async fn until_complete(&mut self, began: Uptime) -> anyhow::Result<Told> {
        let (mut earliest, mut last) = (None::<Uptime>, began);
        let (mut most, mut asked_again) = (0, 0);
        let mut complete = 0;
        while complete < self.count {
            if let Report::Complete { first, at, bytes, asked_again: again } =
                self.next(super::ROUND_MAX).await?
            {
                complete += 1;
                last = last.max(at);
                earliest = Some(earliest.map_or(first, |earliest| earliest.min(first)));
                most = most.max(bytes);
                asked_again += again;
            }
        }
        self.task.send_replace(Task::Wait);
        tokio::time::sleep(PAUSE).await;
        #[expect(clippy::cast_precision_loss, reason = "a recording is far below 2^52 bytes")]
        let bytes_ratio = most as f64 / self.asset_bytes as f64;
        let first = earliest.unwrap_or(last);
        let (gathered, took) = (first.since(began), last.since(first));
        Ok(Told { gathered, took, bytes_ratio, asked_again })
    }

    /// Two officers raise an emergency; its note, how long after the second one's word each
    /// controller had it, and how long until all their receipts were in the log.
    pub(super) async fn emergency(
        &mut self,
        ground: &Ground,
        run: usize,
    ) -> anyhow::Result<(String, Vec<Duration>, Duration)> {
        let alarm = Alarm {
            id: format!("do-thu-{run}").parse()?,
            bulletin: "khan".parse()?,
            areas: vec!["tinh".parse()?],
            repeat: 1,
            gap_ms: 0,
            lasts: Duration::from_mins(30),
        };
        ground.raise(&alarm).await?;
        tokio::time::sleep(PAUSE).await;
        let began = self.clock.now().up;
        ground.confirm(&alarm).await?;
        let mut waits = Vec::with_capacity(self.count);
        let mut seen = BTreeSet::new();
        let (mut text, mut logged, mut last) = (None, 0, began);
        while waits.len() < self.count || logged < self.count {
            match self.next(super::ROUND_MAX).await? {
                Report::Heard { member, at, area, id, note }
                    if area == "tinh" && id == alarm.id && seen.insert(member) =>
                {
                    waits.push(at.since(began));
                    text = text.or(note);
                }
                Report::Acknowledged { at, upto } if upto == receipts(run) => {
                    logged += 1;
                    last = last.max(at);
                }
                _ => {}
            }
        }
        tokio::time::sleep(PAUSE).await;
        Ok((text.context("the first controller heard it")?, waits, last.since(began)))
    }

    /// How long after `began` each controller heard what was put in without the protocol.
    pub(super) async fn hears_bare(
        &mut self,
        run: usize,
        began: Uptime,
    ) -> anyhow::Result<Vec<Duration>> {
        let expected = super::bare_area(run);
        let mut waits = Vec::with_capacity(self.count);
        let mut seen = BTreeSet::new();
        while waits.len() < self.count {
            if let Report::Heard { member, at, area, .. } = self.next(super::ROUND_MAX).await?
                && area == expected
                && seen.insert(member)
            {
                waits.push(at.since(began));
            }
        }
        tokio::time::sleep(PAUSE).await;
        Ok(waits)
    }

    pub(super) async fn part(mut self) {
        self.members.shutdown().await;
    }
}

/// Receipts of one controller after so many emergencies: accepted and begun, of each.
fn receipts(run: usize) -> u64 {
    run as u64 * 2
}

struct Member {
    number: usize,
    device: Device,
    net: NetId,
    topics: Topics,
    asset: Digest,
    blocks: u32,
    main: LinkOptions,
    bulk: LinkOptions,
    clock: Clock,
    reports: mpsc::Sender<Report>,
    /// Blocks that came in this round.
    have: BTreeSet<u32>,
    first: Uptime,
    bytes: u64,
    questions: usize,
    task: Task,
    /// The link after each receipt; the first is the one before all.
    links: Vec<Digest>,
    lines: Vec<String>,
    acknowledged: u64,
    known: BTreeSet<EmergencyId>,
}

impl Member {
    fn new(
        number: usize,
        device: Device,
        ground: &Ground,
        clock: Clock,
        reports: mpsc::Sender<Report>,
    ) -> Self {
        let options = |name: String, seed: u64| LinkOptions {
            client_id: name,
            user: device.controller.to_string(),
            password: device.password.clone(),
            ..ground.options(seed)
        };
        let seed = number as u64 * 2;
        let main = options(device.controller.to_string(), seed);
        let bulk = options(format!("{}-bulk", device.controller), seed + 1);
        Self {
            number,
            net: ground.net.clone(),
            topics: Topics::new(&ground.net),
            asset: ground.asset,
            blocks: u32::try_from(ground.blocks.len()).expect("a recording has few blocks"),
            main,
            bulk,
            clock,
            reports,
            device,
            have: BTreeSet::new(),
            first: Uptime::START,
            bytes: 0,
            questions: 0,
            task: Task::Wait,
            links: vec![Digest::ZERO],
            lines: vec![],
            acknowledged: 0,
            known: BTreeSet::new(),
        }
    }

    async fn live(mut self, mut told: watch::Receiver<Task>, room: Arc<Semaphore>) {
        let permit = room.acquire().await;
        let mut main = Link::open(self.main.clone());
        let filters = self.topics.main_filters(&self.device.controller);
        let mut bulk = Link::open(self.bulk.clone());
        let watched = [self.topics.asset_filter(self.asset)];
        for (link, filters) in [(&mut main, &filters[..]), (&mut bulk, &watched[..])] {
            if let Err(why) = subscribed(link, filters).await {
                self.tell(Report::Refused(why)).await;
                return;
            }
        }
        drop(permit);
        self.tell(Report::Ready).await;
        let mut last = self.clock.now().up;
        loop {
            let unanswered = self.acknowledged < self.lines.len() as u64;
            let wait = match self.task {
                Task::Fetch if self.have.len() < self.blocks as usize => ASK_AGAIN,
                _ if unanswered => SEND_AGAIN,
                _ => Duration::MAX,
            };
            let patience = self.clock.until(last + wait.min(Duration::from_hours(1)));
            tokio::select! {
                event = main.next() => self.hear(&main, event).await,
                event = bulk.next() => if self.count(&main, event).await { last = self.clock.now().up },
                changed = told.changed() => {
                    if changed.is_err() { return }
                    let task = *told.borrow_and_update();
                    self.begin(&main, task).await;
                    last = self.clock.now().up;
                }
                () = tokio::time::sleep(patience) => {
                    last = self.clock.now().up;
                    if wait == ASK_AGAIN { self.ask(&main).await }
                    if wait == SEND_AGAIN { self.send_receipts(&main).await }
                }
            }
        }
    }

    async fn tell(&self, report: Report) {
        // Nobody listens any more when the benchmark ends.
        let _ = self.reports.send(report).await;
    }

    async fn begin(&mut self, main: &Link, task: Task) {
        self.task = task;
        if task == Task::Wait {
            return;
        }
        self.have.clear();
        (self.bytes, self.questions) = (0, 0);
        if task == Task::Fetch {
            let share = u32::try_from(self.number * 7_919 % 1_000).expect("it is below 1,000");
            tokio::time::sleep(SPREAD * share / 1_000).await;
            self.ask(main).await;
        }
    }

    /// The first question is for the descriptor alone.
    async fn ask(&mut self, main: &Link) {
        let info = self.questions == 0;
        self.questions += 1;
        let missing = (0..self.blocks).filter(|n| !self.have.contains(n));
        let missing = if info { String::new() } else { bitmap::encode(missing, self.blocks) };
        let controller = self.device.controller.clone();
        let want = Want { controller, asset: self.asset, info, missing };
        let topic = self.topics.up(&self.device.controller, Up::Want);
        let note = self.device.signer.sign(&encode(&self.net, &want));
        // What is lost is asked for again.
        let _ = main.publish(&topic, note.into_bytes(), Qos::AtLeastOnce, false).await;
    }

    /// Whether a block or the descriptor came.
    async fn count(&mut self, main: &Link, event: LinkEvent) -> bool {
        let LinkEvent::Message { topic, payload, .. } = event else { return false };
        if self.task == Task::Wait {
            return false;
        }
        self.bytes += packet_bytes(topic.len(), payload.len());
        match self.topics.parse(&topic) {
            Some(Topic::Info(_)) if self.questions == 1 => self.ask(main).await,
            Some(Topic::Block(_, n)) => {
                let at = self.clock.now().up;
                if self.have.is_empty() {
                    self.first = at;
                }
                let is_new = self.have.insert(n);
                if is_new && self.have.len() == self.blocks as usize {
                    let (first, bytes) = (self.first, self.bytes);
                    let asked_again = self.questions.saturating_sub(2);
                    self.tell(Report::Complete { first, at, bytes, asked_again }).await;
                }
            }
            _ => {}
        }
        true
    }

    async fn hear(&mut self, main: &Link, event: LinkEvent) {
        let LinkEvent::Message { topic, payload, .. } = event else { return };
        let at = self.clock.now().up;
        match self.topics.parse(&topic) {
            Some(Topic::AreaEmergency(area)) => {
                let Ok(note) = Note::parse(&payload) else { return };
                let Ok(emergency) = decode::<Emergency>(&self.net, note.text()) else { return };
                let text = (self.number == 0).then(|| String::from_utf8_lossy(&payload).into());
                let (member, id, area) = (self.number, emergency.id, area.to_string());
                self.tell(Report::Heard { member, at, area, id: id.clone(), note: text }).await;
                if self.known.insert(id.clone()) {
                    self.swear(&id);
                    self.send_receipts(main).await;
                }
            }
            Some(Topic::Down(_, Down::Ack)) => {
                let Ok(note) = Note::parse(&payload) else { return };
                let Ok(ack) = decode::<Ack>(&self.net, note.text()) else { return };
                if ack.upto > self.acknowledged {
                    self.acknowledged = ack.upto;
                    self.tell(Report::Acknowledged { at, upto: ack.upto }).await;
                }
            }
            _ => {}
        }
    }

    fn swear(&mut self, id: &EmergencyId) {
        for step in [EmergencyStep::Accepted, EmergencyStep::Begun] {
            let (emergency, attempt, languages) = (id.clone(), 1, vec![]);
            let event = Event::Emergency { emergency, step, attempt, evidence: None, languages };
            let n = self.lines.len() as u64 + 1;
            let line = Receipt { n, at: self.clock.now().utc, event }.line();
            let before = *self.links.last().expect("there is a first");
            self.links.push(next_link(before, &line));
            self.lines.push(line);
        }
    }

    async fn send_receipts(&self, main: &Link) {
        let from = usize::try_from(self.acknowledged).expect("a few receipts");
        let raw = |line: &String| serde_json::value::RawValue::from_string(line.clone());
        let receipts = self.lines[from..].iter().map(|line| raw(line).expect("it is JSON"));
        let batch = Batch {
            controller: self.device.controller.clone(),
            chain: "0123456789abcdef".to_owned(),
            first: self.acknowledged + 1,
            kept: 1,
            prev: self.links[from],
            receipts: receipts.collect(),
        };
        let note = self.device.signer.sign(&encode(&self.net, &batch));
        let topic = self.topics.up(&self.device.controller, Up::Receipts);
        // Sent again while it is not acknowledged.
        let _ = main.publish(&topic, note.into_bytes(), Qos::AtLeastOnce, false).await;
    }
}

/// Connects and subscribes; why not, otherwise.
async fn subscribed(link: &mut Link, filters: &[String]) -> Result<(), String> {
    loop {
        match link.next().await {
            LinkEvent::Up { .. } => link.subscribe(filters).await.map_err(|e| e.to_string())?,
            LinkEvent::Subscribed { .. } => return Ok(()),
            LinkEvent::Refused { reason } => return Err(reason),
            LinkEvent::Denied { filters } => return Err(format!("{filters:?} denied")),
            _ => {}
        }
    }
}

/// Bytes of a PUBLISH at most once: MQTT 3.1.1 §3.3.
fn packet_bytes(topic: usize, payload: usize) -> u64 {
    let rest = 2 + topic + payload;
    let length = if rest < 128 {
        1
    } else if rest < 16_384 {
        2
    } else {
        3
    };
    (1 + length + rest) as u64
}
