//! The words of remarks in English.

use super::super::{Missing, Reason};
use crate::schedule::ITEMS_MAX;

impl Missing {
    fn what_en(self) -> &'static str {
        match self {
            Self::NotMade => "there is no version",
            Self::Draft => "the version is a draft",
            Self::InReview => "the version waits for approval",
            Self::Withdrawn => "the version was withdrawn",
            Self::ApprovedLater => "the version is approved after the airing begins",
        }
    }

    fn mend_en(self) -> &'static str {
        match self {
            Self::NotMade => "have it translated and recorded",
            Self::Draft => "listen back to it and have it approved",
            Self::InReview => "approve it",
            Self::Withdrawn => "record and approve a new one",
            Self::ApprovedLater => "air it later",
        }
    }
}

impl Reason {
    /// What is so, in English.
    pub fn what_en(&self) -> String {
        match self {
            Self::MissingLanguage { state } | Self::NotApproved { state } => state.what_en().into(),
            Self::FellBack => "heard in the fallback".into(),
            Self::UnknownBulletin => "the programme names it but it does not exist".into(),
            Self::NotYetValid { from } => format!("the bulletin holds only from {from}"),
            Self::Expired { until } => format!("the bulletin ends at {until}"),
            Self::Cut { length_max_s } => format!("does not fit into {length_max_s} s"),
            Self::TooManyItems => format!("one airing holds {ITEMS_MAX} items"),
            Self::NotAsked => "the village asks for none of these languages".into(),
            Self::NothingToAir => "nothing is left to air".into(),
            Self::NoProfile => "nobody says what this area listens to".into(),
            Self::NoPolicy => "nobody says when this area allows sound".into(),
            Self::OutsideWindow => "outside the hours of the airtime policy".into(),
            Self::RunsPastWindow { closes } => {
                format!("runs past the window, which closes at {closes}")
            }
            Self::QuietHours { from } => format!("would sound in quiet hours at {from}"),
            Self::SessionTooLong { minutes_max } => {
                format!("longer than the {minutes_max} min of one airing")
            }
            Self::TooManySessions { sessions_max } => {
                format!("the day has its {sessions_max} airings")
            }
            Self::WeekFull { days_max } => format!("the week has its {days_max} days with airings"),
            Self::DayFull { minutes_max } => format!("more than the {minutes_max} min of a day"),
            Self::Collision { winner } => {
                format!("programme {winner} is there at that time and goes first")
            }
            Self::Decision { deadline, default, .. } => format!(
                "the commune decides by {deadline} which priority bulletin goes first; if nobody \
                 decides, {default} does"
            ),
            Self::Decided { winner, by, at, .. } => {
                format!("{by} decided at {at} that {winner} goes first")
            }
            Self::DecisionLate { by, at, deadline, .. } => {
                format!("{by} decided at {at}, after the deadline at {deadline}")
            }
            Self::DecisionStale { decision, by } => {
                format!("{by} decided {decision}, but the two do not meet any more")
            }
            Self::Skipped { name, .. } => format!("does not come because of {name}"),
            Self::Moved { name, from, .. } => format!("moved from {from} because of {name}"),
            Self::Replaced { name, .. } => format!("has other content because of {name}"),
            Self::ExceptionYields { name, to, .. } => format!("{name} gives way to {to}"),
            Self::NoAudience => "no controller stands where the programme is heard".into(),
        }
    }

    /// What would mend it, in English.
    pub fn mend_en(&self) -> String {
        match self {
            Self::MissingLanguage { state } | Self::NotApproved { state } => state.mend_en().into(),
            Self::FellBack => "make a version that the village asked for".into(),
            Self::UnknownBulletin => "make it or drop it".into(),
            Self::NotYetValid { .. } => "air it after that".into(),
            Self::Expired { .. } => "air it earlier, shorten it, or let it hold longer".into(),
            Self::Cut { .. } => "raise `length_max_s` or take a bulletin out".into(),
            Self::TooManyItems => "take a bulletin out, or part the programme".into(),
            Self::NotAsked => "mend `languages`".into(),
            Self::NothingToAir => "approve a bulletin for this programme".into(),
            Self::NoProfile => "add `listens` to it or to an area above".into(),
            Self::NoPolicy => "add a policy to it or to an area above".into(),
            Self::OutsideWindow => "move it or widen a window".into(),
            Self::RunsPastWindow { .. } => "begin earlier or shorten it".into(),
            Self::QuietHours { .. } => "move it, shorten it, or change the quiet hours".into(),
            Self::SessionTooLong { .. } => "set `length_max_s` or take a bulletin out".into(),
            Self::TooManySessions { .. } => "drop a programme or raise the limit".into(),
            Self::WeekFull { .. } => "choose other weekdays or raise `days_a_week_max`".into(),
            Self::DayFull { .. } => "shorten a programme or raise the limit".into(),
            Self::Collision { .. } => "move one of them".into(),
            Self::Decision { decision, .. } => {
                format!("decide with `loaban schedule decide {decision} --first PROGRAMME`")
            }
            Self::Decided { .. } => "decide anew before the deadline, or move one of them".into(),
            Self::DecisionLate { .. } => "move one of them; decide the next ones in time".into(),
            Self::DecisionStale { .. } => "nothing needs to be done".into(),
            Self::Skipped { exception, .. } => format!("change exception `{exception}` to air it"),
            Self::Moved { exception, .. } | Self::Replaced { exception, .. } => {
                format!("change exception `{exception}` to undo it")
            }
            Self::ExceptionYields { exception, .. } => {
                format!("change the days or the areas of exception `{exception}` if it should hold")
            }
            Self::NoAudience => {
                "check `areas`, `minus_areas`, `only_tags` and `only_listening`".into()
            }
        }
    }
}
