//! A server that is killed again and again while devices send receipts.
//!
//! `LOABAN_KILLS=200 cargo test --test whole load` kills it two hundred times.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loaban::broker::{Link, LinkEvent, LinkOptions, Pace, Qos};
use loaban::digest::Digest;
use loaban::id::{ControllerId, NetId};
use loaban::note::{Note, Signer};
use loaban::protocol::{Ack, Down, Topics, Up, decode, encode};
use loaban::receipt::{Batch, Event, Receipt, next_link};
use loaban::time::Timestamp;
use serde_json::value::RawValue;

use crate::cast::{Station, checkout, free_port, provision, start_server, wait_for};

/// How often the server is killed where nobody says otherwise.
const KILLS: u64 = 20;

/// Receipts that a device has in flight at most.
const WINDOW: u64 = 16;

const DEVICES: [&str; 3] = ["mu-ca-1", "muong-te-1", "khong-lao-1"];

/// A device that sends receipts as fast as they are acknowledged.
struct Device {
    net: NetId,
    controller: ControllerId,
    signer: Signer,
    topics: Topics,
    /// The link after each receipt; the first is the one before all.
    links: Vec<Digest>,
    lines: Vec<String>,
    acknowledged: Arc<AtomicU64>,
}

impl Device {
    fn new(station: &Station, controller: &str, acknowledged: Arc<AtomicU64>) -> Self {
        let key = station.path("devices").join(controller).join("state/device.key");
        let net: NetId = "thu".parse().unwrap();
        Self {
            topics: Topics::new(&net),
            net,
            controller: controller.parse().unwrap(),
            signer: loaban::vault::load_key(&key).unwrap().unwrap(),
            links: vec![Digest::ZERO],
            lines: vec![],
            acknowledged,
        }
    }

    /// The note of the receipts behind the last that was acknowledged.
    fn batch(&mut self) -> String {
        let done = self.acknowledged.load(Ordering::SeqCst);
        while (self.lines.len() as u64) < done + WINDOW {
            let n = self.lines.len() as u64 + 1;
            let event = Event::Boot { boot: n, software: "0.1.0".to_owned() };
            let at = Timestamp::from_seconds(1_795_000_000 + i64::try_from(n).unwrap());
            let line = Receipt { n, at, event }.line();
            self.links.push(next_link(*self.links.last().unwrap(), &line));
            self.lines.push(line);
        }
        let from = usize::try_from(done).unwrap();
        let raw = |line: &String| RawValue::from_string(line.clone()).unwrap();
        let batch = Batch {
            controller: self.controller.clone(),
            chain: "0123456789abcdef".to_owned(),
            first: done + 1,
            kept: 1,
            prev: self.links[from],
            receipts: self.lines[from..].iter().map(raw).collect(),
        };
        self.signer.sign(&encode(&self.net, &batch))
    }

    /// Sends for ever, whatever happens to the server.
    async fn work(mut self, broker: String, password: String) {
        let user = self.controller.to_string();
        let seed = user.len() as u64;
        let pace = Pace { longest_wait: Duration::from_millis(200), ..Pace::default() };
        let mut link = Link::open(LinkOptions {
            address: broker.parse().unwrap(),
            client_id: user.clone(),
            user,
            password,
            clean_session: true,
            keep_alive: Duration::from_secs(30),
            will: None,
            tls: None,
            pace,
            seed,
        });
        let (up, down) = (
            self.topics.up(&self.controller, Up::Receipts),
            self.topics.down(&self.controller, Down::Ack),
        );
        loop {
            let event = tokio::time::timeout(Duration::from_millis(400), link.next()).await;
            match event {
                Ok(LinkEvent::Up { .. }) => drop(link.subscribe(std::slice::from_ref(&down)).await),
                Ok(LinkEvent::Message { topic, payload, .. }) if topic == down => {
                    self.take(&payload);
                }
                Ok(LinkEvent::Subscribed { .. }) | Err(_) => {}
                Ok(_) => continue,
            }
            // A loss is nothing to a device: it sends again what was not acknowledged.
            let note = self.batch();
            let _ = link.publish(&up, note.into_bytes(), Qos::AtLeastOnce, false).await;
        }
    }

    fn take(&self, payload: &[u8]) {
        let note = Note::parse(payload).unwrap();
        let ack: Ack = decode(&self.net, note.text()).unwrap();
        self.acknowledged.fetch_max(ack.upto, Ordering::SeqCst);
    }
}

/// A station with three devices that are enrolled, and the broker they shall use.
fn station() -> (Station, String) {
    let port = free_port();
    let (listen, web) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port()));
    let station = Station::init(&["--listen", &listen, "--web", &web]);
    let areas = checkout().join("schedules/demo/areas.toml");
    station.does(&["schedule", "import", areas.to_str().unwrap()]);
    let broker = format!("mqtt://127.0.0.1:{port}");
    for controller in DEVICES {
        provision(&station, controller, &broker);
    }
    (station, broker)
}

#[test]
fn a_server_killed_under_load_loses_no_acknowledged_receipt_and_has_none_twice() {
    let kills = std::env::var("LOABAN_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let (station, broker) = station();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let acknowledged: Vec<Arc<AtomicU64>> = DEVICES.iter().map(|_| Arc::default()).collect();
    for (controller, acknowledged) in DEVICES.iter().zip(&acknowledged) {
        let device = Device::new(&station, controller, Arc::clone(acknowledged));
        let password = station.path("devices").join(controller).join("password");
        let password = fs::read_to_string(password).unwrap().trim().to_owned();
        runtime.spawn(device.work(broker.clone(), password));
    }
    let sum = || acknowledged.iter().map(|n| n.load(Ordering::SeqCst)).sum::<u64>();
    for kill in 0..kills {
        let before = sum();
        let mut server = start_server(&station);
        // A start that is refused acknowledges nothing.
        wait_for("an acknowledgement", Duration::from_secs(30), || sum() > before + kill * 7 % 40);
        server.kill();
    }
    runtime.shutdown_background();
    let promised: BTreeMap<&str, u64> =
        DEVICES.into_iter().zip(acknowledged.iter().map(|n| n.load(Ordering::SeqCst))).collect();
    let taken = in_the_log(&station);
    for (controller, upto) in &promised {
        let numbers = taken.get(*controller).cloned().unwrap_or_default();
        let once: BTreeSet<u64> = numbers.iter().copied().collect();
        assert_eq!(once.len(), numbers.len(), "{controller} has a receipt twice");
        let missing: Vec<u64> = (1..=*upto).filter(|n| !once.contains(n)).collect();
        assert!(missing.is_empty(), "{controller} lost {missing:?} of {upto}");
    }
    let verdict = station.does(&["log", "verify"]);
    assert!(
        verdict.contains("is right") && verdict.contains("says what the log says"),
        "{verdict}"
    );
    println!("{kills} kills, {} receipts acknowledged: {verdict}", promised.values().sum::<u64>());
}

/// The numbers of the receipts that the log took as new, by controller.
fn in_the_log(station: &Station) -> BTreeMap<String, Vec<u64>> {
    // What the last server had written and not moved is moved by the next.
    let before = waiting(station);
    let mut server = start_server(station);
    wait_for("the facts in the log", Duration::from_secs(30), || waiting(station) == 0);
    server.kill();
    assert!(before < 10_000, "{before} facts wait");
    let mut taken: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in station.does(&["log", "list", "--json", "--kind", "receipts.taken"]).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let body = &entry["body"];
        let number = |name: &str| body[name].as_u64().unwrap();
        let new = (number("known") + 1).max(number("first"))..=number("upto");
        taken.entry(body["controller"].as_str().unwrap().to_owned()).or_default().extend(new);
    }
    taken
}

fn waiting(station: &Station) -> u64 {
    let sql = "select count(*) from fact where position is null";
    let mut sqlite = std::process::Command::new("sqlite3");
    let out = sqlite.arg(station.path("station/loaban.db")).args(["-cmd", ".timeout 5000", sql]);
    String::from_utf8(out.output().unwrap().stdout).unwrap().trim().parse().unwrap_or(u64::MAX)
}
