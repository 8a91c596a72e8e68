//! "Verify now": the whole log derived anew from its entries and compared with what was signed, then
//! the tables compared with the log.
//!
//! **One run at a time**, and everybody who asks meanwhile watches that one: it reads everything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::audit::SignedCheckpoint;
use crate::audit::qr::Qr;
use crate::clock::utc_now;
use crate::log::{LogError, LogReader, Verdict, verify_telling};
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

/// A checkpoint that somebody kept, if they send one.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Kept {
    older: String,
}

impl Kept {
    /// The checkpoint; browsers send other line ends than were signed, and paper has no empty line
    /// before the signature.
    fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, Fault> {
        let text = self.older.replace("\r\n", "\n");
        if text.trim().is_empty() {
            return Ok(None);
        }
        let (says, signature) = text.trim().split_once("\n— ").unwrap_or((&text, ""));
        let note = format!("{}\n\n— {signature}\n", says.trim_end());
        let read = SignedCheckpoint::parse(note.as_bytes());
        read.map(Some).map_err(|_| {
            Fault::bad(
                "Đây không phải điểm kiểm chứng: hãy dán nguyên văn, từ dòng tên nhật ký đến hết dòng \
                 chữ ký.",
                "This is no checkpoint: paste it whole, from the line with the log's name to the end of \
                 the signature.",
            )
        })
    }
}

/// Begins a run.
pub(in crate::web) async fn verify(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(kept): Form<Kept>,
) -> Result<Response, Fault> {
    let older = match kept.checkpoint() {
        Ok(older) => older,
        Err(fault) => return refused(&site, &visitor, kept, &fault),
    };
    let held = older.is_some();
    if let Some(run) = site.verification.begin() {
        tokio::spawn(async move {
            let found = look(&site, &run, older).await.unwrap_or_else(Found::Failed);
            // Nobody else sets what a run found.
            let _ = run.found.set(found);
        });
    } else if held {
        // Whoever compares with what they kept must not take somebody else's answer for theirs.
        let fault = Fault::bad(
            "Một lượt kiểm chứng khác đang chạy và không so với điểm của bạn; hãy chờ nó xong rồi gửi \
             lại.",
            "Another run is on its way that does not compare with yours; wait for it, then send again.",
        );
        return refused(&site, &visitor, kept, &fault);
    }
    Ok(Redirect::to("/inspector/verification").into_response())
}

/// The page with why nothing was begun; what was pasted stays.
fn refused(site: &Site, visitor: &Visitor, kept: Kept, fault: &Fault) -> Result<Response, Fault> {
    let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
    let page = Page { fault: Some(sentence), older: kept.older, ..page(site, visitor)? };
    Ok((fault.status, frame::page(&page)).into_response())
}

async fn look(
    site: &Site,
    run: &Arc<Run>,
    older: Option<SignedCheckpoint>,
) -> Result<Found, Fault> {
    let _place = site.heavy().await.ok_or_else(busy)?;
    let station = &site.station;
    let (folder, key) = (station.log_folder(), station.online_keys()?.log.public());
    let told = Arc::clone(run);
    let verified = tokio::task::spawn_blocking(move || {
        verify_telling(&folder, &key, older.as_ref(), |read, of| told.tell(0, read, of))
    });
    let verdict = verified.await.map_err(|error| ServerError::Task(error.to_string()))?;
    let verdict = verdict.map_err(|error| match error {
        LogError::OldCheckpoint(_) => Fault::bad(
            "Điểm kiểm chứng đã dán không do khoá của nhật ký này ký: nó bị sửa, hoặc thuộc nhật ký khác.",
            "The checkpoint that was pasted is not by this log's key: it was altered, or is of another \
             log.",
        ),
        error => ServerError::from(error).into(),
    })?;
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
    fault: Option<String>,
    /// A checkpoint as it was pasted.
    older: String,
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
    Ok(frame::page(&page(&site, &visitor)?))
}

fn page(site: &Site, visitor: &Visitor) -> Result<Page, Fault> {
    let log = LogReader::open(&site.station.log_folder()).map_err(ServerError::from)?;
    let key = site.station.online_keys()?.log.public();
    let note = log.checkpoint().as_str().to_owned();
    let title = visitor.tongue.say("Kiểm chứng nhật ký", "Verify the log");
    Ok(Page {
        frame: Frame::new(site, visitor, title).live("/inspector/verification/live".to_owned()),
        tabs: super::tabs(visitor),
        fault: None,
        older: String::new(),
        outcome: outcome(site, visitor.tongue)?,
        size: log.size(),
        code: Qr::of(&note).map(|code| code.svg()).unwrap_or_default(),
        checkpoint: note,
        fingerprint: key.fingerprint(),
        key: key.to_string(),
    })
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
