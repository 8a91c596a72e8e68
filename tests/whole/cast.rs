//! The cast: a station made by the command line, processes that end with the test, a database
//! server, a broker.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The programs under test.
pub const LOABAN: &str = env!("CARGO_BIN_EXE_loaban");
pub const CONTROLLER: &str = env!("CARGO_BIN_EXE_loaban-controller");

/// The checkout, where samples and schedules lie.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The next port that [`free_port`] looks at: below those that the system gives to connections going
/// out, of which other tests make many.
static NEXT_PORT: AtomicU16 = AtomicU16::new(20_000);

/// A loopback port that was free a moment ago, and that no other test of this process gets.
pub fn free_port() -> u16 {
    loop {
        let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "no port is free");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Waits until `done`, at most `limit`; `what` names it in the failure.
pub fn wait_for(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let deadline = now() + limit;
    while !done() {
        assert!(now() < deadline, "{what} did not come within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Runs a command to its end; its sentence is in the failure.
pub fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    output
}

/// A process that is killed when the test ends.
pub struct Process {
    child: Option<Child>,
}

impl Process {
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: Some(command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"))) }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        let id = self.child.as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An inspector who has signed in at the pages: looks as curl and as a browser.
pub struct Inspector {
    web: SocketAddr,
    jar: PathBuf,
}

impl Inspector {
    /// Is invited, chooses a password, and signs in.
    pub fn sign_in(station: &Station, web: SocketAddr) -> Self {
        let person = ["person", "add", "thanh-tra", "--name", "Thanh tra", "--duties", "inspector"];
        station.does(&person);
        let link = station.does(&["person", "invite", "thanh-tra"]);
        let (_, code) = link.trim().rsplit_once('=').expect("the link ends in its code");
        let inspector = Self { web, jar: station.path("cookies.txt") };
        let (code, password) = (format!("code={code}"), "password=bốn từ rời nhau");
        inspector.sends("invitation", &[&code, password, "repeat=bốn từ rời nhau"]);
        inspector.sends("login", &["name=thanh-tra", password]);
        inspector
    }

    fn curl(&self, path: &str) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sf", "--max-time", "10", "-b"]).arg(&self.jar);
        curl.arg("-c").arg(&self.jar).arg(format!("http://{}/{path}", self.web));
        curl
    }

    fn sends(&self, path: &str, fields: &[&str]) {
        let mut curl = self.curl(path);
        curl.args(["-H", &format!("Origin: http://{}", self.web)]);
        for field in fields {
            curl.args(["--data-urlencode", field]);
        }
        ran(&mut curl);
    }

    /// A page; empty while the server does not answer.
    pub fn page(&self, path: &str) -> String {
        let output = self.curl(path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The summary that the server gives to machines.
    pub fn summary(&self) -> serde_json::Value {
        serde_json::from_str(&self.page("status.json")).unwrap_or_default()
    }
}

/// A PostgreSQL server of its own on a free loopback port.
pub struct Postgres {
    _folder: TempDir,
    _server: Process,
    port: u16,
}

/// Debian's PostgreSQL refuses to run as root; its own user is there with the package.
fn as_postgres(program: &Path) -> Command {
    let root = String::from_utf8_lossy(&ran(Command::new("id").arg("-u")).stdout).trim() == "0";
    if !root {
        return Command::new(program);
    }
    // It becomes the program, so that the process that is ended with the test is the server itself.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

fn postgres_programs() -> PathBuf {
    let versions =
        fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed by ./run test");
    versions.map(|version| version.unwrap().path().join("bin")).max().unwrap()
}

impl Postgres {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        ran(Command::new("chmod").arg("777").arg(folder.path()));
        let data = folder.path().join("data");
        let programs = postgres_programs();
        let mut init = as_postgres(&programs.join("initdb"));
        ran(init.args(["-U", "loaban", "-A", "trust", "-E", "UTF8", "-D"]).arg(&data));
        let port = free_port();
        let mut server = as_postgres(&programs.join("postgres"));
        server.arg("-D").arg(&data).args([
            "-p",
            &port.to_string(),
            "-h",
            "127.0.0.1",
            "-k",
            "",
            "-F",
        ]);
        let server = Process::start(&mut server, &folder.path().join("log"));
        wait_for("PostgreSQL", Duration::from_secs(30), || {
            let mut ready = Command::new(programs.join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            ready.status().is_ok_and(|status| status.success())
        });
        Self { _folder: folder, _server: server, port }
    }

    /// The URL of a database of its own.
    pub fn database(&self, name: &str) -> String {
        let mut create = Command::new(postgres_programs().join("createdb"));
        ran(create.args(["-h", "127.0.0.1", "-U", "loaban", "-p", &self.port.to_string(), name]));
        format!("postgres://loaban@127.0.0.1:{}/{name}", self.port)
    }
}

/// Waits until something listens at `address`.
pub fn listens(address: SocketAddr) {
    wait_for(&format!("a listener on {address}"), Duration::from_secs(30), || {
        TcpStream::connect(address).is_ok()
    });
}

/// A station made with the command line alone, as its users would.
pub struct Station {
    pub folder: TempDir,
    /// The file by which a test moves the time of every process, where it does.
    stage: Option<PathBuf>,
}

impl Station {
    /// `loaban init` with these extra arguments.
    pub fn init(arguments: &[&str]) -> Self {
        Self::init_on(None, arguments)
    }

    /// The same, with time that is moved by hand.
    pub fn init_on(stage: Option<PathBuf>, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        ran(Command::new("chmod").arg("755").arg(folder.path()));
        for (name, text) in [("root.pass", "mật khẩu gốc rất dài"), ("dung.pass", "bốn từ rất dài")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let station = Self { folder, stage };
        let mut init = station.program(LOABAN);
        init.args(["init", "--net", "thu", "--area", "lai-chau", "--passphrase-file"]);
        init.arg(station.path("root.pass")).arg("--dir").arg(station.path("station"));
        ran(init.args(arguments));
        station
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("station/loaban.toml")
    }

    /// A subcommand on this station.
    pub fn loaban(&self, words: &[&str]) -> Command {
        let mut command = self.program(LOABAN);
        command.args(words).env("LOABAN_CONFIG", self.config());
        command
    }

    /// A program in the time of this station.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(stage) = &self.stage {
            command.env(loaban::clock::STAGE, stage);
        }
        command
    }

    /// Runs a subcommand that must go well.
    pub fn does(&self, words: &[&str]) -> String {
        let output = ran(&mut self.loaban(words));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a subcommand that must be refused; returns its sentence.
    pub fn refuses(&self, words: &[&str]) -> String {
        let output = self.loaban(words).output().unwrap();
        assert!(!output.status.success(), "{words:?} went well");
        String::from_utf8(output.stderr).unwrap()
    }

    /// An announcer, a reviewer and a leader.
    pub fn hire(&self) {
        self.does(&["person", "add", "an", "--name", "Lò Thị An", "--duties", "announcer"]);
        self.does(&["person", "add", "chi", "--name", "Phùng Thị Chi", "--duties", "reviewer"]);
        let (own, root) = (self.path("dung.pass"), self.path("root.pass"));
        let (own, root) = (own.to_str().unwrap(), root.to_str().unwrap());
        let leader = ["person", "add", "dung", "--name", "Vàng Văn Dũng", "--duties", "leader"];
        let files = ["--passphrase-file", own, "--root-passphrase-file", root];
        self.does(&[&leader[..], &files[..]].concat());
    }

    /// Imports the samples, and reviews and approves every version.
    pub fn fill(&self) {
        self.fill_from(&checkout().join("audio-samples/bulletins.toml"));
    }

    /// Imports the bulletins of a file, and reviews and approves every version.
    pub fn fill_from(&self, file: &Path) {
        self.does(&["bulletin", "import", file.to_str().unwrap(), "--by", "an"]);
        let own = self.path("dung.pass");
        for line in self.does(&["bulletin", "list", "--json"]).lines() {
            let version: serde_json::Value = serde_json::from_str(line).unwrap();
            let (bulletin, language) =
                (version["bulletin"].as_str().unwrap(), version["language"].as_str().unwrap());
            self.does(&["bulletin", "review", bulletin, language, "--by", "chi"]);
            let approve = ["bulletin", "approve", bulletin, language, "--by", "dung"];
            let file = ["--passphrase-file", own.to_str().unwrap()];
            self.does(&[&approve[..], &file[..]].concat());
        }
    }

    /// A digest of everything that the station keeps, to see that nothing changed.
    pub fn contents(&self) -> String {
        let dump = ran(Command::new("sqlite3").arg(self.path("station/loaban.db")).arg(".dump"));
        let assets = fs::read_dir(self.path("station/assets")).unwrap().count();
        format!("{assets} recordings\n{}", String::from_utf8_lossy(&dump.stdout))
    }
}

/// Provisions and enrols a controller whose quiet hours are open, so that a test can run at any hour.
pub fn provision(station: &Station, controller: &str, broker: &str) {
    let (_, code) = configure(station, controller, broker);
    enrol(station, controller, &code, &mut station.program(CONTROLLER));
}

/// Enrols a provisioned controller, whose keys `program` makes, as installer and station would.
pub fn enrol(station: &Station, controller: &str, code: &str, program: &mut Command) {
    let (path, fingerprint) = ask_enrolment(station, controller, code, program);
    let enrol = ["fleet", "enrol", controller, "--request", path.to_str().unwrap()];
    station.does(&[&enrol[..], &["--fingerprint", &fingerprint]].concat());
}

/// What the device prints: the file for the station, and the fingerprint to be read out.
pub fn ask_enrolment(
    station: &Station,
    controller: &str,
    code: &str,
    program: &mut Command,
) -> (PathBuf, String) {
    let folder = station.path("devices").join(controller);
    let asked =
        ran(program.arg("--config").arg(folder.join("controller.toml")).args(["enrol", code]));
    let path = folder.join("enrolment.note");
    fs::write(&path, asked.stdout).unwrap();
    let said = String::from_utf8(asked.stderr).unwrap();
    let (_, fingerprint) = said.trim().rsplit_once(": ").expect("the fingerprint comes last");
    (path, fingerprint.to_owned())
}

/// The provisioned folder of a controller that may sound at any hour; returns its configuration and
/// the code for its box.
pub fn configure(station: &Station, controller: &str, broker: &str) -> (PathBuf, String) {
    let folder = station.path("devices").join(controller);
    let out = folder.to_str().unwrap();
    let provision = ["fleet", "provision", controller, "--profile", "bench", "--out", out];
    let label = station.does(&[&provision[..], &["--broker", broker]].concat());
    let code =
        label.split_whitespace().find(|word| word.len() == 14 && word.split('-').count() == 3);
    let path = folder.join("controller.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("from = \"05:00\"", "from = \"00:00\"");
    let text = text.replace("until = \"21:30\"", "until = \"24:00\"");
    fs::write(&path, format!("reconnect_max_s = 2\n{text}")).unwrap();
    (path, code.expect("a code is on the label").to_owned())
}

/// `loaban serve`.
pub fn start_server(station: &Station) -> Process {
    Process::start(&mut station.loaban(&["serve"]), &station.path("server.log"))
}

/// `loaban-controller`.
pub fn start_controller(station: &Station, controller: &str) -> Process {
    let folder = station.path("devices").join(controller);
    let mut command = station.program(CONTROLLER);
    command.arg("--config").arg(folder.join("controller.toml"));
    Process::start(&mut command, &folder.join("log"))
}
