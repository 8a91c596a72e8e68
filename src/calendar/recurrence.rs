//! When a programme comes: a cron expression with seconds, or times of day on weekdays.
//!
//! Both are read on the wall clock of a zone. Cron here is seconds first, and a day must match
//! the month field *and* the weekday field. Weekdays are written as words, because systems
//! disagree whether 1 is Sunday or Monday. **A recurrence that exists comes at least once.**

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr as _;

use chrono::Datelike as _;
use cron::TimeUnitSpec as _;

use super::{Days, Weekday};
use crate::time::{LocalDate, TimeOfDay, Timestamp, Zone};

/// Times on one day at most: one each five minutes.
pub const OCCURRENCES_A_DAY_MAX: usize = 288;

/// Characters in a cron expression at most.
const CRON_CHARS_MAX: usize = 200;

/// Where the search for a first day begins when none is given, and how far it looks. After 28
/// years weekdays and leap days repeat, so what did not come by then does not come.
const SEARCH_FROM: chrono::NaiveDate = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
const SEARCH_DAYS: i64 = 28 * 366;

/// Years of the dates from and until: what a programme could mean, and the calendar can count.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2999;

/// The days and times by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A cron expression.
    Cron(Box<cron::Schedule>),
    /// These times, rising, on these weekdays.
    Times {
        /// Times of day, each once.
        at: Vec<TimeOfDay>,
        /// The weekdays.
        weekdays: Days,
    },
}

/// A rule between two dates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recurrence {
    rule: Rule,
    from: Option<LocalDate>,
    until: Option<LocalDate>,
}

/// Why something is no recurrence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARecurrence {
    /// Not six or seven fields.
    #[error(
        "`{0}` is no cron expression; write six fields: second minute hour day month weekday, such as 0 30 5 * * Mon-Sat"
    )]
    Fields(String),
    /// A weekday as a number.
    #[error(
        "`{0}` counts weekdays, and systems disagree whether 1 is Sunday or Monday; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"
    )]
    Numbered(String),
    /// Fields that mean nothing.
    #[error(
        "`{text}` is no cron expression: {cause}; the fields are second minute hour day month weekday"
    )]
    Cron {
        /// The expression.
        text: String,
        /// What the parser says.
        cause: String,
    },
    /// No time, a time twice, or 24:00.
    #[error(
        "the times {0:?} are no list of times of a day; write each once, from 00:00:00 to 23:59:59"
    )]
    Times(Vec<TimeOfDay>),
    /// Too often.
    #[error(
        "{0} times a day are more than {OCCURRENCES_A_DAY_MAX}; give the seconds and minutes as numbers, such as 0 30"
    )]
    TooOften(usize),
    /// Never.
    #[error(
        "{0} never comes; check the day of the month, the weekday, and the dates from and until"
    )]
    Never(String),
}

impl NotARecurrence {
    /// The same in Vietnamese, without a full stop.
    pub fn vi(&self) -> String {
        match self {
            Self::Fields(text) => format!(
                "`{text}` không phải biểu thức cron; hãy ghi sáu phần: giây phút giờ ngày tháng thứ, như \
                 0 30 5 * * Mon-Sat"
            ),
            Self::Numbered(text) => format!(
                "`{text}` ghi thứ bằng số, mà mỗi hệ thống hiểu số 1 một khác; hãy ghi Mon, Tue, Wed, \
                 Thu, Fri, Sat hoặc Sun"
            ),
            Self::Cron { text, .. } => format!(
                "`{text}` không phải biểu thức cron; sáu phần là giây phút giờ ngày tháng thứ"
            ),
            Self::Times(_) => {
                "mỗi giờ chỉ ghi một lần, từ 00:00:00 đến 23:59:59, ít nhất một giờ".to_owned()
            }
            Self::TooOften(times) => format!(
                "{times} lần một ngày là quá nhiều, tối đa {OCCURRENCES_A_DAY_MAX}; hãy ghi giây và phút \
                 bằng số"
            ),
            Self::Never(text) => format!(
                "{text} không bao giờ tới; hãy xem lại ngày trong tháng, thứ, ngày đầu và ngày cuối"
            ),
        }
    }
}

impl Hash for Rule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Cron(cron) => (0_u8, cron.source()).hash(state),
            Self::Times { at, weekdays } => (1_u8, at, weekdays).hash(state),
        }
    }
}

impl Recurrence {
    /// The recurrence of a cron expression from a date until a date, both included.
    pub fn cron(
        text: &str,
        from: Option<LocalDate>,
        until: Option<LocalDate>,
    ) -> Result<Self, NotARecurrence> {
        Self::checked(parse_cron(text)?, from, until)
    }

    /// Times of day on weekdays, from a date until a date, both included.
    pub fn times(
        at: impl IntoIterator<Item = TimeOfDay>,
        weekdays: Days,
        from: Option<LocalDate>,
        until: Option<LocalDate>,
    ) -> Result<Self, NotARecurrence> {
        let given: Vec<TimeOfDay> = at.into_iter().collect();
        let mut at = given.clone();
        at.sort_unstable();
        at.dedup();
        let last = at.last().map_or(u32::MAX, |time| time.seconds());
        if at.len() != given.len() || last >= 86_400 {
            return Err(NotARecurrence::Times(given.into_iter().take(10).collect()));
        }
        Self::checked(Rule::Times { at, weekdays }, from, until)
    }

    fn checked(
        rule: Rule,
        from: Option<LocalDate>,
        until: Option<LocalDate>,
    ) -> Result<Self, NotARecurrence> {
        let recurrence = Self { rule, from, until };
        let mut dates = from.into_iter().chain(until);
        if dates.any(|date| !YEARS.contains(&date.naive().year())) {
            return Err(NotARecurrence::Never(recurrence.to_string()));
        }
        let often = recurrence.times_a_day();
        if often > OCCURRENCES_A_DAY_MAX {
            return Err(NotARecurrence::TooOften(often));
        }
        let first = recurrence.first_date();
        first
            .map(|_| recurrence.clone())
            .ok_or_else(|| NotARecurrence::Never(recurrence.to_string()))
    }

    fn times_a_day(&self) -> usize {
        match &self.rule {
            Rule::Cron(cron) => {
                let fields = [cron.seconds().count(), cron.minutes().count(), cron.hours().count()];
                fields.iter().map(|&count| count as usize).product()
            }
            Rule::Times { at, .. } => at.len(),
        }
    }

    /// The first date on which it comes.
    pub fn first_date(&self) -> Option<LocalDate> {
        let start = self.from.unwrap_or(SEARCH_FROM.into());
        (0..SEARCH_DAYS)
            .map(|days| start.plus_days(days))
            .take_while(|&date| self.until.is_none_or(|until| date <= until))
            .find(|&date| self.comes_on(date))
    }

    /// Whether it comes on one day alone, once.
    pub fn is_single(&self) -> bool {
        self.from.is_some() && self.from == self.until && self.rule.times().len() == 1
    }

    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The times of a day on which it comes, rising.
    pub fn times_of_day(&self) -> Vec<TimeOfDay> {
        self.rule.times()
    }

    /// Its weekdays, where nothing but the weekday and the two dates says when it comes.
    pub fn weekly(&self) -> Option<Days> {
        match &self.rule {
            Rule::Cron(cron) => {
                let all = cron.months().is_all()
                    && cron.days_of_month().is_all()
                    && cron.years().is_all();
                let comes =
                    |day: &Weekday| cron.days_of_week().includes(u32::from(day.iso()) % 7 + 1);
                all.then(|| Days::of(Weekday::ALL.into_iter().filter(comes))).flatten()
            }
            Rule::Times { weekdays, .. } => Some(*weekdays),
        }
    }

    /// The first local date on which it may come.
    pub fn from(&self) -> Option<LocalDate> {
        self.from
    }

    /// The last local date on which it may come.
    pub fn until(&self) -> Option<LocalDate> {
        self.until
    }

    /// Whether it comes on `date`.
    pub fn comes_on(&self, date: LocalDate) -> bool {
        let inside = self.from.is_none_or(|from| from <= date)
            && self.until.is_none_or(|until| date <= until);
        inside && self.rule.matches(date)
    }

    /// The instants of `date` in `zone`, each with its place in order of time. A time that the
    /// clock skips that day does not come; the others keep their places.
    pub fn occurrences(&self, zone: Zone, date: LocalDate) -> Vec<(u16, Timestamp)> {
        if !self.comes_on(date) {
            return Vec::new();
        }
        let times = (0..).zip(self.rule.times());
        times.filter_map(|(i, time)| Some((i, zone.instant(time.on(date))?))).collect()
    }
}

impl Rule {
    fn matches(&self, date: LocalDate) -> bool {
        let day = date.naive();
        match self {
            Self::Cron(cron) => {
                cron.months().includes(day.month())
                    && cron.days_of_month().includes(day.day())
                    && cron.days_of_week().includes(day.weekday().number_from_sunday())
                    && u32::try_from(day.year()).is_ok_and(|year| cron.years().includes(year))
            }
            Self::Times { weekdays, .. } => weekdays.contains(Weekday::of(date)),
        }
    }

    fn times(&self) -> Vec<TimeOfDay> {
        match self {
            Self::Cron(cron) => cron_times(cron),
            Self::Times { at, .. } => at.clone(),
        }
    }
}

fn cron_times(cron: &cron::Schedule) -> Vec<TimeOfDay> {
    let mut times = Vec::new();
    for hour in cron.hours().iter() {
        for minute in cron.minutes().iter() {
            for second in cron.seconds().iter() {
                let time = chrono::NaiveTime::from_hms_opt(hour, minute, second);
                let time = time.expect("cron fields are inside a day");
                times.push(TimeOfDay::of(SEARCH_FROM.and_time(time)));
            }
        }
    }
    times
}

fn parse_cron(text: &str) -> Result<Rule, NotARecurrence> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    if text.len() > CRON_CHARS_MAX || !(6..=7).contains(&fields.len()) {
        return Err(NotARecurrence::Fields(text.chars().take(80).collect()));
    }
    if fields[5].bytes().any(|c| c.is_ascii_digit()) {
        return Err(NotARecurrence::Numbered(fields[5].to_owned()));
    }
    let refuse = |error: cron::error::Error| {
        let cause = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        NotARecurrence::Cron { text: text.to_owned(), cause }
    };
    cron::Schedule::from_str(text).map(|cron| Rule::Cron(Box::new(cron))).map_err(refuse)
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::Cron(cron) => write!(f, "`{}`", cron.source())?,
            Rule::Times { at, weekdays } => {
                let times: Vec<String> = at.iter().map(ToString::to_string).collect();
                let days: Vec<&str> = weekdays.iter().map(Weekday::word).collect();
                write!(f, "{} on {}", times.join(", "), days.join(", "))?;
            }
        }
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> LocalDate {
        text.parse().unwrap()
    }

    fn local(recurrence: &Recurrence, on: &str) -> Vec<(u16, String)> {
        let zone = Zone::default();
        let found = recurrence.occurrences(zone, date(on)).into_iter();
        found.map(|(i, at)| (i, zone.local(at).format("%H:%M:%S").to_string())).collect()
    }

    #[test]
    fn a_cron_expression_is_read_on_the_wall_clock_of_the_zone() {
        let cron = Recurrence::cron("0 30 5,17 * * Mon-Sat", None, None).unwrap();
        let expected = [(0, "05:30:00".to_owned()), (1, "17:30:00".to_owned())];
        assert_eq!(local(&cron, "2026-11-21"), expected);
        assert!(local(&cron, "2026-11-22").is_empty());
    }

    #[test]
    fn times_are_numbered_in_their_order_however_they_were_written() {
        let times = ["17:30", "05:30:10"].map(|time| time.parse().unwrap());
        let days = Days::of([Weekday::Sunday]).unwrap();
        let times = Recurrence::times(times, days, None, None).unwrap();
        assert_eq!(local(&times, "2026-11-22")[0], (0, "05:30:10".to_owned()));
        assert!(local(&times, "2026-11-23").is_empty());
    }

    #[test]
    fn a_cron_expression_that_only_names_weekdays_is_a_weekly_one() {
        let weekly = |text: &str| Recurrence::cron(text, None, None).unwrap().weekly();
        let days = [Weekday::Monday, Weekday::Saturday];
        assert_eq!(weekly("0 30 5 * * Mon,Sat"), Days::of(days));
        assert_eq!(weekly("0 30 5 * * *"), Some(Days::EVERY));
        assert_eq!(weekly("0 30 5 1 * Mon"), None);
        assert_eq!(weekly("0 30 5 * 2 *"), None);
    }

    #[test]
    fn the_thirtieth_of_february_is_refused() {
        let error = Recurrence::cron("0 0 6 30 2 *", None, None).unwrap_err();
        assert!(error.to_string().contains("never comes"), "{error}");
    }

    #[test]
    fn the_leap_day_comes_in_leap_years_only() {
        let leap = Recurrence::cron("0 0 6 29 2 *", None, None).unwrap();
        assert_eq!(leap.first_date(), Some(date("2028-02-29")));
        assert!(local(&leap, "2027-02-28").is_empty() && local(&leap, "2027-03-01").is_empty());
        assert_eq!(local(&leap, "2028-02-29").len(), 1);
    }

    #[test]
    fn the_thirty_first_skips_the_months_that_have_none() {
        let last = Recurrence::cron("0 0 6 31 * *", None, None).unwrap();
        assert_eq!(local(&last, "2026-12-31").len(), 1);
        assert!(local(&last, "2026-11-30").is_empty() && local(&last, "2026-12-01").is_empty());
    }

    #[test]
    fn dates_bound_a_recurrence_and_both_are_included() {
        let (from, until) = (Some(date("2026-11-22")), Some(date("2026-11-23")));
        let two = Recurrence::cron("0 0 6 * * *", from, until).unwrap();
        let days = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"];
        assert_eq!(days.map(|day| local(&two, day).len()), [0, 1, 1, 0]);
        assert!(Recurrence::cron("0 0 6 * * *", until, from).is_err());
        assert!(Recurrence::cron("0 0 6 * * Sat", from, until).is_err());
    }

    #[test]
    fn dates_at_the_end_of_the_calendar_are_refused_and_no_panic() {
        for far in ["+262142-12-31", "3000-01-01", "1999-12-31"] {
            let from = Some(date(far));
            assert!(Recurrence::cron("0 0 6 30 2 *", from, None).is_err());
            assert!(Recurrence::cron("0 0 6 * * *", from, None).is_err());
        }
    }

    #[test]
    fn a_weekday_as_a_number_is_refused_because_systems_disagree() {
        let error = Recurrence::cron("0 30 5 * * 1-5", None, None).unwrap_err();
        assert!(error.to_string().contains("write Mon"), "{error}");
    }

    #[test]
    fn five_fields_nonsense_and_every_second_are_refused() {
        for bad in ["30 5 * * *", "@daily", "0 30 25 * * *", "x x x x x x", "", "* * * * * *"] {
            assert!(Recurrence::cron(bad, None, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_time_a_time_twice_and_the_end_of_the_day_are_refused() {
        for bad in [vec![], vec!["05:00", "05:00:00"], vec!["24:00"]] {
            let at = bad.iter().map(|time| time.parse().unwrap());
            assert!(Recurrence::times(at, Days::EVERY, None, None).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_recurrence_reads_like_what_it_was_made_from() {
        let cron = Recurrence::cron("0 30 5 * * Mon-Sat", Some(date("2026-01-01")), None).unwrap();
        assert_eq!(cron.to_string(), "`0 30 5 * * Mon-Sat` from 2026-01-01");
    }
}
