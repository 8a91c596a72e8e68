//! `fleet provision` and `fleet enrol`: from a folder and a piece of paper to a device that counts.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::broker::{BrokerAddress, Issued};
use crate::cli::fleet::PEM_BYTES_MAX;
use crate::cli::fleet::profile::{Own, Profile};
use crate::cli::{Which, passphrase};
use crate::controller::write_provision;
use crate::id::ControllerId;
use crate::server::{EnrolError, Provisioned, ServerError, Station};
use crate::time::Zone;
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
        print!("{}", label(&station, &controller, &given));
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
) -> anyhow::Result<Provisioned> {
    let known = station.schedule().await?.controllers;
    if !known.iter().any(|known| known.id == *controller) {
        return Err(ServerError::UnknownController(controller.clone()).into());
    }
    let (trust, notes) = station.trust().await?;
    let newest = notes.last().context("a station has a trust document")?;
    let (net, zone) = (&station.config.net, station.config.zone);
    let config = profile.fill(&Own { net, controller, broker, zone, trust: &trust });
    let authority = station.authority()?;
    let given = station.provision(controller).await?;
    let password = (!broker.is_tls()).then_some(given.password.as_str());
    write_provision(out, &config, newest, authority.certificate(), password)?;
    Ok(given)
}

/// The paper: whose box it is, the code, until when it counts, and what to type.
fn label(station: &Station, controller: &ControllerId, given: &Provisioned) -> String {
    let zone: Zone = station.config.zone;
    let until = zone.local(given.until).format("%d/%m/%Y");
    let code = &given.code;
    let net = &station.config.net;
    format!(
        "  Loa Bản · {net} · {controller}\n\n\
         \x20 Mã dùng một lần / one-time code:  {code}\n\
         \x20 Dùng đến hết / until:             {until}\n\n\
         \x20 Trên thiết bị / on the device:\n\
         \x20   loaban-controller enrol {code} > enrolment.note\n\
         \x20 Gửi tệp về đài và đọc dấu vân tay khoá qua điện thoại.\n\
         \x20 Send the file to the station, and read the fingerprint out by telephone.\n"
    )
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
        let done = station.enrol(controller, &note, heard, root.as_deref()).await;
        let done = match done {
            // Only then is the root key needed, and only then is it asked for.
            Err(ServerError::Enrol(EnrolError::Revoked(_))) => {
                let root = passphrase(None, "the root key")
                    .with_context(|| EnrolError::Revoked(controller.clone()))?;
                station.enrol(controller, &note, heard, Some(&root)).await?
            }
            done => done?,
        };
        println!("{controller} is enrolled, key {}", done.key.fingerprint());
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
    println!("copy {} to {controller}; it counts until {}", out.display(), issued.until);
    Ok(())
}
