//! The local stop: a file, or the value file of a GPIO line, that silences the device at once.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::agent::Input;

/// How often it is looked at: with the fade, silence comes within 0.3 s.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where the switch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalStop {
    /// The file. It stops where it is there and its text is not `0`.
    pub file: PathBuf,
    /// The other way round: it stops where its text is `0`, as a button to ground does.
    pub active_low: bool,
}

impl LocalStop {
    /// Whether it stops now.
    pub(super) fn is_on(&self) -> bool {
        let text = std::fs::read_to_string(&self.file);
        text.is_ok_and(|text| (text.trim() == "0") == self.active_low)
    }

    /// Watches it; each change comes out of the channel.
    pub(super) fn watch(self, turned: mpsc::Sender<Input>) {
        tokio::spawn(async move {
            let mut told = false;
            let mut timer = tokio::time::interval(LOOK_EVERY);
            loop {
                timer.tick().await;
                let stopped = self.is_on();
                if stopped != told {
                    told = stopped;
                    if turned.send(Input::Local { stopped }).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stops_by_being_there_and_a_line_by_its_level() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("value");
        let is_on = |active_low| LocalStop { file: file.clone(), active_low }.is_on();
        assert_eq!((is_on(false), is_on(true)), (false, false));
        for (text, high, low) in [("", true, false), ("1\n", true, false), ("0\n", false, true)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!((is_on(false), is_on(true)), (high, low), "{text:?}");
        }
    }
}
