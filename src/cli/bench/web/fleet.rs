//! Loudspeakers that report: each a client of the broker with a login and a key of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;

use crate::broker::{BrokerAddress, Link, LinkEvent, LinkOptions, Pace, Qos};
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::entropy;
use crate::id::{ControllerId, NetId};
use crate::note::Signer;
use crate::protocol::{Status, StatusState, Topics, Up, encode};
use crate::server::Station;
use crate::trust::device_key_name;

/// Loudspeakers that connect each second: a fleet that comes back spreads itself like that.
const CONNECT_RATE: u64 = 250;

/// How long the fleet may take to come up.
const UP_MAX: Duration = Duration::from_mins(3);

/// One loudspeaker.
pub(super) struct Device {
    net: NetId,
    controller: ControllerId,
    signer: Signer,
    password: String,
}

pub(super) fn name(n: u32) -> String {
    format!("loa-{n}")
}

/// Gives each a login and a key, in one transaction.
pub(super) async fn enrol(station: &Station, count: u32) -> anyhow::Result<Vec<Device>> {
    let net = station.config.net.clone();
    let mut devices = Vec::new();
    let mut tx = station.store.begin().await?;
    for n in 0..count {
        let controller: ControllerId = name(n).parse()?;
        let signer = Signer::from_seed(device_key_name(&net, &controller), &entropy::bytes());
        let password = entropy::secret();
        tx.provision(&controller, Digest::of(password.as_bytes())).await?;
        tx.enrol(&controller, &signer.public()).await?;
        devices.push(Device { net: net.clone(), controller, signer, password });
    }
    tx.commit().await?;
    Ok(devices)
}

/// Connects them all and lets each report; returns once every one has.
pub(super) async fn start(
    devices: Vec<Device>,
    broker: &BrokerAddress,
    every: Duration,
    said: &Arc<AtomicU64>,
) -> anyhow::Result<JoinSet<()>> {
    let (mut fleet, count) = (JoinSet::new(), devices.len() as u64);
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / CONNECT_RATE));
    for (n, device) in devices.into_iter().enumerate() {
        tick.tick().await;
        let (broker, said) = (broker.clone(), Arc::clone(said));
        fleet.spawn(device.report(broker, every, n as u64, said));
    }
    let up = async {
        while said.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let up = tokio::time::timeout(UP_MAX, up).await.is_ok();
    ensure!(up, "only {} of {count} loudspeakers came up", said.load(Ordering::Relaxed));
    Ok(fleet)
}

impl Device {
    /// Says how it is for as long as it is let.
    async fn report(self, broker: BrokerAddress, every: Duration, n: u64, said: Arc<AtomicU64>) {
        let mut link = Link::open(LinkOptions {
            address: broker,
            tls: None,
            client_id: self.controller.to_string(),
            user: self.controller.to_string(),
            password: self.password.clone(),
            clean_session: false,
            keep_alive: Duration::from_mins(1),
            will: None,
            pace: Pace::default(),
            seed: n,
        });
        let topics = Topics::new(&self.net);
        let topic = topics.up(&self.controller, Up::Status);
        let mut tick = tokio::time::interval(every);
        let mut manifests = 0;
        loop {
            tokio::select! {
                event = link.next() => match event {
                    LinkEvent::Up { .. } => {
                        // A subscription that fails is asked for again at the next connection.
                        let _asked = link.subscribe(&topics.main_filters(&self.controller)).await;
                        tick.reset_immediately();
                    }
                    LinkEvent::Message { .. } => manifests += 1,
                    _ => {}
                },
                _ = tick.tick() => {
                    let note = self.signer.sign(&encode(&self.net, &self.status(manifests)));
                    if link.publish(&topic, note.into_bytes(), Qos::AtLeastOnce, true).await.is_ok() {
                        said.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    fn status(&self, manifests: u64) -> Status {
        Status {
            controller: self.controller.clone(),
            state: StatusState::Up,
            boot: 1,
            connection: 1,
            at: utc_now(),
            software: "bench".to_owned(),
            trust: 1,
            manifest: manifests,
            assets_held: 0,
            assets_named: 0,
            withdrawn_held: vec![],
            receipts_waiting: 0,
            clock_trusted: true,
            clock_offset_ms: 0,
            storage_free_kib: 1024 * 1024,
            volume_percent: 70,
            playing: None,
            stopped: false,
            ready_until: None,
        }
    }
}
