//! The server: everything that one station runs, in one process.
//!
//! ```text
//!   store ──facts──► scribe ──checkpoint──► messages may leave ──► dispatch ──► broker
//!     ▲                                                               │
//!     └──────────── receipts, statuses ◄──────────────────────────────┘
//! ```
//!
//! **One server per store**, held by a lock. The command line writes to the same store; the server
//! notices within a second.

mod administration;
mod agreement;
mod answer;
mod certify;
mod condition;
mod config;
mod deciding;
mod doctor;
mod emergency;
mod enrolment;
mod erasure;
mod filing;
mod gate;
mod inquiry;
mod login;
mod newsroom;
mod people;
mod pick;
mod planning;
mod profile;
mod programming;
mod provisioning;
mod records;
mod roster;
mod run;
mod scribe;
mod station;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod upkeep;
mod upload;

use std::path::PathBuf;

pub use agreement::{Agreement, Disagreement};
pub use answer::{Answer, SelfTest};
pub use condition::{Condition, Fact, Health, Known, Level, READY_FOR};
pub use config::{BrokerChoice, Config, Given, WebDoors, WebTls};
pub use doctor::{Finding, examine};
pub use emergency::{Alarm, AlarmError, Reached, Signed};
pub use enrolment::{CODE_VALID, EnrolError, Enrolled, Provisioned};
pub use erasure::ERASED_NAME;
pub use filing::usual_days;
pub use inquiry::{Aired, AiredPage, Inquired, Inquiry, NotAPlace, Only, Place};
pub use login::{Browser, LoginError, PASSWORD_CHARS_MIN, Second, SignedIn};
pub use newsroom::{
    Aim, BulletinFile, Contribution, Found, Hit, Holdings, Imported, Ingested, Judged,
    NewAnnouncement, NewQuestion, NewSound, Progress, Reach, Shapes, Sound, SpokenEntry, Told,
    Unreached, Validity, VersionEntry,
};
pub use people::Added;
pub use pick::{Pick, Picked, Wanted};
pub use profile::{NotAProfile, Own, Profile};
pub use programming::{FREEZE, Preview};
pub use provisioning::DeviceFolder;
pub use records::{Explained, Records};
pub use run::{Ready, keep_ingest, serve};
pub use scribe::{Head, Scribe, origin};
pub use station::{Beginning, Station};
pub use summary::{Summary, timeline_svg};
pub use token::{Bearer, NewToken, TOKEN_DAYS_MAX, TOKEN_HEAD, TokenError};
pub use upkeep::{MAINTENANCE_MAX, Upkeep};
pub use upload::{UPLOAD_BYTES_MAX, Upload, UploadError, Writing};

use crate::bulletin::Topic;
use crate::id::{AreaId, BulletinId, ControllerId, PersonId, ProgrammeId, QuestionId};
use crate::lang::LangTag;
use crate::note::KeyName;
use crate::schedule::DecisionId;

/// Why the server, or a command on its store, could not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Faults in a file; all at once.
    #[error("{0}")]
    Faults(#[from] crate::config::Faults),
    /// No configuration.
    #[error(
        "{0} is missing; make a station with `loaban init --dir DIR`, or name one with --config"
    )]
    NoConfig(PathBuf),
    /// A station is there already.
    #[error("{0} holds a station already; choose an empty folder")]
    Exists(PathBuf),
    /// A part of the plan that is not there.
    #[error(transparent)]
    Excerpt(#[from] crate::schedule::excerpt::NoExcerpt),
    /// Sheets that could not be written into the schedule files.
    #[error(transparent)]
    Roster(#[from] crate::schedule::roster::NotMerged),
    /// An edit of programmes that is not made.
    #[error(transparent)]
    Edit(#[from] crate::schedule::edit::NotEdited),
    /// An airing that cannot be changed so.
    #[error(transparent)]
    Reach(#[from] crate::schedule::edit::NotReached),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The disk failed.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
    /// A key could not be sealed or unsealed.
    #[error(transparent)]
    Sealed(#[from] crate::vault::SealedError),
    /// A signed note was refused.
    #[error(transparent)]
    Note(#[from] crate::note::NoteError),
    /// A signature was by a key that may not sign this.
    #[error(transparent)]
    Trust(#[from] crate::trust::TrustError),
    /// A document was refused.
    #[error(transparent)]
    Envelope(#[from] crate::protocol::EnvelopeError),
    /// A word that names no duty.
    #[error(transparent)]
    Duty(#[from] crate::access::NotADuty),
    /// Somebody without the duty.
    #[error(transparent)]
    Denied(#[from] crate::access::Denied),
    /// Somebody who was not signed in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A device that was not enrolled.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// A token that is not there, or is not made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// An upload that does not go on.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// An emergency that was not raised.
    #[error(transparent)]
    Alarm(#[from] AlarmError),
    /// A step in a version's life that was refused.
    #[error(transparent)]
    Step(#[from] crate::bulletin::version::StepRefused),
    /// The broker could not be started.
    #[error(transparent)]
    Broker(#[from] crate::broker::BrokerError),
    /// A certificate could not be made or read.
    #[error(transparent)]
    Authority(#[from] crate::broker::AuthorityError),
    /// No trust document in the store.
    #[error("the store has no trust document; it belongs to no station, restore a backup")]
    NoTrust,
    /// A key file is missing.
    #[error("{0} is missing; restore it from a backup")]
    NoKey(PathBuf),
    /// A passphrase was not given.
    #[error("{person} signs with a key: give the passphrase for {what}")]
    NoPassphrase {
        /// For which key.
        what: &'static str,
        /// For whom.
        person: PersonId,
    },
    /// Nobody of that name.
    #[error("nobody is called {0} here; add them with `loaban person add`")]
    NoPerson(PersonId),
    /// No such version.
    #[error("{bulletin} has no version in {language}; contribute, translate or import it first")]
    NoVersion {
        /// The bulletin.
        bulletin: BulletinId,
        /// The language.
        language: LangTag,
    },
    /// The version is in another state.
    #[error("{bulletin} in {language} is not {needed}; nothing to {step}")]
    WrongState {
        /// The bulletin.
        bulletin: BulletinId,
        /// The language.
        language: LangTag,
        /// What was tried.
        step: &'static str,
        /// The state that it needs.
        needed: &'static str,
    },
    /// No such bulletin.
    #[error("there is no bulletin {0}; `loaban bulletin list` names them, or contribute it")]
    NoBulletin(BulletinId),
    /// A new bulletin under the name of one that is there.
    #[error(
        "there is a bulletin {0} already; take another id, or leave out --title to change its text"
    )]
    BulletinExists(BulletinId),
    /// What a signature says of a bulletin was to be changed under it.
    #[error(
        "{bulletin} is approved in {languages}: its class, area and validity are signed; withdraw \
         those versions first, or leave the three as they are"
    )]
    Signed {
        /// The bulletin.
        bulletin: BulletinId,
        /// In which languages.
        languages: String,
    },
    /// A bulletin that ends before it begins, or counts for years.
    #[error("a bulletin ends after it begins, within 366 days; choose other times")]
    Validity,
    /// The place or time of an announcement was to be changed as if it were any bulletin.
    #[error(
        "{0} is an announcement: its class, area and validity are the announcement's own; leave \
         them, or make another announcement"
    )]
    AnnouncedSo(BulletinId),
    /// Somebody else took a step at the same time.
    #[error("{what} was changed by somebody else meanwhile; look at it and do this again")]
    Changed {
        /// What.
        what: String,
    },
    /// No such area.
    #[error("there is no area {0}; mend the name, or import the area")]
    NoArea(AreaId),
    /// A language without a name here.
    #[error(
        "{0} is no language of this station; mend the tag, or add [[language]] to a schedule file"
    )]
    NoLanguage(LangTag),
    /// Words that are on no list of the station, each in a sentence.
    #[error("{0}")]
    Unlisted(String),
    /// A topic that is on no list.
    #[error("`{0}` is no topic of this station; mend it, or add [[topic]] to a schedule file")]
    NoTopic(Topic),
    /// No such question.
    #[error("there is no question {0}; `loaban question list` names them")]
    NoQuestion(QuestionId),
    /// A bulletin is to be made of what has no answer.
    #[error("{0} has no answer yet; answer it first, or close it with a reason")]
    Unanswered(QuestionId),
    /// A step on a question that is done with.
    #[error("{question} is closed; nothing to {step}, take it down as a new question")]
    QuestionClosed {
        /// Which.
        question: QuestionId,
        /// What was tried.
        step: &'static str,
    },
    /// A bulletin that is no answer.
    #[error("{0} is no question-and-answer bulletin; name one that is, or close with a reason")]
    NoAnswerBulletin(BulletinId),
    /// Something is to be erased that is kept for a court or an inspection.
    #[error(
        "a legal hold forbids to erase anything: {0}; lift it first with `loaban log hold --lift`"
    )]
    Held(String),
    /// Somebody who still has duties.
    #[error("{0} still has duties; take them away first with `loaban person revoke {0}`")]
    StillOnDuty(PersonId),
    /// No form of that name.
    #[error(
        "there is no form {0}; the usual ones are weekly, monthly, half-year, annual, items, \
         indicators, figures, gaps and evidence, or put your own into forms/{0}.toml"
    )]
    NoForm(String),
    /// A recording was refused.
    #[error("{path}: {why}")]
    Recording {
        /// Which file.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// A recording of which nothing can be made.
    #[error("{path}: {problems}", problems = both(problems))]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problems: Vec<Told>,
    },
    /// A key of another controller.
    #[error(
        "this is the key {found}, and {expected} is needed; copy what the device itself printed"
    )]
    OtherKey {
        /// Whose it is.
        found: KeyName,
        /// Whose it should be.
        expected: KeyName,
    },
    /// A controller that was never provisioned.
    #[error(
        "{0} is not provisioned; run `loaban fleet provision {0} --profile NAME --out DIR` first"
    )]
    NotProvisioned(ControllerId),
    /// A controller that no schedule file names.
    #[error("no schedule file names the controller {0}; add a [[controller]] and import it")]
    UnknownController(ControllerId),
    /// Somebody takes care of what is well.
    #[error("{0} has no fault to take care of; open the page again")]
    NoFault(ControllerId),
    /// Maintenance without an end, or with a far one.
    #[error("maintenance ends in the future and within 14 days; choose another time")]
    MaintenanceLength,
    /// A recording that nobody took in, or too long ago.
    #[error("that recording is not here; record or choose it again")]
    NoRecording,
    /// An announcement in the past or far ahead.
    #[error("an announcement is heard within seven days from now; choose another time")]
    AnnouncementTime,
    /// An announcement that cannot be heard there and then.
    #[error("{en}")]
    DoesNotFit {
        /// Why, in Vietnamese.
        vi: String,
        /// Why, in English.
        en: String,
    },
    /// An announcement that had its time.
    #[error("{0} had its time already; make a new announcement to say it again")]
    AnnouncedAlready(BulletinId),
    /// An announcement that was taken back.
    #[error("{0} was taken back; make a new announcement to say it")]
    AnnouncementWithdrawn(BulletinId),
    /// A decision about neither of the two.
    #[error("`{first}` is none of the two of {decision}; name one of them with --first")]
    NotAsked {
        /// What was named.
        first: ProgrammeId,
        /// The decision.
        decision: DecisionId,
    },
    /// A decision that nobody asks for.
    #[error(
        "{0} is no question any more: the two do not meet in the coming days; \
         see `loaban schedule decisions`"
    )]
    NotOpen(DecisionId),
    /// A decision after its deadline.
    #[error(
        "{decision} had to be decided by {deadline}; the default holds, or move one of the two"
    )]
    DecidedLate {
        /// The decision.
        decision: DecisionId,
        /// Its deadline, on the wall clock of the station.
        deadline: String,
    },
    /// The log is older than the store.
    #[error(
        "the log has {log} entries and the store knows of {store}: the log was cut or restored \
         from an older backup; restore the newest backup of the log folder"
    )]
    LogBehind {
        /// Entries in the log.
        log: u64,
        /// Entries that the store knows of.
        store: u64,
    },
    /// A fact that cannot enter the log.
    #[error("fact {id} cannot enter the log: {why}; the store is damaged, restore a backup")]
    Fact {
        /// Which.
        id: String,
        /// Why.
        why: String,
    },
    /// The store is served already.
    #[error("another server serves {0}; stop it first, one server per store")]
    Served(PathBuf),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}; free it, or change [web] in loaban.toml")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something that was looked at is not well.
    #[error("{en}")]
    Unwell {
        /// How, in Vietnamese.
        vi: String,
        /// How, in English.
        en: String,
    },
    /// A task of the server ended.
    #[error("a part of the server ended: {0}; restart it")]
    Task(String),
}

/// Problems in both languages.
fn both(problems: &[Told]) -> String {
    let sentences = problems.iter().map(|one| format!("{} / {}", one.vi, one.en));
    sentences.collect::<Vec<_>>().join(" ")
}
