//! The pages by HTTPS: the certificate that `init` showed, believed through the station's own
//! authority; a session that leaves only over TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::cast::{LOABAN, Station, free_port, listens, ran, start_server};

/// The SHA-256 fingerprint of what a server shows, as OpenSSL sees it.
fn shown(address: SocketAddr, authority: &Path) -> String {
    let script = format!(
        "openssl s_client -connect {address} -CAfile '{}' -verify_return_error </dev/null \
         2>/dev/null | openssl x509 -noout -fingerprint -sha256",
        authority.display()
    );
    let said = ran(Command::new("bash").args(["-o", "pipefail", "-c", &script])).stdout;
    let said = String::from_utf8(said).unwrap();
    said.trim().rsplit_once('=').unwrap().1.to_owned()
}

#[test]
fn pages_by_https_show_the_certificate_that_init_named_and_keep_the_session_to_tls() {
    let (web, https) = (free_port(), SocketAddr::from(([127, 0, 0, 1], free_port())));
    let listen = format!("127.0.0.1:{}", free_port());
    let web = format!("127.0.0.1:{web}");
    let station = Station::init(&["--listen", &listen, "--web", &web]);
    let folder = station.path("https");
    let mut init = Command::new(LOABAN);
    init.args(["init", "--net", "thu", "--area", "lai-chau", "--listen", &listen, "--web", &web]);
    init.args(["--https", &https.to_string(), "--name", "localhost", "--name", "127.0.0.1"]);
    init.arg("--passphrase-file").arg(station.path("root.pass")).arg("--dir").arg(&folder);
    let said = String::from_utf8(ran(&mut init).stdout).unwrap();
    // From here on the station is the one with HTTPS.
    std::fs::remove_dir_all(station.path("station")).unwrap();
    std::fs::rename(&folder, station.path("station")).unwrap();
    let _server = start_server(&station);
    listens(https);

    let authority = station.path("station/ca.pem");
    let fingerprint = shown(https, &authority);
    assert!(said.contains(&fingerprint), "{fingerprint} is not in:\n{said}");
    station.does(&["person", "add", "sua", "--name", "Sùng A Sửa", "--duties", "operator"]);
    let link = station.does(&["person", "invite", "sua"]);
    let link = link.trim();
    assert!(link.starts_with(&format!("https://localhost:{}/", https.port())), "{link}");

    let curl = |arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "10", "-i", "--cacert"]).arg(&authority).args(arguments);
        String::from_utf8(ran(&mut curl).stdout).unwrap()
    };
    let origin = format!("Origin: https://localhost:{}", https.port());
    let site = format!("https://localhost:{}", https.port());
    let (_, code) = link.rsplit_once('=').unwrap();
    let code = format!("code={code}");
    let password = "password=bốn từ rời nhau";
    let repeat = "repeat=bốn từ rời nhau";
    let send = |path: &str, fields: &[&str]| {
        let address = format!("{site}/{path}");
        let fields = fields.iter().flat_map(|field| ["--data-urlencode", *field]);
        let arguments: Vec<&str> = ["-H", &origin, &address].into_iter().chain(fields).collect();
        curl(&arguments)
    };
    send("invitation", &[&code, password, repeat]);
    let answer = send("login", &["name=sua", password]);
    let cookie = answer.lines().find(|line| line.contains("__Host-loaban_session="));
    let cookie = cookie.unwrap_or_else(|| panic!("no session in {answer}"));
    assert!(cookie.contains("; Secure"), "{cookie}");
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    let held = format!("Cookie: __Host-loaban_session={token}");
    assert!(curl(&["-H", &held, &format!("{site}/account")]).starts_with("HTTP/1.1 200"));
    // The same session without TLS is nobody's.
    let plain = curl(&["-H", &held, &format!("http://{web}/account")]);
    assert!(plain.contains("/login?next"), "{plain}");
}
