//! The cast of the broker tests: one broker of either kind, and members of the net connected to it.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loaban::broker::mosquitto::{self, Login, Setup};
use loaban::broker::{
    Broker, Embedded, Gatekeeper, Limits, Link, LinkEvent, LinkOptions, Pace, Qos, Rules, Token,
    Will,
};
use loaban::digest::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Everything here answers within this time or is broken.
const PATIENCE: Duration = Duration::from_secs(20);
/// The serial number of the one certificate that the stands have revoked.
pub const REVOKED_SERIAL: &str = "40000000000000000000000000000009";
const USERS: [&str; 3] = ["server", "mt-1", "mt-2"];

/// Puts a topic below the prefix of the net under test.
pub fn topic(below: &str) -> String {
    format!("loaban/1/laichau/{below}")
}

fn password(user: &str) -> String {
    format!("password of {user}")
}

pub fn rules() -> Rules {
    Rules::new("laichau").expect("laichau names a net")
}

/// Knows the users of the tests, keeps the rules, and knows who was revoked.
pub struct Porter {
    pub rules: Rules,
    pub revoked: Mutex<Vec<String>>,
}

impl Porter {
    pub fn new() -> Self {
        Self { rules: rules(), revoked: Mutex::default() }
    }
}

impl Gatekeeper for Porter {
    fn login(&self, client_id: &str, user: &str, given: Digest) -> bool {
        let revoked = self.revoked.lock().expect("nobody panics holding it");
        USERS.contains(&user)
            && !revoked.iter().any(|revoked| revoked == user)
            && given == Digest::of(password(user).as_bytes())
            && self.rules.may_connect(user, client_id)
    }
    fn certified(&self, client_id: &str, user: &str, serial: &str) -> bool {
        serial != REVOKED_SERIAL && user != "server" && self.rules.may_connect(user, client_id)
    }
    fn may_publish(&self, user: &str, topic: &str) -> bool {
        self.rules.may_publish(user, topic)
    }
    fn may_subscribe(&self, user: &str, filter: &str) -> bool {
        self.rules.may_subscribe(user, filter)
    }
}

enum Running {
    Embedded(Box<dyn Broker>, Arc<Porter>),
    Mosquitto(Mosquitto),
}

/// A Mosquitto of our own, ended with the test.
pub struct Mosquitto {
    child: Child,
    address: SocketAddr,
    files: tempfile::TempDir,
}

impl Mosquitto {
    /// Starts with the configuration in `files`; ready when its port is.
    pub async fn start(files: tempfile::TempDir, address: SocketAddr) -> Self {
        // Started by root, Mosquitto gives its rights away before it reads its files.
        std::fs::set_permissions(files.path(), std::fs::Permissions::from_mode(0o755))
            .expect("our own directory");
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(files.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto is installed (`apt install mosquitto`)");
        within("its port", async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        Self { child, address, files }
    }

    /// Takes a user out of the passwords and has them read again, as an administrator does.
    fn revoke(&self, user: &str) {
        let path = self.files.path().join("passwords");
        let passwords = std::fs::read_to_string(&path).expect("the passwords");
        let of_user = format!("{user}:");
        let kept = passwords.split_inclusive('\n').filter(|line| !line.starts_with(&of_user));
        let kept: String = kept.collect();
        assert_ne!(kept, passwords, "{user} had a password");
        std::fs::write(&path, kept).expect("a writable directory");
        let signal = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(signal.expect("kill is installed").success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One broker with the rules of the net `laichau`.
pub struct Stand(Running);

impl Stand {
    pub async fn embedded() -> Self {
        Self::embedded_on(([127, 0, 0, 1], 0).into()).await
    }

    pub async fn embedded_on(address: SocketAddr) -> Self {
        let porter = Arc::new(Porter::new());
        let broker = Embedded::start(address, porter.clone(), Limits::default()).await;
        Self(Running::Embedded(Box::new(broker.expect("the embedded broker starts")), porter))
    }

    pub async fn mosquitto() -> Self {
        let files = tempfile::tempdir().expect("a temporary directory");
        let setup = write_files(&files);
        Self(Running::Mosquitto(Mosquitto::start(files, setup.listen).await))
    }

    pub fn address(&self) -> SocketAddr {
        match &self.0 {
            Running::Embedded(broker, _) => broker.address(),
            Running::Mosquitto(mosquitto) => mosquitto.address,
        }
    }

    /// From now on `user` is not let in.
    pub fn revoke(&self, user: &str) {
        match &self.0 {
            Running::Embedded(_, porter) => {
                porter.revoked.lock().expect("nobody panics holding it").push(user.to_owned());
            }
            Running::Mosquitto(mosquitto) => mosquitto.revoke(user),
        }
    }

    /// What `user` needs to connect well.
    pub fn options(&self, user: &str) -> LinkOptions {
        options(user, self.address())
    }

    /// `user`, connected without a session.
    pub async fn link(&self, user: &str) -> Member {
        Member::open(self.options(user)).connected().await
    }

    /// Stops an embedded broker the graceful way.
    pub async fn stop(self) {
        match self.0 {
            Running::Embedded(broker, _) => {
                within("the stop", broker.stop()).await.expect("a graceful stop");
            }
            Running::Mosquitto(_) => {}
        }
    }
}

fn write_files(directory: &tempfile::TempDir) -> Setup {
    let path = directory.path();
    let passwords_file = path.join("passwords");
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let setup = Setup {
        listen: free.local_addr().expect("a bound port"),
        login: Login::Password { file: passwords_file.clone() },
        acl_file: path.join("acl"),
        persistence_directory: None,
        limits: Limits::default(),
    };
    let passwords = USERS
        .map(|user| mosquitto::password_line(user, &password(user), [3; 12]).expect("a good user"));
    std::fs::write(&passwords_file, passwords.join("\n") + "\n").expect("a writable directory");
    std::fs::write(&setup.acl_file, mosquitto::acl(&rules())).expect("a writable directory");
    std::fs::write(path.join("mosquitto.conf"), mosquitto::conf(&setup))
        .expect("a writable directory");
    setup
}

/// What `user` needs to connect to `address`, with waits that suit a test.
pub fn options(user: &str, address: SocketAddr) -> LinkOptions {
    LinkOptions {
        address: address.into(),
        tls: None,
        client_id: user.to_owned(),
        user: user.to_owned(),
        password: password(user),
        clean_session: true,
        keep_alive: Duration::from_mins(1),
        will: None,
        pace: Pace {
            first_wait: Duration::from_millis(20),
            longest_wait: Duration::from_millis(200),
            room_max: Duration::from_millis(200),
            ..Pace::default()
        },
        seed: 7,
    }
}

/// The last will of `user`.
pub fn will(user: &str) -> Will {
    Will { topic: topic(&format!("c/{user}/status")), payload: b"lost".to_vec(), retain: true }
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let in_time = tokio::time::timeout(PATIENCE, future).await;
    in_time.unwrap_or_else(|_elapsed| panic!("{what} did not come within {PATIENCE:?}"))
}

/// One connection, and what a test wants of it.
pub struct Member(pub Link);

/// Somebody who subscribes and reads nothing from then on, as behind a link that fails in the middle.
pub struct Deaf(#[expect(dead_code, reason = "it is held open")] tokio::net::TcpStream);

impl Deaf {
    pub async fn subscribe(stand: &Stand, user: &str, topic: &str) -> Self {
        let field = |text: &str| {
            let length = u16::try_from(text.len()).expect("a short text").to_be_bytes();
            [&length[..], text.as_bytes()].concat()
        };
        let packet = |kind: u8, body: &[u8]| {
            let length = u8::try_from(body.len()).expect("a short packet");
            assert!(length < 128, "the length is one byte (MQTT 3.1.1 §2.2.3)");
            [&[kind, length], body].concat()
        };
        // Level 4; user, password and clean session; keep alive for 60 s.
        let head = [&field("MQTT")[..], &[4, 0b1100_0010, 0, 60]].concat();
        let login = [field(user), field(user), field(&password(user))].concat();
        let connect = packet(0x10, &[head, login].concat());
        let subscribe = packet(0x82, &[&[0, 1][..], &field(topic), &[0]].concat());
        let mut stream = tokio::net::TcpStream::connect(stand.address()).await.expect("the port");
        stream.write_all(&[connect, subscribe].concat()).await.expect("an open port");
        // CONNACK and SUBACK: accepted, and granted at most once.
        let mut answers = [0; 9];
        within("the answers", stream.read_exact(&mut answers)).await.expect("nine bytes");
        assert_eq!(answers, [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]);
        Self(stream)
    }
}

impl Member {
    pub fn open(options: LinkOptions) -> Self {
        Self(Link::open(options))
    }

    /// Waits until the link is up.
    pub async fn connected(mut self) -> Self {
        self.up().await;
        self
    }

    /// The first event that `pick` takes; the others are passed over.
    pub async fn event<T>(&mut self, what: &str, pick: impl Fn(LinkEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = pick(self.0.next().await) {
                    break found;
                }
            }
        };
        within(what, found).await
    }

    /// Waits for the link to be up; tells whether the session was kept.
    pub async fn up(&mut self) -> bool {
        self.event("the link", |event| match event {
            LinkEvent::Up { session_present } => Some(session_present),
            _ => None,
        })
        .await
    }

    pub async fn down(&mut self) -> String {
        self.event("the loss", |event| match event {
            LinkEvent::Down { reason } => Some(reason),
            _ => None,
        })
        .await
    }

    pub async fn refused(&mut self) -> String {
        self.event("the refusal", |event| match event {
            LinkEvent::Refused { reason } => Some(reason),
            _ => None,
        })
        .await
    }

    /// Subscribes and waits for the answer: was it granted?
    pub async fn subscribe(&mut self, below: &str) -> bool {
        self.0.subscribe(&[topic(below)]).await.expect("a link that takes subscriptions");
        self.event("the answer to a subscription", |event| match event {
            LinkEvent::Subscribed { .. } => Some(true),
            LinkEvent::Denied { .. } => Some(false),
            _ => None,
        })
        .await
    }

    /// Publishes at least once and waits until the broker has it.
    pub async fn tell(&mut self, below: &str, payload: &[u8], retain: bool) {
        let sent: Token = self.send(below, payload, Qos::AtLeastOnce, retain).await;
        self.event("the acknowledgement", |event| {
            (event == LinkEvent::Published(sent)).then_some(())
        })
        .await;
    }

    pub async fn send(&self, below: &str, payload: &[u8], qos: Qos, retain: bool) -> Token {
        self.0
            .publish(&topic(below), payload.to_vec(), qos, retain)
            .await
            .expect("a link that takes messages")
    }

    /// The next message: its topic and bytes.
    pub async fn message(&mut self) -> (String, Vec<u8>) {
        self.event("a message", |event| match event {
            LinkEvent::Message { topic, payload, .. } => Some((topic, payload)),
            _ => None,
        })
        .await
    }

    /// The text of the next message.
    pub async fn text(&mut self) -> String {
        String::from_utf8(self.message().await.1).expect("tests send text")
    }

    pub async fn close(self) {
        within("the goodbye", self.0.close()).await;
    }
}
