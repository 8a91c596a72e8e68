//! Profiles: what `controller.toml` says for each kind of device. They are the files of
//! `firmware-config/profiles/`; a device's own lines take the place of the examples there.

use clap::ValueEnum;

use crate::broker::BrokerAddress;
use crate::id::{ControllerId, NetId};
use crate::time::Zone;
use crate::trust::TrustDocument;

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Profile {
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
pub(super) struct Own<'a> {
    pub(super) net: &'a NetId,
    pub(super) controller: &'a ControllerId,
    pub(super) broker: &'a BrokerAddress,
    pub(super) zone: Zone,
    pub(super) trust: &'a TrustDocument,
}

impl Profile {
    fn text(self) -> &'static str {
        match self {
            Self::BoardAlsa => include_str!("../../../firmware-config/profiles/board-alsa.toml"),
            Self::DecoderWav => include_str!("../../../firmware-config/profiles/decoder-wav.toml"),
            Self::LowMemory => include_str!("../../../firmware-config/profiles/low-memory.toml"),
            Self::Bench => include_str!("../../../firmware-config/profiles/bench.toml"),
        }
    }

    /// The `controller.toml` of one device.
    pub(super) fn fill(self, own: &Own<'_>) -> String {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::controller::Config;
    use crate::note::Signer;
    use crate::time::Timestamp;

    fn filled(profile: Profile, broker: &str) -> String {
        let root = |seed: u8| {
            Signer::from_seed(format!("dienbien/root/{seed}").parse().unwrap(), &[seed; 32])
                .public()
        };
        let trust = TrustDocument {
            version: 3,
            issued: Timestamp::EPOCH,
            root_threshold: 2,
            roots: vec![root(1), root(2)],
            emergency_threshold: 2,
            keys: vec![],
            revoked: vec![],
        };
        let (net, controller) = ("dienbien".parse().unwrap(), "muong-nhe-1".parse().unwrap());
        let broker = broker.parse().unwrap();
        let zone = "Asia/Bangkok".parse().unwrap();
        profile.fill(&Own {
            net: &net,
            controller: &controller,
            broker: &broker,
            zone,
            trust: &trust,
        })
    }

    fn read(text: &str) -> Config {
        let path = Path::new("/etc/loaban/controller.toml");
        Config::read(path, text).unwrap_or_else(|faults| panic!("{faults}\n{text}"))
    }

    #[test]
    fn no_example_of_a_profile_is_left_in_a_devices_configuration() {
        for profile in Profile::value_variants() {
            for broker in ["mqtt://10.9.9.9:1884", "mqtts://loa.example.vn:8883"] {
                let text = filled(*profile, broker);
                for example in ["laichau", "mu-ca-1", "10.0.0.1", "Ho_Chi_Minh"] {
                    assert!(!text.contains(example), "{profile:?}: {example}\n{text}");
                }
                assert!(
                    text.contains("threshold = 2") && text.contains("dienbien/root/2"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_device_under_tls_has_no_password_and_one_without_has_no_certificate() {
        let secure = read(&filled(Profile::DecoderWav, "mqtts://loa.example.vn:8883"));
        assert!(secure.password_file.is_none());
        assert!(secure.tls.is_some_and(|tls| tls.certificate.is_some()));
        let plain = read(&filled(Profile::DecoderWav, "mqtt://10.9.9.9:1884"));
        assert!(plain.password_file.is_some() && plain.tls.is_none());
        assert_eq!(plain.state, Path::new("/var/lib/loaban-controller"));
    }
}
