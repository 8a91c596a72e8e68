//! `loaban.toml`: the server's configuration, read whole, checked whole.

mod web;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::BrokerAddress;
use crate::config::{self, Faults, Table, parse};
use crate::dispatch::Pace;
use crate::id::NetId;
use crate::time::Zone;

pub use web::{Given, WebDoors, WebTls};

/// The broker that the server works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerChoice {
    /// Runs inside the server.
    Embedded {
        /// Where it listens without TLS; a port of this machine's own where nothing is said.
        listen: SocketAddr,
        /// Its door for TLS.
        tls: Option<TlsDoor>,
    },
    /// Somebody else's, such as Mosquitto.
    External {
        /// Where.
        address: BrokerAddress,
        /// The authority that certified it under TLS; the station's own where nothing is said.
        ca: Option<PathBuf>,
    },
}

/// Where the embedded broker speaks TLS, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsDoor {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The names and addresses by which controllers call it.
    pub names: Vec<String>,
}

/// The server's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The deployment.
    pub net: NetId,
    /// The zone of every wall clock.
    pub zone: Zone,
    /// The folder of keys, recordings and log.
    pub data: PathBuf,
    /// The database's URL.
    pub store: String,
    /// The broker.
    pub broker: BrokerChoice,
    /// Where the pages are served.
    pub web: WebDoors,
    /// Bytes of a block.
    pub block_bytes: u32,
    /// How the fan-out is paced.
    pub pace: Pace,
    /// Whether the reviewer of a version may approve it too.
    pub reviewer_may_approve: bool,
}

/// Block size by default, in KiB.
const BLOCK_KIB: u32 = crate::protocol::BLOCK_BYTES / 1024;

/// Characters in the name of a host at most: RFC 1035.
const HOST_CHARS_MAX: usize = 253;

/// Where an embedded broker listens without TLS when only its TLS door was asked for.
const OWN_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

const NO_NAMES: &str = "`tls_listen` needs `names`: write the names or addresses by which \
    controllers call this broker, e.g. names = [\"loa.example.vn\", \"10.0.0.1\"]";

/// The pace of one recording by default, in kbit/s.
const KBIT_S: u32 = 512;

impl Config {
    /// Reads `text`, which came from `path`; relative paths in it are relative to its folder.
    pub fn read(path: &Path, text: &str) -> Result<Self, Faults> {
        let folder = path.parent().unwrap_or(Path::new("."));
        config::read(&path.display().to_string(), text, |form| build(form, folder))
    }
}

fn build(form: &mut Table<'_>, folder: &Path) -> Option<Config> {
    // `.` stands for the folder itself and is not told as a part of a path.
    let file = |text: &str| {
        Ok::<PathBuf, std::convert::Infallible>(folder.join(text).components().collect())
    };
    let net = form.required("net", str::parse::<NetId>);
    let zone = form.optional("zone", str::parse::<Zone>).unwrap_or_default();
    let data = form.required("data", file);
    let store = form.required("store", |url: &str| store_url(url, folder));
    let reviewer = form.optional("reviewer_may_approve", parse::switch).unwrap_or(false);
    let broker = form.section("broker", |broker| build_broker(broker, folder));
    let web = form.section("web", |web| web::build(web, folder));
    let fanout = form.section("fanout", |fanout| Some(build_fanout(fanout)));
    let (block_bytes, pace) = fanout?;
    Some(Config {
        net: net?,
        zone,
        data: data?,
        store: store?,
        broker: broker?,
        web: web?,
        block_bytes,
        pace,
        reviewer_may_approve: reviewer,
    })
}

fn store_url(url: &str, folder: &Path) -> Result<String, String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(url.to_owned());
    }
    let path = url.strip_prefix("sqlite:").ok_or_else(|| {
        format!("`{url}` is no database; write sqlite:FILE or postgres://USER@HOST/NAME")
    })?;
    Ok(format!("sqlite:{}", folder.join(path).display()))
}

fn build_broker(broker: &mut Table<'_>, folder: &Path) -> Option<BrokerChoice> {
    let listen = broker.optional("listen", str::parse::<SocketAddr>);
    let tls_listen = broker.optional("tls_listen", str::parse::<SocketAddr>);
    let names = broker.list("names", parse::words(HOST_CHARS_MAX)).unwrap_or_default();
    let url = broker.optional("url", str::parse::<BrokerAddress>);
    let file = |text: &str| Ok::<_, std::convert::Infallible>(folder.join(text));
    let ca = broker.optional("ca", file);
    if tls_listen.is_some() && names.is_empty() {
        broker.fault("tls_listen", NO_NAMES);
    }
    let embedded = ["listen", "tls_listen"].iter().any(|key| broker.has(key));
    match (embedded, broker.has("url")) {
        (true, false) => {
            let tls = tls_listen.map(|listen| TlsDoor { listen, names });
            let own = || (!broker.has("listen")).then_some(OWN_PORT);
            Some(BrokerChoice::Embedded { listen: listen.or_else(own)?, tls })
        }
        (false, true) => Some(BrokerChoice::External { address: url?, ca }),
        _ => {
            let sentence =
                "[broker] needs either listen or tls_listen (embedded), or url (external)";
            broker.fault("listen", sentence);
            None
        }
    }
}

fn build_fanout(fanout: &mut Table<'_>) -> (u32, Pace) {
    let kib = fanout.optional("block_kib", parse::within::<u32>(1..=64)).unwrap_or(BLOCK_KIB);
    let kbit = fanout.optional("kbit_s", parse::within::<u32>(16..=100_000)).unwrap_or(KBIT_S);
    let gather = fanout.optional("gather_ms", parse::within::<u32>(0..=10_000));
    let default = Pace::default();
    let between_ms = u64::from(kib) * 8 * 1024 / u64::from(kbit);
    let pace = Pace {
        gather: gather.map_or(default.gather, |ms| Duration::from_millis(ms.into())),
        between_blocks: Duration::from_millis(between_ms),
    };
    (kib * 1024, pace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "net = \"laichau\"\ndata = \".\"\nstore = \"sqlite:loaban.db\"\n\
        [broker]\nlisten = \"127.0.0.1:1883\"\n[web]\nlisten = \"127.0.0.1:8080\"\n";

    fn read(text: &str) -> Result<Config, Faults> {
        Config::read(Path::new("/srv/loaban/loaban.toml"), text)
    }

    #[test]
    fn the_smallest_configuration_is_enough() {
        let config = read(GOOD).unwrap();
        assert_eq!(config.store, "sqlite:/srv/loaban/loaban.db");
        assert_eq!(
            config.pace,
            Pace { between_blocks: Duration::from_millis(256), ..Pace::default() }
        );
    }

    fn broker(text: &str) -> Result<BrokerChoice, Faults> {
        read(&GOOD.replace("listen = \"127.0.0.1:1883\"", text)).map(|config| config.broker)
    }

    #[test]
    fn a_tls_door_alone_keeps_the_plain_one_to_this_machine() {
        let text = "tls_listen = \"0.0.0.0:8883\"\nnames = [\"loa.example.vn\"]";
        let Ok(BrokerChoice::Embedded { listen, tls: Some(door) }) = broker(text) else {
            panic!("an embedded broker with a door");
        };
        assert!(listen.ip().is_loopback() && door.names == ["loa.example.vn"]);
    }

    #[test]
    fn a_tls_door_without_a_name_is_refused_with_an_example() {
        let fault = broker("tls_listen = \"0.0.0.0:8883\"").unwrap_err().to_string();
        assert!(fault.contains("names = ["), "{fault}");
    }

    #[test]
    fn an_embedded_and_an_external_broker_at_once_are_refused() {
        let both = "listen = \"127.0.0.1:1883\"\nurl = \"mqtt://127.0.0.1:1884\"";
        assert!(broker(both).unwrap_err().to_string().contains("needs either"));
    }

    #[test]
    fn three_faults_are_told_at_once_each_with_its_line() {
        let text = GOOD
            .replace("sqlite:", "mysql:")
            .replace("127.0.0.1:1883", "nowhere")
            .replace("[web]", "[web]\ncolour = \"red\"");
        let sentences = read(&text).unwrap_err().to_string();
        for part in ["loaban.toml:3:", "mysql:loaban.db", "loaban.toml:5:", "unknown key `colour`"]
        {
            assert!(sentences.contains(part), "{part}: {sentences}");
        }
        assert_eq!(sentences.lines().count(), 3, "{sentences}");
    }
}
