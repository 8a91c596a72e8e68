//! A self-test for the installer: asked of the process that runs, or of one that is started for it.

use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::controller::door::{self, Question};
use crate::controller::{Config, ControllerError, Glance, run};
use crate::receipt::{TestPart, Tested};

/// How long a process that was started for the test may take to reach its broker.
const CONNECT: Duration = Duration::from_secs(20);

/// How long it may take after that until its time is known.
const SETTLE: Duration = Duration::from_secs(10);

/// What came of a self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Why nothing was tested.
    pub refused: Option<String>,
    /// What was found.
    pub tests: Vec<Tested>,
}

/// Tests the device of this configuration.
pub async fn self_test(config: Config) -> Result<SelfTest, ControllerError> {
    if let Some(told) = ask(&config).await? {
        return Ok(told);
    }
    let (stop, stopped) = watch::channel(false);
    let (glance, mut shown) = watch::channel(Glance::default());
    let running = tokio::spawn(run(config.clone(), stopped, glance));
    // Without a link the test says so.
    let _ = tokio::time::timeout(CONNECT, shown.wait_for(|glance| glance.online)).await;
    let told = settled(&config).await;
    stop.send_replace(true);
    match running.await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => told,
    }
}

/// Asks until the time is known, for a while.
async fn settled(config: &Config) -> Result<SelfTest, ControllerError> {
    let mut left = SETTLE.as_secs();
    loop {
        let told = ask(config).await?;
        match told {
            Some(told) if told.refused.is_none() || left == 0 => return Ok(told),
            None if left == 0 => {
                return Err(ControllerError::Answer(std::io::ErrorKind::NotConnected.into()));
            }
            _ => {}
        }
        left -= 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn ask(config: &Config) -> Result<Option<SelfTest>, ControllerError> {
    let state = config.state.clone();
    let asked = tokio::task::spawn_blocking(move || door::ask(&state, Question::SelfTest)).await;
    let line = asked.map_err(std::io::Error::other).flatten().map_err(ControllerError::Answer)?;
    let read = |line: String| {
        serde_json::from_str(&line).map_err(|e| ControllerError::Answer(std::io::Error::other(e)))
    };
    line.map(read).transpose()
}

impl SelfTest {
    /// Whether everything is well.
    pub fn is_well(&self) -> bool {
        self.refused.is_none() && self.tests.iter().all(|test| test.well)
    }

    /// In plain words, Vietnamese and English, one line each; with colour for a terminal.
    pub fn words(&self, colour: bool) -> String {
        let paint = |well: bool, text: &str| match (colour, well) {
            (false, _) => text.to_owned(),
            (true, true) => format!("\x1b[32m{text}\x1b[0m"),
            (true, false) => format!("\x1b[1;31m{text}\x1b[0m"),
        };
        let mut words = String::new();
        for test in &self.tests {
            let mark = if test.well { "TỐT / OK " } else { "HỎNG / BAD" };
            let (vi, en) = name(test.part);
            // A line of text that goes into memory cannot fail.
            let _ = writeln!(words, "{} {vi} / {en}: {}", paint(test.well, mark), test.found);
        }
        let verdict = match &self.refused {
            Some(why) => format!("Chưa kiểm tra được / not tested: {why}"),
            None if self.is_well() => "Thiết bị hoạt động tốt. / The device is well.".to_owned(),
            None => "Thiết bị có lỗi. / The device has faults.".to_owned(),
        };
        let _ = writeln!(words, "{}", paint(self.is_well(), &verdict));
        words
    }
}

fn name(part: TestPart) -> (&'static str, &'static str) {
    match part {
        TestPart::Tone => ("âm thử", "test tone"),
        TestPart::Storage => ("bộ nhớ", "storage"),
        TestPart::Link => ("kết nối", "link"),
        TestPart::Clock => ("đồng hồ", "clock"),
        TestPart::Amplifier => ("tăng âm", "amplifier"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_in_both_languages_and_in_red() {
        let found = "not connected to the broker".to_owned();
        let tests = vec![Tested { part: TestPart::Link, well: false, found }];
        let test = SelfTest { refused: None, tests };
        assert!(!test.is_well());
        assert_eq!(
            test.words(false),
            "HỎNG / BAD kết nối / link: not connected to the broker\n\
             Thiết bị có lỗi. / The device has faults.\n"
        );
        assert!(test.words(true).contains("\x1b[1;31mHỎNG"));
    }
}
