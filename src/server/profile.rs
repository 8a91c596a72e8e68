//! Profiles: what `controller.toml` says for each kind of device. They are the files of
//! `firmware-config/profiles/`; a device's own lines take the place of the examples there.

use std::fmt;
use std::str::FromStr;

use crate::broker::BrokerAddress;
use crate::id::{ControllerId, NetId};
use crate::time::Zone;
use crate::trust::TrustDocument;

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A board with a sound card, a switch and a sensor at the amplifier.
    BoardAlsa,
    /// An old decoder that plays the WAV files of a folder.
    DecoderWav,
    /// A device with little memory and flash.
    LowMemory,
    /// A try on a bench: WAV files, everything inside the folder.
    Bench,
}

/// What one device alone is told.
#[derive(Debug)]
pub struct Own<'a> {
    /// The network.
    pub net: &'a NetId,
    /// Which.
    pub controller: &'a ControllerId,
    /// How it reaches the broker.
    pub broker: &'a BrokerAddress,
    /// Where its clock hangs.
    pub zone: Zone,
    /// The keys that count.
    pub trust: &'a TrustDocument,
}

/// A word that is no kind of device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of device; choose board-alsa, decoder-wav, low-memory or bench")]
pub struct NotAProfile(String);

impl FromStr for Profile {
    type Err = NotAProfile;

    fn from_str(text: &str) -> Result<Self, NotAProfile> {
        let found = Self::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, one)| *one).ok_or_else(|| NotAProfile(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::ALL.iter().find(|(_, one)| one == self).map_or("", |(word, _)| word))
    }
}

impl Profile {
    /// All of them with their words.
    pub const ALL: [(&'static str, Self); 4] = [
        ("board-alsa", Self::BoardAlsa),
        ("decoder-wav", Self::DecoderWav),
        ("low-memory", Self::LowMemory),
        ("bench", Self::Bench),
    ];

    fn text(self) -> &'static str {
        match self {
            Self::BoardAlsa => include_str!("../../firmware-config/profiles/board-alsa.toml"),
            Self::DecoderWav => include_str!("../../firmware-config/profiles/decoder-wav.toml"),
            Self::LowMemory => include_str!("../../firmware-config/profiles/low-memory.toml"),
            Self::Bench => include_str!("../../firmware-config/profiles/bench.toml"),
        }
    }

    /// The `controller.toml` of one device.
    pub fn fill(self, own: &Own<'_>) -> String {
        let head = format!(
            "# Written for {}. Every key is explained in firmware-config/controller.toml.\n",
            own.controller
        );
        let lines = self.text().lines().filter_map(|line| own.line(line));
        let body: String = lines.map(|line| line + "\n").collect();
        let tls = if own.broker.is_tls() {
            "\n[tls]\nca = \"ca.pem\"\ncertificate = \"certificate.pem\"\n"
        } else {
            ""
        };
        head + &body + tls
    }
}

impl Own<'_> {
    /// A line of a profile with what is this device's own; none where it needs no such line.
    fn line(&self, line: &str) -> Option<String> {
        let key = line.split('=').next().unwrap_or_default().trim();
        let roots = || {
            let roots: Vec<String> =
                self.trust.roots.iter().map(|root| format!("\"{root}\"")).collect();
            roots.join(", ")
        };
        match key {
            // Under TLS the certificate says who it is.
            "password_file" if self.broker.is_tls() => None,
            "net" => Some(format!("net = \"{}\"", self.net)),
            "controller" => Some(format!("controller = \"{}\"", self.controller)),
            "broker" => Some(format!("broker = \"{}\"", self.broker)),
            "zone" => Some(format!("zone = \"{}\"", self.zone.tz())),
            "root_threshold" => Some(format!("root_threshold = {}", self.trust.root_threshold)),
            "roots" => Some(format!("roots = [{}]", roots())),
            _ => Some(line.to_owned()),
        }
    }
}
