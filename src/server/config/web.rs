//! `[web]`: where the pages and the interface for programs are served.
//!
//! **Without TLS they are served to this machine alone**: for a proxy that stands before them, or for
//! a trial. Whoever comes from elsewhere comes by TLS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::HOST_CHARS_MAX;
use crate::config::{Table, parse};

/// The doors of the pages; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebDoors {
    /// Without TLS, on an address of this machine's own.
    pub plain: Option<SocketAddr>,
    /// With TLS.
    pub tls: Option<WebTls>,
}

/// A door with TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebTls {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The names and addresses by which browsers call it.
    pub names: Vec<String>,
    /// A certificate of somebody else's authority; one of the station's own otherwise.
    pub given: Option<Given>,
}

/// A certificate from elsewhere, in files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The certificate with those above it, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

const PLAIN: &str = "`listen` serves without encryption, so it must be an address of this machine \
    (127.0.0.1 or ::1); write tls_listen for browsers elsewhere";

const NO_NAMES: &str = "`tls_listen` needs `names`: write the names or addresses by which browsers \
    call this server, e.g. names = [\"loa.example.vn\", \"10.0.0.1\"], or a certificate and its key";

const HALF: &str = "`certificate` and `key` belong together and to `tls_listen`; write all three, \
    or leave both out and the station makes its own";

const NOWHERE: &str = "[web] needs listen (this machine only) or tls_listen, or both";

impl WebDoors {
    /// The address that people are told, without a slash at its end: the door with TLS where there
    /// is one.
    pub fn address(&self) -> String {
        match (&self.tls, self.plain) {
            (Some(tls), _) => tls.address(tls.listen.port()),
            (None, Some(plain)) => format!("http://{plain}"),
            (None, None) => unreachable!("a configuration without a door is refused"),
        }
    }
}

impl WebTls {
    /// The address that people are told when it listens on `port`.
    pub fn address(&self, port: u16) -> String {
        let own = || self.listen.ip().to_string();
        let name = self.names.first().cloned().unwrap_or_else(own);
        let host = if name.contains(':') { format!("[{name}]") } else { name };
        if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
    }
}

pub(super) fn build(web: &mut Table<'_>, folder: &Path) -> Option<WebDoors> {
    let file = |text: &str| Ok::<_, std::convert::Infallible>(folder.join(text));
    let plain = web.optional("listen", str::parse::<SocketAddr>);
    let listen = web.optional("tls_listen", str::parse::<SocketAddr>);
    let names = web.list("names", parse::words(HOST_CHARS_MAX)).unwrap_or_default();
    let (certificate, key) = (web.optional("certificate", file), web.optional("key", file));
    let given = certificate.zip(key).map(|(certificate, key)| Given { certificate, key });
    let mut faults = Vec::new();
    if plain.is_some_and(|plain| !plain.ip().is_loopback()) {
        faults.push(("listen", PLAIN));
    }
    if web.has("certificate") != web.has("key") || given.is_some() && !web.has("tls_listen") {
        faults.push(("certificate", HALF));
    }
    if listen.is_some() && names.is_empty() && !web.has("certificate") {
        faults.push(("tls_listen", NO_NAMES));
    }
    if !web.has("listen") && !web.has("tls_listen") {
        faults.push(("listen", NOWHERE));
    }
    for (key, sentence) in &faults {
        web.fault(key, *sentence);
    }
    let tls = listen.map(|listen| WebTls { listen, names, given });
    (faults.is_empty() && (plain.is_some() || tls.is_some())).then_some(WebDoors { plain, tls })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(web: &str) -> Result<WebDoors, String> {
        let text = format!(
            "net = \"laichau\"\ndata = \".\"\nstore = \"sqlite:loaban.db\"\n\
             [broker]\nlisten = \"127.0.0.1:1883\"\n[web]\n{web}\n"
        );
        let read = Config::read(Path::new("/srv/loaban/loaban.toml"), &text);
        read.map(|config| config.web).map_err(|faults| faults.to_string())
    }

    #[test]
    fn pages_without_tls_are_for_this_machine_alone() {
        assert_eq!(read("listen = \"127.0.0.1:80\"").unwrap().address(), "http://127.0.0.1:80");
        let refused = read("listen = \"0.0.0.0:80\"").unwrap_err();
        assert!(refused.contains("tls_listen"), "{refused}");
    }

    #[test]
    fn people_are_told_the_door_with_tls_by_its_first_name() {
        let of = |port, name| {
            read(&format!("tls_listen = \"0.0.0.0:{port}\"\nnames = [\"{name}\"]")).unwrap()
        };
        assert_eq!(of(8443, "loa.example.vn").address(), "https://loa.example.vn:8443");
        assert_eq!(of(443, "::1").address(), "https://[::1]");
    }

    #[test]
    fn half_a_certificate_and_a_door_without_a_name_are_refused() {
        let tls = "tls_listen = \"0.0.0.0:8443\"\n";
        assert!(read(tls).unwrap_err().contains("names = ["));
        let half = read(&format!("{tls}certificate = \"a.pem\"")).unwrap_err();
        assert!(half.contains("belong together"), "{half}");
        assert!(read("").unwrap_err().contains("needs listen"));
        let whole = read(&format!("{tls}certificate = \"a.pem\"\nkey = \"b.pem\"")).unwrap();
        let given = whole.tls.unwrap().given.unwrap();
        assert_eq!(given.key, Path::new("/srv/loaban/b.pem"));
    }
}
