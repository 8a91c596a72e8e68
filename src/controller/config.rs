//! `controller.toml`: everything a controller is told once, read whole, checked whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::broker::BrokerAddress;
use crate::calendar::{AirtimePolicy, Days, Weekday, Window};
use crate::config::{self, Faults, Table, parse};
use crate::controller::{LocalStop, Senses};
use crate::id::{ControllerId, NetId};
use crate::note::PublicKey;
use crate::speaker::Sink;
use crate::time::{TimeOfDay, Zone};
use crate::trust::Anchors;

/// The longest wait between two attempts by default, in seconds: a fleet that comes back after a
/// broker's restart spreads over it.
const RECONNECT_S_MAX: u32 = 60;

/// Recordings that are held at most by default, in MiB: a week of eight hours a day at 24 kbit/s
/// takes 600.
const LIBRARY_MIB: u32 = 1_024;

/// Characters of a device name or of a word of a command at most.
const DEVICE_CHARS_MAX: usize = 200;

/// Receipts that may be kept unacknowledged: a day's worth to what a large card holds.
const RECEIPTS_RANGE: std::ops::RangeInclusive<i64> = 100..=20_000;

/// A controller's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The deployment.
    pub net: NetId,
    /// Its own id; its MQTT user and client id too.
    pub controller: ControllerId,
    /// The broker.
    pub broker: BrokerAddress,
    /// The file with its MQTT password, made for this device alone.
    pub password_file: Option<PathBuf>,
    /// What it needs for a broker under TLS.
    pub tls: Option<TlsFiles>,
    /// The folder for everything it holds.
    pub state: PathBuf,
    /// The trust document it was provisioned with.
    pub trust: PathBuf,
    /// The root keys it was provisioned with.
    pub anchors: Anchors,
    /// The zone of its quiet hours.
    pub zone: Zone,
    /// Whether its clock survives a power cut.
    pub rtc: bool,
    /// Where it sounds.
    pub sink: Sink,
    /// The switch that silences it.
    pub local_stop: Option<LocalStop>,
    /// How it knows that it sounded.
    pub senses: Senses,
    /// Unacknowledged receipts at which routine airings stop.
    pub receipts_max: usize,
    /// When routine airings may sound at all.
    pub windows: Vec<Window>,
    /// Bytes of recordings it holds at most; see `library_mib` in the annotated reference.
    pub library_bytes_max: u64,
    /// The longest wait between two attempts to reach the broker.
    pub reconnect_max: Duration,
}

/// The files of a connection under TLS. The key that belongs to the certificate was made on the device
/// and lies in its state folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of the station's authority.
    pub ca: PathBuf,
    /// The device's own certificate; none where the broker takes passwords under TLS.
    pub certificate: Option<PathBuf>,
}

impl Config {
    /// Reads `text`, which came from `path`; relative paths in it are relative to its folder.
    pub fn read(path: &Path, text: &str) -> Result<Self, Faults> {
        let folder = path.parent().unwrap_or(Path::new("."));
        config::read(&path.display().to_string(), text, |form| build(form, folder))
    }

    /// The outer quiet hours as a policy without limits of number.
    pub fn outer(&self) -> AirtimePolicy {
        AirtimePolicy {
            windows: self.windows.clone(),
            sessions_a_day_max: u16::MAX,
            minutes_a_session_max: u16::MAX,
            minutes_a_day_max: u16::MAX,
        }
    }
}

fn build(form: &mut Table<'_>, folder: &Path) -> Option<Config> {
    let file = |text: &str| Ok::<_, std::convert::Infallible>(folder.join(text));
    let net = form.required("net", str::parse::<NetId>);
    let controller = form.required("controller", str::parse::<ControllerId>);
    let broker = form.required("broker", str::parse::<BrokerAddress>);
    let password_file = form.optional("password_file", file);
    let tls = form.table("tls", |tls| {
        let ca = tls.required("ca", file);
        let certificate = tls.optional("certificate", file);
        Some(TlsFiles { ca: ca?, certificate })
    });
    check_login(form, broker.as_ref(), tls.as_ref(), password_file.is_some());
    let state = form.required("state", file);
    let trust = form.required("trust", file);
    let root_threshold = form.required("root_threshold", parse::within::<u8>(1..=16));
    let roots = form.list("roots", str::parse::<PublicKey>);
    if roots.as_ref().is_none_or(Vec::is_empty) {
        form.fault("roots", "`roots` names no root key; copy it from the provisioning folder");
    }
    let zone = form.optional("zone", str::parse::<Zone>).unwrap_or_default();
    let rtc = form.optional("rtc", parse::switch).unwrap_or(false);
    let reconnect_max = form.optional("reconnect_max_s", parse::within::<u32>(1..=3_600));
    let library_mib = form.optional("library_mib", parse::within::<u32>(16..=1_048_576));
    let sink = form.section("speaker", |speaker| build_sink(speaker, folder));
    let local_stop = form.table("local_stop", |table| build_local_stop(table, folder));
    let senses = form.table("evidence", build_senses).unwrap_or_default();
    let receipts_max = form.optional("receipts_max", parse::within::<usize>(RECEIPTS_RANGE));
    let windows = form.tables("window", build_window);
    if windows.is_empty() {
        form.fault("window", "no [[window]]: the controller would never sound; add one");
    }
    Some(Config {
        net: net?,
        controller: controller?,
        broker: broker?,
        password_file,
        tls,
        state: state?,
        trust: trust?,
        anchors: Anchors { root_threshold: root_threshold?, roots: roots? },
        zone,
        rtc,
        sink: sink?,
        local_stop,
        senses,
        receipts_max: receipts_max.unwrap_or(crate::agent::RECEIPTS_ROUTINE_MAX),
        windows,
        library_bytes_max: u64::from(library_mib.unwrap_or(LIBRARY_MIB)) * 1024 * 1024,
        reconnect_max: Duration::from_secs(reconnect_max.unwrap_or(RECONNECT_S_MAX).into()),
    })
}

/// A broker under TLS needs `[tls]`; and something must show who we are.
fn check_login(
    form: &mut Table<'_>,
    broker: Option<&BrokerAddress>,
    tls: Option<&TlsFiles>,
    has_password: bool,
) {
    let Some(broker) = broker else { return };
    if broker.is_tls() != form.has("tls") {
        form.fault("broker", "mqtts:// and [tls] belong together; write both or neither");
    }
    let certified = tls.is_some_and(|tls| tls.certificate.is_some());
    if !has_password && !certified && (!form.has("tls") || tls.is_some()) {
        let sentence = "neither `password_file` nor `certificate` under [tls] says who this is; \
            copy one from the provisioning folder";
        form.fault("controller", sentence);
    }
}

fn build_sink(speaker: &mut Table<'_>, folder: &Path) -> Option<Sink> {
    let kind = speaker.required("kind", |kind: &str| match kind {
        "wav" | "null" | "alsa" => Ok(kind.to_owned()),
        other => Err(format!("`{other}` is no kind of speaker; use alsa, wav or null")),
    });
    let path = speaker.optional("folder", |text: &str| file_in(folder, text));
    let device = speaker.optional("device", parse::words(DEVICE_CHARS_MAX));
    if kind.as_deref() == Some("wav") && path.is_none() {
        speaker.fault("folder", "`folder` is missing; name the folder for the WAV files");
    }
    match kind?.as_str() {
        "wav" => Some(Sink::Wav(path?)),
        "alsa" => alsa(speaker, device.unwrap_or_else(|| "default".to_owned())),
        _ => Some(Sink::Null),
    }
}

#[cfg(feature = "alsa")]
#[expect(clippy::unnecessary_wraps, reason = "the other build refuses")]
fn alsa(_: &mut Table<'_>, device: String) -> Option<Sink> {
    Some(Sink::Alsa(device))
}

#[cfg(not(feature = "alsa"))]
fn alsa(speaker: &mut Table<'_>, _: String) -> Option<Sink> {
    speaker.fault("kind", "this program was built without ALSA; build it with --features alsa");
    None
}

#[expect(clippy::unnecessary_wraps, reason = "every parser has this shape")]
fn file_in(folder: &Path, text: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(folder.join(text))
}

fn build_local_stop(table: &mut Table<'_>, folder: &Path) -> Option<LocalStop> {
    let file = table.required("file", |text: &str| file_in(folder, text));
    let active_low = table.optional("active_low", parse::switch).unwrap_or(false);
    Some(LocalStop { file: file?, active_low })
}

#[expect(clippy::unnecessary_wraps, reason = "every builder has this shape")]
fn build_senses(table: &mut Table<'_>) -> Option<Senses> {
    let mut words = |key| table.list(key, parse::words(DEVICE_CHARS_MAX)).unwrap_or_default();
    Some(Senses { amplifier: words("amplifier"), microphone: words("microphone") })
}

fn build_window(table: &mut Table<'_>) -> Option<Window> {
    let days = table.list("days", |day: &str| match day {
        "all" => Ok(Weekday::ALL.to_vec()),
        day => day.parse().map(|day| vec![day]),
    });
    let from = table.required("from", str::parse::<TimeOfDay>);
    let until = table.required("until", str::parse::<TimeOfDay>);
    let Some(days) = Days::of(days.unwrap_or_default().into_iter().flatten()) else {
        table.fault("days", "`days` names no day; write [\"all\"] or [\"mon\", …]");
        return None;
    };
    let window = Window::new(days, from?, until?);
    window.map_err(|fault| table.fault("from", fault.to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
net = "laichau"
controller = "mu-ca-1"
broker = "mqtt://127.0.0.1:1883"
password_file = "password"
state = "state"
trust = "trust.note"
root_threshold = 1
roots = ["x/root/1+eb1a4ff4+AYqI495hXk57QeHyY+mXbHmzfBL7VItO8dZq3gKeOpT8"]
[speaker]
kind = "null"
[[window]]
days = ["all"]
from = "05:00"
until = "21:00"
"#;

    fn read(text: &str) -> Result<Config, Faults> {
        Config::read(Path::new("/etc/loaban/controller.toml"), text)
    }

    fn key() -> String {
        crate::note::Signer::from_seed("x/root/1".parse().unwrap(), &[1; 32]).public().to_string()
    }

    fn good() -> String {
        let start = GOOD.find("x/root/1").unwrap();
        let end = GOOD[start..].find('"').unwrap() + start;
        GOOD.replace(&GOOD[start..end], &key())
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = read(&good()).unwrap();
        assert_eq!(config.state, Path::new("/etc/loaban/state"));
        assert_eq!(config.sink, Sink::Null);
    }

    #[test]
    fn a_broker_under_tls_needs_the_files_for_it_and_no_password() {
        let secure = good().replace("mqtt://127.0.0.1:1883", "mqtts://loa.example.vn");
        let secure = secure.replace("password_file = \"password\"\n", "");
        assert!(read(&secure).unwrap_err().to_string().contains("belong together"));
        let files = "[tls]\nca = \"ca.pem\"\ncertificate = \"certificate.pem\"\n[speaker]";
        let config = read(&secure.replace("[speaker]", files)).unwrap();
        assert_eq!(config.tls.unwrap().ca, Path::new("/etc/loaban/ca.pem"));
        let nobody = secure.replace("[speaker]", "[tls]\nca = \"ca.pem\"\n[speaker]");
        assert!(read(&nobody).unwrap_err().to_string().contains("says who this is"));
    }

    #[test]
    fn three_faults_are_told_at_once_each_with_its_line() {
        let text = good()
            .replace("\"laichau\"", "\"Lai Châu\"")
            .replace("root_threshold = 1", "root_threshold = 99")
            .replace("kind = \"null\"", "kind = \"null\"\nvolume = 3");
        let sentences = read(&text).unwrap_err().to_string();
        for part in
            ["controller.toml:2:", "unknown key `volume`", "`root_threshold`", "no network id"]
        {
            assert!(sentences.contains(part), "{part}: {sentences}");
        }
        assert_eq!(sentences.lines().count(), 3, "{sentences}");
    }

    #[test]
    fn a_switch_and_senses_are_read() {
        let text = good().replace(
            "[[window]]",
            "[local_stop]\nfile = \"stop\"\nactive_low = true\n\
             [evidence]\namplifier = [\"amp\", \"-1\"]\n[[window]]",
        );
        let config = read(&text).unwrap();
        let file = PathBuf::from("/etc/loaban/stop");
        assert_eq!(config.local_stop, Some(LocalStop { file, active_low: true }));
        assert_eq!(config.senses.amplifier, ["amp", "-1"]);
    }

    #[test]
    fn a_controller_without_hours_is_refused() {
        let (head, _) =
            good().split_once("[[window]]").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
        assert!(read(&head).unwrap_err().to_string().contains("never sound"));
    }
}
