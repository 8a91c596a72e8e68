//! `init`, `serve`, `doctor`, `person`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use tokio::sync::{oneshot, watch};

use crate::access::Duty;
use crate::broker::fingerprint;
use crate::cli::{Which, passphrase, print_json, start_logging};
use crate::id::{AreaId, NetId, PersonId};
use crate::server::{Added, Beginning, Station, WebTls, examine};
use crate::store;
use crate::vault::write_atomic;
use crate::web;

/// Makes a new station.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder; empty or missing.
    #[arg(long)]
    dir: PathBuf,
    /// The network's id: a word for the deployment, such as laichau.
    #[arg(long)]
    net: NetId,
    /// The area at the top of the tree, such as lai-chau.
    #[arg(long)]
    area: AreaId,
    /// The database: sqlite:FILE or `postgres://USER@HOST/NAME`.
    #[arg(long, default_value = "sqlite:loaban.db")]
    store: String,
    /// Where the embedded broker listens.
    #[arg(long, default_value = "127.0.0.1:1883", conflicts_with = "broker")]
    listen: String,
    /// An external broker instead, such as `mqtt://127.0.0.1:1883`.
    #[arg(long)]
    broker: Option<String>,
    /// Where the pages are served without TLS: to this machine alone.
    #[arg(long, default_value = "127.0.0.1:8080")]
    web: SocketAddr,
    /// Where the pages are served to everybody, by HTTPS, such as 0.0.0.0:8443.
    #[arg(long, requires = "names")]
    https: Option<SocketAddr>,
    /// A name or address by which browsers call the server; may be given several times.
    #[arg(long = "name", requires = "https")]
    names: Vec<String>,
    /// A file with the passphrase that seals the root key; asked for otherwise.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

/// The text of a configuration.
pub(super) fn config_text(net: &NetId, store: &str, broker: &str, web: &str) -> String {
    format!(
        "# The configuration of a station. Every key is explained in firmware-config/loaban.toml.\n\
         net = \"{net}\"\nzone = \"Asia/Ho_Chi_Minh\"\ndata = \".\"\nstore = \"{store}\"\n\n\
         [broker]\n{broker}\n\n[web]\nlisten = \"{web}\"\n"
    )
}

impl Init {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let passphrase = passphrase(self.passphrase_file.as_deref(), "the root key")?;
        let broker = match &self.broker {
            Some(url) => format!("url = \"{url}\""),
            None => format!("listen = \"{}\"", self.listen),
        };
        let mut config = config_text(&self.net, &self.store, &broker, &self.web.to_string());
        if let Some(https) = self.https {
            let names: Vec<String> = self.names.iter().map(|name| format!("\"{name}\"")).collect();
            let names = names.join(", ");
            writeln!(config, "tls_listen = \"{https}\"\nnames = [{names}]")?;
        }
        let beginning =
            Beginning { config: &config, root_area: self.area, passphrase: &passphrase };
        let station = Station::init(&self.dir, &beginning).await?;
        let dir = self.dir.display();
        say_line!("station {} made in {dir}", self.net);
        if let Some(tls) = &station.config.web.tls {
            show_certificate(&station, tls)?;
        }
        say_line!(
            "keep {dir}/keys/root.json offline: copy it to a stick, and delete it here when everybody is added"
        );
        say_line!("next: loaban person add --config {dir}/loaban.toml …");
        say_line!(
            "to sign in at {}/: add yourself with --duties administrator, then open the link of \
             `loaban person invite --config {dir}/loaban.toml ID` once to choose a password",
            station.config.web.address()
        );
        Ok(true)
    }
}

/// What a person compares with what their browser shows before they believe it.
fn show_certificate(station: &Station, tls: &WebTls) -> anyhow::Result<()> {
    let shown = station.web_identity(tls)?;
    say_line!(
        "the pages will be at {}, under a certificate of this station; its SHA-256 fingerprint is",
        tls.address(tls.listen.port())
    );
    say_line!("  {}", fingerprint(&shown.certificate).context("a certificate")?);
    let authority = station.authority()?.certificate().to_owned();
    let path = station.config.data.join("ca.pem");
    write_atomic(&path, authority.as_bytes())?;
    say_line!(
        "browsers that import {} believe it by themselves; its fingerprint is",
        path.display()
    );
    say_line!("  {}", fingerprint(&authority).context("a certificate")?);
    Ok(())
}

/// Serves a station.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    which: Which,
}

/// Files and connections that a server wants to hold open: two connections of each of 5,000
/// controllers, each three times under TLS (to the door, and both ends of the way on), and the pages.
const OPEN_FILES: u64 = 32_768;

/// Below so many it says so: two connections of each of 5,000 controllers without TLS.
const OPEN_FILES_FEW: u64 = 12_288;

/// Takes as many open files as the system grants: the usual 1,024 are enough for 500 controllers.
fn open_many_files() {
    match rlimit::increase_nofile_limit(OPEN_FILES) {
        Ok(granted) if granted >= OPEN_FILES_FEW => {}
        Ok(granted) => tracing::warn!(
            granted,
            "few open files: {} controllers can connect; raise `ulimit -Hn` or LimitNOFILE",
            granted / 2
        ),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        start_logging("info");
        open_many_files();
        let station = self.which.open().await?;
        let (stop, stopped) = watch::channel(false);
        let (send, ready) = oneshot::channel::<web::Ready>();
        tokio::spawn(async move {
            crate::shutdown::asked().await;
            stop.send_replace(true);
        });
        tokio::spawn(async move {
            if let Ok(ready) = ready.await {
                say_line!("ready: pages on {}/, broker {}", ready.web, ready.broker);
                if let Some(shown) = ready.fingerprint {
                    say_line!("their certificate: SHA-256 {shown}");
                }
            }
        });
        web::serve(station, stopped, send).await?;
        Ok(true)
    }
}

/// Looks at a station.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    which: Which,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        start_logging("error");
        let station = self.which.open().await?;
        let findings = examine(&station).await;
        if self.json {
            print_json(&findings)?;
        } else {
            for finding in &findings {
                let mark = if finding.well { "ok " } else { "BAD" };
                say_line!("{mark} {:<10} {}: {}", finding.part, finding.part_vi(), finding.vi);
                say_line!("{:14} {}", "", finding.sentence);
            }
        }
        Ok(findings.iter().all(|finding| finding.well))
    }
}

/// People and their duties.
#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// Add somebody; a leader and an officer get keys of their own.
    Add(AddPerson),
    /// Let somebody choose a password for the pages: prints a link that counts once, for 72 hours.
    Invite {
        #[command(flatten)]
        which: Which,
        /// The id.
        id: PersonId,
    },
    /// Take every duty and key from somebody: their key was leaked, or they left.
    Revoke(RevokePerson),
    /// Forget the name of somebody who left; the log's commitments to it say nothing any longer.
    Erase {
        #[command(flatten)]
        which: Which,
        /// Who.
        id: PersonId,
    },
    /// List everybody.
    List {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// Adds somebody.
#[derive(Debug, Args)]
pub(super) struct AddPerson {
    #[command(flatten)]
    which: Which,
    /// The id: a-z, 0-9 and -.
    id: PersonId,
    /// The name.
    #[arg(long)]
    name: String,
    /// Duties with commas between: contributor, announcer, reviewer, leader, officer, operator,
    /// inspector, administrator; in one area only with @ and the area, such as operator@mu-ca.
    #[arg(long)]
    duties: String,
    /// A file with the person's own passphrase; asked for otherwise, of a leader or officer.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// A file with the passphrase of the root key; asked for otherwise, for a leader or officer.
    #[arg(long)]
    root_passphrase_file: Option<PathBuf>,
}

impl Person {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Add(add) => add.run().await,
            Self::Revoke(revoke) => revoke.run().await,
            Self::Erase { which, id } => {
                which.open().await?.erase_person(&id, None).await?;
                say_line!("the name of {id} is forgotten; the log is whole");
                Ok(true)
            }
            Self::Invite { which, id } => invite(&which, &id).await,
            Self::List { which, json } => list(&which, json).await,
        }
    }
}

async fn invite(which: &Which, id: &PersonId) -> anyhow::Result<bool> {
    let station = which.open().await?;
    let code = station.invite(id, None).await?;
    say_line!("{}/invitation?code={code}", station.config.web.address());
    eprintln!("hand this over in person: it counts once, within 72 hours");
    Ok(true)
}

async fn list(which: &Which, json: bool) -> anyhow::Result<bool> {
    for person in which.open().await?.store.people().await? {
        if json {
            print_json(&serde_json::json!({
                "id": person.id, "name": person.name, "duties": person.roles,
            }))?;
        } else {
            say_line!("{:<16} {:<28} {}", person.id, person.name, person.roles);
        }
    }
    Ok(true)
}

impl AddPerson {
    async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let duties: crate::access::Duties = self.duties.parse().context("--duties")?;
        let person =
            store::Person { id: self.id.clone(), name: self.name, roles: duties.to_string() };
        let signs = duties.hold(Duty::Leader) || duties.hold(Duty::Officer);
        let ask = |file: Option<&std::path::Path>, what: &str| {
            signs.then(|| passphrase(file, what)).transpose()
        };
        let own = ask(self.passphrase_file.as_deref(), &format!("the key of {}", self.id))?;
        let root = ask(self.root_passphrase_file.as_deref(), "the root key")?;
        let added = station.add_person(&person, own.as_deref(), root.as_deref(), None).await?;
        say_line!("{} is {}", self.id, person.roles);
        if let Added::Waits { missing } = added {
            say_line!(
                "an emergency needs several officers: this key counts as soon as {missing} more are added"
            );
        }
        Ok(true)
    }
}

/// Takes everything from somebody.
#[derive(Debug, Args)]
pub(super) struct RevokePerson {
    #[command(flatten)]
    which: Which,
    /// The id.
    id: PersonId,
    /// A file with the passphrase of the root key; asked for otherwise.
    #[arg(long)]
    root_passphrase_file: Option<PathBuf>,
}

impl RevokePerson {
    async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let root = passphrase(self.root_passphrase_file.as_deref(), "the root key")?;
        station.revoke_person(&self.id, &root, None).await?;
        say_line!("{} has no duty and no key that counts any more", self.id);
        say_line!("what they approved is silent until another leader approves it");
        Ok(true)
    }
}
