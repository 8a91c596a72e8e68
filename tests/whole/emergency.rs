//! An emergency from two officers' passphrases to the loudspeakers, with separate processes.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::cast::{
    Process, Station, checkout, free_port, listens, now, provision, ran, start_controller,
    start_server, wait_for,
};

const CONTROLLERS: [&str; 2] = ["muong-te-1", "mu-ca-1"];

pub struct Valley {
    pub station: Station,
    pub web: SocketAddr,
    pub broker: String,
    pub server: Process,
    controllers: BTreeMap<&'static str, Process>,
}

impl Valley {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A station that `init` was told more about.
    pub fn with(arguments: &[&str]) -> Self {
        let broker: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let web: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let listen = broker.to_string();
        let web_words = ["--listen", &listen, "--web", &web.to_string()];
        let station = Station::init(&[&web_words[..], arguments].concat());
        station.hire();
        let samples = station.path("samples");
        ran(Command::new("cp").arg("-r").arg(checkout().join("audio-samples")).arg(&samples));
        let file = samples.join("bulletins.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replacen("class = \"normal\"", "class = \"emergency\"", 1)).unwrap();
        station.fill_from(&file);
        for file in ["areas.toml", "policy-open.toml"] {
            let path = checkout().join("schedules/demo").join(file);
            station.does(&["schedule", "import", path.to_str().unwrap()]);
        }
        let broker = format!("mqtt://{listen}");
        for controller in CONTROLLERS {
            provision(&station, controller, &broker);
        }
        let server = start_server(&station);
        listens(web);
        let controllers = CONTROLLERS.map(|one| (one, start_controller(&station, one))).into();
        let valley = Self { station, web, broker, server, controllers };
        valley.everybody_is_up();
        valley
    }

    /// Every controller is there and holds the emergency's recordings in advance.
    pub fn everybody_is_up(&self) {
        wait_for("controllers with their recordings", Duration::from_mins(1), || {
            let list = self.station.does(&["fleet", "list", "--json"]);
            let ready = |line: &str| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let status = &line["status"];
                line["state"] == "up"
                    && status["assets_held"].as_u64() > Some(0)
                    && status["assets_held"] == status["assets_named"]
            };
            list.lines().filter(|line| ready(line)).count() == CONTROLLERS.len()
        });
    }

    fn kill(&mut self, controller: &str) {
        self.controllers.get_mut(controller).unwrap().kill();
    }

    /// Starts a controller anew, on the settings that it has now.
    pub fn restart(&mut self, controller: &'static str) {
        self.kill(controller);
        self.controllers.insert(controller, start_controller(&self.station, controller));
    }

    pub fn officers(&self) {
        for (id, name) in [("lan", "Giàng Thị Lan"), ("minh", "Lỳ Văn Minh")] {
            let said = self.signs(&["person", "add", id, "--name", name, "--duties", "officer"]);
            assert_eq!(said.contains("1 more are added"), id == "lan", "{said}");
        }
    }

    /// A command with the passphrase of whoever signs.
    fn signs(&self, words: &[&str]) -> String {
        let mut words = words.to_vec();
        let (own, root) = (self.station.path("dung.pass"), self.station.path("root.pass"));
        words.extend(["--passphrase-file", own.to_str().unwrap()]);
        if words[0] == "person" {
            words.extend(["--root-passphrase-file", root.to_str().unwrap()]);
        }
        self.station.does(&words)
    }

    fn raise(&self, id: &str, area: &str) {
        let bulletin = ["--bulletin", "phong-chong-sat-lo", "--repeat", "1"];
        let raise = ["emergency", "raise", id, "--by", "lan", "--area", area];
        let said = self.signs(&[&raise[..], &bulletin[..]].concat());
        assert!(said.contains("1 of 2"), "{said}");
    }

    fn steps(&self, id: &str) -> Vec<String> {
        let output = self.station.loaban(&["emergency", "status", id, "--json"]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let step = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            format!("{} {}", line["controller"].as_str().unwrap(), line["step"].as_str().unwrap())
        };
        let mut steps: Vec<String> = lines.lines().map(step).collect();
        steps.sort();
        steps
    }

    fn played(&self, controller: &str) -> usize {
        let folder = self.station.path("devices").join(controller).join("played");
        fs::read_dir(folder).into_iter().flatten().count()
    }
}

#[test]
fn an_emergency_needs_two_officers_and_is_heard_where_it_was_raised_alone() {
    let valley = Valley::new();
    valley.officers();
    valley.raise("lu-quet", "mu-ca");
    let again = ["emergency", "confirm", "lu-quet", "--by", "lan", "--passphrase-file"];
    let own = valley.station.path("dung.pass");
    let refused = valley.station.refuses(&[&again[..], &[own.to_str().unwrap()]].concat());
    assert!(refused.contains("another officer"), "{refused}");
    assert_eq!(valley.steps("lu-quet"), ["mu-ca-1 silent"]);

    let confirmed = now();
    valley.signs(&["emergency", "confirm", "lu-quet", "--by", "minh"]);
    wait_for("the emergency", Duration::from_secs(20), || valley.played("mu-ca-1") == 1);
    println!("from the confirmation to the first sample: {:?}", confirmed.elapsed());
    wait_for("its end", Duration::from_mins(1), || {
        valley.steps("lu-quet") == ["mu-ca-1 completed"]
    });
    assert_eq!(valley.played("muong-te-1"), 0, "the other valley stays quiet");
    let log = valley.station.does(&["log", "list", "--json"]);
    for kind in ["emergency.asked", "emergency.raised"] {
        assert_eq!(log.matches(kind).count(), 1, "{kind}");
    }
    assert!(valley.station.does(&["log", "verify"]).contains("is right"));
}

#[test]
fn who_was_away_hears_it_on_return_a_cancel_stops_it_and_the_stolen_are_out() {
    let mut valley = Valley::new();
    valley.officers();
    valley.kill("mu-ca-1");
    valley.raise("lu-ong", "lai-chau");
    valley.signs(&["emergency", "confirm", "lu-ong", "--by", "minh"]);
    wait_for("the first village", Duration::from_secs(30), || valley.played("muong-te-1") == 1);
    // The server knows from its store alone who has not told of it.
    valley.server.kill();
    valley.server = start_server(&valley.station);
    valley.restart("mu-ca-1");
    wait_for("the village that was away", Duration::from_secs(40), || {
        valley.played("mu-ca-1") == 1
    });
    valley.signs(&["emergency", "cancel", "lu-ong", "--by", "minh"]);
    valley.signs(&["emergency", "confirm", "lu-ong", "--by", "lan"]);
    wait_for("its end", Duration::from_mins(1), || {
        let steps = valley.steps("lu-ong");
        steps.len() == 2
            && steps.iter().all(|s| s.ends_with("cancelled") || s.ends_with("completed"))
    });
    assert!(valley.steps("lu-ong").contains(&"mu-ca-1 cancelled".to_owned()));

    valley.station.does(&["person", "add", "hoa", "--name", "Tẩn Mý Hoa", "--duties", "operator"]);
    let order = ["fleet", "order", "mu-ca-1", "--by", "hoa", "volume", "40"];
    valley.station.does(&order);
    wait_for("the volume", Duration::from_secs(20), || {
        valley.station.does(&["fleet", "list", "--json"]).contains("\"volume_percent\":40")
    });
    let root = valley.station.path("root.pass");
    let revoke = ["fleet", "revoke", "mu-ca-1", "--root-passphrase-file", root.to_str().unwrap()];
    valley.station.does(&revoke);
    let log = valley.station.path("devices/mu-ca-1/log");
    valley.kill("mu-ca-1");
    valley.restart("mu-ca-1");
    wait_for("the broker to turn it away", Duration::from_secs(30), || {
        fs::read_to_string(&log).unwrap().to_lowercase().contains("refused")
    });
}
