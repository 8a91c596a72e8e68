//! Connections under TLS, with a certificate for each client: the same claims on the embedded broker's
//! door and on a real Mosquitto, with real sockets.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use loaban::broker::mosquitto::{
    self as files, CA_FILE, CERTIFICATE_FILE, KEY_FILE, Login, REVOKED_FILE,
};
use loaban::broker::{
    Authority, BrokerAddress, Embedded, FrontOptions, Identity, Limits, LinkOptions, SureTime, Tls,
    TlsKey,
};
use loaban::time::Timestamp;
use tokio::io::AsyncWriteExt as _;

use crate::stand::{Member, Mosquitto, Porter, REVOKED_SERIAL, options, rules, topic, within};

/// Runs each claim on both brokers.
macro_rules! contract {
    ($($claim:ident)*) => {
        mod embedded {
            $(#[tokio::test] async fn $claim() { super::$claim(super::Door::embedded().await).await; })*
        }
        mod mosquitto {
            $(#[tokio::test] async fn $claim() { super::$claim(super::Door::mosquitto().await).await; })*
        }
    };
}

contract! {
    a_controller_comes_in_with_its_certificate_and_no_password
    a_controller_under_tls_writes_and_reads_as_itself
    a_controller_cannot_speak_as_another_whatever_its_login_says
    a_revoked_certificate_is_refused_at_the_door
    a_certificate_of_another_station_is_refused
    a_client_without_a_certificate_is_refused
    a_broker_of_another_station_is_not_believed
    a_broker_that_is_called_by_another_name_is_not_believed
    a_controller_that_wakes_in_1970_comes_in
    a_broker_whose_certificate_has_ended_is_not_believed
    a_plain_connection_to_the_door_is_refused
}

fn issued() -> Timestamp {
    loaban::clock::utc_now()
}

fn authority() -> Authority {
    Authority::make(&"laichau".parse().expect("a net"), [1; 16], issued())
}

enum Running {
    Embedded(#[expect(dead_code, reason = "it runs until it is dropped")] Embedded),
    Mosquitto(#[expect(dead_code, reason = "it runs until it is dropped")] Mosquitto),
}

/// A broker that speaks TLS, called `localhost`.
struct Door {
    broker: Running,
    address: SocketAddr,
    authority: Authority,
}

impl Door {
    async fn embedded() -> Self {
        Self::embedded_of(authority(), issued()).await
    }

    async fn embedded_of(authority: Authority, made: Timestamp) -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let keeper = Arc::new(Porter::new());
        let mut broker =
            Embedded::start(listen, keeper, Limits::default()).await.expect("a free port");
        let front = FrontOptions {
            listen,
            identity: certified(&authority, made),
            authority: authority.certificate().to_owned(),
            secret: [5; 32],
            connections_max: 100,
        };
        let address = broker.open_front(front).await.expect("a free port");
        Self { broker: Running::Embedded(broker), address, authority }
    }

    async fn mosquitto() -> Self {
        Self::mosquitto_of(authority(), issued()).await
    }

    async fn mosquitto_of(authority: Authority, made: Timestamp) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().to_owned();
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("a bound port");
        drop(free);
        let setup = files::Setup {
            listen: address,
            login: Login::Certificate { folder: path.clone() },
            acl_file: path.join("acl"),
            persistence_directory: None,
            limits: Limits::default(),
        };
        let Identity { certificate, key } = certified(&authority, made);
        let revoked = authority.revocations(&[REVOKED_SERIAL.to_owned()], issued());
        for (name, text) in [
            ("mosquitto.conf", files::conf(&setup)),
            ("acl", files::acl(&rules())),
            (CA_FILE, authority.certificate().to_owned()),
            (CERTIFICATE_FILE, certificate),
            (KEY_FILE, key),
            (REVOKED_FILE, revoked),
        ] {
            std::fs::write(path.join(name), text).expect("a writable directory");
        }
        let broker = Mosquitto::start(folder, address).await;
        Self { broker: Running::Mosquitto(broker), address, authority }
    }

    /// The same kind of broker, with a certificate that was made at `made`.
    async fn again(self, made: Timestamp) -> Self {
        match self.broker {
            Running::Embedded(_) => Self::embedded_of(self.authority, made).await,
            Running::Mosquitto(_) => Self::mosquitto_of(self.authority, made).await,
        }
    }

    /// What `user` needs to come in well: a certificate with this serial number.
    fn options(&self, user: &str, serial: [u8; 16]) -> LinkOptions {
        let identity = identity(&self.authority, user, serial);
        self.with(user, Some(&identity), &self.authority, SureTime::at(issued()))
    }

    fn with(
        &self,
        user: &str,
        identity: Option<&Identity>,
        believed: &Authority,
        sure: SureTime,
    ) -> LinkOptions {
        LinkOptions {
            address: self.called("localhost"),
            tls: Some(Tls::new(believed.certificate(), identity, sure).expect("our own PEM")),
            password: String::new(),
            ..options(user, self.address)
        }
    }

    fn called(&self, host: &str) -> BrokerAddress {
        format!("mqtts://{host}:{}", self.address.port()).parse().expect("an address")
    }

    async fn member(&self, user: &str) -> Member {
        Member::open(self.options(user, [2; 16])).connected().await
    }
}

/// A key of `user`, and what the authority made of its request.
fn identity(authority: &Authority, user: &str, serial: [u8; 16]) -> Identity {
    let key = TlsKey::make();
    let controller = user.parse().expect("a controller");
    let signed = authority.sign_request(&key.request(user), &controller, serial, issued());
    Identity { certificate: signed.expect("our own request").certificate, key: key.pem() }
}

fn certified(authority: &Authority, made: Timestamp) -> Identity {
    let names = ["localhost".to_owned()];
    authority.broker(&names, TlsKey::make(), [3; 16], made).expect("a name of a host")
}

async fn a_controller_comes_in_with_its_certificate_and_no_password(door: Door) {
    door.member("mt-1").await.close().await;
}

async fn a_controller_under_tls_writes_and_reads_as_itself(door: Door) {
    let mut controller = door.member("mt-1").await;
    assert!(controller.subscribe("a/+/emergency").await);
    assert!(controller.subscribe("c/mt-1/manifest").await);
    controller.tell("c/mt-1/status", b"under TLS", true).await;
}

async fn a_controller_cannot_speak_as_another_whatever_its_login_says(door: Door) {
    let identity = identity(&door.authority, "mt-1", [2; 16]);
    let sure = SureTime::at(issued());
    let thief = LinkOptions {
        client_id: "mt-1".to_owned(),
        ..door.with("mt-2", Some(&identity), &door.authority, sure)
    };
    let mut thief = Member::open(thief);
    // The embedded broker refuses the login; Mosquitto puts the name in the certificate in its place.
    match &door.broker {
        Running::Embedded(_) => {
            let reason = thief.refused().await;
            assert!(reason.contains("refused the login of mt-2"), "{reason}");
        }
        Running::Mosquitto(_) => {
            thief.up().await;
            thief.0.subscribe(&[topic("c/mt-2/manifest")]).await.expect("a link that is up");
            thief.0.subscribe(&[topic("c/mt-1/manifest")]).await.expect("a link that is up");
            let server = door.authority.server([4; 16], issued());
            let server =
                door.with("server", Some(&server), &door.authority, SureTime::at(issued()));
            let mut server = Member::open(server).connected().await;
            server.tell("c/mt-2/manifest", b"for another", true).await;
            server.tell("c/mt-1/manifest", b"for me", true).await;
            assert_eq!(thief.text().await, "for me");
        }
    }
}

async fn a_revoked_certificate_is_refused_at_the_door(door: Door) {
    let mut serial = [0; 16];
    (serial[0], serial[15]) = (0x40, 9);
    let reason = Member::open(door.options("mt-1", serial)).refused().await;
    let mosquitto = reason.contains("our certificate is revoked");
    assert!(mosquitto || reason.contains("refused the login of mt-1"), "{reason}");
}

async fn a_certificate_of_another_station_is_refused(door: Door) {
    let identity = identity(&authority(), "mt-1", [2; 16]);
    let options = door.with("mt-1", Some(&identity), &door.authority, SureTime::at(issued()));
    let reason = Member::open(options).refused().await;
    assert!(reason.contains("have the station sign a new request"), "{reason}");
}

async fn a_client_without_a_certificate_is_refused(door: Door) {
    let options = door.with("mt-1", None, &door.authority, SureTime::at(issued()));
    let reason = Member::open(options).refused().await;
    assert!(reason.contains("our certificate is missing"), "{reason}");
}

async fn a_broker_of_another_station_is_not_believed(door: Door) {
    let identity = identity(&door.authority, "mt-1", [2; 16]);
    let options = door.with("mt-1", Some(&identity), &authority(), SureTime::at(issued()));
    let reason = Member::open(options).refused().await;
    assert!(reason.contains("the authority of this station did not sign"), "{reason}");
}

async fn a_broker_that_is_called_by_another_name_is_not_believed(door: Door) {
    let options =
        LinkOptions { address: door.called("127.0.0.1"), ..door.options("mt-1", [2; 16]) };
    let reason = Member::open(options).refused().await;
    let expected = "certified for DnsName(\"localhost\"), not for 127.0.0.1";
    assert!(reason.contains(expected) && reason.contains("`names`"), "{reason}");
}

async fn a_controller_that_wakes_in_1970_comes_in(door: Door) {
    let identity = identity(&door.authority, "mt-1", [2; 16]);
    let options = door.with("mt-1", Some(&identity), &door.authority, SureTime::default());
    Member::open(options).connected().await.close().await;
}

async fn a_broker_whose_certificate_has_ended_is_not_believed(door: Door) {
    let eleven_years = Duration::from_hours(11 * 366 * 24);
    let door = door.again(issued() - eleven_years).await;
    let reason = Member::open(door.options("mt-1", [2; 16])).refused().await;
    assert!(reason.contains("a certificate that has ended"), "{reason}");
}

async fn a_plain_connection_to_the_door_is_refused(door: Door) {
    let mut plain = Member::open(options("mt-1", door.address));
    within("the loss", plain.down()).await;
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_named_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one client");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("it listens");
        stream
    });
    let tls = Tls::new(authority().certificate(), None, SureTime::default()).expect("our own PEM");
    let address = format!("mqtts://localhost:{}", address.port()).parse().expect("an address");
    let plain = options("mt-1", ([127, 0, 0, 1], 1).into());
    let reason = Member::open(LinkOptions { address, tls: Some(tls), ..plain }).refused().await;
    assert!(reason.contains("does not speak TLS on this port"), "{reason}");
    answering.await.expect("it answered");
}
