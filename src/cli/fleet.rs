//! `fleet` and `mosquitto`: controllers in the field, and the broker's files.

mod list;
mod provision;
mod roster;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::broker::mosquitto::{
    CA_FILE, CERTIFICATE_FILE, KEY_FILE, Login, REVOKED_FILE, Setup, acl, conf, password_line,
};
use crate::broker::{Limits, Rules, TlsKey};
use crate::cli::{Which, passphrase};
use crate::entropy;
use crate::id::{ControllerId, PersonId};
use crate::protocol::OrderCommand;
use crate::server::Station;
use crate::vault::{read_text, write_atomic, write_secret};

pub(super) use provision::provision;
use provision::{Enrol, Provision, enrolment, keep_certificate};

/// Bytes of a certificate request or a key at most.
const PEM_BYTES_MAX: u64 = 64 * 1024;

/// Controllers in the field.
#[derive(Debug, Subcommand)]
pub(super) enum Fleet {
    /// Write the folder that an installer copies to a controller, and print the one-time code for
    /// its box.
    Provision(Provision),
    /// Take the keys of a new device: what `loaban-controller enrol` printed.
    Enrol(Enrol),
    /// Certify an enrolled controller anew: what `loaban-controller request` printed.
    Sign {
        #[command(flatten)]
        which: Which,
        /// The controller.
        controller: ControllerId,
        /// The file with the request.
        #[arg(long)]
        request: PathBuf,
        /// Where to write the certificate.
        #[arg(long)]
        out: PathBuf,
    },
    /// Say that a controller is stolen or lost: nothing it sends counts from now on.
    Revoke {
        #[command(flatten)]
        which: Which,
        /// The controller.
        controller: ControllerId,
        /// A file with the passphrase of the root key; asked for otherwise.
        #[arg(long)]
        root_passphrase_file: Option<PathBuf>,
    },
    /// Give a controller an order: for now, or for nobody.
    Order(Order),
    /// Take over areas, villages and controllers from spreadsheets; all or nothing.
    Import(roster::Import),
    /// Find areas by code, by a code of before a merger, by id or by name.
    Areas(roster::Areas),
    /// List every controller, worst first: link, content, amplifier, heard.
    List {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

impl Fleet {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Import(import) => return import.run().await,
            Self::Areas(areas) => return areas.run().await,
            Self::Provision(provision) => provision.run().await?,
            Self::Enrol(enrol) => enrol.run().await?,
            Self::Sign { which, controller, request, out } => {
                let note = enrolment(&request)?;
                let issued =
                    which.open().await?.renew_certificate(&controller, &note, None).await?;
                keep_certificate(&controller, &issued, &out)?;
            }
            Self::Revoke { which, controller, root_passphrase_file } => {
                let root = passphrase(root_passphrase_file.as_deref(), "the root key")?;
                which.open().await?.revoke_controller(&controller, &root, None).await?;
                say_line!("{controller} is revoked; provision the device that takes its place");
            }
            Self::Order(order) => order.run().await?,
            Self::List { which, json } => list::list(&which.open().await?, json).await?,
        }
        Ok(true)
    }
}

/// An order to one controller.
#[derive(Debug, Args)]
pub(super) struct Order {
    #[command(flatten)]
    which: Which,
    /// The controller.
    controller: ControllerId,
    /// Who gives it: an operator.
    #[arg(long)]
    by: PersonId,
    /// What it shall do.
    #[command(subcommand)]
    command: Command,
}

/// What a controller can be told to do at once.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Stop what plays; an emergency is stopped by its cancel alone.
    Stop,
    /// Set the volume.
    Volume {
        /// 0 to 100.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
    },
    /// Play the test tone.
    Selftest,
    /// Send a status.
    Report,
}

impl Order {
    async fn run(self) -> anyhow::Result<()> {
        let command = match self.command {
            Command::Stop => OrderCommand::Stop {},
            Command::Volume { percent } => OrderCommand::Volume { percent },
            Command::Selftest => OrderCommand::Selftest {},
            Command::Report => OrderCommand::Report {},
        };
        let station = self.which.open().await?;
        let number = station.give_order(&self.controller, command, &self.by).await?;
        say_line!("order {number} leaves with the server; it is void after 5 minutes");
        Ok(())
    }
}

/// Files for a Mosquitto broker.
#[derive(Debug, Args)]
pub(super) struct Mosquitto {
    #[command(flatten)]
    which: Which,
    /// The folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Where Mosquitto shall listen.
    #[arg(long, default_value = "127.0.0.1:1883")]
    listen: SocketAddr,
    /// Speak TLS, with a certificate for each client; how controllers call this broker, once for
    /// each name or address.
    #[arg(long = "tls-name", conflicts_with = "devices")]
    tls_names: Vec<String>,
    /// Provisioning folders whose passwords Mosquitto shall know, each named after its controller.
    #[arg(long)]
    devices: Option<PathBuf>,
}

impl Mosquitto {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        std::fs::create_dir_all(&self.out)?;
        let out = self.out.canonicalize()?;
        let rules = Rules::new(station.config.net.as_str())?;
        let login = if self.tls_names.is_empty() {
            Login::Password { file: out.join("passwords") }
        } else {
            Login::Certificate { folder: out.clone() }
        };
        let setup = Setup {
            listen: self.listen,
            login,
            acl_file: out.join("acl"),
            persistence_directory: None,
            limits: Limits::default(),
        };
        write_atomic(&out.join("mosquitto.conf"), conf(&setup).as_bytes())?;
        write_atomic(&setup.acl_file, acl(&rules).as_bytes())?;
        let secret = match &setup.login {
            Login::Password { file } => self.write_passwords(&station, file).await?,
            Login::Certificate { folder } => self.write_certificates(&station, folder).await?,
        };
        say_line!("let Mosquitto read its secret: chown mosquitto {}", secret.display());
        say_line!("start it: mosquitto -c {}", out.join("mosquitto.conf").display());
        Ok(true)
    }

    /// The passwords of the server and of every device whose folder is named.
    async fn write_passwords(&self, station: &Station, file: &Path) -> anyhow::Result<PathBuf> {
        let mut lines = password_line("server", &station.broker_password()?, entropy::bytes())?;
        for device in station.store.devices().await? {
            let folder = self.devices.as_ref().map(|f| f.join(device.controller.as_str()));
            let Some(folder) = folder.filter(|folder| folder.exists()) else { continue };
            let password = std::fs::read_to_string(folder.join("password"))?;
            lines.push('\n');
            lines += &password_line(device.controller.as_str(), password.trim(), entropy::bytes())?;
        }
        write_secret(file, format!("{}\n", lines.trim_end()).as_bytes())?;
        Ok(file.to_owned())
    }

    /// The broker's key and certificate, the authority's, and the list of those that are revoked. A
    /// key that is there already stays, and stays Mosquitto's.
    async fn write_certificates(
        &self,
        station: &Station,
        folder: &Path,
    ) -> anyhow::Result<PathBuf> {
        let path = folder.join(KEY_FILE);
        let kept = read_text(&path, PEM_BYTES_MAX)?;
        let key = kept.as_deref().map_or_else(|| Ok(TlsKey::make()), TlsKey::read)?;
        let broker = station.broker_identity(&self.tls_names, key)?;
        write_atomic(&folder.join(CA_FILE), station.authority()?.certificate().as_bytes())?;
        write_atomic(&folder.join(CERTIFICATE_FILE), broker.certificate.as_bytes())?;
        write_atomic(&folder.join(REVOKED_FILE), station.revocations().await?.as_bytes())?;
        if kept.is_none() {
            write_secret(&path, broker.key.as_bytes())?;
        }
        Ok(path)
    }
}
