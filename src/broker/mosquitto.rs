//! The files that make Mosquitto 2.0 keep the same rules: configuration, access rules, and passwords
//! or certificates.
//!
//! Two differences stay, and both are harmless to what is heard. Mosquitto answers a forbidden
//! subscription as if it were granted and then delivers nothing. And its access file cannot tie a client
//! id to a user, so a controller may end another's connection by taking its client id, though it
//! reads and writes only its own topics. The embedded broker has neither.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Sha512;

use super::embedded::Limits;
use super::rules::{DOWN, Rules, UP, is_name};

/// Rounds of PBKDF2. Mosquitto checks passwords on its only thread, so 5,000 controllers that return at
/// once wait for 5,000 checks. The passwords are drawn by machine and long: rounds add nothing to them.
const ROUNDS: u32 = 1_000;
/// Seconds between two saves of the sessions and retained messages, if they are saved at all.
const AUTOSAVE_SECONDS: u32 = 60;

/// The head of the rules that hold for every user.
const EVERY_CONTROLLER: &str = "\n# Every controller; %u is its user name, which is its id.\n";

/// Where Mosquitto listens and where its files lie.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The address of the listener.
    pub listen: SocketAddr,
    /// How a client shows who it is.
    pub login: Login,
    /// The file with the text of [`acl`].
    pub acl_file: PathBuf,
    /// A directory that Mosquitto may write, to keep sessions over a restart. Nothing of ours needs it.
    pub persistence_directory: Option<PathBuf>,
    /// The same limits as those of the embedded broker.
    pub limits: Limits,
}

/// How a client shows who it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// By a password, without TLS: for this machine, a VPN or a network of one's own.
    Password {
        /// The file of [`password_line`]s.
        file: PathBuf,
    },
    /// By a certificate of the station's authority, under TLS.
    Certificate {
        /// The folder with [`CA_FILE`], [`CERTIFICATE_FILE`], [`KEY_FILE`] and [`REVOKED_FILE`].
        folder: PathBuf,
    },
}

/// The authority's certificate.
pub const CA_FILE: &str = "ca.pem";
/// The broker's certificate.
pub const CERTIFICATE_FILE: &str = "broker.pem";
/// The broker's key.
pub const KEY_FILE: &str = "broker.key";
/// The list of certificates that count for nothing any more. Mosquitto reads it anew on SIGHUP.
pub const REVOKED_FILE: &str = "revoked.pem";

/// Why no password line can be written for a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a user of the broker: use 1 to 64 letters, digits, `-`, `_` or `.`")]
pub struct BadUser(String);

/// The configuration file.
#[must_use]
pub fn conf(setup: &Setup) -> String {
    let Setup { listen, limits, .. } = setup;
    let mut text = format!(
        "# Written by loaban. Change the settings of loaban instead of this file.\n\
         listener {port} {ip}\n\
         {login}\
         allow_anonymous false\n\
         acl_file {acl}\n\
         max_connections {connections}\n\
         max_packet_size {packet}\n\
         message_size_limit {packet}\n\
         max_queued_messages {queue}\n\
         max_queued_bytes {queue_bytes}\n\
         max_inflight_messages {inflight}\n\
         queue_qos0_messages false\n\
         persistent_client_expiration {days}d\n\
         set_tcp_nodelay true\n",
        port = listen.port(),
        ip = listen.ip(),
        login = login(&setup.login),
        acl = setup.acl_file.display(),
        connections = limits.connections_max,
        packet = limits.packet_bytes_max,
        queue = limits.queue_messages_max,
        queue_bytes = limits.queue_bytes_max,
        inflight = limits.inflight_messages_max,
        days = limits.session_days_max,
    );
    text.push_str(&persistence(setup));
    text
}

fn login(login: &Login) -> String {
    match login {
        Login::Password { file } => format!("password_file {}\n", file.display()),
        Login::Certificate { folder } => {
            let file = |name: &str| folder.join(name).display().to_string();
            format!(
                "cafile {}\ncertfile {}\nkeyfile {}\ncrlfile {}\n\
                 require_certificate true\nuse_identity_as_username true\n",
                file(CA_FILE),
                file(CERTIFICATE_FILE),
                file(KEY_FILE),
                file(REVOKED_FILE)
            )
        }
    }
}

fn persistence(setup: &Setup) -> String {
    match &setup.persistence_directory {
        None => "persistence false\n".to_owned(),
        Some(directory) => format!(
            "persistence true\npersistence_location {}/\nautosave_interval {AUTOSAVE_SECONDS}\n",
            directory.display()
        ),
    }
}

/// The access rule file: the same content as [`Rules`].
#[must_use]
pub fn acl(rules: &Rules) -> String {
    let below = |path: String| format!("{}{path}", rules.prefix());
    let mut text = String::from("# Written by loaban. What is not listed is denied.\n");
    let mut section = |head: &str, words: &str, paths: Vec<String>| {
        text.push_str(head);
        for path in paths {
            let _infallible = writeln!(text, "{words} {}", below(path));
        }
    };
    let for_all = || ["a/+/emergency", "asset/+/+", "trust"].map(str::to_owned);
    section("\nuser server\n", "topic write", [leaves("+", &DOWN), for_all().to_vec()].concat());
    section("", "topic read", leaves("+", &UP));
    section(EVERY_CONTROLLER, "pattern read", [leaves("%u", &DOWN), for_all().to_vec()].concat());
    section("", "pattern write", leaves("%u", &UP));
    text
}

fn leaves(controller: &str, leaves: &[&str]) -> Vec<String> {
    leaves.iter().map(|leaf| format!("c/{controller}/{leaf}")).collect()
}

/// One line of the password file, PBKDF2 over SHA-512.
///
/// # Errors
/// If `user` cannot be a user name: a colon or a line break would forge another entry.
pub fn password_line(user: &str, password: &str, salt: [u8; 12]) -> Result<String, BadUser> {
    if !is_name(user) {
        return Err(BadUser(user.to_owned()));
    }
    let mut hash = [0_u8; 64];
    pbkdf2::pbkdf2_hmac::<Sha512>(password.as_bytes(), &salt, ROUNDS, &mut hash);
    Ok(format!("{user}:$7${ROUNDS}${}${}", STANDARD.encode(salt), STANDARD.encode(hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_file_lets_a_controller_write_its_four_topics_only() {
        let acl = acl(&Rules::new("laichau").unwrap());
        let writes: Vec<_> = acl
            .lines()
            .filter_map(|line| line.strip_prefix("pattern write loaban/1/laichau/"))
            .collect();
        assert_eq!(writes, ["c/%u/want", "c/%u/receipts", "c/%u/status", "c/%u/clock"]);
    }

    #[test]
    fn the_access_file_has_no_wildcard_over_many_levels() {
        let acl = acl(&Rules::new("laichau").unwrap());
        assert!(acl.lines().all(|line| line.starts_with('#') || !line.contains('#')));
    }

    #[test]
    fn the_password_is_hashed_as_mosquitto_passwd_hashes_it() {
        let line = password_line("mt-1", "x", [7; 12]).unwrap();
        assert!(line.starts_with("mt-1:$7$1000$BwcHBwcHBwcHBwcH$"), "{line}");
    }

    #[test]
    fn a_user_who_would_forge_a_line_is_refused() {
        assert!(password_line("a:$7$1$x\nserver", "x", [0; 12]).is_err());
    }

    fn setup(persistence_directory: Option<PathBuf>) -> Setup {
        Setup {
            listen: ([127, 0, 0, 1], 1883).into(),
            login: Login::Password { file: "/etc/loaban/passwords".into() },
            acl_file: "/etc/loaban/acl".into(),
            persistence_directory,
            limits: Limits::default(),
        }
    }

    #[test]
    fn under_tls_the_certificate_is_required_and_names_the_user() {
        let login = Login::Certificate { folder: "/etc/loaban".into() };
        let conf = conf(&Setup { login, ..setup(None) });
        for line in ["require_certificate true", "use_identity_as_username true"] {
            assert!(conf.lines().any(|found| found == line), "{conf}");
        }
        assert!(conf.contains("crlfile /etc/loaban/revoked.pem\n"), "{conf}");
        assert!(!conf.contains("password_file"), "{conf}");
    }

    #[test]
    fn mosquitto_keeps_nothing_on_disk_unless_it_is_told_where() {
        assert!(conf(&setup(None)).contains("persistence false\n"));
        assert!(
            conf(&setup(Some("/var/lib/m".into())))
                .contains("persistence_location /var/lib/m/\nautosave_interval 60\n")
        );
    }

    #[test]
    fn the_limits_of_the_embedded_broker_stand_in_the_configuration() {
        let conf = conf(&setup(None));
        assert!(
            conf.contains("max_queued_messages 10000\n")
                && conf.contains("message_size_limit 1048576\n"),
            "{conf}"
        );
    }
}
