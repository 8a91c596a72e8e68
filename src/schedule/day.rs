//! One local day of one group of controllers: what of the candidates airs.
//!
//! Candidates are taken in order of time. One that overlaps an airing with a lesser claim puts it
//! out, and the day is taken up anew without that one: nothing that an airing took (minutes, a
//! bulletin) stays taken when it does not air, and what it had put out itself comes back. An
//! airing that began the day before is let finish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::audience::{Past, Place, monday};
use super::candidate::{Candidate, sort};
use super::claim::{Claim, verdict};
use super::compose::Desk;
use super::exception::Layer;
use super::remark::{Reason, WallClock};
use super::sequence::Composed;
use super::serve::{Profile, Said};
use super::settled::{Settled, Slot};
use super::{Item, LATE_MS_MAX};
use crate::calendar::{Airtime, AirtimePolicy, OverLimit, Spent};
use crate::id::{BulletinId, ProgrammeId};
use crate::time::{LocalDate, Timestamp, Zone};

/// What days are settled by, whoever hears them.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a, 'w> {
    pub(super) desk: &'a Desk<'w>,
    pub(super) layer: &'a Layer<'w>,
}

impl<'w> Rules<'_, 'w> {
    /// Those of a day's candidates that are meant for a place, as exceptions leave them.
    fn meant(self, place: &Place<'w>, candidates: &[Candidate<'w>]) -> Vec<Candidate<'w>> {
        let meant = candidates.iter().filter(|c| place.programmes.binary_search(&c.number).is_ok());
        if place.exceptions.is_empty() {
            return meant.copied().collect();
        }
        let bend = |c| self.layer.bend(self.desk.zone, &place.exceptions, c);
        let mut bent: Vec<Candidate<'w>> = meant.map(bend).collect();
        sort(&mut bent);
        bent
    }
}

/// Settles every day for one group, each with the history of those before it.
pub(super) fn settle<'w>(
    rules: Rules<'_, 'w>,
    place: &Place<'w>,
    past: &Past<'w>,
    calendar: &[Vec<Candidate<'w>>],
) -> Settled {
    let mut settled = Settled::default();
    let mut aired = past.aired.clone();
    let mut running = past.running.map(|running| (running.ends, &running.programme));
    let mut week = Week { monday: None, days: past.days_before };
    for candidates in calendar {
        let meant = rules.meant(place, candidates);
        let Some(first) = meant.first() else { continue };
        week.turn(first.date);
        let terms = Terms { rules, place, aired: &aired, running, week_days: week.days };
        let day = Day::settle(terms, &meant);
        week.days += usize::from(!day.accepted.is_empty());
        for accepted in day.accepted {
            aired.extend(&accepted.bulletins);
            running = running.max(Some((accepted.ends, &accepted.candidate.programme.id)));
            settled.airings.push(accepted.slot());
        }
        let said = day.said.into_iter().zip(&meant);
        settled
            .said
            .extend(said.flat_map(|(said, of)| said.into_iter().map(|said| (of.spot(), said))));
    }
    settled
}

/// How many days of a week had airings.
struct Week {
    /// None before the first day: what is counted then is of that day's week.
    monday: Option<LocalDate>,
    days: usize,
}

impl Week {
    /// Goes on to `date`; a new week begins with none.
    fn turn(&mut self, date: LocalDate) {
        let before = self.monday.replace(monday(date));
        if before.is_some_and(|before| before != monday(date)) {
            self.days = 0;
        }
    }
}

/// What holds all day.
#[derive(Clone, Copy)]
struct Terms<'a, 'w> {
    rules: Rules<'a, 'w>,
    place: &'a Place<'w>,
    aired: &'a BTreeSet<&'w BulletinId>,
    running: Option<(Timestamp, &'w ProgrammeId)>,
    /// Days with airings in this week before this one.
    week_days: usize,
}

/// A candidate that airs.
struct Accepted<'w> {
    candidate: Candidate<'w>,
    /// Its place among the day's candidates.
    place: usize,
    latest: Timestamp,
    ends: Timestamp,
    volume_percent: Option<u8>,
    items: Arc<[Item]>,
    bulletins: Vec<&'w BulletinId>,
    claim: Claim<'w>,
    spent_before: Spent,
    spent: Spent,
}

impl Accepted<'_> {
    fn slot(self) -> Slot {
        Slot {
            spot: self.candidate.spot(),
            at: self.candidate.at,
            latest: self.latest,
            ends: self.ends,
            chime: self.candidate.programme.chime,
            gap_ms: self.candidate.programme.gap_ms,
            volume_percent: self.volume_percent,
            items: self.items,
        }
    }
}

/// What became of a candidate.
enum Outcome<'w> {
    Airs(Box<Accepted<'w>>),
    Refused(Vec<Said>),
    /// It airs, if the airing before it gives way.
    PutsOut(Vec<Said>),
}

/// Times that one airing may be put out on a day. What airs instead may change what others
/// consist of, and so their claims; this ends a day on which they go round in a circle.
const PUT_OUT_MAX: u8 = 4;

/// Who put an airing out, by place among the candidates, and what there is to say.
#[derive(Clone)]
struct PutOut {
    by: usize,
    said: Vec<Said>,
}

/// Which candidates are put out, by place.
struct Contest {
    out: Vec<Option<PutOut>>,
    times: Vec<u8>,
}

impl Contest {
    fn put_out(&mut self, loser: usize, put_out: PutOut) {
        assert!(self.out[loser].is_none(), "what is out cannot be put out");
        self.out[loser] = Some(put_out);
        self.times[loser] += 1;
    }

    /// Takes back what was put out by one that is `gone` itself; whether there was any.
    fn take_back(&mut self, gone: impl Fn(usize) -> bool) -> bool {
        let mut any = false;
        for (out, times) in self.out.iter_mut().zip(&self.times) {
            if *times < PUT_OUT_MAX && out.as_ref().is_some_and(|out| gone(out.by)) {
                *out = None;
                any = true;
            }
        }
        any
    }
}

/// A day while it is settled.
struct Day<'w> {
    accepted: Vec<Accepted<'w>>,
    /// By place among the candidates.
    said: Vec<Vec<Said>>,
}

impl<'w> Day<'w> {
    fn settle(terms: Terms<'_, 'w>, candidates: &[Candidate<'w>]) -> Self {
        let count = candidates.len();
        let mut contest = Contest { out: vec![None; count], times: vec![0; count] };
        loop {
            match Self::attempt(terms, candidates, &contest.out) {
                Err((loser, put_out)) => contest.put_out(loser, put_out),
                Ok(day) => {
                    let airs = |place| day.accepted.iter().any(|airing| airing.place == place);
                    if !contest.take_back(|by| !airs(by)) {
                        return day;
                    }
                }
            }
        }
    }

    /// The day without those in `out`; else the place of one more that is put out.
    fn attempt(
        terms: Terms<'_, 'w>,
        candidates: &[Candidate<'w>],
        out: &[Option<PutOut>],
    ) -> Result<Self, (usize, PutOut)> {
        let mut day = Self { accepted: Vec::new(), said: Vec::with_capacity(candidates.len()) };
        for (place, candidate) in candidates.iter().enumerate() {
            if let Some(out) = &out[place] {
                day.said.push(out.said.clone());
                continue;
            }
            let mut said = Vec::new();
            match day.consider(terms, place, candidate, &mut said) {
                Outcome::Airs(accepted) => day.accepted.push(*accepted),
                Outcome::Refused(refusal) => said.extend(refusal),
                Outcome::PutsOut(why) => {
                    let loser = day.accepted.last().expect("somebody is put out");
                    return Err((loser.place, PutOut { by: place, said: why }));
                }
            }
            day.said.push(said);
        }
        Ok(day)
    }

    fn consider(
        &self,
        terms: Terms<'_, 'w>,
        place: usize,
        candidate: &Candidate<'w>,
        said: &mut Vec<Said>,
    ) -> Outcome<'w> {
        match self.fit(terms, place, candidate, said) {
            Err(reason) => Outcome::Refused(vec![Said::airing(reason)]),
            Ok(new) => self.meet(terms, new),
        }
    }

    /// The candidate as an airing, if nothing else were there at its time.
    fn fit(
        &self,
        terms: Terms<'_, 'w>,
        place: usize,
        candidate: &Candidate<'w>,
        said: &mut Vec<Said>,
    ) -> Result<Accepted<'w>, Reason> {
        let Terms { rules: Rules { desk, layer }, place: home, .. } = terms;
        layer.account(desk.zone, &home.exceptions, candidate, said)?;
        let profile: Profile<'w> = home.profile.ok_or(Reason::NoProfile)?;
        let airtime = home.airtime.ok_or(Reason::NoPolicy)?;
        let policy = airtime.signed();
        if !profile.asks_for(&candidate.programme.languages) {
            return Err(Reason::NotAsked);
        }
        if let Some(days_max) = week_full(airtime, terms.week_days) {
            return Err(Reason::WeekFull { days_max });
        }
        let aired = |bulletin: &BulletinId| terms.aired.contains(bulletin) || self.aired(bulletin);
        let composed =
            desk.compose(candidate, profile, &aired, said).ok_or(Reason::NothingToAir)?;
        let ends = candidate.at + Duration::from_millis(composed.length_ms);
        let latest = latest(airtime, desk.zone, candidate.at, ends, composed.slack)?;
        let spent_before = self.spent_without(candidate.at);
        let spent = policy
            .admit(spent_before, composed.length_ms)
            .map_err(|over| over_limit(over, policy))?;
        let claim = Claim::of(candidate, &composed.content);
        let Composed { items, bulletins, .. } = composed;
        let items = items.into();
        Ok(Accepted {
            candidate: *candidate,
            place,
            latest,
            ends,
            volume_percent: airtime.volume(desk.zone, candidate.at),
            items,
            bulletins,
            claim,
            spent_before,
            spent,
        })
    }

    fn aired(&self, bulletin: &BulletinId) -> bool {
        self.accepted.iter().any(|accepted| accepted.bulletins.contains(&bulletin))
    }

    /// What the day spent, less an airing that is still there at `at`: only one of the two airs.
    fn spent_without(&self, at: Timestamp) -> Spent {
        let last = self.accepted.last();
        last.map_or(
            Spent::default(),
            |last| if at < last.ends { last.spent_before } else { last.spent },
        )
    }

    /// What becomes of an airing that is fit, next to those that are there.
    fn meet(&self, terms: Terms<'_, 'w>, new: Accepted<'w>) -> Outcome<'w> {
        let at = new.candidate.at;
        if let Some((_, winner)) = terms.running.filter(|(ends, _)| at < *ends) {
            let winner = winner.clone();
            return Outcome::Refused(vec![Said::airing(Reason::Collision { winner })]);
        }
        // Airings are disjoint and in order of time: only the last one can still be there.
        let Some(last) = self.accepted.last().filter(|last| at < last.ends) else {
            return Outcome::Airs(Box::new(new));
        };
        let (zone, decisions) = (terms.rules.desk.zone, &terms.place.decisions);
        let verdict = verdict(zone, decisions, &last.claim, &new.claim);
        if verdict.first { Outcome::Refused(verdict.said) } else { Outcome::PutsOut(verdict.said) }
    }
}

/// The last instant at which an airing from `at` until `ends` may begin.
fn latest(
    airtime: &Airtime,
    zone: Zone,
    at: Timestamp,
    ends: Timestamp,
    slack: Duration,
) -> Result<Timestamp, Reason> {
    let late = Duration::from_millis(LATE_MS_MAX);
    let closes = airtime.signed().open_until(zone, at, ends + late);
    let refuse = |at, otherwise: fn(WallClock) -> Reason| {
        let wall = WallClock::of(zone, at);
        let quiet = airtime.is_quiet(zone, at);
        if quiet { Reason::QuietHours { from: wall } } else { otherwise(wall) }
    };
    let closes = closes.ok_or_else(|| refuse(at, |_| Reason::OutsideWindow))?;
    if closes < ends {
        return Err(refuse(closes, |closes| Reason::RunsPastWindow { closes }));
    }
    Ok(at + late.min(closes.since(ends)).min(slack))
}

/// The days of a week that are all spent, where there is such a limit.
fn week_full(airtime: &Airtime, days: usize) -> Option<u8> {
    airtime.days_a_week_max().filter(|&max| days >= usize::from(max))
}

fn over_limit(over: OverLimit, policy: &AirtimePolicy) -> Reason {
    match over {
        OverLimit::Session => Reason::SessionTooLong { minutes_max: policy.minutes_a_session_max },
        OverLimit::Sessions => Reason::TooManySessions { sessions_max: policy.sessions_a_day_max },
        OverLimit::Day => Reason::DayFull { minutes_max: policy.minutes_a_day_max },
    }
}
