//! The scratch station under the benchmark: real in every part, with made-up villages and a made-up
//! sound.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::broker::LinkOptions;
use crate::cli::{content, station::config_text};
use crate::digest::Digest;
use crate::entropy;
use crate::id::{ControllerId, NetId, PersonId};
use crate::note::Signer;
use crate::protocol::{Enrolment, Topics, encode};
use crate::server::{Aim, Alarm, Beginning, Signed, Station};
use crate::store::Person;
use crate::trust::device_key_name;

/// Communes of the made-up province; each with one village, in which its controllers stand.
const COMMUNES: usize = 38;

/// Samples a second of the made-up recording.
const RATE: u32 = 16_000;

/// Seals the keys of people who are made up with the station and deleted with it.
const MADE_UP: &str = "của bài đo mà thôi";

/// How long a process may take to listen.
const START_MAX: Duration = Duration::from_mins(1);

/// One controller as the crowd plays it.
pub(super) struct Device {
    pub(super) controller: ControllerId,
    pub(super) password: String,
    pub(super) signer: Signer,
}

/// A process that ends with the benchmark.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A station that serves, and everything that its controllers know.
pub(super) struct Ground {
    pub(super) net: NetId,
    pub(super) topics: Topics,
    pub(super) devices: Vec<Device>,
    pub(super) asset: Digest,
    pub(super) asset_bytes: u64,
    pub(super) blocks: Vec<Vec<u8>>,
    pub(super) between_blocks: Duration,
    pub(super) server_password: String,
    station: Station,
    folder: PathBuf,
    broker: SocketAddr,
    officers: [(PersonId, String); 2],
    /// Mosquitto and the server, in the order in which they end.
    processes: Vec<Process>,
}

impl Ground {
    /// Makes and starts everything but the controllers.
    pub(super) async fn make(
        folder: &Path,
        mosquitto: bool,
        count: usize,
        seconds: u32,
        kbit_s: u32,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let broker = free_address()?;
        let said = if mosquitto {
            format!("url = \"mqtt://{broker}\"")
        } else {
            format!("listen = \"{broker}\"")
        };
        let config = config_text(&"do-thu".parse()?, "sqlite:loaban.db", &said, "127.0.0.1:0");
        let config = format!("{config}\n[fanout]\nkbit_s = {kbit_s}\n");
        let root = entropy::secret();
        let area = "tinh".parse()?;
        let beginning = Beginning { config: &config, root_area: area, passphrase: &root };
        let station = Station::init(folder, &beginning).await?;
        let officers = hire(&station, &root).await?;
        let schedule = [("areas.toml".to_owned(), areas(count))];
        station.import_schedule(&schedule).await?;
        let asset = record(&station, folder, seconds).await?;
        let devices = enrol(&station, folder, count).await?;
        let processes = start(folder, mosquitto, broker)?;
        let block_bytes = station.config.block_bytes;
        let mut blocks = Vec::new();
        let rows = station.store.assets().await?;
        let row = rows.iter().find(|row| row.digest == asset).context("the recording is kept")?;
        for n in 0..row.blocks {
            blocks.push(station.assets.block(asset, n, block_bytes)?);
        }
        Ok(Self {
            topics: Topics::new(&station.config.net),
            net: station.config.net.clone(),
            devices,
            asset,
            asset_bytes: blocks.iter().map(|block| block.len() as u64).sum(),
            blocks,
            between_blocks: station.config.pace.between_blocks,
            server_password: station.broker_password()?,
            station,
            folder: folder.to_owned(),
            broker,
            officers,
            processes,
        })
    }

    /// How a client connects; `seed` decides its jitter.
    pub(super) fn options(&self, seed: u64) -> LinkOptions {
        LinkOptions {
            address: self.broker.into(),
            tls: None,
            client_id: String::new(),
            user: String::new(),
            password: String::new(),
            clean_session: true,
            keep_alive: Duration::from_mins(5),
            will: None,
            pace: super::pace(),
            seed,
        }
    }

    /// The first officer's word for an emergency over the whole province.
    pub(super) async fn raise(&self, alarm: &Alarm) -> anyhow::Result<()> {
        let (officer, passphrase) = &self.officers[0];
        match self.station.raise(alarm, officer, passphrase).await? {
            Signed::Waits { .. } => Ok(()),
            Signed::Raised => bail!("one officer was enough for {}", alarm.id),
        }
    }

    /// The second officer's.
    pub(super) async fn confirm(&self, alarm: &Alarm) -> anyhow::Result<()> {
        let (officer, passphrase) = &self.officers[1];
        match self.station.confirm(&alarm.id, officer, passphrase).await? {
            Signed::Raised => Ok(()),
            Signed::Waits { .. } => bail!("two officers were not enough for {}", alarm.id),
        }
    }

    /// Ends server and broker, and forgets the recordings.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.processes.clear();
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}

/// A leader who is reviewed by somebody else, and two officers.
async fn hire(station: &Station, root: &str) -> anyhow::Result<[(PersonId, String); 2]> {
    for (id, duties) in [("an", "announcer"), ("chi", "reviewer"), ("dung", "leader")] {
        let person = Person { id: id.parse()?, name: id.to_owned(), roles: duties.to_owned() };
        station.add_person(&person, Some(MADE_UP), Some(root), None).await?;
    }
    let officers = ["giang", "hoa"].map(|id| (id, entropy::secret()));
    for (id, passphrase) in &officers {
        let roles = "officer".to_owned();
        let person = Person { id: id.parse()?, name: (*id).to_owned(), roles };
        station.add_person(&person, Some(passphrase), Some(root), None).await?;
    }
    Ok(officers.map(|(id, passphrase)| (id.parse().expect("an id"), passphrase)))
}

/// A province with as many controllers as are asked for.
fn areas(count: usize) -> String {
    let mut text =
        "[[area]]\nid = \"tinh\"\nname = \"Tỉnh Đo Thử\"\nlevel = \"province\"\n".to_owned();
    for n in 0..COMMUNES {
        let _ = write!(
            text,
            "[[area]]\nid = \"xa-{n}\"\nname = \"Xã {n}\"\nlevel = \"commune\"\nparent = \"tinh\"\n\
             [[area]]\nid = \"ban-{n}\"\nname = \"Bản {n}\"\nlevel = \"village\"\nparent = \"xa-{n}\"\n\
             [[area.listens]]\nlanguage = \"vi\"\n"
        );
    }
    for n in 0..count {
        let area = n % COMMUNES;
        let _ = write!(text, "[[controller]]\nid = \"loa-{n}\"\narea = \"ban-{area}\"\n");
    }
    text
}

/// Takes in a made-up sound as an emergency bulletin, the way a recording is taken in.
async fn record(station: &Station, folder: &Path, seconds: u32) -> anyhow::Result<Digest> {
    write_sound(&folder.join("am.wav"), seconds)?;
    let body = "[[bulletin]]\nid = \"khan\"\ntitle_vi = \"Đo thử\"\ncolumn = \"Thông tin chính sách\"\n\
        kind = \"notice\"\nclass = \"emergency\"\nsource_level = \"province\"\nissuing_body = \"Đo thử\"\n\
        valid_days = 2\n[[bulletin.version]]\nlanguage = \"vi\"\nfile = \"am.wav\"\n\
        script = \"Tiếng máy tạo ra để đo.\"\nvoice = \"synthetic\"\n";
    let file = folder.join("bulletins.toml");
    fs::write(&file, body)?;
    if !content::import(station, &file, &|_| "an".parse().expect("an id"), true).await? {
        bail!("the made-up sound was refused");
    }
    let (bulletin, language) = ("khan".parse()?, "vi".parse()?);
    station.review(Aim::at(&bulletin, &language), &"chi".parse()?).await?;
    station.approve(Aim::at(&bulletin, &language), &"dung".parse()?, MADE_UP).await?;
    let version = station.version(&bulletin, &language).await?;
    Ok(version.spoken().context("it is recorded")?.recording.asset)
}

/// Something like speech in its rhythm: tones that change three times a second, with pauses, over
/// noise. Synthetic, and nobody takes it for a voice.
fn write_sound(path: &Path, seconds: u32) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec)?;
    let (mut noise, mut phase) = (1_u32, 0.0_f64);
    for n in 0..seconds * RATE {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let syllable = n / (RATE / 3);
        let pitch = 110.0 + f64::from(syllable * 37 % 140);
        phase += pitch / f64::from(RATE);
        let voice = if syllable % 7 == 6 { 0.0 } else { (phase.fract() - 0.5) * 0.4 };
        let hiss = (f64::from(noise >> 16) / 65_536.0 - 0.5) * 0.05;
        #[expect(clippy::cast_possible_truncation, reason = "below half of full scale")]
        wav.write_sample(((voice + hiss) * 32_767.0) as i16)?;
    }
    Ok(wav.finalize()?)
}

async fn enrol(station: &Station, folder: &Path, count: usize) -> anyhow::Result<Vec<Device>> {
    let net = &station.config.net;
    let mut devices = Vec::with_capacity(count);
    for n in 0..count {
        let controller: ControllerId = format!("loa-{n}").parse()?;
        let given = station.provision(&controller, None).await?;
        let (password, code) = (given.password, given.code.key(net, &controller));
        let name = device_key_name(net, &controller);
        let signer = Signer::from_seed(name, &entropy::bytes());
        let key = signer.public();
        let heard = key.fingerprint();
        let document = Enrolment { controller: controller.clone(), key, request: None };
        let note = code.cosign(&signer.sign(&encode(net, &document)))?;
        station.enrol(&controller, &note, &heard, None, None).await?;
        let own = folder.join("devices").join(controller.as_str());
        fs::create_dir_all(&own)?;
        crate::vault::write_secret(&own.join("password"), password.as_bytes())?;
        devices.push(Device { controller, password, signer });
    }
    Ok(devices)
}

fn start(folder: &Path, mosquitto: bool, broker: SocketAddr) -> anyhow::Result<Vec<Process>> {
    let program = std::env::current_exe()?;
    let config = folder.join("loaban.toml");
    let mut processes = Vec::new();
    if mosquitto {
        let out = folder.join("mosquitto");
        let mut files = Command::new(&program);
        files.args(["mosquitto", "--config"]).arg(&config).arg("--out").arg(&out);
        files.args(["--listen", &broker.to_string(), "--devices"]).arg(folder.join("devices"));
        if !files.stdout(Stdio::null()).status()?.success() {
            bail!("Mosquitto's files were not written");
        }
        let conf = out.join("mosquitto.conf");
        // As root it would change to a user who may not read this folder.
        fs::write(&conf, format!("{}\nuser root\n", fs::read_to_string(&conf)?))?;
        let mut command = Command::new(mosquitto_program());
        command.arg("-c").arg(conf);
        processes.push(spawn(&mut command, &folder.join("mosquitto.log"))?);
        listens(broker)?;
    }
    let mut serve = Command::new(&program);
    serve.args(["serve", "--config"]).arg(&config).env("LOABAN_LOG", "warn");
    processes.insert(0, spawn(&mut serve, &folder.join("server.log"))?);
    listens(broker)?;
    Ok(processes)
}

/// Debian keeps it where only root looks.
fn mosquitto_program() -> PathBuf {
    let usual = PathBuf::from("/usr/sbin/mosquitto");
    if usual.exists() { usual } else { PathBuf::from("mosquitto") }
}

fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Process> {
    let log = fs::File::create(log)?;
    let command = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let child = command.spawn();
    Ok(Process(child.with_context(|| format!("cannot start {}", command.get_program().display()))?))
}

fn listens(address: SocketAddr) -> anyhow::Result<()> {
    let clock = crate::clock::Clock::start();
    while TcpStream::connect(address).is_err() {
        if clock.now().up.since(crate::time::Uptime::START) > START_MAX {
            bail!("nobody listens at {address}; see the logs in the work folder");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
