//! "Verify now": the whole log derived anew from its entries and compared with what was signed, then
//! the tables compared with the log.
//!
//! **One run at a time**, and everybody who asks meanwhile watches that one: it reads everything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::audit::qr::Qr;
use crate::clock::utc_now;
use crate::log::{LogReader, Verdict, verify_telling};
use crate::server::{Agreement, ServerError};
use crate::time::Timestamp;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::inspector::scope::busy;
use crate::web::live;
use crate::web::tongue::Tongue;

/// Parts of a run: the log, then the tables.
const PARTS: u64 = 1_000;

/// The newest run.
#[derive(Debug, Default)]
pub(in crate::web) struct Verification(Mutex<Option<Arc<Run>>>);

/// One run.
#[derive(Debug)]
struct Run {
    begun: Timestamp,
    /// Thousandths of the log that were verified, and as many again for the tables.
    done: AtomicU64,
    found: OnceLock<Found>,
}

/// What came of a run.
#[derive(Debug)]
enum Found {
    /// It ran to its end.
    Told {
        ended: Timestamp,
        verdict: Verdict,
        /// Of the tables; they are not looked at where the log itself is wrong.
        agreement: Option<Agreement>,
    },
    /// It did not.
    Failed(Fault),
}

impl Verification {
    fn newest(&self) -> Option<Arc<Run>> {
        // A thread that panicked left a whole value behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new run, unless one is on its way.
    fn begin(&self) -> Option<Arc<Run>> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_some_and(|run| run.found.get().is_none()) {
            return None;
        }
        let run = Run { begun: utc_now(), done: AtomicU64::new(0), found: OnceLock::new() };
        Some(Arc::clone(newest.insert(Arc::new(run))))
    }
}

/// Begins a run.
pub(in crate::web) async fn verify(State(site): State<Arc<Site>>) -> Response {
    if let Some(run) = site.verification.begin() {
        tokio::spawn(async move {
            let found = look(&site, &run).await.unwrap_or_else(Found::Failed);
            // Nobody else sets what a run found.
            let _ = run.found.set(found);
        });
    }
    Redirect::to("/inspector/verification").into_response()
}

async fn look(site: &Site, run: &Arc<Run>) -> Result<Found, Fault> {
    let _place = site.heavy().await.ok_or_else(busy)?;
    let station = &site.station;
    let (folder, key) = (station.log_folder(), station.online_keys()?.log.public());
    let told = Arc::clone(run);
    let verified = tokio::task::spawn_blocking(move || {
        verify_telling(&folder, &key, None, |read, of| told.tell(0, read, of))
    });
    let verdict = verified.await.map_err(|error| ServerError::Task(error.to_string()))?;
    let verdict = verdict.map_err(ServerError::from)?;
    let agreement = if verdict.is_right() {
        Some(station.agreement_telling(|read, of| run.tell(PARTS, read, of)).await?)
    } else {
        None
    };
    Ok(Found::Told { ended: utc_now(), verdict, agreement })
}

impl Run {
    fn tell(&self, before: u64, read: u64, of: u64) {
        self.done.store(before + read * PARTS / of.max(1), Ordering::Relaxed);
    }
}

#[derive(Template)]
#[template(path = "inspector/verification.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    outcome: String,
    size: u64,
    checkpoint: String,
    code: String,
    key: String,
    fingerprint: String,
}

#[derive(Template)]
#[template(path = "inspector/verification_outcome.html")]
struct Outcome {
    tongue: Tongue,
    state: Stage,
}

/// How the newest run is.
enum Stage {
    Never,
    Running { per_cent: u64, tables: bool },
    Failed(String),
    Ended { at: String, seconds: String, right: bool, log: String, tables: Vec<String> },
}

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let log = LogReader::open(&site.station.log_folder()).map_err(ServerError::from)?;
    let key = site.station.online_keys()?.log.public();
    let note = log.checkpoint().as_str().to_owned();
    let title = visitor.tongue.say("Kiểm chứng nhật ký", "Verify the log");
    Ok(frame::page(&Page {
        frame: Frame::new(&site, &visitor, title).live("/inspector/verification/live".to_owned()),
        tabs: super::tabs(&visitor),
        outcome: outcome(&site, visitor.tongue)?,
        size: log.size(),
        code: Qr::of(&note).map(|code| code.svg()).unwrap_or_default(),
        checkpoint: note,
        fingerprint: key.fingerprint(),
        key: key.to_string(),
    }))
}

/// The newest run as it goes on.
pub(in crate::web) async fn live(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    let tongue = visitor.tongue;
    live::stream(site, &format!("verification {tongue}"), move |site| async move {
        Ok(vec![("outcome", outcome(&site, tongue)?)])
    })
}

fn outcome(site: &Site, tongue: Tongue) -> Result<String, Fault> {
    let zone = site.station.config.zone;
    let state = site.verification.newest().map_or(Stage::Never, |run| match run.found.get() {
        None => {
            let done = run.done.load(Ordering::Relaxed);
            Stage::Running { per_cent: done * 100 / (2 * PARTS), tables: done >= PARTS }
        }
        Some(Found::Failed(fault)) => Stage::Failed(tongue.say(&fault.vi, &fault.en).to_owned()),
        Some(Found::Told { ended, verdict, agreement }) => {
            let tables = agreement.as_ref().map(|found| match tongue {
                Tongue::Vi => found.vi(),
                Tongue::En => found.to_string(),
            });
            let agrees = agreement.as_ref().is_some_and(|found| found.disagreements.is_empty());
            let tenths = ended.since(run.begun).as_millis() / 100;
            Stage::Ended {
                at: zone.local(*ended).format("%d/%m/%Y %H:%M:%S").to_string(),
                seconds: format!("{},{}", tenths / 10, tenths % 10),
                right: verdict.is_right() && agrees,
                log: match tongue {
                    Tongue::Vi => verdict.vi(),
                    Tongue::En => verdict.to_string(),
                },
                tables: tables.iter().flat_map(|text| text.lines()).map(str::to_owned).collect(),
            }
        }
    });
    frame::part(&Outcome { tongue, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_while_one_runs_watches_that_one() {
        let verification = Verification::default();
        let run = verification.begin().unwrap();
        assert!(verification.begin().is_none(), "one at a time");
        run.found.set(Found::Failed(busy())).unwrap();
        assert!(verification.begin().is_some(), "and the next when it has ended");
    }

    #[test]
    fn the_log_is_one_half_of_a_run_and_the_tables_the_other() {
        let run = Verification::default().begin().unwrap();
        run.tell(0, 5, 10);
        assert_eq!(run.done.load(Ordering::Relaxed), 500);
        run.tell(PARTS, 10, 10);
        assert_eq!(run.done.load(Ordering::Relaxed), 2 * PARTS);
    }
}
