//! What a plan says beside its airings: every refusal, fallback, cut and collision in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DecisionId, Pending};
use crate::calendar::AiringKey;
use crate::id::{AreaId, BulletinId, ExceptionId, PersonId, ProgrammeId};
use crate::lang::LangTag;
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};

mod words;

/// Something that a person should know about a plan, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The airing, planned or refused; none where a programme reaches nobody.
    pub key: Option<AiringKey>,
    /// The programme.
    pub programme: ProgrammeId,
    /// The area of the controller.
    pub area: Option<AreaId>,
    /// The bulletin that it is about.
    pub bulletin: Option<BulletinId>,
    /// The language that it is about.
    pub language: Option<LangTag>,
    /// What is so.
    pub reason: Reason,
}

/// How far a version is that would be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// There is none.
    NotMade,
    /// Recorded, but nobody listened back to it.
    Draft,
    /// Listened back to, but not approved.
    InReview,
    /// Withdrawn.
    Withdrawn,
    /// Approved after the airing begins.
    ApprovedLater,
}

impl From<Pending> for Missing {
    fn from(pending: Pending) -> Self {
        match pending {
            Pending::Draft => Self::Draft,
            Pending::InReview => Self::InReview,
            Pending::Withdrawn => Self::Withdrawn,
        }
    }
}

/// An instant as the wall clock of the place shows it, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WallClock {
    /// The date.
    pub date: LocalDate,
    /// The time of day, its fraction of a second dropped.
    pub time: TimeOfDay,
}

impl WallClock {
    /// What the clock shows in `zone` at `at`.
    pub fn of(zone: Zone, at: Timestamp) -> Self {
        Self { date: zone.date(at), time: TimeOfDay::of(zone.local(at)) }
    }

    /// As it is written in Viet Nam: `05:30 ngày 22/11/2026`.
    pub fn vi(self) -> String {
        format!("{} ngày {}", self.time, self.date.vi())
    }
}

impl fmt::Display for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

/// What is so, for one of the people who can mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// A village asked for a language that this bulletin cannot be heard in.
    MissingLanguage {
        /// How far the version is.
        state: Missing,
    },
    /// The village hears its fallback, because nothing that it asked for exists.
    FellBack,
    /// No version of the bulletin can be heard at all.
    NotApproved {
        /// How far the furthest version is.
        state: Missing,
    },
    /// The programme names a bulletin that nobody made.
    UnknownBulletin,
    /// The bulletin is not heard yet.
    NotYetValid {
        /// From when on it is.
        from: WallClock,
    },
    /// The bulletin would be heard after its end.
    Expired {
        /// Its end.
        until: WallClock,
    },
    /// The item did not fit.
    Cut {
        /// Seconds that the airing may have.
        length_max_s: u32,
    },
    /// The airing has as many items as one can have.
    TooManyItems,
    /// The village asks for none of the programme's languages.
    NotAsked,
    /// Nothing is left to air.
    NothingToAir,
    /// Nobody says what the village listens to.
    NoProfile,
    /// Nobody says when sound is allowed.
    NoPolicy,
    /// Sound is not allowed at that time.
    OutsideWindow,
    /// Sound is allowed at first, but not to the end.
    RunsPastWindow {
        /// When sound must stop.
        closes: WallClock,
    },
    /// Longer than one airing may be.
    SessionTooLong {
        /// Minutes that one may have.
        minutes_max: u16,
    },
    /// One airing more than a day may have.
    TooManySessions {
        /// Airings that a day may have.
        sessions_max: u16,
    },
    /// It would sound in quiet hours.
    QuietHours {
        /// From when on it would.
        from: WallClock,
    },
    /// The week has its days with airings.
    WeekFull {
        /// Days that a week may have.
        days_max: u8,
    },
    /// More minutes than a day may have.
    DayFull {
        /// Minutes that a day may have.
        minutes_max: u16,
    },
    /// Another airing is there at that time and goes first.
    Collision {
        /// Its programme.
        winner: ProgrammeId,
    },
    /// A priority bulletin from above met the commune's own: the commune decides.
    Decision {
        /// The question.
        decision: DecisionId,
        /// The last moment at which a decision counts.
        deadline: WallClock,
        /// What goes first until then.
        default: ProgrammeId,
    },
    /// The commune decided that another airing goes first.
    Decided {
        /// The question.
        decision: DecisionId,
        /// What goes first.
        winner: ProgrammeId,
        /// Who decided.
        by: PersonId,
        /// When.
        at: WallClock,
    },
    /// The commune decided too late.
    DecisionLate {
        /// The question.
        decision: DecisionId,
        /// Who decided.
        by: PersonId,
        /// When.
        at: WallClock,
        /// Until when it would have counted.
        deadline: WallClock,
    },
    /// The commune decided what is no question any more.
    DecisionStale {
        /// What was the question.
        decision: DecisionId,
        /// Who decided.
        by: PersonId,
    },
    /// An exception says that it does not come.
    Skipped {
        /// The exception.
        exception: ExceptionId,
        /// Its name for people.
        name: String,
    },
    /// An exception moved it.
    Moved {
        /// The exception.
        exception: ExceptionId,
        /// Its name for people.
        name: String,
        /// When it comes on other days.
        from: WallClock,
    },
    /// An exception put something else in.
    Replaced {
        /// The exception.
        exception: ExceptionId,
        /// Its name for people.
        name: String,
    },
    /// An exception meets it, but another one holds.
    ExceptionYields {
        /// The exception that does not hold.
        exception: ExceptionId,
        /// Its name for people.
        name: String,
        /// The name of the one that holds.
        to: String,
    },
    /// No controller stands where the programme is heard.
    NoAudience,
}

impl Reason {
    /// The word of documents, such as `outside-window`.
    pub fn word(&self) -> String {
        let value = serde_json::to_value(self).expect("a reason has text keys");
        value["reason"].as_str().expect("a reason is tagged").to_owned()
    }

    /// Whether the airing that it is about does not take place.
    pub fn refuses(&self) -> bool {
        match self {
            Self::MissingLanguage { .. }
            | Self::FellBack
            | Self::NotApproved { .. }
            | Self::UnknownBulletin
            | Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::Cut { .. }
            | Self::TooManyItems
            | Self::DecisionStale { .. }
            | Self::Moved { .. }
            | Self::Replaced { .. }
            | Self::ExceptionYields { .. } => false,
            Self::NotAsked
            | Self::NothingToAir
            | Self::NoProfile
            | Self::NoPolicy
            | Self::OutsideWindow
            | Self::RunsPastWindow { .. }
            | Self::SessionTooLong { .. }
            | Self::TooManySessions { .. }
            | Self::DayFull { .. }
            | Self::Collision { .. }
            | Self::Decision { .. }
            | Self::Decided { .. }
            | Self::DecisionLate { .. }
            | Self::Skipped { .. }
            | Self::QuietHours { .. }
            | Self::WeekFull { .. }
            | Self::NoAudience => true,
        }
    }

    /// Whether something that was asked for is not heard, although its airing takes place.
    pub fn is_gap(&self) -> bool {
        !self.refuses()
            && !matches!(
                self,
                Self::DecisionStale { .. }
                    | Self::Moved { .. }
                    | Self::Replaced { .. }
                    | Self::ExceptionYields { .. }
            )
    }

    /// The decision that was taken and speaks here.
    pub(super) fn decision(&self) -> Option<&DecisionId> {
        if let Self::Decided { decision, .. } | Self::DecisionLate { decision, .. } = self {
            return Some(decision);
        }
        None
    }
}

impl Remark {
    /// What would mend it, in Vietnamese.
    pub fn mend_vi(&self) -> String {
        self.reason.mend_vi()
    }

    /// What would mend it, in English.
    pub fn mend_en(&self) -> String {
        self.reason.mend_en()
    }

    /// The remark in Vietnamese.
    pub fn vi(&self) -> String {
        let language = self.language.as_ref().map(LangTag::name_vi);
        format!("{}: {}", self.place("bản tin", language), self.reason.vi())
    }

    /// What it is about.
    fn place(&self, noun: &str, language: Option<&str>) -> String {
        let key = self.key.as_ref().map(ToString::to_string);
        let mut place = key.unwrap_or_else(|| self.programme.to_string());
        if let Some(bulletin) = &self.bulletin {
            place.extend([", ", noun, " ", bulletin.as_str()]);
        }
        if let Some(language) = language {
            place.extend([", ", language]);
        }
        place
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let language = self.language.as_ref().map(LangTag::name_en);
        write!(f, "{}: {}", self.place("bulletin", language), self.reason)
    }
}
