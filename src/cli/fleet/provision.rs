//! `fleet provision` and `fleet enrol`: from a folder and a piece of paper to a device that counts.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::broker::{BrokerAddress, Issued};
use crate::cli::fleet::PEM_BYTES_MAX;
use crate::cli::{Which, passphrase};
use crate::controller::write_provision;
use crate::id::ControllerId;
use crate::server::{DeviceFolder, EnrolError, Profile, ServerError, Station};
use crate::vault::{read_text, write_atomic};

/// Where a certificate is written where nobody says otherwise: the name that the profiles know.
const CERTIFICATE: &str = "certificate.pem";

/// A folder and a code for one controller.
#[derive(Debug, Args)]
pub(in crate::cli) struct Provision {
    #[command(flatten)]
    which: Which,
    /// The controller; a schedule file names it.
    controller: ControllerId,
    /// The kind of device.
    #[arg(long)]
    profile: Profile,
    /// The folder to write.
    #[arg(long)]
    out: PathBuf,
    /// The broker as the controller reaches it, such as `mqtts://loa.example.vn:8883`.
    #[arg(long)]
    broker: BrokerAddress,
}

impl Provision {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let station = self.which.open().await?;
        let Self { controller, profile, out, broker, .. } = self;
        let given = provision(&station, &controller, profile, &broker, &out).await?;
        eprintln!(
            "copy {} to the controller; print this and lay it into its box:\n",
            out.display()
        );
        say!("{}", given.label());
        Ok(())
    }
}

/// Writes the folder of one controller.
pub(in crate::cli) async fn provision(
    station: &Station,
    controller: &ControllerId,
    profile: Profile,
    broker: &BrokerAddress,
    out: &Path,
) -> anyhow::Result<DeviceFolder> {
    let made = station.device_folder(controller, profile, broker, None).await?;
    write_provision(out, &made.config, &made.trust, &made.authority, made.password.as_deref())?;
    Ok(made)
}

/// The keys of one device.
#[derive(Debug, Args)]
pub(in crate::cli) struct Enrol {
    #[command(flatten)]
    which: Which,
    /// The controller.
    controller: ControllerId,
    /// The file that the device printed.
    #[arg(long)]
    request: PathBuf,
    /// The fingerprint that the installer reads out from the device, by telephone.
    #[arg(long)]
    fingerprint: String,
    /// Where to write the certificate of a device under TLS; beside the request otherwise.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A file with the passphrase of the root key, for a controller that was revoked; asked for
    /// otherwise.
    #[arg(long)]
    root_passphrase_file: Option<PathBuf>,
}

impl Enrol {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let note = enrolment(&self.request)?;
        let station = self.which.open().await?;
        let (controller, heard) = (&self.controller, &self.fingerprint);
        let given = self.root_passphrase_file.as_deref();
        let root = given.map(|file| passphrase(Some(file), "the root key")).transpose()?;
        let done = station.enrol(controller, &note, heard, root.as_deref(), None).await;
        let done = match done {
            // Only then is the root key needed, and only then is it asked for.
            Err(ServerError::Enrol(EnrolError::Revoked(_))) => {
                let root = passphrase(None, "the root key")
                    .with_context(|| EnrolError::Revoked(controller.clone()))?;
                station.enrol(controller, &note, heard, Some(&root), None).await?
            }
            done => done?,
        };
        say_line!("{controller} is enrolled, key {}", done.key.fingerprint());
        if let Some(issued) = &done.certificate {
            let beside = || self.request.with_file_name(CERTIFICATE);
            keep_certificate(controller, issued, &self.out.unwrap_or_else(beside))?;
        }
        Ok(())
    }
}

/// What a device printed.
pub(super) fn enrolment(path: &Path) -> anyhow::Result<String> {
    let text = read_text(path, PEM_BYTES_MAX)?;
    text.with_context(|| format!("{} is missing; copy it from the device", path.display()))
}

/// Writes a certificate for its way to the device.
pub(super) fn keep_certificate(
    controller: &ControllerId,
    issued: &Issued,
    out: &Path,
) -> anyhow::Result<()> {
    write_atomic(out, issued.certificate.as_bytes())?;
    say_line!("copy {} to {controller}; it counts until {}", out.display(), issued.until);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::controller::Config;
    use crate::note::Signer;
    use crate::server::{Own, Profile};
    use crate::time::Timestamp;
    use crate::trust::TrustDocument;

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
        for (_, profile) in Profile::ALL {
            for broker in ["mqtt://10.9.9.9:1884", "mqtts://loa.example.vn:8883"] {
                let text = filled(profile, broker);
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
