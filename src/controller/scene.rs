//! What sounds and what is shown of it: playlists, the device's senses, the glance.

use std::path::PathBuf;

use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::agent::{Input, Part, Playlist, Sounded, tone_digest};
use crate::audio::tone::Tone;
use crate::controller::door::{Asked, Question};
use crate::controller::sense::Sounding;
use crate::controller::watchdog::Watchdog;
use crate::controller::{Glance, Picture, SelfTest, Shell};

/// By the environment that systemd gave.
pub(super) fn watchdog() -> Watchdog {
    let told = |name: &str| std::env::var(name).ok();
    Watchdog::of(told("NOTIFY_SOCKET").as_deref(), told("WATCHDOG_USEC").as_deref())
}

impl Shell {
    pub(super) fn play(&mut self, list: Playlist) {
        info!(controller = %self.config.controller, what = list.title, "plays");
        self.list = Some(list.clone());
        self.part = 0;
        self.sense();
        self.speaker.play(list);
    }

    pub(super) fn look(&mut self, token: u64, sounded: &Sounded) {
        if self.list.as_ref().is_none_or(|list| list.token != token) {
            return;
        }
        match sounded {
            Sounded::Part(n) => {
                self.part = n + 1;
                self.sense();
            }
            Sounded::Failed(why) => {
                warn!(controller = %self.config.controller, why, "cannot play");
                self.list = None;
            }
            Sounded::Finished | Sounded::Stopped => self.list = None,
        }
    }

    /// Has the device's senses listen to the recording that begins now, or to the test tone.
    fn sense(&self) {
        let Some(list) = &self.list else { return };
        let (asset, file) = match list.parts.get(self.part) {
            Some(Part::Sound { asset, .. }) => (*asset, self.shelf.recording(*asset)),
            Some(Part::Tone(Tone::Test)) => (tone_digest(), PathBuf::new()),
            Some(Part::Tone(_) | Part::Silence(_)) | None => return,
        };
        self.config.senses.listen(&Sounding { token: list.token, asset, file }, &self.notices);
    }

    /// What somebody at the device asked for.
    pub(super) fn answer(&mut self, (question, reply): Asked) -> Option<Input> {
        match question {
            Question::Status => {
                told(reply, &self.picture());
                None
            }
            Question::SelfTest => {
                if let Some(why) = self.hinders_test() {
                    let refused = SelfTest { refused: Some(why), tests: vec![] };
                    told(reply, &refused);
                    return None;
                }
                self.tester = Some(reply);
                Some(Input::SelfTest)
            }
        }
    }

    fn hinders_test(&self) -> Option<String> {
        if let Some(title) = self.agent.playing() {
            return Some(format!("{title} plays; try again when it is over"));
        }
        let now = self.clock.now();
        self.agent.is_stopped().then(|| "the local stop is on; release it".to_owned()).or_else(
            || {
                let waits = self.agent.time(now).is_none();
                waits.then(|| {
                    "the time is not known yet; connect it to its station and wait a minute"
                        .to_owned()
                })
            },
        )
    }

    pub(super) fn picture(&self) -> Picture {
        let mut picture = Picture::of(&self.agent, self.clock.now(), &self.config);
        picture.runs = true;
        picture.online = self.online;
        picture
    }

    /// After everything was carried out: the end of a self-test, and a sign of life.
    pub(super) fn after(&mut self) {
        if self.tester.is_some() && self.agent.playing() != Some("selftest") {
            let tests = self.agent.last_test().to_vec();
            let refused = tests.is_empty().then(|| "no sound may be made now".to_owned());
            if let Some(tester) = self.tester.take() {
                told(tester, &SelfTest { refused, tests });
            }
        }
        let up = self.clock.now().up;
        self.watchdog.alive(up, self.list.is_some(), self.speaker.beats());
    }

    pub(super) fn show(&self) {
        let list = self.list.as_ref();
        let language = list.and_then(|list| match list.parts.get(self.part) {
            Some(Part::Sound { language, .. }) => Some(language.clone()),
            _ => None,
        });
        let glance = Glance {
            online: self.online,
            playing: self.agent.playing().map(str::to_owned),
            part: (self.part, list.map_or(0, |list| list.parts.len())),
            language,
            stocked: self.agent.is_stocked(),
            airings: self.agent.manifest().map_or(0, |manifest| manifest.airings.len()),
            receipts_waiting: self.agent.receipts_waiting(),
        };
        self.glance.send_if_modified(|held| {
            let changed = *held != glance;
            *held = glance;
            changed
        });
    }
}

fn told<A: serde::Serialize>(reply: oneshot::Sender<String>, answer: &A) {
    // Whoever asked may have gone.
    let _ = reply.send(serde_json::to_string(answer).expect("answers have text keys"));
}
